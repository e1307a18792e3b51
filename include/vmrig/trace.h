/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Recording a guest at the exit boundary, playing the recording back without a
 * hypervisor, and the tools around the files.
 *
 *   recorder ── wrap(handle, host) ──> handle', host' ── partition, VPs, devices ──> a trace
 *   trace    ── replay, attach(host) ──> handle', host' ── the same partition, VPs, devices ──> checked
 *
 * A trace holds every *input* the library got (exits, registers, guest memory it
 * read, time, results of waiting, requests and input of other threads) and every
 * *reaction* (answers, register and memory writes, injected interrupts, output). A
 * replay feeds the inputs and checks the reactions. [TRC-1] docs/trace_format.md
 * describes the two forms: binary (.vmt) and text (.vmtx), which convert into
 * each other bit by bit. [TRC-3] Every call that reads a trace takes either.
 */

#include "vmrig/partition.h"

VMR_BEGIN_DECLS

/* --- where bytes go to and come from: both are used front to back, once --- */

struct vmr_trace_sink {
    enum vmr_status (*write)(void *context, const void *bytes, size_t length);
    void *context;
};

struct vmr_trace_source {
    /* At least one byte, at most `capacity`; *ret_length == 0 is the end. */
    enum vmr_status (*read)(void *context, void *ret_bytes, size_t capacity, size_t *ret_length);
    void *context;
};

/* A source over bytes in memory. `memory` and the bytes must outlive the source. */
struct vmr_trace_memory {
    const void *bytes;
    size_t length;
    size_t position; /* 0 */
};
VMR_API void vmr_trace_source_memory(struct vmr_trace_memory *memory, struct vmr_trace_source *ret_source);

enum vmr_trace_codec {
    VMR_TRACE_CODEC_DEFAULT = 0, /* zstd where the build has it, else none; when packing: what the input says */
    VMR_TRACE_CODEC_NONE,
    VMR_TRACE_CODEC_ZSTD,
    VMR_TRACE_CODEC_COUNT
};
/* Whether this build can read and write it. */
VMR_API bool vmr_trace_codec_available(enum vmr_trace_codec codec);

/* What the maker of a trace wants to be known of it. No host address, time or path belongs here. */
struct vmr_trace_meta {
    const char *key;   /* 1 to 63 characters: a-z 0-9 - _ . */
    const char *value; /* at most 1023 characters, no control characters */
};

/* --- recording --- */

struct vmr_recorder;

struct vmr_recorder_options {
    struct vmr_trace_sink sink; /* called on the thread that fills a block, one at a time; a block is some 2 KiB */
    enum vmr_trace_codec codec;
    const struct vmr_trace_meta *meta; /* copied */
    size_t meta_count;
    /*
     * The library sees a clock that begins at 0, rounded up to a multiple of
     * this: coarse times compress better, and a deadline that has passed stays
     * passed. Deadlines for the machine are on that clock too. 0: 1000.
     */
    uint64_t time_step_ns;
};

/* Writes the header. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_recorder_create(const struct vmr_recorder_options *options,
                                                           struct vmr_recorder **ret_recorder, struct vmr_error *err);
/* VPs stopped, the partition destroyed. NULL is fine. Does not finish the trace: it is then one that was cut. */
VMR_API void vmr_recorder_destroy(struct vmr_recorder *recorder);

/*
 * Gives a handle and a host to make one partition with, and everything that
 * belongs to it (buses, interrupt controllers, devices, stop sources): what
 * does not go through them is not recorded. VPs then run library code one at a
 * time, in the order that the trace holds; guest code runs as before. Bytes for
 * a device come in through vmr_partition_input. A thread from outside that raises
 * an interrupt, sends to a SINT or changes ports waits for its place in that
 * order: it holds no lock that a device, or a port's call, takes. [TRC-9] [TRC-10]
 *
 * VMR_E_UNSUPPORTED, with the feature named, where inputs would pass the
 * recorder by: interrupt controllers in the hypervisor, or a backend without
 * VMR_CAP_RECORDABLE. Interrupts and doorbells by descriptor are not offered
 * by the partition. `handle` and `host` must outlive the recorder; the results
 * live as long as the recorder, and closing them is not needed. [TRC-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_recorder_wrap(struct vmr_recorder *recorder,
                                                         const struct vmr_hypervisor_handle *handle,
                                                         const struct vmr_host *host,
                                                         struct vmr_hypervisor_handle *ret_handle,
                                                         struct vmr_host *ret_host, struct vmr_error *err);
/* The partition's own backend underneath, as vmr_partition_native would give it; NULL unless it is `backend`
 * (vmr_backend_is). */
VMR_API void *vmr_recorder_native(struct vmr_recorder *recorder, const struct vmr_backend *backend);
/* The first failure of the sink or of memory: nothing after it was recorded. Any thread. */
VMR_API enum vmr_status vmr_recorder_status(struct vmr_recorder *recorder);
/*
 * Writes what is buffered, and the footer; nothing is recorded afterwards. The
 * first failure, if there was one. VPs stopped.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_recorder_finish(struct vmr_recorder *recorder, struct vmr_error *err);

/* --- replaying --- */

struct vmr_replay;

/* The calls may be NULL. They come on a VP's thread, in the middle of its run, perhaps inside a device: only ask for a
 * stop. */
struct vmr_replay_options {
    /*
     * Here the recorded run of `vp` was stopped from outside: set its stop
     * source (vmr_stop_set; with a VP set, vmr_vp_set_halt_all) before returning.
     */
    void (*stop)(void *context, vmr_vp_index vp);
    /*
     * Once: there is nothing more to play, or the replay has diverged. Every
     * step is VMR_EXIT_CANCEL from now on, and a VP that sleeps sleeps on: stop
     * all VPs.
     */
    void (*end)(void *context);
    void *context;
    /*
     * How long a VP whose turn has not come waits for the embedder to begin the
     * run, or to do what else is next, of another; then the replay has diverged.
     * 0: 10 s; VMR_NEVER: it is sure to come.
     */
    uint64_t patience_ns;
    /* Keeps count of where it is, for vmrig/trace_position.h; costs what recording costs. */
    bool positions;
};

/* Reads as far as the first record. The source must outlive the replay. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_replay_create(const struct vmr_trace_source *source,
                                                         const struct vmr_replay_options *options,
                                                         struct vmr_replay **ret_replay, struct vmr_error *err);
VMR_API void vmr_replay_destroy(struct vmr_replay *replay); /* NULL is fine. The partition destroyed. */
/* The value of a metadata key, or NULL. Valid until the replay is destroyed. */
VMR_API const char *vmr_replay_meta(const struct vmr_replay *replay, const char *key);

/*
 * A handle that plays the trace and a host that answers from it, to build the
 * same partition with as when recording. `host` (vmr_host_posix, or a
 * scheduler's) serves what is not in the trace: threads, log lines, and the time
 * and waiting of threads that are not VPs. It must outlive the replay.
 *
 * One VP may be run on the caller's thread; several each need their own. A VP
 * whose turn has not come waits.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_replay_attach(struct vmr_replay *replay, const struct vmr_host *host,
                                                         struct vmr_hypervisor_handle *ret_handle,
                                                         struct vmr_host *ret_host, struct vmr_error *err);
/*
 * Where what other threads asked for (interrupts, inputs, messages and events for
 * SINTs, wakes, kicks, yields) is asked for again, so that nobody else must;
 * without it that ends the replay. What other threads changed of the Hyper-V
 * interface (its ports, the monitor page, the reference time, what VTLs may do
 * with pages) is for the embedder's thread to change again: the call returns once
 * its turn in the trace has come, or the replay is over. VPs stopped. [TRC-10]
 */
VMR_API void vmr_replay_set_partition(struct vmr_replay *replay, struct vmr_partition *partition);

/* Gives up: as at the end of the trace, but options.end is not called. Before a VP set is stopped early. Any thread. */
VMR_API void vmr_replay_abort(struct vmr_replay *replay);

struct vmr_replay_result {
    /*
     * VMR_OK: all reactions so far were the recorded ones. VMR_E_DIVERGED: one
     * was not. VMR_E_CORRUPT: the trace is damaged; what is before the damage
     * was played.
     */
    enum vmr_status status;
    bool ended;              /* nothing is left to play */
    bool cut;                /* the trace has no footer: its recording did not finish */
    uint64_t exits, records; /* played */
    struct vmr_error error;  /* unless VMR_OK: where, what was recorded, what was done instead [TRC-2] */
};
/* VPs stopped. */
VMR_API void vmr_replay_get_result(const struct vmr_replay *replay, struct vmr_replay_result *ret_result);

/* --- reading record by record --- */

struct vmr_trace_reader;

struct vmr_trace_read_options {
    bool strict; /* end with an error at the first damage, instead of going on behind it */
};

struct vmr_trace_info {
    uint16_t major, minor;
    enum vmr_trace_codec codec;
    bool text;                        /* it came in text form */
    bool inputs_only;                 /* reactions were cut out */
    bool ended;                       /* the end was reached; what follows is then final */
    bool cut;                         /* there was no footer */
    uint64_t records, exits;          /* read so far */
    uint64_t raw_bytes, stored_bytes; /* of the blocks read so far; container overhead is in stored_bytes */
    /* [TRC-4] */
    uint64_t damages;      /* places where bytes had to be skipped */
    uint64_t first_damage; /* offset of the first */
    uint64_t lost_bytes;
    uint64_t lost_records;     /* as far as sequence numbers tell */
    uint64_t skipped_optional; /* records of kinds this reader does not know and need not */
};

struct vmr_trace_record {
    uint64_t sequence; /* from 0 */
    uint64_t exit;     /* exits up to and with this record */
    vmr_vp_index vp;
    bool has_vp; /* false: the partition's, not a VP's */
    bool reaction;
    const char *kind;               /* "exit", "time", "answer", ... */
    const struct vmr_exit *vp_exit; /* for "exit"; until the next call */
    const char *text;               /* the line of the text form; until the next call */
};

VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_reader_create(const struct vmr_trace_source *source,
                                                               const struct vmr_trace_read_options *options,
                                                               struct vmr_trace_reader **ret_reader,
                                                               struct vmr_error *err);
VMR_API void vmr_trace_reader_destroy(struct vmr_trace_reader *reader); /* NULL is fine */
VMR_API void vmr_trace_reader_get_info(const struct vmr_trace_reader *reader, struct vmr_trace_info *ret_info);
/* The n-th metadata pair; false: there are fewer. */
VMR_API bool vmr_trace_reader_get_meta(const struct vmr_trace_reader *reader, size_t n,
                                       struct vmr_trace_meta *ret_meta);
/* *ret_end: there is none, and ret_record is untouched. Errors name the offset, in text the line. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_reader_next(struct vmr_trace_reader *reader,
                                                             struct vmr_trace_record *ret_record, bool *ret_end,
                                                             struct vmr_error *err);

/* --- whole traces. Constant memory; text and binary in; damage is skipped and told in `ret_info` (may be NULL). --- */

/* To text. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_print(const struct vmr_trace_source *source,
                                                       const struct vmr_trace_sink *sink,
                                                       struct vmr_trace_info *ret_info, struct vmr_error *err);
/* To binary: from text, or compressed another way. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_pack(const struct vmr_trace_source *source, enum vmr_trace_codec codec,
                                                      const struct vmr_trace_sink *sink,
                                                      struct vmr_trace_info *ret_info, struct vmr_error *err);

struct vmr_trace_cut_options {
    uint64_t exits;   /* keep so many and what follows from the last; 0: all */
    bool inputs_only; /* without reactions: a replay then checks nothing */
    enum vmr_trace_codec codec;
};
/* To a shorter binary trace. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_cut(const struct vmr_trace_source *source,
                                                     const struct vmr_trace_cut_options *options,
                                                     const struct vmr_trace_sink *sink, struct vmr_trace_info *ret_info,
                                                     struct vmr_error *err);

struct vmr_trace_diff_options {
    bool all;       /* go on after the first difference, and count by kind */
    bool skip_time; /* take times as equal */
};
/*
 * Compares record by record and prints the first difference, with the exit
 * before it. *ret_equal is true if there is none. Metadata and compression do
 * not count.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_diff(const struct vmr_trace_source *left,
                                                      const struct vmr_trace_source *right,
                                                      const struct vmr_trace_diff_options *options,
                                                      const struct vmr_trace_sink *sink, bool *ret_equal,
                                                      struct vmr_error *err);
/* What it is: version, compression, metadata, length, damage; one "key value" a line. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_describe(const struct vmr_trace_source *source,
                                                          const struct vmr_trace_sink *sink,
                                                          struct vmr_trace_info *ret_info, struct vmr_error *err);
/* What is in it: records and bytes by kind, exits by kind and by port, bytes an exit. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_stat(const struct vmr_trace_source *source,
                                                      const struct vmr_trace_sink *sink,
                                                      struct vmr_trace_info *ret_info, struct vmr_error *err);

VMR_END_DECLS
