/* SPDX-License-Identifier: MIT */
/*
 * Monitor pages (TLFS, Monitored Notifications): a guest signals by setting a
 * bit in a page of its RAM. The page is trapped for writing on every backend,
 * so that each setting is one signal and nobody polls.
 */

#include <string.h>

#include "conformance/scenarios/hv_words.h"

#define PAGE HV_PAGE_1
#define OTHER HV_PAGE_2
#define HEARD_MAX 32u

/* Offset of the word of pending bits of a group (HV_MONITOR_GROUPS_OFFSET). */
#define PENDING(group) (HV_MONITOR_GROUPS_OFFSET + 8u * (group))
#define ARMED(group) (PENDING(group) + 4u)
#define BIT(n) (UINT32_C(1) << (n))

struct ears {
    unsigned count;
    uint32_t ids[HEARD_MAX];
    bool other_flag; /* another than 0 */
};

struct ear {
    struct ears *ears;
    uint32_t id;
};

#define EAR_COUNT 4u

struct rig {
    struct conf *conf;
    struct conf_vm *vm;
    struct vmr_synic *synic;
    struct ears ears;
    struct ear each[EAR_COUNT];
    struct vmr_synic_port *ports[EAR_COUNT];
};

static void hear(void *context, uint16_t flag)
{
    const struct ear *ear = context;
    struct ears *ears = ear->ears;

    ears->other_flag |= flag != 0;
    if (ears->count < HEARD_MAX)
        ears->ids[ears->count] = ear->id;
    ears->count++;
}

static bool rig_listen(struct rig *rig, unsigned place, uint32_t monitor_id)
{
    struct vmr_error err = {.message = ""};

    rig->each[place] = (struct ear){&rig->ears, monitor_id};
    const struct vmr_event_port port = {.connection_id = 0x100 + place,
                                        .has_monitor = true,
                                        .monitor_id = monitor_id,
                                        .signal = hear,
                                        .context = &rig->each[place]};

    if (vmr_synic_event_port_add(rig->synic, &port, &rig->ports[place], &err) == VMR_OK)
        return true;
    conf_fail(rig->conf, __FILE__, __LINE__, "%s", err.message);
    return false;
}

static enum vmr_status set_page(struct rig *rig, vmr_gpa gpa)
{
    return vmr_synic_monitor_set_page(rig->synic, 0, &gpa, NULL);
}

static enum vmr_status clear_page(struct rig *rig)
{
    return vmr_synic_monitor_set_page(rig->synic, 0, NULL, NULL);
}

/* A VM about to run `program`, with ports for the ids 0, 1, 31 and 127. */
static bool rig_init(struct rig *rig, struct conf *conf, const struct vmr_program *program)
{
    static const uint32_t ids[EAR_COUNT] = {0, 1, 31, 127};
    const struct conf_vm_options options = {.hv = &hv_all};

    *rig = (struct rig){.conf = conf, .vm = vm_about_to_run(conf, &options, program)};
    if (!rig->vm)
        return false;
    rig->synic = vmr_hv_guest_synic(vmr_partition_hv(rig->vm->partition));
    for (unsigned i = 0; i < EAR_COUNT; i++) {
        if (!rig_listen(rig, i, ids[i]))
            return false;
    }
    return true;
}

static void rig_finish(struct rig *rig)
{
    for (unsigned i = 0; i < EAR_COUNT; i++)
        vmr_synic_port_remove(rig->ports[i]);
    conf_vm_destroy(rig->vm);
}

static void expect_heard(struct rig *rig, const uint32_t *ids, unsigned count)
{
    const struct ears *ears = &rig->ears;

    CONF_CHECK_EQ(rig->conf, ears->count, count, "signals");
    CONF_CHECK(rig->conf, !ears->other_flag, "a flag other than 0");
    for (unsigned i = 0; i < count && i < ears->count; i++)
        CONF_CHECK_EQ(rig->conf, ears->ids[i], ids[i], "the id of a signal");
}

/* Runs `program` with the page at PAGE; exactly `ids` are heard, in this order. */
static void expect_signals(struct conf *conf, const struct vmr_program *program, const uint32_t *ids, unsigned count)
{
    struct rig rig;

    if (rig_init(&rig, conf, program)) {
        CONF_CHECK(conf, set_page(&rig, PAGE) == VMR_OK, "the page is refused");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, count);
    }
    rig_finish(&rig);
}

#define EXPECT_SIGNALS(conf, program, ...)                                                                             \
    do {                                                                                                               \
        static const uint32_t expected_ids[] = {__VA_ARGS__};                                                          \
        expect_signals((conf), (program), expected_ids, sizeof(expected_ids) / sizeof(expected_ids[0]));               \
    } while (0)

/* --- bits --- */

static void each_setting_of_a_bit_is_a_signal(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_OR(PAGE + PENDING(0), 4, BIT(1)),
                 VMR_STORE(PAGE + PENDING(0), 4, BIT(0)), VMR_OR(PAGE + PENDING(3), 4, BIT(31)), VMR_END());

    EXPECT_SIGNALS(conf, &program, 1, 1, 0, 127);
}

static void bits_of_one_store_are_signalled_from_the_lowest(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + PENDING(0), 4, BIT(31) | BIT(1) | BIT(0)), VMR_END());

    EXPECT_SIGNALS(conf, &program, 0, 1, 31);
}

static void a_byte_in_the_middle_of_a_word_counts(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + PENDING(0) + 3, 1, 0x80), VMR_OR(PAGE + PENDING(3) + 2, 2, 0x8000),
                 VMR_END());

    EXPECT_SIGNALS(conf, &program, 31, 127);
}

static void bits_that_nobody_registered_are_skipped(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + PENDING(0), 4, BIT(2) | BIT(1) | BIT(30)),
                 VMR_OR(PAGE + PENDING(2), 4, BIT(5)), VMR_END());

    EXPECT_SIGNALS(conf, &program, 1);
}

static void armed_bits_and_the_header_signal_nothing(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + ARMED(0), 4, BIT(1)), VMR_STORE(PAGE, 8, UINT64_MAX),
                 VMR_STORE(PAGE + HV_MONITOR_GROUPS_END, 8, UINT64_MAX), VMR_STORE(PAGE + 0xff8, 8, UINT64_MAX),
                 VMR_STORE(PAGE + PENDING(0), 8, BIT(1) | UINT64_C(1) << 32), VMR_END());

    EXPECT_SIGNALS(conf, &program, 1);
}

static void a_write_across_the_end_of_the_groups_is_swallowed(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + PENDING(3), 4, BIT(31)), VMR_STORE(PAGE + HV_MONITOR_GROUPS_END - 4, 4, 1),
                 VMR_STORE(PAGE + HV_MONITOR_GROUPS_END - 4, 8, UINT64_MAX), VMR_END());

    EXPECT_SIGNALS(conf, &program, 127);
}

static void the_page_always_reads_zero(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_LOAD(5, PAGE + PENDING(0), 4), VMR_EXPECT(5, 0),
                 VMR_STORE(PAGE + 0x100, 8, 7), VMR_LOAD(5, PAGE + 0x100, 8), VMR_EXPECT(5, 0), VMR_END());

    EXPECT_SIGNALS(conf, &program, 1);
}

/* --- the page --- */

static void without_a_page_bits_are_ram(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_LOAD(5, PAGE + PENDING(0), 4),
                 VMR_EXPECT(5, BIT(1)), VMR_END());
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf, clear_page(&rig) == VMR_OK && clear_page(&rig) == VMR_OK, "taking none away failed");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, NULL, 0);
    }
    rig_finish(&rig);
}

static void the_neighbours_of_the_page_stay_ram(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE - 8, 8, 0x11), VMR_STORE(PAGE + 0x1000, 8, 0x22),
                 VMR_STORE(PAGE - 4, 8, 0x3300000000), VMR_LOAD(5, PAGE - 8, 4), VMR_EXPECT(5, 0x11),
                 VMR_LOAD(5, PAGE + 0x1000, 8), VMR_EXPECT(5, 0x22), VMR_STORE(0x1000, 4, 9), VMR_LOAD(5, 0x1000, 4),
                 VMR_EXPECT(5, 9), VMR_END());

    expect_signals(conf, &program, NULL, 0);
}

static void move_it(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct rig *rig = vm->user;
    enum vmr_status status = number == 1 ? set_page(rig, OTHER) : clear_page(rig);

    (void)vp;
    CONF_CHECK(rig->conf, status == VMR_OK, "the change is refused: %s", vmr_status_name(status));
}

static void a_page_that_moves_gives_back_what_it_covered(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(PAGE + PENDING(0), 4, BIT(1)), VMR_CHECKPOINT(1), VMR_LOAD(5, PAGE + 0x80, 8),
                 VMR_EXPECT(5, 0x7788), VMR_STORE(PAGE + PENDING(0), 4, BIT(1)), VMR_LOAD(5, PAGE + PENDING(0), 4),
                 VMR_EXPECT(5, BIT(1)), VMR_OR(OTHER + PENDING(0), 4, BIT(0)), VMR_LOAD(5, OTHER + 0x80, 8),
                 VMR_EXPECT(5, 0), VMR_CHECKPOINT(2), VMR_OR(OTHER + PENDING(0), 4, BIT(0)),
                 VMR_LOAD(5, OTHER + 0x80, 8), VMR_EXPECT(5, 0x99), VMR_END());
    static const uint32_t ids[] = {1, 0};
    static const uint8_t old[8] = {0x88, 0x77}, other[8] = {0x99};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        rig.vm->user = &rig;
        rig.vm->on_checkpoint = move_it;
        CONF_CHECK(conf,
                   vmr_memory_write(rig.vm->memory, PAGE + 0x80, old, sizeof(old)) == VMR_OK &&
                       vmr_memory_write(rig.vm->memory, OTHER + 0x80, other, sizeof(other)) == VMR_OK &&
                       set_page(&rig, PAGE) == VMR_OK,
                   "the pages cannot be prepared");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 2);
    }
    rig_finish(&rig);
}

/* A page that was allocated lies where nothing else is: the guest reaches it by its address, as it does any other. */
static void an_allocated_page_is_the_same_until_it_is_given_back(struct conf *conf)
{
    static const uint32_t ids[] = {1};
    struct vmr_monitor_page_gpas first = {0}, second = {0};
    struct vmr_step steps[] = {VMR_OR(0, 4, BIT(1)), VMR_LOAD(5, 0, 4), VMR_EXPECT(5, 0), VMR_END()};
    const struct vmr_program program = {.name = "allocated", .steps = steps, .count = 4};
    struct vmr_error err = {.message = ""};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf,
                   vmr_synic_monitor_allocate_page(rig.synic, 0, &first, &err) == VMR_OK &&
                       vmr_synic_monitor_allocate_page(rig.synic, 0, &second, &err) == VMR_OK,
                   "%s", err.message);
        CONF_CHECK_EQ(conf, second.child_to_parent, first.child_to_parent, "the page that is asked for twice");
        CONF_CHECK_EQ(conf, first.parent_to_child, 0, "the other direction, which nobody uses");
        steps[0].address = first.child_to_parent + PENDING(0);
        steps[1].address = first.child_to_parent + PENDING(0);
        if (conf_load(rig.vm, 0, &program))
            (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 1);
    }
    rig_finish(&rig);
}

static void bad_pages_and_ids_are_typed_errors(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_END());
    static const uint32_t ids[] = {1};
    struct vmr_event_port port = {.connection_id = 0x200, .has_monitor = true, .monitor_id = 1, .signal = hear};
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf, set_page(&rig, PAGE + 8) == VMR_E_CONFIG, "an unaligned page");
        CONF_CHECK(conf, set_page(&rig, UINT64_C(1) << 60) == VMR_E_CONFIG, "a page behind the last address");
        CONF_CHECK(conf, vmr_synic_event_port_add(rig.synic, &port, &handle, &err) == VMR_E_CONFIG,
                   "an id that is taken");
        port.monitor_id = HV_MONITOR_ID_COUNT;
        CONF_CHECK(conf, vmr_synic_event_port_add(rig.synic, &port, &handle, &err) == VMR_E_CONFIG,
                   "an id that does not exist");
        CONF_CHECK(conf, !handle && set_page(&rig, PAGE) == VMR_OK, "and then a good one");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 1);
    }
    rig_finish(&rig);
}

static void a_registration_that_is_gone_is_not_signalled(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1) | BIT(0)), VMR_END());
    static const uint32_t ids[] = {0};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf, set_page(&rig, PAGE) == VMR_OK, "the page is refused");
        vmr_synic_port_remove(rig.ports[1]);
        rig.ports[1] = NULL;
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 1);
    }
    rig_finish(&rig);
}

static void reset_takes_the_page_and_keeps_the_registrations(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_OR(OTHER + PENDING(0), 4, BIT(1)), VMR_END());
    static const uint32_t ids[] = {1};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf, set_page(&rig, PAGE) == VMR_OK, "the page is refused");
        vmr_hv_guest_reset(vmr_partition_hv(rig.vm->partition));
        CONF_CHECK(conf, set_page(&rig, OTHER) == VMR_OK, "the page is refused after the reset");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 1);
    }
    rig_finish(&rig);
}

/* --- regions that come and go under it --- */

#define EXTRA UINT64_C(0x400000)

static void change_region(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_memory_region extra = {.gpa = EXTRA, .size = 3 * VMR_PAGE_SIZE};
    struct vmr_error err = {.message = ""};
    enum vmr_status status = number == 1 ? vmr_memory_region_remove(vm->memory, EXTRA, &err)
                                         : vmr_memory_region_add(vm->memory, &extra, &err);

    (void)vp;
    CONF_CHECK(vm->conf, status == VMR_OK, "%s", err.message);
}

static void a_region_may_go_and_come_back_under_the_page(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(EXTRA, 4, 5), VMR_OR(EXTRA + 0x1000 + PENDING(0), 4, BIT(1)), VMR_CHECKPOINT(1),
                 VMR_LOAD(5, EXTRA, 4), VMR_EXPECT(5, UINT32_MAX), VMR_CHECKPOINT(2), VMR_LOAD(5, EXTRA, 4),
                 VMR_EXPECT(5, 0), VMR_OR(EXTRA + 0x1000 + PENDING(0), 4, BIT(0)), VMR_STORE(EXTRA + 0x2000, 4, 8),
                 VMR_LOAD(5, EXTRA + 0x2000, 4), VMR_EXPECT(5, 8), VMR_END());
    static const uint32_t ids[] = {1, 0};
    const struct vmr_memory_region extra = {.gpa = EXTRA, .size = 3 * VMR_PAGE_SIZE};
    struct vmr_error err = {.message = ""};
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        rig.vm->on_checkpoint = change_region;
        CONF_CHECK(conf, vmr_memory_region_add(rig.vm->memory, &extra, &err) == VMR_OK, "%s", err.message);
        CONF_CHECK(conf, set_page(&rig, EXTRA + 0x1000) == VMR_OK, "the page is refused");
        (void)conf_run_to_end(rig.vm, 0);
        expect_heard(&rig, ids, 2);
    }
    rig_finish(&rig);
}

/* --- moved while it is used --- */

static void move_back_and_forth(void *argument)
{
    struct rig *rig = argument;
    const unsigned moves = rig->conf->exploring ? 1 : 20;

    for (unsigned i = 0; i < moves && !conf_over(rig->conf); i++) {
        CONF_CHECK(rig->conf, set_page(rig, i % 2 == 0 ? OTHER : PAGE) == VMR_OK, "a move is refused");
        conf_pause(rig->conf);
    }
}

/* Whatever the order: a bit is a signal or stays in RAM, never both and never neither. */
static void a_move_during_a_trigger_loses_nothing(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_OR(PAGE + PENDING(0), 4, BIT(1)), VMR_OR(OTHER + PENDING(0), 4, BIT(0)), VMR_END());
    struct rig rig;

    if (rig_init(&rig, conf, &program)) {
        CONF_CHECK(conf, set_page(&rig, PAGE) == VMR_OK, "the page is refused");
        struct vmr_thread *mover = conf_thread(conf, move_back_and_forth, &rig);

        (void)conf_run_to_end(rig.vm, 0);
        if (mover)
            conf_join(conf, mover);
        CONF_CHECK(conf, clear_page(&rig) == VMR_OK, "the page does not go");
        unsigned stayed = guest_word(rig.vm, PAGE + PENDING(0)) != 0 ? 1 : 0;

        stayed += guest_word(rig.vm, OTHER + PENDING(0)) != 0 ? 1 : 0;

        CONF_CHECK_EQ(conf, rig.ears.count + stayed, 2, "bits that were signalled or stayed");
    }
    rig_finish(&rig);
}

#define NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT) | CONF_CAP(READ_ONLY))
#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "monitor", .needs = NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(each_setting_of_a_bit_is_a_signal), .clauses = "MON-1"},
    {SCENARIO(bits_of_one_store_are_signalled_from_the_lowest), .clauses = "MON-1"},
    {SCENARIO(a_byte_in_the_middle_of_a_word_counts), .clauses = "MON-1"},
    {SCENARIO(bits_that_nobody_registered_are_skipped), .clauses = "MON-2"},
    {SCENARIO(armed_bits_and_the_header_signal_nothing), .clauses = "MON-2"},
    {SCENARIO(a_write_across_the_end_of_the_groups_is_swallowed), .clauses = "MON-2"},
    {SCENARIO(the_page_always_reads_zero), .clauses = "MON-3"},
    {SCENARIO(without_a_page_bits_are_ram), .clauses = "MON-4"},
    {SCENARIO(the_neighbours_of_the_page_stay_ram), .clauses = "MON-3"},
    {SCENARIO(a_page_that_moves_gives_back_what_it_covered), .clauses = "MON-3 MON-4"},
    {SCENARIO(an_allocated_page_is_the_same_until_it_is_given_back), .clauses = "MON-4"},
    {SCENARIO(bad_pages_and_ids_are_typed_errors), .clauses = "MON-5"},
    {SCENARIO(a_registration_that_is_gone_is_not_signalled), .clauses = "MON-2 MON-5"},
    {SCENARIO(reset_takes_the_page_and_keeps_the_registrations), .clauses = "MON-6"},
    {SCENARIO(a_region_may_go_and_come_back_under_the_page), .clauses = "MON-3 MEM-4"},
    {SCENARIO(a_move_during_a_trigger_loses_nothing), .clauses = "MON-4", .flags = CONF_EXPLORE},
};

CONF_FAMILY(monitor, scenarios);
