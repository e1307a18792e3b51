/* SPDX-License-Identifier: MIT */
/* Files of a report: they appear under their names only when they are whole. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance/report.h"

static bool complain(FILE *err, const char *what, const char *path)
{
    fprintf(err, "vmrig certify: report: %s '%s': %s\n", what, path, strerror(errno));
    return false;
}

bool output_open(struct output *output, const char *folder, const char *name, const char *ending, FILE *err)
{
    int length =
        snprintf(output->path, sizeof(output->path), "%s%s%s%s", folder ? folder : "", folder ? "/" : "", name, ending);

    if (length < 0 || (size_t)length >= sizeof(output->path)) {
        errno = ENAMETOOLONG;
        return complain(err, "cannot write", folder ? folder : name);
    }
    snprintf(output->temporary, sizeof(output->temporary), "%s.tmp", output->path);
    output->file = fopen(output->temporary, "w");
    return output->file || complain(err, "cannot write", output->temporary);
}

bool output_close(struct output *output, bool written, FILE *err)
{
    bool closed = fclose(output->file) == 0;

    if (written && closed && rename(output->temporary, output->path) == 0)
        return true;
    (void)complain(err, "cannot write", output->path);
    (void)remove(output->temporary);
    return false;
}

bool output_can_open(const char *path, FILE *err)
{
    struct output output;

    if (!output_open(&output, NULL, path, "", err))
        return false;
    fclose(output.file);
    (void)remove(output.temporary);
    return true;
}

bool report_folder_open(const char *folder, FILE *err)
{
    char path[OUTPUT_PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/summary.txt", folder);

    if (length < 0 || (size_t)length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return complain(err, "cannot write", folder);
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return complain(err, "cannot make", folder);
    return output_can_open(path, err);
}
