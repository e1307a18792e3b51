/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine monitor in under 100 lines: 2 MiB of memory, one processor,
 * one output port. With a hypervisor it runs real-mode machine code; on the mock
 * the same guest as a program of steps.
 *
 *   minimal             the best hypervisor of this machine, else the mock
 *   minimal kvm         or any other spec: mock:profile=kvm-like, kvm:irqchip=split
 */

#include <stdio.h>
#include <stdlib.h>

#include "vmrig/vmrig.h"

#define CONSOLE_PORT 0x3f8
#define CODE_GPA 0x1000

/* mov dx, 0x3f8; mov al, 'H'; out dx, al; mov al, 'i'; out dx, al; mov al, '\n'; out dx, al; hlt */
static const uint8_t guest_code[] = {0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xb0, '\n', 0xee, 0xf4};

static const struct vmr_step guest_steps[] = {
    VMR_OUT(CONSOLE_PORT, 1, 'H'), VMR_OUT(CONSOLE_PORT, 1, 'i'), VMR_OUT(CONSOLE_PORT, 1, '\n'), VMR_HLT(), VMR_END(),
};
static const struct vmr_program guest_program = {.name = "hi", .steps = guest_steps, .count = 5};

static uint64_t console_read(void *device, const struct vmr_access *access)
{
    return (void)device, (void)access, 0xff;
}

static void console_write(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)device, (void)access, putchar((int)value);
}

static const struct vmr_device_ops console_ops = {.read = console_read, .write = console_write};

/* HLT with nobody to interrupt it is the end of this guest. */
static enum vmr_exit_action on_exit_of_vp(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                          enum vmr_halt_reason *ret_reason)
{
    (void)context, (void)vp;
    *ret_reason = VMR_HALT_POWER_OFF;
    return vp_exit->kind == VMR_EXIT_HALT ? VMR_EXIT_HALT_VP : VMR_EXIT_DEFAULT;
}

static void check(enum vmr_status status, const struct vmr_error *err)
{
    if (status == VMR_OK)
        return;
    fprintf(stderr, "minimal: %s: %s\n", vmr_status_name(status), err->message);
    exit(1);
}

/* Long because it is the whole life of a virtual machine, in order. */
int main(int argc, char **argv)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = 2 << 20};
    const struct vmr_bus_range console = {.name = "console", .start = CONSOLE_PORT, .length = 1, .ops = &console_ops};
    struct vmr_error err = {0};
    struct vmr_host host;
    struct vmr_backend_set backends;
    struct vmr_hypervisor_handle hypervisor;
    struct vmr_memory *memory;
    struct vmr_bus *ports;
    struct vmr_proto *proto;
    struct vmr_partition *partition;
    struct vmr_vp *vp;
    struct vmr_x86_regs regs;
    struct vmr_run_result result;

    vmr_host_posix(&host, NULL);
    vmr_backend_set_init(&backends);
    if (argc > 1 || vmr_probe_auto(&backends, &hypervisor, &err) != VMR_OK)
        check(vmr_probe_named(&backends, argc > 1 ? argv[1] : "mock", &hypervisor, &err), &err);
    check(vmr_memory_create(&host, &memory, &err), &err);
    check(vmr_memory_region_add(memory, &ram, &err), &err);
    check(vmr_bus_create(&host, VMR_BUS_PORTS, &ports, &err), &err);
    check(vmr_bus_claim(ports, &console, &err), &err);
    check(vmr_proto_create(&hypervisor, &(struct vmr_proto_options){.host = &host}, &proto, &err), &err);
    check(vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = memory}, &partition, &err), &err);
    check(vmr_partition_bind(partition, 0, &vp, &err), &err);
    if (vmr_mock_of(partition)) {
        check(vmr_mock_load_program(vmr_mock_of(partition), 0, &guest_program, &err), &err);
    } else {
        check(vmr_memory_write(memory, CODE_GPA, guest_code, sizeof(guest_code)), &err);
        vmr_x86_regs_sipi(&regs, CODE_GPA >> 12);
        check(vmr_vp_set_regs(vp, &regs), &err);
    }
    check(vmr_vp_run(vp, NULL, &(struct vmr_vp_io){.ports = ports, .exit = on_exit_of_vp}, &result), &err);
    fprintf(stderr, "minimal: %s on %s\n", vmr_halt_reason_name(result.reason), hypervisor.backend->name);
    vmr_vp_unbind(vp);
    check(vmr_partition_destroy(partition), &err);
    vmr_bus_destroy(ports);
    vmr_memory_destroy(memory);
    vmr_handle_close(&hypervisor);
    return 0;
}
