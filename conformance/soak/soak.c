/* SPDX-License-Identifier: MIT */
/*
 * The soak's loop. A composition is the scenario of one run, and its seed is the
 * schedule's seed as well: one number says all of it.
 */

#include "conformance/soak/soak.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/execute.h"
#include "conformance/runner.h"
#include "conformance/soak/compose.h"

#define NS_PER_S UINT64_C(1000000000)
#define SHOW_EVERY 256u

static const char *const specs[] = {"mock:profile=strict", "mock:profile=kvm-like", "mock:profile=hvf-like",
                                    "mock:profile=mshv-like", "mock:profile=whp-like"};
#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

struct loop {
    const struct soak_options *options;
    struct conf_backend backends[SPEC_COUNT];
    size_t backend_count;
    struct progress progress;
};

static void run_composition(struct conf *conf)
{
    const struct conf_composed *composed = conf->composed;
    struct soak_composition composition;

    soak_compose(composed->seed, &composition);
    soak_run(conf, &composition, composed->left_out);
}

static const struct conf_scenario scenario = {.name = "composition",
                                              .family = "soak",
                                              .clauses = "RUN-2 RUN-3 RUN-4 RUN-6 EXIT-6 EXIT-9 SET-4 MEM-4",
                                              .chip = CONF_CHIP_ANY,
                                              .run = run_composition};

/* One composition; true: it fails. */
static bool fails(struct conf_backend *backend, uint64_t seed, uint32_t left_out, struct conf_result *ret_result)
{
    backend->composed = (struct conf_composed){.seed = seed, .left_out = left_out};
    backend->schedules =
        (struct conf_schedules){.mode = CONF_SCHEDULES_RANDOM, .runs = 1, .seed = seed, .as_found = true};
    conf_execute(backend, &scenario, ret_result);
    return ret_result->verdict == CONF_FAIL;
}

/* Operations that need not be there for it to fail are left out, one after another. */
static uint32_t shrink(struct conf_backend *backend, uint64_t seed, uint32_t left_out, struct conf_result *result)
{
    for (uint32_t i = 0; i < SOAK_OPS_MAX; i++) {
        uint32_t without = left_out | UINT32_C(1) << i;
        struct conf_result tried;

        if (without == left_out || !fails(backend, seed, without, &tried))
            continue;
        free(result->schedule);
        *result = tried;
        left_out = without;
    }
    return left_out;
}

static void tell(const struct loop *loop, struct conf_backend *backend, const struct conf_result *result,
                 const struct soak_result *found)
{
    FILE *out = loop->options->out;
    struct soak_composition composition;

    soak_compose(found->seed, &composition);
    fprintf(out, "FAIL %s: composition %llu: %s\n", backend->spec, (unsigned long long)found->seed, result->reason);
    soak_print(&composition, found->left_out, out);
    fprintf(out, "again: vmrig certify --soak 1x --seed %llu --leave-out %u --hypervisor %s\n",
            (unsigned long long)found->seed, found->left_out, backend->spec);
}

static bool open_backends(struct loop *loop)
{
    const struct soak_options *options = loop->options;
    size_t count = options->spec ? 1 : SPEC_COUNT;

    for (size_t i = 0; i < count; i++) {
        struct conf_backend *backend = &loop->backends[loop->backend_count++];
        struct vmr_hypervisor_handle handle;
        struct vmr_error err = {.message = ""};

        *backend = (struct conf_backend){.spec = options->spec ? options->spec : specs[i], .set = options->set};
        enum vmr_status status = conf_backend_open(backend, &handle, &err);

        if (!status) {
            backend->is_mock = vmr_backend_is(handle.backend, vmr_mock_backend());
            backend->irqchip = handle.irqchip;
            status = handle.backend->caps(&handle, &backend->caps, &err);
            vmr_handle_close(&handle);
        }
        if (!status && (!backend->is_mock || vmr_caps_have(&backend->caps, VMR_CAP_MANAGED)))
            status = vmr_error_set(&err, VMR_E_CONFIG,
                                   "soaking needs a mock that does not run its VPs itself, not '%s'", backend->spec);
        if (status) {
            fprintf(options->err, "vmrig certify: %s\n", err.message);
            return false;
        }
    }
    return true;
}

static bool goes_on(const struct loop *loop, const struct soak_result *result)
{
    const struct soak_options *options = loop->options;

    return (options->runs == 0 || result->runs < options->runs) &&
           (options->ns == 0 || result->elapsed_ns < options->ns) &&
           !(options->is_over && options->is_over(options->context));
}

int soak_main(const struct soak_options *options, struct soak_result *ret_result)
{
    struct loop loop = {.options = options};
    struct conf_result result = {.verdict = CONF_PASS};

    *ret_result = (struct soak_result){.runs = 0};
    if (!open_backends(&loop))
        return CONF_EXIT_USAGE;
    progress_begin(&loop.progress, options->progress, options->err, options->runs);
    while (!ret_result->failed && goes_on(&loop, ret_result)) {
        uint64_t seed = options->seed + ret_result->runs;
        struct conf_backend *backend = &loop.backends[seed % loop.backend_count];

        if (ret_result->runs % SHOW_EVERY == 0)
            progress_scenario(&loop.progress, backend->spec, &scenario);
        ret_result->failed = fails(backend, seed, options->left_out, &result);
        ret_result->runs++;
        progress_result(&loop.progress, &result);
        ret_result->elapsed_ns = progress_now_ns(&loop.progress) - loop.progress.begin_ns;
        if (!ret_result->failed)
            continue;
        ret_result->seed = seed;
        ret_result->left_out = shrink(backend, seed, options->left_out, &result);
        progress_end(&loop.progress);
        tell(&loop, backend, &result, ret_result);
    }
    progress_end(&loop.progress);
    free(result.schedule);
    fprintf(options->out, "%llu compositions, %.1f s, %.0f a second: %s\n", (unsigned long long)ret_result->runs,
            (double)ret_result->elapsed_ns / (double)NS_PER_S,
            (double)ret_result->runs / ((double)(ret_result->elapsed_ns + 1) / (double)NS_PER_S),
            ret_result->failed ? "one failed" : "none failed");
    return ret_result->failed ? CONF_EXIT_FAILED : CONF_EXIT_PASSED;
}

bool soak_parse(const char *text, uint64_t *ret_runs, uint64_t *ret_ns)
{
    static const struct {
        char letter;
        uint64_t ns; /* 0: runs */
    } units[] = {{'x', 0}, {'s', NS_PER_S}, {'m', 60 * NS_PER_S}, {'h', 3600 * NS_PER_S}};
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && value < CONF_RANDOM_MAX; at++)
        value = 10 * value + (uint64_t)(*at - '0');
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (value == 0 || value > CONF_RANDOM_MAX || at[0] != units[i].letter || at[1] != '\0')
            continue;
        *ret_runs = units[i].ns ? 0 : value;
        *ret_ns = value * units[i].ns;
        return true;
    }
    return false;
}
