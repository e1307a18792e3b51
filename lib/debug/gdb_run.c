/* SPDX-License-Identifier: MIT */
/*
 * Going on and standing still. All-stop: when one VP halts all have, before GDB
 * is told. What each VP does in a resume is put down first, and then brought to
 * the VPs: who stays is held, who steps is told to.
 */

#include "lib/debug/gdb.h"

#include <string.h>

/* What GDB is told: numbers of its own, which are those of most systems. */
enum gdb_signal {
    SIGNAL_INT = 2,
    SIGNAL_TRAP = 5,
    SIGNAL_ABORT = 6,
    SIGNAL_FAULT = 11
};

/* --- why they stand still --- */

static uint8_t signal_of(enum vmr_halt_reason reason)
{
    switch ((int)reason) {
    case VMR_HALT_STOP:
        return SIGNAL_INT;
    case VMR_HALT_TRIPLE_FAULT:
        return SIGNAL_FAULT;
    case VMR_HALT_FATAL:
        return SIGNAL_ABORT;
    default:
        return SIGNAL_TRAP;
    }
}

/* Which of GDB's breakpoints it was: a watchpoint by its address, the others if GDB knows the word. */
static void report_point(struct vmr_gdb *gdb, const struct point *point)
{
    struct reply *reply = &gdb->out;

    if (point->kind == POINT_SOFTWARE && gdb->wants_swbreak)
        reply_text(reply, "swbreak:;");
    else if (point->kind == POINT_HARDWARE && gdb->wants_hwbreak)
        reply_text(reply, "hwbreak:;");
    if (point->kind != POINT_WRITE && point->kind != POINT_ACCESS)
        return;
    reply_text(reply, point->kind == POINT_WRITE ? "watch:" : "awatch:");
    reply_number(reply, point->address);
    reply_text(reply, ";");
}

void gdb_report(struct vmr_gdb *gdb)
{
    const struct vmr_run_result *result = &gdb->halt.result;
    const uint8_t signal = signal_of(result->reason);

    reply_begin(&gdb->out);
    reply_text(&gdb->out, "T");
    reply_bytes(&gdb->out, &signal, 1);
    reply_text(&gdb->out, "thread:");
    reply_number(&gdb->out, gdb->halt.vp + UINT64_C(1));
    reply_text(&gdb->out, ";");
    if (result->reason == VMR_HALT_HW_BREAK && gdb->points.slots[result->breakpoint].used)
        report_point(gdb, &gdb->points.slots[result->breakpoint]);
}

static void tell_exit(struct vmr_gdb *gdb, const char *how, uint8_t value)
{
    reply_begin(&gdb->out);
    reply_text(&gdb->out, how);
    reply_bytes(&gdb->out, &value, 1);
    gdb_send_reply(gdb);
    gdb->state = VMR_GDB_EXITED;
}

enum vmr_gdb_state vmr_gdb_exit(struct vmr_gdb *gdb, uint8_t code)
{
    if (gdb->state == VMR_GDB_RUNNING)
        tell_exit(gdb, "W", code);
    return gdb->state;
}

static bool is_end(enum vmr_halt_reason reason)
{
    return reason == VMR_HALT_POWER_OFF || reason == VMR_HALT_RESET || reason == VMR_HALT_HIBERNATE;
}

enum vmr_gdb_state vmr_gdb_halted(struct vmr_gdb *gdb, const struct vmr_vp_set_halt *halt)
{
    if (gdb->state != VMR_GDB_RUNNING || halt->result.reason == VMR_HALT_NONE)
        return gdb->state;
    if (vmr_vp_set_stop(gdb->options.set) != VMR_OK) {
        tell_exit(gdb, "X", SIGNAL_ABORT);
        return gdb->state;
    }
    if (is_end(halt->result.reason))
        return vmr_gdb_exit(gdb, 0);
    gdb->halt = *halt;
    gdb->vp = halt->vp;
    gdb->state = VMR_GDB_STOPPED;
    gdb_report(gdb);
    gdb_send_reply(gdb);
    return gdb->state;
}

/* --- going on --- */

static enum vmr_status set_debug(void *state, struct vmr_vp *vp)
{
    return vmr_vp_set_debug_state(vp, state);
}

static enum vmr_status prepare(struct vmr_gdb *gdb, vmr_vp_index vp)
{
    struct vmr_debug_state state = {.single_step = gdb->actions[vp] == ACTION_STEP};
    enum vmr_status status = vmr_vp_set_hold(gdb->options.set, vp, gdb->actions[vp] == ACTION_STAY);

    points_to_state(&gdb->points, &state);
    return status ? status : vmr_vp_set_call(gdb->options.set, vp, set_debug, &state);
}

/* By the actions. Leaves an error, or runs. */
static void go(struct vmr_gdb *gdb)
{
    enum vmr_status status = VMR_OK;

    for (vmr_vp_index vp = 0; vp < gdb->vp_count && !status; vp++)
        status = prepare(gdb, vp);
    if (!status)
        status = vmr_vp_set_start(gdb->options.set);
    if (status)
        gdb_error(gdb, status == VMR_E_UNSUPPORTED ? GDB_E_CANNOT : GDB_E_REFUSED);
    else
        gdb->state = VMR_GDB_RUNNING;
}

static void all_do(struct vmr_gdb *gdb, enum gdb_action action)
{
    memset(gdb->actions, (int)action, gdb->vp_count);
}

/* The address at which the selected VP is to go on, if one is given. False: an error is left. */
static bool take_address(struct vmr_gdb *gdb, struct request *request)
{
    struct vmr_x86_regs regs;
    uint64_t rip;

    if (request_is_over(request))
        return true;
    if (!request_number(request, &rip) || !request_is_over(request)) {
        gdb_error(gdb, GDB_E_WORDS);
        return false;
    }
    enum vmr_status status = gdb_get_regs(gdb, &regs);

    regs.rip = rip;
    if (!status)
        status = gdb_set_regs(gdb, &regs);
    if (status)
        gdb_error(gdb, GDB_E_REFUSED);
    return status == VMR_OK;
}

void gdb_continue(struct vmr_gdb *gdb, struct request *request)
{
    if (!take_address(gdb, request))
        return;
    all_do(gdb, ACTION_CONTINUE);
    go(gdb);
}

void gdb_step(struct vmr_gdb *gdb, struct request *request)
{
    if (!take_address(gdb, request))
        return;
    all_do(gdb, ACTION_CONTINUE);
    gdb->actions[gdb->step_vp_chosen ? gdb->step_vp : gdb->vp] = ACTION_STEP;
    go(gdb);
}

/* `c`, `s`, and the same with a signal, which no processor takes. */
static bool take_action(struct request *request, enum gdb_action *ret_action)
{
    uint64_t signal;

    *ret_action = request->left > 0 && (*request->at | 0x20) == 's' ? ACTION_STEP : ACTION_CONTINUE;
    if (request_word(request, "c") || request_word(request, "s"))
        return true;
    return (request_word(request, "C") || request_word(request, "S")) && request_number(request, &signal);
}

/* An action is for a VP, or for all that have none yet: the first that fits counts. */
static void put_action(struct vmr_gdb *gdb, enum gdb_action action, bool any, vmr_vp_index only)
{
    vmr_vp_index first = any ? 0 : only, last = any ? gdb->vp_count - 1 : only;

    for (vmr_vp_index vp = first; vp <= last; vp++) {
        if (gdb->actions[vp] == ACTION_STAY)
            gdb->actions[vp] = (uint8_t)action;
    }
}

static bool take_actions(struct vmr_gdb *gdb, struct request *request)
{
    do {
        enum gdb_action action;
        vmr_vp_index only = 0;
        bool any = true;

        if (!take_action(request, &action))
            return false;
        if (request_word(request, ":") && !gdb_thread(gdb, request, &any, &only))
            return false;
        put_action(gdb, action, any, only);
    } while (request_word(request, ";"));
    return request_is_over(request);
}

void gdb_vcont(struct vmr_gdb *gdb, struct request *request)
{
    all_do(gdb, ACTION_STAY);
    if (take_actions(gdb, request))
        go(gdb);
    else
        gdb_error(gdb, GDB_E_WORDS);
}

/* --- leaving --- */

void gdb_let_go(struct vmr_gdb *gdb)
{
    static struct vmr_debug_state *const none = NULL;

    /* A VP that refuses has failed or is gone, and has nothing to be let go of. */
    for (vmr_vp_index vp = 0; vp < gdb->vp_count; vp++) {
        enum vmr_status held = vmr_vp_set_hold(gdb->options.set, vp, false);
        enum vmr_status told = vmr_vp_set_call(gdb->options.set, vp, set_debug, none);

        (void)held;
        (void)told;
    }
}

void gdb_detach(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    gdb_let_go(gdb);
    if (vmr_vp_set_start(gdb->options.set) != VMR_OK) {
        gdb_error(gdb, GDB_E_REFUSED);
        return;
    }
    gdb_ok(gdb);
    gdb->state = VMR_GDB_DETACHED;
}
