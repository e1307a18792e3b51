/* SPDX-License-Identifier: MIT */
/*
 * Two backends in lockstep: the mock and a copy of it that is broken diverge, the
 * guest is made small, and what is recorded of it can be read; two that are not
 * broken do not diverge.
 */

#include "conformance/lockstep/lockstep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conformance/lockstep/guest.h"
#include "conformance/runner.h"
#include "conformance/zoo/zoo.h"

#define RUNS 300u

static const struct zoo_animal *animal_of(const struct zoo_house *house, const char *name)
{
    for (size_t i = 0; i < house->count; i++) {
        if (strcmp(house->animals[i].name, name) == 0)
            return &house->animals[i];
    }
    fail_msg("there is no '%s'", name);
    return NULL;
}

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* The file that the run has written, which is removed. */
static void expect_recording(const char *folder, uint64_t seed)
{
    char path[128], text[512];

    snprintf(path, sizeof(path), "%s/lockstep-%llu.vmtx", folder, (unsigned long long)seed);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    read_back(file, text, sizeof(text));
    assert_non_null(strstr(text, "vmtx"));
    assert_int_equal(remove(path), 0);
}

/* A table, and what is done with each row of it. */
static void a_broken_copy_diverges_in_a_few_steps(void **state)
{
    static const struct {
        const struct zoo_house *house;
        const char *name, *words;
        uint32_t steps_max;
    } cases[] = {
        {&zoo_exits, "answer_of_before", "variable", 8},
        {&zoo_exits, "size_cut", "port write", 8},
        {&zoo_exits, "count_dropped", "port ", 8},
    };
    char folder[] = "/tmp/vmrig-test-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_backend table;
        struct vmr_backend_state states;
        struct vmr_backend_set set;
        const struct zoo_animal *animal = animal_of(cases[i].house, cases[i].name);
        struct lockstep_options options = {.specs = {"mock", cases[i].name},
                                           .set = &set,
                                           .seed = 1,
                                           .runs = RUNS,
                                           .folder = folder,
                                           .out = tmpfile(),
                                           .err = stderr};
        struct lockstep_result result;
        char text[8192];

        zoo_make(animal, vmr_mock_backend(), &table, &states);
        vmr_backend_set_init(&set);
        assert_int_equal(vmr_backend_set_add(&set, &table, NULL), VMR_OK);
        assert_non_null(options.out);
        assert_int_equal(lockstep_main(&options, &result), CONF_EXIT_FAILED);
        read_back(options.out, text, sizeof(text));
        assert_true(result.diverged);
        if (!strstr(text, cases[i].words) || !strstr(text, "DIVERGED: ") || result.steps > cases[i].steps_max)
            fail_msg("%s: %u steps: %s", cases[i].name, result.steps, text);
        expect_recording(folder, result.seed);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void what_is_not_broken_does_not_diverge(void **state)
{
    struct lockstep_options options = {.specs = {"mock:profile=hvf-like", "mock:profile=mshv-like"},
                                       .seed = 5,
                                       .runs = RUNS,
                                       .out = tmpfile(),
                                       .err = stderr};
    struct lockstep_result result;
    char text[512];

    (void)state;
    assert_non_null(options.out);
    assert_int_equal(lockstep_main(&options, &result), CONF_EXIT_PASSED);
    read_back(options.out, text, sizeof(text));
    assert_int_equal(result.runs, RUNS);
    assert_true(result.events > RUNS * 40);
    assert_non_null(strstr(text, "the same on both"));
}

static void guests_are_the_same_for_the_same_seed_and_do_everything(void **state)
{
    bool used[VMR_STEP_OP_COUNT] = {false};
    struct lockstep_guest one, two;
    size_t kinds = 0;

    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        lockstep_compose(seed, &one);
        lockstep_compose(seed, &two);
        assert_int_equal(one.program.count, two.program.count);
        assert_memory_equal(one.steps, two.steps, sizeof(one.steps));
        for (uint32_t i = 0; i < one.program.count; i++)
            used[one.steps[i].op] = true;
    }
    for (unsigned op = 0; op < VMR_STEP_OP_COUNT; op++)
        kinds += used[op];
    assert_int_equal(kinds, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_copy_diverges_in_a_few_steps),
        cmocka_unit_test(what_is_not_broken_does_not_diverge),
        cmocka_unit_test(guests_are_the_same_for_the_same_seed_and_do_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
