/* SPDX-License-Identifier: MIT */
/* Messages, event flags and timer messages of one VP, seen from the guest's pages. */

#include "tests/hv/synic_rig.h"

#define SIMP (2 * PAGE)
#define SIEFP (3 * PAGE)

static void rig_init_with_pages(struct rig *rig)
{
    rig_init(rig);
    rig_write(rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(rig, HV_MSR_SIEFP, SIEFP | 1);
    rig_write(rig, HV_MSR_SINT0 + 2, 0x52);
}

/* --- messages --- */

static void a_message_is_256_bytes_in_its_slot(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t payload[240], slot[HV_MESSAGE_BYTES];
    const struct vmr_synic_target target = {.sint = 2};
    const struct vmr_synic_message message = {0x1234, UINT64_C(0x1122334455667788), payload, sizeof(payload)};

    rig_init_with_pages(&rig);
    for (unsigned i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i + 1);
    assert_int_equal(vmr_memory_fill(rig.memory, SIMP + 2 * 256 + 4, 0xee, 252), VMR_OK); /* left by the guest */
    assert_int_equal(vmr_synic_post_message(rig.synic, &target, &message), VMR_OK);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 0); /* the VP's thread does it */
    assert_int_equal(rig_poll(&rig), VMR_NEVER);
    assert_int_equal(vmr_memory_read(rig.memory, SIMP + 2 * 256, slot, sizeof(slot)), VMR_OK);
    assert_int_equal(load_le32(slot), 0x1234);
    assert_int_equal(load_le32(slot + 4), 240); /* length, flags, reserved */
    assert_int_equal(load_le64(slot + 8), UINT64_C(0x1122334455667788));
    assert_memory_equal(slot + 16, payload, sizeof(payload));
    rig_expect(&rig, "irq 0.0 52;");
    rig_finish(&rig);
}

/* One message to SINT 2, with these registers. */
static const struct {
    const char *name;
    uint64_t scontrol, simp, sint;
    bool arrives;
    const char *notes;
} posts[] = {
    {"to a SINT that is open", 1, SIMP | 1, 0x52, true, "irq 0.0 52;"},
    {"auto-EOI", 1, SIMP | 1, 0x52 | HV_SINT_AUTO_EOI, true, "irq 0.0 52 eoi;"},
    {"polling", 1, SIMP | 1, 0x52 | HV_SINT_POLLING, true, ""},
    {"SCONTROL does not matter", 0, SIMP | 1, 0x52, true, "irq 0.0 52;"},
    {"SIMP off: it shows when it is on", 1, 0, 0x52, true, "irq 0.0 52;"},
    {"masked: dropped", 1, SIMP | 1, 0x52 | HV_SINT_MASKED, false, ""},
    {"a proxy: dropped", 1, SIMP | 1, 0x52 | HV_SINT_PROXY, false, ""},
};

static void a_message_arrives_or_is_dropped_by_its_sint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(posts); i++) {
        struct rig rig;

        print_message("%s\n", posts[i].name);
        rig_init(&rig);
        rig_write(&rig, HV_MSR_SCONTROL, posts[i].scontrol);
        rig_write(&rig, HV_MSR_SIMP, posts[i].simp);
        rig_write(&rig, HV_MSR_SINT0 + 2, posts[i].sint);
        assert_int_equal(rig_post(&rig, 2, 7), VMR_OK);
        (void)rig_poll(&rig);
        rig_expect(&rig, posts[i].notes);
        assert_int_equal(rig.fake.log_lines, posts[i].arrives ? 0 : 1);
        /* A dropped message does not come back with an open SINT. */
        rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
        rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
        (void)rig_poll(&rig);
        assert_int_equal(rig_slot_type(&rig, SIMP, 2), posts[i].arrives ? 7 : 0);
        rig_expect(&rig, "");
        rig_finish(&rig);
    }
}

static void only_the_first_of_several_messages_rings(void **state)
{
    (void)state;
    struct rig rig;

    rig_init_with_pages(&rig);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(rig_post(&rig, 2, i), VMR_OK);
    assert_int_equal(rig.wakes[0], 1);
    assert_int_equal(rig_post(&rig, 16, 1), VMR_E_USAGE);
    assert_int_equal(rig_post(&rig, 255, 1), VMR_E_USAGE);
    assert_int_equal(rig_post(&rig, 2, 0), VMR_E_USAGE); /* type 0 is an empty slot */
    assert_int_equal(rig.wakes[0], 1);
    rig_finish(&rig);
}

static void the_guest_is_told_that_more_waits(void **state)
{
    (void)state;
    struct rig rig;

    rig_init_with_pages(&rig);
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    (void)rig_poll(&rig);
    assert_false(rig_slot_is_marked(&rig, SIMP, 2)); /* alone */
    assert_int_equal(rig_post(&rig, 2, 2), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 3), VMR_OK);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 1);
    assert_true(rig_slot_is_marked(&rig, SIMP, 2));
    rig_expect(&rig, "irq 0.0 52;");
    /* Freed and acknowledged. */
    rig_free_slot(&rig, SIMP, 2);
    rig_write(&rig, HV_MSR_EOM, 0);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 2);
    assert_true(rig_slot_is_marked(&rig, SIMP, 2)); /* there is a third */
    /* Freed without an EOM: the next exit will do. */
    rig_free_slot(&rig, SIMP, 2);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 3);
    assert_false(rig_slot_is_marked(&rig, SIMP, 2));
    rig_expect(&rig, "irq 0.0 52;irq 0.0 52;");
    (void)rig_poll(&rig);
    rig_expect(&rig, "");
    rig_finish(&rig);
}

/* Frees the slot of the next message that is marked, just behind the marking: as another VP might. */
static void free_when_marked(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    unsigned *frees = context;

    (void)mask;
    (void)old;
    if (width == 1 && gpa == SIMP + 2 * 256 + HV_MESSAGE_FLAGS_OFFSET)
        ++*frees;
}

static void show_free(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    unsigned *frees = context;

    if (*frees > 0 && gpa == SIMP + 2 * 256 && length == 4) {
        memset(bytes, 0, 4);
        --*frees;
    }
}

static void a_slot_freed_while_it_is_marked_is_used_at_once(void **state)
{
    (void)state;
    struct rig rig;
    unsigned frees = 0;
    const struct vmr_memory_observer observer = {.read = show_free, .fetch_or = free_when_marked, .context = &frees};

    rig_init_with_pages(&rig);
    assert_int_equal(rig_post(&rig, 2, 0x10), VMR_OK);
    (void)rig_poll(&rig);
    rig_forget(&rig);
    assert_int_equal(rig_post(&rig, 2, 0x20), VMR_OK);
    vmr_memory_set_observer(rig.memory, &observer);
    (void)rig_poll(&rig);
    vmr_memory_set_observer(rig.memory, NULL);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 0x30); /* the fake freed it for readers alone */
    assert_false(rig_slot_is_marked(&rig, SIMP, 2));      /* so the guest owes no EOM */
    rig_expect(&rig, "irq 0.0 52;");
    rig_finish(&rig);
}

static void slots_of_other_sints_do_not_wait(void **state)
{
    (void)state;
    struct rig rig;

    rig_init_with_pages(&rig);
    rig_write(&rig, HV_MSR_SINT0 + 15, 0x5f);
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 2), VMR_OK);
    assert_int_equal(rig_post(&rig, 15, 3), VMR_OK);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 15), 3);
    rig_expect(&rig, "irq 0.0 52;irq 0.0 5f;");
    rig_finish(&rig);
}

static void a_message_waits_while_the_page_is_gone(void **state)
{
    (void)state;
    struct rig rig;
    const struct vmr_memory_region ram = {.gpa = 64 * PAGE, .size = PAGE};

    rig_init_with_pages(&rig);
    assert_int_equal(vmr_memory_region_add(rig.memory, &ram, NULL), VMR_OK);
    rig_write(&rig, HV_MSR_SIMP, 64 * PAGE | 1);
    assert_int_equal(vmr_memory_region_remove(rig.memory, 64 * PAGE, NULL), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 1), VMR_OK);
    (void)rig_poll(&rig);
    rig_expect(&rig, "");
    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 1);
    rig_expect(&rig, "irq 0.0 52;");
    rig_finish(&rig);
}

static void a_full_queue_refuses_until_the_guest_reads(void **state)
{
    (void)state;
    struct rig rig;

    rig_init_with_pages(&rig);
    for (uint32_t i = 1; i <= VMR_SYNIC_QUEUE_MAX; i++)
        assert_int_equal(rig_post(&rig, 2, i), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 1025), VMR_E_STATE);
    (void)rig_poll(&rig);
    assert_int_equal(rig_post(&rig, 2, 1025), VMR_OK);
    for (uint32_t i = 1; i <= 1025; i++) {
        assert_int_equal(rig_slot_type(&rig, SIMP, 2), i);
        rig_free_slot(&rig, SIMP, 2);
        rig.noted = 0;
        (void)rig_poll(&rig);
    }
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 0);
    rig_finish(&rig);
}

/* --- event flags --- */

static bool flag_is_set(struct rig *rig, unsigned sint, unsigned flag)
{
    uint8_t byte;

    assert_int_equal(vmr_memory_read(rig->memory, SIEFP + sint * 256 + flag / 8, &byte, 1), VMR_OK);
    return (byte >> flag % 8 & 1) != 0;
}

static const struct {
    const char *name;
    vmr_vp_index vp;
    uint8_t vtl;
    unsigned sint; /* SINT 2 is open, 3 masked, 4 a proxy that is masked, 5 polls, 6 is auto-EOI */
    uint16_t flag;
    bool off; /* SCONTROL */
    enum vmr_synic_signal result;
    const char *notes;
} signals[] = {
    {"the first flag", 0, 0, 2, 0, false, VMR_SYNIC_SIGNALED, "irq 0.0 52;"},
    {"the last flag", 0, 0, 2, 2047, false, VMR_SYNIC_SIGNALED, "irq 0.0 52;"},
    {"one flag too many", 0, 0, 2, 2048, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"the largest number", 0, 0, 2, UINT16_MAX, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"no such VP", RIG_VPS, 0, 2, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"any VP", UINT32_MAX, 0, 2, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"no such VTL", 0, RIG_VTLS, 2, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"no such SINT", 0, 0, 16, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"SINT 255", 0, 0, 255, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"masked", 0, 0, 3, 0, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"a proxy: before masked", 0, 0, 4, 0, false, VMR_SYNIC_PROXIED, ""},
    {"a proxy, switched off", 0, 0, 4, 0, true, VMR_SYNIC_PROXIED, ""},
    {"a flag that is none, to a proxy", 0, 0, 4, 2048, false, VMR_SYNIC_NOT_SIGNALED, ""},
    {"switched off", 0, 0, 2, 0, true, VMR_SYNIC_NOT_SIGNALED, ""},
    {"polling", 0, 0, 5, 9, false, VMR_SYNIC_SIGNALED, ""},
    {"auto-EOI", 0, 0, 6, 9, false, VMR_SYNIC_SIGNALED, "irq 0.0 56 eoi;"},
};

static void a_signal_is_judged_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct rig rig;
        const struct vmr_synic_target target = {signals[i].vp, signals[i].vtl, (uint8_t)signals[i].sint};
        bool arrives = signals[i].result == VMR_SYNIC_SIGNALED;

        print_message("%s\n", signals[i].name);
        rig_init_with_pages(&rig);
        rig_write(&rig, HV_MSR_SINT0 + 3, 0x53 | HV_SINT_MASKED);
        rig_write(&rig, HV_MSR_SINT0 + 4, 0x54 | HV_SINT_MASKED | HV_SINT_PROXY);
        rig_write(&rig, HV_MSR_SINT0 + 5, 0x55 | HV_SINT_POLLING);
        rig_write(&rig, HV_MSR_SINT0 + 6, 0x56 | HV_SINT_AUTO_EOI);
        rig_write(&rig, HV_MSR_SCONTROL, signals[i].off ? 0 : HV_SCONTROL_ENABLE);
        assert_int_equal(vmr_synic_signal_event(rig.synic, &target, signals[i].flag), signals[i].result);
        rig_expect(&rig, signals[i].notes);
        if (signals[i].sint < HV_SINT_COUNT && signals[i].flag < HV_EVENT_FLAG_COUNT)
            assert_int_equal(flag_is_set(&rig, signals[i].sint, signals[i].flag), arrives);
        /* A second time it is not new, and what was lost stays lost. */
        assert_int_equal(vmr_synic_signal_event(rig.synic, &target, signals[i].flag),
                         arrives ? VMR_SYNIC_NOT_SIGNALED : signals[i].result);
        rig_write(&rig, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE);
        (void)rig_poll(&rig);
        rig_expect(&rig, "");
        rig_finish(&rig);
    }
}

static void a_flag_set_while_siefp_is_off_shows_when_it_is_on(void **state)
{
    (void)state;
    struct rig rig;
    const struct vmr_synic_target target = {.sint = 2};

    rig_init_with_pages(&rig);
    rig_write(&rig, HV_MSR_SIEFP, 0);
    assert_int_equal(vmr_memory_fill(rig.memory, SIEFP, 0, PAGE), VMR_OK);
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, 77), VMR_SYNIC_SIGNALED);
    rig_expect(&rig, "irq 0.0 52;");
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, 77), VMR_SYNIC_NOT_SIGNALED);
    assert_false(flag_is_set(&rig, 2, 77));
    rig_write(&rig, HV_MSR_SIEFP, SIEFP | 1);
    assert_true(flag_is_set(&rig, 2, 77));
    /* The guest clears it: the next signal is new. */
    assert_int_equal(vmr_memory_fill(rig.memory, SIEFP, 0, PAGE), VMR_OK);
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, 77), VMR_SYNIC_SIGNALED);
    rig_expect(&rig, "irq 0.0 52;");
    rig_finish(&rig);
}

static void a_flag_is_lost_and_said_so_when_the_page_is_gone(void **state)
{
    (void)state;
    struct rig rig;
    const struct vmr_synic_target target = {.sint = 2};

    rig_init_with_pages(&rig);
    assert_int_equal(vmr_memory_region_remove(rig.memory, 0, NULL), VMR_OK);
    assert_int_equal(vmr_synic_signal_event(rig.synic, &target, 77), VMR_SYNIC_NOT_SIGNALED);
    assert_int_equal(rig.fake.log_lines, 1);
    rig_expect(&rig, "");
    rig_finish(&rig);
}

/* --- timers --- */

#define TIMER_SINT (UINT64_C(2) << HV_STIMER_SINT_SHIFT)

static void an_expired_timer_is_a_message(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t slot[64];

    rig_init_with_pages(&rig);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG + 2, HV_STIMER_ENABLE | TIMER_SINT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT + 2, 500);
    assert_int_equal(rig_poll(&rig), 1000 + 500 * 100);
    assert_int_equal(rig_advance(&rig, 499), 1000 + 500 * 100);
    rig_expect(&rig, "");
    assert_int_equal(rig_advance(&rig, 3), VMR_NEVER);
    rig_expect(&rig, "irq 0.0 52;");
    assert_int_equal(vmr_memory_read(rig.memory, SIMP + 2 * 256, slot, sizeof(slot)), VMR_OK);
    assert_int_equal(load_le32(slot), HV_MESSAGE_TYPE_TIMER_EXPIRED);
    assert_int_equal(slot[HV_MESSAGE_LENGTH_OFFSET], 24);
    assert_int_equal(load_le64(slot + 16), 1); /* the index, and nothing behind it */
    assert_int_equal(load_le64(slot + 24), 500);
    assert_int_equal(load_le64(slot + 32), 502);
    assert_int_equal(rig_read(&rig, HV_MSR_STIMER0_CONFIG + 2), TIMER_SINT);
    rig_finish(&rig);
}

static void a_direct_timer_needs_no_slot(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig); /* all masked, no page */
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | HV_STIMER_DIRECT | 0x61 << HV_STIMER_VECTOR_SHIFT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 1);
    (void)rig_advance(&rig, 1);
    rig_expect(&rig, "irq 0.0 61;");
    rig_finish(&rig);
}

/* What keeps a due timer's message back, and what lets it go. */
static const struct {
    const char *name;
    uint64_t sint;
    bool occupied, queued;
} obstacles[] = {
    {"masked", 0x52 | HV_SINT_MASKED, false, false},
    {"a proxy", 0x52 | HV_SINT_PROXY, false, false},
    {"the slot is taken", 0x52, true, false},
    {"messages wait", 0x52, true, true},
};

static void an_undeliverable_timer_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(obstacles); i++) {
        struct rig rig;

        print_message("%s\n", obstacles[i].name);
        rig_init_with_pages(&rig);
        if (obstacles[i].occupied)
            assert_int_equal(rig_post(&rig, 2, 5), VMR_OK);
        if (obstacles[i].queued)
            assert_int_equal(rig_post(&rig, 2, 6), VMR_OK);
        (void)rig_poll(&rig);
        rig_write(&rig, HV_MSR_SINT0 + 2, obstacles[i].sint);
        rig_forget(&rig);
        rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | TIMER_SINT);
        rig_write(&rig, HV_MSR_STIMER0_COUNT, 10);
        assert_int_equal(rig_advance(&rig, 20), VMR_NEVER); /* due, but nothing to wait for */
        rig_expect(&rig, "");
        if (obstacles[i].occupied)
            assert_true(rig_slot_is_marked(&rig, SIMP, 2)); /* so that the guest writes EOM */
        rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
        rig_free_slot(&rig, SIMP, 2);
        (void)rig_advance(&rig, 5);
        /* Messages that waited come first. */
        assert_int_equal(rig_slot_type(&rig, SIMP, 2),
                         obstacles[i].queued ? 6 : (uint32_t)HV_MESSAGE_TYPE_TIMER_EXPIRED);
        rig_free_slot(&rig, SIMP, 2);
        (void)rig_poll(&rig);
        assert_int_equal(rig_slot_type(&rig, SIMP, 2), obstacles[i].queued ? HV_MESSAGE_TYPE_TIMER_EXPIRED : 0);
        rig_finish(&rig);
    }
}

/* The slot is freed, for all readers from the n-th look at it on. */
struct freed {
    unsigned looks, from;
};

static void show_freed(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct freed *freed = context;

    if (gpa == SIMP + 2 * 256 && length == 4 && ++freed->looks >= freed->from)
        memset(bytes, 0, 4);
}

static void a_timer_does_not_overtake_messages_when_the_slot_is_freed_between(void **state)
{
    (void)state;
    struct rig rig;
    struct freed freed = {.from = 3}; /* behind both looks for the message that waits */
    const struct vmr_memory_observer observer = {.read = show_freed, .context = &freed};

    rig_init_with_pages(&rig);
    assert_int_equal(rig_post(&rig, 2, 5), VMR_OK);
    assert_int_equal(rig_post(&rig, 2, 6), VMR_OK);
    (void)rig_poll(&rig);
    rig_forget(&rig);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE | TIMER_SINT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 10);
    vmr_memory_set_observer(rig.memory, &observer);
    (void)rig_advance(&rig, 20);
    vmr_memory_set_observer(rig.memory, NULL);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 5);
    rig_expect(&rig, "");
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_256_bytes_in_its_slot),
        cmocka_unit_test(a_message_arrives_or_is_dropped_by_its_sint),
        cmocka_unit_test(only_the_first_of_several_messages_rings),
        cmocka_unit_test(the_guest_is_told_that_more_waits),
        cmocka_unit_test(a_slot_freed_while_it_is_marked_is_used_at_once),
        cmocka_unit_test(slots_of_other_sints_do_not_wait),
        cmocka_unit_test(a_message_waits_while_the_page_is_gone),
        cmocka_unit_test(a_full_queue_refuses_until_the_guest_reads),
        cmocka_unit_test(a_signal_is_judged_in_order),
        cmocka_unit_test(a_flag_set_while_siefp_is_off_shows_when_it_is_on),
        cmocka_unit_test(a_flag_is_lost_and_said_so_when_the_page_is_gone),
        cmocka_unit_test(an_expired_timer_is_a_message),
        cmocka_unit_test(a_direct_timer_needs_no_slot),
        cmocka_unit_test(an_undeliverable_timer_waits),
        cmocka_unit_test(a_timer_does_not_overtake_messages_when_the_slot_is_freed_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
