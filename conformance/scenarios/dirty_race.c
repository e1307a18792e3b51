/* SPDX-License-Identifier: MIT */
/*
 * The dirty log against writers that do not wait: a copy that follows the log
 * alone must be what the memory is once everybody has stopped. (DIRTY-01)
 */

#include "conformance/scenarios/dirty_words.h"

#include <stdatomic.h>

#include "conformance/scenarios/hv_call_words.h"

#define TAKES 2u
/* Of takes against a guest that runs freely. */
#define TAKES_MAX 2000u

struct race {
    struct dirty_range range;
    struct vmr_memory_view view; /* of the range: whoever copies from there waits for no writer */
    uint8_t *copy;
    struct conf_latch over;
    uint64_t pages[2]; /* that each of two takers was given */
};

static bool race_begin(struct race *race, struct conf_vm *vm, uint64_t pages)
{
    race->range = (struct dirty_range){.vm = vm, .gpa = DIRTY_PAGE(0), .size = pages * VMR_PAGE_SIZE};
    if (!vm || !dirty_start(vm))
        return false;
    if (vmr_memory_pin(vm->memory, race->range.gpa, (size_t)race->range.size, false, &race->view))
        return false;
    race->copy = dirty_copy_all(&race->range);
    return race->copy != NULL;
}

/* Takes, and copies what is named. */
static void follow(struct race *race)
{
    const struct vmr_dirty_bitmap bitmap = dirty_bitmap(&race->range);
    const uint8_t *bytes = race->view.bytes;
    struct vmr_dirty_run run = {.gpa = race->range.gpa};

    (void)dirty_take(&race->range);
    while (vmr_dirty_next(&bitmap, run.gpa + run.size, &run)) {
        uint64_t first = run.gpa - race->range.gpa;

        for (uint64_t i = first; i < first + run.size; i++)
            race->copy[i] = __atomic_load_n(&bytes[i], __ATOMIC_RELAXED);
    }
}

/* Everybody has stopped: one take more, and the copy is the memory. */
static void race_end(struct race *race, const char *what)
{
    follow(race);
    dirty_expect_same(&race->range, race->copy, what);
    race->copy = NULL;
    vmr_memory_unpin(race->range.vm->memory, &race->view);
}

/* --- the guest --- */

/* Most pages once: a store that is lost is not made up for by the next. */
CONF_PROGRAM(writes_little, VMR_STORE(DIRTY_PAGE(0), 8, 1), VMR_STORE(DIRTY_PAGE(1), 8, 1),
             VMR_STORE(DIRTY_PAGE(0), 8, 2), VMR_STORE(DIRTY_PAGE(2) + 0xffc, 8, UINT64_MAX), VMR_END());

/* Six stores a round, some of them to a page that was just written. */
CONF_PROGRAM(writes_on, VMR_SET(0, 30000), VMR_STORE_VAR(DIRTY_PAGE(0), 8, 0), VMR_STORE_VAR(DIRTY_PAGE(0) + 64, 8, 0),
             VMR_STORE_VAR(DIRTY_PAGE(1), 4, 0), VMR_STORE_VAR(DIRTY_PAGE(2) + 0xffc, 8, 0),
             VMR_STORE_VAR(DIRTY_PAGE(5), 2, 0), VMR_STORE_VAR(DIRTY_PAGE(7), 1, 0), VMR_LOOP(0, 1), VMR_END());

static void follow_guest(void *argument)
{
    struct race *race = argument;
    struct conf *conf = race->range.vm->conf;
    unsigned takes = conf->is_mock ? TAKES : TAKES_MAX;

    for (unsigned i = 0; i < takes && !atomic_load(&race->over.value) && !conf_over(conf); i++)
        follow(race);
}

static void guest_races(struct conf *conf)
{
    struct race race = {0};
    struct conf_vm *vm = vm_about_to_run(conf, NULL, conf->is_mock ? &writes_little : &writes_on);
    struct vmr_thread *thread = race_begin(&race, vm, 8) ? conf_thread(conf, follow_guest, &race) : NULL;

    CONF_CHECK(conf, thread != NULL, "no VM, or no thread");
    if (thread) {
        (void)conf_run_to_end(vm, 0);
        conf_latch_set(&race.over);
        conf_join(conf, thread);
        race_end(&race, "bytes that a take has lost, of the guest's");
    }
    free(race.copy);
}

/* --- the library --- */

/* Each page once, too. */
static void write_all_ways(void *argument)
{
    const struct race *race = argument;
    struct vmr_memory *memory = race->range.vm->memory;
    uint64_t word = UINT64_C(0x0123456789abcdef), old;
    enum vmr_status status = vmr_memory_write(memory, DIRTY_PAGE(0) + 0xffc, &word, 8);

    if (!status)
        status = vmr_memory_fetch_or(memory, DIRTY_PAGE(2), 8, 1, &old);
    if (!status)
        status = vmr_memory_fill(memory, DIRTY_PAGE(3), 0x55, 8);
    CONF_CHECK(race->range.vm->conf, status == VMR_OK, "no RAM");
}

static void write_through_a_view(void *argument)
{
    const struct race *race = argument;
    struct vmr_memory *memory = race->range.vm->memory;
    struct vmr_memory_view view = {0};

    for (uint8_t i = 1; i <= 2; i++) {
        bool pinned = vmr_memory_pin(memory, DIRTY_PAGE(0), 2 * VMR_PAGE_SIZE, true, &view) == VMR_OK;

        CONF_CHECK(race->range.vm->conf, pinned, "not pinned");
        if (!pinned)
            return;
        __atomic_store_n((uint8_t *)view.bytes, i, __ATOMIC_SEQ_CST);
        /* Something between the two stores that others can come into. */
        (void)vmr_memory_size(memory);
        __atomic_store_n((uint8_t *)view.bytes + VMR_PAGE_SIZE, i, __ATOMIC_SEQ_CST);
        vmr_memory_unpin(memory, &view);
    }
}

static void race_with(struct conf *conf, void (*writer)(void *race), const char *what)
{
    struct race race = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_thread *thread = race_begin(&race, vm, 4) ? conf_thread(conf, writer, &race) : NULL;

    CONF_CHECK(conf, thread != NULL, "no VM, or no thread");
    if (thread) {
        for (unsigned i = 0; i < TAKES; i++)
            follow(&race);
        conf_join(conf, thread);
        race_end(&race, what);
    }
    free(race.copy);
}

static void library_races(struct conf *conf)
{
    race_with(conf, write_all_ways, "bytes that a take has lost, of the library's");
}

static void views_race(struct conf *conf)
{
    race_with(conf, write_through_a_view, "bytes that a take has lost, written through a view");
}

/* What its holder wrote before the take began is in it, however far an unpin has come. */
struct unpinning {
    struct conf_vm *vm;
    struct vmr_memory_view view;
};

static void unpin(void *argument)
{
    struct unpinning *unpinning = argument;

    vmr_memory_unpin(unpinning->vm->memory, &unpinning->view);
}

static void unpin_races(struct conf *conf)
{
    struct unpinning unpinning = {.vm = conf_vm_create(conf, NULL)};
    struct dirty_range range = {.vm = unpinning.vm, .gpa = DIRTY_PAGE(0), .size = 2 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    CONF_REQUIRE(conf, vmr_memory_pin(range.vm->memory, DIRTY_PAGE(1), 8, true, &unpinning.view) == VMR_OK,
                 "not pinned");
    __atomic_store_n((uint8_t *)unpinning.view.bytes, 1, __ATOMIC_SEQ_CST);
    struct vmr_thread *thread = conf_thread(conf, unpin, &unpinning);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    CONF_CHECK(conf, dirty_take(&range) > 0 && dirty_named(&range, DIRTY_PAGE(1)), "the view's page is clean");
    conf_join(conf, thread);
}

/* --- two takers --- */

#define GIVEN 5u

static void take_once(void *argument)
{
    struct race *race = argument;
    struct dirty_range range = {.vm = race->range.vm, .gpa = race->range.gpa, .size = race->range.size};

    race->pages[1] = dirty_take(&range);
}

static void two_takers(struct conf *conf)
{
    struct race race = {.range = {.vm = conf_vm_create(conf, NULL), .gpa = DIRTY_PAGE(0), .size = 200 * VMR_PAGE_SIZE}};
    struct conf_vm *vm = race.range.vm;

    CONF_REQUIRE(conf, vm && dirty_start(vm), "no VM");
    for (unsigned i = 0; i < GIVEN; i++)
        CONF_REQUIRE(conf, vmr_memory_fill(vm->memory, DIRTY_PAGE(i * 31), 1, 1) == VMR_OK, "no RAM");
    struct vmr_thread *thread = conf_thread(conf, take_once, &race);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    race.pages[0] = dirty_take(&race.range);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, race.pages[0] + race.pages[1], GIVEN, "pages that two takers were given");
}

/* --- on and off under a guest that writes --- */

CONF_PROGRAM(counts, VMR_SET(0, 0), VMR_ADD(0, 1), VMR_STORE_VAR(DIRTY_PAGE(3), 4, 0), VMR_LOAD(1, WORD_GO, 4),
             VMR_JUMP_EQ(1, 0, 1), VMR_END());

static void turn_on_and_off(void *argument)
{
    struct race *race = argument;
    struct conf_vm *vm = race->range.vm;

    for (unsigned i = 0; i < 3 && guest_word_wait(vm, DIRTY_PAGE(3), i + 1); i++) {
        if (!dirty_start(vm))
            break;
        /* Two further: one of the two stores, at least, began behind the start. */
        if (!guest_word_wait(vm, DIRTY_PAGE(3), guest_word(vm, DIRTY_PAGE(3)) + 2))
            break;
        CONF_CHECK(vm->conf, dirty_take(&race->range) > 0 && dirty_named(&race->range, DIRTY_PAGE(3)),
                   "turned on %u times: what the guest writes is clean", i + 1);
        CONF_CHECK(vm->conf, vmr_memory_dirty_stop(vm->memory, NULL) == VMR_OK, "not turned off");
    }
    guest_word_set(vm, WORD_GO, 1);
}

static void on_under_a_guest(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &counts);
    struct race race = {.range = {.vm = vm, .gpa = DIRTY_PAGE(0), .size = 8 * VMR_PAGE_SIZE}};
    struct vmr_thread *thread = vm ? conf_thread(conf, turn_on_and_off, &race) : NULL;

    CONF_REQUIRE(conf, thread != NULL, "no VM, or no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

/* --- a region that is mapped anew, in pieces, while it is logged --- */

static enum vmr_status set_monitor(struct conf_vm *vm, const vmr_gpa *page)
{
    return vmr_synic_monitor_set_page(vmr_hv_guest_synic(vmr_partition_hv(vm->partition)), 0, page, NULL);
}

static void move_monitor(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const vmr_gpa page = DIRTY_PAGE(70);

    (void)vp;
    CONF_CHECK(vm->conf, set_monitor(vm, number == 1 ? &page : NULL) == VMR_OK, "the page is refused");
}

static void mapped_in_pieces(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(DIRTY_PAGE(1), 1, 1), VMR_STORE(DIRTY_PAGE(80), 1, 1), VMR_CHECKPOINT(1),
                 VMR_STORE(DIRTY_PAGE(2), 1, 1), VMR_STORE(DIRTY_PAGE(71), 1, 1), VMR_STORE(DIRTY_PAGE(140), 1, 1),
                 VMR_CHECKPOINT(2), VMR_STORE(DIRTY_PAGE(3), 1, 1), VMR_STORE(DIRTY_PAGE(70), 1, 1), VMR_END());
    const struct conf_vm_options options = {.hv = &hv_all};
    struct dirty_range range = {
        .vm = vm_about_to_run(conf, &options, &writes), .gpa = DIRTY_PAGE(0), .size = 150 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    range.vm->on_checkpoint = move_monitor;
    (void)conf_run_to_end(range.vm, 0);
    DIRTY_EXPECT(&range, "before, between and after", DIRTY_PAGE(1), DIRTY_PAGE(2), DIRTY_PAGE(3), DIRTY_PAGE(70),
                 DIRTY_PAGE(71), DIRTY_PAGE(80), DIRTY_PAGE(140));
}

/* --- the library walks the guest's tables (DIRTY-05) --- */

#define PML4 DIRTY_PAGE(10)
#define PDPT DIRTY_PAGE(11)
#define PD DIRTY_PAGE(12)
#define PRESENT_WRITABLE 3u
#define LARGE 0x80u
#define SET_BITS 0x10u
#define WRITE 2u
#define ENTRY(table, value) VMR_STORE(table, 8, value)

static void take_around_the_walk(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct dirty_range *range = vm->user;

    (void)vp;
    if (number == 1)
        (void)dirty_take(range);
    else
        DIRTY_EXPECT(range, "a walk that sets accessed and dirty bits", PML4, PDPT, PD);
}

static void walks_of_the_library(struct conf *conf)
{
    CONF_PROGRAM(walks, HV_OPEN(), ENTRY(PML4, PDPT | PRESENT_WRITABLE), ENTRY(PDPT, PD | PRESENT_WRITABLE),
                 ENTRY(PD, LARGE | PRESENT_WRITABLE), HV_SET_OK(HV_REGISTER_CR3, PML4),
                 VMR_STORE(HV_INPUT, 8, HV_PARTITION_ID_SELF), VMR_STORE(HV_INPUT + 8, 8, HV_VP_INDEX_SELF),
                 VMR_STORE(HV_INPUT + 16, 8, WRITE | SET_BITS), VMR_STORE(HV_INPUT + 24, 8, 0x110), VMR_CHECKPOINT(1),
                 HV_EXPECT_CALL(HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, HV_INPUT, 0x1000, 0), VMR_CHECKPOINT(2), VMR_END());
    const struct conf_vm_options options = {.hv = &hv_all};
    struct dirty_range range = {
        .vm = vm_about_to_run(conf, &options, &walks), .gpa = DIRTY_PAGE(10), .size = 8 * VMR_PAGE_SIZE};

    CONF_REQUIRE(conf, range.vm && dirty_start(range.vm), "no VM");
    range.vm->user = &range;
    range.vm->on_checkpoint = take_around_the_walk;
    (void)conf_run_to_end(range.vm, 0);
    CONF_CHECK_EQ(conf, range.vm->reports[0].checkpoints, 2, "checkpoints");
}

#define HV_NEEDS (CONF_CAP(DIRTY_LOG) | HV_CALL_NEEDS)

static const struct conf_scenario scenarios[] = {
    {DIRTY_CASE("get_and_clear_loses_no_write_of_the_guest", guest_races), .ids = "DIRTY-01", .clauses = "DIRTY-1",
     .flags = CONF_EXPLORE, .quirks = CONF_QUIRK_DIRTY_RING},
    {DIRTY_CASE("get_and_clear_loses_no_write_of_the_library", library_races), .ids = "DIRTY-01",
     .clauses = "DIRTY-1 DIRTY-4", .flags = CONF_EXPLORE},
    {DIRTY_CASE("get_and_clear_loses_no_write_through_a_view", views_race), .ids = "DIRTY-01",
     .clauses = "DIRTY-1 DIRTY-4", .flags = CONF_EXPLORE},
    {DIRTY_CASE("an_unpin_hides_nothing_from_a_take", unpin_races), .clauses = "DIRTY-1 DIRTY-4",
     .flags = CONF_EXPLORE},
    {DIRTY_CASE("of_two_takers_one_gets_each_page", two_takers), .clauses = "DIRTY-1", .flags = CONF_EXPLORE},
    {DIRTY_CASE("the_log_is_turned_on_and_off_under_a_running_guest", on_under_a_guest), .clauses = "DIRTY-1 DIRTY-7",
     .quirks = CONF_QUIRK_DIRTY_RING},
    {DIRTY_SCENARIO("a_region_mapped_in_pieces_keeps_its_log", mapped_in_pieces), .clauses = "DIRTY-3",
     .needs = HV_NEEDS | CONF_CAP(READ_ONLY)},
    {DIRTY_SCENARIO("a_page_walk_of_the_library_marks_its_tables", walks_of_the_library), .ids = "DIRTY-05",
     .clauses = "DIRTY-4 DIRTY-5", .needs = HV_NEEDS, .without = CONF_CAP(HV_OFFLOAD)},
};

CONF_FAMILY(dirty_race, scenarios);
