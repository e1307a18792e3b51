/* SPDX-License-Identifier: MIT */
#pragma once

/* What is on a certificate beside the results: the machine and the day. */

#include "conformance/runner.h"

#define FACT_MAX 128u

struct facts {
    char system[FACT_MAX], release[FACT_MAX], machine[FACT_MAX], cpu[FACT_MAX], taken[FACT_MAX];
    struct conf_facts facts; /* points into the above: not to be copied */
};

/* What cannot be found out is "unknown". */
void facts_find(struct facts *facts);
