/* SPDX-License-Identifier: MIT */
/*
 * What the reader refuses: a row for each rule of the JSON form, in each kind of
 * value that it is about.
 */

#include "lib/config/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum rule_file rule;
    const char *path;
    const char *says; /* part of the message */
} rows[] = {
    /* keys */
    {"{\"numb\": {}}", RULE_FILE_KEY_UNKNOWN, "numb", "did you mean \"numa\"?"},
    {"{\"comment\": \"\"}", RULE_FILE_KEY_UNKNOWN, "comment", "not known"},
    {"{\"live\": {}}", RULE_FILE_KEY_UNKNOWN, "live", "not known"},
    {"{\"\": 1}", RULE_FILE_KEY_UNKNOWN, "", "not known"},
    {"{\"vmbus\": {}, \"vmbus\": {}}", RULE_FILE_KEY_TWICE, "vmbus", "second time"},
    {"{\"vm\\u0062us\": {}, \"vmbus\": {}}", RULE_FILE_KEY_TWICE, "vmbus", "second time"},
    {"{\"isa_dma_controller\": {\"id\": \"a\", \"parameters\": {\"x\": 1, \"x\": 1}}}", RULE_FILE_KEY_TWICE,
     "isa_dma_controller.parameters.x", "second time"},
    /* types */
    {"[]", RULE_FILE_TYPE, "", "an array is not an object"},
    {"5", RULE_FILE_TYPE, "", "5 is not an object"},
    {"{\"numa\": []}", RULE_FILE_TYPE, "numa", "an array is not an object"},
    {"{\"numa\": null}", RULE_FILE_TYPE, "numa", "null is not an object"},
    {"{\"vmbus\": true}", RULE_FILE_TYPE, "vmbus", "true is not an object"},
    {"{\"floppy_disks\": {}}", RULE_FILE_TYPE, "floppy_disks", "an object is not an array"},
    {"{\"vtl2_gfx\": 1}", RULE_FILE_TYPE, "vtl2_gfx", "1 is not true or false"},
    {"{\"vtl2_gfx\": \"true\"}", RULE_FILE_TYPE, "vtl2_gfx", "\"true\" is not true or false"},
    {"{\"arch\": 0}", RULE_FILE_TYPE, "arch", "0 is not a name"},
    {"{\"vga_firmware\": 0}", RULE_FILE_TYPE, "vga_firmware", "0 is not a text"},
    {"{\"vpci_resources\": [{}]}", RULE_FILE_TYPE, "vpci_resources[0]", "an object is not a text"},
    {"{\"layout\": {\"chipset_low_mmio_size\": []}}", RULE_FILE_TYPE, "layout.chipset_low_mmio_size", "not a size"},
    {"{\"processor_topology\": {\"proc_count\": false}}", RULE_FILE_TYPE, "processor_topology.proc_count",
     "false is not a number"},
    {"{\"rtc_delta_milliseconds\": \"5\"}", RULE_FILE_TYPE, "rtc_delta_milliseconds", "\"5\" is not a number"},
    {"{\"custom_uefi_vars\": {\"custom_vars\": [{\"value\": 1}]}}", RULE_FILE_TYPE,
     "custom_uefi_vars.custom_vars[0].value", "not a text of hexadecimal digits"},
    {"{\"isa_dma_controller\": {\"id\": \"a\", \"parameters\": {\"x\": null}}}", RULE_FILE_TYPE,
     "isa_dma_controller.parameters.x", "null is not true, false"},
    {"{\"isa_dma_controller\": \"dma\"}", RULE_FILE_TYPE, "isa_dma_controller", "not an object"},
    /* numbers */
    {"{\"processor_topology\": {\"proc_count\": 1.0}}", RULE_FILE_INTEGER, "processor_topology.proc_count",
     "1.0 is no"},
    {"{\"processor_topology\": {\"proc_count\": 1e3}}", RULE_FILE_INTEGER, "processor_topology.proc_count",
     "1e3 is no"},
    {"{\"processor_topology\": {\"proc_count\": 1E3}}", RULE_FILE_INTEGER, "processor_topology.proc_count",
     "1E3 is no"},
    {"{\"rtc_delta_milliseconds\": -1.5}", RULE_FILE_INTEGER, "rtc_delta_milliseconds", "-1.5 is no"},
    {"{\"isa_dma_controller\": {\"id\": \"a\", \"parameters\": {\"x\": 0.5}}}", RULE_FILE_INTEGER,
     "isa_dma_controller.parameters.x", "0.5 is no"},
    {"{\"processor_topology\": {\"proc_count\": -1}}", RULE_FILE_NUMBER_FIT, "processor_topology.proc_count",
     "-1 is not a number from 0 to 4294967295"},
    {"{\"processor_topology\": {\"proc_count\": -0}}", RULE_FILE_NUMBER_FIT, "processor_topology.proc_count",
     "-0 is not"},
    {"{\"framebuffer\": {\"size\": 18446744073709551616}}", RULE_FILE_NUMBER_FIT, "framebuffer.size",
     "from 0 to 18446744073709551615"},
    {"{\"framebuffer\": {\"size\": 123456789012345678901234567890123456789}}", RULE_FILE_NUMBER_FIT, "framebuffer.size",
     "12345678901234567890123456789012... is not"},
    {"{\"framebuffer\": {\"size\": \"0x10000000000000000\"}}", RULE_FILE_NUMBER_FIT, "framebuffer.size",
     "more than 64 bits"},
    {"{\"framebuffer\": {\"size\": \"16777216T\"}}", RULE_FILE_NUMBER_FIT, "framebuffer.size", "more than 64 bits"},
    {"{\"rtc_delta_milliseconds\": 9223372036854775808}", RULE_FILE_NUMBER_FIT, "rtc_delta_milliseconds", "is not"},
    {"{\"rtc_delta_milliseconds\": -9223372036854775809}", RULE_FILE_NUMBER_FIT, "rtc_delta_milliseconds", "is not"},
    {"{\"framebuffer\": {\"size\": \"8MB\"}}", RULE_FILE_NUMBER_TEXT, "framebuffer.size", "\"8MB\" is no size"},
    {"{\"framebuffer\": {\"size\": \"8388608\"}}", RULE_FILE_NUMBER_TEXT, "framebuffer.size", "is no size"},
    {"{\"processor_topology\": {\"proc_count\": \"2\"}}", RULE_FILE_NUMBER_TEXT, "processor_topology.proc_count",
     "is no number"},
    {"{\"processor_topology\": {\"proc_count\": \"1K\"}}", RULE_FILE_NUMBER_TEXT, "processor_topology.proc_count",
     "is no number"},
    /* names */
    {"{\"arch\": \"x86\"}", RULE_FILE_NAME_UNKNOWN, "arch", "\"x86\" is none of x86_64, arm64"},
    {"{\"arch\": \"arm46\"}", RULE_FILE_NAME_UNKNOWN, "arch", "did you mean \"arm64\"?"},
    {"{\"arch\": \"ARM64\"}", RULE_FILE_NAME_UNKNOWN, "arch", "none of"},
    {"{\"arch\": \"arm64\\u0000\"}", RULE_FILE_NAME_UNKNOWN, "arch", "none of"},
    {"{\"load_mode\": \"bios\"}", RULE_FILE_NAME_UNKNOWN, "load_mode",
     "none of none, linux, uefi, pcat, igvm, firmware"},
    {"{\"vmgs\": {\"disc\": {}}}", RULE_FILE_NAME_UNKNOWN, "vmgs", "did you mean \"disk\"?"},
    /* choices */
    {"{\"load_mode\": {}}", RULE_FILE_CHOICE, "load_mode", "neither"},
    {"{\"load_mode\": null}", RULE_FILE_CHOICE, "load_mode", "neither"},
    {"{\"load_mode\": {\"linux\": {}, \"uefi\": {}}}", RULE_FILE_CHOICE, "load_mode", "neither"},
    {"{\"load_mode\": {\"none\": {}}}", RULE_FILE_CHOICE, "load_mode", "takes no value: \"none\""},
    {"{\"vmgs\": \"disk\"}", RULE_FILE_CHOICE, "vmgs", "needs a value: {\"disk\": ...}"},
    {"{\"numa\": {\"nodes\": [{\"vps\": \"explicit\"}]}}", RULE_FILE_CHOICE, "numa.nodes[0].vps", "needs a value"},
    {"{\"pcie_root_complexes\": [{\"low_mmio\": \"64MiB\"}]}", RULE_FILE_NAME_UNKNOWN,
     "pcie_root_complexes[0].low_mmio", "none of size, fixed"},
    /* forms */
    {"{\"load_mode\": {\"uefi\": {\"bios_guid\": \"1\"}}}", RULE_FILE_GUID, "load_mode.uefi.bios_guid", "of the form"},
    {"{\"load_mode\": {\"uefi\": {\"bios_guid\": 1}}}", RULE_FILE_GUID, "load_mode.uefi.bios_guid",
     "1 is not of the form"},
    {"{\"kernel_vmnics\": [{\"mac_address\": \"52:54\"}]}", RULE_FILE_MAC, "kernel_vmnics[0].mac_address",
     "of the form"},
    {"{\"pcie_root_complexes\": [{\"low_mmio\": {\"fixed\": \"0x2-0x1\"}}]}", RULE_FILE_RANGE,
     "pcie_root_complexes[0].low_mmio.fixed", "first and last byte"},
    {"{\"custom_uefi_vars\": {\"custom_vars\": [{\"value\": \"0\"}]}}", RULE_FILE_BYTES,
     "custom_uefi_vars.custom_vars[0].value", "pairs"},
    {"{\"custom_uefi_vars\": {\"custom_vars\": [{\"value\": \"0g\"}]}}", RULE_FILE_BYTES,
     "custom_uefi_vars.custom_vars[0].value", "pairs"},
    {"{\"custom_uefi_vars\": {\"signatures\": {\"pk\": [{\"x509\": \"0\"}]}}}", RULE_FILE_BYTES,
     "custom_uefi_vars.signatures.pk[0].x509", "pairs"},
    {"{\"vga_firmware\": \"a\\u0000b\"}", RULE_FILE_TEXT_NUL, "vga_firmware", "zero byte"},
    {"{\"load_mode\": {\"pcat\": {\"boot_order\": [\"floppy\", \"floppy\", \"floppy\", \"floppy\", \"floppy\"]}}}",
     RULE_FILE_ITEMS, "load_mode.pcat.boot_order", "there are 5, at most 4"},
    {"{\"isa_dma_controller\": {}}", RULE_FILE_RESOURCE, "isa_dma_controller", "no \"id\""},
    {"{\"isa_dma_controller\": {\"id\": \"a\", \"parameters\": {\"x\": {}}}}", RULE_FILE_RESOURCE,
     "isa_dma_controller.parameters.x", "no \"id\""},
    /* of the text itself; more in test_json_document.c */
    {"{", RULE_FILE_SYNTAX, "", "expected"},
    {"{\"arch\": \"\xff\"}", RULE_FILE_ENCODING, "", "decode"},
};

static const char *const elsewhere[] = {"CFG-FILE-SIZE", "CFG-FILE-DEPTH", "CFG-FILE-VALUES"}; /* too long for a row */

static enum vmr_status read_text(const char *text, struct vmr_config *config, struct arena *arena,
                                 struct vmr_config_report *report)
{
    struct json_reader reader = {.arena = arena, .report = report};
    const struct doc_value *root;

    if (doc_read(text, strlen(text), arena, &root, report) != VMR_OK)
        return VMR_E_CONFIG;
    json_read_struct(&reader, &model_config, root, config);
    assert_false(reader.no_memory);
    /* Each finding of a value has its part noted. */
    assert_true((report->count > 0) == (reader.unread != NULL));
    return report->count > 0 ? VMR_E_CONFIG : VMR_OK;
}

static void each_rule_is_broken_by_its_rows(void **state)
{
    bool broken[RULE_FILE_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_config_report report = {0};
        struct vmr_config config = {0};
        struct arena arena = {0};

        assert_int_equal(read_text(rows[i].text, &config, &arena, &report), VMR_E_CONFIG);

        const struct vmr_config_finding *one = &report.findings[0];

        if (report.count != 1 || one->rule != &rules_file[rows[i].rule] || strcmp(one->path, rows[i].path) != 0 ||
            !strstr(one->message, rows[i].says) || one->line != 1 || one->column == 0)
            fail_msg("%s: %zu: %s %s: %s", rows[i].text, report.count, one->rule->code, one->path, one->message);
        broken[rows[i].rule] = true;
        arena_finish(&arena);
        vmr_config_report_finish(&report);
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        broken[vmr_config_rule_find(elsewhere[i]) - rules_file] = true;
    for (size_t i = 0; i < RULE_FILE_COUNT; i++) {
        if (!broken[i])
            fail_msg("no row breaks %s", rules_file[i].code);
    }
}

/* Long because it looks at one value of each kind. */
static void what_is_said_is_what_is_read(void **state)
{
    static const char text[] =
        "{\"load_mode\": {\"igvm\": {\"file\": \"f\", \"vtl2_base_address\": {\"memory_layout\": {\"size\": \"2M\"}},"
        " \"com_serial\": {\"io_port\": \"0x3f8\", \"irq\": 4}}},"
        " \"pcie_root_complexes\": [{\"name\": \"a\", \"low_mmio\": {\"fixed\": \"0xe0000000-0xefffffff\"},"
        "  \"high_mmio\": {\"size\": \"2 GiB\"}, \"ports\": [{\"name\": \"p\"}, {\"name\": \"q\", \"devfn\": 0}]}],"
        " \"numa\": {\"nodes\": [{\"vps\": {\"explicit\": [3, \"0x1\"]}}, {\"mem\": {}, \"vps\": \"empty\"}]},"
        " \"processor_topology\": {\"arm64\": {\"pmu_gsiv\": {\"gsiv\": 23}, \"gic_msi\": \"v2m\"}},"
        " \"isa_dma_controller\": {\"parameters\": {\"a\": true, \"b\": 18446744073709551615, \"c\": \"64K\","
        "  \"d\": {\"text\": \"64K\"}, \"e\": \"x\", \"f\": {\"id\": \"disk\"}}, \"id\": \"dma\"},"
        " \"vmgs\": {\"reprovision\": {\"id\": \"disk\"}}, \"rtc_delta_milliseconds\": -9223372036854775808,"
        " \"custom_uefi_vars\": {\"custom_vars\": [{\"name\": \"n\", \"value\": \"00ff\"}]}, \"vmbus\": {},"
        " \"load_mode_\": 1}";
    struct vmr_config_report report = {0};
    struct vmr_config config = {0};
    struct arena arena = {0};

    (void)state;
    /* One mistake, which costs nothing of the rest. */
    assert_int_equal(read_text(text, &config, &arena, &report), VMR_E_CONFIG);
    assert_int_equal(report.count, 1);

    const struct vmr_load_igvm *igvm = &config.load_mode.igvm;

    assert_int_equal(config.load_mode.mode, VMR_LOAD_IGVM);
    assert_string_equal(igvm->file.path, "f");
    assert_int_equal(igvm->vtl2_base_address.kind, VMR_VTL2_BASE_MEMORY_LAYOUT);
    assert_true(igvm->vtl2_base_address.size.given && igvm->vtl2_base_address.size.value == 2 << 20);
    assert_true(igvm->com_serial.given && igvm->com_serial.io_port == 0x3f8 && igvm->com_serial.irq == 4);

    const struct vmr_pcie_root_complex_config *complex = config.pcie_root_complexes;

    assert_true(complex->low_mmio.fixed && complex->low_mmio.range.start == 0xe0000000);
    assert_true(complex->low_mmio.range.end == 0xf0000000);
    assert_true(!complex->high_mmio.fixed && complex->high_mmio.size == UINT64_C(2) << 30);
    assert_true(!complex->ports[0].devfn.given && complex->ports[1].devfn.given);
    assert_int_equal(config.numa.nodes[0].vps.kind, VMR_VPS_EXPLICIT);
    assert_int_equal(config.numa.nodes[0].vps.list_count, 2);
    assert_int_equal(config.numa.nodes[0].vps.list[1], 1);
    assert_true(!config.numa.nodes[0].mem && config.numa.nodes[1].mem);
    assert_int_equal(config.processor_topology.arm64->pmu_gsiv.gsiv, 23);
    assert_int_equal(config.processor_topology.arm64->gic_msi.kind, VMR_GIC_MSI_V2M);
    assert_false(config.processor_topology.arm64->gic_msi.spi_count.given);

    const struct vmr_parameter *parameters = config.isa_dma_controller.parameters;

    assert_int_equal(config.isa_dma_controller.parameter_count, 6);
    assert_true(parameters[0].kind == VMR_PARAMETER_BOOL && parameters[0].flag);
    assert_true(parameters[1].kind == VMR_PARAMETER_NUMBER && parameters[1].number == UINT64_MAX);
    assert_true(parameters[2].kind == VMR_PARAMETER_NUMBER && parameters[2].number == 65536);
    assert_string_equal(parameters[3].text, "64K");
    assert_string_equal(parameters[4].text, "x");
    assert_string_equal(parameters[5].resource->id, "disk");
    assert_int_equal(config.vmgs.kind, VMR_VMGS_REPROVISION);
    assert_string_equal(config.vmgs.disk.id, "disk");
    assert_true(config.rtc_delta_milliseconds == INT64_MIN);
    assert_int_equal(config.custom_uefi_vars.custom_vars[0].value[1], 0xff);
    assert_non_null(config.vmbus);
    assert_null(config.vtl2_vmbus);
    arena_finish(&arena);
    vmr_config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_broken_by_its_rows),
        cmocka_unit_test(what_is_said_is_what_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
