/* SPDX-License-Identifier: MIT */
/*
 * Traces that a person wrote: what can be packed prints, packs to the same
 * bytes again, and does not differ from the text. [TRC-3]
 */

#include "fuzz/fuzz.h"
#include "fuzz/support/traces.h"

static void check_fixed_point(const struct bytes *packed)
{
    struct bytes text, again;
    struct vmr_trace_info info;

    enum vmr_status status =
        traces_convert((struct traces_call){vmr_trace_print}, packed->at, packed->length, &text, &info);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_NOMEM);
    if (status == VMR_OK) {
        FUZZ_CHECK(traces_are_whole(&info));
        status = traces_pack(text.at, text.length, &again, &info);
        FUZZ_CHECK(status == VMR_OK);
        FUZZ_CHECK(bytes_equal(packed, &again));
        bytes_finish(&again);
    }
    bytes_finish(&text);
}

static void check_no_difference(const uint8_t *data, size_t size, const struct bytes *packed)
{
    struct vmr_trace_memory left_memory = {.bytes = data, .length = size};
    struct vmr_trace_memory right_memory = {.bytes = packed->at, .length = packed->length};
    const struct vmr_trace_diff_options options = {0};
    struct bytes out = {.limit = TRACES_OUTPUT_MAX};
    const struct vmr_trace_sink sink = bytes_sink(&out);
    struct vmr_trace_source left, right;
    bool equal = false;

    vmr_trace_source_memory(&left_memory, &left);
    vmr_trace_source_memory(&right_memory, &right);
    enum vmr_status status = vmr_trace_diff(&left, &right, &options, &sink, &equal, NULL);

    FUZZ_CHECK(status == VMR_OK && equal);
    bytes_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_trace_info info = {0}, read = {0};
    struct bytes packed;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    enum vmr_status status = traces_pack(data, size, &packed, &info);

    if (status == VMR_OK && traces_are_whole(&info)) {
        FUZZ_CHECK(traces_read(packed.at, packed.length, true, &read) == VMR_OK);
        FUZZ_CHECK(read.records == info.records && read.exits == info.exits);
        check_fixed_point(&packed);
        check_no_difference(data, size, &packed);
    }
    bytes_finish(&packed);
    return 0;
}
