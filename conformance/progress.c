/* SPDX-License-Identifier: MIT */
/*
 * Progress. A terminal's line is written at most every tenth of a second: most
 * scenarios are quicker than that, and terminals are not. What is left is guessed
 * from what has passed.
 */

#include "conformance/progress.h"

#define NS_PER_S UINT64_C(1000000000)
#define SHOW_EVERY_NS (NS_PER_S / 10)
#define ERASE "\r\033[K"

uint64_t progress_now_ns(const struct progress *progress)
{
    return progress->host.ops->now_ns(progress->host.context);
}

void progress_begin(struct progress *progress, enum conf_progress_form form, FILE *out, size_t total)
{
    *progress = (struct progress){.form = form, .out = out, .total = total};
    vmr_host_posix(&progress->host, NULL);
    progress->begin_ns = progress_now_ns(progress);
}

void progress_backend(struct progress *progress)
{
    progress->backend_done = progress->backend_failed = 0;
    progress->backend_ns = progress_now_ns(progress);
}

void progress_scenario(struct progress *progress, const char *backend, const struct conf_scenario *scenario)
{
    uint64_t now_ns = progress_now_ns(progress), passed_ns = now_ns - progress->begin_ns;

    if (progress->form != CONF_PROGRESS_LINE || now_ns - progress->shown_ns < SHOW_EVERY_NS)
        return;
    progress->shown_ns = now_ns;
    fprintf(progress->out, ERASE "%zu/%zu", progress->done, progress->total);
    if (progress->failed > 0)
        fprintf(progress->out, ", %zu failed", progress->failed);
    if (progress->done > 0 && passed_ns > NS_PER_S) {
        uint64_t left_ns = passed_ns / progress->done * (progress->total - progress->done);

        fprintf(progress->out, ", %llu s left", (unsigned long long)(left_ns / NS_PER_S));
    }
    fprintf(progress->out, "  %.40s  %.40s/%.60s", backend, scenario->family, scenario->name);
    fflush(progress->out);
}

void progress_result(struct progress *progress, const struct conf_result *result)
{
    bool failed = result->verdict == CONF_FAIL;

    progress->done++;
    progress->backend_done++;
    progress->failed += failed;
    progress->backend_failed += failed;
}

void progress_backend_end(struct progress *progress, const char *backend)
{
    uint64_t ns = progress_now_ns(progress) - progress->backend_ns;

    if (progress->form == CONF_PROGRESS_LINES)
        fprintf(progress->out, "%s: %zu scenarios, %zu failed, %.1f s\n", backend, progress->backend_done,
                progress->backend_failed, (double)ns / (double)NS_PER_S);
}

void progress_end(struct progress *progress)
{
    if (progress->form == CONF_PROGRESS_LINE)
        fprintf(progress->out, ERASE);
    fflush(progress->out);
}
