/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One step of a guest program as machine code.
 */

#include "conformance/x86_64/image.h"

/* What a step needs to know of its surroundings. */
struct lowering {
    struct code *code;
    const struct vmr_program *program;
    vmr_vp_index vp;
    uint32_t first_step; /* the label of step 0 */
    uint32_t mismatch;   /* the label of the code that reports: step in ECX, value in RBX */
    uint32_t end;        /* the label of the code that ends the program */
};

/* Lowers step `index`, which vmr_program_check has accepted. */
void lower_step(struct lowering *lowering, uint32_t index);
