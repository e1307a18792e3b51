/* SPDX-License-Identifier: MIT */
/*
 * Guest programs of any steps: what the check lets through, the mock runs, on
 * each of its profiles, with interrupt controllers in it or in the library.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "fuzz/support/mock_rig.h"

#define STEPS_MAX 48u
#define RUNS_MAX 8u

static const char *const specs[] = {
    "mock",
    "mock:profile=kvm-like",
    "mock:profile=hvf-like",
    "mock:profile=mshv-like",
    "mock:profile=whp-like",
    "mock:profile=kvm-like,irqchip=split",
    "mock:profile=kvm-like,irqchip=kernel",
    "mock:seed=7",
};

/* Mostly within bounds, so that a program of several steps gets through the check. */
static struct vmr_step take_step(struct input *input)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    static const uint64_t addresses[] = {0x3f8, 0x20,       0x21, 0xcf8, 0x80,       0x5e0,      0x100000, 0x1ffff8,
                                         0x800, 0xfee000b0, 0x1b, 0x80b, 0xfec00000, 0x40000000, 0,        0x100ffd};
    uint8_t op = input_u8(input), form = input_u8(input), where = input_u8(input);
    bool wild = op >= 0xf8;

    struct vmr_step step = {
        .op = wild && form >= 0x80 ? op : (uint8_t)(op % VMR_STEP_OP_COUNT),
        .size = wild ? form : sizes[form & 3],
        .var = wild ? form : form >> 2 & 7,
        .backward = (form & 0x20) != 0,
    };

    /* One by one: in what order the parts of an initialiser are evaluated is the compiler's. */
    step.count = form & 0x40 ? (uint32_t)input_number(input) : 1;
    step.target = where & 0x80 ? input_u8(input) : where % 8u;
    step.address = form & 0x80 ? input_number(input) : addresses[where % 16u];
    step.value = input_number(input);
    return step;
}

static void run(const struct vmr_program *program, const char *spec, uint32_t vps)
{
    struct mock_rig rig;

    mock_rig_init(&rig, spec, vps, VMR_PROGRAM_RAM_MIN, NULL);
    mock_rig_attach(&rig);
    for (vmr_vp_index vp = 0; vp < vps; vp++)
        FUZZ_CHECK(vmr_mock_load_program(rig.mock, vp, program, NULL) == VMR_OK);
    mock_rig_bind(&rig);
    for (unsigned i = 0; i < RUNS_MAX; i++)
        (void)mock_rig_run(&rig, i % vps);
    mock_rig_finish(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_step steps[STEPS_MAX];
    struct vmr_error err = {0};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    struct input input = input_of(data, size);
    const char *spec = specs[input_choose(&input, sizeof(specs) / sizeof(specs[0]))];
    unsigned form = input_choose(&input, 256);
    struct vmr_program program = {.name = "fuzz",
                                  .steps = steps,
                                  .start = form & 1 ? VMR_START_REAL_MODE : VMR_START_LONG_MODE,
                                  .eoi = (uint8_t)(form >> 1 & 7)};

    while (program.count < STEPS_MAX - 1 && !input_is_empty(&input))
        steps[program.count++] = take_step(&input);
    if ((form & 0x10) == 0)
        steps[program.count++] = (struct vmr_step)VMR_END();
    if (vmr_program_check(&program, &err) == VMR_OK)
        run(&program, spec, form & 0x20 ? 2 : 1);
    else
        FUZZ_CHECK(err.status != VMR_OK && strchr(err.message, ' '));
    for (uint32_t op = 0; op < VMR_STEP_OP_COUNT; op++)
        FUZZ_CHECK(vmr_step_op_name(op)[0] != '\0');
    return 0;
}
