/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS structures and their anchor. Section numbers are those of DSP0134
 * 3.6.0. There is no 2.1 anchor: its 64 KiB do not hold a large machine, and
 * what knows only that is older than what boots here.
 */

#include "lib/tables/acpi.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/tables/tables.h"

#define STRINGS_MAX 4u
#define MIB (UINT64_C(1) << 20)
#define DEVICE_BYTES_MAX (UINT64_C(1) << 50) /* below the 31 bits of MiB that a device has (7.18.5) */

/* Handles: the kind, and a number among its like below it. */
#define HANDLE_CHASSIS 0x0003u
#define HANDLE_SOCKETS 0x1000u
#define HANDLE_ARRAY 0x2000u
#define HANDLE_DEVICES 0x2100u
#define HANDLE_RANGES 0x4000u
#define HANDLE_NONE 0xfffeu

/* One structure while it is written: strings are numbered from 1 as they come. */
struct structure {
    struct writer *writer;
    size_t start;
    const char *strings[STRINGS_MAX];
    unsigned string_count;
};

static struct structure begin(struct writer *writer, uint8_t type, uint16_t handle) /* 6.1.2 */
{
    struct structure one = {.writer = writer, .start = writer->length};

    writer_u8(writer, type);
    writer_u8(writer, 0);
    writer_le16(writer, handle);
    return one;
}

static void string(struct structure *one, const char *text)
{
    one->strings[one->string_count++] = text;
    writer_u8(one->writer, (uint8_t)one->string_count);
}

/* 6.1.3: strings follow the formatted part; an empty one ends them, and two zeros where there is none. */
static void end(struct structure *one)
{
    if (writer_ok(one->writer))
        one->writer->bytes[one->start + 1] = (uint8_t)(one->writer->length - one->start);
    for (unsigned i = 0; i < one->string_count; i++)
        writer_copy(one->writer, one->strings[i], strlen(one->strings[i]) + 1);
    acpi_zeros(one->writer, one->string_count > 0 ? 1 : 2);
}

static void firmware(struct writer *writer, const struct tables_input *input) /* 7.1 */
{
    bool uefi = input->config->load_mode.mode == VMR_LOAD_UEFI;
    struct structure one = begin(writer, 0, 0x0000);

    string(&one, "vmrig");
    string(&one, "1.0");
    writer_le16(writer, input->is_arm64 ? 0 : 0xe000); /* the segment where it begins */
    string(&one, "01/01/2024");
    writer_u8(writer, 0);   /* 64 KiB */
    writer_le64(writer, 8); /* characteristics: none are told */
    writer_u8(writer, 0);
    writer_u8(writer, 0x10 | (uefi ? 0x08 : 0)); /* a virtual machine; UEFI */
    writer_u8(writer, 1);                        /* release */
    writer_u8(writer, 0);
    writer_u8(writer, 0xff); /* no embedded controller */
    writer_u8(writer, 0xff);
    writer_le16(writer, 0);
    end(&one);
}

/* 7.2. The UUID is the one that the configuration has for firmware, in its wire order (7.2.1). */
static void system_information(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_load_config *load = &input->config->load_mode;
    struct vmr_guid guid = load->mode == VMR_LOAD_UEFI ? load->uefi.bios_guid : (struct vmr_guid){0};
    struct structure one = begin(writer, 1, 0x0001);

    string(&one, "vmrig");
    string(&one, "Virtual machine");
    writer_u8(writer, 0); /* version, serial number: none */
    writer_u8(writer, 0);
    writer_le32(writer, guid.data1);
    writer_le16(writer, guid.data2);
    writer_le16(writer, guid.data3);
    writer_copy(writer, guid.data4, sizeof(guid.data4));
    writer_u8(writer, 6); /* woken by the power switch */
    writer_u8(writer, 0);
    writer_u8(writer, 0);
    end(&one);
}

static void chassis(struct writer *writer) /* 7.4 */
{
    struct structure one = begin(writer, 3, HANDLE_CHASSIS);

    string(&one, "vmrig");
    writer_u8(writer, 1); /* other */
    acpi_zeros(writer, 3);
    writer_u8(writer, 3); /* boot-up, power supply, thermal: safe; security: none */
    writer_u8(writer, 3);
    writer_u8(writer, 3);
    writer_u8(writer, 3);
    writer_le32(writer, 0);
    acpi_zeros(writer, 5); /* height, power cords, contained elements, their size; SKU */
    end(&one);
}

struct socket_size {
    uint32_t cores, threads;
};

/* Sockets are filled in turn; the last may hold fewer. */
static struct socket_size socket_size(const struct vmr_resolved_processors *processors, uint32_t socket)
{
    uint64_t before = (uint64_t)socket * processors->vps_per_socket;
    uint32_t left = before < processors->vp_count ? processors->vp_count - (uint32_t)before : 0;
    uint32_t threads = left < processors->vps_per_socket ? left : processors->vps_per_socket;

    return (struct socket_size){processors->smt ? (threads + 1) / 2 : threads, threads};
}

static uint8_t narrow(uint32_t count)
{
    return count < UINT8_MAX ? (uint8_t)count : UINT8_MAX; /* then the wide field counts */
}

/* In the order of 7.5: what a guest learns better from the processor itself is unknown here. */
static void processor(struct writer *writer, const struct tables_input *input, uint32_t socket)
{
    struct socket_size size = socket_size(&input->resolved->processors, socket);
    struct structure one = begin(writer, 4, (uint16_t)(HANDLE_SOCKETS + socket));
    char name[24];

    (void)snprintf(name, sizeof(name), "CPU %u", socket);
    string(&one, name);
    writer_u8(writer, 3); /* a central processor */
    writer_u8(writer, 1); /* of another family */
    string(&one, "vmrig");
    writer_le64(writer, 0); /* id */
    writer_u8(writer, 0);
    writer_u8(writer, 0x80); /* voltage unknown */
    acpi_zeros(writer, 6);   /* clocks unknown */
    writer_u8(writer, 0x41); /* the socket is populated, the processor enabled */
    writer_u8(writer, 1);
    writer_le16(writer, 0xffff); /* no caches are told of */
    writer_le16(writer, 0xffff);
    writer_le16(writer, 0xffff);
    acpi_zeros(writer, 3);
    writer_u8(writer, narrow(size.cores));
    writer_u8(writer, narrow(size.cores));
    writer_u8(writer, narrow(size.threads));
    writer_le16(writer, (uint16_t)(4 | (size.cores > 1 ? 8 : 0) | (size.threads > size.cores ? 16 : 0))); /* 64 bits */
    writer_le16(writer, 1);                                                                               /* family */
    writer_le16(writer, (uint16_t)size.cores);
    writer_le16(writer, (uint16_t)size.cores);
    writer_le16(writer, (uint16_t)size.threads);
    end(&one);
}

static uint64_t node_size(const struct tables_input *input, uint32_t node)
{
    const struct vmr_memory_config *mem = input->resolved->numa.nodes[node].mem;

    return mem ? mem->mem_size : 0;
}

/* Devices that the memory of a node is told as: one, but for a node beyond what one can be. */
static uint32_t node_devices(const struct tables_input *input, uint32_t node)
{
    return (uint32_t)((node_size(input, node) + DEVICE_BYTES_MAX - 1) / DEVICE_BYTES_MAX);
}

static void memory_array(struct writer *writer, const struct tables_input *input) /* 7.17 */
{
    struct structure one = begin(writer, 16, HANDLE_ARRAY);
    uint32_t devices = 0;

    for (uint32_t i = 0; i < input->resolved->numa.node_count; i++)
        devices += node_devices(input, i);
    writer_u8(writer, 1);
    writer_u8(writer, 3); /* system memory */
    writer_u8(writer, 3); /* no error correction */
    writer_le32(writer, 0x80000000u);
    writer_le16(writer, HANDLE_NONE);
    writer_le16(writer, (uint16_t)devices);
    writer_le64(writer, input->resolved->memory.ram_size); /* the wide field, always */
    end(&one);
}

/* 7.18; sizes are in MiB, rounded up. */
static void memory_device(struct writer *writer, uint32_t node, uint16_t number, uint64_t size)
{
    uint64_t mib = (size + MIB - 1) / MIB;
    struct structure one = begin(writer, 17, (uint16_t)(HANDLE_DEVICES + number));
    char name[24];

    (void)snprintf(name, sizeof(name), "Node %u", node);
    writer_le16(writer, HANDLE_ARRAY);
    writer_le16(writer, HANDLE_NONE);
    writer_le16(writer, 64);
    writer_le16(writer, 64);
    writer_le16(writer, mib < 0x7fff ? (uint16_t)mib : 0x7fff);
    writer_u8(writer, 9); /* a DIMM */
    writer_u8(writer, 0);
    string(&one, name);
    writer_u8(writer, 0);
    writer_u8(writer, 7); /* RAM */
    writer_le16(writer, 0);
    writer_le16(writer, 0);
    acpi_zeros(writer, 5); /* manufacturer to part number, rank */
    writer_le32(writer, mib < 0x7fff ? 0 : (uint32_t)mib);
    writer_le16(writer, 0);
    acpi_zeros(writer, 6); /* voltages */
    end(&one);
}

static void memory_devices(struct writer *writer, const struct tables_input *input)
{
    uint16_t number = 0;

    for (uint32_t i = 0; i < input->resolved->numa.node_count; i++) {
        for (uint64_t left = node_size(input, i), here; left > 0; left -= here) {
            here = left < DEVICE_BYTES_MAX ? left : DEVICE_BYTES_MAX;
            memory_device(writer, i, number++, here);
        }
    }
}

static void memory_range(struct writer *writer, const struct vmr_gpa_range *range, uint32_t index) /* 7.20 */
{
    struct structure one = begin(writer, 19, (uint16_t)(HANDLE_RANGES + index));
    bool wide = (range->end - 1) >> 10 >= UINT32_MAX;

    writer_le32(writer, wide ? UINT32_MAX : (uint32_t)(range->start >> 10));
    writer_le32(writer, wide ? UINT32_MAX : (uint32_t)((range->end - 1) >> 10));
    writer_le16(writer, HANDLE_ARRAY);
    writer_u8(writer, 1);
    writer_le64(writer, wide ? range->start : 0);
    writer_le64(writer, wide ? range->end - 1 : 0);
    end(&one);
}

void smbios_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved *resolved = input->resolved;
    struct structure one;

    firmware(writer, input);
    system_information(writer, input);
    chassis(writer);
    for (uint32_t i = 0; i < resolved->processors.socket_count; i++)
        processor(writer, input, i);
    memory_array(writer, input);
    memory_devices(writer, input);
    for (uint32_t i = 0; i < resolved->memory.ram_count; i++)
        memory_range(writer, &resolved->memory.ram[i].range, i);
    one = begin(writer, 32, 0x7000); /* 7.33: boot status: no errors */
    acpi_zeros(writer, 7);
    end(&one);
    one = begin(writer, 127, 0x7001); /* 7.45 */
    end(&one);
}

void smbios_anchor(uint8_t *ret_bytes, vmr_gpa structures, uint32_t length) /* 5.2.2 */
{
    memset(ret_bytes, 0, SMBIOS_ANCHOR_BYTES);
    memcpy(ret_bytes, "_SM3_", 5);
    ret_bytes[6] = SMBIOS_ANCHOR_BYTES;
    ret_bytes[7] = 3; /* 3.6.0 */
    ret_bytes[8] = 6;
    ret_bytes[10] = 1;
    store_le32(ret_bytes + 12, length);
    store_le64(ret_bytes + 16, structures);
    ret_bytes[5] = acpi_checksum(ret_bytes, SMBIOS_ANCHOR_BYTES);
}
