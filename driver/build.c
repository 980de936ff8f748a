/* rnet build: the whole line, from a file to an executable, or to any stage on the way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "codegen/cpu/lower_llvm.h"
#include "codegen/program.h"
#include "codegen/schedule.h"
#include "compiler/pass.h"
#include "compiler/report.h"
#include "config.h"
#include "driver/build.h"
#include "driver/build_cuda.h"
#include "driver/clock.h"
#include "driver/commands.h"
#include "driver/front.h"
#include "driver/link.h"
#include "driver/memory_limit.h"

struct build {
    struct arena *arena;
    const struct options *options;
    struct front front;
    struct compilation compilation;
    struct loop_program **programs; /* one a kernel of the plan */
    size_t program_count;
    struct phase_clock clock;
};

static bool is_cuda(const struct options *options)
{
    return strcmp(options->target, "cuda") == 0;
}

static const char *const precision_names[] = {
    [RNET_PRECISION_FP32] = "fp32",
    [RNET_PRECISION_TF32] = "tf32",
    [RNET_PRECISION_BF16] = "bf16",
};

/* What --precision says, once it was checked, or the target's default. */
static enum rnet_precision precision_of(const struct options *options)
{
    for (size_t i = 0; options->precision && i < countof(precision_names); i++)
        if (strcmp(options->precision, precision_names[i]) == 0)
            return (enum rnet_precision)i;
    return is_cuda(options) ? RNET_PRECISION_TF32 : RNET_PRECISION_FP32;
}

/* ---- dumps ---- */

static bool is_dumped(const struct build *build, const char *phase)
{
    const char *wanted = build->options->dump_after;

    return wanted && (strcmp(wanted, phase) == 0 || strcmp(wanted, "all") == 0);
}

static bool is_phase(const char *name)
{
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(passes[i].name, name) == 0)
            return true;
    return strcmp(name, "elaborate") == 0 || strcmp(name, "schedule") == 0 ||
           strcmp(name, "all") == 0;
}

/* Where --emit writes text: the output's stream, or standard output. */
static struct status open_output(const struct options *options, FILE **out)
{
    *out = options->output ? fopen(options->output, "wb") : stdout;
    if (!*out)
        return status_error(STATUS_IO, "can't write %s: %s", options->output, strerror(errno));
    return status_ok();
}

static struct status close_output(const struct options *options, FILE *stream)
{
    const bool failed = ferror(stream) != 0;

    if ((stream == stdout ? fflush(stream) : fclose(stream)) != 0 || failed)
        return status_error(STATUS_IO, "can't write %s: %s",
                            options->output ? options->output : "to standard output",
                            strerror(errno));
    return status_ok();
}

/* ---- the line ---- */

/* A pass that leaves something malformed is a fault of the compiler: say where, and stop hard. */
static void run_pass(struct build *build, const struct pass *pass)
{
    const char *problem;

    pass->run(&build->compilation);
    problem = pass->check(&build->compilation);
    if (problem) {
        fprintf(stderr, "rnet: fault of the compiler after pass %s: %s\n", pass->name, problem);
        abort();
    }
    if (is_dumped(build, pass->name))
        pass->print(&build->compilation, stderr);
    phase_clock_lap(&build->clock, pass->name);
}

/* Fails where a limit of memory can't be met. */
static struct status run_passes(struct build *build)
{
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    build->compilation = (struct compilation){
        .arena = build->arena,
        .sources = &build->front.sources,
        .elaboration = build->front.elaboration,
        .inference = build->options->inference,
        .memory_limit = build->options->memory_limit,
        .keeps_convolutions = is_cuda(build->options),
        .precision = precision_of(build->options),
    };
    for (size_t i = 0; i < count; i++)
        run_pass(build, &passes[i]);
    return memory_limit_check(&build->compilation);
}

static void schedule_kernels(struct build *build)
{
    const struct plan *plan = &build->compilation.plan;
    const struct target *target = is_cuda(build->options) ? &cuda_target : &cpu_target;

    build->program_count = plan->kernels.items.count;
    build->programs = ARENA_ARRAY(build->arena, struct loop_program *, build->program_count);
    for (size_t k = 0; k < build->program_count; k++) {
        build->programs[k] =
            schedule_kernel(build->arena, plan->kernels.items.items[k], target, NULL);
        if (is_dumped(build, "schedule"))
            loop_print(build->programs[k], stderr);
    }
    phase_clock_lap(&build->clock, "schedule");
}

static struct status generate(struct build *build, enum cpu_output output,
                              struct cpu_code **out_code)
{
    const struct cpu_target target = {.cpu = build->options->cpu};
    struct status status;

    *out_code = ARENA_ARRAY(build->arena, struct cpu_code, build->program_count);
    status = cpu_compile(build->arena, &target, build->programs, build->program_count, output,
                         *out_code);
    phase_clock_lap(&build->clock, "code");
    return status;
}

/* How the executable was built, for its `info`. */
static const char *build_description(const struct build *build, const struct program_cuda *cuda)
{
    if (cuda)
        return arena_format(build->arena, "rnet %s, target cuda (sm_%d), %s", PACKAGE_VERSION,
                            cuda->architecture, precision_names[cuda->precision]);
    return arena_format(build->arena, "rnet %s, target cpu (%s), fp32", PACKAGE_VERSION,
                        build->options->cpu);
}

static struct status add_program(struct build *build, struct link_folder *folder,
                                 const struct program_cuda *cuda)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    struct program_facts facts = {build_description(build, cuda), ""};
    struct status status = status_ok();

    if (!stream)
        return status_error(STATUS_MEMORY, "not enough memory for the program's tables");
    if (!cuda)
        status = cpu_features(build->arena, build->options->cpu, &facts.instruction_sets);
    program_write(&build->compilation, build->programs, &facts, cuda, stream);
    if (fclose(stream) != 0)
        status = status_error(STATUS_MEMORY, "not enough memory for the program's tables");
    if (status_is_ok(&status))
        status = link_add(build->arena, folder, ".s", text, size);
    free(text);
    phase_clock_lap(&build->clock, "tables");
    return status;
}

/* Kernels for the processor are objects of their own; those for a GPU are data of the program. */
static struct status add_kernels(struct build *build, struct link_folder *folder)
{
    struct cpu_code *code;
    struct program_cuda cuda;

    if (is_cuda(build->options)) {
        RETURN_IF_ERROR(build_cuda_code(build->arena, build->options, &build->compilation,
                                        build->programs, &cuda));
        phase_clock_lap(&build->clock, "code");
        return add_program(build, folder, &cuda);
    }
    RETURN_IF_ERROR(generate(build, CPU_OBJECT, &code));
    for (size_t k = 0; k < build->program_count; k++)
        RETURN_IF_ERROR(link_add(build->arena, folder, ".o", code[k].bytes, code[k].size));
    return add_program(build, folder, NULL);
}

static struct status link_pieces(struct build *build, struct link_folder *folder)
{
    const struct options *options = build->options;

    RETURN_IF_ERROR(add_kernels(build, folder));
    if (options->emit == EMIT_OBJECT)
        return link_object(build->arena, folder, options->output);
    return link_executable(build->arena, folder, options->output);
}

static struct status link_output(struct build *build)
{
    struct link_folder folder = {0};
    struct status status = link_folder_new(build->arena, build->program_count + 1, &folder);

    if (status_is_ok(&status))
        status = link_pieces(build, &folder);
    link_folder_remove(&folder);
    phase_clock_lap(&build->clock, "link");
    return status;
}

static struct status emit_code(struct build *build)
{
    const bool is_llvm = build->options->emit == EMIT_LLVM;
    struct cpu_code *code;
    FILE *stream;

    RETURN_IF_ERROR(generate(build, is_llvm ? CPU_LLVM : CPU_ASSEMBLY, &code));
    RETURN_IF_ERROR(open_output(build->options, &stream));
    for (size_t k = 0; k < build->program_count; k++)
        fwrite(code[k].bytes, 1, code[k].size, stream);
    return close_output(build->options, stream);
}

static struct status emit_cuda(struct build *build)
{
    FILE *stream;

    RETURN_IF_ERROR(open_output(build->options, &stream));
    build_cuda_text(&build->compilation.plan, build->programs, stream);
    return close_output(build->options, stream);
}

static struct status emit_kernels(struct build *build)
{
    const struct plan *plan = &build->compilation.plan;
    FILE *stream;

    RETURN_IF_ERROR(open_output(build->options, &stream));
    for (size_t k = 0; k < plan->kernels.items.count; k++)
        kernel_print(plan->kernels.items.items[k], stream);
    return close_output(build->options, stream);
}

static struct status emit_graph(struct build *build)
{
    FILE *stream;

    RETURN_IF_ERROR(open_output(build->options, &stream));
    graph_print(build->front.elaboration.graph, &build->front.sources, stream);
    return close_output(build->options, stream);
}

static struct status finish(struct build *build)
{
    switch (build->options->emit) {
    case EMIT_GRAPH:
        return emit_graph(build);
    case EMIT_KERNELS:
        RETURN_IF_ERROR(run_passes(build));
        return emit_kernels(build);
    case EMIT_ASSEMBLY:
    case EMIT_LLVM:
        RETURN_IF_ERROR(run_passes(build));
        schedule_kernels(build);
        return emit_code(build);
    case EMIT_CUDA:
        RETURN_IF_ERROR(run_passes(build));
        schedule_kernels(build);
        return emit_cuda(build);
    case EMIT_EXE:
    case EMIT_OBJECT:
    case EMIT_AST:
        break;
    }
    RETURN_IF_ERROR(run_passes(build));
    schedule_kernels(build);
    return link_output(build);
}

/* ---- the command ---- */

static struct status check_precision(const struct options *options)
{
    bool is_known = !options->precision;

    for (size_t i = 0; i < countof(precision_names) && !is_known; i++)
        is_known = strcmp(options->precision, precision_names[i]) == 0;
    if (!is_known)
        return status_error(STATUS_USAGE, "--precision %s: expected fp32, tf32 or bf16",
                            options->precision);
    if (!is_cuda(options) && precision_of(options) != RNET_PRECISION_FP32)
        return status_error(STATUS_USAGE,
                            "--precision %s needs --target cuda: the processor computes in fp32",
                            options->precision);
    return status_ok();
}

/* What is emitted, --gpu and --precision suit the target. */
static struct status check_target_options(const struct options *options)
{
    const bool is_llvm = options->emit == EMIT_LLVM || options->emit == EMIT_ASSEMBLY;
    int architecture;

    if (is_cuda(options) && is_llvm)
        return status_error(STATUS_USAGE, "--target cuda goes through no LLVM: say --emit cuda");
    if (!is_cuda(options) && options->emit == EMIT_CUDA)
        return status_error(STATUS_USAGE, "--emit cuda needs --target cuda");
    if (!is_cuda(options) && options->gpu)
        return status_error(STATUS_USAGE, "--gpu needs --target cuda");
    RETURN_IF_ERROR(check_precision(options));
    return is_cuda(options) ? build_cuda_architecture(options, &architecture) : status_ok();
}

static struct status check_options(const struct options *options)
{
    const bool needs_output = options->emit == EMIT_EXE || options->emit == EMIT_OBJECT;

    if (needs_output && !options->output)
        return status_error(STATUS_USAGE, "where to? say -o OUT");
    if (strcmp(options->target, "cpu") != 0 && !is_cuda(options))
        return status_error(STATUS_USAGE, "--target %s: expected cpu or cuda", options->target);
    RETURN_IF_ERROR(check_target_options(options));
    if (options->dump_after && !is_phase(options->dump_after))
        return status_error(STATUS_USAGE, "--dump-after %s: there is no such pass",
                            options->dump_after);
    if (options->memory_limit > 0 && options->inference)
        return status_error(STATUS_USAGE, "--memory-limit is about training; --inference has none");
    return status_ok();
}

static int emit_tree(struct arena *arena, const struct options *options)
{
    FILE *stream;
    struct status status = open_output(options, &stream);
    bool parsed = false;

    if (status_is_ok(&status)) {
        parsed = front_print_tree(arena, options, stream);
        status = close_output(options, stream);
    }
    if (!status_is_ok(&status))
        return report_failure(&status);
    return parsed ? 0 : 1;
}

/* The tables of a program hold all but its kernels' code, and that follows from what they hold. */
static struct status hash_tables(struct build *build, uint64_t *out_hash)
{
    const struct options *options = build->options;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    const struct program_facts facts = {arena_format(build->arena, "%s %s %s", options->target,
                                                     options->cpu,
                                                     precision_names[precision_of(options)]),
                                        ""};
    if (stream)
        program_write(&build->compilation, build->programs, &facts, NULL, stream);
    if (!stream || fclose(stream) != 0) {
        free(text);
        return status_error(STATUS_MEMORY, "not enough memory for the program's tables");
    }
    *out_hash = hash_bytes(text, size);
    free(text);
    return status_ok();
}

struct status build_identify(struct arena *arena, const struct options *options,
                             const struct front *front, struct build_identity *out)
{
    struct options wanted = *options;
    struct build build = {.arena = arena, .options = &wanted, .front = *front};

    wanted.output = "";
    RETURN_IF_ERROR(check_options(&wanted));
    wanted.target = "cpu"; /* whose schedules are always at hand */
    wanted.precision = NULL;
    RETURN_IF_ERROR(run_passes(&build));
    schedule_kernels(&build);
    out->macs = (double)report_make(&build.compilation, REPORT_MACS, arena)->total.macs;
    out->network = front->elaboration.graph->network;
    wanted.target = options->target;
    wanted.precision = options->precision;
    return hash_tables(&build, &out->hash);
}

int command_build(struct arena *arena, const struct options *options, char **argv)
{
    struct build build = {.arena = arena, .options = options};
    struct status status = check_options(options);

    (void)argv;
    if (!status_is_ok(&status))
        return report_failure(&status);
    if (options->emit == EMIT_AST)
        return emit_tree(arena, options);
    build.clock = phase_clock_start(options->time);
    if (!front_run(arena, options, &build.front))
        return 1;
    if (options->emit != EMIT_GRAPH && !front_is_compilable(&build.front, options->inference))
        return 1;
    front_finish(&build.front);
    if (is_dumped(&build, "elaborate"))
        graph_print(build.front.elaboration.graph, &build.front.sources, stderr);
    phase_clock_lap(&build.clock, "elaborate");
    status = finish(&build);
    return status_is_ok(&status) ? 0 : report_failure(&status);
}
