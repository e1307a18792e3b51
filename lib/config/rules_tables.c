/* SPDX-License-Identifier: MIT */
/*
 * Rules of the firmware tables.
 */

#include "lib/config/rules.h"

const struct vmr_config_rule rules_tables[RULE_TABLES_COUNT] = {
    [RULE_TABLES_DSDT] =
        {
            "CFG-TABLES-DSDT",
            "What was read from the file of a custom DSDT is one whole table with that signature.",
            "A guest's ACPI interpreter refuses any other, and then finds no device. Give the compiled table (.aml), "
            "as a compiler or a dump of /sys/firmware/acpi/tables/DSDT has it. Source: ACPI 6.5, 5.2.6.",
        },
    [RULE_TABLES_DSDT_BYTES] =
        {
            "CFG-TABLES-DSDT-BYTES",
            "Tables are made with the bytes of a custom DSDT, not with the path of a file.",
            "Making tables opens no file. Read the file first, and hand its bytes over in the options. "
            "Source: vmrig/firmware_tables.h.",
        },
    [RULE_TABLES_CMDLINE] =
        {
            "CFG-TABLES-CMDLINE",
            "A command line in a device tree has at most 2047 bytes.",
            "Linux on arm64 cuts what is longer, without a word that reaches the user. "
            "Source: Linux, COMMAND_LINE_SIZE of arm64.",
        },
    [RULE_TABLES_TREE_CXL] =
        {
            "CFG-LOAD-TREE-CXL",
            "A machine that boots by device tree has no CXL.",
            "CXL host bridges and their memory windows are described by ACPI's CEDT; no device tree binding says the "
            "same. Boot with ACPI. Source: CXL 3.0, 9.17.1.",
        },
    [RULE_TABLES_TREE_INITIATOR] =
        {
            "CFG-LOAD-TREE-INITIATOR",
            "A machine that boots by device tree has no generic initiators.",
            "Generic initiators are entries of ACPI's SRAT; no device tree binding says the same. Boot with ACPI, or "
            "give the root complex a vnode. Source: ACPI 6.5, 5.2.16.6.",
        },
    [RULE_TABLES_ALIGNMENT] =
        {
            "CFG-TABLES-ALIGNMENT",
            "A place given for tables has the alignment of what lies there.",
            "Guests look for anchors at multiples of 16 only; the tables begin at a page, and a device tree at a "
            "multiple of 8. Source: ACPI 6.5, 5.2.5.1; DSP0134 3.6.0, 5.2.2; Devicetree Specification 0.4, 5.1.",
        },
    [RULE_TABLES_NOT_RAM] =
        {
            "CFG-TABLES-NOT-RAM",
            "Tables and the initial RAM disk lie in RAM.",
            "A guest reads them from its memory. On a PC this needs 1 MiB of RAM at address 0; elsewhere choose a "
            "place that the address map has as RAM. Source: vmrig/firmware_tables.h.",
        },
    [RULE_TABLES_OVERLAP] =
        {
            "CFG-TABLES-OVERLAP",
            "No table overlaps another, or the initial RAM disk.",
            "Two places that the caller chose are too near to each other for what lies there. Move one. "
            "Source: vmrig/firmware_tables.h.",
        },
    [RULE_TABLES_NO_ROOM] =
        {
            "CFG-TABLES-NO-ROOM",
            "There is room for the tables below 4 GiB.",
            "Tables that are too large for the BIOS area go to the end of the RAM below 4 GiB, but behind the first "
            "MiB, and there is too little of it. Add memory, or give fewer processors, nodes or root complexes. "
            "Source: vmrig/firmware_tables.h.",
        },
    [RULE_TABLES_TREE_SIZE] =
        {
            "CFG-TABLES-TREE-SIZE",
            "A device tree has at most 2 MiB.",
            "Linux maps no more of it. Give fewer devices. Source: Linux, Documentation/arch/arm64/booting.rst.",
        },
};
