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
    char name[12]; /* an ACPI signature ("FACP"), "RSDP", "SMBIOS3" (the anchor), "SMBIOS", "E820", "DTB" */
    vmr_gpa gpa;   /* where it belongs; what points to it says so. 0: not in guest memory by itself (E820) */
    const uint8_t *bytes;
    size_t size;
};

struct vmr_firmware_tables_options {
    /*
     * Where tables go, one behind the other, but the RSDP, the anchor of SMBIOS and the DTB. 0: on x86-64 0xe1000, or,
     * if there is no room below 0xf0000, the end of the RAM below 4 GiB; 2 MiB into RAM on arm64.
     */
    vmr_gpa base;
    vmr_gpa rsdp;                /* 0: 0xe0000; arm64: a page before `base` */
    vmr_gpa smbios;              /* 0: 0xf0000; arm64: behind the tables */
    vmr_gpa dtb;                 /* 0: behind all others */
    const char *cmdline;         /* of the device tree's /chosen; NULL: the configuration's */
    struct vmr_gpa_range initrd; /* of /chosen; empty: none */
    /* What was read from the configuration's custom_dsdt where that is a path. `bytes` NULL: the configuration's. */
    struct vmr_config_blob dsdt;
    /* What the host decides: MSI controller of arm64 when the configuration leaves it open. AUTO: the ITS with a GICv3.
     */
    enum vmr_gic_msi_config msi;
    struct vmr_optional_u32 pmu_gsiv;
};

struct vmr_firmware_tables {
    const struct vmr_firmware_table *tables; /* ascending addresses, none overlaps */
    size_t table_count;
};

/*
 * All tables that the machine needs: on x86-64 ACPI, SMBIOS and the E820 map; on
 * arm64 ACPI and SMBIOS, or the device tree where Linux boots by one, or both
 * where nothing is loaded. `options` may be NULL.
 *
 * VMR_E_CONFIG, findings: what has no room (a table area that is full, a command
 * line too long, tables of a size that their format cannot say). VMR_E_NOMEM.
 * Any thread. [TAB-1] to [TAB-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_firmware_tables_build(const struct vmr_resolved *resolved,
                                                                 const struct vmr_firmware_tables_options *options,
                                                                 struct vmr_firmware_tables **ret_tables,
                                                                 struct vmr_config_report *report);
VMR_API void vmr_firmware_tables_destroy(struct vmr_firmware_tables *tables); /* NULL is fine */
/* NULL: there is none of this name. */
VMR_API const struct vmr_firmware_table *vmr_firmware_tables_find(const struct vmr_firmware_tables *tables,
                                                                  const char *name);

VMR_END_DECLS
