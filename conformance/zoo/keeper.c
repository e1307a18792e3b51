/* SPDX-License-Identifier: MIT */
/*
 * Each animal is judged in a process of its own: what is broken may crash, hang
 * or leak, and the next one begins in a clean house.
 */

#define _GNU_SOURCE /* pipe2 */

#include "conformance/zoo/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/execute.h"
#include "conformance/runner.h"
#include "conformance/scenarios.h"
#include "conformance/zoo/zoo.h"

#define NAME_MAX_BYTES 192u
#define SPEC_MAX_BYTES 256u
#define SCHEDULES 2000u
#define PATIENCE_NS UINT64_C(2000000000)
#define LIMIT_S 60u /* for one animal; far above what any needs */

static const struct zoo_house *const all_houses[] = {&zoo_kicks,  &zoo_exits,      &zoo_memory,
                                                     &zoo_states, &zoo_interrupts, &zoo_guests};

enum fate {
    FATE_KILLED,   /* by a scenario of its clause */
    FATE_WRONGLY,  /* rejected, but by none that is about its defect */
    FATE_SURVIVED, /* nothing noticed */
    FATE_ABSENT,   /* its base is not here */
    FATE_BROKE     /* the judge: it crashed, or did not end */
};

/* What the child tells. A pipe takes it in one piece. */
struct verdict {
    int32_t fate;
    uint32_t judged; /* scenarios until then */
    char by[NAME_MAX_BYTES];
};

/* --- one animal, in its own process --- */

static void judge_scenario(const struct zoo_animal *animal, const struct conf_backend *backend,
                           const struct conf_scenario *scenario, struct verdict *verdict)
{
    struct conf_result result;
    char name[NAME_MAX_BYTES];

    snprintf(name, sizeof(name), "%s/%s", scenario->family, scenario->name);
    if (fnmatch(animal->filter, name, 0) != 0 || (scenario->flags & CONF_NO_BACKEND) ||
        (!backend->is_mock && (scenario->flags & CONF_MOCK_ONLY)))
        return;
    conf_execute(backend, scenario, &result);
    verdict->judged += result.verdict != CONF_SKIP;
    if (result.verdict != CONF_FAIL)
        return;
    if (verdict->fate == FATE_SURVIVED) {
        verdict->fate = FATE_WRONGLY;
        memcpy(verdict->by, name, sizeof(name));
    }
    if (!conf_words_hold(scenario->clauses, animal->clause))
        return;
    verdict->fate = FATE_KILLED;
    memcpy(verdict->by, name, sizeof(name));
}

static bool find_base(const char *name, const struct vmr_backend **ret_base)
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    *ret_base = vmr_backend_find(&set, name);
    return *ret_base && !((*ret_base)->flags & VMR_BACKEND_PROBE_ONLY);
}

/* Those whose scenarios cite the clause are asked first: they are who should notice. */
static void judge_families(const struct zoo_animal *animal, const struct conf_backend *backend, bool cited,
                           struct verdict *verdict)
{
    size_t count;
    const struct conf_family *const *families = conf_families(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < families[i]->count && verdict->fate != FATE_KILLED; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];

            if (conf_words_hold(scenario->clauses, animal->clause) == cited)
                judge_scenario(animal, backend, scenario, verdict);
        }
    }
}

/* Its table and where the runner finds it; NULL: its base is not in this build. */
static const struct vmr_backend *build(const struct zoo_animal *animal, const char *base_name,
                                       struct vmr_backend *ret_table, struct vmr_backend_state *ret_states,
                                       struct vmr_backend_set *ret_set)
{
    const struct vmr_backend *base;

    if (!find_base(base_name, &base))
        return NULL;
    zoo_make(animal, base, ret_table, ret_states);
    vmr_backend_set_init(ret_set);
    return vmr_backend_set_add(ret_set, ret_table, NULL) == VMR_OK ? base : NULL;
}

/* What the runner wants to know of it. Otherwise the verdict says why there is none. */
static bool describe(struct conf_backend *backend, struct verdict *verdict)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_error err = {.message = ""};
    char reason[CONF_TEXT_MAX];

    if (conf_backend_open(backend, &handle, &err)) {
        snprintf(verdict->by, sizeof(verdict->by), "%.180s", err.message);
        return false;
    }
    backend->irqchip = handle.irqchip;
    enum vmr_status status = handle.backend->caps(&handle, &backend->caps, &err);

    vmr_handle_close(&handle);
    if (!status && (backend->is_mock || conf_quirks_measure(backend, reason, sizeof(reason))))
        return true;
    /* It does not even get so far as to be asked. */
    verdict->fate = FATE_WRONGLY;
    snprintf(verdict->by, sizeof(verdict->by), "%.180s", status ? err.message : reason);
    return false;
}

static void judge(const struct zoo_animal *animal, const char *base_name, struct verdict *verdict)
{
    struct vmr_backend table;
    struct vmr_backend_state states;
    struct vmr_backend_set set;
    char spec[SPEC_MAX_BYTES];
    const struct vmr_backend *base = build(animal, base_name, &table, &states, &set);
    bool mock = base == vmr_mock_backend();
    const char *params = mock && animal->params ? animal->params : "";

    verdict->fate = FATE_ABSENT;
    if (!base)
        return;
    snprintf(spec, sizeof(spec), "%s%s%s", animal->name, params[0] ? ":" : "", params);
    struct conf_backend backend = {
        .spec = spec, .set = &set, .is_mock = mock, .schedule_max = SCHEDULES, .patience_ns = PATIENCE_NS};

    backend.schedules.as_found = true;

    if (!describe(&backend, verdict))
        return;
    verdict->fate = FATE_SURVIVED;
    judge_families(animal, &backend, true, verdict);
    if (verdict->fate == FATE_SURVIVED)
        judge_families(animal, &backend, false, verdict);
}

/* --- a process for each --- */

static void watch_child(pid_t child, int fd, struct verdict *verdict)
{
    struct verdict told;
    int status = 0;
    ssize_t length;

    do {
        length = read(fd, &told, sizeof(told));
    } while (length < 0 && errno == EINTR);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (length == (ssize_t)sizeof(told)) {
        *verdict = told;
        return;
    }
    verdict->fate = FATE_BROKE;
    if (WIFSIGNALED(status))
        snprintf(verdict->by, sizeof(verdict->by), "%s", strsignal(WTERMSIG(status)));
}

static bool judge_apart(const struct zoo_animal *animal, const char *base, struct verdict *verdict, FILE *err)
{
    int ends[2];

    *verdict = (struct verdict){.fate = FATE_BROKE};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fprintf(err, "vmrig certify: zoo: no pipe: %s\n", strerror(errno));
        return false;
    }
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(LIMIT_S);
        judge(animal, base, verdict);
        _exit(write(ends[1], verdict, sizeof(*verdict)) == (ssize_t)sizeof(*verdict) ? 0 : 1);
    }
    close(ends[1]);
    if (child > 0)
        watch_child(child, ends[0], verdict);
    else
        fprintf(err, "vmrig certify: zoo: no process: %s\n", strerror(errno));
    close(ends[0]);
    return child > 0;
}

/* --- the table --- */

struct tally {
    size_t killed, others, absent;
};

static void print_row(const struct zoo_animal *animal, const char *base, const struct verdict *verdict,
                      struct tally *tally, FILE *out)
{
    static const char *const words[] = {[FATE_KILLED] = "killed by",
                                        [FATE_WRONGLY] = "NOT BY ITS CLAUSE, by",
                                        [FATE_SURVIVED] = "SURVIVED",
                                        [FATE_ABSENT] = "not here:",
                                        [FATE_BROKE] = "BROKE THE JUDGE:"};

    fprintf(out, "%-4s %-26s %-9s %s %s\n", base, animal->name, animal->clause, words[verdict->fate], verdict->by);
    if (verdict->fate != FATE_KILLED && verdict->fate != FATE_ABSENT)
        fprintf(out, "     %s; %u scenarios were asked\n", animal->defect, verdict->judged);
    tally->killed += verdict->fate == FATE_KILLED;
    tally->absent += verdict->fate == FATE_ABSENT;
    tally->others += verdict->fate != FATE_KILLED && verdict->fate != FATE_ABSENT;
    fflush(out);
}

static bool judge_and_print(const struct zoo_animal *animal, const char *base, const struct zoo_options *options,
                            struct tally *tally)
{
    struct verdict verdict;

    if (options->filter && fnmatch(options->filter, animal->name, 0) != 0)
        return true;
    fflush(options->out);
    fflush(options->err);
    if (!judge_apart(animal, base, &verdict, options->err))
        return false;
    print_row(animal, base, &verdict, tally, options->out);
    return true;
}

static bool is_broken_by_one(const struct zoo_house *const *houses, size_t count, const char *clause)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < houses[i]->count; j++) {
            if (strcmp(houses[i]->animals[j].clause, clause) == 0)
                return true;
        }
    }
    return false;
}

static void print_clauses(const struct zoo_house *const *houses, size_t count, FILE *out)
{
    size_t free_of_them = 0;

    for (size_t i = 0; i < conf_clause_count; i++) {
        if (is_broken_by_one(houses, count, conf_clauses[i].id))
            continue;
        fprintf(out, "no animal breaks %s: %s\n", conf_clauses[i].id, conf_clauses[i].text);
        free_of_them++;
    }
    fprintf(out, "%zu of %zu clauses are broken by an animal\n", conf_clause_count - free_of_them, conf_clause_count);
}

int zoo_main(const struct zoo_options *options)
{
    const struct zoo_house *const *houses = options->houses ? options->houses : all_houses;
    size_t count = options->houses ? options->house_count : sizeof(all_houses) / sizeof(all_houses[0]);
    struct tally tally = {0};
    bool fine = true;

    for (size_t i = 0; fine && i < count; i++) {
        for (size_t j = 0; fine && j < houses[i]->count; j++) {
            const struct zoo_animal *animal = &houses[i]->animals[j];

            fine = judge_and_print(animal, "mock", options, &tally) &&
                   (!animal->on_kvm || judge_and_print(animal, "kvm", options, &tally));
        }
    }
    if (options->clauses)
        print_clauses(houses, count, options->out);
    size_t all = tally.killed + tally.others;

    if (all + tally.absent == 0) {
        fprintf(options->err, "vmrig certify: no animal matches '%s'\n", options->filter ? options->filter : "*");
        return CONF_EXIT_USAGE;
    }
    fprintf(options->out,
            "%zu of %zu broken hypervisors are rejected by a scenario of their clause, %zu are not here\n",
            tally.killed, all, tally.absent);
    return fine && tally.others == 0 ? CONF_EXIT_PASSED : CONF_EXIT_FAILED;
}
