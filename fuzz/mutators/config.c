/* SPDX-License-Identifier: MIT */
/*
 * The mutator of configurations: puts one word of the schema, which has all keys
 * and names, in the place of a text; else changes lines and numbers.
 */

#include <stdbool.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/mutators/lines.h"
#include "vmrig/config_file.h"

#define WORD_MAX 64u
#define LIST_MAX 4096u

struct word {
    const uint8_t *at; /* with its quotes */
    size_t length;
};

struct words {
    struct word list[LIST_MAX];
    size_t count;
};

/* Everything between quotes, as far as a line goes. */
static void find_words(const uint8_t *text, size_t size, struct words *ret_words)
{
    const uint8_t *open = NULL;

    ret_words->count = 0;
    for (size_t i = 0; i < size && ret_words->count < LIST_MAX; i++) {
        if (text[i] == '\n')
            open = NULL;
        if (text[i] != '"')
            continue;
        if (open && (size_t)(text + i + 1 - open) <= WORD_MAX)
            ret_words->list[ret_words->count++] = (struct word){open, (size_t)(text + i + 1 - open)};
        open = open ? NULL : text + i;
    }
}

/* Made once, and kept: it is the same for every input. */
static const struct words *schema_words(void)
{
    static struct vmr_config_text schema;
    static struct words words;

    if (!schema.bytes && vmr_config_schema(&schema, NULL) == VMR_OK)
        find_words((const uint8_t *)schema.bytes, schema.length, &words);
    return &words;
}

static size_t replace(uint8_t *data, size_t size, size_t max_size, const struct word *old, const struct word *new)
{
    uint8_t *at = data + (old->at - data);
    size_t behind = size - (size_t)(old->at - data) - old->length;

    if (new->length > max_size - (size - old->length))
        return 0;
    memmove(at + new->length, at + old->length, behind);
    memcpy(at, new->at, new->length);
    return size - old->length + new->length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const struct lines_known none = {0};
    static struct words here;
    const struct words *known = schema_words();

    find_words(data, size, &here);
    if (seed % 3 != 0 && here.count > 0 && known->count > 0) {
        size_t changed =
            replace(data, size, max_size, &here.list[seed / 3 % here.count], &known->list[seed / 7 % known->count]);

        if (changed > 0)
            return changed;
    }
    return lines_mutate(&none, data, size, max_size, seed);
}
