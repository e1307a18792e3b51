/* SPDX-License-Identifier: MIT */
/*
 * Interrupts on the real /dev/kvm, in each of the three places where the
 * controllers can be, and doorbells. Skipped where there is no KVM to open.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "backends/kvm/kvm_private.h"
#include "tests/backends/kvm/fixture.h"

static const struct machine_options user_chip = {.irqchip = VMR_IRQCHIP_USER};

static void injected_interrupt_is_taken_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    fixture_load_handler(&f, 0x20);
    LOAD(&f, 0xfb, 0x90, 0xf4, 0xe6, 0x41, 0xf4); /* sti; nop; hlt; out 0x41,al; hlt */
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    assert_true(f.machine.exit.interrupt_ready);
    assert_int_equal(f.backend->vp_interrupt(f.machine.vp, 0x20), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x40);
    assert_false(f.machine.exit.interrupt_ready);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x41);
    fixture_finish(&f);
}

static void window_opens_when_the_guest_allows_interrupts(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe6, 0x40, 0xfb, 0xeb, 0xfe); /* out 0x40,al; sti; jmp $ */
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_false(f.machine.exit.interrupt_ready);
    f.backend->vp_request_window(f.machine.vp, true);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IRQ_WINDOW);
    assert_true(f.machine.exit.interrupt_ready);
    fixture_finish(&f);
}

/* Software-enables the local APIC in KVM, and gives its pin 1 the entry `lint1`. */
static void set_lapic(struct machine *machine, uint32_t lint1)
{
    const struct kvm_vp *vp = kvm_vp_of(machine->vp);
    const uint32_t spurious = 0x1ff;
    struct kvm_lapic_state lapic = {0};

    assert_int_equal(kvm_host_ioctl(vp->fd.number, KVM_GET_LAPIC, kvm_pointer(&lapic)), 0);
    memcpy(lapic.regs + 0xf0, &spurious, sizeof(spurious));
    memcpy(lapic.regs + 0x360, &lint1, sizeof(lint1));
    assert_int_equal(kvm_host_ioctl(vp->fd.number, KVM_SET_LAPIC, kvm_pointer(&lapic)), 0);
}

static void start_with_kernel_chip(struct fixture *fixture, uint32_t lint1)
{
    const struct machine_options options = {.irqchip = VMR_IRQCHIP_KERNEL};

    fixture_start(fixture, &options);
    fixture_load_handler(fixture, 0x20);
    fixture_load_handler(fixture, 2); /* NMI */
    set_lapic(&fixture->machine, lint1);
    LOAD(fixture, 0xf4, 0xe6, 0x41, 0xf4); /* hlt; out 0x41,al */
}

static void kernel_chip_delivers_a_message(void **state)
{
    const struct vmr_msi nmi = {.address = 0xfee00000, .data = 0x400};
    const struct vmr_msi nobody = {.address = 0xfee05000, .data = 0x20};
    struct fixture f;
    enum vmr_activity activity;

    (void)state;
    start_with_kernel_chip(&f, 0x10000);
    assert_int_equal(f.backend->vm_msi(f.machine.vm, &nobody), VMR_E_GUEST);
    assert_int_equal(f.backend->vm_msi(f.machine.vm, &nmi), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x40);
    assert_int_equal(f.backend->vp_get_activity(f.machine.vp, &activity), VMR_OK);
    assert_int_equal(activity, VMR_ACTIVITY_RUNNING);
    fixture_finish(&f);
}

static void *pulse_pin_of_sleeping_guest(void *argument)
{
    struct machine *machine = argument;

    /* By then the guest has most likely reached its HLT; the test holds either way. */
    (void)poll(NULL, 0, 20);
    assert_int_equal(vmr_kvm_backend()->vm_lint(machine->vm, 0, 1), VMR_OK);
    return NULL;
}

static void local_pin_wakes_a_sleeping_guest(void **state)
{
    struct fixture f;
    pthread_t thread;

    (void)state;
    start_with_kernel_chip(&f, 0x400); /* NMI */
    f.backend->vp_enter(f.machine.vp);
    assert_int_equal(pthread_create(&thread, NULL, pulse_pin_of_sleeping_guest, &f.machine), 0);
    do {
        f.backend->vp_run(f.machine.vp, &f.machine.exit);
    } while (f.machine.exit.kind == VMR_EXIT_CANCEL);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x40);
    assert_int_equal(pthread_join(thread, NULL), 0);
    f.backend->vp_leave(f.machine.vp, VMR_LEAVE_HALT);
    fixture_finish(&f);
}

static void masked_local_pin_does_nothing(void **state)
{
    struct fixture f;

    (void)state;
    start_with_kernel_chip(&f, 0x10400);
    LOAD(&f, 0xe6, 0x41, 0xf4); /* out 0x41,al; hlt */
    assert_int_equal(f.backend->vm_lint(f.machine.vm, 0, 1), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x41);
    fixture_finish(&f);
}

static void kernel_pic_line_wakes_the_guest(void **state)
{
    const struct machine_options options = {.irqchip = VMR_IRQCHIP_KERNEL};
    struct fixture f;

    (void)state;
    fixture_start(&f, &options);
    fixture_load_handler(&f, 0x20);
    /* The PIC's four command words: vectors from 0x20, all unmasked; then sti; hlt. */
    LOAD(&f, 0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21, 0xb0, 0x00,
         0xe6, 0x21, 0xe6, 0x41, 0xfb, 0xf4, 0xe6, 0x42, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x41);
    assert_int_equal(f.backend->vm_irq(f.machine.vm, 0, true), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x40);
    fixture_finish(&f);
}

static void split_chip_tells_the_end_of_a_level_interrupt(void **state)
{
    const struct machine_options options = {.irqchip = VMR_IRQCHIP_SPLIT};
    /* Level triggered (bit 15), asserted (bit 14), vector 0x20, to APIC 0. */
    const struct vmr_msi level = {.address = 0xfee00000, .data = 0xc020};
    struct fixture f;

    (void)state;
    fixture_start(&f, &options);
    fixture_load_handler(&f, 0x20);
    set_lapic(&f.machine, 0x10000);
    /* sti; nop; then at the handler's port exit the register for EOI is written from here. */
    LOAD(&f, 0xfb, 0x90, 0xeb, 0xfe);
    assert_int_equal(f.backend->vm_set_route(f.machine.vm, 4, &level), VMR_OK);
    assert_int_equal(f.backend->vm_msi(f.machine.vm, &level), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.port, 0x40);
    /* x2APIC's EOI: mov ecx,0x80b; xor eax,eax; xor edx,edx; wrmsr; hlt, in x2APIC mode. */
    f.backend->vp_complete(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.backend->vp_set_msr(f.machine.vp, 0x1b, 0xfee00d00), VMR_OK);
    LOAD(&f, 0x66, 0xb9, 0x0b, 0x08, 0, 0, 0x66, 0x31, 0xc0, 0x66, 0x31, 0xd2, 0x0f, 0x30, 0xe6, 0x43, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_EOI);
    assert_int_equal(f.machine.exit.u.eoi.vector, 0x20);
    fixture_finish(&f);
}

static void doorbell_signals_without_an_exit(void **state)
{
    const struct vmr_doorbell doorbell = {.address = 0x70, .size = 1, .match_value = true, .value = 5};
    struct fixture f;
    uint64_t rung = 0;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xb0, 0x05, 0xe6, 0x70, 0xb0, 0x06, 0xe6, 0x70, 0xf4); /* mov al,5; out 0x70,al; mov al,6; out; hlt */
    assert_int_equal(f.backend->vm_doorbell(f.machine.vm, true, &doorbell, fd, true), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.value, 6);
    assert_int_equal(read(fd, &rung, sizeof(rung)), sizeof(rung));
    assert_int_equal(rung, 1);
    assert_int_equal(f.backend->vm_doorbell(f.machine.vm, true, &doorbell, fd, false), VMR_OK);
    (void)close(fd);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(injected_interrupt_is_taken_once),
        cmocka_unit_test(window_opens_when_the_guest_allows_interrupts),
        cmocka_unit_test(kernel_chip_delivers_a_message),
        cmocka_unit_test(local_pin_wakes_a_sleeping_guest),
        cmocka_unit_test(masked_local_pin_does_nothing),
        cmocka_unit_test(kernel_pic_line_wakes_the_guest),
        cmocka_unit_test(split_chip_tells_the_end_of_a_level_interrupt),
        cmocka_unit_test(doorbell_signals_without_an_exit),
    };

    (void)alarm(WATCHDOG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
