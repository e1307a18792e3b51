/* SPDX-License-Identifier: MIT */
/* The registers that belong to no device, at their edges. [HV-2] [HV-3] [HV-5] [HV-7] */

#include "tests/hv/guest_rig.h"
#include "tests/hv/offload_rig.h"

static uint8_t byte_at(struct guest_rig *rig, vmr_gpa gpa)
{
    uint8_t byte = 0;

    assert_int_equal(vmr_memory_read(rig->memory, gpa, &byte, 1), VMR_OK);
    return byte;
}

static void the_page_opens_and_closes_with_identity_and_enable(void **state)
{
    (void)state;
    struct guest_rig rig;

    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 1), VMR_MSR_OK);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 0));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 0));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 1), VMR_MSR_OK);
    assert_true(vmr_hv_guest_is_calling(rig.guest, 0));
    assert_int_equal(byte_at(&rig, 3 * PAGE), 0xe6);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE), VMR_MSR_OK);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 0));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, 0), VMR_MSR_OK);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 0));
    assert_int_equal(guest_rig_read(&rig, HV_MSR_HYPERCALL), 3 * PAGE);
    guest_rig_finish(&rig);
}

/* The code belongs to the page: a guest that wrote over it finds it whole after a move. */
static void what_a_guest_wrote_over_the_code_does_not_move(void **state)
{
    (void)state;
    struct guest_rig rig;

    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(vmr_memory_fill(rig.memory, 3 * PAGE, 0x90, 16), VMR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 4 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(byte_at(&rig, 4 * PAGE), 0xe6);
    guest_rig_finish(&rig);
}

static void a_lock_holds_until_reset(void **state)
{
    (void)state;
    struct guest_rig rig;

    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 3), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 3 * PAGE | 3), VMR_MSR_FAULT);
    vmr_hv_guest_reset(rig.guest);
    assert_int_equal(guest_rig_read(&rig, HV_MSR_HYPERCALL), 0);
    assert_int_equal(guest_rig_read(&rig, HV_MSR_GUEST_OS_ID), 0);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 5 * PAGE), VMR_MSR_OK);
    guest_rig_finish(&rig);
}

static void no_address_makes_a_write_go_wrong(void **state)
{
    static const uint64_t addresses[] = {16 * PAGE, UINT64_MAX & ~UINT64_C(0xfff), UINT64_C(1) << 63, 0xfffffffff000};
    static const uint32_t registers[] = {HV_MSR_HYPERCALL, HV_MSR_VP_ASSIST_PAGE, HV_MSR_SIMP, HV_MSR_SIEFP};
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        for (size_t k = 0; k < sizeof(addresses) / sizeof(addresses[0]); k++)
            assert_int_equal(guest_rig_write(&rig, registers[i], addresses[k] | 1), VMR_MSR_FAULT);
        assert_int_equal(guest_rig_read(&rig, registers[i]), 0);
    }
    guest_rig_finish(&rig);
}

struct heard {
    unsigned count;
    size_t length;
    char first;
};

static void hear(void *context, vmr_vp_index vp, const struct vmr_hv_crash *crash)
{
    struct heard *heard = context;

    assert_int_equal(vp, 0);
    heard->count++;
    heard->length = crash->length;
    heard->first = crash->length ? crash->message[0] : 0;
}

static void a_crash_text_is_bounded(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct heard heard = {0};

    guest_rig_prepare(&rig);
    rig.options.config = (struct vmr_hv_config){.crash = hear, .context = &heard};
    guest_rig_create(&rig);
    assert_int_equal(vmr_memory_fill(rig.memory, PAGE, 'x', 2 * PAGE), VMR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_CRASH_P0 + 3, PAGE), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_CRASH_P0 + 4, UINT64_MAX), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE), VMR_MSR_OK);
    assert_int_equal(heard.length, HV_CRASH_MESSAGE_BYTES_MAX);
    assert_int_equal(heard.first, 'x');
    assert_int_equal(guest_rig_write(&rig, HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY), VMR_MSR_OK);
    assert_int_equal(heard.length, 0);
    assert_int_equal(heard.count, 2);
    guest_rig_finish(&rig);
}

static void a_reset_is_asked_for_once(void **state)
{
    (void)state;
    struct guest_rig rig;

    guest_rig_init(&rig);
    assert_false(vmr_hv_guest_take_reset(rig.guest));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_RESET, 2), VMR_MSR_OK);
    assert_false(vmr_hv_guest_take_reset(rig.guest));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_RESET, 3), VMR_MSR_OK);
    assert_true(vmr_hv_guest_take_reset(rig.guest));
    assert_false(vmr_hv_guest_take_reset(rig.guest));
    assert_int_equal(guest_rig_read(&rig, HV_MSR_RESET), 0);
    guest_rig_finish(&rig);
}

/* The page's code is the hypervisor's: it is told of page and identity, and only of what was accepted. */
static void the_hypervisor_is_told_of_identity_and_page(void **state)
{
    struct told told = {0};
    struct guest_rig rig;

    (void)state;
    guest_rig_prepare(&rig);
    rig.options.target.offload = &told_ops;
    rig.options.target.own.privileges = UINT64_MAX;
    rig.options.target.context = &told;
    guest_rig_create(&rig);
    assert_true(vmr_hv_guest_is_offloaded(rig.guest));
    assert_int_equal(guest_rig_write(&rig, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 2 * PAGE | 1), VMR_MSR_OK);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_HYPERCALL, 77 * PAGE | 1), VMR_MSR_FAULT);
    told.fails = true;
    (void)vmr_hv_guest_poll(rig.guest, 0, 0);
    told.fails = false;
    (void)vmr_hv_guest_poll(rig.guest, 0, 0);
    assert_int_equal(told_value(&told, 0, HV_MSR_GUEST_OS_ID), OS_ID);
    assert_int_equal(told_value(&told, 0, HV_MSR_HYPERCALL), 2 * PAGE | 1);
    (void)vmr_hv_guest_poll(rig.guest, 1, 0); /* one for all VPs */
    assert_int_equal(told_writes(&told, 1, HV_MSR_GUEST_OS_ID), 0);
    guest_registers_reset(rig.guest);
    (void)vmr_hv_guest_poll(rig.guest, 0, 0);
    assert_int_equal(told_value(&told, 0, HV_MSR_GUEST_OS_ID), 0);
    assert_int_equal(told_value(&told, 0, HV_MSR_HYPERCALL), 0);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_opens_and_closes_with_identity_and_enable),
        cmocka_unit_test(what_a_guest_wrote_over_the_code_does_not_move),
        cmocka_unit_test(a_lock_holds_until_reset),
        cmocka_unit_test(no_address_makes_a_write_go_wrong),
        cmocka_unit_test(a_crash_text_is_bounded),
        cmocka_unit_test(a_reset_is_asked_for_once),
        cmocka_unit_test(the_hypervisor_is_told_of_identity_and_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
