/* SPDX-License-Identifier: MIT */
/*
 * The soak, judged: each of four bugs that VMMs really had is found by random
 * compositions, from nothing, within a million of them; without a bug nothing is
 * found. Linked with the copy of the library that has three of them on demand;
 * the fourth is a backend's. Prints how many it took, and how long.
 */

#include "conformance/soak/soak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conformance/runner.h"
#include "conformance/zoo/zoo.h"
#include "lib/base/plant.h"

#define RUNS_MAX 1000000u
#define CLEAN_RUNS 3000u

/* A composition that hangs is dropped where it stands, with what it owns. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:execution_body\nleak:run_scheduled\n";
}

static enum plant planted;

bool vmr_plant(enum plant plant)
{
    return plant == planted;
}

static int soak(struct soak_options *options, struct soak_result *ret_result, char *ret_text, size_t size)
{
    options->out = tmpfile();
    assert_non_null(options->out);
    options->err = stderr;
    int status = soak_main(options, ret_result);

    rewind(options->out);
    ret_text[fread(ret_text, 1, size - 1, options->out)] = '\0';
    fclose(options->out);
    return status;
}

/* Found, told, and had again by what was told; gone without the bug. */
static void expect_found(const char *name, const char *spec, const struct vmr_backend_set *set)
{
    struct soak_options options = {.seed = 1, .runs = RUNS_MAX, .spec = spec, .set = set};
    struct soak_result found, again;
    char text[4096];

    assert_int_equal(soak(&options, &found, text, sizeof(text)), CONF_EXIT_FAILED);
    print_message("%s: composition %llu, after %.3f s\n%s", name, (unsigned long long)found.runs,
                  (double)found.elapsed_ns / 1e9, text);
    assert_true(found.failed);
    assert_non_null(strstr(text, "again: vmrig certify --soak 1x --seed "));
    options.seed = found.seed;
    options.left_out = found.left_out;
    options.runs = 1;
    options.spec = spec ? spec : strstr(text, "--hypervisor ") + strlen("--hypervisor ");
    char copy[64] = "";

    strncpy(copy, options.spec, sizeof(copy) - 1);
    copy[strcspn(copy, "\n")] = '\0';
    options.spec = copy;
    assert_int_equal(soak(&options, &again, text, sizeof(text)), CONF_EXIT_FAILED);
}

static void expect_planted(enum plant plant, const char *name)
{
    planted = plant;
    expect_found(name, NULL, NULL);
    planted = PLANT_NONE;
}

static void a_lost_kick_is_found(void **state)
{
    (void)state;
    expect_planted(PLANT_LOST_KICK, "a lost kick");
}

static void a_stale_cancel_is_found(void **state)
{
    (void)state;
    expect_planted(PLANT_STALE_CANCEL, "a stale cancel");
}

static void an_acknowledgement_of_an_older_stop_is_found(void **state)
{
    (void)state;
    expect_planted(PLANT_STALE_ACK, "an acknowledgement without its generation");
}

static void an_old_exit_that_comes_again_is_found(void **state)
{
    struct vmr_backend_set set;
    struct vmr_backend table;
    struct vmr_backend_state states;

    (void)state;
    for (size_t i = 0; i < zoo_kicks.count; i++) {
        if (strcmp(zoo_kicks.animals[i].name, "cancel_replays") != 0)
            continue;
        zoo_make(&zoo_kicks.animals[i], vmr_mock_backend(), &table, &states);
        vmr_backend_set_init(&set);
        assert_int_equal(vmr_backend_set_add(&set, &table, NULL), VMR_OK);
        expect_found("EINTR as the exit before", "cancel_replays", &set);
        return;
    }
    fail_msg("there is no such animal");
}

static void without_a_bug_nothing_is_found(void **state)
{
    struct soak_options options = {.seed = 1, .runs = CLEAN_RUNS};
    struct soak_result result;
    char text[4096];

    (void)state;
    if (soak(&options, &result, text, sizeof(text)) != CONF_EXIT_PASSED)
        fail_msg("%s", text);
    assert_int_equal(result.runs, CLEAN_RUNS);
    assert_non_null(strstr(text, "none failed"));
}

static void times_and_numbers_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t runs, s;
    } cases[] = {{"1x", 1, 0},
                 {"1000000000x", 1000000000, 0},
                 {"30s", 0, 30},
                 {"10m", 0, 600},
                 {"2h", 0, 7200},
                 {"", 0, 0},
                 {"0x", 0, 0},
                 {"x", 0, 0},
                 {"10", 0, 0},
                 {"10d", 0, 0},
                 {"10mm", 0, 0},
                 {"-1s", 0, 0},
                 {"1 s", 0, 0},
                 {"2000000000x", 0, 0},
                 {"99999999999999999999s", 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t runs = 0, ns = 0;
        bool read = soak_parse(cases[i].text, &runs, &ns);

        if (read != (cases[i].runs + cases[i].s > 0) ||
            (read && (runs != cases[i].runs || ns != cases[i].s * UINT64_C(1000000000))))
            fail_msg("'%s'", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_kick_is_found),
        cmocka_unit_test(a_stale_cancel_is_found),
        cmocka_unit_test(an_acknowledgement_of_an_older_stop_is_found),
        cmocka_unit_test(an_old_exit_that_comes_again_is_found),
        cmocka_unit_test(without_a_bug_nothing_is_found),
        cmocka_unit_test(times_and_numbers_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
