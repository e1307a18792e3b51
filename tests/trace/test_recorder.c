/* SPDX-License-Identifier: MIT */
/*
 * What is recorded, what is refused, and what goes wrong while recording.
 * Covers recorder_backend.c, recorder_host.c and recorder_memory.c, which only
 * work together.
 */

#include "tests/trace/guest.h"

static void wrap_refuses(const struct vmr_hypervisor_handle *handle, const char *named)
{
    struct vmr_recorder_options options = {.codec = VMR_TRACE_CODEC_NONE};
    struct vmr_recorder *recorder;
    struct vmr_hypervisor_handle wrapped;
    struct vmr_host host, wrapped_host;
    struct vmr_error err = {0};
    struct writer trace;

    vmr_host_posix(&host, NULL);
    bytes_sink(&trace, &options.sink);
    CHECK_OK(vmr_recorder_create(&options, &recorder, NULL));
    CHECK_STATUS(vmr_recorder_wrap(recorder, handle, &host, &wrapped, &wrapped_host, &err), VMR_E_UNSUPPORTED);
    if (!strstr(err.message, named))
        fail_msg("%s", err.message);
    vmr_recorder_destroy(recorder);
    writer_finish(&trace);
}

static enum vmr_status caps_without_recordable(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                               struct vmr_error *err)
{
    (void)handle;
    (void)err;
    *ret_caps = (struct vmr_caps){.vp_count_max = 1, .physical_bits = 40};
    return VMR_OK;
}

static void what_cannot_be_observed_is_refused_by_name(void **state)
{
    struct vmr_hypervisor_handle handle;
    struct vmr_backend other = *vmr_mock_backend();

    (void)state;
    open_mock("mock:profile=kvm-like,irqchip=split", &handle);
    wrap_refuses(&handle, "irqchip=split");
    vmr_handle_close(&handle);
    open_mock("mock:profile=kvm-like,irqchip=kernel", &handle);
    wrap_refuses(&handle, "irqchip=kernel");
    vmr_handle_close(&handle);
    open_mock("mock:managed=true", &handle);
    wrap_refuses(&handle, "managed");
    vmr_handle_close(&handle);
    open_mock("mock", &handle);
    other.caps = caps_without_recordable;
    struct vmr_hypervisor_handle unseen = handle;

    unseen.backend = &other;
    wrap_refuses(&unseen, "recordable");
    vmr_handle_close(&handle);
}

static void features_that_pass_it_by_are_not_offered(void **state)
{
    struct recording recording;
    struct vmr_error err = {0};
    const struct vmr_doorbell doorbell = {.address = 0x10};

    (void)state;
    record_begin(&recording, NULL, "mock:profile=kvm-like", 1, false);
    const struct vmr_caps *caps = vmr_partition_caps(recording.guest.partition);

    assert_false(vmr_caps_have(caps, VMR_CAP_IRQFD));
    assert_false(vmr_caps_have(caps, VMR_CAP_DOORBELL));
    assert_false(vmr_caps_have(caps, VMR_CAP_MSI));
    assert_false(vmr_caps_have(caps, VMR_CAP_DIRTY_LOG));
    CHECK_STATUS(vmr_memory_dirty_start(recording.guest.memory, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "recording"));
    assert_true(vmr_caps_have(caps, VMR_CAP_EXCEPTION));
    assert_true(vmr_caps_have(caps, VMR_CAP_XMM));
    assert_true(vmr_caps_have(caps, VMR_CAP_FLUSH));
    check_events(&recording.host); /* the host's own pass through */
    CHECK_STATUS(vmr_partition_irqfd(recording.guest.partition, 0, 1, true, &err), VMR_E_UNSUPPORTED);
    CHECK_STATUS(vmr_partition_doorbell(recording.guest.partition, VMR_BUS_PORTS, &doorbell, 0, true, &err),
                 VMR_E_UNSUPPORTED);
    record_end(&recording);
    writer_finish(&recording.trace);
}

static void one_recorder_wraps_once_and_records_one_partition(void **state)
{
    struct recording recording;
    struct vmr_hypervisor_handle handle;
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_proto *proto;
    struct vmr_partition *partition;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    CHECK_STATUS(vmr_recorder_wrap(recording.recorder, &recording.inner, &recording.inner_host, &handle, &host, NULL),
                 VMR_E_STATE);
    const struct vmr_proto_options options = {.host = &recording.host};

    CHECK_OK(vmr_memory_create(&recording.host, &memory, NULL));
    CHECK_OK(vmr_proto_create(&recording.handle, &options, &proto, NULL));
    CHECK_STATUS(vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = memory}, &partition, NULL),
                 VMR_E_STATE);
    vmr_proto_destroy(proto);
    vmr_memory_destroy(memory);
    record_end(&recording);
    writer_finish(&recording.trace);
}

/* Records the program, and gives the text. */
static void record_text(struct writer *ret_text)
{
    struct recording recording;
    struct vmr_run_result result;
    struct vmr_x86_regs regs;

    record_begin(&recording, NULL, "mock", 1, false);
    record_load(&recording, 0, &guest_program);
    struct vmr_vp *vp = guest_bind(&recording.guest, 0);

    CHECK_OK(vmr_vp_get_regs(vp, &regs));
    CHECK_OK(vmr_vp_set_regs(vp, &regs));
    CHECK_OK(vmr_vp_run(vp, NULL, &recording.guest.io, &result));
    assert_int_equal(result.reason, VMR_HALT_POWER_OFF);
    record_end(&recording);
    print_trace(&recording.trace, ret_text);
    writer_u8(ret_text, 0);
    writer_finish(&recording.trace);
}

static void inputs_and_reactions_are_both_there(void **state)
{
    static const char *const lines[] = {
        "0 vm hypervisor caps=",
        "1 vm cpuid-default bytes=",
        "2 vm ~ vm vps=1 irqchip=user ",
        " vm ~ map gpa=0 size=0x200000 ro=0\n",
        " vp0 regs ",
        " vp0 ~ set-regs\n",
        " vp0 enter\n",
        " vp0 exit io read port=0x100 size=1",
        " vp0 ~ answer value=0x5\n",
        " vp0 time ns=",
        " vp0 read gpa=0x100000 bytes=88776655443322110000000000000000\n",
        " vp0 ~ write gpa=0x100100 bytes=64000000\n",
        " vp0 ~ write-hash gpa=0x101000 length=4096 hash=",
        " vp0 fetch-or gpa=0x100200 width=4 mask=0x264 old=0\n",
        " vp0 ~ output stream=9 bytes=64000000",
        " vp0 exit msr read index=0x277",
        " vp0 ~ answer-msr value=0xfffffffffffffffa fault=0\n",
        " vp0 ~ answer-msr value=0 fault=1\n",
        " vp0 exit mmio read gpa=0xd0000000 size=4",
        " vp0 ~ halt\nend\n",
    };
    struct writer text;

    (void)state;
    record_text(&text);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr((const char *)text.bytes, lines[i]))
            fail_msg("no \"%s\" in\n%s", lines[i], (const char *)text.bytes);
    }
    writer_finish(&text);
}

/* A device that says so, and then still works for the request. */
static size_t receive(void *context, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct guest *guest = context;
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = 0x41};
    enum vmr_status status = vmr_partition_msi(guest->partition, &msi);

    assert_int_equal(stream, STREAM);
    assert_true(status == VMR_OK || status == VMR_E_GUEST);
    CHECK_OK(vmr_memory_write(guest->memory, VMR_PROGRAM_DATA + 0x800, bytes, length));
    return length;
}

static void run_with_input(struct guest *guest, struct vmr_stop_source *stop)
{
    const struct vmr_input_sink sink = {.receive = receive, .context = guest};
    struct vmr_run_result result;

    vmr_partition_set_input(guest->partition, &sink);
    (void)guest_bind(guest, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vmr_partition_input(guest->partition, STREAM, (const uint8_t *)"abc", 3), 3);
    CHECK_OK(vmr_vp_run(guest->vps[0], stop, &guest->io, &result));
}

/* In the recording, and when the embedder's thread makes the request again in a replay. */
static void what_a_request_causes_belongs_to_it(void **state)
{
    struct recording recording;
    struct replaying replaying;
    struct vmr_replay_result result;
    struct writer text;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, true);
    record_load(&recording, 0, &guest_program);
    run_with_input(&recording.guest, NULL);
    record_end(&recording);
    print_trace(&recording.trace, &text);
    writer_u8(&text, 0);
    const char *at = (const char *)text.bytes;

    for (unsigned i = 0; i < 3; i++) {
        at = strstr(at, " vm input stream=9 bytes=616263\n");
        assert_non_null(at);
        at = strchr(at, '\n');
        assert_non_null(strstr(at, " vm ~ write gpa=0x100800 bytes=616263\n"));
    }
    assert_null(strstr((const char *)text.bytes, " async "));
    replay_begin(&replaying, &recording.trace, NULL, 1, true, true);
    run_with_input(&replaying.guest, replaying.stop);
    replay_end(&replaying, &result);
    if (result.status || !result.ended)
        fail_msg("after %llu records: %s", (unsigned long long)result.records, result.error.message);
    assert_int_equal(replaying.trace.length, recording.trace.length);
    assert_memory_equal(replaying.trace.bytes, recording.trace.bytes, recording.trace.length);
    writer_finish(&replaying.trace);
    writer_finish(&text);
    writer_finish(&recording.trace);
}

static void times_are_rounded_up_to_the_step(void **state)
{
    struct recording recording;
    struct vmr_scheduler *scheduler;

    (void)state;
    CHECK_OK(vmr_scheduler_create(&(struct vmr_scheduler_options){0}, &scheduler, NULL));
    record_begin(&recording, scheduler, "mock", 1, false);
    const struct vmr_host *host = &recording.host;

    assert_int_equal(host->ops->now_ns(host->context), 0);
    vmr_scheduler_advance(scheduler, 1);
    assert_int_equal(host->ops->now_ns(host->context), 1000);
    vmr_scheduler_advance(scheduler, 999);
    assert_int_equal(host->ops->now_ns(host->context), 1000);
    vmr_scheduler_advance(scheduler, 1);
    assert_int_equal(host->ops->now_ns(host->context), 2000);
    record_end(&recording);
    vmr_scheduler_destroy(scheduler);
    writer_finish(&recording.trace);
}

static size_t records_so_far(const struct writer *trace)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, trace->bytes, trace->length);
    struct vmr_trace_info info;
    struct vmr_trace_sink sink;
    struct writer text;

    bytes_sink(&text, &sink);
    CHECK_OK(vmr_trace_describe(&source, &sink, &info, NULL));
    writer_finish(&text);
    return info.records;
}

static void what_the_embedder_does_by_itself_is_not_recorded(void **state)
{
    struct recording recording;
    uint8_t byte = 1;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    (void)guest_bind(&recording.guest, 0);
    CHECK_OK(vmr_memory_write(recording.guest.memory, 0x5000, &byte, 1));
    CHECK_OK(vmr_memory_read(recording.guest.memory, 0x5000, &byte, 1));
    (void)recording.host.ops->now_ns(recording.host.context);
    record_end(&recording);
    /* hypervisor, CPUID, vm, map */
    assert_int_equal(records_so_far(&recording.trace), 4);
    writer_finish(&recording.trace);
}

struct full_disk {
    size_t left;
};

static enum vmr_status full_write(void *context, const void *bytes, size_t length)
{
    struct full_disk *disk = context;

    (void)bytes;
    if (length > disk->left)
        return VMR_E_HOST;
    disk->left -= length;
    return VMR_OK;
}

static void a_full_disk_is_reported_and_the_guest_goes_on(void **state)
{
    struct full_disk disk = {.left = 2000};
    struct vmr_recorder_options options = {.sink = {full_write, &disk}, .codec = VMR_TRACE_CODEC_NONE};
    struct vmr_recorder *recorder;
    struct vmr_hypervisor_handle inner, handle;
    struct vmr_host inner_host, host;
    struct guest guest;
    struct vmr_run_result result;
    struct vmr_error err = {0};

    (void)state;
    open_mock("mock", &inner);
    vmr_host_posix(&inner_host, NULL);
    CHECK_OK(vmr_recorder_create(&options, &recorder, NULL));
    CHECK_OK(vmr_recorder_wrap(recorder, &inner, &inner_host, &handle, &host, NULL));
    guest_init(&guest, &handle, &host, 1, false);
    CHECK_OK(vmr_mock_load_program(vmr_recorder_native(recorder, vmr_mock_backend()), 0, &guest_program, NULL));
    (void)guest_bind(&guest, 0);
    disk.left = 0;
    CHECK_OK(vmr_vp_run(guest.vps[0], NULL, &guest.io, &result));
    assert_int_equal(result.reason, VMR_HALT_POWER_OFF);
    CHECK_STATUS(vmr_recorder_finish(recorder, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "writing failed"));
    CHECK_STATUS(vmr_recorder_finish(recorder, &err), VMR_E_STATE);
    guest_finish(&guest);
    vmr_recorder_destroy(recorder);
    vmr_handle_close(&inner);
}

static void failures_of_the_hypervisor_are_recorded(void **state)
{
    struct recording recording;
    struct writer text;
    uint64_t value;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    struct vmr_vp *vp = guest_bind(&recording.guest, 0);

    CHECK_STATUS(vmr_vp_get_msr(vp, 0xdeadbeef, &value), VMR_E_GUEST);
    CHECK_STATUS(vmr_vp_set_msr(vp, 0xdeadbeef, 1), VMR_E_GUEST);
    record_end(&recording);
    print_trace(&recording.trace, &text);
    writer_u8(&text, 0);
    assert_non_null(strstr((const char *)text.bytes,
                           "4 vp0 status op=get-msr status=guest\n5 vp0 ~ set-msr index=0xdeadbeef value=0x1\n"
                           "6 vp0 status op=set-msr status=guest\n"));
    writer_finish(&text);
    writer_finish(&recording.trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_observed_is_refused_by_name),
        cmocka_unit_test(features_that_pass_it_by_are_not_offered),
        cmocka_unit_test(one_recorder_wraps_once_and_records_one_partition),
        cmocka_unit_test(inputs_and_reactions_are_both_there),
        cmocka_unit_test(what_a_request_causes_belongs_to_it),
        cmocka_unit_test(times_are_rounded_up_to_the_step),
        cmocka_unit_test(what_the_embedder_does_by_itself_is_not_recorded),
        cmocka_unit_test(a_full_disk_is_reported_and_the_guest_goes_on),
        cmocka_unit_test(failures_of_the_hypervisor_are_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
