/* SPDX-License-Identifier: MIT */
/*
 * Binding and running the VPs of a scenario's VM.
 */

#include "conformance/harness.h"

#include "conformance/x86_64/image.h"

/* Whether the VP waits for a start-up IPI: INIT and SIPI set its registers, not we. [LIFE-9] */
static bool waits_for_sipi(const struct conf_vm *vm, vmr_vp_index vp)
{
    return vp > 0 && (vm->chip || vm->conf->handle->irqchip != VMR_IRQCHIP_USER);
}

enum vmr_status conf_prepare(void *conf_vm, struct vmr_vp *vp, struct vmr_error *err)
{
    struct conf_vm *vm = conf_vm;
    vmr_vp_index index = vmr_vp_get_index(vp);
    const struct vmr_program *program = index < CONF_VP_MAX ? vm->state->programs[index] : NULL;
    struct vmr_x86_regs regs, before;

    if (!program || !vmr_caps_have(&vm->conf->caps, VMR_CAP_MACHINE_CODE) || waits_for_sipi(vm, index))
        return VMR_OK;
    image_registers(program, index, &regs);
    enum vmr_status status = vmr_vp_get_regs(vp, &before);

    /* Where the local APIC is, and whether this is the boot processor, is the hypervisor's to say. */
    regs.apic_base = before.apic_base;
    if (!status)
        status = vmr_vp_set_regs(vp, &regs);
    if (status)
        return vmr_error_set(err, status, "VP %u: its program's registers are refused", index);
    return VMR_OK;
}

struct vmr_vp *conf_bind(struct conf_vm *vm, vmr_vp_index vp)
{
    struct vmr_error err;
    struct vmr_vp *bound;

    if (vp >= vm->vp_count) {
        conf_fail(vm->conf, __FILE__, __LINE__, "binding VP %u, there are %u", vp, vm->vp_count);
        return NULL;
    }
    if (vmr_partition_bind(vm->partition, vp, &bound, &err)) {
        conf_fail(vm->conf, __FILE__, __LINE__, "binding VP %u: %s", vp, err.message);
        return NULL;
    }
    vm->vps[vp] = bound;
    if (conf_prepare(vm, bound, &err)) {
        conf_fail(vm->conf, __FILE__, __LINE__, "%s", err.message);
        conf_unbind(vm, vp);
        return NULL;
    }
    return bound;
}

void conf_unbind(struct conf_vm *vm, vmr_vp_index vp)
{
    if (vp >= CONF_VP_MAX)
        return;
    vmr_vp_unbind(vm->vps[vp]);
    vm->vps[vp] = NULL;
}

bool conf_run(struct conf_vm *vm, vmr_vp_index vp, struct vmr_stop_source *stop, struct vmr_run_result *ret_result)
{
    struct conf *conf = vm->conf;

    if (vp >= vm->vp_count || !vm->vps[vp]) {
        conf_fail(conf, __FILE__, __LINE__, "running VP %u, which is not bound", vp);
        return false;
    }
    if (conf_over(conf))
        return false;
    enum vmr_status status = vmr_vp_run(vm->vps[vp], stop, &vm->io, ret_result);

    if (status)
        conf_fail(conf, __FILE__, __LINE__, "running VP %u: %s", vp, vmr_status_name(status));
    return status == VMR_OK && !conf_over(conf);
}

static bool fail_halt(struct conf_vm *vm, vmr_vp_index vp, const struct vmr_run_result *result)
{
    char line[200] = "";

    if (result->reason == VMR_HALT_FATAL)
        (void)vmr_exit_print(&result->exit, line, sizeof(line));
    conf_fail(vm->conf, __FILE__, __LINE__, "VP %u halted before its program's end: %s %s", vp,
              vmr_halt_reason_name(result->reason), line);
    return false;
}

static bool check_report(struct conf_vm *vm, vmr_vp_index vp)
{
    const struct conf_report *report = &vm->reports[vp];
    const struct vmr_program *of_vtl = vm->state->vtl_programs[vp][report->mismatch_vtl % VMR_VTL_COUNT];
    const struct vmr_program *program = of_vtl ? of_vtl : vm->state->programs[vp];
    uint32_t step = report->mismatch_step;

    if (!report->mismatch)
        return conf_judge(vm->conf, true);
    if (program && step < program->count)
        conf_fail(vm->conf, __FILE__, __LINE__, "program '%s', step %u (%s): saw %#llx, expected %#llx", program->name,
                  step, vmr_step_op_name(program->steps[step].op), (unsigned long long)report->mismatch_value,
                  (unsigned long long)program->steps[step].value);
    else
        conf_fail(vm->conf, __FILE__, __LINE__, "program '%s': exception %u at %#llx", program ? program->name : "none",
                  step & 0xffu, (unsigned long long)report->mismatch_value);
    return false;
}

bool conf_run_to_end(struct conf_vm *vm, vmr_vp_index vp)
{
    struct vmr_run_result result;

    while (conf_run(vm, vp, NULL, &result)) {
        if (vm->reports[vp].ended)
            return check_report(vm, vp);
        if (result.kind == VMR_RUN_HALTED && result.reason != VMR_HALT_CANCEL)
            return fail_halt(vm, vp, &result);
    }
    return false;
}

bool conf_run_program(struct conf *conf, const struct conf_vm_options *options, const struct vmr_program *program)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    return vm && conf_load(vm, 0, program) && conf_bind(vm, 0) && conf_run_to_end(vm, 0);
}
