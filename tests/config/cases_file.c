/* SPDX-License-Identifier: MIT */
/*
 * Cases: what is no configuration file.
 */

#include "tests/config/cases_file.h"

#define NODE "\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GiB\"}}]}"
#define WITH(text) "{" NODE ", " text "}"
#define DEVICE(text) WITH("\"virtio_devices\": [{\"resource\": " text "}]")
#define LINUX(text) WITH("\"load_mode\": {\"linux\": {\"kernel\": \"k\", " text "}}")

const struct file_case cases_file[] = {
    {"CFG-FILE-SYNTAX", "", .text = ""},
    {"CFG-FILE-SYNTAX", "", .text = "{" NODE ",}"},
    {"CFG-FILE-SYNTAX", "", .text = WITH("\"vtl2_gfx\": tru")},
    {"CFG-FILE-SYNTAX", "", .text = "{}\0", .length = 3},
    {"CFG-FILE-ENCODING", "", .text = WITH("\"vga_firmware\": \"\xff\"")},
    {"CFG-FILE-SIZE", "", .text = "{}", .repeated = "                ", .times = (4u << 20) / 16},
    {"CFG-FILE-DEPTH", "", .text = "[]", .repeated = "[", .times = 40},
    {"CFG-FILE-VALUES", "", .text = "[0]", .repeated = ",0", .times = 1u << 18},
    {"CFG-FILE-KEY-UNKNOWN", "numa.node",
     .text = "{\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": 4096}}], \"node\": 1}}"},
    {"CFG-FILE-KEY-TWICE", "vtl2_gfx", .text = WITH("\"vtl2_gfx\": false, \"vtl2_gfx\": false")},
    {"CFG-FILE-TYPE", "vtl2_gfx", .text = WITH("\"vtl2_gfx\": 1")},
    {"CFG-FILE-TYPE", "numa", .text = "{\"numa\": []}"},
    {"CFG-FILE-INTEGER", "processor_topology.proc_count",
     .text = WITH("\"processor_topology\": {\"proc_count\": 1.5}")},
    {"CFG-FILE-NUMBER-FIT", "processor_topology.proc_count",
     .text = WITH("\"processor_topology\": {\"proc_count\": -1}")},
    {"CFG-FILE-NUMBER-FIT", "processor_topology.proc_count",
     .text = WITH("\"processor_topology\": {\"proc_count\": 4294967296}")},
    {"CFG-FILE-NUMBER-FIT", "layout.chipset_high_mmio_size",
     .text = WITH("\"layout\": {\"chipset_high_mmio_size\": \"0x10000000000000000\"}")},
    {"CFG-FILE-NUMBER-TEXT", "layout.chipset_high_mmio_size",
     .text = WITH("\"layout\": {\"chipset_high_mmio_size\": \"1 GB\"}")},
    {"CFG-FILE-NAME-UNKNOWN", "arch", .text = WITH("\"arch\": \"x86\"")},
    {"CFG-FILE-CHOICE", "load_mode", .text = WITH("\"load_mode\": {\"linux\": {}, \"uefi\": {}}")},
    {"CFG-FILE-ITEMS", "load_mode.pcat.boot_order",
     .text = WITH("\"load_mode\": {\"pcat\": {\"firmware\": \"f\", \"boot_order\": [\"floppy\", \"hard_drive\", "
                  "\"optical\", \"network\", \"floppy\"]}}")},
    {"CFG-FILE-TEXT-NUL", "load_mode.linux.cmdline", .text = LINUX("\"cmdline\": \"a\\u0000b\"")},
    {"CFG-FILE-GUID", "vpci_devices[0].instance_id",
     .text = WITH("\"hypervisor\": {\"with_hv\": true}, \"vmbus\": {}, \"vpci_devices\": [{\"instance_id\": \"1\", "
                  "\"resource\": {\"id\": \"a\"}}]")},
    {"CFG-FILE-MAC", "kernel_vmnics[0].mac_address", .text = WITH("\"kernel_vmnics\": [{\"mac_address\": \"1:2\"}]")},
    {"CFG-FILE-RANGE", "pcie_root_complexes[0].low_mmio.fixed",
     .text = WITH("\"pcie_root_complexes\": [{\"name\": \"a\", \"low_mmio\": {\"fixed\": \"0x2000-0x1fff\"}}]")},
    {"CFG-FILE-BYTES", "custom_uefi_vars.custom_vars[0].value",
     .text = WITH("\"hypervisor\": {\"with_hv\": true}, \"load_mode\": {\"uefi\": {\"firmware\": \"f\"}}, "
                  "\"custom_uefi_vars\": {\"custom_vars\": [{\"name\": \"a\", \"attr\": 3, \"value\": \"0\"}]}")},
    {"CFG-FILE-RESOURCE", "virtio_devices[0].resource", .text = DEVICE("{\"parameters\": {\"a\": 1}}")},
    {.text = NULL},
};
