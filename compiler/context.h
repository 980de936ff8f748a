/* What all of an elaboration shares: where things live, what was reported, how deep it is.
 *
 * There is no other state: two elaborations never meet. */
#ifndef COMPILER_CONTEXT_H
#define COMPILER_CONTEXT_H

#include "compiler/op.h"
#include "compiler/scope.h"

enum {
    INSTANCE_LIMIT = 256,   /* blocks and stages inside each other */
    RUN_DEPTH_LIMIT = 1200, /* chains, sums, labels and loops inside each other */
    EVALUATE_DEPTH_LIMIT = 1000,
    LAYER_LIMIT = 1000 * 1000,
    STEPS_PER_LAYER = 32,    /* the work allowed for each layer allowed; some 10 is usual */
    STEPS_PER_POSITION = 16, /* of a stage, `repeat` or `for` */
    STEPS_PER_STATEMENT = 4,
    STEPS_PER_COMBINATION = 4, /* a sum, product or join, beside its terms */
    TERM_LIMIT = UINT16_MAX,   /* of one sum, product or join */
    LIST_LIMIT = 1000 * 1000,
    NAME_LENGTH_LIMIT = 4096, /* of a parameter's name */
};

/* A block or stage being run, for the notes of a diagnostic. On the C stack. */
struct frame {
    const struct frame *outer;
    const char *kind; /* "block", "stage" */
    const char *name;
    struct span span; /* where it is used */
    int64_t index;    /* position in a stage, or -1 */
    int depth;        /* how many frames, with this one */
};

/* `output name = ...`, as it was met. */
struct output_part {
    const char *name;
    tensor_id tensor;
    struct span span; /* of what is applied */
};

/* The scope of parameter names that layers are added to. On the C stack. */
struct naming {
    const char *prefix; /* "layer1.0", or "" */
    int64_t count;      /* layers and labelled terms so far */
};

struct context {
    struct arena *arena;
    struct source_set *sources;
    struct diagnostics *diagnostics;
    struct scope *builtins; /* layers and functions */
    struct scope *words;    /* what only recipes know; hides builtins there */
    struct table joins;     /* lists that were met as blocks: numbers of `join_parts` */
    VECTOR(const struct block *const *) join_parts;
    struct table reported; /* (code, place) of every mistake: one report each */
    const struct frame *frame;
    bool unreadable; /* a file is missing or did not parse */
    /* the network being built */
    struct graph *graph;
    struct naming *naming;
    struct table labels;        /* full paths of labels and positions: numbers of places */
    struct table parameters;    /* full names of parameters: numbers of places */
    VECTOR(struct span) places; /* where these were claimed */
    VECTOR(struct output_part) outputs;
    bool has_input; /* `input` was met */
    /* limits */
    int run_depth, evaluate_depth;
    int64_t layers, layer_limit, steps;
    bool stopped; /* a limit was met and reported; nothing more happens */
};

/* Where an expression is evaluated. */
struct environment {
    const struct scope *scope;
    tensor_id input;    /* what `input.channels` speaks of; TENSOR_NONE after a mistake */
    bool has_input;     /* there is such a tensor */
    bool in_recipe;     /* words of recipes have their meaning */
    bool names_network; /* other names are the network's own: labels, outputs */
};

void context_init(struct context *context, struct arena *arena, struct source_set *sources,
                  struct diagnostics *diagnostics);

const char *context_intern(struct context *context, const char *text);

/* Reports an error, at most one of each code for a place, however often a block is used. NULL if
 * it was reported before. */
struct diagnostic *report(struct context *context, enum diagnostic_code code, struct span span,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds "in block `x` used here" for every block and stage around, innermost first. */
void report_chain(struct context *context, struct diagnostic *diagnostic);

/* Looks a name up: scopes, then words of recipes if these count, then layers and functions. */
struct binding *context_find(const struct context *context, const struct scope *scope,
                             bool in_recipe, const char *name);

/* Reports an unknown name with the nearest known spelling. */
void report_unknown(struct context *context, const struct scope *scope, bool in_recipe,
                    const char *name, struct span span);

/* Counts `count` units of work; false, once reported, where it is too much. */
bool context_step(struct context *context, struct span span, int64_t count);

/* Reports an argument that a signature lacks, with the nearest spelling. */
void report_unknown_argument(struct context *context, const struct signature *signature,
                             const char *name, struct span span);

void report_too_many_arguments(struct context *context, const struct signature *signature,
                               struct span span);

#endif
