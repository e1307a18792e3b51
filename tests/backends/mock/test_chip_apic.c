/* SPDX-License-Identifier: MIT */
/*
 * The registers of the local APICs inside the mock, and whom of three a message
 * reaches.
 */

#include "tests/backends/mock/rig.h"

#define APIC(offset) (0xfee00000u + (offset))
#define SOFTWARE_ENABLE VMR_STORE(APIC(0xf0), 4, 0x1ff)
#define VP_COUNT 3u
#define PORT 0x10u
#define LOGICAL UINT64_C(0x4)
#define LOWEST 0x100u

static void must_stop(struct rig *rig, vmr_vp_index vp, uint64_t value)
{
    struct vmr_exit vp_exit = {0};

    assert_int_equal(vmr_vp_step(rig->vps[vp], &vp_exit), VMR_OK);
    if (vp_exit.kind != VMR_EXIT_IO || vp_exit.u.io.port != PORT || vp_exit.u.io.value != value)
        fail_msg("VP %u: %s, port %#x, value %#llx", vp, vmr_exit_kind_name(vp_exit.kind), vp_exit.u.io.port,
                 (unsigned long long)vp_exit.u.io.value);
}

/* --- registers --- */

RIG_PROGRAM(page, VMR_EOI_XAPIC, VMR_LOAD(0, APIC(0x350), 4), VMR_EXPECT(0, 0x700), VMR_STORE(APIC(0x320), 4, 0x41),
            VMR_LOAD(0, APIC(0x320), 4), VMR_EXPECT(0, 0x10041), SOFTWARE_ENABLE, VMR_STORE(APIC(0x320), 4, UINT32_MAX),
            VMR_LOAD(0, APIC(0x320), 4), VMR_EXPECT(0, 0x700ff), VMR_STORE(APIC(0xf0), 4, 0xff),
            VMR_LOAD(0, APIC(0x350), 4), VMR_EXPECT(0, 0x10700), SOFTWARE_ENABLE, VMR_STORE(APIC(0xe0), 4, 0),
            VMR_LOAD(0, APIC(0xe0), 4), VMR_EXPECT(0, 0x0fffffff), VMR_STORE(APIC(0xd0), 4, UINT32_MAX),
            VMR_LOAD(0, APIC(0xd0), 4), VMR_EXPECT(0, 0xff000000), VMR_STORE(APIC(0x80), 4, 0x53),
            VMR_LOAD(0, APIC(0xa0), 4), VMR_EXPECT(0, 0x53), VMR_STORE(APIC(0x20), 4, UINT32_MAX),
            VMR_LOAD(0, APIC(0x20), 4), VMR_EXPECT(0, 0), VMR_STORE(APIC(0x300), 4, 0x4000f),
            VMR_LOAD(0, APIC(0x280), 4), VMR_EXPECT(0, 0), VMR_STORE(APIC(0x280), 4, 0), VMR_LOAD(0, APIC(0x280), 4),
            VMR_EXPECT(0, 0x20), VMR_STORE(APIC(0x280), 4, 0), VMR_LOAD(0, APIC(0x280), 4), VMR_EXPECT(0, 0),
            VMR_OUT(PORT, 1, 1), VMR_STORE(APIC(0x280), 4, 0), VMR_LOAD(0, APIC(0x280), 4), VMR_EXPECT(0, 0x40),
            VMR_OUT(PORT, 1, 2), VMR_END());

static void registers_keep_what_they_have(void **state)
{
    const struct vmr_msi illegal = {.address = 0xfee00000, .data = 0xf};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=split", 1);
    rig_load(&rig, 0, &page);
    (void)rig_bind(&rig, 0);
    must_stop(&rig, 0, 1);
    assert_int_equal(vmr_partition_msi(rig.partition, &illegal), VMR_E_GUEST);
    must_stop(&rig, 0, 2);
    rig_finish(&rig);
}

#define FAULTS(n) VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, (n) ? 14 : 0)
RIG_PROGRAM(msrs, VMR_EOI_X2APIC, VMR_WRMSR(0x1b, 0xfee00d00), VMR_WRMSR(0x80f, 0x1ff), FAULTS(0), VMR_RDMSR(0, 0x80d),
            FAULTS(0), VMR_EXPECT(0, 1), VMR_WRMSR(0x80d, 1), FAULTS(1), VMR_WRMSR(0x802, 0), FAULTS(1),
            VMR_RDMSR(0, 0x80e), FAULTS(1), VMR_RDMSR(0, 0x831), FAULTS(1), VMR_RDMSR(0, 0x809), FAULTS(1),
            VMR_RDMSR(0, 0x83f), FAULTS(1), VMR_RDMSR(0, 0x80a), FAULTS(0), VMR_RDMSR(0, 0x839), FAULTS(0),
            VMR_WRMSR(0x839, 1), FAULTS(1), VMR_WRMSR(0x828, 1), FAULTS(1), VMR_WRMSR(0x828, 0), FAULTS(0),
            VMR_WRMSR(0x80b, 1), FAULTS(1), VMR_WRMSR(0x838, UINT64_C(1) << 32), FAULTS(1), VMR_WRMSR(0x83f, 0x141),
            FAULTS(1), VMR_WRMSR(0x83f, 0x41), FAULTS(0), VMR_WAIT_VECTOR(0x41, 1), VMR_OUT(PORT, 1, 1), VMR_END());

static void msrs_that_do_not_exist_fault(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=split", 1);
    rig_load(&rig, 0, &msrs);
    (void)rig_bind(&rig, 0);
    must_stop(&rig, 0, 1);
    rig_finish(&rig);
}

/* --- whom a message names --- */

/* In the given model, each with the given logical ID; VP 1 is the busier. */
#define SETS_UP(name, model, id, priority)                                                                             \
    RIG_PROGRAM(name, VMR_EOI_XAPIC, VMR_STORE(APIC(0xe0), 4, (model)),                                                \
                VMR_STORE(APIC(0xd0), 4, (uint64_t)(id) << 24), VMR_STORE(APIC(0x80), 4, (priority)), SOFTWARE_ENABLE, \
                VMR_OUT(PORT, 1, 1), VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_CLI(), VMR_OUT(PORT, 1, 2), VMR_END())
SETS_UP(flat_0, 0xffffffff, 0x01, 0x20);
SETS_UP(flat_1, 0xffffffff, 0x02, 0x30);
SETS_UP(flat_2, 0xffffffff, 0x06, 0x10);
SETS_UP(cluster_0, 0x0fffffff, 0x11, 0x20);
SETS_UP(cluster_1, 0x0fffffff, 0x12, 0x30);
SETS_UP(cluster_2, 0x0fffffff, 0x21, 0x10);
RIG_PROGRAM(x2apic, VMR_EOI_X2APIC, VMR_WRMSR(0x1b, 0xfee00c00), VMR_WRMSR(0x80f, 0x1ff), VMR_OUT(PORT, 1, 1),
            VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_CLI(), VMR_OUT(PORT, 1, 2), VMR_END());

static const struct {
    const char *name;
    const struct vmr_program *programs[VP_COUNT];
    uint32_t destination, mode;
    bool logical;
    unsigned takers; /* a bit a VP */
} reached[] = {
    {"by number", {&flat_0, &flat_1, &flat_2}, 1, 0, false, 2},
    {"by a number that nobody has", {&flat_0, &flat_1, &flat_2}, 3, 0, false, 0},
    {"everybody", {&flat_0, &flat_1, &flat_2}, 0xff, 0, false, 7},
    {"by bits", {&flat_0, &flat_1, &flat_2}, 0x05, 0, true, 5},
    {"by a bit of two", {&flat_0, &flat_1, &flat_2}, 0x02, 0, true, 6},
    {"by bits of nobody", {&flat_0, &flat_1, &flat_2}, 0xf8, 0, true, 0},
    {"the least busy", {&flat_0, &flat_1, &flat_2}, 0x03, LOWEST, true, 4},
    {"the least busy of two", {&flat_0, &flat_1, &flat_2}, 0x01, LOWEST, true, 1},
    {"a cluster", {&cluster_0, &cluster_1, &cluster_2}, 0x1f, 0, true, 3},
    {"one of a cluster", {&cluster_0, &cluster_1, &cluster_2}, 0x21, 0, true, 4},
    {"another cluster", {&cluster_0, &cluster_1, &cluster_2}, 0x4f, 0, true, 0},
    {"every cluster", {&cluster_0, &cluster_1, &cluster_2}, 0xff, 0, true, 7},
    {"x2APICs by bits", {&x2apic, &x2apic, &x2apic}, 0x05, 0, true, 5},
    {"all x2APICs", {&x2apic, &x2apic, &x2apic}, 0xff, 0, false, 7},
    {"both modes by bits", {&flat_0, &x2apic, &flat_2}, 0x02, 0, true, 6},
};

static void send_to(size_t row)
{
    const struct vmr_msi sipi = {.address = 0xfee00000 | 0xff000, .data = 0x608};
    const struct vmr_msi msi = {.address =
                                    0xfee00000 | reached[row].destination << 12 | (reached[row].logical ? LOGICAL : 0),
                                .data = reached[row].mode | 0x61};
    struct rig rig;

    rig_init(&rig, NULL, "mock:irqchip=split", VP_COUNT);
    assert_int_equal(vmr_partition_msi(rig.partition, &sipi), VMR_OK);
    for (vmr_vp_index vp = 0; vp < VP_COUNT; vp++) {
        rig_load(&rig, vp, reached[row].programs[vp]);
        (void)rig_bind(&rig, vp);
        must_stop(&rig, vp, 1);
    }
    assert_int_equal(vmr_partition_msi(rig.partition, &msi), reached[row].takers != 0 ? VMR_OK : VMR_E_GUEST);
    for (vmr_vp_index vp = 0; vp < VP_COUNT; vp++) {
        must_stop(&rig, vp, 2);
        if (rig_count(&rig, vp, 0x61) != (reached[row].takers >> vp & 1u))
            fail_msg("%s: VP %u took %u", reached[row].name, vp, rig_count(&rig, vp, 0x61));
    }
    rig_finish(&rig);
}

static void messages_reach_whom_they_name(void **state)
{
    (void)state;
    for (size_t row = 0; row < RIG_COUNT_OF(reached); row++)
        send_to(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_keep_what_they_have),
        cmocka_unit_test(msrs_that_do_not_exist_fault),
        cmocka_unit_test(messages_reach_whom_they_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
