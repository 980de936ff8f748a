/* What is known of a network at compile time: layers, parameters, multiply-adds, memory, and what
 * a signal meets on the main path. */
#ifndef COMPILER_REPORT_H
#define COMPILER_REPORT_H

#include "compiler/main_path.h"
#include "compiler/pass.h"

/* What counts as work. */
enum report_count {
    REPORT_MACS,     /* multiply-adds of convolutions and linear layers */
    REPORT_THOP,     /* as the counter `thop` 0.0.22 did, whose ReLU is shared within a block */
    REPORT_THOP_ALL, /* the same, every ReLU counted */
    REPORT_COUNT_COUNT
};

/* Sums over some layers, for one image. */
struct report_cost {
    int64_t layers;           /* operations, with sums and joins */
    int64_t parameters;
    int64_t macs;
    int64_t work;             /* by the count that was asked for */
    int64_t activation_bytes; /* of all results in float32, before passes join any */
};

struct report_layer {
    op_id op;
    bool on_main_path;
    struct report_cost cost;
};

/* A run of layers: a stage, or what stands before, between and after stages. */
struct report_stage {
    const char *name;  /* "layer1", "stem", "head", or the first layer's where nothing fits */
    bool is_stage;
    const char *block; /* name of the block that the last layer is in */
    int64_t blocks;    /* 0 where it is no stage */
    size_t first, end; /* of the report's layers */
    struct report_cost cost;
    struct gate_counts main_path;
};

struct report {
    const struct compilation *compilation;
    enum report_count count;
    VECTOR(struct report_layer) layers;
    VECTOR(struct report_stage) stages;
    struct report_cost total;
    struct main_path path;
    struct gate_counts main_path;       /* within stages: the paper's numbers */
    struct gate_counts main_path_total; /* with stem and head */
    bool has_memory;                    /* the passes have run */
    uint64_t train_bytes, infer_bytes;  /* all regions, at the planned batch */
    uint64_t train_peak;                /* ... with what else a process needs */
    uint64_t unlimited_train_peak;      /* ... if there were no limit of memory */
    uint64_t data_bytes;                /* what the recipe's data set takes in memory */
};

/* "macs", "thop", "thop-all". */
const char *report_count_name(enum report_count count);
/* False if there is no such count. */
bool report_count_find(const char *name, enum report_count *out);

/* Whether every operation has code for training and inference, so that the passes can run and
 * memory be told. */
bool report_can_plan(const struct elaboration *elaboration);

/* Gathers everything. The compilation may stand before all passes (then memory is not known) or
 * after all. The report lives in the arena and borrows the compilation. */
struct report *report_make(const struct compilation *compilation, enum report_count count,
                           struct arena *arena);

/* The value of the network's parameter `name`, or NULL if there is none that is a number. */
const char *report_argument(const struct elaboration *elaboration, const char *name);

/* report_count.c: the work of each operation by `count`; in the arena. */
int64_t *report_work(const struct graph *graph, enum report_count count, struct arena *arena);
int64_t report_op_macs(const struct graph *graph, const struct op *op);

/* report_json.c: one JSON object, with the keys of the command line's contract. */
const char *report_as_json(const struct report *report, struct arena *arena);
/* The same, made from scratch, counted in multiply-adds: what executables carry. */
const char *report_json(const struct compilation *compilation, struct arena *arena);

/* Adds {"conv":1,...}: the four kinds of the contract, then others that occur. */
struct text_builder;
void report_add_gates(struct text_builder *text, const struct gate_counts *counts);
/* Adds work as 10^9: "4.142714080", exactly. */
void report_add_billions(struct text_builder *text, int64_t work);

/* report_text.c: a table of stages, or of all layers, and totals. */
void report_print(const struct report *report, bool with_layers, FILE *stream);

#endif
