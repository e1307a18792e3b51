/* SPDX-License-Identifier: MIT */
/*
 * CPUID: the default table, and each VP's copy with its own APIC id.
 *
 * The TSC-deadline timer is a local APIC's: it is there if KVM has the APICs and
 * says that theirs have it, and never where the APICs are the library's [INT-5].
 * Older kernels leave the bit out of what they support, newer ones leave it in.
 *
 * Two things are taken out of what KVM says it supports. KVM's own
 * paravirtual leaves (0x400000xx): what a guest may negotiate there is the
 * library's to offer. And a measured host quirk: a KVM on a host without VMX
 * and SVM interprets the guest, but still lists the host's instructions; a
 * guest that believes it dies at the first POPCNT. There, what such a KVM is
 * known not to interpret is hidden. The caller's entries come later and win.
 */

#include <stdlib.h>

#include "backends/kvm/kvm_private.h"

/* As many as KVM ever reports (KVM_MAX_CPUID_ENTRIES). */
#define ENTRY_MAX VMR_CPUID_LEAF_MAX

#define LEAF_FEATURES 1u
#define LEAF_CACHES 4u
#define LEAF_TOPOLOGY 0xbu
#define LEAF_TOPOLOGY_2 0x1fu
#define LEAF_PARAVIRTUAL 0x40000000u
#define LEAF_EXTENDED_FEATURES 0x80000001u
#define LEAF_ADDRESS_SIZES 0x80000008u
#define LEAF_AMD_TOPOLOGY 0x8000001eu

#define PHYSICAL_BITS_DEFAULT 36u

/* Bits that stay. A leaf and subleaf without a row stays whole. */
struct mask_row {
    uint32_t leaf, subleaf;
    uint32_t eax, ebx, ecx, edx;
};

#define ALL UINT32_MAX
#define BIT(n) (UINT32_C(1) << (n))
#define DEADLINE_TIMER BIT(24) /* leaf 1, ECX */

static const struct mask_row interpreter_masks[] = {
    /* No SSE3, PCLMULQDQ, MONITOR, SSSE3, FMA, CX16, PCID, SSE4, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND. */
    {LEAF_FEATURES, 0, ALL, ALL,
     ~(BIT(0) | BIT(1) | BIT(3) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) | BIT(23) |
       BIT(25) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(30)),
     ALL},
    /* Of the structured features only those that need no instruction: SMEP, ERMS; FSRM, speculation control. */
    {7, 0, 0, BIT(7) | BIT(9), 0, BIT(4) | BIT(26) | BIT(27) | BIT(29) | BIT(31)},
    {7, 1, 0, 0, 0, 0},
    {7, 2, 0, 0, 0, 0},
    {0xd, 0, 0, 0, 0, 0},
    {0xd, 1, 0, 0, 0, 0},
    /* No LZCNT, SSE4A, MISALIGNSSE, XOP, FMA4, TBM; no MMXEXT, RDTSCP, 3DNow. */
    {LEAF_EXTENDED_FEATURES, 0, ALL, ALL, ~(BIT(5) | BIT(6) | BIT(7) | BIT(11) | BIT(16) | BIT(21)),
     ~(BIT(22) | BIT(27) | BIT(30) | BIT(31))},
};

static bool host_interprets(void)
{
    uint32_t intel[4];
    uint32_t amd[4];

    kvm_host_cpuid(LEAF_FEATURES, intel);
    kvm_host_cpuid(LEAF_EXTENDED_FEATURES, amd);
    return (intel[2] & BIT(5)) == 0 && (amd[2] & BIT(2)) == 0; /* VMX, SVM */
}

static void entry_mask(struct vmr_cpuid_entry *entry)
{
    for (size_t i = 0; i < sizeof(interpreter_masks) / sizeof(interpreter_masks[0]); i++) {
        const struct mask_row *row = &interpreter_masks[i];

        if (row->leaf != entry->leaf || row->subleaf != entry->subleaf)
            continue;
        entry->eax &= row->eax;
        entry->ebx &= row->ebx;
        entry->ecx &= row->ecx;
        entry->edx &= row->edx;
    }
}

static struct kvm_cpuid2 *list_create(size_t capacity)
{
    struct kvm_cpuid2 *list = calloc(1, sizeof(*list) + capacity * sizeof(list->entries[0]));

    if (list)
        list->nent = (uint32_t)capacity;
    return list;
}

enum vmr_status kvm_cpuid_get(int fd, const char *name, unsigned long request, struct kvm_cpuid2 **ret_list,
                              struct vmr_error *err)
{
    struct kvm_cpuid2 *list = list_create(ENTRY_MAX);

    if (!list)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the CPUID table");
    enum vmr_status status = kvm_ioctl(fd, name, request, kvm_pointer(list), err);

    if (!status && list->nent > ENTRY_MAX)
        status = vmr_error_set(err, VMR_E_HOST, "kvm: %s gives %u entries for %u", name, list->nent, ENTRY_MAX);
    if (status)
        free(list);
    else
        *ret_list = list;
    return status;
}

static enum vmr_status supported_get(int fd, struct kvm_cpuid2 **ret_list, struct vmr_error *err)
{
    return kvm_cpuid_get(fd, "KVM_GET_SUPPORTED_CPUID", KVM_GET_SUPPORTED_CPUID, ret_list, err);
}

static struct vmr_cpuid_entry entry_of(const struct kvm_cpuid_entry2 *from)
{
    return (struct vmr_cpuid_entry){
        .leaf = from->function,
        .subleaf = from->index,
        .match_subleaf = (from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0,
        .eax = from->eax,
        .ebx = from->ebx,
        .ecx = from->ecx,
        .edx = from->edx,
    };
}

static bool has_deadline_timer(const struct vmr_hypervisor_handle *handle)
{
    return handle->irqchip != VMR_IRQCHIP_USER && kvm_extension(handle->fd, KVM_CAP_TSC_DEADLINE_TIMER) != 0;
}

static bool is_paravirtual(uint32_t leaf)
{
    return (leaf & 0xffff0000) == LEAF_PARAVIRTUAL;
}

enum vmr_status kvm_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries, size_t capacity,
                          size_t *ret_count, struct vmr_error *err)
{
    struct kvm_cpuid2 *list;
    enum vmr_status status = supported_get(handle->fd, &list, err);
    bool interprets = host_interprets(), has_timer = has_deadline_timer(handle);
    size_t count = 0;

    if (status)
        return status;
    for (uint32_t i = 0; i < list->nent && !status; i++) {
        const struct kvm_cpuid_entry2 *from = &list->entries[i];

        if (is_paravirtual(from->function))
            continue;
        if (count == capacity) {
            status = vmr_error_set(err, VMR_E_USAGE, "kvm: the CPUID table has more than %zu entries", capacity);
            break;
        }
        entries[count] = entry_of(from);
        if (from->function == LEAF_FEATURES)
            entries[count].ecx = (from->ecx & ~DEADLINE_TIMER) | (has_timer ? DEADLINE_TIMER : 0);
        if (interprets)
            entry_mask(&entries[count]);
        count++;
    }
    free(list);
    if (!status)
        *ret_count = count;
    return status;
}

enum vmr_status kvm_cpuid_physical_bits(const struct vmr_hypervisor_handle *handle, uint8_t *ret_bits,
                                        struct vmr_error *err)
{
    struct kvm_cpuid2 *list;
    enum vmr_status status = supported_get(handle->fd, &list, err);
    uint32_t bits = PHYSICAL_BITS_DEFAULT;

    if (status)
        return status;
    for (uint32_t i = 0; i < list->nent; i++) {
        if (list->entries[i].function == LEAF_ADDRESS_SIZES)
            bits = list->entries[i].eax & 0xff;
    }
    free(list);
    *ret_bits = (uint8_t)(bits > VMR_PHYSICAL_BITS_MAX ? VMR_PHYSICAL_BITS_MAX : bits);
    return VMR_OK;
}

/* How many bits of an APIC id number the VPs: they are cores of one package, one thread each. */
static uint32_t id_bits(uint32_t vp_count)
{
    uint32_t bits = 0;

    while (bits < 31 && UINT32_C(1) << bits < vp_count)
        bits++;
    return bits;
}

static uint32_t at_most(uint32_t value, uint32_t maximum)
{
    return value < maximum ? value : maximum;
}

/* Leaf 0xb and its successor (Intel SDM vol. 2, CPUID): level types 1 thread, 2 core, 0 end. */
static void entry_set_topology(struct kvm_cpuid_entry2 *entry, uint32_t index, uint32_t vp_count)
{
    uint32_t level = entry->index;

    entry->eax = level == 1 ? id_bits(vp_count) : 0;
    entry->ebx = level == 0 ? 1 : level == 1 ? vp_count : 0;
    entry->ecx = level < 2 ? level | (level + 1) << 8 : level;
    entry->edx = index;
}

/* The fields of the table that differ from VP to VP, or follow from their number; all others are as given. */
static void entry_set_identity(struct kvm_cpuid_entry2 *entry, const struct kvm_vm *vm, uint32_t index)
{
    uint32_t cores = vm->vp_count;

    switch (entry->function) {
    case LEAF_FEATURES:
        entry->ebx = (entry->ebx & 0xffff) | at_most(cores, 255) << 16 | (index & 0xff) << 24;
        entry->edx = cores > 1 ? entry->edx | BIT(28) : entry->edx & ~BIT(28);
        break;
    case LEAF_CACHES:
        if (entry->eax & 0x1f)
            entry->eax = (entry->eax & 0x3ffffff) | (at_most(cores, 64) - 1) << 26;
        break;
    case LEAF_TOPOLOGY:
    case LEAF_TOPOLOGY_2:
        entry_set_topology(entry, index, cores);
        break;
    case LEAF_ADDRESS_SIZES:
        entry->ecx = (entry->ecx & ~UINT32_C(0xf0ff)) | (at_most(cores, 256) - 1) | id_bits(cores) << 12;
        break;
    case LEAF_AMD_TOPOLOGY:
        entry->eax = index;
        entry->ebx = index & 0xff; /* one thread a core */
        entry->ecx = 0;
        break;
    default:
        break;
    }
}

enum vmr_status kvm_cpuid_set(struct kvm_vp *vp, struct vmr_error *err)
{
    const struct kvm_vm *vm = vp->vm;
    struct kvm_cpuid2 *list = list_create(vm->cpuid_count);

    if (!list)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the CPUID table of VP %u", vp->index);
    for (size_t i = 0; i < vm->cpuid_count; i++) {
        const struct vmr_cpuid_entry *from = &vm->cpuid[i];

        list->entries[i] = (struct kvm_cpuid_entry2){
            .function = from->leaf,
            .index = from->subleaf,
            .flags = from->match_subleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
            .eax = from->eax,
            .ebx = from->ebx,
            .ecx = from->ecx,
            .edx = from->edx,
        };
        entry_set_identity(&list->entries[i], vm, vp->index);
    }
    int result = kvm_host_ioctl(vp->fd.number, KVM_SET_CPUID2, kvm_pointer(list));

    free(list);
    if (result < 0)
        return vmr_error_set_host(err, -result, "kvm: CPUID table of %zu entries for VP %u", vm->cpuid_count,
                                  vp->index);
    return VMR_OK;
}
