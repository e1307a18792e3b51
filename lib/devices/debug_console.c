/* SPDX-License-Identifier: MIT */
/*
 * The debug console port. It has no state: whoever writes prints, whoever reads
 * learns that it is there.
 */

#include <stdlib.h>

#include "lib/base/plant.h"
#include "lib/devices/claim.h"
#include "vmrig/platform.h"

#define DEFAULT_PORT 0x402u
/* What firmware looks for before it prints. */
#define PRESENT 0xe9u

struct vmr_debug_console {
    struct vmr_console_sink sink;
    struct vmr_bus *ports;
    uint16_t port;
};

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return PRESENT;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_debug_console *console = device;
    uint8_t byte = (uint8_t)value;

    (void)access;
    if (PLANT(SERIAL_DROP))
        return;
    if (console->sink.write)
        console->sink.write(console->sink.context, VMR_CONSOLE_DEBUG, &byte, 1);
}

static const struct vmr_device_ops debug_console_ops = {.read = port_read, .write = port_write};

enum vmr_status vmr_debug_console_create(const struct vmr_debug_console_options *options, struct vmr_bus *ports,
                                         struct vmr_debug_console **ret_console, struct vmr_error *err)
{
    struct vmr_debug_console *console = calloc(1, sizeof(*console));

    if (!console)
        return vmr_error_set(err, VMR_E_NOMEM, "debug console: out of memory");
    console->sink = options->console;
    console->port = options->port != 0 ? options->port : DEFAULT_PORT;

    const struct vmr_bus_range range = {
        .name = "debug console", .start = console->port, .length = 1, .ops = &debug_console_ops, .device = console};
    enum vmr_status status = vmr_bus_claim(ports, &range, err);

    if (status != VMR_OK) {
        free(console);
        return status;
    }
    console->ports = ports;
    *ret_console = console;
    return VMR_OK;
}

void vmr_debug_console_destroy(struct vmr_debug_console *console)
{
    if (!console)
        return;
    claim_release(console->ports, console->port);
    free(console);
}
