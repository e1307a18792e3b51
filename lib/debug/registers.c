/* SPDX-License-Identifier: MIT */
/*
 * The list of registers, once, for the description and for the table. GDB wants
 * the x87's to be there; the library does not hold them, so they are unavailable.
 */

#include "lib/debug/registers.h"

#include "lib/base/bytes.h"
#include "lib/base/text.h"

#define VALUE_BYTES_MAX 10u

/* NUMBER(name, bytes, bits, type of GDB's, member); SELECTOR(name); ABSENT(name, bytes, bits, type). */
#define CORE_REGISTERS(NUMBER, SELECTOR, ABSENT)                                                                       \
    NUMBER(rax, 8, "64", "int64", gpr[VMR_X86_RAX])                                                                    \
    NUMBER(rbx, 8, "64", "int64", gpr[VMR_X86_RBX])                                                                    \
    NUMBER(rcx, 8, "64", "int64", gpr[VMR_X86_RCX])                                                                    \
    NUMBER(rdx, 8, "64", "int64", gpr[VMR_X86_RDX])                                                                    \
    NUMBER(rsi, 8, "64", "int64", gpr[VMR_X86_RSI])                                                                    \
    NUMBER(rdi, 8, "64", "int64", gpr[VMR_X86_RDI])                                                                    \
    NUMBER(rbp, 8, "64", "data_ptr", gpr[VMR_X86_RBP])                                                                 \
    NUMBER(rsp, 8, "64", "data_ptr", gpr[VMR_X86_RSP])                                                                 \
    NUMBER(r8, 8, "64", "int64", gpr[VMR_X86_R8])                                                                      \
    NUMBER(r9, 8, "64", "int64", gpr[VMR_X86_R9])                                                                      \
    NUMBER(r10, 8, "64", "int64", gpr[VMR_X86_R10])                                                                    \
    NUMBER(r11, 8, "64", "int64", gpr[VMR_X86_R11])                                                                    \
    NUMBER(r12, 8, "64", "int64", gpr[VMR_X86_R12])                                                                    \
    NUMBER(r13, 8, "64", "int64", gpr[VMR_X86_R13])                                                                    \
    NUMBER(r14, 8, "64", "int64", gpr[VMR_X86_R14])                                                                    \
    NUMBER(r15, 8, "64", "int64", gpr[VMR_X86_R15])                                                                    \
    NUMBER(rip, 8, "64", "code_ptr", rip)                                                                              \
    NUMBER(eflags, 4, "32", "flags", rflags)                                                                           \
    SELECTOR(cs)                                                                                                       \
    SELECTOR(ss)                                                                                                       \
    SELECTOR(ds)                                                                                                       \
    SELECTOR(es)                                                                                                       \
    SELECTOR(fs)                                                                                                       \
    SELECTOR(gs)                                                                                                       \
    ABSENT(st0, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st1, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st2, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st3, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st4, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st5, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st6, 10, "80", "i387_ext")                                                                                  \
    ABSENT(st7, 10, "80", "i387_ext")                                                                                  \
    ABSENT(fctrl, 4, "32", "int")                                                                                      \
    ABSENT(fstat, 4, "32", "int")                                                                                      \
    ABSENT(ftag, 4, "32", "int")                                                                                       \
    ABSENT(fiseg, 4, "32", "int")                                                                                      \
    ABSENT(fioff, 4, "32", "int")                                                                                      \
    ABSENT(foseg, 4, "32", "int")                                                                                      \
    ABSENT(fooff, 4, "32", "int")                                                                                      \
    ABSENT(fop, 4, "32", "int")

#define SEGMENT_REGISTERS(NUMBER)                                                                                      \
    NUMBER(fs_base, 8, "64", "int64", fs.base)                                                                         \
    NUMBER(gs_base, 8, "64", "int64", gs.base)

#define SYSTEM_REGISTERS(NUMBER)                                                                                       \
    NUMBER(cr0, 8, "64", "int64", cr0)                                                                                 \
    NUMBER(cr2, 8, "64", "int64", cr2)                                                                                 \
    NUMBER(cr3, 8, "64", "int64", cr3)                                                                                 \
    NUMBER(cr4, 8, "64", "int64", cr4)                                                                                 \
    NUMBER(cr8, 8, "64", "int64", cr8)                                                                                 \
    NUMBER(efer, 8, "64", "int64", efer)

enum kind {
    NUMBER,
    SELECTOR,
    ABSENT
};

struct row {
    uint16_t offset; /* in struct vmr_x86_regs */
    uint8_t bytes;   /* in GDB's packets */
    uint8_t kind;
};

#define NUMBER_ROW(name, bytes, bits, type, member) {(uint16_t)offsetof(struct vmr_x86_regs, member), (bytes), NUMBER},
#define SELECTOR_ROW(name) {(uint16_t)offsetof(struct vmr_x86_regs, name.selector), 4, SELECTOR},
#define ABSENT_ROW(name, bytes, bits, type) {0, (bytes), ABSENT},

static const struct row rows[] = {CORE_REGISTERS(NUMBER_ROW, SELECTOR_ROW, ABSENT_ROW) SEGMENT_REGISTERS(NUMBER_ROW)
                                      SYSTEM_REGISTERS(NUMBER_ROW)};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

#define NUMBER_TEXT(name, bytes, bits, type, member) "<reg name=\"" #name "\" bitsize=\"" bits "\" type=\"" type "\"/>"
#define SELECTOR_TEXT(name) "<reg name=\"" #name "\" bitsize=\"32\" type=\"int32\"/>"
#define ABSENT_TEXT(name, bytes, bits, type) NUMBER_TEXT(name, bytes, bits, type, none)
#define FLAG(name, bit) "<field name=\"" name "\" start=\"" bit "\" end=\"" bit "\"/>"
#define FLAGS                                                                                                          \
    "<flags id=\"flags\" size=\"4\">" FLAG("CF", "0") FLAG("", "1") FLAG("PF", "2") FLAG("AF", "4") FLAG("ZF", "6")    \
        FLAG("SF", "7") FLAG("TF", "8") FLAG("IF", "9") FLAG("DF", "10") FLAG("OF", "11") FLAG("NT", "14")             \
            FLAG("RF", "16") FLAG("VM", "17") FLAG("AC", "18") "</flags>"
#define FEATURE(name, content) "<feature name=\"" name "\">" content "</feature>"

static const char target[] = "<?xml version=\"1.0\"?>"
                             "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                             "<target><architecture>i386:x86-64</architecture>"
    /* The features of which GDB knows what their registers are for. */
    FEATURE("org.gnu.gdb.i386.core", FLAGS CORE_REGISTERS(NUMBER_TEXT, SELECTOR_TEXT, ABSENT_TEXT))
        FEATURE("org.gnu.gdb.i386.segments", SEGMENT_REGISTERS(NUMBER_TEXT))
            FEATURE("vmrig.x86.system", SYSTEM_REGISTERS(NUMBER_TEXT)) "</target>";

const char *registers_target(void)
{
    return target;
}

/* --- values --- */

static const uint8_t *place_in(const struct vmr_x86_regs *regs, const struct row *row)
{
    return (const uint8_t *)regs + row->offset;
}

static uint64_t value_of(const struct vmr_x86_regs *regs, const struct row *row)
{
    const void *place = place_in(regs, row);

    return row->kind == SELECTOR ? *(const uint16_t *)place : *(const uint64_t *)place;
}

static void get(const struct vmr_x86_regs *regs, const struct row *row, struct reply *reply)
{
    uint8_t bytes[8];

    if (row->kind == ABSENT) {
        reply_unavailable(reply, row->bytes);
        return;
    }
    store_le(bytes, row->bytes, value_of(regs, row));
    reply_bytes(reply, bytes, row->bytes);
}

bool registers_get(const struct vmr_x86_regs *regs, uint64_t number, struct reply *reply)
{
    if (number >= ROW_COUNT)
        return false;
    get(regs, &rows[number], reply);
    return true;
}

void registers_get_all(const struct vmr_x86_regs *regs, struct reply *reply)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        get(regs, &rows[i], reply);
}

/*
 * A selector is no more than the name of what the processor loaded with it, so
 * changing it alone would give a segment that no guest can have.
 */
static bool set(struct vmr_x86_regs *regs, const struct row *row, const uint8_t *bytes)
{
    uint64_t value = load_le(bytes, row->bytes), *place = (uint64_t *)(void *)((uint8_t *)regs + row->offset);

    if (row->kind == SELECTOR)
        return value == value_of(regs, row);
    *place = value;
    return true;
}

bool registers_set(struct vmr_x86_regs *regs, uint64_t number, const char *digits, size_t length)
{
    uint8_t bytes[VALUE_BYTES_MAX];

    if (number >= ROW_COUNT || rows[number].kind == ABSENT || length != 2u * rows[number].bytes ||
        !text_parse_hex(digits, length, bytes, sizeof(bytes)))
        return false;
    return set(regs, &rows[number], bytes);
}

bool registers_set_all(struct vmr_x86_regs *regs, const char *digits, size_t length)
{
    struct vmr_x86_regs changed = *regs;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t size = 2u * rows[i].bytes;

        if (length < size || (rows[i].kind != ABSENT && !registers_set(&changed, i, digits, size)))
            return false;
        digits += size;
        length -= size;
    }
    if (length != 0)
        return false;
    *regs = changed;
    return true;
}
