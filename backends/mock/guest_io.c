/* SPDX-License-Identifier: MIT */
/*
 * Instructions that touch ports and memory. What neither RAM nor the
 * in-hypervisor controllers take leaves as an exit, split at pages. [EXIT-4]
 */

#include <string.h>

#include "backends/mock/chip.h"
#include "backends/mock/program.h"
#include "lib/base/bytes.h"
#include "lib/base/checked.h"

/*
 * Without clearing the whole union, whose other members this kind does not use:
 * that would be half the cost of an exit.
 */
static void begin_exit(struct vmr_exit *vp_exit, enum vmr_exit_kind kind)
{
    vp_exit->kind = kind;
    vp_exit->native_reason = 0;
    vp_exit->vtl = 0;
}

/* --- ports --- */

static void exit_port(struct vmr_exit *vp_exit, uint16_t port, uint8_t size, enum vmr_direction direction,
                      uint64_t value)
{
    begin_exit(vp_exit, VMR_EXIT_IO);
    vp_exit->u.io = (struct vmr_exit_io){.port = port, .size = size, .direction = (uint8_t)direction, .count = 1};
    vp_exit->u.io.value = value & mask_of_bytes(size);
}

static bool rings_port(struct vmr_backend_vp *vp, uint16_t port, uint8_t size, uint64_t value)
{
    return events_ring(vp->vm, VMR_BUS_PORTS, port, size, value & mask_of_bytes(size));
}

enum step_result guest_out(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint16_t port,
                           uint8_t size, uint64_t value)
{
    if (flight->sent || chip_out(vp, port, size, value) || rings_port(vp, port, size, value)) {
        flight->sent = false;
        return STEP_DONE;
    }
    flight->sent = true;
    exit_port(vp_exit, port, size, VMR_WRITE, value);
    return STEP_EXIT;
}

enum step_result guest_in(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint16_t port,
                          uint8_t size)
{
    uint64_t value = flight->sent ? vp_exit->u.io.value & mask_of_bytes(size) : 0;

    if (flight->sent || chip_in(vp, port, size, &value)) {
        store_le(flight->bytes, 8, value);
        flight->sent = false;
        return STEP_DONE;
    }
    flight->sent = true;
    exit_port(vp_exit, port, size, VMR_READ, 0);
    return STEP_EXIT;
}

/* --- memory --- */

enum piece {
    PIECE_DONE,
    PIECE_MMIO,
    PIECE_DENIED
};

/* One piece of an access, inside one page, by a VP with VTLs. */
static enum piece move_vtl_piece(struct vmr_backend_vp *vp, vmr_gpa gpa, uint8_t *bytes, uint8_t length, bool write)
{
    struct map_guest guest = vtl_view(vp, &gpa);
    enum map_result result = write ? map_guest_write(&vp->vm->map, guest, gpa, bytes, length)
                                   : map_guest_read(&vp->vm->map, guest, gpa, bytes, length);

    if (result == MAP_DENIED)
        return PIECE_DENIED;
    vp->pass = false;
    if (result == MAP_HOLE && write && events_ring(vp->vm, VMR_BUS_MMIO, gpa, length, load_le(bytes, length)))
        result = MAP_DONE;
    return result == MAP_DONE ? PIECE_DONE : PIECE_MMIO;
}

static enum piece move_piece(struct vmr_backend_vp *vp, vmr_gpa gpa, uint8_t *bytes, uint8_t length, bool write)
{
    struct vmr_backend_vm *vm = vp->vm;
    bool done;

    if (vm_has_vtls(vm))
        return move_vtl_piece(vp, gpa, bytes, length, write);
    if (write)
        done = map_write(&vm->map, gpa, bytes, length) || chip_store(vp, gpa, length, bytes) ||
               events_ring(vm, VMR_BUS_MMIO, gpa, length, load_le(bytes, length));
    else
        done = map_read(&vm->map, gpa, bytes, length) || chip_load(vp, gpa, length, bytes);
    return done ? PIECE_DONE : PIECE_MMIO;
}

bool guest_or(struct vmr_backend_vp *vp, vmr_gpa gpa, uint64_t mask, uint8_t size)
{
    if (!vm_has_vtls(vp->vm))
        return map_or(&vp->vm->map, gpa, mask, size);
    struct map_guest guest = vtl_view(vp, &gpa);

    guest.pass &= guest.vtl != vp->vtl; /* a fault that is passed is one access, and this is two */
    return map_guest_or(&vp->vm->map, guest, gpa, mask, size) == MAP_DONE;
}

/* Nothing of the piece is done: the instruction goes on here when it is run again. */
static enum step_result refuse_access(struct vmr_exit *vp_exit, vmr_gpa gpa, uint8_t length, uint64_t how)
{
    begin_exit(vp_exit, VMR_EXIT_MEMORY_FAULT);
    vp_exit->u.memory_fault = (struct vmr_exit_memory_fault){.gpa = gpa, .size = length, .flags = VMR_FAULT_VTL | how};
    return STEP_LEAVE;
}

bool guest_may(struct vmr_backend_vp *vp, vmr_gpa gpa, uint8_t access)
{
    if (!vm_has_vtls(vp->vm))
        return true;
    struct map_guest guest = vtl_view(vp, &gpa);

    return map_guest_try(&vp->vm->map, guest, gpa, access) != MAP_DENIED;
}

enum step_result guest_refuse_fetch(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, vmr_gpa gpa)
{
    (void)vp;
    return refuse_access(vp_exit, gpa, 1, VMR_FAULT_EXECUTE);
}

static enum step_result move(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, vmr_gpa start,
                             uint8_t size, bool write)
{
    if (flight->part > 0) {
        if (!write)
            store_le(flight->bytes + flight->done, flight->part, vp_exit->u.mmio.value);
        flight->done = (uint8_t)(flight->done + flight->part);
        flight->part = 0;
    }
    while (flight->done < size) {
        vmr_gpa gpa = start + flight->done; /* below 4 GiB: vmr_program_check */
        uint64_t in_page = VMR_PAGE_SIZE - gpa % VMR_PAGE_SIZE;
        uint8_t length = (uint8_t)(size - flight->done);
        uint8_t *bytes = flight->bytes + flight->done;

        if (length > in_page)
            length = (uint8_t)in_page;
        enum piece piece = move_piece(vp, gpa, bytes, length, write);

        if (piece == PIECE_DENIED)
            return refuse_access(vp_exit, gpa, length, write ? VMR_FAULT_WRITE : 0);
        if (piece == PIECE_MMIO) {
            flight->part = length;
            begin_exit(vp_exit, VMR_EXIT_MMIO);
            vp_exit->u.mmio = (struct vmr_exit_mmio){
                .gpa = gpa, .size = length, .direction = write, .value = write ? load_le(bytes, length) : 0};
            return STEP_EXIT;
        }
        flight->done = (uint8_t)(flight->done + length);
    }
    flight->done = 0;
    return STEP_DONE;
}

enum step_result guest_load(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, vmr_gpa gpa,
                            uint8_t size)
{
    if (flight->done == 0 && flight->part == 0)
        memset(flight->bytes, 0, sizeof(flight->bytes));
    return move(vp, flight, vp_exit, gpa, size, false);
}

enum step_result guest_store(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, vmr_gpa gpa,
                             uint8_t size, uint64_t value)
{
    if (flight->done == 0 && flight->part == 0)
        store_le(flight->bytes, 8, value);
    return move(vp, flight, vp_exit, gpa, size, true);
}

/* --- string I/O --- */

/* An item may lie across two pages. */
static bool move_item(struct vmr_backend_vp *vp, vmr_gpa gpa, uint8_t *bytes, uint8_t size, bool to_memory)
{
    uint64_t in_page = VMR_PAGE_SIZE - gpa % VMR_PAGE_SIZE;
    uint8_t first = in_page < size ? (uint8_t)in_page : size;
    struct map *map = &vp->vm->map;

    if (to_memory)
        return map_write(map, gpa, bytes, first) &&
               (first == size || map_write(map, gpa + first, bytes + first, size - first));
    return map_read(map, gpa, bytes, first) &&
           (first == size || map_read(map, gpa + first, bytes + first, size - first));
}

static bool move_items(struct vmr_backend_vp *vp, const struct flight *flight, const struct vmr_step *step, bool in)
{
    for (uint32_t i = 0; i < flight->items_sent; i++) {
        uint64_t offset = (uint64_t)(flight->items + i) * step->size;
        vmr_gpa gpa = step->backward ? step->value - offset : step->value + offset;

        if (!move_item(vp, gpa, vp->string_bytes + (size_t)i * step->size, step->size, in))
            return false;
    }
    return true;
}

/* String I/O from or to what is no RAM: no hypervisor emulates it alike, so none of ours does. */
static enum step_result no_memory(const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL};
    vp_exit->u.fail.cause = VMR_FAIL_EMULATION;
    vp_exit->u.fail.code = step->value;
    return STEP_LEAVE;
}

/* The first byte of the next items that the VTL may not touch. */
static bool find_denied(struct vmr_backend_vp *vp, const struct flight *flight, const struct vmr_step *step, bool in,
                        vmr_gpa *ret_gpa)
{
    uint8_t access = in ? HV_MAP_GPA_WRITABLE : HV_MAP_GPA_READABLE;

    for (uint32_t i = 0; vm_has_vtls(vp->vm) && i < flight->items_sent; i++) {
        uint64_t offset = (uint64_t)(flight->items + i) * step->size;
        vmr_gpa gpa = step->backward ? step->value - offset : step->value + offset;
        vmr_gpa last = gpa + step->size - 1u;

        *ret_gpa = guest_may(vp, gpa, access) ? last : gpa;
        if (!guest_may(vp, *ret_gpa, access))
            return true;
    }
    return false;
}

static void exit_string(struct vmr_backend_vp *vp, const struct flight *flight, const struct vmr_step *step,
                        struct vmr_exit *vp_exit, enum vmr_direction direction)
{
    exit_port(vp_exit, (uint16_t)step->address, step->size, direction, 0);
    vp_exit->u.io.count = flight->items_sent;
    if (flight->items_sent == 1 && vp->vm->profile->single_item_is_plain) {
        if (direction == VMR_WRITE)
            vp_exit->u.io.value = load_le(vp->string_bytes, step->size);
        return;
    }
    vp_exit->u.io.string = true;
    vp_exit->u.io.bytes = vp->string_bytes;
}

/* The answer to the last exit of an INS. */
static bool take_items(struct vmr_backend_vp *vp, const struct flight *flight, const struct vmr_step *step,
                       const struct vmr_exit *vp_exit)
{
    if (!vp_exit->u.io.string)
        store_le(vp->string_bytes, step->size, vp_exit->u.io.value);
    return move_items(vp, flight, step, true);
}

enum step_result guest_string(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                              const struct vmr_step *step)
{
    bool in = step->op == VMR_STEP_INS;
    uint32_t most = in ? vp->vm->profile->ins_items : vp->vm->profile->outs_items;

    if (flight->sent) {
        flight->sent = false;
        if (in && !take_items(vp, flight, step, vp_exit))
            return no_memory(step, vp_exit);
        flight->items += flight->items_sent;
        /* Between two exits the instruction can be interrupted, as between two of its iterations. */
        return flight->items < step->count ? STEP_AGAIN : STEP_DONE;
    }
    if (step->count == 0)
        return STEP_DONE;
    /* Each item is a write of its own, and one of them may be a doorbell's. */
    if (!in && events_have_bells(&vp->vm->events))
        most = 1;
    if (most > VMR_STRING_IO_BYTES_MAX / step->size)
        most = VMR_STRING_IO_BYTES_MAX / step->size;
    flight->items_sent = step->count - flight->items < most ? step->count - flight->items : most;
    vmr_gpa denied;

    /* Before anything is out: what a device has given cannot be asked for again. */
    if (find_denied(vp, flight, step, in, &denied))
        return refuse_access(vp_exit, denied, 1, in ? VMR_FAULT_WRITE : 0);
    vp->pass = false;
    if (in)
        memset(vp->string_bytes, 0, (size_t)flight->items_sent * step->size);
    else if (!move_items(vp, flight, step, false))
        return no_memory(step, vp_exit);
    if (!in && rings_port(vp, (uint16_t)step->address, step->size, load_le(vp->string_bytes, step->size))) {
        flight->items++;
        return flight->items < step->count ? STEP_AGAIN : STEP_DONE;
    }
    flight->sent = true;
    exit_string(vp, flight, step, vp_exit, in ? VMR_READ : VMR_WRITE);
    return STEP_EXIT;
}
