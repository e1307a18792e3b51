/* SPDX-License-Identifier: MIT */
/*
 * vmrig run: firmware on a hypervisor until it has printed a text, halts, or
 * somebody has had enough.
 *
 * Everything that can be refused is refused before the recording's file is
 * touched; whatever ends the run, the recording is finished.
 */

#define _GNU_SOURCE /* stat */

#include "tools/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/console.h"
#include "tools/feed.h"
#include "tools/gdb_server.h"
#include "tools/hypervisor.h"
#include "tools/infile.h"
#include "tools/interrupt.h"
#include "tools/number.h"
#include "tools/recording.h"

#define TIMEOUT_MAX_S 1000000u
#define NS_PER_S UINT64_C(1000000000)

enum option {
    OPTION_FIRMWARE,
    OPTION_MEMORY,
    OPTION_VPS,
    OPTION_HYPERVISOR,
    OPTION_RECORD,
    OPTION_UNTIL,
    OPTION_TIMEOUT,
    OPTION_GDB,
    OPTION_ON_RESET
};

static const struct args_option options[] = {
    [OPTION_FIRMWARE] = {.name = "firmware", .value = "FILE", .required = true, .help = "image, 16 MiB at most"},
    [OPTION_MEMORY] = {.name = "memory", .value = "SIZE", .help = "64M, 1G, ...: whole MiB (default 64M)"},
    [OPTION_VPS] = {.name = "vps", .value = "N", .help = "virtual processors (default 1)"},
    [OPTION_HYPERVISOR] = {.name = "hypervisor", .value = "SPEC", .help = "NAME or NAME:KEY=VALUE,...; see probe"},
    [OPTION_RECORD] = {.name = "record", .value = "FILE", .help = "record the run, for 'vmrig replay'"},
    [OPTION_UNTIL] = {.name = "until", .value = "TEXT", .help = "stop when the guest has printed TEXT"},
    [OPTION_TIMEOUT] = {.name = "timeout", .value = "SECONDS", .help = "give up after so long"},
    [OPTION_GDB] = {.name = "gdb", .value = "PORT", .help = "wait for GDB at PORT of this host; 0: any that is free"},
    [OPTION_ON_RESET] = {.name = "on-reset", .value = "halt|restart", .help = "when the guest resets (default halt)"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .details = "The guest's serial port and debug console are printed on stdout, and what comes\n"
               "in on stdin is what the guest reads from its serial port: bytes as they are, from\n"
               "a terminal line by line. The end of stdin ends nothing. The guest's clock begins\n"
               "at 2024-01-01 00:00:00 UTC in every run.\n\n"
               "With --gdb the guest stands still before its first instruction until GDB ('target\n"
               "remote :PORT') lets it run. It runs on alone when GDB detaches, and waits for\n"
               "another GDB when a connection breaks. A recording would lack what GDB does, so\n"
               "--record goes not with it.\n\n"
               "With --on-reset restart, a reset by the guest begins at power-up again: memory\n"
               "stays, and the guest's clock runs on. Such a run cannot be recorded.\n\n"
               "Exit status: 0 when TEXT was printed, or, without --until, when the guest\n"
               "powered off or asked for a reset; else 1, also when interrupted.\n",
};

struct run {
    const char *command;
    struct plan plan;
    uint64_t timeout_s; /* 0: none */
    const char *record; /* NULL: do not */
    bool gdb;
    uint64_t gdb_port;
    bool restarts; /* when the guest resets */
    void *firmware;
    struct vmr_log log;
    struct vmr_host posix, host; /* the process's; the guest's time over it */
    struct vmr_vm_clock *clock;
    struct vmr_hypervisor_handle handle;
    struct recording recording;
    struct console console;
    struct feed feed;
    struct interrupt interrupt;
    struct gdb_server server;
    struct vmr_machine *machine;
    uint64_t deadline_ns;
    bool timed_out, killed;
    struct vmr_error err;
};

static enum vmr_status parse_on_reset(struct run *run, const char *text)
{
    run->restarts = text && strcmp(text, "restart") == 0;
    if (text && !run->restarts && strcmp(text, "halt") != 0)
        return vmr_error_set(&run->err, VMR_E_USAGE, "--on-reset takes 'halt' or 'restart', not '%s'", text);
    if (run->restarts && run->gdb)
        return vmr_error_set(&run->err, VMR_E_USAGE, "--on-reset restart goes not with --gdb");
    if (run->restarts && run->record)
        return vmr_error_set(&run->err, VMR_E_USAGE,
                             "--on-reset restart cannot be recorded: a recording ends with a reset");
    return VMR_OK;
}

static enum vmr_status parse(struct run *run, const struct args *args)
{
    const char *memory = args_value(args, OPTION_MEMORY);
    uint64_t vps = 1;

    run->command = args->command;
    run->record = args_value(args, OPTION_RECORD);
    run->gdb = args_has(args, OPTION_GDB);
    run->plan = (struct plan){
        .memory_size = PLAN_MEMORY_DEFAULT, .rtc_epoch_s = PLAN_RTC_EPOCH_S, .until = args_value(args, OPTION_UNTIL)};
    if (memory && (!number_parse_size(memory, &run->plan.memory_size) || run->plan.memory_size == 0 ||
                   run->plan.memory_size % VMR_MACHINE_MEMORY_GRANULE != 0))
        return vmr_error_set(&run->err, VMR_E_USAGE, "--memory '%s' is not a number of whole MiB, such as 64M", memory);
    if (run->plan.until && !plan_until_fits(run->plan.until))
        return vmr_error_set(&run->err, VMR_E_USAGE, "--until takes 1 to %u bytes without control characters",
                             MATCHER_TEXT_MAX);

    enum vmr_status status = parse_on_reset(run, args_value(args, OPTION_ON_RESET));

    if (status == VMR_OK)
        status = args_number(args, OPTION_VPS, 1, VMR_VP_COUNT_MAX, &vps, &run->err);
    run->plan.vps = (uint32_t)vps;
    if (status == VMR_OK)
        status = args_number(args, OPTION_TIMEOUT, 1, TIMEOUT_MAX_S, &run->timeout_s, &run->err);
    if (status == VMR_OK)
        status = args_number(args, OPTION_GDB, 0, UINT16_MAX, &run->gdb_port, &run->err);
    if (status == VMR_OK && run->gdb && run->record)
        return vmr_error_set(&run->err, VMR_E_USAGE, "--gdb and --record: a recording would lack what GDB does");
    return status;
}

static enum vmr_status read_firmware(struct run *run, const char *name)
{
    struct infile input;
    enum vmr_status status = infile_open(&input, name, &run->err);

    if (status != VMR_OK)
        return status;
    status = infile_read_all(&input, PLAN_FIRMWARE_MAX, &run->firmware, &run->plan.firmware_size, &run->err);
    infile_close(&input);
    run->plan.firmware = run->firmware;
    return status;
}

/* A slip of the hand that would cost somebody their firmware. */
static enum vmr_status check_record(struct run *run, const char *firmware)
{
    struct stat from, to;

    if (run->record && stat(firmware, &from) == 0 && stat(run->record, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino && S_ISREG(to.st_mode))
        return vmr_error_set(&run->err, VMR_E_USAGE, "--record '%s' would overwrite the firmware", run->record);
    return VMR_OK;
}

static enum vmr_status open_hypervisor(struct run *run, const char *hypervisor)
{
    struct vmr_caps caps;
    enum vmr_status status = hypervisor_open(hypervisor, &run->handle, &run->err);

    if (status == VMR_OK)
        status = hypervisor_caps(&run->handle, &caps, &run->err);
    if (status == VMR_OK && !vmr_caps_have(&caps, VMR_CAP_MACHINE_CODE))
        return vmr_error_set(&run->err, VMR_E_UNSUPPORTED, "%s: runs no machine code, and so no firmware",
                             run->handle.backend->name);
    return status;
}

static void request_stop(void *context)
{
    const struct run *run = context;

    vmr_machine_request_stop(run->machine);
    gdb_server_attend(&run->server);
}

static size_t receive(void *context, const uint8_t *bytes, size_t length)
{
    const struct run *run = context;

    return vmr_machine_receive(run->machine, bytes, length);
}

static const struct vmr_host *machine_host(const struct run *run)
{
    return run->record ? &run->recording.host : &run->host;
}

static enum vmr_status create_machine(struct run *run)
{
    struct vmr_machine_options machine;

    plan_to_machine(&run->plan, &machine);
    machine.handle = run->record ? &run->recording.handle : &run->handle;
    machine.host = machine_host(run);
    machine.clock = run->clock;
    console_sink(&run->console, &machine.console);
    run->console.attention = request_stop;
    run->console.context = run;
    return vmr_machine_create(&machine, &run->machine, &run->err);
}

/* When to look whether the recording still works; a disk that fills up should end the run, not waste it. */
static uint64_t next_look(const struct run *run, uint64_t now_ns, uint64_t deadline_ns)
{
    if (!run->record || deadline_ns - now_ns < NS_PER_S)
        return deadline_ns;
    return now_ns + NS_PER_S;
}

/* Whether the run goes on after `halt`: the machine then runs again from power-up. */
static enum vmr_status restart_after(struct run *run, const struct vmr_vp_set_halt *halt, bool *ret_again)
{
    *ret_again = run->restarts && halt->result.reason == VMR_HALT_RESET;
    if (!*ret_again)
        return VMR_OK;
    enum vmr_status status = vmr_machine_reset(run->machine, &run->err);

    return status == VMR_OK ? vmr_machine_start(run->machine) : status;
}

static enum vmr_status wait_for_end(struct run *run, struct vmr_vp_set_halt *ret_halt)
{
    const struct vmr_host *clock = machine_host(run);
    uint64_t now_ns = clock->ops->now_ns(clock->context);
    enum vmr_status status;
    bool again = false;

    do {
        status = vmr_machine_wait(run->machine, next_look(run, now_ns, run->deadline_ns), ret_halt);
        if (status == VMR_OK)
            status = restart_after(run, ret_halt, &again);
        if (status != VMR_OK || (ret_halt->result.reason != VMR_HALT_NONE && !again))
            return status;
        now_ns = clock->ops->now_ns(clock->context);
        run->timed_out = now_ns >= run->deadline_ns;
    } while (!run->timed_out && recording_is_sound(&run->recording));
    return VMR_OK;
}

/* The machine's clock: a recording's begins at 0. */
static void set_deadline(struct run *run)
{
    const struct vmr_host *clock = machine_host(run);

    run->deadline_ns = run->timeout_s ? clock->ops->now_ns(clock->context) + run->timeout_s * NS_PER_S : VMR_NEVER;
}

/* Until GDB has let go of the guest, or something has ended. */
static enum vmr_status run_under_gdb(struct run *run, struct vmr_vp_set_halt *ret_halt)
{
    tool_say(run->command, "waiting for GDB: target remote :%u", (unsigned)run->server.port);

    enum gdb_server_end end =
        gdb_server_run(&run->server, run->machine, machine_host(run), run->deadline_ns, ret_halt, &run->err);

    run->timed_out = end == GDB_SERVER_TIMEOUT;
    run->killed = end == GDB_SERVER_KILLED;
    if (end == GDB_SERVER_FAILED)
        return run->err.status;
    return end == GDB_SERVER_DETACHED ? wait_for_end(run, ret_halt) : VMR_OK;
}

/* The machine runs, from the first instruction to the moment no VP moves any more. */
static enum vmr_status run_machine(struct run *run, struct vmr_vp_set_halt *ret_halt)
{
    enum vmr_status status = interrupt_start(&run->interrupt, request_stop, run, &run->err);

    set_deadline(run);
    if (status == VMR_OK && !run->gdb)
        status = vmr_machine_start(run->machine);
    if (status == VMR_OK)
        status = feed_start(&run->feed, receive, run, &run->err);
    if (status == VMR_OK)
        status = run->gdb ? run_under_gdb(run, ret_halt) : wait_for_end(run, ret_halt);

    feed_finish(&run->feed);

    enum vmr_status stopped = vmr_machine_stop(run->machine);

    interrupt_finish(&run->interrupt);
    console_flush(&run->console);
    if (status == VMR_OK)
        status = stopped;
    if (status != VMR_OK && run->err.message[0] == '\0')
        (void)vmr_error_set(&run->err, status, "the machine failed: %s", vmr_status_name(status));
    return status;
}

/* How the guest itself ended the run. */
static int report_halt(const struct run *run, const struct vmr_vp_set_halt *halt)
{
    const char *name = vmr_halt_reason_name(halt->result.reason);
    char text[256];
    uint32_t value = 0;

    if (halt->result.reason == VMR_HALT_FATAL) {
        (void)vmr_exit_print(&halt->result.exit, text, sizeof(text));
        return tool_fail(run->command, "vp%u failed: %s", (unsigned)halt->vp, text);
    }
    if (run->plan.until)
        return tool_fail(run->command, "the guest ended by %s and did not print '%s'", name, run->plan.until);
    if (halt->result.reason == VMR_HALT_POWER_OFF && vmr_machine_exit_value(run->machine, &value))
        tool_say(run->command, "the guest powered off, exit value %#" PRIx32, value);
    else if (halt->result.reason == VMR_HALT_POWER_OFF || halt->result.reason == VMR_HALT_RESET)
        tool_say(run->command, "the guest ended by %s", name);
    else
        return tool_fail(run->command, "vp%u ended by %s", (unsigned)halt->vp, name);
    return TOOL_OK;
}

static int report_end(struct run *run, const struct vmr_vp_set_halt *halt)
{
    if (run->console.failure != 0)
        return tool_fail(run->command, "cannot write to stdout: %s", strerror(run->console.failure));
    if (run->console.found)
        return TOOL_OK;
    if (interrupt_came(&run->interrupt))
        return tool_fail(run->command, "interrupted");
    if (run->timed_out)
        return tool_fail(run->command, "timed out after %" PRIu64 " s", run->timeout_s);
    if (run->killed)
        return tool_fail(run->command, "killed by GDB");
    /* The recording failed: recording_finish has the reason. */
    if (halt->result.reason == VMR_HALT_NONE)
        return TOOL_FAILED;
    return report_halt(run, halt);
}

static enum vmr_status prepare(struct run *run, const struct args *args)
{
    const char *firmware = args_value(args, OPTION_FIRMWARE);
    enum vmr_status status = read_firmware(run, firmware);

    if (status == VMR_OK)
        status = check_record(run, firmware);
    if (status == VMR_OK)
        status = open_hypervisor(run, args_value(args, OPTION_HYPERVISOR));
    /* From here on there are threads, and a run to end cleanly. A firmware that never comes is given up at once. */
    interrupt_init(&run->interrupt);
    if (status == VMR_OK && run->record)
        status = recording_init(&run->recording, run->record, &run->plan, &run->handle, &run->host, &run->err);
    if (status == VMR_OK && run->gdb)
        status = gdb_server_open(&run->server, (uint16_t)run->gdb_port, &run->err);
    if (status == VMR_OK)
        status = create_machine(run);
    if (status == VMR_OK && run->record)
        status = recording_begin(&run->recording, &run->err);
    return status;
}

static int perform(struct run *run)
{
    struct vmr_vp_set_halt halt = {0};
    struct vmr_error err = {0};
    int result;

    if (run_machine(run, &halt) != VMR_OK)
        result = tool_fail(run->command, "%s", run->err.message);
    else
        result = report_end(run, &halt);
    vmr_machine_destroy(run->machine);
    run->machine = NULL;
    if (run->record && recording_finish(&run->recording, &err) != VMR_OK)
        result = tool_fail(run->command, "recording '%s': %s", run->record, err.message);
    return result;
}

static int run_parsed(struct run *run, const struct args *args)
{
    int result;

    run->log = (struct vmr_log){.sink = tool_log, .context = (void *)(uintptr_t)run->command};
    vmr_host_posix(&run->posix, &run->log);
    if (vmr_vm_clock_create(&run->posix, &run->clock, &run->err) != VMR_OK)
        return tool_fail(run->command, "%s", run->err.message);
    run->host = *vmr_vm_clock_host(run->clock);
    feed_init(&run->feed, run->command);
    gdb_server_init(&run->server);
    console_init(&run->console, true, run->plan.until);
    /* A wrong specification of the hypervisor is wrong use; a value the machine refuses is a failure. */
    if (prepare(run, args) == VMR_OK)
        result = perform(run);
    else if (run->handle.backend)
        result = tool_fail(run->command, "%s", run->err.message);
    else
        result = tool_fail_choice(run->command, &run->err);
    vmr_machine_destroy(run->machine);
    recording_destroy(&run->recording);
    console_finish(&run->console);
    feed_finish(&run->feed);
    gdb_server_close(&run->server);
    vmr_handle_close(&run->handle);
    vmr_vm_clock_destroy(run->clock);
    free(run->firmware);
    return result;
}

static int run_firmware(const struct args *args)
{
    struct run *run = calloc(1, sizeof(*run));
    int result;

    if (!run)
        return tool_fail(args->command, "out of memory");
    if (parse(run, args) != VMR_OK)
        result = tool_usage(args->command, "%s", run->err.message);
    else
        result = run_parsed(run, args);
    free(run);
    return result;
}

const struct command command_run = {
    .name = "run", .summary = "Runs firmware in a virtual machine.", .spec = &spec, .run = run_firmware};
