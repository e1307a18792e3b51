/* SPDX-License-Identifier: MIT */
/*
 * Pages with wishes: those that every Linux fulfils are seen to be fulfilled,
 * those that none does are refused by name. What only some hosts have (a pool of
 * huge pages) is either there or refused by name, and never left out.
 */

#define _GNU_SOURCE /* MAP_ANONYMOUS, mincore */

#include "lib/base/os_backing.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (UINT64_C(4) << 20)

static size_t pages_present(const struct os_backing *backing)
{
    unsigned char present[SIZE / VMR_PAGE_SIZE];
    size_t count = 0;

    assert_int_equal(mincore(backing->bytes, backing->size, present), 0);
    for (size_t i = 0; i < backing->size / VMR_PAGE_SIZE; i++)
        count += present[i] & 1u;
    return count;
}

static bool is_zero(const struct os_backing *backing)
{
    const unsigned char *bytes = backing->bytes;

    for (size_t i = 0; i < backing->size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void pages_are_zeroed_and_there_when_they_are_touched(void **state)
{
    static const struct vmr_memory_backing wishes[] = {{0}, {.shared = true}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct os_backing backing;
        struct vmr_error err;

        assert_int_equal(os_backing_map(&wishes[i], SIZE, &backing, &err), VMR_OK);
        assert_int_equal(pages_present(&backing), 0);
        assert_true(is_zero(&backing));
        assert_int_equal(backing.fd >= 0, wishes[i].shared);
        os_backing_unmap(&backing);
    }
}

static void prefetched_pages_are_all_there_at_once(void **state)
{
    static const struct vmr_memory_backing wishes[] = {{.prefetch = true}, {.prefetch = true, .shared = true}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct os_backing backing;

        assert_int_equal(os_backing_map(&wishes[i], SIZE, &backing, NULL), VMR_OK);
        assert_int_equal(pages_present(&backing), SIZE / VMR_PAGE_SIZE);
        assert_true(is_zero(&backing));
        os_backing_unmap(&backing);
    }
}

static void shared_pages_are_seen_by_who_maps_the_descriptor(void **state)
{
    struct os_backing backing;

    (void)state;
    assert_int_equal(os_backing_map(&(struct vmr_memory_backing){.shared = true}, SIZE, &backing, NULL), VMR_OK);

    unsigned char *other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, backing.fd, 0);

    assert_true(other != MAP_FAILED);
    ((unsigned char *)backing.bytes)[12345] = 0x5a;
    assert_int_equal(other[12345], 0x5a);
    munmap(other, SIZE);
    os_backing_unmap(&backing);
}

/* The kernel's own word for it: smaps of the mapping has the flag. */
static bool smaps_has_flag(const void *bytes, const char *flag)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[512], start[32];
    bool inside = false, found = false;

    assert_non_null(file);
    snprintf(start, sizeof(start), "%" PRIxPTR "-", (uintptr_t)bytes);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, start, strlen(start)) == 0)
            inside = true;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
            break;
        }
    }
    fclose(file);
    return found;
}

static void transparent_huge_pages_are_asked_for_or_refused_by_name(void **state)
{
    struct os_backing backing;
    struct vmr_error err = {0};

    (void)state;
    if (os_backing_map(&(struct vmr_memory_backing){.transparent_hugepages = true}, SIZE, &backing, &err) != VMR_OK) {
        assert_int_equal(err.status, VMR_E_UNAVAILABLE);
        assert_non_null(strstr(err.message, "transparent huge pages"));
        return;
    }
    assert_true(smaps_has_flag(backing.bytes, " hg"));
    os_backing_unmap(&backing);
}

static void huge_pages_come_from_the_pool_or_are_refused_by_size(void **state)
{
    static const struct vmr_memory_backing wishes[] = {{.hugepages = true}, {.hugepages = true, .shared = true}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct os_backing backing;
        struct vmr_error err = {0};

        if (os_backing_map(&wishes[i], SIZE, &backing, &err) != VMR_OK) {
            assert_int_equal(err.status, VMR_E_UNAVAILABLE);
            assert_non_null(strstr(err.message, "huge pages"));
            assert_non_null(strstr(err.message, "0x200000"));
            continue;
        }
        assert_true(smaps_has_flag(backing.bytes, " ht"));
        assert_true(is_zero(&backing));
        os_backing_unmap(&backing);
    }
}

static void a_node_that_is_there_takes_the_pages(void **state)
{
    struct os_backing backing;
    struct vmr_error err = {0};

    (void)state;
    if (os_backing_map(&(struct vmr_memory_backing){.bind_host_node = true, .prefetch = true}, SIZE, &backing, &err) !=
        VMR_OK) {
        /* Kernels without NUMA and sandboxes that forbid the call. */
        assert_int_equal(err.status, VMR_E_UNAVAILABLE);
        assert_non_null(strstr(err.message, "NUMA node"));
        return;
    }
    assert_int_equal(pages_present(&backing), SIZE / VMR_PAGE_SIZE);
    os_backing_unmap(&backing);
}

static void wishes_that_no_host_fulfils_are_refused_by_name(void **state)
{
    static const struct {
        struct vmr_memory_backing wish;
        const char *said;
    } cases[] = {
        {{.bind_host_node = true, .host_numa_node = 1023}, "NUMA node (0x3ff)"},
        {{.bind_host_node = true, .host_numa_node = 1024}, "NUMA node (0x400)"},
        {{.bind_host_node = true, .host_numa_node = UINT32_MAX}, "NUMA node (0xffffffff)"},
        {{.hugepages = true, .hugepage_size = 0x2000}, "(0x2000)"},
        {{.hugepages = true, .hugepage_size = 0x2000, .shared = true}, "(0x2000)"},
        {{.hugepages = true, .hugepage_size = UINT64_C(1) << 51}, "(0x8000000000000)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct os_backing backing = {.fd = -7};
        struct vmr_error err = {0};
        enum vmr_status status = os_backing_map(&cases[i].wish, SIZE, &backing, &err);

        if (status != VMR_E_UNAVAILABLE || err.status != status || !strstr(err.message, cases[i].said))
            fail_msg("case %zu: %s \"%s\"", i, vmr_status_name(status), err.message);
        assert_int_equal(backing.fd, -7);
    }
}

static void refused_wishes_leave_no_descriptor(void **state)
{
    int before = dup(0);

    (void)state;
    assert_true(before >= 0);
    close(before);
    for (unsigned i = 0; i < 10; i++) {
        struct os_backing backing;

        assert_int_equal(
            os_backing_map(&(struct vmr_memory_backing){.shared = true, .bind_host_node = true, .host_numa_node = 1023},
                           SIZE, &backing, NULL),
            VMR_E_UNAVAILABLE);
    }
    int after = dup(0);

    assert_int_equal(after, before);
    close(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zeroed_and_there_when_they_are_touched),
        cmocka_unit_test(prefetched_pages_are_all_there_at_once),
        cmocka_unit_test(shared_pages_are_seen_by_who_maps_the_descriptor),
        cmocka_unit_test(transparent_huge_pages_are_asked_for_or_refused_by_name),
        cmocka_unit_test(huge_pages_come_from_the_pool_or_are_refused_by_size),
        cmocka_unit_test(a_node_that_is_there_takes_the_pages),
        cmocka_unit_test(wishes_that_no_host_fulfils_are_refused_by_name),
        cmocka_unit_test(refused_wishes_leave_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
