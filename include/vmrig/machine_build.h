/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a configuration to a machine.
 *
 * What is built: RAM as laid out and backed as asked, firmware that ends at 4
 * GiB, the chipset's timers, controllers and consoles, devices of the registry,
 * the Hyper-V guest interface. What a configuration asks for and neither the
 * library nor the hypervisor nor the registry has is refused by its path, all of
 * it in one go, before anything is made. [CFG-5]
 *
 * The board: `chipset` and `chipset_devices` name it. With neither, it is the
 * small PC of vmrig/machine.h, whole.
 */

#include "vmrig/config_report.h"
#include "vmrig/machine.h"
#include "vmrig/resource.h"

VMR_BEGIN_DECLS

struct vmr_machine_build_options {
    const struct vmr_config *config; /* required; not needed once the machine is made */
    /*
     * As in struct vmr_machine_options: handle and host are required. `rtc_epoch_s` is what the clock would show
     * without `rtc_delta_milliseconds`.
     */
    const struct vmr_hypervisor_handle *handle;
    const struct vmr_host *host;
    struct vmr_vm_clock *clock;
    struct vmr_console_sink console;
    void (*exit)(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit);
    void (*yielded)(void *context, struct vmr_vp *vp);
    void *exit_context; /* of both */
    uint64_t rtc_epoch_s;
    /*
     * What the Hyper-V guest interface says of the TSC. 0: as vmr_handle_tsc_hz has it; a replay, whose handle has no
     * TSC, brings what was recorded.
     */
    uint64_t tsc_hz;
    const struct vmr_resource_registry *registry; /* NULL: the library's own types alone */
    /*
     * Reads what a blob names by its path: all of it, at most `size_max` bytes, to be freed with free(). NULL: blobs
     * must bring their bytes.
     */
    enum vmr_status (*read)(void *context, const char *path, size_t size_max, void **ret_bytes, size_t *ret_size,
                            struct vmr_error *err);
    void *read_context;
};

/*
 * Checks, resolves, asks the hypervisor, refuses, builds. VMR_E_CONFIG: the
 * configuration is wrong, and VMR_E_UNSUPPORTED: it is right but not for here,
 * both with findings in `report`; any other failure is in `err`. Not on a VP's thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_build(const struct vmr_machine_build_options *options,
                                                         struct vmr_machine **ret_machine,
                                                         struct vmr_config_report *report, struct vmr_error *err);

VMR_END_DECLS
