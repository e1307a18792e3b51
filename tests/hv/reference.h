/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A second implementation of the hypercall interface, to compare with: slow,
 * byte by byte, and written from the specification alone. It takes types and
 * status codes from the public header and nothing else; sizes, bit positions
 * and registers are its own.
 *
 * Guest memory is an array: pages 0 and 1 are RAM, page 2 is a hole, page 3 can
 * be read only.
 */

#include "vmrig/hv.h"

#define REFERENCE_RAM_BYTES (4u * 4096u)
#define REFERENCE_NEVER UINT32_MAX

/* How a handler behaves, and what it has done: the same code for the library's handler and for the model's. */
struct reference_handler {
    uint32_t fail_at; /* the element before which it gives up; simple calls: 0 or never */
    uint16_t fail_status;
    uint32_t timeout_at; /* the element before which it asks for a retry, once */
    bool timed_out;
    uint64_t log; /* of everything it was given, element by element */
};

struct reference_call {
    const struct vmr_hv_caller *caller;
    struct reference_handler *handler;
    struct vmr_hv_call_registers *registers;
    uint8_t *ram;
};

/* What one element of input becomes: `index` is its number in the whole list. */
struct reference_item {
    uint16_t code;
    uint32_t index;
    const uint8_t *fixed, *variable, *element;
    size_t fixed_bytes, variable_bytes, element_bytes;
};

/* Adds the item to the log and fills its output. */
void reference_work(struct reference_handler *handler, const struct reference_item *item, uint8_t *ret_output,
                    size_t output_bytes);

/* Success if element `index` may be done. */
enum hv_status reference_decide(struct reference_handler *handler, uint32_t index);

/* Changes registers and memory as one hypercall instruction does. VTL switches are always allowed. */
void reference_dispatch(const struct reference_call *call, struct vmr_hv_result *ret_result);

/* The calls that the model knows. Sizes in bytes; element sizes are those of rep calls. */
struct reference_shape {
    uint16_t code;
    bool rep, variable, x86_only;
    uint8_t privilege_bit; /* 0: none */
    unsigned fixed, element, element_output, output;
    unsigned fixed_arm64, output_arm64; /* 0: as above */
};

const struct reference_shape *reference_shape_at(size_t index); /* NULL behind the last */
