/* SPDX-License-Identifier: MIT */
/*
 * Cases: sizes of what is placed by itself, and their sum.
 */

#include "tests/config/check_cases.h"

#define LAYOUT(...) .layout = {__VA_ARGS__}
#define LOW(size) .chipset_low_mmio_size = SET(size)
#define HIGH(size) .chipset_high_mmio_size = SET(size)
#define VTL2_MMIO(size) .vtl2_chipset_mmio_size = SET(size)
#define ALL (GIB << 22) /* 2^52 */
#define EIGHT_THOUSAND_YEARS (INT64_C(8000) * 366 * 24 * 3600 * 1000)
#define COMPLEX(...)                                                                                                   \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config, {.name = "rc0", __VA_ARGS__})

#define TWO_COMPLEXES(first, second)                                                                                   \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config,                                   \
         {.name = "rc0", .high_mmio = {.size = first}},                                                                \
         {.name = "rc1", .index = 1, .segment = 1, .high_mmio = {.size = second}})

const struct check_case cases_layout[] = {
    GOOD(LAYOUT(LOW(3 * GIB), HIGH(0))),
    BAD("LAYOUT-LOW-MMIO", "layout.chipset_low_mmio_size", LAYOUT(LOW(3 * GIB + 1))),
    BAD("LAYOUT-LOW-MMIO", "layout.chipset_low_mmio_size", LAYOUT(LOW(UINT32_MAX))),
    GOOD(LAYOUT(HIGH(ALL - GIB))),
    BAD("LAYOUT-HIGH-MMIO", "layout.chipset_high_mmio_size", LAYOUT(HIGH(ALL + 1))),
    BAD("LAYOUT-HIGH-MMIO", "layout.chipset_high_mmio_size", LAYOUT(HIGH(UINT64_MAX))),
    GOOD(VTL2, LAYOUT(VTL2_MMIO(GIB))),
    GOOD(LAYOUT(VTL2_MMIO(0))),
    BAD("LAYOUT-VTL2-MMIO", "layout.vtl2_chipset_mmio_size", VTL2, LAYOUT(VTL2_MMIO(ALL + 1))),
    BAD("LAYOUT-VTL2-MMIO", "layout.vtl2_chipset_mmio_size", LAYOUT(VTL2_MMIO(UINT64_MAX))),
    BAD("LAYOUT-VTL2-MMIO-ALONE", "layout.vtl2_chipset_mmio_size", LAYOUT(VTL2_MMIO(1))),

    GOOD(.rtc_delta_milliseconds = EIGHT_THOUSAND_YEARS),
    GOOD(.rtc_delta_milliseconds = -EIGHT_THOUSAND_YEARS),
    BAD("LAYOUT-RTC-DELTA", "rtc_delta_milliseconds", .rtc_delta_milliseconds = EIGHT_THOUSAND_YEARS + 1),
    BAD("LAYOUT-RTC-DELTA", "rtc_delta_milliseconds", .rtc_delta_milliseconds = -EIGHT_THOUSAND_YEARS - 1),
    BAD("LAYOUT-RTC-DELTA", "rtc_delta_milliseconds", .rtc_delta_milliseconds = INT64_MIN),

    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - GIB + 4 * KIB))),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - GIB - 512 * MIB)), COMPLEX(.high_mmio = {.size = GIB})),
    GOOD(LAYOUT(HIGH(ALL - 2 * GIB)), COMPLEX(.high_mmio = {.size = GIB})),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - 2 * GIB)), COMPLEX(.high_mmio = {.size = GIB + 1})),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - 2 * GIB)),
        COMPLEX(.cxl = OF(vmr_root_complex_cxl_config, .hdm_size = 256 * MIB))),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - GIB), VTL2_MMIO(2 * MIB)), VTL2),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - 2 * GIB)),
        COMPLEX(.high_mmio = {.fixed = true, .range = {16 * GIB, 17 * GIB + 4 * KIB}})),
    GOOD(LAYOUT(HIGH(ALL - 4 * GIB)), TWO_COMPLEXES(GIB, 2 * GIB)),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL - 4 * GIB)), TWO_COMPLEXES(GIB, 3 * GIB)),
    BAD("LAYOUT-SUM", "", LAYOUT(HIGH(ALL))),
    BAD_BARE("LAYOUT-SUM", "", NODES(NODE(ALL))),
    BAD_BARE("LAYOUT-SUM", "", NODES(NODE(ALL - 256 * MIB))),
    END,
};
