/* SPDX-License-Identifier: MIT */
/* What a VM must have in common with another to be restored from it. */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#define REGION_BYTES 24u
#define REGION_READ_ONLY 1u
#define REGION_VTL2 2u

/* vp_count 4, irqchip 4 */
void topology_encode_machine(struct writer *writer, const struct vmr_partition *partition)
{
    writer_le32(writer, vmr_partition_vp_count(partition));
    writer_le32(writer, (uint32_t)vmr_partition_irqchip(partition));
}

bool topology_decode_machine(struct vmr_snapshot *snapshot, const uint8_t *bytes, size_t length)
{
    struct reader reader;

    reader_init(&reader, bytes, length);
    uint32_t vp_count = reader_le32(&reader);
    uint32_t irqchip = reader_le32(&reader);

    if (!reader_ok(&reader) || reader_left(&reader) > 0 || vp_count == 0 || vp_count > VMR_VP_COUNT_MAX ||
        irqchip >= VMR_IRQCHIP_COUNT)
        return false;
    snapshot->info.vp_count = vp_count;
    snapshot->info.irqchip = (enum vmr_irqchip)irqchip;
    return true;
}

/* Each: gpa 8, size 8, flags 4, zero 4 */
enum vmr_status topology_encode_regions(struct writer *writer, struct vmr_memory *memory)
{
    struct vmr_memory_region region;

    for (size_t i = 0; vmr_memory_region_get(memory, i, &region); i++) {
        writer_le64(writer, region.gpa);
        writer_le64(writer, region.size);
        writer_le32(writer, (region.read_only ? REGION_READ_ONLY : 0) | (region.vtl2 ? REGION_VTL2 : 0));
        writer_le32(writer, 0);
    }
    return writer_ok(writer) ? VMR_OK : VMR_E_NOMEM;
}

static bool decode_region(struct reader *reader, vmr_gpa behind, struct vmr_memory_region *ret_region)
{
    struct vmr_memory_region region = {.gpa = reader_le64(reader)};

    region.size = reader_le64(reader);
    uint32_t flags = reader_le32(reader);
    uint64_t end = UINT64_C(1) << VMR_PHYSICAL_BITS_MAX;

    region.read_only = (flags & REGION_READ_ONLY) != 0;
    region.vtl2 = (flags & REGION_VTL2) != 0;
    if (reader_le32(reader) != 0 || (flags & ~(REGION_READ_ONLY | REGION_VTL2)) != 0 || !reader_ok(reader))
        return false;
    if (region.gpa % VMR_PAGE_SIZE != 0 || region.size % VMR_PAGE_SIZE != 0 || region.size == 0)
        return false;
    if (region.gpa < behind || region.gpa >= end || region.size > end - region.gpa)
        return false;
    *ret_region = region;
    return true;
}

enum vmr_status topology_decode_regions(struct vmr_snapshot *snapshot, const uint8_t *bytes, size_t length)
{
    size_t count = length / REGION_BYTES;
    struct reader reader;
    vmr_gpa behind = 0;

    if (length % REGION_BYTES != 0 || count > VMR_MEMORY_REGION_MAX)
        return VMR_E_CORRUPT;
    snapshot->regions = calloc(count > 0 ? count : 1, sizeof(*snapshot->regions));
    if (!snapshot->regions)
        return VMR_E_NOMEM;
    reader_init(&reader, bytes, length);
    for (size_t i = 0; i < count; i++) {
        if (!decode_region(&reader, behind, &snapshot->regions[i]))
            return VMR_E_CORRUPT;
        behind = snapshot->regions[i].gpa + snapshot->regions[i].size;
        snapshot->info.memory_size += snapshot->regions[i].size;
    }
    snapshot->region_count = snapshot->info.region_count = count;
    return VMR_OK;
}

static enum vmr_status check_regions(const struct vmr_snapshot *snapshot, struct vmr_memory *memory,
                                     struct vmr_error *err)
{
    struct vmr_memory_region region;

    if (vmr_memory_region_count(memory) != snapshot->region_count)
        return vmr_error_set(err, VMR_E_CONFIG, "snapshot: section 'regions': %zu regions, the VM has %zu",
                             snapshot->region_count, vmr_memory_region_count(memory));
    for (size_t i = 0; i < snapshot->region_count; i++) {
        const struct vmr_memory_region *saved = &snapshot->regions[i];

        if (!vmr_memory_region_get(memory, i, &region) || region.gpa != saved->gpa || region.size != saved->size ||
            region.read_only != saved->read_only || region.vtl2 != saved->vtl2)
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "snapshot: section 'regions': region %zu at %#" PRIx64 ", %#" PRIx64
                                 " bytes, is not the VM's",
                                 i, saved->gpa, saved->size);
    }
    return VMR_OK;
}

enum vmr_status topology_check(const struct vmr_snapshot *snapshot, const struct vmr_snapshot_parts *parts,
                               struct vmr_error *err)
{
    uint32_t vp_count = vmr_partition_vp_count(parts->partition);

    if (snapshot->info.vp_count != vp_count)
        return vmr_error_set(err, VMR_E_CONFIG, "snapshot: section 'machine': %u VPs, the VM has %u",
                             snapshot->info.vp_count, vp_count);
    if (snapshot->info.irqchip != vmr_partition_irqchip(parts->partition))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "snapshot: section 'machine': interrupt controllers are elsewhere than the VM's: "
                             "'irqchip' %u, the VM has %u",
                             snapshot->info.irqchip, vmr_partition_irqchip(parts->partition));
    if (snapshot->info.has_clock && !parts->clock)
        return vmr_error_set(err, VMR_E_CONFIG, "snapshot: section 'clock': the VM has no clock of its own");
    if (!snapshot->info.has_clock && parts->clock)
        return vmr_error_set(err, VMR_E_CONFIG, "snapshot: section 'clock' is missing, and the VM has a clock");
    return check_regions(snapshot, vmr_partition_memory(parts->partition), err);
}
