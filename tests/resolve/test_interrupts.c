/* SPDX-License-Identifier: MIT */
/*
 * GICs, their frames, and who has which interrupt.
 */

#include "tests/resolve/rig.h"

#define DEVICES 400u

static struct vmr_virtio_config devices[DEVICES];

static void add_virtio(struct rig *rig, size_t count)
{
    for (size_t i = 0; i < count; i++)
        devices[i] = (struct vmr_virtio_config){.bus = VMR_VIRTIO_MMIO, .resource = {.id = "virtio-rng"}};
    rig->config.virtio_devices = devices;
    rig->config.virtio_device_count = count;
}

static void defaults_are_a_gicv3_with_its_and_v2m(void **state)
{
    struct rig rig;
    const struct vmr_resolved_gic *gic;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.config.processor_topology.proc_count = 4;
    gic = rig_resolve(&rig)->processors.gic;
    assert_int_equal(gic->version, VMR_GIC_V3);
    assert_int_equal(gic->distributor.start, 0xffff0000);
    assert_int_equal(gic->redistributors.start, 0xefff0000);
    assert_int_equal(gic->redistributors.end, 0xf0070000);
    assert_int_equal(gic->its.start, 0xeffc0000);
    assert_int_equal(gic->v2m.start, 0xeffe8000);
    assert_int_equal(gic->v2m_spi_base, 928);
    assert_int_equal(gic->v2m_spi_count, 64);
    assert_int_equal(gic->nr_irqs, 992);
    assert_int_equal(gic->virt_timer_ppi, 20);
    assert_int_equal(gic->vmbus_ppi, 18);
    assert_false(gic->pmu_gsiv.given || gic->pmu_disabled);
    assert_int_equal(gic->cpu_interface.end, 0);
    rig_finish(&rig);
}

static void a_gicv2_has_a_cpu_interface_and_no_its(void **state)
{
    struct rig rig;
    const struct vmr_resolved_gic *gic;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.arm64.gic_config.version = VMR_GIC_V2;
    rig.arm64.gic_config.gic_distributor_base = (struct vmr_optional_u64){true, 0xf8000000};
    rig.arm64.gic_config.cpu_interface_base = (struct vmr_optional_u64){true, 0xf8010000};
    rig.arm64.pmu_gsiv.kind = VMR_PMU_GSIV_GIVEN;
    rig.arm64.pmu_gsiv.gsiv = 23;
    gic = rig_resolve(&rig)->processors.gic;
    assert_int_equal(gic->version, VMR_GIC_V2);
    assert_int_equal(gic->distributor.start, 0xf8000000);
    assert_int_equal(gic->cpu_interface.start, 0xf8010000);
    assert_int_equal(gic->redistributors.end, 0);
    assert_int_equal(gic->its.end, 0);
    assert_int_equal(gic->msi, VMR_GIC_MSI_V2M);
    assert_true(gic->pmu_gsiv.given);
    assert_int_equal(gic->pmu_gsiv.value, 23);
    rig_finish(&rig);
}

static void spis_go_down_from_the_highest(void **state)
{
    static const struct vmr_pcie_root_complex_config complexes[] = {
        {.index = 0, .name = "rc0", .segment = 0, .end_bus = 3, .iommu = VMR_PCIE_IOMMU_SMMU},
        {.index = 1, .name = "rc1", .segment = 1, .end_bus = 3, .iommu = VMR_PCIE_IOMMU_SMMU},
    };
    struct rig rig;
    const struct vmr_resolved *machine;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.config.pcie_root_complexes = complexes;
    rig.config.pcie_root_complex_count = 2;
    add_virtio(&rig, 2);
    machine = rig_resolve(&rig);
    assert_int_equal(machine->pcie.iommus[0].event_spi, 927);
    assert_int_equal(machine->pcie.iommus[0].error_spi, 926);
    assert_int_equal(machine->pcie.iommus[1].event_spi, 925);
    assert_int_equal(machine->pcie.iommus[1].error_spi, 924);
    assert_int_equal(machine->virtio_mmio[0].irq, 923);
    assert_int_equal(machine->virtio_mmio[1].irq, 922);
    rig.arm64.gic_msi.kind = VMR_GIC_MSI_ITS;
    machine = rig_resolve(&rig);
    assert_int_equal(machine->processors.gic->v2m_spi_count, 0);
    assert_int_equal(machine->pcie.iommus[0].event_spi, 991);
    rig_finish(&rig);
}

static void interrupts_that_there_are_not_are_refused_with_what_is_left(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.arm64.gic_nr_irqs = (struct vmr_optional_u32){true, 96};
    rig.arm64.gic_msi.kind = VMR_GIC_MSI_V2M;
    rig_refuse(&rig, "CFG-NUMBER-INTERRUPTS", "processor_topology.arm64.gic_msi", "needs 64 SPIs, and 32 are left");
    rig.arm64.gic_msi.spi_count = (struct vmr_optional_u32){true, 32};
    assert_int_equal(rig_resolve(&rig)->processors.gic->v2m_spi_base, 64);
    add_virtio(&rig, 1);
    rig_refuse(&rig, "CFG-NUMBER-INTERRUPTS", "virtio_devices", "needs 1 SPIs, and 0 are left");
    rig_finish(&rig);
    rig_init(&rig, VMR_ARCH_X86_64);
    add_virtio(&rig, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(rig_resolve(&rig)->virtio_mmio[i].irq, 16 + i);
    add_virtio(&rig, 9);
    rig_refuse(&rig, "CFG-NUMBER-INTERRUPTS", "virtio_devices", "9 devices");
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_a_gicv3_with_its_and_v2m),
        cmocka_unit_test(a_gicv2_has_a_cpu_interface_and_no_its),
        cmocka_unit_test(spis_go_down_from_the_highest),
        cmocka_unit_test(interrupts_that_there_are_not_are_refused_with_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
