/* SPDX-License-Identifier: MIT */
/*
 * Linux: memfd_create(2) for what is shared, hugetlbfs pages by flag, madvise(2)
 * for transparent ones, mbind(2) for nodes. The order matters: where pages come
 * from is said before the first of them is touched.
 */

#define _GNU_SOURCE /* memfd_create, MAP_ANONYMOUS, madvise, syscall */

#include "lib/base/os_backing.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/os_fd.h"

/* What hugetlb flags say: log2 of the page size from bit 26 on (mmap(2), memfd_create(2)). */
#define HUGE_SHIFT 26
#define PREFETCH_ADVICE 23 /* MADV_POPULATE_WRITE, Linux 5.14; older C libraries do not name it */
#define HOST_NODE_MAX 1024u

static unsigned log2_of(uint64_t power)
{
    unsigned bits = 0;

    while (power >> bits > 1)
        bits++;
    return bits;
}

static uint64_t huge_size(const struct vmr_memory_backing *wanted)
{
    return wanted->hugepage_size ? wanted->hugepage_size : VMR_HUGEPAGE_SIZE_DEFAULT;
}

static enum vmr_status unavailable(struct vmr_error *err, int host_errno, const char *what, uint64_t number)
{
    enum vmr_status status = vmr_error_set_host(err, host_errno, "memory: %s (%#" PRIx64 ")", what, number);

    if (err && status != VMR_OK)
        err->status = VMR_E_UNAVAILABLE;
    return VMR_E_UNAVAILABLE;
}

static enum vmr_status create_shared(const struct vmr_memory_backing *wanted, size_t size, int *ret_fd,
                                     struct vmr_error *err)
{
    unsigned flags = MFD_CLOEXEC;

    if (wanted->hugepages)
        flags |= MFD_HUGETLB | log2_of(huge_size(wanted)) << HUGE_SHIFT;

    int fd = memfd_create("guest-memory", flags);

    if (fd < 0)
        return unavailable(err, errno,
                           wanted->hugepages ? "this host has no huge pages of this size" : "no shared memory",
                           wanted->hugepages ? huge_size(wanted) : size);
    if (size > INT64_MAX || ftruncate(fd, (off_t)size) != 0) {
        enum vmr_status status = unavailable(err, errno, "no shared memory of this size", size);

        os_fd_close(fd);
        return status;
    }
    *ret_fd = fd;
    return VMR_OK;
}

static enum vmr_status map(const struct vmr_memory_backing *wanted, struct os_backing *backing, struct vmr_error *err)
{
    int flags = backing->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

    if (wanted->hugepages && backing->fd < 0)
        flags |= (int)(MAP_HUGETLB | log2_of(huge_size(wanted)) << HUGE_SHIFT);

    void *bytes = mmap(NULL, backing->size, PROT_READ | PROT_WRITE, flags, backing->fd, 0);

    if (bytes == MAP_FAILED && wanted->hugepages)
        return unavailable(err, errno, "this host has not enough free huge pages of this size", huge_size(wanted));
    if (bytes == MAP_FAILED)
        return vmr_error_set(err, VMR_E_NOMEM, "memory: this host has no %#zx bytes", backing->size);
    backing->bytes = bytes;
    return VMR_OK;
}

static enum vmr_status bind_to_node(const struct vmr_memory_backing *wanted, const struct os_backing *backing,
                                    struct vmr_error *err)
{
    unsigned long nodes[HOST_NODE_MAX / (sizeof(long) * CHAR_BIT)] = {0};
    const unsigned bits = sizeof(nodes[0]) * CHAR_BIT;

    if (wanted->host_numa_node >= HOST_NODE_MAX)
        return unavailable(err, EINVAL, "this host has no such NUMA node", wanted->host_numa_node);
    nodes[wanted->host_numa_node / bits] = 1ul << wanted->host_numa_node % bits;
    /* The kernel reads one bit less than it is told that there are. */
    if (syscall(SYS_mbind, backing->bytes, backing->size, MPOL_BIND, nodes, (unsigned long)HOST_NODE_MAX + 1, 0ul) != 0)
        return unavailable(err, errno, "this host has no such NUMA node", wanted->host_numa_node);
    return VMR_OK;
}

/* A kernel that does not know the advice gets every page written to, with the zero that it holds. */
static enum vmr_status prefetch(const struct os_backing *backing, struct vmr_error *err)
{
    volatile unsigned char *bytes = backing->bytes;

    if (madvise(backing->bytes, backing->size, PREFETCH_ADVICE) == 0)
        return VMR_OK;
    if (errno != EINVAL)
        return unavailable(err, errno, "this host cannot give all pages now", backing->size);
    for (size_t at = 0; at < backing->size; at += VMR_PAGE_SIZE)
        bytes[at] = 0;
    return VMR_OK;
}

static enum vmr_status prepare(const struct vmr_memory_backing *wanted, const struct os_backing *backing,
                               struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    if (wanted->transparent_hugepages && madvise(backing->bytes, backing->size, MADV_HUGEPAGE) != 0)
        return unavailable(err, errno, "this host has no transparent huge pages", backing->size);
    if (wanted->bind_host_node)
        status = bind_to_node(wanted, backing, err);
    if (status == VMR_OK && wanted->prefetch)
        status = prefetch(backing, err);
    return status;
}

enum vmr_status os_backing_map(const struct vmr_memory_backing *wanted, size_t size, struct os_backing *ret_backing,
                               struct vmr_error *err)
{
    struct os_backing backing = {.size = size, .fd = -1};
    enum vmr_status status = wanted->shared ? create_shared(wanted, size, &backing.fd, err) : VMR_OK;

    if (status == VMR_OK)
        status = map(wanted, &backing, err);
    if (status == VMR_OK)
        status = prepare(wanted, &backing, err);
    if (status != VMR_OK) {
        os_backing_unmap(&backing);
        return status;
    }
    *ret_backing = backing;
    return VMR_OK;
}

void os_backing_unmap(const struct os_backing *backing)
{
    if (backing->bytes)
        (void)munmap(backing->bytes, backing->size);
    if (backing->fd >= 0)
        os_fd_close(backing->fd);
}
