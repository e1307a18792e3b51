/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A page that belongs to the hypervisor and that the guest may place over its
 * RAM: SIMP, SIEFP, the reference TSC page (TLFS, Overlay Pages).
 *
 * The content belongs to the overlay: zero at first, kept here while the page
 * is nowhere, in guest RAM while it is placed, and carried along when it moves.
 * What the guest had under it is gone.
 *
 * The page is not pinned: its region may be removed under it. Accesses then
 * fail with VMR_E_GUEST until the guest places it elsewhere, and what it held
 * is lost. The caller has a lock.
 */

#include "vmrig/memory.h"

struct overlay {
    struct vmr_memory *memory;
    bool placed;
    vmr_gpa gpa;                    /* while placed */
    uint8_t content[VMR_PAGE_SIZE]; /* while not */
};

/* The overlay is zeroed. */
void overlay_init(struct overlay *overlay, struct vmr_memory *memory);

/*
 * Copies the content to the page at `guest_gpa`; at the same page as before
 * nothing happens. VMR_E_GUEST, and nothing changed, unless it is an aligned
 * page of RAM that the guest can write.
 */
enum vmr_status overlay_place(struct overlay *overlay, vmr_gpa guest_gpa);
/* Takes the content back. Nothing happens to an overlay that is nowhere. */
void overlay_withdraw(struct overlay *overlay);
/* Nowhere, and zero; the guest page keeps what it has. */
void overlay_reset(struct overlay *overlay);

/* --- for saving and restoring --- */

/* The page's content; zero if its page has been taken from under it. */
void overlay_content(const struct overlay *overlay, uint8_t ret_content[VMR_PAGE_SIZE]);
/* It lies there already, with its content in what is there: nothing is copied, and it need not be RAM. */
void overlay_adopt(struct overlay *overlay, vmr_gpa gpa);
/* Writes what differs. VMR_E_GUEST, and nothing written: it differs, and the page is gone. */
enum vmr_status overlay_set_content(struct overlay *overlay, const uint8_t content[VMR_PAGE_SIZE]);

/* The range lies inside the page. */
enum vmr_status overlay_read(const struct overlay *overlay, uint32_t offset, void *ret_bytes, size_t length);
enum vmr_status overlay_write(struct overlay *overlay, uint32_t offset, const void *bytes, size_t length);
/* As vmr_memory_fetch_or: also against a guest that runs. */
enum vmr_status overlay_fetch_or(struct overlay *overlay, uint32_t offset, unsigned width, uint64_t mask,
                                 uint64_t *ret_old);
