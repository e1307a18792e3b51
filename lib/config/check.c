/* SPDX-License-Identifier: MIT */
/*
 * The one check of a configuration: fields by themselves first, then each part
 * against the others, in the order of the document.
 */

#include "lib/config/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/checked.h"
#include "lib/config/check_tables.h"
#include "lib/config/order.h"

#define FOUR_GIB (UINT64_C(1) << 32)
#define X86_ZONE UINT64_C(0xfe000000)   /* I/O APIC, local APICs, TPM, firmware */
#define ARM64_ZONE UINT64_C(0xef000000) /* interrupt controller, serial ports */

/* --- helpers --- */

const struct config_path *at(struct check *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(check->path.text, sizeof(check->path.text), format, arguments);
    va_end(arguments);
    return &check->path;
}

bool list_is_usable(const void *items, size_t count)
{
    return count == 0 || (items && count <= VMR_CONFIG_LIST_MAX);
}

bool is_x86(const struct check *check)
{
    return check->config.arch == VMR_ARCH_X86_64;
}

bool is_arm64(const struct check *check)
{
    return check->config.arch == VMR_ARCH_ARM64;
}

bool is_hardware_isolated(const struct check *check)
{
    enum vmr_isolation isolation = check->config.hypervisor.with_isolation;

    return isolation == VMR_ISOLATION_SNP || isolation == VMR_ISOLATION_TDX;
}

bool blob_is_given(const struct vmr_config_blob *blob)
{
    return blob->path || blob->bytes;
}

bool is_multiple(uint64_t value, uint64_t unit)
{
    return value % unit == 0;
}

bool round_up(uint64_t value, uint64_t unit, uint64_t *ret_rounded)
{
    uint64_t sum;

    if (!checked_add_u64(value, unit - 1, &sum))
        return false;
    *ret_rounded = sum / unit * unit;
    return true;
}

uint32_t check_vp_count(const struct check *check)
{
    uint32_t count = check->config.processor_topology.proc_count;

    return count == 0 ? 1 : count;
}

struct vmr_gpa_range check_chipset_low_mmio(const struct check *check)
{
    const struct vmr_optional_u32 *given = &check->config.layout.chipset_low_mmio_size;
    uint64_t size = is_arm64(check) ? VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_ARM64 : VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_X86;
    uint64_t zone = FOUR_GIB - (is_arm64(check) ? ARM64_ZONE : X86_ZONE);

    if (given->given)
        round_up(given->value, VMR_PAGE_SIZE, &size);
    if (size < zone)
        size = zone;
    return (struct vmr_gpa_range){.start = FOUR_GIB - size, .end = FOUR_GIB};
}

void check_vnode(struct check *check, const struct vmr_optional_u32 *vnode, const struct config_path *place)
{
    if (vnode->given && check->nodes_known && vnode->value >= check->config.numa.node_count)
        FOUND(check, &rules_numa[RULE_NUMA_VNODE], place, "node %" PRIu32 ", and there are %zu", vnode->value,
              check->config.numa.node_count);
}

/* --- the whole --- */

static void empty_unusable(const void *items, size_t *count, size_t count_max)
{
    if (!items || *count > count_max)
        *count = 0;
}

/* What can be walked of the lists, and what is known of the counts. */
static void prepare(struct check *check)
{
    struct vmr_config *config = &check->config;
    size_t node_count = config->numa.node_count;

    empty_unusable(config->floppy_disks, &config->floppy_disk_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->ide_disks, &config->ide_disk_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->pcie_root_complexes, &config->pcie_root_complex_count, VMR_CONFIG_ROOT_COMPLEX_MAX);
    empty_unusable(config->pcie_devices, &config->pcie_device_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->pcie_switches, &config->pcie_switch_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->pcie_generic_initiators, &config->pcie_generic_initiator_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->vpci_devices, &config->vpci_device_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->numa.nodes, &config->numa.node_count, VMR_CONFIG_NUMA_NODE_MAX);
    empty_unusable(config->numa.distances, &config->numa.distance_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->virtio_devices, &config->virtio_device_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->custom_uefi_vars.custom_vars, &config->custom_uefi_vars.custom_var_count,
                   VMR_CONFIG_LIST_MAX);
    empty_unusable(config->vmbus_devices, &config->vmbus_device_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->chipset_devices, &config->chipset_device_count, VMR_CONFIG_LIST_MAX);
    empty_unusable(config->pci_chipset_devices, &config->pci_chipset_device_count, VMR_CONFIG_LIST_MAX);
    check->nodes_known = config->numa.node_count == node_count;
    check->vps_known = config->processor_topology.proc_count <= VMR_CONFIG_VP_MAX;
}

static void check_tables(struct check *check)
{
    config_check_tables(&check->config, check->report);
}

enum vmr_status vmr_config_check(const struct vmr_config *config, struct vmr_config_report *report)
{
    static void (*const parts[])(struct check *) = {
        check_load,       check_disks,         check_pcie,  check_vpci,    check_numa,   check_processors,
        check_hypervisor, check_chipset,       check_vmbus, check_display, check_virtio, check_vmgs,
        check_uefi,       check_vmbus_devices, check_board, check_layout,  check_tables,
    };
    struct check check = {.config = *config, .report = report};
    size_t before = report_total(report), first = report->count;

    check_fields(&check, config);
    prepare(&check);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !check.out_of_memory; i++)
        parts[i](&check);
    if (!order_findings(report, first, &check.arena))
        check.out_of_memory = true;
    arena_finish(&check.arena);
    if (check.out_of_memory)
        return VMR_E_NOMEM;
    return report_total(report) == before ? VMR_OK : VMR_E_CONFIG;
}
