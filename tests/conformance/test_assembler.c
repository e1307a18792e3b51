/* SPDX-License-Identifier: MIT */
/*
 * Guest programs as machine code: what each step becomes, read back by an
 * independent disassembler; labels; the image and its bounds.
 */

#include "conformance/x86_64/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/conformance/disassemble.h"

#define TEXT_MAX 1024u
#define ORIGIN 0x13000u

struct lowered {
    struct code code;
    struct lowering lowering;
    char text[TEXT_MAX];
};

/* Steps 0 and 1 are END; the step under test is step 2, and the endings come right behind it. */
static struct lowered *lower(const struct vmr_step *step, uint8_t eoi)
{
    static struct vmr_step steps[3];
    static struct vmr_program program;
    struct lowered *lowered = calloc(1, sizeof(*lowered));

    assert_non_null(lowered);
    steps[2] = *step;
    program = (struct vmr_program){.name = "test", .steps = steps, .count = 3, .eoi = eoi};
    code_init(&lowered->code, ORIGIN);
    lowered->lowering = (struct lowering){.code = &lowered->code, .program = &program};
    lowered->lowering.first_step = code_labels(&lowered->code, 3);
    lowered->lowering.mismatch = code_labels(&lowered->code, 2);
    lowered->lowering.end = lowered->lowering.mismatch + 1;
    code_place(&lowered->code, lowered->lowering.first_step);
    code_place(&lowered->code, lowered->lowering.first_step + 1);
    lower_step(&lowered->lowering, 2);
    code_place(&lowered->code, lowered->lowering.mismatch);
    code_place(&lowered->code, lowered->lowering.end);
    assert_true(code_finish(&lowered->code));
    return lowered;
}

struct expectation {
    struct vmr_step step;
    const char *text;
};

static const struct expectation expectations[] = {
    {VMR_SET(3, UINT64_C(0x1122334455667788)), "movabs r11, 0x1122334455667788"},
    {VMR_ADD(0, 5), "movabs rax, 5; add r8, rax"},
    {VMR_OUT(0x402, 1, 0x53), "movabs rax, 0x53; movabs rdx, 0x402; out dx, al"},
    {VMR_OUT(0x402, 2, 0x53), "movabs rax, 0x53; movabs rdx, 0x402; out dx, ax"},
    {VMR_OUT_VAR(0x402, 4, 7), "mov rax, r15; movabs rdx, 0x402; out dx, eax"},
    {VMR_IN(1, 0x71, 1), "movabs rdx, 0x71; xor rax, rax; in al, dx; mov r9, rax"},
    {VMR_IN(1, 0x71, 2), "movabs rdx, 0x71; xor rax, rax; in ax, dx; mov r9, rax"},
    {VMR_IN(1, 0x71, 4), "movabs rdx, 0x71; xor rax, rax; in eax, dx; mov r9, rax"},
    {VMR_OUTS(0x402, 1, 7, 0x100000),
     "movabs rdx, 0x402; movabs rcx, 7; movabs rsi, 0x100000; cld; rep outsb dx, byte ptr [rsi]; cld"},
    {VMR_OUTS(0x402, 2, 7, 0x100000),
     "movabs rdx, 0x402; movabs rcx, 7; movabs rsi, 0x100000; cld; rep outsw dx, word ptr [rsi]; cld"},
    {{.op = VMR_STEP_INS, .size = 4, .address = 0x402, .count = 7, .value = 0x100010, .backward = true},
     "movabs rdx, 0x402; movabs rcx, 7; movabs rdi, 0x100010; std; rep insd dword ptr [rdi], dx; cld"},
    {VMR_STORE(0x100000, 1, 9), "movabs rdi, 0x100000; movabs rax, 9; mov byte ptr [rdi], al"},
    {VMR_STORE(0x100000, 2, 9), "movabs rdi, 0x100000; movabs rax, 9; mov word ptr [rdi], ax"},
    {VMR_STORE(0x100000, 4, 9), "movabs rdi, 0x100000; movabs rax, 9; mov dword ptr [rdi], eax"},
    {VMR_STORE_VAR(0xd0000000, 8, 2), "movabs rdi, 0xd0000000; mov rax, r10; mov qword ptr [rdi], rax"},
    {VMR_LOAD(4, 0xd0000000, 1), "movabs rsi, 0xd0000000; xor rax, rax; mov al, byte ptr [rsi]; mov r12, rax"},
    {VMR_LOAD(4, 0xd0000000, 2), "movabs rsi, 0xd0000000; xor rax, rax; mov ax, word ptr [rsi]; mov r12, rax"},
    {VMR_LOAD(4, 0xd0000000, 4), "movabs rsi, 0xd0000000; xor rax, rax; mov eax, dword ptr [rsi]; mov r12, rax"},
    {VMR_LOAD(4, 0xd0000000, 8), "movabs rsi, 0xd0000000; xor rax, rax; mov rax, qword ptr [rsi]; mov r12, rax"},
    {VMR_OR(0x100000, 1, 6), "movabs rdi, 0x100000; movabs rax, 6; lock or byte ptr [rdi], al"},
    {VMR_OR(0x100000, 2, 6), "movabs rdi, 0x100000; movabs rax, 6; lock or word ptr [rdi], ax"},
    {VMR_OR(0x100000, 4, 6), "movabs rdi, 0x100000; movabs rax, 6; lock or dword ptr [rdi], eax"},
    {VMR_OR(0x100000, 8, 6), "movabs rdi, 0x100000; movabs rax, 6; lock or qword ptr [rdi], rax"},
    {VMR_RDMSR(1, 0x10),
     "xor r15, r15; movabs rax, 0x1302c; movabs rdi, 0x9400; mov qword ptr [rdi], rax; movabs rcx, 0x10; "
     "xor rax, rax; xor rdx, rdx; rdmsr; xor rbx, rbx; movabs rdi, 0x9400; mov qword ptr [rdi], rbx; "
     "shl rdx, 0x20; or rax, rdx; mov r9, rax"},
    {VMR_WRMSR(0x10, UINT64_C(0x1122334455667788)),
     "xor r15, r15; movabs rax, 0x1303a; movabs rdi, 0x9400; mov qword ptr [rdi], rax; movabs rcx, 0x10; "
     "movabs rax, 0x55667788; movabs rdx, 0x11223344; wrmsr; xor rbx, rbx; movabs rdi, 0x9400; "
     "mov qword ptr [rdi], rbx"},
    {VMR_CPUID(0x40000000, 1),
     "movabs rax, 0x40000000; movabs rcx, 1; cpuid; mov r8, rax; mov r9, rbx; mov r10, rcx; mov r11, rdx"},
    {VMR_EXPECT(2, 7),
     "mov rbx, r10; movabs rax, 7; cmp rbx, rax; je 0x13028; movabs rcx, 2; mov rbx, r10; jmp 0x13028"},
    {VMR_EXPECT_MASK(2, 0xf0, 0x70),
     "mov rbx, r10; movabs rax, 0xf0; and rbx, rax; movabs rax, 0x70; cmp rbx, rax; je 0x13035; movabs rcx, 2; "
     "mov rbx, r10; jmp 0x13035"},
    {VMR_JUMP(1), "jmp 0x13000"},
    {VMR_JUMP_EQ(0, 3, 0), "movabs rax, 3; cmp r8, rax; je 0x13000"},
    {VMR_LOOP(6, 1), "dec r14; jne 0x13000"},
    {VMR_SPIN(), "pause; jmp 0x13000"},
    {VMR_SPIN_UNTIL(0x100000, 4, 5),
     "movabs rsi, 0x100000; movabs rbx, 5; xor rax, rax; mov eax, dword ptr [rsi]; cmp rax, rbx; je 0x13029; pause; "
     "jmp 0x13014"},
    {VMR_CLI(), "cli"},
    {VMR_STI(), "sti"},
    {VMR_HLT(), "hlt"},
    {VMR_NOP(), "nop"},
    {VMR_WAIT_VECTOR(0x40, 2),
     "movabs rsi, 0x60100; movabs rbx, 2; cli; xor rax, rax; mov eax, dword ptr [rsi]; cmp rax, rbx; jae 0x1302a; "
     "sti; hlt; jmp 0x13014"},
    {VMR_READ_COUNT(1, 0x40), "movabs rsi, 0x60100; xor rax, rax; mov eax, dword ptr [rsi]; mov r9, rax"},
    {VMR_CHECKPOINT(77), "mov eax, 0x4d; mov edx, 0x5e0; out dx, eax"},
    {VMR_HYPERCALL(4, 9), "mov rbx, r8; mov rcx, r9; mov rdx, r10; mov rsi, r11; movabs rax, 9; vmcall; mov r12, rax"},
    {VMR_HV_CALL(6, 0x110000, 0x1005d),
     "mov rbp, rsp; xor r15, r15; movabs rax, 0x1303c; movabs rdi, 0x9400; mov qword ptr [rdi], rax; "
     "mov rdx, r8; mov r8, r9; movabs rcx, 0x1005d; movabs rbx, 0x110000; xor rax, rax; call rbx; "
     "xor rbx, rbx; movabs rdi, 0x9400; mov qword ptr [rdi], rbx; mov rsp, rbp; mov r9, r8; mov r8, rdx; "
     "mov r14, rax"},
    /* Between the far returns, 32-bit code whose bytes read the same. */
    {VMR_HV_CALL32(6, 0x110000, 0x1005d),
     "xor r15, r15; movabs rax, 0x13075; movabs rdi, 0x9400; mov qword ptr [rdi], rax; "
     "movabs rax, 0x1307b; movabs rbx, 0x1800000000; add rax, rbx; push rax; movabs rax, 0x13073; push 8; "
     "push rax; mov rcx, r8; mov rbx, r8; shr rbx, 0x20; mov rsi, r9; mov rdi, r9; shr rdi, 0x20; "
     "movabs rbp, 0x1005d; mov rax, rbp; mov rdx, rbp; shr rdx, 0x20; movabs rbp, 0x110000; retfq; "
     "call rbp; mov esp, 0x12ff8; retf; shl rbx, 0x20; mov ecx, ecx; or rbx, rcx; mov r8, rbx; "
     "shl rdi, 0x20; mov esi, esi; or rdi, rsi; mov r9, rdi; shl rdx, 0x20; mov eax, eax; or rdx, rax; "
     "mov r14, rdx; xor rbx, rbx; movabs rdi, 0x9400; mov qword ptr [rdi], rbx"},
    {VMR_HV_CALL_XMM(6, 0x110000, 0x1005d, 0x113000),
     "movabs rsi, 0x113000; movups xmm0, xmmword ptr [rsi]; movups xmm1, xmmword ptr [rsi + 0x10]; "
     "movups xmm2, xmmword ptr [rsi + 0x20]; movups xmm3, xmmword ptr [rsi + 0x30]; "
     "movups xmm4, xmmword ptr [rsi + 0x40]; movups xmm5, xmmword ptr [rsi + 0x50]; mov rbp, rsp; "
     "xor r15, r15; movabs rax, 0x1305e; movabs rdi, 0x9400; mov qword ptr [rdi], rax; mov rdx, r8; "
     "mov r8, r9; movabs rcx, 0x1005d; movabs rbx, 0x110000; xor rax, rax; call rbx; xor rbx, rbx; "
     "movabs rdi, 0x9400; mov qword ptr [rdi], rbx; mov rsp, rbp; mov r9, r8; mov r8, rdx; mov r14, rax; "
     "movabs rsi, 0x113000; movups xmmword ptr [rsi], xmm0; movups xmmword ptr [rsi + 0x10], xmm1; "
     "movups xmmword ptr [rsi + 0x20], xmm2; movups xmmword ptr [rsi + 0x30], xmm3; "
     "movups xmmword ptr [rsi + 0x40], xmm4; movups xmmword ptr [rsi + 0x50], xmm5"},
    {VMR_VTL_CALL(0x110000),
     "mov rbp, rsp; xor r15, r15; movabs rax, 0x13039; movabs rdi, 0x9400; mov qword ptr [rdi], rax; "
     "movabs rcx, 0; movabs rbx, 0x11000f; call rbx; mov rbp, rsp; xor r15, r15; xor rbx, rbx; movabs rdi, 0x9400; "
     "mov qword ptr [rdi], rbx; mov rsp, rbp"},
    {VMR_VTL_RETURN(0x110000, 1),
     "mov rbp, rsp; xor r15, r15; movabs rax, 0x13039; movabs rdi, 0x9400; mov qword ptr [rdi], rax; "
     "movabs rcx, 1; movabs rbx, 0x110026; call rbx; mov rbp, rsp; xor r15, r15; xor rbx, rbx; movabs rdi, 0x9400; "
     "mov qword ptr [rdi], rbx; mov rsp, rbp"},
    {VMR_POWER_OFF(), "mov eax, 1; mov edx, 0x5ec; out dx, eax"},
    {VMR_RESET(), "mov eax, 2; mov edx, 0x5ec; out dx, eax"},
    {VMR_TRIPLE_FAULT(), "lidt [0x9110]; ud2"},
    {VMR_END(), "jmp 0x13005"},
};

static void compare(const struct vmr_step *step, uint8_t eoi, const char *text)
{
    struct lowered *lowered = lower(step, eoi);
    size_t read =
        disassemble(lowered->code.bytes, lowered->code.length, ORIGIN, 64, lowered->text, sizeof(lowered->text));

    assert_string_equal(lowered->text, text);
    assert_int_equal(read, lowered->code.length);
    free(lowered);
}

static void skip_without_disassembler(void)
{
    if (disassembler_missing()) {
        print_message("%s\n", disassembler_missing());
        skip();
    }
}

static void every_step_reads_as_it_was_meant(void **state)
{
    bool seen[VMR_STEP_OP_COUNT] = {false};

    (void)state;
    skip_without_disassembler();
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        compare(&expectations[i].step, VMR_EOI_NONE, expectations[i].text);
        seen[expectations[i].step.op] = true;
    }
    /* These two depend on where the local APIC is: see below. */
    seen[VMR_STEP_START_VP] = seen[VMR_STEP_SEND_IPI] = true;
    for (uint32_t op = 0; op < VMR_STEP_OP_COUNT; op++) {
        if (!seen[op])
            fail_msg("no test of '%s'", vmr_step_op_name(op));
    }
}

static void interrupts_go_through_the_local_apic_that_is_there(void **state)
{
    static const struct vmr_step ipi = VMR_SEND_IPI(3, 0x40), start = VMR_START_VP(1);

    (void)state;
    skip_without_disassembler();
    compare(&ipi, VMR_EOI_X2APIC, "movabs rcx, 0x830; movabs rax, 0x4040; movabs rdx, 3; wrmsr");
    compare(&ipi, VMR_EOI_XAPIC,
            "movabs rdi, 0xfee00310; movabs rax, 0x3000000; mov dword ptr [rdi], eax; movabs rdi, 0xfee00300; "
            "movabs rax, 0x4040; mov dword ptr [rdi], eax");
    compare(&start, VMR_EOI_X2APIC,
            "movabs rcx, 0x830; movabs rax, 0x4500; movabs rdx, 1; wrmsr; movabs rcx, 0x830; movabs rax, 0x4608; "
            "movabs rdx, 1; wrmsr");
}

/* --- labels --- */

static void jumps_reach_both_ways_over_any_distance(void **state)
{
    struct code *code = calloc(1, sizeof(*code));
    char text[128];

    (void)state;
    assert_non_null(code);
    skip_without_disassembler();
    code_init(code, 0x10000);
    uint32_t begin = code_labels(code, 2), end = begin + 1;

    code_place(code, begin);
    emit_jump(code, end);
    while (code->length < 0x6000)
        emit(code, 0x90);
    code_place(code, end);
    emit_jump_if(code, COND_BELOW, begin);
    emit_mov_label(code, RBX, begin);
    assert_true(code_finish(code));
    (void)disassemble(code->bytes, 5, 0x10000, 64, text, sizeof(text));
    assert_string_equal(text, "jmp 0x16000");
    (void)disassemble(code->bytes + 0x6000, 16, 0x16000, 64, text, sizeof(text));
    assert_string_equal(text, "jb 0x10000; movabs rbx, 0x10000");
    free(code);
}

static void a_label_that_is_never_placed_is_an_error(void **state)
{
    struct code *code = calloc(1, sizeof(*code));

    (void)state;
    assert_non_null(code);
    code_init(code, 0);
    emit_jump(code, code_labels(code, 1));
    assert_false(code_finish(code));
    free(code);
}

static void what_does_not_fit_is_an_error_that_stays(void **state)
{
    struct code *code = calloc(1, sizeof(*code));

    (void)state;
    assert_non_null(code);
    code_init(code, 0);
    for (uint32_t i = 0; i < CODE_BYTES_MAX; i++)
        emit(code, 0x90);
    assert_true(code_finish(code));
    emit(code, 0x90);
    assert_false(code_finish(code));
    assert_int_equal(code->length, CODE_BYTES_MAX);
    code_init(code, 0);
    (void)code_labels(code, CODE_LABEL_MAX);
    assert_true(code_finish(code));
    (void)code_labels(code, 1);
    assert_false(code_finish(code));
    code_init(code, 0);
    uint32_t label = code_labels(code, 1);

    code_place(code, label);
    for (uint32_t i = 0; i < CODE_FIXUP_MAX; i++)
        emit_jump(code, label);
    assert_true(code_finish(code));
    emit_jump(code, label);
    assert_false(code_finish(code));
    free(code);
}

/* --- the image --- */

static void the_trampoline_climbs_to_long_mode(void **state)
{
    static const char want16[] = "cli; xor ax, ax; mov ds, ax; lgdt [0x9100]; mov eax, cr0; or al, 1; mov cr0, eax; "
                                 "ljmp 8:0x801b";
    static const char want32[] =
        "mov ax, 0x10; mov ds, eax; mov es, eax; mov ss, eax; mov eax, cr4; or eax, 0x220; mov cr4, eax; "
        "mov eax, 0x70000; mov cr3, eax; mov ecx, 0xc0000080; rdmsr; or eax, 0x100; wrmsr; mov eax, cr0; "
        "or eax, 0x80000000; mov cr0, eax; ljmp 0x18:0x8058";
    static const char want64[] = "mov eax, 1; cpuid; shr ebx, 0x18; and ebx, 7; mov rax, qword ptr [rbx*8 + 0x9300]; "
                                 "jmp rax";
    struct code *code = calloc(1, sizeof(*code));
    char text[TEXT_MAX];

    (void)state;
    assert_non_null(code);
    skip_without_disassembler();
    code_init(code, VMR_PROGRAM_BASE);
    image_trampoline(code);
    assert_true(code_finish(code));
    assert_true(code->length <= VMR_PAGE_SIZE);
    uint32_t at32 = code->labels[0], at64 = code->labels[1];

    assert_int_equal(disassemble(code->bytes, at32, VMR_PROGRAM_BASE, 16, text, sizeof(text)), at32);
    assert_string_equal(text, want16);
    assert_int_equal(disassemble(code->bytes + at32, at64 - at32, VMR_PROGRAM_BASE + at32, 32, text, sizeof(text)),
                     at64 - at32);
    assert_string_equal(text, want32);
    (void)disassemble(code->bytes + at64, code->length - at64, VMR_PROGRAM_BASE + at64, 64, text, sizeof(text));
    assert_string_equal(text, want64);
    free(code);
}

static void the_parts_of_the_image_do_not_touch(void **state)
{
    (void)state;
    assert_true(IMAGE_FIXUP(IMAGE_VP_MAX) <= IMAGE_AREA(0));
    assert_true(IMAGE_IDTR(IMAGE_VP_MAX) <= IMAGE_ENTRIES);
    assert_true(IMAGE_ENTRIES + IMAGE_VP_MAX * 8 <= IMAGE_FIXUP(0));
    assert_true(IMAGE_CODE(0) + CODE_BYTES_MAX <= IMAGE_AREA(1));
    assert_true(IMAGE_STUBS(0) + 256 * IMAGE_STUB_BYTES <= IMAGE_STACK(0) - 4096);
    assert_true(IMAGE_AREA(IMAGE_VP_MAX) <= VMR_PROGRAM_COUNTS);
    assert_true(VMR_PROGRAM_COUNTS + IMAGE_VP_MAX * 1024 <= IMAGE_PAGE_TABLES);
    assert_true(IMAGE_PAGE_TABLES + 6 * VMR_PAGE_SIZE <= VMR_PROGRAM_END);
}

static struct vmr_memory *make_memory(const struct vmr_host *host, uint64_t size)
{
    const struct vmr_memory_region ram = {.size = size};
    struct vmr_memory *memory;

    assert_int_equal(vmr_memory_create(host, &memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(memory, &ram, NULL), VMR_OK);
    return memory;
}

static uint64_t peek(struct vmr_memory *memory, vmr_gpa gpa)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    assert_int_equal(vmr_memory_read(memory, gpa, bytes, sizeof(bytes)), VMR_OK);
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void every_vector_leads_to_a_stub_of_its_own(void **state)
{
    static const struct vmr_step steps[] = {VMR_END()};
    static const struct vmr_program program = {.name = "empty", .steps = steps, .count = 1, .eoi = VMR_EOI_XAPIC};
    struct vmr_host host;
    char text[128], want[64];
    uint8_t stub[IMAGE_STUB_BYTES];

    (void)state;
    skip_without_disassembler();
    vmr_host_posix(&host, NULL);
    struct vmr_memory *memory = make_memory(&host, VMR_PROGRAM_END);

    assert_int_equal(image_write_common(memory), VMR_OK);
    assert_int_equal(image_write_program(memory, 7, &program, NULL), VMR_OK);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t low = peek(memory, IMAGE_IDT(7) + vector * 16u), high = peek(memory, IMAGE_IDT(7) + vector * 16u + 8);
        uint64_t offset = (low & 0xffff) | (low >> 48) << 16 | high << 32;
        bool has_error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
                         vector == 29 || vector == 30;

        assert_int_equal(low >> 16 & UINT64_C(0xffffffff), UINT64_C(0x8e000018));
        assert_int_equal(offset, IMAGE_STUBS(7) + vector * IMAGE_STUB_BYTES);
        assert_int_equal(vmr_memory_read(memory, offset, stub, sizeof(stub)), VMR_OK);
        (void)disassemble(stub, has_error ? 10 : 12, offset, 64, text, sizeof(text));
        snprintf(want, sizeof(want), vector > 9 ? "%spush 0x%x; jmp " : "%spush %u; jmp ", has_error ? "" : "push 0; ",
                 vector);
        assert_memory_equal(text, want, strlen(want));
    }
    vmr_memory_destroy(memory);
}

static void the_low_four_gib_are_mapped_to_themselves(void **state)
{
    struct vmr_host host;

    (void)state;
    vmr_host_posix(&host, NULL);
    struct vmr_memory *memory = make_memory(&host, VMR_PROGRAM_END);

    assert_int_equal(image_write_common(memory), VMR_OK);
    for (uint64_t gpa = 0; gpa < UINT64_C(1) << 32; gpa += UINT64_C(0x200000)) {
        uint64_t pdpt = peek(memory, IMAGE_PAGE_TABLES + (gpa >> 39) * 8);
        uint64_t directory = peek(memory, (pdpt & ~UINT64_C(0xfff)) + (gpa >> 30 & 511) * 8);

        assert_int_equal(pdpt & 1, 1);
        assert_int_equal(directory & 1, 1);
        assert_int_equal(peek(memory, (directory & ~UINT64_C(0xfff)) + (gpa >> 21 & 511) * 8), gpa | 0x83);
    }
    vmr_memory_destroy(memory);
}

static void what_the_image_cannot_hold_is_refused(void **state)
{
    static struct vmr_step steps[VMR_PROGRAM_STEP_MAX];
    const struct vmr_program program = {.name = "long", .steps = steps, .count = VMR_PROGRAM_STEP_MAX};
    static const struct vmr_step end = VMR_END();
    const struct vmr_program small = {.name = "small", .steps = &end, .count = 1};
    struct vmr_error err = {.message = ""};
    struct vmr_host host;

    (void)state;
    vmr_host_posix(&host, NULL);
    struct vmr_memory *memory = make_memory(&host, VMR_PROGRAM_END);

    assert_int_equal(image_write_program(memory, 0, &small, &err), VMR_OK);
    for (uint32_t i = 0; i + 1 < VMR_PROGRAM_STEP_MAX; i++)
        steps[i] = (struct vmr_step)VMR_CPUID(0, 0);
    assert_int_equal(image_write_program(memory, 0, &program, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "'long'"));
    assert_int_equal(image_write_program(memory, IMAGE_VP_MAX, &small, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "VP 8"));
    vmr_memory_destroy(memory);
    memory = make_memory(&host, VMR_PAGE_SIZE);
    assert_int_not_equal(image_write_common(memory), VMR_OK);
    assert_int_equal(image_write_program(memory, 0, &small, &err), VMR_E_CONFIG);
    vmr_memory_destroy(memory);
}

static void a_program_begins_in_the_mode_it_asks_for(void **state)
{
    struct vmr_program program = {.name = "start", .start = VMR_START_REAL_MODE};
    struct vmr_x86_regs regs;

    (void)state;
    image_registers(&program, 2, &regs);
    assert_int_equal(regs.cr0 & 1, 0);
    assert_int_equal(regs.cs.base + regs.rip, VMR_PROGRAM_BASE);
    program.start = VMR_START_LONG_MODE;
    image_registers(&program, 2, &regs);
    assert_int_equal(regs.rip, IMAGE_CODE(2));
    assert_int_equal(regs.efer, 0x500);
    assert_int_equal(regs.cs.attributes & 0x2000, 0x2000);
    assert_int_equal(regs.cr3, IMAGE_PAGE_TABLES);
    assert_int_equal(regs.rflags, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_reads_as_it_was_meant),
        cmocka_unit_test(interrupts_go_through_the_local_apic_that_is_there),
        cmocka_unit_test(jumps_reach_both_ways_over_any_distance),
        cmocka_unit_test(a_label_that_is_never_placed_is_an_error),
        cmocka_unit_test(what_does_not_fit_is_an_error_that_stays),
        cmocka_unit_test(the_trampoline_climbs_to_long_mode),
        cmocka_unit_test(the_parts_of_the_image_do_not_touch),
        cmocka_unit_test(every_vector_leads_to_a_stub_of_its_own),
        cmocka_unit_test(the_low_four_gib_are_mapped_to_themselves),
        cmocka_unit_test(what_the_image_cannot_hold_is_refused),
        cmocka_unit_test(a_program_begins_in_the_mode_it_asks_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
