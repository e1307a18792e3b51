/* SPDX-License-Identifier: MIT */
/* What becomes of an access that a VTL may not make, and the message about it. [VTL-10] [VTL-11] */

#include "tests/hv/guest_rig.h"

static const struct vmr_hv_vtl2_config plain = {.late_map = NULL};

static const struct vmr_x86_regs regs = {.rip = 0x123456,
                                         .rflags = 0x202,
                                         .cr0 = 1 | 1 << 18,
                                         .cr8 = 5,
                                         .efer = 0x500,
                                         .cs = {.base = 1, .limit = 2, .selector = 3, .attributes = 0xa0fb},
                                         .ss.attributes = 0xc0f3};

static enum vmr_hv_fault_end fault(struct guest_rig *rig, uint8_t vtl, vmr_gpa gpa, uint8_t access_type,
                                   struct vmr_hv_entry *ret_entry)
{
    const struct vmr_hv_fault at = {.vp = 0, .vtl = vtl, .gpa = gpa, .access_type = access_type, .regs = &regs};

    return vmr_hv_guest_fault(rig->guest, &at, ret_entry);
}

static void open_sint(struct guest_rig *rig)
{
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, 2, HV_MSR_SIMP, 9 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, 2, HV_MSR_SINT0, HV_SINT_POLLING | 0x40), VMR_MSR_OK);
}

/* In VTL 0, with page 5 kept from it. */
static void init(struct guest_rig *rig)
{
    struct vmr_hv_entry entry;

    guest_rig_init_vtls(rig, &plain, VMR_ISOLATION_NONE);
    assert_true(vtls_return(&rig->guest->vtls, 0, &entry));
    assert_int_equal(vmr_hv_guest_modify_page(rig->guest, 5, HV_MAP_GPA_READABLE, NULL), VMR_OK);
}

static void the_message_says_all_of_it(void **state)
{
    struct vmr_hv_entry entry;
    struct guest_rig rig;
    uint8_t message[HV_MESSAGE_BYTES];
    const uint8_t *payload = message + HV_MESSAGE_PAYLOAD_OFFSET;

    (void)state;
    init(&rig);
    open_sint(&rig);
    assert_int_equal(fault(&rig, 0, 5 * PAGE + 8, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_ENTER);
    assert_int_equal(entry.vtl, 2);
    assert_int_equal(vmr_hv_guest_vtl(rig.guest, 0), 2);
    (void)vmr_hv_guest_poll(rig.guest, 0, 0);
    assert_int_equal(vmr_memory_read(rig.memory, 9 * PAGE, message, sizeof(message)), VMR_OK);
    assert_int_equal(load_le32(message), HV_MESSAGE_TYPE_GPA_INTERCEPT);
    assert_int_equal(message[HV_MESSAGE_LENGTH_OFFSET], 80);
    assert_int_equal(load_le32(payload), 0);
    assert_int_equal(payload[4], 5 << 4);
    assert_int_equal(payload[5], HV_INTERCEPT_WRITE);
    assert_int_equal(load_le16(payload + 6), 3 | 1 << 2 | 1 << 3 | 1 << 4);
    assert_int_equal(load_le64(payload + 8), 1);
    assert_int_equal(load_le32(payload + 16), 2);
    assert_int_equal(load_le16(payload + 20), 3);
    assert_int_equal(load_le16(payload + 22), 0xa0fb);
    assert_int_equal(load_le64(payload + 24), regs.rip);
    assert_int_equal(load_le64(payload + 32), regs.rflags);
    assert_int_equal(load_le32(payload + 40), HV_CACHE_TYPE_WRITE_BACK);
    assert_int_equal(load_le64(payload + 56), 5 * PAGE + 8);
    guest_rig_finish(&rig);
}

static void nobody_to_tell_is_a_halt(void **state)
{
    struct vmr_hv_entry entry;
    struct guest_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_HALT);
    assert_int_equal(vmr_hv_guest_vtl(rig.guest, 0), 0);
    open_sint(&rig);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_SCONTROL, 0), VMR_MSR_OK);
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_HALT);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_SCONTROL, 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_SIMP, 0), VMR_MSR_OK);
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_HALT);
    guest_rig_finish(&rig);
}

/* A VTL that never reads its messages is told so often, and no more. */
static void a_full_queue_is_a_halt(void **state)
{
    struct vmr_hv_entry entry;
    struct guest_rig rig;
    unsigned told = 0;

    (void)state;
    init(&rig);
    open_sint(&rig);
    while (fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_WRITE, &entry) == VMR_HV_FAULT_ENTER)
        assert_true(++told <= VMR_SYNIC_QUEUE_MAX);
    assert_int_equal(told, VMR_SYNIC_QUEUE_MAX);
    guest_rig_finish(&rig);
}

static void what_is_allowed_by_now_is_done_again(void **state)
{
    struct vmr_hv_entry entry;
    struct guest_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_READ, &entry), VMR_HV_FAULT_RETRY);
    assert_int_equal(fault(&rig, 0, 6 * PAGE, HV_INTERCEPT_EXECUTE, &entry), VMR_HV_FAULT_RETRY);
    assert_int_equal(fault(&rig, 0, UINT64_MAX, HV_INTERCEPT_READ, &entry), VMR_HV_FAULT_RETRY); /* no RAM */
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_EXECUTE, &entry), VMR_HV_FAULT_HALT);
    assert_int_equal(fault(&rig, 3, 5 * PAGE, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_HALT);
    guest_rig_finish(&rig);
    guest_rig_init(&rig);
    assert_int_equal(fault(&rig, 0, 5 * PAGE, HV_INTERCEPT_WRITE, &entry), VMR_HV_FAULT_HALT); /* no VTLs at all */
    guest_rig_finish(&rig);
}

static void late_mapping_goes_by_its_policy(void **state)
{
    static const enum vmr_hv_fault_end ends[VMR_LATE_MAP_POLICY_COUNT] = {
        [VMR_LATE_MAP_LOG] = VMR_HV_FAULT_PASS,
        [VMR_LATE_MAP_HALT] = VMR_HV_FAULT_HALT,
        [VMR_LATE_MAP_INJECT_EXCEPTION] = VMR_HV_FAULT_EXCEPTION,
    };

    (void)state;
    for (unsigned policy = 0; policy < VMR_LATE_MAP_POLICY_COUNT; policy++) {
        const struct vmr_late_map late = {.policy = (enum vmr_late_map_policy)policy};
        const struct vmr_hv_vtl2_config config = {.late_map = &late};
        struct vmr_hv_entry entry;
        struct guest_rig rig;

        guest_rig_init_vtls(&rig, &config, VMR_ISOLATION_NONE);
        assert_int_equal(rig.access[2][5], 0);
        assert_int_equal(rig.access[0][5], HV_MAP_GPA_PERMISSIONS_ALL);
        assert_int_equal(fault(&rig, 2, 5 * PAGE, HV_INTERCEPT_READ, &entry), ends[policy]);
        assert_int_equal(guest_pages_lift(&rig.guest->pages), GUEST_PAGES_OK);
        assert_int_equal(fault(&rig, 2, 5 * PAGE, HV_INTERCEPT_READ, &entry), VMR_HV_FAULT_RETRY);
        guest_rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_says_all_of_it),      cmocka_unit_test(nobody_to_tell_is_a_halt),
        cmocka_unit_test(a_full_queue_is_a_halt),          cmocka_unit_test(what_is_allowed_by_now_is_done_again),
        cmocka_unit_test(late_mapping_goes_by_its_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
