/* SPDX-License-Identifier: MIT */
/*
 * Scrubbing one VTL: its software begins again, under and above others that
 * notice nothing.
 */

#include "conformance/scenarios/state_words.h"
#include "conformance/scenarios/synic_words.h"
#include "conformance/scenarios/vtl_words.h"

#define LSTAR 0xc0000082u
#define OUTSIDE 0x5000u

static const struct vmr_state_id registers_of[] = {{VMR_VP_REGISTERS, 0, 0}, {VMR_VP_REGISTERS, 1, 0}};
static const struct vmr_state_id syscalls_of[] = {{VMR_VP_SYSCALL, 0, 0}, {VMR_VP_SYSCALL, 1, 0}};

static bool scrub(struct conf_vm *vm, uint8_t vtl)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_partition_scrub(vm->partition, vtl, &err);

    if (!status)
        status = vmr_vp_scrub(vm->vps[0], vtl, &err);
    CONF_CHECK(vm->conf, status == VMR_OK, "the scrub: %s", err.message);
    return status == VMR_OK;
}

/* VTL 1 has set itself up and gone back; VTL 0 goes on afterwards, and finds its page protected still. */
static void a_vtl_goes_back_and_the_one_below_notices_nothing(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_WRMSR(LSTAR, 0x111), VMR_SET(4, 0x44), VMR_RESET(), VMR_EXPECT(4, 0x44),
                 VMR_RDMSR(5, LSTAR), VMR_EXPECT(5, 0x111), VMR_LOAD(5, VTL_SECRET, 8), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VMR_WRMSR(LSTAR, 0x222),
                 VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_READ, HV_RESULT(0, 1)), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    union state_box now, at_reset;

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &syscalls_of[1], &now), "reading");
    CONF_CHECK_EQ(conf, now.syscall.lstar, 0x222, "LSTAR of VTL 1 before");
    vmr_synic_time_set(vmr_hv_guest_synic(vmr_partition_hv(vm->partition)), UINT64_C(1) << 50);
    CONF_REQUIRE(conf, scrub(vm, VMR_VTL1), "the scrub");
    CONF_CHECK(conf, vmr_synic_time(vmr_hv_guest_synic(vmr_partition_hv(vm->partition))) >= UINT64_C(1) << 50,
               "reference time begins again");
    for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[0], &id); id.instance++) {
        if (id.vtl != VMR_VTL1 || id.state_class == VMR_VP_REGISTERS || state_is_hv(&id))
            continue;
        memset(&at_reset, 0, sizeof(at_reset));
        vmr_vp_state_at_reset(vm->vps[0], &id, &at_reset);
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &now), "reading");
        (void)state_is(conf, &id, &now, &at_reset, "scrubbed");
    }
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &registers_of[1], &now), "reading");
    CONF_CHECK_EQ(conf, now.registers.rip, 0xfff0, "where VTL 1 begins again");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &syscalls_of[0], &now), "reading");
    CONF_CHECK_EQ(conf, now.syscall.lstar, 0x111, "LSTAR of VTL 0");
    CONF_REQUIRE(conf, vmr_partition_is_usable(vm->partition), "unusable");
    (void)conf_run_to_end(vm, 0);
    const uint64_t zero = 0;

    CONF_CHECK_EQ(conf, vmr_memory_write(vm->memory, VTL_SECRET, &zero, sizeof(zero)), VMR_OK, "the host");
}

static void post_two(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    (void)number;
    post_to(vm, SINT, 1);
    post_to(vm, SINT, 2);
}

/* One lies in its slot, the other waits behind it. */
static void messages_for_the_vtl_below_stay(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_RESET(),
                 EXPECT_MESSAGE(SINT, HV_MESSAGE_TYPE_VMBUS, 1), FREE_SLOT(SINT), EOM(),
                 EXPECT_MESSAGE(SINT, HV_MESSAGE_TYPE_VMBUS, 2), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = post_two;
    expect_halt(vm, NULL, VMR_HALT_RESET);
    if (scrub(vm, VMR_VTL1))
        (void)conf_run_to_end(vm, 0);
}

/* A write to the page that VTL 1 protects is still one that VTL 0 may not make: VTL 1 is entered, from its beginning.
 */
static void protections_outlive_a_scrub(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_STORE(VTL_SECRET, 8, 1), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_READ, HV_RESULT(0, 1)),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_TRIPLE_FAULT());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};
    uint64_t value = 1;

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, scrub(vm, VMR_VTL1) && conf_run(vm, 0, NULL, &result), "the scrub, or the run");
    CONF_REQUIRE(conf, vmr_memory_read(vm->memory, VTL_SECRET, &value, sizeof(value)) == VMR_OK, "the host");
    CONF_CHECK_EQ(conf, value, 0, "what VTL 0 may not write");
}

/* VTL 2 is what VPs begin in: after a scrub they are in it again, and VTL 0 goes on where it was. */
static void vtl2_begins_again_above_vtl0(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, VMR_ADD(3, 1), VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_TRIPLE_FAULT());
    CONF_PROGRAM(vtl0, VMR_SET(4, 0x44), VMR_RESET(), VMR_EXPECT(4, 0x44), VMR_EXPECT(3, 2), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL before");
    CONF_REQUIRE(conf, scrub(vm, VMR_VTL2), "the scrub");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL2, "the VTL after");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "reading");
    CONF_CHECK_EQ(conf, regs.rip, 0xfff0, "where it begins again");
    (void)conf_run_to_end(vm, 0);
}

static void initial_registers_of_a_vtl_come_after_its_scrub(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    const uint64_t pat = UINT64_C(0x0406050100070106);
    const struct vmr_initial_regs initial = {.pat = &pat};
    CONF_PROGRAM(vtl2, VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_TRIPLE_FAULT());
    CONF_PROGRAM(vtl0, VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "no VM");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], VMR_VTL2, &initial, NULL), VMR_E_STATE, "before");
    CONF_REQUIRE(conf, scrub(vm, VMR_VTL2), "the scrub");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], VMR_VTL2, &initial, NULL), VMR_OK, "after");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], VMR_VTL0, &initial, NULL), VMR_E_STATE,
                  "of a VTL that lives on");
}

static void what_cannot_be_scrubbed_is_refused(struct conf *conf)
{
    CONF_PROGRAM(ends, VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &ends);
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    for (uint8_t vtl = 0; vtl < VMR_VTL_COUNT; vtl++)
        CONF_CHECK_EQ(conf, vmr_partition_scrub(vm->partition, vtl, &err), VMR_E_UNSUPPORTED, "a scrub");
    CONF_CHECK(conf, err.message[0] != '\0', "no message");
    CONF_CHECK_EQ(conf, vmr_vp_scrub(vm->vps[0], 1, NULL), VMR_E_STATE, "a VP's part alone");
    CONF_CHECK(conf, vmr_partition_is_usable(vm->partition), "unusable, though nothing was done");
    (void)conf_run_to_end(vm, 0);
}

/* A scrub is no way out of a reset or a scrub that failed. */
static void a_scrub_repairs_nothing(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_TRIPLE_FAULT());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 2) == VMR_OK, "no fault");
    CONF_REQUIRE(conf, vmr_partition_scrub(vm->partition, VMR_VTL1, NULL) == VMR_OK, "the partition's part");
    CONF_CHECK_EQ(conf, vmr_vp_scrub(vm->vps[0], VMR_VTL2, NULL), VMR_E_STATE, "of another VTL");
    CONF_CHECK_EQ(conf, vmr_vp_scrub(vm->vps[0], VMR_VTL1, NULL), VMR_E_HOST, "the VP's part");
    CONF_CHECK_EQ(conf, vmr_partition_scrub(vm->partition, VMR_VTL1, NULL), VMR_E_STATE, "once more");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run");
    CONF_REQUIRE(conf, vmr_partition_reset(vm->partition, NULL) == VMR_OK, "the reset");
    CONF_CHECK_EQ(conf, vmr_partition_scrub(vm->partition, VMR_VTL1, NULL), VMR_E_STATE, "in the middle of a reset");
    CONF_REQUIRE(conf, vmr_vp_reset(vm->vps[0], NULL) == VMR_OK, "the reset");
    CONF_CHECK(conf, vmr_partition_is_usable(vm->partition), "unusable");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL");
}

/* From VTL 1, with everything of both driven: all of it is as in a fresh VM. */
static void a_reset_is_of_every_vtl(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), VMR_WRMSR(LSTAR, 0x222), VMR_RESET(), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct conf_vm *fresh = vm ? vtl_vm(conf, &vtl0, &vtl1) : NULL;

    CONF_REQUIRE(conf, fresh, "no VMs");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL1, "the VTL before");
    CONF_REQUIRE(conf, state_drive(conf, vm->vps[0]) && conf_reset(vm), "driving, or the reset");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL after");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *got = conf_picture_take(vm), *want = conf_picture_take(fresh);

    if (got && want)
        (void)conf_picture_compare(conf, got, want, "reset");
    expect_halt(vm, NULL, VMR_HALT_RESET); /* both programs, from their beginnings */
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL1, "the VTL of the second guest");
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_vtl_goes_back_and_the_one_below_notices_nothing",
     .family = "scrub",
     .ids = "S10",
     .clauses = "RST-9",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_vtl_goes_back_and_the_one_below_notices_nothing},
    {.name = "messages_for_the_vtl_below_stay",
     .family = "scrub",
     .ids = "S10",
     .clauses = "RST-9",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = messages_for_the_vtl_below_stay},
    {.name = "protections_outlive_a_scrub",
     .family = "scrub",
     .clauses = "RST-9",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = protections_outlive_a_scrub},
    {.name = "vtl2_begins_again_above_vtl0",
     .family = "scrub",
     .clauses = "RST-9",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = vtl2_begins_again_above_vtl0},
    {.name = "initial_registers_of_a_vtl_come_after_its_scrub",
     .family = "scrub",
     .clauses = "RST-9 RST-10",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = initial_registers_of_a_vtl_come_after_its_scrub},
    {.name = "what_cannot_be_scrubbed_is_refused",
     .family = "scrub",
     .clauses = "RST-9",
     .chip = CONF_CHIP_ANY,
     .run = what_cannot_be_scrubbed_is_refused},
    {.name = "a_scrub_repairs_nothing",
     .family = "scrub",
     .clauses = "RST-3 RST-9",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_scrub_repairs_nothing},
    {.name = "a_reset_is_of_every_vtl",
     .family = "scrub",
     .ids = "RST-01",
     .clauses = "RST-1 RST-2",
     .needs = VTL_NEEDS,
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_reset_is_of_every_vtl},
};
CONF_FAMILY(scrub, scenarios);
