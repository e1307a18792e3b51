/* SPDX-License-Identifier: MIT */
/*
 * Cases: processors and the interrupt controller of arm64.
 */

#include "tests/config/check_cases.h"

#define X86_VPS(count, sockets, ...)                                                                                   \
    .processor_topology = {                                                                                            \
        .proc_count = count, .vps_per_socket = sockets, .x86 = OF(vmr_x86_topology_config, __VA_ARGS__)}
#define ARM_VPS(count, ...)                                                                                            \
    ARM64, .processor_topology = {.proc_count = count, .arm64 = OF(vmr_arm64_topology_config, __VA_ARGS__)}
#define ARM(...) ARM_VPS(1, __VA_ARGS__)
#define GIC(...) .gic_config = {__VA_ARGS__}
#define V2 .version = VMR_GIC_V2
#define V3 .version = VMR_GIC_V3
#define ALL                                                                                                            \
    {                                                                                                                  \
        .given = false                                                                                                 \
    }
#define UNSUPPORTED .x2apic = VMR_X2APIC_CONFIG_UNSUPPORTED
#define CONFIG "processor_topology.arm64."
#define PMU(number) .pmu_gsiv = {.kind = VMR_PMU_GSIV_GIVEN, .gsiv = number}

const struct check_case cases_processor[] = {
    GOOD(.processor_topology = {.proc_count = 1024}),
    BAD("CPU-COUNT-LARGE", "processor_topology.proc_count", .processor_topology = {.proc_count = 1025}),
    BAD("CPU-COUNT-LARGE", "processor_topology.proc_count", ARM64, .processor_topology = {.proc_count = UINT32_MAX}),
    GOOD(X86_VPS(1, ALL, .apic_id_offset = 7)),
    BAD("CPU-X86-ON-ARM64", "processor_topology.x86", ARM64, X86_VPS(1, ALL, .apic_id_offset = 0)),
    BAD("CPU-ARM64-ON-X86", "processor_topology.arm64",
        .processor_topology = {.arm64 = OF(vmr_arm64_topology_config, GIC(V3))}),
    /* 255 VPs in one socket: ids to 254. In sockets of 3, each takes 4 ids. */
    GOOD(X86_VPS(255, ALL, UNSUPPORTED)),
    GOOD(X86_VPS(255, ALL, UNSUPPORTED, .apic_id_offset = 255)),
    BAD("CPU-APIC-ID-LIMIT", "processor_topology.x86.x2apic", X86_VPS(256, ALL, UNSUPPORTED)),
    BAD("CPU-APIC-ID-LIMIT", "processor_topology.x86.x2apic", X86_VPS(1, ALL, UNSUPPORTED, .apic_id_offset = 255)),
    GOOD(X86_VPS(1, ALL, UNSUPPORTED, .apic_id_offset = 254)),
    GOOD(X86_VPS(191, SET(3), UNSUPPORTED)),
    GOOD(X86_VPS(192, SET(3), UNSUPPORTED)),
    BAD("CPU-APIC-ID-LIMIT", "processor_topology.x86.x2apic", X86_VPS(193, SET(3), UNSUPPORTED)),
    BAD("CPU-APIC-ID-LIMIT", "processor_topology.x86.x2apic", X86_VPS(256, SET(0), UNSUPPORTED)),
    GOOD(X86_VPS(192, SET(3), UNSUPPORTED, .apic_id_offset = 3)),
    BAD("CPU-APIC-ID-LIMIT", "processor_topology.x86.x2apic", X86_VPS(192, SET(3), UNSUPPORTED, .apic_id_offset = 4)),
    GOOD(X86_VPS(1, ALL, .apic_id_offset = 0xfffffffe)),
    BAD("CPU-APIC-ID-WIDTH", "processor_topology.x86.apic_id_offset", X86_VPS(1, ALL, .apic_id_offset = 0xffffffff)),
    GOOD(X86_VPS(2, SET(0xffffffff), .apic_id_offset = 0xffff7fff)),
    BAD("CPU-APIC-ID-WIDTH", "processor_topology.x86.apic_id_offset", X86_VPS(2, SET(1), .apic_id_offset = 0xfffffffe)),

    GOOD(ARM64, .processor_topology = {.proc_count = 255}),
    BAD("CPU-ARM64-COUNT", "processor_topology.proc_count", ARM64, .processor_topology = {.proc_count = 256}),
    GOOD(ARM_VPS(8, GIC(V2))),
    BAD("CPU-GIC-V2-COUNT", "processor_topology.proc_count", ARM_VPS(9, GIC(V2))),
    GOOD(ARM(GIC(V2, .cpu_interface_base = SET(0xf0000000)))),
    BAD("CPU-GIC-REDISTRIBUTORS", CONFIG "gic_config.gic_redistributors_base",
        ARM(GIC(V2, .gic_redistributors_base = SET(0xf0000000)))),
    BAD("CPU-GIC-CPU-INTERFACE", CONFIG "gic_config.cpu_interface_base",
        ARM(GIC(V3, .cpu_interface_base = SET(0xf0000000)))),
    BAD("CPU-GIC-CPU-INTERFACE", CONFIG "gic_config.cpu_interface_base",
        ARM(GIC(.cpu_interface_base = SET(0xf0000000)))),
    GOOD(ARM(GIC(V3)), UEFI(UEFI_FILE)),
    BAD("CPU-GIC-V2-UEFI", CONFIG "gic_config", ARM(GIC(V2)), UEFI(UEFI_FILE)),

    GOOD(ARM(GIC(.gic_distributor_base = SET(0xf0010000), .gic_redistributors_base = SET(0xf0020000)))),
    BAD("CPU-GIC-ALIGNMENT", CONFIG "gic_config.gic_distributor_base",
        ARM(GIC(.gic_distributor_base = SET(0xf0008000)))),
    BAD("CPU-GIC-ALIGNMENT", CONFIG "gic_config.gic_redistributors_base",
        ARM(GIC(.gic_redistributors_base = SET(VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_OTHER)))),
    GOOD(ARM(GIC(V2, .gic_distributor_base = SET(0xf0001000), .cpu_interface_base = SET(0xf0002000)))),
    BAD("CPU-GIC-ALIGNMENT", CONFIG "gic_config.cpu_interface_base",
        ARM(GIC(V2, .cpu_interface_base = SET(0xf0000800)))),
    /* The chipset has 512 MiB: from 0xe0000000. */
    GOOD(ARM(GIC(.gic_distributor_base = SET(0xe0000000)))),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_distributor_base", ARM(GIC(.gic_distributor_base = SET(0xdfff0000)))),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_distributor_base", ARM(GIC(.gic_distributor_base = SET(0xe0000000))),
        .layout = {.chipset_low_mmio_size = SET(0)}),
    GOOD(ARM(GIC(.gic_distributor_base = SET(0xef000000))), .layout = {.chipset_low_mmio_size = SET(0)}),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_distributor_base",
        ARM(GIC(.gic_distributor_base = SET(0xffffffffffff0000)))),
    GOOD(ARM(GIC(.gic_distributor_base = SET(0x8000000))), LINUX()),
    GOOD(ARM(GIC(.gic_distributor_base = SET(0x3fff0000))), LINUX()),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_distributor_base", ARM(GIC(.gic_distributor_base = SET(0x40000000))),
        LINUX()),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_distributor_base", ARM(GIC(.gic_distributor_base = SET(0x8000000)))),
    GOOD(ARM_VPS(128, GIC(.gic_redistributors_base = SET(0xfefb0000)))),
    BAD("CPU-GIC-OUTSIDE", CONFIG "gic_config.gic_redistributors_base",
        ARM_VPS(128, GIC(.gic_distributor_base = SET(0xf0000000), .gic_redistributors_base = SET(0xff010000)))),
    BAD("CPU-GIC-OVERLAP", CONFIG "gic_config.gic_redistributors_base",
        ARM_VPS(2, GIC(.gic_redistributors_base = SET(0xfffc0000)))),
    GOOD(ARM_VPS(2, GIC(.gic_redistributors_base = SET(0xfffb0000)))),
    BAD("CPU-GIC-OVERLAP", CONFIG "gic_config.gic_redistributors_base",
        ARM(GIC(.gic_distributor_base = SET(0xf0010000), .gic_redistributors_base = SET(0xf0000000)))),
    GOOD(ARM(GIC(.gic_distributor_base = SET(0xf0020000), .gic_redistributors_base = SET(0xf0000000)))),
    BAD("CPU-GIC-OVERLAP", CONFIG "gic_config.gic_distributor_base", ARM(GIC(.gic_distributor_base = SET(0xeffd0000)))),
    GOOD(ARM(GIC(.gic_distributor_base = SET(0xeffd0000)), .gic_msi = {.kind = VMR_GIC_MSI_V2M})),
    GOOD(ARM(GIC(V2, .cpu_interface_base = SET(0xeffd0000)))),
    BAD("CPU-GIC-OVERLAP", CONFIG "gic_config.cpu_interface_base", ARM(GIC(V2, .cpu_interface_base = SET(0xeffe7000)))),
    BAD("CPU-GIC-OVERLAP", CONFIG "gic_config.cpu_interface_base", ARM(GIC(V2, .cpu_interface_base = SET(0xeffea000)))),

    GOOD(ARM(PMU(16))),
    GOOD(ARM(PMU(31))),
    BAD("CPU-PMU-PPI", CONFIG "pmu_gsiv.gsiv", ARM(PMU(15))),
    BAD("CPU-PMU-PPI", CONFIG "pmu_gsiv.gsiv", ARM(PMU(32))),
    BAD("CPU-PMU-CLASH", CONFIG "pmu_gsiv.gsiv", ARM(PMU(VMR_DEFAULT_VIRT_TIMER_PPI))),
    BAD("CPU-PMU-CLASH", CONFIG "pmu_gsiv.gsiv", ARM(PMU(VMR_DEFAULT_VMBUS_PPI))),
    BAD("CPU-PMU-CLASH", CONFIG "pmu_gsiv.gsiv", ARM(PMU(27), .virt_timer_ppi = SET(27))),
    GOOD(ARM(PMU(VMR_DEFAULT_VIRT_TIMER_PPI), .virt_timer_ppi = SET(27))),
    GOOD(ARM(GIC(V3), .gic_msi = {.kind = VMR_GIC_MSI_ITS})),
    BAD("CPU-ITS-V2", CONFIG "gic_msi", ARM(GIC(V2), .gic_msi = {.kind = VMR_GIC_MSI_ITS})),
    GOOD(ARM(.gic_msi = {.kind = VMR_GIC_MSI_V2M, .spi_count = SET(1)})),
    GOOD(ARM(.gic_msi = {.kind = VMR_GIC_MSI_V2M})),
    BAD("CPU-V2M-NONE", CONFIG "gic_msi.v2m.spi_count", ARM(.gic_msi = {.kind = VMR_GIC_MSI_V2M, .spi_count = SET(0)})),
    GOOD(ARM(.gic_nr_irqs = SET(992))),
    GOOD(ARM(.gic_nr_irqs = SET(256))),
    BAD("CPU-NR-IRQS", CONFIG "gic_nr_irqs", ARM(.gic_nr_irqs = SET(32))),
    BAD("CPU-NR-IRQS", CONFIG "gic_nr_irqs", ARM(.gic_nr_irqs = SET(1024))),
    BAD("CPU-NR-IRQS", CONFIG "gic_nr_irqs", ARM(.gic_nr_irqs = SET(255))),
    GOOD(ARM(.virt_timer_ppi = SET(16))),
    GOOD(ARM(.virt_timer_ppi = SET(31))),
    BAD("CPU-TIMER-PPI", CONFIG "virt_timer_ppi", ARM(.virt_timer_ppi = SET(15))),
    BAD("CPU-TIMER-PPI", CONFIG "virt_timer_ppi", ARM(.virt_timer_ppi = SET(32))),
    BAD("CPU-TIMER-CLASH", CONFIG "virt_timer_ppi", ARM(.virt_timer_ppi = SET(18))),
    END,
};
