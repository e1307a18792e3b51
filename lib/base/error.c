/* SPDX-License-Identifier: MIT */
/*
 * Statuses by name, and the one way to fill a struct vmr_error. Reporting never
 * fails: no allocation, a message that is too long is cut. [ERR-1]
 */

#include "vmrig/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[VMR_STATUS_COUNT] = {
    [VMR_OK] = "ok",
    [VMR_E_USAGE] = "usage",
    [VMR_E_STATE] = "state",
    [VMR_E_CONFIG] = "config",
    [VMR_E_UNSUPPORTED] = "unsupported",
    [VMR_E_UNAVAILABLE] = "unavailable",
    [VMR_E_NOMEM] = "out-of-memory",
    [VMR_E_HOST] = "host",
    [VMR_E_GUEST] = "guest",
    [VMR_E_CORRUPT] = "corrupt",
    [VMR_E_DIVERGED] = "diverged",
    [VMR_E_DEADLOCK] = "deadlock",
};

const char *vmr_status_name(enum vmr_status status)
{
    if ((unsigned)status >= VMR_STATUS_COUNT)
        return "unknown status";
    return status_names[status];
}

const char *vmr_version(void)
{
#define TEXT(x) #x
#define JOIN(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)
    return JOIN(VMR_VERSION_MAJOR, VMR_VERSION_MINOR, VMR_VERSION_PATCH);
}

/* Formatted aside: the arguments may well be the old message, which the new one wraps. */
static int VMR_PRINTF(2, 0) format_message(struct vmr_error *err, const char *format, va_list arguments)
{
    char message[VMR_ERROR_MESSAGE_MAX];
    int used = vsnprintf(message, sizeof(message), format, arguments);

    if (used < 0)
        message[0] = '\0';
    memcpy(err->message, message, strlen(message) + 1);
    return used;
}

enum vmr_status vmr_error_set(struct vmr_error *err, enum vmr_status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list arguments;

    va_start(arguments, format);
    (void)format_message(err, format, arguments);
    va_end(arguments);
    err->status = status;
    err->host_errno = 0;
    return status;
}

enum vmr_status vmr_error_set_host(struct vmr_error *err, int host_errno, const char *format, ...)
{
    if (!err)
        return VMR_E_HOST;
    va_list arguments;

    va_start(arguments, format);
    int used = format_message(err, format, arguments);

    va_end(arguments);
    err->status = VMR_E_HOST;
    err->host_errno = host_errno;
    if (used < 0 || (size_t)used >= sizeof(err->message))
        return VMR_E_HOST;
    char reason[64];

    /* The XSI form: strerror keeps its text in static storage, which two threads may not share. */
    if (strerror_r(host_errno, reason, sizeof(reason)) != 0)
        (void)snprintf(reason, sizeof(reason), "errno %d", host_errno);
    (void)snprintf(err->message + used, sizeof(err->message) - (size_t)used, ": %s", reason);
    return VMR_E_HOST;
}
