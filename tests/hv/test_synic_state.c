/* SPDX-License-Identifier: MIT */
/* The state of a SynIC: that what was restored is delivered, here or by the hypervisor. [HVS-3] [HVS-4] */

#include <stdlib.h>

#include "tests/hv/offload_rig.h"
#include "tests/hv/synic_rig.h"

#define SIMP (2 * PAGE)

static struct vmr_hv_queue_state *two_messages(void)
{
    struct vmr_hv_queue_state *queue = calloc(1, sizeof(*queue));

    assert_non_null(queue);
    queue->count = 2;
    store_le32(queue->messages, 11);
    store_le32(queue->messages + HV_MESSAGE_BYTES, 12);
    return queue;
}

static void a_restored_queue_delivers_without_another_post(void **state)
{
    struct vmr_hv_queue_state *queue = two_messages();
    struct rig rig;

    (void)state;
    rig_init(&rig);
    struct synic_vp *vp = synic_find(rig.synic, 0, 0);

    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
    (void)rig_poll(&rig);
    assert_int_equal(synic_restore_queue(rig.synic, vp, 2, queue, NULL), VMR_OK);
    assert_int_equal(rig.wakes[0], 1);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 11);
    assert_true(rig_slot_is_marked(&rig, SIMP, 2));
    queue->count = 0;
    assert_int_equal(synic_restore_queue(rig.synic, vp, 2, queue, NULL), VMR_OK);
    assert_int_equal(rig.wakes[0], 1); /* nothing to ring for */
    free(queue);
    rig_finish(&rig);
}

static void messages_that_cannot_be_are_refused(void **state)
{
    struct vmr_hv_queue_state *queue = two_messages();
    struct vmr_error err;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    struct synic_vp *vp = synic_find(rig.synic, 0, 0);

    queue->messages[HV_MESSAGE_BYTES + HV_MESSAGE_LENGTH_OFFSET] = 241;
    assert_int_equal(synic_restore_queue(rig.synic, vp, 2, queue, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "message-queue: messages: number 1"));
    queue->count = VMR_SYNIC_QUEUE_MAX + 1;
    assert_int_equal(synic_restore_queue(rig.synic, vp, 2, queue, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "message-queue: count"));
    assert_int_equal(message_queues_count(&vp->queues, 2), 0);
    free(queue);
    rig_finish(&rig);
}

static void a_stalled_timer_goes_when_its_slot_is_free(void **state)
{
    const struct vmr_hv_stimers_state value = {
        .timers = {{.config = HV_STIMER_ENABLE | 2 << HV_STIMER_SINT_SHIFT, .count = 1, .due = 1, .stalled = true}}};
    struct vmr_hv_stimers_state again;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    struct synic_vp *vp = synic_find(rig.synic, 0, 0);

    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
    assert_int_equal(rig_post(&rig, 2, 9), VMR_OK);
    (void)rig_poll(&rig);
    assert_int_equal(synic_restore_stimers(rig.synic, vp, &value, NULL), VMR_OK);
    assert_int_equal(synic_save_stimers(rig.synic, vp, &again, NULL), VMR_OK);
    assert_memory_equal(&again, &value, sizeof(value));
    (void)rig_advance(&rig, 10);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), 9);
    rig_free_slot(&rig, SIMP, 2);
    (void)rig_poll(&rig);
    assert_int_equal(rig_slot_type(&rig, SIMP, 2), HV_MESSAGE_TYPE_TIMER_EXPIRED);
    rig_finish(&rig);
}

static void pages_and_registers_come_back(void **state)
{
    struct vmr_hv_synic_state value, again;
    struct vmr_hv_page_state page;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    struct synic_vp *vp = synic_find(rig.synic, 0, 0), *other = synic_find(rig.synic, 2, 1);

    rig_write(&rig, HV_MSR_SIMP, SIMP | 1);
    rig_write(&rig, HV_MSR_SINT0 + 2, 0x52);
    synic_save(vp, &value);
    assert_int_equal(synic_restore(rig.synic, other, &value, NULL), VMR_OK);
    synic_save(other, &again);
    assert_memory_equal(&value, &again, sizeof(value));
    synic_save_page(other, VMR_VP_SIMP, &page);
    page.content[5] = 1;
    assert_int_equal(synic_restore_page(other, VMR_VP_SIMP, &page, NULL), VMR_OK);
    assert_true(rig_slot_is_marked(&rig, SIMP, 0));
    synic_save_page(other, VMR_VP_SIEFP, &page);
    assert_int_equal(page.content[5], 0);
    rig_finish(&rig);
}

static void a_monitor_page_that_is_not_trapped_leaves_the_old_one(void **state)
{
    struct vmr_hv_monitor_state value = {.has_page = true, .gpa = 3 * PAGE}, now;
    struct vmr_error err;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_int_equal(synic_restore_monitor(rig.synic, &value, NULL), VMR_OK);
    rig_expect(&rig, "trap 3000;");
    value.gpa = 4 * PAGE + 1;
    assert_int_equal(synic_restore_monitor(rig.synic, &value, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "monitor: gpa"));
    value = (struct vmr_hv_monitor_state){.allocated = true};
    assert_int_equal(synic_restore_monitor(rig.synic, &value, NULL), VMR_E_CONFIG);
    value = (struct vmr_hv_monitor_state){.gpa = PAGE};
    assert_int_equal(synic_restore_monitor(rig.synic, &value, NULL), VMR_E_CONFIG);
    synic_save_monitor(rig.synic, &now);
    assert_true(now.has_page && now.gpa == 3 * PAGE && !now.allocated);
    value = (struct vmr_hv_monitor_state){.has_page = true, .gpa = 3 * PAGE, .allocated = true};
    assert_int_equal(synic_restore_monitor(rig.synic, &value, NULL), VMR_OK);
    synic_save_monitor(rig.synic, &now);
    assert_true(now.allocated);
    rig_finish(&rig);
}

/* --- where the hypervisor has the timers --- */

struct offload {
    struct told told;
    struct rig rig;
};

static void raise_irq(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    (void)context, (void)vp, (void)vtl, (void)vector, (void)auto_eoi;
}

static void wake(void *context, vmr_vp_index vp)
{
    (void)context, (void)vp;
}

static void init_offload(struct offload *offload)
{
    *offload = (struct offload){0};
    fake_host_init(&offload->rig.fake, 1000);
    rig_add_ram(&offload->rig);
    const struct vmr_synic_options options = {.host = &offload->rig.fake.host,
                                              .memory = offload->rig.memory,
                                              .vp_count = RIG_VPS,
                                              .context = offload,
                                              .interrupt = raise_irq,
                                              .wake = wake,
                                              .offload = &told_ops};

    assert_int_equal(vmr_synic_create(&options, &offload->rig.synic, NULL), VMR_OK);
}

static void the_hypervisor_gets_its_timers(void **state)
{
    struct vmr_hv_stimers_state value = {.timers = {{.config = HV_STIMER_ENABLE | 2 << HV_STIMER_SINT_SHIFT,
                                                     .count = 500,
                                                     .changed = true},
                                                    {.config = HV_STIMER_AUTO_ENABLE, .count = 9}}},
                                again;
    struct offload offload;

    (void)state;
    init_offload(&offload);
    struct synic_vp *vp = synic_find(offload.rig.synic, 0, 0);

    /* Not told yet that they are off: what it still has means nothing. */
    offload.told.registers[0][HV_MSR_STIMER0_CONFIG - HV_MSR_FIRST] = 1;
    assert_int_equal(synic_save_stimers(offload.rig.synic, vp, &again, NULL), VMR_OK);
    assert_int_equal(again.timers[0].config, 0);
    assert_int_equal(synic_restore_stimers(offload.rig.synic, vp, &value, NULL), VMR_OK);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_STIMER0_COUNT), 500);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_STIMER0_CONFIG), value.timers[0].config);
    assert_int_equal(told_writes(&offload.told, 0, HV_MSR_STIMER0_CONFIG), 2); /* off, then on */
    (void)vmr_synic_poll(offload.rig.synic, 0, offload.rig.fake.now_ns);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_STIMER0_CONFIG), value.timers[0].config);
    assert_int_equal(synic_save_stimers(offload.rig.synic, vp, &again, NULL), VMR_OK);
    assert_memory_equal(&again, &value, sizeof(value));
    offload.told.fails = true;
    assert_int_equal(synic_save_stimers(offload.rig.synic, vp, &again, NULL), VMR_E_HOST);
    assert_int_equal(synic_restore_stimers(offload.rig.synic, vp, &value, NULL), VMR_E_HOST);
    offload.told.fails = false;
    rig_finish(&offload.rig);
}

static void the_hypervisor_gets_what_was_restored(void **state)
{
    struct vmr_hv_synic_state value = {.scontrol = 1, .simp = SIMP | 1};
    const struct vmr_hv_tsc_state tsc = {.value = 5 * PAGE | 1};
    struct offload offload;

    (void)state;
    init_offload(&offload);
    struct synic_vp *vp = synic_find(offload.rig.synic, 0, 0);

    (void)vmr_synic_poll(offload.rig.synic, 0, offload.rig.fake.now_ns);
    value.sints[2] = 0x52;
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        value.sints[sint] |= sint == 2 ? 0 : HV_SINT_MASKED;
    assert_int_equal(synic_restore(offload.rig.synic, vp, &value, NULL), VMR_OK);
    assert_int_equal(synic_restore_tsc(offload.rig.synic, &tsc, NULL), VMR_OK);
    synic_restore_time(offload.rig.synic, 777);
    assert_int_equal(offload.told.time, 777);
    (void)vmr_synic_poll(offload.rig.synic, 0, offload.rig.fake.now_ns);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_SIMP), SIMP | 1);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_SINT0 + 2), 0x52);
    assert_int_equal(told_value(&offload.told, 0, HV_MSR_REFERENCE_TSC), 5 * PAGE | 1);
    rig_finish(&offload.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_queue_delivers_without_another_post),
        cmocka_unit_test(messages_that_cannot_be_are_refused),
        cmocka_unit_test(a_stalled_timer_goes_when_its_slot_is_free),
        cmocka_unit_test(pages_and_registers_come_back),
        cmocka_unit_test(a_monitor_page_that_is_not_trapped_leaves_the_old_one),
        cmocka_unit_test(the_hypervisor_gets_its_timers),
        cmocka_unit_test(the_hypervisor_gets_what_was_restored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
