/* SPDX-License-Identifier: MIT */
/*
 * Places of ports: in order, around what was given, and what is wrong with them.
 */

#include "lib/config/devfn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define AUTO                                                                                                           \
    {                                                                                                                  \
        .name = "p"                                                                                                    \
    }
#define AT(place)                                                                                                      \
    {                                                                                                                  \
        .name = "p", .devfn = {.given = true, .value = place }                                                         \
    }
#define PORTS_MAX 6

static const struct {
    const char *name;
    struct devfn_bus bus;
    size_t count;
    struct vmr_pcie_port_config ports[PORTS_MAX];
    struct devfn_place places[PORTS_MAX];
} rows[] = {
    {"functions of device 0 first", {0}, 3, {AUTO, AUTO, AUTO}, {{0, DEVFN_OK, 0}, {1, DEVFN_OK, 0}, {2, DEVFN_OK, 0}}},
    {"around earlier ones",
     {0},
     5,
     {AT(1), AUTO, AUTO, AT(8), AUTO},
     {{1, DEVFN_OK, 0}, {0, DEVFN_OK, 0}, {2, DEVFN_OK, 0}, {8, DEVFN_OK, 0}, {3, DEVFN_OK, 0}}},
    {"taken automatically", {0}, 3, {AUTO, AUTO, AT(1)}, {{0, DEVFN_OK, 0}, {1, DEVFN_OK, 0}, {1, DEVFN_IN_USE, 1}}},
    {"a port that has no place takes none",
     {0},
     4,
     {AT(0), AT(0), AUTO, AT(0xff)},
     {{0, DEVFN_OK, 0}, {0, DEVFN_IN_USE, 0}, {1, DEVFN_OK, 0}, {0xff, DEVFN_FUNCTION_ZERO_MISSING, 0}}},
    {"function 0 missing once for each device",
     {0},
     5,
     {AT(9), AT(10), AT(17), AT(24), AT(25)},
     {{9, DEVFN_FUNCTION_ZERO_MISSING, 0},
      {10, DEVFN_OK, 0},
      {17, DEVFN_FUNCTION_ZERO_MISSING, 0},
      {24, DEVFN_OK, 0},
      {25, DEVFN_OK, 0}}},
    {"from device 1 on", {.first_device = 1}, 2, {AUTO, AT(7)}, {{8, DEVFN_OK, 0}, {7, DEVFN_RESERVED, 0}}},
    {"a reserved device is not avoided",
     {.reserved_devices = 2},
     6,
     {AT(0), AT(1), AT(8), AT(15), AT(16), AUTO},
     {{0, DEVFN_OK, 0},
      {1, DEVFN_OK, 0},
      {8, DEVFN_RESERVED, 0},
      {15, DEVFN_RESERVED, 0},
      {16, DEVFN_OK, 0},
      {2, DEVFN_OK, 0}}},
};

static void ports_have_these_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct devfn_place places[PORTS_MAX];

        devfn_assign(&rows[i].bus, rows[i].ports, rows[i].count, places);
        for (size_t j = 0; j < rows[i].count; j++) {
            const struct devfn_place *got = &places[j], *want = &rows[i].places[j];

            if (got->devfn != want->devfn || got->problem != want->problem || got->other != want->other)
                fail_msg("%s: port %zu: %#x, problem %d, other %u", rows[i].name, j, got->devfn, (int)got->problem,
                         got->other);
        }
    }
}

static void a_full_bus_has_all_places(void **state)
{
    static const struct vmr_pcie_port_config ports[DEVFN_COUNT];
    static const struct devfn_bus whole = {0}, behind_first = {.first_device = 1};
    struct devfn_place places[DEVFN_COUNT];

    (void)state;
    assert_int_equal(devfn_capacity(&whole), 256);
    assert_int_equal(devfn_capacity(&behind_first), 248);
    devfn_assign(&whole, ports, 256, places);
    assert_int_equal(places[255].devfn, 255);
    devfn_assign(&behind_first, ports, 248, places);
    assert_int_equal(places[0].devfn, 8);
    assert_int_equal(places[247].devfn, 255);
}

static void check_root(enum vmr_pcie_iommu iommu, uint16_t segment, uint8_t bus, struct devfn_bus want)
{
    const struct vmr_pcie_root_complex_config complex = {.iommu = iommu, .segment = segment, .start_bus = bus};
    struct devfn_bus got = devfn_root_bus(&complex);

    assert_int_equal(got.first_device, want.first_device);
    assert_int_equal(got.reserved_devices, want.reserved_devices);
}

static void an_iommu_reserves_devices(void **state)
{
    const uint32_t ioapic = UINT32_C(1) << 20;

    (void)state;
    check_root(VMR_PCIE_IOMMU_NONE, 0, 0, (struct devfn_bus){0});
    check_root(VMR_PCIE_IOMMU_SMMU, 0, 0, (struct devfn_bus){0});
    check_root(VMR_PCIE_IOMMU_AMD_VI, 0, 0, (struct devfn_bus){1, ioapic});
    check_root(VMR_PCIE_IOMMU_INTEL_VTD, 0, 0, (struct devfn_bus){0, ioapic});
    check_root(VMR_PCIE_IOMMU_AMD_VI, 1, 0, (struct devfn_bus){1, 0});
    check_root(VMR_PCIE_IOMMU_INTEL_VTD, 0, 1, (struct devfn_bus){0, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_have_these_places),
        cmocka_unit_test(a_full_bus_has_all_places),
        cmocka_unit_test(an_iommu_reserves_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
