/* SPDX-License-Identifier: MIT */
/*
 * Scripts of the mock: played as they stand, and a library that departs from
 * one is told the line and both sides.
 */

#include <string.h>

#include "conformance/scenarios/guest_words.h"

#define PORT 0x700u
#define PAGE UINT64_C(0xd0000000)
#define ALL_SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)

static const struct conf_vm_options no_chip = {.without_chip = true};

/* A VM whose VP 0 plays `text`, with `device` at PORT and PAGE. NULL: failed. */
static struct conf_vm *scripted_vm(struct conf *conf, const char *text, struct conf_device *device)
{
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_error err = {.message = ""};

    if (!vm || !conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, device) ||
        !conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, device))
        return NULL;
    if (vmr_mock_load_script(conf_mock(vm), 0, text, strlen(text), &err)) {
        conf_fail(conf, __FILE__, __LINE__, "a script is refused: %s", err.message);
        return NULL;
    }
    return conf_bind(vm, 0) ? vm : NULL;
}

static void followed(struct conf *conf)
{
    static const char text[] = "# two reads of a device that counts, and a write between them\n"
                               "io read port=0x700 size=1 -> value=0x26\n"
                               "\n"
                               "io write port=0x702 size=2 value=0x1234\n"
                               "  mmio read gpa=0xd0000010 size=4 -> value=0x27\n"
                               "msr read index=0x12345 -> fault\n"
                               "io read port=0x900 size=2\n" /* whatever is answered */
                               "system-event event=power-off\n";
    struct conf_device device = {.answer = 0x26, .answer_step = 1};
    struct conf_vm *vm = scripted_vm(conf, text, &device);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    expect_halt(vm, NULL, VMR_HALT_POWER_OFF);
    CONF_CHECK(conf, !vmr_mock_script_error(conf_mock(vm), 0), "a departure: %s",
               vmr_mock_script_error(conf_mock(vm), 0));
    CONF_CHECK(conf, device.reads == 2 && device.writes == 1 && device.written[0] == 0x1234, "%u reads, %u writes",
               device.reads, device.writes);
}

static const struct {
    const char *name, *text;
    uint64_t line;
    const char *parts[3]; /* what the sentence must hold: the line, and both sides */
} departures[] = {
    {"another value",
     "io write port=0x700 size=1 value=0x1\nio read port=0x700 size=1 -> value=0x27\nsystem-event event=power-off\n",
     2,
     {"line 2", "value=0x26", "value=0x27"}},
    {"another value, in a string",
     "# ins\nio read port=0x700 size=1 count=2 string -> bytes=2726\nsystem-event event=power-off\n",
     2,
     {"line 2", "2626", "2726"}},
    {"no fault where one is due",
     "\n\nmsr read index=0x12345 -> value=0x5\nsystem-event event=power-off\n",
     3,
     {"line 3", "fault", "value=0x5"}},
    {"one more step", "io read port=0x700 size=1 -> value=0x26\n", 1, {"line 1", "ends here", "one more step"}},
    {"a step of no script at all", "# nothing\n", 0, {"line 0", "ends here", "one more step"}},
};

static void departed(struct conf *conf)
{
    for (size_t i = 0; i < sizeof(departures) / sizeof(departures[0]); i++) {
        struct conf_device device = {.answer = 0x26};
        struct conf_vm *vm = scripted_vm(conf, departures[i].text, &device);
        struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

        CONF_REQUIRE(conf, vm && conf_run(vm, 0, NULL, &result), "%s: no run", departures[i].name);
        CONF_CHECK(conf, result.reason == VMR_HALT_FATAL && result.exit.kind == VMR_EXIT_FAIL, "%s: the run ended: %s",
                   departures[i].name, outcome_name(&result));
        CONF_CHECK_EQ(conf, result.exit.u.fail.code, departures[i].line, departures[i].name);
        const char *said = vmr_mock_script_error(conf_mock(vm), 0);

        for (unsigned part = 0; part < 3; part++)
            CONF_CHECK(conf, said && strstr(said, departures[i].parts[part]), "%s: '%s' is not named in: %s",
                       departures[i].name, departures[i].parts[part], said ? said : "nothing");
        conf_vm_destroy(vm);
    }
}

static void malformed(struct conf *conf)
{
    static const struct {
        const char *text, *line, *part;
    } bad[] = {
        {"io reed port=0x700 size=1\n", "line 1", "reed"},
        {"# fine\nio read port=0x70000 size=1\n", "line 2", "0x70000"},
        {"halt\n\nio read port=0x700\n", "line 3", "size"},
        {"io read port=0x700 size=3\n", "line 1", "column"},
        {"halt\nfrobnicate\n", "line 2", "frobnicate"},
        {"io read port=0x700 size=1 -> valu=0x1\n", "line 1", "valu"},
        {"io read port=0x700 size=1 value=\n", "line 1", "value"},
        {"cpuid leaf=0x1ffffffff\n", "line 1", "0x1ffffffff"},
    };
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_error err;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (struct vmr_error){.message = ""};
        CONF_CHECK(conf,
                   vmr_mock_load_script(conf_mock(vm), 0, bad[i].text, strlen(bad[i].text), &err) == VMR_E_CORRUPT,
                   "script %zu was taken", i);
        CONF_CHECK(conf, strstr(err.message, bad[i].line) && strstr(err.message, bad[i].part),
                   "script %zu: '%s' and '%s' are not named in: %s", i, bad[i].line, bad[i].part, err.message);
    }
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_script_that_is_followed_says_nothing",
     .family = "script",
     .ids = "S24",
     .clauses = "MOCK-3 MOCK-1",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = followed},
    {.name = "a_departure_from_a_script_names_line_and_both_sides",
     .family = "script",
     .ids = "S24",
     .clauses = "MOCK-3 EXIT-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = departed},
    {.name = "a_malformed_script_is_refused_by_line_and_word",
     .family = "script",
     .clauses = "MOCK-3 ERR-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = malformed},
};

CONF_FAMILY(script, scenarios);
