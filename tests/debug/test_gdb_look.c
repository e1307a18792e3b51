/* SPDX-License-Identifier: MIT */
/* Registers, memory and breakpoints, by packets: requests that are right, wrong, and hostile. [DBG-6] */

#include "tests/debug/rig.h"

#include <stdlib.h>

static const struct vmr_step nop_steps[] = {VMR_NOP(), VMR_NOP(), VMR_END()};
static const struct vmr_program nop = {.name = "nop", .steps = nop_steps, .count = 3};
static const struct vmr_program *const nops[RIG_VPS] = {&nop, &nop};

struct exchange {
    const char *request, *reply;
};

static void run_exchanges(struct rig *rig, const struct exchange *exchanges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("%s\n", exchanges[i].request);
        rig_exchange(rig, exchanges[i].request, exchanges[i].reply);
    }
}

#define EXCHANGES(rig, ...)                                                                                            \
    run_exchanges((rig), (const struct exchange[]){__VA_ARGS__},                                                       \
                  sizeof((const struct exchange[]){__VA_ARGS__}) / sizeof(struct exchange))

static void memory_is_the_guests(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, nops);
    rig_run(&rig, "vCont;s:1", "T05thread:1;"); /* paging is on now */
    EXCHANGES(&rig, {"M100000,4:01020304", "OK"}, {"m100000,4", "01020304"}, {"m100002,1", "03"}, {"m100000,0", ""},
              {"M100000,0:", "OK"}, {"X100001,2:\x7f\x7e", "OK"}, {"m100000,4", "017f7e04"},
              {"X100000,0:", "OK"},  /* how GDB asks whether there is X */
              {"m1ffffe,8", "0000"}, /* as far as there is memory */
              {"m200000,8", "E0e"}, {"mffffffffffffffff,8", "E0e"}, {"m8000000000000000,1", "E0e"},
              {"M1fffff,2:0102", "E0e"}, {"m1fffff,1", "00"}, /* nothing was written */
              {"M200000,1:00", "E0e"}, {"X40000000,1:a", "E0e"});
    /* Not what was meant. */
    EXCHANGES(&rig, {"m", "E16"}, {"m100000", "E16"}, {"m100000,", "E16"}, {"m100000,4,", "E16"}, {"m,4", "E16"},
              {"mg,4", "E16"}, {"m11112222333344445,4", "E16"}, {"M100000,4", "E16"}, {"M100000,4:010203", "E16"},
              {"M100000,2:010203", "E16"}, {"M100000,1:0g", "E16"}, {"M100000,8000000000000000:", "E16"},
              {"M100000,ffffffffffffffff:00", "E16"}, {"X100000,2:a", "E16"}, {"X100000,1:ab", "E16"},
              {"X100000", "E16"}, {"m100000,4", "017f7e04"});
    rig_finish(&rig);
}

static void a_read_is_as_long_as_a_reply_can_be(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, nops);
    assert_int_equal(rig_ask(&rig, "m100000,ffffffffffffffff"), VMR_GDB_STOPPED);
    assert_int_equal(rig.sent_length, 1 + VMR_GDB_PACKET_MAX + 4);
    rig_finish(&rig);
}

/* X with bytes that are escaped on the way. */
static void binary_bytes_come_as_they_are(void **state)
{
    static const char packet[] = "$X100000,4:}\x03}\x04}\x5d\x00#";
    char frame[sizeof(packet) + 2];
    struct rig rig;
    uint8_t sum = 0;

    (void)state;
    rig_init(&rig, nops);
    for (size_t i = 1; i < sizeof(packet) - 2; i++)
        sum = (uint8_t)(sum + (uint8_t)packet[i]);
    memcpy(frame, packet, sizeof(packet) - 1);
    (void)snprintf(frame + sizeof(packet) - 1, 3, "%02x", sum);
    (void)rig_give(&rig, frame, sizeof(packet) + 1);
    rig_must_have_sent(&rig, "+", "OK");
    rig_exchange(&rig, "m100000,4", "23247d00");
    rig_finish(&rig);
}

static void registers_are_the_selected_vps(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, nops);
    rig_run(&rig, "vCont;s:1", "T05thread:1;");
    EXCHANGES(&rig, {"P0=8877665544332211", "OK"}, {"p0", "8877665544332211"}, {"p10", "1000004000000000"},
              {"Hg2", "OK"}, {"p0", "0000000000000000"}, {"P0=0100000000000000", "OK"}, {"Hg1", "OK"},
              {"p0", "8877665544332211"}, {"p18", "xxxxxxxxxxxxxxxxxxxx"}, {"p2a", "1100008000000000"});
    assert_int_equal(rig_regs(&rig, 0).gpr[VMR_X86_RAX], 0x1122334455667788);
    assert_int_equal(rig_regs(&rig, 1).gpr[VMR_X86_RAX], 1);
    EXCHANGES(&rig, {"p", "E16"}, {"p30", "E16"}, {"p0,", "E16"}, {"pffffffffffffffff", "E16"}, {"P0", "E16"},
              {"P0=", "E16"}, {"P0=00", "E16"}, {"P0:0100000000000000", "E16"}, {"P30=0100000000000000", "E16"},
              {"P12=11110000", "E16"}, {"G", "E16"}, {"G00", "E16"}, {"p0", "8877665544332211"});
    rig_finish(&rig);
}

static void all_registers_go_out_and_in(void **state)
{
    struct rig rig;
    char request[RIG_SENT_MAX + 8];

    (void)state;
    rig_init(&rig, nops);
    (void)rig_ask(&rig, "g");
    assert_int_equal(rig.sent_length, 1 + 4 + 2 * (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 8 * 8));
    rig.sent[rig.sent_length - 3] = '\0';
    (void)snprintf(request, sizeof(request), "G%s", rig.sent + 2);
    memcpy(request + 1, "ef", 2); /* rax */
    rig_exchange(&rig, request, "OK");
    assert_int_equal(rig_regs(&rig, 0).gpr[VMR_X86_RAX] & 0xff, 0xef);
    rig_finish(&rig);
}

static void breakpoints_are_four(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, nops);
    EXCHANGES(&rig, {"Z0,1000,1", "OK"}, {"Z0,1000,1", "OK"}, {"Z1,1000,1", "OK"}, {"Z2,1000,4", "OK"},
              {"Z4,1000,8", "OK"}, {"Z1,2000,1", "E1c"}, {"z0,1000,1", "OK"}, {"z0,1000,1", "OK"}, {"Z1,2000,1", "OK"},
              {"Z1,3000,1", "E1c"});
    /* What the processor has not: GDB tries something else for a kind that is not known. */
    EXCHANGES(&rig, {"Z3,1000,4", ""}, {"z3,1000,4", ""}, {"Z5,1000,4", ""}, {"Z100,1000,1", ""}, {"Z2,1001,4", "E16"},
              {"Z2,1000,3", "E16"}, {"Z2,1000,0", "E16"}, {"Z2,1000,10", "E16"}, {"Z1,1000,2", "E16"},
              {"Z2,1000,104", "E16"}, {"Z2,1000,10000000000000004", "E16"}, {"Z", "E16"}, {"Z1", "E16"},
              {"Z1,1000", "E16"}, {"Z1,1000,1;X1,0", "E16"}, {"z", "E16"}, {"Z1,,1", "E16"});
    rig_finish(&rig);
}

static enum vmr_status poor_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                 struct vmr_error *err)
{
    enum vmr_status status = vmr_mock_backend()->caps(handle, ret_caps, err);

    ret_caps->bits &= ~(UINT64_C(1) << VMR_CAP_HW_BREAKPOINT | UINT64_C(1) << VMR_CAP_SINGLE_STEP);
    return status;
}

/* An empty reply to a software breakpoint, and GDB would write one into memory. */
static void without_breakpoints_software_ones_are_errors(void **state)
{
    struct vmr_backend poor = *vmr_mock_backend();
    struct rig rig;

    (void)state;
    poor.name = "poor";
    poor.caps = poor_caps;
    poor.vp_set_debug = NULL;
    rig_init_on(&rig, NULL, &poor); /* which takes no programs, being another backend */
    EXCHANGES(&rig, {"Z0,1000,1", "E5f"}, {"z0,1000,1", "E5f"}, {"Z1,1000,1", ""}, {"Z2,1000,4", ""},
              {"vCont;s:1", "E5f"});
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_the_guests),
        cmocka_unit_test(a_read_is_as_long_as_a_reply_can_be),
        cmocka_unit_test(binary_bytes_come_as_they_are),
        cmocka_unit_test(registers_are_the_selected_vps),
        cmocka_unit_test(all_registers_go_out_and_in),
        cmocka_unit_test(breakpoints_are_four),
        cmocka_unit_test(without_breakpoints_software_ones_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
