/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a doorbell may ask for, on a bus of the library's and in a hypervisor alike.
 */

#include "vmrig/bus.h"

/* VMR_E_CONFIG, naming what does not fit `space`. Who is rung does not matter here. */
enum vmr_status doorbell_check(enum vmr_bus_space space, const struct vmr_doorbell *doorbell, struct vmr_error *err);
