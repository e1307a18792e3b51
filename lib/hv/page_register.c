/* SPDX-License-Identifier: MIT */
/* What a guest's write of such a register may hold, without asking where RAM is: that may have changed since. */

#include "lib/hv/page_register.h"

#include <inttypes.h>

#include "vmrig/hv_synic.h"
#include "vmrig/limits.h"

enum vmr_status page_register_check(uint64_t value, const char *class_name, const char *field, struct vmr_error *err)
{
    if ((value & HV_PAGE_RESERVED) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: %s: %#" PRIx64 " has reserved bits", class_name, field, value);
    if ((value & HV_PAGE_ENABLE) != 0 && value >> VMR_PHYSICAL_BITS_MAX != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: %s: %#" PRIx64 " has more than %u bits of address", class_name,
                             field, value, VMR_PHYSICAL_BITS_MAX);
    return VMR_OK;
}

void page_register_apply(struct overlay *page, uint64_t value)
{
    if ((value & HV_PAGE_ENABLE) == 0)
        overlay_withdraw(page);
    else
        overlay_adopt(page, value & ~(uint64_t)(VMR_PAGE_SIZE - 1));
}

enum vmr_status page_content_restore(struct overlay *page, const uint8_t content[VMR_PAGE_SIZE], const char *class_name,
                                     struct vmr_error *err)
{
    if (overlay_set_content(page, content) == VMR_OK)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "%s: content: the page at %#" PRIx64 " is no RAM, and holds nothing",
                         class_name, page->gpa);
}

enum vmr_status page_restore(struct overlay *page, uint64_t value, const uint8_t content[VMR_PAGE_SIZE],
                             const char *class_name, struct vmr_error *err)
{
    enum vmr_status status = page_register_check(value, class_name, "value", err);

    if (status)
        return status;
    page_register_apply(page, value);
    return page_content_restore(page, content, class_name, err);
}
