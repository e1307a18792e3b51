/* SPDX-License-Identifier: MIT */
/*
 * The text for people: what somebody looks for is there, in the order of the
 * machine.
 */

#include "tests/resolve/printed.h"

static void expect_in_order(const char *text, const char *const *pieces, size_t count)
{
    const char *at = text;

    for (size_t i = 0; i < count; i++) {
        at = strstr(at, pieces[i]);
        if (!at)
            fail_msg("'%s' is not there, or not in its place, in:\n%s", pieces[i], text);
        at += strlen(pieces[i]);
    }
}

static void everything_is_said_once_in_order(void **state)
{
    static const char *const pieces[] = {
        "processors: x86_64, 4 VPs, 2 to a socket, x2APIC supported",
        "vp 0    node 0  socket 0   core 0   thread 0 apic 0",
        "vp 3    node 1  socket 1   core 1   thread 0 apic 0x3",
        "nodes: 2",
        "node 1     2 VPs, 3 GiB; distances 20 10",
        "addresses: 6 GiB RAM",
        "ram        ram0",
        "free",
        "fixed      chipset-low-mmio",
        "ram        ram1",
        "post-mmio  vtl2-chipset-mmio",
        "virtio 0 at 0x",
        ", interrupt 16",
        "pcie: 5 ports, 1 switches",
        "rc0: segment 0000, buses 00-0f, node 1",
        "IOMMU VT-d at 0x",
        "00:00.0 r0 -> bus 01-04, hotplug",
        "01:00.0 switch sw0",
        "02:00.0 s0 -> bus 03",
        "02:00.1 s1 -> bus 04: nvme, initiator of node 1",
        "00:00.1 r<&>1 -> bus 05",
        "rc1: segment 0001, buses 00-03",
        " hdm 0x",
        "00:00.0 x0 -> bus 01, CXL",
    };
    struct vmr_config_text text;
    struct rig rig;

    (void)state;
    printed_init(&rig);
    assert_int_equal(vmr_resolved_print(rig_resolve(&rig), &text, NULL), VMR_OK);
    assert_int_equal(strlen(text.bytes), text.length);
    expect_in_order(text.bytes, pieces, COUNT(pieces));
    free(text.bytes);
    rig_finish(&rig);
}

static void a_gic_is_said_with_its_frames(void **state)
{
    static const char *const pieces[] = {"processors: arm64, 1 VPs, 1 to a socket",
                                         "mpidr 0xc0000000",
                                         "GICv3: distributor 0xffff0000-0xffffffff redistributors 0xefff0000-",
                                         "timer PPI 20",
                                         "no PMU",
                                         "ITS 0xeffc0000-",
                                         "v2m 0xeffe8000-",
                                         "(interrupts 928-991)"};
    struct vmr_config_text text;
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    rig.arm64.pmu_gsiv.kind = VMR_PMU_GSIV_DISABLED;
    assert_int_equal(vmr_resolved_print(rig_resolve(&rig), &text, NULL), VMR_OK);
    expect_in_order(text.bytes, pieces, COUNT(pieces));
    free(text.bytes);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_said_once_in_order),
        cmocka_unit_test(a_gic_is_said_with_its_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
