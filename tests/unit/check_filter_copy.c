/* Copies between weights and filters, interpreted, against the layouts that runtime/program.h
 * gives: each pass, with and without groups, widths that need padding, several chunks. */
#include "codegen/cuda/filter_copy.h"

#include <string.h>

#include "base/bfloat16.h"
#include "codegen/loop_eval.h"
#include "tests/unit/suite.h"

enum { CHUNKS = 3, CHUNK_IMAGES = 4 };

struct shape {
    int32_t positions, groups, inputs, outputs; /* of a group: of x and of y */
};

static const struct shape shapes[] = {
    {9, 1, 16, 32}, {1, 1, 3, 10}, {49, 1, 3, 64}, {9, 4, 8, 4}, {27, 8, 2, 6}, {1, 1, 40, 33},
};

static struct kernel kernel_of(enum kernel_anchor anchor, const struct shape *shape,
                               enum kernel_storage storage)
{
    const int32_t x = shape->groups * shape->inputs, y = shape->groups * shape->outputs;
    const bool exchanged = anchor == KERNEL_DATA_GRADIENT;
    return (struct kernel){
        .anchor = (uint8_t)anchor,
        .window.kernel = {1, 1, shape->positions},
        .in_channels = exchanged ? y : x,
        .out_channels = exchanged ? x : y,
        .groups = shape->groups,
        .chunk_images = CHUNK_IMAGES,
        .storage = {(uint8_t)storage},
    };
}

/* Where x's channel c of y's channel k, both counted over all groups, lies as kernels have it. */
static int64_t place(enum kernel_anchor anchor, const struct shape *s, int32_t position, int32_t k,
                     int32_t input)
{
    const int32_t group = k / s->outputs, width = s->groups * s->outputs;
    if (anchor == KERNEL_DATA_GRADIENT)
        return ((int64_t)position * s->outputs + k % s->outputs) *
                   vector_stride(s->groups * s->inputs) +
               group * s->inputs + input;
    return ((int64_t)position * s->inputs + input) * vector_stride(width) + k;
}

static void run(const struct loop_program *program, void *from, size_t from_count, void *to,
                size_t to_count)
{
    const struct loop_buffer buffers[] = {{from, from_count}, {to, to_count}};
    const int64_t images = (CHUNKS - 1) * CHUNK_IMAGES + 1;
    const char *wrong =
        loop_eval(program, buffers, images, 0, loop_task_count(program, images), LOOP_SINGLE);
    ck_assert_msg(wrong == NULL, "%s", wrong);
}

/* The two arrays of a shape, as kernels have it and dense, filled apart from each other. */
struct arrays {
    size_t weight_count, filter_count;
    float *weight, *filter;
};

static struct arrays arrays_new(struct arena *arena, const struct shape *s, int64_t weight_count)
{
    struct arrays arrays = {
        .weight_count = (size_t)weight_count,
        .filter_count =
            (size_t)s->groups * (size_t)s->outputs * (size_t)s->positions * (size_t)s->inputs,
    };
    arrays.weight = ARENA_ARRAY(arena, float, arrays.weight_count);
    arrays.filter = ARENA_ARRAY(arena, float, arrays.filter_count);
    for (size_t i = 0; i < arrays.weight_count; i++)
        arrays.weight[i] = (float)i + 0.5f;
    for (size_t i = 0; i < arrays.filter_count; i++)
        arrays.filter[i] = -(float)i;
    return arrays;
}

/* Runs the copy with the filter as it is in memory; what `arrays` holds then is what it stands for.
 */
static void run_copy(const struct loop_program *program, struct arena *arena,
                     const struct arrays *arrays, bool from_filter, bool is_bfloat16)
{
    uint16_t *half = ARENA_ARRAY(arena, uint16_t, arrays->filter_count);
    void *filter = is_bfloat16 ? (void *)half : arrays->filter;
    for (size_t i = 0; i < arrays->filter_count; i++)
        half[i] = bfloat16_of(arrays->filter[i]);
    if (from_filter)
        run(program, filter, arrays->filter_count, arrays->weight, arrays->weight_count);
    else
        run(program, arrays->weight, arrays->weight_count, filter, arrays->filter_count);
    for (size_t i = 0; i < arrays->filter_count && is_bfloat16; i++)
        arrays->filter[i] = bfloat16_value(half[i]);
    for (size_t i = 0; i < arrays->weight_count && is_bfloat16 && !from_filter; i++)
        arrays->weight[i] = bfloat16_value(bfloat16_of(arrays->weight[i]));
}

/* How many numbers of the two arrays, at places that belong together, differ. */
static int differences(enum kernel_anchor anchor, const struct shape *s,
                       const struct arrays *arrays)
{
    int count = 0;
    size_t at = 0;
    for (int32_t k = 0; k < s->groups * s->outputs; k++)
        for (int32_t position = 0; position < s->positions; position++)
            for (int32_t input = 0; input < s->inputs; input++, at++)
                count += memcmp(&arrays->filter[at],
                                &arrays->weight[place(anchor, s, position, k, input)],
                                sizeof(float)) != 0;
    return count;
}

static void check_to_filter(enum kernel_anchor anchor, const struct shape *s,
                            enum kernel_storage storage)
{
    struct arena arena = {0};
    const struct kernel kernel = kernel_of(anchor, s, storage);
    struct loop_program *program = filter_copy(&arena, &kernel);
    struct arrays arrays = arrays_new(&arena, s, kernel_weight_elements(&kernel, false));
    ck_assert_str_eq(program->name + strlen(program->name) - 7, "_filter");
    run_copy(program, &arena, &arrays, false, storage == KERNEL_BF16);
    ck_assert_int_eq(differences(anchor, s, &arrays), 0);
    arena_release(&arena);
}

START_TEST(weights_become_filters)
{
    for (size_t i = 0; i < countof(shapes); i++) {
        check_to_filter(KERNEL_CONVOLUTION, &shapes[i], KERNEL_F32);
        check_to_filter(KERNEL_DATA_GRADIENT, &shapes[i], KERNEL_F32);
        check_to_filter(KERNEL_CONVOLUTION, &shapes[i], KERNEL_BF16);
        check_to_filter(KERNEL_DATA_GRADIENT, &shapes[i], KERNEL_BF16);
    }
}
END_TEST

static void check_from_filter(const struct shape *s, enum kernel_storage storage)
{
    struct arena arena = {0};
    const struct kernel kernel = kernel_of(KERNEL_WEIGHT_GRADIENT, s, storage);
    struct loop_program *program = filter_copy(&arena, &kernel);
    const int64_t chunk = kernel_weight_elements(&kernel, false);
    struct arrays arrays = arrays_new(&arena, s, chunk * CHUNKS);
    size_t zeros = 0;
    arrays.filter[0] = 1;
    run_copy(program, &arena, &arrays, true, storage == KERNEL_BF16);
    ck_assert_int_eq(differences(KERNEL_WEIGHT_GRADIENT, s, &arrays), 0);
    for (size_t i = 0; i < arrays.weight_count; i++)
        zeros += !(arrays.weight[i] < 0) && !(arrays.weight[i] > 0);
    ck_assert_uint_eq(zeros, arrays.weight_count - arrays.filter_count);
    arena_release(&arena);
}

START_TEST(filters_become_gradients)
{
    for (size_t i = 0; i < countof(shapes); i++) {
        check_from_filter(&shapes[i], KERNEL_F32);
        check_from_filter(&shapes[i], KERNEL_BF16);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {weights_become_filters, filters_become_gradients};
    return run_suite("filter copy", tests, countof(tests));
}
