/* SPDX-License-Identifier: MIT */
/*
 * record(mock) -> replay -> record is a fixed point, for guest programs on
 * every profile of the mock. Needs no hypervisor and no file.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/replay/guest.h"
#include "tests/replay/player.h"

#define PLAYS 5u

static void check_fixed_point(const struct guest *guest, const char *name)
{
    const struct player_options options = {.record = true};
    struct bytes trace, console;

    guest_record(guest, &trace, &console);
    assert_true(console.length > 0);
    for (unsigned n = 0; n < PLAYS; n++) {
        struct played played;

        player_play(&trace, &options, &played);
        if (played.status != VMR_OK)
            print_message("%s: %s\n", name, played.err.message);
        assert_true(played_well(&played));
        assert_true(bytes_equal(&played.console, &console));
        assert_true(bytes_equal(&played.recording, &trace));
        played_finish(&played);
    }
    bytes_finish(&trace);
    bytes_finish(&console);
}

/* Profiles whose hypervisor keeps the interrupt controllers to itself cannot be recorded; none insists on it. */
static void check_on_every_profile(struct guest guest, const char *name)
{
    for (enum vmr_mock_profile profile = 0; profile < VMR_MOCK_PROFILE_COUNT; profile++) {
        char spec[64], what[96];

        (void)snprintf(spec, sizeof(spec), "mock:profile=%s,irqchip=user", vmr_mock_profile_name(profile));
        (void)snprintf(what, sizeof(what), "%s on %s", name, spec);
        guest.spec = spec;
        check_fixed_point(&guest, what);
    }
}

static void devices_and_ticks_record_as_they_replay(void **state)
{
    (void)state;
    check_on_every_profile((struct guest){.vps = 1, .programs = {&guest_devices}}, "devices");
}

static void two_vps_and_their_interrupts_record_as_they_replay(void **state)
{
    (void)state;
    check_on_every_profile((struct guest){.vps = 2, .programs = {&guest_boss, &guest_worker}}, "boss and worker");
}

/* The bytes come from a thread that the replay does not have. */
static void what_is_typed_is_typed_again(void **state)
{
    static const char line[] = "typed from outside\n";
    struct bytes trace, console, text;

    (void)state;
    check_on_every_profile((struct guest){.vps = 1, .programs = {&guest_echo}, .input = line}, "echo");
    guest_record(&(struct guest){.vps = 1, .programs = {&guest_echo}, .input = line}, &trace, &console);
    assert_string_equal((const char *)console.at, line);
    bytes_print(&trace, &text);
    assert_non_null(strstr((const char *)text.at, " vm input stream=0 bytes=74797065642066726f6d206f7574736964650a\n"));
    /* The interrupt follows from the input: it is no request beside it. */
    assert_null(strstr((const char *)text.at, "async what=irq a=4"));
    bytes_finish(&text);
    bytes_finish(&trace);
    bytes_finish(&console);
}

static void many_blocks_record_as_they_replay(void **state)
{
    (void)state;
    check_fixed_point(&(struct guest){.vps = 1, .programs = {&guest_long}}, "long");
    check_fixed_point(&(struct guest){.vps = 1, .programs = {&guest_long}, .codec = VMR_TRACE_CODEC_NONE},
                      "long, not compressed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_and_ticks_record_as_they_replay),
        cmocka_unit_test(two_vps_and_their_interrupts_record_as_they_replay),
        cmocka_unit_test(what_is_typed_is_typed_again),
        cmocka_unit_test(many_blocks_record_as_they_replay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
