/* SPDX-License-Identifier: MIT */
/*
 * Nodes: who is in which, and how far they are apart.
 */

#include "tests/resolve/rig.h"

static void sockets_go_round_the_nodes_that_take_them(void **state)
{
    struct rig rig;
    const struct vmr_resolved *machine;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 4, 64 * MIB);
    rig.nodes[1].vps.kind = VMR_VPS_EMPTY;
    rig.config.processor_topology.proc_count = 10;
    rig.config.processor_topology.vps_per_socket = (struct vmr_optional_u32){true, 3};
    machine = rig_resolve(&rig);
    static const uint32_t nodes[] = {0, 0, 0, 2, 2, 2, 3, 3, 3, 0};

    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(machine->processors.vps[i].vnode, nodes[i]);
    assert_int_equal(machine->numa.nodes[0].vp_count, 4);
    assert_int_equal(machine->numa.nodes[1].vp_count, 0);
    assert_int_equal(machine->numa.nodes[3].vp_count, 3);
    rig.nodes[0].vps.kind = VMR_VPS_EMPTY;
    machine = rig_resolve(&rig);
    assert_int_equal(machine->processors.vps[0].vnode, 2);
    assert_int_equal(machine->numa.nodes[0].vp_count, 0);
    rig_finish(&rig);
}

static void listed_vps_are_where_they_were_listed(void **state)
{
    static const uint32_t first[] = {3, 0}, second[] = {1, 2};
    struct rig rig;
    const struct vmr_resolved *machine;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 3, 64 * MIB);
    rig.config.processor_topology.proc_count = 4;
    rig.nodes[0].vps.kind = VMR_VPS_EXPLICIT;
    rig.nodes[0].vps.list = first;
    rig.nodes[0].vps.list_count = 2;
    rig.nodes[1].vps.kind = VMR_VPS_EMPTY;
    rig.nodes[2].vps.kind = VMR_VPS_EXPLICIT;
    rig.nodes[2].vps.list = second;
    rig.nodes[2].vps.list_count = 2;
    machine = rig_resolve(&rig);
    assert_int_equal(machine->processors.vps[0].vnode, 0);
    assert_int_equal(machine->processors.vps[1].vnode, 2);
    assert_int_equal(machine->processors.vps[2].vnode, 2);
    assert_int_equal(machine->processors.vps[3].vnode, 0);
    rig_finish(&rig);
}

static void distances_have_defaults_and_the_last_one_counts(void **state)
{
    static const struct vmr_numa_distance distances[] = {{0, 1, 30}, {1, 0, 40}, {0, 1, 31}, {2, 2, 10}, {2, 0, 255}};
    static const uint8_t expected[] = {10, 31, 20, 40, 10, 20, 255, 20, 10};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 3, 64 * MIB);
    rig.config.numa.distances = distances;
    rig.config.numa.distance_count = COUNT(distances);
    assert_memory_equal(rig_resolve(&rig)->numa.distances, expected, sizeof(expected));
    rig_finish(&rig);
}

static void a_node_without_memory_has_no_ram(void **state)
{
    struct rig rig;
    const struct vmr_resolved *machine;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 3, 64 * MIB);
    rig.nodes[0].mem = NULL;
    rig.mem[1].mem_size = 0;
    machine = rig_resolve(&rig);
    assert_null(machine->numa.nodes[0].mem);
    assert_null(machine->numa.nodes[1].mem);
    assert_int_equal(machine->memory.ram_count, 1);
    assert_int_equal(machine->memory.ram[0].vnode, 2);
    assert_int_equal(machine->memory.ram[0].range.start, 0);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_go_round_the_nodes_that_take_them),
        cmocka_unit_test(listed_vps_are_where_they_were_listed),
        cmocka_unit_test(distances_have_defaults_and_the_last_one_counts),
        cmocka_unit_test(a_node_without_memory_has_no_ram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
