/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Sockets and APIC ids, for the check that they fit and for who gives them out.
 */

#include "vmrig/config/topology.h"

#define XAPIC_ID_MAX 254u         /* 255 is everybody */
#define X2APIC_ID_MAX 0xfffffffeu /* so is 0xffffffff */

static inline uint32_t socket_vp_count(const struct vmr_processor_config *config, uint32_t vp_count)
{
    uint32_t count = config->vps_per_socket.given ? config->vps_per_socket.value : vp_count;

    if (count == 0)
        return 1;
    return count > VMR_VPS_PER_SOCKET_MAX ? VMR_VPS_PER_SOCKET_MAX : count;
}

/*
 * Sockets begin at multiples of a power of two, so that an id can be taken apart
 * with shifts; the offset is rounded down to one. In 64 bits: an offset near 2^32
 * is what a check looks for.
 */
static inline uint64_t apic_id_of(uint32_t vp, uint32_t vps_per_socket, uint32_t offset)
{
    uint64_t rounded = 1;

    while (rounded < vps_per_socket)
        rounded *= 2;
    return (offset / rounded + vp / vps_per_socket) * rounded + vp % vps_per_socket;
}
