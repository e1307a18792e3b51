/* SPDX-License-Identifier: MIT */
/*
 * The in-hypervisor interrupt controllers, through programs and the partition's
 * calls: nothing of them exits but the end of a level interrupt with `split`.
 */

#include "tests/backends/mock/rig.h"

#define APIC(offset) (0xfee00000u + (offset))
#define SOFTWARE_ENABLE VMR_STORE(APIC(0xf0), 4, 0x1ff)
#define MSI_TO(id) (0xfee00000u | (uint64_t)(id) << 12)

static const struct vmr_vp_io no_devices;

static void must_reach(struct rig *rig, vmr_vp_index vp, struct vmr_exit *vp_exit, uint16_t port, uint64_t value)
{
    assert_int_equal(vmr_vp_step(rig->vps[vp], vp_exit), VMR_OK);
    if (vp_exit->kind != VMR_EXIT_IO || vp_exit->u.io.port != port || vp_exit->u.io.value != value)
        fail_msg("VP %u: exit %s, port %#x, value %#llx", vp, vmr_exit_kind_name(vp_exit->kind), vp_exit->u.io.port,
                 (unsigned long long)vp_exit->u.io.value);
}

RIG_PROGRAM(wait_for_two, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_OUT(0x10, 1, 1), VMR_WAIT_VECTOR(0x41, 1),
            VMR_OUT(0x10, 1, 2), VMR_READ_COUNT(0, 0x51), VMR_EXPECT(0, 1), VMR_LOAD(1, APIC(0x30), 4),
            VMR_EXPECT(1, 0x60014), VMR_END());

static void msis_wait_for_the_guest_and_come_by_priority(void **state)
{
    struct vmr_exit vp_exit = {0};
    uint8_t vectors[2] = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=split", 1);
    rig_load(&rig, 0, &wait_for_two);
    (void)rig_bind(&rig, 0);
    const struct vmr_msi low = {MSI_TO(0), 0x41}, high = {MSI_TO(0), 0x51}, nobody = {MSI_TO(7), 0x41};

    assert_int_equal(vmr_partition_msi(rig.partition, &low), VMR_E_GUEST); /* not enabled yet */
    must_reach(&rig, 0, &vp_exit, 0x10, 1);
    assert_int_equal(vmr_partition_msi(rig.partition, &low), VMR_OK);
    assert_int_equal(vmr_partition_msi(rig.partition, &high), VMR_OK);
    assert_int_equal(vmr_partition_msi(rig.partition, &nobody), VMR_E_GUEST);
    must_reach(&rig, 0, &vp_exit, 0x10, 2);
    must_reach(&rig, 0, &vp_exit, VMR_PROGRAM_PORT_END, 0);
    assert_int_equal(vmr_mock_injected(rig.mock, 0, vectors, 2), 2);
    assert_int_equal(vectors[0], 0x51);
    assert_int_equal(vectors[1], 0x41);
    rig_finish(&rig);
}

RIG_PROGRAM(take_level, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_OUT(0x10, 1, 1), VMR_WAIT_VECTOR(0x61, 1),
            VMR_OUT(0x10, 1, 2), VMR_END());

static void the_end_of_a_routed_level_interrupt_exits_with_split(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=split", 1);
    rig_load(&rig, 0, &take_level);
    (void)rig_bind(&rig, 0);
    const struct vmr_msi level = {MSI_TO(0), 0x8061};

    must_reach(&rig, 0, &vp_exit, 0x10, 1);
    assert_int_equal(vmr_partition_msi(rig.partition, &level), VMR_OK);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_EOI);
    assert_int_equal(vp_exit.u.eoi.vector, 0x61);
    must_reach(&rig, 0, &vp_exit, 0x10, 2);
    rig_finish(&rig);
}

/* IO-APIC pin 5: level, vector 0x61, to APIC 0; then masked. */
RIG_PROGRAM(use_ioapic, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(0xfec00000, 4, 0x1b), VMR_STORE(0xfec00010, 4, 0),
            VMR_STORE(0xfec00000, 4, 0x1a), VMR_STORE(0xfec00010, 4, 0x8061), VMR_OUT(0x10, 1, 1),
            VMR_WAIT_VECTOR(0x61, 1), VMR_OUT(0x10, 1, 2), VMR_WAIT_VECTOR(0x61, 2), VMR_STORE(0xfec00010, 4, 0x18061),
            VMR_LOAD(0, 0xfec00010, 4), VMR_EXPECT(0, 0x18061), VMR_OUT(0x20, 1, 0x20), VMR_OUT(0x10, 1, 3), VMR_NOP(),
            VMR_END());

static void a_level_line_counts_once_until_it_is_acknowledged(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:profile=kvm-like,irqchip=kernel", 1);
    rig_load(&rig, 0, &use_ioapic);
    (void)rig_bind(&rig, 0);
    must_reach(&rig, 0, &vp_exit, 0x10, 1);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 4; j++)
            assert_int_equal(vmr_partition_irq(rig.partition, 5, j % 2 == 0), VMR_OK);
        must_reach(&rig, 0, &vp_exit, 0x10, i + 2); /* the PIC's port was no exit */
        assert_int_equal(rig_count(&rig, 0, 0x61), i + 1);
    }
    assert_int_equal(vmr_partition_irq(rig.partition, 5, true), VMR_OK); /* masked */
    must_reach(&rig, 0, &vp_exit, VMR_PROGRAM_PORT_END, 0);
    assert_int_equal(rig_count(&rig, 0, 0x61), 2);
    /* Routes: an edge each time the line rises. */
    const struct vmr_msi route = {MSI_TO(0), 0x71};

    assert_int_equal(vmr_partition_set_route(rig.partition, 100, &route), VMR_OK);
    assert_int_equal(vmr_partition_irq(rig.partition, 100, true), VMR_OK);
    assert_int_not_equal(vmr_partition_irq(rig.partition, 101, true), VMR_OK);
    rig_finish(&rig);
}

/* --- starting VPs, IPIs: on a scheduler --- */

RIG_PROGRAM(boss, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_START_VP(1), VMR_WAIT_VECTOR(0x42, 1), VMR_SEND_IPI(1, 0x43),
            VMR_OUT(0x10, 1, 1), VMR_END());
RIG_PROGRAM(worker, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_SEND_IPI(0, 0x42), VMR_WAIT_VECTOR(0x43, 1),
            VMR_OUT(0x10, 1, 2), VMR_END());
RIG_PROGRAM(boss_x2apic, VMR_EOI_X2APIC, VMR_WRMSR(0x1b, 0xfee00d00), VMR_WRMSR(0x80f, 0x1ff), VMR_START_VP(1),
            VMR_WAIT_VECTOR(0x42, 1), VMR_SEND_IPI(1, 0x43), VMR_RDMSR(0, 0x80b), VMR_EXPECT(7, 14),
            VMR_OUT(0x10, 1, 1), VMR_END());
RIG_PROGRAM(worker_x2apic, VMR_EOI_X2APIC, VMR_RDMSR(0, 0x802), VMR_EXPECT(7, 14), VMR_WRMSR(0x1b, 0xfee00c00),
            VMR_RDMSR(0, 0x802), VMR_EXPECT(0, 1), VMR_WRMSR(0x80f, 0x1ff), VMR_SEND_IPI(0, 0x42),
            VMR_WAIT_VECTOR(0x43, 1), VMR_OUT(0x10, 1, 2), VMR_END());

struct pair {
    struct vmr_scheduler *scheduler;
    const struct vmr_program *programs[2];
};

static void run_second(void *argument)
{
    struct rig *rig = argument;
    struct vmr_exit vp_exit = {0};

    (void)rig_bind(rig, 1);
    must_reach(rig, 1, &vp_exit, 0x10, 2);
}

static void run_pair(void *argument)
{
    struct pair *pair = argument;
    struct vmr_thread *thread = NULL;
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    rig_init(&rig, pair->scheduler, "mock:irqchip=split", 2);
    rig_load(&rig, 0, pair->programs[0]);
    rig_load(&rig, 1, pair->programs[1]);
    (void)rig_bind(&rig, 0);
    assert_int_equal(rig.host.ops->thread_start(rig.host.context, "vp", run_second, &rig, &thread), VMR_OK);
    must_reach(&rig, 0, &vp_exit, 0x10, 1);
    rig.host.ops->thread_join(rig.host.context, thread);
    rig_finish(&rig);
}

static void a_vp_is_started_and_two_talk_in_every_order(void **state)
{
    static const struct vmr_program *const programs[2][2] = {{&boss, &worker}, {&boss_x2apic, &worker_x2apic}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 1};
        struct pair pair = {.programs = {programs[i][0], programs[i][1]}};

        assert_int_equal(vmr_scheduler_create(&options, &pair.scheduler, NULL), VMR_OK);
        do {
            assert_int_equal(vmr_scheduler_run(pair.scheduler, run_pair, &pair), VMR_SCHEDULE_DONE);
        } while (vmr_scheduler_next(pair.scheduler));
        assert_true(vmr_scheduler_explored(pair.scheduler) > 10);
        vmr_scheduler_destroy(pair.scheduler);
    }
}

static void activity_is_told_and_a_second_sipi_is_ignored(void **state)
{
    enum vmr_activity activity = VMR_ACTIVITY_RUNNING;
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=split", 2);
    rig_load(&rig, 1, &take_level);
    (void)rig_bind(&rig, 1);
    assert_int_equal(vmr_vp_get_activity(rig.vps[1], &activity), VMR_OK);
    assert_int_equal(activity, VMR_ACTIVITY_WAIT_FOR_SIPI);
    const struct vmr_msi init = {MSI_TO(1), 0x500}, sipi = {MSI_TO(1), 0x608};

    assert_int_equal(vmr_partition_msi(rig.partition, &init), VMR_OK);
    assert_int_equal(vmr_partition_msi(rig.partition, &sipi), VMR_OK);
    must_reach(&rig, 1, &vp_exit, 0x10, 1);
    assert_int_equal(vmr_partition_msi(rig.partition, &sipi), VMR_OK);
    const struct vmr_msi level = {MSI_TO(1), 0x61};

    assert_int_equal(vmr_partition_msi(rig.partition, &level), VMR_OK);
    must_reach(&rig, 1, &vp_exit, 0x10, 2); /* it went on instead of starting again */
    rig_finish(&rig);
}

RIG_PROGRAM(pins, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(APIC(0x350), 4, 0x81), VMR_STORE(APIC(0x360), 4, 0x400),
            VMR_OUT(0x10, 1, 1), VMR_WAIT_VECTOR(0x81, 1), VMR_READ_COUNT(0, 2), VMR_EXPECT(0, 1), VMR_END());

static void local_pins_follow_their_entries(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct vmr_run_result result;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=kernel", 1);
    rig_load(&rig, 0, &pins);
    (void)rig_bind(&rig, 0);
    assert_int_equal(vmr_partition_lint(rig.partition, 0, 1), VMR_OK); /* masked after reset: dropped */
    must_reach(&rig, 0, &vp_exit, 0x10, 1);
    assert_int_equal(vmr_partition_lint(rig.partition, 0, 1), VMR_OK);
    assert_int_equal(vmr_partition_lint(rig.partition, 0, 0), VMR_OK);
    must_reach(&rig, 0, &vp_exit, VMR_PROGRAM_PORT_END, 0);
    /* At the end it sleeps inside, until it is kicked. */
    (void)vmr_partition_kick(rig.partition, 0);
    assert_int_equal(vmr_vp_run(rig.vps[0], NULL, &no_devices, &result), VMR_OK);
    assert_int_equal(result.reason, VMR_HALT_CANCEL);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msis_wait_for_the_guest_and_come_by_priority),
        cmocka_unit_test(the_end_of_a_routed_level_interrupt_exits_with_split),
        cmocka_unit_test(a_level_line_counts_once_until_it_is_acknowledged),
        cmocka_unit_test(a_vp_is_started_and_two_talk_in_every_order),
        cmocka_unit_test(activity_is_told_and_a_second_sipi_is_ignored),
        cmocka_unit_test(local_pins_follow_their_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
