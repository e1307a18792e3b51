/* SPDX-License-Identifier: MIT */
/*
 * The machine: what it refuses, what its guest finds, how it stops, and that a
 * failure at any step of building leaves nothing behind.
 */

#include "lib/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/machine/scripted_backend.h"

#define SECOND UINT64_C(1000000000)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t firmware[0x10000];
static struct vmr_host host;
static struct scripted scripted;
static struct vmr_hypervisor_handle handle;
static struct vmr_machine *machine;
static char printed[64];
static size_t printed_length;
static char stop_at; /* the sink asks for a stop when this is printed */

static void print(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    (void)context;
    assert_int_equal(source, VMR_CONSOLE_DEBUG);
    for (size_t i = 0; i < length && printed_length < sizeof(printed) - 1; i++) {
        printed[printed_length++] = (char)bytes[i];
        if (bytes[i] == (uint8_t)stop_at)
            vmr_machine_request_stop(machine);
    }
}

static struct vmr_machine_options options_for(const struct scripted_step *steps, size_t count)
{
    memset(printed, 0, sizeof(printed));
    printed_length = 0;
    stop_at = '\0';
    vmr_host_posix(&host, NULL);
    scripted_handle(&scripted, steps, count, &handle);
    return (struct vmr_machine_options){.handle = &handle,
                                        .host = &host,
                                        .memory_size = 2 * MIB,
                                        .vps = 1,
                                        .firmware = firmware,
                                        .firmware_size = sizeof(firmware),
                                        .console = {.write = print}};
}

static void create(const struct scripted_step *steps, size_t count)
{
    const struct vmr_machine_options options = options_for(steps, count);

    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
}

static struct vmr_vp_set_halt wait_for(uint64_t ns)
{
    struct vmr_vp_set_halt halt;

    assert_int_equal(vmr_machine_wait(machine, host.ops->now_ns(host.context) + ns, &halt), VMR_OK);
    return halt;
}

static void destroy(void)
{
    vmr_machine_destroy(machine);
    machine = NULL;
    assert_int_equal(scripted.wrong_answers, 0);
}

static void bad_options_are_refused_by_name(void **state)
{
    static const struct {
        const char *name;
        uint64_t memory_size;
        uint32_t vps;
        size_t firmware_size;
        const char *said;
    } cases[] = {
        {"no memory", 0, 1, 0x10000, "memory_size 0"},
        {"less than 1 MiB", MIB / 2, 1, 0x10000, "memory_size 524288"},
        {"unaligned memory", MIB + 4096, 1, 0x10000, "memory_size 1052672"},
        {"memory beyond 36 bits", 64 * GIB, 1, 0x10000, "memory_size 68719476736"},
        {"all the memory there could be", UINT64_MAX - MIB + 1, 1, 0x10000, "memory_size"},
        {"no VP", MIB, 0, 0x10000, "vps 0"},
        {"more VPs than there can be", MIB, 2049, 0x10000, "vps 2049"},
        {"more VPs than the hypervisor takes", MIB, 5, 0x10000, "5 VPs"},
        {"no firmware", MIB, 1, 0, "firmware"},
        {"firmware of odd size", MIB, 1, 4096, "4096 bytes"},
        {"firmware too large", MIB, 1, 0x1010000, "16842752 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct vmr_machine_options options = options_for(NULL, 0);
        struct vmr_error err = {0};

        print_message("%s\n", cases[i].name);
        options.memory_size = cases[i].memory_size;
        options.vps = cases[i].vps;
        options.firmware_size = cases[i].firmware_size;
        assert_int_equal(vmr_machine_create(&options, &machine, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, cases[i].said));
        assert_null(machine);
    }
}

static void missing_handle_and_host_are_refused(void **state)
{
    struct vmr_machine_options options = options_for(NULL, 0);

    (void)state;
    options.host = NULL;
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_E_USAGE);
    options = options_for(NULL, 0);
    options.handle = NULL;
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_E_USAGE);
    assert_null(machine);
}

static void memory_leaves_the_hole_below_4_gib(void **state)
{
    struct vmr_machine_options options = options_for(NULL, 0);
    struct vmr_memory_region region;

    (void)state;
    options.memory_size = 3 * GIB + 2 * MIB;
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(machine));

    assert_true(vmr_memory_region_find(memory, 0, &region));
    assert_int_equal(region.size, 3 * GIB);
    assert_false(vmr_memory_region_find(memory, 3 * GIB, &region));
    assert_true(vmr_memory_region_find(memory, 4 * GIB, &region));
    assert_int_equal(region.size, 2 * MIB);
    assert_true(vmr_memory_region_find(memory, 4 * GIB - 1, &region));
    assert_int_equal(region.size, sizeof(firmware));
    destroy();
}

static void ram_in_pieces_lies_where_it_was_said(void **state)
{
    static const struct vmr_memory_backing shared = {.shared = true};
    static const struct vmr_machine_ram ram[] = {{0, 2 * MIB, NULL}, {16 * MIB, MIB, &shared}, {5 * GIB, MIB, NULL}};
    struct vmr_machine_options options = options_for(NULL, 0);
    struct vmr_memory_region region;
    int fd = -1;

    (void)state;
    options.memory_size = 0;
    options.ram = ram;
    options.ram_count = COUNT(ram);
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(machine));

    for (size_t i = 0; i < COUNT(ram); i++) {
        assert_true(vmr_memory_region_find(memory, ram[i].gpa, &region));
        assert_int_equal(region.gpa, ram[i].gpa);
        assert_int_equal(region.size, ram[i].size);
        assert_int_equal(vmr_memory_region_fd(memory, ram[i].gpa, &fd, NULL), i == 1 ? VMR_OK : VMR_E_UNSUPPORTED);
    }
    assert_int_equal(vmr_memory_region_count(memory), COUNT(ram) + 1);
    destroy();
}

static void ram_that_no_board_has_is_refused_by_its_number(void **state)
{
    static const struct {
        const char *name;
        struct vmr_machine_ram ram[2];
        const char *said;
    } cases[] = {
        {"not from 0", {{4096, 2 * MIB, NULL}, {GIB, MIB, NULL}}, "ram[0]"},
        {"too little", {{0, MIB / 2, NULL}, {GIB, MIB, NULL}}, "ram[0]"},
        {"overlapping", {{0, 2 * MIB, NULL}, {MIB, MIB, NULL}}, "ram[1] at 0x100000"},
        {"over the firmware", {{0, 2 * MIB, NULL}, {4 * GIB - 64 * MIB, 32 * MIB + 4096, NULL}}, "ram[1]"},
        {"over 4 GiB", {{0, 2 * MIB, NULL}, {2 * GIB, 3 * GIB, NULL}}, "ram[1]"},
        {"wraps", {{0, 2 * MIB, NULL}, {8 * GIB, UINT64_MAX - GIB, NULL}}, "ram[1]"},
        {"beyond 36 bits", {{0, 2 * MIB, NULL}, {64 * GIB, MIB, NULL}}, "36 bits"},
        {"unaligned", {{0, 2 * MIB + 1, NULL}, {GIB, MIB, NULL}}, "0x200001"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct vmr_machine_options options = options_for(NULL, 0);
        struct vmr_error err = {0};

        options.memory_size = 0;
        options.ram = cases[i].ram;
        options.ram_count = 2;
        if (vmr_machine_create(&options, &machine, &err) != VMR_E_CONFIG || !strstr(err.message, cases[i].said))
            fail_msg("%s: \"%s\"", cases[i].name, err.message);
        options.memory_size = MIB;
        assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_E_USAGE);
        assert_null(machine);
    }
}

static void a_board_without_a_serial_line_takes_no_input(void **state)
{
    static const struct scripted_step steps[] = {{SCRIPTED_IN, 0x3fd, 0xff}, {SCRIPTED_OUT, 0xf4, 1}};
    struct vmr_machine_options options = options_for(steps, COUNT(steps));

    (void)state;
    options.platform_without = 1u << VMR_PLATFORM_SERIAL;
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
    assert_int_equal(vmr_machine_receive(machine, (const uint8_t *)"x", 1), 0);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(wait_for(10 * SECOND).result.reason, VMR_HALT_POWER_OFF);
    destroy();
}

static void stop_from_the_console_ends_with_that_byte(void **state)
{
    static const struct scripted_step steps[] = {
        {SCRIPTED_IN, 0x402, 0xe9}, {SCRIPTED_OUT, 0x402, 'a'}, {SCRIPTED_OUT, 0x402, 'b'}, {SCRIPTED_OUT, 0x402, 'c'}};

    (void)state;
    create(steps, COUNT(steps));
    stop_at = 'b';
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(wait_for(10 * SECOND).result.reason, VMR_HALT_STOP);
    assert_string_equal(printed, "ab");
    assert_int_equal(vmr_machine_stop(machine), VMR_OK);
    assert_string_equal(printed, "ab");
    stop_at = 'c';
    assert_int_equal(vmr_machine_start(machine), VMR_OK); /* goes on where it was */
    assert_int_equal(wait_for(10 * SECOND).result.reason, VMR_HALT_STOP);
    assert_string_equal(printed, "abc");
    destroy();
}

static void stop_before_start_is_not_lost(void **state)
{
    (void)state;
    create(NULL, 0);
    vmr_machine_request_stop(machine);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(wait_for(10 * SECOND).result.reason, VMR_HALT_STOP);
    assert_int_equal(vmr_machine_stop(machine), VMR_OK);
    assert_int_equal(vmr_machine_start(machine), VMR_OK); /* answered: it does not come back */
    assert_int_equal(wait_for(SECOND / 20).result.reason, VMR_HALT_NONE);
    destroy();
}

static void guest_ends_with_its_reason_and_value(void **state)
{
    static const struct {
        const char *name;
        struct scripted_step step;
        enum vmr_halt_reason reason;
        uint32_t value;
    } cases[] = {
        {"debug exit", {SCRIPTED_OUT, 0xf4, 0x31}, VMR_HALT_POWER_OFF, 0x31},
        {"reset by the keyboard controller", {SCRIPTED_OUT, 0x64, 0xfe}, VMR_HALT_RESET, 0},
        {"reset control", {SCRIPTED_OUT, 0xcf9, 0x06}, VMR_HALT_RESET, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t value = 0;

        print_message("%s\n", cases[i].name);
        create(&cases[i].step, 1);
        assert_false(vmr_machine_exit_value(machine, &value));
        assert_int_equal(vmr_machine_start(machine), VMR_OK);
        struct vmr_vp_set_halt halt = wait_for(10 * SECOND);

        assert_int_equal(halt.result.reason, cases[i].reason);
        assert_int_equal(halt.vp, 0);
        assert_int_equal(vmr_machine_exit_value(machine, &value), cases[i].reason == VMR_HALT_POWER_OFF);
        assert_int_equal(value, cases[i].value);
        destroy();
    }
}

/* The PIC as firmware sets it up, then a periodic timer, then one HLT a tick. */
static void timer_interrupts_wake_the_guest(void **state)
{
    static const struct scripted_step steps[] = {
        {SCRIPTED_OUT, 0x20, 0x11}, {SCRIPTED_OUT, 0x21, 0x08}, {SCRIPTED_OUT, 0x21, 0x04}, {SCRIPTED_OUT, 0x21, 0x01},
        {SCRIPTED_OUT, 0x21, 0xfe}, {SCRIPTED_OUT, 0x43, 0x34}, {SCRIPTED_OUT, 0x40, 0xa9}, {SCRIPTED_OUT, 0x40, 0x04},
        {SCRIPTED_HALT, 0, 0},      {SCRIPTED_OUT, 0x20, 0x20}, {SCRIPTED_HALT, 0, 0},      {SCRIPTED_OUT, 0x20, 0x20},
        {SCRIPTED_OUT, 0xf4, 0},
    };

    (void)state;
    create(steps, COUNT(steps));
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(wait_for(10 * SECOND).result.reason, VMR_HALT_POWER_OFF);
    assert_int_equal(scripted.vector_count, 2);
    assert_int_equal(scripted.vectors[0], 0x08);
    assert_int_equal(scripted.vectors[1], 0x08);
    destroy();
}

static void timers_run_without_a_chip_of_the_library(void **state)
{
    static const struct scripted_step steps[] = {
        {SCRIPTED_OUT, 0x43, 0x34}, {SCRIPTED_OUT, 0x40, 0xa9}, {SCRIPTED_OUT, 0x40, 0x04}};
    struct vmr_machine_options options = options_for(steps, COUNT(steps));

    (void)state;
    handle.irqchip = VMR_IRQCHIP_KERNEL;
    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    for (unsigned i = 0; i < 500 && atomic_load(&scripted.lines_raised) < 3; i++)
        (void)wait_for(SECOND / 50);
    assert_true(atomic_load(&scripted.lines_raised) >= 3);
    destroy();
}

static void wrong_order_is_refused(void **state)
{
    struct vmr_vp_set_halt halt;

    (void)state;
    create(NULL, 0);
    assert_int_equal(vmr_machine_wait(machine, VMR_NEVER, &halt), VMR_E_STATE);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(vmr_machine_start(machine), VMR_E_STATE);
    destroy();
    vmr_machine_destroy(NULL);
}

/* A sanitizer build also sees what a failure leaks. */
static void failure_at_any_call_leaves_nothing(void **state)
{
    enum vmr_status status = VMR_E_HOST;
    unsigned failed = 0;

    (void)state;
    for (unsigned nth = 1; status != VMR_OK; nth++) {
        struct vmr_machine_options options = options_for(NULL, 0);
        struct vmr_error err = {0};

        options.vps = 3;
        scripted.fail_call = nth;
        status = vmr_machine_create(&options, &machine, &err);
        if (status != VMR_OK) {
            failed++;
            assert_null(machine);
            assert_non_null(strstr(err.message, "planned failure"));
        }
    }
    assert_true(failed >=
                9); /* caps, the VM, three VPs, two regions, three binds: some threads may bind in any order */
    destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options_are_refused_by_name),
        cmocka_unit_test(missing_handle_and_host_are_refused),
        cmocka_unit_test(memory_leaves_the_hole_below_4_gib),
        cmocka_unit_test(ram_in_pieces_lies_where_it_was_said),
        cmocka_unit_test(ram_that_no_board_has_is_refused_by_its_number),
        cmocka_unit_test(a_board_without_a_serial_line_takes_no_input),
        cmocka_unit_test(stop_from_the_console_ends_with_that_byte),
        cmocka_unit_test(stop_before_start_is_not_lost),
        cmocka_unit_test(guest_ends_with_its_reason_and_value),
        cmocka_unit_test(timer_interrupts_wake_the_guest),
        cmocka_unit_test(timers_run_without_a_chip_of_the_library),
        cmocka_unit_test(wrong_order_is_refused),
        cmocka_unit_test(failure_at_any_call_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
