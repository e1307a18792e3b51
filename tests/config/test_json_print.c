/* SPDX-License-Identifier: MIT */
/*
 * The canonical form: what it leaves out, what it keeps, what it cannot say.
 */

#include "vmrig/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/json_reader.h"

static void expect_text(const struct vmr_config *config, const char *expected)
{
    struct vmr_config_text text;
    struct vmr_error err;

    if (vmr_config_print(config, &text, &err) != VMR_OK)
        fail_msg("%s", err.message);
    assert_string_equal(text.bytes, expected);
    assert_int_equal(text.length, strlen(expected));
    free(text.bytes);
}

static void a_default_is_left_out_and_a_choice_is_not(void **state)
{
    static const struct vmr_vmbus_config vmbus = {0};
    static const struct vmr_memory_config memory = {.hugepage_size = {true, 0}};
    static const struct vmr_numa_node nodes[] = {{0}, {.mem = &memory, .vps = {.kind = VMR_VPS_EXPLICIT}}};
    const struct vmr_config config = {
        .load_mode = {.mode = VMR_LOAD_UEFI, .linux_direct = {.cmdline = "of no mode that counts"}},
        .numa = {.nodes = nodes, .node_count = 2},
        .vmbus = &vmbus,
        .layout = {.chipset_high_mmio_size = {true, 0}},
    };

    (void)state;
    expect_text(&(struct vmr_config){0}, "{}\n");
    expect_text(&config, "{\n"
                         "  \"load_mode\": \"uefi\",\n"
                         "  \"numa\": {\n"
                         "    \"nodes\": [\n"
                         "      {},\n"
                         "      {\n"
                         "        \"mem\": {\n"
                         "          \"hugepage_size\": 0\n"
                         "        },\n"
                         "        \"vps\": {\n"
                         "          \"explicit\": []\n"
                         "        }\n"
                         "      }\n"
                         "    ]\n"
                         "  },\n"
                         "  \"vmbus\": {},\n"
                         "  \"layout\": {\n"
                         "    \"chipset_high_mmio_size\": 0\n"
                         "  }\n"
                         "}\n");
}

/* Long because the text is: one of each form. */
static void numbers_have_the_form_that_suits_them(void **state)
{
    static const struct vmr_x86_topology_config x86 = {.apic_id_offset = 4096};
    static const struct vmr_framebuffer_config framebuffer = {.size = UINT64_MAX};
    static const struct vmr_parameter parameters[] = {
        {.name = "bool", .kind = VMR_PARAMETER_BOOL},
        {.name = "number", .kind = VMR_PARAMETER_NUMBER, .number = 1023},
        {.name = "size", .kind = VMR_PARAMETER_NUMBER, .number = 3 << 20},
        {.name = "like a number", .kind = VMR_PARAMETER_TEXT, .text = "0x5"},
        {.name = "\"quoted\"", .kind = VMR_PARAMETER_TEXT, .text = "5"},
    };
    const struct vmr_config config = {
        .load_mode = {.mode = VMR_LOAD_IGVM,
                      .igvm = {.vtl2_base_address = {.kind = VMR_VTL2_BASE_ABSOLUTE}, .com_serial = {true, 0x3f8, 4}}},
        .processor_topology = {.x86 = &x86},
        .framebuffer = &framebuffer,
        .isa_dma_controller = {"dma", parameters, 5},
        .rtc_delta_milliseconds = INT64_MIN,
    };

    (void)state;
    expect_text(&config, "{\n"
                         "  \"load_mode\": {\n"
                         "    \"igvm\": {\n"
                         "      \"vtl2_base_address\": {\n"
                         "        \"absolute\": \"0x0\"\n"
                         "      },\n"
                         "      \"com_serial\": {\n"
                         "        \"io_port\": \"0x3f8\",\n"
                         "        \"irq\": 4\n"
                         "      }\n"
                         "    }\n"
                         "  },\n"
                         "  \"processor_topology\": {\n"
                         "    \"x86\": {\n"
                         "      \"apic_id_offset\": 4096\n"
                         "    }\n"
                         "  },\n"
                         "  \"framebuffer\": {\n"
                         "    \"size\": \"0xffffffffffffffff\"\n"
                         "  },\n"
                         "  \"isa_dma_controller\": {\n"
                         "    \"id\": \"dma\",\n"
                         "    \"parameters\": {\n"
                         "      \"bool\": false,\n"
                         "      \"number\": 1023,\n"
                         "      \"size\": \"3MiB\",\n"
                         "      \"like a number\": {\n"
                         "        \"text\": \"0x5\"\n"
                         "      },\n"
                         "      \"\\\"quoted\\\"\": \"5\"\n"
                         "    }\n"
                         "  },\n"
                         "  \"rtc_delta_milliseconds\": -9223372036854775808\n"
                         "}\n");
}

static void expect_refusal(const struct vmr_config *config, const char *says)
{
    struct vmr_config_text text = {NULL, 77};
    struct vmr_error err;

    assert_int_equal(vmr_config_print(config, &text, &err), VMR_E_CONFIG);
    assert_true(!text.bytes && text.length == 77);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
}

static size_t nobody_types(void *context, uint8_t *ret_scancodes, size_t capacity)
{
    (void)context;
    (void)ret_scancodes;
    (void)capacity;
    return 0;
}

static void what_no_file_can_say_is_refused_by_name(void **state)
{
    struct vmr_parameter parameter = {.name = "p", .kind = VMR_PARAMETER_TEXT};
    struct vmr_resource resource = {"a", &parameter, 1};
    const struct vmr_pcie_root_complex_config complex = {.low_mmio = {.fixed = true, .range = {4096, 4096}}};

    (void)state;
    expect_refusal(&(struct vmr_config){.live.input = nobody_types}, "live");
    expect_refusal(&(struct vmr_config){.vga_firmware = {.bytes = "x", .size = 1}}, "vga_firmware: bytes");
    expect_refusal(&(struct vmr_config){.vga_firmware = {.path = "\xff"}}, "vga_firmware: the text is not in UTF-8");
    expect_refusal(&(struct vmr_config){.arch = (enum vmr_arch)7}, "arch: there is no such kind");
    expect_refusal(&(struct vmr_config){.load_mode.mode = (enum vmr_load_mode)7}, "load_mode: there is no such kind");
    expect_refusal(&(struct vmr_config){.vmgs.kind = VMR_VMGS_DISK}, "vmgs.disk: the resource has no id");
    expect_refusal(&(struct vmr_config){.pcie_root_complexes = &complex, .pcie_root_complex_count = 1},
                   "pcie_root_complexes[0].low_mmio.fixed: an empty range");
    expect_refusal(&(struct vmr_config){.isa_dma_controller = resource}, "isa_dma_controller.parameters.p: the par");
    parameter = (struct vmr_parameter){.name = "p", .kind = VMR_PARAMETER_RESOURCE, .resource = &resource};
    expect_refusal(&(struct vmr_config){.isa_dma_controller = resource}, "deeper than a file may be");
}

/* --- the fixed point, over texts that have every kind of value --- */

/* Long because the texts are: one of each kind of value. */
static void what_is_printed_reads_the_same_and_prints_the_same(void **state)
{
    static const char *const texts[] = {
        "{\"load_mode\": {\"uefi\": {\"firmware\": \"\\\"\\\\\\u0001\\u00e9/\", \"uefi_console_mode\": \"default\","
        " \"bios_guid\": \"00112233-4455-6677-8899-aabbccddeeff\"}}, \"custom_uefi_vars\": {\"signatures\": {\"pk\":"
        " [{\"x509\": \"00ff\"}, {\"sha256\": \"\"}]}, \"custom_vars\": [{\"name\": \"\", \"attr\": \"0x7\"}]}}",
        "{\"load_mode\": {\"pcat\": {\"boot_order\": [\"network\", \"floppy\"]}}, \"kernel_vmnics\": [{},"
        " {\"mac_address\": \"52:54:00:12:34:56\"}], \"vpci_resources\": [\"\", \"a\"], \"vmgs\": {\"disk\": {\"id\":"
        " \"d\", \"parameters\": {}}}}",
        "{\"processor_topology\": {\"enable_smt\": false, \"arm64\": {\"pmu_gsiv\": {\"gsiv\": 0}, \"gic_msi\": "
        "{\"v2m\":"
        " {\"spi_count\": 0}}}}, \"pcie_root_complexes\": [{\"high_mmio\": {\"fixed\": \"0x0-0x0\"}, \"cxl\": {},"
        " \"ports\": [{\"acs_capabilities_supported\": 0}]}], \"hypervisor\": {\"with_vtl2\":"
        " {\"late_map_vtl0_memory\": \"log\"}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *source = texts[i];
        struct vmr_config_text printed[2] = {{0}};

        for (unsigned round = 0; round < 2; round++) {
            struct vmr_config_report report = {0};
            struct vmr_config config = {0};
            struct arena arena = {0};
            struct json_reader reader = {.arena = &arena, .report = &report};
            const struct doc_value *root;

            assert_int_equal(doc_read(source, strlen(source), &arena, &root, &report), VMR_OK);
            json_read_struct(&reader, &model_config, root, &config);
            if (report.count > 0)
                fail_msg("%s: %s", report.findings[0].path, report.findings[0].message);
            assert_int_equal(vmr_config_print(&config, &printed[round], NULL), VMR_OK);
            arena_finish(&arena);
            source = printed[round].bytes;
        }
        assert_string_equal(printed[0].bytes, printed[1].bytes);
        free(printed[0].bytes);
        free(printed[1].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_is_left_out_and_a_choice_is_not),
        cmocka_unit_test(numbers_have_the_form_that_suits_them),
        cmocka_unit_test(what_no_file_can_say_is_refused_by_name),
        cmocka_unit_test(what_is_printed_reads_the_same_and_prints_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
