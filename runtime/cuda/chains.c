/* Choosing and running chains. See chains.h. */
#include "runtime/cuda/chains.h"

#include <stdlib.h>

#include "runtime/cuda/chain_place.h"

/* What a way must take of its steps' time at the most. */
static const float worth = 0.97F;

struct status chains_open(struct chains *chains, const struct launcher *launcher)
{
    const uint64_t count = launcher->code->program->cuda->chain_count;
    *chains =
        (struct chains){.launcher = launcher, .chosen = calloc(count + 1, sizeof *chains->chosen)};
    if (chains->chosen == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the table of chains");
    for (uint64_t i = 0; i < count; i++)
        chains->chosen[i] = CHAIN_NOT_CHOSEN;
    return status_ok();
}

void chains_release(struct chains *chains)
{
    free(chains->chosen);
    *chains = (struct chains){0};
}

uint64_t chains_taken(const struct chains *chains, uint64_t *met)
{
    uint64_t count = 0;
    *met = 0;
    for (uint64_t i = 0; i < chains->launcher->code->program->cuda->chain_count; i++) {
        count += chains->chosen[i] >= 0;
        *met += chains->chosen[i] != CHAIN_NOT_CHOSEN;
    }
    return count;
}

/* ---- running ---- */

static device_address operand_address(const struct chain_place *place,
                                      const struct rnet_cuda_operand *operand)
{
    const struct rnet_step *step = &place->steps[operand->step];
    return place->launcher->addresses[step->first_argument + operand->argument];
}

static void addresses_set(struct chain_place *place)
{
    const struct launcher *launcher = place->launcher;
    struct cudnn_chain_places *addresses = &place->addresses;
    addresses->arguments = launcher->addresses + place->steps[0].first_argument;
    addresses->filter = launcher_filter(launcher, place->filters);
    for (uint32_t i = 0; i < place->chain->input_count; i++)
        addresses->inputs[i] = operand_address(place, &place->chain->inputs[i]);
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        addresses->results[i] = operand_address(place, &place->chain->results[i]);
}

static struct status chain_put(void *context)
{
    struct chain_place *place = context;
    bool runs;
    RETURN_IF_ERROR(chain_sums_clear(place));
    RETURN_IF_ERROR(cudnn_run_chain(place->launcher->cudnn, place->number, place->way,
                                    &place->addresses, &runs));
    place->failed |= !runs;
    return status_ok();
}

static struct status step_put(const struct chain_place *place, uint32_t step)
{
    return launcher_run(place->launcher, &place->steps[step], place->images,
                        place->filters != NULL ? &place->filters[step] : NULL);
}

static struct status steps_put(void *context)
{
    const struct chain_place *place = context;
    for (uint32_t step = 0; step < place->chain->length; step++)
        RETURN_IF_ERROR(step_put(place, step));
    return status_ok();
}

/* ---- choosing ---- */

/* Whether the chain leaves the tensors that its steps do, which `expected` holds, and the sums that
 * the step which adds up makes of them. */
static struct status way_check(struct chain_place *place, const struct chain_numbers *expected,
                               bool *agrees)
{
    struct chain_numbers tensors = {0}, sums = {0}, again = {0};
    struct status status = chain_results_spoil(place);
    if (status_is_ok(&status))
        status = chain_put(place);
    if (status_is_ok(&status))
        status = chain_numbers_read(place, RNET_CUDA_TENSOR, &tensors);
    if (status_is_ok(&status))
        status = chain_numbers_read(place, RNET_CUDA_SUMS, &sums);
    if (status_is_ok(&status) && place->chain->chunk_images != 0)
        status = step_put(place, place->chain->length - 1);
    if (status_is_ok(&status))
        status = chain_numbers_read(place, RNET_CUDA_SUMS, &again);
    if (status_is_ok(&status))
        *agrees = !place->failed &&
                  chain_numbers_agree(place, RNET_CUDA_TENSOR, &tensors, expected) &&
                  chain_numbers_agree(place, RNET_CUDA_SUMS, &sums, &again);
    chain_numbers_free(&tensors);
    chain_numbers_free(&sums);
    chain_numbers_free(&again);
    return status;
}

/* Takes a way if it is right and faster than `*least`, which it sets then. One that cannot be run
 * or recorded is left; if the GPU has failed, what comes next will say so. */
static struct status way_try(struct chain_place *place, const struct chain_numbers *expected,
                             float *least, int *chosen)
{
    bool agrees = false;
    float time;
    place->failed = false;
    RETURN_IF_ERROR(way_check(place, expected, &agrees));
    if (!agrees)
        return status_ok();
    const struct status timed = gpu_time(place->launcher->code->gpu, chain_put, place, &time);
    if (status_is_ok(&timed) && !place->failed && time <= worth * *least) {
        *least = time;
        *chosen = place->way;
    }
    return status_ok();
}

/* Times the chain's steps and then its ways; all of them leave its results, none changes what it
 * reads. */
static struct status chain_choose(struct chain_place *place, int ways, int *chosen)
{
    struct chain_numbers expected = {0};
    float least;
    *chosen = CHAIN_BY_STEPS;
    if (ways == 0)
        return status_ok();
    struct status status = steps_put(place);
    if (status_is_ok(&status))
        status = gpu_time(place->launcher->code->gpu, steps_put, place, &least);
    if (status_is_ok(&status))
        status = chain_numbers_read(place, RNET_CUDA_TENSOR, &expected);
    for (place->way = 0; status_is_ok(&status) && place->way < ways; place->way++)
        status = way_try(place, &expected, &least, chosen);
    chain_numbers_free(&expected);
    return status;
}

/* Whether cuDNN is asked for the chain that begins with a step. */
static bool is_asked_for(const struct launcher *launcher, const struct rnet_step *step,
                         int64_t images)
{
    int64_t bytes;
    return step->chain != 0 && launcher->cudnn->tunes && launcher->cudnn->handle != NULL &&
           images == launcher->code->program->batch &&
           cudnn_plan(launcher->cudnn, step->kernel, images, &bytes) > 0;
}

struct status chains_run(const struct chains *chains, const struct rnet_step *step, int64_t images,
                         const struct filter_step *filters, uint32_t *length)
{
    const struct launcher *launcher = chains->launcher;
    const struct rnet_program *program = launcher->code->program;
    int64_t bytes;
    *length = 0;
    if (!is_asked_for(launcher, step, images))
        return status_ok();
    const uint32_t number = step->chain - 1;
    int *chosen = &chains->chosen[number];
    struct chain_place place = {
        .launcher = launcher,
        .chain = &program->cuda->chains[number],
        .number = number,
        .steps = step,
        .filters = filters,
        .images = images,
    };
    addresses_set(&place);
    if (*chosen == CHAIN_NOT_CHOSEN)
        RETURN_IF_ERROR(
            chain_choose(&place, cudnn_plan_chain(launcher->cudnn, number, &bytes), chosen));
    if (*chosen == CHAIN_BY_STEPS)
        return status_ok();
    place.way = *chosen;
    RETURN_IF_ERROR(chain_put(&place));
    if (place.failed)
        return status_error(STATUS_IO,
                            "cuDNN cannot compute the kernel %s and those behind it any more; "
                            "without --tune they are not asked for",
                            program->kernels[step->kernel].name);
    *length = place.chain->length;
    return status_ok();
}
