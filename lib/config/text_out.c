/* SPDX-License-Identifier: MIT */
/*
 * Pieces are short but for texts that a configuration holds, which are measured
 * first.
 */

#include "lib/config/text_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_out(struct writer *writer, const char *format, ...)
{
    char small[512], *text = small;
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof(small), format, arguments);

    va_end(arguments);
    if (length >= (int)sizeof(small)) {
        text = malloc((size_t)length + 1);
        if (text)
            (void)vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    if (length < 0 || !text)
        writer_fail(writer);
    else
        writer_copy(writer, text, (size_t)length);
    if (text != small)
        free(text);
}

enum vmr_status text_out_finish(struct writer *writer, struct vmr_config_text *ret_text, struct vmr_error *err)
{
    writer_u8(writer, 0);
    if (!writer_ok(writer)) {
        writer_finish(writer);
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    }
    *ret_text = (struct vmr_config_text){.bytes = (char *)writer->bytes, .length = writer->length - 1};
    writer->bytes = NULL;
    writer_finish(writer);
    return VMR_OK;
}
