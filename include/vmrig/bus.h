/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Port and MMIO buses: which device answers at which address.
 *
 * A device claims ranges; a range belongs to one device. Reads that nobody
 * claims answer all ones, writes that nobody claims vanish. [IO-1] [IO-2]
 *
 * An access inside one range and of a size that the range takes is one call,
 * aligned or not. Any other is cut where a range ends and into naturally
 * aligned pieces of sizes the range takes, the largest first, lowest address
 * first; each piece is one call. Pieces that fall outside every range, or past
 * the end of the space, answer ones: nothing wraps to address 0. [IO-3] [IO-4]
 */

#include "vmrig/host.h"

VMR_BEGIN_DECLS

struct vmr_bus;

enum vmr_bus_space {
    VMR_BUS_PORTS, /* 16-bit addresses; accesses of 1, 2, 4 bytes; 0xffff is the last port and does not wrap */
    VMR_BUS_MMIO   /* up to 2^52; accesses of 1..8 bytes */
};

/* One call to a device. */
struct vmr_access {
    uint64_t address; /* on the bus */
    uint64_t offset;  /* from the start of the range */
    uint8_t size;     /* 1, 2, 4, 8: one that the range takes */
    uint8_t vtl;
    vmr_vp_index vp;
};

/*
 * Called on the VP's thread, with no lock held, possibly by several VPs at
 * once: a device with state has its own lock. Values are zero extended.
 */
struct vmr_device_ops {
    uint64_t (*read)(void *device, const struct vmr_access *access);
    void (*write)(void *device, const struct vmr_access *access, uint64_t value);
};

#define VMR_SIZE_1 1u
#define VMR_SIZE_2 2u
#define VMR_SIZE_4 4u
#define VMR_SIZE_8 8u

struct vmr_bus_range {
    const char *name; /* for messages; must outlive the claim */
    uint64_t start;
    uint64_t length;
    uint8_t sizes; /* VMR_SIZE_* together; must hold VMR_SIZE_1; 0: VMR_SIZE_1 alone */
    const struct vmr_device_ops *ops;
    void *device;
};

VMR_API VMR_MUST_CHECK enum vmr_status vmr_bus_create(const struct vmr_host *host, enum vmr_bus_space space,
                                                      struct vmr_bus **ret_bus, struct vmr_error *err);
VMR_API void vmr_bus_destroy(struct vmr_bus *bus); /* NULL is fine. VPs stopped. */

/*
 * Refused without change: a range that overlaps another (both are named), is
 * empty, or leaves the space. Any thread, also while VPs run. [IO-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_bus_claim(struct vmr_bus *bus, const struct vmr_bus_range *range,
                                                     struct vmr_error *err);

/*
 * Gives back the range that starts at `start`. A call into the device that has
 * begun on another VP may still be running when this returns: vmr_vp_set_call
 * on each VP is the barrier. VMR_E_USAGE if no range starts there. [IO-6]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_bus_release(struct vmr_bus *bus, uint64_t start, struct vmr_error *err);

/* For who looks: a range, with a copy of its name, cut if need be. */
#define VMR_BUS_NAME_MAX 47u
struct vmr_bus_range_info {
    uint64_t start, length;
    uint8_t sizes; /* VMR_SIZE_* */
    char name[VMR_BUS_NAME_MAX + 1];
};
/*
 * The range with so many below it; false: there are no more. Going through all
 * while some come and go may leave one out, or tell it twice. Any thread. [INSP-2]
 */
VMR_API bool vmr_bus_range_get(struct vmr_bus *bus, size_t index, struct vmr_bus_range_info *ret_range);

VMR_API uint64_t vmr_bus_read(struct vmr_bus *bus, const struct vmr_access *access);
VMR_API void vmr_bus_write(struct vmr_bus *bus, const struct vmr_access *access, uint64_t value);

/*
 * A doorbell turns one write into one call (or, offered by the hypervisor, into
 * one signal of a descriptor without leaving the kernel: see
 * vmr_partition_doorbell). It is matched before ranges: same address, same
 * size (0: any), same value if `match_value`, and a VTL of at least
 * `minimum_vtl`; a write from below that VTL goes on to the range. Where
 * several match, one rings: with a value before without, with a size before
 * without. A ring that has begun on another VP may still be running when the
 * removal returns. [IO-7]
 */
struct vmr_doorbell {
    uint64_t address;
    uint8_t size; /* 0, 1, 2, 4, 8 */
    bool match_value;
    uint64_t value;
    uint8_t minimum_vtl; /* enum vmr_vtl */
    void (*ring)(void *context);
    void *context;
};

/* VMR_E_CONFIG if one with the same address, size and value is there. Any thread. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_bus_doorbell_add(struct vmr_bus *bus, const struct vmr_doorbell *doorbell,
                                                            uint64_t *ret_id, struct vmr_error *err);
/* An id that is gone is VMR_E_USAGE, never another's doorbell: ids are not used again. Any thread. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_bus_doorbell_remove(struct vmr_bus *bus, uint64_t id, struct vmr_error *err);
/* As vmr_bus_range_get, in the order of addresses. */
VMR_API bool vmr_bus_doorbell_get(struct vmr_bus *bus, size_t index, struct vmr_doorbell *ret_doorbell);

VMR_END_DECLS
