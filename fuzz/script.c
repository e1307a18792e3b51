/* SPDX-License-Identifier: MIT */
/*
 * Scripts that a person wrote for the mock: refused with a line and a reason,
 * or played to their end. [MOCK-3]
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/mock_rig.h"

/* Every line is one step, so that this many runs reach the end of any script. */
#define RUNS_MAX (FUZZ_INPUT_MAX + 8u)
#define RAM_BYTES UINT64_C(4096)

static void play(struct mock_rig *rig)
{
    bool more = true;

    mock_rig_bind(rig);
    for (unsigned i = 0; i < RUNS_MAX && more; i++)
        more = mock_rig_run(rig, 0);
    FUZZ_CHECK(!more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_error err = {0};
    struct mock_rig rig;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    mock_rig_init(&rig, "mock", 1, RAM_BYTES, NULL);
    enum vmr_status status = vmr_mock_load_script(rig.mock, 0, (const char *)data, size, &err);

    if (status == VMR_OK)
        play(&rig);
    else
        FUZZ_CHECK(status == VMR_E_CORRUPT && strstr(err.message, "line "));
    mock_rig_finish(&rig);
    return 0;
}
