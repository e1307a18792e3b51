/* SPDX-License-Identifier: MIT */
#pragma once

/* One execution of a scenario, for those who know how threads are run: execute.c and explore.c. */

#include "conformance/execute.h"

struct execution {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct conf conf;
    struct conf_state state;
    void (*run)(struct conf *conf);
    struct vmr_parker *end; /* real hosts: a permit when the body is through */
};

/* False, and a reason: there is nothing to close. */
bool execution_open(struct execution *execution, const struct conf_backend *backend, char *ret_reason, size_t size);
void execution_close(struct execution *execution);
/* The scenario and what comes after it, of a struct execution. */
void execution_body(void *argument);
/* The verdict of an execution that came to its end, into `ret_result`. */
void execution_judge(const struct conf_state *state, struct conf_result *ret_result);
void execution_fail(struct conf_result *ret_result, const char *reason);

/* explore.c: under the mock's scheduler, in the orders that the backend's schedules say. */
void execute_scheduled(const struct conf_backend *backend, const struct conf_scenario *scenario,
                       struct conf_result *ret_result);
