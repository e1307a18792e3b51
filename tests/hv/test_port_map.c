/* SPDX-License-Identifier: MIT */
/*
 * The map of ports against a model that cannot be wrong: an array with a place
 * for each of a few ids, chosen so that they collide. And what a full map,
 * missing memory and an old handle do.
 */

#include "tests/hv/synic_rig.h"

#include <stdlib.h>

#include "tests/support/counting_host.h"

#define MODEL_IDS 96u
#define OPERATIONS 60000u

struct fixture {
    struct fake_host fake;
    struct port_map map;
    struct monitor monitor;
    unsigned released;
};

static void count_release(void *context)
{
    ((struct fixture *)context)->released++;
}

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    fake_host_init(&fixture->fake, 0);
    assert_int_equal(port_map_init(&fixture->map, &fixture->fake.host), VMR_OK);
    monitor_init(&fixture->monitor, &fixture->fake.host);
}

static void fixture_finish(struct fixture *fixture)
{
    struct port *port;

    while ((port = port_map_remove_any(&fixture->map)) != NULL)
        port_put(port);
    port_map_finish(&fixture->map);
    port_map_finish(&fixture->map);
}

static struct port *new_port(struct fixture *fixture, uint32_t connection_id)
{
    struct port *port = calloc(1, sizeof(*port));

    assert_non_null(port);
    *port = (struct port){.host = &fixture->fake.host,
                          .references = 1,
                          .kind = PORT_EVENT,
                          .connection_id = connection_id,
                          .release = count_release,
                          .context = fixture};
    return port;
}

static struct port *must_add(struct fixture *fixture, uint32_t connection_id)
{
    struct port *port = new_port(fixture, connection_id);

    assert_int_equal(port_map_add(&fixture->map, port, NULL, NULL), VMR_OK);
    return port;
}

/* Few enough to be taken often; every third is far away, and some of those share a home. */
static uint32_t id_of(unsigned index)
{
    return index % 3 == 0 ? index * UINT32_C(0x02000000) + index : index;
}

struct model {
    struct port *ports[MODEL_IDS];
    uint64_t numbers[MODEL_IDS]; /* also of those that are gone */
    unsigned count;
};

static void try_add(struct fixture *fixture, struct model *model, unsigned index)
{
    struct port *port = new_port(fixture, id_of(index));
    enum vmr_status status = port_map_add(&fixture->map, port, NULL, NULL);

    assert_int_equal(status, model->ports[index] ? VMR_E_CONFIG : VMR_OK);
    if (status) {
        free(port);
        return;
    }
    assert_true(port->number > model->numbers[index]);
    model->ports[index] = port;
    model->numbers[index] = port->number;
    model->count++;
}

static void try_remove(struct fixture *fixture, struct model *model, unsigned index, bool stale)
{
    struct port *port = port_map_remove(&fixture->map, id_of(index), model->numbers[index] - stale);

    assert_ptr_equal(port, stale ? NULL : model->ports[index]);
    if (!port)
        return;
    model->ports[index] = NULL;
    model->count--;
    port_put(port);
}

static void the_map_does_what_an_array_does(void **state)
{
    (void)state;
    struct fixture fixture;
    struct model model = {0};
    uint64_t seed = 99;
    unsigned found = 0, most = 0;

    fixture_init(&fixture);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        unsigned index = rig_pick(&seed, MODEL_IDS), kind = rig_pick(&seed, 8);
        bool growing = i / 4000 % 2 == 0;

        if (kind < (growing ? 4u : 2u))
            try_add(&fixture, &model, index);
        else if (kind < 6)
            try_remove(&fixture, &model, index, kind == 5);
        struct port *port = port_map_find(&fixture.map, id_of(index));

        assert_ptr_equal(port, model.ports[index]);
        found += port != NULL;
        if (port)
            port_put(port);
        assert_int_equal(fixture.map.count, model.count);
        most = model.count > most ? model.count : most;
    }
    assert_true(found > OPERATIONS / 5 && found < OPERATIONS && most > 3 * MODEL_IDS / 5);
    fixture_finish(&fixture);
}

static void the_extremes_of_ids_are_ids(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_null(port_map_find(&fixture.map, 0)); /* empty, without a table */
    assert_null(port_map_remove(&fixture.map, 0, 0));
    must_add(&fixture, 0);
    must_add(&fixture, UINT32_MAX);
    struct port *port = port_map_find(&fixture.map, UINT32_MAX);

    assert_int_equal(port->connection_id, UINT32_MAX);
    port_put(port);
    assert_null(port_map_find(&fixture.map, 1));
    fixture_finish(&fixture);
    assert_int_equal(fixture.released, 2);
}

static void a_port_in_use_outlives_its_removal(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    must_add(&fixture, 7);
    struct port *used = port_map_find(&fixture.map, 7);
    struct port *removed = port_map_remove(&fixture.map, 7, used->number);

    assert_ptr_equal(removed, used);
    port_put(removed);
    assert_int_equal(fixture.released, 0);
    port_put(used);
    assert_int_equal(fixture.released, 1);
    fixture_finish(&fixture);
}

static void an_id_that_is_taken_is_named_with_its_kind(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};

    fixture_init(&fixture);
    must_add(&fixture, 0x1234);
    struct port *twin = new_port(&fixture, 0x1234);

    twin->kind = PORT_MESSAGE;
    assert_int_equal(port_map_add(&fixture.map, twin, NULL, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "connection 0x1234: an event port has this id already");
    free(twin);
    fixture_finish(&fixture);
}

static void a_monitor_id_that_is_taken_refuses_the_port(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};

    fixture_init(&fixture);
    for (uint32_t id = 0; id < 2; id++) {
        struct port *port = new_port(&fixture, id);

        port->has_monitor = true;
        port->monitor_id = 9;
        assert_int_equal(port_map_add(&fixture.map, port, &fixture.monitor, &err), id == 0 ? VMR_OK : VMR_E_CONFIG);
        if (id == 1)
            free(port);
    }
    assert_string_equal(err.message, "monitor id 9: connection 0 has it already");
    assert_null(port_map_find(&fixture.map, 1));
    assert_int_equal(fixture.map.count, 1);
    fixture_finish(&fixture);
}

static void a_full_map_refuses(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};

    fixture_init(&fixture);
    for (uint32_t id = 0; id < VMR_SYNIC_PORT_MAX; id++)
        must_add(&fixture, id);
    struct port *port = new_port(&fixture, VMR_SYNIC_PORT_MAX);

    assert_int_equal(port_map_add(&fixture.map, port, NULL, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "connection 0x10000: there are already 65536 ports");
    free(port);
    assert_int_equal(fixture.map.capacity, 2 * VMR_SYNIC_PORT_MAX);
    fixture_finish(&fixture);
    assert_int_equal(fixture.released, VMR_SYNIC_PORT_MAX);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    for (uint32_t id = 0; id < 9; id++) {
        struct port *port = new_port(&fixture, id);

        fail_allocation(1);
        enum vmr_status status = port_map_add(&fixture.map, port, NULL, NULL);

        fail_allocation(0);
        assert_int_equal(status, id == 0 || id == 8 ? VMR_E_NOMEM : VMR_OK);
        if (id == 0)
            assert_int_equal(port_map_add(&fixture.map, port, NULL, NULL), VMR_OK);
        if (id == 8)
            free(port);
    }
    assert_int_equal(fixture.map.count, 8);
    for (uint32_t id = 0; id < 8; id++) {
        struct port *port = port_map_find(&fixture.map, id);

        assert_int_equal(port->connection_id, id);
        port_put(port);
    }
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_does_what_an_array_does),
        cmocka_unit_test(the_extremes_of_ids_are_ids),
        cmocka_unit_test(a_port_in_use_outlives_its_removal),
        cmocka_unit_test(an_id_that_is_taken_is_named_with_its_kind),
        cmocka_unit_test(a_monitor_id_that_is_taken_refuses_the_port),
        cmocka_unit_test(a_full_map_refuses),
        cmocka_unit_test(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
