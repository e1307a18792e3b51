/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A host that listens on connections, and the steps by which a guest posts and
 * signals (TLFS, HvCallPostMessage, HvCallSignalEvent).
 */

#include <string.h>

#include "conformance/scenarios/hv_words.h"

/* What a host has heard. Read it when the VP is stopped. */
struct ears {
    unsigned posts, signals, releases;
    unsigned refusals; /* posts still to be refused */
    uint16_t flag;
    size_t length;
    uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};

static inline bool hear_post(void *context, const void *payload, size_t length, bool trusted)
{
    struct ears *ears = context;

    (void)trusted;
    if (ears->refusals > 0) {
        ears->refusals--;
        return false;
    }
    ears->posts++;
    ears->length = length;
    memcpy(ears->payload, payload, length);
    return true;
}

static inline void hear_signal(void *context, uint16_t flag)
{
    struct ears *ears = context;

    ears->signals++;
    ears->flag = flag;
}

static inline void hear_release(void *context)
{
    ((struct ears *)context)->releases++;
}

static inline struct vmr_synic *synic_of(const struct conf_vm *vm)
{
    return vmr_hv_guest_synic(vmr_partition_hv(vm->partition));
}

/* NULL, and a failure recorded, if the port cannot be added. */
static inline struct vmr_synic_port *listen_for_posts(struct conf_vm *vm, uint32_t connection_id, uint8_t minimum_vtl,
                                                      struct ears *ears)
{
    const struct vmr_message_port port = {.connection_id = connection_id,
                                          .minimum_vtl = minimum_vtl,
                                          .post = hear_post,
                                          .release = hear_release,
                                          .context = ears};
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(vm->conf, vmr_synic_message_port_add(synic_of(vm), &port, &handle, &err) == VMR_OK, "%s", err.message);
    return handle;
}

static inline struct vmr_synic_port *listen_for_signals(struct conf_vm *vm, uint32_t connection_id, uint8_t minimum_vtl,
                                                        struct ears *ears)
{
    const struct vmr_event_port port = {.connection_id = connection_id,
                                        .minimum_vtl = minimum_vtl,
                                        .signal = hear_signal,
                                        .release = hear_release,
                                        .context = ears};
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(vm->conf, vmr_synic_event_port_add(synic_of(vm), &port, &handle, &err) == VMR_OK, "%s", err.message);
    return handle;
}

/* Posts `length` bytes from HV_INPUT + 16; the guest must get `status`. Seven steps. */
#define EXPECT_POST(connection_id, length, status)                                                                     \
    VMR_STORE(HV_INPUT, 8, connection_id),                                                                             \
        VMR_STORE(HV_INPUT + 8, 8, HV_MESSAGE_TYPE_VMBUS | (uint64_t)(length) << 32),                                  \
        HV_EXPECT_CALL(HV_CALL_POST_MESSAGE, HV_INPUT, 0, status)
/* Signals a flag by a fast call. Five steps. */
#define EXPECT_SIGNAL(connection_id, flag, status)                                                                     \
    HV_EXPECT_CALL(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, (uint64_t)(connection_id) | (uint64_t)(flag) << 32, 0,      \
                   status)
