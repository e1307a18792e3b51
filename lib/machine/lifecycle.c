/* SPDX-License-Identifier: MIT */
/*
 * The states of a machine. What was asked for is `phase`, and changes under
 * `control`; what became of it by itself (a halt, a failure) is the VP set's to
 * say, and is asked each time.
 *
 * Waiting for a paused machine is here as well: to the VP set a pause is a stop,
 * after which there is nothing to wait for.
 */

#include "lib/machine/machine.h"

#include "lib/boot/firmware.h"
#include "vmrig/device_state.h"

const char *vmr_machine_state_name(enum vmr_machine_state state)
{
    static const char *const names[VMR_MACHINE_STATE_COUNT] = {
        [VMR_MACHINE_CREATED] = "created", [VMR_MACHINE_RUNNING] = "running", [VMR_MACHINE_PAUSED] = "paused",
        [VMR_MACHINE_HALTED] = "halted",   [VMR_MACHINE_STOPPED] = "stopped", [VMR_MACHINE_FAILED] = "failed",
    };

    return (unsigned)state < VMR_MACHINE_STATE_COUNT ? names[state] : "unknown";
}

static enum vmr_machine_state phase_of(struct vmr_machine *machine)
{
    return (enum vmr_machine_state)sync_load_u32(machine->host, &machine->phase);
}

static void set_phase(struct vmr_machine *machine, enum vmr_machine_state phase)
{
    sync_store_u32(machine->host, &machine->phase, (uint32_t)phase);
}

enum vmr_machine_state vmr_machine_get_state(struct vmr_machine *machine)
{
    struct vmr_vp_set_halt halt = {0};
    enum vmr_machine_state phase = phase_of(machine);

    /* Time out at once: the halt that is there, or none. */
    if (vmr_vp_set_wait(machine->set, 0, &halt) != VMR_OK || halt.result.reason == VMR_HALT_NONE)
        return phase;
    if (halt.result.reason == VMR_HALT_FATAL)
        return VMR_MACHINE_FAILED;
    return phase == VMR_MACHINE_RUNNING || phase == VMR_MACHINE_PAUSED ? VMR_MACHINE_HALTED : phase;
}

/* --- which order is right --- */

enum change {
    CHANGE_START,
    CHANGE_PAUSE,
    CHANGE_RESUME,
    CHANGE_RESET
};

#define FROM(state) (1u << VMR_MACHINE_##state)

/* Takes `control` if the change is allowed now. */
static bool begin(struct vmr_machine *machine, enum change change)
{
    static const unsigned allowed[] = {
        [CHANGE_START] = FROM(CREATED) | FROM(STOPPED),
        [CHANGE_PAUSE] = FROM(RUNNING),
        [CHANGE_RESUME] = FROM(PAUSED),
        [CHANGE_RESET] = FROM(CREATED) | FROM(STOPPED) | FROM(HALTED),
    };

    sync_mutex_lock(&machine->control);
    if (allowed[change] >> vmr_machine_get_state(machine) & 1u)
        return true;
    sync_mutex_unlock(&machine->control);
    return false;
}

static void wake_waiters(struct vmr_machine *machine)
{
    sync_mutex_lock(&machine->waiter_lock);
    for (struct machine_waiter *waiter = machine->waiters; waiter; waiter = waiter->next)
        machine->host->ops->unpark(machine->host->context, waiter->parker);
    sync_mutex_unlock(&machine->waiter_lock);
}

static enum vmr_status end(struct vmr_machine *machine, enum vmr_status status)
{
    sync_mutex_unlock(&machine->control);
    wake_waiters(machine);
    return status;
}

/* --- changes --- */

/* Time first, then who lives in it. What fails leaves all of it as it was. */
static enum vmr_status let_run(struct vmr_machine *machine)
{
    bool resumed = machine->clock && vmr_vm_clock_resume(machine->clock) == VMR_OK;

    machine_ticker_hold(machine->ticker, false);
    enum vmr_status status = vmr_vp_set_start(machine->set);

    if (status != VMR_OK) {
        machine_ticker_hold(machine->ticker, true);
        /* Nobody else may have paused it: `control` is held. */
        return resumed && vmr_vm_clock_pause(machine->clock) != VMR_OK ? VMR_E_STATE : status;
    }
    set_phase(machine, VMR_MACHINE_RUNNING);
    /* Asked for before there was anything to stop. */
    if (sync_load_u32(machine->host, &machine->stop_requested) != 0)
        (void)vmr_vp_set_halt_all(machine->set, 0, VMR_HALT_STOP);
    return VMR_OK;
}

enum vmr_status vmr_machine_start(struct vmr_machine *machine)
{
    if (!begin(machine, CHANGE_START))
        return VMR_E_STATE;
    vmr_power_clear(vmr_platform_power(machine->platform));
    return end(machine, let_run(machine));
}

enum vmr_status vmr_machine_resume(struct vmr_machine *machine)
{
    return begin(machine, CHANGE_RESUME) ? end(machine, let_run(machine)) : VMR_E_STATE;
}

static enum vmr_status pause_quiet(struct vmr_machine *machine)
{
    enum vmr_status status = vmr_vp_set_stop(machine->set);

    if (status != VMR_OK)
        return status;
    /* The guest was faster. */
    if (vmr_machine_get_state(machine) != VMR_MACHINE_RUNNING)
        return VMR_E_STATE;
    machine_ticker_hold(machine->ticker, true);
    status = vmr_vm_clock_pause(machine->clock);
    set_phase(machine, VMR_MACHINE_PAUSED);
    return status;
}

enum vmr_status vmr_machine_pause(struct vmr_machine *machine)
{
    if (!machine->clock)
        return VMR_E_UNSUPPORTED;
    return begin(machine, CHANGE_PAUSE) ? end(machine, pause_quiet(machine)) : VMR_E_STATE;
}

enum vmr_status vmr_machine_stop(struct vmr_machine *machine)
{
    sync_mutex_lock(&machine->control);
    enum vmr_status status = vmr_vp_set_stop(machine->set);

    if (status == VMR_OK) {
        machine_ticker_hold(machine->ticker, true);
        set_phase(machine, VMR_MACHINE_STOPPED);
        sync_store_u32(machine->host, &machine->stop_requested, 0);
    }
    return end(machine, status);
}

/* What ran goes on, unless the guest was faster and has halted. A partition that became unusable runs no more. */
static void go_on(struct vmr_machine *machine)
{
    if (vmr_machine_get_state(machine) != VMR_MACHINE_RUNNING)
        return;
    if (vmr_vp_set_start(machine->set) != VMR_OK)
        (void)vmr_vp_set_halt_all(machine->set, 0, VMR_HALT_FATAL);
    else if (sync_load_u32(machine->host, &machine->stop_requested) != 0)
        (void)vmr_vp_set_halt_all(machine->set, 0, VMR_HALT_STOP);
}

enum vmr_status machine_at_rest(struct vmr_machine *machine, enum vmr_status (*function)(void *argument),
                                void *argument)
{
    sync_mutex_lock(&machine->control);
    bool runs = vmr_machine_get_state(machine) == VMR_MACHINE_RUNNING;
    enum vmr_status status = runs ? vmr_vp_set_stop(machine->set) : VMR_OK;

    if (status == VMR_OK) {
        status = function(argument);
        if (runs)
            go_on(machine);
    }
    return end(machine, status);
}

/* What can fail comes first: the platform cannot, and takes the guest's request with it. */
static enum vmr_status reset_all(struct vmr_machine *machine, struct vmr_error *err)
{
    enum vmr_status status = firmware_restore_shadow(machine->memory, machine->firmware_size, err);

    if (status == VMR_OK)
        status = vmr_vp_set_reset(machine->set, err);
    if (status != VMR_OK)
        return status;
    vmr_platform_reset(machine->platform);
    machine_devices_reset(machine);
    set_phase(machine, VMR_MACHINE_STOPPED);
    return VMR_OK;
}

enum vmr_status vmr_machine_reset(struct vmr_machine *machine, struct vmr_error *err)
{
    if (!begin(machine, CHANGE_RESET))
        return vmr_error_set(err, VMR_E_STATE, "machine: it is %s, and only a machine that does not run can be reset",
                             vmr_machine_state_name(vmr_machine_get_state(machine)));
    machine_ticker_hold(machine->ticker, true);
    return end(machine, reset_all(machine, err));
}

void vmr_machine_request_stop(struct vmr_machine *machine)
{
    sync_store_u32(machine->host, &machine->stop_requested, 1);
    (void)vmr_vp_set_halt_all(machine->set, 0, VMR_HALT_STOP);
    wake_waiters(machine);
}

/* --- waiting --- */

static void unlink_waiter(struct vmr_machine *machine, const struct machine_waiter *waiter)
{
    struct machine_waiter **link = &machine->waiters;

    sync_mutex_lock(&machine->waiter_lock);
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    sync_mutex_unlock(&machine->waiter_lock);
}

/* The VP set is stopped. Waits while that is a pause; WOKEN: look again. VMR_E_STATE: it is no pause. */
static enum vmr_status wait_out_pause(struct vmr_machine *machine, uint64_t deadline_ns,
                                      enum vmr_park_result *ret_result)
{
    const struct vmr_host *host = machine->host;
    struct machine_waiter waiter = {.parker = NULL};
    enum vmr_status status = host->ops->parker_create(host->context, &waiter.parker);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&machine->waiter_lock);
    waiter.next = machine->waiters;
    machine->waiters = &waiter;
    sync_mutex_unlock(&machine->waiter_lock);

    /* A change that is under way shows its outcome first. */
    sync_mutex_lock(&machine->control);
    enum vmr_machine_state state = vmr_machine_get_state(machine);

    sync_mutex_unlock(&machine->control);
    *ret_result = VMR_PARK_WOKEN;
    if (state == VMR_MACHINE_PAUSED)
        *ret_result = host->ops->park(host->context, waiter.parker, deadline_ns);
    else if (state == VMR_MACHINE_CREATED || state == VMR_MACHINE_STOPPED)
        status = VMR_E_STATE;
    unlink_waiter(machine, &waiter);
    host->ops->parker_destroy(host->context, waiter.parker);
    return status;
}

/*
 * The guest has asked for a reset, and nobody for a stop: in one change, so that
 * a stop comes before or after it. False: the halt is for who waits. [MACH-4]
 */
static bool restart(struct vmr_machine *machine, const struct vmr_vp_set_halt *halt, enum vmr_status *ret_status)
{
    if (!machine->automatic_reset || halt->result.reason != VMR_HALT_RESET ||
        sync_load_u32(machine->host, &machine->stop_requested) != 0)
        return false;
    sync_mutex_lock(&machine->control);
    /* Of several who wait, one does it, and the others look again. */
    *ret_status = VMR_OK;
    if (vmr_machine_get_state(machine) == VMR_MACHINE_HALTED) {
        machine_ticker_hold(machine->ticker, true);
        *ret_status = reset_all(machine, NULL);
        if (*ret_status == VMR_OK)
            *ret_status = let_run(machine);
    }
    *ret_status = end(machine, *ret_status);
    return true;
}

enum vmr_status vmr_machine_wait(struct vmr_machine *machine, uint64_t deadline_ns, struct vmr_vp_set_halt *ret_halt)
{
    for (;;) {
        enum vmr_park_result result;
        enum vmr_status status = vmr_vp_set_wait(machine->set, deadline_ns, ret_halt);

        if (status == VMR_OK && restart(machine, ret_halt, &status)) {
            if (status != VMR_OK)
                return status;
            continue;
        }
        if (status != VMR_E_STATE)
            return status;
        status = wait_out_pause(machine, deadline_ns, &result);
        if (status != VMR_OK)
            return status;
        if (result == VMR_PARK_DEADLOCK)
            return VMR_E_DEADLOCK;
        if (result == VMR_PARK_TIMEOUT) {
            *ret_halt = (struct vmr_vp_set_halt){0};
            return VMR_OK;
        }
    }
}
