/* SPDX-License-Identifier: MIT */
/* What the stub says about itself, the target and its threads. */

#include "tests/debug/rig.h"

#include "lib/debug/registers.h"

static const struct vmr_step spin_steps[] = {VMR_SPIN()};
static const struct vmr_program spin = {.name = "spin", .steps = spin_steps, .count = 1};
static const struct vmr_program *const spins[RIG_VPS] = {&spin, &spin};

/* Long because it is a table: one row a question. */
static void questions_have_answers(void **state)
{
    static const struct {
        const char *request, *reply;
    } cases[] = {
        {"qSupported:multiprocess+;swbreak+;xmlRegisters=i386",
         "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+"},
        {"qSupported", "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+"},
        {"vCont?", "vCont;c;C;s;S"},
        {"qAttached", "1"},
        {"qAttached:1", "1"},
        {"qfThreadInfo", "m1,2"},
        {"qsThreadInfo", "l"},
        {"qsThreadInfo", "l"},
        {"qfThreadInfo", "m1,2"},
        {"qC", "QC1"},
        {"T1", "OK"},
        {"T2", "OK"},
        {"T3", "E03"},
        {"T0", "E03"},
        {"T-1", "E03"},
        {"T", "E03"},
        {"T1x", "E03"},
        {"Tffffffffffffffff", "E03"},
        {"T100000001", "E03"},
        {"Hg2", "OK"},
        {"qC", "QC2"},
        {"Hg0", "OK"}, /* any: the one that it is */
        {"qC", "QC2"},
        {"Hg-1", "OK"},
        {"qC", "QC2"},
        {"Hg3", "E16"},
        {"qC", "QC2"},
        {"Hg1", "OK"},
        {"Hc2", "OK"}, /* of steps: nothing to do with what is looked at */
        {"qC", "QC1"},
        {"Hc-1", "OK"},
        {"Hx1", "E16"},
        {"H", "E16"},
        {"Hg", "E16"},
        {"Hg1;", "E16"},
        {"qXfer:features:read:target.xml:0,10", "m<?xml version=\"1"},
        {"qXfer:features:read:other.xml:0,10", ""},
        {"qXfer:features:write:target.xml:0", ""},
        {"qXfer:features:read:target.xml:0", "E16"},
        {"qXfer:features:read:target.xml:0,10,", "E16"},
        {"qXfer:features:read:target.xml:ffffffffffffffff,10", "E16"},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].request);
        rig_exchange(&rig, cases[i].request, cases[i].reply);
    }
    rig_finish(&rig);
}

/* Read in pieces of `length` bytes until "l". */
static void read_target(struct rig *rig, unsigned length)
{
    const char *text = registers_target();
    size_t offset = 0;
    bool last = false;

    while (!last) {
        char request[64];

        (void)snprintf(request, sizeof(request), "qXfer:features:read:target.xml:%zx,%x", offset, length);
        assert_int_equal(rig_ask(rig, request), VMR_GDB_STOPPED);
        assert_true(rig->sent_length >= 6); /* +$ and l#cs */
        size_t piece = rig->sent_length - 6;

        last = rig->sent[2] == 'l';
        assert_true(last || (rig->sent[2] == 'm' && piece > 0 && piece <= length));
        assert_memory_equal(rig->sent + 3, text + offset, piece);
        offset += piece;
    }
    assert_int_equal(offset, strlen(text));
}

static void the_description_comes_in_pieces_of_any_size(void **state)
{
    static const unsigned lengths[] = {1, 7, 1000, 0xffb, VMR_GDB_PACKET_MAX, UINT32_MAX};
    struct rig rig;

    (void)state;
    rig_init(&rig, spins);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        read_target(&rig, lengths[i]);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_have_answers),
        cmocka_unit_test(the_description_comes_in_pieces_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
