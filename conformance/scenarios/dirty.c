/* SPDX-License-Identifier: MIT */
/*
 * The dirty log: what is a write, whose it is, and which pages of which region
 * it names. What races with what is in dirty_race.c.
 */

#include "conformance/scenarios/dirty_words.h"

#include <string.h>

#define EXTRA UINT64_C(0x10000000)
#define GIB UINT64_C(0x40000000)

static bool add_region(struct conf_vm *vm, vmr_gpa gpa, uint64_t pages)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = pages * VMR_PAGE_SIZE};
    struct vmr_error err = {.message = ""};
    bool added = vmr_memory_region_add(vm->memory, &region, &err) == VMR_OK;

    CONF_CHECK(vm->conf, added, "%s", err.message);
    return added;
}

static bool write_bytes(struct conf_vm *vm, vmr_gpa gpa, uint64_t value, size_t length)
{
    bool written = vmr_memory_write(vm->memory, gpa, &value, length) == VMR_OK;

    CONF_CHECK(vm->conf, written, "no RAM at %#llx", (unsigned long long)gpa);
    return written;
}

/* --- on and off (DIRTY-02) --- */

static void expect_off(struct conf *conf, struct conf_vm *vm, const struct vmr_dirty_bitmap *bitmap)
{
    struct vmr_error err = {.message = ""};
    uint64_t pages = 7;

    CONF_CHECK(conf, vmr_memory_dirty_take(vm->memory, bitmap, &pages, &err) == VMR_E_STATE, "a log that is off gives");
    CONF_CHECK(conf, strstr(err.message, "off") != NULL, "the reason is not said: %s", err.message);
    CONF_CHECK(conf, vmr_memory_dirty_stop(vm->memory, &err) == VMR_E_STATE, "it is turned off twice");
    CONF_CHECK(conf, vmr_memory_dirty_mark(vm->memory, bitmap->gpa, 1) == VMR_E_STATE, "it takes marks");
    CONF_CHECK(conf, pages == 7 && bitmap->words[0] == 5, "a refused take gives something");
}

static void log_off_is_an_error(struct conf *conf)
{
    struct dirty_range range = {
        .vm = conf_vm_create(conf, NULL), .gpa = DIRTY_PAGE(0), .size = 4 * VMR_PAGE_SIZE, .words = {5}};
    const struct vmr_dirty_bitmap bitmap = dirty_bitmap(&range);
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, range.vm, "no VM");
    expect_off(conf, range.vm, &bitmap);
    CONF_REQUIRE(conf, dirty_start(range.vm), "off");
    CONF_CHECK(conf, vmr_memory_dirty_start(range.vm->memory, &err) == VMR_E_STATE, "it is turned on twice");
    CONF_CHECK(conf, strstr(err.message, "on already") != NULL, "the reason is not said: %s", err.message);
    CONF_CHECK(conf, write_bytes(range.vm, DIRTY_PAGE(1), 1, 1), "no RAM");
    CONF_CHECK(conf, vmr_memory_dirty_stop(range.vm->memory, &err) == VMR_OK, "it is not turned off");
    range.words[0] = 5;
    expect_off(conf, range.vm, &bitmap);
    CONF_REQUIRE(conf, dirty_start(range.vm), "off");
    dirty_expect_none(&range, "pages from before the log was turned on");
}

static void bad_bitmaps(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint64_t words[2] = {5, 5}, pages = 7;
    const struct {
        struct vmr_dirty_bitmap bitmap;
        const char *part;
    } bad[] = {
        {{DIRTY_PAGE(0) + 8, VMR_PAGE_SIZE, words, 2}, "0x110008"},
        {{DIRTY_PAGE(0), VMR_PAGE_SIZE + 8, words, 2}, "0x1008"},
        {{DIRTY_PAGE(0), 129 * VMR_PAGE_SIZE, words, 2}, "2 words"},
        {{0, UINT64_C(1) << 53, words, 2}, "2^52"},
        {{UINT64_MAX - VMR_PAGE_SIZE + 1, 2 * VMR_PAGE_SIZE, words, 2}, "2^52"},
    };

    CONF_REQUIRE(conf, vm && dirty_start(vm) && write_bytes(vm, DIRTY_PAGE(0), 1, 1), "no VM");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vmr_error err = {.message = ""};

        CONF_CHECK(conf, vmr_memory_dirty_take(vm->memory, &bad[i].bitmap, &pages, &err) == VMR_E_USAGE,
                   "row %u was taken", i);
        CONF_CHECK(conf, strstr(err.message, bad[i].part) != NULL, "row %u: '%s' is not named in: %s", i, bad[i].part,
                   err.message);
    }
    CONF_CHECK(conf, words[0] == 5 && words[1] == 5 && pages == 7, "a refused take gives something");
    CONF_CHECK(conf, vmr_memory_dirty_mark(vm->memory, VMR_PROGRAM_RAM_MIN - 1, 2) == VMR_E_GUEST, "a hole is marked");
    struct dirty_range range = {.vm = vm, .gpa = DIRTY_PAGE(0), .size = VMR_PROGRAM_RAM_MIN - DIRTY_PAGE(0)};

    dirty_expect(&range, (const vmr_gpa[]){DIRTY_PAGE(0)}, 1, "behind refused takes");
}

/* --- the guest's writes --- */

static void take_at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct dirty_range *range = vm->user;

    (void)vp;
    switch (number) {
    case 1:
        DIRTY_EXPECT(range, "bytes, words, an OR and one across pages", DIRTY_PAGE(0), DIRTY_PAGE(2), DIRTY_PAGE(3),
                     DIRTY_PAGE(5), DIRTY_PAGE(6), DIRTY_PAGE(70));
        dirty_expect_none(range, "pages that were taken");
        break;
    case 2:
        DIRTY_EXPECT(range, "a page that was taken and is written again", DIRTY_PAGE(2));
        break;
    default:
        DIRTY_EXPECT(range, "string input", DIRTY_PAGE(9), DIRTY_PAGE(10));
        break;
    }
}

static void guest_writes_are_named(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(DIRTY_PAGE(0), 1, 1), VMR_STORE(DIRTY_PAGE(2) + 0xff8, 8, 1),
                 VMR_OR(DIRTY_PAGE(3) + 4, 4, 1), VMR_STORE(DIRTY_PAGE(5) + 0xffe, 4, 1), VMR_LOAD(0, DIRTY_PAGE(7), 8),
                 VMR_STORE(DIRTY_PAGE(70), 2, 1), VMR_CHECKPOINT(1), VMR_STORE(DIRTY_PAGE(2), 8, 2), VMR_CHECKPOINT(2),
                 VMR_INS(0x700, 4, 4, DIRTY_PAGE(9) + 0xff8), VMR_CHECKPOINT(3), VMR_END());
    struct dirty_range range = {
        .vm = vm_about_to_run(conf, NULL, &writes), .gpa = DIRTY_PAGE(0), .size = 80 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    range.vm->user = &range;
    range.vm->on_checkpoint = take_at_checkpoint;
    (void)conf_run_to_end(range.vm, 0);
    CONF_CHECK_EQ(conf, range.vm->reports[0].checkpoints, 3, "checkpoints");
}

static void identical_data(struct conf *conf)
{
    CONF_PROGRAM(repeats, VMR_STORE(DIRTY_PAGE(1), 8, 0), VMR_OR(DIRTY_PAGE(2), 8, 0), VMR_END());
    struct dirty_range range = {
        .vm = vm_about_to_run(conf, NULL, &repeats), .gpa = DIRTY_PAGE(0), .size = 8 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    (void)conf_run_to_end(range.vm, 0);
    DIRTY_EXPECT(&range, "the guest writes what is there", DIRTY_PAGE(1), DIRTY_PAGE(2));
    CONF_CHECK(conf, write_bytes(range.vm, DIRTY_PAGE(3), 0, 8), "no RAM");
    CONF_CHECK(conf, vmr_memory_fill(range.vm->memory, DIRTY_PAGE(4), 0, 1) == VMR_OK, "no RAM");
    DIRTY_EXPECT(&range, "the library writes what is there", DIRTY_PAGE(3), DIRTY_PAGE(4));
}

#define MANY 1000u

struct many {
    struct vmr_step steps[MANY + 1];
    struct vmr_program program;
};

/* More than fits into any list that a hypervisor keeps by itself. */
static void many_pages(struct conf *conf)
{
    struct many *many = calloc(1, sizeof(*many));

    CONF_REQUIRE(conf, many != NULL, "out of memory");
    for (uint32_t i = 0; i < MANY; i++)
        many->steps[i] = (struct vmr_step)VMR_STORE(EXTRA + (vmr_gpa)i * VMR_PAGE_SIZE, 1, 1);
    many->steps[MANY] = (struct vmr_step)VMR_END();
    many->program = (struct vmr_program){.name = "many", .steps = many->steps, .count = MANY + 1};
    struct dirty_range range = {
        .vm = conf_vm_create(conf, NULL), .gpa = EXTRA, .size = (MANY + 1) * (uint64_t)VMR_PAGE_SIZE};

    if (range.vm && add_region(range.vm, EXTRA, MANY + 1) && conf_load(range.vm, 0, &many->program) &&
        conf_bind(range.vm, 0) && dirty_start(range.vm)) {
        (void)conf_run_to_end(range.vm, 0);
        CONF_CHECK_EQ(conf, dirty_take(&range), MANY, "dirty pages");
        CONF_CHECK(conf, !dirty_named(&range, EXTRA + MANY * (vmr_gpa)VMR_PAGE_SIZE), "a page that nobody wrote");
        dirty_expect_none(&range, "pages that were taken");
    }
    conf_vm_destroy(range.vm);
    free(many);
}

/* --- page tables (DIRTY-05) --- */

/* Every page whose bytes changed since `before` is named, and some of [first, end) did change. */
static void expect_changes_named(struct dirty_range *range, const uint8_t *before, vmr_gpa first, vmr_gpa end)
{
    struct conf *conf = range->vm->conf;
    uint8_t *now = dirty_copy_all(range);
    unsigned changed = 0;

    (void)dirty_take(range);
    for (vmr_gpa gpa = range->gpa; now && before && gpa < range->gpa + range->size; gpa += VMR_PAGE_SIZE) {
        if (memcmp(before + (gpa - range->gpa), now + (gpa - range->gpa), VMR_PAGE_SIZE) == 0)
            continue;
        changed += gpa >= first && gpa < end;
        CONF_CHECK(conf, dirty_named(range, gpa), "page %#llx has changed and is clean", (unsigned long long)gpa);
    }
    CONF_CHECK(conf, changed > 0, "no page table has changed");
    free(now);
}

/* The processor sets accessed and dirty bits in the guest's tables, of which nobody has told the hypervisor. */
static void walks_of_the_processor(struct conf *conf)
{
    CONF_PROGRAM(touches, VMR_LOAD(0, EXTRA, 8), VMR_STORE(EXTRA + 0x200000, 8, 1), VMR_END());
    struct dirty_range range = {.vm = conf_vm_create(conf, NULL), .size = VMR_PROGRAM_RAM_MIN};

    CONF_REQUIRE(conf, range.vm && add_region(range.vm, EXTRA, 0x400) && conf_load(range.vm, 0, &touches), "no VM");
    CONF_REQUIRE(conf, conf_bind(range.vm, 0) && dirty_start(range.vm), "no VM");
    uint8_t *before = dirty_copy_all(&range);

    (void)conf_run_to_end(range.vm, 0);
    expect_changes_named(&range, before, VMR_PROGRAM_BASE, VMR_PROGRAM_END);
    free(before);
}

/* --- the library's writes (DIRTY-04) --- */

static void host_calls(struct conf *conf)
{
    struct dirty_range range = {.vm = conf_vm_create(conf, NULL), .gpa = DIRTY_PAGE(0), .size = 20 * VMR_PAGE_SIZE};
    struct vmr_memory *memory = range.vm ? range.vm->memory : NULL;
    uint64_t word = 1;

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    (void)write_bytes(range.vm, DIRTY_PAGE(1) + 0xffc, 1, 8);
    DIRTY_EXPECT(&range, "a write across pages", DIRTY_PAGE(1), DIRTY_PAGE(2));
    CONF_CHECK(conf, vmr_memory_fill(memory, DIRTY_PAGE(3) + 1, 1, 2 * VMR_PAGE_SIZE) == VMR_OK, "no RAM");
    DIRTY_EXPECT(&range, "a fill", DIRTY_PAGE(3), DIRTY_PAGE(4), DIRTY_PAGE(5));
    CONF_CHECK(conf, vmr_memory_fetch_or(memory, DIRTY_PAGE(6) + 0xff8, 8, 1, &word) == VMR_OK, "no RAM");
    DIRTY_EXPECT(&range, "a fetch-or", DIRTY_PAGE(6));
    CONF_CHECK(conf, vmr_memory_dirty_mark(memory, DIRTY_PAGE(8) + 0xfff, 2) == VMR_OK, "no RAM");
    DIRTY_EXPECT(&range, "marks", DIRTY_PAGE(8), DIRTY_PAGE(9));
    CONF_CHECK(conf, vmr_memory_read(memory, DIRTY_PAGE(1), &word, 8) == VMR_OK, "no RAM");
    CONF_CHECK(conf, vmr_memory_write(memory, VMR_PROGRAM_RAM_MIN - 4, &word, 8) == VMR_E_GUEST, "a hole is written");
    CONF_CHECK(conf, vmr_memory_write(memory, DIRTY_PAGE(1), &word, 0) == VMR_OK, "an empty write fails");
    CONF_CHECK(conf, vmr_memory_dirty_mark(memory, DIRTY_PAGE(1), 0) == VMR_OK, "an empty mark fails");
    dirty_expect_none(&range, "pages behind reads, empty and refused writes");
}

static void pinned_views(struct conf *conf)
{
    struct dirty_range range = {.vm = conf_vm_create(conf, NULL), .gpa = DIRTY_PAGE(0), .size = 20 * VMR_PAGE_SIZE};
    struct vmr_memory_view early = {0}, view = {0}, other = {0}, reader = {0};

    CONF_REQUIRE(conf, range.vm, "no VM");
    struct vmr_memory *memory = range.vm->memory;

    CONF_REQUIRE(conf, vmr_memory_pin(memory, DIRTY_PAGE(1), 8, true, &early) == VMR_OK, "not pinned");
    CONF_REQUIRE(conf, dirty_start(range.vm), "off");
    CONF_REQUIRE(conf,
                 vmr_memory_pin(memory, DIRTY_PAGE(3) + 0xff0, 32, true, &view) == VMR_OK &&
                     vmr_memory_pin(memory, DIRTY_PAGE(3) + 0xff0, 32, true, &other) == VMR_OK &&
                     vmr_memory_pin(memory, DIRTY_PAGE(7), 32, false, &reader) == VMR_OK,
                 "not pinned");
    for (unsigned i = 0; i < 2; i++)
        DIRTY_EXPECT(&range, "while views are pinned", DIRTY_PAGE(1), DIRTY_PAGE(3), DIRTY_PAGE(4));
    vmr_memory_unpin(memory, &view);
    DIRTY_EXPECT(&range, "one of two alike is pinned", DIRTY_PAGE(1), DIRTY_PAGE(3), DIRTY_PAGE(4));
    vmr_memory_unpin(memory, &other);
    vmr_memory_unpin(memory, &reader);
    vmr_memory_unpin(memory, &early);
    DIRTY_EXPECT(&range, "once more after they are unpinned", DIRTY_PAGE(1), DIRTY_PAGE(3), DIRTY_PAGE(4));
    dirty_expect_none(&range, "pages of views that are gone");
}

/* --- regions (DIRTY-03) --- */

#define BELOW (3 * GIB - 3 * VMR_PAGE_SIZE) /* three pages up to 3 GiB */
#define ABOVE (3 * GIB)                     /* 65 pages behind them */
#define FAR (4 * GIB)                       /* 130 pages, which the guest does not reach */

static void expect_range(struct conf_vm *vm, vmr_gpa gpa, uint64_t pages, const vmr_gpa *dirty, unsigned count)
{
    struct dirty_range range = {.vm = vm, .gpa = gpa, .size = pages * VMR_PAGE_SIZE};

    dirty_expect(&range, dirty, count, "a range");
}

static void holes_and_boundaries(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(ABOVE - 1, 1, 1), VMR_STORE(ABOVE, 1, 1), VMR_STORE(ABOVE + 65 * 4096 - 8, 8, 1),
                 VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &writes);
    struct dirty_range all = {.vm = vm, .gpa = BELOW - 10 * VMR_PAGE_SIZE, .size = 100 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, vm && add_region(vm, FAR, 130) && add_region(vm, ABOVE, 65) && add_region(vm, BELOW, 3), "RAM");
    CONF_REQUIRE(conf, dirty_start(vm), "off");
    (void)conf_run_to_end(vm, 0);
    DIRTY_EXPECT(&all, "two regions that touch, between holes", ABOVE - VMR_PAGE_SIZE, ABOVE,
                 ABOVE + 64 * VMR_PAGE_SIZE);
    dirty_expect_none(&all, "pages that were taken");
    /* The first, the last and one in between, of which the range of the take has none, then some. */
    CONF_REQUIRE(conf, write_bytes(vm, FAR, 1, 1) && write_bytes(vm, FAR + 129 * VMR_PAGE_SIZE + 4095, 1, 1), "RAM");
    CONF_REQUIRE(conf, write_bytes(vm, FAR + 70 * VMR_PAGE_SIZE, 1, 1), "RAM");
    expect_range(vm, FAR + VMR_PAGE_SIZE, 69, NULL, 0);
    expect_range(vm, FAR + 70 * VMR_PAGE_SIZE, 2, (const vmr_gpa[]){FAR + 70 * VMR_PAGE_SIZE}, 1);
    expect_range(vm, FAR - VMR_PAGE_SIZE, 3, (const vmr_gpa[]){FAR}, 1);
    expect_range(vm, FAR + VMR_PAGE_SIZE, 200, (const vmr_gpa[]){FAR + 129 * VMR_PAGE_SIZE}, 1);
    expect_range(vm, FAR, 131, NULL, 0);
}

/* The part of the guest's writes that is not asked for waits for who asks. */
static void ranges_are_taken_apart(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(EXTRA, 1, 1), VMR_STORE(EXTRA + 0x5000, 1, 1), VMR_STORE(EXTRA + 0x6000, 1, 1),
                 VMR_STORE(EXTRA + 0x45000, 1, 1), VMR_STORE(EXTRA + 0x63000, 1, 1), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &writes);

    CONF_REQUIRE(conf, vm && add_region(vm, EXTRA, 100) && dirty_start(vm), "RAM");
    (void)conf_run_to_end(vm, 0);
    expect_range(vm, EXTRA + 0x6000, 63, (const vmr_gpa[]){EXTRA + 0x6000}, 1);
    expect_range(vm, EXTRA + 0x5000, 80, (const vmr_gpa[]){EXTRA + 0x5000, EXTRA + 0x45000}, 2);
    expect_range(vm, EXTRA, 100, (const vmr_gpa[]){EXTRA, EXTRA + 0x63000}, 2);
    expect_range(vm, EXTRA, 100, NULL, 0);
}

/* --- regions and partitions come and go [DIRTY-7] --- */

static void added_and_removed(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(EXTRA + 0x2000, 1, 1), VMR_END());
    struct dirty_range range = {.vm = vm_about_to_run(conf, NULL, &writes), .gpa = EXTRA, .size = 5 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    for (unsigned i = 0; i < 2; i++) {
        CONF_REQUIRE(conf, add_region(range.vm, EXTRA, 4), "RAM");
        DIRTY_EXPECT(&range, "a new region", EXTRA, EXTRA + 0x1000, EXTRA + 0x2000, EXTRA + 0x3000);
        dirty_expect_none(&range, "pages that were taken");
        CONF_REQUIRE(conf, write_bytes(range.vm, EXTRA, 1, 1), "RAM");
        if (i == 1)
            break;
        CONF_CHECK(conf, vmr_memory_region_remove(range.vm->memory, EXTRA, NULL) == VMR_OK, "not removed");
        dirty_expect_none(&range, "pages of a hole");
    }
    (void)conf_run_to_end(range.vm, 0);
    DIRTY_EXPECT(&range, "the new region is logged", EXTRA, EXTRA + 0x2000);
}

static void log_outlives_the_partition(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(DIRTY_PAGE(1), 1, 1), VMR_STORE(DIRTY_PAGE(3), 1, 1), VMR_END());
    struct dirty_range range = {
        .vm = vm_about_to_run(conf, NULL, &writes), .gpa = DIRTY_PAGE(0), .size = 8 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm) && conf_run_to_end(range.vm, 0), "no VM");
    conf_unbind(range.vm, 0);
    CONF_REQUIRE(conf, vmr_partition_destroy(range.vm->partition) == VMR_OK, "not destroyed");
    range.vm->partition = NULL;
    DIRTY_EXPECT(&range, "what a guest wrote that is gone", DIRTY_PAGE(1), DIRTY_PAGE(3));
    CONF_REQUIRE(conf, write_bytes(range.vm, DIRTY_PAGE(2), 1, 1), "RAM");
    DIRTY_EXPECT(&range, "without a partition", DIRTY_PAGE(2));
    CONF_CHECK(conf, vmr_memory_dirty_stop(range.vm->memory, NULL) == VMR_OK, "it is not turned off");
}

static const struct conf_scenario scenarios[] = {
    {DIRTY_CASE("a_log_that_is_off_is_a_typed_error", log_off_is_an_error), .ids = "DIRTY-02",
     .clauses = "DIRTY-2 ERR-1 ERR-2"},
    {DIRTY_CASE("bad_bitmaps_are_refused_without_change", bad_bitmaps), .clauses = "DIRTY-2 ERR-1 ERR-2 LIM-1"},
    {DIRTY_CASE("a_take_names_what_the_guest_wrote_and_clears_it", guest_writes_are_named), .clauses = "DIRTY-1"},
    {DIRTY_CASE("a_write_of_identical_data_still_marks", identical_data), .ids = "DIRTY-06", .clauses = "DIRTY-6"},
    {DIRTY_CASE("a_thousand_pages_are_all_named", many_pages), .clauses = "DIRTY-1 RUN-9"},
    {DIRTY_SCENARIO("a_page_walk_of_the_processor_marks_its_tables", walks_of_the_processor), .ids = "DIRTY-05 HVF-20",
     .clauses = "DIRTY-5", .needs = CONF_CAP(DIRTY_LOG) | CONF_CAP(MACHINE_CODE)},
    {DIRTY_CASE("what_the_library_writes_is_named", host_calls), .ids = "DIRTY-04", .clauses = "DIRTY-4"},
    {DIRTY_CASE("a_view_pinned_for_writing_is_dirty_in_every_take", pinned_views), .ids = "DIRTY-04",
     .clauses = "DIRTY-4 MEM-7"},
    {DIRTY_CASE("holes_and_region_boundaries_keep_their_pages_apart", holes_and_boundaries), .ids = "DIRTY-03",
     .clauses = "DIRTY-3"},
    {DIRTY_CASE("what_a_take_does_not_ask_for_waits", ranges_are_taken_apart), .clauses = "DIRTY-1 DIRTY-3"},
    {DIRTY_CASE("a_region_that_is_added_begins_dirty", added_and_removed), .clauses = "DIRTY-7"},
    {DIRTY_CASE("the_log_outlives_its_partition", log_outlives_the_partition), .clauses = "DIRTY-7"},
};

CONF_FAMILY(dirty, scenarios);
