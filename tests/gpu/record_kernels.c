/* Records every distinct kernel of networks as compiled for CUDA, with random inputs and what plain
 * loops in double precision make of them.
 *
 *   record_kernels OUT ARCHITECTURE NETWORK [-- NETWORK]...
 *       where a NETWORK is FILE.rnet [NAME=VALUE]... [bf16]
 *   record_kernels OUT imitated          one case for the imitated driver instead
 *
 * RNET_STDLIB names the standard library's folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/cuda/compile.h"
#include "codegen/cuda/lower_cuda.h"
#include "codegen/schedule.h"
#include "compiler/pass.h"
#include "config.h"
#include "tests/gpu/kernel_case.h"
#include "tests/kernels/check_kernel.h"

enum {
    IMAGES = 2,
    DEFINITIONS = 16,
    MOST_IMAGES = 1 << 20,
    MOST_VALUES = 1 << 19, /* of a kernel's parameters: the update of large networks is left out */
};

/* Kernels that are not recorded yet, of all networks. */
struct recording {
    FILE *out;
    int architecture;
    struct arena arena;
    struct kernel_set seen;
};

static bool compile(struct arena *arena, struct source_set *sources, const char *path,
                    const struct elaborate_options *options, enum rnet_precision precision,
                    struct compilation *out)
{
    struct diagnostics diagnostics;
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    *out = (struct compilation){
        .arena = arena, .sources = sources, .keeps_convolutions = true, .precision = precision};
    diagnostics_init(&diagnostics, arena, sources);
    if (!elaborate(arena, sources, &diagnostics, path, options, &out->elaboration)) {
        diagnostics_print(&diagnostics, stderr, false);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        passes[i].run(out);
    return true;
}

static void case_write(FILE *out, const struct kernel_case *header, const char *name,
                       const char *cubin, const char *ptx, const struct kernel_sample *sample)
{
    fwrite(header, sizeof *header, 1, out);
    fwrite(name, 1, header->name_bytes, out);
    fwrite(cubin, 1, header->cubin_bytes, out);
    fwrite(ptx, 1, header->ptx_bytes, out);
    for (uint32_t p = 0; p < header->parameter_count; p++)
        fwrite(sample->values[p], sizeof(float), header->counts[p], out);
    for (uint32_t p = header->first_output; p < header->parameter_count; p++)
        fwrite(sample->magnitudes[p], sizeof(float), header->counts[p], out);
}

static void kernel_write(const struct recording *recording, const struct kernel *kernel,
                         const struct loop_program *program, const struct nvrtc_code *code)
{
    struct arena arena = {0};
    struct kernel_sample sample;
    int64_t values = 0;
    kernel_sample_make(&arena, kernel, IMAGES, &sample);
    for (uint32_t p = 0; p < kernel->parameter_count; p++)
        values += sample.counts[p];
    if (values > MOST_VALUES) {
        fprintf(stderr, "record_kernels: %s is too large to be recorded\n", program->name);
        arena_release(&arena);
        return;
    }
    struct kernel_case header = {
        .magic = KERNEL_CASE_MAGIC,
        .parameter_count = kernel->parameter_count,
        .first_output = (uint32_t)kernel_first_output(kernel),
        .threads = (uint32_t)cuda_block_threads(program),
        .tasks_per_block = (uint32_t)cuda_block_tasks(program),
        .shared_bytes = (uint32_t)loop_shared_bytes(program),
        .architecture = (uint32_t)recording->architecture,
        .images = IMAGES,
        .tasks = loop_task_count(program, IMAGES),
        .name_bytes = strlen(program->name),
        .cubin_bytes = code->cubin_bytes,
        .ptx_bytes = code->ptx_bytes,
    };
    for (uint32_t p = 0; p < header.parameter_count; p++) {
        header.counts[p] = (uint64_t)sample.counts[p];
        header.is_bfloat16[p] = kernel->storage[p] == KERNEL_BF16;
    }
    case_write(recording->out, &header, program->name, code->cubin, code->ptx, &sample);
    arena_release(&arena);
}

/* Records the kernels that are new in this plan. */
static struct status plan_record(struct recording *recording, struct arena *arena,
                                 const struct kernel_set *kernels)
{
    size_t count = 0;
    const struct kernel **fresh = ARENA_ARRAY(arena, const struct kernel *, kernels->items.count);
    struct loop_program **programs =
        ARENA_ARRAY(arena, struct loop_program *, kernels->items.count);
    struct loop_program **copies = ARENA_ARRAY(arena, struct loop_program *, kernels->items.count);
    struct nvrtc_code *code = ARENA_ARRAY(arena, struct nvrtc_code, kernels->items.count);
    const struct cuda_target target = {.configured_folder = RNET_CUDA_FOLDER,
                                       .architecture = recording->architecture,
                                       .most_images = MOST_IMAGES};
    for (size_t k = 0; k < kernels->items.count; k++) {
        const size_t before = recording->seen.items.count;
        kernel_set_add(&recording->seen, kernels->items.items[k]);
        if (recording->seen.items.count == before)
            continue;
        fresh[count] = kernels->items.items[k];
        programs[count] = schedule_kernel(arena, fresh[count], &cuda_target, NULL);
        count++;
    }
    RETURN_IF_ERROR(cuda_compile(arena, &target, programs, copies, count, code));
    for (size_t k = 0; k < count; k++)
        kernel_write(recording, fresh[k], programs[k], &code[k]);
    return status_ok();
}

/* Takes a file and its definitions from the arguments; returns how many it took. */
static int network_record(struct recording *recording, char **arguments, struct status *status)
{
    struct arena arena = {0};
    struct source_set sources;
    struct compilation compilation;
    struct definition definitions[DEFINITIONS];
    const char *stdlib = getenv("RNET_STDLIB");
    enum rnet_precision precision = RNET_PRECISION_TF32;
    int used = 1;
    size_t count = 0;
    for (; arguments[used] && strcmp(arguments[used], "--") != 0; used++) {
        char *equals = strchr(arguments[used], '=');
        if (strcmp(arguments[used], "bf16") == 0)
            precision = RNET_PRECISION_BF16;
        if (!equals || count == DEFINITIONS)
            continue;
        definitions[count++] = (struct definition){
            arena_copy_text(&arena, arguments[used], (size_t)(equals - arguments[used])),
            equals + 1};
    }
    const struct elaborate_options options = {.definitions = definitions,
                                              .definition_count = count};
    source_set_init(&sources, &arena);
    vector_push(&sources.include_paths, &arena, stdlib ? stdlib : "stdlib");
    *status = compile(&arena, &sources, arguments[0], &options, precision, &compilation)
                  ? plan_record(recording, &arena, &compilation.plan.kernels)
                  : status_error(STATUS_INVALID, "%s is malformed", arguments[0]);
    arena_release(&arena);
    return used;
}

/* A kernel of the imitated driver's own: it adds 1. */
static void imitated_write(FILE *out)
{
    enum { COUNT = 1000 };
    static float in[COUNT], sum[COUNT], magnitudes[COUNT];
    struct kernel_case header = {.magic = KERNEL_CASE_MAGIC,
                                 .parameter_count = 2,
                                 .first_output = 1,
                                 .threads = 128,
                                 .tasks_per_block = 128,
                                 .architecture = 90,
                                 .images = 1,
                                 .tasks = COUNT,
                                 .name_bytes = 8,
                                 .cubin_bytes = 8,
                                 .counts = {COUNT, COUNT}};
    struct kernel_sample sample = {.values = {in, sum}, .magnitudes = {NULL, magnitudes}};
    for (int i = 0; i < COUNT; i++) {
        in[i] = (float)i;
        sum[i] = i % 2 == 0 ? (float)(i + 1) : 0; /* odd ones do not matter */
        magnitudes[i] = i % 2 == 0 ? (float)(i + 1) : -1;
    }
    case_write(out, &header, "imitated", "fakeplus", "", &sample);
}

int main(int argc, char **argv)
{
    struct recording recording = {0};
    struct status status = status_ok();
    if (argc < 3 || !(recording.out = fopen(argv[1], "wb"))) {
        fprintf(stderr, "usage: record_kernels OUT ARCHITECTURE FILE.rnet [NAME=VALUE]...\n");
        return 2;
    }
    recording.seen =
        (struct kernel_set){.arena = &recording.arena, .table = {.arena = &recording.arena}};
    recording.architecture = atoi(argv[2]);
    if (strcmp(argv[2], "imitated") == 0)
        imitated_write(recording.out);
    for (int i = 3; i < argc && status_is_ok(&status); i++)
        i += network_record(&recording, argv + i, &status);
    if (fclose(recording.out) != 0 && status_is_ok(&status))
        status = status_error(STATUS_IO, "cannot write %s", argv[1]);
    if (!status_is_ok(&status))
        fprintf(stderr, "record_kernels: %s\n", status.message);
    else
        printf("%zu kernels\n", recording.seen.items.count);
    arena_release(&recording.arena);
    return status_exit_code(&status);
}
