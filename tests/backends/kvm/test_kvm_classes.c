/* SPDX-License-Identifier: MIT */
/*
 * The classes of state on the real /dev/kvm, in every place of the interrupt
 * controllers: a new VP reads as one at power-up; each field is driven to
 * another value and read back; and a VP that has run and is reset reads like a
 * new one, field by field.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "tests/backends/kvm/rig.h"

static void a_new_vp_is_at_power_up(void **state)
{
    (void)state;
    for (unsigned chip = 0; chip < VMR_IRQCHIP_COUNT; chip++) {
        struct rig rig;

        print_message("irqchip %s\n", rig_chip_names[chip]);
        rig_start(&rig, (enum vmr_irqchip)chip);
        assert_int_equal(rig_differences(&rig), 0);
        fixture_finish(&rig.fixture);
    }
}

/* --- other values than those of power-up, in every field that KVM holds --- */

static void other_segment(struct vmr_x86_segment *segment, uint16_t selector, uint16_t attributes)
{
    *segment = (struct vmr_x86_segment){
        .base = selector * 0x100u, .limit = 0x9ffff, .selector = selector, .attributes = attributes};
}

static void other_registers(struct vmr_x86_regs *regs)
{
    struct vmr_x86_segment *data[] = {&regs->ds, &regs->es, &regs->fs, &regs->gs, &regs->ss};

    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        regs->gpr[i] = 0x1111111111111111u * i + 7;
    regs->rip = 0x8012;
    regs->rflags = 0x40d7;
    other_segment(&regs->cs, 8, 0xc09a | 1);
    for (unsigned i = 0; i < 5; i++)
        other_segment(data[i], (uint16_t)(0x10 + 8 * i), 0xd093);
    other_segment(&regs->tr, 0x48, 0x808b);
    other_segment(&regs->ldtr, 0x50, 0x9082);
    regs->ldtr.limit = 0x9f;
    regs->gdtr = (struct vmr_x86_table){.base = 0x6000, .limit = 0x7f};
    regs->idtr = (struct vmr_x86_table){.base = 0x7000, .limit = 0x6f};
    regs->cr0 = 0x50033 & ~0x40000u;
    regs->cr2 = 0x123456;
    regs->cr3 = 0x9000;
    regs->cr4 = 0x620;
    regs->cr8 = 2; /* as the APIC's */
    regs->efer = 0x801;
}

static void other_xsave(struct vmr_x86_xsave_state *xsave)
{
    for (unsigned i = 32; i < 416; i++)
        xsave->bytes[i] = (i < 160 && i % 16 >= 10) ? 0 : (uint8_t)(i * 3 + 1);
    store_le16(xsave->bytes, 0x27f);
    store_le16(xsave->bytes + 2, 0x3800);
    xsave->bytes[4] = 0x81; /* tags */
    store_le32(xsave->bytes + 24, 0x1fa0);
    xsave->bytes[512] = 3;
}

static void other_mtrrs(struct vmr_x86_mtrr_state *mtrrs)
{
    mtrrs->default_type = 0xc06;
    for (unsigned i = 0; i < 11; i++)
        mtrrs->fixed[i] = i % 2 ? 0x0606060606060606u : 0x0505050505040401u;
    for (unsigned i = 0; i < 16; i += 2) {
        mtrrs->variable[i] = 0x100000u * (i + 1) | 6;
        mtrrs->variable[i + 1] = 0xfff00800;
    }
}

static void other_apic(struct vmr_x86_apic_state *apic)
{
    static const struct {
        uint16_t at;
        uint32_t value;
    } registers[] = {
        {0x080, 0x20},       {0x0a0, 0x20},    {0x0d0, 0x02000000}, {0x0e0, 0x0fffffff}, {0x0f0, 0x1ff},
        {0x110, 0x100},      {0x190, 0x100},   {0x210, 0x400},      {0x280, 0x40},       {0x300, 0x4041},
        {0x310, 0x03000000}, {0x320, 0x200ec}, {0x330, 0x10031},    {0x340, 0x10032},    {0x350, 0x10033},
        {0x360, 0x400},      {0x370, 0x100fe}, {0x380, 0x70000000}, {0x3e0, 0xb},
    };

    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        store_le32(apic->page + registers[i].at, registers[i].value);
    apic->timer_ns = 1000000000;
}

static void other_activity(struct vmr_x86_activity_state *activity)
{
    activity->shadow = VMR_X86_SHADOW_STI;
    activity->nmi_pending = true;
    activity->nmi_masked = true;
    activity->pending = (struct vmr_x86_event){.kind = VMR_X86_EVENT_EXCEPTION,
                                               .vector = 14,
                                               .has_error = true,
                                               .error = 2,
                                               .has_payload = true,
                                               .payload = 0x123000};
    activity->injected = (struct vmr_x86_event){.kind = VMR_X86_EVENT_INTERRUPT, .vector = 0x31};
}

static void other_words(void *value, size_t size)
{
    uint64_t words[8];

    assert_true(size <= sizeof(words));
    for (size_t i = 0; i < size / 8; i++)
        words[i] = 0x123000 + 0x1010 * i;
    memcpy(value, words, size);
}

/* `value` holds power-up, and then something else. False: KVM lets nobody choose another value. */
static bool make_other(unsigned vp_class, void *value)
{
    struct vmr_x86_word_state *word = value;

    switch ((enum vmr_vp_class)vp_class) {
    case VMR_VP_REGISTERS:
        other_registers(value);
        return true;
    case VMR_VP_XSAVE:
        other_xsave(value);
        return true;
    case VMR_VP_XCR0:
        word->value = 3;
        return true;
    case VMR_VP_MTRRS:
        other_mtrrs(value);
        return true;
    case VMR_VP_PAT:
        word->value = 0x0001050607040605;
        return true;
    case VMR_VP_SYSCALL:
        other_words(value, sizeof(struct vmr_x86_syscall_state));
        return true;
    case VMR_VP_MISC_ENABLE:
        word->value ^= 4;
        return true;
    case VMR_VP_MCG:
        ((struct vmr_x86_mcg_state *)value)->status = 5;
        return true;
    case VMR_VP_TSC_AUX:
    case VMR_VP_TSC_ADJUST:
        word->value = 0x77;
        return true;
    case VMR_VP_DEBUG_REGISTERS:
        *(struct vmr_x86_debug_register_state *)value = (struct vmr_x86_debug_register_state){
            .address = {0x1000, 0x2000, 0x3000, 0x4000}, .dr6 = 0xffff4ff1, .dr7 = 0x123407aa & ~0xf000u};
        return true;
    case VMR_VP_APIC:
        other_apic(value);
        return true;
    case VMR_VP_ACTIVITY:
        other_activity(value);
        return true;
    case VMR_VP_TSC:
        word->value = UINT64_C(1) << 60;
        return true;
    case VMR_VP_XSS:
    case VMR_VP_FEATURE_CONTROL:
    case VMR_VP_SPEC_CTRL:
    case VMR_VP_CET:
    case VMR_VP_CET_SS:
    case VMR_VP_TSC_DEADLINE:
    case VMR_VP_DEBUG_STATE:
    case VMR_VP_VTLS: /* this and those behind: the Hyper-V interface's */
    case VMR_VP_ASSIST:
    case VMR_VP_CRASH:
    case VMR_VP_SYNIC:
    case VMR_VP_SIMP:
    case VMR_VP_SIEFP:
    case VMR_VP_MESSAGE_QUEUE:
    case VMR_VP_STIMERS:
    case VMR_VP_CLASS_COUNT:
        break;
    }
    return false;
}

static void drive_everything(struct rig *rig)
{
    static uint8_t value[RIG_VALUE_MAX];

    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        if (!rig_has(rig, i))
            continue;
        vmr_x86_at_reset((enum vmr_vp_class)i, &rig->info, value);
        if (make_other(i, value))
            rig_set(rig, i, value);
    }
}

static void other_values_come_back(void **state)
{
    static uint8_t value[RIG_VALUE_MAX], read[RIG_VALUE_MAX];

    (void)state;
    for (unsigned chip = 0; chip < VMR_IRQCHIP_COUNT; chip++) {
        struct rig rig;
        unsigned differences = 0;

        print_message("irqchip %s\n", rig_chip_names[chip]);
        rig_start(&rig, (enum vmr_irqchip)chip);
        drive_everything(&rig);
        for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
            const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)i);

            if (!rig_has(&rig, i))
                continue;
            vmr_x86_at_reset((enum vmr_vp_class)i, &rig.info, value);
            if (!make_other(i, value))
                continue;
            rig_get(&rig, i, read);
            differences += rig_report(type, read, value, false);
        }
        assert_int_equal(differences, 0);
        fixture_finish(&rig.fixture);
    }
}

/* MXCSR without any register in use, and the other way round. */
static void mxcsr_stands_for_itself(void **state)
{
    struct vmr_x86_xsave_state xsave, read;
    struct rig rig;

    (void)state;
    rig_start(&rig, VMR_IRQCHIP_USER);
    vmr_x86_at_reset(VMR_VP_XSAVE, &rig.info, &xsave);
    store_le32(xsave.bytes + 24, 0x1fa0);
    rig_set(&rig, VMR_VP_XSAVE, &xsave);
    rig_get(&rig, VMR_VP_XSAVE, &read);
    assert_int_equal(rig_report(vmr_vp_class_type(VMR_VP_XSAVE), &read, &xsave, true), 0);
    /* In use, but as at power-up: what is not in use. */
    xsave.bytes[512] = 3;
    store_le16(xsave.bytes, 0x37f);
    rig_set(&rig, VMR_VP_XSAVE, &xsave);
    rig_get(&rig, VMR_VP_XSAVE, &read);
    assert_int_equal(read.bytes[512], 0);
    assert_int_equal(load_le16(read.bytes), 0);
    fixture_finish(&rig.fixture);
}

/* --- a partition's classes --- */

/* Long because it is a table. */
static void other_vm_values_come_back(void **state)
{
    struct vmr_x86_pic_state pics, pics_read = {0};
    struct vmr_x86_ioapic_state ioapic, ioapic_read = {0};
    struct vmr_vm_clock_state clock = {.ns = 5000000000000}, clock_read = {0};
    struct rig rig;

    (void)state;
    rig_start(&rig, VMR_IRQCHIP_KERNEL);
    struct vmr_backend_vm *vm = rig.fixture.machine.vm;

    for (unsigned i = 0; i < VMR_X86_PIC_COUNT; i++)
        pics.chip[i] = (struct vmr_x86_pic){.lines = 0x12,
                                            .request = 0x45, /* 2 is the cascade, from the slave */
                                            .mask = 0xb8,
                                            .in_service = 2,
                                            .lowest = 3,
                                            .base = (uint8_t)(0x20 + 8 * i),
                                            .init = 1,
                                            .trigger = 0x40,
                                            .read_in_service = true,
                                            .poll = true,
                                            .special_mask = true,
                                            .auto_eoi = true,
                                            .rotate_on_auto_eoi = true,
                                            .fully_nested = true,
                                            .expects_icw4 = true};
    ioapic = (struct vmr_x86_ioapic_state){.base = 0xfec10000, .select = 0x12, .id = 5, .lines = 0x18};
    for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++)
        ioapic.redirection[i] = UINT64_C(0x0300000000018031) + i;
    assert_int_equal(rig_ops()->vm_set_state(vm, VMR_VM_PIC, &pics, NULL), VMR_OK);
    assert_int_equal(rig_ops()->vm_set_state(vm, VMR_VM_IOAPIC, &ioapic, NULL), VMR_OK);
    assert_int_equal(rig_ops()->vm_set_state(vm, VMR_VM_CLOCK, &clock, NULL), VMR_OK);
    assert_int_equal(rig_ops()->vm_get_state(vm, VMR_VM_PIC, &pics_read, NULL), VMR_OK);
    assert_int_equal(rig_ops()->vm_get_state(vm, VMR_VM_IOAPIC, &ioapic_read, NULL), VMR_OK);
    assert_int_equal(rig_ops()->vm_get_state(vm, VMR_VM_CLOCK, &clock_read, NULL), VMR_OK);
    assert_int_equal(rig_report(vmr_vm_class_type(VMR_VM_PIC), &pics_read, &pics, true), 0);
    assert_int_equal(rig_report(vmr_vm_class_type(VMR_VM_IOAPIC), &ioapic_read, &ioapic, true), 0);
    assert_true(clock_read.ns >= clock.ns && clock_read.ns - clock.ns < UINT64_C(60000000000));
    fixture_finish(&rig.fixture);
}

static void reset_undoes_every_class(void **state)
{
    (void)state;
    for (unsigned chip = 0; chip < VMR_IRQCHIP_COUNT; chip++) {
        struct rig rig;

        print_message("irqchip %s\n", rig_chip_names[chip]);
        rig_start(&rig, (enum vmr_irqchip)chip);
        drive_everything(&rig);
        assert_true(rig_differences(&rig) > 300);
        rig_reset(&rig);
        assert_int_equal(rig_differences(&rig), 0);
        fixture_finish(&rig.fixture);
    }
}

#define MSR_TSC_ADJUST 0x3bu
/* Of no class. */
#define MSR_BANK_5_ADDRESS 0x416u

static uint64_t msr(struct rig *rig, uint32_t index)
{
    uint64_t number = 1;

    assert_int_equal(rig->fixture.backend->vp_get_msr(rig->fixture.machine.vp, index, &number), VMR_OK);
    return number;
}

/*
 * A guest writes what a guest can reach, and ends at a read of a device that nobody
 * answers, with an interrupt, an NMI and a window asked for.
 */
static void reset_undoes_what_a_guest_did(void **state)
{
    (void)state;
    for (unsigned chip = 0; chip < VMR_IRQCHIP_COUNT; chip++) {
        struct rig rig;

        print_message("irqchip %s\n", rig_chip_names[chip]);
        rig_start(&rig, (enum vmr_irqchip)chip);
        LOAD(&rig.fixture, 0x66, 0xb9, 0x77, 0x02, 0, 0,     /* mov ecx,0x277 */
             0x66, 0xb8, 0x06, 0, 0, 0, 0x66, 0x31, 0xd2,    /* mov eax,6; xor edx,edx */
             0x0f, 0x30,                                     /* wrmsr: the PAT */
             0x66, 0xb9, 0x76, 0x01, 0, 0, 0x0f, 0x30,       /* mov ecx,0x176; wrmsr: SYSENTER_EIP */
             0x66, 0xb9, 0x00, 0x02, 0, 0, 0x0f, 0x30,       /* mov ecx,0x200; wrmsr: an MTRR */
             0x0f, 0x21, 0xdb, 0x66, 0x43, 0x0f, 0x23, 0xc3, /* mov ebx,dr3; inc ebx; mov dr0,ebx */
             0x0f, 0x20, 0xe0, 0x66, 0x0d, 0x00, 0x06, 0, 0, /* mov eax,cr4; or eax,0x600 */
             0x0f, 0x22, 0xe0, 0x0f, 0x06,                   /* mov cr4,eax; clts */
             0x0f, 0x10, 0x06, 0x00, 0x10,                   /* movups xmm0,[0x1000] */
             0xb0, 0xfe, 0xe6, 0x21, 0xfb,                   /* mov al,0xfe; out 0x21,al; sti */
             0xb8, 0x00, 0xf0, 0x8e, 0xd8,                   /* mov ax,0xf000; mov ds,ax */
             0xa0, 0x00, 0x00, 0xeb, 0xfb);                  /* mov al,[0]; jmp to it: there is no RAM */
        unsigned steps = 0;

        while (machine_step(&rig.fixture.machine)->kind != VMR_EXIT_MMIO)
            assert_true(rig.fixture.machine.exit.kind == VMR_EXIT_IO && steps++ < 10);
        rig.fixture.machine.exit.u.mmio.value = 0x77; /* too late an answer */
        if (chip != VMR_IRQCHIP_KERNEL)
            rig.fixture.backend->vp_request_window(rig.fixture.machine.vp, true);
        assert_int_equal(rig.fixture.backend->vp_nmi(rig.fixture.machine.vp), VMR_OK);
        assert_int_equal(rig.fixture.backend->vp_set_msr(rig.fixture.machine.vp, MSR_TSC_ADJUST, 0x1234), VMR_OK);
        assert_int_equal(rig.fixture.backend->vp_set_msr(rig.fixture.machine.vp, MSR_BANK_5_ADDRESS, 0x5678), VMR_OK);
        rig_reset(&rig);
        assert_int_equal(rig_differences(&rig), 0);
        assert_int_equal(msr(&rig, MSR_TSC_ADJUST), 0);
        assert_int_equal(msr(&rig, MSR_BANK_5_ADDRESS), 0);
        /* The read does not come back: the VP begins, with registers that nothing finishes. */
        LOAD(&rig.fixture, 0xe6, 0x10, 0xf4); /* out 0x10,al */
        assert_int_equal(machine_step(&rig.fixture.machine)->kind, VMR_EXIT_IO);
        assert_int_equal(rig.fixture.machine.exit.u.io.port, 0x10);
        assert_int_equal(rig.fixture.machine.exit.u.io.value, 0);
        fixture_finish(&rig.fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_vp_is_at_power_up),  cmocka_unit_test(other_values_come_back),
        cmocka_unit_test(mxcsr_stands_for_itself),  cmocka_unit_test(other_vm_values_come_back),
        cmocka_unit_test(reset_undoes_every_class), cmocka_unit_test(reset_undoes_what_a_guest_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
