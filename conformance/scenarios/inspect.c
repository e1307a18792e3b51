/* SPDX-License-Identifier: MIT */
/*
 * What the tree of a VM tells beyond its states: how it is wired, and what waits
 * in it. That looking changes nothing is in snapshot.c.
 */

#include "conformance/scenarios/machine_vm.h"
#include "conformance/scenarios/snapshot_words.h"

#define PORT 0x300u

CONF_PROGRAM(rests, VMR_END());

/* A VM of which the VP is bound. NULL: failed. */
static struct conf_vm *bound_vm(struct conf *conf, const struct conf_vm_options *options)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    return vm && conf_load(vm, 0, &rests) && conf_bind(vm, 0) ? vm : NULL;
}

struct page {
    char bytes[0x4000];
    size_t length;
};

/* What comes behind a full page is cut: the rows are at the end, so the beginning goes. */
static void keep_end(void *context, const char *bytes, size_t length)
{
    struct page *page = context;
    size_t half = (sizeof(page->bytes) - 1) / 2;

    if (length > half)
        return;
    if (page->length + length >= sizeof(page->bytes)) {
        memmove(page->bytes, page->bytes + page->length - half, half);
        page->length = half;
    }
    memcpy(page->bytes + page->length, bytes, length);
    page->length += length;
    page->bytes[page->length] = '\0';
}

static bool tells(struct conf *conf, const struct vmr_snapshot_parts *parts, const char *line)
{
    struct page *page = calloc(1, sizeof(*page));
    const struct vmr_text_sink sink = {.write = keep_end, .context = page};
    struct vmr_error err = {.message = ""};
    enum vmr_status status = page ? vmr_inspect(parts, VMR_STATE_TEXT, &sink, &err) : VMR_E_NOMEM;
    bool told = status == VMR_OK && strstr(page->bytes, line) != NULL;

    CONF_CHECK(conf, status == VMR_OK, "inspecting: %s", err.message);
    free(page);
    return told;
}

/* The end of a machine's tree, while its guest runs, which goes on. */
static void a_machine_tells_its_devices_while_it_runs(struct conf *conf)
{
    static const char owner[] = "\nrange bus=\"port\" start=0x70 length=0x2 sizes=0x1 owner=\"cmos\"\n";
    struct page *page = calloc(1, sizeof(*page));
    const struct vmr_text_sink sink = {.write = keep_end, .context = page};
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!page || (conf->caps.vp_classes >> VMR_VP_REGISTERS & 1) == 0) {
        conf_skip(conf, "the hypervisor does not give its state away");
        free(page);
        return;
    }
    if (machine_counts_begin(&vm, conf)) {
        machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
        (void)wait_beyond(&vm, 3);
        enum vmr_status status = vmr_machine_inspect(vm.machine, VMR_STATE_TEXT, &sink, &err);
        uint32_t count = machine_word(&vm, COUNT_GPA);

        CONF_CHECK(conf, status == VMR_OK, "inspecting: %s", err.message);
        CONF_CHECK(conf, strstr(page->bytes, owner) != NULL, "the clock's ports are missing");
        (void)wait_beyond(&vm, count);
        machine_end(&vm);
    }
    free(page);
}

static void ring_nobody(void *context)
{
    (void)context;
}

/* Whether a stopped VP can be told; the scenario is skipped where not. */
static bool gives_registers(struct conf *conf)
{
    bool given = (conf->caps.vp_classes >> VMR_VP_REGISTERS & 1) != 0;

    if (!given)
        conf_skip(conf, "the hypervisor does not give its state away");
    return given;
}

static void a_vm_tells_who_is_on_its_buses(struct conf *conf)
{
    static const char range[] = "\nrange bus=\"port\" start=0x300 length=0x1 sizes=0x1 owner=\"";
    static const char bell[] = "\ndoorbell bus=\"mmio\" address=0xe0001000 size=4 value=0x7 minimum-vtl=0\n";
    const struct vmr_doorbell doorbell = {
        .address = 0xe0001000, .size = 4, .match_value = true, .value = 7, .ring = ring_nobody};
    struct conf_device device = {.answer = 0};
    struct snapshot_vm parts;
    uint64_t id = 0;

    struct conf_vm *vm = bound_vm(conf, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    if (!gives_registers(conf))
        return;
    snapshot_parts_of(vm, &parts);
    parts.parts.ports = vm->ports;
    parts.parts.mmio = vm->mmio;
    CONF_CHECK(conf, !tells(conf, &parts.parts, range) && !tells(conf, &parts.parts, bell), "what is not there");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->ports, PORT, 1, VMR_SIZE_1, &device), "no range");
    CONF_REQUIRE(conf, vmr_bus_doorbell_add(vm->mmio, &doorbell, &id, NULL) == VMR_OK, "no doorbell");
    CONF_CHECK(conf, tells(conf, &parts.parts, range), "the range is missing");
    CONF_CHECK(conf, tells(conf, &parts.parts, bell), "the doorbell is missing");
    CONF_CHECK_EQ(conf, vmr_bus_doorbell_remove(vm->mmio, id, NULL), VMR_OK, "taking it away");
    CONF_CHECK(conf, !tells(conf, &parts.parts, bell), "the doorbell is told though it is gone");
}

static const struct vmr_hv_config with_hv = {0};

/* A message to a SINT whose slot no page has waits: in the VM, and in its snapshot. */
static void ports_and_what_waits_are_told(struct conf *conf)
{
    static const char queue[] = "\nqueue vp=0 vtl=0 sint=3 messages=2\n";
    static const char aimed[] = "\nguest-port kind=\"message\" vp=0 vtl=0 sint=3\n";
    const struct vmr_synic_target target = {.sint = 3};
    struct vmr_guest_message_port *port = NULL;
    struct snapshot_vm parts;
    const uint64_t payload = 1;

    struct conf_vm *vm = bound_vm(conf, &(struct conf_vm_options){.hv = &with_hv});

    CONF_REQUIRE(conf, vm, "no VM");
    if (!gives_registers(conf))
        return;
    struct vmr_synic *synic = vmr_hv_guest_synic(vmr_partition_hv(vm->partition));

    CONF_REQUIRE(conf, vmr_guest_message_port_create(synic, &target, &port, NULL) == VMR_OK, "no port");
    snapshot_parts_of(vm, &parts);
    CONF_CHECK(conf, !tells(conf, &parts.parts, queue), "a queue that is empty");
    for (unsigned i = 0; i < 2; i++)
        CONF_CHECK_EQ(conf, vmr_guest_message_port_post(port, 1, &payload, sizeof(payload)), VMR_OK, "posting");
    CONF_CHECK(conf, tells(conf, &parts.parts, aimed), "the guest port is missing");
    CONF_CHECK(conf, tells(conf, &parts.parts, queue), "the queue is missing");
    vmr_guest_message_port_destroy(port);
    CONF_CHECK(conf, !tells(conf, &parts.parts, aimed), "the guest port is told though it is gone");
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_vm_tells_who_is_on_its_buses",
     .family = "inspect",
     .clauses = "INSP-2",
     .chip = CONF_CHIP_ANY,
     .run = a_vm_tells_who_is_on_its_buses},
    {.name = "a_machine_tells_its_devices_while_it_runs",
     .family = "inspect",
     .clauses = "INSP-1 INSP-2",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_machine_tells_its_devices_while_it_runs},
    {.name = "ports_and_what_waits_are_told",
     .family = "inspect",
     .clauses = "INSP-2",
     .needs = CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT),
     .chip = CONF_CHIP_ANY,
     .run = ports_and_what_waits_are_told},
};

CONF_FAMILY(inspect, scenarios);
