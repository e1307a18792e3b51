/* SPDX-License-Identifier: MIT */
/*
 * GTDT and PPTT: an arm64 machine's timer, and which processors share a core and
 * a socket. (A PC says both by CPUID.) Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/acpi.h"

#include "lib/base/bytes.h"
#include "lib/tables/tables.h"

#define GTDT_REVISION 3u
#define PPTT_REVISION 2u
#define NO_ADDRESS UINT64_MAX
#define ALWAYS_ON 4u /* timers keep time in every state of power; and: level, active high */

static void timer(struct writer *writer, uint32_t gsiv)
{
    writer_le32(writer, gsiv);
    writer_le32(writer, gsiv ? ALWAYS_ON : 0);
}

/* 5.2.25. Of the timers of a processor a guest has the virtual one. */
void gtdt_write(struct writer *writer, const struct tables_input *input)
{
    acpi_begin(writer, "GTDT", GTDT_REVISION);
    writer_le64(writer, NO_ADDRESS); /* CntControlBase */
    writer_le32(writer, 0);
    timer(writer, 0);                                               /* secure EL1 */
    timer(writer, 0);                                               /* non-secure EL1 */
    timer(writer, input->resolved->processors.gic->virt_timer_ppi); /* virtual EL1 */
    timer(writer, 0);                                               /* EL2 */
    writer_le64(writer, NO_ADDRESS);                                /* CntReadBase */
    writer_le32(writer, 0);                                         /* platform timers */
    writer_le32(writer, 0);
    timer(writer, 0); /* virtual EL2 */
    acpi_end(writer);
}

/* Flags of a node (5.2.30.1). */
#define PHYSICAL_PACKAGE 1u
#define ID_VALID 2u
#define IS_THREAD 4u
#define IS_LEAF 8u

/* Returns where the node is, which is how others name it; NODE_BYTES for each. */
#define NODE_BYTES 20u
static uint32_t node(struct writer *writer, uint32_t flags, uint32_t parent, uint32_t id)
{
    uint32_t at = (uint32_t)writer->length;

    writer_u8(writer, 0);
    writer_u8(writer, NODE_BYTES);
    writer_le16(writer, 0);
    writer_le32(writer, flags);
    writer_le32(writer, parent);
    writer_le32(writer, id);
    writer_le32(writer, 0); /* private resources: no caches are told of */
    return at;
}

/* VPs of one core and socket follow each other: a node for each when its first comes. */
void pptt_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_processors *processors = &input->resolved->processors;
    uint32_t socket = 0, core = 0;

    acpi_begin(writer, "PPTT", PPTT_REVISION);
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        const struct vmr_resolved_vp *vp = &processors->vps[i], *before = i > 0 ? vp - 1 : NULL;
        bool new_socket = !before || before->socket != vp->socket;

        if (new_socket)
            socket = node(writer, PHYSICAL_PACKAGE | ID_VALID, 0, vp->socket);
        if (!processors->smt) {
            node(writer, ID_VALID | IS_LEAF, socket, i);
            continue;
        }
        if (new_socket || before->core != vp->core)
            core = node(writer, ID_VALID, socket, vp->core);
        node(writer, ID_VALID | IS_THREAD | IS_LEAF, core, i);
    }
    acpi_end(writer);
}
