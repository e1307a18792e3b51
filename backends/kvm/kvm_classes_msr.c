/* SPDX-License-Identifier: MIT */
/*
 * Classes that are MSRs and no more. Each is a struct of 64-bit numbers in the
 * order of its MSRs here, so that one list serves both ways. KVM takes a list
 * up to the first MSR that it does not know or whose value it refuses, and says
 * how many those were.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MSR_MAX 28u /* of the largest class, the MTRRs */

/* Intel SDM vol. 4; AMD64 APM vol. 2, appendix A. */
static const uint32_t xss[] = {0xda0};
static const uint32_t mtrrs[] = {0x2ff, 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d,
                                 0x26e, 0x26f, 0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
                                 0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f};
static const uint32_t pat[] = {0x277};
static const uint32_t syscall[] = {0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102};
static const uint32_t misc_enable[] = {0x1a0};
static const uint32_t feature_control[] = {0x3a};
static const uint32_t spec_ctrl[] = {0x48};
static const uint32_t mcg[] = {0x179, 0x17a, 0x17b};
static const uint32_t tsc_aux[] = {0xc0000103};
static const uint32_t cet[] = {0x6a0, 0x6a2};
static const uint32_t tsc_adjust[] = {0x3b};
static const uint32_t tsc[] = {0x10};
static const uint32_t tsc_deadline[] = {0x6e0};

/* KVM lists about a hundred. */
#define LISTED_MAX 1024u

#define LIST(class_, struct_, list_)                                                                                   \
    [class_] = {.indices = (list_),                                                                                    \
                .count = COUNT(list_) + 0 * sizeof(char[sizeof(struct_) == COUNT(list_) * sizeof(uint64_t) ? 1 : -1])}
static const struct msr_class {
    const uint32_t *indices;
    size_t count;
} classes[VMR_VP_CLASS_COUNT] = {
    LIST(VMR_VP_XSS, struct vmr_x86_word_state, xss),
    LIST(VMR_VP_MTRRS, struct vmr_x86_mtrr_state, mtrrs),
    LIST(VMR_VP_PAT, struct vmr_x86_word_state, pat),
    LIST(VMR_VP_SYSCALL, struct vmr_x86_syscall_state, syscall),
    LIST(VMR_VP_MISC_ENABLE, struct vmr_x86_word_state, misc_enable),
    LIST(VMR_VP_FEATURE_CONTROL, struct vmr_x86_word_state, feature_control),
    LIST(VMR_VP_SPEC_CTRL, struct vmr_x86_word_state, spec_ctrl),
    LIST(VMR_VP_MCG, struct vmr_x86_mcg_state, mcg),
    LIST(VMR_VP_TSC_AUX, struct vmr_x86_word_state, tsc_aux),
    LIST(VMR_VP_CET, struct vmr_x86_cet_state, cet),
    LIST(VMR_VP_TSC_ADJUST, struct vmr_x86_word_state, tsc_adjust),
    LIST(VMR_VP_TSC, struct vmr_x86_word_state, tsc),
    LIST(VMR_VP_TSC_DEADLINE, struct vmr_x86_word_state, tsc_deadline),
};

bool kvm_msr_has_class(uint32_t index)
{
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        for (size_t j = 0; j < classes[i].count; j++) {
            if (classes[i].indices[j] == index)
                return true;
        }
    }
    return false;
}

enum vmr_status kvm_msr_list_get(int device, struct kvm_msr_list **ret_list, struct vmr_error *err)
{
    struct kvm_msr_list *list = calloc(1, sizeof(*list) + LISTED_MAX * sizeof(list->indices[0]));

    if (!list)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the list of MSRs");
    list->nmsrs = LISTED_MAX;
    enum vmr_status status =
        kvm_ioctl(device, "KVM_GET_MSR_INDEX_LIST", KVM_GET_MSR_INDEX_LIST, kvm_pointer(list), err);

    if (!status && list->nmsrs > LISTED_MAX)
        status = vmr_error_set(err, VMR_E_HOST, "kvm: KVM_GET_MSR_INDEX_LIST gives %u entries for %u", list->nmsrs,
                               LISTED_MAX);
    if (status)
        free(list);
    else
        *ret_list = list;
    return status;
}

/* In the layout KVM wants: a count, then entries. */
struct msr_list {
    _Alignas(struct kvm_msrs) unsigned char bytes[sizeof(struct kvm_msrs) + MSR_MAX * sizeof(struct kvm_msr_entry)];
};

static struct kvm_msrs *list_of(struct msr_list *list)
{
    return (struct kvm_msrs *)(void *)list->bytes;
}

static void list_init(struct msr_list *list, const uint32_t *indices, size_t count)
{
    struct kvm_msrs *msrs = list_of(list);

    *list = (struct msr_list){0};
    msrs->nmsrs = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        msrs->entries[i].index = indices[i];
}

bool kvm_class_is_msrs(enum vmr_vp_class vp_class)
{
    return classes[vp_class].count > 0;
}

static bool is_listed(const uint32_t *indices, size_t count, uint32_t index)
{
    for (size_t i = 0; i < count; i++) {
        if (indices[i] == index)
            return true;
    }
    return false;
}

uint64_t kvm_class_msrs_listed(const uint32_t *indices, size_t count)
{
    uint64_t listed = 0;

    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        size_t found = 0;

        while (found < classes[i].count && is_listed(indices, count, classes[i].indices[found]))
            found++;
        if (found > 0 && found == classes[i].count)
            listed |= UINT64_C(1) << i;
    }
    return listed;
}

enum vmr_status kvm_msr_first(const struct kvm_vp *vp, uint32_t index, uint64_t *ret_value, struct vmr_error *err)
{
    struct msr_list list;

    list_init(&list, &index, 1);
    int result = kvm_host_ioctl(vp->fd.number, KVM_GET_MSRS, kvm_pointer(list.bytes));

    if (result < 0)
        return vmr_error_set_host(err, -result, "kvm: KVM_GET_MSRS, %#x of VP %u", index, vp->index);
    *ret_value = result == 1 ? list_of(&list)->entries[0].data : 0;
    return VMR_OK;
}

/* The name of the n-th number of a class, for a person: "mtrrs: fixed[3]". */
static enum vmr_status fail(struct vmr_error *err, enum vmr_status status, enum vmr_vp_class vp_class, unsigned number,
                            uint64_t value)
{
    const struct vmr_state_type *type = vmr_vp_class_type(vp_class);
    const struct vmr_state_field *field = type->fields;
    unsigned element = number;

    for (; element >= field->count; field++)
        element -= field->count;
    return vmr_error_set(err, status, "%s: %s[%u]: KVM refuses MSR %#x = %#" PRIx64, type->name, field->name, element,
                         classes[vp_class].indices[number], value);
}

static enum vmr_status read_class(const struct kvm_vp *vp, enum vmr_vp_class vp_class, struct msr_list *ret_list,
                                  struct vmr_error *err)
{
    const struct msr_class *msrs = &classes[vp_class];

    list_init(ret_list, msrs->indices, msrs->count);
    int result = kvm_host_ioctl(vp->fd.number, KVM_GET_MSRS, kvm_pointer(ret_list->bytes));

    if (result < 0)
        return vmr_error_set_host(err, -result, "%s: KVM_GET_MSRS", vmr_vp_class_type(vp_class)->name);
    if ((size_t)result < msrs->count)
        return vmr_error_set(err, VMR_E_HOST, "%s: KVM does not give MSR %#x", vmr_vp_class_type(vp_class)->name,
                             msrs->indices[result]);
    return VMR_OK;
}

enum vmr_status kvm_class_msrs_get(const struct kvm_vp *vp, enum vmr_vp_class vp_class, void *ret_value,
                                   struct vmr_error *err)
{
    struct msr_list list;
    enum vmr_status status = read_class(vp, vp_class, &list, err);

    for (size_t i = 0; i < classes[vp_class].count && !status; i++)
        memcpy((char *)ret_value + i * sizeof(uint64_t), &list_of(&list)->entries[i].data, sizeof(uint64_t));
    return status;
}

/* Only a deadline in the mode of the APIC's timer that has deadlines is taken; KVM does not say when it took none. */
static enum vmr_status check_deadline(const struct kvm_vp *vp, uint64_t deadline, struct vmr_error *err)
{
    struct vmr_x86_word_state now;
    enum vmr_status status = kvm_class_msrs_get(vp, VMR_VP_TSC_DEADLINE, &now, err);

    if (!status && deadline != 0 && now.value == 0)
        status = vmr_error_set(err, VMR_E_CONFIG, "tsc-deadline: value: %#" PRIx64 ", but the APIC's timer has a count",
                               deadline);
    return status;
}

/* The numbers in front of one that was refused go back. */
static void put_back(const struct kvm_vp *vp, struct msr_list *old, size_t count)
{
    list_of(old)->nmsrs = (uint32_t)count;
    if (count > 0)
        (void)kvm_host_ioctl(vp->fd.number, KVM_SET_MSRS, kvm_pointer(old->bytes));
}

/* How many machine check banks there are is told to KVM in another way, and no snapshot changes it. */
static enum vmr_status check_unwritable(enum vmr_vp_class vp_class, const struct msr_list *old, const void *value,
                                        struct vmr_error *err)
{
    const struct kvm_msrs *msrs = (const struct kvm_msrs *)(const void *)old->bytes;
    const struct vmr_x86_mcg_state *state = value;

    if (vp_class != VMR_VP_MCG || state->cap == msrs->entries[0].data)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "mcg: cap: %#" PRIx64 ", this VP's is %#" PRIx64, state->cap,
                         (uint64_t)msrs->entries[0].data);
}

static enum vmr_status write_class(const struct kvm_vp *vp, enum vmr_vp_class vp_class, const void *value,
                                   struct msr_list *old, struct vmr_error *err)
{
    const struct msr_class *msrs = &classes[vp_class];
    size_t first = vp_class == VMR_VP_MCG ? 1 : 0; /* check_unwritable */
    struct msr_list list;

    list_init(&list, msrs->indices + first, msrs->count - first);
    struct kvm_msr_entry *entries = list_of(&list)->entries;

    for (size_t i = 0; i < msrs->count - first; i++)
        memcpy(&entries[i].data, (const char *)value + (i + first) * sizeof(uint64_t), sizeof(uint64_t));
    int result = kvm_host_ioctl(vp->fd.number, KVM_SET_MSRS, kvm_pointer(list.bytes));

    if (result < 0)
        return vmr_error_set_host(err, -result, "%s: KVM_SET_MSRS", vmr_vp_class_type(vp_class)->name);
    if ((size_t)result == msrs->count - first)
        return VMR_OK;
    memmove(list_of(old)->entries, list_of(old)->entries + first, (size_t)result * sizeof(entries[0]));
    put_back(vp, old, (size_t)result);
    return fail(err, VMR_E_CONFIG, vp_class, (unsigned)((size_t)result + first), entries[result].data);
}

enum vmr_status kvm_class_msrs_set(const struct kvm_vp *vp, enum vmr_vp_class vp_class, const void *value,
                                   struct vmr_error *err)
{
    struct msr_list old;
    enum vmr_status status = read_class(vp, vp_class, &old, err);

    if (!status)
        status = check_unwritable(vp_class, &old, value, err);
    if (!status)
        status = write_class(vp, vp_class, value, &old, err);
    if (!status && vp_class == VMR_VP_TSC_DEADLINE)
        status = check_deadline(vp, ((const struct vmr_x86_word_state *)value)->value, err);
    return status;
}
