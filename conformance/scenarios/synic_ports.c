/* SPDX-License-Identifier: MIT */
/*
 * Connections: what a guest posts and signals reaches the port of that id, or
 * comes back with the reason; ports come and go meanwhile (TLFS,
 * Inter-Partition Communication).
 */

#include "conformance/scenarios/synic_words.h"

#include <stdatomic.h>
#include <stdlib.h>

#define MESSAGES 0x1001u
#define EVENTS 0x1002u
#define NOBODY 0x4321u

#define INVALID_ID HV_STATUS_INVALID_CONNECTION_ID

struct listening {
    struct conf_vm *vm;
    struct vmr_synic_port *ports[2];
};

/* A VM with a message port and an event port that only VTL `minimum` may reach. False: failed. */
static bool listening_begin(struct listening *listening, struct conf *conf, const struct vmr_program *program,
                            uint8_t minimum, struct ears *ears)
{
    *listening = (struct listening){.vm = synic_vm(conf, 1, program, NULL)};
    if (!listening->vm)
        return false;
    vmr_synic_port_remove(listen_for_posts(listening->vm, NOBODY, 0, ears)); /* was there, and is gone */
    ears->releases = 0;
    listening->ports[0] = listen_for_posts(listening->vm, MESSAGES, minimum, ears);
    listening->ports[1] = listen_for_signals(listening->vm, EVENTS, minimum, ears);
    return true;
}

/* The ports go with the partition, and the handles are given back afterwards. */
static void listening_end(const struct listening *listening)
{
    conf_vm_destroy(listening->vm);
    vmr_synic_port_remove(listening->ports[0]);
    vmr_synic_port_remove(listening->ports[1]);
}

static void listen_to(struct conf *conf, const struct vmr_program *program, uint8_t minimum, struct ears *ears)
{
    struct listening listening;

    if (!listening_begin(&listening, conf, program, minimum, ears))
        return;
    (void)conf_run_to_end(listening.vm, 0);
    listening_end(&listening);
}

/* --- what arrives --- */

static void a_payload_arrives_whole(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(whole, HV_OPEN(), VMR_STORE(HV_INPUT + 16, 8, 0x1122334455667788), VMR_STORE(HV_INPUT + 255, 1, 0x99),
                 EXPECT_POST(MESSAGES, 240, 0), VMR_END());

    listen_to(conf, &whole, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.length, 240, "bytes");
    CONF_CHECK(conf, ears.payload[0] == 0x88 && ears.payload[7] == 0x11 && ears.payload[239] == 0x99,
               "the payload is another");
}

static void an_empty_payload_is_a_message(struct conf *conf)
{
    struct ears ears = {.length = 99};
    CONF_PROGRAM(empty, HV_OPEN(), EXPECT_POST(MESSAGES, 0, 0), VMR_END());

    listen_to(conf, &empty, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.length, 0, "bytes");
}

static void a_payload_that_is_too_long_is_refused(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(long_ones, HV_OPEN(), EXPECT_POST(MESSAGES, 241, HV_STATUS_INVALID_PARAMETER),
                 EXPECT_POST(MESSAGES, UINT32_MAX, HV_STATUS_INVALID_PARAMETER),
                 EXPECT_POST(NOBODY, 241, HV_STATUS_INVALID_PARAMETER), VMR_END());

    listen_to(conf, &long_ones, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts, 0, "posts");
}

static void every_flag_number_arrives(struct conf *conf)
{
    static const uint16_t flags[] = {0, 1, 2047, 2048, 0xffff};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && !conf_failed(conf); i++) {
        const struct vmr_step steps[] = {HV_OPEN(), EXPECT_SIGNAL(EVENTS, flags[i], 0), VMR_END()};
        const struct vmr_program program = {.name = "flag", .steps = steps, .count = sizeof(steps) / sizeof(steps[0])};
        struct ears ears = {0};

        listen_to(conf, &program, 0, &ears);
        CONF_CHECK_EQ(conf, ears.signals, 1, "signals");
        CONF_CHECK_EQ(conf, ears.flag, flags[i], "the flag");
    }
}

/* --- what comes back --- */

static void an_id_that_is_nobodys_is_invalid(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(astray, HV_OPEN(), EXPECT_POST(NOBODY, 8, INVALID_ID), EXPECT_SIGNAL(NOBODY, 0, INVALID_ID),
                 EXPECT_POST(0, 8, INVALID_ID), EXPECT_SIGNAL(0, 0, INVALID_ID), EXPECT_POST(UINT32_MAX, 8, INVALID_ID),
                 EXPECT_SIGNAL(UINT32_MAX, 0, INVALID_ID), VMR_END());

    listen_to(conf, &astray, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts + ears.signals, 0, "calls");
}

static void a_port_of_the_other_kind_is_nobodys(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(crossed, HV_OPEN(), EXPECT_POST(EVENTS, 8, INVALID_ID), EXPECT_SIGNAL(MESSAGES, 0, INVALID_ID),
                 VMR_END());

    listen_to(conf, &crossed, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts + ears.signals, 0, "calls");
}

static void a_port_of_a_higher_vtl_is_denied(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(low, HV_OPEN(), EXPECT_POST(MESSAGES, 8, HV_STATUS_OPERATION_DENIED),
                 EXPECT_SIGNAL(EVENTS, 0, HV_STATUS_OPERATION_DENIED), VMR_END());

    listen_to(conf, &low, 1, &ears);
    CONF_CHECK_EQ(conf, ears.posts + ears.signals, 0, "calls");
}

static void the_kind_comes_before_the_vtl(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(crossed_and_low, HV_OPEN(), EXPECT_POST(EVENTS, 8, INVALID_ID), EXPECT_SIGNAL(MESSAGES, 0, INVALID_ID),
                 VMR_END());

    listen_to(conf, &crossed_and_low, 1, &ears);
    CONF_CHECK_EQ(conf, ears.posts + ears.signals, 0, "calls");
}

static void a_port_that_is_not_ready_is_tried_again(struct conf *conf)
{
    struct ears ears = {.refusals = 2};
    CONF_PROGRAM(tries, HV_OPEN(), EXPECT_POST(MESSAGES, 8, HV_STATUS_INSUFFICIENT_BUFFERS),
                 EXPECT_POST(MESSAGES, 8, HV_STATUS_INSUFFICIENT_BUFFERS), VMR_STORE(HV_INPUT + 16, 1, 0x33),
                 EXPECT_POST(MESSAGES, 8, 0), VMR_END());

    listen_to(conf, &tries, 0, &ears);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.payload[0], 0x33, "the payload");
}

/* --- adding --- */

/* Of either kind, at VTL `minimum`; the error must name the id. */
static void expect_refused(struct conf_vm *vm, uint32_t connection_id, uint8_t minimum, const char *name)
{
    const struct vmr_message_port messages = {
        .connection_id = connection_id, .minimum_vtl = minimum, .post = hear_post};
    const struct vmr_event_port events = {
        .connection_id = connection_id, .minimum_vtl = minimum, .signal = hear_signal};
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK_EQ(vm->conf, vmr_synic_message_port_add(synic_of(vm), &messages, &handle, &err), VMR_E_CONFIG, name);
    CONF_CHECK(vm->conf, strstr(err.message, name), "the error does not name it: %s", err.message);
    err.message[0] = '\0';
    CONF_CHECK_EQ(vm->conf, vmr_synic_event_port_add(synic_of(vm), &events, &handle, &err), VMR_E_CONFIG, name);
    CONF_CHECK(vm->conf, strstr(err.message, name), "the error does not name it: %s", err.message);
    CONF_CHECK(vm->conf, handle == NULL, "a handle to a port that was refused");
}

static void an_id_is_taken_by_either_kind(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(both, HV_OPEN(), EXPECT_POST(MESSAGES, 8, 0), EXPECT_SIGNAL(EVENTS, 3, 0), VMR_END());
    struct listening listening;

    if (!listening_begin(&listening, conf, &both, 0, &ears))
        return;
    expect_refused(listening.vm, MESSAGES, 0, "0x1001");
    expect_refused(listening.vm, EVENTS, 0, "0x1002");
    expect_refused(listening.vm, NOBODY, VMR_VTL_COUNT, "0x4321");
    (void)conf_run_to_end(listening.vm, 0);
    CONF_CHECK_EQ(conf, ears.releases, 0, "releases of what was refused");
    listening_end(&listening);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts to the first");
    CONF_CHECK_EQ(conf, ears.signals, 1, "signals to the first");
}

static void a_monitor_id_is_taken_once(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &nothing, NULL);
    struct ears ears = {0};
    struct vmr_event_port port = {
        .connection_id = EVENTS, .signal = hear_signal, .context = &ears, .has_monitor = true, .monitor_id = 127};
    struct vmr_synic_port *handles[2] = {NULL, NULL};
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    bool counts = vmr_synic_has_monitor(synic_of(vm));

    CONF_CHECK_EQ(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handles[0], &err), VMR_OK, "the first");
    port.connection_id = NOBODY;
    CONF_CHECK_EQ(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handles[1], &err),
                  counts ? VMR_E_CONFIG : VMR_OK, "the second");
    CONF_CHECK_EQ(conf, vmr_synic_guest_signal(synic_of(vm), 0, NOBODY, 0),
                  counts ? HV_STATUS_INVALID_CONNECTION_ID : HV_STATUS_SUCCESS, "a signal to the second");
    vmr_synic_port_remove(handles[0]);
    vmr_synic_port_remove(handles[1]);
}

#define MANY 500u
#define STRIDE 0x8000u /* all ids have 24 bits: what every hypervisor signals */

struct crowd {
    struct vmr_synic_port *handles[MANY];
    struct ears ears[MANY];
};

static void remove_every_second(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct crowd *crowd = vm->user;

    (void)vp;
    (void)number;
    for (uint32_t i = 0; i < MANY; i += 2) {
        vmr_synic_port_remove(crowd->handles[i]);
        crowd->handles[i] = NULL;
    }
}

static void many_ports_are_told_apart(struct conf *conf)
{
    CONF_PROGRAM(some, HV_OPEN(), EXPECT_SIGNAL(0, 5, 0), EXPECT_SIGNAL(64 * STRIDE, 6, 0),
                 EXPECT_SIGNAL(499 * STRIDE, 7, 0), VMR_CHECKPOINT(1), EXPECT_SIGNAL(0, 5, INVALID_ID),
                 EXPECT_SIGNAL(64 * STRIDE, 6, INVALID_ID), EXPECT_SIGNAL(499 * STRIDE, 8, 0), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &some, remove_every_second);
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    CONF_REQUIRE(conf, crowd && conf_defer(conf, free, crowd), "no crowd");
    CONF_REQUIRE(conf, vm, "no VM");
    vm->user = crowd;
    for (uint32_t i = 0; i < MANY; i++)
        crowd->handles[i] = listen_for_signals(vm, i * STRIDE, 0, &crowd->ears[i]);
    (void)conf_run_to_end(vm, 0);
    for (uint32_t i = 0; i < MANY; i++)
        vmr_synic_port_remove(crowd->handles[i]);
    CONF_CHECK(conf, crowd->ears[0].flag == 5 && crowd->ears[64].flag == 6 && crowd->ears[499].flag == 8,
               "another port was signalled");
    CONF_CHECK_EQ(conf, crowd->ears[1].signals, 0, "signals to a neighbour");
}

/* --- OS events --- */

static void look_at_event(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_host *host = vm->conf->host;
    const int *fd = vm->user;

    (void)vp;
    CONF_CHECK_EQ(vm->conf, host->ops->events->take(host->context, *fd), number == 1, "whether it was signalled");
}

static void run_with_event(struct conf *conf, const struct vmr_program *program, int *fd, struct ears *ears)
{
    const struct vmr_event_port port = {.connection_id = EVENTS,
                                        .has_os_event = true,
                                        .os_event = *fd,
                                        .signal = hear_signal,
                                        .release = hear_release,
                                        .context = ears};
    struct vmr_event_port high = port;
    struct vmr_synic_port *handles[2] = {NULL, NULL};
    struct vmr_error err = {.message = ""};
    struct conf_vm *vm = synic_vm(conf, 1, program, look_at_event);

    if (!vm)
        return;
    vm->user = fd;
    high.connection_id = MESSAGES;
    high.minimum_vtl = 1;
    CONF_CHECK(conf,
               vmr_synic_event_port_add(synic_of(vm), &port, &handles[0], &err) == VMR_OK &&
                   vmr_synic_event_port_add(synic_of(vm), &high, &handles[1], &err) == VMR_OK,
               "%s", err.message);
    /* They are faster than calls where the hypervisor signals them. */
    CONF_CHECK_EQ(conf, vmr_synic_prefers_os_events(synic_of(vm)), vmr_caps_have(&conf->caps, VMR_CAP_HV_OFFLOAD),
                  "whether events are preferred");
    (void)conf_run_to_end(vm, 0);
    vmr_synic_port_remove(handles[0]);
    vmr_synic_port_remove(handles[1]);
}

static void a_port_with_an_event_has_it_signalled(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    struct ears ears = {0};
    int fd;
    CONF_PROGRAM(signals, HV_OPEN(), EXPECT_SIGNAL(EVENTS, 5, 0), EXPECT_SIGNAL(EVENTS, 6, 0), VMR_CHECKPOINT(1),
                 EXPECT_SIGNAL(MESSAGES, 5, HV_STATUS_OPERATION_DENIED), VMR_CHECKPOINT(2), VMR_END());

    if (!host->ops->events) {
        conf_skip(conf, "this host has no events");
        return;
    }
    CONF_REQUIRE(conf, host->ops->events->create(host->context, &fd) == VMR_OK, "no event");
    run_with_event(conf, &signals, &fd, &ears);
    host->ops->events->destroy(host->context, fd);
    CONF_CHECK_EQ(conf, ears.signals, 0, "calls beside the event");
    CONF_CHECK_EQ(conf, ears.releases, 2, "releases");
}

/* --- removing --- */

struct turnover {
    struct ears first, second;
    struct vmr_synic_port *handle;
};

static void replace_port(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct turnover *turnover = vm->user;

    (void)vp;
    if (number == 1) {
        vmr_synic_port_remove(turnover->handle);
        turnover->handle = NULL;
    } else {
        turnover->handle = listen_for_signals(vm, MESSAGES, 0, &turnover->second);
    }
}

static void a_removed_port_frees_its_id(struct conf *conf)
{
    struct turnover turnover = {.handle = NULL};
    CONF_PROGRAM(before_and_after, HV_OPEN(), EXPECT_POST(MESSAGES, 8, 0), VMR_CHECKPOINT(1),
                 EXPECT_POST(MESSAGES, 8, INVALID_ID), VMR_CHECKPOINT(2), EXPECT_POST(MESSAGES, 8, INVALID_ID),
                 EXPECT_SIGNAL(MESSAGES, 4, 0), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &before_and_after, replace_port);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->user = &turnover;
    turnover.handle = listen_for_posts(vm, MESSAGES, 0, &turnover.first);
    (void)conf_run_to_end(vm, 0);
    vmr_synic_port_remove(turnover.handle);
    CONF_CHECK_EQ(conf, turnover.first.posts, 1, "posts to the first");
    CONF_CHECK_EQ(conf, turnover.first.releases, 1, "releases of the first");
    CONF_CHECK_EQ(conf, turnover.second.signals, 1, "signals to the second");
    CONF_CHECK_EQ(conf, turnover.second.releases, 1, "releases of the second");
}

struct leaver {
    struct ears ears;
    struct vmr_synic_port *handle;
    unsigned releases_inside;
};

static bool leave_at_post(void *context, const void *payload, size_t length, bool trusted)
{
    struct leaver *leaver = context;

    vmr_synic_port_remove(leaver->handle);
    leaver->releases_inside = leaver->ears.releases;
    return hear_post(&leaver->ears, payload, length, trusted);
}

static void release_leaver(void *context)
{
    hear_release(&((struct leaver *)context)->ears);
}

static void a_port_may_remove_itself(struct conf *conf)
{
    struct leaver leaver = {.handle = NULL};
    const struct vmr_message_port port = {
        .connection_id = MESSAGES, .post = leave_at_post, .release = release_leaver, .context = &leaver};
    CONF_PROGRAM(twice, HV_OPEN(), EXPECT_POST(MESSAGES, 8, 0), EXPECT_POST(MESSAGES, 8, INVALID_ID), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &twice, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, vmr_synic_message_port_add(synic_of(vm), &port, &leaver.handle, NULL) == VMR_OK, "no port");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, leaver.ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, leaver.releases_inside, 0, "releases while the call ran");
    CONF_CHECK_EQ(conf, leaver.ears.releases, 1, "releases");
}

/* A port whose context is bad once it has been released. */
struct fragile {
    struct conf_vm *vm;
    struct vmr_synic_port *handle;
    _Atomic uint32_t calls, released, late;
};

static bool fragile_post(void *context, const void *payload, size_t length, bool trusted)
{
    struct fragile *fragile = context;

    (void)payload;
    (void)length;
    (void)trusted;
    if (atomic_load(&fragile->released))
        (void)atomic_fetch_add(&fragile->late, 1);
    (void)atomic_fetch_add(&fragile->calls, 1);
    return true;
}

static void fragile_release(void *context)
{
    (void)atomic_fetch_add(&((struct fragile *)context)->released, 1);
}

static void remove_fragile(void *argument)
{
    struct fragile *fragile = argument;

    vmr_synic_port_remove(fragile->handle);
}

/* Both orders are legal: the guest's status says which it was. */
static void a_removal_during_a_post_waits_for_nobody_and_loses_nothing(struct conf *conf)
{
    struct fragile fragile = {.handle = NULL};
    const struct vmr_message_port port = {
        .connection_id = MESSAGES, .post = fragile_post, .release = fragile_release, .context = &fragile};
    CONF_PROGRAM(posts_once, HV_OPEN(), VMR_STORE(HV_INPUT, 8, MESSAGES),
                 VMR_STORE(HV_INPUT + 8, 8, 1 | UINT64_C(8) << 32), VMR_SET(0, HV_INPUT), VMR_SET(1, 0),
                 VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_POST_MESSAGE), HV_NO_FAULT(), VMR_STORE_VAR(WORD(0), 8, 6),
                 VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &posts_once, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, vmr_synic_message_port_add(synic_of(vm), &port, &fragile.handle, NULL) == VMR_OK, "no port");
    struct vmr_thread *thread = conf_thread(conf, remove_fragile, &fragile);

    if (!thread) {
        vmr_synic_port_remove(fragile.handle);
        return;
    }
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    uint64_t status = word(vm, 0);

    CONF_CHECK(conf, status == HV_STATUS_SUCCESS || status == INVALID_ID, "the guest was told %#llx",
               (unsigned long long)status);
    CONF_CHECK_EQ(conf, atomic_load(&fragile.calls), status == HV_STATUS_SUCCESS ? 1 : 0, "calls of the port");
    CONF_CHECK_EQ(conf, atomic_load(&fragile.late), 0, "calls after the release");
    CONF_CHECK_EQ(conf, atomic_load(&fragile.released), 1, "releases");
}

static void handles_outlive_their_partition(struct conf *conf)
{
    struct ears ears = {0};
    const struct vmr_synic_target target = {.sint = SINT};
    struct vmr_guest_message_port *messages = NULL;
    struct vmr_guest_event_port *events = NULL;
    CONF_PROGRAM(nothing, VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &nothing, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic_port *port = listen_for_posts(vm, MESSAGES, 0, &ears);

    CONF_REQUIRE(conf,
                 vmr_guest_message_port_create(synic_of(vm), &target, &messages, NULL) == VMR_OK &&
                     vmr_guest_event_port_create(synic_of(vm), &target, 7, &events, NULL) == VMR_OK,
                 "no guest ports");
    conf_vm_destroy(vm);
    CONF_CHECK_EQ(conf, ears.releases, 1, "releases with the partition");
    CONF_CHECK_EQ(conf, vmr_guest_message_port_post(messages, 1, "x", 1), VMR_OK, "a post to nobody");
    CONF_CHECK_EQ(conf, vmr_guest_event_port_signal(events), VMR_SYNIC_NOT_SIGNALED, "a signal to nobody");
    vmr_guest_message_port_set_target_vp(messages, 1);
    vmr_guest_event_port_set_target_vp(events, 1);
    CONF_CHECK_EQ(conf, vmr_guest_event_port_set(events, NULL, 0, NULL), VMR_OK, "aiming it nowhere");
    vmr_guest_message_port_destroy(messages);
    vmr_guest_event_port_destroy(events);
    vmr_synic_port_remove(port);
    CONF_CHECK_EQ(conf, ears.releases, 1, "releases in all");
}

/* --- several at once --- */

#define ROUNDS 20u

struct counter {
    _Atomic uint32_t signals;
};

static void count_signal(void *context, uint16_t flag)
{
    (void)flag;
    (void)atomic_fetch_add(&((struct counter *)context)->signals, 1);
}

#define SIGNAL_OFTEN(first_step)                                                                                       \
    VMR_SET(2, ROUNDS), VMR_SET(0, EVENTS), VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST),      \
        HV_NO_FAULT(), VMR_EXPECT(6, 0), VMR_LOOP(2, (first_step) + 1)

static void vps_signal_at_once(struct conf *conf)
{
    struct counter counter = {0};
    const struct vmr_event_port port = {.connection_id = EVENTS, .signal = count_signal, .context = &counter};
    APIC_PROGRAM(first, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), VMR_START_VP(1), SIGNAL_OFTEN(4), VMR_END());
    APIC_PROGRAM(second, VMR_EOI_XAPIC, VMR_NOP(), SIGNAL_OFTEN(1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 2, &first, NULL);
    struct vmr_synic_port *handle = NULL;

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handle, NULL) == VMR_OK, "no port");
    run_pair(vm, &second);
    vmr_synic_port_remove(handle);
    CONF_CHECK_EQ(conf, atomic_load(&counter.signals), 2 * ROUNDS, "signals");
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "synic-ports", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_payload_arrives_whole), .clauses = "PORT-5"},
    {SCENARIO(an_empty_payload_is_a_message), .clauses = "PORT-5"},
    {SCENARIO(a_payload_that_is_too_long_is_refused), .clauses = "PORT-5", .ids = "S12"},
    {SCENARIO(every_flag_number_arrives), .clauses = "PORT-5", .ids = "S13"},
    {SCENARIO(an_id_that_is_nobodys_is_invalid), .clauses = "PORT-2", .ids = "SYN-01", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_port_of_the_other_kind_is_nobodys), .clauses = "PORT-2", .ids = "SYN-01 S14"},
    {SCENARIO(a_port_of_a_higher_vtl_is_denied), .clauses = "PORT-3", .ids = "SYN-02 S14"},
    {SCENARIO(the_kind_comes_before_the_vtl), .clauses = "PORT-2 PORT-3"},
    {SCENARIO(a_port_that_is_not_ready_is_tried_again), .clauses = "PORT-4", .ids = "SYN-03"},
    {SCENARIO(an_id_is_taken_by_either_kind), .clauses = "PORT-1", .ids = "SYN-04 S14"},
    {SCENARIO(a_monitor_id_is_taken_once), .clauses = "PORT-1"},
    {SCENARIO(many_ports_are_told_apart), .clauses = "PORT-1 PORT-6"},
    {SCENARIO(a_port_with_an_event_has_it_signalled), .clauses = "PORT-9"},
    {SCENARIO(a_removed_port_frees_its_id), .clauses = "PORT-6", .ids = "SYN-04"},
    {SCENARIO(a_port_may_remove_itself), .clauses = "PORT-6", .ids = "S14"},
    {SCENARIO(a_removal_during_a_post_waits_for_nobody_and_loses_nothing), .clauses = "PORT-6", .ids = "SYN-09",
     .flags = CONF_EXPLORE},
    {SCENARIO(handles_outlive_their_partition), .clauses = "PORT-7"},
    {SCENARIO(vps_signal_at_once), .clauses = "PORT-5"},
};

CONF_FAMILY(synic_ports, scenarios);
