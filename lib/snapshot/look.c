/* SPDX-License-Identifier: MIT */
/* What snapshots hold, for people and for tests: states by type, and where two snapshots differ. */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum vmr_status no_memory(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");
}

/* VMR_E_UNSUPPORTED without words: a type that is not known here. */
static enum vmr_status decode(const struct kept_state *kept, struct vmr_snapshot_state *ret_state, void *value,
                              struct vmr_error *err)
{
    const struct state_section *section = &kept->section;
    const struct vmr_state_type *type = state_type_find(section->scope, section->name);
    struct vmr_error why = {0};
    char title[STATE_TITLE_MAX];

    if (!type)
        return VMR_E_UNSUPPORTED;
    enum vmr_status status = vmr_state_decode(type, section->version, section->bytes, section->length, value, &why);

    if (status)
        return vmr_error_set(
            err, status, "snapshot: section 'state' at offset %" PRIu64 " of %s: %s", kept->offset,
            state_title(section->scope, section->vp, section->vtl, section->instance, section->name, title),
            why.message);
    *ret_state = (struct vmr_snapshot_state){.scope = section->scope,
                                             .vp = section->vp,
                                             .vtl = section->vtl,
                                             .instance = section->instance,
                                             .type = type,
                                             .value = value};
    return VMR_OK;
}

enum vmr_status vmr_snapshot_visit(const struct vmr_snapshot *snapshot,
                                   enum vmr_status (*visit)(void *context, const struct vmr_snapshot_state *state),
                                   void *context, struct vmr_error *err)
{
    void *value = malloc(STATE_VALUE_MAX);
    enum vmr_status status = value ? VMR_OK : no_memory(err);

    for (size_t i = 0; i < snapshot->state_count && !status; i++) {
        struct vmr_snapshot_state state;

        status = decode(&snapshot->states[i], &state, value, err);
        if (status == VMR_E_UNSUPPORTED)
            status = VMR_OK; /* another's, or a later version's */
        else if (!status)
            status = visit(context, &state);
    }
    free(value);
    return status;
}

/* --- differences --- */

struct comparing {
    const struct vmr_snapshot *left, *right;
    bool with_moving;
    const struct vmr_snapshot_differences *differences;
    uint64_t count;
    void *left_value, *right_value; /* STATE_VALUE_MAX bytes each */
    bool *used;                     /* of the right */
    size_t cursor;
};

static bool same_place(const struct state_section *a, const struct state_section *b)
{
    return a->scope == b->scope && a->vp == b->vp && a->vtl == b->vtl && a->instance == b->instance &&
           strcmp(a->name, b->name) == 0;
}

static const struct kept_state *find_right(struct comparing *comparing, const struct state_section *section)
{
    for (size_t i = 0; i < comparing->right->state_count; i++) {
        size_t at = (comparing->cursor + i) % comparing->right->state_count;

        if (same_place(section, &comparing->right->states[at].section)) {
            comparing->cursor = at + 1;
            comparing->used[at] = true;
            return &comparing->right->states[at];
        }
    }
    return NULL;
}

static void tell_state(struct comparing *comparing, const struct vmr_snapshot_state *left,
                       const struct vmr_snapshot_state *right, const struct vmr_state_difference *difference)
{
    comparing->count++;
    if (comparing->differences->state)
        comparing->differences->state(comparing->differences->context, left, right, difference);
}

/* Each field by a type of its own, so that each is told once. */
static void compare_fields(struct comparing *comparing, const struct vmr_snapshot_state *left,
                           const struct vmr_snapshot_state *right)
{
    const struct vmr_state_type *type = left->type;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        uint32_t a = vmr_state_used(type, field, left->value), b = vmr_state_used(type, field, right->value);

        if (field->moves && !comparing->with_moving)
            continue;
        for (uint32_t element = 0; element < (a > b ? a : b); element++) {
            const struct vmr_state_difference difference = {
                .field = field,
                .element = element,
                .left = element < a ? vmr_state_get(field, left->value, element) : 0,
                .right = element < b ? vmr_state_get(field, right->value, element) : 0};

            if (difference.left != difference.right) {
                tell_state(comparing, left, right, &difference);
                break;
            }
        }
    }
}

static enum vmr_status compare_state(struct comparing *comparing, const struct kept_state *kept, struct vmr_error *err)
{
    const struct kept_state *other = find_right(comparing, &kept->section);
    struct vmr_snapshot_state left, right;
    enum vmr_status status = decode(kept, &left, comparing->left_value, err);

    if (status == VMR_E_UNSUPPORTED)
        return VMR_OK;
    if (!status && !other)
        tell_state(comparing, &left, NULL, NULL);
    if (status || !other)
        return status;
    status = decode(other, &right, comparing->right_value, err);
    if (!status)
        compare_fields(comparing, &left, &right);
    return status;
}

static enum vmr_status compare_states(struct comparing *comparing, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; i < comparing->left->state_count && !status; i++)
        status = compare_state(comparing, &comparing->left->states[i], err);
    for (size_t i = 0; i < comparing->right->state_count && !status; i++) {
        struct vmr_snapshot_state right;

        if (comparing->used[i])
            continue;
        status = decode(&comparing->right->states[i], &right, comparing->right_value, err);
        if (status == VMR_E_UNSUPPORTED)
            status = VMR_OK;
        else if (!status)
            tell_state(comparing, NULL, &right, NULL);
    }
    return status;
}

static void tell_page(struct comparing *comparing, vmr_gpa gpa)
{
    comparing->count++;
    if (comparing->differences->page)
        comparing->differences->page(comparing->differences->context, gpa);
}

/* Goes through the pages of one snapshot. */
struct page_cursor {
    const struct vmr_snapshot *snapshot;
    size_t run;
    uint64_t page; /* in the run */
};

static vmr_gpa cursor_gpa(const struct page_cursor *cursor)
{
    if (cursor->run == cursor->snapshot->run_count)
        return UINT64_MAX;
    return cursor->snapshot->runs[cursor->run].gpa + cursor->page * VMR_PAGE_SIZE;
}

static void cursor_next(struct page_cursor *cursor)
{
    if (++cursor->page == cursor->snapshot->runs[cursor->run].count) {
        cursor->run++;
        cursor->page = 0;
    }
}

static enum vmr_status cursor_read(const struct page_cursor *cursor, uint8_t *ret_page, struct vmr_error *err)
{
    const struct vmr_snapshot_source *source = &cursor->snapshot->source;
    const struct page_run *run = &cursor->snapshot->runs[cursor->run];

    return source->read(source->context, run->offset + cursor->page * VMR_PAGE_SIZE, ret_page, VMR_PAGE_SIZE, err);
}

static enum vmr_status compare_pages(struct comparing *comparing, struct vmr_error *err)
{
    struct page_cursor left = {.snapshot = comparing->left}, right = {.snapshot = comparing->right};
    uint8_t *a = comparing->left_value, *b = comparing->right_value;

    while (cursor_gpa(&left) != UINT64_MAX || cursor_gpa(&right) != UINT64_MAX) {
        vmr_gpa at_left = cursor_gpa(&left), at_right = cursor_gpa(&right);

        if (at_left == at_right) {
            enum vmr_status status = cursor_read(&left, a, err);

            if (!status)
                status = cursor_read(&right, b, err);
            if (status)
                return status;
            if (memcmp(a, b, VMR_PAGE_SIZE) != 0)
                tell_page(comparing, at_left);
        } else {
            tell_page(comparing, at_left < at_right ? at_left : at_right);
        }
        if (at_left <= at_right)
            cursor_next(&left);
        if (at_right <= at_left)
            cursor_next(&right);
    }
    return VMR_OK;
}

enum vmr_status vmr_snapshot_compare(const struct vmr_snapshot *left, const struct vmr_snapshot *right,
                                     bool with_moving, const struct vmr_snapshot_differences *differences,
                                     uint64_t *ret_count, struct vmr_error *err)
{
    struct comparing comparing = {.left = left, .right = right, .with_moving = with_moving, .differences = differences};

    comparing.left_value = malloc(STATE_VALUE_MAX);
    comparing.right_value = malloc(STATE_VALUE_MAX);
    comparing.used = calloc(right->state_count > 0 ? right->state_count : 1, sizeof(*comparing.used));
    enum vmr_status status = comparing.left_value && comparing.right_value && comparing.used
                                 ? compare_states(&comparing, err)
                                 : no_memory(err);

    if (!status && left->info.parent_id == 0 && right->info.parent_id == 0)
        status = compare_pages(&comparing, err);
    free(comparing.left_value);
    free(comparing.right_value);
    free(comparing.used);
    if (!status)
        *ret_count = comparing.count;
    return status;
}
