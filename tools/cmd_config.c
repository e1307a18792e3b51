/* SPDX-License-Identifier: MIT */
/*
 * vmrig config: what a configuration file says, and what is wrong with it.
 */

#include "tools/cmd_config.h"

#include <stdlib.h>

#include "tools/config_input.h"
#include "tools/json.h"

/* --- check --- */

enum check_option {
    CHECK_JSON
};

static const struct args_option check_options[] = {
    [CHECK_JSON] = {.name = "json",
                    .help = "print JSON: {\"files\": [{\"file\", \"valid\", \"findings\", \"omitted\"}]}"},
};
static const struct args_spec check_spec = {
    .options = check_options,
    .option_count = 1,
    .operands = {"FILE..."},
    .last_repeats = true,
    .details = "Prints each thing that is wrong: FILE:LINE:COLUMN: PATH: what [CODE].\n"
               "'vmrig config --explain CODE' says why, and what to do. Exit status 1 if there is any.\n",
};

static int add_file(json_t *files, const char *name, bool valid, const struct vmr_config_report *report)
{
    json_t *findings = config_input_findings_json(report);
    json_t *file = json_pack("{s:s, s:b, s:o, s:I}", "file", name, "valid", (int)valid, "findings", findings, "omitted",
                             (json_int_t)report->omitted);

    return json_array_append_new(files, file);
}

/* With `files`, adds to them; else prints. Returns the status. */
static int check_file(const struct args *args, const char *name, json_t *files)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    enum vmr_status status = config_input_read(args->command, name, &file, &report);
    int ret = status == VMR_OK ? TOOL_OK : TOOL_FAILED;

    if (files) {
        if ((status == VMR_OK || status == VMR_E_CONFIG) && add_file(files, name, status == VMR_OK, &report) != 0)
            ret = tool_fail(args->command, "'%s': its name is not in UTF-8, or no memory", name);
    } else {
        config_input_print_findings(stdout, name, &report);
    }
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return ret;
}

static int run_check(const struct args *args)
{
    json_t *files = args_has(args, CHECK_JSON) ? json_array() : NULL;
    int ret = TOOL_OK;

    if (args_has(args, CHECK_JSON) && !files)
        return tool_fail(args->command, "out of memory");
    for (size_t i = 0; i < args->operand_count; i++)
        ret |= check_file(args, args->operands[i], files);
    if (files && json_print(args->command, json_pack("{s:o}", "files", files)) != TOOL_OK)
        ret = TOOL_FAILED;
    return ret;
}

/* --- print, schema --- */

static int print_text(const struct args *args, enum vmr_status status, struct vmr_config_text *text,
                      const struct vmr_error *err)
{
    if (status != VMR_OK)
        return tool_fail(args->command, "%s", err->message);
    (void)fwrite(text->bytes, 1, text->length, stdout);
    free(text->bytes);
    return TOOL_OK;
}

static const struct args_spec print_spec = {
    .operands = {"FILE"},
    .details = "The canonical form: keys in their order, and nothing that is at its default.\n",
};

static int run_print(const struct args *args)
{
    struct vmr_config_file *file = config_input_need(args->command, args->operands[0]);
    struct vmr_config_text text;
    struct vmr_error err;

    if (!file)
        return TOOL_FAILED;

    enum vmr_status status = vmr_config_print(vmr_config_file_get(file), &text, &err);

    vmr_config_file_destroy(file);
    return print_text(args, status, &text, &err);
}

static const struct args_spec schema_spec = {
    .details = "For editors and other programs: JSON Schema, 2020-12.\n",
};

static int run_schema(const struct args *args)
{
    struct vmr_config_text text;
    struct vmr_error err;

    return print_text(args, vmr_config_schema(&text, &err), &text, &err);
}

/* --- rules --- */

enum rules_option {
    RULES_JSON
};

static const struct args_option rules_options[] = {
    [RULES_JSON] = {.name = "json", .help = "print JSON: {\"rules\": [{\"code\", \"summary\", \"explanation\"}]}"},
};
static const struct args_spec rules_spec = {.options = rules_options, .option_count = 1};

static json_t *rules_json(void)
{
    const struct vmr_config_rule *rule;
    json_t *rules = json_array();

    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++)
        (void)json_array_append_new(rules, json_pack("{s:s, s:s, s:s}", "code", rule->code, "summary", rule->summary,
                                                     "explanation", rule->explanation));
    return json_pack("{s:o}", "rules", rules);
}

static int run_rules(const struct args *args)
{
    const struct vmr_config_rule *rule;

    if (args_has(args, RULES_JSON))
        return json_print(args->command, rules_json());
    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++)
        (void)printf("%-40s %s\n", rule->code, rule->summary);
    return TOOL_OK;
}

/* --- the group --- */

enum config_option {
    CONFIG_EXPLAIN
};

static const struct args_option config_options[] = {
    [CONFIG_EXPLAIN] = {.name = "explain",
                        .value = "CODE",
                        .required = true,
                        .help = "say what a rule is for, and what to do"},
};
static const struct args_spec config_spec = {.options = config_options, .option_count = 1};

static int run_explain(const struct args *args)
{
    const char *code = args_value(args, CONFIG_EXPLAIN);
    const struct vmr_config_rule *rule = vmr_config_rule_find(code);

    if (!rule)
        return tool_usage(args->command, "there is no rule '%s': 'vmrig config rules' lists them", code);
    (void)printf("%s\n%s\n\n%s\n", rule->code, rule->summary, rule->explanation);
    return TOOL_OK;
}

static const struct command config_commands[] = {
    {.name = "check",
     .summary = "Says all that is wrong with configuration files.",
     .spec = &check_spec,
     .run = run_check},
    {.name = "print",
     .summary = "Prints a configuration in its canonical form.",
     .spec = &print_spec,
     .run = run_print},
    {.name = "resolve",
     .summary = "Prints the machine that a configuration asks for.",
     .spec = &config_resolve_spec,
     .run = config_resolve},
    {.name = "tables",
     .summary = "Makes the firmware tables of that machine.",
     .spec = &config_tables_spec,
     .run = config_tables},
    {.name = "schema",
     .summary = "Prints the JSON Schema of configuration files.",
     .spec = &schema_spec,
     .run = run_schema},
    {.name = "rules",
     .summary = "Lists the rules that configurations are checked by.",
     .spec = &rules_spec,
     .run = run_rules},
    {0},
};

const struct command command_config = {.name = "config",
                                       .summary = "Checks, prints, resolves and explains configuration files.",
                                       .spec = &config_spec,
                                       .run = run_explain,
                                       .commands = config_commands};
