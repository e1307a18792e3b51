/* SPDX-License-Identifier: MIT */
/*
 * Rules of the JSON form.
 */

#include "lib/config/rules.h"

const struct vmr_config_rule rules_file[RULE_FILE_COUNT] = {
    [RULE_FILE_SYNTAX] =
        {
            "CFG-FILE-SYNTAX",
            "A configuration is one JSON document.",
            "The text cannot be taken apart, so nothing else can be said of it. Comments, trailing commas and numbers "
            "in other notations are no JSON. Source: RFC 8259.",
        },
    [RULE_FILE_ENCODING] =
        {
            "CFG-FILE-ENCODING",
            "A configuration is in UTF-8.",
            "JSON that is passed between programs is in UTF-8, without surrogates and overlong forms. Save the file as "
            "UTF-8. Source: RFC 8259, 8.1; RFC 3629.",
        },
    [RULE_FILE_SIZE] =
        {
            "CFG-FILE-SIZE",
            "A configuration has at most 4 MiB.",
            "A machine at all limits takes a quarter of that. Such a file is something else, or holds what belongs "
            "into files of its own. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_DEPTH] =
        {
            "CFG-FILE-DEPTH",
            "Arrays and objects are nested at most 32 deep.",
            "No field lies that deep; resources that stand on others may, and 32 of them are no stack that anybody "
            "wants. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_VALUES] =
        {
            "CFG-FILE-VALUES",
            "A configuration has at most 262,144 values.",
            "A machine at all limits has fewer. The limit bounds the memory that a file can ask for. Source: "
            "vmrig/config_file.h.",
        },
    [RULE_FILE_KEY_UNKNOWN] =
        {
            "CFG-FILE-KEY-UNKNOWN",
            "Each key is a field of the object that it stands in.",
            "A mistyped key that was passed over would be a setting that silently does not hold. The schema lists all "
            "keys: vmrig config schema. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_KEY_TWICE] =
        {
            "CFG-FILE-KEY-TWICE",
            "Each key comes once in its object.",
            "Programs disagree about which of two equal keys counts, so neither can be meant. Remove one. Source: RFC "
            "8259, 4.",
        },
    [RULE_FILE_TYPE] =
        {
            "CFG-FILE-TYPE",
            "Each value is of its field's type.",
            "A field takes one type of value, and nothing is converted: true is no number, and null stands for "
            "nothing. What is not wanted is left out. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_INTEGER] =
        {
            "CFG-FILE-INTEGER",
            "Numbers are integers.",
            "All numbers of a configuration count something. 1.0 and 1e3 are reals in JSON, whatever their value. "
            "Source: vmrig/config_file.h.",
        },
    [RULE_FILE_NUMBER_FIT] =
        {
            "CFG-FILE-NUMBER-FIT",
            "A number fits its field.",
            "Fields have 8, 16, 32 or 64 bits and, but for one, no sign; what does not fit would become another "
            "number. Source: the field's type in vmrig/config.h.",
        },
    [RULE_FILE_NUMBER_TEXT] =
        {
            "CFG-FILE-NUMBER-TEXT",
            "A number that is written as a text is hexadecimal, or a size with a unit.",
            "\"0x1f\" is a number everywhere. Sizes also take K, M, G, T and KiB, MiB, GiB, TiB: powers of 1024. "
            "Decimal numbers need no quotes; KB is 1000 to some and 1024 to others, and so no unit. Source: "
            "vmrig/config_file.h.",
        },
    [RULE_FILE_NAME_UNKNOWN] =
        {
            "CFG-FILE-NAME-UNKNOWN",
            "A name is one of its field's.",
            "What is one of several kinds is named in lower case, as the schema lists it: vmrig config schema. Source: "
            "vmrig/config_file.h.",
        },
    [RULE_FILE_CHOICE] =
        {
            "CFG-FILE-CHOICE",
            "What is one of several kinds is a name, or an object with that name as its one key.",
            "\"empty\" has nothing to say beyond its name; {\"explicit\": [0, 1]} has. A kind either has a value or "
            "has none. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_ITEMS] =
        {
            "CFG-FILE-ITEMS",
            "An array has no more items than its field has room for.",
            "The field lists things of which there are only so many. Source: the field in vmrig/config.h.",
        },
    [RULE_FILE_TEXT_NUL] =
        {
            "CFG-FILE-TEXT-NUL",
            "A text has no zero byte in it.",
            "Texts become C strings, names of files, command lines: all of them end at the first zero byte, and so "
            "would be another text. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_GUID] =
        {
            "CFG-FILE-GUID",
            "A GUID is 32 hexadecimal digits, in groups of 8, 4, 4, 4 and 12.",
            "\"00112233-4455-6677-8899-aabbccddeeff\": dashes between the groups, no braces. Source: RFC 9562, 4.",
        },
    [RULE_FILE_MAC] =
        {
            "CFG-FILE-MAC",
            "A MAC address is six pairs of hexadecimal digits between colons.",
            "\"52:54:00:12:34:56\": two digits for each byte, colons and no dashes. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_RANGE] =
        {
            "CFG-FILE-RANGE",
            "A range of addresses is its first and its last byte.",
            "\"0xe0000000-0xefffffff\": hexadecimal, the last not below the first, and not the very last of 64 bits, "
            "behind which there is no address. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_BYTES] =
        {
            "CFG-FILE-BYTES",
            "Bytes are pairs of hexadecimal digits.",
            "\"0102ff\" is three bytes: no spaces, no 0x. Source: vmrig/config_file.h.",
        },
    [RULE_FILE_RESOURCE] =
        {
            "CFG-FILE-RESOURCE",
            "A resource has an id.",
            "A resource is looked up by its id among those that devices and embedders have registered; without one "
            "there is nothing to look for. Source: vmrig/config/values.h.",
        },
};
