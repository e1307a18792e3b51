/* SPDX-License-Identifier: MIT */
/*
 * Brackets, commas and lines.
 */

#include "lib/config/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct json_writer *writer, const char *bytes, size_t length)
{
    if (writer->no_memory)
        return;
    if (length >= writer->capacity - writer->length) {
        size_t capacity = (writer->capacity + length) * 2 + 256;
        char *grown = realloc(writer->bytes, capacity);

        if (!grown) {
            writer->no_memory = true;
            return;
        }
        writer->bytes = grown;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
    writer->bytes[writer->length] = '\0';
}

static void put_line(struct json_writer *writer)
{
    put(writer, "\n", 1);
    for (unsigned i = 0; i < writer->depth; i++)
        put(writer, "  ", 2);
}

static void open(struct json_writer *writer, char bracket, bool in_line)
{
    put(writer, &bracket, 1);
    writer->depth++;
    writer->has_items = false;
    writer->in_line = in_line;
}

void json_open(struct json_writer *writer, char bracket)
{
    open(writer, bracket, false);
}

void json_open_in_line(struct json_writer *writer)
{
    open(writer, '[', true);
}

void json_close(struct json_writer *writer, char bracket)
{
    writer->depth--;
    if (writer->has_items && !writer->in_line)
        put_line(writer);
    put(writer, &bracket, 1);
    writer->has_items = true; /* of what is around it: this very one */
    writer->in_line = false;
}

void json_item(struct json_writer *writer)
{
    if (writer->has_items)
        put(writer, writer->in_line ? ", " : ",", writer->in_line ? 2 : 1);
    if (!writer->in_line)
        put_line(writer);
    writer->has_items = true;
}

void json_key(struct json_writer *writer, const char *key)
{
    json_item(writer);
    json_text(writer, key);
    put(writer, ": ", 2);
}

void json_text(struct json_writer *writer, const char *text)
{
    put(writer, "\"", 1);
    while (*text != '\0') {
        size_t plain = 0;
        char escape[8];

        while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\' && text[plain] != 0x7f)
            plain++;
        put(writer, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        if (*text == '"' || *text == '\\')
            snprintf(escape, sizeof(escape), "\\%c", *text);
        else
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
        put(writer, escape, strlen(escape));
        text++;
    }
    put(writer, "\"", 1);
}

void json_number(struct json_writer *writer, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    json_literal(writer, text);
}

void json_literal(struct json_writer *writer, const char *word)
{
    put(writer, word, strlen(word));
}

void json_key_text(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_text(writer, text);
}

void json_key_number(struct json_writer *writer, const char *key, uint64_t number)
{
    json_key(writer, key);
    json_number(writer, number);
}

void json_key_literal(struct json_writer *writer, const char *key, const char *word)
{
    json_key(writer, key);
    json_literal(writer, word);
}

enum vmr_status json_finish(struct json_writer *writer, struct vmr_config_text *ret_text, struct vmr_error *err)
{
    put(writer, "\n", 1);
    if (writer->no_memory) {
        json_discard(writer);
        return vmr_error_set(err, VMR_E_NOMEM, "no memory for the text");
    }
    *ret_text = (struct vmr_config_text){writer->bytes, writer->length};
    *writer = (struct json_writer){0};
    return VMR_OK;
}

void json_discard(struct json_writer *writer)
{
    free(writer->bytes);
    *writer = (struct json_writer){0};
}
