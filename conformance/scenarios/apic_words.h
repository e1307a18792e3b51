/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt controllers in the words of a guest program: their registers, and
 * the steps that set them up. Intel SDM vol. 3, chapter 11; 82093AA; 8259A.
 */

#include "conformance/conformance.h"

#define APIC_ID (VMR_LAPIC_GPA + 0x20u)
#define APIC_TPR (VMR_LAPIC_GPA + 0x80u)
#define APIC_SPURIOUS (VMR_LAPIC_GPA + 0xf0u)
#define APIC_ICR_LOW (VMR_LAPIC_GPA + 0x300u)
#define APIC_ICR_HIGH (VMR_LAPIC_GPA + 0x310u)
#define APIC_LVT_TIMER (VMR_LAPIC_GPA + 0x320u)
#define APIC_LVT_LINT0 (VMR_LAPIC_GPA + 0x350u)
#define APIC_LVT_LINT1 (VMR_LAPIC_GPA + 0x360u)
#define APIC_LVT_ERROR (VMR_LAPIC_GPA + 0x370u)
#define APIC_ESR (VMR_LAPIC_GPA + 0x280u)
#define APIC_RESERVED (VMR_LAPIC_GPA + 0x400u) /* no register is here */
#define APIC_TIMER_INITIAL (VMR_LAPIC_GPA + 0x380u)
#define APIC_TIMER_CURRENT (VMR_LAPIC_GPA + 0x390u)
#define APIC_TIMER_DIVIDE (VMR_LAPIC_GPA + 0x3e0u)

#define APIC_ENABLE 0x1ffu /* with spurious vector 0xff */
#define APIC_MODE_NMI 0x400u
#define APIC_MODE_INIT 0x500u
#define APIC_MODE_EXTINT 0x700u
#define APIC_MASKED 0x10000u
#define APIC_PERIODIC 0x20000u
#define APIC_DEADLINE 0x40000u
#define APIC_DIVIDE_BY_1 0xbu
#define ICR_ASSERT 0x4000u
#define ICR_STARTUP 0x600u
#define ICR_SELF 0x40000u
#define ICR_ALL 0x80000u
#define ICR_OTHERS 0xc0000u

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC_SPURIOUS 0x80fu
#define APIC_BASE_X2APIC (VMR_LAPIC_GPA | 0xc00u)
#define APIC_BASE_BSP 0x100u

/* Enables the local APIC: one that is disabled takes no interrupts, and not every hypervisor sends from it. */
#define APIC_ON() VMR_STORE(APIC_SPURIOUS, 4, APIC_ENABLE)
/* The same in x2APIC mode; two steps. `bsp` is APIC_BASE_BSP on VP 0 and 0 elsewhere. */
#define X2APIC_ON(bsp) VMR_WRMSR(MSR_APIC_BASE, APIC_BASE_X2APIC | (bsp)), VMR_WRMSR(MSR_X2APIC_SPURIOUS, APIC_ENABLE)

#define IOAPIC_SELECT VMR_IOAPIC_GPA
#define IOAPIC_WINDOW (VMR_IOAPIC_GPA + 0x10u)
#define IOAPIC_LEVEL 0x8000u
/* A redirection entry: destination and the lower half; four steps. */
#define IOAPIC_ENTRY(pin, id, low)                                                                                     \
    VMR_STORE(IOAPIC_SELECT, 4, 0x11u + 2u * (pin)), VMR_STORE(IOAPIC_WINDOW, 4, (uint64_t)(id) << 24),                \
        VMR_STORE(IOAPIC_SELECT, 4, 0x10u + 2u * (pin)), VMR_STORE(IOAPIC_WINDOW, 4, (low))

#define PIC_MASTER 0x20u
#define PIC_MASTER_MASK 0x21u
#define PIC_SLAVE 0xa0u
#define PIC_SLAVE_MASK 0xa1u
/* Both PICs: edge, cascaded, vectors from 0x20, all lines open; ten steps. */
#define PIC_ON()                                                                                                       \
    VMR_OUT(PIC_MASTER, 1, 0x11), VMR_OUT(PIC_MASTER_MASK, 1, 0x20), VMR_OUT(PIC_MASTER_MASK, 1, 4),                   \
        VMR_OUT(PIC_MASTER_MASK, 1, 1), VMR_OUT(PIC_SLAVE, 1, 0x11), VMR_OUT(PIC_SLAVE_MASK, 1, 0x28),                 \
        VMR_OUT(PIC_SLAVE_MASK, 1, 2), VMR_OUT(PIC_SLAVE_MASK, 1, 1), VMR_OUT(PIC_MASTER_MASK, 1, 0),                  \
        VMR_OUT(PIC_SLAVE_MASK, 1, 0)
#define PIC_VECTOR(line) (0x20u + (line))

#define VECTOR_NMI 2u

/* Where the handlers of VP `vp` count vector `vector`. */
#define COUNT_OF(vp, vector) (VMR_PROGRAM_COUNTS + ((vp)*256u + (vector)) * 4u)
/* Until the vector has been taken `n` times, interrupts being on: without HLT. */
#define SPIN_FOR(vp, vector, n) VMR_SPIN_UNTIL(COUNT_OF(vp, vector), 4, (n))
/* The vector has been taken exactly `n` times; two steps, variable 6. */
#define EXPECT_COUNT(vector, n) VMR_READ_COUNT(6, (vector)), VMR_EXPECT(6, (n))
/* Interrupts on for long enough that what waits is taken; ends with them off. Three steps and an exit. */
#define OPEN(checkpoint) VMR_STI(), VMR_CHECKPOINT(checkpoint), VMR_NOP(), VMR_CLI()

/* Words of RAM by which VPs wait for each other. */
#define WORD(n) (VMR_PROGRAM_DATA + 8u * (n))

/* A program whose handlers acknowledge at `how`. */
#define APIC_PROGRAM(program_name, how, ...)                                                                           \
    static const struct vmr_step program_name##_steps[] = {__VA_ARGS__};                                               \
    static const struct vmr_program program_name = {                                                                   \
        .name = #program_name,                                                                                         \
        .steps = program_name##_steps,                                                                                 \
        .count = sizeof(program_name##_steps) / sizeof(program_name##_steps[0]),                                       \
        .eoi = (how),                                                                                                  \
    }

static inline uint64_t word(struct conf_vm *vm, unsigned n)
{
    uint64_t value = UINT64_MAX;

    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, WORD(n), &value, sizeof(value)) == VMR_OK, "word %u is gone", n);
    return value;
}

static inline void raise_msi(struct conf_vm *vm, vmr_vp_index vp, uint8_t vector)
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA | (uint64_t)vp << 12, .data = vector};
    enum vmr_status status = vmr_partition_msi(vm->partition, &msi);

    CONF_CHECK(vm->conf, status == VMR_OK, "MSI %#x to VP %u: %s", vector, vp, vmr_status_name(status));
}

static inline void raise_line(struct conf_vm *vm, uint32_t gsi, bool level)
{
    enum vmr_status status = vmr_partition_irq(vm->partition, gsi, level);

    CONF_CHECK(vm->conf, status == VMR_OK, "line %u to %d: %s", gsi, level, vmr_status_name(status));
}

static inline void pulse_line(struct conf_vm *vm, uint32_t gsi)
{
    raise_line(vm, gsi, true);
    raise_line(vm, gsi, false);
}

/* A VM of `vps` VPs, whose VP 0 is bound here and about to run `program`. NULL: failed. */
static inline struct conf_vm *interrupt_vm(struct conf *conf, uint32_t vps, const struct vmr_program *program,
                                           void (*on_checkpoint)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = vps});

    if (!vm || !conf_load(vm, 0, program) || !conf_bind(vm, 0))
        return NULL;
    vm->on_checkpoint = on_checkpoint;
    return vm;
}

/* One run of VP 0 to a power off. */
static inline bool run_to_power_off(struct conf_vm *vm)
{
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

    if (conf_run(vm, 0, NULL, &result) && result.reason == VMR_HALT_POWER_OFF && !vm->reports[0].ended)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "no power off: %s", vmr_halt_reason_name(result.reason));
    return false;
}

/* VP 1, for a thread of its own. */
static inline void run_second(void *argument)
{
    struct conf_vm *vm = argument;

    if (conf_bind(vm, 1))
        (void)conf_run_to_end(vm, 1);
    conf_unbind(vm, 1);
}

/* VP 0 here and VP 1, with its program, there; both to their ends. */
static inline void run_pair(struct conf_vm *vm, const struct vmr_program *second)
{
    struct conf *conf = vm->conf;

    if (!conf_load(vm, 1, second))
        return;
    struct vmr_thread *thread = conf_thread(conf, run_second, vm);

    if (!thread)
        return;
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    CONF_CHECK(conf, vm->reports[1].ended, "VP 1 did not come to its end");
}
