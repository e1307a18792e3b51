/* SPDX-License-Identifier: MIT */
/*
 * The registry: what is in it, what it takes, what it refuses by name.
 */

#include "vmrig/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum vmr_status create(void *context, const struct vmr_resource *resource,
                              const struct vmr_resource_place *place, void **ret_device, struct vmr_error *err)
{
    (void)context;
    (void)resource;
    (void)place;
    (void)ret_device;
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "only a name");
}

static void destroy(void *device)
{
    (void)device;
}

#define TYPE(kind_, id_)                                                                                               \
    {                                                                                                                  \
        .kind = (kind_), .id = (id_), .create = create, .destroy = destroy                                             \
    }

static void the_librarys_own_are_there_from_the_beginning(void **state)
{
    static const char *const ids[] = {"serial", "debug-console", "i8042", "debug-exit", "fw-cfg"};
    struct vmr_resource_registry registry;
    unsigned parts = 0;

    (void)state;
    vmr_resource_registry_init(&registry);
    assert_int_equal(registry.count, sizeof(ids) / sizeof(ids[0]));
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct vmr_resource_type *type =
            vmr_resource_registry_find(&registry, VMR_RESOURCE_CHIPSET_DEVICE, ids[i]);

        assert_non_null(type);
        assert_in_range(type->platform_part, 1, VMR_PLATFORM_PART_COUNT);
        assert_false(parts >> type->platform_part & 1u);
        parts |= 1u << type->platform_part;
        assert_null(vmr_resource_registry_find(&registry, VMR_RESOURCE_VIRTIO_DEVICE, ids[i]));
    }
}

static void what_was_added_is_found_by_kind_and_id(void **state)
{
    static const struct vmr_resource_type chipset = TYPE(VMR_RESOURCE_CHIPSET_DEVICE, "mine"),
                                          virtio = TYPE(VMR_RESOURCE_VIRTIO_DEVICE, "mine");
    struct vmr_resource_registry registry;

    (void)state;
    vmr_resource_registry_init(&registry);
    assert_int_equal(vmr_resource_registry_add(&registry, &chipset, NULL), VMR_OK);
    assert_int_equal(vmr_resource_registry_add(&registry, &virtio, NULL), VMR_OK);
    assert_ptr_equal(vmr_resource_registry_find(&registry, VMR_RESOURCE_CHIPSET_DEVICE, "mine"), &chipset);
    assert_ptr_equal(vmr_resource_registry_find(&registry, VMR_RESOURCE_VIRTIO_DEVICE, "mine"), &virtio);
    assert_null(vmr_resource_registry_find(&registry, VMR_RESOURCE_DISK, "mine"));
}

/* A table, and a few lines that go through it. */
static void what_cannot_be_added_is_refused_by_name(void **state)
{
    static const struct vmr_resource_parameter nameless = {.kind = VMR_PARAMETER_BOOL};
    static const struct {
        struct vmr_resource_type type;
        enum vmr_status status;
        const char *said;
    } cases[] = {
        {TYPE(VMR_RESOURCE_CHIPSET_DEVICE, NULL), VMR_E_USAGE, "its id"},
        {{.kind = VMR_RESOURCE_CHIPSET_DEVICE, .id = "half", .create = create}, VMR_E_USAGE, "'half'"},
        {{.kind = VMR_RESOURCE_CHIPSET_DEVICE, .id = "half", .destroy = destroy}, VMR_E_USAGE, "'half'"},
        {{.kind = VMR_RESOURCE_CHIPSET_DEVICE, .id = "part", .create = create, .destroy = destroy, .platform_part = 1},
         VMR_E_USAGE,
         "'part'"},
        {{.kind = VMR_RESOURCE_CHIPSET_DEVICE,
          .id = "nameless",
          .create = create,
          .destroy = destroy,
          .parameters = &nameless,
          .parameter_count = 1},
         VMR_E_USAGE,
         "'nameless'"},
        {TYPE(VMR_RESOURCE_CHIPSET_DEVICE, "serial"), VMR_E_CONFIG, "chipset-device 'serial' already"},
        {TYPE(VMR_RESOURCE_PCI_DEVICE, "card"), VMR_E_CONFIG, "pci-device"},
        {TYPE(VMR_RESOURCE_KIND_COUNT, "odd"), VMR_E_CONFIG, "'odd'"},
    };
    struct vmr_resource_registry registry;

    (void)state;
    vmr_resource_registry_init(&registry);
    size_t count = registry.count;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_error err = {0};
        enum vmr_status status = vmr_resource_registry_add(&registry, &cases[i].type, &err);

        if (status != cases[i].status || !strstr(err.message, cases[i].said))
            fail_msg("case %zu: %s \"%s\"", i, vmr_status_name(status), err.message);
        assert_int_equal(registry.count, count);
    }
}

static void a_full_registry_refuses_one_more(void **state)
{
    static char ids[VMR_RESOURCE_TYPE_MAX][4];
    static struct vmr_resource_type types[VMR_RESOURCE_TYPE_MAX];
    struct vmr_resource_registry registry;
    struct vmr_error err = {0};
    size_t taken = 0;

    (void)state;
    vmr_resource_registry_init(&registry);
    size_t room = VMR_RESOURCE_TYPE_MAX - registry.count;

    for (size_t i = 0; i < VMR_RESOURCE_TYPE_MAX; i++) {
        ids[i][0] = 'x';
        ids[i][1] = (char)('0' + i / 10);
        ids[i][2] = (char)('0' + i % 10);
        types[i] = (struct vmr_resource_type)TYPE(VMR_RESOURCE_CHIPSET_DEVICE, ids[i]);
        taken += vmr_resource_registry_add(&registry, &types[i], &err) == VMR_OK;
    }
    assert_int_equal(taken, room);
    assert_int_equal(err.status, VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "64"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_librarys_own_are_there_from_the_beginning),
        cmocka_unit_test(what_was_added_is_found_by_kind_and_id),
        cmocka_unit_test(what_cannot_be_added_is_refused_by_name),
        cmocka_unit_test(a_full_registry_refuses_one_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
