/* SPDX-License-Identifier: MIT */

/*
 * A bus against a model that cannot be wrong: for each address of a small
 * window the range that owns it and the byte that is there. Operations are
 * chosen by a fixed seed. Devices keep their bytes in the model's second array
 * and check that each call is one that they may get.
 */

#include "tests/io/fixture.h"

#define WINDOW 96u
#define OPERATIONS 60000
#define RANGES 24u

struct range {
    struct trial *trial;
    unsigned start, length, sizes; /* length 0: not claimed */
};

struct trial {
    struct fixture fixture;
    uint64_t base; /* where the window lies on the bus; it ends where the space ends */
    uint64_t seed;
    struct range ranges[RANGES];
    uint8_t real[WINDOW];  /* what the devices hold */
    uint8_t model[WINDOW]; /* what they should hold */
    int owner[WINDOW];     /* -1: a hole */
    /* The access under way. */
    unsigned first, size;
    unsigned next; /* no call may begin below */
    unsigned done[5];
};

static unsigned pick(struct trial *trial, unsigned below)
{
    return (unsigned)(next_random(&trial->seed) >> 20) % below;
}

/* What every call of a device promises. Gives its place in the window. */
static unsigned check_call(struct range *range, const struct vmr_access *access)
{
    struct trial *trial = range->trial;
    unsigned place = (unsigned)(access->address - trial->base);

    assert_int_equal(place, range->start + access->offset);
    assert_true(access->offset + access->size <= range->length);
    assert_true((range->sizes & access->size) != 0);
    assert_true(place >= trial->next); /* lowest address first, no byte twice */
    assert_true(place + access->size <= trial->first + trial->size);
    assert_true(access->address % access->size == 0 || access->size == trial->size);
    trial->next = place + access->size;
    return place;
}

static uint64_t model_read(void *context, const struct vmr_access *access)
{
    struct range *range = context;
    unsigned place = check_call(range, access);
    uint64_t value = 0;

    for (unsigned i = 0; i < access->size; i++)
        value |= (uint64_t)range->trial->real[place + i] << 8 * i;
    return value;
}

static void model_write(void *context, const struct vmr_access *access, uint64_t value)
{
    struct range *range = context;
    unsigned place = check_call(range, access);

    assert_true(access->size == 8 || value >> 8 * access->size == 0);
    for (unsigned i = 0; i < access->size; i++)
        range->trial->real[place + i] = (uint8_t)(value >> 8 * i);
}

static const struct vmr_device_ops model_ops = {model_read, model_write};

static void try_claim(struct trial *trial)
{
    struct range *range = &trial->ranges[pick(trial, RANGES)];

    if (range->length != 0)
        return;
    unsigned start = pick(trial, WINDOW), length = pick(trial, 20), sizes = pick(trial, 8) << 1 | 1;
    bool allowed = length > 0 && start + length <= WINDOW;

    for (unsigned place = start; place < start + length && allowed; place++)
        allowed = trial->owner[place] < 0;
    const struct vmr_bus_range wanted = {.name = "range",
                                         .start = trial->base + start,
                                         .length = length,
                                         .sizes = (uint8_t)sizes,
                                         .ops = &model_ops,
                                         .device = range};

    assert_int_equal(vmr_bus_claim(trial->fixture.bus, &wanted, NULL), allowed ? VMR_OK : VMR_E_CONFIG);
    trial->done[0] += allowed;
    trial->done[1] += !allowed;
    if (!allowed)
        return;
    *range = (struct range){trial, start, length, sizes};
    for (unsigned place = start; place < start + length; place++)
        trial->owner[place] = (int)(range - trial->ranges);
}

static void try_release(struct trial *trial)
{
    unsigned start = pick(trial, WINDOW);
    int owner = trial->owner[start];
    bool allowed = owner >= 0 && trial->ranges[owner].start == start;

    assert_int_equal(vmr_bus_release(trial->fixture.bus, trial->base + start, NULL), allowed ? VMR_OK : VMR_E_USAGE);
    if (!allowed)
        return;
    trial->done[2]++;
    for (unsigned place = start; place < start + trial->ranges[owner].length; place++)
        trial->owner[place] = -1;
    trial->ranges[owner].length = 0;
}

static void begin_access(struct trial *trial)
{
    static const uint8_t sizes[] = {1, 2, 4, 8, 1, 2, 4, 8, 3, 5, 6, 7};

    trial->first = pick(trial, WINDOW);
    trial->size = sizes[pick(trial, sizeof(sizes))];
    trial->next = trial->first;
}

static bool is_owned(const struct trial *trial, unsigned place)
{
    return place < WINDOW && trial->owner[place] >= 0;
}

static void try_read(struct trial *trial)
{
    uint64_t want = 0;

    begin_access(trial);
    for (unsigned i = 0; i < trial->size; i++)
        want |= (uint64_t)(is_owned(trial, trial->first + i) ? trial->model[trial->first + i] : 0xff) << 8 * i;
    uint64_t value = bus_read(&trial->fixture, trial->base + trial->first, trial->size);

    if (value != want)
        fail_msg("%u bytes at +%u: %llx, not %llx", trial->size, trial->first, (unsigned long long)value,
                 (unsigned long long)want);
    trial->done[3]++;
}

static void try_write(struct trial *trial)
{
    uint64_t value = next_random(&trial->seed);

    begin_access(trial);
    for (unsigned i = 0; i < trial->size; i++) {
        if (is_owned(trial, trial->first + i))
            trial->model[trial->first + i] = (uint8_t)(value >> 8 * i);
    }
    bus_write(&trial->fixture, trial->base + trial->first, trial->size, value);
    assert_memory_equal(trial->real, trial->model, WINDOW);
    trial->done[4]++;
}

static void run_trial(enum vmr_bus_space space, uint64_t base)
{
    static struct trial trial;
    void (*const operations[])(struct trial *) = {try_claim, try_claim, try_release, try_read,
                                                  try_write, try_read,  try_write,   try_read};

    trial = (struct trial){.base = base, .seed = 0xfeedbead87654321};
    memset(trial.owner, 0xff, sizeof(trial.owner));
    fixture_init(&trial.fixture, space);
    for (unsigned i = 0; i < OPERATIONS; i++)
        operations[pick(&trial, sizeof(operations) / sizeof(operations[0]))](&trial);
    for (size_t i = 0; i < sizeof(trial.done) / sizeof(trial.done[0]); i++)
        assert_true(trial.done[i] > 500); /* each kind of operation really happened */
    fixture_finish(&trial.fixture);
}

static void ports_do_what_an_array_of_owners_does(void **state)
{
    (void)state;
    run_trial(VMR_BUS_PORTS, 0x10000 - WINDOW);
}

static void mmio_does_what_an_array_of_owners_does(void **state)
{
    (void)state;
    run_trial(VMR_BUS_MMIO, (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX) - WINDOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_do_what_an_array_of_owners_does),
        cmocka_unit_test(mmio_does_what_an_array_of_owners_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
