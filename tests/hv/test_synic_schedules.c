/* SPDX-License-Identifier: MIT */

/*
 * Races, in every order with at most four forced switches: a port removed while
 * a guest posts to it, a message posted between a VP's last look and its entry,
 * the monitor page moved during a trigger.
 */

#include "tests/hv/synic_rig.h"

#include "vmrig/mock.h"

#define SIMP (2 * PAGE)
#define FIRST (5 * PAGE)
#define SECOND (6 * PAGE)

struct world {
    struct vmr_scheduler *scheduler;
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_synic *synic;
    struct vmr_synic_port *port;
    /* What a run did. Threads of the scheduler run one at a time. */
    struct vmr_parker *guest; /* where a VP is while it is "in the guest" */
    _Atomic uint32_t requests;
    unsigned interrupts, traps, signals, releases, calls_after_release;
    enum hv_status posted;
    bool mine;
    /* Over all runs: each outcome has to occur. */
    unsigned outcomes[3];
};

static void note_interrupt(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    struct world *world = context;

    (void)vp;
    (void)vtl;
    (void)vector;
    (void)auto_eoi;
    world->interrupts++;
}

/* As a partition's wake: a request first, then the kick. */
static void wake_vp(void *context, vmr_vp_index vp)
{
    struct world *world = context;

    (void)vp;
    sync_store_u32(&world->host, &world->requests, 1);
    world->host.ops->unpark(world->host.context, world->guest);
}

static enum vmr_status trap(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    struct world *world = context;

    (void)gpa;
    (void)err;
    world->traps++;
    return VMR_OK;
}

static void untrap(void *context, vmr_gpa gpa)
{
    struct world *world = context;

    (void)gpa;
    world->traps--;
}

static const struct vmr_synic_monitor_ops monitor_ops = {.trap = trap, .untrap = untrap};

static void begin(struct world *world)
{
    const struct vmr_memory_region ram = {.size = 16 * PAGE};
    const struct vmr_synic_options options = {.host = &world->host,
                                              .vp_count = 1,
                                              .context = world,
                                              .interrupt = note_interrupt,
                                              .wake = wake_vp,
                                              .monitor = &monitor_ops};
    struct vmr_synic_options complete = options;

    world->port = NULL;
    world->interrupts = world->signals = world->releases = 0;
    world->requests = 0;
    assert_int_equal(vmr_memory_create(&world->host, &world->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(world->memory, &ram, NULL), VMR_OK);
    complete.memory = world->memory;
    assert_int_equal(vmr_synic_create(&complete, &world->synic, NULL), VMR_OK);
    assert_int_equal(world->host.ops->parker_create(world->host.context, &world->guest), VMR_OK);
}

static void end(struct world *world)
{
    vmr_synic_destroy(world->synic);
    world->host.ops->parker_destroy(world->host.context, world->guest);
    vmr_memory_destroy(world->memory);
    assert_int_equal(world->traps, 0);
}

static struct vmr_thread *must_start(struct world *world, void (*body)(void *argument))
{
    struct vmr_thread *thread = NULL;

    assert_int_equal(world->host.ops->thread_start(world->host.context, "other", body, world, &thread), VMR_OK);
    return thread;
}

static void join(struct world *world, struct vmr_thread *thread)
{
    world->host.ops->thread_join(world->host.context, thread);
}

static void explore(struct world *world, void (*body)(void *argument))
{
    struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 4};

    assert_int_equal(vmr_scheduler_create(&options, &world->scheduler, NULL), VMR_OK);
    vmr_scheduler_host(world->scheduler, &world->host);
    do {
        assert_int_equal(vmr_scheduler_run(world->scheduler, body, world), VMR_SCHEDULE_DONE);
    } while (vmr_scheduler_next(world->scheduler));
    print_message("%u orders: %u, %u, %u\n", (unsigned)vmr_scheduler_explored(world->scheduler), world->outcomes[0],
                  world->outcomes[1], world->outcomes[2]);
    assert_true(vmr_scheduler_explored(world->scheduler) > 20);
    vmr_scheduler_destroy(world->scheduler);
}

/* --- a port removed during a post --- */

/* The owner's memory, which is gone with the release. */
struct owner {
    struct world *world;
    bool is_dead;
};

static bool take_post(void *context, const void *payload, size_t length, bool trusted)
{
    struct owner *owner = context;

    (void)payload;
    (void)length;
    (void)trusted;
    sync_point(&owner->world->host, owner); /* the call takes a while */
    assert_false(owner->is_dead);
    owner->world->signals++;
    return true;
}

static void release_owner(void *context)
{
    struct owner *owner = context;

    assert_false(owner->is_dead);
    owner->is_dead = true;
    owner->world->releases++;
}

static void post_as_guest(void *argument)
{
    struct world *world = argument;

    world->posted = vmr_synic_guest_post(world->synic, 0, 7, "x", 1);
}

static void remove_during_a_post(void *argument)
{
    struct world *world = argument;
    struct owner owner = {.world = world};
    const struct vmr_message_port port = {
        .connection_id = 7, .post = take_post, .release = release_owner, .context = &owner};

    begin(world);
    assert_int_equal(vmr_synic_message_port_add(world->synic, &port, &world->port, NULL), VMR_OK);
    struct vmr_thread *guest = must_start(world, post_as_guest);

    vmr_synic_port_remove(world->port);
    bool called_later = world->signals == 0;

    join(world, guest);
    assert_true(owner.is_dead);
    assert_int_equal(world->releases, 1);
    assert_int_equal(world->posted, world->signals ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_CONNECTION_ID);
    /* Refused; taken before the removal; taken although it was removed. */
    world->outcomes[world->signals == 0 ? 0 : called_later ? 2 : 1]++;
    assert_int_equal(vmr_synic_guest_post(world->synic, 0, 7, "x", 1), HV_STATUS_INVALID_CONNECTION_ID);
    end(world);
}

static void a_port_removed_during_a_post_is_called_or_not_and_released_once(void **state)
{
    (void)state;
    struct world world = {0};

    explore(&world, remove_during_a_post);
    assert_true(world.outcomes[0] > 0 && world.outcomes[1] > 0 && world.outcomes[2] > 0);
}

/* --- a handle given back, or a guest port used, while the SynIC goes --- */

static void signal_through_handle(void *argument)
{
    struct world *world = argument;
    struct vmr_guest_event_port *port = (struct vmr_guest_event_port *)world->port;

    world->mine = vmr_guest_event_port_signal(port) == VMR_SYNIC_SIGNALED;
    vmr_guest_event_port_destroy(port);
}

static void destroy_during_a_signal(void *argument)
{
    struct world *world = argument;
    const struct vmr_synic_target target = {.sint = 2};
    struct vmr_guest_event_port *port = NULL;

    begin(world);
    assert_int_equal(vmr_synic_msr_write(world->synic, 0, 0, HV_MSR_SINT0 + 2, 0x52), VMR_MSR_OK);
    assert_int_equal(vmr_guest_event_port_create(world->synic, &target, 1, &port, NULL), VMR_OK);
    world->port = (struct vmr_synic_port *)port;
    struct vmr_thread *device = must_start(world, signal_through_handle);

    end(world);
    join(world, device);
    assert_int_equal(world->interrupts, world->mine);
    world->outcomes[world->mine ? 1 : 0]++;
}

static void a_guest_port_signals_or_does_nothing_while_the_synic_goes(void **state)
{
    (void)state;
    struct world world = {0};

    explore(&world, destroy_during_a_signal);
    assert_true(world.outcomes[0] > 0 && world.outcomes[1] > 0);
}

/* --- a message posted between the last check and entry --- */

/* The run loop in miniature: look, say so, look whether anything came meanwhile, enter. */
static void run_vp(void *argument)
{
    struct world *world = argument;

    while (world->interrupts == 0) {
        (void)sync_exchange_u32(&world->host, &world->requests, 0);
        if (vmr_synic_poll(world->synic, 0, 0) != VMR_NEVER || world->interrupts > 0)
            return;
        if (sync_load_u32(&world->host, &world->requests) != 0)
            continue;
        /* In the guest. Nothing else will ever make it leave: a lost wake is a deadlock. */
        if (world->host.ops->park(world->host.context, world->guest, VMR_NEVER) != VMR_PARK_WOKEN)
            return;
    }
}

static void post_before_entry(void *argument)
{
    struct world *world = argument;
    const struct vmr_synic_target target = {.sint = 2};
    const struct vmr_synic_message message = {.type = 1};
    uint8_t type;

    begin(world);
    assert_int_equal(vmr_synic_msr_write(world->synic, 0, 0, HV_MSR_SIMP, SIMP | 1), VMR_MSR_OK);
    assert_int_equal(vmr_synic_msr_write(world->synic, 0, 0, HV_MSR_SINT0 + 2, 0x52), VMR_MSR_OK);
    struct vmr_thread *vp = must_start(world, run_vp);

    assert_int_equal(vmr_synic_post_message(world->synic, &target, &message), VMR_OK);
    world->outcomes[world->interrupts]++; /* delivered before the post returned, or after */
    join(world, vp);
    assert_int_equal(world->interrupts, 1);
    assert_int_equal(vmr_memory_read(world->memory, SIMP + 2 * 256, &type, 1), VMR_OK);
    assert_int_equal(type, 1);
    end(world);
}

static void a_message_posted_before_entry_is_delivered_without_another_event(void **state)
{
    (void)state;
    struct world world = {0};

    explore(&world, post_before_entry);
    assert_true(world.outcomes[0] > 0 && world.outcomes[1] > 0);
}

/* --- the monitor page moved during a trigger --- */

static void count_signal(void *context, uint16_t flag)
{
    struct world *world = context;

    assert_int_equal(flag, 0);
    world->signals++;
}

static void trigger_old_page(void *argument)
{
    struct world *world = argument;
    const uint8_t bits[4] = {0x21};

    world->mine = vmr_synic_monitor_write(world->synic, 0, FIRST + 8, bits, sizeof(bits));
}

static void move_during_a_trigger(void *argument)
{
    struct world *world = argument;
    const vmr_gpa first = FIRST, second = SECOND;
    struct vmr_synic_port *ports[2] = {NULL, NULL};
    const uint8_t bits[4] = {0x21};

    begin(world);
    for (uint32_t i = 0; i < 2; i++) {
        const struct vmr_event_port port = {
            .connection_id = i, .has_monitor = true, .monitor_id = i * 5, .signal = count_signal, .context = world};

        assert_int_equal(vmr_synic_event_port_add(world->synic, &port, &ports[i], NULL), VMR_OK);
    }
    assert_int_equal(vmr_synic_monitor_set_page(world->synic, 0, &first, NULL), VMR_OK);
    struct vmr_thread *guest = must_start(world, trigger_old_page);

    assert_int_equal(vmr_synic_monitor_set_page(world->synic, 0, &second, NULL), VMR_OK);
    join(world, guest);
    /* The write was the old page's, with all its bits, or it was not the monitor's at all. */
    assert_int_equal(world->signals, world->mine ? 2 : 0);
    world->outcomes[world->mine ? 1 : 0]++;
    assert_false(vmr_synic_monitor_write(world->synic, 0, FIRST + 8, bits, sizeof(bits)));
    assert_true(vmr_synic_monitor_write(world->synic, 0, SECOND + 8, bits, sizeof(bits)));
    assert_int_equal(world->traps, 1);
    for (unsigned i = 0; i < 2; i++)
        vmr_synic_port_remove(ports[i]);
    end(world);
}

static void a_trigger_finds_the_old_page_whole_or_not(void **state)
{
    (void)state;
    struct world world = {0};

    explore(&world, move_during_a_trigger);
    assert_true(world.outcomes[0] > 0 && world.outcomes[1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_removed_during_a_post_is_called_or_not_and_released_once),
        cmocka_unit_test(a_guest_port_signals_or_does_nothing_while_the_synic_goes),
        cmocka_unit_test(a_message_posted_before_entry_is_delivered_without_another_event),
        cmocka_unit_test(a_trigger_finds_the_old_page_whole_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
