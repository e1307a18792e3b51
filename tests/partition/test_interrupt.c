/* SPDX-License-Identifier: MIT */
/*
 * Raising interrupts: each kind, for each place the controllers can be in, goes
 * to whoever serves it, or is refused. [INT-4] [LIFE-1]
 */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

/* --- a chip that counts, and knows GSI 5, VP 0 and MSI data 1 --- */

struct chip {
    unsigned irqs, msis, lints, nmis;
    void (*wake)(void *context, vmr_vp_index vp);
    void *wake_context;
    bool (*deliver)(void *context, const struct vmr_msi *msi);
    void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi);
    void *target_context;
};

static bool chip_irq(void *chip, uint32_t gsi, bool level)
{
    (void)level;
    ((struct chip *)chip)->irqs++;
    return gsi == 5;
}

static bool chip_msi(void *chip, const struct vmr_msi *msi)
{
    ((struct chip *)chip)->msis++;
    return msi->data == 1;
}

static bool chip_lint(void *chip, vmr_vp_index vp, unsigned lint)
{
    (void)lint;
    ((struct chip *)chip)->lints++;
    return vp == 0;
}

static bool chip_nmi(void *chip, vmr_vp_index vp)
{
    ((struct chip *)chip)->nmis++;
    return vp == 0;
}

static void chip_set_wake(void *chip, void (*wake)(void *context, vmr_vp_index vp), void *context)
{
    ((struct chip *)chip)->wake = wake;
    ((struct chip *)chip)->wake_context = context;
}

static void chip_set_target(void *chip, bool (*deliver)(void *context, const struct vmr_msi *msi),
                            void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi), void *context)
{
    ((struct chip *)chip)->deliver = deliver;
    ((struct chip *)chip)->route = route;
    ((struct chip *)chip)->target_context = context;
}

static const struct vmr_irqchip_ops chip_ops = {
    .irq = chip_irq,
    .msi = chip_msi,
    .lint = chip_lint,
    .nmi = chip_nmi,
    .set_wake = chip_set_wake,
    .set_msi_target = chip_set_target,
};

enum raise {
    RAISE_IRQ,
    RAISE_MSI,
    RAISE_LINT,
    RAISE_NMI
};

static enum vmr_status raise(struct vmr_partition *partition, enum raise kind, uint32_t argument)
{
    const struct vmr_msi msi = {.data = argument};

    switch (kind) {
    case RAISE_IRQ:
        return vmr_partition_irq(partition, argument, true);
    case RAISE_MSI:
        return vmr_partition_msi(partition, &msi);
    case RAISE_LINT:
        return vmr_partition_lint(partition, argument, 0);
    case RAISE_NMI:
        break;
    }
    return vmr_partition_nmi(partition, argument);
}

#define NOBODY FAKE_OPEN

static const struct {
    const char *name;
    enum vmr_irqchip irqchip;
    bool attach;
    enum raise kind;
    uint32_t argument;
    enum vmr_status status;
    enum fake_call backend; /* who gets it, if not the chip */
    unsigned chip;
} rows[] = {
    {"a line with nobody", VMR_IRQCHIP_USER, false, RAISE_IRQ, 5, VMR_E_UNSUPPORTED, NOBODY, 0},
    {"a line of the chip", VMR_IRQCHIP_USER, true, RAISE_IRQ, 5, VMR_OK, NOBODY, 1},
    {"a line that the chip lacks", VMR_IRQCHIP_USER, true, RAISE_IRQ, 6, VMR_E_USAGE, NOBODY, 1},
    {"a line of the split chip", VMR_IRQCHIP_SPLIT, true, RAISE_IRQ, 5, VMR_OK, NOBODY, 1},
    {"a line of the hypervisor", VMR_IRQCHIP_KERNEL, false, RAISE_IRQ, 5, VMR_OK, FAKE_IRQ, 0},
    {"the last line", VMR_IRQCHIP_KERNEL, false, RAISE_IRQ, VMR_GSI_MAX - 1, VMR_OK, FAKE_IRQ, 0},
    {"a line behind the last", VMR_IRQCHIP_KERNEL, false, RAISE_IRQ, VMR_GSI_MAX, VMR_E_USAGE, NOBODY, 0},
    {"an MSI with nobody", VMR_IRQCHIP_USER, false, RAISE_MSI, 1, VMR_E_UNSUPPORTED, NOBODY, 0},
    {"an MSI for the chip", VMR_IRQCHIP_USER, true, RAISE_MSI, 1, VMR_OK, NOBODY, 1},
    {"an MSI that nobody takes", VMR_IRQCHIP_USER, true, RAISE_MSI, 2, VMR_E_GUEST, NOBODY, 1},
    {"an MSI with a split chip", VMR_IRQCHIP_SPLIT, true, RAISE_MSI, 1, VMR_OK, FAKE_MSI, 0},
    {"an MSI for the hypervisor", VMR_IRQCHIP_KERNEL, false, RAISE_MSI, 1, VMR_OK, FAKE_MSI, 0},
    {"a pin with nobody", VMR_IRQCHIP_USER, false, RAISE_LINT, 0, VMR_E_UNSUPPORTED, NOBODY, 0},
    {"a pin of the chip", VMR_IRQCHIP_USER, true, RAISE_LINT, 0, VMR_OK, NOBODY, 1},
    {"a pin that the chip refuses", VMR_IRQCHIP_USER, true, RAISE_LINT, 1, VMR_E_GUEST, NOBODY, 1},
    {"a pin of no VP", VMR_IRQCHIP_USER, true, RAISE_LINT, 2, VMR_E_USAGE, NOBODY, 0},
    {"a pin in the hypervisor", VMR_IRQCHIP_SPLIT, true, RAISE_LINT, 0, VMR_OK, FAKE_LINT, 0},
    {"an NMI of the chip", VMR_IRQCHIP_USER, true, RAISE_NMI, 0, VMR_OK, NOBODY, 1},
    {"an NMI without one is a request", VMR_IRQCHIP_USER, false, RAISE_NMI, 0, VMR_OK, NOBODY, 0},
    {"an NMI for no VP", VMR_IRQCHIP_KERNEL, false, RAISE_NMI, 2, VMR_E_USAGE, NOBODY, 0},
};

static void each_interrupt_goes_to_whoever_serves_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake fake;
        struct fake_rig rig;
        struct chip chip = {0};

        print_message("%s\n", rows[i].name);
        fake_init(&fake);
        fake.irqchip = rows[i].irqchip;
        fake_rig_init(&rig, &fake, NULL, 2);
        if (rows[i].attach)
            assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &chip, NULL), VMR_OK);
        assert_int_equal(raise(rig.partition, rows[i].kind, rows[i].argument), rows[i].status);
        assert_int_equal(chip.irqs + chip.msis + chip.lints + chip.nmis, rows[i].chip);
        assert_int_equal(fake_count(&fake, rows[i].backend), rows[i].backend == NOBODY ? 0 : 1);
        assert_int_equal(fake_count(&fake, FAKE_ASYNC_BEGIN), fake_count(&fake, FAKE_ASYNC_END));
        fake_rig_finish(&rig);
    }
}

static void an_nmi_without_controllers_waits_for_its_vp(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_nmi(rig.partition, 0), VMR_OK);
    assert_int_equal(partition_vp(rig.partition, 0)->requests, REQUEST_NMI);
    fake_rig_finish(&rig);
}

static void controllers_are_attached_once_and_before_the_first_bind(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct chip chip = {0}, second = {0};
    struct vmr_vp *vp;
    struct vmr_error err = {0};

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &chip, &err), VMR_OK);
    assert_null(chip.deliver); /* local APICs are the chip's own */
    assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &second, &err), VMR_E_STATE);
    assert_null(second.wake);
    fake_rig_finish(&rig);
    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_bind(rig.partition, 0, &vp, NULL), VMR_OK);
    vmr_vp_unbind(vp);
    assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &second, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "bound"));
    fake_rig_finish(&rig);
    fake_init(&fake);
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &second, &err), VMR_E_STATE);
    assert_null(second.wake);
    fake_rig_finish(&rig);
}

static void a_chip_reaches_its_vps_and_the_hypervisor(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct chip chip = {0};
    const struct vmr_msi msi = {.data = 0x31};

    fake_init(&fake);
    fake.irqchip = VMR_IRQCHIP_SPLIT;
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &chip_ops, &chip, NULL), VMR_OK);
    chip.wake(chip.wake_context, 0);
    chip.wake(chip.wake_context, 7); /* no such VP: harmless */
    assert_int_equal(partition_vp(rig.partition, 0)->requests, REQUEST_WAKE);
    assert_true(chip.deliver(chip.target_context, &msi));
    assert_int_equal(fake.values[FAKE_MSI], 0x31);
    chip.route(chip.target_context, 3, &msi);
    assert_int_equal(fake.values[FAKE_ROUTE], 0x34);
    fake.fail_always = FAKE_MSI;
    assert_false(chip.deliver(chip.target_context, &msi));
    fake_rig_finish(&rig);
}

static void routes_descriptors_and_doorbells_need_their_capability(void **state)
{
    (void)state;
    const struct vmr_msi msi = {.data = 2};
    const struct vmr_doorbell bell = {.address = 0x1000}, high = {.address = 0x1000, .minimum_vtl = VMR_VTL1};

    for (int able = 0; able < 2; able++) {
        struct fake fake;
        struct fake_rig rig;
        struct vmr_error err = {0};
        enum vmr_status wanted = able ? VMR_OK : VMR_E_UNSUPPORTED;

        fake_init(&fake);
        fake.irqchip = VMR_IRQCHIP_KERNEL;
        fake.caps.bits = able ? fake.caps.bits : 0;
        fake_rig_init(&rig, &fake, NULL, 1);
        assert_int_equal(vmr_partition_set_route(rig.partition, 1, &msi), wanted);
        assert_int_equal(vmr_partition_set_route(rig.partition, 1, NULL), wanted);
        assert_int_equal(vmr_partition_set_route(rig.partition, VMR_GSI_MAX, &msi), VMR_E_USAGE);
        assert_int_equal(vmr_partition_irqfd(rig.partition, 3, 1, true, &err), wanted);
        assert_int_equal(vmr_partition_irqfd(rig.partition, -1, 1, true, &err), VMR_E_USAGE);
        assert_int_equal(vmr_partition_irqfd(rig.partition, 3, VMR_GSI_MAX, true, &err), VMR_E_USAGE);
        assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_PORTS, &bell, 3, true, &err), wanted);
        assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &high, 3, true, &err), VMR_E_UNSUPPORTED);
        assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bell, -1, true, &err), VMR_E_USAGE);
        assert_int_equal(fake_count(&fake, FAKE_ROUTE), able ? 2 : 0);
        assert_int_equal(fake_count(&fake, FAKE_IRQFD), able);
        assert_int_equal(fake_count(&fake, FAKE_DOORBELL), able);
        fake_rig_finish(&rig);
    }
}

static void a_doorbell_that_fits_no_bus_is_not_asked_for(void **state)
{
    (void)state;
    static const struct {
        enum vmr_bus_space space;
        struct vmr_doorbell doorbell;
        const char *message;
    } cases[] = {
        {VMR_BUS_PORTS, {.address = 0x20, .size = 8}, "8 is not a size"},
        {VMR_BUS_MMIO, {.address = 0x20, .size = 3}, "3 is not a size"},
        {VMR_BUS_PORTS, {.address = 0x10000}, "leaves the space"},
        {VMR_BUS_MMIO, {.address = 0x20, .size = 2, .match_value = true, .value = 0x10000}, "does not fit"},
    };
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_rig_init(&rig, &fake, NULL, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_error err = {0};

        assert_int_equal(vmr_partition_doorbell(rig.partition, cases[i].space, &cases[i].doorbell, 3, true, &err),
                         VMR_E_CONFIG);
        assert_non_null(strstr(err.message, cases[i].message));
    }
    assert_int_equal(fake_count(&fake, FAKE_DOORBELL), 0);
    fake_rig_finish(&rig);
}

static void doorbells_that_are_there_can_be_looked_at(void **state)
{
    (void)state;
    const struct vmr_doorbell bells[] = {{.address = 0x100}, {.address = 0x100, .size = 4, .match_value = true}};
    enum vmr_bus_space space;
    struct vmr_doorbell got;
    struct fake fake;
    struct fake_rig rig;
    int fd;

    fake_init(&fake);
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_rig_init(&rig, &fake, NULL, 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bells[i % 2], i, true, NULL), VMR_OK);
    assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bells[1], 3, false, NULL), VMR_OK);
    for (size_t i = 0; i < 19; i++) {
        assert_true(vmr_partition_doorbell_get(rig.partition, i, &space, &got, &fd));
        assert_int_equal(fd, i < 3 ? i : i + 1); /* of those that match alike, the one with this event */
        assert_int_equal(space, VMR_BUS_MMIO);
        assert_int_equal(got.size, bells[fd % 2].size);
    }
    assert_false(vmr_partition_doorbell_get(rig.partition, 19, &space, &got, &fd));
    fake.fail_always = FAKE_DOORBELL;
    assert_int_not_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bells[0], 99, true, NULL), VMR_OK);
    assert_int_not_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bells[0], 0, false, NULL), VMR_OK);
    assert_false(vmr_partition_doorbell_get(rig.partition, 19, &space, &got, &fd));
    assert_true(vmr_partition_doorbell_get(rig.partition, 0, &space, &got, &fd) && fd == 0);
    fake_rig_finish(&rig);
}

static void a_refusal_of_the_hypervisor_is_told(void **state)
{
    (void)state;
    const struct vmr_doorbell bell = {.address = 0xabc0};
    struct fake fake;
    struct fake_rig rig;
    struct vmr_error err = {0};

    fake_init(&fake);
    fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_rig_init(&rig, &fake, NULL, 1);
    fake.fail_always = FAKE_IRQFD;
    assert_int_equal(vmr_partition_irqfd(rig.partition, 3, 9, true, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "descriptor 3 on GSI 9"));
    fake.fail_always = FAKE_DOORBELL;
    assert_int_equal(vmr_partition_doorbell(rig.partition, VMR_BUS_MMIO, &bell, 3, true, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "0xabc0"));
    fake.fail_always = FAKE_IRQ;
    assert_int_equal(vmr_partition_irq(rig.partition, 1, true), VMR_E_HOST);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_interrupt_goes_to_whoever_serves_it),
        cmocka_unit_test(an_nmi_without_controllers_waits_for_its_vp),
        cmocka_unit_test(controllers_are_attached_once_and_before_the_first_bind),
        cmocka_unit_test(a_chip_reaches_its_vps_and_the_hypervisor),
        cmocka_unit_test(routes_descriptors_and_doorbells_need_their_capability),
        cmocka_unit_test(a_doorbell_that_fits_no_bus_is_not_asked_for),
        cmocka_unit_test(doorbells_that_are_there_can_be_looked_at),
        cmocka_unit_test(a_refusal_of_the_hypervisor_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
