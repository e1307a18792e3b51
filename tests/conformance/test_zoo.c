/* SPDX-License-Identifier: MIT */
/*
 * The zoo's keeper: a healthy animal survives and is reported, one that is
 * rejected by scenarios of other clauses too, and one that crashes the judge.
 */

#include "conformance/zoo/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conformance/runner.h"
#include "conformance/zoo/zoo.h"

static void make_healthy(struct vmr_backend *table)
{
    (void)table;
}

static void kick_never(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static void make_deaf(struct vmr_backend *table)
{
    table->vp_kick = kick_never;
}

static void crash(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    (void)vp;
    (void)vp_exit;
    abort();
}

static void make_crashing(struct vmr_backend *table)
{
    table->vp_run = crash;
}

#define ANIMAL(function, clause_)                                                                                      \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .defect = "a defect", .clause = (clause_), .filter = "stop/*"      \
    }

static const struct zoo_animal healthy[] = {ANIMAL(healthy, "RUN-3")}, wrong[] = {ANIMAL(deaf, "IO-1")};
static const struct zoo_animal crashing[] = {ANIMAL(crashing, "RUN-3")}, deaf[] = {ANIMAL(deaf, "RUN-3")};

static void each_fate_is_told_and_decides_the_exit_status(void **state)
{
    static const struct {
        const struct zoo_animal *animal;
        int status;
        const char *words, *totals;
    } cases[] = {
        {healthy, CONF_EXIT_FAILED, "SURVIVED", "0 of 1 broken hypervisors"},
        {wrong, CONF_EXIT_FAILED, "NOT BY ITS CLAUSE, by stop/", "0 of 1 broken hypervisors"},
        {crashing, CONF_EXIT_FAILED, "BROKE THE JUDGE: Aborted", "0 of 1 broken hypervisors"},
        {deaf, CONF_EXIT_PASSED, "killed by stop/", "1 of 1 broken hypervisors"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct zoo_house house = {cases[i].animal, 1};
        const struct zoo_house *const houses[] = {&house};
        FILE *out = tmpfile();
        const struct zoo_options options = {.houses = houses, .house_count = 1, .out = out, .err = stderr};
        char text[2048];

        assert_non_null(out);
        int status = zoo_main(&options);

        rewind(out);
        text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
        fclose(out);
        if (status != cases[i].status || !strstr(text, cases[i].words) || !strstr(text, cases[i].totals))
            fail_msg("case %zu: status %d: %s", i, status, text);
    }
}

static void nobody_is_an_error(void **state)
{
    FILE *out = tmpfile();
    const struct zoo_options options = {.filter = "unicorn", .out = out, .err = out};
    char text[256];

    (void)state;
    assert_int_equal(zoo_main(&options), CONF_EXIT_USAGE);
    rewind(out);
    text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
    fclose(out);
    assert_string_equal(text, "vmrig certify: no animal matches 'unicorn'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fate_is_told_and_decides_the_exit_status),
        cmocka_unit_test(nobody_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
