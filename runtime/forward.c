/* The command `forward`: images from a .npy file through the network, its outputs into others. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "runtime/commands.h"
#include "runtime/executor_options.h"
#include "runtime/loader.h"
#include "runtime/npy.h"
#include "runtime/outputs.h"
#include "runtime/weights.h"

struct forward_options {
    const char *weights, *input, *output;
    int64_t batch;
    struct executor_options computing;
};

/* What a run opens, to be released in one place. */
struct forward {
    struct data_set data;
    struct executor executor;
    struct loader loader;
    struct output_files outputs;
};

/* "[N, 3, 224, 224]" */
static const char *input_text(struct arena *arena, const struct rnet_program *program)
{
    struct text_builder text = {.arena = arena};
    text_add(&text, "[N, %" PRId64, program->channels);
    for (uint32_t axis = 0; axis < program->spatial_rank; axis++)
        text_add(&text, ", %" PRId64, program->size[axis]);
    text_add(&text, "]");
    return text_result(&text);
}

/* Wraps the array as the validation part of a data set without labels of its own. */
static struct status input_take(struct data_set *data, const char *path,
                                const struct rnet_program *program)
{
    struct npy_file *file = &data->files[DATA_VALIDATION];
    RETURN_IF_ERROR(npy_open(file, path));
    const struct npy_array *array = &file->array;
    int rank = (int)program->spatial_rank;
    bool fits = array->type == NPY_FLOAT32 && array->rank == rank + 2 &&
                array->shape[1] == program->channels;
    for (int axis = 0; fits && axis < rank; axis++)
        fits = array->shape[axis + 2] == program->size[axis];
    if (!fits)
        return status_error(STATUS_INVALID, "%s is %s, but the network takes float32 %s", path,
                            npy_text(&data->arena, array), input_text(&data->arena, program));
    const void *values = array->values;
    if ((uintptr_t)values % sizeof(float) != 0)
        values = arena_copy(&data->arena, values, (size_t)array->count * sizeof(float));
    data->channels = program->channels;
    data->size[0] = 1;
    memcpy(data->size + 3 - rank, program->size, (size_t)rank * sizeof *data->size);
    data->parts[DATA_VALIDATION] = (struct data_part){
        .count = array->shape[0],
        .floats = values,
        .labels = ARENA_ARRAY(&data->arena, int32_t, array->shape[0] + 1),
    };
    return status_ok();
}

static struct status forward_run(const struct rnet_program *program,
                                 const struct forward_options *options, struct forward *forward)
{
    struct executor *executor = &forward->executor;
    struct loader *loader = &forward->loader;
    int64_t images;
    struct loader_options loading = {.part = DATA_VALIDATION, .batch = options->batch};
    RETURN_IF_ERROR(input_take(&forward->data, options->input, program));
    RETURN_IF_ERROR(executor_open_with(executor, program, &options->computing));
    RETURN_IF_ERROR(weights_read(executor, options->weights));
    RETURN_IF_ERROR(loader_open(loader, &forward->data.arena, &forward->data, executor, &loading));
    int64_t count = forward->data.parts[DATA_VALIDATION].count;
    RETURN_IF_ERROR(outputs_open(&forward->outputs, program, options->output, count));
    for (int64_t done = 0; done < count; done += images) {
        RETURN_IF_ERROR(loader_fill(loader, done, &images));
        RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_INFER, images));
        RETURN_IF_ERROR(outputs_write(&forward->outputs, executor, images));
    }
    return outputs_commit(&forward->outputs);
}

struct status command_forward(const struct rnet_program *program, int argc, char **argv)
{
    struct forward_options options = {0};
    const struct option_entry entries[] = {
        {"weights", OPTION_TEXT, "FILE", "weights, as safetensors", .target = &options.weights,
         .required = true},
        {"input", OPTION_TEXT, "X.npy", "images, float32, NCHW or NCDHW", .target = &options.input,
         .required = true},
        {"output", OPTION_TEXT, "Y.npy", "where the logits go; several outputs go to Y.NAME.npy",
         .target = &options.output, .required = true},
        {"batch", OPTION_INTEGER, "M", "images at once (default and most: the compiled batch)",
         .target = &options.batch, .minimum = 1},
        EXECUTOR_OPTION_ENTRIES(options.computing),
    };
    const struct option_set set = {"forward", "Computes the network's outputs from raw tensors.",
                                   entries,   sizeof entries / sizeof *entries,
                                   NULL,      NULL};
    bool helped;
    RETURN_IF_ERROR(options_parse(&set, argc, argv, &helped));
    if (helped)
        return status_ok();
    if (options.batch > program->batch)
        return status_error(STATUS_USAGE, "--batch is at most the compiled batch, %" PRId64,
                            program->batch);
    struct forward forward = {0};
    struct status status = forward_run(program, &options, &forward);
    outputs_release(&forward.outputs);
    loader_close(&forward.loader);
    executor_release(&forward.executor);
    data_set_release(&forward.data);
    return status;
}
