/* SPDX-License-Identifier: MIT */
/*
 * A SynIC of two VPs and two VTLs under any sequence of what guests and hosts
 * do to it: registers, messages, events, ports that come and go, the monitor
 * page, time that jumps, memory that is taken away. A poll raises a bounded
 * number of interrupts, a second one at the same time none, and asks to be
 * asked again only later; each port is released once.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "fuzz/support/lone_host.h"
#include "vmrig/limits.h"
#include "vmrig/synic.h"

#define PAGE_BYTES UINT64_C(4096)
#define RAM_PAGES 6u
#define VPS 2u
#define VTLS 2u
#define PORTS 4u
#define OPS_MAX 256u
/* Each SINT once and each timer once, for each VTL. */
#define RAISED_MAX (VTLS * (HV_SINT_COUNT + HV_STIMER_COUNT))

struct rig {
    struct lone_host lone;
    struct input input;
    struct vmr_memory *memory;
    struct vmr_synic *synic;
    struct vmr_synic_port *ports[PORTS];
    struct vmr_guest_message_port *message_port;
    struct vmr_guest_event_port *event_port;
    unsigned added, released, interrupts;
    bool trapped, ram_removed;
    vmr_gpa trapped_gpa;
};

/* --- the embedder --- */

static void on_interrupt(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    struct rig *rig = context;

    (void)auto_eoi;
    FUZZ_CHECK(vp < VPS && vtl < VTLS && vector >= HV_SINT_VECTOR_MIN);
    rig->interrupts++;
}

static void on_wake(void *context, vmr_vp_index vp)
{
    (void)context;
    FUZZ_CHECK(vp < VPS);
}

static bool on_tsc(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    FUZZ_CHECK(vp < VPS);
    *ret_tsc = 3 * ((struct rig *)context)->lone.now_ns;
    return true;
}

static enum vmr_status on_trap(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    struct rig *rig = context;

    FUZZ_CHECK(!rig->trapped && gpa % PAGE_BYTES == 0);
    if ((input_u8(&rig->input) & 7) == 7)
        return vmr_error_set(err, VMR_E_HOST, "no trap today");
    rig->trapped = true;
    rig->trapped_gpa = gpa;
    return VMR_OK;
}

static void on_untrap(void *context, vmr_gpa gpa)
{
    struct rig *rig = context;

    FUZZ_CHECK(rig->trapped && gpa == rig->trapped_gpa);
    rig->trapped = false;
}

static enum vmr_status on_allocate(void *context, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    struct rig *rig = context;

    if ((input_u8(&rig->input) & 7) == 7)
        return vmr_error_set(err, VMR_E_NOMEM, "no page today");
    *ret_gpa = 64 * PAGE_BYTES;
    return VMR_OK;
}

static void on_free(void *context, vmr_gpa gpa)
{
    (void)context;
    FUZZ_CHECK(gpa == 64 * PAGE_BYTES);
}

static enum vmr_status on_event_add(void *context, uint32_t connection_id, uint8_t minimum_vtl, intptr_t os_event,
                                    void **ret_token, struct vmr_error *err)
{
    struct rig *rig = context;
    uint8_t answer = input_u8(&rig->input) & 3;

    (void)connection_id, (void)minimum_vtl, (void)os_event;
    if (answer == 3)
        return vmr_error_set(err, VMR_E_HOST, "no event today");
    if (answer == 2)
        return VMR_E_UNSUPPORTED;
    *ret_token = rig;
    return VMR_OK;
}

static void on_event_remove(void *context, void *token)
{
    FUZZ_CHECK(token == context);
}

/* --- host ports --- */

static void remove_port(struct rig *rig, unsigned index)
{
    struct vmr_synic_port *port = rig->ports[index];

    rig->ports[index] = NULL;
    vmr_synic_port_remove(port);
}

/* A port may go in the middle of its own call. */
static bool act_in_call(struct rig *rig)
{
    uint8_t action = input_u8(&rig->input);

    if (action >= 0xf8)
        remove_port(rig, action % PORTS);
    return (action & 1) == 0;
}

static bool on_post(void *context, const void *payload, size_t length, bool trusted)
{
    uint8_t copy[HV_MESSAGE_PAYLOAD_MAX];

    (void)trusted;
    FUZZ_CHECK(length <= sizeof(copy));
    if (length > 0)
        memcpy(copy, payload, length);
    return act_in_call(context);
}

static void on_signal(void *context, uint16_t flag)
{
    (void)flag; /* the guest's choice, any number */
    (void)act_in_call(context);
}

static void on_release(void *context)
{
    ((struct rig *)context)->released++;
}

static void add_port(struct rig *rig)
{
    uint8_t form = input_u8(&rig->input);
    unsigned index = form % PORTS;
    uint32_t id = input_u8(&rig->input) % 8u;
    const struct vmr_message_port message = {id, form >> 6 & 1, on_post, on_release, rig};
    const struct vmr_event_port event = {
        .connection_id = id,
        .minimum_vtl = form >> 6 & 1,
        .has_os_event = (form & 8) != 0,
        .has_monitor = (form & 16) != 0,
        .monitor_id = (form & 16) ? input_u8(&rig->input) : 0,
        .signal = on_signal,
        .release = on_release,
        .context = rig,
    };

    if (rig->ports[index])
        return;
    enum vmr_status status = (form & 4) ? vmr_synic_message_port_add(rig->synic, &message, &rig->ports[index], NULL)
                                        : vmr_synic_event_port_add(rig->synic, &event, &rig->ports[index], NULL);

    rig->added += status == VMR_OK;
}

/* --- what can be done --- */

static vmr_vp_index take_vp(struct rig *rig)
{
    uint8_t vp = input_u8(&rig->input);

    return vp == UINT8_MAX ? UINT32_MAX : vp % (VPS + 1);
}

static struct vmr_synic_target take_target(struct rig *rig)
{
    vmr_vp_index vp = take_vp(rig);
    uint8_t where = input_u8(&rig->input);

    return (struct vmr_synic_target){.vp = vp, .vtl = where >> 5 & 3, .sint = where & 0x1f};
}

static uint32_t take_msr(struct rig *rig)
{
    static const uint32_t singles[] = {
        HV_MSR_TIME_REF_COUNT, HV_MSR_REFERENCE_TSC, HV_MSR_SCONTROL, HV_MSR_SVERSION, HV_MSR_SIEFP,
        HV_MSR_SIMP,           HV_MSR_EOM,           0x40000085u,     0x400000a0u,     0x400000b8u,
    };
    uint8_t form = input_u8(&rig->input);

    if (form < 0x20)
        return HV_MSR_SINT0 + form % HV_SINT_COUNT;
    if (form < 0x40)
        return HV_MSR_STIMER0_CONFIG + form % 8u;
    return form == UINT8_MAX ? input_u32(&rig->input) : singles[form % (sizeof(singles) / sizeof(singles[0]))];
}

/* Pages of RAM, enabled; or what a register may hold as well. */
static uint64_t take_value(struct rig *rig, uint32_t msr)
{
    uint8_t form = input_u8(&rig->input);

    if (form >= 0xf0)
        return input_u64(&rig->input);
    if (msr == HV_MSR_SIEFP || msr == HV_MSR_SIMP || msr == HV_MSR_REFERENCE_TSC)
        return (form % 8u) * PAGE_BYTES | (form & 8 ? 0 : HV_PAGE_ENABLE);
    if (msr >= HV_MSR_SINT0 && msr < HV_MSR_SINT0 + HV_SINT_COUNT)
        return (0x10u + form % 16u) | (uint64_t)(form >> 4) << 16;
    if (msr >= HV_MSR_STIMER0_CONFIG && (msr & 1) == 0)
        return (form & 0xfu) | (uint64_t)(form & 0x10 ? 0x1300u : 0) | (uint64_t)(form >> 5) << HV_STIMER_SINT_SHIFT;
    return input_number(&rig->input);
}

/* Asks twice. */
static void poll_vp(struct rig *rig, vmr_vp_index vp)
{
    rig->interrupts = 0;
    uint64_t next_ns = vmr_synic_poll(rig->synic, vp, rig->lone.now_ns);

    FUZZ_CHECK(rig->interrupts <= RAISED_MAX);
    FUZZ_CHECK(next_ns > rig->lone.now_ns);
    rig->interrupts = 0;
    FUZZ_CHECK(vmr_synic_poll(rig->synic, vp, rig->lone.now_ns) == next_ns);
    FUZZ_CHECK(rig->interrupts == 0);
}

static void access_msr(struct rig *rig, bool write)
{
    vmr_vp_index vp = take_vp(rig) % VPS;
    uint32_t msr = take_msr(rig);
    uint8_t vtl = msr & 0x40000000u ? input_u8(&rig->input) % VTLS : 0;
    uint64_t value = 0;

    if (write)
        (void)vmr_synic_msr_write(rig->synic, vp, vtl, msr, take_value(rig, msr));
    else
        (void)vmr_synic_msr_read(rig->synic, vp, vtl, msr, &value);
}

static void send_message(struct rig *rig)
{
    static const uint8_t payload[HV_MESSAGE_PAYLOAD_MAX] = {1};
    const struct vmr_synic_target target = take_target(rig);
    uint32_t type = input_u8(&rig->input) % 4u;
    const struct vmr_synic_message message = {
        .type = type, .origin = 7, .payload = payload, .length = input_u8(&rig->input)};
    enum vmr_status status = vmr_synic_post_message(rig->synic, &target, &message);

    if (message.type == 0 || message.length > HV_MESSAGE_PAYLOAD_MAX || target.vp >= VPS || target.vtl >= VTLS ||
        target.sint >= HV_SINT_COUNT)
        FUZZ_CHECK(status == VMR_E_USAGE);
    else
        FUZZ_CHECK(status == VMR_OK || status == VMR_E_STATE);
}

static void send_event(struct rig *rig)
{
    const struct vmr_synic_target target = take_target(rig);

    (void)vmr_synic_signal_event(rig->synic, &target, (uint16_t)input_number(&rig->input));
}

static void guest_sends(struct rig *rig)
{
    static const uint8_t payload[HV_MESSAGE_PAYLOAD_MAX + 1] = {2};
    uint8_t form = input_u8(&rig->input);
    uint32_t id = form >= 0xf0 ? input_u32(&rig->input) : form % 8u;
    uint8_t vtl = form >> 3 & 1;

    if (form & 0x10)
        (void)vmr_synic_guest_post(rig->synic, vtl, id, payload, input_u8(&rig->input) % (sizeof(payload) + 1));
    else
        (void)vmr_synic_guest_signal(rig->synic, vtl, id, (uint16_t)input_number(&rig->input));
}

static void use_guest_message_port(struct rig *rig)
{
    const struct vmr_synic_target target = take_target(rig);
    uint8_t form = input_u8(&rig->input);

    if (!rig->message_port)
        FUZZ_ANY(vmr_guest_message_port_create(rig->synic, &target, &rig->message_port, NULL));
    if (!rig->message_port)
        return;
    if (form & 1)
        vmr_guest_message_port_set_target_vp(rig->message_port, target.vp);
    FUZZ_ANY(vmr_guest_message_port_post(rig->message_port, form, &form, sizeof(form)));
    if (form & 2) {
        vmr_guest_message_port_destroy(rig->message_port);
        rig->message_port = NULL;
    }
}

static void use_guest_event_port(struct rig *rig)
{
    const struct vmr_synic_target target = take_target(rig);
    uint8_t form = input_u8(&rig->input);
    uint16_t flag = (uint16_t)input_number(&rig->input);

    if (!rig->event_port)
        FUZZ_ANY(vmr_guest_event_port_create(rig->synic, &target, flag, &rig->event_port, NULL));
    if (!rig->event_port)
        return;
    if (form & 1)
        vmr_guest_event_port_set_target_vp(rig->event_port, target.vp);
    if (form & 2)
        FUZZ_ANY(vmr_guest_event_port_set(rig->event_port, form & 4 ? &target : NULL, flag, NULL));
    (void)vmr_guest_event_port_signal(rig->event_port);
    if (form & 8) {
        vmr_guest_event_port_destroy(rig->event_port);
        rig->event_port = NULL;
    }
}

static void move_monitor(struct rig *rig)
{
    uint8_t form = input_u8(&rig->input);
    const vmr_gpa gpa = form >= 0xf0 ? input_number(&rig->input) : form % 8u * PAGE_BYTES;
    struct vmr_monitor_page_gpas gpas;

    if (form % 4u == 3)
        FUZZ_ANY(vmr_synic_monitor_allocate_page(rig->synic, form >> 7, &gpas, NULL));
    else
        FUZZ_ANY(vmr_synic_monitor_set_page(rig->synic, form >> 7, form % 4u == 2 ? NULL : &gpa, NULL));
}

static void use_monitor(struct rig *rig)
{
    uint8_t form = input_u8(&rig->input);
    uint64_t value = input_number(&rig->input);
    size_t length = 1u + form % 8u;
    vmr_gpa gpa = form & 0x40 ? input_number(&rig->input) : rig->trapped_gpa + (form >> 3 & 7) * 8u;

    if (form & 0x80)
        vmr_synic_monitor_write_bit(rig->synic, 0, (uint32_t)value);
    else if (vmr_synic_monitor_write(rig->synic, 0, gpa, &value, length))
        FUZZ_CHECK(rig->trapped && vmr_synic_monitor_read(rig->synic, gpa, &value, length));
}

static void change_time(struct rig *rig)
{
    uint8_t form = input_u8(&rig->input);

    if (form >= 0xf0)
        vmr_synic_time_set(rig->synic, input_number(&rig->input));
    else if (form >= 0xe0)
        (form & 1) ? vmr_synic_time_pause(rig->synic) : vmr_synic_time_resume(rig->synic);
    else
        (void)vmr_synic_time(rig->synic);
}

/* A step of any size; a host's clock does not wrap within its life. */
static void advance_clock(struct rig *rig)
{
    uint64_t step = input_number(&rig->input), left = UINT64_MAX / 2 - rig->lone.now_ns;

    rig->lone.now_ns += step < left ? step : left;
}

static void guest_writes(struct rig *rig)
{
    uint8_t value = input_u8(&rig->input), page = input_u8(&rig->input) % RAM_PAGES, slot = input_u8(&rig->input);

    FUZZ_ANY(vmr_memory_fill(rig->memory, page * PAGE_BYTES + slot % HV_SINT_COUNT * HV_MESSAGE_BYTES, value, 8));
}

static void change_memory(struct rig *rig)
{
    const struct vmr_memory_region high = {.gpa = (RAM_PAGES / 2) * PAGE_BYTES, .size = RAM_PAGES / 2 * PAGE_BYTES};

    enum vmr_status status = rig->ram_removed ? vmr_memory_region_add(rig->memory, &high, NULL)
                                              : vmr_memory_region_remove(rig->memory, high.gpa, NULL);

    FUZZ_CHECK(status == VMR_OK);
    rig->ram_removed = !rig->ram_removed;
}

/* Long because it is a table of all that can be done to a SynIC. */
static void act(struct rig *rig)
{
    switch (input_u8(&rig->input) % 20u) {
    case 0:
    case 1:
    case 2:
    case 3:
        access_msr(rig, true);
        break;
    case 4:
        access_msr(rig, false);
        break;
    case 5:
    case 6:
        advance_clock(rig);
        break;
    case 7:
        poll_vp(rig, input_u8(&rig->input) % VPS);
        break;
    case 8:
        send_message(rig);
        break;
    case 9:
        send_event(rig);
        break;
    case 10:
        guest_sends(rig);
        break;
    case 11:
        add_port(rig);
        break;
    case 12:
        remove_port(rig, input_u8(&rig->input) % PORTS);
        break;
    case 13:
        use_guest_message_port(rig);
        break;
    case 14:
        use_guest_event_port(rig);
        break;
    case 15:
        move_monitor(rig);
        break;
    case 16:
        use_monitor(rig);
        break;
    case 17:
        change_time(rig);
        break;
    case 18:
        guest_writes(rig);
        break;
    default:
        input_u8(&rig->input) < 0xe0 ? change_memory(rig) : vmr_synic_reset(rig->synic);
        break;
    }
}

static void rig_init(struct rig *rig)
{
    static const struct vmr_synic_host_events events = {
        .add = on_event_add, .remove = on_event_remove, .preferred = true};
    static const struct vmr_synic_monitor_ops monitor = {
        .trap = on_trap, .untrap = on_untrap, .allocate = on_allocate, .free = on_free};
    const struct vmr_memory_region low = {.gpa = 0, .size = RAM_PAGES / 2 * PAGE_BYTES};

    lone_host_init(&rig->lone);
    FUZZ_CHECK(vmr_memory_create(&rig->lone.host, &rig->memory, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_region_add(rig->memory, &low, NULL) == VMR_OK);
    rig->ram_removed = true;
    change_memory(rig);
    bool without_events = input_choose(&rig->input, 4) == 3;
    bool without_monitor = input_choose(&rig->input, 4) == 3;
    bool without_tsc = input_choose(&rig->input, 4) == 3;
    const struct vmr_synic_options options = {
        .host = &rig->lone.host,
        .memory = rig->memory,
        .vp_count = VPS,
        .vtl_count = VTLS,
        .context = rig,
        .interrupt = on_interrupt,
        .wake = on_wake,
        .host_events = without_events ? NULL : &events,
        .monitor = without_monitor ? NULL : &monitor,
        .tsc_hz = without_tsc ? 0 : UINT64_C(3000000000),
        .tsc = on_tsc,
    };

    FUZZ_CHECK(vmr_synic_create(&options, &rig->synic, NULL) == VMR_OK);
}

/* Handles to ports may be given back after the SynIC is gone. */
static void rig_finish(struct rig *rig)
{
    vmr_synic_destroy(rig->synic);
    FUZZ_CHECK(rig->released == rig->added && !rig->trapped);
    for (unsigned i = 0; i < PORTS; i++)
        vmr_synic_port_remove(rig->ports[i]);
    vmr_guest_message_port_destroy(rig->message_port);
    vmr_guest_event_port_destroy(rig->event_port);
    FUZZ_CHECK(rig->released == rig->added);
    vmr_memory_destroy(rig->memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {.input = input_of(data, size)};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    rig_init(&rig);
    for (unsigned i = 0; i < OPS_MAX && !input_is_empty(&rig.input); i++)
        act(&rig);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        poll_vp(&rig, vp);
    rig_finish(&rig);
    return 0;
}
