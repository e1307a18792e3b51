/* SPDX-License-Identifier: MIT */
/*
 * The state of the Hyper-V interface: a guest that is moved in the middle of
 * something goes on with it in a VM that was just made. Each move also finds
 * that what was put in comes out again, and that RAM was not written.
 */

#include "conformance/scenarios/hv_state_words.h"
#include "conformance/scenarios/vtl_words.h"

#define MS UINT64_C(10000) /* in units of 100 ns */
#define LATER UINT64_C(100000000000)
#define CONFIG(timer) (HV_MSR_STIMER0_CONFIG + 2u * (timer))
#define COUNT(timer) (HV_MSR_STIMER0_COUNT + 2u * (timer))
#define DIRECT(vector) (HV_STIMER_ENABLE | HV_STIMER_DIRECT | (uint64_t)(vector) << HV_STIMER_VECTOR_SHIFT)
#define TO_SINT (HV_STIMER_ENABLE | (uint64_t)SINT << HV_STIMER_SINT_SHIFT)
#define ARM(timer, config, count) VMR_WRMSR(COUNT(timer), count), VMR_WRMSR(CONFIG(timer), config)
#define KEEP(n, gpa) VMR_LOAD(4, gpa, 8), VMR_STORE_VAR(WORD(n), 8, 4)
#define KEEP_TIME(n) VMR_RDMSR(4, HV_MSR_TIME_REF_COUNT), VMR_STORE_VAR(WORD(n), 8, 4)
/*
 * Until reference time `time`, by a timer that raises V2 for the n-th time. A
 * message that comes meanwhile is seen in its slot: its interrupt may be lost,
 * before the guest turns its local APIC on. Three steps.
 */
#define SLEEP_UNTIL(time, n) ARM(3, DIRECT(V2), time), VMR_WAIT_VECTOR(V2, n)
#define DELIVERY (SLOT(SINT) + HV_MESSAGE_PAYLOAD_OFFSET + HV_TIMER_DELIVERY_OFFSET)
#define EXPIRATION (SLOT(SINT) + HV_MESSAGE_PAYLOAD_OFFSET + HV_TIMER_EXPIRATION_OFFSET)

/* What a scenario sees of the state that is being moved; optional. */
typedef void see_function(struct conf *conf, const struct moved *moved);

/* A guest's program until VMR_RESET, and what becomes of it. */
struct journey {
    const struct vmr_program *program, *vtl1;
    void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number); /* at checkpoints, before the move and after */
    bool in_library; /* the timers are the library's, whatever the hypervisor has */
    bool late;       /* it begins at reference time LATER */
    see_function *see;
};

static struct conf_vm *ready_vm(struct conf *conf, const struct journey *journey)
{
    const struct conf_vm_options options = {.hv = &hv_all, .hv_in_library = journey->in_library};
    struct conf_vm *vm = conf_vm_create(conf, &options);

    if (!vm || !vtl_write_context(vm) || !conf_load(vm, 0, journey->program) ||
        (journey->vtl1 && !conf_load_vtl(vm, 0, VMR_VTL1, journey->vtl1)) || !conf_bind(vm, 0))
        return NULL;
    vm->on_checkpoint = journey->act;
    return vm;
}

/* To the reset, and its state. NULL: failed. */
static struct moved *depart(struct conf *conf, const struct journey *journey)
{
    struct conf_vm *vm = ready_vm(conf, journey);

    if (!vm)
        return NULL;
    if (journey->late)
        vmr_synic_time_set(synic_of(vm), LATER);
    expect_halt(vm, NULL, VMR_HALT_RESET);
    struct moved *moved = conf_failed(conf) ? NULL : moved_take(vm);

    conf_vm_destroy(vm); /* a hypervisor may have one VM at a time */
    return moved;
}

/* The other VM, about to go on. NULL: failed, or skipped. */
static struct conf_vm *move(struct conf *conf, const struct journey *journey)
{
    struct moved *moved = can_move(conf) ? depart(conf, journey) : NULL;
    struct conf_vm *vm = moved ? ready_vm(conf, journey) : NULL;
    bool put = vm && moved_put(moved, vm);

    if (put && journey->see)
        journey->see(conf, moved);
    moved_free(moved);
    return put ? vm : NULL;
}

static void travel(struct conf *conf, const struct journey *journey)
{
    struct conf_vm *vm = move(conf, journey);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* --- messages and flags --- */

static void post_three_and_signal(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 2)
        signal_to(vm, SINT, 64, VMR_SYNIC_SIGNALED);
    if (number != 1)
        return;
    for (uint64_t i = 1; i <= 3; i++)
        post_to(vm, SINT, i);
    signal_to(vm, SINT, 5, VMR_SYNIC_SIGNALED);
    signal_to(vm, SINT, 2047, VMR_SYNIC_SIGNALED);
}

static void see_two_messages(struct conf *conf, const struct moved *moved)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_MESSAGE_QUEUE, .instance = SINT};
    const struct vmr_hv_queue_state *queue = moved_value(moved, false, &id);

    CONF_REQUIRE(conf, queue, "there is no queue");
    CONF_CHECK_EQ(conf, queue->count, 2, "messages that wait");
}

/* The first is in its slot, two wait; nobody posts again. */
static void messages_that_wait_are_delivered_elsewhere(struct conf *conf)
{
    CONF_PROGRAM(posted, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_MESSAGE(SINT, 1, 1), VMR_RESET(), APIC_ON(),
                 EXPECT_MESSAGE(SINT, 1, 1), EXPECT_MARK(SINT, 1), FREE_SLOT(SINT), EOM(), EXPECT_MESSAGE(SINT, 1, 2),
                 FREE_SLOT(SINT), EOM(), EXPECT_MESSAGE(SINT, 1, 3), FREE_SLOT(SINT), EOM(), EXPECT_EMPTY(SINT),
                 EXPECT_AT(FLAGS(SINT), 8, 1u << 5), EXPECT_AT(FLAGS(SINT) + 248, 8, UINT64_C(1) << 63),
                 VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT) + 8, 8, 1), VMR_END());

    travel(conf, &(struct journey){.program = &posted, .act = post_three_and_signal, .see = see_two_messages});
}

/* The slot becomes free on the way, where nobody could notice: the first entry brings the next. */
static void a_queue_needs_no_other_event(struct conf *conf)
{
    CONF_PROGRAM(freed, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_MESSAGE(SINT, 1, 1), VMR_RESET(),
                 EXPECT_MESSAGE(SINT, 1, 2), VMR_END());
    const struct journey journey = {.program = &freed, .act = post_three_and_signal};
    struct moved *moved = can_move(conf) ? depart(conf, &journey) : NULL;
    struct conf_vm *vm = moved ? ready_vm(conf, &journey) : NULL;

    struct vmr_hv_page_state *simp = moved_value(moved, false, &(struct vmr_state_id){.state_class = VMR_VP_SIMP});

    if (vm && simp) {
        memset(moved->ram + SLOT(SINT), 0, 4);
        memset(simp->content + SINT * HV_MESSAGE_BYTES, 0, 4);
        if (moved_put(moved, vm))
            (void)conf_run_to_end(vm, 0);
    }
    moved_free(moved);
}

static void signal_unseen(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        signal_to(vm, SINT, 70, VMR_SYNIC_SIGNALED);
    if (number == 2)
        signal_to(vm, SINT, 70, VMR_SYNIC_NOT_SIGNALED); /* it is set already */
}

static void flags_of_a_page_that_is_off_come_along(struct conf *conf)
{
    CONF_PROGRAM(unseen, APIC_ON(), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1), VMR_RESET(),
                 VMR_CHECKPOINT(2), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u), EXPECT_AT(FLAGS(SINT) + 8, 8, 1u << 6),
                 VMR_END());

    travel(conf, &(struct journey){.program = &unseen, .act = signal_unseen});
}

/* --- timers --- */

static void a_one_shot_fires_once_elsewhere(struct conf *conf)
{
    APIC_PROGRAM(one_shot, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, TO_SINT, LATER + 50 * MS), VMR_RESET(), APIC_ON(),
                 SLEEP_UNTIL(LATER + 60 * MS, 1), EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED),
                 KEEP(0, DELIVERY), KEEP(1, EXPIRATION), HV_EXPECT_MSR(CONFIG(0), TO_SINT & ~HV_STIMER_ENABLE),
                 FREE_SLOT(SINT), EOM(), SLEEP_UNTIL(LATER + 63 * MS, 2), EXPECT_EMPTY(SINT), VMR_END());
    const struct journey journey = {.program = &one_shot, .late = true};
    struct conf_vm *vm = move(conf, &journey);

    if (!vm || !conf_run_to_end(vm, 0))
        return;
    CONF_CHECK(conf, word(vm, 0) >= LATER + 50 * MS, "it fired early, at %llu", (unsigned long long)word(vm, 0));
    CONF_CHECK_EQ(conf, word(vm, 1), LATER + 50 * MS, "the time for which it was set");
}

/* Whole periods lie between what it was due for here and there. */
static void a_periodic_timer_keeps_its_phase_elsewhere(struct conf *conf)
{
    APIC_PROGRAM(periodic, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(1, TO_SINT | HV_STIMER_PERIODIC, 20 * MS),
                 VMR_WAIT_VECTOR(V, 1), KEEP(0, EXPIRATION), FREE_SLOT(SINT), EOM(), VMR_RESET(), APIC_ON(),
                 SLEEP_UNTIL(LATER + 100 * MS, 1), EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED),
                 KEEP(1, EXPIRATION), VMR_WRMSR(CONFIG(1), 0), VMR_END());
    const struct journey journey = {.program = &periodic, .late = true, .in_library = true};
    struct conf_vm *vm = move(conf, &journey);

    if (!vm || !conf_run_to_end(vm, 0))
        return;
    uint64_t apart = word(vm, 1) - word(vm, 0);

    CONF_CHECK(conf, apart > 0 && apart % (20 * MS) == 0, "due %llu and %llu", (unsigned long long)word(vm, 0),
               (unsigned long long)word(vm, 1));
}

/* Due while its slot was taken: it goes when the guest frees it, in the other VM. */
static void a_timer_that_waits_for_its_slot_goes_elsewhere(struct conf *conf)
{
    CONF_PROGRAM(stalled, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_MESSAGE(SINT, 1, 1), FREE_SLOT(SINT), EOM(),
                 EXPECT_MESSAGE(SINT, 1, 2), FREE_SLOT(SINT), EOM(), EXPECT_MESSAGE(SINT, 1, 3), ARM(2, TO_SINT, 1),
                 EXPECT_MESSAGE(SINT, 1, 3), VMR_RESET(), EXPECT_MESSAGE(SINT, 1, 3), FREE_SLOT(SINT), EOM(),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), EXPECT_AT(EXPIRATION, 8, 1), VMR_END());

    travel(conf, &(struct journey){.program = &stalled, .late = true, .act = post_three_and_signal});
}

static void timers_that_are_off_stay_off(struct conf *conf)
{
    CONF_PROGRAM(off, SYNIC_ON(SINT, V), ARM(0, 5ull << HV_STIMER_SINT_SHIFT, 777),
                 VMR_WRMSR(CONFIG(1), HV_STIMER_AUTO_ENABLE | 4u << HV_STIMER_SINT_SHIFT), VMR_RESET(), APIC_ON(),
                 HV_EXPECT_MSR(CONFIG(0), 5ull << HV_STIMER_SINT_SHIFT), HV_EXPECT_MSR(COUNT(0), 777),
                 HV_EXPECT_MSR(CONFIG(1), HV_STIMER_AUTO_ENABLE | 4u << HV_STIMER_SINT_SHIFT), EXPECT_EMPTY(SINT),
                 VMR_END());

    travel(conf, &(struct journey){.program = &off, .late = true});
}

/* --- time --- */

static void the_counter_goes_on_elsewhere(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    CONF_PROGRAM(counts, KEEP_TIME(0), VMR_RESET(), KEEP_TIME(1), VMR_END());
    const struct journey journey = {.program = &counts, .late = true};
    uint64_t begun_ns = host->ops->now_ns(host->context);
    struct conf_vm *vm = move(conf, &journey);

    if (!vm || !conf_run_to_end(vm, 0))
        return;
    uint64_t passed = (host->ops->now_ns(host->context) - begun_ns) / 100 + 1;

    CONF_CHECK(conf, word(vm, 0) >= LATER && word(vm, 1) >= word(vm, 0), "it went back: %llu, then %llu",
               (unsigned long long)word(vm, 0), (unsigned long long)word(vm, 1));
    CONF_CHECK(conf, word(vm, 1) - word(vm, 0) <= passed, "%llu units, where %llu have passed",
               (unsigned long long)(word(vm, 1) - word(vm, 0)), (unsigned long long)passed);
}

/* --- pages --- */

static void pages_stay_where_they_are(struct conf *conf)
{
    CONF_PROGRAM(
        placed, HV_OPEN(), SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
        VMR_STORE(HV_PAGE_1 + 64, 8, 0x1234), VMR_STORE(SLOT(7) + 16, 8, 0x77), VMR_WRMSR(HV_MSR_CRASH_P0, 0x99),
        VMR_RESET(), HV_EXPECT_MSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), HV_EXPECT_MSR(HV_MSR_SIMP, HV_SIMP | 1u),
        HV_EXPECT_MSR(HV_MSR_SINT0 + SINT, V), HV_EXPECT_MSR(HV_MSR_CRASH_P0, 0x99),
        EXPECT_AT(HV_PAGE_1 + 64, 8, 0x1234), EXPECT_AT(SLOT(7) + 16, 8, 0x77),
        VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_2 | 1u), EXPECT_AT(HV_PAGE_2 + 64, 8, 0x1234),
        HV_EXPECT_CALL(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 0x77, 0, HV_STATUS_INVALID_CONNECTION_ID), VMR_END());

    travel(conf, &(struct journey){.program = &placed});
}

static void content_of_pages_that_are_off_comes_along(struct conf *conf)
{
    CONF_PROGRAM(off, VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_STORE(SLOT(3) + 16, 8, 0x33),
                 VMR_WRMSR(HV_MSR_SIMP, HV_SIMP), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
                 VMR_STORE(HV_PAGE_1, 8, 0x44), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, 0), VMR_STORE(SLOT(3) + 16, 8, 0),
                 VMR_RESET(), HV_EXPECT_MSR(HV_MSR_SIMP, HV_SIMP), VMR_WRMSR(HV_MSR_SIMP, HV_PAGE_2 | 1u),
                 EXPECT_AT(SLOT_AT(HV_PAGE_2, 3) + 16, 8, 0x33), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
                 EXPECT_AT(HV_PAGE_1, 8, 0x44), VMR_END());

    travel(conf, &(struct journey){.program = &off});
}

/* --- the monitor page --- */

static void hear(void *context, uint16_t flag)
{
    *(unsigned *)context += flag == 0;
}

static void the_monitor_page_comes_along_and_a_reset_takes_it_away(struct conf *conf)
{
    const struct vmr_state_id id = {.state_class = VMR_VM_MONITOR};
    CONF_PROGRAM(sets, VMR_CHECKPOINT(1), VMR_STORE(HV_PAGE_1 + HV_MONITOR_GROUPS_OFFSET, 4, 2), VMR_END());
    const struct journey journey = {.program = &sets};
    struct vmr_hv_monitor_state state = {0};
    unsigned heard = 0;
    const struct vmr_event_port port = {
        .connection_id = 0x100, .has_monitor = true, .monitor_id = 1, .signal = hear, .context = &heard};
    struct vmr_synic_port *handle = NULL;
    struct conf_vm *vm = can_move(conf) ? ready_vm(conf, &journey) : NULL;
    const vmr_gpa page = HV_PAGE_1;

    if (!vm)
        return;
    CONF_REQUIRE(conf, vmr_synic_monitor_set_page(synic_of(vm), 0, &page, NULL) == VMR_OK, "no monitor page");
    CONF_CLEANUP(moved_end) struct moved *moved = moved_take(vm);

    conf_vm_destroy(vm);
    vm = moved ? ready_vm(conf, &journey) : NULL;
    CONF_REQUIRE(conf, vm && moved_put(moved, vm), "no other VM");
    CONF_CHECK_EQ(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handle, NULL), VMR_OK, "listening");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, heard, 1, "signals");
    CONF_CHECK(conf, conf_reset(vm), "the reset");
    CONF_CHECK_EQ(conf, vmr_partition_state_get(vm->partition, &id, &state, NULL), VMR_OK, "reading");
    CONF_CHECK(conf, !state.has_page && state.gpa == 0, "the page is at %#llx still", (unsigned long long)state.gpa);
    vmr_synic_port_remove(handle);
}

/* --- VTLs --- */

#define LSTAR 0xc0000082u
#define VTL_SWITCHED_BACK() VMR_VTL_RETURN(VTL_CODE_PAGE, 1)

static void see_vtl0_with_both(struct conf *conf, const struct moved *moved)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_VTLS};
    const struct vmr_hv_vp_vtls_state *vtls = moved_value(moved, false, &id);

    CONF_REQUIRE(conf, vtls, "there are no VTLs");
    CONF_CHECK_EQ(conf, vtls->active, 0, "the active VTL");
    CONF_CHECK_EQ(conf, vtls->entered, 3, "VTLs that were entered");
}

/* What VTL 1 protected is protected, and it is entered for an access that it does not allow. */
static void what_a_vtl_protects_stays_protected(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_LOAD(5, VTL_SECRET, 8), VMR_STORE(VTL_SECRET, 8, 1), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_READ, HV_RESULT(0, 1)),
                 VTL_SWITCHED_BACK(), VMR_RESET(), VMR_END());
    const struct journey journey = {.program = &vtl0, .vtl1 = &vtl1, .see = see_vtl0_with_both};
    struct conf_vm *vm = move(conf, &journey);

    if (!vm)
        return;
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), 1, "the VTL that is asked");
    CONF_CHECK_EQ(conf, guest_word(vm, VTL_SECRET), 0, "what is protected");
    CONF_CHECK_EQ(conf, guest_word(vm, SLOT_AT(VTL_SIMP, 0)), HV_MESSAGE_TYPE_GPA_INTERCEPT, "the message");
}

static void see_vtl1(struct conf *conf, const struct moved *moved)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_VTLS};
    const struct vmr_hv_vp_vtls_state *vtls = moved_value(moved, false, &id);

    CONF_CHECK(conf, vtls && vtls->active == 1, "the VP is not in VTL 1");
}

/* VTL 1 deals with an access of VTL 0, which waits in the middle of it. */
static void a_vp_is_in_the_vtl_it_was_in(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_WRMSR(LSTAR, 0x111), VMR_STORE(VTL_SECRET, 8, 0x55), VMR_RDMSR(5, LSTAR),
                 VMR_EXPECT(5, 0x111), EXPECT_AT(VTL_SECRET, 8, 0x55), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VMR_WRMSR(LSTAR, 0x222),
                 VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_READ, HV_RESULT(0, 1)), VTL_SWITCHED_BACK(), VMR_RESET(),
                 HV_EXPECT_MSR(LSTAR, 0x222), HV_EXPECT_MSR(HV_MSR_SIMP, VTL_SIMP | 1u),
                 EXPECT_AT(SLOT_AT(VTL_SIMP, 0), 4, HV_MESSAGE_TYPE_GPA_INTERCEPT),
                 VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_ALL, HV_RESULT(0, 1)), VTL_SWITCHED_BACK(), VMR_END());

    const struct journey journey = {.program = &vtl0, .vtl1 = &vtl1, .see = see_vtl1};
    struct conf_vm *vm = move(conf, &journey);

    if (!vm)
        return;
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), 1, "its VTL");
    (void)conf_run_to_end(vm, 0);
}

/* It was enabled with registers, and begins with them though it begins elsewhere. */
static void a_vtl_that_was_not_entered_begins_as_it_was_enabled(struct conf *conf)
{
    CONF_PROGRAM(vtl0, HV_OPEN(), VTL_ENABLE(HV_CODE_PAGE, 1, 0), VTL_ENABLE_VP(HV_CODE_PAGE, HV_VP_INDEX_SELF, 1, 0),
                 VMR_RESET(), VMR_STORE(VTL_CONTEXT + 16 + HV_INITIAL_CR3, 8, 0), VMR_VTL_CALL(HV_CODE_PAGE),
                 VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_RESET(), VTL_SWITCHED_BACK(), VMR_END());
    const struct journey journey = {.program = &vtl0, .vtl1 = &vtl1};
    struct vmr_x86_regs regs = {0};
    struct conf_vm *vm = move(conf, &journey);

    if (!vm)
        return;
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vmr_vp_get_regs(vm->vps[0], &regs), VMR_OK, "reading registers");
    CONF_CHECK_EQ(conf, regs.cr3, VTL_CR3, "CR3 of VTL 1");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), 1, "its VTL");
    (void)conf_run_to_end(vm, 0);
}

static void a_vtl_that_cannot_be_entered_is_refused(struct conf *conf)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_VTLS};
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_VTL_CALL(HV_CODE_PAGE), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_SWITCHED_BACK(), VTL_SWITCHED_BACK(), VMR_END());
    struct vmr_hv_vp_vtls_state value, now;
    struct vmr_error err = {.message = ""};
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_state_get(vm->vps[0], &id, &now, NULL) == VMR_OK, "reading");
    value = now;
    value.active = 2;
    CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &value, &err), VMR_E_CONFIG, "VTL 2");
    CONF_CHECK(conf, strstr(err.message, "vtls: active") != NULL, "no class and field in: %s", err.message);
    value = now;
    value.vectors[0] = 1;
    CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &value, &err), VMR_E_CONFIG, "a vector for VTL 0");
    CONF_REQUIRE(conf, vmr_vp_state_get(vm->vps[0], &id, &value, NULL) == VMR_OK, "reading");
    CONF_CHECK(conf, vmr_state_equal(vmr_vp_class_type(VMR_VP_VTLS), &value, &now, true, NULL), "something changed");
    (void)conf_run_to_end(vm, 0);
}

/* --- reset --- */

static bool is_the_interface_s(const struct conf_vm *vm, const struct moved_state *state)
{
    struct vmr_hv_guest *hv = vmr_partition_hv(vm->partition);
    uint64_t classes = state->of_partition ? vmr_hv_guest_vm_classes(hv) : vmr_hv_guest_vp_classes(hv);

    return (classes >> state->id.state_class & 1) != 0;
}

static void compare_with_power_up(struct conf_vm *vm, const struct moved_state *state)
{
    void *fresh = calloc(1, moved_type(state)->size);

    CONF_REQUIRE(vm->conf, fresh, "out of memory");
    if (state->of_partition)
        vmr_partition_state_at_reset(vm->partition, &state->id, fresh);
    else
        vmr_vp_state_at_reset(vm->vps[state->vp], &state->id, fresh);
    CONF_CHECK(vm->conf, vmr_state_equal(moved_type(state), state->value, fresh, false, NULL),
               "'%s' is not as at power-up", moved_type(state)->name);
    free(fresh);
}

/* Everything that a guest can set up, in both VTLs; then a reset; and then it sets all of it up again. */
static void a_reset_puts_every_register_back(struct conf *conf)
{
    CONF_PROGRAM(busy, HV_OPEN(), SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
                 VMR_STORE(HV_PAGE_1 + 64, 8, 1), VMR_WRMSR(HV_MSR_CRASH_P0, 5), ARM(0, TO_SINT, UINT64_C(1) << 50),
                 ARM(1, DIRECT(V2) | HV_STIMER_PERIODIC, UINT64_C(1) << 40), VMR_CHECKPOINT(1),
                 EXPECT_MESSAGE(SINT, 1, 1), VMR_WRMSR(HV_MSR_SCONTROL, 0), VMR_RESET(), VMR_END());
    const struct journey journey = {.program = &busy, .act = post_three_and_signal};
    struct conf_vm *vm = can_move(conf) ? ready_vm(conf, &journey) : NULL;

    if (!vm)
        return;
    for (unsigned round = 0; round < 2; round++) {
        expect_halt(vm, NULL, VMR_HALT_RESET);
        CONF_REQUIRE(conf, conf_reset(vm), "the reset");
        struct moved *moved = moved_take(vm);

        for (size_t i = 0; moved && i < moved->count; i++) {
            if (is_the_interface_s(vm, &moved->states[i]))
                compare_with_power_up(vm, &moved->states[i]);
        }
        moved_free(moved);
        CONF_REQUIRE(conf, conf_begin_again(vm), "beginning again");
    }
}

#define SCENARIO(function) .name = #function, .family = "hv-state", .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(messages_that_wait_are_delivered_elsewhere), .clauses = "HVS-1 HVS-2 HVS-3", .ids = "SNAP-03 SYN-08",
     .needs = HV_NEEDS},
    {SCENARIO(a_queue_needs_no_other_event), .clauses = "HVS-3", .ids = "S22", .needs = HV_NEEDS},
    {SCENARIO(flags_of_a_page_that_is_off_come_along), .clauses = "HVS-1 SYN-10", .ids = "SNAP-03", .needs = HV_NEEDS},
    {SCENARIO(a_one_shot_fires_once_elsewhere), .clauses = "HVS-4 STM-1", .ids = "SNAP-03", .needs = HV_NEEDS},
    {SCENARIO(a_periodic_timer_keeps_its_phase_elsewhere), .clauses = "HVS-4 STM-2", .needs = HV_NEEDS},
    {SCENARIO(a_timer_that_waits_for_its_slot_goes_elsewhere), .clauses = "HVS-4 STM-5", .needs = HV_NEEDS},
    {SCENARIO(timers_that_are_off_stay_off), .clauses = "HVS-4", .needs = HV_NEEDS},
    {SCENARIO(the_counter_goes_on_elsewhere), .clauses = "HVS-1 TIME-2", .ids = "CLK-03", .needs = HV_NEEDS},
    {SCENARIO(pages_stay_where_they_are), .clauses = "HVS-2", .needs = HV_NEEDS},
    {SCENARIO(content_of_pages_that_are_off_comes_along), .clauses = "HVS-2 OVL-1", .needs = HV_NEEDS},
    {SCENARIO(the_monitor_page_comes_along_and_a_reset_takes_it_away), .clauses = "HVS-1 MON-6", .ids = "MON-06",
     .needs = HV_NEEDS | CONF_CAP(READ_ONLY)},
    {SCENARIO(what_a_vtl_protects_stays_protected), .clauses = "HVS-5 VTL-5 VTL-9", .needs = VTL_NEEDS},
    {SCENARIO(a_vp_is_in_the_vtl_it_was_in), .clauses = "HVS-5 VTL-7", .needs = VTL_NEEDS},
    {SCENARIO(a_vtl_that_was_not_entered_begins_as_it_was_enabled), .clauses = "HVS-5 VTL-6", .needs = VTL_NEEDS},
    {SCENARIO(a_vtl_that_cannot_be_entered_is_refused), .clauses = "HVS-1 HVS-5", .needs = VTL_NEEDS},
    {SCENARIO(a_reset_puts_every_register_back), .clauses = "HVS-6 RST-1", .ids = "RST-03", .needs = HV_NEEDS},
};

CONF_FAMILY(hv_state, scenarios);
