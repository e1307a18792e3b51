/* SPDX-License-Identifier: MIT */
/*
 * The picture: well-formed, whole, and nothing of a name gets out of its text.
 */

#include "tests/resolve/printed.h"

/* Tags are closed in the order in which they were opened; what stands between them is no markup. */
static void expect_well_formed(const char *text)
{
    char stack[32][16];
    size_t depth = 0;

    for (const char *at = strchr(text, '<'); at; at = strchr(at, '<')) {
        const char *end = strchr(at, '>');
        size_t length = strcspn(at + 1, " />");

        assert_non_null(end);
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            length = strcspn(at + 2, ">");
            assert_int_equal(strlen(stack[depth]), length);
            assert_memory_equal(stack[depth], at + 2, length);
        } else if (end[-1] != '/') {
            assert_true(depth < 32 && length < sizeof(stack[0]));
            memcpy(stack[depth], at + 1, length);
            stack[depth++][length] = '\0';
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        found++;
    return found;
}

static void it_shows_every_placement_and_every_port(void **state)
{
    struct vmr_config_text text;
    struct rig rig;

    (void)state;
    printed_init(&rig);
    const struct vmr_resolved *machine = rig_resolve(&rig);

    assert_int_equal(vmr_resolved_print_svg(machine, &text, NULL), VMR_OK);
    expect_well_formed(text.bytes);
    for (size_t i = 0; i < machine->memory.placement_count; i++)
        assert_non_null(strstr(text.bytes, machine->memory.placements[i].tag));
    assert_int_equal(count(text.bytes, "<rect class=\"port\""), machine->pcie.port_count);
    assert_int_equal(count(text.bytes, "<rect class=\"switch\""), 1);
    assert_int_equal(count(text.bytes, "<rect class=\"device\""), 1);
    assert_int_equal(count(text.bytes, "<rect class=\"complex\""), 2);
    assert_int_equal(count(text.bytes, "<rect class=\"ram\""), machine->memory.ram_count);
    assert_non_null(strstr(text.bytes, ">r&lt;&amp;&gt;1<"));
    assert_null(strstr(text.bytes, "r<&>1"));
    assert_null(strstr(text.bytes, "<script"));
    assert_null(strstr(text.bytes, "href"));
    free(text.bytes);
    rig_finish(&rig);
}

static void without_pci_express_there_is_the_map_alone(void **state)
{
    struct vmr_config_text text;
    struct rig rig;

    (void)state;
    rig_init(&rig, VMR_ARCH_X86_64);
    assert_int_equal(vmr_resolved_print_svg(rig_resolve(&rig), &text, NULL), VMR_OK);
    expect_well_formed(text.bytes);
    assert_null(strstr(text.bytes, "PCI Express"));
    free(text.bytes);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_shows_every_placement_and_every_port),
        cmocka_unit_test(without_pci_express_there_is_the_map_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
