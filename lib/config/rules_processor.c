/* SPDX-License-Identifier: MIT */
/*
 * Rules: processors and interrupt controllers.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_processor[RULE_CPU_COUNT] = {
    [RULE_CPU_COUNT_LARGE] =
        {
            "CFG-CPU-COUNT-LARGE",
            "A machine has at most 1024 VPs.",
            "More have not been tried with any guest. What the hypervisor takes is looked at when the machine is "
            "built. Source: OpenVMM, --processors.",
        },
    [RULE_CPU_X86_ON_ARM64] =
        {
            "CFG-CPU-X86-ON-ARM64",
            "The processors of an arm64 machine have no x86-64 topology.",
            "APIC ids mean nothing there. Leave out x86, or set arch to x86_64. Source: OpenVMM, processor "
            "topology.",
        },
    [RULE_CPU_ARM64_ON_X86] =
        {
            "CFG-CPU-ARM64-ON-X86",
            "The processors of an x86-64 machine have no arm64 topology.",
            "There is no GIC there. Leave out arm64, or set arch to arm64. Source: OpenVMM, processor topology.",
        },
    [RULE_CPU_APIC_ID_WIDTH] =
        {
            "CFG-CPU-APIC-ID-WIDTH",
            "APIC ids are below 2^32 - 1.",
            "An id has 32 bits, and all ones mean every processor. The offset is too large. Source: Intel SDM "
            "vol. 3, 11.12.9.",
        },
    [RULE_CPU_APIC_ID_LIMIT] =
        {
            "CFG-CPU-APIC-ID-LIMIT",
            "Without x2APIC, APIC ids end at 254.",
            "An id has 8 bits there, and 255 means every processor. Use fewer VPs, a smaller offset, sockets that "
            "are powers of two, or another x2apic. Source: Intel SDM vol. 3, 11.6.2.",
        },
    [RULE_CPU_ARM64_COUNT] =
        {
            "CFG-CPU-ARM64-COUNT",
            "An arm64 machine has at most 255 VPs.",
            "VPs are numbered in one affinity byte, and hypervisors take no more. Source: OpenVMM, processor "
            "topology.",
        },
    [RULE_CPU_GIC_V2_COUNT] =
        {
            "CFG-CPU-GIC-V2-COUNT",
            "A machine with a GICv2 has at most 8 VPs.",
            "Its registers have a bit for each of 8 interfaces. Use version 3. Source: GIC architecture version "
            "2, 2.1.",
        },
    [RULE_CPU_GIC_REDISTRIBUTORS] =
        {
            "CFG-CPU-GIC-REDISTRIBUTORS",
            "A GICv2 has no redistributors.",
            "Its processors have a CPU interface. Leave out the address, or use version 3. Source: GIC "
            "architecture version 3, 2.4.",
        },
    [RULE_CPU_GIC_CPU_INTERFACE] =
        {
            "CFG-CPU-GIC-CPU-INTERFACE",
            "A GICv3 has no CPU interface in memory.",
            "Its processors have system registers for it. Leave out the address, or use version 2. Source: GIC "
            "architecture version 3, 2.4.",
        },
    [RULE_CPU_GIC_V2_UEFI] =
        {
            "CFG-CPU-GIC-V2-UEFI",
            "UEFI needs a GICv3.",
            "The firmware knows no other. Source: OpenVMM, UEFI loader.",
        },
    [RULE_CPU_GIC_ALIGNMENT] =
        {
            "CFG-CPU-GIC-ALIGNMENT",
            "Frames of the interrupt controller lie at multiples of their size.",
            "64 KiB for version 3, 4 KiB for version 2; KVM takes no other address. Source: GIC architecture "
            "version 3, 12.9; Linux, KVM devices arm-vgic-v3.",
        },
    [RULE_CPU_GIC_OUTSIDE] =
        {
            "CFG-CPU-GIC-OUTSIDE",
            "Frames of the interrupt controller lie in the chipset's addresses.",
            "The layout keeps these free: below 4 GiB, as many as layout.chipset_low_mmio_size says; and the "
            "first GiB if Linux is loaded directly. Elsewhere there may be RAM. Redistributors have 128 KiB for "
            "each VP. Source: the layout of addresses.",
        },
    [RULE_CPU_GIC_OVERLAP] =
        {
            "CFG-CPU-GIC-OVERLAP",
            "Frames of the interrupt controller overlap no others.",
            "The v2m frame is at 0xeffe8000, the ITS at 0xeffc0000, serial ports are at 0xeffeb000 and "
            "0xeffec000. Redistributors have 128 KiB for each VP. Source: OpenVMM, arm64 defaults.",
        },
    [RULE_CPU_PMU_PPI] =
        {
            "CFG-CPU-PMU-PPI",
            "The interrupt of the performance monitor is from 16 to 31.",
            "It is private to a processor, and these are the private ones. Source: GIC architecture version 3, "
            "2.2.",
        },
    [RULE_CPU_PMU_CLASH] =
        {
            "CFG-CPU-PMU-CLASH",
            "The interrupt of the performance monitor is nobody else's.",
            "The virtual timer has 20, unless virt_timer_ppi says otherwise, and VMBus has 18. Source: OpenVMM, "
            "arm64 defaults.",
        },
    [RULE_CPU_ITS_V2] =
        {
            "CFG-CPU-ITS-V2",
            "An ITS needs a GICv3.",
            "Its interrupts do not exist in version 2. Use v2m. Source: GIC architecture version 3, 5.",
        },
    [RULE_CPU_V2M_NONE] =
        {
            "CFG-CPU-V2M-NONE",
            "A v2m frame has interrupts.",
            "Devices would have none. Leave out spi_count to have 64. Source: Arm Server Base System "
            "Architecture, appendix E.",
        },
    [RULE_CPU_NR_IRQS] =
        {
            "CFG-CPU-NR-IRQS",
            "An interrupt controller has 64 to 992 interrupts, a multiple of 32.",
            "It has 32 for each register, the first 32 being private to a processor. Source: Linux, KVM devices "
            "arm-vgic-v3, KVM_DEV_ARM_VGIC_GRP_NR_IRQS.",
        },
    [RULE_CPU_TIMER_PPI] =
        {
            "CFG-CPU-TIMER-PPI",
            "The interrupt of the virtual timer is from 16 to 31.",
            "It is private to a processor, and these are the private ones. Source: GIC architecture version 3, "
            "2.2.",
        },
    [RULE_CPU_TIMER_CLASH] =
        {
            "CFG-CPU-TIMER-CLASH",
            "The interrupt of the virtual timer is not that of VMBus.",
            "VMBus has 18; two that share one would each take the other's interrupts. Source: OpenVMM, arm64 "
            "defaults.",
        },
};
