/* `--emit ast`: one node a line, children indented, each with the place where it is written.
 *
 *     chain [3:5-3:40]
 *       label conv1 [3:5-3:24]
 */
#include <stdlib.h>

#include "lang/ast.h"

struct ast_printer {
    const struct source_set *sources;
    struct arena scratch; /* of one line */
    FILE *stream;
};

/* The fewest digits that read back as the same number. */
static void add_number(struct text_builder *line, double number)
{
    char text[40];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, number);
        if (strtod(text, NULL) >= number && strtod(text, NULL) <= number)
            break;
    }
    text_add(line, " %s", text);
}

static void add_contents(struct text_builder *line, const struct node *node)
{
    switch (node->kind) {
    case NODE_INTEGER: text_add(line, " %lld", (long long)node->integer); break;
    case NODE_NUMBER: add_number(line, node->number); break;
    case NODE_BOOLEAN: text_add(line, node->integer ? " true" : " false"); break;
    case NODE_OPERATOR: text_add(line, " %s", operator_text(node->operator)); break;
    case NODE_STRING:
        text_add(line, " ");
        text_add_json(line, node->name);
        break;
    default:
        if (node->name2)
            text_add(line, " %s,", node->name2);
        if (node->name)
            text_add(line, " %s", node->name);
    }
}

static void print_node(struct ast_printer *printer, const struct node *node, int depth)
{
    const struct source *source = printer->sources->sources.items[node->span.source];
    struct position begin = source_position(source, node->span.begin);
    struct position end = source_position(source, node->span.end);
    struct text_builder line = {.arena = &printer->scratch};

    text_add(&line, "%*s%s", 2 * depth, "", node_kind_name(node->kind));
    add_contents(&line, node);
    fprintf(printer->stream, "%s [%u:%u-%u:%u]\n", text_result(&line), begin.line, begin.column,
            end.line, end.column);
    arena_reset(&printer->scratch);
    for (size_t i = 0; i < node->count; i++)
        print_node(printer, node->items[i], depth + 1);
}

void ast_print(const struct node *node, const struct source_set *sources, FILE *stream)
{
    struct ast_printer printer = {.sources = sources, .stream = stream};

    print_node(&printer, node, 0);
    arena_release(&printer.scratch);
}
