/* SPDX-License-Identifier: MIT */
/*
 * Things that go wrong on demand. Each fault counts what it may hit, over
 * everything made from one handle, and hits once, or from then on.
 */

#include "backends/mock/machine.h"

bool fault_count(struct mock_hypervisor *hypervisor, enum vmr_mock_fault fault)
{
    uint64_t count = atomic_fetch_add_explicit(&hypervisor->faults[fault].count, 1, memory_order_relaxed) + 1;

    uint64_t nth = atomic_load_explicit(&hypervisor->faults[fault].nth, memory_order_relaxed);

    return count == nth ||
           (nth > 0 && count > nth && atomic_load_explicit(&hypervisor->faults[fault].lasts, memory_order_relaxed));
}

enum vmr_status fault_call(struct mock_hypervisor *hypervisor, const char *call, struct vmr_error *err)
{
    if (!fault_hits(hypervisor, VMR_MOCK_FAIL_CALL))
        return VMR_OK;
    return vmr_error_set(err, VMR_E_HOST, "mock: %s failed, as it was told to", call);
}

/* A handle may belong to another backend, which has another context. */
static struct mock_hypervisor *hypervisor_of(const struct vmr_hypervisor_handle *handle)
{
    return vmr_backend_is(handle->backend, vmr_mock_backend()) ? handle->context : NULL;
}

static enum vmr_status set_fault(struct vmr_hypervisor_handle *handle, enum vmr_mock_fault fault, uint64_t nth,
                                 bool lasts)
{
    struct mock_hypervisor *hypervisor = hypervisor_of(handle);

    if (!hypervisor || (unsigned)fault >= VMR_MOCK_FAULT_COUNT)
        return VMR_E_USAGE;
    atomic_store(&hypervisor->faults[fault].count, 0);
    atomic_store(&hypervisor->faults[fault].lasts, lasts);
    atomic_store(&hypervisor->faults[fault].nth, nth);
    atomic_store(&hypervisor->counting, true);
    return VMR_OK;
}

enum vmr_status vmr_mock_set_fault(struct vmr_hypervisor_handle *handle, enum vmr_mock_fault fault, uint64_t nth)
{
    return set_fault(handle, fault, nth, false);
}

enum vmr_status vmr_mock_set_lasting_fault(struct vmr_hypervisor_handle *handle, enum vmr_mock_fault fault,
                                           uint64_t nth)
{
    return set_fault(handle, fault, nth, true);
}

uint64_t vmr_mock_fault_count(const struct vmr_hypervisor_handle *handle, enum vmr_mock_fault fault)
{
    struct mock_hypervisor *hypervisor = hypervisor_of(handle);

    if (!hypervisor || (unsigned)fault >= VMR_MOCK_FAULT_COUNT)
        return 0;
    return atomic_load(&hypervisor->faults[fault].count);
}
