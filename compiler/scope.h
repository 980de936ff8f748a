/* Names and what they stand for, innermost scope first.
 *
 * A file has one scope of what it declares, whose outer scope holds what its `use` lines bring in;
 * blocks, stages and bodies add small scopes. Inner names hide outer ones. */
#ifndef COMPILER_SCOPE_H
#define COMPILER_SCOPE_H

#include "base/table.h"
#include "base/vector.h"
#include "compiler/value.h"

struct binding {
    const char *name; /* interned */
    struct span span; /* where it is declared */
    struct value value;
    const struct signature *signature; /* of what `value` certainly is, or NULL */
    /* A `let` of a file waits for its first use, so that files may declare in any order. */
    const struct node *pending; /* its expression while it waits, else NULL */
    struct scope *home;         /* where `pending` is evaluated */
    bool busy;                  /* being evaluated: meeting it again is a circle */
};

struct scope {
    const struct scope *outer; /* or NULL */
    VECTOR(struct binding *) bindings;
    struct table table; /* of a file's scope: binding numbers by name; else without arena */
};

/* `is_large`: lookups by hashing. */
struct scope *scope_new(struct arena *arena, const struct scope *outer, bool is_large);

/* Adds a name to `scope`, hiding an earlier one of the same name. */
struct binding *scope_add(struct scope *scope, struct arena *arena, const char *name,
                          struct span span, struct value value);

/* Makes a binding of another scope visible here. */
void scope_share(struct scope *scope, struct arena *arena, struct binding *binding);

/* Looks in this scope alone; NULL if it is not there. */
struct binding *scope_find_here(const struct scope *scope, const char *name);

/* Looks outward from `scope` (which may be NULL); NULL if it is nowhere. */
struct binding *scope_find(const struct scope *scope, const char *name);

/* All names in `scopes`, for spelling suggestions. */
struct name_list {
    struct arena *arena;
    VECTOR(const char *) names;
};

void scope_list_names(const struct scope *scope, struct name_list *list);

#endif
