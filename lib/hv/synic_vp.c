/* SPDX-License-Identifier: MIT */
/*
 * Messages and event flags of one VP.
 *
 * A slot is free when its message's type is 0. One that is not is marked
 * "message pending", and then looked at again: the guest may have freed it
 * before it could see the mark, and would then never write EOM. While anything
 * waits for a slot every poll looks again, so that a guest which frees it
 * without EOM is served at its next exit.
 */

#include "lib/hv/synic_vp.h"

#include <inttypes.h>

#include "lib/base/bytes.h"

#define SINT_AT_RESET HV_SINT_MASKED

enum vmr_status synic_vp_init(struct synic_vp *vp, struct vmr_memory *memory)
{
    enum vmr_status status = sync_mutex_init(&vp->lock, vp->host);

    if (status)
        return status;
    overlay_init(&vp->event_page, memory);
    overlay_init(&vp->message_page, memory);
    synic_vp_reset(vp);
    return VMR_OK;
}

void synic_vp_finish(struct synic_vp *vp)
{
    message_queues_finish(&vp->queues);
    sync_mutex_finish(&vp->lock);
}

void synic_vp_reset(struct synic_vp *vp)
{
    sync_mutex_lock(&vp->lock);
    vp->scontrol = HV_SCONTROL_ENABLE;
    vp->siefp = 0;
    vp->simp = 0;
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        vp->sints[sint] = SINT_AT_RESET;
    overlay_reset(&vp->event_page);
    overlay_reset(&vp->message_page);
    message_queues_clear(&vp->queues);
    vp->stimers = (struct stimers){0};
    vp->deadline_ns = VMR_NEVER;
    sync_store_u32(vp->host, &vp->attention, 0);
    sync_mutex_unlock(&vp->lock);
}

static struct synic_irq irq_of(uint64_t sint_register)
{
    return (struct synic_irq){.vector = (uint8_t)(sint_register & HV_SINT_VECTOR_MASK),
                              .auto_eoi = (sint_register & HV_SINT_AUTO_EOI) != 0};
}

/* --- messages --- */

/* A poll under way. */
struct round {
    struct synic_vp *vp;
    struct synic_raised *raised;
};

/* An event's mark in the message that occupies the slot asks the guest for an EOM. */
static bool slot_is_free(struct synic_vp *vp, unsigned sint)
{
    const uint32_t slot = sint * HV_MESSAGE_BYTES;
    uint8_t type[4];
    uint64_t flags;

    if (overlay_read(&vp->message_page, slot + HV_MESSAGE_TYPE_OFFSET, type, sizeof(type)) != VMR_OK)
        return false; /* the page is gone: wait until the guest places it elsewhere */
    if (load_le32(type) == HV_MESSAGE_TYPE_NONE)
        return true;
    if (overlay_fetch_or(&vp->message_page, slot + HV_MESSAGE_FLAGS_OFFSET, 1, HV_MESSAGE_FLAG_PENDING, &flags) !=
            VMR_OK ||
        overlay_read(&vp->message_page, slot + HV_MESSAGE_TYPE_OFFSET, type, sizeof(type)) != VMR_OK)
        return false;
    return load_le32(type) == HV_MESSAGE_TYPE_NONE;
}

/* The body first, then the type, which says that the rest is there. */
static bool fill_slot(struct synic_vp *vp, unsigned sint, const struct message *message)
{
    const uint32_t slot = sint * HV_MESSAGE_BYTES, body = HV_MESSAGE_LENGTH_OFFSET;
    uint64_t old;

    return overlay_write(&vp->message_page, slot + body, message->bytes + body, HV_MESSAGE_BYTES - body) == VMR_OK &&
           overlay_fetch_or(&vp->message_page, slot + HV_MESSAGE_TYPE_OFFSET, 4,
                            load_le32(message->bytes + HV_MESSAGE_TYPE_OFFSET), &old) == VMR_OK;
}

static void raise_sint(struct round *round, unsigned sint)
{
    const uint64_t value = round->vp->sints[sint];

    if ((value & HV_SINT_POLLING) != 0 || (round->raised->sints & 1u << sint) != 0)
        return;
    round->raised->sints |= 1u << sint;
    round->raised->irqs[round->raised->count++] = irq_of(value);
}

static bool takes_messages(const struct synic_vp *vp, unsigned sint)
{
    return (vp->sints[sint] & (HV_SINT_MASKED | HV_SINT_PROXY)) == 0;
}

static enum delivery deliver_message(void *context, unsigned sint, const struct message *message)
{
    struct round *round = context;

    if (!takes_messages(round->vp, sint))
        return DELIVERY_REFUSED;
    if (!slot_is_free(round->vp, sint) || !fill_slot(round->vp, sint, message))
        return DELIVERY_BUSY;
    raise_sint(round, sint);
    return DELIVERY_DONE;
}

static void drop_message(void *context, unsigned sint, const struct message *message)
{
    struct synic_vp *vp = ((struct round *)context)->vp;

    complain(vp->host, &vp->dropped, VMR_CULPRIT_GUEST,
             "VP %" PRIu32 " VTL %u: SINT %u is masked or a proxy: a message of type %#" PRIx32 " is dropped",
             vp->index, vp->vtl, sint, load_le32(message->bytes + HV_MESSAGE_TYPE_OFFSET));
}

/* --- timers --- */

static void raise_direct(void *context, uint8_t vector)
{
    struct synic_raised *raised = ((struct round *)context)->raised;

    raised->irqs[raised->count++] = (struct synic_irq){.vector = vector};
}

/* Messages that wait come before timers. */
static bool deliver_timer(void *context, unsigned sint, const uint8_t *payload)
{
    struct round *round = context;
    struct message message = {0};

    if (!takes_messages(round->vp, sint) || (round->vp->queues.pending & 1u << sint) != 0 ||
        !slot_is_free(round->vp, sint))
        return false;
    store_le32(message.bytes + HV_MESSAGE_TYPE_OFFSET, HV_MESSAGE_TYPE_TIMER_EXPIRED);
    message.bytes[HV_MESSAGE_LENGTH_OFFSET] = HV_TIMER_PAYLOAD_BYTES;
    for (unsigned i = 0; i < HV_TIMER_PAYLOAD_BYTES; i++)
        message.bytes[HV_MESSAGE_PAYLOAD_OFFSET + i] = payload[i];
    if (!fill_slot(round->vp, sint, &message))
        return false;
    raise_sint(round, sint);
    return true;
}

/* --- polling --- */

bool synic_vp_is_quiet(const struct synic_vp *vp, uint64_t now_ns)
{
    return sync_load_u32(vp->host, &vp->attention) == 0 && now_ns < vp->deadline_ns;
}

void synic_vp_stir(struct synic_vp *vp)
{
    sync_mutex_lock(&vp->lock);
    sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
}

uint64_t synic_vp_poll(struct synic_vp *vp, uint64_t now, struct synic_raised *ret_raised)
{
    struct round round = {.vp = vp, .raised = ret_raised};
    const struct message_sink messages = {.deliver = deliver_message, .dropped = drop_message, .context = &round};
    const struct stimer_sink timers = {.direct = raise_direct, .message = deliver_timer, .context = &round};

    *ret_raised = (struct synic_raised){0};
    sync_mutex_lock(&vp->lock);
    message_queues_deliver(&vp->queues, &messages);
    uint64_t next = stimers_scan(&vp->stimers, now, &timers);
    bool waits = vp->queues.pending != 0 || stimers_are_stalled(&vp->stimers);

    sync_store_u32(vp->host, &vp->attention, waits ? 1 : 0);
    sync_mutex_unlock(&vp->lock);
    return next;
}

/* --- any thread --- */

enum vmr_status synic_vp_post(struct synic_vp *vp, unsigned sint, const struct message *message, bool *ret_doorbell)
{
    sync_mutex_lock(&vp->lock);
    enum vmr_status status = message_queues_push(&vp->queues, sint, message, ret_doorbell);

    if (status == VMR_OK)
        sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
    return status;
}

bool synic_vp_is_open(struct synic_vp *vp, unsigned sint)
{
    sync_mutex_lock(&vp->lock);
    bool open = (vp->scontrol & HV_SCONTROL_ENABLE) != 0 && vp->message_page.placed && takes_messages(vp, sint);

    sync_mutex_unlock(&vp->lock);
    return open;
}

enum vmr_status synic_vp_restore_queue(struct synic_vp *vp, unsigned sint, const void *messages, uint32_t count,
                                       bool *ret_doorbell)
{
    sync_mutex_lock(&vp->lock);
    enum vmr_status status = message_queues_restore(&vp->queues, sint, messages, count, ret_doorbell);

    if (status == VMR_OK)
        sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
    return status;
}

/* Sets the flag even while the page is nowhere: it shows when the guest places it. */
static bool set_flag(struct synic_vp *vp, unsigned sint, unsigned flag)
{
    uint64_t mask = UINT64_C(1) << (flag % 8), old = 0;

    if (overlay_fetch_or(&vp->event_page, sint * HV_EVENT_FLAG_BYTES + flag / 8, 1, mask, &old) != VMR_OK) {
        complain(vp->host, &vp->lost, VMR_CULPRIT_GUEST,
                 "VP %" PRIu32 " VTL %u: the page of event flags is gone: flag %u of SINT %u is lost", vp->index,
                 vp->vtl, flag, sint);
        return false;
    }
    return (old & mask) == 0;
}

static enum vmr_synic_signal signal_locked(struct synic_vp *vp, unsigned sint, unsigned flag, bool *ret_raise,
                                           struct synic_irq *ret_irq)
{
    const uint64_t value = vp->sints[sint];

    if ((value & HV_SINT_PROXY) != 0)
        return VMR_SYNIC_PROXIED;
    if ((vp->scontrol & HV_SCONTROL_ENABLE) == 0 || (value & HV_SINT_MASKED) != 0)
        return VMR_SYNIC_NOT_SIGNALED;
    if (!set_flag(vp, sint, flag))
        return VMR_SYNIC_NOT_SIGNALED;
    *ret_raise = (value & HV_SINT_POLLING) == 0;
    *ret_irq = irq_of(value);
    return VMR_SYNIC_SIGNALED;
}

enum vmr_synic_signal synic_vp_signal(struct synic_vp *vp, unsigned guest_sint, unsigned guest_flag, bool *ret_raise,
                                      struct synic_irq *ret_irq)
{
    *ret_raise = false;
    if (guest_sint >= HV_SINT_COUNT || guest_flag >= HV_EVENT_FLAG_COUNT)
        return VMR_SYNIC_NOT_SIGNALED;
    sync_mutex_lock(&vp->lock);
    enum vmr_synic_signal result = signal_locked(vp, guest_sint, guest_flag, ret_raise, ret_irq);

    sync_mutex_unlock(&vp->lock);
    return result;
}
