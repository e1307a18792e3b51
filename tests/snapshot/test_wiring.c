/* SPDX-License-Identifier: MIT */
/* Ranges, doorbells and ports of a living VM, in text and in JSON. */

#include "lib/snapshot/wiring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vmrig/hv_guest.h"
#include "vmrig/vmrig.h"

struct text {
    char bytes[8192];
    size_t length;
};

static void append(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    assert_true(text->length + length < sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

struct wired {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_snapshot_parts parts;
};

static void begin(struct wired *wired, const struct vmr_hv_config *hv)
{
    const struct vmr_memory_region ram = {.size = 0x100000};
    struct vmr_backend_set set;
    struct vmr_proto *proto;

    *wired = (struct wired){.memory = NULL};
    vmr_host_posix(&wired->host, NULL);
    vmr_backend_set_init(&set);
    assert_int_equal(vmr_probe_named(&set, "mock", &wired->handle, NULL), VMR_OK);
    assert_int_equal(vmr_memory_create(&wired->host, &wired->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(wired->memory, &ram, NULL), VMR_OK);
    const struct vmr_proto_options options = {.host = &wired->host, .vp_count = 1, .hv = hv};

    assert_int_equal(vmr_proto_create(&wired->handle, &options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = wired->memory},
                                     &wired->parts.partition, NULL),
                     VMR_OK);
    assert_int_equal(vmr_bus_create(&wired->host, VMR_BUS_PORTS, &wired->parts.ports, NULL), VMR_OK);
    assert_int_equal(vmr_bus_create(&wired->host, VMR_BUS_MMIO, &wired->parts.mmio, NULL), VMR_OK);
}

static void end(struct wired *wired)
{
    assert_int_equal(vmr_partition_destroy(wired->parts.partition), VMR_OK);
    vmr_bus_destroy(wired->parts.ports);
    vmr_bus_destroy(wired->parts.mmio);
    vmr_memory_destroy(wired->memory);
    vmr_handle_close(&wired->handle);
}

static const char *printed(const struct wired *wired, bool json, struct text *ret_text)
{
    const struct vmr_text_sink sink = {.write = append, .context = ret_text};
    struct printing printing = {.sink = &sink, .json = json};

    *ret_text = (struct text){.length = 0};
    assert_int_equal(wiring_print(&wired->parts, &printing), VMR_OK);
    return ret_text->bytes;
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

static void ring_nothing(void *context)
{
    (void)context;
}

/* Long because both forms are written out. */
static void buses_tell_ranges_with_owners_and_doorbells(void **state)
{
    static const struct vmr_device_ops ops = {.read = read_nothing, .write = write_nothing};
    const struct vmr_bus_range range = {.name = "a \"quoted\\\x01\xe9", .start = 0x60, .length = 5, .ops = &ops},
                               page = {.name = "page",
                                       .start = 0xfee00000,
                                       .length = 0x1000,
                                       .sizes = VMR_SIZE_1 | VMR_SIZE_4,
                                       .ops = &ops};
    const struct vmr_doorbell bell = {
        .address = 0x1000, .size = 4, .match_value = true, .value = 7, .minimum_vtl = 1, .ring = ring_nothing};
    const struct vmr_doorbell kernel = {.address = 0x70, .size = 1};
    struct wired wired;
    struct text text;
    uint64_t id;
    int fd = -1;

    (void)state;
    begin(&wired, NULL);
    assert_string_equal(printed(&wired, true, &text), ",\"ranges\":[],\"doorbells\":[]");
    assert_string_equal(printed(&wired, false, &text), "");
    assert_int_equal(vmr_bus_claim(wired.parts.ports, &range, NULL), VMR_OK);
    assert_int_equal(vmr_bus_claim(wired.parts.mmio, &page, NULL), VMR_OK);
    assert_int_equal(vmr_bus_doorbell_add(wired.parts.mmio, &bell, &id, NULL), VMR_OK);
    assert_int_equal(wired.host.ops->events->create(wired.host.context, &fd), VMR_OK);
    assert_int_equal(vmr_partition_doorbell(wired.parts.partition, VMR_BUS_PORTS, &kernel, fd, true, NULL), VMR_OK);
    assert_string_equal(printed(&wired, false, &text),
                        "range bus=\"port\" start=0x60 length=0x5 sizes=0x1 owner=\"a \\\"quoted\\\\\\u0001\\u00e9\"\n"
                        "range bus=\"mmio\" start=0xfee00000 length=0x1000 sizes=0x5 owner=\"page\"\n"
                        "doorbell bus=\"mmio\" address=0x1000 size=4 value=0x7 minimum-vtl=1\n"
                        "doorbell bus=\"port\" address=0x70 size=1 minimum-vtl=0 in-hypervisor\n");
    assert_string_equal(
        printed(&wired, true, &text),
        ",\"ranges\":[{\"bus\":\"port\",\"start\":\"0x60\",\"length\":\"0x5\",\"sizes\":\"0x1\","
        "\"owner\":\"a \\\"quoted\\\\\\u0001\\u00e9\"},{\"bus\":\"mmio\",\"start\":\"0xfee00000\","
        "\"length\":\"0x1000\",\"sizes\":\"0x5\",\"owner\":\"page\"}],"
        "\"doorbells\":[{\"bus\":\"mmio\",\"address\":\"0x1000\",\"size\":4,\"value\":\"0x7\",\"minimum-vtl\":1,"
        "\"in-hypervisor\":false},{\"bus\":\"port\",\"address\":\"0x70\",\"size\":1,\"minimum-vtl\":0,"
        "\"in-hypervisor\":true}]");
    assert_int_equal(vmr_partition_doorbell(wired.parts.partition, VMR_BUS_PORTS, &kernel, fd, false, NULL), VMR_OK);
    assert_int_equal(vmr_bus_doorbell_remove(wired.parts.mmio, id, NULL), VMR_OK);
    assert_int_equal(vmr_bus_release(wired.parts.mmio, 0xfee00000, NULL), VMR_OK);
    assert_int_equal(vmr_bus_release(wired.parts.ports, 0x60, NULL), VMR_OK);
    assert_string_equal(printed(&wired, false, &text), "");
    wired.host.ops->events->destroy(wired.host.context, fd);
    end(&wired);
}

static bool take(void *context, const void *payload, size_t length, bool trusted)
{
    (void)context;
    (void)payload;
    (void)length;
    (void)trusted;
    return true;
}

static void hear(void *context, uint16_t flag)
{
    (void)context;
    (void)flag;
}

/* Long because each port is made, printed and taken away. */
static void a_synic_tells_its_ports_and_where_guest_ports_send(void **state)
{
    const struct vmr_hv_config hv = {.tsc_hz = 1000000000};
    const struct vmr_message_port message = {.connection_id = 0x2002, .minimum_vtl = 1, .post = take};
    const struct vmr_event_port event = {.connection_id = 0x1001, .signal = hear};
    const struct vmr_synic_target target = {.vp = 0, .sint = 2};
    struct vmr_synic_port *ports[2];
    struct vmr_guest_message_port *posts;
    struct vmr_guest_event_port *signals, *nowhere;
    struct wired wired;
    struct text text;

    (void)state;
    begin(&wired, &hv);
    struct vmr_synic *synic = vmr_hv_guest_synic(vmr_partition_hv(wired.parts.partition));

    assert_int_equal(vmr_synic_message_port_add(synic, &message, &ports[0], NULL), VMR_OK);
    assert_int_equal(vmr_synic_event_port_add(synic, &event, &ports[1], NULL), VMR_OK);
    assert_int_equal(vmr_guest_message_port_create(synic, &target, &posts, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_create(synic, &target, 77, &signals, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_create(synic, &target, 1, &nowhere, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_set(nowhere, NULL, 0, NULL), VMR_OK);
    assert_string_equal(printed(&wired, false, &text), "port connection=0x1001 kind=\"event\" minimum-vtl=0\n"
                                                       "port connection=0x2002 kind=\"message\" minimum-vtl=1\n"
                                                       "guest-port kind=\"event\"\n"
                                                       "guest-port kind=\"event\" vp=0 vtl=0 sint=2 flag=77\n"
                                                       "guest-port kind=\"message\" vp=0 vtl=0 sint=2\n");
    vmr_synic_port_remove(ports[0]);
    vmr_guest_event_port_destroy(signals); /* in the middle of the list */
    vmr_guest_message_port_set_target_vp(posts, 9);
    assert_string_equal(printed(&wired, false, &text), "port connection=0x1001 kind=\"event\" minimum-vtl=0\n"
                                                       "guest-port kind=\"event\"\n"
                                                       "guest-port kind=\"message\" vp=9 vtl=0 sint=2\n");
    vmr_guest_event_port_destroy(nowhere);
    assert_string_equal(printed(&wired, true, &text),
                        ",\"ranges\":[],\"doorbells\":[],\"ports\":[{\"connection\":\"0x1001\",\"kind\":\"event\","
                        "\"minimum-vtl\":0,\"os-event\":false}],"
                        "\"guest-ports\":[{\"kind\":\"message\",\"vp\":9,\"vtl\":0,\"sint\":2}]");
    end(&wired);
    vmr_guest_message_port_destroy(posts); /* outlives the SynIC */
    vmr_synic_port_remove(ports[1]);
}

/* From the middle of the list, its end and its beginning, in this order. */
static void guest_ports_leave_the_list_in_any_order(void **state)
{
    static const size_t order[] = {1, 0, 3, 2};
    const struct vmr_hv_config hv = {.tsc_hz = 1000000000};
    struct vmr_guest_message_port *ports[4];
    struct vmr_guest_port_info infos[4];
    struct wired wired;

    (void)state;
    begin(&wired, &hv);
    struct vmr_synic *synic = vmr_hv_guest_synic(vmr_partition_hv(wired.parts.partition));

    for (uint8_t i = 0; i < 4; i++) {
        const struct vmr_synic_target target = {.sint = i};

        assert_int_equal(vmr_guest_message_port_create(synic, &target, &ports[i], NULL), VMR_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        vmr_guest_message_port_destroy(ports[order[i]]);
        assert_int_equal(vmr_synic_guest_ports(synic, infos, 4), 3 - i);
        for (size_t at = 0; at < 3 - i; at++) {
            for (size_t gone = 0; gone <= i; gone++)
                assert_int_not_equal(infos[at].target.sint, order[gone]);
        }
    }
    end(&wired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buses_tell_ranges_with_owners_and_doorbells),
        cmocka_unit_test(guest_ports_leave_the_list_in_any_order),
        cmocka_unit_test(a_synic_tells_its_ports_and_where_guest_ports_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
