/* Compiling loop programs with NVRTC in parallel. Threads have arenas of their own; what they made
 * is copied in the programs' order. */
#include "codegen/cuda/compile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "codegen/cuda/lower_cuda.h"

enum { MOST_THREADS = 64 };

/* What all threads share; each piece is written by one thread. */
struct compilation {
    const struct nvrtc *nvrtc;
    const struct cuda_target *target;
    struct loop_program *const *programs, *const *copies;
    size_t count;
    struct nvrtc_code *code;
    struct status *statuses;
    atomic_size_t next; /* the first program that no thread has taken */
};

struct worker {
    struct compilation *compilation;
    struct arena arena;
    pthread_t thread;
};

static struct status compile_program(const struct compilation *compilation, struct arena *arena,
                                     size_t number, struct nvrtc_code *out_code)
{
    const struct loop_program *program = compilation->programs[number];
    const struct loop_program *copy = compilation->copies[number];
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return status_error(STATUS_MEMORY, "not enough memory for a kernel's text");
    lower_cuda(program, compilation->target->most_images, stream);
    if (copy)
        lower_cuda(copy, compilation->target->most_images, stream);
    if (fclose(stream) != 0) {
        free(text);
        return status_error(STATUS_MEMORY, "not enough memory for a kernel's text");
    }
    const struct status status = nvrtc_compile(compilation->nvrtc, arena, program->name, text,
                                               compilation->target->architecture, out_code);
    free(text);
    return status;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct compilation *compilation = worker->compilation;
    for (;;) {
        const size_t number = atomic_fetch_add(&compilation->next, 1);
        if (number >= compilation->count)
            return NULL;
        compilation->statuses[number] =
            compile_program(compilation, &worker->arena, number, &compilation->code[number]);
    }
}

/* The calling thread is the first worker; those that cannot be started are done without. */
static void run_workers(struct worker *workers, int count)
{
    bool started[MOST_THREADS] = {false};
    for (int i = 1; i < count; i++)
        started[i] = pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
    work(&workers[0]);
    for (int i = 1; i < count; i++)
        if (started[i])
            pthread_join(workers[i].thread, NULL);
}

static int worker_count(const struct cuda_target *target, size_t programs)
{
    long count = target->threads > 0 ? target->threads : sysconf(_SC_NPROCESSORS_ONLN);
    if (count > (long)programs)
        count = (long)programs;
    return count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : (int)count;
}

static struct status collect(struct arena *arena, const struct compilation *compilation)
{
    for (size_t i = 0; i < compilation->count; i++) {
        struct nvrtc_code *code = &compilation->code[i];
        RETURN_IF_ERROR(compilation->statuses[i]);
        code->cubin = arena_copy(arena, code->cubin, code->cubin_bytes);
        code->ptx = arena_copy(arena, code->ptx, code->ptx_bytes);
    }
    return status_ok();
}

struct status cuda_compile(struct arena *arena, const struct cuda_target *target,
                           struct loop_program *const *programs, struct loop_program *const *copies,
                           size_t count, struct nvrtc_code *out_code)
{
    struct nvrtc *nvrtc;
    RETURN_IF_ERROR(nvrtc_open(target->configured_folder, &nvrtc));
    struct compilation compilation = {
        .nvrtc = nvrtc,
        .target = target,
        .programs = programs,
        .copies = copies,
        .count = count,
        .code = out_code,
        .statuses = ARENA_ARRAY(arena, struct status, count + 1),
    };
    struct worker workers[MOST_THREADS];
    const int worker_total = worker_count(target, count);
    struct status status = nvrtc_check_architecture(nvrtc, target->architecture);
    for (int i = 0; i < worker_total; i++)
        workers[i] = (struct worker){.compilation = &compilation};
    if (status_is_ok(&status)) {
        run_workers(workers, worker_total);
        status = collect(arena, &compilation);
    }
    for (int i = 0; i < worker_total; i++)
        arena_release(&workers[i].arena);
    nvrtc_close(nvrtc);
    return status;
}
