/* SPDX-License-Identifier: MIT */
/*
 * A snapshot from one hypervisor in a VM of another: what both have comes over,
 * and what only one has is told.
 */

#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/snapshot_words.h"
#include "conformance/scenarios/state_words.h"

#define APIC_ENTRIES 0x32u /* of the page: in the local vector table, less 1 (Intel SDM vol. 3, 11.4.8) */

CONF_PROGRAM(works, VMR_SET(1, 7), VMR_STORE(VMR_PROGRAM_DATA, 4, 0x1234), VMR_WRMSR(0xc0000082u, 0x5678), VMR_END());

/* Each is a line of the failure. */
static void tell(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                 const struct vmr_state_difference *difference)
{
    struct conf *conf = context;
    const struct vmr_snapshot_state *state = left ? left : right;

    if (!difference)
        conf_fail(conf, __FILE__, __LINE__, "VP %u: '%s' is in one alone", state->vp, state->type->name);
    else
        conf_fail(conf, __FILE__, __LINE__, "VP %u: %s.%s[%u] was %#llx and is %#llx", state->vp, state->type->name,
                  difference->field->name, difference->element, (unsigned long long)difference->left,
                  (unsigned long long)difference->right);
}

/* A partition on the mock, like the scenario's VM. */
struct other_vm {
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    struct conf_vm view; /* what the words of snapshots look at */
};

/* Whose local APICs have as many entries, which no state changes: six as KVM's, or seven. */
static bool has_cmci(struct conf_vm *vm)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_APIC};
    union state_box box;

    return (vm->conf->caps.vp_classes >> VMR_VP_APIC & 1) != 0 && state_get(vm->conf, vm->vps[0], &id, &box) &&
           box.apic.page[APIC_ENTRIES] > 5;
}

static const char *spec_like(struct conf_vm *vm)
{
    bool cmci = has_cmci(vm);

    switch (vmr_partition_irqchip(vm->partition)) {
    case VMR_IRQCHIP_SPLIT:
        return cmci ? "mock:irqchip=split" : "mock:profile=kvm-like,irqchip=split";
    case VMR_IRQCHIP_KERNEL:
        return cmci ? "mock:irqchip=kernel" : "mock:profile=kvm-like,irqchip=kernel";
    case VMR_IRQCHIP_USER:
    case VMR_IRQCHIP_COUNT:
        break;
    }
    return "mock:profile=kvm-like";
}

static enum vmr_status other_build(struct other_vm *other, const struct conf_vm *like)
{
    const struct vmr_host *host = like->conf->host;
    const struct vmr_proto_options proto_options = {.host = host, .vp_count = like->vp_count};
    const struct vmr_partition_options options = {.memory = other->memory};
    const struct vmr_irqchip_options chip = {
        .host = host, .vp_count = like->vp_count, .split = other->handle.irqchip == VMR_IRQCHIP_SPLIT};
    struct vmr_proto *proto = NULL;
    enum vmr_status status = vmr_proto_create(&other->handle, &proto_options, &proto, NULL);

    if (!status)
        status = vmr_proto_build(&proto, &options, &other->view.partition, NULL);
    vmr_proto_destroy(proto);
    if (status || !like->chip)
        return status;
    status = vmr_irqchip_create(&chip, other->ports, other->mmio, &other->chip, NULL);
    if (status)
        return status;
    other->view.chip = other->chip;
    return vmr_partition_attach_irqchip(other->view.partition, vmr_irqchip_builtin_ops(), other->chip, NULL);
}

static void other_finish(struct other_vm *other)
{
    for (vmr_vp_index vp = 0; vp < other->view.vp_count; vp++)
        vmr_vp_unbind(other->view.vps[vp]);
    CONF_CHECK(other->view.conf, vmr_partition_destroy(other->view.partition) == VMR_OK, "taking it down");
    vmr_irqchip_destroy(other->chip);
    vmr_bus_destroy(other->ports);
    vmr_bus_destroy(other->mmio);
    vmr_memory_destroy(other->memory);
    vmr_handle_close(&other->handle);
}

static bool other_init(struct other_vm *other, struct conf_vm *like)
{
    const struct vmr_host *host = like->conf->host;
    struct vmr_backend_set backends;
    struct vmr_memory_region region;
    enum vmr_status status;

    *other = (struct other_vm){.view = {.conf = like->conf, .vp_count = like->vp_count}};
    vmr_backend_set_init(&backends);
    status = vmr_probe_named(&backends, spec_like(like), &other->handle, NULL);
    if (!status)
        status = vmr_memory_create(host, &other->memory, NULL);
    for (size_t i = 0; !status && vmr_memory_region_get(like->memory, i, &region); i++) {
        region.host = NULL; /* RAM of its own */
        status = vmr_memory_region_add(other->memory, &region, NULL);
    }
    if (!status)
        status = vmr_bus_create(host, VMR_BUS_PORTS, &other->ports, NULL);
    if (!status)
        status = vmr_bus_create(host, VMR_BUS_MMIO, &other->mmio, NULL);
    if (!status)
        status = other_build(other, like);
    for (vmr_vp_index vp = 0; !status && vp < like->vp_count; vp++)
        status = vmr_partition_bind(other->view.partition, vp, &other->view.vps[vp], NULL);
    CONF_CHECK(like->conf, status == VMR_OK, "the other VM: %s", vmr_status_name(status));
    if (status)
        other_finish(other);
    return status == VMR_OK;
}

struct tally {
    struct conf *conf;
    unsigned skipped, alone;
};

static void count_skipped(void *context, const struct vmr_snapshot_state *state, const char *class_name)
{
    struct tally *tally = context;

    (void)state;
    (void)class_name;
    tally->skipped++;
}

static void count_alone(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                        const struct vmr_state_difference *difference)
{
    struct tally *tally = context;

    if (difference)
        tell(tally->conf, left, right, difference);
    else
        tally->alone++;
}

/* A snapshot in another VM, by request: what is passed over is counted. */
static enum vmr_status carry(struct conf_vm *to, const struct kept *kept, struct tally *tally, struct vmr_error *err)
{
    const struct vmr_snapshot_restore_options options = {
        .other_hypervisor = true, .skipped = count_skipped, .context = tally};
    struct vmr_snapshot *snapshot = snapshot_open(to->conf, kept);
    struct snapshot_vm parts;

    snapshot_parts_of(to, &parts);
    enum vmr_status status = snapshot ? vmr_snapshot_restore(&parts.parts, &snapshot, 1, &options, err) : VMR_E_NOMEM;

    vmr_snapshot_close(snapshot);
    return status;
}

/* What `kept` holds, saved from `to`, where it was carried: the same, but for classes that one of them has alone. */
static void carry_and_compare(struct conf_vm *to, const struct kept *kept, struct kept *ret_there)
{
    struct tally tally = {.conf = to->conf};
    const struct vmr_snapshot_differences sink = {.state = count_alone, .context = &tally};
    struct vmr_error err = {.message = ""};
    uint64_t count = 0;

    CONF_REQUIRE(to->conf, carry(to, kept, &tally, &err) == VMR_OK, "restoring: %s", err.message);
    CONF_REQUIRE(to->conf, snapshot_save(to, 0, ret_there), "saving it there");
    struct vmr_snapshot *here = snapshot_open(to->conf, kept), *there = snapshot_open(to->conf, ret_there);

    CONF_CHECK(to->conf, here && there && vmr_snapshot_compare(here, there, false, &sink, &count, &err) == VMR_OK, "%s",
               err.message);
    CONF_CHECK_EQ(to->conf, count, tally.alone, "differences are classes that one has alone");
    CONF_CHECK_EQ(to->conf, tally.skipped, tally.alone, "classes that were told");
    vmr_snapshot_close(here);
    vmr_snapshot_close(there);
}

/* x87 and SSE in use, and perhaps AVX. */
static bool use_xsave(struct conf_vm *vm, bool avx)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_XSAVE};
    union state_box now, box;

    if (!state_get(vm->conf, vm->vps[0], &id, &now))
        return false;
    box = now;
    sample_xsave(avx, &now, &box.xsave);
    return state_set(vm->conf, vm->vps[0], &id, &box);
}

/* There, over to the mock, and back. */
static void what_both_have_comes_back_from_another_hypervisor(struct conf *conf)
{
    CONF_CLEANUP(kept_free) struct kept here = {0}, there = {0}, back = {0};
    struct other_vm other;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    if (conf->caps.vp_classes >> VMR_VP_XSAVE & 1)
        CONF_REQUIRE(conf, use_xsave(vm, state_has_avx(conf)), "vector registers");
    CONF_REQUIRE(conf, snapshot_save(vm, 0, &here), "saving");
    if (other_init(&other, vm)) {
        carry_and_compare(&other.view, &here, &there);
        CONF_CHECK(conf, vmr_memory_write(vm->memory, VMR_PROGRAM_DATA, "gone", 4) == VMR_OK, "RAM");
        if (conf_reset(vm) && !conf_failed(conf))
            carry_and_compare(vm, &there, &back);
        other_finish(&other);
    }
    kept_free(&here);
    kept_free(&there);
    kept_free(&back);
}

/* The mock has AVX: a VP without, to which it comes in use, says so. */
static void what_a_vp_lacks_and_a_guest_uses_is_refused(struct conf *conf)
{
    struct tally tally = {.conf = conf};
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(kept_free) struct kept here = {0}, there = {0};
    struct other_vm other;

    if (!state_is_held(conf, VMR_VP_XSAVE))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && snapshot_save(vm, 0, &here), "saving");
    if (!other_init(&other, vm))
        return;
    bool carried = carry(&other.view, &here, &tally, &err) == VMR_OK && use_xsave(&other.view, true) &&
                   snapshot_save(&other.view, 0, &there);

    kept_free(&here);
    other_finish(&other);
    CONF_REQUIRE(conf, carried, "no snapshot: %s", err.message);
    enum vmr_status status = carry(vm, &there, &tally, &err);

    if (state_has_avx(conf)) {
        CONF_CHECK(conf, status == VMR_OK, "restoring: %s", err.message);
    } else {
        CONF_CHECK_EQ(conf, status, VMR_E_CONFIG, "restoring");
        CONF_CHECK(conf, strstr(err.message, "XSTATE_BV: this VP has no component 2") != NULL, "%s", err.message);
        CONF_CHECK(conf, !vmr_partition_is_usable(vm->partition), "usable, though half is there");
    }
    kept_free(&there);
}

static const struct conf_scenario scenarios[] = {
    {.name = "what_both_have_comes_back_from_another_hypervisor",
     .family = "snapshot",
     .clauses = "SNAP-6 STATE-5",
     .chip = CONF_CHIP_ANY,
     .run = what_both_have_comes_back_from_another_hypervisor},
    {.name = "what_a_vp_lacks_and_a_guest_uses_is_refused",
     .family = "snapshot",
     .clauses = "SNAP-5 STATE-5",
     .chip = CONF_CHIP_ANY,
     .run = what_a_vp_lacks_and_a_guest_uses_is_refused},
};
CONF_FAMILY(snapshot_other, scenarios);
