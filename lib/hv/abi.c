/* SPDX-License-Identifier: MIT */
/*
 * What all calling conventions share: finding one by number, and moving bytes
 * to and from the words of a fast call.
 *
 * Output goes in byte by byte, so that what no completed element covers keeps
 * what the guest had there, exactly as in its memory.
 */

#include "lib/hv/abi.h"

#include <assert.h>
#include <string.h>

#include "lib/base/bytes.h"

const struct abi *abi_find(unsigned number)
{
    static const struct abi *const all[VMR_HV_ABI_COUNT] = {
        [VMR_HV_ABI_X64] = &abi_x64,
        [VMR_HV_ABI_X86] = &abi_x86,
        [VMR_HV_ABI_ARM64_HVC] = &abi_arm64_hvc,
        [VMR_HV_ABI_ARM64_SMCCC] = &abi_arm64_smccc,
    };

    return number < VMR_HV_ABI_COUNT ? all[number] : NULL;
}

/* Bytes from `offset` on that lie in one word. */
static size_t bytes_in_word(size_t offset, size_t left)
{
    size_t room = 8 - offset % 8;

    return left < room ? left : room;
}

void abi_read_fast(const struct abi *abi, const struct vmr_hv_call_registers *registers, uint8_t *ret_bytes,
                   size_t length)
{
    size_t at = 0;

    assert(length <= abi->pairs * 16u);
    for (; length - at >= 8; at += 8)
        store_le64(ret_bytes + at, abi->word(abi, registers, (unsigned)(at / 8)));
    if (at < length)
        store_le(ret_bytes + at, (unsigned)(length - at), abi->word(abi, registers, (unsigned)(at / 8)));
}

void abi_write_fast(const struct abi *abi, struct vmr_hv_call_registers *registers, size_t offset, const uint8_t *bytes,
                    size_t length)
{
    size_t done = 0;

    assert(offset + length <= abi->pairs * 16u);
    while (done < length) {
        unsigned index = (unsigned)((offset + done) / 8);
        size_t here = bytes_in_word(offset + done, length - done);
        uint8_t word[8];

        store_le64(word, abi->word(abi, registers, index));
        memcpy(word + (offset + done) % 8, bytes + done, here);
        abi->set_word(abi, registers, index, load_le64(word));
        done += here;
    }
}
