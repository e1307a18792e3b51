/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Monitored notifications (TLFS, Monitored Notifications): a page in which a
 * guest sets bits instead of calling the hypervisor. The page is kept from the
 * guest's writes, so that each becomes an exit, and always reads as zero: a bit
 * never stays set, and every setting of it is a signal. Latency, the armed
 * halves and the group enables mean nothing here.
 *
 * Registrations and the page are words of their own: a trigger on one VP goes
 * on while another thread moves the page, and meets the old one or the new.
 */

#include "lib/hv/complain.h"
#include "vmrig/hv_synic.h"

struct monitor {
    const struct vmr_host *host;
    _Atomic uint64_t gpa;                              /* MONITOR_NO_PAGE: none */
    _Atomic uint64_t connections[HV_MONITOR_ID_COUNT]; /* the connection id, and MONITOR_REGISTERED */
    struct complaint unregistered, outside;
};

#define MONITOR_NO_PAGE UINT64_MAX
#define MONITOR_REGISTERED (UINT64_C(1) << 32)

struct monitor_sink {
    void (*signal)(void *context, uint32_t connection_id);
    void *context;
};

void monitor_init(struct monitor *monitor, const struct vmr_host *host);

/* VMR_E_CONFIG for an id that does not exist or is taken. */
enum vmr_status monitor_register(struct monitor *monitor, uint32_t id, uint32_t connection_id, struct vmr_error *err);
/* The id is registered. */
void monitor_unregister(struct monitor *monitor, uint32_t id);

/* Page aligned, or MONITOR_NO_PAGE. Returns the one before. */
uint64_t monitor_exchange_page(struct monitor *monitor, uint64_t gpa);
uint64_t monitor_page(const struct monitor *monitor);

/* One bit of the page was set, counted from its beginning. Signals at most once. */
void monitor_write_bit(struct monitor *monitor, uint32_t guest_bit, const struct monitor_sink *sink);
/*
 * A write by the guest; false if it does not begin in the page. Signals each
 * pending bit that it sets, lowest id first; one that goes past the trigger
 * groups signals nothing.
 */
bool monitor_check_write(struct monitor *monitor, vmr_gpa guest_gpa, const uint8_t *bytes, size_t length,
                         const struct monitor_sink *sink);
/* A read by the guest; false, and nothing written, if it does not begin in the page. */
bool monitor_check_read(const struct monitor *monitor, vmr_gpa guest_gpa, uint8_t *ret_bytes, size_t length);
