/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A machine that a command runs until its guest has printed a text, halts, or
 * somebody has had enough: with its console, stdin, clock, and perhaps a
 * recording, GDB and points at which it is saved.
 *
 *   zeroed, the upper fields filled in ─> session_init ─> session_open_hypervisor ─> session_create ─> session_run
 *   session_finish in any case
 *
 * What goes wrong is in `err`, but for session_run, which reports it.
 */

#include "tools/console.h"
#include "tools/feed.h"
#include "tools/gdb_server.h"
#include "tools/interrupt.h"
#include "tools/plan.h"
#include "tools/recording.h"
#include "tools/savepoints.h"

struct session {
    const char *command;
    struct plan plan;
    uint64_t timeout_s; /* 0: none */
    const char *record; /* NULL: do not */
    bool gdb;
    uint64_t gdb_port;
    const char *config_name; /* the file that the plan is from; NULL: options */
    void *firmware;
    struct vmr_log log;
    struct vmr_host posix, host; /* the process's; the guest's time over it */
    struct vmr_vm_clock *clock;
    struct vmr_hypervisor_handle handle;
    struct recording recording;
    struct console console;
    struct feed feed;
    struct interrupt interrupt;
    struct gdb_server server;
    struct vmr_machine *machine;
    uint64_t deadline_ns;
    bool timed_out, killed;
    struct savepoints savepoints;
    struct vmr_error err;
};

/* Clock, host, console, stdin. */
VMR_MUST_CHECK enum vmr_status session_init(struct session *session);
/* NULL: the first that is there. It runs machine code. */
VMR_MUST_CHECK enum vmr_status session_open_hypervisor(struct session *session, const char *spec);
/* The machine of the plan; everything that can be refused is refused before the recording's file is touched. */
VMR_MUST_CHECK enum vmr_status session_create(struct session *session);
/* Runs it to its end, and says on stderr how that was. The exit status. */
int session_run(struct session *session);
/* Reports `err`: a wrong specification of the hypervisor is wrong use; a value the machine refuses is a failure. */
int session_fail(struct session *session);
void session_finish(struct session *session);
