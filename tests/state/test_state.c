/* SPDX-License-Identifier: MIT */
/* Values by their field tables: bytes and back, comparing, hashing; hostile bytes. */

#include "vmrig/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct inner {
    uint16_t number;
    bool flag;
};
struct sample {
    uint8_t byte;
    uint64_t words[3];
    uint32_t count;
    uint8_t bytes[4][2];
    struct inner inners[2];
    uint64_t moving;
};

static const struct vmr_state_field fields[] = {
    VMR_STATE_FIELD(struct sample, byte, "byte", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct sample, words, "words", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct sample, count, "count", VMR_FIELD_DECIMAL),
    {.name = "bytes",
     .offset = offsetof(struct sample, bytes),
     .count = 8,
     .stride = 1,
     .width = 1,
     .kind = VMR_FIELD_BYTES,
     .used_by = 3,
     .group = 2},
    VMR_STATE_EACH(struct sample, inners, number, "inner.number", VMR_FIELD_DECIMAL),
    VMR_STATE_EACH(struct sample, inners, flag, "inner.flag", VMR_FIELD_FLAG),
    {.name = "moving",
     .offset = offsetof(struct sample, moving),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_TIME,
     .moves = true},
};
static const struct vmr_state_type type = {
    .name = "sample", .version = 3, .size = sizeof(struct sample), .field_count = 7, .fields = fields};

/* 1 + 24 + 4 + 2*2 + 4 + 2 + 8 */
#define SAMPLE_BYTES 47u

static struct sample a_sample(void)
{
    struct sample sample;

    memset(&sample, 0, sizeof(sample));
    sample.byte = 0x12;
    sample.words[0] = UINT64_C(0x1122334455667788);
    sample.words[2] = 3;
    sample.count = 2;
    memcpy(sample.bytes, "abcd", 4);
    sample.inners[1] = (struct inner){.number = 0xbeef, .flag = true};
    sample.moving = 77;
    return sample;
}

static void bytes_and_back(void **state)
{
    struct sample sample = a_sample(), back;
    uint8_t bytes[SAMPLE_BYTES];

    (void)state;
    memset(&back, 0xff, sizeof(back));
    assert_int_equal(vmr_state_encode(&type, &sample, bytes, sizeof(bytes)), SAMPLE_BYTES);
    assert_true(vmr_state_encoded_max(&type) >= SAMPLE_BYTES);
    /* Little endian, in field order. */
    assert_memory_equal(bytes, "\x12\x88\x77\x66\x55\x44\x33\x22\x11", 9);
    assert_int_equal(vmr_state_decode(&type, 3, bytes, sizeof(bytes), &back, NULL), VMR_OK);
    assert_true(vmr_state_equal(&type, &sample, &back, true, NULL));
    assert_memory_equal(&sample, &back, sizeof(sample));
}

static void a_short_buffer_is_not_overrun(void **state)
{
    struct sample sample = a_sample();
    uint8_t bytes[SAMPLE_BYTES + 1];

    (void)state;
    for (size_t capacity = 0; capacity <= SAMPLE_BYTES; capacity++) {
        memset(bytes, 0xa5, sizeof(bytes));
        assert_int_equal(vmr_state_encode(&type, &sample, bytes, capacity), SAMPLE_BYTES);
        for (size_t i = capacity; i < sizeof(bytes); i++)
            assert_int_equal(bytes[i], 0xa5);
    }
}

static void every_cut_is_refused_and_names_the_field(void **state)
{
    struct sample sample = a_sample(), back;
    uint8_t bytes[SAMPLE_BYTES + 1] = {0};
    struct vmr_error err;

    (void)state;
    (void)vmr_state_encode(&type, &sample, bytes, sizeof(bytes));
    for (size_t length = 0; length < SAMPLE_BYTES; length++) {
        assert_int_equal(vmr_state_decode(&type, 3, bytes, length, &back, &err), VMR_E_CORRUPT);
        assert_non_null(strstr(err.message, "state 'sample': field '"));
    }
    assert_int_equal(vmr_state_decode(&type, 3, bytes, SAMPLE_BYTES + 1, &back, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "1 bytes behind the last field"));
    assert_int_equal(vmr_state_decode(&type, 2, bytes, SAMPLE_BYTES, &back, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "version 2"));
}

static void a_flag_of_2_and_a_count_too_high_are_refused(void **state)
{
    struct sample sample = a_sample(), back;
    uint8_t bytes[SAMPLE_BYTES];
    struct vmr_error err;

    (void)state;
    (void)vmr_state_encode(&type, &sample, bytes, sizeof(bytes));
    bytes[38] = 2; /* the second inner.flag */
    assert_int_equal(vmr_state_decode(&type, 3, bytes, sizeof(bytes), &back, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "inner.flag"));
    bytes[38] = 1;
    for (uint32_t count = 5; count != 0; count = count * 7 + (count < 6)) {
        memcpy(bytes + 25,
               &(uint8_t[4]){(uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), (uint8_t)(count >> 24)}, 4);
        assert_int_equal(vmr_state_decode(&type, 3, bytes, sizeof(bytes), &back, &err), VMR_E_CORRUPT);
        if (count > UINT32_MAX / 7)
            break;
    }
    assert_non_null(strstr(err.message, "field 'count'"));
}

/* Each element of each field that is in use: it changes the hash, the bytes, and is what differs. */
static void every_element_counts(void **state)
{
    struct sample sample = a_sample();
    uint64_t hash = vmr_state_hash(&type, &sample, true, 1);

    (void)state;
    assert_int_equal(hash, vmr_state_hash(&type, &sample, true, 1));
    assert_int_not_equal(hash, vmr_state_hash(&type, &sample, true, 2));
    for (uint32_t i = 0; i < type.field_count; i++) {
        for (uint32_t element = 0; element < vmr_state_used(&type, &fields[i], &sample); element++) {
            struct sample other = sample;
            struct vmr_state_difference difference;

            assert_true(vmr_state_put(&fields[i], &other, element, vmr_state_get(&fields[i], &other, element) ^ 1));
            assert_int_not_equal(hash, vmr_state_hash(&type, &other, true, 1));
            assert_false(vmr_state_equal(&type, &sample, &other, true, &difference));
            assert_ptr_equal(difference.field, &fields[i]);
            assert_int_equal(difference.element, element);
            assert_int_equal(difference.left ^ difference.right, 1);
        }
    }
}

static void what_moves_is_left_out_on_demand(void **state)
{
    struct sample sample = a_sample(), other = sample;

    (void)state;
    other.moving++;
    assert_false(vmr_state_equal(&type, &sample, &other, true, NULL));
    assert_true(vmr_state_equal(&type, &sample, &other, false, NULL));
    assert_int_equal(vmr_state_hash(&type, &sample, false, 0), vmr_state_hash(&type, &other, false, 0));
}

static void a_number_that_does_not_fit_is_not_put(void **state)
{
    struct sample sample = a_sample();

    (void)state;
    assert_false(vmr_state_put(&fields[0], &sample, 0, 0x100));
    assert_false(vmr_state_put(&fields[5], &sample, 1, 2));
    assert_memory_equal(&sample, &(struct sample[]){a_sample()}[0], sizeof(sample));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_back),
        cmocka_unit_test(a_short_buffer_is_not_overrun),
        cmocka_unit_test(every_cut_is_refused_and_names_the_field),
        cmocka_unit_test(a_flag_of_2_and_a_count_too_high_are_refused),
        cmocka_unit_test(every_element_counts),
        cmocka_unit_test(what_moves_is_left_out_on_demand),
        cmocka_unit_test(a_number_that_does_not_fit_is_not_put),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
