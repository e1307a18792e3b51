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
    struct sync_mutex polling; /* held during a poll */
    bool held;                 /* under it */
    _Atomic uint32_t quit;
};

static uint64_t poll_unless_held(struct machine_ticker *ticker)
{
    const struct vmr_host *host = ticker->host;
    uint64_t deadline_ns = VMR_NEVER;

    sync_mutex_lock(&ticker->polling);
    if (!ticker->held)
        deadline_ns = vmr_platform_poll(ticker->platform, host->ops->now_ns(host->context));
    sync_mutex_unlock(&ticker->polling);
    return deadline_ns;
}

static void ticker_main(void *argument)
{
    struct machine_ticker *ticker = argument;
    const struct vmr_host *host = ticker->host;

    while (sync_load_u32(host, &ticker->quit) == 0) {
        if (host->ops->park(host->context, ticker->parker, poll_unless_held(ticker)) == VMR_PARK_DEADLOCK)
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
    ticker->held = true;

    enum vmr_status status = sync_mutex_init(&ticker->polling, host);

    if (status == VMR_OK)
        status = host->ops->parker_create(host->context, &ticker->parker);
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
    sync_mutex_finish(&ticker->polling);
    free(ticker);
}

void machine_ticker_wake(struct machine_ticker *ticker)
{
    ticker->host->ops->unpark(ticker->host->context, ticker->parker);
}

void machine_ticker_hold(struct machine_ticker *ticker, bool hold)
{
    if (!ticker)
        return;
    sync_mutex_lock(&ticker->polling);
    ticker->held = hold;
    sync_mutex_unlock(&ticker->polling);
    if (!hold)
        machine_ticker_wake(ticker);
}
