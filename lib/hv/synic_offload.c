/* SPDX-License-Identifier: MIT */
/*
 * The SynIC where the hypervisor has the reference counter and the timers. The
 * registers stay here, since only here a bad value is refused; what the
 * hypervisor goes by it is told before the VP runs on. EOM is among that: it is
 * first looked at here, so that messages which wait come before timers.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>

/* synic_vp.untold: bit n is register HV_MSR_SCONTROL + n; two numbers that are no registers stand for the timers. */
#define UNTOLD(index) (UINT32_C(1) << ((index)-HV_MSR_SCONTROL))
#define UNTOLD_TIMERS_OFF UNTOLD(HV_MSR_EOM + 1)   /* reset */
#define UNTOLD_TIMERS_AGAIN UNTOLD(HV_MSR_EOM + 2) /* the time has jumped */
#define UNTOLD_SINTS UINT32_C(0xffff0000)
/* What may let a timer's message go that could not before: the hypervisor tries again when it is told of EOM. */
#define UNTOLD_OBSTACLES (UNTOLD(HV_MSR_SIMP) | UNTOLD_SINTS)
#define UNTOLD_REGISTERS (UNTOLD(HV_MSR_SCONTROL) | UNTOLD(HV_MSR_SIEFP) | UNTOLD(HV_MSR_SIMP) | UNTOLD_SINTS)
#define UNTOLD_ALL (UNTOLD_REGISTERS | UNTOLD_TIMERS_OFF)

_Static_assert(HV_MSR_SINT0 - HV_MSR_SCONTROL == 16 && HV_SINT_COUNT == 16, "UNTOLD_SINTS");

static bool set(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    if (synic->options.offload->set_register(synic->options.context, vp, index, value))
        return true;
    complain(synic->host, &synic->broken_host, VMR_CULPRIT_HOST,
             "SynIC of VP %" PRIu32 ": the hypervisor does not take %#" PRIx64 " in its register %#" PRIx32, vp, value,
             index);
    return false;
}

/* --- the timers --- */

bool synic_offload_has(uint32_t index)
{
    return index >= HV_MSR_STIMER0_CONFIG && index - HV_MSR_STIMER0_CONFIG < 2 * HV_STIMER_COUNT;
}

static bool is_count(uint32_t index)
{
    return (index - HV_MSR_STIMER0_CONFIG) % 2 != 0;
}

enum vmr_msr_result synic_offload_read(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    return synic->options.offload->get_register(synic->options.context, vp, index, ret_value) ? VMR_MSR_OK
                                                                                              : VMR_MSR_FAULT;
}

/*
 * A count comes here only where an embedder's own ranges make it exit. What is told from outside enables nothing by
 * itself, so what the guest's write would have done is told too.
 */
static bool set_count(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t count)
{
    uint64_t config = 0;

    if (!set(synic, vp, index, count) || synic_offload_read(synic, vp, index - 1, &config))
        return false;
    if ((config & HV_STIMER_AUTO_ENABLE) == 0 || (config & HV_STIMER_ENABLE) != 0 || count == 0)
        return true;
    return set(synic, vp, index - 1, config | HV_STIMER_ENABLE);
}

enum vmr_msr_result synic_offload_write(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t guest_value)
{
    struct stimer judge = {0};
    bool done = is_count(index) ? set_count(synic, vp, index, guest_value)
                                : stimer_set_config(&judge, guest_value) && set(synic, vp, index, guest_value);

    return done ? VMR_MSR_OK : VMR_MSR_FAULT;
}

static bool turn_timers_off(struct vmr_synic *synic, vmr_vp_index vp)
{
    bool done = true;

    for (uint32_t i = 0; i < 2 * HV_STIMER_COUNT; i++)
        done = set(synic, vp, HV_MSR_STIMER0_CONFIG + i, 0) && done;
    return done;
}

/* A count that is written makes the hypervisor look at the clock again; a periodic timer would begin its period anew.
 */
static bool arm_timers_again(struct vmr_synic *synic, vmr_vp_index vp)
{
    bool done = true;

    for (uint32_t i = 0; i < HV_STIMER_COUNT; i++) {
        uint32_t config_index = HV_MSR_STIMER0_CONFIG + 2 * i, count_index = config_index + 1;
        uint64_t config = 0, count = 0;

        if (synic_offload_read(synic, vp, config_index, &config) || synic_offload_read(synic, vp, count_index, &count))
            done = false;
        else if ((config & HV_STIMER_ENABLE) != 0 && (config & HV_STIMER_PERIODIC) == 0)
            done = set(synic, vp, count_index, count) && done;
    }
    return done;
}

/* Those that are to be turned off are off. When a periodic one is due nobody says. */
bool synic_offload_save_timers(struct vmr_synic *synic, struct synic_vp *vp, struct vmr_hv_stimers_state *ret_state)
{
    struct vmr_hv_stimers_state state = {0};
    bool done = true;

    for (uint32_t i = 0; i < HV_STIMER_COUNT && !(vp->untold & UNTOLD_TIMERS_OFF); i++) {
        struct vmr_hv_stimer_state *timer = &state.timers[i];
        uint32_t config_index = HV_MSR_STIMER0_CONFIG + 2 * i;

        done = done && synic_offload_read(synic, vp->index, config_index, &timer->config) == VMR_MSR_OK &&
               synic_offload_read(synic, vp->index, config_index + 1, &timer->count) == VMR_MSR_OK;
        timer->changed = (timer->config & HV_STIMER_ENABLE) != 0;
    }
    if (done)
        *ret_state = state;
    return done;
}

/* Off, count, on: in another order the hypervisor may turn it on by the old count, or off for good. */
static bool put_timers(struct vmr_synic *synic, vmr_vp_index vp, const struct vmr_hv_stimers_state *state)
{
    bool done = true;

    for (uint32_t i = 0; i < HV_STIMER_COUNT && done; i++) {
        uint32_t config_index = HV_MSR_STIMER0_CONFIG + 2 * i;

        done = set(synic, vp, config_index, 0) && set(synic, vp, config_index + 1, state->timers[i].count) &&
               set(synic, vp, config_index, state->timers[i].config);
    }
    return done;
}

bool synic_offload_restore_timers(struct vmr_synic *synic, struct synic_vp *vp,
                                  const struct vmr_hv_stimers_state *state)
{
    struct vmr_hv_stimers_state before;

    if (!synic_offload_save_timers(synic, vp, &before))
        return false;
    if (!put_timers(synic, vp->index, state)) {
        (void)put_timers(synic, vp->index, &before);
        return false;
    }
    vp->untold &= ~UNTOLD_TIMERS_OFF;
    return true;
}

/* --- the reference TSC page: its place is judged here, its content is the hypervisor's --- */

enum vmr_msr_result synic_offload_write_tsc(struct vmr_synic *synic, vmr_vp_index vp, uint64_t guest_value)
{
    sync_mutex_lock(&synic->tsc_told);
    bool accepted = reference_tsc_write(&synic->tsc, guest_value) && set(synic, vp, HV_MSR_REFERENCE_TSC, guest_value);

    sync_mutex_unlock(&synic->tsc_told);
    return accepted ? VMR_MSR_OK : VMR_MSR_FAULT;
}

/* After a reset: whichever VP comes first. Another waits until that is done. */
static bool tell_tsc(struct vmr_synic *synic, vmr_vp_index vp)
{
    bool done = true;

    if (sync_load_u32(synic->host, &synic->tsc_untold) == 0)
        return true;
    sync_mutex_lock(&synic->tsc_told);
    if (sync_load_u32(synic->host, &synic->tsc_untold) != 0)
        done = set(synic, vp, HV_MSR_REFERENCE_TSC, reference_tsc_read(&synic->tsc));
    sync_store_u32(synic->host, &synic->tsc_untold, !done);
    sync_mutex_unlock(&synic->tsc_told);
    return done;
}

/* --- registers of a VP --- */

void synic_offload_changed(struct synic_vp *vp, uint32_t index)
{
    if (index >= HV_MSR_SCONTROL && index < HV_MSR_SINT0 + HV_SINT_COUNT)
        vp->untold |= UNTOLD(index);
}

void synic_offload_restored(struct synic_vp *vp)
{
    vp->untold |= UNTOLD_REGISTERS;
}

void synic_offload_tsc_restored(struct vmr_synic *synic)
{
    sync_store_u32(synic->host, &synic->tsc_untold, 1);
}

void synic_offload_reset(struct vmr_synic *synic)
{
    sync_store_u32(synic->host, &synic->tsc_untold, 1);
    for (uint32_t i = 0; i < synic->slot_count; i++) {
        synic->vps[i].untold = UNTOLD_ALL;
        synic_vp_stir(&synic->vps[i]);
    }
}

static bool tell_register(struct vmr_synic *synic, struct synic_vp *vp, uint32_t index)
{
    uint64_t value = 0;

    return synic_vp_read(vp, index, &value) == VMR_MSR_OK && set(synic, vp->index, index, value);
}

static bool tell_one(struct vmr_synic *synic, struct synic_vp *vp, uint32_t bit)
{
    switch (UINT32_C(1) << bit) {
    case UNTOLD_TIMERS_OFF:
        return turn_timers_off(synic, vp->index);
    case UNTOLD_TIMERS_AGAIN:
        return arm_timers_again(synic, vp->index);
    default:
        return tell_register(synic, vp, HV_MSR_SCONTROL + bit);
    }
}

/* Those of `mask` that are untold; what remains untold is what failed. */
static void tell_those(struct vmr_synic *synic, struct synic_vp *vp, uint32_t mask)
{
    for (uint32_t bit = 0; bit < 32; bit++) {
        if ((vp->untold & mask) >> bit & 1 && tell_one(synic, vp, bit))
            vp->untold &= ~(UINT32_C(1) << bit);
    }
}

void synic_offload_tell(struct vmr_synic *synic, struct synic_vp *vp)
{
    bool tsc_told = tell_tsc(synic, vp->index);

    if (vp->untold & UNTOLD_OBSTACLES)
        vp->untold |= UNTOLD(HV_MSR_EOM);
    tell_those(synic, vp, ~UNTOLD(HV_MSR_EOM));
    tell_those(synic, vp, UNTOLD(HV_MSR_EOM));
    if (vp->untold || !tsc_told)
        synic_vp_stir(vp); /* the next poll tries again */
}

/* --- reference time --- */

uint64_t synic_offload_time(struct vmr_synic *synic)
{
    uint64_t count = 0;

    if (sync_load_u32(synic->host, &synic->paused) != 0)
        return reference_time_now(&synic->time);
    if (!synic->options.offload->get_time(synic->options.context, &count))
        complain(synic->host, &synic->broken_host, VMR_CULPRIT_HOST, "SynIC: the hypervisor does not say its time");
    return count;
}

static void set_time(struct vmr_synic *synic, uint64_t count)
{
    if (!synic->options.offload->set_time(synic->options.context, count))
        complain(synic->host, &synic->broken_host, VMR_CULPRIT_HOST,
                 "SynIC: the hypervisor does not take the time %" PRIu64, count);
    for (uint32_t i = 0; i < synic->slot_count; i++)
        synic->vps[i].untold |= UNTOLD_TIMERS_AGAIN;
}

/* The hypervisor's clock cannot stand still: the library keeps the time meanwhile, and puts it back. */
void synic_offload_pause(struct vmr_synic *synic)
{
    if (sync_load_u32(synic->host, &synic->paused) != 0)
        return;
    reference_time_pause(&synic->time);
    reference_time_set(&synic->time, synic_offload_time(synic));
    sync_store_u32(synic->host, &synic->paused, 1);
}

void synic_offload_resume(struct vmr_synic *synic)
{
    if (sync_load_u32(synic->host, &synic->paused) == 0)
        return;
    set_time(synic, reference_time_now(&synic->time));
    sync_store_u32(synic->host, &synic->paused, 0);
}

void synic_offload_set_time(struct vmr_synic *synic, uint64_t count)
{
    if (sync_load_u32(synic->host, &synic->paused) != 0)
        reference_time_set(&synic->time, count);
    else
        set_time(synic, count);
}
