/* SPDX-License-Identifier: MIT */
/*
 * The exit as a value: its names, and the one judgement of what a valid exit
 * is. Every decoder and every backend is held to exit_bad_field. [EXIT-5] The
 * text form is in exit_text.c, the bytes in exit_codec.c.
 */

#include "lib/exit/exit.h"

#include <string.h>

#include "lib/base/checked.h"
#include "vmrig/vp_state.h"

static const char *const kind_names[VMR_EXIT_KIND_COUNT] = {
    [VMR_EXIT_NONE] = "none",
    [VMR_EXIT_IO] = "io",
    [VMR_EXIT_MMIO] = "mmio",
    [VMR_EXIT_MSR] = "msr",
    [VMR_EXIT_CPUID] = "cpuid",
    [VMR_EXIT_HYPERCALL] = "hypercall",
    [VMR_EXIT_HALT] = "halt",
    [VMR_EXIT_IRQ_WINDOW] = "irq-window",
    [VMR_EXIT_EOI] = "eoi",
    [VMR_EXIT_CANCEL] = "cancel",
    [VMR_EXIT_DEBUG] = "debug",
    [VMR_EXIT_SHUTDOWN] = "shutdown",
    [VMR_EXIT_SYSTEM_EVENT] = "system-event",
    [VMR_EXIT_MEMORY_FAULT] = "memory-fault",
    [VMR_EXIT_FAIL] = "fail",
};

static const char *const system_event_names[VMR_SYSTEM_EVENT_COUNT] = {
    [VMR_SYSTEM_POWER_OFF] = "power-off",
    [VMR_SYSTEM_RESET] = "reset",
    [VMR_SYSTEM_HIBERNATE] = "hibernate",
    [VMR_SYSTEM_CRASH] = "crash",
};

static const char *const fail_cause_names[VMR_FAIL_CAUSE_COUNT] = {
    [VMR_FAIL_UNKNOWN] = "unknown",   [VMR_FAIL_ENTRY] = "entry", [VMR_FAIL_EMULATION] = "emulation",
    [VMR_FAIL_INTERNAL] = "internal", [VMR_FAIL_HOST] = "host",
};

const char *vmr_exit_kind_name(uint32_t kind)
{
    return kind < VMR_EXIT_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *vmr_system_event_name(uint32_t event)
{
    return event < VMR_SYSTEM_EVENT_COUNT ? system_event_names[event] : "unknown";
}

const char *vmr_fail_cause_name(uint32_t cause)
{
    return cause < VMR_FAIL_CAUSE_COUNT ? fail_cause_names[cause] : "unknown";
}

bool vmr_exit_is_pending(const struct vmr_exit *vp_exit)
{
    switch ((enum vmr_exit_kind)vp_exit->kind) {
    /* Writes too: KVM retires the instruction when it is entered again. */
    case VMR_EXIT_IO:
    case VMR_EXIT_MMIO:
    case VMR_EXIT_MSR:
    case VMR_EXIT_CPUID:
    case VMR_EXIT_HYPERCALL:
        return true;
    case VMR_EXIT_NONE:
    case VMR_EXIT_HALT:
    case VMR_EXIT_IRQ_WINDOW:
    case VMR_EXIT_EOI:
    case VMR_EXIT_CANCEL:
    case VMR_EXIT_DEBUG:
    case VMR_EXIT_SHUTDOWN:
    case VMR_EXIT_SYSTEM_EVENT:
    case VMR_EXIT_MEMORY_FAULT:
    case VMR_EXIT_FAIL:
    case VMR_EXIT_KIND_COUNT:
        break;
    }
    return false;
}

static bool fits(uint64_t value, unsigned size)
{
    return (value & ~mask_of_bytes(size)) == 0;
}

static const char *io_bad_field(const struct vmr_exit_io *io)
{
    if (io->direction > VMR_WRITE)
        return "direction";
    if (io->size != 1 && io->size != 2 && io->size != 4)
        return "size";
    if (io->count == 0 || io->count > (io->string ? VMR_STRING_IO_BYTES_MAX / io->size : 1))
        return "count";
    if (io->string ? io->value != 0 : !fits(io->value, io->size))
        return "value";
    if (io->string != (io->bytes != NULL))
        return "bytes";
    return NULL;
}

static const char *mmio_bad_field(const struct vmr_exit_mmio *mmio)
{
    if (mmio->direction > VMR_WRITE)
        return "direction";
    if (mmio->size == 0 || mmio->size > 8)
        return "size";
    if (mmio->gpa >> VMR_PHYSICAL_BITS_MAX != 0 || mmio->gpa % VMR_PAGE_SIZE > VMR_PAGE_SIZE - mmio->size)
        return "gpa"; /* [EXIT-4] */
    return fits(mmio->value, mmio->size) ? NULL : "value";
}

static const char *fail_bad_field(const struct vmr_exit_fail *fail)
{
    if (fail->cause >= VMR_FAIL_CAUSE_COUNT)
        return "cause";
    if (fail->length > VMR_EXIT_FAIL_BYTES_MAX)
        return "bytes";
    for (unsigned i = fail->length; i < VMR_EXIT_FAIL_BYTES_MAX; i++) {
        if (fail->bytes[i] != 0)
            return "bytes";
    }
    return NULL;
}

static const char *kind_bad_field(const struct vmr_exit *vp_exit)
{
    switch ((enum vmr_exit_kind)vp_exit->kind) {
    case VMR_EXIT_IO:
        return io_bad_field(&vp_exit->u.io);
    case VMR_EXIT_MMIO:
        return mmio_bad_field(&vp_exit->u.mmio);
    case VMR_EXIT_MSR:
        return vp_exit->u.msr.direction <= VMR_WRITE ? NULL : "direction";
    case VMR_EXIT_DEBUG:
        return vp_exit->u.debug.breakpoint < (vp_exit->u.debug.single_step ? 1 : VMR_X86_BREAKPOINT_COUNT)
                   ? NULL
                   : "breakpoint";
    case VMR_EXIT_SHUTDOWN:
        return vp_exit->u.shutdown.vtl < VMR_VTL_COUNT ? NULL : "vtl";
    case VMR_EXIT_SYSTEM_EVENT:
        return vp_exit->u.system_event.event < VMR_SYSTEM_EVENT_COUNT ? NULL : "event";
    case VMR_EXIT_FAIL:
        return fail_bad_field(&vp_exit->u.fail);
    case VMR_EXIT_NONE:
    case VMR_EXIT_CPUID:
    case VMR_EXIT_HYPERCALL:
    case VMR_EXIT_HALT:
    case VMR_EXIT_IRQ_WINDOW:
    case VMR_EXIT_EOI:
    case VMR_EXIT_CANCEL:
    case VMR_EXIT_MEMORY_FAULT:
        return NULL;
    case VMR_EXIT_KIND_COUNT:
        break;
    }
    return "kind";
}

const char *exit_bad_field(const struct vmr_exit *vp_exit)
{
    const char *bad = kind_bad_field(vp_exit);

    if (bad)
        return bad;
    if (vp_exit->vtl >= VMR_VTL_COUNT)
        return vp_exit->kind == VMR_EXIT_SHUTDOWN ? "running-vtl" : "vtl";
    return vp_exit->tpr < 16 ? NULL : "tpr"; /* CR8 has four bits */
}

bool vmr_exit_is_valid(const struct vmr_exit *vp_exit)
{
    return exit_bad_field(vp_exit) == NULL;
}

static bool io_answer_equal(const struct vmr_exit_io *a, const struct vmr_exit_io *b)
{
    if (a->string != b->string || a->size != b->size || a->count != b->count)
        return false;
    return a->string ? memcmp(a->bytes, b->bytes, (size_t)a->count * a->size) == 0 : a->value == b->value;
}

bool exit_answer_equal(const struct vmr_exit *a, const struct vmr_exit *b)
{
    if (a->kind != b->kind || exit_is_read(a) != exit_is_read(b))
        return false;
    bool read = exit_is_read(a);

    if (a->kind == VMR_EXIT_IO)
        return !read || io_answer_equal(&a->u.io, &b->u.io);
    if (a->kind == VMR_EXIT_MMIO)
        return !read || a->u.mmio.value == b->u.mmio.value;
    if (a->kind == VMR_EXIT_MSR)
        return a->u.msr.fault == b->u.msr.fault && (!read || a->u.msr.fault || a->u.msr.value == b->u.msr.value);
    if (a->kind == VMR_EXIT_CPUID)
        return a->u.cpuid.eax == b->u.cpuid.eax && a->u.cpuid.ebx == b->u.cpuid.ebx &&
               a->u.cpuid.ecx == b->u.cpuid.ecx && a->u.cpuid.edx == b->u.cpuid.edx;
    return a->kind != VMR_EXIT_HYPERCALL || a->u.hypercall.result == b->u.hypercall.result;
}
