/* SPDX-License-Identifier: MIT */
/*
 * CPUID: what the proto partition shows is what the guest sees, but for what
 * the embedder put in its place.
 */

#include "conformance/conformance.h"

#include <string.h>

#define OWN_LEAF 0x40000000u
#define VENDOR_LEAF 0u
#define EXTENDED_LEAF 0x80000000u

/* A program that expects `want` of its leaf, into `steps`, which holds STEPS. */
#define STEPS 5u
static void expect_leaf(struct vmr_step *steps, const struct vmr_cpuid_entry *want)
{
    steps[0] = (struct vmr_step)VMR_CPUID(want->leaf, want->subleaf);
    steps[1] = (struct vmr_step)VMR_EXPECT(0, want->eax);
    steps[2] = (struct vmr_step)VMR_EXPECT(1, want->ebx);
    steps[3] = (struct vmr_step)VMR_EXPECT(2, want->ecx);
    steps[4] = (struct vmr_step)VMR_EXPECT(3, want->edx);
}

#define LEAF_MAX 6u
struct leaves {
    struct vmr_step steps[LEAF_MAX * STEPS + 1];
    struct vmr_program program;
};

static void run_leaves(struct conf *conf, const struct conf_vm_options *options, const struct vmr_cpuid_entry *want,
                       uint32_t count)
{
    struct leaves leaves = {.program = {.name = "leaves", .count = count * STEPS + 1}};
    struct conf_vm *vm = conf_vm_create(conf, options);

    for (uint32_t i = 0; i < count; i++)
        expect_leaf(&leaves.steps[i * STEPS], &want[i]);
    leaves.steps[count * STEPS] = (struct vmr_step)VMR_END();
    leaves.program.steps = leaves.steps;
    if (vm && conf_load(vm, 0, &leaves.program) && conf_bind(vm, 0))
        (void)conf_run_to_end(vm, 0);
    conf_vm_destroy(vm);
}

static void defaults(struct conf *conf)
{
    static const uint32_t leaf[] = {VENDOR_LEAF, EXTENDED_LEAF, 0x80000001};
    const struct vmr_proto_options options = {.host = conf->host};
    struct vmr_cpuid_entry want[3], absent = {.eax = 1};
    struct vmr_proto *proto;
    struct vmr_error err;

    CONF_REQUIRE(conf, vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_OK, "%s", err.message);
    for (unsigned i = 0; i < 3; i++)
        vmr_proto_cpuid(proto, leaf[i], 0, &want[i]);
    vmr_proto_cpuid(proto, 0x7fff1234, 5, &absent);
    vmr_proto_destroy(proto);
    CONF_CHECK(conf, want[0].eax >= 1 && want[0].ebx != 0, "no vendor in the default table");
    CONF_CHECK(conf,
               absent.leaf == 0x7fff1234 && absent.subleaf == 5 && !absent.eax && !absent.ebx && !absent.ecx &&
                   !absent.edx,
               "an unknown leaf is not zero");
    run_leaves(conf, NULL, want, 3);
}

static void replaced(struct conf *conf)
{
    static const struct vmr_cpuid_entry entries[] = {
        {.leaf = OWN_LEAF, .eax = OWN_LEAF + 1, .ebx = 0x67697276, .ecx = 0x11111111, .edx = 0xffffffff},
        {.leaf = OWN_LEAF + 1, .eax = 0x31237648, .ebx = 0, .ecx = 0x80000000, .edx = 1},
        {.leaf = VENDOR_LEAF, .eax = 0xd, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69},
    };
    const struct conf_vm_options options = {.cpuid = entries, .cpuid_count = 3};

    run_leaves(conf, &options, entries, 3);
    conf_note(conf, "own leaves in place of the defaults");
}

static void subleaves(struct conf *conf)
{
    static const struct vmr_cpuid_entry entries[] = {
        {.leaf = OWN_LEAF, .eax = OWN_LEAF + 5, .ebx = 1, .ecx = 2, .edx = 3},
        {.leaf = OWN_LEAF + 5, .subleaf = 0, .match_subleaf = true, .eax = 50, .ebx = 51, .ecx = 52, .edx = 53},
        {.leaf = OWN_LEAF + 5, .subleaf = 7, .match_subleaf = true, .eax = 70, .ebx = 71, .ecx = 72, .edx = 73},
        {.leaf = OWN_LEAF + 4, .eax = 40, .ebx = 41, .ecx = 42, .edx = 43},
    };
    const struct conf_vm_options options = {.cpuid = entries, .cpuid_count = 4};
    struct vmr_cpuid_entry want[5];

    memcpy(want, entries, sizeof(entries));
    want[4] = entries[3];
    want[4].subleaf = 9; /* one that any subleaf matches */
    run_leaves(conf, &options, want, 5);
}

/* Two entries of one leaf and subleaf: the later stands. */
static void later_wins(struct conf *conf)
{
    static const struct vmr_cpuid_entry entries[] = {
        {.leaf = OWN_LEAF, .eax = OWN_LEAF, .ebx = 1},
        {.leaf = OWN_LEAF, .eax = OWN_LEAF, .ebx = 2, .edx = 4},
    };
    const struct conf_vm_options options = {.cpuid = entries, .cpuid_count = 2};

    run_leaves(conf, &options, &entries[1], 1);
}

static const struct conf_scenario scenarios[] = {
    {.name = "the_guest_sees_what_the_proto_partition_shows",
     .family = "cpuid",
     .clauses = "LIFE-4",
     .chip = CONF_CHIP_ANY,
     .run = defaults},
    {.name = "the_embedders_entries_stand_in_place_of_the_defaults",
     .family = "cpuid",
     .clauses = "LIFE-4 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = replaced},
    {.name = "subleaves_are_told_apart",
     .family = "cpuid",
     .clauses = "LIFE-4",
     .chip = CONF_CHIP_ANY,
     .run = subleaves},
    {.name = "of_two_entries_of_one_leaf_the_later_stands",
     .family = "cpuid",
     .clauses = "LIFE-4",
     .chip = CONF_CHIP_ANY,
     .run = later_wins},
};

CONF_FAMILY(cpuid, scenarios);
