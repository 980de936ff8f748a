/* Reading back what trainings left in their directories: run.json and metrics.jsonl.
 *
 * The files come from anywhere: what does not fit their form is an error with its place. A last
 * line that is cut short is that of a run under way, or killed, and is left out. */
#ifndef RUNTIME_RUN_READ_H
#define RUNTIME_RUN_READ_H

#include "runtime/history.h"

/* A parameter of the network as it was bound; both are plain text. */
struct run_argument {
    const char *name, *value;
};

struct run_record {
    const char *directory;
    const char *network, *recipe, *data, *machine; /* NULL: unknown, as of a run without run.json */
    VECTOR(struct run_argument) arguments;
    double parameters, macs, gflops; /* 0: unknown */
    double learning_rate;            /* the base rate */
    int64_t epochs, steps_per_epoch; /* planned; 0: unknown */
    int64_t batch, seed;
    double seconds; /* so far, in all processes that worked on it */
    bool finished;
    struct history history;
};

/* The last step that a run under way has written down. */
struct run_position {
    int64_t epoch, step; /* 0-based; 1-based, 0: none yet */
    double loss, images_per_second;
};

/* Whether the directory holds a run, or, in directories seed-K, several of `--repeat`. */
bool run_is_there(const char *directory);
bool run_is_repeated(const char *directory);

/* Reads the run in `directory`; all of it lives in the arena. */
struct status run_read(struct arena *arena, const char *directory, struct run_record *run);

/* Reads run.json alone, with an empty history; without one, everything is unknown. */
struct status run_read_facts(struct arena *arena, const char *directory, struct run_record *run);

/* DIRECTORY/seed-K, where `--repeat` keeps the run of a seed. */
const char *run_seed_directory(struct arena *arena, const char *directory, int64_t seed);

/* Those of them that hold a run, by their number. */
struct status run_seeds(struct arena *arena, const char *directory, const char ***out_directories,
                        size_t *out_count);

/* Looks at the end of metrics.jsonl alone; all zero where there is nothing yet. */
struct run_position run_position_read(const char *directory);

#endif
