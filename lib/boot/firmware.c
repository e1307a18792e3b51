/* SPDX-License-Identifier: MIT */
/*
 * Placing a firmware image (Intel SDM vol. 3, 10.1.4: the first instruction is
 * fetched 16 bytes below 4 GiB). The image is bytes from the caller; no path is
 * opened here, and nothing in it is looked at.
 */

#include "lib/boot/firmware.h"

#include "lib/base/plant.h"

#define FOUR_GIB UINT64_C(0x100000000)
#define ONE_MIB UINT64_C(0x100000)

enum vmr_status firmware_check(size_t size, struct vmr_error *err)
{
    if (size == 0)
        return vmr_error_set(err, VMR_E_CONFIG, "firmware: the image is empty");
    if (size > FIRMWARE_SIZE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "firmware: the image of %zu bytes is larger than %u", size,
                             FIRMWARE_SIZE_MAX);
    if (size % FIRMWARE_GRANULE != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "firmware: the image of %zu bytes is not a multiple of %u", size,
                             FIRMWARE_GRANULE);
    return VMR_OK;
}

enum vmr_status firmware_load(struct vmr_memory *memory, const void *bytes, size_t size, struct vmr_error *err)
{
    enum vmr_status status = firmware_check(size, err);
    size_t shadow = size < FIRMWARE_SHADOW_MAX ? size : FIRMWARE_SHADOW_MAX;
    const uint8_t *image = bytes;

    if (status != VMR_OK)
        return status;
    if (!image)
        return vmr_error_set(err, VMR_E_USAGE, "firmware: %zu bytes at no address", size);
    if (vmr_memory_write(memory, ONE_MIB - shadow, image + (size - shadow), shadow) != VMR_OK)
        return vmr_error_set(err, VMR_E_CONFIG, "firmware: there is no RAM for its copy at %#llx",
                             (unsigned long long)(ONE_MIB - shadow));

    const vmr_gpa gpa = FOUR_GIB - size - (PLANT(FIRMWARE_GPA) ? FIRMWARE_GRANULE : 0);
    const struct vmr_memory_region rom = {.gpa = gpa, .size = size, .read_only = true};

    status = vmr_memory_region_add(memory, &rom, err);
    if (status != VMR_OK)
        return status;
    status = vmr_memory_write(memory, rom.gpa, image, size);
    return status == VMR_OK ? VMR_OK : vmr_error_set(err, status, "firmware: its own region refuses the image");
}

enum vmr_status firmware_restore_shadow(struct vmr_memory *memory, size_t size, struct vmr_error *err)
{
    size_t shadow = size < FIRMWARE_SHADOW_MAX ? size : FIRMWARE_SHADOW_MAX;
    enum vmr_status status = VMR_OK;
    uint8_t page[VMR_PAGE_SIZE];

    for (size_t at = 0; at < shadow && status == VMR_OK; at += sizeof(page)) {
        status = vmr_memory_read(memory, FOUR_GIB - shadow + at, page, sizeof(page));
        if (status == VMR_OK)
            status = vmr_memory_write(memory, ONE_MIB - shadow + at, page, sizeof(page));
    }
    return status == VMR_OK ? VMR_OK
                            : vmr_error_set(err, status, "firmware: its copy below 1 MiB cannot be made again");
}
