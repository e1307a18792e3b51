/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All scenarios: one row a family, in the order of the matrix.
 */

#include "conformance/conformance.h"

extern const struct conf_family conf_family_probe;
extern const struct conf_family conf_family_lifecycle;
extern const struct conf_family conf_family_startup;
extern const struct conf_family conf_family_machine_build;
extern const struct conf_family conf_family_memory;
extern const struct conf_family conf_family_memory_backing;
extern const struct conf_family conf_family_dirty;
extern const struct conf_family conf_family_dirty_race;
extern const struct conf_family conf_family_msr;
extern const struct conf_family conf_family_cpuid;
extern const struct conf_family conf_family_interrupt;
extern const struct conf_family conf_family_interrupt_line;
extern const struct conf_family conf_family_interrupt_ipi;
extern const struct conf_family conf_family_interrupt_apic;
extern const struct conf_family conf_family_interrupt_logical;
extern const struct conf_family conf_family_interrupt_pic;
extern const struct conf_family conf_family_events;
extern const struct conf_family conf_family_events_doorbell;
extern const struct conf_family conf_family_events_irqfd;
extern const struct conf_family conf_family_debug;
extern const struct conf_family conf_family_debug_data;
extern const struct conf_family conf_family_debug_gdb;
extern const struct conf_family conf_family_config_check;
extern const struct conf_family conf_family_config_file;
extern const struct conf_family conf_family_script;
extern const struct conf_family conf_family_trace;
extern const struct conf_family conf_family_trace_rejoin;
extern const struct conf_family conf_family_io;
extern const struct conf_family conf_family_mmio;
extern const struct conf_family conf_family_exit;
extern const struct conf_family conf_family_fatal;
extern const struct conf_family conf_family_stop;
extern const struct conf_family conf_family_stop_meaning;
extern const struct conf_family conf_family_stop_wait;
extern const struct conf_family conf_family_halt;
extern const struct conf_family conf_family_halt_sleep;
extern const struct conf_family conf_family_vpset;
extern const struct conf_family conf_family_vpset_call;
extern const struct conf_family conf_family_vpset_halt;
extern const struct conf_family conf_family_state;
extern const struct conf_family conf_family_state_events;
extern const struct conf_family conf_family_reset;
extern const struct conf_family conf_family_reset_guest;
extern const struct conf_family conf_family_reset_set;
extern const struct conf_family conf_family_resolve;
extern const struct conf_family conf_family_tables;
extern const struct conf_family conf_family_scrub;
extern const struct conf_family conf_family_snapshot;
extern const struct conf_family conf_family_snapshot_other;
extern const struct conf_family conf_family_rewind;
extern const struct conf_family conf_family_inspect;
extern const struct conf_family conf_family_host;
extern const struct conf_family conf_family_clock;
extern const struct conf_family conf_family_machine;
extern const struct conf_family conf_family_managed;
extern const struct conf_family conf_family_hv_identity;
extern const struct conf_family conf_family_hv_offload;
extern const struct conf_family conf_family_hv_state;
extern const struct conf_family conf_family_hv_trace;
extern const struct conf_family conf_family_hypercall;
extern const struct conf_family conf_family_hypercall_rules;
extern const struct conf_family conf_family_hypercall_states;
extern const struct conf_family conf_family_hypercall_output;
extern const struct conf_family conf_family_hypercall_generated;
extern const struct conf_family conf_family_flush;
extern const struct conf_family conf_family_hv_calls_registers;
extern const struct conf_family conf_family_hv_calls_start;
extern const struct conf_family conf_family_hv_calls_interrupt;
extern const struct conf_family conf_family_hv_calls_translate;
extern const struct conf_family conf_family_monitor;
extern const struct conf_family conf_family_synic_ports;
extern const struct conf_family conf_family_synic_message;
extern const struct conf_family conf_family_synic_event;
extern const struct conf_family conf_family_stimer;
extern const struct conf_family conf_family_overlay;
extern const struct conf_family conf_family_reference_time;
extern const struct conf_family conf_family_vtl;
extern const struct conf_family conf_family_vtl_protect;
extern const struct conf_family conf_family_vtl2;
extern const struct conf_family conf_family_vtl_isolation;

/* The families, `*ret_count` of them. */
const struct conf_family *const *conf_families(size_t *ret_count);

/* One clause of docs/contract.md; the table is generated from that page. */
struct conf_clause {
    const char *id;
    const char *text;
};
extern const struct conf_clause conf_clauses[];
extern const size_t conf_clause_count;

/* Whether `words`, separated by spaces, hold `word`. */
bool conf_words_hold(const char *words, const char *word);
