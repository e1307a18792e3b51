/* SPDX-License-Identifier: MIT */
/*
 * Recording to a file. What the recorder writes before recording_begin stays in
 * the output's buffer.
 */

#include "tools/recording.h"

#include <stdlib.h>

enum vmr_status recording_init(struct recording *recording, const char *name, const struct plan *plan,
                               const struct vmr_hypervisor_handle *handle, const struct vmr_host *host,
                               struct vmr_error *err)
{
    struct vmr_recorder_options options = {.codec = VMR_TRACE_CODEC_DEFAULT};
    struct plan_meta meta;
    enum vmr_status status = plan_to_meta(plan, &meta, err);

    recording->recorder = NULL;
    outfile_init(&recording->output, name, OUTFILE_STREAM);
    options.meta = meta.pairs;
    options.meta_count = meta.count;
    outfile_sink(&recording->output, &options.sink);
    if (status == VMR_OK)
        status = vmr_recorder_create(&options, &recording->recorder, err);
    free(meta.config);
    if (status != VMR_OK)
        return status;
    return vmr_recorder_wrap(recording->recorder, handle, host, &recording->handle, &recording->host, err);
}

enum vmr_status recording_begin(struct recording *recording, struct vmr_error *err)
{
    struct vmr_trace_sink sink;
    enum vmr_status status = outfile_open(&recording->output, err);

    if (status != VMR_OK)
        return status;
    /* Now that the file is open, writing nothing writes what was kept. */
    outfile_sink(&recording->output, &sink);
    status = sink.write(sink.context, "", 0);
    if (status != VMR_OK)
        outfile_explain(&recording->output, err);
    return status;
}

bool recording_is_sound(struct recording *recording)
{
    return !recording->recorder || vmr_recorder_status(recording->recorder) == VMR_OK;
}

enum vmr_status recording_finish(struct recording *recording, struct vmr_error *err)
{
    enum vmr_status recorded = vmr_recorder_finish(recording->recorder, err);
    enum vmr_status written = outfile_finish(&recording->output, err);

    return recorded != VMR_OK ? recorded : written;
}

void recording_destroy(struct recording *recording)
{
    vmr_recorder_destroy(recording->recorder);
    recording->recorder = NULL;
    outfile_discard(&recording->output);
}
