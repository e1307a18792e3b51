/* SPDX-License-Identifier: MIT */
/*
 * A local APIC in KVM. Its timer's current count moves, so it is not in the
 * page but a time (Intel SDM vol. 3, 11.5.4): nanoseconds until it expires, of
 * which KVM's timer counts one a tick before the divider.
 *
 * KVM starts a one-shot timer again when it is given registers, at the current
 * count, and with none left it fires at once: it cannot tell an interrupt that
 * is over from one that it has not delivered yet, which it counts where no call
 * reads. Nor can we: such a timer reads as one that expires in 0 ns, and rather
 * interrupts twice than never, since a guest may wait for it; the suite measures
 * that (quirk "timer-again"). A value that says that it is over is kept from KVM
 * by hiding the initial count.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"
#include "lib/base/bytes.h"

#define MSR_APIC_BASE 0x1bu
#define BASE_X2APIC UINT64_C(0x400)

#define ID 0x020u
#define VERSION 0x030u
#define IN_SERVICE 0x100u
#define IN_SERVICE_BYTES 0x80u
#define LVT_TIMER 0x320u
#define LVT_LINT0 0x350u
#define TIMER_INITIAL 0x380u
#define TIMER_CURRENT 0x390u
#define TIMER_DIVIDE 0x3e0u

enum timer_mode {
    ONE_SHOT,
    PERIODIC,
    TSC_DEADLINE
};

_Static_assert(sizeof(struct kvm_lapic_state) == VMR_X86_APIC_PAGE_BYTES, "the same page");

static uint32_t reg(const uint8_t *page, unsigned at)
{
    return load_le32(page + at);
}

static enum timer_mode timer_mode(const uint8_t *page)
{
    return (enum timer_mode)(reg(page, LVT_TIMER) >> 17 & 3u);
}

/* Bits 0, 1 and 3: 2, 4, ... 128, and 1. */
static unsigned divider_shift(const uint8_t *page)
{
    uint32_t value = reg(page, TIMER_DIVIDE);

    return ((value & 3u) + ((value & 8u) >> 1) + 1u) & 7u;
}

static uint64_t timer_ns(const uint8_t *page)
{
    uint64_t count = reg(page, TIMER_CURRENT);

    if (timer_mode(page) == TSC_DEADLINE || reg(page, TIMER_INITIAL) == 0)
        return VMR_NEVER;
    return count << divider_shift(page);
}

/* In x2APIC mode KVM has the ID where an xAPIC has it, unless it was asked for 32-bit IDs. */
static bool is_id_shifted(const struct kvm_vp *vp, uint64_t base)
{
    return (base & BASE_X2APIC) != 0 && !vp->vm->wide_ids;
}

static enum vmr_status read_both(const struct kvm_vp *vp, uint64_t *ret_base, uint8_t *ret_page, struct vmr_error *err)
{
    enum vmr_status status = kvm_msr_first(vp, MSR_APIC_BASE, ret_base, err);

    return status ? status : kvm_ioctl(vp->fd.number, "apic: KVM_GET_LAPIC", KVM_GET_LAPIC, kvm_pointer(ret_page), err);
}

static void page_normalise(const struct kvm_vp *vp, struct vmr_x86_apic_state *state)
{
    uint8_t *page = state->page;

    if (is_id_shifted(vp, state->base))
        store_le32(page + ID, reg(page, ID) >> 24);
    state->timer_ns = timer_ns(page);
    store_le32(page + TIMER_CURRENT, 0);
    if (reg(page, TIMER_INITIAL) == 0)
        store_le32(page + TIMER_INITIAL, vp->apic_initial_count);
}

enum vmr_status kvm_class_apic_get(const struct kvm_vp *vp, struct vmr_x86_apic_state *ret_state, struct vmr_error *err)
{
    struct vmr_x86_apic_state state = {0};
    enum vmr_status status = read_both(vp, &state.base, state.page, err);

    if (status)
        return status;
    page_normalise(vp, &state);
    *ret_state = state;
    return VMR_OK;
}

enum vmr_status kvm_apic_first(const struct kvm_vp *vp, struct vmr_x86_reset_info *first, struct vmr_error *err)
{
    uint8_t page[VMR_X86_APIC_PAGE_BYTES] = {0};
    enum vmr_status status = kvm_ioctl(vp->fd.number, "KVM_GET_LAPIC", KVM_GET_LAPIC, kvm_pointer(page), err);

    if (status)
        return status;
    first->apic_version = reg(page, VERSION);
    first->apic_lint0 = reg(page, LVT_LINT0);
    return VMR_OK;
}

/* What is the VP's own and not a guest's to choose: KVM would take another ID, or forget the version, without a word.
 */
static enum vmr_status check(const struct kvm_vp *vp, const struct vmr_x86_apic_state *state, struct vmr_error *err)
{
    uint32_t version = reg(state->page, VERSION), id = reg(state->page, ID);

    if (version != vp->first.apic_version)
        return vmr_error_set(err, VMR_E_CONFIG, "apic: page[0x30], the version: %#x, this VP's is %#x", version,
                             vp->first.apic_version);
    if ((state->base & BASE_X2APIC) != 0 && id != vp->index)
        return vmr_error_set(err, VMR_E_CONFIG, "apic: page[0x20], the ID: %#x of VP %u in x2APIC mode", id, vp->index);
    if (timer_mode(state->page) == PERIODIC && reg(state->page, TIMER_INITIAL) != 0 && state->timer_ns == VMR_NEVER)
        return vmr_error_set(err, VMR_E_CONFIG, "apic: timer: never, but it is periodic and has a count");
    return VMR_OK;
}

/* Ticks that are left, rounded up, and no more than there were. */
static uint32_t current_count(const struct vmr_x86_apic_state *state)
{
    unsigned shift = divider_shift(state->page);
    uint64_t initial = reg(state->page, TIMER_INITIAL), ticks = state->timer_ns >> shift;

    if (ticks << shift != state->timer_ns)
        ticks++;
    return (uint32_t)(ticks > initial ? initial : ticks);
}

static enum vmr_status write_base(struct kvm_vp *vp, uint64_t base, struct vmr_error *err)
{
    enum vmr_status status = kvm_vp_set_msr((struct vmr_backend_vp *)(void *)vp, MSR_APIC_BASE, base);

    if (status == VMR_E_GUEST)
        return vmr_error_set(err, VMR_E_CONFIG, "apic: base: KVM refuses %#" PRIx64, base);
    return status ? vmr_error_set(err, status, "apic: base: KVM_SET_MSRS failed") : VMR_OK;
}

static void page_for_kvm(const struct kvm_vp *vp, const struct vmr_x86_apic_state *state, uint8_t *ret_page)
{
    bool is_over = state->timer_ns == VMR_NEVER;

    memcpy(ret_page, state->page, VMR_X86_APIC_PAGE_BYTES);
    if (is_id_shifted(vp, state->base))
        store_le32(ret_page + ID, reg(state->page, ID) << 24);
    store_le32(ret_page + TIMER_CURRENT, is_over ? 0 : current_count(state));
    if (is_over && timer_mode(ret_page) == ONE_SHOT)
        store_le32(ret_page + TIMER_INITIAL, 0);
}

static enum vmr_status write_page(const struct kvm_vp *vp, const uint8_t *page, struct vmr_error *err)
{
    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_LAPIC, kvm_pointer(page)), "KVM_SET_LAPIC",
                               VMR_VP_APIC, "page", err);
}

/*
 * The mode decides how KVM reads the page, so the base is first. The processor's priority, which keeps interrupts back,
 * follows from what is in service, and some KVMs take what was so before: told twice, they know.
 */
enum vmr_status kvm_class_apic_set(struct kvm_vp *vp, const struct vmr_x86_apic_state *state, struct vmr_error *err)
{
    uint8_t page[VMR_X86_APIC_PAGE_BYTES], old_page[VMR_X86_APIC_PAGE_BYTES] = {0};
    uint64_t old_base = 0;
    enum vmr_status status = check(vp, state, err);

    if (!status)
        status = read_both(vp, &old_base, old_page, err);
    if (!status && state->base != old_base)
        status = write_base(vp, state->base, err);
    if (status)
        return status;
    page_for_kvm(vp, state, page);
    status = write_page(vp, page, err);
    if (!status && memcmp(page + IN_SERVICE, old_page + IN_SERVICE, IN_SERVICE_BYTES) != 0)
        status = write_page(vp, page, err);
    if (!status) {
        vp->apic_initial_count = reg(page, TIMER_INITIAL) == 0 ? reg(state->page, TIMER_INITIAL) : 0;
        return VMR_OK;
    }
    if (state->base != old_base)
        (void)write_base(vp, old_base, NULL);
    (void)kvm_host_ioctl(vp->fd.number, KVM_SET_LAPIC, kvm_pointer(old_page));
    return status;
}
