/* SPDX-License-Identifier: MIT */
/*
 * The backend on the real /dev/kvm: real-mode guests of a few bytes each, one
 * behaviour a test. Skipped where there is no KVM to open. What an exit means
 * byte by byte is in test_kvm_exit.c, what failing calls do in test_kvm_fail.c,
 * interrupts in test_kvm_irq.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "tests/backends/kvm/fixture.h"

static const struct machine_options user_chip = {.irqchip = VMR_IRQCHIP_USER};

static void port_write_then_halt_are_two_exits(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xb0, 0x53, 0xe6, 0x10, 0xf4); /* mov al,'S'; out 0x10,al; hlt */
    const struct vmr_exit *e = machine_step(&f.machine);

    assert_int_equal(e->kind, VMR_EXIT_IO);
    assert_int_equal(e->u.io.port, 0x10);
    assert_int_equal(e->u.io.size, 1);
    assert_int_equal(e->u.io.direction, VMR_WRITE);
    assert_int_equal(e->u.io.count, 1);
    assert_false(e->u.io.string);
    assert_int_equal(e->u.io.value, 0x53);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    assert_int_equal(machine_regs(&f.machine).rip, CODE_GPA + 5);
    fixture_finish(&f);
}

static void port_read_gives_the_guest_the_answer(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0x66, 0xe5, 0x20, 0xf4); /* in eax,0x20; hlt */
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.size, 4);
    assert_int_equal(f.machine.exit.u.io.direction, VMR_READ);
    f.machine.exit.u.io.value = 0x12345678;
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    assert_int_equal(machine_regs(&f.machine).gpr[VMR_X86_RAX], 0x12345678);
    fixture_finish(&f);
}

/* Takes every exit of a string instruction until HLT; gives how many items came. */
static unsigned drain_string(struct fixture *f, unsigned char *ret_items, bool answer)
{
    unsigned items = 0;

    while (machine_step(&f->machine)->kind == VMR_EXIT_IO) {
        struct vmr_exit_io *io = &f->machine.exit.u.io;

        for (uint32_t i = 0; i < io->count; i++, items++) {
            assert_true(items < 16);
            if (answer && io->string)
                io->bytes[i] = (uint8_t)(0x40 + items);
            else if (answer)
                io->value = 0x40 + items;
            else
                ret_items[items] = io->string ? io->bytes[i] : (uint8_t)io->value;
        }
    }
    assert_int_equal(f->machine.exit.kind, VMR_EXIT_HALT);
    return items;
}

static void string_items_keep_their_order_in_both_directions(void **state)
{
    struct fixture f;
    unsigned char seen[16] = {0};

    (void)state;
    fixture_start(&f, &user_chip);
    /* mov si,0x2004; mov di,0x3004; mov cx,5; mov dx,0x30; std; rep outsb; mov cx,5; rep insb; hlt */
    LOAD(&f, 0xbe, 0x04, 0x20, 0xbf, 0x04, 0x30, 0xb9, 5, 0, 0xba, 0x30, 0, 0xfd, 0xf3, 0x6e, 0xb9, 5, 0, 0xf3, 0x6c,
         0xf4);
    memcpy(f.machine.memory + 0x2000, "abcde", 5);
    /* The OUTS exits end where the INS exits begin: both are of port 0x30, so count them apart by direction. */
    unsigned written = 0;

    while (machine_step(&f.machine)->kind == VMR_EXIT_IO && f.machine.exit.u.io.direction == VMR_WRITE)
        seen[written++] =
            f.machine.exit.u.io.string ? f.machine.exit.u.io.bytes[0] : (uint8_t)f.machine.exit.u.io.value;
    assert_int_equal(written, 5);
    assert_memory_equal(seen, "edcba", 5);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_IO);
    for (uint32_t i = 0; i < f.machine.exit.u.io.count && f.machine.exit.u.io.string; i++)
        f.machine.exit.u.io.bytes[i] = (uint8_t)(0x80 + i);
    f.machine.exit.u.io.value = 0x80;
    uint32_t first = f.machine.exit.u.io.count;

    assert_int_equal(drain_string(&f, NULL, true) + first, 5);
    assert_int_equal(f.machine.memory[0x3004], 0x80);
    assert_int_equal(f.machine.memory[0x3005], 0);
    fixture_finish(&f);
}

static void string_read_fills_guest_memory(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    /* mov di,0x3000; mov cx,8; mov dx,0x30; rep insb; hlt */
    LOAD(&f, 0xbf, 0, 0x30, 0xb9, 8, 0, 0xba, 0x30, 0, 0xf3, 0x6c, 0xf4);
    assert_int_equal(drain_string(&f, NULL, true), 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(f.machine.memory[0x3000 + i], 0x40 + i);
    fixture_finish(&f);
}

static void hole_is_mmio_in_both_directions(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    /* mov ax,0xf000; mov ds,ax; mov word [0x1000],0xbeef: 0x100ff0 + ...; mov bx,[0x1234]; hlt */
    LOAD(&f, 0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0xc7, 0x06, 0, 0x10, 0xef, 0xbe, 0x8b, 0x1e, 0x34, 0x12, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MMIO);
    assert_int_equal(f.machine.exit.u.mmio.gpa, 0xf1000);
    assert_int_equal(f.machine.exit.u.mmio.size, 2);
    assert_int_equal(f.machine.exit.u.mmio.direction, VMR_WRITE);
    assert_int_equal(f.machine.exit.u.mmio.value, 0xbeef);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MMIO);
    assert_int_equal(f.machine.exit.u.mmio.gpa, 0xf1234);
    assert_int_equal(f.machine.exit.u.mmio.direction, VMR_READ);
    assert_int_equal(f.machine.exit.u.mmio.value, 0);
    f.machine.exit.u.mmio.value = 0xcafe;
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    assert_int_equal(machine_regs(&f.machine).gpr[VMR_X86_RBX] & 0xffff, 0xcafe);
    fixture_finish(&f);
}

static void completion_finishes_the_read_and_runs_nothing(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe4, 0x20, 0xe6, 0x21, 0xf4); /* in al,0x20; out 0x21,al; hlt */
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    f.machine.exit.u.io.value = 0x5a;
    f.backend->vp_complete(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_NONE);
    assert_int_equal(machine_regs(&f.machine).rip, CODE_GPA + 2);
    assert_int_equal(machine_regs(&f.machine).gpr[VMR_X86_RAX] & 0xff, 0x5a);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(f.machine.exit.u.io.value, 0x5a);
    fixture_finish(&f);
}

static void completion_of_a_crossing_read_gives_its_second_half(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    /* mov ax,0xf000; mov ds,ax; mov ebx,[0xffe]; hlt */
    LOAD(&f, 0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0x66, 0x8b, 0x1e, 0xfe, 0x0f, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MMIO);
    assert_int_equal(f.machine.exit.u.mmio.gpa, 0xf0ffe);
    assert_int_equal(f.machine.exit.u.mmio.size, 2);
    f.machine.exit.u.mmio.value = 0x2211;
    f.backend->vp_complete(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_MMIO);
    assert_int_equal(f.machine.exit.u.mmio.gpa, 0xf1000);
    f.machine.exit.u.mmio.value = 0x4433;
    f.backend->vp_complete(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_NONE);
    assert_int_equal(machine_regs(&f.machine).gpr[VMR_X86_RBX], 0x44332211);
    fixture_finish(&f);
}

static void kick_before_a_run_is_not_lost_and_counts_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe6, 0x10, 0xeb, 0xfe); /* out 0x10,al; jmp $ */
    f.backend->vp_enter(f.machine.vp);
    f.backend->vp_kick(f.machine.vp);
    f.backend->vp_kick(f.machine.vp);
    f.backend->vp_run(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_CANCEL);
    f.backend->vp_run(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_IO);
    f.backend->vp_leave(f.machine.vp, VMR_LEAVE_KICK);
    fixture_finish(&f);
}

struct kicker {
    struct machine *machine;
    enum vmr_run_seam seam;
    unsigned kicks;
};

static void kick_at_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct kicker *kicker = context;

    assert_int_equal(vp, 0);
    if (seam != kicker->seam || kicker->kicks > 0)
        return;
    kicker->kicks++;
    vmr_kvm_backend()->vp_kick(kicker->machine->vp);
}

static void kick_right_before_entry_is_not_lost(void **state)
{
    struct fixture f;
    struct kicker kicker = {.machine = &f.machine, .seam = VMR_SEAM_BEFORE_ENTRY};

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xeb, 0xfe); /* jmp $ */
    f.backend->vm_set_seam_hook(f.machine.vm, kick_at_seam, &kicker);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_CANCEL);
    assert_int_equal(kicker.kicks, 1);
    fixture_finish(&f);
}

static void kick_right_after_the_exit_keeps_the_exit(void **state)
{
    struct fixture f;
    struct kicker kicker = {.machine = &f.machine, .seam = VMR_SEAM_AFTER_EXIT};

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe6, 0x10, 0xf4); /* out 0x10,al; hlt */
    f.backend->vm_set_seam_hook(f.machine.vm, kick_at_seam, &kicker);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    assert_int_equal(kicker.kicks, 1);
    f.backend->vm_set_seam_hook(f.machine.vm, NULL, NULL);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    fixture_finish(&f);
}

/* Kicks once the guest has been seen to count. */
static void *kick_running_guest(void *argument)
{
    struct machine *machine = argument;
    volatile unsigned char *counter = machine->memory + 0x3000;

    while (*counter == 0)
        (void)sched_yield();
    vmr_kvm_backend()->vp_kick(machine->vp);
    return NULL;
}

static void kick_stops_a_spinning_guest(void **state)
{
    struct fixture f;
    pthread_t thread;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xfe, 0x06, 0x00, 0x30, 0xeb, 0xfa); /* inc byte [0x3000]; jmp $-4 */
    f.backend->vp_enter(f.machine.vp);
    assert_int_equal(pthread_create(&thread, NULL, kick_running_guest, &f.machine), 0);
    f.backend->vp_run(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_CANCEL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    f.backend->vp_leave(f.machine.vp, VMR_LEAVE_KICK);
    fixture_finish(&f);
}

#define ROUNDS 2000u

struct storm {
    struct machine *machine;
    _Atomic bool requested;
    _Atomic unsigned seen; /* requests so far */
};

/* Request, then kick, as the run loop's users do; then nothing until it has been seen. */
static void *kick_many_times(void *argument)
{
    struct storm *storm = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        /* The wait moves the kick through the few microseconds that a round takes. */
        for (unsigned wait = 0; wait < i % 64 * 16; wait++)
            (void)atomic_load(&storm->seen);
        atomic_store(&storm->requested, true);
        vmr_kvm_backend()->vp_kick(storm->machine->vp);
        while (atomic_load(&storm->seen) == i)
            (void)sched_yield();
    }
    return NULL;
}

static void no_kick_is_lost_wherever_it_falls(void **state)
{
    struct fixture f;
    struct storm storm = {.machine = &f.machine};
    struct vmr_x86_regs start;
    pthread_t thread;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe6, 0x10, 0xeb, 0xfe); /* out 0x10,al; jmp $: without the kick it never comes back */
    start = machine_regs(&f.machine);
    f.backend->vp_enter(f.machine.vp);
    assert_int_equal(pthread_create(&thread, NULL, kick_many_times, &storm), 0);
    while (atomic_load(&storm.seen) < ROUNDS) {
        f.backend->vp_run(f.machine.vp, &f.machine.exit);
        assert_true(f.machine.exit.kind == VMR_EXIT_CANCEL || f.machine.exit.kind == VMR_EXIT_IO);
        if (!atomic_exchange(&storm.requested, false))
            continue;
        f.backend->vp_complete(f.machine.vp, &f.machine.exit);
        assert_int_equal(f.backend->vp_set_regs(f.machine.vp, &start), VMR_OK);
        atomic_fetch_add(&storm.seen, 1);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    f.backend->vp_leave(f.machine.vp, VMR_LEAVE_KICK);
    fixture_finish(&f);
}

static void kick_during_completion_waits_for_the_next_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0xe4, 0x20, 0xeb, 0xfe); /* in al,0x20; jmp $ */
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
    f.backend->vp_enter(f.machine.vp);
    f.backend->vp_kick(f.machine.vp);
    f.backend->vp_complete(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_NONE);
    f.backend->vp_run(f.machine.vp, &f.machine.exit);
    assert_int_equal(f.machine.exit.kind, VMR_EXIT_CANCEL);
    f.backend->vp_leave(f.machine.vp, VMR_LEAVE_KICK);
    fixture_finish(&f);
}

static void filtered_msr_reaches_us_and_back(void **state)
{
    static const struct vmr_msr_range range = {.first = 0x10, .count = 1};
    const struct machine_options options = {.msr_exits = &range, .msr_exit_count = 1};
    struct fixture f;

    (void)state;
    fixture_start(&f, &options);
    /* mov ecx,0x10; rdmsr; wrmsr; hlt */
    LOAD(&f, 0x66, 0xb9, 0x10, 0, 0, 0, 0x0f, 0x32, 0x0f, 0x30, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MSR);
    assert_int_equal(f.machine.exit.u.msr.index, 0x10);
    assert_int_equal(f.machine.exit.u.msr.direction, VMR_READ);
    f.machine.exit.u.msr.value = UINT64_C(0x1122334455667788);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MSR);
    assert_int_equal(f.machine.exit.u.msr.direction, VMR_WRITE);
    assert_true(f.machine.exit.u.msr.value == UINT64_C(0x1122334455667788));
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    fixture_finish(&f);
}

static void refused_msr_is_a_general_protection_fault(void **state)
{
    /* The MSR, and why it leaves KVM. */
    static const struct {
        const char *name;
        uint32_t index;
    } rows[] = {{"unknown", 0x40000123},
                {"x2APIC without a local APIC in KVM", 0x802},
                {"APIC base", 0x1b},
                {"KVM's own clock, which CPUID does not offer", 0x4b564d01}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        unsigned char code[] = {0x66, 0xb9, 0, 0, 0, 0, 0x0f, 0x32, 0xf4}; /* mov ecx,index; rdmsr; hlt */

        print_message("%s\n", rows[i].name);
        fixture_start(&f, &user_chip);
        memcpy(code + 2, &rows[i].index, 4);
        machine_load(&f.machine, code, sizeof(code));
        fixture_load_handler(&f, 13); /* #GP */
        assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MSR);
        assert_int_equal(f.machine.exit.u.msr.index, rows[i].index);
        f.machine.exit.u.msr.fault = true;
        assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_IO);
        assert_int_equal(f.machine.exit.u.io.port, 0x40);
        fixture_finish(&f);
    }
}

static void single_step_stops_after_each_instruction(void **state)
{
    const struct vmr_debug_state stepping = {.single_step = true};
    const struct vmr_debug_state none = {0};
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0x90, 0xb0, 0x01, 0xf4); /* nop; mov al,1; hlt */
    assert_int_equal(f.backend->vp_set_debug(f.machine.vp, &stepping), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_DEBUG);
    assert_true(f.machine.exit.u.debug.single_step);
    assert_int_equal(f.machine.exit.u.debug.pc, CODE_GPA + 1);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_DEBUG);
    assert_int_equal(f.machine.exit.u.debug.pc, CODE_GPA + 3);
    assert_int_equal(f.backend->vp_set_debug(f.machine.vp, &none), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_HALT);
    fixture_finish(&f);
}

static void breakpoint_stops_before_its_instruction(void **state)
{
    struct vmr_debug_state debug = {0};
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    LOAD(&f, 0x90, 0x90, 0xb0, 0x01, 0xf4);
    debug.breakpoints[2] = (struct vmr_breakpoint){.enabled = true, .length = 1, .address = CODE_GPA + 2};
    assert_int_equal(f.backend->vp_set_debug(f.machine.vp, &debug), VMR_OK);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_DEBUG);
    assert_false(f.machine.exit.u.debug.single_step);
    assert_int_equal(f.machine.exit.u.debug.breakpoint, 2);
    assert_int_equal(f.machine.exit.u.debug.pc, CODE_GPA + 2);
    fixture_finish(&f);
}

static void registers_read_back_as_written(void **state)
{
    struct fixture f;
    struct vmr_x86_regs before, after;

    (void)state;
    fixture_start(&f, &user_chip);
    before = machine_regs(&f.machine);
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        before.gpr[i] = UINT64_C(0x0101010101010101) * (i + 1);
    before.rip = 0x1234;
    before.cr2 = 0x5000;
    before.cr8 = 9;
    before.fs.base = 0x4000;
    before.gdtr = (struct vmr_x86_table){.base = 0x7000, .limit = 0x1f};
    assert_int_equal(f.backend->vp_set_regs(f.machine.vp, &before), VMR_OK);
    after = machine_regs(&f.machine);
    assert_memory_equal(&before, &after, sizeof(before));
    before.cr0 = UINT64_C(0x80000000); /* paging without protection */
    assert_int_not_equal(f.backend->vp_set_regs(f.machine.vp, &before), VMR_OK);
    assert_int_equal(machine_regs(&f.machine).cr0, after.cr0);
    fixture_finish(&f);
}

static void vp_begins_at_the_reset_vector(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &user_chip);
    struct vmr_x86_regs regs = machine_regs(&f.machine);

    assert_int_equal(regs.rip, 0xfff0);
    assert_int_equal(regs.cs.base, 0xffff0000);
    assert_int_equal(regs.rflags, 2);
    assert_int_equal(regs.cr0, 0x60000010);
    fixture_finish(&f);
}

static void msr_reads_back_and_an_unknown_one_is_refused(void **state)
{
    struct fixture f;
    uint64_t value = 7;

    (void)state;
    fixture_start(&f, &user_chip);
    assert_int_equal(f.backend->vp_set_msr(f.machine.vp, 0x174, 0x1234), VMR_OK); /* SYSENTER_CS */
    assert_int_equal(f.backend->vp_get_msr(f.machine.vp, 0x174, &value), VMR_OK);
    assert_int_equal(value, 0x1234);
    assert_int_equal(f.backend->vp_get_msr(f.machine.vp, 0x40000123, &value), VMR_E_GUEST);
    assert_int_equal(value, 0x1234);
    fixture_finish(&f);
}

static void region_taken_away_is_a_hole(void **state)
{
    struct fixture f;
    struct vmr_memory_region region;
    struct vmr_error err;

    (void)state;
    fixture_start(&f, &user_chip);
    region = (struct vmr_memory_region){
        .gpa = 0xf0000, .size = VMR_PAGE_SIZE, .host = f.machine.memory + 0x4000, .read_only = true};
    assert_int_equal(f.backend->vm_map(f.machine.vm, 1, &region, &err), VMR_OK);
    /* mov ax,0xf000; mov ds,ax; mov bl,[0]; mov [0],al; mov bl,[0]; hlt */
    LOAD(&f, 0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0x8a, 0x1e, 0, 0, 0xa2, 0, 0, 0x8a, 0x1e, 0, 0, 0xf4);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MMIO); /* the write; the read was memory */
    assert_int_equal(f.machine.exit.u.mmio.direction, VMR_WRITE);
    f.backend->vm_unmap(f.machine.vm, 1, &region);
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_MMIO);
    assert_int_equal(f.machine.exit.u.mmio.direction, VMR_READ);
    fixture_finish(&f);
}

static void emulation_failure_keeps_the_instruction(void **state)
{
    struct fixture f;
    static const unsigned char jump[] = {0xea, 0x00, 0x00, 0x00, 0xf0}; /* jmp 0xf000:0, a hole */

    (void)state;
    fixture_start(&f, &user_chip);
    machine_load(&f.machine, jump, sizeof(jump));
    assert_int_equal(machine_step(&f.machine)->kind, VMR_EXIT_FAIL);
    assert_int_equal(f.machine.exit.u.fail.cause, VMR_FAIL_EMULATION);
    assert_int_equal(f.machine.exit.u.fail.code, 1);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_write_then_halt_are_two_exits),
        cmocka_unit_test(port_read_gives_the_guest_the_answer),
        cmocka_unit_test(string_items_keep_their_order_in_both_directions),
        cmocka_unit_test(string_read_fills_guest_memory),
        cmocka_unit_test(hole_is_mmio_in_both_directions),
        cmocka_unit_test(completion_finishes_the_read_and_runs_nothing),
        cmocka_unit_test(completion_of_a_crossing_read_gives_its_second_half),
        cmocka_unit_test(kick_before_a_run_is_not_lost_and_counts_once),
        cmocka_unit_test(kick_right_before_entry_is_not_lost),
        cmocka_unit_test(kick_right_after_the_exit_keeps_the_exit),
        cmocka_unit_test(kick_stops_a_spinning_guest),
        cmocka_unit_test(no_kick_is_lost_wherever_it_falls),
        cmocka_unit_test(kick_during_completion_waits_for_the_next_run),
        cmocka_unit_test(filtered_msr_reaches_us_and_back),
        cmocka_unit_test(refused_msr_is_a_general_protection_fault),
        cmocka_unit_test(single_step_stops_after_each_instruction),
        cmocka_unit_test(breakpoint_stops_before_its_instruction),
        cmocka_unit_test(registers_read_back_as_written),
        cmocka_unit_test(vp_begins_at_the_reset_vector),
        cmocka_unit_test(msr_reads_back_and_an_unknown_one_is_refused),
        cmocka_unit_test(region_taken_away_is_a_hole),
        cmocka_unit_test(emulation_failure_keeps_the_instruction),
    };

    (void)alarm(WATCHDOG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
