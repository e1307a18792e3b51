/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What waits for the message slots of one VP: a queue for each SINT, oldest
 * first, at most VMR_SYNIC_QUEUE_MAX messages long. Whether a slot can take a
 * message is the caller's business, who also has a lock.
 */

#include "vmrig/error.h"
#include "vmrig/hv_spec.h"
#include "vmrig/hv_synic.h"

struct message {
    uint8_t bytes[HV_MESSAGE_BYTES]; /* as in the slot */
};

struct message_ring {
    struct message *messages;
    uint32_t capacity; /* 0 or a power of two; grows to VMR_SYNIC_QUEUE_MAX */
    uint32_t first;
    uint32_t count;
};

struct message_queues {
    struct message_ring rings[HV_SINT_COUNT];
    uint32_t pending; /* a bit for each queue that is not empty */
};

void message_queues_finish(struct message_queues *queues); /* zeroed is fine */
void message_queues_clear(struct message_queues *queues);

/*
 * `ret_doorbell`: the queue was empty, so the VP must be told. VMR_E_STATE if
 * the queue is full, VMR_E_USAGE for a SINT that does not exist; then nothing
 * is queued.
 */
enum vmr_status message_queues_push(struct message_queues *queues, unsigned sint, const struct message *message,
                                    bool *ret_doorbell);

enum delivery {
    DELIVERY_DONE,
    DELIVERY_BUSY,   /* the slot is taken: the message waits */
    DELIVERY_REFUSED /* never: the message is dropped */
};

struct message_sink {
    enum delivery (*deliver)(void *context, unsigned sint, const struct message *message);
    void (*dropped)(void *context, unsigned sint, const struct message *message);
    void *context;
};

/*
 * Offers each queue's head until the slot is busy, but no more messages than
 * were there at the beginning: the work is bounded whoever else frees slots.
 */
void message_queues_deliver(struct message_queues *queues, const struct message_sink *sink);

/* For saving: the n-th oldest, n below the count. */
uint32_t message_queues_count(const struct message_queues *queues, unsigned sint);
const struct message *message_queues_get(const struct message_queues *queues, unsigned sint, uint32_t nth);
/* Replaces a queue; `messages` are of HV_MESSAGE_BYTES each. Rings like a push if there is anything: nobody will push
 * what was saved. All or nothing. */
enum vmr_status message_queues_restore(struct message_queues *queues, unsigned sint, const void *messages,
                                       uint32_t count, bool *ret_doorbell);
