/* SPDX-License-Identifier: MIT */
/* Message queues: order, the doorbell, the limit, what a sink's answers do, restoring. [LIM-1] */

#include "tests/hv/synic_rig.h"

#include "tests/support/counting_host.h"

static struct message numbered(uint32_t number)
{
    struct message message = {0};

    store_le32(message.bytes, number);
    return message;
}

static enum vmr_status push(struct message_queues *queues, unsigned sint, uint32_t number, bool *ret_doorbell)
{
    const struct message message = numbered(number);

    return message_queues_push(queues, sint, &message, ret_doorbell);
}

static void must_push(struct message_queues *queues, unsigned sint, uint32_t number)
{
    bool doorbell;

    assert_int_equal(push(queues, sint, number, &doorbell), VMR_OK);
}

/* Takes `room` messages, then is busy; those above REFUSED_FROM it refuses. */
#define REFUSED_FROM 5000u
struct taker {
    unsigned room[HV_SINT_COUNT];
    unsigned taken, dropped, offered;
    uint32_t last;
};

static enum delivery take(void *context, unsigned sint, const struct message *message)
{
    struct taker *taker = context;
    uint32_t number = load_le32(message->bytes);

    taker->offered++;
    if (number >= REFUSED_FROM)
        return DELIVERY_REFUSED;
    if (taker->room[sint] == 0)
        return DELIVERY_BUSY;
    taker->room[sint]--;
    taker->taken++;
    assert_true(number > taker->last);
    taker->last = number;
    return DELIVERY_DONE;
}

static void count_dropped(void *context, unsigned sint, const struct message *message)
{
    struct taker *taker = context;

    (void)sint;
    assert_true(load_le32(message->bytes) >= REFUSED_FROM);
    taker->dropped++;
}

static void deliver(struct message_queues *queues, struct taker *taker)
{
    const struct message_sink sink = {take, count_dropped, taker};

    message_queues_deliver(queues, &sink);
}

static void only_the_first_message_rings(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct taker taker = {.room = {[3] = 2}};
    bool doorbell = false;

    assert_int_equal(push(&queues, 3, 1, &doorbell), VMR_OK);
    assert_true(doorbell);
    assert_int_equal(push(&queues, 3, 2, &doorbell), VMR_OK);
    assert_false(doorbell);
    assert_int_equal(push(&queues, 4, 3, &doorbell), VMR_OK);
    assert_true(doorbell); /* each SINT by itself */
    assert_int_equal(queues.pending, 1u << 3 | 1u << 4);
    deliver(&queues, &taker);
    assert_int_equal(queues.pending, 1u << 4);
    assert_int_equal(push(&queues, 3, 4, &doorbell), VMR_OK);
    assert_true(doorbell); /* empty in between */
    assert_int_equal(push(&queues, 4, 5, &doorbell), VMR_OK);
    assert_false(doorbell); /* still waiting for its slot */
    message_queues_finish(&queues);
}

static void messages_come_out_in_order_across_the_end_of_the_ring(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct taker taker = {0};
    uint32_t in = 0;

    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < round % 7 + 1; i++)
            must_push(&queues, 15, ++in);
        taker.room[15] = round % 5 + 1;
        deliver(&queues, &taker);
        assert_int_equal(message_queues_count(&queues, 15), in - taker.taken);
        assert_int_equal(taker.last, taker.taken);
    }
    assert_true(message_queues_count(&queues, 15) > 10);
    assert_int_equal(load_le32(message_queues_get(&queues, 15, 3)->bytes), taker.taken + 4);
    message_queues_finish(&queues);
}

static void a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct taker taker = {.room = {[2] = 1}};
    bool doorbell = true;

    for (uint32_t i = 0; i < VMR_SYNIC_QUEUE_MAX; i++)
        must_push(&queues, 2, i + 1);
    doorbell = true;
    assert_int_equal(push(&queues, 2, 4000, &doorbell), VMR_E_STATE);
    assert_true(doorbell);
    assert_int_equal(push(&queues, 7, 1, &doorbell), VMR_OK);
    deliver(&queues, &taker);
    assert_int_equal(push(&queues, 2, 1025, &doorbell), VMR_OK);
    taker.room[2] = UINT32_MAX;
    deliver(&queues, &taker);
    assert_int_equal(taker.taken, VMR_SYNIC_QUEUE_MAX + 1);
    assert_int_equal(taker.last, 1025);
    message_queues_finish(&queues);
}

static void a_sint_that_is_none_and_no_memory_are_refused(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    bool doorbell = true;
    const struct message message = {0};

    assert_int_equal(push(&queues, 16, 1, &doorbell), VMR_E_USAGE);
    assert_int_equal(push(&queues, UINT32_MAX, 1, &doorbell), VMR_E_USAGE);
    assert_int_equal(message_queues_restore(&queues, 16, &message, 1, &doorbell), VMR_E_USAGE);
    fail_allocation(1);
    assert_int_equal(push(&queues, 0, 1, &doorbell), VMR_E_NOMEM);
    fail_allocation(0);
    assert_int_equal(queues.pending, 0);
    for (uint32_t i = 1; i <= 4; i++)
        must_push(&queues, 0, i);
    fail_allocation(1);
    assert_int_equal(push(&queues, 0, 5, &doorbell), VMR_E_NOMEM);
    fail_allocation(0);
    assert_int_equal(message_queues_count(&queues, 0), 4);
    assert_int_equal(load_le32(message_queues_get(&queues, 0, 3)->bytes), 4);
    message_queues_finish(&queues);
}

static void a_busy_slot_stops_its_queue_alone(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct taker taker = {.room = {[1] = 1, [5] = 9}};

    must_push(&queues, 1, 1);
    must_push(&queues, 1, 2);
    must_push(&queues, 1, 3);
    must_push(&queues, 5, 4);
    deliver(&queues, &taker);
    assert_int_equal(taker.taken, 2);
    assert_int_equal(taker.offered, 3);
    assert_int_equal(queues.pending, 1u << 1);
    message_queues_finish(&queues);
}

static void a_refused_message_is_dropped_and_the_next_is_offered(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct taker taker = {.room = {[1] = 1}};

    must_push(&queues, 1, REFUSED_FROM);
    must_push(&queues, 1, REFUSED_FROM + 1);
    must_push(&queues, 1, 1);
    deliver(&queues, &taker);
    assert_int_equal(taker.dropped, 2);
    assert_int_equal(taker.taken, 1);
    assert_int_equal(queues.pending, 0);
    message_queues_finish(&queues);
}

static void what_is_restored_rings(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    struct message saved[VMR_SYNIC_QUEUE_MAX + 1];
    struct taker taker = {.room = {[9] = 2}};
    bool doorbell = false;

    for (uint32_t i = 0; i < COUNT_OF(saved); i++)
        saved[i] = numbered(i + 1);
    assert_int_equal(message_queues_restore(&queues, 9, saved, COUNT_OF(saved), &doorbell), VMR_E_CORRUPT);
    assert_int_equal(queues.pending, 0);
    assert_int_equal(message_queues_restore(&queues, 9, saved, VMR_SYNIC_QUEUE_MAX, &doorbell), VMR_OK);
    assert_true(doorbell);
    deliver(&queues, &taker);
    assert_int_equal(message_queues_count(&queues, 9), VMR_SYNIC_QUEUE_MAX - 2);
    assert_int_equal(message_queues_restore(&queues, 9, saved + 700, 2, &doorbell), VMR_OK);
    assert_true(doorbell); /* although the queue was not empty */
    assert_int_equal(message_queues_count(&queues, 9), 2);
    assert_int_equal(load_le32(message_queues_get(&queues, 9, 1)->bytes), 702);
    assert_int_equal(message_queues_restore(&queues, 9, NULL, 0, &doorbell), VMR_OK);
    assert_false(doorbell);
    assert_int_equal(queues.pending, 0);
    message_queues_finish(&queues);
}

static void clearing_forgets_everything(void **state)
{
    (void)state;
    struct message_queues queues = {0};
    bool doorbell = false;

    must_push(&queues, 0, 1);
    must_push(&queues, 15, 2);
    message_queues_clear(&queues);
    assert_int_equal(queues.pending, 0);
    assert_int_equal(message_queues_count(&queues, 15), 0);
    assert_int_equal(push(&queues, 15, 3, &doorbell), VMR_OK);
    assert_true(doorbell);
    message_queues_finish(&queues);
    message_queues_finish(&queues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_message_rings),
        cmocka_unit_test(messages_come_out_in_order_across_the_end_of_the_ring),
        cmocka_unit_test(a_full_queue_refuses_and_keeps_what_it_has),
        cmocka_unit_test(a_sint_that_is_none_and_no_memory_are_refused),
        cmocka_unit_test(a_busy_slot_stops_its_queue_alone),
        cmocka_unit_test(a_refused_message_is_dropped_and_the_next_is_offered),
        cmocka_unit_test(what_is_restored_rings),
        cmocka_unit_test(clearing_forgets_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
