/* SPDX-License-Identifier: MIT */
/* A SynIC whose counter and timers are the hypervisor's: what that is told, when, and what it is never told. */

#include "tests/hv/offload_rig.h"
#include "tests/hv/synic_rig.h"

#define SIMP (2 * PAGE)
#define TSC_PAGE (5 * PAGE)

/* The SynIC's context is the hypervisor; what it raises and wakes is counted. */
struct offload_rig {
    struct told told;
    struct rig rig;
    unsigned interrupts, wakes;
};

static void raise_irq(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    (void)vp;
    (void)vtl;
    (void)vector;
    (void)auto_eoi;
    ((struct offload_rig *)context)->interrupts++;
}

static void wake(void *context, vmr_vp_index vp)
{
    (void)vp;
    ((struct offload_rig *)context)->wakes++;
}

static struct vmr_synic_options options_of(struct offload_rig *rig)
{
    return (struct vmr_synic_options){.host = &rig->rig.fake.host,
                                      .memory = rig->rig.memory,
                                      .vp_count = RIG_VPS,
                                      .context = rig,
                                      .interrupt = raise_irq,
                                      .wake = wake,
                                      .offload = &told_ops};
}

static void prepare(struct offload_rig *rig)
{
    *rig = (struct offload_rig){0};
    fake_host_init(&rig->rig.fake, 1000);
    rig_add_ram(&rig->rig);
}

static void init(struct offload_rig *rig)
{
    prepare(rig);
    const struct vmr_synic_options options = options_of(rig);

    assert_int_equal(vmr_synic_create(&options, &rig->rig.synic, NULL), VMR_OK);
}

/* As `init`, and the hypervisor knows all. */
static void init_told(struct offload_rig *rig)
{
    init(rig);
    for (vmr_vp_index vp = 0; vp < RIG_VPS; vp++)
        (void)vmr_synic_poll(rig->rig.synic, vp, 1000);
    told_forget(&rig->told);
}

static void hear_nothing(void *context, uint16_t flag)
{
    (void)context;
    (void)flag;
}

static enum vmr_msr_result write_msr(struct offload_rig *rig, uint32_t index, uint64_t value)
{
    return vmr_synic_msr_write(rig->rig.synic, 0, 0, index, value);
}

static void what_the_hypervisor_cannot_know_is_refused(void **state)
{
    struct offload_rig rig;
    struct vmr_synic *synic = NULL;

    (void)state;
    prepare(&rig);
    struct vmr_synic_options options = options_of(&rig);

    options.vtl_count = 2;
    assert_int_equal(vmr_synic_create(&options, &synic, NULL), VMR_E_CONFIG);
    assert_null(synic);
    rig_finish(&rig.rig);
}

static void a_port_that_nobody_could_signal_is_refused(void **state)
{
    struct offload_rig rig;
    struct vmr_synic_port *handle = NULL;
    struct vmr_event_port port = {.connection_id = 0x100, .signal = hear_nothing};

    (void)state;
    prepare(&rig);
    struct vmr_synic_options options = options_of(&rig);

    options.signal_id_max = 0xff;
    assert_int_equal(vmr_synic_create(&options, &rig.rig.synic, NULL), VMR_OK);
    assert_int_equal(vmr_synic_event_port_add(rig.rig.synic, &port, &handle, NULL), VMR_E_UNSUPPORTED);
    assert_null(handle);
    port.connection_id = 0xff;
    assert_int_equal(vmr_synic_event_port_add(rig.rig.synic, &port, &handle, NULL), VMR_OK);
    vmr_synic_port_remove(handle);
    rig_finish(&rig.rig);
}

static void the_first_poll_tells_what_a_vp_begins_with(void **state)
{
    struct offload_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(told_writes(&rig.told, 1, HV_MSR_SCONTROL), 0);
    (void)vmr_synic_poll(rig.rig.synic, 1, 1000);
    assert_int_equal(told_value(&rig.told, 1, HV_MSR_SCONTROL), HV_SCONTROL_ENABLE);
    assert_int_equal(told_value(&rig.told, 1, HV_MSR_SINT0 + 15), HV_SINT_MASKED);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_SCONTROL), 0);
    told_forget(&rig.told);
    (void)vmr_synic_poll(rig.rig.synic, 1, 1000);
    assert_int_equal(told_writes(&rig.told, 1, HV_MSR_SCONTROL), 0);
    assert_false(vmr_synic_waits(rig.rig.synic, 1));
    rig_finish(&rig.rig);
}

static void a_register_is_told_once_it_is_accepted(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_SIMP, SIMP | 1), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_SINT0 + 2, 0x51), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_SIMP, RIG_HOLE | 1), VMR_MSR_FAULT);
    assert_int_equal(write_msr(&rig, HV_MSR_SIEFP, RIG_HOLE | 1), VMR_MSR_FAULT);
    (void)rig_poll(&rig.rig);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_SIMP), SIMP | 1);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_SINT0 + 2), 0x51);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_SIMP), 1);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_SIEFP), 0);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_SCONTROL), 0);
    /* A timer may have waited for the page or the SINT: the hypervisor is made to look, and only then. */
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_EOM), 1);
    assert_int_equal(write_msr(&rig, HV_MSR_SCONTROL, 0), VMR_MSR_OK);
    (void)rig_poll(&rig.rig);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_SCONTROL), 1);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_EOM), 1);
    rig_finish(&rig.rig);
}

/* The slot is free again: the message that waits has it, and only then the hypervisor's timers hear of EOM. */
static void messages_come_before_the_hypervisors_timers(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_SIMP, SIMP | 1), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_SINT0 + 2, 0x51), VMR_MSR_OK);
    assert_int_equal(rig_post(&rig.rig, 2, 7), VMR_OK);
    assert_int_equal(rig_post(&rig.rig, 2, 8), VMR_OK);
    (void)rig_poll(&rig.rig);
    assert_true(rig_slot_is_marked(&rig.rig, SIMP, 2));
    told_forget(&rig.told);
    rig_free_slot(&rig.rig, SIMP, 2);
    assert_int_equal(write_msr(&rig, HV_MSR_EOM, 0), VMR_MSR_OK);
    (void)rig_poll(&rig.rig);
    assert_int_equal(rig_slot_type(&rig.rig, SIMP, 2), 8);
    assert_int_equal(rig.interrupts, 2);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_EOM), 1);
    rig_finish(&rig.rig);
}

static void timers_are_judged_here_and_kept_there(void **state)
{
    const uint64_t config = HV_STIMER_ENABLE | UINT64_C(2) << HV_STIMER_SINT_SHIFT;
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG + 2, config), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT + 2, 5), VMR_MSR_OK);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_CONFIG + 2), config);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG + 2, ~HV_STIMER_DEFINED), VMR_MSR_FAULT);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_STIMER0_CONFIG + 2), 1);
    rig.told.registers[0][HV_MSR_STIMER0_CONFIG + 2 - HV_MSR_FIRST] = 0; /* it has fired */
    assert_int_equal(rig_read(&rig.rig, HV_MSR_STIMER0_CONFIG + 2), 0);
    /* Nothing fires here. */
    rig.told.time = 1000;
    assert_int_equal(rig_advance(&rig.rig, 1000), VMR_NEVER);
    assert_int_equal(rig.interrupts, 0);
    rig_finish(&rig.rig);
}

static void a_count_enables_a_timer_that_enables_itself(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_AUTO_ENABLE), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT, 0), VMR_MSR_OK);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_CONFIG), HV_STIMER_AUTO_ENABLE);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT, 5), VMR_MSR_OK);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_CONFIG), HV_STIMER_AUTO_ENABLE | HV_STIMER_ENABLE);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT + 2, 5), VMR_MSR_OK);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_CONFIG + 2), 0);
    rig_finish(&rig.rig);
}

static void a_reset_reaches_the_hypervisor(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_SINT0 + 2, 0x51), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_REFERENCE_TSC, TSC_PAGE | 1), VMR_MSR_OK);
    (void)rig_poll(&rig.rig);
    vmr_synic_reset(rig.rig.synic);
    assert_int_equal(rig.wakes, RIG_VPS);
    (void)vmr_synic_poll(rig.rig.synic, 0, 1000);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_SINT0 + 2), HV_SINT_MASKED);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_CONFIG), 0);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_REFERENCE_TSC), 0);
    /* The page is the partition's: another VP has nothing left to tell of it. */
    (void)vmr_synic_poll(rig.rig.synic, 1, 1000);
    assert_int_equal(told_writes(&rig.told, 1, HV_MSR_REFERENCE_TSC), 0);
    rig_finish(&rig.rig);
}

static void the_tsc_pages_place_is_judged_here(void **state)
{
    const uint8_t written[4] = {9};
    uint8_t sequence[4];
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_REFERENCE_TSC, RIG_HOLE | 1), VMR_MSR_FAULT);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_REFERENCE_TSC), 0);
    assert_int_equal(write_msr(&rig, HV_MSR_REFERENCE_TSC, TSC_PAGE | 1), VMR_MSR_OK);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_REFERENCE_TSC), TSC_PAGE | 1);
    assert_int_equal(rig_read(&rig.rig, HV_MSR_REFERENCE_TSC), TSC_PAGE | 1);
    /* What the hypervisor writes there stays, also when the time jumps. */
    assert_int_equal(vmr_memory_write(rig.rig.memory, TSC_PAGE, written, sizeof(written)), VMR_OK);
    vmr_synic_time_set(rig.rig.synic, 77);
    (void)rig_poll(&rig.rig);
    assert_int_equal(vmr_memory_read(rig.rig.memory, TSC_PAGE, sequence, sizeof(sequence)), VMR_OK);
    assert_memory_equal(sequence, written, sizeof(written));
    rig_finish(&rig.rig);
}

static void the_time_is_the_hypervisors(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    rig.told.time = 500;
    assert_int_equal(vmr_synic_time(rig.rig.synic), 500);
    assert_int_equal(rig_read(&rig.rig, HV_MSR_TIME_REF_COUNT), 500);
    vmr_synic_time_pause(rig.rig.synic);
    rig.told.time = 900;
    vmr_synic_time_pause(rig.rig.synic);
    assert_int_equal(vmr_synic_time(rig.rig.synic), 500);
    vmr_synic_time_resume(rig.rig.synic);
    assert_int_equal(rig.told.time, 500);
    rig.told.time = 600;
    vmr_synic_time_resume(rig.rig.synic);
    assert_int_equal(vmr_synic_time(rig.rig.synic), 600);
    vmr_synic_time_set(rig.rig.synic, 40);
    assert_int_equal(rig.told.time, 40);
    vmr_synic_time_pause(rig.rig.synic);
    vmr_synic_time_set(rig.rig.synic, 30);
    assert_int_equal(rig.told.time, 40);
    vmr_synic_time_resume(rig.rig.synic);
    assert_int_equal(rig.told.time, 30);
    rig_finish(&rig.rig);
}

/* One-shot timers go by the time; a periodic one keeps its phase, and one that is off stays off. */
static void a_jump_of_the_time_arms_timers_again(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_ENABLE), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT, 70), VMR_MSR_OK);
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_CONFIG + 2, HV_STIMER_ENABLE | HV_STIMER_PERIODIC), VMR_MSR_OK);
    told_forget(&rig.told);
    vmr_synic_time_set(rig.rig.synic, 60);
    assert_int_equal(rig.wakes, RIG_VPS);
    (void)rig_poll(&rig.rig);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_STIMER0_COUNT), 1);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_STIMER0_COUNT), 70);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_STIMER0_COUNT + 2), 0);
    assert_int_equal(told_writes(&rig.told, 0, HV_MSR_STIMER0_COUNT + 4), 0);
    rig_finish(&rig.rig);
}

/* Said once, tried again until it works. */
static void a_hypervisor_that_fails_is_told_later(void **state)
{
    struct offload_rig rig;

    (void)state;
    init_told(&rig);
    rig.told.fails = true;
    assert_int_equal(write_msr(&rig, HV_MSR_STIMER0_COUNT, 1), VMR_MSR_FAULT);
    assert_int_equal(write_msr(&rig, HV_MSR_REFERENCE_TSC, TSC_PAGE | 1), VMR_MSR_FAULT);
    assert_int_equal(vmr_synic_time(rig.rig.synic), 0);
    assert_int_equal(write_msr(&rig, HV_MSR_SINT0 + 2, 0x51), VMR_MSR_OK);
    (void)rig_poll(&rig.rig);
    assert_true(vmr_synic_waits(rig.rig.synic, 0));
    rig.told.fails = false;
    (void)rig_poll(&rig.rig);
    assert_int_equal(told_value(&rig.told, 0, HV_MSR_SINT0 + 2), 0x51);
    assert_false(vmr_synic_waits(rig.rig.synic, 0));
    rig_finish(&rig.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_hypervisor_cannot_know_is_refused),
        cmocka_unit_test(a_port_that_nobody_could_signal_is_refused),
        cmocka_unit_test(the_first_poll_tells_what_a_vp_begins_with),
        cmocka_unit_test(a_register_is_told_once_it_is_accepted),
        cmocka_unit_test(messages_come_before_the_hypervisors_timers),
        cmocka_unit_test(timers_are_judged_here_and_kept_there),
        cmocka_unit_test(a_count_enables_a_timer_that_enables_itself),
        cmocka_unit_test(a_reset_reaches_the_hypervisor),
        cmocka_unit_test(the_tsc_pages_place_is_judged_here),
        cmocka_unit_test(the_time_is_the_hypervisors),
        cmocka_unit_test(a_jump_of_the_time_arms_timers_again),
        cmocka_unit_test(a_hypervisor_that_fails_is_told_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
