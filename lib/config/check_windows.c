/* SPDX-License-Identifier: MIT */
/*
 * Windows of root complexes: those that have a place must not be where
 * something else is bound to be; those that the layout places must have a size
 * that it can round.
 */

#include "lib/config/check_pcie.h"

#include <inttypes.h>

#include "lib/base/checked.h"

#define RULE(name) &rules_pcie[RULE_PCIE_##name]

#define FOUR_GIB (UINT64_C(1) << 32)
#define LOW_UNIT (UINT64_C(2) << 20)
#define HIGH_UNIT (UINT64_C(1) << 30)
#define X86_LOW_MEMORY (UINT64_C(1) << 20) /* where every x86-64 boots */
#define LOW_RAM_GAP (UINT64_C(1) << 30)

static const struct vmr_pcie_mmio_config *window_of(const struct check *check, size_t index)
{
    const struct vmr_pcie_root_complex_config *complex = &check->config.pcie_root_complexes[index / 2];

    return index % 2 == 0 ? &complex->low_mmio : &complex->high_mmio;
}

static const struct config_path *place_of(struct check *check, size_t index)
{
    return at(check, "pcie_root_complexes[%zu].%s", index / 2, index % 2 == 0 ? "low_mmio" : "high_mmio");
}

static bool is_range(const struct vmr_gpa_range *range)
{
    return range->start < range->end;
}

static bool shares(const struct vmr_gpa_range *a, const struct vmr_gpa_range *b)
{
    return a->start < b->end && b->start < a->end;
}

/* Where the machine itself has something, whatever else is configured. NULL: nowhere. */
static const char *taken_by(const struct check *check, const struct vmr_gpa_range *range)
{
    const struct vmr_gpa_range chipset = check_chipset_low_mmio(check);
    bool has_gap = is_arm64(check) && check->config.load_mode.mode == VMR_LOAD_LINUX;

    if (shares(range, &chipset))
        return "the chipset's addresses";
    if (is_x86(check) && range->start < X86_LOW_MEMORY)
        return "the first MiB, which is RAM";
    return has_gap && range->start < LOW_RAM_GAP ? "the first GiB, which is kept free" : NULL;
}

/* Windows are few: pairs. Low and high alternate in `index`. */
static void check_overlap(struct check *check, size_t index)
{
    const struct vmr_pcie_mmio_config *window = window_of(check, index);

    for (size_t i = 0; i < index; i++) {
        const struct vmr_pcie_mmio_config *other = window_of(check, i);

        if (!other->fixed || !is_range(&other->range) || !shares(&window->range, &other->range))
            continue;
        FOUND(check, RULE(WINDOW_OVERLAP), place_of(check, index),
              "%#" PRIx64 "-%#" PRIx64 " shares addresses with %s of pcie_root_complexes[%zu]", window->range.start,
              window->range.end - 1, i % 2 == 0 ? "low_mmio" : "high_mmio", i / 2);
        return;
    }
}

static void check_fixed(struct check *check, size_t index)
{
    const struct vmr_gpa_range *range = &window_of(check, index)->range;
    const struct config_path *place = place_of(check, index);

    if (!is_range(range)) {
        FOUND(check, RULE(WINDOW_EMPTY), place, "from %#" PRIx64 " up to, without, %#" PRIx64, range->start,
              range->end);
        return;
    }
    if (!is_multiple(range->start | range->end, VMR_PAGE_SIZE))
        FOUND(check, RULE(WINDOW_PAGE), place, "%#" PRIx64 "-%#" PRIx64, range->start, range->end - 1);
    if (index % 2 == 0 && range->end > FOUR_GIB)
        FOUND(check, RULE(LOW_WINDOW_HIGH), place, "ends at %#" PRIx64, range->end - 1);
    else if (range->end > ADDRESS_SPACE_SIZE)
        FOUND(check, RULE(WINDOW_WIDTH), place, "ends at %#" PRIx64, range->end - 1);
    else if (taken_by(check, range))
        FOUND(check, RULE(WINDOW_TAKEN), place, "%#" PRIx64 "-%#" PRIx64 " shares addresses with %s", range->start,
              range->end - 1, taken_by(check, range));
    check_overlap(check, index);
}

static void check_dynamic(struct check *check, size_t index)
{
    bool is_low = index % 2 == 0;
    uint64_t size = window_of(check, index)->size, rounded;

    if (size == 0)
        size = is_low ? VMR_PCIE_DEFAULT_LOW_MMIO_SIZE : VMR_PCIE_DEFAULT_HIGH_MMIO_SIZE;
    if (is_low && (!round_up(size, LOW_UNIT, &rounded) || rounded >= FOUR_GIB))
        FOUND(check, RULE(LOW_WINDOW_SIZE), place_of(check, index), "%#" PRIx64 " bytes", size);
    if (!is_low && (!round_up(size, HIGH_UNIT, &rounded) || rounded > ADDRESS_SPACE_SIZE))
        FOUND(check, RULE(HIGH_WINDOW_SIZE), place_of(check, index), "%#" PRIx64 " bytes", size);
}

static uint64_t cxl_ports(const struct vmr_pcie_root_complex_config *complex)
{
    uint64_t count = 0;

    for (size_t i = 0; list_is_usable(complex->ports, complex->port_count) && i < complex->port_count; i++)
        count += complex->ports[i].cxl;
    return count;
}

/* Component registers of CXL ports are BARs in the high window. One that the layout places has room for all of a bus.
 */
static void check_cxl_room(struct check *check, size_t complex, uint64_t size)
{
    uint64_t count = cxl_ports(&check->config.pcie_root_complexes[complex]);

    if (size < count * VMR_CXL_COMPONENT_REGISTERS_SIZE)
        FOUND(check, RULE(CXL_WINDOW), at(check, "pcie_root_complexes[%zu].high_mmio", complex),
              "%#" PRIx64 " bytes, and %" PRIu64 " CXL ports need %#" PRIx64, size, count,
              count * VMR_CXL_COMPONENT_REGISTERS_SIZE);
}

void check_windows(struct check *check, size_t complex)
{
    const struct vmr_pcie_mmio_config *high = &check->config.pcie_root_complexes[complex].high_mmio;

    for (size_t i = complex * 2; i < complex * 2 + 2; i++) {
        if (window_of(check, i)->fixed)
            check_fixed(check, i);
        else
            check_dynamic(check, i);
    }
    if (high->fixed && is_range(&high->range))
        check_cxl_room(check, complex, high->range.end - high->range.start);
}
