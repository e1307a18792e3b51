/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The hypercall input value ("control word"), its rules, and the result value.
 */

#include "vmrig/hv.h"

struct control {
    uint16_t code;
    bool fast;
    uint16_t variable_words;
    uint16_t rep_count, rep_start;
    bool reserved; /* a reserved bit is set */
};

/* The input and output of one call, in bytes: what the whole list takes, wherever it starts. */
struct control_extent {
    uint32_t input, output;
};

void control_decode(uint64_t wire_control, struct control *ret_control);

/* HV_STATUS_INVALID_HYPERCALL_INPUT if the control word does not fit the kind of call. */
enum hv_status control_check(const struct control *control, const struct vmr_hv_call_definition *definition);

/* Of a control word that was checked. */
struct control_extent control_measure(const struct control *control, const struct vmr_hv_call_sizes *sizes);

/* The same control word, to go on at `rep_start`. */
uint64_t control_restart(uint64_t wire_control, uint32_t rep_start);

uint64_t control_result(uint16_t status, uint32_t completed);
