/* SPDX-License-Identifier: MIT */
/*
 * The loop of lockstep runs. A divergence is made small by leaving out one step
 * after another, and then recorded on the mock: the .vmtx is what a bug report
 * needs, and plays anywhere.
 */

#include "conformance/lockstep/lockstep.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/execute.h"
#include "conformance/lockstep/guest.h"
#include "conformance/report.h"
#include "conformance/runner.h"
#include "conformance/scenarios/tape.h"

#define PATIENCE_NS UINT64_C(10000000000)
#define NAME_MAX_BYTES 64u

/* What one run is given, and gives. */
struct turn {
    const struct lockstep_guest *guest;
    struct lockstep_script *script;
    struct tape *tape; /* recorded here, as text; NULL: not recorded */
};

struct pair {
    const struct lockstep_options *options;
    struct conf_backend backends[2];
    struct lockstep_script scripts[2];
    struct progress progress;
};

static void run_turn(struct conf *conf)
{
    struct turn *turn = conf->composed->turn;

    lockstep_run(conf, NULL, turn->guest, turn->script);
    CONF_CHECK(conf, turn->script->count > 0, "the guest did nothing");
}

static void record_turn(struct conf *conf)
{
    struct turn *turn = conf->composed->turn;
    CONF_CLEANUP(tape_free) struct tape tape = {0};
    struct vmr_hypervisor_handle handle;
    struct vmr_host host;
    struct vmr_recorder *recorder = tape_record(conf, &tape, conf->handle, conf->host, &handle, &host);

    CONF_REQUIRE(conf, recorder, "no recorder");
    struct conf recorded = *conf;

    recorded.handle = &handle;
    recorded.host = &host;
    CONF_CHECK(conf, handle.backend->caps(&handle, &recorded.caps, NULL) == VMR_OK, "capabilities");
    lockstep_run(&recorded, recorder, turn->guest, turn->script);
    tape_finish(conf, recorder);
    (void)tape_convert(conf, &tape, true, turn->tape);
}

static bool execute(struct conf_backend *backend, struct turn *turn, struct conf_result *ret_result)
{
    const struct conf_scenario scenario = {.name = "guest",
                                           .family = "lockstep",
                                           .clauses = "PROG-1",
                                           .chip = CONF_CHIP_ANY,
                                           .run = turn->tape ? record_turn : run_turn};

    backend->composed = (struct conf_composed){.turn = turn};
    backend->schedules = (struct conf_schedules){.mode = CONF_SCHEDULES_RANDOM, .runs = 1, .seed = 1};
    conf_execute(backend, &scenario, ret_result);
    free(ret_result->schedule);
    ret_result->schedule = NULL;
    return ret_result->verdict == CONF_PASS;
}

enum outcome {
    OUTCOME_SAME,
    OUTCOME_DIFFERENT,
    OUTCOME_FAILED /* one of them could not be run */
};

static enum outcome run_both(struct pair *pair, const struct lockstep_guest *guest)
{
    for (unsigned i = 0; i < 2; i++) {
        struct turn turn = {.guest = guest, .script = &pair->scripts[i]};
        struct conf_result result;

        if (execute(&pair->backends[i], &turn, &result))
            continue;
        fprintf(pair->options->err, "vmrig certify: lockstep: %s: %s\n", pair->backends[i].spec, result.reason);
        return OUTCOME_FAILED;
    }
    size_t first = lockstep_compare(&pair->scripts[0], &pair->scripts[1]);

    return first < pair->scripts[0].count || first < pair->scripts[1].count ? OUTCOME_DIFFERENT : OUTCOME_SAME;
}

/* Steps without which they differ still. */
static uint32_t shrink(struct pair *pair, struct lockstep_guest *guest)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i + 1 < guest->program.count; i++) {
        const struct vmr_step step = guest->steps[i];

        lockstep_leave_out(guest, i);
        if (step.op != VMR_STEP_NOP && run_both(pair, guest) != OUTCOME_DIFFERENT)
            guest->steps[i] = step;
        left += guest->steps[i].op != VMR_STEP_NOP;
    }
    (void)run_both(pair, guest);
    return left;
}

/* On the mock, whoever the two are: it can be recorded whole. */
static bool save(const struct pair *pair, const struct lockstep_guest *guest, uint64_t seed)
{
    const struct lockstep_options *options = pair->options;
    struct conf_backend mock = {.spec = "mock:profile=strict", .is_mock = true};
    struct lockstep_script script;
    CONF_CLEANUP(tape_free) struct tape text = {0};
    struct turn turn = {.guest = guest, .script = &script, .tape = &text};
    struct conf_result result;
    struct vmr_hypervisor_handle handle;
    struct output output;
    char name[NAME_MAX_BYTES];

    if (conf_backend_open(&mock, &handle, NULL))
        return false;
    bool described = handle.backend->caps(&handle, &mock.caps, NULL) == VMR_OK;

    vmr_handle_close(&handle);
    if (!described || !execute(&mock, &turn, &result)) {
        fprintf(options->err, "vmrig certify: lockstep: recording: %s\n", described ? result.reason : "no mock");
        return false;
    }
    snprintf(name, sizeof(name), "lockstep-%llu", (unsigned long long)seed);
    if (!output_open(&output, options->folder ? options->folder : ".", name, ".vmtx", options->err))
        return false;
    bool written = fwrite(text.bytes, 1, text.length, output.file) == text.length;

    if (!output_close(&output, written, options->err))
        return false;
    fprintf(options->out, "recorded on the mock: %s\n", output.path);
    return true;
}

static void tell(const struct pair *pair, const struct lockstep_guest *guest, const struct lockstep_result *found)
{
    FILE *out = pair->options->out;
    size_t first = lockstep_compare(&pair->scripts[0], &pair->scripts[1]);

    fprintf(out, "DIVERGED: guest %llu, %u steps, event %zu\n", (unsigned long long)found->seed, found->steps, first);
    for (unsigned i = 0; i < 2; i++) {
        fprintf(out, "  %s: ", pair->backends[i].spec);
        lockstep_print_event(&pair->scripts[i], first, out);
        fprintf(out, "\n");
    }
    lockstep_print_guest(guest, out);
    fprintf(out, "again: vmrig certify --lockstep %s,%s --guests 1 --seed %llu\n", pair->options->specs[0],
            pair->options->specs[1], (unsigned long long)found->seed);
}

static bool open_backend(struct pair *pair, unsigned index)
{
    struct conf_backend *backend = &pair->backends[index];
    struct vmr_hypervisor_handle handle;
    struct vmr_error err = {.message = ""};

    *backend = (struct conf_backend){
        .spec = pair->options->specs[index], .set = pair->options->set, .patience_ns = PATIENCE_NS};
    enum vmr_status status = conf_backend_open(backend, &handle, &err);

    if (!status) {
        backend->is_mock = vmr_backend_is(handle.backend, vmr_mock_backend());
        backend->irqchip = handle.irqchip;
        status = handle.backend->caps(&handle, &backend->caps, &err);
        vmr_handle_close(&handle);
    }
    if (!status && (backend->irqchip != VMR_IRQCHIP_USER || vmr_caps_have(&backend->caps, VMR_CAP_MANAGED)))
        status = vmr_error_set(&err, VMR_E_CONFIG,
                               "lockstep needs interrupt controllers in the library, and VPs that "
                               "are run by it, not '%s'",
                               backend->spec);
    if (status)
        fprintf(pair->options->err, "vmrig certify: %s\n", err.message);
    return status == VMR_OK;
}

static int run_guests(struct pair *pair, struct lockstep_result *ret_result)
{
    const struct lockstep_options *options = pair->options;
    enum outcome outcome = OUTCOME_SAME;
    struct lockstep_guest guest;

    while (outcome == OUTCOME_SAME && ret_result->runs < options->runs &&
           !(options->is_over && options->is_over(options->context))) {
        ret_result->seed = options->seed + ret_result->runs++;
        lockstep_compose(ret_result->seed, &guest);
        outcome = run_both(pair, &guest);
        ret_result->events += pair->scripts[0].count;
    }
    if (outcome == OUTCOME_DIFFERENT) {
        ret_result->diverged = true;
        ret_result->steps = shrink(pair, &guest);
        tell(pair, &guest, ret_result);
        (void)save(pair, &guest, ret_result->seed);
    }
    return outcome == OUTCOME_SAME ? CONF_EXIT_PASSED : CONF_EXIT_FAILED;
}

int lockstep_main(const struct lockstep_options *options, struct lockstep_result *ret_result)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int status = CONF_EXIT_USAGE;

    *ret_result = (struct lockstep_result){.runs = 0};
    if (!pair) {
        fprintf(options->err, "vmrig certify: out of memory\n");
        return CONF_EXIT_FAILED;
    }
    pair->options = options;
    if (open_backend(pair, 0) && open_backend(pair, 1)) {
        status = run_guests(pair, ret_result);
        fprintf(options->out, "%llu guests, %llu events: %s\n", (unsigned long long)ret_result->runs,
                (unsigned long long)ret_result->events,
                status == CONF_EXIT_PASSED ? "the same on both" : "not the same");
    }
    free(pair);
    return status;
}
