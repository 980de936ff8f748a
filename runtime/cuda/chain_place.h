/* A chain at its place among the steps: what the files of chains share. */
#ifndef RUNTIME_CUDA_CHAIN_PLACE_H
#define RUNTIME_CUDA_CHAIN_PLACE_H

#include "runtime/cuda/launcher.h"

struct chain_place {
    const struct launcher *launcher;
    const struct rnet_cuda_chain *chain;
    uint32_t number;
    const struct rnet_step *steps;
    const struct filter_step *filters; /* of each step, or NULL */
    int64_t images;
    struct cudnn_chain_places addresses;
    int way;     /* that chain_put takes */
    bool failed; /* cuDNN could not run it */
};

/* ---- chain_compare.c ---- */

/* Numbers of results on the host, from all over a tensor, and sums over all chunks. */
struct chain_numbers {
    double *values[RNET_CUDA_CHAIN_RESULTS];
    size_t counts[RNET_CUDA_CHAIN_RESULTS];
};

/* Reads results of one kind, waiting for what runs. Free them also after a failure. */
struct status chain_numbers_read(const struct chain_place *place, enum rnet_cuda_operand_kind kind,
                                 struct chain_numbers *numbers);

void chain_numbers_free(struct chain_numbers *numbers);

/* Whether the differences of all numbers are small beside their norm, as two engines may round in
 * the program's precision, or sums may that add up the same. Where all are zero, nothing is known:
 * false. */
bool chain_numbers_agree(const struct chain_place *place, enum rnet_cuda_operand_kind kind,
                         const struct chain_numbers *numbers, const struct chain_numbers *expected);

/* Fills the results with what no step leaves. */
struct status chain_results_spoil(const struct chain_place *place);

/* Makes all chunks of the sums zero: cuDNN has those over all images, which go to the first. */
struct status chain_sums_clear(const struct chain_place *place);

#endif
