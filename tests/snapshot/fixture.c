/* SPDX-License-Identifier: MIT */
/* The two VMs, and snapshots that are changed by hand: see fixture.h. */

#include "tests/snapshot/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/snapshot/format.h"
#include "lib/base/reader.h"

/* --- devices --- */

static const struct vmr_state_field toy_fields[] = {
    VMR_STATE_FIELD(struct toy_state, value, "value", VMR_FIELD_DECIMAL),
    {.name = "moving",
     .offset = offsetof(struct toy_state, moving),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_TIME,
     .moves = true},
};
static const struct vmr_state_type toy_type = {
    .name = "toy", .version = 1, .size = sizeof(struct toy_state), .field_count = 2, .fields = toy_fields};

static enum vmr_status toy_get(void *object, void *ret_value, struct vmr_error *err)
{
    const struct toy *toy = object;

    (void)err;
    memcpy(ret_value, &toy->state, sizeof(toy->state));
    return VMR_OK;
}

static enum vmr_status toy_set(void *object, const void *value, struct vmr_error *err)
{
    struct toy *toy = object;

    if (toy->refuses)
        return vmr_error_set(err, VMR_E_CONFIG, "toy: value is not to its taste");
    memcpy(&toy->state, value, sizeof(toy->state));
    return VMR_OK;
}

static void toy_at_reset(const void *object, void *ret_value)
{
    (void)object;
    memset(ret_value, 0, sizeof(struct toy_state));
}

/* --- the VM --- */

static enum vmr_status call_vp(void *context, vmr_vp_index vp,
                               enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    struct vm *vm = context;

    if (vm->call_fails_at > 0 && --vm->call_fails_at == 0)
        return VMR_E_HOST;
    return function(argument, vm->vps[vp]);
}

static uint64_t now(void *context)
{
    return ((const struct vm *)context)->now_ns;
}

static void drop_line(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    (void)context;
    (void)level;
    (void)culprit;
    (void)message;
}

static void add_region(struct vm *vm, vmr_gpa gpa, uint64_t size)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size};

    CHECK_OK(vmr_memory_region_add(vm->memory, &region, NULL));
}

void vm_init(struct vm *vm)
{
    struct vmr_backend_set backends;
    struct vmr_proto *proto = NULL;

    *vm = (struct vm){0};
    vmr_host_posix(&vm->host, NULL);
    vm->ops = *vm->host.ops;
    vm->ops.now_ns = now;
    vm->ops.log = drop_line;
    vm->host.ops = &vm->ops;
    vm->host.context = vm;
    vmr_backend_set_init(&backends);
    CHECK_OK(vmr_probe_named(&backends, "mock", &vm->handle, NULL));
    CHECK_OK(vmr_memory_create(&vm->host, &vm->memory, NULL));
    add_region(vm, 0, LOW_BYTES);
    add_region(vm, HIGH_GPA, HIGH_BYTES);
    const struct vmr_proto_options options = {.host = &vm->host, .vp_count = VM_VPS};
    const struct vmr_partition_options partition = {.memory = vm->memory};

    CHECK_OK(vmr_proto_create(&vm->handle, &options, &proto, NULL));
    CHECK_OK(vmr_proto_build(&proto, &partition, &vm->partition, NULL));
    for (vmr_vp_index i = 0; i < VM_VPS; i++)
        CHECK_OK(vmr_partition_bind(vm->partition, i, &vm->vps[i], NULL));
    for (uint32_t i = 0; i < 2; i++)
        vm->units[i] = (struct vmr_state_unit){.type = &toy_type,
                                               .object = &vm->toys[i],
                                               .instance = i,
                                               .get = toy_get,
                                               .set = toy_set,
                                               .at_reset = toy_at_reset};
    vm->parts = (struct vmr_snapshot_parts){
        .partition = vm->partition, .call = call_vp, .context = vm, .units = vm->units, .unit_count = 2};
}

void vm_finish(struct vm *vm)
{
    for (vmr_vp_index i = 0; i < VM_VPS; i++)
        vmr_vp_unbind(vm->vps[i]);
    CHECK_OK(vmr_partition_destroy(vm->partition));
    vmr_memory_destroy(vm->memory);
    vmr_handle_close(&vm->handle);
}

void vm_fill(struct vm *vm)
{
    static const vmr_gpa places[] = {0, 0x3000, LOW_BYTES - 8, HIGH_GPA + 0x1000, HIGH_GPA + HIGH_BYTES - 8};

    for (vmr_vp_index i = 0; i < VM_VPS; i++) {
        struct vmr_x86_regs regs;

        CHECK_OK(vmr_vp_get_regs(vm->vps[i], &regs));
        regs.gpr[VMR_X86_RBX] = 0x1000 + i;
        CHECK_OK(vmr_vp_set_regs(vm->vps[i], &regs));
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        CHECK_OK(vmr_memory_write(vm->memory, places[i], "snapshot", 8));
    vm->toys[0].state = (struct toy_state){.value = 17, .moving = 1};
    vm->toys[1].state = (struct toy_state){.value = 18, .moving = 2};
}

/* --- bytes --- */

static enum vmr_status keep(void *context, const void *data, size_t length, struct vmr_error *err)
{
    struct bytes *bytes = context;

    if (bytes->fails_at > 0 && bytes->length + length >= bytes->fails_at)
        return vmr_error_set(err, VMR_E_HOST, "no room");
    if (bytes->length + length > bytes->capacity) {
        bytes->capacity = (bytes->length + length) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert_non_null(bytes->data);
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return VMR_OK;
}

void bytes_finish(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

enum vmr_status vm_save_to(struct vm *vm, uint64_t parent, struct bytes *bytes, uint64_t *ret_id, struct vmr_error *err)
{
    static const struct vmr_snapshot_blob blob = {.name = "hello", .bytes = "world", .length = 5};
    const struct vmr_snapshot_save_options options = {.blobs = &blob, .blob_count = 1, .parent_id = parent};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = bytes};

    return vmr_snapshot_save(&vm->parts, &options, &sink, ret_id, err);
}

void vm_save(struct vm *vm, uint64_t parent, struct bytes *ret_bytes, uint64_t *ret_id)
{
    struct vmr_error err = {0};

    *ret_bytes = (struct bytes){0};
    if (vm_save_to(vm, parent, ret_bytes, ret_id, &err))
        fail_msg("%s", err.message);
}

struct vmr_snapshot *snapshot_of(const struct bytes *bytes)
{
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot = NULL;
    struct vmr_error err = {0};

    vmr_snapshot_source_memory(bytes->data, bytes->length, &source);
    if (vmr_snapshot_open(&source, &snapshot, &err))
        fail_msg("%s", err.message);
    return snapshot;
}

void vm_restore(struct vm *vm, const struct bytes *bytes)
{
    struct vmr_snapshot *snapshot = snapshot_of(bytes);
    struct vmr_error err = {0};

    if (vmr_snapshot_restore(&vm->parts, &snapshot, 1, NULL, &err))
        fail_msg("%s", err.message);
    vmr_snapshot_close(snapshot);
}

/* --- by hand --- */

size_t section_at(const struct bytes *bytes, size_t n)
{
    size_t at = SNAPSHOT_HEADER_BYTES;

    while (n-- > 0 && at < bytes->length)
        at += SECTION_HEADER_BYTES + (size_t)load_le64(bytes->data + at + 8);
    return at;
}

void reseal(struct bytes *bytes)
{
    struct snapshot_header header = {.major = load_le16(bytes->data + 8),
                                     .minor = load_le16(bytes->data + 10),
                                     .parent_id = load_le64(bytes->data + 16)};
    struct section_hash *hash = section_hash_create();
    uint64_t id = header.parent_id, count = 0;

    snapshot_header_encode(&header, bytes->data);
    for (size_t at = SNAPSHOT_HEADER_BYTES; at < bytes->length; count++) {
        struct section_header section;

        section_header_decode(bytes->data + at, &section);
        if (section.kind == SECTION_END) {
            store_le64(bytes->data + at + SECTION_HEADER_BYTES, id);
            store_le64(bytes->data + at + SECTION_HEADER_BYTES + 8, count);
        }
        section_hash_begin(hash, &section);
        section_hash_add(hash, bytes->data + at + SECTION_HEADER_BYTES, (size_t)section.length);
        section.hash = section_hash_end(hash);
        section_header_encode(&section, bytes->data + at);
        id = snapshot_id_next(id, &section);
        at += SECTION_HEADER_BYTES + (size_t)section.length;
    }
    section_hash_destroy(hash);
}
