/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A machine with one VP, whose guest is a program on the mock and sixteen-bit
 * code in the firmware elsewhere, which counts in a word of RAM.
 */

#include "conformance/conformance.h"

#include <string.h>

#define MIB UINT64_C(0x100000)
#define FIRMWARE_BYTES 0x10000u
#define FILL 0xf4u       /* the rest of the firmware */
#define COUNT_GPA 0x600u /* the guest counts here */

struct machine_vm {
    struct conf *conf;
    struct vmr_vm_clock *clock;
    struct vmr_machine *machine;
    bool automatic_reset;
};

static inline bool machine_load(struct machine_vm *vm, const struct vmr_program *program)
{
    struct vmr_mock *mock = vmr_mock_of(vmr_machine_partition(vm->machine));

    return !mock || vmr_mock_load_program(mock, 0, program, NULL) == VMR_OK;
}

/* False: failed. The code goes where the firmware's last 256 bytes begin, and the first instruction jumps there. */
static inline bool machine_create(struct machine_vm *vm, const struct vmr_program *program, const uint8_t *code,
                                  size_t length)
{
    struct conf *conf = vm->conf;
    static const uint8_t jump[] = {0xe9, 0x0d, 0xff};
    uint8_t firmware[FIRMWARE_BYTES];
    struct vmr_error err = {.message = ""};

    memset(firmware, FILL, sizeof(firmware));
    memcpy(firmware + FIRMWARE_BYTES - 0x100, code, length);
    memcpy(firmware + FIRMWARE_BYTES - 0x10, jump, sizeof(jump));
    enum vmr_status status = vmr_vm_clock_create(conf->host, &vm->clock, &err);

    if (status == VMR_OK) {
        const struct vmr_machine_options options = {.handle = conf->handle,
                                                    .host = vmr_vm_clock_host(vm->clock),
                                                    .memory_size = 2 * MIB,
                                                    .vps = 1,
                                                    .firmware = firmware,
                                                    .firmware_size = sizeof(firmware),
                                                    .clock = vm->clock,
                                                    .automatic_reset = vm->automatic_reset};

        status = vmr_machine_create(&options, &vm->machine, &err);
    }
    CONF_CHECK(conf, status == VMR_OK && machine_load(vm, program), "no machine: %s", err.message);
    return status == VMR_OK;
}

static inline bool machine_begin(struct machine_vm *vm, struct conf *conf, const struct vmr_program *program,
                                 const uint8_t *code, size_t length)
{
    *vm = (struct machine_vm){.conf = conf};
    return machine_create(vm, program, code, length);
}

/* The guest that only counts. False: failed. */
static inline bool machine_counts_begin(struct machine_vm *vm, struct conf *conf)
{
    CONF_PROGRAM(machine_counts, VMR_SET(0, 0), VMR_ADD(0, 1), VMR_STORE_VAR(COUNT_GPA, 4, 0), VMR_JUMP(1));
    static const uint8_t machine_counts_code[] = {
        0x66, 0x31, 0xc0, 0x8e, 0xd8,       /* xor eax, eax; mov ds, ax */
        0x66, 0x40, 0x66, 0xa3, 0x00, 0x06, /* again: inc eax; mov [0x600], eax */
        0xeb, 0xf8,                         /* jmp again */
    };

    return machine_begin(vm, conf, &machine_counts, machine_counts_code, sizeof(machine_counts_code));
}

/* Whatever has become of it. */
static inline void machine_end(struct machine_vm *vm)
{
    vmr_machine_destroy(vm->machine);
    vmr_vm_clock_destroy(vm->clock);
    vm->machine = NULL;
    vm->clock = NULL;
}

static inline uint32_t machine_word(const struct machine_vm *vm, vmr_gpa gpa)
{
    uint8_t bytes[4] = {0};
    enum vmr_status status = vmr_memory_read(vmr_partition_memory(vmr_machine_partition(vm->machine)), gpa, bytes, 4);

    CONF_CHECK(vm->conf, status == VMR_OK, "no RAM at %#llx", (unsigned long long)gpa);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

struct word_wait {
    const struct machine_vm *vm;
    uint32_t beyond;
};

static inline bool has_counted(void *argument)
{
    const struct word_wait *wait = argument;

    return machine_word(wait->vm, COUNT_GPA) > wait->beyond;
}

static inline bool wait_beyond(const struct machine_vm *vm, uint32_t count)
{
    struct word_wait wait = {.vm = vm, .beyond = count};

    return conf_wait(vm->conf, has_counted, &wait, "the guest to count");
}

static inline void machine_expect(struct machine_vm *vm, enum vmr_status got, enum vmr_status want,
                                  enum vmr_machine_state state)
{
    enum vmr_machine_state now = vmr_machine_get_state(vm->machine);

    CONF_CHECK(vm->conf, got == want && now == state, "%s, and the machine is %s; not %s and %s", vmr_status_name(got),
               vmr_machine_state_name(now), vmr_status_name(want), vmr_machine_state_name(state));
}
