/* SPDX-License-Identifier: MIT */
/*
 * Replaying a recorded boot, again and again, against the time that the boot
 * itself took by the recording's own clock; and how large the recording is.
 * A replay that diverges is a failure, whatever it costs: this is also the long
 * run that shows that a recording replays every time.
 */

#include "tools/bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "tools/infile.h"
#include "tools/player.h"

#define COMMAND "vmrig bench"
#define PLAYS_A_SAMPLE 143u /* seven samples: a thousand and one */

/* The recording as its records tell it. */
struct recorded {
    uint64_t first_ns, last_ns;
    bool has_time;
    struct vmr_trace_info info;
};

static void note_time(struct recorded *recorded, const struct vmr_trace_record *record)
{
    const char *value = strcmp(record->kind, "time") == 0 ? strstr(record->text, " ns=") : NULL;

    if (!value)
        return;
    recorded->last_ns = strtoull(value + strlen(" ns="), NULL, 10);
    if (!recorded->has_time)
        recorded->first_ns = recorded->last_ns;
    recorded->has_time = true;
}

static enum vmr_status read_records(const struct vmr_trace_source *source, struct recorded *recorded,
                                    struct vmr_error *err)
{
    const struct vmr_trace_read_options strict = {.strict = true};
    struct vmr_trace_reader *reader;
    struct vmr_trace_record record;
    bool end = false;
    enum vmr_status status = vmr_trace_reader_create(source, &strict, &reader, err);

    if (status)
        return status;
    while (!status && !end) {
        status = vmr_trace_reader_next(reader, &record, &end, err);
        if (!status && !end)
            note_time(recorded, &record);
    }
    vmr_trace_reader_get_info(reader, &recorded->info);
    vmr_trace_reader_destroy(reader);
    return status;
}

static enum vmr_status read_recording(const char *name, struct recorded *recorded, struct vmr_error *err)
{
    struct vmr_trace_source source;
    struct infile file;
    enum vmr_status status = infile_open(&file, name, err);

    if (status)
        return status;
    infile_source(&file, &source);
    status = read_records(&source, recorded, err);
    infile_explain(&file, err);
    infile_close(&file);
    return status;
}

/* Exits a second, over `plays` of them; negative: one failed. */
static double sample(const struct player_options *player, uint32_t plays)
{
    struct vmr_replay_result result = {0};
    uint64_t begin_ns = bench_now_ns();

    for (uint32_t i = 0; i < plays; i++) {
        if (player_play(player, &result) != 0)
            return -1;
    }
    return (double)result.exits * plays * 1e9 / (double)(bench_now_ns() - begin_ns);
}

static void add_recorded(struct bench_report *report, const struct recorded *recorded)
{
    const struct vmr_trace_info *info = &recorded->info;
    double raw = (double)info->raw_bytes / (double)info->exits;
    double stored = (double)info->stored_bytes / (double)info->exits;

    (void)bench_add(report, "boot trace: raw bytes an exit", "bytes", &raw, 1);
    bench_compare(report, "boot trace: raw bytes an exit", NULL, "64 or less");
    (void)bench_add(report, "boot trace: stored bytes an exit", "bytes", &stored, 1);
    bench_compare(report, "boot trace: stored bytes an exit", "boot trace: raw bytes an exit", "6 or less");
    if (recorded->last_ns > recorded->first_ns) {
        double live = (double)info->exits * 1e9 / (double)(recorded->last_ns - recorded->first_ns);

        (void)bench_add(report, "boot when it was recorded", "exits/s", &live, 1);
    }
}

bool bench_replays(struct bench_report *report)
{
    const struct player_options player = {.command = COMMAND, .name = report->options->trace};
    struct recorded recorded = {0};
    struct vmr_error err = {0};
    double samples[BENCH_SAMPLES];

    if (!player.name) {
        bench_skip("boot replay", "no --trace FILE is given");
        return true;
    }

    enum vmr_status status = read_recording(player.name, &recorded, &err);

    if (status)
        return bench_failed(player.name, status, &err);
    if (recorded.info.exits == 0)
        return bench_failed("boot replay", VMR_E_CONFIG, NULL);
    add_recorded(report, &recorded);
    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        samples[i] = sample(&player, bench_rounds(report, PLAYS_A_SAMPLE));
        if (samples[i] < 0)
            return false;
    }
    (void)bench_add(report, "boot replay", "exits/s", samples, BENCH_SAMPLES);
    bench_compare(report, "boot replay", "boot when it was recorded", "2 million or more");
    return true;
}
