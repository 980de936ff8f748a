/* The text of a kernel: its name, its shapes, then one expression a line.
 *
 * Deterministic and without addresses; expressions are named by position. */
#include <stdio.h>

#include "compiler/kernel.h"

static const char *anchor_name(int anchor)
{
    static const char *const names[KERNEL_ANCHOR_COUNT] = {
        [KERNEL_POINTWISE] = "pointwise",
        [KERNEL_CHANNEL_SUM] = "channel_sum",
        [KERNEL_VECTOR] = "vector",
        [KERNEL_CONVOLUTION] = "convolution",
        [KERNEL_DATA_GRADIENT] = "data_gradient",
        [KERNEL_WEIGHT_GRADIENT] = "weight_gradient",
        [KERNEL_TRANSPOSE] = "transpose",
        [KERNEL_MAX_POOL] = "max_pool",
        [KERNEL_MAX_POOL_GRADIENT] = "max_pool_gradient",
        [KERNEL_AVERAGE_POOL] = "average_pool",
        [KERNEL_AVERAGE_POOL_GRADIENT] = "average_pool_gradient",
        [KERNEL_SOFTMAX_LOSS] = "softmax_loss",
        [KERNEL_GROUP_SUM] = "group_sum",
        [KERNEL_POINT_SUM] = "point_sum",
        [KERNEL_JOIN] = "join",
        [KERNEL_ROWS] = "rows",
    };
    return names[anchor];
}

static void print_extents(const char *label, const int32_t extents[GRID_RANK], FILE *stream)
{
    fprintf(stream, " %s ", label);
    for (int i = 0; i < GRID_RANK; i++)
        fprintf(stream, "%d%s", extents[i], i + 1 < GRID_RANK ? "x" : "");
}

static void print_shapes(const struct kernel *kernel, FILE *stream)
{
    fprintf(stream, "  %s", anchor_name(kernel->anchor));
    print_extents("in", kernel->in_grid, stream);
    fprintf(stream, "x%d", kernel->in_channels);
    if (kernel->out_channels) {
        print_extents("out", kernel->out_grid, stream);
        fprintf(stream, "x%d", kernel->out_channels);
    }
    if (kernel->groups > 1)
        fprintf(stream, " groups %d", kernel->groups);
    if (kernel->chunk_images)
        fprintf(stream, " chunk_images %d", kernel->chunk_images);
    if (kernel->chunk_parts > 1)
        fprintf(stream, " chunk_parts %d", kernel->chunk_parts);
    if (kernel->sum_count)
        fprintf(stream, " sum_rows %d", kernel->sum_rows);
    if (kernel->flip)
        fprintf(stream, " flip");
    if (kernel->weight_block)
        fprintf(stream, " weight_block %d", kernel->weight_block);
    if (kernel->streams)
        fprintf(stream, " streams");
    fputc('\n', stream);
    for (int j = 0; kernel->anchor == KERNEL_JOIN && j < kernel->value_count; j++)
        fprintf(stream, "  part %d of %d channels, from %d\n", kernel->parts[j].count,
                kernel->parts[j].channels, kernel->parts[j].first);
    if (!kernel_has_window(kernel))
        return;
    fprintf(stream, "  window");
    print_extents("kernel", kernel->window.kernel, stream);
    print_extents("stride", kernel->window.stride, stream);
    print_extents("padding", kernel->window.padding, stream);
    print_extents("dilation", kernel->window.dilation, stream);
    fputc('\n', stream);
}

static void print_load(const struct expression *load, FILE *stream)
{
    static const char *const names[] = {
        [ACCESS_POINT] = "point",
        [ACCESS_CHANNEL] = "channel",
        [ACCESS_IMAGE_CHANNEL] = "image_channel",
        [ACCESS_FIRST] = "first",
        [ACCESS_SCALAR] = "scalar",
        [ACCESS_CHUNK_SUM] = "chunk_sum",
        [ACCESS_PIXEL] = "pixel",
        [ACCESS_IMAGE] = "image",
    };
    fprintf(stream, " p%d %s", load->parameter, names[load->access]);
    if (load->access == ACCESS_SCALAR)
        fprintf(stream, " %d", load->index);
}

static void print_expression(const struct expression *expression, FILE *stream)
{
    static const char *const names[EXPRESSION_OP_COUNT] = {
#define EXPRESSION(op, name, operands) [EXPRESSION_##op] = name,
#include "compiler/expression.def"
#undef EXPRESSION
    };
    const int operands = expression_operands((enum expression_op)expression->op);
    fputs(names[expression->op], stream);
    if (expression->op == EXPRESSION_CONSTANT)
        fprintf(stream, " %.17g", expression->number);
    if (expression_reads((enum expression_op)expression->op))
        print_load(expression, stream);
    if (operands > 0)
        fprintf(stream, " %%%d", expression->a);
    if (operands > 1)
        fprintf(stream, " %%%d", expression->b);
}

static void print_parameters(const struct kernel *kernel, FILE *stream)
{
    fprintf(stream, "  parameters %d outputs", kernel->parameter_count);
    for (int i = kernel_first_output(kernel); i < kernel->parameter_count; i++)
        fprintf(stream, " p%d", i);
    for (int i = 0, count = 0; i < kernel->parameter_count; i++)
        if (kernel->storage[i] == KERNEL_BF16)
            fprintf(stream, count++ == 0 ? " bf16 p%d" : " p%d", i);
    fputc('\n', stream);
}

void kernel_print(const struct kernel *kernel, FILE *stream)
{
    struct arena scratch = {0};
    fprintf(stream, "kernel %s\n", kernel_name(kernel, &scratch));
    print_shapes(kernel, stream);
    print_parameters(kernel, stream);
    for (int i = 0; i < kernel->expression_count; i++) {
        fprintf(stream, "  %%%d ", i);
        print_expression(&kernel->expressions[i], stream);
        fputc('\n', stream);
    }
    for (int i = 0; i < kernel->value_count; i++)
        fprintf(stream, "  value %%%d\n", kernel->values[i]);
    if (kernel->epilogue)
        fprintf(stream, "  epilogue %%%d\n", kernel->epilogue - 1);
    for (int i = 0; i < kernel->sum_count; i++)
        fprintf(stream, "  sum %%%d\n", kernel->sums[i]);
    arena_release(&scratch);
}
