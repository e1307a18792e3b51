/* SPDX-License-Identifier: MIT */
/* The monitor page of a partition: setting, moving, clearing and allocating it, and where its bits go. */

#include "tests/hv/synic_rig.h"

#define FIRST (5 * PAGE)
#define SECOND (6 * PAGE)

struct listener {
    struct rig *rig;
    unsigned name;
};

static void hear(void *context, uint16_t flag)
{
    const struct listener *listener = context;

    rig_note(listener->rig, "signal %u %u", listener->name, flag);
}

static struct vmr_synic_port *must_add(struct listener *listener, uint32_t id, uint8_t minimum_vtl, uint32_t monitor_id)
{
    const struct vmr_event_port port = {.connection_id = id,
                                        .minimum_vtl = minimum_vtl,
                                        .has_monitor = true,
                                        .monitor_id = monitor_id,
                                        .signal = hear,
                                        .context = listener};
    struct vmr_synic_port *handle = NULL;

    assert_int_equal(vmr_synic_event_port_add(listener->rig->synic, &port, &handle, NULL), VMR_OK);
    return handle;
}

static enum vmr_status set_page(struct rig *rig, vmr_gpa gpa)
{
    return vmr_synic_monitor_set_page(rig->synic, 0, &gpa, NULL);
}

static enum vmr_status clear_page(struct rig *rig)
{
    return vmr_synic_monitor_set_page(rig->synic, 0, NULL, NULL);
}

static bool store(struct rig *rig, uint8_t vtl, vmr_gpa gpa, uint32_t bits)
{
    uint8_t bytes[4];

    store_le32(bytes, bits);
    return vmr_synic_monitor_write(rig->synic, vtl, gpa, bytes, sizeof(bytes));
}

static void the_page_is_trapped_where_it_is_and_nowhere_else(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    assert_true(vmr_synic_has_monitor(rig.synic));
    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    rig_expect(&rig, "trap 5000;");
    assert_int_equal(set_page(&rig, FIRST), VMR_OK); /* the same again */
    rig_expect(&rig, "");
    assert_int_equal(set_page(&rig, SECOND), VMR_OK);
    rig_expect(&rig, "untrap 5000;trap 6000;");
    assert_int_equal(clear_page(&rig), VMR_OK);
    assert_int_equal(clear_page(&rig), VMR_OK);
    rig_expect(&rig, "untrap 6000;");
    rig_finish(&rig);
    rig_expect(&rig, "");
}

static void moving_changes_which_page_triggers(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t bytes[3] = {1, 2, 3};

    rig_init(&rig);
    struct listener listener = {&rig, 1};
    struct vmr_synic_port *port = must_add(&listener, 0x100, 0, 5);

    assert_false(store(&rig, 0, FIRST + 8, 0x20)); /* before there is any */
    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    assert_int_equal(set_page(&rig, SECOND), VMR_OK);
    rig_forget(&rig);
    assert_false(store(&rig, 0, FIRST + 8, 0x20));
    assert_false(vmr_synic_monitor_read(rig.synic, FIRST, bytes, sizeof(bytes)));
    assert_int_equal(bytes[0], 1);
    assert_true(store(&rig, 0, SECOND + 8, 0x20));
    assert_true(store(&rig, 0, SECOND + 8, 0x20)); /* each setting is a signal */
    assert_true(vmr_synic_monitor_read(rig.synic, SECOND + 9, bytes, sizeof(bytes)));
    assert_int_equal(bytes[0] | bytes[1] | bytes[2], 0);
    vmr_synic_monitor_write_bit(rig.synic, 0, 64 + 5);
    rig_expect(&rig, "signal 1 0;signal 1 0;signal 1 0;");
    vmr_synic_port_remove(port);
    assert_true(store(&rig, 0, SECOND + 8, 0x20)); /* unregistered, and the page is still there */
    rig_expect(&rig, "");
    rig_finish(&rig);
    rig_expect(&rig, "untrap 6000;");
}

static const struct {
    const char *name;
    uint8_t vtl;
    vmr_gpa gpa;
} bad_pages[] = {
    {"one byte into a page", 0, FIRST + 1},
    {"half a page", 0, FIRST + 0x800},
    {"all ones", 0, UINT64_MAX},
    {"another VTL", 1, FIRST},
    {"no such VTL", 77, FIRST},
};

static void a_bad_page_is_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_error err = {0};

    rig_init(&rig);
    assert_int_equal(set_page(&rig, SECOND), VMR_OK);
    rig_forget(&rig);
    for (size_t i = 0; i < COUNT_OF(bad_pages); i++) {
        print_message("%s\n", bad_pages[i].name);
        err = (struct vmr_error){0};
        assert_int_equal(vmr_synic_monitor_set_page(rig.synic, bad_pages[i].vtl, &bad_pages[i].gpa, &err),
                         VMR_E_CONFIG);
        assert_true(strlen(err.message) > 0);
        rig_expect(&rig, "");
        assert_true(store(&rig, 0, SECOND + 8, 0));
    }
    rig_finish(&rig);
}

static void a_page_that_cannot_be_trapped_is_no_page(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    rig.trap_fails = true;
    assert_int_equal(set_page(&rig, SECOND), VMR_E_HOST);
    rig_expect(&rig, "trap 5000;untrap 5000;trap 6000;");
    assert_false(store(&rig, 0, FIRST + 8, 1));
    assert_false(store(&rig, 0, SECOND + 8, 1));
    rig.trap_fails = false;
    assert_int_equal(set_page(&rig, SECOND), VMR_OK);
    rig_expect(&rig, "trap 6000;");
    rig_finish(&rig);
}

static void a_trigger_uses_the_vtl_that_wrote(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1};
    struct vmr_synic_port *port = must_add(&listener, 0x100, 1, 0);

    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    rig_forget(&rig);
    assert_true(store(&rig, 0, FIRST + 8, 1)); /* denied: logged, and nothing the guest could see */
    assert_int_equal(rig.fake.log_lines, 1);
    rig_expect(&rig, "");
    assert_true(store(&rig, 1, FIRST + 8, 1));
    rig_expect(&rig, "signal 1 0;");
    vmr_synic_port_remove(port);
    rig_finish(&rig);
}

static void reset_takes_the_page_and_keeps_the_registrations(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    struct listener listener = {&rig, 1};
    struct vmr_synic_port *port = must_add(&listener, 0x100, 0, 127);

    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    vmr_synic_reset(rig.synic);
    rig_expect(&rig, "trap 5000;untrap 5000;");
    assert_false(store(&rig, 0, FIRST + 32, UINT32_C(1) << 31));
    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    assert_true(store(&rig, 0, FIRST + 32, UINT32_C(1) << 31));
    rig_expect(&rig, "trap 5000;signal 1 0;");
    vmr_synic_port_remove(port);
    rig_finish(&rig);
}

static void an_allocated_page_is_one_until_the_next_change(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_monitor_page_gpas gpas = {1, 1};

    rig_init(&rig);
    assert_int_equal(set_page(&rig, FIRST), VMR_OK);
    rig_forget(&rig);
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_OK);
    assert_int_equal(gpas.parent_to_child, 0);
    assert_int_equal(gpas.child_to_parent, 15 * PAGE);
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_OK);
    rig_expect(&rig, "allocate;untrap 5000;trap f000;");
    assert_true(store(&rig, 0, 15 * PAGE + 8, 0));
    assert_int_equal(set_page(&rig, 15 * PAGE), VMR_OK); /* the same page: still the allocated one */
    rig_expect(&rig, "");
    assert_int_equal(clear_page(&rig), VMR_OK);
    rig_expect(&rig, "untrap f000;free f000;");
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_OK);
    rig_forget(&rig);
    rig_finish(&rig);
    rig_expect(&rig, "untrap f000;free f000;");
}

static void an_allocation_that_fails_leaves_no_page_behind(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_monitor_page_gpas gpas = {7, 7};

    rig_init(&rig);
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 1, &gpas, NULL), VMR_E_CONFIG);
    rig.allocate_fails = true;
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_E_NOMEM);
    rig.allocate_fails = false;
    rig.trap_fails = true;
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_E_HOST);
    rig_expect(&rig, "allocate;allocate;trap f000;free f000;");
    assert_int_equal(gpas.child_to_parent, 7);
    rig.trap_fails = false;
    assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_OK);
    rig_finish(&rig);
}

static void without_support_the_calls_say_so(void **state)
{
    (void)state;
    static const struct vmr_synic_monitor_ops no_allocation = {.trap = rig_trap, .untrap = rig_untrap};

    for (unsigned i = 0; i < 2; i++) {
        struct rig rig = {0};
        struct vmr_monitor_page_gpas gpas;

        fake_host_init(&rig.fake, 0);
        rig_add_ram(&rig);
        struct vmr_synic_options options = rig_options(&rig);

        options.monitor = i ? &no_allocation : NULL;
        assert_int_equal(vmr_synic_create(&options, &rig.synic, NULL), VMR_OK);
        assert_int_equal(vmr_synic_has_monitor(rig.synic), i);
        assert_int_equal(vmr_synic_monitor_allocate_page(rig.synic, 0, &gpas, NULL), VMR_E_UNSUPPORTED);
        assert_int_equal(set_page(&rig, FIRST), i ? VMR_OK : VMR_E_UNSUPPORTED);
        assert_int_equal(store(&rig, 0, FIRST, 0), i);
        vmr_synic_reset(rig.synic);
        rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_trapped_where_it_is_and_nowhere_else),
        cmocka_unit_test(moving_changes_which_page_triggers),
        cmocka_unit_test(a_bad_page_is_refused_and_the_old_one_stays),
        cmocka_unit_test(a_page_that_cannot_be_trapped_is_no_page),
        cmocka_unit_test(a_trigger_uses_the_vtl_that_wrote),
        cmocka_unit_test(reset_takes_the_page_and_keeps_the_registrations),
        cmocka_unit_test(an_allocated_page_is_one_until_the_next_change),
        cmocka_unit_test(an_allocation_that_fails_leaves_no_page_behind),
        cmocka_unit_test(without_support_the_calls_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
