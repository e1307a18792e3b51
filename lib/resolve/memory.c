/* SPDX-License-Identifier: MIT */
/*
 * The address space: what asks for a place, in an order that never changes, and
 * what became of each. A request added behind RAM moves no RAM; those of VTL 2
 * come last. [RES-1]
 */

#include "lib/resolve/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"
#include "lib/config/rules.h"

#define FOUR_GIB UINT64_C(0x100000000)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

/* What the architecture has below 4 GiB: APICs and firmware; GIC, UARTs and the ITS. */
#define ZONE_X86 UINT64_C(0xfe000000)
#define ZONE_ARM64 UINT64_C(0xef000000)

/* Linux without firmware keeps its MSI window of assigned devices there. */
#define LOW_GAP_ARM64 GIB

#define ECAM_BUS_SIZE MIB
#define ECAM_LOWEST (256 * MIB)
#define LOW_WINDOW_ALIGNMENT (2 * MIB)
#define HIGH_WINDOW_ALIGNMENT GIB
#define CHIPSET_ALIGNMENT (2 * MIB)
#define VTL2_RAM_ALIGNMENT (2 * MIB)
#define VIRTIO_MMIO_SIZE VMR_PAGE_SIZE

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
    uint64_t sum;

    return checked_add_u64(value, alignment - 1, &sum) ? sum & ~(alignment - 1) : 0;
}

/* --- requests --- */

static const char *text_of(struct requests *requests, const char *format, ...) VMR_PRINTF(2, 3);

/* A text in the arena; NULL, and remembered, when memory ends. */
static const char *text_of(struct requests *requests, const char *format, ...)
{
    char text[96];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);

    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(text))
        length = (int)strlen(text);
    char *copy = arena_text(&requests->resolving->arena, text, (size_t)length);

    requests->failed |= !copy;
    return copy;
}

static void add(struct requests *requests, const struct vmr_layout_request *request)
{
    if (request->size == 0)
        return;
    if (requests->count == requests->capacity) {
        requests->failed = true; /* the count was computed before: cannot be */
        return;
    }
    requests->items[requests->count++] = *request;
}

static void add_board(struct requests *requests)
{
    const struct vmr_config *config = requests->resolving->config;
    bool arm64 = config->arch == VMR_ARCH_ARM64;
    uint64_t zone = FOUR_GIB - (arm64 ? ZONE_ARM64 : ZONE_X86);
    uint64_t low = config->layout.chipset_low_mmio_size.given
                       ? config->layout.chipset_low_mmio_size.value
                       : (arm64 ? VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_ARM64 : VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_X86);
    uint64_t high = config->layout.chipset_high_mmio_size.given ? config->layout.chipset_high_mmio_size.value
                                                                : VMR_DEFAULT_CHIPSET_HIGH_MMIO_SIZE;

    low = round_up(low, VMR_PAGE_SIZE);
    low = low < zone ? zone : low;
    if (arm64 && config->load_mode.mode == VMR_LOAD_LINUX)
        add(requests,
            &(struct vmr_layout_request){
                .tag = "low-ram-gap", .path = "load_mode", .phase = VMR_LAYOUT_RESERVED, .size = LOW_GAP_ARM64});
    add(requests, &(struct vmr_layout_request){.tag = "chipset-low-mmio",
                                               .path = "layout.chipset_low_mmio_size",
                                               .phase = VMR_LAYOUT_FIXED,
                                               .size = low,
                                               .start = FOUR_GIB - low,
                                               .owner = PLACE(PLACE_CHIPSET_LOW, 0)});
    add(requests, &(struct vmr_layout_request){.tag = "chipset-high-mmio",
                                               .path = "layout.chipset_high_mmio_size",
                                               .phase = VMR_LAYOUT_MMIO64,
                                               .size = round_up(high, VMR_PAGE_SIZE),
                                               .alignment = CHIPSET_ALIGNMENT,
                                               .owner = PLACE(PLACE_CHIPSET_HIGH, 0)});
}

/* One for each segment, at its first complex: all its buses, from the lowest to the highest. */
static void add_ecams(struct requests *requests)
{
    const struct vmr_config *config = requests->resolving->config;

    for (uint32_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *first = &config->pcie_root_complexes[i];
        uint32_t lowest = first->start_bus, highest = first->end_bus;
        bool known = false;

        for (uint32_t k = 0; k < config->pcie_root_complex_count; k++) {
            const struct vmr_pcie_root_complex_config *other = &config->pcie_root_complexes[k];

            if (other->segment != first->segment)
                continue;
            known |= k < i;
            lowest = other->start_bus < lowest ? other->start_bus : lowest;
            highest = other->end_bus > highest ? other->end_bus : highest;
        }
        if (known)
            continue;
        add(requests, &(struct vmr_layout_request){.tag = text_of(requests, "ecam-segment%u", first->segment),
                                                   .path = "pcie_root_complexes",
                                                   .phase = config->layout.pcie_ecam_below_4gb ? VMR_LAYOUT_MMIO32
                                                                                               : VMR_LAYOUT_MMIO64,
                                                   .size = (highest - lowest + 1) * ECAM_BUS_SIZE,
                                                   .alignment = ECAM_BUS_SIZE,
                                                   .owner = PLACE(PLACE_ECAM, i)});
    }
}

static void add_window(struct requests *requests, uint32_t complex, bool is_low)
{
    const struct vmr_pcie_root_complex_config *config = &requests->resolving->config->pcie_root_complexes[complex];
    const struct vmr_pcie_mmio_config *window = is_low ? &config->low_mmio : &config->high_mmio;
    uint64_t alignment = is_low ? LOW_WINDOW_ALIGNMENT : HIGH_WINDOW_ALIGNMENT;
    uint64_t size = window->size ? window->size
                    : is_low     ? VMR_PCIE_DEFAULT_LOW_MMIO_SIZE
                                 : VMR_PCIE_DEFAULT_HIGH_MMIO_SIZE;
    struct vmr_layout_request request = {
        .tag = text_of(requests, "%.48s-%s-mmio", config->name, is_low ? "low" : "high"),
        .path = text_of(requests, "pcie_root_complexes[%" PRIu32 "].%s", complex, is_low ? "low_mmio" : "high_mmio"),
        .phase = is_low ? VMR_LAYOUT_MMIO32 : VMR_LAYOUT_MMIO64,
        .size = round_up(size, alignment),
        .alignment = alignment,
        .owner = PLACE(is_low ? PLACE_LOW_WINDOW : PLACE_HIGH_WINDOW, complex)};

    if (window->fixed) {
        request.phase = VMR_LAYOUT_FIXED;
        request.start = window->range.start;
        request.size = window->range.end - window->range.start;
    }
    add(requests, &request);
}

static void add_windows(struct requests *requests)
{
    const struct vmr_config *config = requests->resolving->config;

    for (uint32_t i = 0; i < config->pcie_root_complex_count; i++) {
        add_window(requests, i, true);
        add_window(requests, i, false);
    }
    for (uint32_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *complex = &config->pcie_root_complexes[i];

        if (!complex->cxl)
            continue;
        add(requests, &(struct vmr_layout_request){.tag = text_of(requests, "%.48s-hdm", complex->name),
                                                   .path = text_of(requests, "pcie_root_complexes[%" PRIu32 "].cxl", i),
                                                   .phase = VMR_LAYOUT_MMIO64,
                                                   .size = round_up(complex->cxl->hdm_size, VMR_CXL_ALIGNMENT),
                                                   .alignment = VMR_CXL_ALIGNMENT,
                                                   .owner = PLACE(PLACE_HDM, i)});
        add(requests, &(struct vmr_layout_request){.tag = text_of(requests, "%.48s-chbcr", complex->name),
                                                   .path = text_of(requests, "pcie_root_complexes[%" PRIu32 "].cxl", i),
                                                   .phase = VMR_LAYOUT_MMIO64,
                                                   .size = VMR_CXL_CHBCR_SIZE,
                                                   .alignment = VMR_CXL_CHBCR_SIZE,
                                                   .owner = PLACE(PLACE_CHBCR, i)});
    }
}

static uint64_t iommu_size(enum vmr_pcie_iommu kind)
{
    switch (kind) {
    case VMR_PCIE_IOMMU_SMMU:
        return 0x20000;
    case VMR_PCIE_IOMMU_AMD_VI:
        return 0x4000;
    case VMR_PCIE_IOMMU_INTEL_VTD:
        return 0x1000;
    case VMR_PCIE_IOMMU_NONE:
    case VMR_PCIE_IOMMU_COUNT:
        break;
    }
    return 0;
}

static void add_small(struct requests *requests)
{
    const struct vmr_resolved *machine = &requests->resolving->machine;

    add(requests, &(struct vmr_layout_request){.tag = "virtio-mmio",
                                               .path = "virtio_devices",
                                               .phase = VMR_LAYOUT_MMIO32,
                                               .size = (uint64_t)machine->virtio_mmio_count * VIRTIO_MMIO_SIZE,
                                               .alignment = VMR_PAGE_SIZE,
                                               .owner = PLACE(PLACE_VIRTIO, 0)});
    for (uint32_t i = 0; i < machine->pcie.iommu_count; i++) {
        const struct vmr_resolved_iommu *iommu = &machine->pcie.iommus[i];
        const char *name = requests->resolving->config->pcie_root_complexes[iommu->root_complex].name;

        add(requests, &(struct vmr_layout_request){
                          .tag = text_of(requests, "%.48s-iommu", name),
                          .path = text_of(requests, "pcie_root_complexes[%" PRIu32 "].iommu", iommu->root_complex),
                          .phase = VMR_LAYOUT_MMIO32,
                          .size = iommu_size(iommu->kind),
                          .alignment = iommu_size(iommu->kind),
                          .owner = PLACE(PLACE_IOMMU, i)});
    }
}

static void add_ram(struct requests *requests)
{
    const struct vmr_resolved_numa *numa = &requests->resolving->machine.numa;

    for (uint32_t i = 0; i < numa->node_count; i++) {
        uint64_t size = numa->nodes[i].mem ? numa->nodes[i].mem->mem_size : 0;

        add(requests, &(struct vmr_layout_request){.tag = text_of(requests, "ram%" PRIu32, i),
                                                   .path = text_of(requests, "numa.nodes[%" PRIu32 "].mem", i),
                                                   .phase = VMR_LAYOUT_RAM,
                                                   .size = size,
                                                   .alignment = size >= GIB ? GIB : 2 * MIB,
                                                   .owner = PLACE(PLACE_RAM, i)});
    }
}

static void add_vtl2(struct requests *requests)
{
    const struct vmr_config *config = requests->resolving->config;
    const struct vmr_load_igvm *igvm = &config->load_mode.igvm;
    uint64_t mmio = config->layout.vtl2_chipset_mmio_size.given ? config->layout.vtl2_chipset_mmio_size.value
                                                                : VMR_DEFAULT_VTL2_CHIPSET_MMIO_SIZE;

    if (!config->hypervisor.with_vtl2)
        return;
    add(requests, &(struct vmr_layout_request){.tag = "vtl2-chipset-mmio",
                                               .path = "layout.vtl2_chipset_mmio_size",
                                               .phase = VMR_LAYOUT_POST_MMIO,
                                               .size = round_up(mmio, VMR_PAGE_SIZE),
                                               .alignment = CHIPSET_ALIGNMENT,
                                               .owner = PLACE(PLACE_VTL2_CHIPSET, 0)});
    if (config->load_mode.mode == VMR_LOAD_IGVM && igvm->vtl2_base_address.kind == VMR_VTL2_BASE_MEMORY_LAYOUT)
        add(requests,
            &(struct vmr_layout_request){.tag = "vtl2-ram",
                                         .path = "load_mode.igvm.vtl2_base_address",
                                         .phase = VMR_LAYOUT_POST_MMIO,
                                         .size = round_up(igvm->vtl2_base_address.size.value, VTL2_RAM_ALIGNMENT),
                                         .alignment = VTL2_RAM_ALIGNMENT,
                                         .owner = PLACE(PLACE_VTL2_RAM, 0)});
    if (config->vtl2_gfx && config->framebuffer)
        add(requests, &(struct vmr_layout_request){.tag = "vtl2-framebuffer",
                                                   .path = "framebuffer",
                                                   .phase = VMR_LAYOUT_POST_MMIO,
                                                   .size = round_up(config->framebuffer->size, VMR_PAGE_SIZE),
                                                   .alignment = VMR_PAGE_SIZE,
                                                   .owner = PLACE(PLACE_VTL2_FRAMEBUFFER, 0)});
}

static bool make_requests(struct requests *requests)
{
    const struct vmr_config *config = requests->resolving->config;

    /* Board 3, a complex 5 with its segment's space and an IOMMU more, a node 1, virtio 1, VTL 2 three. */
    requests->capacity = 7 + 6 * config->pcie_root_complex_count + config->numa.node_count;
    requests->items = arena_alloc(&requests->resolving->arena, requests->capacity, sizeof(*requests->items));
    if (!requests->items)
        return false;
    add_board(requests);
    add_ecams(requests);
    add_windows(requests);
    add_small(requests);
    add_ram(requests);
    add_vtl2(requests);
    return !requests->failed;
}

/* --- what became of them --- */

static void take_ecam(struct resolving *resolving, uint32_t first, const struct vmr_gpa_range *range)
{
    uint16_t segment = resolving->config->pcie_root_complexes[first].segment;
    uint32_t lowest = UINT8_MAX;

    for (uint32_t i = 0; i < resolving->machine.pcie.root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *config = resolving->complexes[i].config;

        if (config->segment == segment && config->start_bus < lowest)
            lowest = config->start_bus;
    }
    for (uint32_t i = 0; i < resolving->machine.pcie.root_complex_count; i++) {
        struct vmr_resolved_root_complex *complex = &resolving->complexes[i];

        if (complex->config->segment != segment)
            continue;
        complex->ecam.start = range->start + (complex->config->start_bus - lowest) * ECAM_BUS_SIZE;
        complex->ecam.end =
            complex->ecam.start + (complex->config->end_bus - complex->config->start_bus + 1u) * ECAM_BUS_SIZE;
        if (range->start < ECAM_LOWEST) {
            report_add_text(resolving->report, &rules_address[RULE_ADDRESS_ECAM], "pcie_root_complexes",
                            "%.64s: its configuration space is at %#" PRIx64 ", below 256 MiB", complex->config->name,
                            complex->ecam.start);
            continue;
        }
        complex->ecam_base = range->start - lowest * ECAM_BUS_SIZE;
    }
}

static void take_virtio(struct resolving *resolving, const struct vmr_gpa_range *range)
{
    resolving->machine.memory.virtio_mmio = *range;
    for (uint32_t i = 0; i < resolving->machine.virtio_mmio_count; i++) {
        vmr_gpa start = range->start + (uint64_t)i * VIRTIO_MMIO_SIZE;

        resolving->virtio[i].range = (struct vmr_gpa_range){start, start + VIRTIO_MMIO_SIZE};
    }
}

/* One case each; what they do is a line. */
static void take_place(struct resolving *resolving, const struct vmr_placement *placement)
{
    struct vmr_resolved_memory *memory = &resolving->machine.memory;
    uint32_t index = placement->owner & PLACE_INDEX_MASK;

    switch ((enum place)(placement->owner >> PLACE_SHIFT)) {
    case PLACE_CHIPSET_LOW:
        memory->chipset_low_mmio = placement->range;
        break;
    case PLACE_CHIPSET_HIGH:
        memory->chipset_high_mmio = placement->range;
        break;
    case PLACE_ECAM:
        take_ecam(resolving, index, &placement->range);
        break;
    case PLACE_LOW_WINDOW:
        resolving->complexes[index].low_mmio = placement->range;
        break;
    case PLACE_HIGH_WINDOW:
        resolving->complexes[index].high_mmio = placement->range;
        break;
    case PLACE_HDM:
        resolving->complexes[index].cxl_hdm = placement->range;
        break;
    case PLACE_CHBCR:
        resolving->complexes[index].cxl_chbcr = placement->range;
        break;
    case PLACE_VIRTIO:
        take_virtio(resolving, &placement->range);
        break;
    case PLACE_IOMMU:
        resolving->iommus[index].mmio = placement->range;
        break;
    case PLACE_VTL2_CHIPSET:
        memory->vtl2_chipset_mmio = placement->range;
        break;
    case PLACE_VTL2_RAM:
        memory->vtl2_ram = placement->range;
        break;
    case PLACE_VTL2_FRAMEBUFFER:
        memory->vtl2_framebuffer = placement->range;
        break;
    case PLACE_RAM:
    case PLACE_NOBODY:
        break;
    }
}

static enum vmr_status take_ram(struct resolving *resolving)
{
    struct vmr_resolved_memory *memory = &resolving->machine.memory;
    struct vmr_resolved_ram *ram = arena_alloc(&resolving->arena, memory->placement_count, sizeof(*ram));

    if (!ram)
        return VMR_E_NOMEM;
    for (size_t i = 0; i < memory->placement_count; i++) {
        const struct vmr_placement *placement = &memory->placements[i];

        if (placement->phase != VMR_LAYOUT_RAM)
            continue;
        ram[memory->ram_count++] = (struct vmr_resolved_ram){placement->range, placement->owner & PLACE_INDEX_MASK};
        memory->ram_size += placement->range.end - placement->range.start;
    }
    memory->ram = ram;
    return VMR_OK;
}

static enum vmr_status take_all(struct resolving *resolving, const struct vmr_placement *placements, size_t count)
{
    struct vmr_resolved_memory *memory = &resolving->machine.memory;
    struct vmr_placement *kept = arena_alloc(&resolving->arena, count, sizeof(*kept));

    if (!kept)
        return VMR_E_NOMEM;
    if (count > 0)
        memcpy(kept, placements, count * sizeof(*kept));
    memory->placements = kept;
    memory->placement_count = count;
    memory->top = count > 0 ? kept[count - 1].range.end : 0;
    /* An empty range where there is none keeps its neighbours' numbers: the list of MMIO ranges is by position. */
    memory->chipset_high_mmio = (struct vmr_gpa_range){FOUR_GIB, FOUR_GIB};
    for (size_t i = 0; i < count; i++)
        take_place(resolving, &kept[i]);
    return take_ram(resolving);
}

static bool lacks_vtl2_size(struct resolving *resolving)
{
    const struct vmr_config *config = resolving->config;
    const struct vmr_load_igvm *igvm = &config->load_mode.igvm;

    if (config->load_mode.mode != VMR_LOAD_IGVM || igvm->vtl2_base_address.kind != VMR_VTL2_BASE_MEMORY_LAYOUT ||
        !config->hypervisor.with_vtl2 ||
        (igvm->vtl2_base_address.size.given && igvm->vtl2_base_address.size.value != 0))
        return false;
    report_add_text(resolving->report, &rules_address[RULE_ADDRESS_VTL2_RAM], "load_mode.igvm.vtl2_base_address",
                    "it has no size");
    return true;
}

enum vmr_status resolve_memory(struct resolving *resolving)
{
    struct requests requests = {.resolving = resolving};
    struct vmr_placement *placements = NULL;
    size_t count = 0, before = report_total(resolving->report);

    if (lacks_vtl2_size(resolving))
        return VMR_E_CONFIG;
    if (!make_requests(&requests))
        return VMR_E_NOMEM;
    enum vmr_status status = vmr_layout_place(requests.items, requests.count, &placements, &count, resolving->report);

    if (status == VMR_OK)
        status = take_all(resolving, placements, count);
    free(placements);
    if (status == VMR_OK && report_total(resolving->report) != before)
        return VMR_E_CONFIG;
    return status;
}
