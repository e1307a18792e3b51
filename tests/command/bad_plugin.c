/* SPDX-License-Identifier: MIT */
/* The example backend with one thing wrong, which the build says: WRONG is a statement. */

#include "conformance/example/example.h"

const struct vmr_backend *vmrig_backend(void)
{
    static struct vmr_backend table;

    table = *example_backend();
    WRONG;
    return &table;
}
