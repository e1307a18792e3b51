/* SPDX-License-Identifier: MIT */
/*
 * The backend on a fake kernel. A whole life of a VM is run over and over, and
 * in round n the n-th call into the kernel fails: whatever n is, descriptors
 * and mappings come out even, the error says what happened, and what was
 * there before the failed call still is.
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
#include "backends/kvm/kvm_exit.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"
#include "vmrig/backend_hv.h"

static const struct vmr_backend *backend(void)
{
    return vmr_kvm_backend();
}

/* What the middle of a life did. */
struct outcome {
    enum vmr_status status; /* the first call that failed, if any did */
    struct vmr_error err;
    bool exit_failed;
};

static void note(struct outcome *outcome, enum vmr_status status)
{
    if (outcome->status == VMR_OK)
        outcome->status = status;
}

static void use_registers(struct machine *machine, struct outcome *outcome)
{
    struct vmr_x86_regs regs = {.rip = 1};
    struct vmr_x86_regs read = {.rip = 2};
    const struct vmr_debug_state debug = {.single_step = true};
    uint64_t value = 3;
    enum vmr_status status = backend()->vp_set_regs(machine->vp, &regs);

    note(outcome, status);
    status = backend()->vp_get_regs(machine->vp, &read);
    note(outcome, status);
    if (status)
        assert_int_equal(read.rip, 2); /* untouched [ERR-1] */
    status = backend()->vp_get_msr(machine->vp, 0x10, &value);
    note(outcome, status);
    if (status)
        assert_int_equal(value, 3);
    note(outcome, backend()->vp_set_msr(machine->vp, 0x10, 0));
    note(outcome, backend()->vp_set_debug(machine->vp, &debug));
}

static void use_interrupts(struct machine *machine, struct outcome *outcome)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0x31};

    if (machine->handle.irqchip == VMR_IRQCHIP_USER) {
        note(outcome, backend()->vp_interrupt(machine->vp, 0x31));
        note(outcome, backend()->vp_nmi(machine->vp));
        return;
    }
    uint32_t before = fake_kvm.route_count;
    enum vmr_status status = backend()->vm_set_route(machine->vm, 30, &msi);

    note(outcome, status);
    assert_int_equal(fake_kvm.route_count, before + (status ? 0 : 1));
    note(outcome, backend()->vm_msi(machine->vm, &msi));
    note(outcome, backend()->vm_lint(machine->vm, 0, 1));
}

static void use(struct machine *machine, struct outcome *outcome)
{
    use_registers(machine, outcome);
    use_interrupts(machine, outcome);
    for (unsigned i = 0; i < 2; i++) {
        (void)machine_step(machine);
        if (machine->exit.kind == VMR_EXIT_FAIL) {
            outcome->exit_failed = true;
            assert_int_equal(machine->exit.u.fail.cause, VMR_FAIL_HOST);
            assert_int_equal(machine->exit.u.fail.code, EIO);
        } else {
            assert_int_equal(machine->exit.kind, VMR_EXIT_HALT);
        }
    }
    backend()->vp_complete(machine->vp, &machine->exit);
    outcome->exit_failed = outcome->exit_failed || machine->exit.kind == VMR_EXIT_FAIL;
    backend()->vm_unmap(machine->vm, 0, &machine->region);
}

/* What the Hyper-V interface of a partition would use. */
static void use_hv(struct machine *machine, struct outcome *outcome)
{
    const struct vmr_backend_hv *hv = backend()->hv;
    struct vmr_hv_own own = {.privileges = 5};
    uint64_t count = 7;
    enum vmr_status status = hv->own(&machine->handle, &own, &outcome->err);

    note(outcome, status);
    assert_int_equal(own.privileges, status ? 5 : 0);
    status = hv->get_time(machine->vm, &count);
    note(outcome, status);
    assert_int_equal(count, status ? 7 : 0);
    note(outcome, hv->set_time(machine->vm, 0));
    note(outcome, hv->event(machine->vm, 1, 3, true));
    note(outcome, hv->event(machine->vm, 1, 3, false));
}

static struct outcome live(enum vmr_irqchip irqchip)
{
    static const struct vmr_msr_range range = {.first = 0x40000000, .count = 0x200};
    const struct machine_options options = {
        .irqchip = irqchip, .msr_exits = &range, .msr_exit_count = 1, .hv_offload = irqchip != VMR_IRQCHIP_USER};
    struct machine machine;
    struct outcome outcome = {0};

    outcome.status = machine_init(&machine, &options, &outcome.err);
    if (outcome.status) {
        assert_int_equal(outcome.err.status, outcome.status);
    } else {
        use(&machine, &outcome);
        if (options.hv_offload)
            use_hv(&machine, &outcome);
    }
    if (machine.handle.owns_fd)
        kvm_host_close(machine.handle.fd);
    machine_finish(&machine);
    return outcome;
}

static void nothing_leaks_whichever_call_fails(void **state)
{
    (void)state;
    for (unsigned irqchip = 0; irqchip < VMR_IRQCHIP_COUNT; irqchip++) {
        fake_kvm_reset();
        assert_int_equal(live((enum vmr_irqchip)irqchip).status, VMR_OK);
        unsigned total = fake_kvm.calls;

        assert_true(total > 20);
        for (unsigned n = 1; n <= total; n++) {
            fake_kvm_reset();
            fake_kvm.fail_at = n;
            struct outcome outcome = live((enum vmr_irqchip)irqchip);
            unsigned long request = fake_kvm.failed_request;
            /* Not knowing of an extension is no failure, and taking a region away is tried again. */
            bool may_pass = request == KVM_CHECK_EXTENSION || request == KVM_SET_USER_MEMORY_REGION;

            if (!may_pass && outcome.status == VMR_OK && !outcome.exit_failed)
                fail_msg("irqchip %u, call %u, request %#lx: nobody noticed", irqchip, n, request);
            if (outcome.err.status)
                assert_true(strlen(outcome.err.message) > 10);
            assert_int_equal(fake_kvm_open_fds(), 0);
            assert_int_equal(fake_kvm.maps, 0);
        }
    }
}

static void start(struct machine *machine, enum vmr_irqchip irqchip)
{
    const struct machine_options options = {.irqchip = irqchip};
    struct vmr_error err;

    assert_int_equal(machine_init(machine, &options, &err), VMR_OK);
}

static void interrupted_run_is_a_cancel_and_keeps_readiness(void **state)
{
    static const int errors[] = {EINTR, EAGAIN};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct machine machine;

        fake_kvm_reset();
        start(&machine, VMR_IRQCHIP_USER);
        fake_kvm.run->exit_reason = KVM_EXIT_IO; /* must not be decoded again */
        fake_kvm.run->ready_for_interrupt_injection = 1;
        fake_kvm.run->cr8 = 6;
        fake_kvm.run_errno = errors[i];
        assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_CANCEL);
        assert_true(machine.exit.interrupt_ready);
        assert_int_equal(machine.exit.tpr, 6);
        machine_finish(&machine);
    }
}

static void fault_of_the_call_is_not_the_fault_before(void **state)
{
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    fake_kvm.run->exit_reason = KVM_REASON_MEMORY_FAULT;
    fake_kvm.run_errno = EFAULT;
    assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_FAIL);
    assert_int_equal(machine.exit.u.fail.code, EFAULT);
    machine_finish(&machine);
}

static void chip_in_kvm_says_nothing_of_readiness(void **state)
{
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_KERNEL);
    fake_kvm.run->ready_for_interrupt_injection = 1; /* KVM's answer there is always yes */
    fake_kvm.run->cr8 = 6;
    (void)machine_step(&machine);
    assert_false(machine.exit.interrupt_ready);
    assert_int_equal(machine.exit.tpr, 0);
    machine_finish(&machine);
}

static void region_that_stays_ends_every_run(void **state)
{
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    fake_kvm.fail_at = fake_kvm.calls + 1;
    fake_kvm.fail_count = 100;
    fake_kvm.fail_errno = ENOMEM;
    backend()->vm_unmap(machine.vm, 0, &machine.region);
    fake_kvm.fail_at = 0;
    unsigned runs = fake_kvm.runs;

    assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_FAIL);
    assert_int_equal(machine.exit.u.fail.code, ENOMEM);
    assert_int_equal(fake_kvm.runs, runs); /* the guest was not entered */
    machine_finish(&machine);
}

static void registers_change_whole_or_not_at_all(void **state)
{
    struct vmr_x86_regs regs = {.cr3 = 0x5000, .cr8 = 3};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    fake_kvm.state.sregs.cr3 = 0x1000;
    fake_kvm.fail_at = fake_kvm.calls + 3; /* get, set, and then the general registers */
    assert_int_equal(backend()->vp_set_regs(machine.vp, &regs), VMR_E_HOST);
    assert_int_equal(fake_kvm.failed_request, KVM_SET_REGS);
    assert_int_equal(fake_kvm.state.sregs.cr3, 0x1000);
    assert_int_equal(fake_kvm.run->cr8, 0);
    assert_int_equal(backend()->vp_set_regs(machine.vp, &regs), VMR_OK);
    assert_int_equal(fake_kvm.state.sregs.cr3, 0x5000);
    assert_int_equal(fake_kvm.run->cr8, 3);
    machine_finish(&machine);
}

/* A VP whose instruction has been finished, with RAX 1 and CR3 0x1000, and its registers. */
static void finish_instruction(struct machine *machine, struct vmr_x86_regs *ret_regs)
{
    struct vmr_exit vp_exit = {0};

    start(machine, VMR_IRQCHIP_USER);
    fake_kvm.state.regs = (struct kvm_regs){.rax = 1, .rip = 0x100};
    fake_kvm.state.sregs.cr3 = 0x1000;
    backend()->vp_complete(machine->vp, &vp_exit);
    assert_int_equal(backend()->vp_get_regs(machine->vp, ret_regs), VMR_OK);
    assert_int_equal(ret_regs->gpr[VMR_X86_RAX], 1);
    assert_int_equal(ret_regs->cr3, 0x1000);
}

static void registers_come_with_a_completion_and_go_with_the_next_entry(void **state)
{
    struct vmr_x86_regs regs, read;
    struct vmr_exit vp_exit = {0};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    finish_instruction(&machine, &regs);
    unsigned calls = fake_kvm.calls;

    regs.gpr[VMR_X86_RAX] = 2;
    assert_int_equal(backend()->vp_set_regs(machine.vp, &regs), VMR_OK);
    assert_int_equal(backend()->vp_get_regs(machine.vp, &read), VMR_OK);
    assert_int_equal(read.gpr[VMR_X86_RAX], 2);
    assert_int_equal(read.rip, 0x100);
    assert_int_equal(fake_kvm.calls, calls);
    assert_int_equal(fake_kvm.state.regs.rax, 1);
    backend()->vp_run(machine.vp, &vp_exit);
    assert_int_equal(fake_kvm.state.regs.rax, 2);
    /* From here on the guest may have changed them. */
    fake_kvm.state.regs.rax = 3;
    assert_int_equal(backend()->vp_get_regs(machine.vp, &read), VMR_OK);
    assert_int_equal(read.gpr[VMR_X86_RAX], 3);
    machine_finish(&machine);
}

static void what_kvm_does_with_registers_sees_their_change(void **state)
{
    struct vmr_debug_state debug = {.single_step = true};
    struct vmr_x86_regs regs;
    struct machine machine;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        fake_kvm_reset();
        finish_instruction(&machine, &regs);
        regs.gpr[VMR_X86_RAX] = 2;
        assert_int_equal(backend()->vp_set_regs(machine.vp, &regs), VMR_OK);
        enum vmr_status status = i == 0   ? backend()->vp_exception(machine.vp, 6)
                                 : i == 1 ? backend()->vp_set_debug(machine.vp, &debug)
                                 : i == 2 ? backend()->vp_flush(machine.vp)
                                 : i == 3 ? backend()->vp_set_msr(machine.vp, 0xc0000080, 0)
                                 : i == 4 ? backend()->vp_set_activity(machine.vp, VMR_ACTIVITY_RUNNING)
                                          : (regs.cr3 = 0x5000, backend()->vp_set_regs(machine.vp, &regs));

        assert_int_equal(status, VMR_OK);
        assert_int_equal(fake_kvm.state.regs.rax, 2);
        assert_int_equal(fake_kvm.run->kvm_dirty_regs, 0);
        machine_finish(&machine);
    }
    assert_int_equal(fake_kvm.state.sregs.cr3, 0x5000);
}

static void a_kernel_without_synchronised_registers_is_asked_by_call(void **state)
{
    struct vmr_x86_regs regs;
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    fake_kvm.absent = KVM_CAP_SYNC_REGS;
    finish_instruction(&machine, &regs);
    regs.gpr[VMR_X86_RAX] = 2;
    assert_int_equal(backend()->vp_set_regs(machine.vp, &regs), VMR_OK);
    assert_int_equal(fake_kvm.state.regs.rax, 2);
    assert_int_equal(fake_kvm.run->kvm_dirty_regs, 0);
    machine_finish(&machine);
}

/* Of a present code or data segment the accessed bit is set, whatever KVM says; of no other. */
static void loaded_segments_have_been_accessed(void **state)
{
    struct vmr_x86_regs regs;
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    fake_kvm.state.sregs.cs = (struct kvm_segment){.type = 0xa, .s = 1, .present = 1};
    fake_kvm.state.sregs.ds = (struct kvm_segment){.type = 0x2, .s = 1, .present = 1};
    fake_kvm.state.sregs.ss = (struct kvm_segment){.type = 0x2, .s = 1, .present = 1, .unusable = 1};
    fake_kvm.state.sregs.ldt = (struct kvm_segment){.type = 0x2, .present = 1};
    assert_int_equal(backend()->vp_get_regs(machine.vp, &regs), VMR_OK);
    assert_int_equal(regs.cs.attributes, 0x9b);
    assert_int_equal(regs.ds.attributes, 0x93);
    assert_int_equal(regs.ss.attributes, 0x12);
    assert_int_equal(regs.ldtr.attributes, 0x82);
    machine_finish(&machine);
}

static void routes_survive_a_refused_change(void **state)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0x31};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_SPLIT);
    assert_int_equal(fake_kvm.route_count, 0);
    assert_int_equal(backend()->vm_set_route(machine.vm, 5, &msi), VMR_OK);
    fake_kvm.fail_at = fake_kvm.calls + 1;
    assert_int_equal(backend()->vm_set_route(machine.vm, 6, &msi), VMR_E_HOST);
    assert_int_equal(backend()->vm_set_route(machine.vm, 7, &msi), VMR_OK);
    assert_int_equal(fake_kvm.route_count, 2); /* 5 and 7 */
    assert_int_equal(backend()->vm_set_route(machine.vm, 5, NULL), VMR_OK);
    assert_int_equal(fake_kvm.route_count, 1);
    assert_int_equal(fake_kvm.route_gsi, 7);
    assert_int_equal(backend()->vm_set_route(machine.vm, 7, &msi), VMR_OK);
    assert_int_equal(fake_kvm.route_count, 1); /* replaced, not doubled */
    machine_finish(&machine);
}

static void what_kvm_says_of_an_event_is_told_apart(void **state)
{
    static const struct {
        int error;
        enum vmr_status status;
    } cases[] = {
        {EBUSY, VMR_E_CONFIG}, {EEXIST, VMR_E_CONFIG}, {ENOENT, VMR_E_USAGE}, {EBADF, VMR_E_USAGE},
        {EINVAL, VMR_E_USAGE}, {ENOMEM, VMR_E_HOST},   {ENOSPC, VMR_E_HOST},
    };
    const struct vmr_doorbell doorbell = {.address = 0x70, .size = 1};
    const struct vmr_doorbell valued = {.address = 0x70, .match_value = true, .value = 1};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_SPLIT);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_kvm.fail_errno = cases[i].error;
        fake_kvm.fail_at = fake_kvm.calls + 1;
        assert_int_equal(backend()->vm_irqfd(machine.vm, 3, 9, true), cases[i].status);
        assert_int_equal(fake_kvm.failed_request, KVM_IRQFD);
        fake_kvm.fail_at = fake_kvm.calls + 1;
        assert_int_equal(backend()->vm_doorbell(machine.vm, true, &doorbell, 3, true), cases[i].status);
        assert_int_equal(fake_kvm.failed_request, KVM_IOEVENTFD);
    }
    fake_kvm.fail_at = 0;
    assert_int_equal(backend()->vm_doorbell(machine.vm, true, &valued, 3, true), VMR_E_UNSUPPORTED);
    machine_finish(&machine);
}

static void kick_in_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    const struct machine *machine = context;

    assert_int_equal(vp, 0);
    if (seam == VMR_SEAM_BEFORE_ENTRY)
        backend()->vp_kick(machine->vp);
}

static void kick_signals_only_a_vp_that_is_in_the_call(void **state)
{
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    backend()->vp_enter(machine.vp);
    backend()->vp_kick(machine.vp);
    assert_int_equal(fake_kvm.kicks, 0);
    backend()->vp_run(machine.vp, &machine.exit);
    assert_int_equal(machine.exit.kind, VMR_EXIT_CANCEL);
    backend()->vp_run(machine.vp, &machine.exit);
    assert_int_equal(machine.exit.kind, VMR_EXIT_HALT);
    backend()->vp_leave(machine.vp, VMR_LEAVE_KICK);
    backend()->vm_set_seam_hook(machine.vm, kick_in_seam, &machine);
    assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_CANCEL);
    assert_int_equal(fake_kvm.kicks, 1);
    machine_finish(&machine);
}

static void signal_of_somebody_else_is_refused(void **state)
{
    const struct machine_options options = {0};
    struct machine machine;
    struct vmr_error err;

    (void)state;
    fake_kvm_reset();
    fake_kvm.signal_taken = true;
    assert_int_equal(machine_init(&machine, &options, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "signal 34"));
    machine_finish(&machine);
}

static void breakpoints_become_debug_registers(void **state)
{
    struct vmr_debug_state debug = {0};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    start(&machine, VMR_IRQCHIP_USER);
    debug.breakpoints[0] =
        (struct vmr_breakpoint){.enabled = true, .kind = VMR_BREAK_EXECUTE, .length = 1, .address = 1};
    debug.breakpoints[1] = (struct vmr_breakpoint){.enabled = true, .kind = VMR_BREAK_WRITE, .length = 8, .address = 2};
    debug.breakpoints[3] =
        (struct vmr_breakpoint){.enabled = true, .kind = VMR_BREAK_ACCESS, .length = 4, .address = 4};
    assert_int_equal(backend()->vp_set_debug(machine.vp, &debug), VMR_OK);
    assert_int_equal(fake_kvm.debug.control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP);
    assert_int_equal(fake_kvm.debug.arch.debugreg[7], 0xf0900445);
    assert_int_equal(fake_kvm.debug.arch.debugreg[3], 4);
    debug = (struct vmr_debug_state){0};
    assert_int_equal(backend()->vp_set_debug(machine.vp, &debug), VMR_OK);
    assert_int_equal(fake_kvm.debug.control, 0);
    machine_finish(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaks_whichever_call_fails),
        cmocka_unit_test(interrupted_run_is_a_cancel_and_keeps_readiness),
        cmocka_unit_test(fault_of_the_call_is_not_the_fault_before),
        cmocka_unit_test(chip_in_kvm_says_nothing_of_readiness),
        cmocka_unit_test(region_that_stays_ends_every_run),
        cmocka_unit_test(registers_change_whole_or_not_at_all),
        cmocka_unit_test(registers_come_with_a_completion_and_go_with_the_next_entry),
        cmocka_unit_test(what_kvm_does_with_registers_sees_their_change),
        cmocka_unit_test(a_kernel_without_synchronised_registers_is_asked_by_call),
        cmocka_unit_test(loaded_segments_have_been_accessed),
        cmocka_unit_test(routes_survive_a_refused_change),
        cmocka_unit_test(what_kvm_says_of_an_event_is_told_apart),
        cmocka_unit_test(kick_signals_only_a_vp_that_is_in_the_call),
        cmocka_unit_test(signal_of_somebody_else_is_refused),
        cmocka_unit_test(breakpoints_become_debug_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
