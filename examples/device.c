/* SPDX-License-Identifier: MIT */
/*
 * An own device and an own exit handler.
 *
 * The device is a counter: four bytes of MMIO; a read gives the count and adds
 * one, a write sets it. The handler counts every exit by kind and answers one
 * MSR by itself. The guest is a program of steps that says what it must see, so
 * this runs on the mock, anywhere, and is a test.
 */

#include <stdio.h>
#include <stdlib.h>

#include "vmrig/vmrig.h"

#define COUNTER_GPA 0xd0000000u
#define ANSWER_MSR 0x4b000042u

struct counter {
    uint32_t count; /* one VP: no lock needed */
};

struct watcher {
    unsigned long exits[VMR_EXIT_KIND_COUNT];
};

static const struct vmr_step guest_steps[] = {
    VMR_STORE(COUNTER_GPA, 4, 40),
    VMR_LOAD(0, COUNTER_GPA, 4),
    VMR_LOAD(0, COUNTER_GPA, 4),
    VMR_EXPECT(0, 41),
    VMR_RDMSR(1, ANSWER_MSR),
    VMR_EXPECT(1, 42),
    VMR_END(),
};
static const struct vmr_program guest_program = {.name = "counter", .steps = guest_steps, .count = 7};

static uint64_t counter_read(void *device, const struct vmr_access *access)
{
    struct counter *counter = device;

    (void)access;
    return counter->count++;
}

static void counter_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct counter *counter = device;

    (void)access;
    counter->count = (uint32_t)value;
}

static const struct vmr_device_ops counter_ops = {.read = counter_read, .write = counter_write};

/* Sees every exit first. What it answers itself it says so; the rest is the library's. */
static enum vmr_exit_action watch(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                  enum vmr_halt_reason *ret_reason)
{
    struct watcher *watcher = context;

    (void)vp;
    watcher->exits[vp_exit->kind]++;
    if (vp_exit->kind == VMR_EXIT_MSR && vp_exit->u.msr.index == ANSWER_MSR) {
        vp_exit->u.msr.value = 42;
        return VMR_EXIT_CONTINUE;
    }
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.port == VMR_PROGRAM_PORT_MISMATCH) {
        *ret_reason = VMR_HALT_TRIPLE_FAULT;
        return VMR_EXIT_HALT_VP;
    }
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.port == VMR_PROGRAM_PORT_END) {
        *ret_reason = VMR_HALT_POWER_OFF;
        return VMR_EXIT_HALT_VP;
    }
    return VMR_EXIT_DEFAULT;
}

static void check(enum vmr_status status, const struct vmr_error *err)
{
    if (status == VMR_OK)
        return;
    fprintf(stderr, "device: %s: %s\n", vmr_status_name(status), err->message);
    exit(1);
}

static struct vmr_partition *build(const struct vmr_host *host, const struct vmr_hypervisor_handle *hypervisor,
                                   struct vmr_memory *memory, struct vmr_error *err)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = VMR_PROGRAM_RAM_MIN};
    struct vmr_proto *proto;
    struct vmr_partition *partition;

    check(vmr_memory_region_add(memory, &ram, err), err);
    check(vmr_proto_create(hypervisor, &(struct vmr_proto_options){.host = host}, &proto, err), err);
    check(vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = memory}, &partition, err), err);
    check(vmr_mock_load_program(vmr_mock_of(partition), 0, &guest_program, err), err);
    return partition;
}

/* Long because it makes, runs and takes down everything in order. */
int main(void)
{
    struct counter counter = {0};
    struct watcher watcher = {{0}};
    const struct vmr_bus_range range = {.name = "counter",
                                        .start = COUNTER_GPA,
                                        .length = 4,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_4,
                                        .ops = &counter_ops,
                                        .device = &counter};
    struct vmr_error err = {0};
    struct vmr_host host;
    struct vmr_backend_set backends;
    struct vmr_hypervisor_handle mock;
    struct vmr_memory *memory;
    struct vmr_bus *mmio;
    struct vmr_vp *vp;
    struct vmr_run_result result;

    vmr_host_posix(&host, NULL);
    vmr_backend_set_init(&backends);
    check(vmr_probe_named(&backends, "mock", &mock, &err), &err);
    check(vmr_memory_create(&host, &memory, &err), &err);
    check(vmr_bus_create(&host, VMR_BUS_MMIO, &mmio, &err), &err);
    check(vmr_bus_claim(mmio, &range, &err), &err);
    struct vmr_partition *partition = build(&host, &mock, memory, &err);

    check(vmr_partition_bind(partition, 0, &vp, &err), &err);
    check(vmr_vp_run(vp, NULL, &(struct vmr_vp_io){.mmio = mmio, .exit = watch, .context = &watcher}, &result), &err);
    printf("the guest ended with %s; the counter is %u\n", vmr_halt_reason_name(result.reason), counter.count);
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        if (watcher.exits[kind])
            printf("%-8s %lu\n", vmr_exit_kind_name(kind), watcher.exits[kind]);
    }
    vmr_vp_unbind(vp);
    check(vmr_partition_destroy(partition), &err);
    vmr_bus_destroy(mmio);
    vmr_memory_destroy(memory);
    vmr_handle_close(&mock);
    return result.reason == VMR_HALT_POWER_OFF && counter.count == 42 ? 0 : 1;
}
