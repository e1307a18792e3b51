/* SPDX-License-Identifier: MIT */
/*
 * A SynIC under real threads: a VP polls and reads its slots while hosts post,
 * signal, aim ports elsewhere, and add and remove ports under the guest's
 * calls; two VPs share the reference TSC page while memory goes. Threads count what is wrong; the test's own thread
 * asserts.
 */

#include "tests/hv/synic_rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SIMP (2 * PAGE)
#define MESSAGES 2000u
#define SENDERS 2u

struct shared {
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_synic *synic;
    _Atomic unsigned interrupts, signals, wrong, live_owners;
    _Atomic bool done;
};

static void count_interrupt(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    struct shared *shared = context;

    (void)auto_eoi;
    shared->wrong += vp != 0 || vtl != 0 || vector < 0x50 || vector > 0x52;
    shared->interrupts++;
}

static void wake_nobody(void *context, vmr_vp_index vp)
{
    (void)context;
    (void)vp;
}

/* SINT n of VP 0 carries what sender n sends. */
static void *send_messages(void *argument)
{
    struct shared *shared = argument;
    static _Atomic unsigned next_sint;
    const struct vmr_synic_target target = {.sint = (uint8_t)(atomic_fetch_add(&next_sint, 1) % SENDERS)};
    struct vmr_guest_message_port *port = NULL;

    shared->wrong += vmr_guest_message_port_create(shared->synic, &target, &port, NULL) != VMR_OK;
    for (uint32_t i = 1; i <= MESSAGES; i++) {
        while (vmr_guest_message_port_post(port, i, &i, sizeof(i)) == VMR_E_STATE)
            sched_yield();
    }
    vmr_guest_message_port_destroy(port);
    return NULL;
}

static void *send_signals(void *argument)
{
    struct shared *shared = argument;
    struct vmr_synic_target target = {.sint = 2};
    struct vmr_guest_event_port *port = NULL;
    uint16_t flag = 0;

    shared->wrong += vmr_guest_event_port_create(shared->synic, &target, 0, &port, NULL) != VMR_OK;
    while (!atomic_load(&shared->done)) {
        shared->wrong += vmr_guest_event_port_set(port, &target, flag++ % 2048, NULL) != VMR_OK;
        shared->signals += vmr_guest_event_port_signal(port) == VMR_SYNIC_SIGNALED;
        sched_yield();
    }
    vmr_guest_event_port_destroy(port);
    return NULL;
}

struct owner {
    struct shared *shared;
    _Atomic bool dead;
};

static void owner_signal(void *context, uint16_t flag)
{
    struct owner *owner = context;

    (void)flag;
    owner->shared->wrong += atomic_load(&owner->dead);
}

static void owner_release(void *context)
{
    struct owner *owner = context;

    owner->shared->live_owners--;
    atomic_store(&owner->dead, true);
    free(owner);
}

static void *come_and_go(void *argument)
{
    struct shared *shared = argument;

    while (!atomic_load(&shared->done)) {
        struct owner *owner = calloc(1, sizeof(*owner));
        const struct vmr_event_port port = {
            .connection_id = 5, .signal = owner_signal, .release = owner_release, .context = owner};
        struct vmr_synic_port *handle = NULL;

        owner->shared = shared;
        shared->live_owners++;
        shared->wrong += vmr_synic_event_port_add(shared->synic, &port, &handle, NULL) != VMR_OK;
        sched_yield();
        vmr_synic_port_remove(handle);
    }
    return NULL;
}

/* The guest: reads what came in order, frees the slot, writes EOM if it is asked to. */
static void read_slot(struct shared *shared, unsigned sint, uint32_t *last)
{
    uint8_t slot[32];

    shared->wrong += vmr_memory_read(shared->memory, SIMP + sint * 256, slot, sizeof(slot)) != VMR_OK;
    if (load_le32(slot) == 0)
        return;
    shared->wrong += load_le32(slot) != *last + 1 || load_le32(slot + 16) != load_le32(slot);
    *last = load_le32(slot);
    shared->wrong += vmr_memory_fill(shared->memory, SIMP + sint * 256, 0, 4) != VMR_OK;
    shared->wrong += vmr_synic_msr_write(shared->synic, 0, 0, HV_MSR_EOM, 0) != VMR_MSR_OK;
}

static void run_guest(struct shared *shared)
{
    uint32_t last[SENDERS] = {0};

    /* A thread can be so late that every message came before it began: the guest waits for a flag too. */
    while (last[0] < MESSAGES || last[1] < MESSAGES || shared->signals == 0) {
        (void)vmr_synic_poll(shared->synic, 0, 0);
        for (unsigned sint = 0; sint < SENDERS; sint++)
            read_slot(shared, sint, &last[sint]);
        enum hv_status status = vmr_synic_guest_signal(shared->synic, 0, 5, 1);

        shared->wrong += status != HV_STATUS_SUCCESS && status != HV_STATUS_INVALID_CONNECTION_ID;
        if (last[0] % 64 == 0)
            sched_yield();
    }
}

static void all_at_once_lose_nothing(void **state)
{
    (void)state;
    struct shared shared = {0};
    const struct vmr_memory_region ram = {.size = 16 * PAGE};
    static void *(*const bodies[])(void *argument) = {send_messages, send_messages, send_signals, come_and_go};
    pthread_t threads[COUNT_OF(bodies)];

    vmr_host_posix(&shared.host, NULL);
    assert_int_equal(vmr_memory_create(&shared.host, &shared.memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(shared.memory, &ram, NULL), VMR_OK);
    const struct vmr_synic_options options = {.host = &shared.host,
                                              .memory = shared.memory,
                                              .vp_count = 1,
                                              .context = &shared,
                                              .interrupt = count_interrupt,
                                              .wake = wake_nobody};

    assert_int_equal(vmr_synic_create(&options, &shared.synic, NULL), VMR_OK);
    assert_int_equal(vmr_synic_msr_write(shared.synic, 0, 0, HV_MSR_SIMP, SIMP | 1), VMR_MSR_OK);
    assert_int_equal(vmr_synic_msr_write(shared.synic, 0, 0, HV_MSR_SIEFP, (3 * PAGE) | 1), VMR_MSR_OK);
    for (uint32_t sint = 0; sint < 3; sint++)
        assert_int_equal(vmr_synic_msr_write(shared.synic, 0, 0, HV_MSR_SINT0 + sint, 0x50 + sint), VMR_MSR_OK);
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], &shared), 0);
    run_guest(&shared);
    atomic_store(&shared.done, true);
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.wrong, 0);
    assert_int_equal(shared.live_owners, 0);
    assert_int_equal(shared.interrupts, 2 * MESSAGES + shared.signals);
    assert_true(shared.signals > 0);
    vmr_synic_destroy(shared.synic);
    vmr_memory_destroy(shared.memory);
}

#define ISLAND (64 * PAGE)
#define TURNS 500u

static bool tsc_of_host(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    const struct shared *shared = context;

    (void)vp;
    *ret_tsc = shared->host.ops->now_ns(shared->host.context);
    return true;
}

static void *move_memory(void *argument)
{
    struct shared *shared = argument;
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = PAGE};

    while (!atomic_load(&shared->done)) {
        shared->wrong += vmr_memory_region_add(shared->memory, &island, NULL) != VMR_OK;
        sched_yield();
        shared->wrong += vmr_memory_region_remove(shared->memory, ISLAND, NULL) != VMR_OK;
    }
    return NULL;
}

/* A write of the register is refused only while there is no memory; the page is updated by whoever polls. */
static void *turn_page_on_and_off(void *argument)
{
    struct shared *shared = argument;
    static _Atomic uint32_t next_vp;
    uint32_t vp = atomic_fetch_add(&next_vp, 1) % 2;

    for (unsigned i = 0; i < TURNS; i++) {
        (void)vmr_synic_msr_write(shared->synic, vp, 0, HV_MSR_REFERENCE_TSC, ISLAND | HV_PAGE_ENABLE);
        (void)vmr_synic_poll(shared->synic, vp, 0);
        shared->wrong += vmr_synic_msr_write(shared->synic, vp, 0, HV_MSR_REFERENCE_TSC, 0) != VMR_MSR_OK;
        (void)vmr_synic_poll(shared->synic, vp, 0);
    }
    return NULL;
}

static void two_vps_share_a_tsc_page_whose_memory_goes(void **state)
{
    (void)state;
    struct shared shared = {0};
    pthread_t vps[2], mover;
    uint64_t value = 1;

    vmr_host_posix(&shared.host, NULL);
    assert_int_equal(vmr_memory_create(&shared.host, &shared.memory, NULL), VMR_OK);
    const struct vmr_synic_options options = {.host = &shared.host,
                                              .memory = shared.memory,
                                              .vp_count = 2,
                                              .context = &shared,
                                              .interrupt = count_interrupt,
                                              .wake = wake_nobody,
                                              .tsc = tsc_of_host,
                                              .tsc_hz = UINT64_C(1000000000)};

    assert_int_equal(vmr_synic_create(&options, &shared.synic, NULL), VMR_OK);
    assert_int_equal(pthread_create(&mover, NULL, move_memory, &shared), 0);
    for (size_t i = 0; i < COUNT_OF(vps); i++)
        assert_int_equal(pthread_create(&vps[i], NULL, turn_page_on_and_off, &shared), 0);
    for (size_t i = 0; i < COUNT_OF(vps); i++)
        pthread_join(vps[i], NULL);
    atomic_store(&shared.done, true);
    pthread_join(mover, NULL);
    assert_int_equal(shared.wrong, 0);
    assert_int_equal(vmr_synic_msr_read(shared.synic, 0, 0, HV_MSR_REFERENCE_TSC, &value), VMR_MSR_OK);
    assert_int_equal(value, 0);
    vmr_synic_destroy(shared.synic);
    vmr_memory_destroy(shared.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once_lose_nothing),
        cmocka_unit_test(two_vps_share_a_tsc_page_whose_memory_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
