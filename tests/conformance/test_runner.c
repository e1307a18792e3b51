/* SPDX-License-Identifier: MIT */
/*
 * The suite's own judgement: scenarios that are broken in each way must fail,
 * for the reason that is theirs.
 */

#include "conformance/runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conformance/execute.h"
#include "conformance/scenarios.h"

/*
 * A scenario that hangs under the scheduler is dropped where it stands, with
 * what it owns. The suite itself, run under a leak detector, hides nothing.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:execution_body\nleak:run_scheduled\n";
}

/* --- scenarios --- */

static void good(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_SET(0, 1), VMR_EXPECT(0, 1), VMR_END());

    (void)conf_run_program(conf, NULL, &nothing);
}

static void checks_nothing(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    (void)vm;
}

static void fails(struct conf *conf)
{
    CONF_CHECK_EQ(conf, 7, 8, "a number");
    CONF_CHECK(conf, false, "a later failure");
}

static void is_skipped(struct conf *conf)
{
    CONF_CHECK(conf, true, "fine");
    conf_skip(conf, "not on a %s", "Sunday");
}

static void mismatches(struct conf *conf)
{
    CONF_PROGRAM(wrong, VMR_SET(0, 0x1234), VMR_EXPECT(0, 0x1235), VMR_END());

    (void)conf_run_program(conf, NULL, &wrong);
}

static void halts_early(struct conf *conf)
{
    CONF_PROGRAM(faulting, VMR_TRIPLE_FAULT());

    (void)conf_run_program(conf, NULL, &faulting);
}

static void sleeps_for_ever(struct conf *conf)
{
    CONF_PROGRAM(asleep, VMR_CLI(), VMR_HLT(), VMR_END());

    (void)conf_run_program(conf, NULL, &asleep);
}

static void spins_for_ever(struct conf *conf)
{
    CONF_PROGRAM(spinning, VMR_SPIN());

    (void)conf_run_program(conf, NULL, &spinning);
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void waits_in_vain(struct conf *conf)
{
    (void)conf_wait(conf, never, NULL, "Godot");
}

static void bad_program(struct conf *conf)
{
    CONF_PROGRAM(bad, VMR_OUT(0x70, 8, 0), VMR_END());

    (void)conf_run_program(conf, NULL, &bad);
}

static void claims_twice(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct conf_device device = {0};

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, 0x70, 2, VMR_SIZE_1, &device), "no device");
    CONF_CHECK(conf, conf_device_claim(vm, vm->ports, 0x71, 2, VMR_SIZE_1, &device), "refused");
}

struct leaving {
    struct conf_vm *vm;
};

static void run_unattended(void *argument)
{
    struct leaving *leaving = argument;
    struct vmr_run_result result;

    while (conf_run(leaving->vm, 0, NULL, &result))
        ;
    free(leaving);
}

/* Returns with a VP running on a thread that only the clean-up can end. */
static void leaves_a_thread(struct conf *conf)
{
    CONF_PROGRAM(spinning, VMR_SPIN());
    struct leaving *leaving = calloc(1, sizeof(*leaving));

    CONF_REQUIRE(conf, leaving != NULL, "out of memory");
    leaving->vm = conf_vm_create(conf, NULL);
    CONF_REQUIRE(conf, leaving->vm && conf_load(leaving->vm, 0, &spinning) && conf_bind(leaving->vm, 0), "no VM");
    CONF_REQUIRE(conf, conf_thread(conf, run_unattended, leaving) != NULL, "no thread");
}

static struct conf_result execute(const char *spec, void (*run)(struct conf *conf), uint32_t flags)
{
    const struct conf_scenario scenario = {
        .name = "subject", .family = "test", .clauses = "", .flags = flags, .chip = CONF_CHIP_ANY, .run = run};
    const struct conf_backend backend = {.spec = spec, .is_mock = true, .schedule_max = 5000};
    struct conf_result result;

    conf_execute(&backend, &scenario, &result);
    return result;
}

static void broken_scenarios_fail_for_their_reason(void **state)
{
    static const struct {
        const char *name;
        void (*run)(struct conf *conf);
        enum conf_verdict verdict;
        const char *reason;
    } cases[] = {
        {"good", good, CONF_PASS, ""},
        {"checks nothing", checks_nothing, CONF_FAIL, "it checked nothing"},
        {"fails", fails, CONF_FAIL, "a number: got 0x7, want 0x8"},
        {"is skipped", is_skipped, CONF_SKIP, "not on a Sunday"},
        {"mismatches", mismatches, CONF_FAIL, "program 'wrong', step 1 (expect): saw 0x1234, expected 0x1235"},
        {"halts early", halts_early, CONF_FAIL, "halted before its program's end: triple-fault"},
        {"sleeps for ever", sleeps_for_ever, CONF_FAIL, "deadlock"},
        {"waits in vain", waits_in_vain, CONF_FAIL, "waited in vain for: Godot"},
        {"bad program", bad_program, CONF_FAIL, "size 0x8 is out of range"},
        {"claims twice", claims_twice, CONF_FAIL, "the scenario's device"},
        {"leaves a thread", leaves_a_thread, CONF_PASS, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_result result = execute("mock:profile=strict", cases[i].run, 0);

        if (result.verdict != cases[i].verdict || !strstr(result.reason, cases[i].reason))
            fail_msg("%s: %s, '%s'", cases[i].name, conf_verdict_name(result.verdict), result.reason);
    }
}

static void a_guest_that_nothing_stops_is_a_failure(void **state)
{
    struct conf_result result = execute("mock:profile=strict", spins_for_ever, 0);

    (void)state;
    assert_int_equal(result.verdict, CONF_FAIL);
    assert_non_null(strstr(result.reason, "lock"));
}

/* --- on real threads: the mock too can have them --- */

static void the_watchdog_ends_what_does_not_end(void **state)
{
    static void (*const endless[])(struct conf * conf) = {spins_for_ever, sleeps_for_ever};
    const struct conf_backend backend = {
        .spec = "mock", .is_mock = true, .free_threads = true, .patience_ns = UINT64_C(50000000)};

    (void)state;
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        const struct conf_scenario scenario = {
            .name = "subject", .family = "test", .clauses = "", .chip = CONF_CHIP_ANY, .run = endless[i]};
        struct conf_result result;

        conf_execute(&backend, &scenario, &result);
        assert_int_equal(result.verdict, CONF_FAIL);
        assert_non_null(strstr(result.reason, "the watchdog bit"));
    }
}

static void a_wait_in_vain_says_what_it_waited_for_before_the_watchdog_bites(void **state)
{
    const struct conf_backend backend = {
        .spec = "mock", .is_mock = true, .free_threads = true, .patience_ns = UINT64_C(500000000)};
    const struct conf_scenario scenario = {
        .name = "subject", .family = "test", .clauses = "", .chip = CONF_CHIP_ANY, .run = waits_in_vain};
    struct conf_result result;

    (void)state;
    conf_execute(&backend, &scenario, &result);
    assert_int_equal(result.verdict, CONF_FAIL);
    assert_non_null(strstr(result.reason, "waited in vain for: Godot"));
}

static _Atomic uint32_t executions;

static void hangs_at_first(struct conf *conf)
{
    if (atomic_fetch_add(&executions, 1) < 1)
        waits_in_vain(conf);
    good(conf);
}

static void counts_and_fails(struct conf *conf)
{
    atomic_fetch_add(&executions, 1);
    fails(conf);
}

static void counts_and_sleeps(struct conf *conf)
{
    atomic_fetch_add(&executions, 1);
    sleeps_for_ever(conf);
}

/* Only what hangs is tried again, and only where that was asked for. */
static void what_hangs_has_as_many_attempts_as_were_given(void **state)
{
    static const struct {
        void (*run)(struct conf *conf);
        uint32_t attempts, used;
        enum conf_verdict verdict;
    } cases[] = {
        {hangs_at_first, 0, 1, CONF_FAIL},    {hangs_at_first, 1, 1, CONF_FAIL},   {hangs_at_first, 3, 2, CONF_PASS},
        {counts_and_sleeps, 3, 3, CONF_FAIL}, {counts_and_fails, 3, 1, CONF_FAIL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct conf_backend backend = {.spec = "mock",
                                             .is_mock = true,
                                             .free_threads = true,
                                             .patience_ns = UINT64_C(100000000),
                                             .attempts = cases[i].attempts};
        const struct conf_scenario scenario = {
            .name = "subject", .family = "test", .clauses = "", .chip = CONF_CHIP_ANY, .run = cases[i].run};
        struct conf_result result;

        atomic_store(&executions, 0);
        conf_execute(&backend, &scenario, &result);
        assert_int_equal(result.verdict, cases[i].verdict);
        assert_int_equal(result.attempts, cases[i].used);
        assert_int_equal(atomic_load(&executions), cases[i].used);
    }
}

static void run_every_scenario(const struct conf_backend *backend)
{
    size_t count;
    const struct conf_family *const *families = conf_families(&count);
    struct conf_result result;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];

            if (scenario->flags & (CONF_MOCK_ONLY | CONF_NO_BACKEND))
                continue;
            conf_execute(backend, scenario, &result);
            if (result.verdict == CONF_FAIL)
                fail_msg("%s: %s/%s: %s", backend->spec, scenario->family, scenario->name, result.reason);
        }
    }
}

/* What a race detector looks at: under the scheduler there are no races to find. */
static void every_scenario_passes_on_free_threads(void **state)
{
    static const char *const specs[] = {"mock", "mock:irqchip=kernel"};

    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct conf_backend backend = {
            .spec = specs[i], .is_mock = true, .free_threads = true, .patience_ns = UINT64_C(20000000000)};
        struct vmr_hypervisor_handle handle;
        struct vmr_backend_set set;

        vmr_backend_set_init(&set);
        assert_int_equal(vmr_probe_named(&set, specs[i], &handle, NULL), VMR_OK);
        backend.irqchip = handle.irqchip;
        assert_int_equal(handle.backend->caps(&handle, &backend.caps, NULL), VMR_OK);
        vmr_handle_close(&handle);
        run_every_scenario(&backend);
    }
}

static void a_backend_that_cannot_be_opened_is_a_failure(void **state)
{
    struct conf_result result = execute("mock:profile=nothing", good, 0);

    (void)state;
    assert_int_equal(result.verdict, CONF_FAIL);
    assert_non_null(strstr(result.reason, "nothing"));
}

/* --- what is skipped --- */

static void a_skip_names_what_is_missing(void **state)
{
    static const struct {
        struct conf_scenario scenario;
        struct conf_backend backend;
        const char *reason; /* NULL: it runs */
    } cases[] = {
        {{.needs = CONF_CAP(MSI)}, {.caps = {.bits = CONF_CAP(REBIND)}}, "needs msi"},
        {{.needs = CONF_CAP(MSI)}, {.caps = {.bits = CONF_CAP(MSI)}}, NULL},
        {{.without = CONF_CAP(MSI)}, {.caps = {.bits = CONF_CAP(MSI) | CONF_CAP(REBIND)}}, "not with msi"},
        {{.without = CONF_CAP(MSI)}, {.caps = {.bits = CONF_CAP(REBIND)}}, NULL},
        {{.chip = CONF_CHIP_NONE}, {.irqchip = VMR_IRQCHIP_KERNEL}, "without interrupt controllers"},
        {{.chip = CONF_CHIP_NONE}, {.irqchip = VMR_IRQCHIP_USER}, NULL},
        {{.chip = CONF_CHIP_APIC_IN_HYPERVISOR}, {.irqchip = VMR_IRQCHIP_USER}, "needs local APICs"},
        {{.chip = CONF_CHIP_APIC_IN_HYPERVISOR}, {.irqchip = VMR_IRQCHIP_SPLIT}, NULL},
        {{.quirks = CONF_QUIRK_STI_WINDOW}, {.quirks = CONF_QUIRK_STI_WINDOW}, "host quirk: sti-window"},
        {{.quirks = CONF_QUIRK_STI_WINDOW}, {.quirks = CONF_QUIRK_HW_BREAKPOINT}, NULL},
        {{.needs = CONF_CAP(MSI)}, {.is_library = true}, NULL},
    };
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool skipped = conf_is_skipped(&cases[i].backend, &cases[i].scenario, reason, sizeof(reason));

        if (skipped != (cases[i].reason != NULL) || (skipped && !strstr(reason, cases[i].reason)))
            fail_msg("case %zu: %s", i, skipped ? reason : "it runs");
    }
}

static void words_are_compared_whole(void **state)
{
    (void)state;
    assert_true(conf_words_hold("RUN-1 RUN-12", "RUN-1"));
    assert_true(conf_words_hold("RUN-12  RUN-1", "RUN-1"));
    assert_false(conf_words_hold("RUN-12", "RUN-1"));
    assert_false(conf_words_hold("RUN-1", "RUN-12"));
    assert_false(conf_words_hold("", "RUN-1"));
}

/* --- the command's face --- */

struct captured {
    int status;
    char out[16384], err[1024];
};

static void read_back(FILE *file, char *buffer, size_t size)
{
    rewind(file);
    buffer[fread(buffer, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void call(struct conf_run_options options, struct captured *ret_captured)
{
    options.out = tmpfile();
    options.err = tmpfile();
    assert_non_null(options.out);
    assert_non_null(options.err);
    ret_captured->status = conf_main(&options);
    read_back(options.out, ret_captured->out, sizeof(ret_captured->out));
    read_back(options.err, ret_captured->err, sizeof(ret_captured->err));
}

static void wrong_arguments_are_one_line_and_a_status(void **state)
{
    static const char *const no_backend[] = {"nonesuch"}, *const no_key[] = {"mock:color=red"};
    static const char *const elsewhere[] = {"whp"}, *const mock[] = {"mock"};
    const struct {
        struct conf_run_options options;
        int status;
        const char *words;
    } cases[] = {
        {{.filter = "no/such"}, CONF_EXIT_USAGE, "no/such"},
        {{.explain = "NO-1"}, CONF_EXIT_USAGE, "NO-1"},
        {{.specs = no_backend, .spec_count = 1}, CONF_EXIT_USAGE, "nonesuch"},
        {{.specs = no_key, .spec_count = 1}, CONF_EXIT_USAGE, "color"},
        {{.specs = elsewhere, .spec_count = 1}, CONF_EXIT_FAILED, "whp"},
        {{.specs = mock, .spec_count = 1, .report_folder = "/dev/null/x"}, CONF_EXIT_FAILED, "/dev/null/x"},
    };
    struct captured captured;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call(cases[i].options, &captured);
        assert_int_equal(captured.status, cases[i].status);
        assert_string_equal(captured.out, "");
        assert_non_null(strstr(captured.err, cases[i].words));
        assert_ptr_equal(strchr(captured.err, '\n'), captured.err + strlen(captured.err) - 1);
    }
}

/* The mock, with kicks that do nothing. */
static void lose_kick(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static void a_backend_of_the_callers_is_judged_as_what_it_is(void **state)
{
    struct vmr_backend deaf = *vmr_mock_backend();
    const struct vmr_backend *const backends[] = {&deaf};
    struct conf_run_options options = {.backends = backends, .backend_count = 1, .filter = "stop/*"};
    struct captured captured;

    (void)state;
    deaf.base = vmr_mock_backend();
    deaf.name = "deaf";
    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_PASSED);
    deaf.vp_kick = lose_kick;
    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_FAILED);
    assert_non_null(strstr(captured.out, "FAIL deaf: stop/"));
    assert_null(strstr(captured.out, "FAIL mock"));
    assert_non_null(strstr(strstr(captured.out, "FAIL deaf") + 1, "FAIL deaf"));
    options.fail_fast = true;
    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_FAILED);
    assert_null(strstr(strstr(captured.out, "FAIL deaf") + 1, "FAIL deaf"));
    assert_non_null(strstr(captured.out, "partial: ended after "));
    deaf.name = "mock";
    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_USAGE);
    assert_non_null(strstr(captured.err, "already has one of that name"));
}

static void explaining_a_clause_names_its_scenarios(void **state)
{
    const struct conf_run_options options = {.explain = "IO-2"};
    struct captured captured;

    (void)state;
    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_PASSED);
    assert_non_null(strstr(captured.out, "IO-2: Writes that nobody claims vanish.\n"));
    assert_non_null(strstr(captured.out, "  io/unclaimed_ports_read_ones_and_swallow_writes\n"));
}

static void certificates_are_written_whole(void **state)
{
    static const char *const specs[] = {"mock:profile=hvf-like"};
    char folder[] = "/tmp/vmrig-test-XXXXXX", path[128], text[65536];
    struct captured captured;

    (void)state;
    assert_non_null(mkdtemp(folder));
    const struct conf_run_options options = {
        .specs = specs, .spec_count = 1, .filter = "io/*", .report_folder = folder, .json = true};

    call(options, &captured);
    assert_int_equal(captured.status, CONF_EXIT_PASSED);
    assert_non_null(strstr(captured.out, "\"results\": ["));
    snprintf(path, sizeof(path), "%s/mock-profile-hvf-like.json", folder);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    read_back(file, text, sizeof(text));
    assert_non_null(strstr(text, "\"backend\": \"mock:profile=hvf-like\""));
    assert_non_null(strstr(text, "\"capabilities\": ["));
    assert_non_null(strstr(text, "\"enlightenments\": \"in the library\""));
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof(path), "%s/summary.txt", folder);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof(path), "%s/index.html", folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0); /* and nothing else lies there */
}

static void every_scenario_is_named_and_cites_clauses_that_exist(void **state)
{
    size_t count;
    const struct conf_family *const *families = conf_families(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];
            size_t cited = 0;

            assert_non_null(scenario->run);
            assert_true(strspn(scenario->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(scenario->name));
            for (size_t k = 0; k < conf_clause_count; k++)
                cited += conf_words_hold(scenario->clauses, conf_clauses[k].id);
            if (cited == 0)
                fail_msg("%s/%s cites no clause", scenario->family, scenario->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_scenarios_fail_for_their_reason),
        cmocka_unit_test(a_guest_that_nothing_stops_is_a_failure),
        cmocka_unit_test(the_watchdog_ends_what_does_not_end),
        cmocka_unit_test(what_hangs_has_as_many_attempts_as_were_given),
        cmocka_unit_test(a_wait_in_vain_says_what_it_waited_for_before_the_watchdog_bites),
        cmocka_unit_test(every_scenario_passes_on_free_threads),
        cmocka_unit_test(a_backend_that_cannot_be_opened_is_a_failure),
        cmocka_unit_test(a_skip_names_what_is_missing),
        cmocka_unit_test(words_are_compared_whole),
        cmocka_unit_test(wrong_arguments_are_one_line_and_a_status),
        cmocka_unit_test(a_backend_of_the_callers_is_judged_as_what_it_is),
        cmocka_unit_test(explaining_a_clause_names_its_scenarios),
        cmocka_unit_test(certificates_are_written_whole),
        cmocka_unit_test(every_scenario_is_named_and_cites_clauses_that_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
