/* SPDX-License-Identifier: MIT */

/* Sets of processors: what decodes, and that no number from a guest gets out of bounds. */

#include "vmrig/hv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"

static const struct {
    const char *name;
    uint64_t format, valid_banks;
    size_t words;
    bool right;
} forms[] = {
    {"no bank", HV_GENERIC_SET_SPARSE_4K, 0, 0, true},
    {"one bank", HV_GENERIC_SET_SPARSE_4K, 1, 1, true},
    {"the last bank", HV_GENERIC_SET_SPARSE_4K, UINT64_C(1) << 63, 1, true},
    {"all banks", HV_GENERIC_SET_SPARSE_4K, UINT64_MAX, 64, true},
    {"a word too few", HV_GENERIC_SET_SPARSE_4K, 3, 1, false},
    {"a word too many", HV_GENERIC_SET_SPARSE_4K, 3, 3, false},
    {"words without banks", HV_GENERIC_SET_SPARSE_4K, 0, 1, false},
    {"more words than banks exist", HV_GENERIC_SET_SPARSE_4K, UINT64_MAX, 1023, false},
    {"everybody", HV_GENERIC_SET_ALL, 0, 0, true},
    {"everybody, and words", HV_GENERIC_SET_ALL, 0, 1, false},
    {"format 2", 2, 0, 0, false},
    {"format in the high half", UINT64_C(1) << 32, 0, 0, false},
};

static void a_set_has_one_word_for_each_valid_bank(void **state)
{
    (void)state;
    static const uint8_t words[1023 * 8];

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct vmr_hv_vp_set set, untouched;

        memset(&set, 0xcc, sizeof(set));
        memset(&untouched, 0xcc, sizeof(untouched));
        enum hv_status status =
            vmr_hv_vp_set_decode(forms[i].format, forms[i].valid_banks, words, forms[i].words, &set);

        if (status != (forms[i].right ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER))
            fail_msg("%s", forms[i].name);
        if (!forms[i].right)
            assert_memory_equal(&set, &untouched, sizeof(set));
    }
}

static void members_come_in_ascending_order(void **state)
{
    (void)state;
    static const vmr_vp_index members[] = {0, 63, 64 * 5 + 1, 64 * 63, 4095};
    uint8_t words[3 * 8];
    struct vmr_hv_vp_set set;
    size_t found = 0;

    store_le64(words, UINT64_C(1) << 63 | 1);
    store_le64(words + 8, 2);
    store_le64(words + 16, UINT64_C(1) << 63 | 1);
    assert_int_equal(vmr_hv_vp_set_decode(HV_GENERIC_SET_SPARSE_4K, UINT64_C(1) << 63 | 1 << 5 | 1, words, 3, &set),
                     HV_STATUS_SUCCESS);
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(&set, HV_VP_SET_VP_MAX, &vp); vp++) {
        assert_true(found < sizeof(members) / sizeof(members[0]));
        assert_int_equal(vp, members[found++]);
    }
    assert_int_equal(found, sizeof(members) / sizeof(members[0]));
    for (vmr_vp_index vp = 0, next = 0; vp < 5000; vp++) {
        bool member = next < found && members[next] == vp;

        assert_int_equal(vmr_hv_vp_set_has(&set, vp), member);
        next += member;
    }
}

static const struct {
    const char *name;
    bool all;
    uint32_t vp_count, from;
    bool found;
    vmr_vp_index vp;
} searches[] = {
    {"the member below the count", false, 65, 0, true, 64},
    {"the member at the count", false, 64, 0, false, 0},
    {"a partition without VPs", false, 0, 0, false, 0},
    {"behind the count", false, 65, 65, false, 0},
    {"from the member on", false, 4096, 64, true, 64},
    {"behind the member", false, 4096, 65, true, 4095},
    {"the last of all", false, 4096, 4095, true, 4095},
    {"from 4096", false, UINT32_MAX, 4096, false, 0},
    {"from an index that is no VP", false, UINT32_MAX, UINT32_MAX, false, 0},
    {"everybody", true, 3, 2, true, 2},
    {"everybody, and no more", true, 3, 3, false, 0},
    {"everybody there can be", true, UINT32_MAX, 4095, true, 4095},
    {"everybody, from 4096", true, UINT32_MAX, 4096, false, 0},
};

static void no_member_is_beyond_the_vps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        struct vmr_hv_vp_set set = {.all = searches[i].all, .banks = {[1] = 1, [63] = UINT64_C(1) << 63}};
        vmr_vp_index vp = searches[i].from;

        if (vmr_hv_vp_set_next(&set, searches[i].vp_count, &vp) != searches[i].found)
            fail_msg("%s", searches[i].name);
        assert_int_equal(vp, searches[i].found ? searches[i].vp : searches[i].from);
    }
}

static void a_mask_is_a_set_of_64(void **state)
{
    (void)state;
    struct vmr_hv_vp_set set;

    memset(&set, 0xff, sizeof(set));
    vmr_hv_vp_set_init(&set, UINT64_C(1) << 63 | 1);
    for (vmr_vp_index vp = 0; vp < 4200; vp++)
        assert_int_equal(vmr_hv_vp_set_has(&set, vp), vp == 0 || vp == 63);
    assert_false(vmr_hv_vp_set_has(&set, HV_VP_INDEX_SELF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_has_one_word_for_each_valid_bank),
        cmocka_unit_test(members_come_in_ascending_order),
        cmocka_unit_test(no_member_is_beyond_the_vps),
        cmocka_unit_test(a_mask_is_a_set_of_64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
