/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A VM whose VPs are run by a VP set. All VPs begin running, wherever the local
 * APICs are: those that would wait for a start-up IPI are put where one would
 * have put them.
 */

#include "conformance/scenarios/guest_words.h"

#include <stdatomic.h>

/* A word of VP `vp`'s own, in a group of words. */
#define VP_WORD(gpa, vp) ((gpa) + 0x100u * ((vp) + 1u))

struct vpset_vm {
    struct conf_vm *vm;
    struct vmr_vp_set *set;
};

/* A VP set's `prepare`: the context is the conf_vm. */
static inline enum vmr_status vpset_prepare(void *conf_vm, struct vmr_vp *vp, struct vmr_error *err)
{
    const struct conf_vm *vm = conf_vm;
    struct vmr_x86_regs regs, before;

    if (vmr_vp_get_index(vp) == 0 || vm->conf->handle->irqchip == VMR_IRQCHIP_USER)
        return conf_prepare(conf_vm, vp, err);
    enum vmr_status status = vmr_vp_get_regs(vp, &before);

    vmr_x86_regs_sipi(&regs, VMR_PROGRAM_BASE >> 12);
    regs.apic_base = before.apic_base;
    if (!status)
        status = vmr_vp_set_regs(vp, &regs);
    if (!status)
        status = vmr_vp_set_activity(vp, VMR_ACTIVITY_RUNNING);
    return status ? vmr_error_set(err, status, "VP %u cannot be started", vmr_vp_get_index(vp)) : VMR_OK;
}

static inline bool vpset_create(struct vpset_vm *group, void (*yielded)(void *context, struct vmr_vp *vp))
{
    const struct vmr_vp_set_options options = {
        .io = &group->vm->io, .prepare = vpset_prepare, .yielded = yielded, .context = group->vm};
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_vp_set_create(group->vm->partition, &options, &group->set, &err);

    CONF_CHECK(group->vm->conf, status == VMR_OK, "the set: %s: %s", vmr_status_name(status), err.message);
    return status == VMR_OK;
}

/* A VM of `options` with VP i about to run programs[i]; no set yet. False: failed. */
static inline bool vpset_vm_create(struct vpset_vm *group, struct conf *conf, const struct conf_vm_options *options,
                                   const struct vmr_program *const *programs)
{
    group->set = NULL;
    group->vm = conf_vm_create(conf, options);
    if (!group->vm)
        return false;
    for (vmr_vp_index vp = 0; vp < group->vm->vp_count; vp++) {
        if (!conf_load(group->vm, vp, programs[vp]))
            return false;
    }
    return true;
}

static inline bool vpset_begin(struct vpset_vm *group, struct conf *conf, const struct conf_vm_options *options,
                               const struct vmr_program *const *programs)
{
    return vpset_vm_create(group, conf, options, programs) && vpset_create(group, NULL);
}

/* NULL members are fine. */
static inline void vpset_end(struct vpset_vm *group)
{
    vmr_vp_set_destroy(group->set);
    conf_vm_destroy(group->vm);
    group->set = NULL;
    group->vm = NULL;
}

static inline void vpset_start(const struct vpset_vm *group)
{
    CONF_CHECK_EQ(group->vm->conf, vmr_vp_set_start(group->set), VMR_OK, "start");
}

static inline void vpset_stop(const struct vpset_vm *group)
{
    CONF_CHECK_EQ(group->vm->conf, vmr_vp_set_stop(group->set), VMR_OK, "stop");
}

/* Waits for the halt, which must be there. */
static inline struct vmr_vp_set_halt vpset_wait(const struct vpset_vm *group)
{
    struct vmr_vp_set_halt halt = {.vp = 0};
    enum vmr_status status = vmr_vp_set_wait(group->set, VMR_NEVER, &halt);

    CONF_CHECK(group->vm->conf, status == VMR_OK, "the wait: %s", vmr_status_name(status));
    return halt;
}

/* Programs that make their VP fail: on the mock by script, elsewhere by executing where nothing is. */
static inline enum vmr_status vpset_prepare_failing(void *conf_vm, struct vmr_vp *vp, struct vmr_error *err)
{
    const struct conf_vm *vm = conf_vm;
    enum vmr_status status = vpset_prepare(conf_vm, vp, err);
    struct vmr_x86_regs regs;

    if (status || vmr_vp_get_index(vp) != 0 || vm->conf->is_mock)
        return status;
    status = vmr_vp_get_regs(vp, &regs);
    regs.rip = 0x10000000u;
    return status ? status : vmr_vp_set_regs(vp, &regs);
}

static inline bool vpset_create_failing(struct vpset_vm *group)
{
    static const char script[] = "fail cause=unknown code=0x1234";
    const struct vmr_vp_set_options options = {
        .io = &group->vm->io, .prepare = vpset_prepare_failing, .context = group->vm};
    struct vmr_error err = {.message = ""};
    enum vmr_status status = VMR_OK;

    if (conf_mock(group->vm))
        status = vmr_mock_load_script(conf_mock(group->vm), 0, script, sizeof(script) - 1, &err);
    if (!status)
        status = vmr_vp_set_create(group->vm->partition, &options, &group->set, &err);
    CONF_CHECK(group->vm->conf, status == VMR_OK, "the set: %s: %s", vmr_status_name(status), err.message);
    return status == VMR_OK;
}

/* A device that keeps the VP that reads it until the scenario lets it go. */
struct gate {
    struct conf *conf;
    struct conf_latch entered, open;
    _Atomic uint32_t left; /* the handler is through */
};

static inline void wait_at_gate(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct gate *gate = device->user;

    (void)access;
    (void)write;
    conf_latch_set(&gate->entered);
    (void)conf_latch_wait(gate->conf, &gate->open, "the gate to be opened");
    atomic_store(&gate->left, 1);
}
