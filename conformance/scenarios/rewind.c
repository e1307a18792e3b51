/* SPDX-License-Identifier: MIT */
/*
 * Rewinding: a VM is taken back to a point in memory, and everything after it
 * has not happened; again and again.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/snapshot_words.h"
#include "conformance/scenarios/state_words.h"
#include "vmrig/dirty.h"

#define PORT 0x300u
#define TURNS 3u
#define FAR_PAGE (VMR_PROGRAM_DATA + 0x800)

/* False: failed. */
static bool point(struct conf_vm *vm, struct vmr_rewind **ret_rewind)
{
    struct vmr_error err = {.message = ""};
    struct snapshot_vm parts;

    snapshot_parts_of(vm, &parts);
    enum vmr_status status = vmr_rewind_create(&parts.parts, ret_rewind, &err);

    CONF_CHECK(vm->conf, status == VMR_OK, "the point: %s", err.message);
    return status == VMR_OK;
}

static bool back(struct conf_vm *vm, struct vmr_rewind *rewind, uint64_t *ret_pages)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_rewind_back(rewind, ret_pages, &err);

    CONF_CHECK(vm->conf, status == VMR_OK, "back: %s", err.message);
    return status == VMR_OK;
}

/* --- a guest runs again --- */

CONF_PROGRAM(counts, VMR_SET(1, 7), VMR_STORE(VMR_PROGRAM_DATA, 4, 0x1234), VMR_WRMSR(0xc0000082u, 0x5678),
             VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), VMR_LOAD(2, VMR_PROGRAM_DATA, 4), VMR_EXPECT(2, 0x1234),
             VMR_STORE(VMR_PROGRAM_DATA, 4, 0x4321), VMR_STORE(FAR_PAGE, 8, 0x55), VMR_WRMSR(0xc0000082u, 0x8765),
             VMR_EXPECT(1, 7), VMR_SET(1, 8), VMR_OUT(PORT, 1, 3), VMR_END());

/* Its device asks for a stop at the second access. */
struct watch {
    struct conf_device device;
    struct vmr_stop_source *stop;
};

static void stop_at_second(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct watch *watch = device->user;

    (void)access;
    (void)write;
    if (device->writes == 2)
        vmr_stop_set(watch->stop);
}

/* A VM whose program has made its second access. NULL: failed. */
static struct conf_vm *half_way(struct conf *conf, const struct vmr_program *program, struct watch *watch)
{
    struct conf_vm *vm = vm_bound_with(conf, NULL, program);

    *watch = (struct watch){.device = {.user = watch, .on_access = stop_at_second}};
    if (!vm || !conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &watch->device) ||
        vmr_stop_create(conf->host, &watch->stop))
        return NULL;
    expect_halt(vm, watch->stop, VMR_HALT_STOP);
    watch->device.on_access = NULL;
    vmr_stop_destroy(watch->stop);
    return conf_failed(conf) ? NULL : vm;
}

static bool can_rewind(struct conf *conf)
{
    return state_is_held(conf, VMR_VP_REGISTERS);
}

static void a_guest_runs_again_from_the_point(struct conf *conf)
{
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    struct watch watch;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = half_way(conf, &counts, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *then = conf_picture_take(vm);

    for (unsigned turn = 1; turn <= TURNS && !conf_failed(conf); turn++) {
        uint64_t pages = 0;

        expect_end(vm);
        CONF_CHECK_EQ(conf, watch.device.writes, 2 + turn, "accesses");
        CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x4321, "what the guest wrote");
        if (!back(vm, rewind, &pages))
            break;
        CONF_CHECK(conf, pages >= 1, "no page was put back");
        CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x1234, "memory at the point");
        CONF_CHECK_EQ(conf, guest_word(vm, FAR_PAGE), 0, "memory that was zero");
        CONF_CLEANUP(conf_picture_end) struct conf_picture *now = conf_picture_take(vm);

        if (then && now)
            (void)conf_picture_compare(conf, now, then, "back");
    }
    rewind_end(&rewind);
    if (!conf_failed(conf))
        expect_end(vm);
}

/* --- every class comes back --- */

static void every_state_comes_back(struct conf *conf)
{
    CONF_PROGRAM(ends, VMR_END());
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = vm_bound_with(conf, &(struct conf_vm_options){.vps = 2}, &ends);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *then = conf_picture_take(vm);

    CONF_CHECK(conf, state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]), "driving");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *driven = conf_picture_take(vm);

    if (then && driven)
        CONF_CHECK(conf, conf_picture_hash(driven) != conf_picture_hash(then), "nothing was driven anywhere");
    if (back(vm, rewind, NULL)) {
        CONF_CLEANUP(conf_picture_end) struct conf_picture *now = conf_picture_take(vm);

        if (then && now)
            (void)conf_picture_compare(conf, now, then, "back");
    }
    rewind_end(&rewind);
}

/* --- what was asked of the guest meanwhile --- */

APIC_PROGRAM(takes_what_comes, VMR_EOI_XAPIC, APIC_ON(), VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), VMR_STI(),
             VMR_OUT(PORT, 1, 3), VMR_CLI(), VMR_END());

static void what_was_asked_since_has_not_happened(struct conf *conf)
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = 0x41};
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    struct watch watch;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = half_way(conf, &takes_what_comes, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    CONF_CHECK(conf, vmr_partition_msi(vm->partition, &msi) == VMR_OK, "the interrupt");
    CONF_CHECK(conf, vmr_partition_nmi(vm->partition, 0) == VMR_OK, "the NMI");
    if (back(vm, rewind, NULL))
        expect_end(vm);
    CONF_CHECK_EQ(conf, guest_word(vm, COUNT_OF(0, 0x41)), 0, "interrupts of before the way back");
    CONF_CHECK_EQ(conf, guest_word(vm, COUNT_OF(0, VECTOR_NMI)), 0, "NMIs of before the way back");
    CONF_CHECK(conf, back(vm, rewind, NULL) && vmr_partition_msi(vm->partition, &msi) == VMR_OK, "once more");
    expect_end(vm);
    CONF_CHECK_EQ(conf, guest_word(vm, COUNT_OF(0, 0x41)), 1, "interrupts of after it");
    rewind_end(&rewind);
}

/* Where no controller takes it, it waits for the VP to look. */
static void an_nmi_on_its_way_is_forgotten(struct conf *conf)
{
    CONF_PROGRAM(takes_one, VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), VMR_NOP(), VMR_OUT(PORT, 1, 3), VMR_NOP(),
                 VMR_END());
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    struct watch watch;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = half_way(conf, &takes_one, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    for (uint32_t later = 0; later < 2; later++) {
        CONF_CHECK(conf, later || vmr_partition_nmi(vm->partition, 0) == VMR_OK, "the NMI");
        CONF_REQUIRE(conf, back(vm, rewind, NULL), "back");
        CONF_CHECK(conf, !later || vmr_partition_nmi(vm->partition, 0) == VMR_OK, "the NMI");
        expect_end(vm);
        CONF_CHECK_EQ(conf, guest_word(vm, COUNT_OF(0, VECTOR_NMI)), later, "NMIs");
    }
    rewind_end(&rewind);
}

/* --- who writes meanwhile --- */

static void what_the_host_wrote_is_undone(struct conf *conf)
{
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    uint64_t pages = 0;
    struct watch watch;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = half_way(conf, &counts, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    guest_word_set(vm, VMR_PROGRAM_DATA, 1);
    guest_word_set(vm, FAR_PAGE, 2);
    CONF_CHECK_EQ(conf, vmr_memory_dirty_start(vm->memory, NULL), VMR_E_STATE, "somebody else's log");
    if (back(vm, rewind, &pages)) {
        CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x1234, "memory");
        CONF_CHECK_EQ(conf, guest_word(vm, FAR_PAGE), 0, "memory that was zero");
    }
    rewind_end(&rewind);
    CONF_CHECK(conf, vmr_memory_dirty_start(vm->memory, NULL) == VMR_OK, "the log is free again");
    CONF_CHECK_EQ(conf, vmr_memory_dirty_stop(vm->memory, NULL), VMR_OK, "stopping it");
}

/* --- what goes wrong --- */

static void another_memory_map_is_refused_without_change(struct conf *conf)
{
    const struct vmr_memory_region more = {.gpa = UINT64_C(1) << 32, .size = VMR_PAGE_SIZE};
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    struct vmr_error err = {.message = ""};
    struct watch watch;

    if (!can_rewind(conf))
        return;
    struct conf_vm *vm = half_way(conf, &counts, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    CONF_CHECK(conf, vmr_memory_region_add(vm->memory, &more, &err) == VMR_OK, "a region: %s", err.message);
    expect_end(vm);
    CONF_CHECK_EQ(conf, vmr_rewind_back(rewind, NULL, &err), VMR_E_CONFIG, "back");
    CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x4321, "memory");
    CONF_CHECK(conf, vmr_partition_is_usable(vm->partition), "it is unusable");
    rewind_end(&rewind);
}

static void a_way_back_that_fails_is_open_again_after_a_reset(struct conf *conf)
{
    CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
    struct vmr_run_result result;
    struct vmr_error err = {.message = ""};
    struct watch watch;
    struct conf_vm *vm = half_way(conf, &counts, &watch);

    CONF_REQUIRE(conf, vm && point(vm, &rewind), "no point");
    struct vmr_hypervisor_handle handle = *conf->handle;

    expect_end(vm);
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 2), VMR_OK, "the fault");
    CONF_CHECK_EQ(conf, vmr_rewind_back(rewind, NULL, &err), VMR_E_HOST, "back");
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_SET_STATE, 0), VMR_OK, "no fault");
    CONF_CHECK(conf, !vmr_partition_is_usable(vm->partition), "usable, though half is there");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run of half a VP");
    if (conf_reset(vm) && back(vm, rewind, NULL)) {
        CONF_CHECK_EQ(conf, guest_word(vm, VMR_PROGRAM_DATA), 0x1234, "memory");
        expect_end(vm);
    }
    rewind_end(&rewind);
}

#define REWIND_SCENARIO(function, kind, ...)                                                                           \
    {                                                                                                                  \
        .name = #function, .family = "rewind", .needs = CONF_CAP(DIRTY_LOG), .chip = CONF_CHIP_##kind,                 \
        .run = (function), __VA_ARGS__                                                                                 \
    }

static const struct conf_scenario scenarios[] = {
    REWIND_SCENARIO(a_guest_runs_again_from_the_point, ANY, .clauses = "RWD-1"),
    REWIND_SCENARIO(every_state_comes_back, ANY, .clauses = "RWD-1"),
    REWIND_SCENARIO(what_was_asked_since_has_not_happened, ANY, .clauses = "RWD-1 SNAP-4",
                    .quirks = CONF_QUIRK_STI_WINDOW),
    REWIND_SCENARIO(an_nmi_on_its_way_is_forgotten, NONE, .clauses = "RWD-1 SNAP-4"),
    REWIND_SCENARIO(what_the_host_wrote_is_undone, ANY, .clauses = "RWD-1 RWD-2"),
    REWIND_SCENARIO(another_memory_map_is_refused_without_change, ANY, .clauses = "RWD-3"),
    REWIND_SCENARIO(a_way_back_that_fails_is_open_again_after_a_reset, ANY, .clauses = "RWD-3",
                    .flags = CONF_MOCK_ONLY),
};
CONF_FAMILY(rewind, scenarios);
