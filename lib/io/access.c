/* SPDX-License-Identifier: MIT */
/*
 * One access of a guest, from the bus to the devices.
 *
 * An access that lies in one range and has a size which that range takes is one
 * call, aligned or not. Any other is cut: where a range ends, and then into
 * naturally aligned pieces of sizes the range takes, the largest first, lowest
 * address first. [IO-3] [IO-4] No lock is held while a device is called; what
 * is known of the range by then is a copy.
 */

#include "lib/io/bus.h"

#include "lib/base/checked.h"

/* The answer for an address: a range, or a hole; and how many bytes from the address on it is good for. */
struct target {
    const struct vmr_device_ops *ops; /* NULL: a hole */
    void *device;
    uint64_t offset;
    uint64_t left;
    unsigned sizes;
};

/* Fibonacci hashing: neighbouring registers must not share a hint. */
static inline uint32_t hint_of(uint64_t address)
{
    return (uint32_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUS_HINT_BITS));
}

/* Whether record `index` holds the address; if so, says so. */
static inline bool look_at(const struct table_block *block, uint32_t index, uint64_t address, struct target *ret_target)
{
    uint64_t offset = address - table_word(block, index, RANGE_START);
    uint64_t length = table_word(block, index, RANGE_LENGTH);

    if (offset >= length)
        return false;
    *ret_target = (struct target){
        .ops = (const struct vmr_device_ops *)(uintptr_t)table_word(block, index, RANGE_OPS),
        .device = (void *)(uintptr_t)table_word(block, index, RANGE_DEVICE),
        .offset = offset,
        .left = length - offset,
        .sizes = (unsigned)table_word(block, index, RANGE_SIZES),
    };
    return true;
}

static void search(struct vmr_bus *bus, const struct table_block *block, uint64_t address, struct target *ret_target)
{
    uint32_t after = table_count_up_to(block, address);

    if (after > 0 && look_at(block, after - 1, address, ret_target)) {
        atomic_store_explicit(&bus->hints[hint_of(address)], after - 1, memory_order_relaxed);
        return;
    }
    /* A hole reaches to the next range, and without one past the end of the space: nothing wraps to 0. */
    uint64_t left = after < table_count(block) ? table_word(block, after, RANGE_START) - address : UINT64_MAX;

    *ret_target = (struct target){.left = left};
}

static inline void find_target(struct vmr_bus *bus, uint64_t address, struct target *ret_target)
{
    struct table_read read = table_read_begin(&bus->ranges);

    do {
        /* A hint only says where to look first, so it needs no order with anything. */
        uint32_t hint = atomic_load_explicit(&bus->hints[hint_of(address)], memory_order_relaxed);

        if (hint >= table_count(read.block) || !look_at(read.block, hint, address, ret_target))
            search(bus, read.block, address, ret_target);
    } while (!table_read_end(&bus->ranges, &read));
}

/* Whether `size` bytes from the target on are one call. A size is its own bit in `sizes`. */
static inline bool takes_whole(const struct target *target, unsigned size)
{
    return target->left >= size && (target->sizes & size) != 0 && (size & (size - 1)) == 0;
}

/* The largest aligned piece that the range takes, of at most `length` bytes. Every range takes 1. */
static unsigned piece_size(unsigned sizes, uint64_t address, unsigned length)
{
    for (unsigned size = 8; size > 1; size /= 2) {
        if (size <= length && (sizes & size) != 0 && is_aligned(address, size))
            return size;
    }
    return 1;
}

static inline struct vmr_access piece_of(const struct vmr_access *access, const struct target *target, unsigned done,
                                         unsigned size)
{
    return (struct vmr_access){.address = access->address + done,
                               .offset = target->offset,
                               .size = (uint8_t)size,
                               .vtl = access->vtl,
                               .vp = access->vp};
}

/*
 * Goes over the pieces of an access. `target` is that of the first byte not
 * done; gives the size of the next piece, whose target may be a hole.
 */
static unsigned next_piece(const struct target *target, const struct vmr_access *access, unsigned done)
{
    unsigned length = access->size - done;

    if (target->left < length)
        length = (unsigned)target->left;
    return target->ops ? piece_size(target->sizes, access->address + done, length) : length;
}

/* Steps over a piece, and looks the next byte up if it belongs to another. */
static void advance(struct vmr_bus *bus, struct target *target, const struct vmr_access *access, unsigned *done,
                    unsigned size)
{
    *done += size;
    target->offset += size;
    target->left -= size;
    if (target->left == 0 && *done < access->size)
        find_target(bus, access->address + *done, target);
}

static uint64_t read_pieces(struct vmr_bus *bus, const struct vmr_access *access, struct target target)
{
    uint64_t value = 0;

    for (unsigned done = 0; done < access->size;) {
        unsigned size = next_piece(&target, access, done);
        uint64_t part = UINT64_MAX; /* [IO-1] */

        if (target.ops) {
            struct vmr_access piece = piece_of(access, &target, done, size);

            part = target.ops->read(target.device, &piece);
        }
        value |= (part & mask_of_bytes(size)) << (8 * done);
        advance(bus, &target, access, &done, size);
    }
    return value;
}

static void write_pieces(struct vmr_bus *bus, const struct vmr_access *access, struct target target, uint64_t value)
{
    for (unsigned done = 0; done < access->size;) {
        unsigned size = next_piece(&target, access, done);

        if (target.ops) {
            struct vmr_access piece = piece_of(access, &target, done, size);

            target.ops->write(target.device, &piece, value >> (8 * done) & mask_of_bytes(size));
        }
        advance(bus, &target, access, &done, size);
    }
}

static inline bool is_size(unsigned size)
{
    return size >= 1 && size <= 8;
}

uint64_t vmr_bus_read(struct vmr_bus *bus, const struct vmr_access *access)
{
    struct target target;

    if (!is_size(access->size))
        return UINT64_MAX;
    find_target(bus, access->address, &target);
    if (!takes_whole(&target, access->size))
        return read_pieces(bus, access, target);
    struct vmr_access whole = piece_of(access, &target, 0, access->size);

    return target.ops->read(target.device, &whole) & mask_of_bytes(access->size);
}

void vmr_bus_write(struct vmr_bus *bus, const struct vmr_access *access, uint64_t value)
{
    struct target target;

    if (!is_size(access->size))
        return;
    value &= mask_of_bytes(access->size);
    if (!table_is_empty(&bus->doorbells) && doorbell_ring(bus, access, value))
        return;
    find_target(bus, access->address, &target);
    if (!takes_whole(&target, access->size)) {
        write_pieces(bus, access, target, value);
        return;
    }
    struct vmr_access whole = piece_of(access, &target, 0, access->size);

    target.ops->write(target.device, &whole, value);
}
