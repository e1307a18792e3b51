/* SPDX-License-Identifier: MIT */
/*
 * Single step and breakpoints: honoured to the instruction, or refused. And the
 * table of each backend: what it declares is there.
 */

#include <string.h>

#include "conformance/operations.h"
#include "conformance/scenarios/apic_words.h"

#define PORT 0x700u

/* A NOP of a guest program: one byte of machine code, one step of the mock. */
static uint64_t nop_bytes(const struct conf *conf)
{
    return vmr_caps_have(&conf->caps, VMR_CAP_MACHINE_CODE) ? 1 : VMR_MOCK_STEP_BYTES;
}

static uint64_t rip_of(struct conf_vm *vm)
{
    struct vmr_x86_regs regs = {0};

    CONF_CHECK(vm->conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    return regs.rip;
}

/* One run that must halt with `reason`; how, in `ret_result`. */
static bool run_to(struct conf_vm *vm, enum vmr_halt_reason reason, struct vmr_run_result *ret_result)
{
    if (!conf_run(vm, 0, NULL, ret_result))
        return false;
    if (ret_result->kind == VMR_RUN_HALTED && ret_result->reason == reason)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "halted with %s, not %s", vmr_halt_reason_name(ret_result->reason),
              vmr_halt_reason_name(reason));
    return false;
}

static bool set_debug(struct conf_vm *vm, const struct vmr_debug_state *state)
{
    enum vmr_status status = vmr_vp_set_debug_state(vm->vps[0], state);

    CONF_CHECK(vm->conf, status == VMR_OK, "debug state: %s", vmr_status_name(status));
    return status == VMR_OK;
}

/* Stands behind a power off, so that the first instruction is known. */
CONF_PROGRAM(nops, VMR_POWER_OFF(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(),
             VMR_CHECKPOINT(1), VMR_END());

static void single_steps(struct conf *conf)
{
    const struct vmr_debug_state step = {.single_step = true};
    struct conf_vm *vm = interrupt_vm(conf, 1, &nops, NULL);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && run_to_power_off(vm) && set_debug(vm, &step), "no VM");
    uint64_t start = rip_of(vm);

    for (unsigned i = 1; i <= 5; i++) {
        CONF_REQUIRE(conf, run_to(vm, VMR_HALT_SINGLE_STEP, &result), "step %u", i);
        CONF_CHECK_EQ(conf, rip_of(vm) - start, i * nop_bytes(conf), "instructions since the start, in bytes");
    }
    CONF_REQUIRE(conf, set_debug(vm, NULL), "not taken away");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 1, "checkpoints");
}

/* A whole program by single steps: what it does to its devices is what it does at full speed. */
static void steps_change_nothing(struct conf *conf)
{
    CONF_PROGRAM(works, VMR_SET(0, 3), VMR_OUT_VAR(PORT, 4, 0), VMR_LOOP(0, 1), VMR_IN(1, PORT, 4), VMR_EXPECT(1, 0x77),
                 VMR_STORE(WORD(0), 8, 5), VMR_LOAD(2, WORD(0), 8), VMR_EXPECT(2, 5), VMR_END());
    static const uint64_t written[] = {3, 2, 1};
    const struct vmr_debug_state step = {.single_step = true};
    struct conf_device device = {.answer = 0x77};
    struct conf_vm *vm = interrupt_vm(conf, 1, &works, NULL);
    struct vmr_run_result result;
    unsigned steps = 0;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device), "no VM");
    CONF_REQUIRE(conf, set_debug(vm, &step), "no single step");
    while (!vm->reports[0].ended && steps < 2000) {
        if (!conf_run(vm, 0, NULL, &result))
            return;
        steps++;
        CONF_CHECK(conf, result.reason == VMR_HALT_SINGLE_STEP || vm->reports[0].ended, "halted with %s",
                   vmr_halt_reason_name(result.reason));
    }
    CONF_CHECK(conf, vm->reports[0].ended && !vm->reports[0].mismatch, "the guest did not end well");
    CONF_CHECK(conf, steps >= works.count, "%u stops for %u steps of the guest", steps, works.count);
    CONF_CHECK(conf, device.writes == 3 && memcmp(device.written, written, sizeof(written)) == 0, "%u writes",
               device.writes);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
}

static void breaks_before(struct conf *conf)
{
    struct vmr_debug_state state = {.single_step = false};
    struct conf_vm *vm = interrupt_vm(conf, 1, &nops, NULL);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no VM");
    uint64_t start = rip_of(vm);

    for (unsigned i = 0; i < 2; i++)
        state.breakpoints[i + 1] = (struct vmr_breakpoint){
            .enabled = true, .kind = VMR_BREAK_EXECUTE, .length = 1, .address = start + (2 + 2 * i) * nop_bytes(conf)};
    CONF_REQUIRE(conf, set_debug(vm, &state), "no breakpoints");
    for (unsigned i = 0; i < 2; i++) {
        CONF_REQUIRE(conf, run_to(vm, VMR_HALT_HW_BREAK, &result), "breakpoint %u", i);
        CONF_CHECK_EQ(conf, result.breakpoint, i + 1, "which of the four");
        CONF_CHECK_EQ(conf, rip_of(vm), state.breakpoints[i + 1].address, "where");
        /* Whether one that stays would be hit again at once is the hypervisor's to say. */
        state.breakpoints[i + 1].enabled = false;
        CONF_REQUIRE(conf, set_debug(vm, &state), "not taken away");
    }
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 1, "checkpoints");
}

static void breaks_on_data(struct conf *conf)
{
    CONF_PROGRAM(stores, VMR_STORE(WORD(1), 4, 1), VMR_LOAD(0, WORD(0), 4), VMR_STORE(WORD(0), 4, 7), VMR_CHECKPOINT(1),
                 VMR_STORE(WORD(0), 4, 8), VMR_END());
    const struct vmr_debug_state state = {
        .breakpoints[3] = {.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = WORD(0)}};
    struct conf_vm *vm = interrupt_vm(conf, 1, &stores, NULL);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && set_debug(vm, &state) && run_to(vm, VMR_HALT_HW_BREAK, &result), "not hit");
    CONF_CHECK_EQ(conf, result.breakpoint, 3, "which of the four");
    CONF_CHECK_EQ(conf, word(vm, 0), 7, "what was written when it was hit");
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 0, "checkpoints");
    CONF_REQUIRE(conf, set_debug(vm, NULL), "not taken away");
    (void)conf_run_to_end(vm, 0);
}

static void bad_states(struct conf *conf)
{
    static const struct vmr_breakpoint bad[] = {
        {.enabled = true, .kind = 2, .length = 1, .address = 0x1000},
        {.enabled = true, .kind = 4, .length = 1, .address = 0x1000},
        {.enabled = true, .kind = VMR_BREAK_WRITE, .length = 3, .address = 0x1000},
        {.enabled = true, .kind = VMR_BREAK_WRITE, .length = 0, .address = 0x1000},
        {.enabled = true, .kind = VMR_BREAK_EXECUTE, .length = 4, .address = 0x1000},
    };
    const struct vmr_debug_state unused = {.breakpoints[2] = {.kind = 9, .length = 99}};
    struct conf_vm *vm = interrupt_vm(conf, 1, &nops, NULL);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct vmr_debug_state state = {.breakpoints[1] = bad[i]};

        CONF_CHECK(conf, vmr_vp_set_debug_state(vm->vps[0], &state) == VMR_E_USAGE, "row %u was taken", i);
    }
    CONF_CHECK(conf, vmr_vp_set_debug_state(vm->vps[0], &unused) == VMR_OK, "what is not enabled was judged");
    do
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "a step failed");
    while (vp_exit.kind == VMR_EXIT_CANCEL);
    CONF_CHECK(conf, !vmr_exit_is_pending(&vp_exit) || vmr_vp_set_debug_state(vm->vps[0], NULL) == VMR_E_STATE,
               "debug state in the middle of an exit");
    (void)conf_run_to_end(vm, 0);
}

/* --- a backend that has none of it: the mock's table, with fewer words --- */

static enum vmr_status caps_without_debug(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                          struct vmr_error *err)
{
    enum vmr_status status = vmr_mock_backend()->caps(handle, ret_caps, err);

    if (!status)
        ret_caps->bits &= ~(CONF_CAP(SINGLE_STEP) | CONF_CAP(HW_BREAKPOINT) | CONF_CAP(READ_ONLY) | CONF_CAP(MSR_EXIT));
    return status;
}

static void check_poor_partition(struct conf *conf, struct vmr_partition *partition)
{
    const struct vmr_debug_state step = {.single_step = true}, nothing = {.single_step = false};
    const struct vmr_debug_state point = {.breakpoints[0] = {.enabled = true, .length = 1}};
    const struct vmr_memory_region rom = {.gpa = 0x10000, .size = VMR_PAGE_SIZE, .read_only = true};
    struct vmr_error err = {.message = ""};
    struct vmr_vp *vp = NULL;

    CONF_REQUIRE(conf, vmr_partition_bind(partition, 0, &vp, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_vp_set_debug_state(vp, &step) == VMR_E_UNSUPPORTED, "single step");
    CONF_CHECK(conf, vmr_vp_set_debug_state(vp, &point) == VMR_E_UNSUPPORTED, "a breakpoint");
    CONF_CHECK(conf, vmr_vp_set_debug_state(vp, &nothing) == VMR_OK && vmr_vp_set_debug_state(vp, NULL) == VMR_OK,
               "nothing was refused");
    CONF_CHECK(conf,
               vmr_memory_region_add(vmr_partition_memory(partition), &rom, &err) == VMR_E_UNSUPPORTED &&
                   strstr(err.message, "0x10000"),
               "read-only memory: %s", err.message);
    CONF_CHECK_EQ(conf, vmr_memory_region_count(vmr_partition_memory(partition)), 0, "regions");
    vmr_vp_unbind(vp);
}

static void poor_backend(struct conf *conf)
{
    static const struct vmr_msr_range one_msr = {.first = 0x10, .count = 1};
    struct vmr_backend poor = *vmr_mock_backend();
    struct vmr_backend_set set = {.count = 1, .backends = {&poor}};
    struct vmr_hypervisor_handle handle;
    struct vmr_host host;
    struct vmr_proto_options options = {.host = &host};
    struct vmr_partition_options wanted = {.msr_exits = &one_msr, .msr_exit_count = 1};
    struct vmr_partition *partition = NULL;
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};

    poor.name = "poor";
    poor.caps = caps_without_debug;
    poor.vp_set_debug = NULL;
    vmr_host_posix(&host, NULL);
    CONF_REQUIRE(conf, vmr_probe_named(&set, "poor", &handle, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_memory_create(&host, &wanted.memory, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_proto_create(&handle, &options, &proto, &err) == VMR_OK, "%s", err.message);
    if (proto) {
        CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_E_UNSUPPORTED && !partition,
                   "MSR exits");
        CONF_CHECK(conf, strstr(err.message, "msr_exits") && strstr(err.message, "poor"), "not named: %s", err.message);
        wanted.msr_exit_count = 0;
        CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_OK, "%s", err.message);
    }
    if (partition) {
        CONF_CHECK(conf, !vmr_partition_native(partition, vmr_mock_backend()), "taken for the mock");
        poor.base = vmr_mock_backend();
        CONF_CHECK(conf, vmr_partition_native(partition, vmr_mock_backend()) == vmr_mock_of(partition),
                   "not taken for what it is a copy of");
        check_poor_partition(conf, partition);
    }
    CONF_CHECK(conf, vmr_partition_destroy(partition) == VMR_OK, "not destroyed");
    vmr_proto_destroy(proto);
    vmr_memory_destroy(wanted.memory);
    vmr_handle_close(&handle);
}

/* --- what a table declares is there --- */

/* The same check lets no backend in that is loaded. */
static void check_operations(struct conf *conf, const struct vmr_backend *backend)
{
    const char *missing = conf_missing_operation(backend);
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, !missing, "'%s' has no %s", backend->name, missing);
    CONF_CHECK(conf, conf_operations_check(backend, &conf->caps, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, !backend->vp_enter == !backend->vp_leave && !backend->vm_async_begin == !backend->vm_async_end,
               "'%s' has one half of a pair", backend->name);
}

static void declared_is_there(struct conf *conf)
{
    const struct vmr_backend *backend = conf->handle->backend;

    CONF_CHECK(conf, backend->abi == VMR_BACKEND_ABI && !(backend->flags & VMR_BACKEND_PROBE_ONLY),
               "'%s' opened, and says that it cannot", backend->name);
    CONF_CHECK(conf, conf->caps.bits != 0 && conf->caps.bits >> VMR_CAP_COUNT == 0, "capabilities %#llx",
               (unsigned long long)conf->caps.bits);
    CONF_CHECK(conf,
               conf->caps.vp_count_max > 0 && conf->caps.physical_bits >= 32 &&
                   conf->caps.physical_bits <= VMR_PHYSICAL_BITS_MAX,
               "%u VPs, %u bits", conf->caps.vp_count_max, conf->caps.physical_bits);
    CONF_CHECK(conf, backend->vm_size > 0 && backend->vp_size > 0, "'%s' has empty objects", backend->name);
    check_operations(conf, backend);
}

static void each_table(struct conf *conf)
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct vmr_backend *backend = set.backends[i];

        CONF_CHECK(conf, backend->abi == VMR_BACKEND_ABI && backend->open && backend->keys && backend->description[0],
                   "'%s' lacks what every table has", backend->name);
        for (const struct vmr_param_key *key = backend->keys; key->name; key++)
            CONF_CHECK(conf, key->values && key->values[0] && key->help && key->help[0], "'%s', key '%s': no help",
                       backend->name, key->name);
        if (backend->flags & VMR_BACKEND_PROBE_ONLY)
            CONF_CHECK(conf, !backend->vm_create && !backend->vp_run && !backend->caps,
                       "'%s' is only probed, and has operations", backend->name);
    }
}

static const struct conf_scenario scenarios[] = {
    {.name = "single_step_stops_after_each_instruction",
     .family = "debug",
     .clauses = "DBG-1 HALT-1",
     .needs = CONF_CAP(SINGLE_STEP),
     .chip = CONF_CHIP_ANY,
     .run = single_steps},
    {.name = "single_steps_change_nothing_that_the_guest_does",
     .family = "debug",
     .clauses = "DBG-1 EXIT-6",
     .needs = CONF_CAP(SINGLE_STEP),
     .chip = CONF_CHIP_ANY,
     .run = steps_change_nothing},
    {.name = "a_breakpoint_stops_before_its_instruction",
     .family = "debug",
     .clauses = "DBG-1 HALT-1",
     .needs = CONF_CAP(HW_BREAKPOINT),
     .quirks = CONF_QUIRK_HW_BREAKPOINT,
     .chip = CONF_CHIP_ANY,
     .run = breaks_before},
    {.name = "a_data_breakpoint_stops_behind_its_write",
     .family = "debug",
     .clauses = "DBG-1 HALT-1",
     .needs = CONF_CAP(HW_BREAKPOINT),
     .quirks = CONF_QUIRK_DATA_BREAKPOINT,
     .chip = CONF_CHIP_ANY,
     .run = breaks_on_data},
    {.name = "impossible_debug_states_are_refused",
     .family = "debug",
     .clauses = "DBG-1 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = bad_states},
    {.name = "a_backend_without_a_capability_is_not_asked",
     .family = "debug",
     .clauses = "DBG-1 BACK-1 ERR-1 ERR-2",
     .flags = CONF_NO_BACKEND,
     .run = poor_backend},
    {.name = "what_a_backend_declares_its_table_has",
     .family = "debug",
     .clauses = "BACK-1",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = declared_is_there},
    {.name = "every_built_in_table_is_well_formed",
     .family = "debug",
     .clauses = "BACK-1 PROBE-2",
     .flags = CONF_NO_BACKEND,
     .run = each_table},
};

CONF_FAMILY(debug, scenarios);
