/* SPDX-License-Identifier: MIT */
/*
 * What happens to an exit, by kind. The answer goes into the exit; the backend
 * takes it from there. Callbacks run here, on the VP's thread, with no lock
 * held.
 */

#include "lib/base/bytes.h"
#include "lib/base/checked.h"
#include "lib/run/run.h"

static const char *const halt_names[VMR_HALT_REASON_COUNT] = {
    [VMR_HALT_NONE] = "none",
    [VMR_HALT_STOP] = "stop",
    [VMR_HALT_CANCEL] = "cancel",
    [VMR_HALT_POWER_OFF] = "power-off",
    [VMR_HALT_RESET] = "reset",
    [VMR_HALT_HIBERNATE] = "hibernate",
    [VMR_HALT_TRIPLE_FAULT] = "triple-fault",
    [VMR_HALT_SINGLE_STEP] = "single-step",
    [VMR_HALT_HW_BREAK] = "hw-break",
    [VMR_HALT_FATAL] = "fatal",
};

const char *vmr_halt_reason_name(enum vmr_halt_reason reason)
{
    return (unsigned)reason < VMR_HALT_REASON_COUNT ? halt_names[reason] : "unknown";
}

/* One access to a bus; a bus that is not there is one that nobody claimed anything on. [IO-1] [IO-2] */
static uint64_t bus_access(struct vmr_bus *bus, const struct vmr_access *access, bool write, uint64_t value)
{
    if (!bus)
        return mask_of_bytes(access->size);
    if (!write)
        return vmr_bus_read(bus, access);
    vmr_bus_write(bus, access, value);
    return value;
}

static void dispatch_string(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit)
{
    struct vmr_exit_io *access = &vp_exit->u.io;
    const struct vmr_access call = {
        .address = access->port, .size = access->size, .vtl = vp_exit->vtl, .vp = vp->index};

    for (uint32_t i = 0; i < access->count; i++) {
        uint8_t *item = access->bytes + (size_t)i * access->size;
        uint64_t value = bus_access(io->ports, &call, access->direction == VMR_WRITE, load_le(item, access->size));

        if (access->direction == VMR_READ)
            store_le(item, access->size, value);
    }
}

static void dispatch_io(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit)
{
    struct vmr_exit_io *access = &vp_exit->u.io;

    if (access->string) {
        dispatch_string(vp, io, vp_exit);
        return;
    }
    const struct vmr_access call = {
        .address = access->port, .size = access->size, .vtl = vp_exit->vtl, .vp = vp->index};

    access->value = bus_access(io->ports, &call, access->direction == VMR_WRITE, access->value);
}

/*
 * A write to RAM that its VTL has exits for one reason: the page was the monitor
 * page when it was made. It counts for that page, though the page has moved
 * since. [MON-4]
 */
static bool late_monitor_write(struct vmr_vp *vp, struct vmr_synic *synic, const struct vmr_exit *vp_exit)
{
    const struct vmr_exit_mmio *access = &vp_exit->u.mmio;
    uint32_t offset = (uint32_t)(access->gpa % VMR_PAGE_SIZE);
    struct vmr_memory_region region;

    if (!vmr_synic_has_monitor(synic) || !vmr_memory_region_find(vp->partition->memory, access->gpa, &region) ||
        region.read_only || vmr_hv_guest_is_hole(vp->partition->hv, vp_exit->vtl, access->gpa))
        return false;
    for (uint32_t bit = 0; offset + access->size <= HV_MONITOR_GROUPS_END && bit < 8u * access->size; bit++) {
        if (access->value >> bit & 1)
            vmr_synic_monitor_write_bit(synic, vp_exit->vtl, 8 * offset + bit);
    }
    return true;
}

/* The monitor page lies in RAM: no device has its writes. */
static bool monitor_access(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    struct vmr_exit_mmio *access = &vp_exit->u.mmio;
    uint8_t bytes[8];

    if (!vp->partition->hv)
        return false;
    struct vmr_synic *synic = vmr_hv_guest_synic(vp->partition->hv);

    store_le(bytes, sizeof(bytes), access->value);
    if (access->direction == VMR_WRITE)
        return vmr_synic_monitor_write(synic, vp_exit->vtl, access->gpa, bytes, access->size) ||
               late_monitor_write(vp, synic, vp_exit);
    if (!vmr_synic_monitor_read(synic, access->gpa, bytes, access->size))
        return false;
    access->value = load_le(bytes, access->size);
    return true;
}

static void dispatch_mmio(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit)
{
    struct vmr_exit_mmio *access = &vp_exit->u.mmio;
    const struct vmr_access call = {.address = access->gpa, .size = access->size, .vtl = vp_exit->vtl, .vp = vp->index};

    if (monitor_access(vp, vp_exit))
        return;
    access->value = bus_access(io->mmio, &call, access->direction == VMR_WRITE, access->value);
}

static enum vmr_msr_result hv_msr(struct vmr_vp *vp, const struct vmr_exit *vp_exit, uint64_t *ret_value)
{
    struct vmr_hv_guest *hv = vp->partition->hv;
    const struct vmr_exit_msr *msr = &vp_exit->u.msr;

    if (!hv)
        return VMR_MSR_NOT_MINE;
    if (msr->direction == VMR_READ)
        return vmr_hv_guest_msr_read(hv, vp->index, vp_exit->vtl, msr->index, ret_value);
    enum vmr_msr_result result = vmr_hv_guest_msr_write(hv, vp->index, vp_exit->vtl, msr->index, msr->value);

    if (result == VMR_MSR_OK) {
        vp->recheck = true;
        vp->reset_due = vmr_hv_guest_take_reset(hv);
    }
    return result;
}

/* The interrupt controllers first, the Hyper-V interface, the embedder; what none knows is #GP. [MSR-1] [MSR-2] */
static void dispatch_msr(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit)
{
    const struct vmr_partition *partition = vp->partition;
    struct vmr_exit_msr *msr = &vp_exit->u.msr;
    enum vmr_msr_result result = VMR_MSR_NOT_MINE;
    bool write = msr->direction == VMR_WRITE;
    uint64_t value = 0;

    if (partition->chip_ops && !partition_apic_in_hypervisor(partition))
        result = write ? partition->chip_ops->msr_write(partition->chip, vp->index, msr->index, msr->value)
                       : partition->chip_ops->msr_read(partition->chip, vp->index, msr->index, &value);
    if (result == VMR_MSR_NOT_MINE)
        result = hv_msr(vp, vp_exit, &value);
    if (result == VMR_MSR_NOT_MINE && write && io->msr_write)
        result = io->msr_write(io->context, vp, msr->index, msr->value);
    else if (result == VMR_MSR_NOT_MINE && !write && io->msr_read)
        result = io->msr_read(io->context, vp, msr->index, &value);
    msr->fault = result != VMR_MSR_OK;
    if (!write)
        msr->value = msr->fault ? 0 : value;
}

static void dispatch_halt(struct vmr_vp *vp)
{
    if (partition_apic_in_hypervisor(vp->partition))
        return;
    vp->activity = VMR_ACTIVITY_HALTED;
    vp->recheck = true;
}

static enum vmr_halt_reason debug_halt(const struct vmr_exit *vp_exit, struct vmr_run_result *result)
{
    result->breakpoint = vp_exit->u.debug.breakpoint;
    return vp_exit->u.debug.single_step ? VMR_HALT_SINGLE_STEP : VMR_HALT_HW_BREAK;
}

static enum vmr_halt_reason system_event_halt(const struct vmr_exit *vp_exit)
{
    static const enum vmr_halt_reason reasons[VMR_SYSTEM_EVENT_COUNT] = {
        [VMR_SYSTEM_POWER_OFF] = VMR_HALT_POWER_OFF,
        [VMR_SYSTEM_RESET] = VMR_HALT_RESET,
        [VMR_SYSTEM_HIBERNATE] = VMR_HALT_HIBERNATE,
        [VMR_SYSTEM_CRASH] = VMR_HALT_TRIPLE_FAULT,
    };

    return vp_exit->u.system_event.event < VMR_SYSTEM_EVENT_COUNT ? reasons[vp_exit->u.system_event.event]
                                                                  : VMR_HALT_FATAL;
}

static void tell_fatal(struct vmr_vp *vp, const struct vmr_vp_io *io, const struct vmr_exit *vp_exit,
                       struct vmr_run_result *result)
{
    result->exit = *vp_exit;
    if (vp_exit->kind == VMR_EXIT_IO)
        result->exit.u.io.bytes = NULL;
    if (io->fatal)
        io->fatal(io->context, vp->index, vp_exit);
}

/* Long because it is a table: one case a kind, in the order of the enumeration, none left to chance. */
static enum vmr_halt_reason dispatch_by_kind(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit,
                                             struct vmr_run_result *result)
{
    const struct vmr_partition *partition = vp->partition;

    switch ((enum vmr_exit_kind)vp_exit->kind) {
    case VMR_EXIT_IO:
        dispatch_io(vp, io, vp_exit);
        return VMR_HALT_NONE;
    case VMR_EXIT_MMIO:
        dispatch_mmio(vp, io, vp_exit);
        return VMR_HALT_NONE;
    case VMR_EXIT_MSR:
        dispatch_msr(vp, io, vp_exit);
        return VMR_HALT_NONE;
    case VMR_EXIT_HALT:
        dispatch_halt(vp);
        return VMR_HALT_NONE;
    case VMR_EXIT_IRQ_WINDOW:
        vp->recheck = true;
        return VMR_HALT_NONE;
    case VMR_EXIT_EOI:
        if (partition->chip_ops)
            partition->chip_ops->eoi(partition->chip, vp_exit->u.eoi.vector);
        return VMR_HALT_NONE;
    case VMR_EXIT_HYPERCALL:
        vp_exit->u.hypercall.result = UINT64_MAX; /* nobody offers hypercalls */
        return VMR_HALT_NONE;
    case VMR_EXIT_CPUID: /* arrives answered from the partition's table */
    case VMR_EXIT_CANCEL:
    case VMR_EXIT_NONE:
        return VMR_HALT_NONE;
    case VMR_EXIT_DEBUG:
        return debug_halt(vp_exit, result);
    case VMR_EXIT_SHUTDOWN:
        result->vtl = vp_exit->u.shutdown.vtl;
        return VMR_HALT_TRIPLE_FAULT;
    case VMR_EXIT_SYSTEM_EVENT:
        result->vtl = vp_exit->vtl;
        return system_event_halt(vp_exit);
    case VMR_EXIT_MEMORY_FAULT: /* but for what a VTL deals with */
    case VMR_EXIT_FAIL:
    case VMR_EXIT_KIND_COUNT:
    default:
        return VMR_HALT_FATAL; /* never silently resumed [EXIT-2] */
    }
}

static bool reason_is_the_embedders(enum vmr_halt_reason reason)
{
    return reason > VMR_HALT_CANCEL && reason < VMR_HALT_REASON_COUNT;
}

/* The embedder's handler, then the library. */
static enum vmr_halt_reason handle(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit,
                                   struct vmr_run_result *result)
{
    enum vmr_exit_action action = VMR_EXIT_DEFAULT;
    enum vmr_halt_reason reason = VMR_HALT_NONE;
    bool failed = vp_exit->kind == VMR_EXIT_FAIL; /* whatever the handler makes of it [EXIT-2] */

    if (io->exit && vp_exit->kind != VMR_EXIT_CANCEL && vp_exit->kind != VMR_EXIT_IRQ_WINDOW)
        action = io->exit(io->context, vp, vp_exit, &reason);
    if (failed)
        return VMR_HALT_FATAL;
    if (action == VMR_EXIT_HALT_VP)
        return reason_is_the_embedders(reason) ? reason : VMR_HALT_FATAL;
    if (action != VMR_EXIT_DEFAULT)
        return VMR_HALT_NONE;
    if (hypercall_is(vp, vp_exit))
        return hypercall_serve(vp, vp_exit);
    if (vtl_fault_is(vp, vp_exit) && vtl_fault_serve(vp, vp_exit) == VMR_HALT_NONE)
        return VMR_HALT_NONE;
    return dispatch_by_kind(vp, io, vp_exit, result);
}

/* What devices pull, and what the guest asked of the Hyper-V interface. */
static enum vmr_halt_reason requested_halt(struct vmr_vp *vp, const struct vmr_vp_io *io)
{
    bool reset_due = vp->reset_due;
    enum vmr_halt_reason reason = io->halt_requested ? io->halt_requested(io->context, vp->index) : VMR_HALT_NONE;

    vp->reset_due = false;
    if (reason_is_the_embedders(reason))
        return reason;
    return reset_due ? VMR_HALT_RESET : VMR_HALT_NONE;
}

enum vmr_halt_reason dispatch_one(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit,
                                  struct vmr_run_result *result)
{
    enum vmr_halt_reason reason = handle(vp, io, vp_exit, result);

    if (reason == VMR_HALT_NONE)
        reason = requested_halt(vp, io);
    if (reason == VMR_HALT_FATAL)
        tell_fatal(vp, io, vp_exit, result);
    return reason;
}

/* What the exit says may have changed what can be injected. */
static void note_readiness(struct vmr_vp *vp)
{
    if ((vp->window_requested && vp->interrupt_ready) || vp->guest_tpr != vp->tpr || vp->hv_waits)
        vp->recheck = true;
}

void dispatch_exit(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    enum vmr_halt_reason reason = dispatch_one(vp, run->io, &vp->exit, &run->result);

    note_readiness(vp);
    if (reason == VMR_HALT_NONE)
        return;
    run_halt(run, reason);
    if (vp->exit_pending)
        run_complete(run); /* a halt is reported at a clean point [EXIT-6] */
}

void dispatch_further(struct run *run)
{
    struct vmr_run_result result = {0};
    enum vmr_halt_reason reason = dispatch_one(run->vp, run->io, &run->vp->exit, &result);

    if (reason == VMR_HALT_NONE || (run->done && reason != VMR_HALT_FATAL))
        return;
    run->result = result;
    run_halt(run, reason);
}
