/* SPDX-License-Identifier: MIT */
/*
 * The reference TSC page and its register. The scale is a fraction of 64 bits:
 * its arithmetic is done by hand, because C has no integers of 128 bits.
 */

#include "lib/hv/reference_tsc.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/hv/page_register.h"

#define UNITS_PER_SECOND UINT64_C(10000000)

/*
 * (high << 64) / divisor, for high < divisor, one bit of the quotient at a time;
 * rounded up: a TSC that is a whole number of units must not come out one short.
 */
static uint64_t divide_shifted(uint64_t high, uint64_t divisor)
{
    uint64_t quotient = 0, rest = high;

    for (unsigned bit = 0; bit < 64; bit++) {
        bool carry = rest >> 63 != 0;

        rest <<= 1;
        quotient <<= 1;
        if (carry || rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    return rest == 0 ? quotient : quotient + 1;
}

/* (a * b) >> 64 */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    uint64_t a_low = a & UINT32_MAX, a_high = a >> 32, b_low = b & UINT32_MAX, b_high = b >> 32;
    uint64_t middle = a_high * b_low + (a_low * b_low >> 32);
    uint64_t carried = a_low * b_high + (middle & UINT32_MAX);

    return a_high * b_high + (middle >> 32) + (carried >> 32);
}

bool reference_tsc_encode(uint64_t tsc_hz, uint64_t tsc, uint64_t count, uint32_t sequence, uint8_t *ret_page)
{
    memset(ret_page, 0, HV_TSC_PAGE_BYTES);
    if (tsc_hz <= UNITS_PER_SECOND)
        return false;
    uint64_t scale = divide_shifted(UNITS_PER_SECOND, tsc_hz);

    store_le32(ret_page + HV_TSC_SEQUENCE_OFFSET, sequence);
    store_le64(ret_page + HV_TSC_SCALE_OFFSET, scale);
    store_le64(ret_page + HV_TSC_OFFSET_OFFSET, count - multiply_high(tsc, scale));
    return true;
}

uint32_t reference_tsc_sequence_after(uint32_t sequence)
{
    return sequence + 1 == HV_TSC_SEQUENCE_INVALID ? 1 : sequence + 1;
}

enum vmr_status reference_tsc_init(struct reference_tsc *reference, const struct vmr_host *host,
                                   struct vmr_memory *memory, uint64_t hz)
{
    reference->host = host;
    reference->hz = hz;
    overlay_init(&reference->page, memory);
    return sync_mutex_init(&reference->lock, host);
}

void reference_tsc_finish(struct reference_tsc *reference)
{
    sync_mutex_finish(&reference->lock);
}

void reference_tsc_reset(struct reference_tsc *reference)
{
    sync_mutex_lock(&reference->lock);
    reference->guest_register = 0;
    reference->sequence = 0;
    reference->restored = false;
    sync_store_u32(reference->host, &reference->stale, 0);
    overlay_reset(&reference->page);
    sync_mutex_unlock(&reference->lock);
}

uint64_t reference_tsc_read(struct reference_tsc *reference)
{
    sync_mutex_lock(&reference->lock);
    uint64_t value = reference->guest_register;

    sync_mutex_unlock(&reference->lock);
    return value;
}

/* A page that the guest has lost cannot be written, and nobody reads it: no error. */
static void say_invalid(struct reference_tsc *reference)
{
    static const uint8_t sequence[4] = {HV_TSC_SEQUENCE_INVALID};

    if (reference->page.placed)
        (void)overlay_write(&reference->page, HV_TSC_SEQUENCE_OFFSET, sequence, sizeof(sequence));
    reference->restored = false;
}

static void invalidate(struct reference_tsc *reference)
{
    if (reference->filled_elsewhere)
        return; /* its next sequence follows from the one that is there */
    say_invalid(reference);
    sync_store_u32(reference->host, &reference->stale, reference->page.placed && reference->hz != 0);
}

static void outdate(struct reference_tsc *reference)
{
    if (reference->filled_elsewhere)
        return;
    reference->restored = reference->page.placed && reference->hz != 0;
    sync_store_u32(reference->host, &reference->stale, reference->restored);
}

static void validate(struct reference_tsc *reference, const struct reference_pair *pair)
{
    uint8_t bytes[HV_TSC_PAGE_BYTES];
    uint32_t sequence = reference_tsc_sequence_after(reference->sequence);

    if (!reference_tsc_encode(reference->hz, pair->tsc, pair->count, sequence, bytes))
        return;
    (void)overlay_write(&reference->page, HV_TSC_SCALE_OFFSET, bytes + HV_TSC_SCALE_OFFSET,
                        HV_TSC_PAGE_BYTES - HV_TSC_SCALE_OFFSET);
    (void)overlay_write(&reference->page, HV_TSC_SEQUENCE_OFFSET, bytes + HV_TSC_SEQUENCE_OFFSET, 4);
    reference->sequence = sequence;
}

static bool write_locked(struct reference_tsc *reference, uint64_t guest_value)
{
    if ((guest_value & HV_PAGE_RESERVED) != 0)
        return false;
    if ((guest_value & HV_PAGE_ENABLE) == 0)
        overlay_withdraw(&reference->page);
    else if (overlay_place(&reference->page, guest_value & ~(uint64_t)(VMR_PAGE_SIZE - 1)) != VMR_OK)
        return false;
    reference->guest_register = guest_value;
    invalidate(reference);
    return true;
}

bool reference_tsc_write(struct reference_tsc *reference, uint64_t guest_value)
{
    sync_mutex_lock(&reference->lock);
    bool accepted = write_locked(reference, guest_value);

    sync_mutex_unlock(&reference->lock);
    return accepted;
}

void reference_tsc_invalidate(struct reference_tsc *reference)
{
    sync_mutex_lock(&reference->lock);
    invalidate(reference);
    sync_mutex_unlock(&reference->lock);
}

void reference_tsc_outdate(struct reference_tsc *reference)
{
    sync_mutex_lock(&reference->lock);
    outdate(reference);
    sync_mutex_unlock(&reference->lock);
}

bool reference_tsc_is_stale(const struct reference_tsc *reference)
{
    return sync_load_u32(reference->host, &reference->stale) != 0;
}

/* What was restored says what would be written now: it is as true as it was. [HVS-2] */
static bool still_holds(struct reference_tsc *reference, const struct reference_pair *pair)
{
    uint8_t there[VMR_PAGE_SIZE], bytes[HV_TSC_PAGE_BYTES];

    if (!reference_tsc_encode(reference->hz, pair->tsc, pair->count, reference->sequence, bytes))
        return false;
    overlay_content(&reference->page, there);
    return memcmp(there, bytes, sizeof(bytes)) == 0;
}

void reference_tsc_update(struct reference_tsc *reference, const struct reference_pair *pair)
{
    sync_mutex_lock(&reference->lock);
    /* Another VP may have been first. */
    bool stale = sync_load_u32(reference->host, &reference->stale) != 0;

    if (stale && reference->restored && pair && still_holds(reference, pair)) {
        reference->restored = false;
        stale = false;
    }

    if (stale && reference->restored)
        say_invalid(reference);
    if (stale && pair)
        validate(reference, pair);
    sync_store_u32(reference->host, &reference->stale, 0);
    sync_mutex_unlock(&reference->lock);
}

/* --- saving and restoring --- */

void reference_tsc_save(struct reference_tsc *reference, struct vmr_hv_tsc_state *ret_state)
{
    sync_mutex_lock(&reference->lock);
    ret_state->value = reference->guest_register;
    ret_state->sequence = reference->sequence;
    overlay_content(&reference->page, ret_state->content);
    sync_mutex_unlock(&reference->lock);
}

static enum vmr_status restore_locked(struct reference_tsc *reference, const struct vmr_hv_tsc_state *state,
                                      struct vmr_error *err)
{
    struct overlay page = reference->page;
    enum vmr_status status = page_restore(&page, state->value, state->content, "reference-tsc", err);

    if (status)
        return status;
    reference->page = page;
    reference->guest_register = state->value;
    reference->sequence = state->sequence;
    outdate(reference);
    return VMR_OK;
}

enum vmr_status reference_tsc_restore(struct reference_tsc *reference, const struct vmr_hv_tsc_state *state,
                                      struct vmr_error *err)
{
    sync_mutex_lock(&reference->lock);
    enum vmr_status status = restore_locked(reference, state, err);

    sync_mutex_unlock(&reference->lock);
    return status;
}
