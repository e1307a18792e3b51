/* SPDX-License-Identifier: MIT */
/*
 * VTLs of a partition's interface: made with it, and what the run loop and the
 * partition ask about them. The rules are in vtls.c and guest_pages.c, the
 * calls in calls_vtl.c, refused accesses in vtl_fault.c.
 */

#include <inttypes.h>

#include "lib/base/bytes.h"
#include "lib/hv/guest.h"
#include "lib/memory/memory.h"

/* --- isolation types --- */

static const uint8_t hv_isolations[VMR_ISOLATION_COUNT] = {
    [VMR_ISOLATION_NONE] = HV_PARTITION_ISOLATION_NONE,
    [VMR_ISOLATION_VBS] = HV_PARTITION_ISOLATION_VBS,
    [VMR_ISOLATION_SNP] = HV_PARTITION_ISOLATION_SNP,
    [VMR_ISOLATION_TDX] = HV_PARTITION_ISOLATION_TDX,
};

bool vmr_isolation_is_isolated(enum vmr_isolation isolation)
{
    return isolation != VMR_ISOLATION_NONE;
}

bool vmr_isolation_is_hardware(enum vmr_isolation isolation)
{
    return isolation == VMR_ISOLATION_SNP || isolation == VMR_ISOLATION_TDX;
}

uint8_t vmr_isolation_to_hv(enum vmr_isolation isolation)
{
    return (unsigned)isolation < VMR_ISOLATION_COUNT ? hv_isolations[isolation] : HV_PARTITION_ISOLATION_NONE;
}

bool vmr_isolation_from_hv(uint8_t hv_isolation, enum vmr_isolation *ret_isolation)
{
    for (unsigned i = 0; i < VMR_ISOLATION_COUNT; i++) {
        if (hv_isolations[i] == hv_isolation) {
            *ret_isolation = (enum vmr_isolation)i;
            return true;
        }
    }
    return false;
}

/* --- making --- */

static enum vmr_status check_config(const struct vmr_hv_guest *guest, struct vmr_error *err)
{
    const struct vmr_hv_config *config = &guest->config;

    if ((unsigned)config->isolation >= VMR_ISOLATION_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "hv.isolation: %u is no type of isolation",
                             (unsigned)config->isolation);
    if (vmr_isolation_is_hardware(config->isolation))
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "hv.isolation: the processor's own isolation (type %u) is not here",
                             (unsigned)config->isolation);
    if (!guest->target.protect && config->vtl2)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "hv.vtl2: the hypervisor has no VTLs");
    if (!guest->target.protect && config->isolation)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "hv.isolation: the hypervisor has no VTLs");
    if (guest_has_vtls(guest) || (!config->vtl2 && !config->isolation)) {
        if (config->isolation && !config->vtl2)
            return vmr_error_set(err, VMR_E_CONFIG, "hv.isolation: an isolated partition needs hv.vtl2");
        return VMR_OK;
    }
    return vmr_error_set(err, VMR_E_CONFIG, "hv.privileges_off: VTL 2 and isolation need hypercalls and the SynIC");
}

static bool guard_allows(void *context, uint8_t vtl, vmr_gpa guest_gpa, bool write)
{
    struct vmr_hv_guest *guest = context;

    return guest_pages_allow(&guest->pages, vtl, guest_gpa / VMR_PAGE_SIZE,
                             write ? HV_MAP_GPA_WRITABLE : HV_MAP_GPA_READABLE);
}

static bool hides(void *context, vmr_gpa gpa, size_t length)
{
    struct vmr_hv_guest *guest = context;

    return guest_pages_hide(&guest->pages, gpa, length);
}

enum vmr_status guest_vtls_init(struct vmr_hv_guest *guest, struct vmr_error *err)
{
    const struct vmr_hv_config *config = &guest->config;
    const struct guest_pages_options options = {
        .host = guest->host,
        .highest = vmr_hv_vtl_highest(config, &guest->target),
        .isolated = vmr_isolation_is_isolated(config->isolation),
        .late_map = config->vtl2 ? config->vtl2->late_map : NULL,
        .protect = guest->target.protect,
        .context = guest->target.context,
    };

    guest->vtls = (struct vtls){.host = guest->host,
                                .vp_count = guest->vp_count,
                                .highest = options.highest,
                                .first = config->vtl2 ? VMR_VTL2 : VMR_VTL0};
    enum vmr_status status = check_config(guest, err);

    if (status || !guest_has_vtls(guest))
        return status;
    if (vtls_init(&guest->vtls))
        return vmr_error_set(err, VMR_E_NOMEM, "VTLs: no memory for %" PRIu32 " VPs", guest->vp_count);
    status = guest_pages_init(&guest->pages, &options, err);
    guest->config.vtl2 = NULL; /* the caller's */
    guest->calls.guard = (struct vmr_hv_memory_guard){.allows = guard_allows, .context = guest};
    if (!status && options.isolated)
        memory_set_guard(guest->memory, &(struct memory_guard){.hides = hides, .context = guest});
    return status;
}

void guest_vtls_finish(struct vmr_hv_guest *guest)
{
    if (guest->pages.options.isolated)
        memory_set_guard(guest->memory, NULL);
    guest_pages_finish(&guest->pages);
    vtls_finish(&guest->vtls);
}

/* --- for the run loop --- */

uint8_t vmr_hv_guest_vtl(const struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    return vp < guest->vp_count ? vtls_active(&guest->vtls, vp) : 0;
}

bool vmr_hv_guest_restarted(const struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    return guest_has_vtls(guest) && guest->vtls.vps[vp].restarted;
}

void vmr_hv_guest_restart_taken(struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    guest->vtls.vps[vp].restarted = false;
}

void guest_tell_entry(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint32_t reason)
{
    uint8_t bytes[4];

    store_le32(bytes, reason);
    /* Fails if the page's region was removed: then nobody reads it. */
    (void)overlay_write(&guest->vps[vp].assists[vtl].page, HV_VTL_ENTRY_REASON, bytes, sizeof(bytes));
}

bool vmr_hv_guest_preempts(struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    return guest_has_vtls(guest) && vtls_wanted(&guest->vtls, vp) != 0;
}

bool vmr_hv_guest_preempt(struct vmr_hv_guest *guest, vmr_vp_index vp, struct vmr_hv_entry *ret_entry)
{
    uint8_t wanted = guest_has_vtls(guest) ? vtls_wanted(&guest->vtls, vp) : 0;

    if (wanted == 0 || !vtls_enter(&guest->vtls, vp, wanted, ret_entry))
        return false;
    guest_tell_entry(guest, vp, wanted, HV_VTL_ENTRY_INTERRUPT);
    return true;
}

bool vmr_hv_guest_vector(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t *ret_vector)
{
    return guest_has_vtls(guest) && vtls_vector(&guest->vtls, vp, ret_vector);
}

void vmr_hv_guest_vector_taken(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vector)
{
    vtls_vector_taken(&guest->vtls, vp, vector);
}

/* --- for the partition --- */

enum vmr_status vmr_hv_guest_region_added(struct vmr_hv_guest *guest, const struct vmr_memory_region *region,
                                          struct vmr_error *err)
{
    return guest_has_vtls(guest) ? guest_pages_add(&guest->pages, region, err) : VMR_OK;
}

void vmr_hv_guest_region_removed(struct vmr_hv_guest *guest, const struct vmr_memory_region *region)
{
    if (guest_has_vtls(guest))
        guest_pages_remove(&guest->pages, region);
}

enum vmr_status vmr_hv_guest_region_remapped(struct vmr_hv_guest *guest, const struct vmr_memory_region *region,
                                             struct vmr_error *err)
{
    return guest_has_vtls(guest) ? guest_pages_tell(&guest->pages, region, err) : VMR_OK;
}

static enum vmr_status say(enum guest_pages_result result, vmr_gpa gpa, struct vmr_error *err)
{
    switch (result) {
    case GUEST_PAGES_OK:
        return VMR_OK;
    case GUEST_PAGES_NO_RAM:
        return vmr_error_set(err, VMR_E_CONFIG, "page at %#" PRIx64 ": there is no RAM", gpa);
    case GUEST_PAGES_STATE:
        return vmr_error_set(err, VMR_E_CONFIG, "page at %#" PRIx64 ": it was accepted already", gpa);
    case GUEST_PAGES_NO_MEMORY:
        break;
    }
    return vmr_error_set(err, VMR_E_HOST, "page at %#" PRIx64 ": the hypervisor does not take it", gpa);
}

enum vmr_status vmr_hv_guest_accept_initial(struct vmr_hv_guest *guest, const struct vmr_initial_pages *pages,
                                            size_t count, struct vmr_error *err)
{
    vmr_gpa bad = 0;

    if (!vmr_isolation_is_isolated(guest->config.isolation))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "accepting pages: the partition is not isolated");
    for (size_t i = 0; i < count; i++) {
        if ((unsigned)pages[i].visibility > VMR_PAGE_SHARED)
            return vmr_error_set(err, VMR_E_CONFIG, "pages[%zu].visibility: %u is none", i,
                                 (unsigned)pages[i].visibility);
    }
    enum guest_pages_result result = guest_pages_accept_all(&guest->pages, pages, count, &bad);

    return say(result, bad, err);
}

static enum vmr_status check_vtls(const struct vmr_hv_guest *guest, uint8_t vtl, struct vmr_error *err)
{
    if (!guest_has_vtls(guest))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "VTLs: the partition has none");
    if (vtl > guest->vtls.highest)
        return vmr_error_set(err, VMR_E_CONFIG, "VTL %u: the highest of the partition is %u", vtl, guest->vtls.highest);
    return VMR_OK;
}

enum vmr_status vmr_hv_guest_modify_page(struct vmr_hv_guest *guest, uint64_t page, uint32_t flags,
                                         struct vmr_error *err)
{
    enum vmr_status status = check_vtls(guest, 0, err);
    uint8_t highest = guest->vtls.highest;

    if (!status && (flags & ~HV_MAP_GPA_PERMISSIONS_ALL) != 0)
        status = vmr_error_set(err, VMR_E_CONFIG, "page %#" PRIx64 ": flags %#" PRIx32 " hold more than permissions",
                               page, flags);
    for (uint8_t target = 0; !status && target < highest; target++)
        status =
            say(guest_pages_protect(&guest->pages, highest, target, page, (uint8_t)flags), page * VMR_PAGE_SIZE, err);
    return status;
}

enum vmr_status vmr_hv_guest_map_vtl(struct vmr_hv_guest *guest, uint8_t vtl, const struct vmr_page_range *range,
                                     bool mapped, struct vmr_error *err)
{
    enum vmr_status status = check_vtls(guest, vtl, err);

    return status ? status : say(guest_pages_map(&guest->pages, vtl, range, mapped), range->gpa, err);
}

bool vmr_hv_guest_is_hole(struct vmr_hv_guest *guest, uint8_t vtl, vmr_gpa gpa)
{
    return guest_has_vtls(guest) && vtl < guest_vtl_count(guest) &&
           guest_pages_is_hole(&guest->pages, vtl, gpa / VMR_PAGE_SIZE);
}

bool vmr_hv_guest_page_visibility(struct vmr_hv_guest *guest, vmr_gpa gpa, enum vmr_page_visibility *ret_visibility)
{
    return guest_has_vtls(guest) &&
           guest_pages_visibility(&guest->pages, gpa / VMR_PAGE_SIZE, ret_visibility) == GUEST_PAGES_OK;
}

/* --- registers --- */

static uint64_t code_page_offsets(bool is_64)
{
    return is_64 ? HV_PAGE_VTL_CALL_64 | (uint64_t)HV_PAGE_VTL_RETURN_64 << 12
                 : HV_PAGE_VTL_CALL_32 | (uint64_t)HV_PAGE_VTL_RETURN_32 << 12;
}

bool vmr_hv_guest_vsm_register(struct vmr_hv_guest *guest, vmr_vp_index vp, bool is_64, uint32_t name,
                               uint64_t *ret_value)
{
    if (!guest_has_vtls(guest) || vp >= guest->vp_count)
        return false;
    switch (name) {
    case HV_REGISTER_VSM_CODE_PAGE_OFFSETS:
        *ret_value = code_page_offsets(is_64);
        return true;
    case HV_REGISTER_VSM_VP_STATUS:
        *ret_value = vtls_active(&guest->vtls, vp) | (uint64_t)vtls_enabled_on(&guest->vtls, vp) << 16;
        return true;
    case HV_REGISTER_VSM_PARTITION_STATUS:
        *ret_value = vtls_enabled(&guest->vtls) | (uint64_t)guest->vtls.highest << 16;
        return true;
    case HV_REGISTER_VSM_CAPABILITIES:
        *ret_value = 0;
        return true;
    default:
        return false;
    }
}
