/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A stub over a VP set of the mock's, on real threads, and what it sent. RAM is
 * two MiB at 0; programs see it where it is, by tables in its first pages.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "lib/debug/gdb.h"
#include "vmrig/mock.h"

#define RIG_VPS 2u
#define RIG_RAM UINT64_C(0x200000)
#define RIG_SENT_MAX 16384u
/* Where a VP stands at step n of its program. */
#define STEP(n) (VMR_MOCK_STEP_BASE + VMR_MOCK_STEP_BYTES * (uint64_t)(n))

struct rig {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_partition *partition;
    struct vmr_vp_io io;
    struct vmr_vp_set *set;
    struct vmr_gdb *gdb;
    size_t sent_length;
    char sent[RIG_SENT_MAX + 1];
};

static inline void rig_send(void *context, const uint8_t *bytes, size_t length)
{
    struct rig *rig = context;

    assert_true(length <= RIG_SENT_MAX - rig->sent_length);
    memcpy(rig->sent + rig->sent_length, bytes, length);
    rig->sent_length += length;
    rig->sent[rig->sent_length] = '\0';
}

/* A program's end is the guest's. */
static inline enum vmr_exit_action rig_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                            enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp;
    if (vp_exit->kind != VMR_EXIT_IO || vp_exit->u.io.port != VMR_PROGRAM_PORT_END)
        return VMR_EXIT_DEFAULT;
    *ret_reason = VMR_HALT_POWER_OFF;
    return VMR_EXIT_HALT_VP;
}

static inline void rig_tables(struct rig *rig)
{
    uint8_t entry[8];

    store_le64(entry, 0x1003);
    assert_int_equal(vmr_memory_write(rig->memory, 0, entry, sizeof(entry)), VMR_OK);
    store_le64(entry, 0x83);
    assert_int_equal(vmr_memory_write(rig->memory, 0x1000, entry, sizeof(entry)), VMR_OK);
}

/* VP i is about to run programs[i], on `backend`: the mock, or the mock with another table. */
static inline void rig_init_on(struct rig *rig, const struct vmr_program *const programs[RIG_VPS],
                               const struct vmr_backend *backend)
{
    const struct vmr_memory_region ram = {.size = RIG_RAM};
    const struct vmr_backend_set backends = {.count = 1, .backends = {backend}};
    struct vmr_proto *proto;

    memset(rig, 0, sizeof(*rig));
    vmr_host_posix(&rig->host, NULL);
    assert_int_equal(vmr_probe_named(&backends, backend->name, &rig->handle, NULL), VMR_OK);
    assert_int_equal(vmr_memory_create(&rig->host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &ram, NULL), VMR_OK);
    rig_tables(rig);
    const struct vmr_proto_options proto_options = {.host = &rig->host, .vp_count = RIG_VPS};
    const struct vmr_partition_options options = {.memory = rig->memory};

    assert_int_equal(vmr_proto_create(&rig->handle, &proto_options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &options, &rig->partition, NULL), VMR_OK);
    for (vmr_vp_index vp = 0; vp < RIG_VPS && programs; vp++)
        assert_int_equal(vmr_mock_load_program(vmr_mock_of(rig->partition), vp, programs[vp], NULL), VMR_OK);
    rig->io.exit = rig_exit;
    const struct vmr_vp_set_options set_options = {.io = &rig->io};

    assert_int_equal(vmr_vp_set_create(rig->partition, &set_options, &rig->set, NULL), VMR_OK);
    const struct vmr_gdb_options gdb_options = {.set = rig->set, .send = rig_send, .context = rig};

    assert_int_equal(vmr_gdb_create(&gdb_options, &rig->gdb, NULL), VMR_OK);
}

static inline void rig_init(struct rig *rig, const struct vmr_program *const programs[RIG_VPS])
{
    rig_init_on(rig, programs, vmr_mock_backend());
}

static inline void rig_finish(struct rig *rig)
{
    vmr_gdb_destroy(rig->gdb);
    vmr_vp_set_destroy(rig->set);
    assert_int_equal(vmr_partition_destroy(rig->partition), VMR_OK);
    vmr_memory_destroy(rig->memory);
    vmr_handle_close(&rig->handle);
}

/* The frame around a payload, which holds nothing to be escaped. */
static inline size_t rig_frame(char *ret_frame, size_t size, const char *payload, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + (uint8_t)payload[i]);
    assert_true(length + 5 <= size);
    ret_frame[0] = '$';
    memcpy(ret_frame + 1, payload, length);
    (void)snprintf(ret_frame + 1 + length, 4, "#%02x", sum);
    return length + 4;
}

/* Gives bytes to the stub, whose answer is then in rig->sent. */
static inline enum vmr_gdb_state rig_give(struct rig *rig, const char *bytes, size_t length)
{
    rig->sent_length = 0;
    rig->sent[0] = '\0';
    return vmr_gdb_receive(rig->gdb, (const uint8_t *)bytes, length);
}

/* Gives a packet. */
static inline enum vmr_gdb_state rig_ask(struct rig *rig, const char *payload)
{
    char frame[VMR_GDB_PACKET_MAX + 5];

    return rig_give(rig, frame, rig_frame(frame, sizeof(frame), payload, strlen(payload)));
}

/* What was sent is `before` and one packet with this payload. */
static inline void rig_must_have_sent(const struct rig *rig, const char *before, const char *payload)
{
    char expected[VMR_GDB_PACKET_MAX + 8];
    size_t length = strlen(before);

    memcpy(expected, before, length);
    (void)rig_frame(expected + length, sizeof(expected) - length, payload, strlen(payload));
    assert_string_equal(rig->sent, expected);
}

/* A packet that is answered at once, by exactly this. */
static inline void rig_exchange(struct rig *rig, const char *payload, const char *answer)
{
    enum vmr_gdb_state state = rig_ask(rig, payload);

    assert_int_not_equal(state, VMR_GDB_RUNNING);
    rig_must_have_sent(rig, "+", answer);
}

/* A packet that lets VPs run, until one halts: the answer is why. */
static inline void rig_run(struct rig *rig, const char *payload, const char *answer)
{
    struct vmr_vp_set_halt halt;

    assert_int_equal(rig_ask(rig, payload), VMR_GDB_RUNNING);
    assert_string_equal(rig->sent, "+");
    rig->sent_length = 0;
    assert_int_equal(vmr_vp_set_wait(rig->set, VMR_NEVER, &halt), VMR_OK);
    assert_int_not_equal(vmr_gdb_halted(rig->gdb, &halt), VMR_GDB_RUNNING);
    rig_must_have_sent(rig, "", answer);
}

static inline enum vmr_status rig_copy_regs(void *regs, struct vmr_vp *vp)
{
    return vmr_vp_get_regs(vp, regs);
}

static inline struct vmr_x86_regs rig_regs(struct rig *rig, vmr_vp_index vp)
{
    struct vmr_x86_regs regs;

    assert_int_equal(vmr_vp_set_call(rig->set, vp, rig_copy_regs, &regs), VMR_OK);
    return regs;
}
