/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every table is written from: the resolved machine, and what it says
 * about the board once the load mode, the chipset and the host's choices are
 * taken together. Tables of one machine agree because they all look here.
 */

#include "vmrig/firmware_tables.h"

/* --- facts of a PC --- */
#define PC_LAPIC_BASE UINT64_C(0xfee00000)
#define PC_IOAPIC_BASE UINT64_C(0xfec00000)
#define PC_IOAPIC_ID 0u
#define PC_PM_BASE 0x400u /* the power management block of PIIX4, which Hyper-V's is made after */
#define PC_PM_IRQ 9u
#define PC_RESET_PORT 0xcf9u
#define PC_RESET_VALUE 0x06u
#define PC_APIC_ID_NARROW_MAX 254u /* beyond it, tables have other structures */

#define ARM_PPI_BASE 16u
#define ARM_SPI_BASE 32u

/* DeviceIDs of the ITS: all segments share one. */
#define ARM_DEVICE_ID(segment, rid) ((uint32_t)(segment) << 16 | (uint32_t)(rid))

struct tables_serial {
    uint64_t base; /* x86-64: a port; arm64: an address */
    uint32_t irq;  /* a GSI; arm64: an SPI's interrupt id */
};

struct tables_input {
    const struct vmr_resolved *resolved;
    const struct vmr_config *config;
    bool is_arm64;
    /* The board's. */
    struct tables_serial serials[2];
    unsigned serial_count;
    bool rtc, pic, pit, dma, ioapic; /* x86-64 */
    bool power_management;           /* x86-64: the block at PC_PM_BASE */
    bool reset_port;                 /* x86-64 */
    /* arm64. */
    bool its, v2m;
    struct vmr_optional_u32 pmu_gsiv;
    /* The device tree's. */
    const char *cmdline;
    struct vmr_gpa_range initrd;
};

void tables_input_init(struct tables_input *ret_input, const struct vmr_resolved *resolved,
                       const struct vmr_firmware_tables_options *options);

/* Whether segment 0, bus 0 is this complex's: where the IO-APIC's requests come from. */
bool tables_has_ioapic_requests(const struct tables_input *input, const struct vmr_resolved_root_complex *complex);
/* Root complexes that have an IOMMU of this kind. */
uint32_t tables_iommu_count(const struct tables_input *input, enum vmr_pcie_iommu kind);
/* Root complexes with CXL. */
uint32_t tables_cxl_count(const struct tables_input *input);
