/* SPDX-License-Identifier: MIT */
/*
 * What leaves a machine is told to the backend; what comes in goes to the sink
 * in pieces, each of which the backend can order.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/partition/partition.h"
#include "tests/support/fake_backend.h"

static struct fake fake;
static struct fake_rig rig;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_rig_finish(&rig);
    return 0;
}

static void outputs_reach_the_backend(void **state)
{
    static const uint8_t bytes[300];

    (void)state;
    vmr_partition_output(rig.partition, 7, bytes, sizeof(bytes));
    assert_int_equal(fake_count(&fake, FAKE_OUTPUT), 1);
    assert_int_equal(fake.values[FAKE_OUTPUT], UINT64_C(7) << 32 | sizeof(bytes));
    vmr_partition_output(rig.partition, 7, bytes, 0);
    assert_int_equal(fake_count(&fake, FAKE_OUTPUT), 1);
}

/* Room for so many bytes; what came, and in how many pieces. */
struct room {
    size_t left, came;
    uint32_t pieces;
    uint8_t bytes[1000];
};

static size_t receive(void *context, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct room *room = context;
    size_t taken = length < room->left ? length : room->left;

    assert_int_equal(stream, 3);
    assert_in_range(length, 1, VMR_INPUT_BYTES_MAX);
    /* Each piece is a request of its own, and this is in the middle of it. */
    assert_int_equal(fake_count(&fake, FAKE_ASYNC_BEGIN), ++room->pieces);
    assert_int_equal(fake_count(&fake, FAKE_ASYNC_END), room->pieces - 1);
    assert_int_equal(fake.values[FAKE_ASYNC_BEGIN], VMR_ASYNC_INPUT);
    for (size_t i = 0; i < taken; i++)
        room->bytes[room->came++] = bytes[i];
    room->left -= taken;
    return taken;
}

static void inputs_come_in_pieces_until_there_is_no_room(void **state)
{
    static const struct {
        size_t length, room, taken;
        uint32_t pieces;
    } rows[] = {
        {0, 10, 0, 0},      {1, 10, 1, 1},      {256, 256, 256, 1}, {257, 900, 257, 2},
        {900, 900, 900, 4}, {900, 300, 300, 2}, {900, 256, 256, 2}, {900, 0, 0, 1},
    };
    uint8_t bytes[900];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct room room = {.left = rows[i].room};
        const struct vmr_input_sink sink = {.receive = receive, .context = &room};

        fake.counts[FAKE_ASYNC_BEGIN] = fake.counts[FAKE_ASYNC_END] = 0;
        vmr_partition_set_input(rig.partition, &sink);
        assert_int_equal(vmr_partition_input(rig.partition, 3, bytes, rows[i].length), rows[i].taken);
        assert_int_equal(room.pieces, rows[i].pieces);
        assert_int_equal(fake_count(&fake, FAKE_ASYNC_END), rows[i].pieces);
        assert_memory_equal(room.bytes, bytes, rows[i].taken);
    }
}

static void nobody_behind_a_partition_takes_nothing(void **state)
{
    (void)state;
    assert_int_equal(vmr_partition_input(rig.partition, 0, (const uint8_t *)"x", 1), 0);
    assert_int_equal(fake_count(&fake, FAKE_ASYNC_BEGIN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outputs_reach_the_backend, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inputs_come_in_pieces_until_there_is_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_behind_a_partition_takes_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
