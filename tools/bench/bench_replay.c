/* SPDX-License-Identifier: MIT */
/*
 * A firmware boot, live and replayed. The command runs itself, as a user would:
 * `vmrig run --record` on KVM, then `vmrig replay --console` many times over,
 * every console byte compared with the first play's. So the figures include
 * building the machine and reading the file each time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "tools/infile.h"
#include "tools/report.h"

#define FIRMWARE_DEFAULT "/usr/share/seabios/bios-microvm.bin"
#define BOOT_END "No bootable device"
#define PLAYS 1000u
#define BENCH_COMMAND "vmrig bench"
#define CONSOLE_BYTES_MAX 65536u

/* What the command printed: `length` bytes, the first CONSOLE_BYTES_MAX of them kept. */
struct output {
    size_t length;
    bool periodic; /* every byte equals the one `period` before it */
    size_t period; /* 0: not checked */
    char bytes[CONSOLE_BYTES_MAX];
};

static void take(struct output *output, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++, output->length++) {
        if (output->length < CONSOLE_BYTES_MAX)
            output->bytes[output->length] = bytes[i];
        if (output->period && bytes[i] != output->bytes[output->length % output->period])
            output->periodic = false;
    }
}

/* False: it could not be run, or did not succeed. */
static bool run_command(const char *const *arguments, struct output *output, double *ret_seconds)
{
    char buffer[4096];
    pid_t child;
    int out, state;
    uint64_t begin = bench_now_ns();

    if (!bench_program_begin(BENCH_SELF, arguments, &child, &out))
        return false;
    for (ssize_t got = read(out, buffer, sizeof(buffer)); got > 0; got = read(out, buffer, sizeof(buffer)))
        take(output, buffer, (size_t)got);
    (void)close(out);
    bool ended = waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;

    *ret_seconds = (double)(bench_now_ns() - begin) / 1e9;
    return ended;
}

static enum vmr_status read_to_the_end(const struct vmr_trace_source *source, struct vmr_trace_info *ret_info,
                                       struct vmr_error *err)
{
    struct vmr_trace_reader *reader = NULL;
    struct vmr_trace_record record;
    bool end = false;
    enum vmr_status status =
        vmr_trace_reader_create(source, &(struct vmr_trace_read_options){.strict = true}, &reader, err);

    while (!status && !end)
        status = vmr_trace_reader_next(reader, &record, &end, err);
    if (!status)
        vmr_trace_reader_get_info(reader, ret_info);
    vmr_trace_reader_destroy(reader);
    if (!status && ret_info->cut)
        return vmr_error_set(err, VMR_E_CORRUPT, "cut short");
    return status;
}

/* The counts of a whole trace. False: it is none, and was said to be. */
static bool measure_trace(const char *path, struct vmr_trace_info *ret_info)
{
    struct infile input = {.fd = -1};
    struct vmr_trace_source source;
    struct vmr_error err = {0};
    enum vmr_status status = infile_open(&input, path, &err);

    if (status == VMR_OK) {
        infile_source(&input, &source);
        status = read_to_the_end(&source, ret_info, &err);
        infile_explain(&input, &err);
    }
    if (status != VMR_OK && (!input.name || input.failure != 0))
        tool_say(BENCH_COMMAND, "%s", err.message);
    else if (status != VMR_OK)
        tool_say(BENCH_COMMAND, "'%s': %s", path, err.message);
    infile_close(&input);
    return status == VMR_OK;
}

bool bench_trace_is_good(const char *path)
{
    struct vmr_trace_info info;

    return measure_trace(path, &info);
}

static void one_figure(struct bench_report *report, const char *name, const char *unit, double value)
{
    bench_add(report, name, unit, &value, 1);
}

static bool play(struct bench_report *report, const char *path, struct output *output, double *ret_seconds_a_play)
{
    char number[16];
    uint32_t plays = bench_rounds(report, PLAYS);
    double samples[BENCH_SAMPLES];
    const char *const once[] = {"vmrig", "replay", path, "--console", NULL};
    const char *const often[] = {"vmrig", "replay", path, "--console", "--repeat", number, NULL};

    (void)snprintf(number, sizeof(number), "%u", plays / BENCH_SAMPLES + 1);
    *output = (struct output){0};
    if (!run_command(once, output, &samples[0]) || output->length == 0 || output->length > CONSOLE_BYTES_MAX)
        return bench_failed(path, VMR_E_DIVERGED, NULL);
    output->period = output->length;
    output->periodic = true;
    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        size_t before = output->length;

        if (!run_command(often, output, &samples[i]) ||
            output->length - before != output->period * (plays / BENCH_SAMPLES + 1) || !output->periodic)
            return bench_failed(path, VMR_E_DIVERGED, NULL);
        samples[i] /= plays / BENCH_SAMPLES + 1;
    }
    *ret_seconds_a_play = bench_add(report, "replay: one boot", "s", samples, BENCH_SAMPLES);
    one_figure(report, "replay: plays with the same console", "plays", (plays / BENCH_SAMPLES + 1) * BENCH_SAMPLES + 1);
    return true;
}

static bool figures(struct bench_report *report, const char *path, double live_seconds)
{
    struct vmr_trace_info info;
    struct output *output = calloc(1, sizeof(*output));
    double seconds = 0;
    bool good = output && measure_trace(path, &info) && play(report, path, output, &seconds);

    free(output);
    if (!good)
        return false;
    double exits = (double)info.exits;

    one_figure(report, "trace: raw bytes an exit", "bytes", (double)info.raw_bytes / exits);
    bench_compare(report, "trace: raw bytes an exit", NULL, "64 or less");
    one_figure(report, "trace: stored bytes an exit", "bytes", (double)info.stored_bytes / exits);
    bench_compare(report, "trace: stored bytes an exit", NULL, "6 or less");
    if (live_seconds > 0)
        one_figure(report, "live boot: exits a second", "1/s", exits / live_seconds);
    one_figure(report, "replay of the boot: exits a second", "1/s", exits / seconds);
    bench_compare(report, "replay of the boot: exits a second", live_seconds > 0 ? "live boot: exits a second" : NULL,
                  NULL);
    return true;
}

/* Records a boot; false: not here, or it failed. */
static bool record(const char *path, double *ret_seconds)
{
    const char *const arguments[] = {"vmrig",     "run",      "--firmware", FIRMWARE_DEFAULT, "--hypervisor",
                                     "kvm",       "--record", path,         "--until",        BOOT_END,
                                     "--timeout", "300",      NULL};
    struct output *output = calloc(1, sizeof(*output));
    bool recorded = output && run_command(arguments, output, ret_seconds);

    free(output);
    return recorded;
}

/* --- the loop guest: recorded here, on KVM where there is one, and replayed --- */

#define LOOP_EXITS 100000u
#define LOOP_TRACE_BYTES_MAX (16u << 20)

/* Records the loop; gives the bytes written, or 0, and the nanoseconds of a live exit. */
static size_t record_loop(const char *spec, uint64_t exits, uint8_t *bytes, double *ret_live_ns, bool *ret_unavailable)
{
    struct bench_vm vm;

    if (!bench_vm_create(&vm,
                         &(struct bench_vm_options){
                             .spec = spec, .record = true, .kept = bytes, .kept_capacity = LOOP_TRACE_BYTES_MAX},
                         ret_unavailable))
        return 0;
    *ret_live_ns = bench_vm_run(&vm, exits);
    size_t length = *ret_live_ns >= 0 && bench_vm_finish_recording(&vm) ? vm.recorded_bytes : 0;

    bench_vm_destroy(&vm);
    return length;
}

static double play_loop(const uint8_t *bytes, size_t length, bool code, uint64_t exits)
{
    struct vmr_replay_result result;
    struct bench_vm vm;
    bool unavailable;

    if (!bench_vm_create(
            &vm, &(struct bench_vm_options){.replayed = bytes, .replayed_length = length, .replayed_code = code},
            &unavailable))
        return -1;
    double ns = bench_vm_run(&vm, exits);

    vmr_replay_get_result(vm.replay, &result);
    bool good = result.status == VMR_OK || bench_failed("replaying the loop", result.status, &result.error);

    bench_vm_destroy(&vm);
    return good ? ns : -1;
}

static bool replay_loop(struct bench_report *report)
{
    double samples[BENCH_SAMPLES], live_ns = 0;
    uint64_t exits = bench_rounds(report, LOOP_EXITS);
    uint8_t *bytes = malloc(LOOP_TRACE_BYTES_MAX);
    bool unavailable = false;
    size_t length = bytes ? record_loop("kvm", exits, bytes, &live_ns, &unavailable) : 0;

    bool code = !unavailable;

    if (!code)
        length = record_loop("mock", exits, bytes, &live_ns, &unavailable);
    bool good = length > 0;

    for (size_t i = 0; good && i < BENCH_SAMPLES; i++) {
        double ns = play_loop(bytes, length, code, exits);

        good = ns > 0;
        samples[i] = good ? 1e9 / ns : 0;
    }
    free(bytes);
    if (!good)
        return bench_failed("replay of the loop", VMR_E_STATE, NULL);
    double live = 1e9 / live_ns;

    bench_add(report, "live loop, recorded: exits a second", "1/s", &live, 1);
    bench_add(report, "replay of the loop: exits a second", "1/s", samples, BENCH_SAMPLES);
    bench_compare(report, "replay of the loop: exits a second", "live loop, recorded: exits a second",
                  "2,000,000 or more");
    return true;
}

bool bench_replays(struct bench_report *report)
{
    char path[] = "/tmp/vmrig-bench-XXXXXX", kept[32];
    double live_seconds = 0;

    if (!replay_loop(report))
        return false;
    if (report->options->trace)
        return figures(report, report->options->trace, 0);
    if (access(FIRMWARE_DEFAULT, R_OK) != 0 || access("/dev/kvm", R_OK | W_OK) != 0) {
        bench_skip("replay", "no " FIRMWARE_DEFAULT " or no /dev/kvm to record it on; give --trace FILE");
        return true;
    }
    int fd = mkstemp(path);

    if (fd < 0)
        return bench_failed("replay", VMR_E_HOST, NULL);
    bool good = record(path, &live_seconds) || bench_failed("recording a boot", VMR_E_HOST, NULL);

    /* The programs that play it inherit the descriptor: whatever ends this one, no file stays behind. */
    (void)unlink(path);
    (void)snprintf(kept, sizeof(kept), "/proc/self/fd/%d", fd);
    good = good && figures(report, kept, live_seconds);
    (void)close(fd);
    return good;
}
