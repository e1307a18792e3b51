/* SPDX-License-Identifier: MIT */
/* Headers: what is written is read, and every changed byte is refused. */

#include "lib/snapshot/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void a_header_survives(void **state)
{
    const struct snapshot_header header = {.major = 1, .minor = 7, .parent_id = UINT64_C(0x1122334455667788)};
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    struct snapshot_header back = {0};

    (void)state;
    snapshot_header_encode(&header, bytes);
    assert_memory_equal(bytes, "VMRSNAP\n\x01\0\x07\0", 12);
    assert_int_equal(snapshot_header_decode(bytes, &back, NULL), VMR_OK);
    assert_int_equal(back.minor, 7);
    assert_int_equal(back.parent_id, header.parent_id);
}

static void a_changed_header_is_refused(void **state)
{
    const struct snapshot_header header = {.major = 1};
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    struct snapshot_header back;

    (void)state;
    snapshot_header_encode(&header, bytes);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 0x80;
        assert_int_not_equal(snapshot_header_decode(bytes, &back, NULL), VMR_OK);
        bytes[i] ^= 0x80;
    }
}

static void a_section_header_survives_and_counts_in_hash_and_id(void **state)
{
    const struct section_header header = {.kind = SECTION_STATE, .flags = 1, .length = UINT64_C(1) << 40, .hash = 9};
    struct section_header back, other = header;
    struct section_hash *hash = section_hash_create();
    uint8_t bytes[SECTION_HEADER_BYTES];

    (void)state;
    assert_non_null(hash);
    section_header_encode(&header, bytes);
    section_header_decode(bytes, &back);
    assert_memory_equal(&header, &back, sizeof(header));
    section_hash_begin(hash, &header);
    section_hash_add(hash, "ab", 2);
    uint64_t whole = section_hash_end(hash);

    section_hash_begin(hash, &header);
    section_hash_add(hash, "a", 1);
    section_hash_add(hash, "b", 1);
    assert_int_equal(section_hash_end(hash), whole);
    other.flags = 0;
    section_hash_begin(hash, &other);
    section_hash_add(hash, "ab", 2);
    assert_int_not_equal(section_hash_end(hash), whole);
    assert_int_not_equal(snapshot_id_next(0, &header), snapshot_id_next(0, &other));
    assert_int_not_equal(snapshot_id_next(0, &header), snapshot_id_next(1, &header));
    section_hash_destroy(hash);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (uint32_t kind = SECTION_MACHINE; kind <= SECTION_END; kind++)
        assert_string_not_equal(section_kind_name(kind), "unknown");
    assert_string_equal(section_kind_name(0), "unknown");
    assert_string_equal(section_kind_name(SECTION_END + 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_survives),
        cmocka_unit_test(a_changed_header_is_refused),
        cmocka_unit_test(a_section_header_survives_and_counts_in_hash_and_id),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
