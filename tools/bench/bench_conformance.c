/* SPDX-License-Identifier: MIT */
/*
 * What judging costs: the whole suite on the mock and on KVM, random
 * compositions, and a guest that sleeps, whose time the mock does not wait for.
 */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "conformance/execute.h"
#include "conformance/runner.h"
#include "conformance/scenarios/apic_words.h"
#include "conformance/soak/soak.h"
#include "tools/bench/bench.h"

#define SUITE_SAMPLES 3u
#define COMPOSITIONS 5000u
#define NAPS 1000u
#define NAP_NS UINT64_C(10000000)
#define TIMER 0x71u
#define NS_PER_S 1e9

/* --- the suite --- */

struct suite {
    double seconds, scenarios, schedules;
};

static bool read_totals(FILE *file, struct suite *suite)
{
    json_int_t pass = 0, skip = 0, schedules = 0;

    rewind(file);
    json_t *root = json_loadf(file, 0, NULL);
    bool read =
        json_unpack(root, "{s:{s:I, s:I, s:I}}", "totals", "pass", &pass, "skip", &skip, "schedules", &schedules) == 0;

    json_decref(root);
    suite->scenarios = (double)pass;
    suite->schedules = (double)schedules;
    return read;
}

static bool run_suite(const char *spec, bool quick, struct suite *suite)
{
    const struct conf_run_options options = {.specs = &spec,
                                             .spec_count = 1,
                                             .filter = quick ? "io/*" : NULL,
                                             .json = true,
                                             .out = tmpfile(),
                                             .err = stderr};

    if (!options.out)
        return bench_failed("suite: no temporary file", VMR_E_HOST, NULL);
    uint64_t begin_ns = bench_now_ns();
    int status = conf_main(&options);

    suite->seconds = (double)(bench_now_ns() - begin_ns) / NS_PER_S;
    bool read = status == CONF_EXIT_PASSED && read_totals(options.out, suite);

    fclose(options.out);
    return read || bench_failed("suite: it did not pass", VMR_E_HOST, NULL);
}

static bool measure_suite(struct bench_report *report, const char *spec, const char *name)
{
    double seconds[SUITE_SAMPLES], scenarios[SUITE_SAMPLES], schedules[SUITE_SAMPLES];
    struct suite suite = {.seconds = 0};
    char figure[sizeof(report->figures[0].name)];

    for (unsigned i = 0; i < SUITE_SAMPLES; i++) {
        if (!run_suite(spec, report->options->quick, &suite))
            return false;
        seconds[i] = suite.seconds;
        scenarios[i] = suite.scenarios / suite.seconds;
        schedules[i] = suite.schedules / suite.seconds;
    }
    snprintf(figure, sizeof(figure), "suite on %s", name);
    (void)bench_add(report, figure, "s", seconds, SUITE_SAMPLES);
    snprintf(figure, sizeof(figure), "suite on %s, scenarios", name);
    (void)bench_add(report, figure, "1/s", scenarios, SUITE_SAMPLES);
    if (suite.schedules > 0) {
        snprintf(figure, sizeof(figure), "suite on %s, schedules explored", name);
        (void)bench_add(report, figure, "1/s", schedules, SUITE_SAMPLES);
    }
    return true;
}

static bool kvm_is_here(void)
{
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle;

    vmr_backend_set_init(&set);
    if (vmr_probe_named(&set, "kvm", &handle, NULL))
        return false;
    vmr_handle_close(&handle);
    return true;
}

/* --- compositions --- */

static bool measure_soak(struct bench_report *report)
{
    double samples[BENCH_SAMPLES];

    for (unsigned i = 0; i < BENCH_SAMPLES; i++) {
        const struct soak_options options = {
            .seed = 1 + i * COMPOSITIONS, .runs = bench_rounds(report, COMPOSITIONS), .out = tmpfile(), .err = stderr};
        struct soak_result result;

        if (!options.out)
            return bench_failed("soak: no temporary file", VMR_E_HOST, NULL);
        int status = soak_main(&options, &result);

        fclose(options.out);
        if (status != CONF_EXIT_PASSED)
            return bench_failed("soak: one failed", VMR_E_HOST, NULL);
        samples[i] = (double)result.runs / ((double)result.elapsed_ns / NS_PER_S);
    }
    (void)bench_add(report, "random compositions", "1/s", samples, BENCH_SAMPLES);
    bench_compare(report, "random compositions", NULL, "35: a million in a night");
    return true;
}

/* --- time --- */

static void nap(struct conf *conf)
{
    APIC_PROGRAM(naps, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, APIC_PERIODIC | TIMER), VMR_STORE(APIC_TIMER_INITIAL, 4, NAP_NS),
                 VMR_WAIT_VECTOR(TIMER, NAPS), VMR_END());

    (void)conf_run_program(conf, NULL, &naps);
}

static bool measure_time(struct bench_report *report)
{
    static const struct conf_scenario scenario = {
        .name = "naps", .family = "bench", .clauses = "", .chip = CONF_CHIP_ANY, .run = nap};
    const struct conf_backend backend = {
        .spec = "mock", .is_mock = true, .schedules = {.mode = CONF_SCHEDULES_RANDOM, .runs = 1, .seed = 1}};
    double samples[BENCH_SAMPLES];

    for (unsigned i = 0; i < BENCH_SAMPLES; i++) {
        struct conf_result result;
        uint64_t begin_ns = bench_now_ns();

        conf_execute(&backend, &scenario, &result);
        samples[i] = (double)(NAPS * NAP_NS) / (double)(bench_now_ns() - begin_ns);
        if (result.verdict != CONF_PASS)
            return bench_failed(result.reason, VMR_E_HOST, NULL);
    }
    (void)bench_add(report, "a sleeping guest's time, to ours", "x", samples, BENCH_SAMPLES);
    bench_compare(report, "a sleeping guest's time, to ours", NULL, "1,000");
    return true;
}

bool bench_conformance(struct bench_report *report)
{
    if (!measure_suite(report, "mock:profile=strict", "the mock") || !measure_soak(report) || !measure_time(report))
        return false;
    if (kvm_is_here())
        return measure_suite(report, "kvm", "KVM");
    bench_skip("suite on KVM", "there is no KVM to be opened");
    return true;
}
