/* SPDX-License-Identifier: MIT */
/*
 * Writing files: see output.h for the two ways. The first failure is kept and
 * makes every later write fail, so callers check once, at the end.
 */

#define _GNU_SOURCE /* realpath, mkstemp, O_CLOEXEC */

#include "tools/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdout(const char *name)
{
    return strcmp(name, "-") == 0 || strcmp(name, "/dev/stdout") == 0;
}

static enum vmr_status failed(struct outfile *output, const char *call)
{
    if (output->failure == 0) {
        output->failure = errno;
        output->failed_call = call;
    }
    return VMR_E_HOST;
}

void outfile_init(struct outfile *output, const char *name, enum outfile_mode mode)
{
    output->name = name;
    output->mode = mode;
    output->fd = -1;
    output->target = NULL;
    output->temporary = NULL;
    output->failure = 0;
    output->failed_call = NULL;
    output->length = 0;
}

/* Where the file really is, also when it does not exist yet. NULL with errno 0: it is to be written directly. */
static char *resolve(const char *name)
{
    struct stat info;

    if (stat(name, &info) != 0)
        return errno == ENOENT ? strdup(name) : NULL;
    errno = 0;
    if (!S_ISREG(info.st_mode) || strncmp(name, "/dev/", 5) == 0 || strncmp(name, "/proc/", 6) == 0)
        return NULL;
    return realpath(name, NULL);
}

/* A temporary file that will have the permissions of what it replaces, or those of any new file. */
static int open_temporary(struct outfile *output)
{
    size_t size = strlen(output->target) + sizeof(".XXXXXX");
    struct stat info;
    mode_t mask = umask(0);
    mode_t mode = stat(output->target, &info) == 0 ? info.st_mode & 0777 : 0666 & ~mask;

    (void)umask(mask);
    output->temporary = malloc(size);
    if (!output->temporary)
        return -1;
    (void)snprintf(output->temporary, size, "%s.XXXXXX", output->target);

    int fd = mkstemp(output->temporary);

    if (fd < 0) {
        free(output->temporary);
        output->temporary = NULL;
        return -1;
    }
    (void)fchmod(fd, mode);
    return fd;
}

static enum vmr_status open_file(struct outfile *output)
{
    if (is_stdout(output->name)) {
        output->fd = STDOUT_FILENO;
        return VMR_OK;
    }
    errno = 0;
    output->target = resolve(output->name);
    if (!output->target && errno != 0)
        return failed(output, "create");
    if (!output->target)
        output->fd = open(output->name, O_WRONLY | O_CLOEXEC);
    else if (output->mode == OUTFILE_WHOLE)
        output->fd = open_temporary(output);
    else
        output->fd = open(output->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return output->fd < 0 ? failed(output, "create") : VMR_OK;
}

enum vmr_status outfile_open(struct outfile *output, struct vmr_error *err)
{
    enum vmr_status status = open_file(output);

    if (status != VMR_OK)
        outfile_explain(output, err);
    return status;
}

static enum vmr_status write_all(struct outfile *output, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(output->fd, bytes, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(output, "write");
        bytes += done;
        length -= (size_t)done;
    }
    return VMR_OK;
}

static enum vmr_status flush_buffer(struct outfile *output)
{
    size_t length = output->length;

    output->length = 0;
    if (output->fd < 0 && open_file(output) != VMR_OK)
        return VMR_E_HOST;
    return write_all(output, output->buffer, length);
}

static enum vmr_status write_some(void *context, const void *bytes, size_t length)
{
    struct outfile *output = context;

    if (output->failure != 0)
        return VMR_E_HOST;
    if (length > sizeof(output->buffer) - output->length && flush_buffer(output) != VMR_OK)
        return VMR_E_HOST;
    if (length > sizeof(output->buffer))
        return write_all(output, bytes, length);
    if (length > 0)
        memcpy(output->buffer + output->length, bytes, length);
    output->length += length;
    return output->mode == OUTFILE_STREAM && output->fd >= 0 ? flush_buffer(output) : VMR_OK;
}

void outfile_sink(struct outfile *output, struct vmr_trace_sink *ret_sink)
{
    *ret_sink = (struct vmr_trace_sink){.write = write_some, .context = output};
}

static void close_file(struct outfile *output)
{
    /* Some file systems tell only now that there was no room. */
    if (output->fd >= 0 && output->fd != STDOUT_FILENO && close(output->fd) != 0)
        (void)failed(output, "write");
    output->fd = -1;
}

enum vmr_status outfile_finish(struct outfile *output, struct vmr_error *err)
{
    if (output->failure == 0)
        (void)flush_buffer(output);
    close_file(output);
    if (output->failure == 0 && output->temporary && rename(output->temporary, output->target) != 0)
        (void)failed(output, "replace");
    if (output->failure == 0) {
        free(output->temporary);
        output->temporary = NULL;
    }
    outfile_explain(output, err);
    outfile_discard(output);
    return output->failure == 0 ? VMR_OK : VMR_E_HOST;
}

void outfile_discard(struct outfile *output)
{
    if (!output->name)
        return;
    close_file(output);
    if (output->temporary)
        (void)unlink(output->temporary);
    free(output->temporary);
    free(output->target);
    output->temporary = NULL;
    output->target = NULL;
}

void outfile_explain(const struct outfile *output, struct vmr_error *err)
{
    if (output->name && output->failure != 0)
        (void)vmr_error_set(err, VMR_E_HOST, "cannot %s '%s': %s", output->failed_call,
                            is_stdout(output->name) ? "stdout" : output->name, strerror(output->failure));
}

bool outfile_is_terminal(const char *name)
{
    return is_stdout(name) && isatty(STDOUT_FILENO) == 1;
}
