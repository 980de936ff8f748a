/* Chains: what they say is what their calls compute, all that others read is among their results,
 * and no result lies where the chain still reads. On every shipped network, with a number in the
 * place of each tensor. */
#include <math.h>

#include "compiler/chain.h"
#include "compiler/memory.h"
#include "tests/unit/compile_shipped.h"

/* A chain among calls. */
struct site {
    const struct calls *calls;
    call_id first;
    const struct rnet_cuda_chain *chain;
    const double *numbers; /* of each buffer that the chain does not make */
    const char *file;
};

static const struct call *call_of(const struct site *site, uint32_t step)
{
    return &site->calls->items.items[site->first + step];
}

static const struct kernel *kernel_of(const struct site *site, uint32_t step)
{
    return site->calls->kernels.items.items[call_of(site, step)->kernel];
}

static buffer_id buffer_of(const struct site *site, const struct rnet_cuda_operand *operand)
{
    return call_of(site, operand->step)->arguments[operand->argument];
}

/* ---- what calls compute ---- */

/* The numbers of a call's results; `numbers` has those of the buffers that it loads. */
static void compute_call(const struct site *site, uint32_t step, const double *numbers,
                         double *out_values)
{
    const struct kernel *kernel = kernel_of(site, step);
    double values[KERNEL_EXPRESSIONS];

    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *e = &kernel->expressions[i];

        switch ((enum expression_op)e->op) {
        case EXPRESSION_CONSTANT:
            values[i] = e->number;
            break;
        case EXPRESSION_LOAD:
            values[i] = numbers[call_of(site, step)->arguments[e->parameter]];
            break;
        case EXPRESSION_ADD:
            values[i] = values[e->a] + values[e->b];
            break;
        case EXPRESSION_SUBTRACT:
            values[i] = values[e->a] - values[e->b];
            break;
        case EXPRESSION_MULTIPLY:
            values[i] = values[e->a] * values[e->b];
            break;
        case EXPRESSION_MAXIMUM:
            values[i] = values[e->a] > values[e->b] ? values[e->a] : values[e->b];
            break;
        case EXPRESSION_IF_POSITIVE:
            values[i] = values[e->a] > 0 ? values[e->b] : 0;
            break;
        default:
            ck_abort_msg("%s: a chain has an operation that none can have", site->file);
        }
    }
    for (int v = 0; v < kernel->value_count; v++)
        out_values[v] = values[kernel->values[v]];
}

/* The numbers of all results of the chain's calls, by step and number of the output. */
static void compute_calls(const struct site *site, double out[RNET_CUDA_CHAIN_STEPS][KERNEL_VALUES])
{
    const size_t bytes = site->calls->buffers.count * sizeof *site->numbers;
    double *numbers = malloc(bytes);

    memcpy(numbers, site->numbers, bytes);
    out[0][0] = numbers[call_of(site, 0)->arguments[kernel_first_output(kernel_of(site, 0))]];
    for (uint32_t step = 1; step < site->chain->length; step++) {
        const struct kernel *kernel = kernel_of(site, step);

        compute_call(site, step, numbers, out[step]);
        for (int v = 0; v < kernel->output_count; v++)
            numbers[call_of(site, step)->arguments[kernel_first_output(kernel) + v]] = out[step][v];
    }
    free(numbers);
}

/* ---- what the chain says ---- */

static double compute_operation(const struct rnet_cuda_operation *operation, const double *values)
{
    const double a = values[operation->a], b = values[operation->b];

    switch ((enum rnet_cuda_operation_kind)operation->kind) {
    case RNET_CUDA_POINT_ADD:
        return a + b;
    case RNET_CUDA_POINT_SUBTRACT:
        return a - b;
    case RNET_CUDA_POINT_MULTIPLY:
        return a * b;
    case RNET_CUDA_POINT_IF_POSITIVE:
        return a > 0 ? b : 0;
    case RNET_CUDA_POINT_RELU:
        return a > 0 ? a : 0;
    }
    return NAN;
}

static void expect_values(const struct site *site)
{
    const struct rnet_cuda_chain *chain = site->chain;
    double values[RNET_CUDA_CHAIN_OPERATION + RNET_CUDA_CHAIN_OPERATIONS] = {0};
    double expected[RNET_CUDA_CHAIN_STEPS][KERNEL_VALUES];

    compute_calls(site, expected);
    values[0] = expected[0][0];
    for (uint32_t i = 0; i < chain->input_count; i++)
        values[RNET_CUDA_CHAIN_INPUT + i] = site->numbers[buffer_of(site, &chain->inputs[i])];
    for (uint32_t i = 0; i < chain->operation_count; i++)
        values[RNET_CUDA_CHAIN_OPERATION + i] = compute_operation(&chain->operations[i], values);
    for (uint32_t i = 0; i < chain->result_count; i++) {
        const struct rnet_cuda_operand *result = &chain->results[i];
        const int output = result->argument - kernel_first_output(kernel_of(site, result->step));

        ck_assert_msg(values[chain->values[i]] == expected[result->step][output],
                      "%s: call %u: result %u is %g, not %g", site->file, site->first, i,
                      values[chain->values[i]], expected[result->step][output]);
    }
}

/* ---- results ---- */

static bool is_result(const struct site *site, buffer_id buffer)
{
    for (uint32_t i = 0; i < site->chain->result_count; i++)
        if (buffer_of(site, &site->chain->results[i]) == buffer)
            return true;
    return false;
}

static bool is_read_beyond(const struct site *site, buffer_id buffer)
{
    for (call_id c = 0; c < site->calls->items.count; c++) {
        const struct call *call = &site->calls->items.items[c];
        const struct kernel *kernel = site->calls->kernels.items.items[call->kernel];

        if (c >= site->first && c < site->first + site->chain->length)
            continue;
        for (int p = 0; p < kernel_first_output(kernel); p++)
            if (call->arguments[p] == buffer)
                return true;
    }
    return site->calls->buffers.items[buffer].is_result;
}

static bool overlap(const struct buffer *a, const struct buffer *b)
{
    return a->region == b->region && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

/* No result of the chain lies where the buffer does, which it loads. */
static void expect_apart(const struct site *site, buffer_id loaded)
{
    const struct buffer *buffers = site->calls->buffers.items;

    for (uint32_t i = 0; i < site->chain->result_count; i++)
        ck_assert_msg(
            !overlap(&buffers[loaded], &buffers[buffer_of(site, &site->chain->results[i])]),
            "%s: call %u: result %u lies where the chain reads", site->file, site->first, i);
}

static void expect_places(const struct site *site)
{
    const struct kernel *convolution = kernel_of(site, 0);

    for (uint32_t i = 0; i < site->chain->input_count; i++)
        expect_apart(site, buffer_of(site, &site->chain->inputs[i]));
    for (int p = 0; p < kernel_first_output(convolution); p++)
        expect_apart(site, call_of(site, 0)->arguments[p]);
    for (uint32_t step = 0; step < site->chain->length; step++) {
        const struct kernel *kernel = kernel_of(site, step);

        for (int p = kernel_first_output(kernel); p < kernel->parameter_count; p++) {
            const buffer_id buffer = call_of(site, step)->arguments[p];

            ck_assert_msg(is_result(site, buffer) || !is_read_beyond(site, buffer),
                          "%s: call %u: what step %u leaves is lost", site->file, site->first,
                          step);
        }
    }
}

/* ---- networks ---- */

/* Checks all chains; returns how many there are. */
static int check_calls(const struct calls *calls, const char *file)
{
    double *numbers = malloc((calls->buffers.count + 1) * sizeof *numbers);
    int count = 0;

    for (size_t b = 0; b < calls->buffers.count; b++)
        numbers[b] = (double)(b * 7919 % 2003) / 100 - 10;
    for (call_id c = 0; c < calls->items.count; c++) {
        const struct site site = {calls, c, calls->items.items[c].chain, numbers, file};

        if (!site.chain)
            continue;
        count++;
        expect_values(&site);
        expect_places(&site);
        for (uint32_t step = 1; step < site.chain->length; step++)
            ck_assert_ptr_null(call_of(&site, step)->chain);
    }
    free(numbers);
    return count;
}

START_TEST(every_network)
{
    int with = 0;

    for (size_t i = 0; i < countof(shipped_networks); i++) {
        const struct shipped_network *network = &shipped_networks[i];
        struct compilation compilation;
        struct fixture f;

        if (!is_first_of_file(i))
            continue;
        if (compile_shipped(&f, &compilation, network->file, network->options, true)) {
            with += check_calls(compilation.plan.train, network->file) > 10;
            check_calls(compilation.plan.infer, network->file);
        }
        fixture_end(&f);
    }
    ck_assert_int_ge(with, 12);
}
END_TEST

static void count_lengths(const struct calls *calls, int out_counts[RNET_CUDA_CHAIN_STEPS + 1])
{
    for (call_id c = 0; c < calls->items.count; c++)
        if (calls->items.items[c].chain)
            out_counts[calls->items.items[c].chain->length]++;
}

/* Of the 67 passes of iResNet-20's convolutions, 23 are forward and 22 gradients of data. 20 of
 * either have a normalization's sums behind them; at the end of a block, or where a block's
 * gradient joins that of its shortcut, behind the sum. */
START_TEST(iresnet)
{
    struct compilation compilation;
    struct fixture f;
    int counts[RNET_CUDA_CHAIN_STEPS + 1] = {0};

    ck_assert(compile_shipped(&f, &compilation, "cifar/iresnet", "depth=20", true));
    count_lengths(compilation.plan.train, counts);
    ck_assert_int_eq(counts[2], 31);
    ck_assert_int_eq(counts[3], 9);
    memset(counts, 0, sizeof counts);
    count_lengths(compilation.plan.infer, counts);
    ck_assert_int_eq(counts[2], 18);
    ck_assert_int_eq(counts[3], 0);
    fixture_end(&f);
    ck_assert(compile_shipped(&f, &compilation, "cifar/iresnet", "depth=20", false));
    memset(counts, 0, sizeof counts);
    count_lengths(compilation.plan.train, counts);
    ck_assert_int_eq(counts[2] + counts[3], 0);
    fixture_end(&f);
}
END_TEST

/* The first chain: sums of y - mean, and of its squares. */
START_TEST(statistics)
{
    struct compilation compilation;
    struct fixture f;
    const struct rnet_cuda_chain *chain = NULL;

    ck_assert(compile_shipped(&f, &compilation, "cifar/iresnet", "depth=20", true));
    for (call_id c = 0; !chain && c < compilation.plan.train->items.count; c++)
        chain = compilation.plan.train->items.items[c].chain;
    ck_assert_ptr_nonnull(chain);
    ck_assert_uint_eq(chain->length, 2);
    ck_assert_uint_eq(chain->input_count, 1);
    ck_assert_uint_eq(chain->inputs[0].kind, RNET_CUDA_VECTOR);
    ck_assert_uint_eq(chain->operation_count, 2);
    ck_assert_uint_eq(chain->operations[0].kind, RNET_CUDA_POINT_SUBTRACT);
    ck_assert_uint_eq(chain->operations[1].kind, RNET_CUDA_POINT_MULTIPLY);
    ck_assert_uint_eq(chain->result_count, 3);
    ck_assert_uint_eq(chain->results[0].kind, RNET_CUDA_SUMS);
    ck_assert_uint_eq(chain->results[1].kind, RNET_CUDA_SUMS);
    ck_assert_uint_eq(chain->results[2].kind, RNET_CUDA_TENSOR);
    ck_assert_uint_eq(chain->results[2].step, 0);
    ck_assert_int_gt(chain->chunk_images, 0);
    fixture_end(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_network, iresnet, statistics};

    return run_suite("chain", tests, countof(tests));
}
