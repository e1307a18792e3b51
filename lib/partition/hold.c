/* SPDX-License-Identifier: MIT */
/*
 * The holder's half; the VP's is partition_wait_for_release, called by the loop.
 *
 * Waiting is a short poll: a VP has been kicked, so it comes out as soon as its
 * processor lets it. Who waits here holds no lock, and whoever records the
 * partition knows of each wait (partition_wait): so two VPs that hold or expel at
 * the same time do not wait for each other, both are out of the guest.
 */

#include "lib/partition/hold.h"

/* Who is waited for: VPs, or with a set those of it but one. */
struct expelled {
    struct vmr_partition *partition;
    const struct vmr_hv_vp_set *vps; /* NULL: all */
    vmr_vp_index except;
    uint32_t bits;
};

/*
 * Left the guest since `bits` were set, or never was in it: a VP that is in it
 * again has taken the bits. Both are looked at as one step of the schedule, so
 * that what is relaxed upon is still true.
 */
static bool is_inside(struct vmr_vp *vp, uint32_t bits)
{
    sync_point(vp->partition->host, &vp->place);
    return atomic_load(&vp->place) == PLACE_GUEST && (atomic_load(&vp->requests) & bits) != 0;
}

static bool is_among(const struct expelled *expelled, vmr_vp_index vp)
{
    return !expelled->vps || (vp != expelled->except && vmr_hv_vp_set_has(expelled->vps, vp));
}

static bool are_out(void *context)
{
    const struct expelled *expelled = context;
    struct vmr_partition *partition = expelled->partition;

    for (vmr_vp_index vp = 0; vp < partition->vp_count; vp++) {
        if (is_among(expelled, vp) && is_inside(&partition->vps[vp], expelled->bits))
            return false;
    }
    return true;
}

/* A host that knows that nothing can change has given the run up. */
static bool expel(struct expelled *expelled)
{
    struct vmr_partition *partition = expelled->partition;
    bool any = false;

    for (vmr_vp_index vp = 0; vp < partition->vp_count; vp++) {
        if (!is_among(expelled, vp))
            continue;
        any = true;
        (void)vp_request(&partition->vps[vp], expelled->bits, NULL);
    }
    return !any || partition_wait(partition, are_out, expelled);
}

static bool is_free(void *context)
{
    struct vmr_partition *partition = context;

    return sync_load_u32(partition->host, &partition->held) == 0;
}

enum vmr_status partition_hold(struct vmr_partition *partition, struct vmr_error *err)
{
    struct expelled all = {.partition = partition, .bits = REQUEST_HOLD};
    uint32_t none = 0;
    bool held = true;

    while (held && !sync_compare_exchange_u32(partition->host, &partition->held, &none, 1)) {
        held = partition_wait(partition, is_free, partition);
        none = 0;
    }
    if (!held)
        return vmr_error_set(err, VMR_E_DEADLOCK, "VPs are held already, and nobody is left to let them go");
    (void)expel(&all);
    return VMR_OK;
}

void partition_release(struct vmr_partition *partition)
{
    sync_store_u32(partition->host, &partition->held, 0);
}

void partition_wait_for_release(struct vmr_vp *vp)
{
    struct vmr_partition *partition = vp->partition;

    /* Before the wait: a holder that comes meanwhile sets it again, and is seen on the way in. */
    (void)sync_fetch_and_u32(partition->host, &vp->requests, ~REQUEST_HOLD);
    (void)partition_wait(partition, is_free, partition);
}

void partition_expel(struct vmr_partition *partition, const struct vmr_hv_vp_set *vps, vmr_vp_index except,
                     uint32_t bits)
{
    struct expelled some = {.partition = partition, .vps = vps, .except = except, .bits = bits};

    (void)expel(&some);
}
