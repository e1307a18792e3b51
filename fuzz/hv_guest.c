/* SPDX-License-Identifier: MIT */
/*
 * Guests of one to three VPs and their VTLs that do anything with the Hyper-V
 * interface of a whole partition: registers, calls of all forms, pages, VTL
 * switches. At their checkpoints, and while all VPs are stopped, the host does
 * what hosts do: ports, messages, events, devices, memory, time, resets. Each
 * port is released once, each call is a caller's that exists, and a page that
 * a guest keeps to itself is nobody else's.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/hv_steps.h"
#include "fuzz/support/input.h"
#include "fuzz/support/mock_rig.h"
#include "vmrig/hv_device.h"
#include "vmrig/limits.h"

#define RUNS_MAX 24u
#define PORTS 4u

/* The last pages come and go. */
#define LOW_PAGES 12u
#define RAM_BYTES HV_STEPS_PAGE(LOW_PAGES)
#define HIGH_BYTES ((HV_STEPS_PAGES - LOW_PAGES) * (uint64_t)VMR_PAGE_SIZE)

struct guest {
    struct mock_rig rig;
    struct input input;
    struct vmr_hv_guest *hv;
    struct vmr_synic *synic;
    struct hv_steps programs[MOCK_RIG_VPS * VMR_VTL_COUNT]; /* of each VTL of each VP */
    struct vmr_synic_port *ports[PORTS];
    struct vmr_guest_event_port *event_port;
    struct vmr_msi msi;
    unsigned added, released;
    bool plugged, isolated, paused;
};

/* --- ports --- */

/* A port may go in the middle of its own call. */
static bool hear(struct guest *guest)
{
    uint8_t action = input_u8(&guest->input);

    if (action >= 0xf8) {
        struct vmr_synic_port *port = guest->ports[action % PORTS];

        guest->ports[action % PORTS] = NULL;
        vmr_synic_port_remove(port);
    }
    return (action & 1) == 0;
}

static bool on_post(void *context, const void *payload, size_t length, bool trusted)
{
    uint8_t copy[HV_MESSAGE_PAYLOAD_MAX];

    (void)trusted;
    FUZZ_CHECK(length <= sizeof(copy));
    if (length > 0)
        memcpy(copy, payload, length);
    return hear(context);
}

static void on_signal(void *context, uint16_t flag)
{
    (void)flag;
    (void)hear(context);
}

static void on_release(void *context)
{
    ((struct guest *)context)->released++;
}

static void change_port(struct guest *guest, uint32_t what)
{
    struct vmr_synic_port **port = &guest->ports[what % PORTS];
    uint32_t id = what >> 4 & 7;
    uint8_t minimum_vtl = (uint8_t)(what >> 8 & 3);
    const struct vmr_message_port message = {id, minimum_vtl, on_post, on_release, guest};
    const struct vmr_event_port event = {.connection_id = id,
                                         .minimum_vtl = minimum_vtl,
                                         .has_monitor = (what & 0x800) != 0,
                                         .monitor_id = what >> 12 & 0xff,
                                         .signal = on_signal,
                                         .release = on_release,
                                         .context = guest};

    if (*port) {
        vmr_synic_port_remove(*port);
        *port = NULL;
        return;
    }
    enum vmr_status status = what & 0x400 ? vmr_synic_message_port_add(guest->synic, &message, port, NULL)
                                          : vmr_synic_event_port_add(guest->synic, &event, port, NULL);

    guest->added += status == VMR_OK;
}

/* --- what a host does, on any thread --- */

static void send_to_sint(struct guest *guest, uint32_t what)
{
    static const uint8_t payload[HV_MESSAGE_PAYLOAD_MAX] = {1};
    const struct vmr_synic_target target = {.vp = what & 3, .vtl = what >> 2 & 3, .sint = what >> 4 & 0x1f};
    const struct vmr_synic_message message = {.type = what >> 9 & 3, .payload = payload, .length = what >> 11 & 0xff};

    if (what >> 31)
        (void)vmr_synic_signal_event(guest->synic, &target, (uint16_t)(what >> 9));
    else
        FUZZ_ANY(vmr_synic_post_message(guest->synic, &target, &message));
}

static void use_event_port(struct guest *guest, uint32_t what)
{
    const struct vmr_synic_target target = {.vp = what & 3, .vtl = what >> 2 & 3, .sint = what >> 4 & 0x1f};

    if (!guest->event_port)
        FUZZ_ANY(vmr_guest_event_port_create(guest->synic, &target, what >> 9 & 0xfff, &guest->event_port, NULL));
    else if (what >> 31)
        vmr_guest_event_port_set_target_vp(guest->event_port, what & 3);
    if (guest->event_port)
        (void)vmr_guest_event_port_signal(guest->event_port);
}

static void move_monitor(struct guest *guest, uint32_t what)
{
    const vmr_gpa gpa = HV_STEPS_PAGE(what >> 4 & (HV_STEPS_PAGES - 1));
    struct vmr_monitor_page_gpas gpas;

    if (what & 2)
        FUZZ_ANY(vmr_synic_monitor_allocate_page(guest->synic, what >> 2 & 3, &gpas, NULL));
    else
        FUZZ_ANY(vmr_synic_monitor_set_page(guest->synic, what >> 2 & 3, what & 1 ? NULL : &gpa, NULL));
}

static void change_memory(struct guest *guest, uint32_t what)
{
    const struct vmr_memory_region high = {
        .gpa = HV_STEPS_PAGE(LOW_PAGES), .size = HIGH_BYTES, .read_only = (what & 1) != 0, .vtl2 = (what & 2) != 0};
    enum vmr_status status = guest->plugged ? vmr_memory_region_remove(guest->rig.memory, high.gpa, NULL)
                                            : vmr_memory_region_add(guest->rig.memory, &high, NULL);

    FUZZ_CHECK(status == VMR_OK);
    guest->plugged = !guest->plugged;
}

/* A page that a guest keeps to itself, and no other page of RAM, is refused. */
static void touch_memory(struct guest *guest, uint32_t what)
{
    vmr_gpa gpa = HV_STEPS_PAGE(what & (HV_STEPS_PAGES - 1)) + (what >> 4 & 0xffu) * 8u;
    enum vmr_page_visibility visibility = VMR_PAGE_SHARED;
    bool hidden = vmr_partition_page_visibility(guest->rig.partition, gpa, &visibility) &&
                  visibility == VMR_PAGE_EXCLUSIVE && guest->isolated;
    bool is_there = (what & (HV_STEPS_PAGES - 1)) < LOW_PAGES || guest->plugged;
    enum vmr_status want = is_there && !hidden ? VMR_OK : VMR_E_GUEST;
    uint64_t word = 0;

    FUZZ_CHECK(vmr_memory_read(guest->rig.memory, gpa, &word, sizeof(word)) == want);
    word ^= what >> 12;
    if (what >> 31)
        FUZZ_CHECK(vmr_memory_write(guest->rig.memory, gpa, &word, sizeof(word)) == want);
}

static void change_pages(struct guest *guest, uint32_t what)
{
    struct vmr_partition *partition = guest->rig.partition;
    const struct vmr_page_range range = {.gpa = HV_STEPS_PAGE(what & (HV_STEPS_PAGES - 1)),
                                         .size = (1 + (what >> 4 & 3u)) * (uint64_t)VMR_PAGE_SIZE};
    uint8_t vtl = what >> 6 & 3;

    switch (what >> 8 & 3) {
    case 0:
        FUZZ_ANY(vmr_partition_modify_vtl_page_setting(partition, range.gpa / VMR_PAGE_SIZE, what >> 10 & 0x1fu, NULL));
        break;
    case 1:
        FUZZ_ANY(vmr_partition_vtl_unmap(partition, vtl, &range, NULL));
        break;
    default:
        FUZZ_ANY(vmr_partition_vtl_map(partition, vtl, &range, NULL));
        break;
    }
}

static void use_device(struct guest *guest, uint32_t what)
{
    struct vmr_hv_interrupt interrupt = {.vector = (uint8_t)(what >> 8), .multicast = (what & 0x10) != 0};

    vmr_hv_vp_set_init(&interrupt.vps, what >> 16);
    if ((what & 3) == 0)
        FUZZ_ANY(vmr_hv_guest_map_interrupt(guest->hv, what >> 2 & 1, &interrupt, &guest->msi, NULL));
    else if ((what & 3) == 1)
        vmr_hv_guest_unmap_interrupt(guest->hv, what >> 2 & 1, &guest->msi);
    else
        FUZZ_ANY(vmr_hv_guest_signal_interrupt(guest->hv, what >> 2 & 1, &guest->msi));
}

static void poke_vp(struct guest *guest, uint32_t what)
{
    struct vmr_partition *partition = guest->rig.partition;
    vmr_vp_index vp = what & 3;

    switch (what >> 2 & 3) {
    case 0:
        FUZZ_ANY(vmr_partition_nmi(partition, vp));
        break;
    case 1:
        (void)vmr_partition_kick(partition, vp);
        break;
    case 2:
        (void)vmr_partition_request_yield(partition, vp);
        break;
    default:
        vmr_partition_wake(partition, vp);
        break;
    }
}

/* A step of any size; a host's clock does not wrap within its life. */
static void advance_clock(struct guest *guest, uint32_t what)
{
    uint64_t step = (UINT64_C(1) << what % 63u) - (what >> 6 & 1), left = UINT64_MAX / 2 - guest->rig.lone.now_ns;

    guest->rig.lone.now_ns += step < left ? step : left;
}

static void host_acts(struct guest *guest, uint32_t what)
{
    static void (*const acts[])(struct guest * guest, uint32_t what) = {
        change_port,  send_to_sint, send_to_sint, use_event_port, move_monitor,  change_memory,
        touch_memory, change_pages, use_device,   poke_vp,        advance_clock, advance_clock,
    };
    uint64_t before = vmr_synic_time(guest->synic);

    acts[(what & 0xffu) % (sizeof(acts) / sizeof(acts[0]))](guest, what >> 8);
    /* It may have been set to shortly before its wrap; no act takes half the range. */
    FUZZ_CHECK(vmr_synic_time(guest->synic) - before <= INT64_MAX);
}

/* --- and while VPs are stopped --- */

static void act_between_runs(struct guest *guest)
{
    uint8_t form = input_u8(&guest->input);

    switch (form % 8u) {
    case 0:
        guest->paused ? vmr_synic_time_resume(guest->synic) : vmr_synic_time_pause(guest->synic);
        guest->paused = !guest->paused;
        break;
    case 1:
        vmr_synic_time_set(guest->synic, input_number(&guest->input));
        break;
    case 2:
        if (form >= 0xc0)
            vmr_hv_guest_reset(guest->hv);
        break;
    case 3:
        vmr_hv_guest_scrub(guest->hv, form >> 3 & 3);
        break;
    default:
        host_acts(guest, input_u32(&guest->input));
        break;
    }
}

/* --- the partition --- */

static void on_checkpoint(void *context, const struct vmr_access *access, uint64_t value)
{
    (void)access;
    host_acts(context, (uint32_t)value);
}

static uint64_t on_read(void *context, const struct vmr_access *access)
{
    (void)context;
    (void)access;
    return 0;
}

static void on_crash(void *context, vmr_vp_index vp, const struct vmr_hv_crash *crash)
{
    const struct guest *guest = context;
    char text[HV_CRASH_MESSAGE_BYTES_MAX];

    FUZZ_CHECK(vp < guest->rig.vp_count && crash->length <= sizeof(text));
    memcpy(text, crash->message, crash->length);
}

/* An embedder's own, for calls that the library has none for: what it is shown can all be read, and may be answered. */
static enum hv_status on_call(void *context, struct vmr_hv_call *call)
{
    static const enum hv_status answers[] = {HV_STATUS_SUCCESS, HV_STATUS_TIMEOUT, HV_STATUS_ACCESS_DENIED};
    struct guest *guest = context;
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(call->code);
    uint8_t sum = 0;

    FUZZ_CHECK(definition && call->caller->vp < guest->rig.vp_count && call->caller->vtl < VMR_VTL_COUNT);
    FUZZ_CHECK(vmr_hv_guest_vtl(guest->hv, call->caller->vp) == call->caller->vtl);
    for (unsigned i = 0; i < definition->x86.input; i++)
        sum ^= call->input[i];
    memset(call->output, sum, definition->x86.output);
    return answers[sum % 3u];
}

static void write_word(struct guest *guest, vmr_gpa gpa, uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    FUZZ_CHECK(vmr_memory_write(guest->rig.memory, gpa, bytes, sizeof(bytes)) == VMR_OK);
}

/* Registers of 64-bit mode that a processor can hold, behind 16 bytes that the guest writes. */
static void write_context(struct guest *guest)
{
    vmr_gpa context = HV_STEPS_CONTEXT + 16;

    write_word(guest, context + HV_INITIAL_RIP, 0x1000);
    write_word(guest, context + HV_INITIAL_RFLAGS, 2);
    for (unsigned i = 0; i < 8; i++)
        write_word(guest, context + HV_INITIAL_SEGMENTS + i * HV_SEGMENT_BYTES + 8,
                   UINT32_MAX | (uint64_t)(i == 0 ? 0xa09b : 0xc093) << 48);
    write_word(guest, context + HV_INITIAL_EFER, 0x500);
    write_word(guest, context + HV_INITIAL_CR0, 0x80000011);
    write_word(guest, context + HV_INITIAL_CR3, 0x7000);
    write_word(guest, context + HV_INITIAL_CR4, 0x20);
    write_word(guest, context + HV_INITIAL_PAT, UINT64_C(0x0007040600070406));
}

static void accept_pages(struct guest *guest, unsigned form)
{
    const struct vmr_initial_pages initial[] = {
        {.range = {.gpa = 0, .size = HV_STEPS_PAGE(6)}, .visibility = VMR_PAGE_EXCLUSIVE},
        {.range = {.gpa = HV_STEPS_PAGE(6), .size = RAM_BYTES - HV_STEPS_PAGE(6)}, .visibility = VMR_PAGE_SHARED},
    };

    if (guest->isolated)
        FUZZ_CHECK(vmr_partition_accept_initial_pages(guest->rig.partition, initial, 1 + form % 2u, NULL) == VMR_OK);
}

static void load(struct guest *guest)
{
    for (unsigned i = 0; i < guest->rig.vp_count * VMR_VTL_COUNT; i++) {
        uint8_t vtl = (uint8_t)(i % VMR_VTL_COUNT);
        enum vmr_status status =
            vmr_mock_load_vtl_program(guest->rig.mock, i / VMR_VTL_COUNT, vtl, &guest->programs[i].program, NULL);

        FUZZ_CHECK(status == VMR_OK || vtl > 0);
    }
}

/* How it is configured, from the choices of the input. */
static void create(struct guest *guest)
{
    static const char *const specs[] = {"mock", "mock:profile=whp-like", "mock:profile=kvm-like",
                                        "mock:profile=hvf-like", "mock:profile=mshv-like"};
    static const struct vmr_page_range own = {.gpa = 0, .size = HV_STEPS_PAGE(6)};
    unsigned profile = input_choose(&guest->input, sizeof(specs) / sizeof(specs[0]));
    unsigned vps = 1u + input_choose(&guest->input, MOCK_RIG_VPS), form = input_choose(&guest->input, 256);
    const struct vmr_late_map late = {.policy = form >> 4 & 1 ? VMR_LATE_MAP_INJECT_EXCEPTION : VMR_LATE_MAP_LOG,
                                      .allowed = form >> 5 & 1 ? VMR_LATE_MAP_RANGES : VMR_LATE_MAP_MEMORY_LAYOUT,
                                      .ranges = form >> 5 & 1 ? &own : NULL,
                                      .range_count = form >> 5 & 1};
    const struct vmr_hv_vtl2_config vtl2 = {.late_map = form & 8 ? &late : NULL};
    struct vmr_hv_config config = {
        .tsc_hz = form & 1 ? UINT64_C(3000000000) : 0, .apic_hz = 1000000000, .crash = on_crash, .context = guest};

    if (profile < 2 && (form & 2)) {
        config.vtl2 = &vtl2;
        config.isolation = form & 4 ? VMR_ISOLATION_VBS : VMR_ISOLATION_NONE;
    } else if ((form & 0xc0) == 0xc0) {
        config.privileges_off = input_number(&guest->input);
    }
    guest->isolated = config.isolation != VMR_ISOLATION_NONE;
    mock_rig_init(&guest->rig, specs[profile], vps, RAM_BYTES, &config);
    guest->hv = vmr_partition_hv(guest->rig.partition);
    guest->synic = vmr_hv_guest_synic(guest->hv);
    write_context(guest);
    accept_pages(guest, form >> 6);
}

static void attach(struct guest *guest)
{
    static const struct vmr_device_ops ops = {.read = on_read, .write = on_checkpoint};
    static const uint64_t own[] = {HV_CALL_INSTALL_INTERCEPT, HV_CALL_RESTORE_PARTITION_TIME,
                                   HV_CALL_VBS_VM_CALL_REPORT};
    const struct vmr_bus_range range = {.name = "checkpoints",
                                        .start = VMR_PROGRAM_PORT_CHECKPOINT,
                                        .length = 4,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_4,
                                        .ops = &ops,
                                        .device = guest};
    const struct vmr_hv_call_handler handler = {on_call, guest};

    mock_rig_attach(&guest->rig);
    FUZZ_CHECK(vmr_bus_claim(guest->rig.ports, &range, NULL) == VMR_OK);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        FUZZ_CHECK(vmr_hv_calls_set(vmr_hv_guest_calls(guest->hv), own[i], &handler) == VMR_OK);
}

/* Handles to ports may be given back after the partition is gone. */
static void finish(struct guest *guest)
{
    mock_rig_finish(&guest->rig);
    FUZZ_CHECK(guest->released == guest->added);
    for (unsigned i = 0; i < PORTS; i++)
        vmr_synic_port_remove(guest->ports[i]);
    vmr_guest_event_port_destroy(guest->event_port);
    FUZZ_CHECK(guest->released == guest->added);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest guest = {.input = input_of(data, size)};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    create(&guest);
    attach(&guest);
    hv_steps_take(&guest.input, guest.programs, guest.rig.vp_count * VMR_VTL_COUNT);
    load(&guest);
    mock_rig_bind(&guest.rig);
    for (unsigned i = 0; i < RUNS_MAX && !input_is_empty(&guest.input); i++) {
        (void)mock_rig_run(&guest.rig, input_u8(&guest.input) % guest.rig.vp_count);
        act_between_runs(&guest);
    }
    finish(&guest);
    return 0;
}
