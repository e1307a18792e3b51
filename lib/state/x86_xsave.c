/* SPDX-License-Identifier: MIT */
/*
 * The XSAVE area in one form. What a hypervisor gives depends on its host and on
 * whether a component was ever used; here equal processors have equal areas,
 * however large the areas of their hypervisors are.
 */

#include <string.h>

#include "lib/base/bytes.h"
#include "vmrig/x86_state.h"

/* Intel SDM vol. 1, 13.4: the legacy area and the header. */
#define LENGTH_MIN 576u
#define FCW_INITIAL 0x37fu
#define MXCSR 24u
#define X87_REGISTERS 32u
#define X87_REGISTERS_BYTES 128u
#define BV 512u
#define COMPONENT_X87 0u
#define COMPONENT_SSE 1u
#define SSE_OFFSET 160u
#define SSE_BYTES 256u
#define BIT(n) (UINT64_C(1) << (n))

struct part {
    uint32_t offset, length;
};

/* Of x87, which lies around MXCSR, only the registers. */
static struct part part_of(const struct vmr_x86_xsave_layout *layout, uint32_t component)
{
    if (component == COMPONENT_X87)
        return (struct part){.offset = X87_REGISTERS, .length = X87_REGISTERS_BYTES};
    if (component == COMPONENT_SSE)
        return (struct part){.offset = SSE_OFFSET, .length = SSE_BYTES};
    return (struct part){.offset = layout->part[component].offset, .length = layout->part[component].length};
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* `control`: what the x87's control word is, or that of nothing at all. */
static bool x87_is(const uint8_t *bytes, uint16_t control)
{
    return load_le16(bytes) == control && is_zero(bytes + 2, MXCSR - 2);
}

static bool is_initial(const uint8_t *bytes, uint32_t component, struct part part)
{
    return is_zero(bytes + part.offset, part.length) && (component != COMPONENT_X87 || x87_is(bytes, FCW_INITIAL));
}

/* Where what is in use ends. */
static uint32_t end_of(const struct vmr_x86_xsave_layout *layout, uint64_t in_use)
{
    uint32_t end = LENGTH_MIN;

    for (uint32_t i = COMPONENT_SSE + 1; i < VMR_X86_XSAVE_COMPONENTS; i++) {
        struct part part = part_of(layout, i);

        if ((in_use & BIT(i)) != 0 && part.offset + part.length > end)
            end = part.offset + part.length;
    }
    return end;
}

void vmr_x86_xsave_normalise(const struct vmr_x86_xsave_layout *layout, const uint8_t *area,
                             struct vmr_x86_xsave_state *ret_state)
{
    uint64_t said = load_le64(area + BV), in_use = 0;

    memset(ret_state, 0, sizeof(*ret_state));
    for (uint32_t i = 0; i < VMR_X86_XSAVE_COMPONENTS; i++) {
        struct part part = part_of(layout, i);

        if ((said & BIT(i)) == 0 || is_initial(area, i, part))
            continue;
        in_use |= BIT(i);
        memcpy(ret_state->bytes + part.offset, area + part.offset, part.length);
    }
    if (in_use & BIT(COMPONENT_X87))
        memcpy(ret_state->bytes, area, MXCSR);
    store_le32(ret_state->bytes + MXCSR, load_le32(area + MXCSR));
    store_le64(ret_state->bytes + BV, in_use);
    ret_state->length = end_of(layout, in_use);
}

static enum vmr_status check_component(const uint8_t *bytes, uint32_t component, struct part part,
                                       struct vmr_error *err)
{
    bool in_use = (load_le64(bytes + BV) & BIT(component)) != 0;

    if (in_use && part.length == 0)
        return vmr_error_set(err, VMR_E_CONFIG, "xsave: bytes[512], XSTATE_BV: this VP has no component %u", component);
    if (in_use || (is_zero(bytes + part.offset, part.length) && (component != COMPONENT_X87 || x87_is(bytes, 0))))
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "xsave: bytes: of component %u, which XSTATE_BV says is not in use",
                         component);
}

enum vmr_status vmr_x86_xsave_check(const struct vmr_x86_xsave_layout *layout, const struct vmr_x86_xsave_state *state,
                                    struct vmr_error *err)
{
    uint64_t in_use = load_le64(state->bytes + BV);
    enum vmr_status status = VMR_OK;

    if ((in_use & BIT(VMR_X86_XSAVE_COMPONENTS)) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "xsave: bytes[512], XSTATE_BV: there is no component %u",
                             VMR_X86_XSAVE_COMPONENTS);
    for (uint32_t i = 0; i < VMR_X86_XSAVE_COMPONENTS && !status; i++)
        status = check_component(state->bytes, i, part_of(layout, i), err);
    uint32_t end = end_of(layout, in_use);

    if (!status && state->length != end)
        return vmr_error_set(err, VMR_E_CONFIG, "xsave: length: %u, but this VP's components that are in use end at %u",
                             state->length, end);
    return status;
}
