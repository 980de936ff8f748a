/* Elaborating texts and shipped files in tests. */
#ifndef TESTS_UNIT_ELABORATE_FIXTURE_H
#define TESTS_UNIT_ELABORATE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "compiler/elaborate.h"
#include "tests/unit/suite.h"

struct fixture {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
    struct elaborate_options options;
    struct definition definitions[8];
    struct elaboration out;
};

/* Zeroes the fixture; the standard library is found in the source tree. */
static inline void fixture_begin(struct fixture *fixture)
{
    const char *folder = getenv("RNET_SOURCE_DIR");

    memset(fixture, 0, sizeof *fixture);
    source_set_init(&fixture->sources, &fixture->arena);
    diagnostics_init(&fixture->diagnostics, &fixture->arena, &fixture->sources);
    fixture->options.definitions = fixture->definitions;
    vector_push(&fixture->sources.include_paths, &fixture->arena,
                arena_format(&fixture->arena, "%s/stdlib", folder ? folder : "."));
}

static inline void fixture_define(struct fixture *fixture, const char *name, const char *value)
{
    fixture->definitions[fixture->options.definition_count++] = (struct definition){name, value};
}

static inline bool fixture_elaborate(struct fixture *fixture, const char *text)
{
    const uint32_t source = source_add(&fixture->sources, "test.rnet", text, strlen(text));

    return elaborate_source(&fixture->arena, &fixture->sources, &fixture->diagnostics, source,
                            &fixture->options, &fixture->out);
}

/* `path` is relative to the source tree. */
static inline bool fixture_elaborate_file(struct fixture *fixture, const char *path)
{
    const char *folder = getenv("RNET_SOURCE_DIR");

    return elaborate(&fixture->arena, &fixture->sources, &fixture->diagnostics,
                     arena_format(&fixture->arena, "%s/%s", folder ? folder : ".", path),
                     &fixture->options, &fixture->out);
}

static inline void fixture_end(struct fixture *fixture)
{
    arena_release(&fixture->arena);
}

/* The codes of all diagnostics in order of report, separated by blanks. */
static inline const char *fixture_codes(struct fixture *fixture)
{
    struct text_builder text = {.arena = &fixture->arena};

    for (size_t i = 0; i < fixture->diagnostics.items.count; i++)
        text_add(&text, "%s%s", i ? " " : "", fixture->diagnostics.items.items[i]->code);
    return text_result(&text);
}

static inline int64_t fixture_parameter_count(const struct fixture *fixture)
{
    const struct graph *graph = fixture->out.graph;
    int64_t total = 0;

    for (size_t i = 0; i < graph->tensors.count; i++) {
        const struct tensor *tensor = &graph->tensors.items[i];
        int64_t count = 1;

        if (tensor->kind != TENSOR_PARAMETER)
            continue;
        for (int axis = 0; axis < tensor->rank; axis++)
            count *= tensor->shape[axis];
        total += count;
    }
    return total;
}

static inline const struct tensor *fixture_find(const struct fixture *fixture, const char *name)
{
    const struct graph *graph = fixture->out.graph;

    for (size_t i = 0; i < graph->tensors.count; i++) {
        if (graph->tensors.items[i].name && strcmp(graph->tensors.items[i].name, name) == 0)
            return &graph->tensors.items[i];
    }
    return NULL;
}

#endif
