/* SPDX-License-Identifier: MIT */
/*
 * Firmware images: which are taken, and where their bytes end up.
 */

#include "lib/boot/firmware.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

#define FOUR_GIB UINT64_C(0x100000000)

static struct fake_host fake;
static struct vmr_memory *memory;

static int setup(void **state)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = 0x200000};

    (void)state;
    fake_host_init(&fake, 0);
    if (vmr_memory_create(&fake.host, &memory, NULL) != VMR_OK)
        return -1;
    return vmr_memory_region_add(memory, &ram, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_memory_destroy(memory);
    return 0;
}

static void sizes_are_judged(void **state)
{
    static const struct {
        const char *name;
        size_t size;
        enum vmr_status status;
        const char *said;
    } cases[] = {
        {"empty", 0, VMR_E_CONFIG, "empty"},
        {"one byte", 1, VMR_E_CONFIG, "1 bytes"},
        {"not whole segments", 0x1f000, VMR_E_CONFIG, "126976 bytes"},
        {"one segment", 0x10000, VMR_OK, NULL},
        {"the largest", 0x1000000, VMR_OK, NULL},
        {"one segment too many", 0x1010000, VMR_E_CONFIG, "16842752 bytes"},
        {"absurd", SIZE_MAX, VMR_E_CONFIG, "larger than 16777216"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_error err = {0};

        print_message("%s\n", cases[i].name);
        assert_int_equal(firmware_check(cases[i].size, &err), cases[i].status);
        if (cases[i].said)
            assert_non_null(strstr(err.message, cases[i].said));
    }
}

static uint8_t byte_at(vmr_gpa gpa)
{
    uint8_t byte = 0;

    assert_int_equal(vmr_memory_read(memory, gpa, &byte, 1), VMR_OK);
    return byte;
}

static void image_ends_at_4_gib_and_its_end_at_1_mib(void **state)
{
    static const struct {
        const char *name;
        size_t size, shadow;
    } cases[] = {{"one segment", 0x10000, 0x10000}, {"two", 0x20000, 0x20000}, {"four", 0x40000, 0x20000}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = cases[i].size;
        uint8_t *image = malloc(size);
        struct vmr_memory_region region;

        (void)setup(state);
        print_message("%s\n", cases[i].name);
        assert_non_null(image);
        for (size_t j = 0; j < size; j++)
            image[j] = (uint8_t)(j % 251 + 1);
        assert_int_equal(firmware_load(memory, image, size, NULL), VMR_OK);
        assert_true(vmr_memory_region_find(memory, FOUR_GIB - 1, &region));
        assert_int_equal(region.gpa, FOUR_GIB - size);
        assert_true(region.read_only);
        assert_int_equal(byte_at(FOUR_GIB - size), image[0]);
        assert_int_equal(byte_at(FOUR_GIB - 1), image[size - 1]);
        assert_int_equal(byte_at(0xfffff), image[size - 1]);
        assert_int_equal(byte_at(0x100000 - cases[i].shadow), image[size - cases[i].shadow]);
        assert_int_equal(byte_at(0x100000 - cases[i].shadow - 1), 0);
        assert_int_equal(byte_at(0x100000), 0);
        free(image);
        (void)teardown(state);
    }
}

static void refused_image_changes_nothing(void **state)
{
    static const uint8_t image[0x10000] = {1};

    (void)state;
    assert_int_equal(firmware_load(memory, image, 0x8000, NULL), VMR_E_CONFIG);
    assert_int_equal(firmware_load(memory, NULL, 0x10000, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_memory_region_count(memory), 1);
    assert_int_equal(byte_at(0xf0000), 0);
}

static void missing_ram_and_taken_addresses_are_refused(void **state)
{
    static const uint8_t image[0x10000] = {1};
    const struct vmr_memory_region in_the_way = {.gpa = FOUR_GIB - 0x1000, .size = 0x1000};
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(vmr_memory_region_add(memory, &in_the_way, NULL), VMR_OK);
    assert_int_not_equal(firmware_load(memory, image, sizeof(image), &err), VMR_OK);
    assert_int_equal(vmr_memory_region_remove(memory, 0, NULL), VMR_OK);
    assert_int_equal(firmware_load(memory, image, sizeof(image), &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "0xf0000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_judged),
        cmocka_unit_test(image_ends_at_4_gib_and_its_end_at_1_mib),
        cmocka_unit_test_setup_teardown(refused_image_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_ram_and_taken_addresses_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
