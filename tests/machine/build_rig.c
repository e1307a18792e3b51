/* SPDX-License-Identifier: MIT */
/*
 * A machine to be built, again and again.
 */

#include "tests/machine/build_rig.h"

static uint8_t firmware[0x10000];

void build_rig_init(struct build_rig *rig)
{
    struct vmr_backend_set set;

    memset(rig, 0, sizeof(*rig));
    rig->mem = (struct vmr_memory_config){.mem_size = 64 * MIB, .private_memory = true};
    rig->node.mem = &rig->mem;
    rig->config.numa.nodes = &rig->node;
    rig->config.numa.node_count = 1;
    rig->config.load_mode.mode = VMR_LOAD_FIRMWARE;
    rig->config.load_mode.firmware.image = (struct vmr_config_blob){.bytes = firmware, .size = sizeof(firmware)};
    vmr_host_posix(&rig->host, NULL);
    vmr_backend_set_init(&set);
    assert_int_equal(vmr_probe_named(&set, "mock", &rig->handle, NULL), VMR_OK);
    rig->options = (struct vmr_machine_build_options){
        .config = &rig->config, .handle = &rig->handle, .host = &rig->host, .rtc_epoch_s = 1700000000};
}

static enum vmr_status build(struct build_rig *rig)
{
    vmr_machine_destroy(rig->machine);
    rig->machine = NULL;
    vmr_config_report_finish(&rig->report);
    rig->err = (struct vmr_error){.message = ""};
    return vmr_machine_build(&rig->options, &rig->machine, &rig->report, &rig->err);
}

void build_rig_build(struct build_rig *rig)
{
    if (build(rig) != VMR_OK)
        fail_msg("%s %s: %s; %s", rig->report.count ? rig->report.findings[0].rule->code : "",
                 rig->report.count ? rig->report.findings[0].path : "",
                 rig->report.count ? rig->report.findings[0].message : "", rig->err.message);
    assert_int_equal(rig->report.count, 0);
}

void build_rig_refuse(struct build_rig *rig, enum vmr_status status, const char *code, const char *path,
                      const char *said)
{
    enum vmr_status got = build(rig);
    const struct vmr_config_finding *found = rig->report.findings;

    assert_null(rig->machine);
    if (got != status || rig->report.count != 1 || strcmp(found->rule->code, code) != 0 ||
        strcmp(found->path, path) != 0 || !strstr(found->message, said))
        fail_msg("%s, %zu findings: %s at '%s': %s", vmr_status_name(got), rig->report.count,
                 rig->report.count ? found->rule->code : "", rig->report.count ? found->path : "",
                 rig->report.count ? found->message : rig->err.message);
}

void build_rig_finish(struct build_rig *rig)
{
    vmr_machine_destroy(rig->machine);
    vmr_config_report_finish(&rig->report);
    vmr_handle_close(&rig->handle);
}
