/* SPDX-License-Identifier: MIT */
/*
 * A build without zstd: this program links compress_none.c in its place.
 */

#include "lib/trace/compress.h"

#include "lib/base/bytes.h"
#include "tests/trace/fixture.h"

static void nothing_is_available(void **state)
{
    uint8_t byte = 0;

    (void)state;
    assert_false(trace_compress_available());
    assert_false(vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD));
    assert_true(vmr_trace_codec_available(VMR_TRACE_CODEC_NONE));
    assert_null(trace_compressor_create());
    assert_int_equal(trace_compress(NULL, &byte, 1, &byte, 1), 0);
    assert_false(trace_decompress(NULL, &byte, 1, &byte, 1));
    trace_compressor_destroy(NULL);
}

static void recording_falls_back_and_asking_for_it_fails(void **state)
{
    enum vmr_trace_codec codec;
    struct vmr_error err = {0};

    (void)state;
    CHECK_OK(trace_codec_resolve(VMR_TRACE_CODEC_DEFAULT, &codec, NULL));
    assert_int_equal(codec, VMR_TRACE_CODEC_NONE);
    CHECK_STATUS(trace_codec_resolve(VMR_TRACE_CODEC_ZSTD, &codec, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "which this build lacks"));
}

static void a_compressed_block_is_named_not_called_damage(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_trace_info info;
    struct vmr_trace_sink sink;
    struct writer out;
    struct vmr_error err = {0};

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    /* The first block says that it is compressed; its header's checksum fits. */
    uint8_t *block = trace.bytes + TRACE_HEADER_BYTES + load_le32(trace.bytes + 24);

    store_le32(block + 36, VMR_TRACE_CODEC_ZSTD);
    store_le64(block + 48, trace_hash(block, 48));
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    bytes_sink(&out, &sink);
    CHECK_STATUS(vmr_trace_print(&source, &sink, &info, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "compressed with zstd, which this build lacks"));
    assert_int_equal(info.damages, 0);
    writer_finish(&out);
    writer_finish(&trace);
}

static void a_text_that_speaks_of_zstd_is_read_and_packed_without(void **state)
{
    static const char text[] = "vmtx 1.0 min=1.0 codec=zstd\n0 vp0 nmi\nend\n";
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct writer out;
    struct vmr_trace_source source = bytes_source(&memory, text, sizeof(text) - 1);

    (void)state;
    /* Wrong kind of record: nmi is a reaction. */
    bytes_sink(&out, &sink);
    CHECK_STATUS(vmr_trace_pack(&source, VMR_TRACE_CODEC_NONE, &sink, NULL, NULL), VMR_E_CORRUPT);
    writer_finish(&out);

    static const char good[] = "vmtx 1.0 min=1.0 codec=zstd\n0 vp0 ~ nmi\nend\n";

    source = bytes_source(&memory, good, sizeof(good) - 1);
    bytes_sink(&out, &sink);
    CHECK_OK(vmr_trace_pack(&source, VMR_TRACE_CODEC_NONE, &sink, NULL, NULL));
    writer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_available),
        cmocka_unit_test(recording_falls_back_and_asking_for_it_fails),
        cmocka_unit_test(a_compressed_block_is_named_not_called_damage),
        cmocka_unit_test(a_text_that_speaks_of_zstd_is_read_and_packed_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
