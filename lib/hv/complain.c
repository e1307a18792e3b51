/* SPDX-License-Identifier: MIT */
/*
 * Which of many complaints are said: the first FIRST_FEW, then those whose
 * number is a power of two, with that number. A count that wraps starts over,
 * which costs FIRST_FEW lines every four thousand million.
 */

#include "lib/hv/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_FEW 8u
#define LINE_BYTES 200u

static bool is_power_of_two(uint32_t value)
{
    return (value & (value - 1)) == 0;
}

void complain(const struct vmr_host *host, struct complaint *complaint, enum vmr_log_culprit culprit,
              const char *format, ...)
{
    uint32_t nth = sync_fetch_add_u32(host, &complaint->count, 1) + 1;
    char line[LINE_BYTES];
    va_list arguments;

    if (nth > FIRST_FEW && !is_power_of_two(nth))
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (nth > FIRST_FEW) {
        size_t length = strlen(line);

        (void)snprintf(line + length, sizeof(line) - length, " (the %luth time)", (unsigned long)nth);
    }
    host->ops->log(host->context, VMR_LOG_WARNING, culprit, line);
}
