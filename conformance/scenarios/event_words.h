/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events of the host, in short. The host makes
 * the events, so that real ones and virtual ones do alike.
 */

#include "conformance/conformance.h"

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
