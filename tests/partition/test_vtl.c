/* SPDX-License-Identifier: MIT */
/* What a backend with VTLs is told, and what one without is not asked. [VTL-1] [VTL-12] [VTL-14] */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

static const struct vmr_hv_vtl2_config plain = {.late_map = NULL};
static const struct vmr_hv_config vtl2 = {.vtl2 = &plain, .allow_device_assignment = true};
static const struct vmr_hv_config isolated = {.vtl2 = &plain, .isolation = VMR_ISOLATION_VBS};
static const struct vmr_hv_config all = {0};

static void the_backend_is_told_which_vtls_there_are(void **state)
{
    static const struct {
        const struct vmr_hv_config *hv;
        uint8_t highest, first;
    } rows[] = {{NULL, 0, 0}, {&all, 1, 0}, {&vtl2, 2, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake fake;
        struct fake_rig rig;

        fake_init(&fake);
        fake.hv = rows[i].hv;
        fake_rig_init(&rig, &fake, NULL, 1);
        assert_int_equal(fake.config.vtl_highest, rows[i].highest);
        assert_int_equal(fake.config.vtl_first, rows[i].first);
        assert_int_equal(fake.config.allow_device_assignment, rows[i].hv == &vtl2);
        fake_rig_finish(&rig);
    }
}

static void without_vtls_the_backend_is_told_nothing(void **state)
{
    struct fake fake;
    struct fake_rig rig;

    (void)state;
    fake_init(&fake);
    fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_VTL);
    fake.hv = &all;
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(fake.config.vtl_highest, 0);
    assert_int_equal(vmr_partition_modify_vtl_page_setting(rig.partition, 0, 0, NULL), VMR_E_UNSUPPORTED);
    assert_int_equal(fake_count(&fake, FAKE_PROTECT), 0);
    fake_rig_finish(&rig);
}

static void pages_reach_the_backend(void **state)
{
    const struct vmr_page_range page = {.gpa = 0, .size = VMR_PAGE_SIZE};
    const struct vmr_initial_pages pages = {.range = page, .visibility = VMR_PAGE_SHARED};
    enum vmr_page_visibility visibility = VMR_PAGE_EXCLUSIVE;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_vp *vp;

    (void)state;
    fake_init(&fake);
    fake.hv = &isolated;
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(fake_count(&fake, FAKE_PROTECT), VMR_VTL_COUNT); /* the region, for each VTL */
    assert_int_equal(vmr_partition_accept_initial_pages(rig.partition, &pages, 1, NULL), VMR_OK);
    assert_int_equal(fake.values[FAKE_PROTECT], VMR_VTL2 << 8 | HV_MAP_GPA_PERMISSIONS_ALL);
    assert_true(vmr_partition_page_visibility(rig.partition, 0, &visibility));
    assert_int_equal(visibility, VMR_PAGE_SHARED);
    assert_int_equal(vmr_partition_modify_vtl_page_setting(rig.partition, 0, HV_MAP_GPA_READABLE, NULL), VMR_OK);
    assert_int_equal(fake.values[FAKE_PROTECT], VMR_VTL1 << 8 | HV_MAP_GPA_READABLE);
    assert_int_equal(vmr_partition_vtl_unmap(rig.partition, VMR_VTL0, &page, NULL), VMR_OK);
    assert_int_equal(fake.values[FAKE_PROTECT], VMR_VTL_HOLE);
    assert_int_equal(vmr_partition_vtl_map(rig.partition, VMR_VTL0, &page, NULL), VMR_OK);
    assert_int_equal(fake.values[FAKE_PROTECT], HV_MAP_GPA_READABLE);
    assert_int_equal(vmr_partition_bind(rig.partition, 0, &vp, NULL), VMR_OK);
    assert_int_equal(vmr_vp_get_vtl(vp), VMR_VTL2);
    assert_int_equal(vmr_partition_accept_initial_pages(rig.partition, &pages, 1, NULL), VMR_E_STATE);
    vmr_vp_unbind(vp);
    fake_rig_finish(&rig);
}

/* A region from which VTLs cannot be kept is not there. */
static void a_region_that_fails_is_taken_back(void **state)
{
    const struct vmr_memory_region region = {.gpa = 0x10000, .size = VMR_PAGE_SIZE};
    struct vmr_error err = {.message = ""};
    struct fake fake;
    struct fake_rig rig;

    (void)state;
    fake_init(&fake);
    fake.hv = &isolated;
    fake_rig_init(&rig, &fake, NULL, 1);
    fake.fail_always = FAKE_PROTECT;
    assert_int_equal(vmr_memory_region_add(rig.memory, &region, &err), VMR_E_HOST);
    assert_int_equal(fake.mapped, 1);
    fake.fail_always = FAKE_OPEN;
    assert_int_equal(vmr_memory_region_add(rig.memory, &region, &err), VMR_OK);
    assert_int_equal(vmr_memory_region_remove(rig.memory, 0x10000, NULL), VMR_OK);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_backend_is_told_which_vtls_there_are),
        cmocka_unit_test(without_vtls_the_backend_is_told_nothing),
        cmocka_unit_test(pages_reach_the_backend),
        cmocka_unit_test(a_region_that_fails_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
