/* The generator that hash_data.h describes. */
#include "tests/train/hash_data.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SCALES = 3, CLASSES = 10 };

static const int64_t scales[SCALES] = {1, 8, HASH_PLANE};

uint64_t hash_start(uint64_t seed, const char *name)
{
    uint64_t value = 0xcbf29ce484222325u + seed;

    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 0x100000001b3u;
    return value;
}

uint64_t hash_word(uint64_t start, uint64_t index)
{
    uint64_t z = start + (index + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double hash_uniform(uint64_t start, uint64_t index)
{
    return (double)(hash_word(start, index) >> 40) * 0x1p-24;
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);

    return length >= tail && strcmp(name + length - tail, ending) == 0;
}

static double vector_value(const char *name, double u, int64_t index)
{
    if (ends_with(name, "running_var")) {
        const bool whole = strstr(name, "bn3") || strstr(name, "bn0");

        return (0.0625 + 0.125 * u) * (whole ? 1.0 : 0.25);
    }
    if (ends_with(name, "weight"))
        return 0.125 + 0.09375 * u;
    if (ends_with(name, "running_mean") || strncmp(name, "fc", 2) == 0)
        return 0.5 * (u - 0.5);
    return (0.75 + 0.25 * u) * (index % 2 == 0 ? 1.0 : -1.0);
}

static void fill_vector(float *values, uint64_t start, const char *name, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)vector_value(name, hash_uniform(start, (uint64_t)i), i);
}

static void fill_linear(float *values, uint64_t start, double deviation, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double pair = 2 * hash_uniform(start, (uint64_t)(i & ~INT64_C(2))) - 1;

        values[i] = (float)((i & 2 ? -1.5 : 1.5) * pair * deviation);
    }
}

static void fill_convolution(float *values, uint64_t start, double deviation, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)((2 * hash_uniform(start, (uint64_t)i) - 1) * deviation);
}

void hash_parameter(float *values, uint64_t seed, const char *name, const int64_t *shape, int rank)
{
    const uint64_t start = hash_start(seed, name);
    int64_t inputs = 1;

    for (int axis = 1; axis < rank; axis++)
        inputs *= shape[axis];
    const double deviation = sqrt(6.0 / (double)inputs);
    if (rank == 1)
        fill_vector(values, start, name, shape[0]);
    else if (rank == 2)
        fill_linear(values, start, deviation, shape[0] * inputs);
    else
        fill_convolution(values, start, (strstr(name, "conv3") ? 1.0 : 0.5) * deviation,
                         shape[0] * inputs);
}

void hash_images(float *values, uint64_t seed, const char *name, int64_t count)
{
    const bool training = strncmp(name, "train", 5) == 0;
    uint64_t starts[SCALES];
    double amplitudes[SCALES];

    for (int s = 0; s < SCALES; s++) {
        char full[64];

        snprintf(full, sizeof full, "%s/%d", name, (int)scales[s]);
        starts[s] = hash_start(seed, full);
        amplitudes[s] = !training ? 4.0 : scales[s] == HASH_PLANE ? 2.0 : 0.03125;
    }
    for (int64_t i = 0; i < count * HASH_IMAGE; i++) {
        double sum = 0;

        for (int s = 0; s < SCALES; s++)
            sum += amplitudes[s] * (2 * hash_uniform(starts[s], (uint64_t)(i / scales[s])) - 1);
        values[i] = (float)sum;
    }
}

void hash_labels(int64_t *labels, uint64_t seed, const char *name, int64_t count)
{
    const uint64_t start = hash_start(seed, name);

    for (int64_t i = 0; i < count; i++)
        labels[i] = (int64_t)((hash_word(start, (uint64_t)i) >> 33) % CLASSES);
}
