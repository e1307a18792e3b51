/* SPDX-License-Identifier: MIT */
/* The sections of topology: what is written is read, and nonsense is refused. */

#include "lib/snapshot/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "tests/snapshot/fixture.h"

#define REGION 24u

static void a_vm_s_own_topology_fits(void **state)
{
    struct vm vm;
    struct vmr_snapshot snapshot = {0};
    struct writer writer;

    (void)state;
    vm_init(&vm);
    writer_init(&writer, SECTION_BYTES_MAX);
    topology_encode_machine(&writer, vm.partition);
    assert_true(topology_decode_machine(&snapshot, writer.bytes, writer.length));
    writer_clear(&writer);
    CHECK_OK(topology_encode_regions(&writer, vm.memory));
    CHECK_OK(topology_decode_regions(&snapshot, writer.bytes, writer.length));
    assert_int_equal(snapshot.region_count, 2);
    assert_int_equal(snapshot.regions[1].gpa, HIGH_GPA);
    assert_int_equal(snapshot.regions[1].size, HIGH_BYTES);
    CHECK_OK(topology_check(&snapshot, &vm.parts, NULL));
    snapshot.info.has_clock = true;
    assert_int_equal(topology_check(&snapshot, &vm.parts, NULL), VMR_E_CONFIG);
    snapshot.info.has_clock = false;
    snapshot.info.irqchip = VMR_IRQCHIP_KERNEL;
    assert_int_equal(topology_check(&snapshot, &vm.parts, NULL), VMR_E_CONFIG);
    writer_finish(&writer);
    free(snapshot.regions);
    vm_finish(&vm);
}

static void regions_that_are_none_are_refused(void **state)
{
    static const struct {
        uint64_t gpa, size;
        uint32_t flags, nothing;
    } rows[] = {
        {1, 0x1000, 0, 0},
        {0x1000, 0, 0, 0},
        {0x1000, 0x800, 0, 0},
        {UINT64_C(1) << 52, 0x1000, 0, 0},
        {(UINT64_C(1) << 52) - 0x1000, 0x2000, 0, 0},
        {UINT64_MAX - 0xfff, 0x1000, 0, 0},
        {0x1000, UINT64_MAX - 0xfff, 0, 0},
        {0x1000, 0x1000, 4, 0},
        {0x1000, 0x1000, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_snapshot snapshot = {0};
        uint8_t bytes[REGION];

        store_le64(bytes, rows[i].gpa);
        store_le64(bytes + 8, rows[i].size);
        store_le32(bytes + 16, rows[i].flags);
        store_le32(bytes + 20, rows[i].nothing);
        assert_int_equal(topology_decode_regions(&snapshot, bytes, sizeof(bytes)), VMR_E_CORRUPT);
        free(snapshot.regions);
    }
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
    struct vmr_snapshot snapshot = {0};
    uint8_t bytes[REGION + 1] = {0};

    (void)state;
    assert_int_equal(topology_decode_regions(&snapshot, bytes, REGION + 1), VMR_E_CORRUPT);
    store_le32(bytes, 1);
    assert_false(topology_decode_machine(&snapshot, bytes, 7));
    assert_false(topology_decode_machine(&snapshot, bytes, 9));
    assert_true(topology_decode_machine(&snapshot, bytes, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vm_s_own_topology_fits),
        cmocka_unit_test(regions_that_are_none_are_refused),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
