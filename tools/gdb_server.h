/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A machine under GDB: a TCP port that only this host reaches, and the stub
 * behind it. GDB may lose its connection and come again; meanwhile the guest
 * stands still.
 */

#include "vmrig/gdb.h"
#include "vmrig/machine.h"

enum gdb_server_end {
    GDB_SERVER_DETACHED,  /* the guest runs on */
    GDB_SERVER_KILLED,    /* GDB wants no more of it */
    GDB_SERVER_HALTED,    /* the guest has ended by itself */
    GDB_SERVER_ATTENTION, /* somebody has called gdb_server_attend */
    GDB_SERVER_TIMEOUT,
    GDB_SERVER_FAILED
};

struct gdb_server {
    int listener;
    int attention, halted; /* events */
    uint16_t port;
};

/* So that closing is harmless. */
void gdb_server_init(struct gdb_server *server);
/* Listens at `port` of the loopback address, or where there is room if it is 0: server->port says. */
VMR_MUST_CHECK enum vmr_status gdb_server_open(struct gdb_server *server, uint16_t port, struct vmr_error *err);
/*
 * Serves until one of the ends, or `deadline_ns` of `host`. The machine is stopped, and is stopped afterwards unless
 * detached. `ret_halt` is written with HALTED, `err` with FAILED. Once.
 */
enum gdb_server_end gdb_server_run(struct gdb_server *server, struct vmr_machine *machine, const struct vmr_host *host,
                                   uint64_t deadline_ns, struct vmr_vp_set_halt *ret_halt, struct vmr_error *err);
/* Ends gdb_server_run, also one that is yet to come. Any thread. */
void gdb_server_attend(const struct gdb_server *server);
void gdb_server_close(struct gdb_server *server);
