/* SPDX-License-Identifier: MIT */
/* A snapshot is read here and there, so it is a file, and no pipe. */

#define _GNU_SOURCE /* O_CLOEXEC */

#include "tools/snapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum vmr_status read_at(void *context, uint64_t offset, void *ret_bytes, size_t length, struct vmr_error *err)
{
    const struct snapfile *file = context;
    char *at = ret_bytes;

    while (length > 0) {
        ssize_t got = pread(file->fd, at, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return vmr_error_set(err, VMR_E_HOST, "cannot read: %s", got < 0 ? strerror(errno) : "it became shorter");
        at += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return VMR_OK;
}

enum vmr_status snapfile_open(struct snapfile *file, const char *name, struct vmr_error *err)
{
    struct vmr_snapshot_source source = {.read = read_at, .context = file};
    struct vmr_error why = {0};
    struct stat info;

    *file = (struct snapfile){.fd = open(name, O_RDONLY | O_CLOEXEC), .name = name};
    if (file->fd < 0 || fstat(file->fd, &info) != 0)
        return vmr_error_set(err, VMR_E_HOST, "cannot open '%s': %s", name, strerror(errno));
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return vmr_error_set(err, VMR_E_HOST, "cannot read '%s': %s", name,
                             S_ISDIR(info.st_mode) ? strerror(EISDIR) : "a snapshot is read from a file");
    source.size = (uint64_t)info.st_size;
    enum vmr_status status = vmr_snapshot_open(&source, &file->snapshot, &why);

    return status ? vmr_error_set(err, status, "'%s': %s", name, why.message) : VMR_OK;
}

void snapfile_close(struct snapfile *file)
{
    vmr_snapshot_close(file->snapshot);
    if (file->name && file->fd >= 0)
        (void)close(file->fd);
    *file = (struct snapfile){.fd = -1};
}
