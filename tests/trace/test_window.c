/* SPDX-License-Identifier: MIT */
/*
 * The sliding window over sources that give what they like.
 */

#include "lib/trace/window.h"

#include "tests/trace/fixture.h"

/* Counts up, a few bytes at a time. */
struct counter {
    size_t given, total, piece;
    enum vmr_status fail_at_end;
    bool lies;
};

static enum vmr_status count_up(void *context, void *ret_bytes, size_t capacity, size_t *ret_length)
{
    struct counter *counter = context;
    size_t left = counter->total - counter->given;
    size_t length = left < counter->piece ? left : counter->piece;

    if (left == 0 && counter->fail_at_end)
        return counter->fail_at_end;
    length = length < capacity ? length : capacity;
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)ret_bytes)[i] = (uint8_t)(counter->given + i);
    counter->given += length;
    *ret_length = counter->lies ? capacity + 1 : length;
    return VMR_OK;
}

static struct window window;

static void start(struct counter *counter)
{
    const struct vmr_trace_source source = {.read = count_up, .context = counter};

    window_init(&window, &source);
}

static void all_bytes_pass_in_order(void **state)
{
    static const size_t pieces[] = {1, 7, 4096, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct counter counter = {.total = pieces[i] == 1 ? 5000 : 3 * WINDOW_BYTES + 5, .piece = pieces[i]};
        size_t seen = 0;

        start(&counter);
        while (window_fill(&window, 999) > 0) {
            size_t visible = window_fill(&window, 999);
            size_t taken = visible < 999 ? visible : 999;

            assert_int_equal(window.offset, seen);
            for (size_t j = 0; j < taken; j++)
                assert_int_equal(window_bytes(&window)[j], (uint8_t)(seen + j));
            window_take(&window, taken);
            seen += taken;
        }
        assert_int_equal(seen, counter.total);
    }
}

static void a_whole_window_can_be_seen_from_any_place(void **state)
{
    struct counter counter = {.total = 4 * WINDOW_BYTES, .piece = 100};

    (void)state;
    start(&counter);
    assert_true(window_fill(&window, 10) >= 10);
    window_take(&window, 10);
    assert_int_equal(window_fill(&window, WINDOW_BYTES), WINDOW_BYTES);
    assert_int_equal(window_bytes(&window)[0], 10);
    assert_int_equal(window_bytes(&window)[WINDOW_BYTES - 1], (uint8_t)(10 + WINDOW_BYTES - 1));
}

static void a_failing_source_ends_and_says_why(void **state)
{
    struct counter counter = {.total = 20, .piece = 100, .fail_at_end = VMR_E_HOST};

    (void)state;
    start(&counter);
    assert_int_equal(window_fill(&window, 50), 20);
    CHECK_STATUS(window.status, VMR_E_HOST);
    assert_int_equal(window_fill(&window, 50), 20);
}

static void a_source_that_claims_too_much_is_at_its_end(void **state)
{
    struct counter counter = {.total = 20, .piece = 20, .lies = true};

    (void)state;
    start(&counter);
    assert_int_equal(window_fill(&window, 1), 0);
    assert_true(window.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_pass_in_order),
        cmocka_unit_test(a_whole_window_can_be_seen_from_any_place),
        cmocka_unit_test(a_failing_source_ends_and_says_why),
        cmocka_unit_test(a_source_that_claims_too_much_is_at_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
