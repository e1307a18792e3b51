/* SPDX-License-Identifier: MIT */
/*
 * The guest's interrupt handler: counts, acknowledges, returns. It runs with
 * interrupts off, so that only one is in progress; an NMI waits for its end.
 */

#include "backends/mock/program.h"

#define VECTOR_NMI 2u
#define PORT_PIC_MASTER 0x20u
#define PORT_PIC_SLAVE 0xa0u
#define PIC_EOI 0x20u /* non-specific end of interrupt: 8259A, OCW2 */
#define PIC_SLAVE_VECTOR 0x28u
#define XAPIC_EOI 0xfee000b0u
#define MSR_X2APIC_EOI 0x80bu

void handler_begin(struct vmr_backend_vp *vp, uint8_t vector)
{
    vp->in_handler = true;
    vp->handler_vector = vector;
    vp->handler_flags = vp->regs.rflags;
    vp->regs.rflags &= ~RFLAGS_IF;
    vp->handler = (struct flight){0};
}

static enum step_result finish(struct vmr_backend_vp *vp)
{
    vp->in_handler = false;
    vp->nmi_masked = false; /* IRET, whosever it is (Intel SDM vol. 3, 6.7.1) */
    vp->regs.rflags = vp->handler_flags;
    return STEP_DONE;
}

/* Stage 1: the slave, for its vectors; stage 2: the master. */
static enum step_result acknowledge_pic(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct flight *flight = &vp->handler;
    enum step_result result = STEP_DONE;

    if (flight->stage == 1 && vp->handler_vector >= PIC_SLAVE_VECTOR) {
        result = guest_out(vp, flight, vp_exit, PORT_PIC_SLAVE, 1, PIC_EOI);
        if (result == STEP_DONE)
            flight->stage = 2;
        return result == STEP_DONE ? STEP_AGAIN : result;
    }
    result = guest_out(vp, flight, vp_exit, PORT_PIC_MASTER, 1, PIC_EOI);
    return result == STEP_DONE ? finish(vp) : result;
}

static enum step_result acknowledge_x2apic(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    bool fault;
    enum step_result result = guest_wrmsr(vp, &vp->handler, vp_exit, MSR_X2APIC_EOI, 0, &fault);

    if (result != STEP_DONE)
        return result;
    if (fault)
        vp->exception = EXCEPTION_GP;
    return finish(vp);
}

enum step_result handler_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (vp->handler.stage == 0) {
        if (vp->index < VMR_PROGRAM_VP_MAX)
            map_count(&vp->vm->map, program_count_gpa(vp, vp->handler_vector));
        vp->handler.stage = 1;
    }
    if (vp->handler_vector == VECTOR_NMI || !vp->program)
        return finish(vp); /* an NMI is nobody's to acknowledge */
    switch ((enum vmr_program_eoi)vp->program->eoi) {
    case VMR_EOI_PIC:
        return acknowledge_pic(vp, vp_exit);
    case VMR_EOI_XAPIC: {
        enum step_result result = guest_store(vp, &vp->handler, vp_exit, XAPIC_EOI, 4, 0);

        return result == STEP_DONE ? finish(vp) : result;
    }
    case VMR_EOI_X2APIC:
        return acknowledge_x2apic(vp, vp_exit);
    case VMR_EOI_NONE:
    case VMR_EOI_COUNT:
    default:
        return finish(vp);
    }
}
