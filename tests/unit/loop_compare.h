/* For tests of code generators: running a loop program on the interpreter and as compiled code from
 * the same memory, and comparing what they leave behind. */
#ifndef TESTS_LOOP_COMPARE_H
#define TESTS_LOOP_COMPARE_H

#include <math.h>
#include <string.h>

#include "codegen/cpu/lower_llvm.h"
#include "codegen/loop_eval.h"

enum {
    COMPARE_LENGTH = 4096, /* elements of every buffer */
    COMPARE_IMAGES = 3,
};

/* Parameters of every compared program, in this order. */
enum compare_parameter {
    COMPARE_X,      /* f32 */
    COMPARE_LABELS, /* i32 */
    COMPARE_Y,      /* f32, output */
    COMPARE_COUNTS, /* i32, output */
};

struct compare_memory {
    float x[COMPARE_LENGTH];
    int32_t labels[COMPARE_LENGTH];
    float y[COMPARE_LENGTH];
    int32_t counts[COMPARE_LENGTH];
};

static inline struct loop_program *compare_program_new(struct arena *arena, const char *name)
{
    struct loop_program *program = loop_program_new(arena, name, "test");
    program->tasks_per_group = 1;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "labels", LOOP_STORAGE_I32, false);
    loop_parameter(program, "y", LOOP_STORAGE_F32, true);
    loop_parameter(program, "counts", LOOP_STORAGE_I32, true);
    return program;
}

static inline uint32_t compare_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Numbers of all kinds: mostly in [-4, 4), with zeros of both signs, infinities and NaN. */
static inline void compare_memory_fill(struct compare_memory *memory, uint64_t seed)
{
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, 1e30f, 1.0f};
    uint64_t state = seed;
    for (int i = 0; i < COMPARE_LENGTH; i++) {
        const uint32_t kind = compare_random(&state) % 64;
        const float number = (float)compare_random(&state) * (4.0f / (1u << 30)) - 4.0f;
        memory->x[i] = kind < 8 ? special[kind] : number;
        memory->labels[i] = (int32_t)(compare_random(&state) % 2001) - 1000;
        memory->y[i] = 0.5f * number;
        memory->counts[i] = i;
    }
}

/* Numbers are equal if their bits are, or if both are NaN, whose bits are nobody's promise. */
static inline bool compare_equal(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Runs tasks [0, tasks) both ways. Returns NULL, or a message about the first difference. */
static inline const char *compare_run(const struct loop_program *program, cpu_function *function,
                                      int64_t tasks, uint64_t seed)
{
    struct arena *arena = program->arena;
    struct compare_memory *wanted = ARENA_NEW(arena, struct compare_memory);
    struct compare_memory *given = ARENA_NEW(arena, struct compare_memory);
    compare_memory_fill(wanted, seed);
    compare_memory_fill(given, seed);
    const struct loop_buffer buffers[] = {{wanted->x, COMPARE_LENGTH},
                                          {wanted->labels, COMPARE_LENGTH},
                                          {wanted->y, COMPARE_LENGTH},
                                          {wanted->counts, COMPARE_LENGTH}};
    void *const pointers[] = {given->x, given->labels, given->y, given->counts};
    const char *message = loop_eval(program, buffers, COMPARE_IMAGES, 0, tasks, LOOP_SINGLE);
    if (message)
        return message;
    function(pointers, COMPARE_IMAGES, 0, tasks);
    for (int i = 0; i < COMPARE_LENGTH; i++) {
        if (!compare_equal(wanted->y[i], given->y[i]))
            return arena_format(arena, "%s: y[%d] is %a but should be %a", program->name, i,
                                (double)given->y[i], (double)wanted->y[i]);
        if (wanted->counts[i] != given->counts[i])
            return arena_format(arena, "%s: counts[%d] is %d but should be %d", program->name, i,
                                given->counts[i], wanted->counts[i]);
    }
    return NULL;
}

#endif
