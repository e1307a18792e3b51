/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hypervisors that run their VPs themselves (VMR_CAP_MANAGED): each VP has a
 * thread of the hypervisor's, which runs it from a start to a stop; nobody else
 * binds or runs one. What the guest asks for on the way, the library answers as
 * it always does: the thread calls the library, and that enters the guest by
 * the table's own vp_enter, vp_run and vp_kick. So there is one run loop, and a
 * VP that halts says so by its exit.
 *
 *   begin ─> { start ─> stop }* ─> end
 *   each VP's thread:  vp_begin ─> { vp_serve | vp_run }* ─> vp_end
 *
 * Threads are made through the host (struct vmr_vm_config), so that a scheduling
 * host has them in its hands. [MGD-1]
 */

#include "vmrig/backend.h"

VMR_BEGIN_DECLS

/* The library, for the threads: each function on the VP's own, and with no lock of the hypervisor's held. */
struct vmr_managed_vps {
    /* Before anything else. What goes wrong is kept: the others are called all the same. */
    void (*vp_begin)(void *context, vmr_vp_index vp);
    /* Once or more after each `ask`, unless vp_run is called: does what is to be done on the thread of a VP at rest. */
    void (*vp_serve)(void *context, vmr_vp_index vp);
    /*
     * Between a start and the stop: does the same, and then runs the guest until it halts or there is something else
     * to do. True: to be called again at once. False: the VP rests until the next start.
     */
    bool (*vp_run)(void *context, vmr_vp_index vp);
    /* After everything else. */
    void (*vp_end)(void *context, vmr_vp_index vp);
    void *context;
};

struct vmr_backend_managed {
    /*
     * Gives each VP its thread, which rests. `vps` is there until `end` has returned. What fails leaves no thread:
     * those that began have ended. Once between two calls of `end`.
     */
    enum vmr_status (*begin)(struct vmr_backend_vm *vm, const struct vmr_managed_vps *vps, struct vmr_error *err);
    /* Ends the threads, and waits for them; no VP is between vp_enter and vp_leave, or it has been asked to leave. */
    void (*end)(struct vmr_backend_vm *vm);

    /* --- any thread, with locks of the library's held: these return at once, and call nothing of `vps` --- */

    /* VPs rest, and are stopped. Their threads call vp_run, from where the VPs are. On failure they do not. */
    enum vmr_status (*start)(struct vmr_backend_vm *vm, struct vmr_error *err);
    /*
     * No vp_run begins from now on, but for one whose turn it was already. VPs stay where they are: a hypervisor whose
     * own word for that is "pause" pauses. The library makes those return that are under way, and waits for them.
     * From any state.
     */
    void (*stop)(struct vmr_backend_vm *vm);
    /* The VP's thread calls vp_serve, or vp_run, soon. */
    void (*ask)(struct vmr_backend_vm *vm, vmr_vp_index vp);
};

VMR_END_DECLS
