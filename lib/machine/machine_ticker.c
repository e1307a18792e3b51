/* SPDX-License-Identifier: MIT */
/*
 * The timers of a machine whose interrupt controllers are all in the
 * hypervisor: no VP asks the library for interrupts there, so a thread sleeps
 * until the platform's next deadline and polls it.
 */

#include <stdlib.h>

#include "lib/machine/machine.h"

struct machine_ticker {
    const struct vmr_host *host;
    struct vmr_platform *platform;
    struct vmr_parker *parker;
    struct vmr_thread *thread;
    _Atomic uint32_t quit;
};

static void ticker_main(void *argument)
{
    struct machine_ticker *ticker = argument;
    const struct vmr_host *host = ticker->host;

    while (sync_load_u32(host, &ticker->quit) == 0) {
        uint64_t deadline_ns = vmr_platform_poll(ticker->platform, host->ops->now_ns(host->context));

        if (host->ops->park(host->context, ticker->parker, deadline_ns) == VMR_PARK_DEADLOCK)
            return; /* a virtual host: no device will ever be accessed again */
    }
}

enum vmr_status machine_ticker_create(const struct vmr_host *host, struct vmr_platform *platform,
                                      struct machine_ticker **ret_ticker, struct vmr_error *err)
{
    struct machine_ticker *ticker = calloc(1, sizeof(*ticker));

    if (!ticker)
        return vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    ticker->host = host;
    ticker->platform = platform;

    enum vmr_status status = host->ops->parker_create(host->context, &ticker->parker);

    if (status == VMR_OK)
        status = host->ops->thread_start(host->context, "vmrig-ticker", ticker_main, ticker, &ticker->thread);
    if (status != VMR_OK) {
        machine_ticker_destroy(ticker);
        return vmr_error_set(err, status, "machine: the host could not start the timer thread");
    }
    *ret_ticker = ticker;
    return VMR_OK;
}

void machine_ticker_destroy(struct machine_ticker *ticker)
{
    if (!ticker)
        return;
    const struct vmr_host *host = ticker->host;

    if (ticker->thread) {
        sync_store_u32(host, &ticker->quit, 1);
        host->ops->unpark(host->context, ticker->parker);
        host->ops->thread_join(host->context, ticker->thread);
    }
    host->ops->parker_destroy(host->context, ticker->parker);
    free(ticker);
}

void machine_ticker_wake(struct machine_ticker *ticker)
{
    ticker->host->ops->unpark(ticker->host->context, ticker->parker);
}
