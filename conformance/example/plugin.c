/* SPDX-License-Identifier: MIT */
/* What makes it a plug-in. */

#include "example.h"

const struct vmr_backend *vmrig_backend(void)
{
    return example_backend();
}
