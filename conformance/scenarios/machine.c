/* SPDX-License-Identifier: MIT */
/*
 * A whole machine on the hypervisor: which order is right, that nothing moves
 * while it is paused, and that a reset begins again. Its guest is a program on
 * the mock, and sixteen-bit code in the firmware elsewhere: both do the same.
 */

#include "conformance/scenarios/machine_vm.h"

#define MS UINT64_C(1000000)
#define SECOND_GPA 0x604u   /* the guest keeps the second that its real-time clock shows */
#define SHADOW_GPA 0xf0000u /* in the firmware's copy */

CONF_PROGRAM(counts, VMR_SET(0, 0), VMR_ADD(0, 1), VMR_OUT(0x70, 1, 0), VMR_IN(1, 0x71, 1),
             VMR_STORE_VAR(SECOND_GPA, 4, 1), VMR_STORE_VAR(COUNT_GPA, 4, 0), VMR_JUMP(1));
static const uint8_t counts_code[] = {
    0x31, 0xc0, 0x8e, 0xd8,       /* xor ax, ax; mov ds, ax */
    0x30, 0xc0, 0xe6, 0x70,       /* again: xor al, al; out 0x70, al */
    0xe4, 0x71, 0xa2, 0x04, 0x06, /* in al, 0x71; mov [0x604], al */
    0x66, 0xff, 0x06, 0x00, 0x06, /* inc dword [0x600] */
    0xeb, 0xf0,                   /* jmp again */
};

/* Twice it resets, the third time it powers off, with the count. */
CONF_PROGRAM(restarts, VMR_STORE(SHADOW_GPA, 1, 0x11), VMR_LOAD(0, COUNT_GPA, 4), VMR_ADD(0, 1),
             VMR_STORE_VAR(COUNT_GPA, 4, 0), VMR_JUMP_EQ(0, 3, 7), VMR_OUT(0xcf9, 1, 0x06), VMR_SPIN(),
             VMR_OUT(0xf4, 1, 3), VMR_SPIN());
static const uint8_t restarts_code[] = {
    0x31, 0xc0, 0x8e, 0xd8, 0xb8, 0x00, 0xf0, 0x8e, 0xc0, /* ds = 0, es = 0xf000 */
    0x26, 0xc6, 0x06, 0x00, 0x00, 0x11,                   /* mov byte es:[0], 0x11 */
    0x66, 0xff, 0x06, 0x00, 0x06, 0xa0, 0x00, 0x06,       /* inc dword [0x600]; mov al, [0x600] */
    0x3c, 0x03, 0x74, 0x07,                               /* cmp al, 3; je off */
    0xb0, 0x06, 0xba, 0xf9, 0x0c, 0xee, 0xf4,             /* mov al, 6; mov dx, 0xcf9; out dx, al; hlt */
    0xe6, 0xf4, 0xf4,                                     /* off: out 0xf4, al; hlt */
};

/* --- order --- */

static void wrong_order_is_refused_and_changes_nothing(struct conf *conf)
{
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};
    struct vmr_error err = {.message = ""};
    struct vmr_vp_set_halt halt;

    if (!machine_begin(&vm, conf, &counts, counts_code, sizeof(counts_code)))
        return;
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_E_STATE, VMR_MACHINE_CREATED);
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_E_STATE, VMR_MACHINE_CREATED);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_E_STATE, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_E_STATE, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_reset(vm.machine, &err), VMR_E_STATE, VMR_MACHINE_RUNNING);
    CONF_CHECK(conf, strstr(err.message, "running") != NULL, "the message does not say why: '%s'", err.message);
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_E_STATE, VMR_MACHINE_PAUSED);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_E_STATE, VMR_MACHINE_PAUSED);
    machine_expect(&vm, vmr_machine_reset(vm.machine, &err), VMR_E_STATE, VMR_MACHINE_PAUSED);
    vmr_machine_request_stop(vm.machine);
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_E_STATE, VMR_MACHINE_HALTED);
    machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
    CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_STOP, "why it halted");
    machine_expect(&vm, vmr_machine_stop(vm.machine), VMR_OK, VMR_MACHINE_STOPPED);
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_E_STATE, VMR_MACHINE_STOPPED);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_stop(vm.machine), VMR_OK, VMR_MACHINE_STOPPED);
    machine_end(&vm);
}

/* --- pausing --- */

static void let_host_time_pass(struct conf *conf, uint64_t ns)
{
    struct vmr_parker *parker = NULL;

    CONF_REQUIRE(conf, conf->host->ops->parker_create(conf->host->context, &parker) == VMR_OK, "no parker");
    (void)conf->host->ops->park(conf->host->context, parker, conf->host->ops->now_ns(conf->host->context) + ns);
    conf->host->ops->parker_destroy(conf->host->context, parker);
}

static void nothing_moves_while_paused(struct conf *conf)
{
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_begin(&vm, conf, &counts, counts_code, sizeof(counts_code)))
        return;
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    for (unsigned round = 0; round < (conf->exploring ? 1u : 20u) && !conf_failed(conf); round++) {
        machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
        uint32_t count = machine_word(&vm, COUNT_GPA);
        uint64_t paused_ns = vmr_vm_clock_now(vm.clock);

        let_host_time_pass(conf, conf->exploring ? 1 : 5 * MS);
        CONF_CHECK_EQ(conf, machine_word(&vm, COUNT_GPA), count, "what the guest counts while paused");
        CONF_CHECK_EQ(conf, vmr_vm_clock_now(vm.clock), paused_ns, "its time");
        machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
        (void)wait_beyond(&vm, count);
    }
    machine_end(&vm);
}

/* Of the clock that the guest reads two seconds of pause show nothing; a second may end meanwhile. */
static void the_guests_clock_does_not_show_a_pause(struct conf *conf)
{
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_begin(&vm, conf, &counts, counts_code, sizeof(counts_code)))
        return;
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    CONF_REQUIRE(conf, wait_beyond(&vm, 3), "no guest");
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    uint32_t count = machine_word(&vm, COUNT_GPA), second = machine_word(&vm, SECOND_GPA) & 0xff;

    let_host_time_pass(conf, 2200 * MS);
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    CONF_REQUIRE(conf, wait_beyond(&vm, count + 3), "no guest any more");
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    uint32_t now = machine_word(&vm, SECOND_GPA) & 0xff;

    /* Two digits of BCD; the clock began at a full minute. */
    CONF_CHECK(conf, now == second || (now >> 4) * 10 + (now & 15) == (second >> 4) * 10 + (second & 15) + 1,
               "from second %x to %x", second, now);
    machine_end(&vm);
}

/* --- devices --- */

#define UNITS_MAX 16u
#define STATE_BYTES 8192u
union state {
    uint64_t align;
    uint8_t bytes[STATE_BYTES];
};

static void set_again(struct conf *conf, const struct vmr_state_unit *unit)
{
    union state before, after;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, unit->type->size <= sizeof(before), "'%s' is larger than there is room", unit->type->name);
    CONF_CHECK_EQ(conf, unit->get(unit->object, &before, &err), VMR_OK, unit->type->name);
    enum vmr_status status = unit->set(unit->object, &before, &err);

    CONF_CHECK(conf, status == VMR_OK, "'%s' cannot be set to what it was: %s", unit->type->name, err.message);
    CONF_CHECK_EQ(conf, unit->get(unit->object, &after, &err), VMR_OK, unit->type->name);
    CONF_CHECK(conf, vmr_state_equal(unit->type, &before, &after, true, NULL), "'%s' changed", unit->type->name);
}

static void device_states_are_set_under_a_guest_that_goes_on(struct conf *conf)
{
    struct vmr_power_state power = {.reason = VMR_HALT_REASON_COUNT};
    struct vmr_state_unit units[UNITS_MAX];
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_begin(&vm, conf, &counts, counts_code, sizeof(counts_code)))
        return;
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    CONF_REQUIRE(conf, wait_beyond(&vm, 3), "no guest");
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    size_t count = vmr_platform_state_units(vmr_machine_platform(vm.machine), units, UNITS_MAX);

    CONF_REQUIRE(conf, count > 0 && count <= UNITS_MAX, "%zu units", count);
    for (size_t i = 0; i < count; i++)
        set_again(conf, &units[i]);
    CONF_CHECK_EQ(conf, units[0].set(units[0].object, &power, &err), VMR_E_CONFIG, "a reason that is none");
    CONF_CHECK(conf, strstr(err.message, "'power'") && strstr(err.message, "'reason'"), "it says '%s'", err.message);
    set_again(conf, &units[0]);
    uint32_t seen = machine_word(&vm, COUNT_GPA);

    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    (void)wait_beyond(&vm, seen + 3);
    machine_end(&vm);
}

/* --- reset --- */

static void a_guest_that_resets_begins_again(struct conf *conf)
{
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if ((conf->caps.vp_classes >> VMR_VP_REGISTERS & 1) == 0) {
        conf_skip(conf, "the hypervisor does not give its state away");
        return;
    }
    if (!machine_begin(&vm, conf, &restarts, restarts_code, sizeof(restarts_code)))
        return;
    for (uint32_t starts = 1; starts <= 3 && !conf_failed(conf); starts++) {
        struct vmr_vp_set_halt halt = {.vp = 0};
        struct vmr_error err = {.message = ""};
        enum vmr_halt_reason want = starts < 3 ? VMR_HALT_RESET : VMR_HALT_POWER_OFF;
        uint32_t value = 0;

        CONF_CHECK_EQ(conf, vmr_machine_start(vm.machine), VMR_OK, "the start"); /* it may halt at once */
        machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
        CONF_CHECK_EQ(conf, halt.result.reason, want, "why it halted");
        CONF_CHECK_EQ(conf, machine_word(&vm, COUNT_GPA), starts, "starts");
        CONF_CHECK_EQ(conf, vmr_machine_exit_value(vm.machine, &value) ? value : 0, starts < 3 ? 0 : 3, "its value");
        CONF_CHECK_EQ(conf, machine_word(&vm, SHADOW_GPA) & 0xff, 0x11, "what it wrote over its firmware");
        enum vmr_status status = vmr_machine_reset(vm.machine, &err);

        CONF_CHECK(conf, status == VMR_OK, "reset: %s", err.message);
        machine_expect(&vm, vmr_machine_wait(vm.machine, 0, &halt), VMR_E_STATE, VMR_MACHINE_STOPPED);
        CONF_CHECK_EQ(conf, machine_word(&vm, SHADOW_GPA) & 0xff, FILL, "the firmware's copy");
        CONF_CHECK(conf, !vmr_machine_exit_value(vm.machine, &value), "the request outlived the reset");
    }
    machine_end(&vm);
}

static void an_automatic_reset_is_not_seen_by_who_waits(struct conf *conf)
{
    CONF_CLEANUP(machine_end) struct machine_vm vm = {.conf = conf, .automatic_reset = true};
    struct vmr_vp_set_halt halt = {.vp = 0};
    uint32_t value = 0;

    if ((conf->caps.vp_classes >> VMR_VP_REGISTERS & 1) == 0) {
        conf_skip(conf, "the hypervisor does not give its state away");
        return;
    }
    if (!machine_create(&vm, &restarts, restarts_code, sizeof(restarts_code)))
        return;
    CONF_CHECK_EQ(conf, vmr_machine_start(vm.machine), VMR_OK, "the start");
    machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
    CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_POWER_OFF, "why it halted");
    CONF_CHECK_EQ(conf, machine_word(&vm, COUNT_GPA), 3, "starts");
    CONF_CHECK_EQ(conf, vmr_machine_exit_value(vm.machine, &value) ? value : 0, 3, "its value");
    machine_end(&vm);
}

static void a_reset_that_fails_consumes_no_halt(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct vmr_vp_set_halt halt = {.vp = 0};
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_begin(&vm, conf, &restarts, restarts_code, sizeof(restarts_code)))
        return;
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_RESET, 1), VMR_OK, "the fault");
    CONF_CHECK(conf, vmr_machine_reset(vm.machine, &err) != VMR_OK && err.message[0] != '\0', "it did not fail aloud");
    machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
    CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_RESET, "why it halted");
    machine_expect(&vm, vmr_machine_stop(vm.machine), VMR_OK, VMR_MACHINE_STOPPED);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_E_STATE, VMR_MACHINE_STOPPED);
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_RESET, 0), VMR_OK, "no fault");
    machine_expect(&vm, vmr_machine_reset(vm.machine, &err), VMR_OK, VMR_MACHINE_STOPPED);
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    machine_expect(&vm, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_OK, VMR_MACHINE_HALTED);
    machine_end(&vm);
}

#define SCENARIO(function) .name = #function, .family = "machine", .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(wrong_order_is_refused_and_changes_nothing), .clauses = "MACH-1", .flags = CONF_MANAGED},
    {SCENARIO(nothing_moves_while_paused), .clauses = "MACH-2 CLK-1", .flags = CONF_MANAGED},
    {SCENARIO(the_guests_clock_does_not_show_a_pause), .ids = "CLK-02", .clauses = "MACH-2 CLK-1",
     .flags = CONF_MANAGED},
    {SCENARIO(device_states_are_set_under_a_guest_that_goes_on), .clauses = "DEV-1", .flags = CONF_MANAGED},
    {SCENARIO(a_guest_that_resets_begins_again), .clauses = "MACH-3 DEV-2", .flags = CONF_MANAGED},
    {SCENARIO(an_automatic_reset_is_not_seen_by_who_waits), .clauses = "MACH-4 MACH-3", .flags = CONF_MANAGED},
    {SCENARIO(a_reset_that_fails_consumes_no_halt), .clauses = "MACH-3 RST-3", .flags = CONF_MOCK_ONLY | CONF_MANAGED},
};

CONF_FAMILY(machine, scenarios);
