/* SPDX-License-Identifier: MIT */
/*
 * The proto partition: what is asked of the backend, what is refused, and that
 * nothing is left when any step fails. [LIFE-4] [LIM-1]
 */

#include "vmrig/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"
#include "tests/support/counting_host.h"

struct setup {
    struct fake fake;
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_proto_options options;
};

static void set_up(struct setup *setup)
{
    fake_init(&setup->fake);
    vmr_host_posix(&setup->host, NULL);
    setup->handle = fake_handle(&setup->fake);
    setup->options = (struct vmr_proto_options){.host = &setup->host, .vp_count = 1};
}

static void its_arguments_are_checked_before_the_backend_is_asked(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_error err = {0};
    struct vmr_proto *proto = (struct vmr_proto *)&setup;
    const struct vmr_host no_ops = {0};

    set_up(&setup);
    setup.options.host = NULL;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_USAGE);
    setup.options.host = &no_ops;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_USAGE);
    setup.options.host = &setup.host;
    setup.options.vp_count = VMR_VP_COUNT_MAX + 1;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "2049"));
    setup.handle.backend = NULL;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_STATE);
    assert_int_equal(fake_count(&setup.fake, FAKE_CAPS), 0);
    assert_ptr_equal(proto, &setup); /* untouched [ERR-1] */
}

static void more_vps_than_the_backend_takes_are_refused(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_error err = {0};
    struct vmr_proto *proto = NULL;

    set_up(&setup);
    setup.options.vp_count = FAKE_VP_MAX;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_OK);
    vmr_proto_destroy(proto);
    setup.options.vp_count = FAKE_VP_MAX + 1;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "9 VPs, hypervisor 'fake' takes at most 8"));
}

/* Only of a backend that works with them. [EVT-3] */
static void a_host_without_events_has_what_needs_none(void **state)
{
    (void)state;
    const uint64_t with_events = UINT64_C(1) << VMR_CAP_IRQFD | UINT64_C(1) << VMR_CAP_DOORBELL;

    for (unsigned i = 0; i < 4; i++) {
        bool needs = (i & 1) != 0, has = (i & 2) != 0;
        struct setup setup;
        struct vmr_proto *proto = NULL;

        set_up(&setup);
        struct vmr_host_ops ops = *setup.host.ops;
        struct vmr_backend backend = *setup.handle.backend;

        ops.events = has ? ops.events : NULL;
        setup.host.ops = &ops;
        backend.flags |= needs ? VMR_BACKEND_HOST_EVENTS : 0;
        setup.handle.backend = &backend;
        assert_int_equal(setup.fake.caps.bits & with_events, with_events);
        assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, NULL), VMR_OK);
        assert_true(vmr_proto_caps(proto)->bits ==
                    (needs && !has ? setup.fake.caps.bits & ~with_events : setup.fake.caps.bits));
        vmr_proto_destroy(proto);
    }
}

static void no_vp_count_means_one(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_proto *proto = NULL;

    set_up(&setup);
    setup.options.vp_count = 0;
    setup.fake.caps.vp_count_max = 1;
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_caps(proto)->vp_count_max, 1);
    vmr_proto_destroy(proto);
    vmr_proto_destroy(NULL);
}

static void the_default_cpuid_is_shown(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_proto *proto = NULL;
    struct vmr_cpuid_entry entry;
    static const struct {
        const char *name;
        uint32_t leaf, subleaf, eax;
    } rows[] = {
        {"a leaf without subleaves, asked with one", 1, 99, 11},
        {"the first subleaf", 7, 0, 70},
        {"the second subleaf", 7, 1, 71},
        {"a subleaf that is not there", 7, 2, 0},
        {"a leaf that is not there", 8, 0, 0},
    };

    set_up(&setup);
    setup.fake.cpuid_count = 3;
    setup.fake.cpuid[0] = (struct vmr_cpuid_entry){.leaf = 1, .eax = 11};
    setup.fake.cpuid[1] = (struct vmr_cpuid_entry){.leaf = 7, .match_subleaf = true, .eax = 70};
    setup.fake.cpuid[2] = (struct vmr_cpuid_entry){.leaf = 7, .subleaf = 1, .match_subleaf = true, .eax = 71};
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, NULL), VMR_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        memset(&entry, 0x5a, sizeof(entry));
        vmr_proto_cpuid(proto, rows[i].leaf, rows[i].subleaf, &entry);
        assert_int_equal(entry.leaf, rows[i].leaf);
        assert_int_equal(entry.eax, rows[i].eax);
        assert_int_equal(entry.edx, 0);
    }
    vmr_proto_destroy(proto);
}

static void a_backend_without_cpuid_has_an_empty_table(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_proto *proto = NULL;
    struct vmr_cpuid_entry entry = {.eax = 5};

    set_up(&setup);
    setup.handle.backend = fake_backend_bare();
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, NULL), VMR_OK);
    vmr_proto_cpuid(proto, 1, 2, &entry);
    assert_int_equal(entry.eax, 0);
    assert_int_equal(entry.subleaf, 2);
    vmr_proto_destroy(proto);
}

static void each_failing_call_and_allocation_leaves_nothing(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_proto *proto = NULL;

    for (uint32_t nth = 1; nth <= 2; nth++) {
        struct vmr_error err = {0};

        set_up(&setup);
        setup.fake.fail_at = nth;
        assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, &err), VMR_E_HOST);
        assert_int_equal(err.host_errno, 5);
        assert_null(proto);
    }
    set_up(&setup);
    fail_allocation(1);
    assert_int_equal(vmr_proto_create(&setup.handle, &setup.options, &proto, NULL), VMR_E_NOMEM);
    assert_true(allocation_failed());
    assert_null(proto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_arguments_are_checked_before_the_backend_is_asked),
        cmocka_unit_test(more_vps_than_the_backend_takes_are_refused),
        cmocka_unit_test(a_host_without_events_has_what_needs_none),
        cmocka_unit_test(no_vp_count_means_one),
        cmocka_unit_test(the_default_cpuid_is_shown),
        cmocka_unit_test(a_backend_without_cpuid_has_an_empty_table),
        cmocka_unit_test(each_failing_call_and_allocation_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
