/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Choosing a hypervisor: by name and parameters, by asking each in turn, or
 * from a descriptor that the embedder opened.
 *
 *   spec := name | name ":" item { "," item }      item := key | key "=" value
 *
 * Empty items are skipped, a bare key means "true", the value starts after the
 * first "=", the name ends at the first ":". Nothing is trimmed; case matters.
 * Parameters are checked before availability is looked at. [PROBE-1] [PROBE-2]
 */

#include "vmrig/error.h"
#include "vmrig/limits.h"

VMR_BEGIN_DECLS

struct vmr_backend;

/* One key that a backend takes. A table of these ends with a NULL name. */
struct vmr_param_key {
    const char *name;
    const char *values; /* "true|false", "none|split|kernel", "number": for help and for error messages */
    const char *help;   /* one line */
};

struct vmr_param {
    const char *key;
    const char *value;
};

struct vmr_params {
    size_t count;
    struct vmr_param items[VMR_SPEC_PARAM_MAX];
};

/* Where the interrupt controllers of a partition live. */
enum vmr_irqchip {
    VMR_IRQCHIP_USER,   /* all in the library (lib/devices); what `user_mode_apic` selects */
    VMR_IRQCHIP_SPLIT,  /* local APICs in the hypervisor, PIC and IO-APIC in the library */
    VMR_IRQCHIP_KERNEL, /* all in the hypervisor */
    VMR_IRQCHIP_COUNT
};

/*
 * A hypervisor, ready to make partitions: its backend, its open descriptor or
 * its knobs. May be handed to another thread. The same handle can make many
 * partitions, one after another or at once, unless the backend says otherwise.
 */
struct vmr_hypervisor_handle {
    const struct vmr_backend *backend;
    int fd;       /* kvm, mshv: the device node, read and write; -1: none */
    bool owns_fd; /* vmr_handle_close closes fd */
    enum vmr_irqchip irqchip;
    bool own_hyperv; /* the hypervisor's own Hyper-V interface counts; false: it is as if it had none,
                        VMR_CAP_HV_OFFLOAD included. Whether a partition uses it is for struct vmr_hv_config to say */
    void *context;   /* the backend's own; mock.h and trace.h say what theirs is */
    void (*context_destroy)(void *context); /* NULL: nothing to free */
};

/* The backends a caller wants considered, in the order they are asked. */
struct vmr_backend_set {
    size_t count;
    const struct vmr_backend *backends[VMR_BACKEND_MAX];
};

/* Fills in the built-in table: mshv, kvm, whp, hvf (priority order), then mock. */
VMR_API void vmr_backend_set_init(struct vmr_backend_set *ret_set);
/* Appends one of the embedder's own. VMR_E_CONFIG for a name that is there; VMR_E_USAGE when full. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_backend_set_add(struct vmr_backend_set *set,
                                                           const struct vmr_backend *backend, struct vmr_error *err);
/* Whether `backend` is `wanted`, or the copy of it that its `base` says; NULL is nobody's. */
VMR_API bool vmr_backend_is(const struct vmr_backend *backend, const struct vmr_backend *wanted);
/* NULL if there is none of that name. */
VMR_API const struct vmr_backend *vmr_backend_find(const struct vmr_backend_set *set, const char *name);

/* A spec taken apart, in storage that the params point into: not to be copied. After a failure it holds nothing. */
struct vmr_spec {
    char text[VMR_SPEC_BYTES_MAX];
    const char *name;
    struct vmr_params params;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_spec_parse(const char *text, struct vmr_spec *ret_spec,
                                                      struct vmr_error *err);

/*
 * Opens the named backend. VMR_E_CONFIG: the spec or a parameter is wrong
 * (unknown and duplicate keys are named). VMR_E_UNAVAILABLE: known, but not on
 * this machine or not in this build. VMR_E_HOST: it is there and could not be
 * opened. [PROBE-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_probe_named(const struct vmr_backend_set *set, const char *spec,
                                                       struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err);

/*
 * Opens the first backend, in set order, that is available. One that is absent
 * is passed over; one that is there and cannot be opened ends the search with
 * its error. Backends with VMR_BACKEND_EXPLICIT_ONLY, such as the mock, are
 * never chosen. [PROBE-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_probe_auto(const struct vmr_backend_set *set,
                                                      struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err);

/*
 * The same for a descriptor that the caller opened. It stays the caller's, who
 * keeps it open while the handle and its partitions live. A descriptor of
 * something else is VMR_E_CONFIG. [PROBE-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_handle_from_fd(const struct vmr_backend_set *set, const char *spec, int fd,
                                                          struct vmr_hypervisor_handle *ret_handle,
                                                          struct vmr_error *err);

/*
 * How fast the TSC of a guest runs, in Hz, for vmr_hv_config.tsc_hz; 0: the
 * hypervisor does not say. A replay does not know: what was recorded does.
 */
VMR_API uint64_t vmr_handle_tsc_hz(const struct vmr_hypervisor_handle *handle);

/* Partitions made from the handle stay valid. NULL and a zeroed handle are fine. */
VMR_API void vmr_handle_close(struct vmr_hypervisor_handle *handle);

VMR_END_DECLS
