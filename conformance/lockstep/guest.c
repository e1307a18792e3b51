/* SPDX-License-Identifier: MIT */
/*
 * Guests of lockstep runs: straight programs with forward jumps and short loops,
 * of steps that mean the same on every hypervisor. No step reads what hypervisors
 * may answer differently: clocks, CPUID, interrupt controllers.
 */

#include "conformance/lockstep/guest.h"

#include <string.h>

#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/tape.h"

#define PORTS 0x600u
#define PORT_COUNT 0x20u
#define WINDOW UINT64_C(0x30000000) /* where no RAM is */
#define WINDOW_BYTES 4096u
#define RAM_WORDS 16u
#define RAM (VMR_PROGRAM_DATA + 0x200u)
#define VARIABLES 7u /* the last of eight tells of faults */
#define STAR UINT32_C(0xc0000081)
#define KERNEL_GS_BASE UINT32_C(0xc0000102)

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static uint32_t pick(uint64_t *state, uint32_t count)
{
    return (uint32_t)(next(state) % count);
}

/* Numbers at the edges of their sizes, or any. */
static uint64_t pick_value(uint64_t *state, unsigned size)
{
    const uint64_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, UINT32_MAX};
    uint64_t value = pick(state, 2) ? edges[pick(state, sizeof(edges) / sizeof(edges[0]))] : next(state);

    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

/* A step at `index`; loops and jumps stay inside `count`. */
static struct vmr_step compose_step(uint64_t *state, uint32_t index, uint32_t count)
{
    const uint8_t port_size = (uint8_t)(1u << pick(state, 3)), size = (uint8_t)(1u << pick(state, 4));
    const uint8_t var = (uint8_t)pick(state, VARIABLES), other = (uint8_t)pick(state, VARIABLES);
    const uint16_t port = (uint16_t)(PORTS + pick(state, PORT_COUNT / 4) * 4);
    const vmr_gpa ram = RAM + 8u * pick(state, RAM_WORDS), hole = WINDOW + 8u * pick(state, WINDOW_BYTES / 8);
    const uint64_t value = pick_value(state, size), port_value = pick_value(state, port_size);
    const uint32_t ahead = index + 1 + pick(state, count - index);
    const struct vmr_step steps[] = {
        VMR_SET(var, pick_value(state, 8)),
        VMR_ADD(var, pick_value(state, 4)),
        VMR_OUT(port, port_size, port_value),
        VMR_OUT_VAR(port, port_size, var),
        VMR_IN(var, port, port_size),
        VMR_STORE(ram, size, value),
        VMR_STORE_VAR(ram, size, var),
        VMR_LOAD(var, ram, size),
        VMR_OR(ram, 4, (uint32_t)pick_value(state, 4)),
        VMR_STORE(hole, size, value),
        VMR_STORE_VAR(hole, size, var),
        VMR_LOAD(var, hole, size),
        VMR_OUTS(port, port_size, 1 + pick(state, 6), ram),
        VMR_INS(port, port_size, 1 + pick(state, 6), ram),
        VMR_WRMSR(KERNEL_GS_BASE, pick_value(state, 4)),
        VMR_RDMSR(var, KERNEL_GS_BASE),
        VMR_WRMSR(STAR, pick_value(state, 8)),
        VMR_RDMSR(var, STAR),
        VMR_CHECKPOINT(1 + pick(state, 1000)),
        VMR_JUMP_EQ(var, pick_value(state, 1), ahead),
        VMR_JUMP_EQ(other, 0, ahead),
        VMR_NOP(),
    };

    return steps[pick(state, sizeof(steps) / sizeof(steps[0]))];
}

void lockstep_compose(uint64_t seed, struct lockstep_guest *ret_guest)
{
    uint64_t state = seed;
    uint32_t count = 8 + pick(&state, LOCKSTEP_STEPS_MAX - 8);

    *ret_guest = (struct lockstep_guest){.program = {.name = "lockstep", .count = count + 1}};
    for (uint32_t i = 0; i < VARIABLES; i++)
        ret_guest->steps[i] = (struct vmr_step)VMR_SET((uint8_t)i, pick_value(&state, 8));
    for (uint32_t i = VARIABLES; i < count; i++)
        ret_guest->steps[i] = compose_step(&state, i, count);
    ret_guest->steps[count] = (struct vmr_step)VMR_END();
    ret_guest->program.steps = ret_guest->steps;
}

void lockstep_leave_out(struct lockstep_guest *guest, uint32_t step)
{
    guest->steps[step] = (struct vmr_step)VMR_NOP();
}

/* --- running --- */

struct noting {
    struct lockstep_script *script;
};

static void note(struct lockstep_script *script, const struct lockstep_event *event)
{
    if (script->count < LOCKSTEP_EVENTS_MAX)
        script->events[script->count] = *event;
    script->count++;
}

/* What is noted is what the bus hands over: each access whole, and exactly what it was answered. */
struct window {
    struct noting *noting;
    enum lockstep_kind kind;
    uint64_t answer, step;
};

static uint64_t read_window(void *device, const struct vmr_access *access)
{
    struct window *window = device;
    uint64_t value = window->answer;

    if (access->size < 8)
        value &= (UINT64_C(1) << 8 * access->size) - 1;
    window->answer += window->step;
    note(window->noting->script,
         &(struct lockstep_event){.kind = window->kind, .size = access->size, .place = access->offset, .value = value});
    return value;
}

static void write_window(void *device, const struct vmr_access *access, uint64_t value)
{
    const struct window *window = device;

    note(window->noting->script,
         &(struct lockstep_event){
             .kind = window->kind, .write = true, .size = access->size, .place = access->offset, .value = value});
}

static bool claim(struct vmr_bus *bus, uint64_t start, uint64_t length, struct window *window)
{
    static const struct vmr_device_ops ops = {.read = read_window, .write = write_window};
    const struct vmr_bus_range range = {.name = "lockstep",
                                        .start = start,
                                        .length = length,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4 | VMR_SIZE_8,
                                        .ops = &ops,
                                        .device = window};

    return vmr_bus_claim(bus, &range, NULL) == VMR_OK;
}

static void on_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct noting *noting = vm->user;

    note(noting->script, &(struct lockstep_event){.kind = LOCKSTEP_CHECKPOINT, .place = vp, .value = number});
}

static void note_end(struct conf_vm *vm, const struct vmr_run_result *result, struct lockstep_script *script)
{
    struct vmr_x86_regs regs;

    note(script, &(struct lockstep_event){.kind = LOCKSTEP_END,
                                          .place = vm->reports[0].mismatch ? vm->reports[0].mismatch_step : UINT32_MAX,
                                          .value = (uint64_t)result->reason});
    CONF_CHECK_EQ(vm->conf, vmr_vp_get_regs(vm->vps[0], &regs), VMR_OK, "registers");
    for (unsigned i = 0; i < VARIABLES && !conf_failed(vm->conf); i++)
        note(script, &(struct lockstep_event){
                         .kind = LOCKSTEP_VARIABLE, .size = 8, .place = i, .value = regs.gpr[VMR_X86_R8 + i]});
    for (unsigned i = 0; i < 2 * RAM_WORDS + 8; i++)
        note(script,
             &(struct lockstep_event){
                 .kind = LOCKSTEP_MEMORY, .size = 4, .place = RAM + 4u * i, .value = guest_word(vm, RAM + 4u * i)});
}

static bool begin(struct conf_vm *vm, struct vmr_recorder *recorder, const struct lockstep_guest *guest,
                  struct window windows[2])
{
    return claim(vm->ports, PORTS, PORT_COUNT, &windows[0]) && claim(vm->mmio, WINDOW, WINDOW_BYTES + 8, &windows[1]) &&
           (recorder ? tape_load(vm, 0, &guest->program, recorder, false) : conf_load(vm, 0, &guest->program)) &&
           conf_bind(vm, 0);
}

void lockstep_run(struct conf *conf, struct vmr_recorder *recorder, const struct lockstep_guest *guest,
                  struct lockstep_script *ret_script)
{
    struct noting noting = {.script = ret_script};
    struct window windows[2] = {{&noting, LOCKSTEP_PORT, UINT64_C(0x0102030405060708), 0x1111},
                                {&noting, LOCKSTEP_MMIO, UINT64_C(0x8070605040302010), 0x3333}};
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.without_chip = true});

    ret_script->count = 0;
    if (!vm)
        return;
    vm->user = &noting;
    vm->on_checkpoint = on_checkpoint;
    bool begun = begin(vm, recorder, guest, windows);

    CONF_CHECK(conf, begun, "no guest");
    if (begun && conf_run(vm, 0, NULL, &result))
        note_end(vm, &result, ret_script);
    conf_vm_destroy(vm);
}

/* --- comparing --- */

static bool same(const struct lockstep_event *a, const struct lockstep_event *b)
{
    return a->kind == b->kind && a->write == b->write && a->size == b->size && a->place == b->place &&
           a->value == b->value;
}

size_t lockstep_compare(const struct lockstep_script *a, const struct lockstep_script *b)
{
    size_t kept_a = a->count < LOCKSTEP_EVENTS_MAX ? a->count : LOCKSTEP_EVENTS_MAX;
    size_t kept_b = b->count < LOCKSTEP_EVENTS_MAX ? b->count : LOCKSTEP_EVENTS_MAX;
    size_t i = 0;

    while (i < kept_a && i < kept_b && same(&a->events[i], &b->events[i]))
        i++;
    return i;
}

void lockstep_print_event(const struct lockstep_script *script, size_t index, FILE *out)
{
    static const char *const names[] = {
        [LOCKSTEP_PORT] = "port",         [LOCKSTEP_MMIO] = "mmio",     [LOCKSTEP_CHECKPOINT] = "checkpoint",
        [LOCKSTEP_VARIABLE] = "variable", [LOCKSTEP_MEMORY] = "memory", [LOCKSTEP_END] = "end"};
    const struct lockstep_event *event = &script->events[index];

    if (index >= script->count || index >= LOCKSTEP_EVENTS_MAX)
        fprintf(out, "nothing more");
    else
        fprintf(out, "%s%s place=%#llx size=%u value=%#llx", names[event->kind],
                event->kind > LOCKSTEP_MMIO ? ""
                : event->write              ? " write"
                                            : " read",
                (unsigned long long)event->place, event->size, (unsigned long long)event->value);
}

void lockstep_print_guest(const struct lockstep_guest *guest, FILE *out)
{
    for (uint32_t i = 0; i < guest->program.count; i++) {
        const struct vmr_step *step = &guest->steps[i];

        if (step->op != VMR_STEP_NOP)
            fprintf(out, "  step %u: %s var=%u size=%u address=%#llx value=%#llx count=%u target=%u\n", i,
                    vmr_step_op_name(step->op), step->var, step->size, (unsigned long long)step->address,
                    (unsigned long long)step->value, step->count, step->target);
    }
}
