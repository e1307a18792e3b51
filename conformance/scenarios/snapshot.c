/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: a VM that is saved, made anew and restored is the same VM; what
 * cannot be saved or restored is refused, and nothing is left half done. The
 * second VM is made when the first is gone, for hypervisors that have one at a
 * time.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/snapshot_words.h"
#include "conformance/scenarios/state_words.h"

#define PORT 0x300u
#define VPS 2u

/* --- a guest in the middle of its work --- */

CONF_PROGRAM(works, VMR_SET(1, 7), VMR_STORE(VMR_PROGRAM_DATA, 4, 0x1234), VMR_WRMSR(0xc0000082u, 0x5678),
             VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), VMR_LOAD(2, VMR_PROGRAM_DATA, 4), VMR_EXPECT(2, 0x1234),
             VMR_EXPECT(1, 7), VMR_OUT(PORT, 1, 3), VMR_END());

/* Its device asks for a stop at the second access. */
struct worker {
    struct conf_device device;
    struct vmr_stop_source *stop;
};

static void stop_at_second(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct worker *worker = device->user;

    (void)access;
    (void)write;
    if (device->writes == 2)
        vmr_stop_set(worker->stop);
}

static struct conf_vm *worker_vm(struct conf *conf, struct worker *worker)
{
    struct conf_vm *vm = vm_bound_with(conf, NULL, &works);

    *worker = (struct worker){.device = {.user = worker}};
    if (!vm || !conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &worker->device))
        return NULL;
    return vm;
}

/* Runs it to its second access. */
static bool run_half(struct conf_vm *vm, struct worker *worker)
{
    if (vmr_stop_create(vm->conf->host, &worker->stop))
        return false;
    worker->device.on_access = stop_at_second;
    expect_halt(vm, worker->stop, VMR_HALT_STOP);
    worker->device.on_access = NULL;
    vmr_stop_destroy(worker->stop);
    worker->stop = NULL;
    return worker->device.writes == 2;
}

static void a_guest_goes_on_in_another_vm(struct conf *conf)
{
    struct worker before, after;
    CONF_CLEANUP(kept_free) struct kept kept = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = worker_vm(conf, &before);

    CONF_REQUIRE(conf, vm && run_half(vm, &before) && snapshot_save(vm, 0, &kept), "the first half");
    conf_vm_destroy(vm);
    vm = worker_vm(conf, &after);
    CONF_REQUIRE(conf, vm && snapshot_restore(vm, &kept), "the second VM");
    expect_end(vm);
    /* The access at which it was stopped is over: it comes once. [S4] */
    CONF_CHECK_EQ(conf, after.device.writes, 1, "accesses after the restore");
    CONF_CHECK_EQ(conf, after.device.written[0], 3, "the last of them");
    kept_free(&kept);
}

static void the_saved_vm_goes_on_as_well(struct conf *conf)
{
    struct worker worker;
    CONF_CLEANUP(kept_free) struct kept kept = {0}, again = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = worker_vm(conf, &worker);

    CONF_REQUIRE(conf, vm && run_half(vm, &worker) && snapshot_save(vm, 0, &kept), "the first half");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *saved = conf_picture_take(vm);

    CONF_CHECK(conf, snapshot_save(vm, 0, &again), "saving twice");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *twice = conf_picture_take(vm);

    if (saved && twice)
        (void)conf_picture_compare(conf, twice, saved, "saving changes nothing");
    expect_end(vm);
    CONF_CHECK_EQ(conf, worker.device.writes, 3, "accesses");
    kept_free(&kept);
    kept_free(&again);
}

/* --- everything comes back --- */

/* Each is a line of the failure. */
static void tell(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                 const struct vmr_state_difference *difference)
{
    struct conf *conf = context;
    const struct vmr_snapshot_state *state = left ? left : right;

    if (!difference)
        conf_fail(conf, __FILE__, __LINE__, "VP %u: '%s' is in one alone", state->vp, state->type->name);
    else
        conf_fail(conf, __FILE__, __LINE__, "VP %u: %s.%s[%u] was %#llx and is %#llx", state->vp, state->type->name,
                  difference->field->name, difference->element, (unsigned long long)difference->left,
                  (unsigned long long)difference->right);
}

static uint64_t differences(struct conf *conf, const struct kept *left, const struct kept *right, bool aloud)
{
    struct vmr_snapshot *a = snapshot_open(conf, left), *b = snapshot_open(conf, right);
    const struct vmr_snapshot_differences sink = {.state = aloud ? tell : NULL, .context = conf};
    struct vmr_error err = {.message = ""};
    uint64_t count = UINT64_MAX;

    if (a && b && vmr_snapshot_compare(a, b, false, &sink, &count, &err))
        conf_fail(conf, __FILE__, __LINE__, "comparing: %s", err.message);
    vmr_snapshot_close(a);
    vmr_snapshot_close(b);
    return count;
}

/* Restores `kept` into a VM whose every class holds something else, or is fresh, and saves it again. */
static void there_and_back(struct conf *conf, const struct kept *kept, bool drive, const char *what)
{
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.vps = VPS}, &works);
    CONF_CLEANUP(kept_free) struct kept again = {0};

    CONF_REQUIRE(conf, vm && (!drive || (state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]))), "driving");
    CONF_REQUIRE(conf, vmr_memory_write(vm->memory, VMR_PROGRAM_DATA + 0x800, "leftover", 8) == VMR_OK, "memory");
    CONF_REQUIRE(conf, snapshot_restore(vm, kept) && snapshot_save(vm, 0, &again), "%s", what);
    CONF_CHECK_EQ(conf, differences(conf, kept, &again, true), 0, what);
    kept_free(&again);
    conf_vm_destroy(vm);
}

static void what_is_restored_and_saved_again_is_the_same(struct conf *conf)
{
    CONF_CLEANUP(kept_free) struct kept fresh = {0}, driven = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.vps = VPS}, &works);

    CONF_REQUIRE(conf, vm && snapshot_save(vm, 0, &fresh), "a fresh VM");
    CONF_REQUIRE(conf, state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]) && snapshot_save(vm, 0, &driven),
                 "a driven VM");
    conf_vm_destroy(vm);
    CONF_CHECK(conf, differences(conf, &fresh, &driven, false) > VPS, "nothing was driven anywhere");
    there_and_back(conf, &driven, false, "driven into fresh");
    there_and_back(conf, &fresh, true, "fresh into driven");
    kept_free(&fresh);
    kept_free(&driven);
}

static void each_vp_gets_its_own_state(struct conf *conf)
{
    CONF_PROGRAM(ends, VMR_END());
    const struct conf_vm_options options = {.vps = 4};
    CONF_CLEANUP(kept_free) struct kept kept = {0};
    struct vmr_x86_regs regs;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &options, &ends);

    CONF_REQUIRE(conf, vm, "no VM");
    for (vmr_vp_index vp = 0; vp < 4; vp++) {
        CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[vp], &regs) == VMR_OK, "registers");
        regs.gpr[VMR_X86_R12] = 0x1000 + vp;
        CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[vp], &regs) == VMR_OK, "registers");
    }
    CONF_REQUIRE(conf, snapshot_save(vm, 0, &kept), "saving");
    conf_vm_destroy(vm);
    vm = vm_bound_with(conf, &options, &ends);
    CONF_REQUIRE(conf, vm && snapshot_restore(vm, &kept), "restoring");
    for (vmr_vp_index vp = 0; vp < 4; vp++) {
        CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[vp], &regs) == VMR_OK, "registers");
        CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_R12], 0x1000 + vp, "R12");
    }
    kept_free(&kept);
}

/* --- interrupts on their way --- */

APIC_PROGRAM(takes_later, VMR_EOI_XAPIC, APIC_ON(), VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), EXPECT_COUNT(0x41, 0),
             VMR_STI(), SPIN_FOR(0, 0x41, 1), VMR_CLI(), EXPECT_COUNT(0x41, 1), VMR_END());

static void an_interrupt_that_waits_is_taken_after_the_restore(struct conf *conf)
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = 0x41};
    struct worker before, after;
    CONF_CLEANUP(kept_free) struct kept kept = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, NULL, &takes_later);

    before = (struct worker){.device = {.user = &before}};
    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &before.device), "no VM");
    CONF_REQUIRE(conf, run_half(vm, &before), "the first half");
    CONF_REQUIRE(conf, vmr_partition_msi(vm->partition, &msi) == VMR_OK && snapshot_save(vm, 0, &kept),
                 "the interrupt");
    conf_vm_destroy(vm);
    vm = vm_bound_with(conf, NULL, &takes_later);
    after = (struct worker){.device = {.user = &after}};
    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &after.device), "the second VM");
    CONF_REQUIRE(conf, snapshot_restore(vm, &kept), "restoring");
    expect_end(vm);
    kept_free(&kept);
}

/* --- what is refused --- */

static void no_snapshot_while_an_exit_is_unfinished(struct conf *conf)
{
    CONF_PROGRAM(reads_a_port, VMR_IN(0, PORT, 1), VMR_END());
    struct vmr_exit vp_exit = {0};
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(kept_free) struct kept kept = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &reads_a_port);

    CONF_REQUIRE(conf, vm, "no VM");
    do
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the step");
    while (vp_exit.kind == VMR_EXIT_CANCEL);
    CONF_REQUIRE(conf, vmr_exit_is_pending(&vp_exit), "no exit to finish");
    CONF_CHECK_EQ(conf, snapshot_try(vm, 0, &kept, &err), VMR_E_STATE, "saving in the middle of an exit");
    expect_end(vm);
    CONF_CHECK(conf, snapshot_save(vm, 0, &kept), "saving at the end");
    kept_free(&kept);
}

static void another_topology_is_refused_without_change(struct conf *conf)
{
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(kept_free) struct kept kept = {0};
    const struct kept *const chain[] = {&kept};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.vps = VPS}, &works);

    CONF_REQUIRE(conf, vm && snapshot_save(vm, 0, &kept), "saving");
    conf_vm_destroy(vm);
    vm = vm_bound_with(conf, NULL, &works);
    CONF_REQUIRE(conf, vm, "the second VM");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *before = conf_picture_take(vm);

    CONF_CHECK_EQ(conf, snapshot_try_restore(vm, chain, 1, &err), VMR_E_CONFIG, "two VPs into one");
    CONF_CHECK(conf, strstr(err.message, "2 VPs") != NULL, "the message: %s", err.message);
    CONF_CLEANUP(conf_picture_end) struct conf_picture *after = conf_picture_take(vm);

    if (before && after)
        (void)conf_picture_compare(conf, after, before, "refused");
    CONF_CHECK(conf, vmr_partition_is_usable(vm->partition), "it is unusable");
    kept_free(&kept);
}

static void a_damaged_snapshot_is_refused(struct conf *conf)
{
    struct vmr_snapshot *snapshot = NULL;
    CONF_CLEANUP(kept_free) struct kept kept = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && snapshot_save(vm, 0, &kept), "saving");
    for (size_t at = 0; at < kept.length; at += 1 + kept.length / 64) {
        struct vmr_snapshot_source source;
        struct vmr_error err = {.message = ""};

        kept.bytes[at] ^= 4;
        vmr_snapshot_source_memory(kept.bytes, kept.length, &source);
        CONF_CHECK(conf, vmr_snapshot_open(&source, &snapshot, &err) != VMR_OK && strstr(err.message, "snapshot"),
                   "a changed byte at %zu was not noticed", at);
        kept.bytes[at] ^= 4;
        vmr_snapshot_source_memory(kept.bytes, at, &source);
        CONF_CHECK(conf, vmr_snapshot_open(&source, &snapshot, &err) == VMR_E_CORRUPT, "a cut at %zu", at);
    }
    kept_free(&kept);
}

static void a_restore_that_fails_leaves_a_vm_that_only_a_reset_repairs(struct conf *conf)
{
    struct vmr_error err = {.message = ""};
    struct vmr_run_result result;
    CONF_CLEANUP(kept_free) struct kept kept = {0};
    const struct kept *const chain[] = {&kept};
    struct conf_vm *vm = vm_bound_with(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && snapshot_save(vm, 0, &kept), "saving");
    struct vmr_hypervisor_handle handle = *conf->handle;

    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 2), VMR_OK, "the fault");
    CONF_CHECK_EQ(conf, snapshot_try_restore(vm, chain, 1, &err), VMR_E_HOST, "a restore that fails half way");
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 0), VMR_OK, "no fault");
    CONF_CHECK(conf, !vmr_partition_is_usable(vm->partition), "it is usable");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run");
    CONF_REQUIRE(conf, conf_reset(vm) && snapshot_restore(vm, &kept), "the reset");
    expect_end(vm);
    kept_free(&kept);
}

/* --- memory --- */

#define UNTOUCHED_FROM (UINT64_C(8) << 20)
#define UNTOUCHED_PAGES 1024u

/* Of pages that no guest has written. All, where the host does not tell. */
static size_t touched_pages(struct conf_vm *vm)
{
    bool touched[UNTOUCHED_PAGES];
    size_t count = 0;

    if (vmr_memory_touched(vm->memory, UNTOUCHED_FROM, UNTOUCHED_PAGES, touched) != VMR_OK)
        return SIZE_MAX;
    for (size_t i = 0; i < UNTOUCHED_PAGES; i++)
        count += touched[i];
    return count;
}

static void untouched_memory_is_not_in_it(struct conf *conf)
{
    bool written = false;
    struct vmr_snapshot_info info;
    CONF_CLEANUP(kept_free) struct kept kept = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.ram_size = UINT64_C(64) << 20}, &works);

    CONF_REQUIRE(conf, vm, "a VM");
    CONF_CHECK(conf,
               vmr_memory_fill(vm->memory, VMR_PROGRAM_DATA, 0, 1) == VMR_OK &&
                   vmr_memory_touched(vm->memory, VMR_PROGRAM_DATA, 1, &written) == VMR_OK && written,
               "what was written with a zero is untouched");
    size_t touched = touched_pages(vm);

    CONF_REQUIRE(conf, snapshot_save(vm, 0, &kept), "saving");
    CONF_CHECK_EQ(conf, touched_pages(vm), touched, "pages touched by saving");
    struct vmr_snapshot *snapshot = snapshot_open(conf, &kept);

    CONF_REQUIRE(conf, snapshot, "opening");
    vmr_snapshot_get_info(snapshot, &info);
    vmr_snapshot_close(snapshot);
    CONF_CHECK(conf, info.memory_size >= UINT64_C(64) << 20 && info.page_count < 256, "%llu pages of %llu bytes",
               (unsigned long long)info.page_count, (unsigned long long)info.memory_size);
    CONF_CHECK(conf, kept.length < 2u << 20, "%zu bytes", kept.length);
    kept_free(&kept);
}

static void a_chain_holds_what_was_written_and_no_more(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(VMR_PROGRAM_DATA, 4, 0x77), VMR_STORE(VMR_PROGRAM_DATA + 0x3000, 4, 0x78),
                 VMR_END());
    CONF_CLEANUP(kept_free) struct kept full = {0}, part = {0};
    const struct kept *const chain[] = {&full, &part};
    struct vmr_snapshot_info info;
    struct vmr_error err = {.message = ""};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, NULL, &writes);

    CONF_REQUIRE(conf, vm && vmr_memory_dirty_start(vm->memory, &err) == VMR_OK, "the log: %s", err.message);
    CONF_REQUIRE(conf, snapshot_save(vm, 0, &full), "the full one");
    expect_end(vm);
    CONF_REQUIRE(conf, snapshot_save(vm, full.id, &part), "what changed since");
    struct vmr_snapshot *snapshot = snapshot_open(conf, &part);

    CONF_REQUIRE(conf, snapshot, "opening");
    vmr_snapshot_get_info(snapshot, &info);
    vmr_snapshot_close(snapshot);
    CONF_CHECK(conf, info.parent_id == full.id && info.page_count >= 2 && info.page_count < 16, "%llu pages",
               (unsigned long long)info.page_count);
    conf_vm_destroy(vm);
    vm = vm_bound_with(conf, NULL, &writes);
    CONF_REQUIRE(conf, vm, "the second VM");
    CONF_CHECK_EQ(conf, snapshot_try_restore(vm, chain + 1, 1, &err), VMR_E_CONFIG, "without its parent");
    CONF_CHECK(conf, snapshot_try_restore(vm, chain, 2, &err) == VMR_OK, "the chain: %s", err.message);
    CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x77, "the first word");
    CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA + 0x3000), 0x78, "the second word");
    kept_free(&full);
    kept_free(&part);
}

/* --- looking --- */

struct text {
    size_t length;
    int depth, deepest;
    bool in_string;
};

static void read_json(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    for (size_t i = 0; i < length; i++) {
        text->in_string ^= bytes[i] == '"';
        if (text->in_string)
            continue;
        text->depth += (bytes[i] == '{' || bytes[i] == '[') - (bytes[i] == '}' || bytes[i] == ']');
        text->deepest = text->depth > text->deepest ? text->depth : text->deepest;
    }
    text->length += length;
}

static void a_vm_can_be_looked_into(struct conf *conf)
{
    struct text text = {0};
    const struct vmr_text_sink sink = {.write = read_json, .context = &text};
    struct vmr_error err = {.message = ""};
    struct snapshot_vm parts;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.vps = VPS}, &works);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *before = conf_picture_take(vm);

    snapshot_parts_of(vm, &parts);
    CONF_CHECK(conf, vmr_inspect(&parts.parts, VMR_STATE_JSON, &sink, &err) == VMR_OK, "inspecting: %s", err.message);
    CONF_CHECK(conf, text.depth == 0 && !text.in_string && text.deepest >= 4, "it is no tree: depth %d, deepest %d",
               text.depth, text.deepest);
    CONF_CHECK(conf, text.length > 4000, "%zu bytes", text.length);
    CONF_CLEANUP(conf_picture_end) struct conf_picture *after = conf_picture_take(vm);

    if (before && after)
        (void)conf_picture_compare(conf, after, before, "inspecting changes nothing");
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_guest_goes_on_in_another_vm",
     .family = "snapshot",
     .ids = "SNAP-07",
     .clauses = "SNAP-4",
     .chip = CONF_CHIP_ANY,
     .run = a_guest_goes_on_in_another_vm},
    {.name = "the_saved_vm_goes_on_as_well",
     .family = "snapshot",
     .clauses = "SNAP-2",
     .chip = CONF_CHIP_ANY,
     .run = the_saved_vm_goes_on_as_well},
    {.name = "what_is_restored_and_saved_again_is_the_same",
     .family = "snapshot",
     .ids = "SNAP-01 SNAP-06",
     .clauses = "SNAP-1 SNAP-4",
     .chip = CONF_CHIP_ANY,
     .run = what_is_restored_and_saved_again_is_the_same},
    {.name = "each_vp_gets_its_own_state",
     .family = "snapshot",
     .ids = "SNAP-04",
     .clauses = "SNAP-4",
     .chip = CONF_CHIP_ANY,
     .run = each_vp_gets_its_own_state},
    {.name = "an_interrupt_that_waits_is_taken_after_the_restore",
     .family = "snapshot",
     .ids = "SNAP-05",
     .clauses = "SNAP-4 INT-2",
     .needs = CONF_CAP(MSI),
     .chip = CONF_CHIP_ANY,
     .run = an_interrupt_that_waits_is_taken_after_the_restore},
    {.name = "no_snapshot_while_an_exit_is_unfinished",
     .family = "snapshot",
     .ids = "SNAP-05",
     .clauses = "SNAP-2",
     .chip = CONF_CHIP_ANY,
     .run = no_snapshot_while_an_exit_is_unfinished},
    {.name = "another_topology_is_refused_without_change",
     .family = "snapshot",
     .clauses = "SNAP-4",
     .chip = CONF_CHIP_ANY,
     .run = another_topology_is_refused_without_change},
    {.name = "a_damaged_snapshot_is_refused",
     .family = "snapshot",
     .clauses = "SNAP-3",
     .chip = CONF_CHIP_ANY,
     .run = a_damaged_snapshot_is_refused},
    {.name = "a_restore_that_fails_leaves_a_vm_that_only_a_reset_repairs",
     .family = "snapshot",
     .clauses = "SNAP-5",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_restore_that_fails_leaves_a_vm_that_only_a_reset_repairs},
    {.name = "untouched_memory_is_not_in_it",
     .family = "snapshot",
     .ids = "SNAP-08",
     .clauses = "SNAP-8 MEM-10",
     .chip = CONF_CHIP_ANY,
     .run = untouched_memory_is_not_in_it},
    {.name = "a_chain_holds_what_was_written_and_no_more",
     .family = "snapshot",
     .clauses = "SNAP-7",
     .needs = CONF_CAP(DIRTY_LOG),
     .chip = CONF_CHIP_ANY,
     .run = a_chain_holds_what_was_written_and_no_more},
    {.name = "a_vm_can_be_looked_into",
     .family = "snapshot",
     .clauses = "INSP-1",
     .chip = CONF_CHIP_ANY,
     .run = a_vm_can_be_looked_into},
};
CONF_FAMILY(snapshot, scenarios);
