/* SPDX-License-Identifier: MIT */

/*
 * The dispatcher against the model of reference.c: any call at all, hostile ones
 * too, one instruction each.
 */

#include "tests/hv/differential.h"

#define INSTRUCTIONS 60000

static uint64_t any_address(struct bench *bench)
{
    static const uint64_t pages[] = {0, 0, 0, 1, 1, 1, 2, 3, 4, UINT64_C(1) << 40, UINT64_MAX >> 12};
    uint64_t page = pages[bench_pick(bench, sizeof(pages) / sizeof(pages[0]))] * PAGE;

    switch (bench_pick(bench, 6)) {
    case 0:
        return page + bench_pick(bench, 4096);
    case 1:
        return page + 4096 - 8 * (uint64_t)(1 + bench_pick(bench, 64));
    case 2:
        return page + 8 * (uint64_t)bench_pick(bench, 512);
    default:
        return page;
    }
}

/* Mostly right for the call; sometimes one bit is not. */
static uint64_t any_control(struct bench *bench)
{
    unsigned shape_count = 0;

    while (reference_shape_at(shape_count))
        shape_count++;
    const struct reference_shape *shape = reference_shape_at(bench_pick(bench, shape_count));
    uint64_t control = shape->code;
    unsigned most = bench_pick(bench, 3) == 0 ? 560 : 8;

    if (bench_pick(bench, 30) == 0)
        control = bench_pick(bench, 2) ? bench_next(bench) & 0xffff : 0x11 + bench_pick(bench, 2);
    if (shape->rep) {
        unsigned count = 1 + bench_pick(bench, most);

        control |= (uint64_t)count << 32;
        if (bench_pick(bench, 2))
            control |= (uint64_t)bench_pick(bench, count + 1) << 48;
    }
    if (shape->variable)
        control |= (uint64_t)bench_pick(bench, most) << 17;
    if (bench_pick(bench, 2))
        control |= HV_CONTROL_FAST;
    if (bench_pick(bench, 12) == 0)
        control ^= UINT64_C(1) << bench_pick(bench, 64);
    return control;
}

static struct reference_handler any_handler(struct bench *bench)
{
    static const uint16_t statuses[] = {0x05, 0x06, 0x0b, 0x0e, 0x13, 0x78, 0xffff};
    struct reference_handler handler = {.fail_at = REFERENCE_NEVER, .timeout_at = REFERENCE_NEVER};

    if (bench_pick(bench, 3) == 0) {
        handler.fail_at = bench_pick(bench, 6);
        handler.fail_status = statuses[bench_pick(bench, sizeof(statuses) / sizeof(statuses[0]))];
    }
    if (bench_pick(bench, 4) == 0)
        handler.timeout_at = bench_pick(bench, 6);
    return handler;
}

static void any_call_does_what_the_model_does(void **state)
{
    (void)state;
    static struct bench bench;

    bench_init(&bench, 20260807);
    for (unsigned i = 0; i < INSTRUCTIONS; i++) {
        bench.caller = (struct vmr_hv_caller){.abi = (uint8_t)bench_pick(&bench, VMR_HV_ABI_COUNT),
                                              .instruction_length = (uint8_t)(1 + bench_pick(&bench, 15)),
                                              .pc_advanced = bench_pick(&bench, 2),
                                              .without_xmm = bench_pick(&bench, 5) == 0,
                                              .privileges = UINT64_MAX};
        if (bench_pick(&bench, 8) == 0)
            bench.caller.privileges &= bench_next(&bench);
        bench_scramble(&bench);
        uint64_t control = any_control(&bench);

        bench_set_parameters(&bench, control, any_address(&bench), any_address(&bench));
        bench.ours = bench.theirs = any_handler(&bench);
        bench_execute(&bench);
        if (i % 16 == 0)
            bench_compare_memory(&bench);
    }
    bench_compare_memory(&bench);
    for (size_t i = 0; i < sizeof(bench.outcomes) / sizeof(bench.outcomes[0]); i++)
        assert_true(bench.outcomes[i] > 100);
    assert_true(bench.successes > 6000);
    print_message("%u instructions: %u done (%u with success), %u to be repeated, %u undefined, %u VTL switches\n",
                  bench.instructions, bench.outcomes[0], bench.successes, bench.outcomes[1], bench.outcomes[2],
                  bench.outcomes[3]);
    bench_finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_does_what_the_model_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
