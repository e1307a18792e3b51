/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What hypervisors disagree on, one row a profile. Every row keeps the contract;
 * docs/profiles.md says what each column imitates.
 */

#include "vmrig/backend.h"
#include "vmrig/mock.h"

enum profile_kick {
    PROFILE_KICK_CLEAN,  /* latched until the run ends; a new run starts without it */
    PROFILE_KICK_STICKY, /* latched until a step returns CANCEL, be it in a later run: then it is spurious */
    PROFILE_KICK_RESENT  /* only seen inside the guest, where it is repeated until it is */
};

enum profile_window {
    PROFILE_WINDOW_LEVEL, /* an exit before every step while it is wanted and open */
    PROFILE_WINDOW_ONCE,  /* one exit a request */
    PROFILE_WINDOW_CANCEL /* VMR_EXIT_CANCEL that says interrupt_ready */
};

enum profile_dirty {
    PROFILE_DIRTY_BITMAP, /* the processor marks a page when it is written */
    PROFILE_DIRTY_PROTECT /* a clean page is closed for writing: the fault marks and opens it, a take closes it again */
};

struct mock_profile {
    const char *name;
    uint64_t caps;
    uint32_t vp_count_max;
    uint8_t physical_bits;
    uint8_t irqchips; /* bits: 1 << enum vmr_irqchip */
    enum profile_kick kick;
    enum profile_window window;
    enum profile_dirty dirty;
    uint32_t outs_items, ins_items; /* of a string instruction in one exit, at most */
    bool single_item_is_plain;      /* a string exit of one item looks like IN or OUT */
    uint64_t lacks; /* classes of a VP's state that cannot be reached, and MSRs of theirs: 1 << enum vmr_vp_class */
    bool apic_lacks_cmci;         /* the local vector table has six entries */
    bool apic_keeps_eoi;          /* the guest may have no EOI broadcast, where the IO-APIC is outside */
    uint64_t no_hypercall_result; /* what a hypercall leaves that nobody takes */
};

static inline bool profile_has_class(const struct mock_profile *profile, unsigned vp_class)
{
    return (profile->lacks >> vp_class & 1) == 0;
}

/* NULL for a number that is none. */
const struct mock_profile *profile_get(enum vmr_mock_profile profile);
/* NULL for a name that is none. */
const struct mock_profile *profile_find(const char *name);
