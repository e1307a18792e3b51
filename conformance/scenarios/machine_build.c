/* SPDX-License-Identifier: MIT */
/*
 * Machines from configurations, on the hypervisor: what was asked for is there,
 * what is not here is refused by its name before anything is made.
 */

#include "conformance/scenarios/guest_words.h"

#include <string.h>

#include "vmrig/machine_build.h"

#define MIB UINT64_C(0x100000)
#define FIRMWARE_BYTES 0x10000u

/* Powers off with what the real-time clock shows as its second. */
CONF_PROGRAM(tells_second, VMR_OUT(0x70, 1, 0), VMR_IN(1, 0x71, 1), VMR_OUT_VAR(0xf4, 1, 1), VMR_SPIN());
static const uint8_t tells_second_code[] = {
    0x30, 0xc0, 0xe6, 0x70, /* xor al, al; out 0x70, al */
    0xe4, 0x71, 0xe6, 0xf4, /* in al, 0x71; out 0xf4, al */
    0xf4,                   /* hlt */
};

static const struct vmr_memory_config memory = {.mem_size = 4 * MIB, .private_memory = true, .prefetch_memory = true};
static const struct vmr_numa_node node = {.mem = &memory};

static void make_firmware(uint8_t *firmware)
{
    static const uint8_t jump[] = {0xe9, 0x0d, 0xff};

    memset(firmware, 0xf4, FIRMWARE_BYTES);
    memcpy(firmware + FIRMWARE_BYTES - 0x100, tells_second_code, sizeof(tells_second_code));
    memcpy(firmware + FIRMWARE_BYTES - 0x10, jump, sizeof(jump));
}

static void built_and_run(struct conf *conf)
{
    uint8_t firmware[FIRMWARE_BYTES];
    struct vmr_config config = {
        .numa = {.nodes = &node, .node_count = 1},
        .load_mode = {.mode = VMR_LOAD_FIRMWARE, .firmware.image = {.bytes = firmware, .size = sizeof(firmware)}},
        .rtc_delta_milliseconds = -11000};
    const struct vmr_machine_build_options options = {
        .config = &config, .handle = conf->handle, .host = conf->host, .rtc_epoch_s = 60 + 48};
    struct vmr_config_report report = {.count = 0};
    struct vmr_machine *machine = NULL;
    struct vmr_vp_set_halt halt = {.vp = 0};
    struct vmr_error err = {.message = ""};
    uint32_t value = 0;

    make_firmware(firmware);
    enum vmr_status status = vmr_machine_build(&options, &machine, &report, &err);

    CONF_CHECK(conf, status == VMR_OK, "%s %s", report.count ? report.findings[0].message : "", err.message);
    vmr_config_report_finish(&report);
    if (status != VMR_OK)
        return;
    struct vmr_mock *mock = vmr_mock_of(vmr_machine_partition(machine));

    CONF_CHECK(conf, !mock || vmr_mock_load_program(mock, 0, &tells_second, NULL) == VMR_OK, "no program");
    CONF_CHECK_EQ(conf, vmr_machine_start(machine), VMR_OK, "the start");
    CONF_CHECK_EQ(conf, vmr_machine_wait(machine, VMR_NEVER, &halt), VMR_OK, "the wait");
    CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_POWER_OFF, "why it halted");
    CONF_CHECK(conf, vmr_machine_exit_value(machine, &value) && value == 0x37, "the clock showed %#x, not 37 s",
               (unsigned)value);
    vmr_machine_destroy(machine);
}

static void refused(struct conf *conf)
{
    static const struct vmr_virtio_config virtio = {.bus = VMR_VIRTIO_MMIO, .resource = {.id = "no-such-device"}};
    static const struct vmr_chipset_device_config device = {.name = "it", .resource = {.id = "nor-this"}};
    static const char *const paths[] = {"load_mode", "hypervisor.nested_virt", "chipset_devices[0].resource",
                                        "virtio_devices[0].resource"};
    const struct vmr_config config = {.numa = {.nodes = &node, .node_count = 1},
                                      .load_mode = {.mode = VMR_LOAD_LINUX, .linux_direct.kernel.path = "bzImage"},
                                      .hypervisor.nested_virt = true,
                                      .chipset = {.generic_pic = true, .generic_ioapic = true},
                                      .chipset_devices = &device,
                                      .chipset_device_count = 1,
                                      .virtio_devices = &virtio,
                                      .virtio_device_count = 1};
    const struct vmr_machine_build_options options = {.config = &config, .handle = conf->handle, .host = conf->host};
    struct vmr_config_report report = {.count = 0};
    struct vmr_machine *machine = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK_EQ(conf, vmr_machine_build(&options, &machine, &report, &err), VMR_E_UNSUPPORTED, "the build");
    CONF_CHECK(conf, machine == NULL, "there is a machine");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        bool found = false;

        for (size_t k = 0; k < report.count; k++)
            found |= strcmp(report.findings[k].path, paths[i]) == 0;
        CONF_CHECK(conf, found, "'%s' is passed over", paths[i]);
    }
    vmr_config_report_finish(&report);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_configured_machine_runs_as_it_says",
     .family = "machine",
     .clauses = "CFG-5 MEM-9",
     .chip = CONF_CHIP_ANY,
     .run = built_and_run},
    {.name = "what_is_not_here_is_refused_all_in_one_go",
     .family = "machine",
     .clauses = "CFG-5",
     .chip = CONF_CHIP_ANY,
     .run = refused},
};

CONF_FAMILY(machine_build, scenarios);
