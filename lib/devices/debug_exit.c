/* SPDX-License-Identifier: MIT */
/*
 * The debug exit: test guests end by writing a number to a port. What the
 * number means is between them and the embedder.
 */

#include <stdlib.h>

#include "lib/devices/claim.h"
#include "vmrig/platform.h"

#define DEFAULT_PORT 0xf4u
#define PORT_COUNT 4u

struct vmr_debug_exit {
    struct vmr_power *power;
    struct vmr_bus *ports;
    uint16_t port;
};

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return 0;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    const struct vmr_debug_exit *debug_exit = device;

    /* A second write before the VP has left the guest changes nothing. */
    (void)access;
    (void)vmr_power_request(debug_exit->power, VMR_HALT_POWER_OFF, (uint32_t)value);
}

static const struct vmr_device_ops debug_exit_ops = {.read = port_read, .write = port_write};

enum vmr_status vmr_debug_exit_create(const struct vmr_debug_exit_options *options, struct vmr_bus *ports,
                                      struct vmr_debug_exit **ret_debug_exit, struct vmr_error *err)
{
    if (!options->power)
        return vmr_error_set(err, VMR_E_USAGE, "debug exit: no power line was given");

    struct vmr_debug_exit *debug_exit = calloc(1, sizeof(*debug_exit));

    if (!debug_exit)
        return vmr_error_set(err, VMR_E_NOMEM, "debug exit: out of memory");
    debug_exit->power = options->power;
    debug_exit->port = options->port != 0 ? options->port : DEFAULT_PORT;

    const struct vmr_bus_range range = {.name = "debug exit",
                                        .start = debug_exit->port,
                                        .length = PORT_COUNT,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4,
                                        .ops = &debug_exit_ops,
                                        .device = debug_exit};
    enum vmr_status status = vmr_bus_claim(ports, &range, err);

    if (status != VMR_OK) {
        free(debug_exit);
        return status;
    }
    debug_exit->ports = ports;
    *ret_debug_exit = debug_exit;
    return VMR_OK;
}

void vmr_debug_exit_destroy(struct vmr_debug_exit *debug_exit)
{
    if (!debug_exit)
        return;
    claim_release(debug_exit->ports, debug_exit->port);
    free(debug_exit);
}
