/* SPDX-License-Identifier: MIT */
/*
 * Pictures of VMs, and the oracle of resets at the end of every scenario.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conformance/execute.h"

/* --- scenarios --- */

static void good(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_SET(0, 1), VMR_EXPECT(0, 1), VMR_END());

    (void)conf_run_program(conf, NULL, &nothing);
}

static void fails(struct conf *conf)
{
    good(conf);
    CONF_CHECK(conf, false, "a failure");
}

static void is_skipped(struct conf *conf)
{
    good(conf);
    conf_skip(conf, "not on a %s", "Sunday");
}

static void checks_nothing(struct conf *conf)
{
    (void)conf_vm_create(conf, NULL);
}

static void leaves_two_vms(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_END());

    (void)conf_run_program(conf, &(struct conf_vm_options){.vps = 2}, &nothing);
    (void)conf_run_program(conf, NULL, &nothing);
}

static void differs(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    struct conf_picture *before = conf_picture_take(vm);

    CONF_CHECK(conf, before && vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "reading");
    regs.gpr[VMR_X86_RBX] = 0x77;
    CONF_CHECK(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "writing");
    struct conf_picture *after = conf_picture_take(vm);

    if (before && after)
        (void)conf_picture_compare(conf, after, before, "altered");
    conf_picture_free(before);
    conf_picture_free(after);
}

static struct conf_result execute(const char *spec, void (*run)(struct conf *conf))
{
    const struct conf_scenario scenario = {
        .name = "subject", .family = "test", .clauses = "", .chip = CONF_CHIP_ANY, .run = run};
    const struct conf_backend backend = {.spec = spec, .is_mock = true, .schedule_max = 5000};
    struct conf_result result;

    conf_execute(&backend, &scenario, &result);
    return result;
}

/* --- tests --- */

static void a_difference_is_told_by_its_name(void **state)
{
    struct conf_result result = execute("mock:profile=strict", differs);

    (void)state;
    assert_int_equal(result.verdict, CONF_FAIL);
    assert_non_null(strstr(result.reason, "altered: VP 0 VTL 0: registers.rbx[0] is 0x77, not 0"));
}

/* What was left behind is reset and held against fresh VMs, on every backend that lets it be. */
static void every_vm_of_a_scenario_is_reset_at_its_end(void **state)
{
    static const struct {
        const char *spec;
        void (*run)(struct conf *conf);
        uint32_t resets;
    } rows[] = {
        {"mock:profile=strict", good, 1},           {"mock:profile=strict", leaves_two_vms, 2},
        {"mock:profile=hvf-like", good, 1},         {"mock:irqchip=kernel", good, 1},
        {"mock:profile=strict", fails, 0},          {"mock:profile=strict", is_skipped, 0},
        {"mock:profile=strict", checks_nothing, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(execute(rows[i].spec, rows[i].run).resets, rows[i].resets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_is_told_by_its_name),
        cmocka_unit_test(every_vm_of_a_scenario_is_reset_at_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
