/* SPDX-License-Identifier: MIT */
/*
 * Sets of virtual processors as hypercalls name them (TLFS, Virtual Processor
 * Sets).
 *
 * A set is as large as the largest that a guest can name, 4096 VPs, so that no
 * number from the guest is ever an index beyond it; which of them exist is said
 * by the count that every search takes.
 */

#include "vmrig/hv.h"

#include <string.h>

#include "lib/base/bytes.h"

void vmr_hv_vp_set_init(struct vmr_hv_vp_set *ret_set, uint64_t mask)
{
    *ret_set = (struct vmr_hv_vp_set){.banks = {mask}};
}

enum hv_status vmr_hv_vp_set_decode(uint64_t format, uint64_t valid_banks, const uint8_t *words, size_t word_count,
                                    struct vmr_hv_vp_set *ret_set)
{
    struct vmr_hv_vp_set set = {.all = format == HV_GENERIC_SET_ALL};

    if (format != HV_GENERIC_SET_SPARSE_4K && format != HV_GENERIC_SET_ALL)
        return HV_STATUS_INVALID_PARAMETER;
    if (word_count != (size_t)__builtin_popcountll(valid_banks))
        return HV_STATUS_INVALID_PARAMETER;
    for (unsigned bank = 0; bank < HV_VP_SET_BANK_COUNT; bank++) {
        if ((valid_banks >> bank & 1) != 0) {
            set.banks[bank] = load_le64(words);
            words += 8;
        }
    }
    *ret_set = set;
    return HV_STATUS_SUCCESS;
}

bool vmr_hv_vp_set_has(const struct vmr_hv_vp_set *set, vmr_vp_index vp)
{
    if (vp >= HV_VP_SET_VP_MAX)
        return false;
    return set->all || (set->banks[vp / HV_VP_SET_BANK_BITS] >> vp % HV_VP_SET_BANK_BITS & 1) != 0;
}

/* The first member from `vp` on, below HV_VP_SET_VP_MAX; that number if there is none. One step for each bank. */
static uint32_t first_from(const struct vmr_hv_vp_set *set, uint32_t vp)
{
    unsigned bank = vp / HV_VP_SET_BANK_BITS;
    uint64_t left = set->banks[bank] & UINT64_MAX << vp % HV_VP_SET_BANK_BITS;

    while (left == 0 && ++bank < HV_VP_SET_BANK_COUNT)
        left = set->banks[bank];
    return left == 0 ? HV_VP_SET_VP_MAX : bank * HV_VP_SET_BANK_BITS + (uint32_t)__builtin_ctzll(left);
}

bool vmr_hv_vp_set_next(const struct vmr_hv_vp_set *set, uint32_t vp_count, vmr_vp_index *vp)
{
    uint32_t limit = vp_count < HV_VP_SET_VP_MAX ? vp_count : HV_VP_SET_VP_MAX;

    if (*vp >= limit)
        return false;
    uint32_t found = set->all ? *vp : first_from(set, *vp);

    if (found >= limit)
        return false;
    *vp = found;
    return true;
}
