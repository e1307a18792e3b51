/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hypervisors that are broken on purpose, each by one defect that somebody once
 * had, and each to be rejected by a scenario that cites the clause it breaks.
 *
 * An animal is a copy of a backend's table with some operations replaced. Behind
 * the backend's own part of each object lies the zoo's, which knows the backend
 * that the call goes on to, and remembers what the defect needs.
 */

#include "vmrig/backend_state.h"

struct zoo_vm {
    const struct vmr_backend *base;
    const struct vmr_host *host;
    uint64_t words[4]; /* the defect's own; begin as zero */
};

struct zoo_vp {
    const struct vmr_backend *base;
    struct zoo_vm *vm;
    struct vmr_backend_vm *base_vm;
    vmr_vp_index index;
    _Atomic uint32_t inside; /* 1: in vp_run */
    _Atomic uint32_t count;  /* the defect's own */
    uint64_t words[4];       /* likewise, the VP's thread */
    struct vmr_exit last;    /* likewise */
};

struct zoo_vm *zoo_vm(struct vmr_backend_vm *vm);
struct zoo_vp *zoo_vp(struct vmr_backend_vp *vp);

struct zoo_animal {
    const char *name;                        /* also of its backend */
    const char *defect;                      /* one line */
    const char *origin;                      /* where the field had it, in open words; NULL: nowhere that we know of */
    const char *clause;                      /* that it breaks */
    const char *params;                      /* of its base: "profile=kvm-like"; NULL: none */
    const char *filter;                      /* a glob on the scenarios that may reject it, for speed */
    bool on_kvm;                             /* it is also made of KVM */
    void (*make)(struct vmr_backend *table); /* replaces operations */
};

struct zoo_house {
    const struct zoo_animal *animals;
    size_t count;
};

extern const struct zoo_house zoo_kicks;
extern const struct zoo_house zoo_exits;
extern const struct zoo_house zoo_memory;
extern const struct zoo_house zoo_states;
extern const struct zoo_house zoo_interrupts;
extern const struct zoo_house zoo_guests;

/* The table of `animal` on `base`, whose operations know their zoo part. `state`: room for a copy of base's states. */
void zoo_make(const struct zoo_animal *animal, const struct vmr_backend *base, struct vmr_backend *ret_table,
              struct vmr_backend_state *ret_state);

/* What vm_create must do, for animals that replace it. */
enum vmr_status zoo_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                           const struct vmr_vm_config *config, struct vmr_error *err);

/* A table's states, to be replaced. */
static inline struct vmr_backend_state *zoo_states_of(struct vmr_backend *table)
{
    return (struct vmr_backend_state *)table->state;
}
