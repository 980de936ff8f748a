/* Following weights through the steps. See filter_plan.h. */
#include "runtime/cuda/filter_plan.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/table.h"
#include "runtime/cuda/uses.h"

enum {
    ALIGNMENT = 256,          /* bytes */
    MOST_FILTERS = 256 << 20, /* bytes of all filters together */
};

/* A filter that copies of weights make. */
struct place {
    uint64_t offset;
    int64_t last_step; /* that needs it */
};

/* A phase while it is planned. */
struct walk {
    struct cudnn *cudnn;
    const struct rnet_program *program;
    const struct rnet_step *steps;
    int64_t count;
    struct uses uses;
    struct table numbers; /* of the places, by the copy that makes the filter; its TO is 0 */
    struct place *places;
    uint64_t filter_bytes;
    struct filter_phase *out;
};

static const struct rnet_cuda_kernel *kernel_of(const struct walk *walk, int64_t step)
{
    return &walk->program->cuda->kernels[walk->steps[step].kernel];
}

static const struct rnet_argument *argument(const struct walk *walk, int64_t step, int64_t number)
{
    return &walk->program->arguments[walk->steps[step].first_argument + number];
}

static bool is_same_place(const struct rnet_argument *a, const struct rnet_argument *b)
{
    return a->region == b->region && a->offset == b->offset;
}

/* Whether nothing after the step loads what it has at the place. */
static bool is_last_use(const struct walk *walk, int64_t step, const struct rnet_argument *place)
{
    const struct use *next = use_after(&walk->uses, place, step);
    return next == NULL || !next->loads;
}

/* What cuDNN computes at the step, if its filters are those of the tables. */
static const struct rnet_cuda_convolution *taken_facts(const struct walk *walk, int64_t step)
{
    const struct rnet_program *program = walk->program;
    const struct rnet_cuda_convolution *facts = kernel_of(walk, step)->convolution;
    int64_t workspace;
    bool is_bfloat16 = program->cuda->precision == RNET_PRECISION_BF16;
    if (facts == NULL || walk->steps[step].images != 0 ||
        (facts->is_bfloat16 != 0) != is_bfloat16 ||
        cudnn_plan(walk->cudnn, walk->steps[step].kernel, program->batch, &workspace) == 0)
        return NULL;
    return facts;
}

/* ---- places of filters ---- */

static uint64_t element_bytes(const struct rnet_program *program)
{
    return program->cuda->precision == RNET_PRECISION_BF16 ? 2 : sizeof(float);
}

/* Takes room for a filter; false: there is none. */
static bool room_take(struct walk *walk, const struct rnet_cuda_convolution *facts,
                      uint64_t *offset)
{
    uint64_t bytes = (uint64_t)filter_elements(facts) * element_bytes(walk->program);
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (walk->filter_bytes + bytes > MOST_FILTERS)
        return false;
    *offset = walk->filter_bytes;
    walk->filter_bytes += bytes;
    return true;
}

/* The filter that a step of this phase has already, made by the same copy; NULL: there is none. */
static struct place *place_find(const struct walk *walk, const struct filter_copy *copy)
{
    const struct table_entry *entry =
        table_find(&walk->numbers, copy->numbers, sizeof copy->numbers);
    return entry != NULL ? &walk->places[entry->value] : NULL;
}

/* Has a filter made by the copy; NULL: there is no room. */
static struct place *place_add(struct walk *walk, struct filter_copy copy,
                               const struct rnet_cuda_convolution *facts)
{
    const uint64_t number = walk->numbers.count;
    struct place *place = &walk->places[number];
    if (!room_take(walk, facts, &place->offset))
        return NULL;
    table_set(&walk->numbers, copy.numbers, sizeof copy.numbers, number);
    copy.numbers[RNET_CUDA_COPY_TO] = (int32_t)(place->offset / element_bytes(walk->program));
    filter_table_add(&walk->out->before, &copy);
    return place;
}

/* ---- steps ---- */

/* Gives a step the filter that `copy` makes of the weight at `weight`. */
static bool weight_place(struct walk *walk, int64_t step, struct filter_copy copy,
                         const struct rnet_argument *weight,
                         const struct rnet_cuda_convolution *facts)
{
    struct filter_step *out = &walk->out->steps[step];
    copy.numbers[RNET_CUDA_COPY_FROM] += (int32_t)(weight->offset / sizeof(float));
    struct place *place = place_find(walk, &copy);
    if (place == NULL)
        place = place_add(walk, copy, facts);
    if (place == NULL)
        return false;
    place->last_step = step;
    out->offset = place->offset;
    out->has_place = true;
    return true;
}

/* A forward pass or data gradient: its weight is a parameter, or one that a step has exchanged. */
static void weight_plan(struct walk *walk, int64_t step, const struct rnet_cuda_convolution *facts)
{
    const struct rnet_argument *weight = argument(walk, step, facts->weight);
    if (weight->region == RNET_REGION_WEIGHTS) {
        if (facts->pass == RNET_CUDA_FORWARD && filter_is_countable(facts, weight))
            weight_place(walk, step, filter_copy_forward(facts), weight, facts);
        return;
    }
    const struct use *from = use_before(&walk->uses, weight, step);
    if (from == NULL || from->loads)
        return;
    const uint32_t role = kernel_of(walk, from->step)->role;
    const struct rnet_argument *origin = argument(walk, from->step, 0);
    if (role != (facts->pass == RNET_CUDA_FORWARD ? RNET_CUDA_FLIP : RNET_CUDA_TRANSPOSE) ||
        origin->region != RNET_REGION_WEIGHTS || !filter_is_countable(facts, origin) ||
        !is_last_use(walk, step, weight))
        return;
    const struct filter_copy copy =
        role == RNET_CUDA_FLIP ? filter_copy_flipped(facts) : filter_copy_forward(facts);
    walk->out->steps[from->step].is_left_out = weight_place(walk, step, copy, origin, facts);
}

/* Finds the filter of the gradient's weight, if no step needs it from `step` on. */
static bool gradient_place_find(const struct walk *walk, int64_t step,
                                const struct rnet_cuda_convolution *facts,
                                const struct rnet_argument *gradient, uint64_t *offset)
{
    struct filter_copy copy = filter_copy_forward(facts);
    copy.numbers[RNET_CUDA_COPY_FROM] = (int32_t)(gradient->offset / sizeof(float));
    const struct place *place = place_find(walk, &copy);
    if (place == NULL || place->last_step >= step)
        return false;
    *offset = place->offset;
    return true;
}

/* A weight gradient: a step adds its chunks up into the gradients, and nothing else looks. */
static void gradient_plan(struct walk *walk, int64_t step,
                          const struct rnet_cuda_convolution *facts)
{
    const struct rnet_argument *chunks = argument(walk, step, facts->output);
    struct filter_step *out = &walk->out->steps[step];
    struct filter_copy copy = filter_copy_gradient(facts);
    const struct use *next = use_after(&walk->uses, chunks, step);
    if (next == NULL || kernel_of(walk, next->step)->role != RNET_CUDA_SUM_CHUNKS)
        return;
    const int64_t sum = next->step;
    const struct rnet_argument *gradient = argument(walk, sum, 1);
    if (!is_same_place(argument(walk, sum, 0), chunks) || !is_last_use(walk, sum, chunks) ||
        gradient->region != RNET_REGION_GRADIENTS || !filter_is_countable(facts, gradient) ||
        use_before(&walk->uses, gradient, sum) != NULL ||
        use_after(&walk->uses, gradient, sum) != NULL)
        return;
    if (!gradient_place_find(walk, step, facts, gradient, &out->offset) &&
        !room_take(walk, facts, &out->offset))
        return;
    copy.numbers[RNET_CUDA_COPY_FROM] = (int32_t)(out->offset / element_bytes(walk->program));
    copy.numbers[RNET_CUDA_COPY_TO] = (int32_t)(gradient->offset / sizeof(float));
    filter_table_add(&walk->out->behind, &copy);
    out->has_place = true;
    walk->out->steps[sum].is_left_out = true;
}

static void steps_plan(struct walk *walk, bool gradients)
{
    for (int64_t i = 0; i < walk->count; i++) {
        const struct rnet_cuda_convolution *facts = taken_facts(walk, i);
        if (facts == NULL || (facts->pass == RNET_CUDA_WEIGHT_GRADIENT) != gradients)
            continue;
        if (gradients)
            gradient_plan(walk, i, facts);
        else
            weight_plan(walk, i, facts);
    }
}

bool filter_phase_plan(struct filter_phase *out, struct cudnn *cudnn, enum rnet_phase phase,
                       uint64_t *filter_bytes)
{
    const struct rnet_program *program = cudnn->program;
    const struct rnet_steps *steps = &program->phases[phase];
    struct arena arena = {0};
    struct walk walk = {
        .cudnn = cudnn,
        .program = program,
        .steps = steps->steps,
        .count = (int64_t)steps->count,
        .uses = uses_collect(&arena, program, phase),
        .numbers = {.arena = &arena},
        .places = ARENA_ARRAY(&arena, struct place, steps->count + 1),
        .out = out,
    };
    out->steps = calloc(steps->count + 1, sizeof *out->steps);
    bool has_memory = out->steps != NULL &&
                      filter_table_open(&out->before, RNET_CUDA_TO_FILTERS, steps->count) &&
                      filter_table_open(&out->behind, RNET_CUDA_FROM_FILTERS, steps->count);
    if (has_memory) {
        steps_plan(&walk, false);
        if (phase == RNET_PHASE_TRAIN)
            steps_plan(&walk, true);
        has_memory = filter_table_cut(&out->before) && filter_table_cut(&out->behind);
    }
    *filter_bytes = walk.filter_bytes;
    arena_release(&arena);
    return has_memory;
}

void filter_phase_release(struct filter_phase *phase)
{
    free(phase->steps);
    filter_table_free(&phase->before);
    filter_table_free(&phase->behind);
    *phase = (struct filter_phase){0};
}
