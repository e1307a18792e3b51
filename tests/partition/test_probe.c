/* SPDX-License-Identifier: MIT */
/*
 * The walk over a set of backends: who is asked, in which order, what ends it,
 * and that parameters are judged before availability. [PROBE-2] [PROBE-3] [PROBE-4] [PROBE-5]
 */

#include <fcntl.h>
#include <unistd.h>

#include "vmrig/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct vmr_param_key keys[] = {
    {"color", "red|green", ""},
    {"size", "number", ""},
    {NULL, NULL, NULL},
};

static enum vmr_status open_found(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                  struct vmr_error *err)
{
    (void)err;
    ret_handle->fd = fd;
    ret_handle->irqchip = params->count == 0 ? VMR_IRQCHIP_USER : VMR_IRQCHIP_SPLIT;
    ret_handle->backend = NULL; /* a backend need not say who it is */
    return VMR_OK;
}

static enum vmr_status open_absent(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                   struct vmr_error *err)
{
    (void)params;
    (void)fd;
    ret_handle->context = ret_handle; /* what a failed open leaves must not leak into the next */
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "absent: no device node");
}

static enum vmr_status open_broken(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                   struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set_host(err, 13, "broken: /dev/broken");
}

static const struct vmr_backend found = {.abi = VMR_BACKEND_ABI, .name = "found", .keys = keys, .open = open_found};
static const struct vmr_backend absent = {.abi = VMR_BACKEND_ABI, .name = "absent", .keys = keys, .open = open_absent};
static const struct vmr_backend broken = {.abi = VMR_BACKEND_ABI, .name = "broken", .open = open_broken};
static const struct vmr_backend hidden = {
    .abi = VMR_BACKEND_ABI, .flags = VMR_BACKEND_EXPLICIT_ONLY, .name = "hidden", .open = open_found};
static const struct vmr_backend old = {.abi = VMR_BACKEND_ABI + 1, .name = "old", .open = open_found};

static const struct vmr_backend_set all = {.count = 4, .backends = {&absent, &found, &broken, &hidden}};

static const struct {
    const char *name;
    const char *spec;
    enum vmr_status status;
    const char *blamed;
} named[] = {
    {"a name", "found", VMR_OK, NULL},
    {"a name with its keys", "found:color=red,size=1", VMR_OK, NULL},
    {"one that auto-detection hides", "hidden", VMR_OK, NULL},
    {"an unknown name", "nobody", VMR_E_CONFIG, "'nobody'"},
    {"case matters", "Found", VMR_E_CONFIG, "'Found'"},
    {"a malformed spec", ":x", VMR_E_CONFIG, "empty hypervisor name"},
    {"an unknown key", "found:shape", VMR_E_CONFIG, "'shape'"},
    {"the first of two unknown keys", "found:x,y", VMR_E_CONFIG, "'x'"},
    {"a second colon begins a key", "found::color", VMR_E_CONFIG, "':color'"},
    {"a key twice", "found:color=red,size=1,color=red", VMR_E_CONFIG, "'color'"},
    {"a key of a backend without keys", "broken:color", VMR_E_CONFIG, "'color'"},
    {"parameters before availability", "absent:shape", VMR_E_CONFIG, "'shape'"},
    {"absent", "absent:color=red", VMR_E_UNAVAILABLE, "no device node"},
    {"there, and not to be opened", "broken", VMR_E_HOST, "/dev/broken"},
};

static void a_named_backend_is_opened_or_the_reason_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        struct vmr_hypervisor_handle handle = {.fd = -77};
        struct vmr_error err = {0};

        print_message("%s\n", named[i].name);
        assert_int_equal(vmr_probe_named(&all, named[i].spec, &handle, &err), named[i].status);
        assert_int_equal(err.status, named[i].status);
        if (named[i].status == VMR_OK) {
            assert_non_null(handle.backend);
            assert_int_equal(handle.fd, -1);
        } else {
            assert_int_equal(handle.fd, -77); /* untouched [ERR-1] */
            assert_non_null(strstr(err.message, named[i].blamed));
        }
    }
}

static const struct {
    const char *name;
    struct vmr_backend_set set;
    enum vmr_status status;
    const struct vmr_backend *chosen;
} detections[] = {
    {"none at all", {0}, VMR_E_UNAVAILABLE, NULL},
    {"the first that is there", {2, {&found, &broken}}, VMR_OK, &found},
    {"absent ones are passed over", {3, {&absent, &absent, &found}}, VMR_OK, &found},
    {"a broken one ends the search", {3, {&absent, &broken, &found}}, VMR_E_HOST, NULL},
    {"an explicit one is never chosen", {2, {&hidden, &absent}}, VMR_E_UNAVAILABLE, NULL},
};

static void detection_asks_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(detections) / sizeof(detections[0]); i++) {
        struct vmr_hypervisor_handle handle = {.fd = -77};
        struct vmr_error err = {0};

        print_message("%s\n", detections[i].name);
        assert_int_equal(vmr_probe_auto(&detections[i].set, &handle, &err), detections[i].status);
        assert_int_equal(err.status, detections[i].status); /* nothing is told of those passed over [ERR-1] */
        assert_ptr_equal(handle.backend, detections[i].chosen);
        assert_int_equal(handle.fd, detections[i].status ? -77 : -1);
        assert_null(handle.context);
    }
}

static void a_set_refuses_strangers_and_duplicates(void **state)
{
    (void)state;
    struct vmr_backend_set set = {0};
    struct vmr_error err = {0};
    struct vmr_backend many[VMR_BACKEND_MAX];
    char names[VMR_BACKEND_MAX][8];

    assert_int_equal(vmr_backend_set_add(&set, &found, &err), VMR_OK);
    assert_int_equal(vmr_backend_set_add(&set, &found, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "'found'"));
    assert_int_equal(vmr_backend_set_add(&set, &old, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "version 2"));
    assert_int_equal(set.count, 1);
    for (unsigned i = 0; i < VMR_BACKEND_MAX; i++) {
        names[i][0] = (char)('A' + i);
        names[i][1] = '\0';
        many[i] = (struct vmr_backend){.abi = VMR_BACKEND_ABI, .name = names[i]};
        assert_int_equal(vmr_backend_set_add(&set, &many[i], &err), i + 1 < VMR_BACKEND_MAX ? VMR_OK : VMR_E_USAGE);
    }
    assert_int_equal(set.count, VMR_BACKEND_MAX);
    assert_ptr_equal(vmr_backend_find(&set, "B"), &many[1]);
    assert_null(vmr_backend_find(&set, "found2"));
}

static void a_callers_descriptor_stays_the_callers(void **state)
{
    (void)state;
    struct vmr_hypervisor_handle handle;
    int fd = open("/dev/null", O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(vmr_handle_from_fd(&all, "found", -1, &handle, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_handle_from_fd(&all, "found", fd, &handle, NULL), VMR_OK);
    assert_int_equal(handle.fd, fd);
    vmr_handle_close(&handle);
    assert_int_equal(close(fd), 0);
}

static uint64_t two_ghz(const struct vmr_hypervisor_handle *handle)
{
    (void)handle;
    return UINT64_C(2000000000);
}

static void the_speed_of_the_tsc_is_the_backends_to_know(void **state)
{
    (void)state;
    struct vmr_backend knowing = found;
    const struct vmr_hypervisor_handle ignorant = {.backend = &found}, handle = {.backend = &knowing};

    knowing.tsc_hz = two_ghz;
    assert_int_equal(vmr_handle_tsc_hz(&ignorant), 0);
    assert_int_equal(vmr_handle_tsc_hz(&handle), 2000000000);
}

static void count_destroys(void *context)
{
    ++*(int *)context;
}

static void closing_frees_once_what_the_handle_owns(void **state)
{
    (void)state;
    int destroyed = 0;
    int fd = open("/dev/null", O_RDONLY);
    struct vmr_hypervisor_handle handle = {
        .backend = &found, .fd = fd, .owns_fd = true, .context = &destroyed, .context_destroy = count_destroys};

    vmr_handle_close(&handle);
    vmr_handle_close(&handle);
    assert_int_equal(destroyed, 1);
    assert_int_equal(close(fd), -1);
    assert_null(handle.backend);
    vmr_handle_close(NULL);
    memset(&handle, 0, sizeof(handle));
    vmr_handle_close(&handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_backend_is_opened_or_the_reason_told),
        cmocka_unit_test(detection_asks_in_order),
        cmocka_unit_test(a_set_refuses_strangers_and_duplicates),
        cmocka_unit_test(a_callers_descriptor_stays_the_callers),
        cmocka_unit_test(the_speed_of_the_tsc_is_the_backends_to_know),
        cmocka_unit_test(closing_frees_once_what_the_handle_owns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
