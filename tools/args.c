/* SPDX-License-Identifier: MIT */
/*
 * Words to options. What a value means is its command's business, but for
 * plain numbers, whose messages are all alike.
 */

#include "tools/args.h"

#include <inttypes.h>
#include <string.h>

#include "tools/number.h"

#define HELP_COLUMNS 80u

static enum vmr_status find_long(const struct args_spec *spec, const char *word, size_t *ret_option,
                                 struct vmr_error *err)
{
    size_t length = strcspn(word + 2, "=");

    for (size_t i = 0; i < spec->option_count; i++) {
        const char *name = spec->options[i].name;

        if (strlen(name) == length && memcmp(name, word + 2, length) == 0) {
            *ret_option = i;
            return VMR_OK;
        }
    }
    return vmr_error_set(err, VMR_E_USAGE, "unknown option '--%.*s'", (int)(length < 64 ? length : 64), word + 2);
}

static enum vmr_status find_letter(const struct args_spec *spec, const char *word, size_t *ret_option,
                                   struct vmr_error *err)
{
    for (size_t i = 0; i < spec->option_count; i++) {
        if (spec->options[i].letter == word[1] && word[2] == '\0') {
            *ret_option = i;
            return VMR_OK;
        }
    }
    return vmr_error_set(err, VMR_E_USAGE, "unknown option '%s'", word);
}

/* The value: behind '=', or the next word, which then must not look like an option. */
static enum vmr_status take_value(const struct args_option *option, char *const **words, const char **ret_value,
                                  struct vmr_error *err)
{
    const char *word = **words;
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;

    if (!option->value) {
        if (equals)
            return vmr_error_set(err, VMR_E_USAGE, "option '--%s' takes no value", option->name);
        *ret_value = NULL;
        return VMR_OK;
    }
    if (equals) {
        *ret_value = equals + 1;
        return VMR_OK;
    }

    const char *next = (*words)[1];

    if (!next || strncmp(next, "--", 2) == 0)
        return vmr_error_set(err, VMR_E_USAGE, "option '--%s' needs a value: %s", option->name, option->value);
    (*words)++;
    *ret_value = next;
    return VMR_OK;
}

static enum vmr_status take_option(struct args *args, char *const **words, struct vmr_error *err)
{
    const char *word = **words;
    struct args_given given;
    enum vmr_status status = word[1] == '-' ? find_long(args->spec, word, &given.option, err)
                                            : find_letter(args->spec, word, &given.option, err);

    if (status != VMR_OK)
        return status;

    const struct args_option *option = &args->spec->options[given.option];

    if (!option->repeatable && args_has(args, given.option))
        return vmr_error_set(err, VMR_E_USAGE, "option '--%s' is given twice", option->name);
    if (args->given_count == ARGS_GIVEN_MAX)
        return vmr_error_set(err, VMR_E_USAGE, "more than %u options", ARGS_GIVEN_MAX);
    status = take_value(option, words, &given.value, err);
    if (status != VMR_OK)
        return status;
    args->given[args->given_count++] = given;
    return VMR_OK;
}

static bool has_room(const struct args *args)
{
    if (args->spec->last_repeats)
        return args->operand_count < ARGS_REPEATED_MAX;
    return args->operand_count < ARGS_OPERAND_MAX && args->spec->operands[args->operand_count];
}

static enum vmr_status take_operand(struct args *args, const char *word, struct vmr_error *err)
{
    if (!has_room(args))
        return vmr_error_set(err, VMR_E_USAGE, "unexpected argument '%s'", word);
    args->operands[args->operand_count++] = word;
    return VMR_OK;
}

static enum vmr_status check_complete(const struct args *args, struct vmr_error *err)
{
    const struct args_spec *spec = args->spec;

    for (size_t i = 0; i < spec->option_count; i++) {
        if (spec->options[i].required && !args_has(args, i))
            return vmr_error_set(err, VMR_E_USAGE, "option '--%s %s' is missing", spec->options[i].name,
                                 spec->options[i].value);
    }
    if (args->operand_count < ARGS_OPERAND_MAX && spec->operands[args->operand_count] &&
        spec->operands[args->operand_count][0] != '[')
        return vmr_error_set(err, VMR_E_USAGE, "argument %s is missing", spec->operands[args->operand_count]);
    return VMR_OK;
}

enum vmr_status args_parse(const char *command, const struct args_spec *spec, char *const *words, struct args *ret_args,
                           struct vmr_error *err)
{
    struct args args = {.command = command, .spec = spec};
    bool only_operands = false;
    enum vmr_status status = VMR_OK;

    for (; *words && status == VMR_OK; words++) {
        const char *word = *words;

        if (only_operands || word[0] != '-' || word[1] == '\0') {
            status = take_operand(&args, word, err);
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            args.help = true;
            break;
        } else {
            status = take_option(&args, &words, err);
        }
    }
    if (status == VMR_OK && !args.help)
        status = check_complete(&args, err);
    if (status == VMR_OK)
        *ret_args = args;
    return status;
}

bool args_has(const struct args *args, size_t option)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].option == option)
            return true;
    }
    return false;
}

const char *args_value(const struct args *args, size_t option)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].option == option)
            return args->given[i].value;
    }
    return NULL;
}

size_t args_values(const struct args *args, size_t option, const char **values)
{
    size_t count = 0;

    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].option == option)
            values[count++] = args->given[i].value;
    }
    return count;
}

enum vmr_status args_number(const struct args *args, size_t option, uint64_t min, uint64_t max, uint64_t *ret_value,
                            struct vmr_error *err)
{
    const char *text = args_value(args, option);
    uint64_t value;

    if (!text)
        return VMR_OK;
    if (!number_parse(text, &value) || value < min || value > max)
        return vmr_error_set(err, VMR_E_USAGE, "--%s '%s' is not a number from %" PRIu64 " to %" PRIu64,
                             args->spec->options[option].name, text, min, max);
    *ret_value = value;
    return VMR_OK;
}

/* One word of the usage line, on a new line where it would not fit. */
static void print_usage_word(FILE *file, const char *word, size_t *column)
{
    size_t length = strlen(word) + 1;

    if (*column + length > HELP_COLUMNS) {
        *column = (size_t)fprintf(file, "\n         ") - 1;
    }
    (void)fprintf(file, " %s", word);
    *column += length;
}

static void print_usage(FILE *file, const char *command, const struct args_spec *spec)
{
    char word[96];
    size_t column = strlen("usage: ") + strlen(command);

    (void)fprintf(file, "usage: %s", command);
    for (size_t i = 0; i < spec->option_count; i++) {
        const struct args_option *option = &spec->options[i];

        (void)snprintf(word, sizeof(word), "%s--%s%s%s%s%s", option->required ? "" : "[", option->name,
                       option->value ? " " : "", option->value ? option->value : "", option->required ? "" : "]",
                       option->repeatable ? "..." : "");
        print_usage_word(file, word, &column);
    }
    for (size_t i = 0; i < ARGS_OPERAND_MAX && spec->operands[i]; i++)
        print_usage_word(file, spec->operands[i], &column);
    (void)fputc('\n', file);
}

void args_print_help(FILE *file, const char *command, const struct args_spec *spec, const char *summary)
{
    print_usage(file, command, spec);
    (void)fprintf(file, "\n%s\n", summary);
    if (spec->option_count > 0)
        (void)fputc('\n', file);
    for (size_t i = 0; i < spec->option_count; i++) {
        const struct args_option *option = &spec->options[i];
        char left[96];
        char letter[8] = "";

        if (option->letter != 0)
            (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        (void)snprintf(left, sizeof(left), "%s--%s %s", letter, option->name, option->value ? option->value : "");
        (void)fprintf(file, "  %-20s %s\n", left, option->help);
    }
    if (spec->details)
        (void)fprintf(file, "\n%s", spec->details);
}
