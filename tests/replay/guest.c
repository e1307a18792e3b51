/* SPDX-License-Identifier: MIT */
/*
 * Programs that reach the devices of a machine, and recording them.
 */

#include "tests/replay/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrig/machine.h"

#define MEMORY 0x400000u
#define FIRMWARE 0x10000u
#define EPOCH 1704067200u

#define DEBUG_CONSOLE 0x402
#define SERIAL 0x3f8
#define SERIAL_IER 0x3f9
#define SERIAL_MCR 0x3fc
#define SERIAL_LSR 0x3fd
#define DEBUG_EXIT 0xf4
#define PIC_BASE 0x20
#define IPI 0x41
#define STEPS(list) .steps = (list), .count = (uint32_t)(sizeof(list) / sizeof((list)[0]))

static const struct vmr_step devices_steps[] = {
    VMR_IN(0, SERIAL_LSR, 1),
    VMR_EXPECT(0, 0x60),
    VMR_OUT(SERIAL, 1, 'm'),
    VMR_OUT(SERIAL, 1, 'o'),
    VMR_OUT(DEBUG_CONSOLE, 1, 'c'),
    VMR_OUT(DEBUG_CONSOLE, 1, 'k'),
    VMR_OUT(0x70, 1, 0x34),
    VMR_IN(1, 0x71, 1),
    VMR_OUT(0x70, 1, 0),
    VMR_IN(2, 0x71, 1),
    /* The interrupt controller, all but the timer masked; the timer at 3.4 ms. */
    VMR_OUT(0x20, 1, 0x11),
    VMR_OUT(0x21, 1, PIC_BASE),
    VMR_OUT(0x21, 1, 0x04),
    VMR_OUT(0x21, 1, 0x01),
    VMR_OUT(0x21, 1, 0xfe),
    VMR_OUT(0x43, 1, 0x34),
    VMR_OUT(0x40, 1, 0x00),
    VMR_OUT(0x40, 1, 0x10),
    VMR_WAIT_VECTOR(PIC_BASE, 3),
    VMR_OUT(DEBUG_EXIT, 4, 0x600d),
    VMR_END(),
};
const struct vmr_program guest_devices = {.name = "devices", STEPS(devices_steps), .eoi = VMR_EOI_PIC};

static const struct vmr_step boss_steps[] = {
    VMR_START_VP(1),
    VMR_OUT(DEBUG_CONSOLE, 1, 'a'),
    VMR_SPIN_UNTIL(VMR_PROGRAM_DATA, 1, 1),
    VMR_SEND_IPI(1, IPI),
    VMR_OUT(DEBUG_CONSOLE, 1, 'b'),
    VMR_SPIN_UNTIL(VMR_PROGRAM_DATA, 1, 2),
    VMR_SEND_IPI(1, IPI),
    VMR_SPIN_UNTIL(VMR_PROGRAM_DATA, 1, 3),
    VMR_OUT(DEBUG_EXIT, 4, 0x600d),
    VMR_END(),
};
const struct vmr_program guest_boss = {.name = "boss", STEPS(boss_steps), .eoi = VMR_EOI_XAPIC};

static const struct vmr_step worker_steps[] = {
    /* The local APIC is off until its spurious vector register says otherwise. */
    VMR_STORE(0xfee000f0, 4, 0x1ff),   VMR_OUT(DEBUG_CONSOLE, 1, '1'),
    VMR_STORE(VMR_PROGRAM_DATA, 1, 1), VMR_WAIT_VECTOR(IPI, 1),
    VMR_OUT(DEBUG_CONSOLE, 1, '2'),    VMR_STORE(VMR_PROGRAM_DATA, 1, 2),
    VMR_WAIT_VECTOR(IPI, 2),           VMR_OUT(DEBUG_CONSOLE, 1, '3'),
    VMR_STORE(VMR_PROGRAM_DATA, 1, 3), VMR_END(),
};
const struct vmr_program guest_worker = {
    .name = "worker", STEPS(worker_steps), .start = VMR_START_REAL_MODE, .eoi = VMR_EOI_XAPIC};

static const struct vmr_step long_steps[] = {
    VMR_SET(0, 8000),
    VMR_OUT_VAR(DEBUG_CONSOLE, 1, 0),
    VMR_OUT(0x70, 1, 0x34),
    VMR_IN(1, 0x71, 1),
    VMR_IN(1, SERIAL_LSR, 1),
    VMR_LOOP(0, 1),
    VMR_OUT(DEBUG_EXIT, 4, 0x600d),
    VMR_END(),
};
const struct vmr_program guest_long = {.name = "long", STEPS(long_steps)};

static const struct vmr_step endless_steps[] = {
    VMR_OUT(DEBUG_CONSOLE, 1, '.'), VMR_OUT(0x70, 1, 0x34), VMR_IN(1, 0x71, 1), VMR_IN(1, SERIAL_LSR, 1), VMR_JUMP(0),
};
const struct vmr_program guest_endless = {.name = "endless", STEPS(endless_steps)};

#define ECHO_NEXT 9 /* the step that looks for a character */
static const struct vmr_step echo_steps[] = {
    /* The interrupt controller, all but the serial port masked; then the serial port's own two gates. */
    VMR_OUT(0x20, 1, 0x11),
    VMR_OUT(0x21, 1, PIC_BASE),
    VMR_OUT(0x21, 1, 0x04),
    VMR_OUT(0x21, 1, 0x01),
    VMR_OUT(0x21, 1, 0xef),
    VMR_OUT(SERIAL_MCR, 1, 0x08),
    VMR_OUT(SERIAL_IER, 1, 0x01),
    VMR_WAIT_VECTOR(PIC_BASE + 4, 1),
    VMR_NOP(),
    VMR_IN(0, SERIAL_LSR, 1),
    VMR_JUMP_EQ(0, 0x60, ECHO_NEXT),
    VMR_IN(1, SERIAL, 1),
    VMR_OUT_VAR(SERIAL, 1, 1),
    VMR_JUMP_EQ(1, '\n', 15),
    VMR_JUMP(ECHO_NEXT),
    VMR_OUT(DEBUG_EXIT, 4, 0x600d),
    VMR_END(),
};
const struct vmr_program guest_echo = {.name = "echo", STEPS(echo_steps), .eoi = VMR_EOI_PIC};

/* --- recording --- */

static void must(enum vmr_status status, const struct vmr_error *err)
{
    if (status == VMR_OK)
        return;
    (void)fprintf(stderr, "recording on the mock: %s: %s\n", vmr_status_name(status), err->message);
    abort();
}

static void print(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    (void)source;
    bytes_append(context, bytes, length);
}

static void create_recorder(const struct guest *guest, struct bytes *trace, struct vmr_recorder **ret_recorder)
{
    char vps[8];
    const struct vmr_trace_meta meta[] = {
        {"machine", "small-pc"},    {"memory", "4194304"},       {"vps", vps},
        {"firmware-size", "65536"}, {"rtc-epoch", "1704067200"},
    };
    const struct vmr_recorder_options options = {.sink = guest->sink.write ? guest->sink : bytes_sink(trace),
                                                 .codec = guest->codec,
                                                 .meta = meta,
                                                 .meta_count = sizeof(meta) / sizeof(meta[0])};
    struct vmr_error err = {0};

    (void)snprintf(vps, sizeof(vps), "%u", (unsigned)guest->vps);
    must(vmr_recorder_create(&options, ret_recorder, &err), &err);
}

static void load(const struct guest *guest, struct vmr_recorder *recorder)
{
    struct vmr_mock *mock = vmr_recorder_native(recorder, vmr_mock_backend());
    struct vmr_error err = {0};

    for (uint32_t i = 0; i < guest->vps; i++) {
        if (guest->programs[i])
            must(vmr_mock_load_program(mock, i, guest->programs[i], &err), &err);
    }
}

static void run(const struct guest *guest, struct vmr_machine *machine)
{
    struct vmr_error err = {0};
    struct vmr_vp_set_halt halt;
    uint32_t value = 0;

    must(vmr_machine_start(machine), &err);
    /* The port has room for a line before the guest looks for it. */
    if (guest->input &&
        vmr_machine_receive(machine, (const uint8_t *)guest->input, strlen(guest->input)) != strlen(guest->input))
        abort();
    must(vmr_machine_wait(machine, VMR_NEVER, &halt), &err);
    must(vmr_machine_stop(machine), &err);
    if (vmr_machine_exit_value(machine, &value) && value == 0x600d)
        return;
    (void)fprintf(stderr, "the guest ended by %s, value %#x\n", vmr_halt_reason_name(halt.result.reason), value);
    abort();
}

void guest_record(const struct guest *guest, struct bytes *ret_trace, struct bytes *ret_console)
{
    static const uint8_t firmware[FIRMWARE];
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle, recorded_handle;
    struct vmr_host host, recorded_host;
    struct vmr_recorder *recorder = NULL;
    struct vmr_machine *machine = NULL;
    struct vmr_error err = {0};
    const struct vmr_machine_options options = {
        .handle = &recorded_handle,
        .host = &recorded_host,
        .memory_size = MEMORY,
        .vps = guest->vps,
        .firmware = firmware,
        .firmware_size = FIRMWARE,
        .rtc_epoch_s = EPOCH,
        .console = guest->console.write ? guest->console : (struct vmr_console_sink){print, ret_console}};

    *ret_trace = *ret_console = (struct bytes){0};
    bytes_append(ret_console, "", 0);
    vmr_backend_set_init(&set);
    vmr_host_posix(&host, NULL);
    must(vmr_probe_named(&set, guest->spec ? guest->spec : "mock", &handle, &err), &err);
    create_recorder(guest, ret_trace, &recorder);
    must(vmr_recorder_wrap(recorder, &handle, &host, &recorded_handle, &recorded_host, &err), &err);
    must(vmr_machine_create(&options, &machine, &err), &err);
    load(guest, recorder);
    run(guest, machine);
    vmr_machine_destroy(machine);
    must(vmr_recorder_finish(recorder, &err), &err);
    vmr_recorder_destroy(recorder);
    vmr_handle_close(&handle);
}
