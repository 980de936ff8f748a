/* Runs recorded kernels on a GPU and compares what they give; one line for each that is wrong.
 *
 *   replay_kernels FILE [GPU]      exit status 1 if a kernel is wrong, 77 if there is no GPU */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bfloat16.h"
#include "base/file.h"
#include "runtime/cuda/code.h"
#include "tests/gpu/kernel_case.h"

enum { GUARD = 64 /* numbers behind each buffer that must stay */, SKIPPED = 77 };
static const size_t MOST_BYTES = (size_t)1 << 34;
static const double tolerance = 3e-5;     /* of the magnitude of what was summed */
static const double rounding = 0x1.02p-8; /* of a number to bfloat16, in parts of itself */

/* A case in memory, and where its pieces are. */
struct loaded {
    const struct kernel_case *header;
    const char *name, *cubin, *ptx;
    const float *values[KERNEL_CASE_PARAMETERS], *magnitudes[KERNEL_CASE_PARAMETERS];
};

static const char *take(const char **at, const char *end, uint64_t bytes)
{
    const char *piece = *at;
    if ((uint64_t)(end - piece) < bytes)
        return NULL;
    *at = piece + bytes;
    return piece;
}

/* Copies numbers out, as they may lie unaligned. NULL where the file ends. */
static const float *take_numbers(struct arena *arena, const char **at, const char *end,
                                 uint64_t count)
{
    const char *piece = take(at, end, count * sizeof(float));
    return piece != NULL ? arena_copy(arena, piece, count * sizeof(float)) : NULL;
}

static bool case_load(struct arena *arena, const char **at, const char *end, struct loaded *out)
{
    const char *header = take(at, end, sizeof *out->header);
    if (header == NULL || memcmp(header, KERNEL_CASE_MAGIC, 8) != 0)
        return false;
    out->header = arena_copy(arena, header, sizeof *out->header);
    const struct kernel_case *h = out->header;
    const char *name = take(at, end, h->name_bytes), *cubin = take(at, end, h->cubin_bytes);
    const char *ptx = take(at, end, h->ptx_bytes);
    if (name == NULL || cubin == NULL || ptx == NULL ||
        h->parameter_count > KERNEL_CASE_PARAMETERS || h->tasks_per_block == 0)
        return false;
    out->name = arena_copy_text(arena, name, h->name_bytes);
    out->cubin = arena_copy(arena, cubin, h->cubin_bytes + 1);
    out->ptx = arena_copy(arena, ptx, h->ptx_bytes);
    for (uint32_t p = 0; p < h->parameter_count; p++)
        if ((out->values[p] = take_numbers(arena, at, end, h->counts[p])) == NULL)
            return false;
    for (uint32_t p = h->first_output; p < h->parameter_count; p++)
        if ((out->magnitudes[p] = take_numbers(arena, at, end, h->counts[p])) == NULL)
            return false;
    return true;
}

/* ---- running ---- */

/* What a case has on the GPU. */
struct placed {
    device_address addresses[KERNEL_CASE_PARAMETERS];
    void *memory[KERNEL_CASE_PARAMETERS]; /* a copy, with the guard behind */
    float *host[KERNEL_CASE_PARAMETERS];  /* its numbers */
};

static size_t buffer_bytes(const struct loaded *loaded, uint32_t parameter)
{
    const size_t size = loaded->header->is_bfloat16[parameter] ? sizeof(uint16_t) : sizeof(float);
    return (loaded->header->counts[parameter] + GUARD) * size;
}

/* From numbers to memory, or back. */
static void parameter_round(const struct loaded *loaded, uint32_t p, const struct placed *placed)
{
    uint16_t *half = placed->memory[p];
    for (uint64_t i = 0; i < loaded->header->counts[p] + GUARD; i++)
        if (loaded->header->is_bfloat16[p])
            half[i] = bfloat16_of(placed->host[p][i]);
}

static void parameter_widen(const struct loaded *loaded, uint32_t p, const struct placed *placed)
{
    const uint16_t *half = placed->memory[p];
    for (uint64_t i = 0; i < loaded->header->counts[p] + GUARD; i++)
        if (loaded->header->is_bfloat16[p])
            placed->host[p][i] = bfloat16_value(half[i]);
}

static struct status parameter_place(const struct gpu *gpu, struct arena *arena,
                                     const struct loaded *loaded, uint32_t p, struct placed *placed)
{
    const struct driver *driver = &gpu->driver;
    const uint64_t count = loaded->header->counts[p];
    float *host = ARENA_ARRAY(arena, float, count + GUARD);
    for (uint64_t i = 0; i < count + GUARD; i++)
        host[i] = kernel_case_before;
    if (p < loaded->header->first_output)
        memcpy(host, loaded->values[p], count * sizeof(float));
    placed->host[p] = host;
    placed->memory[p] = host;
    if (loaded->header->is_bfloat16[p])
        placed->memory[p] = ARENA_ARRAY(arena, uint16_t, count + GUARD);
    parameter_round(loaded, p, placed);
    RETURN_IF_ERROR(driver_status(
        driver, driver->memory_allocate(&placed->addresses[p], buffer_bytes(loaded, p)),
        "allocate a buffer"));
    return driver_status(driver,
                         driver->copy_to_device(placed->addresses[p], placed->memory[p],
                                                buffer_bytes(loaded, p), gpu->compute),
                         "copy an input");
}

static struct status launch(const struct gpu *gpu, const struct loaded *loaded,
                            const struct placed *placed)
{
    const struct kernel_case *h = loaded->header;
    const struct rnet_cuda_module module = {loaded->cubin, h->ptx_bytes > 0 ? loaded->ptx : NULL,
                                            h->cubin_bytes, h->ptx_bytes};
    const struct rnet_cuda_kernel cuda_kernel = {.threads = h->threads,
                                                 .shared_bytes = h->shared_bytes,
                                                 .tasks_per_block = h->tasks_per_block};
    const struct rnet_cuda cuda = {.modules = &module,
                                   .kernels = &cuda_kernel,
                                   .module_count = 1,
                                   .architecture = h->architecture};
    const struct rnet_kernel kernel = {.name = loaded->name};
    const struct rnet_program program = {
        .network = "a kernel", .kernels = &kernel, .kernel_count = 1, .cuda = &cuda};
    struct cuda_code code;
    struct status status = cuda_code_open(&code, gpu, &program);
    if (status_is_ok(&status)) {
        const struct cuda_launch launched = {
            .function = code.functions[0],
            .name = loaded->name,
            .threads = h->threads,
            .tasks_per_block = h->tasks_per_block,
            .shared_bytes = h->shared_bytes,
            .images = h->images,
            .tasks = h->tasks,
            .addresses = placed->addresses,
            .address_count = h->parameter_count,
        };
        status = cuda_launch_run(&launched, gpu);
    }
    if (status_is_ok(&status))
        status = gpu_wait(gpu);
    cuda_code_release(&code);
    return status;
}

static struct status run(const struct gpu *gpu, struct arena *arena, const struct loaded *loaded,
                         struct placed *placed)
{
    const struct driver *driver = &gpu->driver;
    for (uint32_t p = 0; p < loaded->header->parameter_count; p++)
        RETURN_IF_ERROR(parameter_place(gpu, arena, loaded, p, placed));
    RETURN_IF_ERROR(launch(gpu, loaded, placed));
    for (uint32_t p = 0; p < loaded->header->parameter_count; p++)
        RETURN_IF_ERROR(driver_status(driver,
                                      driver->copy_to_host(placed->memory[p], placed->addresses[p],
                                                           buffer_bytes(loaded, p), gpu->compute),
                                      "copy an output"));
    RETURN_IF_ERROR(gpu_wait(gpu));
    for (uint32_t p = 0; p < loaded->header->parameter_count; p++)
        parameter_widen(loaded, p, placed);
    return status_ok();
}

/* ---- comparing ---- */

static bool is_same(double expected, double actual, double magnitude, bool is_rounded)
{
    if (isnan(expected) || isnan(magnitude))
        return isnan(expected) == isnan(actual);
    return fabs(expected - actual) <=
           tolerance * (magnitude + 1e-30) + (is_rounded ? rounding * fabs(expected) : 0);
}

/* NULL, or what is wrong. */
static const char *compare(struct arena *arena, const struct loaded *loaded,
                           const struct placed *placed)
{
    const struct kernel_case *h = loaded->header;
    for (uint32_t p = 0; p < h->parameter_count; p++) {
        for (uint64_t i = 0; i < GUARD; i++)
            if (memcmp(&placed->host[p][h->counts[p] + i], &kernel_case_before, sizeof(float)))
                return arena_format(arena, "wrote behind parameter %u", p);
        for (uint64_t i = 0; p >= h->first_output && i < h->counts[p]; i++) {
            double expected = (double)loaded->values[p][i], actual = (double)placed->host[p][i];
            double magnitude = (double)loaded->magnitudes[p][i];
            if (!(magnitude < 0) && !is_same(expected, actual, magnitude, h->is_bfloat16[p]))
                return arena_format(arena, "parameter %u element %llu is %.9g, not %.9g (of %.3g)",
                                    p, (unsigned long long)i, actual, expected, magnitude);
        }
    }
    return NULL;
}

/* Runs one case; returns whether it is right. A failing GPU is `*status`. */
static bool case_run(const struct gpu *gpu, struct arena *arena, const struct loaded *loaded,
                     struct status *status)
{
    struct placed placed = {0};
    *status = run(gpu, arena, loaded, &placed);
    const char *wrong = status_is_ok(status) ? compare(arena, loaded, &placed) : status->message;
    for (uint32_t p = 0; p < loaded->header->parameter_count; p++)
        if (placed.addresses[p] != 0)
            gpu->driver.memory_free(placed.addresses[p]);
    if (wrong != NULL)
        printf("FAIL %s: %s\n", loaded->name, wrong);
    return wrong == NULL;
}

static int cases_run(const struct gpu *gpu, const char *bytes, size_t size)
{
    const char *at = bytes, *end = bytes + size;
    struct status status = status_ok();
    int count = 0, failures = 0;
    struct arena arena = {0};
    while (at < end && status_is_ok(&status)) {
        struct loaded loaded = {0};
        count++;
        if (!case_load(&arena, &at, end, &loaded)) {
            printf("FAIL the file is cut off or malformed at case %d\n", count);
            failures++;
            break;
        }
        failures += !case_run(gpu, &arena, &loaded, &status);
        arena_reset(&arena);
    }
    arena_release(&arena);
    printf("%d kernels on %s, %d wrong\n", count, gpu->name, failures);
    return failures != 0 || count == 0;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct gpu gpu = {0};
    char *bytes;
    size_t size;
    struct status status = argc > 1 ? file_read(&arena, argv[1], MOST_BYTES, &bytes, &size)
                                    : status_error(STATUS_USAGE, "replay_kernels FILE [GPU]");
    int code = status_exit_code(&status);
    if (status_is_ok(&status)) {
        status = gpu_open(&gpu, argc > 2 ? atoi(argv[2]) : 0);
        code = status_is_ok(&status) ? cases_run(&gpu, bytes, size) : SKIPPED;
    }
    if (!status_is_ok(&status))
        printf("%s\n", status.message);
    gpu_release(&gpu);
    arena_release(&arena);
    return code;
}
