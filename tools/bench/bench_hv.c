/* SPDX-License-Identifier: MIT */
/*
 * What a hypercall costs: its dispatch alone, from a guest's registers to its
 * port with few and many ports, through the whole loop, on KVM beside a trigger
 * by monitor page; and how long a message takes to a guest's handler.
 */

#include "tools/bench/bench_hv.h"

#include <stdio.h>
#include <stdlib.h>

#define TURNS 101u
#define CALLS 200000u
#define MOCK_CALLS 5000u
#define KVM_CALLS 50u
#define MESSAGES 400u
/* Long enough for the VP to be in the guest again. */
#define PAUSE_NS UINT64_C(200000)
#define GUEST_SECONDS 10u
#define PORTS_MAX VMR_SYNIC_PORT_MAX

#define SIGNAL_FAST (HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST)

/* --- without a VM: an interface of its own --- */

static void no_interrupt(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi)
{
    (void)context, (void)vp, (void)vector, (void)auto_eoi;
}

static void no_wake(void *context, vmr_vp_index vp)
{
    (void)context, (void)vp;
}

static void count_signal(void *context, uint16_t flag)
{
    (void)flag;
    ++*(uint64_t *)context;
}

static enum hv_status do_nothing(void *context, struct vmr_hv_call *call)
{
    (void)context, (void)call;
    return HV_STATUS_SUCCESS;
}

struct interface {
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_hv_guest *guest;
    struct vmr_synic_port **ports;
    uint32_t port_count;
    uint64_t signals;
};

static enum vmr_status interface_create(struct interface *interface, uint32_t ports, struct vmr_error *err)
{
    const struct vmr_memory_region ram = {.size = BENCH_RAM_BYTES};

    *interface = (struct interface){.ports = calloc(ports, sizeof(struct vmr_synic_port *))};
    vmr_host_posix(&interface->host, NULL);
    enum vmr_status status = interface->ports ? vmr_memory_create(&interface->host, &interface->memory, err)
                                              : vmr_error_set(err, VMR_E_NOMEM, "out of memory");

    if (!status)
        status = vmr_memory_region_add(interface->memory, &ram, err);
    const struct vmr_hv_guest_options options = {.host = &interface->host,
                                                 .memory = interface->memory,
                                                 .vp_count = 1,
                                                 .target = {.interrupt = no_interrupt, .wake = no_wake}};

    if (!status)
        status = vmr_hv_guest_create(&options, &interface->guest, err);
    while (!status && interface->port_count < ports) {
        const struct vmr_event_port port = {
            .connection_id = interface->port_count, .signal = count_signal, .context = &interface->signals};

        status = vmr_synic_event_port_add(vmr_hv_guest_synic(interface->guest), &port,
                                          &interface->ports[interface->port_count], err);
        interface->port_count += status == VMR_OK;
    }
    return status;
}

static void interface_destroy(struct interface *interface)
{
    for (uint32_t i = 0; i < interface->port_count; i++)
        vmr_synic_port_remove(interface->ports[i]);
    vmr_hv_guest_destroy(interface->guest);
    vmr_memory_destroy(interface->memory);
    free(interface->ports);
}

static bool dispatch_alone(struct bench_report *report)
{
    const struct vmr_hv_call_handler handler = {.run = do_nothing};
    const struct vmr_hv_caller caller = {
        .instruction_length = 2, .pc_advanced = true, .without_xmm = true, .privileges = UINT64_MAX};
    struct vmr_hv_call_registers registers = {.pc = 0x1000};
    struct vmr_hv_calls calls = {0};
    struct vmr_hv_result result = {0};
    double samples[TURNS];
    uint32_t turns = bench_rounds(report, TURNS), rounds = bench_rounds(report, CALLS);
    enum vmr_status status = vmr_hv_calls_set(&calls, HV_CALL_SIGNAL_EVENT, &handler);

    registers.gpr[VMR_X86_RCX] = SIGNAL_FAST;
    for (uint32_t turn = 0; !status && turn < turns; turn++) {
        uint64_t begin = bench_now_ns();

        for (uint32_t i = 0; !status && i < rounds; i++)
            status = vmr_hv_dispatch(&calls, &caller, NULL, &registers, &result);
        samples[turn] = (double)(bench_now_ns() - begin) / rounds;
    }
    if (status || result.status != HV_STATUS_SUCCESS)
        return bench_failed("dispatch", status, NULL);
    bench_add(report, "hypercall: dispatch of SignalEvent alone", "ns", samples, turns);
    bench_compare(report, "hypercall: dispatch of SignalEvent alone", NULL, "50 or less");
    return true;
}

/* To one port, or to each in turn: then what is measured is mostly the caches of the machine. */
static bool signal_ports(struct interface *interface, bool each, uint32_t rounds)
{
    struct vmr_x86_regs regs = {.cr0 = 1, .efer = 0x500, .cs = {.attributes = 0xa09b}, .ss = {.attributes = 0xc093}};
    struct vmr_hv_site site = {.instruction_length = 2, .regs = &regs};

    for (uint32_t i = 0; i < rounds; i++) {
        regs.gpr[VMR_X86_RCX] = SIGNAL_FAST;
        regs.gpr[VMR_X86_RDX] = each ? i * 7919u % interface->port_count : interface->port_count / 2;
        if (vmr_hv_guest_call(interface->guest, &site) != VMR_HV_SITE_SERVED || regs.gpr[VMR_X86_RAX] != 0)
            return false;
    }
    return true;
}

static bool scale_ports(struct bench_report *report, uint32_t ports, bool each)
{
    struct interface interface;
    struct vmr_error err = {0};
    double samples[BENCH_SAMPLES];
    char name[56];
    uint32_t rounds = bench_rounds(report, CALLS);
    enum vmr_status status = interface_create(&interface, ports, &err);

    for (size_t sample = 0; !status && sample < BENCH_SAMPLES; sample++) {
        uint64_t begin = bench_now_ns();

        if (!signal_ports(&interface, each, rounds))
            status = VMR_E_STATE;
        samples[sample] = (double)(bench_now_ns() - begin) / rounds;
    }
    interface_destroy(&interface);
    if (status)
        return bench_failed("signals to ports", status, &err);
    (void)snprintf(name, sizeof(name), "SignalEvent to %s of %u ports", each ? "each" : "one", ports);
    bench_add(report, name, "ns", samples, BENCH_SAMPLES);
    bench_compare(report, name, "SignalEvent to one of 1 ports", ports == PORTS_MAX && !each ? "2 or less" : NULL);
    return true;
}

/* --- through the loop --- */

static bool loop(struct bench_report *report, const char *spec, enum bench_hv_guest guest, const char *name)
{
    struct bench_hv_vm vm;
    double samples[TURNS];
    bool unavailable, good = true;
    uint32_t turns = bench_rounds(report, TURNS);

    if (!bench_hv_create(&vm, spec, guest, &unavailable))
        return unavailable;
    for (uint32_t i = 0; good && i < turns; i++) {
        samples[i] = bench_hv_run(&vm, MOCK_CALLS);
        good = samples[i] >= 0;
    }
    bench_hv_destroy(&vm);
    if (!good)
        return bench_failed(name, VMR_E_STATE, NULL);
    bench_add(report, name, "ns", samples, turns);
    return true;
}

/* --- on KVM, turn by turn --- */

#define KVM_GUESTS 3u

struct kvm_turns {
    struct bench_hv_vm vms[KVM_GUESTS];
    double ns[KVM_GUESTS][TURNS];
};

static bool take_turns(struct kvm_turns *kvm, uint32_t turns)
{
    for (uint32_t turn = 0; turn < turns; turn++) {
        for (unsigned i = 0; i < KVM_GUESTS; i++) {
            /* Every other turn backwards: the first of a turn has no advantage. */
            unsigned guest = turn % 2 == 0 ? i : KVM_GUESTS - 1 - i;

            kvm->ns[guest][turn] = bench_hv_run(&kvm->vms[guest], KVM_CALLS);
            if (kvm->ns[guest][turn] < 0)
                return bench_failed("hypercalls on KVM", VMR_E_HOST, NULL);
        }
    }
    return true;
}

static void kvm_figures(struct bench_report *report, struct kvm_turns *kvm, uint32_t turns)
{
    double post[TURNS], monitor[TURNS];

    for (uint32_t i = 0; i < turns; i++) {
        post[i] = kvm->ns[BENCH_HV_POST][i] / kvm->ns[BENCH_HV_SIGNAL][i];
        monitor[i] = kvm->ns[BENCH_HV_MONITOR][i] / kvm->ns[BENCH_HV_SIGNAL][i];
    }
    bench_add(report, "kvm: SignalEvent, fast", "ns", kvm->ns[BENCH_HV_SIGNAL], turns);
    bench_compare(report, "kvm: SignalEvent, fast", "kvm: one port exit", NULL);
    bench_add(report, "kvm: PostMessage", "ns", kvm->ns[BENCH_HV_POST], turns);
    bench_compare_turns(report, "kvm: PostMessage", "kvm: SignalEvent, fast", post, turns);
    bench_add(report, "kvm: trigger by monitor page", "ns", kvm->ns[BENCH_HV_MONITOR], turns);
    bench_compare_turns(report, "kvm: trigger by monitor page", "kvm: SignalEvent, fast", monitor, turns);
}

static bool on_kvm(struct bench_report *report)
{
    struct kvm_turns *kvm = calloc(1, sizeof(*kvm));
    uint32_t turns = bench_rounds(report, TURNS), made = 0;
    bool unavailable = false, good = kvm != NULL;

    while (good && made < KVM_GUESTS) {
        good = bench_hv_create(&kvm->vms[made], "kvm", (enum bench_hv_guest)made, &unavailable);
        made += good;
    }
    good = good && take_turns(kvm, turns);
    if (good)
        kvm_figures(report, kvm, turns);
    while (made > 0)
        bench_hv_destroy(&kvm->vms[--made]);
    free(kvm);
    return good || unavailable;
}

/* --- a message, from a thread of the host to the guest's handler --- */

struct poster {
    struct bench_hv_vm *vm;
    uint32_t messages;
    double *us;
    bool good;
};

static bool wait_until(const struct bench_hv_vm *vm, bool (*holds)(const struct bench_hv_vm *vm, uint32_t number),
                       uint32_t number)
{
    uint64_t end = bench_now_ns() + GUEST_SECONDS * UINT64_C(1000000000);

    while (!holds(vm, number)) {
        if (bench_now_ns() > end)
            return false;
    }
    return true;
}

static bool handled(const struct bench_hv_vm *vm, uint32_t number)
{
    return bench_hv_handled(vm) >= number;
}

static bool slot_free(const struct bench_hv_vm *vm, uint32_t number)
{
    (void)number;
    return bench_hv_slot_is_free(vm);
}

static bool post_one(struct poster *poster, uint32_t number)
{
    uint64_t begin = bench_now_ns();

    if (bench_hv_post(poster->vm) || !wait_until(poster->vm, handled, number + 1))
        return false;
    poster->us[number] = (double)(bench_now_ns() - begin) / 1000;
    if (!wait_until(poster->vm, slot_free, 0))
        return false;
    uint64_t until = bench_now_ns() + PAUSE_NS;

    while (bench_now_ns() < until)
        ;
    return true;
}

static void post_thread(void *argument)
{
    struct poster *poster = argument;
    uint64_t until =
        bench_now_ns() + 100 * PAUSE_NS; /* the guest sets itself up; a SINT that is masked loses messages */

    while (bench_now_ns() < until)
        ;
    poster->good = true;
    for (uint32_t i = 0; poster->good && i < poster->messages; i++)
        poster->good = post_one(poster, i);
    vmr_stop_set(poster->vm->stop);
}

static bool post_all(struct poster *poster)
{
    struct bench_hv_vm *vm = poster->vm;
    struct vmr_thread *thread = NULL;
    struct vmr_run_result result = {0};

    if (!poster->us || vmr_stop_create(&vm->host, &vm->stop) ||
        vm->host.ops->thread_start(vm->host.context, "poster", post_thread, poster, &thread))
        return false;
    enum vmr_status status = vmr_vp_run(vm->vp, vm->stop, &vm->io, &result);

    vm->host.ops->thread_join(vm->host.context, thread);
    return !status && result.reason == VMR_HALT_STOP && poster->good;
}

static bool deliver(struct bench_report *report, const char *spec)
{
    struct bench_hv_vm vm;
    bool unavailable;
    char name[56];

    if (!bench_hv_create(&vm, spec, BENCH_HV_WAIT, &unavailable))
        return unavailable;
    struct poster poster = {.vm = &vm, .messages = bench_rounds(report, MESSAGES)};

    poster.us = calloc(poster.messages, sizeof(*poster.us));
    bool good = post_all(&poster) || bench_failed("messages to a guest", VMR_E_STATE, NULL);

    vmr_stop_destroy(vm.stop);
    vm.stop = NULL;
    bench_hv_destroy(&vm);
    if (good) {
        bench_sort(poster.us, poster.messages);
        double p99 = poster.us[poster.messages * 99 / 100];

        (void)snprintf(name, sizeof(name), "%s: message to the guest's handler, p50", spec);
        bench_add(report, name, "us", poster.us, poster.messages);
        (void)snprintf(name, sizeof(name), "%s: message to the guest's handler, p99", spec);
        bench_add(report, name, "us", &p99, 1);
    }
    free(poster.us);
    return good;
}

bool bench_hypercalls(struct bench_report *report)
{
    static const uint32_t ports[] = {1, 16, 256, 4096, PORTS_MAX};
    bool good = dispatch_alone(report);

    for (size_t i = 0; good && i < sizeof(ports) / sizeof(ports[0]); i++)
        good = scale_ports(report, ports[i], false);
    good = good && scale_ports(report, PORTS_MAX, true);
    return good && loop(report, "mock", BENCH_HV_SIGNAL, "mock: SignalEvent, fast") &&
           loop(report, "mock", BENCH_HV_POST, "mock: PostMessage") && on_kvm(report) && deliver(report, "mock") &&
           deliver(report, "kvm");
}
