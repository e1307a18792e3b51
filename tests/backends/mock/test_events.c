/* SPDX-License-Identifier: MIT */
/*
 * Doorbells and irqfds of the mock, on the host of an ordinary process: what
 * rings, what exits, what is refused, and that all of it can change on free
 * threads while the guest runs.
 */

#include "tests/backends/mock/rig.h"

#define HOLE 0xd0000000u
#define DATA VMR_PROGRAM_DATA
#define APIC(offset) (0xfee00000u + (offset))
#define SOFTWARE_ENABLE VMR_STORE(APIC(0xf0), 4, 0x1ff)
#define ROUNDS 300u

struct wires {
    struct rig rig;
    const struct vmr_event_ops *events;
    int fd;
};

static void wires_init(struct wires *wires, const char *spec, const struct vmr_program *program)
{
    rig_init(&wires->rig, NULL, spec, 1);
    rig_load(&wires->rig, 0, program);
    (void)rig_bind(&wires->rig, 0);
    wires->events = wires->rig.host.ops->events;
    assert_int_equal(wires->events->create(NULL, &wires->fd), VMR_OK);
}

static void wires_finish(struct wires *wires)
{
    rig_finish(&wires->rig);
    wires->events->destroy(NULL, wires->fd);
}

static enum vmr_status set_bell(struct wires *wires, enum vmr_bus_space space, const struct vmr_doorbell *doorbell,
                                bool add)
{
    return vmr_partition_doorbell(wires->rig.partition, space, doorbell, wires->fd, add, NULL);
}

static enum vmr_status set_irqfd(struct wires *wires, int fd, uint32_t gsi, bool add)
{
    return vmr_partition_irqfd(wires->rig.partition, fd, gsi, add, NULL);
}

/* --- what rings --- */

RIG_PROGRAM(writes, VMR_EOI_NONE, VMR_STORE(HOLE, 4, 7), VMR_STORE(HOLE, 4, 8), VMR_STORE(HOLE, 2, 7),
            VMR_STORE(HOLE + 0xffe, 4, 0x00070007), VMR_STORE(DATA, 4, 7), VMR_OUT(0x10, 1, 7), VMR_OUT(0x10, 2, 7),
            VMR_END());

/* The same writes, held against one doorbell after the other. */
static void the_guests_writes_ring_or_exit(void **state)
{
    static const char *const all[] = {
        "mmio write gpa=0xd0000000 size=4 value=0x7", "mmio write gpa=0xd0000000 size=4 value=0x8",
        "mmio write gpa=0xd0000000 size=2 value=0x7", "mmio write gpa=0xd0000ffe size=2 value=0x7",
        "mmio write gpa=0xd0001000 size=2 value=0x7", "io write port=0x10 size=1 value=0x7",
        "io write port=0x10 size=2 value=0x7",        "io write port=0x5e8 size=4 value=0x0"};
    static const struct {
        const char *name;
        enum vmr_bus_space space;
        struct vmr_doorbell doorbell;
        unsigned taken; /* bits: the lines that are no exits */
    } cases[] = {
        {"of a size and value", VMR_BUS_MMIO, {.address = HOLE, .size = 4, .match_value = true, .value = 7}, 1},
        {"of a size", VMR_BUS_MMIO, {.address = HOLE, .size = 4}, 3},
        {"of a value", VMR_BUS_MMIO, {.address = HOLE, .match_value = true, .value = 7}, 5},
        {"of all", VMR_BUS_MMIO, {.address = HOLE}, 7},
        {"half an access across pages", VMR_BUS_MMIO, {.address = HOLE + 0x1000, .size = 2}, 16},
        {"behind RAM", VMR_BUS_MMIO, {.address = DATA, .size = 4}, 0},
        {"in memory at a port's number", VMR_BUS_MMIO, {.address = 0x10}, 0},
        {"of a port", VMR_BUS_PORTS, {.address = 0x10, .size = 2, .match_value = true, .value = 7}, 64},
        {"of a port, all", VMR_BUS_PORTS, {.address = 0x10}, 96},
    };

    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(cases); i++) {
        const char *lines[RIG_COUNT_OF(all)];
        size_t count = 0;
        struct wires wires;

        for (size_t line = 0; line < RIG_COUNT_OF(all); line++) {
            if ((cases[i].taken >> line & 1) == 0)
                lines[count++] = all[line];
        }
        wires_init(&wires, "mock", &writes);
        assert_int_equal(set_bell(&wires, cases[i].space, &cases[i].doorbell, true), VMR_OK);
        rig_expect(&wires.rig, cases[i].name, lines, count);
        if (wires.events->take(NULL, wires.fd) != (cases[i].taken != 0))
            fail_msg("%s: %u writes, and the event is wrong", cases[i].name, cases[i].taken);
        wires_finish(&wires);
    }
}

RIG_PROGRAM(strings, VMR_EOI_NONE, VMR_STORE(DATA, 8, 0x0507070303020107), VMR_OUTS(0x80, 1, 8, DATA), VMR_END());

/* `strict` has a whole string in one exit, but not over a doorbell's head. */
static void items_of_a_string_ring_one_by_one(void **state)
{
    static const uint8_t items[] = {1, 2, 3, 3, 5}; /* what exits of 7 1 2 3 3 7 7 5 */
    const struct vmr_doorbell doorbell = {.address = 0x80, .size = 1, .match_value = true, .value = 7};
    struct vmr_exit vp_exit = {0};
    struct wires wires;

    (void)state;
    wires_init(&wires, "mock:profile=strict", &strings);
    assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &doorbell, true), VMR_OK);
    for (unsigned i = 0; i < sizeof(items); i++) {
        assert_int_equal(vmr_vp_step(wires.rig.vps[0], &vp_exit), VMR_OK);
        assert_true(vp_exit.kind == VMR_EXIT_IO && vp_exit.u.io.string);
        assert_int_equal(vp_exit.u.io.count, 1);
        assert_int_equal(vp_exit.u.io.bytes[0], items[i]);
        assert_int_equal(wires.events->take(NULL, wires.fd), i == 0 || i == 4);
    }
    assert_int_equal(vmr_vp_step(wires.rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, VMR_PROGRAM_PORT_END);
    wires_finish(&wires);
}

RIG_PROGRAM(all_ring, VMR_EOI_NONE, VMR_OUTS(0x80, 1, 3, DATA), VMR_END());

static void a_string_whose_last_item_rings_ends_there(void **state)
{
    const struct vmr_doorbell doorbell = {.address = 0x80};
    struct vmr_exit vp_exit = {0};
    struct wires wires;

    (void)state;
    wires_init(&wires, "mock", &all_ring);
    assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &doorbell, true), VMR_OK);
    assert_int_equal(vmr_vp_step(wires.rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, VMR_PROGRAM_PORT_END);
    assert_true(wires.events->take(NULL, wires.fd));
    wires_finish(&wires);
}

/* --- what is refused --- */

RIG_PROGRAM(idle, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_OUT(0x10, 1, 1), VMR_WAIT_VECTOR(0x41, 1), VMR_OUT(0x10, 1, 2),
            VMR_WAIT_VECTOR(0x41, 2), VMR_END());

static void doorbells_that_one_write_would_ring_exclude_each_other(void **state)
{
    static const struct vmr_doorbell kinds[] = {
        {.address = 0x20, .size = 2, .match_value = true, .value = 1},
        {.address = 0x20, .size = 2, .match_value = true, .value = 2},
        {.address = 0x20, .size = 1, .match_value = true, .value = 1},
        {.address = 0x20, .size = 2},
        {.address = 0x20, .match_value = true, .value = 1},
        {.address = 0x20},
        {.address = 0x21, .size = 2},
    };
    /* Row and column: may the one be beside the other? */
    static const char *const beside[] = {"0110001", "1010101", "1101001", "0010001", "0100001", "0000001", "1111110"};
    struct wires wires;

    (void)state;
    wires_init(&wires, "mock", &idle);
    for (size_t i = 0; i < RIG_COUNT_OF(kinds); i++) {
        assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &kinds[i], true), VMR_OK);
        assert_int_equal(set_bell(&wires, VMR_BUS_MMIO, &kinds[i], true), VMR_OK); /* another space */
        for (size_t k = 0; k < RIG_COUNT_OF(kinds); k++) {
            bool may = beside[i][k] == '1';

            if (set_bell(&wires, VMR_BUS_PORTS, &kinds[k], true) != (may ? VMR_OK : VMR_E_CONFIG))
                fail_msg("doorbells %zu and %zu", i, k);
            if (may)
                assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &kinds[k], false), VMR_OK);
            else if (k != i)
                assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &kinds[k], false), VMR_E_USAGE);
        }
        assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &kinds[i], false), VMR_OK);
        assert_int_equal(set_bell(&wires, VMR_BUS_MMIO, &kinds[i], false), VMR_OK);
    }
    wires_finish(&wires);
}

static void there_are_no_more_doorbells_than_the_limit(void **state)
{
    struct vmr_doorbell doorbell = {.size = 1};
    struct wires wires;

    (void)state;
    wires_init(&wires, "mock", &idle);
    for (unsigned i = 0; i < VMR_BUS_DOORBELL_MAX; i++) {
        doorbell.address = i;
        assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &doorbell, true), VMR_OK);
    }
    doorbell.address++;
    assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &doorbell, true), VMR_E_HOST);
    wires_finish(&wires);
}

static void who_declares_what(void **state)
{
    static const struct {
        const char *spec;
        bool irqfd, doorbell;
    } cases[] = {
        {"mock:profile=strict", false, true},
        {"mock:profile=strict,irqchip=split", true, true},
        {"mock:profile=strict,irqchip=kernel", true, true},
        {"mock:profile=kvm-like,irqchip=kernel", true, true},
        {"mock:profile=mshv-like", false, true},
        {"mock:profile=mshv-like,irqchip=split", true, true},
        {"mock:profile=whp-like,irqchip=split", false, true},
        {"mock:profile=hvf-like", false, false},
    };

    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(cases); i++) {
        struct wires wires;
        const struct vmr_doorbell doorbell = {.address = 0x20};

        wires_init(&wires, cases[i].spec, &idle);
        const struct vmr_caps *caps = vmr_partition_caps(wires.rig.partition);

        if (vmr_caps_have(caps, VMR_CAP_IRQFD) != cases[i].irqfd ||
            vmr_caps_have(caps, VMR_CAP_DOORBELL) != cases[i].doorbell)
            fail_msg("%s declares something else", cases[i].spec);
        assert_int_equal(set_irqfd(&wires, wires.fd, 5, true), cases[i].irqfd ? VMR_OK : VMR_E_UNSUPPORTED);
        assert_int_equal(set_bell(&wires, VMR_BUS_PORTS, &doorbell, true),
                         cases[i].doorbell ? VMR_OK : VMR_E_UNSUPPORTED);
        wires_finish(&wires);
    }
}

/* --- irqfds --- */

static void must_write(struct wires *wires, struct vmr_exit *vp_exit, uint64_t value)
{
    assert_int_equal(vmr_vp_step(wires->rig.vps[0], vp_exit), VMR_OK);
    assert_true(vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.port == 0x10);
    assert_int_equal(vp_exit->u.io.value, value);
}

static void an_irqfd_delivers_its_route_and_is_one_of_its_event(void **state)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0x41};
    struct vmr_exit vp_exit = {0};
    struct wires wires;

    (void)state;
    wires_init(&wires, "mock:irqchip=split", &idle);
    assert_int_equal(vmr_partition_set_route(wires.rig.partition, 9, &msi), VMR_OK);
    assert_int_equal(set_irqfd(&wires, wires.fd, 9, true), VMR_OK);
    assert_int_equal(set_irqfd(&wires, wires.fd, 9, true), VMR_E_CONFIG);
    assert_int_equal(set_irqfd(&wires, wires.fd, 10, true), VMR_E_CONFIG);
    assert_int_equal(set_irqfd(&wires, INT32_MAX, 10, true), VMR_E_USAGE);
    assert_int_equal(set_irqfd(&wires, wires.fd, 10, false), VMR_OK); /* nothing */
    must_write(&wires, &vp_exit, 1);
    wires.events->signal(NULL, wires.fd);
    must_write(&wires, &vp_exit, 2);
    assert_int_equal(rig_count(&wires.rig, 0, 0x41), 1);
    assert_int_equal(set_irqfd(&wires, wires.fd, 9, false), VMR_OK);
    wires.events->signal(NULL, wires.fd);
    assert_true(wires.events->take(NULL, wires.fd));
    /* To a line without a route: nobody hears it, and it is gone. */
    assert_int_equal(set_irqfd(&wires, wires.fd, 11, true), VMR_OK);
    wires.events->signal(NULL, wires.fd);
    assert_int_equal(set_irqfd(&wires, wires.fd, 11, false), VMR_OK);
    assert_int_equal(set_irqfd(&wires, wires.fd, 9, true), VMR_OK);
    wires.events->signal(NULL, wires.fd);
    assert_int_equal(vmr_vp_step(wires.rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, VMR_PROGRAM_PORT_END);
    assert_int_equal(rig_count(&wires.rig, 0, 0x41), 2);
    wires_finish(&wires);
}

/* --- on free threads --- */

RIG_PROGRAM(busy, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STI(), VMR_OUT(0x20, 1, 1), VMR_LOAD(0, DATA, 1),
            VMR_JUMP_EQ(0, 0, 2), VMR_CLI(), VMR_OUT(0x10, 1, 1), VMR_END());

struct churn {
    struct wires wires;
    int line; /* an event on a line */
};

static void change_wires(void *argument)
{
    static const uint8_t one = 1;
    const struct vmr_doorbell doorbell = {.address = 0x20, .size = 1};
    struct churn *churn = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_int_equal(set_bell(&churn->wires, VMR_BUS_PORTS, &doorbell, true), VMR_OK);
        assert_int_equal(set_irqfd(&churn->wires, churn->line, 9, true), VMR_OK);
        churn->wires.events->signal(NULL, churn->line);
        assert_int_equal(set_irqfd(&churn->wires, churn->line, 9, false), VMR_OK);
        assert_int_equal(set_bell(&churn->wires, VMR_BUS_PORTS, &doorbell, false), VMR_OK);
        (void)churn->wires.events->take(NULL, churn->wires.fd);
        churn->wires.events->signal(NULL, churn->wires.fd);
        assert_true(churn->wires.events->take(NULL, churn->wires.fd));
        assert_false(churn->wires.events->take(NULL, churn->wires.fd)); /* what is taken away rings no more */
    }
    assert_int_equal(vmr_memory_write(churn->wires.rig.memory, DATA, &one, 1), VMR_OK);
}

static void wires_change_while_the_guest_uses_them(void **state)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0x41};
    struct vmr_exit vp_exit = {0};
    struct churn churn = {0};
    struct vmr_thread *thread = NULL;
    const struct vmr_host *host = &churn.wires.rig.host;

    (void)state;
    wires_init(&churn.wires, "mock:irqchip=split", &busy);
    assert_int_equal(churn.wires.events->create(NULL, &churn.line), VMR_OK);
    assert_int_equal(vmr_partition_set_route(churn.wires.rig.partition, 9, &msi), VMR_OK);
    assert_int_equal(host->ops->thread_start(NULL, "churn", change_wires, &churn, &thread), VMR_OK);
    do
        assert_int_equal(vmr_vp_step(churn.wires.rig.vps[0], &vp_exit), VMR_OK);
    while (vp_exit.kind != VMR_EXIT_IO || vp_exit.u.io.port != 0x10);
    host->ops->thread_join(NULL, thread);
    /* The partition goes while its event may be signalled, and is. */
    assert_int_equal(set_irqfd(&churn.wires, churn.line, 9, true), VMR_OK);
    churn.wires.events->signal(NULL, churn.line);
    wires_finish(&churn.wires);
    churn.wires.events->destroy(NULL, churn.line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guests_writes_ring_or_exit),
        cmocka_unit_test(items_of_a_string_ring_one_by_one),
        cmocka_unit_test(a_string_whose_last_item_rings_ends_there),
        cmocka_unit_test(doorbells_that_one_write_would_ring_exclude_each_other),
        cmocka_unit_test(there_are_no_more_doorbells_than_the_limit),
        cmocka_unit_test(who_declares_what),
        cmocka_unit_test(an_irqfd_delivers_its_route_and_is_one_of_its_event),
        cmocka_unit_test(wires_change_while_the_guest_uses_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
