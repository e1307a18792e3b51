/* SPDX-License-Identifier: MIT */
/*
 * Rules of the JSON form.
 */

#include "lib/config/rules.h"

const struct vmr_config_rule rules_file[RULE_FILE_COUNT] = {
    [RULE_FILE_SYNTAX] =
        {
            "CFG-FILE-SYNTAX",
            "A configuration is one JSON document in UTF-8.",
            "The text cannot be taken apart, so nothing else can be said of it. Comments, trailing commas and numbers "
            "in "
            "other notations are no JSON; numbers beyond 63 bits are written as a text: \"0xffffffffffffffff\". "
            "Source: RFC 8259.",
        },
};
