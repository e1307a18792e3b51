/* SPDX-License-Identifier: MIT */
/*
 * The page is a template with a hole for the certificates. They stand in it as
 * JSON, which a browser does not run; only '<' could end that, so none is left.
 */

#include "conformance/page.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/page_template.h"

/* In JSON a '<' stands in strings alone, where \u003c means the same: no "</script" and no "<!--" is left. */
static bool write_inert(const char *json, FILE *out)
{
    while (*json) {
        size_t plain = strcspn(json, "<");

        if (fwrite(json, 1, plain, out) != plain)
            return false;
        json += plain;
        if (*json == '<') {
            if (fputs("\\u003c", out) == EOF)
                return false;
            json++;
        }
    }
    return true;
}

bool page_write(const json_t *certificates, FILE *out)
{
    /* ASCII alone: no separator or unpaired half of a character can mean something to a browser. */
    char *json = json_dumps(certificates, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
    bool written = json && fwrite(page_before, 1, page_before_size, out) == page_before_size &&
                   write_inert(json, out) && fwrite(page_after, 1, page_after_size, out) == page_after_size;

    free(json);
    return written && fflush(out) == 0;
}
