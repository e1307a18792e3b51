/* SPDX-License-Identifier: MIT */
/* Exits that say something else than what the guest did, and answers that do not get there. */

#include "conformance/zoo/zoo.h"

#define VALUE_OF(vp_exit) ((vp_exit)->kind == VMR_EXIT_IO ? &(vp_exit)->u.io.value : &(vp_exit)->u.mmio.value)

static bool is_access(const struct vmr_exit *vp_exit, uint8_t direction)
{
    return (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.direction == direction && vp_exit->u.io.count <= 1) ||
           (vp_exit->kind == VMR_EXIT_MMIO && vp_exit->u.mmio.direction == direction);
}

/* Before the answer is taken: `answer` of it; after the step: `told` of what is told. Either may be NULL. */
static void step(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, bool completes,
                 void (*answer)(struct zoo_vp *zoo, struct vmr_exit *vp_exit),
                 void (*told)(struct zoo_vp *zoo, struct vmr_exit *vp_exit))
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (answer)
        answer(zoo, vp_exit);
    if (!completes)
        zoo->base->vp_run(vp, vp_exit);
    else if (zoo->base->vp_complete)
        zoo->base->vp_complete(vp, vp_exit);
    if (told)
        told(zoo, vp_exit);
}

/* The operations that take answers and tell exits, with `answer` and `told` around them. */
#define DEFECT(name, answer, told)                                                                                     \
    static void run_##name(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)                                        \
    {                                                                                                                  \
        step(vp, vp_exit, false, answer, told);                                                                        \
    }                                                                                                                  \
    static void complete_##name(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)                                   \
    {                                                                                                                  \
        step(vp, vp_exit, true, answer, told);                                                                         \
    }                                                                                                                  \
    static void make_##name(struct vmr_backend *table)                                                                 \
    {                                                                                                                  \
        table->vp_run = run_##name;                                                                                    \
        if (table->vp_complete)                                                                                        \
            table->vp_complete = complete_##name;                                                                      \
    }

/* --- strings --- */

static void one_item(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.count > 1)
        vp_exit->u.io.count = 1;
}

DEFECT(count_dropped, NULL, one_item)

static void backwards(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    struct vmr_exit_io *io = &vp_exit->u.io;

    (void)zoo;
    if (vp_exit->kind != VMR_EXIT_IO || io->count <= 1 || io->direction != VMR_WRITE || !io->bytes)
        return;
    for (uint32_t i = 0; i < io->count / 2; i++) {
        for (uint32_t k = 0; k < io->size; k++) {
            uint8_t *left = io->bytes + (size_t)i * io->size + k;
            uint8_t *right = io->bytes + (size_t)(io->count - 1 - i) * io->size + k, byte = *left;

            *left = *right;
            *right = byte;
        }
    }
}

DEFECT(strings_backwards, NULL, backwards)

/* --- single accesses --- */

static void narrow(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.count <= 1 && vp_exit->u.io.size == 4)
        vp_exit->u.io.size = 2;
}

DEFECT(size_cut, NULL, narrow)

static void dirty_value(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_MMIO && vp_exit->u.mmio.direction == VMR_WRITE && vp_exit->u.mmio.size < 8)
        vp_exit->u.mmio.value |= UINT64_C(0xa5) << 8 * vp_exit->u.mmio.size;
}

DEFECT(value_not_extended, NULL, dirty_value)

static void no_answer(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (is_access(vp_exit, VMR_READ))
        *VALUE_OF(vp_exit) = 0;
}

DEFECT(answer_lost, no_answer, NULL)

static void answer_before(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    uint64_t now;

    if (!is_access(vp_exit, VMR_READ))
        return;
    now = *VALUE_OF(vp_exit);
    *VALUE_OF(vp_exit) = zoo->words[0];
    zoo->words[0] = now;
}

DEFECT(answer_of_before, answer_before, NULL)

static void first_half(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_MMIO && vp_exit->u.mmio.size == 8)
        vp_exit->u.mmio.size = 4;
}

DEFECT(mmio_halved, NULL, first_half)

static void written_twice(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_MMIO && vp_exit->u.mmio.direction == VMR_READ)
        vp_exit->u.mmio.gpa ^= 8;
}

DEFECT(read_beside, NULL, written_twice)

static void rubbish(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_IO)
        vp_exit->u.io.size = 3;
}

DEFECT(impossible_size, NULL, rubbish)

/* --- what ends a run --- */

static void unknown_swallowed(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_FAIL && vp_exit->u.fail.cause == VMR_FAIL_UNKNOWN)
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_SHUTDOWN};
}

DEFECT(unknown_is_shutdown, NULL, unknown_swallowed)

static void code_lost(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_FAIL)
        vp_exit->u.fail.code = 0;
}

DEFECT(code_lost, NULL, code_lost)

static void triple_fault_halts(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_SHUTDOWN)
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_SYSTEM_EVENT, .u.system_event.event = VMR_SYSTEM_RESET};
}

DEFECT(triple_fault_is_reset, NULL, triple_fault_halts)

static void power_confused(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_SYSTEM_EVENT && vp_exit->u.system_event.event == VMR_SYSTEM_RESET)
        vp_exit->u.system_event.event = VMR_SYSTEM_POWER_OFF;
}

DEFECT(reset_is_power_off, NULL, power_confused)

/* --- MSRs and hypercalls --- */

static void no_fault(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_MSR)
        vp_exit->u.msr.fault = false;
}

DEFECT(msr_never_faults, no_fault, NULL)

static void msr_zero(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_MSR && vp_exit->u.msr.direction == VMR_READ)
        vp_exit->u.msr.value = 0;
}

DEFECT(msr_reads_zero, msr_zero, NULL)

/* Answered where it comes, as if nobody had to be asked. */
static void hypercall_kept(struct zoo_vp *zoo, struct vmr_exit *vp_exit)
{
    (void)zoo;
    if (vp_exit->kind == VMR_EXIT_HYPERCALL)
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
}

DEFECT(hypercall_never_exits, NULL, hypercall_kept)

#define ANIMAL(function, clause_, filter_, defect_, origin_, kvm)                                                      \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .on_kvm = (kvm)                                                                           \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(count_dropped, "EXIT-3", "io/*", "string I/O arrives as its first item",
           "arcbox: the repeat count is ignored", true),
    ANIMAL(strings_backwards, "EXIT-3", "io/*", "items of string output come in the other order", NULL, false),
    ANIMAL(size_cut, "EXIT-8", "*io/*", "32-bit port accesses arrive as 16-bit ones",
           "HVF: the size of a W register's access", true),
    ANIMAL(value_not_extended, "EXIT-4", "mmio/*", "bytes behind a small write are not zero",
           "HVF and MSHV differ in what is above a 32-bit access", true),
    ANIMAL(answer_lost, "EXIT-8", "*io/*", "reads give zero, whatever the device answers",
           "libkrun: a load to XZR skips the device", true),
    ANIMAL(answer_of_before, "EXIT-8", "*io/*", "a read gives the answer of the one before", NULL, true),
    ANIMAL(mmio_halved, "EXIT-4", "*", "an access of 8 bytes arrives as 4", NULL, true),
    ANIMAL(read_beside, "EXIT-8", "mmio/*", "reads come from eight bytes beside", NULL, true),
    ANIMAL(impossible_size, "EXIT-8", "*", "port accesses of three bytes", NULL, false),
    ANIMAL(unknown_is_shutdown, "EXIT-2", "*", "an unknown exit passes for a triple fault",
           "TMK: a fatal error is a triple fault", false),
    ANIMAL(code_lost, "EXIT-2", "*", "the native code of a failure is not kept", NULL, false),
    ANIMAL(triple_fault_is_reset, "HALT-1", "*", "a triple fault passes for a reset", NULL, false),
    ANIMAL(reset_is_power_off, "HALT-1", "*", "a reset passes for a power off",
           "libkrun: SYSTEM_RESET is treated as a stop", false),
    ANIMAL(msr_never_faults, "MSR-1", "*", "an MSR that nobody knows reads as zero", NULL, true),
    ANIMAL(msr_reads_zero, "MSR-2", "msr/*", "the embedder's answer to an MSR read is lost", NULL, true),
    ANIMAL(hypercall_never_exits, "EXIT-1", "*", "a hypercall is nobody's but the hypervisor's",
           "arcbox: the hypercall exit is never produced", false),
};

const struct zoo_house zoo_exits = {animals, sizeof(animals) / sizeof(animals[0])};
