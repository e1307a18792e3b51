/* SPDX-License-Identifier: MIT */
/*
 * Paths, step by step.
 */

#include "lib/config/path.h"

#include <stdio.h>
#include <string.h>

static void append(struct config_path *path, const char *text)
{
    size_t room = sizeof(path->text) - 1 - path->length;
    size_t length = strlen(text);

    if (length > room)
        length = room;
    memcpy(path->text + path->length, text, length);
    path->length += length;
    path->text[path->length] = '\0';
}

size_t path_key(struct config_path *path, const char *key)
{
    size_t before = path->length;

    if (before > 0)
        append(path, ".");
    append(path, key);
    return before;
}

size_t path_index(struct config_path *path, size_t index)
{
    size_t before = path->length;
    char text[32];

    snprintf(text, sizeof(text), "[%zu]", index);
    append(path, text);
    return before;
}

void path_cut(struct config_path *path, size_t length)
{
    path->length = length;
    path->text[length] = '\0';
}
