/* SPDX-License-Identifier: MIT */
/* Events and messages straight to a SINT of a lower VTL. [HC-17] */

#include "lib/hv/calls.h"

#include "tests/hv/calls_rig.h"

#define FLAG 70u
#define SINT 2u

/* A caller of VTL 1, and VP 1's SynIC of VTL 0 open, with pages 4 and 5. */
static void rig_init(struct calls_rig *rig)
{
    calls_rig_init(rig);
    rig->caller.vtl = 1;
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest.guest, 1, 0, HV_MSR_SCONTROL, 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest.guest, 1, 0, HV_MSR_SIMP, 4 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest.guest, 1, 0, HV_MSR_SIEFP, 5 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest.guest, 1, 0, HV_MSR_SINT0 + SINT, 0x40), VMR_MSR_OK);
}

static void put_signal(struct calls_rig *rig, uint32_t vp, uint8_t vtl, uint8_t sint, uint16_t flag)
{
    store_le32(rig->input + 8, vp);
    rig->input[12] = vtl;
    rig->input[13] = sint;
    store_le16(rig->input + 14, flag);
}

static void a_flag_is_set_and_news_once(void **state)
{
    (void)state;
    struct calls_rig rig;
    uint8_t byte = 0;

    rig_init(&rig);
    put_signal(&rig, 1, 0, SINT, FLAG);
    assert_int_equal(calls_rig_run(&rig, calls_signal_direct), HV_STATUS_SUCCESS);
    assert_int_equal(rig.output[0], 1);
    assert_int_equal(rig.interrupted, 2);
    assert_int_equal(vmr_memory_read(rig.guest.memory, 5 * PAGE + 256 * SINT + FLAG / 8, &byte, 1), VMR_OK);
    assert_int_equal(byte, 1u << FLAG % 8);
    assert_int_equal(calls_rig_run(&rig, calls_signal_direct), HV_STATUS_SUCCESS);
    assert_int_equal(rig.output[0], 0);
    calls_rig_finish(&rig);
}

static void whom_it_may_not_reach_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t vp;
        uint8_t vtl, sint;
        uint16_t flag;
        enum hv_status status;
    } rows[] = {
        {1, 1, SINT, FLAG, HV_STATUS_OPERATION_DENIED},
        {1, 2, SINT, FLAG, HV_STATUS_OPERATION_DENIED},
        {1, 3, SINT, FLAG, HV_STATUS_INVALID_PARAMETER},
        {2, 0, SINT, FLAG, HV_STATUS_INVALID_VP_INDEX},
        {1, 0, 16, FLAG, HV_STATUS_INVALID_PARAMETER},
        {1, 0, 0, FLAG, HV_STATUS_INVALID_PARAMETER},
        {1, 0, SINT, HV_EVENT_FLAG_COUNT, HV_STATUS_INVALID_PARAMETER},
    };
    struct calls_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_signal(&rig, rows[i].vp, rows[i].vtl, rows[i].sint, rows[i].flag);
        assert_int_equal(calls_rig_run(&rig, calls_signal_direct), rows[i].status);
        assert_int_equal(rig.interrupted, 0);
    }
    store_le64(rig.input, 1);
    put_signal(&rig, 1, 0, SINT, FLAG);
    assert_int_equal(calls_rig_run(&rig, calls_signal_direct), HV_STATUS_INVALID_PARTITION_ID);
    calls_rig_finish(&rig);
}

static void put_post(struct calls_rig *rig, uint8_t sint, uint32_t type, uint8_t length)
{
    store_le32(rig->input + 8, 1);
    rig->input[12] = 0;
    rig->input[16] = sint;
    store_le32(rig->input + 20 + HV_MESSAGE_TYPE_OFFSET, type);
    rig->input[20 + HV_MESSAGE_LENGTH_OFFSET] = length;
    store_le64(rig->input + 20 + HV_MESSAGE_ORIGIN_OFFSET, 0x99);
    store_le64(rig->input + 20 + HV_MESSAGE_PAYLOAD_OFFSET, 0x1122334455667788);
}

static void a_message_lands_in_its_slot(void **state)
{
    (void)state;
    struct calls_rig rig;
    uint8_t slot[32];

    rig_init(&rig);
    put_post(&rig, SINT, 7, 8);
    assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_SUCCESS);
    (void)vmr_hv_guest_poll(rig.guest.guest, 1, 0);
    assert_int_equal(vmr_memory_read(rig.guest.memory, 4 * PAGE + 256 * SINT, slot, sizeof(slot)), VMR_OK);
    assert_int_equal(load_le32(slot), 7);
    assert_int_equal(slot[HV_MESSAGE_LENGTH_OFFSET], 8);
    assert_int_equal(load_le64(slot + HV_MESSAGE_ORIGIN_OFFSET), 0x99);
    assert_int_equal(load_le64(slot + HV_MESSAGE_PAYLOAD_OFFSET), 0x1122334455667788);
    calls_rig_finish(&rig);
}

static void messages_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct calls_rig rig;

    rig_init(&rig);
    put_post(&rig, SINT, HV_MESSAGE_TYPE_NONE, 8);
    assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_INVALID_PARAMETER);
    put_post(&rig, SINT, 7, HV_MESSAGE_PAYLOAD_MAX + 1);
    assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_INVALID_PARAMETER);
    put_post(&rig, 16, 7, 8);
    assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_INVALID_PARAMETER);
    put_post(&rig, SINT, 7, HV_MESSAGE_PAYLOAD_MAX);
    for (unsigned i = 0; i < VMR_SYNIC_QUEUE_MAX; i++)
        assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_SUCCESS);
    assert_int_equal(calls_rig_run(&rig, calls_post_direct), HV_STATUS_INSUFFICIENT_BUFFERS);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_is_set_and_news_once),
        cmocka_unit_test(whom_it_may_not_reach_is_refused),
        cmocka_unit_test(a_message_lands_in_its_slot),
        cmocka_unit_test(messages_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
