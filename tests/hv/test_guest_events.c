/* SPDX-License-Identifier: MIT */
/* Events of the host's for event ports: signalled by the host, and by a hypervisor that can. */

#include "tests/hv/guest_rig.h"
#include "tests/hv/offload_rig.h"

/* What the host and the hypervisor were asked. The rig's context stays first: its calls get it too. */
struct event_rig {
    struct guest_rig rig;
    struct vmr_host host;
    struct vmr_host_ops ops;
    enum vmr_status answer; /* of binding */
    unsigned bound, unbound, calls;
    uint32_t connection_id;
    int os_event;
};

static unsigned signalled[4];

static void count_event(void *context, int fd)
{
    (void)context;
    signalled[fd]++;
}

static void count_call(void *context, uint16_t flag)
{
    (void)flag;
    ++*(unsigned *)context;
}

static enum vmr_status bind_event(void *context, uint32_t connection_id, int os_event, bool add)
{
    struct event_rig *rig = context;

    rig->connection_id = connection_id;
    rig->os_event = os_event;
    if (add && rig->answer != VMR_OK)
        return rig->answer;
    if (add)
        rig->bound++;
    else
        rig->unbound++;
    return VMR_OK;
}

static void create(struct event_rig *rig, bool has_events, bool binds)
{
    static const struct vmr_event_ops events = {.signal = count_event};

    *rig = (struct event_rig){0};
    memset(signalled, 0, sizeof(signalled));
    guest_rig_prepare(&rig->rig);
    rig->ops = *rig->rig.fake.host.ops;
    rig->ops.events = has_events ? &events : NULL;
    rig->host = (struct vmr_host){.ops = &rig->ops, .context = rig->rig.fake.host.context};
    rig->rig.options.host = &rig->host;
    rig->rig.options.target.context = rig;
    if (binds) {
        rig->rig.options.target.offload = &told_ops;
        rig->rig.options.target.own.privileges = UINT64_MAX;
        rig->rig.options.target.bind_event = bind_event;
    }
    guest_rig_create(&rig->rig);
}

static struct vmr_event_port port_with(struct event_rig *rig, intptr_t os_event)
{
    return (struct vmr_event_port){.connection_id = 0x80000007,
                                   .has_os_event = true,
                                   .os_event = os_event,
                                   .signal = count_call,
                                   .context = &rig->calls};
}

static enum hv_status signal_port(struct event_rig *rig)
{
    return vmr_synic_guest_signal(vmr_hv_guest_synic(rig->rig.guest), 0, 0x80000007, 1);
}

static void a_signal_goes_to_the_hosts_event(void **state)
{
    (void)state;
    for (unsigned has_events = 0; has_events < 2; has_events++) {
        struct event_rig rig;
        struct vmr_synic_port *handle = NULL;
        struct vmr_error err = {.message = ""};

        create(&rig, has_events, false);
        struct vmr_synic *synic = vmr_hv_guest_synic(rig.rig.guest);
        struct vmr_event_port port = port_with(&rig, -1);

        assert_false(vmr_synic_prefers_os_events(synic));
        assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, &err), has_events ? VMR_E_CONFIG : VMR_OK);
        assert_true(!has_events || strstr(err.message, "0x80000007: -1 is no event"));
        if (!has_events)
            vmr_synic_port_remove(handle);
        port.os_event = 3;
        assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, NULL), VMR_OK);
        assert_int_equal(signal_port(&rig), HV_STATUS_SUCCESS);
        assert_int_equal(signalled[3], has_events);
        assert_int_equal(rig.calls, !has_events);
        vmr_synic_port_remove(handle);
        guest_rig_finish(&rig.rig);
    }
}

/* What the hypervisor does not take, and signals that it leaves to us, are signalled here all the same. */
static void a_hypervisor_gets_the_event_too(void **state)
{
    static const struct {
        uint8_t minimum_vtl;
        enum vmr_status answer;
        unsigned bound;
    } rows[] = {{0, VMR_OK, 1}, {0, VMR_E_UNSUPPORTED, 0}, {1, VMR_OK, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct event_rig rig;
        struct vmr_synic_port *handle = NULL;

        create(&rig, true, true);
        rig.answer = rows[i].answer;
        struct vmr_synic *synic = vmr_hv_guest_synic(rig.rig.guest);
        struct vmr_event_port port = port_with(&rig, 2);

        port.minimum_vtl = rows[i].minimum_vtl;
        assert_true(vmr_synic_prefers_os_events(synic));
        assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, NULL), VMR_OK);
        assert_int_equal(rig.bound, rows[i].bound);
        if (rows[i].minimum_vtl == 0) {
            assert_int_equal(signal_port(&rig), HV_STATUS_SUCCESS);
            assert_int_equal(signalled[2], 1);
        }
        vmr_synic_port_remove(handle);
        assert_int_equal(rig.unbound, rows[i].bound);
        assert_true(rows[i].minimum_vtl != 0 || (rig.connection_id == 0x80000007 && rig.os_event == 2));
        assert_int_equal(rig.calls, 0);
        guest_rig_finish(&rig.rig);
    }
}

static void an_event_that_is_refused_refuses_its_port(void **state)
{
    struct event_rig rig;
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};

    (void)state;
    create(&rig, true, true);
    rig.answer = VMR_E_USAGE;
    const struct vmr_event_port port = port_with(&rig, 2);

    assert_int_equal(vmr_synic_event_port_add(vmr_hv_guest_synic(rig.rig.guest), &port, &handle, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "does not take event 2"));
    assert_null(handle);
    assert_int_equal(signal_port(&rig), HV_STATUS_INVALID_CONNECTION_ID);
    guest_rig_finish(&rig.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_goes_to_the_hosts_event),
        cmocka_unit_test(a_hypervisor_gets_the_event_too),
        cmocka_unit_test(an_event_that_is_refused_refuses_its_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
