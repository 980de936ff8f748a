/* Judging a run against what was recorded.
 *
 * An update is compared through its products with random vectors r of +1 and -1: for a difference
 * d, the mean of (r d)^2 over the vectors estimates the squared norm of d. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"
#include "tests/train/hash_data.h"
#include "tests/train/parity.h"

enum { SIGN_BITS = 64, METRICS_LIMIT = 1 << 24 };

static const double logits_tolerance = 1e-4, loss_tolerance = 1e-4, norm_tolerance = 1e-3;
/* Statistics feel rounding far less; closer, so that a biased variance is seen. */
static const double update_tolerance = 1e-3, statistics_tolerance = 1e-4;

/* Prints one line and returns whether `error` is within the tolerance (so not for a NaN). */
static bool judge(const char *what, double error, double tolerance)
{
    const bool good = error <= tolerance;

    printf("%-20s off by %.2e, allowed %.0e%s\n", what, error, tolerance, good ? "" : "  FAIL");
    return good;
}

/* NaN if any of the differences is. */
static double largest_difference(const float *ours, const double *theirs, int count)
{
    double largest = 0;

    for (int i = 0; i < count; i++) {
        const double difference = fabs((double)ours[i] - theirs[i]);

        if (!(difference <= largest))
            largest = difference;
    }
    return largest;
}

static struct status compare_logits(const struct parity_case *expected, const char *path,
                                    bool *out_good)
{
    enum { COUNT = PARITY_OTHER_IMAGES * PARITY_CLASSES };
    struct npy_file file = {0};
    const struct npy_array *const array = &file.array;
    const float nothing[COUNT] = {0};
    float ours[COUNT];

    RETURN_IF_ERROR(npy_open(&file, path));
    const bool fits = array->type == NPY_FLOAT32 && array->rank == 2 &&
                      array->shape[0] == PARITY_OTHER_IMAGES && array->shape[1] == PARITY_CLASSES;
    if (fits)
        memcpy(ours, array->values, sizeof ours);
    npy_release(&file);
    if (!fits)
        return status_error(STATUS_INVALID, "%s has another shape", path);
    *out_good = judge("logits",
                      largest_difference(ours, expected->logits, COUNT) /
                          largest_difference(nothing, expected->logits, COUNT),
                      logits_tolerance);
    return status_ok();
}

/* Reads a member of every step that has it; returns how many there are. */
static int read_steps(const char *metrics, const char *member, double values[PARITY_STEPS])
{
    int count = 0;

    for (const char *line = metrics; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *const value = strstr(line, member), *const end = strchr(line, '\n');

        if (!end)
            break;
        if (strncmp(line, "{\"event\":\"step\"", 15) != 0 || !value || value > end)
            continue;
        if (count < PARITY_STEPS)
            values[count] = strtod(value + strlen(member), NULL);
        count++;
    }
    return count;
}

static bool judge_steps(const char *what, const double *ours, const double *theirs,
                        double tolerance)
{
    bool good = true;

    for (int step = 0; step < PARITY_STEPS; step++) {
        char text[64];

        snprintf(text, sizeof text, "%s of step %d", what, step + 1);
        good &= judge(text, fabs(ours[step] / theirs[step] - 1), tolerance);
    }
    return good;
}

static struct status compare_steps(const struct parity_case *expected, struct arena *arena,
                                   const char *path, bool *out_good)
{
    const bool clips = expected->gradient_norms[0] > 0;
    double losses[PARITY_STEPS], norms[PARITY_STEPS];
    char *metrics;
    size_t size;

    RETURN_IF_ERROR(file_read(arena, path, METRICS_LIMIT, &metrics, &size));
    if (read_steps(metrics, "\"loss\":", losses) != PARITY_STEPS)
        return status_error(STATUS_INVALID, "%s does not hold %d steps", path, PARITY_STEPS);
    if (read_steps(metrics, "\"gradient_norm\":", norms) != (clips ? PARITY_STEPS : 0))
        return status_error(STATUS_INVALID,
                            "%s has norms of gradients where none are expected, "
                            "or none where they are",
                            path);
    *out_good = judge_steps("loss", losses, expected->losses, loss_tolerance);
    if (clips)
        *out_good &= judge_steps("norm", norms, expected->gradient_norms, norm_tolerance);
    return status_ok();
}

/* Adds sum_i sign[i] * (after[i] - before[i]) of one tensor for each random vector. */
static void add_products(double *products, int count, uint64_t seed, const struct tensor_entry *a,
                         const struct tensor_entry *b)
{
    const float *const before = b->bytes, *const after = a->bytes;

    for (int block = 0; block < count / SIGN_BITS; block++) {
        char name[256];

        snprintf(name, sizeof name, "%s#%d", a->name, block);
        const uint64_t start = hash_start(seed, name);
        for (size_t i = 0; i < a->size / sizeof *after; i++) {
            const uint64_t word = hash_word(start, i);
            const double change = (double)after[i] - (double)before[i];

            for (int bit = 0; bit < SIGN_BITS; bit++)
                products[block * SIGN_BITS + bit] += word >> bit & 1 ? -change : change;
        }
    }
}

/* A part of the weights file, and what is expected of its update. */
struct group {
    const char *what, *ending; /* NULL: all tensors without an ending of another group */
    double norm;
    const double *products;
    int count;
    double tolerance;
};

static bool group_has(const struct group *group, const char *name)
{
    const char *const ending = strrchr(name, '.');

    if (group->ending)
        return ending && strcmp(ending + 1, group->ending) == 0;
    return ending && strncmp(ending + 1, "running_", 8) != 0 &&
           strcmp(ending + 1, "num_batches_tracked") != 0;
}

static bool compare_group(const struct group *group, uint64_t seed,
                          const struct tensor_file *before, const struct tensor_file *after)
{
    double products[PARITY_PRODUCTS] = {0};
    double square = 0;

    for (size_t t = 0; t < after->tensor_count; t++)
        if (group_has(group, after->tensors[t].name))
            add_products(products, group->count, seed, &after->tensors[t],
                         tensor_file_find(before, after->tensors[t].name));
    for (int i = 0; i < group->count; i++)
        square += pow(products[i] - group->products[i], 2) / group->count;
    return judge(group->what, sqrt(square) / group->norm, group->tolerance);
}

static struct status check_counter(const struct tensor_entry *tensor, int batches)
{
    int64_t value = -1;

    if (tensor->size == sizeof value)
        memcpy(&value, tensor->bytes, sizeof value);
    if (value != HASH_BATCHES_TRACKED + batches)
        return status_error(STATUS_INVALID, "%s is %lld, not %d", tensor->name, (long long)value,
                            HASH_BATCHES_TRACKED + batches);
    return status_ok();
}

/* The tensors that training left are those that it got. */
static struct status check_tensors(const struct tensor_file *before,
                                   const struct tensor_file *after, int batches)
{
    if (before->tensor_count != after->tensor_count)
        return status_error(STATUS_INVALID, "training changed the number of tensors");
    for (size_t t = 0; t < after->tensor_count; t++) {
        const struct tensor_entry *const tensor = &after->tensors[t];
        const struct tensor_entry *const other = tensor_file_find(before, tensor->name);

        if (!other || other->size != tensor->size || other->rank != tensor->rank)
            return status_error(STATUS_INVALID, "training changed the shape of %s", tensor->name);
        if (tensor->rank == 0)
            RETURN_IF_ERROR(check_counter(tensor, batches));
    }
    return status_ok();
}

static struct status compare_updates(const struct parity_case *expected, struct arena *arena,
                                     const char *directory, bool *out_good)
{
    const struct group groups[] = {
        {"update", NULL, expected->weights_norm, expected->weights, PARITY_PRODUCTS,
         update_tolerance},
        {"running means", "running_mean", expected->means_norm, expected->means,
         PARITY_PRODUCTS / 2, statistics_tolerance},
        {"running variances", "running_var", expected->variances_norm, expected->variances,
         PARITY_PRODUCTS / 2, statistics_tolerance},
    };
    struct tensor_file before, after;

    *out_good = true;
    RETURN_IF_ERROR(
        safetensors_read(arena, arena_format(arena, "%s/weights.safetensors", directory), &before));
    RETURN_IF_ERROR(
        safetensors_read(arena, arena_format(arena, "%s/run/last.safetensors", directory), &after));
    RETURN_IF_ERROR(check_tensors(&before, &after, expected->batches));
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        *out_good &= compare_group(&groups[g], expected->seed, &before, &after);
    return status_ok();
}

static bool say(struct status status, bool good)
{
    if (!status_is_ok(&status))
        printf("%s  FAIL\n", status.message);
    return status_is_ok(&status) && good;
}

bool parity_compare(const struct parity_case *expected, const char *directory)
{
    struct arena arena = {0};
    bool logits = false, losses = false, updates = false;
    struct status status =
        compare_logits(expected, arena_format(&arena, "%s/logits.npy", directory), &logits);

    logits = say(status, logits);
    status = compare_steps(expected, &arena,
                           arena_format(&arena, "%s/run/metrics.jsonl", directory), &losses);
    losses = say(status, losses);
    status = compare_updates(expected, &arena, directory, &updates);
    updates = say(status, updates);
    arena_release(&arena);
    return logits && losses && updates;
}
