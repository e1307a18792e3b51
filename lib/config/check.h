/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of vmr_config_check, each for one part of the configuration, in the
 * order of its fields. A part looks at other parts where a rule is about both,
 * and speaks of its own.
 */

#include "lib/config/arena.h"
#include "lib/config/check_rules.h"
#include "lib/config/report.h"

struct check {
    /* A copy whose lists can be walked: one without elements, or with too many, was found and is empty here. */
    struct vmr_config config;
    struct vmr_config_report *report;
    struct config_path path;
    struct arena arena; /* for looking things up */
    bool out_of_memory;
    /* Numbers that several rules need; false: they would say again what another rule has said. */
    bool nodes_known, vps_known;
};

/* Where it is: a path for one finding. */
const struct config_path *at(struct check *check, const char *format, ...) VMR_PRINTF(2, 3);
#define FOUND(check, rule, place, ...) report_add((check)->report, (rule), (place), __VA_ARGS__)

/* Of a list inside a list: whether it can be walked. */
bool list_is_usable(const void *items, size_t count);
/* An architecture that is none counts as neither. */
bool is_x86(const struct check *check);
bool is_arm64(const struct check *check);
/* SNP and TDX: the processor keeps the guest from the host. */
bool is_hardware_isolated(const struct check *check);
bool blob_is_given(const struct vmr_config_blob *blob);
bool is_multiple(uint64_t value, uint64_t unit);
/* Rounded up; false: beyond 64 bits. */
bool round_up(uint64_t value, uint64_t unit, uint64_t *ret_rounded);
/* VPs: what a configuration of 0 means is resolved. */
uint32_t check_vp_count(const struct check *check);
/* What the chipset has below 4 GiB. */
struct vmr_gpa_range check_chipset_low_mmio(const struct check *check);
/* A device that names a node: it exists. */
void check_vnode(struct check *check, const struct vmr_optional_u32 *vnode, const struct config_path *place);

/* Of the configuration as it was given. */
void check_fields(struct check *check, const struct vmr_config *config);
void check_load(struct check *check);
void check_disks(struct check *check);
void check_pcie(struct check *check);
void check_vpci(struct check *check);
void check_numa(struct check *check);
void check_processors(struct check *check);
void check_gic(struct check *check);
void check_hypervisor(struct check *check);
void check_chipset(struct check *check);
void check_vmbus(struct check *check);
void check_display(struct check *check);
void check_virtio(struct check *check);
void check_vmgs(struct check *check);
void check_uefi(struct check *check);
void check_vmbus_devices(struct check *check);
void check_board(struct check *check);
void check_layout(struct check *check);
