/* SPDX-License-Identifier: MIT */

/* Doorbells: which writes ring which, and which go on to the range. [IO-7] */

#include "tests/io/fixture.h"

#define ANY_VALUE UINT64_MAX

/* Bells in the order of this table; a letter each. */
static const struct {
    char name;
    uint64_t address;
    unsigned size;
    uint64_t value; /* ANY_VALUE: does not count */
    unsigned vtl;
} bells[] = {
    {'a', 0x100, 2, 7, 0},         /* size and value */
    {'b', 0x100, 0, 7, 0},         /* any size, value */
    {'c', 0x100, 4, ANY_VALUE, 0}, /* size, any value */
    {'d', 0x200, 0, ANY_VALUE, 0}, /* everything */
    {'e', 0x300, 4, 1, 2},         /* from VTL 2 only */
    {'f', 0x300, 4, ANY_VALUE, 1}, /* from VTL 1 on */
    {'g', 0x108, 1, 0, 0},         /* inside the range, value 0 */
};

struct bell {
    char name;
    struct notes *notes;
};

static void ring(void *context)
{
    struct bell *bell = context;

    bell->notes->text[bell->notes->length++] = bell->name;
}

struct tower {
    struct fixture fixture;
    struct notes notes;
    struct device device;
    struct bell bells[8];
    uint64_t ids[8];
};

static struct vmr_doorbell doorbell_of(struct bell *bell, uint64_t address, unsigned size, uint64_t value, unsigned vtl)
{
    return (struct vmr_doorbell){.address = address,
                                 .size = (uint8_t)size,
                                 .match_value = value != ANY_VALUE,
                                 .value = value != ANY_VALUE ? value : 0,
                                 .minimum_vtl = (uint8_t)vtl,
                                 .ring = ring,
                                 .context = bell};
}

/* All bells, over one device at [0x100, +0x300). */
static void tower_init(struct tower *tower)
{
    *tower = (struct tower){.device = {'X', &tower->notes}};
    fixture_init(&tower->fixture, VMR_BUS_MMIO);
    must_claim(&tower->fixture, &tower->device, 0x100, 0x300, VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4 | VMR_SIZE_8);
    for (size_t i = 0; i < sizeof(bells) / sizeof(bells[0]); i++) {
        tower->bells[i] = (struct bell){bells[i].name, &tower->notes};
        const struct vmr_doorbell doorbell =
            doorbell_of(&tower->bells[i], bells[i].address, bells[i].size, bells[i].value, bells[i].vtl);

        assert_int_equal(vmr_bus_doorbell_add(tower->fixture.bus, &doorbell, &tower->ids[i], NULL), VMR_OK);
    }
}

static const struct {
    const char *name;
    uint64_t address;
    unsigned size;
    uint64_t value;
    unsigned vtl;
    const char *heard;
} writes[] = {
    {"the most particular rings", 0x100, 2, 7, 0, "a"},
    {"value with another size", 0x100, 1, 7, 0, "b"},
    {"a value before a size", 0x100, 4, 7, 0, "b"},
    {"size with another value", 0x100, 4, 8, 0, "c"},
    {"another size and value", 0x100, 2, 8, 0, "wX0.2=8 "},
    {"bits above the size do not count", 0x100, 2, 0x10007, 0, "a"},
    {"any size", 0x200, 8, 1234, 0, "d"},
    {"any size, odd", 0x200, 3, 1234, 0, "d"},
    {"next to one", 0x201, 1, 0, 0, "wX101.1=0 "},
    {"before one", 0x1ff, 4, 0, 0, "wXff.4=0 "},
    {"VTL too low", 0x300, 4, 1, 0, "wX200.4=1 "},
    {"VTL enough for the less particular", 0x300, 4, 1, 1, "f"},
    {"VTL enough", 0x300, 4, 1, 2, "e"},
    {"value 0 is a value", 0x108, 1, 0, 0, "g"},
    {"value 1 is not 0", 0x108, 1, 1, 0, "wX8.1=1 "},
    {"nothing there", 0x1000, 4, 7, 0, ""},
};

static void a_write_rings_one_bell_or_goes_on(void **state)
{
    (void)state;
    struct tower tower;

    tower_init(&tower);
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        const struct vmr_access access = {
            .address = writes[i].address, .size = (uint8_t)writes[i].size, .vtl = (uint8_t)writes[i].vtl};

        memset(&tower.notes, 0, sizeof(tower.notes));
        vmr_bus_write(tower.fixture.bus, &access, writes[i].value);
        if (strcmp(tower.notes.text, writes[i].heard) != 0)
            fail_msg("%s: \"%s\"", writes[i].name, tower.notes.text);
    }
    fixture_finish(&tower.fixture);
}

static void reads_ring_nothing(void **state)
{
    (void)state;
    struct tower tower;

    tower_init(&tower);
    assert_int_equal(bus_read(&tower.fixture, 0x200, 1), 0);
    assert_string_equal(tower.notes.text, "rX100.1 ");
    fixture_finish(&tower.fixture);
}

static const struct {
    const char *name;
    uint64_t address;
    unsigned size;
    uint64_t value;
    unsigned vtl;
    const char *said;
} refusals[] = {
    {"the same size and value", 0x100, 2, 7, 0, "0x100: there is one for size 2 and value 0x7"},
    {"the same, with another VTL", 0x100, 2, 7, 2, "there is one"},
    {"the same without a value", 0x200, 0, ANY_VALUE, 0, "0x200: there is one for size 0 and any value"},
    {"size 3", 0x500, 3, 7, 0, "3 is not a size"},
    {"size 16", 0x500, 16, 7, 0, "16 is not a size"},
    {"a value that does not fit", 0x500, 1, 0x100, 0, "0x100 does not fit into 1 bytes"},
    {"no such VTL", 0x500, 1, 1, 3, "3 is not a VTL"},
    {"above 2^52", UINT64_C(1) << VMR_PHYSICAL_BITS_MAX, 1, 1, 0, "leaves the space"},
    {"over 2^52", (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX) - 1, 2, 1, 0, "leaves the space"},
    {"over 2^64", UINT64_MAX, 8, 1, 0, "leaves the space"},
};

static void a_refused_doorbell_is_named_and_changes_nothing(void **state)
{
    (void)state;
    struct tower tower;
    struct bell bell = {'!', &tower.notes};

    tower_init(&tower);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        uint64_t id = 4711;
        struct vmr_error err = {0};
        const struct vmr_doorbell doorbell =
            doorbell_of(&bell, refusals[i].address, refusals[i].size, refusals[i].value, refusals[i].vtl);

        if (vmr_bus_doorbell_add(tower.fixture.bus, &doorbell, &id, &err) != VMR_E_CONFIG || id != 4711 ||
            !strstr(err.message, refusals[i].said))
            fail_msg("%s: \"%s\"", refusals[i].name, err.message);
    }
    struct vmr_doorbell silent = doorbell_of(&bell, 0x500, 1, 1, 0);

    silent.ring = NULL;
    assert_int_equal(vmr_bus_doorbell_add(tower.fixture.bus, &silent, &tower.ids[7], NULL), VMR_E_USAGE);
    bus_write(&tower.fixture, 0x100, 2, 7);
    assert_string_equal(tower.notes.text, "a");
    fixture_finish(&tower.fixture);
}

static void ports_take_no_doorbell_of_eight_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct bell bell = {'p', &notes};
    struct vmr_doorbell doorbell = doorbell_of(&bell, 0xffff, 8, 0, 0);
    uint64_t id;

    fixture_init(&fixture, VMR_BUS_PORTS);
    assert_int_equal(vmr_bus_doorbell_add(fixture.bus, &doorbell, &id, NULL), VMR_E_CONFIG);
    doorbell.size = 1;
    assert_int_equal(vmr_bus_doorbell_add(fixture.bus, &doorbell, &id, NULL), VMR_OK);
    bus_write(&fixture, 0xffff, 1, 0);
    assert_string_equal(notes.text, "p");
    fixture_finish(&fixture);
}

static void a_removed_doorbell_is_silent_and_its_id_is_never_used_again(void **state)
{
    (void)state;
    struct tower tower;
    struct vmr_error err = {0};
    uint64_t id;

    tower_init(&tower);
    assert_int_equal(vmr_bus_doorbell_remove(tower.fixture.bus, tower.ids[3], NULL), VMR_OK);
    bus_write(&tower.fixture, 0x200, 1, 5);
    assert_string_equal(tower.notes.text, "wX100.1=5 ");
    assert_int_equal(vmr_bus_doorbell_remove(tower.fixture.bus, tower.ids[3], &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "4"));
    const struct vmr_doorbell again = doorbell_of(&tower.bells[3], 0x200, 0, ANY_VALUE, 0);

    assert_int_equal(vmr_bus_doorbell_add(tower.fixture.bus, &again, &id, NULL), VMR_OK);
    for (size_t i = 0; i < 7; i++)
        assert_int_not_equal(id, tower.ids[i]);
    assert_int_equal(vmr_bus_doorbell_remove(tower.fixture.bus, tower.ids[3], NULL), VMR_E_USAGE);
    assert_int_equal(vmr_bus_doorbell_remove(tower.fixture.bus, 0, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_bus_doorbell_remove(tower.fixture.bus, id, NULL), VMR_OK);
    fixture_finish(&tower.fixture);
}

static void thousands_of_values_at_one_address_each_ring_their_own(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes;
    static struct bell many[26];
    uint64_t id;

    fixture_init(&fixture, VMR_BUS_MMIO);
    for (unsigned i = 0; i < VMR_BUS_DOORBELL_MAX; i++) {
        unsigned value = i * 5 % VMR_BUS_DOORBELL_MAX; /* each once, out of order */

        many[value % 26] = (struct bell){(char)('a' + value % 26), &notes};
        const struct vmr_doorbell doorbell = doorbell_of(&many[value % 26], 0x1000, 4, value, 0);

        assert_int_equal(vmr_bus_doorbell_add(fixture.bus, &doorbell, &id, NULL), VMR_OK);
    }
    const struct vmr_doorbell more = doorbell_of(&many[0], 0x2000, 4, 0, 0);

    assert_int_equal(vmr_bus_doorbell_add(fixture.bus, &more, &id, NULL), VMR_E_CONFIG);
    for (unsigned value = 0; value < VMR_BUS_DOORBELL_MAX; value++) {
        memset(&notes, 0, sizeof(notes));
        bus_write(&fixture, 0x1000, 4, value);
        assert_int_equal(notes.text[0], 'a' + value % 26);
        assert_int_equal(notes.length, 1);
    }
    fixture_finish(&fixture);
}

static void ring_nothing(void *context)
{
    (void)context;
}

static void doorbells_are_told_as_they_were_added(void **state)
{
    static const struct vmr_doorbell wanted[] = {
        {.address = 0x10, .ring = ring_nothing},
        {.address = 0x10, .size = 8, .minimum_vtl = 1, .ring = ring_nothing},
        {.address = 0x20, .size = 4, .match_value = true, .value = 7, .ring = ring_nothing},
    };
    (void)state;
    struct fixture fixture;
    struct vmr_doorbell got;
    uint64_t ids[3];

    fixture_init(&fixture, VMR_BUS_MMIO);
    for (size_t i = 3; i-- > 0;)
        assert_int_equal(vmr_bus_doorbell_add(fixture.bus, &wanted[i], &ids[i], NULL), VMR_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(vmr_bus_doorbell_get(fixture.bus, i, &got));
        assert_int_equal(got.address, wanted[i].address);
        assert_int_equal(got.size, wanted[i].size);
        assert_int_equal(got.match_value, wanted[i].match_value);
        assert_int_equal(got.value, wanted[i].value);
        assert_int_equal(got.minimum_vtl, wanted[i].minimum_vtl);
        assert_true(got.ring == ring_nothing);
    }
    assert_false(vmr_bus_doorbell_get(fixture.bus, 3, &got));
    assert_int_equal(vmr_bus_doorbell_remove(fixture.bus, ids[0], NULL), VMR_OK);
    assert_true(vmr_bus_doorbell_get(fixture.bus, 0, &got) && got.size == 8);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_rings_one_bell_or_goes_on),
        cmocka_unit_test(reads_ring_nothing),
        cmocka_unit_test(doorbells_are_told_as_they_were_added),
        cmocka_unit_test(a_refused_doorbell_is_named_and_changes_nothing),
        cmocka_unit_test(ports_take_no_doorbell_of_eight_bytes),
        cmocka_unit_test(a_removed_doorbell_is_silent_and_its_id_is_never_used_again),
        cmocka_unit_test(thousands_of_values_at_one_address_each_ring_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
