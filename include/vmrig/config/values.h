/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The small values that a configuration is made of.
 *
 * A configuration is plain data: zero is the default of every field, pointers
 * are borrowed from whoever made it, and nothing in it is ever written.
 * Optional numbers say whether they were given, as zero may be a choice.
 */

#include "vmrig/limits.h"
#include "vmrig/types.h"

VMR_BEGIN_DECLS

struct vmr_optional_bool {
    bool given, value;
};

struct vmr_optional_u8 {
    bool given;
    uint8_t value;
};

struct vmr_optional_u16 {
    bool given;
    uint16_t value;
};

struct vmr_optional_u32 {
    bool given;
    uint32_t value;
};

struct vmr_optional_u64 {
    bool given;
    uint64_t value;
};

/* In the order of its text form: 00112233-4455-6677-8899-aabbccddeeff is data1 0x00112233, data2 0x4455, ... */
struct vmr_guid {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
};

/* Guest physical addresses from `start` up to, without, `end`. Text form: "0xe0000000-0xefffffff", both inclusive. */
struct vmr_gpa_range {
    vmr_gpa start;
    vmr_gpa end;
};

/* Bytes that are in a file, or that the embedder has. Text form: the path. None: both NULL. */
struct vmr_config_blob {
    const char *path;  /* opened by whoever builds the machine */
    const void *bytes; /* comes before `path` */
    size_t size;       /* of `bytes` */
};

/*
 * --- resources: devices and what they stand on ---
 *
 * A resource is named, not made: {kind, id, parameters}. The kind follows from
 * where it stands in the configuration; whoever builds the machine looks the id
 * up in a registry (vmrig/resource.h) that devices and embedders extend.
 */

enum vmr_resource_kind {
    VMR_RESOURCE_CHIPSET_DEVICE,
    VMR_RESOURCE_LEGACY_PCI_DEVICE,
    VMR_RESOURCE_ISA_DMA,
    VMR_RESOURCE_PCI_DEVICE, /* behind a PCIe port, or as VPCI */
    VMR_RESOURCE_VIRTIO_DEVICE,
    VMR_RESOURCE_VMBUS_DEVICE,
    VMR_RESOURCE_DISK,
    VMR_RESOURCE_SCSI_DEVICE,
    VMR_RESOURCE_KIND_COUNT
};
/* "chipset-device", "disk", ...; "unknown" for a number that is none. Any thread. */
VMR_API const char *vmr_resource_kind_name(enum vmr_resource_kind kind);

enum vmr_parameter_kind {
    VMR_PARAMETER_BOOL,
    VMR_PARAMETER_NUMBER, /* unsigned; sizes with a unit are numbers too */
    VMR_PARAMETER_TEXT,
    VMR_PARAMETER_RESOURCE, /* what this one stands on, such as the disk of a block device */
    VMR_PARAMETER_KIND_COUNT
};

struct vmr_resource;

struct vmr_parameter {
    const char *name;
    enum vmr_parameter_kind kind;
    bool flag;
    uint64_t number;
    const char *text;
    const struct vmr_resource *resource;
};

/* None: `id` NULL. */
struct vmr_resource {
    const char *id; /* "disk-file", "virtio-blk", ... */
    const struct vmr_parameter *parameters;
    size_t parameter_count;
};

VMR_END_DECLS
