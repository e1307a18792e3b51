/* SPDX-License-Identifier: MIT */
/* Guest ports: where they send, aiming them elsewhere, and life after the SynIC. */

#include "tests/hv/synic_rig.h"

#define UNMASKED(vector) (uint64_t)(vector)

static void unmask(struct rig *rig, vmr_vp_index vp, uint8_t vtl, unsigned sint, uint8_t vector)
{
    assert_int_equal(vmr_synic_msr_write(rig->synic, vp, vtl, HV_MSR_SINT0 + sint, UNMASKED(vector)), VMR_MSR_OK);
}

static const struct {
    const char *name;
    struct vmr_synic_target target;
    uint16_t flag;
    enum vmr_status message, event;
} targets[] = {
    {"the last of all", {.vp = 2, .vtl = 1, .sint = 15}, 2047, VMR_OK, VMR_OK},
    {"no such SINT", {.sint = 16}, 0, VMR_E_CONFIG, VMR_E_CONFIG},
    {"SINT 255", {.sint = 255}, 0, VMR_E_CONFIG, VMR_E_CONFIG},
    {"no such VTL", {.vtl = RIG_VTLS}, 0, VMR_E_CONFIG, VMR_E_CONFIG},
    {"no such flag", {.vp = 0}, 2048, VMR_OK, VMR_E_CONFIG},
    {"flag 65535", {.vp = 0}, UINT16_MAX, VMR_OK, VMR_E_CONFIG},
    {"a VP that may come later", {.vp = RIG_VPS}, 0, VMR_OK, VMR_OK},
};

static void what_cannot_be_a_target_is_refused(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct vmr_guest_message_port *message = NULL;
        struct vmr_guest_event_port *event = NULL;

        print_message("%s\n", targets[i].name);
        assert_int_equal(vmr_guest_message_port_create(rig.synic, &targets[i].target, &message, NULL),
                         targets[i].message);
        assert_int_equal(vmr_guest_event_port_create(rig.synic, &targets[i].target, targets[i].flag, &event, NULL),
                         targets[i].event);
        assert_int_equal(message != NULL, targets[i].message == VMR_OK);
        assert_int_equal(event != NULL, targets[i].event == VMR_OK);
        vmr_guest_message_port_destroy(message);
        vmr_guest_event_port_destroy(event);
    }
    rig_finish(&rig);
}

static void a_message_goes_where_the_port_is_aimed(void **state)
{
    (void)state;
    struct rig rig;
    const struct vmr_synic_target target = {.vp = 1, .vtl = 1, .sint = 2};
    struct vmr_guest_message_port *port = NULL;
    uint8_t payload[241] = {0};

    rig_init(&rig);
    assert_int_equal(vmr_guest_message_port_create(rig.synic, &target, &port, NULL), VMR_OK);
    unmask(&rig, 1, 1, 2, 0x30);
    unmask(&rig, 2, 1, 2, 0x31);
    assert_int_equal(vmr_guest_message_port_post(port, 1, payload, 240), VMR_OK);
    assert_int_equal(rig.wakes[1], 1);
    (void)vmr_synic_poll(rig.synic, 1, rig.fake.now_ns);
    rig_expect(&rig, "irq 1.1 30;");
    assert_int_equal(vmr_guest_message_port_post(port, 1, payload, 241), VMR_E_USAGE);
    assert_int_equal(vmr_guest_message_port_post(port, 0, payload, 1), VMR_E_USAGE);
    vmr_guest_message_port_set_target_vp(port, 2);
    assert_int_equal(vmr_guest_message_port_post(port, 1, payload, 0), VMR_OK);
    assert_int_equal(rig.wakes[2], 1);
    (void)vmr_synic_poll(rig.synic, 2, rig.fake.now_ns);
    rig_expect(&rig, "irq 2.1 31;");
    /* Whether the VP exists is asked at use. */
    vmr_guest_message_port_set_target_vp(port, RIG_VPS);
    assert_int_equal(vmr_guest_message_port_post(port, 1, payload, 0), VMR_E_USAGE);
    vmr_guest_message_port_set_target_vp(port, UINT32_MAX);
    assert_int_equal(vmr_guest_message_port_post(port, 1, payload, 0), VMR_E_USAGE);
    assert_int_equal(rig.fake.log_lines, 2);
    vmr_guest_message_port_destroy(port);
    vmr_guest_message_port_destroy(NULL);
    rig_finish(&rig);
}

static void an_event_port_can_be_aimed_elsewhere_and_nowhere(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_synic_target target = {.vp = 1, .vtl = 0, .sint = 4};
    struct vmr_guest_event_port *port = NULL;

    rig_init(&rig);
    unmask(&rig, 1, 0, 4, 0x40);
    unmask(&rig, 2, 0, 4, 0x42);
    unmask(&rig, 2, 1, 15, 0x5f);
    assert_int_equal(vmr_guest_event_port_create(rig.synic, &target, 7, &port, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_SIGNALED);
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_NOT_SIGNALED); /* set already */
    vmr_guest_event_port_set_target_vp(port, 2);
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_SIGNALED);
    target = (struct vmr_synic_target){.vp = 2, .vtl = 1, .sint = 15};
    assert_int_equal(vmr_guest_event_port_set(port, &target, 2047, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_SIGNALED);
    rig_expect(&rig, "irq 1.0 40;irq 2.0 42;irq 2.1 5f;");
    assert_int_equal(vmr_guest_event_port_set(port, &target, 2048, NULL), VMR_E_CONFIG);
    assert_int_equal(vmr_guest_event_port_set(port, NULL, 0, NULL), VMR_OK);
    vmr_guest_event_port_set_target_vp(port, 0); /* stays nowhere */
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_NOT_SIGNALED);
    target = (struct vmr_synic_target){.vp = UINT32_MAX, .sint = 4};
    assert_int_equal(vmr_guest_event_port_set(port, &target, 0, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_signal(port), VMR_SYNIC_NOT_SIGNALED);
    rig_expect(&rig, "");
    vmr_guest_event_port_destroy(port);
    vmr_guest_event_port_destroy(NULL);
    rig_finish(&rig);
}

static void ports_do_nothing_when_the_synic_is_gone(void **state)
{
    (void)state;
    struct rig rig;
    const struct vmr_synic_target target = {.sint = 4};
    struct vmr_guest_message_port *message = NULL;
    struct vmr_guest_event_port *event = NULL;

    rig_init(&rig);
    unmask(&rig, 0, 0, 4, 0x40);
    assert_int_equal(vmr_guest_message_port_create(rig.synic, &target, &message, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_create(rig.synic, &target, 7, &event, NULL), VMR_OK);
    rig_finish(&rig);
    assert_int_equal(vmr_guest_message_port_post(message, 1, NULL, 0), VMR_OK);
    assert_int_equal(vmr_guest_event_port_signal(event), VMR_SYNIC_NOT_SIGNALED);
    vmr_guest_message_port_set_target_vp(message, 1);
    vmr_guest_event_port_set_target_vp(event, 1);
    assert_int_equal(vmr_guest_event_port_set(event, &target, 1, NULL), VMR_OK);
    assert_int_equal(vmr_guest_event_port_signal(event), VMR_SYNIC_NOT_SIGNALED);
    rig_expect(&rig, "");
    assert_int_equal(rig.wakes[0] + rig.wakes[1], 0);
    vmr_guest_message_port_destroy(message);
    vmr_guest_event_port_destroy(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_a_target_is_refused),
        cmocka_unit_test(a_message_goes_where_the_port_is_aimed),
        cmocka_unit_test(an_event_port_can_be_aimed_elsewhere_and_nowhere),
        cmocka_unit_test(ports_do_nothing_when_the_synic_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
