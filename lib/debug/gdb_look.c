/* SPDX-License-Identifier: MIT */
/*
 * Looking into the selected VP, and changing what is there: registers by calls
 * to its thread, memory as its page tables show it.
 */

#include "lib/debug/gdb.h"

#include "lib/base/text.h"
#include "lib/debug/registers.h"
#include "lib/debug/virtual.h"

/* --- registers --- */

static enum vmr_status get_regs(void *regs, struct vmr_vp *vp)
{
    return vmr_vp_get_regs(vp, regs);
}

static enum vmr_status set_regs(void *regs, struct vmr_vp *vp)
{
    return vmr_vp_set_regs(vp, regs);
}

enum vmr_status gdb_get_regs(struct vmr_gdb *gdb, struct vmr_x86_regs *ret_regs)
{
    return vmr_vp_set_call(gdb->options.set, gdb->vp, get_regs, ret_regs);
}

enum vmr_status gdb_set_regs(struct vmr_gdb *gdb, const struct vmr_x86_regs *regs)
{
    struct vmr_x86_regs copy = *regs;

    return vmr_vp_set_call(gdb->options.set, gdb->vp, set_regs, &copy);
}

/* False: an error is left. */
static bool look(struct vmr_gdb *gdb, struct vmr_x86_regs *ret_regs)
{
    enum vmr_status status = gdb_get_regs(gdb, ret_regs);

    if (status)
        gdb_error(gdb, GDB_E_REFUSED);
    return status == VMR_OK;
}

static void change(struct vmr_gdb *gdb, const struct vmr_x86_regs *regs)
{
    if (gdb_set_regs(gdb, regs) == VMR_OK)
        gdb_ok(gdb);
    else
        gdb_error(gdb, GDB_E_REFUSED);
}

void gdb_read_registers(struct vmr_gdb *gdb, struct request *request)
{
    struct vmr_x86_regs regs;

    (void)request;
    if (look(gdb, &regs))
        registers_get_all(&regs, &gdb->out);
}

void gdb_write_registers(struct vmr_gdb *gdb, struct request *request)
{
    struct vmr_x86_regs regs;

    if (!look(gdb, &regs))
        return;
    if (registers_set_all(&regs, request->at, request->left))
        change(gdb, &regs);
    else
        gdb_error(gdb, GDB_E_WORDS);
}

void gdb_read_register(struct vmr_gdb *gdb, struct request *request)
{
    struct vmr_x86_regs regs;
    uint64_t number;

    if (!request_number(request, &number) || !request_is_over(request))
        gdb_error(gdb, GDB_E_WORDS);
    else if (look(gdb, &regs) && !registers_get(&regs, number, &gdb->out))
        gdb_error(gdb, GDB_E_WORDS);
}

void gdb_write_register(struct vmr_gdb *gdb, struct request *request)
{
    struct vmr_x86_regs regs;
    uint64_t number;

    if (!request_number(request, &number) || !request_word(request, "="))
        gdb_error(gdb, GDB_E_WORDS);
    else if (!look(gdb, &regs))
        return;
    else if (registers_set(&regs, number, request->at, request->left))
        change(gdb, &regs);
    else
        gdb_error(gdb, GDB_E_WORDS);
}

/* --- memory --- */

static struct virtual_memory memory_of(struct vmr_gdb *gdb, const struct vmr_x86_regs *regs)
{
    return (struct virtual_memory){.memory = vmr_partition_memory(gdb->partition),
                                   .regs = regs,
                                   .physical_bits = vmr_partition_caps(gdb->partition)->physical_bits};
}

/* "address,length" */
static bool take_range(struct request *request, uint64_t *ret_address, uint64_t *ret_length)
{
    return request_number(request, ret_address) && request_word(request, ",") && request_number(request, ret_length);
}

void gdb_read_memory(struct vmr_gdb *gdb, struct request *request)
{
    uint8_t bytes[VMR_GDB_PACKET_MAX / 2];
    struct vmr_x86_regs regs;
    uint64_t address, length;

    if (!take_range(request, &address, &length) || !request_is_over(request)) {
        gdb_error(gdb, GDB_E_WORDS);
        return;
    }
    if (!look(gdb, &regs))
        return;
    const struct virtual_memory memory = memory_of(gdb, &regs);
    size_t wanted = length < sizeof(bytes) ? (size_t)length : sizeof(bytes);
    size_t count = virtual_read(&memory, address, bytes, wanted);

    if (count == 0 && wanted > 0)
        gdb_error(gdb, GDB_E_MEMORY);
    else
        reply_bytes(&gdb->out, bytes, count); /* fewer than wanted is an answer, too */
}

static void write_memory(struct vmr_gdb *gdb, uint64_t address, const uint8_t *bytes, size_t length)
{
    struct vmr_x86_regs regs;

    if (!look(gdb, &regs))
        return;
    const struct virtual_memory memory = memory_of(gdb, &regs);

    if (virtual_write(&memory, address, bytes, length))
        gdb_ok(gdb);
    else
        gdb_error(gdb, GDB_E_MEMORY);
}

void gdb_write_memory(struct vmr_gdb *gdb, struct request *request)
{
    uint8_t bytes[VMR_GDB_PACKET_MAX / 2];
    uint64_t address, length;

    if (take_range(request, &address, &length) && request_word(request, ":") && request->left == 2 * length &&
        length <= sizeof(bytes) && (length == 0 || text_parse_hex(request->at, request->left, bytes, sizeof(bytes))))
        write_memory(gdb, address, bytes, (size_t)length);
    else
        gdb_error(gdb, GDB_E_WORDS);
}

void gdb_write_binary(struct vmr_gdb *gdb, struct request *request)
{
    uint64_t address, length;

    if (take_range(request, &address, &length) && request_word(request, ":") && request->left == length)
        write_memory(gdb, address, (const uint8_t *)request->at, request->left);
    else
        gdb_error(gdb, GDB_E_WORDS);
}

/* --- breakpoints --- */

/*
 * "kind,address,length". False: a reply is left. GDB takes the empty reply for "there is none of this kind", and
 * would then write software breakpoints into memory by itself, where the guest runs into them: these get an error.
 */
static bool take_point(struct vmr_gdb *gdb, struct request *request, struct point *ret_point)
{
    uint64_t kind, address, length;

    if (!request_number(request, &kind) || !request_word(request, ",") || !take_range(request, &address, &length) ||
        !request_is_over(request) || length > UINT8_MAX) {
        gdb_error(gdb, GDB_E_WORDS);
        return false;
    }
    bool can = vmr_caps_have(vmr_partition_caps(gdb->partition), VMR_CAP_HW_BREAKPOINT) && kind != POINT_READ;

    if (!can && kind == POINT_SOFTWARE)
        gdb_error(gdb, GDB_E_CANNOT);
    if (!can || kind >= POINT_KIND_COUNT)
        return false;
    *ret_point = (struct point){.kind = (uint8_t)kind, .length = (uint8_t)length, .address = address};
    return true;
}

void gdb_add_point(struct vmr_gdb *gdb, struct request *request)
{
    struct point point;

    if (!take_point(gdb, request, &point))
        return;
    if (!point_is_possible(&point))
        gdb_error(gdb, GDB_E_WORDS);
    else if (!points_add(&gdb->points, &point))
        gdb_error(gdb, GDB_E_FULL);
    else
        gdb_ok(gdb);
}

void gdb_remove_point(struct vmr_gdb *gdb, struct request *request)
{
    struct point point;

    if (!take_point(gdb, request, &point))
        return;
    points_remove(&gdb->points, &point);
    gdb_ok(gdb);
}
