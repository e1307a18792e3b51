/* SPDX-License-Identifier: MIT */
/*
 * The PCI Express tree: places, buses, what hangs where. [RES-1] [RES-2]
 */

#include "tests/resolve/rig.h"

#define PORTS_MAX 256u

static struct vmr_pcie_port_config port_at(const char *name, bool given, uint8_t devfn)
{
    return (struct vmr_pcie_port_config){.name = name, .devfn = {.given = given, .value = devfn}};
}

static void expect_buses(const struct vmr_resolved_port *port, uint8_t bus, uint8_t secondary, uint8_t subordinate)
{
    if (port->bus != bus || port->secondary_bus != secondary || port->subordinate_bus != subordinate)
        fail_msg("%s: bus %u -> %u-%u", port->config->name, port->bus, port->secondary_bus, port->subordinate_bus);
}

static void ports_are_packed_and_numbered_as_firmware_meets_them(void **state)
{
    const struct vmr_pcie_port_config ports[] = {port_at("a", false, 0), port_at("b", true, 0x10),
                                                 port_at("c", false, 0), port_at("d", true, 0x08)};
    const struct vmr_pcie_root_complex_config complex = {
        .name = "rc0", .start_bus = 32, .end_bus = 63, .ports = ports, .port_count = COUNT(ports)};
    struct rig rig;
    const struct vmr_resolved_pcie *pcie;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    pcie = &rig_resolve(&rig)->pcie;
    assert_int_equal(pcie->port_count, 4);
    assert_int_equal(pcie->ports[0].devfn, 0x00);
    assert_int_equal(pcie->ports[1].devfn, 0x10);
    assert_int_equal(pcie->ports[2].devfn, 0x01);
    assert_int_equal(pcie->ports[3].devfn, 0x08);
    /* By device and function, not in the order of the list. */
    expect_buses(&pcie->ports[0], 32, 33, 33);
    expect_buses(&pcie->ports[2], 32, 34, 34);
    expect_buses(&pcie->ports[3], 32, 35, 35);
    expect_buses(&pcie->ports[1], 32, 36, 36);
    rig_finish(&rig);
}

/* One tree, and each of its numbers. */
static void switches_take_an_inner_bus_and_their_ports_come_next(void **state)
{
    const struct vmr_pcie_port_config root[] = {port_at("r0", false, 0), port_at("r1", false, 0)};
    const struct vmr_pcie_port_config outer[] = {port_at("o0", false, 0), port_at("o1", false, 0)};
    const struct vmr_pcie_port_config inner[] = {port_at("i0", false, 0)};
    const struct vmr_pcie_root_complex_config complex = {
        .name = "rc0", .end_bus = 7, .ports = root, .port_count = COUNT(root)};
    const struct vmr_pcie_switch_config switches[] = {
        {.name = "sw0", .parent_port = "r0", .ports = outer, .port_count = COUNT(outer)},
        {.name = "sw1", .parent_port = "o0", .ports = inner, .port_count = COUNT(inner)},
    };
    const struct vmr_pcie_device_config device = {.port_name = "i0", .resource = {.id = "nvme"}};
    const struct vmr_pcie_generic_initiator_config initiator = {.port_name = "o1", .node = 1};
    struct vmr_pcie_root_complex_config short_complex = complex;
    struct rig rig;
    const struct vmr_resolved_pcie *pcie;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 2, 64 * MIB);
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    rig.config.pcie_switches = switches;
    rig.config.pcie_switch_count = 2;
    rig.config.pcie_devices = &device;
    rig.config.pcie_device_count = 1;
    rig.config.pcie_generic_initiators = &initiator;
    rig.config.pcie_generic_initiator_count = 1;
    pcie = &rig_resolve(&rig)->pcie;
    expect_buses(&pcie->ports[0], 0, 1, 6);
    expect_buses(&pcie->ports[2], 2, 3, 5); /* o0 */
    expect_buses(&pcie->ports[4], 4, 5, 5); /* i0 */
    expect_buses(&pcie->ports[3], 2, 6, 6); /* o1 */
    expect_buses(&pcie->ports[1], 0, 7, 7);
    assert_int_equal(pcie->switches[0].upstream_bus, 1);
    assert_int_equal(pcie->switches[0].internal_bus, 2);
    assert_int_equal(pcie->switches[1].depth, 2);
    assert_int_equal(pcie->ports[0].child_switch, 0);
    assert_int_equal(pcie->ports[2].child_switch, 1);
    assert_int_equal(pcie->ports[4].parent_switch, 1);
    assert_int_equal(pcie->ports[4].device, 0);
    assert_int_equal(pcie->ports[3].initiator_node, 1);
    assert_int_equal(pcie->ports[3].device, VMR_RESOLVED_NONE);
    short_complex.end_bus = 6;
    rig.config.pcie_root_complexes = &short_complex;
    rig_refuse(&rig, "CFG-NUMBER-BUSES", "pcie_root_complexes[0].end_bus", "rc0 needs buses 0 to 7, and has them to 6");
    rig_finish(&rig);
}

static void all_buses_can_be_used_and_no_more(void **state)
{
    static struct vmr_pcie_port_config ports[PORTS_MAX];
    static char names[PORTS_MAX][8];
    struct vmr_pcie_root_complex_config complex = {.name = "rc0", .end_bus = 255, .ports = ports, .port_count = 255};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        names[i][0] = 'p';
        names[i][1] = (char)('0' + i / 100);
        names[i][2] = (char)('0' + i / 10 % 10);
        names[i][3] = (char)('0' + i % 10);
        ports[i] = port_at(names[i], false, 0);
    }
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    expect_buses(&rig_resolve(&rig)->pcie.ports[254], 0, 255, 255);
    complex.port_count = 256;
    rig_refuse(&rig, "CFG-NUMBER-BUSES", "pcie_root_complexes[0].end_bus", "to 256, and has them to 255");
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_packed_and_numbered_as_firmware_meets_them),
        cmocka_unit_test(switches_take_an_inner_bus_and_their_ports_come_next),
        cmocka_unit_test(all_buses_can_be_used_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
