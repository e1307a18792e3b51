/* SPDX-License-Identifier: MIT */
/*
 * Sets of processors as hypercalls name them, against the plain reading of the
 * specification: a VP is a member if its bank is given and its bit is set.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "vmrig/hv.h"

#define WORDS_MAX 72u

struct sparse {
    uint64_t format, valid_banks;
    size_t word_count;
    uint8_t words[8 * WORDS_MAX];
};

static bool plain_has(const struct sparse *sparse, uint32_t vp)
{
    uint32_t bank = vp / 64, word = 0;

    if (sparse->format == HV_GENERIC_SET_ALL)
        return true;
    if ((sparse->valid_banks >> bank & 1) == 0)
        return false;
    for (uint32_t i = 0; i < bank; i++)
        word += (uint32_t)(sparse->valid_banks >> i & 1);
    return (sparse->words[8 * word + vp % 64 / 8] >> vp % 8 & 1) != 0;
}

static void check_members(const struct sparse *sparse, const struct vmr_hv_vp_set *set, uint32_t vp_count)
{
    vmr_vp_index next = 0;
    bool more = vmr_hv_vp_set_next(set, vp_count, &next);

    for (uint32_t vp = 0; vp < HV_VP_SET_VP_MAX; vp++) {
        FUZZ_CHECK(vmr_hv_vp_set_has(set, vp) == plain_has(sparse, vp));
        if (vp >= vp_count || !plain_has(sparse, vp))
            continue;
        FUZZ_CHECK(more && next == vp);
        next++;
        more = vmr_hv_vp_set_next(set, vp_count, &next);
    }
    FUZZ_CHECK(!more);
    FUZZ_CHECK(!vmr_hv_vp_set_has(set, HV_VP_SET_VP_MAX) && !vmr_hv_vp_set_has(set, UINT32_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t vp_counts[] = {0, 1, 2, 63, 64, 65, 2048, HV_VP_SET_VP_MAX, UINT32_MAX};
    struct sparse sparse = {0};
    struct vmr_hv_vp_set set;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    struct input input = input_of(data, size);
    uint32_t vp_count = vp_counts[input_choose(&input, sizeof(vp_counts) / sizeof(vp_counts[0]))];
    bool fitting = input_choose(&input, 8) != 0;

    sparse.format = input_number(&input);
    sparse.valid_banks = input_number(&input);
    sparse.word_count = fitting ? (size_t)__builtin_popcountll(sparse.valid_banks) : input_u8(&input) % WORDS_MAX;
    input_bytes(&input, sparse.words, 8 * sparse.word_count);
    if (vmr_hv_vp_set_decode(sparse.format, sparse.valid_banks, sparse.words, sparse.word_count, &set) !=
        HV_STATUS_SUCCESS)
        return 0;
    FUZZ_CHECK(sparse.word_count == (size_t)__builtin_popcountll(sparse.valid_banks));
    check_members(&sparse, &set, vp_count);
    return 0;
}
