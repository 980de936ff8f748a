/* Writing rnet_program. Each structure is written field by field in the order of
 * runtime/program.h; place() checks against offsetof that none was missed or padded otherwise. */
#include "codegen/program.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/vector.h"
#include "codegen/program_cuda.h"
#include "codegen/table_writer.h"
#include "compiler/kernel_work.h"
#include "compiler/report.h"
#include "runtime/program.h"

/* ---- tables ---- */

static void put_work(struct table_writer *writer, const struct kernel *kernel)
{
    const struct rnet_work work = kernel_work(kernel);
    const size_t base = writer->offset;

    put_quad(writer, (uint64_t)work.image_multiply_adds);
    put_quad(writer, (uint64_t)work.image_bytes);
    place(writer, base + offsetof(struct rnet_work, chunk_bytes));
    put_quad(writer, (uint64_t)work.chunk_bytes);
    put_quad(writer, (uint64_t)work.chunk_images);
    put_quad(writer, (uint64_t)work.fixed_bytes);
}

static void write_kernels(struct table_writer *writer, struct loop_program *const *programs,
                          const struct kernel_set *kernels, bool is_cuda)
{
    put_label(writer, ".Lkernels");
    for (size_t k = 0; k < kernels->items.count; k++) {
        begin_struct(writer);
        place(writer, offsetof(struct rnet_kernel, name));
        put_text(writer, programs[k]->name);
        if (is_cuda)
            put_quad(writer, 0);
        else
            put_symbol(writer, programs[k]->name);
        place(writer, offsetof(struct rnet_kernel, images_per_task));
        put_quad(writer, (uint64_t)programs[k]->images_per_task);
        put_quad(writer, (uint64_t)programs[k]->tasks_per_group);
        place(writer, offsetof(struct rnet_kernel, work));
        put_work(writer, kernels->items.items[k]);
        end_struct(writer, sizeof(struct rnet_kernel));
    }
}

/* Returns how many arguments there are. */
static size_t write_arguments(struct table_writer *writer, const struct plan *plan)
{
    const struct calls *const both[] = {plan->train, plan->infer};
    size_t count = 0;

    put_label(writer, ".Larguments");
    for (size_t i = 0; i < countof(both); i++) {
        for (size_t c = 0; c < both[i]->items.count; c++) {
            const struct call *call = &both[i]->items.items[c];

            for (int a = 0; a < call->argument_count; a++, count++) {
                const struct buffer *buffer = &both[i]->buffers.items[call->arguments[a]];

                begin_struct(writer);
                put_quad(writer, buffer->offset);
                place(writer, offsetof(struct rnet_argument, region));
                put_long(writer, buffer->region);
                put_long(writer, 0);
                end_struct(writer, sizeof(struct rnet_argument));
            }
        }
    }
    return count;
}

static void write_step(struct table_writer *writer, const struct call *call, size_t first_argument,
                       uint32_t chain)
{
    begin_struct(writer);
    put_long(writer, call->kernel);
    put_long(writer, (uint32_t)first_argument);
    place(writer, offsetof(struct rnet_step, argument_count));
    put_long(writer, call->argument_count);
    put_long(writer, chain);
    place(writer, offsetof(struct rnet_step, images));
    put_quad(writer, (uint64_t)call->images);
    end_struct(writer, sizeof(struct rnet_step));
}

static void write_phase(struct table_writer *writer, const struct plan *plan, enum rnet_phase phase,
                        struct program_chains *chains, uint64_t *out_count)
{
    const struct calls *const both[] = {plan->train, plan->infer};
    size_t argument = 0;

    *out_count = 0;
    fprintf(writer->stream, "\t.balign 8\n.Lsteps_%d:\n", phase);
    for (size_t i = 0; i < countof(both); i++) {
        for (size_t c = 0; c < both[i]->items.count; c++) {
            const struct call *call = &both[i]->items.items[c];

            if (call->phase == phase) {
                write_step(writer, call, argument, program_chains_add(chains, both[i], c));
                (*out_count)++;
            }
            argument += call->argument_count;
        }
    }
}

static bool is_saved(const struct tensor *tensor)
{
    return tensor->kind == TENSOR_PARAMETER || tensor->kind == TENSOR_STATISTIC ||
           tensor->kind == TENSOR_COUNTER;
}

static void write_parameter(struct table_writer *writer, const struct plan *plan, size_t t)
{
    const struct tensor *tensor = &plan->graph->tensors.items[t];
    const struct parameter_start start = parameter_start(tensor, plan->recipe);

    begin_struct(writer);
    put_text(writer, tensor->name);
    place(writer, offsetof(struct rnet_parameter, shape));
    for (int axis = 0; axis < RNET_RANK; axis++)
        put_quad(writer, axis < tensor->rank ? (uint64_t)tensor->shape[axis] : 0);
    place(writer, offsetof(struct rnet_parameter, init_value));
    put_double(writer, start.value);
    put_quad(writer, plan->layout.offsets[t]);
    place(writer, offsetof(struct rnet_parameter, region));
    put_long(writer,
             tensor->kind == TENSOR_PARAMETER ? RNET_REGION_WEIGHTS : RNET_REGION_STATISTICS);
    put_long(writer, tensor->rank);
    place(writer, offsetof(struct rnet_parameter, kind));
    put_long(writer, tensor->kind == TENSOR_COUNTER ? RNET_PARAMETER_BATCH_COUNTER
                     : tensor->rank > 1             ? RNET_PARAMETER_WEIGHT
                                                    : RNET_PARAMETER_VECTOR);
    put_long(writer, start.init);
    put_long(writer, tensor->rank > 1 ? plan->layout.weight_block : 0);
    put_long(writer, 0);
    end_struct(writer, sizeof(struct rnet_parameter));
}

static size_t write_parameters(struct table_writer *writer, const struct plan *plan)
{
    size_t count = 0;

    put_label(writer, ".Lparameters");
    for (size_t t = 0; t < plan->graph->tensors.count; t++) {
        if (is_saved(&plan->graph->tensors.items[t])) {
            write_parameter(writer, plan, t);
            count++;
        }
    }
    return count;
}

/* struct rnet_transform and struct rnet_schedule are laid out alike. */
static void write_words(struct table_writer *writer, const char *label,
                        const struct recipe_words *words)
{
    put_label(writer, label);
    for (size_t w = 0; w < words->count; w++) {
        const struct recipe_word *word = &words->items[w];

        begin_struct(writer);
        put_text(writer, word->name);
        place(writer, offsetof(struct rnet_transform, arguments));
        for (int a = 0; a < RNET_ARGUMENTS; a++)
            put_double(writer, a < RECIPE_ARGUMENTS ? word->arguments[a] : 0);
        place(writer, offsetof(struct rnet_transform, argument_count));
        put_long(writer, word->argument_count);
        put_long(writer, 0);
        end_struct(writer, sizeof(struct rnet_transform));
    }
}

/* ---- the program itself ---- */

static void put_recipe(struct table_writer *writer, const struct recipe *recipe)
{
    const size_t base = writer->offset;

    put_text(writer, recipe->name ? recipe->name : "");
    put_text(writer, recipe->data ? recipe->data : "");
    place(writer, base + offsetof(struct rnet_recipe, augment));
    put_symbol(writer, ".Laugment");
    put_symbol(writer, ".Levaluate");
    put_symbol(writer, ".Lschedule");
    place(writer, base + offsetof(struct rnet_recipe, augment_count));
    put_long(writer, (uint32_t)recipe->augment.count);
    put_long(writer, (uint32_t)recipe->evaluate.count);
    put_long(writer, (uint32_t)recipe->schedule.count);
    put_long(writer, 0);
    place(writer, base + offsetof(struct rnet_recipe, epochs));
    put_quad(writer, (uint64_t)recipe->epochs);
    put_double(writer, recipe->learning_rate);
    put_double(writer, recipe->momentum);
    put_double(writer, recipe->weight_decay);
    place(writer, base + offsetof(struct rnet_recipe, label_smoothing));
    put_double(writer, recipe->label_smoothing);
    put_double(writer, recipe->clip);
    put_double(writer, recipe->ema);
    put_quad(writer, (uint64_t)(recipe->accumulate > 0 ? recipe->accumulate : 1));
    place(writer, base + offsetof(struct rnet_recipe, nesterov));
    put_long(writer, recipe->nesterov);
    put_long(writer, recipe->decays_weights_only);
}

/* A program without a loss has no place for it. */
static void put_location(struct table_writer *writer, const struct calls *calls, buffer_id buffer)
{
    if (buffer == BUFFER_NONE) {
        put_quad(writer, 0);
        put_quad(writer, 0);
        return;
    }
    put_quad(writer, calls->buffers.items[buffer].offset);
    put_long(writer, calls->buffers.items[buffer].region);
    put_long(writer, 0);
}

static void write_outputs(struct table_writer *writer, const struct plan *plan)
{
    put_label(writer, ".Loutputs");
    for (size_t i = 0; i < plan->graph->outputs.count; i++) {
        const struct graph_output *output = &plan->graph->outputs.items[i];
        const struct tensor *tensor = &plan->graph->tensors.items[output->tensor];
        const int first = GRID_RANK - tensor->spatial_rank;

        begin_struct(writer);
        put_text(writer, output->name);
        place(writer, offsetof(struct rnet_output, location));
        put_location(writer, plan->infer, plan->infer->outputs.items[i]);
        place(writer, offsetof(struct rnet_output, channels));
        put_quad(writer, (uint64_t)tensor->channels);
        for (int axis = 0; axis < GRID_RANK; axis++)
            put_quad(writer,
                     axis < tensor->spatial_rank ? (uint64_t)tensor->grid[first + axis] : 1);
        place(writer, offsetof(struct rnet_output, spatial_rank));
        put_long(writer, tensor->spatial_rank);
        put_long(writer, 0);
        end_struct(writer, sizeof(struct rnet_output));
    }
}

struct table_sizes {
    uint64_t kernels, arguments, parameters;
    uint64_t steps[RNET_PHASE_COUNT];
};

static void put_facts(struct table_writer *writer, const struct compilation *compilation,
                      const char *compiled)
{
    const struct plan *plan = &compilation->plan;
    const struct tensor *image = &plan->graph->tensors.items[0];
    const struct tensor *logits = &plan->graph->tensors.items[plan->graph->outputs.items[0].tensor];

    put_long(writer, RNET_PROGRAM_VERSION);
    put_long(writer, image->spatial_rank);
    place(writer, offsetof(struct rnet_program, network));
    put_text(writer, plan->graph->network);
    put_text(writer, compiled);
    put_text(writer, report_json(compilation, &writer->arena));
    place(writer, offsetof(struct rnet_program, batch));
    put_quad(writer, (uint64_t)plan->batch);
    put_quad(writer, (uint64_t)image->channels);
    for (int axis = 0; axis < GRID_RANK; axis++)
        put_quad(writer, axis < image->spatial_rank
                             ? (uint64_t)image->grid[GRID_RANK - image->spatial_rank + axis]
                             : 1);
    place(writer, offsetof(struct rnet_program, classes));
    put_quad(writer, graph_has_logits(plan->graph) ? (uint64_t)logits->channels : 0);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        put_quad(writer, plan->region_bytes[region]);
}

static void write_program(struct table_writer *writer, const struct compilation *compilation,
                          const struct table_sizes *sizes, const struct program_facts *built,
                          bool is_cuda)
{
    const struct plan *plan = &compilation->plan;

    fputs("\t.globl rnet_program\n", writer->stream);
    put_label(writer, "rnet_program");
    begin_struct(writer);
    put_facts(writer, compilation, built->compiled);
    place(writer, offsetof(struct rnet_program, logits));
    put_location(writer, plan->infer, plan->infer->outputs.items[0]);
    put_location(writer, plan->train, plan->train->loss);
    put_location(writer, plan->train, plan->train->rank);
    put_location(writer, plan->infer, plan->infer->loss);
    put_location(writer, plan->infer, plan->infer->rank);
    place(writer, offsetof(struct rnet_program, kernels));
    put_symbol(writer, ".Lkernels");
    put_symbol(writer, ".Larguments");
    put_symbol(writer, ".Lparameters");
    place(writer, offsetof(struct rnet_program, phases));
    for (int phase = 0; phase < RNET_PHASE_COUNT; phase++) {
        put_symbol(writer, arena_format(&writer->arena, ".Lsteps_%d", phase));
        put_quad(writer, sizes->steps[phase]);
    }
    place(writer, offsetof(struct rnet_program, kernel_count));
    put_quad(writer, sizes->kernels);
    put_quad(writer, sizes->arguments);
    put_quad(writer, sizes->parameters);
    put_symbol(writer, ".Loutputs");
    put_quad(writer, plan->graph->outputs.count);
    place(writer, offsetof(struct rnet_program, recipe));
    put_recipe(writer, plan->recipe);
    place(writer, offsetof(struct rnet_program, cuda));
    if (is_cuda)
        put_symbol(writer, ".Lcuda");
    else
        put_quad(writer, 0);
    put_long(writer, is_cuda ? RNET_TARGET_CUDA : RNET_TARGET_CPU);
    put_long(writer, 0);
    put_text(writer, built->instruction_sets);
    end_struct(writer, sizeof(struct rnet_program));
}

void program_write(const struct compilation *compilation, struct loop_program *const *programs,
                   const struct program_facts *built, const struct program_cuda *cuda, FILE *stream)
{
    struct table_writer writer = {.stream = stream};
    const struct plan *plan = &compilation->plan;
    struct table_sizes sizes = {.kernels = plan->kernels.items.count};
    struct program_chains chains = {.arena = &writer.arena};

    fputs("\t.section .data.rel.ro,\"aw\"\n", stream);
    write_kernels(&writer, programs, &plan->kernels, cuda != NULL);
    sizes.arguments = write_arguments(&writer, plan);
    for (int phase = 0; phase < RNET_PHASE_COUNT; phase++)
        write_phase(&writer, plan, (enum rnet_phase)phase, &chains, &sizes.steps[phase]);
    if (cuda)
        program_cuda_write(&writer, plan, programs, cuda, &chains);
    sizes.parameters = write_parameters(&writer, plan);
    write_outputs(&writer, plan);
    write_words(&writer, ".Laugment", &plan->recipe->augment);
    write_words(&writer, ".Levaluate", &plan->recipe->evaluate);
    write_words(&writer, ".Lschedule", &plan->recipe->schedule);
    write_program(&writer, compilation, &sizes, built, cuda != NULL);
    fputs("\t.section .rodata\n", stream);
    write_strings(&writer);
    fputs("\t.section .note.GNU-stack,\"\",@progbits\n", stream);
    arena_release(&writer.arena);
}
