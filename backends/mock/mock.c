/* SPDX-License-Identifier: MIT */
/*
 * The mock's table, its handle and what it says of itself. VMs are in
 * mock_vm.c, VPs in mock_vp.c, steps in mock_run.c. [MOCK-1]
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mock/machine.h"

static const struct vmr_param_key keys[] = {
    {"profile", "strict|kvm-like|hvf-like|mshv-like|whp-like", "the hypervisor to be like (strict)"},
    {"seed", "number", "spurious cancels that follow from this number (0: none)"},
    {"irqchip", "user|split|kernel", "where interrupt controllers live (user)"},
    {"managed", "true|false", "true: runs its VPs itself (false)"},
    {NULL, NULL, NULL},
};

static const char *const irqchip_names[VMR_IRQCHIP_COUNT] = {
    [VMR_IRQCHIP_USER] = "user",
    [VMR_IRQCHIP_SPLIT] = "split",
    [VMR_IRQCHIP_KERNEL] = "kernel",
};

static const char *param(const struct vmr_params *params, const char *key)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].key, key) == 0)
            return params->items[i].value;
    }
    return NULL;
}

static enum vmr_status parse_seed(const char *text, uint64_t *ret_seed, struct vmr_error *err)
{
    char *end = NULL;

    *ret_seed = 0;
    if (!text)
        return VMR_OK;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 0);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "mock: seed='%s' is not a number of 64 bits", text);
    *ret_seed = seed;
    return VMR_OK;
}

static enum vmr_status parse_irqchip(const char *text, const struct mock_profile *profile,
                                     enum vmr_irqchip *ret_irqchip, struct vmr_error *err)
{
    if (!text)
        text = irqchip_names[VMR_IRQCHIP_USER];
    for (unsigned i = 0; i < VMR_IRQCHIP_COUNT; i++) {
        if (strcmp(irqchip_names[i], text) != 0)
            continue;
        if ((profile->irqchips >> i & 1u) == 0)
            return vmr_error_set(err, VMR_E_CONFIG, "mock: profile '%s' has no irqchip=%s", profile->name, text);
        *ret_irqchip = (enum vmr_irqchip)i;
        return VMR_OK;
    }
    return vmr_error_set(err, VMR_E_CONFIG, "mock: irqchip='%s' is not one of %s", text, keys[2].values);
}

static enum vmr_status parse_managed(const char *text, bool *ret_managed, struct vmr_error *err)
{
    if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "mock: managed='%s' is not one of %s", text, keys[3].values);
    *ret_managed = text && strcmp(text, "true") == 0;
    return VMR_OK;
}

void hypervisor_release(struct mock_hypervisor *hypervisor)
{
    if (hypervisor && atomic_fetch_sub(&hypervisor->references, 1) == 1)
        free(hypervisor);
}

static void context_destroy(void *context)
{
    hypervisor_release(context);
}

static enum vmr_status mock_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    const char *name = param(params, "profile");
    const struct mock_profile *profile = name ? profile_find(name) : profile_get(VMR_MOCK_STRICT);
    enum vmr_irqchip irqchip = VMR_IRQCHIP_USER;
    bool managed = false;
    uint64_t seed;

    if (!profile)
        return vmr_error_set(err, VMR_E_CONFIG, "mock: profile='%s' is not one of %s", name, keys[0].values);
    if (parse_seed(param(params, "seed"), &seed, err) ||
        parse_irqchip(param(params, "irqchip"), profile, &irqchip, err) ||
        parse_managed(param(params, "managed"), &managed, err))
        return VMR_E_CONFIG;
    if (fd >= 0)
        return vmr_error_set(err, VMR_E_CONFIG, "mock: descriptor %d is of no use, it opens no device", fd);
    struct mock_hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));

    if (!hypervisor)
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    hypervisor->profile = profile;
    hypervisor->seed = seed;
    hypervisor->managed = managed;
    hypervisor->references = 1;
    *ret_handle = (struct vmr_hypervisor_handle){
        .backend = vmr_mock_backend(),
        .fd = -1,
        .irqchip = irqchip,
        .context = hypervisor,
        .context_destroy = context_destroy,
    };
    return VMR_OK;
}

static enum vmr_status mock_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                 struct vmr_error *err)
{
    struct mock_hypervisor *hypervisor = handle->context;
    enum vmr_status status = fault_call(hypervisor, "asking for capabilities", err);

    if (status)
        return status;
    *ret_caps = (struct vmr_caps){
        .bits = hypervisor->profile->caps,
        .vp_count_max = hypervisor->profile->vp_count_max,
        .physical_bits = hypervisor->profile->physical_bits,
        /* All that are a processor's own; the Hyper-V interface's are the library's. */
        .vp_classes = ((UINT64_C(1) << VMR_VP_DEBUG_STATE) - 1) &
                      ~(UINT64_C(1) << VMR_VP_VTLS | UINT64_C(1) << VMR_VP_TSC_ADJUST) & ~hypervisor->profile->lacks,
    };
    if (handle->irqchip == VMR_IRQCHIP_USER)
        ret_caps->vp_classes &= ~(UINT64_C(1) << VMR_VP_APIC | UINT64_C(1) << VMR_VP_TSC_DEADLINE);
    /* What happens inside its own controllers crosses nothing, and is no VTL's; without any there is no line to raise.
     */
    ret_caps->bits &= handle->irqchip != VMR_IRQCHIP_USER
                          ? ~(UINT64_C(1) << VMR_CAP_RECORDABLE | UINT64_C(1) << VMR_CAP_VTL)
                          : ~(UINT64_C(1) << VMR_CAP_IRQFD);
    if (hypervisor->managed) {
        ret_caps->bits |= UINT64_C(1) << VMR_CAP_MANAGED;
        ret_caps->bits &= ~(UINT64_C(1) << VMR_CAP_RECORDABLE); /* whose turn it is crosses nothing */
    }
    return VMR_OK;
}

#define CPUID_TSC_DEADLINE (UINT32_C(1) << 24)

/* Intel SDM vol. 2, CPUID: what a small 64-bit processor says, and the hypervisor leaf with our name. */
static const struct vmr_cpuid_entry default_cpuid[] = {
    {.leaf = 0, .eax = 0xd, .ebx = 0x67697276, .ecx = 0x6b636f6d, .edx = 0x20736920}, /* "vrig is mock" */
    {.leaf = 1, .eax = 0x00000600, .ecx = 0x84200000, .edx = 0x0f8bfbff},     /* x2APIC, XSAVE, hypervisor present */
    {.leaf = 7, .match_subleaf = true, .ecx = 0x00400080, .edx = 0x0c100000}, /* RDPID, CET, IBRS, STIBP */
    {.leaf = 0xd, .match_subleaf = true, .eax = MOCK_XCR0, .ebx = MOCK_XSAVE_BYTES, .ecx = MOCK_XSAVE_BYTES},
    {.leaf = 0xd, .subleaf = 1, .match_subleaf = true, .eax = 8, .ebx = MOCK_XSAVE_BYTES, .ecx = 0x1800}, /* XSAVES */
    {.leaf = 0xd, .subleaf = 2, .match_subleaf = true, .eax = 256, .ebx = 576},                           /* AVX */
    {.leaf = 0x40000000, .eax = 0x40000000, .ebx = 0x67697276, .ecx = 0x6b636f6d, .edx = 0x20202020},
    {.leaf = 0x80000000, .eax = 0x80000008},
    {.leaf = 0x80000001, .edx = 0x28100800}, /* long mode, RDTSCP, no-execute, SYSCALL */
    {.leaf = 0x80000008, .eax = 0x3028},     /* overwritten by the profile's address width */
};

static enum vmr_status mock_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                                  size_t capacity, size_t *ret_count, struct vmr_error *err)
{
    struct mock_hypervisor *hypervisor = handle->context;
    enum vmr_status status = fault_call(hypervisor, "asking for CPUID", err);
    size_t count = sizeof(default_cpuid) / sizeof(default_cpuid[0]);

    if (status)
        return status;
    if (count > capacity)
        count = capacity;
    for (size_t i = 0; i < count; i++) {
        entries[i] = default_cpuid[i];
        if (entries[i].leaf == 0x80000008)
            entries[i].eax = 0x3000u | hypervisor->profile->physical_bits;
        if (entries[i].leaf == 1 && handle->irqchip != VMR_IRQCHIP_USER)
            entries[i].ecx |= CPUID_TSC_DEADLINE; /* its own local APICs have it */
    }
    *ret_count = count;
    return VMR_OK;
}

static uint64_t mock_tsc_hz(const struct vmr_hypervisor_handle *handle)
{
    (void)handle;
    return MOCK_TSC_HZ;
}

static const struct vmr_backend mock_backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_EXPLICIT_ONLY | VMR_BACKEND_HOST_EVENTS,
    .name = "mock",
    .description = "deterministic interpreter of guest programs, scripts and recordings",
    .keys = keys,
    .vm_size = sizeof(struct vmr_backend_vm),
    .vp_size = sizeof(struct vmr_backend_vp),
    .open = mock_open,
    .caps = mock_caps,
    .cpuid = mock_cpuid,
    .tsc_hz = mock_tsc_hz,
    .vm_create = mock_vm_create,
    .vm_destroy = mock_vm_destroy,
    .vp_create = mock_vp_create,
    .vp_destroy = mock_vp_destroy,
    .vm_map = mock_vm_map,
    .vm_unmap = mock_vm_unmap,
    .vm_dirty_log = mock_vm_dirty_log,
    .vm_dirty_take = mock_vm_dirty_take,
    .vp_bind = mock_vp_bind,
    .vp_unbind = mock_vp_unbind,
    .vp_enter = mock_vp_enter,
    .vp_leave = mock_vp_leave,
    .vp_run = mock_vp_run,
    .vp_complete = mock_vp_complete,
    .vp_kick = mock_vp_kick,
    .vp_get_regs = mock_vp_get_regs,
    .vp_set_regs = mock_vp_set_regs,
    .vp_get_xmm = mock_vp_get_xmm,
    .vp_set_xmm = mock_vp_set_xmm,
    .vp_flush = mock_vp_flush,
    .vp_exception = mock_vp_exception,
    .vm_protect = mock_vm_protect,
    .vp_switch_vtl = mock_vp_switch_vtl,
    .vp_pass_fault = mock_vp_pass_fault,
    .vp_get_msr = mock_vp_get_msr,
    .vp_set_msr = mock_vp_set_msr,
    .vp_get_activity = mock_vp_get_activity,
    .vp_set_activity = mock_vp_set_activity,
    .vp_set_debug = mock_vp_set_debug,
    .vp_interrupt = mock_vp_interrupt,
    .vp_nmi = mock_vp_nmi,
    .vp_request_window = mock_vp_request_window,
    .vp_set_tpr = mock_vp_set_tpr,
    .vm_irq = mock_vm_irq,
    .vm_lint = mock_vm_lint,
    .vm_msi = mock_vm_msi,
    .vm_set_route = mock_vm_set_route,
    .vm_irqfd = mock_vm_irqfd,
    .vm_doorbell = mock_vm_doorbell,
    .vm_set_seam_hook = mock_vm_set_seam_hook,
    .vm_native = mock_vm_native,
    .state = &mock_state,
    .managed = &mock_managed,
};

const struct vmr_backend *vmr_mock_backend(void)
{
    return &mock_backend;
}

struct vmr_mock *vmr_mock_of(struct vmr_partition *partition)
{
    return vmr_partition_native(partition, &mock_backend);
}
