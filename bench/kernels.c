/* Speed of single kernels, compiled into this process and run on one thread: the convolutions of
 * the paper's networks and their gradients, as fusion leaves them, beside the machine's limits.
 *
 *     kernels [--json | --assembly] [TEXT ...]
 *
 * With texts, only kernels whose name contains one of them. --assembly prints the code of the
 * kernels instead of running them. Each run finds its operands in memory, not in the caches: a
 * kernel has several sets of buffers, which take turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "codegen/cpu/lower_llvm.h"
#include "codegen/schedule.h"
#include "compiler/kernel_work.h"
#include "compiler/pass.h"
#include "runtime/machine_limits.h"
#include "tests/reference/reference.h"

enum {
    ALIGNMENT = 64,
    HUGE_PAGE = 2 << 20,
    CACHE_BYTES = 64 << 20, /* the sets of buffers together are at least as large */
    MOST_SETS = 64,
    LEAST_RUNS = 3,
};

static const double LEAST_SECONDS = 0.05; /* that a kernel is repeated for */

struct network {
    const char *file;
    const char *batch;
};

static const struct network networks[] = {
    {"cifar/iresnet", "64"},     {"cifar/resnet", "64"},        {"imagenet/iresnet", "8"},
    {"imagenet/iresgroup", "4"}, {"imagenet/resgroupfix", "4"},
};

struct options {
    bool json, assembly;
    int text_count;
    char **texts;
};

/* What bounds a kernel: the nearer of two limits. Those that Winograd's filtering spares most
 * products pass the limit of arithmetic, which is that of all products; they are told apart. */
enum bound { ARITHMETIC, MEMORY, FILTERED, BOUNDS };

static const char *const bound_names[BOUNDS] = {"arithmetic", "memory", "filtering"};

struct bench {
    struct arena *arena;
    struct options options;
    struct machine_limits limits; /* of one thread */
    struct kernel_set seen;
    struct text_builder json;
    double *shares[BOUNDS]; /* of the nearer limit, of the kernels that count, by bound */
    size_t share_counts[BOUNDS];
};

/* What was found out about a kernel. */
struct result {
    const char *name, *schedule;
    double seconds, operations, bytes;
    enum bound bound;
    bool counts; /* a 1x1 or 3x3 convolution on more than one point */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "kernels: %s: %s\n", what, why);
    exit(1);
}

/* ---- running ---- */

static cpu_function *compile(struct loop_program *program, struct cpu_jit **out_jit)
{
    cpu_function *function;
    struct status status = cpu_jit_new(&program, 1, out_jit, &function);
    if (!status_is_ok(&status))
        fail(program->name, status.message);
    return function;
}

static size_t buffer_bytes(const struct kernel *kernel, int64_t images, int parameter)
{
    size_t bytes = (size_t)reference_elements(kernel, images, parameter) * sizeof(float);
    return (bytes / ALIGNMENT + 1) * ALIGNMENT;
}

/* In huge pages where it fills them, as the executables have their memory. */
static void *buffer_new(size_t bytes)
{
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    size_t size = (bytes + alignment - 1) / alignment * alignment;
    float *buffer = aligned_alloc(alignment, size);
    if (!buffer)
        fail("buffers", "not enough memory");
    if (bytes >= HUGE_PAGE)
        madvise(buffer, size, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes / sizeof(float); i++)
        buffer[i] = (float)(i % 17) / 16.0f - 0.5f;
    return buffer;
}

/* As many sets of buffers as exceed the caches. */
static int buffers_new(const struct kernel *kernel, int64_t images,
                       void *buffers[MOST_SETS][KERNEL_PARAMETERS])
{
    size_t bytes = 0;
    for (int p = 0; p < kernel->parameter_count; p++)
        bytes += buffer_bytes(kernel, images, p);
    int sets = bytes >= CACHE_BYTES / 2 ? 2 : (int)(CACHE_BYTES / bytes) + 1;
    sets = sets > MOST_SETS ? MOST_SETS : sets;
    for (int set = 0; set < sets; set++)
        for (int p = 0; p < kernel->parameter_count; p++)
            buffers[set][p] = buffer_new(buffer_bytes(kernel, images, p));
    return sets;
}

/* The fastest of repeated runs, in seconds. */
static double time_kernel(const struct kernel *kernel, struct loop_program *program, int64_t images)
{
    static void *buffers[MOST_SETS][KERNEL_PARAMETERS];
    struct cpu_jit *jit;
    cpu_function *run = compile(program, &jit);
    int64_t tasks = loop_task_count(program, images);
    int sets = buffers_new(kernel, images, buffers);
    double best = 1e9, begin = seconds_now(), now = begin;
    for (int i = 0; i < sets + LEAST_RUNS || now - begin < LEAST_SECONDS; i++) {
        double start = seconds_now();
        run(buffers[i % sets], images, 0, tasks);
        now = seconds_now();
        if (i > 0)
            best = now - start < best ? now - start : best;
    }
    for (int set = 0; set < sets; set++)
        for (int p = 0; p < kernel->parameter_count; p++)
            free(buffers[set][p]);
    cpu_jit_free(jit);
    return best;
}

/* ---- what is measured ---- */

static bool is_convolution(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_CONVOLUTION || kernel->anchor == KERNEL_DATA_GRADIENT ||
           kernel->anchor == KERNEL_WEIGHT_GRADIENT;
}

static bool is_counted(const struct kernel *kernel)
{
    const int32_t *extent = kernel->window.kernel;
    return extent[0] == 1 && extent[1] == extent[2] && (extent[1] == 1 || extent[1] == 3) &&
           grid_points(kernel->in_grid) > 1;
}

static double result_limit(const struct bench *bench, const struct result *result)
{
    double arithmetic = result->operations / bench->limits.flop_per_second;
    double memory = result->bytes / bench->limits.byte_per_second;
    return arithmetic > memory ? arithmetic : memory;
}

static struct result measure(const struct bench *bench, const struct kernel *kernel,
                             struct loop_program *program, int64_t images)
{
    const struct rnet_work work = kernel_work(kernel);
    int64_t chunks = work.chunk_images ? (images + work.chunk_images - 1) / work.chunk_images : 0;
    struct result result = {
        .name = program->name,
        .schedule = program->schedule,
        .seconds = time_kernel(kernel, program, images),
        .operations = 2.0 * (double)(work.image_multiply_adds * images),
        .bytes = (double)(work.image_bytes * images + work.chunk_bytes * chunks + work.fixed_bytes),
        .counts = is_counted(kernel),
    };
    if (result.bytes / bench->limits.byte_per_second >
        result.operations / bench->limits.flop_per_second)
        result.bound = MEMORY;
    else if (strncmp(result.schedule, "winograd", strlen("winograd")) == 0)
        result.bound = FILTERED;
    return result;
}

static void result_print(const struct bench *bench, const struct result *result)
{
    double speed = result->operations / result->seconds, rate = result->bytes / result->seconds;
    printf("%-44s %8.1f GFLOP/s %5.1f %%  %6.1f GB/s %5.1f %%  %5.1f %% of %-10s  %s\n",
           result->name, speed * 1e-9, 100 * speed / bench->limits.flop_per_second, rate * 1e-9,
           100 * rate / bench->limits.byte_per_second,
           100 * result_limit(bench, result) / result->seconds, bound_names[result->bound],
           result->schedule);
    fflush(stdout);
}

static void result_add_json(struct bench *bench, const struct result *result)
{
    text_add(&bench->json, "%s{\"name\":", bench->json.length > 0 ? "," : "");
    text_add_json(&bench->json, result->name);
    text_add(&bench->json,
             ",\"schedule\":\"%s\",\"seconds\":%.6g,\"flop\":%.0f,\"bytes\":%.0f,"
             "\"bound\":\"%s\",\"of_limit\":%.4g,\"counts\":%s}",
             result->schedule, result->seconds, result->operations, result->bytes,
             bound_names[result->bound], result_limit(bench, result) / result->seconds,
             result->counts ? "true" : "false");
}

static void print_assembly(struct arena *arena, struct loop_program *program)
{
    struct cpu_target target = {.cpu = "native", .threads = 1};
    struct cpu_code code;
    struct status status = cpu_compile(arena, &target, &program, 1, CPU_ASSEMBLY, &code);
    if (status_is_ok(&status))
        fwrite(code.bytes, 1, code.size, stdout);
}

static bool is_chosen(const struct options *options, const char *name)
{
    for (int i = 0; i < options->text_count; i++)
        if (strstr(name, options->texts[i]))
            return true;
    return options->text_count == 0;
}

static void share_add(struct bench *bench, const struct result *result)
{
    enum { MOST_SHARES = 4096 };
    size_t *count = &bench->share_counts[result->bound];
    double **shares = &bench->shares[result->bound];
    if (!*shares)
        *shares = ARENA_ARRAY(bench->arena, double, MOST_SHARES);
    if (result->counts && *count < MOST_SHARES)
        (*shares)[(*count)++] = result_limit(bench, result) / result->seconds;
}

static void kernel_bench(struct bench *bench, const struct kernel *kernel, int64_t images)
{
    size_t before = bench->seen.items.count;
    struct arena arena = {0};
    const char *name = kernel_name(kernel, &arena);
    kernel_set_add(&bench->seen, kernel);
    if (bench->seen.items.count > before && is_chosen(&bench->options, name)) {
        struct loop_program *program = schedule_kernel(&arena, kernel, &cpu_target, NULL);
        if (bench->options.assembly) {
            print_assembly(&arena, program);
        } else {
            struct result result = measure(bench, kernel, program, images);
            share_add(bench, &result);
            if (bench->options.json)
                result_add_json(bench, &result);
            else
                result_print(bench, &result);
        }
    }
    arena_release(&arena);
}

/* ---- networks ---- */

/* The source tree: two folders above build/bench/kernels. */
static const char *tree_folder(struct arena *arena)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        fail("/proc/self/exe", "can't be read");
    path[length] = '\0';
    for (int i = 0; i < 3 && strrchr(path, '/'); i++)
        *strrchr(path, '/') = '\0';
    return arena_copy_text(arena, path, strlen(path));
}

static void network_bench(struct bench *bench, const struct network *network, const char *tree)
{
    struct arena arena = {0};
    struct source_set sources;
    struct diagnostics diagnostics;
    const struct definition batch = {"batch", network->batch};
    const struct elaborate_options options = {.definitions = &batch, .definition_count = 1};
    struct compilation compilation = {.arena = &arena, .sources = &sources};
    const char *path = arena_format(&arena, "%s/examples/%s.rnet", tree, network->file);
    size_t count;
    const struct pass *passes = compiler_passes(&count);
    source_set_init(&sources, &arena);
    vector_push(&sources.include_paths, &arena, arena_format(&arena, "%s/stdlib", tree));
    diagnostics_init(&diagnostics, &arena, &sources);
    if (!elaborate(&arena, &sources, &diagnostics, path, &options, &compilation.elaboration))
        fail(path, "doesn't compile");
    for (size_t i = 0; i < count; i++)
        passes[i].run(&compilation);
    const struct kernel_set *kernels = &compilation.plan.kernels;
    for (size_t k = 0; k < kernels->items.count; k++)
        if (is_convolution(kernels->items.items[k]))
            kernel_bench(bench, kernels->items.items[k], atoi(network->batch));
    arena_release(&arena);
}

/* ---- all ---- */

static int number_order(const void *first, const void *second)
{
    double a = *(const double *)first, b = *(const double *)second;
    return a < b ? -1 : a > b;
}

static void summary_print(const struct bench *bench)
{
    static const char *const limits[BOUNDS] = {"bound by arithmetic", "bound by memory",
                                               "by filtering, of plain arithmetic"};
    for (int bound = 0; bound < BOUNDS; bound++) {
        size_t count = bench->share_counts[bound];
        if (count == 0)
            continue;
        qsort(bench->shares[bound], count, sizeof(double), number_order);
        printf("1x1 and 3x3, %s: %zu kernels, median %.1f %%, least %.1f %%\n", limits[bound],
               count, 100 * bench->shares[bound][count / 2], 100 * bench->shares[bound][0]);
    }
}

static void limits_measure(struct bench *bench)
{
    struct thread_team *team;
    struct status status = thread_team_start(1, &team);
    if (status_is_ok(&status))
        status = machine_limits_measure(team, &bench->limits);
    if (!status_is_ok(&status))
        fail("limits", status.message);
    thread_team_release(team);
    if (!bench->options.json)
        printf("one thread, measured now: %.1f GFLOP/s, %.1f GB/s\n",
               bench->limits.flop_per_second / 1e9, bench->limits.byte_per_second / 1e9);
}

int main(int count, char **arguments)
{
    struct arena arena = {0};
    struct bench bench = {.arena = &arena,
                          .seen = {.arena = &arena, .table = {.arena = &arena}},
                          .json = {.arena = &arena}};
    int first = 1;
    for (; first < count && strncmp(arguments[first], "--", 2) == 0; first++) {
        bench.options.json |= strcmp(arguments[first], "--json") == 0;
        bench.options.assembly |= strcmp(arguments[first], "--assembly") == 0;
    }
    bench.options.texts = arguments + first;
    bench.options.text_count = count - first;
    if (!bench.options.assembly)
        limits_measure(&bench);
    for (size_t i = 0; i < countof(networks); i++)
        network_bench(&bench, &networks[i], tree_folder(&arena));
    if (bench.options.json)
        printf("{\"gflop_per_second\":%.6g,\"gbyte_per_second\":%.6g,\"kernels\":[%s]}\n",
               bench.limits.flop_per_second / 1e9, bench.limits.byte_per_second / 1e9,
               text_result(&bench.json));
    else if (!bench.options.assembly)
        summary_print(&bench);
    arena_release(&arena);
    return 0;
}
