/* SPDX-License-Identifier: MIT */
/* Two certificates side by side, of two backends or of two days; and what failed, to be run again. */

#include <stdlib.h>
#include <string.h>

#include "conformance/report.h"
#include "conformance/verify.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* --- two of them --- */

/* The member of `list` whose texts at `keys` are those of `wanted`; NULL: there is none. */
static const json_t *find(const json_t *list, const json_t *wanted, const char *const keys[2])
{
    size_t i;
    json_t *object;

    json_array_foreach(list, i, object)
    {
        if (strcmp(text_of(object, keys[0]), text_of(wanted, keys[0])) == 0 &&
            strcmp(text_of(object, keys[1]), text_of(wanted, keys[1])) == 0)
            return object;
    }
    return NULL;
}

struct comparison {
    const char *list, *keys[2], *value; /* of the objects in which list, what names one, and what is compared */
    const char *what;
};

static void print_name(const struct comparison *comparison, const json_t *object, FILE *out)
{
    bool two = strcmp(comparison->keys[0], comparison->keys[1]) != 0;

    fprintf(out, "%s %s%s%s: ", comparison->what, text_of(object, comparison->keys[0]), two ? "/" : "",
            two ? text_of(object, comparison->keys[1]) : "");
}

static size_t compare_lists(const json_t *left, const json_t *right, const struct comparison *comparison, FILE *out)
{
    const json_t *mine = json_object_get(left, comparison->list), *theirs = json_object_get(right, comparison->list);
    size_t i, count = 0;
    json_t *object;

    json_array_foreach(mine, i, object)
    {
        const json_t *other = find(theirs, object, comparison->keys);
        const char *here = text_of(object, comparison->value),
                   *there = other ? text_of(other, comparison->value) : NULL;

        if (there && strcmp(here, there) == 0)
            continue;
        print_name(comparison, object, out);
        fprintf(out, "%s -> %s", here, there ? there : "not there");
        if (other && text_of(other, "reason")[0])
            fprintf(out, " (%s)", text_of(other, "reason"));
        fprintf(out, "\n");
        count++;
    }
    json_array_foreach(theirs, i, object)
    {
        if (find(mine, object, comparison->keys))
            continue;
        print_name(comparison, object, out);
        fprintf(out, "not there -> %s\n", text_of(object, comparison->value));
        count++;
    }
    return count;
}

static size_t compare_capabilities(const json_t *left, const json_t *right, const char *sign, FILE *out)
{
    const json_t *theirs = json_object_get(right, "capabilities");
    size_t i, j, count = 0;
    json_t *cap, *other;

    json_array_foreach(json_object_get(left, "capabilities"), i, cap)
    {
        bool found = false;

        json_array_foreach(theirs, j, other) found |= json_is_string(other) && json_is_string(cap) &&
                                                      strcmp(json_string_value(other), json_string_value(cap)) == 0;
        if (found || !json_is_string(cap))
            continue;
        fprintf(out, "capability %s%s\n", sign, json_string_value(cap));
        count++;
    }
    return count;
}

int certificate_diff(const char *left_path, const char *right_path, FILE *out, FILE *err)
{
    static const struct comparison comparisons[] = {
        {"levels", {"name", "name"}, "status", "level"},
        {"clauses", {"id", "id"}, "verdict", "clause"},
        {"results", {"family", "scenario"}, "verdict", "scenario"},
        {"results", {"family", "scenario"}, "transcript", "transcript"},
    };
    json_t *left = certificate_read(left_path, err), *right = left ? certificate_read(right_path, err) : NULL;
    size_t count = 0;

    if (left && right) {
        if (strcmp(text_of(json_object_get(left, "suite"), "hash"), text_of(json_object_get(right, "suite"), "hash")) !=
            0)
            fprintf(out, "suites differ: what is only in one may be new\n");
        count += compare_capabilities(left, right, "-", out) + compare_capabilities(right, left, "+", out);
        for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
            count += compare_lists(left, right, &comparisons[i], out);
        fprintf(out, "%s, %s -> %s, %s: %zu differences\n", text_of(left, "backend"), text_of(left, "taken"),
                text_of(right, "backend"), text_of(right, "taken"), count);
    }
    bool read = left && right;

    json_decref(left);
    json_decref(right);
    return read && count == 0 ? CONF_EXIT_PASSED : CONF_EXIT_FAILED;
}

/* --- what failed --- */

static bool add_failure(struct certificate_failures *failures, const char *backend, const json_t *result)
{
    struct conf_place *places = realloc(failures->places, (failures->count + 1) * sizeof(*places));

    if (!places)
        return false;
    failures->places = places;
    places[failures->count++] = (struct conf_place){
        .backend = backend, .family = text_of(result, "family"), .scenario = text_of(result, "scenario")};
    for (size_t i = 0; i < failures->spec_count; i++) {
        if (strcmp(failures->specs[i], backend) == 0)
            return true;
    }
    if (strcmp(backend, "library") != 0)
        failures->specs[failures->spec_count++] = backend;
    return true;
}

static bool add_certificate(struct certificate_failures *failures, json_t *certificate)
{
    size_t i;
    json_t *result;

    json_array_foreach(json_object_get(certificate, "results"), i, result)
    {
        if (strcmp(text_of(result, "verdict"), conf_verdict_name(CONF_FAIL)) == 0 &&
            !add_failure(failures, text_of(certificate, "backend"), result))
            return false;
    }
    return true;
}

bool certificate_failures_read(struct certificate_failures *failures, const char *const *paths, size_t count, FILE *err)
{
    *failures =
        (struct certificate_failures){.documents = json_array(), .specs = calloc(count + 1, sizeof(*failures->specs))};
    bool fine = failures->documents && failures->specs;

    for (size_t i = 0; fine && i < count; i++) {
        json_t *certificate = certificate_read(paths[i], err);

        if (!certificate)
            return false;
        fine = json_array_append_new(failures->documents, certificate) == 0 && add_certificate(failures, certificate);
    }
    if (!fine)
        fprintf(err, "vmrig certify: out of memory\n");
    return fine;
}

void certificate_failures_free(struct certificate_failures *failures)
{
    free(failures->places);
    free((void *)failures->specs);
    json_decref(failures->documents);
    *failures = (struct certificate_failures){0};
}
