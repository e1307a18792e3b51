/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Every limit of the library, each with its reason. Decoders refuse above a
 * limit before they allocate. [LIM-1]
 */

/* VP indices ride in 16-bit trace fields; twice what KVM allows on the largest hosts. */
#define VMR_VP_COUNT_MAX 2048u

/* KVM hands string I/O over in one page; longer runs come back as further exits. */
#define VMR_STRING_IO_BYTES_MAX 4096u

/* KVM_USER_MEM_SLOTS is 32764 on x86; hotplug by 128 MiB blocks reaches 4 TiB with this. */
#define VMR_MEMORY_REGION_MAX 32000u
#define VMR_BACKEND_SLOT_MAX (VMR_MEMORY_REGION_MAX + 2u) /* two more: around a page that traps, a region is cut */

/* Ranges on one bus: 4096 PCIe functions with six BARs each still fit. */
#define VMR_BUS_RANGE_MAX 32768u

/* Doorbells on one bus: two for each of 4096 virtio devices. */
#define VMR_BUS_DOORBELL_MAX 8192u

/* Guest physical addresses are at most 52 bits on x86-64 and arm64. */
#define VMR_PHYSICAL_BITS_MAX 52u

/* Elements of a list in a configuration, where nothing smaller holds: distances between all pairs of 64 NUMA nodes. */
#define VMR_CONFIG_LIST_MAX 4096u

/* Resources in resources: a device, its disk, the layers of that, what the last lies on. */
#define VMR_CONFIG_RESOURCE_DEPTH_MAX 8u

/* A backend parameter string is typed by a person. */
#define VMR_SPEC_BYTES_MAX 1024u
#define VMR_SPEC_PARAM_MAX 16u

/* Backends in one set: the five built in, and room for an embedder's. */
#define VMR_BACKEND_MAX 32u

/* Extra CPUID leaves; the largest guests known use under 100. */
#define VMR_CPUID_LEAF_MAX 256u

/* Ranges of MSRs that must exit: lists that people write; KVM's own filter takes 16. */
#define VMR_MSR_RANGE_MAX 1024u

/* GSIs: three IO-APICs' worth, and MSI routes for 4096 vectors. */
#define VMR_GSI_MAX 4096u

/* A guest can ask for a timer that fires every nanosecond, and the clock thread would never sleep; KVM's limit, too. */
#define VMR_LAPIC_PERIOD_NS_MIN 200000u

/* Ranges that VTL 2 may touch before late mapping: its own RAM, which is in a few pieces on each NUMA node. */
#define VMR_LATE_MAP_RANGE_MAX 256u

/* Elements of a rep hypercall that one dispatch does before the guest calls again: what an interrupt may wait for. */
#define VMR_HV_REP_MAX 64u

/* Interrupts of virtual devices: 256 PCI functions behind a VMBus with eight queues each. */
#define VMR_HV_DEVICE_INTERRUPT_MAX 2048u

/*
 * Further exits that one pending exit may cause while it is being finished. A
 * page-crossing, 8-byte string element gives two; anything above is a backend
 * in a loop.
 */
#define VMR_COMPLETION_EXIT_MAX 64u

/* A block of a trace before compression: what a cut loses at most, and what a reader must hold. */
#define VMR_TRACE_BLOCK_BYTES_MAX 65536u
/* The tables and metadata behind a trace's header. */
#define VMR_TRACE_HEADER_BYTES_MAX 65536u
#define VMR_TRACE_META_MAX 64u
/* What a device is given at once of what comes in from outside. */
#define VMR_INPUT_BYTES_MAX 256u

/* What GDB and its stub say in one packet: the registers, 2 KiB of memory; GDB asks for more in pieces. */
#define VMR_GDB_PACKET_MAX 4096u

/* A VMBus has 2,048 channels of two connections each; sixteen times that, for relays and tests. */
#define VMR_SYNIC_PORT_MAX 65536u
/* Messages that wait for one slot: more than a guest that is alive lets pile up, 256 KiB at most. A power of two. */
#define VMR_SYNIC_QUEUE_MAX 1024u
