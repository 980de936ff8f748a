/* A network's outputs as .npy files of float32, one an output: [images, channels] for a value a
 * channel, else [images, channels, grid...], as PyTorch shapes them. */
#ifndef RUNTIME_OUTPUTS_H
#define RUNTIME_OUTPUTS_H

#include "base/arena.h"
#include "base/file.h"
#include "runtime/execute.h"

/* Zero it, then open it. */
struct output_files {
    struct arena arena;
    const struct rnet_program *program;
    struct file_writer *writers; /* one an output */
    float *channels_first;       /* room for one image of the largest output */
};

/* Opens the files for `images` images: `path` itself for a single output, else with the output's
 * name before the final ".npy". Release it also after a failure. */
struct status outputs_open(struct output_files *files, const struct rnet_program *program,
                           const char *path, int64_t images);

/* Appends what INFER has left of the batch's first `images` images. */
struct status outputs_write(struct output_files *files, struct executor *executor, int64_t images);

/* Gives the files their names; without that they vanish. */
struct status outputs_commit(struct output_files *files);

void outputs_release(struct output_files *files);

#endif
