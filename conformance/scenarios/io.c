/* SPDX-License-Identifier: MIT */
/*
 * Port I/O: what the guest's IN, OUT, INS and OUTS do to the devices on the
 * port bus. How exits are finished is in exit.c.
 */

#include "conformance/conformance.h"

#include <stdatomic.h>
#include <string.h>

#define PORT 0x700u
#define ALL_SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)
#define DATA VMR_PROGRAM_DATA

static void port_sizes(struct conf *conf)
{
    CONF_PROGRAM(sizes, VMR_OUT(PORT, 1, 0xa1), VMR_OUT(PORT, 2, 0xb2b1), VMR_OUT(PORT, 4, 0xc4c3c2c1),
                 VMR_SET(1, UINT64_MAX), VMR_IN(1, PORT, 1), VMR_EXPECT(1, 0x88), VMR_IN(2, PORT, 2),
                 VMR_EXPECT(2, 0x7788), VMR_IN(3, PORT, 4), VMR_EXPECT(3, 0x55667788), VMR_END());
    static const uint64_t written[] = {0xa1, 0xb2b1, 0xc4c3c2c1};
    static const uint32_t used[] = {1, 2, 4, 1, 2, 4};
    struct conf_device device = {.answer = UINT64_C(0x1122334455667788)};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &sizes) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.writes, 3, "writes");
    CONF_CHECK_EQ(conf, device.reads, 3, "reads");
    for (unsigned i = 0; i < 3; i++)
        CONF_CHECK_EQ(conf, device.written[i], written[i], "the value written");
    for (unsigned i = 0; i < 6; i++)
        CONF_CHECK_EQ(conf, device.sizes[i], used[i], "the size of an access");
}

static void unclaimed_ports(struct conf *conf)
{
    CONF_PROGRAM(unclaimed, VMR_IN(0, 0x5555, 1), VMR_EXPECT(0, 0xff), VMR_IN(0, 0x5555, 2), VMR_EXPECT(0, 0xffff),
                 VMR_IN(0, 0x5555, 4), VMR_EXPECT(0, 0xffffffff), VMR_OUT(0x5555, 1, 1), VMR_OUT(0x5555, 2, 2),
                 VMR_OUT(0x5555, 4, 3), VMR_IN(0, 0x5555, 4), VMR_EXPECT(0, 0xffffffff), VMR_END());
    struct conf_device neighbours = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, 0x5551, 4, ALL_SIZES, &neighbours), "no device below");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->ports, 0x5559, 4, ALL_SIZES, &neighbours), "no device above");
    CONF_REQUIRE(conf, conf_load(vm, 0, &unclaimed) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, neighbours.reads + neighbours.writes, 0, "calls to the devices around");
}

/* Of OUTS: where the items of each size begin, each time elsewhere, and 3 bytes or fewer before a page's end. */
static const struct {
    uint32_t size, count, start;
} outs_strings[] = {{1, 1, 0xffd}, {1, 7, 0x1ffd}, {2, 7, 0x2fff}, {4, 7, 0x3ffd}};

#define OUTS_BYTES 0x5000u

/* No two bytes near each other are alike. */
static uint8_t outs_byte(uint32_t offset)
{
    return (uint8_t)(offset * 7 + offset / 256 + 3);
}

static void check_items(struct conf *conf, const struct conf_device *device)
{
    uint32_t call = 0;

    for (unsigned i = 0; i < sizeof(outs_strings) / sizeof(outs_strings[0]); i++) {
        uint32_t size = outs_strings[i].size;

        for (uint32_t item = 0; item < outs_strings[i].count; item++, call++) {
            uint64_t want = 0;

            for (uint32_t byte = 0; byte < size; byte++)
                want |= (uint64_t)outs_byte(outs_strings[i].start + item * size + byte) << (8 * byte);
            CONF_CHECK_EQ(conf, device->sizes[call], size, "the size of an item");
            CONF_CHECK_EQ(conf, device->written[call], want, "an item");
        }
    }
}

static void string_out(struct conf *conf)
{
    CONF_PROGRAM(outs, VMR_OUTS(PORT, 1, 1, DATA + 0xffd), VMR_OUTS(PORT, 1, 7, DATA + 0x1ffd),
                 VMR_OUTS(PORT, 2, 7, DATA + 0x2fff), VMR_OUTS(PORT, 4, 7, DATA + 0x3ffd), VMR_END());
    struct conf_device device = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint8_t bytes[OUTS_BYTES];

    for (uint32_t i = 0; i < OUTS_BYTES; i++)
        bytes[i] = outs_byte(i);
    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, vmr_memory_write(vm->memory, DATA, bytes, sizeof(bytes)) == VMR_OK, "no RAM");
    CONF_REQUIRE(conf, conf_load(vm, 0, &outs) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_REQUIRE(conf, device.writes == 22, "22 items were written, the device saw %u", device.writes);
    check_items(conf, &device);
}

/* Every byte of an answer is the item's number: one that is missing shows. */
static void string_in(struct conf *conf)
{
    CONF_PROGRAM(ins, VMR_INS(PORT, 1, 1, DATA + 0x800), VMR_INS(PORT, 2, 7, DATA + 0xffd),
                 VMR_INS(PORT, 4, 7, DATA + 0x1ffe), VMR_LOAD(0, DATA + 0x800, 2), VMR_EXPECT(0, 0x01),
                 VMR_LOAD(0, DATA + 0xffd, 8), VMR_EXPECT(0, UINT64_C(0x0505040403030202)),
                 VMR_LOAD(0, DATA + 0x1ffe, 8), VMR_EXPECT(0, UINT64_C(0x0a0a0a0a09090909)), VMR_END());
    struct conf_device device = {.answer = 0x01010101, .answer_step = 0x01010101};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint8_t bytes[32];

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &ins) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.reads, 15, "items read");
    CONF_REQUIRE(conf, vmr_memory_read(vm->memory, DATA + 0x1ffe, bytes, sizeof(bytes)) == VMR_OK, "no RAM");
    for (unsigned i = 0; i < sizeof(bytes); i++)
        CONF_CHECK_EQ(conf, bytes[i], i < 28 ? 9 + i / 4 : 0, "a byte of the last string");
}

/* More than any hypervisor moves in one exit: 4,500 bytes in items of 2. */
static void long_string(struct conf *conf)
{
    CONF_PROGRAM(long_ins, VMR_INS(PORT, 2, 2250, DATA), VMR_OUTS(PORT + 4, 2, 2250, DATA), VMR_END());
    struct conf_device in = {.answer = 0x4000, .answer_step = 1}, out = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    uint8_t bytes[4502];

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, ALL_SIZES, &in), "no device");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->ports, PORT + 4, 4, ALL_SIZES, &out), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &long_ins) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, in.reads, 2250, "items read");
    CONF_CHECK_EQ(conf, out.writes, 2250, "items written");
    CONF_CHECK_EQ(conf, out.written[63], 0x4000 + 63, "an item");
    CONF_CHECK_EQ(conf, out.last_write.size, 2, "the size of an item");
    CONF_REQUIRE(conf, vmr_memory_read(vm->memory, DATA, bytes, sizeof(bytes)) == VMR_OK, "no RAM");
    CONF_CHECK_EQ(conf, bytes[4498] | bytes[4499] << 8, 0x4000 + 2249, "the last item");
    CONF_CHECK_EQ(conf, bytes[4500] | bytes[4501], 0, "what lies behind the string");
}

static void empty_string(struct conf *conf)
{
    CONF_PROGRAM(empty, VMR_OUTS(PORT, 1, 0, DATA), VMR_INS(PORT, 4, 0, DATA), VMR_LOAD(0, DATA, 4), VMR_EXPECT(0, 0),
                 VMR_END());
    struct conf_device device = {.answer = UINT64_MAX};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &empty) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.reads + device.writes, 0, "calls to the device");
}

static void direction_flag(struct conf *conf)
{
    CONF_PROGRAM(
        down, {.op = VMR_STEP_INS, .size = 2, .address = PORT, .count = 7, .value = DATA + 0x1004, .backward = true},
        VMR_LOAD(0, DATA + 0x1004, 4), VMR_EXPECT(0, 0x0101), VMR_LOAD(0, DATA + 0xffc, 8),
        VMR_EXPECT(0, UINT64_C(0x0202030304040505)), VMR_LOAD(0, DATA + 0xff4, 8),
        VMR_EXPECT(0, UINT64_C(0x0606070700000000)),
        {.op = VMR_STEP_OUTS, .size = 2, .address = PORT, .count = 7, .value = DATA + 0x1004, .backward = true},
        VMR_OUTS(PORT, 1, 2, DATA + 0x1002), VMR_END());
    static const uint64_t written[] = {0x0101, 0x0202, 0x0303, 0x0404, 0x0505, 0x0606, 0x0707, 2, 2};
    struct conf_device device = {.answer = 0x0101, .answer_step = 0x0101};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &down) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_REQUIRE(conf, device.writes == 9, "9 items were written, the device saw %u", device.writes);
    for (unsigned i = 0; i < 9; i++)
        CONF_CHECK_EQ(conf, device.written[i], written[i], "an item");
}

static void narrow_range(struct conf *conf)
{
    CONF_PROGRAM(narrow, VMR_OUT(PORT, 4, 0x44332211), VMR_IN(0, PORT, 4), VMR_EXPECT(0, 0x04030201),
                 VMR_OUT(PORT + 1, 2, 0x6655), VMR_END());
    static const uint64_t written[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66};
    struct conf_device device = {.answer = 1, .answer_step = 1};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, VMR_SIZE_1, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &narrow) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, device.reads, 4, "reads");
    CONF_REQUIRE(conf, device.writes == 6, "6 bytes were written, the device saw %u", device.writes);
    for (unsigned i = 0; i < 6; i++)
        CONF_CHECK_EQ(conf, device.written[i], written[i], "a byte");
    CONF_CHECK_EQ(conf, device.last_write.offset, 2, "where the last byte went");
}

static void range_end(struct conf *conf)
{
    CONF_PROGRAM(end, VMR_OUT(PORT, 4, 0x44332211), VMR_IN(0, PORT, 4), VMR_EXPECT(0, 0xbbbbaaaa),
                 VMR_IN(0, PORT + 2, 4), VMR_EXPECT(0, 0xffffbbbb), VMR_END());
    struct conf_device low = {.answer = 0xaaaaaaaa}, high = {.answer = 0xbbbbbbbb};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 2, ALL_SIZES, &low), "no device");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->ports, PORT + 2, 2, ALL_SIZES, &high), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &end) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, low.writes, 1, "writes below");
    CONF_CHECK_EQ(conf, low.written[0], 0x2211, "what was written below");
    CONF_CHECK_EQ(conf, high.writes, 1, "writes above");
    CONF_CHECK_EQ(conf, high.written[0], 0x4433, "what was written above");
}

static void last_port(struct conf *conf)
{
    CONF_PROGRAM(last, VMR_IN(0, 0xfffe, 4), VMR_EXPECT(0, 0xffff2211), VMR_OUT(0xffff, 2, 0x4433), VMR_END());
    struct conf_device top = {.answer = 0x2211}, bottom = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, 0xfffe, 2, ALL_SIZES, &top), "no device");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->ports, 0, 4, ALL_SIZES, &bottom), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &last) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, top.written[0], 0x33, "what was written to the last port");
    CONF_CHECK_EQ(conf, bottom.reads + bottom.writes, 0, "calls to port 0");
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

static enum vmr_status claim(struct conf_vm *vm, uint64_t start, uint64_t length, struct vmr_error *err)
{
    static const struct vmr_device_ops nothing = {.read = read_nothing, .write = write_nothing};
    const struct vmr_bus_range range = {
        .name = "intruder", .start = start, .length = length, .sizes = VMR_SIZE_1, .ops = &nothing};

    return vmr_bus_claim(vm->ports, &range, err);
}

static void bad_claims(struct conf *conf)
{
    static const struct {
        uint64_t start, length;
    } bad[] = {{PORT, 8},   {PORT + 7, 1}, {PORT - 1, 2}, {PORT - 8, 64},      {PORT + 2, 1},
               {0x6000, 0}, {0xffff, 2},   {0x10000, 1},  {0x6000, UINT64_MAX}};
    struct conf_device device = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err.message[0] = '\0';
        CONF_CHECK(conf, claim(vm, bad[i].start, bad[i].length, &err) != VMR_OK, "[%#llx, +%#llx) was taken",
                   (unsigned long long)bad[i].start, (unsigned long long)bad[i].length);
        CONF_CHECK(conf, strstr(err.message, "intruder") != NULL, "the claim is not named: %s", err.message);
        CONF_CHECK(conf, i > 4 || strstr(err.message, "the scenario's device") != NULL, "the owner is not named: %s",
                   err.message);
    }
    CONF_CHECK(conf, claim(vm, PORT + 8, 8, &err) == VMR_OK, "the neighbour is refused: %s", err.message);
}

/* --- claims while a VP runs --- */

struct changing {
    struct conf_vm *vm;
    struct conf_device first, second;
};

static void take_second(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct changing *changing = device->user;

    (void)access;
    (void)write;
    (void)conf_device_claim(changing->vm, changing->vm->ports, PORT + 8, 4, ALL_SIZES, &changing->second);
}

static void give_first_back(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct changing *changing = device->user;
    struct vmr_error err;

    (void)access;
    (void)write;
    CONF_CHECK(changing->vm->conf, vmr_bus_release(changing->vm->ports, PORT, &err) == VMR_OK, "%s", err.message);
}

static void claims_in_callbacks(struct conf *conf)
{
    CONF_PROGRAM(change, VMR_IN(0, PORT + 8, 1), VMR_EXPECT(0, 0xff), VMR_IN(0, PORT, 1), VMR_EXPECT(0, 0x11),
                 VMR_IN(0, PORT + 8, 1), VMR_EXPECT(0, 0x22), VMR_IN(0, PORT, 1), VMR_EXPECT(0, 0xff), VMR_END());
    struct changing changing = {.first = {.answer = 0x11, .on_access = take_second},
                                .second = {.answer = 0x22, .on_access = give_first_back}};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    changing.vm = vm;
    changing.first.user = changing.second.user = &changing;
    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, ALL_SIZES, &changing.first), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &change) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, changing.first.reads, 1, "reads of the first device");
}

struct coming {
    struct conf_vm *vm;
    struct conf_device device;
};

/* Claims the port, waits until the guest has seen it, and gives it back. */
static void come_and_go(void *argument)
{
    struct coming *coming = argument;
    struct conf_vm *vm = coming->vm;
    struct vmr_error err;

    if (!conf_wait_checkpoint(vm, 0, 1) || !conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &coming->device) ||
        !conf_wait_checkpoint(vm, 0, 2))
        return;
    CONF_CHECK(vm->conf, vmr_bus_release(vm->ports, PORT, &err) == VMR_OK, "%s", err.message);
}

static void claims_from_another_thread(struct conf *conf)
{
    CONF_PROGRAM(polling, VMR_CHECKPOINT(1), VMR_IN(0, PORT, 1), VMR_JUMP_EQ(0, 0xff, 1), VMR_EXPECT(0, 0x55),
                 VMR_CHECKPOINT(2), VMR_IN(0, PORT, 1), VMR_JUMP_EQ(0, 0x55, 5), VMR_EXPECT(0, 0xff), VMR_END());
    struct coming coming = {.device = {.answer = 0x55}};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    coming.vm = vm;
    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &polling) && conf_bind(vm, 0), "no VM");
    struct vmr_thread *thread = conf_thread(conf, come_and_go, &coming);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

/* --- doorbells --- */

static void ring(void *context)
{
    atomic_uint *rings = context;

    atomic_fetch_add(rings, 1);
}

static void doorbell_value(struct conf *conf)
{
    CONF_PROGRAM(rings, VMR_OUT(PORT, 2, 7), VMR_OUT(PORT, 2, 8), VMR_OUT(PORT, 1, 7), VMR_OUT(PORT + 1, 2, 7),
                 VMR_OUT(PORT, 2, 7), VMR_CHECKPOINT(1), VMR_OUT(PORT, 2, 7), VMR_END());
    static const uint64_t passed_on[] = {8, 7, 7};
    atomic_uint count = 0;
    const struct vmr_doorbell doorbell = {
        .address = PORT, .size = 2, .match_value = true, .value = 7, .ring = ring, .context = &count};
    struct conf_device device = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;
    uint64_t id;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, vmr_bus_doorbell_add(vm->ports, &doorbell, &id, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_bus_doorbell_add(vm->ports, &doorbell, &id, &err) == VMR_E_CONFIG, "a second one is taken");
    CONF_REQUIRE(conf, conf_load(vm, 0, &rings) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, atomic_load(&count), 3, "rings");
    CONF_REQUIRE(conf, device.writes == 3, "3 writes go on to the range, it saw %u", device.writes);
    for (unsigned i = 0; i < 3; i++)
        CONF_CHECK_EQ(conf, device.written[i], passed_on[i], "a value that goes on to the range");
    CONF_REQUIRE(conf, vmr_bus_doorbell_remove(vm->ports, id, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_bus_doorbell_remove(vm->ports, id, &err) == VMR_E_USAGE, "removed twice");
}

static void doorbell_vtl(struct conf *conf)
{
    CONF_PROGRAM(below, VMR_OUT(PORT, 1, 1), VMR_OUT(PORT + 1, 1, 2), VMR_END());
    atomic_uint high = 0, low = 0;
    const struct vmr_doorbell above = {
        .address = PORT, .size = 1, .minimum_vtl = VMR_VTL1, .ring = ring, .context = &high};
    const struct vmr_doorbell any = {.address = PORT + 1, .size = 1, .ring = ring, .context = &low};
    struct conf_device device = {0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;
    uint64_t id;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, vmr_bus_doorbell_add(vm->ports, &above, &id, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, vmr_bus_doorbell_add(vm->ports, &any, &id, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, conf_load(vm, 0, &below) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, atomic_load(&high), 0, "rings from below the minimum VTL");
    CONF_CHECK_EQ(conf, atomic_load(&low), 1, "rings without a minimum");
    CONF_CHECK_EQ(conf, device.writes, 1, "writes that go on to the range");
    CONF_CHECK_EQ(conf, device.written[0], 1, "the value that goes on");
}

/* A bit of everything, noted as the guest and the devices saw it. */
static void transcript(struct conf *conf)
{
    CONF_PROGRAM(everything, VMR_SET(0, 3), VMR_OUT_VAR(PORT, 1, 0), VMR_IN(1, PORT, 4), VMR_STORE_VAR(DATA, 8, 1),
                 VMR_OR(DATA, 4, 0xf0000000), VMR_LOAD(2, DATA, 8), VMR_OUT_VAR(PORT, 4, 2), VMR_ADD(2, 1),
                 VMR_STORE_VAR(UINT64_C(0xd0000000), 8, 2), VMR_LOAD(3, 0xd0000004, 4), VMR_OUT_VAR(PORT, 2, 3),
                 VMR_LOOP(0, 1), VMR_OUTS(PORT, 2, 3, DATA), VMR_END());
    struct conf_device device = {.answer = 0x12345678, .answer_step = 0x01010101};
    struct conf_device memory = {.answer = 0xcafe0000, .answer_step = 1};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->mmio, 0xd0000000, 4096, ALL_SIZES | VMR_SIZE_8, &memory), "none");
    CONF_REQUIRE(conf, conf_load(vm, 0, &everything) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "it failed");
    CONF_CHECK_EQ(conf, device.writes, 12, "writes to the port");
    CONF_CHECK_EQ(conf, memory.writes, 3, "writes to the page");
    for (uint32_t i = 0; i < device.writes && i < 64; i++)
        conf_note(conf, "port %llx", (unsigned long long)device.written[i]);
    for (uint32_t i = 0; i < memory.writes && i < 64; i++)
        conf_note(conf, "page %llx", (unsigned long long)memory.written[i]);
    for (uint32_t i = 0; i < device.writes + device.reads && i < 64; i++)
        conf_note(conf, "size %u", device.sizes[i]);
}

static const struct conf_scenario scenarios[] = {
    {.name = "ports_carry_each_size_both_ways",
     .family = "io",
     .ids = "EXIT-08",
     .clauses = "EXIT-8",
     .chip = CONF_CHIP_ANY,
     .run = port_sizes},
    {.name = "unclaimed_ports_read_ones_and_swallow_writes",
     .family = "io",
     .clauses = "IO-1 IO-2",
     .chip = CONF_CHIP_ANY,
     .run = unclaimed_ports},
    {.name = "string_out_keeps_size_count_and_order",
     .family = "io",
     .ids = "EXIT-03",
     .clauses = "EXIT-3",
     .chip = CONF_CHIP_ANY,
     .run = string_out},
    {.name = "string_in_fills_ram_across_pages",
     .family = "io",
     .ids = "EXIT-03",
     .clauses = "EXIT-3",
     .chip = CONF_CHIP_ANY,
     .run = string_in},
    {.name = "strings_longer_than_an_exit_arrive_whole",
     .family = "io",
     .ids = "EXIT-03",
     .clauses = "EXIT-3",
     .chip = CONF_CHIP_ANY,
     .run = long_string},
    {.name = "a_string_of_no_items_calls_nobody",
     .family = "io",
     .ids = "EXIT-03",
     .clauses = "EXIT-3",
     .chip = CONF_CHIP_ANY,
     .run = empty_string},
    {.name = "the_direction_flag_turns_strings_round",
     .family = "io",
     .ids = "EXIT-04",
     .clauses = "EXIT-3",
     .chip = CONF_CHIP_ANY,
     .run = direction_flag},
    {.name = "an_access_is_cut_to_the_sizes_a_range_takes",
     .family = "io",
     .clauses = "IO-3",
     .chip = CONF_CHIP_ANY,
     .run = narrow_range},
    {.name = "an_access_is_cut_where_a_range_ends",
     .family = "io",
     .clauses = "IO-4 IO-1",
     .chip = CONF_CHIP_ANY,
     .run = range_end},
    {.name = "the_last_port_does_not_wrap", .family = "io", .clauses = "IO-4", .chip = CONF_CHIP_ANY, .run = last_port},
    {.name = "claims_that_overlap_or_leave_the_space_are_refused",
     .family = "io",
     .clauses = "IO-5 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = bad_claims},
    {.name = "a_device_may_change_the_bus_that_calls_it",
     .family = "io",
     .clauses = "IO-6",
     .chip = CONF_CHIP_ANY,
     .run = claims_in_callbacks},
    {.name = "ranges_come_and_go_under_a_running_guest",
     .family = "io",
     .clauses = "IO-6",
     .chip = CONF_CHIP_ANY,
     .run = claims_from_another_thread},
    {.name = "a_doorbell_takes_its_value_and_no_other",
     .family = "io",
     .clauses = "IO-7",
     .chip = CONF_CHIP_ANY,
     .run = doorbell_value},
    {.name = "a_write_below_the_minimum_vtl_does_not_ring",
     .family = "io",
     .clauses = "IO-7",
     .chip = CONF_CHIP_ANY,
     .run = doorbell_vtl},
    {.name = "one_program_has_one_transcript",
     .family = "io",
     .clauses = "PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = transcript},
};

CONF_FAMILY(io, scenarios);
