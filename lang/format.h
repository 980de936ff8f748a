/* One way to write a file down: `rnet fmt`.
 *
 * The author decides where a statement breaks into lines; everything else has one form: blanks,
 * indentation, which side of an operator a line ends on, trailing commas, alignment. A line of more
 * than 100 columns is broken. Tokens and comments stay what they were and in their order, but for
 * the comma behind a list's last element and an operator that moves before a comment.
 * Formatting what was formatted changes nothing. */
#ifndef LANG_FORMAT_H
#define LANG_FORMAT_H

#include "lang/diagnostic.h"
#include "lang/source.h"

/* Writes the formatted text of `source` to `out`. Returns false, writing nothing, if the source has
 * mistakes of syntax, which are in `diagnostics` then. */
bool format_source(struct source_set *sources, struct diagnostics *diagnostics, uint32_t source,
                   struct text_builder *out);

#endif
