/* SPDX-License-Identifier: MIT */
/*
 * Choosing a hypervisor: the grammar of a spec, who is asked in which order,
 * and what is said when nobody can. Most of it needs no hypervisor: the
 * backends asked here are tables that say what a test tells them to.
 */

#include "conformance/conformance.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- specs --- */

static const struct {
    const char *text, *name;
    size_t count;
    struct vmr_param items[2];
} good_specs[] = {
    {"kvm", "kvm", 0, {{0}}},
    {"kvm:", "kvm", 0, {{0}}},
    {"kvm:,,", "kvm", 0, {{0}}},
    {"whp:a=b=c", "whp", 1, {{"a", "b=c"}}},
    {"whp:k", "whp", 1, {{"k", "true"}}},
    {"whp:k=", "whp", 1, {{"k", ""}}},
    {"kvm::x", "kvm", 1, {{":x", "true"}}},
    {"kvm:a:b=c:d", "kvm", 1, {{"a:b", "c:d"}}},
    {" KVM : A = b ", " KVM ", 1, {{" A ", " b "}}},
    {"m:x=1,,y", "m", 2, {{"x", "1"}, {"y", "true"}}},
    {"m:x=1,x=2", "m", 2, {{"x", "1"}, {"x", "2"}}}, /* a matter of the backend's keys, not of form */
    {"kvm,x", "kvm,x", 0, {{0}}},
};

static void check_spec(struct conf *conf, size_t row)
{
    struct vmr_spec spec;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vmr_spec_parse(good_specs[row].text, &spec, &err) == VMR_OK, "'%s': %s", good_specs[row].text,
                 err.message);
    CONF_CHECK(conf, strcmp(spec.name, good_specs[row].name) == 0, "'%s': name '%s'", good_specs[row].text, spec.name);
    CONF_REQUIRE(conf, spec.params.count == good_specs[row].count, "'%s': %zu parameters", good_specs[row].text,
                 spec.params.count);
    for (size_t i = 0; i < spec.params.count; i++) {
        const struct vmr_param *got = &spec.params.items[i], *want = &good_specs[row].items[i];

        CONF_CHECK(conf, strcmp(got->key, want->key) == 0 && strcmp(got->value, want->value) == 0,
                   "'%s': parameter '%s' = '%s'", good_specs[row].text, got->key, got->value);
    }
}

static void spec_grammar(struct conf *conf)
{
    for (size_t i = 0; i < sizeof(good_specs) / sizeof(good_specs[0]); i++)
        check_spec(conf, i);
}

/* A refusal that names `part`, and leaves a spec that holds nothing. */
static void check_bad_spec(struct conf *conf, const char *text, const char *part)
{
    struct vmr_spec spec = {.name = NULL};
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_spec_parse(text, &spec, &err) == VMR_E_CONFIG && err.status == VMR_E_CONFIG,
               "'%.40s' was taken", text);
    CONF_CHECK(conf, strstr(err.message, part) != NULL, "'%.40s': '%s' is not named in: %s", text, part, err.message);
    CONF_CHECK(conf, !spec.name && spec.params.count == 0, "'%.40s': a refused spec holds %zu parameters", text,
               spec.params.count);
}

static void bad_specs(struct conf *conf)
{
    char text[VMR_SPEC_BYTES_MAX + 1], key[VMR_SPEC_PARAM_MAX * 4 + 8] = "many:";

    check_bad_spec(conf, "", "empty hypervisor name");
    check_bad_spec(conf, ":x", "empty hypervisor name");
    check_bad_spec(conf, "whp:=x", "=x");
    check_bad_spec(conf, "whp:a=1,=", "empty parameter key");
    for (unsigned i = 0; i <= VMR_SPEC_PARAM_MAX; i++)
        (void)snprintf(key + strlen(key), sizeof(key) - strlen(key), "k%u,", i);
    check_bad_spec(conf, key, "16");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    check_bad_spec(conf, text, "1023");
}

/* --- tables that answer as they are told; the descriptor says which answer, so that nothing is kept in files --- */

static enum vmr_status fake_absent(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                   struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "absent: not on this machine");
}

static enum vmr_status fake_broken(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                   struct vmr_error *err)
{
    (void)params;
    (void)fd;
    ret_handle->own_hyperv = true; /* half done: nobody may see it */
    return vmr_error_set_host(err, 13, "broken: /dev/broken");
}

/* Takes `size=` 1 to 9, and the caller's descriptor. */
static enum vmr_status fake_good(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    for (size_t i = 0; i < params->count; i++) {
        const char *value = params->items[i].value;

        if (strlen(value) != 1 || value[0] < '1' || value[0] > '9')
            return vmr_error_set(err, VMR_E_CONFIG, "good: size='%s' is not 1 to 9", value);
    }
    ret_handle->fd = fd;
    ret_handle->irqchip = VMR_IRQCHIP_SPLIT;
    return VMR_OK;
}

static const struct vmr_param_key fake_keys[] = {{"size", "1..9", "of no use"}, {NULL, NULL, NULL}};

#define FAKE(text, bits, function)                                                                                     \
    {                                                                                                                  \
        .abi = VMR_BACKEND_ABI, .flags = (bits), .name = (text), .description = "an embedder's", .keys = fake_keys,    \
        .open = (function)                                                                                             \
    }
static const struct vmr_backend absent = FAKE("absent", 0, fake_absent);
static const struct vmr_backend broken = FAKE("broken", 0, fake_broken);
static const struct vmr_backend good = FAKE("good", 0, fake_good);
static const struct vmr_backend hidden = FAKE("hidden", VMR_BACKEND_EXPLICIT_ONLY, fake_good);

static const struct vmr_hypervisor_handle untouched = {.fd = 77, .irqchip = VMR_IRQCHIP_KERNEL};

static bool is_untouched(const struct vmr_hypervisor_handle *handle)
{
    return !handle->backend && handle->fd == untouched.fd && handle->irqchip == untouched.irqchip &&
           !handle->own_hyperv;
}

/* --- by name --- */

/* `spec` opens, or is refused with `status` in words that name `part`. */
static void check_named(struct conf *conf, const struct vmr_backend_set *set, const char *spec, enum vmr_status status,
                        const char *part)
{
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err = {.message = ""};
    enum vmr_status got = vmr_probe_named(set, spec, &handle, &err);

    CONF_CHECK(conf, got == status, "'%s': %s, expected %s (%s)", spec, vmr_status_name(got), vmr_status_name(status),
               err.message);
    if (got == VMR_OK) {
        vmr_handle_close(&handle);
        CONF_CHECK(conf, !handle.backend, "'%s': a closed handle keeps its backend", spec);
        return;
    }
    CONF_CHECK(conf, err.status == got && strstr(err.message, part), "'%s': '%s' is not named in: %s", spec, part,
               err.message);
    CONF_CHECK(conf, is_untouched(&handle), "'%s': the handle was touched", spec);
}

static void parameter_errors(struct conf *conf)
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    check_named(conf, &set, "nope", VMR_E_CONFIG, "nope");
    check_named(conf, &set, "Mock", VMR_E_CONFIG, "Mock");
    check_named(conf, &set, "kvm::x", VMR_E_CONFIG, "':x'");
    check_named(conf, &set, "mock:Seed=1", VMR_E_CONFIG, "Seed");
    check_named(conf, &set, "mock:seed=1,seed=1", VMR_E_CONFIG, "seed");
    check_named(conf, &set, "mock:seed= 1", VMR_E_CONFIG, "' 1'");
    check_named(conf, &set, "mock:seed=18446744073709551616", VMR_E_CONFIG, "18446744073709551616");
    check_named(conf, &set, "mock:profile=vax-like", VMR_E_CONFIG, "vax-like");
    check_named(conf, &set, "mock:profile=hvf-like,irqchip=kernel", VMR_E_CONFIG, "kernel");
    check_named(conf, &set, "mock:irqchip", VMR_E_CONFIG, "true");
    check_named(conf, &set, "mock:", VMR_OK, "");
    check_named(conf, &set, "mock:,seed=0x10,,profile=whp-like", VMR_OK, "");
}

/* Of backends that are not here: what is wrong with the parameters comes first. */
static void parameters_before_availability(struct conf *conf)
{
    struct vmr_backend_set set;
    struct vmr_error err;

    vmr_backend_set_init(&set);
    CONF_REQUIRE(conf, vmr_backend_set_add(&set, &absent, &err) == VMR_OK, "%s", err.message);
    check_named(conf, &set, "whp", VMR_E_UNAVAILABLE, "whp");
    check_named(conf, &set, "whp:user_mode_apic,offload_enlightenments=no", VMR_E_UNAVAILABLE, "whp");
    check_named(conf, &set, "whp:no_enlightenments=0", VMR_E_UNAVAILABLE, "whp");
    check_named(conf, &set, "whp:user_mode_apic=2", VMR_E_CONFIG, "user_mode_apic");
    check_named(conf, &set, "whp:no_enlightenments=True", VMR_E_CONFIG, "True");
    check_named(conf, &set, "whp:no_enlightenments,offload_enlightenments", VMR_E_CONFIG, "contradict");
    check_named(conf, &set, "whp:x", VMR_E_CONFIG, "'x'");
    check_named(conf, &set, "hvf", VMR_E_UNAVAILABLE, "hvf");
    check_named(conf, &set, "hvf:a,b", VMR_E_CONFIG, "'a'");
    check_named(conf, &set, "mshv:no_such_key=1", VMR_E_CONFIG, "no_such_key");
    check_named(conf, &set, "kvm:irqchip=none", VMR_E_CONFIG, "none");
    check_named(conf, &set, "kvm:signal=10", VMR_E_CONFIG, "10");
    check_named(conf, &set, "kvm:irqchip=user,user_mode_apic=false", VMR_E_CONFIG, "contradict");
    check_named(conf, &set, "absent:colour=red", VMR_E_CONFIG, "colour");
    check_named(conf, &set, "absent:size=1,size=2", VMR_E_CONFIG, "size");
    check_named(conf, &set, "absent:size=1", VMR_E_UNAVAILABLE, "absent");
}

static void three_statuses(struct conf *conf)
{
    struct vmr_backend_set set = {.count = 0};
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err;

    CONF_REQUIRE(conf,
                 vmr_backend_set_add(&set, &absent, &err) == VMR_OK &&
                     vmr_backend_set_add(&set, &broken, &err) == VMR_OK &&
                     vmr_backend_set_add(&set, &good, &err) == VMR_OK,
                 "%s", err.message);
    check_named(conf, &set, "absent", VMR_E_UNAVAILABLE, "not on this machine");
    check_named(conf, &set, "broken", VMR_E_HOST, "/dev/broken");
    check_named(conf, &set, "good:size=10", VMR_E_CONFIG, "'10'");
    check_named(conf, &set, "good:size=9", VMR_OK, "");
    CONF_CHECK(conf, vmr_probe_named(&set, "broken", &handle, &err) == VMR_E_HOST && err.host_errno == 13,
               "the errno is %d", err.host_errno);
}

/* --- the set --- */

static void built_in_order(struct conf *conf)
{
    static const char *const names[] = {"mshv", "kvm", "whp", "hvf", "mock"};
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    CONF_REQUIRE(conf, set.count == 5, "%zu backends", set.count);
    for (size_t i = 0; i < set.count; i++) {
        const struct vmr_backend *backend = set.backends[i];

        CONF_CHECK(conf, strcmp(backend->name, names[i]) == 0, "place %zu: '%s'", i, backend->name);
        CONF_CHECK(conf, vmr_backend_find(&set, names[i]) == backend, "'%s' is not found", names[i]);
    }
    CONF_CHECK(conf, !vmr_backend_find(&set, "kv") && !vmr_backend_find(&set, "kvm ") && !vmr_backend_find(&set, ""),
               "what is no name was found");
}

static void embedders_set(struct conf *conf)
{
    struct vmr_backend_set set;
    struct vmr_backend older = good, many[VMR_BACKEND_MAX];
    char names[VMR_BACKEND_MAX][8];
    struct vmr_error err = {.message = ""};

    vmr_backend_set_init(&set);
    older.abi = VMR_BACKEND_ABI + 1;
    CONF_CHECK(conf, vmr_backend_set_add(&set, &older, &err) == VMR_E_CONFIG && strstr(err.message, "version"),
               "another version was taken: %s", err.message);
    CONF_REQUIRE(conf, vmr_backend_set_add(&set, &good, &err) == VMR_OK && set.count == 6, "%s", err.message);
    CONF_CHECK(conf, vmr_backend_set_add(&set, &good, &err) == VMR_E_CONFIG && strstr(err.message, "'good'"),
               "a name was taken twice: %s", err.message);
    for (unsigned i = 0; set.count < VMR_BACKEND_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "m%u", i);
        many[i] = good;
        many[i].name = names[i];
        CONF_REQUIRE(conf, vmr_backend_set_add(&set, &many[i], &err) == VMR_OK, "%s", err.message);
    }
    CONF_CHECK(conf, vmr_backend_set_add(&set, &hidden, &err) == VMR_E_USAGE && strstr(err.message, "'hidden'"),
               "a full set took one: %s", err.message);
    CONF_CHECK(conf, set.count == VMR_BACKEND_MAX && vmr_backend_find(&set, "m0") && !vmr_backend_find(&set, "hidden"),
               "the set holds %zu", set.count);
}

/* --- by asking --- */

static void auto_order(struct conf *conf)
{
    const struct vmr_backend_set set = {.count = 3, .backends = {&absent, &good, &broken}};
    const struct vmr_backend_set none = {.count = 2, .backends = {&absent, &absent}};
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vmr_probe_auto(&set, &handle, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, handle.backend == &good && handle.fd == -1 && handle.irqchip == VMR_IRQCHIP_SPLIT,
               "not what 'good' made");
    vmr_handle_close(&handle);
    handle = untouched;
    CONF_CHECK(conf, vmr_probe_auto(&none, &handle, &err) == VMR_E_UNAVAILABLE && is_untouched(&handle),
               "something was found where nothing is");
    CONF_CHECK(conf, strstr(err.message, "no hypervisor is available") != NULL, "%s", err.message);
}

static void auto_ends_at_error(struct conf *conf)
{
    const struct vmr_backend_set set = {.count = 3, .backends = {&absent, &broken, &good}};
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_probe_auto(&set, &handle, &err) == VMR_E_HOST && is_untouched(&handle),
               "the search went on behind what is there and broken");
    CONF_CHECK(conf, strstr(err.message, "/dev/broken") && err.host_errno == 13, "%s", err.message);
}

static void auto_never_mock(struct conf *conf)
{
    const struct vmr_backend_set mock_only = {.count = 1, .backends = {vmr_mock_backend()}};
    const struct vmr_backend_set set = {.count = 3, .backends = {vmr_mock_backend(), &hidden, &good}};
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err;

    CONF_CHECK(conf, vmr_probe_auto(&mock_only, &handle, &err) == VMR_E_UNAVAILABLE && is_untouched(&handle),
               "the mock was chosen");
    CONF_CHECK(conf, vmr_probe_auto(&set, &handle, &err) == VMR_OK && handle.backend == &good,
               "one that asks to be named was chosen");
}

/* --- from a descriptor --- */

static bool fd_is_open(int fd)
{
    int copy = dup(fd);

    if (copy >= 0)
        (void)close(copy);
    return copy >= 0;
}

static void from_fd(struct conf *conf)
{
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle = untouched;
    struct vmr_error err = {.message = ""};
    int ends[2];

    vmr_backend_set_init(&set);
    CONF_REQUIRE(conf, vmr_backend_set_add(&set, &good, &err) == VMR_OK && pipe(ends) == 0, "no pipe");
    CONF_CHECK(conf, vmr_handle_from_fd(&set, "good", -1, &handle, &err) == VMR_E_USAGE && is_untouched(&handle),
               "descriptor -1 was taken");
    CONF_CHECK(conf, vmr_handle_from_fd(&set, "good:size=x", ends[0], &handle, &err) == VMR_E_CONFIG, "'x' was taken");
    CONF_CHECK(conf, vmr_handle_from_fd(&set, "mock", ends[0], &handle, &err) == VMR_E_CONFIG && is_untouched(&handle),
               "the mock took a descriptor");
    enum vmr_status status = vmr_handle_from_fd(&set, "kvm", ends[0], &handle, &err);

    CONF_CHECK(conf, (status == VMR_E_CONFIG || status == VMR_E_UNAVAILABLE) && is_untouched(&handle),
               "a pipe was taken for KVM: %s", vmr_status_name(status));
    CONF_REQUIRE(conf, vmr_handle_from_fd(&set, "good", ends[0], &handle, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, handle.fd == ends[0] && !handle.owns_fd, "descriptor %d became %d", ends[0], handle.fd);
    vmr_handle_close(&handle);
    CONF_CHECK(conf, fd_is_open(ends[0]), "the caller's descriptor was closed");
    vmr_handle_close(&handle);
    vmr_handle_close(NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A second handle from the first one's descriptor makes a VM, and leaves the first as it was. */
static void real_fd(struct conf *conf)
{
    CONF_PROGRAM(end, VMR_CHECKPOINT(1), VMR_END());
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle = {.fd = -1};
    struct vmr_error err = {.message = ""};
    struct conf second = *conf;
    char spec[64];

    vmr_backend_set_init(&set);
    if (conf->handle->fd < 0) {
        CONF_CHECK(conf, vmr_handle_from_fd(&set, conf->handle->backend->name, 0, &handle, &err) == VMR_E_CONFIG,
                   "'%s' opens no descriptor, and took one", conf->handle->backend->name);
        return;
    }
    (void)snprintf(spec, sizeof(spec), "%s", conf->handle->backend->name);
    CONF_REQUIRE(conf, vmr_handle_from_fd(&set, spec, conf->handle->fd, &handle, &err) == VMR_OK, "%s", err.message);
    second.handle = &handle;
    struct conf_vm *vm = conf_vm_create(&second, NULL);

    CONF_CHECK(conf, vm && conf_load(vm, 0, &end) && conf_bind(vm, 0) && conf_run_to_end(vm, 0),
               "no VM of a descriptor");
    conf_vm_destroy(vm);
    vmr_handle_close(&handle);
    CONF_CHECK(conf, fd_is_open(conf->handle->fd), "the descriptor was closed with the second handle");
    (void)conf_run_program(conf, NULL, &end);
}

static const struct conf_scenario scenarios[] = {
    {.name = "specs_are_taken_apart_by_the_grammar",
     .family = "probe",
     .ids = "S23",
     .clauses = "PROBE-1",
     .flags = CONF_NO_BACKEND,
     .run = spec_grammar},
    {.name = "malformed_specs_are_refused_naming_the_wrong_part",
     .family = "probe",
     .ids = "S23",
     .clauses = "PROBE-1 ERR-1 ERR-2 LIM-1",
     .flags = CONF_NO_BACKEND,
     .run = bad_specs},
    {.name = "unknown_names_keys_and_values_are_refused_by_name",
     .family = "probe",
     .ids = "S23",
     .clauses = "PROBE-2 ERR-1 ERR-2",
     .flags = CONF_NO_BACKEND,
     .run = parameter_errors},
    {.name = "parameters_are_judged_before_availability",
     .family = "probe",
     .ids = "S23",
     .clauses = "PROBE-2 PROBE-3",
     .flags = CONF_NO_BACKEND,
     .run = parameters_before_availability},
    {.name = "absent_broken_and_wrongly_asked_for_are_three_statuses",
     .family = "probe",
     .clauses = "PROBE-3 ERR-1 ERR-2",
     .flags = CONF_NO_BACKEND,
     .run = three_statuses},
    {.name = "the_built_in_backends_are_asked_in_their_order",
     .family = "probe",
     .clauses = "PROBE-4",
     .flags = CONF_NO_BACKEND,
     .run = built_in_order},
    {.name = "a_set_takes_an_embedders_backend_once",
     .family = "probe",
     .clauses = "PROBE-4 ERR-1 ERR-2 LIM-1",
     .flags = CONF_NO_BACKEND,
     .run = embedders_set},
    {.name = "detection_takes_the_first_that_is_there",
     .family = "probe",
     .clauses = "PROBE-4",
     .flags = CONF_NO_BACKEND,
     .run = auto_order},
    {.name = "detection_ends_at_one_that_is_there_and_broken",
     .family = "probe",
     .clauses = "PROBE-4 PROBE-3",
     .flags = CONF_NO_BACKEND,
     .run = auto_ends_at_error},
    {.name = "detection_never_chooses_the_mock",
     .family = "probe",
     .clauses = "PROBE-4",
     .flags = CONF_NO_BACKEND,
     .run = auto_never_mock},
    {.name = "a_callers_descriptor_stays_the_callers",
     .family = "probe",
     .clauses = "PROBE-5",
     .flags = CONF_NO_BACKEND,
     .run = from_fd},
    {.name = "a_handle_from_a_descriptor_makes_vms",
     .family = "probe",
     .clauses = "PROBE-5",
     .chip = CONF_CHIP_ANY,
     .needs = CONF_CAP(MULTI_VM),
     .run = real_fd},
};

CONF_FAMILY(probe, scenarios);
