/* SPDX-License-Identifier: MIT */
/*
 * The JSON for programs: it parses, and says what the structs say.
 */

#include <jansson.h>

#include "tests/resolve/printed.h"

static json_t *load(struct rig *rig)
{
    struct vmr_config_text text;
    json_error_t error;

    assert_int_equal(vmr_resolved_print_json(rig_resolve(rig), &text, NULL), VMR_OK);
    json_t *root = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    free(text.bytes);
    return root;
}

/* The value at a path of keys and numbers: "pcie.ports.2.bus". */
static const json_t *at(const json_t *root, const char *path)
{
    char key[64];

    while (*path != '\0') {
        size_t length = strcspn(path, ".");

        assert_true(length < sizeof(key));
        memcpy(key, path, length);
        key[length] = '\0';
        root = json_is_array(root) ? json_array_get(root, strtoul(key, NULL, 10)) : json_object_get(root, key);
        if (!root)
            fail_msg("no '%s'", key);
        path += path[length] == '.' ? length + 1 : length;
    }
    return root;
}

/* A table, and a few lines that go through it. */
static void it_says_what_was_resolved(void **state)
{
    static const struct {
        const char *path;
        long long number;
        const char *text;
    } cases[] = {
        {"arch", 0, "x86_64"},
        {"processors.vp_count", 4, NULL},
        {"processors.x2apic", 0, "supported"},
        {"processors.vps.3.apic_id", 3, NULL},
        {"processors.vps.3.vnode", 1, NULL},
        {"nodes.1.mem_size", 0, "0xc0000000"},
        {"nodes.1.distances.0", 20, NULL},
        {"memory.ram.0.range", 0, "0x0-0xbfffffff"},
        {"memory.chipset_low_mmio", 0, "0xf8000000-0xffffffff"},
        {"memory.placements.0.tag", 0, "ram0"},
        {"memory.placements.0.phase", 0, "ram"},
        {"virtio_mmio.0.irq", 16, NULL},
        {"pcie.root_complexes.1.segment", 1, NULL},
        {"pcie.root_complexes.0.iommu", 0, NULL},
        {"pcie.ports.4.name", 0, "s1"},
        {"pcie.ports.4.bus", 2, NULL},
        {"pcie.ports.4.devfn", 1, NULL},
        {"pcie.ports.4.device", 0, NULL},
        {"pcie.ports.4.initiator_node", 1, NULL},
        {"pcie.switches.0.upstream_bus", 1, NULL},
        {"pcie.iommus.0.kind", 0, "intel_vtd"},
    };
    struct rig rig;

    (void)state;
    printed_init(&rig);
    json_t *root = load(&rig);

    for (size_t i = 0; i < COUNT(cases); i++) {
        const json_t *value = at(root, cases[i].path);

        if (cases[i].text && strcmp(json_string_value(value), cases[i].text) != 0)
            fail_msg("%s: %s", cases[i].path, json_string_value(value));
        if (!cases[i].text && json_integer_value(value) != cases[i].number)
            fail_msg("%s: %lld", cases[i].path, (long long)json_integer_value(value));
    }
    json_decref(root);
    rig_finish(&rig);
}

static void what_is_not_there_is_left_out(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    json_t *root = load(&rig);

    assert_null(json_object_get(at(root, "memory"), "vtl2_ram"));
    assert_null(json_object_get(at(root, "processors"), "x2apic"));
    assert_int_equal(json_array_size(at(root, "pcie.ports")), 0);
    assert_string_equal(json_string_value(at(root, "processors.gic.its")), "0xeffc0000-0xeffdffff");
    assert_string_equal(json_string_value(at(root, "processors.vps.0.mpidr")), "0xc0000000");
    json_decref(root);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_was_resolved),
        cmocka_unit_test(what_is_not_there_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
