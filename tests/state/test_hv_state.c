/* SPDX-License-Identifier: MIT */
/* The classes of the Hyper-V interface: their order, and that no byte of a struct is forgotten. [STATE-3] */

#include "vmrig/hv_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/state/hv_state.h"

#define REGS_PADDING (2 * (sizeof(struct vmr_x86_table) - 10))

/* Bytes that no field is for. */
static size_t padding(const struct vmr_state_type *type)
{
    return type->size - vmr_state_encoded_max(type);
}

static void no_member_of_a_vp_is_forgotten(void **state)
{
    static const size_t expected[VMR_VP_CLASS_COUNT] = {
        [VMR_VP_VTLS] = 5 + VMR_VTL_COUNT * REGS_PADDING, [VMR_VP_STIMERS] = 6 * HV_STIMER_COUNT};

    (void)state;
    assert_int_equal(padding(vmr_vp_class_type(VMR_VP_VTLS)), expected[VMR_VP_VTLS]);
    for (unsigned i = VMR_VP_ASSIST; i < VMR_VP_CLASS_COUNT; i++)
        assert_int_equal(padding(vmr_vp_class_type((enum vmr_vp_class)i)), expected[i]);
}

static void no_member_of_a_partition_is_forgotten(void **state)
{
    static const size_t expected[VMR_VM_CLASS_COUNT] = {
        [VMR_VM_REFERENCE_TSC] = 4, [VMR_VM_MONITOR] = 6, [VMR_VM_DEVICE_INTERRUPT] = 6};

    (void)state;
    for (unsigned i = VMR_VM_HYPERCALL; i < VMR_VM_CLASS_COUNT; i++)
        assert_int_equal(padding(vmr_vm_class_type((enum vmr_vm_class)i)), expected[i]);
}

/* What another VTL holds means something after VTLS; pages come behind what places them, deliveries behind pages. */
static void the_order_is_the_contract_s(void **state)
{
    (void)state;
    assert_int_equal(VMR_VP_VTLS, 0);
    assert_true(VMR_VP_SYNIC > VMR_VP_ACTIVITY && VMR_VP_SIMP > VMR_VP_SYNIC && VMR_VP_SIEFP > VMR_VP_SYNIC);
    assert_true(VMR_VP_MESSAGE_QUEUE > VMR_VP_SIEFP && VMR_VP_STIMERS > VMR_VP_MESSAGE_QUEUE);
    assert_true(VMR_VM_REFERENCE_TIME > VMR_VM_CLOCK && VMR_VM_REFERENCE_TSC > VMR_VM_REFERENCE_TIME);
}

static void a_queue_is_as_long_as_it_is(void **state)
{
    static struct vmr_hv_queue_state queue;
    const struct vmr_state_type *type = vmr_vp_class_type(VMR_VP_MESSAGE_QUEUE);

    (void)state;
    queue.count = 3;
    assert_int_equal(vmr_state_encode(type, &queue, NULL, 0), 4 + 3 * HV_MESSAGE_BYTES);
    queue.count = 0;
    assert_int_equal(vmr_state_encode(type, &queue, NULL, 0), 4);
}

static void names_lead_back(void **state)
{
    (void)state;
    assert_int_equal(vmr_vp_class_find("vtls"), VMR_VP_VTLS);
    assert_int_equal(vmr_vp_class_find("stimers"), VMR_VP_STIMERS);
    assert_int_equal(vmr_vm_class_find("vtls"), VMR_VM_VTLS);
    assert_ptr_equal(hv_vp_class_type(VMR_VP_CRASH), vmr_vp_class_type(VMR_VP_CRASH));
    assert_ptr_equal(hv_vm_class_type(VMR_VM_MONITOR), vmr_vm_class_type(VMR_VM_MONITOR));
    assert_true(vmr_vp_class_is_private(VMR_VP_SIMP));
    assert_false(vmr_vp_class_is_private(VMR_VP_CRASH));
    assert_false(vmr_vp_class_is_private(VMR_VP_VTLS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_member_of_a_vp_is_forgotten),
        cmocka_unit_test(no_member_of_a_partition_is_forgotten),
        cmocka_unit_test(the_order_is_the_contract_s),
        cmocka_unit_test(a_queue_is_as_long_as_it_is),
        cmocka_unit_test(names_lead_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
