/* SPDX-License-Identifier: MIT */
/*
 * The shared part of the tests on the real /dev/kvm.
 */

#include "tests/backends/kvm/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "backends/kvm/kvm_host.h"

void fixture_start(struct fixture *fixture, const struct machine_options *options)
{
    struct vmr_error err = {0};

    fixture->backend = vmr_kvm_backend();
    if (machine_init(&fixture->machine, options, &err) == VMR_OK)
        return;
    bool opened = fixture->machine.handle.backend != NULL;

    print_message("%s\n", err.message);
    if (opened)
        fail();
    machine_finish(&fixture->machine);
    skip();
}

void fixture_finish(struct fixture *fixture)
{
    int fd = fixture->machine.handle.fd;

    machine_finish(&fixture->machine);
    kvm_host_close(fd);
}

void fixture_load_handler(struct fixture *fixture, uint8_t vector)
{
    static const unsigned char handler[] = {0xe6, 0x40, 0xcf};
    unsigned char *entry = fixture->machine.memory + vector * 4u;

    memcpy(fixture->machine.memory + HANDLER_GPA, handler, sizeof(handler));
    entry[0] = HANDLER_GPA & 0xff;
    entry[1] = HANDLER_GPA >> 8;
}
