/* SPDX-License-Identifier: MIT */
/*
 * Virtual trust levels: how a guest gets them, goes from one to another, and
 * what each has of its own (TLFS, Virtual Secure Mode).
 */

#include "conformance/scenarios/vtl_words.h"

#define MSR_LSTAR 0xc0000082u
#define MSR_MTRR_DEFAULT 0x2ffu
#define UD (6u + 1u)

#define ENABLE_PARTITION(low, second, x)                                                                               \
    VMR_STORE(HV_INPUT, 8, low), VMR_STORE(HV_INPUT + 8, 8, second),                                                   \
        VTL_EXPECT_CALL(HV_CODE_PAGE, HV_CALL_ENABLE_PARTITION_VTL, HV_INPUT, x)

/* --- enabling --- */

static void a_partition_gets_a_vtl_once(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), ENABLE_PARTITION(UINT64_MAX, 3, HV_STATUS_ACCESS_DENIED),
                 ENABLE_PARTITION(0, 0xff, HV_STATUS_ACCESS_DENIED),
                 ENABLE_PARTITION(UINT64_MAX, 2, HV_STATUS_ACCESS_DENIED),
                 ENABLE_PARTITION(7, 1, HV_STATUS_INVALID_PARTITION_ID),
                 ENABLE_PARTITION(UINT64_MAX, 1 | 1 << 8, HV_STATUS_INVALID_PARAMETER),
                 ENABLE_PARTITION(UINT64_MAX, 1 | UINT64_C(1) << 63, HV_STATUS_INVALID_PARAMETER),
                 ENABLE_PARTITION(UINT64_MAX, 0, HV_STATUS_VTL_ALREADY_ENABLED), ENABLE_PARTITION(UINT64_MAX, 1, 0),
                 ENABLE_PARTITION(UINT64_MAX, 1, HV_STATUS_VTL_ALREADY_ENABLED), VMR_END());

    hv_run(conf, &program);
}

#define CONTEXT_CR0 (VTL_CONTEXT + 16 + HV_INITIAL_CR0)
#define CONTEXT_PAT (VTL_CONTEXT + 16 + HV_INITIAL_PAT)
#define ENABLE_VP(vp, vtl, x) VTL_ENABLE_VP(HV_CODE_PAGE, vp, vtl, x)

static void a_vp_gets_a_vtl_once(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), ENABLE_VP(0, 1, HV_STATUS_INVALID_VTL_STATE), VTL_ENABLE(HV_CODE_PAGE, 1, 0),
                 ENABLE_VP(1, 1, HV_STATUS_INVALID_VP_INDEX), ENABLE_VP(HV_ANY_VP, 1, HV_STATUS_INVALID_VP_INDEX),
                 ENABLE_VP(0, 3, HV_STATUS_INVALID_PARAMETER), ENABLE_VP(0, 2, HV_STATUS_INVALID_VTL_STATE),
                 ENABLE_VP(0, 1 | 1 << 8, HV_STATUS_INVALID_PARAMETER), ENABLE_VP(0, 0, HV_STATUS_VTL_ALREADY_ENABLED),
                 VMR_STORE(CONTEXT_CR0, 8, 0x80000010), ENABLE_VP(0, 1, HV_STATUS_INVALID_REGISTER_VALUE),
                 VMR_STORE(CONTEXT_CR0, 8, 0x11), ENABLE_VP(0, 1, HV_STATUS_INVALID_REGISTER_VALUE),
                 VMR_STORE(CONTEXT_CR0, 8, 0x80000011), VMR_STORE(CONTEXT_PAT, 8, 3),
                 ENABLE_VP(0, 1, HV_STATUS_INVALID_REGISTER_VALUE), VMR_STORE(CONTEXT_PAT, 8, 6),
                 ENABLE_VP(HV_VP_INDEX_SELF, 1, 0), ENABLE_VP(0, 1, HV_STATUS_VTL_ALREADY_ENABLED), VMR_END());

    (void)vtl_run(conf, &program, NULL);
}

static void only_the_first_vp_gets_it_from_below(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all, .vps = 2};
    CONF_PROGRAM(vtl0, HV_OPEN(), VTL_ENABLE(HV_CODE_PAGE, 1, 0), ENABLE_VP(0, 1, 0),
                 ENABLE_VP(1, 1, HV_STATUS_ACCESS_DENIED), VMR_VTL_CALL(HV_CODE_PAGE), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_ENABLE_VP(VTL_CODE_PAGE, 1, 1, 0),
                 VTL_ENABLE_VP(VTL_CODE_PAGE, 1, 1, HV_STATUS_VTL_ALREADY_ENABLED), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, &options);

    CONF_REQUIRE(conf,
                 vm && vtl_write_context(vm) && conf_load(vm, 0, &vtl0) && conf_load_vtl(vm, 0, 1, &vtl1) &&
                     conf_bind(vm, 0),
                 "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* --- switching --- */

static void a_call_to_nobody_is_undefined(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VMR_VTL_CALL(HV_CODE_PAGE), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD),
                 VMR_VTL_RETURN(HV_CODE_PAGE, 1), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD), VTL_ENABLE(HV_CODE_PAGE, 1, 0),
                 VMR_VTL_CALL(HV_CODE_PAGE), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD), VMR_END());

    hv_run(conf, &program);
}

static void a_malformed_return_is_undefined(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_EXPECT(5, 1), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 2), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, UINT64_C(1) << 32), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD),
                 VMR_VTL_CALL(VTL_CODE_PAGE), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD), VMR_SET(5, 1),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

static void each_vtl_goes_on_where_it_was_left(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VMR_SET(4, 10), VTL_BEGIN(), HV_NO_FAULT(), VMR_EXPECT(4, 11), VMR_VTL_CALL(HV_CODE_PAGE),
                 HV_NO_FAULT(), VMR_EXPECT(4, 13), VMR_CHECKPOINT(7), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_ADD(4, 1), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), HV_NO_FAULT(), VMR_ADD(4, 2),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 0), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    if (conf_run_to_end(vm, 0))
        CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 7, "the checkpoint behind both calls");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL at the end");
}

/* --- state --- */

static void check_private(struct conf *conf, const struct vmr_x86_regs *regs, uint64_t rsp, uint64_t cr3)
{
    CONF_CHECK_EQ(conf, regs->gpr[VMR_X86_RSP], rsp, "RSP");
    CONF_CHECK_EQ(conf, regs->cr3, cr3, "CR3");
}

static void private_registers_wait_and_shared_ones_do_not(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_END());
    CONF_PROGRAM(vtl1, VMR_RESET(), VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_x86_regs regs, first;

    CONF_REQUIRE(conf, vm && vmr_vp_get_regs(vm->vps[0], &first) == VMR_OK, "no VM");
    first.gpr[VMR_X86_RSP] = 0x9000;
    first.cr0 = 0x80000011;
    first.cr3 = 0x5000;
    first.cr4 = 0x20;
    first.efer = 0x500;
    first.cs = (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = 8, .attributes = 0xa09b};
    first.ss = (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = 16, .attributes = 0xc093};
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &first) == VMR_OK, "registers are refused");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "VTL 1 has no registers");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL1, "the VTL");
    check_private(conf, &regs, VTL_RSP, VTL_CR3);
    regs.gpr[VMR_X86_RSP] = 0x777000;
    regs.gpr[VMR_X86_RBX] = 0x1234;
    regs.cr2 = 0xabc;
    regs.cr3 = 0x888000;
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "registers are refused");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "VTL 0 has no registers");
    check_private(conf, &regs, 0x9000, 0x5000);
    CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RBX], 0x1234, "RBX");
    CONF_CHECK_EQ(conf, regs.cr2, 0xabc, "CR2");
}

static void private_msrs_wait_and_shared_ones_do_not(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VMR_WRMSR(MSR_LSTAR, 0x1111), VMR_WRMSR(MSR_MTRR_DEFAULT, 0x806), VTL_BEGIN(),
                 VMR_RDMSR(6, MSR_LSTAR), VMR_EXPECT(6, 0x1111), VMR_RDMSR(6, MSR_MTRR_DEFAULT), VMR_EXPECT(6, 6),
                 VMR_VTL_CALL(HV_CODE_PAGE), VMR_END());
    CONF_PROGRAM(vtl1, VMR_RDMSR(6, MSR_LSTAR), VMR_EXPECT(6, 0), VMR_RDMSR(6, MSR_MTRR_DEFAULT), VMR_EXPECT(6, 0x806),
                 VMR_WRMSR(MSR_LSTAR, 0x2222), VMR_WRMSR(MSR_MTRR_DEFAULT, 6), VTL_OPEN(),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_RDMSR(6, MSR_LSTAR), VMR_EXPECT(6, 0x2222),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

static void the_assist_page_says_why_and_gives_registers(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_VTL_CALL(HV_CODE_PAGE), VMR_RESET(), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), HV_ACCEPTED_MSR(HV_MSR_VP_ASSIST_PAGE, VTL_ASSIST | 1u),
                 VMR_LOAD(5, VTL_ASSIST + HV_VTL_ENTRY_REASON, 4), VMR_EXPECT(5, HV_VTL_ENTRY_CALL),
                 VMR_STORE(VTL_ASSIST + HV_VTL_RETURN_RAX, 8, 0xaaaa0000bbbb),
                 VMR_STORE(VTL_ASSIST + HV_VTL_RETURN_RCX, 8, 0xcccc0000dddd), VMR_VTL_RETURN(VTL_CODE_PAGE, 0),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RAX], 0xaaaa0000bbbb, "RAX after a return");
    CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RCX], 0xcccc0000dddd, "RCX after a return");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RAX], 1, "RAX after a fast return");
    CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RCX], HV_CALL_VTL_RETURN, "RCX after a fast return");
}

static void each_vtl_sets_up_for_itself(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u), VMR_WRMSR(HV_MSR_SINT0 + 2, 0x44),
                 VMR_WRMSR(HV_MSR_STIMER0_CONFIG + 1, 0x1000), VTL_BEGIN(),
                 HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u), HV_EXPECT_MSR(HV_MSR_SINT0 + 2, 0x44),
                 HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u), HV_EXPECT_MSR(HV_MSR_STIMER0_CONFIG + 1, 0x1000),
                 VMR_END());
    CONF_PROGRAM(vtl1, HV_EXPECT_MSR(HV_MSR_GUEST_OS_ID, 0), HV_EXPECT_MSR(HV_MSR_HYPERCALL, 0),
                 HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, 0), HV_EXPECT_MSR(HV_MSR_SINT0 + 2, HV_SINT_MASKED),
                 HV_EXPECT_MSR(HV_MSR_STIMER0_CONFIG + 1, 0), VTL_OPEN(), VMR_WRMSR(HV_MSR_SINT0 + 2, 0x55),
                 HV_EXPECT_MSR(HV_MSR_VP_INDEX, 0), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

/* The bytes at an entry: the control word's code is an immediate of its first instructions. */
static void check_entry(struct conf_vm *vm, uint64_t offset, bool is_64, uint8_t code)
{
    uint8_t bytes[12] = {0};

    if (vmr_memory_read(vm->memory, HV_CODE_PAGE + offset, bytes, sizeof(bytes)))
        conf_fail(vm->conf, __FILE__, __LINE__, "the hypercall page is not in RAM");
    CONF_CHECK_EQ(vm->conf, bytes[is_64 ? 4 : 1], code, "the call code at an entry");
}

static void the_code_page_has_entries_at_named_offsets(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VTL_ENABLE(HV_CODE_PAGE, 1, 0), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &program, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "no VM");
    struct vmr_hv_guest *hv = vmr_partition_hv(vm->partition);
    uint64_t value = 0;

    for (unsigned is_64 = 0; is_64 < 2; is_64++) {
        CONF_REQUIRE(conf, vmr_hv_guest_vsm_register(hv, 0, is_64, HV_REGISTER_VSM_CODE_PAGE_OFFSETS, &value),
                     "no register of code page offsets");
        check_entry(vm, value & 0xfff, is_64, HV_CALL_VTL_CALL);
        check_entry(vm, value >> 12 & 0xfff, is_64, HV_CALL_VTL_RETURN);
    }
    CONF_CHECK(conf, vmr_hv_guest_vsm_register(hv, 0, true, HV_REGISTER_VSM_PARTITION_STATUS, &value),
               "no register of the partition's VTLs");
    CONF_CHECK_EQ(conf, value, 3 | 1u << 16, "enabled VTLs and the highest");
    CONF_CHECK(conf, !vmr_hv_guest_vsm_register(hv, 0, true, 0x000d0fff, &value), "a register that there is not");
}

#define READ_REGISTER(page, name)                                                                                      \
    VMR_STORE(HV_INPUT, 8, UINT64_MAX), VMR_STORE(HV_INPUT + 8, 8, HV_VP_INDEX_SELF),                                  \
        VMR_STORE(HV_INPUT + 16, 4, name),                                                                             \
        VTL_EXPECT_CALL(page, HV_CALL_GET_VP_REGISTERS | REP(1), HV_INPUT, HV_RESULT(0, 1)), VMR_LOAD(5, HV_OUTPUT, 8)
#define WRITE_REGISTER(page, name, x)                                                                                  \
    VMR_STORE(HV_INPUT, 8, UINT64_MAX), VMR_STORE(HV_INPUT + 8, 8, HV_VP_INDEX_SELF),                                  \
        VMR_STORE(HV_INPUT + 16, 8, name), VTL_EXPECT_CALL(page, HV_CALL_SET_VP_REGISTERS | REP(1), HV_INPUT, x)

static void a_guest_reads_about_its_vtls(struct conf *conf)
{
    CONF_PROGRAM(vtl0, HV_OPEN(), READ_REGISTER(HV_CODE_PAGE, HV_REGISTER_VSM_PARTITION_STATUS),
                 VMR_EXPECT(5, 1 | 1u << 16), READ_REGISTER(HV_CODE_PAGE, HV_REGISTER_VSM_CODE_PAGE_OFFSETS),
                 VMR_EXPECT(5, HV_PAGE_VTL_CALL_64 | HV_PAGE_VTL_RETURN_64 << 12), VTL_ENABLE(HV_CODE_PAGE, 1, 0),
                 VTL_ENABLE_VP(HV_CODE_PAGE, HV_VP_INDEX_SELF, 1, 0), VMR_VTL_CALL(HV_CODE_PAGE), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), READ_REGISTER(VTL_CODE_PAGE, HV_REGISTER_VSM_VP_STATUS), VMR_EXPECT(5, 1 | 3u << 16),
                 READ_REGISTER(VTL_CODE_PAGE, HV_REGISTER_VSM_PARTITION_STATUS), VMR_EXPECT(5, 3 | 1u << 16),
                 WRITE_REGISTER(VTL_CODE_PAGE, HV_REGISTER_VSM_VP_STATUS, HV_STATUS_INVALID_REGISTER_VALUE),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

/* --- interrupts --- */

static void post_to(struct conf_vm *vm, uint8_t vtl)
{
    const struct vmr_synic_target target = {.vp = 0, .vtl = vtl, .sint = 2};
    const struct vmr_synic_message message = {.type = 1, .payload = "hello", .length = 5};

    CONF_CHECK_EQ(vm->conf,
                  vmr_synic_post_message(vmr_hv_guest_synic(vmr_partition_hv(vm->partition)), &target, &message),
                  VMR_OK, "posting");
}

static void post_to_vtl1(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        post_to(vm, VMR_VTL1);
}

#define LISTEN_2(vector)                                                                                               \
    VMR_WRMSR(HV_MSR_SIMP, VTL_SIMP | 1u), VMR_WRMSR(HV_MSR_SCONTROL, 1), VMR_WRMSR(HV_MSR_SINT0 + 2, vector),         \
        VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, VTL_ASSIST | 1u)

static void an_interrupt_enters_its_vtl(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_CHECKPOINT(1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_READ_COUNT(5, VTL_VECTOR),
                 VMR_EXPECT(5, 1), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), LISTEN_2(VTL_VECTOR), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_LOAD(5, VTL_ASSIST + HV_VTL_ENTRY_REASON, 4), VMR_EXPECT(5, HV_VTL_ENTRY_INTERRUPT),
                 VMR_WAIT_VECTOR(VTL_VECTOR, 1), VMR_LOAD(5, VTL_SIMP + 2 * HV_MESSAGE_BYTES + 16, 4),
                 VMR_EXPECT(5, 0x6c6c6568), VMR_STORE(WORD_SEEN, 4, 1), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = post_to_vtl1;
    (void)conf_run_to_end(vm, 0);
}

/* Until the VP has come to its HLT: then all wait, and the pauses are the time that passes. */
static void let_it_sleep(struct conf *conf)
{
    for (unsigned i = 0; i < 50; i++)
        conf_pause(conf);
}

/* Wakes the VP twice; that VTL 1 has come to its word says that it was there. */
static void wake_twice(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    let_it_sleep(vm->conf);
    post_to(vm, VMR_VTL1);
    if (!guest_word_wait(vm, WORD_SEEN, 1))
        return;
    let_it_sleep(vm->conf);
    post_to(vm, VMR_VTL1);
}

#define NEXT_MESSAGE() VMR_STORE(VTL_SIMP + 2 * HV_MESSAGE_BYTES, 4, 0), VMR_WRMSR(HV_MSR_EOM, 0)

static void a_vtl_that_halts_sleeps_on(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_CHECKPOINT(1), VMR_HLT(), VMR_CHECKPOINT(2), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), LISTEN_2(VTL_VECTOR), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_WAIT_VECTOR(VTL_VECTOR, 1), NEXT_MESSAGE(), VMR_STORE(WORD_SEEN, 4, 1),
                 VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_WAIT_VECTOR(VTL_VECTOR, 2), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_thread *thread = conf_thread(conf, wake_twice, vm);

    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 1, "VTL 0's last checkpoint");
}

#define SEND_IPI(page, vtl, mask)                                                                                      \
    VMR_SET(0, VTL_VECTOR | (uint64_t)(HV_INPUT_VTL_USE_TARGET | (vtl)) << 32), VMR_SET(1, mask),                      \
        VMR_HV_CALL(6, page, HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI | HV_CONTROL_FAST), HV_NO_FAULT(), VMR_EXPECT(6, 0)

static void run_vp_1(void *argument)
{
    struct conf_vm *vm = argument;

    if (conf_bind(vm, 1)) {
        (void)conf_run_to_end(vm, 1);
        conf_unbind(vm, 1);
    }
}

/* To VTL 1 of a VP that has not got it: to nobody. Then to one that runs VTL 0, and has it since. */
static void an_ipi_enters_its_vtl(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all, .vps = 2};
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), SEND_IPI(VTL_CODE_PAGE, 1, 3), VMR_WAIT_VECTOR(VTL_VECTOR, 1),
                 VTL_ENABLE_VP(VTL_CODE_PAGE, 1, 1, 0), VMR_SPIN_UNTIL(WORD_GO, 4, 1), SEND_IPI(VTL_CODE_PAGE, 1, 2),
                 VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(other_vtl0, VMR_STORE(WORD_GO, 4, 1), VMR_SPIN_UNTIL(WORD_PAST, 4, 1), VMR_END());
    CONF_PROGRAM(other_vtl1, VMR_WAIT_VECTOR(VTL_VECTOR, 1), VMR_STORE(WORD_SEEN, 4, 1), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, &options);

    CONF_REQUIRE(conf,
                 vm && vtl_write_context(vm) && conf_load(vm, 0, &vtl0) && conf_load_vtl(vm, 0, VMR_VTL1, &vtl1) &&
                     conf_load(vm, 1, &other_vtl0) && conf_load_vtl(vm, 1, VMR_VTL1, &other_vtl1) && conf_bind(vm, 0),
                 "no VM");
    struct vmr_thread *thread = conf_thread(conf, run_vp_1, vm);

    CONF_REQUIRE(conf, thread, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

#define ASSERT_INTERRUPT(vtl, x)                                                                                       \
    VMR_STORE(HV_INPUT, 8, UINT64_MAX), VMR_STORE(HV_INPUT + 8, 8, 0), VMR_STORE(HV_INPUT + 16, 8, 0),                 \
        VMR_STORE(HV_INPUT + 24, 8, VTL_VECTOR | (uint64_t)(vtl) << 32),                                               \
        VTL_EXPECT_CALL(VTL_CODE_PAGE, HV_CALL_ASSERT_VIRTUAL_INTERRUPT, HV_INPUT, x)

static void a_higher_vtl_has_no_local_apic(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, VTL_OPEN(), VMR_RDMSR(5, HV_MSR_TPR), HV_FAULT(), HV_REFUSED_MSR(HV_MSR_EOI, 0),
                 HV_REFUSED_MSR(HV_MSR_ICR, VTL_VECTOR), ASSERT_INTERRUPT(1, HV_STATUS_INVALID_VTL_STATE),
                 ASSERT_INTERRUPT(2, HV_STATUS_ACCESS_DENIED), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, NULL);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

static void post_to_vtl0(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        post_to(vm, VMR_VTL0);
}

#define SVR 0xfee000f0u

static void interrupts_of_a_lower_vtl_wait(struct conf *conf)
{
    static const struct vmr_step vtl0_steps[] = {
        VMR_STORE(SVR, 4, 0x1ff),
        VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u),
        VMR_WRMSR(HV_MSR_SCONTROL, 1),
        VMR_WRMSR(HV_MSR_SINT0 + 2, 0x44),
        VTL_BEGIN(),
        VMR_WAIT_VECTOR(0x44, 1),
        VMR_END(),
    };
    static const struct vmr_program vtl0 = {
        .name = "vtl0", .steps = vtl0_steps, .count = sizeof(vtl0_steps) / sizeof(vtl0_steps[0]), .eoi = VMR_EOI_XAPIC};
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_STI(), VMR_CHECKPOINT(1), VMR_CHECKPOINT(2), VMR_CHECKPOINT(3), VMR_CLI(),
                 VMR_READ_COUNT(5, 0x44), VMR_EXPECT(5, 0), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = post_to_vtl0;
    (void)conf_run_to_end(vm, 0);
}

/* --- reset --- */

/* VTL 1 powers off, and after the reset VTL 0 goes on, enables it once more, and it begins at its beginning. */
static void reset_in_vtl1(struct conf *conf, bool look)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VTL_BEGIN(), VMR_END());
    CONF_PROGRAM(vtl1, VMR_LOAD(5, WORD_SEEN, 4), VMR_JUMP_EQ(5, 1, 5), VMR_STORE(WORD_SEEN, 4, 1), VMR_POWER_OFF(),
                 VMR_TRIPLE_FAULT(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_run_result result;
    struct vmr_x86_regs regs = {0};
    uint32_t past = 0;

    CONF_REQUIRE(conf, vm && conf_run(vm, 0, NULL, &result), "no VM");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_POWER_OFF, "the reason");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL1, "the VTL before");
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    if (look) {
        CONF_CHECK_EQ(conf, vmr_vp_get_regs(vm->vps[0], &regs), VMR_OK, "registers after");
        CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL after");
        CONF_CHECK(conf, regs.gpr[VMR_X86_RSP] != VTL_RSP, "registers are those of VTL 1");
    }
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, vmr_memory_read(vm->memory, WORD_PAST, &past, 4) == VMR_OK && past == 1,
               "VTL 1 did not begin anew");
    conf_vm_destroy(vm);
}

/* Whether somebody looks at its registers before it runs, or not. */
static void a_reset_begins_in_the_first_vtl(struct conf *conf)
{
    reset_in_vtl1(conf, true);
    reset_in_vtl1(conf, false);
}

/* --- what else knows VTLs --- */

static bool hear_post(void *context, const void *payload, size_t length, bool trusted)
{
    (void)payload;
    (void)length;
    (void)trusted;
    ++*(unsigned *)context;
    return true;
}

static void hear_signal(void *context, uint16_t flag)
{
    (void)flag;
    ++*(unsigned *)context;
}

#define CONNECTION 0x1234u
#define POST_INPUT VTL_LIST
#define SIGNAL HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST

static void a_port_hears_its_vtl_and_those_above(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VMR_STORE(POST_INPUT, 8, CONNECTION), VMR_STORE(POST_INPUT + 8, 8, 1 | UINT64_C(8) << 32),
                 VTL_BEGIN(),
                 VTL_EXPECT_CALL(HV_CODE_PAGE, HV_CALL_POST_MESSAGE, POST_INPUT, HV_STATUS_OPERATION_DENIED),
                 VTL_EXPECT_CALL(HV_CODE_PAGE, SIGNAL, CONNECTION + 1, HV_STATUS_OPERATION_DENIED), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_EXPECT_CALL(VTL_CODE_PAGE, HV_CALL_POST_MESSAGE, POST_INPUT, 0),
                 VTL_EXPECT_CALL(VTL_CODE_PAGE, SIGNAL, CONNECTION + 1, 0), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_END());
    unsigned posts = 0, signals = 0;
    const struct vmr_message_port messages = {
        .connection_id = CONNECTION, .minimum_vtl = VMR_VTL1, .post = hear_post, .context = &posts};
    const struct vmr_event_port events = {
        .connection_id = CONNECTION + 1, .minimum_vtl = VMR_VTL1, .signal = hear_signal, .context = &signals};
    struct vmr_synic_port *ports[2] = {NULL, NULL};
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic *synic = vmr_hv_guest_synic(vmr_partition_hv(vm->partition));

    CONF_CHECK(conf,
               vmr_synic_message_port_add(synic, &messages, &ports[0], NULL) == VMR_OK &&
                   vmr_synic_event_port_add(synic, &events, &ports[1], NULL) == VMR_OK,
               "the ports are refused");
    (void)conf_run_to_end(vm, 0);
    vmr_synic_port_remove(ports[0]);
    vmr_synic_port_remove(ports[1]);
    CONF_CHECK_EQ(conf, posts, 1, "posts");
    CONF_CHECK_EQ(conf, signals, 1, "signals");
}

static void a_triple_fault_names_its_vtl(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_END());
    CONF_PROGRAM(vtl1, VMR_TRIPLE_FAULT());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_run(vm, 0, NULL, &result), "no VM");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_TRIPLE_FAULT, "the reason");
    CONF_CHECK_EQ(conf, result.vtl, VMR_VTL1, "whose fault it was");
}

/* --- without --- */

static void without_vtls_all_of_it_is_refused(struct conf *conf)
{
    static const struct vmr_hv_config isolated = {.isolation = VMR_ISOLATION_VBS};
    const struct conf_vm_options options = {.hv = &hv_all};
    const struct vmr_page_range range = {.gpa = VTL_SECRET, .size = VMR_PAGE_SIZE};
    const struct vmr_initial_pages pages = {.range = range};
    struct vmr_error err = {.message = ""};

    if (vmr_caps_have(&conf->caps, VMR_CAP_VTL)) {
        conf_skip(conf, "the backend has VTLs");
        return;
    }
    CONF_CHECK_EQ(conf, vtl_try(conf, &hv_vtl2, 0, &err), VMR_E_UNSUPPORTED, "VTL 2");
    CONF_CHECK(conf, strstr(err.message, "vtl2"), "the message names no field: %s", err.message);
    CONF_CHECK_EQ(conf, vtl_try(conf, &isolated, 0, &err), VMR_E_UNSUPPORTED, "isolation");
    CONF_CHECK_EQ(conf, vtl_try(conf, &hv_all, UINT64_C(1) << 39, &err), VMR_E_UNSUPPORTED, "an alias map");
    CONF_CHECK(conf, strstr(err.message, "vtl0_alias_map"), "the message names no field: %s", err.message);
    CONF_PROGRAM(
        program, VMR_CPUID(HV_CPUID_FEATURES, 0), VMR_EXPECT_MASK(1, (HV_ACCESS_VSM | HV_ISOLATION) >> 32, 0),
        HV_OPEN(),
        VTL_EXPECT_CALL(HV_CODE_PAGE, HV_CALL_ENABLE_PARTITION_VTL, HV_INPUT, HV_STATUS_INVALID_HYPERCALL_CODE),
        VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_modify_vtl_page_setting(vm->partition, 1, 0, &err), VMR_E_UNSUPPORTED, "a page");
    CONF_CHECK_EQ(conf, vmr_partition_vtl_map(vm->partition, 0, &range, &err), VMR_E_UNSUPPORTED, "a map");
    CONF_CHECK_EQ(conf, vmr_partition_vtl_unmap(vm->partition, 0, &range, &err), VMR_E_UNSUPPORTED, "a map");
    CONF_CHECK_EQ(conf, vmr_partition_accept_initial_pages(vm->partition, &pages, 1, &err), VMR_E_UNSUPPORTED,
                  "accepting");
    (void)conf_run_to_end(vm, 0);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "vtl", .needs = VTL_NEEDS, .chip = CONF_CHIP_NONE, .run = function
#define WITH_CHIP(function)                                                                                            \
    .name = #function, .family = "vtl", .needs = VTL_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_partition_gets_a_vtl_once), .clauses = "VTL-2"},
    {SCENARIO(a_vp_gets_a_vtl_once), .clauses = "VTL-3"},
    {SCENARIO(only_the_first_vp_gets_it_from_below), .clauses = "VTL-3"},
    {SCENARIO(a_call_to_nobody_is_undefined), .clauses = "VTL-4"},
    {SCENARIO(a_malformed_return_is_undefined), .clauses = "VTL-4"},
    {SCENARIO(each_vtl_goes_on_where_it_was_left), .clauses = "VTL-4 VTL-5"},
    {SCENARIO(private_registers_wait_and_shared_ones_do_not), .clauses = "VTL-5 VTL-6"},
    {SCENARIO(private_msrs_wait_and_shared_ones_do_not), .clauses = "VTL-5"},
    {SCENARIO(the_assist_page_says_why_and_gives_registers), .clauses = "VTL-6"},
    {SCENARIO(each_vtl_sets_up_for_itself), .clauses = "VTL-7"},
    {SCENARIO(the_code_page_has_entries_at_named_offsets), .clauses = "VTL-7"},
    {SCENARIO(a_guest_reads_about_its_vtls), .clauses = "VTL-2 VTL-7"},
    {SCENARIO(an_interrupt_enters_its_vtl), .clauses = "VTL-6 VTL-7 VTL-8"},
    {WITH_CHIP(a_vtl_that_halts_sleeps_on), .clauses = "VTL-8"},
    {SCENARIO(an_ipi_enters_its_vtl), .clauses = "HC-14 VTL-8"},
    {WITH_CHIP(a_higher_vtl_has_no_local_apic), .clauses = "HC-17 VTL-8"},
    {WITH_CHIP(interrupts_of_a_lower_vtl_wait), .clauses = "VTL-8"},
    {SCENARIO(a_reset_begins_in_the_first_vtl), .clauses = "VTL-18"},
    {SCENARIO(a_port_hears_its_vtl_and_those_above), .clauses = "VTL-16"},
    {SCENARIO(a_triple_fault_names_its_vtl), .clauses = "HALT-1"},
    {.name = "without_vtls_all_of_it_is_refused",
     .family = "vtl",
     .clauses = "VTL-1",
     .needs = CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT),
     .chip = CONF_CHIP_ANY,
     .run = without_vtls_all_of_it_is_refused},
};

CONF_FAMILY(vtl, scenarios);
