/* run.json: what a run is, beside the metrics that it measures. */
#ifndef RUNTIME_RUN_FILE_H
#define RUNTIME_RUN_FILE_H

#include "runtime/report_html.h"

/* Writes the facts as one JSON object to `path`, atomically; `finished` says whether all planned
 * steps are done. */
struct status run_file_write(const char *path, const struct report_facts *facts, bool finished);

#endif
