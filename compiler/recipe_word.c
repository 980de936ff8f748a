/* The table of recipe words, and reading their arguments. */
#include "compiler/recipe_word.h"

#include <string.h>

#define SIDE(name)                                                                                 \
    {                                                                                              \
        name, WORD_WHOLE, true, 1, 16384, 0, 0                                                     \
    }
#define SHARE(name, fallback)                                                                      \
    {                                                                                              \
        name, WORD_REAL, false, 0, 1, fallback, 0                                                  \
    }
#define OUTPUT(name)                                                                               \
    {                                                                                              \
        name, WORD_CHOICE, true, 0, 0, 0, WORD_NETWORK                                             \
    }

static const struct word_definition definitions[] = {
    {"cifar10", WORD_DATA, {{0}}, 0},
    {"cifar100", WORD_DATA, {{0}}, 0},
    {"imagenet", WORD_DATA, {{0}}, 0},
    {"kinetics", WORD_DATA, {{0}}, 0},
    {"something_something", WORD_DATA, {{0}}, 0},
    {"coco", WORD_DATA, {{0}}, 0},
    {"npy", WORD_DATA, {{0}}, 0},
    {"shapes", WORD_DATA, {{0}}, 0},
    {"pad", WORD_TRANSFORM, {{"width", WORD_WHOLE, true, 0, 16384, 0, 0}}, 1},
    {"random_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"horizontal_flip", WORD_TRANSFORM, {{0}}, 0},
    {"random_resized_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"random_short_side", WORD_TRANSFORM, {SIDE("least"), SIDE("most")}, 2},
    {"resize", WORD_TRANSFORM, {{"size", WORD_SIDES, true, 1, 16384, 0, 0}}, 1},
    {"center_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"three_crops", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"ssd_crop", WORD_TRANSFORM, {SIDE("size")}, 1},
    {"color_jitter",
     WORD_TRANSFORM,
     {SHARE("brightness", 0.125), SHARE("contrast", 0.5), SHARE("saturation", 0.5),
      SHARE("hue", 0.05)},
     4},
    {"step",
     WORD_SCHEDULE,
     {{"at", WORD_LIST, true, 0, 1e9, 0, 0}, {"factor", WORD_REAL, true, 0, 1e9, 0, 0}},
     2},
    {"cosine", WORD_SCHEDULE, {{0}}, 0},
    {"warmup", WORD_SCHEDULE, {{"epochs", WORD_REAL, true, 0, 1e9, 0, 0}}, 1},
    {"he_normal", WORD_INIT, {{"mode", WORD_CHOICE, true, 0, 0, 0, WORD_FAN}}, 1},
    {"xavier_uniform", WORD_INIT, {{0}}, 0},
    {"xavier_normal", WORD_INIT, {{0}}, 0},
    {"fan_in", WORD_FAN, {{0}}, 0},
    {"fan_out", WORD_FAN, {{0}}, 0},
    {"sgd",
     WORD_OPTIMIZER,
     {{"lr", WORD_REAL, true, 0, 1e9, 0, 0},
      {"momentum", WORD_REAL, false, 0, 1, 0, 0},
      {"weight_decay", WORD_REAL, false, 0, 1e9, 0, 0},
      {"nesterov", WORD_FLAG, false, 0, 0, 0, 0},
      {"decay", WORD_CHOICE, false, 0, 0, 0, WORD_DECAY}},
     5},
    {"all", WORD_DECAY, {{0}}, 0},
    {"weights", WORD_DECAY, {{0}}, 0},
    {"cross_entropy", WORD_LOSS, {{0}}, 0},
    {"multibox", WORD_LOSS, {OUTPUT("boxes"), OUTPUT("classes")}, 2},
};

const char *word_role_name(enum word_role role)
{
    static const char *const names[] = {
        [WORD_DATA] = "a data set",
        [WORD_TRANSFORM] = "an image transform",
        [WORD_SCHEDULE] = "a schedule",
        [WORD_INIT] = "an initializer",
        [WORD_FAN] = "fan_in or fan_out",
        [WORD_OPTIMIZER] = "an optimizer",
        [WORD_DECAY] = "all or weights",
        [WORD_LOSS] = "a loss",
        [WORD_NETWORK] = "the name of an output",
    };

    return names[role];
}

const struct word_definition *recipe_word_find(const char *name)
{
    for (size_t i = 0; i < countof(definitions); i++) {
        if (strcmp(definitions[i].name, name) == 0)
            return &definitions[i];
    }
    return NULL;
}

bool recipe_word_names_network(const struct word_definition *definition)
{
    return definition->parameter_count > 0 && definition->parameters[0].role == WORD_NETWORK;
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

static const struct signature *word_new(struct context *context,
                                        const struct word_definition *definition, struct span span,
                                        struct value *out)
{
    const struct signature *signature = word_signature(context, definition);
    struct word *word = ARENA_NEW(context->arena, struct word);
    struct word_chain *chain = ARENA_NEW(context->arena, struct word_chain);

    word->definition = definition;
    word->application = (struct application){
        signature, ARENA_ARRAY(context->arena, struct argument, WORD_ARGUMENTS)};
    word->span = span;
    *chain = (struct word_chain){word, 1};
    *out = (struct value){.kind = VALUE_WORDS, .words = chain};
    return signature;
}

void recipe_words_declare(struct context *context)
{
    for (size_t i = 0; i < countof(definitions); i++) {
        struct value value;
        const struct signature *signature =
            word_new(context, &definitions[i], (struct span){0}, &value);

        scope_add(context->words, context->arena, signature->name, (struct span){0}, value)
            ->signature = signature;
    }
}

struct value recipe_word_of_network(struct context *context, const char *name, struct span span)
{
    struct word_definition *definition = ARENA_NEW(context->arena, struct word_definition);
    struct value value;

    definition->name = name;
    definition->role = WORD_NETWORK;
    word_new(context, definition, span, &value);
    return value;
}

/* ---- arguments ---- */

static void report_type(struct context *context, const struct word_parameter *parameter,
                        struct value value, struct span span)
{
    static const char *const wanted[] = {
        [WORD_WHOLE] = "an integer",
        [WORD_REAL] = "a number",
        [WORD_FLAG] = "true or false",
        [WORD_LIST] = "a list of numbers",
        [WORD_SIDES] = "an integer or a list of one an axis",
    };
    const char *word =
        parameter->type == WORD_CHOICE ? word_role_name(parameter->role) : wanted[parameter->type];

    if (value.kind == VALUE_WORDS)
        report(context, DIAGNOSTIC_WRONG_TYPE, span, "`%s` must be %s; `%s` is %s", parameter->name,
               word, value.words->items[0].definition->name,
               word_role_name(value.words->items[0].definition->role));
    else
        report(context, DIAGNOSTIC_WRONG_TYPE, span, "`%s` must be %s, not %s", parameter->name,
               word, value_kind_name(value.kind));
}

static bool check_number(struct context *context, const struct word_parameter *parameter,
                         struct value value, struct span span)
{
    const bool whole = parameter->type == WORD_WHOLE || parameter->type == WORD_SIDES;
    double number;

    if (!value_is_numeric(value) || (whole && value.kind != VALUE_INTEGER)) {
        report_type(context, parameter, value, span);
        return false;
    }
    number = value_as_double(value);
    if (number >= parameter->minimum && number <= parameter->maximum)
        return true;
    report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` must lie between %.0f and %.0f, not %s",
           parameter->name, parameter->minimum, parameter->maximum,
           value_text(value, context->arena));
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
        if (parameter->type == WORD_LIST && i > 0 &&
            value_as_double(value.list->items[i]) <= value_as_double(value.list->items[i - 1])) {
            report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` must be ascending",
                   parameter->name);
            return false;
        }
    }
    return true;
}

static bool check_sides(struct context *context, const struct word_parameter *parameter,
                        struct value value, struct span span)
{
    if (value.kind != VALUE_LIST)
        return check_number(context, parameter, value, span);
    if (value.list->count >= 1 && value.list->count <= GRID_RANK)
        return check_list(context, parameter, value, span);
    report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` has %zu axes; an image has 2, a video 3",
           parameter->name, value.list->count);
    return false;
}

static bool check_choice(struct context *context, const struct word_parameter *parameter,
                         struct value value, struct span span)
{
    if (value.kind == VALUE_WORDS && value.words->count == 1 &&
        value.words->items[0].definition->role == parameter->role)
        return true;
    report_type(context, parameter, value, span);
    return false;
}

bool recipe_word_check_argument(struct context *context, const struct word_parameter *parameter,
                                const struct argument *argument)
{
    const struct value value = argument->value;

    if (value.kind == VALUE_UNBOUND || value.kind == VALUE_POISON)
        return true;
    switch (parameter->type) {
    case WORD_LIST:
        return check_list(context, parameter, value, argument->span);
    case WORD_SIDES:
        return check_sides(context, parameter, value, argument->span);
    case WORD_CHOICE:
        return check_choice(context, parameter, value, argument->span);
    case WORD_FLAG:
        if (value.kind == VALUE_BOOLEAN)
            return true;
        report_type(context, parameter, value, argument->span);
        return false;
    default:
        return check_number(context, parameter, value, argument->span);
    }
}

void recipe_word_check(struct context *context, const struct word_definition *definition,
                       struct argument *arguments)
{
    for (size_t i = 0; i < definition->parameter_count; i++) {
        if (!recipe_word_check_argument(context, &definition->parameters[i], &arguments[i]))
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

    *out = (struct recipe_word){.name = definition->name, .span = word->span};
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
