/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is wrong with a configuration: all of it, each with the place, the value
 * and the rule, in the order of the document.
 *
 * A rule has a code that stays ("CFG-NUMA-DISTANCE-SELF"), a sentence, and an
 * explanation of why it is and what to do; scripts match codes, people read.
 */

#include "vmrig/config.h"
#include "vmrig/error.h"

VMR_BEGIN_DECLS

struct vmr_config_rule {
    const char *code;
    const char *summary;     /* one sentence: what must hold */
    const char *explanation; /* why, and what to do about it; ends with the source of the rule */
};
/* All rules in their order; NULL behind the last. Any thread. */
VMR_API const struct vmr_config_rule *vmr_config_rule_get(size_t index);
/* NULL: no such code. Any thread. */
VMR_API const struct vmr_config_rule *vmr_config_rule_find(const char *code);

/* A text that grew; freed by the caller with free(). */
struct vmr_config_text {
    char *bytes; /* terminated */
    size_t length;
};

#define VMR_CONFIG_PATH_MAX 192
#define VMR_CONFIG_MESSAGE_MAX 256
/* Findings in one report; more are counted, not kept. */
#define VMR_CONFIG_FINDING_MAX 256u

struct vmr_config_finding {
    const struct vmr_config_rule *rule;
    char path[VMR_CONFIG_PATH_MAX];       /* "numa.nodes[3].mem.mem_size"; "" for the whole */
    char message[VMR_CONFIG_MESSAGE_MAX]; /* names the value, and with unknown keys the nearest known one */
    uint32_t line, column;                /* in the file, from 1; 0: there is none, or the value is not in it */
};

/*
 * Zeroed: nothing found, nothing kept. Who is handed one adds to it, and returns
 * VMR_E_CONFIG if he added anything. Room grows as needed, up to the maximum;
 * when the host's memory ends, what was found is still counted.
 */
struct vmr_config_report {
    struct vmr_config_finding *findings;
    size_t count, capacity;
    size_t omitted; /* found, and not kept */
};
VMR_API void vmr_config_report_finish(struct vmr_config_report *report);

/*
 * Every rule that needs nothing but the configuration, in one go: values in
 * their ranges, names that exist, sums that fit. VMR_E_CONFIG, with the findings
 * added to `report`; VMR_E_NOMEM. Any thread. [CFG-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_config_check(const struct vmr_config *config,
                                                        struct vmr_config_report *report);

VMR_END_DECLS
