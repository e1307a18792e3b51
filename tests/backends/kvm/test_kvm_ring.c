/* SPDX-License-Identifier: MIT */
/*
 * Dirty rings on a fake kernel, which fills them as the test says.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"

static const struct vmr_backend *backend(void)
{
    return vmr_kvm_backend();
}

struct found {
    uint64_t pages;
    unsigned resets; /* of rings, when the first was told */
};

static void keep(void *context, vmr_gpa gpa, uint64_t pages)
{
    struct found *found = context;

    assert_int_equal(gpa, 0);
    found->pages |= pages;
    found->resets = fake_kvm.ring_resets;
}

static enum vmr_status take(struct machine *machine, struct found *found, struct vmr_error *err)
{
    const struct vmr_dirty_query query = {.size = MACHINE_MEMORY_SIZE, .found = keep, .context = found};

    *found = (struct found){0};
    return backend()->vm_dirty_take(machine->vm, &query, err);
}

static void begin(struct machine *machine)
{
    const struct machine_options options = {.dirty_ring = true};

    fake_kvm_reset();
    assert_int_equal(machine_init(machine, &options, NULL), VMR_OK);
    assert_true(fake_kvm.ring_entries >= 1024);
    assert_int_equal(backend()->vm_dirty_log(machine->vm, true, NULL), VMR_OK);
}

static void finish(struct machine *machine)
{
    kvm_host_close(machine->handle.fd);
    machine_finish(machine);
    assert_int_equal(fake_kvm_open_fds(), 0);
    assert_int_equal(fake_kvm.maps, 0);
}

static void push(uint32_t number, uint32_t slot, uint64_t page)
{
    fake_kvm.ring[number % fake_kvm.ring_entries] =
        (struct kvm_dirty_gfn){.flags = KVM_DIRTY_GFN_F_DIRTY, .slot = slot, .offset = page};
}

/* Nobody is told of a page before it is watched again. [DIRTY-1] */
static void pages_are_told_when_they_are_watched_again(void **state)
{
    struct machine machine;
    struct found found;

    (void)state;
    begin(&machine);
    push(0, 0, 3);
    push(1, 0, 15);
    push(2, 0, 3);
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 0x8008);
    assert_int_equal(found.resets, 1);
    assert_int_equal(fake_kvm.ring_marked, 3);
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 0);
    assert_int_equal(fake_kvm.ring_resets, 1);
    finish(&machine);
}

static void entries_of_nothing_are_passed_over(void **state)
{
    struct machine machine;
    struct found found;

    (void)state;
    begin(&machine);
    push(0, 7, 3);
    push(1, 0, 16);
    push(2, 40000, 1);
    push(3, 0, UINT64_MAX);
    push(4, 0, 1);
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 2);
    finish(&machine);
}

static void a_full_ring_is_emptied_and_nobodys_business(void **state)
{
    struct machine machine;
    struct found found;

    (void)state;
    begin(&machine);
    for (uint32_t i = 0; i < fake_kvm.ring_entries - 1; i++)
        push(i, 0, i % 5);
    fake_kvm.run_reason = KVM_EXIT_DIRTY_RING_FULL;
    assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_CANCEL);
    assert_int_equal(fake_kvm.ring_resets, 1);
    fake_kvm.run_reason = KVM_EXIT_HLT;
    assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_HALT);
    push(fake_kvm.ring_entries - 1, 0, 9); /* the last place, and the first again */
    push(fake_kvm.ring_entries, 0, 10);
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 0x61f);
    finish(&machine);
}

static void a_reset_that_fails_is_made_up_for(void **state)
{
    struct machine machine;
    struct found found;

    (void)state;
    begin(&machine);
    push(0, 0, 3);
    fake_kvm.fail_at = fake_kvm.calls + 1;
    assert_int_equal(take(&machine, &found, NULL), VMR_E_HOST);
    assert_int_equal(found.pages, 0);
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 8);
    assert_int_equal(found.resets, 1);
    finish(&machine);
}

/* Where KVM emulates it may not look: then it says nothing, and what it wrote over is gone. */
static void a_ring_that_went_round_is_an_error(void **state)
{
    (void)state;
    for (unsigned whole = 0; whole < 2; whole++) {
        struct machine machine;
        struct vmr_error err = {.message = ""};
        struct found found;

        begin(&machine);
        for (uint32_t i = whole ? 0 : 7; i < (whole ? fake_kvm.ring_entries : 8); i++)
            push(i, 0, 3);
        assert_int_equal(take(&machine, &found, &err), VMR_E_HOST);
        assert_non_null(strstr(err.message, "went round"));
        assert_int_equal(found.pages, 0);
        fake_kvm.run_reason = KVM_EXIT_DIRTY_RING_FULL;
        assert_int_equal(machine_step(&machine)->kind, VMR_EXIT_FAIL);
        assert_int_equal(machine.exit.u.fail.code, EOVERFLOW);
        finish(&machine);
    }
}

static void what_a_vp_wrote_that_is_gone_is_told(void **state)
{
    struct machine machine;
    struct found found;

    (void)state;
    begin(&machine);
    push(0, 0, 3);
    backend()->vp_unbind(machine.vp);
    backend()->vp_destroy(machine.vp);
    machine.bound = false;
    assert_int_equal(take(&machine, &found, NULL), VMR_OK);
    assert_int_equal(found.pages, 8);
    finish(&machine);
}

static void a_kernel_without_rings_says_so(void **state)
{
    const struct vmr_params ring = {.items = {{.key = "dirty", .value = "ring"}}, .count = 1};
    struct vmr_hypervisor_handle handle;
    struct vmr_error err = {.message = ""};

    (void)state;
    fake_kvm_reset();
    fake_kvm.without_rings = true;
    assert_int_equal(backend()->open(&ring, -1, &handle, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "dirty=ring"));
    assert_int_equal(fake_kvm_open_fds(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_told_when_they_are_watched_again),
        cmocka_unit_test(entries_of_nothing_are_passed_over),
        cmocka_unit_test(a_full_ring_is_emptied_and_nobodys_business),
        cmocka_unit_test(a_reset_that_fails_is_made_up_for),
        cmocka_unit_test(a_ring_that_went_round_is_an_error),
        cmocka_unit_test(what_a_vp_wrote_that_is_gone_is_told),
        cmocka_unit_test(a_kernel_without_rings_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
