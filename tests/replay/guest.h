/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Recordings made here and now, on the mock: a whole machine whose VPs run
 * guest programs. They need no golden file, no hypervisor and no time.
 */

#include "tests/replay/bytes.h"
#include "vmrig/mock.h"
#include "vmrig/platform.h"

#define GUEST_VP_MAX 2u

struct guest {
    uint32_t vps;
    const struct vmr_program *programs[GUEST_VP_MAX]; /* NULL: a VP that nobody starts */
    const char *spec;                                 /* of the mock; NULL: "mock" */
    enum vmr_trace_codec codec;
    const char *input;               /* brought to the serial port from another thread, once the VPs run; NULL: none */
    struct vmr_trace_sink sink;      /* in place of ret_trace, if given */
    struct vmr_console_sink console; /* in place of ret_console, if given */
};

/* The program of VP 0 ends by a write to the debug exit, port 0xf4. Aborts the process if anything fails. */
void guest_record(const struct guest *guest, struct bytes *ret_trace, struct bytes *ret_console);

/* Prints on both consoles, reads the CMOS, sleeps until three ticks of the timer. */
extern const struct vmr_program guest_devices;
/* Starts VP 1, sends it interrupts, and prints meanwhile. */
extern const struct vmr_program guest_boss, guest_worker;
/* Sleeps until there is something on the serial port, and sends back each character up to the end of a line. */
extern const struct vmr_program guest_echo;
/* Prints for ever; each character takes four exits. */
extern const struct vmr_program guest_endless;
/* A long recording: 32,000 port accesses, several blocks. */
extern const struct vmr_program guest_long;
