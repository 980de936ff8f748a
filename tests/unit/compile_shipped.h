/* Shipped networks through all passes. */
#ifndef TESTS_UNIT_COMPILE_SHIPPED_H
#define TESTS_UNIT_COMPILE_SHIPPED_H

#include <string.h>

#include "compiler/pass.h"
#include "compiler/report.h"
#include "tests/unit/elaborate_fixture.h"
#include "tests/unit/shipped_networks.h"

/* Whether number `i` of the shipped networks is the first of its file. */
static inline bool is_first_of_file(size_t i)
{
    size_t first = 0;

    while (strcmp(shipped_networks[first].file, shipped_networks[i].file) != 0)
        first++;
    return first == i;
}

static inline void define_all(struct fixture *f, const char *options)
{
    char *text = arena_copy_text(&f->arena, options, strlen(options));

    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *equals = strchr(word, '=');

        *equals = '\0';
        fixture_define(f, word, equals + 1);
    }
}

/* For the processor, or where a library computes the convolutions: all passes without a limit;
 * false where there is no training step. */
static inline bool compile_shipped(struct fixture *f, struct compilation *compilation,
                                   const char *file, const char *options, bool for_library)
{
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    fixture_begin(f);
    define_all(f, options);
    ck_assert(fixture_elaborate_file(f, arena_format(&f->arena, "examples/%s.rnet", file)));
    *compilation =
        (struct compilation){.arena = &f->arena,
                             .sources = &f->sources,
                             .elaboration = f->out,
                             .keeps_convolutions = for_library,
                             .precision = for_library ? RNET_PRECISION_BF16 : RNET_PRECISION_FP32};
    if (!report_can_plan(&compilation->elaboration))
        return false;
    for (size_t i = 0; i < count; i++)
        passes[i].run(compilation);
    return true;
}

#endif
