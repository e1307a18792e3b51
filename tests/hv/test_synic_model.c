/* SPDX-License-Identifier: MIT */

/*
 * Message slots against a model that cannot be wrong: arrays of numbers, one
 * for each SINT, and what is in each slot. Many operations of host and guest
 * chosen by a fixed seed; after each poll the guest's page holds what the model
 * holds, marks included, and the interrupts are those that the model counts.
 */

#include "tests/hv/synic_rig.h"

#define OPERATIONS 40000u
#define MODEL_SINTS 4u
#define QUEUE_MAX 24u /* the test stops there; the library's limit has its own test */
#define SIMP (2 * PAGE)
#define OTHER_SIMP (9 * PAGE)

/* Where the model's SINTs are: the first, the last, and two between. */
static const uint8_t places[MODEL_SINTS] = {0, 2, 9, 15};

struct model_sint {
    bool masked, polling;
    uint32_t waiting[QUEUE_MAX];
    unsigned count;
    uint32_t slot; /* the type of the message in it; 0: free */
    bool marked;
};

struct trial {
    struct rig rig;
    struct model_sint sints[MODEL_SINTS];
    uint64_t seed;
    uint64_t simp;
    uint32_t last;
    unsigned delivered, dropped, marks;
};

static void write_sint(struct trial *trial, unsigned sint)
{
    const struct model_sint *model = &trial->sints[sint];

    rig_write(&trial->rig, HV_MSR_SINT0 + places[sint],
              0x50u + places[sint] + (model->masked ? HV_SINT_MASKED : 0) + (model->polling ? HV_SINT_POLLING : 0));
}

static void try_post(struct trial *trial, unsigned sint)
{
    struct model_sint *model = &trial->sints[sint];
    unsigned wakes = trial->rig.wakes[0];

    if (model->count == QUEUE_MAX)
        return;
    assert_int_equal(rig_post(&trial->rig, places[sint], ++trial->last), VMR_OK);
    assert_int_equal(trial->rig.wakes[0] - wakes, model->count == 0);
    model->waiting[model->count++] = trial->last;
}

static void try_free(struct trial *trial, unsigned sint)
{
    trial->sints[sint].slot = 0;
    trial->sints[sint].marked = false;
    rig_free_slot(&trial->rig, trial->simp, places[sint]);
    assert_int_equal(vmr_memory_fill(trial->rig.memory, trial->simp + places[sint] * 256u + 5, 0, 1), VMR_OK);
}

static void try_configure(struct trial *trial, unsigned sint)
{
    trial->sints[sint].masked = rig_pick(&trial->seed, 4) == 0;
    trial->sints[sint].polling = rig_pick(&trial->seed, 4) == 0;
    write_sint(trial, sint);
}

/* The guest moves its message page; the slots go with it. */
static void try_move(struct trial *trial)
{
    trial->simp = trial->simp == SIMP ? OTHER_SIMP : SIMP;
    rig_write(&trial->rig, HV_MSR_SIMP, trial->simp | 1);
}

static void take_first(struct model_sint *model)
{
    memmove(model->waiting, model->waiting + 1, (--model->count) * sizeof(model->waiting[0]));
}

/* What a poll does to one SINT; whether it interrupts. */
static bool model_poll(struct trial *trial, struct model_sint *model)
{
    bool raised = false;

    while (model->count > 0 && (model->masked || model->slot == 0)) {
        if (model->masked) {
            trial->dropped++;
        } else {
            model->slot = model->waiting[0];
            model->marked = false;
            raised = !model->polling;
            trial->delivered++;
        }
        take_first(model);
    }
    if (model->count > 0) {
        trial->marks += !model->marked;
        model->marked = true;
    }
    return raised;
}

static void poll_and_compare(struct trial *trial)
{
    char expected[RIG_NOTES] = "";

    for (unsigned sint = 0; sint < MODEL_SINTS; sint++) {
        size_t length = strlen(expected);

        if (model_poll(trial, &trial->sints[sint]))
            assert_true(snprintf(expected + length, sizeof(expected) - length, "irq 0.0 %x;", 0x50u + places[sint]) >
                        0);
    }
    assert_int_equal(rig_poll(&trial->rig), VMR_NEVER);
    rig_expect(&trial->rig, expected);
    for (unsigned sint = 0; sint < MODEL_SINTS; sint++) {
        assert_int_equal(rig_slot_type(&trial->rig, trial->simp, places[sint]), trial->sints[sint].slot);
        assert_int_equal(rig_slot_is_marked(&trial->rig, trial->simp, places[sint]), trial->sints[sint].marked);
    }
}

static void slots_do_what_arrays_do(void **state)
{
    (void)state;
    struct trial trial = {.seed = 2024, .simp = SIMP};

    rig_init(&trial.rig);
    rig_write(&trial.rig, HV_MSR_SIMP, SIMP | 1);
    for (unsigned sint = 0; sint < MODEL_SINTS; sint++)
        write_sint(&trial, sint);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        unsigned sint = rig_pick(&trial.seed, MODEL_SINTS), kind = rig_pick(&trial.seed, 32);

        if (kind < 9)
            try_post(&trial, sint);
        else if (kind < 16)
            try_free(&trial, sint);
        else if (kind == 16)
            try_configure(&trial, sint);
        else if (kind == 17)
            try_move(&trial);
        else
            poll_and_compare(&trial);
    }
    print_message("%u delivered, %u dropped, %u marked\n", trial.delivered, trial.dropped, trial.marks);
    assert_true(trial.delivered > 1000 && trial.dropped > 100 && trial.marks > 500);
    rig_finish(&trial.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_do_what_arrays_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
