/* SPDX-License-Identifier: MIT */
/*
 * The monitor page: who is registered, and what a write to the page signals.
 * What a signal does, and how the page is kept from the guest, is elsewhere.
 */

#include "lib/hv/monitor.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/checked.h"

/* A group is 8 bytes: the pending word, then the armed word. */
#define GROUP_BITS 64u
#define GROUPS_FIRST_BIT (HV_MONITOR_GROUPS_OFFSET * 8u)

void monitor_init(struct monitor *monitor, const struct vmr_host *host)
{
    monitor->host = host;
    sync_store_u64(host, &monitor->gpa, MONITOR_NO_PAGE);
}

enum vmr_status monitor_register(struct monitor *monitor, uint32_t id, uint32_t connection_id, struct vmr_error *err)
{
    if (id >= HV_MONITOR_ID_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "monitor id %" PRIu32 ": there are only %u", id, HV_MONITOR_ID_COUNT);
    uint64_t taken = 0;

    if (!sync_compare_exchange_u64(monitor->host, &monitor->connections[id], &taken,
                                   MONITOR_REGISTERED | connection_id))
        return vmr_error_set(err, VMR_E_CONFIG, "monitor id %" PRIu32 ": connection %#" PRIx32 " has it already", id,
                             (uint32_t)taken);
    return VMR_OK;
}

void monitor_unregister(struct monitor *monitor, uint32_t id)
{
    sync_store_u64(monitor->host, &monitor->connections[id], 0);
}

uint64_t monitor_exchange_page(struct monitor *monitor, uint64_t gpa)
{
    return sync_exchange_u64(monitor->host, &monitor->gpa, gpa);
}

uint64_t monitor_page(const struct monitor *monitor)
{
    return sync_load_u64(monitor->host, &monitor->gpa);
}

static void trigger(struct monitor *monitor, uint32_t id, const struct monitor_sink *sink)
{
    uint64_t connection = sync_load_u64(monitor->host, &monitor->connections[id]);

    if (connection == 0) {
        complain(monitor->host, &monitor->unregistered, VMR_CULPRIT_GUEST,
                 "monitor page: bit %" PRIu32 " is set, but nobody is registered for it", id);
        return;
    }
    sink->signal(sink->context, (uint32_t)connection);
}

void monitor_write_bit(struct monitor *monitor, uint32_t guest_bit, const struct monitor_sink *sink)
{
    if (guest_bit < GROUPS_FIRST_BIT)
        return;
    uint32_t group = (guest_bit - GROUPS_FIRST_BIT) / GROUP_BITS, bit = (guest_bit - GROUPS_FIRST_BIT) % GROUP_BITS;

    if (group >= HV_MONITOR_GROUP_COUNT || bit >= HV_MONITOR_GROUP_BITS)
        return;
    trigger(monitor, group * HV_MONITOR_GROUP_BITS + bit, sink);
}

static bool is_in_page(const struct monitor *monitor, vmr_gpa guest_gpa)
{
    uint64_t page = monitor_page(monitor);

    return page != MONITOR_NO_PAGE && (guest_gpa & ~(uint64_t)(VMR_PAGE_SIZE - 1)) == page;
}

static void trigger_group(struct monitor *monitor, uint32_t group, uint32_t pending, const struct monitor_sink *sink)
{
    for (uint32_t bit = 0; bit < HV_MONITOR_GROUP_BITS; bit++) {
        if ((pending >> bit & 1) != 0)
            trigger(monitor, group * HV_MONITOR_GROUP_BITS + bit, sink);
    }
}

bool monitor_check_write(struct monitor *monitor, vmr_gpa guest_gpa, const uint8_t *bytes, size_t length,
                         const struct monitor_sink *sink)
{
    uint8_t written[HV_MONITOR_GROUPS_END] = {0};
    uint32_t offset = (uint32_t)(guest_gpa % VMR_PAGE_SIZE);

    if (!is_in_page(monitor, guest_gpa))
        return false;
    if (!range_contains(0, sizeof(written), offset, length)) {
        complain(monitor->host, &monitor->outside, VMR_CULPRIT_GUEST,
                 "monitor page: a write of %zu bytes at offset %#" PRIx32 " goes past the trigger groups", length,
                 offset);
        return true;
    }
    memcpy(written + offset, bytes, length);
    for (uint32_t group = 0; group < HV_MONITOR_GROUP_COUNT; group++)
        trigger_group(monitor, group, load_le32(written + HV_MONITOR_GROUPS_OFFSET + group * 8), sink);
    return true;
}

bool monitor_check_read(const struct monitor *monitor, vmr_gpa guest_gpa, uint8_t *ret_bytes, size_t length)
{
    if (!is_in_page(monitor, guest_gpa))
        return false;
    memset(ret_bytes, 0, length);
    return true;
}
