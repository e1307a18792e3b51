/* SPDX-License-Identifier: MIT */
/*
 * A path is turned into numbers, one for each step: the row of a field in its
 * table, the index of an element. Parameters of resources have no order but
 * their own.
 */

#include "lib/config/order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/model.h"

#define STEPS_MAX 16u

struct position {
    uint32_t steps[STEPS_MAX];
    size_t count;
    size_t index; /* of the finding */
};

/* Rows that a key may name: of the choice, or of the struct that is there. */
static size_t rows_of(const struct model_field *field, const struct model_field **ret_rows)
{
    const struct model_struct *type = field ? field->type : &model_config;

    if (field && field->kind == MODEL_CHOICE) {
        *ret_rows = field->alternatives;
        return field->alternative_count;
    }
    *ret_rows = type ? type->fields : NULL;
    return type ? type->field_count : 0;
}

/* The row that `key` names, and its number; NULL: none. */
static const struct model_field *find_row(const struct model_field *field, const char *key, size_t length,
                                          uint32_t *ret_number)
{
    const struct model_field *rows;
    size_t count = rows_of(field, &rows);

    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, key, length) == 0) {
            *ret_number = (uint32_t)i;
            return &rows[i];
        }
    }
    return NULL;
}

static struct position position_of(const char *path, size_t index)
{
    struct position position = {.index = index};
    const struct model_field *field = NULL;

    while (*path && position.count < STEPS_MAX) {
        uint32_t *step = &position.steps[position.count];

        if (*path == '[') {
            *step = (uint32_t)strtoul(path + 1, NULL, 10);
            field = field ? field->element : NULL;
            path += strcspn(path, "]");
            path += *path == ']';
        } else {
            path += *path == '.';
            size_t length = strcspn(path, ".[");

            field = find_row(field, path, length, step);
            path += length;
        }
        if (!field)
            break;
        position.count++;
    }
    return position;
}

static int compare(const void *a, const void *b)
{
    const struct position *first = a, *second = b;

    for (size_t i = 0; i < first->count && i < second->count; i++) {
        if (first->steps[i] != second->steps[i])
            return first->steps[i] < second->steps[i] ? -1 : 1;
    }
    if (first->count != second->count)
        return first->count < second->count ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

bool order_findings(struct vmr_config_report *report, size_t first, struct arena *arena)
{
    size_t count = report->count - first;

    if (count < 2)
        return true;

    struct position *positions = arena_alloc(arena, count, sizeof(*positions));
    struct vmr_config_finding *findings = arena_alloc(arena, count, sizeof(*findings));

    if (!positions || !findings)
        return false;
    for (size_t i = 0; i < count; i++)
        positions[i] = position_of(report->findings[first + i].path, first + i);
    qsort(positions, count, sizeof(*positions), compare);
    for (size_t i = 0; i < count; i++)
        findings[i] = report->findings[positions[i].index];
    memcpy(report->findings + first, findings, count * sizeof(*findings));
    return true;
}
