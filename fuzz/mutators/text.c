/* SPDX-License-Identifier: MIT */
/*
 * The mutator of texts whose lines follow from the text itself.
 */

#include "fuzz/fuzz.h"
#include "fuzz/mutators/lines.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const struct lines_known none = {0};

    return lines_mutate(&none, data, size, max_size, seed);
}
