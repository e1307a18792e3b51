/* SPDX-License-Identifier: MIT */
/*
 * Checks, failures, skips and the transcript of one execution. The first
 * failure is the one that is reported; the others usually follow from it.
 */

#include "conformance/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

bool conf_state_init(struct conf *conf, struct conf_state *state)
{
    memset(state, 0, sizeof(*state));
    if (pthread_mutex_init(&state->lock, NULL) != 0)
        return false;
    state->transcript = FNV_OFFSET;
    conf->state = state;
    return true;
}

void conf_state_finish(struct conf_state *state)
{
    pthread_mutex_destroy(&state->lock);
}

bool conf_judge(struct conf *conf, bool holds)
{
    struct conf_state *state = conf->state;

    pthread_mutex_lock(&state->lock);
    state->checks++;
    pthread_mutex_unlock(&state->lock);
    return holds;
}

/* The lock is the caller's. */
static void record_failure(struct conf_state *state, const char *text)
{
    if (state->failures++ == 0)
        snprintf(state->failure, sizeof(state->failure), "%s", text);
}

void conf_fail(struct conf *conf, const char *file, int line, const char *format, ...)
{
    struct conf_state *state = conf->state;
    const char *slash = strrchr(file, '/');
    char message[CONF_TEXT_MAX - 64], text[CONF_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(text, sizeof(text), "%.48s:%d: %s", slash ? slash + 1 : file, line, message);
    pthread_mutex_lock(&state->lock);
    record_failure(state, text);
    pthread_mutex_unlock(&state->lock);
}

void conf_skip(struct conf *conf, const char *format, ...)
{
    struct conf_state *state = conf->state;
    char text[CONF_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&state->lock);
    if (!state->skipped)
        memcpy(state->skip, text, sizeof(text));
    state->skipped = true;
    pthread_mutex_unlock(&state->lock);
}

bool conf_failed(const struct conf *conf)
{
    struct conf_state *state = conf->state;

    pthread_mutex_lock(&state->lock);
    bool failed = state->failures > 0;

    pthread_mutex_unlock(&state->lock);
    return failed;
}

bool conf_over(const struct conf *conf)
{
    struct conf_state *state = conf->state;

    pthread_mutex_lock(&state->lock);
    bool over = state->over;

    pthread_mutex_unlock(&state->lock);
    return over;
}

void conf_note(struct conf *conf, const char *format, ...)
{
    struct conf_state *state = conf->state;
    char line[CONF_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&state->lock);
    /* With its final 0, so that where one line ends and the next begins counts too. */
    for (size_t i = 0, length = strlen(line) + 1; i < length; i++)
        state->transcript = (state->transcript ^ (uint8_t)line[i]) * FNV_PRIME;
    state->notes++;
    pthread_mutex_unlock(&state->lock);
}

void conf_state_clean(struct conf *conf)
{
    struct conf_state *state = conf->state;

    conf_workers_finish(conf);
    while (state->vms)
        conf_vm_destroy(&state->vms->vm);
    while (state->deferred) {
        struct conf_deferred *deferred = state->deferred;

        state->deferred = deferred->next;
        deferred->function(deferred->object);
        free(deferred);
    }
}

bool conf_defer(struct conf *conf, void (*function)(void *object), void *object)
{
    struct conf_deferred *deferred = malloc(sizeof(*deferred));

    if (!deferred) {
        conf_fail(conf, __FILE__, __LINE__, "out of memory");
        function(object);
        return false;
    }
    *deferred = (struct conf_deferred){.next = conf->state->deferred, .function = function, .object = object};
    conf->state->deferred = deferred;
    return true;
}

void conf_state_give_up(struct conf *conf)
{
    struct conf_state *state = conf->state;

    pthread_mutex_lock(&state->lock);
    if (!state->timed_out)
        record_failure(state, "the watchdog bit: it did not end by itself");
    state->timed_out = true;
    state->hung = true;
    state->over = true;
    pthread_mutex_unlock(&state->lock);
    conf_kick_all(conf);
}
