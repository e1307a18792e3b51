/* SPDX-License-Identifier: MIT */
/*
 * Sizes of what is placed by itself, and whether all together can have
 * addresses at all. Whether it fits the holes is the layout's to say.
 */

#include "lib/config/check_pcie.h"

#include <inttypes.h>

#include "lib/base/checked.h"

#define RULE(name) &rules_layout[RULE_LAYOUT_##name]

#define LOW_MMIO_MAX (UINT32_C(3) << 30) /* leaves the first GiB to RAM and windows */
#define MMIO_UNIT (UINT64_C(2) << 20)
#define HIGH_UNIT (UINT64_C(1) << 30)
#define RTC_DELTA_MAX_MS (INT64_C(8000) * 366 * 24 * 3600 * 1000) /* the clock's years have four digits */

static bool is_too_large(uint64_t size)
{
    uint64_t rounded;

    return !round_up(size, MMIO_UNIT, &rounded) || rounded > ADDRESS_SPACE_SIZE;
}

static void check_sizes(struct check *check)
{
    const struct vmr_layout_config *layout = &check->config.layout;

    if (layout->chipset_low_mmio_size.given && layout->chipset_low_mmio_size.value > LOW_MMIO_MAX)
        FOUND(check, RULE(LOW_MMIO), at(check, "layout.chipset_low_mmio_size"), "%#" PRIx32 ", at most %#" PRIx32,
              layout->chipset_low_mmio_size.value, LOW_MMIO_MAX);
    if (layout->chipset_high_mmio_size.given && is_too_large(layout->chipset_high_mmio_size.value))
        FOUND(check, RULE(HIGH_MMIO), at(check, "layout.chipset_high_mmio_size"), "%#" PRIx64,
              layout->chipset_high_mmio_size.value);
    if (!layout->vtl2_chipset_mmio_size.given)
        return;
    if (is_too_large(layout->vtl2_chipset_mmio_size.value))
        FOUND(check, RULE(VTL2_MMIO), at(check, "layout.vtl2_chipset_mmio_size"), "%#" PRIx64,
              layout->vtl2_chipset_mmio_size.value);
    else if (layout->vtl2_chipset_mmio_size.value > 0 && !check->config.hypervisor.with_vtl2)
        FOUND(check, RULE(VTL2_MMIO_ALONE), at(check, "layout.vtl2_chipset_mmio_size"),
              "there is no hypervisor.with_vtl2");
}

/* --- the sum --- */

/* False once a part passes the address space by itself: that was said where it is. */
static bool add_part(uint64_t *sum, uint64_t size)
{
    return size <= ADDRESS_SPACE_SIZE && checked_add_u64(*sum, size, sum);
}

static bool add_memory(const struct vmr_numa_config *numa, uint64_t *sum)
{
    for (size_t i = 0; i < numa->node_count; i++) {
        if (numa->nodes[i].mem && !add_part(sum, numa->nodes[i].mem->mem_size))
            return false;
    }
    return *sum <= ADDRESS_SPACE_SIZE;
}

static bool add_window(const struct vmr_pcie_mmio_config *window, uint64_t *sum)
{
    uint64_t size = window->size ? window->size : VMR_PCIE_DEFAULT_HIGH_MMIO_SIZE;

    if (window->fixed)
        return window->range.start <= window->range.end && add_part(sum, window->range.end - window->range.start);
    return round_up(size, HIGH_UNIT, &size) && add_part(sum, size);
}

static bool add_complexes(const struct vmr_config *config, uint64_t *sum)
{
    for (size_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *complex = &config->pcie_root_complexes[i];

        if (!add_window(&complex->high_mmio, sum) || (complex->cxl && !add_part(sum, complex->cxl->hdm_size)))
            return false;
    }
    return true;
}

static bool add_chipset(const struct vmr_config *config, uint64_t *sum)
{
    const struct vmr_layout_config *layout = &config->layout;
    uint64_t high = layout->chipset_high_mmio_size.given ? layout->chipset_high_mmio_size.value
                                                         : VMR_DEFAULT_CHIPSET_HIGH_MMIO_SIZE;
    uint64_t vtl2 = layout->vtl2_chipset_mmio_size.given ? layout->vtl2_chipset_mmio_size.value
                                                         : VMR_DEFAULT_VTL2_CHIPSET_MMIO_SIZE;

    return add_part(sum, high) && (!config->hypervisor.with_vtl2 || add_part(sum, vtl2));
}

static void check_sum(struct check *check)
{
    uint64_t sum = 0;

    if (!add_memory(&check->config.numa, &sum) || !add_complexes(&check->config, &sum) ||
        !add_chipset(&check->config, &sum))
        return;
    if (sum > ADDRESS_SPACE_SIZE)
        FOUND(check, RULE(SUM), NULL, "memory and windows are %#" PRIx64 " bytes, at most 2^%u", sum,
              VMR_PHYSICAL_BITS_MAX);
}

void check_layout(struct check *check)
{
    const struct vmr_config *config = &check->config;
    int64_t delta = config->rtc_delta_milliseconds;

    check_sizes(check);
    if (delta > RTC_DELTA_MAX_MS || delta < -RTC_DELTA_MAX_MS)
        FOUND(check, RULE(RTC_DELTA), at(check, "rtc_delta_milliseconds"), "%" PRId64, delta);
    check_sum(check);
}
