/* SPDX-License-Identifier: MIT */
/*
 * Executing scenarios. Each execution has a handle, a host and a judgement of
 * its own, so that nothing but the process is left over from the one before.
 *
 * Under the mock's scheduler (explore.c) a scenario that hangs is a deadlock or a
 * livelock, found at once. On real threads the runner's own thread is the watchdog: it
 * kicks every VP, and gives a scenario up that does not end even then.
 */

#include "conformance/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/execution.h"

#define KICK_EVERY_NS UINT64_C(10000000)

const char *conf_verdict_name(enum conf_verdict verdict)
{
    static const char *const names[CONF_VERDICT_COUNT] = {
        [CONF_PASS] = "pass", [CONF_FAIL] = "fail", [CONF_SKIP] = "skip", [CONF_WAIVED] = "waived"};

    return (unsigned)verdict < CONF_VERDICT_COUNT ? names[verdict] : "unknown";
}

bool conf_is_skipped(const struct conf_backend *backend, const struct conf_scenario *scenario, char *ret_reason,
                     size_t size)
{
    uint64_t missing = scenario->needs & ~backend->caps.bits, unwanted = scenario->without & backend->caps.bits;
    uint32_t quirks = scenario->quirks & backend->quirks;

    if (backend->is_library)
        return false;
    if (missing || unwanted) {
        enum vmr_cap cap = (enum vmr_cap)__builtin_ctzll(missing ? missing : unwanted);

        snprintf(ret_reason, size, "%s %s", missing ? "needs" : "not with", vmr_cap_name(cap));
        return true;
    }
    if (vmr_caps_have(&backend->caps, VMR_CAP_MANAGED) && !(scenario->flags & CONF_MANAGED)) {
        snprintf(ret_reason, size, "runs VPs on threads of its own");
        return true;
    }
    if (scenario->chip == CONF_CHIP_NONE && backend->irqchip != VMR_IRQCHIP_USER) {
        snprintf(ret_reason, size, "needs a handle without interrupt controllers in the hypervisor");
        return true;
    }
    if (scenario->chip == CONF_CHIP_APIC_IN_HYPERVISOR && backend->irqchip == VMR_IRQCHIP_USER) {
        snprintf(ret_reason, size, "needs local APICs in the hypervisor");
        return true;
    }
    if (quirks) {
        snprintf(ret_reason, size, "host quirk: %s", conf_quirk_name(quirks));
        return true;
    }
    return false;
}

/* --- one execution --- */

enum vmr_status conf_backend_open(const struct conf_backend *backend, struct vmr_hypervisor_handle *ret_handle,
                                  struct vmr_error *err)
{
    struct vmr_backend_set set;

    if (backend->set)
        return vmr_probe_named(backend->set, backend->spec, ret_handle, err);
    vmr_backend_set_init(&set);
    return vmr_probe_named(&set, backend->spec, ret_handle, err);
}

bool execution_open(struct execution *execution, const struct conf_backend *backend, char *ret_reason, size_t size)
{
    struct conf *conf = &execution->conf;
    struct vmr_error err = {.message = ""};

    conf->host = &execution->host;
    conf->is_mock = backend->is_mock;
    conf->composed = &backend->composed;
    if (!conf_state_init(conf, &execution->state)) {
        snprintf(ret_reason, size, "out of memory");
        return false;
    }
    if (backend->is_library)
        return true;
    if (conf_backend_open(backend, &execution->handle, &err) ||
        execution->handle.backend->caps(&execution->handle, &conf->caps, &err)) {
        snprintf(ret_reason, size, "%s", err.message);
        vmr_handle_close(&execution->handle);
        conf_state_finish(&execution->state);
        return false;
    }
    conf->handle = &execution->handle;
    return true;
}

void execution_close(struct execution *execution)
{
    vmr_handle_close(&execution->handle);
    conf_state_finish(&execution->state);
}

void execution_body(void *argument)
{
    struct execution *execution = argument;

    execution->run(&execution->conf);
    conf_workers_finish(&execution->conf);
    conf_check_resets(&execution->conf);
    conf_state_clean(&execution->conf);
}

void execution_judge(const struct conf_state *state, struct conf_result *ret_result)
{
    ret_result->verdict = CONF_PASS;
    ret_result->reason[0] = '\0';
    if (state->failures > 0) {
        ret_result->verdict = CONF_FAIL;
        snprintf(ret_result->reason, sizeof(ret_result->reason), "%s", state->failure);
    } else if (state->skipped) {
        ret_result->verdict = CONF_SKIP;
        snprintf(ret_result->reason, sizeof(ret_result->reason), "%s", state->skip);
    } else if (state->checks == 0) {
        ret_result->verdict = CONF_FAIL;
        snprintf(ret_result->reason, sizeof(ret_result->reason), "it checked nothing");
    }
    ret_result->hung = state->hung;
    ret_result->resets = state->resets;
    ret_result->notes = state->notes;
    ret_result->transcript = state->transcript;
}

void execution_fail(struct conf_result *ret_result, const char *reason)
{
    ret_result->verdict = CONF_FAIL;
    snprintf(ret_result->reason, sizeof(ret_result->reason), "%s", reason);
}

/* --- on real threads --- */

static void threaded_body(void *argument)
{
    struct execution *execution = argument;

    execution_body(argument);
    execution->host.ops->unpark(execution->host.context, execution->end);
}

/* False: it did not even end when everything was kicked. */
static bool watch(struct execution *execution, uint64_t patience_ns)
{
    const struct vmr_host *host = &execution->host;
    uint64_t now = host->ops->now_ns(host->context);
    uint64_t limit = now + 2 * patience_ns;

    if (host->ops->park(host->context, execution->end, now + patience_ns) == VMR_PARK_WOKEN)
        return true;
    while (now < limit) {
        conf_state_give_up(&execution->conf);
        if (host->ops->park(host->context, execution->end, now + KICK_EVERY_NS) == VMR_PARK_WOKEN)
            return true;
        now = host->ops->now_ns(host->context);
    }
    return false;
}

/* False, and a reason: the threads could not be had. `execution` is leaked, on purpose, if its threads never end. */
static bool run_threaded(struct execution *execution, uint64_t patience_ns, char *ret_reason, size_t size,
                         bool *ret_ended)
{
    const struct vmr_host *host = &execution->host;
    struct vmr_thread *thread;

    if (host->ops->parker_create(host->context, &execution->end)) {
        snprintf(ret_reason, size, "out of memory");
        return false;
    }
    if (host->ops->thread_start(host->context, "scenario", threaded_body, execution, &thread)) {
        host->ops->parker_destroy(host->context, execution->end);
        snprintf(ret_reason, size, "no thread to be had");
        return false;
    }
    *ret_ended = watch(execution, patience_ns);
    if (*ret_ended) {
        host->ops->thread_join(host->context, thread);
        host->ops->parker_destroy(host->context, execution->end);
    }
    return true;
}

static void execute_on_threads(const struct conf_backend *backend, const struct conf_scenario *scenario,
                               struct conf_result *ret_result)
{
    struct execution *execution = calloc(1, sizeof(*execution));
    char reason[CONF_TEXT_MAX] = "out of memory";
    bool ended = false;

    if (!execution || !execution_open(execution, backend, reason, sizeof(reason))) {
        execution_fail(ret_result, reason);
        free(execution);
        return;
    }
    execution->conf.scenario = scenario;
    execution->run = scenario->run;
    execution->state.patience_ns = backend->patience_ns;
    vmr_host_posix(&execution->host, NULL);
    bool started = run_threaded(execution, backend->patience_ns, reason, sizeof(reason), &ended);

    if (started && !ended) {
        execution_fail(ret_result, "it did not end, not even with every VP kicked; its threads are left behind");
        return;
    }
    execution_judge(&execution->state, ret_result);
    if (!started)
        execution_fail(ret_result, reason);
    execution_close(execution);
    free(execution);
}

/* A guest that hangs on a host that loses its interrupts now and then is no news: only one that hangs each time. */
static void execute_with_attempts(const struct conf_backend *backend, const struct conf_scenario *scenario,
                                  struct conf_result *ret_result)
{
    do {
        execute_on_threads(backend, scenario, ret_result);
        ret_result->attempts++;
    } while (ret_result->verdict == CONF_FAIL && ret_result->hung && ret_result->attempts < backend->attempts);
}

void conf_execute(const struct conf_backend *backend, const struct conf_scenario *scenario,
                  struct conf_result *ret_result)
{
    uint64_t missing = scenario->needs & ~backend->caps.bits;

    *ret_result = (struct conf_result){.scenario = scenario, .backend = backend->spec};
    if (missing && !backend->is_library)
        ret_result->missing = vmr_cap_name((enum vmr_cap)__builtin_ctzll(missing));
    if (conf_is_skipped(backend, scenario, ret_result->reason, sizeof(ret_result->reason)))
        ret_result->verdict = CONF_SKIP;
    else if (backend->is_mock && !backend->free_threads)
        execute_scheduled(backend, scenario, ret_result);
    else
        execute_with_attempts(backend, scenario, ret_result);
}

enum conf_verdict conf_execute_probe(const struct conf_backend *backend, void (*run)(struct conf *conf),
                                     char *ret_reason, size_t size)
{
    const struct conf_scenario probe = {
        .name = "host_quirk", .family = "probe", .clauses = "", .chip = CONF_CHIP_ANY, .run = run};
    struct conf_result result = {.scenario = &probe, .backend = backend->spec};

    execute_on_threads(backend, &probe, &result);
    snprintf(ret_reason, size, "%s", result.reason);
    return result.verdict;
}
