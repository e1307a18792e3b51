/* SPDX-License-Identifier: MIT */
/* Inputs of the calls about isolated pages, and what they leave. [VTL-14] [VTL-15] */

#include "tests/hv/guest_rig.h"

static const struct vmr_hv_vtl2_config plain = {.late_map = NULL};

/* Pages 0 to 2 are accepted: for the calls. */
static void init(struct guest_rig *rig)
{
    const struct vmr_initial_pages pages = {.range = {.gpa = 0, .size = 3 * PAGE}};

    guest_rig_init_vtls(rig, &plain, VMR_ISOLATION_VBS);
    assert_int_equal(vmr_hv_guest_accept_initial(rig->guest, &pages, 1, NULL), VMR_OK);
}

static uint64_t accept(struct guest_rig *rig, uint8_t caller, uint64_t attributes, uint64_t page, uint64_t count)
{
    uint8_t input[24 + 8 * 4] = {0};

    memset(input, 0xff, 8);
    store_le64(input + 8, attributes);
    store_le64(input + 16, page);
    memset(input + 24, 0xee, sizeof(input) - 24); /* the list's values are nobody's */
    return guest_rig_call(rig, caller, HV_CALL_ACCEPT_GPA_PAGES | count << 32, input, sizeof(input));
}

static void pages_come_into_being(void **state)
{
    enum vmr_page_visibility visibility = VMR_PAGE_EXCLUSIVE;
    struct guest_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(rig.access[0][5], 0);
    assert_int_equal(accept(&rig, 2, HV_VISIBILITY_SHARED << HV_ACCEPT_VISIBILITY_SHIFT, 5, 2), UINT64_C(2) << 32);
    assert_int_equal(rig.access[0][5], HV_MAP_GPA_PERMISSIONS_ALL);
    assert_int_equal(rig.access[2][6], HV_MAP_GPA_PERMISSIONS_ALL);
    assert_int_equal(rig.access[2][7], 0);
    assert_true(vmr_hv_guest_page_visibility(rig.guest, 5 * PAGE, &visibility));
    assert_int_equal(visibility, VMR_PAGE_SHARED);
    assert_int_equal(accept(&rig, 2, 0, 5, 1), HV_STATUS_OPERATION_DENIED);
    assert_int_equal(accept(&rig, 2, 0, UINT64_MAX, 2), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(accept(&rig, 2, 0, GUEST_PAGES - 1, 2), HV_STATUS_INVALID_PARAMETER | UINT64_C(1) << 32);
    guest_rig_finish(&rig);
}

static void permissions_are_for_lower_vtls(void **state)
{
    const uint64_t vtl1 = UINT64_C(1) << 9 | UINT64_C(1) << 32, vtl2 = UINT64_C(1) << 10 | UINT64_C(5) << 48;
    struct guest_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(accept(&rig, 2, UINT64_C(1) << 8, 5, 1), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(accept(&rig, 1, vtl2, 5, 1), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(accept(&rig, 2, vtl1 | vtl2, 5, 1), UINT64_C(1) << 32);
    assert_int_equal(rig.access[0][5], 1);
    assert_int_equal(rig.access[1][5], 5);
    assert_int_equal(rig.access[2][5], HV_MAP_GPA_PERMISSIONS_ALL);
    guest_rig_finish(&rig);
}

static void the_host_accepts_all_or_nothing(void **state)
{
    const struct vmr_initial_pages pages[] = {{.range = {.gpa = 4 * PAGE, .size = 2 * PAGE}},
                                              {.range = {.gpa = 2 * PAGE, .size = PAGE}}};
    enum vmr_page_visibility visibility;
    struct vmr_error err = {.message = ""};
    struct guest_rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(vmr_hv_guest_accept_initial(rig.guest, pages, 2, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "0x2000"));
    assert_int_equal(rig.access[0][4], 0);
    assert_false(vmr_hv_guest_page_visibility(rig.guest, 5 * PAGE, &visibility));
    rig.protect_fails = true;
    assert_int_equal(vmr_hv_guest_accept_initial(rig.guest, pages, 1, &err), VMR_E_HOST);
    rig.protect_fails = false;
    assert_int_equal(vmr_hv_guest_accept_initial(rig.guest, pages, 1, &err), VMR_OK);
    guest_rig_finish(&rig);
}

static void visibility_is_of_accepted_pages(void **state)
{
    uint8_t input[24], output[2] = {9, 9};
    struct guest_rig rig;

    (void)state;
    init(&rig);
    memset(input, 0xff, 8);
    store_le64(input + 8, HV_VISIBILITY_SHARED);
    store_le64(input + 16, 2);
    assert_int_equal(guest_rig_call(&rig, 0, HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY | UINT64_C(1) << 32, input,
                                    sizeof(input)),
                     UINT64_C(1) << 32);
    store_le64(input + 8, 2); /* the list of a query begins here */
    store_le64(input + 16, 7);
    assert_int_equal(guest_rig_call(&rig, 0, HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY | UINT64_C(2) << 32, input,
                                    sizeof(input)),
                     HV_STATUS_OPERATION_DENIED | UINT64_C(1) << 32);
    assert_int_equal(memory_read_inside(rig.memory, 2 * PAGE, output, sizeof(output)), VMR_OK);
    assert_int_equal(output[0], HV_VISIBILITY_SHARED);
    assert_int_equal(output[1], 0);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_come_into_being),
        cmocka_unit_test(permissions_are_for_lower_vtls),
        cmocka_unit_test(the_host_accepts_all_or_nothing),
        cmocka_unit_test(visibility_is_of_accepted_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
