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
static const struct vmr_hv_config offloaded = {.offload_enlightenments = true};

static void signal_nobody(void *context, uint16_t flag)
{
    (void)context;
    (void)flag;
}

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

/* With the capability the hypervisor gets its part: leaves, registers, time, events. */
static void a_hypervisor_that_can_serves_its_part(void **state)
{
    struct vmr_event_port port = {.connection_id = 9, .has_os_event = true};
    struct vmr_synic_port *handle = NULL;
    struct fake fake;
    struct fake_rig rig;
    uint64_t value = 0;

    (void)state;
    fake_init(&fake);
    fake.caps.bits ^= UINT64_C(1) << VMR_CAP_HV_OFFLOAD | UINT64_C(1) << VMR_CAP_VTL;
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake.hv = &offloaded;
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_hv_guest *guest = vmr_partition_hv(rig.partition);
    struct vmr_synic *synic = vmr_hv_guest_synic(guest);

    assert_true(vmr_hv_guest_is_offloaded(guest));
    assert_true(fake.config.hv_offload);
    assert_int_equal(fake.config.msr_exit_count, 1);
    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, 0, HV_MSR_STIMER0_COUNT, 0x77), VMR_MSR_OK);
    assert_int_equal(fake.values[FAKE_SET_MSR], HV_MSR_STIMER0_COUNT + 0x77); /* index and value */
    uint32_t readings = fake_count(&fake, FAKE_GET_MSR);

    assert_int_equal(vmr_hv_guest_msr_read(guest, 0, 0, HV_MSR_STIMER0_COUNT, &value), VMR_MSR_OK);
    assert_int_equal(fake_count(&fake, FAKE_GET_MSR), readings + 1);
    vmr_synic_time_set(synic, 1234);
    assert_int_equal(vmr_synic_time(synic), 1234);
    port.signal = signal_nobody;
    assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, NULL), VMR_OK);
    assert_int_equal(fake.values[FAKE_HV_EVENT], 9);
    vmr_synic_port_remove(handle);
    assert_int_equal(fake.values[FAKE_HV_EVENT], 0);
    fake_rig_finish(&rig);
}

/* Both must want it: the partition, and the hypervisor by its capability. */
static void it_serves_nothing_unless_asked_and_able(void **state)
{
    static const struct {
        const struct vmr_hv_config *hv;
        bool able;
    } rows[] = {{&all, true}, {&offloaded, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake fake;
        struct fake_rig rig;

        fake_init(&fake);
        fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_VTL);
        fake.caps.bits |= (uint64_t)rows[i].able << VMR_CAP_HV_OFFLOAD;
        fake.irqchip = VMR_IRQCHIP_KERNEL;
        fake.hv = rows[i].hv;
        fake_rig_init(&rig, &fake, NULL, 1);
        assert_false(vmr_hv_guest_is_offloaded(vmr_partition_hv(rig.partition)));
        assert_false(fake.config.hv_offload);
        assert_int_equal(fake_count(&fake, FAKE_HV_OWN), 0);
        fake_rig_finish(&rig);
    }
}

static void without_its_leaves_there_is_no_interface(void **state)
{
    struct fake fake;
    struct vmr_host host;
    struct vmr_proto *proto = NULL;
    struct vmr_cpuid_entry entry;

    (void)state;
    fake_init(&fake);
    fake.caps.bits ^= UINT64_C(1) << VMR_CAP_HV_OFFLOAD | UINT64_C(1) << VMR_CAP_VTL;
    vmr_host_posix(&host, NULL);
    const struct vmr_hypervisor_handle handle = fake_handle(&fake);
    const struct vmr_proto_options options = {.host = &host, .hv = &offloaded};

    assert_int_equal(vmr_proto_create(&handle, &options, &proto, NULL), VMR_OK);
    vmr_proto_cpuid(proto, HV_CPUID_RECOMMENDATIONS, 0, &entry);
    assert_true(entry.eax & HV_RECOMMEND_CLUSTER_IPI);
    vmr_proto_destroy(proto);
    proto = NULL;
    fake.fail_always = FAKE_HV_OWN;
    assert_int_equal(vmr_proto_create(&handle, &options, &proto, NULL), VMR_E_HOST);
    assert_null(proto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proto_partition_shows_the_leaves),
        cmocka_unit_test(a_backend_that_keeps_msrs_to_itself_is_refused),
        cmocka_unit_test(its_msrs_exit),
        cmocka_unit_test(interrupts_go_to_the_hypervisors_apics),
        cmocka_unit_test(a_hypervisor_that_can_serves_its_part),
        cmocka_unit_test(it_serves_nothing_unless_asked_and_able),
        cmocka_unit_test(without_its_leaves_there_is_no_interface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
