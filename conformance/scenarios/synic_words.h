/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Scenarios in which a host sends to a guest: the guest's pages, the steps by
 * which it opens its SINTs and looks into slots and flags, and what the host
 * does while the guest waits at a checkpoint. Acts at a checkpoint happen on the
 * VP's thread before its next instruction.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/port_words.h"

#define SINT 2u  /* where most scenarios send */
#define V 0x51u  /* its vector */
#define V2 0x61u /* another's */

#define SLOT_AT(simp, sint) ((simp) + (sint)*HV_MESSAGE_BYTES)
#define SLOT(sint) SLOT_AT(HV_SIMP, sint)
#define FLAGS_AT(siefp, sint) ((siefp) + (sint)*HV_EVENT_FLAG_BYTES)
#define FLAGS(sint) FLAGS_AT(HV_SIEFP, sint)

/* Local APIC, both pages, one SINT. Four steps. */
#define SYNIC_ON(sint, value)                                                                                          \
    APIC_ON(), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u),                           \
        VMR_WRMSR(HV_MSR_SINT0 + (sint), value)

/* What stands there must be `x`. Two steps, variable 5. */
#define EXPECT_AT(gpa, bytes, x) VMR_LOAD(5, gpa, bytes), VMR_EXPECT(5, x)
#define EXPECT_MESSAGE_AT(simp, sint, type, word)                                                                      \
    EXPECT_AT(SLOT_AT(simp, sint), 4, type), EXPECT_AT(SLOT_AT(simp, sint) + HV_MESSAGE_PAYLOAD_OFFSET, 8, word)
#define EXPECT_MESSAGE(sint, type, word) EXPECT_MESSAGE_AT(HV_SIMP, sint, type, word)
#define EXPECT_EMPTY(sint) EXPECT_AT(SLOT(sint), 4, HV_MESSAGE_TYPE_NONE)
#define EXPECT_MARK(sint, x) EXPECT_AT(SLOT(sint) + HV_MESSAGE_FLAGS_OFFSET, 1, x)
#define FREE_SLOT(sint) VMR_STORE(SLOT(sint), 4, HV_MESSAGE_TYPE_NONE)
#define EOM() VMR_WRMSR(HV_MSR_EOM, 0)
/* Interrupts on for a while, and the vector has been taken exactly `n` times; six steps. */
#define EXPECT_TAKEN(checkpoint, vector, n) OPEN(checkpoint), EXPECT_COUNT(vector, n)

/* All SINTs, the n-th with vector 0x40 + n. Nineteen steps. */
#define SINT_ON(sint) VMR_WRMSR(HV_MSR_SINT0 + (sint), 0x40u + (sint))
#define ALL_SINTS_ON()                                                                                                 \
    SYNIC_ON(0, 0x40), SINT_ON(1), SINT_ON(2), SINT_ON(3), SINT_ON(4), SINT_ON(5), SINT_ON(6), SINT_ON(7), SINT_ON(8), \
        SINT_ON(9), SINT_ON(10), SINT_ON(11), SINT_ON(12), SINT_ON(13), SINT_ON(14), SINT_ON(15)

#define HV_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT))

/* A VM with the whole interface whose VP 0 is about to run `program`. NULL: failed. */
static inline struct conf_vm *synic_vm(struct conf *conf, uint32_t vps, const struct vmr_program *program,
                                       void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    const struct conf_vm_options options = {.vps = vps, .hv = &hv_all};
    struct conf_vm *vm = vm_about_to_run(conf, &options, program);

    if (vm)
        vm->on_checkpoint = act;
    return vm;
}

/* One run of `program` to its end; `act` is called at each checkpoint. */
static inline void synic_run(struct conf *conf, const struct vmr_program *program,
                             void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = synic_vm(conf, 1, program, act);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* VP 0 to its program's end, beside `body` on another thread, which gets the VM. */
static inline void run_beside(struct conf_vm *vm, void (*body)(void *vm))
{
    struct vmr_thread *thread = conf_thread(vm->conf, body, vm);

    if (!thread)
        return;
    (void)conf_run_to_end(vm, 0);
    conf_join(vm->conf, thread);
}

static inline enum vmr_status try_post(const struct conf_vm *vm, const struct vmr_synic_target *target, uint32_t type,
                                       uint64_t payload)
{
    const struct vmr_synic_message message = {.type = type, .payload = &payload, .length = sizeof(payload)};

    return vmr_synic_post_message(synic_of(vm), target, &message);
}

/* Of type 1, to VP 0. */
static inline void post_to(const struct conf_vm *vm, uint8_t sint, uint64_t payload)
{
    const struct vmr_synic_target target = {.sint = sint};
    enum vmr_status status = try_post(vm, &target, HV_MESSAGE_TYPE_VMBUS, payload);

    CONF_CHECK(vm->conf, status == VMR_OK, "posting to SINT %u: %s", sint, vmr_status_name(status));
}

/* To VP 0; the answer must be `expected`. */
static inline void signal_to(const struct conf_vm *vm, uint8_t sint, uint16_t flag, enum vmr_synic_signal expected)
{
    const struct vmr_synic_target target = {.sint = sint};

    CONF_CHECK_EQ(vm->conf, vmr_synic_signal_event(synic_of(vm), &target, flag), expected, "signalling a flag");
}
