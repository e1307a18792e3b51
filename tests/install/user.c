/* SPDX-License-Identifier: MIT */

/*
 * A program of somebody else's: it knows the installed headers and the
 * installed library, nothing of this tree. Compiled as C17 and as C++17.
 */

#include <stdio.h>
#include <string.h>

#include <vmrig/backend.h>
#include <vmrig/vmrig.h>

int main(void)
{
    struct vmr_error err = {};

    if (vmr_error_set(&err, VMR_E_CONFIG, "%s", "a value") != VMR_E_CONFIG)
        return 1;
    printf("%s %s\n", vmr_version(), vmr_status_name(err.status));
    return strcmp(err.message, "a value") == 0 ? 0 : 1;
}
