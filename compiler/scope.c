/* Lists of bindings, hashed where they are long. */
#include "compiler/scope.h"

struct scope *scope_new(struct arena *arena, const struct scope *outer, bool is_large)
{
    struct scope *scope = ARENA_NEW(arena, struct scope);

    scope->outer = outer;
    if (is_large)
        scope->table.arena = arena;
    return scope;
}

void scope_share(struct scope *scope, struct arena *arena, struct binding *binding)
{
    vector_push(&scope->bindings, arena, binding);
    if (scope->table.arena)
        table_set(&scope->table, &binding->name, sizeof binding->name, scope->bindings.count - 1);
}

struct binding *scope_add(struct scope *scope, struct arena *arena, const char *name,
                          struct span span, struct value value)
{
    struct binding *binding = ARENA_NEW(arena, struct binding);

    binding->name = name;
    binding->span = span;
    binding->value = value;
    scope_share(scope, arena, binding);
    return binding;
}

struct binding *scope_find_here(const struct scope *scope, const char *name)
{
    if (scope->table.arena) {
        const struct table_entry *entry = table_find(&scope->table, &name, sizeof name);

        return entry ? scope->bindings.items[entry->value] : NULL;
    }
    for (size_t i = scope->bindings.count; i-- > 0;) {
        if (scope->bindings.items[i]->name == name)
            return scope->bindings.items[i];
    }
    return NULL;
}

struct binding *scope_find(const struct scope *scope, const char *name)
{
    for (; scope; scope = scope->outer) {
        struct binding *binding = scope_find_here(scope, name);

        if (binding)
            return binding;
    }
    return NULL;
}

void scope_list_names(const struct scope *scope, struct name_list *list)
{
    for (; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->bindings.count; i++)
            vector_push(&list->names, list->arena, scope->bindings.items[i]->name);
    }
}
