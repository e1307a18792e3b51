/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The benchmarks of the Hyper-V guest interface: a VM whose guest signals, posts
 * or waits for ever, on the mock and on KVM with the same program.
 */

#include "tools/bench/bench.h"

#define BENCH_HV_CONNECTION 0x1234u

enum bench_hv_guest {
    BENCH_HV_SIGNAL,  /* SignalEvent, fast, again and again */
    BENCH_HV_POST,    /* PostMessage */
    BENCH_HV_MONITOR, /* a bit of the monitor page */
    BENCH_HV_WAIT,    /* takes messages and frees their slots */
    BENCH_HV_GUEST_COUNT
};

struct bench_hv_vm {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    struct vmr_partition *partition;
    struct vmr_synic *synic;
    struct vmr_synic_port *port;
    struct vmr_vp *vp;
    struct vmr_stop_source *stop;
    struct vmr_vp_io io;
    uint64_t left, timed; /* as in struct bench_vm */
    uint64_t begin_ns, end_ns;
};

/* False: it could not be made; nothing is left. `ret_unavailable`: because the hypervisor is not here, which was said.
 */
bool bench_hv_create(struct bench_hv_vm *vm, const char *spec, enum bench_hv_guest guest, bool *ret_unavailable);
void bench_hv_destroy(struct bench_hv_vm *vm);
/* Nanoseconds that one of `count` signals or messages took, after a first one; negative: it failed. */
double bench_hv_run(struct bench_hv_vm *vm, uint64_t count);

/* Of BENCH_HV_WAIT: how often the guest's handler has run, and whether the slot is free again. Any thread. */
uint32_t bench_hv_handled(const struct bench_hv_vm *vm);
bool bench_hv_slot_is_free(const struct bench_hv_vm *vm);
enum vmr_status bench_hv_post(struct bench_hv_vm *vm);
