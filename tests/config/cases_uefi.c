/* SPDX-License-Identifier: MIT */
/*
 * Cases: secure boot, keys and variables.
 */

#include "tests/config/check_cases.h"

#define BOOTS HV, UEFI(UEFI_FILE)
#define VARS(...) .custom_uefi_vars = {LIST(custom_vars, custom_var_count, vmr_uefi_variable, __VA_ARGS__)}
#define KEYS(...) .custom_uefi_vars = {.signatures = OF(vmr_uefi_signatures, __VA_ARGS__)}
#define KEY_LIST(list, ...) .list = {LIST(items, item_count, vmr_uefi_signature, __VA_ARGS__)}
#define CERT                                                                                                           \
    {                                                                                                                  \
        .bytes = der, .size = sizeof(der)                                                                              \
    }
#define DIGEST(count)                                                                                                  \
    {                                                                                                                  \
        .kind = VMR_UEFI_SIGNATURE_SHA256, .bytes = blob, .size = count                                                \
    }
#define PK KEY_LIST(pk, CERT)
#define VAR(text, bits, count)                                                                                         \
    {                                                                                                                  \
        .name = text, .attr = bits, .value = blob, .value_size = count                                                 \
    }
#define GLOBAL                                                                                                         \
    {                                                                                                                  \
        0x8be4df61, 0x93ca, 0x11d2,                                                                                    \
        {                                                                                                              \
            0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c                                                             \
        }                                                                                                              \
    }
#define SECURITY                                                                                                       \
    {                                                                                                                  \
        0xd719b2cb, 0x3d3a, 0x4596,                                                                                    \
        {                                                                                                              \
            0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f                                                             \
        }                                                                                                              \
    }
#define OF_GUID(text, id)                                                                                              \
    {                                                                                                                  \
        .name = text, .guid = id, .attr = 3, .value = blob, .value_size = 1                                            \
    }
#define VAR0 "custom_uefi_vars.custom_vars[0]"
#define X1023 X256 X256 X256 X64 X64 X64 X16 X16 X16 "123456789012345"

static const uint8_t blob[(32u << 10) + 1];
static const uint8_t der[] = {0x30, 0x03, 0x02, 0x01, 0x00};

const struct check_case cases_uefi[] = {
    GOOD(BOOTS, .secure_boot_enabled = true),
    GOOD(IGVM(), .secure_boot_enabled = true),
    BAD("UEFI-SECURE-BOOT", "secure_boot_enabled", .secure_boot_enabled = true),
    BAD("UEFI-VARIABLES", "custom_uefi_vars", LINUX(), VARS(VAR("a", 3, 1))),
    BAD("UEFI-VARIABLES", "custom_uefi_vars", LINUX(), KEYS(PK)),

    GOOD(BOOTS, KEYS(PK, KEY_LIST(kek, CERT), KEY_LIST(db, CERT, DIGEST(32)), KEY_LIST(dbx, DIGEST(32)))),
    BAD("UEFI-PK-COUNT", "custom_uefi_vars.signatures", BOOTS, KEYS(KEY_LIST(kek, CERT))),
    BAD("UEFI-PK-COUNT", "custom_uefi_vars.signatures.pk", BOOTS, KEYS(KEY_LIST(pk, CERT, CERT))),
    BAD("UEFI-PK-KIND", "custom_uefi_vars.signatures.pk[0]", BOOTS, KEYS(KEY_LIST(pk, DIGEST(32)))),
    BAD("FIELD-REQUIRED", "custom_uefi_vars.signatures.db[1].sha256", BOOTS, KEYS(PK, KEY_LIST(db, CERT, DIGEST(0)))),
    BAD("UEFI-DIGEST-SIZE", "custom_uefi_vars.signatures.dbx[0]", BOOTS, KEYS(PK, KEY_LIST(dbx, DIGEST(31)))),
    BAD("UEFI-DIGEST-SIZE", "custom_uefi_vars.signatures.moklistx[0]", BOOTS, KEYS(PK, KEY_LIST(moklistx, DIGEST(33)))),
    BAD("UEFI-CERTIFICATE", "custom_uefi_vars.signatures.moklist[0]", BOOTS,
        KEYS(PK, KEY_LIST(moklist, {.bytes = blob, .size = 5}))),
    BAD("UEFI-CERTIFICATE", "custom_uefi_vars.signatures.kek[0]", BOOTS,
        KEYS(PK, KEY_LIST(kek, {.bytes = blob, .size = 5}))),

    GOOD(BOOTS, VARS(VAR(X1023, 7, 32768), VAR("b", 0x23, 1))),
    BAD("UEFI-NAME-LONG", VAR0 ".name", BOOTS, VARS(VAR(X1023 "6", 3, 1))),
    BAD("UEFI-NAME-OWN", VAR0 ".name", BOOTS, VARS(OF_GUID("PK", GLOBAL))),
    BAD("UEFI-NAME-OWN", VAR0 ".name", BOOTS, VARS(OF_GUID("dbx", SECURITY))),
    GOOD(BOOTS, VARS(OF_GUID("PK", SECURITY), OF_GUID("Lang", GLOBAL))),
    BAD("UEFI-NAME-TWICE", "custom_uefi_vars.custom_vars[2].name", BOOTS,
        VARS(VAR("a", 3, 1), OF_GUID("b", GLOBAL), VAR("a", 3, 2))),
    GOOD(BOOTS, VARS(VAR("a", 3, 1), OF_GUID("a", GLOBAL), VAR("A", 3, 1))),
    GOOD(BOOTS, VARS(VAR("a", 0xa2, 1))),
    BAD("UEFI-ATTR-UNKNOWN", VAR0 ".attr", BOOTS, VARS(VAR("a", 0x102, 1))),
    BAD("UEFI-ATTR-NOT-STORED", VAR0 ".attr", BOOTS, VARS(VAR("a", 0x43, 1))),
    BAD("UEFI-ATTR-NOT-STORED", VAR0 ".attr", BOOTS, VARS(VAR("a", 0x13, 1))),
    BAD("UEFI-ATTR-RUNTIME", VAR0 ".attr", BOOTS, VARS(VAR("a", 5, 1))),
    BAD("UEFI-VALUE-EMPTY", VAR0, BOOTS, VARS(VAR("a", 3, 0))),
    BAD("UEFI-VALUE-LARGE", VAR0 ".value", BOOTS, VARS(VAR("a", 3, 32769))),
    END,
};
