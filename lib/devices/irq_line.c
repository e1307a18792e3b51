/* SPDX-License-Identifier: MIT */
/*
 * Telling the sink about a line, one change at a time and in order. The rule:
 * what was wanted last is told last, though the lock is not held meanwhile.
 */

#include "lib/devices/irq_line.h"

void irq_line_init(struct irq_line *line, const struct vmr_irq_sink *sink, uint32_t gsi)
{
    *line = (struct irq_line){.sink = *sink, .gsi = gsi};
}

void irq_line_set(struct irq_line *line, bool level)
{
    line->wanted = level;
    if (!level)
        line->edge = false;
}

void irq_line_edge(struct irq_line *line)
{
    line->wanted = true;
    line->edge = true;
}

void irq_line_restore(struct irq_line *line, bool level)
{
    line->wanted = level;
    line->edge = false;
    line->told = !level;
}

static void tell(const struct irq_line *line, bool was, bool edge, bool level)
{
    if (!line->sink.set)
        return;
    if (edge && was)
        line->sink.set(line->sink.context, line->gsi, false);
    if (edge || was != level)
        line->sink.set(line->sink.context, line->gsi, level);
}

void irq_line_flush_unlock(struct irq_line *line, struct sync_mutex *lock)
{
    while (!line->busy && (line->edge || line->wanted != line->told)) {
        bool was = line->told;
        bool edge = line->edge;
        bool level = line->wanted;

        line->edge = false;
        line->busy = true;
        sync_mutex_unlock(lock);
        tell(line, was, edge, level);
        sync_mutex_lock(lock);
        line->told = level;
        line->busy = false;
    }
    sync_mutex_unlock(lock);
}
