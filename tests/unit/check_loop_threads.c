/* Tasks of many threads: what the verifier rejects, barriers, private and shared memory, and the
 * accesses that the interpreter reports because threads would meet. */
#include <check.h>
#include <string.h>

#include "base/vector.h"
#include "codegen/loop_eval.h"
#include "tests/unit/suite.h"

enum {
    LENGTH = 64, /* elements of every buffer */
    THREADS = 8,
};

static struct loop_program *new_program(struct arena *arena)
{
    struct loop_program *program = loop_program_new(arena, "sample", "test");
    program->tasks_per_group = 2;
    program->threads = THREADS;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "y", LOOP_STORAGE_F32, true);
    return program;
}

static loop_value one(struct loop_program *program)
{
    return loop_float(program, LOOP_F32_TYPE(1), 1.0);
}

/* Runs two tasks on x[i] = i and y[i] = -1; returns what went wrong. */
static const char *run(const struct loop_program *program, float *y)
{
    float x[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
        x[i] = (float)i;
        y[i] = -1.0f;
    }
    const struct loop_buffer buffers[] = {{x, LENGTH}, {y, LENGTH}};
    const char *wrong = loop_check(program);
    return wrong ? wrong : loop_eval(program, buffers, 1, 0, 2, LOOP_SINGLE);
}

/* The element of y that a thread of a task owns. */
static loop_value own_element(struct loop_program *program, loop_value thread)
{
    return loop_add(program, loop_times(program, loop_task(program), THREADS), thread);
}

/* Each thread stores x to shared memory, waits, and loads what its mirror image stored. */
START_TEST(test_barrier)
{
    struct arena arena = {0};
    struct loop_program *program = new_program(&arena);
    float y[LENGTH];
    loop_value shared = loop_shared(program, LOOP_F32, THREADS);
    loop_value thread = loop_threads(program);
    loop_store_local(program, shared, thread,
                     loop_load(program, 0, own_element(program, thread), 1));
    loop_end(program);
    thread = loop_threads(program);
    loop_value mirror = loop_plus(program, loop_times(program, thread, -1), THREADS - 1);
    loop_store(program, 1, own_element(program, thread),
               loop_load_local(program, shared, mirror, 1));
    loop_end(program);
    const char *wrong = run(program, y);
    ck_assert_msg(!wrong, "%s", wrong);
    for (int i = 0; i < 2 * THREADS; i++)
        ck_assert_int_eq((int)y[i], i / THREADS * THREADS + THREADS - 1 - i % THREADS);
    arena_release(&arena);
}
END_TEST

/* A local from outside keeps a thread's value over barriers, in a loop around them. */
START_TEST(test_private_locals)
{
    struct arena arena = {0};
    struct loop_program *program = new_program(&arena);
    float y[LENGTH];
    loop_value sum = loop_local(program, LOOP_F32, 1), zero = loop_int(program, 0);
    loop_value thread = loop_threads(program);
    loop_store_local(program, sum, zero, loop_convert(program, thread, LOOP_F32));
    loop_end(program);
    loop_for(program, zero, loop_int(program, 3), 1);
    loop_threads(program);
    loop_value before = loop_load_local(program, sum, zero, 1);
    loop_store_local(program, sum, zero, loop_binary(program, LOOP_ADD, before, one(program)));
    loop_end(program);
    loop_end(program);
    thread = loop_threads(program);
    loop_store(program, 1, own_element(program, thread), loop_load_local(program, sum, zero, 1));
    loop_end(program);
    const char *wrong = run(program, y);
    ck_assert_msg(!wrong, "%s", wrong);
    for (int i = 0; i < 2 * THREADS; i++)
        ck_assert_int_eq((int)y[i], i % THREADS + 3);
    arena_release(&arena);
}
END_TEST

/* ---- what is reported ---- */

static void all_store_one_element(struct loop_program *program)
{
    loop_value thread = loop_threads(program);
    loop_value half = loop_binary(program, LOOP_DIVIDE, thread, loop_int(program, 2));
    loop_store(program, 1, half, one(program));
    loop_end(program);
}

static void tasks_store_one_element(struct loop_program *program)
{
    loop_store(program, 1, loop_threads(program), one(program));
    loop_end(program);
}

static void no_barrier(struct loop_program *program)
{
    loop_value shared = loop_shared(program, LOOP_F32, THREADS + 1);
    loop_value thread = loop_threads(program);
    loop_store_local(program, shared, thread, one(program));
    loop_load_local(program, shared, loop_plus(program, thread, 1), 1);
    loop_end(program);
}

static void unaligned(struct loop_program *program)
{
    loop_load(program, 0, loop_threads(program), 4);
    loop_end(program);
}

static void beyond_private(struct loop_program *program)
{
    loop_value local = loop_local(program, LOOP_F32, 2);
    loop_load_local(program, local, loop_threads(program), 1);
    loop_end(program);
}

static void threads_inside(struct loop_program *program)
{
    loop_threads(program);
    loop_threads(program);
    loop_end(program);
    loop_end(program);
}

static void store_outside(struct loop_program *program)
{
    loop_store(program, 1, loop_int(program, 0), one(program));
}

static void local_outside(struct loop_program *program)
{
    loop_value local = loop_local(program, LOOP_F32, 1);
    loop_store_local(program, local, loop_int(program, 0), one(program));
}

static void shared_inside(struct loop_program *program)
{
    loop_threads(program);
    loop_shared(program, LOOP_F32, 1);
    loop_end(program);
}

static void shared_too_large(struct loop_program *program)
{
    loop_shared(program, LOOP_F64, LOOP_SHARED_BYTES / 16);
    loop_shared(program, LOOP_F32, LOOP_SHARED_BYTES / 8 + 1);
}

static void thread_used_later(struct loop_program *program)
{
    loop_value thread = loop_threads(program);
    loop_end(program);
    loop_times(program, thread, 2);
}

static void none(struct loop_program *program)
{
    program->threads = 0;
    loop_threads(program);
    loop_end(program);
}

static void unrolled_to_images(struct loop_program *program)
{
    loop_value loop = loop_for(program, loop_int(program, 0), loop_images(program), 1);
    program->instructions[loop].unrolled = true;
    loop_end(program);
}

static const struct {
    void (*build)(struct loop_program *program);
    const char *message; /* a part of what is said */
} rows[] = {
    {all_store_one_element, "is stored by another thread at the same time of y"},
    {tasks_store_one_element, "was stored by another task of y"},
    {no_barrier, "is loaded by another thread at the same time of the local"},
    {unaligned, "index 1 with 4 lanes is no multiple of the lanes of x"},
    {beyond_private, "index 2 with 1 lanes is out of bounds of the local"},
    {threads_inside, "threads stand in a body of threads"},
    {store_outside, "memory is accessed outside a body of threads"},
    {local_outside, "memory is accessed outside a body of threads"},
    {shared_inside, "a shared array stands outside threads"},
    {shared_too_large, "the shared arrays are too large together"},
    {thread_used_later, "is defined in a body that has ended"},
    {none, "the program has no such number of threads"},
    {unrolled_to_images, "a loop to be unrolled has bounds that are not constant"},
};

START_TEST(test_reports)
{
    struct arena arena = {0};
    struct loop_program *program = new_program(&arena);
    float y[LENGTH];
    rows[_i].build(program);
    const char *wrong = run(program, y);
    ck_assert_msg(wrong && strstr(wrong, rows[_i].message), "%s", wrong ? wrong : "nothing");
    arena_release(&arena);
}
END_TEST

START_TEST(test_shared_offsets)
{
    struct arena arena = {0};
    struct loop_program *program = new_program(&arena);
    loop_shared(program, LOOP_F32, 5);
    loop_value second = loop_shared(program, LOOP_F64, 3);
    ck_assert_int_eq(loop_shared_offset(program, second), 32);
    ck_assert_int_eq(loop_shared_bytes(program), 64);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("loop_threads");
    tcase_add_test(cases, test_barrier);
    tcase_add_test(cases, test_private_locals);
    tcase_add_loop_test(cases, test_reports, 0, (int)countof(rows));
    tcase_add_test(cases, test_shared_offsets);
    return run_case("loop_threads", cases);
}
