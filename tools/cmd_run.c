/* SPDX-License-Identifier: MIT */
/*
 * vmrig run: a machine on a hypervisor, of a configuration file or of options,
 * until its guest has printed a text, halts, or somebody has had enough.
 */

#define _GNU_SOURCE /* stat */

#include "tools/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/config_input.h"
#include "tools/infile.h"
#include "tools/number.h"
#include "tools/session.h"

#define TIMEOUT_MAX_S 1000000u

enum option {
    OPTION_FIRMWARE,
    OPTION_MEMORY,
    OPTION_VPS,
    OPTION_HYPERVISOR,
    OPTION_RECORD,
    OPTION_UNTIL,
    OPTION_TIMEOUT,
    OPTION_GDB,
    OPTION_ON_RESET,
    OPTION_SNAPSHOT_AT,
    OPTION_SNAPSHOT
};

static const struct args_option options[] = {
    [OPTION_FIRMWARE] = {.name = "firmware", .value = "FILE", .help = "image, 16 MiB at most"},
    [OPTION_MEMORY] = {.name = "memory", .value = "SIZE", .help = "64M, 1G, ...: whole MiB (default 64M)"},
    [OPTION_VPS] = {.name = "vps", .value = "N", .help = "virtual processors (default 1)"},
    [OPTION_HYPERVISOR] = {.name = "hypervisor", .value = "SPEC", .help = "NAME or NAME:KEY=VALUE,...; see probe"},
    [OPTION_RECORD] = {.name = "record", .value = "FILE", .help = "record the run, for 'vmrig replay'"},
    [OPTION_UNTIL] = {.name = "until", .value = "TEXT", .help = "stop when the guest has printed TEXT"},
    [OPTION_TIMEOUT] = {.name = "timeout", .value = "SECONDS", .help = "give up after so long"},
    [OPTION_GDB] = {.name = "gdb", .value = "PORT", .help = "wait for GDB at PORT of this host; 0: any that is free"},
    [OPTION_ON_RESET] = {.name = "on-reset", .value = "halt|restart", .help = "when the guest resets (default halt)"},
    [OPTION_SNAPSHOT_AT] = SAVEPOINTS_AT_OPTION,
    [OPTION_SNAPSHOT] = SAVEPOINTS_FILE_OPTION,
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = {"[CONFIG]"},
    .details = "CONFIG is a configuration file (see 'vmrig config'), '-' for stdin; files that it names by\n"
               "relative paths are looked for in its folder. Without it, --firmware is needed: the\n"
               "options are the same configuration, {\"load_mode\": {\"firmware\": {\"image\": FILE}}, ...},\n"
               "and what is wrong with them is said in its words.\n\n"
               "The guest's serial port and debug console are printed on stdout, and what comes\n"
               "in on stdin is what the guest reads from its serial port: bytes as they are, from\n"
               "a terminal line by line. The end of stdin ends nothing. The guest's clock begins\n"
               "at 2024-01-01 00:00:00 UTC in every run.\n\n"
               "With --gdb the guest stands still before its first instruction until GDB ('target\n"
               "remote :PORT') lets it run. It runs on alone when GDB detaches, and waits for\n"
               "another GDB when a connection breaks. A recording would lack what GDB does, so\n"
               "--record goes not with it.\n\n"
               "With --on-reset restart, a reset by the guest begins at power-up again: memory\n"
               "stays, and the guest's clock runs on. Such a run cannot be recorded.\n\n" SAVEPOINTS_HELP "\n"
               "Exit status: 0 when TEXT was printed, or, without --until, when the guest\n"
               "powered off or asked for a reset; else 1, also when interrupted.\n",
};

static enum vmr_status parse_on_reset(struct session *session, const char *text)
{
    session->plan.restarts = text && strcmp(text, "restart") == 0;
    if (text && !session->plan.restarts && strcmp(text, "halt") != 0)
        return vmr_error_set(&session->err, VMR_E_USAGE, "--on-reset takes 'halt' or 'restart', not '%s'", text);
    return VMR_OK;
}

/* Whoever has asked for it: the option, or the configuration. */
static enum vmr_status check_restarts(struct session *session)
{
    const char *what = session->config_name ? "automatic_guest_reset" : "--on-reset restart";

    if (session->plan.restarts && session->gdb)
        return vmr_error_set(&session->err, VMR_E_USAGE, "%s goes not with --gdb", what);
    if (session->plan.restarts && session->record)
        return vmr_error_set(&session->err, VMR_E_USAGE, "%s cannot be recorded: a recording ends with a reset", what);
    return VMR_OK;
}

/* What the file says, options do not say again. */
static enum vmr_status check_options(struct session *session, const struct args *args)
{
    static const enum option of_file[] = {OPTION_FIRMWARE, OPTION_MEMORY, OPTION_VPS, OPTION_ON_RESET};

    session->config_name = args->operand_count > 0 ? args->operands[0] : NULL;
    if (!session->config_name && !args_has(args, OPTION_FIRMWARE))
        return vmr_error_set(&session->err, VMR_E_USAGE, "a CONFIG or option '--firmware FILE' is needed");
    for (size_t i = 0; session->config_name && i < sizeof(of_file) / sizeof(of_file[0]); i++) {
        if (args_has(args, of_file[i]))
            return vmr_error_set(&session->err, VMR_E_USAGE, "--%s: CONFIG says that", options[of_file[i]].name);
    }
    return VMR_OK;
}

/* What does not go together, of the options and, once it was read, the configuration. */
static enum vmr_status check_together(struct session *session)
{
    bool places = session->record && session->savepoints.count > 0;

    if (session->gdb && session->savepoints.count > 0)
        return vmr_error_set(&session->err, VMR_E_USAGE, "--snapshot-at goes not with --gdb");
    if (places && plan_vps(&session->plan) > 1)
        return vmr_error_set(&session->err, VMR_E_USAGE,
                             "--snapshot-at goes with --record only for a machine of one processor: of several, a "
                             "recording does not tell how a stop reached each");
    if (places && plan_has_hv(&session->plan))
        return vmr_error_set(&session->err, VMR_E_USAGE,
                             "--snapshot-at goes with --record only for a machine without the Hyper-V interface, "
                             "whose state a recording cannot begin with");
    if (session->gdb && session->record)
        return vmr_error_set(&session->err, VMR_E_USAGE, "--gdb and --record: a recording would lack what GDB does");
    return check_restarts(session);
}

static enum vmr_status parse(struct session *session, const struct args *args)
{
    const char *memory = args_value(args, OPTION_MEMORY);
    uint64_t vps = 1;

    session->command = args->command;
    session->record = args_value(args, OPTION_RECORD);
    session->gdb = args_has(args, OPTION_GDB);
    session->plan = (struct plan){
        .memory_size = PLAN_MEMORY_DEFAULT, .rtc_epoch_s = PLAN_RTC_EPOCH_S, .until = args_value(args, OPTION_UNTIL)};
    if (memory && (!number_parse_size(memory, &session->plan.memory_size) || session->plan.memory_size == 0 ||
                   session->plan.memory_size % VMR_MACHINE_MEMORY_GRANULE != 0))
        return vmr_error_set(&session->err, VMR_E_USAGE, "--memory '%s' is not a number of whole MiB, such as 64M",
                             memory);
    if (session->plan.until && !plan_until_fits(session->plan.until))
        return vmr_error_set(&session->err, VMR_E_USAGE, "--until takes 1 to %u bytes without control characters",
                             MATCHER_TEXT_MAX);

    enum vmr_status status = check_options(session, args);

    if (status == VMR_OK)
        status = parse_on_reset(session, args_value(args, OPTION_ON_RESET));
    if (status == VMR_OK)
        status = args_number(args, OPTION_VPS, 1, VMR_CONFIG_VP_MAX, &vps, &session->err);
    session->plan.vps = (uint32_t)vps;
    if (status == VMR_OK)
        status = args_number(args, OPTION_TIMEOUT, 1, TIMEOUT_MAX_S, &session->timeout_s, &session->err);
    if (status == VMR_OK)
        status = args_number(args, OPTION_GDB, 0, UINT16_MAX, &session->gdb_port, &session->err);
    if (status == VMR_OK)
        status = savepoints_parse(&session->savepoints, args, OPTION_SNAPSHOT_AT, OPTION_SNAPSHOT, &session->err);
    return status == VMR_OK ? check_together(session) : status;
}

static enum vmr_status read_firmware(struct session *session, const char *name)
{
    struct infile input;
    enum vmr_status status = infile_open(&input, name, &session->err);

    if (status != VMR_OK)
        return status;
    status =
        infile_read_all(&input, PLAN_FIRMWARE_MAX, &session->firmware, &session->plan.firmware_size, &session->err);
    infile_close(&input);
    session->plan.firmware = session->firmware;
    return status;
}

/* A slip of the hand that would cost somebody their firmware. */
static enum vmr_status check_record(struct session *session, const char *firmware)
{
    struct stat from, to;

    if (session->record && stat(firmware, &from) == 0 && stat(session->record, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino && S_ISREG(to.st_mode))
        return vmr_error_set(&session->err, VMR_E_USAGE, "--record '%s' would overwrite the firmware", session->record);
    return VMR_OK;
}

/* Everything that is wrong with it has been said when this fails. */
static bool read_config(struct session *session)
{
    const struct vmr_config *config;

    if (!session->config_name)
        return true;
    session->plan.file = config_input_need(session->command, session->config_name);
    if (!session->plan.file)
        return false;
    config = vmr_config_file_get(session->plan.file);
    session->plan.restarts = config->automatic_guest_reset;
    return true;
}

/* The file that is loaded, whoever names it. */
static enum vmr_status read_loaded(struct session *session, const struct args *args)
{
    const char *path = plan_firmware_path(&session->plan);
    char *whole;

    if (!session->config_name) {
        const char *firmware = args_value(args, OPTION_FIRMWARE);
        enum vmr_status status = read_firmware(session, firmware);

        return status == VMR_OK ? check_record(session, firmware) : status;
    }
    if (!path)
        return VMR_OK;
    whole = config_input_beside(session->config_name, path);
    if (!whole)
        return vmr_error_set(&session->err, VMR_E_NOMEM, "out of memory");
    enum vmr_status status = read_firmware(session, whole);

    if (status == VMR_OK)
        status = check_record(session, whole);
    free(whole);
    return status;
}

static int run_parsed(struct session *session, const struct args *args)
{
    if (!read_config(session))
        return TOOL_FAILED;
    if (check_together(session) != VMR_OK)
        return tool_usage(args->command, "%s", session->err.message);

    enum vmr_status status = session_init(session);

    if (status == VMR_OK)
        status = read_loaded(session, args);
    if (status == VMR_OK)
        status = session_open_hypervisor(session, args_value(args, OPTION_HYPERVISOR));
    if (status == VMR_OK)
        status = session_create(session);
    int result = status == VMR_OK ? session_run(session) : session_fail(session);

    session_finish(session);
    return result;
}

static int run_machine(const struct args *args)
{
    struct session *session = calloc(1, sizeof(*session));
    int result;

    if (!session)
        return tool_fail(args->command, "out of memory");
    if (parse(session, args) != VMR_OK)
        result = tool_usage(args->command, "%s", session->err.message);
    else
        result = run_parsed(session, args);
    free(session);
    return result;
}

const struct command command_run = {
    .name = "run", .summary = "Runs firmware, or a configured machine.", .spec = &spec, .run = run_machine};
