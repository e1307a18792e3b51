/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a machine: what is built is what was asked for, and a
 * failure anywhere leaves nothing.
 */

#include "tests/machine/build_rig.h"

static void the_smallest_machine_is_built_and_starts(void **state)
{
    struct build_rig rig;
    struct vmr_memory_region region;

    (void)state;
    build_rig_init(&rig);
    build_rig_build(&rig);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(rig.machine));

    assert_int_equal(vmr_partition_vp_count(vmr_machine_partition(rig.machine)), 1);
    assert_true(vmr_memory_region_find(memory, 0, &region));
    assert_int_equal(region.size, 64 * MIB);
    assert_true(vmr_memory_region_find(memory, 4 * GIB - 1, &region));
    assert_int_equal(region.size, 0x10000);
    assert_null(vmr_partition_hv(vmr_machine_partition(rig.machine)));
    build_rig_finish(&rig);
}

static void ram_lies_where_it_was_laid_out_and_is_backed_as_asked(void **state)
{
    struct build_rig rig;
    struct vmr_memory_region region;
    int fd = -1;

    (void)state;
    build_rig_init(&rig);
    rig.mem.mem_size = 5 * GIB;
    rig.mem.private_memory = false;
    build_rig_build(&rig);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(rig.machine));

    assert_true(vmr_memory_region_find(memory, 0, &region));
    assert_int_equal(region.size, 3 * GIB);
    assert_true(vmr_memory_region_find(memory, 4 * GIB, &region));
    assert_int_equal(region.size, 2 * GIB);
    assert_int_equal(vmr_memory_region_fd(memory, 0, &fd, NULL), VMR_OK);
    build_rig_finish(&rig);
}

static void the_hyper_v_interface_is_there_if_asked_for(void **state)
{
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.config.hypervisor.with_hv = true;
    build_rig_build(&rig);
    assert_non_null(vmr_partition_hv(vmr_machine_partition(rig.machine)));
    build_rig_finish(&rig);
}

/* What the clock shows: its second, through its state, and how far it is into it. */
static void expect_clock(struct build_rig *rig, uint64_t second, uint64_t ms)
{
    struct vmr_state_unit units[8];
    struct vmr_cmos_state cmos;
    size_t count = vmr_platform_state_units(vmr_machine_platform(rig->machine), units, 8);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].type->name, "cmos") != 0)
            continue;
        assert_int_equal(units[i].get(units[i].object, &cmos, NULL), VMR_OK);
        assert_int_equal(cmos.set_s, second);
        assert_int_equal(cmos.shift_ns, ms * 1000000);
        return;
    }
    fail_msg("no clock");
}

static void the_clock_is_ahead_and_behind_by_milliseconds(void **state)
{
    static const struct {
        int64_t delta;
        uint64_t second, ms;
    } cases[] = {{0, 1700000000, 0},     {1, 1700000000, 1},       {1999, 1700000001, 999}, {-1, 1699999999, 999},
                 {-1000, 1699999999, 0}, {-1001, 1699999998, 999}, {-1700000000000, 0, 0}};
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig.config.rtc_delta_milliseconds = cases[i].delta;
        build_rig_build(&rig);
        expect_clock(&rig, cases[i].second, cases[i].ms);
    }
    rig.config.rtc_delta_milliseconds = -1700000000001;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-CLOCK", "rtc_delta_milliseconds", "-1700000000001");
    build_rig_finish(&rig);
}

static void processors_that_nobody_tells_the_guest_of_are_refused(void **state)
{
    static const struct vmr_x86_topology_config shifted = {.apic_id_offset = 8};
    struct vmr_numa_node nodes[2];
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.config.processor_topology.proc_count = 4;
    rig.config.processor_topology.vps_per_socket = (struct vmr_optional_u32){true, 2};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-TOPOLOGY", "processor_topology.vps_per_socket", "2 sockets");
    rig.config.processor_topology.vps_per_socket.given = false;
    rig.config.processor_topology.enable_smt = (struct vmr_optional_bool){true, true};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-TOPOLOGY", "processor_topology.enable_smt", "one thread");
    rig.config.processor_topology.enable_smt.given = false;
    rig.config.processor_topology.x86 = &shifted;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-TOPOLOGY", "processor_topology", "VP 0 has APIC id 8");
    rig.config.processor_topology.x86 = NULL;
    nodes[0] = nodes[1] = rig.node;
    rig.config.numa.nodes = nodes;
    rig.config.numa.node_count = 2;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-NUMA", "numa.nodes", "there are 2");
    build_rig_finish(&rig);
}

static enum vmr_status read_odd(void *context, const char *path, size_t size_max, void **ret_bytes, size_t *ret_size,
                                struct vmr_error *err)
{
    size_t size = *(const size_t *)context;

    assert_string_equal(path, "some.bin");
    assert_int_equal(size_max, 0x1000000);
    if (size == 0)
        return vmr_error_set(err, VMR_E_HOST, "some.bin: not today");
    *ret_bytes = calloc(size, 1);
    assert_non_null(*ret_bytes);
    *ret_size = size;
    return VMR_OK;
}

static void firmware_comes_from_its_reader_or_is_refused_with_the_readers_words(void **state)
{
    struct build_rig rig;
    size_t size = 0;

    (void)state;
    build_rig_init(&rig);
    rig.config.load_mode.firmware.image = (struct vmr_config_blob){.path = "some.bin"};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-FILE", "load_mode.firmware.image", "nobody here reads");
    rig.options.read = read_odd;
    rig.options.read_context = &size;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-FILE", "load_mode.firmware.image", "not today");
    size = 12345;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-FILE", "load_mode.firmware.image", "12345 bytes");
    size = 0x20000;
    build_rig_build(&rig);
    build_rig_finish(&rig);
}

static void a_machine_with_nothing_loaded_is_built(void **state)
{
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.config.load_mode = (struct vmr_load_config){.mode = VMR_LOAD_NONE};
    build_rig_build(&rig);
    assert_int_equal(vmr_memory_region_count(vmr_partition_memory(vmr_machine_partition(rig.machine))), 1);
    build_rig_finish(&rig);
}

static void what_is_wrong_and_what_is_missing_are_told_apart(void **state)
{
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.mem.mem_size = 12345;
    assert_int_equal(vmr_machine_build(&rig.options, &rig.machine, &rig.report, &rig.err), VMR_E_CONFIG);
    assert_string_equal(rig.report.findings[0].path, "numa.nodes[0].mem.mem_size");
    rig.mem.mem_size = 64 * MIB;
    rig.config.processor_topology.proc_count = 1024;
    rig.config.hypervisor.nested_virt = true;
    vmr_config_report_finish(&rig.report);
    assert_int_equal(vmr_machine_build(&rig.options, &rig.machine, &rig.report, &rig.err), VMR_E_UNSUPPORTED);
    assert_true(rig.report.count >= 1);
    build_rig_finish(&rig);
}

static void missing_options_are_refused(void **state)
{
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"config", "handle", "host"};
        struct vmr_machine_build_options options = rig.options;

        options.config = i == 0 ? NULL : options.config;
        options.handle = i == 1 ? NULL : options.handle;
        options.host = i == 2 ? NULL : options.host;
        assert_int_equal(vmr_machine_build(&options, &rig.machine, &rig.report, &rig.err), VMR_E_USAGE);
        assert_non_null(strstr(rig.err.message, names[i]));
    }
    build_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_machine_is_built_and_starts),
        cmocka_unit_test(ram_lies_where_it_was_laid_out_and_is_backed_as_asked),
        cmocka_unit_test(the_hyper_v_interface_is_there_if_asked_for),
        cmocka_unit_test(the_clock_is_ahead_and_behind_by_milliseconds),
        cmocka_unit_test(processors_that_nobody_tells_the_guest_of_are_refused),
        cmocka_unit_test(firmware_comes_from_its_reader_or_is_refused_with_the_readers_words),
        cmocka_unit_test(a_machine_with_nothing_loaded_is_built),
        cmocka_unit_test(what_is_wrong_and_what_is_missing_are_told_apart),
        cmocka_unit_test(missing_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
