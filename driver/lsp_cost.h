/* What a piece of text costs: the operations of the networks that come from it. */
#ifndef DRIVER_LSP_COST_H
#define DRIVER_LSP_COST_H

#include "driver/lsp.h"

/* Adds, as Markdown and for each network with operations from `span`: shapes, parameters and
 * multiply-adds of one image. An operation comes from where its layer is written and from where the
 * blocks around it are used. Returns whether there were any. */
bool lsp_add_costs(struct text_builder *out, const struct lsp_analysis *analysis,
                   struct span span);

#endif
