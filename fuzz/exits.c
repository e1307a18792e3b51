/* SPDX-License-Identifier: MIT */
/*
 * A guest of one or two VPs that does anything, exit by exit: up to 64 exits
 * into the run loop, the buses, a PC's devices and the library's interrupt
 * controllers, while memory comes and goes and others raise interrupts, kick
 * and yield. Every answer fits its access.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "fuzz/support/mock_rig.h"

#define VPS 2u
#define EXITS_MAX 64u
#define RUNS_MAX 64u
#define RAM_BYTES UINT64_C(0x4000)
#define HOTPLUG_GPA UINT64_C(0x100000)
/* One exit may move a page through a device that takes it byte by byte; all of an input's may move two. */
#define STRING_BYTES_MAX (2u * VMR_STRING_IO_BYTES_MAX)

struct guest {
    struct mock_rig rig;
    struct input input;
    unsigned exits, string_bytes;
    bool plugged;
    struct vmr_exit shown[VPS]; /* that wait for their answers */
    uint8_t string[VPS][VMR_STRING_IO_BYTES_MAX];
};

/* --- what others do meanwhile --- */

static void change_memory(struct guest *guest)
{
    const struct vmr_memory_region region = {.gpa = HOTPLUG_GPA, .size = 0x2000, .read_only = (guest->exits & 1) != 0};
    enum vmr_status status = guest->plugged ? vmr_memory_region_remove(guest->rig.memory, HOTPLUG_GPA, NULL)
                                            : vmr_memory_region_add(guest->rig.memory, &region, NULL);

    FUZZ_CHECK(status == VMR_OK);
    guest->plugged = !guest->plugged;
}

static void send_msi(struct guest *guest)
{
    uint8_t form = input_u8(&guest->input);
    uint64_t address = form & 0x80 ? input_u64(&guest->input) : 0xfee00000u | (uint64_t)(form & 0x7f) << 12;
    const struct vmr_msi msi = {.address = address, .data = input_u16(&guest->input)};

    FUZZ_ANY(vmr_partition_msi(guest->rig.partition, &msi));
}

/* Other threads' requests, from inside the guest. */
static void interfere(struct guest *guest)
{
    struct vmr_partition *partition = guest->rig.partition;
    uint8_t form = input_u8(&guest->input), what = input_u8(&guest->input);
    vmr_vp_index vp = what % (VPS + 1);

    switch (form % 10u) {
    case 0:
        FUZZ_ANY(vmr_partition_irq(partition, what >> 1, (what & 1) != 0));
        break;
    case 1:
        send_msi(guest);
        break;
    case 2:
        FUZZ_ANY(vmr_partition_lint(partition, vp, what >> 4));
        break;
    case 3:
        FUZZ_ANY(vmr_partition_nmi(partition, vp));
        break;
    case 4:
        (void)vmr_partition_kick(partition, vp);
        break;
    case 5:
        (void)vmr_partition_request_yield(partition, vp);
        break;
    case 6:
        vmr_partition_wake(partition, vp);
        break;
    case 7:
        change_memory(guest);
        break;
    case 8:
        (void)vmr_serial_receive(vmr_platform_serial(guest->rig.platform), &what, 1);
        break;
    default:
        guest->rig.lone.now_ns += input_number(&guest->input) >> 2; /* never wraps within 64 exits */
        break;
    }
}

/* --- exits --- */

static void take_io(struct guest *guest, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    static const uint16_t ports[] = {0x20,  0x21,  0xa0,  0xa1,  0x4d0, 0x4d1, 0x40,   0x42,  0x43,  0x61,  0x60,
                                     0x64,  0x70,  0x71,  0x3f8, 0x3f9, 0x3fa, 0x3fc,  0x402, 0x510, 0x511, 0x92,
                                     0xcf8, 0xcf9, 0xcfc, 0xf4,  0x80,  0x3fd, 0xffff, 0x41,  0x3fb, 0x3ff};
    uint8_t form = input_u8(&guest->input), where = input_u8(&guest->input);
    struct vmr_exit_io *io = &vp_exit->u.io;

    *io = (struct vmr_exit_io){
        .port = where & 0x80 ? input_u16(&guest->input) : ports[where % (sizeof(ports) / sizeof(ports[0]))],
        .size = (uint8_t)(1u << (form & 3) % 3u),
        .direction = form & 4 ? VMR_WRITE : VMR_READ,
        .string = (form & 0xf8) == 0xf8,
        .count = 1,
    };
    if (!io->string) {
        io->value = io->direction == VMR_WRITE ? input_u32(&guest->input) >> (32 - 8 * io->size) : 0;
        return;
    }
    uint32_t items = 1u + (uint32_t)input_number(&guest->input) % (VMR_STRING_IO_BYTES_MAX / io->size);

    io->count = guest->string_bytes + items * io->size <= STRING_BYTES_MAX ? items : 1;
    guest->string_bytes += io->count * io->size;
    io->bytes = guest->string[vp];
    memset(io->bytes, form, (size_t)io->count * io->size);
    if (io->direction == VMR_WRITE)
        input_bytes(&guest->input, io->bytes, io->count < 8 ? io->count : 8);
}

static uint64_t ones(unsigned bytes)
{
    return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
}

static void take_mmio(struct guest *guest, struct vmr_exit *vp_exit)
{
    uint8_t form = input_u8(&guest->input), where = input_u8(&guest->input);
    struct vmr_exit_mmio *mmio = &vp_exit->u.mmio;
    static const uint8_t sizes[] = {4, 4, 4, 1, 2, 8, 3, 7};

    *mmio = (struct vmr_exit_mmio){.size = sizes[form & 7], .direction = form & 8 ? VMR_WRITE : VMR_READ};
    if (form & 0x80)
        mmio->gpa = input_number(&guest->input) & (UINT64_MAX >> 12);
    else if (form & 0x10)
        mmio->gpa = VMR_IOAPIC_GPA + (where & 1 ? 0x10 : 0) + (where & 0x80 ? where & 0x70 : 0);
    else
        mmio->gpa = VMR_LAPIC_GPA + (where & 0x3fu) * 0x10u + (form & 0x60 ? 0 : where >> 6);
    if (mmio->gpa % VMR_PAGE_SIZE + mmio->size > VMR_PAGE_SIZE)
        mmio->size = 1;
    if (mmio->direction == VMR_WRITE)
        mmio->value = input_number(&guest->input) & ones(mmio->size);
}

static void take_msr(struct guest *guest, struct vmr_exit *vp_exit)
{
    uint8_t form = input_u8(&guest->input), where = input_u8(&guest->input);
    struct vmr_exit_msr *msr = &vp_exit->u.msr;

    *msr = (struct vmr_exit_msr){.index = 0x800u + where % 0x40u, .direction = form & 1 ? VMR_WRITE : VMR_READ};
    if (form & 0x80)
        msr->index = form & 0x40 ? input_u32(&guest->input) : 0x1b;
    if (msr->direction == VMR_WRITE)
        msr->value = input_number(&guest->input);
}

static void take_rare(struct guest *guest, struct vmr_exit *vp_exit)
{
    uint8_t form = input_u8(&guest->input);

    switch (vp_exit->kind) {
    case VMR_EXIT_CPUID:
        vp_exit->u.cpuid = (struct vmr_exit_cpuid){.leaf = input_u32(&guest->input), .subleaf = form};
        break;
    case VMR_EXIT_HYPERCALL:
        vp_exit->u.hypercall = (struct vmr_exit_hypercall){.number = form, .long_mode = (form & 1) != 0};
        break;
    case VMR_EXIT_EOI:
        vp_exit->u.eoi.vector = form;
        break;
    case VMR_EXIT_DEBUG:
        vp_exit->u.debug.single_step = (form & 4) != 0;
        vp_exit->u.debug.breakpoint = form & 4 ? 0 : form & 3;
        break;
    case VMR_EXIT_SYSTEM_EVENT:
        vp_exit->u.system_event.event = form % VMR_SYSTEM_EVENT_COUNT;
        break;
    case VMR_EXIT_MEMORY_FAULT:
        vp_exit->u.memory_fault = (struct vmr_exit_memory_fault){.gpa = input_number(&guest->input), .size = form};
        break;
    case VMR_EXIT_FAIL:
        vp_exit->u.fail.cause = form % VMR_FAIL_CAUSE_COUNT;
        break;
    default:
        break;
    }
}

static void take_exit(struct guest *guest, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    static const uint8_t kinds[] = {VMR_EXIT_IO,   VMR_EXIT_IO,   VMR_EXIT_IO,   VMR_EXIT_IO,
                                    VMR_EXIT_MMIO, VMR_EXIT_MMIO, VMR_EXIT_MMIO, VMR_EXIT_MMIO,
                                    VMR_EXIT_MSR,  VMR_EXIT_MSR,  VMR_EXIT_HALT, VMR_EXIT_HALT};
    uint8_t form = input_u8(&guest->input);
    uint8_t rare = form >> 4;

    *vp_exit = (struct vmr_exit){
        .kind = rare > VMR_EXIT_NONE && rare < VMR_EXIT_KIND_COUNT && (form & 8) ? rare : kinds[form % sizeof(kinds)],
        .interrupt_ready = (form & 0x10) != 0,
        .tpr = form & 0x20 ? form & 0xf : 0,
    };
    if (vp_exit->kind == VMR_EXIT_IO)
        take_io(guest, vp, vp_exit);
    else if (vp_exit->kind == VMR_EXIT_MMIO)
        take_mmio(guest, vp_exit);
    else if (vp_exit->kind == VMR_EXIT_MSR)
        take_msr(guest, vp_exit);
    else
        take_rare(guest, vp_exit);
    FUZZ_CHECK(vmr_exit_is_valid(vp_exit));
}

/* What was shown is answered: by a value that fits, and in nothing else. */
static void check_answer(const struct vmr_exit *shown, const struct vmr_exit *answered)
{
    if (!vmr_exit_is_pending(shown))
        return;
    FUZZ_CHECK(answered->kind == shown->kind && vmr_exit_is_valid(answered));
    if (shown->kind == VMR_EXIT_IO && !shown->u.io.string)
        FUZZ_CHECK(answered->u.io.value <= ones(shown->u.io.size));
    if (shown->kind == VMR_EXIT_MMIO)
        FUZZ_CHECK(answered->u.mmio.value <= ones(shown->u.mmio.size) && answered->u.mmio.gpa == shown->u.mmio.gpa);
}

static void next_exit(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    struct guest *guest = context;

    guest->rig.lone.may_call = false; /* what others do here takes locks of the library */
    check_answer(&guest->shown[vp], vp_exit);
    for (unsigned i = input_u8(&guest->input) % 4u; i > 1; i--)
        interfere(guest);
    if (guest->exits++ < EXITS_MAX && !input_is_empty(&guest->input)) {
        take_exit(guest, vp, vp_exit);
    } else {
        (void)vmr_partition_kick(guest->rig.partition, vp);
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
    }
    guest->shown[vp] = *vp_exit;
}

/* An instruction of two accesses shows its second one while it is finished. */
static void complete_exit(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    struct guest *guest = context;

    check_answer(&guest->shown[vp], vp_exit);
    *vp_exit = (struct vmr_exit){0};
    if (guest->exits < EXITS_MAX && (input_u8(&guest->input) & 7) == 7) {
        guest->exits++;
        vp_exit->kind = VMR_EXIT_MMIO;
        take_mmio(guest, vp_exit);
    }
    guest->shown[vp] = *vp_exit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const specs[] = {"mock", "mock:profile=kvm-like,irqchip=split",
                                        "mock:profile=kvm-like,irqchip=kernel", "mock:profile=whp-like", "mock:seed=3"};
    struct guest guest = {.input = input_of(data, size)};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    const struct vmr_mock_source source = {next_exit, complete_exit, &guest};
    uint32_t vps = 1u + input_choose(&guest.input, VPS);

    mock_rig_init(&guest.rig, specs[input_choose(&guest.input, sizeof(specs) / sizeof(specs[0]))], vps, RAM_BYTES,
                  NULL);
    mock_rig_attach(&guest.rig);
    for (vmr_vp_index vp = 0; vp < vps; vp++)
        FUZZ_CHECK(vmr_mock_load_source(guest.rig.mock, vp, &source) == VMR_OK);
    mock_rig_bind(&guest.rig);
    for (unsigned i = 0; i < RUNS_MAX && !input_is_empty(&guest.input); i++)
        (void)mock_rig_run(&guest.rig, input_u8(&guest.input) % vps);
    mock_rig_finish(&guest.rig);
    return 0;
}
