/* SPDX-License-Identifier: MIT */
/*
 * What guest memory is made of: a guest runs on it alike, whatever it is, and a
 * host that lacks it says so.
 */

#include "conformance/conformance.h"

#include <string.h>

#define EXTRA UINT64_C(0x10000000)
#define SIZE VMR_HUGEPAGE_SIZE_DEFAULT
#define LAST (EXTRA + SIZE - 8)

/* From both ends, through the last byte. */
CONF_PROGRAM(uses, VMR_STORE(EXTRA, 8, 0x1122334455667788), VMR_STORE(LAST, 8, 0xaabbccdd), VMR_LOAD(0, EXTRA, 8),
             VMR_EXPECT(0, 0x1122334455667788), VMR_LOAD(0, LAST, 8), VMR_EXPECT(0, 0xaabbccdd),
             VMR_LOAD(0, EXTRA + 4096, 8), VMR_EXPECT(0, 0), VMR_END());

static const struct {
    const char *name;
    bool everywhere; /* what no Linux may lack */
    struct vmr_memory_backing backing;
} backings[] = {
    {"shared", true, {.shared = true}},
    {"prefetched", true, {.prefetch = true}},
    {"shared and prefetched", true, {.shared = true, .prefetch = true}},
    {"transparent huge pages", false, {.transparent_hugepages = true}},
    {"huge pages", false, {.hugepages = true}},
    {"shared huge pages", false, {.hugepages = true, .shared = true}},
    {"node 0", false, {.bind_host_node = true}},
};

static void check_words(struct conf_vm *vm, const char *name)
{
    uint64_t words[2] = {0};

    CONF_CHECK(vm->conf,
               vmr_memory_read(vm->memory, EXTRA, &words[0], 8) == VMR_OK &&
                   vmr_memory_read(vm->memory, LAST, &words[1], 8) == VMR_OK,
               "%s: not readable", name);
    CONF_CHECK(vm->conf, words[0] == 0x1122334455667788 && words[1] == 0xaabbccdd, "%s: %#llx, %#llx", name,
               (unsigned long long)words[0], (unsigned long long)words[1]);
}

static void guest_on_each(struct conf *conf)
{
    for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
        const struct vmr_memory_region region = {.gpa = EXTRA, .size = SIZE, .backing = &backings[i].backing};
        struct conf_vm *vm = conf_vm_create(conf, NULL);
        struct vmr_error err = {.message = ""};

        CONF_REQUIRE(conf, vm != NULL, "no VM");
        enum vmr_status status = vmr_memory_region_add(vm->memory, &region, &err);

        CONF_CHECK(conf, status == VMR_OK || (status == VMR_E_UNAVAILABLE && !backings[i].everywhere), "%s: %s",
                   backings[i].name, err.message);
        if (status == VMR_OK && conf_load(vm, 0, &uses) && conf_bind(vm, 0)) {
            (void)conf_run_to_end(vm, 0);
            check_words(vm, backings[i].name);
        }
        conf_vm_destroy(vm);
    }
}

static void refused_by_name(struct conf *conf)
{
    static const struct {
        struct vmr_memory_backing backing;
        uint64_t size;
        enum vmr_status status;
        const char *said;
    } cases[] = {
        {{.bind_host_node = true, .host_numa_node = 1023}, SIZE, VMR_E_UNAVAILABLE, "NUMA node"},
        {{.hugepages = true, .hugepage_size = 0x2000}, SIZE, VMR_E_UNAVAILABLE, "huge pages"},
        {{.hugepages = true}, SIZE + VMR_PAGE_SIZE, VMR_E_CONFIG, "huge pages"},
        {{.hugepages = true, .hugepage_size = 12345}, SIZE, VMR_E_CONFIG, "hugepage_size"},
        {{.hugepage_size = SIZE}, SIZE, VMR_E_CONFIG, "without hugepages"},
    };
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vmr_memory_region region = {.gpa = EXTRA, .size = cases[i].size, .backing = &cases[i].backing};
        struct vmr_error err = {.message = ""};
        enum vmr_status status = vmr_memory_region_add(vm->memory, &region, &err);

        CONF_CHECK(conf, status == cases[i].status && strstr(err.message, cases[i].said) != NULL,
                   "case %zu: %s, \"%s\"", i, vmr_status_name(status), err.message);
        CONF_CHECK_EQ(conf, vmr_memory_region_count(vm->memory), 1, "regions");
    }
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_guest_runs_alike_on_every_backing",
     .family = "memory",
     .clauses = "MEM-9",
     .chip = CONF_CHIP_ANY,
     .run = guest_on_each},
    {.name = "a_backing_that_the_host_lacks_is_refused_by_name",
     .family = "memory",
     .clauses = "MEM-9 MEM-3 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = refused_by_name},
};

CONF_FAMILY(memory_backing, scenarios);
