/* SPDX-License-Identifier: MIT */
/* What waits: found in the states that hold it, and in no others. */

#include "lib/snapshot/waiting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vmrig/device_state.h"
#include "vmrig/host.h"
#include "vmrig/hv_state.h"
#include "vmrig/irqchip.h"

struct text {
    char bytes[8192];
    size_t length;
};

static void append(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    assert_true(text->length + length < sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static const char *printed(const struct waiting *waiting, bool json, struct text *ret_text)
{
    const struct vmr_text_sink sink = {.write = append, .context = ret_text};
    struct printing printing = {.sink = &sink, .json = json};

    *ret_text = (struct text){.length = 0};
    waiting_print(waiting, &printing);
    return ret_text->bytes;
}

static void note(struct waiting *waiting, struct vmr_snapshot_state state, enum vmr_vp_class vp_class,
                 const void *value)
{
    state.scope = VMR_SNAPSHOT_VP;
    state.type = vmr_vp_class_type(vp_class);
    state.value = value;
    assert_true(waiting_note(waiting, &state));
}

static void queues_and_timers_of_vps_are_found(void **state)
{
    static struct vmr_hv_queue_state queue, empty;
    static const struct vmr_hv_stimers_state stimers = {
        .timers = {{.config = HV_STIMER_ENABLE, .count = 5, .due = 0x77},
                   {.config = HV_STIMER_ENABLE, .count = 0, .due = 0x78},               /* no count */
                   {.config = HV_STIMER_ENABLE, .count = 9, .due = 0, .changed = true}, /* armed at the entry */
                   {.config = HV_STIMER_ENABLE, .count = 6, .due = 0x79, .stalled = true}}};
    static const struct vmr_hv_stimers_state off = {.timers = {{.config = HV_STIMER_PERIODIC, .count = 5}}};
    static const struct vmr_x86_word_state deadline = {.value = 0x1234}, none = {.value = 0};
    static struct vmr_x86_apic_state running = {.timer_ns = 500}, stopped = {.timer_ns = VMR_NEVER};
    struct waiting waiting = {0};
    struct text text;

    (void)state;
    queue.count = 3;
    note(&waiting, (struct vmr_snapshot_state){.vp = 1, .vtl = 2, .instance = 4}, VMR_VP_MESSAGE_QUEUE, &queue);
    note(&waiting, (struct vmr_snapshot_state){.vp = 1, .vtl = 2, .instance = 5}, VMR_VP_MESSAGE_QUEUE, &empty);
    note(&waiting, (struct vmr_snapshot_state){.vp = 1}, VMR_VP_STIMERS, &stimers);
    note(&waiting, (struct vmr_snapshot_state){.vp = 1}, VMR_VP_STIMERS, &off);
    note(&waiting, (struct vmr_snapshot_state){.vp = 2}, VMR_VP_TSC_DEADLINE, &deadline);
    note(&waiting, (struct vmr_snapshot_state){.vp = 3}, VMR_VP_TSC_DEADLINE, &none);
    note(&waiting, (struct vmr_snapshot_state){.vp = 2}, VMR_VP_APIC, &running);
    note(&waiting, (struct vmr_snapshot_state){.vp = 3}, VMR_VP_APIC, &stopped);
    assert_string_equal(printed(&waiting, false, &text),
                        "queue vp=1 vtl=2 sint=4 messages=3\n"
                        "timer name=\"stimer\" vp=1 vtl=0 index=0 clock=\"reference-time\" due=0x77\n"
                        "timer name=\"stimer\" vp=1 vtl=0 index=2 clock=\"reference-time\" due=0x9\n"
                        "timer name=\"stimer-stalled\" vp=1 vtl=0 index=3 clock=\"reference-time\" due=0x79\n"
                        "timer name=\"tsc-deadline\" vp=2 vtl=0 index=0 clock=\"tsc\" due=0x1234\n"
                        "timer name=\"apic\" vp=2 vtl=0 index=0 clock=\"ns-left\" due=0x1f4\n");
    waiting_finish(&waiting);
    assert_string_equal(printed(&waiting, true, &text), ",\"queues\":[],\"timers\":[]");
}

static void local_apics_of_the_library_are_found(void **state)
{
    static const struct vmr_state_type lapic = {.name = "lapic", .size = sizeof(struct vmr_lapic_state)},
                                       other = {.name = "lapic", .size = 4};
    static const struct vmr_lapic_state running = {.timer_due_ns = 16}, stopped = {.timer_due_ns = VMR_NEVER};
    struct vmr_snapshot_state apic = {.scope = VMR_SNAPSHOT_DEVICE, .instance = 3, .type = &lapic, .value = &running};
    struct waiting waiting = {0};
    struct text text;

    (void)state;
    assert_true(waiting_note(&waiting, &apic));
    apic.value = &stopped;
    assert_true(waiting_note(&waiting, &apic));
    apic.type = &other; /* another's, which has the name */
    assert_true(waiting_note(&waiting, &apic));
    assert_string_equal(printed(&waiting, true, &text),
                        ",\"queues\":[],\"timers\":[{\"name\":\"lapic\",\"vp\":3,\"vtl\":0,\"index\":0,"
                        "\"clock\":\"clock-ns\",\"due\":\"0x10\"}]");
    waiting_finish(&waiting);
}

static void many_are_kept(void **state)
{
    static const struct vmr_x86_word_state deadline = {.value = 1};
    struct waiting waiting = {0};

    (void)state;
    for (uint32_t vp = 0; vp < 1000; vp++)
        note(&waiting, (struct vmr_snapshot_state){.vp = vp}, VMR_VP_TSC_DEADLINE, &deadline);
    assert_int_equal(waiting.timer_count, 1000);
    for (uint32_t vp = 0; vp < 1000; vp++)
        assert_int_equal(waiting.timers[vp].vp, vp);
    waiting_finish(&waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_and_timers_of_vps_are_found),
        cmocka_unit_test(local_apics_of_the_library_are_found),
        cmocka_unit_test(many_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
