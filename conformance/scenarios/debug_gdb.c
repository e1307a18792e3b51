/* SPDX-License-Identifier: MIT */
/*
 * GDB's stub over the VPs of a set: what its packets do to a guest, told by the
 * packets that come back. The scenario is the GDB.
 */

#include <stdio.h>
#include <string.h>

#include "conformance/scenarios/vpset_vm.h"

#define SENT_MAX 8192u
#define PACKET_BYTES 64u

struct debugger {
    struct vpset_vm group;
    struct vmr_gdb *gdb;
    size_t sent_length;
    char sent[SENT_MAX + 1]; /* since the last packet was given */
};

static void keep(void *context, const uint8_t *bytes, size_t length)
{
    struct debugger *debugger = context;
    size_t room = SENT_MAX - debugger->sent_length;

    CONF_CHECK(debugger->group.vm->conf, length <= room, "more is sent than fits");
    memcpy(debugger->sent + debugger->sent_length, bytes, length < room ? length : room);
    debugger->sent_length += length < room ? length : room;
    debugger->sent[debugger->sent_length] = '\0';
}

static bool debugger_begin(struct debugger *debugger, struct conf *conf, const struct vmr_program *const *programs)
{
    static const struct conf_vm_options two = {.vps = 2, .without_chip = true};
    struct vmr_gdb_options options = {.send = keep, .context = debugger};
    struct vmr_error err = {.message = ""};

    *debugger = (struct debugger){.gdb = NULL};
    if (!vpset_begin(&debugger->group, conf, &two, programs))
        return false;
    options.set = debugger->group.set;
    CONF_CHECK(conf, vmr_gdb_create(&options, &debugger->gdb, &err) == VMR_OK, "no stub: %s", err.message);
    return debugger->gdb != NULL;
}

static void debugger_end(struct debugger *debugger)
{
    vmr_gdb_destroy(debugger->gdb);
    vpset_end(&debugger->group);
}

static enum vmr_gdb_state give(struct debugger *debugger, const char *payload)
{
    char frame[PACKET_BYTES + 8];
    uint8_t sum = 0;

    for (const char *at = payload; *at; at++)
        sum = (uint8_t)(sum + (uint8_t)*at);
    int length = snprintf(frame, sizeof(frame), "$%s#%02x", payload, sum);

    debugger->sent_length = 0;
    debugger->sent[0] = '\0';
    return vmr_gdb_receive(debugger->gdb, (const uint8_t *)frame, (size_t)length);
}

/* Whether what was sent is an acknowledgement, unless the answer came late, and a packet that begins with `answer`. */
static bool has_sent(const struct debugger *debugger, const char *answer)
{
    const char *at = strchr(debugger->sent, '$');

    return at && strncmp(at + 1, answer, strlen(answer)) == 0;
}

static void exchange(struct debugger *debugger, const char *payload, const char *answer)
{
    enum vmr_gdb_state state = give(debugger, payload);

    CONF_CHECK(debugger->group.vm->conf, state == VMR_GDB_STOPPED && has_sent(debugger, answer), "%s: %s, not %s",
               payload, debugger->sent, answer);
}

/* Takes the halt to the stub. False: failed. */
static bool take_halt(struct debugger *debugger, const char *answer)
{
    struct vmr_vp_set_halt halt = vpset_wait(&debugger->group);

    (void)vmr_gdb_halted(debugger->gdb, &halt);
    CONF_CHECK(debugger->group.vm->conf, has_sent(debugger, answer), "%s, not %s", debugger->sent, answer);
    return !conf_failed(debugger->group.vm->conf);
}

static bool run_to(struct debugger *debugger, const char *payload, const char *answer)
{
    CONF_CHECK(debugger->group.vm->conf, give(debugger, payload) == VMR_GDB_RUNNING, "%s: %s, and nothing runs",
               payload, debugger->sent);
    return !conf_failed(debugger->group.vm->conf) && take_halt(debugger, answer);
}

static enum vmr_status read_rip(void *rip, struct vmr_vp *vp)
{
    struct vmr_x86_regs regs = {0};
    enum vmr_status status = vmr_vp_get_regs(vp, &regs);

    *(uint64_t *)rip = regs.rip;
    return status;
}

static uint64_t rip_of(struct debugger *debugger, vmr_vp_index vp)
{
    uint64_t rip = 0;

    CONF_CHECK_EQ(debugger->group.vm->conf, vmr_vp_set_call(debugger->group.set, vp, read_rip, &rip), VMR_OK,
                  "registers");
    return rip;
}

/* A program's code maps all addresses to themselves; the mock has none, and so no tables. Two of them, for 1 GiB. */
static void map_on_mock(const struct conf_vm *vm)
{
    if (!vm->conf->is_mock)
        return;
    guest_word_set(vm, 0, 0x1003);
    guest_word_set(vm, 0x1000, 0x83);
}

#define SEEN 0x5eedu
CONF_PROGRAM(nops, VMR_STORE(WORD_SEEN, 4, SEEN), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(),
             VMR_STORE(WORD_PAST, 4, 1), VMR_END());
CONF_PROGRAM(other, VMR_STORE(VP_WORD(WORD_SEEN, 1), 4, 1), VMR_SPIN());

/* Steps VP 0 to where its program's first NOP is next: what stands before the program is the assembler's. */
static bool step_to_nops(struct debugger *debugger)
{
    for (unsigned i = 0; i < 2000 && guest_word(debugger->group.vm, WORD_SEEN) != SEEN; i++) {
        if (!run_to(debugger, "vCont;s:1", "T05thread:1;"))
            return false;
    }
    CONF_CHECK_EQ(debugger->group.vm->conf, guest_word(debugger->group.vm, WORD_SEEN), SEEN, "the word");
    return !conf_failed(debugger->group.vm->conf);
}

static uint64_t nop_bytes(const struct conf *conf)
{
    return conf->is_mock ? VMR_MOCK_STEP_BYTES : 1;
}

static void steps(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&nops, &other};
    struct debugger debugger;
    char request[PACKET_BYTES];

    if (debugger_begin(&debugger, conf, programs)) {
        map_on_mock(debugger.group.vm);
        exchange(&debugger, "?", "T05thread:1;");
        if (step_to_nops(&debugger)) {
            uint64_t start = rip_of(&debugger, 0);

            for (unsigned i = 1; i <= 3 && run_to(&debugger, "vCont;s:1", "T05thread:1;"); i++)
                CONF_CHECK_EQ(conf, rip_of(&debugger, 0) - start, i * nop_bytes(conf), "how far");
        }
        (void)snprintf(request, sizeof(request), "m%x,4", WORD_SEEN);
        exchange(&debugger, request, "ed5e0000#");
        CONF_CHECK_EQ(conf, guest_word(debugger.group.vm, VP_WORD(WORD_SEEN, 1)), 0, "what the held VP stored");
        (void)run_to(&debugger, "c", "W00");
        CONF_CHECK_EQ(conf, guest_word(debugger.group.vm, WORD_PAST), 1, "the word behind");
    }
    debugger_end(&debugger);
}

static void breaks(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&nops, &other};
    struct debugger debugger;
    char request[PACKET_BYTES];

    if (debugger_begin(&debugger, conf, programs)) {
        if (step_to_nops(&debugger)) {
            uint64_t address = rip_of(&debugger, 0) + 2 * nop_bytes(conf);

            (void)snprintf(request, sizeof(request), "Z1,%llx,1", (unsigned long long)address);
            exchange(&debugger, "qSupported:hwbreak+", "PacketSize=");
            exchange(&debugger, request, "OK");
            (void)run_to(&debugger, "c", "T05thread:1;hwbreak:;#");
            CONF_CHECK_EQ(conf, rip_of(&debugger, 0), address, "where");
            request[0] = 'z';
            exchange(&debugger, request, "OK");
            (void)run_to(&debugger, "c", "W00");
        }
    }
    debugger_end(&debugger);
}

CONF_PROGRAM(counts, VMR_ADD(0, 1), VMR_STORE_VAR(VP_WORD(WORD_SEEN, 0), 4, 0), VMR_JUMP(0));
CONF_PROGRAM(counts_too, VMR_ADD(0, 1), VMR_STORE_VAR(VP_WORD(WORD_SEEN, 1), 4, 0), VMR_JUMP(0));

/* Ctrl-C: the VPs run, and then both stand still before GDB is told; what comes in between is not heard. */
static void interrupts(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&counts, &counts_too};
    static const uint8_t interrupt[] = {'-', '+', 3};
    struct debugger debugger;

    if (debugger_begin(&debugger, conf, programs)) {
        const struct conf_vm *vm = debugger.group.vm;

        CONF_CHECK(conf, give(&debugger, "c") == VMR_GDB_RUNNING, "nothing runs");
        CONF_CHECK(conf, guest_word_wait(vm, VP_WORD(WORD_SEEN, 0), 1) && guest_word_wait(vm, VP_WORD(WORD_SEEN, 1), 1),
                   "a guest does not run");
        CONF_CHECK(conf, give(&debugger, "?") == VMR_GDB_RUNNING && debugger.sent_length == 0, "a packet was heard");
        (void)vmr_gdb_receive(debugger.gdb, interrupt, sizeof(interrupt));
        if (take_halt(&debugger, "T02thread:1;#")) {
            uint32_t first = guest_word(vm, VP_WORD(WORD_SEEN, 0)), second = guest_word(vm, VP_WORD(WORD_SEEN, 1));

            for (unsigned i = 0; i < 20; i++)
                exchange(&debugger, "?", "T02thread:1;#");
            CONF_CHECK_EQ(conf, guest_word(vm, VP_WORD(WORD_SEEN, 0)), first, "the first VP's word");
            CONF_CHECK_EQ(conf, guest_word(vm, VP_WORD(WORD_SEEN, 1)), second, "the second VP's word");
        }
    }
    debugger_end(&debugger);
}

static void give_bytes(struct debugger *debugger, const char *bytes, const char *sent)
{
    debugger->sent_length = 0;
    debugger->sent[0] = '\0';
    enum vmr_gdb_state state = vmr_gdb_receive(debugger->gdb, (const uint8_t *)bytes, strlen(bytes));

    CONF_CHECK(debugger->group.vm->conf, state == VMR_GDB_STOPPED && strcmp(debugger->sent, sent) == 0,
               "%s: %s, not %s", bytes, debugger->sent, sent);
}

static void any_bytes(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&nops, &other};
    struct debugger debugger;

    if (debugger_begin(&debugger, conf, programs)) {
        give_bytes(&debugger, "$qC#b4", "+$QC1#c5");
        give_bytes(&debugger, "-", "$QC1#c5");          /* once more */
        give_bytes(&debugger, "$qC#b5", "-");           /* damaged */
        give_bytes(&debugger, "$qC$qC#b4", "+$QC1#c5"); /* cut short */
        give_bytes(&debugger, "nothing at all", "");    /* no packet */
        give_bytes(&debugger, "$unknown#10", "+$#00");  /* whole, and nobody knows it */
        give_bytes(&debugger, "$mffffffffffffffff,ffffffffffffffff#59", "+$E0e#da");
        for (unsigned i = 0; i < 3 * VMR_GDB_PACKET_MAX; i++) /* longer than any packet */
            give_bytes(&debugger, i == 0 ? "$" : "a", "");
        give_bytes(&debugger, "a#0", "");
        give_bytes(&debugger, "0$qC#b4", "+$E5a#db+$QC1#c5");
        CONF_CHECK_EQ(conf, guest_word(debugger.group.vm, WORD_SEEN), 0, "what the guest stored");
    }
    debugger_end(&debugger);
}

static const struct conf_scenario scenarios[] = {
    {.name = "gdb_steps_one_vp_while_the_other_stands_still",
     .family = "debug",
     .clauses = "DBG-5 SET-8",
     .needs = CONF_CAP(SINGLE_STEP),
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = steps},
    {.name = "gdb_is_told_of_the_breakpoint_that_was_hit",
     .family = "debug",
     .clauses = "DBG-5 DBG-1",
     .needs = CONF_CAP(SINGLE_STEP) | CONF_CAP(HW_BREAKPOINT),
     .quirks = CONF_QUIRK_HW_BREAKPOINT,
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = breaks},
    {.name = "gdb_interrupts_all_vps",
     .family = "debug",
     .clauses = "DBG-5 SET-1",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = interrupts},
    {.name = "gdb_may_send_any_bytes",
     .family = "debug",
     .clauses = "DBG-6",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = any_bytes},
};

CONF_FAMILY(debug_gdb, scenarios);
