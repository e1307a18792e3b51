/* SPDX-License-Identifier: MIT */
/*
 * Tables: the board, and what firmware keeps.
 */

#include "lib/config/model_fields.h"

#define FLAG(member, text)                                                                                             \
    {                                                                                                                  \
        KEY(member), .kind = MODEL_BOOL, .about = (text)                                                               \
    }

#define OF struct vmr_chipset_config
static const struct model_field chipset_fields[] = {
    FLAG(generic_cmos_rtc, "A real-time clock with CMOS memory."),
    FLAG(generic_ioapic, "An I/O APIC."),
    FLAG(generic_isa_dma, "An ISA DMA controller."),
    FLAG(generic_isa_floppy, "A floppy controller."),
    FLAG(generic_pci_bus, "A PCI bus."),
    FLAG(generic_pic, "Two 8259 interrupt controllers."),
    FLAG(generic_pit, "An 8254 timer."),
    FLAG(generic_psp, "A platform security processor."),
    FLAG(hyperv_firmware_pcat, "The helper of the legacy BIOS."),
    FLAG(hyperv_firmware_uefi, "The helper of UEFI firmware."),
    FLAG(hyperv_framebuffer, "A framebuffer over VMBus."),
    FLAG(hyperv_guest_watchdog, "A watchdog that the guest feeds."),
    FLAG(hyperv_ide, "An IDE controller."),
    FLAG(hyperv_power_management, "Power management of UEFI machines."),
    FLAG(hyperv_vga, "A VGA card."),
    FLAG(i440bx_host_pci_bridge, "The host bridge of the i440BX."),
    FLAG(piix4_cmos_rtc, "The PIIX4's real-time clock."),
    FLAG(piix4_pci_bus, "The PIIX4's PCI bus."),
    FLAG(piix4_pci_isa_bridge, "The PIIX4's ISA bridge."),
    FLAG(piix4_pci_usb_uhci_stub, "Where the PIIX4's USB controller would be."),
    FLAG(piix4_power_management, "The PIIX4's power management."),
    FLAG(underhill_vga_proxy, "Another VTL serves the VGA card."),
    FLAG(winbond_super_io_and_floppy_stub, "A super I/O chip without a floppy controller."),
    FLAG(winbond_super_io_and_floppy_full, "A super I/O chip with one."),
};
const struct model_struct model_chipset = {"chipset", "Which devices the board has.", TABLE(chipset_fields)};
#undef OF

#define OF struct vmr_chipset_capabilities
static const struct model_field capability_fields[] = {
    FLAG(ioapic, "An I/O APIC."),
    FLAG(pic, "Two 8259 interrupt controllers."),
    FLAG(pit, "An 8254 timer."),
    FLAG(generic_isa_dma, "An ISA DMA controller."),
    FLAG(psp, "A platform security processor."),
    FLAG(guest_watchdog, "A watchdog that the guest feeds."),
    FLAG(i440bx_host_pci_bridge, "The host bridge of the i440BX."),
};
const struct model_struct model_chipset_capabilities = {
    "chipset_capabilities", "What firmware tells a guest that the board has, beside its devices.",
    TABLE(capability_fields)};
#undef OF

#define OF struct vmr_vmgs_config
const struct model_field model_vmgs_kinds[VMR_VMGS_KIND_COUNT] = {
    [VMR_VMGS_NONE] = {.name = "none", .about = "No store."},
    [VMR_VMGS_DISK] = {KEY(disk), RESOURCE(VMR_RESOURCE_DISK), .required = true, .about = "What is on this disk."},
    [VMR_VMGS_REPROVISION_ON_FAILURE] = {.name = "reprovision_on_failure",
                                         PLACE(disk),
                                         RESOURCE(VMR_RESOURCE_DISK),
                                         .required = true,
                                         .about = "On this disk, formatted anew if damaged."},
    [VMR_VMGS_REPROVISION] = {.name = "reprovision",
                              PLACE(disk),
                              RESOURCE(VMR_RESOURCE_DISK),
                              .required = true,
                              .about = "On this disk, formatted anew."},
    [VMR_VMGS_EPHEMERAL] = {.name = "ephemeral", .about = "In memory."},
};
#undef OF

#define OF struct vmr_uefi_signature
#define SIGNATURE .offset = offsetof(OF, bytes), COUNTED(size), .kind = MODEL_BYTES, .required = true
static const struct model_field signature_kinds[VMR_UEFI_SIGNATURE_KIND_COUNT] = {
    [VMR_UEFI_SIGNATURE_X509] = {.name = "x509", SIGNATURE, .about = "A certificate (DER)."},
    [VMR_UEFI_SIGNATURE_SHA256] = {.name = "sha256", SIGNATURE, .about = "A digest of 32 bytes."},
};
static const struct model_field signature = {.kind = MODEL_CHOICE,
                                             ALTERNATIVES(signature_kinds),
                                             .tag = offsetof(OF, kind),
                                             .tag_width = sizeof(enum vmr_uefi_signature_kind),
                                             .width = sizeof(OF)};
#undef SIGNATURE
#undef OF

#define OF struct vmr_uefi_signatures
#define SIGNATURES(member, text)                                                                                       \
    {                                                                                                                  \
        .name = #member, .offset = offsetof(OF, member.items), .count = offsetof(OF, member.item_count),               \
        .kind = MODEL_ARRAY, .element = &signature, .about = (text)                                                    \
    }
static const struct model_field signatures_fields[] = {
    SIGNATURES(pk, "The platform key: exactly one."),
    SIGNATURES(kek, "Who may change db and dbx."),
    SIGNATURES(db, "What may be started."),
    SIGNATURES(dbx, "What may not."),
    SIGNATURES(moklist, "What the machine's owner adds to db."),
    SIGNATURES(moklistx, "What the machine's owner adds to dbx."),
};
#undef SIGNATURES
static const struct model_struct signatures = {"uefi_signatures", "Secure boot's lists.", TABLE(signatures_fields)};
#undef OF

#define OF struct vmr_uefi_variable
static const struct model_field variable_fields[] = {
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique with its guid."},
    {KEY(guid), .kind = MODEL_GUID, .about = "Its vendor."},
    {KEY(attr), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "Its attributes."},
    {KEY(value), .kind = MODEL_BYTES, COUNTED(value_size), .about = "Its bytes."},
};
static const struct model_struct variable = {"uefi_variable", "A variable of UEFI firmware.", TABLE(variable_fields)};
#undef OF

#define OF struct vmr_uefi_variables
static const struct model_field variables_fields[] = {
    {KEY(signatures), .kind = MODEL_POINTER, .type = &signatures, .about = "Secure boot's lists."},
    {KEY(custom_vars), .kind = MODEL_ARRAY, COUNTED(custom_var_count), ELEMENTS_OF(variable),
     .about = "Variables that are there at first."},
};
const struct model_struct model_uefi_variables = {"uefi_variables", "What UEFI firmware finds in its store.",
                                                  TABLE(variables_fields)};
#undef OF
