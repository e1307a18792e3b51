/* SPDX-License-Identifier: MIT */
/*
 * The state of VPs by class: which there are, that what is read can be written,
 * that every field counts, and that a value no processor holds changes nothing.
 */

#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/state_words.h"

#define VPS 2u

CONF_PROGRAM(idle, VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_END());

/* A VM whose VPs are all bound. NULL: failed. */
static struct conf_vm *bound_vm(struct conf *conf, uint32_t vps)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = vps});

    for (vmr_vp_index vp = 0; vm && vp < vps; vp++) {
        if (!conf_load(vm, vp, &idle) || !conf_bind(vm, vp))
            return NULL;
    }
    return vm;
}

static bool is_behind(const struct vmr_state_id *a, const struct vmr_state_id *b)
{
    if (a->state_class != b->state_class)
        return a->state_class > b->state_class;
    return a->vtl != b->vtl ? a->vtl > b->vtl : a->instance > b->instance;
}

static void classes_come_in_declared_order(struct conf *conf)
{
    struct conf_vm *vm = bound_vm(conf, 1);
    uint64_t seen = 0;
    struct vmr_state_id last = {0}, id = {0}, none = {.state_class = VMR_VP_CLASS_COUNT};

    CONF_REQUIRE(conf, vm, "no VM");
    for (unsigned count = 0; vmr_vp_state_find(vm->vps[0], &id); id.instance++, count++) {
        CONF_REQUIRE(conf, count == 0 || is_behind(&id, &last), "'%s' comes behind '%s'", state_name(&id),
                     state_name(&last));
        seen |= UINT64_C(1) << id.state_class;
        last = id;
    }
    CONF_CHECK(conf, (seen >> VMR_VP_ACTIVITY & 1) != 0, "a VP without an activity");
    CONF_CHECK(conf, (seen & ~(conf->caps.vp_classes | UINT64_C(3) << VMR_VP_ACTIVITY)) == 0,
               "classes that nobody holds: %#llx", (unsigned long long)seen);
    CONF_CHECK(conf, !vmr_vp_state_find(vm->vps[0], &none) && none.state_class == VMR_VP_CLASS_COUNT,
               "there is one behind the last");
}

/* Of every VP, twice: the second time nothing has changed. */
static void what_is_read_can_be_written(struct conf *conf)
{
    struct conf_vm *vm = bound_vm(conf, VPS);
    union state_box before, after;

    CONF_REQUIRE(conf, vm, "no VM");
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[vp], &id); id.instance++) {
            CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &id, &before), "VP %u", vp);
            CONF_REQUIRE(conf, state_set(conf, vm->vps[vp], &id, &before), "VP %u", vp);
            CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &id, &after), "VP %u", vp);
            (void)state_is(conf, &id, &after, &before, "written back");
        }
    }
}

/* Fields that are no value of the VP's alone, or that events have scenarios for (state_events.c). */
static const struct {
    enum vmr_vp_class vp_class;
    const char *field; /* or the beginning of several */
} not_driven[] = {
    {VMR_VP_REGISTERS, "tr.attributes"},
    {VMR_VP_REGISTERS, "ldtr.attributes"}, /* there is one, in 64-bit mode */
    {VMR_VP_REGISTERS, "apic-base"},
    {VMR_VP_XSAVE, "length"},
    {VMR_VP_MCG, "cap"},
    {VMR_VP_APIC, "base"},
    {VMR_VP_APIC, "timer"},
    {VMR_VP_ACTIVITY, "shadow"},
    {VMR_VP_ACTIVITY, "sipi-pending"},
    {VMR_VP_ACTIVITY, "sipi-vector"},
    {VMR_VP_ACTIVITY, "smm"},
    {VMR_VP_ACTIVITY, "smi-pending"},
    {VMR_VP_ACTIVITY, "pending."},
    {VMR_VP_ACTIVITY, "injected."},
};

static bool is_driven(uint32_t vp_class, const char *field)
{
    for (size_t i = 0; i < sizeof(not_driven) / sizeof(not_driven[0]); i++) {
        if (not_driven[i].vp_class == vp_class && strncmp(field, not_driven[i].field, strlen(not_driven[i].field)) == 0)
            return false;
    }
    return true;
}

/* Each element; of bytes, any. */
static void check_driven(struct conf *conf, const struct vmr_state_id *id, const union state_box *now,
                         const union state_box *at_reset)
{
    const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)id->state_class);

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        uint32_t count = vmr_state_used(type, field, now), different = 0;

        for (uint32_t k = 0; k < count; k++)
            different += vmr_state_get(field, now, k) != vmr_state_get(field, at_reset, k);
        if (id->state_class == VMR_VP_MCG && strcmp(field->name, "ctl") == 0 && !has_mcg_ctl(&now->mcg))
            continue;
        if (is_driven(id->state_class, field->name))
            CONF_CHECK(conf, field->kind == VMR_FIELD_BYTES ? different > 0 : different == count,
                       "%s.%s: of %u elements %u are other than at power-up", type->name, field->name, count,
                       different);
    }
}

static void every_field_can_leave_its_power_up_value(struct conf *conf)
{
    union state_box before, sample, now;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, VPS);

    CONF_REQUIRE(conf, vm, "no VM");
    for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[1], &id); id.instance++) {
        CONF_REQUIRE(conf, state_get(conf, vm->vps[1], &id, &before), "reading");
        state_sample(conf, (enum vmr_vp_class)id.state_class, &before, &sample);
        CONF_REQUIRE(conf, state_set(conf, vm->vps[1], &id, &sample), "writing");
        CONF_REQUIRE(conf, state_get(conf, vm->vps[1], &id, &now), "reading");
        (void)state_is(conf, &id, &now, &sample, "driven");
        memset(&before, 0, sizeof(before));
        vmr_vp_state_at_reset(vm->vps[1], &id, &before);
        check_driven(conf, &id, &now, &before);
    }
}

/* All of it, and in the end still: no class undoes an earlier one. */
static void what_was_driven_stays_and_can_be_moved(struct conf *conf)
{
    union state_box box;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, VPS), *other = vm ? bound_vm(conf, VPS) : NULL;

    CONF_REQUIRE(conf, vm && other, "no VMs");
    CONF_REQUIRE(conf, state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]), "driving");
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[vp], &id); id.instance++) {
            CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &id, &box), "reading");
            CONF_REQUIRE(conf, state_set(conf, other->vps[vp], &id, &box), "moving");
        }
    }
    CONF_CLEANUP(conf_picture_end) struct conf_picture *here = conf_picture_take(vm), *there = conf_picture_take(other);

    if (here && there)
        (void)conf_picture_compare(conf, there, here, "moved");
}

/* --- hashes --- */

static uint64_t toggled(const struct vmr_state_field *field, const void *value, uint32_t element)
{
    return vmr_state_get(field, value, element) ^ 1;
}

/* Of a value with something in it, where its length varies. */
static void check_hash(struct conf *conf, const struct vmr_state_type *type, void *value)
{
    const uint64_t hash = vmr_state_hash(type, value, true, 1);
    uint64_t hashes = 0;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        uint32_t used = vmr_state_used(type, field, value);

        for (uint32_t k = 0; k < used; k++, hashes++) {
            CONF_REQUIRE(conf, vmr_state_put(field, value, k, toggled(field, value, k)), "%s.%s", type->name,
                         field->name);
            CONF_CHECK(conf, vmr_state_hash(type, value, true, 1) != hash, "%s.%s[%u] is in no hash", type->name,
                       field->name, k);
            CONF_REQUIRE(conf, vmr_state_put(field, value, k, toggled(field, value, k)), "%s.%s", type->name,
                         field->name);
        }
    }
    CONF_CHECK(conf, hashes > 0 && vmr_state_hash(type, value, true, 1) == hash, "%s: the hash does not come back",
               type->name);
}

static void check_hash_of(struct conf *conf, const struct vmr_state_type *type)
{
    void *value = calloc(1, type->size);

    CONF_REQUIRE(conf, value, "out of memory");
    if (type == vmr_vp_class_type(VMR_VP_XSAVE))
        ((struct vmr_x86_xsave_state *)value)->length = 576;
    if (type == vmr_vp_class_type(VMR_VP_MESSAGE_QUEUE))
        ((struct vmr_hv_queue_state *)value)->count = 2;
    check_hash(conf, type, value);
    free(value);
}

static void every_field_of_every_class_counts(struct conf *conf)
{
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++)
        check_hash_of(conf, vmr_vp_class_type((enum vmr_vp_class)i));
    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++)
        check_hash_of(conf, vmr_vm_class_type((enum vmr_vm_class)i));
}

/* `value` and `bytes`: room for any of the class, and a byte. */
static void check_bytes_of(struct conf *conf, const struct vmr_state_type *type, void *value, uint8_t *bytes)
{
    size_t length = vmr_state_encode(type, value, bytes, type->size);
    struct vmr_error err = {.message = ""};

    CONF_CHECK_EQ(conf, vmr_state_decode(type, type->version, bytes, length, value, &err), VMR_OK, type->name);
    CONF_CHECK_EQ(conf, vmr_state_decode(type, type->version, bytes, length - 1, value, &err), VMR_E_CORRUPT,
                  "a byte too few");
    CONF_CHECK(conf, strstr(err.message, type->name) != NULL, "no '%s' in: %s", type->name, err.message);
    CONF_CHECK_EQ(conf, vmr_state_decode(type, type->version, bytes, length + 1, value, &err), VMR_E_CORRUPT,
                  "a byte too many");
    CONF_CHECK_EQ(conf, vmr_state_decode(type, (uint16_t)(type->version + 1), bytes, length, value, &err),
                  VMR_E_UNSUPPORTED, "another version");
}

static void bytes_that_are_no_state_are_refused(struct conf *conf)
{
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)i);
        void *value = calloc(1, type->size), *bytes = calloc(1, type->size + 1);

        if (value && i == VMR_VP_XSAVE)
            ((struct vmr_x86_xsave_state *)value)->length = 576;
        if (value && bytes)
            check_bytes_of(conf, type, value, bytes);
        free(value);
        free(bytes);
    }
}

/* --- what is refused --- */

static void spoil(enum vmr_vp_class vp_class, union state_box *box)
{
    if (vp_class == VMR_VP_REGISTERS)
        box->registers.cr0 = 0x80000000; /* paging without protection */
    else if (vp_class == VMR_VP_XSAVE)
        box->xsave.bytes[512 + 7] = 0x40; /* a component that no processor has */
    else if (vp_class == VMR_VP_MTRRS)
        box->mtrrs.fixed[3] = 2; /* a type that is none */
    else if (vp_class == VMR_VP_DEBUG_REGISTERS)
        box->debug_registers.dr7 |= UINT64_C(1) << 40;
    else if (vp_class == VMR_VP_ACTIVITY)
        box->activity.activity = VMR_ACTIVITY_COUNT;
    else if (vp_class == VMR_VP_DEBUG_STATE)
        box->debug_state.breakpoints[2] = (struct vmr_breakpoint){.enabled = true, .kind = 2, .length = 1};
    else if (vp_class == VMR_VP_XCR0)
        box->word.value = 4; /* AVX alone */
    else if (vp_class == VMR_VP_PAT)
        box->word.value = 2;
}

static void a_refused_value_changes_nothing(struct conf *conf)
{
    static const enum vmr_vp_class classes[] = {VMR_VP_REGISTERS, VMR_VP_XCR0,       VMR_VP_XSAVE,
                                                VMR_VP_MTRRS,     VMR_VP_PAT,        VMR_VP_DEBUG_REGISTERS,
                                                VMR_VP_ACTIVITY,  VMR_VP_DEBUG_STATE};
    union state_box before, box;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, 1);

    CONF_REQUIRE(conf, vm && state_drive(conf, vm->vps[0]), "no VM");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct vmr_state_id id = {.state_class = classes[i]};
        struct vmr_error err = {.message = ""};

        if (!vmr_vp_state_find(vm->vps[0], &id) || id.state_class != classes[i])
            continue;
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &before), "reading");
        box = before;
        spoil(classes[i], &box);
        CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &box, &err), VMR_E_CONFIG, state_name(&id));
        CONF_CHECK(conf, strncmp(err.message, state_name(&id), strlen(state_name(&id))) == 0,
                   "the error does not begin with '%s': %s", state_name(&id), err.message);
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &box), "reading");
        (void)state_is(conf, &id, &box, &before, "refused");
    }
}

/* A component is in use, or all zero. */
static void bytes_of_a_component_that_is_not_in_use_are_refused(struct conf *conf)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_XSAVE};
    union state_box before, sample, box;

    if (!state_is_held(conf, VMR_VP_XSAVE))
        return;
    struct conf_vm *vm = bound_vm(conf, 1);

    CONF_REQUIRE(conf, vm && state_get(conf, vm->vps[0], &id, &before), "no VM");
    state_sample(conf, VMR_VP_XSAVE, &before, &sample);
    for (unsigned component = 0; component < 2; component++) {
        box = sample;
        box.xsave.bytes[512] = (uint8_t)(sample.xsave.bytes[512] & ~(1u << component));
        CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &box, NULL), VMR_E_CONFIG, "writing");
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &box), "reading");
        (void)state_is(conf, &id, &box, &before, "refused");
    }
}

struct apic_row {
    const char *name;
    uint32_t offset; /* of a byte of the page that is changed */
    uint8_t change;
    uint64_t base; /* in place of what is there; 0: that */
};

static const struct apic_row apic_rows[] = {
    {"another ID", .offset = 0x23, .change = 7},
    {"another version", .offset = 0x30, .change = 1},
    {"a reserved bit of the timer's entry", .offset = 0x323, .change = 0x80},
    {"a byte between registers", .offset = 0x84, .change = 1},
    {"x2APIC mode of one that is off", .base = UINT64_C(0xfee00500)},
    {"a reserved bit of its base", .base = UINT64_C(0xfee00901)},
};

static void a_local_apic_that_cannot_be_is_refused(struct conf *conf)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_APIC};
    struct conf_vm *vm = bound_vm(conf, 1);
    union state_box before, box;

    CONF_REQUIRE(conf, vm && state_drive(conf, vm->vps[0]) && state_get(conf, vm->vps[0], &id, &before), "no VM");
    for (size_t i = 0; i < sizeof(apic_rows) / sizeof(apic_rows[0]); i++) {
        box = before;
        box.apic.page[apic_rows[i].offset] ^= apic_rows[i].change;
        box.apic.page[0xd3] ^= 1; /* and something that could be */
        if (apic_rows[i].base)
            box.apic.base = apic_rows[i].base;
        CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &box, NULL), VMR_E_CONFIG, apic_rows[i].name);
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &box), "reading");
        (void)state_is(conf, &id, &box, &before, apic_rows[i].name);
    }
}

static void what_is_not_there_is_named(struct conf *conf)
{
    struct conf_vm *vm = bound_vm(conf, 1);
    const struct vmr_state_id bad[] = {{.state_class = VMR_VP_CLASS_COUNT},
                                       {.state_class = VMR_VP_REGISTERS, .vtl = 9},
                                       {.state_class = VMR_VP_XCR0, .vtl = 1},
                                       {.state_class = VMR_VP_REGISTERS, .instance = 1},
                                       {.state_class = UINT32_MAX, .vtl = UINT32_MAX, .instance = UINT32_MAX}};
    union state_box box;

    CONF_REQUIRE(conf, vm, "no VM");
    memset(&box, 0x5a, sizeof(box));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vmr_error err = {.message = ""};

        CONF_CHECK_EQ(conf, vmr_vp_state_get(vm->vps[0], &bad[i], &box, &err), VMR_E_UNSUPPORTED, "reading it");
        CONF_CHECK(conf, strstr(err.message, "class") != NULL, "no class in: %s", err.message);
        CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &bad[i], &box, NULL), VMR_E_UNSUPPORTED, "writing it");
        CONF_CHECK_EQ(conf, box.word.value, UINT64_C(0x5a5a5a5a5a5a5a5a), "what was given for a value");
    }
    const struct vmr_state_id no_clock = {.state_class = VMR_VM_CLASS_COUNT};

    CONF_CHECK_EQ(conf, vmr_partition_state_get(vm->partition, &no_clock, &box, NULL), VMR_E_UNSUPPORTED,
                  "a class of partitions that is none");
}

static void an_unfinished_exit_keeps_the_state_out_of_reach(struct conf *conf)
{
    CONF_PROGRAM(reads_a_port, VMR_IN(0, 0x300, 1), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &reads_a_port);
    struct vmr_state_id id = {0};
    struct vmr_exit vp_exit = {0};
    union state_box box;

    CONF_REQUIRE(conf, vm && vmr_vp_state_find(vm->vps[0], &id), "no VM");
    do
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the step");
    while (vp_exit.kind == VMR_EXIT_CANCEL);
    CONF_REQUIRE(conf, vmr_exit_is_pending(&vp_exit), "the port is read without an exit");
    CONF_CHECK_EQ(conf, vmr_vp_state_get(vm->vps[0], &id, &box, NULL), VMR_E_STATE, "reading");
    CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &box, NULL), VMR_E_STATE, "writing");
    CONF_CHECK_EQ(conf, vmr_vp_flush_async_requests(vm->vps[0]), VMR_E_STATE, "flushing");
    CONF_REQUIRE(conf, vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK, "completing it");
    (void)state_get(conf, vm->vps[0], &id, &box);
}

/* --- guests --- */

#define LSTAR 0xc0000082u
#define SYSENTER_EIP 0x176u
#define PAT 0x277u
#define SAMPLE_PAT UINT64_C(0x0406050100070106)

static void what_a_guest_does_is_in_its_state(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_SET(2, 0x1234), VMR_WRMSR(LSTAR, 0x5678), VMR_WRMSR(SYSENTER_EIP, 0x9abc),
                 VMR_WRMSR(PAT, SAMPLE_PAT), VMR_END());
    const struct vmr_state_id registers = {.state_class = VMR_VP_REGISTERS}, syscalls = {VMR_VP_SYSCALL, 0, 0},
                              pat = {VMR_VP_PAT, 0, 0};
    union state_box box;

    if (!state_is_held(conf, VMR_VP_SYSCALL) || !state_is_held(conf, VMR_VP_PAT))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &writes);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &registers, &box), "reading");
    CONF_CHECK_EQ(conf, box.registers.gpr[VMR_X86_R8 + 2], 0x1234, "a register");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &syscalls, &box), "reading");
    CONF_CHECK_EQ(conf, box.syscall.lstar, 0x5678, "LSTAR");
    CONF_CHECK_EQ(conf, box.syscall.sysenter_eip, 0x9abc, "SYSENTER_EIP");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &pat, &box), "reading");
    CONF_CHECK_EQ(conf, box.word.value, SAMPLE_PAT, "PAT");
}

static void what_is_written_the_guest_sees(struct conf *conf)
{
    CONF_PROGRAM(looks, VMR_RESET(), VMR_EXPECT(3, 0x4321), VMR_RDMSR(1, LSTAR), VMR_EXPECT(1, 0x3000),
                 VMR_RDMSR(1, PAT), VMR_EXPECT(1, SAMPLE_PAT), VMR_END());
    static const enum vmr_vp_class classes[] = {VMR_VP_SYSCALL, VMR_VP_PAT};
    const struct vmr_state_id registers = {.state_class = VMR_VP_REGISTERS};
    union state_box now, box;

    if (!state_is_held(conf, VMR_VP_SYSCALL) || !state_is_held(conf, VMR_VP_PAT))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &looks);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET); /* its variables are its own by now */
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &registers, &box), "reading");
    box.registers.gpr[VMR_X86_R8 + 3] = 0x4321;
    CONF_REQUIRE(conf, state_set(conf, vm->vps[0], &registers, &box), "writing");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        const struct vmr_state_id id = {.state_class = classes[i]};

        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &now), "reading");
        state_sample(conf, classes[i], &now, &box);
        CONF_REQUIRE(conf, state_set(conf, vm->vps[0], &id, &box), "writing");
    }
    (void)conf_run_to_end(vm, 0);
}

/* --- order, and faults --- */

static void a_deadline_before_its_timers_mode_is_refused(struct conf *conf)
{
    struct conf_vm *vm = bound_vm(conf, 1);
    const struct vmr_state_id deadline = {.state_class = VMR_VP_TSC_DEADLINE}, apic = {.state_class = VMR_VP_APIC};
    union state_box now, box = {.word.value = UINT64_C(1) << 40};

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &deadline, &box, NULL), VMR_E_CONFIG, "the deadline first");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &apic, &now), "reading");
    state_sample(conf, VMR_VP_APIC, &now, &box);
    CONF_REQUIRE(conf, state_set(conf, vm->vps[0], &apic, &box), "writing");
    memset(&box, 0, sizeof(box));
    box.word.value = UINT64_C(1) << 40;
    (void)state_set(conf, vm->vps[0], &deadline, &box);
}

static void a_call_that_fails_leaves_nothing(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct conf_vm *vm = bound_vm(conf, 1);
    const struct vmr_state_id id = {.state_class = VMR_VP_SYSCALL};
    union state_box before, box;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm && state_get(conf, vm->vps[0], &id, &before), "no VM");
    memset(&box, 0x5a, sizeof(box));
    CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_GET_STATE, 1) == VMR_OK, "no fault");
    CONF_CHECK_EQ(conf, vmr_vp_state_get(vm->vps[0], &id, &box, &err), VMR_E_HOST, "reading");
    CONF_CHECK(conf, err.message[0] != '\0', "no message");
    CONF_CHECK_EQ(conf, box.syscall.star, UINT64_C(0x5a5a5a5a5a5a5a5a), "what was given for a value");
    box = before;
    box.syscall.star = 1;
    CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 1) == VMR_OK, "no fault");
    CONF_CHECK_EQ(conf, vmr_vp_state_set(vm->vps[0], &id, &box, &err), VMR_E_HOST, "writing");
    CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &id, &box), "reading");
    (void)state_is(conf, &id, &box, &before, "failed");
}

static const struct conf_scenario scenarios[] = {
    {.name = "classes_come_in_declared_order",
     .family = "state",
     .clauses = "STATE-3",
     .chip = CONF_CHIP_ANY,
     .run = classes_come_in_declared_order},
    {.name = "what_is_read_can_be_written",
     .family = "state",
     .ids = "SNAP-01",
     .clauses = "STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = what_is_read_can_be_written},
    {.name = "every_field_can_leave_its_power_up_value",
     .family = "state",
     .clauses = "STATE-1 STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = every_field_can_leave_its_power_up_value},
    {.name = "what_was_driven_stays_and_can_be_moved",
     .family = "state",
     .ids = "SNAP-06",
     .clauses = "STATE-3 STATE-4",
     .needs = CONF_CAP(MULTI_VM),
     .chip = CONF_CHIP_ANY,
     .run = what_was_driven_stays_and_can_be_moved},
    {.name = "every_field_of_every_class_counts",
     .family = "state",
     .clauses = "STATE-1",
     .flags = CONF_NO_BACKEND,
     .run = every_field_of_every_class_counts},
    {.name = "bytes_that_are_no_state_are_refused",
     .family = "state",
     .clauses = "STATE-2",
     .flags = CONF_NO_BACKEND,
     .run = bytes_that_are_no_state_are_refused},
    {.name = "a_refused_value_changes_nothing",
     .family = "state",
     .clauses = "STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = a_refused_value_changes_nothing},
    {.name = "bytes_of_a_component_that_is_not_in_use_are_refused",
     .family = "state",
     .clauses = "STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = bytes_of_a_component_that_is_not_in_use_are_refused},
    {.name = "a_local_apic_that_cannot_be_is_refused",
     .family = "state",
     .clauses = "STATE-4",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_local_apic_that_cannot_be_is_refused},
    {.name = "what_is_not_there_is_named",
     .family = "state",
     .clauses = "STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = what_is_not_there_is_named},
    {.name = "an_unfinished_exit_keeps_the_state_out_of_reach",
     .family = "state",
     .clauses = "EXIT-6 STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = an_unfinished_exit_keeps_the_state_out_of_reach},
    {.name = "what_a_guest_does_is_in_its_state",
     .family = "state",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = what_a_guest_does_is_in_its_state},
    {.name = "what_is_written_the_guest_sees",
     .family = "state",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = what_is_written_the_guest_sees},
    {.name = "a_deadline_before_its_timers_mode_is_refused",
     .family = "state",
     .ids = "SNAP-02",
     .clauses = "STATE-3",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_deadline_before_its_timers_mode_is_refused},
    {.name = "a_call_that_fails_leaves_nothing",
     .family = "state",
     .clauses = "STATE-4",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_call_that_fails_leaves_nothing},
};
CONF_FAMILY(state, scenarios);
