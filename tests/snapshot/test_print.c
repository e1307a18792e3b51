/* SPDX-License-Identifier: MIT */
/* The tree of a VM: the same from a snapshot as from the VM itself. */

#include "tests/snapshot/fixture.h"

#include <stdlib.h>
#include <string.h>

struct text {
    char *bytes;
    size_t length;
};

static void append(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    text->bytes = realloc(text->bytes, text->length + length + 1);
    assert_non_null(text->bytes);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static void a_vm_and_its_snapshot_print_alike(void **state)
{
    struct vm vm;
    struct bytes bytes;

    (void)state;
    vm_init(&vm);
    vm_fill(&vm);
    vm.parts.unit_count = 0; /* the toys are no type of the library's: a snapshot passes over them */
    vm_save(&vm, 0, &bytes, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&bytes);

    for (unsigned format = VMR_STATE_TEXT; format <= VMR_STATE_JSON; format++) {
        struct text saved = {0}, living = {0};
        struct vmr_text_sink sink = {.write = append, .context = &saved};

        CHECK_OK(vmr_snapshot_print(snapshot, (enum vmr_state_format)format, &sink, NULL));
        sink.context = &living;
        CHECK_OK(vmr_inspect(&vm.parts, (enum vmr_state_format)format, &sink, NULL));
        /* A VM itself tells how it is wired as well, behind all that. */
        size_t shared = saved.length - (format == VMR_STATE_JSON ? 2 : 0);

        assert_true(living.length >= shared && memcmp(saved.bytes, living.bytes, shared) == 0);
        assert_string_equal(living.bytes + shared,
                            format == VMR_STATE_JSON ? ",\"ranges\":[],\"doorbells\":[]}\n" : "");
        assert_int_equal(strstr(saved.bytes, ",\"queues\":[],\"timers\":[]}\n") != NULL, format == VMR_STATE_JSON);
        assert_non_null(strstr(saved.bytes, format == VMR_STATE_JSON ? "\"rbx\":\"0x1001\"" : "  rbx=0x1001\n"));
        assert_non_null(strstr(saved.bytes, format == VMR_STATE_JSON ? "\"vps\":2" : "vps=2 irqchip=user\n"));
        assert_non_null(strstr(saved.bytes, format == VMR_STATE_JSON ? "{\"gpa\":\"0x100000\",\"size\":\"0x200000\""
                                                                     : "memory gpa=0x100000 size=0x200000\n"));
        free(saved.bytes);
        free(living.bytes);
    }
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
    vm_finish(&vm);
}

static void devices_have_their_place(void **state)
{
    struct text text = {0};
    const struct vmr_text_sink sink = {.write = append, .context = &text};
    struct vm vm;

    (void)state;
    vm_init(&vm);
    vm_fill(&vm);
    CHECK_OK(vmr_inspect(&vm.parts, VMR_STATE_JSON, &sink, NULL));
    assert_non_null(strstr(text.bytes, "\"devices\":{\"toy\":{\"value\":17,\"moving\":1},\"toy.1\":{"));
    free(text.bytes);
    text = (struct text){0};
    vm.call_fails_at = 2;
    assert_int_equal(vmr_inspect(&vm.parts, VMR_STATE_TEXT, &sink, NULL), VMR_E_HOST);
    free(text.bytes);
    vm_finish(&vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vm_and_its_snapshot_print_alike),
        cmocka_unit_test(devices_have_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
