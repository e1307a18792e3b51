/* SPDX-License-Identifier: MIT */
/*
 * The grammar of a hypervisor spec, name[:key[=value],...]. Only form is
 * checked here; which keys there are is the backend's to say.
 */

#include <string.h>

#include "vmrig/probe.h"

/* Cuts one item off the list at `rest`, in place; NULL at the end. */
static char *next_item(char **rest)
{
    char *item = *rest;

    if (!item)
        return NULL;
    char *comma = strchr(item, ',');

    if (comma)
        *comma = '\0';
    *rest = comma ? comma + 1 : NULL;
    return item;
}

static enum vmr_status add_item(struct vmr_spec *spec, char *item, struct vmr_error *err)
{
    char *equals = strchr(item, '=');

    if (equals == item)
        return vmr_error_set(err, VMR_E_CONFIG, "hypervisor '%s': empty parameter key in '%s'", spec->name, item);
    if (spec->params.count >= VMR_SPEC_PARAM_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "hypervisor '%s': more than %u parameters", spec->name,
                             VMR_SPEC_PARAM_MAX);
    if (equals)
        *equals = '\0';
    spec->params.items[spec->params.count++] = (struct vmr_param){
        .key = item,
        .value = equals ? equals + 1 : "true",
    };
    return VMR_OK;
}

static enum vmr_status take_apart(const char *text, struct vmr_spec *spec, struct vmr_error *err)
{
    size_t length = strnlen(text, VMR_SPEC_BYTES_MAX);

    if (length >= VMR_SPEC_BYTES_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "hypervisor spec: longer than %u bytes", VMR_SPEC_BYTES_MAX - 1);
    if (length == 0 || text[0] == ':')
        return vmr_error_set(err, VMR_E_CONFIG, "hypervisor spec '%s': empty hypervisor name", text);
    memcpy(spec->text, text, length + 1);
    spec->name = spec->text;
    char *colon = strchr(spec->text, ':');
    char *rest = colon ? colon + 1 : NULL;

    if (colon)
        *colon = '\0';
    for (char *item = next_item(&rest); item; item = next_item(&rest)) {
        if (item[0] == '\0')
            continue;
        enum vmr_status status = add_item(spec, item, err);

        if (status)
            return status;
    }
    return VMR_OK;
}

enum vmr_status vmr_spec_parse(const char *text, struct vmr_spec *ret_spec, struct vmr_error *err)
{
    memset(ret_spec, 0, sizeof(*ret_spec));
    enum vmr_status status = take_apart(text, ret_spec, err);

    if (status)
        memset(ret_spec, 0, sizeof(*ret_spec));
    return status;
}
