/* What a network is and costs, from the report that it was compiled with, for pages. */
#ifndef RUNTIME_REPORT_NETWORK_H
#define RUNTIME_REPORT_NETWORK_H

#include "runtime/page.h"
#include "runtime/program.h"

/* The totals of a network; 0 where its report lacks them. */
struct network_cost {
    double parameters, macs, gflops;
};

struct network_cost network_cost(const struct rnet_program *program);

/* Adds the network's stages, from the input to the classes, with what each of them costs. */
void report_network_add(struct page *page, const struct rnet_program *program);

#endif
