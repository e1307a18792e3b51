/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests on the real /dev/kvm share: a machine that is there or the
 * test is skipped, code as bytes, and an interrupt handler.
 */

#include "tests/backends/kvm/machine.h"

/* A test that hangs ends as a failure of its program. */
#define WATCHDOG_S 50u

struct fixture {
    struct machine machine;
    const struct vmr_backend *backend;
};

/* Skips the test where there is no KVM to open; any other failure is the test's. */
void fixture_start(struct fixture *fixture, const struct machine_options *options);
void fixture_finish(struct fixture *fixture);

#define LOAD(fixture, ...)                                                                                             \
    do {                                                                                                               \
        static const unsigned char code[] = {__VA_ARGS__};                                                             \
        machine_load(&(fixture)->machine, code, sizeof(code));                                                         \
    } while (0)

#define HANDLER_GPA (CODE_GPA + 0x100u)

/* Puts `out 0x40,al; iret` at HANDLER_GPA and points real-mode vector `vector` at it. */
void fixture_load_handler(struct fixture *fixture, uint8_t vector);
