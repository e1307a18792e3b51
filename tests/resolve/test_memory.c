/* SPDX-License-Identifier: MIT */
/*
 * The address map: everything has its place, and what is added moves nothing
 * that lies before it. [RES-1] [RES-2]
 */

#include "tests/resolve/rig.h"

#define FOUR_GIB (4 * GIB)

static void expect_range(const struct vmr_gpa_range *range, uint64_t start, uint64_t end)
{
    assert_int_equal(range->start, start);
    assert_int_equal(range->end, end);
}

static void a_small_pc_has_its_ram_below_the_chipset(void **state)
{
    struct rig rig;
    const struct vmr_resolved_memory *memory;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    memory = &rig_resolve(&rig)->memory;
    assert_int_equal(memory->ram_count, 1);
    expect_range(&memory->ram[0].range, 0, 64 * MIB);
    expect_range(&memory->chipset_low_mmio, FOUR_GIB - 128 * MIB, FOUR_GIB);
    expect_range(&memory->chipset_high_mmio, FOUR_GIB, FOUR_GIB + 512 * MIB);
    assert_int_equal(memory->top, FOUR_GIB + 512 * MIB);
    assert_int_equal(rig.machine->physical_bits_needed, 33);
    rig_finish(&rig);
}

static void ram_goes_around_the_chipset_and_high_mmio_behind_it(void **state)
{
    struct rig rig;
    const struct vmr_resolved_memory *memory;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.mem[0].mem_size = 8 * GIB;
    memory = &rig_resolve(&rig)->memory;
    assert_int_equal(memory->ram_count, 2);
    expect_range(&memory->ram[0].range, 0, 3 * GIB);
    expect_range(&memory->ram[1].range, FOUR_GIB, FOUR_GIB + 5 * GIB);
    expect_range(&memory->chipset_high_mmio, 9 * GIB, 9 * GIB + 512 * MIB);
    assert_int_equal(memory->ram_size, 8 * GIB);
    rig_finish(&rig);
}

static void chipset_sizes_are_as_asked_but_not_below_the_architectures(void **state)
{
    static const struct {
        enum vmr_arch arch;
        uint32_t asked;
        uint64_t start;
    } cases[] = {
        {VMR_ARCH_X86_64, 0, 0xfe000000},          {VMR_ARCH_X86_64, 4096, 0xfe000000},
        {VMR_ARCH_X86_64, 0x40000000, 0xc0000000}, {VMR_ARCH_X86_64, 0x10000001, 0xeffff000},
        {VMR_ARCH_ARM64, 0, 0xef000000},
    };
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_init(&rig, cases[i].arch);
        rig.config.layout.chipset_low_mmio_size = (struct vmr_optional_u32){true, cases[i].asked};
        rig.config.layout.chipset_high_mmio_size = (struct vmr_optional_u64){true, 0};
        const struct vmr_resolved_memory *memory = &rig_resolve(&rig)->memory;

        expect_range(&memory->chipset_low_mmio, cases[i].start, FOUR_GIB);
        expect_range(&memory->chipset_high_mmio, FOUR_GIB, FOUR_GIB); /* an empty one, where it would be */
        rig_finish(&rig);
    }
    rig_init(&rig, VMR_ARCH_ARM64);
    expect_range(&rig_resolve(&rig)->memory.chipset_low_mmio, FOUR_GIB - 512 * MIB, FOUR_GIB);
    rig_finish(&rig);
}

static const struct vmr_pcie_root_complex_config complexes[] = {
    {.index = 0, .name = "rc0", .segment = 0, .start_bus = 0, .end_bus = 63},
    {.index = 1, .name = "rc1", .segment = 0, .start_bus = 64, .end_bus = 127},
    {.index = 2, .name = "rc2", .segment = 3, .start_bus = 16, .end_bus = 31},
};

static void windows_and_configuration_spaces_are_cut_from_their_segments(void **state)
{
    struct rig rig;
    const struct vmr_resolved_pcie *pcie;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.pcie_root_complexes = complexes;
    rig.config.pcie_root_complex_count = 3;
    pcie = &rig_resolve(&rig)->pcie;
    /* Three windows of 1 GiB, then the chipset's 512 MiB, then 128 and 16 buses. */
    for (uint32_t i = 0; i < 3; i++)
        expect_range(&pcie->root_complexes[i].high_mmio, FOUR_GIB + i * GIB, FOUR_GIB + (i + 1) * GIB);
    for (uint32_t i = 0; i < 3; i++)
        expect_range(&pcie->root_complexes[i].low_mmio, FOUR_GIB - 128 * MIB - (i + 1) * 64 * MIB,
                     FOUR_GIB - 128 * MIB - i * 64 * MIB);
    uint64_t base = 7 * GIB + 512 * MIB;

    expect_range(&pcie->root_complexes[0].ecam, base, base + 64 * MIB);
    expect_range(&pcie->root_complexes[1].ecam, base + 64 * MIB, base + 128 * MIB);
    assert_int_equal(pcie->root_complexes[0].ecam_base, base);
    assert_int_equal(pcie->root_complexes[1].ecam_base, base);
    expect_range(&pcie->root_complexes[2].ecam, base + 128 * MIB, base + 144 * MIB);
    assert_int_equal(pcie->root_complexes[2].ecam_base, base + 112 * MIB);
    rig.config.layout.pcie_ecam_below_4gb = true;
    pcie = &rig_resolve(&rig)->pcie;
    assert_true(pcie->root_complexes[0].ecam.end <= FOUR_GIB - 128 * MIB);
    rig_finish(&rig);
}

static void fixed_windows_stay_and_must_be_free(void **state)
{
    struct vmr_pcie_root_complex_config complex = complexes[0];
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    complex.low_mmio = (struct vmr_pcie_mmio_config){.fixed = true, .range = {0xd0000000, 0xd1000000}};
    complex.high_mmio = (struct vmr_pcie_mmio_config){.fixed = true, .range = {64 * GIB, 65 * GIB}};
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    rig.mem[0].mem_size = 4 * GIB;
    rig_resolve(&rig);
    expect_range(&rig.machine->pcie.root_complexes[0].low_mmio, 0xd0000000, 0xd1000000);
    expect_range(&rig.machine->pcie.root_complexes[0].high_mmio, 64 * GIB, 65 * GIB);
    complex.high_mmio.range = (struct vmr_gpa_range){UINT64_C(1) << 52, (UINT64_C(1) << 52) + GIB};
    assert_int_not_equal(vmr_resolve(&rig.config, &(struct vmr_resolved *){NULL}, &rig.report), VMR_OK);
    rig_finish(&rig);
}

static void vtl2_moves_nothing_of_vtl0(void **state)
{
    static const struct vmr_hypervisor_vtl2_config vtl2;
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 4, 3 * GIB);
    rig.config.pcie_root_complexes = complexes;
    rig.config.pcie_root_complex_count = 3;
    rig.config.hypervisor.with_hv = true;
    struct vmr_resolved_memory before = rig_resolve(&rig)->memory;
    struct vmr_placement *placements = malloc(before.placement_count * sizeof(*placements));
    uint64_t top = before.top;

    assert_non_null(placements);
    memcpy(placements, before.placements, before.placement_count * sizeof(*placements));
    rig.config.hypervisor.with_vtl2 = &vtl2;
    const struct vmr_resolved_memory *after = &rig_resolve(&rig)->memory;

    assert_int_equal(after->placement_count, before.placement_count + 1);
    for (size_t i = 0; i < before.placement_count; i++) {
        assert_int_equal(after->placements[i].range.start, placements[i].range.start);
        assert_int_equal(after->placements[i].range.end, placements[i].range.end);
    }
    expect_range(&after->vtl2_chipset_mmio, (top + 2 * MIB - 1) / (2 * MIB) * (2 * MIB),
                 (top + 2 * MIB - 1) / (2 * MIB) * (2 * MIB) + GIB);
    free(placements);
    rig_finish(&rig);
}

static void devices_move_no_ram(void **state)
{
    static const struct vmr_virtio_config device = {.bus = VMR_VIRTIO_MMIO, .resource = {.id = "virtio-rng"}};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig_nodes(&rig, 2, 3 * GIB);
    rig_resolve(&rig);
    size_t count = rig.machine->memory.ram_count;
    struct vmr_resolved_ram ram[8];

    assert_true(count <= 8);
    memcpy(ram, rig.machine->memory.ram, count * sizeof(ram[0]));
    rig.config.pcie_root_complexes = complexes;
    rig.config.pcie_root_complex_count = 3;
    rig.config.virtio_devices = &device;
    rig.config.virtio_device_count = 1;
    rig_resolve(&rig);
    assert_int_equal(rig.machine->memory.ram_count, count);
    assert_memory_equal(rig.machine->memory.ram, ram, count * sizeof(ram[0]));
    rig_finish(&rig);
}

static void linux_on_arm64_begins_at_1_gib(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.config.load_mode.mode = VMR_LOAD_LINUX;
    rig.config.load_mode.linux_direct.kernel.path = "Image";
    assert_int_equal(rig_resolve(&rig)->memory.ram[0].range.start, GIB);
    assert_string_equal(rig.machine->memory.placements[0].tag, "low-ram-gap");
    rig_finish(&rig);
}

static void what_does_not_fit_is_refused_where_it_was_asked_for(void **state)
{
    struct vmr_pcie_root_complex_config complex = complexes[0];
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    complex.low_mmio.size = 3 * GIB + 512 * MIB;
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    rig.config.layout.chipset_low_mmio_size = (struct vmr_optional_u32){true, 0x40000000};
    rig_refuse(&rig, "CFG-ADDRESS-EXHAUSTED", "pcie_root_complexes[0].low_mmio", "rc0-low-mmio");
    rig_finish(&rig);
}

static void a_configuration_space_without_a_bus_0_is_refused(void **state)
{
    struct vmr_pcie_root_complex_config complex = {.name = "rc0", .start_bus = 200, .end_bus = 203};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    complex.low_mmio.size = 800 * MIB;
    rig.config.pcie_root_complexes = &complex;
    rig.config.pcie_root_complex_count = 1;
    rig.config.layout.pcie_ecam_below_4gb = true;
    rig.config.layout.chipset_low_mmio_size = (struct vmr_optional_u32){true, 0xc0000000};
    rig_refuse(&rig, "CFG-ADDRESS-ECAM", "pcie_root_complexes", "rc0: its configuration space is at 0xdc00000");
    rig_finish(&rig);
}

static void ram_of_vtl2_that_the_layout_makes_has_a_size(void **state)
{
    static const struct vmr_hypervisor_vtl2_config vtl2;
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.hypervisor.with_hv = true;
    rig.config.hypervisor.with_vtl2 = &vtl2;
    rig.config.load_mode.mode = VMR_LOAD_IGVM;
    rig.config.load_mode.igvm.file.path = "vtl2.igvm";
    rig.config.load_mode.igvm.vtl2_base_address.kind = VMR_VTL2_BASE_MEMORY_LAYOUT;
    rig_refuse(&rig, "CFG-ADDRESS-VTL2-RAM", "load_mode.igvm.vtl2_base_address", "no size");
    rig.config.load_mode.igvm.vtl2_base_address.size = (struct vmr_optional_u64){true, 64 * MIB};
    const struct vmr_resolved_memory *memory = &rig_resolve(&rig)->memory;

    assert_int_equal(memory->vtl2_ram.end - memory->vtl2_ram.start, 64 * MIB);
    assert_true(memory->vtl2_ram.start >= memory->vtl2_chipset_mmio.end);
    rig_finish(&rig);
}

static void windows_take_no_more_than_their_unit(void **state)
{
    static const struct vmr_pcie_root_complex_config small = {
        .name = "rc0", .end_bus = 1, .low_mmio.size = 1, .high_mmio.size = 1};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.pcie_root_complexes = &small;
    rig.config.pcie_root_complex_count = 1;
    const struct vmr_resolved *machine = rig_resolve(&rig);

    expect_range(&machine->pcie.root_complexes[0].low_mmio, machine->memory.chipset_low_mmio.start - 2 * MIB,
                 machine->memory.chipset_low_mmio.start);
    expect_range(&machine->pcie.root_complexes[0].high_mmio, 4 * GIB, 5 * GIB);
    rig_finish(&rig);
}

static void the_framebuffer_of_vtl2_lies_behind_everything(void **state)
{
    static const struct vmr_hypervisor_vtl2_config vtl2;
    static const struct vmr_framebuffer_config framebuffer = {.size = 8 * MIB};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.hypervisor.with_hv = true;
    rig.config.hypervisor.with_vtl2 = &vtl2;
    rig.config.framebuffer = &framebuffer;
    assert_int_equal(rig_resolve(&rig)->memory.vtl2_framebuffer.end, 0);
    rig.config.vtl2_gfx = true;
    const struct vmr_resolved_memory *memory = &rig_resolve(&rig)->memory;

    expect_range(&memory->vtl2_framebuffer, memory->vtl2_chipset_mmio.end, memory->vtl2_chipset_mmio.end + 8 * MIB);
    assert_int_equal(memory->top, memory->vtl2_framebuffer.end);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_pc_has_its_ram_below_the_chipset),
        cmocka_unit_test(ram_goes_around_the_chipset_and_high_mmio_behind_it),
        cmocka_unit_test(chipset_sizes_are_as_asked_but_not_below_the_architectures),
        cmocka_unit_test(windows_and_configuration_spaces_are_cut_from_their_segments),
        cmocka_unit_test(fixed_windows_stay_and_must_be_free),
        cmocka_unit_test(vtl2_moves_nothing_of_vtl0),
        cmocka_unit_test(devices_move_no_ram),
        cmocka_unit_test(linux_on_arm64_begins_at_1_gib),
        cmocka_unit_test(a_configuration_space_without_a_bus_0_is_refused),
        cmocka_unit_test(ram_of_vtl2_that_the_layout_makes_has_a_size),
        cmocka_unit_test(windows_take_no_more_than_their_unit),
        cmocka_unit_test(the_framebuffer_of_vtl2_lies_behind_everything),
        cmocka_unit_test(what_does_not_fit_is_refused_where_it_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
