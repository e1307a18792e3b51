/* SPDX-License-Identifier: MIT */
/*
 * A connection: bytes become packets, packets find who answers them, and each
 * that is whole is answered once. What nobody knows gets the empty reply, which
 * is how GDB learns what there is.
 */

#include "lib/debug/gdb.h"

#include <stdlib.h>

/* --- what is sent --- */

static void send(struct vmr_gdb *gdb, const char *bytes, size_t length)
{
    gdb->options.send(gdb->options.context, (const uint8_t *)bytes, length);
}

void gdb_send_reply(struct vmr_gdb *gdb)
{
    reply_end(&gdb->out);
    send(gdb, gdb->out.bytes, gdb->out.length);
}

void gdb_error(struct vmr_gdb *gdb, enum gdb_error error)
{
    const uint8_t number = (uint8_t)error;

    reply_begin(&gdb->out);
    reply_text(&gdb->out, "E");
    reply_bytes(&gdb->out, &number, 1);
}

void gdb_ok(struct vmr_gdb *gdb)
{
    reply_begin(&gdb->out);
    reply_text(&gdb->out, "OK");
}

/* --- who answers --- */

bool gdb_thread(const struct vmr_gdb *gdb, struct request *request, bool *ret_any, vmr_vp_index *ret_vp)
{
    uint64_t thread;

    if (request_word(request, "-1")) {
        *ret_any = true;
        return true;
    }
    if (!request_number(request, &thread) || thread > gdb->vp_count)
        return false;
    *ret_any = thread == 0;
    if (thread != 0)
        *ret_vp = (vmr_vp_index)(thread - 1);
    return true;
}

static void halt_reason(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    gdb_report(gdb);
}

static void without_acks(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    gdb_ok(gdb);
    gdb->without_acks = true;
}

static void end(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    gdb_ok(gdb);
    gdb->state = VMR_GDB_KILLED;
}

static const struct command {
    const char *word;
    bool alone; /* nothing may follow */
    void (*answer)(struct vmr_gdb *gdb, struct request *request);
} commands[] = {
    {"?", true, halt_reason},
    {"g", true, gdb_read_registers},
    {"G", false, gdb_write_registers},
    {"p", false, gdb_read_register},
    {"P", false, gdb_write_register},
    {"m", false, gdb_read_memory},
    {"M", false, gdb_write_memory},
    {"X", false, gdb_write_binary},
    {"c", false, gdb_continue},
    {"s", false, gdb_step},
    {"vCont;", false, gdb_vcont},
    {"Z", false, gdb_add_point},
    {"z", false, gdb_remove_point},
    {"H", false, gdb_select},
    {"T", false, gdb_is_alive},
    {"QStartNoAckMode", true, without_acks},
    {"q", false, gdb_query},
    {"vCont?", true, gdb_query},
    {"D", true, gdb_detach},
    {"vKill", false, end},
    {"k", true, end},
};

static void answer(struct vmr_gdb *gdb)
{
    reply_begin(&gdb->out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct request request = {gdb->in.payload, gdb->in.length};

        if (!request_word(&request, commands[i].word) || (commands[i].alone && !request_is_over(&request)))
            continue;
        commands[i].answer(gdb, &request);
        break;
    }
    /* A run is answered by its halt; a plain k has no answer, but nobody is harmed by one. */
    if (gdb->state != VMR_GDB_RUNNING)
        gdb_send_reply(gdb);
}

/* --- what comes --- */

static void acknowledge(struct vmr_gdb *gdb, bool whole)
{
    if (!gdb->without_acks)
        send(gdb, whole ? "+" : "-", 1);
}

static void take_running(struct vmr_gdb *gdb, enum packet_event event)
{
    /* If a VP halted first, its halt is the answer, and this is none of it. */
    if (event == PACKET_INTERRUPT)
        (void)vmr_vp_set_halt_all(gdb->options.set, gdb->vp, VMR_HALT_STOP);
}

static void take_stopped(struct vmr_gdb *gdb, enum packet_event event)
{
    switch (event) {
    case PACKET_WHOLE:
        acknowledge(gdb, true);
        answer(gdb);
        break;
    case PACKET_TOO_LONG:
        acknowledge(gdb, true);
        gdb_error(gdb, GDB_E_TOO_LONG);
        gdb_send_reply(gdb);
        break;
    case PACKET_DAMAGED:
        acknowledge(gdb, false);
        break;
    case PACKET_AGAIN:
        if (!gdb->without_acks && gdb->out.length > 0)
            send(gdb, gdb->out.bytes, gdb->out.length);
        break;
    case PACKET_NONE:
    case PACKET_INTERRUPT: /* they stand still already */
        break;
    }
}

enum vmr_gdb_state vmr_gdb_receive(struct vmr_gdb *gdb, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        enum packet_event event = packet_take(&gdb->in, bytes[i]);

        if (gdb->state == VMR_GDB_RUNNING)
            take_running(gdb, event);
        else if (gdb->state == VMR_GDB_STOPPED)
            take_stopped(gdb, event);
    }
    return gdb->state;
}

/* --- beginning and end --- */

static enum vmr_status find_partition(void *partition, struct vmr_vp *vp)
{
    *(struct vmr_partition **)partition = vmr_vp_partition(vp);
    return VMR_OK;
}

static enum vmr_status begin(struct vmr_gdb *gdb, struct vmr_error *err)
{
    /* Holding is for stopped sets alone, and letting go of a VP that is not held changes nothing. */
    enum vmr_status status = vmr_vp_set_hold(gdb->options.set, 0, false);

    if (status)
        return vmr_error_set(err, status, "GDB stub: the VP set is not stopped");
    status = vmr_vp_set_call(gdb->options.set, 0, find_partition, &gdb->partition);
    if (status)
        return vmr_error_set(err, status, "GDB stub: VP 0 cannot be called: %s", vmr_status_name(status));
    gdb->vp_count = vmr_partition_vp_count(gdb->partition);
    gdb->actions = calloc(gdb->vp_count, sizeof(*gdb->actions));
    return gdb->actions ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "GDB stub: out of memory");
}

enum vmr_status vmr_gdb_create(const struct vmr_gdb_options *options, struct vmr_gdb **ret_gdb, struct vmr_error *err)
{
    if (!options->set || !options->send)
        return vmr_error_set(err, VMR_E_USAGE, "GDB stub: options.%s is missing", options->set ? "send" : "set");
    struct vmr_gdb *gdb = calloc(1, sizeof(*gdb));

    if (!gdb)
        return vmr_error_set(err, VMR_E_NOMEM, "GDB stub: out of memory");
    gdb->options = *options;
    enum vmr_status status = begin(gdb, err);

    if (status) {
        free(gdb->actions);
        free(gdb);
        return status;
    }
    *ret_gdb = gdb;
    return VMR_OK;
}

void vmr_gdb_destroy(struct vmr_gdb *gdb)
{
    if (!gdb)
        return;
    if (gdb->state == VMR_GDB_RUNNING) {
        enum vmr_status status = vmr_vp_set_stop(gdb->options.set);

        (void)status; /* a virtual host at its end, where nothing runs any more either */
    }
    if (gdb->state != VMR_GDB_DETACHED)
        gdb_let_go(gdb);
    free(gdb->actions);
    free(gdb);
}
