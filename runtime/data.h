/* Labelled images for training and validation, by the SPEC of --data.
 *
 * A data set lies in memory (or is mapped) as the files hold it: bytes or float32, channels first;
 * or it is a list of picture files, read when they are needed. Normalization belongs to the kind of
 * data set and happens when a batch is filled (loader.h). */
#ifndef RUNTIME_DATA_H
#define RUNTIME_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "runtime/npy.h"
#include "runtime/program.h"

enum data_part_kind { DATA_TRAIN, DATA_VALIDATION, DATA_PART_COUNT };

enum {
    DATA_NEEDS_TRAIN = 1 << DATA_TRAIN,
    DATA_NEEDS_VALIDATION = 1 << DATA_VALIDATION,
    DATA_COLOURS = 3, /* channels of the kinds that normalize */
};

/* Pixels are [images][channels][depth][height][width], in `bytes` or in `floats`, or in the picture
 * files at `paths`. */
struct data_part {
    int64_t count;
    const uint8_t *bytes;
    const float *floats;
    const char *const *paths;
    const int32_t *labels;
};

/* Zero it, then open it. */
struct data_set {
    struct arena arena;
    const char *kind;
    int64_t channels, size[3]; /* depth (1 for images), height, width; 0: they differ */
    const float *mean, *deviation; /* of each channel, for pixels in [0, 1]; NULL: as they are */
    const char *const *class_names; /* NULL: unknown */
    int64_t class_count;            /* of class_names */
    struct data_part parts[DATA_PART_COUNT];
    struct npy_file files[DATA_PART_COUNT]; /* what `floats` lies in */
};

/* Opens what `spec` ("KIND:PATH") names; `parts` is a set of DATA_NEEDS_*. Checks the images
 * against the program's input and the labels against its classes. Release it also after a
 * failure. */
struct status data_set_open(struct data_set *data, const char *spec, unsigned parts,
                            const struct rnet_program *program);

void data_set_release(struct data_set *data);

/* The mean and the deviation of each colour by which a kind of data set is normalized. False, and
 * nothing is set, for a kind that is not. */
bool data_kind_normalization(const char *kind, const float **mean, const float **deviation);

extern const float data_cifar_mean[DATA_COLOURS], data_cifar_deviation[DATA_COLOURS];
extern const float data_imagenet_mean[DATA_COLOURS], data_imagenet_deviation[DATA_COLOURS];
extern const float data_shapes_mean[DATA_COLOURS], data_shapes_deviation[DATA_COLOURS];

/* The kinds, each in its file. They fill a data set that is zeroed but for `kind`. */
struct status data_open_cifar10(struct data_set *data, const char *directory, unsigned parts);
struct status data_open_cifar100(struct data_set *data, const char *directory, unsigned parts);
struct status data_open_imagenet(struct data_set *data, const char *directory, unsigned parts);
struct status data_open_npy(struct data_set *data, const char *directory, unsigned parts);
struct status data_open_shapes(struct data_set *data, const char *path, unsigned parts);

#endif
