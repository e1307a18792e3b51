/* SPDX-License-Identifier: MIT */
/*
 * Rules: secure boot and variables.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_uefi[RULE_UEFI_COUNT] = {
    [RULE_UEFI_SECURE_BOOT] =
        {
            "CFG-UEFI-SECURE-BOOT",
            "Secure boot needs UEFI.",
            "Nothing else checks signatures. Set load_mode to uefi, or to igvm with a file that has UEFI in it. "
            "Source: UEFI 2.10, 32.",
        },
    [RULE_UEFI_VARIABLES] =
        {
            "CFG-UEFI-VARIABLES",
            "UEFI variables need UEFI.",
            "Nobody would read them. Set load_mode to uefi, or to igvm with a file that has UEFI in it. Source: "
            "UEFI 2.10, 8.2.",
        },
    [RULE_UEFI_PK_COUNT] =
        {
            "CFG-UEFI-PK-COUNT",
            "There is exactly one platform key.",
            "It is who owns the platform; without it all other keys can be changed by anybody. Source: UEFI 2.10, "
            "32.3.",
        },
    [RULE_UEFI_PK_KIND] =
        {
            "CFG-UEFI-PK-KIND",
            "The platform key is a certificate.",
            "What is signed with the platform's key is checked with it, and a digest has none. Source: UEFI 2.10, "
            "32.3.",
        },
    [RULE_UEFI_DIGEST_SIZE] =
        {
            "CFG-UEFI-DIGEST-SIZE",
            "A SHA-256 digest is 32 bytes.",
            "Give the digest itself, in hexadecimal 64 digits. Source: FIPS 180-4.",
        },
    [RULE_UEFI_CERTIFICATE] =
        {
            "CFG-UEFI-CERTIFICATE",
            "A certificate is in DER.",
            "It begins with a SEQUENCE, 0x30. Convert it, if it is text (PEM). Source: ITU-T X.690, 8.9.",
        },
    [RULE_UEFI_NAME_LONG] =
        {
            "CFG-UEFI-NAME-LONG",
            "The name of a variable has at most 1023 characters.",
            "The store has 2 KiB for a name in UTF-16, with a zero at its end. Source: OpenVMM, UEFI variable "
            "store.",
        },
    [RULE_UEFI_NAME_OWN] =
        {
            "CFG-UEFI-NAME-OWN",
            "Variables of secure boot are not set by their names.",
            "Firmware makes them of signatures and secure_boot_enabled. Source: UEFI 2.10, 3.3.",
        },
    [RULE_UEFI_NAME_TWICE] =
        {
            "CFG-UEFI-NAME-TWICE",
            "A variable is given once.",
            "Name and guid together say which it is; of two values only one can be meant. Source: UEFI 2.10, 8.2.",
        },
    [RULE_UEFI_ATTR_UNKNOWN] =
        {
            "CFG-UEFI-ATTR-UNKNOWN",
            "Attributes of a variable are bits 0 to 7.",
            "The others have no meaning, and firmware would refuse the variable. Source: UEFI 2.10, 8.2.",
        },
    [RULE_UEFI_ATTR_NOT_STORED] =
        {
            "CFG-UEFI-ATTR-NOT-STORED",
            "A stored variable has no append and no old authentication attribute.",
            "Append (0x40) is a way to write, and 0x10 is no longer supported. Use 0x20 for variables with a "
            "time. Source: UEFI 2.10, 8.2.",
        },
    [RULE_UEFI_ATTR_RUNTIME] =
        {
            "CFG-UEFI-ATTR-RUNTIME",
            "A variable that the operating system can read can be read before it, too.",
            "Attribute 0x4 (runtime access) needs 0x2 (boot service access). Set both: 0x6. Source: UEFI 2.10, "
            "8.2.",
        },
    [RULE_UEFI_VALUE_EMPTY] =
        {
            "CFG-UEFI-VALUE-EMPTY",
            "A variable has a value.",
            "Setting one of no bytes deletes it. Leave it out. Source: UEFI 2.10, 8.2.",
        },
    [RULE_UEFI_VALUE_LARGE] =
        {
            "CFG-UEFI-VALUE-LARGE",
            "The value of a variable has at most 32 KiB.",
            "The store has no more for a value. Source: OpenVMM, UEFI variable store.",
        },
};
