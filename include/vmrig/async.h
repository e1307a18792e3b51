/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What threads that run no VP do to a partition, at the point where it takes
 * effect: for recorders, which put it into the order of everything else.
 */

#include "vmrig/types.h"

VMR_BEGIN_DECLS

/* A SINT of a VP (vmrig/synic.h). */
struct vmr_synic_target {
    vmr_vp_index vp;
    uint8_t vtl;
    uint8_t sint;
};

enum vmr_async_kind {
    VMR_ASYNC_IRQ,     /* a = gsi, b = level */
    VMR_ASYNC_MSI,     /* a = address, b = data */
    VMR_ASYNC_LINT,    /* a = vp, b = lint */
    VMR_ASYNC_NMI,     /* a = vp */
    VMR_ASYNC_WAKE,    /* a = vp */
    VMR_ASYNC_INPUT,   /* a = stream; the bytes are what comes in */
    VMR_ASYNC_MESSAGE, /* to `target`: a = type, b = origin; the bytes are the payload */
    VMR_ASYNC_EVENT,   /* at `target`: a = flag */
    VMR_ASYNC_CALL,    /* a = enum vmr_async_call, b = its argument */
    VMR_ASYNC_KIND_COUNT
};

/*
 * Changes that only the embedder can make again, since they are about what is
 * its own: a replay waits for its thread to do so.
 */
enum vmr_async_call {
    VMR_CALL_PORT_ADD,     /* of the SynIC; the connection id */
    VMR_CALL_PORT_REMOVE,  /* the connection id */
    VMR_CALL_PORT_AIM,     /* a guest port; the VP, or VMR_CALL_NOWHERE */
    VMR_CALL_MONITOR_PAGE, /* its address; VMR_CALL_NOWHERE: taken away, or to be allocated */
    VMR_CALL_TIME,         /* the reference time stands still, goes on, or is set; the count, if it is set */
    VMR_CALL_PAGES,        /* what VTLs may do with pages; the first address */
    VMR_CALL_COUNT
};
#define VMR_CALL_NOWHERE UINT64_MAX

struct vmr_async {
    uint32_t kind; /* enum vmr_async_kind */
    uint64_t a, b;
    const uint8_t *bytes;
    size_t length; /* 1 to VMR_INPUT_BYTES_MAX for VMR_ASYNC_INPUT, at most 240 for VMR_ASYNC_MESSAGE, else 0 */
    const struct vmr_synic_target *target; /* VMR_ASYNC_MESSAGE, VMR_ASYNC_EVENT */
};

VMR_END_DECLS
