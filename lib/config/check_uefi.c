/* SPDX-License-Identifier: MIT */
/*
 * What UEFI is told beside its image: secure boot, keys and variables.
 */

#include "lib/config/check.h"

#include <inttypes.h>
#include <string.h>

#include "lib/config/keys.h"

#define RULE(name) &rules_uefi[RULE_UEFI_##name]
#define VARS "custom_uefi_vars"

#define SHA256_SIZE 32u
#define DER_SEQUENCE 0x30
#define VARIABLE_SIZE_MAX (32u << 10)

#define ATTR_BOOT_SERVICE 0x02u
#define ATTR_RUNTIME 0x04u
#define ATTR_AUTHENTICATED 0x10u /* deprecated */
#define ATTR_APPEND 0x40u
#define ATTR_KNOWN 0xffu

/* Who runs UEFI: itself, or an IGVM file that has it in it. */
static bool has_uefi(const struct check *check)
{
    enum vmr_load_mode mode = check->config.load_mode.mode;

    return mode == VMR_LOAD_UEFI || mode == VMR_LOAD_IGVM;
}

/* --- keys --- */

static void check_signature(struct check *check, const struct vmr_uefi_signature *signature, const char *list,
                            size_t index)
{
    const struct config_path *place = at(check, VARS ".signatures.%s[%zu]", list, index);

    if (!signature->bytes || signature->size == 0)
        return;
    if (signature->kind == VMR_UEFI_SIGNATURE_SHA256 && signature->size != SHA256_SIZE)
        FOUND(check, RULE(DIGEST_SIZE), place, "%zu bytes, not %u", signature->size, SHA256_SIZE);
    else if (signature->kind == VMR_UEFI_SIGNATURE_X509 && signature->bytes[0] != DER_SEQUENCE)
        FOUND(check, RULE(CERTIFICATE), place, "begins with %#x, not with %#x", signature->bytes[0], DER_SEQUENCE);
}

static void check_signature_list(struct check *check, const struct vmr_uefi_signature_list *list, const char *name)
{
    for (size_t i = 0; list_is_usable(list->items, list->item_count) && i < list->item_count; i++)
        check_signature(check, &list->items[i], name, i);
}

static void check_signatures(struct check *check, const struct vmr_uefi_signatures *signatures)
{
    const struct vmr_uefi_signature_list *pk = &signatures->pk;

    if (pk->item_count == 0)
        FOUND(check, RULE(PK_COUNT), at(check, VARS ".signatures"), "no platform key");
    else if (pk->item_count > 1)
        FOUND(check, RULE(PK_COUNT), at(check, VARS ".signatures.pk"), "%zu platform keys", pk->item_count);
    else if (pk->items && pk->items[0].kind == VMR_UEFI_SIGNATURE_SHA256)
        FOUND(check, RULE(PK_KIND), at(check, VARS ".signatures.pk[0]"), "a digest");
    check_signature_list(check, pk, "pk");
    check_signature_list(check, &signatures->kek, "kek");
    check_signature_list(check, &signatures->db, "db");
    check_signature_list(check, &signatures->dbx, "dbx");
    check_signature_list(check, &signatures->moklist, "moklist");
    check_signature_list(check, &signatures->moklistx, "moklistx");
}

/* --- variables --- */

static bool is_guid(const struct vmr_guid *guid, const struct vmr_guid *other)
{
    return memcmp(guid, other, sizeof(*guid)) == 0;
}

/* What the signatures make, or firmware itself. */
static bool is_firmwares_own(const struct vmr_uefi_variable *variable)
{
    static const struct vmr_guid global = {
        0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
    static const struct vmr_guid security = {
        0xd719b2cb, 0x3d3a, 0x4596, {0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}};
    static const struct {
        const char *name;
        const struct vmr_guid *guid;
    } own[] = {{"PK", &global},         {"KEK", &global},  {"SetupMode", &global},
               {"SecureBoot", &global}, {"db", &security}, {"dbx", &security}};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(own[i].name, variable->name) == 0 && is_guid(&variable->guid, own[i].guid))
            return true;
    }
    return false;
}

static void check_attributes(struct check *check, uint32_t attr, size_t index)
{
    const struct config_path *place = at(check, VARS ".custom_vars[%zu].attr", index);

    if (attr & ~ATTR_KNOWN)
        FOUND(check, RULE(ATTR_UNKNOWN), place, "%#" PRIx32, attr);
    if (attr & (ATTR_APPEND | ATTR_AUTHENTICATED))
        FOUND(check, RULE(ATTR_NOT_STORED), place, "%#" PRIx32, attr);
    if ((attr & ATTR_RUNTIME) && !(attr & ATTR_BOOT_SERVICE))
        FOUND(check, RULE(ATTR_RUNTIME), place, "%#" PRIx32, attr);
}

static void check_variable(struct check *check, const struct vmr_uefi_variable *variable, size_t index)
{
    if (variable->name && is_firmwares_own(variable))
        FOUND(check, RULE(NAME_OWN), at(check, VARS ".custom_vars[%zu].name", index), "'%s'", variable->name);
    check_attributes(check, variable->attr, index);
    if (variable->value_size == 0)
        FOUND(check, RULE(VALUE_EMPTY), at(check, VARS ".custom_vars[%zu]", index), "a value of 0 bytes");
    else if (variable->value && variable->value_size > VARIABLE_SIZE_MAX)
        FOUND(check, RULE(VALUE_LARGE), at(check, VARS ".custom_vars[%zu].value", index), "%zu bytes, at most %u",
              variable->value_size, VARIABLE_SIZE_MAX);
}

/* Name and GUID; NULL: out of memory. A variable without a name was found before, and is like no other. */
static const void *pack_identity(struct check *check, const struct vmr_uefi_variable *variable, size_t *ret_size)
{
    size_t length = variable->name ? strlen(variable->name) : 0;
    uint8_t *bytes = arena_alloc(&check->arena, length + sizeof(variable->guid), 1);

    if (!bytes)
        return NULL;
    memcpy(bytes, &variable->guid, sizeof(variable->guid));
    if (length > 0)
        memcpy(bytes + sizeof(variable->guid), variable->name, length);
    *ret_size = length + sizeof(variable->guid);
    return bytes;
}

static bool list_identities(struct check *check, struct keys *identities, struct key *ret_by_index)
{
    const struct vmr_uefi_variables *variables = &check->config.custom_uefi_vars;

    for (size_t i = 0; i < variables->custom_var_count; i++) {
        struct key key = {.id = i};

        key.bytes = pack_identity(check, &variables->custom_vars[i], &key.size);
        if (!key.bytes)
            return false;
        ret_by_index[i] = key;
        keys_add(identities, key);
    }
    keys_sort(identities);
    return true;
}

static void check_variables(struct check *check)
{
    const struct vmr_uefi_variables *variables = &check->config.custom_uefi_vars;
    size_t count = variables->custom_var_count;
    struct key *by_index = arena_alloc(&check->arena, count, sizeof(*by_index));
    struct keys identities;

    if (!by_index || !keys_init(&identities, &check->arena, count) || !list_identities(check, &identities, by_index)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct vmr_uefi_variable *variable = &variables->custom_vars[i];

        check_variable(check, variable, i);
        if (variable->name && keys_find(&identities, &by_index[i]) != i)
            FOUND(check, RULE(NAME_TWICE), at(check, VARS ".custom_vars[%zu].name", i),
                  "'%.40s' with this guid is custom_vars[%zu]", variable->name, keys_find(&identities, &by_index[i]));
    }
}

void check_uefi(struct check *check)
{
    const struct vmr_config *config = &check->config;
    const struct vmr_uefi_variables *variables = &config->custom_uefi_vars;

    if (config->secure_boot_enabled && !has_uefi(check))
        FOUND(check, RULE(SECURE_BOOT), at(check, "secure_boot_enabled"), "load_mode is neither uefi nor igvm");
    if ((variables->signatures || variables->custom_var_count > 0) && !has_uefi(check))
        FOUND(check, RULE(VARIABLES), at(check, VARS), "load_mode is neither uefi nor igvm");
    if (variables->signatures)
        check_signatures(check, variables->signatures);
    check_variables(check);
}
