/* SPDX-License-Identifier: MIT */
/*
 * The certificate: what a backend is, what it claims, and what became of every
 * scenario, clause and level. docs/certificate.md describes it, and
 * docs/certificate.schema.json is its schema.
 */

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "conformance/levels.h"
#include "conformance/scenarios.h"
#include "conformance/waivers.h"

/* --- hashes --- */

static void print_hash(uint64_t hash, char ret_hash[CERTIFICATE_HASH_CHARS])
{
    snprintf(ret_hash, CERTIFICATE_HASH_CHARS, "%016llx", (unsigned long long)hash);
}

/* With its end, so that two texts are not one. */
static uint64_t hash_text(uint64_t seed, const char *text)
{
    return XXH3_64bits_withSeed(text ? text : "", text ? strlen(text) + 1 : 0, seed);
}

void certificate_suite_hash(char ret_hash[CERTIFICATE_HASH_CHARS])
{
    size_t family_count;
    const struct conf_family *const *families = conf_families(&family_count);
    uint64_t hash = 0;

    for (size_t i = 0; i < family_count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];
            const uint64_t words[] = {scenario->needs, scenario->without, scenario->flags, scenario->quirks,
                                      (uint64_t)scenario->chip};

            hash = hash_text(hash, scenario->family);
            hash = hash_text(hash, scenario->name);
            hash = hash_text(hash, scenario->clauses);
            hash = hash_text(hash, scenario->ids);
            hash = XXH3_64bits_withSeed(words, sizeof(words), hash);
        }
    }
    for (size_t i = 0; i < conf_clause_count; i++)
        hash = hash_text(hash_text(hash, conf_clauses[i].id), conf_clauses[i].text);
    print_hash(hash, ret_hash);
}

bool certificate_hash(json_t *certificate, char ret_hash[CERTIFICATE_HASH_CHARS])
{
    json_t *rest = json_copy(certificate);

    if (!rest)
        return false;
    (void)json_object_del(rest, "hash");
    char *text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(rest);
    if (!text)
        return false;
    print_hash(XXH3_64bits(text, strlen(text)), ret_hash);
    free(text);
    return true;
}

/* --- results --- */

/* Words as a list. */
static json_t *list_json(const char *words)
{
    json_t *list = json_array();

    while (words && *words) {
        size_t length = strcspn(words, " ");

        if (length > 0)
            (void)json_array_append_new(list, json_stringn(words, length));
        words += length;
        words += strspn(words, " ");
    }
    return list;
}

static json_t *waiver_json(const struct conf_waiver *waiver)
{
    json_t *object = json_pack("{s:s, s:s}", "reason", waiver->reason, "date", waiver->date);

    if (object && waiver->until)
        (void)json_object_set_new(object, "until", json_string(waiver->until));
    return object;
}

static json_t *result_json(const struct conf_result *result)
{
    char hash[CERTIFICATE_HASH_CHARS];
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "family", result->scenario->family, "scenario",
                               result->scenario->name, "verdict", conf_verdict_name(result->verdict), "reason",
                               result->reason, "clauses", list_json(result->scenario->clauses), "ids",
                               list_json(result->scenario->ids), "elapsed_ns", (json_int_t)result->elapsed_ns);

    if (!object)
        return NULL;
    if (result->missing)
        (void)json_object_set_new(object, "missing", json_string(result->missing));
    if (result->schedules > 0) {
        (void)json_object_set_new(object, "schedules", json_integer((json_int_t)result->schedules));
        (void)json_object_set_new(object, "capped", json_boolean(result->capped));
    }
    if (result->schedule)
        (void)json_object_set_new(object, "schedule", json_string(result->schedule));
    if (result->attempts > 1)
        (void)json_object_set_new(object, "attempts", json_integer((json_int_t)result->attempts));
    if (result->notes > 0) {
        print_hash(result->transcript, hash);
        (void)json_object_set_new(object, "transcript", json_string(hash));
    }
    if (result->order != 0) {
        print_hash(result->order, hash);
        (void)json_object_set_new(object, "order", json_string(hash));
    }
    if (result->waiver)
        (void)json_object_set_new(object, "waiver", waiver_json(result->waiver));
    return object;
}

json_t *certificate_results_json(const struct conf_report_data *data, const char *backend)
{
    json_t *results = json_array();

    for (size_t i = 0; results && i < data->result_count; i++) {
        if (backend && strcmp(backend, data->results[i].backend) != 0)
            continue;
        json_t *object = result_json(&data->results[i]);

        if (!backend && object)
            (void)json_object_set_new(object, "backend", json_string(data->results[i].backend));
        (void)json_array_append_new(results, object);
    }
    return results;
}

static void set_verdicts(json_t *object, const size_t verdicts[CONF_VERDICT_COUNT])
{
    for (unsigned verdict = 0; verdict < CONF_VERDICT_COUNT; verdict++)
        (void)json_object_set_new(object, conf_verdict_name((enum conf_verdict)verdict),
                                  json_integer((json_int_t)verdicts[verdict]));
}

json_t *certificate_totals_json(const struct conf_report_data *data, const char *backend)
{
    struct conf_totals totals;
    json_t *object = json_object();

    report_totals(data, backend, NULL, &totals);
    set_verdicts(object, totals.verdicts);
    (void)json_object_set_new(object, "schedules", json_integer((json_int_t)totals.schedules));
    (void)json_object_set_new(object, "capped", json_integer((json_int_t)totals.capped));
    (void)json_object_set_new(object, "elapsed_ns", json_integer((json_int_t)totals.elapsed_ns));
    return object;
}

/* --- clauses and levels --- */

const char *certificate_clause_verdict(const size_t verdicts[CONF_VERDICT_COUNT])
{
    if (verdicts[CONF_FAIL] > 0)
        return "broken";
    if (verdicts[CONF_WAIVED] > 0)
        return "waived";
    if (verdicts[CONF_PASS] > 0)
        return "held";
    return verdicts[CONF_SKIP] > 0 ? "skipped" : "none";
}

static json_t *clauses_json(const struct conf_report_data *data, const char *backend)
{
    json_t *clauses = json_array();

    for (size_t i = 0; clauses && i < conf_clause_count; i++) {
        size_t verdicts[CONF_VERDICT_COUNT] = {0};

        for (size_t j = 0; j < data->result_count; j++) {
            const struct conf_result *result = &data->results[j];

            if (strcmp(result->backend, backend) == 0 && conf_words_hold(result->scenario->clauses, conf_clauses[i].id))
                verdicts[result->verdict]++;
        }
        json_t *clause = json_pack("{s:s, s:s, s:s}", "id", conf_clauses[i].id, "text", conf_clauses[i].text, "verdict",
                                   certificate_clause_verdict(verdicts));

        set_verdicts(clause, verdicts);
        (void)json_array_append_new(clauses, clause);
    }
    return clauses;
}

static json_t *missing_json(const struct conf_level *level, const struct conf_backend *backend)
{
    uint64_t missing = level->needs & ~backend->caps.bits, classes = level->vp_classes & ~backend->caps.vp_classes;
    json_t *list = json_array();

    for (; missing != 0; missing &= missing - 1)
        (void)json_array_append_new(list, json_string(vmr_cap_name((enum vmr_cap)__builtin_ctzll(missing))));
    for (; classes != 0; classes &= classes - 1)
        (void)json_array_append_new(
            list, json_sprintf("state %s", vmr_vp_class_type((enum vmr_vp_class)__builtin_ctzll(classes))->name));
    return list;
}

static json_t *levels_json(const struct conf_report_data *data, const struct conf_backend *backend)
{
    json_t *levels = json_array();
    size_t below = 0;

    for (size_t i = 0; levels && !backend->is_library && i < conf_level_count; i++) {
        const struct conf_level *level = &conf_levels[i];
        struct conf_totals totals;

        conf_level_totals(data, backend, level, &totals);
        enum conf_level_status status = conf_level_judge(level, backend->caps.bits, backend->caps.vp_classes,
                                                         totals.verdicts, data->partial != NULL, below);
        json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "name", level->name, "meaning", level->meaning, "status",
                                   conf_level_status_name(status), "missing", missing_json(level, backend));

        below += status != CONF_LEVEL_REACHED;
        set_verdicts(object, totals.verdicts);
        (void)json_array_append_new(levels, object);
    }
    return levels;
}

/* --- the whole --- */

static json_t *suite_json(void)
{
    char hash[CERTIFICATE_HASH_CHARS];
    size_t family_count, scenarios = 0;
    const struct conf_family *const *families = conf_families(&family_count);

    for (size_t i = 0; i < family_count; i++)
        scenarios += families[i]->count;
    certificate_suite_hash(hash);
    return json_pack("{s:s, s:I, s:I}", "hash", hash, "scenarios", (json_int_t)scenarios, "clauses",
                     (json_int_t)conf_clause_count);
}

static json_t *head_json(const struct conf_report_data *data, const char *spec, const char *description,
                         const char *status, const char *reason)
{
    const struct conf_facts *facts = data->facts;

    return json_pack("{s:s, s:i, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "kind", CERTIFICATE_KIND,
                     "format", CERTIFICATE_FORMAT, "vmrig", vmr_version(), "suite", suite_json(), "backend", spec,
                     "description", description, "status", status, "reason", reason, "taken", facts->taken, "host",
                     "system", facts->system, "release", facts->release, "machine", facts->machine, "cpu", facts->cpu);
}

/* With its hash. Takes `certificate`. */
static json_t *seal(json_t *certificate)
{
    char hash[CERTIFICATE_HASH_CHARS];

    if (certificate && certificate_hash(certificate, hash) &&
        json_object_set_new(certificate, "hash", json_string(hash)) == 0)
        return certificate;
    json_decref(certificate);
    return NULL;
}

static json_t *caps_json(const struct conf_backend *backend)
{
    json_t *caps = json_array();

    for (unsigned cap = 0; cap < VMR_CAP_COUNT; cap++) {
        if (vmr_caps_have(&backend->caps, (enum vmr_cap)cap))
            (void)json_array_append_new(caps, json_string(vmr_cap_name((enum vmr_cap)cap)));
    }
    return caps;
}

static json_t *quirks_json(const struct conf_backend *backend)
{
    json_t *quirks = json_array();

    for (uint32_t quirk = 1; quirk != 0; quirk <<= 1) {
        if (backend->quirks & quirk)
            (void)json_array_append_new(quirks, json_string(conf_quirk_name(quirk)));
    }
    return quirks;
}

static json_t *stale_json(const struct conf_waivers *waivers)
{
    json_t *stale = json_array();

    for (size_t i = 0; waivers && i < waivers->count; i++) {
        const struct conf_waiver *waiver = &waivers->rows[i];
        const char *why = conf_waiver_staleness(waiver);

        if (why)
            (void)json_array_append_new(stale, json_pack("{s:s, s:s, s:s, s:s}", "scenario", waiver->scenario, "reason",
                                                         waiver->reason, "date", waiver->date, "why", why));
    }
    return stale;
}

json_t *certificate_json(const struct conf_report_data *data, const struct conf_backend *backend)
{
    struct conf_totals totals;

    report_totals(data, backend->spec, NULL, &totals);
    bool failed = totals.verdicts[CONF_FAIL] > 0;
    json_t *certificate = head_json(data, backend->spec, backend->description,
                                    failed          ? "failed"
                                    : data->partial ? "partial"
                                                    : "certified",
                                    data->partial ? data->partial : "");

    if (!certificate)
        return NULL;
    (void)json_object_set_new(certificate, "levels", levels_json(data, backend));
    (void)json_object_set_new(certificate, "capabilities", caps_json(backend));
    (void)json_object_set_new(certificate, "enlightenments", json_string(conf_enlightenments(backend)));
    (void)json_object_set_new(certificate, "quirks", quirks_json(backend));
    (void)json_object_set_new(certificate, "totals", certificate_totals_json(data, backend->spec));
    (void)json_object_set_new(certificate, "clauses", clauses_json(data, backend->spec));
    (void)json_object_set_new(certificate, "results", certificate_results_json(data, backend->spec));
    (void)json_object_set_new(certificate, "stale_waivers", stale_json(data->waivers));
    return seal(certificate);
}

json_t *certificate_absent_json(const struct conf_report_data *data, const struct conf_absent *absent)
{
    return seal(head_json(data, absent->spec, "", "not certified", absent->reason));
}
