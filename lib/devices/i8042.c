/* SPDX-License-Identifier: MIT */
/*
 * The 8042 keyboard controller (IBM PC/AT technical reference, "Keyboard
 * Controller"): commands, a keyboard behind it, no mouse, and the two lines a PC
 * hangs on it, reset and A20. Port 0x92, the fast way to the same two lines,
 * shares the A20 bit. A command is done before the next access: the input
 * buffer is never full.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/keyboard.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define PORT_DATA 0x60u
#define PORT_STATUS 0x64u
#define PORT_FAST 0x92u
#define KEYBOARD_GSI 1u

#define STATUS_OUTPUT_FULL 0x01u
#define STATUS_SYSTEM 0x04u /* the self test has passed */
#define STATUS_COMMAND 0x08u
#define STATUS_UNLOCKED 0x10u
#define STATUS_AUX 0x20u

#define CONFIG_KEYBOARD_IRQ 0x01u
#define CONFIG_SYSTEM 0x04u
#define CONFIG_KEYBOARD_OFF 0x10u
#define CONFIG_AUX_OFF 0x20u
#define CONFIG_MASK 0x7fu

#define OUTPUT_NO_RESET 0x01u /* low resets the processor */
#define OUTPUT_A20 0x02u
#define OUTPUT_KEYBOARD_FULL 0x10u

#define FAST_RESET 0x01u
#define FAST_A20 0x02u

#define COMMAND_READ_CONFIG 0x20u
#define COMMAND_WRITE_CONFIG 0x60u
#define COMMAND_AUX_OFF 0xa7u
#define COMMAND_AUX_ON 0xa8u
#define COMMAND_AUX_TEST 0xa9u
#define COMMAND_SELF_TEST 0xaau
#define COMMAND_KEYBOARD_TEST 0xabu
#define COMMAND_KEYBOARD_OFF 0xadu
#define COMMAND_KEYBOARD_ON 0xaeu
#define COMMAND_READ_INPUT 0xc0u
#define COMMAND_READ_OUTPUT 0xd0u
#define COMMAND_WRITE_OUTPUT 0xd1u
#define COMMAND_FAKE_KEYBOARD 0xd2u
#define COMMAND_FAKE_AUX 0xd3u
#define COMMAND_WRITE_AUX 0xd4u
#define COMMAND_A20_OFF 0xddu
#define COMMAND_A20_ON 0xdfu
#define COMMAND_PULSE 0xf0u /* to 0xff: a zero bit pulses the line of its number */

#define SELF_TEST_PASSED 0x55u
#define AUX_CLOCK_STUCK_LOW 0x01u /* what the interface test says of a port with nothing in it */

#define BUFFER_SIZE VMR_I8042_BUFFER_BYTES

struct output_byte {
    uint8_t value;
    bool aux;
};

struct vmr_i8042 {
    struct sync_mutex lock;
    struct irq_line line;
    struct vmr_power *power;
    struct vmr_bus *ports;
    struct keyboard keyboard;
    uint8_t config;
    uint8_t parameter_of; /* the command whose parameter port 0x60 takes next; 0: none */
    bool last_was_command;
    bool a20;
    struct output_byte buffer[BUFFER_SIZE];
    size_t head, count;
};

static void put(struct vmr_i8042 *i8042, uint8_t value, bool aux)
{
    /* A full buffer loses what comes, as a keyboard whose clock is held does. */
    if (i8042->count == BUFFER_SIZE)
        return;
    i8042->buffer[(i8042->head + i8042->count) % BUFFER_SIZE] = (struct output_byte){value, aux};
    i8042->count++;
}

/* The line is high while the output buffer is full; each further byte is an edge of its own. */
static void update_line(struct vmr_i8042 *i8042, bool new_byte)
{
    bool full = i8042->count > 0 && !i8042->buffer[i8042->head].aux;
    bool high = full && (i8042->config & CONFIG_KEYBOARD_IRQ) != 0;

    if (high && new_byte)
        irq_line_edge(&i8042->line);
    else
        irq_line_set(&i8042->line, high);
}

static uint8_t output_port(const struct vmr_i8042 *i8042)
{
    uint8_t value = OUTPUT_NO_RESET;

    if (i8042->a20)
        value |= OUTPUT_A20;
    if (i8042->count > 0)
        value |= OUTPUT_KEYBOARD_FULL;
    return value;
}

static bool takes_parameter(uint8_t command)
{
    return command == COMMAND_WRITE_CONFIG || (command >= COMMAND_WRITE_OUTPUT && command <= COMMAND_WRITE_AUX);
}

/* One row a command, which is why it is long. Returns whether the reset line was pulled. */
static bool run_command(struct vmr_i8042 *i8042, uint8_t command)
{
    switch (command) {
    case COMMAND_READ_CONFIG:
        put(i8042, i8042->config, false);
        break;
    case COMMAND_WRITE_CONFIG:
    case COMMAND_WRITE_OUTPUT:
    case COMMAND_FAKE_KEYBOARD:
    case COMMAND_FAKE_AUX:
    case COMMAND_WRITE_AUX:
        i8042->parameter_of = command;
        break;
    case COMMAND_AUX_OFF:
        i8042->config |= CONFIG_AUX_OFF;
        break;
    case COMMAND_AUX_ON:
        i8042->config &= (uint8_t)~CONFIG_AUX_OFF;
        break;
    case COMMAND_AUX_TEST:
        put(i8042, AUX_CLOCK_STUCK_LOW, false);
        break;
    case COMMAND_SELF_TEST:
        i8042->config |= CONFIG_SYSTEM;
        put(i8042, SELF_TEST_PASSED, false);
        break;
    case COMMAND_KEYBOARD_TEST:
        put(i8042, 0, false);
        break;
    case COMMAND_KEYBOARD_OFF:
        i8042->config |= CONFIG_KEYBOARD_OFF;
        break;
    case COMMAND_KEYBOARD_ON:
        i8042->config &= (uint8_t)~CONFIG_KEYBOARD_OFF;
        break;
    case COMMAND_READ_INPUT:
        put(i8042, 0x80, false); /* the keyboard is not locked */
        break;
    case COMMAND_READ_OUTPUT:
        put(i8042, output_port(i8042), false);
        break;
    case COMMAND_A20_OFF:
    case COMMAND_A20_ON:
        i8042->a20 = command == COMMAND_A20_ON;
        break;
    default:
        return command >= COMMAND_PULSE && (command & OUTPUT_NO_RESET) == 0;
    }
    return false;
}

static void write_keyboard(struct vmr_i8042 *i8042, uint8_t byte)
{
    uint8_t answer[KEYBOARD_ANSWER_MAX];
    size_t length = keyboard_write(&i8042->keyboard, byte, answer);

    /* A byte to the keyboard turns its clock on again. */
    i8042->config &= (uint8_t)~CONFIG_KEYBOARD_OFF;
    for (size_t i = 0; i < length; i++)
        put(i8042, answer[i], false);
}

/* Returns whether the reset line was pulled. */
static bool write_data(struct vmr_i8042 *i8042, uint8_t byte)
{
    uint8_t command = i8042->parameter_of;

    i8042->parameter_of = 0;
    switch (command) {
    case COMMAND_WRITE_CONFIG:
        i8042->config = byte & CONFIG_MASK;
        break;
    case COMMAND_WRITE_OUTPUT:
        i8042->a20 = (byte & OUTPUT_A20) != 0;
        return (byte & OUTPUT_NO_RESET) == 0;
    case COMMAND_FAKE_KEYBOARD:
        put(i8042, byte, false);
        break;
    case COMMAND_FAKE_AUX:
        put(i8042, byte, true);
        break;
    case COMMAND_WRITE_AUX:
        put(i8042, 0xfe, true); /* nobody took it */
        break;
    default:
        write_keyboard(i8042, byte);
        break;
    }
    return false;
}

static uint8_t read_data(struct vmr_i8042 *i8042)
{
    uint8_t value = i8042->buffer[i8042->head].value; /* an empty buffer still holds the last byte */

    if (i8042->count > 0) {
        i8042->count--;
        if (i8042->count > 0)
            i8042->head = (i8042->head + 1) % BUFFER_SIZE;
    }
    return value;
}

static uint8_t read_status(const struct vmr_i8042 *i8042)
{
    uint8_t value = STATUS_UNLOCKED;

    if (i8042->count > 0)
        value |= STATUS_OUTPUT_FULL;
    if (i8042->count > 0 && i8042->buffer[i8042->head].aux)
        value |= STATUS_AUX;
    if ((i8042->config & CONFIG_SYSTEM) != 0)
        value |= STATUS_SYSTEM;
    if (i8042->last_was_command)
        value |= STATUS_COMMAND;
    return value;
}

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    struct vmr_i8042 *i8042 = device;
    uint8_t value;

    sync_mutex_lock(&i8042->lock);
    switch (access->address) {
    case PORT_DATA:
        value = read_data(i8042);
        update_line(i8042, true);
        break;
    case PORT_STATUS:
        value = read_status(i8042);
        break;
    default:
        value = i8042->a20 ? FAST_A20 : 0;
        break;
    }
    irq_line_flush_unlock(&i8042->line, &i8042->lock);
    return value;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_i8042 *i8042 = device;
    uint8_t byte = (uint8_t)value;
    bool reset;

    sync_mutex_lock(&i8042->lock);
    bool was_empty = i8042->count == 0;

    switch (access->address) {
    case PORT_DATA:
        i8042->last_was_command = false;
        reset = write_data(i8042, byte);
        break;
    case PORT_STATUS:
        i8042->last_was_command = true;
        i8042->parameter_of = 0;
        reset = run_command(i8042, byte);
        break;
    default:
        i8042->a20 = (byte & FAST_A20) != 0;
        reset = (byte & FAST_RESET) != 0;
        break;
    }
    update_line(i8042, was_empty && i8042->count > 0);
    irq_line_flush_unlock(&i8042->line, &i8042->lock);
    if (reset)
        (void)vmr_power_request(i8042->power, VMR_HALT_RESET, 0);
}

static const struct vmr_device_ops i8042_ops = {.read = port_read, .write = port_write};

static const uint16_t i8042_ports[] = {PORT_DATA, PORT_STATUS, PORT_FAST};
#define I8042_PORT_COUNT (sizeof(i8042_ports) / sizeof(i8042_ports[0]))

static enum vmr_status claim_ports(struct vmr_i8042 *i8042, struct vmr_bus *ports, struct vmr_error *err)
{
    for (size_t i = 0; i < I8042_PORT_COUNT; i++) {
        const struct vmr_bus_range range = {
            .name = "keyboard controller", .start = i8042_ports[i], .length = 1, .ops = &i8042_ops, .device = i8042};
        enum vmr_status status = vmr_bus_claim(ports, &range, err);

        if (status != VMR_OK) {
            while (i > 0)
                claim_release(ports, i8042_ports[--i]);
            return status;
        }
    }
    return VMR_OK;
}

enum vmr_status vmr_i8042_create(const struct vmr_i8042_options *options, struct vmr_bus *ports,
                                 struct vmr_i8042 **ret_i8042, struct vmr_error *err)
{
    if (!options->host || !options->power)
        return vmr_error_set(err, VMR_E_USAGE, "keyboard controller: no host or no power line was given");

    struct vmr_i8042 *i8042 = calloc(1, sizeof(*i8042));

    if (!i8042 || sync_mutex_init(&i8042->lock, options->host) != VMR_OK) {
        free(i8042);
        return vmr_error_set(err, VMR_E_NOMEM, "keyboard controller: out of memory");
    }
    i8042->power = options->power;
    i8042->a20 = true;
    irq_line_init(&i8042->line, &options->irq, KEYBOARD_GSI);
    keyboard_init(&i8042->keyboard);

    enum vmr_status status = claim_ports(i8042, ports, err);

    if (status != VMR_OK) {
        sync_mutex_finish(&i8042->lock);
        free(i8042);
        return status;
    }
    i8042->ports = ports;
    *ret_i8042 = i8042;
    return VMR_OK;
}

void vmr_i8042_destroy(struct vmr_i8042 *i8042)
{
    if (!i8042)
        return;
    for (size_t i = 0; i < I8042_PORT_COUNT; i++)
        claim_release(i8042->ports, i8042_ports[i]);
    sync_mutex_finish(&i8042->lock);
    free(i8042);
}

/* --- state --- */

#define HEX(member, name) VMR_STATE_FIELD(struct vmr_i8042_state, member, name, VMR_FIELD_HEX)
#define FLAG(member, name) VMR_STATE_FIELD(struct vmr_i8042_state, member, name, VMR_FIELD_FLAG)
#define WAITING(member, name_, kind_)                                                                                  \
    {                                                                                                                  \
        .name = (name_), .offset = offsetof(struct vmr_i8042_state, member), .count = BUFFER_SIZE, .stride = 1,        \
        .width = 1, .kind = (kind_), .used_by = 1, .group = 1                                                          \
    }
static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_i8042_state, count, "count", VMR_FIELD_DECIMAL),
    WAITING(bytes, "bytes", VMR_FIELD_BYTES),
    WAITING(aux, "aux", VMR_FIELD_FLAG),
    HEX(last_byte, "last-byte"),
    HEX(config, "config"),
    HEX(parameter_of, "parameter-of"),
    FLAG(last_was_command, "last-was-command"),
    FLAG(a20, "a20"),
    HEX(keyboard_parameter_of, "keyboard-parameter-of"),
    VMR_STATE_FIELD(struct vmr_i8042_state, scan_set, "scan-set", VMR_FIELD_DECIMAL),
};

const struct vmr_state_type i8042_state_type = {
    .name = "keyboard-controller",
    .version = 1,
    .size = sizeof(struct vmr_i8042_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_i8042 *i8042 = object;
    struct vmr_i8042_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&i8042->lock);
    state->config = i8042->config;
    state->parameter_of = i8042->parameter_of;
    state->last_was_command = i8042->last_was_command;
    state->a20 = i8042->a20;
    state->keyboard_parameter_of = i8042->keyboard.parameter_of;
    state->scan_set = i8042->keyboard.scan_set;
    state->count = (uint32_t)i8042->count;
    state->last_byte = i8042->count == 0 ? i8042->buffer[i8042->head].value : 0;
    for (size_t i = 0; i < i8042->count; i++) {
        state->bytes[i] = i8042->buffer[(i8042->head + i) % BUFFER_SIZE].value;
        state->aux[i] = i8042->buffer[(i8042->head + i) % BUFFER_SIZE].aux;
    }
    sync_mutex_unlock(&i8042->lock);
    return VMR_OK;
}

static enum vmr_status check_state(const struct vmr_i8042_state *state, struct vmr_error *err)
{
    const struct keyboard parameter = {.parameter_of = state->keyboard_parameter_of, .scan_set = 1};
    const struct keyboard scan_set = {.scan_set = state->scan_set};
    const struct state_check checks[] = {
        STATE_RULE("count", state->count, state->count <= BUFFER_SIZE),
        STATE_RULE("last-byte", state->last_byte, state->count == 0 || state->last_byte == 0),
        STATE_BITS("config", state->config, CONFIG_MASK),
        STATE_RULE("parameter-of", state->parameter_of,
                   state->parameter_of == 0 || takes_parameter(state->parameter_of)),
        STATE_RULE("keyboard-parameter-of", state->keyboard_parameter_of, keyboard_is_valid(&parameter)),
        STATE_RULE("scan-set", state->scan_set, keyboard_is_valid(&scan_set)),
    };

    return state_check(&i8042_state_type, checks, STATE_CHECKS(checks), err);
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_i8042 *i8042 = object;
    const struct vmr_i8042_state *state = value;
    enum vmr_status status = check_state(state, err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&i8042->lock);
    i8042->config = state->config;
    i8042->parameter_of = state->parameter_of;
    i8042->last_was_command = state->last_was_command;
    i8042->a20 = state->a20;
    i8042->keyboard = (struct keyboard){.parameter_of = state->keyboard_parameter_of, .scan_set = state->scan_set};
    i8042->head = 0;
    i8042->count = state->count;
    i8042->buffer[0] = (struct output_byte){.value = state->last_byte};
    for (size_t i = 0; i < i8042->count; i++)
        i8042->buffer[i] = (struct output_byte){.value = state->bytes[i], .aux = state->aux[i]};
    update_line(i8042, false);
    irq_line_restore(&i8042->line, i8042->line.wanted);
    irq_line_flush_unlock(&i8042->line, &i8042->lock);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    struct vmr_i8042_state *state = ret_value;
    struct keyboard keyboard;

    (void)object;
    keyboard_init(&keyboard);
    memset(state, 0, sizeof(*state));
    state->a20 = true;
    state->scan_set = keyboard.scan_set;
}

void vmr_i8042_state_unit(struct vmr_i8042 *i8042, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &i8042_state_type, .object = i8042, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
