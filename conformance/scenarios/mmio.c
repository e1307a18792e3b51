/* SPDX-License-Identifier: MIT */
/*
 * Memory-mapped I/O: accesses to guest physical addresses without RAM behind
 * them, and to RAM that the guest may not write.
 */

#include "conformance/conformance.h"

#include <stdatomic.h>
#include <string.h>

#define PAGE UINT64_C(0xd0000000)
#define ALL_SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4 | VMR_SIZE_8)

static void mmio_sizes(struct conf *conf)
{
    CONF_PROGRAM(sizes, VMR_STORE(PAGE, 1, 0xa1), VMR_STORE(PAGE + 2, 2, 0xb2b1), VMR_STORE(PAGE + 4, 4, 0xc4c3c2c1),
                 VMR_STORE(PAGE + 8, 8, UINT64_C(0xd8d7d6d5d4d3d2d1)), VMR_LOAD(0, PAGE, 1), VMR_EXPECT(0, 0x88),
                 VMR_LOAD(0, PAGE + 2, 2), VMR_EXPECT(0, 0x7788), VMR_LOAD(0, PAGE + 4, 4), VMR_EXPECT(0, 0x55667788),
                 VMR_LOAD(0, PAGE + 8, 8), VMR_EXPECT(0, UINT64_C(0x1122334455667788)), VMR_END());
    static const uint64_t written[] = {0xa1, 0xb2b1, 0xc4c3c2c1, UINT64_C(0xd8d7d6d5d4d3d2d1)};
    struct conf_device device = {.answer = UINT64_C(0x1122334455667788)};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &sizes) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.writes, 4, "writes");
    CONF_CHECK_EQ(conf, device.reads, 4, "reads");
    for (unsigned i = 0; i < 4; i++)
        CONF_CHECK_EQ(conf, device.written[i], written[i], "the value written");
    for (unsigned i = 0; i < 8; i++)
        CONF_CHECK_EQ(conf, device.sizes[i], UINT64_C(1) << i % 4, "the size of an access");
    CONF_CHECK_EQ(conf, device.last_write.offset, 8, "the offset of the last write");
    CONF_CHECK_EQ(conf, device.last_read.offset, 8, "the offset of the last read");
}

/* Two pages of bytes, kept by the exit handler itself: what is looked at is the exits. */
struct pages {
    struct conf *conf;
    uint32_t exits;
    uint8_t bytes[2 * VMR_PAGE_SIZE];
};

static enum vmr_exit_action serve_pages(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                        enum vmr_halt_reason *ret_reason)
{
    struct pages *pages = context;
    struct vmr_exit_mmio *mmio = &vp_exit->u.mmio;
    uint64_t offset = mmio->gpa - PAGE;

    (void)vp;
    (void)ret_reason;
    if (vp_exit->kind != VMR_EXIT_MMIO || offset >= sizeof(pages->bytes))
        return VMR_EXIT_DEFAULT;
    pages->exits++;
    CONF_CHECK(pages->conf, offset % VMR_PAGE_SIZE + mmio->size <= VMR_PAGE_SIZE, "an exit of %u bytes at %#llx",
               mmio->size, (unsigned long long)mmio->gpa);
    CONF_CHECK(pages->conf, vmr_exit_is_valid(vp_exit), "an exit that is not valid");
    if (mmio->direction == VMR_READ)
        mmio->value = 0;
    for (unsigned i = 0; i < mmio->size && offset + i < sizeof(pages->bytes); i++) {
        if (mmio->direction == VMR_WRITE)
            pages->bytes[offset + i] = (uint8_t)(mmio->value >> (8 * i));
        else
            mmio->value |= (uint64_t)pages->bytes[offset + i] << (8 * i);
    }
    return VMR_EXIT_CONTINUE;
}

static void page_crossing(struct conf *conf)
{
    CONF_PROGRAM(crossing, VMR_STORE(PAGE + 0xffe, 4, 0x44332211), VMR_LOAD(0, PAGE + 0xffe, 4),
                 VMR_EXPECT(0, 0x44332211), VMR_STORE(PAGE + 0xfff, 2, 0x6655), VMR_LOAD(0, PAGE + 0xffe, 4),
                 VMR_EXPECT(0, 0x44665511), VMR_STORE(PAGE + 0xffd, 8, UINT64_C(0x8877665544332211)),
                 VMR_LOAD(0, PAGE + 0xffd, 8), VMR_EXPECT(0, UINT64_C(0x8877665544332211)),
                 VMR_LOAD(0, PAGE + 0xff9, 8), VMR_EXPECT(0, UINT64_C(0x4433221100000000)), VMR_END());
    static const uint8_t want[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    struct pages pages = {.conf = conf};
    const struct conf_vm_options options = {.io = {.exit = serve_pages, .context = &pages}};

    if (!conf_run_program(conf, &options, &crossing))
        return;
    CONF_CHECK(conf, pages.exits >= 14, "7 accesses that cross a page were %u exits", pages.exits);
    CONF_CHECK(conf, memcmp(pages.bytes + 0xffd, want, sizeof(want)) == 0, "the bytes are not where they belong");
    CONF_CHECK_EQ(conf, pages.bytes[0xffc] | pages.bytes[0x1005], 0, "the bytes around");
}

/* A crossing read is one instruction and two exits: finishing the first must yield the second, not the instruction. */
static void crossing_completed(struct conf *conf)
{
    CONF_PROGRAM(crossing, VMR_LOAD(0, PAGE + 0xffe, 4), VMR_EXPECT(0, 0x44332211), VMR_END());
    struct pages pages = {.conf = conf};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason = VMR_HALT_NONE;
    unsigned parts = 1;

    memcpy(pages.bytes + 0xffe, (const uint8_t[]){0x11, 0x22, 0x33, 0x44}, 4);
    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &crossing) && conf_bind(vm, 0), "no VM");
    do {
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the step failed");
    } while (vp_exit.kind == VMR_EXIT_CANCEL);
    CONF_REQUIRE(conf, vp_exit.kind == VMR_EXIT_MMIO, "exit %s", vmr_exit_kind_name(vp_exit.kind));
    while (vp_exit.kind == VMR_EXIT_MMIO && parts < 10) {
        (void)serve_pages(&pages, vm->vps[0], &vp_exit, &reason);
        CONF_REQUIRE(conf, vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK, "the step was not finished");
        parts += vp_exit.kind == VMR_EXIT_MMIO;
    }
    CONF_CHECK_EQ(conf, parts, 2, "parts of the access");
    CONF_CHECK_EQ(conf, vp_exit.kind, VMR_EXIT_NONE, "what is left when it is finished");
    (void)conf_run_to_end(vm, 0);
}

#define KEPT VMR_PROGRAM_DATA

static void go_on_elsewhere(void *argument)
{
    struct conf_vm *vm = argument;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(vm->conf, vmr_partition_bind(vm->partition, 0, &vm->vps[0], &err) == VMR_OK, "%s", err.message);
    (void)conf_run_to_end(vm, 0);
    conf_unbind(vm, 0);
}

/* `vp` waits at a part of its crossing read. Given up there, it goes on behind the whole read on another thread. */
static void give_up(struct conf_vm *vm, struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    struct conf_device device = {.answer = UINT64_MAX};

    CONF_REQUIRE(vm->conf, vp_exit->kind == VMR_EXIT_MMIO, "exit %s", vmr_exit_kind_name(vp_exit->kind));
    CONF_REQUIRE(vm->conf, conf_device_claim(vm, vm->mmio, PAGE, 2 * VMR_PAGE_SIZE, ALL_SIZES, &device), "no device");
    conf_unbind(vm, 0);
    CONF_CHECK_EQ(vm->conf, vmr_vp_step_complete(vp, vp_exit), VMR_E_STATE, "finishing what was given up");
    struct vmr_thread *thread = conf_thread(vm->conf, go_on_elsewhere, vm);

    CONF_REQUIRE(vm->conf, thread != NULL, "no thread");
    conf_join(vm->conf, thread);
    CONF_CHECK_EQ(vm->conf, device.reads + device.writes, 0, "calls of a device, for what was given up");
}

/* Before its first part is answered, and before its second: what is not answered reads as zero. */
static void crossing_given_up(struct conf *conf, bool answered)
{
    CONF_PROGRAM(crossing, VMR_LOAD(0, PAGE + 0xffe, 4), VMR_STORE_VAR(KEPT, 8, 0), VMR_END());
    struct pages pages = {.conf = conf};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason = VMR_HALT_NONE;
    uint64_t kept = UINT64_MAX;

    memcpy(pages.bytes + 0xffe, (const uint8_t[]){0x11, 0x22, 0x33, 0x44}, 4);
    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &crossing) && conf_bind(vm, 0), "no VM");
    struct vmr_vp *vp = vm->vps[0];

    do {
        CONF_REQUIRE(conf, vmr_vp_step(vp, &vp_exit) == VMR_OK, "the step failed");
    } while (vp_exit.kind == VMR_EXIT_CANCEL);
    if (answered) {
        (void)serve_pages(&pages, vp, &vp_exit, &reason);
        CONF_REQUIRE(conf, vmr_vp_step_complete(vp, &vp_exit) == VMR_OK, "the first part was not finished");
    }
    give_up(vm, vp, &vp_exit);
    CONF_CHECK(conf, vmr_memory_read(vm->memory, KEPT, &kept, sizeof(kept)) == VMR_OK, "no word");
    CONF_CHECK_EQ(conf, kept, answered ? 0x2211 : 0, "what was read");
    conf_vm_destroy(vm);
}

static void crossing_elsewhere(struct conf *conf)
{
    crossing_given_up(conf, false);
    crossing_given_up(conf, true);
}

static void unclaimed_mmio(struct conf *conf)
{
    CONF_PROGRAM(unclaimed, VMR_LOAD(0, PAGE, 1), VMR_EXPECT(0, 0xff), VMR_LOAD(0, PAGE, 2), VMR_EXPECT(0, 0xffff),
                 VMR_LOAD(0, PAGE, 4), VMR_EXPECT(0, 0xffffffff), VMR_LOAD(0, PAGE, 8), VMR_EXPECT(0, UINT64_MAX),
                 VMR_LOAD(0, PAGE + 0xffd, 8), VMR_EXPECT(0, UINT64_MAX), VMR_STORE(PAGE, 8, 0), VMR_LOAD(0, PAGE, 8),
                 VMR_EXPECT(0, UINT64_MAX), VMR_END());
    struct conf_device neighbours = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, PAGE - 8, 8, ALL_SIZES, &neighbours), "no device below");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->mmio, PAGE + 0x1005, 8, ALL_SIZES, &neighbours), "no device above");
    CONF_REQUIRE(conf, conf_load(vm, 0, &unclaimed) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, neighbours.reads + neighbours.writes, 0, "calls to the devices around");
}

static void cut_accesses(struct conf *conf)
{
    CONF_PROGRAM(cut, VMR_STORE(PAGE, 8, UINT64_C(0x8877665544332211)), VMR_STORE(PAGE + 2, 4, 0xddccbbaa),
                 VMR_LOAD(0, PAGE + 0xc, 8), VMR_EXPECT(0, UINT64_C(0xffffffff00000007)), VMR_END());
    static const uint64_t written[] = {0x44332211, 0x88776655, 0xddccbbaa};
    struct conf_device device = {.answer = 7};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, PAGE, 16, VMR_SIZE_1 | VMR_SIZE_4, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &cut) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_REQUIRE(conf, device.writes == 3, "3 pieces were written, the device saw %u", device.writes);
    for (unsigned i = 0; i < 3; i++)
        CONF_CHECK_EQ(conf, device.written[i], written[i], "a piece");
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
}

static uint64_t read_nothing(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return 0;
}

static void write_nothing(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)device;
    (void)access;
    (void)value;
}

static void bad_claims(struct conf *conf)
{
    static const struct vmr_device_ops nothing = {.read = read_nothing, .write = write_nothing};
    static const struct {
        uint64_t start, length;
    } bad[] = {{PAGE, 4096},
               {PAGE - 1, 2},
               {PAGE + 4095, 1},
               {PAGE + 0x10000, 0},
               {UINT64_C(1) << VMR_PHYSICAL_BITS_MAX, 1},
               {(UINT64_C(1) << VMR_PHYSICAL_BITS_MAX) - 1, 2},
               {4096, UINT64_MAX}};
    struct conf_device device = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, &device), "no device");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct vmr_bus_range range = {
            .name = "intruder", .start = bad[i].start, .length = bad[i].length, .sizes = VMR_SIZE_1, .ops = &nothing};

        CONF_CHECK(conf, vmr_bus_claim(vm->mmio, &range, &err) != VMR_OK, "[%#llx, +%#llx) was taken",
                   (unsigned long long)range.start, (unsigned long long)range.length);
        CONF_CHECK(conf, strstr(err.message, "intruder") != NULL, "the claim is not named: %s", err.message);
        CONF_CHECK(conf, i > 2 || strstr(err.message, "the scenario's device") != NULL, "the owner is not named: %s",
                   err.message);
    }
}

static void ring(void *context)
{
    atomic_uint *rings = context;

    atomic_fetch_add(rings, 1);
}

/* One for any size and value, one for 4 bytes, one for 4 bytes of 9: the narrowest that matches rings. */
static void doorbell_order(struct conf *conf)
{
    CONF_PROGRAM(rings, VMR_STORE(PAGE, 4, 9), VMR_STORE(PAGE, 4, 8), VMR_STORE(PAGE, 8, 9), VMR_STORE(PAGE + 4, 4, 9),
                 VMR_LOAD(0, PAGE, 4), VMR_EXPECT(0, 5), VMR_END());
    atomic_uint counts[3] = {0};
    const struct vmr_doorbell doorbells[] = {
        {.address = PAGE, .ring = ring, .context = &counts[0]},
        {.address = PAGE, .size = 4, .ring = ring, .context = &counts[1]},
        {.address = PAGE, .size = 4, .match_value = true, .value = 9, .ring = ring, .context = &counts[2]}};
    struct conf_device device = {.answer = 5};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;
    uint64_t id;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, &device), "no device");
    for (unsigned i = 0; i < 3; i++)
        CONF_REQUIRE(conf, vmr_bus_doorbell_add(vm->mmio, &doorbells[i], &id, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, conf_load(vm, 0, &rings) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    for (unsigned i = 0; i < 3; i++)
        CONF_CHECK_EQ(conf, atomic_load(&counts[i]), 1, "rings of each doorbell");
    CONF_CHECK_EQ(conf, device.writes, 1, "writes that go on to the range");
    CONF_CHECK_EQ(conf, device.reads, 1, "reads, which never ring");
}

#define ROM 0x400000u

static void read_only_region(struct conf *conf)
{
    CONF_PROGRAM(rom, VMR_LOAD(0, ROM, 4), VMR_EXPECT(0, 0x11111111), VMR_STORE(ROM, 4, 0x22222222),
                 VMR_LOAD(0, ROM, 4), VMR_EXPECT(0, 0x11111111), VMR_CHECKPOINT(1), VMR_LOAD(0, ROM, 4),
                 VMR_EXPECT(0, 0x11111111), VMR_END());
    const struct vmr_memory_region region = {.gpa = ROM, .size = VMR_PAGE_SIZE, .read_only = true};
    struct conf_device device = {.answer = UINT64_MAX};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->mmio, ROM, 4096, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, vmr_memory_region_add(vm->memory, &region, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, vmr_memory_fill(vm->memory, ROM, 0x11, 4) == VMR_OK, "the host may write it");
    CONF_REQUIRE(conf, conf_load(vm, 0, &rom) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.writes, 1, "writes that became MMIO");
    CONF_CHECK_EQ(conf, device.written[0], 0x22222222, "the value written");
    CONF_CHECK_EQ(conf, device.reads, 0, "reads, which are RAM's");
}

static void host_access_to_holes(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, after[8] = {0};
    uint64_t old = 5;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    vmr_gpa end = vmr_memory_size(vm->memory);

    CONF_CHECK(conf, vmr_memory_write(vm->memory, end - 4, bytes, 8) == VMR_E_GUEST, "written into a hole");
    CONF_CHECK(conf, vmr_memory_read(vm->memory, end - 4, after, 4) == VMR_OK && after[0] == 0, "half was written");
    CONF_CHECK(conf, vmr_memory_read(vm->memory, end - 4, bytes, 8) == VMR_E_GUEST && bytes[0] == 1, "half was read");
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, end, 0, 1) == VMR_E_GUEST, "filled a hole");
    CONF_CHECK(conf, vmr_memory_fetch_or(vm->memory, end, 8, 1, &old) == VMR_E_GUEST && old == 5, "or into a hole");
    CONF_CHECK(conf, vmr_memory_read(vm->memory, UINT64_MAX - 3, after, 8) == VMR_E_GUEST, "the end wraps");
}

static const struct conf_scenario scenarios[] = {
    {.name = "mmio_carries_each_size_both_ways",
     .family = "mmio",
     .ids = "EXIT-08",
     .clauses = "EXIT-4 EXIT-8",
     .chip = CONF_CHIP_ANY,
     .run = mmio_sizes},
    {.name = "mmio_across_a_page_is_two_exits",
     .family = "mmio",
     .ids = "EXIT-08",
     .clauses = "EXIT-4 EXIT-5",
     .chip = CONF_CHIP_ANY,
     .run = page_crossing},
    {.name = "finishing_half_a_crossing_read_yields_the_other_half",
     .family = "mmio",
     .ids = "EXIT-02",
     .clauses = "EXIT-6 RUN-13",
     .chip = CONF_CHIP_ANY,
     .run = crossing_completed},
    {.name = "half_a_crossing_read_is_not_found_on_another_thread",
     .family = "mmio",
     .ids = "CVE-2014-0049 CVE-2026-31588",
     .clauses = "EXIT-6 LIFE-6 LIFE-7",
     .needs = CONF_CAP(REBIND),
     .chip = CONF_CHIP_ANY,
     .run = crossing_elsewhere},
    {.name = "unclaimed_mmio_reads_ones_and_swallows_writes",
     .family = "mmio",
     .clauses = "IO-1 IO-2",
     .chip = CONF_CHIP_ANY,
     .run = unclaimed_mmio},
    {.name = "mmio_is_cut_to_the_sizes_a_range_takes",
     .family = "mmio",
     .clauses = "IO-3 IO-4",
     .chip = CONF_CHIP_ANY,
     .run = cut_accesses},
    {.name = "mmio_claims_that_overlap_or_leave_the_space_are_refused",
     .family = "mmio",
     .clauses = "IO-5",
     .chip = CONF_CHIP_ANY,
     .run = bad_claims},
    {.name = "of_several_doorbells_the_narrowest_rings",
     .family = "mmio",
     .clauses = "IO-7",
     .chip = CONF_CHIP_ANY,
     .run = doorbell_order},
    {.name = "a_guest_write_to_read_only_memory_is_mmio",
     .family = "mmio",
     .clauses = "MEM-5",
     .chip = CONF_CHIP_ANY,
     .needs = CONF_CAP(READ_ONLY),
     .run = read_only_region},
    {.name = "the_librarys_access_to_a_hole_fails_whole",
     .family = "mmio",
     .clauses = "MEM-5 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = host_access_to_holes},
};

CONF_FAMILY(mmio, scenarios);
