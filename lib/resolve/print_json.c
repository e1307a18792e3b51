/* SPDX-License-Identifier: MIT */
/*
 * A resolved machine for programs: all of it, as JSON. Addresses are texts in
 * hexadecimal, as JSON's numbers are not wide enough everywhere.
 */

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrig/resolved.h"

/* Every value goes through these; a NULL that memory has run out for makes the whole NULL in the end. */
static void put(json_t *object, const char *key, json_t *value, bool *failed)
{
    *failed |= json_object_set_new(object, key, value) != 0;
}

struct json_out {
    json_t *object;
    bool failed;
};

static json_t *hex(uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%#" PRIx64, value);
    return json_string(text);
}

static void put_number(struct json_out *out, const char *key, uint64_t value)
{
    put(out->object, key, json_integer((json_int_t)value), &out->failed);
}

static void put_hex(struct json_out *out, const char *key, uint64_t value)
{
    put(out->object, key, value == 0 ? json_string("0x0") : hex(value), &out->failed);
}

static void put_text(struct json_out *out, const char *key, const char *text)
{
    put(out->object, key, json_string(text), &out->failed);
}

static void put_flag(struct json_out *out, const char *key, bool value)
{
    put(out->object, key, json_boolean(value), &out->failed);
}

/* Left out where there is none. */
static void put_index(struct json_out *out, const char *key, uint32_t index)
{
    if (index != VMR_RESOLVED_NONE)
        put_number(out, key, index);
}

static void put_range(struct json_out *out, const char *key, const struct vmr_gpa_range *range)
{
    char text[64];

    if (range->start >= range->end)
        return;
    (void)snprintf(text, sizeof(text), "0x%" PRIx64 "-0x%" PRIx64, range->start, range->end - 1);
    put_text(out, key, text);
}

/* A list in `out` of what `fill` makes of each of `count` elements. */
static void put_list(struct json_out *out, const char *key, const struct vmr_resolved *machine, size_t count,
                     void (*fill)(struct json_out *item, const struct vmr_resolved *machine, size_t index))
{
    json_t *list = json_array();

    for (size_t i = 0; i < count && list; i++) {
        struct json_out item = {.object = json_object()};

        fill(&item, machine, i);
        out->failed |= item.failed || json_array_append_new(list, item.object) != 0;
    }
    put(out->object, key, list, &out->failed);
}

/* --- processors and nodes --- */

static void fill_vp(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_resolved_vp *vp = &machine->processors.vps[index];

    if (machine->config->arch == VMR_ARCH_X86_64)
        put_number(item, "apic_id", vp->apic_id);
    else
        put_hex(item, "mpidr", vp->mpidr);
    put_number(item, "vnode", vp->vnode);
    put_number(item, "socket", vp->socket);
    put_number(item, "core", vp->core);
    put_number(item, "thread", vp->thread);
}

static void put_gic(struct json_out *out, const struct vmr_resolved_gic *gic)
{
    static const char *const msi[VMR_GIC_MSI_CONFIG_COUNT] = {"auto", "its", "v2m"};
    struct json_out item = {.object = json_object()};

    put_number(&item, "version", gic->version == VMR_GIC_V2 ? 2 : 3);
    put_range(&item, "distributor", &gic->distributor);
    put_range(&item, "redistributors", &gic->redistributors);
    put_range(&item, "cpu_interface", &gic->cpu_interface);
    put_number(&item, "nr_irqs", gic->nr_irqs);
    put_number(&item, "virt_timer_ppi", gic->virt_timer_ppi);
    put_number(&item, "vmbus_ppi", gic->vmbus_ppi);
    if (gic->pmu_gsiv.given)
        put_number(&item, "pmu_gsiv", gic->pmu_gsiv.value);
    put_flag(&item, "pmu_disabled", gic->pmu_disabled);
    put_text(&item, "msi", msi[gic->msi]);
    put_range(&item, "its", &gic->its);
    put_range(&item, "v2m", &gic->v2m);
    if (gic->v2m_spi_count > 0) {
        put_number(&item, "v2m_spi_base", gic->v2m_spi_base);
        put_number(&item, "v2m_spi_count", gic->v2m_spi_count);
    }
    put(out->object, "gic", item.object, &out->failed);
    out->failed |= item.failed;
}

static void put_processors(struct json_out *out, const struct vmr_resolved *machine)
{
    static const char *const x2apic[VMR_X2APIC_COUNT] = {"unsupported", "supported", "enabled"};
    const struct vmr_resolved_processors *processors = &machine->processors;
    struct json_out item = {.object = json_object()};

    put_number(&item, "vp_count", processors->vp_count);
    put_number(&item, "vps_per_socket", processors->vps_per_socket);
    put_number(&item, "socket_count", processors->socket_count);
    put_flag(&item, "smt", processors->smt);
    if (processors->gic)
        put_gic(&item, processors->gic);
    else
        put_text(&item, "x2apic", x2apic[processors->x2apic]);
    put_list(&item, "vps", machine, processors->vp_count, fill_vp);
    put(out->object, "processors", item.object, &out->failed);
    out->failed |= item.failed;
}

static void fill_node(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_resolved_numa *numa = &machine->numa;
    json_t *distances = json_array();

    put_number(item, "vp_count", numa->nodes[index].vp_count);
    put_hex(item, "mem_size", numa->nodes[index].mem ? numa->nodes[index].mem->mem_size : 0);
    for (size_t i = 0; i < numa->node_count && distances; i++)
        item->failed |=
            json_array_append_new(distances, json_integer(numa->distances[index * numa->node_count + i])) != 0;
    put(item->object, "distances", distances, &item->failed);
}

/* --- addresses --- */

static void fill_placement(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_placement *placement = &machine->memory.placements[index];

    put_text(item, "tag", placement->tag);
    put_text(item, "phase", vmr_layout_phase_name(placement->phase));
    put_range(item, "range", &placement->range);
}

static void fill_ram(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    put_range(item, "range", &machine->memory.ram[index].range);
    put_number(item, "vnode", machine->memory.ram[index].vnode);
}

static void fill_virtio(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    put_number(item, "device", machine->virtio_mmio[index].device);
    put_range(item, "range", &machine->virtio_mmio[index].range);
    put_number(item, "irq", machine->virtio_mmio[index].irq);
}

static void put_memory(struct json_out *out, const struct vmr_resolved *machine)
{
    const struct vmr_resolved_memory *memory = &machine->memory;
    struct json_out item = {.object = json_object()};

    put_hex(&item, "ram_size", memory->ram_size);
    put_list(&item, "ram", machine, memory->ram_count, fill_ram);
    put_range(&item, "chipset_low_mmio", &memory->chipset_low_mmio);
    put_range(&item, "chipset_high_mmio", &memory->chipset_high_mmio);
    put_range(&item, "vtl2_chipset_mmio", &memory->vtl2_chipset_mmio);
    put_range(&item, "vtl2_ram", &memory->vtl2_ram);
    put_range(&item, "vtl2_framebuffer", &memory->vtl2_framebuffer);
    put_range(&item, "virtio_mmio", &memory->virtio_mmio);
    put_hex(&item, "top", memory->top);
    put_number(&item, "physical_bits_needed", machine->physical_bits_needed);
    put_list(&item, "placements", machine, memory->placement_count, fill_placement);
    put(out->object, "memory", item.object, &out->failed);
    out->failed |= item.failed;
}

/* --- PCI Express --- */

static void fill_port(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_resolved_port *port = &machine->pcie.ports[index];

    put_text(item, "name", port->config->name);
    put_number(item, "root_complex", port->root_complex);
    put_index(item, "parent_switch", port->parent_switch);
    put_number(item, "bus", port->bus);
    put_number(item, "devfn", port->devfn);
    put_number(item, "secondary_bus", port->secondary_bus);
    put_number(item, "subordinate_bus", port->subordinate_bus);
    put_index(item, "child_switch", port->child_switch);
    put_index(item, "device", port->device);
    put_index(item, "initiator_node", port->initiator_node);
}

static void fill_switch(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_resolved_switch *one = &machine->pcie.switches[index];

    put_text(item, "name", one->config->name);
    put_number(item, "parent_port", one->parent_port);
    put_number(item, "upstream_bus", one->upstream_bus);
    put_number(item, "internal_bus", one->internal_bus);
    put_number(item, "first_port", one->first_port);
    put_number(item, "port_count", one->port_count);
    put_number(item, "depth", one->depth);
}

static void fill_iommu(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    static const char *const kinds[VMR_PCIE_IOMMU_COUNT] = {"none", "amd_vi", "smmu", "intel_vtd"};
    const struct vmr_resolved_iommu *iommu = &machine->pcie.iommus[index];

    put_text(item, "kind", kinds[iommu->kind]);
    put_number(item, "root_complex", iommu->root_complex);
    put_range(item, "mmio", &iommu->mmio);
    if (iommu->kind == VMR_PCIE_IOMMU_SMMU) {
        put_number(item, "event_spi", iommu->event_spi);
        put_number(item, "error_spi", iommu->error_spi);
    }
}

static void fill_complex(struct json_out *item, const struct vmr_resolved *machine, size_t index)
{
    const struct vmr_resolved_root_complex *complex = &machine->pcie.root_complexes[index];

    put_text(item, "name", complex->config->name);
    put_number(item, "segment", complex->config->segment);
    put_number(item, "start_bus", complex->config->start_bus);
    put_number(item, "end_bus", complex->config->end_bus);
    put_range(item, "ecam", &complex->ecam);
    put_hex(item, "ecam_base", complex->ecam_base);
    put_range(item, "low_mmio", &complex->low_mmio);
    put_range(item, "high_mmio", &complex->high_mmio);
    put_range(item, "cxl_hdm", &complex->cxl_hdm);
    put_range(item, "cxl_chbcr", &complex->cxl_chbcr);
    put_number(item, "first_port", complex->first_port);
    put_number(item, "port_count", complex->port_count);
    put_index(item, "iommu", complex->iommu);
    put_index(item, "vnode", complex->vnode);
}

static void put_pcie(struct json_out *out, const struct vmr_resolved *machine)
{
    const struct vmr_resolved_pcie *pcie = &machine->pcie;
    struct json_out item = {.object = json_object()};

    put_list(&item, "root_complexes", machine, pcie->root_complex_count, fill_complex);
    put_list(&item, "ports", machine, pcie->port_count, fill_port);
    put_list(&item, "switches", machine, pcie->switch_count, fill_switch);
    put_list(&item, "iommus", machine, pcie->iommu_count, fill_iommu);
    put(out->object, "pcie", item.object, &out->failed);
    out->failed |= item.failed;
}

enum vmr_status vmr_resolved_print_json(const struct vmr_resolved *resolved, struct vmr_config_text *ret_text,
                                        struct vmr_error *err)
{
    struct json_out out = {.object = json_object()};
    char *bytes = NULL;

    put_text(&out, "arch", resolved->config->arch == VMR_ARCH_X86_64 ? "x86_64" : "arm64");
    put_processors(&out, resolved);
    put_list(&out, "nodes", resolved, resolved->numa.node_count, fill_node);
    put_memory(&out, resolved);
    put_list(&out, "virtio_mmio", resolved, resolved->virtio_mmio_count, fill_virtio);
    put_pcie(&out, resolved);
    if (!out.failed)
        bytes = json_dumps(out.object, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(out.object);
    if (!bytes)
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    *ret_text = (struct vmr_config_text){.bytes = bytes, .length = strlen(bytes)};
    return VMR_OK;
}
