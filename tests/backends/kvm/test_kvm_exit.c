/* SPDX-License-Identifier: MIT */
/*
 * Run pages with chosen bytes against the exits they must become. The numbers
 * are not what a kernel would say but what it could: every reason, sizes and
 * offsets at and past their limits.
 */

#include "backends/kvm/kvm_exit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_SIZE 4096u
#define RUN_SIZE (3 * PAGE_SIZE)

/* A run page with the port data behind it, as KVM maps it. */
struct page {
    _Alignas(struct kvm_run) unsigned char bytes[RUN_SIZE];
};

static struct kvm_run *page_init(struct page *page, uint32_t reason)
{
    struct kvm_run *run = (struct kvm_run *)(void *)page->bytes;

    memset(page, 0, sizeof(*page));
    run->exit_reason = reason;
    return run;
}

static void every_reason_without_a_kind_is_kept_raw_and_fatal(void **state)
{
    static const uint32_t known[] = {
        KVM_EXIT_IO,         KVM_EXIT_HYPERCALL,       KVM_EXIT_DEBUG,          KVM_EXIT_HLT,
        KVM_EXIT_MMIO,       KVM_EXIT_IRQ_WINDOW_OPEN, KVM_EXIT_SHUTDOWN,       KVM_EXIT_FAIL_ENTRY,
        KVM_EXIT_INTR,       KVM_EXIT_SET_TPR,         KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_SYSTEM_EVENT,
        KVM_EXIT_IOAPIC_EOI, KVM_EXIT_X86_RDMSR,       KVM_EXIT_X86_WRMSR,      KVM_REASON_MEMORY_FAULT};
    static const uint32_t huge[] = {255, 256, 65536, INT32_MAX, 0x80000000, UINT32_MAX};
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (uint32_t i = 0; i < 65 + sizeof(huge) / sizeof(huge[0]); i++) {
        uint32_t reason = i < 65 ? i : huge[i - 65];
        struct kvm_run *run = page_init(&page, reason);
        bool has_kind = false;

        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            has_kind = has_kind || known[k] == reason;
        memset(run->padding, 0xa5, sizeof(run->padding));
        kvm_exit_decode(run, RUN_SIZE, &e);
        assert_int_equal(e.native_reason, reason);
        assert_in_range(e.kind, VMR_EXIT_IO, VMR_EXIT_FAIL);
        if (has_kind)
            continue;
        assert_int_equal(e.kind, VMR_EXIT_FAIL);
        assert_int_equal(e.u.fail.cause, VMR_FAIL_UNKNOWN);
        assert_int_equal(e.u.fail.code, reason);
        assert_int_equal(e.u.fail.length, VMR_EXIT_FAIL_BYTES_MAX);
        assert_int_equal(e.u.fail.bytes[63], 0xa5);
    }
}

struct io_row {
    const char *name;
    uint8_t size, direction;
    uint32_t count;
    uint64_t offset;
    bool valid;
};

static const struct io_row io_rows[] = {
    {"one byte", 1, KVM_EXIT_IO_OUT, 1, PAGE_SIZE, true},
    {"a dword", 4, KVM_EXIT_IO_IN, 1, PAGE_SIZE, true},
    {"a full page of words", 2, KVM_EXIT_IO_IN, 2048, PAGE_SIZE, true},
    {"up to the last byte of the mapping", 1, KVM_EXIT_IO_OUT, 1, RUN_SIZE - 1, true},
    {"size 0", 0, KVM_EXIT_IO_OUT, 1, PAGE_SIZE, false},
    {"size 3", 3, KVM_EXIT_IO_OUT, 1, PAGE_SIZE, false},
    {"size 8", 8, KVM_EXIT_IO_OUT, 1, PAGE_SIZE, false},
    {"count 0", 1, KVM_EXIT_IO_OUT, 0, PAGE_SIZE, false},
    {"one item more than a page", 2, KVM_EXIT_IO_IN, 2049, PAGE_SIZE, false},
    {"a count whose product wraps", 4, KVM_EXIT_IO_IN, 0x40000001, PAGE_SIZE, false},
    {"direction 2", 1, 2, 1, PAGE_SIZE, false},
    {"offset at the end", 1, KVM_EXIT_IO_OUT, 1, RUN_SIZE, false},
    {"last item past the end", 4, KVM_EXIT_IO_OUT, 1, RUN_SIZE - 3, false},
    {"offset that wraps", 1, KVM_EXIT_IO_OUT, 1, UINT64_MAX, false},
};

static void port_access_is_in_range_or_a_failure(void **state)
{
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (size_t i = 0; i < sizeof(io_rows) / sizeof(io_rows[0]); i++) {
        const struct io_row *row = &io_rows[i];
        struct kvm_run *run = page_init(&page, KVM_EXIT_IO);

        run->io.size = row->size;
        run->io.direction = row->direction;
        run->io.count = row->count;
        run->io.port = 0x402;
        run->io.data_offset = row->offset;
        kvm_exit_decode(run, RUN_SIZE, &e);
        if ((e.kind == VMR_EXIT_IO) != row->valid)
            fail_msg("%s: kind %u", row->name, e.kind);
        if (!row->valid) {
            assert_int_equal(e.u.fail.cause, VMR_FAIL_INTERNAL);
            kvm_exit_answer(run, RUN_SIZE, &e); /* must not write anywhere */
            continue;
        }
        assert_int_equal(e.u.io.port, 0x402);
        assert_int_equal(e.u.io.count, row->count);
        assert_int_equal(e.u.io.string, row->count > 1);
        if (row->count > 1)
            assert_ptr_equal(e.u.io.bytes, page.bytes + row->offset);
        else
            assert_null(e.u.io.bytes);
    }
}

static void port_values_are_little_endian_and_bounded_by_their_size(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_IO);
    static const unsigned char bytes[] = {0x11, 0x22, 0x33, 0x44, 0x55};

    (void)state;
    run->io.size = 2;
    run->io.direction = KVM_EXIT_IO_OUT;
    run->io.count = 1;
    run->io.data_offset = PAGE_SIZE;
    memcpy(page.bytes + PAGE_SIZE, bytes, sizeof(bytes));
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.io.value, 0x2211);
    run->io.direction = KVM_EXIT_IO_IN;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.io.value, 0);
    e.u.io.value = 0xaabbccdd;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(page.bytes[PAGE_SIZE], 0xdd);
    assert_int_equal(page.bytes[PAGE_SIZE + 1], 0xcc);
    assert_int_equal(page.bytes[PAGE_SIZE + 2], 0x33);
}

static void string_answer_may_lie_in_another_buffer(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_IO);
    uint8_t other[] = {1, 2, 3};

    (void)state;
    run->io.size = 1;
    run->io.direction = KVM_EXIT_IO_IN;
    run->io.count = 3;
    run->io.data_offset = PAGE_SIZE;
    kvm_exit_decode(run, RUN_SIZE, &e);
    e.u.io.bytes = other;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_memory_equal(page.bytes + PAGE_SIZE, other, sizeof(other));
    e.u.io.count = 4096; /* not what KVM asked for */
    page.bytes[PAGE_SIZE] = 9;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(page.bytes[PAGE_SIZE], 9);
}

static void mmio_is_in_range_or_a_failure(void **state)
{
    static const struct {
        const char *name;
        uint64_t gpa;
        uint32_t length;
        uint8_t write;
        bool valid;
    } rows[] = {
        {"one byte", 0xfee00000, 1, 1, true},
        {"eight bytes", 0xfee00000, 8, 0, true},
        {"up to the page's end", 0xfff, 1, 1, true},
        {"three bytes", 0xffd, 3, 0, true},
        {"length 0", 0x1000, 0, 1, false},
        {"length 9", 0x1000, 9, 1, false},
        {"huge length", 0x1000, UINT32_MAX, 0, false},
        {"crosses a page", 0xfff, 2, 1, false},
        {"the last page there can be", (UINT64_C(1) << 52) - 1, 1, 1, true},
        {"an address of 53 bits", UINT64_C(1) << 52, 1, 1, false},
        {"is_write 2", 0x1000, 1, 2, false},
    };
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kvm_run *run = page_init(&page, KVM_EXIT_MMIO);

        run->mmio.phys_addr = rows[i].gpa;
        run->mmio.len = rows[i].length;
        run->mmio.is_write = rows[i].write;
        memset(run->mmio.data, 0x81, sizeof(run->mmio.data));
        kvm_exit_decode(run, RUN_SIZE, &e);
        if ((e.kind == VMR_EXIT_MMIO) != rows[i].valid)
            fail_msg("%s: kind %u", rows[i].name, e.kind);
        if (rows[i].valid)
            assert_true(rows[i].write ? e.u.mmio.value != 0 : e.u.mmio.value == 0);
    }
}

static void mmio_answer_goes_to_reads_only(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_MMIO);

    (void)state;
    run->mmio.len = 4;
    kvm_exit_decode(run, RUN_SIZE, &e);
    e.u.mmio.value = UINT64_C(0x8877665544332211);
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->mmio.data[3], 0x44);
    assert_int_equal(run->mmio.data[4], 0);
    run->mmio.is_write = 1;
    e.u.mmio.value = 0;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->mmio.data[3], 0x44);
}

static void stale_answer_is_not_written_over_another_exit(void **state)
{
    struct page page;
    struct vmr_exit e = {.kind = VMR_EXIT_MMIO, .native_reason = KVM_EXIT_MMIO, .u.mmio = {.size = 8, .value = 1}};
    struct kvm_run *run = page_init(&page, KVM_EXIT_INTR);

    (void)state;
    run->mmio.len = 8;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->mmio.data[0], 0);
}

static void msr_exit_carries_value_and_fault(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_X86_WRMSR);

    (void)state;
    run->msr.index = 0x40000000;
    run->msr.data = 77;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.msr.direction, VMR_WRITE);
    assert_int_equal(e.u.msr.value, 77);
    e.u.msr.fault = true;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->msr.error, 1);
    run->exit_reason = KVM_EXIT_X86_RDMSR;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.msr.value, 0);
    e.u.msr.value = 5;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->msr.error, 0);
    assert_int_equal(run->msr.data, 5);
}

static void debug_names_the_lowest_breakpoint_or_the_step(void **state)
{
    static const struct {
        const char *name;
        uint32_t exception;
        uint64_t dr6, dr7;
        uint32_t kind;
        bool step;
        uint8_t breakpoint;
    } rows[] = {
        {"step", 1, 0xffff4ff0, 0, VMR_EXIT_DEBUG, true, 0},
        {"breakpoint 0", 1, 0xffff0ff1, 0x402, VMR_EXIT_DEBUG, false, 0},
        {"breakpoints 2 and 3", 1, 0xffff0ffc, 0, VMR_EXIT_DEBUG, false, 2},
        {"step onto an enabled breakpoint", 1, 0xffff4ff2, 0x404, VMR_EXIT_DEBUG, false, 1},
        {"step with the bit of one that is off", 1, 0xffff4ff2, 0x401, VMR_EXIT_DEBUG, true, 0},
        {"nothing", 1, 0xffff0ff0, 0, VMR_EXIT_FAIL, false, 0},
        {"INT3", 3, 0xffff4ff0, 0, VMR_EXIT_FAIL, false, 0},
    };
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kvm_run *run = page_init(&page, KVM_EXIT_DEBUG);

        run->debug.arch.exception = rows[i].exception;
        run->debug.arch.dr6 = rows[i].dr6;
        run->debug.arch.dr7 = rows[i].dr7;
        run->debug.arch.pc = 0x1234;
        kvm_exit_decode(run, RUN_SIZE, &e);
        if (e.kind != rows[i].kind)
            fail_msg("%s: kind %u", rows[i].name, e.kind);
        if (e.kind == VMR_EXIT_FAIL)
            continue;
        if (e.u.debug.single_step != rows[i].step || e.u.debug.breakpoint != rows[i].breakpoint)
            fail_msg("%s: step %d, breakpoint %u", rows[i].name, e.u.debug.single_step, e.u.debug.breakpoint);
        assert_int_equal(e.u.debug.pc, 0x1234);
    }
}

static void system_events_are_ours_or_fatal(void **state)
{
    static const struct {
        uint32_t type;
        int event; /* -1: fatal */
    } rows[] = {{KVM_SYSTEM_EVENT_SHUTDOWN, VMR_SYSTEM_POWER_OFF},
                {KVM_SYSTEM_EVENT_RESET, VMR_SYSTEM_RESET},
                {KVM_SYSTEM_EVENT_CRASH, VMR_SYSTEM_CRASH},
                {KVM_SYSTEM_EVENT_WAKEUP, -1},
                {KVM_SYSTEM_EVENT_SEV_TERM, -1},
                {0, -1},
                {UINT32_MAX, -1}};
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kvm_run *run = page_init(&page, KVM_EXIT_SYSTEM_EVENT);

        run->system_event.type = rows[i].type;
        run->system_event.ndata = 1;
        run->system_event.data[0] = 42;
        kvm_exit_decode(run, RUN_SIZE, &e);
        assert_int_equal(e.kind, rows[i].event < 0 ? VMR_EXIT_FAIL : VMR_EXIT_SYSTEM_EVENT);
        if (rows[i].event < 0) {
            assert_int_equal(e.u.fail.code, rows[i].type);
        } else {
            assert_int_equal(e.u.system_event.event, rows[i].event);
            assert_int_equal(e.u.system_event.detail, 42);
        }
    }
}

static void emulation_failure_keeps_instruction_or_words(void **state)
{
    static const unsigned char instruction[] = {0xf3, 0x0f, 0xb8, 0xc0};
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_INTERNAL_ERROR);

    (void)state;
    run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
    run->internal.ndata = 3;
    run->emulation_failure.flags = 1;
    run->emulation_failure.insn_size = sizeof(instruction);
    memcpy(run->emulation_failure.insn_bytes, instruction, sizeof(instruction));
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.fail.cause, VMR_FAIL_EMULATION);
    assert_int_equal(e.u.fail.length, sizeof(instruction));
    assert_memory_equal(e.u.fail.bytes, instruction, sizeof(instruction));

    run->emulation_failure.insn_size = 255; /* more than an instruction has: the words, then */
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.fail.length, 24);

    run->internal.suberror = 4;
    run->internal.ndata = UINT32_MAX;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.fail.cause, VMR_FAIL_INTERNAL);
    assert_int_equal(e.u.fail.code, 4);
    assert_int_equal(e.u.fail.length, VMR_EXIT_FAIL_BYTES_MAX);
}

static void plain_kinds_have_their_fields(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_FAIL_ENTRY);

    (void)state;
    run->fail_entry.hardware_entry_failure_reason = 0x80000021;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.fail.cause, VMR_FAIL_ENTRY);
    assert_int_equal(e.u.fail.code, 0x80000021);

    run = page_init(&page, KVM_EXIT_IOAPIC_EOI);
    run->eoi.vector = 0x31;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.eoi.vector, 0x31);

    run = page_init(&page, KVM_EXIT_HYPERCALL);
    run->hypercall.nr = 12;
    run->hypercall.args[5] = 6;
    run->hypercall.longmode = 1;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.u.hypercall.number, 12);
    assert_int_equal(e.u.hypercall.args[5], 6);
    assert_true(e.u.hypercall.long_mode);
    e.u.hypercall.result = UINT64_MAX;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_true(run->hypercall.ret == UINT64_MAX);

    run = page_init(&page, KVM_EXIT_SET_TPR);
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.kind, VMR_EXIT_CANCEL);
}

static void error_of_the_call_is_never_the_exit_before(void **state)
{
    static const struct {
        int error;
        uint32_t reason, kind;
    } rows[] = {
        {EINTR, KVM_EXIT_IO, VMR_EXIT_CANCEL},
        {EAGAIN, KVM_EXIT_MMIO, VMR_EXIT_CANCEL},
        {EFAULT, KVM_EXIT_UNKNOWN, VMR_EXIT_FAIL},
        {EFAULT, KVM_REASON_MEMORY_FAULT, VMR_EXIT_MEMORY_FAULT},
        {EHWPOISON, KVM_REASON_MEMORY_FAULT, VMR_EXIT_MEMORY_FAULT},
        {EINVAL, KVM_EXIT_IO, VMR_EXIT_FAIL},
        {EINVAL, KVM_REASON_MEMORY_FAULT, VMR_EXIT_FAIL},
    };
    struct page page;
    struct vmr_exit e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint64_t words[] = {8, 0x7000, 0x1000}; /* flags, gpa, size */
        struct kvm_run *run = page_init(&page, rows[i].reason);

        memcpy(run->padding, words, sizeof(words));
        kvm_exit_decode_error(run, rows[i].error, &e);
        assert_int_equal(e.kind, rows[i].kind);
        if (e.kind == VMR_EXIT_MEMORY_FAULT) {
            assert_int_equal(e.u.memory_fault.flags, 8);
            assert_int_equal(e.u.memory_fault.gpa, 0x7000);
            assert_int_equal(e.u.memory_fault.size, 0x1000);
        } else if (e.kind == VMR_EXIT_FAIL) {
            assert_int_equal(e.u.fail.cause, VMR_FAIL_HOST);
            assert_int_equal(e.u.fail.code, rows[i].error);
        }
    }
}

/* A call that KVM's Hyper-V interface passes on is a hypercall; what else that says is nothing we let happen. */
static void hyperv_call_is_a_hypercall_with_a_result(void **state)
{
    struct page page;
    struct vmr_exit e;
    struct kvm_run *run = page_init(&page, KVM_EXIT_HYPERV);

    (void)state;
    run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
    run->hyperv.u.hcall.input = 0x1005d;
    run->hyperv.u.hcall.params[0] = 7;
    run->hyperv.u.hcall.params[1] = 8;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.kind, VMR_EXIT_HYPERCALL);
    assert_int_equal(e.u.hypercall.number, 0x1005d);
    assert_int_equal(e.u.hypercall.args[0], 7);
    assert_int_equal(e.u.hypercall.args[1], 8);
    e.u.hypercall.result = 0x12;
    kvm_exit_answer(run, RUN_SIZE, &e);
    assert_int_equal(run->hyperv.u.hcall.result, 0x12);
    assert_int_equal(run->hyperv.u.hcall.params[1], 8);
    run->hyperv.type = KVM_EXIT_HYPERV_SYNIC;
    kvm_exit_decode(run, RUN_SIZE, &e);
    assert_int_equal(e.kind, VMR_EXIT_FAIL);
    assert_int_equal(e.u.fail.cause, VMR_FAIL_UNKNOWN);
}

/* A linear congruential generator: the same pages each time. */
static uint8_t next_byte(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint8_t)(*state >> 56);
}

static void whatever_the_page_holds_the_exit_is_valid(void **state)
{
    struct page page;
    struct vmr_exit e;
    uint64_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct kvm_run *run = page_init(&page, round % 64);

        /* Few distinct values, so that counts and sizes are often nearly right. */
        for (size_t i = 0; i < 64; i++)
            run->padding[i] = (char)(next_byte(&seed) % 3 ? 0 : next_byte(&seed) % 9);
        if (round % 3 == 0)
            run->io.data_offset = PAGE_SIZE;
        kvm_exit_decode(run, RUN_SIZE, &e);
        if (!vmr_exit_is_valid(&e))
            fail_msg("round %u, reason %u: invalid exit of kind %u", round, run->exit_reason, e.kind);
        kvm_exit_answer(run, RUN_SIZE, &e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_page_holds_the_exit_is_valid),
        cmocka_unit_test(every_reason_without_a_kind_is_kept_raw_and_fatal),
        cmocka_unit_test(port_access_is_in_range_or_a_failure),
        cmocka_unit_test(port_values_are_little_endian_and_bounded_by_their_size),
        cmocka_unit_test(string_answer_may_lie_in_another_buffer),
        cmocka_unit_test(mmio_is_in_range_or_a_failure),
        cmocka_unit_test(mmio_answer_goes_to_reads_only),
        cmocka_unit_test(stale_answer_is_not_written_over_another_exit),
        cmocka_unit_test(msr_exit_carries_value_and_fault),
        cmocka_unit_test(debug_names_the_lowest_breakpoint_or_the_step),
        cmocka_unit_test(system_events_are_ours_or_fatal),
        cmocka_unit_test(emulation_failure_keeps_instruction_or_words),
        cmocka_unit_test(plain_kinds_have_their_fields),
        cmocka_unit_test(error_of_the_call_is_never_the_exit_before),
        cmocka_unit_test(hyperv_call_is_a_hypercall_with_a_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
