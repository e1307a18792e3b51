/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A stub for GDB: the VPs of a set as the threads of a remote target, over bytes
 * that the embedder carries (GDB manual, appendix E, all-stop mode). It opens
 * nothing, starts no thread and trusts no byte.
 *
 *   create ──> STOPPED ──receive: continue, step──> RUNNING ──halted──> STOPPED ──> destroy
 *                 │ receive: detach, kill                │ halted, exit: the guest has ended
 *                 └──> DETACHED, KILLED                  └──> EXITED
 *
 *   status = vmr_gdb_create(&options, &gdb, &err);
 *   while bytes come from GDB:
 *     state = vmr_gdb_receive(gdb, bytes, length);
 *     if state is VMR_GDB_RUNNING: wait on another thread with vmr_vp_set_wait, while bytes are still received here
 *                                  (Ctrl-C is one); then vmr_gdb_halted
 *
 * What GDB sees. Thread n is VP n - 1. Registers: the general, segment and system
 * ones; the x87's are unavailable. Addresses are the guest's own, by the tables of
 * the VP that is selected, or physical while it has paging off: in real mode GDB's
 * $pc lacks the code segment's base. Breakpoints of all kinds, also those that GDB
 * calls software breakpoints, are the processor's four (VMR_CAP_HW_BREAKPOINT); no
 * byte of the guest is changed for them. Selectors cannot be written.
 *
 * All calls: one thread at a time, which is no VP's.
 */

#include "vmrig/vp_set.h"

VMR_BEGIN_DECLS

struct vmr_gdb;

enum vmr_gdb_state {
    VMR_GDB_STOPPED,  /* no VP runs */
    VMR_GDB_RUNNING,  /* VPs run: wait for their halt, and hand it to vmr_gdb_halted */
    VMR_GDB_DETACHED, /* GDB is gone; all VPs run on, with no debug state left */
    VMR_GDB_KILLED,   /* GDB wants the guest gone; no VP runs */
    VMR_GDB_EXITED    /* GDB was told that the guest has ended; no VP runs */
};

struct vmr_gdb_options {
    struct vmr_vp_set *set; /* required; must outlive the stub, which alone starts, stops and holds its VPs meanwhile */
    /* Carries bytes to GDB; required. Called from within the calls below. */
    void (*send)(void *context, const uint8_t *bytes, size_t length);
    void *context;
};

/* VMR_E_STATE unless the set is stopped. The VPs stay where they are. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_gdb_create(const struct vmr_gdb_options *options, struct vmr_gdb **ret_gdb,
                                                      struct vmr_error *err);
/* Unless detached, stops the VPs and takes their debug state and holds away. NULL is fine. */
VMR_API void vmr_gdb_destroy(struct vmr_gdb *gdb);

/*
 * Takes bytes from GDB, cut anywhere, and answers them. While VPs run, Ctrl-C
 * halts them (VMR_HALT_STOP), and the rest is thrown away; once GDB is gone or the
 * guest ended, all is. No packet is longer than VMR_GDB_PACKET_MAX. [DBG-5] [DBG-6]
 */
VMR_API enum vmr_gdb_state vmr_gdb_receive(struct vmr_gdb *gdb, const uint8_t *bytes, size_t length);

/*
 * What vmr_vp_set_wait reported: stops all VPs, and tells GDB why and where. A
 * power off, a reset and a hibernation are the guest's end; a deadline is nothing.
 */
VMR_API enum vmr_gdb_state vmr_gdb_halted(struct vmr_gdb *gdb, const struct vmr_vp_set_halt *halt);

/* Tells a GDB that waits for a halt that the guest has ended, with `code`. VPs stopped. Nothing unless RUNNING. */
VMR_API enum vmr_gdb_state vmr_gdb_exit(struct vmr_gdb *gdb, uint8_t code);

VMR_END_DECLS
