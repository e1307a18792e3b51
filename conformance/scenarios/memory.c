/* SPDX-License-Identifier: MIT */
/*
 * Guest memory under a running guest: regions that come and go, bytes that
 * both sides write, words that both sides OR into, and who sees what the
 * library reads. The guest's side of holes and read-only memory is in mmio.c.
 */

#include "conformance/conformance.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WORD(n) (VMR_PROGRAM_DATA + 8u * (n))
#define EXTRA UINT64_C(0x10000000) /* where regions come and go */
#define HIGHER UINT64_C(0x20000000)
#define SEEN UINT64_C(0x600d600d)

static bool add_region(struct conf_vm *vm, vmr_gpa gpa, void *host)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = VMR_PAGE_SIZE, .host = host};
    struct vmr_error err = {.message = ""};
    bool added = vmr_memory_region_add(vm->memory, &region, &err) == VMR_OK;

    CONF_CHECK(vm->conf, added, "%s", err.message);
    return added;
}

static void remove_region(struct conf_vm *vm, vmr_gpa gpa)
{
    struct vmr_error err = {.message = ""};

    CONF_CHECK(vm->conf, vmr_memory_region_remove(vm->memory, gpa, &err) == VMR_OK, "%s", err.message);
}

static uint64_t read_word(struct conf_vm *vm, vmr_gpa gpa)
{
    uint64_t value = 0;

    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, gpa, &value, sizeof(value)) == VMR_OK, "no RAM at %#llx",
               (unsigned long long)gpa);
    return value;
}

static void write_word(struct conf_vm *vm, vmr_gpa gpa, uint64_t value)
{
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, gpa, &value, sizeof(value)) == VMR_OK, "no RAM at %#llx",
               (unsigned long long)gpa);
}

static struct conf_vm *vm_with(struct conf *conf, const struct vmr_program *program)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    return vm && conf_load(vm, 0, program) && conf_bind(vm, 0) ? vm : NULL;
}

/* --- regions come and go --- */

/* Reads a hole until it is RAM with the word, then until it is a hole again. */
CONF_PROGRAM(follows, VMR_LOAD(0, EXTRA, 4), VMR_EXPECT(0, 0xffffffff), VMR_CHECKPOINT(1), VMR_LOAD(0, EXTRA, 4),
             VMR_JUMP_EQ(0, SEEN, 6), VMR_JUMP(3), VMR_CHECKPOINT(2), VMR_LOAD(0, EXTRA, 4),
             VMR_JUMP_EQ(0, 0xffffffff, 10), VMR_JUMP(7), VMR_CHECKPOINT(3), VMR_END());

static void come_and_go(void *argument)
{
    struct conf_vm *vm = argument;
    const struct vmr_memory_region region = {.gpa = EXTRA, .size = VMR_PAGE_SIZE};
    uint64_t word = SEEN;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    CONF_CHECK(vm->conf, vmr_memory_region_add(vm->memory, &region, NULL) == VMR_OK, "not added under a running guest");
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, EXTRA, &word, 4) == VMR_OK, "a new region is not there");
    if (conf_wait_checkpoint(vm, 0, 2))
        remove_region(vm, EXTRA);
}

static void regions_under_a_guest(struct conf *conf)
{
    struct conf_vm *vm = vm_with(conf, &follows);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, come_and_go, vm);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 3, "the last checkpoint");
    CONF_CHECK_EQ(conf, vmr_memory_region_count(vm->memory), 1, "regions at the end");
}

/* Writes a growing number into the region for ever; then into a hole. */
CONF_PROGRAM(counts, VMR_SET(0, 0), VMR_ADD(0, 1), VMR_STORE_VAR(EXTRA, 8, 0), VMR_STORE_VAR(WORD(0), 8, 0),
             VMR_LOAD(1, WORD(1), 8), VMR_JUMP_EQ(1, 0, 1), VMR_END());

struct remover {
    struct conf_vm *vm;
    _Atomic uint64_t *page;
    uint64_t moved; /* writes that came after the removal */
};

static bool has_counted(void *argument)
{
    return atomic_load((_Atomic uint64_t *)argument) >= 3;
}

struct later {
    struct conf_vm *vm;
    uint64_t than;
};

static bool counts_on(void *argument)
{
    const struct later *later = argument;

    return read_word(later->vm, WORD(0)) > later->than + 3;
}

static void take_away(void *argument)
{
    struct remover *remover = argument;
    struct conf_vm *vm = remover->vm;

    if (!conf_wait(vm->conf, has_counted, remover->page, "the guest to write the region"))
        return;
    remove_region(vm, EXTRA);
    uint64_t left = atomic_load(remover->page);
    struct later later = {.vm = vm, .than = read_word(vm, WORD(0))};

    (void)conf_wait(vm->conf, counts_on, &later, "the guest to go on without the region");
    remover->moved = atomic_load(remover->page) - left;
    write_word(vm, WORD(1), 1);
}

static void removed_bytes_are_safe(struct conf *conf)
{
    struct remover remover = {.vm = vm_with(conf, &counts), .page = aligned_alloc(VMR_PAGE_SIZE, VMR_PAGE_SIZE)};
    struct conf_device device = {0};
    struct conf_vm *vm = remover.vm;

    CONF_REQUIRE(conf, remover.page && conf_defer(conf, free, (void *)remover.page), "no page");
    CONF_REQUIRE(conf, vm, "no VM");
    memset((void *)remover.page, 0, VMR_PAGE_SIZE);
    struct vmr_thread *thread = NULL;

    if (conf_device_claim(vm, vm->mmio, EXTRA, 4096, VMR_SIZE_1 | VMR_SIZE_8, &device) &&
        add_region(vm, EXTRA, (void *)remover.page))
        thread = conf_thread(conf, take_away, &remover);
    if (thread) {
        (void)conf_run_to_end(vm, 0);
        conf_join(conf, thread);
        CONF_CHECK_EQ(conf, remover.moved, 0, "writes into the bytes of a removed region");
        CONF_CHECK(conf, device.writes > 0, "the hole has no device behind it");
    }
}

/* Sixteen pages, of which every other goes and comes back with other bytes. */
#define PAGES 16u
#define PAGE(n) (EXTRA + 2u * (n)*VMR_PAGE_SIZE) /* holes between them */
#define LARGE PAGE(PAGES)                        /* one of three pages */
#define LARGE_END (LARGE + 3u * VMR_PAGE_SIZE)

CONF_PROGRAM(reads_pages, VMR_LOAD(0, PAGE(0), 4), VMR_EXPECT(0, 100), VMR_LOAD(0, PAGE(1), 4), VMR_EXPECT(0, 201),
             VMR_LOAD(0, PAGE(2), 4), VMR_EXPECT(0, 102), VMR_LOAD(0, PAGE(15), 4), VMR_EXPECT(0, 215),
             VMR_LOAD(0, PAGE(15) + VMR_PAGE_SIZE, 4), VMR_EXPECT(0, 0xffffffff), VMR_LOAD(0, PAGE(0) + 0xffc, 8),
             VMR_EXPECT(0, UINT64_C(0xffffffff00000000)), VMR_LOAD(0, LARGE, 4), VMR_EXPECT(0, 300),
             VMR_LOAD(0, LARGE_END - 8, 4), VMR_EXPECT(0, 301), VMR_END());

static void many_regions(struct conf *conf)
{
    const struct vmr_memory_region large = {.gpa = LARGE, .size = LARGE_END - LARGE};
    struct conf_vm *vm = vm_with(conf, &reads_pages);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    CONF_REQUIRE(conf, vmr_memory_region_add(vm->memory, &large, NULL) == VMR_OK, "the large one");
    write_word(vm, LARGE, 300);
    write_word(vm, LARGE_END - 8, 301);
    for (uint32_t i = 0; i < PAGES; i++) {
        CONF_REQUIRE(conf, add_region(vm, PAGE(i), NULL), "page %u", i);
        write_word(vm, PAGE(i), 100 + i);
    }
    CONF_CHECK_EQ(conf, vmr_memory_region_count(vm->memory), PAGES + 2, "regions");
    for (uint32_t i = 1; i < PAGES; i += 2)
        remove_region(vm, PAGE(i));
    for (uint32_t i = PAGES - 1; i < PAGES; i -= 2) {
        CONF_REQUIRE(conf, add_region(vm, PAGE(i), NULL), "page %u again", i);
        CONF_CHECK_EQ(conf, read_word(vm, PAGE(i)), 0, "what a new page holds");
        write_word(vm, PAGE(i), 200 + i);
    }
    CONF_CHECK_EQ(conf, vmr_memory_size(vm->memory), VMR_PROGRAM_RAM_MIN + (PAGES + 3) * VMR_PAGE_SIZE, "bytes in all");
    (void)conf_run_to_end(vm, 0);
}

/* --- refused --- */

static void bad_regions(struct conf *conf)
{
    static const struct {
        uint64_t gpa, size;
        const char *part;
    } bad[] = {
        {EXTRA + 1, VMR_PAGE_SIZE, "0x10000001"},
        {EXTRA, VMR_PAGE_SIZE + 1, "0x1001"},
        {EXTRA, 0, "0x10000000"},
        {VMR_PROGRAM_RAM_MIN - VMR_PAGE_SIZE, 2 * VMR_PAGE_SIZE, "overlap"},
        {0, VMR_PAGE_SIZE, "overlap"},
        {HIGHER - VMR_PAGE_SIZE, 2 * VMR_PAGE_SIZE, "0x20000000"},
        {HIGHER - VMR_PAGE_SIZE, 3 * VMR_PAGE_SIZE, "0x20000000"},
        {UINT64_C(1) << VMR_PHYSICAL_BITS_MAX, VMR_PAGE_SIZE, "0x10000000000000"},
        {(UINT64_C(1) << VMR_PHYSICAL_BITS_MAX) - VMR_PAGE_SIZE, 2 * VMR_PAGE_SIZE, "0xffffffffff000"},
        {UINT64_C(0xfffffffffffff000), VMR_PAGE_SIZE, "0xfffffffffffff000"},
        {VMR_PAGE_SIZE, UINT64_C(0xfffffffffffff000), "0xfffffffffffff000"},
    };
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && add_region(vm, HIGHER, NULL), "no VM");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct vmr_memory_region region = {.gpa = bad[i].gpa, .size = bad[i].size};
        struct vmr_error err = {.message = ""};

        CONF_CHECK(conf, vmr_memory_region_add(vm->memory, &region, &err) != VMR_OK, "row %u was taken", i);
        CONF_CHECK(conf, strstr(err.message, bad[i].part) != NULL, "row %u: '%s' is not named in: %s", i, bad[i].part,
                   err.message);
    }
    CONF_CHECK_EQ(conf, vmr_memory_region_count(vm->memory), 2, "regions");
    CONF_CHECK_EQ(conf, vmr_memory_size(vm->memory), VMR_PROGRAM_RAM_MIN + VMR_PAGE_SIZE, "bytes");
    struct vmr_error err;

    CONF_CHECK(conf, vmr_memory_region_remove(vm->memory, VMR_PAGE_SIZE, &err) == VMR_E_USAGE,
               "a region was removed from its middle");
    CONF_CHECK(conf, add_region(vm, EXTRA, NULL), "a good one was refused behind the bad ones");
}

/* --- pinned --- */

static void pinned_region(struct conf *conf)
{
    CONF_PROGRAM(uses, VMR_LOAD(0, EXTRA, 8), VMR_EXPECT(0, SEEN), VMR_STORE(EXTRA + 8, 8, SEEN), VMR_END());
    struct vmr_memory_view view = {0}, wide = {.length = 7};
    struct conf_vm *vm = vm_with(conf, &uses);
    struct vmr_memory_region found = {.host = conf};
    struct vmr_error err = {.message = ""};
    uint64_t word = SEEN;

    CONF_REQUIRE(conf, vm && add_region(vm, EXTRA, NULL), "no VM");
    CONF_REQUIRE(conf, vmr_memory_pin(vm->memory, EXTRA, 16, true, &view) == VMR_OK, "not pinned");
    CONF_CHECK(conf, vmr_memory_pin(vm->memory, EXTRA + 4092, 8, false, &wide) == VMR_E_GUEST && wide.length == 7,
               "a view over the end of its region");
    memcpy(view.bytes, &word, sizeof(word));
    CONF_CHECK(conf, vmr_memory_region_remove(vm->memory, EXTRA, &err) == VMR_E_STATE, "a pinned region was removed");
    CONF_CHECK(conf, strstr(err.message, "0x10000000") != NULL, "the region is not named: %s", err.message);
    (void)conf_run_to_end(vm, 0);
    memcpy(&word, (const uint8_t *)view.bytes + 8, sizeof(word));
    CONF_CHECK_EQ(conf, word, SEEN, "what the guest wrote, in the view");
    CONF_CHECK(conf, vmr_memory_region_find(vm->memory, EXTRA + 5, &found) && found.gpa == EXTRA && !found.host,
               "a region shows its host pointer");
    vmr_memory_unpin(vm->memory, &view);
    CONF_CHECK(conf, !view.bytes && view.length == 0, "an unpinned view still points somewhere");
    vmr_memory_unpin(vm->memory, &view);
    remove_region(vm, EXTRA);
}

/* --- both sides write --- */

static void host_writes(void *argument)
{
    struct conf_vm *vm = argument;

    for (uint32_t i = 1; i <= 3; i++) {
        if (!conf_wait_checkpoint(vm, 0, i))
            return;
        write_word(vm, WORD(i), SEEN + i);
    }
}

static void writes_under_a_guest(struct conf *conf)
{
    CONF_PROGRAM(waits, VMR_CHECKPOINT(1), VMR_SPIN_UNTIL(WORD(1), 8, SEEN + 1), VMR_CHECKPOINT(2),
                 VMR_SPIN_UNTIL(WORD(2), 8, SEEN + 2), VMR_CHECKPOINT(3), VMR_SPIN_UNTIL(WORD(3), 8, SEEN + 3),
                 VMR_END());
    struct conf_vm *vm = vm_with(conf, &waits);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, host_writes, vm);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 3, "checkpoints");
}

/* The guest sets the lower bits of many words, one by one; the host the upper ones, at the same time. */
#define OR_WORDS 12u
#define OR_BITS 32u
#define OR_STEPS (OR_WORDS * OR_BITS)

struct or_race {
    struct conf_vm *vm;
    struct vmr_program program;
    struct vmr_step steps[OR_STEPS + 3];
    uint32_t wrong; /* old values that a fetch-or cannot have given */
};

static void or_upper_bits(void *argument)
{
    struct or_race *race = argument;
    uint64_t before, seen;

    if (!conf_wait_checkpoint(race->vm, 0, 1))
        return;
    write_word(race->vm, WORD(OR_WORDS), 1);
    for (unsigned word = 0; word < OR_WORDS; word++) {
        seen = 0;
        for (unsigned bit = OR_BITS; bit < 64; bit++) {
            uint64_t mask = UINT64_C(1) << bit;
            enum vmr_status status = vmr_memory_fetch_or(race->vm->memory, WORD(word), 8, mask, &before);

            race->wrong += status || (before & mask) || (before & seen) != seen;
            seen = before | mask;
        }
    }
}

static void fetch_or_race(struct conf *conf)
{
    struct or_race *race = calloc(1, sizeof(*race));

    CONF_REQUIRE(conf, race != NULL, "out of memory");
    race->steps[0] = (struct vmr_step)VMR_CHECKPOINT(1);
    race->steps[1] = (struct vmr_step)VMR_SPIN_UNTIL(WORD(OR_WORDS), 8, 1);
    for (unsigned i = 0; i < OR_STEPS; i++)
        race->steps[2 + i] = (struct vmr_step)VMR_OR(WORD(i / OR_BITS), 8, UINT64_C(1) << i % OR_BITS);
    race->program = (struct vmr_program){.name = "or", .steps = race->steps, .count = OR_STEPS + 3};
    race->vm = vm_with(conf, &race->program);
    struct vmr_thread *thread = race->vm ? conf_thread(conf, or_upper_bits, race) : NULL;

    if (thread) {
        (void)conf_run_to_end(race->vm, 0);
        conf_join(conf, thread);
        for (unsigned word = 0; word < OR_WORDS; word++)
            CONF_CHECK_EQ(conf, read_word(race->vm, WORD(word)), UINT64_MAX, "a word that both sides set");
        CONF_CHECK_EQ(conf, race->wrong, 0, "wrong old values");
    }
    conf_vm_destroy(race->vm);
    free(race);
}

static void fetch_or_refused(struct conf *conf)
{
    static const struct {
        vmr_gpa gpa;
        unsigned width;
        uint64_t mask;
        enum vmr_status status;
    } bad[] = {
        {WORD(0) + 1, 2, 1, VMR_E_GUEST}, {WORD(0) + 4, 8, 1, VMR_E_GUEST}, {EXTRA, 4, 1, VMR_E_GUEST},
        {WORD(0), 3, 1, VMR_E_USAGE},     {WORD(0), 16, 1, VMR_E_USAGE},    {WORD(0), 1, 0x100, VMR_E_USAGE},
        {WORD(0), 0, 0, VMR_E_USAGE},
    };
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint64_t old = SEEN;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum vmr_status status = vmr_memory_fetch_or(vm->memory, bad[i].gpa, bad[i].width, bad[i].mask, &old);

        CONF_CHECK(conf, status == bad[i].status, "row %u: %s", i, vmr_status_name(status));
        CONF_CHECK_EQ(conf, old, SEEN, "the old value of a refused fetch-or");
    }
    CONF_CHECK_EQ(conf, read_word(vm, WORD(0)), 0, "the word");
    for (unsigned width = 1; width <= 8; width *= 2)
        CONF_CHECK(conf,
                   vmr_memory_fetch_or(vm->memory, WORD(0), width, UINT64_C(1) << (8 * width - 1), &old) == VMR_OK,
                   "width %u", width);
    CONF_CHECK_EQ(conf, old, 0x80008080, "the last old value");
    CONF_CHECK_EQ(conf, read_word(vm, WORD(0)), UINT64_C(0x8000000080008080), "the word");
}

/* --- the observer --- */

struct observer {
    uint32_t reads, writes, fetch_ors;
    vmr_gpa gpa;
    size_t length;
    uint8_t bytes[16]; /* what the last read of up to 16 bytes saw */
    bool supplies;     /* reads get what the observer puts there */
};

static void observe_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct observer *observer = context;

    observer->reads++;
    observer->gpa = gpa;
    observer->length = length;
    if (observer->supplies)
        memset(bytes, 0x5a, length);
    if (length <= sizeof(observer->bytes))
        memcpy(observer->bytes, bytes, length);
}

static void observe_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct observer *observer = context;

    (void)bytes;
    observer->writes++;
    observer->gpa = gpa;
    observer->length = length;
}

static void observe_fetch_or(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    struct observer *observer = context;

    (void)mask;
    observer->fetch_ors++;
    observer->gpa = gpa;
    observer->length = width;
    if (observer->supplies)
        *old = SEEN;
}

static struct vmr_memory_observer observer_ops(struct observer *observer)
{
    return (struct vmr_memory_observer){
        .read = observe_read, .write = observe_write, .fetch_or = observe_fetch_or, .context = observer};
}

static void check_supplied(struct conf *conf, struct conf_vm *vm, struct observer *observer)
{
    uint64_t word = 0, old = 0;

    observer->supplies = true;
    CONF_CHECK(conf, vmr_memory_read(vm->memory, WORD(1), &word, 8) == VMR_OK, "no RAM");
    CONF_CHECK_EQ(conf, word, UINT64_C(0x5a5a5a5a5a5a5a5a), "what the observer put into a read");
    CONF_CHECK(conf, vmr_memory_fetch_or(vm->memory, WORD(1), 4, 1, &old) == VMR_OK, "no RAM");
    CONF_CHECK_EQ(conf, old, SEEN, "what the observer put into an old value");
    CONF_CHECK_EQ(conf, observer->fetch_ors, 1, "fetch-ors");
}

static void observer_sees_all(struct conf *conf)
{
    struct observer observer = {0};
    const struct vmr_memory_observer ops = observer_ops(&observer);
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_memory_view view;
    uint64_t word;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    vmr_memory_set_observer(vm->memory, &ops);
    write_word(vm, WORD(1), SEEN);
    CONF_CHECK(conf, observer.writes == 1 && observer.gpa == WORD(1) && observer.length == 8, "a write was not shown");
    CONF_CHECK_EQ(conf, read_word(vm, WORD(1)), SEEN, "the word");
    CONF_CHECK(conf, observer.reads == 1 && observer.length == 8, "a read was not shown");
    CONF_CHECK(conf, vmr_memory_read(vm->memory, EXTRA, &word, 8) == VMR_E_GUEST && observer.reads == 1,
               "a read that failed was shown");
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, WORD(2), 1, 3 * VMR_PAGE_SIZE) == VMR_OK && observer.writes >= 4,
               "a fill was not shown: %u writes", observer.writes);
    CONF_CHECK(conf, vmr_memory_pin(vm->memory, WORD(1), 16, true, &view) == VMR_OK && observer.reads == 2,
               "a pin was not shown");
    uint32_t writes = observer.writes;

    vmr_memory_unpin(vm->memory, &view);
    CONF_CHECK(conf, observer.writes == writes + 1, "an unpin was not shown");
    check_supplied(conf, vm, &observer);
    vmr_memory_set_observer(vm->memory, NULL);
    CONF_CHECK_EQ(conf, read_word(vm, WORD(1)), SEEN | 1, "the word without an observer");
}

/* The guest changes the bytes all the time: what was shown and what was given are one copy all the same. */
CONF_PROGRAM(flips, VMR_STORE(WORD(1), 8, 0), VMR_STORE(WORD(1), 8, UINT64_MAX), VMR_STORE(WORD(0), 8, 1),
             VMR_LOAD(0, WORD(3), 8), VMR_JUMP_EQ(0, 0, 0), VMR_END());

struct copier {
    struct conf_vm *vm;
    struct observer observer;
    uint32_t differ;
};

static bool has_flipped(void *argument)
{
    return read_word(argument, WORD(0)) == 1;
}

static void copy_often(void *argument)
{
    struct copier *copier = argument;
    uint8_t bytes[16];

    if (conf_wait(copier->vm->conf, has_flipped, copier->vm, "the guest to begin")) {
        for (unsigned i = 0; i < 200; i++) {
            copier->differ += vmr_memory_read(copier->vm->memory, WORD(1), bytes, sizeof(bytes)) != VMR_OK;
            copier->differ += memcmp(bytes, copier->observer.bytes, sizeof(bytes)) != 0;
        }
    }
    write_word(copier->vm, WORD(3), 1);
}

static void one_copy(struct conf *conf)
{
    struct copier copier = {.vm = vm_with(conf, &flips)};
    const struct vmr_memory_observer ops = observer_ops(&copier.observer);
    struct conf_vm *vm = copier.vm;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    vmr_memory_set_observer(vm->memory, &ops);
    struct vmr_thread *thread = conf_thread(conf, copy_often, &copier);

    if (thread) {
        (void)conf_run_to_end(vm, 0);
        conf_join(conf, thread);
    }
    vmr_memory_set_observer(vm->memory, NULL);
    CONF_CHECK_EQ(conf, copier.differ, 0, "reads that gave other bytes than they showed");
    CONF_CHECK(conf, copier.observer.reads >= 200, "%u reads were shown", copier.observer.reads);
}

static const struct conf_scenario scenarios[] = {
    {.name = "regions_come_and_go_under_a_running_guest",
     .family = "memory",
     .clauses = "MEM-4",
     .chip = CONF_CHIP_ANY,
     .run = regions_under_a_guest},
    {.name = "no_write_reaches_the_bytes_of_a_removed_region",
     .family = "memory",
     .clauses = "MEM-4",
     .chip = CONF_CHIP_ANY,
     .run = removed_bytes_are_safe},
    {.name = "many_regions_with_holes_between_them",
     .family = "memory",
     .clauses = "MEM-4 EXIT-4",
     .chip = CONF_CHIP_ANY,
     .run = many_regions},
    {.name = "bad_regions_are_refused_without_change",
     .family = "memory",
     .clauses = "MEM-3 ERR-1 ERR-2 LIM-1",
     .chip = CONF_CHIP_ANY,
     .run = bad_regions},
    {.name = "a_pinned_view_keeps_its_region",
     .family = "memory",
     .clauses = "MEM-7 MEM-2 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = pinned_region},
    {.name = "a_spinning_guest_sees_what_the_host_writes",
     .family = "memory",
     .clauses = "MEM-1 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = writes_under_a_guest},
    {.name = "fetch_or_and_a_guests_locked_or_lose_no_bit",
     .family = "memory",
     .clauses = "MEM-6",
     .chip = CONF_CHIP_ANY,
     .run = fetch_or_race},
    {.name = "fetch_or_is_refused_where_it_cannot_be_atomic",
     .family = "memory",
     .clauses = "MEM-6 MEM-5 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = fetch_or_refused},
    {.name = "the_observer_sees_each_access_and_supplies_reads",
     .family = "memory",
     .clauses = "MEM-8",
     .chip = CONF_CHIP_ANY,
     .run = observer_sees_all},
    {.name = "a_read_is_one_copy_while_the_guest_writes",
     .family = "memory",
     .clauses = "MEM-1 MEM-8",
     .chip = CONF_CHIP_ANY,
     .run = one_copy},
};

CONF_FAMILY(memory, scenarios);
