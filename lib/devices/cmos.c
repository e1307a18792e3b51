/* SPDX-License-Identifier: MIT */
/*
 * The CMOS of a PC: an index port, a data port, a clock in the first registers
 * and, in the rest, what firmware wants to know about the machine (Ralf Brown,
 * "CMOS Memory Map"; 0x5b to 0x5f as emulated PCs have them).
 */

#include <stdlib.h>

#include "lib/base/bytes.h"
#include "lib/base/plant.h"
#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/rtc_clock.h"

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
    rtc_clock_init(&cmos->clock, options->epoch_s);

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
