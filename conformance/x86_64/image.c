/* SPDX-License-Identifier: MIT */
/*
 * The image around the steps: tables, trampoline, interrupt handlers, and where
 * they lie. The same trampoline serves a program that begins in real mode and a
 * VP that was started by a SIPI.
 */

#include "conformance/x86_64/image.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/x86_64/steps.h"

#define MSR_EFER 0xc0000080u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define CR4_OSFXSR 0x200u /* SSE moves, for the hypercalls that use XMM registers */
#define PAGE_PRESENT_WRITABLE 0x3u
#define PAGE_LARGE 0x80u
#define LARGE_PAGE_BYTES 0x200000u

/* Exceptions that push an error code (Intel SDM vol. 3, table 6-1): 8, 10-14, 17, 21, 29, 30. */
#define VECTORS_WITH_ERROR 0x60227d00u
#define VECTOR_NMI 2u
#define EXCEPTION_VECTORS 32u

/*
 * Long because it is one straight line of instructions in three modes, whose
 * order is the point (Intel SDM vol. 3, 10.8.5).
 */
void image_trampoline(struct code *code)
{
    uint32_t protected_mode = code_labels(code, 2);
    uint32_t long_mode = protected_mode + 1;
    uint32_t jump32, jump64;

    emit(code, 0xfa, 0x31, 0xc0, 0x8e, 0xd8); /* cli; xor ax, ax; mov ds, ax */
    emit(code, 0x66, 0x0f, 0x01, 0x16);       /* lgdt [disp16], 32-bit base */
    emit_le(code, IMAGE_GDTR, 2);
    emit(code, 0x0f, 0x20, 0xc0, 0x0c, CR0_PE, 0x0f, 0x22, 0xc0);
    emit(code, 0x66, 0xea); /* jmp selector:offset32 */
    jump32 = code->length;
    emit_le(code, 0, 4);
    emit_le(code, IMAGE_SELECTOR_CODE32, 2);

    code_place(code, protected_mode);
    emit(code, 0x66, 0xb8, IMAGE_SELECTOR_DATA, 0x00, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0); /* ds, es, ss */
    emit(code, 0x0f, 0x20, 0xe0, 0x0d);
    emit_le(code, CR4_PAE | CR4_OSFXSR, 4);
    emit(code, 0x0f, 0x22, 0xe0);
    emit(code, 0xb8);
    emit_le(code, IMAGE_PAGE_TABLES, 4);
    emit(code, 0x0f, 0x22, 0xd8);
    emit(code, 0xb9);
    emit_le(code, MSR_EFER, 4);
    emit(code, 0x0f, 0x32, 0x0d);
    emit_le(code, EFER_LME, 4);
    emit(code, 0x0f, 0x30);
    emit(code, 0x0f, 0x20, 0xc0, 0x0d);
    emit_le(code, CR0_PG, 4);
    emit(code, 0x0f, 0x22, 0xc0);
    emit(code, 0xea);
    jump64 = code->length;
    emit_le(code, 0, 4);
    emit_le(code, IMAGE_SELECTOR_CODE64, 2);

    code_place(code, long_mode);
    emit(code, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x0f, 0xa2); /* mov eax, 1; cpuid: the APIC id in ebx 31:24 */
    emit(code, 0xc1, 0xeb, 0x18, 0x83, 0xe3, IMAGE_VP_MAX - 1);
    emit(code, 0x48, 0x8b, 0x04, 0xdd); /* mov rax, [rbx * 8 + disp32] */
    emit_le(code, IMAGE_ENTRIES, 4);
    emit(code, 0xff, 0xe0);
    if (code->overflow)
        return;
    /* The far jumps hold addresses, not displacements. */
    for (unsigned i = 0; i < 4; i++) {
        code->bytes[jump32 + i] = (uint8_t)((code->origin + code->labels[protected_mode]) >> (8 * i));
        code->bytes[jump64 + i] = (uint8_t)((code->origin + code->labels[long_mode]) >> (8 * i));
    }
}

/* --- a VP's code --- */

static void assemble_entry(struct code *code, vmr_vp_index vp)
{
    emit_mov_imm(code, RSP, IMAGE_STACK(vp));
    emit(code, 0x0f, 0x01, 0x1c, 0x25); /* lidt [disp32] */
    emit_le(code, IMAGE_IDTR(vp), 4);
    for (unsigned var = 0; var < VMR_PROGRAM_VAR_COUNT; var++)
        emit_zero(code, R8 + var);
}

/* Step in ECX, value in RBX; then the end. */
static void assemble_endings(struct code *code, uint32_t mismatch, uint32_t end)
{
    code_place(code, mismatch);
    emit_mov_imm(code, RDX, VMR_PROGRAM_PORT_MISMATCH);
    emit_mov(code, RAX, RCX);
    emit_out(code, 4);
    emit_mov(code, RAX, RBX);
    emit_out(code, 4);
    emit(code, 0x48, 0xc1, 0xe8, 0x20); /* shr rax, 32 */
    emit_out(code, 4);
    code_place(code, end);
    emit_out_port(code, VMR_PROGRAM_PORT_END, 0);
    emit(code, 0xfa, 0xf4, 0xeb, 0xfc); /* cli; hlt; again */
}

static void assemble_eoi(struct code *code, enum vmr_program_eoi eoi)
{
    switch (eoi) {
    case VMR_EOI_PIC:
        /* al = 0x20; vector below 0x28: only the master */
        emit(code, 0xb0, 0x20, 0x48, 0x83, 0x7c, 0x24, 0x20, 0x28, 0x72, 0x02, 0xe6, 0xa0, 0xe6, 0x20);
        return;
    case VMR_EOI_XAPIC:
        emit(code, 0xb8, 0xb0, 0x00, 0xe0, 0xfe, 0xc7, 0x00, 0x00, 0x00, 0x00, 0x00);
        return;
    case VMR_EOI_X2APIC:
        emit(code, 0xb9, 0x0b, 0x08, 0x00, 0x00, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x30);
        return;
    case VMR_EOI_NONE:
    case VMR_EOI_COUNT:
    default:
        return;
    }
}

/* On entry: error code or 0 at [rsp + 8], vector at [rsp]. Counts, acknowledges, returns. */
static uint32_t assemble_interrupt(struct code *code, vmr_vp_index vp, enum vmr_program_eoi eoi)
{
    uint32_t offset = code->length;
    uint32_t no_eoi = code_labels(code, 1);

    emit(code, 0x50, 0x51, 0x52, 0x53);       /* push rax, rcx, rdx, rbx */
    emit(code, 0x48, 0x8b, 0x44, 0x24, 0x20); /* mov rax, [rsp + 32]: the vector */
    emit(code, 0xff, 0x04, 0x85);             /* inc dword [rax * 4 + disp32] */
    emit_le(code, VMR_PROGRAM_COUNTS + vp * 1024u, 4);
    emit(code, 0x48, 0x83, 0xf8, VECTOR_NMI); /* an NMI is nobody's to acknowledge */
    emit_jump_if(code, COND_EQUAL, no_eoi);
    assemble_eoi(code, eoi);
    code_place(code, no_eoi);
    emit(code, 0x5b, 0x5a, 0x59, 0x58);             /* pop */
    emit(code, 0x48, 0x83, 0xc4, 0x10, 0x48, 0xcf); /* add rsp, 16; iretq */
    return offset;
}

/* The same stack. Goes on at the fixup address, or reports the exception as a mismatch of step 0xffffff00 | vector. */
static uint32_t assemble_exception(struct code *code, vmr_vp_index vp, uint32_t mismatch)
{
    uint32_t offset = code->length;
    uint32_t report = code_labels(code, 1);

    emit(code, 0x50);                   /* push rax */
    emit(code, 0x48, 0x8b, 0x04, 0x25); /* mov rax, [disp32] */
    emit_le(code, IMAGE_FIXUP(vp), 4);
    emit(code, 0x48, 0x85, 0xc0); /* test rax, rax */
    emit_jump_if(code, COND_EQUAL, report);
    emit(code, 0x48, 0x89, 0x44, 0x24, 0x18); /* the saved rip := rax */
    emit(code, 0x4c, 0x8b, 0x7c, 0x24, 0x08); /* r15 = the vector */
    emit(code, 0x49, 0xff, 0xc7);             /* inc r15 */
    emit(code, 0x31, 0xc0);
    emit(code, 0x48, 0x89, 0x04, 0x25); /* mov [disp32], rax: used up */
    emit_le(code, IMAGE_FIXUP(vp), 4);
    emit(code, 0x58, 0x31, 0xc0, 0x31, 0xd2); /* pop rax; a read that faulted reads 0 */
    emit(code, 0x48, 0x83, 0xc4, 0x10, 0x48, 0xcf);
    code_place(code, report);
    emit(code, 0x8b, 0x4c, 0x24, 0x08); /* mov ecx, the vector */
    emit(code, 0x81, 0xc9, 0x00, 0xff, 0xff, 0xff);
    emit(code, 0x48, 0x8b, 0x5c, 0x24, 0x18); /* mov rbx, the rip that faulted */
    emit_jump(code, mismatch);
    return offset;
}

bool image_assemble(const struct vmr_program *program, vmr_vp_index vp, struct code *code,
                    struct image_handlers *ret_handlers)
{
    code_init(code, IMAGE_CODE(vp));
    struct lowering low = {.code = code, .program = program, .vp = vp};

    low.first_step = code_labels(code, program->count + 1);
    low.mismatch = code_labels(code, 2);
    low.end = low.mismatch + 1;
    assemble_entry(code, vp);
    for (uint32_t i = 0; !code->overflow && i < program->count; i++)
        lower_step(&low, i);
    code_place(code, low.first_step + program->count); /* running off the end is the end */
    emit_jump(code, low.end);
    assemble_endings(code, low.mismatch, low.end);
    ret_handlers->interrupt = assemble_interrupt(code, vp, (enum vmr_program_eoi)program->eoi);
    ret_handlers->exception = assemble_exception(code, vp, low.mismatch);
    return code_finish(code);
}

/* --- into memory --- */

static enum vmr_status write_u64(struct vmr_memory *memory, vmr_gpa gpa, uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return vmr_memory_write(memory, gpa, bytes, sizeof(bytes));
}

/* A pseudo-descriptor: 16-bit limit, 64-bit base. */
static enum vmr_status write_table_register(struct vmr_memory *memory, vmr_gpa gpa, uint64_t base, uint16_t limit)
{
    enum vmr_status status = write_u64(memory, gpa, base << 16 | limit);

    return status ? status : write_u64(memory, gpa + 8, base >> 48);
}

static enum vmr_status write_page_tables(struct vmr_memory *memory)
{
    uint64_t pml4 = IMAGE_PAGE_TABLES, pdpt = pml4 + VMR_PAGE_SIZE, directories = pdpt + VMR_PAGE_SIZE;
    enum vmr_status status = write_u64(memory, pml4, pdpt | PAGE_PRESENT_WRITABLE);

    for (uint64_t gib = 0; !status && gib < 4; gib++)
        status = write_u64(memory, pdpt + gib * 8, (directories + gib * VMR_PAGE_SIZE) | PAGE_PRESENT_WRITABLE);
    for (uint64_t page = 0; !status && page < 2048; page++)
        status =
            write_u64(memory, directories + page * 8, page * LARGE_PAGE_BYTES | PAGE_LARGE | PAGE_PRESENT_WRITABLE);
    return status;
}

static enum vmr_status write_gdt(struct vmr_memory *memory)
{
    static const uint64_t descriptors[] = {
        0, UINT64_C(0x00cf9b000000ffff), /* 32-bit code, flat */
        UINT64_C(0x00cf93000000ffff),    /* data, flat */
        UINT64_C(0x00af9b000000ffff),    /* 64-bit code */
    };
    enum vmr_status status = VMR_OK;

    for (unsigned i = 0; !status && i < 4; i++)
        status = write_u64(memory, IMAGE_GDT + i * 8u, descriptors[i]);
    return status ? status : write_table_register(memory, IMAGE_GDTR, IMAGE_GDT, sizeof(descriptors) - 1);
}

enum vmr_status image_write_common(struct vmr_memory *memory)
{
    struct code *code = calloc(1, sizeof(*code));

    if (!code)
        return VMR_E_NOMEM;
    code_init(code, VMR_PROGRAM_BASE);
    image_trampoline(code);
    enum vmr_status status =
        code->overflow ? VMR_E_CONFIG : vmr_memory_write(memory, VMR_PROGRAM_BASE, code->bytes, code->length);

    free(code);
    if (!status)
        status = write_gdt(memory);
    if (!status)
        status = write_table_register(memory, IMAGE_IDTR_NONE, 0, 0);
    return status ? status : write_page_tables(memory);
}

/* An interrupt gate (Intel SDM vol. 3, figure 6-8), and the stub it leads to: push [0], push vector, jump. */
static enum vmr_status write_vector(struct vmr_memory *memory, vmr_vp_index vp, unsigned vector,
                                    const struct image_handlers *handlers)
{
    uint64_t stub = IMAGE_STUBS(vp) + vector * IMAGE_STUB_BYTES;
    bool has_error = vector < EXCEPTION_VECTORS && (VECTORS_WITH_ERROR >> vector & 1u);
    bool is_exception = vector < EXCEPTION_VECTORS && vector != VECTOR_NMI;
    uint64_t handler = IMAGE_CODE(vp) + (is_exception ? handlers->exception : handlers->interrupt);
    uint8_t bytes[IMAGE_STUB_BYTES] = {0};
    unsigned length = 0;

    if (!has_error) {
        bytes[length++] = 0x6a;
        bytes[length++] = 0;
    }
    bytes[length++] = 0x68;
    bytes[length++] = (uint8_t)vector;
    length += 3; /* the upper bytes of a 32-bit vector are 0 */
    bytes[length++] = 0xe9;
    uint64_t displacement = handler - (stub + length + 4);

    for (unsigned i = 0; i < 4; i++)
        bytes[length++] = (uint8_t)(displacement >> (8 * i));
    enum vmr_status status = vmr_memory_write(memory, stub, bytes, sizeof(bytes));
    uint64_t gate = (stub & 0xffffu) | (uint64_t)IMAGE_SELECTOR_CODE64 << 16 | UINT64_C(0x8e00) << 32 |
                    (stub >> 16 & 0xffffu) << 48;

    if (!status)
        status = write_u64(memory, IMAGE_IDT(vp) + vector * 16u, gate);
    return status ? status : write_u64(memory, IMAGE_IDT(vp) + vector * 16u + 8, stub >> 32);
}

static enum vmr_status write_vp(struct vmr_memory *memory, vmr_vp_index vp, const struct code *code,
                                const struct image_handlers *handlers)
{
    enum vmr_status status = vmr_memory_write(memory, IMAGE_CODE(vp), code->bytes, code->length);

    for (unsigned vector = 0; !status && vector < 256; vector++)
        status = write_vector(memory, vp, vector, handlers);
    if (!status)
        status = write_table_register(memory, IMAGE_IDTR(vp), IMAGE_IDT(vp), 0xfff);
    if (!status)
        status = write_u64(memory, IMAGE_ENTRIES + vp * 8u, IMAGE_CODE(vp));
    if (!status)
        status = write_u64(memory, IMAGE_FIXUP(vp), 0);
    return status ? status : vmr_memory_fill(memory, VMR_PROGRAM_COUNTS + vp * 1024u, 0, 1024);
}

enum vmr_status image_write_program(struct vmr_memory *memory, vmr_vp_index vp, const struct vmr_program *program,
                                    struct vmr_error *err)
{
    enum vmr_status status = vmr_program_check(program, err);
    struct image_handlers handlers;

    if (status)
        return status;
    if (vp >= IMAGE_VP_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s': VP %u, an image holds %u", program->name, vp,
                             IMAGE_VP_MAX);
    struct code *code = calloc(1, sizeof(*code));

    if (!code)
        return vmr_error_set(err, VMR_E_NOMEM, "program '%s': out of memory", program->name);
    if (!image_assemble(program, vp, code, &handlers))
        status = vmr_error_set(err, VMR_E_CONFIG, "program '%s': %u steps do not fit into %u bytes of code",
                               program->name, program->count, CODE_BYTES_MAX);
    else if (write_vp(memory, vp, code, &handlers))
        status = vmr_error_set(err, VMR_E_CONFIG, "program '%s': the low %#x bytes are not all RAM", program->name,
                               VMR_PROGRAM_END);
    free(code);
    return status;
}

static struct vmr_x86_segment flat(uint16_t selector, uint16_t attributes)
{
    return (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = selector, .attributes = attributes};
}

void image_registers(const struct vmr_program *program, vmr_vp_index vp, struct vmr_x86_regs *ret_regs)
{
    struct vmr_x86_regs regs;

    if (program->start == VMR_START_REAL_MODE) {
        vmr_x86_regs_sipi(ret_regs, VMR_PROGRAM_BASE >> 12);
        return;
    }
    vmr_x86_regs_reset(&regs);
    regs.cs = flat(IMAGE_SELECTOR_CODE64, 0xa09b);
    regs.ds = regs.es = regs.fs = regs.gs = regs.ss = flat(IMAGE_SELECTOR_DATA, 0xc093);
    regs.gdtr = (struct vmr_x86_table){.base = IMAGE_GDT, .limit = 31};
    regs.idtr = (struct vmr_x86_table){.base = IMAGE_IDT(vp), .limit = 0xfff};
    regs.cr0 = CR0_PE | CR0_ET | CR0_PG;
    regs.cr3 = IMAGE_PAGE_TABLES;
    regs.cr4 = CR4_PAE | CR4_OSFXSR;
    regs.efer = EFER_LME | EFER_LMA;
    regs.rip = IMAGE_CODE(vp);
    regs.rflags = 2;
    *ret_regs = regs;
}
