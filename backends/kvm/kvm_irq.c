/* SPDX-License-Identifier: MIT */
/*
 * Interrupts through KVM's own controllers: lines, MSIs, routes, local pins,
 * and the two kinds of descriptors that raise or catch something without an
 * exit. KVM takes its routing table whole, so this file keeps one: a change
 * builds the next table, shows it, and only then forgets the last.
 */

#include <errno.h>
#include <stdlib.h>

#include "backends/kvm/kvm_private.h"
#include "lib/base/bytes.h"

#define PIC_LINES 16u
#define IOAPIC_PINS 24u
#define PIC_CASCADE 2u

/* Local APIC page (Intel SDM vol. 3, table 11-1) and the fields of an LVT entry (figure 11-8). */
#define LAPIC_LVT_LINT0 0x350u
#define LAPIC_LVT_STEP 0x10u
#define LVT_MASKED (UINT32_C(1) << 16)
#define LVT_VECTOR_AND_MODE 0x7ffu
#define LVT_MODE 0x700u
#define LVT_MODE_EXTINT 0x700u
#define MSI_ADDRESS 0xfee00000u

struct kvm_routes {
    struct sync_mutex mutex;
    struct kvm_irq_routing *table; /* what KVM has now */
};

static struct kvm_irq_routing *table_create(size_t capacity)
{
    return calloc(1, sizeof(struct kvm_irq_routing) + capacity * sizeof(struct kvm_irq_routing_entry));
}

static void table_add_pin(struct kvm_irq_routing *table, uint32_t gsi, uint32_t chip, uint32_t pin)
{
    struct kvm_irq_routing_entry *entry = &table->entries[table->nr++];

    *entry = (struct kvm_irq_routing_entry){.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP};
    entry->u.irqchip.irqchip = chip;
    entry->u.irqchip.pin = pin;
}

/*
 * The wiring of the library's own controllers, so that a guest sees no
 * difference: line 0 also reaches IO-APIC pin 2, where firmware looks for the
 * timer, and PIC line 2 is the cascade.
 */
static void table_fill_default(struct kvm_irq_routing *table)
{
    for (uint32_t gsi = 0; gsi < IOAPIC_PINS; gsi++) {
        if (gsi < PIC_LINES && gsi != PIC_CASCADE)
            table_add_pin(table, gsi, gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, gsi % 8);
        table_add_pin(table, gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
    }
}

static enum vmr_status routes_create(struct kvm_vm *vm, struct vmr_error *err)
{
    struct kvm_routes *routes = calloc(1, sizeof(*routes));

    vm->routes = routes;
    if (!routes || sync_mutex_init(&routes->mutex, vm->host) != VMR_OK)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the interrupt routes");
    routes->table = table_create((size_t)2 * IOAPIC_PINS);
    if (!routes->table)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the interrupt routes");
    if (vm->irqchip == VMR_IRQCHIP_KERNEL)
        table_fill_default(routes->table);
    return kvm_ioctl(vm->fd.number, "KVM_SET_GSI_ROUTING", KVM_SET_GSI_ROUTING, kvm_pointer(routes->table), err);
}

enum vmr_status kvm_irq_create(struct kvm_vm *vm, struct vmr_error *err)
{
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {IOAPIC_PINS}};
    enum vmr_status status = VMR_OK;

    switch (vm->irqchip) {
    case VMR_IRQCHIP_SPLIT:
        status = kvm_ioctl(vm->fd.number, "KVM_CAP_SPLIT_IRQCHIP", KVM_ENABLE_CAP, kvm_pointer(&split), err);
        break;
    case VMR_IRQCHIP_KERNEL:
        status = kvm_ioctl(vm->fd.number, "KVM_CREATE_IRQCHIP", KVM_CREATE_IRQCHIP, 0, err);
        break;
    case VMR_IRQCHIP_USER:
    case VMR_IRQCHIP_COUNT:
        return VMR_OK;
    }
    return status ? status : routes_create(vm, err);
}

void kvm_irq_destroy(struct kvm_vm *vm)
{
    if (!vm->routes)
        return;
    sync_mutex_finish(&vm->routes->mutex);
    free(vm->routes->table);
    free(vm->routes);
    vm->routes = NULL;
}

static enum vmr_status status_of(int result)
{
    return result < 0 ? VMR_E_HOST : VMR_OK;
}

enum vmr_status kvm_vm_irq(struct vmr_backend_vm *backend_vm, uint32_t gsi, bool level)
{
    struct kvm_irq_level line = {.irq = gsi, .level = level};

    return status_of(kvm_host_ioctl(kvm_vm_of(backend_vm)->fd.number, KVM_IRQ_LINE, kvm_pointer(&line)));
}

enum vmr_status kvm_vm_msi(struct vmr_backend_vm *backend_vm, const struct vmr_msi *msi)
{
    struct kvm_msi message = {
        .address_lo = (uint32_t)msi->address,
        .address_hi = (uint32_t)(msi->address >> 32),
        .data = msi->data,
    };
    int result = kvm_host_ioctl(kvm_vm_of(backend_vm)->fd.number, KVM_SIGNAL_MSI, kvm_pointer(&message));

    /* 0: the APIC that was named does not take it; -1, which reads as EPERM: no APIC was named. */
    if (result == 0 || result == -EPERM)
        return VMR_E_GUEST;
    return status_of(result);
}

/* The present table with `gsi` taken out and, if `msi`, put in again. NULL: no memory. */
static struct kvm_irq_routing *table_change(const struct kvm_irq_routing *old, uint32_t gsi, const struct vmr_msi *msi)
{
    struct kvm_irq_routing *table = table_create((size_t)old->nr + 1);

    if (!table)
        return NULL;
    for (uint32_t i = 0; i < old->nr; i++) {
        if (old->entries[i].gsi != gsi)
            table->entries[table->nr++] = old->entries[i];
    }
    if (msi) {
        struct kvm_irq_routing_entry *entry = &table->entries[table->nr++];

        *entry = (struct kvm_irq_routing_entry){.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI};
        entry->u.msi.address_lo = (uint32_t)msi->address;
        entry->u.msi.address_hi = (uint32_t)(msi->address >> 32);
        entry->u.msi.data = msi->data;
    }
    return table;
}

enum vmr_status kvm_vm_set_route(struct vmr_backend_vm *backend_vm, uint32_t gsi, const struct vmr_msi *msi)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    struct kvm_routes *routes = vm->routes;

    sync_mutex_lock(&routes->mutex);
    struct kvm_irq_routing *next = table_change(routes->table, gsi, msi);
    enum vmr_status status =
        next ? status_of(kvm_host_ioctl(vm->fd.number, KVM_SET_GSI_ROUTING, kvm_pointer(next))) : VMR_E_NOMEM;
    struct kvm_irq_routing *unused = status ? next : routes->table;

    if (!status)
        routes->table = next;
    sync_mutex_unlock(&routes->mutex);
    free(unused);
    return status;
}

/* What KVM says of an event: the rest is the machine's trouble. */
static enum vmr_status status_of_event(int result)
{
    switch (result) {
    case -EBUSY:  /* irqfd: the event raises a line already */
    case -EEXIST: /* doorbell: one write would ring both */
        return VMR_E_CONFIG;
    case -ENOENT: /* doorbell: there is none to take away */
    case -EBADF:
    case -EINVAL: /* a descriptor of something else: whatever else is wrong was found before */
        return VMR_E_USAGE;
    default:
        return status_of(result);
    }
}

enum vmr_status kvm_vm_irqfd(struct vmr_backend_vm *backend_vm, int fd, uint32_t gsi, bool add)
{
    struct kvm_irqfd irqfd = {.fd = (uint32_t)fd, .gsi = gsi, .flags = add ? 0 : KVM_IRQFD_FLAG_DEASSIGN};

    return status_of_event(kvm_host_ioctl(kvm_vm_of(backend_vm)->fd.number, KVM_IRQFD, kvm_pointer(&irqfd)));
}

enum vmr_status kvm_vm_doorbell(struct vmr_backend_vm *backend_vm, bool port_space, const struct vmr_doorbell *doorbell,
                                int fd, bool add)
{
    int vm_fd = kvm_vm_of(backend_vm)->fd.number;
    bool any_size = doorbell->size == 0;
    struct kvm_ioeventfd event = {
        .datamatch = doorbell->match_value ? doorbell->value : 0,
        .addr = doorbell->address,
        .len = doorbell->size,
        .fd = fd,
    };

    /* KVM knows no VTLs, and cannot compare a value whose size is open. */
    if (doorbell->minimum_vtl != VMR_VTL0 || (any_size && doorbell->match_value))
        return VMR_E_UNSUPPORTED;
    if (any_size && kvm_extension(vm_fd, KVM_CAP_IOEVENTFD_ANY_LENGTH) == 0)
        return VMR_E_UNSUPPORTED;
    event.flags = (port_space ? 1u << kvm_ioeventfd_flag_nr_pio : 0) |
                  (doorbell->match_value ? 1u << kvm_ioeventfd_flag_nr_datamatch : 0) |
                  (add ? 0 : 1u << kvm_ioeventfd_flag_nr_deassign);
    return status_of_event(kvm_host_ioctl(vm_fd, KVM_IOEVENTFD, kvm_pointer(&event)));
}

/*
 * KVM has no call that pulses a local pin of another VP, and the pin's meaning
 * is in the APIC page, which only the VP's thread can read while it runs. So
 * the request waits in the VP, and the VP is made to come and look.
 */
enum vmr_status kvm_vm_lint(struct vmr_backend_vm *backend_vm, vmr_vp_index index, unsigned lint)
{
    struct kvm_vp *vp = kvm_vm_of(backend_vm)->vps[index];

    atomic_fetch_or(&vp->lints_pending, 1u << lint);
    kvm_vp_nudge(vp);
    return VMR_OK;
}

int kvm_irq_pulse_lints(struct kvm_vp *vp, uint32_t lints)
{
    struct kvm_lapic_state lapic = {0};
    int result = kvm_host_ioctl(vp->fd.number, KVM_GET_LAPIC, kvm_pointer(&lapic));

    for (unsigned lint = 0; lint < 2 && result >= 0; lint++) {
        const char *entry = &lapic.regs[LAPIC_LVT_LINT0 + lint * LAPIC_LVT_STEP];
        uint32_t lvt = load_le32((const uint8_t *)entry);

        /* ExtINT has no vector here: the PIC's interrupts arrive on a way of their own. */
        if ((lints >> lint & 1) == 0 || (lvt & LVT_MASKED) || (lvt & LVT_MODE) == LVT_MODE_EXTINT)
            continue;
        /* A message to itself with the entry's vector and mode is what the entry asks for. */
        struct kvm_msi message = {
            .address_lo = MSI_ADDRESS | (vp->index & 0xff) << 12,
            .address_hi = vp->index & ~UINT32_C(0xff),
            .data = lvt & LVT_VECTOR_AND_MODE,
        };
        result = kvm_host_ioctl(vp->vm->fd.number, KVM_SIGNAL_MSI, kvm_pointer(&message));
        if (result == -EPERM)
            result = 0;
    }
    return result < 0 ? result : 0;
}
