/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What firmware tells an operating system about a resolved machine: ACPI and
 * SMBIOS tables, the E820 map, on arm64 a device tree.
 *
 * A pure function of the resolved machine and the options. Byte for byte the same
 * everywhere, so that golden files can hold them. [TAB-1]
 */

#include "vmrig/resolved.h"

VMR_BEGIN_DECLS

struct vmr_firmware_table {
    char name[12]; /* "RSDP", "FACP", "DSDT", "SSDT", "SMBIOS3", "SMBIOS", "E820", "DTB" */
    vmr_gpa gpa;   /* where it belongs; what points to it says so. 0: not in guest memory by itself (E820) */
    const uint8_t *bytes;
    size_t size;
};

struct vmr_firmware_tables_options {
    /* Where tables go, but the RSDP, the anchor of SMBIOS and the DTB. 0: 0xe1000 on x86-64, 2 MiB into RAM on arm64.
     */
    vmr_gpa base;
    vmr_gpa rsdp;                /* 0: 0xe0000; arm64: before `base` */
    vmr_gpa smbios;              /* 0: 0xf0000; arm64: behind the tables */
    const char *cmdline;         /* of the device tree's /chosen; NULL: the configuration's */
    struct vmr_gpa_range initrd; /* of /chosen; empty: none */
    /* What the host decides: MSI controller of arm64 when the configuration leaves it open. */
    enum vmr_gic_msi_config msi;
    struct vmr_optional_u32 pmu_gsiv;
};

struct vmr_firmware_tables {
    const struct vmr_firmware_table *tables; /* ascending addresses, none overlaps */
    size_t table_count;
};

/*
 * All tables that the machine needs. VMR_E_CONFIG, findings: what has no room
 * (a table area that is full, a command line too long, tables of a size that
 * their format cannot say). Any thread. [TAB-1] to [TAB-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_firmware_tables_build(const struct vmr_resolved *resolved,
                                                                 const struct vmr_firmware_tables_options *options,
                                                                 struct vmr_firmware_tables **ret_tables,
                                                                 struct vmr_config_report *report);
VMR_API void vmr_firmware_tables_destroy(struct vmr_firmware_tables *tables); /* NULL is fine */
/* NULL: there is none of this name. The first, where several have it (SSDT). */
VMR_API const struct vmr_firmware_table *vmr_firmware_tables_find(const struct vmr_firmware_tables *tables,
                                                                  const char *name);

VMR_END_DECLS
