/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupts of virtual devices, as a VMBus offers PCI functions to a guest
 * (TLFS, HvCallRetargetDeviceInterrupt).
 *
 * An embedder maps an interrupt when the guest asks its device for one, and
 * gives the guest the message that stands for it. The device signals that
 * message; the guest aims it anew by hypercall, whenever it likes.
 *
 *   vmr_hv_guest_map_interrupt ──> message ──> the guest's driver ──> RetargetDeviceInterrupt
 *                                     └──────> vmr_hv_guest_signal_interrupt, from the device
 *
 * The message names an entry of a table and is nothing that a local APIC knows:
 * no other device can raise it by a write to memory.
 */

#include "vmrig/hv_guest.h"

VMR_BEGIN_DECLS

struct vmr_hv_interrupt {
    uint8_t vector; /* 16 and above */
    bool multicast; /* to each of `vps`; else to the first of them */
    struct vmr_hv_vp_set vps;
};

/*
 * VMR_E_CONFIG: a vector below 16, or no VP of the partition in the set;
 * VMR_E_NOMEM: no memory, or VMR_HV_DEVICE_INTERRUPT_MAX are mapped. Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_map_interrupt(struct vmr_hv_guest *guest, uint64_t device_id,
                                                                  const struct vmr_hv_interrupt *interrupt,
                                                                  struct vmr_msi *ret_msi, struct vmr_error *err);
/* What is not mapped for this device stays as it is. A signal that has begun may still be delivered. Any thread. */
VMR_API void vmr_hv_guest_unmap_interrupt(struct vmr_hv_guest *guest, uint64_t device_id, const struct vmr_msi *msi);
/* Raises it where the guest wants it now. VMR_E_GUEST: it is not mapped for this device. Any thread. */
VMR_API enum vmr_status vmr_hv_guest_signal_interrupt(struct vmr_hv_guest *guest, uint64_t device_id,
                                                      const struct vmr_msi *msi);

VMR_END_DECLS
