/* SPDX-License-Identifier: MIT */
/*
 * Reading, writing and resetting state on a fake kernel: whichever call fails,
 * it is told, a reading that failed gave nothing, and a writing that failed or
 * was refused has changed nothing.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "lib/base/bytes.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"
#include "vmrig/backend_state.h"

#define VALUE_MAX 16384u
#define UNTOUCHED 0xa5
#define MSR_COUNTER_EVENT 0x186u

static uint8_t value[VALUE_MAX];

static const struct vmr_backend_state *ops(void)
{
    return vmr_kvm_backend()->state;
}

static void start(struct machine *machine, unsigned chip, struct vmr_caps *ret_caps)
{
    const struct machine_options options = {.irqchip = (enum vmr_irqchip)chip};
    struct vmr_error err = {0};

    fake_kvm_reset();
    if (machine_init(machine, &options, &err) != VMR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(vmr_kvm_backend()->caps(&machine->handle, ret_caps, NULL), VMR_OK);
}

static void stop(struct machine *machine)
{
    kvm_host_close(machine->handle.fd);
    machine_finish(machine);
    assert_int_equal(fake_kvm_open_fds(), 0);
    assert_int_equal(fake_kvm.maps, 0);
}

/* Power-up with one number changed, so that a set has something to do. */
static void other_value(struct machine *machine, unsigned vp_class)
{
    struct vmr_x86_reset_info info = {0};

    ops()->vp_reset_info(machine->vp, &info);
    vmr_x86_at_reset((enum vmr_vp_class)vp_class, &info, value);
    switch ((enum vmr_vp_class)vp_class) {
    case VMR_VP_REGISTERS:
        ((struct vmr_x86_regs *)(void *)value)->cr3 = 0x5000;
        break;
    case VMR_VP_XSAVE:
        value[offsetof(struct vmr_x86_xsave_state, bytes) + 160] = 7;
        value[offsetof(struct vmr_x86_xsave_state, bytes) + 512] = 2;
        break;
    case VMR_VP_MCG:
        ((struct vmr_x86_mcg_state *)(void *)value)->status = 1;
        break;
    case VMR_VP_APIC:
        ((struct vmr_x86_apic_state *)(void *)value)->base = 0xfee00800;
        store_le32(((struct vmr_x86_apic_state *)(void *)value)->page + 0x80, 0x30);
        break;
    case VMR_VP_ACTIVITY:
        ((struct vmr_x86_activity_state *)(void *)value)->nmi_pending = true;
        break;
    case VMR_VP_XCR0:
    case VMR_VP_DEBUG_REGISTERS:
    case VMR_VP_XSS:
    case VMR_VP_MTRRS:
    case VMR_VP_PAT:
    case VMR_VP_SYSCALL:
    case VMR_VP_MISC_ENABLE:
    case VMR_VP_FEATURE_CONTROL:
    case VMR_VP_SPEC_CTRL:
    case VMR_VP_TSC_AUX:
    case VMR_VP_CET:
    case VMR_VP_TSC_ADJUST:
    case VMR_VP_TSC:
    case VMR_VP_TSC_DEADLINE:
        value[0] ^= vp_class == VMR_VP_XCR0 ? 2 : 1;
        break;
    case VMR_VP_CET_SS:
    case VMR_VP_DEBUG_STATE:
    case VMR_VP_VTLS: /* this and those behind: the Hyper-V interface's */
    case VMR_VP_ASSIST:
    case VMR_VP_CRASH:
    case VMR_VP_SYNIC:
    case VMR_VP_SIMP:
    case VMR_VP_SIEFP:
    case VMR_VP_MESSAGE_QUEUE:
    case VMR_VP_STIMERS:
    case VMR_VP_CLASS_COUNT:
        fail_msg("class %u is not KVM's", vp_class);
    }
    if (vp_class == VMR_VP_DEBUG_REGISTERS)
        value[0] = 0x10;
}

/* Runs one operation with call n failing, for every n, until one passes without a failure. */
static void fail_each(struct machine *machine, const char *name,
                      enum vmr_status (*run)(struct machine *, unsigned, struct vmr_error *), unsigned argument)
{
    for (unsigned n = 1;; n++) {
        struct vmr_error err = {0};
        const struct fake_state before = fake_kvm.state;

        fake_kvm.calls = 0;
        fake_kvm.failed_request = 0;
        fake_kvm.fail_at = n;
        enum vmr_status status = run(machine, argument, &err);

        fake_kvm.fail_at = 0;
        if (fake_kvm.calls < n) {
            if (status)
                fail_msg("%s: %s", name, err.message);
            assert_true(n > 1);
            return;
        }
        if (fake_kvm.failed_request == KVM_CHECK_EXTENSION)
            continue; /* not knowing is no failure */
        bool is_refusal = fake_kvm.fail_errno == EINVAL && status == VMR_E_CONFIG;

        if (status != VMR_E_HOST && !is_refusal)
            fail_msg("%s: call %u failed: %d", name, n, status);
        assert_int_equal(err.status, status);
        assert_true(strlen(err.message) > 10);
        assert_memory_equal(&before, &fake_kvm.state, sizeof(before));
    }
}

static enum vmr_status run_get(struct machine *machine, unsigned vp_class, struct vmr_error *err)
{
    static uint8_t read[VALUE_MAX];

    memset(read, UNTOUCHED, sizeof(read));
    enum vmr_status status = ops()->vp_get_state(machine->vp, 0, (enum vmr_vp_class)vp_class, read, err);

    for (size_t i = 0; i < sizeof(read) && status; i++)
        assert_int_equal(read[i], UNTOUCHED);
    return status;
}

static enum vmr_status run_set(struct machine *machine, unsigned vp_class, struct vmr_error *err)
{
    other_value(machine, vp_class);
    return ops()->vp_set_state(machine->vp, 0, (enum vmr_vp_class)vp_class, value, err);
}

static enum vmr_status run_vm_get(struct machine *machine, unsigned vm_class, struct vmr_error *err)
{
    uint8_t read[1024];

    memset(read, UNTOUCHED, sizeof(read));
    enum vmr_status status = ops()->vm_get_state(machine->vm, (enum vmr_vm_class)vm_class, read, err);

    for (size_t i = 0; i < sizeof(read) && status; i++)
        assert_int_equal(read[i], UNTOUCHED);
    return status;
}

static enum vmr_status run_vm_set(struct machine *machine, unsigned vm_class, struct vmr_error *err)
{
    vmr_x86_vm_at_reset((enum vmr_vm_class)vm_class, value);
    if (vm_class == VMR_VM_PIC)
        ((struct vmr_x86_pic_state *)(void *)value)->chip[0].mask = 0xb8;
    return ops()->vm_set_state(machine->vm, (enum vmr_vm_class)vm_class, value, err);
}

static enum vmr_status run_reset(struct machine *machine, unsigned unused, struct vmr_error *err)
{
    (void)unused;
    fake_kvm.exits = 2; /* the instruction that ends takes two more exits */
    return ops()->vp_reset(machine->vp, err);
}

/* With registers that wait in the run page, which each class has to settle first. */
static enum vmr_status run_get_settled(struct machine *machine, unsigned vp_class, struct vmr_error *err)
{
    fake_kvm.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    fake_kvm.run->s.regs.regs = fake_kvm.state.regs;
    return run_get(machine, vp_class, err);
}

static void every_call_may_fail(void **state)
{
    static const int errors[] = {EIO, EINVAL};

    (void)state;
    for (unsigned i = 0; i < 2 * VMR_IRQCHIP_COUNT; i++) {
        struct machine machine;
        struct vmr_caps caps;

        start(&machine, i / 2, &caps);
        fake_kvm.fail_errno = errors[i % 2];
        for (unsigned c = 0; c < VMR_VP_CLASS_COUNT; c++) {
            if ((caps.vp_classes >> c & 1u) == 0)
                continue;
            const char *name = vmr_vp_class_type((enum vmr_vp_class)c)->name;

            fail_each(&machine, name, run_get, c);
            if (c != VMR_VP_TSC_DEADLINE) /* has a test of its own */
                fail_each(&machine, name, run_set, c);
            fail_each(&machine, name, run_get_settled, c);
        }
        for (unsigned c = 0; c < VMR_VM_CLASS_COUNT; c++) {
            if ((caps.vm_classes >> c & 1u) == 0)
                continue;
            fail_each(&machine, vmr_vm_class_type((enum vmr_vm_class)c)->name, run_vm_get, c);
            fail_each(&machine, vmr_vm_class_type((enum vmr_vm_class)c)->name, run_vm_set, c);
        }
        *fake_kvm_msr(MSR_COUNTER_EVENT) = 5; /* of no class: the reset puts it back */
        if (fake_kvm.fail_errno == EIO)
            fail_each(&machine, "reset", run_reset, 0);
        stop(&machine);
    }
}

static void a_refused_msr_leaves_those_before_it_as_they_were(void **state)
{
    static const struct {
        unsigned vp_class;
        uint32_t msr;
        const char *text;
    } rows[] = {
        {VMR_VP_MTRRS, 0x2ff, "mtrrs: default-type[0]"},
        {VMR_VP_MTRRS, 0x26a, "mtrrs: fixed[5]"},
        {VMR_VP_MTRRS, 0x20f, "mtrrs: variable[15]"},
        {VMR_VP_SYSCALL, 0xc0000102, "syscall: kernel-gs-base[0]"},
        {VMR_VP_MCG, 0x17a, "mcg: status[0]"},
        {VMR_VP_MCG, 0x17b, "mcg: ctl[0]"},
        {VMR_VP_PAT, 0x277, "pat: value[0]"},
    };
    struct machine machine;
    struct vmr_caps caps;

    (void)state;
    start(&machine, VMR_IRQCHIP_USER, &caps);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_error err = {0};

        assert_int_equal(run_get(&machine, rows[i].vp_class, &err), VMR_OK); /* names the MSRs */
        const struct fake_state before = fake_kvm.state;

        fake_kvm.msr_refused = rows[i].msr;
        assert_int_equal(run_set(&machine, rows[i].vp_class, &err), VMR_E_CONFIG);
        fake_kvm.msr_refused = 0;
        assert_memory_equal(&before, &fake_kvm.state, sizeof(before));
        assert_memory_equal(err.message, rows[i].text, strlen(rows[i].text));
    }
    stop(&machine);
}

static void an_instruction_that_never_ends_is_no_reset(void **state)
{
    struct machine machine;
    struct vmr_caps caps;
    struct vmr_error err = {0};

    (void)state;
    start(&machine, VMR_IRQCHIP_USER, &caps);
    fake_kvm.exits = 1000;
    assert_int_equal(ops()->vp_reset(machine.vp, &err), VMR_E_HOST);
    fake_kvm.exits = 0;
    fake_kvm.run->request_interrupt_window = 1;
    fake_kvm.run->cr8 = 5;
    fake_kvm.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    assert_int_equal(ops()->vp_reset(machine.vp, &err), VMR_OK);
    assert_int_equal(fake_kvm.run->request_interrupt_window, 0);
    assert_int_equal(fake_kvm.run->cr8, 0);
    assert_int_equal(fake_kvm.run->kvm_dirty_regs, 0);
    assert_int_equal(fake_kvm.run->immediate_exit, 0);
    stop(&machine);
}

static void what_belongs_to_no_class_goes_back_or_is_told(void **state)
{
    struct machine machine;
    struct vmr_caps caps;
    struct vmr_error err = {0};

    (void)state;
    start(&machine, VMR_IRQCHIP_USER, &caps);
    *fake_kvm_msr(MSR_COUNTER_EVENT) = 5;
    *fake_kvm_msr(0x400) = 6;
    *fake_kvm_msr(0x47f) = 7;
    assert_int_equal(ops()->vp_reset(machine.vp, &err), VMR_OK);
    assert_int_equal(*fake_kvm_msr(MSR_COUNTER_EVENT), 0);
    assert_int_equal(*fake_kvm_msr(0x400), 0);
    assert_int_equal(*fake_kvm_msr(0x47f), 0);
    *fake_kvm_msr(0x47f) = 7;
    fake_kvm.msr_refused = 0x47f;
    assert_int_equal(ops()->vp_reset(machine.vp, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "0x47f"));
    stop(&machine);
}

static void an_msr_that_is_listed_and_not_there_is_left_out(void **state)
{
    static const uint32_t missing[] = {MSR_COUNTER_EVENT, 0x400, 0x47f};

    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        const struct machine_options options = {.irqchip = VMR_IRQCHIP_USER};
        struct machine machine;

        fake_kvm_reset();
        fake_kvm.msr_missing = missing[i];
        assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
        *fake_kvm_msr(0x410) = 5;
        assert_int_equal(ops()->vp_reset(machine.vp, NULL), VMR_OK);
        assert_int_equal(*fake_kvm_msr(0x410), 0);
        stop(&machine);
    }
}

/* A one-shot timer whose interrupt is over is not started again, and its count is not forgotten. */
static void a_timer_that_is_over_is_not_told_to_kvm(void **state)
{
    struct machine machine;
    struct vmr_caps caps;
    struct vmr_x86_apic_state apic, read;
    struct vmr_x86_reset_info info = {0};
    const uint8_t *page = (const uint8_t *)fake_kvm.state.lapic.regs;

    (void)state;
    start(&machine, VMR_IRQCHIP_SPLIT, &caps);
    ops()->vp_reset_info(machine.vp, &info);
    vmr_x86_at_reset(VMR_VP_APIC, &info, &apic);
    store_le32(apic.page + 0x380, 0x1000);
    store_le32(apic.page + 0x3e0, 0xa); /* by 128 */
    assert_int_equal(ops()->vp_set_state(machine.vp, 0, VMR_VP_APIC, &apic, NULL), VMR_OK);
    assert_int_equal(load_le32(page + 0x380), 0);
    assert_int_equal(ops()->vp_get_state(machine.vp, 0, VMR_VP_APIC, &read, NULL), VMR_OK);
    assert_memory_equal(&read, &apic, sizeof(apic));
    apic.timer_ns = 128 * 5 - 1;
    assert_int_equal(ops()->vp_set_state(machine.vp, 0, VMR_VP_APIC, &apic, NULL), VMR_OK);
    assert_int_equal(load_le32(page + 0x380), 0x1000);
    assert_int_equal(load_le32(page + 0x390), 5);
    assert_int_equal(ops()->vp_get_state(machine.vp, 0, VMR_VP_APIC, &read, NULL), VMR_OK);
    assert_int_equal(read.timer_ns, 128 * 5);
    apic.timer_ns = UINT64_MAX - 1;
    assert_int_equal(ops()->vp_set_state(machine.vp, 0, VMR_VP_APIC, &apic, NULL), VMR_OK);
    assert_int_equal(load_le32(page + 0x390), 0x1000);
    stop(&machine);
}

/* KVM computes the priority from what was in service before. */
static void what_is_in_service_is_told_twice(void **state)
{
    struct machine machine;
    struct vmr_caps caps;
    struct vmr_x86_apic_state apic;
    struct vmr_x86_reset_info info = {0};

    (void)state;
    start(&machine, VMR_IRQCHIP_SPLIT, &caps);
    ops()->vp_reset_info(machine.vp, &info);
    vmr_x86_at_reset(VMR_VP_APIC, &info, &apic);
    for (unsigned i = 0; i < 4; i++) {
        unsigned before = fake_kvm.calls;

        apic.page[0x110] = i >= 2; /* twice without, twice with */
        assert_int_equal(ops()->vp_set_state(machine.vp, 0, VMR_VP_APIC, &apic, NULL), VMR_OK);
        assert_int_equal(fake_kvm.calls - before, i == 0 ? 4 : i == 2 ? 4 : 3);
    }
    stop(&machine);
}

/* KVM takes no word of a deadline in another mode of the timer, and says nothing. */
static void a_deadline_that_kvm_ignores_is_refused(void **state)
{
    struct machine machine;
    struct vmr_caps caps;
    struct vmr_error err = {0};
    const struct vmr_x86_word_state deadline = {.value = 0x123456789};

    (void)state;
    start(&machine, VMR_IRQCHIP_SPLIT, &caps);
    assert_int_equal(ops()->vp_set_state(machine.vp, 0, VMR_VP_TSC_DEADLINE, &deadline, &err), VMR_OK);
    fail_each(&machine, "tsc-deadline", run_get, VMR_VP_TSC_DEADLINE);
    stop(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(a_refused_msr_leaves_those_before_it_as_they_were),
        cmocka_unit_test(an_instruction_that_never_ends_is_no_reset),
        cmocka_unit_test(what_belongs_to_no_class_goes_back_or_is_told),
        cmocka_unit_test(an_msr_that_is_listed_and_not_there_is_left_out),
        cmocka_unit_test(a_timer_that_is_over_is_not_told_to_kvm),
        cmocka_unit_test(what_is_in_service_is_told_twice),
        cmocka_unit_test(a_deadline_that_kvm_ignores_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
