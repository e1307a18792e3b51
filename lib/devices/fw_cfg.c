/* SPDX-License-Identifier: MIT */
/*
 * The firmware configuration device of emulated PCs (QEMU's docs/specs/fw_cfg,
 * port I/O form without DMA): the guest selects an item and reads its bytes. It
 * is read-only, and what it says is fixed at creation.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/sync.h"
#include "lib/devices/claim.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define PORT_BASE 0x510u
#define PORT_COUNT 2u
#define OFFSET_SELECT 0u
#define OFFSET_DATA 1u

#define KEY_SIGNATURE 0x0000u
#define KEY_INTERFACE 0x0001u
#define KEY_VP_COUNT 0x0005u
#define KEY_VP_COUNT_MAX 0x000fu
#define KEY_DIRECTORY 0x0019u
#define KEY_FIRST_FILE 0x0020u
#define KEY_IRQ0_OVERRIDE 0x8002u /* of the PC: line 0 is IO-APIC pin 2 */

#define KEY_MASK 0xbfffu /* without the bit that selects for writing */

#define INTERFACE_PORTS 1u

#define DIRECTORY_ENTRY 64u
#define DIRECTORY_NAME 8u /* offset in an entry */
#define ITEM_BYTES_MAX (4u + DIRECTORY_ENTRY)
#define ITEM_COUNT 7u

struct fw_cfg_item {
    uint16_t key;
    uint8_t length;
    uint8_t bytes[ITEM_BYTES_MAX];
};

struct vmr_fw_cfg {
    struct sync_mutex lock;
    struct vmr_bus *ports;
    struct fw_cfg_item items[ITEM_COUNT];
    const struct fw_cfg_item *selected; /* NULL: an item that is not there, which is empty */
    uint8_t offset;
};

static void item_set(struct fw_cfg_item *item, uint16_t key, uint8_t length, uint64_t value)
{
    *item = (struct fw_cfg_item){.key = key, .length = length};
    store_le(item->bytes, length, value);
}

/* The directory is big endian. One file: firmware waits for no key, as nobody sits before this machine. */
static void make_directory(struct fw_cfg_item *directory, struct fw_cfg_item *file)
{
    static const char name[] = "etc/show-boot-menu";
    uint8_t *entry = &directory->bytes[4];

    item_set(file, KEY_FIRST_FILE, 2, 0);
    *directory = (struct fw_cfg_item){.key = KEY_DIRECTORY, .length = ITEM_BYTES_MAX};
    directory->bytes[3] = 1;
    entry[3] = file->length;
    entry[5] = (uint8_t)file->key;
    memcpy(&entry[DIRECTORY_NAME], name, sizeof(name));
}

static void make_items(struct vmr_fw_cfg *fw_cfg, uint32_t vp_count)
{
    item_set(&fw_cfg->items[0], KEY_SIGNATURE, 4, load_le32((const uint8_t *)"QEMU"));
    item_set(&fw_cfg->items[1], KEY_INTERFACE, 4, INTERFACE_PORTS);
    item_set(&fw_cfg->items[2], KEY_VP_COUNT, 2, vp_count);
    item_set(&fw_cfg->items[3], KEY_VP_COUNT_MAX, 2, vp_count);
    item_set(&fw_cfg->items[4], KEY_IRQ0_OVERRIDE, 1, 1);
    make_directory(&fw_cfg->items[5], &fw_cfg->items[6]);
}

static const struct fw_cfg_item *find_item(const struct vmr_fw_cfg *fw_cfg, uint16_t key)
{
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        if (fw_cfg->items[i].key == key)
            return &fw_cfg->items[i];
    }
    return NULL;
}

static void select_item(struct vmr_fw_cfg *fw_cfg, uint16_t guest_key)
{
    fw_cfg->selected = find_item(fw_cfg, guest_key & KEY_MASK);
    fw_cfg->offset = 0;
}

/* Behind the end of an item there are zeros. */
static uint8_t read_data(struct vmr_fw_cfg *fw_cfg)
{
    if (!fw_cfg->selected || fw_cfg->offset >= fw_cfg->selected->length)
        return 0;
    return fw_cfg->selected->bytes[fw_cfg->offset++];
}

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    struct vmr_fw_cfg *fw_cfg = device;
    uint8_t value = 0;

    sync_mutex_lock(&fw_cfg->lock);
    if (access->offset == OFFSET_DATA)
        value = read_data(fw_cfg);
    sync_mutex_unlock(&fw_cfg->lock);
    return value;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_fw_cfg *fw_cfg = device;

    if (access->offset != OFFSET_SELECT || access->size != 2)
        return;
    sync_mutex_lock(&fw_cfg->lock);
    select_item(fw_cfg, (uint16_t)value);
    sync_mutex_unlock(&fw_cfg->lock);
}

static const struct vmr_device_ops fw_cfg_ops = {.read = port_read, .write = port_write};

enum vmr_status vmr_fw_cfg_create(const struct vmr_fw_cfg_options *options, struct vmr_bus *ports,
                                  struct vmr_fw_cfg **ret_fw_cfg, struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "firmware configuration: no host was given");

    struct vmr_fw_cfg *fw_cfg = calloc(1, sizeof(*fw_cfg));

    if (!fw_cfg || sync_mutex_init(&fw_cfg->lock, options->host) != VMR_OK) {
        free(fw_cfg);
        return vmr_error_set(err, VMR_E_NOMEM, "firmware configuration: out of memory");
    }
    make_items(fw_cfg, options->vp_count != 0 ? options->vp_count : 1);

    const struct vmr_bus_range range = {.name = "firmware configuration",
                                        .start = PORT_BASE,
                                        .length = PORT_COUNT,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_2,
                                        .ops = &fw_cfg_ops,
                                        .device = fw_cfg};
    enum vmr_status status = vmr_bus_claim(ports, &range, err);

    if (status != VMR_OK) {
        sync_mutex_finish(&fw_cfg->lock);
        free(fw_cfg);
        return status;
    }
    fw_cfg->ports = ports;
    *ret_fw_cfg = fw_cfg;
    return VMR_OK;
}

void vmr_fw_cfg_destroy(struct vmr_fw_cfg *fw_cfg)
{
    if (!fw_cfg)
        return;
    claim_release(fw_cfg->ports, PORT_BASE);
    sync_mutex_finish(&fw_cfg->lock);
    free(fw_cfg);
}

/* --- state: what is selected. The items themselves follow from the options. --- */

static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_fw_cfg_state, selected, "selected", VMR_FIELD_FLAG),
    VMR_STATE_FIELD(struct vmr_fw_cfg_state, key, "key", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_fw_cfg_state, offset, "offset", VMR_FIELD_DECIMAL),
};

const struct vmr_state_type fw_cfg_state_type = {
    .name = "fw-cfg",
    .version = 1,
    .size = sizeof(struct vmr_fw_cfg_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_fw_cfg *fw_cfg = object;
    struct vmr_fw_cfg_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&fw_cfg->lock);
    state->selected = fw_cfg->selected != NULL;
    state->key = fw_cfg->selected ? fw_cfg->selected->key : 0;
    state->offset = fw_cfg->offset;
    sync_mutex_unlock(&fw_cfg->lock);
    return VMR_OK;
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_fw_cfg *fw_cfg = object;
    const struct vmr_fw_cfg_state *state = value;
    const struct fw_cfg_item *item = state->selected ? find_item(fw_cfg, state->key) : NULL;
    const struct state_check checks[] = {
        STATE_RULE("key", state->key, state->selected ? item != NULL : state->key == 0),
        STATE_RULE("offset", state->offset, state->offset <= (item ? item->length : 0)),
    };
    enum vmr_status status = state_check(&fw_cfg_state_type, checks, STATE_CHECKS(checks), err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&fw_cfg->lock);
    fw_cfg->selected = item;
    fw_cfg->offset = state->offset;
    sync_mutex_unlock(&fw_cfg->lock);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    (void)object;
    memset(ret_value, 0, sizeof(struct vmr_fw_cfg_state));
}

void vmr_fw_cfg_state_unit(struct vmr_fw_cfg *fw_cfg, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &fw_cfg_state_type, .object = fw_cfg, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
