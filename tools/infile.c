/* SPDX-License-Identifier: MIT */
/*
 * Reading files. A source can only say that a read failed, so the reason is kept
 * here and put in front of whatever the library made of it.
 */

#define _GNU_SOURCE /* O_CLOEXEC */

#include "tools/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum vmr_status infile_open(struct infile *input, const char *name, struct vmr_error *err)
{
    bool is_stdin = strcmp(name, "-") == 0;
    struct stat info;
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return vmr_error_set(err, VMR_E_HOST, "cannot open '%s': %s", name, strerror(errno));
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (!is_stdin)
            (void)close(fd);
        return vmr_error_set(err, VMR_E_HOST, "cannot read '%s': %s", name, strerror(EISDIR));
    }
    *input = (struct infile){.fd = fd, .name = name};
    return VMR_OK;
}

void infile_close(struct infile *input)
{
    if (input->name && input->fd != STDIN_FILENO)
        (void)close(input->fd);
    *input = (struct infile){0};
}

static enum vmr_status read_some(void *context, void *ret_bytes, size_t capacity, size_t *ret_length)
{
    struct infile *input = context;
    ssize_t got;

    do
        got = read(input->fd, ret_bytes, capacity);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        input->failure = errno;
        return VMR_E_HOST;
    }
    *ret_length = (size_t)got;
    return VMR_OK;
}

void infile_source(struct infile *input, struct vmr_trace_source *ret_source)
{
    *ret_source = (struct vmr_trace_source){.read = read_some, .context = input};
}

void infile_explain(const struct infile *input, struct vmr_error *err)
{
    if (input->name && input->failure != 0)
        (void)vmr_error_set(err, VMR_E_HOST, "cannot read '%s': %s", input->name, strerror(input->failure));
}

enum vmr_status infile_read_all(struct infile *input, size_t limit, void **ret_bytes, size_t *ret_size,
                                struct vmr_error *err)
{
    char *bytes = malloc(limit + 1);
    size_t size = 0, got = 1;

    if (!bytes)
        return vmr_error_set(err, VMR_E_NOMEM, "no memory to read '%s'", input->name);
    /* One byte more than allowed tells a file that is too large from one that just fits. */
    while (got > 0 && size <= limit) {
        if (read_some(input, bytes + size, limit + 1 - size, &got) != VMR_OK) {
            free(bytes);
            infile_explain(input, err);
            return VMR_E_HOST;
        }
        size += got;
    }
    if (size == 0 || size > limit) {
        free(bytes);
        if (size == 0)
            return vmr_error_set(err, VMR_E_HOST, "'%s' is empty", input->name);
        return vmr_error_set(err, VMR_E_HOST, "'%s' is larger than %zu MiB", input->name, limit >> 20);
    }
    *ret_bytes = bytes;
    *ret_size = size;
    return VMR_OK;
}
