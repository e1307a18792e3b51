/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The mock backend: a hypervisor without a hypervisor.
 *
 * A mock VP is a small deterministic machine whose exits come from a source: a
 * guest program, a script (the text form of a trace), a recording, or whatever
 * the caller supplies. It opens no device, reads no clock and starts no thread of
 * its own: time, threads and order come from a scheduler whose every choice follows
 * from a seed, or is tried in turn. [MOCK-1] [MOCK-2] With `managed=true` it runs
 * its VPs itself (VMR_CAP_MANAGED), on threads that it asks the host for.
 */

#include "vmrig/partition.h"
#include "vmrig/program.h"

VMR_BEGIN_DECLS

/* What real backends disagree on, as named sets of differences (docs/profiles.md has the table). */
enum vmr_mock_profile {
    VMR_MOCK_STRICT,    /* everything the contract allows, nothing it does not; the default */
    VMR_MOCK_KVM_LIKE,  /* kick through a latched word, exits complete on re-entry, one OUTS item an exit */
    VMR_MOCK_HVF_LIKE,  /* sticky cancel, no re-bind, one VM a process, no interrupt window exits */
    VMR_MOCK_MSHV_LIKE, /* a kick between check and entry is retried, answers complete at once */
    VMR_MOCK_WHP_LIKE,  /* sticky cancel, no re-bind, MSR and CPUID exits, string I/O one item an exit */
    VMR_MOCK_PROFILE_COUNT
};
/* "strict", "kvm-like", ... */
VMR_API const char *vmr_mock_profile_name(enum vmr_mock_profile profile);

/* --- the scheduler: a host whose threads run one at a time --- */

struct vmr_scheduler;

enum vmr_schedule_mode {
    VMR_SCHEDULE_SEEDED,    /* random choices from the seed */
    VMR_SCHEDULE_EXHAUSTIVE /* every order with at most `preemptions` forced switches, one a run */
};

struct vmr_scheduler_options {
    enum vmr_schedule_mode mode;
    uint64_t seed;
    unsigned preemptions;      /* exhaustive: the bound */
    uint64_t step_max;         /* scheduling points in one run before it counts as a livelock; 0: 1,000,000 */
    const struct vmr_log *log; /* NULL: nowhere */
};

enum vmr_schedule_end {
    VMR_SCHEDULE_DONE,     /* the body and every thread it started have returned */
    VMR_SCHEDULE_DEADLOCK, /* all are blocked and no deadline is left */
    VMR_SCHEDULE_LIVELOCK, /* step_max was reached, or all who are left poll for what nobody will do */
    VMR_SCHEDULE_END_COUNT
};

VMR_API VMR_MUST_CHECK enum vmr_status vmr_scheduler_create(const struct vmr_scheduler_options *options,
                                                            struct vmr_scheduler **ret_scheduler,
                                                            struct vmr_error *err);
VMR_API void vmr_scheduler_destroy(struct vmr_scheduler *scheduler); /* NULL is fine. Not from inside a run. */
/*
 * Its host: virtual time that moves when everyone waits, threads that are
 * coroutines. Outside vmr_scheduler_run the caller counts as the only thread,
 * and a wait that nothing can end reports a deadlock at once. Its events are
 * numbers of its own; a watch is one of its threads, which sees a signal when it
 * gets a turn, and lives until `unwatch`: one that is forgotten is a deadlock.
 */
VMR_API void vmr_scheduler_host(struct vmr_scheduler *scheduler, struct vmr_host *ret_host);
/*
 * Runs `body` as the first thread until it and all threads it started are done.
 * On DEADLOCK or LIVELOCK the threads that remain are dropped where they stand,
 * so what they own is leaked until vmr_scheduler_destroy of everything is moot:
 * the caller reports, and ends. Virtual time begins at 0 in each run.
 */
VMR_API enum vmr_schedule_end vmr_scheduler_run(struct vmr_scheduler *scheduler, void (*body)(void *argument),
                                                void *argument);
/* Exhaustive: prepares the next order. False once all have been run, and for a seeded scheduler: it has one. */
VMR_API bool vmr_scheduler_next(struct vmr_scheduler *scheduler);
/* Orders run so far. */
VMR_API uint64_t vmr_scheduler_explored(const struct vmr_scheduler *scheduler);
/* The choices of the last run, one character each, for a report and for vmr_scheduler_replay. Valid until the next run.
 */
VMR_API const char *vmr_scheduler_choices(const struct vmr_scheduler *scheduler);
/* Makes the next run follow `choices`. VMR_E_CONFIG if it holds anything else than what the call above gives. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_scheduler_replay(struct vmr_scheduler *scheduler, const char *choices,
                                                            struct vmr_error *err);
/*
 * For loops that poll: lets the others go until one of them has moved, or, when
 * all of them wait, until `ns` of virtual time have passed. Any thread of the
 * scheduler.
 */
VMR_API void vmr_scheduler_pause(struct vmr_scheduler *scheduler, uint64_t ns);
/* Moves virtual time on. Any thread of the scheduler. */
VMR_API void vmr_scheduler_advance(struct vmr_scheduler *scheduler, uint64_t ns);

/* --- the hypervisor --- */

struct vmr_mock;

/* The const table; for vmr_backend_set_add and vmr_partition_native. */
VMR_API const struct vmr_backend *vmr_mock_backend(void);

/* The mock inside a partition that was made from a mock handle; NULL otherwise. */
VMR_API struct vmr_mock *vmr_mock_of(struct vmr_partition *partition);

/* Gives VP `vp` its program, to begin at its next step. The program must outlive the partition. VPs stopped. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_load_program(struct vmr_mock *mock, vmr_vp_index vp,
                                                             const struct vmr_program *program, struct vmr_error *err);

/* The same for one VTL of the VP: its program begins when the VTL is first entered. The call above is for the VTL that
 * the VP is in. VMR_E_USAGE for a VTL that the VM does not have. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_load_vtl_program(struct vmr_mock *mock, vmr_vp_index vp, uint8_t vtl,
                                                                 const struct vmr_program *program,
                                                                 struct vmr_error *err);

/*
 * A program has no code: the instruction pointer of a VP at step n of its
 * program is VMR_MOCK_STEP_BASE + n * VMR_MOCK_STEP_BYTES, also for breakpoints;
 * behind an instruction of a step that has several, behind HLT for one, it is more
 * by less than VMR_MOCK_STEP_BYTES.
 * In the code of a hypercall page the address of the calling step is the base of
 * the code segment. A VP that is given real-mode registers, or any other
 * instruction pointer, begins its program anew.
 */
#define VMR_MOCK_STEP_BASE UINT64_C(0x40000000)
#define VMR_MOCK_STEP_BYTES 16u

/*
 * Where a VP's exits come from, if not from a program. `next` gets the exit
 * before with its answer and replaces it. Must outlive the partition. VPs
 * stopped.
 */
struct vmr_mock_source {
    void (*next)(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit);
    void (*complete)(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit); /* optional: leaves VMR_EXIT_NONE */
    void *context;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_load_source(struct vmr_mock *mock, vmr_vp_index vp,
                                                            const struct vmr_mock_source *source);

/*
 * A script: one exit a line in the words of vmr_exit_print, with what the
 * library must answer after "->". Lines that begin with # are skipped. What the
 * library does against the script (another answer, a surplus step) is a fatal
 * exit whose bytes hold the line number, and vmr_mock_script_error says the
 * rest. Errors in the text name line and column. [MOCK-3]
 *
 *   io read port=0x71 size=1 -> value=0x26
 *   mmio write gpa=0xfee000b0 size=4 value=0x0
 *   system-event event=power-off
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_load_script(struct vmr_mock *mock, vmr_vp_index vp, const char *text,
                                                            size_t length, struct vmr_error *err);
/* The first difference from the script, as a sentence; NULL if there is none. */
VMR_API const char *vmr_mock_script_error(const struct vmr_mock *mock, vmr_vp_index vp);

/* --- faults: things that go wrong on demand. VPs stopped. --- */

enum vmr_mock_fault {
    VMR_MOCK_FAIL_CALL,       /* the n-th backend call that can fail returns VMR_E_HOST (vp_run: a fatal exit) */
    VMR_MOCK_DROP_KICK,       /* the n-th kick does nothing: a broken backend */
    VMR_MOCK_SPURIOUS_CANCEL, /* before the n-th step, one VMR_EXIT_CANCEL for no reason: legal */
    VMR_MOCK_DELAY_STEP,      /* the n-th step takes a millisecond of virtual time */
    VMR_MOCK_FAIL_GET_STATE,  /* the n-th reading of a state fails */
    VMR_MOCK_FAIL_SET_STATE,  /* the n-th writing */
    VMR_MOCK_FAIL_RESET,      /* the n-th reset, of the VM or of a VP */
    VMR_MOCK_FAULT_COUNT
};
/* In the mock inside `handle`, counted from 1 over everything made from it from now on; 0 takes the fault away. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_set_fault(struct vmr_hypervisor_handle *handle,
                                                          enum vmr_mock_fault fault, uint64_t nth);
/* The same, and it goes wrong from the n-th time on. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_mock_set_lasting_fault(struct vmr_hypervisor_handle *handle,
                                                                  enum vmr_mock_fault fault, uint64_t nth);
/* How often the counted thing has happened since. */
VMR_API uint64_t vmr_mock_fault_count(const struct vmr_hypervisor_handle *handle, enum vmr_mock_fault fault);

/* --- what the mock saw --- */

/* Interrupts injected into `vp`, oldest first; returns how many there were in all. [EXIT-10] */
VMR_API size_t vmr_mock_injected(const struct vmr_mock *mock, vmr_vp_index vp, uint8_t *vectors, size_t capacity);
/* Times vp_kick was called for `vp`. */
VMR_API uint64_t vmr_mock_kicks(const struct vmr_mock *mock, vmr_vp_index vp);
/* Times `vp` flushed its translations. */
VMR_API uint64_t vmr_mock_flushes(const struct vmr_mock *mock, vmr_vp_index vp);
/* Guest steps executed by `vp`: for "not one more instruction". */
VMR_API uint64_t vmr_mock_steps(const struct vmr_mock *mock, vmr_vp_index vp);

VMR_END_DECLS
