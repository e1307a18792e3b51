/* SPDX-License-Identifier: MIT */
/*
 * What a certificate says is counted again: each lie is found, though its hash
 * is right. And what counts make of a level.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conformance/levels.h"
#include "conformance/scenarios.h"
#include "conformance/verify.h"

#define SPEC "mock:profile=hvf-like"

/* --- levels --- */

static void counts_decide_what_becomes_of_a_level(void **state)
{
    const struct conf_level needy = {.name = "needy", .families = "io", .needs = 6, .vp_classes = 1};
    const struct conf_level all = {.name = "all", .families = "*"};
    static const struct {
        bool of_all;
        uint64_t caps, classes;
        size_t pass, fail, skip, waived;
        bool partial;
        size_t below;
        enum conf_level_status status;
    } cases[] = {
        {false, 6, 1, 3, 0, 0, 0, false, 0, CONF_LEVEL_REACHED},
        {false, 7, 3, 3, 0, 3, 1, false, 9, CONF_LEVEL_REACHED},
        {false, 2, 1, 3, 0, 0, 0, false, 0, CONF_LEVEL_NOT_OFFERED},
        {false, 6, 2, 3, 0, 0, 0, false, 0, CONF_LEVEL_NOT_OFFERED},
        {false, 2, 1, 3, 1, 0, 0, false, 0, CONF_LEVEL_FAILED}, /* what fails is no matter of offers */
        {false, 6, 1, 3, 1, 0, 0, true, 0, CONF_LEVEL_FAILED},
        {false, 6, 1, 3, 0, 0, 0, true, 0, CONF_LEVEL_INCOMPLETE},
        {false, 6, 1, 0, 0, 0, 2, false, 0, CONF_LEVEL_INCOMPLETE},
        {false, 6, 1, 3, 0, 4, 0, false, 0, CONF_LEVEL_INCOMPLETE},
        {true, 0, 0, 3, 0, 0, 0, false, 0, CONF_LEVEL_REACHED},
        {true, 0, 0, 3, 0, 0, 0, false, 1, CONF_LEVEL_NOT_OFFERED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t verdicts[CONF_VERDICT_COUNT] = {[CONF_PASS] = cases[i].pass,
                                                     [CONF_FAIL] = cases[i].fail,
                                                     [CONF_SKIP] = cases[i].skip,
                                                     [CONF_WAIVED] = cases[i].waived};
        enum conf_level_status status = conf_level_judge(cases[i].of_all ? &all : &needy, cases[i].caps,
                                                         cases[i].classes, verdicts, cases[i].partial, cases[i].below);

        if (status != cases[i].status)
            fail_msg("case %zu: %s", i, conf_level_status_name(status));
    }
}

static void each_family_of_backends_is_in_one_level_and_in_the_last(void **state)
{
    size_t count;
    const struct conf_family *const *families = conf_families(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];
            size_t levels = 0;

            for (size_t k = 0; k < conf_level_count; k++)
                levels += conf_level_has(&conf_levels[k], scenario->family);
            if (levels != 2 && !(scenario->flags & CONF_NO_BACKEND))
                fail_msg("family '%s' is in %zu levels", scenario->family, levels);
        }
    }
}

/* --- lies --- */

struct lie {
    const char *words; /* what is said of it */
    void (*tell)(json_t *certificate);
};

static json_t *member(json_t *certificate, const char *list, size_t index)
{
    return json_array_get(json_object_get(certificate, list), index);
}

static void set_text(json_t *object, const char *key, const char *text)
{
    assert_int_equal(json_object_set_new(object, key, json_string(text)), 0);
}

static void a_total(json_t *certificate)
{
    assert_int_equal(json_object_set_new(json_object_get(certificate, "totals"), "pass", json_integer(1000)), 0);
}

static void a_total_that_is_no_number(json_t *certificate)
{
    set_text(json_object_get(certificate, "totals"), "pass", "many");
}

static void a_clause(json_t *certificate)
{
    set_text(member(certificate, "clauses", 0), "verdict", "broken");
}

static void a_level(json_t *certificate)
{
    set_text(member(certificate, "levels", 4), "status", "reached");
}

static void fewer_levels(json_t *certificate)
{
    assert_int_equal(json_array_remove(json_object_get(certificate, "levels"), 5), 0);
}

static void the_status(json_t *certificate)
{
    set_text(certificate, "status", "failed");
}

static void a_capability(json_t *certificate)
{
    json_t *caps = json_object_get(certificate, "capabilities");

    assert_int_equal(json_array_append_new(caps, json_string(vmr_cap_name(VMR_CAP_VTL))), 0);
}

/* One skip less of a clause, and what that makes of it. */
static void take_skip(json_t *clause)
{
    size_t verdicts[CONF_VERDICT_COUNT];

    for (unsigned i = 0; i < CONF_VERDICT_COUNT; i++)
        verdicts[i] = (size_t)json_integer_value(json_object_get(clause, conf_verdict_name((enum conf_verdict)i)));
    verdicts[CONF_SKIP]--;
    assert_int_equal(json_object_set_new(clause, "skip", json_integer((json_int_t)verdicts[CONF_SKIP])), 0);
    set_text(clause, "verdict", certificate_clause_verdict(verdicts));
}

/* Taken out, and everything counted as if it had never been. */
static void a_scenario_less(json_t *certificate)
{
    size_t i;
    json_t *clause;
    json_t *results = json_object_get(certificate, "results");
    json_t *totals = json_object_get(certificate, "totals");
    json_t *cited = json_object_get(json_array_get(results, 0), "clauses");

    /* The first is a skip: of nothing else the counts change. */
    assert_string_equal(json_string_value(json_object_get(json_array_get(results, 0), "verdict")), "skip");
    json_array_foreach(json_object_get(certificate, "clauses"), i, clause)
    {
        for (size_t k = 0; k < json_array_size(cited); k++) {
            if (json_equal(json_array_get(cited, k), json_object_get(clause, "id")))
                take_skip(clause);
        }
    }
    assert_int_equal(
        json_object_set_new(totals, "skip", json_integer(json_integer_value(json_object_get(totals, "skip")) - 1)), 0);
    for (size_t k = 0; k < 6; k += 5) { /* core and full */
        json_t *level = member(certificate, "levels", k);

        assert_int_equal(
            json_object_set_new(level, "skip", json_integer(json_integer_value(json_object_get(level, "skip")) - 1)),
            0);
    }
    assert_int_equal(json_array_remove(results, 0), 0);
}

static void another_suite(json_t *certificate)
{
    set_text(json_object_get(certificate, "suite"), "hash", "0123456789abcdef");
}

static const struct lie lies[] = {
    {"its totals are not those of its results", a_total},
    {"its totals are not those of its results", a_total_that_is_no_number},
    {"is not what its scenarios say", a_clause},
    {"level 'vtl' is not what its scenarios say", a_level},
    {"it has not the levels of this suite", fewer_levels},
    {"its status is not what its results say", the_status},
    {"level 'vtl' is not what its scenarios say", a_capability},
    {"is missing", a_scenario_less},
};

/* The whole suite on one profile, once: a certificate of a part is held against less. */
static json_t *certificate;
static char folder[] = "/tmp/vmrig-test-XXXXXX";

static int make_certificate(void **state)
{
    static const char *const specs[] = {SPEC};
    struct conf_run_options options = {.specs = specs, .spec_count = 1, .report_folder = folder};
    char path[128];

    (void)state;
    options.out = options.err = tmpfile();
    if (!options.out || !mkdtemp(folder) || conf_main(&options) != CONF_EXIT_PASSED)
        return -1;
    snprintf(path, sizeof(path), "%s/mock-profile-hvf-like.json", folder);
    certificate = certificate_read(path, stderr);
    fclose(options.out);
    return certificate ? 0 : -1;
}

static int remove_certificates(void **state)
{
    static const char *const names[] = {"mock-profile-hvf-like.json", "library.json", "summary.txt", "index.html",
                                        "changed.json"};
    char path[128];

    (void)state;
    json_decref(certificate);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    return rmdir(folder);
}

/* Seals it, verifies it, and gives the exit status and what was said. */
static int verify(json_t *changed, char *ret_said, size_t size)
{
    char hash[CERTIFICATE_HASH_CHARS], path[128];
    FILE *said = tmpfile();

    assert_non_null(said);
    snprintf(path, sizeof(path), "%s/changed.json", folder);
    assert_true(certificate_hash(changed, hash));
    set_text(changed, "hash", hash);
    assert_int_equal(json_dump_file(changed, path, JSON_INDENT(2)), 0);
    int status = certificate_verify(path, said, said);

    rewind(said);
    ret_said[fread(ret_said, 1, size - 1, said)] = '\0';
    fclose(said);
    return status;
}

static void a_certificate_that_nobody_changed_is_valid(void **state)
{
    json_t *copy = json_deep_copy(certificate);
    char said[512];

    (void)state;
    assert_int_equal(verify(copy, said, sizeof(said)), CONF_EXIT_PASSED);
    assert_non_null(strstr(said, SPEC " is certified, by this suite"));
    json_decref(copy);
}

static void each_lie_is_found_though_its_hash_is_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        json_t *copy = json_deep_copy(certificate);
        char said[4096];

        lies[i].tell(copy);
        if (verify(copy, said, sizeof(said)) == CONF_EXIT_PASSED || !strstr(said, lies[i].words))
            fail_msg("lie %zu, '%s': %s", i, lies[i].words, said);
        json_decref(copy);
    }
}

static void another_suites_certificate_is_held_against_itself(void **state)
{
    json_t *copy = json_deep_copy(certificate);
    char said[512];

    (void)state;
    another_suite(copy);
    a_level(copy); /* whatever that suite meant by it */
    assert_int_equal(verify(copy, said, sizeof(said)), CONF_EXIT_PASSED);
    assert_non_null(strstr(said, "by another suite than this one"));
    a_total(copy);
    assert_int_equal(verify(copy, said, sizeof(said)), CONF_EXIT_FAILED);
    json_decref(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_decide_what_becomes_of_a_level),
        cmocka_unit_test(each_family_of_backends_is_in_one_level_and_in_the_last),
        cmocka_unit_test(a_certificate_that_nobody_changed_is_valid),
        cmocka_unit_test(each_lie_is_found_though_its_hash_is_right),
        cmocka_unit_test(another_suites_certificate_is_held_against_itself),
    };

    return cmocka_run_group_tests(tests, make_certificate, remove_certificates);
}
