/* SPDX-License-Identifier: MIT */
/*
 * Devices of an embedder's in a machine: made in order, reached by the guest,
 * reset and saved with it, destroyed in the other order, whatever fails.
 */

#include "lib/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/machine/scripted_backend.h"
#include "vmrig/machine_snapshot.h"

#define SECOND UINT64_C(1000000000)
#define MIB UINT64_C(0x100000)
#define PORT 0x300u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One byte at a port, whose number is its parameter. */
struct latch {
    struct latch_state {
        uint8_t value;
    } state;
    struct vmr_bus *ports;
    uint16_t port;
};

static char order[64]; /* what was made and destroyed, by the last digit of the port */

static void note(char what, const struct latch *latch)
{
    size_t length = strlen(order);

    assert_true(length + 3 < sizeof(order));
    order[length] = what;
    order[length + 1] = (char)('0' + latch->port % 10);
    order[length + 2] = '\0';
}

static uint64_t latch_read(void *device, const struct vmr_access *access)
{
    (void)access;
    return ((struct latch *)device)->state.value;
}

static void latch_write(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)access;
    ((struct latch *)device)->state.value = (uint8_t)value;
}

static const struct vmr_device_ops latch_ops = {.read = latch_read, .write = latch_write};

static enum vmr_status latch_create(void *context, const struct vmr_resource *resource,
                                    const struct vmr_resource_place *place, void **ret_device, struct vmr_error *err)
{
    struct latch *latch = calloc(1, sizeof(*latch));

    assert_ptr_equal(context, order);
    assert_non_null(latch);
    assert_non_null(place->memory);
    latch->ports = place->ports;
    latch->port = (uint16_t)resource->parameters[0].number;
    const struct vmr_bus_range range = {
        .name = place->name, .start = latch->port, .length = 1, .ops = &latch_ops, .device = latch};
    enum vmr_status status = vmr_bus_claim(place->ports, &range, err);

    if (status != VMR_OK) {
        free(latch);
        return status;
    }
    note('+', latch);
    *ret_device = latch;
    return VMR_OK;
}

static void latch_destroy(void *device)
{
    struct latch *latch = device;

    note('-', latch);
    assert_int_equal(vmr_bus_release(latch->ports, latch->port, NULL), VMR_OK);
    free(latch);
}

static const struct vmr_state_field latch_fields[] = {
    VMR_STATE_FIELD(struct latch_state, value, "value", VMR_FIELD_HEX),
};
static const struct vmr_state_type latch_type = {
    .name = "latch", .version = 1, .size = sizeof(struct latch_state), .field_count = 1, .fields = latch_fields};

static enum vmr_status latch_get(void *object, void *ret_value, struct vmr_error *err)
{
    (void)err;
    *(struct latch_state *)ret_value = ((struct latch *)object)->state;
    return VMR_OK;
}

static enum vmr_status latch_set(void *object, const void *value, struct vmr_error *err)
{
    (void)err;
    ((struct latch *)object)->state = *(const struct latch_state *)value;
    return VMR_OK;
}

static void latch_at_reset(const void *object, void *ret_value)
{
    (void)object;
    *(struct latch_state *)ret_value = (struct latch_state){.value = 0x77};
}

static void latch_unit(void *device, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &latch_type, .object = device, .get = latch_get, .set = latch_set, .at_reset = latch_at_reset};
}

static const struct vmr_resource_type type = {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
                                              .id = "latch",
                                              .create = latch_create,
                                              .destroy = latch_destroy,
                                              .state_unit = latch_unit,
                                              .context = order};

static uint8_t firmware[0x10000];
static struct vmr_host host;
static struct scripted scripted;
static struct vmr_hypervisor_handle handle;
static struct vmr_machine *machine;

/* It has a state to look at, and runs nothing. */
static void open_mock(void)
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    assert_int_equal(vmr_probe_named(&set, "mock", &handle, NULL), VMR_OK);
}

static void destroy(void)
{
    vmr_machine_destroy(machine);
    machine = NULL;
    vmr_handle_close(&handle);
}

static enum vmr_status create(const struct scripted_step *steps, size_t count, uint16_t second_port,
                              struct vmr_error *err)
{
    const struct vmr_parameter ports[2] = {{.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = PORT},
                                           {.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = second_port}};
    const struct vmr_resource resources[2] = {{.id = "latch", .parameters = &ports[0], .parameter_count = 1},
                                              {.id = "latch", .parameters = &ports[1], .parameter_count = 1}};
    const struct vmr_machine_device devices[2] = {{.type = &type, .resource = &resources[0], .name = "first"},
                                                  {.type = &type, .resource = &resources[1], .name = "second"}};

    order[0] = '\0';
    vmr_host_posix(&host, NULL);
    if (steps)
        scripted_handle(&scripted, steps, count, &handle);
    else
        open_mock();
    const struct vmr_machine_options options = {.handle = &handle,
                                                .host = &host,
                                                .memory_size = 2 * MIB,
                                                .vps = 1,
                                                .firmware = firmware,
                                                .firmware_size = sizeof(firmware),
                                                .devices = devices,
                                                .device_count = COUNT(devices)};

    return vmr_machine_create(&options, &machine, err);
}

static void devices_are_made_in_order_and_destroyed_in_the_other(void **state)
{
    (void)state;
    assert_int_equal(create(NULL, 0, PORT + 1, NULL), VMR_OK);
    assert_string_equal(order, "+8+9");
    destroy();
    assert_string_equal(order, "+8+9-9-8");
}

static void one_that_fails_takes_the_others_with_it(void **state)
{
    struct vmr_error err = {0};

    (void)state;
    machine = NULL;
    assert_int_equal(create(NULL, 0, PORT, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "second"));
    assert_string_equal(order, "+8-8");
    assert_null(machine);
    vmr_handle_close(&handle);
}

static void the_guest_reaches_them(void **state)
{
    static const struct scripted_step steps[] = {{SCRIPTED_OUT, PORT, 0x12},
                                                 {SCRIPTED_OUT, PORT + 1, 0x34},
                                                 {SCRIPTED_IN, PORT, 0x12},
                                                 {SCRIPTED_IN, PORT + 1, 0x34},
                                                 {SCRIPTED_OUT, 0xf4, 0}};
    struct vmr_vp_set_halt halt;

    (void)state;
    assert_int_equal(create(steps, COUNT(steps), PORT + 1, NULL), VMR_OK);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(vmr_machine_wait(machine, host.ops->now_ns(host.context) + 10 * SECOND, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_POWER_OFF);
    assert_int_equal(scripted.wrong_answers, 0);
    destroy();
}

static void their_states_have_numbers_and_go_back_to_power_up(void **state)
{
    struct vmr_state_unit units[4];
    struct latch_state value;

    (void)state;
    assert_int_equal(create(NULL, 0, PORT + 1, NULL), VMR_OK);
    assert_int_equal(machine_devices_state_units(machine, NULL, 0), 2);
    assert_int_equal(machine_devices_state_units(machine, units, 4), 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_ptr_equal(units[i].type, &latch_type);
        assert_int_equal(units[i].instance, i);
    }
    machine_devices_reset(machine);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(units[i].get(units[i].object, &value, NULL), VMR_OK);
        assert_int_equal(value.value, 0x77);
    }
    destroy();
}

struct text {
    char bytes[65536];
    size_t length;
};

static void take(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    assert_true(length < sizeof(text->bytes) - text->length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static void inspection_shows_them(void **state)
{
    static struct text text;
    const struct vmr_text_sink sink = {.write = take, .context = &text};

    (void)state;
    assert_int_equal(create(NULL, 0, PORT + 1, NULL), VMR_OK);
    assert_int_equal(vmr_machine_inspect(machine, VMR_STATE_TEXT, &sink, NULL), VMR_OK);
    assert_non_null(strstr(text.bytes, "latch"));
    destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_made_in_order_and_destroyed_in_the_other),
        cmocka_unit_test(one_that_fails_takes_the_others_with_it),
        cmocka_unit_test(the_guest_reaches_them),
        cmocka_unit_test(their_states_have_numbers_and_go_back_to_power_up),
        cmocka_unit_test(inspection_shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
