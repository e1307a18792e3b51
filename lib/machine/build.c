/* SPDX-License-Identifier: MIT */
/*
 * Building: the configuration is checked and resolved, the hypervisor asked,
 * everything that is not there refused, and then a machine is made in one call.
 */

#include "lib/machine/build.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/boot/firmware.h"
#include "lib/config/rules.h"

/* 9999-12-31 23:59:59 UTC: four digits of the year. */
#define EPOCH_S_MAX INT64_C(253402300799)
#define MS_PER_S 1000

/* Local APICs have their VP's index as their id, and CPUID tells of nothing else. */
static void check_topology(const struct vmr_resolved *resolved, struct vmr_config_report *report)
{
    const struct vmr_resolved_processors *processors = &resolved->processors;

    if (processors->smt)
        report_add_text(report, &rules_build[RULE_BUILD_TOPOLOGY], "processor_topology.enable_smt",
                        "cores have one thread");
    if (processors->socket_count > 1)
        report_add_text(report, &rules_build[RULE_BUILD_TOPOLOGY], "processor_topology.vps_per_socket",
                        "VPs are in %" PRIu32 " sockets", processors->socket_count);
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        if (processors->vps[i].apic_id != i) {
            report_add_text(report, &rules_build[RULE_BUILD_TOPOLOGY], "processor_topology",
                            "VP %" PRIu32 " has APIC id %" PRIu32, i, processors->vps[i].apic_id);
            break;
        }
    }
    if (resolved->numa.node_count > 1)
        report_add_text(report, &rules_build[RULE_BUILD_NUMA], "numa.nodes", "there are %" PRIu32,
                        resolved->numa.node_count);
}

static void plan_clock(const struct vmr_machine_build_options *options, struct machine_plan *plan,
                       struct vmr_config_report *report)
{
    int64_t delta = options->config->rtc_delta_milliseconds;
    int64_t seconds = delta / MS_PER_S, rest = delta % MS_PER_S;

    if (rest < 0) {
        rest += MS_PER_S;
        seconds--;
    }
    /* |seconds| is below 2^54, so nothing overflows once the epoch is in range. */
    if (options->rtc_epoch_s > (uint64_t)EPOCH_S_MAX || seconds + (int64_t)options->rtc_epoch_s < 0 ||
        seconds + (int64_t)options->rtc_epoch_s > EPOCH_S_MAX) {
        report_add_text(report, &rules_build[RULE_BUILD_CLOCK], "rtc_delta_milliseconds",
                        "%" PRId64 " leads out of the calendar", delta);
        return;
    }
    plan->options.rtc_epoch_s = (uint64_t)(seconds + (int64_t)options->rtc_epoch_s);
    plan->options.rtc_epoch_ms = (uint32_t)rest;
}

static void plan_firmware(const struct vmr_machine_build_options *options, struct machine_plan *plan,
                          struct vmr_config_report *report)
{
    static const char path[] = "load_mode.firmware.image";
    const struct vmr_config_blob *image = &options->config->load_mode.firmware.image;
    struct vmr_error err = {.message = ""};
    size_t size = image->size;

    if (options->config->load_mode.mode != VMR_LOAD_FIRMWARE)
        return;
    if (!image->bytes && !options->read) {
        report_add_text(report, &rules_build[RULE_BUILD_FILE], path, "'%s': nobody here reads files", image->path);
        return;
    }
    if (!image->bytes &&
        options->read(options->read_context, image->path, FIRMWARE_SIZE_MAX, &plan->firmware, &size, &err) != VMR_OK) {
        report_add_text(report, &rules_build[RULE_BUILD_FILE], path, "%s", err.message);
        return;
    }
    if (firmware_check(size, &err) != VMR_OK)
        report_add_text(report, &rules_build[RULE_BUILD_FILE], path, "%s", err.message);
    plan->options.firmware = image->bytes ? image->bytes : plan->firmware;
    plan->options.firmware_size = size;
}

static void plan_hv(const struct vmr_machine_build_options *options, struct machine_plan *plan)
{
    plan->hv = (struct vmr_hv_config){.tsc_hz = options->tsc_hz ? options->tsc_hz : vmr_handle_tsc_hz(options->handle)};
    if (options->config->hypervisor.with_hv)
        plan->options.hv = &plan->hv;
}

static enum vmr_status make_plan(const struct vmr_machine_build_options *options, const struct vmr_resolved *resolved,
                                 struct machine_plan *plan, struct vmr_config_report *report)
{
    struct vmr_resource_registry own;
    size_t before = report_total(report);

    vmr_resource_registry_init(&own);
    plan->options = (struct vmr_machine_options){.handle = options->handle,
                                                 .host = options->host,
                                                 .vps = resolved->processors.vp_count,
                                                 .console = options->console,
                                                 .clock = options->clock,
                                                 .exit = options->exit,
                                                 .yielded = options->yielded,
                                                 .exit_context = options->exit_context,
                                                 .automatic_reset = options->config->automatic_guest_reset};
    build_refuse(options->config, report);
    check_topology(resolved, report);
    plan_clock(options, plan, report);
    plan_firmware(options, plan, report);
    plan_hv(options, plan);
    enum vmr_status status = build_board(resolved, options->registry ? options->registry : &own, plan, report);

    if (status == VMR_OK)
        status = build_memory(resolved, plan, report);
    if (status != VMR_OK)
        return status;
    return report_total(report) == before ? VMR_OK : VMR_E_UNSUPPORTED;
}

static enum vmr_status ask_host(const struct vmr_machine_build_options *options, const struct vmr_resolved *resolved,
                                struct vmr_config_report *report, struct vmr_error *err)
{
    struct vmr_resolve_host host = {.arch = VMR_ARCH_X86_64, .x2apic = true};
    enum vmr_status status = options->handle->backend->caps(options->handle, &host.caps, err);

    /* VTLs are there on the mock alone, and with them isolated pages. */
    host.isolation_vbs = vmr_caps_have(&host.caps, VMR_CAP_VTL);
    return status == VMR_OK ? vmr_resolved_check_host(resolved, &host, report) : status;
}

static enum vmr_status build_resolved(const struct vmr_machine_build_options *options,
                                      const struct vmr_resolved *resolved, struct vmr_machine **ret_machine,
                                      struct vmr_config_report *report, struct vmr_error *err)
{
    struct machine_plan plan = {.firmware = NULL};
    enum vmr_status asked = ask_host(options, resolved, report, err);
    enum vmr_status status = asked;

    if (asked == VMR_OK || asked == VMR_E_UNSUPPORTED)
        status = make_plan(options, resolved, &plan, report);
    if (status == VMR_OK)
        status = asked;
    if (status == VMR_OK)
        status = vmr_machine_create(&plan.options, ret_machine, err);
    else if (status == VMR_E_NOMEM)
        (void)vmr_error_set(err, status, "machine: out of memory");
    free(plan.firmware);
    arena_finish(&plan.arena);
    return status;
}

enum vmr_status vmr_machine_build(const struct vmr_machine_build_options *options, struct vmr_machine **ret_machine,
                                  struct vmr_config_report *report, struct vmr_error *err)
{
    struct vmr_resolved *resolved = NULL;

    if (!options->config || !options->handle || !options->host)
        return vmr_error_set(err, VMR_E_USAGE, "machine: options.%s is missing",
                             !options->config  ? "config"
                             : options->handle ? "host"
                                               : "handle");
    enum vmr_status status = vmr_resolve(options->config, &resolved, report);

    if (status == VMR_E_NOMEM)
        return vmr_error_set(err, status, "machine: out of memory");
    if (status != VMR_OK)
        return status;
    status = build_resolved(options, resolved, ret_machine, report, err);
    vmr_resolved_destroy(resolved);
    return status;
}
