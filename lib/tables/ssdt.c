/* SPDX-License-Identifier: MIT */
/*
 * SSDT: PCI Express root complexes. Interrupts are messages, so there is no
 * _PRT. Section numbers are those of ACPI 6.5 and of the PCI Firmware
 * Specification 3.3.
 */

#include "lib/tables/acpi.h"

#include <stdio.h>

#include "lib/tables/aml_resource.h"
#include "lib/tables/tables.h"

#define SSDT_REVISION 2u
#define UUID_PCIE "33db4d5b-1ff7-401c-9657-7441c03dd766" /* PCI Firmware 4.5.1 */
#define UUID_CXL "68f2d50b-c469-4d8a-bd3d-941a103fd3fc"  /* CXL 3.0, 9.18.2 */
#define UUID_DSM "e5c937d0-3553-4d7a-9117-ea4d19c3434d"  /* PCI Firmware 4.6.1 */

/* _OSC's first word (6.2.11.1), and what is handed over: hotplug, PME, AER, the Express capability. */
#define OSC_UNKNOWN_UUID 0x04u
#define OSC_UNKNOWN_REVISION 0x08u
#define OSC_MASKED 0x10u
#define OSC_PCIE_CONTROL 0x1du
#define OSC_CXL_CONTROL 0x01u /* memory errors */

static void dword_field(struct writer *writer, uint8_t at, const char *name)
{
    aml_op(writer, AML_DWORD_FIELD);
    aml_op(writer, AML_ARG0 + 3);
    aml_integer(writer, at);
    aml_path(writer, name);
}

static void or_status(struct writer *writer, uint8_t bit)
{
    aml_op(writer, AML_OR);
    aml_path(writer, "CDW1");
    aml_integer(writer, bit);
    aml_path(writer, "CDW1");
}

/* Takes from the word `name` what is not in `allowed`, and says so if something was. */
static void limit_word(struct writer *writer, const char *name, uint8_t allowed)
{
    aml_op(writer, AML_AND);
    aml_path(writer, name);
    aml_integer(writer, allowed);
    aml_op(writer, AML_LOCAL0);

    size_t mark = aml_if(writer);

    aml_op(writer, AML_NOT);
    aml_op(writer, AML_EQUAL);
    aml_op(writer, AML_LOCAL0);
    aml_path(writer, name);
    or_status(writer, OSC_MASKED);
    aml_close(writer, mark);
    aml_op(writer, AML_STORE);
    aml_op(writer, AML_LOCAL0);
    aml_path(writer, name);
}

static size_t if_equal(struct writer *writer, uint8_t argument, const char *uuid)
{
    size_t mark = aml_if(writer);

    aml_op(writer, AML_EQUAL);
    aml_op(writer, argument);
    aml_uuid(writer, uuid);
    return mark;
}

/* Of a known interface: the revision, the control word of PCI Express and, for CXL, its own. */
static void osc_answer(struct writer *writer, bool cxl)
{
    const char *pcie_word = cxl ? "CXW3" : "CDW3"; /* a name can be made in one place of a method */
    size_t mark;

    dword_field(writer, 8, pcie_word);
    if (cxl)
        dword_field(writer, 16, "CXW5");
    mark = aml_if(writer);
    aml_op(writer, AML_NOT);
    aml_op(writer, AML_EQUAL);
    aml_op(writer, AML_ARG0 + 1);
    aml_integer(writer, 1);
    or_status(writer, OSC_UNKNOWN_REVISION);
    aml_close(writer, mark);
    limit_word(writer, pcie_word, OSC_PCIE_CONTROL);
    if (cxl)
        limit_word(writer, "CXW5", OSC_CXL_CONTROL);
    aml_op(writer, AML_RETURN);
    aml_op(writer, AML_ARG0 + 3);
}

/* What the _OSC of each root complex calls: the same for all of a kind. */
static void osc_method(struct writer *writer, const char *name, bool cxl)
{
    size_t method = aml_method(writer, name, 4), mark;

    dword_field(writer, 0, "CDW1");
    mark = if_equal(writer, AML_ARG0, UUID_PCIE);
    osc_answer(writer, false);
    aml_close(writer, mark);
    if (cxl) {
        mark = if_equal(writer, AML_ARG0, UUID_CXL);
        osc_answer(writer, true);
        aml_close(writer, mark);
    }
    or_status(writer, OSC_UNKNOWN_UUID);
    aml_op(writer, AML_RETURN);
    aml_op(writer, AML_ARG0 + 3);
    aml_close(writer, method);
}

static void osc_call(struct writer *writer, const char *name)
{
    size_t method = aml_method(writer, "_OSC", 4);

    aml_op(writer, AML_RETURN);
    aml_path(writer, name);
    for (uint8_t i = 0; i < 4; i++)
        aml_op(writer, AML_ARG0 + i);
    aml_close(writer, method);
}

static void return_byte(struct writer *writer, uint8_t value)
{
    aml_op(writer, AML_RETURN);
    aml_buffer(writer, &value, 1);
}

/* Function 5 (PCI Firmware 4.6.5) says 0: what firmware has programmed stays. Function 0 says which there are. */
static void preserve_bars(struct writer *writer)
{
    size_t method = aml_method(writer, "_DSM", 4);
    size_t known = if_equal(writer, AML_ARG0, UUID_DSM);
    size_t function = aml_if(writer);

    aml_op(writer, AML_EQUAL);
    aml_op(writer, AML_ARG0 + 2);
    aml_integer(writer, 0);
    return_byte(writer, 1 << 0 | 1 << 5);
    aml_close(writer, function);
    function = aml_if(writer);
    aml_op(writer, AML_EQUAL);
    aml_op(writer, AML_ARG0 + 2);
    aml_integer(writer, 5);
    aml_op(writer, AML_RETURN);
    aml_integer(writer, 0);
    aml_close(writer, function);
    aml_close(writer, known);
    return_byte(writer, 0);
    aml_close(writer, method);
}

/* PNP0A08 is a PCI Express, PNP0A03 a PCI host bridge, ACPI0016 a CXL one (CXL 3.0, 9.18.1). */
static void identity(struct writer *writer, const struct vmr_pcie_root_complex_config *config)
{
    aml_name(writer, "_HID");
    if (config->cxl)
        aml_string(writer, "ACPI0016");
    else
        aml_eisa_id(writer, "PNP0A08");
    aml_name(writer, "_CID");

    size_t mark = config->cxl ? aml_package(writer, 2) : 0;

    if (config->cxl)
        aml_eisa_id(writer, "PNP0A08");
    aml_eisa_id(writer, "PNP0A03");
    if (config->cxl)
        aml_close(writer, mark);
    aml_name_integer(writer, "_UID", config->index);
    aml_name_integer(writer, "_SEG", config->segment);
    aml_name_integer(writer, "_BBN", config->start_bus);
    aml_name_integer(writer, "_CCA", 1);
}

static void root_complex(struct writer *writer, const struct tables_input *input, uint32_t index)
{
    const struct vmr_resolved_root_complex *complex = &input->resolved->pcie.root_complexes[index];
    char name[8];

    (void)snprintf(name, sizeof(name), "PC%02X", index & 0xff);

    size_t device = aml_device(writer, name);

    identity(writer, complex->config);
    if (complex->vnode != VMR_RESOLVED_NONE)
        aml_name_integer(writer, "_PXM", complex->vnode);

    size_t resources = aml_resources(writer);

    aml_buses(writer, complex->config->start_bus, complex->config->end_bus);
    aml_window(writer, &complex->low_mmio);
    aml_window(writer, &complex->high_mmio);
    aml_resources_close(writer, resources);
    osc_call(writer, complex->config->cxl ? "\\_SB.OSCX" : "\\_SB.OSCP");
    if (complex->config->preserve_bars)
        preserve_bars(writer);
    aml_close(writer, device);
}

/* PCI Firmware 4.1.2: what MCFG names, a motherboard device has to take. */
static void taken_addresses(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;
    size_t device = aml_device(writer, "ECAM");

    aml_name(writer, "_HID");
    aml_eisa_id(writer, "PNP0C02");
    aml_name_integer(writer, "_UID", 1);

    size_t resources = aml_resources(writer);

    for (uint32_t i = 0; i < pcie->root_complex_count; i++)
        aml_taken(writer, &pcie->root_complexes[i].ecam);
    aml_resources_close(writer, resources);
    aml_close(writer, device);
}

/* CXL 3.0, 9.18.3: the object that says that there is a CEDT. */
static void cxl_root(struct writer *writer)
{
    size_t device = aml_device(writer, "CXLM");

    aml_name(writer, "_HID");
    aml_string(writer, "ACPI0017");
    aml_close(writer, device);
}

void ssdt_write(struct writer *writer, const struct tables_input *input)
{
    uint32_t count = input->resolved->pcie.root_complex_count, cxl = tables_cxl_count(input);

    acpi_begin(writer, "SSDT", SSDT_REVISION);

    size_t scope = aml_scope(writer, "\\_SB");

    if (cxl < count)
        osc_method(writer, "OSCP", false);
    if (cxl > 0) {
        osc_method(writer, "OSCX", true);
        cxl_root(writer);
    }
    taken_addresses(writer, input);
    for (uint32_t i = 0; i < count; i++)
        root_complex(writer, input, i);
    aml_close(writer, scope);
    acpi_end(writer);
}
