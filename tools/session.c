/* SPDX-License-Identifier: MIT */
/*
 * Running a machine. Whatever ends the run, the recording is finished.
 */

#include "tools/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/hypervisor.h"
#include "tools/report.h"

#define NS_PER_S UINT64_C(1000000000)

enum vmr_status session_init(struct session *session)
{
    session->log = (struct vmr_log){.sink = tool_log, .context = (void *)(uintptr_t)session->command};
    vmr_host_posix(&session->posix, &session->log);
    feed_init(&session->feed, session->command);
    gdb_server_init(&session->server);
    console_init(&session->console, true, session->plan.until);
    enum vmr_status status = vmr_vm_clock_create(&session->posix, &session->clock, &session->err);

    /* Guests' time begins at 0: how long this host has been up is nothing to a guest, nor to who reads its snapshots.
     */
    if (status == VMR_OK)
        status = vmr_vm_clock_pause(session->clock);
    if (status == VMR_OK)
        status = vmr_vm_clock_set(session->clock, 0);
    if (status == VMR_OK)
        status = vmr_vm_clock_resume(session->clock);
    if (status == VMR_OK)
        session->host = *vmr_vm_clock_host(session->clock);
    return status;
}

enum vmr_status session_open_hypervisor(struct session *session, const char *spec)
{
    struct vmr_caps caps;
    enum vmr_status status = hypervisor_open(spec, &session->handle, &session->err);

    if (status == VMR_OK)
        status = hypervisor_caps(&session->handle, &caps, &session->err);
    if (status == VMR_OK && !vmr_caps_have(&caps, VMR_CAP_MACHINE_CODE))
        return vmr_error_set(&session->err, VMR_E_UNSUPPORTED, "%s: runs no machine code, and so no firmware",
                             session->handle.backend->name);
    return status;
}

static void request_stop(void *context)
{
    const struct session *session = context;

    vmr_machine_request_stop(session->machine);
    gdb_server_attend(&session->server);
}

static size_t receive(void *context, const uint8_t *bytes, size_t length)
{
    const struct session *session = context;

    return vmr_machine_receive(session->machine, bytes, length);
}

static const struct vmr_host *machine_host(const struct session *session)
{
    return session->record ? &session->recording.host : &session->host;
}

static enum vmr_status create_machine(struct session *session)
{
    struct vmr_machine_build_options machine = {
        .handle = session->record ? &session->recording.handle : &session->handle,
        .host = machine_host(session),
        .clock = session->clock,
    };

    console_sink(&session->console, &machine.console);
    savepoints_sink(&session->savepoints, &machine.console);
    machine.exit = savepoints_wants_exits(&session->savepoints) ? savepoints_exit : NULL;
    machine.exit_context = &session->savepoints;
    session->savepoints.attention = request_stop;
    session->savepoints.context = session;
    session->console.attention = request_stop;
    session->console.context = session;
    return plan_build(&session->plan, session->config_name, &machine, &session->machine, &session->err);
}

/* When to look whether the recording still works; a disk that fills up should end the session, not waste it. */
static uint64_t next_look(const struct session *session, uint64_t now_ns, uint64_t deadline_ns)
{
    if (!session->record || deadline_ns - now_ns < NS_PER_S)
        return deadline_ns;
    return now_ns + NS_PER_S;
}

/* At the exit at which it is saved a guest may power off, or ask for a reset, which another start would forget. */
static void look_for_request(const struct session *session, struct vmr_vp_set_halt *halt)
{
    enum vmr_halt_reason asked = vmr_power_get(vmr_platform_power(vmr_machine_platform(session->machine)), NULL);

    if (halt->result.reason == VMR_HALT_STOP && asked != VMR_HALT_NONE)
        halt->result.reason = asked;
}

/* Whether the run goes on after `halt`: from power-up, or from where the machine was saved. */
static enum vmr_status go_on_after(struct session *session, struct vmr_vp_set_halt *halt, bool *ret_again)
{
    enum vmr_status status = VMR_OK;
    bool saves = halt->result.reason != VMR_HALT_NONE && savepoints_due(&session->savepoints);

    if (saves)
        status = savepoints_save(&session->savepoints, session->machine, session->clock, &session->plan, &session->err);
    if (saves)
        look_for_request(session, halt);
    /* Who asked for a stop for another reason at the same time gets it. */
    bool goes_on = saves && halt->result.reason == VMR_HALT_STOP && !session->console.found &&
                   session->console.failure == 0 && !interrupt_came(&session->interrupt);
    bool restarts = session->plan.restarts && halt->result.reason == VMR_HALT_RESET;

    *ret_again = goes_on || restarts;
    if (status == VMR_OK && goes_on)
        status = vmr_machine_stop(session->machine);
    if (status == VMR_OK && restarts)
        status = vmr_machine_reset(session->machine, &session->err);
    return status == VMR_OK && *ret_again ? vmr_machine_start(session->machine) : status;
}

static enum vmr_status wait_for_end(struct session *session, struct vmr_vp_set_halt *ret_halt)
{
    const struct vmr_host *clock = machine_host(session);
    uint64_t now_ns = clock->ops->now_ns(clock->context);
    enum vmr_status status;
    bool again = false;

    do {
        status = vmr_machine_wait(session->machine, next_look(session, now_ns, session->deadline_ns), ret_halt);
        if (status == VMR_OK)
            status = go_on_after(session, ret_halt, &again);
        if (status != VMR_OK || (ret_halt->result.reason != VMR_HALT_NONE && !again))
            return status;
        now_ns = clock->ops->now_ns(clock->context);
        session->timed_out = now_ns >= session->deadline_ns;
    } while (!session->timed_out && recording_is_sound(&session->recording));
    return VMR_OK;
}

/* The machine's clock: a recording's begins at 0. */
static void set_deadline(struct session *session)
{
    const struct vmr_host *clock = machine_host(session);

    session->deadline_ns =
        session->timeout_s ? clock->ops->now_ns(clock->context) + session->timeout_s * NS_PER_S : VMR_NEVER;
}

/* Until GDB has let go of the guest, or something has ended. */
static enum vmr_status run_under_gdb(struct session *session, struct vmr_vp_set_halt *ret_halt)
{
    tool_say(session->command, "waiting for GDB: target remote :%u", (unsigned)session->server.port);

    enum gdb_server_end end = gdb_server_run(&session->server, session->machine, machine_host(session),
                                             session->deadline_ns, ret_halt, &session->err);

    session->timed_out = end == GDB_SERVER_TIMEOUT;
    session->killed = end == GDB_SERVER_KILLED;
    if (end == GDB_SERVER_FAILED)
        return session->err.status;
    return end == GDB_SERVER_DETACHED ? wait_for_end(session, ret_halt) : VMR_OK;
}

/* The machine runs, from the first instruction to the moment no VP moves any more. */
static enum vmr_status run_machine(struct session *session, struct vmr_vp_set_halt *ret_halt)
{
    enum vmr_status status = interrupt_start(&session->interrupt, request_stop, session, &session->err);

    set_deadline(session);
    if (status == VMR_OK && !session->gdb)
        status = vmr_machine_start(session->machine);
    if (status == VMR_OK)
        status = feed_start(&session->feed, receive, session, &session->err);
    if (status == VMR_OK)
        status = session->gdb ? run_under_gdb(session, ret_halt) : wait_for_end(session, ret_halt);

    feed_finish(&session->feed);

    enum vmr_status stopped = vmr_machine_stop(session->machine);

    interrupt_finish(&session->interrupt);
    console_flush(&session->console);
    if (status == VMR_OK)
        status = stopped;
    if (status != VMR_OK && session->err.message[0] == '\0')
        (void)vmr_error_set(&session->err, status, "the machine failed: %s", vmr_status_name(status));
    return status;
}

/* How the guest itself ended the run. */
static int report_halt(const struct session *session, const struct vmr_vp_set_halt *halt)
{
    const char *name = vmr_halt_reason_name(halt->result.reason);
    char text[256];
    uint32_t value = 0;

    if (halt->result.reason == VMR_HALT_FATAL) {
        (void)vmr_exit_print(&halt->result.exit, text, sizeof(text));
        return tool_fail(session->command, "vp%u failed: %s", (unsigned)halt->vp, text);
    }
    if (session->plan.until)
        return tool_fail(session->command, "the guest ended by %s and did not print '%s'", name, session->plan.until);
    if (halt->result.reason == VMR_HALT_POWER_OFF && vmr_machine_exit_value(session->machine, &value))
        tool_say(session->command, "the guest powered off, exit value %#" PRIx32, value);
    else if (halt->result.reason == VMR_HALT_POWER_OFF || halt->result.reason == VMR_HALT_RESET)
        tool_say(session->command, "the guest ended by %s", name);
    else
        return tool_fail(session->command, "vp%u ended by %s", (unsigned)halt->vp, name);
    return TOOL_OK;
}

static int report_end(struct session *session, const struct vmr_vp_set_halt *halt)
{
    if (session->console.failure != 0)
        return tool_fail(session->command, "cannot write to stdout: %s", strerror(session->console.failure));
    if (session->console.found)
        return TOOL_OK;
    if (interrupt_came(&session->interrupt))
        return tool_fail(session->command, "interrupted");
    if (session->timed_out)
        return tool_fail(session->command, "timed out after %" PRIu64 " s", session->timeout_s);
    if (session->killed)
        return tool_fail(session->command, "killed by GDB");
    /* The recording failed: recording_finish has the reason. */
    if (halt->result.reason == VMR_HALT_NONE)
        return TOOL_FAILED;
    return report_halt(session, halt);
}

/* Time stands at 0 until the machine starts: what the recorder calls 0 is then 0 of the clock that is saved. */
static enum vmr_status begin_recording(struct session *session)
{
    enum vmr_status status = vmr_vm_clock_pause(session->clock);

    if (status == VMR_OK)
        status = vmr_vm_clock_set(session->clock, 0);
    if (status == VMR_OK)
        status = recording_init(&session->recording, session->record, &session->plan, &session->handle, &session->host,
                                &session->err);
    session->savepoints.recorder = session->recording.recorder;
    session->savepoints.host = &session->recording.host;
    return status;
}

enum vmr_status session_create(struct session *session)
{
    enum vmr_status status = VMR_OK;

    /* From here on there are threads, and a run to end cleanly. */
    interrupt_init(&session->interrupt);
    session->plan.tsc_hz = vmr_handle_tsc_hz(&session->handle);
    if (session->record)
        status = begin_recording(session);
    if (status == VMR_OK && session->gdb)
        status = gdb_server_open(&session->server, (uint16_t)session->gdb_port, &session->err);
    if (status == VMR_OK)
        status = create_machine(session);
    if (status == VMR_OK && session->record)
        status = recording_begin(&session->recording, &session->err);
    return status;
}

int session_run(struct session *session)
{
    struct vmr_vp_set_halt halt = {0};
    struct vmr_error err = {0};
    int result;

    if (run_machine(session, &halt) != VMR_OK)
        result = tool_fail(session->command, "%s", session->err.message);
    else
        result = report_end(session, &halt);
    vmr_machine_destroy(session->machine);
    session->machine = NULL;
    if (session->record && recording_finish(&session->recording, &err) != VMR_OK)
        result = tool_fail(session->command, "recording '%s': %s", session->record, err.message);
    return result;
}

int session_fail(struct session *session)
{
    return session->handle.backend ? tool_fail(session->command, "%s", session->err.message)
                                   : tool_fail_choice(session->command, &session->err);
}

void session_finish(struct session *session)
{
    vmr_machine_destroy(session->machine);
    recording_destroy(&session->recording);
    console_finish(&session->console);
    feed_finish(&session->feed);
    gdb_server_close(&session->server);
    vmr_handle_close(&session->handle);
    vmr_vm_clock_destroy(session->clock);
    free(session->firmware);
    plan_finish(&session->plan);
}
