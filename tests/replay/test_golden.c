/* SPDX-License-Identifier: MIT */
/*
 * The golden recordings replay, whatever is done to their form. No hypervisor
 * is asked for here; test_command.py shows that none could be.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/replay/player.h"

#define PLAYS 10u
#define TWIN_EXITS 2000u

struct golden {
    const char *name;
    struct bytes trace, console;
};

static struct golden goldens[] = {
    {.name = "seabios-microvm-boot"}, /* one VP, no interrupts */
    {.name = "seabios-pc-boot"},      /* two VPs, interrupt controllers, sleeping */
    {.name = "devices"},              /* what SeaBIOS leaves alone */
};
#define GOLDEN_COUNT (sizeof(goldens) / sizeof(goldens[0]))

/* Made by earlier formats. 1.0 did not hold what devices print, and its blocks are long. */
static struct golden old[] = {{.name = "devices-1.0"}, {.name = "devices-1.1"}};
#define OLD_COUNT (sizeof(old) / sizeof(old[0]))

static int read_goldens(void **state)
{
    char name[80];

    (void)state;
    for (size_t i = 0; i < OLD_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "%s.vmt", old[i].name);
        bytes_read_file(CORPUS, name, &old[i].trace);
        bytes_read_file(CORPUS, "devices.txt", &old[i].console);
    }
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "%s.vmt", goldens[i].name);
        bytes_read_file(CORPUS, name, &goldens[i].trace);
        (void)snprintf(name, sizeof(name), "%s.txt", goldens[i].name);
        bytes_read_file(CORPUS, name, &goldens[i].console);
    }
    return 0;
}

static int free_goldens(void **state)
{
    (void)state;
    for (size_t i = 0; i < OLD_COUNT; i++) {
        bytes_finish(&old[i].trace);
        bytes_finish(&old[i].console);
    }
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        bytes_finish(&goldens[i].trace);
        bytes_finish(&goldens[i].console);
    }
    return 0;
}

/* Boots are compressed as they were recorded; a build may lack that. */
static bool readable(const struct golden *golden)
{
    bool zstd = golden->trace.length > 28 && golden->trace.at[28] == VMR_TRACE_CODEC_ZSTD;

    if (!zstd || vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD))
        return true;
    print_message("%s: left out: this build has no zstd\n", golden->name);
    return false;
}

static void check_played(const struct golden *golden, const struct played *played)
{
    if (played->status != VMR_OK)
        print_message("%s: %s\n", golden->name, played->err.message);
    assert_true(played_well(played));
    assert_true(played->result.exits > 100);
    assert_true(bytes_equal(&played->console, &golden->console));
}

static void play(const struct golden *golden, const struct bytes *trace)
{
    struct played played;

    player_play(trace, NULL, &played);
    check_played(golden, &played);
    played_finish(&played);
}

static void every_replay_prints_the_same_console(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        for (unsigned n = 0; n < PLAYS && readable(&goldens[i]); n++)
            play(&goldens[i], &goldens[i].trace);
    }
}

/* Nothing is echoed: without the recorded reactions, the console comes out of the devices all the same. */
static void inputs_alone_print_the_same_console(void **state)
{
    const struct vmr_trace_cut_options cut = {.inputs_only = true};

    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        struct bytes inputs;

        if (!readable(&goldens[i]))
            continue;
        bytes_cut(&goldens[i].trace, &cut, &inputs);
        assert_true(inputs.length < goldens[i].trace.length);
        play(&goldens[i], &inputs);
        bytes_finish(&inputs);
    }
}

static void recording_a_replay_gives_the_recording(void **state)
{
    const struct player_options options = {.record = true};

    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        struct played played;

        if (!readable(&goldens[i]))
            continue;
        player_play(&goldens[i].trace, &options, &played);
        check_played(&goldens[i], &played);
        assert_true(bytes_equal(&played.recording, &goldens[i].trace));
        played_finish(&played);
    }
}

static void text_and_back_changes_no_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        struct bytes text, again, binary;

        if (!readable(&goldens[i]))
            continue;
        bytes_print(&goldens[i].trace, &text);
        bytes_pack(&text, VMR_TRACE_CODEC_DEFAULT, &binary);
        assert_true(bytes_equal(&binary, &goldens[i].trace));
        bytes_print(&binary, &again);
        assert_true(bytes_equal(&again, &text));
        play(&goldens[i], &text);
        bytes_finish(&text);
        bytes_finish(&again);
        bytes_finish(&binary);
    }
}

/* None of them knows what came later: neither its text nor a replay looks for it. */
static void the_formats_before_replay_and_keep_their_form(void **state)
{
    static const char *const heads[OLD_COUNT] = {"vmtx 1.0 ", "vmtx 1.1 "}, *const later[OLD_COUNT] = {"output",
                                                                                                       "wait"};

    (void)state;
    for (size_t i = 0; i < OLD_COUNT; i++) {
        struct bytes text, binary;

        play(&old[i], &old[i].trace);
        bytes_print(&old[i].trace, &text);
        assert_true(text.length > 9 && memcmp(text.at, heads[i], 9) == 0);
        assert_null(strstr((const char *)text.at, later[i]));
        play(&old[i], &text);
        bytes_pack(&text, VMR_TRACE_CODEC_DEFAULT, &binary);
        assert_true(bytes_equal(&binary, &old[i].trace));
        bytes_finish(&text);
        bytes_finish(&binary);
    }
}

static void compression_is_only_form(void **state)
{
    static const enum vmr_trace_codec codecs[] = {VMR_TRACE_CODEC_NONE, VMR_TRACE_CODEC_ZSTD};

    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        for (size_t j = 0; j < sizeof(codecs) / sizeof(codecs[0]); j++) {
            struct bytes packed;

            if (!readable(&goldens[i]) || !vmr_trace_codec_available(codecs[j]))
                continue;
            bytes_pack(&goldens[i].trace, codecs[j], &packed);
            play(&goldens[i], &packed);
            bytes_finish(&packed);
        }
    }
}

static void text_twin_is_the_beginning_of_the_boot(void **state)
{
    const struct vmr_trace_cut_options cut = {.exits = TWIN_EXITS};
    const struct golden *boot = &goldens[0];
    struct bytes twin, beginning, text;

    (void)state;
    if (!readable(boot))
        skip();
    bytes_read_file(CORPUS, "seabios-microvm-boot.vmtx", &twin);
    bytes_cut(&boot->trace, &cut, &beginning);
    bytes_print(&beginning, &text);
    assert_true(bytes_equal(&text, &twin));
    bytes_finish(&beginning);
    bytes_finish(&text);
    bytes_finish(&twin);
}

/* The text form is as good as the binary one to replay from, up to where it ends. */
static void text_twin_replays(void **state)
{
    struct played played;
    struct bytes twin;

    (void)state;
    if (!vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD)) {
        print_message("skipped: this build has no zstd\n");
        skip();
    }
    bytes_read_file(CORPUS, "seabios-microvm-boot.vmtx", &twin);
    player_play(&twin, NULL, &played);
    assert_int_equal(played.result.status, VMR_OK);
    assert_int_equal(played.result.exits, TWIN_EXITS);
    assert_true(played.console.length > 0 && played.console.length < goldens[0].console.length);
    assert_true(bytes_begin_with(&goldens[0].console, &played.console));
    played_finish(&played);
    bytes_finish(&twin);
}

/* A timer's thread may wake a VP that has just halted for good: no run follows that would see it. */
static void wake_after_the_last_halt_is_replayed_too(void **state)
{
    static const char wakes[] = "1000000 vm async what=wake a=0 b=0\n1000001 vm async what=wake a=0 b=0\nend\n";
    const struct player_options options = {.record = true};
    const struct golden *devices = &goldens[2];
    struct bytes text, with_wakes = {0}, trace;
    struct played played;

    (void)state;
    bytes_print(&devices->trace, &text);
    assert_memory_equal(text.at + text.length - 5, "\nend\n", 5);
    bytes_append(&with_wakes, text.at, text.length - 4);
    bytes_append(&with_wakes, wakes, sizeof(wakes) - 1);
    bytes_pack(&with_wakes, VMR_TRACE_CODEC_NONE, &trace);
    player_play(&trace, &options, &played);
    check_played(devices, &played);
    assert_true(bytes_equal(&played.recording, &trace));
    played_finish(&played);
    bytes_finish(&text);
    bytes_finish(&with_wakes);
    bytes_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_replay_prints_the_same_console),
        cmocka_unit_test(inputs_alone_print_the_same_console),
        cmocka_unit_test(recording_a_replay_gives_the_recording),
        cmocka_unit_test(text_and_back_changes_no_bit),
        cmocka_unit_test(the_formats_before_replay_and_keep_their_form),
        cmocka_unit_test(compression_is_only_form),
        cmocka_unit_test(text_twin_is_the_beginning_of_the_boot),
        cmocka_unit_test(text_twin_replays),
        cmocka_unit_test(wake_after_the_last_halt_is_replayed_too),
    };

    return cmocka_run_group_tests(tests, read_goldens, free_goldens);
}
