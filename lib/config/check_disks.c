/* SPDX-License-Identifier: MIT */
/*
 * Floppy and IDE disks, and the controllers that they need.
 */

#include "lib/config/check.h"

#define RULE(name) &rules_device[RULE_DEVICE_##name]

#define FLOPPY_MAX 2u /* one on each of two controllers */
#define IDE_CHANNELS 2u
#define IDE_DRIVES 2u

static void check_floppies(struct check *check)
{
    const struct vmr_chipset_config *chipset = &check->config.chipset;
    size_t count = check->config.floppy_disk_count;
    bool full = chipset->winbond_super_io_and_floppy_full;

    if (count == 0)
        return;
    if (!full && !chipset->generic_isa_floppy)
        FOUND(check, RULE(FLOPPY_CONTROLLER), at(check, "floppy_disks"), "%zu disks, and no controller", count);
    else if (!full && count > 1)
        FOUND(check, RULE(FLOPPY_GENERIC_ONE), at(check, "floppy_disks[1]"), "%zu disks", count);
    else if (count > FLOPPY_MAX)
        FOUND(check, RULE(FLOPPY_COUNT), at(check, "floppy_disks[%u]", FLOPPY_MAX), "%zu disks, at most %u", count,
              FLOPPY_MAX);
    if (is_hardware_isolated(check))
        FOUND(check, RULE(FLOPPY_ISOLATED), at(check, "floppy_disks"), "the guest is isolated");
}

static void check_ide_place(struct check *check, size_t index, unsigned *taken)
{
    const struct vmr_ide_config *disk = &check->config.ide_disks[index];

    if (disk->channel >= IDE_CHANNELS || disk->drive >= IDE_DRIVES)
        return;

    unsigned place = disk->channel * IDE_DRIVES + disk->drive;

    if (*taken >> place & 1)
        FOUND(check, RULE(IDE_TAKEN), at(check, "ide_disks[%zu]", index), "channel %u, drive %u has a disk",
              disk->channel, disk->drive);
    *taken |= 1u << place;
}

static void check_ide(struct check *check)
{
    size_t count = check->config.ide_disk_count;
    unsigned taken = 0;

    if (count > 0 && !check->config.chipset.hyperv_ide)
        FOUND(check, RULE(IDE_CONTROLLER), at(check, "ide_disks"), "%zu disks, and no chipset.hyperv_ide", count);
    if (count > 0 && is_hardware_isolated(check))
        FOUND(check, RULE(IDE_ISOLATED), at(check, "ide_disks"), "the guest is isolated");
    for (size_t i = 0; i < count; i++)
        check_ide_place(check, i, &taken);
}

void check_disks(struct check *check)
{
    check_floppies(check);
    check_ide(check);
}
