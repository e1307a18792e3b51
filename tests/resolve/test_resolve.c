/* SPDX-License-Identifier: MIT */
/*
 * Whole machines, thousands of them, made up: what every resolution keeps,
 * whatever it is asked for. [RES-1] [LAY-2]
 */

#include "tests/resolve/rig.h"

#define ROUNDS 20000u
#define COMPLEX_MAX 8u
#define PORT_MAX 6u
#define SWITCH_MAX 6u
#define PAGE UINT64_C(4096)

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t next_random(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* A machine of its own parts, so that it can be made again in another order. */
struct made {
    struct rig rig;
    struct vmr_pcie_root_complex_config complexes[COMPLEX_MAX];
    struct vmr_pcie_port_config ports[COMPLEX_MAX + SWITCH_MAX][PORT_MAX];
    struct vmr_pcie_switch_config switches[SWITCH_MAX];
    struct vmr_virtio_config virtio[4];
    struct vmr_hypervisor_vtl2_config vtl2;
    char names[COMPLEX_MAX + SWITCH_MAX][PORT_MAX][16];
    char owner_names[COMPLEX_MAX + SWITCH_MAX][8];
};

static void name_ports(struct made *made, size_t owner, char letter, size_t count)
{
    made->owner_names[owner][0] = letter;
    made->owner_names[owner][1] = (char)('0' + owner % 10);
    made->owner_names[owner][2] = (char)('a' + owner / 10);
    for (size_t i = 0; i < count; i++) {
        memcpy(made->names[owner][i], made->owner_names[owner], 3);
        made->names[owner][i][3] = 'p';
        made->names[owner][i][4] = (char)('0' + i);
        made->ports[owner][i] = (struct vmr_pcie_port_config){.name = made->names[owner][i]};
    }
}

static void make_complexes(struct made *made)
{
    size_t count = next_random(COMPLEX_MAX + 1);

    for (size_t i = 0; i < count; i++) {
        size_t ports = next_random(PORT_MAX + 1);

        name_ports(made, i, 'c', ports);
        made->complexes[i] =
            (struct vmr_pcie_root_complex_config){.index = (uint32_t)i,
                                                  .name = made->owner_names[i],
                                                  .segment = (uint16_t)(i / 4),
                                                  .start_bus = (uint8_t)(i % 4 * 64),
                                                  .end_bus = (uint8_t)(i % 4 * 64 + 20 + next_random(44)),
                                                  .low_mmio.size = next_random(3) * 5 * MIB,
                                                  .high_mmio.size = next_random(3) * 3 * GIB,
                                                  .ports = made->ports[i],
                                                  .port_count = ports};
        if (next_random(4) == 0)
            made->complexes[i].iommu =
                made->rig.config.arch == VMR_ARCH_ARM64 ? VMR_PCIE_IOMMU_SMMU : VMR_PCIE_IOMMU_INTEL_VTD;
    }
    made->rig.config.pcie_root_complexes = made->complexes;
    made->rig.config.pcie_root_complex_count = count;
}

/* Behind any port that nothing is behind yet, also of a switch before. */
static void make_switches(struct made *made)
{
    size_t complexes = made->rig.config.pcie_root_complex_count, count = 0;
    bool taken[COMPLEX_MAX + SWITCH_MAX][PORT_MAX] = {{false}};

    for (size_t i = 0; complexes > 0 && i < next_random(SWITCH_MAX + 1); i++) {
        size_t owner = next_random(complexes + count);
        size_t slot = owner < complexes ? owner : COMPLEX_MAX + owner - complexes;
        size_t ports =
            slot < COMPLEX_MAX ? made->complexes[slot].port_count : made->switches[slot - COMPLEX_MAX].port_count;
        size_t port = ports > 0 ? next_random(ports) : 0;

        if (ports == 0 || taken[slot][port])
            continue;
        taken[slot][port] = true;
        name_ports(made, COMPLEX_MAX + count, 's', 1 + next_random(PORT_MAX));
        made->switches[count] = (struct vmr_pcie_switch_config){.name = made->owner_names[COMPLEX_MAX + count],
                                                                .parent_port = made->names[slot][port],
                                                                .ports = made->ports[COMPLEX_MAX + count],
                                                                .port_count = 1 + (size_t)made->names[0][0] % 2};
        count++;
    }
    made->rig.config.pcie_switches = made->switches;
    made->rig.config.pcie_switch_count = count;
}

static void make(struct made *made)
{
    struct rig *rig = &made->rig;
    size_t nodes = 1 + next_random(4);

    memset(made, 0, sizeof(*made));
    rig_init(rig, next_random(3) == 0 ? VMR_ARCH_ARM64 : VMR_ARCH_X86_64);
    rig_nodes(rig, nodes, 0);
    for (size_t i = 0; i < nodes; i++)
        rig->mem[i].mem_size = next_random(4) == 0 ? 0 : (1 + next_random(1u << next_random(20))) * PAGE * 16;
    rig->config.processor_topology.proc_count = 1 + (uint32_t)next_random(64);
    rig->config.processor_topology.vps_per_socket =
        (struct vmr_optional_u32){.given = next_random(2) != 0, .value = 1 + (uint32_t)next_random(9)};
    rig->config.processor_topology.enable_smt = (struct vmr_optional_bool){next_random(2) != 0, true};
    make_complexes(made);
    make_switches(made);
    for (size_t i = 0; i < 4; i++)
        made->virtio[i] = (struct vmr_virtio_config){.bus = VMR_VIRTIO_MMIO, .resource = {.id = "virtio-rng"}};
    rig->config.virtio_devices = made->virtio;
    rig->config.virtio_device_count = next_random(5);
    rig->config.layout.pcie_ecam_below_4gb = next_random(4) == 0;
    rig->config.hypervisor.with_hv = next_random(2) != 0;
    if (rig->config.hypervisor.with_hv && next_random(2))
        rig->config.hypervisor.with_vtl2 = &made->vtl2;
}

/* --- what holds of every one --- */

static void check_addresses(const struct vmr_resolved *machine)
{
    const struct vmr_resolved_memory *memory = &machine->memory;
    uint64_t ram = 0, wanted = 0;

    for (size_t i = 0; i < memory->placement_count; i++) {
        const struct vmr_gpa_range *range = &memory->placements[i].range;

        assert_true(range->start < range->end);
        assert_int_equal((range->start | range->end) % PAGE, 0);
        assert_true(i == 0 || memory->placements[i - 1].range.end <= range->start);
    }
    assert_int_equal(memory->top, memory->placements[memory->placement_count - 1].range.end);
    assert_true(memory->top <= UINT64_C(1) << machine->physical_bits_needed);
    assert_true(memory->top > UINT64_C(1) << (machine->physical_bits_needed - 1));
    for (size_t i = 0; i < memory->ram_count; i++) {
        ram += memory->ram[i].range.end - memory->ram[i].range.start;
        assert_true(i == 0 || memory->ram[i - 1].range.end <= memory->ram[i].range.start);
        assert_true(i == 0 || memory->ram[i - 1].vnode <= memory->ram[i].vnode);
    }
    for (uint32_t i = 0; i < machine->numa.node_count; i++)
        wanted += machine->numa.nodes[i].mem ? machine->numa.nodes[i].mem->mem_size : 0;
    assert_int_equal(ram, wanted);
    assert_int_equal(memory->ram_size, wanted);
}

static void check_tree(const struct vmr_resolved_pcie *pcie)
{
    static bool seen[UINT16_MAX][256];

    for (uint32_t i = 0; i < pcie->port_count; i++) {
        const struct vmr_resolved_port *port = &pcie->ports[i];
        const struct vmr_pcie_root_complex_config *complex = pcie->root_complexes[port->root_complex].config;

        assert_true(port->bus < port->secondary_bus && port->secondary_bus <= port->subordinate_bus);
        assert_in_range(port->bus, complex->start_bus, complex->end_bus);
        assert_in_range(port->subordinate_bus, complex->start_bus, complex->end_bus);
        assert_false(seen[complex->segment][port->secondary_bus]);
        seen[complex->segment][port->secondary_bus] = true;
    }
    for (uint32_t i = 0; i < pcie->port_count; i++)
        seen[pcie->root_complexes[pcie->ports[i].root_complex].config->segment][pcie->ports[i].secondary_bus] = false;
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        const struct vmr_resolved_root_complex *complex = &pcie->root_complexes[i];

        assert_int_equal(complex->ecam.start, complex->ecam_base + ((uint64_t)complex->config->start_bus << 20));
        assert_int_equal((complex->low_mmio.start | complex->low_mmio.end) % (2 * MIB), 0);
        assert_true(complex->low_mmio.end <= 4 * GIB);
        assert_int_equal((complex->high_mmio.start | complex->high_mmio.end) % GIB, 0);
    }
}

static void check_processors(const struct vmr_resolved *machine)
{
    const struct vmr_resolved_processors *processors = &machine->processors;
    uint32_t in_nodes = 0;

    for (uint32_t i = 0; i < machine->numa.node_count; i++)
        in_nodes += machine->numa.nodes[i].vp_count;
    assert_int_equal(in_nodes, processors->vp_count);
    for (uint32_t i = 1; i < processors->vp_count; i++) {
        if (machine->config->arch == VMR_ARCH_X86_64)
            assert_true(processors->vps[i - 1].apic_id < processors->vps[i].apic_id);
        else
            assert_true(processors->vps[i - 1].mpidr < processors->vps[i].mpidr);
    }
}

static char *as_json(const struct vmr_resolved *machine)
{
    struct vmr_config_text text;

    assert_int_equal(vmr_resolved_print_json(machine, &text, NULL), VMR_OK);
    return text.bytes;
}

/* Again, and with something else that has nothing to do with it. */
static void check_purity(struct made *made)
{
    char *first = as_json(made->rig.machine), *second;

    second = as_json(rig_resolve(&made->rig));
    assert_string_equal(first, second);
    free(second);
    made->rig.config.secure_boot_enabled = false;
    made->rig.config.rtc_delta_milliseconds = 12345;
    made->rig.config.automatic_guest_reset = true;
    second = as_json(rig_resolve(&made->rig));
    assert_string_equal(first, second);
    free(second);
    free(first);
}

static void made_up_machines_keep_every_promise(void **state)
{
    static struct made made;
    unsigned resolved = 0, refused = 0;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(&made);
        vmr_resolved_destroy(made.rig.machine);
        made.rig.machine = NULL;
        enum vmr_status status = vmr_resolve(&made.rig.config, &made.rig.machine, &made.rig.report);

        assert_true(status == VMR_OK || (status == VMR_E_CONFIG && made.rig.report.count > 0));
        if (status == VMR_OK) {
            resolved++;
            check_addresses(made.rig.machine);
            check_tree(&made.rig.machine->pcie);
            check_processors(made.rig.machine);
            if (round % 16 == 0)
                check_purity(&made);
        } else {
            refused++;
        }
        rig_finish(&made.rig);
    }
    print_message("%u resolved, %u refused\n", resolved, refused);
    assert_true(resolved > ROUNDS / 2);
    assert_true(refused > 0);
}

static void what_the_check_refuses_is_not_resolved(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.numa.node_count = 0;
    assert_int_equal(vmr_resolve(&rig.config, &rig.machine, &rig.report), VMR_E_CONFIG);
    assert_null(rig.machine);
    assert_true(rig.report.count > 0);
    rig_finish(&rig);
    vmr_resolved_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up_machines_keep_every_promise),
        cmocka_unit_test(what_the_check_refuses_is_not_resolved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
