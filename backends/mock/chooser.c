/* SPDX-License-Identifier: MIT */
/*
 * The exhaustive search is depth first over the list of choices: repeat the
 * prefix, take the last choice that has an alternative left one further, and go
 * on with first alternatives from there. A prefix determines everything up to
 * its end, so each order is run once. [MOCK-2]
 */

#include "backends/mock/chooser.h"

#include <stdlib.h>
#include <string.h>

/* Most runs of scenarios have fewer choices: what is there from the beginning does not run out in the middle. */
#define CAPACITY_MIN 8192u

static const char digits[CHOOSER_ALTERNATIVES_MAX + 1] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static size_t value_of(char digit)
{
    const char *place = digit != '\0' ? strchr(digits, digit) : NULL;

    return place ? (size_t)(place - digits) : CHOOSER_ALTERNATIVES_MAX;
}

/* SplitMix64 (Steele, Lea, Flood 2014): every seed is a good one. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

void chooser_finish(struct chooser *chooser)
{
    free(chooser->text);
    free(chooser->counts);
    *chooser = (struct chooser){0};
}

void chooser_begin(struct chooser *chooser)
{
    chooser->random = chooser->seed;
    chooser->preemptions_used = 0;
    chooser->length = 0;
    chooser->no_memory = false;
}

void chooser_end(struct chooser *chooser)
{
    chooser->planned = 0;
    chooser->text[chooser->length] = '\0';
}

/* Room for `length` choices and a NUL. */
static bool reserve(struct chooser *chooser, size_t length)
{
    if (length < chooser->capacity)
        return true;
    size_t capacity = chooser->capacity ? chooser->capacity : CAPACITY_MIN;

    while (capacity <= length)
        capacity *= 2;
    char *text = realloc(chooser->text, capacity);

    if (!text)
        return false;
    chooser->text = text;
    uint8_t *counts = realloc(chooser->counts, capacity);

    if (!counts)
        return false;
    chooser->counts = counts;
    chooser->capacity = capacity;
    return true;
}

bool chooser_init(struct chooser *chooser, const struct vmr_scheduler_options *options)
{
    *chooser = (struct chooser){.mode = options->mode, .seed = options->seed, .preemptions = options->preemptions};
    if (!reserve(chooser, CAPACITY_MIN - 1)) {
        chooser_finish(chooser);
        return false;
    }
    chooser->text[0] = '\0';
    return true;
}

size_t chooser_choose(struct chooser *chooser, size_t count, bool forced)
{
    bool exhaustive = chooser->mode == VMR_SCHEDULE_EXHAUSTIVE;

    if (count <= 1 || (exhaustive && forced && chooser->preemptions_used >= chooser->preemptions))
        return 0;
    size_t position = chooser->length;
    size_t choice = 0;

    if (!reserve(chooser, position + 1)) {
        chooser->no_memory = true;
        return 0;
    }
    if (position < chooser->planned)
        choice = value_of(chooser->text[position]);
    else if (!exhaustive)
        choice = (size_t)(next_random(&chooser->random) % count);
    if (choice >= count) /* a replayed string that belongs to another program */
        choice = 0;
    chooser->text[position] = digits[choice];
    chooser->counts[position] = (uint8_t)count;
    chooser->length = position + 1;
    if (forced && choice != 0)
        chooser->preemptions_used++;
    return choice;
}

bool chooser_next(struct chooser *chooser)
{
    if (chooser->mode != VMR_SCHEDULE_EXHAUSTIVE || chooser->no_memory)
        return false;
    for (size_t i = chooser->length; i > 0; i--) {
        size_t choice = value_of(chooser->text[i - 1]) + 1;

        if (choice < chooser->counts[i - 1]) {
            chooser->text[i - 1] = digits[choice];
            chooser->planned = i;
            return true;
        }
    }
    return false;
}

enum vmr_status chooser_replay(struct chooser *chooser, const char *choices, struct vmr_error *err)
{
    size_t length = strlen(choices);

    for (size_t i = 0; i < length; i++) {
        if (value_of(choices[i]) >= CHOOSER_ALTERNATIVES_MAX)
            return vmr_error_set(err, VMR_E_CONFIG, "choices: character %zu (code %u) is not a choice", i + 1,
                                 (unsigned)(unsigned char)choices[i]);
    }
    if (!reserve(chooser, length + 1))
        return vmr_error_set(err, VMR_E_NOMEM, "no memory for %zu choices", length);
    memmove(chooser->text, choices, length + 1); /* may be the scheduler's own string */
    chooser->planned = length;
    return VMR_OK;
}
