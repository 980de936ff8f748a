/* --vary NAME=A,B,...: parameters with several values, and the variants that they make. */
#ifndef DRIVER_VARY_H
#define DRIVER_VARY_H

#include "driver/options.h"
#include "runtime/report_compare.h"

enum { MOST_VARIANTS = 1000 };

struct varied_parameter {
    const char *name;
    VECTOR(const char *) values; /* expressions of the language, as text */
};

struct varied_parameters {
    VECTOR(struct varied_parameter) items;
    size_t variant_count; /* all combinations */
};

/* Reads the --vary options: values are separated by commas outside of brackets. STATUS_USAGE for
 * everything wrong that shows without knowing the network. */
struct status vary_read(struct arena *arena, const struct options *options,
                        struct varied_parameters *out);

/* The setting of each parameter in variant `number`; the last parameter changes fastest. */
struct report_setting *vary_settings(struct arena *arena, const struct varied_parameters *varied,
                                     size_t number);

/* Such as "stages=original project=max_projection". */
const char *vary_name(struct arena *arena, const struct report_setting *settings, size_t count);

/* The same as the name of a folder: letters, digits and "._=-" alone, at most 120 of them. What
 * that loses is made up for by a hash. */
const char *vary_folder(struct arena *arena, const struct report_setting *settings, size_t count);

#endif
