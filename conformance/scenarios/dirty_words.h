/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The dirty log as scenarios read it: a range, its bits, and a copy of its bytes
 * that is kept up to date by the log alone, as a migration's target is.
 */

#include <stdlib.h>

#include "conformance/scenarios/guest_words.h"

#define DIRTY_PAGE(n) (VMR_PROGRAM_DATA + 0x10000u + (n) * (vmr_gpa)VMR_PAGE_SIZE)
#define DIRTY_WORDS_MAX 64u

/* One that needs other capabilities too names all of them itself. */
#define DIRTY_SCENARIO(title, function) .name = (title), .family = "dirty", .chip = CONF_CHIP_ANY, .run = (function)
#define DIRTY_CASE(title, function) DIRTY_SCENARIO(title, function), .needs = CONF_CAP(DIRTY_LOG)

struct dirty_range {
    struct conf_vm *vm;
    vmr_gpa gpa;
    uint64_t size;
    uint64_t words[DIRTY_WORDS_MAX];
};

static inline struct vmr_dirty_bitmap dirty_bitmap(struct dirty_range *range)
{
    return (struct vmr_dirty_bitmap){
        .gpa = range->gpa, .size = range->size, .words = range->words, .word_count = DIRTY_WORDS_MAX};
}

static inline bool dirty_start(struct conf_vm *vm)
{
    struct vmr_error err = {.message = ""};
    bool started = vmr_memory_dirty_start(vm->memory, &err) == VMR_OK;

    CONF_CHECK(vm->conf, started, "the log is not turned on: %s", err.message);
    return started;
}

/* How many pages are dirty; the range's words say which. */
static inline uint64_t dirty_take(struct dirty_range *range)
{
    const struct vmr_dirty_bitmap bitmap = dirty_bitmap(range);
    struct vmr_error err = {.message = ""};
    uint64_t pages = 0;

    CONF_CHECK(range->vm->conf, vmr_memory_dirty_take(range->vm->memory, &bitmap, &pages, &err) == VMR_OK,
               "nothing is taken: %s", err.message);
    return pages;
}

static inline bool dirty_named(const struct dirty_range *range, vmr_gpa gpa)
{
    uint64_t page = (gpa - range->gpa) / VMR_PAGE_SIZE;

    return (range->words[page / 64] >> page % 64 & 1u) != 0;
}

/*
 * What the next take of the range names: these `count` pages and, on the mock, no other. A hypervisor may name more,
 * but not all there is.
 */
static inline void dirty_expect(struct dirty_range *range, const vmr_gpa *pages, unsigned count, const char *when)
{
    struct conf *conf = range->vm->conf;
    uint64_t found = dirty_take(range);

    for (unsigned i = 0; i < count; i++)
        CONF_CHECK(conf, dirty_named(range, pages[i]), "%s: page %#llx is clean", when, (unsigned long long)pages[i]);
    CONF_CHECK(conf, conf->is_mock ? found == count : found >= count && found < range->size / VMR_PAGE_SIZE,
               "%s: %llu pages are dirty, not %u", when, (unsigned long long)found, count);
}

#define DIRTY_EXPECT(range, when, ...)                                                                                 \
    do {                                                                                                               \
        const vmr_gpa dirty_pages[] = {__VA_ARGS__};                                                                   \
                                                                                                                       \
        dirty_expect((range), dirty_pages, sizeof(dirty_pages) / sizeof(dirty_pages[0]), (when));                      \
    } while (0)

static inline void dirty_expect_none(struct dirty_range *range, const char *when)
{
    CONF_CHECK_EQ(range->vm->conf, dirty_take(range), 0, when);
}

/* A copy of the range, or NULL and a failure. */
static inline uint8_t *dirty_copy_all(const struct dirty_range *range)
{
    uint8_t *copy = malloc((size_t)range->size);

    CONF_CHECK(range->vm->conf,
               copy && vmr_memory_read(range->vm->memory, range->gpa, copy, (size_t)range->size) == VMR_OK,
               "the range cannot be copied");
    return copy;
}

/* The copy is the range, byte by byte; frees it. */
static inline void dirty_expect_same(const struct dirty_range *range, uint8_t *copy, const char *what)
{
    uint8_t *now = dirty_copy_all(range);
    uint64_t lost = 0;

    for (uint64_t i = 0; now && copy && i < range->size; i++)
        lost += now[i] != copy[i];
    CONF_CHECK_EQ(range->vm->conf, lost, 0, what);
    free(now);
    free(copy);
}
