/* SPDX-License-Identifier: MIT */
/*
 * What VTLs may do with pages: against a model that keeps each rule by itself,
 * for random requests; and what happens when the backend or memory fails.
 * [VTL-9] [VTL-11] [VTL-13] [VTL-14]
 */

#include "lib/hv/guest_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/counting_host.h"
#include "tests/support/fake_host.h"

#define PAGE UINT64_C(4096)
#define PAGES 8u
#define ALL HV_MAP_GPA_PERMISSIONS_ALL

struct rig {
    struct fake_host fake;
    struct guest_pages pages;
    uint8_t told[VMR_VTL_COUNT][PAGES];
    unsigned fail_in; /* that call from now on fails; 0: none */
};

static bool protect(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    struct rig *rig = context;

    if (rig->fail_in > 0 && --rig->fail_in == 0)
        return false;
    assert_true(vtl < VMR_VTL_COUNT && gpa / PAGE + size / PAGE <= PAGES);
    memset(rig->told[vtl] + gpa / PAGE, access, size / PAGE);
    return true;
}

static const struct vmr_memory_region ram = {.gpa = 0, .size = PAGES * PAGE};

static void init(struct rig *rig, bool isolated, const struct vmr_late_map *late)
{
    *rig = (struct rig){0};
    fake_host_init(&rig->fake, 0);
    const struct guest_pages_options options = {.host = &rig->fake.host,
                                                .highest = VMR_VTL2,
                                                .isolated = isolated,
                                                .late_map = late,
                                                .protect = protect,
                                                .context = rig};

    memset(rig->told, ALL, sizeof(rig->told));
    assert_int_equal(guest_pages_init(&rig->pages, &options, NULL), VMR_OK);
    assert_int_equal(guest_pages_add(&rig->pages, &ram, NULL), VMR_OK);
}

/* --- the model --- */

struct model {
    bool isolated, late;
    bool accepted[PAGES], unmapped[VMR_VTL_COUNT][PAGES];
    uint8_t lets[VMR_VTL_COUNT][VMR_VTL_COUNT][PAGES]; /* imposer, target */
};

static uint8_t model_access(const struct model *model, unsigned vtl, unsigned page)
{
    uint8_t access = ALL;

    if (model->unmapped[vtl][page])
        return VMR_VTL_HOLE;
    if ((model->isolated && !model->accepted[page]) || (model->late && vtl == 2 && page >= 2))
        return 0;
    for (unsigned imposer = vtl + 1; imposer < VMR_VTL_COUNT; imposer++)
        access &= model->lets[imposer][vtl][page];
    return access;
}

static void compare(struct rig *rig, const struct model *model)
{
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        for (unsigned page = 0; page < PAGES; page++) {
            uint8_t want = model_access(model, vtl, page), imposer = 0;

            assert_int_equal(rig->told[vtl][page], want);
            for (uint8_t access = 1; access <= ALL; access++) {
                bool allowed = want != VMR_VTL_HOLE && (access & ~want) == 0;

                assert_int_equal(guest_pages_allow(&rig->pages, (uint8_t)vtl, page, access), allowed);
                if (want != VMR_VTL_HOLE)
                    assert_int_equal(guest_pages_why(&rig->pages, (uint8_t)vtl, page, access, &imposer) ==
                                         GUEST_PAGES_ALLOWED,
                                     allowed);
            }
        }
    }
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static void request(struct rig *rig, struct model *model, uint64_t *seed)
{
    uint8_t imposer = (uint8_t)(1 + draw(seed, 2)), target = (uint8_t)draw(seed, imposer);
    uint8_t access = (uint8_t)draw(seed, ALL + 1), vtl = (uint8_t)draw(seed, VMR_VTL_COUNT);
    unsigned page = draw(seed, PAGES);
    const struct vmr_page_range range = {.gpa = page * PAGE, .size = PAGE};
    bool mapped = draw(seed, 2);
    enum guest_pages_result want = model->accepted[page] ? GUEST_PAGES_STATE : GUEST_PAGES_OK;

    switch (draw(seed, 8)) {
    case 0:
        assert_int_equal(guest_pages_accept(&rig->pages, page, VMR_PAGE_SHARED, NULL), want);
        for (unsigned i = 0; want == GUEST_PAGES_OK && i < VMR_VTL_COUNT; i++) {
            for (unsigned j = 0; j < VMR_VTL_COUNT; j++)
                model->lets[i][j][page] = ALL;
        }
        model->accepted[page] = true;
        break;
    case 1:
        assert_int_equal(guest_pages_map(&rig->pages, vtl, &range, mapped), GUEST_PAGES_OK);
        model->unmapped[vtl][page] = !mapped;
        break;
    case 2:
        if (draw(seed, 8) == 0) {
            assert_int_equal(guest_pages_lift(&rig->pages), GUEST_PAGES_OK);
            model->late = false;
        }
        break;
    default:
        assert_int_equal(guest_pages_protect(&rig->pages, imposer, target, page, access), GUEST_PAGES_OK);
        model->lets[imposer][target][page] = access;
        break;
    }
}

static void it_does_what_the_rules_say(void **state)
{
    static const struct vmr_page_range own = {.gpa = 0, .size = 2 * PAGE};
    static const struct vmr_late_map late = {.allowed = VMR_LATE_MAP_RANGES, .ranges = &own, .range_count = 1};

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rig rig;
        struct model model = {.isolated = seed & 1, .late = seed & 2};
        uint64_t random = seed;

        memset(model.lets, ALL, sizeof(model.lets));
        init(&rig, model.isolated, model.late ? &late : NULL);
        compare(&rig, &model);
        for (unsigned i = 0; i < 200; i++) {
            request(&rig, &model, &random);
            compare(&rig, &model);
        }
        guest_pages_reset(&rig.pages);
        memset(model.lets, ALL, sizeof(model.lets));
        model.late = seed & 2;
        compare(&rig, &model);
        guest_pages_finish(&rig.pages);
    }
}

/* --- what fails --- */

static void a_backend_that_refuses_changes_nothing(void **state)
{
    const uint8_t permissions[VMR_VTL_COUNT] = {ALL, ALL, ALL};

    (void)state;
    for (unsigned fail_in = 1; fail_in <= 3; fail_in++) {
        struct model model = {.isolated = true};
        struct rig rig;

        memset(model.lets, ALL, sizeof(model.lets));
        init(&rig, true, NULL);
        rig.fail_in = fail_in;
        assert_int_equal(guest_pages_accept(&rig.pages, 3, VMR_PAGE_EXCLUSIVE, permissions), GUEST_PAGES_NO_MEMORY);
        assert_int_equal(rig.fail_in, 0);
        compare(&rig, &model);
        assert_int_equal(guest_pages_accept(&rig.pages, 3, VMR_PAGE_EXCLUSIVE, permissions), GUEST_PAGES_OK);
        guest_pages_finish(&rig.pages);
    }
}

static void a_lift_that_fails_is_tried_again(void **state)
{
    static const struct vmr_late_map late = {.policy = VMR_LATE_MAP_HALT};
    struct rig rig;

    (void)state;
    init(&rig, false, &late);
    assert_int_equal(rig.told[2][5], 0);
    rig.fail_in = 1;
    assert_int_equal(guest_pages_lift(&rig.pages), GUEST_PAGES_NO_MEMORY);
    assert_false(guest_pages_allow(&rig.pages, 2, 5, HV_MAP_GPA_READABLE));
    assert_int_equal(guest_pages_lift(&rig.pages), GUEST_PAGES_OK);
    assert_int_equal(rig.told[2][5], ALL);
    guest_pages_finish(&rig.pages);
}

static void without_memory_nothing_changes(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig, false, NULL);
    fail_allocation(1);
    assert_int_equal(guest_pages_protect(&rig.pages, 1, 0, 3, 0), GUEST_PAGES_NO_MEMORY);
    fail_allocation(0);
    assert_int_equal(rig.told[0][3], ALL);
    assert_true(guest_pages_allow(&rig.pages, 0, 3, ALL));
    guest_pages_finish(&rig.pages);
}

static void a_region_that_cannot_be_kept_from_vtls_is_refused(void **state)
{
    const struct vmr_memory_region more = {.gpa = 4 * PAGE, .size = PAGE};
    struct vmr_error err = {.message = ""};
    struct rig rig;

    (void)state;
    init(&rig, true, NULL);
    guest_pages_remove(&rig.pages, &ram);
    assert_int_equal(guest_pages_accept(&rig.pages, 4, VMR_PAGE_SHARED, NULL), GUEST_PAGES_NO_RAM);
    rig.fail_in = 2;
    assert_int_equal(guest_pages_add(&rig.pages, &more, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "0x4000"));
    assert_int_equal(guest_pages_accept(&rig.pages, 4, VMR_PAGE_SHARED, NULL), GUEST_PAGES_NO_RAM);
    guest_pages_finish(&rig.pages);
}

/* RAM that goes and comes again is new: nothing of it was accepted or protected. */
static void ram_that_is_added_has_no_past(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig, false, NULL);
    assert_int_equal(guest_pages_protect(&rig.pages, 1, 0, 3, 0), GUEST_PAGES_OK);
    guest_pages_remove(&rig.pages, &ram);
    assert_int_equal(guest_pages_add(&rig.pages, &ram, NULL), VMR_OK);
    assert_true(guest_pages_allow(&rig.pages, 0, 3, ALL));
    guest_pages_finish(&rig.pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_the_rules_say),
        cmocka_unit_test(a_backend_that_refuses_changes_nothing),
        cmocka_unit_test(a_lift_that_fails_is_tried_again),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(a_region_that_cannot_be_kept_from_vtls_is_refused),
        cmocka_unit_test(ram_that_is_added_has_no_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
