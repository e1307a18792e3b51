/* SPDX-License-Identifier: MIT */
/*
 * Parameter values: three kinds, each with one way to be wrong. Nothing is
 * trimmed and case matters, as in the rest of the spec grammar. [PROBE-1]
 */

#include "lib/base/params.h"

#include <stdio.h>
#include <string.h>

const char *params_find(const struct vmr_params *params, const char *key)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].key, key) == 0)
            return params->items[i].value;
    }
    return NULL;
}

enum vmr_status params_get_bool(const struct vmr_params *params, const char *key, bool *ret_value,
                                struct vmr_error *err)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true}, {"1", true}, {"yes", true}, {"false", false}, {"0", false}, {"no", false}};
    const char *text = params_find(params, key);

    if (!text)
        return VMR_OK;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].text) == 0) {
            *ret_value = words[i].value;
            return VMR_OK;
        }
    }
    return vmr_error_set(err, VMR_E_CONFIG, "parameter %s: \"%s\" is not one of true, 1, yes, false, 0, no", key, text);
}

/* False for anything but digits, and for a number above 32 bits. */
static bool number_parse(const char *text, uint32_t *ret_value)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

enum vmr_status params_get_number(const struct vmr_params *params, const char *key, uint32_t minimum, uint32_t maximum,
                                  uint32_t *ret_value, struct vmr_error *err)
{
    const char *text = params_find(params, key);
    uint32_t value;

    if (!text)
        return VMR_OK;
    if (!number_parse(text, &value) || value < minimum || value > maximum)
        return vmr_error_set(err, VMR_E_CONFIG, "parameter %s: \"%s\" is not a number from %u to %u", key, text,
                             minimum, maximum);
    *ret_value = value;
    return VMR_OK;
}

enum vmr_status params_get_choice(const struct vmr_params *params, const char *key, const char *const *choices,
                                  unsigned *ret_index, struct vmr_error *err)
{
    const char *text = params_find(params, key);
    char list[96] = "";
    size_t used = 0;

    if (!text)
        return VMR_OK;
    for (unsigned i = 0; choices[i]; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *ret_index = i;
            return VMR_OK;
        }
        int written = snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", choices[i]);

        /* A list too long for the message is cut; the value is wrong all the same. */
        if (written > 0 && (size_t)written < sizeof(list) - used)
            used += (size_t)written;
    }
    return vmr_error_set(err, VMR_E_CONFIG, "parameter %s: \"%s\" is not one of %s", key, text, list);
}
