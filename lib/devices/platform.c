/* SPDX-License-Identifier: MIT */
/*
 * The devices of a small PC, made in one order and destroyed in the other. What
 * each does is in its own file; here is only who is there.
 */

#include <assert.h>
#include <stdlib.h>

#include "vmrig/device_state.h"

/* Where emulated PCs have the debug exit, and where some test guests expect it. */
#define DEBUG_EXIT_PORT 0xf4u
#define DEBUG_EXIT_OTHER_PORT 0x501u

struct vmr_platform {
    struct vmr_power *power;
    struct vmr_serial *serial;
    struct vmr_debug_console *debug_console;
    struct vmr_cmos *cmos;
    struct vmr_pit *pit;
    struct vmr_i8042 *i8042;
    struct vmr_pci_none *pci;
    struct vmr_debug_exit *debug_exits[2];
    struct vmr_fw_cfg *fw_cfg;
};

const char *vmr_console_source_name(enum vmr_console_source source)
{
    switch (source) {
    case VMR_CONSOLE_SERIAL:
        return "serial";
    case VMR_CONSOLE_DEBUG:
        return "debug";
    case VMR_CONSOLE_SOURCE_COUNT:
        break;
    }
    return "unknown";
}

/* --- each part --- */

static enum vmr_status create_serial(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                     struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_serial_options serial = {.host = options->host, .irq = options->irq, .console = options->console};

    return vmr_serial_create(&serial, ports, &platform->serial, err);
}

static enum vmr_status create_debug_console(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                            struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_debug_console_options debug = {.host = options->host, .console = options->console};

    return vmr_debug_console_create(&debug, ports, &platform->debug_console, err);
}

static enum vmr_status create_cmos(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                   struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_cmos_options cmos = {.host = options->host,
                                          .epoch_s = options->rtc_epoch_s,
                                          .epoch_ms = options->rtc_epoch_ms,
                                          .memory_below_4g = options->memory_below_4g,
                                          .memory_above_4g = options->memory_above_4g,
                                          .vp_count = options->vp_count,
                                          .irq = options->irq,
                                          .timer = options->timer};

    return vmr_cmos_create(&cmos, ports, &platform->cmos, err);
}

static enum vmr_status create_pit(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                  struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_pit_options pit = {.host = options->host, .irq = options->irq, .timer = options->timer};

    return vmr_pit_create(&pit, ports, &platform->pit, err);
}

static enum vmr_status create_i8042(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                    struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_i8042_options i8042 = {.host = options->host, .power = platform->power, .irq = options->irq};

    return vmr_i8042_create(&i8042, ports, &platform->i8042, err);
}

static enum vmr_status create_pci(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                  struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_pci_none_options pci = {.host = options->host, .power = platform->power};

    return vmr_pci_none_create(&pci, ports, &platform->pci, err);
}

static enum vmr_status create_debug_exits(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                          struct vmr_bus *ports, struct vmr_error *err)
{
    static const uint16_t numbers[2] = {DEBUG_EXIT_PORT, DEBUG_EXIT_OTHER_PORT};
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; i < 2 && status == VMR_OK; i++) {
        const struct vmr_debug_exit_options debug_exit = {
            .host = options->host, .power = platform->power, .port = numbers[i]};

        status = vmr_debug_exit_create(&debug_exit, ports, &platform->debug_exits[i], err);
    }
    return status;
}

static enum vmr_status create_fw_cfg(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                     struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_fw_cfg_options fw_cfg = {.host = options->host, .vp_count = options->vp_count};

    return vmr_fw_cfg_create(&fw_cfg, ports, &platform->fw_cfg, err);
}

/* In the order of recordings. */
static enum vmr_status (*const create_part[VMR_PLATFORM_PART_COUNT])(struct vmr_platform *platform,
                                                                     const struct vmr_platform_options *options,
                                                                     struct vmr_bus *ports, struct vmr_error *err) = {
    [VMR_PLATFORM_SERIAL] = create_serial,
    [VMR_PLATFORM_DEBUG_CONSOLE] = create_debug_console,
    [VMR_PLATFORM_CMOS] = create_cmos,
    [VMR_PLATFORM_PIT] = create_pit,
    [VMR_PLATFORM_I8042] = create_i8042,
    [VMR_PLATFORM_PCI] = create_pci,
    [VMR_PLATFORM_DEBUG_EXIT] = create_debug_exits,
    [VMR_PLATFORM_FW_CFG] = create_fw_cfg,
};

static enum vmr_status create_all(struct vmr_platform *platform, const struct vmr_platform_options *options,
                                  struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_power_options power = {.host = options->host, .sink = options->power};
    enum vmr_status status = vmr_power_create(&power, &platform->power, err);

    for (unsigned i = 0; i < VMR_PLATFORM_PART_COUNT && status == VMR_OK; i++) {
        if ((options->without >> i & 1u) == 0)
            status = create_part[i](platform, options, ports, err);
    }
    return status;
}

enum vmr_status vmr_platform_create(const struct vmr_platform_options *options, struct vmr_bus *ports,
                                    struct vmr_platform **ret_platform, struct vmr_error *err)
{
    if (options->without >> VMR_PLATFORM_PART_COUNT != 0)
        return vmr_error_set(err, VMR_E_USAGE, "platform: without %#x names parts that there are not",
                             (unsigned)options->without);

    struct vmr_platform *platform = calloc(1, sizeof(*platform));

    if (!platform)
        return vmr_error_set(err, VMR_E_NOMEM, "platform: out of memory");

    enum vmr_status status = create_all(platform, options, ports, err);

    if (status != VMR_OK) {
        vmr_platform_destroy(platform);
        return status;
    }
    *ret_platform = platform;
    return VMR_OK;
}

void vmr_platform_destroy(struct vmr_platform *platform)
{
    if (!platform)
        return;
    vmr_fw_cfg_destroy(platform->fw_cfg);
    vmr_debug_exit_destroy(platform->debug_exits[1]);
    vmr_debug_exit_destroy(platform->debug_exits[0]);
    vmr_pci_none_destroy(platform->pci);
    vmr_i8042_destroy(platform->i8042);
    vmr_pit_destroy(platform->pit);
    vmr_cmos_destroy(platform->cmos);
    vmr_debug_console_destroy(platform->debug_console);
    vmr_serial_destroy(platform->serial);
    vmr_power_destroy(platform->power);
    free(platform);
}

uint64_t vmr_platform_poll(struct vmr_platform *platform, uint64_t now_ns)
{
    uint64_t pit_ns = platform->pit ? vmr_pit_poll(platform->pit, now_ns) : VMR_NEVER;
    uint64_t cmos_ns = platform->cmos ? vmr_cmos_poll(platform->cmos, now_ns) : VMR_NEVER;

    return pit_ns < cmos_ns ? pit_ns : cmos_ns;
}

struct vmr_power *vmr_platform_power(struct vmr_platform *platform)
{
    return platform->power;
}

struct vmr_serial *vmr_platform_serial(struct vmr_platform *platform)
{
    return platform->serial;
}

/* --- state --- */

#define UNIT_MAX 7u

/* Those that are there. */
static size_t fill_units(struct vmr_platform *platform, struct vmr_state_unit *ret_units)
{
    size_t count = 0;

    vmr_power_state_unit(platform->power, &ret_units[count++]);
    if (platform->serial)
        vmr_serial_state_unit(platform->serial, &ret_units[count++]);
    if (platform->cmos)
        vmr_cmos_state_unit(platform->cmos, &ret_units[count++]);
    if (platform->pit)
        vmr_pit_state_unit(platform->pit, &ret_units[count++]);
    if (platform->i8042)
        vmr_i8042_state_unit(platform->i8042, &ret_units[count++]);
    if (platform->pci)
        vmr_pci_none_state_unit(platform->pci, &ret_units[count++]);
    if (platform->fw_cfg)
        vmr_fw_cfg_state_unit(platform->fw_cfg, &ret_units[count++]);
    return count;
}

size_t vmr_platform_state_units(struct vmr_platform *platform, struct vmr_state_unit *ret_units, size_t capacity)
{
    struct vmr_state_unit units[UNIT_MAX];
    size_t count = fill_units(platform, units);

    for (size_t i = 0; i < count && i < capacity; i++)
        ret_units[i] = units[i];
    return count;
}

void vmr_platform_reset(struct vmr_platform *platform)
{
    struct vmr_state_unit units[UNIT_MAX];
    union {
        struct vmr_power_state power;
        struct vmr_serial_state serial;
        struct vmr_cmos_state cmos;
        struct vmr_pit_state pit;
        struct vmr_i8042_state i8042;
        struct vmr_pci_none_state pci;
        struct vmr_fw_cfg_state fw_cfg;
    } value;

    size_t count = fill_units(platform, units);

    for (size_t i = 0; i < count; i++) {
        units[i].at_reset(units[i].object, &value);
        enum vmr_status status = units[i].set(units[i].object, &value, NULL);

        assert(status == VMR_OK); /* what a device holds at power-up it can hold */
        (void)status;
    }
}
