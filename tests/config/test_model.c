/* SPDX-License-Identifier: MIT */
/*
 * The tables of fields: complete rows, and walks that see what is there.
 */

#include "lib/config/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/config_file.h"

/* --- the rows --- */

static void check_type(const struct model_struct *type);

static bool is_key(const char *name)
{
    return name && name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static void check_sizes(const struct model_field *field)
{
    static const size_t widths[MODEL_KIND_COUNT] = {
        [MODEL_BOOL] = sizeof(bool),
        [MODEL_SIGNED] = sizeof(int64_t),
        [MODEL_ENUM] = sizeof(enum vmr_arch),
        [MODEL_GUID] = sizeof(struct vmr_guid),
        [MODEL_MAC] = 6,
        [MODEL_RANGE] = sizeof(struct vmr_gpa_range),
        [MODEL_BLOB] = sizeof(struct vmr_config_blob),
        [MODEL_RESOURCE] = sizeof(struct vmr_resource),
    };

    if (widths[field->kind] != 0 && field->width != widths[field->kind])
        fail_msg("%s is %zu bytes wide", field->name, field->width);
    if (field->kind == MODEL_UNSIGNED) {
        assert_true(field->width == 1 || field->width == 2 || field->width == 4 || field->width == 8);
        assert_true(field->min <= model_max(field));
        assert_true(field->width == 8 || model_max(field) >> (8 * field->width) == 0);
        assert_true((field->align & (field->align - 1)) == 0);
    }
}

static void check_alternatives(const struct model_field *field)
{
    assert_true(field->alternative_count >= 2);
    for (size_t i = 0; i < field->alternative_count; i++) {
        const struct model_field *one = &field->alternatives[i];

        assert_true(is_key(one->name));
        check_sizes(one);
        if (one->type)
            check_type(one->type);
        else
            assert_non_null(one->about);
    }
}

static void check_field(const struct model_field *field)
{
    check_sizes(field);
    if (field->kind == MODEL_ENUM) {
        assert_true(field->name_count >= 2);
        for (size_t i = 0; i < field->name_count; i++)
            assert_true(is_key(field->names[i]));
    }
    if (field->kind == MODEL_STRUCT || field->kind == MODEL_POINTER)
        check_type(field->type);
    if (field->kind == MODEL_ARRAY || field->kind == MODEL_FIXED) {
        assert_int_equal(field->element->offset, 0);
        assert_true(model_item_size(field) > 0);
        check_field(field->element);
    }
    if (field->kind == MODEL_CHOICE)
        check_alternatives(field);
}

static void check_type(const struct model_struct *type)
{
    assert_true(is_key(type->name));
    assert_true(type->about[strlen(type->about) - 1] == '.');
    for (size_t i = 0; i < type->field_count; i++) {
        const struct model_field *field = &type->fields[i];

        if (!is_key(field->name) || model_find(type, field->name, strlen(field->name)) != field)
            fail_msg("%s: row %zu: %s", type->name, i, field->name ? field->name : "has no name");
        if (!field->about || field->about[strlen(field->about) - 1] != '.')
            fail_msg("%s.%s says nothing", type->name, field->name);
        if (field->offset >= type->size || field->width > type->size - field->offset)
            fail_msg("%s.%s lies outside", type->name, field->name);
        check_field(field);
    }
}

static void every_row_is_complete(void **state)
{
    (void)state;
    check_type(&model_config);
}

/* --- walks --- */

struct seen {
    char text[16384];
    size_t length;
};

/* Paths of what is not at its default. */
static void note(void *context, const struct model_visit *visit)
{
    struct seen *seen = context;

    if (model_is_default(visit->field, visit->object))
        return;
    seen->length +=
        (size_t)snprintf(seen->text + seen->length, sizeof(seen->text) - seen->length, "%s\n", visit->path->text);
    assert_true(seen->length < sizeof(seen->text));
}

static void a_walk_sees_what_is_there_in_the_order_of_the_tables(void **state)
{
    static const uint32_t vps[] = {0, 1};
    static const struct vmr_memory_config memory = {.mem_size = 4096};
    static const struct vmr_numa_node nodes[] = {
        {.mem = &memory, .vps = {VMR_VPS_EXPLICIT, vps, 2}},
        {.vps = {.kind = VMR_VPS_EMPTY}},
    };
    static const struct vmr_resource disk = {.id = "disk-file"};
    static const struct vmr_parameter parameters[] = {
        {.name = "disk", .kind = VMR_PARAMETER_RESOURCE, .resource = &disk},
        {.name = "port", .kind = VMR_PARAMETER_NUMBER},
    };
    static const struct vmr_pcie_device_config device = {.port_name = "a", .resource = {"nvme", parameters, 2}};
    static const struct vmr_config config = {
        .load_mode = {VMR_LOAD_LINUX, .linux_direct = {.cmdline = "quiet"}, .uefi = {.enable_tpm = true}},
        .pcie_devices = &device,
        .pcie_device_count = 1,
        .numa = {.nodes = nodes, .node_count = 2},
        .vmgs = {.kind = VMR_VMGS_EPHEMERAL},
        .layout = {.chipset_high_mmio_size = {true, 0}},
    };
    struct seen seen = {0};

    (void)state;
    model_walk(&config, note, &seen);
    assert_string_equal(seen.text, "load_mode\nload_mode.linux\nload_mode.linux.cmdline\n"
                                   "pcie_devices\npcie_devices[0]\npcie_devices[0].port_name\n"
                                   "pcie_devices[0].resource\npcie_devices[0].resource.parameters.disk\n"
                                   "numa\nnuma.nodes\nnuma.nodes[0]\nnuma.nodes[0].mem\nnuma.nodes[0].mem.mem_size\n"
                                   "numa.nodes[0].vps\nnuma.nodes[0].vps.explicit\nnuma.nodes[0].vps.explicit[1]\n"
                                   "numa.nodes[1]\nnuma.nodes[1].vps\nvmgs\nlayout\nlayout.chipset_high_mmio_size\n");
}

static void counts(void *context, const struct model_visit *visit)
{
    (void)visit;
    ++*(size_t *)context;
}

static void what_points_in_circles_and_tags_that_are_none_end_a_walk(void **state)
{
    struct vmr_resource resource = {.id = "a", .parameter_count = 1};
    const struct vmr_parameter circle = {.name = "a", .kind = VMR_PARAMETER_RESOURCE, .resource = &resource};
    const struct vmr_floppy_config floppy = {.disk = resource};
    struct vmr_config config = {.floppy_disks = &floppy, .floppy_disk_count = 1};
    size_t flat = 0, deep = 0;

    (void)state;
    model_walk(&config, counts, &flat);
    resource.parameters = &circle;
    config.floppy_disks = &(struct vmr_floppy_config){.disk = resource};
    model_walk(&config, counts, &deep);
    assert_int_equal(deep, flat + VMR_CONFIG_FILE_DEPTH_MAX);

    config.load_mode.mode = (enum vmr_load_mode)77;
    config.ide_disk_count = 5; /* without a pointer */
    deep = 0;
    model_walk(&config, counts, &deep);
    assert_int_equal(deep, flat + VMR_CONFIG_FILE_DEPTH_MAX);
}

static void nothing_is_given_in_a_configuration_of_zeroes(void **state)
{
    struct vmr_config config = {0};
    struct seen seen = {0};

    (void)state;
    model_walk(&config, note, &seen);
    assert_string_equal(seen.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(a_walk_sees_what_is_there_in_the_order_of_the_tables),
        cmocka_unit_test(what_points_in_circles_and_tags_that_are_none_end_a_walk),
        cmocka_unit_test(nothing_is_given_in_a_configuration_of_zeroes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
