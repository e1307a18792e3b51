/* SPDX-License-Identifier: MIT */
/* The classes of a partition's interface. [HVS-1] [HVS-2] */

#include "tests/hv/offload_rig.h"
#include "tests/hv/state_rig.h"

#include "lib/hv/hypercall_page.h"
#include "vmrig/hv_device.h"

#define ROUNDS 3000u
#define TSC_HZ UINT64_C(2000000000)

static enum vmr_status trap(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    (void)context;
    return gpa >> 48 ? vmr_error_set(err, VMR_E_CONFIG, "monitor: gpa: too far") : VMR_OK;
}

static void untrap(void *context, vmr_gpa gpa)
{
    (void)context, (void)gpa;
}

static enum vmr_status free_page(void *context, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    (void)context, (void)err;
    *ret_gpa = GUEST_PAGES * PAGE;
    return VMR_OK;
}

static bool read_tsc(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    (void)vp;
    *ret_tsc = ((struct guest_rig *)context)->fake.now_ns * 2;
    return !((struct guest_rig *)context)->xmm_fails; /* no register can be read */
}

/* All classes are there. */
static void init(struct guest_rig *rig, bool vtls)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = GUEST_PAGES * PAGE};
    static const struct vmr_late_map late = {.policy = VMR_LATE_MAP_HALT};
    static const struct vmr_hv_vtl2_config vtl2 = {.late_map = &late};

    guest_rig_prepare(rig);
    rig->options.target.trap_page = trap;
    rig->options.target.untrap_page = untrap;
    rig->options.target.free_page = free_page;
    rig->options.target.tsc = read_tsc;
    rig->options.config.tsc_hz = TSC_HZ;
    if (vtls) {
        memset(rig->access, HV_MAP_GPA_PERMISSIONS_ALL, sizeof(rig->access));
        rig->options.target.protect = guest_rig_protect;
        rig->options.config.vtl2 = &vtl2;
        rig->options.config.isolation = VMR_ISOLATION_VBS;
    }
    guest_rig_create(rig);
    assert_int_equal(vmr_hv_guest_region_added(rig->guest, &ram, NULL), VMR_OK);
}

static struct vmr_msi map_interrupt(struct guest_rig *rig)
{
    struct vmr_hv_interrupt interrupt = {.vector = 0x40};
    struct vmr_msi msi;

    vmr_hv_vp_set_init(&interrupt.vps, 3);
    assert_int_equal(vmr_hv_guest_map_interrupt(rig->guest, 0x77, &interrupt, &msi, NULL), VMR_OK);
    return msi;
}

/* Every class is another than at power-up. VPs begin in VTL 2. */
static void fill(struct guest_rig *rig, bool vtls)
{
    const struct vmr_initial_pages pages = {{.gpa = 0, .size = GUEST_PAGES * PAGE}, VMR_PAGE_EXCLUSIVE};
    uint8_t vtl = vtls ? VMR_VTL2 : VMR_VTL0;
    struct vmr_monitor_page_gpas gpas;

    if (vtls) {
        assert_int_equal(vmr_hv_guest_accept_initial(rig->guest, &pages, 1, NULL), VMR_OK);
        assert_int_equal(vtls_enable(&rig->guest->vtls, 2, 1), HV_STATUS_SUCCESS);
        assert_int_equal(guest_pages_lift(&rig->guest->pages), GUEST_PAGES_OK);
        assert_int_equal(vmr_hv_guest_modify_page(rig->guest, 3, HV_MAP_GPA_READABLE, NULL), VMR_OK);
    }
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, vtl, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, vtl, HV_MSR_HYPERCALL, 4 * PAGE | 3), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, vtl, HV_MSR_REFERENCE_TSC, 5 * PAGE | 1), VMR_MSR_OK);
    (void)vmr_hv_guest_poll(rig->guest, 0, rig->fake.now_ns);
    assert_int_equal(vmr_synic_monitor_allocate_page(vmr_hv_guest_synic(rig->guest), 0, &gpas, NULL), VMR_OK);
    (void)map_interrupt(rig);
    rig->fake.now_ns += 1234500;
}

static void copy_ram(const struct guest_rig *from, struct guest_rig *to)
{
    static uint8_t ram[GUEST_PAGES * PAGE];

    assert_int_equal(memory_read_inside(from->memory, 0, ram, sizeof(ram)), VMR_OK);
    assert_int_equal(memory_write_inside(to->memory, 0, ram, sizeof(ram)), VMR_OK);
}

static void assert_same_ram(const struct guest_rig *a, const struct guest_rig *b)
{
    static uint8_t left[GUEST_PAGES * PAGE], right[GUEST_PAGES * PAGE];

    assert_int_equal(memory_read_inside(a->memory, 0, left, sizeof(left)), VMR_OK);
    assert_int_equal(memory_read_inside(b->memory, 0, right, sizeof(right)), VMR_OK);
    assert_memory_equal(left, right, sizeof(left));
}

static void must_equal(const struct vmr_state_type *type, const void *a, const void *b)
{
    struct vmr_state_difference difference;

    if (!vmr_state_equal(type, a, b, true, &difference))
        fail_msg("%s: %s[%u]: %#llx, %#llx", type->name, difference.field->name, difference.element,
                 (unsigned long long)difference.left, (unsigned long long)difference.right);
}

static void get(struct guest_rig *rig, const struct vmr_state_id *id, void *value)
{
    assert_int_equal(vmr_hv_guest_state_get(rig->guest, id, value, NULL), VMR_OK);
}

static void set(struct guest_rig *rig, const struct vmr_state_id *id, const void *value)
{
    struct vmr_error err = {.message = ""};

    if (vmr_hv_guest_state_set(rig->guest, id, value, &err))
        fail_msg("%s", err.message);
}

static void move_all(struct guest_rig *a, struct guest_rig *b, unsigned changes)
{
    void *value = state_value(), *again = state_value(), *fresh = state_value();
    unsigned changed = 0;

    for (struct vmr_state_id id = {0}; vm_state_next(a->guest, &id); id.instance++) {
        const struct vmr_state_type *type = vmr_vm_class_type((enum vmr_vm_class)id.state_class);

        get(a, &id, value);
        vmr_hv_guest_state_at_reset(b->guest, &id, fresh);
        changed += !vmr_state_equal(type, value, fresh, true, NULL);
        set(b, &id, value);
        get(b, &id, again);
        must_equal(type, value, again);
    }
    assert_int_equal(changed, changes);
    free(value);
    free(again);
    free(fresh);
}

static void all_that_is_got_is_set_elsewhere(void **state)
{
    (void)state;
    for (unsigned vtls = 0; vtls <= 1; vtls++) {
        struct guest_rig a, b;

        init(&a, vtls);
        init(&b, vtls);
        b.fake.now_ns += 17000;
        fill(&a, vtls);
        (void)map_interrupt(&b);
        copy_ram(&a, &b);
        move_all(&a, &b, vtls ? 6 : 4); /* all but the interrupt, which the embedder has mapped alike */
        assert_same_ram(&a, &b);
        assert_memory_equal(a.access, b.access, sizeof(a.access));
        assert_true(vmr_hv_guest_is_calling(b.guest, vtls ? VMR_VTL2 : VMR_VTL0));
        guest_rig_finish(&a);
        guest_rig_finish(&b);
    }
}

static void power_up_is_what_a_reset_leaves(void **state)
{
    void *value = state_value(), *fresh = state_value();
    struct guest_rig rig;

    (void)state;
    init(&rig, true);
    fill(&rig, true);
    vmr_hv_guest_reset(rig.guest);
    vmr_synic_time_set(vmr_hv_guest_synic(rig.guest), 0);
    for (struct vmr_state_id id = {0}; vm_state_next(rig.guest, &id); id.instance++) {
        get(&rig, &id, value);
        vmr_hv_guest_state_at_reset(rig.guest, &id, fresh);
        must_equal(vmr_vm_class_type((enum vmr_vm_class)id.state_class), value, fresh);
    }
    free(value);
    free(fresh);
    guest_rig_finish(&rig);
}

/* Refused whole or taken, also where the backend fails now and then; one loop over everything. */
static void anything_may_be_tried(void **state)
{
    void *value = state_value(), *before = state_value(), *after = state_value();
    unsigned taken = 0, refused = 0;
    struct guest_rig rig;
    uint64_t seed = 7;

    (void)state;
    init(&rig, true);
    fill(&rig, true);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct vmr_state_id id = {.state_class = i % VMR_VM_CLASS_COUNT};
        struct vmr_error err = {.message = ""};

        if (!vm_state_next(rig.guest, &id))
            continue;
        const struct vmr_state_type *type = vmr_vm_class_type((enum vmr_vm_class)id.state_class);

        get(&rig, &id, before);
        memcpy(value, before, type->size);
        state_scramble(type, value, &seed);
        rig.protect_fails = i % 11 == 0;
        enum vmr_status status = vmr_hv_guest_state_set(rig.guest, &id, value, &err);

        rig.protect_fails = false;
        get(&rig, &id, after);
        if (!status && id.state_class == VMR_VM_DEVICE_INTERRUPT) /* VPs that are not there are forgotten */
            memcpy(value, after, type->size);
        must_equal(type, status ? before : value, after);
        assert_true(!status || status == VMR_E_CONFIG || (status == VMR_E_HOST && i % 11 == 0));
        assert_true(!status || strstr(err.message, type->name) || strstr(err.message, "monitor"));
        taken += !status;
        refused += status != 0;
        (void)vmr_hv_guest_poll(rig.guest, 0, rig.fake.now_ns += 1000);
    }
    assert_true(taken > ROUNDS / 20 && refused > ROUNDS / 20);
    free(value);
    free(before);
    free(after);
    guest_rig_finish(&rig);
}

/* --- hypercall pages --- */

static const struct vmr_state_id hypercall_id = {.state_class = VMR_VM_HYPERCALL};

static void page_of(const struct guest_rig *rig, uint8_t bytes[VMR_PAGE_SIZE])
{
    assert_int_equal(vmr_memory_read(rig->memory, 4 * PAGE, bytes, VMR_PAGE_SIZE), VMR_OK);
}

/* What the guest wrote there stays, but code for another hypervisor would reach nobody. */
static void code_for_another_hypervisor_is_written_anew(void **state)
{
    struct vmr_hv_hypercall_state value = {.os_id = {OS_ID}, .hypercall = {4 * PAGE | 1}};
    uint8_t code[VMR_PAGE_SIZE], ours[VMR_PAGE_SIZE], seen[VMR_PAGE_SIZE];
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    hypercall_page_fill(ours, false, false);
    hypercall_page_fill(code, true, false);
    assert_int_equal(vmr_memory_write(rig.memory, 4 * PAGE, code, sizeof(code)), VMR_OK);
    set(&rig, &hypercall_id, &value);
    page_of(&rig, seen);
    assert_memory_equal(seen, ours, sizeof(ours));
    code[2] = 0xd9; /* VMMCALL */
    assert_int_equal(vmr_memory_write(rig.memory, 4 * PAGE, code, sizeof(code)), VMR_OK);
    set(&rig, &hypercall_id, &value);
    page_of(&rig, seen);
    assert_memory_equal(seen, ours, sizeof(ours));
    code[100] = 1; /* not what any hypervisor writes */
    assert_int_equal(vmr_memory_write(rig.memory, 4 * PAGE, code, sizeof(code)), VMR_OK);
    set(&rig, &hypercall_id, &value);
    page_of(&rig, seen);
    assert_memory_equal(seen, code, sizeof(code));
    guest_rig_finish(&rig);
}

/* Where the hypervisor serves the call, it writes the page, with what its processor has. */
static void code_of_a_hypervisor_that_serves_the_call_stays(void **state)
{
    const struct vmr_hv_hypercall_state value = {.os_id = {OS_ID}, .hypercall = {4 * PAGE | 1}};
    uint8_t code[VMR_PAGE_SIZE], seen[VMR_PAGE_SIZE];
    struct told told = {0};
    struct guest_rig rig;

    (void)state;
    guest_rig_prepare(&rig);
    rig.options.target.offload = &told_ops;
    rig.options.target.own.privileges = UINT64_MAX;
    rig.options.target.context = &told;
    guest_rig_create(&rig);
    hypercall_page_fill(code, true, false);
    code[2] = 0xd9; /* VMMCALL */
    assert_int_equal(vmr_memory_write(rig.memory, 4 * PAGE, code, sizeof(code)), VMR_OK);
    set(&rig, &hypercall_id, &value);
    page_of(&rig, seen);
    assert_memory_equal(seen, code, sizeof(code));
    (void)vmr_hv_guest_poll(rig.guest, 0, 0);
    assert_int_equal(told_value(&told, 0, HV_MSR_HYPERCALL), value.hypercall[0]);
    guest_rig_finish(&rig);
}

static void a_hypercall_register_that_cannot_be_is_refused(void **state)
{
    static const struct vmr_hv_hypercall_state bad[] = {
        {.hypercall = {4 * PAGE | 1}}, /* nobody there */
        {.os_id = {OS_ID}, .hypercall = {4 * PAGE | 5}},
        {.os_id = {OS_ID}, .hypercall = {UINT64_C(1) << 52 | 1}},
        {.os_id = {0, OS_ID}}, /* no such VTL */
        {.hypercall = {0, 0, 2}},
    };
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vmr_error err = {.message = ""};

        assert_int_equal(vmr_hv_guest_state_set(rig.guest, &hypercall_id, &bad[i], &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, "hypercall: "));
    }
    assert_int_equal(guest_rig_read(&rig, HV_MSR_GUEST_OS_ID), 0);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 0));
    guest_rig_finish(&rig);
}

/* --- the reference TSC page --- */

static uint32_t sequence_at(const struct guest_rig *rig)
{
    uint8_t bytes[4];

    assert_int_equal(vmr_memory_read(rig->memory, 5 * PAGE, bytes, sizeof(bytes)), VMR_OK);
    return load_le32(bytes);
}

static void restore_time(struct guest_rig *rig, uint64_t count)
{
    const struct vmr_state_id id = {.state_class = VMR_VM_REFERENCE_TIME};
    const struct vmr_hv_time_state value = {.count = count};

    set(rig, &id, &value);
}

/*
 * The other machine's TSC is another: by the time a VP runs the page says so. Where it says already what would be
 * written it is left as it is, so that what is saved again is the same. [HVS-2]
 */
static void a_tsc_page_that_does_not_hold_is_made_anew_before_a_vp_runs(void **state)
{
    const struct vmr_state_id tsc_id = {.state_class = VMR_VM_REFERENCE_TSC};

    (void)state;
    for (uint64_t later = 0; later <= 1000000; later += 1000000) {
        struct vmr_hv_tsc_state value;
        struct guest_rig a, b;

        init(&a, false);
        init(&b, false);
        fill(&a, false);
        copy_ram(&a, &b);
        get(&a, &tsc_id, &value);
        uint32_t sequence = sequence_at(&a);

        assert_int_equal(value.sequence, sequence);
        set(&b, &tsc_id, &value);
        assert_int_equal(sequence_at(&b), sequence);
        if (later > 0)
            restore_time(&b, later);
        (void)vmr_hv_guest_poll(b.guest, 1, b.fake.now_ns);
        assert_int_equal(sequence_at(&b), sequence + (later > 0));
        guest_rig_finish(&a);
        guest_rig_finish(&b);
    }
}

/* A page that was made for another TSC must not be believed. */
static void a_tsc_that_cannot_be_read_makes_the_page_invalid(void **state)
{
    const struct vmr_state_id tsc_id = {.state_class = VMR_VM_REFERENCE_TSC};
    struct vmr_hv_tsc_state value;
    struct guest_rig a, b;

    (void)state;
    init(&a, false);
    init(&b, false);
    fill(&a, false);
    copy_ram(&a, &b);
    get(&a, &tsc_id, &value);
    set(&b, &tsc_id, &value);
    b.xmm_fails = true;
    (void)vmr_hv_guest_poll(b.guest, 0, b.fake.now_ns);
    assert_int_equal(sequence_at(&b), HV_TSC_SEQUENCE_INVALID);
    guest_rig_finish(&a);
    guest_rig_finish(&b);
}

static void the_time_is_set_without_a_write_to_ram(void **state)
{
    const struct vmr_state_id time_id = {.state_class = VMR_VM_REFERENCE_TIME};
    const struct vmr_hv_time_state value = {.count = 1000000};
    struct guest_rig rig;

    (void)state;
    init(&rig, false);
    fill(&rig, false);
    uint32_t sequence = sequence_at(&rig);

    set(&rig, &time_id, &value);
    assert_int_equal(sequence_at(&rig), sequence);
    assert_int_equal(guest_rig_read(&rig, HV_MSR_TIME_REF_COUNT), 1000000);
    (void)vmr_hv_guest_poll(rig.guest, 0, rig.fake.now_ns);
    assert_int_equal(sequence_at(&rig), sequence + 1);
    guest_rig_finish(&rig);
}

/* --- interrupts of devices --- */

static void an_interrupt_goes_where_the_guest_had_aimed_it(void **state)
{
    const struct vmr_state_id id = {.state_class = VMR_VM_DEVICE_INTERRUPT};
    struct vmr_hv_device_interrupt_state value;
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    const struct vmr_msi msi = map_interrupt(&rig);

    get(&rig, &id, &value);
    assert_int_equal(value.vps[0], 3);
    value.vector = 0x55;
    value.multicast = true;
    set(&rig, &id, &value);
    assert_int_equal(vmr_hv_guest_signal_interrupt(rig.guest, 0x77, &msi), VMR_OK);
    assert_int_equal(rig.vector, 0x55);
    assert_int_equal(rig.interrupts, 2);
    value.device_id++;
    assert_int_equal(vmr_hv_guest_state_set(rig.guest, &id, &value, NULL), VMR_E_CONFIG);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_got_is_set_elsewhere),
        cmocka_unit_test(power_up_is_what_a_reset_leaves),
        cmocka_unit_test(anything_may_be_tried),
        cmocka_unit_test(code_for_another_hypervisor_is_written_anew),
        cmocka_unit_test(code_of_a_hypervisor_that_serves_the_call_stays),
        cmocka_unit_test(a_hypercall_register_that_cannot_be_is_refused),
        cmocka_unit_test(a_tsc_page_that_does_not_hold_is_made_anew_before_a_vp_runs),
        cmocka_unit_test(a_tsc_that_cannot_be_read_makes_the_page_invalid),
        cmocka_unit_test(the_time_is_set_without_a_write_to_ram),
        cmocka_unit_test(an_interrupt_goes_where_the_guest_had_aimed_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
