/* SPDX-License-Identifier: MIT */
/*
 * What the differential tests share: numbers that follow from a seed, a memory, and the two sides side by side.
 */

#include "tests/hv/differential.h"

uint64_t bench_next(struct bench *bench)
{
    bench->seed ^= bench->seed << 13;
    bench->seed ^= bench->seed >> 7;
    bench->seed ^= bench->seed << 17;
    return bench->seed * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned bench_pick(struct bench *bench, unsigned below)
{
    return (unsigned)(bench_next(bench) >> 33) % below;
}

static enum hv_status handle(void *context, struct vmr_hv_call *call)
{
    struct bench *bench = context;
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(call->code);
    const struct vmr_hv_call_sizes *sizes =
        bench->caller.abi >= VMR_HV_ABI_ARM64_HVC ? &definition->arm64 : &definition->x86;
    struct reference_item item = {.code = call->code,
                                  .fixed = call->input,
                                  .fixed_bytes = sizes->input,
                                  .variable = call->variable,
                                  .variable_bytes = 8 * call->variable_words,
                                  .element_bytes = sizes->rep_input};
    bool rep = definition->kind == VMR_HV_CALL_REP;

    for (uint32_t done = 0; done < (rep ? call->rep_count : 1); done++) {
        item.index = call->rep_first + done;
        item.element = call->reps + (size_t)done * sizes->rep_input;
        call->reps_done = done;
        enum hv_status status = reference_decide(&bench->ours, item.index);

        if (status)
            return status;
        reference_work(&bench->ours, &item, call->output + (size_t)done * sizes->rep_output,
                       rep ? sizes->rep_output : sizes->output);
    }
    return HV_STATUS_SUCCESS;
}

static bool allow(void *context, const struct vmr_hv_vtl_switch *request)
{
    (void)context, (void)request;
    return true;
}

static void must_add(struct bench *bench, vmr_gpa gpa, uint64_t size, bool read_only)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size, .read_only = read_only};

    assert_int_equal(vmr_memory_region_add(bench->memory, &region, NULL), VMR_OK);
}

/* The same bytes on both sides; the hole is none. */
static void fill_memory(struct bench *bench)
{
    for (size_t at = 0; at < sizeof(bench->ram); at += 8) {
        uint64_t word = bench_next(bench);

        memcpy(bench->ram + at, &word, 8);
    }
    assert_int_equal(vmr_memory_write(bench->memory, 0, bench->ram, 2 * PAGE), VMR_OK);
    assert_int_equal(vmr_memory_write(bench->memory, 3 * PAGE, bench->ram + 3 * PAGE, PAGE), VMR_OK);
}

void bench_init(struct bench *bench, uint64_t seed)
{
    const struct vmr_hv_call_handler handler = {handle, bench};

    memset(bench, 0, sizeof(*bench));
    bench->seed = seed;
    vmr_host_posix(&bench->host, NULL);
    assert_int_equal(vmr_memory_create(&bench->host, &bench->memory, NULL), VMR_OK);
    must_add(bench, 0, 2 * PAGE, false);
    must_add(bench, 3 * PAGE, PAGE, true);
    for (size_t i = 0; reference_shape_at(i); i++)
        assert_int_equal(vmr_hv_calls_set(&bench->calls, reference_shape_at(i)->code, &handler), VMR_OK);
    vmr_hv_calls_set_vtl_switch(&bench->calls, &(struct vmr_hv_vtl_switch_handler){allow, NULL});
    fill_memory(bench);
}

void bench_finish(struct bench *bench)
{
    vmr_memory_destroy(bench->memory);
}

void bench_compare_memory(struct bench *bench)
{
    uint8_t page[4096];

    for (uint64_t gpa = 0; gpa < sizeof(bench->ram); gpa += PAGE) {
        if (gpa == 2 * PAGE)
            continue;
        assert_int_equal(vmr_memory_read(bench->memory, gpa, page, sizeof(page)), VMR_OK);
        assert_memory_equal(page, bench->ram + gpa, sizeof(page));
    }
}

static void compare_registers(const struct vmr_hv_call_registers *ours, const struct vmr_hv_call_registers *theirs)
{
    assert_memory_equal(ours->gpr, theirs->gpr, sizeof(ours->gpr));
    assert_memory_equal(ours->xmm, theirs->xmm, sizeof(ours->xmm));
    assert_int_equal(ours->pc, theirs->pc);
    assert_int_equal(ours->gpr_modified, theirs->gpr_modified);
    assert_int_equal(ours->xmm_modified, theirs->xmm_modified);
    assert_int_equal(ours->pc_modified, theirs->pc_modified);
}

/* What the mask does not name is as it was. */
static void check_mask(const struct vmr_hv_call_registers *before, const struct vmr_hv_call_registers *after)
{
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        assert_true((after->gpr_modified >> i & 1) != 0 || before->gpr[i] == after->gpr[i]);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        assert_true((after->xmm_modified >> i & 1) != 0 ||
                    memcmp(&before->xmm[i], &after->xmm[i], sizeof(after->xmm[i])) == 0);
    assert_true(after->pc_modified || before->pc == after->pc);
}

void bench_execute(struct bench *bench)
{
    const struct vmr_hv_call_registers before = bench->registers;
    const struct reference_call call = {&bench->caller, &bench->theirs, &bench->model, bench->ram};
    struct vmr_hv_result want;

    bench->model = before;
    assert_int_equal(vmr_hv_dispatch(&bench->calls, &bench->caller, bench->memory, &bench->registers, &bench->result),
                     VMR_OK);
    reference_dispatch(&call, &want);
    compare_registers(&bench->registers, &bench->model);
    check_mask(&before, &bench->registers);
    assert_int_equal(bench->result.outcome, want.outcome);
    assert_int_equal(bench->result.code, want.code);
    assert_int_equal(bench->result.status, want.status);
    assert_int_equal(bench->result.completed, want.completed);
    assert_int_equal(bench->ours.log, bench->theirs.log);
    bench->instructions++;
    bench->outcomes[want.outcome]++;
    bench->successes += want.outcome == VMR_HV_DONE && want.status == HV_STATUS_SUCCESS;
}

void bench_scramble(struct bench *bench)
{
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        bench->registers.gpr[i] = bench_next(bench);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        bench->registers.xmm[i] = (struct vmr_hv_xmm){.low = bench_next(bench), .high = bench_next(bench)};
    bench->registers.pc = bench_pick(bench, 8) == 0 ? UINT64_MAX - bench_pick(bench, 16) : bench_next(bench);
    if (bench->caller.abi == VMR_HV_ABI_X86)
        bench->registers.pc &= UINT32_MAX;
}

void bench_set_parameters(struct bench *bench, uint64_t control, uint64_t first, uint64_t second)
{
    static const unsigned controls[] = {[VMR_HV_ABI_X64] = 1, [VMR_HV_ABI_ARM64_SMCCC] = 1};
    static const unsigned words[][2] = {
        [VMR_HV_ABI_X64] = {2, 8}, [VMR_HV_ABI_ARM64_HVC] = {1, 2}, [VMR_HV_ABI_ARM64_SMCCC] = {2, 3}};
    unsigned abi = bench->caller.abi;
    uint64_t *gpr = bench->registers.gpr;

    if (abi != VMR_HV_ABI_X86) {
        gpr[controls[abi]] = control;
        gpr[words[abi][0]] = first;
        gpr[words[abi][1]] = second;
        return;
    }
    uint64_t junk = bench_next(bench) << 32; /* above 32 bits, which nobody may look at */

    gpr[2] = junk | control >> 32;
    gpr[0] = junk | (uint32_t)control;
    gpr[3] = junk | first >> 32;
    gpr[1] = junk | (uint32_t)first;
    gpr[7] = junk | second >> 32;
    gpr[6] = junk | (uint32_t)second;
}
