/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The benchmarks behind `vmrig bench`: what they share. Each figure is the
 * median of several samples; figures that are compared were sampled in turn, in
 * one run. No figure is ever asserted: aims are printed beside what was
 * measured.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmrig/trace.h"
#include "vmrig/vmrig.h"

#define BENCH_SAMPLES 7u
#define BENCH_FIGURE_MAX 256u

struct bench_options {
    bool json;
    bool quick;        /* few rounds: to see that it runs */
    const char *trace; /* a recorded boot to replay; NULL: those figures are left out */
    const char *only;  /* one of BENCH_NAMES; NULL: all */
};

struct bench_figure {
    char name[56];
    double value;  /* the median */
    double spread; /* half the distance between the quartiles, in per cent of the value */
    const char *unit;
    char compared_to[56]; /* the name of another figure; empty: of none */
    double ratio;         /* to that figure */
    const char *aim;      /* a sentence; NULL: none */
};

struct bench_report {
    const struct bench_options *options;
    size_t count;
    struct bench_figure figures[BENCH_FIGURE_MAX];
};

#define BENCH_NAMES                                                                                                    \
    "exits, added, replay, kick, partition, scaling, hypercall, dirty, state, snapshot, rewind, config, "              \
    "config-tables, conformance"
bool bench_exists(const char *name);

/* The command's entry: 0, or 1 if a benchmark could not run to its end. */
int bench_main(const struct bench_options *options);

uint64_t bench_now_ns(void);
/* Upwards. */
void bench_sort(double *samples, size_t count);
/* Sorts the samples; adds the figure; gives the median. */
double bench_add(struct bench_report *report, const char *name, const char *unit, double *samples, size_t count);
/* Compares the newest figure of that name with another. */
void bench_compare(struct bench_report *report, const char *name, const char *compared_to, const char *aim);
/*
 * Its ratio to another figure becomes the median of these, which were taken turn by turn: what slows a machine down for
 * longer than a turn is in both sides of each. Sorts them.
 */
void bench_compare_turns(struct bench_report *report, const char *name, const char *compared_to, double *ratios,
                         size_t count);
/* Says on stderr why something was not measured. */
void bench_skip(const char *what, const char *why);
/* Says on stderr what failed, with the error; gives false for `return bench_failed(...)`. */
bool bench_failed(const char *what, enum vmr_status status, const struct vmr_error *err);
uint32_t bench_rounds(const struct bench_report *report, uint32_t rounds);

/* Each measures one thing and adds its figures. False: it failed, and said so. */
bool bench_exit_loops(struct bench_report *report);
bool bench_prepared(struct bench_report *report);
bool bench_replays(struct bench_report *report);
/* Whether a recording can be read from its beginning to its end; says what is wrong with it. */
bool bench_trace_is_good(const char *path);
bool bench_kicks(struct bench_report *report);
bool bench_partitions(struct bench_report *report);
bool bench_scaling(struct bench_report *report);
bool bench_hypercalls(struct bench_report *report);
bool bench_conformance(struct bench_report *report);
bool bench_dirty_log(struct bench_report *report);

/* The program of VP 0, which is bound. */
enum vmr_status bench_load_program(struct vmr_partition *partition, struct vmr_vp *vp,
                                   const struct vmr_program *program, struct vmr_error *err);
bool bench_states(struct bench_report *report);
bool bench_snapshots(struct bench_report *report);
bool bench_rewinds(struct bench_report *report);
bool bench_configs(struct bench_report *report);
bool bench_tables(struct bench_report *report);

/* --- other programs --- */

/* The running command, as a path. */
#define BENCH_SELF "/proc/self/exe"
/* Starts a program with its stdout in a pipe. False: it could not be started. */
bool bench_program_begin(const char *path, const char *const *arguments, pid_t *ret_child, int *ret_out);

/* --- a VM whose guest writes to port BENCH_PORT for ever --- */

#define BENCH_PORT 0x10u
#define BENCH_VPS_MAX 64u

struct bench_vm {
    struct vmr_host inner_host;          /* the process's */
    struct vmr_host host;                /* what everything is made with: the same, or a recorder around it */
    struct vmr_hypervisor_handle opened; /* what the spec gave */
    struct vmr_hypervisor_handle handle; /* what the partition is made of: opened, or a recorder around it */
    struct vmr_recorder *recorder;
    struct vmr_trace_memory replayed;
    struct vmr_replay *replay;
    struct vmr_memory *memory;
    struct vmr_bus *ports;
    struct vmr_partition *partition;
    struct vmr_vp *vp;                 /* VP 0 */
    struct vmr_vp *vps[BENCH_VPS_MAX]; /* those that are bound */
    struct vmr_stop_source *stop;
    struct vmr_vp_io io;
    uint64_t left;  /* writes until the clock starts, then until it ends and the run is stopped */
    uint64_t timed; /* writes between the two */
    uint64_t begin_ns, end_ns;
    uint64_t recorded_bytes;
    uint8_t *kept; /* the caller's; NULL: bytes are only counted */
    size_t kept_capacity;
};

struct bench_vm_options {
    const char *spec;
    bool record;   /* to a sink that counts */
    uint32_t vps;  /* 0: 1; VP 0 alone is bound... */
    bool bind_all; /* ...or each */
    bool spin;     /* the guest spins instead */
    uint8_t *kept; /* for `record` */
    size_t kept_capacity;
    const void *replayed; /* plays this recording of such a VM instead of opening `spec` */
    size_t replayed_length;
    bool replayed_code; /* it was recorded where the guest is machine code */
};

/* False: it could not be made; nothing is left. `ret_unavailable`: because the hypervisor is not here. */
bool bench_vm_create(struct bench_vm *vm, const struct bench_vm_options *options, bool *ret_unavailable);
void bench_vm_destroy(struct bench_vm *vm);
/* For struct vmr_snapshot_parts: `context` is the VM, whose VPs are bound to this thread. */
enum vmr_status bench_vm_call(void *context, vmr_vp_index vp,
                              enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument);
/* Runs `exits` exits, after a first one, and gives the nanoseconds one took; negative: it failed. */
double bench_vm_run(struct bench_vm *vm, uint64_t exits);
/* Ends the recording; false: it failed. */
bool bench_vm_finish_recording(struct bench_vm *vm);

/* The same guest with nothing but KVM's ioctls. NULL where there is no KVM. */
struct bench_bare;
struct bench_bare *bench_bare_create(void);
void bench_bare_destroy(struct bench_bare *bare);
double bench_bare_run(struct bench_bare *bare, uint64_t exits);

/* out 0x10, al; jmp back, in real mode: what both loops run. Spin: jmp to itself. */
extern const uint8_t bench_guest_out[4];
extern const uint8_t bench_guest_spin[2];
#define BENCH_GUEST_GPA 0x1000u
#define BENCH_RAM_BYTES 0x200000u
