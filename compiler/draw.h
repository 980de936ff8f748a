/* A picture of a network: text for Graphviz' `dot`. */
#ifndef COMPILER_DRAW_H
#define COMPILER_DRAW_H

#include "compiler/report.h"

/* Writes the network as a directed graph. Stages and their blocks are clusters; where a network has
 * more than a few blocks, equal neighbours are drawn once with their number. Layers that follow
 * each other share a node. The main path is drawn thick. Deterministic. */
void draw_network(const struct report *report, FILE *stream);

#endif
