/* SPDX-License-Identifier: MIT */
/* The state of pages: chunk by chunk, all or nothing. [HVS-1] [HVS-5] */

#include "lib/hv/guest_pages_flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

#define PAGE UINT64_C(4096)
#define CHUNK (VMR_HV_CHUNK_PAGES * PAGE)
#define PAGES 8u /* of the first region */

struct rig {
    struct fake_host fake;
    struct guest_pages pages;
    uint8_t told[VMR_VTL_COUNT][PAGES];
    unsigned fail_in;
};

static bool protect(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    struct rig *rig = context;

    if (rig->fail_in > 0 && --rig->fail_in == 0)
        return false;
    if (gpa / PAGE + size / PAGE <= PAGES)
        memset(rig->told[vtl] + gpa / PAGE, access, size / PAGE);
    return true;
}

static void add(struct rig *rig, vmr_gpa gpa, uint64_t size)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size};

    assert_int_equal(guest_pages_add(&rig->pages, &region, NULL), VMR_OK);
}

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

    memset(rig->told, HV_MAP_GPA_PERMISSIONS_ALL, sizeof(rig->told));
    assert_int_equal(guest_pages_init(&rig->pages, &options, NULL), VMR_OK);
    add(rig, 0, PAGES * PAGE);
}

static void chunks_are_where_ram_is(void **state)
{
    struct rig rig;
    uint32_t chunk = 0;

    (void)state;
    init(&rig, false, NULL);
    add(&rig, 5 * CHUNK - PAGE, 2 * PAGE);
    assert_true(guest_pages_next_chunk(&rig.pages, &chunk));
    assert_int_equal(chunk, 0);
    chunk = 1;
    assert_true(guest_pages_next_chunk(&rig.pages, &chunk));
    assert_int_equal(chunk, 4);
    chunk = 5;
    assert_true(guest_pages_next_chunk(&rig.pages, &chunk));
    assert_int_equal(chunk, 5);
    chunk = 6;
    assert_false(guest_pages_next_chunk(&rig.pages, &chunk));
    assert_int_equal(chunk, 6);
    guest_pages_finish(&rig.pages);
}

/* Everything a page can have; then in another partition the backend is told the same. */
static void what_vtls_may_do_is_the_same_elsewhere(void **state)
{
    struct vmr_hv_pages_state *value = calloc(2, sizeof(*value));
    struct rig a, b;

    (void)state;
    assert_non_null(value);
    init(&a, true, NULL);
    init(&b, true, NULL);
    for (uint64_t page = 0; page < PAGES; page++)
        assert_int_equal(guest_pages_accept(&a.pages, page, page % 2 ? VMR_PAGE_SHARED : VMR_PAGE_EXCLUSIVE, NULL),
                         GUEST_PAGES_OK);
    assert_int_equal(guest_pages_protect(&a.pages, 1, 0, 2, 1), GUEST_PAGES_OK);
    assert_int_equal(guest_pages_protect(&a.pages, 2, 1, 3, 0), GUEST_PAGES_OK);
    assert_int_equal(guest_pages_map(&a.pages, 1, &(struct vmr_page_range){4 * PAGE, PAGE}, false), GUEST_PAGES_OK);
    guest_pages_save(&a.pages, 0, &value[0]);
    assert_int_equal(guest_pages_restore(&b.pages, 0, &value[0], NULL), VMR_OK);
    guest_pages_save(&b.pages, 0, &value[1]);
    assert_memory_equal(&value[0], &value[1], sizeof(value[0]));
    assert_memory_equal(a.told, b.told, sizeof(a.told));
    guest_pages_reset(&a.pages);
    guest_pages_state_at_reset(&b.pages, 0, &value[1]);
    guest_pages_save(&a.pages, 0, &value[0]);
    assert_memory_equal(&value[0], &value[1], sizeof(value[0]));
    free(value);
    guest_pages_finish(&a.pages);
    guest_pages_finish(&b.pages);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    const struct {
        unsigned page;
        uint32_t flags;
    } bad[] = {{0, UINT32_C(1) << 17}, {0, UINT32_MAX}, {1, ACCEPTED}, {1, SHARED}, {PAGES, UNMAPPED(0)}};
    struct vmr_hv_pages_state *value = calloc(1, sizeof(*value));
    struct vmr_error err;
    struct rig rig;

    (void)state;
    assert_non_null(value);
    init(&rig, false, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        value->flags[bad[i].page] = bad[i].flags;
        assert_int_equal(guest_pages_restore(&rig.pages, 0, value, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, "vtl-pages: flags["));
        value->flags[bad[i].page] = 0;
    }
    free(value);
    guest_pages_finish(&rig.pages);
}

static void a_backend_that_fails_leaves_it_as_it_was(void **state)
{
    struct vmr_hv_pages_state *value = calloc(2, sizeof(*value));
    enum vmr_status status = VMR_E_HOST;
    struct rig rig;

    (void)state;
    assert_non_null(value);
    init(&rig, false, NULL);
    value->flags[1] = UNMAPPED(0);
    value->flags[5] = 0x7 << DENIED_SHIFT(2, 0);
    for (unsigned nth = 1; status; nth++) {
        assert_true(nth < 16);
        rig.fail_in = nth;
        status = guest_pages_restore(&rig.pages, 0, &value[0], NULL);
        rig.fail_in = 0;
        assert_true(status == VMR_OK || status == VMR_E_HOST);
        guest_pages_save(&rig.pages, 0, &value[1]);
        assert_int_equal(value[1].flags[1] | value[1].flags[5], status ? 0 : value->flags[1] | value->flags[5]);
        assert_int_equal(rig.told[0][1], status ? HV_MAP_GPA_PERMISSIONS_ALL : VMR_VTL_HOLE);
    }
    free(value);
    guest_pages_finish(&rig.pages);
}

static void late_mapping_is_over_or_not(void **state)
{
    static const struct vmr_late_map late = {.policy = VMR_LATE_MAP_HALT, .allowed = VMR_LATE_MAP_RANGES};
    struct rig rig, plain;

    (void)state;
    init(&rig, false, &late);
    init(&plain, false, NULL);
    assert_true(guest_pages_is_late(&rig.pages));
    assert_int_equal(rig.told[2][3], 0);
    assert_int_equal(guest_pages_restore_late(&rig.pages, false, NULL), VMR_OK);
    assert_int_equal(rig.told[2][3], HV_MAP_GPA_PERMISSIONS_ALL);
    rig.fail_in = 1;
    assert_int_equal(guest_pages_restore_late(&rig.pages, true, NULL), VMR_E_HOST);
    assert_false(guest_pages_is_late(&rig.pages));
    assert_int_equal(guest_pages_restore_late(&rig.pages, true, NULL), VMR_OK);
    assert_int_equal(rig.told[2][3], 0);
    assert_int_equal(guest_pages_restore_late(&plain.pages, true, NULL), VMR_E_CONFIG);
    guest_pages_finish(&rig.pages);
    guest_pages_finish(&plain.pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_where_ram_is),           cmocka_unit_test(what_vtls_may_do_is_the_same_elsewhere),
        cmocka_unit_test(what_cannot_be_is_refused_by_name), cmocka_unit_test(a_backend_that_fails_leaves_it_as_it_was),
        cmocka_unit_test(late_mapping_is_over_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
