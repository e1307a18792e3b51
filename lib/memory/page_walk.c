/* SPDX-License-Identifier: MIT */
/*
 * The guest's page tables, from the top down. What differs between the forms of
 * tables is in `struct form` and in the masks of what an entry must not have.
 */

#include "lib/memory/page_walk.h"

#include "lib/base/bytes.h"
#include "lib/memory/memory.h"

#define CR0_WP (UINT64_C(1) << 16)
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PSE (UINT64_C(1) << 4)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_SMAP (UINT64_C(1) << 21)
#define EFER_LMA (UINT64_C(1) << 10)
#define EFER_NXE (UINT64_C(1) << 11)
#define RFLAGS_AC (UINT64_C(1) << 18)

#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_WRITE UINT64_C(2)
#define ENTRY_USER UINT64_C(4)
#define ENTRY_ACCESSED UINT64_C(0x20)
#define ENTRY_DIRTY UINT64_C(0x40)
#define ENTRY_LARGE UINT64_C(0x80)
#define ENTRY_NX (UINT64_C(1) << 63)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

#define LEVELS_MAX 5u

/* The form of the tables. */
struct form {
    unsigned levels;
    unsigned entry_bytes;
    unsigned index_bits;
    unsigned top_bits; /* of the index of the topmost table */
};

/* A walk under way. */
struct walk {
    struct vmr_memory *memory;
    const struct page_walk *asked;
    struct form form;
    uint64_t gva;
    uint64_t rights; /* ENTRY_WRITE and ENTRY_USER of all entries, ENTRY_NX of any */
    vmr_gpa table;
    vmr_gpa places[LEVELS_MAX]; /* of the entries that were used */
    unsigned used;
};

static struct form form_of(const struct vmr_x86_regs *regs)
{
    if (!(regs->cr4 & CR4_PAE))
        return (struct form){.levels = 2, .entry_bytes = 4, .index_bits = 10, .top_bits = 10};
    if (!(regs->efer & EFER_LMA))
        return (struct form){.levels = 3, .entry_bytes = 8, .index_bits = 9, .top_bits = 2};
    return (struct form){.levels = regs->cr4 & CR4_LA57 ? 5 : 4, .entry_bytes = 8, .index_bits = 9, .top_bits = 9};
}

/* The bits of an address that the entry at `level` (1: the page's) leaves to the offset. */
static unsigned shift_of(const struct form *form, unsigned level)
{
    return 12 + (level - 1) * form->index_bits;
}

static bool is_long(const struct page_walk *asked)
{
    return (asked->regs->efer & EFER_LMA) != 0;
}

/* In long mode the bits above the tables repeat the highest; elsewhere addresses have 32 bits. */
static bool is_canonical(const struct walk *walk)
{
    unsigned bits = shift_of(&walk->form, walk->form.levels) + walk->form.top_bits;
    uint64_t top = walk->gva >> (bits - 1);

    if (!is_long(walk->asked))
        return walk->gva >> 32 == 0;
    return top == 0 || top == UINT64_MAX >> (bits - 1);
}

/* CR3 has flags below the address, and with PAE a table of 32 bytes. */
static vmr_gpa root_of(const struct page_walk *asked)
{
    if (is_long(asked))
        return asked->regs->cr3 & ENTRY_ADDRESS;
    return asked->regs->cr3 & (asked->regs->cr4 & CR4_PAE ? UINT64_C(0xffffffe0) : UINT64_C(0xfffff000));
}

static bool read_entry(struct walk *walk, unsigned level, uint64_t *ret_entry)
{
    unsigned bits = level == walk->form.levels ? walk->form.top_bits : walk->form.index_bits;
    uint64_t index = walk->gva >> shift_of(&walk->form, level) & ((UINT64_C(1) << bits) - 1);
    uint8_t bytes[8] = {0};

    walk->places[walk->used] = walk->table + index * walk->form.entry_bytes;
    if (memory_read_inside(walk->memory, walk->places[walk->used++], bytes, walk->form.entry_bytes))
        return false;
    *ret_entry = load_le64(bytes);
    return true;
}

static bool is_large(const struct walk *walk, unsigned level, uint64_t entry)
{
    if (!(entry & ENTRY_LARGE) || level == 1)
        return false;
    if (walk->form.entry_bytes == 4)
        return (walk->asked->regs->cr4 & CR4_PSE) != 0;
    return level == 2 || (level == 3 && is_long(walk->asked));
}

/* The entries of PAE's topmost table have no rights, and no size. */
static bool is_pointer_of_pae(const struct walk *walk, unsigned level)
{
    return level == 3 && walk->form.levels == 3;
}

/* Intel SDM vol. 3, tables 4-4 to 4-20. */
static bool has_reserved(const struct walk *walk, unsigned level, uint64_t entry)
{
    uint64_t reserved = ENTRY_ADDRESS & ~(((uint64_t)1 << walk->asked->physical_bits) - 1);
    bool large = is_large(walk, level, entry);

    if (walk->form.entry_bytes == 4)
        return large && (entry & UINT64_C(0x200000)) != 0;
    if (!(walk->asked->regs->efer & EFER_NXE) || is_pointer_of_pae(walk, level))
        reserved |= ENTRY_NX;
    if (!is_long(walk->asked))
        reserved |= UINT64_C(0x7ff) << 52;
    if (is_pointer_of_pae(walk, level))
        reserved |= 0x1e6;
    if ((entry & ENTRY_LARGE) && level >= 3 && !large)
        reserved |= ENTRY_LARGE;
    if (large)
        reserved |= ((UINT64_C(1) << shift_of(&walk->form, level)) - 1) & ~UINT64_C(0x1fff);
    return (entry & reserved) != 0;
}

static vmr_gpa large_page(const struct walk *walk, unsigned level, uint64_t entry)
{
    uint64_t offset = (UINT64_C(1) << shift_of(&walk->form, level)) - 1;

    /* 32-bit entries keep bits 32 to 39 of the address in bits 13 to 20. */
    if (walk->form.entry_bytes == 4)
        return (entry & UINT64_C(0xffc00000)) | (entry >> 13 & 0xff) << 32 | (walk->gva & offset);
    return (entry & ENTRY_ADDRESS & ~offset) | (walk->gva & offset);
}

/* Intel SDM vol. 3, 4.6.1. */
static bool is_allowed(const struct walk *walk)
{
    const struct page_walk *asked = walk->asked;
    const struct vmr_x86_regs *regs = asked->regs;
    bool user_page = (walk->rights & ENTRY_USER) != 0;
    bool user = asked->check_privilege && asked->user;
    bool supervisor = asked->check_privilege && !asked->user;
    bool smap =
        (regs->cr4 & CR4_SMAP) != 0 && !asked->without_smap && (asked->ignore_ac || !(regs->rflags & RFLAGS_AC));

    if (user && !user_page)
        return false;
    if (asked->write && !(walk->rights & ENTRY_WRITE) && (user || (regs->cr0 & CR0_WP) != 0))
        return false;
    if (asked->execute && (walk->rights & ENTRY_NX) != 0)
        return false;
    if (supervisor && user_page && asked->execute && (regs->cr4 & CR4_SMEP) != 0)
        return false;
    return !(supervisor && user_page && asked->data && smap);
}

/* The last entry is the page's, which has the dirty bit. */
static bool set_bits(const struct walk *walk)
{
    uint64_t old;

    for (unsigned i = 0; i < walk->used; i++) {
        bool last = i + 1 == walk->used, pointer = i == 0 && walk->form.levels == 3;
        uint64_t bits = ENTRY_ACCESSED | (last && walk->asked->write ? ENTRY_DIRTY : 0);

        if (!pointer && memory_fetch_or_inside(walk->memory, walk->places[i], walk->form.entry_bytes, bits, &old))
            return false;
    }
    return true;
}

static void take_rights(struct walk *walk, unsigned level, uint64_t entry)
{
    if (is_pointer_of_pae(walk, level))
        return;
    walk->rights &= entry | ~(ENTRY_WRITE | ENTRY_USER);
    if (walk->form.entry_bytes == 8)
        walk->rights |= entry & ENTRY_NX;
}

/* Down to the page: its address, or why there is none. */
static enum page_walk_result descend(struct walk *walk, vmr_gpa *ret_gpa)
{
    for (unsigned level = walk->form.levels; level > 0; level--) {
        uint64_t entry;

        if (!read_entry(walk, level, &entry))
            return PAGE_WALK_NO_TABLE;
        if (!(entry & ENTRY_PRESENT))
            return PAGE_WALK_NOT_PRESENT;
        if (has_reserved(walk, level, entry))
            return PAGE_WALK_RESERVED;
        take_rights(walk, level, entry);
        if (is_large(walk, level, entry)) {
            *ret_gpa = large_page(walk, level, entry);
            return PAGE_WALK_OK;
        }
        walk->table = entry & ENTRY_ADDRESS;
    }
    *ret_gpa = walk->table | (walk->gva & 0xfff);
    return PAGE_WALK_OK;
}

enum page_walk_result page_walk(struct vmr_memory *memory, const struct page_walk *asked, uint64_t guest_gva,
                                vmr_gpa *ret_gpa)
{
    struct walk walk = {.memory = memory,
                        .asked = asked,
                        .form = form_of(asked->regs),
                        .gva = guest_gva,
                        .rights = ENTRY_WRITE | ENTRY_USER,
                        .table = root_of(asked)};
    vmr_gpa gpa;

    if (!(asked->regs->cr0 & CR0_PG)) {
        *ret_gpa = guest_gva & UINT32_MAX;
        return guest_gva >> 32 == 0 ? PAGE_WALK_OK : PAGE_WALK_NOT_PRESENT;
    }
    if (!is_canonical(&walk))
        return PAGE_WALK_NOT_PRESENT;
    enum page_walk_result result = descend(&walk, &gpa);

    if (result)
        return result;
    if (!is_allowed(&walk))
        return PAGE_WALK_PRIVILEGE;
    if (asked->set_bits && !set_bits(&walk))
        return PAGE_WALK_NO_TABLE;
    *ret_gpa = gpa;
    return PAGE_WALK_OK;
}
