/* SPDX-License-Identifier: MIT */
/*
 * Memory as configured: what the host has is done, what it lacks is refused with
 * its name, and what no host can do before anything is made.
 */

#include "tests/machine/build_rig.h"

static void backings_are_done_or_refused_by_the_hosts_name_for_them(void **state)
{
    static const struct {
        const char *name;
        struct vmr_memory_config mem;
        const char *said; /* where this host lacks it; NULL: no Linux does */
    } cases[] = {
        {"prefetched", {.prefetch_memory = true, .private_memory = true}, NULL},
        {"shared", {.prefetch_memory = false}, NULL},
        {"transparent", {.private_memory = true, .transparent_hugepages = true}, "transparent huge pages"},
        {"huge", {.hugepages = true}, "huge pages"},
        {"node 0", {.private_memory = true, .host_numa_node = {true, 0}}, "NUMA node"},
        {"node 1023", {.private_memory = true, .host_numa_node = {true, 1023}}, "NUMA node"},
    };
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig.mem = cases[i].mem;
        rig.mem.mem_size = 64 * MIB;
        enum vmr_status status = vmr_machine_build(&rig.options, &rig.machine, &rig.report, &rig.err);

        if (status != VMR_OK &&
            (status != VMR_E_UNAVAILABLE || !cases[i].said || !strstr(rig.err.message, cases[i].said)))
            fail_msg("%s: %s %s", cases[i].name, vmr_status_name(status), rig.err.message);
        vmr_machine_destroy(rig.machine);
        rig.machine = NULL;
    }
    build_rig_finish(&rig);
}

static void pieces_that_are_no_whole_huge_pages_are_refused(void **state)
{
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.mem.private_memory = false;
    rig.mem.hugepages = true;
    rig.mem.hugepage_size = (struct vmr_optional_u64){true, 2 * GIB};
    rig.mem.mem_size = 6 * GIB; /* 3 GiB below the chipset, 3 above */
    assert_int_equal(vmr_machine_build(&rig.options, &rig.machine, &rig.report, &rig.err), VMR_E_UNSUPPORTED);
    assert_int_equal(rig.report.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(rig.report.findings[i].rule->code, "CFG-BUILD-BACKING");
        assert_string_equal(rig.report.findings[i].path, "numa.nodes[0].mem");
    }
    assert_non_null(strstr(rig.report.findings[0].message, "0-0xbfffffff"));
    assert_non_null(strstr(rig.report.findings[1].message, "0x100000000-0x1bfffffff"));
    build_rig_finish(&rig);
}

static void ram_that_does_not_begin_at_0_is_refused(void **state)
{
    static const struct vmr_memory_config less = {.mem_size = 512 * 1024, .private_memory = true};
    struct build_rig rig;

    (void)state;
    build_rig_init(&rig);
    rig.node.mem = &less;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-RAM", "numa", "0x80000 bytes");
    build_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backings_are_done_or_refused_by_the_hosts_name_for_them),
        cmocka_unit_test(pieces_that_are_no_whole_huge_pages_are_refused),
        cmocka_unit_test(ram_that_does_not_begin_at_0_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
