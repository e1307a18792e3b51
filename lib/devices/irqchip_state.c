/* SPDX-License-Identifier: MIT */
/*
 * The state of the built-in controllers but for the local APICs: lines, PIC,
 * IO-APIC; and their reset. What a line of a model is follows from the levels
 * that devices hold, so it is kept once: setting anything here makes no edge.
 */

#include <assert.h>
#include <string.h>

#include "lib/devices/irqchip_set.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

static_assert(VMR_IOAPIC_PINS == IOAPIC_PIN_COUNT, "a pin has an entry");

#define CHIP_LINES ((1u << PIC_LINE_COUNT) - 1)
#define CHIP_PINS ((1u << IOAPIC_PIN_COUNT) - 1)
#define CASCADE (1u << PIC_CASCADE_LINE)

void irqchip_hold_lines(struct vmr_irqchip_set *chip)
{
    uint32_t levels = chip->gsi_levels;
    uint32_t pins = levels & ~(1u | CASCADE);

    if (chip->has_pic)
        pic_hold_lines(&chip->pic, levels);
    if (!chip->has_ioapic)
        return;
    /* Pin 2 hears lines 0 and 2, pin 0 the PIC. */
    if (levels & (1u | CASCADE))
        pins |= CASCADE;
    if (pic_output(&chip->pic))
        pins |= 1u << IOAPIC_PIC_PIN;
    chip->ioapic.lines = pins;
}

/* Ends a change of what all VPs share: each looks again. */
static void end_for_all(struct irqchip_batch *batch)
{
    irqchip_hold_lines(batch->chip);
    for (vmr_vp_index vp = 0; vp < batch->chip->vp_count; vp++)
        irqchip_wake_later(batch, vp);
    irqchip_end(batch);
}

void irqchip_reset(void *context)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    irqchip_begin(&batch, chip, true);
    irqchip_init_models(chip);
    end_for_all(&batch);
}

/* --- lines --- */

static const struct vmr_state_field lines_fields[] = {
    VMR_STATE_FIELD(struct vmr_irqchip_lines_state, levels, "levels", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_irqchip_lines_state, arbitration, "arbitration", VMR_FIELD_DECIMAL),
};

const struct vmr_state_type irqchip_lines_state_type = {
    .name = "interrupt-lines",
    .version = 1,
    .size = sizeof(struct vmr_irqchip_lines_state),
    .field_count = STATE_FIELDS(lines_fields),
    .fields = lines_fields,
};

static enum vmr_status lines_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;
    struct vmr_irqchip_lines_state *state = ret_value;

    (void)err;
    sync_mutex_lock(&chip->lock);
    *state = (struct vmr_irqchip_lines_state){.levels = chip->gsi_levels, .arbitration = chip->arbitration};
    sync_mutex_unlock(&chip->lock);
    return VMR_OK;
}

static enum vmr_status lines_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;
    const struct vmr_irqchip_lines_state *state = value;
    uint32_t lines = chip->has_pic ? CHIP_LINES & ~CASCADE : 0;
    const struct state_check checks[] = {
        STATE_BITS("levels", state->levels, chip->has_ioapic ? CHIP_PINS : lines),
        STATE_RULE("arbitration", state->arbitration, state->arbitration < chip->vp_count),
    };
    enum vmr_status status = state_check(&irqchip_lines_state_type, checks, STATE_CHECKS(checks), err);
    struct irqchip_batch batch;

    if (status != VMR_OK)
        return status;
    irqchip_begin(&batch, chip, false);
    chip->gsi_levels = state->levels;
    chip->arbitration = state->arbitration;
    end_for_all(&batch);
    return VMR_OK;
}

static void lines_at_reset(const void *object, void *ret_value)
{
    (void)object;
    *(struct vmr_irqchip_lines_state *)ret_value = (struct vmr_irqchip_lines_state){0};
}

/* --- PIC --- */

#define CHIP(member, name, kind) VMR_STATE_EACH(struct vmr_pic_state, chips, member, "chip." name, kind)
static const struct vmr_state_field pic_fields[] = {
    CHIP(latched, "latched", VMR_FIELD_HEX),
    CHIP(mask, "mask", VMR_FIELD_HEX),
    CHIP(in_service, "in-service", VMR_FIELD_HEX),
    CHIP(level_triggered, "level-triggered", VMR_FIELD_HEX),
    CHIP(vector_base, "vector-base", VMR_FIELD_HEX),
    CHIP(cascade_lines, "cascade-lines", VMR_FIELD_HEX),
    CHIP(first, "first", VMR_FIELD_DECIMAL),
    CHIP(init_state, "init-state", VMR_FIELD_DECIMAL),
    CHIP(programmed, "programmed", VMR_FIELD_FLAG),
    CHIP(level_all, "level-all", VMR_FIELD_FLAG),
    CHIP(single, "single", VMR_FIELD_FLAG),
    CHIP(wants_icw4, "wants-icw4", VMR_FIELD_FLAG),
    CHIP(auto_eoi, "auto-eoi", VMR_FIELD_FLAG),
    CHIP(rotate_on_auto_eoi, "rotate-on-auto-eoi", VMR_FIELD_FLAG),
    CHIP(special_mask, "special-mask", VMR_FIELD_FLAG),
    CHIP(special_nested, "special-nested", VMR_FIELD_FLAG),
    CHIP(read_in_service, "read-in-service", VMR_FIELD_FLAG),
    CHIP(poll, "poll", VMR_FIELD_FLAG),
};

const struct vmr_state_type pic_state_type = {
    .name = "pic",
    .version = 1,
    .size = sizeof(struct vmr_pic_state),
    .field_count = STATE_FIELDS(pic_fields),
    .fields = pic_fields,
};

static void get_pic_chip(const struct pic_chip *chip, struct vmr_pic_chip_state *ret_state)
{
    *ret_state = (struct vmr_pic_chip_state){
        .latched = chip->latched,
        .mask = chip->imr,
        .in_service = chip->isr,
        .level_triggered = chip->elcr,
        .vector_base = chip->vector_base,
        .cascade_lines = chip->cascade_lines,
        .first = chip->first,
        .init_state = (uint8_t)chip->init_state,
        .programmed = chip->programmed,
        .level_all = chip->level_all,
        .single = chip->single,
        .wants_icw4 = chip->wants_icw4,
        .auto_eoi = chip->auto_eoi,
        .rotate_on_auto_eoi = chip->rotate_on_auto_eoi,
        .special_mask = chip->special_mask,
        .special_nested = chip->special_nested,
        .read_in_service = chip->read_isr,
        .poll = chip->poll,
    };
}

static void set_pic_chip(struct pic_chip *chip, const struct vmr_pic_chip_state *state)
{
    *chip = (struct pic_chip){
        .latched = state->latched,
        .imr = state->mask,
        .isr = state->in_service,
        .elcr = state->level_triggered,
        .elcr_mask = chip->elcr_mask,
        .vector_base = state->vector_base,
        .cascade_lines = state->cascade_lines,
        .first = state->first,
        .init_state = (enum pic_init_state)state->init_state,
        .programmed = state->programmed,
        .level_all = state->level_all,
        .single = state->single,
        .wants_icw4 = state->wants_icw4,
        .auto_eoi = state->auto_eoi,
        .rotate_on_auto_eoi = state->rotate_on_auto_eoi,
        .special_mask = state->special_mask,
        .special_nested = state->special_nested,
        .read_isr = state->read_in_service,
        .poll = state->poll,
    };
}

static enum vmr_status pic_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;
    struct vmr_pic_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&chip->lock);
    get_pic_chip(&chip->pic.master, &state->chips[0]);
    get_pic_chip(&chip->pic.slave, &state->chips[1]);
    sync_mutex_unlock(&chip->lock);
    return VMR_OK;
}

static enum vmr_status check_pic_chip(const struct pic_chip *chip, const struct vmr_pic_chip_state *state,
                                      struct vmr_error *err)
{
    uint8_t level = state->level_all ? 0xff : state->level_triggered;
    const struct state_check checks[] = {
        STATE_RULE("chip.latched", state->latched, (state->latched & level) == 0),
        STATE_BITS("chip.level-triggered", state->level_triggered, chip->elcr_mask),
        STATE_BITS("chip.vector-base", state->vector_base, 0xf8u),
        STATE_BITS("chip.first", state->first, 7u),
        STATE_RULE("chip.init-state", state->init_state, state->init_state <= PIC_WANTS_ICW4),
    };

    return state_check(&pic_state_type, checks, STATE_CHECKS(checks), err);
}

static enum vmr_status pic_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;
    const struct vmr_pic_state *state = value;
    enum vmr_status status = check_pic_chip(&chip->pic.master, &state->chips[0], err);
    struct irqchip_batch batch;

    if (status == VMR_OK)
        status = check_pic_chip(&chip->pic.slave, &state->chips[1], err);
    if (status != VMR_OK)
        return status;
    irqchip_begin(&batch, chip, false);
    set_pic_chip(&chip->pic.master, &state->chips[0]);
    set_pic_chip(&chip->pic.slave, &state->chips[1]);
    end_for_all(&batch);
    return VMR_OK;
}

static void pic_at_reset(const void *object, void *ret_value)
{
    struct vmr_pic_state *state = ret_value;
    struct pic pic;

    (void)object;
    pic_init(&pic);
    memset(state, 0, sizeof(*state));
    get_pic_chip(&pic.master, &state->chips[0]);
    get_pic_chip(&pic.slave, &state->chips[1]);
}

/* --- IO-APIC --- */

static const struct vmr_state_field ioapic_fields[] = {
    VMR_STATE_FIELD(struct vmr_ioapic_state, select, "select", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_ioapic_state, id, "id", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_ioapic_state, entries, "entries", VMR_FIELD_HEX),
};

const struct vmr_state_type ioapic_state_type = {
    .name = "ioapic",
    .version = 1,
    .size = sizeof(struct vmr_ioapic_state),
    .field_count = STATE_FIELDS(ioapic_fields),
    .fields = ioapic_fields,
};

static void fill_ioapic(const struct ioapic *ioapic, struct vmr_ioapic_state *ret_state)
{
    *ret_state = (struct vmr_ioapic_state){.select = ioapic->select, .id = ioapic->id};
    memcpy(ret_state->entries, ioapic->entries, sizeof(ret_state->entries));
}

static enum vmr_status ioapic_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;

    (void)err;
    sync_mutex_lock(&chip->lock);
    fill_ioapic(&chip->ioapic, ret_value);
    sync_mutex_unlock(&chip->lock);
    return VMR_OK;
}

static enum vmr_status check_ioapic(const struct vmr_ioapic_state *state, struct vmr_error *err)
{
    const struct state_check checks[] = {
        STATE_RULE("select", state->select, ioapic_can_hold_select(state->select)),
        STATE_RULE("id", state->id, ioapic_can_hold_id(state->id)),
    };
    enum vmr_status status = state_check(&ioapic_state_type, checks, STATE_CHECKS(checks), err);

    for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT && status == VMR_OK; pin++) {
        const struct state_check entry =
            STATE_RULE("entries", state->entries[pin], ioapic_can_hold(state->entries[pin]));

        status = state_check(&ioapic_state_type, &entry, 1, err);
    }
    return status;
}

static enum vmr_status ioapic_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_irqchip_set *chip = object;
    const struct vmr_ioapic_state *state = value;
    enum vmr_status status = check_ioapic(state, err);
    struct irqchip_batch batch;

    if (status != VMR_OK)
        return status;
    irqchip_begin(&batch, chip, true);
    chip->ioapic.select = state->select;
    chip->ioapic.id = state->id;
    memcpy(chip->ioapic.entries, state->entries, sizeof(chip->ioapic.entries));
    irqchip_end(&batch);
    return VMR_OK;
}

static void ioapic_at_reset(const void *object, void *ret_value)
{
    struct ioapic ioapic;

    (void)object;
    ioapic_init(&ioapic);
    fill_ioapic(&ioapic, ret_value);
}

/* --- all of them --- */

size_t vmr_irqchip_state_units(struct vmr_irqchip_set *chip, struct vmr_state_unit *ret_units, size_t capacity)
{
    const struct vmr_state_unit shared[] = {
        {.type = &irqchip_lines_state_type,
         .object = chip,
         .get = lines_get,
         .set = lines_set,
         .at_reset = lines_at_reset},
        {.type = &pic_state_type, .object = chip, .get = pic_get, .set = pic_set, .at_reset = pic_at_reset},
        {.type = &ioapic_state_type, .object = chip, .get = ioapic_get, .set = ioapic_set, .at_reset = ioapic_at_reset},
    };
    const bool is_there[] = {true, chip->has_pic, chip->has_ioapic};
    size_t count = 0;

    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (is_there[i] && count < capacity)
            ret_units[count] = shared[i];
        count += is_there[i];
    }
    for (vmr_vp_index vp = 0; vp < chip->vp_count && !chip->split; vp++) {
        if (count < capacity)
            irqchip_lapic_unit(&chip->vps[vp], &ret_units[count]);
        count++;
    }
    return count;
}
