/* SPDX-License-Identifier: MIT */
/*
 * vmrig probe: every hypervisor this build knows, whether it can be used here,
 * what it can do and which parameters it takes. It answers, and so succeeds, also
 * where there is none.
 */

#include "tools/command.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "tools/hypervisor.h"
#include "tools/json.h"
#include "tools/plugin.h"
#include "vmrig/partition.h"

#define FACT_MAX 64u

enum option {
    OPTION_JSON,
    OPTION_BACKEND
};

static const struct args_option options[] = {
    [OPTION_JSON] = {.name = "json", .help = "print JSON: {\"hypervisors\": [...], \"chosen\": NAME}"},
    [OPTION_BACKEND] = {.name = "backend", .value = "FILE", .repeatable = true, .help = "load one: a shared object"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .details = "\"chosen\" is what is used where no --hypervisor is given; \"facts\" are what a\n"
               "hypervisor says of itself. A SPEC is NAME or NAME:KEY=VALUE,...\n",
};

/* One row. `status` is VMR_OK when it can be used. */
struct answer {
    const struct vmr_backend *backend;
    enum vmr_status status;
    struct vmr_error err;
    struct vmr_caps caps;
    size_t fact_count;
    struct answer_fact {
        const char *name;
        uint64_t value;
    } facts[FACT_MAX];
};

/* What the hypervisor says of itself. */
static void ask_facts(const struct vmr_hypervisor_handle *handle, struct answer *answer)
{
    const struct vmr_backend *backend = handle->backend;
    struct answer_fact *fact = answer->facts;

    while (backend->fact && answer->fact_count < FACT_MAX &&
           (fact->name = backend->fact(handle, answer->fact_count, &fact->value))) {
        answer->fact_count++;
        fact++;
    }
}

static void ask(const struct vmr_backend_set *set, const struct vmr_backend *backend, struct answer *ret_answer)
{
    struct answer answer = {.backend = backend};
    struct vmr_hypervisor_handle handle;

    answer.status = vmr_probe_named(set, backend->name, &handle, &answer.err);
    if (answer.status == VMR_OK) {
        answer.status = hypervisor_caps(&handle, &answer.caps, &answer.err);
        ask_facts(&handle, &answer);
        vmr_handle_close(&handle);
    }
    *ret_answer = answer;
}

/* The name of the one that is used by default; NULL and `err` filled when there is none. */
static const char *ask_default(const struct vmr_backend_set *set, struct vmr_error *err)
{
    struct vmr_hypervisor_handle handle;

    if (vmr_probe_auto(set, &handle, err) != VMR_OK)
        return NULL;

    const char *name = handle.backend->name;

    vmr_handle_close(&handle);
    return name;
}

static json_t *answer_json(const struct answer *answer)
{
    json_t *keys = json_array();
    json_t *caps = json_array();
    json_t *facts = json_object();

    for (const struct vmr_param_key *key = answer->backend->keys; key && key->name; key++)
        json_array_append_new(
            keys, json_pack("{s:s, s:s, s:s}", "name", key->name, "values", key->values, "help", key->help));
    for (unsigned cap = 0; cap < VMR_CAP_COUNT && answer->status == VMR_OK; cap++) {
        if (vmr_caps_have(&answer->caps, (enum vmr_cap)cap))
            json_array_append_new(caps, json_string(vmr_cap_name((enum vmr_cap)cap)));
    }

    for (size_t i = 0; i < answer->fact_count; i++)
        json_object_set_new(facts, answer->facts[i].name, json_integer((json_int_t)answer->facts[i].value));

    json_t *row = json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o}", "name", answer->backend->name, "description",
                            answer->backend->description, "available", answer->status == VMR_OK, "status",
                            answer->status == VMR_OK ? "ok" : vmr_status_name(answer->status), "parameters", keys,
                            "capabilities", caps, "facts", facts);

    if (answer->status != VMR_OK)
        json_object_set_new(row, "reason", json_string(answer->err.message));
    else
        json_object_update_new(row, json_pack("{s:I, s:i}", "vps_max", (json_int_t)answer->caps.vp_count_max,
                                              "physical_bits", (int)answer->caps.physical_bits));
    return row;
}

static void print_facts(const struct answer *answer)
{
    if (answer->fact_count == 0)
        return;
    (void)printf("       it says:");
    for (size_t i = 0; i < answer->fact_count; i++)
        (void)printf(" %s=%" PRIu64, answer->facts[i].name, answer->facts[i].value);
    (void)putchar('\n');
}

static void print_answer(const struct answer *answer)
{
    (void)printf("%-6s %-14s %s\n", answer->backend->name,
                 answer->status == VMR_OK ? "available" : vmr_status_name(answer->status),
                 answer->backend->description);
    if (answer->status != VMR_OK) {
        (void)printf("       %s\n", answer->err.message);
    } else {
        (void)printf("       up to %u VPs, %u bits of address;", (unsigned)answer->caps.vp_count_max,
                     (unsigned)answer->caps.physical_bits);
        for (unsigned cap = 0; cap < VMR_CAP_COUNT; cap++) {
            if (vmr_caps_have(&answer->caps, (enum vmr_cap)cap))
                (void)printf(" %s", vmr_cap_name((enum vmr_cap)cap));
        }
        (void)putchar('\n');
        print_facts(answer);
    }
    for (const struct vmr_param_key *key = answer->backend->keys; key && key->name; key++)
        (void)printf("       %s=%s  %s\n", key->name, key->values, key->help);
}

static int run_json(const struct args *args, const struct vmr_backend_set *set)
{
    struct vmr_error err = {0};
    const char *chosen = ask_default(set, &err);
    json_t *rows = json_array();
    struct answer answer;

    for (size_t i = 0; i < set->count; i++) {
        ask(set, set->backends[i], &answer);
        json_array_append_new(rows, answer_json(&answer));
    }
    return json_print(args->command, json_pack("{s:o, s:s?}", "hypervisors", rows, "chosen", chosen));
}

/* The library's own, and those that were loaded. */
static enum vmr_status find_backends(const struct args *args, struct vmr_backend_set *ret_set, struct vmr_error *err)
{
    const char *files[ARGS_GIVEN_MAX];
    struct plugins plugins;
    enum vmr_status status = plugins_load(files, args_values(args, OPTION_BACKEND, files), &plugins, err);

    vmr_backend_set_init(ret_set);
    for (size_t i = 0; i < plugins.count && !status; i++)
        status = vmr_backend_set_add(ret_set, plugins.backends[i], err);
    return status;
}

static int run(const struct args *args)
{
    struct vmr_backend_set set;
    struct vmr_error err = {0};
    struct answer answer;

    if (find_backends(args, &set, &err))
        return tool_usage(args->command, "%s", err.message);
    if (args_has(args, OPTION_JSON))
        return run_json(args, &set);
    for (size_t i = 0; i < set.count; i++) {
        ask(&set, set.backends[i], &answer);
        print_answer(&answer);
    }

    const char *chosen = ask_default(&set, &err);

    (void)printf("\nchosen without --hypervisor: %s%s\n", chosen ? chosen : "none: ", chosen ? "" : err.message);
    return TOOL_OK;
}

const struct command command_probe = {
    .name = "probe", .summary = "Lists the hypervisors and what they can do here.", .spec = &spec, .run = run};
