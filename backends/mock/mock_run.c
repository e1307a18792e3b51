/* SPDX-License-Identifier: MIT */
/*
 * One step of a VP: the answer to the exit before is taken first, then the guest
 * runs until the next exit.
 *
 * The kick protocol is one word, `attention`. A kick sets its bit and unparks;
 * the VP looks at the word between any two guest instructions, and never waits
 * without having looked. Each look is a scheduling point, so that a search sees
 * a kick arrive at every place. [RUN-3]
 */

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "backends/mock/chip.h"
#include "backends/mock/program.h"
#include "backends/mock/script.h"

#define VECTOR_NMI 2u
#define DELAY_NS UINT64_C(1000000)
#define POLL_NS UINT64_C(100000)
/* With a seed, one step in so many begins with a spurious cancel. */
#define SPURIOUS_ONE_IN 16u

static void seam(const struct vmr_backend_vp *vp, enum vmr_run_seam seam)
{
    if (vp->vm->hook)
        vp->vm->hook(vp->vm->hook_context, vp->index, seam);
}

/* --- exits that no instruction causes --- */

static void exit_cancel(struct vmr_exit *vp_exit)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
}

static void exit_fail(struct vmr_exit *vp_exit, enum vmr_fail_cause cause, uint64_t code, const char *text)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL};
    vp_exit->u.fail.cause = (uint8_t)cause;
    vp_exit->u.fail.code = code;
    vp_exit->u.fail.length = (uint8_t)strlen(text);
    memcpy(vp_exit->u.fail.bytes, text, vp_exit->u.fail.length);
}

static void exit_debug(const struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, bool single_step, unsigned breakpoint)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_DEBUG};
    vp_exit->u.debug =
        (struct vmr_exit_debug){.single_step = single_step, .breakpoint = (uint8_t)breakpoint, .pc = vp->regs.rip};
}

/* What every exit says. */
static void complete_exit(const struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    vp_exit->interrupt_ready = vp_can_interrupt(vp) && vp->injected.kind == VMR_X86_EVENT_NONE;
    vp_exit->tpr = vp->vm->chip ? 0 : (uint8_t)vp->regs.cr8;
    vp_exit->vtl = vp->vtl;
}

/* --- instructions --- */

/* Breakpoints on data are reported after the access (Intel SDM vol. 3, 17.2.4); the lowest wins. */
static void note_data_breakpoint(struct vmr_backend_vp *vp, const struct vmr_step *step)
{
    bool store = step->op == VMR_STEP_STORE || step->op == VMR_STEP_STORE_VAR || step->op == VMR_STEP_OR;

    if (!store && step->op != VMR_STEP_LOAD)
        return;
    for (int i = VMR_X86_BREAKPOINT_COUNT - 1; i >= 0; i--) {
        const struct vmr_breakpoint *breakpoint = &vp->debug.breakpoints[i];
        bool touched = step->address < breakpoint->address + breakpoint->length &&
                       breakpoint->address < step->address + step->size;

        if (breakpoint->enabled && touched &&
            (breakpoint->kind == VMR_BREAK_ACCESS || (breakpoint->kind == VMR_BREAK_WRITE && store)))
            vp->break_due = i;
    }
}

static void advance(struct vmr_backend_vp *vp)
{
    uint32_t index = program_step(vp);

    if (index < vp->program->count)
        note_data_breakpoint(vp, &vp->program->steps[index]);
    vp->regs.rip = VMR_MOCK_STEP_BASE + (uint64_t)vp->next_step * VMR_MOCK_STEP_BYTES;
    vp->step = (struct flight){0};
    if (vp->shadow > 0)
        vp->shadow--;
    vp->resume = false;
    vp->trap_due = vp->debug.single_step;
}

static enum step_result run_instruction(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    bool in_handler = vp->in_handler;
    uint8_t exception = vp->exception;
    enum step_result result = in_handler ? handler_run(vp, vp_exit) : program_run(vp, vp_exit);

    vp->awaiting = result == STEP_EXIT;
    if (vp->exception != exception) {
        vp->in_handler = false;
        vp->step = (struct flight){0};
        return STEP_AGAIN;
    }
    if (result == STEP_DONE && !in_handler)
        advance(vp);
    /* Each turn of a loop is an instruction too: one that follows STI ends its shadow. */
    if (result == STEP_POLL && vp->shadow > 0) {
        vp->shadow = 0;
        return STEP_AGAIN;
    }
    return result;
}

/* The program's state at its first step; what the caller put into general registers stays. */
static void begin_program(struct vmr_backend_vp *vp)
{
    struct vmr_x86_regs *regs = &vp->regs;
    const struct vmr_x86_segment code = {.limit = UINT32_MAX, .selector = 8, .attributes = MOCK_CODE64_ATTRIBUTES};
    const struct vmr_x86_segment data = {.limit = UINT32_MAX, .selector = 16, .attributes = 0xc093};

    if ((regs->cr0 & 1) == 0) {
        regs->cs = code;
        regs->ds = regs->es = regs->fs = regs->gs = regs->ss = data;
        regs->cr0 = UINT64_C(0x80000011); /* PG, ET, PE */
        regs->cr4 = 0x20;                 /* PAE */
        regs->efer = 0x500;               /* LMA, LME */
    }
    regs->rip = VMR_MOCK_STEP_BASE;
    regs->rflags = RFLAGS_FIXED;
    vp->begun = true;
}

/* --- between instructions --- */

static void accept(struct vmr_backend_vp *vp, uint8_t vector)
{
    vp->activity = VMR_ACTIVITY_RUNNING;
    handler_begin(vp, vector);
}

static void accept_nmi(struct vmr_backend_vp *vp)
{
    vp->nmi_masked = true;
    accept(vp, VECTOR_NMI);
}

/* What was begun and waits for no flag. False: nothing was. */
static bool take_begun(struct vmr_backend_vp *vp)
{
    struct vmr_x86_event event = vp->injected;

    if (vp->in_handler || event.kind == VMR_X86_EVENT_NONE || event.kind == VMR_X86_EVENT_INTERRUPT)
        return false;
    vp->injected = (struct vmr_x86_event){0};
    if (event.kind == VMR_X86_EVENT_EXCEPTION)
        vp->pending = event;
    else if (event.kind == VMR_X86_EVENT_NMI)
        accept_nmi(vp);
    else
        accept(vp, event.vector);
    return true;
}

static void take_interrupt(struct vmr_backend_vp *vp)
{
    if (vp->nmi_pending && !vp->in_handler && !vp->nmi_masked) {
        vp->nmi_pending = false;
        accept_nmi(vp);
        return;
    }
    if (take_begun(vp) || !vp_can_interrupt(vp))
        return;
    if (vp->injected.kind == VMR_X86_EVENT_INTERRUPT) {
        uint8_t vector = vp->injected.vector;

        vp->injected = (struct vmr_x86_event){0};
        accept(vp, vector);
    } else if (vp->chip_pending) {
        int vector = chip_accept(vp);

        if (vector < 0)
            return;
        vp_log_injected(vp, (uint8_t)vector);
        accept(vp, (uint8_t)vector);
    }
}

static bool opens_window(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (!vp->window || !vp_can_interrupt(vp) || vp->injected.kind != VMR_X86_EVENT_NONE)
        return false;
    if (vp->vm->profile->window == PROFILE_WINDOW_ONCE)
        vp->window = false;
    *vp_exit = (struct vmr_exit){.kind = vp->vm->profile->window == PROFILE_WINDOW_CANCEL ? VMR_EXIT_CANCEL
                                                                                          : VMR_EXIT_IRQ_WINDOW};
    return true;
}

static bool hits_breakpoint(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT && !vp->resume && !vp->in_handler; i++) {
        const struct vmr_breakpoint *breakpoint = &vp->debug.breakpoints[i];

        if (!breakpoint->enabled || breakpoint->kind != VMR_BREAK_EXECUTE || breakpoint->address != vp->regs.rip)
            continue;
        vp->resume = true; /* the next run goes past it, as with RFLAGS.RF */
        exit_debug(vp, vp_exit, false, i);
        return true;
    }
    return false;
}

/* True: *vp_exit holds an exit. */
static bool between_instructions(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (vp->break_due >= 0) {
        exit_debug(vp, vp_exit, false, (unsigned)vp->break_due);
        vp->break_due = -1;
        vp->trap_due = false;
        return true;
    }
    if (vp->trap_due) {
        exit_debug(vp, vp_exit, true, 0);
        vp->trap_due = false;
        return true;
    }
    if (vp->eoi_due >= 0) {
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_EOI, .u.eoi.vector = (uint8_t)vp->eoi_due};
        vp->eoi_due = -1;
        return true;
    }
    if (vp->activity == VMR_ACTIVITY_WAIT_FOR_SIPI)
        return false;
    if (!vp->begun)
        begin_program(vp);
    take_interrupt(vp);
    return opens_window(vp, vp_exit) ||
           (vp->activity == VMR_ACTIVITY_RUNNING && vp->step.stage == 0 && hits_breakpoint(vp, vp_exit));
}

/* --- waiting inside the guest --- */

/*
 * False: a virtual host knows that nothing can end it. A virtual clock goes on
 * only past those who wait with a deadline: a guest that polls with its timer
 * running waits for a little while at a time.
 */
static bool wait_inside(struct vmr_backend_vp *vp, enum step_result why)
{
    const struct vmr_host *host = vp->vm->host;
    uint64_t deadline_ns = chip_timer_due(vp);

    if (why == STEP_POLL && host->ops->schedule && deadline_ns != VMR_NEVER) {
        uint64_t soon_ns = host->ops->now_ns(host->context) + POLL_NS;

        (void)host->ops->park(host->context, vp->parker, soon_ns < deadline_ns ? soon_ns : deadline_ns);
        return true;
    }
    if (why == STEP_WAIT)
        return host->ops->park(host->context, vp->parker, deadline_ns) != VMR_PARK_DEADLOCK;
    /* A kick that came since the last look may be all that will ever move: its sender may poll for this VP to leave. */
    if (atomic_load(&vp->attention) != 0)
        return true;
    if (host->ops->schedule)
        return host->ops->schedule->block(host->context, NULL);
    (void)sched_yield(); /* what is polled for may need this processor */
    return true;
}

static bool draws_spurious(struct vmr_backend_vp *vp)
{
    if (vp->vm->hypervisor->seed == 0)
        return false;
    /* Knuth's MMIX generator; the upper bits are the good ones. */
    vp->random = vp->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (vp->random >> 33) % SPURIOUS_ONE_IN == 0;
}

/* Faults that hit a step. True: *vp_exit holds a cancel. */
static bool step_goes_wrong(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    const struct vmr_host *host = vp->vm->host;

    if (fault_hits(vp->vm->hypervisor, VMR_MOCK_DELAY_STEP)) {
        uint64_t deadline_ns = host->ops->now_ns(host->context) + DELAY_NS;

        (void)host->ops->park(host->context, vp->parker, deadline_ns);
        /* The permit may have been a kick's: it is needed again if this step waits. */
        host->ops->unpark(host->context, vp->parker);
    }
    if (!fault_hits(vp->vm->hypervisor, VMR_MOCK_SPURIOUS_CANCEL) && !draws_spurious(vp))
        return false;
    exit_cancel(vp_exit);
    return true;
}

/* --- the guest --- */

static void run_program(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, uint32_t attention)
{
    const struct vmr_host *host = vp->vm->host;
    bool inside = vp->vm->profile->kick != PROFILE_KICK_RESENT;

    for (;;) {
        /* A handler under way, and the end of a level interrupt that waits to be told, are no state: they go first. */
        if ((attention & ATTENTION_KICK) && inside && vp->eoi_due < 0 && !vp->in_handler) {
            exit_cancel(vp_exit);
            return;
        }
        if (attention & ATTENTION_INTERRUPT) {
            (void)sync_fetch_and_u32(host, &vp->attention, ~ATTENTION_INTERRUPT);
            chip_take(vp);
        }
        chip_run_timer(vp);
        if (step_goes_wrong(vp, vp_exit) || between_instructions(vp, vp_exit))
            return;
        enum step_result result = STEP_WAIT;

        if (vp->activity == VMR_ACTIVITY_RUNNING) {
            vp_count_step(vp);
            result = run_instruction(vp, vp_exit);
        }
        if (result == STEP_EXIT || result == STEP_LEAVE)
            return;
        vp->trap_due |= result >= STEP_WAIT && vp->debug.single_step;
        /* A kick that was there at the entry is taken now, where kicks are resent: the guest must not wait first. */
        bool waits = result >= STEP_WAIT && !vp->trap_due && (attention & ATTENTION_KICK) == 0;

        if (waits && !wait_inside(vp, result)) {
            exit_fail(vp_exit, VMR_FAIL_INTERNAL, 0, "the guest waits for what cannot come");
            return;
        }
        inside = true;
        attention = sync_load_u32(host, &vp->attention);
    }
}

/* Sources and scripts have no inside. */
static void run_source(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, uint32_t attention)
{
    if (attention & ATTENTION_KICK) {
        if (!vp->holds)
            vp->held = *vp_exit;
        vp->holds = true;
        exit_cancel(vp_exit);
        return;
    }
    if (vp->holds)
        *vp_exit = vp->held;
    vp->holds = false;
    if (step_goes_wrong(vp, &vp->held)) {
        struct vmr_exit cancel = vp->held;

        vp->held = *vp_exit;
        vp->holds = true;
        *vp_exit = cancel;
        return;
    }
    vp_count_step(vp);
    if (vp->script)
        script_next(vp->script, vp_exit);
    else
        vp->source.next(vp->source.context, vp->index, vp_exit);
}

static bool has_source(const struct vmr_backend_vp *vp)
{
    return vp->script != NULL || vp->source.next != NULL;
}

static void enter(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    const struct vmr_host *host = vp->vm->host;

    seam(vp, VMR_SEAM_BEFORE_ENTRY);
    uint32_t attention = sync_load_u32(host, &vp->attention);

    seam(vp, VMR_SEAM_IN_GUEST);
    if (has_source(vp))
        run_source(vp, vp_exit, attention);
    else if (vp->program)
        run_program(vp, vp_exit, attention);
    else
        exit_fail(vp_exit, VMR_FAIL_INTERNAL, 0, "the VP has neither program nor source");
    /* A kick that this exit does not answer stays for the next step. */
    if (vp_exit->kind == VMR_EXIT_CANCEL)
        (void)sync_fetch_and_u32(host, &vp->attention, ~ATTENTION_KICK);
    seam(vp, VMR_SEAM_AFTER_EXIT);
}

void mock_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    /* `attention` is open to kicks all the time: what corresponds to publishing is taking the answer. */
    seam(vp, VMR_SEAM_BEFORE_PUBLISH);
    if (fault_hits(vp->vm->hypervisor, VMR_MOCK_FAIL_CALL)) {
        exit_fail(vp_exit, VMR_FAIL_HOST, EIO, "running failed, as it was told to");
        return;
    }
    if (vp->awaiting) {
        enum step_result result = run_instruction(vp, vp_exit);

        if (result == STEP_EXIT || result == STEP_LEAVE) {
            complete_exit(vp, vp_exit);
            return;
        }
    }
    enter(vp, vp_exit);
    if (!has_source(vp))
        complete_exit(vp, vp_exit);
}

static void complete_source(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (vp->source.complete) {
        vp->source.complete(vp->source.context, vp->index, vp_exit);
        return;
    }
    /* Taken, but its source only sees it with the next step. */
    vp->held = *vp_exit;
    vp->holds = true;
    *vp_exit = (struct vmr_exit){0};
}

void mock_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (has_source(vp)) {
        complete_source(vp, vp_exit);
        return;
    }
    if (vp->awaiting) {
        enum step_result result = run_instruction(vp, vp_exit);

        while (vp->in_handler && result == STEP_AGAIN)
            result = run_instruction(vp, vp_exit);
        if (result == STEP_EXIT || result == STEP_LEAVE) {
            complete_exit(vp, vp_exit);
            return;
        }
    }
    *vp_exit = (struct vmr_exit){0};
}
