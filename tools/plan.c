/* SPDX-License-Identifier: MIT */
/*
 * A machine as metadata and back. A recording can come from anywhere, so each
 * value is held against its limit before anything is made of it.
 */

#include "tools/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tools/config_input.h"
#include "tools/matcher.h"
#include "tools/number.h"

#define KIND_SMALL "small-pc"
#define KIND_CONFIGURED "configured"
/* Of a configuration, in one value of the metadata. */
#define PIECE_BYTES 1000u

static void add_text(struct plan_meta *meta, const char *key, const char *value)
{
    meta->pairs[meta->count++] = (struct vmr_trace_meta){.key = key, .value = value};
}

static void add_number(struct plan_meta *meta, const char *key, uint64_t value)
{
    char *text = meta->texts[meta->count];

    (void)snprintf(text, sizeof(meta->texts[0]), "%" PRIu64, value);
    add_text(meta, key, text);
}

static void add_hash(struct plan_meta *meta, const char *key, uint64_t hash)
{
    char *text = meta->texts[meta->count];

    (void)snprintf(text, sizeof(meta->texts[0]), "%016" PRIx64, hash);
    add_text(meta, key, text);
}

/* Pieces end with zeros that take the place of nothing: each is copied behind the last. */
static enum vmr_status add_config(struct plan_meta *meta, const struct vmr_config_text *config, struct vmr_error *err)
{
    size_t pieces = (config->length + PIECE_BYTES - 1) / PIECE_BYTES;
    char *at;

    if (pieces > PLAN_CONFIG_PIECES_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "the configuration of %zu bytes is too long to be recorded: at most %u",
                             config->length, PLAN_CONFIG_PIECES_MAX * PIECE_BYTES);
    at = meta->config = malloc(config->length + pieces);
    if (!at)
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    for (size_t i = 0; i < pieces; i++) {
        size_t length = config->length - i * PIECE_BYTES;

        length = length < PIECE_BYTES ? length : PIECE_BYTES;
        memcpy(at, config->bytes + i * PIECE_BYTES, length);
        at[length] = '\0';
        (void)snprintf(meta->texts[meta->count], sizeof(meta->texts[0]), "config-%zu", i);
        add_text(meta, meta->texts[meta->count], at);
        at += length + 1;
    }
    return VMR_OK;
}

enum vmr_status plan_to_meta(const struct plan *plan, struct plan_meta *ret_meta, struct vmr_error *err)
{
    struct vmr_config_text config;
    enum vmr_status status = plan_print(plan, &config, err);

    ret_meta->count = 0;
    ret_meta->config = NULL;
    if (status != VMR_OK)
        return status;
    add_text(ret_meta, "machine", config.bytes ? KIND_CONFIGURED : KIND_SMALL);
    if (config.bytes) {
        status = add_config(ret_meta, &config, err);
        free(config.bytes);
    } else {
        add_number(ret_meta, "memory", plan->memory_size);
        add_number(ret_meta, "vps", plan->vps);
    }
    add_number(ret_meta, "firmware-size", plan->firmware_size);
    add_hash(ret_meta, "firmware-xxh3", XXH3_64bits(plan->firmware, plan->firmware_size));
    add_number(ret_meta, "rtc-epoch", plan->rtc_epoch_s);
    if (plan_has_hv(plan))
        add_number(ret_meta, "tsc-hz", plan->tsc_hz);
    if (plan->until)
        add_text(ret_meta, "until", plan->until);
    return status;
}

bool plan_until_fits(const char *until)
{
    size_t length = strlen(until);

    if (length == 0 || length > MATCHER_TEXT_MAX)
        return false;
    for (const char *at = until; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return true;
}

static enum vmr_status read_number(const struct vmr_replay *replay, const char *key, uint64_t min, uint64_t max,
                                   uint64_t *ret_value, struct vmr_error *err)
{
    const char *wire_text = vmr_replay_meta(replay, key);
    uint64_t value;

    if (!wire_text)
        return vmr_error_set(err, VMR_E_CORRUPT, "its metadata has no '%s'", key);
    if (!number_parse(wire_text, &value) || value < min || value > max)
        return vmr_error_set(err, VMR_E_CORRUPT,
                             "its metadata says %s='%.32s': not a number from %" PRIu64 " to %" PRIu64, key, wire_text,
                             min, max);
    *ret_value = value;
    return VMR_OK;
}

/* Each key held against its limits. */
static enum vmr_status read_numbers(const struct vmr_replay *replay, struct plan *plan, bool small,
                                    struct vmr_error *err)
{
    uint64_t vps = 1, firmware_size = 0;
    const struct {
        const char *key;
        bool small; /* of the small PC alone */
        uint64_t min, max;
        uint64_t *value;
    } rows[] = {
        {"memory", true, 1, UINT64_C(1) << VMR_PHYSICAL_BITS_MAX, &plan->memory_size},
        {"vps", true, 1, VMR_VP_COUNT_MAX, &vps},
        {"firmware-size", false, small ? 1 : 0, PLAN_FIRMWARE_MAX, &firmware_size},
        {"rtc-epoch", false, 0, INT64_MAX, &plan->rtc_epoch_s},
    };
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == VMR_OK; i++) {
        if (small || !rows[i].small)
            status = read_number(replay, rows[i].key, rows[i].min, rows[i].max, rows[i].value, err);
    }
    plan->vps = (uint32_t)vps;
    plan->firmware_size = (size_t)firmware_size;
    return status;
}

static enum vmr_status read_config(const struct vmr_replay *replay, struct plan *plan, struct vmr_error *err)
{
    char *text = malloc(PLAN_CONFIG_PIECES_MAX * PIECE_BYTES);
    enum vmr_status status = VMR_OK;
    size_t length = 0;

    if (!text)
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < PLAN_CONFIG_PIECES_MAX && status == VMR_OK; i++) {
        char key[24];

        (void)snprintf(key, sizeof(key), "config-%u", i);
        const char *wire_piece = vmr_replay_meta(replay, key);

        if (!wire_piece)
            break;
        size_t size = strlen(wire_piece);

        if (size > PIECE_BYTES) {
            status = vmr_error_set(err, VMR_E_CORRUPT, "its metadata says %zu bytes of %s", size, key);
            break;
        }
        memcpy(text + length, wire_piece, size);
        length += size;
    }
    if (status == VMR_OK)
        status = length == 0 ? vmr_error_set(err, VMR_E_CORRUPT, "its metadata has no 'config-0'")
                             : plan_parse(text, length, plan, err);
    free(text);
    return status;
}

enum vmr_status plan_from_replay(const struct vmr_replay *replay, struct plan *ret_plan, struct vmr_error *err)
{
    const char *wire_kind = vmr_replay_meta(replay, "machine");
    struct plan plan = {.until = vmr_replay_meta(replay, "until")};

    if (!wire_kind)
        return vmr_error_set(err, VMR_E_CORRUPT, "not a recording of 'vmrig run': its metadata names no machine");
    bool small = strcmp(wire_kind, KIND_SMALL) == 0;

    if (!small && strcmp(wire_kind, KIND_CONFIGURED) != 0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "its machine is a '%.32s', neither a '%s' nor '%s'", wire_kind,
                             KIND_SMALL, KIND_CONFIGURED);
    enum vmr_status status = read_numbers(replay, &plan, small, err);

    if (status == VMR_OK && !small)
        status = read_config(replay, &plan, err);
    if (status == VMR_OK && plan_has_hv(&plan))
        status = read_number(replay, "tsc-hz", 0, UINT64_MAX, &plan.tsc_hz, err);
    if (status != VMR_OK)
        plan_finish(&plan);
    if (status == VMR_OK)
        *ret_plan = plan;
    return status;
}

/* --- the configuration --- */

void plan_finish(struct plan *plan)
{
    vmr_config_file_destroy(plan->file);
    plan->file = NULL;
}

bool plan_has_hv(const struct plan *plan)
{
    return plan->file && vmr_config_file_get(plan->file)->hypervisor.with_hv;
}

uint32_t plan_vps(const struct plan *plan)
{
    uint32_t count = plan->file ? vmr_config_file_get(plan->file)->processor_topology.proc_count : plan->vps;

    return count ? count : 1;
}

const char *plan_firmware_path(const struct plan *plan)
{
    const struct vmr_config *config = plan->file ? vmr_config_file_get(plan->file) : NULL;

    return config && config->load_mode.mode == VMR_LOAD_FIRMWARE ? config->load_mode.firmware.image.path : NULL;
}

/* Ends of lines and what they are indented by stand between values alone: texts have escapes in their place. */
static void join_lines(struct vmr_config_text *text)
{
    size_t length = 0;

    for (size_t i = 0; i < text->length; i++) {
        if (text->bytes[i] == '\n') {
            while (i + 1 < text->length && text->bytes[i + 1] == ' ')
                i++;
            continue;
        }
        text->bytes[length++] = text->bytes[i];
    }
    text->bytes[length] = '\0';
    text->length = length;
}

enum vmr_status plan_print(const struct plan *plan, struct vmr_config_text *ret_text, struct vmr_error *err)
{
    if (!plan->file) {
        *ret_text = (struct vmr_config_text){.bytes = NULL};
        return VMR_OK;
    }
    struct vmr_config config = *vmr_config_file_get(plan->file);

    if (config.load_mode.mode == VMR_LOAD_FIRMWARE)
        config.load_mode.firmware.image = (struct vmr_config_blob){.path = "firmware"};
    enum vmr_status status = vmr_config_print(&config, ret_text, err);

    if (status == VMR_OK)
        join_lines(ret_text);
    return status;
}

enum vmr_status plan_parse(const void *text, size_t length, struct plan *plan, struct vmr_error *err)
{
    struct vmr_config_report report = {.count = 0};
    enum vmr_status status = vmr_config_file_read(text, length, &plan->file, &report);

    if (status == VMR_E_CONFIG)
        status = vmr_error_set(err, VMR_E_CORRUPT, "its configuration: %s: %s", report.findings[0].path,
                               report.findings[0].message);
    else if (status != VMR_OK)
        status = vmr_error_set(err, status, "its configuration: %s", vmr_status_name(status));
    vmr_config_report_finish(&report);
    return status;
}

/* What the options say, as a configuration: RAM up to 3 GiB from address 0, the rest from 4 GiB. */
struct small {
    struct vmr_config config;
    struct vmr_memory_config memory;
    struct vmr_numa_node node;
};

static void make_small(const struct plan *plan, struct small *ret_small)
{
    *ret_small = (struct small){.memory = {.mem_size = plan->memory_size, .private_memory = true}};
    ret_small->node.mem = &ret_small->memory;
    ret_small->config = (struct vmr_config){
        .load_mode.mode = VMR_LOAD_FIRMWARE,
        .numa = {.nodes = &ret_small->node, .node_count = 1},
        .processor_topology.proc_count = plan->vps,
        .layout.chipset_low_mmio_size = {.given = true, .value = UINT32_C(1) << 30},
        .automatic_guest_reset = plan->restarts,
    };
}

static enum vmr_status tell(const char *name, struct vmr_config_report *report, enum vmr_status status,
                            struct vmr_error *err)
{
    const struct vmr_config_finding *first = report->findings;

    if (name) {
        config_input_print_findings(stderr, name, report);
        return vmr_error_set(err, status, "'%s' cannot be built here", name);
    }
    return vmr_error_set(err, status, "%s%s%s [%s]", first->path, first->path[0] ? ": " : "", first->message,
                         first->rule->code);
}

enum vmr_status plan_build(const struct plan *plan, const char *name, const struct vmr_machine_build_options *options,
                           struct vmr_machine **ret_machine, struct vmr_error *err)
{
    struct vmr_machine_build_options all = *options;
    struct vmr_config_report report = {.count = 0};
    struct vmr_config config;
    struct small small;

    make_small(plan, &small);
    config = plan->file ? *vmr_config_file_get(plan->file) : small.config;
    if (config.load_mode.mode == VMR_LOAD_FIRMWARE)
        config.load_mode.firmware.image =
            (struct vmr_config_blob){.bytes = plan->firmware, .size = plan->firmware_size};
    all.config = &config;
    all.rtc_epoch_s = plan->rtc_epoch_s;
    all.tsc_hz = plan->tsc_hz;

    enum vmr_status status = vmr_machine_build(&all, ret_machine, &report, err);

    if (report.count > 0)
        status = tell(name, &report, status, err);
    vmr_config_report_finish(&report);
    return status;
}
