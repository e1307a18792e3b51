/* SPDX-License-Identifier: MIT */
/*
 * Interrupts by hypercall and by synthetic MSR: to other processors, from
 * virtual devices, and the local APIC's own registers.
 */

#include "conformance/scenarios/hv_call_words.h"

#define VECTOR 0x51u
#define OTHER_VECTOR 0x62u
#define IPI HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI
#define IPI_EX HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI_EX

/* Vector and VTL in one word, processors in the other. */
#define SEND(first, second, x)                                                                                         \
    VMR_SET(0, first), VMR_SET(1, second), VMR_HV_CALL(6, HV_CODE_PAGE, IPI | FAST), HV_NO_FAULT(), VMR_EXPECT(6, x)
/* The same in memory, with a set: vector and VTL, format, banks, one word. */
#define SET_INPUT(first, format, banks, word0)                                                                         \
    VMR_STORE(HV_INPUT, 8, first), VMR_STORE(HV_INPUT + 8, 8, format), VMR_STORE(HV_INPUT + 16, 8, banks),             \
        VMR_STORE(HV_INPUT + 24, 8, word0)
#define SEND_EX(words, x) HV_EXPECT_CALL(IPI_EX | VARIABLE(words), HV_INPUT, 0, x)

/* --- to processors --- */

APIC_PROGRAM(hears_once, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(WORD_SEEN, 4, 1), VMR_WAIT_VECTOR(VECTOR, 1), OPEN(1),
             EXPECT_COUNT(VECTOR, 1), VMR_STORE(WORD_PAST, 4, 1), VMR_END());
#define WAIT_FOR_VP_1() APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1)

static void an_ipi_reaches_each_that_the_mask_names(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), VMR_CPUID(HV_CPUID_RECOMMENDATIONS, 0),
                 VMR_EXPECT_MASK(0, HV_RECOMMEND_CLUSTER_IPI, HV_RECOMMEND_CLUSTER_IPI), WAIT_FOR_VP_1(),
                 SEND(VECTOR, 3, 0), VMR_WAIT_VECTOR(VECTOR, 1), OPEN(1), EXPECT_COUNT(VECTOR, 1),
                 VMR_SPIN_UNTIL(WORD_PAST, 4, 1), VMR_END());

    hv_run_pair(conf, &sends, &hears_once);
}

static void an_ipi_reaches_nobody_else(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), WAIT_FOR_VP_1(), SEND(VECTOR, 2, 0), VMR_SPIN_UNTIL(WORD_PAST, 4, 1),
                 OPEN(1), EXPECT_COUNT(VECTOR, 0), VMR_END());

    hv_run_pair(conf, &sends, &hears_once);
}

static void a_set_names_processors_by_banks_or_all(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), WAIT_FOR_VP_1(), SET_INPUT(VECTOR, HV_GENERIC_SET_SPARSE_4K, 1, 2),
                 SEND_EX(1, 0), VMR_SPIN_UNTIL(WORD_PAST, 4, 1), OPEN(1), EXPECT_COUNT(VECTOR, 0),
                 SET_INPUT(OTHER_VECTOR, HV_GENERIC_SET_ALL, 0, 0), SEND_EX(0, 0), VMR_WAIT_VECTOR(OTHER_VECTOR, 1),
                 VMR_END());

    hv_run_pair(conf, &sends, &hears_once);
}

static void processors_that_do_not_exist_are_passed_over(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), SEND(VECTOR, UINT64_MAX, 0),
                 SET_INPUT(OTHER_VECTOR, HV_GENERIC_SET_SPARSE_4K, UINT64_C(1) << 63, UINT64_MAX), SEND_EX(1, 0),
                 VMR_WAIT_VECTOR(VECTOR, 1), OPEN(1), EXPECT_COUNT(VECTOR, 1), EXPECT_COUNT(OTHER_VECTOR, 0),
                 VMR_END());

    (void)conf_run_program(conf, &options, &sends);
}

#define ALL_BANKS 64u
#define WIDE_SET HV_PAGE_1

/* The first VP that does not exist, those where a set's second word and its last begin, and every one there could be.
 */
static void sets_beyond_the_last_vp_reach_nobody(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), SEND(VECTOR, 2, 0), SEND(VECTOR, UINT64_C(1) << 63, 0),
                 SET_INPUT(VECTOR, HV_GENERIC_SET_SPARSE_4K, 2, 1), SEND_EX(1, 0),
                 SET_INPUT(VECTOR, HV_GENERIC_SET_SPARSE_4K, UINT64_C(1) << 63, UINT64_C(1) << 63), SEND_EX(1, 0),
                 OPEN(1), EXPECT_COUNT(VECTOR, 0), VMR_STORE(WIDE_SET, 8, OTHER_VECTOR),
                 VMR_STORE(WIDE_SET + 8, 8, HV_GENERIC_SET_SPARSE_4K),
                 HV_EXPECT_CALL(IPI_EX | VARIABLE(ALL_BANKS), WIDE_SET, 0, 0), VMR_WAIT_VECTOR(OTHER_VECTOR, 1),
                 OPEN(2), EXPECT_COUNT(OTHER_VECTOR, 1), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &sends);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, WIDE_SET + 16, 0xff, 8 * (ALL_BANKS + 1)) == VMR_OK, "no words");
    (void)conf_run_to_end(vm, 0);
}

static void bad_ipis_are_refused_and_reach_nobody(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), SEND(15, 1, HV_STATUS_INVALID_PARAMETER),
                 SEND(0x100 | VECTOR, 1, HV_STATUS_INVALID_PARAMETER),
                 SEND(UINT64_C(1) << 40 | VECTOR, 1, HV_STATUS_INVALID_PARAMETER),
                 SEND(UINT64_C(0x11) << 32 | VECTOR, 1, HV_STATUS_ACCESS_DENIED),
                 SEND(UINT64_C(0x80) << 32 | VECTOR, 1, HV_STATUS_INVALID_PARAMETER), SET_INPUT(VECTOR, 2, 1, 1),
                 SEND_EX(1, HV_STATUS_INVALID_PARAMETER), SET_INPUT(VECTOR, 0, 3, 1),
                 SEND_EX(1, HV_STATUS_INVALID_PARAMETER), SET_INPUT(0, 0, 1, 1),
                 SEND_EX(1, HV_STATUS_INVALID_PARAMETER), OPEN(1), EXPECT_COUNT(VECTOR, 0),
                 SEND(UINT64_C(0x10) << 32 | VECTOR, 1, 0), VMR_WAIT_VECTOR(VECTOR, 1), VMR_END());

    (void)conf_run_program(conf, &options, &sends);
}

/* --- the local APIC by synthetic MSR --- */

static void the_local_apic_has_its_msrs_where_cpuid_says(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    /* Handlers that acknowledge nothing: the MSR does. A priority in the way, then none. */
    APIC_PROGRAM(here, VMR_EOI_NONE, VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(0, HV_ACCESS_APIC_MSRS, HV_ACCESS_APIC_MSRS), APIC_ON(), VMR_RDMSR(6, HV_MSR_EOI),
                 HV_FAULT(), HV_REFUSED_MSR(HV_MSR_TPR, 0x100), HV_ACCEPTED_MSR(HV_MSR_TPR, 0x50),
                 VMR_LOAD(5, APIC_TPR, 4), VMR_EXPECT(5, 0x50), HV_ACCEPTED_MSR(HV_MSR_ICR, ICR_ASSERT | VECTOR),
                 OPEN(1), EXPECT_COUNT(VECTOR, 0), HV_ACCEPTED_MSR(HV_MSR_TPR, 0), HV_EXPECT_MSR(HV_MSR_TPR, 0),
                 VMR_WAIT_VECTOR(VECTOR, 1), HV_ACCEPTED_MSR(HV_MSR_ICR, ICR_ASSERT | VECTOR), OPEN(2),
                 EXPECT_COUNT(VECTOR, 1), HV_ACCEPTED_MSR(HV_MSR_EOI, 0), VMR_WAIT_VECTOR(VECTOR, 2),
                 HV_ACCEPTED_MSR(HV_MSR_EOI, 0), HV_EXPECT_MSR(HV_MSR_ICR, ICR_ASSERT | VECTOR), VMR_END());
    CONF_PROGRAM(elsewhere, VMR_CPUID(HV_CPUID_FEATURES, 0), VMR_EXPECT_MASK(0, HV_ACCESS_APIC_MSRS, 0),
                 VMR_CPUID(HV_CPUID_RECOMMENDATIONS, 0), VMR_EXPECT_MASK(0, HV_RECOMMEND_APIC_MSRS, 0),
                 VMR_RDMSR(6, HV_MSR_TPR), HV_FAULT(), HV_REFUSED_MSR(HV_MSR_ICR, VECTOR),
                 HV_REFUSED_MSR(HV_MSR_EOI, 0), VMR_END());

    (void)conf_run_program(conf, &options, conf->handle->irqchip == VMR_IRQCHIP_USER ? &here : &elsewhere);
}

static void the_msrs_work_in_x2apic_mode_too(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    APIC_PROGRAM(sends, VMR_EOI_X2APIC, X2APIC_ON(APIC_BASE_BSP), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1),
                 HV_ACCEPTED_MSR(HV_MSR_ICR, UINT64_C(1) << 32 | ICR_ASSERT | VECTOR), VMR_SPIN_UNTIL(WORD_PAST, 4, 1),
                 VMR_END());
    APIC_PROGRAM(hears, VMR_EOI_X2APIC, X2APIC_ON(0), VMR_STORE(WORD_SEEN, 4, 1), VMR_WAIT_VECTOR(VECTOR, 1),
                 VMR_STORE(WORD_PAST, 4, 1), VMR_END());

    if (conf->handle->irqchip != VMR_IRQCHIP_USER) {
        conf_skip(conf, "the local APICs are in the hypervisor");
        return;
    }
    struct conf_vm *vm = vm_about_to_run(conf, &options, &sends);

    CONF_REQUIRE(conf, vm, "no VM");
    run_pair(vm, &hears);
}

/* --- virtual devices --- */

#define DEVICE UINT64_C(0x123456789)
#define RETARGET HV_CALL_RETARGET_DEVICE_INTERRUPT

/* Partition, device, entry (source, message), zero, vector and flags, processors. The message is put in by the host. */
#define AIM(vector, flags, mask)                                                                                       \
    VMR_STORE(HV_INPUT + 40, 8, (vector) | (uint64_t)(flags) << 32), VMR_STORE(HV_INPUT + 48, 8, mask)
#define RETARGETED(x) HV_EXPECT_CALL(RETARGET, HV_INPUT, 0, x)

struct device {
    struct vmr_hv_guest *guest;
    struct vmr_msi msi;
};

/* A VM with a device, whose interrupt is VECTOR to VP 0; VP 0 bound, about to run. NULL: failed. */
static struct conf_vm *device_vm(struct conf *conf, uint32_t vps, const struct vmr_program *program,
                                 struct device *device)
{
    const struct conf_vm_options options = {.vps = vps, .hv = &hv_all};
    struct vmr_hv_interrupt interrupt = {.vector = VECTOR};
    struct conf_vm *vm = vm_about_to_run(conf, &options, program);
    struct vmr_error err = {.message = ""};

    if (!vm)
        return NULL;
    device->guest = vmr_partition_hv(vm->partition);
    vmr_hv_vp_set_init(&interrupt.vps, 1);
    if (vmr_hv_guest_map_interrupt(device->guest, DEVICE, &interrupt, &device->msi, &err)) {
        conf_fail(conf, __FILE__, __LINE__, "%s", err.message);
        return NULL;
    }
    guest_word_set(vm, HV_INPUT, UINT32_MAX);
    guest_word_set(vm, HV_INPUT + 4, UINT32_MAX);
    guest_word_set(vm, HV_INPUT + 8, (uint32_t)DEVICE);
    guest_word_set(vm, HV_INPUT + 12, (uint32_t)(DEVICE >> 32));
    guest_word_set(vm, HV_INPUT + 16, 1);
    guest_word_set(vm, HV_INPUT + 24, (uint32_t)device->msi.address);
    guest_word_set(vm, HV_INPUT + 28, device->msi.data);
    vm->user = device;
    return vm;
}

static void signal_device(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct device *device = vm->user;

    (void)vp;
    (void)number;
    CONF_CHECK(vm->conf, vmr_hv_guest_signal_interrupt(device->guest, DEVICE, &device->msi) == VMR_OK,
               "the device has no interrupt");
}

#define RAISE(number) VMR_CHECKPOINT(number)

static void a_device_raises_what_the_guest_aims(struct conf *conf)
{
    struct device device;
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), RAISE(1), VMR_WAIT_VECTOR(VECTOR, 1),
                 AIM(OTHER_VECTOR, 0, 1), RETARGETED(0), RAISE(2), VMR_WAIT_VECTOR(OTHER_VECTOR, 1),
                 EXPECT_COUNT(VECTOR, 1), VMR_END());
    struct conf_vm *vm = device_vm(conf, 1, &program, &device);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = signal_device;
    (void)conf_run_to_end(vm, 0);
}

static void a_device_interrupt_moves_to_another_vp(struct conf *conf)
{
    struct device device;
    /* Banks follow the input: their mask first. */
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), WAIT_FOR_VP_1(), AIM(VECTOR, 2, HV_GENERIC_SET_SPARSE_4K),
                 VMR_STORE(HV_INPUT + 56, 8, 1), VMR_STORE(HV_INPUT + 64, 8, 2),
                 HV_EXPECT_CALL(RETARGET | VARIABLE(2), HV_INPUT, 0, 0), RAISE(1),
                 VMR_SPIN_UNTIL(COUNT_OF(1, VECTOR), 4, 1), VMR_SPIN_UNTIL(WORD_PAST, 4, 1), VMR_READ_COUNT(6, VECTOR),
                 VMR_EXPECT(6, 0), VMR_END());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(WORD_SEEN, 4, 1), VMR_WAIT_VECTOR(VECTOR, 1),
                 VMR_STORE(WORD_PAST, 4, 1), VMR_END());
    struct conf_vm *vm = device_vm(conf, 2, &program, &device);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = signal_device;
    run_pair(vm, &hears);
}

static void a_multicast_reaches_all_and_others_the_first(struct conf *conf)
{
    struct device device;
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), WAIT_FOR_VP_1(), AIM(VECTOR, 1, 3), RETARGETED(0), RAISE(1),
                 VMR_WAIT_VECTOR(VECTOR, 1), VMR_SPIN_UNTIL(WORD_PAST, 4, 1), AIM(OTHER_VECTOR, 0, 3), RETARGETED(0),
                 RAISE(2), VMR_WAIT_VECTOR(OTHER_VECTOR, 1), VMR_STORE(WORD_GO, 4, 1), VMR_END());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(WORD_SEEN, 4, 1), VMR_WAIT_VECTOR(VECTOR, 1),
                 VMR_STORE(WORD_PAST, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_CLI(),
                 EXPECT_COUNT(OTHER_VECTOR, 0), VMR_END());
    struct conf_vm *vm = device_vm(conf, 2, &program, &device);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = signal_device;
    run_pair(vm, &hears);
}

static void a_bad_aim_is_refused_and_the_old_one_stays(struct conf *conf)
{
    struct device device;
#define BAD(vector, flags, mask) AIM(vector, flags, mask), RETARGETED(HV_STATUS_INVALID_PARAMETER)
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), BAD(OTHER_VECTOR, 4, 1), BAD(15, 0, 1), BAD(0x100, 0, 1),
                 BAD(OTHER_VECTOR, 0, 0), BAD(OTHER_VECTOR, 0, 2), BAD(OTHER_VECTOR, 2, 0), AIM(OTHER_VECTOR, 0, 1),
                 VMR_STORE(HV_INPUT + 32, 8, 1), RETARGETED(HV_STATUS_INVALID_PARAMETER),
                 VMR_STORE(HV_INPUT + 32, 8, 0), VMR_STORE(HV_INPUT + 16, 4, 2),
                 RETARGETED(HV_STATUS_INVALID_PARAMETER), VMR_STORE(HV_INPUT + 16, 4, 1),
                 VMR_STORE(HV_INPUT + 8, 8, DEVICE + 1), RETARGETED(HV_STATUS_INVALID_DEVICE_ID),
                 VMR_STORE(HV_INPUT + 8, 8, DEVICE), VMR_STORE(HV_INPUT + 28, 4, UINT32_MAX),
                 RETARGETED(HV_STATUS_INVALID_DEVICE_ID), VMR_STORE(HV_INPUT, 8, 2),
                 RETARGETED(HV_STATUS_INVALID_PARTITION_ID), RAISE(1), VMR_WAIT_VECTOR(VECTOR, 1), VMR_END());
    struct conf_vm *vm = device_vm(conf, 1, &program, &device);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = signal_device;
    (void)conf_run_to_end(vm, 0);
}

/* With a set whose banks are mostly of VPs that do not exist: bad if nobody is left, else to who is. */
static void an_aim_beyond_the_last_vp_is_refused(struct conf *conf)
{
    struct device device;
#define AIM_BANK(bank, bits)                                                                                           \
    AIM(OTHER_VECTOR, 2, HV_GENERIC_SET_SPARSE_4K), VMR_STORE(HV_INPUT + 56, 8, bank), VMR_STORE(HV_INPUT + 64, 8, bits)
#define RETARGETED_WIDE(words, x) HV_EXPECT_CALL(RETARGET | VARIABLE(words), HV_INPUT, 0, x)
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), AIM_BANK(2, 1),
                 RETARGETED_WIDE(2, HV_STATUS_INVALID_PARAMETER), AIM_BANK(UINT64_C(1) << 63, UINT64_MAX),
                 RETARGETED_WIDE(2, HV_STATUS_INVALID_PARAMETER), RAISE(1), VMR_WAIT_VECTOR(VECTOR, 1),
                 AIM_BANK(UINT64_MAX, UINT64_MAX), RETARGETED_WIDE(ALL_BANKS, HV_STATUS_INVALID_PARAMETER),
                 RETARGETED_WIDE(ALL_BANKS + 1, 0), RAISE(2), VMR_WAIT_VECTOR(OTHER_VECTOR, 1), VMR_END());
    struct conf_vm *vm = device_vm(conf, 1, &program, &device);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, HV_INPUT + 72, 0xff, 8 * (ALL_BANKS - 1)) == VMR_OK, "no words");
    vm->on_checkpoint = signal_device;
    (void)conf_run_to_end(vm, 0);
}

static void what_is_not_mapped_is_not_raised(struct conf *conf)
{
    struct device device;
    CONF_PROGRAM(program, VMR_END());
    struct conf_vm *vm = device_vm(conf, 1, &program, &device);
    struct vmr_hv_interrupt interrupt = {.vector = 15, .vps.all = true};
    struct vmr_msi msi = {0};
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_hv_guest_map_interrupt(device.guest, DEVICE, &interrupt, &msi, &err) == VMR_E_CONFIG,
               "an exception's vector is mapped");
    interrupt = (struct vmr_hv_interrupt){.vector = VECTOR};
    vmr_hv_vp_set_init(&interrupt.vps, 2);
    CONF_CHECK(conf, vmr_hv_guest_map_interrupt(device.guest, DEVICE, &interrupt, &msi, &err) == VMR_E_CONFIG,
               "an interrupt to nobody is mapped");
    CONF_CHECK(conf, vmr_hv_guest_signal_interrupt(device.guest, DEVICE + 1, &device.msi) == VMR_E_GUEST,
               "another device raises it");
    vmr_hv_guest_unmap_interrupt(device.guest, DEVICE + 1, &device.msi);
    CONF_CHECK(conf, vmr_hv_guest_signal_interrupt(device.guest, DEVICE, &device.msi) == VMR_OK, "it is gone");
    vmr_hv_guest_unmap_interrupt(device.guest, DEVICE, &device.msi);
    CONF_CHECK(conf, vmr_hv_guest_signal_interrupt(device.guest, DEVICE, &device.msi) == VMR_E_GUEST,
               "it is there after it was unmapped");
}

static const struct conf_scenario scenarios[] = {
    {HV_CALL_ANYWHERE(an_ipi_reaches_each_that_the_mask_names), .clauses = "HC-14 HV-1"},
    {HV_CALL_ANYWHERE(an_ipi_reaches_nobody_else), .clauses = "HC-14"},
    {HV_CALL_ANYWHERE(a_set_names_processors_by_banks_or_all), .clauses = "HC-14"},
    {HV_CALL_ANYWHERE(processors_that_do_not_exist_are_passed_over), .clauses = "HC-14"},
    {HV_CALL_ANYWHERE(sets_beyond_the_last_vp_reach_nobody), .clauses = "HC-14",
     .ids = "CVE-2025-58147 CVE-2025-58148 CVE-2021-47390 CVE-2012-5511"},
    {HV_CALL_SCENARIO(bad_ipis_are_refused_and_reach_nobody), .clauses = "HC-11 HC-14"},
    {HV_CALL_SCENARIO(the_local_apic_has_its_msrs_where_cpuid_says), .clauses = "HV-1 HV-8"},
    {HV_CALL_SCENARIO(the_msrs_work_in_x2apic_mode_too), .clauses = "HV-8"},
    {HV_CALL_SCENARIO(a_device_raises_what_the_guest_aims), .clauses = "HC-15"},
    {HV_CALL_SCENARIO(a_device_interrupt_moves_to_another_vp), .clauses = "HC-15"},
    {HV_CALL_SCENARIO(a_multicast_reaches_all_and_others_the_first), .clauses = "HC-15"},
    {HV_CALL_SCENARIO(a_bad_aim_is_refused_and_the_old_one_stays), .clauses = "HC-11 HC-15"},
    {HV_CALL_SCENARIO(an_aim_beyond_the_last_vp_is_refused), .clauses = "HC-15", .ids = "CVE-2025-58147"},
    {HV_CALL_SCENARIO(what_is_not_mapped_is_not_raised), .clauses = "HC-15"},
};

CONF_FAMILY(hv_calls_interrupt, scenarios);
