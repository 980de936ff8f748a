/* Operators go by the types of their operands: two numbers give a number, two blocks a block. */
#include <math.h>

#include "compiler/evaluate.h"

/* ---- arithmetic ---- */

static struct value overflow(struct context *context, struct span span, const char *text)
{
    report_chain(context, report(context, DIAGNOSTIC_OVERFLOW, span, "%s", text));
    return value_poison();
}

static struct value not_whole(struct context *context, struct span span, int64_t a, int64_t b)
{
    struct diagnostic *diagnostic =
        report(context, DIAGNOSTIC_NOT_WHOLE, span, "%lld / %lld is not a whole number",
               (long long)a, (long long)b);

    diagnostic_help(context->diagnostics, diagnostic,
                    "write one of them as a number, such as %lld.0, where a fraction is meant",
                    (long long)b);
    report_chain(context, diagnostic);
    return value_poison();
}

static bool integer_power(int64_t base, int64_t exponent, int64_t *out)
{
    int64_t result = 1;

    if (base == 0 || base == 1) {
        *out = exponent == 0 ? 1 : base;
        return true;
    }
    if (base == -1) {
        *out = exponent % 2 ? -1 : 1;
        return true;
    }
    for (; exponent > 0; exponent--) {
        if (__builtin_mul_overflow(result, base, &result))
            return false;
    }
    *out = result;
    return true;
}

static struct value divide_integers(struct context *context, struct span span,
                                    enum operator operator, int64_t a, int64_t b)
{
    if (b == 0)
        return overflow(context, span, "this divides by zero");
    if (b == -1 && a == INT64_MIN)
        return overflow(context, span, "this leaves the range of integers");
    if (operator== OPERATOR_REMAINDER)
        return value_integer(a % b);
    return a % b == 0 ? value_integer(a / b) : not_whole(context, span, a, b);
}

static struct value integer_operation(struct context *context, struct span span,
                                      enum operator operator, int64_t a, int64_t b)
{
    int64_t result = 0;
    bool failed = false;

    switch (operator) {
    case OPERATOR_ADD:
        failed = __builtin_add_overflow(a, b, &result);
        break;
    case OPERATOR_SUBTRACT:
        failed = __builtin_sub_overflow(a, b, &result);
        break;
    case OPERATOR_MULTIPLY:
        failed = __builtin_mul_overflow(a, b, &result);
        break;
    case OPERATOR_POWER:
        if (b < 0)
            return overflow(context, span, "the exponent of an integer must not be negative");
        failed = !integer_power(a, b, &result);
        break;
    default:
        return divide_integers(context, span, operator, a, b);
    }
    if (failed)
        return overflow(context, span, "this leaves the range of integers");
    return value_integer(result);
}

static double number_result(enum operator operator, double a, double b)
{
    switch (operator) {
    case OPERATOR_ADD:
        return a + b;
    case OPERATOR_SUBTRACT:
        return a - b;
    case OPERATOR_MULTIPLY:
        return a * b;
    case OPERATOR_DIVIDE:
        return a / b;
    case OPERATOR_REMAINDER:
        return fmod(a, b);
    default:
        return pow(a, b);
    }
}

static struct value number_operation(struct context *context, struct span span,
                                     enum operator operator, double a, double b)
{
    const double result = number_result(operator, a, b);

    if (!isfinite(result))
        return overflow(context, span, "this is not a finite number");
    return value_number(result);
}

static struct value arithmetic(struct context *context, struct span span, enum operator operator,
                               struct value a, struct value b)
{
    if (a.kind == VALUE_INTEGER && b.kind == VALUE_INTEGER)
        return integer_operation(context, span, operator, a.integer, b.integer);
    return number_operation(context, span, operator, value_as_double(a), value_as_double(b));
}

/* ---- comparison ---- */

static struct value mismatch(struct context *context, const struct node *node, struct value a,
                             struct value b)
{
    struct diagnostic *diagnostic;

    if (a.kind == VALUE_POISON || b.kind == VALUE_POISON)
        return value_poison();
    diagnostic =
        report(context, DIAGNOSTIC_WRONG_TYPE, node->span, "`%s` does not work on %s and %s",
               operator_text(node->operator), value_kind_name(a.kind),
               a.kind == b.kind ? "another" : value_kind_name(b.kind));
    if (a.kind == b.kind) {
        report_chain(context, diagnostic);
        return value_poison();
    }
    diagnostic_note(context->diagnostics, diagnostic, node->items[0]->span, "this is %s",
                    value_kind_name(a.kind));
    diagnostic_note(context->diagnostics, diagnostic, node->items[1]->span, "this is %s",
                    value_kind_name(b.kind));
    report_chain(context, diagnostic);
    return value_poison();
}

/* -1, 0 or 1; integers are compared exactly. */
static int compare_numbers(struct value a, struct value b)
{
    if (a.kind == VALUE_INTEGER && b.kind == VALUE_INTEGER)
        return (a.integer > b.integer) - (a.integer < b.integer);
    return (value_as_double(a) > value_as_double(b)) - (value_as_double(a) < value_as_double(b));
}

/* Equality of what is no list; false if the two can't be compared. */
static bool equal_scalars(struct value a, struct value b, bool *out_equal)
{
    if (value_is_numeric(a) && value_is_numeric(b))
        *out_equal = compare_numbers(a, b) == 0;
    else if (a.kind == VALUE_BOOLEAN && b.kind == VALUE_BOOLEAN)
        *out_equal = a.boolean == b.boolean;
    else
        return false;
    return true;
}

/* A number stands for every axis of a list. */
static bool equal_lists(struct value a, struct value b, bool *out_equal)
{
    const struct value list = a.kind == VALUE_LIST ? a : b;
    const size_t count = list.list->count;
    bool equal = true;

    if (a.kind == VALUE_LIST && b.kind == VALUE_LIST && a.list->count != b.list->count) {
        *out_equal = false;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const struct value left = a.kind == VALUE_LIST ? a.list->items[i] : a;
        const struct value right = b.kind == VALUE_LIST ? b.list->items[i] : b;
        bool same;

        if (!equal_scalars(left, right, &same))
            return false;
        equal = equal && same;
    }
    *out_equal = equal;
    return true;
}

static struct value equality(struct context *context, const struct node *node, struct value a,
                             struct value b)
{
    const bool lists = a.kind == VALUE_LIST || b.kind == VALUE_LIST;
    bool equal;

    if (!(lists ? equal_lists(a, b, &equal) : equal_scalars(a, b, &equal)))
        return mismatch(context, node, a, b);
    return value_boolean(equal == (node->operator== OPERATOR_EQUAL));
}

static struct value ordering(struct context *context, const struct node *node, struct value a,
                             struct value b)
{
    int order;

    if (!value_is_numeric(a) || !value_is_numeric(b))
        return mismatch(context, node, a, b);
    order = compare_numbers(a, b);
    switch (node->operator) {
    case OPERATOR_LESS:
        return value_boolean(order < 0);
    case OPERATOR_LESS_EQUAL:
        return value_boolean(order <= 0);
    case OPERATOR_GREATER:
        return value_boolean(order > 0);
    default:
        return value_boolean(order >= 0);
    }
}

/* ---- ranges, and, or ---- */

static struct value range(struct context *context, const struct node *node, struct value a,
                          struct value b)
{
    struct value *items;
    int64_t count;

    if (a.kind != VALUE_INTEGER || b.kind != VALUE_INTEGER)
        return mismatch(context, node, a, b);
    if (__builtin_sub_overflow(b.integer, a.integer, &count) || count > LIST_LIMIT) {
        report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, node->span,
                                     "a range of more than %d elements", LIST_LIMIT));
        return value_poison();
    }
    if (count < 0)
        count = 0;
    if (!context_step(context, node->span, count))
        return value_poison();
    items = ARENA_ARRAY(context->arena, struct value, count + 1);
    for (int64_t i = 0; i < count; i++)
        items[i] = value_integer(a.integer + i);
    return value_list(context->arena, items, (size_t)count);
}

static struct value logic(struct context *context, const struct environment *environment,
                          const struct node *node)
{
    const bool decides = node->operator== OPERATOR_OR;

    for (size_t i = 0; i < node->count; i++) {
        bool poison;
        const bool condition = evaluate_condition(context, environment, node->items[i], &poison);

        if (poison)
            return value_poison();
        if (condition == decides)
            return value_boolean(decides);
    }
    return value_boolean(!decides);
}

/* ---- sums and products ---- */

static struct value combine_blocks(struct context *context, const struct node *node,
                                   const struct value *values)
{
    const struct block **parts = ARENA_ARRAY(context->arena, const struct block *, node->count);

    for (size_t i = 0; i < node->count; i++) {
        if (values[i].kind != VALUE_BLOCK && values[i].kind != VALUE_POISON &&
            !value_is_join(values[i]))
            return mismatch(context, node, values[0], values[i ? i : 1]);
        parts[i] = require_block(context, values[i], node->items[i]->span);
    }
    if (node->operator== OPERATOR_ADD)
        return value_block(block_of_parts(context, BLOCK_SUM, node->span, parts, node->count));
    if (node->operator== OPERATOR_MULTIPLY)
        return value_block(block_of_parts(context, BLOCK_PRODUCT, node->span, parts, node->count));
    return mismatch(context, node, values[0], values[1]);
}

static struct value combine_numbers(struct context *context, const struct node *node,
                                    const struct value *values)
{
    struct value result = values[0];

    for (size_t i = 1; i < node->count; i++) {
        if (!value_is_numeric(result) || !value_is_numeric(values[i]))
            return mismatch(context, node, result, values[i]);
        result = arithmetic(context, node->span, node->operator, result, values[i]);
        if (result.kind == VALUE_POISON)
            break;
    }
    return result;
}

static struct value combine(struct context *context, const struct environment *environment,
                            const struct node *node)
{
    struct value *values = ARENA_ARRAY(context->arena, struct value, node->count);
    bool blocks = false, poison = false;

    for (size_t i = 0; i < node->count; i++) {
        values[i] = evaluate(context, environment, node->items[i]);
        blocks = blocks || values[i].kind == VALUE_BLOCK || value_is_join(values[i]);
        poison = poison || values[i].kind == VALUE_POISON;
    }
    if (blocks)
        return combine_blocks(context, node, values);
    return poison ? value_poison() : combine_numbers(context, node, values);
}

struct value evaluate_operator(struct context *context, const struct environment *environment,
                               const struct node *node)
{
    struct value a, b;

    if (node->operator== OPERATOR_AND || node->operator== OPERATOR_OR)
        return logic(context, environment, node);
    if (node->operator>= OPERATOR_ADD)
        return combine(context, environment, node);
    a = evaluate(context, environment, node->items[0]);
    b = evaluate(context, environment, node->items[1]);
    if (a.kind == VALUE_POISON || b.kind == VALUE_POISON)
        return value_poison();
    if (node->operator== OPERATOR_RANGE)
        return range(context, node, a, b);
    if (node->operator== OPERATOR_EQUAL || node->operator== OPERATOR_NOT_EQUAL)
        return equality(context, node, a, b);
    return ordering(context, node, a, b);
}

/* ---- chains ---- */

static struct value chain_words(struct context *context, const struct node *node,
                                const struct value *values)
{
    struct word_chain *chain = ARENA_NEW(context->arena, struct word_chain);
    VECTOR(struct word) words = {0};

    for (size_t i = 0; i < node->count; i++) {
        if (values[i].kind == VALUE_POISON)
            return value_poison();
        if (values[i].kind != VALUE_WORDS) {
            report(context, DIAGNOSTIC_WRONG_TYPE, node->items[i]->span,
                   "a word of recipes is required here, not %s", value_kind_name(values[i].kind));
            return value_poison();
        }
        for (size_t word = 0; word < values[i].words->count; word++)
            vector_push(&words, context->arena, values[i].words->items[word]);
    }
    *chain = (struct word_chain){words.items, words.count};
    return (struct value){.kind = VALUE_WORDS, .words = chain};
}

struct value evaluate_chain(struct context *context, const struct environment *environment,
                            const struct node *node)
{
    struct value *values = ARENA_ARRAY(context->arena, struct value, node->count);
    const struct block **parts = ARENA_ARRAY(context->arena, const struct block *, node->count);
    bool words = false;

    for (size_t i = 0; i < node->count; i++) {
        values[i] = evaluate(context, environment, node->items[i]);
        words = words || values[i].kind == VALUE_WORDS;
    }
    if (words)
        return chain_words(context, node, values);
    for (size_t i = 0; i < node->count; i++)
        parts[i] = require_block(context, values[i], node->items[i]->span);
    return value_block(block_of_parts(context, BLOCK_CHAIN, node->span, parts, node->count));
}

/* ---- signs ---- */

struct value evaluate_negate(struct context *context, const struct environment *environment,
                             const struct node *node)
{
    struct value value;

    if (node->kind == NODE_NOT) {
        bool poison;
        const bool condition = evaluate_condition(context, environment, node->items[0], &poison);

        return poison ? value_poison() : value_boolean(!condition);
    }
    value = evaluate(context, environment, node->items[0]);
    if (value.kind == VALUE_NUMBER)
        return value_number(-value.number);
    if (value.kind == VALUE_INTEGER)
        return integer_operation(context, node->span, OPERATOR_SUBTRACT, 0, value.integer);
    if (value.kind != VALUE_POISON)
        report_chain(context, report(context, DIAGNOSTIC_WRONG_TYPE, node->items[0]->span,
                                     "`-` does not work on %s", value_kind_name(value.kind)));
    return value_poison();
}
