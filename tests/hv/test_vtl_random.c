/* SPDX-License-Identifier: MIT */
/*
 * Hostile inputs: every field of every input of the calls about VTLs and pages
 * is random, mostly near what means something. Nothing may crash, a result is
 * always one, and what the backend was told is always what the interface
 * believes. [VTL-2] [VTL-3] [VTL-9] [VTL-14]
 */

#include "tests/hv/guest_rig.h"

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 16;
}

/* Small, all ones, near a page number's end, or anything. */
static uint64_t draw_word(uint64_t *seed)
{
    switch (draw(seed) % 6) {
    case 0:
        return UINT64_MAX;
    case 1:
        return draw(seed);
    case 2:
        return (UINT64_C(1) << (draw(seed) % 64)) - draw(seed) % 2;
    case 3:
        return draw(seed) % 16 | (draw(seed) % 32) << 32;
    default:
        return draw(seed) % 20;
    }
}

static void fill(uint8_t *bytes, size_t length, uint64_t *seed)
{
    for (size_t i = 0; i + 8 <= length; i += 8)
        store_le64(bytes + i, draw_word(seed));
    if (draw(seed) % 4 != 0)
        memset(bytes, 0xff, 8); /* this partition */
}

static void check_agreement(struct guest_rig *rig)
{
    for (uint8_t vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        for (uint64_t page = 0; page < GUEST_PAGES; page++) {
            uint8_t told = rig->access[vtl][page];

            for (uint8_t bit = 1; bit <= HV_MAP_GPA_USER_EXECUTABLE; bit = (uint8_t)(bit << 1))
                assert_int_equal(guest_pages_allow(&rig->guest->pages, vtl, page, bit),
                                 told != VMR_VTL_HOLE && (told & bit) != 0);
        }
    }
}

static void call_at_random(struct guest_rig *rig, uint64_t *seed)
{
    static const uint16_t codes[] = {HV_CALL_MODIFY_VTL_PROTECTION_MASK,
                                     HV_CALL_ENABLE_PARTITION_VTL,
                                     HV_CALL_ENABLE_VP_VTL,
                                     HV_CALL_VTL_CALL,
                                     HV_CALL_VTL_RETURN,
                                     HV_CALL_ACCEPT_GPA_PAGES,
                                     HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY,
                                     HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY};
    struct vmr_x86_regs regs = {
        .rip = 0x3003, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    struct vmr_hv_site site = {.vp = (vmr_vp_index)(draw(seed) % GUEST_VPS), .instruction_length = 3, .regs = &regs};
    uint8_t input[512];

    site.vtl = vmr_hv_guest_vtl(rig->guest, site.vp);
    fill(input, sizeof(input), seed);
    assert_int_equal(memory_write_inside(rig->memory, PAGE, input, sizeof(input)), VMR_OK);
    regs.gpr[VMR_X86_RCX] = codes[draw(seed) % (sizeof(codes) / sizeof(codes[0]))];
    if (draw(seed) % 8 != 0 && regs.gpr[VMR_X86_RCX] != HV_CALL_VTL_CALL && regs.gpr[VMR_X86_RCX] != HV_CALL_VTL_RETURN)
        regs.gpr[VMR_X86_RCX] |= (draw(seed) % 12) << 32;
    regs.gpr[VMR_X86_RDX] = PAGE;
    regs.gpr[VMR_X86_R8] = draw(seed) % 8 ? 2 * PAGE : draw_word(seed);
    regs.gpr[VMR_X86_RAX] = draw(seed) % 3;
    rig->protect_fails = draw(seed) % 16 == 0;
    enum vmr_hv_site_end end = vmr_hv_guest_call(rig->guest, &site);

    rig->protect_fails = false;
    assert_int_not_equal(end, VMR_HV_SITE_FAILED);
    if (end == VMR_HV_SITE_SWITCHED)
        assert_int_equal(site.entry.vtl, vmr_hv_guest_vtl(rig->guest, site.vp));
}

static void fault_at_random(struct guest_rig *rig, uint64_t *seed)
{
    const struct vmr_x86_regs regs = {.rip = draw(seed)};
    const struct vmr_hv_fault fault = {.vp = (vmr_vp_index)(draw(seed) % 3),
                                       .vtl = (uint8_t)(draw(seed) % 4),
                                       .gpa = draw_word(seed) * PAGE,
                                       .access_type = (uint8_t)(draw(seed) % 4),
                                       .regs = &regs};
    struct vmr_hv_entry entry = {.vtl = 9};

    if (vmr_hv_guest_fault(rig->guest, &fault, &entry) == VMR_HV_FAULT_ENTER)
        assert_true(entry.vtl > fault.vtl && entry.vtl < VMR_VTL_COUNT);
}

static void host_at_random(struct guest_rig *rig, uint64_t *seed)
{
    const struct vmr_page_range range = {.gpa = draw_word(seed) * PAGE, .size = draw_word(seed) % 4 * PAGE};

    (void)!vmr_hv_guest_modify_page(rig->guest, draw_word(seed), (uint32_t)draw_word(seed) % 32, NULL);
    (void)!vmr_hv_guest_map_vtl(rig->guest, (uint8_t)(draw(seed) % 4), &range, draw(seed) % 2, NULL);
}

static void nothing_crashes_and_all_agree(void **state)
{
    static const struct vmr_page_range own = {.gpa = 0, .size = 4 * PAGE};
    static const struct vmr_late_map late = {.allowed = VMR_LATE_MAP_RANGES, .ranges = &own, .range_count = 1};
    static const struct vmr_hv_vtl2_config plain = {.late_map = NULL}, late_config = {.late_map = &late};
    static const struct vmr_initial_pages initial = {.range = {.gpa = 0, .size = 3 * PAGE}};

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const struct vmr_hv_vtl2_config *config = seed % 3 == 0 ? NULL : seed % 3 == 1 ? &plain : &late_config;
        enum vmr_isolation isolation = config && seed % 2 ? VMR_ISOLATION_VBS : VMR_ISOLATION_NONE;
        uint64_t random = seed;
        struct guest_rig rig;

        guest_rig_init_vtls(&rig, config, isolation);
        if (isolation)
            assert_int_equal(vmr_hv_guest_accept_initial(rig.guest, &initial, 1, NULL), VMR_OK);
        for (unsigned i = 0; i < 300; i++) {
            call_at_random(&rig, &random);
            if (i % 4 == 0)
                fault_at_random(&rig, &random);
            if (i % 16 == 0)
                host_at_random(&rig, &random);
        }
        if (config)
            check_agreement(&rig);
        guest_rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_crashes_and_all_agree)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
