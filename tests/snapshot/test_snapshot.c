/* SPDX-License-Identifier: MIT */
/* Opening: what is damaged, cut, out of place or unknown is refused, with section and offset. */

#include "tests/snapshot/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/snapshot/format.h"

static struct vm vm;
static struct bytes good;

static int begin(void **state)
{
    (void)state;
    vm_init(&vm);
    vm_fill(&vm);
    vm_save(&vm, 0, &good, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bytes_finish(&good);
    vm_finish(&vm);
    return 0;
}

static enum vmr_status open_bytes(const void *data, size_t length, struct vmr_error *err)
{
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot = NULL;

    vmr_snapshot_source_memory(data, length, &source);
    enum vmr_status status = vmr_snapshot_open(&source, &snapshot, err);

    assert_true((status == VMR_OK) == (snapshot != NULL));
    vmr_snapshot_close(snapshot);
    return status;
}

static struct bytes copy_of(const struct bytes *bytes)
{
    struct bytes copy = {.data = malloc(bytes->length + 4096), .length = bytes->length, .capacity = bytes->length};

    assert_non_null(copy.data);
    memcpy(copy.data, bytes->data, bytes->length);
    return copy;
}

static void what_was_saved_is_told(void **state)
{
    struct vmr_snapshot *snapshot = snapshot_of(&good);
    struct vmr_snapshot_blob blob;
    struct vmr_snapshot_info info;

    (void)state;
    vmr_snapshot_get_info(snapshot, &info);
    assert_int_equal(info.vp_count, VM_VPS);
    assert_int_equal(info.region_count, 2);
    assert_int_equal(info.memory_size, LOW_BYTES + HIGH_BYTES);
    assert_int_equal(info.page_count, 5); /* those that are not zero */
    assert_int_equal(info.parent_id, 0);
    assert_int_not_equal(info.id, 0);
    assert_true(vmr_snapshot_find_blob(snapshot, "hello", &blob));
    assert_int_equal(blob.length, 5);
    assert_memory_equal(blob.bytes, "world", 5);
    assert_false(vmr_snapshot_find_blob(snapshot, "hell", &blob));
    vmr_snapshot_close(snapshot);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < good.length; length += length < 4096 || good.length - length < 4096 ? 1 : 997) {
        struct vmr_error err;
        enum vmr_status status = open_bytes(good.data, length, &err);

        assert_int_equal(status, VMR_E_CORRUPT);
        assert_non_null(strstr(err.message, "snapshot: "));
    }
}

static void every_changed_byte_is_found(void **state)
{
    struct bytes bad = copy_of(&good);

    (void)state;
    for (size_t at = 0; at < bad.length; at += at < 8192 ? 1 : 509) {
        bad.data[at] ^= 0x10;
        assert_int_not_equal(open_bytes(bad.data, bad.length, NULL), VMR_OK);
        bad.data[at] ^= 0x10;
    }
    bytes_finish(&bad);
}

/* Sealed, and still wrong: what a hash does not find. */
static void check_sealed(struct bytes *bytes, const char *words)
{
    struct vmr_error err;

    reseal(bytes);
    assert_int_equal(open_bytes(bytes->data, bytes->length, &err), VMR_E_CORRUPT);
    if (!strstr(err.message, words))
        fail_msg("'%s' instead of '%s'", err.message, words);
}

static size_t find_kind(const struct bytes *bytes, uint32_t kind, unsigned nth)
{
    for (size_t n = 0;; n++) {
        size_t at = section_at(bytes, n);

        assert_true(at < bytes->length);
        if (load_le32(bytes->data + at) == kind && nth-- == 0)
            return at;
    }
}

/* At each byte of each section's header, and just behind it. */
static void check_cuts(const struct bytes *bytes)
{
    size_t at, sections = 0;

    for (; (at = section_at(bytes, sections)) < bytes->length; sections++) {
        for (size_t length = at; length <= at + SECTION_HEADER_BYTES; length++) {
            struct vmr_error err = {0};

            assert_int_equal(open_bytes(bytes->data, length, &err), VMR_E_CORRUPT);
            assert_non_null(strstr(err.message, "snapshot: "));
        }
    }
    assert_true(sections > 8);
}

/* States of devices and VPs, pages, and, of one with a parent, pages that became zero. */
static void every_section_of_a_chain_is_missed(void **state)
{
    struct bytes parent, child;
    uint64_t id = 0;

    (void)state;
    vm_save(&vm, 0, &parent, &id);
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x1000, 0, 8));
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x5000, 1, 8));
    vm_save(&vm, id, &child, NULL);
    (void)find_kind(&parent, SECTION_PAGES, 0);
    (void)find_kind(&child, SECTION_PAGES, 0);
    (void)find_kind(&child, SECTION_ZEROS, 0);
    check_cuts(&parent);
    check_cuts(&child);
    store_le64(child.data + 16, 0); /* it says that it has no parent */
    check_sealed(&child, "section 'zeros'");
    bytes_finish(&parent);
    bytes_finish(&child);
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
}

/* A section of a kind that nobody knows, behind the first `n`. */
static struct bytes with_unknown(size_t n, uint32_t flags)
{
    struct bytes bytes = copy_of(&good);
    size_t at = section_at(&bytes, n);
    const struct section_header header = {.kind = 77, .flags = flags, .length = 3};

    memmove(bytes.data + at + SECTION_HEADER_BYTES + 3, bytes.data + at, bytes.length - at);
    section_header_encode(&header, bytes.data + at);
    memcpy(bytes.data + at + SECTION_HEADER_BYTES, "new", 3);
    bytes.length += SECTION_HEADER_BYTES + 3;
    reseal(&bytes);
    return bytes;
}

static void an_unknown_section_is_passed_over_only_if_it_says_so(void **state)
{
    struct bytes optional = with_unknown(1, SECTION_OPTIONAL), mandatory = with_unknown(1, 0);
    struct vmr_snapshot *snapshot = snapshot_of(&optional);
    struct vmr_snapshot_info info;
    struct vmr_error err;

    (void)state;
    vmr_snapshot_get_info(snapshot, &info);
    assert_int_equal(info.skipped_count, 1);
    vmr_snapshot_close(snapshot);
    assert_int_equal(open_bytes(mandatory.data, mandatory.length, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "kind 77"));
    bytes_finish(&optional);
    bytes_finish(&mandatory);
}

static void another_major_version_is_refused_and_a_minor_one_is_not(void **state)
{
    struct bytes bytes = copy_of(&good);
    struct vmr_error err;

    (void)state;
    store_le16(bytes.data + 10, 9);
    reseal(&bytes);
    assert_int_equal(open_bytes(bytes.data, bytes.length, &err), VMR_OK);
    store_le16(bytes.data + 8, 2);
    reseal(&bytes);
    assert_int_equal(open_bytes(bytes.data, bytes.length, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "format 2.9"));
    bytes_finish(&bytes);
}

static void sealed_nonsense_is_refused(void **state)
{
    static const struct {
        uint32_t kind;
        unsigned nth, offset;
        uint64_t value;
        const char *words;
    } rows[] = {
        {SECTION_MACHINE, 0, 0, 0, "section 'machine'"},                 /* no VPs */
        {SECTION_MACHINE, 0, 0, 1u << 20, "section 'machine'"},          /* too many */
        {SECTION_MACHINE, 0, 4, UINT64_C(7), "section 'machine'"},       /* no such interrupt controllers */
        {SECTION_REGIONS, 0, 0, 0x800, "section 'regions'"},             /* unaligned */
        {SECTION_REGIONS, 0, 8, UINT64_C(1) << 62, "section 'regions'"}, /* behind the last address */
        {SECTION_REGIONS, 0, 24, 0x1000, "section 'regions'"},           /* overlaps */
        {SECTION_STATE, 0, 0, 9, "section 'state'"},                     /* no such scope */
        {SECTION_PAGES, 0, 0, 0x80000, "its pages are in no region"},    /* a hole */
        {SECTION_PAGES, 1, 0, 0x0, "not behind those before"},           /* twice */
        {SECTION_PAGES, 0, 8, 2, "section 'pages'"},                     /* more than it has */
        {SECTION_PAGES, 0, 0, 1, "section 'pages'"},                     /* unaligned */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes bytes = copy_of(&good);
        size_t at = find_kind(&bytes, rows[i].kind, rows[i].nth) + SECTION_HEADER_BYTES + rows[i].offset;

        if (rows[i].kind == SECTION_STATE)
            bytes.data[at] = (uint8_t)rows[i].value;
        else if (rows[i].kind == SECTION_MACHINE || rows[i].offset == 8)
            store_le32(bytes.data + at + (rows[i].value >> 32 ? 4 : 0),
                       (uint32_t)(rows[i].value >> 32 ? rows[i].value >> 32 : rows[i].value));
        else
            store_le64(bytes.data + at, rows[i].value);
        check_sealed(&bytes, rows[i].words);
        bytes_finish(&bytes);
    }
}

/* One that would be passed over elsewhere. */
static void nothing_is_before_the_machine(void **state)
{
    struct bytes bytes = with_unknown(0, SECTION_OPTIONAL);

    (void)state;
    check_sealed(&bytes, "the first is not 'machine'");
    bytes_finish(&bytes);
}

static void a_length_beyond_the_file_allocates_nothing(void **state)
{
    struct bytes bytes = copy_of(&good);
    struct vmr_error err;

    (void)state;
    store_le64(bytes.data + section_at(&bytes, 2) + 8, UINT64_MAX - 100);
    assert_int_equal(open_bytes(bytes.data, bytes.length, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "longer than what is left"));
    bytes_finish(&bytes);
}

static void what_is_behind_the_end_is_refused(void **state)
{
    struct bytes bytes = copy_of(&good);
    struct vmr_error err;

    (void)state;
    bytes.data[bytes.length++] = 0;
    assert_int_equal(open_bytes(bytes.data, bytes.length, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "something is behind it"));
    bytes_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_told),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(every_section_of_a_chain_is_missed),
        cmocka_unit_test(nothing_is_before_the_machine),
        cmocka_unit_test(an_unknown_section_is_passed_over_only_if_it_says_so),
        cmocka_unit_test(another_major_version_is_refused_and_a_minor_one_is_not),
        cmocka_unit_test(sealed_nonsense_is_refused),
        cmocka_unit_test(a_length_beyond_the_file_allocates_nothing),
        cmocka_unit_test(what_is_behind_the_end_is_refused),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
