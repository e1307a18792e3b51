/* SPDX-License-Identifier: MIT */
/* A partition with the Hyper-V guest interface: CPUID, MSR exits, where interrupts go. [HV-1] */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

static const struct vmr_hv_config all = {0};

static void the_proto_partition_shows_the_leaves(void **state)
{
    (void)state;
    struct fake fake;
    struct vmr_host host;
    struct vmr_proto *proto = NULL;
    struct vmr_cpuid_entry entry;

    fake_init(&fake);
    vmr_host_posix(&host, NULL);
    const struct vmr_hypervisor_handle handle = fake_handle(&fake);
    const struct vmr_proto_options options = {.host = &host, .hv = &all}, without = {.host = &host};

    fake.cpuid[0] = (struct vmr_cpuid_entry){.leaf = 1, .ecx = 0x21};
    fake.cpuid[1] = (struct vmr_cpuid_entry){.leaf = HV_CPUID_VENDOR, .ebx = 0x4b4d564b};
    fake.cpuid_count = 2;
    assert_int_equal(vmr_proto_create(&handle, &options, &proto, NULL), VMR_OK);
    vmr_proto_cpuid(proto, HV_CPUID_INTERFACE, 0, &entry);
    assert_int_equal(entry.eax, HV_CPUID_INTERFACE_HV1);
    vmr_proto_cpuid(proto, HV_CPUID_VENDOR, 0, &entry);
    assert_int_equal(entry.ebx, 0x7263694d); /* in the place of the backend's */
    vmr_proto_cpuid(proto, 1, 0, &entry);
    assert_int_equal(entry.ecx, 0x80000021);
    vmr_proto_destroy(proto);
    assert_int_equal(vmr_proto_create(&handle, &without, &proto, NULL), VMR_OK);
    vmr_proto_cpuid(proto, HV_CPUID_INTERFACE, 0, &entry);
    assert_int_equal(entry.eax, 0);
    vmr_proto_destroy(proto);
}

static void a_backend_that_keeps_msrs_to_itself_is_refused(void **state)
{
    (void)state;
    struct fake fake;
    struct vmr_host host;
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};

    fake_init(&fake);
    fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_MSR_EXIT);
    vmr_host_posix(&host, NULL);
    const struct vmr_hypervisor_handle handle = fake_handle(&fake);
    const struct vmr_proto_options options = {.host = &host, .hv = &all};

    assert_int_equal(vmr_proto_create(&handle, &options, &proto, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "MSR"));
    assert_null(proto);
}

static void its_msrs_exit(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake.hv = &all;
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_non_null(vmr_partition_hv(rig.partition));
    assert_int_equal(fake.config.msr_exit_count, 1);
    fake_rig_finish(&rig);
    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_null(vmr_partition_hv(rig.partition));
    assert_int_equal(fake.config.msr_exit_count, 0);
    fake_rig_finish(&rig);
}

/* Where local APICs are in the hypervisor, an interrupt of the SynIC is an MSI. */
static void interrupts_go_to_the_hypervisors_apics(void **state)
{
    const struct vmr_synic_target target = {.vp = 1, .sint = 3};
    struct fake fake;
    struct fake_rig rig;

    (void)state;
    fake_init(&fake);
    fake.hv = &all;
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_rig_init(&rig, &fake, NULL, 2);
    struct vmr_hv_guest *guest = vmr_partition_hv(rig.partition);

    assert_int_equal(vmr_hv_guest_msr_write(guest, 1, 0, HV_MSR_SINT0 + 3, 0x45), VMR_MSR_OK);
    assert_int_equal(vmr_synic_signal_event(vmr_hv_guest_synic(guest), &target, 1), VMR_SYNIC_SIGNALED);
    assert_int_equal(fake_count(&fake, FAKE_MSI), 1);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proto_partition_shows_the_leaves),
        cmocka_unit_test(a_backend_that_keeps_msrs_to_itself_is_refused),
        cmocka_unit_test(its_msrs_exit),
        cmocka_unit_test(interrupts_go_to_the_hypervisors_apics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
