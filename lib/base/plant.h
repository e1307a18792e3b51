/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bugs on purpose, to prove that the searches find them. In a normal build
 * PLANT() is false at compile time and nothing of this remains; a test build
 * (-Dplanted_bugs=true) asks vmr_plant, which the test program defines.
 */

#include <stdbool.h>

enum plant {
    PLANT_NONE,
    PLANT_LOST_KICK,    /* run: no second look at the requests before the guest is entered */
    PLANT_STALE_CANCEL, /* run: a consumed kick stays set if another request comes at that moment */
    PLANT_STALE_ACK,    /* VP set: an acknowledgement counts for any stop */
    PLANT_CMOS_BYTE,    /* CMOS: one byte of the memory size is another */
    PLANT_SERIAL_DROP,  /* serial port, debug console: a character that is written vanishes */
    PLANT_CMOS_ADDRESS, /* CMOS: what is written lands in the register behind */
    PLANT_FIRMWARE_GPA, /* firmware: its region is one segment too low */
    PLANT_COUNT
};

#if defined(VMR_PLANTED)
bool vmr_plant(enum plant plant);
#define PLANT(name) vmr_plant(PLANT_##name)
#else
#define PLANT(name) false
#endif
