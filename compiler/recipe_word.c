/* The table of recipe words, and reading their arguments. */
#include "compiler/recipe_word.h"

#define SIDE(name)                                                                                 \
    {                                                                                              \
        name, WORD_WHOLE, true, 1, 16384, 0                                                        \
    }

static const struct word_definition definitions[] = {
    {"cifar10", WORD_DATA, {{0}}, 0},
    {"cifar100", WORD_DATA, {{0}}, 0},
    {"imagenet", WORD_DATA, {{0}}, 0},
    {"npy", WORD_DATA, {{0}}, 0},
    {"shapes", WORD_DATA, {{0}}, 0},
    {"pad", WORD_TRANSFORM, {{"width", WORD_WHOLE, true, 0, 16384, 0}}, 1},
    {"random_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"horizontal_flip", WORD_TRANSFORM, {{0}}, 0},
    {"random_resized_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"resize", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"center_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"step",
     WORD_SCHEDULE,
     {{"at", WORD_LIST, true, 0, 1e9, 0}, {"factor", WORD_REAL, true, 0, 1e9, 0}},
     2},
    {"cosine", WORD_SCHEDULE, {{0}}, 0},
    {"warmup", WORD_SCHEDULE, {{"epochs", WORD_REAL, true, 0, 1e9, 0}}, 1},
    {"he_normal", WORD_INIT, {{"mode", WORD_MODE, true, 0, 0, 0}}, 1},
    {"xavier_uniform", WORD_INIT, {{0}}, 0},
    {"xavier_normal", WORD_INIT, {{0}}, 0},
    {"fan_in", WORD_FAN, {{0}}, 0},
    {"fan_out", WORD_FAN, {{0}}, 0},
    {"sgd",
     WORD_OPTIMIZER,
     {{"lr", WORD_REAL, true, 0, 1e9, 0},
      {"momentum", WORD_REAL, false, 0, 1, 0},
      {"weight_decay", WORD_REAL, false, 0, 1e9, 0}},
     3},
};

const char *word_role_name(enum word_role role)
{
    static const char *const names[] = {
        [WORD_DATA] = "a data set",       [WORD_TRANSFORM] = "an image transform",
        [WORD_SCHEDULE] = "a schedule",   [WORD_INIT] = "an initializer",
        [WORD_FAN] = "fan_in or fan_out", [WORD_OPTIMIZER] = "an optimizer",
    };

    return names[role];
}

static const struct signature *word_signature(struct context *context,
                                              const struct word_definition *definition)
{
    struct signature *signature = ARENA_NEW(context->arena, struct signature);
    const char **names = ARENA_ARRAY(context->arena, const char *, WORD_ARGUMENTS);
    bool *required = ARENA_ARRAY(context->arena, bool, WORD_ARGUMENTS);

    for (size_t i = 0; i < definition->parameter_count; i++) {
        names[i] = context_intern(context, definition->parameters[i].name);
        required[i] = definition->parameters[i].required;
    }
    *signature = (struct signature){context_intern(context, definition->name), names, required,
                                    definition->parameter_count};
    return signature;
}

void recipe_words_declare(struct context *context)
{
    for (size_t i = 0; i < countof(definitions); i++) {
        const struct signature *signature = word_signature(context, &definitions[i]);
        struct word *word = ARENA_NEW(context->arena, struct word);
        struct word_chain *chain = ARENA_NEW(context->arena, struct word_chain);
        struct binding *binding;

        word->definition = &definitions[i];
        word->application = (struct application){
            signature, ARENA_ARRAY(context->arena, struct argument, WORD_ARGUMENTS)};
        *chain = (struct word_chain){word, 1};
        binding = scope_add(context->words, context->arena, signature->name, (struct span){0},
                            (struct value){.kind = VALUE_WORDS, .words = chain});
        binding->signature = signature;
    }
}

/* ---- arguments ---- */

static void report_type(struct context *context, const struct word_parameter *parameter,
                        struct value value, struct span span)
{
    static const char *const wanted[] = {
        [WORD_WHOLE] = "an integer",
        [WORD_REAL] = "a number",
        [WORD_LIST] = "a list of numbers",
        [WORD_MODE] = "fan_in or fan_out",
    };

    report(context, DIAGNOSTIC_WRONG_TYPE, span, "`%s` must be %s, not %s", parameter->name,
           wanted[parameter->type], value_kind_name(value.kind));
}

static bool check_number(struct context *context, const struct word_parameter *parameter,
                         struct value value, struct span span)
{
    const bool whole = parameter->type == WORD_WHOLE;
    double number;

    if (!value_is_numeric(value) || (whole && value.kind != VALUE_INTEGER)) {
        report_type(context, parameter, value, span);
        return false;
    }
    number = value_as_double(value);
    if (number >= parameter->minimum && number <= parameter->maximum)
        return true;
    report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` must lie between %g and %g",
           parameter->name, parameter->minimum, parameter->maximum);
    return false;
}

static bool check_list(struct context *context, const struct word_parameter *parameter,
                       struct value value, struct span span)
{
    if (value.kind != VALUE_LIST) {
        report_type(context, parameter, value, span);
        return false;
    }
    if (value.list->count >= RECIPE_ARGUMENTS) {
        report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` can have at most %d elements",
               parameter->name, RECIPE_ARGUMENTS - 1);
        return false;
    }
    for (size_t i = 0; i < value.list->count; i++) {
        if (!check_number(context, parameter, value.list->items[i], span))
            return false;
        if (i > 0 &&
            value_as_double(value.list->items[i]) <= value_as_double(value.list->items[i - 1])) {
            report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` must be ascending",
                   parameter->name);
            return false;
        }
    }
    return true;
}

static bool check_mode(struct context *context, const struct word_parameter *parameter,
                       struct value value, struct span span)
{
    if (value.kind == VALUE_WORDS && value.words->items[0].definition->role == WORD_FAN)
        return true;
    report_type(context, parameter, value, span);
    return false;
}

static bool check_argument(struct context *context, const struct word_parameter *parameter,
                           const struct argument *argument)
{
    if (argument->value.kind == VALUE_UNBOUND || argument->value.kind == VALUE_POISON)
        return true;
    if (parameter->type == WORD_LIST)
        return check_list(context, parameter, argument->value, argument->span);
    if (parameter->type == WORD_MODE)
        return check_mode(context, parameter, argument->value, argument->span);
    return check_number(context, parameter, argument->value, argument->span);
}

void recipe_word_check(struct context *context, const struct word_definition *definition,
                       struct argument *arguments)
{
    for (size_t i = 0; i < definition->parameter_count; i++) {
        if (!check_argument(context, &definition->parameters[i], &arguments[i]))
            arguments[i].value = value_poison();
    }
}

static bool check_bound(struct context *context, const struct word *word)
{
    const struct signature *signature = word->application.signature;

    for (size_t i = 0; i < signature->count; i++) {
        const enum value_kind kind = word->application.arguments[i].value.kind;

        if (kind == VALUE_POISON)
            return false;
        if (kind == VALUE_UNBOUND && signature->required[i]) {
            report(context, DIAGNOSTIC_MISSING_ARGUMENT, word->span, "`%s` still lacks `%s`",
                   signature->name, signature->parameters[i]);
            return false;
        }
    }
    return true;
}

static void add_argument(struct recipe_word *out, double number)
{
    out->arguments[out->argument_count++] = number;
}

bool recipe_word_read(struct context *context, const struct word *word, struct recipe_word *out)
{
    const struct word_definition *definition = word->definition;
    const struct value_list *list = NULL;

    *out = (struct recipe_word){.name = definition->name};
    if (!check_bound(context, word))
        return false;
    for (size_t i = 0; i < definition->parameter_count; i++) {
        const struct value value = word->application.arguments[i].value;

        if (value.kind == VALUE_LIST)
            list = value.list;
        else if (value.kind == VALUE_UNBOUND)
            add_argument(out, definition->parameters[i].fallback);
        else if (value_is_numeric(value))
            add_argument(out, value_as_double(value));
    }
    for (size_t i = 0; list && i < list->count && out->argument_count < RECIPE_ARGUMENTS; i++)
        add_argument(out, value_as_double(list->items[i]));
    return true;
}
