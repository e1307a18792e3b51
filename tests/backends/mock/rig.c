/* SPDX-License-Identifier: MIT */
/*
 * The rig: see rig.h.
 */

#include "tests/backends/mock/rig.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/exit/exit_text.h"

void rig_init(struct rig *rig, struct vmr_scheduler *scheduler, const char *spec, uint32_t vps)
{
    struct vmr_backend_set set;
    struct vmr_error err = {0};
    struct vmr_memory_region ram = {.size = VMR_PROGRAM_RAM_MIN};
    struct vmr_proto *proto = NULL;

    *rig = (struct rig){0};
    if (scheduler)
        vmr_scheduler_host(scheduler, &rig->host);
    else
        vmr_host_posix(&rig->host, NULL);
    vmr_backend_set_init(&set);
    if (vmr_probe_named(&set, spec, &rig->handle, &err))
        fail_msg("%s: %s", spec, err.message);
    assert_int_equal(vmr_memory_create(&rig->host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &ram, NULL), VMR_OK);
    const struct vmr_proto_options proto_options = {.host = &rig->host, .vp_count = vps};
    const struct vmr_msr_range msrs = {.first = 0x277, .count = 1}; /* PAT: the mock would keep it */
    const struct vmr_partition_options options = {.memory = rig->memory, .msr_exits = &msrs, .msr_exit_count = 1};

    assert_int_equal(vmr_proto_create(&rig->handle, &proto_options, &proto, NULL), VMR_OK);
    if (vmr_proto_build(&proto, &options, &rig->partition, &err))
        fail_msg("%s: %s", spec, err.message);
    rig->mock = vmr_mock_of(rig->partition);
    assert_non_null(rig->mock);
}

void rig_finish(struct rig *rig)
{
    for (unsigned i = 0; i < RIG_VP_MAX; i++)
        vmr_vp_unbind(rig->vps[i]);
    assert_int_equal(vmr_partition_destroy(rig->partition), VMR_OK);
    vmr_memory_destroy(rig->memory);
    vmr_handle_close(&rig->handle);
}

void rig_load(struct rig *rig, vmr_vp_index vp, const struct vmr_program *program)
{
    struct vmr_error err = {0};

    if (vmr_mock_load_program(rig->mock, vp, program, &err))
        fail_msg("%s", err.message);
}

struct vmr_vp *rig_bind(struct rig *rig, vmr_vp_index vp)
{
    assert_int_equal(vmr_partition_bind(rig->partition, vp, &rig->vps[vp], NULL), VMR_OK);
    return rig->vps[vp];
}

void rig_expect(struct rig *rig, const char *name, const char *const *lines, size_t count)
{
    static uint8_t strings[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {0};

    for (size_t i = 0; i < count; i++) {
        char seen[512];
        const char *arrow = strstr(lines[i], " -> ");
        size_t inputs = arrow ? (size_t)(arrow - lines[i]) : strlen(lines[i]);

        assert_int_equal(vmr_vp_step(rig->vps[0], &vp_exit), VMR_OK);
        assert_true(vmr_exit_is_valid(&vp_exit));
        (void)exit_text_print(&vp_exit, EXIT_INPUTS, seen, sizeof(seen));
        if (strlen(seen) != inputs || strncmp(seen, lines[i], inputs) != 0)
            fail_msg("%s: exit %zu is '%s', not '%s'", name, i + 1, seen, lines[i]);
        if (!arrow)
            continue;
        uint8_t *bytes = vp_exit.kind == VMR_EXIT_IO ? vp_exit.u.io.bytes : NULL;

        assert_int_equal(exit_text_parse_answer(lines[i], inputs + 4, strlen(lines[i]), &vp_exit, strings, NULL),
                         VMR_OK);
        if (bytes) {
            memcpy(bytes, strings, (size_t)vp_exit.u.io.count * vp_exit.u.io.size);
            vp_exit.u.io.bytes = bytes;
        }
    }
}

uint64_t rig_var(struct rig *rig, vmr_vp_index vp, unsigned index)
{
    struct vmr_x86_regs regs;

    assert_int_equal(vmr_vp_get_regs(rig->vps[vp], &regs), VMR_OK);
    return regs.gpr[VMR_X86_R8 + index];
}

uint32_t rig_count(struct rig *rig, vmr_vp_index vp, uint8_t vector)
{
    uint8_t bytes[4];

    assert_int_equal(vmr_memory_read(rig->memory, VMR_PROGRAM_COUNTS + (vp * 256u + vector) * 4u, bytes, 4), VMR_OK);
    return load_le32(bytes);
}
