/* SPDX-License-Identifier: MIT */
/*
 * Doorbells and irqfds. Rules of refusal are those of KVM's ioeventfd and irqfd,
 * where they are the hypervisor's to make: see vmr_partition_doorbell.
 */

#include "backends/mock/events.h"

#include <stdlib.h>

#include "backends/mock/chip.h"
#include "vmrig/limits.h"

struct irqfd {
    struct irqfd *next;
    struct vmr_backend_vm *vm;
    int fd;
    uint32_t gsi;
    struct vmr_event_watch *watch;
};

struct bell {
    struct bell *next;
    enum vmr_bus_space space;
    struct vmr_doorbell doorbell;
    int fd;
};

enum vmr_status events_init(struct events *events, const struct vmr_host *host)
{
    if (sync_mutex_init(&events->irqfd_lock, host) || sync_rwlock_init(&events->bell_lock, host))
        return VMR_E_NOMEM;
    return VMR_OK;
}

void events_finish(struct events *events)
{
    while (events->bells) {
        struct bell *bell = events->bells;

        events->bells = bell->next;
        free(bell);
    }
    sync_rwlock_finish(&events->bell_lock);
    sync_mutex_finish(&events->irqfd_lock);
}

/* --- irqfds --- */

/* An edge, as with KVM: the event holds no level. */
static void raise_line(void *argument)
{
    const struct irqfd *irqfd = argument;

    (void)chip_irq(irqfd->vm, irqfd->gsi, true);
    (void)chip_irq(irqfd->vm, irqfd->gsi, false);
}

static struct irqfd **irqfd_place(struct events *events, int fd)
{
    struct irqfd **place = &events->irqfds;

    while (*place && (*place)->fd != fd)
        place = &(*place)->next;
    return place;
}

static enum vmr_status irqfd_add(struct vmr_backend_vm *vm, int fd, uint32_t gsi)
{
    const struct vmr_host *host = vm->host;
    struct irqfd **place = irqfd_place(&vm->events, fd);
    struct irqfd *irqfd;

    if (*place)
        return VMR_E_CONFIG;
    irqfd = calloc(1, sizeof(*irqfd));
    if (!irqfd)
        return VMR_E_NOMEM;
    *irqfd = (struct irqfd){.vm = vm, .fd = fd, .gsi = gsi};
    enum vmr_status status = host->ops->events->watch(host->context, fd, raise_line, irqfd, &irqfd->watch);

    if (status) {
        free(irqfd);
        return status;
    }
    *place = irqfd;
    return VMR_OK;
}

static void irqfd_remove(struct vmr_backend_vm *vm, struct irqfd **place)
{
    struct irqfd *irqfd = *place;

    vm->host->ops->events->unwatch(vm->host->context, irqfd->watch);
    *place = irqfd->next;
    free(irqfd);
}

void events_unwatch(struct vmr_backend_vm *vm)
{
    while (vm->events.irqfds)
        irqfd_remove(vm, &vm->events.irqfds);
}

enum vmr_status mock_vm_irqfd(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add)
{
    enum vmr_status status = fault_call(vm->hypervisor, "watching an event", NULL);

    if (status)
        return status;
    sync_mutex_lock(&vm->events.irqfd_lock);
    if (add) {
        status = irqfd_add(vm, fd, gsi);
    } else {
        struct irqfd **place = irqfd_place(&vm->events, fd);

        if (*place && (*place)->gsi == gsi)
            irqfd_remove(vm, place);
    }
    sync_mutex_unlock(&vm->events.irqfd_lock);
    return status;
}

/* --- doorbells --- */

/* The same size, or one of them takes any; the same value likewise. */
static bool one_write_rings_both(const struct vmr_doorbell *a, const struct vmr_doorbell *b)
{
    return a->address == b->address && (a->size == b->size || a->size == 0 || b->size == 0) &&
           (!a->match_value || !b->match_value || a->value == b->value);
}

static bool is_same(const struct vmr_doorbell *a, const struct vmr_doorbell *b)
{
    return a->address == b->address && a->size == b->size && a->match_value == b->match_value &&
           (!a->match_value || a->value == b->value);
}

static enum vmr_status bell_add(struct events *events, const struct bell *wanted)
{
    struct bell *bell;

    for (bell = events->bells; bell; bell = bell->next) {
        if (bell->space == wanted->space && one_write_rings_both(&bell->doorbell, &wanted->doorbell))
            return VMR_E_CONFIG;
    }
    if (atomic_load(&events->bell_count) >= VMR_BUS_DOORBELL_MAX)
        return VMR_E_HOST;
    bell = calloc(1, sizeof(*bell));
    if (!bell)
        return VMR_E_NOMEM;
    *bell = *wanted;
    bell->next = events->bells;
    events->bells = bell;
    (void)atomic_fetch_add(&events->bell_count, 1);
    return VMR_OK;
}

static enum vmr_status bell_remove(struct events *events, const struct bell *wanted)
{
    for (struct bell **place = &events->bells; *place; place = &(*place)->next) {
        struct bell *bell = *place;

        if (bell->space != wanted->space || bell->fd != wanted->fd || !is_same(&bell->doorbell, &wanted->doorbell))
            continue;
        *place = bell->next;
        free(bell);
        (void)atomic_fetch_sub(&events->bell_count, 1);
        return VMR_OK;
    }
    return VMR_E_USAGE;
}

enum vmr_status mock_vm_doorbell(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell,
                                 int fd, bool add)
{
    const struct bell wanted = {.space = port_space ? VMR_BUS_PORTS : VMR_BUS_MMIO, .doorbell = *doorbell, .fd = fd};
    enum vmr_status status = fault_call(vm->hypervisor, "setting a doorbell", NULL);

    if (status)
        return status;
    sync_rwlock_write_lock(&vm->events.bell_lock);
    status = add ? bell_add(&vm->events, &wanted) : bell_remove(&vm->events, &wanted);
    sync_rwlock_write_unlock(&vm->events.bell_lock);
    return status;
}

/* VTLs do not count: the core asks for none above 0, and from there on all may ring. */
static bool takes(const struct bell *bell, enum vmr_bus_space space, uint64_t address, unsigned size, uint64_t value)
{
    const struct vmr_doorbell *doorbell = &bell->doorbell;

    return bell->space == space && doorbell->address == address && (doorbell->size == 0 || doorbell->size == size) &&
           (!doorbell->match_value || doorbell->value == value);
}

bool events_ring(struct vmr_backend_vm *vm, enum vmr_bus_space space, uint64_t address, unsigned size, uint64_t value)
{
    struct events *events = &vm->events;

    if (!events_have_bells(events))
        return false;
    sync_rwlock_read_lock(&events->bell_lock);
    const struct bell *bell = events->bells;

    while (bell && !takes(bell, space, address, size, value))
        bell = bell->next;
    if (bell)
        vm->host->ops->events->signal(vm->host->context, bell->fd);
    sync_rwlock_read_unlock(&events->bell_lock);
    return bell != NULL;
}
