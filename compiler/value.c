/* Making and showing values. */
#include "compiler/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { TEXT_ITEMS = 12, TEXT_DEPTH = 4 };

struct value value_poison(void)
{
    return (struct value){.kind = VALUE_POISON};
}

struct value value_integer(int64_t integer)
{
    return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}

struct value value_number(double number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

struct value value_boolean(bool boolean)
{
    return (struct value){.kind = VALUE_BOOLEAN, .boolean = boolean};
}

struct value value_block(const struct block *block)
{
    return (struct value){.kind = VALUE_BLOCK, .block = block};
}

struct value value_list(struct arena *arena, const struct value *items, size_t count)
{
    struct value_list *list = ARENA_NEW(arena, struct value_list);

    list->items = items;
    list->count = count;
    for (size_t i = 0; i < count && !list->has_block; i++)
        list->has_block = items[i].kind == VALUE_BLOCK || value_is_join(items[i]);
    return (struct value){.kind = VALUE_LIST, .list = list};
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_UNBOUND] = "nothing",     [VALUE_POISON] = "a mistake",
        [VALUE_INTEGER] = "an integer",  [VALUE_NUMBER] = "a number",
        [VALUE_BOOLEAN] = "a boolean",   [VALUE_LIST] = "a list",
        [VALUE_MAP] = "a map",           [VALUE_BLOCK] = "a block",
        [VALUE_FUNCTION] = "a function", [VALUE_WORDS] = "a word of recipes",
        [VALUE_RECIPE] = "a recipe",
    };

    return names[kind];
}

bool value_is_numeric(struct value value)
{
    return value.kind == VALUE_INTEGER || value.kind == VALUE_NUMBER;
}

double value_as_double(struct value value)
{
    return value.kind == VALUE_INTEGER ? (double)value.integer : value.number;
}

bool value_is_join(struct value value)
{
    return value.kind == VALUE_LIST && value.list->has_block;
}

const char *block_name(const struct block *block)
{
    switch (block->kind) {
    case BLOCK_LAYER:
    case BLOCK_DECLARED:
    case BLOCK_STAGE:
        return block->application.signature->name;
    case BLOCK_IDENTITY:
        return "identity";
    case BLOCK_LABEL:
        return block->label;
    default:
        return "this block";
    }
}

/* The shortest digits that read back as the same number, with a point or an exponent. */
static void add_number(struct text_builder *text, double number)
{
    char digits[40];

    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_add(text, "%s%s", digits, strpbrk(digits, ".en") ? "" : ".0");
}

static void add_value(struct text_builder *text, struct value value, int depth);

static void add_list(struct text_builder *text, const struct value_list *list, int depth)
{
    text_add(text, "[");
    for (size_t i = 0; i < list->count; i++) {
        if (i == TEXT_ITEMS || depth == TEXT_DEPTH) {
            text_add(text, "%s...", i ? ", " : "");
            break;
        }
        text_add(text, "%s", i ? ", " : "");
        add_value(text, list->items[i], depth + 1);
    }
    text_add(text, "]");
}

static void add_map(struct text_builder *text, const struct value_map *map, int depth)
{
    text_add(text, "{");
    for (size_t i = 0; i < map->count; i++) {
        if (i == TEXT_ITEMS || depth == TEXT_DEPTH) {
            text_add(text, "%s...", i ? ", " : "");
            break;
        }
        text_add(text, "%s%lld: ", i ? ", " : "", (long long)map->keys[i]);
        add_value(text, map->values[i], depth + 1);
    }
    text_add(text, "}");
}

static void add_value(struct text_builder *text, struct value value, int depth)
{
    switch (value.kind) {
    case VALUE_INTEGER:
        text_add(text, "%lld", (long long)value.integer);
        break;
    case VALUE_NUMBER:
        add_number(text, value.number);
        break;
    case VALUE_BOOLEAN:
        text_add(text, "%s", value.boolean ? "true" : "false");
        break;
    case VALUE_LIST:
        add_list(text, value.list, depth);
        break;
    case VALUE_MAP:
        add_map(text, value.map, depth);
        break;
    case VALUE_BLOCK:
        text_add(text, "%s", block_name(value.block));
        break;
    case VALUE_RECIPE:
        text_add(text, "%s", value.recipe->application.signature->name);
        break;
    case VALUE_WORDS:
        text_add(text, "%s", value.words->items[0].application.signature->name);
        break;
    default:
        text_add(text, "%s", value_kind_name(value.kind));
    }
}

const char *value_text(struct value value, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    add_value(&text, value, 0);
    return text_result(&text);
}

int signature_find(const struct signature *signature, const char *name)
{
    for (size_t i = 0; i < signature->count; i++) {
        if (signature->parameters[i] == name)
            return (int)i;
    }
    return -1;
}
