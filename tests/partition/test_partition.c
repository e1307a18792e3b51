/* SPDX-License-Identifier: MIT */
/*
 * Building and taking down: the order of calls, the CPUID table that the
 * hypervisor gets, and what any failing step leaves behind: nothing. [LIFE-3] [LIFE-4] [LIFE-5]
 */

#include "lib/partition/partition.h"

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
    struct counting_host counting_host;
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_hypervisor_handle handle;
    struct vmr_proto *proto;
    struct vmr_partition_options options;
};

static void set_up(struct setup *setup, uint32_t vp_count)
{
    const struct vmr_memory_region regions[] = {{.gpa = 0, .size = VMR_PAGE_SIZE},
                                                {.gpa = 0x10000, .size = VMR_PAGE_SIZE, .read_only = true}};

    *setup = (struct setup){0};
    fake_init(&setup->fake);
    counting_host_init(&setup->counting_host, &setup->host);
    assert_int_equal(vmr_memory_create(&setup->host, &setup->memory, NULL), VMR_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(vmr_memory_region_add(setup->memory, &regions[i], NULL), VMR_OK);
    setup->handle = fake_handle(&setup->fake);
    setup->options = (struct vmr_partition_options){.memory = setup->memory};
    const struct vmr_proto_options options = {.host = &setup->host, .vp_count = vp_count};

    assert_int_equal(vmr_proto_create(&setup->handle, &options, &setup->proto, NULL), VMR_OK);
    atomic_store(&setup->fake.failable, 0);
    atomic_store(&setup->counting_host.calls, 0);
}

static void tear_down(struct setup *setup)
{
    vmr_proto_destroy(setup->proto);
    vmr_memory_destroy(setup->memory);
    assert_int_equal(setup->fake.live_vms, 0);
    assert_int_equal(setup->fake.live_vps, 0);
    assert_int_equal(setup->fake.mapped, 0);
    assert_int_equal(setup->fake.misuse, 0);
    assert_int_equal(setup->counting_host.live_parkers, 0);
}

static void a_partition_has_what_it_was_built_with(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL;

    set_up(&setup, 3);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, NULL), VMR_OK);
    assert_null(setup.proto);
    assert_int_equal(vmr_partition_vp_count(partition), 3);
    assert_int_equal(vmr_partition_irqchip(partition), VMR_IRQCHIP_USER);
    assert_ptr_equal(vmr_partition_host(partition), &setup.host);
    assert_ptr_equal(vmr_partition_memory(partition), setup.memory);
    assert_int_equal(vmr_partition_caps(partition)->physical_bits, 40);
    assert_ptr_equal(vmr_partition_native(partition, fake_backend()), &setup.fake);
    assert_null(vmr_partition_native(partition, fake_backend_bare()));
    assert_int_equal(setup.fake.config.vp_count, 3);
    assert_int_equal(setup.fake.mapped, 2);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    assert_int_equal(vmr_partition_destroy(NULL), VMR_OK);
    tear_down(&setup);
}

static void a_proto_is_built_once(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL, *second = NULL;
    struct vmr_error err = {0};

    set_up(&setup, 1);
    setup.options.memory = NULL;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_USAGE);
    setup.options.memory = setup.memory;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &second, &err), VMR_E_STATE);
    assert_null(second);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

static void a_hypervisor_without_a_dirty_log_is_named(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL;
    struct vmr_error err = {0};

    set_up(&setup, 1);
    assert_int_equal(vmr_memory_dirty_start(setup.memory, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "hypervisor 'fake' has none"));
    assert_non_null(setup.proto);
    assert_int_equal(vmr_memory_dirty_stop(setup.memory, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    err = (struct vmr_error){0};
    assert_int_equal(vmr_memory_dirty_start(setup.memory, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "hypervisor 'fake' has none"));
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

static void memory_serves_one_partition_at_a_time(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL, *second = NULL;
    struct vmr_proto *proto = NULL;
    const struct vmr_proto_options options = {.host = &setup.host};

    set_up(&setup, 1);
    assert_int_equal(vmr_proto_create(&setup.handle, &options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &setup.options, &second, NULL), VMR_E_STATE);
    assert_non_null(proto); /* as before, and can be built again */
    assert_int_equal(setup.fake.mapped, 2);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &setup.options, &second, NULL), VMR_OK);
    assert_int_equal(vmr_partition_destroy(second), VMR_OK);
    tear_down(&setup);
}

static void what_a_backend_lacks_is_unsupported(void **state)
{
    (void)state;
    static const struct vmr_msr_range range = {.first = 1, .count = 1};
    struct setup setup;
    struct vmr_partition *partition = NULL;
    struct vmr_error err = {0};

    set_up(&setup, 1);
    setup.fake.caps.bits &= ~((UINT64_C(1) << VMR_CAP_READ_ONLY) | (UINT64_C(1) << VMR_CAP_MSR_EXIT));
    vmr_proto_destroy(setup.proto);
    const struct vmr_proto_options options = {.host = &setup.host};

    assert_int_equal(vmr_proto_create(&setup.handle, &options, &setup.proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "0x10000"));
    setup.options.msr_exits = &range;
    setup.options.msr_exit_count = 1;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "msr_exits"));
    assert_int_equal(vmr_memory_region_remove(setup.memory, 0x10000, NULL), VMR_OK);
    setup.options.msr_exit_count = 0;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    const struct vmr_memory_region late = {.gpa = 0x20000, .size = VMR_PAGE_SIZE, .read_only = true};

    assert_int_equal(vmr_memory_region_add(setup.memory, &late, &err), VMR_E_UNSUPPORTED);
    assert_int_equal(setup.fake.mapped, 1);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

static void msr_ranges_are_counted_and_end_below_two_to_the_32(void **state)
{
    (void)state;
    static struct vmr_msr_range ranges[VMR_MSR_RANGE_MAX + 1];
    struct setup setup;
    struct vmr_partition *partition = NULL;
    struct vmr_error err = {0};

    set_up(&setup, 1);
    setup.options.msr_exits = ranges;
    setup.options.msr_exit_count = VMR_MSR_RANGE_MAX + 1;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "1025 ranges"));
    setup.options.msr_exit_count = VMR_MSR_RANGE_MAX;
    ranges[7] = (struct vmr_msr_range){.first = UINT32_MAX, .count = 2};
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "msr_exits[7]: 2 MSRs from 0xffffffff"));
    assert_null(partition);
    ranges[7].count = 1;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

static void the_callers_cpuid_entries_win(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL;
    static const struct vmr_cpuid_entry mine[] = {
        {.leaf = 7, .subleaf = 1, .match_subleaf = true, .eax = 171},
        {.leaf = 1, .subleaf = 9, .eax = 111}, /* the subleaf of one that matches any means nothing */
        {.leaf = 8, .eax = 108},
    };

    set_up(&setup, 1);
    vmr_proto_destroy(setup.proto);
    setup.fake.cpuid_count = 3;
    setup.fake.cpuid[0] = (struct vmr_cpuid_entry){.leaf = 1, .eax = 11};
    setup.fake.cpuid[1] = (struct vmr_cpuid_entry){.leaf = 7, .match_subleaf = true, .eax = 70};
    setup.fake.cpuid[2] = (struct vmr_cpuid_entry){.leaf = 7, .subleaf = 1, .match_subleaf = true, .eax = 71};
    const struct vmr_proto_options options = {.host = &setup.host};

    assert_int_equal(vmr_proto_create(&setup.handle, &options, &setup.proto, NULL), VMR_OK);
    setup.options.cpuid = mine;
    setup.options.cpuid_count = 3;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, NULL), VMR_OK);
    assert_int_equal(setup.fake.config.cpuid_count, 4);
    assert_int_equal(setup.fake.config_cpuid[0].eax, 111);
    assert_int_equal(setup.fake.config_cpuid[1].eax, 70);
    assert_int_equal(setup.fake.config_cpuid[2].eax, 171);
    assert_int_equal(setup.fake.config_cpuid[3].eax, 108);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

static void cpuid_entries_end_at_the_limit(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL;
    struct vmr_error err = {0};
    struct vmr_cpuid_entry many[VMR_CPUID_LEAF_MAX + 1] = {0};

    for (uint32_t i = 0; i <= VMR_CPUID_LEAF_MAX; i++)
        many[i].leaf = 0x1000 + i;
    set_up(&setup, 1);
    setup.options.cpuid = many;
    setup.options.cpuid_count = VMR_CPUID_LEAF_MAX + 1;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "cpuid[256]"));
    setup.options.cpuid_count = VMR_CPUID_LEAF_MAX;
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

/* --- failures, each in turn, until a build goes through --- */

struct failure {
    const char *name;
    void (*arm)(struct setup *setup, uint32_t nth);
    bool (*happened)(struct setup *setup, uint32_t nth);
};

static void arm_backend(struct setup *setup, uint32_t nth)
{
    setup->fake.fail_at = nth;
}

static bool backend_failed(struct setup *setup, uint32_t nth)
{
    setup->fake.fail_at = 0;
    return atomic_load(&setup->fake.failable) >= nth;
}

static void arm_host(struct setup *setup, uint32_t nth)
{
    setup->counting_host.fail_at = nth;
}

static bool host_failed(struct setup *setup, uint32_t nth)
{
    setup->counting_host.fail_at = 0;
    return atomic_load(&setup->counting_host.calls) >= nth;
}

static void arm_memory(struct setup *setup, uint32_t nth)
{
    (void)setup;
    fail_allocation(nth);
}

static bool memory_failed(struct setup *setup, uint32_t nth)
{
    (void)setup;
    (void)nth;
    bool failed = allocation_failed();

    fail_allocation(0);
    return failed;
}

static const struct failure failures[] = {
    {"calls", arm_backend, backend_failed},
    {"parkers", arm_host, host_failed},
    {"allocations", arm_memory, memory_failed},
};

/* Returns whether the n-th one exists. After the failure the same proto must still build. */
static bool fail_once(const struct failure *failure, uint32_t nth)
{
    struct setup setup;
    struct vmr_error err = {0};
    struct vmr_partition *partition = NULL;

    set_up(&setup, 2);
    failure->arm(&setup, nth);
    enum vmr_status status = vmr_proto_build(&setup.proto, &setup.options, &partition, &err);
    bool happened = failure->happened(&setup, nth);

    assert_int_equal(status != VMR_OK, happened);
    assert_int_equal(err.status, status);
    if (happened) {
        assert_null(partition);
        assert_non_null(setup.proto);
        assert_int_equal(setup.fake.live_vms, 0);
        assert_int_equal(setup.counting_host.live_parkers, 0);
        assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, &err), VMR_OK);
    }
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
    return happened;
}

static void any_failing_step_leaves_nothing_and_can_be_tried_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        uint32_t nth = 1;

        while (fail_once(&failures[i], nth))
            nth++;
        print_message("%u failing %s\n", nth - 1, failures[i].name);
        assert_in_range(nth, 4, 20); /* at least three of each */
    }
}

static void a_partition_with_a_bound_vp_stays(void **state)
{
    (void)state;
    struct setup setup;
    struct vmr_partition *partition = NULL;
    struct vmr_vp *vp = NULL;

    set_up(&setup, 2);
    assert_int_equal(vmr_proto_build(&setup.proto, &setup.options, &partition, NULL), VMR_OK);
    assert_int_equal(vmr_partition_bind(partition, 1, &vp, NULL), VMR_OK);
    assert_int_equal(vmr_partition_destroy(partition), VMR_E_STATE);
    assert_int_equal(vmr_vp_get_index(vp), 1);
    vmr_vp_unbind(vp);
    assert_int_equal(vmr_partition_destroy(partition), VMR_OK);
    tear_down(&setup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_has_what_it_was_built_with),
        cmocka_unit_test(a_proto_is_built_once),
        cmocka_unit_test(memory_serves_one_partition_at_a_time),
        cmocka_unit_test(what_a_backend_lacks_is_unsupported),
        cmocka_unit_test(msr_ranges_are_counted_and_end_below_two_to_the_32),
        cmocka_unit_test(the_callers_cpuid_entries_win),
        cmocka_unit_test(cpuid_entries_end_at_the_limit),
        cmocka_unit_test(any_failing_step_leaves_nothing_and_can_be_tried_again),
        cmocka_unit_test(a_partition_with_a_bound_vp_stays),
        cmocka_unit_test(a_hypervisor_without_a_dirty_log_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
