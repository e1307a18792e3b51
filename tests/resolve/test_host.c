/* SPDX-License-Identifier: MIT */
/*
 * Hosts: what each lacks is said as the host's lack. [RES-3]
 */

#include "tests/resolve/rig.h"

static struct vmr_resolve_host host_with(void)
{
    return (struct vmr_resolve_host){
        .arch = VMR_ARCH_X86_64, .caps = {.vp_count_max = 8, .physical_bits = 40}, .x2apic = true};
}

static void expect(struct rig *rig, const struct vmr_resolve_host *host, const char *code, const char *path)
{
    struct vmr_config_report report = {0};
    enum vmr_status status = vmr_resolved_check_host(rig_resolve(rig), host, &report);

    if (!code) {
        assert_int_equal(status, VMR_OK);
        assert_int_equal(report.count, 0);
        return;
    }
    assert_int_equal(status, VMR_E_UNSUPPORTED);
    if (report.count != 1 || strcmp(report.findings[0].rule->code, code) != 0 ||
        strcmp(report.findings[0].path, path) != 0)
        fail_msg("%zu findings, %s at %s: %s", report.count, report.findings[0].rule->code, report.findings[0].path,
                 report.findings[0].message);
    vmr_config_report_finish(&report);
}

static void what_a_pc_needs_is_asked_of_its_host(void **state)
{
    static const struct vmr_hypervisor_vtl2_config vtl2, alias = {.vtl0_alias_map = true};
    struct vmr_resolve_host host = host_with();
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    expect(&rig, &host, NULL, NULL);
    rig.config.processor_topology.proc_count = 9;
    expect(&rig, &host, "CFG-HOST-VPS", "processor_topology.proc_count");
    rig.config.processor_topology.proc_count = 8;
    expect(&rig, &host, NULL, NULL);
    rig.x86.x2apic = VMR_X2APIC_CONFIG_ENABLED;
    host.x2apic = false;
    expect(&rig, &host, "CFG-HOST-X2APIC", "processor_topology");
    rig.x86.x2apic = VMR_X2APIC_CONFIG_AUTO;
    expect(&rig, &host, NULL, NULL);
    rig.config.hypervisor.nested_virt = true;
    expect(&rig, &host, "CFG-HOST-NESTED", "hypervisor.nested_virt");
    host.nested_virt = true;
    expect(&rig, &host, NULL, NULL);
    rig.config.hypervisor.nested_virt = false;
    rig.config.hypervisor.with_hv = true;
    rig.config.hypervisor.with_vtl2 = &vtl2;
    expect(&rig, &host, "CFG-HOST-VTL2", "hypervisor.with_vtl2");
    host.caps.bits |= UINT64_C(1) << VMR_CAP_VTL;
    expect(&rig, &host, NULL, NULL);
    rig.config.hypervisor.with_isolation = VMR_ISOLATION_VBS;
    expect(&rig, &host, "CFG-HOST-ISOLATION", "hypervisor.with_isolation");
    host.isolation_vbs = true;
    expect(&rig, &host, NULL, NULL);
    rig.config.hypervisor.with_isolation = VMR_ISOLATION_NONE;
    rig.config.hypervisor.with_vtl2 = &alias;
    expect(&rig, &host, NULL, NULL);
    assert_int_equal(vmr_resolved_alias_map(rig.machine, 40), UINT64_C(1) << 39);
    assert_int_equal(vmr_resolved_alias_map(rig.machine, 64), UINT64_C(1) << 51);
    assert_int_equal(vmr_resolved_alias_map(rig.machine, 0), 0);
    rig_finish(&rig);
}

static void isolation_is_asked_by_its_kind(void **state)
{
    static const struct vmr_hypervisor_vtl2_config vtl2;
    struct vmr_resolve_host host = host_with();
    bool *has[] = {
        [VMR_ISOLATION_VBS] = &host.isolation_vbs,
        [VMR_ISOLATION_SNP] = &host.isolation_snp,
        [VMR_ISOLATION_TDX] = &host.isolation_tdx,
    };
    struct rig rig;

    (void)state;
    host.caps.bits |= UINT64_C(1) << VMR_CAP_VTL;
    rig_init(&rig, VMR_ARCH_X86_64);
    rig.config.load_mode.igvm.file.path = "isolated.igvm";
    rig.config.load_mode.linux_direct.kernel.path = "isolated";
    for (size_t wanted = VMR_ISOLATION_VBS; wanted < COUNT(has); wanted++) {
        rig.config.hypervisor.with_isolation = (enum vmr_isolation)wanted;
        rig.config.load_mode.mode = wanted == VMR_ISOLATION_TDX ? VMR_LOAD_LINUX : VMR_LOAD_IGVM;
        rig.config.hypervisor.with_hv = wanted == VMR_ISOLATION_VBS;
        rig.config.hypervisor.with_vtl2 = wanted == VMR_ISOLATION_VBS ? &vtl2 : NULL;
        for (size_t kind = VMR_ISOLATION_VBS; kind < COUNT(has); kind++) {
            *has[kind] = true;
            expect(&rig, &host, kind == wanted ? NULL : "CFG-HOST-ISOLATION", "hypervisor.with_isolation");
            *has[kind] = false;
        }
    }
    rig_finish(&rig);
}

static void addresses_end_where_the_host_says(void **state)
{
    static const struct vmr_hypervisor_vtl2_config alias = {.vtl0_alias_map = true};
    struct vmr_resolve_host host = host_with();
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    host.caps.physical_bits = 36;
    host.caps.bits = UINT64_C(1) << VMR_CAP_VTL;
    rig.config.layout.chipset_high_mmio_size = (struct vmr_optional_u64){true, 0};
    rig.mem[0].mem_size = 63 * GIB;
    expect(&rig, &host, NULL, NULL); /* to 64 GiB exactly */
    assert_int_equal(rig.machine->memory.top, 64 * GIB);
    rig.mem[0].mem_size = 63 * GIB + 2 * MIB;
    expect(&rig, &host, "CFG-HOST-ADDRESS-BITS", "");
    host.caps.physical_bits = 37;
    expect(&rig, &host, NULL, NULL);
    host.caps.physical_bits = 0; /* not known */
    expect(&rig, &host, NULL, NULL);
    rig.mem[0].mem_size = 30 * GIB;
    rig.config.layout.vtl2_chipset_mmio_size = (struct vmr_optional_u64){true, 0};
    rig.config.hypervisor.with_hv = true;
    rig.config.hypervisor.with_vtl2 = &alias;
    host.caps.physical_bits = 36;
    expect(&rig, &host, NULL, NULL); /* below the alias at 32 GiB */
    rig.mem[0].mem_size = 32 * GIB;
    expect(&rig, &host, "CFG-HOST-ADDRESS-BITS", "");
    rig_finish(&rig);
}

static void what_an_arm64_machine_needs_is_asked_of_its_host(void **state)
{
    struct vmr_resolve_host host = {
        .arch = VMR_ARCH_ARM64, .caps = {.vp_count_max = 8, .physical_bits = 40}, .gic_v3 = true, .its = true};
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_ARM64);
    expect(&rig, &host, NULL, NULL);
    host.its = false;
    expect(&rig, &host, NULL, NULL); /* v2m will do */
    rig.arm64.gic_msi.kind = VMR_GIC_MSI_ITS;
    expect(&rig, &host, "CFG-HOST-ITS", "processor_topology.arm64.gic_msi");
    rig.arm64.gic_msi.kind = VMR_GIC_MSI_AUTO;
    host.gic_v3 = false;
    host.gic_v2 = true;
    expect(&rig, &host, "CFG-HOST-GIC", "arch");
    rig.arm64.gic_config.version = VMR_GIC_V3;
    expect(&rig, &host, "CFG-HOST-GIC", "processor_topology.arm64.gic_config");
    rig.arm64.gic_config.version = VMR_GIC_V2;
    expect(&rig, &host, NULL, NULL);
    host.gic_v2 = false;
    expect(&rig, &host, "CFG-HOST-GIC", "processor_topology.arm64.gic_config");
    host.gic_v2 = true;
    host.arch = VMR_ARCH_X86_64;
    expect(&rig, &host, "CFG-HOST-ARCH", "arch");
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pc_needs_is_asked_of_its_host),
        cmocka_unit_test(isolation_is_asked_by_its_kind),
        cmocka_unit_test(addresses_end_where_the_host_says),
        cmocka_unit_test(what_an_arm64_machine_needs_is_asked_of_its_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
