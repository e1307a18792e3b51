/* SPDX-License-Identifier: MIT */
/*
 * Translating addresses by hypercall, through tables that the guest has made
 * (TLFS, HvCallTranslateVirtualAddress), and the calls that are denied or not
 * there.
 *
 * The guest takes page tables of its own: 2 MiB of low memory mapped to
 * itself, behind it pages of many kinds.
 */

#include "conformance/scenarios/hv_call_words.h"

#define PML4 (VMR_PROGRAM_DATA + 0x20000u)
#define PDPT (VMR_PROGRAM_DATA + 0x21000u)
#define PD (VMR_PROGRAM_DATA + 0x22000u)
#define PT (VMR_PROGRAM_DATA + 0x23000u)

#define P 1u
#define W 2u
#define U 4u
#define ACCESSED 0x20u
#define DIRTY 0x40u
#define LARGE 0x80u
#define NX (UINT64_C(1) << 63)

/* Page numbers of the second 2 MiB, in the order of PT. */
#define PAGE(n) (UINT64_C(0x200) + (n))
#define GUARDED UINT64_C(0x400)    /* the third: a directory entry that is not there */
#define MISALIGNED UINT64_C(0x600) /* the fourth: a large page that begins in the middle of one */
#define NOT_CANONICAL (UINT64_C(1) << 40)

#define TABLE_ENTRY(table, n, value) VMR_STORE((table) + 8 * (n), 8, value)

/* Fifteen steps, and two calls. The tables' user bits are set, so that a page's own decides. */
#define OWN_TABLES()                                                                                                   \
    TABLE_ENTRY(PML4, 0, PDPT | P | W | U), TABLE_ENTRY(PDPT, 0, PD | P | W | U), TABLE_ENTRY(PD, 0, P | W | LARGE),   \
        TABLE_ENTRY(PD, 1, PT | P | W | U), TABLE_ENTRY(PD, 2, 0), TABLE_ENTRY(PDPT, 1, UINT64_C(0x7000000000) | P),   \
        TABLE_ENTRY(PT, 0, HV_PAGE_1 | P | W | U), TABLE_ENTRY(PT, 1, HV_PAGE_2 | P), TABLE_ENTRY(PT, 2, 0),           \
        TABLE_ENTRY(PT, 3, HV_NO_RAM | P | W), TABLE_ENTRY(PT, 4, HV_PAGE_2 | P | W | NX),                             \
        TABLE_ENTRY(PD, 3, P | LARGE | 0x2000u), HV_SET_OK(HV_REGISTER_CR3, PML4)

#define READ 1u
#define WRITE 2u
#define EXECUTE 4u
#define EXEMPT 8u
#define SET_BITS 0x10u
#define SUPERVISOR 0x40u
#define USER 0x80u

#define TRANSLATE HV_CALL_TRANSLATE_VIRTUAL_ADDRESS
#define INPUT(flags, page)                                                                                             \
    VMR_STORE(HV_INPUT, 8, HV_PARTITION_ID_SELF), VMR_STORE(HV_INPUT + 8, 8, HV_VP_INDEX_SELF),                        \
        VMR_STORE(HV_INPUT + 16, 8, flags), VMR_STORE(HV_INPUT + 24, 8, page)
/* The result code of a page. */
#define CODE(flags, page, x)                                                                                           \
    INPUT(flags, page), HV_EXPECT_CALL(TRANSLATE, HV_INPUT, HV_OUTPUT, 0), VMR_LOAD(5, HV_OUTPUT, 4), VMR_EXPECT(5, x)
#define IS(flags, page, gpa) CODE(flags, page, 0), HV_EXPECT_WORD(HV_OUTPUT + 8, (gpa) >> 12)
#define REFUSED(flags, page, x) INPUT(flags, page), HV_EXPECT_CALL(TRANSLATE, HV_INPUT, HV_OUTPUT, x)

#define OK 0u
#define NOT_PRESENT 1u
#define PRIVILEGE 2u
#define RESERVED 3u
#define UNMAPPED 4u

static void a_page_is_found_as_the_processor_finds_it(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), IS(READ, PAGE(0), HV_PAGE_1), IS(READ, PAGE(1), HV_PAGE_2),
                 IS(READ | WRITE, HV_SIMP >> 12, HV_SIMP), IS(0, 0, 0), CODE(READ, PAGE(2), NOT_PRESENT),
                 CODE(READ, GUARDED, NOT_PRESENT), CODE(READ, NOT_CANONICAL, NOT_PRESENT),
                 CODE(READ, UINT64_C(1) << 27, NOT_PRESENT), VMR_END());

    hv_run(conf, &program);
}

static void rights_are_the_tables(struct conf *conf)
{
    /* CR0.WP is off, then on. */
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), IS(WRITE, PAGE(1), HV_PAGE_2), CODE(USER, PAGE(1), PRIVILEGE),
                 CODE(WRITE | USER, PAGE(1), PRIVILEGE), IS(USER | WRITE, PAGE(0), HV_PAGE_1),
                 IS(USER | EXEMPT, PAGE(1), HV_PAGE_2), HV_GET(HV_REGISTER_CR0), VMR_LOAD(4, HV_OUTPUT, 8),
                 VMR_ADD(4, 0x10000), HV_SELF(), VMR_STORE(HV_INPUT + 16, 8, HV_REGISTER_CR0),
                 VMR_STORE_VAR(HV_INPUT + 32, 8, 4), HV_EXPECT_CALL(SET(1), HV_INPUT, 0, HV_RESULT(0, 1)),
                 CODE(WRITE, PAGE(1), PRIVILEGE), CODE(WRITE | SUPERVISOR, PAGE(1), PRIVILEGE),
                 IS(READ, PAGE(1), HV_PAGE_2), VMR_END());

    hv_run(conf, &program);
}

static void reserved_bits_are_named(struct conf *conf)
{
    /* Without EFER.NXE the highest bit is reserved; with it, it forbids execution. */
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), CODE(READ, MISALIGNED, RESERVED), CODE(READ, PAGE(4), RESERVED),
                 HV_SET_OK(HV_REGISTER_EFER, 0xd00), IS(READ, PAGE(4), HV_PAGE_2), CODE(EXECUTE, PAGE(4), PRIVILEGE),
                 IS(EXECUTE, PAGE(1), HV_PAGE_2), VMR_END());

    hv_run(conf, &program);
}

static void what_is_not_ram_is_named(struct conf *conf)
{
    /* A page beyond RAM, and a table there. */
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), CODE(READ, PAGE(3), UNMAPPED),
                 HV_EXPECT_WORD(HV_OUTPUT + 8, HV_NO_RAM >> 12), CODE(READ, UINT64_C(1) << 18, UNMAPPED), VMR_END());

    hv_run(conf, &program);
}

static void a_look_leaves_no_trace_unless_asked(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), IS(WRITE, PAGE(0), HV_PAGE_1),
                 HV_EXPECT_WORD(PT, HV_PAGE_1 | P | W | U), IS(READ | SET_BITS, PAGE(0), HV_PAGE_1),
                 HV_EXPECT_WORD(PT, HV_PAGE_1 | P | W | U | ACCESSED), IS(WRITE | SET_BITS, PAGE(0), HV_PAGE_1),
                 HV_EXPECT_WORD(PT, HV_PAGE_1 | P | W | U | ACCESSED | DIRTY),
                 CODE(USER | SET_BITS, PAGE(1), PRIVILEGE), HV_EXPECT_WORD(PT + 8, HV_PAGE_2 | P), VMR_END());

    hv_run(conf, &program);
}

static void the_longer_form_says_the_same(struct conf *conf)
{
#define EX HV_CALL_TRANSLATE_VIRTUAL_ADDRESS_EX
    CONF_PROGRAM(program, HV_OPEN(), OWN_TABLES(), INPUT(READ, PAGE(0)), HV_EXPECT_CALL(EX, HV_INPUT, HV_OUTPUT, 0),
                 VMR_LOAD(5, HV_OUTPUT, 4), VMR_EXPECT(5, OK), HV_EXPECT_WORD(HV_OUTPUT + 16, 0),
                 HV_EXPECT_WORD(HV_OUTPUT + 48, HV_PAGE_1 >> 12), INPUT(READ, PAGE(2)),
                 HV_EXPECT_CALL(EX, HV_INPUT, HV_OUTPUT, 0), VMR_LOAD(5, HV_OUTPUT, 4), VMR_EXPECT(5, NOT_PRESENT),
                 VMR_END());

    hv_run(conf, &program);
}

static void a_translation_that_makes_no_sense_is_refused(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), REFUSED(0x400, 0, HV_STATUS_INVALID_PARAMETER),
                 REFUSED(SUPERVISOR | USER, 0, HV_STATUS_INVALID_PARAMETER),
                 REFUSED(0x300, 0, HV_STATUS_INVALID_PARAMETER),
                 REFUSED(0, UINT64_C(1) << 52, HV_STATUS_INVALID_PARAMETER),
                 REFUSED(UINT64_C(0x11) << 56, 0, HV_STATUS_ACCESS_DENIED), INPUT(0, 0), VMR_STORE(HV_INPUT + 8, 4, 1),
                 HV_EXPECT_CALL(TRANSLATE, HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_VP_INDEX), INPUT(0, 0),
                 VMR_STORE(HV_INPUT + 12, 4, 1),
                 HV_EXPECT_CALL(TRANSLATE, HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_PARAMETER), VMR_END());

    hv_run(conf, &program);
}

/* --- calls of a higher VTL, and none --- */

static void what_a_higher_vtl_does_is_denied_to_its_own(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), HV_TARGET(HV_VP_INDEX_SELF, UINT64_C(0x200)),
                 HV_EXPECT_CALL(HV_CALL_SIGNAL_EVENT_DIRECT, HV_INPUT, HV_OUTPUT, HV_STATUS_OPERATION_DENIED),
                 VMR_STORE(HV_INPUT + 16, 4, 2), VMR_STORE(HV_INPUT + 20, 8, 1),
                 HV_EXPECT_CALL(HV_CALL_POST_MESSAGE_DIRECT, HV_INPUT, 0, HV_STATUS_OPERATION_DENIED),
                 HV_EXPECT_CALL(HV_CALL_ASSERT_VIRTUAL_INTERRUPT, HV_INPUT, 0, HV_STATUS_ACCESS_DENIED), VMR_END());

    hv_run(conf, &program);
}

static void there_are_no_extended_calls_and_the_guest_is_told(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(1, HV_ENABLE_EXTENDED_HYPERCALLS >> 32, HV_ENABLE_EXTENDED_HYPERCALLS >> 32),
                 VMR_STORE(HV_OUTPUT, 8, UINT64_MAX), HV_EXPECT_CALL(HV_CALL_EXT_QUERY_CAPABILITIES, 0, HV_OUTPUT, 0),
                 HV_EXPECT_WORD(HV_OUTPUT, 0), HV_EXPECT_CALL(0x8002, 0, HV_OUTPUT, HV_STATUS_INVALID_HYPERCALL_CODE),
                 VMR_END());

    hv_run(conf, &program);
}

static void what_nobody_handles_is_an_unknown_code(struct conf *conf)
{
    CONF_PROGRAM(
        program, HV_OPEN(), HV_EXPECT_CALL(HV_CALL_INSTALL_INTERCEPT, HV_NO_RAM, 0, HV_STATUS_INVALID_HYPERCALL_CODE),
        HV_EXPECT_CALL(HV_CALL_RESTORE_PARTITION_TIME, HV_NO_RAM, 0, HV_STATUS_INVALID_HYPERCALL_CODE),
        HV_EXPECT_CALL(HV_CALL_VBS_VM_CALL_REPORT, HV_NO_RAM, 0, HV_STATUS_INVALID_HYPERCALL_CODE),
        HV_EXPECT_CALL(HV_CALL_GET_VP_CPUID_VALUES, HV_NO_RAM, 0, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());

    hv_run(conf, &program);
}

static const struct conf_scenario scenarios[] = {
    {HV_CALL_SCENARIO(a_page_is_found_as_the_processor_finds_it), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(rights_are_the_tables), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(reserved_bits_are_named), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(what_is_not_ram_is_named), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(a_look_leaves_no_trace_unless_asked), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(the_longer_form_says_the_same), .clauses = "HC-16"},
    {HV_CALL_SCENARIO(a_translation_that_makes_no_sense_is_refused), .clauses = "HC-11 HC-16"},
    {HV_CALL_SCENARIO(what_a_higher_vtl_does_is_denied_to_its_own), .clauses = "HC-17"},
    {HV_CALL_SCENARIO(there_are_no_extended_calls_and_the_guest_is_told), .clauses = "HC-17 HV-1"},
    {HV_CALL_SCENARIO(what_nobody_handles_is_an_unknown_code), .clauses = "HC-17"},
};

CONF_FAMILY(hv_calls_translate, scenarios);
