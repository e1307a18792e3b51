/* SPDX-License-Identifier: MIT */
/*
 * The CMOS of a PC: an index port, a data port, a clock in the first registers
 * and, in the rest, what firmware wants to know about the machine (Ralf Brown,
 * "CMOS Memory Map"; 0x5b to 0x5f as emulated PCs have them).
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/plant.h"
#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/rtc_clock.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define PORT_INDEX 0x70u
#define PORT_COUNT 2u
#define CMOS_GSI 8u

#define CMOS_EQUIPMENT 0x14u
#define CMOS_BASE_MEMORY 0x15u
#define CMOS_EXTENDED_MEMORY 0x17u
#define CMOS_CHECKSUM 0x2eu
#define CMOS_EXTENDED_MEMORY_COPY 0x30u
#define CMOS_MEMORY_ABOVE_16M 0x34u
#define CMOS_MEMORY_ABOVE_4G 0x5bu
#define CMOS_VP_COUNT 0x5fu

#define EQUIPMENT_FPU 0x02u
#define BASE_MEMORY_KIB 640u
#define KIB 1024u
#define MIB 1048576u
#define BLOCK_64K 65536u

/* The last second of year 9999: century and year are two digits each. */
#define EPOCH_MAX UINT64_C(253402300799)

struct vmr_cmos {
    const struct vmr_host *host;
    struct sync_mutex lock;
    struct irq_line line;
    struct vmr_timer_sink timer;
    struct vmr_bus *ports;
    uint8_t index;
    struct rtc_clock clock;
    struct rtc_clock initial; /* `clock` at power-up */
    _Atomic uint64_t deadline_ns;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void describe_memory(uint8_t *bytes, uint64_t below_4g, uint64_t above_4g)
{
    uint64_t extended = below_4g > MIB ? (below_4g - MIB) / KIB : 0;
    uint64_t above_16m = below_4g > 16 * MIB ? (below_4g - 16 * MIB) / BLOCK_64K : 0;

    store_le16(&bytes[CMOS_BASE_MEMORY], BASE_MEMORY_KIB);
    store_le16(&bytes[CMOS_EXTENDED_MEMORY], (uint16_t)least(extended, UINT16_MAX));
    store_le16(&bytes[CMOS_EXTENDED_MEMORY_COPY], (uint16_t)least(extended, UINT16_MAX));
    store_le16(&bytes[CMOS_MEMORY_ABOVE_16M], (uint16_t)least(above_16m, UINT16_MAX));
    store_le(&bytes[CMOS_MEMORY_ABOVE_4G], 3, least(above_4g / BLOCK_64K, 0xffffff));
    if (PLANT(CMOS_BYTE))
        bytes[CMOS_MEMORY_ABOVE_16M + 1] ^= 1;
}

static void describe_machine(uint8_t *bytes, uint32_t vp_count)
{
    uint16_t sum = 0;

    bytes[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
    /* One byte: firmware that reads it starts no more. */
    bytes[CMOS_VP_COUNT] = (uint8_t)least(vp_count - 1, UINT8_MAX);
    for (unsigned i = 0x10; i < CMOS_CHECKSUM; i++)
        sum = (uint16_t)(sum + bytes[i]);
    bytes[CMOS_CHECKSUM] = (uint8_t)(sum >> 8); /* the one big-endian word of a PC */
    bytes[CMOS_CHECKSUM + 1] = (uint8_t)sum;
}

/* Ends an access or a poll: called with the lock held, returns without it. Says whether the deadline came nearer. */
static bool update_unlock(struct vmr_cmos *cmos)
{
    uint64_t before_ns = sync_load_u64(cmos->host, &cmos->deadline_ns);

    irq_line_set(&cmos->line, rtc_clock_irq(&cmos->clock));
    uint64_t deadline_ns = rtc_clock_deadline(&cmos->clock);

    sync_store_u64(cmos->host, &cmos->deadline_ns, deadline_ns);
    irq_line_flush_unlock(&cmos->line, &cmos->lock);
    return deadline_ns < before_ns;
}

static void leave(struct vmr_cmos *cmos)
{
    if (update_unlock(cmos) && cmos->timer.sooner)
        cmos->timer.sooner(cmos->timer.context);
}

/* Takes the lock. Memory that is no clock costs no look at the host's. */
static void enter(struct vmr_cmos *cmos, bool data_port)
{
    sync_mutex_lock(&cmos->lock);
    if (data_port && rtc_clock_has(cmos->index))
        rtc_clock_advance(&cmos->clock, cmos->host->ops->now_ns(cmos->host->context));
}

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    struct vmr_cmos *cmos = device;
    bool data_port = access->offset == 1;
    uint8_t value = 0xff; /* the index port cannot be read */

    enter(cmos, data_port);
    if (data_port)
        value = rtc_clock_read(&cmos->clock, cmos->index);
    leave(cmos);
    return value;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_cmos *cmos = device;
    bool data_port = access->offset == 1;

    enter(cmos, data_port);
    if (data_port && PLANT(CMOS_ADDRESS))
        rtc_clock_write(&cmos->clock, (cmos->index + 1u) % VMR_CMOS_BYTES, (uint8_t)value);
    else if (data_port)
        rtc_clock_write(&cmos->clock, cmos->index, (uint8_t)value);
    else
        cmos->index = (uint8_t)value % VMR_CMOS_BYTES; /* bit 7 gates NMIs, of which there are none */
    leave(cmos);
}

static const struct vmr_device_ops cmos_ops = {.read = port_read, .write = port_write};

uint64_t vmr_cmos_poll(struct vmr_cmos *cmos, uint64_t now_ns)
{
    uint64_t deadline_ns = sync_load_u64(cmos->host, &cmos->deadline_ns);

    if (now_ns < deadline_ns)
        return deadline_ns;
    sync_mutex_lock(&cmos->lock);
    rtc_clock_advance(&cmos->clock, now_ns);
    (void)update_unlock(cmos);
    return sync_load_u64(cmos->host, &cmos->deadline_ns);
}

static enum vmr_status check_options(const struct vmr_cmos_options *options, struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "cmos: no host was given");
    if (options->epoch_s > EPOCH_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "cmos: epoch_s %llu is after the year 9999",
                             (unsigned long long)options->epoch_s);
    if (options->epoch_ms >= 1000)
        return vmr_error_set(err, VMR_E_CONFIG, "cmos: epoch_ms %u is no part of a second",
                             (unsigned)options->epoch_ms);
    return VMR_OK;
}

enum vmr_status vmr_cmos_create(const struct vmr_cmos_options *options, struct vmr_bus *ports,
                                struct vmr_cmos **ret_cmos, struct vmr_error *err)
{
    enum vmr_status status = check_options(options, err);

    if (status != VMR_OK)
        return status;

    struct vmr_cmos *cmos = calloc(1, sizeof(*cmos));

    if (!cmos || sync_mutex_init(&cmos->lock, options->host) != VMR_OK) {
        free(cmos);
        return vmr_error_set(err, VMR_E_NOMEM, "cmos: out of memory");
    }
    cmos->host = options->host;
    cmos->timer = options->timer;
    atomic_init(&cmos->deadline_ns, VMR_NEVER);
    irq_line_init(&cmos->line, &options->irq, CMOS_GSI);
    describe_memory(cmos->clock.bytes, options->memory_below_4g, options->memory_above_4g);
    describe_machine(cmos->clock.bytes, options->vp_count != 0 ? options->vp_count : 1);
    rtc_clock_init(&cmos->clock, options->epoch_s, options->epoch_ms * UINT64_C(1000000));
    cmos->initial = cmos->clock;

    const struct vmr_bus_range range = {
        .name = "cmos", .start = PORT_INDEX, .length = PORT_COUNT, .ops = &cmos_ops, .device = cmos};

    status = vmr_bus_claim(ports, &range, err);
    if (status != VMR_OK) {
        sync_mutex_finish(&cmos->lock);
        free(cmos);
        return status;
    }
    cmos->ports = ports;
    *ret_cmos = cmos;
    return VMR_OK;
}

void vmr_cmos_destroy(struct vmr_cmos *cmos)
{
    if (!cmos)
        return;
    claim_release(cmos->ports, PORT_INDEX);
    sync_mutex_finish(&cmos->lock);
    free(cmos);
}

/* --- state --- */

#define NS_PER_SECOND UINT64_C(1000000000)
/* Two centuries and more; the deadlines behind it still fit. */
#define CLOCK_NS_MAX (UINT64_MAX / 2)
/* Far behind what digits say: century and year are two each, and months carry over. */
#define SHOWN_S_MAX (UINT64_C(1) << 40)

#define MOVING(member, name_, kind_)                                                                                   \
    {                                                                                                                  \
        .name = (name_), .offset = offsetof(struct vmr_cmos_state, member), .count = 1,                                \
        .stride = sizeof(((struct vmr_cmos_state *)0)->member), .width = sizeof(((struct vmr_cmos_state *)0)->member), \
        .kind = (kind_), .moves = true                                                                                 \
    }
static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_cmos_state, index, "index", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_cmos_state, bytes, "bytes", VMR_FIELD_BYTES),
    MOVING(started, "started", VMR_FIELD_FLAG),
    MOVING(phase_ns, "phase-ns", VMR_FIELD_TIME),
    MOVING(now_ns, "now-ns", VMR_FIELD_TIME),
    VMR_STATE_FIELD(struct vmr_cmos_state, shift_ns, "shift-ns", VMR_FIELD_DECIMAL),
    VMR_STATE_FIELD(struct vmr_cmos_state, set_s, "set-s", VMR_FIELD_DECIMAL),
    VMR_STATE_FIELD(struct vmr_cmos_state, set_at_s, "set-at-s", VMR_FIELD_DECIMAL),
};

const struct vmr_state_type cmos_state_type = {
    .name = "cmos",
    .version = 1,
    .size = sizeof(struct vmr_cmos_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static void fill_state(const struct rtc_clock *clock, uint8_t index, struct vmr_cmos_state *ret_state)
{
    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->index = index;
    memcpy(ret_state->bytes, clock->bytes, sizeof(ret_state->bytes));
    ret_state->started = clock->started;
    ret_state->phase_ns = clock->phase_ns;
    ret_state->now_ns = clock->now_ns;
    ret_state->shift_ns = clock->shift_ns;
    ret_state->set_s = clock->set_s;
    ret_state->set_at_s = clock->set_at_s;
}

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_cmos *cmos = object;

    (void)err;
    sync_mutex_lock(&cmos->lock);
    fill_state(&cmos->clock, cmos->index, ret_value);
    sync_mutex_unlock(&cmos->lock);
    return VMR_OK;
}

static enum vmr_status check_state(const struct vmr_cmos_state *state, struct vmr_error *err)
{
    const uint8_t *bytes = state->bytes;
    bool started = state->started;
    const struct state_check checks[] = {
        STATE_RULE("index", state->index, state->index < VMR_CMOS_BYTES),
        STATE_RULE("bytes", bytes[CMOS_A], rtc_clock_can_hold(bytes, CMOS_A)),
        STATE_RULE("bytes", bytes[CMOS_C], rtc_clock_can_hold(bytes, CMOS_C)),
        STATE_RULE("bytes", bytes[CMOS_D], rtc_clock_can_hold(bytes, CMOS_D)),
        STATE_RULE("phase-ns", state->phase_ns, started || state->phase_ns == 0),
        STATE_RULE("shift-ns", state->shift_ns, state->shift_ns <= (started ? RTC_SHIFT_NS_MAX : NS_PER_SECOND - 1)),
        STATE_RULE("now-ns", state->now_ns, state->now_ns - state->shift_ns <= (started ? CLOCK_NS_MAX : 0)),
        STATE_RULE("set-s", state->set_s, state->set_s <= SHOWN_S_MAX),
        STATE_RULE("set-at-s", state->set_at_s, state->set_at_s <= state->now_ns / NS_PER_SECOND),
    };

    return state_check(&cmos_state_type, checks, STATE_CHECKS(checks), err);
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_cmos *cmos = object;
    const struct vmr_cmos_state *state = value;
    enum vmr_status status = check_state(state, err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&cmos->lock);
    cmos->index = state->index;
    memcpy(cmos->clock.bytes, state->bytes, sizeof(cmos->clock.bytes));
    cmos->clock.started = state->started;
    cmos->clock.phase_ns = state->phase_ns;
    cmos->clock.now_ns = state->now_ns;
    cmos->clock.shift_ns = state->shift_ns;
    cmos->clock.set_s = state->set_s;
    cmos->clock.set_at_s = state->set_at_s;
    rtc_clock_settle(&cmos->clock);
    irq_line_restore(&cmos->line, rtc_clock_irq(&cmos->clock));
    (void)update_unlock(cmos);
    if (cmos->timer.sooner)
        cmos->timer.sooner(cmos->timer.context);
    return VMR_OK;
}

/* The crystal goes on: what a guest had set is gone, but not the time that has passed. */
static void state_at_reset(const void *object, void *ret_value)
{
    const struct vmr_cmos *cmos = object;
    struct vmr_cmos_state *state = ret_value;

    fill_state(&cmos->initial, 0, state);
    state->started = cmos->clock.started;
    state->phase_ns = cmos->clock.phase_ns;
    state->now_ns = cmos->clock.now_ns - cmos->clock.shift_ns + cmos->initial.shift_ns;
}

void vmr_cmos_state_unit(struct vmr_cmos *cmos, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &cmos_state_type, .object = cmos, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
