/* SPDX-License-Identifier: MIT */
/*
 * The grammar of a hypervisor spec: what each text means, and which part of a
 * malformed one is blamed. [PROBE-1]
 */

#include "vmrig/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct wanted {
    const char *key, *value;
};

static const struct {
    const char *name;
    const char *text;
    const char *hypervisor;
    size_t count;
    struct wanted items[3];
} good[] = {
    {"a name alone", "kvm", "kvm", 0, {{0}}},
    {"a colon and nothing", "kvm:", "kvm", 0, {{0}}},
    {"empty items are skipped", "kvm:,,", "kvm", 0, {{0}}},
    {"empty items between others", "kvm:,a=1,,b=2,", "kvm", 2, {{"a", "1"}, {"b", "2"}}},
    {"the value begins after the first equals sign", "whp:a=b=c", "whp", 1, {{"a", "b=c"}}},
    {"a bare key is true", "whp:k", "whp", 1, {{"k", "true"}}},
    {"an empty value is a value", "whp:k=", "whp", 1, {{"k", ""}}},
    {"the name ends at the first colon", "kvm::x", "kvm", 1, {{":x", "true"}}},
    {"a value may hold colons", "kvm:a=b:c", "kvm", 1, {{"a", "b:c"}}},
    {"nothing is trimmed", "kvm : a = b ", "kvm ", 1, {{" a ", " b "}}},
    {"case is kept", "KVM:Key=Value", "KVM", 1, {{"Key", "Value"}}},
    {"duplicates are the prober's business", "kvm:a=1,a=2", "kvm", 2, {{"a", "1"}, {"a", "2"}}},
    {"a comma belongs to the name without a colon", "kvm,a=1", "kvm,a=1", 0, {{0}}},
};

static void a_good_spec_comes_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct vmr_spec spec;
        struct vmr_error err = {0};

        print_message("%s\n", good[i].name);
        assert_int_equal(vmr_spec_parse(good[i].text, &spec, &err), VMR_OK);
        assert_int_equal(err.status, VMR_OK);
        assert_string_equal(spec.name, good[i].hypervisor);
        assert_int_equal(spec.params.count, good[i].count);
        for (size_t j = 0; j < good[i].count; j++) {
            assert_string_equal(spec.params.items[j].key, good[i].items[j].key);
            assert_string_equal(spec.params.items[j].value, good[i].items[j].value);
        }
    }
}

static const struct {
    const char *name;
    const char *text;
    const char *blamed;
} bad[] = {
    {"nothing", "", "empty hypervisor name"},        {"no name", ":x", "':x'"},
    {"a lone colon", ":", "empty hypervisor name"},  {"no key", "whp:=x", "'=x'"},
    {"no key after a good one", "whp:a=1,=", "'='"},
};

static void a_bad_spec_is_refused_with_the_part_that_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vmr_spec spec;
        struct vmr_error err = {0};

        print_message("%s\n", bad[i].name);
        memset(&spec, 0x5a, sizeof(spec));
        assert_int_equal(vmr_spec_parse(bad[i].text, &spec, &err), VMR_E_CONFIG);
        assert_int_equal(err.status, VMR_E_CONFIG);
        assert_non_null(strstr(err.message, bad[i].blamed));
        /* After a failure it holds nothing. */
        assert_null(spec.name);
        assert_int_equal(spec.params.count, 0);
        assert_int_equal(spec.text[0], 0);
    }
}

static void a_spec_is_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    char text[VMR_SPEC_BYTES_MAX + 1];
    struct vmr_spec spec;
    struct vmr_error err = {0};

    memset(text, 'k', sizeof(text));
    text[VMR_SPEC_BYTES_MAX - 1] = '\0';
    assert_int_equal(vmr_spec_parse(text, &spec, &err), VMR_OK);
    assert_int_equal(strlen(spec.name), VMR_SPEC_BYTES_MAX - 1);
    text[VMR_SPEC_BYTES_MAX - 1] = 'k';
    text[VMR_SPEC_BYTES_MAX] = '\0';
    assert_int_equal(vmr_spec_parse(text, &spec, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "1023"));
}

static void a_spec_has_as_many_parameters_as_the_limit_and_no_more(void **state)
{
    (void)state;
    char text[4 + 2 * (VMR_SPEC_PARAM_MAX + 1) + 1] = "kvm:";
    struct vmr_spec spec;
    struct vmr_error err = {0};

    for (size_t i = 0; i < VMR_SPEC_PARAM_MAX; i++)
        strcat(text, "a,");
    assert_int_equal(vmr_spec_parse(text, &spec, &err), VMR_OK);
    assert_int_equal(spec.params.count, VMR_SPEC_PARAM_MAX);
    strcat(text, "a");
    assert_int_equal(vmr_spec_parse(text, &spec, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "16"));
    assert_int_equal(vmr_spec_parse(text, &spec, NULL), VMR_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_spec_comes_apart),
        cmocka_unit_test(a_bad_spec_is_refused_with_the_part_that_is_wrong),
        cmocka_unit_test(a_spec_is_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(a_spec_has_as_many_parameters_as_the_limit_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
