#pragma once
#include "vmrig/host.h"
struct vmr_vm_clock;
VMR_API uint64_t vmr_vm_clock_now(struct vmr_vm_clock *clock);
VMR_API enum vmr_status vmr_vm_clock_set(struct vmr_vm_clock *clock, uint64_t ns);
