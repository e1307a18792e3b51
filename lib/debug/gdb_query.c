/* SPDX-License-Identifier: MIT */
/* What the stub can do, what the target looks like, which threads there are, and which one is meant. */

#include "lib/debug/gdb.h"

#include <string.h>

#include "lib/debug/registers.h"

static void supported(struct vmr_gdb *gdb, struct request *request)
{
    gdb->wants_swbreak = request_holds(request, "swbreak+");
    gdb->wants_hwbreak = request_holds(request, "hwbreak+");
    reply_text(&gdb->out, "PacketSize=");
    reply_number(&gdb->out, VMR_GDB_PACKET_MAX);
    reply_text(&gdb->out, ";QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+");
}

static void actions(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    reply_text(&gdb->out, "vCont;c;C;s;S");
}

/* A piece of the description: "l" before the last one, "m" before the others. */
static void target(struct vmr_gdb *gdb, struct request *request)
{
    const char *text = registers_target();
    uint64_t whole = strlen(text), offset, length;

    if (!request_number(request, &offset) || !request_word(request, ",") || !request_number(request, &length) ||
        !request_is_over(request) || offset > whole) {
        gdb_error(gdb, GDB_E_WORDS);
        return;
    }
    uint64_t left = whole - offset, room = reply_room(&gdb->out) - 1;

    if (length > room)
        length = room;
    reply_text(&gdb->out, length < left ? "m" : "l");
    reply_piece(&gdb->out, text + offset, (size_t)(length < left ? length : left));
}

/* As many threads as fit, from where the last answer ended. */
static void list(struct vmr_gdb *gdb)
{
    const size_t longest = 5; /* ",", and a number up to VMR_VP_COUNT_MAX */

    if (gdb->listed == gdb->vp_count) {
        reply_text(&gdb->out, "l");
        return;
    }
    for (const char *before = "m"; gdb->listed < gdb->vp_count && reply_room(&gdb->out) >= longest; before = ",") {
        reply_text(&gdb->out, before);
        reply_number(&gdb->out, ++gdb->listed);
    }
}

static void list_first(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    gdb->listed = 0;
    list(gdb);
}

static void list_next(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    list(gdb);
}

static void current(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    reply_text(&gdb->out, "QC");
    reply_number(&gdb->out, gdb->vp + UINT64_C(1));
}

/* The guest was there before GDB, and stays when GDB leaves. */
static void attached(struct vmr_gdb *gdb, struct request *request)
{
    (void)request;
    reply_text(&gdb->out, "1");
}

static const struct {
    const char *word;
    bool alone; /* nothing may follow */
    void (*answer)(struct vmr_gdb *gdb, struct request *request);
} queries[] = {
    {"qSupported", false, supported},
    {"vCont?", true, actions},
    {"qXfer:features:read:target.xml:", false, target},
    {"qfThreadInfo", true, list_first},
    {"qsThreadInfo", true, list_next},
    {"qC", true, current},
    {"qAttached", false, attached},
};

void gdb_query(struct vmr_gdb *gdb, struct request *request)
{
    const struct request whole = {gdb->in.payload, gdb->in.length};

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        *request = whole;
        if (!request_word(request, queries[i].word) || (queries[i].alone && !request_is_over(request)))
            continue;
        queries[i].answer(gdb, request);
        return;
    }
}

/* "g" or "c", and a thread. */
void gdb_select(struct vmr_gdb *gdb, struct request *request)
{
    bool steps = request_word(request, "c"), any = false;
    vmr_vp_index vp = gdb->vp;

    if ((!steps && !request_word(request, "g")) || !gdb_thread(gdb, request, &any, &vp) || !request_is_over(request)) {
        gdb_error(gdb, GDB_E_WORDS);
        return;
    }
    if (steps) {
        gdb->step_vp_chosen = !any;
        gdb->step_vp = vp;
    } else {
        gdb->vp = vp;
    }
    gdb_ok(gdb);
}

void gdb_is_alive(struct vmr_gdb *gdb, struct request *request)
{
    vmr_vp_index vp;
    bool any;

    if (gdb_thread(gdb, request, &any, &vp) && !any && request_is_over(request))
        gdb_ok(gdb);
    else
        gdb_error(gdb, GDB_E_NO_VP);
}
