/* SPDX-License-Identifier: MIT */
/*
 * A machine on the mock behind the command's GDB server, for a real GDB to find:
 * the command itself runs no mock, which has no machine code. Prints the port,
 * and how it ended.
 *
 * usage: gdb_mock
 */

#include <stdio.h>
#include <stdlib.h>

#include "tools/gdb_server.h"
#include "vmrig/mock.h"

#define VPS 2u
#define GIB UINT64_C(0x40000000)
#define RAM (GIB + VMR_MACHINE_MEMORY_GRANULE) /* the program's addresses are RAM, too: debuggers look there */
#define WATCHED 0x100000u
#define DEBUG_EXIT 0xf4u
#define TIMEOUT_NS UINT64_C(60000000000)

static const struct vmr_step steps[] = {VMR_NOP(),
                                        VMR_NOP(),
                                        VMR_STORE(WATCHED, 4, 7),
                                        VMR_NOP(),
                                        VMR_LOAD(0, WATCHED + 8u, 4),
                                        VMR_NOP(),
                                        VMR_OUT(DEBUG_EXIT, 4, 0x2a),
                                        VMR_SPIN()};
static const struct vmr_program program = {
    .name = "program", .steps = steps, .count = sizeof(steps) / sizeof(steps[0])};

static void fail(const char *what, const struct vmr_error *err)
{
    (void)fprintf(stderr, "gdb_mock: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

/* Both GiB where they are: tables in pages 0 and 1. */
static void map(struct vmr_machine *machine)
{
    static const uint8_t top[] = {0x03, 0x10, 0, 0, 0, 0, 0, 0},
                         pages[] = {0x83, 0, 0, 0, 0, 0, 0, 0, 0x83, 0, 0, 0x40, 0, 0, 0, 0};
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(machine));

    if (vmr_memory_write(memory, 0, top, sizeof(top)) || vmr_memory_write(memory, 0x1000, pages, sizeof(pages)))
        exit(EXIT_FAILURE);
}

static struct vmr_machine *create(const struct vmr_hypervisor_handle *handle, const struct vmr_host *host)
{
    void *firmware = calloc(1, 65536);
    const struct vmr_machine_options options = {
        .handle = handle, .host = host, .memory_size = RAM, .vps = VPS, .firmware = firmware, .firmware_size = 65536};
    struct vmr_machine *machine;
    struct vmr_error err = {0};

    if (vmr_machine_create(&options, &machine, &err))
        fail("machine", &err);
    free(firmware);
    if (vmr_mock_load_program(vmr_mock_of(vmr_machine_partition(machine)), 0, &program, &err))
        fail("program", &err);
    map(machine);
    return machine;
}

int main(void)
{
    static const char *const ends[] = {
        [GDB_SERVER_DETACHED] = "detached",   [GDB_SERVER_KILLED] = "killed",   [GDB_SERVER_HALTED] = "halted",
        [GDB_SERVER_ATTENTION] = "attention", [GDB_SERVER_TIMEOUT] = "timeout", [GDB_SERVER_FAILED] = "failed"};
    struct vmr_hypervisor_handle handle;
    struct vmr_backend_set backends;
    struct vmr_vp_set_halt halt;
    struct gdb_server server;
    struct vmr_error err = {0};
    struct vmr_host host;

    vmr_host_posix(&host, NULL);
    vmr_backend_set_init(&backends);
    if (vmr_probe_named(&backends, "mock", &handle, &err))
        fail("mock", &err);
    struct vmr_machine *machine = create(&handle, &host);

    gdb_server_init(&server);
    if (gdb_server_open(&server, 0, &err))
        fail("port", &err);
    (void)printf("%u\n", (unsigned)server.port);
    (void)fflush(stdout);
    enum gdb_server_end end =
        gdb_server_run(&server, machine, &host, host.ops->now_ns(host.context) + TIMEOUT_NS, &halt, &err);

    (void)printf("%s\n", ends[end]);
    gdb_server_close(&server);
    vmr_machine_destroy(machine);
    vmr_handle_close(&handle);
    return EXIT_SUCCESS;
}
