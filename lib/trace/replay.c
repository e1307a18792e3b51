/* SPDX-License-Identifier: MIT */
/*
 * The player. Records are taken strictly in order, whoever asks; the first
 * thing that the library does otherwise ends the replay, with both sides kept
 * for the report. [TRC-2]
 */

#include "lib/trace/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/trace/recorder.h"
#include "lib/trace/trace_text.h"
#include "vmrig/run.h"

void replay_finish_with(struct vmr_replay *replay, enum vmr_status status)
{
    if (replay_is_over(replay))
        return;
    replay->result.status = status;
    replay->result.ended = status == VMR_OK;
    replay->result.exits = replay->exits;
    replay->result.records = replay->records;
    sync_store_u32(&replay->host, &replay->over, 1);
}

/* --- the next record --- */

static void load_head(struct vmr_replay *replay)
{
    bool end = false;

    do {
        enum vmr_status status = trace_reader_next(replay->reader, &replay->head, &end, &replay->result.error);

        if (status || end) {
            trace_reader_info(replay->reader, &replay->info);
            replay->result.cut = !status && replay->info.cut;
            replay->head = (struct trace_record){.vp = TRACE_NO_VP};
            replay_finish_with(replay, status);
            return;
        }
    } while (!trace_kind_info(replay->head.kind)); /* optional, and unknown here */
}

static bool is_answer(unsigned kind)
{
    return kind >= TRACE_ANSWER && kind <= TRACE_ANSWER_HYPERCALL;
}

static bool ends_stretch(unsigned kind)
{
    return kind == TRACE_EXIT || kind == TRACE_PARK || kind == TRACE_ENTER || kind == TRACE_WAIT;
}

/*
 * A request makes the loop finish the pending exit and leave, so the next
 * records are: an answer, completions, LEAVE. Looks for it behind the head.
 * False: the VP goes on, or finishes its exit for another reason.
 */
static bool find_leave(struct vmr_replay *replay, uint64_t *ret_why)
{
    struct trace_peek peek;
    struct trace_peeked seen;
    bool completing = replay->head.kind == TRACE_COMPLETE;
    bool went_on = completing && replay->head.vp_exit->kind != VMR_EXIT_NONE;

    if (replay->head.kind == TRACE_LEAVE) {
        *ret_why = replay->head.value[0];
        return true;
    }
    if (!completing && !is_answer(replay->head.kind))
        return false;
    trace_reader_peek_begin(replay->reader, &peek);
    while (trace_reader_peek(replay->reader, &peek, &seen)) {
        if (seen.vp != replay->head.vp || ends_stretch(seen.kind))
            return false;
        if (seen.kind == TRACE_LEAVE) {
            *ret_why = seen.first;
            return true;
        }
        if (seen.kind == TRACE_HALT) {
            /* An exit of the same instruction halted the VP, and the request waited for the next run: which it was is
             * not known yet. Without such an exit the VP halted by itself, and finished its exit for that. */
            *ret_why = VMR_LEAVE_YIELD;
            return went_on;
        }
        if (!completing && seen.kind != TRACE_COMPLETE)
            return false;
        completing = true;
        went_on |= seen.kind == TRACE_COMPLETE && seen.first != VMR_EXIT_NONE;
    }
    return false;
}

static void request(struct vmr_replay *replay, struct replay_vp *vp, uint64_t why)
{
    vp->requested = true;
    /* An embedder may stop all VPs for this one, each in its own way. */
    replay->halted |= why == VMR_LEAVE_STOP;
    if (why == VMR_LEAVE_STOP && replay->options.stop)
        replay->options.stop(replay->options.context, vp->index);
    else if (why == VMR_LEAVE_KICK && replay->partition)
        (void)vmr_partition_kick(replay->partition, vp->index);
    else if (why == VMR_LEAVE_YIELD && replay->partition)
        (void)vmr_partition_request_yield(replay->partition, vp->index);
}

/*
 * Requests of other threads are not records of their own: that the VP left is.
 * The loop looks for them only between its records, so they are made right
 * after the last record that comes before what they cause. [RUN-3]
 */
static void make_requests(struct vmr_replay *replay)
{
    uint64_t why;

    if (replay_is_over(replay) || replay->head.vp >= replay->vp_count || !replay->has_turn ||
        replay->turn != replay->head.vp)
        return;
    struct replay_vp *vp = replay->vps[replay->head.vp];

    if (vp && vp->entered && !vp->requested && find_leave(replay, &why) && why != VMR_LEAVE_STEP)
        request(replay, vp, why);
}

void replay_advance(struct vmr_replay *replay)
{
    if (replay->counter && trace_writer_append(replay->counter, &replay->head))
        replay->uncounted = true;
    replay->records++;
    load_head(replay);
    make_requests(replay);
}

bool replay_next_is(const struct vmr_replay *replay, enum trace_kind kind)
{
    return !replay_is_over(replay) && replay->head.kind == kind &&
           replay->head.vp == (replay->has_turn ? replay->turn : TRACE_NO_VP);
}

/* --- operations inside and outside of runs --- */

bool replay_enter(struct vmr_replay *replay, struct replay_vp *vp, bool *ret_had)
{
    /* What is set then is where the replay begins: nothing of the trace. */
    *ret_had = replay_is_standing(replay) || replay_owns(replay);
    if (replay_is_standing(replay))
        return false;
    return *ret_had ? !replay_is_over(replay) : replay_take(replay, vp);
}

void replay_leave(struct vmr_replay *replay, bool had)
{
    if (!had && replay_owns(replay))
        replay_give(replay);
}

/* --- the first divergence --- */

static void put_exit_before(const struct vmr_replay *replay, struct writer *line)
{
    char text[160] = "no exit yet";
    uint32_t vp = replay->has_turn ? replay->turn : replay->head.vp;
    const struct replay_vp *player = vp < replay->vp_count ? replay->vps[vp] : NULL;

    if (player && player->last.kind != VMR_EXIT_NONE)
        (void)vmr_exit_print(&player->last, text, sizeof(text));
    writer_copy(line, text, strlen(text));
    writer_u8(line, 0);
}

static void put_recorded(const struct vmr_replay *replay, struct writer *line)
{
    if (replay->head.kind == TRACE_NONE)
        writer_copy(line, "the end", 7);
    else
        trace_text_print_body(line, &replay->head);
    writer_u8(line, 0);
}

static const char *text_of(const struct writer *line)
{
    return writer_ok(line) ? (const char *)line->bytes : "(out of memory)";
}

/* Once: what comes later follows from it. */
void replay_diverge(struct vmr_replay *replay, const char *got)
{
    struct writer before, recorded;
    char who[16] = "vm", other[24] = "";
    uint32_t vp = replay->has_turn ? replay->turn : TRACE_NO_VP;

    if (replay_is_over(replay))
        return;
    writer_init(&before, TEXT_LINE_MAX);
    writer_init(&recorded, TEXT_LINE_MAX);
    put_exit_before(replay, &before);
    put_recorded(replay, &recorded);
    if (vp != TRACE_NO_VP)
        (void)snprintf(who, sizeof(who), "vp%u", vp);
    if (replay->head.vp != vp && replay->head.vp != TRACE_NO_VP)
        (void)snprintf(other, sizeof(other), "vp%u ", replay->head.vp);
    (void)vmr_error_set(&replay->result.error, VMR_E_DIVERGED,
                        "exit %" PRIu64 " %s: %.90s: recorded %s%.60s, replay %.60s", replay->exits, who,
                        text_of(&before), other, text_of(&recorded), got);
    writer_finish(&before);
    writer_finish(&recorded);
    replay_finish_with(replay, VMR_E_DIVERGED);
}

bool replay_expect(struct vmr_replay *replay, enum trace_kind kind, const char *wanted)
{
    if (replay_is_over(replay))
        return false;
    if (replay_next_is(replay, kind))
        return true;
    replay_diverge(replay, wanted);
    return false;
}

bool replay_check(struct vmr_replay *replay, struct trace_record *got)
{
    struct writer line;

    if (replay_is_over(replay))
        return false;
    if (replay->inputs_only)
        return true;
    got->vp = replay->has_turn ? replay->turn : TRACE_NO_VP;
    if (trace_record_equal(got, &replay->head)) {
        replay_advance(replay);
        return true;
    }
    writer_init(&line, TEXT_LINE_MAX);
    trace_text_print_body(&line, got);
    writer_u8(&line, 0);
    replay_diverge(replay, text_of(&line));
    writer_finish(&line);
    return false;
}

enum vmr_status replay_status_of(struct vmr_replay *replay, enum trace_op op)
{
    if (!replay_next_is(replay, TRACE_STATUS) || replay->head.value[0] != (uint64_t)op)
        return VMR_OK;
    enum vmr_status status = (enum vmr_status)replay->head.value[1];

    replay_advance(replay);
    return status;
}

/* --- making --- */

static bool read_cpuid(struct vmr_replay *replay)
{
    struct reader reader;

    reader_init(&reader, replay->head.bytes, replay->head.length);
    while (reader_left(&reader) > 0 && replay->cpuid_count < VMR_CPUID_LEAF_MAX) {
        struct vmr_cpuid_entry entry = {.leaf = reader_le32(&reader), .subleaf = 0};

        entry.subleaf = reader_le32(&reader);
        entry.match_subleaf = reader_le32(&reader) != 0;
        entry.eax = reader_le32(&reader);
        entry.ebx = reader_le32(&reader);
        entry.ecx = reader_le32(&reader);
        entry.edx = reader_le32(&reader);
        replay->cpuid[replay->cpuid_count++] = entry;
    }
    return reader_ok(&reader);
}

/* The first two records say what the recorded hypervisor could do. */
static enum vmr_status read_hypervisor(struct vmr_replay *replay, struct vmr_error *err)
{
    load_head(replay);
    if (replay->result.status)
        return vmr_error_set(err, replay->result.status, "%s", replay->result.error.message);
    if (!replay_next_is(replay, TRACE_HYPERVISOR))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: it does not begin with a hypervisor record");
    memcpy(replay->name, replay->head.bytes, replay->head.length);
    replay->caps = (struct vmr_caps){
        .bits = recorder_observable(replay->head.value[0]),
        .vp_count_max = (uint32_t)replay->head.value[1],
        .physical_bits = (uint8_t)replay->head.value[2],
        .vp_classes = REPLAY_CLASSES,
    };
    replay_advance(replay);
    if (!replay_next_is(replay, TRACE_CPUID_DEFAULT) || !read_cpuid(replay))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: the second record is no CPUID table");
    replay_advance(replay);
    return VMR_OK;
}

static enum vmr_status keep_meta(struct vmr_replay *replay, struct vmr_error *err)
{
    replay->pair_count = trace_reader_meta(replay->reader, replay->pairs, &replay->meta);
    return replay->meta ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
}

enum vmr_status vmr_replay_create(const struct vmr_trace_source *source, const struct vmr_replay_options *options,
                                  struct vmr_replay **ret_replay, struct vmr_error *err)
{
    struct vmr_replay *replay = calloc(1, sizeof(*replay));

    if (!replay)
        return vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
    if (options)
        replay->options = *options;
    /* Until a host is attached there is one thread; this one has no schedule. */
    vmr_host_posix(&replay->host, NULL);
    atomic_store(&replay->setting_up, 1);
    replay->cpuid = calloc(VMR_CPUID_LEAF_MAX, sizeof(*replay->cpuid));
    enum vmr_status status = replay->cpuid ? trace_reader_create(source, true, &replay->reader, err)
                                           : vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");

    if (!status) {
        trace_reader_info(replay->reader, &replay->info);
        replay->inputs_only = replay->info.inputs_only;
        replay->checks_output = trace_reader_knows(replay->reader, TRACE_OUTPUT);
        replay->knows_waits = trace_reader_knows(replay->reader, TRACE_WAIT);
        status = keep_meta(replay, err);
    }
    if (!status && replay->options.positions)
        status = replay_count(replay, err);
    if (!status)
        status = read_hypervisor(replay, err);
    if (status) {
        vmr_replay_destroy(replay);
        return status;
    }
    *ret_replay = replay;
    return VMR_OK;
}

void vmr_replay_destroy(struct vmr_replay *replay)
{
    if (!replay)
        return;
    sync_mutex_finish(&replay->lock);
    trace_reader_destroy(replay->reader);
    trace_writer_destroy(replay->counter);
    free(replay->vps);
    free(replay->cpuid);
    free(replay->meta);
    free(replay);
}

const char *vmr_replay_meta(const struct vmr_replay *replay, const char *key)
{
    for (size_t i = 0; i < replay->pair_count; i++) {
        if (strcmp(replay->pairs[i].key, key) == 0)
            return replay->pairs[i].value;
    }
    return NULL;
}

enum vmr_status vmr_replay_attach(struct vmr_replay *replay, const struct vmr_host *host,
                                  struct vmr_hypervisor_handle *ret_handle, struct vmr_host *ret_host,
                                  struct vmr_error *err)
{
    if (replay->attached)
        return vmr_error_set(err, VMR_E_STATE, "replay: it is attached already");
    replay->host = *host;
    if (sync_mutex_init(&replay->lock, &replay->host))
        return vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
    replay->attached = true;
    replay_host_init(replay, ret_host);
    *ret_handle = (struct vmr_hypervisor_handle){
        .backend = &replay_backend,
        .fd = -1,
        .irqchip = VMR_IRQCHIP_USER,
        .context = replay,
    };
    return VMR_OK;
}

void vmr_replay_set_partition(struct vmr_replay *replay, struct vmr_partition *partition)
{
    replay->partition = partition;
}

void vmr_replay_abort(struct vmr_replay *replay)
{
    sync_store_u32(&replay->host, &replay->over, 1);
    replay_wake_all(replay);
}

void vmr_replay_get_result(const struct vmr_replay *replay, struct vmr_replay_result *ret_result)
{
    *ret_result = replay->result;
    ret_result->exits = replay->exits;
    ret_result->records = replay->records;
}

const char *replay_backend_name(const struct vmr_hypervisor_handle *handle)
{
    return handle->backend == &replay_backend ? ((const struct vmr_replay *)handle->context)->name
                                              : handle->backend->name;
}

uint64_t replay_records_max(const struct vmr_hypervisor_handle *handle)
{
    const struct vmr_replay *replay = handle->backend == &replay_backend ? handle->context : NULL;

    return replay && replay_is_over(replay) ? replay->records : UINT64_MAX;
}
