/* SPDX-License-Identifier: MIT */
/* Going on and standing still: who runs, who steps, who stays, and what GDB is told of it. [DBG-5] */

#include "tests/debug/rig.h"

#define WATCHED 0x100000u

static const struct vmr_step work_steps[] = {
    VMR_NOP(), VMR_NOP(), VMR_STORE(WATCHED, 4, 7), VMR_LOAD(0, WATCHED + 8u, 4), VMR_NOP(), VMR_END()};
static const struct vmr_program work = {.name = "work", .steps = work_steps, .count = 6};
static const struct vmr_step spin_steps[] = {VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_SPIN()};
static const struct vmr_program spin = {.name = "spin", .steps = spin_steps, .count = 4};
static const struct vmr_step fault_steps[] = {VMR_NOP(), VMR_TRIPLE_FAULT()};
static const struct vmr_program fault = {.name = "fault", .steps = fault_steps, .count = 2};
static const struct vmr_program *const work_and_spin[RIG_VPS] = {&work, &spin};

static void a_step_is_one_instruction_of_one_vp(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    for (unsigned i = 1; i <= 3; i++) {
        rig_run(&rig, "vCont;s:1", "T05thread:1;");
        assert_int_equal(rig_regs(&rig, 0).rip, STEP(i));
    }
    assert_int_equal(vmr_mock_steps(vmr_mock_of(rig.partition), 1), 0);
    rig_run(&rig, "vCont;s:2", "T05thread:2;");
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(3));
    assert_int_equal(rig_regs(&rig, 1).rip, STEP(1));
    rig_exchange(&rig, "qC", "QC2"); /* the one that halted is the one that is looked at */
    rig_finish(&rig);
}

static void the_first_action_that_fits_counts(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    rig_run(&rig, "vCont;s:1;c:1", "T05thread:1;");
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(1));
    rig_run(&rig, "vCont;S05:1;c", "T05thread:1;"); /* all others, too */
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(2));
    rig_finish(&rig);
}

/* `c` and `s`, without vCont: all go on, and one of them steps. */
static void the_old_words_work(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (const struct vmr_program *const[RIG_VPS]){&work, &spin});
    rig_run(&rig, "s", "T05thread:1;");
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(1));
    rig_run(&rig, "s40000000", "T05thread:1;"); /* from there */
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(1));
    rig_exchange(&rig, "Z1,40000040,1", "OK");
    rig_run(&rig, "c", "T05thread:1;");
    assert_int_equal(rig_regs(&rig, 0).rip, STEP(4));
    rig_exchange(&rig, "z1,40000040,1", "OK");
    rig_run(&rig, "c", "W00");
    rig_finish(&rig);
}

static void hc_says_who_steps(void **state)
{
    static const struct vmr_program *const spins[RIG_VPS] = {&spin, &spin};
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    rig_exchange(&rig, "Hc2", "OK");
    rig_run(&rig, "s", "T05thread:2;");
    assert_int_equal(rig_regs(&rig, 1).rip, STEP(1));
    rig_exchange(&rig, "Hg1", "OK");
    rig_run(&rig, "s", "T05thread:2;");
    assert_int_equal(rig_regs(&rig, 1).rip, STEP(2));
    rig_finish(&rig);
}

static void a_breakpoint_says_what_it_is(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    rig_exchange(&rig, "Z0,40000010,1", "OK");
    rig_exchange(&rig, "Z2,100000,4", "OK");
    rig_exchange(&rig, "Z4,100008,4", "OK");
    rig_run(&rig, "vCont;c:1", "T05thread:1;"); /* GDB did not say that it knows the word */
    rig_exchange(&rig, "z0,40000010,1", "OK");
    rig_run(&rig, "vCont;c:1", "T05thread:1;watch:100000;");
    rig_exchange(&rig, "m100000,1", "07");
    rig_run(&rig, "vCont;c:1", "T05thread:1;awatch:100008;");
    (void)rig_ask(&rig, "qSupported:swbreak+;hwbreak+");
    rig_exchange(&rig, "Z0,40000050,1", "OK");
    rig_run(&rig, "vCont;c:1", "T05thread:1;swbreak:;");
    rig_exchange(&rig, "z0,40000050,1", "OK");
    rig_exchange(&rig, "Z1,40000000,1", "OK");
    rig_exchange(&rig, "P10=0000004000000000", "OK"); /* rip */
    rig_run(&rig, "vCont;c:1", "T05thread:1;hwbreak:;");
    rig_exchange(&rig, "?", "T05thread:1;hwbreak:;");
    rig_finish(&rig);
}

static void the_end_of_the_guest_is_told(void **state)
{
    struct vmr_vp_set_halt halt = {.vp = 0};
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    assert_int_equal(vmr_gdb_exit(rig.gdb, 3), VMR_GDB_STOPPED); /* nobody waits */
    assert_int_equal(vmr_gdb_halted(rig.gdb, &halt), VMR_GDB_STOPPED);
    assert_string_equal(rig.sent, "");
    rig_run(&rig, "c", "W00");
    assert_int_equal(vmr_gdb_halted(rig.gdb, &halt), VMR_GDB_EXITED);
    rig_finish(&rig);

    rig_init(&rig, work_and_spin);
    assert_int_equal(rig_ask(&rig, "vCont;c:2"), VMR_GDB_RUNNING);
    halt.result.reason = VMR_HALT_NONE; /* a deadline */
    assert_int_equal(vmr_gdb_halted(rig.gdb, &halt), VMR_GDB_RUNNING);
    assert_int_equal(vmr_vp_set_stop(rig.set), VMR_OK);
    rig.sent_length = 0;
    assert_int_equal(vmr_gdb_exit(rig.gdb, 0xfe), VMR_GDB_EXITED);
    rig_must_have_sent(&rig, "", "Wfe");
    rig_finish(&rig);
}

static void a_fault_and_a_failure_are_signals(void **state)
{
    static const struct vmr_program *const faults[RIG_VPS] = {&fault, &spin};
    struct rig rig;

    (void)state;
    rig_init(&rig, faults);
    rig_run(&rig, "c", "T0bthread:1;");
    assert_int_equal(vmr_mock_set_fault(&rig.handle, VMR_MOCK_FAIL_CALL, 1), VMR_OK);
    rig_exchange(&rig, "g", "E01");
    rig_finish(&rig);
    rig_init(&rig, work_and_spin);
    assert_int_equal(vmr_mock_load_script(vmr_mock_of(rig.partition), 0, "fail cause=unknown code=0x1", 27, NULL),
                     VMR_OK);
    rig_run(&rig, "c", "T06thread:1;");
    rig_exchange(&rig, "c", "E01"); /* which never runs again */
    rig_exchange(&rig, "D", "E01");
    assert_int_not_equal(rig_ask(&rig, "g"), VMR_GDB_RUNNING);
    rig_finish(&rig);
}

static void what_cannot_be_done_runs_nobody(void **state)
{
    static const char *const wrong[] = {
        "vCont;",  "vCont;t:1",  "vCont;r1,2:1", "vCont;c:3",    "vCont;c:", "vCont;c:1x", "vCont;c;",
        "vCont;C", "vCont;s:1;", "vCont;;c",     "vCont;c:p1.1", "cx",       "sg",         "c40000000,"};
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        print_message("%s\n", wrong[i]);
        rig_exchange(&rig, wrong[i], "E16");
    }
    assert_int_equal(vmr_mock_steps(vmr_mock_of(rig.partition), 0), 0);
    rig_finish(&rig);
}

static enum vmr_status copy_debug(void *debug, struct vmr_vp *vp)
{
    return vmr_vp_get_debug_state(vp, debug);
}

static void detaching_leaves_nothing_behind(void **state)
{
    struct vmr_vp_set_halt halt;
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    rig_exchange(&rig, "Z1,40000030,1", "OK");
    rig_run(&rig, "vCont;s:2", "T05thread:2;"); /* the other, which will end the guest, is held */
    assert_int_equal(rig_ask(&rig, "D"), VMR_GDB_DETACHED);
    rig_must_have_sent(&rig, "+", "OK");
    uint64_t soon_ns = rig.host.ops->now_ns(rig.host.context) + UINT64_C(10000000000);

    assert_int_equal(vmr_vp_set_wait(rig.set, soon_ns, &halt), VMR_OK);
    assert_int_equal(halt.vp, 0);
    assert_int_equal(halt.result.reason, VMR_HALT_POWER_OFF); /* and no step, nor a breakpoint */
    assert_int_equal(rig_ask(&rig, "?"), VMR_GDB_DETACHED);
    assert_string_equal(rig.sent, "");
    for (vmr_vp_index vp = 0; vp < RIG_VPS; vp++) {
        struct vmr_debug_state debug;

        assert_int_equal(vmr_vp_set_call(rig.set, vp, copy_debug, &debug), VMR_OK);
        assert_false(debug.single_step || debug.breakpoints[0].enabled);
    }
    rig_finish(&rig);
}

static void destroying_takes_the_debug_state_away(void **state)
{
    struct vmr_debug_state debug;
    struct rig rig;

    (void)state;
    rig_init(&rig, work_and_spin);
    rig_exchange(&rig, "Z1,40000030,1", "OK");
    rig_run(&rig, "vCont;s:1", "T05thread:1;");
    assert_int_equal(vmr_vp_set_call(rig.set, 0, copy_debug, &debug), VMR_OK);
    assert_true(debug.single_step && debug.breakpoints[0].enabled);
    vmr_gdb_destroy(rig.gdb);
    rig.gdb = NULL;
    assert_int_equal(vmr_vp_set_call(rig.set, 0, copy_debug, &debug), VMR_OK);
    assert_false(debug.single_step || debug.breakpoints[0].enabled);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_one_instruction_of_one_vp),
        cmocka_unit_test(the_first_action_that_fits_counts),
        cmocka_unit_test(the_old_words_work),
        cmocka_unit_test(hc_says_who_steps),
        cmocka_unit_test(a_breakpoint_says_what_it_is),
        cmocka_unit_test(the_end_of_the_guest_is_told),
        cmocka_unit_test(a_fault_and_a_failure_are_signals),
        cmocka_unit_test(what_cannot_be_done_runs_nobody),
        cmocka_unit_test(detaching_leaves_nothing_behind),
        cmocka_unit_test(destroying_takes_the_debug_state_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
