/* SPDX-License-Identifier: MIT */
/*
 * RAM as it was laid out, each piece made of what its node asks for.
 */

#include <inttypes.h>

#include "lib/base/checked.h"
#include "lib/config/rules.h"
#include "lib/machine/build.h"

static void backing_of(const struct vmr_memory_config *mem, struct vmr_memory_backing *ret_backing)
{
    *ret_backing = (struct vmr_memory_backing){
        .shared = !mem->private_memory,
        .prefetch = mem->prefetch_memory,
        .transparent_hugepages = mem->transparent_hugepages,
        .hugepages = mem->hugepages,
        .hugepage_size = mem->hugepage_size.given ? mem->hugepage_size.value : 0,
        .bind_host_node = mem->host_numa_node.given,
        .host_numa_node = mem->host_numa_node.value,
    };
}

static void check_piece(const struct vmr_resolved_ram *ram, const struct vmr_memory_backing *backing,
                        struct vmr_config_report *report)
{
    uint64_t page = backing->hugepage_size ? backing->hugepage_size : VMR_HUGEPAGE_SIZE_DEFAULT;
    struct config_path path = {.length = 0};

    if (!backing->hugepages || is_aligned(ram->range.end - ram->range.start, page))
        return;
    (void)path_key(&path, "numa");
    (void)path_key(&path, "nodes");
    (void)path_index(&path, ram->vnode);
    (void)path_key(&path, "mem");
    report_add(report, &rules_build[RULE_BUILD_BACKING], &path,
               "the piece %#" PRIx64 "-%#" PRIx64 " is no multiple of %#" PRIx64, ram->range.start, ram->range.end - 1,
               page);
}

enum vmr_status build_memory(const struct vmr_resolved *resolved, struct machine_plan *plan,
                             struct vmr_config_report *report)
{
    const struct vmr_resolved_memory *memory = &resolved->memory;
    struct vmr_machine_ram *ram = arena_alloc(&plan->arena, memory->ram_count, sizeof(*ram));
    struct vmr_memory_backing *backings = arena_alloc(&plan->arena, memory->ram_count, sizeof(*backings));

    if (!ram || !backings)
        return VMR_E_NOMEM;
    if (memory->ram_count == 0 || memory->ram[0].range.start != 0 ||
        memory->ram[0].range.end < VMR_MACHINE_MEMORY_GRANULE) {
        struct config_path path = {.length = 0};

        (void)path_key(&path, "numa");
        report_add(report, &rules_build[RULE_BUILD_RAM], &path, "RAM begins at %#" PRIx64 " with %#" PRIx64 " bytes",
                   memory->ram_count ? memory->ram[0].range.start : 0,
                   memory->ram_count ? memory->ram[0].range.end - memory->ram[0].range.start : 0);
    }
    for (size_t i = 0; i < memory->ram_count; i++) {
        const struct vmr_resolved_ram *piece = &memory->ram[i];

        backing_of(resolved->numa.nodes[piece->vnode].mem, &backings[i]);
        check_piece(piece, &backings[i], report);
        ram[i] = (struct vmr_machine_ram){
            .gpa = piece->range.start, .size = piece->range.end - piece->range.start, .backing = &backings[i]};
    }
    plan->options.ram = ram;
    plan->options.ram_count = memory->ram_count;
    return VMR_OK;
}
