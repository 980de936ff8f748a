/* Making calls and buffers from operations; what the definitions in op_*.c share. */
#include "compiler/lower.h"

#include <assert.h>
#include <string.h>

#include "compiler/op.h"
#include "compiler/storage.h"

enum {
    CHUNKS = 16,                  /* into at most so many parts a sum over the batch is cut */
    GPU_CHUNKS = 256,             /* ... and on a GPU, whose multiprocessors all want some */
    CHUNK_ELEMENTS = 512 << 10,   /* of all partial results of a weight gradient together, wanted */
    GPU_CHUNK_ELEMENTS = 2 << 20, /* ... by a GPU's own kernels */
    STREAM_BYTES = 6 << 20,       /* of a result that no cache is expected to keep */
    FEWEST_CHUNKS = 2,            /* ... but so many, where the batch has them, for the threads */
    LIBRARY_SHARE = 4, /* where a library may compute it: of these elements, one in four */
};

/* ---- parameters ---- */

/* Bytes of a parameter in its region: a weight is [window][inputs per group][stride of outputs]. */
static uint64_t parameter_bytes(const struct tensor *tensor)
{
    uint64_t rows = 1;

    for (int axis = 1; axis < tensor->rank; axis++)
        rows *= (uint64_t)tensor->shape[axis];
    return rows * (uint64_t)vector_stride(tensor->channels) * sizeof(float);
}

/* Biases and the parameters of normalizations are the vectors among the parameters. */
static bool decays(const struct tensor *tensor, const struct recipe *recipe)
{
    return tensor->rank > 1 || !recipe->decays_weights_only;
}

/* Appends the tensors of one kind to their region; those that decay, or those that do not. */
static void lay_out(const struct graph *graph, const struct recipe *recipe, enum tensor_kind kind,
                    bool decaying, uint64_t *offsets, uint64_t *end)
{
    for (size_t t = 0; t < graph->tensors.count; t++) {
        const struct tensor *tensor = &graph->tensors.items[t];

        if (tensor->kind == kind && decays(tensor, recipe) == decaying) {
            offsets[t] = *end;
            *end += parameter_bytes(tensor);
        }
    }
}

struct parameter_layout parameter_layout(const struct graph *graph, const struct recipe *recipe,
                                         bool keeps_convolutions, struct arena *arena)
{
    struct parameter_layout layout = {
        .offsets = ARENA_ARRAY(arena, uint64_t, graph->tensors.count),
        .weight_block = keeps_convolutions ? 0 : RNET_WEIGHT_BLOCK,
    };

    lay_out(graph, recipe, TENSOR_PARAMETER, true, layout.offsets, &layout.weight_bytes);
    layout.decayed_bytes = layout.weight_bytes;
    lay_out(graph, recipe, TENSOR_PARAMETER, false, layout.offsets, &layout.weight_bytes);
    lay_out(graph, recipe, TENSOR_STATISTIC, true, layout.offsets, &layout.statistic_bytes);
    lay_out(graph, recipe, TENSOR_STATISTIC, false, layout.offsets, &layout.statistic_bytes);
    return layout;
}

/* ---- buffers ---- */

static uint64_t activation_bytes(const struct lowering *lowering, const struct tensor *tensor,
                                 enum kernel_storage storage)
{
    const int64_t elements =
        lowering->calls->batch * grid_points(tensor->grid) * channel_stride(tensor->channels);

    return (uint64_t)(elements * kernel_storage_bytes(storage));
}

static struct buffer tensor_buffer(const struct lowering *lowering, tensor_id id)
{
    const struct tensor *tensor = &lowering->graph->tensors.items[id];
    const int64_t batch = lowering->calls->batch;
    struct buffer buffer = {.tensor = id,
                            .region = RNET_REGION_WORKSPACE,
                            .storage = (enum kernel_storage)lowering->storages[id]};

    switch ((enum tensor_kind)tensor->kind) {
    case TENSOR_ACTIVATION:
        buffer.bytes = activation_bytes(lowering, tensor, buffer.storage);
        break;
    case TENSOR_PARAMETER:
        buffer.region = RNET_REGION_WEIGHTS;
        buffer.bytes = parameter_bytes(tensor);
        buffer.offset = lowering->layout->offsets[id];
        break;
    case TENSOR_STATISTIC:
        buffer.region = RNET_REGION_STATISTICS;
        buffer.bytes = parameter_bytes(tensor);
        buffer.offset = lowering->layout->offsets[id];
        break;
    case TENSOR_GRADIENT:
        buffer.region = RNET_REGION_GRADIENTS;
        buffer.bytes = parameter_bytes(tensor);
        buffer.offset = lowering->layout->offsets[tensor->of];
        break;
    case TENSOR_VECTOR:
        buffer.bytes = (uint64_t)vector_stride(tensor->channels) * sizeof(float);
        break;
    case TENSOR_LABELS:
        buffer.region = RNET_REGION_LABELS;
        buffer.bytes = (uint64_t)batch * sizeof(int32_t);
        break;
    case TENSOR_PER_IMAGE:
        buffer.bytes = (uint64_t)batch * sizeof(float);
        break;
    case TENSOR_COUNTER:
        assert(!"counters are the runtime's");
        break;
    }
    return buffer;
}

buffer_id lower_buffer(struct lowering *lowering, tensor_id tensor)
{
    if (lowering->buffers[tensor] == BUFFER_NONE) {
        vector_push(&lowering->calls->buffers, lowering->arena, tensor_buffer(lowering, tensor));
        lowering->buffers[tensor] = (buffer_id)(lowering->calls->buffers.count - 1);
    }
    return lowering->buffers[tensor];
}

static buffer_id add_scratch(struct lowering *lowering, uint64_t bytes, enum kernel_storage storage)
{
    const struct buffer buffer = {
        .region = RNET_REGION_WORKSPACE, .storage = storage, .tensor = TENSOR_NONE, .bytes = bytes};

    vector_push(&lowering->calls->buffers, lowering->arena, buffer);
    return (buffer_id)(lowering->calls->buffers.count - 1);
}

buffer_id lower_scratch(struct lowering *lowering, uint64_t bytes)
{
    return add_scratch(lowering, bytes, KERNEL_F32);
}

buffer_id lower_scratch_like(struct lowering *lowering, buffer_id buffer)
{
    const struct buffer like = lowering->calls->buffers.items[buffer];

    return add_scratch(lowering, like.bytes, like.storage);
}

buffer_id lower_scratch_activation(struct lowering *lowering, const struct tensor *tensor,
                                   enum kernel_storage storage)
{
    return add_scratch(lowering, activation_bytes(lowering, tensor, storage), storage);
}

void lower_same(struct lowering *lowering, tensor_id tensor, tensor_id other)
{
    lowering->buffers[tensor] = lower_buffer(lowering, other);
}

buffer_id lower_key(struct lowering *lowering, int32_t number)
{
    const uint64_t bytes = RNET_KEY_WORDS * sizeof(int32_t);
    const struct buffer buffer = {.region = RNET_REGION_KEYS,
                                  .storage = KERNEL_I32,
                                  .tensor = TENSOR_NONE,
                                  .bytes = bytes,
                                  .offset = (uint64_t)number * bytes};

    vector_push(&lowering->calls->buffers, lowering->arena, buffer);
    return (buffer_id)(lowering->calls->buffers.count - 1);
}

int32_t lower_chunk_images(const struct lowering *lowering)
{
    const int64_t chunks = lowering->target.keeps_convolutions ? GPU_CHUNKS : CHUNKS;

    return (int32_t)((lowering->calls->batch + chunks - 1) / chunks);
}

int32_t lower_weight_chunk_images(const struct lowering *lowering, const struct kernel *kernel,
                                  enum kernel_storage storage, int64_t elements)
{
    const bool gpu = lowering->target.keeps_convolutions;
    const bool library = gpu && kernel_suits_library(kernel, storage);
    const int64_t fewest = library ? 1 : FEWEST_CHUNKS,
                  most = gpu && !library ? GPU_CHUNKS : CHUNKS;
    int64_t chunks = CHUNK_ELEMENTS / elements;

    if (gpu)
        chunks = (library ? CHUNK_ELEMENTS / LIBRARY_SHARE : GPU_CHUNK_ELEMENTS) / elements;
    chunks = chunks < fewest ? fewest : chunks > most ? most : chunks;
    return (int32_t)((lowering->calls->batch + chunks - 1) / chunks);
}

uint64_t lower_chunk_bytes(const struct lowering *lowering, int32_t chunk_images, int64_t elements)
{
    const int64_t chunks = (lowering->calls->batch + chunk_images - 1) / chunk_images;

    return (uint64_t)(chunks * elements) * sizeof(float);
}

/* ---- calls ---- */

struct call_builder call_begin(struct lowering *lowering, enum kernel_anchor anchor)
{
    struct call_builder call;

    memset(&call, 0, sizeof call);
    call.lowering = lowering;
    call.kernel.anchor = (uint8_t)anchor;
    call.kernel.groups = 1;
    call.kernel.window = (struct window){{1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}};
    memcpy(call.kernel.out_grid, (int32_t[]){1, 1, 1}, sizeof call.kernel.out_grid);
    call.weight = BUFFER_NONE;
    return call;
}

void call_in(struct call_builder *call, const struct tensor *tensor)
{
    memcpy(call->kernel.in_grid, tensor->grid, sizeof tensor->grid);
    call->kernel.in_channels = tensor->channels;
}

void call_out(struct call_builder *call, const struct tensor *tensor)
{
    memcpy(call->kernel.out_grid, tensor->grid, sizeof tensor->grid);
    call->kernel.out_channels = tensor->channels;
}

static int input_number(struct call_builder *call, buffer_id buffer)
{
    for (int i = 0; i < call->input_count; i++)
        if (call->inputs[i] == buffer)
            return i;
    assert(call->input_count < KERNEL_PARAMETERS);
    call->inputs[call->input_count] = buffer;
    return call->input_count++;
}

uint16_t call_load(struct call_builder *call, buffer_id buffer, enum access access)
{
    return kernel_load(&call->kernel, input_number(call, buffer), access);
}

uint16_t call_random(struct call_builder *call, buffer_id keys, enum access access)
{
    return kernel_random(&call->kernel, input_number(call, keys), access);
}

uint16_t call_scalar(struct call_builder *call, enum rnet_scalar scalar)
{
    buffer_id buffer = BUFFER_NONE;

    for (int i = 0; i < call->input_count; i++)
        if (call->lowering->calls->buffers.items[call->inputs[i]].region == RNET_REGION_SCALARS)
            buffer = call->inputs[i];
    if (buffer == BUFFER_NONE) {
        buffer = lower_scratch(call->lowering, RNET_SCALAR_COUNT * sizeof(float));
        call->lowering->calls->buffers.items[buffer].region = RNET_REGION_SCALARS;
    }
    return kernel_scalar(&call->kernel, input_number(call, buffer), scalar);
}

void call_output(struct call_builder *call, buffer_id output)
{
    assert(call->output_count < KERNEL_VALUES);
    call->outputs[call->output_count++] = output;
}

void call_operand(struct call_builder *call, uint16_t value)
{
    assert(call->kernel.value_count < KERNEL_VALUES);
    call->kernel.values[call->kernel.value_count++] = value;
}

void call_store(struct call_builder *call, uint16_t value, buffer_id output)
{
    call_operand(call, value);
    call_output(call, output);
}

static int output_number(const struct call_builder *call, buffer_id buffer)
{
    for (int i = 0; i < call->output_count; i++)
        if (call->outputs[i] == buffer)
            return i;
    return -1;
}

/* Gives every input its final parameter number: those that are outputs too are the outputs', the
 * others keep their order. Fills `arguments`; returns how many parameters there are. */
static int number_parameters(const struct call_builder *call, uint8_t *renumbered,
                             buffer_id *arguments)
{
    int pure = 0, first_output;

    for (int i = 0; i < call->input_count; i++)
        pure += output_number(call, call->inputs[i]) < 0;
    first_output = pure + (call->weight != BUFFER_NONE);
    pure = 0;
    for (int i = 0; i < call->input_count; i++) {
        const int output = output_number(call, call->inputs[i]);

        renumbered[i] = (uint8_t)(output < 0 ? pure++ : first_output + output);
        arguments[renumbered[i]] = call->inputs[i];
    }
    if (call->weight != BUFFER_NONE)
        arguments[pure] = call->weight;
    for (int i = 0; i < call->output_count; i++)
        arguments[first_output + i] = call->outputs[i];
    return first_output + call->output_count;
}

/* Whether the first result, at the planned batch, is larger than what caches keep of it. Tensors of
 * the workspace only: the size of all weights depends on the depth, which no kernel does. */
static bool streams(const struct call_builder *call)
{
    const struct kernel *kernel = &call->kernel;
    const struct buffer *result = &call->lowering->calls->buffers.items[call->outputs[0]];

    return (kernel->anchor == KERNEL_POINTWISE || kernel_is_convolution(kernel)) &&
           result->region == RNET_REGION_WORKSPACE && result->bytes >= STREAM_BYTES;
}

void call_end(struct call_builder *call, const char *path)
{
    struct calls *calls = call->lowering->calls;
    struct kernel *kernel = &call->kernel;
    uint8_t renumbered[KERNEL_PARAMETERS];
    buffer_id arguments[2 * KERNEL_PARAMETERS];
    const int count = number_parameters(call, renumbered, arguments);

    assert(count <= KERNEL_PARAMETERS);
    for (int i = 0; i < kernel->expression_count; i++)
        if (expression_reads((enum expression_op)kernel->expressions[i].op))
            kernel->expressions[i].parameter = renumbered[kernel->expressions[i].parameter];
    kernel->parameter_count = (uint8_t)count;
    kernel->output_count = (uint8_t)call->output_count;
    kernel->streams = streams(call) ? 1 : 0;
    for (int i = 0; i < count; i++)
        kernel->storage[i] = (uint8_t)calls->buffers.items[arguments[i]].storage;
    vector_push(
        &calls->items, calls->arena,
        (struct call){
            .kernel = kernel_set_add(&calls->kernels, kernel),
            .phase = (uint8_t)call->lowering->phase,
            .argument_count = (uint8_t)count,
            .images = call->images,
            .arguments = arena_copy(calls->arena, arguments, (size_t)count * sizeof *arguments),
            .path = path,
        });
}

void lower_chunk_sum(struct lowering *lowering, buffer_id chunks, int32_t chunk_images,
                     int64_t elements, buffer_id total, const char *path)
{
    struct call_builder call = call_begin(lowering, KERNEL_VECTOR);

    memcpy(call.kernel.in_grid, (int32_t[]){1, 1, 1}, sizeof call.kernel.in_grid);
    call.kernel.in_channels = (int32_t)elements;
    call.kernel.chunk_images = chunk_images;
    call.kernel.chunk_parts = 1;
    call_store(&call, call_load(&call, chunks, ACCESS_CHUNK_SUM), total);
    call_end(&call, path);
}

/* ---- the whole graph ---- */

static enum rnet_phase phase_of(const struct op *op, bool training)
{
    if (training)
        return op->kind == OP_UPDATE ? RNET_PHASE_UPDATE : RNET_PHASE_TRAIN;
    return op->kind == OP_SOFTMAX_LOSS ? RNET_PHASE_LOSS : RNET_PHASE_INFER;
}

static buffer_id mark_result(struct lowering *lowering, tensor_id tensor)
{
    const buffer_id buffer = lower_buffer(lowering, tensor);

    lowering->calls->buffers.items[buffer].is_result = true;
    return buffer;
}

/* Appends the call that copies an activation; one of another storage is rounded, or widened. */
static void lower_copy(struct lowering *lowering, const struct tensor *tensor, buffer_id from,
                       buffer_id to, const char *path)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);

    call_in(&call, tensor);
    call_store(&call, call_load(&call, from, ACCESS_POINT), to);
    call_end(&call, path);
}

/* The network's input is where the runtime puts the images, or what rounding makes of them. */
static void lower_image(struct lowering *lowering)
{
    const struct tensor *tensor = &lowering->graph->tensors.items[0];
    const buffer_id image = lower_scratch_activation(lowering, tensor, KERNEL_F32);

    lowering->calls->buffers.items[image].region = RNET_REGION_INPUT;
    lowering->calls->buffers.items[image].tensor = 0;
    lowering->buffers[0] = image;
    if (lowering->storages[0] == KERNEL_F32)
        return;
    lowering->buffers[0] = BUFFER_NONE;
    lowering->phase = lowering->training ? RNET_PHASE_TRAIN : RNET_PHASE_INFER;
    lower_copy(lowering, tensor, image, lower_buffer(lowering, 0), "input");
}

/* An output is single precision, in a place of its own: the images' is the runtime's, and what it
 * shares memory with (lower_same) may be rounded. */
static buffer_id mark_output(struct lowering *lowering, const struct graph_output *output)
{
    const struct tensor *tensor = &lowering->graph->tensors.items[output->tensor];
    buffer_id buffer = lower_buffer(lowering, output->tensor);
    const struct buffer found = lowering->calls->buffers.items[buffer];

    if (found.region == RNET_REGION_INPUT || found.storage != KERNEL_F32) {
        const buffer_id copy = lower_scratch_activation(lowering, tensor, KERNEL_F32);

        lowering->phase = RNET_PHASE_INFER;
        lower_copy(lowering, tensor, buffer, copy, output->name);
        buffer = copy;
    }
    lowering->calls->buffers.items[buffer].is_result = true;
    return buffer;
}

static void mark_results(struct lowering *lowering)
{
    const struct graph *graph = lowering->graph;
    struct calls *calls = lowering->calls;

    for (size_t i = 0; !lowering->training && i < graph->outputs.count; i++)
        vector_push(&calls->outputs, lowering->arena,
                    mark_output(lowering, &graph->outputs.items[i]));
    for (size_t i = 0; i < graph->ops.count; i++) {
        if (graph->ops.items[i].kind == OP_SOFTMAX_LOSS) {
            calls->loss = mark_result(lowering, graph->ops.items[i].outputs[0]);
            calls->rank = mark_result(lowering, graph->ops.items[i].outputs[1]);
        }
    }
}

struct calls *lower_graph(struct arena *arena, const struct graph *graph,
                          const struct recipe *recipe, const struct parameter_layout *layout,
                          enum lower_part part, struct lower_target target)
{
    const bool training = part == LOWER_TRAINING;
    struct calls *calls = ARENA_NEW(arena, struct calls);
    struct lowering lowering = {.arena = arena,
                                .graph = graph,
                                .recipe = recipe,
                                .layout = layout,
                                .calls = calls,
                                .training = training,
                                .target = target};

    calls->arena = arena;
    calls->kernels.arena = arena;
    calls->kernels.table.arena = arena;
    calls->batch = recipe->batch;
    calls->loss = calls->rank = BUFFER_NONE;
    if (part == LOWER_NOTHING)
        return calls;
    lowering.buffers = ARENA_ARRAY(arena, buffer_id, graph->tensors.count);
    memset(lowering.buffers, 0xff, graph->tensors.count * sizeof *lowering.buffers);
    lowering.storages = tensor_storages(graph, target.precision, arena);
    lower_image(&lowering);
    for (size_t i = 0; i < graph->ops.count; i++) {
        const struct op *op = &graph->ops.items[i];
        const struct op_definition *definition = op_definition((enum op_kind)op->kind);

        lowering.phase = phase_of(op, training);
        if (definition->lower && (training || !op->is_backward))
            definition->lower(&lowering, op);
    }
    mark_results(&lowering);
    return calls;
}
