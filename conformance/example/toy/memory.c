/* SPDX-License-Identifier: MIT */
/* Guest memory as a guest sees it: page tables, slots of RAM, and exits where there is none. */

#include "toy.h"

#include <stdlib.h>

#define CR0_PG 0x80000000u
#define PAGE_PRESENT 1u
#define PAGE_WRITABLE 2u
#define PAGE_LARGE 0x80u
#define PAGE_ADDRESS UINT64_C(0x000ffffffffff000)
#define VECTOR_PF 14u

bool toy_stop(struct toy_cpu *cpu, enum toy_outcome outcome)
{
    cpu->outcome = outcome;
    return false;
}

bool toy_fault(struct toy_cpu *cpu, uint8_t vector, int64_t error)
{
    cpu->vector = vector;
    cpu->error = error;
    return toy_stop(cpu, TOY_FAULTS);
}

bool toy_ask(struct toy_cpu *cpu, const struct vmr_exit *question, struct vmr_exit *ret_answer)
{
    if (cpu->asked == TOY_ANSWERS)
        return toy_stop(cpu, TOY_STUCK);
    if (cpu->asked == cpu->answered) {
        cpu->exit = *question;
        return toy_stop(cpu, TOY_ASKS);
    }
    *ret_answer = cpu->answers[cpu->asked++];
    return true;
}

/* NULL: a hole, or nothing to be written to. */
static uint8_t *find_ram(struct toy_vm *vm, vmr_gpa gpa, bool write)
{
    for (size_t i = 0; i < vm->slot_count; i++) {
        const struct toy_slot *slot = &vm->slots[i];

        if (gpa - slot->gpa < slot->size)
            return write && slot->read_only ? NULL : slot->host + (gpa - slot->gpa);
    }
    return NULL;
}

/* Other VPs and the library use the same bytes meanwhile: aligned words are whole, and each byte is touched once. */
static uint64_t load_ram(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    if (size == 8 && (uintptr_t)from % 8 == 0)
        return __atomic_load_n((const uint64_t *)(const void *)from, __ATOMIC_SEQ_CST);
    if (size == 4 && (uintptr_t)from % 4 == 0)
        return __atomic_load_n((const uint32_t *)(const void *)from, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)__atomic_load_n(from + i, __ATOMIC_SEQ_CST) << 8 * i;
    return value;
}

static void store_ram(uint8_t *to, unsigned size, uint64_t value)
{
    if (size == 8 && (uintptr_t)to % 8 == 0) {
        __atomic_store_n((uint64_t *)(void *)to, value, __ATOMIC_SEQ_CST);
    } else if (size == 4 && (uintptr_t)to % 4 == 0) {
        __atomic_store_n((uint32_t *)(void *)to, (uint32_t)value, __ATOMIC_SEQ_CST);
    } else {
        for (unsigned i = 0; i < size; i++)
            __atomic_store_n(to + i, (uint8_t)(value >> 8 * i), __ATOMIC_SEQ_CST);
    }
}

/* Four levels, with pages of 4 KiB, 2 MiB and 1 GiB (Intel SDM vol. 3, 4.5); accessed and dirty bits are not kept. */
static bool translate(struct toy_cpu *cpu, uint64_t linear, bool write, vmr_gpa *ret_gpa)
{
    uint64_t entry = cpu->regs.cr3;

    *ret_gpa = linear;
    if ((cpu->regs.cr0 & CR0_PG) == 0)
        return true;
    for (unsigned shift = 39;; shift -= 9) {
        vmr_gpa at = (entry & PAGE_ADDRESS) + (linear >> shift & 0x1ff) * 8;
        const uint8_t *ram = find_ram(cpu->vm, at, false);

        entry = ram ? load_ram(ram, 8) : 0;
        if ((entry & PAGE_PRESENT) == 0 || (write && (entry & PAGE_WRITABLE) == 0)) {
            cpu->regs.cr2 = linear;
            return toy_fault(cpu, VECTOR_PF, (entry & PAGE_PRESENT) | (write ? 2 : 0));
        }
        if (shift == 12 || (shift < 39 && (entry & PAGE_LARGE) != 0)) {
            uint64_t offset = (UINT64_C(1) << shift) - 1;

            *ret_gpa = (entry & PAGE_ADDRESS & ~offset) | (linear & offset);
            return true;
        }
    }
}

/* What has been done is not done again when the instruction is. */
static bool note_access(struct toy_cpu *cpu, uint64_t value)
{
    if (cpu->answered == TOY_ANSWERS)
        return toy_stop(cpu, TOY_STUCK);
    cpu->answers[cpu->answered] = (struct vmr_exit){.kind = VMR_EXIT_MMIO};
    cpu->answers[cpu->answered++].u.mmio.value = value;
    cpu->asked++;
    return true;
}

/* Within a page. What is no RAM is asked for. */
static bool access_part(struct toy_cpu *cpu, uint64_t linear, unsigned size, bool write, uint64_t *value)
{
    struct vmr_exit question = {.kind = VMR_EXIT_MMIO}, answer;
    vmr_gpa gpa;

    if (cpu->asked < cpu->answered) {
        *value = write ? *value : cpu->answers[cpu->asked].u.mmio.value;
        cpu->asked++;
        return true;
    }
    if (!translate(cpu, linear, write, &gpa))
        return false;
    uint8_t *ram = find_ram(cpu->vm, gpa, write);

    if (ram && write)
        store_ram(ram, size, *value);
    else if (ram)
        *value = load_ram(ram, size);
    if (ram)
        return note_access(cpu, *value);
    question.u.mmio = (struct vmr_exit_mmio){
        .gpa = gpa, .size = (uint8_t)size, .direction = write ? VMR_WRITE : VMR_READ, .value = write ? *value : 0};
    return toy_ask(cpu, &question, &answer);
}

static uint64_t cut(uint64_t value, unsigned size)
{
    return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

/* An access across a page is two. [EXIT-4] */
static bool access_any(struct toy_cpu *cpu, uint64_t linear, unsigned size, bool write, uint64_t *value)
{
    unsigned here = (unsigned)(VMR_PAGE_SIZE - linear % VMR_PAGE_SIZE);
    uint64_t low = *value, high = 0;

    if (here >= size)
        return access_part(cpu, linear, size, write, value);
    low = cut(*value, here);
    high = *value >> 8 * here;
    if (!access_part(cpu, linear, here, write, &low) || !access_part(cpu, linear + here, size - here, write, &high))
        return false;
    *value = cut(low, here) | high << 8 * here;
    return true;
}

bool toy_load(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t *ret_value)
{
    *ret_value = 0;
    if (!access_any(cpu, linear, size, false, ret_value))
        return false;
    *ret_value = cut(*ret_value, size);
    return true;
}

bool toy_store(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t value)
{
    value = cut(value, size);
    return access_any(cpu, linear, size, true, &value);
}

bool toy_store_or(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t mask)
{
    uint64_t old;
    vmr_gpa gpa;

    if (cpu->asked < cpu->answered) /* it has begun, in two accesses */
        return toy_load(cpu, linear, size, &old) && toy_store(cpu, linear, size, old | mask);
    if (!translate(cpu, linear, true, &gpa))
        return false;
    uint8_t *ram = find_ram(cpu->vm, gpa, true);

    if (!ram || linear % VMR_PAGE_SIZE + size > VMR_PAGE_SIZE)
        return toy_load(cpu, linear, size, &old) && toy_store(cpu, linear, size, old | mask);
    for (unsigned i = 0; i < size; i++)
        (void)__atomic_fetch_or(ram + i, (uint8_t)(mask >> 8 * i), __ATOMIC_SEQ_CST);
    return true;
}

bool toy_fetch(struct toy_cpu *cpu, uint64_t linear, uint8_t ret_bytes[15], unsigned *ret_count)
{
    unsigned count = 0;

    while (count < 15) {
        unsigned here = (unsigned)(VMR_PAGE_SIZE - (linear + count) % VMR_PAGE_SIZE);
        unsigned length = here < 15 - count ? here : 15 - count;
        vmr_gpa gpa;
        bool mapped = translate(cpu, linear + count, false, &gpa);
        const uint8_t *ram = mapped ? find_ram(cpu->vm, gpa, false) : NULL;

        if (!ram && count == 0)
            return mapped ? toy_stop(cpu, TOY_STUCK) : false;
        if (!ram)
            break;
        for (unsigned i = 0; i < length; i++)
            ret_bytes[count + i] = __atomic_load_n(ram + i, __ATOMIC_RELAXED);
        count += length;
    }
    *ret_count = count;
    return true;
}

/* Once this has the lock no processor is in an instruction. One that spins would keep it from getting there. */
static void begin_change(struct toy_vm *vm)
{
    (void)atomic_fetch_add(&vm->mappers, 1);
    (void)pthread_rwlock_wrlock(&vm->lock);
}

static void end_change(struct toy_vm *vm)
{
    (void)pthread_rwlock_unlock(&vm->lock);
    (void)atomic_fetch_sub(&vm->mappers, 1);
}

bool toy_map(struct toy_vm *vm, const struct toy_slot *slot)
{
    begin_change(vm);
    if (vm->slot_count == vm->slot_room) {
        size_t room = vm->slot_room * 2 + 4;
        struct toy_slot *slots = realloc(vm->slots, room * sizeof(*slots));

        if (slots) {
            vm->slots = slots;
            vm->slot_room = room;
        }
    }
    bool fits = vm->slot_count < vm->slot_room;

    if (fits)
        vm->slots[vm->slot_count++] = *slot;
    end_change(vm);
    return fits;
}

void toy_unmap(struct toy_vm *vm, uint32_t number)
{
    begin_change(vm);
    for (size_t i = 0; i < vm->slot_count; i++) {
        if (vm->slots[i].number == number) {
            vm->slots[i] = vm->slots[--vm->slot_count];
            break;
        }
    }
    end_change(vm);
}
