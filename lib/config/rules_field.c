/* SPDX-License-Identifier: MIT */
/*
 * Rules: values by themselves.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_field[RULE_FIELD_COUNT] = {
    [RULE_FIELD_ENUM] =
        {
            "CFG-FIELD-ENUM",
            "A choice is one of those that there are.",
            "In C structs: a number of the enum, below its _COUNT. Source: vmrig/config.h.",
        },
    [RULE_FIELD_RANGE] =
        {
            "CFG-FIELD-RANGE",
            "A number is in the range of its field.",
            "The message has the limit; the comment of the field in vmrig/config says what it comes from. Source: "
            "vmrig/config.h.",
        },
    [RULE_FIELD_MULTIPLE] =
        {
            "CFG-FIELD-MULTIPLE",
            "A size is a multiple of its field's unit.",
            "The message has the unit. Round the size up. Source: vmrig/config.h.",
        },
    [RULE_FIELD_REQUIRED] =
        {
            "CFG-FIELD-REQUIRED",
            "What a part cannot be without is given.",
            "A port without a name cannot be wired, a drive without a disk has nothing in it. Give it, or leave "
            "out the part. Source: vmrig/config.h.",
        },
    [RULE_FIELD_TEXT_EMPTY] =
        {
            "CFG-FIELD-TEXT-EMPTY",
            "A name or path is not empty.",
            "An empty one names nothing. Leave the field out, if it is optional. Source: vmrig/config.h.",
        },
    [RULE_FIELD_TEXT_LONG] =
        {
            "CFG-FIELD-TEXT-LONG",
            "A name has at most 1023 bytes, a path or parameter 4095.",
            "What is longer fits neither messages nor hosts. Source: limits.h of Linux, PATH_MAX.",
        },
    [RULE_FIELD_TEXT_CONTROL] =
        {
            "CFG-FIELD-TEXT-CONTROL",
            "A text has no control characters.",
            "A line break or escape sequence in a name would look like something else in messages, logs and "
            "tables. Source: Unicode 15, 23.1.",
        },
    [RULE_FIELD_TEXT_UTF8] =
        {
            "CFG-FIELD-TEXT-UTF8",
            "A text is UTF-8.",
            "Files are UTF-8, so that another text could never be written to one. JSON cannot say it; C structs "
            "can. Source: RFC 3629.",
        },
    [RULE_FIELD_LIST_NULL] =
        {
            "CFG-FIELD-LIST-NULL",
            "A list with elements is somewhere.",
            "Its pointer is NULL and its count is not 0. JSON cannot say it; C structs can. Source: "
            "vmrig/config.h.",
        },
    [RULE_FIELD_LIST_MANY] =
        {
            "CFG-FIELD-LIST-MANY",
            "A list has at most as many elements as its limit says.",
            "4096, where no smaller one is stated; the message has the limit. What is beyond it is not looked at. "
            "Source: vmrig/limits.h.",
        },
    [RULE_FIELD_BLOB_EMPTY] =
        {
            "CFG-FIELD-BLOB-EMPTY",
            "Bytes that are given are some.",
            "A file of no bytes starts no machine. Leave it out, if it is optional. Source: vmrig/config.h.",
        },
    [RULE_FIELD_RESOURCE_NAMELESS] =
        {
            "CFG-FIELD-RESOURCE-NAMELESS",
            "A resource with parameters has an id.",
            "The id says what the parameters are for. Source: vmrig/config.h.",
        },
    [RULE_FIELD_RESOURCES_NESTED] =
        {
            "CFG-FIELD-RESOURCES-NESTED",
            "Resources stand in each other 8 deep at most, and in one at most 4096.",
            "A disk stands on a file, a layer on a disk; no more than a few are of use. In C structs, one that "
            "stands in itself has no end. Source: vmrig/limits.h.",
        },
    [RULE_FIELD_PARAMETER_NAME] =
        {
            "CFG-FIELD-PARAMETER-NAME",
            "A parameter has a name.",
            "Who makes the resource finds parameters by their names. Source: vmrig/config.h.",
        },
    [RULE_FIELD_PARAMETER_TWICE] =
        {
            "CFG-FIELD-PARAMETER-TWICE",
            "A resource has each parameter once.",
            "Of two values only one can be meant. Source: vmrig/config.h.",
        },
    [RULE_FIELD_PARAMETER_KIND] =
        {
            "CFG-FIELD-PARAMETER-KIND",
            "A parameter is a flag, a number, a text or a resource.",
            "In C structs: a number of enum vmr_parameter_kind, below its _COUNT. Source: vmrig/config.h.",
        },
    [RULE_FIELD_PARAMETER_VALUE] =
        {
            "CFG-FIELD-PARAMETER-VALUE",
            "A parameter has what its kind says.",
            "A text or a resource that is NULL, or a resource without an id, is no value. JSON cannot say it; C "
            "structs can. Source: vmrig/config.h.",
        },
};
