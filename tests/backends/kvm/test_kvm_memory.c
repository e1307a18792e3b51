/* SPDX-License-Identifier: MIT */
/*
 * The dirty log as a bitmap of the kernel's, on a fake one: what is asked for,
 * what is cleared, and what a call that fails leaves behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"

#define PAGES (MACHINE_MEMORY_SIZE / VMR_PAGE_SIZE)

static const struct vmr_backend *backend(void)
{
    return vmr_kvm_backend();
}

static void keep(void *context, vmr_gpa gpa, uint64_t pages)
{
    assert_int_equal(gpa, 0);
    *(uint64_t *)context |= pages;
}

static enum vmr_status take(struct machine *machine, uint64_t *ret_found)
{
    const struct vmr_dirty_query query = {.size = MACHINE_MEMORY_SIZE, .found = keep, .context = ret_found};

    *ret_found = 0;
    return backend()->vm_dirty_take(machine->vm, &query, NULL);
}

static void begin(struct machine *machine)
{
    const struct machine_options options = {0};

    fake_kvm_reset();
    assert_int_equal(machine_init(machine, &options, NULL), VMR_OK);
    assert_int_equal(fake_kvm.slot_flags, 0);
    assert_int_equal(backend()->vm_dirty_log(machine->vm, true, NULL), VMR_OK);
    assert_int_equal(fake_kvm.slot_flags, KVM_MEM_LOG_DIRTY_PAGES);
}

static void finish(struct machine *machine)
{
    kvm_host_close(machine->handle.fd);
    machine_finish(machine);
    assert_int_equal(fake_kvm_open_fds(), 0);
}

/* The guest writes after the bitmap is read and before it is cleared. [DIRTY-1] */
static void a_page_written_between_get_and_clear_stays(void **state)
{
    struct machine machine;
    uint64_t found;

    (void)state;
    begin(&machine);
    fake_kvm.dirty = 0x8001;
    fake_kvm.dirty_after_get = 0x11;
    assert_int_equal(take(&machine, &found), VMR_OK);
    assert_int_equal(found, 0x8001);
    fake_kvm.dirty_after_get = 0;
    assert_int_equal(take(&machine, &found), VMR_OK);
    assert_int_equal(found, 0x10);
    assert_int_equal(fake_kvm.dirty, 0);
    finish(&machine);
}

static void what_fails_gives_and_clears_nothing(void **state)
{
    (void)state;
    for (unsigned call = 1; call <= 2; call++) {
        struct machine machine;
        uint64_t found;

        begin(&machine);
        fake_kvm.dirty = 6;
        fake_kvm.fail_at = fake_kvm.calls + call;
        assert_int_equal(take(&machine, &found), VMR_E_HOST);
        assert_int_equal(fake_kvm.failed_request, call == 1 ? KVM_GET_DIRTY_LOG : KVM_CLEAR_DIRTY_LOG);
        assert_int_equal(found, 0);
        assert_int_equal(fake_kvm.dirty, 6);
        assert_int_equal(take(&machine, &found), VMR_OK);
        assert_int_equal(found, 6);
        finish(&machine);
    }
}

static void a_clean_slot_is_not_cleared(void **state)
{
    struct machine machine;
    uint64_t found;

    (void)state;
    begin(&machine);
    unsigned calls = fake_kvm.calls;

    assert_int_equal(take(&machine, &found), VMR_OK);
    assert_int_equal(fake_kvm.calls, calls + 1);
    finish(&machine);
}

static void a_log_that_does_not_begin_is_off(void **state)
{
    const struct machine_options options = {0};
    struct machine machine;
    struct vmr_error err;
    uint64_t found;

    (void)state;
    fake_kvm_reset();
    assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
    fake_kvm.fail_at = fake_kvm.calls + 1;
    assert_int_equal(backend()->vm_dirty_log(machine.vm, true, &err), VMR_E_HOST);
    assert_int_equal(fake_kvm.slot_flags, 0);
    fake_kvm.dirty = 1;
    assert_int_equal(take(&machine, &found), VMR_OK);
    assert_int_equal(found, 0); /* no slot is asked */
    finish(&machine);
}

static void slots_that_come_later_are_logged_unless_read_only(void **state)
{
    struct machine machine;
    struct vmr_memory_region region = {.gpa = 0x100000, .size = VMR_PAGE_SIZE};

    (void)state;
    begin(&machine);
    region.host = machine.memory;
    assert_int_equal(backend()->vm_map(machine.vm, 5, &region, NULL), VMR_OK);
    assert_int_equal(fake_kvm.slot_flags, KVM_MEM_LOG_DIRTY_PAGES);
    region.gpa = 0x200000;
    region.read_only = true;
    assert_int_equal(backend()->vm_map(machine.vm, 6, &region, NULL), VMR_OK);
    assert_int_equal(fake_kvm.slot_flags, KVM_MEM_READONLY);
    (void)backend()->vm_dirty_log(machine.vm, false, NULL);
    assert_int_equal(fake_kvm.slot_flags, 0);
    finish(&machine);
}

/* Without a clear of its own the log would have to be read whole for each part. */
static void an_old_kernel_has_no_dirty_log(void **state)
{
    struct machine machine;
    const struct machine_options options = {0};
    struct vmr_caps caps;

    (void)state;
    fake_kvm_reset();
    assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
    assert_int_equal(backend()->caps(&machine.handle, &caps, NULL), VMR_OK);
    assert_true(vmr_caps_have(&caps, VMR_CAP_DIRTY_LOG));
    fake_kvm.absent = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2;
    assert_int_equal(backend()->caps(&machine.handle, &caps, NULL), VMR_OK);
    assert_false(vmr_caps_have(&caps, VMR_CAP_DIRTY_LOG));
    finish(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_written_between_get_and_clear_stays),
        cmocka_unit_test(what_fails_gives_and_clears_nothing),
        cmocka_unit_test(a_clean_slot_is_not_cleared),
        cmocka_unit_test(a_log_that_does_not_begin_is_off),
        cmocka_unit_test(slots_that_come_later_are_logged_unless_read_only),
        cmocka_unit_test(an_old_kernel_has_no_dirty_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
