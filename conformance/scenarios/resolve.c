/* SPDX-License-Identifier: MIT */
/*
 * Layout and resolution: where things come to lie, that they stay there, and
 * what is said of what does not fit or is not here. No machine is run.
 */

#include "conformance/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "vmrig/resolved.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- layout --- */

struct place {
    const char *tag;
    uint64_t start, end;
};

static void expect_places(struct conf *conf, const struct vmr_layout_request *requests, size_t count,
                          const struct place *places, size_t place_count)
{
    struct vmr_config_report report = {.count = 0};
    struct vmr_placement *placements = NULL;
    size_t placed = 0;
    enum vmr_status status = vmr_layout_place(requests, count, &placements, &placed, &report);

    CONF_CHECK_EQ(conf, status, VMR_OK, "the layout");
    CONF_CHECK_EQ(conf, placed, place_count, "placements");
    for (size_t i = 0; i < placed && i < place_count; i++)
        CONF_CHECK(conf,
                   strcmp(placements[i].tag, places[i].tag) == 0 && placements[i].range.start == places[i].start &&
                       placements[i].range.end == places[i].end,
                   "placement %zu is %s at %#llx-%#llx", i, placements[i].tag,
                   (unsigned long long)placements[i].range.start, (unsigned long long)placements[i].range.end);
    free(placements);
    vmr_config_report_finish(&report);
}

/* --- */

static void phases_in_their_order(struct conf *conf)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "post", .phase = VMR_LAYOUT_POST_MMIO, .size = PAGE, .alignment = PAGE},
        {.tag = "small", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = PAGE},
        {.tag = "same", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = PAGE},
        {.tag = "large", .phase = VMR_LAYOUT_MMIO64, .size = MIB, .alignment = MIB},
        {.tag = "ram0", .phase = VMR_LAYOUT_RAM, .size = 3 * MIB, .alignment = 2 * MIB},
        {.tag = "ram1", .phase = VMR_LAYOUT_RAM, .size = MIB, .alignment = MIB},
        {.tag = "low", .phase = VMR_LAYOUT_MMIO32, .size = MIB, .alignment = MIB},
        {.tag = "hole", .phase = VMR_LAYOUT_FIXED, .size = MIB, .start = 3 * MIB},
        {.tag = "first", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = 0},
        {.tag = "last", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = 64 * GIB},
    };
    static const struct place places[] = {
        {"first", 0, PAGE},
        {"hole", 3 * MIB, 4 * MIB},
        {"ram0", 4 * MIB, 7 * MIB}, /* between 2 and 3 MiB is no whole alignment */
        {"ram1", 7 * MIB, 8 * MIB},
        {"low", 4 * GIB - MIB, 4 * GIB},
        {"large", 4 * GIB, 4 * GIB + MIB},
        {"small", 4 * GIB + MIB, 4 * GIB + MIB + PAGE},
        {"same", 4 * GIB + MIB + PAGE, 4 * GIB + MIB + 2 * PAGE},
        {"post", 4 * GIB + MIB + 2 * PAGE, 4 * GIB + MIB + 3 * PAGE},
    };

    expect_places(conf, requests, COUNT(requests), places, COUNT(places));
}

static void refused_by_tag(struct conf *conf)
{
    static const struct {
        struct vmr_layout_request requests[2];
        size_t findings;
        const char *code, *said;
    } cases[] = {
        {{{.tag = "a", .phase = VMR_LAYOUT_RAM, .alignment = PAGE},
          {.tag = "b", .phase = VMR_LAYOUT_RAM, .size = PAGE, .alignment = 3}},
         2,
         "CFG-ADDRESS-SIZE",
         "a"},
        {{{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = 2 * PAGE},
          {.tag = "b", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = PAGE}},
         1,
         "CFG-ADDRESS-OVERLAP",
         "overlaps a"},
        {{{.tag = "board", .phase = VMR_LAYOUT_FIXED, .size = 3 * GIB, .start = GIB},
          {.tag = "a", .phase = VMR_LAYOUT_MMIO32, .size = 2 * GIB, .alignment = GIB}},
         1,
         "CFG-ADDRESS-EXHAUSTED",
         "0x80000000 bytes aligned to 0x40000000 find no place in phase mmio32, where 0x40000000 bytes are left"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct vmr_config_report report = {.count = 0};
        struct vmr_placement *placements = NULL;
        size_t placed = 0;

        CONF_CHECK_EQ(conf, vmr_layout_place(cases[i].requests, 2, &placements, &placed, &report), VMR_E_CONFIG,
                      "the layout");
        CONF_CHECK(conf, !placements && placed == 0, "case %zu: something was placed", i);
        CONF_CHECK_EQ(conf, report.count, cases[i].findings, "findings");
        CONF_CHECK(conf,
                   report.count > 0 && strcmp(report.findings[0].rule->code, cases[i].code) == 0 &&
                       strstr(report.findings[0].message, cases[i].said),
                   "case %zu: %s", i, report.count ? report.findings[0].message : "nothing");
        vmr_config_report_finish(&report);
    }
}

/* --- resolution --- */

static const struct vmr_memory_config memory = {.mem_size = 3 * GIB};
static const struct vmr_numa_node nodes[] = {{.mem = &memory}, {.mem = &memory}};
static const struct vmr_pcie_port_config ports[] = {{.name = "p0"}, {.name = "p1"}};
static const struct vmr_pcie_root_complex_config complex = {
    .name = "rc0", .end_bus = 3, .ports = ports, .port_count = COUNT(ports)};
static const struct vmr_hypervisor_vtl2_config vtl2;

static struct vmr_config base(void)
{
    return (struct vmr_config){.numa = {.nodes = nodes, .node_count = COUNT(nodes)},
                               .processor_topology = {.proc_count = 6, .vps_per_socket = {true, 3}},
                               .hypervisor = {.with_hv = true}};
}

static struct vmr_resolved *resolve(struct conf *conf, const struct vmr_config *config)
{
    struct vmr_config_report report = {.count = 0};
    struct vmr_resolved *resolved = NULL;
    enum vmr_status status = vmr_resolve(config, &resolved, &report);

    CONF_CHECK(conf, status == VMR_OK, "%s", report.count ? report.findings[0].message : vmr_status_name(status));
    vmr_config_report_finish(&report);
    return resolved;
}

/* Everything that `less` has lies where it lies in `more`. */
static void check_stays(struct conf *conf, const struct vmr_resolved *less, const struct vmr_resolved *more,
                        enum vmr_layout_phase up_to)
{
    for (size_t i = 0; less && more && i < less->memory.placement_count; i++) {
        const struct vmr_placement *was = &less->memory.placements[i];
        bool found = was->phase > up_to;

        for (size_t k = 0; k < more->memory.placement_count && !found; k++) {
            const struct vmr_placement *is = &more->memory.placements[k];

            found = strcmp(is->tag, was->tag) == 0 && is->range.start == was->range.start &&
                    is->range.end == was->range.end;
        }
        CONF_CHECK(conf, found, "%s has moved", was->tag);
    }
}

static void resolved_end(struct vmr_resolved **resolved)
{
    vmr_resolved_destroy(*resolved);
}

static void text_end(struct vmr_config_text *text)
{
    free(text->bytes);
}

static void same_everywhere(struct conf *conf)
{
    struct vmr_config config = base();
    CONF_CLEANUP(text_end) struct vmr_config_text first = {.length = 0}, second = {.length = 0};
    CONF_CLEANUP(resolved_end) struct vmr_resolved *one = resolve(conf, &config), *two = resolve(conf, &config);

    CONF_REQUIRE(conf, one && two, "no machine");
    CONF_CHECK_EQ(conf, vmr_resolved_print_json(one, &first, NULL), VMR_OK, "the first");
    CONF_CHECK_EQ(conf, vmr_resolved_print_json(two, &second, NULL), VMR_OK, "the second");
    CONF_CHECK(conf,
               first.bytes && second.bytes && first.length > 0 && first.length == second.length &&
                   memcmp(first.bytes, second.bytes, first.length) == 0,
               "two resolutions of one configuration differ");
    CONF_CHECK_EQ(conf, one->processors.vps[3].apic_id, 4, "the APIC id of the second socket's first VP");
    CONF_CHECK_EQ(conf, one->processors.vps[3].vnode, 1, "its node");
}

static void additions_move_nothing(struct conf *conf)
{
    struct vmr_config config = base();
    struct vmr_resolved *small = resolve(conf, &config), *with_vtl2, *with_pcie;

    config.hypervisor.with_vtl2 = &vtl2;
    with_vtl2 = resolve(conf, &config);
    check_stays(conf, small, with_vtl2, VMR_LAYOUT_POST_MMIO);
    config.pcie_root_complexes = &complex;
    config.pcie_root_complex_count = 1;
    with_pcie = resolve(conf, &config);
    check_stays(conf, small, with_pcie, VMR_LAYOUT_RAM);
    vmr_resolved_destroy(with_pcie);
    vmr_resolved_destroy(with_vtl2);
    vmr_resolved_destroy(small);
}

static void numbers_that_do_not_fit(struct conf *conf)
{
    struct vmr_pcie_root_complex_config few = complex;
    struct vmr_config config = base();
    struct vmr_config_report report = {.count = 0};
    struct vmr_resolved *resolved = NULL;

    few.end_bus = 1;
    config.pcie_root_complexes = &few;
    config.pcie_root_complex_count = 1;
    CONF_CHECK_EQ(conf, vmr_resolve(&config, &resolved, &report), VMR_E_CONFIG, "two ports on one bus");
    CONF_CHECK(conf, !resolved && report.count == 1, "%zu findings", report.count);
    CONF_CHECK(conf,
               report.count == 1 && strcmp(report.findings[0].rule->code, "CFG-NUMBER-BUSES") == 0 &&
                   strcmp(report.findings[0].path, "pcie_root_complexes[0].end_bus") == 0,
               "not named");
    vmr_config_report_finish(&report);
}

/* The hypervisor that this runs on, as it declares itself. */
static void what_the_host_lacks(struct conf *conf)
{
    const struct vmr_resolve_host host = {.arch = VMR_ARCH_X86_64, .caps = conf->caps, .x2apic = true};
    struct vmr_config config = base();
    struct vmr_config_report report = {.count = 0};
    struct vmr_resolved *resolved = resolve(conf, &config);

    CONF_REQUIRE(conf, resolved != NULL, "no machine");
    bool fits = conf->caps.vp_count_max >= 6;

    CONF_CHECK_EQ(conf, vmr_resolved_check_host(resolved, &host, &report), fits ? VMR_OK : VMR_E_UNSUPPORTED,
                  "what it can");
    vmr_resolved_destroy(resolved);
    vmr_config_report_finish(&report);
    config.processor_topology.proc_count = 1024;
    config.hypervisor.nested_virt = true;
    resolved = resolve(conf, &config);
    CONF_REQUIRE(conf, resolved != NULL, "no machine");
    CONF_CHECK_EQ(conf, vmr_resolved_check_host(resolved, &host, &report), VMR_E_UNSUPPORTED, "what it cannot");
    for (size_t i = 0; i < report.count; i++)
        CONF_CHECK(conf, strncmp(report.findings[i].rule->code, "CFG-HOST-", 9) == 0, "%s is no lack of the host",
                   report.findings[i].rule->code);
    vmr_resolved_destroy(resolved);
    vmr_config_report_finish(&report);
}

static const struct conf_scenario scenarios[] = {
    {.name = "phases_come_in_their_order_and_ram_never_goes_back",
     .family = "resolve",
     .clauses = "LAY-2 LAY-3 LAY-4",
     .chip = CONF_CHIP_ANY,
     .flags = CONF_MOCK_ONLY,
     .run = phases_in_their_order},
    {.name = "what_cannot_be_placed_is_refused_by_its_tag",
     .family = "resolve",
     .clauses = "LAY-1 LAY-5",
     .chip = CONF_CHIP_ANY,
     .flags = CONF_MOCK_ONLY,
     .run = refused_by_tag},
    {.name = "a_machine_is_resolved_alike_every_time",
     .family = "resolve",
     .clauses = "RES-1 CFG-1",
     .chip = CONF_CHIP_ANY,
     .flags = CONF_MOCK_ONLY,
     .run = same_everywhere},
    {.name = "what_is_added_moves_nothing_before_it",
     .family = "resolve",
     .clauses = "RES-1",
     .chip = CONF_CHIP_ANY,
     .flags = CONF_MOCK_ONLY,
     .run = additions_move_nothing},
    {.name = "numbers_that_do_not_fit_are_refused_by_name",
     .family = "resolve",
     .clauses = "RES-2",
     .chip = CONF_CHIP_ANY,
     .flags = CONF_MOCK_ONLY,
     .run = numbers_that_do_not_fit},
    {.name = "what_the_host_lacks_is_the_hosts_lack",
     .family = "resolve",
     .clauses = "RES-3 CFG-1",
     .chip = CONF_CHIP_ANY,
     .run = what_the_host_lacks},
};

CONF_FAMILY(resolve, scenarios);
