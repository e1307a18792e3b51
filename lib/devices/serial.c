/* SPDX-License-Identifier: MIT */
/*
 * The 16550A UART (National PC16550D data sheet, section 8; register numbers
 * are DLAB-free offsets). The wire is infinitely fast: a byte written is sent,
 * so the transmitter is always empty, and bytes for the guest wait in a queue
 * behind the receive FIFO, so that none is overrun but in loopback.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/plant.h"
#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define DEFAULT_PORT 0x3f8u
#define DEFAULT_GSI 4u
#define PORT_COUNT 8u
#define DIVISOR_RESET 12u /* 9600 baud, what a BIOS leaves */
#define FIFO_SIZE 16u
#define QUEUE_SIZE VMR_SERIAL_QUEUE_BYTES

enum serial_register {
    REG_DATA,
    REG_IER,
    REG_IIR_FCR,
    REG_LCR,
    REG_MCR,
    REG_LSR,
    REG_MSR,
    REG_SCRATCH,
};

#define IER_RECEIVED 0x01u
#define IER_THR_EMPTY 0x02u
#define IER_LINE 0x04u
#define IER_MODEM 0x08u
#define IER_MASK 0x0fu

#define IIR_NONE 0x01u
#define IIR_MODEM 0x00u
#define IIR_THR_EMPTY 0x02u
#define IIR_RECEIVED 0x04u
#define IIR_LINE 0x06u
#define IIR_TIMEOUT 0x0cu
#define IIR_FIFO 0xc0u

#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RECEIVE 0x02u
#define FCR_TRIGGER_SHIFT 6u

#define LCR_DLAB 0x80u

#define MCR_OUT2 0x08u /* on a PC: lets the interrupt out */
#define MCR_LOOPBACK 0x10u
#define MCR_MASK 0x1fu

#define LSR_DATA 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_IDLE 0x60u /* transmit holding and shift registers empty */

#define MSR_DELTA 0x0fu
#define MSR_CONNECTED 0xb0u /* carrier, data set ready, clear to send: a terminal is there */

struct vmr_serial {
    struct sync_mutex lock;
    struct irq_line line;
    struct vmr_console_sink console;
    struct vmr_bus *ports;
    uint16_t port;

    uint8_t ier, lcr, mcr, fcr, scratch;
    uint16_t divisor;
    bool thr_empty; /* its interrupt has not been seen yet */
    bool overrun;
    uint8_t modem;       /* upper half of MSR, as last looked at */
    uint8_t modem_delta; /* lower half: what changed since MSR was read */

    uint8_t queue[QUEUE_SIZE]; /* the first fifo_count() of these are in the chip's FIFO */
    size_t head, count;
};

static size_t fifo_depth(const struct vmr_serial *serial)
{
    return (serial->fcr & FCR_ENABLE) != 0 ? FIFO_SIZE : 1;
}

static size_t trigger_level(const struct vmr_serial *serial)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return (serial->fcr & FCR_ENABLE) != 0 ? levels[serial->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* The interrupt of the highest priority, or IIR_NONE (PC16550D, table 4). */
static uint8_t pending_interrupt(const struct vmr_serial *serial)
{
    if ((serial->ier & IER_LINE) != 0 && serial->overrun)
        return IIR_LINE;
    if ((serial->ier & IER_RECEIVED) != 0 && serial->count >= trigger_level(serial))
        return IIR_RECEIVED;
    /* Below the trigger, nothing follows within four character times: all there is has arrived. */
    if ((serial->ier & IER_RECEIVED) != 0 && serial->count > 0)
        return IIR_TIMEOUT;
    if ((serial->ier & IER_THR_EMPTY) != 0 && serial->thr_empty)
        return IIR_THR_EMPTY;
    if ((serial->ier & IER_MODEM) != 0 && serial->modem_delta != 0)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update_line(struct vmr_serial *serial)
{
    bool out = (serial->mcr & MCR_OUT2) != 0 && (serial->mcr & MCR_LOOPBACK) == 0;

    irq_line_set(&serial->line, out && pending_interrupt(serial) != IIR_NONE);
}

/* In loopback the modem outputs drive the modem inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD. */
static uint8_t modem_inputs(const struct vmr_serial *serial)
{
    uint8_t mcr = serial->mcr;

    if ((mcr & MCR_LOOPBACK) == 0)
        return MSR_CONNECTED;
    return (uint8_t)((mcr & 0x02u) << 3 | (mcr & 0x01u) << 5 | (mcr & 0x0cu) << 4);
}

static void update_modem(struct vmr_serial *serial)
{
    uint8_t now = modem_inputs(serial);
    uint8_t changed = now ^ serial->modem;

    /* The ring indicator reports only its trailing edge. */
    if ((changed & 0x40u) != 0 && (now & 0x40u) != 0)
        changed &= (uint8_t)~0x40u;
    serial->modem_delta |= (uint8_t)(changed >> 4);
    serial->modem = now;
}

static void enqueue(struct vmr_serial *serial, uint8_t byte)
{
    serial->queue[(serial->head + serial->count) % QUEUE_SIZE] = byte;
    serial->count++;
}

static void loop_back(struct vmr_serial *serial, uint8_t byte)
{
    if (serial->count >= fifo_depth(serial))
        serial->overrun = true;
    else
        enqueue(serial, byte);
}

static uint8_t read_data(struct vmr_serial *serial)
{
    if (serial->count == 0)
        return 0;

    uint8_t byte = serial->queue[serial->head];

    serial->head = (serial->head + 1) % QUEUE_SIZE;
    serial->count--;
    return byte;
}

static uint8_t read_iir(struct vmr_serial *serial)
{
    uint8_t pending = pending_interrupt(serial);

    if (pending == IIR_THR_EMPTY)
        serial->thr_empty = false;
    return (serial->fcr & FCR_ENABLE) != 0 ? pending | IIR_FIFO : pending;
}

static uint8_t read_lsr(struct vmr_serial *serial)
{
    uint8_t value = LSR_IDLE;

    if (serial->count > 0)
        value |= LSR_DATA;
    if (serial->overrun)
        value |= LSR_OVERRUN;
    serial->overrun = false;
    return value;
}

static uint8_t read_msr(struct vmr_serial *serial)
{
    uint8_t value = serial->modem | serial->modem_delta;

    serial->modem_delta = 0;
    return value;
}

static uint8_t read_register(struct vmr_serial *serial, enum serial_register reg)
{
    bool dlab = (serial->lcr & LCR_DLAB) != 0;

    switch (reg) {
    case REG_DATA:
        return dlab ? (uint8_t)serial->divisor : read_data(serial);
    case REG_IER:
        return dlab ? (uint8_t)(serial->divisor >> 8) : serial->ier;
    case REG_IIR_FCR:
        return read_iir(serial);
    case REG_LCR:
        return serial->lcr;
    case REG_MCR:
        return serial->mcr;
    case REG_LSR:
        return read_lsr(serial);
    case REG_MSR:
        return read_msr(serial);
    case REG_SCRATCH:
        return serial->scratch;
    }
    return 0xff;
}

/* Returns whether `byte` leaves on the wire. */
static bool write_data(struct vmr_serial *serial, uint8_t byte)
{
    if ((serial->lcr & LCR_DLAB) != 0) {
        serial->divisor = (uint16_t)((serial->divisor & 0xff00u) | byte);
        return false;
    }
    serial->thr_empty = true;
    if (PLANT(SERIAL_DROP))
        return false;
    if ((serial->mcr & MCR_LOOPBACK) == 0)
        return true;
    loop_back(serial, byte);
    return false;
}

static void write_ier(struct vmr_serial *serial, uint8_t value)
{
    if ((serial->lcr & LCR_DLAB) != 0) {
        serial->divisor = (uint16_t)((serial->divisor & 0x00ffu) | (unsigned)value << 8);
        return;
    }
    /* Enabling the interrupt of an empty transmitter raises it (PC16550D, 8.6.4). */
    if ((value & IER_THR_EMPTY) != 0 && (serial->ier & IER_THR_EMPTY) == 0)
        serial->thr_empty = true;
    serial->ier = value & IER_MASK;
}

static void write_fcr(struct vmr_serial *serial, uint8_t value)
{
    bool toggled = ((value ^ serial->fcr) & FCR_ENABLE) != 0;

    /* Turning the FIFOs on or off empties them; what still waits behind them was not in the chip yet. */
    if (toggled || (value & FCR_CLEAR_RECEIVE) != 0) {
        size_t inside = serial->count < fifo_depth(serial) ? serial->count : fifo_depth(serial);

        serial->head = (serial->head + inside) % QUEUE_SIZE;
        serial->count -= inside;
    }
    serial->fcr = (value & FCR_ENABLE) != 0 ? value : 0;
}

static bool write_register(struct vmr_serial *serial, enum serial_register reg, uint8_t value)
{
    switch (reg) {
    case REG_DATA:
        return write_data(serial, value);
    case REG_IER:
        write_ier(serial, value);
        break;
    case REG_IIR_FCR:
        write_fcr(serial, value);
        break;
    case REG_LCR:
        serial->lcr = value;
        break;
    case REG_MCR:
        serial->mcr = value & MCR_MASK;
        update_modem(serial);
        break;
    case REG_SCRATCH:
        serial->scratch = value;
        break;
    case REG_LSR:
    case REG_MSR:
        break; /* factory test only */
    }
    return false;
}

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    struct vmr_serial *serial = device;

    sync_mutex_lock(&serial->lock);
    uint8_t value = read_register(serial, (enum serial_register)(access->offset % PORT_COUNT));

    update_line(serial);
    irq_line_flush_unlock(&serial->line, &serial->lock);
    return value;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_serial *serial = device;
    uint8_t byte = (uint8_t)value;

    sync_mutex_lock(&serial->lock);
    bool send = write_register(serial, (enum serial_register)(access->offset % PORT_COUNT), byte);

    update_line(serial);
    irq_line_flush_unlock(&serial->line, &serial->lock);
    if (send && serial->console.write)
        serial->console.write(serial->console.context, VMR_CONSOLE_SERIAL, &byte, 1);
}

static const struct vmr_device_ops serial_ops = {.read = port_read, .write = port_write};

size_t vmr_serial_receive(struct vmr_serial *serial, const uint8_t *bytes, size_t length)
{
    sync_mutex_lock(&serial->lock);
    size_t room = QUEUE_SIZE - serial->count;
    size_t taken = length < room ? length : room;

    for (size_t i = 0; i < taken; i++)
        enqueue(serial, bytes[i]);
    update_line(serial);
    irq_line_flush_unlock(&serial->line, &serial->lock);
    return taken;
}

enum vmr_status vmr_serial_create(const struct vmr_serial_options *options, struct vmr_bus *ports,
                                  struct vmr_serial **ret_serial, struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "serial: no host was given");

    struct vmr_serial *serial = calloc(1, sizeof(*serial));

    if (!serial || sync_mutex_init(&serial->lock, options->host) != VMR_OK) {
        free(serial);
        return vmr_error_set(err, VMR_E_NOMEM, "serial: out of memory");
    }
    irq_line_init(&serial->line, &options->irq, options->gsi != 0 ? options->gsi : DEFAULT_GSI);
    serial->console = options->console;
    serial->port = options->port != 0 ? options->port : DEFAULT_PORT;
    serial->divisor = DIVISOR_RESET;
    serial->thr_empty = true;
    serial->modem = MSR_CONNECTED;

    const struct vmr_bus_range range = {
        .name = "serial", .start = serial->port, .length = PORT_COUNT, .ops = &serial_ops, .device = serial};
    enum vmr_status status = vmr_bus_claim(ports, &range, err);

    if (status != VMR_OK) {
        sync_mutex_finish(&serial->lock);
        free(serial);
        return status;
    }
    serial->ports = ports;
    *ret_serial = serial;
    return VMR_OK;
}

void vmr_serial_destroy(struct vmr_serial *serial)
{
    if (!serial)
        return;
    claim_release(serial->ports, serial->port);
    sync_mutex_finish(&serial->lock);
    free(serial);
}

/* --- state --- */

#define HEX(member, name) VMR_STATE_FIELD(struct vmr_serial_state, member, name, VMR_FIELD_HEX)
#define FLAG(member, name) VMR_STATE_FIELD(struct vmr_serial_state, member, name, VMR_FIELD_FLAG)
static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_serial_state, queued, "queued", VMR_FIELD_DECIMAL),
    {.name = "queue",
     .offset = offsetof(struct vmr_serial_state, queue),
     .count = QUEUE_SIZE,
     .stride = 1,
     .width = 1,
     .kind = VMR_FIELD_BYTES,
     .used_by = 1,
     .group = 1},
    HEX(interrupt_enable, "interrupt-enable"),
    HEX(line_control, "line-control"),
    HEX(modem_control, "modem-control"),
    HEX(fifo_control, "fifo-control"),
    HEX(scratch, "scratch"),
    HEX(divisor, "divisor"),
    FLAG(thr_empty, "thr-empty"),
    FLAG(overrun, "overrun"),
    HEX(modem_delta, "modem-delta"),
};

const struct vmr_state_type serial_state_type = {
    .name = "serial",
    .version = 1,
    .size = sizeof(struct vmr_serial_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_serial *serial = object;
    struct vmr_serial_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&serial->lock);
    state->interrupt_enable = serial->ier;
    state->line_control = serial->lcr;
    state->modem_control = serial->mcr;
    state->fifo_control = serial->fcr;
    state->scratch = serial->scratch;
    state->divisor = serial->divisor;
    state->thr_empty = serial->thr_empty;
    state->overrun = serial->overrun;
    state->modem_delta = serial->modem_delta;
    state->queued = (uint32_t)serial->count;
    for (size_t i = 0; i < serial->count; i++)
        state->queue[i] = serial->queue[(serial->head + i) % QUEUE_SIZE];
    sync_mutex_unlock(&serial->lock);
    return VMR_OK;
}

static enum vmr_status check_state(const struct vmr_serial_state *state, struct vmr_error *err)
{
    bool has_fifo = (state->fifo_control & FCR_ENABLE) != 0;
    const struct state_check checks[] = {
        STATE_RULE("queued", state->queued, state->queued <= QUEUE_SIZE),
        STATE_BITS("interrupt-enable", state->interrupt_enable, IER_MASK),
        STATE_BITS("modem-control", state->modem_control, MCR_MASK),
        STATE_RULE("fifo-control", state->fifo_control, has_fifo || state->fifo_control == 0),
        STATE_BITS("modem-delta", state->modem_delta, MSR_DELTA),
    };

    return state_check(&serial_state_type, checks, STATE_CHECKS(checks), err);
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_serial *serial = object;
    const struct vmr_serial_state *state = value;
    enum vmr_status status = check_state(state, err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&serial->lock);
    serial->ier = state->interrupt_enable;
    serial->lcr = state->line_control;
    serial->mcr = state->modem_control;
    serial->fcr = state->fifo_control;
    serial->scratch = state->scratch;
    serial->divisor = state->divisor;
    serial->thr_empty = state->thr_empty;
    serial->overrun = state->overrun;
    serial->modem = modem_inputs(serial);
    serial->modem_delta = state->modem_delta;
    serial->head = 0;
    serial->count = state->queued;
    memcpy(serial->queue, state->queue, serial->count);
    update_line(serial);
    irq_line_restore(&serial->line, serial->line.wanted);
    irq_line_flush_unlock(&serial->line, &serial->lock);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    struct vmr_serial_state *state = ret_value;

    (void)object;
    memset(state, 0, sizeof(*state));
    state->divisor = DIVISOR_RESET;
    state->thr_empty = true;
}

void vmr_serial_state_unit(struct vmr_serial *serial, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &serial_state_type, .object = serial, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
