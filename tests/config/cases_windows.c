/* SPDX-License-Identifier: MIT */
/*
 * Cases: windows of root complexes.
 */

#include "tests/config/check_cases.h"

#define COMPLEXES(...) LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config, __VA_ARGS__)
#define ONE(...) COMPLEXES({.name = "rc0", __VA_ARGS__})
#define FIRST .name = "rc0", .end_bus = 127
#define SECOND .name = "rc1", .index = 1, .start_bus = 128, .end_bus = 255
#define LOW(first, behind) .low_mmio = {.fixed = true, .range = {first, behind}}
#define HIGH(first, behind) .high_mmio = {.fixed = true, .range = {first, behind}}
#define SIZED_LOW(bytes) .low_mmio = {.size = bytes}
#define SIZED_HIGH(bytes) .high_mmio = {.size = bytes}
#define ALL_ADDRESSES (GIB << 22) /* 2^52 */
#define RC "pcie_root_complexes"

const struct check_case cases_windows[] = {
    GOOD(ONE(LOW(0xe0000000, 0xe4000000), HIGH(16 * GIB, 17 * GIB))),
    BAD("PCIE-WINDOW-EMPTY", RC "[0].low_mmio", ONE(LOW(0xe0000000, 0xe0000000))),
    BAD("PCIE-WINDOW-EMPTY", RC "[0].high_mmio", ONE(HIGH(17 * GIB, 16 * GIB))),
    BAD("PCIE-WINDOW-PAGE", RC "[0].low_mmio", ONE(LOW(0xe0000800, 0xe4000000))),
    BAD("PCIE-WINDOW-PAGE", RC "[0].high_mmio", ONE(HIGH(16 * GIB, 17 * GIB + 1))),
    GOOD(ONE(HIGH(0xe0000000, 0xe4000000))),
    /* The chipset has 128 MiB: from 0xf8000000. */
    GOOD(ONE(LOW(0xe0000000, 0xf8000000))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ONE(LOW(0xe0000000, 0xf8001000))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ONE(LOW(0xfffff000, 0x100000000))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].high_mmio", ONE(HIGH(0xff000000, 0x200000000))),
    GOOD(ONE(LOW(0xf8000000, 0xfe000000)), .layout = {.chipset_low_mmio_size = SET(0)}),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ONE(LOW(0xf8000000, 0xfe001000)),
        .layout = {.chipset_low_mmio_size = SET(0)}),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ONE(LOW(0xe0000000, 0xf0000000)),
        .layout = {.chipset_low_mmio_size = SET(0x10000001)}),
    GOOD(ONE(LOW(MIB, 2 * MIB))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ONE(LOW(MIB - 4 * KIB, 2 * MIB))),
    GOOD(ARM64, ONE(LOW(0, MIB))),
    GOOD(ARM64, LINUX(), ONE(LOW(GIB, 2 * GIB))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ARM64, LINUX(), ONE(LOW(GIB - 4 * KIB, 2 * GIB))),
    BAD("PCIE-WINDOW-TAKEN", RC "[0].low_mmio", ARM64, ONE(LOW(0xd0000000, 0xe0001000))),
    GOOD(ARM64, ONE(LOW(0xd0000000, 0xe0000000))),
    BAD("PCIE-LOW-WINDOW-HIGH", RC "[0].low_mmio", ONE(LOW(0xe0000000, 0x100001000))),
    BAD("PCIE-LOW-WINDOW-HIGH", RC "[0].low_mmio", ONE(LOW(16 * GIB, 17 * GIB))),
    GOOD(ONE(HIGH(ALL_ADDRESSES - GIB, ALL_ADDRESSES))),
    BAD("PCIE-WINDOW-WIDTH", RC "[0].high_mmio", ONE(HIGH(ALL_ADDRESSES - GIB, ALL_ADDRESSES + 4 * KIB))),
    BAD("PCIE-WINDOW-WIDTH", RC "[0].high_mmio", ONE(HIGH(16 * GIB, UINT64_C(0xfffffffffffff000)))),

    GOOD(ONE(LOW(0xe0000000, 0xe4000000), HIGH(0xe4000000, 0xe8000000))),
    BAD("PCIE-WINDOW-OVERLAP", RC "[0].high_mmio", ONE(LOW(0xe0000000, 0xe4001000), HIGH(0xe4000000, 0xe8000000))),
    BAD("PCIE-WINDOW-OVERLAP", RC "[1].low_mmio",
        COMPLEXES({FIRST, LOW(0xe0000000, 0xe4000000)}, {SECOND, LOW(0xd0000000, 0xe0001000)})),
    BAD("PCIE-WINDOW-OVERLAP", RC "[1].high_mmio",
        COMPLEXES({FIRST, HIGH(16 * GIB, 32 * GIB)}, {SECOND, HIGH(20 * GIB, 21 * GIB)})),
    BAD("PCIE-WINDOW-OVERLAP", RC "[1].high_mmio",
        COMPLEXES({FIRST, HIGH(16 * GIB, 32 * GIB)},
                  {SECOND, LOW(0xe0000000, 0xe4000000), HIGH(0xe3000000, 0xe8000000)})),
    GOOD(COMPLEXES({FIRST, LOW(0xe0000000, 0xe4000000)}, {SECOND, LOW(0xdc000000, 0xe0000000)})),

    GOOD(ONE(SIZED_LOW(GIB), SIZED_HIGH(1))),
    GOOD(ONE(SIZED_LOW(0xffe00000))),
    BAD("PCIE-LOW-WINDOW-SIZE", RC "[0].low_mmio", ONE(SIZED_LOW(5 * GIB))),
    BAD("LAYOUT-SUM", "", ONE(SIZED_HIGH(ALL_ADDRESSES))),
    GOOD(ONE(.low_mmio = {.range = {0xe0000000, 0xe4000000}}, HIGH(0xe0000000, 0xe4000000))),
    GOOD(ONE(.high_mmio = {.range = {0xe0000000, 0xe0001000}}, .cxl = OF(vmr_root_complex_cxl_config, .hdm_size = GIB),
             LIST(ports, port_count, vmr_pcie_port_config, {.name = "p0", .cxl = true}))),
    BAD("PCIE-LOW-WINDOW-SIZE", RC "[0].low_mmio", ONE(SIZED_LOW(0xffe00001))),
    BAD("PCIE-LOW-WINDOW-SIZE", RC "[0].low_mmio", ONE(SIZED_LOW(UINT64_MAX))),
    BAD("PCIE-HIGH-WINDOW-SIZE", RC "[0].high_mmio", ONE(SIZED_HIGH(ALL_ADDRESSES + 1))),
    BAD("PCIE-HIGH-WINDOW-SIZE", RC "[0].high_mmio", ONE(SIZED_HIGH(UINT64_MAX))),
    BAD("PCIE-HIGH-WINDOW-SIZE", RC "[0].high_mmio", ONE(SIZED_HIGH(UINT64_MAX - GIB + 2))),
    END,
};
