/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Configurations with the one thing that is wrong with each, and their next
 * neighbours with which nothing is. Every rule has a row: test_check.c.
 */

#include "vmrig/config_report.h"

struct check_case {
    const char *code; /* of the one finding; NULL: nothing is wrong */
    const char *path;
    const struct vmr_config *config; /* NULL: the end of the table */
    int line;
};

/* All tables, by the names of their files; NULL behind the last. */
struct check_table {
    const char *name;
    const struct check_case *cases;
};
extern const struct check_table check_tables[];
extern const struct check_case cases_field[], cases_load[], cases_device[], cases_pcie[], cases_windows[],
    cases_ports[], cases_numa[], cases_processor[], cases_hypervisor[], cases_chipset[], cases_vmbus[], cases_uefi[],
    cases_layout[], cases_tables[];

/* A machine that needs nothing but what the row says. */
#define BAD(code, path, ...)                                                                                           \
    {                                                                                                                  \
        "CFG-" code, path, &(const struct vmr_config){MEMORY, __VA_ARGS__}, __LINE__                                   \
    }
#define GOOD(...)                                                                                                      \
    {                                                                                                                  \
        NULL, NULL, &(const struct vmr_config){MEMORY, __VA_ARGS__}, __LINE__                                          \
    }
#define BAD_BARE(code, path, ...)                                                                                      \
    {                                                                                                                  \
        "CFG-" code, path, &(const struct vmr_config){__VA_ARGS__}, __LINE__                                           \
    }
#define GOOD_BARE(...)                                                                                                 \
    {                                                                                                                  \
        NULL, NULL, &(const struct vmr_config){__VA_ARGS__}, __LINE__                                                  \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .code = NULL                                                                                                   \
    }

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define OF(type, ...) (&(const struct type){__VA_ARGS__})
#define LIST(list, count, type, ...)                                                                                   \
    .list = (const struct type[]){__VA_ARGS__},                                                                        \
    .count = sizeof((const struct type[]){__VA_ARGS__}) / sizeof(struct type)
#define SET(number)                                                                                                    \
    {                                                                                                                  \
        .given = true, .value = number                                                                                 \
    }
#define FILE_AT(name)                                                                                                  \
    {                                                                                                                  \
        .path = name                                                                                                   \
    }
#define SOME                                                                                                           \
    {                                                                                                                  \
        .id = "some"                                                                                                   \
    } /* a resource */

#define ARM64 .arch = VMR_ARCH_ARM64
#define NODE(size)                                                                                                     \
    {                                                                                                                  \
        .mem = OF(vmr_memory_config, .mem_size = size)                                                                 \
    }
#define NODES(...) .numa = {LIST(nodes, node_count, vmr_numa_node, __VA_ARGS__)}
#define MEMORY NODES(NODE(GIB))

#define LINUX(...) .load_mode = {.mode = VMR_LOAD_LINUX, .linux_direct = {.kernel = FILE_AT("vmlinux"), __VA_ARGS__}}
#define UEFI(...) .load_mode = {.mode = VMR_LOAD_UEFI, .uefi = {__VA_ARGS__}}
#define UEFI_FILE .firmware = FILE_AT("uefi.fd")
#define PCAT(...) .load_mode = {.mode = VMR_LOAD_PCAT, .pcat = {__VA_ARGS__}}
#define PCAT_FILE .firmware = FILE_AT("pcat.rom")
#define IGVM(...) .load_mode = {.mode = VMR_LOAD_IGVM, .igvm = {.file = FILE_AT("vm.igvm"), __VA_ARGS__}}
#define HV .hypervisor = {.with_hv = true}
#define WITH_VTL2(...) .hypervisor = {.with_hv = true, .with_vtl2 = OF(vmr_hypervisor_vtl2_config, __VA_ARGS__)}
#define VTL2 WITH_VTL2(.vtl0_alias_map = false)
#define ISOLATED(kind) .hypervisor = {.with_isolation = VMR_ISOLATION_##kind}
#define VMBUS .vmbus = OF(vmr_vmbus_config, .vtl2_redirect = false)
#define VTL2_VMBUS .vtl2_vmbus = OF(vmr_vmbus_config, .vtl2_redirect = false)
#define CHIPSET(...) .chipset = {__VA_ARGS__}

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X256 X64 X64 X64 X64
#define X1024 X256 X256 X256 X256
