/* SPDX-License-Identifier: MIT */
/*
 * What a person types to choose a hypervisor: taken apart, put together and
 * taken apart again it is the same; and whatever the mock makes of it is a
 * hypervisor that answers. [PROBE-1] [PROBE-2] [PROBE-3]
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "vmrig/mock.h"

static void put(char *text, size_t *length, const char *more)
{
    size_t there = strlen(more);

    FUZZ_CHECK(*length + there < VMR_SPEC_BYTES_MAX + VMR_SPEC_PARAM_MAX);
    memcpy(text + *length, more, there + 1);
    *length += there;
}

/* A bare key is written out as "=true", which is what it means. */
static void print_spec(const struct vmr_spec *spec, char *text)
{
    size_t length = 0;

    put(text, &length, spec->name);
    for (size_t i = 0; i < spec->params.count; i++) {
        put(text, &length, i == 0 ? ":" : ",");
        put(text, &length, spec->params.items[i].key);
        put(text, &length, "=");
        put(text, &length, spec->params.items[i].value);
    }
}

static void check_equal(const struct vmr_spec *a, const struct vmr_spec *b)
{
    FUZZ_CHECK(strcmp(a->name, b->name) == 0);
    FUZZ_CHECK(a->params.count == b->params.count);
    for (size_t i = 0; i < a->params.count; i++) {
        FUZZ_CHECK(strcmp(a->params.items[i].key, b->params.items[i].key) == 0);
        FUZZ_CHECK(strcmp(a->params.items[i].value, b->params.items[i].value) == 0);
    }
}

static void check_fixed_point(const struct vmr_spec *spec)
{
    /* "=true" may make it longer than a spec may be. */
    char text[VMR_SPEC_BYTES_MAX + 5 * VMR_SPEC_PARAM_MAX];
    struct vmr_spec again;

    print_spec(spec, text);
    if (vmr_spec_parse(text, &again, NULL) == VMR_OK)
        check_equal(spec, &again);
    else
        FUZZ_CHECK(strlen(text) >= VMR_SPEC_BYTES_MAX);
}

/* All that are not on this machine whatever it is; the mock is. */
static void open_hypervisor(const char *text)
{
    struct vmr_backend_set all, set = {0};
    struct vmr_hypervisor_handle handle = {0};
    struct vmr_error err = {0};
    struct vmr_caps caps;

    vmr_backend_set_init(&all);
    for (size_t i = 0; i < all.count; i++) {
        if (strcmp(all.backends[i]->name, "kvm") != 0)
            FUZZ_CHECK(vmr_backend_set_add(&set, all.backends[i], NULL) == VMR_OK);
    }
    enum vmr_status status = vmr_probe_named(&set, text, &handle, &err);

    FUZZ_CHECK(status == VMR_OK || (err.status == status && err.message[0] != '\0'));
    if (status == VMR_OK) {
        FUZZ_CHECK(handle.backend == vmr_mock_backend());
        FUZZ_CHECK(handle.backend->caps(&handle, &caps, NULL) == VMR_OK && caps.vp_count_max > 0);
        vmr_handle_close(&handle);
    }
    /* Parameters are looked at before the descriptor, which no backend takes. [PROBE-5] */
    FUZZ_CHECK(vmr_handle_from_fd(&all, text, -1, &handle, NULL) != VMR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[FUZZ_INPUT_MAX + 1];
    struct vmr_spec spec;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (vmr_spec_parse(text, &spec, NULL) == VMR_OK)
        check_fixed_point(&spec);
    open_hypervisor(text);
    return 0;
}
