/* SPDX-License-Identifier: MIT */
/*
 * A set whose VPs a hypervisor runs. The test is the hypervisor: it calls the set
 * when and where it likes, and the set has to mean the same as with threads of
 * its own. [MGD-1] [MGD-2] [MGD-3] [MGD-5]
 */

#include "tests/run/set_fixture.h"
#include "tests/support/fake_backend_parts.h"

/* The fixture comes first: of a VM the backend knows the fake, with which that begins. */
struct hypervisor {
    struct set_fixture fixture;
    struct vmr_backend table;
    const struct vmr_managed_vps *vps; /* NULL: not begun */
    enum vmr_status begin_status, start_status;
    uint32_t starts, stops;
    _Atomic uint32_t asks[SET_VPS];
    _Atomic bool serves; /* its threads go on */
    struct vmr_thread *server;
};

static struct hypervisor *hypervisor_of(struct vmr_backend_vm *vm)
{
    return (struct hypervisor *)(void *)fake_vm_of(vm)->fake;
}

static enum vmr_status managed_begin(struct vmr_backend_vm *vm, const struct vmr_managed_vps *vps,
                                     struct vmr_error *err)
{
    struct hypervisor *hypervisor = hypervisor_of(vm);

    if (hypervisor->begin_status)
        return vmr_error_set(err, hypervisor->begin_status, "no threads");
    hypervisor->vps = vps;
    for (vmr_vp_index vp = 0; vp < SET_VPS; vp++)
        vps->vp_begin(vps->context, vp);
    return VMR_OK;
}

static void managed_end(struct vmr_backend_vm *vm)
{
    struct hypervisor *hypervisor = hypervisor_of(vm);

    for (vmr_vp_index vp = 0; vp < SET_VPS; vp++)
        hypervisor->vps->vp_end(hypervisor->vps->context, vp);
    hypervisor->vps = NULL;
}

static enum vmr_status managed_start(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    struct hypervisor *hypervisor = hypervisor_of(vm);

    (void)err;
    hypervisor->starts++;
    return hypervisor->start_status;
}

static void managed_stop(struct vmr_backend_vm *vm)
{
    hypervisor_of(vm)->stops++;
}

static void managed_ask(struct vmr_backend_vm *vm, vmr_vp_index vp)
{
    (void)atomic_fetch_add(&hypervisor_of(vm)->asks[vp], 1);
}

static const struct vmr_backend_managed managed = {
    .begin = managed_begin, .end = managed_end, .start = managed_start, .stop = managed_stop, .ask = managed_ask};

/* VP 0 ends at once, the others block. No set yet. */
static void hypervisor_init(struct hypervisor *hypervisor)
{
    static const struct fake_step shut_down[] = {STEP_OF(VMR_EXIT_SHUTDOWN)};

    memset(hypervisor, 0, sizeof(*hypervisor));
    set_fixture_prepare(&hypervisor->fixture);
    fake_script(&hypervisor->fixture.fake, 0, shut_down, COUNT(shut_down));
    hypervisor->table = *fake_backend();
    hypervisor->table.managed = &managed;
    hypervisor->fixture.rig.partition->backend = &hypervisor->table;
    hypervisor->fixture.rig.partition->caps.bits |= UINT64_C(1) << VMR_CAP_MANAGED;
}

static enum vmr_status create(struct hypervisor *hypervisor, struct vmr_vp_set **ret_set, struct vmr_error *err)
{
    return vmr_vp_set_create(hypervisor->fixture.rig.partition, &hypervisor->fixture.options, ret_set, err);
}

static void hypervisor_begin(struct hypervisor *hypervisor)
{
    hypervisor_init(hypervisor);
    assert_int_equal(create(hypervisor, &hypervisor->fixture.set, NULL), VMR_OK);
}

static bool run(const struct hypervisor *hypervisor, vmr_vp_index vp)
{
    return hypervisor->vps->vp_run(hypervisor->vps->context, vp);
}

static void serve(void *argument)
{
    struct hypervisor *hypervisor = argument;

    for (vmr_vp_index vp = 0; atomic_load(&hypervisor->serves); vp = (vp + 1) % SET_VPS)
        hypervisor->vps->vp_serve(hypervisor->vps->context, vp);
}

static void serve_from_now_on(struct hypervisor *hypervisor)
{
    const struct vmr_host *host = &hypervisor->fixture.host;

    atomic_store(&hypervisor->serves, true);
    assert_int_equal(host->ops->thread_start(host->context, "server", serve, hypervisor, &hypervisor->server), VMR_OK);
}

static void serve_no_more(struct hypervisor *hypervisor)
{
    const struct vmr_host *host = &hypervisor->fixture.host;

    atomic_store(&hypervisor->serves, false);
    host->ops->thread_join(host->context, hypervisor->server);
}

/* --- runs --- */

static void a_vp_runs_when_the_hypervisor_says_so_and_the_set_lets_it(void **state)
{
    struct hypervisor hypervisor;

    (void)state;
    hypervisor_begin(&hypervisor);
    assert_false(run(&hypervisor, 0)); /* nobody started it */
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_RUN), 0);
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_OK);
    assert_int_equal(hypervisor.starts, 1);
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_RUN), 0);
    assert_true(run(&hypervisor, 0));
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_RUN), 1);
    struct vmr_vp_set_halt halt = must_wait(&hypervisor.fixture);

    assert_int_equal(halt.vp, 0);
    assert_int_equal(halt.result.reason, VMR_HALT_TRIPLE_FAULT);
    for (vmr_vp_index vp = 0; vp < SET_VPS; vp++)
        assert_false(run(&hypervisor, vp)); /* one has halted */
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_RUN), 1);
    set_fixture_finish(&hypervisor.fixture);
    assert_null(hypervisor.vps);
}

static enum vmr_status try_to_run(void *argument, struct vmr_vp *vp)
{
    struct vmr_run_result result;
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_NONE};
    struct hypervisor *hypervisor = argument;

    assert_int_equal(vmr_vp_run(vp, NULL, &hypervisor->fixture.io, &result), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_vp_step(vp, &vp_exit), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_vp_step_complete(vp, &vp_exit), VMR_E_UNSUPPORTED);
    vmr_vp_unbind(vp);
    return VMR_OK;
}

static void a_stop_and_a_call_ask_for_the_vps_thread(void **state)
{
    struct hypervisor hypervisor;

    (void)state;
    hypervisor_begin(&hypervisor);
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_OK);
    assert_int_equal(hypervisor.asks[0] + hypervisor.asks[1] + hypervisor.asks[2], 0);
    serve_from_now_on(&hypervisor);
    assert_int_equal(vmr_vp_set_call(hypervisor.fixture.set, 1, try_to_run, &hypervisor), VMR_OK);
    assert_int_equal(hypervisor.asks[1], 1);
    assert_int_equal(hypervisor.asks[0] + hypervisor.asks[2], 0);
    assert_int_equal(vmr_vp_set_stop(hypervisor.fixture.set), VMR_OK);
    serve_no_more(&hypervisor);
    assert_int_equal(hypervisor.stops, 1);
    assert_true(hypervisor.asks[0] >= 1 && hypervisor.asks[1] >= 2 && hypervisor.asks[2] >= 1);
    assert_false(run(&hypervisor, 0));
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_RUN), 0);
    assert_int_equal(fake_count(&hypervisor.fixture.fake, FAKE_VP_UNBIND), 0);
    set_fixture_finish(&hypervisor.fixture);
}

static void a_reset_stops_the_hypervisor_too(void **state)
{
    struct hypervisor hypervisor;

    (void)state;
    hypervisor_begin(&hypervisor);
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_OK);
    assert_true(run(&hypervisor, 0));
    serve_from_now_on(&hypervisor);
    assert_int_equal(vmr_vp_set_reset(hypervisor.fixture.set, NULL), VMR_OK);
    serve_no_more(&hypervisor);
    assert_int_equal(hypervisor.stops, 1);
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_OK);
    assert_int_equal(hypervisor.starts, 2);
    set_fixture_finish(&hypervisor.fixture);
}

/* --- refused --- */

static void what_the_hypervisor_refuses_leaves_the_set_as_it_was(void **state)
{
    struct hypervisor hypervisor;
    struct vmr_error err = {.message = ""};
    struct vmr_vp_set_halt halt;

    (void)state;
    hypervisor_init(&hypervisor);
    hypervisor.begin_status = VMR_E_HOST;
    assert_int_equal(create(&hypervisor, &hypervisor.fixture.set, &err), VMR_E_HOST);
    assert_string_equal(err.message, "no threads");
    assert_null(hypervisor.fixture.set);
    hypervisor.begin_status = VMR_OK;
    assert_int_equal(create(&hypervisor, &hypervisor.fixture.set, &err), VMR_OK);
    hypervisor.start_status = VMR_E_HOST;
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_E_HOST);
    assert_int_equal(vmr_vp_set_wait(hypervisor.fixture.set, VMR_NEVER, &halt), VMR_E_STATE);
    assert_false(run(&hypervisor, 0));
    hypervisor.start_status = VMR_OK;
    assert_int_equal(vmr_vp_set_start(hypervisor.fixture.set), VMR_OK);
    assert_true(run(&hypervisor, 0));
    set_fixture_finish(&hypervisor.fixture);
}

static void bind_and_a_second_set_are_refused_by_name(void **state)
{
    struct hypervisor hypervisor;
    struct vmr_vp_set *second = NULL;
    struct vmr_vp *vp = NULL;
    struct vmr_error err = {.message = ""};

    (void)state;
    hypervisor_begin(&hypervisor);
    assert_int_equal(vmr_partition_bind(hypervisor.fixture.rig.partition, 1, &vp, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "VP 1"));
    assert_non_null(strstr(err.message, "managed"));
    assert_null(vp);
    assert_int_equal(create(&hypervisor, &second, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "another set"));
    assert_null(second);
    assert_non_null(hypervisor.vps); /* the first's */
    set_fixture_finish(&hypervisor.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vp_runs_when_the_hypervisor_says_so_and_the_set_lets_it),
        cmocka_unit_test(a_stop_and_a_call_ask_for_the_vps_thread),
        cmocka_unit_test(a_reset_stops_the_hypervisor_too),
        cmocka_unit_test(what_the_hypervisor_refuses_leaves_the_set_as_it_was),
        cmocka_unit_test(bind_and_a_second_set_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
