/* SPDX-License-Identifier: MIT */
/*
 * The levels. A scenario that a backend skips because it lacks a capability
 * that the level does not need counts neither for nor against it.
 */

#include "conformance/levels.h"

#include <string.h>

#include "conformance/scenarios.h"

const struct conf_level conf_levels[] = {
    {.name = "core",
     .meaning = "makes partitions and runs guests: memory, ports, exits, stops, halts, several VPs",
     .families = "probe lifecycle startup script io mmio exit fatal memory cpuid stop halt vpset host"},
    {.name = "interactive",
     .meaning = "runs what somebody works with: interrupts, events, MSRs, guest time, debugging, recording, machines",
     .families = "interrupt events msr clock debug trace resolve machine managed"},
    {.name = "state",
     .meaning = "gives its state and takes it: reset, snapshots, rewinding, the dirty log",
     .families = "state state_events reset reset_guest reset_set snapshot rewind inspect dirty",
     .needs = CONF_CAP(DIRTY_LOG),
     .vp_classes = UINT64_C(1) << VMR_VP_REGISTERS},
    {.name = "hyperv",
     .meaning = "shows guests the Hyper-V interface: hypercalls, SynIC, timers, monitor pages, reference time",
     .families = "hv-identity hv-offload hv-state hv-trace hypercall hv-calls flush monitor synic-ports synic-message "
                 "synic-event stimer overlay reference-time",
     .needs = CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT)},
    {.name = "vtl",
     .meaning = "has virtual trust levels",
     .families = "vtl scrub",
     .needs = CONF_CAP(VTL) | CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT)},
    {.name = "full", .meaning = "all of the above", .families = "*"},
};
const size_t conf_level_count = sizeof(conf_levels) / sizeof(conf_levels[0]);

const char *conf_level_status_name(enum conf_level_status status)
{
    static const char *const names[CONF_LEVEL_STATUS_COUNT] = {
        [CONF_LEVEL_REACHED] = "reached",
        [CONF_LEVEL_FAILED] = "failed",
        [CONF_LEVEL_NOT_OFFERED] = "not offered",
        [CONF_LEVEL_INCOMPLETE] = "incomplete",
    };

    return (unsigned)status < CONF_LEVEL_STATUS_COUNT ? names[status] : "unknown";
}

bool conf_level_has(const struct conf_level *level, const char *family)
{
    return strcmp(level->families, "*") == 0 || conf_words_hold(level->families, family);
}

void conf_level_totals(const struct conf_report_data *data, const struct conf_backend *backend,
                       const struct conf_level *level, struct conf_totals *ret_totals)
{
    *ret_totals = (struct conf_totals){0};
    for (size_t i = 0; i < data->result_count; i++) {
        const struct conf_result *result = &data->results[i];

        if (strcmp(result->backend, backend->spec) == 0 && conf_level_has(level, result->scenario->family))
            ret_totals->verdicts[result->verdict]++;
    }
}

enum conf_level_status conf_level_judge(const struct conf_level *level, uint64_t caps, uint64_t vp_classes,
                                        const size_t verdicts[CONF_VERDICT_COUNT], bool partial, size_t below)
{
    if (verdicts[CONF_FAIL] > 0)
        return CONF_LEVEL_FAILED;
    if ((level->needs & ~caps) != 0 || (level->vp_classes & ~vp_classes) != 0)
        return CONF_LEVEL_NOT_OFFERED;
    /* What skips most of it, for whatever reason, has not been looked at. */
    if (partial || verdicts[CONF_PASS] == 0 || verdicts[CONF_PASS] < verdicts[CONF_SKIP])
        return CONF_LEVEL_INCOMPLETE;
    return strcmp(level->families, "*") == 0 && below > 0 ? CONF_LEVEL_NOT_OFFERED : CONF_LEVEL_REACHED;
}
