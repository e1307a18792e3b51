/* SPDX-License-Identifier: MIT */
/* Host ports: each way of adding and removing one, and what a guest's call to one answers. */

#include "tests/hv/synic_rig.h"

#include "tests/support/counting_host.h"

/* A port that writes down what it gets. */
struct listener {
    struct rig *rig;
    unsigned name;
    bool busy;
    struct vmr_synic_port *removed_in_call; /* given back by the next call */
};

static void give_back(struct listener *listener)
{
    vmr_synic_port_remove(listener->removed_in_call);
    listener->removed_in_call = NULL;
}

static bool hear_message(void *context, const void *payload, size_t length, bool trusted)
{
    struct listener *listener = context;

    assert_false(trusted);
    rig_note(listener->rig, "post %u %zu %02x", listener->name, length, length ? *(const uint8_t *)payload : 0);
    give_back(listener);
    return !listener->busy;
}

static void hear_event(void *context, uint16_t flag)
{
    struct listener *listener = context;

    rig_note(listener->rig, "signal %u %u", listener->name, flag);
    give_back(listener);
}

static void hear_release(void *context)
{
    struct listener *listener = context;

    rig_note(listener->rig, "release %u", listener->name);
}

static struct vmr_message_port message_port(struct listener *listener, uint32_t id, uint8_t minimum_vtl)
{
    return (struct vmr_message_port){.connection_id = id,
                                     .minimum_vtl = minimum_vtl,
                                     .post = hear_message,
                                     .release = hear_release,
                                     .context = listener};
}

static struct vmr_event_port event_port(struct listener *listener, uint32_t id, uint8_t minimum_vtl)
{
    return (struct vmr_event_port){.connection_id = id,
                                   .minimum_vtl = minimum_vtl,
                                   .signal = hear_event,
                                   .release = hear_release,
                                   .context = listener};
}

static struct vmr_synic_port *must_add_message(struct listener *listener, uint32_t id, uint8_t minimum_vtl)
{
    const struct vmr_message_port port = message_port(listener, id, minimum_vtl);
    struct vmr_synic_port *handle = NULL;

    assert_int_equal(vmr_synic_message_port_add(listener->rig->synic, &port, &handle, NULL), VMR_OK);
    return handle;
}

static struct vmr_synic_port *must_add_event(struct listener *listener, uint32_t id, uint8_t minimum_vtl)
{
    const struct vmr_event_port port = event_port(listener, id, minimum_vtl);
    struct vmr_synic_port *handle = NULL;

    assert_int_equal(vmr_synic_event_port_add(listener->rig->synic, &port, &handle, NULL), VMR_OK);
    return handle;
}

/* --- what guests are told --- */

/* Connection 1 is a message port, 2 one for VTL 1, 3 a busy one, 4 an event port, 5 one for VTL 1. */
static const struct {
    const char *name;
    bool posts; /* else it signals, with flag 9 */
    uint8_t vtl;
    uint32_t id;
    size_t length;
    enum hv_status status;
    const char *notes;
} calls[] = {
    {"a post", true, 0, 1, 4, HV_STATUS_SUCCESS, "post 1 4 ab;"},
    {"an empty post", true, 0, 1, 0, HV_STATUS_SUCCESS, "post 1 0 00;"},
    {"the longest post", true, 0, 1, 240, HV_STATUS_SUCCESS, "post 1 240 ab;"},
    {"one byte too long", true, 0, 1, 241, HV_STATUS_INVALID_PARAMETER, ""},
    {"length of all ones", true, 0, 1, SIZE_MAX, HV_STATUS_INVALID_PARAMETER, ""},
    {"a post to nobody", true, 0, 99, 4, HV_STATUS_INVALID_CONNECTION_ID, ""},
    {"a post to an event port", true, 0, 4, 4, HV_STATUS_INVALID_CONNECTION_ID, ""},
    {"a post from below", true, 0, 2, 4, HV_STATUS_OPERATION_DENIED, ""},
    {"a post from the minimum VTL", true, 1, 2, 4, HV_STATUS_SUCCESS, "post 2 4 ab;"},
    {"a post from above", true, 2, 2, 4, HV_STATUS_SUCCESS, "post 2 4 ab;"},
    {"a post from below to the other kind: kind first", true, 0, 5, 4, HV_STATUS_INVALID_CONNECTION_ID, ""},
    {"a post to one that is not ready", true, 0, 3, 4, HV_STATUS_INSUFFICIENT_BUFFERS, "post 3 4 ab;"},
    {"a signal", false, 0, 4, 0, HV_STATUS_SUCCESS, "signal 4 9;"},
    {"a signal to nobody", false, 0, 99, 0, HV_STATUS_INVALID_CONNECTION_ID, ""},
    {"a signal to a message port", false, 0, 1, 0, HV_STATUS_INVALID_CONNECTION_ID, ""},
    {"a signal from below", false, 0, 5, 0, HV_STATUS_OPERATION_DENIED, ""},
    {"a signal from the minimum VTL", false, 1, 5, 0, HV_STATUS_SUCCESS, "signal 5 9;"},
    {"a signal from below to the other kind", false, 0, 2, 0, HV_STATUS_INVALID_CONNECTION_ID, ""},
};

static void a_call_is_judged_by_id_then_kind_then_vtl(void **state)
{
    (void)state;
    struct rig rig;
    struct listener listeners[6];
    uint8_t payload[256];

    memset(payload, 0xab, sizeof(payload));
    rig_init(&rig);
    for (unsigned i = 0; i < 6; i++)
        listeners[i] = (struct listener){&rig, i, i == 3, NULL};
    struct vmr_synic_port *handles[] = {must_add_message(&listeners[1], 1, 0), must_add_message(&listeners[2], 2, 1),
                                        must_add_message(&listeners[3], 3, 0), must_add_event(&listeners[4], 4, 0),
                                        must_add_event(&listeners[5], 5, 1)};

    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        print_message("%s\n", calls[i].name);
        enum hv_status status =
            calls[i].posts ? vmr_synic_guest_post(rig.synic, calls[i].vtl, calls[i].id, payload, calls[i].length)
                           : vmr_synic_guest_signal(rig.synic, calls[i].vtl, calls[i].id, 9);

        assert_int_equal(status, calls[i].status);
        rig_expect(&rig, calls[i].notes);
    }
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 4, UINT16_MAX), HV_STATUS_SUCCESS);
    rig_expect(&rig, "signal 4 65535;");
    for (size_t i = 0; i < COUNT_OF(handles); i++)
        vmr_synic_port_remove(handles[i]);
    rig_finish(&rig);
}

/* --- adding --- */

static void both_kinds_share_the_ids(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1, false, NULL};
    struct vmr_synic_port *message = must_add_message(&listener, 7, 0), *event = must_add_event(&listener, 8, 0),
                          *none = NULL;
    struct vmr_error err = {0};

    for (uint32_t id = 7; id <= 8; id++) {
        const struct vmr_message_port message_twin = message_port(&listener, id, 0);
        const struct vmr_event_port event_twin = event_port(&listener, id, 0);

        assert_int_equal(vmr_synic_message_port_add(rig.synic, &message_twin, &none, &err), VMR_E_CONFIG);
        assert_int_equal(vmr_synic_event_port_add(rig.synic, &event_twin, &none, &err), VMR_E_CONFIG);
    }
    assert_null(none);
    assert_string_equal(err.message, "connection 0x8: an event port has this id already");
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 8, 1), HV_STATUS_SUCCESS); /* as before */
    rig_expect(&rig, "signal 1 1;");                                                 /* nothing was released */
    vmr_synic_port_remove(message);
    vmr_synic_port_remove(event);
    rig_expect(&rig, "release 1;release 1;");
    struct vmr_synic_port *again = must_add_event(&listener, 7, 0);

    vmr_synic_port_remove(again);
    rig_finish(&rig);
}

static void what_is_no_port_is_refused(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1, false, NULL};
    struct vmr_message_port message = message_port(&listener, 7, VMR_VTL_COUNT);
    struct vmr_event_port event = event_port(&listener, 7, VMR_VTL_COUNT);
    struct vmr_synic_port *none = NULL;

    assert_int_equal(vmr_synic_message_port_add(rig.synic, &message, &none, NULL), VMR_E_CONFIG);
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &event, &none, NULL), VMR_E_CONFIG);
    message = (struct vmr_message_port){.connection_id = 7};
    event = (struct vmr_event_port){.connection_id = 7};
    assert_int_equal(vmr_synic_message_port_add(rig.synic, &message, &none, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &event, &none, NULL), VMR_E_USAGE);
    message.post = hear_message;
    for (unsigned nth = 1; nth <= 3; nth++) {
        fail_allocation(nth);
        assert_int_equal(vmr_synic_message_port_add(rig.synic, &message, &none, NULL), VMR_E_NOMEM);
        fail_allocation(0);
    }
    assert_null(none);
    vmr_synic_port_remove(NULL);
    rig_finish(&rig);
}

/* --- OS events: fast path first, then map, then monitor --- */

static const struct {
    const char *name;
    enum vmr_status add; /* what the hypervisor answers */
    uint32_t id;         /* 3 is taken */
    uint32_t monitor_id; /* 40 is taken */
    enum vmr_status status;
    const char *notes; /* of adding */
    const char *removal;
} event_adds[] = {
    {"all is well", VMR_OK, 2, 41, VMR_OK, "event+ 2 1 77;", "event- 77;release 1;"},
    {"no fast path for this one", VMR_E_UNSUPPORTED, 2, 41, VMR_OK, "event+ 2 1 77;", "release 1;"},
    {"the fast path fails", VMR_E_HOST, 2, 41, VMR_E_HOST, "event+ 2 1 77;", ""},
    {"the fast path fails, and the id is taken", VMR_E_HOST, 3, 41, VMR_E_HOST, "event+ 3 1 77;", ""},
    {"the id is taken", VMR_OK, 3, 41, VMR_E_CONFIG, "event+ 3 1 77;event- 77;", ""},
    {"the monitor id is taken", VMR_OK, 2, 40, VMR_E_CONFIG, "event+ 2 1 77;event- 77;", ""},
    {"the monitor id does not exist", VMR_OK, 2, 128, VMR_E_CONFIG, "event+ 2 1 77;event- 77;", ""},
    {"both ids are taken", VMR_OK, 3, 40, VMR_E_CONFIG, "event+ 3 1 77;event- 77;", ""},
};

static void an_event_port_is_added_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(event_adds); i++) {
        struct rig rig;
        struct vmr_synic_port *handle = NULL;

        print_message("%s\n", event_adds[i].name);
        rig_init(&rig);
        struct listener taken = {&rig, 3, false, NULL}, listener = {&rig, 1, false, NULL};
        struct vmr_event_port port = event_port(&taken, 3, 0);
        struct vmr_synic_port *first = NULL;

        port.has_monitor = true;
        port.monitor_id = 40;
        assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &first, NULL), VMR_OK);
        port = event_port(&listener, event_adds[i].id, 1);
        port.has_monitor = true;
        port.monitor_id = event_adds[i].monitor_id;
        port.has_os_event = true;
        port.os_event = 77;
        rig.event_add = event_adds[i].add;
        assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handle, NULL), event_adds[i].status);
        rig_expect(&rig, event_adds[i].notes);
        assert_int_equal(handle != NULL, event_adds[i].status == VMR_OK);
        /* What failed left neither port nor registration behind. */
        assert_int_equal(vmr_synic_guest_signal(rig.synic, 1, 2, 0),
                         handle ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_CONNECTION_ID);
        assert_int_equal(monitor_register(&rig.synic->monitor, 41, 0, NULL), handle ? VMR_E_CONFIG : VMR_OK);
        rig_forget(&rig);
        vmr_synic_port_remove(handle);
        rig_expect(&rig, event_adds[i].removal);
        vmr_synic_port_remove(first);
        rig_finish(&rig);
    }
}

static void without_monitor_or_fast_path_both_are_ignored(void **state)
{
    (void)state;
    struct rig rig = {0};

    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    struct vmr_synic_options options = rig_options(&rig);

    options.monitor = NULL;
    options.host_events = NULL;
    assert_int_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
    assert_false(vmr_synic_prefers_os_events(rig.synic));
    struct listener listener = {&rig, 1, false, NULL};
    struct vmr_event_port port = event_port(&listener, 2, 0);
    struct vmr_synic_port *handles[2] = {NULL, NULL};

    port.has_os_event = port.has_monitor = true;
    port.monitor_id = 4000;
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handles[0], NULL), VMR_OK);
    port.connection_id = 3;
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handles[1], NULL), VMR_OK);
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 2, 5), HV_STATUS_SUCCESS);
    vmr_synic_port_remove(handles[0]);
    vmr_synic_port_remove(handles[1]);
    rig_expect(&rig, "signal 1 5;release 1;release 1;");
    rig_finish(&rig);
    rig_init(&rig);
    assert_true(vmr_synic_prefers_os_events(rig.synic));
    rig_finish(&rig);
}

static void signal_token(void *context, void *token)
{
    rig_note(context, "event! %d", (int)(intptr_t)token);
}

static void an_event_that_is_signalled_here_takes_the_calls_place(void **state)
{
    (void)state;
    static const struct vmr_synic_host_events events = {
        .add = rig_event_add, .remove = rig_event_remove, .signal = signal_token};
    struct rig rig = {0};

    fake_host_init(&rig.fake, 0);
    rig_add_ram(&rig);
    struct vmr_synic_options options = rig_options(&rig);

    options.host_events = &events;
    assert_int_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
    assert_false(vmr_synic_prefers_os_events(rig.synic));
    struct listener listener = {&rig, 1, false, NULL};
    struct vmr_event_port port = event_port(&listener, 2, 1);
    struct vmr_synic_port *handles[2] = {NULL, NULL};

    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handles[0], NULL), VMR_OK);
    port.connection_id = 3;
    port.has_os_event = true;
    port.os_event = 77;
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handles[1], NULL), VMR_OK);
    rig_expect(&rig, "event+ 3 1 77;");
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 3, 5), HV_STATUS_OPERATION_DENIED);
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 1, 3, 5), HV_STATUS_SUCCESS);
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 1, 2, 5), HV_STATUS_SUCCESS);
    vmr_synic_port_remove(handles[0]);
    vmr_synic_port_remove(handles[1]);
    rig_expect(&rig, "event! 77;signal 1 5;release 1;event- 77;release 1;");
    rig_finish(&rig);
}

/* --- handles --- */

static void a_removed_port_is_gone_and_its_id_and_monitor_id_are_free(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1, false, NULL};
    struct vmr_event_port port = event_port(&listener, 2, 0);
    struct vmr_synic_port *handle = NULL;

    port.has_monitor = true;
    port.monitor_id = 127;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &handle, NULL), VMR_OK);
        vmr_synic_port_remove(handle);
        assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 2, 0), HV_STATUS_INVALID_CONNECTION_ID);
    }
    rig_expect(&rig, "release 1;release 1;release 1;");
    rig_finish(&rig);
}

static void a_port_removed_in_its_own_call_is_released_after_it(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1, false, NULL};

    listener.removed_in_call = must_add_event(&listener, 2, 0);
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 2, 3), HV_STATUS_SUCCESS);
    assert_int_equal(vmr_synic_guest_signal(rig.synic, 0, 2, 3), HV_STATUS_INVALID_CONNECTION_ID);
    rig_expect(&rig, "signal 1 3;release 1;");
    listener.removed_in_call = must_add_message(&listener, 2, 0);
    assert_int_equal(vmr_synic_guest_post(rig.synic, 0, 2, NULL, 0), HV_STATUS_SUCCESS);
    rig_expect(&rig, "post 1 0 00;release 1;");
    rig_finish(&rig);
}

static void a_handle_outlives_the_synic_harmlessly(void **state)
{
    (void)state;
    struct rig rig, other;

    rig_init(&rig);
    rig_init(&other);
    struct listener listener = {&rig, 1, false, NULL}, elsewhere = {&other, 2, false, NULL};
    struct vmr_event_port port = event_port(&listener, 3, 0);
    struct vmr_synic_port *first = must_add_message(&listener, 2, 0), *second = NULL;
    struct vmr_synic_port *theirs = must_add_message(&elsewhere, 2, 0);

    port.has_os_event = true;
    port.os_event = 5;
    assert_int_equal(vmr_synic_event_port_add(rig.synic, &port, &second, NULL), VMR_OK);
    rig_forget(&rig);
    rig_finish(&rig);
    /* Its ports are given back with it, in the order of the table. */
    assert_non_null(strstr(rig.notes, "event- 5;release 1;"));
    assert_int_equal(strlen(rig.notes), strlen("event- 5;release 1;release 1;"));
    rig_forget(&rig);
    vmr_synic_port_remove(first);
    vmr_synic_port_remove(second);
    rig_expect(&rig, "");
    /* Another partition's port with the same id and number is untouched. */
    assert_int_equal(vmr_synic_guest_post(other.synic, 0, 2, NULL, 0), HV_STATUS_SUCCESS);
    vmr_synic_port_remove(theirs);
    rig_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_judged_by_id_then_kind_then_vtl),
        cmocka_unit_test(both_kinds_share_the_ids),
        cmocka_unit_test(what_is_no_port_is_refused),
        cmocka_unit_test(an_event_port_is_added_whole_or_not_at_all),
        cmocka_unit_test(without_monitor_or_fast_path_both_are_ignored),
        cmocka_unit_test(an_event_that_is_signalled_here_takes_the_calls_place),
        cmocka_unit_test(a_removed_port_is_gone_and_its_id_and_monitor_id_are_free),
        cmocka_unit_test(a_port_removed_in_its_own_call_is_released_after_it),
        cmocka_unit_test(a_handle_outlives_the_synic_harmlessly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
