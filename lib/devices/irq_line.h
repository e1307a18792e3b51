/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A device's interrupt line: what the device wants it to be, and what the sink
 * has been told. The sink is called with no lock held, by one thread at a time,
 * so it may call anything; a level wanted meanwhile is told by that thread.
 */

#include "lib/base/sync.h"
#include "vmrig/platform.h"

struct irq_line {
    struct vmr_irq_sink sink;
    uint32_t gsi;
    bool wanted;
    bool edge; /* a rising edge is owed, whatever the level was */
    bool told;
    bool busy; /* some thread is in the sink */
};

void irq_line_init(struct irq_line *line, const struct vmr_irq_sink *sink, uint32_t gsi);
/* Both under the device's lock. An edge leaves the line high. */
void irq_line_set(struct irq_line *line, bool level);
void irq_line_edge(struct irq_line *line);
/* Under the device's lock: the level of a state that was set. It is told, even if it is the one that was told last. */
void irq_line_restore(struct irq_line *line, bool level);
/* Ends an access: called with the device's lock held, returns without it. */
void irq_line_flush_unlock(struct irq_line *line, struct sync_mutex *lock);
