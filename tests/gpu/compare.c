/* How far two results are from each other, for script/test-gpu. Prints one number, and fails where
 * it is above the tolerance or not a number.
 *
 *   compare arrays A.npy B.npy TOLERANCE          largest difference / largest number of A
 *   compare updates START A B TOLERANCE           |B - A| / |A - START| over all float tensors of
 *                                                 three safetensors files, as Euclidean norms
 *   compare losses A.jsonl B.jsonl TOLERANCE      largest difference of a step's loss / that loss
 *   compare accuracy RUN.jsonl PERCENT            the best validation top-1, which must reach it */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/json.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"

enum { LINE_BYTES = 4096 };

static double number_at(const void *values, int64_t index)
{
    float value;
    memcpy(&value, (const char *)values + index * (int64_t)sizeof value, sizeof value);
    return (double)value;
}

/* Keeps what is not a number, which fmax drops. */
static double larger(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : fmax(a, b);
}

static struct status arrays_compare(char **paths, double *distance)
{
    struct npy_file a = {0}, b = {0};
    double difference = 0, range = 0;
    RETURN_IF_ERROR(npy_open(&a, paths[0]));
    RETURN_IF_ERROR(npy_open(&b, paths[1]));
    if (a.array.count != b.array.count || a.array.type != NPY_FLOAT32 ||
        b.array.type != NPY_FLOAT32)
        return status_error(STATUS_INVALID, "%s and %s are of different shapes", paths[0],
                            paths[1]);
    for (int64_t i = 0; i < a.array.count; i++) {
        double x = number_at(a.array.values, i), y = number_at(b.array.values, i);
        difference = larger(difference, fabs(x - y));
        range = larger(range, fabs(x));
    }
    *distance = difference / range;
    npy_release(&a);
    npy_release(&b);
    return status_ok();
}

static struct status updates_compare(char **paths, double *distance)
{
    struct arena arena = {0};
    struct tensor_file start, a, b;
    double difference = 0, update = 0;
    RETURN_IF_ERROR(safetensors_read(&arena, paths[0], &start));
    RETURN_IF_ERROR(safetensors_read(&arena, paths[1], &a));
    RETURN_IF_ERROR(safetensors_read(&arena, paths[2], &b));
    for (size_t t = 0; t < a.tensor_count; t++) {
        const struct tensor_entry *x = &a.tensors[t];
        const struct tensor_entry *y = tensor_file_find(&b, x->name);
        const struct tensor_entry *from = tensor_file_find(&start, x->name);
        if (y == NULL || from == NULL || y->size != x->size || from->size != x->size)
            return status_error(STATUS_INVALID, "%s is not the same in all files", x->name);
        for (size_t i = 0; strcmp(x->type, "F32") == 0 && i < x->size / sizeof(float); i++) {
            double value = number_at(x->bytes, (int64_t)i);
            difference += pow(number_at(y->bytes, (int64_t)i) - value, 2);
            update += pow(value - number_at(from->bytes, (int64_t)i), 2);
        }
    }
    *distance = sqrt(difference / update);
    arena_release(&arena);
    return status_ok();
}

/* The next record's number `name`, among those that are of a kind of event; NAN at the end. */
static double next_number(struct arena *arena, FILE *stream, const char *event, const char *name)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stream) != NULL) {
        const struct json *record = json_parse(arena, line, strlen(line));
        const struct json *kind =
            json_is(record, JSON_OBJECT) ? json_member(record, "event") : NULL;
        if (json_is(kind, JSON_TEXT) && strcmp(kind->text, event) == 0)
            return json_number(json_member(record, name));
    }
    return (double)NAN;
}

static FILE *lines_open(const char *path)
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    return stream;
}

static struct status losses_compare(char **paths, double *distance)
{
    struct arena arena = {0};
    FILE *a = lines_open(paths[0]), *b = lines_open(paths[1]);
    double x = next_number(&arena, a, "step", "loss"), y = next_number(&arena, b, "step", "loss");
    if (isnan(x))
        return status_error(STATUS_INVALID, "%s has no steps", paths[0]);
    *distance = 0;
    for (; !isnan(x); x = next_number(&arena, a, "step", "loss")) {
        *distance = larger(*distance, fabs(y - x) / fabs(x));
        y = next_number(&arena, b, "step", "loss");
    }
    fclose(a);
    fclose(b);
    arena_release(&arena);
    return status_ok();
}

/* The best accuracy, negated, so that less is better here too. */
static struct status accuracy_compare(char **paths, double *distance)
{
    struct arena arena = {0};
    FILE *stream = lines_open(paths[0]);
    *distance = (double)NAN;
    for (double top1 = 0; !isnan(top1);) {
        top1 = next_number(&arena, stream, "epoch", "val_top1");
        *distance = isnan(top1) ? *distance : fmin(*distance, -top1);
    }
    fclose(stream);
    arena_release(&arena);
    return status_ok();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int paths;
        struct status (*compare)(char **paths, double *distance);
        int sign;
    } kinds[] = {
        {"arrays", 2, arrays_compare, 1},
        {"updates", 3, updates_compare, 1},
        {"losses", 2, losses_compare, 1},
        {"accuracy", 1, accuracy_compare, -1},
    };
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0 || argc != kinds[i].paths + 3)
            continue;
        double distance = (double)NAN, bound = strtod(argv[argc - 1], NULL) * kinds[i].sign;
        struct status status = kinds[i].compare(argv + 2, &distance);
        if (!status_is_ok(&status)) {
            printf("%s\n", status.message);
            return 2;
        }
        printf("%.3g\n", distance * kinds[i].sign);
        return distance <= bound ? 0 : 1;
    }
    fprintf(stderr, "usage: compare arrays|updates|losses|accuracy FILE... BOUND\n");
    return 2;
}
