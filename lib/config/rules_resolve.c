/* SPDX-License-Identifier: MIT */
/*
 * Rules of resolution: what a configuration that is right by itself can still
 * break once addresses and numbers are given out, and what a host may lack.
 */

#include "lib/config/rules.h"

const struct vmr_config_rule rules_address[RULE_ADDRESS_COUNT] = {
    [RULE_ADDRESS_SIZE] =
        {
            "CFG-ADDRESS-SIZE",
            "What is placed in the address space is a nonzero number of whole pages.",
            "Sizes are multiples of 4 KiB. A window of no size is left out by whoever asks for it. "
            "Source: include/vmrig/resolved.h, vmr_layout_place.",
        },
    [RULE_ADDRESS_ALIGNMENT] =
        {
            "CFG-ADDRESS-ALIGNMENT",
            "An alignment is a power of two from 4 KiB.",
            "Fixed ranges begin at a page. Source: include/vmrig/resolved.h, vmr_layout_place.",
        },
    [RULE_ADDRESS_RANGE] =
        {
            "CFG-ADDRESS-RANGE",
            "A fixed range lies below 2^52.",
            "Guest physical addresses have 52 bits at most. Source: Intel SDM vol. 3, 4.1.4; Arm ARM, D8.1.",
        },
    [RULE_ADDRESS_OVERLAP] =
        {
            "CFG-ADDRESS-OVERLAP",
            "Fixed ranges lie apart.",
            "Two of the ranges that have a given place share addresses: windows of PCI Express that were given as "
            "ranges, what the chipset has below 4 GiB, and what the load mode keeps free. Move one of them. "
            "Source: include/vmrig/resolved.h, vmr_layout_place.",
        },
    [RULE_ADDRESS_EXHAUSTED] =
        {
            "CFG-ADDRESS-EXHAUSTED",
            "Everything fits into its part of the address space.",
            "Windows below 4 GiB share what the chipset leaves, everything else ends below 2^52. The message says how "
            "much is left in pieces too small or not aligned. Ask for less, or for windows above 4 GiB. "
            "Source: include/vmrig/resolved.h, vmr_layout_place.",
        },
    [RULE_ADDRESS_ECAM] =
        {
            "CFG-ADDRESS-ECAM",
            "The configuration space of a segment's bus 0 has an address.",
            "Tables name the address of bus 0 even where a segment's buses begin higher; it lies below the part that "
            "is "
            "there, one MiB for each bus. Begin with a lower bus, or place configuration spaces above 4 GiB. "
            "Source: PCI Firmware Specification 3.3, 4.1.2.",
        },
    [RULE_ADDRESS_VTL2_RAM] =
        {
            "CFG-ADDRESS-VTL2-RAM",
            "VTL 2's own range has a size.",
            "With the base address kind memory_layout the layout makes the range, and must know how large it is: give "
            "its size, a multiple of 2 MiB. Source: IGVM specification, VTL 2 relocation.",
        },
};

const struct vmr_config_rule rules_number[RULE_NUMBER_COUNT] = {
    [RULE_NUMBER_BUSES] =
        {
            "CFG-NUMBER-BUSES",
            "A root complex has a bus for each of its ports, and two for each switch.",
            "Firmware numbers buses depth first: each port's, each switch's inner one, and those behind it. Let "
            "end_bus "
            "be higher, or use fewer ports. Source: PCI Express Base Specification 6.0, 7.5.1.3.",
        },
    [RULE_NUMBER_INTERRUPTS] =
        {
            "CFG-NUMBER-INTERRUPTS",
            "There is an interrupt for everything that needs one.",
            "x86-64: devices on virtio-mmio have GSIs 16 to 23. arm64: MSIs of GICv2m, SMMUs and virtio-mmio have SPIs "
            "from the highest down to interrupt id 64. Use fewer, or a higher gic_nr_irqs. "
            "Source: include/vmrig/resolved.h.",
        },
};

const struct vmr_config_rule rules_host[RULE_HOST_COUNT] = {
    [RULE_HOST_ARCH] =
        {
            "CFG-HOST-ARCH",
            "The hypervisor runs guests of the machine's architecture.",
            "A machine of another architecture can be checked, resolved and described, and runs elsewhere. "
            "Source: include/vmrig/resolved.h.",
        },
    [RULE_HOST_VPS] =
        {
            "CFG-HOST-VPS",
            "The hypervisor has as many VPs as the machine.",
            "`vmrig probe` says how many each can. Source: the backend's capabilities.",
        },
    [RULE_HOST_ADDRESS_BITS] =
        {
            "CFG-HOST-ADDRESS-BITS",
            "The machine ends within the addresses that the hypervisor has.",
            "The layout is the same everywhere, and a host with few address bits cannot hold a large one: less RAM, or "
            "smaller windows. Source: CPUID leaf 0x80000008; the backend's capabilities.",
        },
    [RULE_HOST_X2APIC] =
        {
            "CFG-HOST-X2APIC",
            "The hypervisor's APICs have the mode that the machine needs.",
            "APIC ids from 255 on need x2APIC, and `enabled` asks for it. Source: Intel SDM vol. 3, 11.12.",
        },
    [RULE_HOST_GIC] =
        {
            "CFG-HOST-GIC",
            "The hypervisor has the interrupt controller that the machine names.",
            "Not every hypervisor has GICv2, nor every processor. Leave gic_config away to take what is there. "
            "Source: KVM API, KVM_DEV_TYPE_ARM_VGIC_V2.",
        },
    [RULE_HOST_ITS] =
        {
            "CFG-HOST-ITS",
            "The hypervisor has the ITS that the machine names.",
            "Use gic_msi \"auto\" or {\"v2m\": {}}. Source: KVM API, KVM_DEV_TYPE_ARM_VGIC_ITS.",
        },
    [RULE_HOST_NESTED] =
        {
            "CFG-HOST-NESTED",
            "The hypervisor gives guests virtualization of their own, if the machine asks for it.",
            "KVM does where the host's kernel module has it turned on; other hypervisors have their own switches. "
            "Source: the backend's capabilities.",
        },
    [RULE_HOST_VTL2] =
        {
            "CFG-HOST-VTL2",
            "The hypervisor has VTLs, if the machine has a VTL 2.",
            "`vmrig probe` shows the capability vtl where it has; today the mock does. "
            "Source: the backend's capabilities.",
        },
    [RULE_HOST_ISOLATION] =
        {
            "CFG-HOST-ISOLATION",
            "The hypervisor has the isolation that the machine asks for.",
            "Source: the backend's capabilities. VBS goes with VTLs; SNP and TDX need processors and backends that "
            "have "
            "them.",
        },
};
