/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: the first kick of each run is forgotten, as by a backend whose flag is set by one thread and
 * cleared by another in between. A guest that makes no exit then runs until somebody kicks again. [RUN-3]
 */

#include "../example.h"

/* Behind what the example keeps of a VP: the room is asked for in the table, below. */
static atomic_bool *was_kicked(struct vmr_backend_vp *vp)
{
    return (atomic_bool *)(void *)((char *)vp + example_backend()->vp_size);
}

static void enter(struct vmr_backend_vp *vp)
{
    atomic_store(was_kicked(vp), false);
    example_backend()->vp_enter(vp);
}

static void kick_the_second_time(struct vmr_backend_vp *vp)
{
    if (atomic_exchange(was_kicked(vp), true))
        example_backend()->vp_kick(vp);
}

const struct vmr_backend *vmrig_backend(void)
{
    static struct vmr_backend broken;

    broken = *example_backend();
    broken.base = example_backend();
    broken.name = "lost-kick";
    broken.description = "the example, which forgets the first kick of a run";
    broken.vp_size += sizeof(atomic_bool);
    broken.vp_enter = enter;
    broken.vp_kick = kick_the_second_time;
    return &broken;
}
