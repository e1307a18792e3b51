/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything, in reading order. Backends include vmrig/backend.h instead.
 */

#include "vmrig/types.h"
#include "vmrig/error.h"
#include "vmrig/limits.h"
#include "vmrig/host.h"
#include "vmrig/clock.h"
#include "vmrig/exit.h"
#include "vmrig/vp_state.h"
#include "vmrig/state.h"
#include "vmrig/x86_state.h"
#include "vmrig/memory.h"
#include "vmrig/dirty.h"
#include "vmrig/bus.h"
#include "vmrig/hv_spec.h"
#include "vmrig/hv.h"
#include "vmrig/irqchip.h"
#include "vmrig/synic.h"
#include "vmrig/vtl.h"
#include "vmrig/hv_registers.h"
#include "vmrig/hv_guest.h"
#include "vmrig/hv_device.h"
#include "vmrig/probe.h"
#include "vmrig/partition.h"
#include "vmrig/state_access.h"
#include "vmrig/run.h"
#include "vmrig/vp_set.h"
#include "vmrig/gdb.h"
#include "vmrig/platform.h"
#include "vmrig/device_state.h"
#include "vmrig/machine.h"
#include "vmrig/program.h"
#include "vmrig/mock.h"
#include "vmrig/trace.h"
