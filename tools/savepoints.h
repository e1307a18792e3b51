/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a running machine is saved, and to which files: when its guest has
 * printed a text, or at its n-th exit. The first file is a full snapshot, each
 * later one what has changed since, where the hypervisor has a dirty log.
 *
 * What the guest does is seen on VPs' threads; there, only a stop is asked for.
 * Saving is for who waits for the machine.
 */

#include <stdatomic.h>

#include "tools/args.h"
#include "tools/matcher.h"
#include "tools/plan.h"
#include "vmrig/machine_snapshot.h"

#define SAVEPOINT_MAX 16u

#define SAVEPOINTS_AT_OPTION                                                                                           \
    {                                                                                                                  \
        .name = "snapshot-at", .value = "TEXT|EXIT", .repeatable = true, .help = "save the machine there, then go on"  \
    }
#define SAVEPOINTS_FILE_OPTION                                                                                         \
    {                                                                                                                  \
        .name = "snapshot", .value = "FILE", .repeatable = true, .help = "the file of that snapshot"                   \
    }
#define SAVEPOINTS_HELP                                                                                                \
    "--snapshot-at takes a number, of an exit of the guest, or a text that it prints. The\n"                           \
    "two options may come several times, in pairs and in the order in which the guest gets\n"                          \
    "there: the later snapshots hold what has changed since the one before, if the\n"                                  \
    "hypervisor keeps a dirty log. 'vmrig restore' goes on from one, and 'vmrig replay\n"                              \
    "--from' from one of a machine that was recorded.\n"

struct savepoint {
    const char *file;
    uint64_t exit; /* 0: at a text */
    struct matcher matchers[VMR_CONSOLE_SOURCE_COUNT];
};

struct savepoints {
    const char *command; /* for messages */
    uint64_t count;
    struct savepoint items[SAVEPOINT_MAX];
    bool logging; /* the dirty log is on */
    uint64_t parent_id;
    struct vmr_recorder *recorder;    /* NULL: none; else each snapshot is a place of its recording */
    const struct vmr_host *host;      /* the machine's */
    struct vmr_console_sink console;  /* behind */
    _Atomic uint64_t next;            /* whose turn it is */
    _Atomic uint64_t exits;           /* so far */
    _Atomic bool due;                 /* it has been reached */
    void (*attention)(void *context); /* on a VP's thread, once it has */
    void *context;
};

/* VMR_E_USAGE, with the word named. */
VMR_MUST_CHECK enum vmr_status savepoints_parse(struct savepoints *savepoints, const struct args *args,
                                                size_t at_option, size_t file_option, struct vmr_error *err);
/* Puts itself in front of the sink. Nothing changes without a point that is a text. */
void savepoints_sink(struct savepoints *savepoints, struct vmr_console_sink *sink);
bool savepoints_wants_exits(const struct savepoints *savepoints);
/* For vmr_machine_options.exit. */
void savepoints_exit(void *savepoints, vmr_vp_index vp, const struct vmr_exit *vp_exit);

bool savepoints_due(struct savepoints *savepoints);
/* The name of the blob that has the machine's configuration, if it was built from a file. */
#define SAVEPOINTS_CONFIG_BLOB "machine-config"
/* Saves the halted machine of `plan` to the file whose turn it is; time stands still from there on. */
VMR_MUST_CHECK enum vmr_status savepoints_save(struct savepoints *savepoints, struct vmr_machine *machine,
                                               struct vmr_vm_clock *clock, const struct plan *plan,
                                               struct vmr_error *err);
