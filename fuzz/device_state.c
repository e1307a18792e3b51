/* SPDX-License-Identifier: MIT */
/*
 * States from nowhere into the devices of a PC and its interrupt controllers:
 * what is taken is taken whole and survives anything a guest, a line or time does
 * next; what is refused changes nothing. What was got can always be set again.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "fuzz/support/lone_host.h"
#include "vmrig/device_state.h"

#define VPS 2u
#define UNITS_MAX 16u
#define OPS_MAX 128u
#define STATE_BYTES 8192u
/* A deadline that has come is not asked for again, but for one tick of whoever rounds down. */
#define POLLS_MAX 4u

union state {
    uint64_t align;
    uint8_t bytes[STATE_BYTES];
};

struct rig {
    struct lone_host lone;
    struct input input;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    struct vmr_platform *platform;
    struct vmr_state_unit units[UNITS_MAX];
    size_t unit_count;
};

static void on_line(void *context, uint32_t gsi, bool level)
{
    struct rig *rig = context;

    FUZZ_CHECK(vmr_irqchip_builtin_ops()->irq(rig->chip, gsi, level));
}

static void on_wake(void *context, vmr_vp_index vp)
{
    (void)context;
    FUZZ_CHECK(vp < VPS);
}

static void rig_init(struct rig *rig)
{
    const struct vmr_irqchip_options chip = {
        .host = &rig->lone.host, .vp_count = VPS, .x2apic = (input_u8(&rig->input) & 1) != 0};
    const struct vmr_platform_options platform = {
        .host = &rig->lone.host, .vp_count = VPS, .irq = {.set = on_line, .context = rig}};

    FUZZ_CHECK(vmr_bus_create(&rig->lone.host, VMR_BUS_PORTS, &rig->ports, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_bus_create(&rig->lone.host, VMR_BUS_MMIO, &rig->mmio, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_irqchip_create(&chip, rig->ports, rig->mmio, &rig->chip, NULL) == VMR_OK);
    vmr_irqchip_builtin_ops()->set_wake(rig->chip, on_wake, rig);
    FUZZ_CHECK(vmr_platform_create(&platform, rig->ports, &rig->platform, NULL) == VMR_OK);
    rig->unit_count = vmr_irqchip_state_units(rig->chip, rig->units, UNITS_MAX);
    rig->unit_count +=
        vmr_platform_state_units(rig->platform, &rig->units[rig->unit_count], UNITS_MAX - rig->unit_count);
    FUZZ_CHECK(rig->unit_count <= UNITS_MAX);
}

static void rig_finish(struct rig *rig)
{
    vmr_platform_destroy(rig->platform);
    vmr_irqchip_destroy(rig->chip);
    vmr_bus_destroy(rig->mmio);
    vmr_bus_destroy(rig->ports);
}

/* --- states --- */

static void get(const struct vmr_state_unit *unit, union state *ret_state)
{
    FUZZ_CHECK(unit->type->size <= sizeof(*ret_state));
    FUZZ_CHECK(unit->get(unit->object, ret_state, NULL) == VMR_OK);
}

static void set_and_compare(const struct vmr_state_unit *unit, const union state *state)
{
    union state now;

    FUZZ_CHECK(unit->set(unit->object, state, NULL) == VMR_OK);
    get(unit, &now);
    FUZZ_CHECK(vmr_state_equal(unit->type, state, &now, true, NULL));
}

static void set_hostile(const struct vmr_state_unit *unit, const union state *hostile)
{
    struct vmr_error err = {0};
    union state before, now;

    get(unit, &before);
    enum vmr_status status = unit->set(unit->object, hostile, &err);

    FUZZ_CHECK(status == VMR_OK || (status == VMR_E_CONFIG && strstr(err.message, unit->type->name)));
    get(unit, &now);
    if (status != VMR_OK)
        FUZZ_CHECK(vmr_state_equal(unit->type, &before, &now, true, NULL));
    else
        set_and_compare(unit, &now);
}

/* Bytes as a file has them. */
static void set_bytes(struct rig *rig, const struct vmr_state_unit *unit)
{
    uint8_t bytes[STATE_BYTES] = {0};
    size_t max = vmr_state_encoded_max(unit->type);
    size_t length = input_number(&rig->input) % (max + 1);
    union state state;

    input_bytes(&rig->input, bytes, length < 64 ? length : 64);
    if (vmr_state_decode(unit->type, unit->type->version, bytes, length, &state, NULL) == VMR_OK)
        set_hostile(unit, &state);
}

/* What it holds, but for a few elements: most of what comes this way is taken. */
static void set_changed(struct rig *rig, const struct vmr_state_unit *unit)
{
    unsigned changes = 1 + (input_u8(&rig->input) & 7u);
    union state state;

    get(unit, &state);
    for (unsigned i = 0; i < changes; i++) {
        const struct vmr_state_field *field = &unit->type->fields[input_u8(&rig->input) % unit->type->field_count];

        (void)vmr_state_put(field, &state, input_u8(&rig->input) % field->count, input_number(&rig->input));
    }
    set_hostile(unit, &state);
}

/* --- what comes after --- */

static void access_port(struct rig *rig)
{
    static const uint16_t ports[] = {0x20,  0x21,  0xa0,  0xa1,  0x4d0, 0x4d1, 0x40,  0x41,  0x42,  0x43,  0x60,
                                     0x61,  0x64,  0x70,  0x71,  0x92,  0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd,
                                     0x3fe, 0x3ff, 0x402, 0x510, 0x511, 0xcf8, 0xcf9, 0xcfc, 0xf4,  0x501};
    uint8_t form = input_u8(&rig->input);
    const struct vmr_access access = {.address = ports[form & 31u],
                                      .size = (uint8_t)(1u << (form >> 5 & 3u) % 3u),
                                      .vp = input_u8(&rig->input) % VPS};

    if (form & 0x80)
        vmr_bus_write(rig->ports, &access, input_u32(&rig->input) >> (32 - 8 * access.size));
    else
        FUZZ_CHECK(vmr_bus_read(rig->ports, &access) >> 1 >> (8 * access.size - 1) == 0);
}

static void access_page(struct rig *rig)
{
    uint8_t form = input_u8(&rig->input);
    const struct vmr_access access = {.address = form & 0x40 ? VMR_IOAPIC_GPA + (form & 1u) * 0x10u
                                                             : VMR_LAPIC_GPA + (form & 0x3fu) * 0x10u,
                                      .size = 4,
                                      .vp = input_u8(&rig->input) % VPS};

    if (form & 0x80)
        vmr_bus_write(rig->mmio, &access, input_u32(&rig->input));
    else
        FUZZ_CHECK(vmr_bus_read(rig->mmio, &access) <= UINT32_MAX);
}

static void access_msr(struct rig *rig)
{
    const struct vmr_irqchip_ops *ops = vmr_irqchip_builtin_ops();
    uint8_t form = input_u8(&rig->input);
    uint32_t index = form & 0x40 ? 0x1b : 0x800u + (form & 0x3fu);
    uint64_t value = input_number(&rig->input);

    if (form & 0x80)
        (void)ops->msr_write(rig->chip, form & 1u, index, value);
    else
        (void)ops->msr_read(rig->chip, form & 1u, index, &value);
}

/* A VP's turn. A deadline is no past one for long, or it would wake for ever. */
static void take_turn(struct rig *rig)
{
    const struct vmr_irqchip_ops *ops = vmr_irqchip_builtin_ops();
    vmr_vp_index vp = input_u8(&rig->input) % VPS;
    uint64_t deadline_ns = 0;
    struct vmr_irq_pending pending;
    uint8_t vector;

    for (unsigned i = 0; i < POLLS_MAX && deadline_ns <= rig->lone.now_ns; i++) {
        deadline_ns = vmr_platform_poll(rig->platform, rig->lone.now_ns);
        ops->poll(rig->chip, vp, rig->lone.now_ns, ops->get_tpr(rig->chip, vp), &pending);
        deadline_ns = pending.deadline_ns < deadline_ns ? pending.deadline_ns : deadline_ns;
    }
    FUZZ_CHECK(deadline_ns > rig->lone.now_ns);
    FUZZ_CHECK(ops->acknowledge(rig->chip, vp, &vector) == pending.interrupt);
}

static void interfere(struct rig *rig)
{
    const struct vmr_irqchip_ops *ops = vmr_irqchip_builtin_ops();
    uint8_t form = input_u8(&rig->input), what = input_u8(&rig->input);
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA | (uint32_t)(form & 0xf) << 12, .data = what};

    switch (form >> 4 & 3u) {
    case 0:
        (void)ops->irq(rig->chip, what >> 1, (what & 1u) != 0);
        break;
    case 1:
        (void)ops->msi(rig->chip, &msi);
        break;
    case 2:
        FUZZ_CHECK(vmr_serial_receive(vmr_platform_serial(rig->platform), &what, 1) <= 1);
        break;
    default:
        /* At most 2^62 in an input: a host's clock does not wrap. */
        rig->lone.now_ns += input_number(&rig->input) >> 9;
        break;
    }
}

static void reset(struct rig *rig)
{
    vmr_irqchip_builtin_ops()->reset(rig->chip);
    vmr_platform_reset(rig->platform);
    for (size_t i = 0; i < rig->unit_count; i++) {
        union state state;

        rig->units[i].at_reset(rig->units[i].object, &state);
        /* Lines that nobody of the platform holds stay. */
        if (strcmp(rig->units[i].type->name, "interrupt-lines") != 0) {
            union state now;

            get(&rig->units[i], &now);
            FUZZ_CHECK(vmr_state_equal(rig->units[i].type, &state, &now, true, NULL));
        }
    }
}

static void step(struct rig *rig)
{
    uint8_t form = (uint8_t)input_choose(&rig->input, 32);
    const struct vmr_state_unit *unit = &rig->units[input_u8(&rig->input) % rig->unit_count];
    union state state;

    if (form < 8) {
        set_changed(rig, unit);
    } else if (form < 10) {
        set_bytes(rig, unit);
    } else if (form < 12) {
        get(unit, &state);
        set_and_compare(unit, &state);
    } else if (form < 18) {
        access_port(rig);
    } else if (form < 22) {
        access_page(rig);
    } else if (form < 24) {
        access_msr(rig);
    } else if (form < 27) {
        take_turn(rig);
    } else if (form < 31) {
        interfere(rig);
    } else {
        reset(rig);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {.input = input_of(data, size)};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    lone_host_init(&rig.lone);
    rig_init(&rig);
    for (unsigned i = 0; i < OPS_MAX && !input_is_empty(&rig.input); i++)
        step(&rig);
    rig_finish(&rig);
    return 0;
}
