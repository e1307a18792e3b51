/* SPDX-License-Identifier: MIT */
/*
 * Limits, then jansson, then a scanner that keeps places. The scanner trusts
 * jansson with the grammar, but with no bound: it stops at the end of the text.
 */

#include "lib/config/json_document.h"

#include <jansson.h>
#include <string.h>

#include "lib/config/rules.h"
#include "vmrig/config_file.h"

/* JSON_DECODE_INT_AS_REAL: so that integers of any size pass, and the scanner's reader can say what is wrong with one.
 */
#define JANSSON_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL)

/* --- places --- */

struct position {
    const char *at; /* up to here, lines and columns are counted */
    struct doc_place place;
};

static struct doc_place move_to(struct position *position, const char *at)
{
    for (; position->at < at; position->at++) {
        if (*position->at == '\n') {
            position->place.line++;
            position->place.column = 1;
        } else if (((unsigned char)*position->at & 0xc0) != 0x80) { /* not in the middle of a character */
            position->place.column++;
        }
    }
    return position->place;
}

static struct doc_place place_of(const char *text, const char *at)
{
    struct position position = {text, {1, 1}};

    return move_to(&position, at);
}

static enum vmr_status refuse(struct vmr_config_report *report, enum rule_file rule, struct doc_place place,
                              const char *message)
{
    report_add_at(report, &rules_file[rule], &(struct report_place){"", place.line, place.column}, "%s", message);
    return VMR_E_CONFIG;
}

/* --- limits --- */

/* The byte behind a string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && end - at > 1)
            at++;
    }
    return at < end ? at + 1 : end;
}

/* Looks at brackets, commas and zero bytes alone: whatever else is wrong, jansson finds. */
static enum vmr_status check_limits(const char *text, const char *end, struct vmr_config_report *report)
{
    const char *zero = memchr(text, '\0', (size_t)(end - text));
    uint32_t depth = 0, values = 1;

    if (zero)
        return refuse(report, RULE_FILE_SYNTAX, place_of(text, zero), "there is a zero byte");
    for (const char *at = text; at < end;) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '[' || *at == '{')
            depth++;
        else if ((*at == ']' || *at == '}') && depth > 0)
            depth--;
        if (*at == '[' || *at == '{' || *at == ',')
            values++;
        if (depth > VMR_CONFIG_FILE_DEPTH_MAX)
            return refuse(report, RULE_FILE_DEPTH, place_of(text, at), "arrays and objects are nested too deeply");
        if (values > VMR_CONFIG_FILE_VALUES_MAX)
            return refuse(report, RULE_FILE_VALUES, place_of(text, at), "there are too many values");
        at++;
    }
    return VMR_OK;
}

/* --- jansson's word --- */

/* Its position is behind the token that it names; people look for where that begins. */
static const char *error_place(const char *text, size_t length, const json_error_t *error)
{
    size_t position = error->position > 0 ? (size_t)error->position : 0;
    const char *near = strstr(error->text, " near '");

    if (position > length)
        position = length;
    if (near) {
        size_t token = strlen(near + 7);

        token = token > 0 ? token - 1 : 0; /* the quote behind it */
        if (token <= position && memcmp(text + position - token, near + 7, token) == 0)
            position -= token;
    }
    return text + position;
}

static enum vmr_status ask_jansson(const char *text, size_t length, struct vmr_config_report *report)
{
    json_error_t error;
    json_t *json = json_loadb(text, length, JANSSON_FLAGS, &error);

    if (json) {
        json_decref(json);
        return VMR_OK;
    }
    enum json_error_code code = json_error_code(&error);
    enum rule_file rule = code == json_error_invalid_utf8       ? RULE_FILE_ENCODING
                          : code == json_error_null_byte_in_key ? RULE_FILE_TEXT_NUL
                                                                : RULE_FILE_SYNTAX;

    if (code == json_error_out_of_memory)
        return VMR_E_NOMEM;
    return refuse(report, rule, place_of(text, error_place(text, length, &error)), error.text);
}

/* --- the scanner --- */

struct scan {
    const char *at, *end;
    struct position position;
    struct arena *arena;
    bool no_memory;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

static bool next_is(struct scan *scan, char c)
{
    skip_space(scan);
    if (scan->at >= scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static void decode(struct scan *scan, const char *token, size_t length, struct doc_value *value)
{
    json_t *json = json_loadb(token, length, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    char *copy = json ? arena_text(scan->arena, json_string_value(json), json_string_length(json)) : NULL;

    if (copy) {
        value->text = copy;
        value->length = json_string_length(json);
    } else {
        scan->no_memory = true;
    }
    json_decref(json);
}

static void scan_string(struct scan *scan, struct doc_value *value)
{
    const char *begin = scan->at;
    const char *end = skip_string(begin, scan->end);

    scan->at = end;
    value->kind = DOC_TEXT;
    value->text = begin + 1;
    value->length = (size_t)(end - begin) - 2;
    if (memchr(value->text, '\\', value->length))
        decode(scan, begin, (size_t)(end - begin), value);
}

static void scan_word(struct scan *scan, struct doc_value *value)
{
    static const char ends[] = ",]} \t\r\n";

    value->text = scan->at;
    while (scan->at < scan->end && !memchr(ends, *scan->at, sizeof(ends) - 1))
        scan->at++;
    value->length = (size_t)(scan->at - value->text);
    value->flag = value->text[0] == 't';
    value->kind = value->text[0] == 'n' ? DOC_NULL : value->flag || value->text[0] == 'f' ? DOC_BOOL : DOC_NUMBER;
}

static void scan_key(struct scan *scan, struct doc_value *value)
{
    struct doc_value key = {0};

    skip_space(scan);
    value->key_place = move_to(&scan->position, scan->at);
    scan_string(scan, &key);
    value->key = arena_text(scan->arena, key.text, key.length);
    value->key_length = key.length;
    scan->no_memory |= !value->key;
    (void)next_is(scan, ':');
}

static void scan_value(struct scan *scan, struct doc_value *value);

/* Recursion goes as deep as brackets do, which is limited. */
static void scan_items(struct scan *scan, struct doc_value *value)
{
    const bool has_keys = *scan->at++ == '{';
    const char close = has_keys ? '}' : ']';
    struct doc_value **link = &value->first;

    value->kind = has_keys ? DOC_OBJECT : DOC_ARRAY;
    while (!scan->no_memory && !next_is(scan, close)) {
        struct doc_value *item = arena_alloc(scan->arena, 1, sizeof(*item));

        if (!item) {
            scan->no_memory = true;
            return;
        }
        if (has_keys)
            scan_key(scan, item);
        scan_value(scan, item);
        *link = item;
        link = &item->next;
        value->count++;
        (void)next_is(scan, ',');
    }
}

static void scan_value(struct scan *scan, struct doc_value *value)
{
    skip_space(scan);
    value->place = move_to(&scan->position, scan->at);
    if (scan->at >= scan->end || scan->no_memory)
        return;
    if (*scan->at == '"')
        scan_string(scan, value);
    else if (*scan->at == '[' || *scan->at == '{')
        scan_items(scan, value);
    else
        scan_word(scan, value);
}

enum vmr_status doc_read(const char *text, size_t length, struct arena *arena, const struct doc_value **ret_root,
                         struct vmr_config_report *report)
{
    if (length > VMR_CONFIG_FILE_BYTES_MAX)
        return refuse(report, RULE_FILE_SIZE, (struct doc_place){1, 1}, "the file is too large");

    enum vmr_status status = check_limits(text, text + length, report);

    if (status == VMR_OK)
        status = ask_jansson(text, length, report);
    if (status != VMR_OK)
        return status;

    struct scan scan = {text, text + length, {text, {1, 1}}, arena, false};
    struct doc_value *root = arena_alloc(arena, 1, sizeof(*root));

    if (!root)
        return VMR_E_NOMEM;
    scan_value(&scan, root);
    if (scan.no_memory)
        return VMR_E_NOMEM;
    *ret_root = root;
    return VMR_OK;
}

/* --- finding --- */

/* The longest key that the path goes on with: keys of parameters may have dots in them. */
static const struct doc_value *find_key(const struct doc_value *object, const char **path)
{
    const struct doc_value *found = NULL;

    for (const struct doc_value *item = object->first; item; item = item->next) {
        if (strncmp(*path, item->key, item->key_length) != 0 || (found && found->key_length >= item->key_length))
            continue;
        if (strchr(".[", (*path)[item->key_length])) /* or the end */
            found = item;
    }
    if (found)
        *path += found->key_length;
    return found;
}

static const struct doc_value *find_index(const struct doc_value *array, const char **path)
{
    const struct doc_value *item = array->first;
    size_t index = 0;

    for (; **path >= '0' && **path <= '9'; (*path)++)
        index = index < VMR_CONFIG_FILE_BYTES_MAX ? index * 10 + (size_t)(**path - '0') : index;
    if (**path == ']')
        (*path)++;
    while (item && index-- > 0)
        item = item->next;
    return item;
}

const struct doc_value *doc_find(const struct doc_value *root, const char *path)
{
    const struct doc_value *found = root;

    while (*path != '\0') {
        const struct doc_value *next = NULL;

        if (*path == '[' && found->kind == DOC_ARRAY) {
            path++;
            next = find_index(found, &path);
        } else if (*path != '[' && found->kind == DOC_OBJECT) {
            path += *path == '.';
            next = find_key(found, &path);
        }
        if (!next)
            break;
        found = next;
    }
    return found;
}
