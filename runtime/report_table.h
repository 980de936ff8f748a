/* The tables of a page for several runs. */
#ifndef RUNTIME_REPORT_TABLE_H
#define RUNTIME_REPORT_TABLE_H

#include "runtime/page.h"
#include "runtime/report_compare.h"

/* The classes of a run's line, dots and key, by its number on the page. */
const char *run_style(struct arena *arena, size_t number);

/* Adds a row for each run: key, settings, errors, cost, speed. */
void report_runs_add(struct page *page, const struct report_run *runs, size_t count);

/* Adds what each value of each setting comes to, on average over the others; nothing unless the
 * runs are all combinations of two or more settings. */
void report_choices_add(struct page *page, const struct report_run *runs, size_t count);

#endif
