/* SPDX-License-Identifier: MIT */
/*
 * The oracle of resets: a VM on which a scenario has run, however it left it,
 * is after a reset as one that was just made from the same options. It is asked
 * at the end of every scenario.
 */

#include "conformance/harness.h"

#include <stdlib.h>
#include <string.h>

struct conf_origin {
    struct conf_vm_options options;
    bool has_chip;
    struct vmr_hv_config hv;
    struct vmr_hv_vtl2_config vtl2;
    struct vmr_late_map late_map;
    struct vmr_cpuid_entry cpuid[VMR_CPUID_LEAF_MAX];
    struct vmr_msr_range msr_exits[VMR_MSR_RANGE_MAX];
};

struct conf_origin *conf_origin_create(const struct conf_vm_options *options, bool has_chip)
{
    struct conf_origin *origin = calloc(1, sizeof(*origin));

    if (!origin || options->cpuid_count > VMR_CPUID_LEAF_MAX || options->msr_exit_count > VMR_MSR_RANGE_MAX)
        return origin; /* such a VM is not built */
    origin->has_chip = has_chip;
    origin->options = *options;
    for (size_t i = 0; i < options->cpuid_count; i++)
        origin->cpuid[i] = options->cpuid[i];
    for (size_t i = 0; i < options->msr_exit_count; i++)
        origin->msr_exits[i] = options->msr_exits[i];
    origin->options.cpuid = origin->cpuid;
    origin->options.msr_exits = origin->msr_exits;
    origin->options.without_chip = !has_chip;
    origin->options.io = (struct vmr_vp_io){0};
    if (options->hv) {
        origin->hv = *options->hv;
        origin->options.hv = &origin->hv;
    }
    if (options->hv && options->hv->vtl2) {
        origin->vtl2 = *options->hv->vtl2;
        if (origin->vtl2.late_map) {
            /* Whether there is late mapping, not of which RAM. */
            origin->late_map = (struct vmr_late_map){.policy = origin->vtl2.late_map->policy};
            origin->vtl2.late_map = &origin->late_map;
        }
        origin->hv.vtl2 = &origin->vtl2;
    }
    return origin;
}

void conf_origin_destroy(struct conf_origin *origin)
{
    free(origin);
}

bool conf_reset(struct conf_vm *vm)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_partition_reset(vm->partition, &err);

    for (vmr_vp_index vp = 0; !status && vp < vm->vp_count; vp++)
        status = vm->vps[vp] ? vmr_vp_reset(vm->vps[vp], &err) : VMR_OK;
    if (status)
        conf_fail(vm->conf, __FILE__, __LINE__, "the reset: %s", err.message);
    return status == VMR_OK;
}

bool conf_begin_again(struct conf_vm *vm)
{
    struct vmr_error err = {.message = ""};

    for (vmr_vp_index vp = 0; vp < vm->vp_count; vp++) {
        if (vm->vps[vp] && conf_prepare(vm, vm->vps[vp], &err)) {
            conf_fail(vm->conf, __FILE__, __LINE__, "beginning again: %s", err.message);
            return false;
        }
    }
    return true;
}

/* Whether all VPs can be had on this thread; those that were not are bound. */
static bool bind_all(struct conf_vm *vm)
{
    for (vmr_vp_index vp = 0; vp < vm->vp_count; vp++) {
        if (!vm->vps[vp] && vmr_partition_bind(vm->partition, vp, &vm->vps[vp], NULL)) {
            vm->vps[vp] = NULL;
            return false;
        }
    }
    return true;
}

/* A hypervisor that keeps its state to itself, VPs that have failed, a partition that is gone: nothing to be said. */
static bool can_be_reset(struct conf_vm *vm)
{
    return vm->partition && bind_all(vm) && vmr_partition_reset(vm->partition, NULL) == VMR_OK;
}

/* NULL: there is none to be had. */
static struct conf_picture *picture_of_fresh(struct conf *conf, const struct conf_origin *origin)
{
    struct conf_vm *fresh = conf_vm_create(conf, &origin->options);
    struct conf_picture *picture = NULL;

    if (fresh && bind_all(fresh))
        picture = conf_picture_take(fresh);
    conf_vm_destroy(fresh);
    return picture;
}

static void check_reset(struct conf *conf, struct conf_vm *vm)
{
    struct conf_origin *origin = vm->state->origin;
    struct conf_picture *was = NULL;
    bool reset = can_be_reset(vm) && conf_reset(vm);

    if (reset)
        was = conf_picture_take(vm);
    /* Before the fresh one is made: a hypervisor may have one VM at a time. */
    vm->state->origin = NULL;
    conf_vm_destroy(vm);
    struct conf_picture *fresh = was ? picture_of_fresh(conf, origin) : NULL;

    if (fresh && conf_picture_compare(conf, was, fresh, "after a reset at the end"))
        conf->state->resets++;
    conf_picture_free(fresh);
    conf_picture_free(was);
    conf_origin_destroy(origin);
}

void conf_check_resets(struct conf *conf)
{
    struct conf_state *state = conf->state;

    /* One that checked nothing must not pass by this check. */
    if (conf->exploring || !conf->handle || conf_failed(conf) || conf_over(conf) || state->skipped ||
        state->checks == 0)
        return;
    while (state->vms)
        check_reset(conf, &state->vms->vm);
}
