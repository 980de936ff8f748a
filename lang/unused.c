/* Unused `let`s. Rather too few warnings than a false one: a use anywhere in the file counts for
 * every binding of that name. */
#include "lang/unused.h"

#include <string.h>

static void collect_uses(struct table *uses, const struct node *node)
{
    if (node->kind == NODE_NAME)
        table_set(uses, node->name, strlen(node->name), 1);
    for (size_t i = 0; i < node->count; i++)
        collect_uses(uses, node->items[i]);
}

static void warn(struct diagnostics *diagnostics, const struct node *let)
{
    struct diagnostic *diagnostic =
        diagnostic_warning(diagnostics, DIAGNOSTIC_UNUSED, let->name_span,
                           "`%s` is bound here and never used", let->name);

    diagnostic_label(diagnostics, diagnostic, "has no effect");
}

static void report_bodies(struct diagnostics *diagnostics, const struct table *uses,
                          const struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if (node->kind == NODE_BODY && item->kind == NODE_LET &&
            !table_find(uses, item->name, strlen(item->name)))
            warn(diagnostics, item);
        report_bodies(diagnostics, uses, item);
    }
}

void unused_report(struct diagnostics *diagnostics, const struct node *file)
{
    struct table uses = {.arena = diagnostics->arena};

    collect_uses(&uses, file);
    report_bodies(diagnostics, &uses, file);
}
