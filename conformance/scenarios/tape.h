/* SPDX-License-Identifier: MIT */
#pragma once

/* A tape: what a recorder writes, in memory, and the two forms it has. */

#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"

struct tape {
    uint8_t *bytes;
    size_t length, capacity;
};

static inline enum vmr_status tape_write(void *context, const void *bytes, size_t length)
{
    struct tape *tape = context;

    if (tape->length + length > tape->capacity) {
        size_t capacity = 2 * (tape->length + length);
        uint8_t *larger = realloc(tape->bytes, capacity);

        if (!larger)
            return VMR_E_NOMEM;
        tape->bytes = larger;
        tape->capacity = capacity;
    }
    memcpy(tape->bytes + tape->length, bytes, length);
    tape->length += length;
    return VMR_OK;
}

static inline void tape_free(struct tape *tape)
{
    free(tape->bytes);
    *tape = (struct tape){0};
}

static inline struct vmr_trace_sink tape_sink(struct tape *tape)
{
    return (struct vmr_trace_sink){.write = tape_write, .context = tape};
}

static inline bool tapes_equal(const struct tape *a, const struct tape *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static inline bool tape_convert(struct conf *conf, const struct tape *from, bool to_text, struct tape *to)
{
    struct vmr_trace_memory memory = {.bytes = from->bytes, .length = from->length};
    const struct vmr_trace_sink sink = tape_sink(to);
    struct vmr_trace_source source;
    struct vmr_error err = {.message = ""};

    vmr_trace_source_memory(&memory, &source);
    enum vmr_status status = to_text ? vmr_trace_print(&source, &sink, NULL, &err)
                                     : vmr_trace_pack(&source, VMR_TRACE_CODEC_DEFAULT, &sink, NULL, &err);

    CONF_CHECK(conf, status == VMR_OK, "%s", err.message);
    return status == VMR_OK;
}

/* The recording of a replay is the recording, and so is what its text packs to. [TRC-3] */
static inline void tape_check_again(struct conf *conf, const struct tape *tape, const struct tape *again)
{
    CONF_CLEANUP(tape_free) struct tape text = {0}, packed = {0};

    CONF_CHECK(conf, tapes_equal(tape, again), "the recording of the replay has %zu bytes, not %zu", again->length,
               tape->length);
    CONF_CHECK(conf,
               tape_convert(conf, tape, true, &text) && tape_convert(conf, &text, false, &packed) &&
                   tapes_equal(tape, &packed),
               "binary to text to binary: %zu bytes, not %zu", packed.length, tape->length);
}

/* Something planted into the text of a recording, and what the divergence must name. */
struct planted {
    const char *where; /* the line is the first with these words */
    char mark;         /* what it gets behind them, in the place of a digit; 0: the line is left out */
    const char *named;
};

/* The exits before the line that was changed. */
static inline uint32_t tape_plant(struct conf *conf, struct tape *text, const struct planted *planted)
{
    const char *begin = (const char *)text->bytes, *end = begin + text->length;
    size_t words = strlen(planted->where);
    uint32_t exits = 0;

    for (const char *line = begin; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        next = next ? next + 1 : end;
        for (const char *at = line; at + words < next; at++) {
            size_t offset = (size_t)(at - begin) + words;

            if (memcmp(at, planted->where, words) != 0)
                continue;
            if (planted->mark) {
                text->bytes[offset] = (uint8_t)(text->bytes[offset] == planted->mark ? '0' : planted->mark);
            } else {
                memmove(text->bytes + (line - begin), next, (size_t)(end - next));
                text->length -= (size_t)(next - line);
            }
            return exits;
        }
        for (const char *at = line; at + 8 < next; at++)
            exits += memcmp(at, " exit ", 6) == 0;
        line = next;
    }
    CONF_CHECK(conf, false, "'%s' was not recorded", planted->where);
    return 0;
}

/* A recorder that writes on `tape`, around `handle` and `host`. NULL: failed. */
static inline struct vmr_recorder *tape_record(struct conf *conf, struct tape *tape,
                                               const struct vmr_hypervisor_handle *handle, const struct vmr_host *host,
                                               struct vmr_hypervisor_handle *ret_handle, struct vmr_host *ret_host)
{
    static const struct vmr_trace_meta meta = {.key = "made-by", .value = "a scenario"};
    const struct vmr_recorder_options options = {
        .sink = tape_sink(tape), .codec = VMR_TRACE_CODEC_NONE, .meta = &meta, .meta_count = 1};
    struct vmr_recorder *recorder = NULL;
    struct vmr_error err = {.message = ""};
    bool made = vmr_recorder_create(&options, &recorder, &err) == VMR_OK &&
                vmr_recorder_wrap(recorder, handle, host, ret_handle, ret_host, &err) == VMR_OK;

    CONF_CHECK(conf, made, "%s", err.message);
    if (made)
        return recorder;
    vmr_recorder_destroy(recorder);
    return NULL;
}

/* For the place where a replay is kept. */
static inline void replay_end(struct vmr_replay ***replay)
{
    vmr_replay_destroy(**replay);
}

static inline void tape_finish(struct conf *conf, struct vmr_recorder *recorder)
{
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_recorder_finish(recorder, &err) == VMR_OK, "%s", err.message);
    vmr_recorder_destroy(recorder);
}

/*
 * The program of a VP. With machine code it is a part of guest memory, and so of a replay; the mock's is behind the
 * recorder, and a replay has none.
 */
static inline bool tape_load(struct conf_vm *vm, vmr_vp_index vp, const struct vmr_program *program,
                             struct vmr_recorder *recorder, bool replaying)
{
    struct vmr_mock *mock = NULL;
    struct vmr_error err = {.message = ""};

    if (vmr_caps_have(&vm->conf->caps, VMR_CAP_MACHINE_CODE))
        return conf_load(vm, vp, program);
    if (recorder)
        mock = vmr_recorder_native(recorder, vmr_mock_backend());
    if (!mock)
        return replaying;
    enum vmr_status status = vmr_mock_load_program(mock, vp, program, &err);

    CONF_CHECK(vm->conf, status == VMR_OK, "%s", err.message);
    return status == VMR_OK;
}
