/* SPDX-License-Identifier: MIT */

/*
 * The version of the library that is linked. The macros of vmrig/api.h say
 * which header a caller was compiled with; this says which library answers.
 * The build file's number is the third copy: a test compares all three.
 */

#include "vmrig/api.h"

#define TEXT(number) #number
#define DOTTED(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *vmr_version(void)
{
    return DOTTED(VMR_VERSION_MAJOR, VMR_VERSION_MINOR, VMR_VERSION_PATCH);
}
