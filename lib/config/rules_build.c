/* SPDX-License-Identifier: MIT */
/*
 * Rules of building: a configuration that breaks one is right, and asks for what
 * is not there.
 */

#include "lib/config/rules.h"

const struct vmr_config_rule rules_build[RULE_BUILD_COUNT] = {
    [RULE_BUILD_ARCH] =
        {
            "CFG-BUILD-ARCH",
            "Machines that can be built are x86-64.",
            "Configurations of arm64 machines can be checked, resolved and described to a guest; no hypervisor of this "
            "build runs them. Source: what this library has.",
        },
    [RULE_BUILD_LOAD_MODE] =
        {
            "CFG-BUILD-LOAD-MODE",
            "A machine starts with a firmware image, or with nothing.",
            "There is no loader for the other modes: use {\"firmware\": {\"image\": PATH}}, for example with SeaBIOS, "
            "or "
            "\"none\" and load memory and registers yourself. Source: what this library has.",
        },
    [RULE_BUILD_DEVICE] =
        {
            "CFG-BUILD-DEVICE",
            "Every device that is asked for exists.",
            "The library has no such device, bus or store, and leaves nothing out silently: take it from the "
            "configuration. Source: what this library has.",
        },
    [RULE_BUILD_CONTROLLERS] =
        {
            "CFG-BUILD-CONTROLLERS",
            "PIC and IO-APIC are both there.",
            "A chipset that names its parts must name both interrupt controllers: they are one on the hypervisors that "
            "have them, and so they are in the library. Source: KVM API, KVM_CREATE_IRQCHIP.",
        },
    [RULE_BUILD_CAPABILITY] =
        {
            "CFG-BUILD-CAPABILITY",
            "The chipset says of itself what it has.",
            "A guest that is told of a part that is not there looks for it in vain. Leave chipset_capabilities away, "
            "or "
            "let them say what `chipset` says. Source: what firmware tells of a board.",
        },
    [RULE_BUILD_RESOURCE] =
        {
            "CFG-BUILD-RESOURCE",
            "Every resource's id is in the registry.",
            "The id is looked up in the registry of device types: the library's own, and what the embedder has added "
            "with vmr_resource_registry_add. Source: include/vmrig/resource.h.",
        },
    [RULE_BUILD_PARAMETER] =
        {
            "CFG-BUILD-PARAMETER",
            "A resource's parameters are those that its type takes.",
            "Each is known to the type, of its kind and in its range, and none that is required is missing. "
            "Source: include/vmrig/resource.h.",
        },
    [RULE_BUILD_TWICE] =
        {
            "CFG-BUILD-TWICE",
            "A part of the board is there once.",
            "The part has ports of its own, and there is one of each. Source: include/vmrig/platform.h.",
        },
    [RULE_BUILD_TOPOLOGY] =
        {
            "CFG-BUILD-TOPOLOGY",
            "VPs are the cores of one socket, and their APIC ids are their indices.",
            "Local APICs have the VP's index as their id, and CPUID tells of no threads and no further sockets. Leave "
            "vps_per_socket, enable_smt and apic_id_offset away. Source: include/vmrig/irqchip.h.",
        },
    [RULE_BUILD_NUMA] =
        {
            "CFG-BUILD-NUMA",
            "Memory and VPs are one node.",
            "No table tells the guest of nodes here, so it would use them wrongly. Source: ACPI 6.5, 5.2.16.",
        },
    [RULE_BUILD_BACKING] =
        {
            "CFG-BUILD-BACKING",
            "Each piece of RAM is a whole number of its huge pages.",
            "The layout cuts RAM where devices lie. Choose smaller huge pages, or a size that is a multiple of them on "
            "both sides of the gap below 4 GiB. Source: mmap(2).",
        },
    [RULE_BUILD_RAM] =
        {
            "CFG-BUILD-RAM",
            "RAM begins at 0 with at least 1 MiB.",
            "Firmware works in the first megabyte, and finds its own copy at the end of it. Source: Intel SDM vol. 3, "
            "10.1.4.",
        },
    [RULE_BUILD_CLOCK] =
        {
            "CFG-BUILD-CLOCK",
            "The real-time clock begins in the years 1970 to 9999.",
            "rtc_delta_milliseconds is added to the time that the machine would show, and the clock has four digits "
            "for "
            "the year. Source: MC146818A data sheet.",
        },
    [RULE_BUILD_FILE] =
        {
            "CFG-BUILD-FILE",
            "What is loaded can be read and is what it should be.",
            "The message has the reason of the reader, or what is wrong with the size. Relative paths are relative to "
            "the folder of the configuration file. Source: include/vmrig/machine_build.h.",
        },
    [RULE_BUILD_FEATURE] =
        {
            "CFG-BUILD-FEATURE",
            "What the configuration turns on can be done.",
            "Nothing here implements it, and nothing is passed over. Source: what this library has.",
        },
};
