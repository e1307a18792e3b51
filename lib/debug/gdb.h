/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The stub, shared by its files: what carries packets (gdb.c), what moves VPs
 * (gdb_run.c), what looks into them (gdb_look.c), and what answers questions about
 * the stub itself (gdb_query.c).
 */

#include "lib/debug/packet.h"
#include "lib/debug/points.h"
#include "lib/debug/request.h"
#include "vmrig/gdb.h"

/* What a VP does when the others go on. */
enum gdb_action {
    ACTION_STAY,
    ACTION_CONTINUE,
    ACTION_STEP
};

/* Numbers of the E packet: GDB shows them and looks no further. They are those of errno. */
enum gdb_error {
    GDB_E_REFUSED = 1,  /* EPERM: the library or the hypervisor will not */
    GDB_E_NO_VP = 3,    /* ESRCH */
    GDB_E_MEMORY = 14,  /* EFAULT */
    GDB_E_WORDS = 22,   /* EINVAL: the packet makes no sense */
    GDB_E_FULL = 28,    /* ENOSPC: all four breakpoints are taken */
    GDB_E_CANNOT = 95,  /* EOPNOTSUPP: the hypervisor has nothing of the kind */
    GDB_E_TOO_LONG = 90 /* EMSGSIZE */
};

struct vmr_gdb {
    struct vmr_gdb_options options;
    struct vmr_partition *partition;
    uint32_t vp_count;
    enum vmr_gdb_state state;

    struct packet_reader in;
    struct reply out; /* the last packet sent */
    bool without_acks;
    bool wants_swbreak, wants_hwbreak; /* GDB understands these stop reasons */

    vmr_vp_index vp;      /* that g, m and the like are about */
    bool step_vp_chosen;  /* by Hc */
    vmr_vp_index step_vp; /* that `s` steps, if chosen; else it is `vp` */
    vmr_vp_index listed;  /* VPs that were listed so far */
    uint8_t *actions;     /* of each VP, while a resume is put together */
    struct points points;
    struct vmr_vp_set_halt halt; /* the last; why no VP runs */
};

/* --- gdb.c --- */

void gdb_error(struct vmr_gdb *gdb, enum gdb_error error);
void gdb_ok(struct vmr_gdb *gdb);
/* Closes the reply and sends it. */
void gdb_send_reply(struct vmr_gdb *gdb);
/* "-1", "0" and numbers of VPs. GDB's threads begin at 1. False: none of these, or no such VP. */
bool gdb_thread(const struct vmr_gdb *gdb, struct request *request, bool *ret_any, vmr_vp_index *ret_vp);

/* --- gdb_run.c: each leaves a reply, or has begun to run and leaves none --- */

void gdb_report(struct vmr_gdb *gdb); /* why the VPs stand still */
void gdb_continue(struct vmr_gdb *gdb, struct request *request);
void gdb_step(struct vmr_gdb *gdb, struct request *request);
void gdb_vcont(struct vmr_gdb *gdb, struct request *request);
void gdb_detach(struct vmr_gdb *gdb, struct request *request);
/* No debug state on any VP, none held. */
void gdb_let_go(struct vmr_gdb *gdb);

/* --- gdb_look.c: each leaves a reply --- */

void gdb_read_registers(struct vmr_gdb *gdb, struct request *request);
void gdb_write_registers(struct vmr_gdb *gdb, struct request *request);
void gdb_read_register(struct vmr_gdb *gdb, struct request *request);
void gdb_write_register(struct vmr_gdb *gdb, struct request *request);
void gdb_read_memory(struct vmr_gdb *gdb, struct request *request);
void gdb_write_memory(struct vmr_gdb *gdb, struct request *request);
void gdb_write_binary(struct vmr_gdb *gdb, struct request *request);
void gdb_add_point(struct vmr_gdb *gdb, struct request *request);
void gdb_remove_point(struct vmr_gdb *gdb, struct request *request);
enum vmr_status gdb_get_regs(struct vmr_gdb *gdb, struct vmr_x86_regs *ret_regs);
enum vmr_status gdb_set_regs(struct vmr_gdb *gdb, const struct vmr_x86_regs *regs);

/* --- gdb_query.c: each leaves a reply, an empty one for what it does not know --- */

void gdb_query(struct vmr_gdb *gdb, struct request *request);
void gdb_select(struct vmr_gdb *gdb, struct request *request);
void gdb_is_alive(struct vmr_gdb *gdb, struct request *request);
