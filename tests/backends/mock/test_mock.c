/* SPDX-License-Identifier: MIT */
/*
 * The mock's face: parameters, profiles against the table, faults, sources.
 */

#include "tests/backends/mock/rig.h"

#include <string.h>

/* --- parameters --- */

static void specs_are_opened_or_refused_with_key_and_value(void **state)
{
    static const struct {
        const char *spec;
        enum vmr_status status;
        const char *named; /* in the message */
        enum vmr_irqchip irqchip;
    } cases[] = {
        {"mock", VMR_OK, NULL, VMR_IRQCHIP_USER},
        {"mock:profile=kvm-like,irqchip=kernel,seed=0x10", VMR_OK, NULL, VMR_IRQCHIP_KERNEL},
        {"mock:profile=whp-like,irqchip=split", VMR_OK, NULL, VMR_IRQCHIP_SPLIT},
        {"mock:profile=xen-like", VMR_E_CONFIG, "xen-like", VMR_IRQCHIP_USER},
        {"mock:profile=hvf-like,irqchip=split", VMR_E_CONFIG, "hvf-like", VMR_IRQCHIP_USER},
        {"mock:profile=whp-like,irqchip=kernel", VMR_E_CONFIG, "irqchip=kernel", VMR_IRQCHIP_USER},
        {"mock:irqchip=none", VMR_E_CONFIG, "none", VMR_IRQCHIP_USER},
        {"mock:seed=", VMR_E_CONFIG, "seed", VMR_IRQCHIP_USER},
        {"mock:seed=-1", VMR_E_CONFIG, "-1", VMR_IRQCHIP_USER},
        {"mock:seed=12x", VMR_E_CONFIG, "12x", VMR_IRQCHIP_USER},
        {"mock:seed=18446744073709551616", VMR_E_CONFIG, "18446744073709551616", VMR_IRQCHIP_USER},
        {"mock:managed=true,profile=hvf-like", VMR_OK, NULL, VMR_IRQCHIP_USER},
        {"mock:managed=false", VMR_OK, NULL, VMR_IRQCHIP_USER},
        {"mock:managed=yes", VMR_E_CONFIG, "managed='yes' is not one of true|false", VMR_IRQCHIP_USER},
        {"mock:speed=1", VMR_E_CONFIG, "speed", VMR_IRQCHIP_USER},
    };
    struct vmr_backend_set set;

    (void)state;
    vmr_backend_set_init(&set);
    for (size_t i = 0; i < RIG_COUNT_OF(cases); i++) {
        struct vmr_hypervisor_handle handle = {0};
        struct vmr_error err = {0};
        enum vmr_status status = vmr_probe_named(&set, cases[i].spec, &handle, &err);

        if (status != cases[i].status || (cases[i].named && !strstr(err.message, cases[i].named)))
            fail_msg("%s: %s '%s'", cases[i].spec, vmr_status_name(status), err.message);
        if (!status)
            assert_int_equal(handle.irqchip, cases[i].irqchip);
        vmr_handle_close(&handle);
    }
}

/* --- profiles --- */

static void every_profile_has_the_operations_its_capabilities_promise(void **state)
{
    const struct vmr_backend *table = vmr_mock_backend();

    (void)state;
    for (unsigned i = 0; i < VMR_MOCK_PROFILE_COUNT; i++) {
        char spec[64] = "mock:profile=";
        struct vmr_backend_set set;
        struct vmr_hypervisor_handle handle;
        struct vmr_caps caps;

        strcat(spec, vmr_mock_profile_name((enum vmr_mock_profile)i));
        vmr_backend_set_init(&set);
        assert_int_equal(vmr_probe_named(&set, spec, &handle, NULL), VMR_OK);
        assert_int_equal(table->caps(&handle, &caps, NULL), VMR_OK);
        assert_true(caps.vp_count_max > 0 && caps.vp_count_max <= VMR_VP_COUNT_MAX);
        assert_true(!vmr_caps_have(&caps, VMR_CAP_IRQFD) || handle.irqchip != VMR_IRQCHIP_USER);
        assert_true(!vmr_caps_have(&caps, VMR_CAP_IRQCHIP_KERNEL) || vmr_caps_have(&caps, VMR_CAP_IRQCHIP_SPLIT));
        assert_true(vmr_caps_have(&caps, VMR_CAP_IRQCHIP_SPLIT) == vmr_caps_have(&caps, VMR_CAP_MSI));
        assert_false(vmr_caps_have(&caps, VMR_CAP_MACHINE_CODE));
        vmr_handle_close(&handle);
    }
    assert_string_equal(vmr_mock_profile_name(VMR_MOCK_PROFILE_COUNT), "unknown");
}

static void a_profile_with_one_vm_refuses_a_second_until_the_first_is_gone(void **state)
{
    struct rig rig;
    struct vmr_proto *proto = NULL;
    struct vmr_memory *memory = NULL;
    struct vmr_partition *second = NULL;

    (void)state;
    rig_init(&rig, NULL, "mock:profile=hvf-like", 1);
    const struct vmr_proto_options proto_options = {.host = &rig.host};

    assert_int_equal(vmr_memory_create(&rig.host, &memory, NULL), VMR_OK);
    const struct vmr_partition_options options = {.memory = memory};

    assert_int_equal(vmr_proto_create(&rig.handle, &proto_options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &options, &second, NULL), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_partition_destroy(rig.partition), VMR_OK);
    rig.partition = NULL;
    assert_int_equal(vmr_proto_build(&proto, &options, &second, NULL), VMR_OK);
    assert_int_equal(vmr_partition_destroy(second), VMR_OK);
    vmr_memory_destroy(memory);
    rig_finish(&rig);
}

/* --- faults --- */

RIG_PROGRAM(one_out, VMR_EOI_NONE, VMR_OUT(0x10, 1, 1), VMR_END());

/* Builds, runs to the END write, takes down. Says whether everything went well. */
static bool run_with_failing_call(uint64_t nth, uint64_t *ret_calls)
{
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle;
    struct vmr_host host;
    struct vmr_memory *memory = NULL;
    struct vmr_memory_region ram = {.size = VMR_PROGRAM_RAM_MIN};
    struct vmr_proto *proto = NULL;
    struct vmr_partition *partition = NULL;
    struct vmr_vp *vp = NULL;
    struct vmr_exit vp_exit = {0};

    vmr_host_posix(&host, NULL);
    vmr_backend_set_init(&set);
    assert_int_equal(vmr_probe_named(&set, "mock", &handle, NULL), VMR_OK);
    assert_int_equal(vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, nth), VMR_OK);
    assert_int_equal(vmr_memory_create(&host, &memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(memory, &ram, NULL), VMR_OK);
    const struct vmr_proto_options proto_options = {.host = &host, .vp_count = 3};
    const struct vmr_partition_options options = {.memory = memory};
    struct vmr_error err = {0};
    enum vmr_status status = vmr_proto_create(&handle, &proto_options, &proto, &err);

    if (!status)
        status = vmr_proto_build(&proto, &options, &partition, &err);
    if (!status)
        status = vmr_mock_load_program(vmr_mock_of(partition), 0, &one_out, &err);
    if (!status)
        status = vmr_partition_bind(partition, 0, &vp, &err);
    assert_true(status == VMR_OK || (status == VMR_E_HOST && strstr(err.message, "as it was told to")));
    for (int i = 0; !status && i < 2; i++) {
        assert_int_equal(vmr_vp_step(vp, &vp_exit), VMR_OK);
        status = vp_exit.kind == VMR_EXIT_IO ? VMR_OK : VMR_E_HOST;
    }
    *ret_calls = vmr_mock_fault_count(&handle, VMR_MOCK_FAIL_CALL);
    vmr_vp_unbind(vp);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    vmr_proto_destroy(proto);
    vmr_memory_destroy(memory);
    vmr_handle_close(&handle);
    return status == VMR_OK;
}

static void each_call_can_fail_and_leaves_nothing_behind(void **state)
{
    uint64_t calls, all;

    (void)state;
    assert_true(run_with_failing_call(0, &all));
    assert_true(all >= 9); /* caps, CPUID, VM, three VPs, memory, bind, two steps */
    for (uint64_t nth = 1; nth <= all; nth++) {
        if (run_with_failing_call(nth, &calls))
            fail_msg("call %u of %u did not fail", (unsigned)nth, (unsigned)all);
    }
    assert_true(run_with_failing_call(all + 1, &calls));
}

static void faults_belong_to_mock_handles(void **state)
{
    struct vmr_hypervisor_handle other = {0};

    (void)state;
    assert_int_equal(vmr_mock_set_fault(&other, VMR_MOCK_FAIL_CALL, 1), VMR_E_USAGE);
    assert_int_equal(vmr_mock_fault_count(&other, VMR_MOCK_FAIL_CALL), 0);
}

static void a_step_can_be_cancelled_or_delayed(void **state)
{
    struct vmr_scheduler_options options = {0};
    struct vmr_scheduler *scheduler;
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    assert_int_equal(vmr_scheduler_create(&options, &scheduler, NULL), VMR_OK);
    rig_init(&rig, scheduler, "mock", 1);
    rig_load(&rig, 0, &one_out);
    assert_int_equal(vmr_mock_set_fault(&rig.handle, VMR_MOCK_SPURIOUS_CANCEL, 1), VMR_OK);
    assert_int_equal(vmr_mock_set_fault(&rig.handle, VMR_MOCK_DELAY_STEP, 2), VMR_OK);
    assert_int_equal(vmr_vp_step(rig_bind(&rig, 0), &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_CANCEL);
    assert_int_equal(rig.host.ops->now_ns(rig.host.context), 0);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_IO);
    assert_int_equal(rig.host.ops->now_ns(rig.host.context), 1000000);
    rig_finish(&rig);
    vmr_scheduler_destroy(scheduler);
}

/* --- the time-stamp counter --- */

static void expect_tsc_of(const char *spec)
{
    struct rig rig;
    struct vmr_scheduler *scheduler = NULL;
    uint64_t tsc = 0;

    assert_int_equal(vmr_scheduler_create(&(struct vmr_scheduler_options){0}, &scheduler, NULL), VMR_OK);
    vmr_scheduler_advance(scheduler, 777);
    rig_init(&rig, scheduler, spec, 2);
    for (vmr_vp_index vp = 0; vp < 2; vp++) {
        assert_int_equal(vmr_vp_get_msr(rig_bind(&rig, vp), 0x10, &tsc), VMR_OK);
        assert_int_equal(tsc, 777);
    }
    assert_int_equal(vmr_handle_tsc_hz(&rig.handle), 1000000000);
    assert_int_equal(vmr_vp_set_msr(rig.vps[0], 0x10, 5), VMR_OK);
    vmr_scheduler_advance(scheduler, 100);
    assert_int_equal(vmr_vp_get_msr(rig.vps[0], 0x10, &tsc), VMR_OK);
    assert_int_equal(tsc, 105);
    assert_int_equal(vmr_vp_get_msr(rig.vps[1], 0x10, &tsc), VMR_OK);
    assert_int_equal(tsc, 877);
    rig_finish(&rig);
    vmr_scheduler_destroy(scheduler);
}

static void the_tsc_goes_by_the_hosts_clock(void **state)
{
    (void)state;
    expect_tsc_of("mock");
    expect_tsc_of("mock:profile=kvm-like,irqchip=kernel");
}

/* --- sources and programs --- */

struct answers {
    uint64_t seen[4];
    unsigned count;
};

static void next_read(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    struct answers *answers = context;

    (void)vp;
    if (vp_exit->kind == VMR_EXIT_IO)
        answers->seen[answers->count++ % 4] = vp_exit->u.io.value;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 1, .count = 1}};
}

static void a_source_sees_each_answer_once_also_across_kicks_and_completions(void **state)
{
    struct answers answers = {0};
    const struct vmr_mock_source source = {.next = next_read, .context = &answers};
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    assert_int_equal(vmr_mock_load_source(rig.mock, 0, &source), VMR_OK);
    assert_int_equal(vmr_mock_load_source(rig.mock, 1, &source), VMR_E_USAGE);
    assert_int_equal(vmr_vp_step(rig_bind(&rig, 0), &vp_exit), VMR_OK);
    vp_exit.u.io.value = 11;
    (void)vmr_partition_kick(rig.partition, 0);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_CANCEL);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    vp_exit.u.io.value = 22;
    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(answers.count, 2);
    assert_int_equal(answers.seen[0], 11);
    assert_int_equal(answers.seen[1], 22);
    rig_finish(&rig);
}

RIG_PROGRAM(counting, VMR_EOI_NONE, VMR_READ_COUNT(0, 0x30), VMR_END());

static void programs_are_refused_where_they_cannot_run(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct vmr_error err = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 20);
    assert_int_equal(vmr_mock_load_program(rig.mock, 20, &one_out, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "VP 20"));
    assert_int_equal(vmr_mock_load_program(rig.mock, 16, &counting, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "counting"));
    assert_int_equal(vmr_mock_load_program(rig.mock, 16, &one_out, &err), VMR_OK);
    /* A VP that was given nothing fails, and says why. */
    assert_int_equal(vmr_vp_step(rig_bind(&rig, 0), &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_FAIL);
    assert_true(vmr_exit_is_valid(&vp_exit));
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_opened_or_refused_with_key_and_value),
        cmocka_unit_test(every_profile_has_the_operations_its_capabilities_promise),
        cmocka_unit_test(a_profile_with_one_vm_refuses_a_second_until_the_first_is_gone),
        cmocka_unit_test(each_call_can_fail_and_leaves_nothing_behind),
        cmocka_unit_test(faults_belong_to_mock_handles),
        cmocka_unit_test(a_step_can_be_cancelled_or_delayed),
        cmocka_unit_test(the_tsc_goes_by_the_hosts_clock),
        cmocka_unit_test(a_source_sees_each_answer_once_also_across_kicks_and_completions),
        cmocka_unit_test(programs_are_refused_where_they_cannot_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
