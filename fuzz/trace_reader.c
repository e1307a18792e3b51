/* SPDX-License-Identifier: MIT */
/*
 * Files that claim to be traces: every reader gets through them, an undamaged
 * one comes out of its text form as it went in. [TRC-3] [TRC-4]
 */

#include "fuzz/fuzz.h"
#include "fuzz/support/traces.h"

/* From binary and from its text come the same bytes. */
static void check_round_trip(const uint8_t *data, size_t size, const struct bytes *text)
{
    struct bytes direct, through_text;
    struct vmr_trace_info info;

    enum vmr_status first = traces_pack(data, size, &direct, &info);
    enum vmr_status second = traces_pack(text->at, text->length, &through_text, &info);

    if (first == VMR_OK && second != VMR_E_NOMEM) {
        FUZZ_CHECK(second == VMR_OK);
        FUZZ_CHECK(bytes_equal(&direct, &through_text));
    }
    bytes_finish(&direct);
    bytes_finish(&through_text);
}

static void convert(struct traces_call call, const uint8_t *data, size_t size)
{
    struct vmr_trace_info info;
    struct bytes out;

    (void)traces_convert(call, data, size, &out, &info);
    bytes_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_trace_info lenient = {0}, strict = {0}, printed = {0};
    struct bytes text;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    enum vmr_status status = traces_read(data, size, false, &lenient);

    if (traces_read(data, size, true, &strict) == VMR_OK && strict.ended) {
        FUZZ_CHECK(status == VMR_OK && (lenient.cut || traces_are_whole(&lenient)));
        FUZZ_CHECK(strict.records == lenient.records && strict.exits == lenient.exits);
    }
    if (status != VMR_OK)
        return 0; /* no header: nothing else gets further */
    status = traces_convert((struct traces_call){vmr_trace_print}, data, size, &text, &printed);
    if (status == VMR_OK && traces_are_whole(&printed))
        check_round_trip(data, size, &text);
    bytes_finish(&text);
    convert((struct traces_call){vmr_trace_stat}, data, size);
    convert((struct traces_call){vmr_trace_describe}, data, size);
    return 0;
}
