/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a scenario is and what it may use.
 *
 * A scenario states one claim about a backend, cites the clauses of
 * docs/contract.md that promise it, and runs unchanged on every backend: on the
 * mock under a scheduler (threads are coroutines, time is virtual), on a real
 * hypervisor on real threads. It may use this header and the public ones. It
 * reads no clock, starts no thread and makes no event but through `conf->host`.
 *
 * A scenario fails by CONF_CHECK (goes on) or CONF_REQUIRE (returns). What it
 * creates through conf_* is cleaned up by the runner in every case.
 */

#include "vmrig/vmrig.h"

#define CONF_VP_MAX 8u
#define CONF_TRANSCRIPT_MAX 4096u

/* Which interrupt controllers a scenario wants; the runner skips it on backends opened with others. */
enum conf_chip {
    CONF_CHIP_NONE,               /* none at all: only on handles with VMR_IRQCHIP_USER, where none is attached */
    CONF_CHIP_ANY,                /* whatever the handle says; the built-in one is attached where it takes one */
    CONF_CHIP_APIC_IN_HYPERVISOR, /* split or kernel */
};

enum conf_flag {
    CONF_EXPLORE = 1,    /* on the mock also run in every order up to preemption bound 2 */
    CONF_MOCK_ONLY = 2,  /* about the mock itself */
    CONF_NO_BACKEND = 4, /* about the library alone: run once, reported under "library" */
    CONF_MANAGED = 8     /* binds no VP: also for a hypervisor that runs them itself */
};

/* A host quirk that a start-up probe has measured (conformance/quirks.c). Only a scenario that names it is skipped for
 * it. */
enum conf_quirk {
    CONF_QUIRK_STI_WINDOW = 1,       /* the interrupt window right after STI is missed until the next exit */
    CONF_QUIRK_HW_BREAKPOINT = 2,    /* on an instruction: accepted, never fires */
    CONF_QUIRK_REAL_MODE_TRIPLE = 4, /* the IDT limit is ignored in real mode */
    CONF_QUIRK_DATA_BREAKPOINT = 8,  /* a breakpoint on data is accepted, and never fires */
    CONF_QUIRK_EOI_BEFORE_HALT = 16, /* split: the EOI exit of a guest that halts right behind its EOI is lost */
    CONF_QUIRK_DISABLED_SENDER = 32, /* a local APIC that software has not enabled sends no INIT and SIPI */
    CONF_QUIRK_MASKED_TIMER = 64,    /* a local APIC's timer that runs out while masked fires when it is unmasked */
    CONF_QUIRK_DIRTY_RING = 128,     /* a guest that writes much without an exit overruns its dirty ring */
    CONF_QUIRK_TSC_SET = 256,        /* a TSC that is set runs on as if it had not been */
    CONF_QUIRK_TIMER_AGAIN = 512     /* a local APIC's timer that has fired fires once more where its state is put */
};

struct conf;

struct conf_scenario {
    const char *name;    /* a claim: "stop_before_run_is_not_lost" */
    const char *family;  /* "stop", "io", ... */
    const char *ids;     /* what it is known as elsewhere: "STOP-01 S1"; may be NULL */
    const char *clauses; /* "RUN-1 RUN-3" */
    uint64_t needs;      /* capability bits: CONF_CAP(...) | ... */
    uint64_t without;    /* capabilities with which the hypervisor does itself what this is about, in its own way */
    uint32_t flags;      /* enum conf_flag */
    uint32_t quirks;     /* enum conf_quirk that excuse it */
    enum conf_chip chip;
    void (*run)(struct conf *conf);
};

#define CONF_CAP(name) (UINT64_C(1) << VMR_CAP_##name)

/*
 * A family file, conformance/scenarios/<name>.c, ends with its array and
 * CONF_FAMILY(name, array); conformance/scenarios.h names them all.
 */
struct conf_family {
    const struct conf_scenario *scenarios;
    size_t count;
};
#define CONF_FAMILY(name, array)                                                                                       \
    extern const struct conf_family conf_family_##name;                                                                \
    const struct conf_family conf_family_##name = {(array), sizeof(array) / sizeof((array)[0])}

/* What a composition is made from: conformance/soak. */
struct conf_composed {
    uint64_t seed;
    uint32_t left_out;
};

/* What a scenario sees. */
struct conf {
    const struct vmr_hypervisor_handle *handle; /* its own, freshly opened; NULL with CONF_NO_BACKEND */
    const struct vmr_host *host;
    struct vmr_caps caps;
    bool is_mock;
    bool exploring; /* one of many orders: keep it small */
    const struct conf_scenario *scenario;
    const struct conf_composed *composed; /* of a composition */
    struct conf_state *state;             /* the runner's */
};

/* --- judging: any thread --- */

/* Counts a check, and gives back whether it holds: a scenario without any has checked nothing, and fails. */
bool conf_judge(struct conf *conf, bool holds);
void conf_fail(struct conf *conf, const char *file, int line, const char *format, ...) VMR_PRINTF(4, 5);
/* Not applicable after all, for a reason found at run time. The scenario returns right after. */
void conf_skip(struct conf *conf, const char *format, ...) VMR_PRINTF(2, 3);
bool conf_failed(const struct conf *conf);
/* Whether the scenario is being given up (the watchdog bit, or it has returned): loops on other threads end then. */
bool conf_over(const struct conf *conf);
/*
 * Adds a line to the guest-visible transcript, whose hash goes into the
 * certificate. Two backends with different transcripts of one scenario fail
 * [PROG-1], so note only what the guest saw or did.
 */
void conf_note(struct conf *conf, const char *format, ...) VMR_PRINTF(2, 3);

/*
 * For a variable that a scenario owns: `function` gets its address, however the
 * scenario's function ends. What its VMs use goes after them: see conf_defer.
 */
#define CONF_CLEANUP(function) __attribute__((cleanup(function)))

#define CONF_CHECK(conf, condition, ...)                                                                               \
    do {                                                                                                               \
        if (!conf_judge((conf), (condition)))                                                                          \
            conf_fail((conf), __FILE__, __LINE__, __VA_ARGS__);                                                        \
    } while (0)

#define CONF_REQUIRE(conf, condition, ...)                                                                             \
    do {                                                                                                               \
        if (!conf_judge((conf), (condition))) {                                                                        \
            conf_fail((conf), __FILE__, __LINE__, __VA_ARGS__);                                                        \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

#define CONF_CHECK_EQ(conf, got, want, what)                                                                           \
    do {                                                                                                               \
        uint64_t conf_got = (uint64_t)(got), conf_want = (uint64_t)(want);                                             \
                                                                                                                       \
        CONF_CHECK((conf), conf_got == conf_want, "%s: got %#llx, want %#llx", (what), (unsigned long long)conf_got,   \
                   (unsigned long long)conf_want);                                                                     \
    } while (0)

/* --- a small VM around programs: RAM, buses, the program ports, a partition --- */

/*
 * A run in which a program ends, or writes the power port, returns: with
 * VMR_HALT_POWER_OFF, or VMR_HALT_RESET for a reset. What tells the end from a
 * power off is `ended` in the report. Run again, an ended VP sleeps for good.
 */

struct conf_vm_options {
    uint32_t vps; /* 0: 1 */
    const struct vmr_cpuid_entry *cpuid;
    size_t cpuid_count;
    const struct vmr_msr_range *msr_exits;
    size_t msr_exit_count;
    const struct vmr_hv_config *hv; /* asks for all that the hypervisor serves itself, unless `hv_in_library` */
    bool hv_in_library;
    uint64_t vtl0_alias_map;
    uint64_t ram_size; /* 0: VMR_PROGRAM_RAM_MIN */
    struct vmr_vp_io
        io; /* `ports` and `mmio` are filled in; the callbacks are the scenario's, each called with its `context` */
    bool without_chip;
};

/* What the guest told the host, per VP. Read it when the VP is stopped, or see conf_wait_checkpoint. */
struct conf_report {
    bool ended;    /* VMR_STEP_END was reached */
    bool mismatch; /* a step saw something else than it expects */
    uint32_t mismatch_step;
    uint64_t mismatch_value;
    uint8_t mismatch_vtl;
    uint32_t checkpoint; /* the last one */
    uint32_t checkpoints;
};

struct conf_vm {
    struct conf *conf;
    struct vmr_memory *memory;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip; /* NULL: none attached */
    struct vmr_partition *partition;
    struct vmr_vp_io io; /* give this to vmr_vp_run */
    uint32_t vp_count;
    struct vmr_vp *vps[CONF_VP_MAX]; /* bound by conf_bind */
    struct conf_report reports[CONF_VP_MAX];
    /* Called at each checkpoint, on the VP's thread; optional. */
    void (*on_checkpoint)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number);
    void *user;                  /* the scenario's */
    struct conf_vm_state *state; /* the harness's */
};

/* NULL and a failure recorded if it cannot be built. */
struct conf_vm *conf_vm_create(struct conf *conf, const struct conf_vm_options *options);
/* Before the end of the scenario, for those about teardown; unbinds what conf_bind bound. */
void conf_vm_destroy(struct conf_vm *vm);
/* The guest program of a VP: handed to the mock, or assembled into RAM. Must outlive the VM. False: failed. */
bool conf_load(struct conf_vm *vm, vmr_vp_index vp, const struct vmr_program *program);
/* The program of one VTL of a VP, on the mock; that of the VTL in which VPs begin comes first, by conf_load. */
bool conf_load_vtl(struct conf_vm *vm, vmr_vp_index vp, uint8_t vtl, const struct vmr_program *program);
/* Binds a VP on this thread and gives it the registers its program begins with. NULL: failed. */
struct vmr_vp *conf_bind(struct conf_vm *vm, vmr_vp_index vp);
/* The opposite; for VPs bound on other threads than the scenario's, by that thread. Nothing if it is not bound. */
void conf_unbind(struct conf_vm *vm, vmr_vp_index vp);
/* The registers alone, for VPs bound elsewhere (a VP set's `prepare`: context is the conf_vm). */
enum vmr_status conf_prepare(void *conf_vm, struct vmr_vp *vp, struct vmr_error *err);

/* Runs a bound VP until its program ends, and checks that it did, with no mismatch. False: failed. */
bool conf_run_to_end(struct conf_vm *vm, vmr_vp_index vp);
/* Loads, binds and runs one program on VP 0 of a new VM. False: failed. */
bool conf_run_program(struct conf *conf, const struct conf_vm_options *options, const struct vmr_program *program);
/* What guests of new VMs see in CPUID, unless options say otherwise. False: failed. */
bool conf_cpuid(struct conf *conf, uint32_t leaf, uint32_t subleaf, struct vmr_cpuid_entry *ret_entry);
/* One vmr_vp_run with the VM's io; a failing status is recorded. */
bool conf_run(struct conf_vm *vm, vmr_vp_index vp, struct vmr_stop_source *stop, struct vmr_run_result *ret_result);

/* --- the state of a VM, to be held against another --- */

/* Every class of every VP that is bound to this thread, of the partition, and of controllers that are attached. */
struct conf_picture;
/* VPs stopped. NULL: failed. Give it back with conf_picture_free. */
struct conf_picture *conf_picture_take(struct conf_vm *vm);
void conf_picture_free(struct conf_picture *picture); /* NULL is fine */
/* For CONF_CLEANUP. */
static inline void conf_picture_end(struct conf_picture **picture)
{
    conf_picture_free(*picture);
    *picture = NULL;
}
/* Of what stands still. */
uint64_t conf_picture_hash(const struct conf_picture *picture);
/* The same classes with the same values, where they stand still. Each difference is a failure, field by field. */
bool conf_picture_compare(struct conf *conf, const struct conf_picture *got, const struct conf_picture *want,
                          const char *what);
/* Resets the partition and every VP, which are bound to this thread. False: failed. */
bool conf_reset(struct conf_vm *vm);
/* The registers that VPs' programs begin with, after a reset. False: failed. */
bool conf_begin_again(struct conf_vm *vm);

/* A program from an array of steps. */
#define CONF_PROGRAM(program_name, ...)                                                                                \
    static const struct vmr_step program_name##_steps[] = {__VA_ARGS__};                                               \
    static const struct vmr_program program_name = {                                                                   \
        .name = #program_name,                                                                                         \
        .steps = program_name##_steps,                                                                                 \
        .count = sizeof(program_name##_steps) / sizeof(program_name##_steps[0]),                                       \
    }

/* --- a device that remembers, for ports and MMIO --- */

struct conf_device {
    uint64_t answer;        /* what reads get, cut to their size */
    uint64_t answer_step;   /* added to `answer` after each read */
    uint32_t reads, writes; /* calls; read them when the VP is stopped */
    struct vmr_access last_read, last_write;
    uint64_t written[64]; /* the first values, in order */
    uint32_t sizes[64];   /* and the sizes of the first accesses, reads and writes together */
    void (*on_access)(struct conf_device *device, const struct vmr_access *access, bool write); /* optional */
    void *user;
};
/* Claims a range for `device` on `bus`; sizes as VMR_SIZE_*. False: failed. */
bool conf_device_claim(struct conf_vm *vm, struct vmr_bus *bus, uint64_t start, uint64_t length, uint8_t sizes,
                       struct conf_device *device);

/* --- other threads --- */

/* Starts a thread of the host's; joined at the end of the scenario, or by conf_join. NULL: failed. */
struct vmr_thread *conf_thread(struct conf *conf, void (*body)(void *argument), void *argument);
void conf_join(struct conf *conf, struct vmr_thread *thread);
/*
 * Gives others a chance. On the mock: until one has moved, or, when all wait,
 * for a millisecond of virtual time. Elsewhere a short sleep. For polling loops.
 */
void conf_pause(struct conf *conf);
/* Polls `condition(argument)` with conf_pause until it holds. False after a generous time: failed. */
bool conf_wait(struct conf *conf, bool (*condition)(void *argument), void *argument, const char *what);
/* The same for a VP on another thread to have passed checkpoint `number`, or a later one. */
bool conf_wait_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number);
/* A latch between threads: set once by any, seen by all. */
struct conf_latch {
    _Atomic uint32_t value;
};
void conf_latch_set(struct conf_latch *latch);
bool conf_latch_wait(struct conf *conf, struct conf_latch *latch, const char *what);

/* At the end, when the scenario's VMs are gone, `function` gets `object`; last first. False: failed, and it has got it.
 */
bool conf_defer(struct conf *conf, void (*function)(void *object), void *object);

/* Of the mock: the interrupt log, steps, kicks. NULL elsewhere. */
struct vmr_mock *conf_mock(struct conf_vm *vm);
