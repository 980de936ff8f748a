/* Runs beside each other: what `rnet compare` and `rnet explore` show of them, as a table, as JSON
 * and as a page. */
#ifndef DRIVER_COMPARISON_H
#define DRIVER_COMPARISON_H

#include "base/vector.h"
#include "runtime/report_compare.h"
#include "runtime/run_read.h"

struct compared_run {
    const char *name, *directory;
    const char *note;                       /* NULL, or what else is to be said of it */
    VECTOR(struct run_record) seeds;        /* at least one */
    VECTOR(struct report_setting) settings; /* the same names for all runs of a comparison */
};

/* Zero it, then set the arena. */
struct comparison {
    struct arena *arena;
    const char *title, *subtitle;
    VECTOR(struct compared_run) runs;
    VECTOR(struct report_setting) facts; /* the same for all runs */
};

/* Adds the run in `directory`, or the runs of `train --repeat` in it as one; STATUS_INVALID with
 * a message where there is none. */
struct status comparison_add(struct comparison *comparison, const char *directory);

/* Reads one training into `run`. */
struct status comparison_read_seed(struct comparison *comparison, struct compared_run *run,
                                   const char *directory);

/* Names the runs by what differs in their directories' paths. */
void comparison_name_runs(struct comparison *comparison);

/* Sorts what is known of the runs into settings, in which they differ, and facts. The
 * first setting is the name. */
void comparison_find_settings(struct comparison *comparison);

/* Takes only what all runs agree in, as facts. */
void comparison_find_facts(struct comparison *comparison);

struct status comparison_write_page(const struct comparison *comparison, const char *path);

/* A table for people, and one JSON document; on `stream`. */
void comparison_print(const struct comparison *comparison, FILE *stream);
void comparison_print_json(const struct comparison *comparison, FILE *stream);

/* The run as pages take it. */
struct report_run compared_run_report(struct arena *arena, const struct compared_run *run);

#endif
