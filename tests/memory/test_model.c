/* SPDX-License-Identifier: MIT */

/*
 * Guest memory against a model that cannot be wrong: an array of bytes, and for
 * each page the region that it belongs to. Many operations chosen by a fixed
 * seed; each must give what the model gives.
 */

#include "tests/memory/fixture.h"

#define PAGES 24
#define OPERATIONS 20000
#define BYTES (PAGES * VMR_PAGE_SIZE)

struct model {
    uint8_t bytes[BYTES];
    unsigned owner[PAGES]; /* 0: a hole; else one more than the region's first page */
    bool read_only[PAGES];
};

struct trial {
    struct fixture fixture;
    struct model model;
    uint64_t seed;
    unsigned done[7]; /* operations that succeeded */
};

static unsigned pick(struct trial *trial, unsigned below)
{
    return (unsigned)(next_random(&trial->seed) >> 20) % below;
}

static bool model_has(const struct model *model, uint64_t gpa, uint64_t length)
{
    for (uint64_t byte = gpa; byte < gpa + length; byte++) {
        if (byte >= BYTES || model->owner[byte / PAGE] == 0)
            return false;
    }
    return true;
}

static void try_add(struct trial *trial)
{
    struct model *model = &trial->model;
    unsigned first = pick(trial, PAGES), count = 1 + pick(trial, 4);
    bool read_only = pick(trial, 4) == 0, free_space = true;

    if (first + count > PAGES)
        return;
    for (unsigned page = first; page < first + count; page++)
        free_space = free_space && model->owner[page] == 0;
    const struct vmr_memory_region region = {.gpa = first * PAGE, .size = count * PAGE, .read_only = read_only};

    assert_int_equal(vmr_memory_region_add(trial->fixture.memory, &region, NULL), free_space ? VMR_OK : VMR_E_CONFIG);
    if (!free_space)
        return;
    trial->done[0]++;
    memset(model->bytes + first * PAGE, 0, count * PAGE);
    for (unsigned page = first; page < first + count; page++) {
        model->owner[page] = first + 1;
        model->read_only[page] = read_only;
    }
}

static void try_remove(struct trial *trial)
{
    struct model *model = &trial->model;
    unsigned first = pick(trial, PAGES);
    bool present = model->owner[first] == first + 1;

    assert_int_equal(vmr_memory_region_remove(trial->fixture.memory, first * PAGE, NULL),
                     present ? VMR_OK : VMR_E_USAGE);
    if (!present)
        return;
    trial->done[1]++;
    for (unsigned page = first; page < PAGES && model->owner[page] == first + 1; page++)
        model->owner[page] = 0;
}

/* Mostly near page boundaries, where mistakes live. */
static uint64_t pick_span(struct trial *trial, size_t *ret_length)
{
    uint64_t gpa = pick(trial, PAGES + 1) * PAGE + pick(trial, 32);

    *ret_length = pick(trial, 4) == 0 ? pick(trial, 3 * VMR_PAGE_SIZE) : pick(trial, 40);
    return gpa < 16 ? gpa : gpa - 16;
}

static void try_read(struct trial *trial)
{
    static uint8_t bytes[3 * VMR_PAGE_SIZE];
    size_t length;
    uint64_t gpa = pick_span(trial, &length);
    bool present = model_has(&trial->model, gpa, length);

    assert_int_equal(vmr_memory_read(trial->fixture.memory, gpa, bytes, length), present ? VMR_OK : VMR_E_GUEST);
    if (!present)
        return;
    trial->done[2]++;
    if (memcmp(bytes, trial->model.bytes + gpa, length) != 0)
        fail_msg("%zu bytes read at %llx differ", length, (unsigned long long)gpa);
}

static void try_write(struct trial *trial)
{
    static uint8_t bytes[3 * VMR_PAGE_SIZE];
    size_t length;
    uint64_t gpa = pick_span(trial, &length);
    bool present = model_has(&trial->model, gpa, length), fill = pick(trial, 2) == 0;

    memset(bytes, (int)pick(trial, 256), length);
    for (size_t i = 0; i < length && !fill; i++)
        bytes[i] = (uint8_t)(bytes[0] + i);
    enum vmr_status status = fill ? vmr_memory_fill(trial->fixture.memory, gpa, bytes[0], length)
                                  : vmr_memory_write(trial->fixture.memory, gpa, bytes, length);

    assert_int_equal(status, present ? VMR_OK : VMR_E_GUEST);
    if (!present)
        return;
    trial->done[3]++;
    memcpy(trial->model.bytes + gpa, bytes, length);
}

static void try_fetch_or(struct trial *trial)
{
    size_t unused;
    unsigned width = 1u << pick(trial, 4);
    uint64_t gpa = pick_span(trial, &unused), mask = next_random(&trial->seed), old = 0, want = 0;
    bool allowed = gpa % width == 0 && model_has(&trial->model, gpa, 1) && !trial->model.read_only[gpa / PAGE];

    mask &= width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * width) - 1;
    assert_int_equal(vmr_memory_fetch_or(trial->fixture.memory, gpa, width, mask, &old),
                     allowed ? VMR_OK : VMR_E_GUEST);
    if (!allowed)
        return;
    trial->done[4]++;
    memcpy(&want, trial->model.bytes + gpa, width);
    assert_int_equal(old, want);
    want |= mask;
    memcpy(trial->model.bytes + gpa, &want, width);
}

static void try_pin(struct trial *trial)
{
    struct vmr_memory_view view;
    size_t length;
    uint64_t gpa = pick_span(trial, &length);
    bool writable = pick(trial, 2) == 0;
    bool allowed = gpa < BYTES && model_has(&trial->model, gpa, length ? length : 1) &&
                   trial->model.owner[gpa / PAGE] == trial->model.owner[(gpa + (length ? length - 1 : 0)) / PAGE] &&
                   !(writable && trial->model.read_only[gpa / PAGE]);

    assert_int_equal(vmr_memory_pin(trial->fixture.memory, gpa, length, writable, &view),
                     allowed ? VMR_OK : VMR_E_GUEST);
    if (!allowed)
        return;
    trial->done[5]++;
    assert_int_equal(vmr_memory_region_remove(trial->fixture.memory, (trial->model.owner[gpa / PAGE] - 1) * PAGE, NULL),
                     VMR_E_STATE);
    assert_memory_equal(view.bytes, trial->model.bytes + gpa, length);
    vmr_memory_unpin(trial->fixture.memory, &view);
}

static void try_find(struct trial *trial)
{
    struct vmr_memory_region region;
    unsigned page = pick(trial, PAGES);
    bool present = trial->model.owner[page] != 0;

    assert_int_equal(vmr_memory_region_find(trial->fixture.memory, page * PAGE + pick(trial, 4096), &region), present);
    if (!present)
        return;
    trial->done[6]++;
    assert_int_equal(region.gpa, (trial->model.owner[page] - 1) * PAGE);
    assert_int_equal(region.read_only, trial->model.read_only[page]);
}

static void memory_does_what_an_array_of_bytes_does(void **state)
{
    (void)state;
    static struct trial trial;
    /* Reading and writing are wanted more often than changes of the table. */
    void (*const operations[])(struct trial *) = {try_add,   try_add,  try_add,   try_remove,   try_read, try_read,
                                                  try_write, try_read, try_write, try_fetch_or, try_pin,  try_find};

    trial = (struct trial){.seed = 0x5eed5eed12345678};
    fixture_init(&trial.fixture);
    for (unsigned i = 0; i < OPERATIONS; i++)
        operations[pick(&trial, sizeof(operations) / sizeof(operations[0]))](&trial);
    for (size_t i = 0; i < sizeof(trial.done) / sizeof(trial.done[0]); i++)
        assert_true(trial.done[i] > 100); /* each kind of operation really happened */
    fixture_finish(&trial.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_does_what_an_array_of_bytes_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
