/* SPDX-License-Identifier: MIT */
/*
 * Scripts are parsed once, into one array of lines; string data lies behind the
 * lines that have any. The words of a line are lib/exit's; only the arrow and
 * the comments are ours.
 */

#include "backends/mock/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/exit/exit_text.h"

/* A script is written by a person; this is a day's work. */
#define SCRIPT_LINES_MAX 65536u
#define ERROR_MAX 512u
#define SIDE_MAX 160u

struct line {
    size_t number;          /* in the text, from 1 */
    struct vmr_exit wanted; /* with the answer that is expected */
    bool has_answer;
    uint8_t *strings; /* wanted's data, then room for what is shown to the library; or NULL */
};

struct script {
    struct line *lines;
    size_t count, capacity;
    size_t next; /* the line to show next; the one before has been shown */
    char error[ERROR_MAX];
};

void script_destroy(struct script *script)
{
    if (!script)
        return;
    for (size_t i = 0; i < script->count; i++)
        free(script->lines[i].strings);
    free(script->lines);
    free(script);
}

/* --- parsing --- */

static size_t find_arrow(const char *text, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] == '-' && text[i + 1] == '>')
            return i;
    }
    return length;
}

static enum vmr_status add_line(struct script *script, size_t number, struct line **ret_line, struct vmr_error *err)
{
    if (script->count == SCRIPT_LINES_MAX)
        return vmr_error_set(err, VMR_E_CORRUPT, "script: line %zu: more than %u exits", number, SCRIPT_LINES_MAX);
    if (script->count == script->capacity) {
        size_t capacity = script->capacity ? 2 * script->capacity : 16;
        struct line *lines = realloc(script->lines, capacity * sizeof(*lines));

        if (!lines)
            return vmr_error_set(err, VMR_E_NOMEM, "script: line %zu: out of memory", number);
        script->lines = lines;
        script->capacity = capacity;
    }
    *ret_line = &script->lines[script->count++];
    **ret_line = (struct line){.number = number};
    return VMR_OK;
}

/* The parser writes string data into `storage`; a line keeps what it needs of it. */
static enum vmr_status keep_strings(struct line *line, const uint8_t *storage, struct vmr_error *err)
{
    struct vmr_exit_io *io = &line->wanted.u.io;

    if (line->wanted.kind != VMR_EXIT_IO || !io->string)
        return VMR_OK;
    size_t size = (size_t)io->count * io->size;

    line->strings = calloc(2, size);
    if (!line->strings)
        return vmr_error_set(err, VMR_E_NOMEM, "script: line %zu: out of memory", line->number);
    memcpy(line->strings, storage, size);
    io->bytes = line->strings;
    return VMR_OK;
}

static enum vmr_status parse_line(struct script *script, size_t number, const char *text, size_t length,
                                  uint8_t *storage, struct vmr_error *err)
{
    size_t arrow = find_arrow(text, length);
    struct vmr_error inner = {0};
    struct line *line = NULL;
    enum vmr_status status = add_line(script, number, &line, err);

    if (status)
        return status;
    status = exit_text_parse(text, arrow, &line->wanted, storage, &inner);
    if (!status && arrow < length) {
        line->has_answer = true;
        status = exit_text_parse_answer(text, arrow + 2, length, &line->wanted, storage, &inner);
    }
    if (status)
        return vmr_error_set(err, VMR_E_CORRUPT, "script: line %zu, %.200s", number, inner.message);
    return keep_strings(line, storage, err);
}

static bool is_empty(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r'))
        i++;
    return i == length || text[i] == '#';
}

static enum vmr_status parse(struct script *script, const char *text, size_t length, uint8_t *storage,
                             struct vmr_error *err)
{
    size_t start = 0;

    for (size_t number = 1; start < length; number++) {
        const char *newline = memchr(text + start, '\n', length - start);
        size_t end = newline ? (size_t)(newline - text) : length;
        size_t line_length = end - start;

        if (line_length > 0 && text[end - 1] == '\r')
            line_length--;
        if (!is_empty(text + start, line_length)) {
            enum vmr_status status = parse_line(script, number, text + start, line_length, storage, err);

            if (status)
                return status;
        }
        start = end + 1;
    }
    return VMR_OK;
}

enum vmr_status script_create(const char *text, size_t length, struct script **ret_script, struct vmr_error *err)
{
    struct script *script = calloc(1, sizeof(*script));
    uint8_t *storage = malloc(VMR_STRING_IO_BYTES_MAX);
    enum vmr_status status = VMR_E_NOMEM;

    if (script && storage)
        status = parse(script, text, length, storage, err);
    else
        (void)vmr_error_set(err, VMR_E_NOMEM, "script: out of memory");
    free(storage);
    if (status) {
        script_destroy(script);
        return status;
    }
    *ret_script = script;
    return VMR_OK;
}

/* --- playing --- */

const char *script_error(const struct script *script)
{
    return script->error[0] ? script->error : NULL;
}

/* Every step from here on is fatal: what the library does after its first departure means nothing. */
static void fail(size_t number, struct vmr_exit *vp_exit)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL};
    vp_exit->u.fail.cause = VMR_FAIL_INTERNAL;
    vp_exit->u.fail.code = number;
    vp_exit->u.fail.length = 8;
    store_le64(vp_exit->u.fail.bytes, number);
}

static void check_answer(struct script *script, const struct line *line, const struct vmr_exit *vp_exit)
{
    char wanted[SIDE_MAX], given[SIDE_MAX];

    if (vp_exit->kind != line->wanted.kind) {
        (void)snprintf(script->error, sizeof(script->error), "line %zu: %s was shown, the step came back with %s",
                       line->number, vmr_exit_kind_name(line->wanted.kind), vmr_exit_kind_name(vp_exit->kind));
        return;
    }
    if (!line->has_answer || exit_answer_equal(&line->wanted, vp_exit))
        return;
    (void)exit_text_print(&line->wanted, EXIT_ANSWER, wanted, sizeof(wanted));
    (void)exit_text_print(vp_exit, EXIT_ANSWER, given, sizeof(given));
    (void)snprintf(script->error, sizeof(script->error), "line %zu: answered with '%s', the script says '%s'",
                   line->number, given, wanted);
}

/* What the library sees of a line: the inputs; answers are its own to give. */
static void show(const struct line *line, struct vmr_exit *vp_exit)
{
    *vp_exit = line->wanted;
    if (!exit_is_read(vp_exit) && vp_exit->kind != VMR_EXIT_HYPERCALL && vp_exit->kind != VMR_EXIT_MSR) {
        if (line->strings)
            vp_exit->u.io.bytes = line->strings;
        return;
    }
    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.string) {
        size_t size = (size_t)vp_exit->u.io.count * vp_exit->u.io.size;

        vp_exit->u.io.bytes = line->strings + size;
        memset(vp_exit->u.io.bytes, 0, size);
    } else if (vp_exit->kind == VMR_EXIT_IO) {
        vp_exit->u.io.value = 0;
    } else if (vp_exit->kind == VMR_EXIT_MMIO) {
        vp_exit->u.mmio.value = 0;
    } else if (vp_exit->kind == VMR_EXIT_HYPERCALL) {
        vp_exit->u.hypercall.result = 0;
    } else if (vp_exit->kind == VMR_EXIT_MSR) {
        vp_exit->u.msr.fault = false;
        if (vp_exit->u.msr.direction == VMR_READ)
            vp_exit->u.msr.value = 0;
    }
}

void script_next(struct script *script, struct vmr_exit *vp_exit)
{
    size_t number = script->next > 0 ? script->lines[script->next - 1].number : 0;

    if (!script->error[0] && script->next > 0 && vmr_exit_is_pending(&script->lines[script->next - 1].wanted))
        check_answer(script, &script->lines[script->next - 1], vp_exit);
    if (!script->error[0] && script->next == script->count)
        (void)snprintf(script->error, sizeof(script->error), "line %zu: the script ends here, one more step was taken",
                       number);
    if (script->error[0]) {
        fail(number, vp_exit);
        return;
    }
    show(&script->lines[script->next++], vp_exit);
}
