/* SPDX-License-Identifier: MIT */
/*
 * How VPs begin: their numbers, their registers, and who waits for whom. With
 * interrupt controllers, wherever they are, VP 0 starts the others. It enables
 * its local APIC first: not every hypervisor sends from one that is disabled.
 */

#include "conformance/scenarios/apic_words.h"

#define VPS 4u
#define STARTUP (ICR_ASSERT | ICR_STARTUP | VMR_PROGRAM_BASE >> 12)
#define VECTOR 0x50u
#define TSS_32_BIT 8u

/* Binds and runs VP `vp`, to its program's end. */
static bool run_vp(struct conf_vm *vm, vmr_vp_index vp)
{
    return conf_bind(vm, vp) && conf_run_to_end(vm, vp);
}

static bool has_chip(const struct conf_vm *vm)
{
    return vm->chip || vm->conf->handle->irqchip != VMR_IRQCHIP_USER;
}

/* --- numbers --- */

CONF_PROGRAM(starts_three, APIC_ON(), VMR_START_VP(1), VMR_START_VP(2), VMR_START_VP(3), VMR_CPUID(1, 0),
             VMR_EXPECT_MASK(1, 0xff000000, 0), VMR_CHECKPOINT(1), VMR_END());
#define SAYS_ITS_ID(n)                                                                                                 \
    CONF_PROGRAM(says_id_##n, VMR_CPUID(1, 0), VMR_EXPECT_MASK(1, 0xff000000, (uint64_t)(n) << 24),                    \
                 VMR_CHECKPOINT(1 + (n)), VMR_END())
SAYS_ITS_ID(1);
SAYS_ITS_ID(2);
SAYS_ITS_ID(3);

static const struct vmr_program *const id_programs[VPS] = {&starts_three, &says_id_1, &says_id_2, &says_id_3};

static void ids_are_indices(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = VPS});

    CONF_REQUIRE(conf, vm && vmr_partition_vp_count(vm->partition) == VPS, "no VM");
    for (vmr_vp_index i = 0; i < VPS; i++)
        CONF_REQUIRE(conf, conf_load(vm, i, id_programs[i]), "VP %u has no program", i);
    for (vmr_vp_index i = 0; i < VPS; i++) {
        CONF_REQUIRE(conf, run_vp(vm, i), "VP %u", i);
        CONF_CHECK_EQ(conf, vmr_vp_get_index(vm->vps[i]), i, "the index");
        CONF_CHECK(conf, vmr_vp_partition(vm->vps[i]) == vm->partition, "the partition of VP %u", i);
        CONF_CHECK_EQ(conf, vm->reports[i].checkpoint, i + 1, "the checkpoint of each");
        conf_note(conf, "VP %u has APIC id %u", i, i);
    }
}

CONF_PROGRAM(reads_id_0, APIC_ON(), VMR_LOAD(0, APIC_ID, 4), VMR_EXPECT(0, 0), VMR_START_VP(1), VMR_END());
CONF_PROGRAM(reads_id_1, VMR_LOAD(0, APIC_ID, 4), VMR_EXPECT(0, 1u << 24), VMR_END());

static void id_register(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2});

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &reads_id_0) && conf_load(vm, 1, &reads_id_1), "no VM");
    CONF_CHECK(conf, run_vp(vm, 0) && run_vp(vm, 1), "a local APIC has another VP's number");
}

/* --- registers --- */

static void check_segment(struct conf *conf, const char *name, const struct vmr_x86_segment *got,
                          const struct vmr_x86_segment *want)
{
    CONF_CHECK(conf,
               got->base == want->base && got->limit == want->limit && got->selector == want->selector &&
                   got->attributes == want->attributes,
               "%s: base %#llx limit %#x selector %#x attributes %#x", name, (unsigned long long)got->base, got->limit,
               got->selector, got->attributes);
}

/* TR is a busy TSS, with Intel a 32-bit and with AMD a 16-bit one (SDM vol. 3, table 9-1; APM vol. 2, table 14-1). */
static void check_segments(struct conf *conf, const struct vmr_x86_regs *got, const struct vmr_x86_regs *want)
{
    struct vmr_x86_segment tr = got->tr;

    tr.attributes |= TSS_32_BIT;
    check_segment(conf, "cs", &got->cs, &want->cs);
    check_segment(conf, "ds", &got->ds, &want->ds);
    check_segment(conf, "es", &got->es, &want->es);
    check_segment(conf, "fs", &got->fs, &want->fs);
    check_segment(conf, "gs", &got->gs, &want->gs);
    check_segment(conf, "ss", &got->ss, &want->ss);
    check_segment(conf, "tr", &tr, &want->tr);
    check_segment(conf, "ldtr", &got->ldtr, &want->ldtr);
    CONF_CHECK(conf, got->gdtr.base == 0 && got->gdtr.limit == want->gdtr.limit, "gdtr");
    CONF_CHECK(conf, got->idtr.base == 0 && got->idtr.limit == want->idtr.limit, "idtr");
}

/* The address width a processor takes RDX from is its own; all else is the manual's. */
static void check_reset(struct conf *conf, vmr_vp_index vp, const struct vmr_x86_regs *got)
{
    struct vmr_x86_regs want;

    vmr_x86_regs_reset(&want);
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        CONF_CHECK(conf, i == VMR_X86_RDX || got->gpr[i] == want.gpr[i], "VP %u, register %u: %#llx", vp, i,
                   (unsigned long long)got->gpr[i]);
    CONF_CHECK_EQ(conf, got->rip, want.rip, "rip");
    CONF_CHECK_EQ(conf, got->rflags, want.rflags, "rflags");
    CONF_CHECK_EQ(conf, got->cr0, want.cr0, "cr0");
    CONF_CHECK_EQ(conf, got->cr2 | got->cr3 | got->cr4 | got->cr8 | got->efer, 0, "cr2, cr3, cr4, cr8, efer");
    CONF_CHECK_EQ(conf, got->apic_base & ~(uint64_t)APIC_BASE_BSP, want.apic_base & ~(uint64_t)APIC_BASE_BSP,
                  "apic_base");
    CONF_CHECK_EQ(conf, got->apic_base & APIC_BASE_BSP, vp == 0 ? APIC_BASE_BSP : 0, "the boot processor's bit");
    check_segments(conf, got, &want);
}

static void reset_values(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2});
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (vmr_vp_index i = 0; i < 2; i++) {
        CONF_REQUIRE(conf, conf_bind(vm, i) && vmr_vp_get_regs(vm->vps[i], &regs) == VMR_OK, "VP %u", i);
        check_reset(conf, i, &regs);
    }
}

static void registers_are_kept(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_x86_regs before, after;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0) && vmr_vp_get_regs(vm->vps[0], &before) == VMR_OK, "no VM");
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        before.gpr[i] = UINT64_C(0x8123456789abcd00) + i;
    before.rip = 0x1234;
    before.rflags = 0x246;
    before.cr2 = 0xdead0000;
    before.ds = (struct vmr_x86_segment){.base = 0x10000, .limit = 0xffff, .selector = 0x1000, .attributes = 0x93};
    before.gdtr = (struct vmr_x86_table){.base = 0x4000, .limit = 0x27};
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &before) == VMR_OK, "not taken");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &after) == VMR_OK, "not given back");
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        CONF_CHECK_EQ(conf, after.gpr[i], before.gpr[i], "a general register");
    CONF_CHECK_EQ(conf, after.rip, before.rip, "rip");
    CONF_CHECK_EQ(conf, after.rflags, before.rflags, "rflags");
    CONF_CHECK_EQ(conf, after.cr2, before.cr2, "cr2");
    check_segment(conf, "ds", &after.ds, &before.ds);
    CONF_CHECK(conf, after.gdtr.base == 0x4000 && after.gdtr.limit == 0x27, "gdtr");
}

/* --- real mode --- */

static void real_mode(struct conf *conf)
{
    static const struct vmr_step steps[] = {VMR_SET(0, 0x55),
                                            VMR_OUT_VAR(VMR_PROGRAM_PORT_CHECKPOINT, 4, 0),
                                            VMR_STORE(WORD(0), 8, UINT64_C(0x1122334455667788)),
                                            VMR_LOAD(1, WORD(0), 8),
                                            VMR_EXPECT(1, UINT64_C(0x1122334455667788)),
                                            VMR_END()};
    static const struct vmr_program climbs = {
        .name = "climbs", .steps = steps, .count = 6, .start = VMR_START_REAL_MODE};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &climbs) && conf_bind(vm, 0), "no VM");
    if (vmr_caps_have(&conf->caps, VMR_CAP_MACHINE_CODE)) {
        CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
        CONF_CHECK(conf, (regs.cr0 & 1) == 0 && regs.cs.base == VMR_PROGRAM_BASE, "not in real mode");
    }
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 0x55, "the checkpoint");
}

/* --- who waits --- */

CONF_PROGRAM(marks, VMR_STORE(WORD(1), 8, 1), VMR_END());
CONF_PROGRAM(marks_and_waits, VMR_STORE(WORD(0), 8, 1), VMR_CHECKPOINT(1), VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_END());

static void all_begin(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2, .without_chip = true});
    enum vmr_activity activity = VMR_ACTIVITY_COUNT;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &marks_and_waits) && conf_load(vm, 1, &marks), "no VM");
    CONF_REQUIRE(conf, conf_bind(vm, 1), "VP 1 is not bound");
    CONF_CHECK(conf, vmr_vp_get_activity(vm->vps[1], &activity) == VMR_OK && activity == VMR_ACTIVITY_RUNNING,
               "VP 1 waits without interrupt controllers: %d", (int)activity);
    CONF_CHECK(conf, conf_run_to_end(vm, 1) && run_vp(vm, 0), "a VP did not come to its end");
}

/* VP 1 is in a run before VP 0 is; it does nothing until VP 0 starts it. On KVM its entry then ends with EAGAIN. */
CONF_PROGRAM(starts_late, APIC_ON(), VMR_LOAD(0, WORD(1), 8), VMR_EXPECT(0, 0), VMR_CHECKPOINT(1),
             VMR_LOAD(0, WORD(1), 8), VMR_EXPECT(0, 0), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_END());

static void waits_for_sipi(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2});
    enum vmr_activity activity = VMR_ACTIVITY_COUNT;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &starts_late) && conf_load(vm, 1, &marks) && conf_bind(vm, 0), "no VM");
    if (!has_chip(vm)) {
        conf_skip(conf, "no interrupt controllers");
        return;
    }
    CONF_CHECK(conf, vmr_vp_get_activity(vm->vps[0], &activity) == VMR_OK && activity == VMR_ACTIVITY_RUNNING,
               "VP 0 does not begin: %d", (int)activity);
    struct vmr_thread *thread = conf_thread(conf, run_second, vm);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    for (unsigned i = 0; i < 5; i++)
        conf_pause(conf);
    CONF_CHECK_EQ(conf, word(vm, 1), 0, "what VP 1 has done before it was started");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    CONF_CHECK(conf, vm->reports[1].ended, "VP 1 did not come to its end");
    CONF_CHECK_EQ(conf, word(vm, 1), 1, "what VP 1 has done");
}

/* Disabled is about taking interrupts: it still sends (Intel SDM vol. 3, 11.4.7.2). */
CONF_PROGRAM(starts_disabled, VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_END());

static void disabled_sender(struct conf *conf)
{
    struct conf_vm *vm = interrupt_vm(conf, 2, &starts_disabled, NULL);

    if (vm)
        run_pair(vm, &marks);
}

static void activity_says_so(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2});
    enum vmr_activity activity = VMR_ACTIVITY_COUNT;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &reads_id_0) && conf_load(vm, 1, &reads_id_1) && conf_bind(vm, 1),
                 "no VM");
    CONF_CHECK(conf, vmr_vp_get_activity(vm->vps[1], &activity) == VMR_OK && activity == VMR_ACTIVITY_WAIT_FOR_SIPI,
               "VP 1 before it is started: %d", (int)activity);
    CONF_CHECK(conf, run_vp(vm, 0) && conf_run_to_end(vm, 1), "a VP did not come to its end");
    CONF_CHECK(conf, vmr_vp_get_activity(vm->vps[1], &activity) == VMR_OK && activity != VMR_ACTIVITY_WAIT_FOR_SIPI,
               "VP 1 after it was started: %d", (int)activity);
}

/* Counts its starts, then waits to be told to end. */
APIC_PROGRAM(counts_starts, VMR_EOI_XAPIC, VMR_LOAD(0, WORD(2), 8), VMR_ADD(0, 1), VMR_STORE_VAR(WORD(2), 8, 0),
             APIC_ON(), VMR_STORE(WORD(1), 8, 1), VMR_WAIT_VECTOR(VECTOR, 1), VMR_STORE(WORD(3), 8, 1), VMR_END());
/* A second SIPI, then the interrupt that ends the other. */
APIC_PROGRAM(sends_two, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), VMR_STORE(APIC_ICR_HIGH, 4, 1u << 24),
             VMR_STORE(APIC_ICR_LOW, 4, STARTUP), VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_STORE(APIC_ICR_HIGH, 4, 1u << 24),
             VMR_STORE(APIC_ICR_LOW, 4, STARTUP), VMR_SEND_IPI(1, VECTOR), VMR_SPIN_UNTIL(WORD(3), 8, 1), VMR_END());
/* INIT and SIPI once more, while the other runs: it begins anew. */
APIC_PROGRAM(starts_twice, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(2), 8, 1), VMR_START_VP(1),
             VMR_SPIN_UNTIL(WORD(2), 8, 2), VMR_END());
APIC_PROGRAM(counts_and_ends, VMR_EOI_XAPIC, VMR_LOAD(0, WORD(2), 8), VMR_ADD(0, 1), VMR_STORE_VAR(WORD(2), 8, 0),
             VMR_JUMP_EQ(0, 2, 5), VMR_SPIN(), VMR_END());

static void start_pair(struct conf *conf, const struct vmr_program *boot, const struct vmr_program *other,
                       uint64_t starts)
{
    struct conf_vm *vm = interrupt_vm(conf, 2, boot, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, other);
    CONF_CHECK_EQ(conf, word(vm, 2), starts, "starts of VP 1");
    conf_note(conf, "VP 1 began %u times", (unsigned)word(vm, 2));
}

static void second_sipi(struct conf *conf)
{
    start_pair(conf, &sends_two, &counts_starts, 1);
}

static void init_again(struct conf *conf)
{
    start_pair(conf, &starts_twice, &counts_and_ends, 2);
}

static const struct conf_scenario scenarios[] = {
    {.name = "each_vp_sees_its_index_as_its_apic_id",
     .family = "startup",
     .clauses = "LIFE-3 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = ids_are_indices},
    {.name = "each_local_apic_has_its_vps_number",
     .family = "startup",
     .clauses = "LIFE-3 INT-3",
     .chip = CONF_CHIP_ANY,
     .run = id_register},
    {.name = "registers_begin_as_after_power_up",
     .family = "startup",
     .clauses = "LIFE-8 LIFE-3",
     .chip = CONF_CHIP_ANY,
     .run = reset_values},
    {.name = "registers_that_are_set_are_given_back",
     .family = "startup",
     .clauses = "LIFE-8",
     .chip = CONF_CHIP_ANY,
     .run = registers_are_kept},
    {.name = "a_guest_climbs_out_of_real_mode",
     .family = "startup",
     .clauses = "LIFE-8 PROG-1",
     .needs = CONF_CAP(REAL_MODE),
     .chip = CONF_CHIP_ANY,
     .run = real_mode},
    {.name = "without_interrupt_controllers_all_begin",
     .family = "startup",
     .clauses = "LIFE-9",
     .chip = CONF_CHIP_NONE,
     .run = all_begin},
    {.name = "a_vp_does_nothing_until_it_is_started",
     .family = "startup",
     .clauses = "LIFE-9 INT-3 RUN-9",
     .chip = CONF_CHIP_ANY,
     .run = waits_for_sipi},
    {.name = "a_local_apic_that_is_disabled_still_starts_others",
     .family = "startup",
     .clauses = "INT-3 LIFE-9",
     .quirks = CONF_QUIRK_DISABLED_SENDER,
     .chip = CONF_CHIP_ANY,
     .run = disabled_sender},
    {.name = "activity_tells_who_waits_to_be_started",
     .family = "startup",
     .clauses = "LIFE-9 INT-3",
     .chip = CONF_CHIP_ANY,
     .run = activity_says_so},
    {.name = "a_second_sipi_is_ignored",
     .family = "startup",
     .clauses = "INT-3",
     .chip = CONF_CHIP_ANY,
     .run = second_sipi},
    {.name = "a_second_init_starts_anew",
     .family = "startup",
     .clauses = "INT-3",
     .chip = CONF_CHIP_ANY,
     .run = init_again},
};

CONF_FAMILY(startup, scenarios);
