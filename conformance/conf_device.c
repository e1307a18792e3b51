/* SPDX-License-Identifier: MIT */
/*
 * The device that remembers. Several VPs may call it at once: what it remembers
 * is guarded; the scenario's callback is called without the lock.
 */

#include "conformance/harness.h"

#include <stdlib.h>

#define REMEMBERED (sizeof(((struct conf_device *)0)->written) / sizeof(uint64_t))

struct conf_claim {
    struct conf_device *device;
    struct conf_state *state;
    struct conf_claim *next;
};

static uint64_t cut(uint64_t value, unsigned size)
{
    return size < 8 ? value & ((UINT64_C(1) << (8 * size)) - 1) : value;
}

static void remember_size(struct conf_device *device, uint32_t size)
{
    uint32_t accesses = device->reads + device->writes;

    if (accesses < REMEMBERED)
        device->sizes[accesses] = size;
}

static uint64_t device_read(void *context, const struct vmr_access *access)
{
    struct conf_claim *claim = context;
    struct conf_device *device = claim->device;

    pthread_mutex_lock(&claim->state->lock);
    uint64_t value = device->answer;

    device->answer += device->answer_step;
    device->last_read = *access;
    remember_size(device, access->size);
    device->reads++;
    pthread_mutex_unlock(&claim->state->lock);
    if (device->on_access)
        device->on_access(device, access, false);
    return cut(value, access->size);
}

static void device_write(void *context, const struct vmr_access *access, uint64_t value)
{
    struct conf_claim *claim = context;
    struct conf_device *device = claim->device;

    pthread_mutex_lock(&claim->state->lock);
    if (device->writes < REMEMBERED)
        device->written[device->writes] = value;
    device->last_write = *access;
    remember_size(device, access->size);
    device->writes++;
    pthread_mutex_unlock(&claim->state->lock);
    if (device->on_access)
        device->on_access(device, access, true);
}

static const struct vmr_device_ops device_ops = {.read = device_read, .write = device_write};

bool conf_device_claim(struct conf_vm *vm, struct vmr_bus *bus, uint64_t start, uint64_t length, uint8_t sizes,
                       struct conf_device *device)
{
    struct conf_claim *claim = calloc(1, sizeof(*claim));
    struct vmr_error err;

    if (!claim) {
        conf_fail(vm->conf, __FILE__, __LINE__, "out of memory");
        return false;
    }
    *claim = (struct conf_claim){.device = device, .state = vm->conf->state, .next = vm->state->claims};
    /* Linked first: a range that was claimed must find it, whatever comes later. */
    vm->state->claims = claim;
    const struct vmr_bus_range range = {.name = "the scenario's device",
                                        .start = start,
                                        .length = length,
                                        .sizes = sizes,
                                        .ops = &device_ops,
                                        .device = claim};

    if (vmr_bus_claim(bus, &range, &err) == VMR_OK)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "claiming [%#llx, +%#llx): %s", (unsigned long long)start,
              (unsigned long long)length, err.message);
    return false;
}

void conf_claims_destroy(struct conf_claim *claims)
{
    while (claims) {
        struct conf_claim *next = claims->next;

        free(claims);
        claims = next;
    }
}
