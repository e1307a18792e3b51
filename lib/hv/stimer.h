/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The four synthetic timers of one VP (TLFS, Synthetic Timers), in reference
 * time: units of 100 ns. They know no SINTs and no clock: a scan is told the
 * time, and a sink takes what expires. The caller has a lock.
 */

#include "vmrig/hv_state.h"

struct stimer {
    uint64_t config;
    uint64_t count;
    uint64_t due; /* while armed */
    bool armed;   /* will expire at `due` */
    bool changed; /* config or count was written: `armed` and `due` follow at the next scan */
    bool stalled; /* expired, but its message could not be delivered */
};

struct stimers {
    struct stimer timers[HV_STIMER_COUNT];
};

struct stimer_sink {
    void (*direct)(void *context, uint8_t vector);
    /* `payload` is HV_TIMER_PAYLOAD_BYTES long. False: not now; the timer stays due. */
    bool (*message)(void *context, unsigned sint, const uint8_t *payload);
    void *context;
};

/* False, and nothing changed, for reserved bits, or a direct vector that belongs to exceptions. */
bool stimer_set_config(struct stimer *timer, uint64_t guest_config);
/* Enables the timer if it enables itself and the count is not 0. */
void stimer_set_count(struct stimer *timer, uint64_t count);

/*
 * Delivers what is due at `now`, each timer once at most, and says when the
 * next one will be: VMR_NEVER if none. A stalled timer has no deadline: what
 * frees its slot must lead to a scan.
 */
uint64_t stimers_scan(struct stimers *timers, uint64_t now, const struct stimer_sink *sink);
/* As the class of state has it: what means nothing now is zero. */
void stimer_save(const struct stimer *timer, struct vmr_hv_stimer_state *ret_state);
/* False, and nothing changed: no timer can be so. */
bool stimer_restore(struct stimer *timer, const struct vmr_hv_stimer_state *state);
/* Whether a timer is due and waits for a slot. */
bool stimers_are_stalled(const struct stimers *timers);
