/* The neighbours of every use, against a search through the steps. */
#include <check.h>
#include <stdint.h>

#include "runtime/cuda/uses.h"
#include "tests/unit/suite.h"

enum { KERNELS = 4, STEPS = 60, ARGUMENTS = 5, PLACES = 7, PROGRAMS = 50 };

/* A program of steps that load from, and store to, a few places in two regions. */
struct steps {
    struct rnet_cuda_kernel kernels[KERNELS];
    struct rnet_argument arguments[STEPS * ARGUMENTS];
    struct rnet_step steps[STEPS];
    struct rnet_cuda cuda;
    struct rnet_program program;
};

static uint32_t next_number(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

static void steps_make(struct steps *steps, uint64_t seed)
{
    *steps = (struct steps){.cuda = {.kernels = steps->kernels}};
    for (uint32_t i = 0; i < KERNELS; i++)
        steps->kernels[i].first_output = i;
    for (uint32_t i = 0; i < STEPS * ARGUMENTS; i++)
        steps->arguments[i] = (struct rnet_argument){
            .offset = 64 * (uint64_t)next_number(&seed, PLACES),
            .region = next_number(&seed, 2) ? RNET_REGION_WORKSPACE : RNET_REGION_WEIGHTS};
    for (uint32_t i = 0; i < STEPS; i++)
        steps->steps[i] = (struct rnet_step){.kernel = next_number(&seed, KERNELS),
                                             .first_argument = i * ARGUMENTS,
                                             .argument_count = next_number(&seed, ARGUMENTS + 1)};
    steps->program = (struct rnet_program){.arguments = steps->arguments, .cuda = &steps->cuda};
    steps->program.phases[RNET_PHASE_TRAIN] = (struct rnet_steps){steps->steps, STEPS};
}

/* Whether the step uses the place, and loads from it. */
static bool is_used(const struct steps *steps, int64_t step, const struct rnet_argument *place,
                    bool *loads)
{
    const struct rnet_step *at = &steps->steps[step];
    bool used = false;
    *loads = false;
    for (uint32_t i = 0; i < at->argument_count; i++) {
        const struct rnet_argument *argument = &steps->arguments[at->first_argument + i];
        if (argument->region != place->region || argument->offset != place->offset)
            continue;
        used = true;
        *loads |= i < steps->kernels[at->kernel].first_output;
    }
    return used;
}

static void neighbour_check(const struct steps *steps, const struct use *use, int64_t step,
                            int64_t direction, const struct rnet_argument *place)
{
    bool loads = false;
    int64_t i = step + direction;
    while (i >= 0 && i < STEPS && !is_used(steps, i, place, &loads))
        i += direction;
    if (i < 0 || i == STEPS) {
        ck_assert_ptr_null(use);
        return;
    }
    ck_assert_ptr_nonnull(use);
    ck_assert_int_eq(use->step, i);
    ck_assert_int_eq(use->loads, loads);
}

START_TEST(neighbours_are_those_of_a_search)
{
    struct arena arena = {0};
    static struct steps steps;
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        steps_make(&steps, seed);
        const struct uses uses = uses_collect(&arena, &steps.program, RNET_PHASE_TRAIN);
        for (int64_t step = 0; step < STEPS; step++)
            for (uint32_t i = 0; i < steps.steps[step].argument_count; i++) {
                const struct rnet_argument *place = &steps.arguments[step * ARGUMENTS + i];
                neighbour_check(&steps, use_before(&uses, place, step), step, -1, place);
                neighbour_check(&steps, use_after(&uses, place, step), step, 1, place);
            }
    }
    arena_release(&arena);
}
END_TEST

START_TEST(a_phase_without_steps_has_no_uses)
{
    struct arena arena = {0};
    static struct steps steps;
    steps_make(&steps, 0);
    ck_assert_uint_eq(uses_collect(&arena, &steps.program, RNET_PHASE_INFER).count, 0);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {neighbours_are_those_of_a_search,
                                  a_phase_without_steps_has_no_uses};
    return run_suite("uses", tests, sizeof tests / sizeof *tests);
}
