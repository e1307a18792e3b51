/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: a port read is answered with what the read before it got, as by a backend that fills its run page
 * after the entry instead of before. [EXIT-8]
 */

#include "../example.h"

/* Behind what the example keeps of a VP: the room is asked for in the table, below. */
static uint64_t *last_answer(struct vmr_backend_vp *vp)
{
    return (uint64_t *)(void *)((char *)vp + example_backend()->vp_size);
}

static void swap_answer(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.direction == VMR_READ) {
        uint64_t answer = vp_exit->u.io.value;

        vp_exit->u.io.value = *last_answer(vp);
        *last_answer(vp) = answer;
    }
}

static void run_with_stale(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    swap_answer(vp, vp_exit);
    example_backend()->vp_run(vp, vp_exit);
}

static void complete_with_stale(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    swap_answer(vp, vp_exit);
    example_backend()->vp_complete(vp, vp_exit);
}

const struct vmr_backend *vmrig_backend(void)
{
    static struct vmr_backend broken;

    broken = *example_backend();
    broken.base = example_backend();
    broken.name = "stale-answer";
    broken.description = "the example, which answers a read with the answer before";
    broken.vp_size += sizeof(uint64_t);
    broken.vp_run = run_with_stale;
    broken.vp_complete = complete_with_stale;
    return &broken;
}
