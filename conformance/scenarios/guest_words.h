/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Words of guest RAM by which a scenario and its guest speak without an exit,
 * so that what they say leaves no trace in what is being judged.
 */

#include "conformance/conformance.h"

#define WORD_GO VMR_PROGRAM_DATA           /* set by the host: the guest may go on */
#define WORD_SEEN (VMR_PROGRAM_DATA + 8u)  /* set by the guest: it has come so far */
#define WORD_PAST (VMR_PROGRAM_DATA + 16u) /* set by the guest behind what is being judged */

static inline uint32_t guest_word(const struct conf_vm *vm, vmr_gpa gpa)
{
    uint8_t bytes[4] = {0};

    if (vmr_memory_read(vm->memory, gpa, bytes, sizeof(bytes)))
        conf_fail(vm->conf, __FILE__, __LINE__, "the word at %#llx is not in RAM", (unsigned long long)gpa);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline void guest_word_set(const struct conf_vm *vm, vmr_gpa gpa, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};

    if (vmr_memory_write(vm->memory, gpa, bytes, sizeof(bytes)))
        conf_fail(vm->conf, __FILE__, __LINE__, "the word at %#llx is not in RAM", (unsigned long long)gpa);
}

struct guest_word_wait {
    const struct conf_vm *vm;
    vmr_gpa gpa;
    uint32_t value;
};

static inline bool guest_word_is_reached(void *argument)
{
    const struct guest_word_wait *wait = argument;

    return guest_word(wait->vm, wait->gpa) >= wait->value;
}

/* Waits until the guest has counted the word up to `value`. False: it never did. */
static inline bool guest_word_wait(const struct conf_vm *vm, vmr_gpa gpa, uint32_t value)
{
    struct guest_word_wait wait = {.vm = vm, .gpa = gpa, .value = value};

    return conf_wait(vm->conf, guest_word_is_reached, &wait, "the guest to come so far");
}

/* How a run came back, in a word. */
static inline const char *outcome_name(const struct vmr_run_result *result)
{
    return result->kind == VMR_RUN_YIELDED ? "yielded" : vmr_halt_reason_name(result->reason);
}

/* One run of VP 0 that must halt with `reason`. */
static inline void expect_halt(struct conf_vm *vm, struct vmr_stop_source *stop, enum vmr_halt_reason reason)
{
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

    if (conf_run(vm, 0, stop, &result))
        CONF_CHECK(vm->conf, result.kind == VMR_RUN_HALTED && result.reason == reason, "the run came back: %s, not %s",
                   outcome_name(&result), vmr_halt_reason_name(reason));
}

/* One run of VP 0 that must yield. */
static inline void expect_yield(struct conf_vm *vm, struct vmr_stop_source *stop)
{
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

    if (conf_run(vm, 0, stop, &result))
        CONF_CHECK(vm->conf, result.kind == VMR_RUN_YIELDED, "the run came back: %s, not yielded",
                   outcome_name(&result));
}

/* One run of VP 0 that must reach its program's end: nothing is left over that would end it earlier. */
static inline void expect_end(struct conf_vm *vm)
{
    expect_halt(vm, NULL, VMR_HALT_POWER_OFF);
    CONF_CHECK(vm->conf, vm->reports[0].ended && !vm->reports[0].mismatch, "the guest did not reach its end well");
}

/* A VM of `options` with VP 0 bound to this thread, about to run `program`. NULL: failed. */
static inline struct conf_vm *vm_about_to_run(struct conf *conf, const struct conf_vm_options *options,
                                              const struct vmr_program *program)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    if (!vm || !conf_load(vm, 0, program) || !conf_bind(vm, 0)) {
        conf_vm_destroy(vm);
        return NULL;
    }
    return vm;
}
