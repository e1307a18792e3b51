/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ASan and TSan must be told when stacks change, as functions that are
 * empty in other builds, so that the callers hold no conditionals.
 */

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VMRIG_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define VMRIG_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define VMRIG_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define VMRIG_TSAN 1
#endif

#if defined(VMRIG_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void sanitizer_switch_begin(void **ret_fake_stack, const void *bottom, size_t size)
{
    __sanitizer_start_switch_fiber(ret_fake_stack, bottom, size);
}

static inline void sanitizer_switch_end(void *fake_stack, const void **ret_bottom, size_t *ret_size)
{
    __sanitizer_finish_switch_fiber(fake_stack, ret_bottom, ret_size);
}

/* Frames that were left without returning keep their redzones. */
static inline void sanitizer_forget_stack(const void *bottom, size_t size)
{
    __asan_unpoison_memory_region(bottom, size);
}
#else
static inline void sanitizer_switch_begin(void **ret_fake_stack, const void *bottom, size_t size)
{
    (void)ret_fake_stack;
    (void)bottom;
    (void)size;
}

static inline void sanitizer_switch_end(void *fake_stack, const void **ret_bottom, size_t *ret_size)
{
    (void)fake_stack;
    (void)ret_bottom;
    (void)ret_size;
}

static inline void sanitizer_forget_stack(const void *bottom, size_t size)
{
    (void)bottom;
    (void)size;
}
#endif

#if defined(VMRIG_TSAN)
#include <sanitizer/tsan_interface.h>

static inline void *sanitizer_fiber_current(void)
{
    return __tsan_get_current_fiber();
}

static inline void *sanitizer_fiber_create(void)
{
    return __tsan_create_fiber(0);
}

static inline void sanitizer_fiber_destroy(void *fiber)
{
    if (fiber)
        __tsan_destroy_fiber(fiber);
}

static inline void sanitizer_fiber_switch(void *fiber)
{
    __tsan_switch_to_fiber(fiber, 0);
}
#else
static inline void *sanitizer_fiber_current(void)
{
    return NULL;
}

static inline void *sanitizer_fiber_create(void)
{
    return NULL;
}

static inline void sanitizer_fiber_destroy(void *fiber)
{
    (void)fiber;
}

static inline void sanitizer_fiber_switch(void *fiber)
{
    (void)fiber;
}
#endif
