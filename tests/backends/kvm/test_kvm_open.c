/* SPDX-License-Identifier: MIT */
/*
 * What is asked of KVM before there is a VP, on the fake kernel: opening,
 * parameters, capabilities, the CPUID table, the MSR filter.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"

static enum vmr_status open_with(struct vmr_params params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    return vmr_kvm_backend()->open(&params, fd, ret_handle, err);
}

static void close_handle(struct vmr_hypervisor_handle *handle)
{
    handle->context_destroy(handle->context);
    if (handle->owns_fd)
        kvm_host_close(handle->fd);
}

static void absent_and_refused_are_told_apart(void **state)
{
    static const struct {
        int error;
        enum vmr_status status;
        const char *message;
    } rows[] = {
        {ENOENT, VMR_E_UNAVAILABLE, "no /dev/kvm"},
        {ENODEV, VMR_E_UNAVAILABLE, "no /dev/kvm"},
        {EACCES, VMR_E_HOST, "cannot open /dev/kvm: Permission denied"},
        {EMFILE, VMR_E_HOST, "cannot open /dev/kvm: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_hypervisor_handle handle;
        struct vmr_error err;

        fake_kvm_reset();
        fake_kvm.open_errno = rows[i].error;
        assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, &err), rows[i].status);
        assert_int_equal(err.status, rows[i].status);
        assert_int_equal(err.host_errno, rows[i].error);
        assert_non_null(strstr(err.message, rows[i].message));
        assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), rows[i].status);
    }
}

static void parameter_errors_come_before_availability(void **state)
{
    static const struct vmr_params bad[] = {
        {.count = 1, .items = {{"irqchip", "none"}}},
        {.count = 1, .items = {{"user_mode_apic", "maybe"}}},
        {.count = 1, .items = {{"signal", "33"}}},
        {.count = 1, .items = {{"signal", "65"}}},
        {.count = 1, .items = {{"signal", "0x22"}}},
        {.count = 2, .items = {{"irqchip", "split"}, {"user_mode_apic", "true"}}},
        {.count = 2, .items = {{"user_mode_apic", "no"}, {"irqchip", "user"}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vmr_hypervisor_handle handle;
        struct vmr_error err;

        fake_kvm_reset();
        fake_kvm.open_errno = ENOENT;
        assert_int_equal(open_with(bad[i], -1, &handle, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, bad[i].items[0].key));
        assert_non_null(strstr(err.message, bad[i].items[0].value));
        assert_int_equal(fake_kvm.calls, 0);
    }
}

static void keys_choose_the_place_of_the_controllers(void **state)
{
    static const struct {
        struct vmr_params params;
        enum vmr_irqchip irqchip;
    } rows[] = {
        {{.count = 0}, VMR_IRQCHIP_USER},
        {{.count = 1, .items = {{"irqchip", "split"}}}, VMR_IRQCHIP_SPLIT},
        {{.count = 1, .items = {{"irqchip", "kernel"}}}, VMR_IRQCHIP_KERNEL},
        {{.count = 1, .items = {{"user_mode_apic", "yes"}}}, VMR_IRQCHIP_USER},
        {{.count = 1, .items = {{"user_mode_apic", "0"}}}, VMR_IRQCHIP_KERNEL},
        {{.count = 2, .items = {{"user_mode_apic", "0"}, {"irqchip", "split"}}}, VMR_IRQCHIP_SPLIT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_hypervisor_handle handle;

        fake_kvm_reset();
        assert_int_equal(open_with(rows[i].params, -1, &handle, NULL), VMR_OK);
        assert_int_equal(handle.irqchip, rows[i].irqchip);
        assert_true(handle.own_hyperv);
        assert_true(handle.owns_fd);
        close_handle(&handle);
        assert_int_equal(fake_kvm_open_fds(), 0);
    }
}

static void descriptor_of_something_else_is_refused_and_left_open(void **state)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_error err;
    int fd;

    (void)state;
    fake_kvm_reset();
    fd = kvm_host_open();
    assert_int_equal(open_with((struct vmr_params){0}, fd, &handle, &err), VMR_OK);
    assert_false(handle.owns_fd);
    close_handle(&handle);
    fake_kvm.api_version = -ENOTTY;
    assert_int_equal(open_with((struct vmr_params){0}, fd, &handle, &err), VMR_E_CONFIG);
    assert_int_equal(fake_kvm_open_fds(), 1);
}

static void kernel_that_lacks_the_basics_is_unavailable(void **state)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_error err;

    (void)state;
    fake_kvm_reset();
    fake_kvm.absent = KVM_CAP_IMMEDIATE_EXIT;
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, &err), VMR_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "KVM_CAP_IMMEDIATE_EXIT"));
    fake_kvm_reset();
    fake_kvm.api_version = 13;
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, &err), VMR_E_UNAVAILABLE);
    assert_int_equal(fake_kvm_open_fds(), 0);
}

static struct vmr_caps caps_with(enum vmr_irqchip irqchip, unsigned long absent)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_caps caps;

    fake_kvm_reset();
    fake_kvm.absent = absent;
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), VMR_OK);
    handle.irqchip = irqchip;
    assert_int_equal(vmr_kvm_backend()->caps(&handle, &caps, NULL), VMR_OK);
    close_handle(&handle);
    return caps;
}

static void capabilities_follow_kernel_and_place(void **state)
{
    struct vmr_caps user = caps_with(VMR_IRQCHIP_USER, 0);
    struct vmr_caps kernel = caps_with(VMR_IRQCHIP_KERNEL, 0);
    struct vmr_caps without = caps_with(VMR_IRQCHIP_USER, KVM_CAP_READONLY_MEM);

    (void)state;
    assert_true(vmr_caps_have(&user, VMR_CAP_RECORDABLE));
    assert_false(vmr_caps_have(&user, VMR_CAP_MSI));
    assert_false(vmr_caps_have(&user, VMR_CAP_IRQFD));
    assert_false(vmr_caps_have(&user, VMR_CAP_HYPERCALL_EXIT));
    assert_true(vmr_caps_have(&user, VMR_CAP_READ_ONLY));
    assert_false(vmr_caps_have(&without, VMR_CAP_READ_ONLY));
    assert_false(vmr_caps_have(&kernel, VMR_CAP_RECORDABLE));
    assert_true(vmr_caps_have(&kernel, VMR_CAP_MSI));
    assert_int_equal(user.vp_count_max, 8);
    assert_int_equal(user.physical_bits, 36);
}

static void set_supported(void)
{
    fake_kvm.supported[0] = (struct kvm_cpuid_entry2){.function = 0, .eax = 0x1f};
    fake_kvm.supported[1] =
        (struct kvm_cpuid_entry2){.function = 1, .ebx = 0xaa00aaaa, .ecx = UINT32_MAX, .edx = UINT32_MAX};
    fake_kvm.supported[2] = (struct kvm_cpuid_entry2){
        .function = 0xb, .index = 1, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 9, .ebx = 9};
    fake_kvm.supported[3] = (struct kvm_cpuid_entry2){.function = 0x40000000, .ebx = 0x4b4d564b};
    fake_kvm.supported[4] = (struct kvm_cpuid_entry2){
        .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = UINT32_MAX, .ecx = UINT32_MAX};
    fake_kvm.supported_count = 5;
}

static uint32_t default_features(bool host_has_vmx, size_t *ret_count, uint32_t *ret_leaf7)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_cpuid_entry entries[FAKE_CPUID_MAX];

    fake_kvm_reset();
    fake_kvm.host_has_vmx = host_has_vmx;
    set_supported();
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), VMR_OK);
    assert_int_equal(vmr_kvm_backend()->cpuid(&handle, entries, FAKE_CPUID_MAX, ret_count, NULL), VMR_OK);
    close_handle(&handle);
    *ret_leaf7 = entries[3].ebx;
    return entries[1].ecx;
}

static void facts_are_what_the_kernel_says(void **state)
{
    struct vmr_hypervisor_handle handle;
    const char *name;
    uint64_t value;
    size_t count = 0, absent = 0;

    (void)state;
    fake_kvm_reset();
    fake_kvm.absent = KVM_CAP_HYPERV_SYNIC2;
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), VMR_OK);
    for (; (name = vmr_kvm_backend()->fact(&handle, count, &value)) != NULL; count++) {
        bool synic2 = strcmp(name, "KVM_CAP_HYPERV_SYNIC2") == 0;

        absent += synic2;
        assert_int_equal(value, synic2 ? 0 : 1);
    }
    assert_int_equal(absent, 1);
    assert_true(count > 1);
    assert_null(vmr_kvm_backend()->fact(&handle, count, &value));
    close_handle(&handle);
}

/* It takes a VM and a VP to ask; whichever step fails, neither is left behind. */
static void the_speed_of_the_tsc_is_asked_of_a_vp(void **state)
{
    struct vmr_hypervisor_handle handle;

    (void)state;
    fake_kvm_reset();
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), VMR_OK);
    assert_int_equal(vmr_kvm_backend()->tsc_hz(&handle), FAKE_TSC_KHZ * UINT64_C(1000));
    fake_kvm.fail_errno = EIO;
    for (unsigned nth = 1; nth <= 3; nth++) {
        fake_kvm.fail_at = fake_kvm.calls + nth;
        assert_int_equal(vmr_kvm_backend()->tsc_hz(&handle), 0);
        assert_int_equal(fake_kvm_open_fds(), 1);
    }
    assert_int_equal(vmr_kvm_backend()->tsc_hz(&handle), FAKE_TSC_KHZ * UINT64_C(1000));
    close_handle(&handle);
    assert_int_equal(fake_kvm_open_fds(), 0);
}

static void interpreting_kvm_offers_only_what_it_can_do(void **state)
{
    size_t count;
    uint32_t leaf7;

    (void)state;
    assert_int_equal(default_features(true, &count, &leaf7), ~(1u << 24)); /* all but the deadline timer */
    assert_int_equal(leaf7, UINT32_MAX);
    assert_int_equal(count, 4); /* KVM's paravirtual leaf is not among them */
    uint32_t poor = default_features(false, &count, &leaf7);

    assert_int_equal(poor & (1u << 23 | 1u << 26 | 1u << 13), 0); /* POPCNT, XSAVE, CX16 */
    assert_int_equal(poor >> 31, 1);                              /* "there is a hypervisor" stays */
    assert_int_equal(leaf7 & (1u << 20 | 1u << 10), 0);           /* SMAP, INVPCID */
}

static void table_that_does_not_fit_is_an_error(void **state)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_cpuid_entry entries[2];
    size_t count = 77;

    (void)state;
    fake_kvm_reset();
    set_supported();
    assert_int_equal(open_with((struct vmr_params){0}, -1, &handle, NULL), VMR_OK);
    assert_int_equal(vmr_kvm_backend()->cpuid(&handle, entries, 2, &count, NULL), VMR_E_USAGE);
    assert_int_equal(count, 77);
    close_handle(&handle);
}

static void each_vp_has_its_own_identity(void **state)
{
    const struct machine_options options = {.vp_count = 6};
    const struct vmr_backend *backend = vmr_kvm_backend();
    struct vmr_backend_vp *second = calloc(1, backend->vp_size);
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    set_supported();
    assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
    assert_int_equal(fake_kvm.cpuid[1].ebx, 0x0006aaaa);
    assert_int_equal(backend->vp_create(machine.vm, second, 5, NULL), VMR_OK);
    assert_int_equal(fake_kvm.cpuid[1].ebx, 0x0506aaaa);
    assert_int_equal(fake_kvm.cpuid[2].eax, 3); /* three bits number six VPs */
    assert_int_equal(fake_kvm.cpuid[2].ebx, 6);
    assert_int_equal(fake_kvm.cpuid[2].ecx, 0x201);
    assert_int_equal(fake_kvm.cpuid[2].edx, 5);
    backend->vp_destroy(second);
    free(second);
    machine_finish(&machine);
}

/* Whether leaf 1 offers the deadline timer, by whether the kernel lists it and who has the local APICs. */
static void a_deadline_timer_is_offered_where_the_local_apic_has_one(void **state)
{
    static const struct {
        enum vmr_irqchip irqchip;
        bool listed, emulated, offered;
    } rows[] = {
        {VMR_IRQCHIP_USER, true, true, false},  {VMR_IRQCHIP_USER, false, true, false},
        {VMR_IRQCHIP_SPLIT, false, true, true}, {VMR_IRQCHIP_SPLIT, true, false, false},
        {VMR_IRQCHIP_KERNEL, true, true, true}, {VMR_IRQCHIP_KERNEL, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct machine_options options = {.irqchip = rows[i].irqchip};
        struct machine machine;

        fake_kvm_reset();
        set_supported();
        for (uint32_t entry = 0; entry < fake_kvm.supported_count; entry++) {
            if (fake_kvm.supported[entry].function == 1)
                fake_kvm.supported[entry].ecx = rows[i].listed ? 1u << 24 : 0;
        }
        fake_kvm.absent = rows[i].emulated ? 0 : KVM_CAP_TSC_DEADLINE_TIMER;
        assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
        assert_int_equal(fake_kvm.cpuid[1].ecx >> 24 & 1, rows[i].offered);
        machine_finish(&machine);
    }
}

static enum vmr_status create_with(enum vmr_irqchip irqchip, const struct vmr_msr_range *ranges, size_t count)
{
    const struct machine_options options = {.irqchip = irqchip, .msr_exits = ranges, .msr_exit_count = count};
    struct machine machine;

    fake_kvm_reset();
    enum vmr_status status = machine_init(&machine, &options, NULL);

    machine_finish(&machine);
    return status;
}

static void msr_filter_takes_what_kvm_can_and_refuses_the_rest(void **state)
{
    static const struct vmr_msr_range long_range[] = {{0x10000, 12288 + 5}};
    static const struct vmr_msr_range x2apic[] = {{0x7ff, 2}};
    static const struct vmr_msr_range below[] = {{0x700, 0x100}};
    static const struct vmr_msr_range last[] = {{UINT32_MAX, 1}};
    static const struct vmr_msr_range many[17] = {{1, 1},  {3, 1},  {5, 1},  {7, 1},  {9, 1},  {11, 1},
                                                  {13, 1}, {15, 1}, {17, 1}, {19, 1}, {21, 1}, {23, 1},
                                                  {25, 1}, {27, 1}, {29, 1}, {31, 1}, {33, 1}};

    (void)state;
    assert_int_equal(create_with(VMR_IRQCHIP_KERNEL, long_range, 1), VMR_OK);
    assert_int_equal(fake_kvm.filter.ranges[0].nmsrs, 12288);
    assert_int_equal(fake_kvm.filter.ranges[1].base, 0x10000 + 12288);
    assert_int_equal(fake_kvm.filter.ranges[1].nmsrs, 5);
    assert_int_equal(create_with(VMR_IRQCHIP_KERNEL, x2apic, 1), VMR_E_UNSUPPORTED);
    assert_int_equal(create_with(VMR_IRQCHIP_KERNEL, below, 1), VMR_OK);
    assert_int_equal(create_with(VMR_IRQCHIP_USER, x2apic, 1), VMR_OK);
    assert_int_equal(fake_kvm.filter.ranges[0].base, 0x1b); /* the APIC's own are always ours then */
    assert_int_equal(create_with(VMR_IRQCHIP_USER, last, 1), VMR_OK);
    assert_int_equal(create_with(VMR_IRQCHIP_KERNEL, many, 16), VMR_OK);
    assert_int_equal(create_with(VMR_IRQCHIP_KERNEL, many, 17), VMR_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_refused_are_told_apart),
        cmocka_unit_test(parameter_errors_come_before_availability),
        cmocka_unit_test(keys_choose_the_place_of_the_controllers),
        cmocka_unit_test(descriptor_of_something_else_is_refused_and_left_open),
        cmocka_unit_test(kernel_that_lacks_the_basics_is_unavailable),
        cmocka_unit_test(capabilities_follow_kernel_and_place),
        cmocka_unit_test(facts_are_what_the_kernel_says),
        cmocka_unit_test(the_speed_of_the_tsc_is_asked_of_a_vp),
        cmocka_unit_test(interpreting_kvm_offers_only_what_it_can_do),
        cmocka_unit_test(table_that_does_not_fit_is_an_error),
        cmocka_unit_test(each_vp_has_its_own_identity),
        cmocka_unit_test(a_deadline_timer_is_offered_where_the_local_apic_has_one),
        cmocka_unit_test(msr_filter_takes_what_kvm_can_and_refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
