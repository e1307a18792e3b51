/* SPDX-License-Identifier: MIT */
/*
 * The list of families. A family that is not here is not run.
 */

#include "conformance/scenarios.h"

#include <string.h>

/* clang-format off: one a line */
static const struct conf_family *const families[] = {
    &conf_family_probe,
    &conf_family_lifecycle,
    &conf_family_startup,
    &conf_family_config_file,
    &conf_family_config_check,
    &conf_family_script,
    &conf_family_trace,
    &conf_family_trace_rejoin,
    &conf_family_io,
    &conf_family_mmio,
    &conf_family_exit,
    &conf_family_fatal,
    &conf_family_machine_build,
    &conf_family_memory,
    &conf_family_memory_backing,
    &conf_family_dirty,
    &conf_family_dirty_race,
    &conf_family_msr,
    &conf_family_cpuid,
    &conf_family_interrupt,
    &conf_family_interrupt_line,
    &conf_family_interrupt_ipi,
    &conf_family_interrupt_apic,
    &conf_family_interrupt_logical,
    &conf_family_interrupt_pic,
    &conf_family_events,
    &conf_family_events_doorbell,
    &conf_family_events_irqfd,
    &conf_family_debug,
    &conf_family_debug_data,
    &conf_family_debug_gdb,
    &conf_family_stop,
    &conf_family_stop_meaning,
    &conf_family_stop_wait,
    &conf_family_halt,
    &conf_family_halt_sleep,
    &conf_family_vpset,
    &conf_family_vpset_call,
    &conf_family_vpset_halt,
    &conf_family_state,
    &conf_family_state_events,
    &conf_family_reset,
    &conf_family_reset_guest,
    &conf_family_reset_set,
    &conf_family_resolve,
    &conf_family_tables,
    &conf_family_scrub,
    &conf_family_snapshot,
    &conf_family_snapshot_other,
    &conf_family_rewind,
    &conf_family_inspect,
    &conf_family_host,
    &conf_family_clock,
    &conf_family_machine,
    &conf_family_managed,
    &conf_family_hv_identity,
    &conf_family_hv_offload,
    &conf_family_hv_state,
    &conf_family_hv_trace,
    &conf_family_hypercall,
    &conf_family_hypercall_rules,
    &conf_family_hypercall_states,
    &conf_family_hypercall_output,
    &conf_family_hypercall_generated,
    &conf_family_flush,
    &conf_family_hv_calls_registers,
    &conf_family_hv_calls_start,
    &conf_family_hv_calls_interrupt,
    &conf_family_hv_calls_translate,
    &conf_family_monitor,
    &conf_family_synic_ports,
    &conf_family_synic_message,
    &conf_family_synic_event,
    &conf_family_stimer,
    &conf_family_overlay,
    &conf_family_reference_time,
    &conf_family_vtl,
    &conf_family_vtl_protect,
    &conf_family_vtl2,
    &conf_family_vtl_isolation,
};
/* clang-format on */

const struct conf_family *const *conf_families(size_t *ret_count)
{
    *ret_count = sizeof(families) / sizeof(families[0]);
    return families;
}

bool conf_words_hold(const char *words, const char *word)
{
    size_t length = strlen(word);

    while (*words) {
        size_t next = strcspn(words, " ");

        if (next == length && strncmp(words, word, length) == 0)
            return true;
        words += next;
        words += strspn(words, " ");
    }
    return false;
}
