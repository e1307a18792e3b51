/* SPDX-License-Identifier: MIT */
#pragma once

/* Where guests of compositions write and read. */

#include "vmrig/program.h"

#define SOAK_PORT(vp) (0x500u + 0x10u * (vp)) /* counts; 4 behind it answers SOAK_ANSWER */
#define SOAK_WORD(vp) (VMR_PROGRAM_DATA + 0x100u * ((vp) + 1u))
#define SOAK_HOLE UINT64_C(0x20000000) /* where no RAM is, and regions come and go beside it */
#define SOAK_REGION_GPA UINT64_C(0x20010000)
