/* SPDX-License-Identifier: MIT */
/* A connection: acknowledgements, what is damaged, what nobody knows, and what comes at the wrong time. [DBG-5] [DBG-6]
 */

#include "tests/debug/rig.h"

#include <stdlib.h>

static const struct vmr_step spin_steps[] = {VMR_SPIN()};
static const struct vmr_program spin = {.name = "spin", .steps = spin_steps, .count = 1};
static const struct vmr_program *const spins[RIG_VPS] = {&spin, &spin};

static void packets_are_acknowledged_until_gdb_wants_no_more(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    rig_exchange(&rig, "qC", "QC1");
    assert_int_equal(rig_give(&rig, "$qC#b5", 6), VMR_GDB_STOPPED);
    assert_string_equal(rig.sent, "-");
    (void)rig_give(&rig, "-", 1); /* the last once more */
    assert_string_equal(rig.sent, "$QC1#c5");
    (void)rig_give(&rig, "+", 1);
    assert_string_equal(rig.sent, "");
    rig_exchange(&rig, "QStartNoAckMode", "OK");
    (void)rig_ask(&rig, "qC");
    rig_must_have_sent(&rig, "", "QC1");
    (void)rig_give(&rig, "$qC#b5", 6);
    assert_string_equal(rig.sent, "");
    (void)rig_give(&rig, "-", 1);
    assert_string_equal(rig.sent, "");
    rig_finish(&rig);
}

static void bytes_may_be_cut_anywhere(void **state)
{
    static const char bytes[] = "+$qC#b4+$?#3f";
    struct rig rig;
    size_t length = 0;
    char sent[128];

    (void)state;
    rig_init(&rig, spins);
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        assert_int_equal(rig_give(&rig, bytes + i, 1), VMR_GDB_STOPPED);
        memcpy(sent + length, rig.sent, rig.sent_length + 1);
        length += rig.sent_length;
    }
    assert_string_equal(sent, "+$QC1#c5+$T05thread:1;#d7");
    assert_int_equal(rig_give(&rig, bytes, sizeof(bytes) - 1), VMR_GDB_STOPPED);
    assert_string_equal(rig.sent, sent);
    rig_finish(&rig);
}

/* What is no command, or has another behind it, is answered by nothing: so GDB learns that there is none. */
static void what_nobody_knows_gets_the_empty_reply(void **state)
{
    static const char *const unknown[] = {
        "",           "!",        "a",         "vMustReplyEmpty",  "vCont",         "vCont?x",
        "vFile:open", "qTStatus", "qSymbol::", "qRcmd,68",         "QNonStop:1",    "bs",
        "R00",        "gg",       "?x",        "QStartNoAckModes", "qfThreadInfox", "Dx",
        "kx",         "D;1",      "\x7f"};
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        rig_exchange(&rig, unknown[i], "");
    rig_finish(&rig);
}

static void a_packet_that_is_too_long_is_refused_and_the_next_is_not(void **state)
{
    struct rig rig;
    size_t length = VMR_GDB_PACKET_MAX + 1;
    char *frame = malloc(length + 5), *payload = malloc(length);

    (void)state;
    assert_non_null(frame);
    assert_non_null(payload);
    rig_init(&rig, spins);
    memset(payload, 'm', length);
    (void)rig_give(&rig, frame, rig_frame(frame, length + 5, payload, length));
    rig_must_have_sent(&rig, "+", "E5a");
    (void)rig_give(&rig, frame, rig_frame(frame, length + 5, payload, length - 1));
    rig_must_have_sent(&rig, "+", "E16"); /* no command, but it was looked at */
    rig_exchange(&rig, "qC", "QC1");
    rig_finish(&rig);
    free(payload);
    free(frame);
}

static void while_vps_run_only_an_interrupt_is_heard(void **state)
{
    struct vmr_vp_set_halt halt;
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    (void)rig_give(&rig, "\x03", 1); /* they stand still already */
    assert_string_equal(rig.sent, "");
    assert_int_equal(rig_ask(&rig, "c"), VMR_GDB_RUNNING);
    assert_int_equal(rig_ask(&rig, "?"), VMR_GDB_RUNNING);
    assert_string_equal(rig.sent, "");
    assert_int_equal(vmr_vp_set_wait(rig.set, 0, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_NONE);
    assert_int_equal(rig_give(&rig, "-+\x03+", 4), VMR_GDB_RUNNING);
    assert_string_equal(rig.sent, "");
    assert_int_equal(vmr_vp_set_wait(rig.set, VMR_NEVER, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_STOP);
    assert_int_equal(vmr_gdb_halted(rig.gdb, &halt), VMR_GDB_STOPPED);
    rig_must_have_sent(&rig, "", "T02thread:1;");
    rig_exchange(&rig, "?", "T02thread:1;");
    assert_int_equal(rig_give(&rig, "$c#63\x03", 6), VMR_GDB_RUNNING); /* in one piece: not lost */
    assert_int_equal(vmr_vp_set_wait(rig.set, VMR_NEVER, &halt), VMR_OK);
    assert_int_equal(vmr_gdb_halted(rig.gdb, &halt), VMR_GDB_STOPPED);
    rig_finish(&rig);
}

static void after_the_end_nothing_is_answered(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    rig_exchange(&rig, "vKill;1", "OK");
    assert_int_equal(rig_ask(&rig, "g"), VMR_GDB_KILLED);
    assert_string_equal(rig.sent, "");
    rig_finish(&rig);
    rig_init(&rig, spins);
    assert_int_equal(rig_ask(&rig, "k"), VMR_GDB_KILLED);
    rig_finish(&rig);
}

static void a_stub_needs_a_stopped_set_and_a_sink(void **state)
{
    struct rig rig;
    struct vmr_gdb *gdb = NULL;
    struct vmr_error err = {0};

    (void)state;
    rig_init(&rig, spins);
    struct vmr_gdb_options options = {.set = rig.set};

    assert_int_equal(vmr_gdb_create(&options, &gdb, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "send"));
    options = (struct vmr_gdb_options){.send = rig_send};
    assert_int_equal(vmr_gdb_create(&options, &gdb, &err), VMR_E_USAGE);
    options.set = rig.set;
    assert_int_equal(vmr_vp_set_start(rig.set), VMR_OK);
    assert_int_equal(vmr_gdb_create(&options, &gdb, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "not stopped"));
    assert_null(gdb);
    assert_int_equal(vmr_vp_set_stop(rig.set), VMR_OK);
    vmr_gdb_destroy(NULL);
    rig_finish(&rig);
}

static void a_running_stub_can_be_destroyed(void **state)
{
    struct vmr_vp_set_halt halt;
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    rig_exchange(&rig, "Z1,1000,1", "OK");
    assert_int_equal(rig_ask(&rig, "vCont;c:1"), VMR_GDB_RUNNING);
    vmr_gdb_destroy(rig.gdb);
    rig.gdb = NULL;
    assert_int_equal(vmr_vp_set_wait(rig.set, 0, &halt), VMR_E_STATE); /* stopped */
    assert_int_equal(vmr_vp_set_start(rig.set), VMR_OK);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_acknowledged_until_gdb_wants_no_more),
        cmocka_unit_test(bytes_may_be_cut_anywhere),
        cmocka_unit_test(what_nobody_knows_gets_the_empty_reply),
        cmocka_unit_test(a_packet_that_is_too_long_is_refused_and_the_next_is_not),
        cmocka_unit_test(while_vps_run_only_an_interrupt_is_heard),
        cmocka_unit_test(after_the_end_nothing_is_answered),
        cmocka_unit_test(a_stub_needs_a_stopped_set_and_a_sink),
        cmocka_unit_test(a_running_stub_can_be_destroyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
