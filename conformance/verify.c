/* SPDX-License-Identifier: MIT */
/*
 * Certificates, read again. They come from anywhere: every member is looked at
 * before it is used, and what is counted is counted here.
 */

#include "conformance/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance/levels.h"
#include "conformance/scenarios.h"

static bool refuse(FILE *err, const char *path, const char *what)
{
    fprintf(err, "vmrig certify: certificate '%s': %s\n", path, what);
    return false;
}

/* A member that is a text; "" if it is none. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool has_texts(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++) {
        if (!json_is_string(json_object_get(object, *keys)))
            return false;
    }
    return true;
}

static bool all_have_texts(const json_t *list, const char *const *keys)
{
    size_t i;
    json_t *object;

    json_array_foreach(list, i, object)
    {
        if (!has_texts(object, keys))
            return false;
    }
    return json_is_array(list);
}

static enum conf_verdict verdict_of(const json_t *result)
{
    unsigned verdict = 0;

    while (verdict < CONF_VERDICT_COUNT &&
           strcmp(text_of(result, "verdict"), conf_verdict_name((enum conf_verdict)verdict)) != 0)
        verdict++;
    return (enum conf_verdict)verdict;
}

static const char *form_error(const json_t *certificate)
{
    static const char *const head[] = {"kind", "vmrig", "backend", "status", "reason", "taken", "hash", NULL};
    static const char *const result_keys[] = {"family", "scenario", "verdict", "reason", NULL};
    static const char *const clause_keys[] = {"id", "verdict", NULL}, *const level_keys[] = {"name", "status", NULL};
    const json_t *results = json_object_get(certificate, "results");
    size_t i;
    json_t *result;

    if (strcmp(text_of(certificate, "kind"), CERTIFICATE_KIND) != 0)
        return "it is none: \"kind\" is not \"" CERTIFICATE_KIND "\"";
    if (json_integer_value(json_object_get(certificate, "format")) != CERTIFICATE_FORMAT)
        return "its format is not 2, the one that this version reads";
    if (!has_texts(certificate, head))
        return "kind, vmrig, backend, status, reason, taken and hash are not all there";
    if (!results)
        return strcmp(text_of(certificate, "status"), "not certified") == 0 ? NULL : "it has no results";
    if (!all_have_texts(results, result_keys))
        return "\"results\" is no list of scenarios with family, name, verdict and reason";
    json_array_foreach(results, i, result)
    {
        if (verdict_of(result) == CONF_VERDICT_COUNT || !json_is_array(json_object_get(result, "clauses")))
            return "a result has an unknown verdict, or no list of clauses";
    }
    if (!all_have_texts(json_object_get(certificate, "clauses"), clause_keys))
        return "\"clauses\" is no list of clauses with id and verdict";
    if (!all_have_texts(json_object_get(certificate, "levels"), level_keys))
        return "\"levels\" is no list of levels with name and status";
    return NULL;
}

json_t *certificate_read(const char *path, FILE *err)
{
    struct stat status;
    json_error_t error;

    if (stat(path, &status) != 0) {
        (void)refuse(err, path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > (off_t)CERTIFICATE_BYTES_MAX) {
        (void)refuse(err, path, "it is no file of at most 64 MiB");
        return NULL;
    }
    json_t *certificate = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!certificate) {
        fprintf(err, "vmrig certify: certificate '%s': line %d, column %d: %s\n", path, error.line, error.column,
                error.text);
        return NULL;
    }
    const char *wrong = json_is_object(certificate) ? form_error(certificate) : "it is no JSON object";

    if (!wrong)
        return certificate;
    (void)refuse(err, path, wrong);
    json_decref(certificate);
    return NULL;
}

/* --- checking --- */

static bool cites(const json_t *result, const char *clause)
{
    size_t i;
    json_t *cited;

    json_array_foreach(json_object_get(result, "clauses"), i, cited)
    {
        if (json_is_string(cited) && strcmp(json_string_value(cited), clause) == 0)
            return true;
    }
    return false;
}

/* Of those that cite `clause` and belong to `level`; NULL: of all. */
static void count(const json_t *certificate, const char *clause, const struct conf_level *level,
                  size_t ret_verdicts[CONF_VERDICT_COUNT])
{
    size_t i;
    json_t *result;

    memset(ret_verdicts, 0, CONF_VERDICT_COUNT * sizeof(*ret_verdicts));
    json_array_foreach(json_object_get(certificate, "results"), i, result)
    {
        if ((!clause || cites(result, clause)) && (!level || conf_level_has(level, text_of(result, "family"))))
            ret_verdicts[verdict_of(result)]++;
    }
}

static bool counts_agree(const json_t *object, const size_t verdicts[CONF_VERDICT_COUNT])
{
    for (unsigned i = 0; i < CONF_VERDICT_COUNT; i++) {
        const json_t *member = json_object_get(object, conf_verdict_name((enum conf_verdict)i));

        if (!json_is_integer(member) || json_integer_value(member) != (json_int_t)verdicts[i])
            return false;
    }
    return true;
}

static bool check_hash(json_t *certificate, const char *path, FILE *err)
{
    char hash[CERTIFICATE_HASH_CHARS];

    if (!certificate_hash(certificate, hash))
        return refuse(err, path, "out of memory");
    return strcmp(hash, text_of(certificate, "hash")) == 0 ||
           refuse(err, path, "its hash is not that of what it says: it was changed");
}

static bool check_counts(const json_t *certificate, const char *path, FILE *err)
{
    size_t verdicts[CONF_VERDICT_COUNT], i;
    json_t *clause;
    bool fine = true;

    count(certificate, NULL, NULL, verdicts);
    if (!counts_agree(json_object_get(certificate, "totals"), verdicts))
        fine = refuse(err, path, "its totals are not those of its results");
    json_array_foreach(json_object_get(certificate, "clauses"), i, clause)
    {
        count(certificate, text_of(clause, "id"), NULL, verdicts);
        if (!counts_agree(clause, verdicts) ||
            strcmp(text_of(clause, "verdict"), certificate_clause_verdict(verdicts)) != 0) {
            fprintf(err, "vmrig certify: certificate '%s': clause %s is not what its scenarios say\n", path,
                    text_of(clause, "id"));
            fine = false;
        }
    }
    return fine;
}

static bool has_word(const json_t *list, const char *word)
{
    size_t i;
    json_t *member;

    json_array_foreach(list, i, member)
    {
        if (json_is_string(member) && strcmp(json_string_value(member), word) == 0)
            return true;
    }
    return false;
}

static uint64_t caps_of(const json_t *certificate)
{
    const json_t *list = json_object_get(certificate, "capabilities");
    uint64_t caps = 0;

    for (unsigned cap = 0; cap < VMR_CAP_COUNT; cap++) {
        if (has_word(list, vmr_cap_name((enum vmr_cap)cap)))
            caps |= UINT64_C(1) << cap;
    }
    return caps;
}

/* Levels are this suite's to judge. */
static bool check_levels(const json_t *certificate, const char *path, FILE *err)
{
    bool partial = text_of(certificate, "reason")[0] != '\0', fine = true;
    const json_t *levels = json_object_get(certificate, "levels");
    size_t verdicts[CONF_VERDICT_COUNT], below = 0;

    if (strcmp(text_of(certificate, "backend"), "library") == 0)
        return true;
    if (json_array_size(levels) != conf_level_count)
        return refuse(err, path, "it has not the levels of this suite");
    for (size_t i = 0; i < conf_level_count; i++) {
        const json_t *level = json_array_get(levels, i);
        /* What states the backend gives is said by what the level misses. */
        uint64_t classes = json_array_size(json_object_get(level, "missing")) > 0 ? 0 : UINT64_MAX;

        count(certificate, NULL, &conf_levels[i], verdicts);
        enum conf_level_status status =
            conf_level_judge(&conf_levels[i], caps_of(certificate), classes, verdicts, partial, below);

        below += status != CONF_LEVEL_REACHED;
        if (strcmp(text_of(level, "name"), conf_levels[i].name) == 0 &&
            strcmp(text_of(level, "status"), conf_level_status_name(status)) == 0 && counts_agree(level, verdicts))
            continue;
        fprintf(err, "vmrig certify: certificate '%s': level '%s' is not what its scenarios say\n", path,
                conf_levels[i].name);
        fine = false;
    }
    return fine;
}

static bool check_status(const json_t *certificate, const char *path, FILE *err)
{
    size_t verdicts[CONF_VERDICT_COUNT];

    count(certificate, NULL, NULL, verdicts);
    bool partial = text_of(certificate, "reason")[0] != '\0';
    const char *status = verdicts[CONF_FAIL] > 0 ? "failed" : partial ? "partial" : "certified";

    if (strcmp(text_of(certificate, "status"), status) != 0)
        return refuse(err, path, "its status is not what its results say");
    return verdicts[CONF_PASS] > 0 || partial || refuse(err, path, "nothing passed, and it calls itself certified");
}

static bool is_there(const json_t *certificate, const struct conf_scenario *scenario)
{
    size_t i;
    json_t *result;

    json_array_foreach(json_object_get(certificate, "results"), i, result)
    {
        if (strcmp(text_of(result, "family"), scenario->family) == 0 &&
            strcmp(text_of(result, "scenario"), scenario->name) == 0)
            return true;
    }
    return false;
}

/* Whoever certifies runs all scenarios that are for any hypervisor: leaving out what fails is no way to pass. */
static bool check_complete(const json_t *certificate, const char *path, FILE *err)
{
    size_t family_count;
    const struct conf_family *const *families = conf_families(&family_count);

    if (text_of(certificate, "reason")[0] != '\0' || strcmp(text_of(certificate, "backend"), "library") == 0)
        return true;
    for (size_t i = 0; i < family_count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];

            if ((scenario->flags & (CONF_NO_BACKEND | CONF_MOCK_ONLY)) || is_there(certificate, scenario))
                continue;
            fprintf(err, "vmrig certify: certificate '%s': scenario %s/%s is missing\n", path, scenario->family,
                    scenario->name);
            return false;
        }
    }
    return true;
}

int certificate_verify(const char *path, FILE *out, FILE *err)
{
    json_t *certificate = certificate_read(path, err);
    char hash[CERTIFICATE_HASH_CHARS];

    if (!certificate)
        return CONF_EXIT_FAILED;
    certificate_suite_hash(hash);
    bool same_suite = strcmp(text_of(json_object_get(certificate, "suite"), "hash"), hash) == 0;
    bool absent =
        strcmp(text_of(certificate, "status"), "not certified") == 0 && !json_object_get(certificate, "results");
    bool fine = check_hash(certificate, path, err);

    if (fine && !absent) {
        fine = check_counts(certificate, path, err) && check_status(certificate, path, err);
        if (fine && same_suite)
            fine = check_levels(certificate, path, err) && check_complete(certificate, path, err);
    }
    if (fine)
        fprintf(out, "%s: %s is %s%s%s, by %s%s of %s\n", path, text_of(certificate, "backend"),
                text_of(certificate, "status"), text_of(certificate, "reason")[0] ? ": " : "",
                text_of(certificate, "reason"),
                same_suite ? "this suite" : "another suite than this one, that of vmrig ",
                same_suite ? "" : text_of(certificate, "vmrig"),
                text_of(certificate, "taken")[0] ? text_of(certificate, "taken") : "an unknown day");
    json_decref(certificate);
    return fine ? CONF_EXIT_PASSED : CONF_EXIT_FAILED;
}
