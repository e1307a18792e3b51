/* SPDX-License-Identifier: MIT */
/*
 * Real firmware on a real hypervisor: SeaBIOS boots until it has found nothing
 * to boot, wherever the interrupt controllers are, and what it left is gone after a reset. Skipped, with the reason,
 * where there is no KVM or no SeaBIOS.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/machine.h"
#include "vmrig/state_access.h"

#define FIRMWARE_FOLDER "/usr/share/seabios/"
#define END_OF_BOOT "No bootable device"
#define BOOT_TIME_MAX_NS UINT64_C(60000000000)

static struct vmr_machine *machine;
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;
static char line[256];
static size_t line_length;
static bool keyboard_found;

static void watch(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    (void)context;
    if (source != VMR_CONSOLE_DEBUG)
        return;
    (void)pthread_mutex_lock(&line_lock); /* the second VP prints, too */
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || line_length == sizeof(line) - 1)
            line_length = 0;
        else
            line[line_length++] = (char)bytes[i];
        line[line_length] = '\0';
        if (strcmp(line, "PS2 keyboard initialized") == 0)
            keyboard_found = true;
        if (strcmp(line, END_OF_BOOT) == 0)
            vmr_machine_request_stop(machine);
    }
    (void)pthread_mutex_unlock(&line_lock);
}

/* Returns 0 where there is no such firmware. */
static size_t read_firmware(const char *name, uint8_t *ret_bytes, size_t capacity)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s%s", FIRMWARE_FOLDER, name);
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(ret_bytes, 1, capacity, file) : 0;

    if (file)
        (void)fclose(file);
    else
        print_message("skipped: there is no %s\n", path);
    return length;
}

static bool open_kvm(const char *spec, struct vmr_hypervisor_handle *ret_handle)
{
    struct vmr_backend_set set;
    struct vmr_error err = {0};

    vmr_backend_set_init(&set);
    if (vmr_probe_named(&set, spec, ret_handle, &err) == VMR_OK)
        return true;
    print_message("skipped: %s\n", err.message);
    return false;
}

/* --- what a reset leaves of a boot --- */

#define VALUE_MAX 16384u

/* Prints every number that differs; gives how many do. */
static unsigned differences(const struct vmr_state_type *type, const void *left, const void *right)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        for (uint32_t element = 0; element < field->count && !field->moves; element++) {
            uint64_t a = vmr_state_get(field, left, element), b = vmr_state_get(field, right, element);

            if (a == b)
                continue;
            count++;
            print_message("  %s.%s[%u]: %#llx, at power-up %#llx\n", type->name, field->name, element,
                          (unsigned long long)a, (unsigned long long)b);
        }
    }
    return count;
}

struct comparison {
    unsigned states, differences;
};

/* On the VP's thread: each class of the VP against its value at power-up. */
static enum vmr_status compare_vp(void *context, struct vmr_vp *vp)
{
    struct comparison *comparison = context;
    struct vmr_state_id id = {0};
    uint8_t value[VALUE_MAX], expected[VALUE_MAX];

    for (; vmr_vp_state_find(vp, &id); id.instance++) {
        struct vmr_error err = {0};

        if (!vmr_vp_state_is_comparable(vp, &id))
            continue;
        if (vmr_vp_state_get(vp, &id, value, &err) != VMR_OK) {
            print_message("  %s\n", err.message);
            return err.status;
        }
        vmr_vp_state_at_reset(vp, &id, expected);
        comparison->states++;
        comparison->differences += differences(vmr_vp_class_type((enum vmr_vp_class)id.state_class), value, expected);
    }
    return VMR_OK;
}

static struct comparison compare_all(uint32_t vps)
{
    struct vmr_partition *partition = vmr_machine_partition(machine);
    struct comparison comparison = {0};
    struct vmr_state_id id = {0};
    uint8_t value[VALUE_MAX], expected[VALUE_MAX];

    for (; vmr_partition_state_find(partition, &id); id.instance++) {
        assert_int_equal(vmr_partition_state_get(partition, &id, value, NULL), VMR_OK);
        vmr_partition_state_at_reset(partition, &id, expected);
        comparison.states++;
        comparison.differences += differences(vmr_vm_class_type((enum vmr_vm_class)id.state_class), value, expected);
    }
    for (uint32_t vp = 0; vp < vps; vp++)
        assert_int_equal(vmr_vp_set_call(vmr_machine_vp_set(machine), vp, compare_vp, &comparison), VMR_OK);
    return comparison;
}

/* Each class of each VP and of the partition, number by number. */
static void check_reset(uint32_t vps)
{
    struct vmr_error err = {0};

    assert_int_equal(vmr_machine_stop(machine), VMR_OK);
    assert_true(compare_all(vps).differences > 20);
    if (vmr_vp_set_reset(vmr_machine_vp_set(machine), &err) != VMR_OK)
        fail_msg("%s", err.message);
    print_message("after the reset:\n");
    struct comparison comparison = compare_all(vps);

    print_message("%u states, %u differences\n", comparison.states, comparison.differences);
    assert_true(comparison.states > 10);
    assert_int_equal(comparison.differences, 0);
}

static void boot(const char *firmware, const char *spec, uint32_t vps)
{
    static uint8_t image[0x40000];
    struct vmr_hypervisor_handle handle;
    struct vmr_vp_set_halt halt;
    struct vmr_host host;
    size_t size = read_firmware(firmware, image, sizeof(image));

    if (size == 0 || !open_kvm(spec, &handle))
        skip();
    vmr_host_posix(&host, NULL);
    line_length = 0;
    keyboard_found = false;
    const struct vmr_machine_options options = {.handle = &handle,
                                                .host = &host,
                                                .memory_size = 0x4000000,
                                                .vps = vps,
                                                .firmware = image,
                                                .firmware_size = size,
                                                .rtc_epoch_s = 1700000000,
                                                .console = {.write = watch}};

    assert_int_equal(vmr_machine_create(&options, &machine, NULL), VMR_OK);
    assert_int_equal(vmr_machine_start(machine), VMR_OK);
    assert_int_equal(vmr_machine_wait(machine, host.ops->now_ns(host.context) + BOOT_TIME_MAX_NS, &halt), VMR_OK);
    print_message("%s on %s ended with %s, at \"%s\"\n", firmware, spec, vmr_halt_reason_name(halt.result.reason),
                  line);
    assert_int_equal(halt.result.reason, VMR_HALT_STOP);
    assert_string_equal(line, END_OF_BOOT);
    check_reset(vps);
    vmr_machine_destroy(machine);
    vmr_handle_close(&handle);
}

static void seabios_without_interrupts_boots(void **state)
{
    (void)state;
    boot("bios-microvm.bin", "kvm", 1);
}

static void seabios_with_interrupts_and_two_vps_boots(void **state)
{
    (void)state;
    boot("bios.bin", "kvm", 2);
    assert_true(keyboard_found);
}

static void seabios_boots_with_controllers_in_the_hypervisor(void **state)
{
    (void)state;
    boot("bios.bin", "kvm:irqchip=kernel", 1);
    assert_true(keyboard_found);
}

static void seabios_boots_with_split_controllers(void **state)
{
    (void)state;
    boot("bios.bin", "kvm:irqchip=split", 1);
    assert_true(keyboard_found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seabios_without_interrupts_boots),
        cmocka_unit_test(seabios_with_interrupts_and_two_vps_boots),
        cmocka_unit_test(seabios_boots_with_controllers_in_the_hypervisor),
        cmocka_unit_test(seabios_boots_with_split_controllers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
