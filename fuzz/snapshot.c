/* SPDX-License-Identifier: MIT */
/*
 * Files that claim to be snapshots: bytes as they are, or a real snapshot, full
 * or with its parent, of which sections were changed, added, moved and dropped,
 * sealed again so that its hashes fit. It is opened, looked at in every way, and
 * restored into another VM. What is refused in time changes nothing; what fails
 * later leaves a VM that does not run until it is reset, and then is as good as
 * any; what is taken is saved to what is taken again, and is the same.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/snapshot/edit.h"
#include "fuzz/support/mock_rig.h"
#include "vmrig/device_state.h"
#include "vmrig/snapshot.h"

#define VPS 2u
#define RAM_BYTES VMR_PROGRAM_DATA
#define UNITS_MAX 16u
#define EDITS_MAX 24u
#define FILE_BYTES_MAX (4u * 1024 * 1024)

/* --- a VM --- */

struct vm {
    struct mock_rig rig;
    struct vmr_vm_clock *clock;
    struct vmr_state_unit units[UNITS_MAX];
    struct vmr_snapshot_parts parts;
};

/* What VMs are alike in. */
struct kind {
    unsigned profile;
    bool devices, hv, vtl2, clock;
};

static enum vmr_status call_vp(void *context, vmr_vp_index vp,
                               enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    const struct vm *vm = context;

    FUZZ_CHECK(vp < VPS);
    return function(argument, vm->rig.vps[vp]);
}

/* A timer that ticks, a byte to send, words in RAM, then waiting. */
static void load(struct vm *vm)
{
    static const struct vmr_step steps[] = {
        {.op = VMR_STEP_STORE, .size = 8, .address = 0x1000, .value = 0x1122334455667788},
        {.op = VMR_STEP_OUT, .size = 1, .address = 0x20, .value = 0x11},
        {.op = VMR_STEP_OUT, .size = 1, .address = 0x43, .value = 0x34},
        {.op = VMR_STEP_OUT, .size = 1, .address = 0x40, .value = 0x10},
        {.op = VMR_STEP_OUT, .size = 1, .address = 0x40, .value = 0x10},
        {.op = VMR_STEP_OUT, .size = 1, .address = 0x3f8, .value = 'v'},
        {.op = VMR_STEP_STORE, .size = 4, .address = VMR_LAPIC_GPA + 0xf0, .value = 0x1ff},
        {.op = VMR_STEP_STORE, .size = 4, .address = VMR_LAPIC_GPA + 0x320, .value = 0x20030},
        {.op = VMR_STEP_STORE, .size = 4, .address = VMR_LAPIC_GPA + 0x380, .value = 0x100},
        {.op = VMR_STEP_STORE, .size = 8, .address = 0xffff8, .value = 1},
        {.op = VMR_STEP_STI},
        {.op = VMR_STEP_HLT},
        {.op = VMR_STEP_STORE, .size = 8, .address = 0x1000, .value = 0},
        {.op = VMR_STEP_JUMP, .target = 10},
    };
    static const struct vmr_program program = {
        .name = "saved", .steps = steps, .count = sizeof(steps) / sizeof(steps[0]), .eoi = VMR_EOI_XAPIC};

    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        FUZZ_CHECK(vmr_mock_load_program(vm->rig.mock, vp, &program, NULL) == VMR_OK);
}

static void vm_init(struct vm *vm, const struct kind *kind)
{
    static const char *const specs[] = {"mock", "mock:profile=whp-like", "mock:profile=kvm-like",
                                        "mock:profile=hvf-like", "mock:profile=mshv-like"};
    const struct vmr_hv_vtl2_config vtl2 = {0};
    const struct vmr_hv_config hv = {
        .tsc_hz = UINT64_C(3000000000), .apic_hz = 1000000000, .vtl2 = kind->vtl2 ? &vtl2 : NULL};
    size_t count = 0;

    *vm = (struct vm){0};
    mock_rig_init(&vm->rig, specs[kind->profile], VPS, RAM_BYTES, kind->hv ? &hv : NULL);
    if (kind->devices) {
        mock_rig_attach(&vm->rig);
        count = vm->rig.chip ? vmr_irqchip_state_units(vm->rig.chip, vm->units, UNITS_MAX) : 0;
        count += vmr_platform_state_units(vm->rig.platform, &vm->units[count], UNITS_MAX - count);
        FUZZ_CHECK(count <= UNITS_MAX);
    }
    load(vm);
    mock_rig_bind(&vm->rig);
    if (kind->clock)
        FUZZ_CHECK(vmr_vm_clock_create(&vm->rig.lone.host, &vm->clock, NULL) == VMR_OK);
    vm->parts = (struct vmr_snapshot_parts){.partition = vm->rig.partition,
                                            .call = call_vp,
                                            .context = vm,
                                            .units = vm->units,
                                            .unit_count = count,
                                            .clock = vm->clock};
}

static void vm_finish(struct vm *vm)
{
    mock_rig_finish(&vm->rig);
    vmr_vm_clock_destroy(vm->clock);
}

/* What the guest does, and what it leaves in memory. */
static void run(struct vm *vm, unsigned turns)
{
    for (unsigned turn = 0; turn < turns; turn++)
        (void)mock_rig_run(&vm->rig, turn % VPS);
}

static enum vmr_status keep(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    (void)err;
    FUZZ_CHECK(bytes_append(context, bytes, length));
    return VMR_OK;
}

static uint64_t save(struct vm *vm, uint64_t parent_id, struct bytes *ret_file)
{
    static const struct vmr_snapshot_blob blob = {.name = "own", .bytes = "bytes", .length = 5};
    const struct vmr_snapshot_save_options options = {.blobs = &blob, .blob_count = 1, .parent_id = parent_id};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = ret_file};
    uint64_t id = 0;

    *ret_file = (struct bytes){.limit = FILE_BYTES_MAX};
    FUZZ_CHECK(vmr_snapshot_save(&vm->parts, &options, &sink, &id, NULL) == VMR_OK);
    FUZZ_CHECK(id != 0);
    return id;
}

static uint64_t id_of(struct vm *vm)
{
    struct bytes file;
    uint64_t id = save(vm, 0, &file);

    bytes_finish(&file);
    return id;
}

/* --- looking at it --- */

static enum vmr_status open_file(const struct bytes *file, struct vmr_snapshot **ret_snapshot)
{
    struct vmr_snapshot_source source;
    struct vmr_error err = {0};

    *ret_snapshot = NULL;
    vmr_snapshot_source_memory(file->at, file->length, &source);
    enum vmr_status status = vmr_snapshot_open(&source, ret_snapshot, &err);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_CORRUPT || status == VMR_E_UNSUPPORTED);
    FUZZ_CHECK((status == VMR_OK) == (*ret_snapshot != NULL));
    FUZZ_CHECK(status == VMR_OK || strncmp(err.message, "snapshot: ", 10) == 0);
    return status;
}

static void see_text(void *context, const char *text, size_t length)
{
    size_t *seen = context;

    FUZZ_CHECK(!memchr(text, '\0', length));
    *seen += length;
}

static enum vmr_status see_state(void *context, const struct vmr_snapshot_state *state)
{
    uint64_t *seen = context;

    FUZZ_CHECK(state->scope < VMR_SNAPSHOT_SCOPE_COUNT && state->value);
    FUZZ_CHECK(vmr_state_equal(state->type, state->value, state->value, true, NULL));
    ++*seen;
    return VMR_OK;
}

static void see_difference(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                           const struct vmr_state_difference *difference)
{
    (void)context;
    FUZZ_CHECK(left || right);
    FUZZ_CHECK(!difference || difference->left != difference->right);
}

static void see_page(void *context, vmr_gpa gpa)
{
    (void)context;
    FUZZ_CHECK(gpa % VMR_PAGE_SIZE == 0);
}

static const struct vmr_snapshot_differences see_differences = {.state = see_difference, .page = see_page};

static void print(const struct vmr_snapshot *snapshot, enum vmr_state_format format)
{
    size_t seen = 0;
    const struct vmr_text_sink sink = {.write = see_text, .context = &seen};

    FUZZ_ANY(vmr_snapshot_print(snapshot, format, &sink, NULL));
}

static void compare(const struct vmr_snapshot *left, const struct vmr_snapshot *right)
{
    uint64_t count = 0;
    enum vmr_status status = vmr_snapshot_compare(left, right, true, &see_differences, &count, NULL);

    FUZZ_ANY(status);
    FUZZ_CHECK(status != VMR_OK || left != right || count == 0);
}

static void visit(const struct vmr_snapshot *snapshot)
{
    struct vmr_snapshot_info info;
    uint64_t seen = 0;

    vmr_snapshot_get_info(snapshot, &info);
    FUZZ_ANY(vmr_snapshot_visit(snapshot, see_state, &seen, NULL));
    FUZZ_CHECK(seen <= info.state_count);
}

/* All ways at once would take most of the time. */
static void look(const struct vmr_snapshot *snapshot, const struct vmr_snapshot *real, unsigned way)
{
    struct vmr_snapshot_info info;
    struct vmr_snapshot_blob blob;

    vmr_snapshot_get_info(snapshot, &info);
    FUZZ_CHECK(info.vp_count > 0 && info.page_count <= info.memory_size / VMR_PAGE_SIZE);
    if (vmr_snapshot_find_blob(snapshot, "own", &blob))
        FUZZ_CHECK(strcmp(blob.name, "own") == 0 && blob.length <= VMR_SNAPSHOT_BLOB_MAX);
    if (way == 1)
        print(snapshot, VMR_STATE_TEXT);
    else if (way == 2)
        print(snapshot, VMR_STATE_JSON);
    else if (way == 3)
        compare(snapshot, snapshot);
    else if (way == 4)
        compare(snapshot, real);
    else if (way == 5)
        visit(snapshot);
}

/* --- changing it --- */

/* The file becomes what the input makes of it. */
static void change_file(struct input *input, struct bytes *file)
{
    struct sections *sections = calloc(1, sizeof(*sections));

    FUZZ_CHECK(sections);
    sections_take(sections, file->at, file->length);
    bytes_finish(file);
    for (unsigned i = 0; i < EDITS_MAX && !input_is_empty(input) && sections->count > 0; i++)
        edit_section(input, sections);
    sections_seal(sections, file);
    sections_finish(sections);
    free(sections);
}

/* After sealing: a byte is another, or the end is missing. */
static void damage(struct bytes *file, uint64_t where, uint8_t form)
{
    size_t at = (size_t)(where % file->length);

    if (form == 0)
        file->length = at;
    else
        file->at[at] ^= form;
}

/* The file that is tried, in the place of `real`. */
static void make_file(struct input *input, const struct bytes *real, bool raw, bool damaged, struct bytes *ret_file)
{
    uint64_t where = damaged && !raw ? input_number(input) : 0;
    uint8_t form = damaged && !raw ? input_u8(input) : 0;
    const uint8_t *bytes = real->at;
    size_t length = real->length;

    if (raw)
        bytes = input_rest(input, &length);
    FUZZ_CHECK(bytes_append(ret_file, bytes, length));
    if (!raw || !damaged)
        change_file(input, ret_file);
    if (!raw && damaged)
        damage(ret_file, where, form);
}

/* --- restoring it --- */

struct chain {
    struct bytes files[2];
    struct vmr_snapshot *snapshots[2];
    size_t count;
    uint64_t id; /* of what the VM was */
};

static void see_skipped(void *context, const struct vmr_snapshot_state *state, const char *class_name)
{
    (void)context;
    FUZZ_CHECK(state->scope != VMR_SNAPSHOT_DEVICE && class_name[0] != '\0');
}

static const struct vmr_snapshot_restore_options elsewhere = {.other_hypervisor = true, .skipped = see_skipped};

static enum vmr_status restore(struct vm *vm, const struct chain *chain, bool other)
{
    struct vmr_error err = {0};
    enum vmr_status status =
        vmr_snapshot_restore(&vm->parts, chain->snapshots, chain->count, other ? &elsewhere : NULL, &err);

    FUZZ_ANY(status);
    FUZZ_CHECK(status == VMR_OK || err.message[0] != '\0');
    FUZZ_CHECK(status != VMR_OK || vmr_partition_is_usable(vm->rig.partition));
    return status;
}

/* Nothing runs and nothing is saved, but a reset makes a VM of it. */
static void recover(struct vm *vm)
{
    struct vmr_run_result result = {0};
    struct bytes file = {.limit = FILE_BYTES_MAX};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = &file};

    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        FUZZ_CHECK(vmr_vp_run(vm->rig.vps[vp], NULL, &vm->rig.io, &result) == VMR_E_STATE);
    FUZZ_CHECK(vmr_snapshot_save(&vm->parts, NULL, &sink, NULL, NULL) == VMR_E_STATE);
    FUZZ_CHECK(file.length == 0);
    FUZZ_CHECK(vmr_partition_reset(vm->rig.partition, NULL) == VMR_OK);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        FUZZ_CHECK(vmr_vp_reset(vm->rig.vps[vp], NULL) == VMR_OK);
    if (vm->rig.platform)
        vmr_platform_reset(vm->rig.platform);
    FUZZ_CHECK(vmr_partition_is_usable(vm->rig.partition));
    (void)id_of(vm);
}

static void inspect(struct vm *vm)
{
    size_t seen = 0;
    const struct vmr_text_sink sink = {.write = see_text, .context = &seen};

    FUZZ_CHECK(vmr_inspect(&vm->parts, VMR_STATE_JSON, &sink, NULL) == VMR_OK);
    FUZZ_CHECK(seen > 0);
}

/* What no snapshot has. */
static void leave_traces(struct vm *vm)
{
    FUZZ_CHECK(vmr_memory_fill(vm->rig.memory, RAM_BYTES / 2 + 8, 0x99, 2 * VMR_PAGE_SIZE) == VMR_OK);
}

/* What a VM is now is saved to what makes the same of another, whatever that was. */
static void settle(struct vm *vm, struct vm *another)
{
    struct chain saved = {.count = 1};

    saved.id = save(vm, 0, &saved.files[0]);
    FUZZ_CHECK(open_file(&saved.files[0], &saved.snapshots[0]) == VMR_OK);
    leave_traces(another);
    FUZZ_CHECK(restore(another, &saved, false) == VMR_OK);
    FUZZ_CHECK(id_of(another) == saved.id);
    vmr_snapshot_close(saved.snapshots[0]);
    bytes_finish(&saved.files[0]);
}

static void chain_finish(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        vmr_snapshot_close(chain->snapshots[i]);
        bytes_finish(&chain->files[i]);
    }
}

/* The chain, of files that may be anything; `good` is one that is whole. */
static void try_chain(struct vm *vm, struct vm *another, const struct chain *chain, const struct chain *good,
                      bool other)
{
    leave_traces(vm);
    uint64_t before = id_of(vm);
    enum vmr_status status = restore(vm, chain, other);

    if (status == VMR_OK) {
        inspect(vm);
        settle(vm, other ? vm : another);
        run(vm, VPS);
        return;
    }
    if (vmr_partition_is_usable(vm->rig.partition)) {
        FUZZ_CHECK(id_of(vm) == before);
        return;
    }
    recover(vm);
    FUZZ_CHECK(restore(vm, good, other) == VMR_OK);
    FUZZ_CHECK(other || id_of(vm) == good->id);
}

/* A VM that was saved, and, with a child, has gone on and was saved again. */
static void save_chain(struct vm *vm, struct input *input, bool child, struct chain *ret_chain)
{
    *ret_chain = (struct chain){.count = child ? 2 : 1};
    ret_chain->id = save(vm, 0, &ret_chain->files[0]);
    if (child) {
        FUZZ_CHECK(vmr_memory_dirty_start(vm->rig.memory, NULL) == VMR_OK);
        uint8_t page = input_u8(input), value = input_u8(input);

        FUZZ_CHECK(vmr_memory_fill(vm->rig.memory, (page & 0x7fu) * (uint64_t)VMR_PAGE_SIZE, value, VMR_PAGE_SIZE) ==
                   VMR_OK);
        run(vm, 2);
        (void)save(vm, ret_chain->id, &ret_chain->files[1]);
        FUZZ_CHECK(vmr_memory_dirty_stop(vm->rig.memory, NULL) == VMR_OK);
        ret_chain->id = id_of(vm);
    }
    for (size_t i = 0; i < ret_chain->count; i++)
        FUZZ_CHECK(open_file(&ret_chain->files[i], &ret_chain->snapshots[i]) == VMR_OK);
}

enum form {
    FORM_DEVICES = 1,
    FORM_HV = 2,
    FORM_VTL2 = 4, /* where the mock can */
    FORM_CHILD = 8,
    FORM_RAW = 16,    /* the input is the last file */
    FORM_PARENT = 32, /* the first file is changed, not the last */
    FORM_OTHER = 64,  /* into a VM of another profile */
    FORM_DAMAGE = 128 /* behind sealing; of raw bytes: no sealing */
};

static struct kind kind_of(unsigned profile, unsigned form)
{
    return (struct kind){.profile = profile,
                         .devices = (form & FORM_DEVICES) != 0,
                         .hv = (form & FORM_HV) != 0,
                         .vtl2 = profile < 2 && (form & (FORM_HV | FORM_VTL2)) == (FORM_HV | FORM_VTL2),
                         .clock = (form & FORM_DEVICES) != 0};
}

/* A copy of the good chain, with one file changed. True: all of them can be opened. */
static bool make_chain(struct input *input, const struct chain *good, unsigned form, unsigned way,
                       struct chain *ret_chain)
{
    size_t changed = form & FORM_PARENT ? 0 : good->count - 1;
    bool opened = true;

    *ret_chain = (struct chain){.count = good->count};
    for (size_t i = 0; i < good->count; i++) {
        struct bytes *file = &ret_chain->files[i];

        *file = (struct bytes){.limit = FILE_BYTES_MAX};
        if (i == changed)
            make_file(input, &good->files[i], (form & FORM_RAW) != 0, (form & FORM_DAMAGE) != 0, file);
        else
            FUZZ_CHECK(bytes_append(file, good->files[i].at, good->files[i].length));
        opened = open_file(file, &ret_chain->snapshots[i]) == VMR_OK && opened;
        if (i == changed && ret_chain->snapshots[i])
            look(ret_chain->snapshots[i], good->snapshots[i], way);
    }
    return opened;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    struct chain good, chain;
    struct vm source, vm;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    unsigned profile = input_choose(&input, 5), form = input_choose(&input, 256), turns = input_choose(&input, 32);
    const struct kind kind = kind_of(profile, form);
    unsigned way = turns >> 2; /* of looking at it */
    bool other = (form & FORM_OTHER) != 0;
    struct kind other_kind = kind;

    if (other)
        other_kind.profile = (profile + 1 + turns % 4u) % 5;
    other_kind.vtl2 = kind.vtl2 && other_kind.profile < 2;
    vm_init(&source, &kind);
    run(&source, turns % 4u);
    save_chain(&source, &input, (form & FORM_CHILD) != 0, &good);
    if (make_chain(&input, &good, form, way, &chain)) {
        vm_init(&vm, &other_kind);
        try_chain(&vm, &source, &chain, &good, other);
        vm_finish(&vm);
    }
    chain_finish(&chain);
    chain_finish(&good);
    vm_finish(&source);
    return 0;
}
