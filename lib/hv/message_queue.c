/* SPDX-License-Identifier: MIT */
/*
 * Message queues as rings that double until they are as long as a queue may
 * be, so that a VP which is sent nothing costs nothing.
 */

#include "lib/hv/message_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vmrig/limits.h"

#define RING_START 4u

_Static_assert((VMR_SYNIC_QUEUE_MAX & (VMR_SYNIC_QUEUE_MAX - 1)) == 0 && VMR_SYNIC_QUEUE_MAX >= RING_START,
               "a ring doubles until it is exactly as long as a queue may be");

static uint32_t index_of(const struct message_ring *ring, uint32_t nth)
{
    return (ring->first + nth) & (ring->capacity - 1);
}

/* Room for `count`, which is at most VMR_SYNIC_QUEUE_MAX; the messages move to the ring's beginning. */
static bool reserve(struct message_ring *ring, uint32_t count)
{
    uint32_t capacity = ring->capacity ? ring->capacity : RING_START;

    while (capacity < count)
        capacity *= 2;
    if (capacity == ring->capacity)
        return true;
    struct message *messages = calloc(capacity, sizeof(*messages));

    if (!messages)
        return false;
    for (uint32_t i = 0; i < ring->count; i++)
        messages[i] = ring->messages[index_of(ring, i)];
    free(ring->messages);
    *ring = (struct message_ring){.messages = messages, .capacity = capacity, .count = ring->count};
    return true;
}

void message_queues_finish(struct message_queues *queues)
{
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        free(queues->rings[sint].messages);
    *queues = (struct message_queues){0};
}

void message_queues_clear(struct message_queues *queues)
{
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        queues->rings[sint].count = 0;
    queues->pending = 0;
}

enum vmr_status message_queues_push(struct message_queues *queues, unsigned sint, const struct message *message,
                                    bool *ret_doorbell)
{
    if (sint >= HV_SINT_COUNT)
        return VMR_E_USAGE;
    struct message_ring *ring = &queues->rings[sint];

    if (ring->count >= VMR_SYNIC_QUEUE_MAX)
        return VMR_E_STATE;
    if (!reserve(ring, ring->count + 1))
        return VMR_E_NOMEM;
    ring->messages[index_of(ring, ring->count)] = *message;
    ring->count++;
    *ret_doorbell = ring->count == 1;
    queues->pending |= 1u << sint;
    return VMR_OK;
}

static void pop(struct message_queues *queues, unsigned sint)
{
    struct message_ring *ring = &queues->rings[sint];

    ring->first = index_of(ring, 1);
    ring->count--;
    if (ring->count == 0)
        queues->pending &= ~(1u << sint);
}

static void deliver_sint(struct message_queues *queues, unsigned sint, const struct message_sink *sink)
{
    struct message_ring *ring = &queues->rings[sint];

    for (uint32_t left = ring->count; left > 0; left--) {
        const struct message *head = &ring->messages[ring->first];
        enum delivery delivery = sink->deliver(sink->context, sint, head);

        if (delivery == DELIVERY_BUSY)
            return;
        if (delivery == DELIVERY_REFUSED)
            sink->dropped(sink->context, sint, head);
        pop(queues, sint);
    }
}

void message_queues_deliver(struct message_queues *queues, const struct message_sink *sink)
{
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        deliver_sint(queues, sint, sink);
}

uint32_t message_queues_count(const struct message_queues *queues, unsigned sint)
{
    return queues->rings[sint].count;
}

const struct message *message_queues_get(const struct message_queues *queues, unsigned sint, uint32_t nth)
{
    const struct message_ring *ring = &queues->rings[sint];

    assert(nth < ring->count);
    return &ring->messages[index_of(ring, nth)];
}

enum vmr_status message_queues_restore(struct message_queues *queues, unsigned sint, const void *messages,
                                       uint32_t count, bool *ret_doorbell)
{
    if (sint >= HV_SINT_COUNT)
        return VMR_E_USAGE;
    if (count > VMR_SYNIC_QUEUE_MAX)
        return VMR_E_CORRUPT;
    struct message_ring *ring = &queues->rings[sint];

    if (!reserve(ring, count))
        return VMR_E_NOMEM;
    ring->first = 0;
    ring->count = count;
    if (count > 0)
        memcpy(ring->messages, messages, count * sizeof(*ring->messages));
    queues->pending = (queues->pending & ~(1u << sint)) | (count > 0 ? 1u << sint : 0);
    *ret_doorbell = count > 0;
    return VMR_OK;
}
