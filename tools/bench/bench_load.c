/* SPDX-License-Identifier: MIT */
/*
 * A guest program on whatever there is: handed to the mock, or as machine code.
 */

#include "conformance/x86_64/image.h"
#include "tools/bench/bench.h"

enum vmr_status bench_load_program(struct vmr_partition *partition, struct vmr_vp *vp,
                                   const struct vmr_program *program, struct vmr_error *err)
{
    struct vmr_memory *memory = vmr_partition_memory(partition);
    struct vmr_mock *mock = vmr_mock_of(partition);
    struct vmr_x86_regs regs;

    if (mock)
        return vmr_mock_load_program(mock, 0, program, err);
    enum vmr_status status = image_write_common(memory);

    if (!status)
        status = image_write_program(memory, 0, program, err);
    image_registers(program, 0, &regs);
    return status ? status : vmr_vp_set_regs(vp, &regs);
}
