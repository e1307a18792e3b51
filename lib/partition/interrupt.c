/* SPDX-License-Identifier: MIT */
/*
 * Raising interrupts: each call goes to the library's controllers or to the
 * hypervisor's, whichever has the local APICs or the line. Arguments are checked
 * here, once; each change is bracketed so that a recorder sees it [TRC-1].
 */

#include <stdlib.h>
#include <string.h>

#include "lib/io/doorbell.h"
#include "lib/partition/partition.h"

static bool chip_has_lines(const struct vmr_partition *partition)
{
    return partition->chip_ops && partition->handle.irqchip != VMR_IRQCHIP_KERNEL;
}

static bool chip_has_apics(const struct vmr_partition *partition)
{
    return partition->chip_ops && partition->handle.irqchip == VMR_IRQCHIP_USER;
}

static void chip_wakes(void *context, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(context, index);

    if (vp)
        (void)vp_request(vp, REQUEST_WAKE, NULL);
}

static bool chip_delivers(void *context, const struct vmr_msi *msi)
{
    struct vmr_partition *partition = context;

    return partition->backend->vm_msi(partition->backend_vm, msi) == VMR_OK;
}

static void chip_routes(void *context, uint32_t gsi, const struct vmr_msi *msi)
{
    struct vmr_partition *partition = context;

    if (partition->backend->vm_set_route(partition->backend_vm, gsi, msi))
        partition->host->ops->log(partition->host->context, VMR_LOG_ERROR, VMR_CULPRIT_HOST,
                                  "the hypervisor refused an interrupt route");
}

enum vmr_status vmr_partition_attach_irqchip(struct vmr_partition *partition, const struct vmr_irqchip_ops *ops,
                                             void *chip, struct vmr_error *err)
{
    if (partition->handle.irqchip == VMR_IRQCHIP_KERNEL)
        return vmr_error_set(err, VMR_E_STATE, "interrupt controllers: all of them are in the hypervisor");
    sync_mutex_lock(&partition->lock);
    bool taken = partition->chip_ops != NULL;
    bool too_late = partition->bound_once;

    if (!taken && !too_late) {
        partition->chip_ops = ops;
        partition->chip = chip;
    }
    sync_mutex_unlock(&partition->lock);
    if (taken)
        return vmr_error_set(err, VMR_E_STATE, "interrupt controllers: the partition has some");
    if (too_late)
        return vmr_error_set(err, VMR_E_STATE, "interrupt controllers: a VP has been bound already");
    ops->set_wake(chip, chip_wakes, partition);
    if (partition->handle.irqchip == VMR_IRQCHIP_SPLIT)
        ops->set_msi_target(chip, chip_delivers, chip_routes, partition);
    return VMR_OK;
}

enum vmr_status vmr_partition_irq(struct vmr_partition *partition, uint32_t gsi, bool level)
{
    enum vmr_status status = VMR_E_UNSUPPORTED;

    if (gsi >= VMR_GSI_MAX)
        return VMR_E_USAGE;
    partition_async_begin(partition, &(struct vmr_async){.kind = VMR_ASYNC_IRQ, .a = gsi, .b = level});
    if (chip_has_lines(partition))
        status = partition->chip_ops->irq(partition->chip, gsi, level) ? VMR_OK : VMR_E_USAGE;
    else if (partition->handle.irqchip == VMR_IRQCHIP_KERNEL)
        status = partition->backend->vm_irq(partition->backend_vm, gsi, level);
    partition_async_end(partition);
    return status;
}

enum vmr_status partition_deliver_msi(struct vmr_partition *partition, const struct vmr_msi *msi)
{
    if (chip_has_apics(partition))
        return partition->chip_ops->msi(partition->chip, msi) ? VMR_OK : VMR_E_GUEST;
    if (partition_apic_in_hypervisor(partition) && partition->backend->vm_msi)
        return partition->backend->vm_msi(partition->backend_vm, msi);
    return VMR_E_UNSUPPORTED;
}

enum vmr_status vmr_partition_msi(struct vmr_partition *partition, const struct vmr_msi *msi)
{
    partition_async_begin(partition, &(struct vmr_async){.kind = VMR_ASYNC_MSI, .a = msi->address, .b = msi->data});
    enum vmr_status status = partition_deliver_msi(partition, msi);

    partition_async_end(partition);
    return status;
}

enum vmr_status vmr_partition_lint(struct vmr_partition *partition, vmr_vp_index index, unsigned lint)
{
    enum vmr_status status = VMR_E_UNSUPPORTED;

    if (index >= partition->vp_count || lint > 1)
        return VMR_E_USAGE;
    partition_async_begin(partition, &(struct vmr_async){.kind = VMR_ASYNC_LINT, .a = index, .b = lint});
    if (chip_has_apics(partition))
        status = partition->chip_ops->lint(partition->chip, index, lint) ? VMR_OK : VMR_E_GUEST;
    else if (partition_apic_in_hypervisor(partition) && partition->backend->vm_lint)
        status = partition->backend->vm_lint(partition->backend_vm, index, lint);
    partition_async_end(partition);
    return status;
}

enum vmr_status vmr_partition_nmi(struct vmr_partition *partition, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(partition, index);

    if (!vp)
        return VMR_E_USAGE;
    if (!chip_has_apics(partition) && !partition->backend->vp_nmi)
        return VMR_E_UNSUPPORTED;
    partition_async_begin(partition, &(struct vmr_async){.kind = VMR_ASYNC_NMI, .a = index});
    if (chip_has_apics(partition))
        (void)partition->chip_ops->nmi(partition->chip, index);
    else
        (void)vp_request(vp, REQUEST_NMI, NULL);
    partition_async_end(partition);
    return VMR_OK;
}

enum vmr_status vmr_partition_set_route(struct vmr_partition *partition, uint32_t gsi, const struct vmr_msi *msi)
{
    if (gsi >= VMR_GSI_MAX)
        return VMR_E_USAGE;
    if (!partition_apic_in_hypervisor(partition) || !vmr_caps_have(&partition->caps, VMR_CAP_MSI))
        return VMR_E_UNSUPPORTED;
    return partition->backend->vm_set_route(partition->backend_vm, gsi, msi);
}

static const char *reason_of(enum vmr_status status, const char *taken, const char *absent)
{
    if (status == VMR_E_CONFIG)
        return taken;
    return status == VMR_E_USAGE ? absent : "the hypervisor refused it";
}

enum vmr_status vmr_partition_irqfd(struct vmr_partition *partition, int fd, uint32_t gsi, bool add,
                                    struct vmr_error *err)
{
    if (fd < 0 || gsi >= VMR_GSI_MAX)
        return vmr_error_set(err, VMR_E_USAGE, "irqfd: descriptor %d, GSI %u", fd, gsi);
    if (!partition_apic_in_hypervisor(partition) || !vmr_caps_have(&partition->caps, VMR_CAP_IRQFD))
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "irqfd: hypervisor '%s' raises no interrupts for this partition by itself",
                             partition->backend->name);
    enum vmr_status status = partition->backend->vm_irqfd(partition->backend_vm, fd, gsi, add);

    return status ? vmr_error_set(err, status, "irqfd: descriptor %d on GSI %u: %s", fd, gsi,
                                  reason_of(status, "it raises a line already", "it is no event"))
                  : VMR_OK;
}

/* --- doorbells --- */

static bool is_doorbell(const struct kept_doorbell *kept, const struct kept_doorbell *wanted)
{
    return kept->space == wanted->space && kept->fd == wanted->fd &&
           kept->doorbell.address == wanted->doorbell.address && kept->doorbell.size == wanted->doorbell.size &&
           kept->doorbell.match_value == wanted->doorbell.match_value && kept->doorbell.value == wanted->doorbell.value;
}

/* With the lock. False: out of memory. */
static bool keep(struct vmr_partition *partition, const struct kept_doorbell *wanted)
{
    if (partition->doorbell_count == partition->doorbell_capacity) {
        size_t larger = partition->doorbell_capacity ? 2 * partition->doorbell_capacity : 8;
        struct kept_doorbell *moved = realloc(partition->doorbells, larger * sizeof(*moved));

        if (!moved)
            return false;
        partition->doorbells = moved;
        partition->doorbell_capacity = larger;
    }
    partition->doorbells[partition->doorbell_count++] = *wanted;
    return true;
}

/* With the lock. */
static void forget(struct vmr_partition *partition, const struct kept_doorbell *wanted)
{
    size_t i = 0;

    while (i < partition->doorbell_count && !is_doorbell(&partition->doorbells[i], wanted))
        i++;
    if (i == partition->doorbell_count)
        return;
    partition->doorbell_count--;
    memmove(&partition->doorbells[i], &partition->doorbells[i + 1],
            (partition->doorbell_count - i) * sizeof(partition->doorbells[0]));
}

/* Adds or takes away, in the hypervisor and in the list: in both, or in neither. */
static enum vmr_status change_doorbell(struct vmr_partition *partition, const struct kept_doorbell *wanted, bool add)
{
    const struct vmr_backend *backend = partition->backend;
    bool ports = wanted->space == VMR_BUS_PORTS;
    enum vmr_status status = backend->vm_doorbell(partition->backend_vm, ports, &wanted->doorbell, wanted->fd, add);

    if (status)
        return status;
    sync_mutex_lock(&partition->lock);
    if (!add)
        forget(partition, wanted);
    else if (!keep(partition, wanted))
        status = VMR_E_NOMEM;
    sync_mutex_unlock(&partition->lock);
    if (status)
        (void)backend->vm_doorbell(partition->backend_vm, ports, &wanted->doorbell, wanted->fd, false);
    return status;
}

bool vmr_partition_doorbell_get(struct vmr_partition *partition, size_t index, enum vmr_bus_space *ret_space,
                                struct vmr_doorbell *ret_doorbell, int *ret_fd)
{
    sync_mutex_lock(&partition->lock);
    bool is_there = index < partition->doorbell_count;

    if (is_there) {
        *ret_space = partition->doorbells[index].space;
        *ret_doorbell = partition->doorbells[index].doorbell;
        *ret_fd = partition->doorbells[index].fd;
    }
    sync_mutex_unlock(&partition->lock);
    return is_there;
}

enum vmr_status vmr_partition_doorbell(struct vmr_partition *partition, enum vmr_bus_space space,
                                       const struct vmr_doorbell *doorbell, int fd, bool add, struct vmr_error *err)
{
    unsigned long long address = doorbell->address;

    if (fd < 0)
        return vmr_error_set(err, VMR_E_USAGE, "doorbell at %#llx: descriptor %d", address, fd);
    if (!vmr_caps_have(&partition->caps, VMR_CAP_DOORBELL) || doorbell->minimum_vtl > VMR_VTL0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "doorbell at %#llx: hypervisor '%s' has none for VTL %u", address,
                             partition->backend->name, doorbell->minimum_vtl);
    enum vmr_status status = doorbell_check(space, doorbell, err);

    if (status)
        return status;
    const struct kept_doorbell wanted = {.space = space, .doorbell = *doorbell, .fd = fd};

    status = change_doorbell(partition, &wanted, add);
    return status ? vmr_error_set(err, status, "doorbell at %#llx, descriptor %d: %s", address, fd,
                                  reason_of(status, "a write that rings it rings another already",
                                            add ? "it is no event" : "there is none to take away"))
                  : VMR_OK;
}
