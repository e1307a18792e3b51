/* SPDX-License-Identifier: MIT */
/* Schedules as people write them. */

#include "conformance/schedules.h"

#include <stdlib.h>
#include <string.h>

/* A number that is all of `text` up to `end`, which may be NULL; above `max` for anything else. */
static uint64_t number(const char *text, const char *end, uint64_t max)
{
    uint64_t value = 0;

    if (*text == '\0' || text == end)
        return max + 1;
    for (; *text && text != end; text++) {
        if (*text < '0' || *text > '9' || value > max)
            return max + 1;
        value = 10 * value + (uint64_t)(*text - '0');
    }
    return value;
}

static bool parse_replay(const char *text, struct conf_schedules *ret_schedules)
{
    const char *colon = strchr(text, ':');
    bool any = strncmp(text, "any:", 4) == 0;
    uint64_t bound = colon && !any ? number(text, colon, CONF_PREEMPTIONS_MAX) : 0;

    if (!colon || bound > CONF_PREEMPTIONS_MAX)
        return false;
    *ret_schedules = (struct conf_schedules){.mode = CONF_SCHEDULES_REPLAY,
                                             .preemptions = any ? CONF_PREEMPTIONS_ANY : (unsigned)bound,
                                             .choices = colon + 1};
    return true;
}

bool conf_schedules_parse(const char *text, uint64_t seed, struct conf_schedules *ret_schedules, const char **ret_rule)
{
    static const char exhaustive[] = "exhaustive:", random_[] = "random:", replay[] = "replay:";

    *ret_schedules = (struct conf_schedules){.mode = CONF_SCHEDULES_USUAL};
    if (strncmp(text, exhaustive, sizeof(exhaustive) - 1) == 0) {
        uint64_t bound = number(text + sizeof(exhaustive) - 1, NULL, CONF_PREEMPTIONS_MAX);

        *ret_rule = "exhaustive:K, K from 0 to 8 preemptions";
        ret_schedules->mode = CONF_SCHEDULES_EXHAUSTIVE;
        ret_schedules->preemptions = (unsigned)bound;
        return bound <= CONF_PREEMPTIONS_MAX;
    }
    if (strncmp(text, random_, sizeof(random_) - 1) == 0) {
        uint64_t runs = number(text + sizeof(random_) - 1, NULL, CONF_RANDOM_MAX);

        *ret_rule = "random:N, N from 1 to 1000000000 orders";
        ret_schedules->mode = CONF_SCHEDULES_RANDOM;
        ret_schedules->runs = runs;
        ret_schedules->seed = seed;
        return runs >= 1 && runs <= CONF_RANDOM_MAX;
    }
    *ret_rule = "exhaustive:K, random:N or replay:K:CHOICES";
    return strncmp(text, replay, sizeof(replay) - 1) == 0 && parse_replay(text + sizeof(replay) - 1, ret_schedules);
}
