/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Certification levels: what can honestly be said of a hypervisor that does not
 * do everything. docs/certificate.md says what each is good for.
 */

#include "conformance/report.h"

struct conf_level {
    const char *name;
    const char *meaning;  /* one line */
    const char *families; /* words; "*": all */
    uint64_t needs;       /* capabilities without which it is not offered */
    uint64_t vp_classes;  /* likewise, states that are told and taken */
};

enum conf_level_status {
    CONF_LEVEL_REACHED,
    CONF_LEVEL_FAILED,
    CONF_LEVEL_NOT_OFFERED, /* the backend does not claim what it needs */
    CONF_LEVEL_INCOMPLETE,  /* not all of it was run */
    CONF_LEVEL_STATUS_COUNT
};
const char *conf_level_status_name(enum conf_level_status status);

extern const struct conf_level conf_levels[];
extern const size_t conf_level_count;

/* Whether the level judges scenarios of the family. */
bool conf_level_has(const struct conf_level *level, const char *family);
/* Counts what belongs to the level, on one backend. */
void conf_level_totals(const struct conf_report_data *data, const struct conf_backend *backend,
                       const struct conf_level *level, struct conf_totals *ret_totals);
/*
 * What `totals` of a level make of it, where all of it was run or, with `partial`, only some. One that asks for every
 * family is reached when all before it are: `below` of them are not.
 */
enum conf_level_status conf_level_judge(const struct conf_level *level, uint64_t caps, uint64_t vp_classes,
                                        const size_t verdicts[CONF_VERDICT_COUNT], bool partial, size_t below);
