/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller of arm64: its numbers, and where its frames lie.
 * They lie in what the layout keeps free for the chipset, or it would put RAM
 * there.
 */

#include "lib/config/check.h"

#include <inttypes.h>

#include "lib/base/checked.h"

#define RULE(name) &rules_processor[RULE_CPU_##name]
#define GIC "processor_topology.arm64.gic_config"

#define GIC_V3_FRAME UINT64_C(0x10000)
#define GIC_V2_DISTRIBUTOR_SIZE UINT64_C(0x1000)
#define GIC_V2_CPU_INTERFACE_SIZE UINT64_C(0x2000)
#define LOW_RAM_GAP (UINT64_C(1) << 30) /* where RAM begins when Linux is loaded directly */

/* --- numbers --- */

static void check_pmu(struct check *check, const struct vmr_arm64_topology_config *arm64, uint32_t timer)
{
    const struct config_path *place = at(check, "processor_topology.arm64.pmu_gsiv.gsiv");
    uint32_t number = arm64->pmu_gsiv.gsiv;

    if (arm64->pmu_gsiv.kind != VMR_PMU_GSIV_GIVEN)
        return;
    if (number == timer || number == VMR_DEFAULT_VMBUS_PPI)
        FOUND(check, RULE(PMU_CLASH), place, "%" PRIu32 " is the interrupt of %s", number,
              number == timer ? "the virtual timer" : "VMBus");
}

static void check_numbers(struct check *check, const struct vmr_arm64_topology_config *arm64)
{
    uint32_t timer = arm64->virt_timer_ppi.given ? arm64->virt_timer_ppi.value : VMR_DEFAULT_VIRT_TIMER_PPI;

    check_pmu(check, arm64, timer);
    if (arm64->gic_msi.kind == VMR_GIC_MSI_ITS && arm64->gic_config.version == VMR_GIC_V2)
        FOUND(check, RULE(ITS_V2), at(check, "processor_topology.arm64.gic_msi"), "its with a GICv2");
    if (arm64->gic_msi.kind == VMR_GIC_MSI_V2M && arm64->gic_msi.spi_count.given && arm64->gic_msi.spi_count.value == 0)
        FOUND(check, RULE(V2M_NONE), at(check, "processor_topology.arm64.gic_msi.v2m.spi_count"),
              "a frame of 0 interrupts");
    if (timer == VMR_DEFAULT_VMBUS_PPI)
        FOUND(check, RULE(TIMER_CLASH), at(check, "processor_topology.arm64.virt_timer_ppi"),
              "%" PRIu32 " is the interrupt of VMBus", timer);
}

/* --- frames --- */

struct frame {
    const char *name;
    const char *key; /* in the configuration; NULL: it has its place by itself */
    vmr_gpa base;
    uint64_t size;
    uint64_t alignment;
    bool usable; /* is there, and nothing was found about it alone */
};

#define FRAME_MAX 6

static vmr_gpa base_of(const struct vmr_optional_u64 *given, vmr_gpa otherwise)
{
    return given->given ? given->value : otherwise;
}

/* Two that the configuration places, and what lies where it always does. Six rows, which make it long. */
static size_t list_frames(const struct check *check, const struct vmr_arm64_topology_config *arm64,
                          struct frame *ret_frames)
{
    const struct vmr_gic_config *gic = &arm64->gic_config;
    bool is_v2 = gic->version == VMR_GIC_V2;
    bool has_its = !is_v2 && arm64->gic_msi.kind != VMR_GIC_MSI_V2M, has_v2m = arm64->gic_msi.kind != VMR_GIC_MSI_ITS;
    const struct frame frames[FRAME_MAX] = {
        {"the distributor", "gic_distributor_base",
         base_of(&gic->gic_distributor_base, VMR_DEFAULT_GIC_DISTRIBUTOR_BASE),
         is_v2 ? GIC_V2_DISTRIBUTOR_SIZE : GIC_V3_FRAME, is_v2 ? VMR_PAGE_SIZE : GIC_V3_FRAME, true},
        is_v2 ? (struct frame){"the CPU interface", "cpu_interface_base",
                               base_of(&gic->cpu_interface_base, VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX),
                               GIC_V2_CPU_INTERFACE_SIZE, VMR_PAGE_SIZE, true}
              : (struct frame){"the redistributors", "gic_redistributors_base",
                               base_of(&gic->gic_redistributors_base, VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX),
                               VMR_GIC_REDISTRIBUTOR_SIZE * check_vp_count(check), GIC_V3_FRAME, true},
        {"the v2m frame", NULL, VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE, VMR_GIC_V2M_MSI_FRAME_SIZE, 1, has_v2m},
        {"the ITS", NULL, VMR_DEFAULT_GIC_ITS_BASE, VMR_GIC_ITS_SIZE, 1, has_its},
        {"the first serial port", NULL, VMR_DEFAULT_PL011_BASE_0, VMR_PL011_SIZE, 1, true},
        {"the second serial port", NULL, VMR_DEFAULT_PL011_BASE_1, VMR_PL011_SIZE, 1, true},
    };

    for (size_t i = 0; i < FRAME_MAX; i++)
        ret_frames[i] = frames[i];
    return FRAME_MAX;
}

static bool lies_where_no_ram_is(const struct check *check, const struct frame *frame)
{
    struct vmr_gpa_range chipset = check_chipset_low_mmio(check);

    if (range_contains(chipset.start, chipset.end - chipset.start, frame->base, frame->size))
        return true;
    return check->config.load_mode.mode == VMR_LOAD_LINUX && range_contains(0, LOW_RAM_GAP, frame->base, frame->size);
}

static void check_frame(struct check *check, struct frame *frame)
{
    const struct config_path *place = frame->key ? at(check, GIC ".%s", frame->key) : NULL;

    if (!frame->key)
        return;
    frame->usable = false;
    if (!is_multiple(frame->base, frame->alignment))
        FOUND(check, RULE(GIC_ALIGNMENT), place, "%s at %#" PRIx64 ", no multiple of %#" PRIx64, frame->name,
              frame->base, frame->alignment);
    else if (!lies_where_no_ram_is(check, frame))
        FOUND(check, RULE(GIC_OUTSIDE), place, "%s, %#" PRIx64 " bytes at %#" PRIx64, frame->name, frame->size,
              frame->base);
    else
        frame->usable = true;
}

/* Of two that overlap, the one that the configuration placed is named; the later, if it placed both. */
static void check_overlap(struct check *check, const struct frame *a, const struct frame *b)
{
    const struct frame *named = b->key ? b : a, *other = b->key ? a : b;

    if (!a->usable || !b->usable || !range_overlaps(a->base, a->size, b->base, b->size))
        return;
    FOUND(check, RULE(GIC_OVERLAP), at(check, GIC ".%s", named->key),
          "%s at %#" PRIx64 " shares addresses with %s at %#" PRIx64, named->name, named->base, other->name,
          other->base);
}

static void check_frames(struct check *check, const struct vmr_arm64_topology_config *arm64)
{
    struct frame frames[FRAME_MAX];
    size_t count = list_frames(check, arm64, frames);

    for (size_t i = 0; i < count; i++) {
        check_frame(check, &frames[i]);
        for (size_t j = 0; frames[i].key && j < i; j++)
            check_overlap(check, &frames[j], &frames[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; !frames[i].key && j < i; j++) {
            if (frames[j].key)
                check_overlap(check, &frames[j], &frames[i]);
        }
    }
}

static void check_version(struct check *check, const struct vmr_gic_config *gic)
{
    bool is_v2 = gic->version == VMR_GIC_V2;

    if (is_v2 && gic->gic_redistributors_base.given)
        FOUND(check, RULE(GIC_REDISTRIBUTORS), at(check, GIC ".gic_redistributors_base"), "given for a GICv2");
    if (!is_v2 && gic->cpu_interface_base.given)
        FOUND(check, RULE(GIC_CPU_INTERFACE), at(check, GIC ".cpu_interface_base"), "given for a GICv3");
    if (is_v2 && check->config.load_mode.mode == VMR_LOAD_UEFI)
        FOUND(check, RULE(GIC_V2_UEFI), at(check, GIC), "a GICv2, and load_mode is uefi");
}

void check_gic(struct check *check)
{
    const struct vmr_arm64_topology_config *arm64 = check->config.processor_topology.arm64;

    check_version(check, &arm64->gic_config);
    if (check->vps_known)
        check_frames(check, arm64);
    check_numbers(check, arm64);
}
