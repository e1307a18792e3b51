/* SPDX-License-Identifier: MIT */
/* Guest memory that is somewhere else than it should be, and logs that forget. */

#include <stdlib.h>

#include "conformance/zoo/zoo.h"

/* --- regions --- */

/* RAM it stays, though its bytes go: others are put there, and left behind, for the judge's process ends with it. */
static void unmap_to_dummy(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region)
{
    const struct vmr_backend *base = zoo_vm(vm)->base;
    struct vmr_memory_region rest = *region;

    base->vm_unmap(vm, slot, region);
    rest.host = aligned_alloc(VMR_PAGE_SIZE, rest.size);
    if (rest.host && base->vm_map(vm, slot, &rest, NULL) == VMR_OK)
        zoo_vm(vm)->words[0] |= UINT64_C(1) << slot % 64;
}

static enum vmr_status map_anew(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                struct vmr_error *err)
{
    const uint64_t bit = UINT64_C(1) << slot % 64;

    if (zoo_vm(vm)->words[0] & bit)
        zoo_vm(vm)->base->vm_unmap(vm, slot, region);
    zoo_vm(vm)->words[0] &= ~bit;
    return zoo_vm(vm)->base->vm_map(vm, slot, region, err);
}

static void make_unmap_forgotten(struct vmr_backend *table)
{
    table->vm_unmap = unmap_to_dummy;
    table->vm_map = map_anew;
}

static enum vmr_status map_writable(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                    struct vmr_error *err)
{
    struct vmr_memory_region writable = *region;

    writable.read_only = false;
    return zoo_vm(vm)->base->vm_map(vm, slot, &writable, err);
}

static void make_rom_is_writable(struct vmr_backend *table)
{
    table->vm_map = map_writable;
}

static enum vmr_status map_short(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                 struct vmr_error *err)
{
    struct vmr_memory_region shorter = *region;

    if (shorter.size > VMR_PAGE_SIZE)
        shorter.size -= VMR_PAGE_SIZE;
    return zoo_vm(vm)->base->vm_map(vm, slot, &shorter, err);
}

static void make_last_page_missing(struct vmr_backend *table)
{
    table->vm_map = map_short;
}

static enum vmr_status map_first(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                 struct vmr_error *err)
{
    return slot > 1 ? VMR_OK : zoo_vm(vm)->base->vm_map(vm, slot, region, err);
}

static void unmap_first(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region)
{
    if (slot <= 1)
        zoo_vm(vm)->base->vm_unmap(vm, slot, region);
}

static void make_two_slots_only(struct vmr_backend *table)
{
    table->vm_map = map_first;
    table->vm_unmap = unmap_first;
}

/* --- the dirty log --- */

static enum vmr_status take_nothing(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                    struct vmr_error *err)
{
    (void)vm;
    (void)query;
    (void)err;
    return VMR_OK;
}

static void make_log_is_empty(struct vmr_backend *table)
{
    table->vm_dirty_take = take_nothing;
}

struct sieve {
    const struct vmr_dirty_query *query;
    uint64_t above; /* pages from here on are not told */
    uint64_t shift; /* and those that are, so much higher */
};

static void tell_sieved(void *context, vmr_gpa gpa, uint64_t pages)
{
    const struct sieve *sieve = context;

    if (gpa < sieve->above)
        sieve->query->found(sieve->query->context, gpa + sieve->shift, pages);
}

static enum vmr_status take_sieved(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                   struct vmr_error *err, uint64_t above, uint64_t shift)
{
    struct sieve sieve = {.query = query, .above = above, .shift = shift};
    struct vmr_dirty_query inner = *query;

    inner.found = tell_sieved;
    inner.context = &sieve;
    return zoo_vm(vm)->base->vm_dirty_take(vm, &inner, err);
}

#define SECOND_SLOT UINT64_C(0x100000)

static enum vmr_status take_first_slot(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                       struct vmr_error *err)
{
    return take_sieved(vm, query, err, SECOND_SLOT, 0);
}

static void make_second_slot_not_logged(struct vmr_backend *table)
{
    table->vm_dirty_take = take_first_slot;
}

/* What was written in the first look at the log is gone. */
static enum vmr_status take_second(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                   struct vmr_error *err)
{
    return take_sieved(vm, query, err, zoo_vm(vm)->words[0]++ == 0 ? 0 : UINT64_MAX, 0);
}

static void make_first_take_lost(struct vmr_backend *table)
{
    table->vm_dirty_take = take_second;
}

static enum vmr_status log_never(struct vmr_backend_vm *vm, bool on, struct vmr_error *err)
{
    (void)vm;
    (void)on;
    (void)err;
    return VMR_OK;
}

static void make_log_never_on(struct vmr_backend *table)
{
    table->vm_dirty_log = log_never;
    table->vm_dirty_take = take_nothing;
}

/* --- VTLs --- */

static enum vmr_status protect_nothing(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size,
                                       uint8_t access)
{
    (void)vm;
    (void)vtl;
    (void)gpa;
    (void)size;
    (void)access;
    return VMR_OK;
}

static void make_protection_ignored(struct vmr_backend *table)
{
    table->vm_protect = protect_nothing;
}

static enum vmr_status protect_first_page(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size,
                                          uint8_t access)
{
    return zoo_vm(vm)->base->vm_protect(vm, vtl, gpa, size > VMR_PAGE_SIZE ? VMR_PAGE_SIZE : size, access);
}

static void make_protects_one_page(struct vmr_backend *table)
{
    table->vm_protect = protect_first_page;
}

#define ANIMAL(function, clause_, filter_, defect_, origin_, kvm)                                                      \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .on_kvm = (kvm)                                                                           \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(unmap_forgotten, "MEM-4", "memory/*", "a region that was removed stays", NULL, false),
    ANIMAL(rom_is_writable, "MEM-5", "m*/*", "a read-only region is written by the guest", NULL, true),
    ANIMAL(last_page_missing, "MEM-4", "memory/*", "the last page of each region is a hole", NULL, true),
    ANIMAL(two_slots_only, "MEM-4", "memory/*", "the third region is accepted and is not there", NULL, true),
    ANIMAL(log_is_empty, "DIRTY-1", "dirty*/*", "the dirty log names nothing", NULL, true),
    ANIMAL(second_slot_not_logged, "DIRTY-3", "dirty*/*", "the dirty log ends with the first slot",
           "cloud-hypervisor: the second slot is missing from the log", true),
    ANIMAL(first_take_lost, "DIRTY-1", "dirty*/*", "what the first get-and-clear cleared was not given", NULL, true),
    ANIMAL(log_never_on, "DIRTY-1", "dirty*/*", "the log is never turned on, and says that it is", NULL, true),
    ANIMAL(protection_ignored, "VTL-9", "vtl/*", "what a VTL protects is open", NULL, false),
    ANIMAL(protects_one_page, "VTL-11", "vtl/*", "of a protected range the first page is", NULL, false),
};

const struct zoo_house zoo_memory = {animals, sizeof(animals) / sizeof(animals[0])};
