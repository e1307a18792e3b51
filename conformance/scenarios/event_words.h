/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events of the host, and doorbells in the hypervisor, in short. The host makes
 * the events, so that real ones and virtual ones do alike.
 */

#include "conformance/scenarios/apic_words.h"

#define EVENT_PORT 0x700u

static inline bool event_create(struct conf *conf, int *ret_fd)
{
    const struct vmr_event_ops *events = conf->host->ops->events;

    CONF_CHECK(conf, events && events->create(conf->host->context, ret_fd) == VMR_OK, "no event to be had");
    return !conf_failed(conf);
}

static inline void event_destroy(struct conf *conf, int fd)
{
    conf->host->ops->events->destroy(conf->host->context, fd);
}

static inline void event_signal(struct conf *conf, int fd)
{
    conf->host->ops->events->signal(conf->host->context, fd);
}

static inline bool event_take(struct conf *conf, int fd)
{
    return conf->host->ops->events->take(conf->host->context, fd);
}

static inline bool set_doorbell(struct conf_vm *vm, enum vmr_bus_space space, const struct vmr_doorbell *doorbell,
                                int fd, bool add)
{
    struct vmr_error err = {.message = ""};
    bool done = vmr_partition_doorbell(vm->partition, space, doorbell, fd, add, &err) == VMR_OK;

    CONF_CHECK(vm->conf, done, "%s", err.message);
    return done;
}

/* One on a port must be refused, with a message. */
static inline void doorbell_refused(struct conf_vm *vm, const struct vmr_doorbell *doorbell, int fd, bool add,
                                    enum vmr_status wanted)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_partition_doorbell(vm->partition, VMR_BUS_PORTS, doorbell, fd, add, &err);

    CONF_CHECK(vm->conf, status == wanted && err.message[0], "doorbell of size %u, value %#llx: %s, not %s: %s",
               doorbell->size, (unsigned long long)doorbell->value, vmr_status_name(status), vmr_status_name(wanted),
               err.message);
}
