/* SPDX-License-Identifier: MIT */
/*
 * Sockets, cores, threads and the numbers of processors. [RES-1] [RES-2]
 */

#include "tests/resolve/rig.h"

static void apic_ids_follow_from_sockets_of_a_power_of_two(void **state)
{
    static const struct {
        uint32_t vps, per_socket, offset; /* per_socket 0: not given */
        uint32_t vp, apic_id, socket;
    } cases[] = {
        {1, 0, 0, 0, 0, 0},
        {8, 0, 0, 7, 7, 0},
        {8, 4, 0, 5, 5, 1},
        {8, 3, 0, 2, 2, 0},
        {8, 3, 0, 3, 4, 1},
        {8, 3, 0, 7, 9, 2},
        {9, 3, 8, 3, 12, 1},
        {4, 4, 5, 0, 4, 0},
        {4, 3, 7, 0, 4, 0},
        {4, 4, 3, 1, 1, 0},
        {1024, 1, 0, 1023, 1023, 1023},
        {6, 0, 0, 5, 5, 0},
        {6, 0, 16, 5, 21, 0},
        {2, 40000, 0, 1, 1, 0},
        {2, 40000, 32768, 1, 32769, 0},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig.config.processor_topology.proc_count = cases[i].vps;
        rig.config.processor_topology.vps_per_socket =
            (struct vmr_optional_u32){.given = cases[i].per_socket != 0, .value = cases[i].per_socket};
        rig.x86.apic_id_offset = cases[i].offset;
        const struct vmr_resolved_vp *vp = &rig_resolve(&rig)->processors.vps[cases[i].vp];

        if (vp->apic_id != cases[i].apic_id || vp->socket != cases[i].socket)
            fail_msg("case %zu: APIC id %u in socket %u", i, vp->apic_id, vp->socket);
    }
    rig_finish(&rig);
}

static void threads_share_cores_and_only_where_a_socket_has_two(void **state)
{
    struct rig rig;
    const struct vmr_resolved_processors *processors;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.processor_topology.proc_count = 8;
    rig.config.processor_topology.vps_per_socket = (struct vmr_optional_u32){true, 4};
    rig.config.processor_topology.enable_smt = (struct vmr_optional_bool){true, true};
    processors = &rig_resolve(&rig)->processors;
    assert_true(processors->smt);
    assert_int_equal(processors->socket_count, 2);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(processors->vps[i].socket, i / 4);
        assert_int_equal(processors->vps[i].core, i % 4 / 2);
        assert_int_equal(processors->vps[i].thread, i % 2);
    }
    rig.config.processor_topology.vps_per_socket.value = 1;
    processors = &rig_resolve(&rig)->processors;
    assert_false(processors->smt);
    assert_int_equal(processors->vps[7].socket, 7);
    rig_finish(&rig);
}

static void x2apic_is_on_where_an_id_needs_it(void **state)
{
    static const struct {
        enum vmr_x2apic_config config;
        uint32_t vps;
        enum vmr_x2apic x2apic;
    } cases[] = {
        {VMR_X2APIC_CONFIG_AUTO, 255, VMR_X2APIC_SUPPORTED},
        {VMR_X2APIC_CONFIG_AUTO, 256, VMR_X2APIC_ENABLED},
        {VMR_X2APIC_CONFIG_SUPPORTED, 255, VMR_X2APIC_SUPPORTED},
        {VMR_X2APIC_CONFIG_SUPPORTED, 256, VMR_X2APIC_ENABLED},
        {VMR_X2APIC_CONFIG_ENABLED, 1, VMR_X2APIC_ENABLED},
        {VMR_X2APIC_CONFIG_UNSUPPORTED, 255, VMR_X2APIC_UNSUPPORTED},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig.x86.x2apic = cases[i].config;
        rig.config.processor_topology.proc_count = cases[i].vps;
        assert_int_equal(rig_resolve(&rig)->processors.x2apic, cases[i].x2apic);
    }
    rig_finish(&rig);
}

static void affinities_are_vp_indices_with_their_flags(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    assert_int_equal(rig_resolve(&rig)->processors.vps[0].mpidr, 0xc0000000);
    rig.config.processor_topology.proc_count = 100;
    assert_int_equal(rig_resolve(&rig)->processors.vps[99].mpidr, 0x80000063);
    rig.config.processor_topology.enable_smt = (struct vmr_optional_bool){true, true};
    assert_int_equal(rig_resolve(&rig)->processors.vps[99].mpidr, 0x81000063);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apic_ids_follow_from_sockets_of_a_power_of_two),
        cmocka_unit_test(threads_share_cores_and_only_where_a_socket_has_two),
        cmocka_unit_test(x2apic_is_on_where_an_id_needs_it),
        cmocka_unit_test(affinities_are_vp_indices_with_their_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
