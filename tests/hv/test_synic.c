/* SPDX-License-Identifier: MIT */
/* The SynIC as a whole: options, failing creation, polls over VTLs, time that stands still, reset, restoring. */

#include "tests/hv/synic_rig.h"

#include "tests/support/counting_host.h"

#define SIMP (2 * PAGE)
#define TIMER_SINT (UINT64_C(2) << HV_STIMER_SINT_SHIFT)

static bool tsc_of_rig(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    assert_int_equal(vp, 0);
    *ret_tsc = ((struct rig *)context)->fake.now_ns * 2; /* 2 GHz */
    return true;
}

/* Each reading takes time: the first 80 us before and after, the next 40, and so on. */
static bool tsc_of_a_slow_host(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    struct rig *rig = context;
    uint64_t half_ns = 80000 >> rig->tsc_readings++;

    (void)vp;
    rig->fake.now_ns += half_ns;
    *ret_tsc = rig->fake.now_ns * 2;
    rig->fake.now_ns += half_ns;
    return true;
}

static bool no_tsc(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    (void)vp;
    (void)ret_tsc;
    ((struct rig *)context)->tsc_readings++;
    return false;
}

static void note_begin(void *context, const struct vmr_async *request)
{
    const struct vmr_synic_target *target = request->target;

    if (target)
        rig_note(context, "%s %u.%u.%u %llx", request->kind == VMR_ASYNC_MESSAGE ? "message" : "event",
                 (unsigned)target->vp, target->vtl, target->sint, (unsigned long long)request->a);
    else
        rig_note(context, "call %u %llx", (unsigned)request->a, (unsigned long long)request->b);
}

static void note_end(void *context)
{
    rig_note(context, "end");
}

/* --- making it --- */

enum wrong {
    NO_HOST,
    NO_MEMORY,
    NO_INTERRUPT,
    NO_WAKE,
    NO_VPS,
    TOO_MANY_VPS,
    TOO_MANY_VTLS,
    UNREADABLE_TSC,
    HALF_EVENTS,
    HALF_MONITOR,
    HALF_ALLOCATION,
    HALF_ORDER,
    WRONG_COUNT
};

static const struct vmr_synic_host_events half_events = {.add = rig_event_add};
static const struct vmr_synic_monitor_ops half_monitor = {.trap = rig_trap};
static const struct vmr_synic_monitor_ops half_allocation = {
    .trap = rig_trap, .untrap = rig_untrap, .allocate = rig_allocate};

/* Long because it is a table: one row for each way to be wrong. */
static enum vmr_status spoil(struct vmr_synic_options *options, enum wrong wrong)
{
    switch (wrong) {
    case NO_HOST:
        options->host = NULL;
        return VMR_E_USAGE;
    case NO_MEMORY:
        options->memory = NULL;
        return VMR_E_USAGE;
    case NO_INTERRUPT:
        options->interrupt = NULL;
        return VMR_E_USAGE;
    case NO_WAKE:
        options->wake = NULL;
        return VMR_E_USAGE;
    case NO_VPS:
        options->vp_count = 0;
        return VMR_E_CONFIG;
    case TOO_MANY_VPS:
        options->vp_count = VMR_VP_COUNT_MAX + 1;
        return VMR_E_CONFIG;
    case TOO_MANY_VTLS:
        options->vtl_count = VMR_VTL_COUNT + 1;
        return VMR_E_CONFIG;
    case UNREADABLE_TSC:
        options->tsc_hz = 1;
        return VMR_E_USAGE;
    case HALF_EVENTS:
        options->host_events = &half_events;
        return VMR_E_USAGE;
    case HALF_MONITOR:
        options->monitor = &half_monitor;
        return VMR_E_USAGE;
    case HALF_ALLOCATION:
        options->monitor = &half_allocation;
        return VMR_E_USAGE;
    case HALF_ORDER:
        options->async_begin = note_begin;
        return VMR_E_USAGE;
    case WRONG_COUNT:
    default:
        return VMR_OK;
    }
}

static void wrong_options_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct rig rig = {0};

    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    for (unsigned wrong = 0; wrong < WRONG_COUNT; wrong++) {
        struct vmr_synic_options options = rig_options(&rig);
        enum vmr_status expected = spoil(&options, (enum wrong)wrong);
        struct vmr_error err = {0};

        assert_int_equal(vmr_synic_create(&options, &rig.synic, &err), expected);
        assert_int_equal(err.status, expected);
        assert_int_equal(strncmp(err.message, "SynIC: ", 7), 0);
        assert_null(rig.synic);
    }
    rig_finish(&rig); /* destroying what is not there is fine */
}

static void a_creation_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct rig rig = {0};
    struct counting_host counting;
    struct vmr_host host;
    unsigned nth = 1;

    counting_host_init(&counting, &host);
    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    struct vmr_synic_options options = rig_options(&rig);

    options.host = &host;
    for (;; nth++) {
        fail_allocation(nth);
        enum vmr_status status = vmr_synic_create(&options, &rig.synic, NULL);
        bool failed = allocation_failed();

        fail_allocation(0);
        if (!failed)
            break;
        assert_int_equal(status, VMR_E_NOMEM);
        assert_null(rig.synic);
    }
    assert_true(nth > 2);
    vmr_synic_destroy(rig.synic);
    rig.synic = NULL;
    counting.fail_at = counting.calls + 1;
    assert_int_not_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
    assert_null(rig.synic);
    assert_int_equal(counting.live_parkers, 0);
    rig_finish(&rig);
}

static void vtl_0_is_the_only_one_unless_asked(void **state)
{
    (void)state;
    struct rig rig = {0};
    uint64_t value;

    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    struct vmr_synic_options options = rig_options(&rig);

    options.vtl_count = 0;
    assert_int_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
    assert_int_equal(vmr_synic_msr_read(rig.synic, 0, 0, HV_MSR_SIMP, &value), VMR_MSR_OK);
    assert_int_equal(vmr_synic_msr_read(rig.synic, 0, 1, HV_MSR_SIMP, &value), VMR_MSR_FAULT);
    assert_int_equal(vmr_synic_poll(rig.synic, RIG_VPS, 0), VMR_NEVER); /* no such VP */
    rig_finish(&rig);
}

/* --- polls --- */

static void a_poll_serves_every_vtl_and_answers_the_earliest_deadline(void **state)
{
    (void)state;
    struct rig rig;
    static const uint64_t counts[RIG_VTLS] = {900, 400};

    rig_init(&rig);
    for (uint8_t vtl = 0; vtl < RIG_VTLS; vtl++) {
        uint64_t config = HV_STIMER_ENABLE | HV_STIMER_DIRECT | (uint64_t)(0x70 + vtl) << HV_STIMER_VECTOR_SHIFT;

        assert_int_equal(vmr_synic_msr_write(rig.synic, 0, vtl, HV_MSR_STIMER0_CONFIG, config), VMR_MSR_OK);
        assert_int_equal(vmr_synic_msr_write(rig.synic, 0, vtl, HV_MSR_STIMER0_COUNT, counts[vtl]), VMR_MSR_OK);
    }
    assert_int_equal(rig_poll(&rig), 1000 + 40000);
    assert_int_equal(rig_advance(&rig, 400), 1000 + 90000);
    assert_int_equal(rig_advance(&rig, 500), VMR_NEVER);
    rig_expect(&rig, "irq 0.1 71;irq 0.0 70;");
    rig_finish(&rig);
}

/* A poll that finds nothing changed reads no guest memory, and no clock. */
static void count_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    (void)gpa;
    (void)bytes;
    (void)length;
    ++*(unsigned *)context;
}

static void a_quiet_poll_touches_nothing(void **state)
{
    (void)state;
    struct rig rig;
    unsigned reads = 0;
    const struct vmr_memory_observer observer = {.read = count_read, .context = &reads};

    rig_init(&rig);
    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    (void)rig_poll(&rig);
    unsigned clock_reads = rig.fake.clock_reads;

    vmr_memory_set_observer(rig.memory, &observer);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(rig_poll(&rig), VMR_NEVER);
    assert_int_equal(reads, 0);
    assert_int_equal(rig.fake.clock_reads, clock_reads);
    assert_int_equal(rig_post(&rig, 2, 2), VMR_OK);
    (void)rig_poll(&rig);
    assert_true(reads > 0);
    vmr_memory_set_observer(rig.memory, NULL);
    rig_finish(&rig);
}

/* --- time --- */

static void timers_stand_still_with_the_time(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | HV_STIMER_DIRECT | 0x61 << HV_STIMER_VECTOR_SHIFT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 100);
    assert_int_equal(rig_poll(&rig), 11000);
    rig.fake.now_ns += 5000;
    vmr_synic_time_pause(rig.synic);
    assert_int_equal(rig_advance(&rig, 700), VMR_NEVER);
    rig_expect(&rig, "");
    vmr_synic_time_resume(rig.synic);
    assert_int_equal(rig.wakes[0], 1);
    assert_int_equal(rig.wakes[2], 1);
    assert_int_equal(rig_poll(&rig), rig.fake.now_ns + 5000);
    (void)rig_advance(&rig, 50);
    rig_expect(&rig, "irq 0.0 61;");
    rig_finish(&rig);
}

static void setting_the_time_moves_deadlines(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | HV_STIMER_DIRECT | 0x61 << HV_STIMER_VECTOR_SHIFT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 100000);
    (void)rig_poll(&rig);
    vmr_synic_time_set(rig.synic, 99990);
    assert_int_equal(rig_poll(&rig), rig.fake.now_ns + 1000);
    vmr_synic_time_set(rig.synic, 200000);
    assert_int_equal(rig_poll(&rig), VMR_NEVER);
    rig_expect(&rig, "irq 0.0 61;");
    rig_finish(&rig);
}

/* With the reference TSC page at page 4. */
static void tsc_rig_init(struct rig *rig, uint64_t now_ns, uint64_t hz,
                         bool (*tsc)(void *context, vmr_vp_index vp, uint64_t *ret_tsc))
{
    fake_host_init(&rig->fake, now_ns);
    rig_add_ram(rig);
    struct vmr_synic_options options = rig_options(rig);

    options.tsc_hz = hz;
    options.tsc = tsc;
    assert_int_equal(vmr_synic_create(&options, &rig->synic, NULL), VMR_OK);
    rig_write(rig, HV_MSR_REFERENCE_TSC, 4 * PAGE | 1);
}

static void the_tsc_page_follows_the_time(void **state)
{
    (void)state;
    struct rig rig = {0};
    uint8_t before[HV_TSC_PAGE_BYTES], after[HV_TSC_PAGE_BYTES];

    tsc_rig_init(&rig, 1000, UINT64_C(2000000000), tsc_of_rig);
    assert_int_equal(rig_read(&rig, HV_MSR_REFERENCE_TSC), 4 * PAGE | 1);
    (void)rig_poll(&rig); /* on the VP's thread: only there can its TSC be read */
    assert_int_equal(vmr_memory_read(rig.memory, 4 * PAGE, before, sizeof(before)), VMR_OK);
    vmr_synic_time_pause(rig.synic);
    rig.fake.now_ns += 100000; /* 1,000 units that did not pass */
    vmr_synic_time_resume(rig.synic);
    assert_int_equal(vmr_memory_read(rig.memory, 4 * PAGE, after, sizeof(after)), VMR_OK);
    assert_int_equal(load_le32(after), HV_TSC_SEQUENCE_INVALID);
    (void)rig_poll(&rig);
    assert_int_equal(vmr_memory_read(rig.memory, 4 * PAGE, after, sizeof(after)), VMR_OK);
    assert_int_equal(load_le32(before), 1);
    assert_int_equal(load_le32(after), 2);
    int64_t moved = (int64_t)(load_le64(before + HV_TSC_OFFSET_OFFSET) - load_le64(after + HV_TSC_OFFSET_OFFSET));

    assert_true(moved >= 999 && moved <= 1001);
    assert_int_equal(vmr_synic_msr_write(rig.synic, 0, 0, HV_MSR_REFERENCE_TSC, RIG_HOLE | 1), VMR_MSR_FAULT);
    assert_int_equal(rig_read(&rig, HV_MSR_REFERENCE_TSC), 4 * PAGE | 1);
    rig_finish(&rig);
}

static void the_tightest_reading_of_the_clocks_counts(void **state)
{
    (void)state;
    struct rig rig = {0};
    uint8_t page[HV_TSC_PAGE_BYTES];

    /* What matters is the offset: TSC / 2 and the counter at one moment. */
    tsc_rig_init(&rig, 0, UINT64_C(20000000), tsc_of_a_slow_host);
    (void)rig_poll(&rig);
    assert_int_equal(rig.tsc_readings, 4);
    assert_int_equal(vmr_memory_read(rig.memory, 4 * PAGE, page, sizeof(page)), VMR_OK);
    /* The fourth: 10 us to either side, 290 us after the beginning. */
    assert_int_equal(load_le64(page + HV_TSC_OFFSET_OFFSET), UINT64_C(2900) - 290000);
    rig_finish(&rig);
}

static void a_tsc_that_cannot_be_read_is_asked_once(void **state)
{
    (void)state;
    struct rig rig = {0};
    uint8_t page[HV_TSC_PAGE_BYTES];

    tsc_rig_init(&rig, 0, UINT64_C(2000000000), no_tsc);
    (void)rig_poll(&rig);
    rig_write(&rig, HV_MSR_EOM, 0);
    (void)rig_poll(&rig);
    assert_int_equal(rig.tsc_readings, 1);
    assert_int_equal(vmr_memory_read(rig.memory, 4 * PAGE, page, sizeof(page)), VMR_OK);
    assert_int_equal(load_le32(page), HV_TSC_SEQUENCE_INVALID);
    rig_finish(&rig);
}

/* --- what waits --- */

static void a_message_for_a_busy_slot_waits(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x45);
    (void)rig_poll(&rig);
    assert_false(vmr_synic_waits(rig.synic, 0));
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    (void)rig_poll(&rig);
    assert_false(vmr_synic_waits(rig.synic, 0));
    assert_int_equal(rig_post(&rig, 2, 2), VMR_OK);
    (void)rig_poll(&rig);
    assert_true(vmr_synic_waits(rig.synic, 0));
    assert_false(vmr_synic_waits(rig.synic, 1));
    rig_free_slot(&rig, SIMP, 2);
    (void)rig_poll(&rig);
    assert_false(vmr_synic_waits(rig.synic, 0));
    rig_expect(&rig, "irq 0.0 45;irq 0.0 45;");
    rig_finish(&rig);
}

/* --- reset --- */

static bool never_full(void *context, const void *payload, size_t length, bool trusted)
{
    (void)payload;
    (void)length;
    (void)trusted;
    rig_note(context, "posted");
    return true;
}

/* Long because reset is of everything: all is changed, reset, and looked at. */
static void reset_is_power_up_but_for_ports_and_time(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_synic_port *handle = NULL;
    uint64_t value = 0;

    rig_init(&rig);
    const struct vmr_message_port port = {.connection_id = 9, .post = never_full, .context = &rig};

    assert_int_equal(vmr_synic_message_port_add(rig.synic, &port, &handle, NULL), VMR_OK);
    rig.fake.now_ns += 5000;
    rig_write(&rig, HV_MSR_SCONTROL, 0);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SIEFP, 3 * PAGE | 1);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | TIMER_SINT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 60);
    rig_write(&rig, HV_MSR_REFERENCE_TSC, 4 * PAGE | 1);
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 2), VMR_OK);
    (void)rig_poll(&rig);
    assert_int_equal(rig_post(&rig, 2, 3), VMR_OK);
    rig_forget(&rig);
    vmr_synic_reset(rig.synic);
    assert_int_equal(rig_advance(&rig, 1000), VMR_NEVER);
    rig_expect(&rig, "");
    for (uint32_t index = HV_MSR_SINT0; index < HV_MSR_SINT0 + HV_SINT_COUNT; index++)
        assert_int_equal(rig_read(&rig, index), HV_SINT_MASKED);
    assert_int_equal(rig_read(&rig, HV_MSR_SCONTROL), 1);
    assert_int_equal(rig_read(&rig, HV_MSR_SIMP) | rig_read(&rig, HV_MSR_SIEFP), 0);
    assert_int_equal(rig_read(&rig, HV_MSR_STIMER0_CONFIG) | rig_read(&rig, HV_MSR_STIMER0_COUNT), 0);
    assert_int_equal(rig_read(&rig, HV_MSR_REFERENCE_TSC), 0);
    /* Content was discarded: the message that was in the slot is not in the new page. */
    rig_write(&rig, HV_MSR_SIMP, 7 * PAGE | 1);
    assert_int_equal(rig_slot_type(&rig, 7 * PAGE, 2), 0);
    /* And these survive. */
    value = vmr_synic_time(rig.synic);
    assert_int_equal(value, 1050);
    assert_int_equal(vmr_synic_guest_post(rig.synic, 0, 9, NULL, 0), HV_STATUS_SUCCESS);
    rig_expect(&rig, "posted;");
    vmr_synic_port_remove(handle);
    rig_finish(&rig);
}

static void discard(void *context, uint16_t flag)
{
    (void)context;
    (void)flag;
}

/* What follows from a request lies between its beginning and its end; what is refused has neither. */
static void a_recorder_is_told_what_threads_from_outside_do(void **state)
{
    (void)state;
    struct rig rig = {0};
    const struct vmr_event_port port = {.connection_id = 7, .signal = discard};
    const struct vmr_synic_target target = {.vp = 1, .sint = 2}, nowhere = {.sint = HV_SINT_COUNT};
    const struct vmr_synic_message message = {.type = 9};
    const vmr_gpa page = 5 * PAGE;
    struct vmr_guest_event_port *guest_port = NULL;
    struct vmr_synic_port *handle = NULL;

    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    struct vmr_synic_options options = rig_options(&rig);

    options.async_begin = note_begin;
    options.async_end = note_end;
    assert_int_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
    assert_int_equal(vmr_synic_post_message(rig.synic, &target, &message), VMR_OK);
    rig_expect(&rig, "message 1.0.2 9;end;");
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, 3), VMR_SYNIC_NOT_SIGNALED);
    rig_expect(&rig, "event 1.0.2 3;end;");
    assert_int_equal(vmr_synic_post_message(rig.synic, &nowhere, &message), VMR_E_USAGE);
    assert_int_equal(vmr_synic_signal_event(rig.synic, &nowhere, 3), VMR_SYNIC_NOT_SIGNALED);
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, HV_EVENT_FLAG_COUNT), VMR_SYNIC_NOT_SIGNALED);
    rig_expect(&rig, "");
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handle, NULL), VMR_OK);
    vmr_synic_port_remove(handle);
    rig_expect(&rig, "call 0 7;end;call 1 7;end;");
    assert_int_equal(vmr_guest_event_port_create(rig.synic, &target, 3, &guest_port, NULL), VMR_OK);
    vmr_guest_event_port_set_target_vp(guest_port, 2);
    assert_int_equal(vmr_guest_event_port_set(guest_port, NULL, 0, NULL), VMR_OK);
    rig_expect(&rig, "call 2 2;end;call 2 ffffffffffffffff;end;");
    assert_int_equal(vmr_synic_monitor_set_page(rig.synic, 0, &page, NULL), VMR_OK);
    rig_expect(&rig, "call 3 5000;trap 5000;end;");
    vmr_synic_time_set(rig.synic, 0x123);
    rig_expect(&rig, "call 4 123;end;");
    rig_finish(&rig);
    vmr_guest_event_port_destroy(guest_port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused_with_a_reason),
        cmocka_unit_test(a_creation_that_fails_leaves_nothing),
        cmocka_unit_test(vtl_0_is_the_only_one_unless_asked),
        cmocka_unit_test(a_poll_serves_every_vtl_and_answers_the_earliest_deadline),
        cmocka_unit_test(a_quiet_poll_touches_nothing),
        cmocka_unit_test(timers_stand_still_with_the_time),
        cmocka_unit_test(setting_the_time_moves_deadlines),
        cmocka_unit_test(the_tsc_page_follows_the_time),
        cmocka_unit_test(the_tightest_reading_of_the_clocks_counts),
        cmocka_unit_test(a_tsc_that_cannot_be_read_is_asked_once),
        cmocka_unit_test(a_message_for_a_busy_slot_waits),
        cmocka_unit_test(reset_is_power_up_but_for_ports_and_time),
        cmocka_unit_test(a_recorder_is_told_what_threads_from_outside_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
