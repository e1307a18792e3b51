/* SPDX-License-Identifier: MIT */
/*
 * Which of the devices that have no bus of their own are there.
 */

#include "lib/tables/input.h"

/* The four letters of a PC's COM ports that firmware knows; we have the first two. */
static const struct tables_serial pc_serials[2] = {{0x3f8, 4}, {0x2f8, 3}};
static const struct tables_serial arm_serials[2] = {
    {VMR_DEFAULT_PL011_BASE_0, ARM_SPI_BASE + 1},
    {VMR_DEFAULT_PL011_BASE_1, ARM_SPI_BASE + 2},
};

static void find_serials(struct tables_input *input)
{
    const struct vmr_load_config *load = &input->config->load_mode;
    bool both = (load->mode == VMR_LOAD_LINUX && load->linux_direct.enable_serial) ||
                (load->mode == VMR_LOAD_UEFI && load->uefi.enable_serial);

    if (load->mode == VMR_LOAD_FIRMWARE)
        input->serial_count = 1;
    else if (both)
        input->serial_count = 2;
    for (unsigned i = 0; i < input->serial_count; i++)
        input->serials[i] = input->is_arm64 ? arm_serials[i] : pc_serials[i];
    if (load->mode == VMR_LOAD_IGVM && load->igvm.com_serial.given && !input->is_arm64) {
        input->serials[0].base = load->igvm.com_serial.io_port;
        input->serials[0].irq = load->igvm.com_serial.irq;
        input->serial_count = 1;
    }
}

/* The machine of VMR_LOAD_FIRMWARE has its devices whatever the chipset says. */
static void find_pc_devices(struct tables_input *input)
{
    const struct vmr_chipset_config *chipset = &input->config->chipset;
    const struct vmr_chipset_capabilities *capabilities = &input->config->chipset_capabilities;
    bool small_pc = input->config->load_mode.mode == VMR_LOAD_FIRMWARE;

    input->rtc = small_pc || chipset->generic_cmos_rtc || chipset->piix4_cmos_rtc;
    input->pic = small_pc || chipset->generic_pic || capabilities->pic;
    input->pit = small_pc || chipset->generic_pit || capabilities->pit;
    input->dma = chipset->generic_isa_dma || capabilities->generic_isa_dma;
    input->ioapic = small_pc || chipset->generic_ioapic || capabilities->ioapic;
    input->power_management = chipset->hyperv_power_management || chipset->piix4_power_management;
    input->reset_port = small_pc || chipset->piix4_pci_isa_bridge;
}

/* What the configuration leaves open is the caller's choice, and what he leaves open is the best that the GIC has. */
static void choose_msi(struct tables_input *input, enum vmr_gic_msi_config wanted)
{
    const struct vmr_resolved_gic *gic = input->resolved->processors.gic;
    enum vmr_gic_msi_config msi = gic->msi != VMR_GIC_MSI_AUTO ? gic->msi : wanted;

    input->its = gic->version != VMR_GIC_V2 && msi != VMR_GIC_MSI_V2M && gic->its.end > gic->its.start;
    input->v2m = !input->its && gic->v2m.end > gic->v2m.start;
}

void tables_input_init(struct tables_input *ret_input, const struct vmr_resolved *resolved,
                       const struct vmr_firmware_tables_options *options)
{
    struct tables_input input = {
        .resolved = resolved,
        .config = resolved->config,
        .is_arm64 = resolved->config->arch == VMR_ARCH_ARM64,
        .cmdline = options->cmdline,
        .initrd = options->initrd,
    };
    const struct vmr_load_config *load = &input.config->load_mode;

    find_serials(&input);
    if (input.is_arm64) {
        const struct vmr_resolved_gic *gic = resolved->processors.gic;

        choose_msi(&input, options->msi);
        if (!gic->pmu_disabled)
            input.pmu_gsiv = gic->pmu_gsiv.given ? gic->pmu_gsiv : options->pmu_gsiv;
    } else {
        find_pc_devices(&input);
    }
    if (!input.cmdline && load->mode == VMR_LOAD_LINUX)
        input.cmdline = load->linux_direct.cmdline;
    if (!input.cmdline)
        input.cmdline = "";
    *ret_input = input;
}

bool tables_has_ioapic_requests(const struct tables_input *input, const struct vmr_resolved_root_complex *complex)
{
    return input->ioapic && complex->config->segment == 0 && complex->config->start_bus == 0;
}

uint32_t tables_iommu_count(const struct tables_input *input, enum vmr_pcie_iommu kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < input->resolved->pcie.iommu_count; i++)
        count += input->resolved->pcie.iommus[i].kind == kind;
    return count;
}

uint32_t tables_cxl_count(const struct tables_input *input)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < input->resolved->pcie.root_complex_count; i++)
        count += input->resolved->pcie.root_complexes[i].config->cxl != NULL;
    return count;
}
