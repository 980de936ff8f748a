/* Recognizing chains, and writing their expressions down as a library would have them. */
#include "compiler/chain.h"

#include <string.h>

enum { NO_VALUE = UINT8_MAX };

/* A chain being put together. */
struct builder {
    const struct calls *calls;
    call_id first;
    struct rnet_cuda_chain chain;
    buffer_id inputs[RNET_CUDA_CHAIN_INPUTS];
    /* Tensors that the calls so far make, the convolution's first, and their values. */
    buffer_id stored[RNET_CUDA_CHAIN_RESULTS + 1];
    uint8_t stored_values[RNET_CUDA_CHAIN_RESULTS + 1];
    int stored_count;
};

static const struct call *call_at(const struct builder *builder, uint32_t step)
{
    return &builder->calls->items.items[builder->first + step];
}

static const struct kernel *kernel_at(const struct builder *builder, uint32_t step)
{
    return builder->calls->kernels.items.items[call_at(builder, step)->kernel];
}

/* ---- values ---- */

/* The value that buffer holds at each point, if a call of the chain makes it. */
static uint8_t find_stored(const struct builder *builder, buffer_id buffer)
{
    for (int i = 0; i < builder->stored_count; i++)
        if (builder->stored[i] == buffer)
            return builder->stored_values[i];
    return NO_VALUE;
}

static uint8_t add_input(struct builder *builder, uint32_t step, int parameter,
                         enum rnet_cuda_operand_kind kind)
{
    struct rnet_cuda_chain *chain = &builder->chain;
    const enum kernel_storage storage = kernel_at(builder, step)->storage[parameter];
    const buffer_id buffer = call_at(builder, step)->arguments[parameter];

    for (uint32_t i = 0; i < chain->input_count; i++)
        if (builder->inputs[i] == buffer && chain->inputs[i].kind == kind)
            return (uint8_t)(RNET_CUDA_CHAIN_INPUT + i);
    if (chain->input_count == RNET_CUDA_CHAIN_INPUTS || storage == KERNEL_I32)
        return NO_VALUE;
    builder->inputs[chain->input_count] = buffer;
    chain->inputs[chain->input_count] = (struct rnet_cuda_operand){
        .step = (uint8_t)step,
        .argument = (uint8_t)parameter,
        .kind = (uint8_t)kind,
        .is_bfloat16 = storage == KERNEL_BF16,
    };
    return (uint8_t)(RNET_CUDA_CHAIN_INPUT + chain->input_count++);
}

static uint8_t add_load(struct builder *builder, uint32_t step, const struct expression *load)
{
    const buffer_id buffer = call_at(builder, step)->arguments[load->parameter];
    const uint8_t stored = find_stored(builder, buffer);

    if (load->parameter >= kernel_first_output(kernel_at(builder, step)))
        return NO_VALUE;
    if (load->access == ACCESS_POINT && stored != NO_VALUE)
        return stored;
    if (load->access == ACCESS_POINT)
        return add_input(builder, step, load->parameter, RNET_CUDA_TENSOR);
    if (load->access == ACCESS_CHANNEL && stored == NO_VALUE)
        return add_input(builder, step, load->parameter, RNET_CUDA_VECTOR);
    return NO_VALUE;
}

static bool is_vector(const struct rnet_cuda_chain *chain, uint8_t value)
{
    return value >= RNET_CUDA_CHAIN_INPUT && value < RNET_CUDA_CHAIN_OPERATION &&
           chain->inputs[value - RNET_CUDA_CHAIN_INPUT].kind == RNET_CUDA_VECTOR;
}

/* Libraries want the operand that is one for all points to be the second. */
static uint8_t add_operation(struct rnet_cuda_chain *chain, enum rnet_cuda_operation_kind kind,
                             uint8_t a, uint8_t b)
{
    const bool commutes = kind == RNET_CUDA_POINT_ADD || kind == RNET_CUDA_POINT_MULTIPLY;

    if (a == NO_VALUE || b == NO_VALUE)
        return NO_VALUE;
    const bool swaps = is_vector(chain, a) && commutes;
    const struct rnet_cuda_operation made = {
        .kind = (uint8_t)kind, .a = swaps ? b : a, .b = swaps ? a : b};

    if (is_vector(chain, made.a))
        return NO_VALUE;
    for (uint32_t i = 0; i < chain->operation_count; i++)
        if (memcmp(&chain->operations[i], &made, sizeof made) == 0)
            return (uint8_t)(RNET_CUDA_CHAIN_OPERATION + i);
    if (chain->operation_count == RNET_CUDA_CHAIN_OPERATIONS)
        return NO_VALUE;
    chain->operations[chain->operation_count] = made;
    return (uint8_t)(RNET_CUDA_CHAIN_OPERATION + chain->operation_count++);
}

static bool is_zero(const struct kernel *kernel, uint16_t expression)
{
    return kernel->expressions[expression].op == EXPRESSION_CONSTANT &&
           kernel->expressions[expression].number == 0;
}

/* The value of one expression, those of its operands being known. */
static uint8_t add_expression(struct builder *builder, uint32_t step, uint16_t number,
                              const uint8_t *values)
{
    const struct kernel *kernel = kernel_at(builder, step);
    const struct expression *expression = &kernel->expressions[number];
    const uint16_t a = expression->a, b = expression->b;
    struct rnet_cuda_chain *chain = &builder->chain;

    switch ((enum expression_op)expression->op) {
    case EXPRESSION_LOAD:
        return add_load(builder, step, expression);
    case EXPRESSION_ADD:
        return add_operation(chain, RNET_CUDA_POINT_ADD, values[a], values[b]);
    case EXPRESSION_SUBTRACT:
        return add_operation(chain, RNET_CUDA_POINT_SUBTRACT, values[a], values[b]);
    case EXPRESSION_MULTIPLY:
        return add_operation(chain, RNET_CUDA_POINT_MULTIPLY, values[a], values[b]);
    case EXPRESSION_IF_POSITIVE:
        return add_operation(chain, RNET_CUDA_POINT_IF_POSITIVE, values[a], values[b]);
    case EXPRESSION_MAXIMUM:
        return is_zero(kernel, b) ? add_operation(chain, RNET_CUDA_POINT_RELU, values[a], 0)
                                  : NO_VALUE;
    default:
        return NO_VALUE; /* constants too: only one that is compared with has a meaning here */
    }
}

/* The values of a call's results; false where one cannot be said. */
static bool add_values(struct builder *builder, uint32_t step, uint8_t out_values[KERNEL_VALUES])
{
    const struct kernel *kernel = kernel_at(builder, step);
    uint8_t values[KERNEL_EXPRESSIONS];
    bool needed[KERNEL_EXPRESSIONS];

    memset(values, NO_VALUE, sizeof values);
    for (int v = 0; v < kernel->value_count; v++) {
        kernel_needed(kernel, kernel->values[v], needed);
        for (uint16_t e = 0; e < kernel->expression_count; e++)
            if (needed[e] && values[e] == NO_VALUE)
                values[e] = add_expression(builder, step, e, values);
        out_values[v] = values[kernel->values[v]];
        if (out_values[v] == NO_VALUE)
            return false;
    }
    return true;
}

static bool add_result(struct builder *builder, uint32_t step, int parameter, uint8_t value,
                       enum rnet_cuda_operand_kind kind)
{
    struct rnet_cuda_chain *chain = &builder->chain;
    const struct kernel *kernel = kernel_at(builder, step);

    if (chain->result_count == RNET_CUDA_CHAIN_RESULTS)
        return false;
    chain->values[chain->result_count] = value;
    chain->results[chain->result_count++] = (struct rnet_cuda_operand){
        .step = (uint8_t)step,
        .argument = (uint8_t)parameter,
        .kind = (uint8_t)kind,
        .is_bfloat16 = kernel->storage[parameter] == KERNEL_BF16,
    };
    return true;
}

/* ---- calls ---- */

static bool is_plain_convolution(const struct kernel *kernel)
{
    const struct expression *x = &kernel->expressions[kernel->values[0]];

    return kernel_is_convolution(kernel) && kernel->epilogue == 0 && kernel->output_count == 1 &&
           x->op == EXPRESSION_LOAD && x->access == ACCESS_POINT &&
           kernel->storage[x->parameter] == kernel->storage[kernel_first_output(kernel)] &&
           kernel_suits_library(kernel, kernel->storage[x->parameter]);
}

/* Whether the chain's next call computes on the convolution's result and grid. */
static bool goes_on(const struct builder *builder, enum kernel_anchor anchor)
{
    const uint32_t step = builder->chain.length;
    bool reads = false;

    if (builder->first + step >= builder->calls->items.count)
        return false;
    const struct call *convolution = call_at(builder, 0), *call = call_at(builder, step);
    const struct kernel *kernel = kernel_at(builder, step), *first = kernel_at(builder, 0);

    if (kernel->anchor != anchor || call->phase != convolution->phase || call->images != 0 ||
        memcmp(kernel->in_grid, first->out_grid, sizeof kernel->in_grid) != 0 ||
        kernel->in_channels != first->out_channels)
        return false;
    for (int p = 0; p < kernel_first_output(kernel); p++)
        reads |= find_stored(builder, call->arguments[p]) != NO_VALUE;
    return reads;
}

/* Adds the next call, if it can be; else leaves the chain as it was. */
static bool extend(struct builder *builder, enum kernel_anchor anchor,
                   enum rnet_cuda_operand_kind kind)
{
    struct builder longer = *builder;
    const uint32_t step = builder->chain.length;
    uint8_t values[KERNEL_VALUES];

    if (!goes_on(builder, anchor) || !add_values(&longer, step, values))
        return false;
    const struct kernel *kernel = kernel_at(builder, step);
    const int first = kernel_first_output(kernel);

    for (int v = 0; v < kernel->output_count; v++)
        if (!add_result(&longer, step, first + v, values[v], kind))
            return false;
    for (int v = 0; v < kernel->output_count && kind == RNET_CUDA_TENSOR; v++) {
        longer.stored[longer.stored_count] = call_at(builder, step)->arguments[first + v];
        longer.stored_values[longer.stored_count++] = values[v];
    }
    if (kind == RNET_CUDA_SUMS)
        longer.chain.chunk_images = kernel->chunk_images;
    longer.chain.length++;
    *builder = longer;
    return true;
}

/* How many arguments of the chain's other calls read what the convolution stores. */
static uint32_t own_readers(const struct builder *builder, buffer_id result)
{
    uint32_t count = 0;

    for (uint32_t step = 1; step < builder->chain.length; step++)
        for (int p = 0; p < kernel_first_output(kernel_at(builder, step)); p++)
            count += call_at(builder, step)->arguments[p] == result;
    return count;
}

/* The chain that begins with a call; its length is 1 where there is none. `readers`: of each
 * buffer, how many arguments of calls read it. */
static struct rnet_cuda_chain build(const struct calls *calls, const uint32_t *readers,
                                    call_id first)
{
    struct builder builder = {.calls = calls, .first = first, .chain = {.length = 1}};
    const int output = kernel_first_output(kernel_at(&builder, 0));
    const buffer_id result = call_at(&builder, 0)->arguments[output];
    struct rnet_cuda_chain none = builder.chain;

    builder.stored[builder.stored_count++] = result;
    extend(&builder, KERNEL_POINTWISE, RNET_CUDA_TENSOR);
    extend(&builder, KERNEL_CHANNEL_SUM, RNET_CUDA_SUMS);
    if (calls->buffers.items[result].is_result || readers[result] > own_readers(&builder, result))
        if (!add_result(&builder, 0, output, 0, RNET_CUDA_TENSOR))
            return none;
    return builder.chain;
}

static bool needs_parameters_alone(const struct calls *calls, const struct call *call)
{
    const struct kernel *kernel = calls->kernels.items.items[call->kernel];

    for (int p = 0; p < kernel_first_output(kernel); p++) {
        const enum rnet_region region = calls->buffers.items[call->arguments[p]].region;

        if (region != RNET_REGION_WEIGHTS && region != RNET_REGION_STATISTICS)
            return false;
    }
    return call->phase == RNET_PHASE_INFER && kernel->anchor == KERNEL_VECTOR;
}

void chain_make_way(struct calls *calls)
{
    const size_t count = calls->items.count;
    struct call *ordered = ARENA_ARRAY(calls->arena, struct call, count + 1);
    size_t end = 0;

    for (size_t c = 0; c < count; c++)
        if (needs_parameters_alone(calls, &calls->items.items[c]))
            ordered[end++] = calls->items.items[c];
    for (size_t c = 0; c < count; c++)
        if (!needs_parameters_alone(calls, &calls->items.items[c]))
            ordered[end++] = calls->items.items[c];
    if (count > 0)
        memcpy(calls->items.items, ordered, count * sizeof *ordered);
}

static uint32_t *count_readers(const struct calls *calls)
{
    uint32_t *readers = ARENA_ARRAY(calls->arena, uint32_t, calls->buffers.count);

    for (call_id c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];
        const struct kernel *kernel = calls->kernels.items.items[call->kernel];

        for (int p = 0; p < kernel_first_output(kernel); p++)
            readers[call->arguments[p]]++;
    }
    return readers;
}

void chain_find(struct calls *calls)
{
    const uint32_t *readers = calls->has_chains ? count_readers(calls) : NULL;

    for (call_id c = 0; c < calls->items.count; c++)
        calls->items.items[c].chain = NULL;
    for (call_id c = 0; calls->has_chains && c < calls->items.count; c++) {
        struct call *call = &calls->items.items[c];

        if (call->images != 0 || !is_plain_convolution(calls->kernels.items.items[call->kernel]))
            continue;
        const struct rnet_cuda_chain chain = build(calls, readers, c);

        if (chain.length == 1)
            continue;
        call->chain = arena_copy(calls->arena, &chain, sizeof chain);
        c += chain.length - 1;
    }
}

uint32_t chain_length(const struct call *call)
{
    return call->chain ? call->chain->length : 1;
}
