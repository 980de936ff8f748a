/* Building, naming and checking kernels.
 *
 * A kernel is plain data, compared and hashed as bytes: whoever fills one starts from zeroed
 * memory and adds expressions through kernel_expression, which shares equal ones, so that the
 * same computation always comes out as the same bytes. */
#include "compiler/kernel.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

enum {
    CHANNEL_PADDING = 16, /* as in runtime/program.h */
    NARROW_CHANNELS = 4,
};

static int64_t round_up(int64_t value)
{
    return (value + CHANNEL_PADDING - 1) / CHANNEL_PADDING * CHANNEL_PADDING;
}

int64_t channel_stride(int64_t channels)
{
    return channels <= NARROW_CHANNELS ? channels : round_up(channels);
}

int64_t vector_stride(int64_t channels)
{
    return round_up(channels);
}

int64_t kernel_storage_bytes(enum kernel_storage storage)
{
    return storage == KERNEL_BF16 ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float);
}

int64_t grid_points(const int32_t grid[GRID_RANK])
{
    return (int64_t)grid[0] * grid[1] * grid[2];
}

int64_t kernel_weight_elements(const struct kernel *kernel, bool transposed)
{
    int64_t rows = transposed ? kernel->out_channels : kernel->in_channels;
    int64_t columns = transposed ? kernel->in_channels : kernel->out_channels;
    return grid_points(kernel->window.kernel) * (rows / kernel->groups) * round_up(columns);
}

struct weight_block kernel_weight_column(const struct kernel *kernel, bool transposed,
                                         int64_t column)
{
    const int64_t columns = round_up(transposed ? kernel->in_channels : kernel->out_channels);
    const int64_t rows = kernel_weight_elements(kernel, transposed) / columns;
    const int64_t width = kernel->weight_block ? kernel->weight_block : columns;
    const int64_t begin = column / width * width;

    return (struct weight_block){
        .first = begin * rows + column - begin,
        .stride = columns - begin < width ? columns - begin : width,
    };
}

double kernel_label_smoothing(const struct kernel *kernel)
{
    return kernel->value_count > 1 ? kernel->expressions[kernel->values[1]].number : 0;
}

int64_t kernel_sum_parts(const struct kernel *kernel)
{
    return (int64_t)kernel->out_grid[0] *
           ((kernel->out_grid[1] + kernel->sum_rows - 1) / kernel->sum_rows);
}

int kernel_first_output(const struct kernel *kernel)
{
    return kernel->parameter_count - kernel->output_count;
}

int kernel_weight_parameter(const struct kernel *kernel)
{
    return kernel_first_output(kernel) - 1;
}

/* ---- expressions ---- */

int expression_operands(enum expression_op op)
{
    static const int counts[EXPRESSION_OP_COUNT] = {
#define EXPRESSION(name, text, operands) [EXPRESSION_##name] = operands,
#include "compiler/expression.def"
#undef EXPRESSION
    };
    return counts[op];
}

bool expression_reads(enum expression_op op)
{
    return op == EXPRESSION_LOAD || op == EXPRESSION_RANDOM;
}

void kernel_needed(const struct kernel *kernel, uint16_t root, bool out_needed[KERNEL_EXPRESSIONS])
{
    memset(out_needed, 0, sizeof(bool) * KERNEL_EXPRESSIONS);
    out_needed[root] = true;
    for (int i = root; i >= 0; i--) {
        const struct expression *expression = &kernel->expressions[i];
        int operands = expression_operands((enum expression_op)expression->op);
        if (out_needed[i] && operands > 0)
            out_needed[expression->a] = true;
        if (out_needed[i] && operands > 1)
            out_needed[expression->b] = true;
    }
}

uint16_t kernel_expression(struct kernel *kernel, struct expression expression)
{
    for (uint16_t i = 0; i < kernel->expression_count; i++)
        if (memcmp(&kernel->expressions[i], &expression, sizeof expression) == 0)
            return i;
    assert(kernel->expression_count < KERNEL_EXPRESSIONS);
    kernel->expressions[kernel->expression_count] = expression;
    return kernel->expression_count++;
}

uint16_t kernel_constant(struct kernel *kernel, double number)
{
    return kernel_expression(kernel,
                             (struct expression){.op = EXPRESSION_CONSTANT, .number = number});
}

uint16_t kernel_load(struct kernel *kernel, int parameter, enum access access)
{
    return kernel_expression(kernel, (struct expression){.op = EXPRESSION_LOAD,
                                                         .access = (uint8_t)access,
                                                         .parameter = (uint8_t)parameter});
}

uint16_t kernel_random(struct kernel *kernel, int parameter, enum access access)
{
    return kernel_expression(kernel, (struct expression){.op = EXPRESSION_RANDOM,
                                                         .access = (uint8_t)access,
                                                         .parameter = (uint8_t)parameter});
}

uint16_t kernel_scalar(struct kernel *kernel, int parameter, int index)
{
    return kernel_expression(kernel, (struct expression){.op = EXPRESSION_LOAD,
                                                         .access = ACCESS_SCALAR,
                                                         .parameter = (uint8_t)parameter,
                                                         .index = (uint8_t)index});
}

uint16_t kernel_binary(struct kernel *kernel, enum expression_op op, uint16_t a, uint16_t b)
{
    return kernel_expression(kernel, (struct expression){.op = (uint8_t)op, .a = a, .b = b});
}

uint16_t kernel_unary(struct kernel *kernel, enum expression_op op, uint16_t a)
{
    return kernel_expression(kernel, (struct expression){.op = (uint8_t)op, .a = a});
}

uint16_t kernel_add(struct kernel *kernel, uint16_t a, uint16_t b)
{
    return kernel_binary(kernel, EXPRESSION_ADD, a, b);
}

uint16_t kernel_subtract(struct kernel *kernel, uint16_t a, uint16_t b)
{
    return kernel_binary(kernel, EXPRESSION_SUBTRACT, a, b);
}

uint16_t kernel_multiply(struct kernel *kernel, uint16_t a, uint16_t b)
{
    return kernel_binary(kernel, EXPRESSION_MULTIPLY, a, b);
}

uint16_t kernel_divide(struct kernel *kernel, uint16_t a, uint16_t b)
{
    return kernel_binary(kernel, EXPRESSION_DIVIDE, a, b);
}

/* ---- sets and names ---- */

uint32_t kernel_set_add(struct kernel_set *set, const struct kernel *kernel)
{
    set->table.arena = set->arena;
    const struct table_entry *found = table_find(&set->table, kernel, sizeof *kernel);
    if (found)
        return (uint32_t)found->value;
    uint32_t number = (uint32_t)set->items.count;
    struct kernel *copy = arena_copy(set->arena, kernel, sizeof *kernel);
    vector_push(&set->items, set->arena, copy);
    table_set(&set->table, kernel, sizeof *kernel, number);
    return number;
}

bool kernel_is_convolution(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_CONVOLUTION || kernel->anchor == KERNEL_DATA_GRADIENT;
}

bool kernel_suits_library(const struct kernel *kernel, enum kernel_storage storage)
{
    return kernel->anchor == KERNEL_CONVOLUTION || kernel->groups == 1 || storage == KERNEL_BF16;
}

bool kernel_value_is_on_out_side(const struct kernel *kernel, int value)
{
    return (kernel->anchor == KERNEL_WEIGHT_GRADIENT || kernel->anchor == KERNEL_MAX_POOL_GRADIENT)
               ? value == 1
               : kernel->anchor == KERNEL_AVERAGE_POOL_GRADIENT;
}

bool kernel_has_window(const struct kernel *kernel)
{
    return kernel->anchor >= KERNEL_CONVOLUTION && kernel->anchor <= KERNEL_AVERAGE_POOL_GRADIENT;
}

/* "3" where all axes are equal or only the last ones are there, else "1x3x5". */
static void add_extents(struct text_builder *text, const int32_t extents[GRID_RANK], int first)
{
    bool same = true;
    for (int i = first; i < GRID_RANK; i++)
        same = same && extents[i] == extents[GRID_RANK - 1];
    for (int i = same ? GRID_RANK - 1 : first; i < GRID_RANK; i++)
        text_add(text, "%d%s", extents[i], i + 1 < GRID_RANK ? "x" : "");
}

static void add_window(struct text_builder *text, const struct kernel *kernel)
{
    int first = 0;
    while (first + 1 < GRID_RANK && kernel->window.kernel[first] == 1 &&
           kernel->in_grid[first] == 1)
        first++;
    text_add(text, "_k");
    add_extents(text, kernel->window.kernel, first);
    text_add(text, "s");
    add_extents(text, kernel->window.stride, first);
    if (kernel->groups > 1)
        text_add(text, "g%d", kernel->groups);
}

const char *kernel_name(const struct kernel *kernel, struct arena *arena)
{
    static const char *const names[KERNEL_ANCHOR_COUNT] = {
        [KERNEL_POINTWISE] = "pointwise",
        [KERNEL_CHANNEL_SUM] = "sum",
        [KERNEL_VECTOR] = "vector",
        [KERNEL_CONVOLUTION] = "conv",
        [KERNEL_DATA_GRADIENT] = "conv_data",
        [KERNEL_WEIGHT_GRADIENT] = "conv_weight",
        [KERNEL_TRANSPOSE] = "transpose",
        [KERNEL_MAX_POOL] = "max_pool",
        [KERNEL_MAX_POOL_GRADIENT] = "max_pool_back",
        [KERNEL_AVERAGE_POOL] = "average_pool",
        [KERNEL_AVERAGE_POOL_GRADIENT] = "average_pool_back",
        [KERNEL_SOFTMAX_LOSS] = "softmax_loss",
        [KERNEL_GROUP_SUM] = "group_sum",
        [KERNEL_POINT_SUM] = "point_sum",
        [KERNEL_JOIN] = "join",
        [KERNEL_ROWS] = "rows",
    };
    struct text_builder text = {.arena = arena};
    text_add(&text, "%s", names[kernel->anchor]);
    if (kernel_has_window(kernel))
        add_window(&text, kernel);
    text_add(&text, "_");
    for (int i = kernel->in_grid[0] == 1; i < GRID_RANK; i++)
        text_add(&text, "%dx", kernel->in_grid[i]);
    text_add(&text, "%d", kernel->in_channels);
    if (kernel->out_channels > 0 && kernel->out_channels != kernel->in_channels)
        text_add(&text, "_%d", kernel->out_channels);
    uint64_t hash = hash_bytes(kernel, sizeof *kernel);
    text_add(&text, "_%08x", (unsigned)(hash ^ hash >> 32));
    return text_result(&text);
}

/* ---- checking ---- */

/* What an anchor needs. */
struct anchor_rule {
    int values;    /* number of values; 0: one an output */
    int outputs;   /* number of outputs; 0: any */
    bool weight;   /* a weight or labels before the outputs */
    bool windowed; /* `window`, `out_grid` and `out_channels` count */
};

static const struct anchor_rule anchor_rules[KERNEL_ANCHOR_COUNT] = {
    [KERNEL_POINTWISE] = {.values = 0, .outputs = 0},
    [KERNEL_CHANNEL_SUM] = {.values = 0, .outputs = 0},
    [KERNEL_VECTOR] = {.values = 0, .outputs = 0},
    [KERNEL_CONVOLUTION] = {.values = 1, .outputs = 1, .weight = true, .windowed = true},
    [KERNEL_DATA_GRADIENT] = {.values = 1, .outputs = 1, .weight = true, .windowed = true},
    [KERNEL_WEIGHT_GRADIENT] = {.values = 2, .outputs = 1, .windowed = true},
    [KERNEL_TRANSPOSE] = {.values = 0, .outputs = 1, .weight = true},
    [KERNEL_MAX_POOL] = {.values = 1, .outputs = 1, .windowed = true},
    [KERNEL_MAX_POOL_GRADIENT] = {.values = 2, .outputs = 1, .windowed = true},
    [KERNEL_AVERAGE_POOL] = {.values = 1, .outputs = 1, .windowed = true},
    [KERNEL_AVERAGE_POOL_GRADIENT] = {.values = 1, .outputs = 1, .windowed = true},
    [KERNEL_SOFTMAX_LOSS] = {.values = 1, .outputs = 0, .weight = true},
    [KERNEL_GROUP_SUM] = {.values = 0, .outputs = 0},
    [KERNEL_POINT_SUM] = {.values = 0, .outputs = 0},
    [KERNEL_JOIN] = {.values = 0, .outputs = 1},
    [KERNEL_ROWS] = {.values = 1, .outputs = 1},
};

static const char *check_load(const struct kernel *kernel, const struct expression *load,
                              int inputs)
{
    if (load->access > ACCESS_IMAGE)
        return "has an unknown access";
    bool vector = kernel->anchor == KERNEL_VECTOR;
    bool in_place = vector ? load->access == ACCESS_CHANNEL
                           : kernel->anchor == KERNEL_POINTWISE && load->access == ACCESS_POINT;
    if (load->parameter >= (in_place ? kernel->parameter_count : inputs))
        return "loads a parameter that is not an input";
    if (kernel->storage[load->parameter] == KERNEL_I32)
        return "loads a parameter of integers";
    if (load->access == ACCESS_CHUNK_SUM &&
        (!vector || kernel->chunk_images <= 0 || kernel->chunk_parts <= 0))
        return "sums chunks outside a vector kernel or without saying how many";
    if (vector && (load->access == ACCESS_POINT || load->access == ACCESS_IMAGE_CHANNEL ||
                   load->access == ACCESS_PIXEL || load->access == ACCESS_IMAGE))
        return "has an access that a vector kernel has no image for";
    return NULL;
}

static const char *check_random(const struct kernel *kernel, const struct expression *random,
                                int inputs)
{
    if (random->parameter >= inputs || kernel->storage[random->parameter] != KERNEL_I32)
        return "has a key that is not an input of integers";
    if (kernel->anchor == KERNEL_VECTOR ||
        (random->access != ACCESS_POINT && random->access != ACCESS_IMAGE))
        return "is random where there is no image";
    return NULL;
}

static const char *check_expression(const struct kernel *kernel, int index, int inputs)
{
    const struct expression *expression = &kernel->expressions[index];
    if (expression->op >= EXPRESSION_OP_COUNT)
        return "has an unknown operation";
    int operands = expression_operands((enum expression_op)expression->op);
    if ((operands > 0 && expression->a >= index) || (operands > 1 && expression->b >= index))
        return "has an operand that does not come before it";
    if (expression->op == EXPRESSION_LOAD)
        return check_load(kernel, expression, inputs);
    if (expression->op == EXPRESSION_RANDOM)
        return check_random(kernel, expression, inputs);
    if (expression->op == EXPRESSION_RESULT && kernel->epilogue == 0 && kernel->sum_count == 0)
        return "is the result, but there is no epilogue or sum";
    return NULL;
}

static const char *check_expressions(const struct kernel *kernel, struct arena *arena, int inputs)
{
    for (int i = 0; i < kernel->expression_count; i++) {
        const char *wrong = check_expression(kernel, i, inputs);
        if (wrong)
            return arena_format(arena, "expression %d %s", i, wrong);
    }
    for (int i = 0; i < kernel->value_count; i++)
        if (kernel->values[i] >= kernel->expression_count)
            return arena_format(arena, "value %d is not an expression", i);
    if (kernel->epilogue > kernel->expression_count)
        return "the epilogue is not an expression";
    for (int i = 0; i < kernel->sum_count; i++)
        if (kernel->sums[i] >= kernel->expression_count)
            return arena_format(arena, "sum %d is not an expression", i);
    if ((kernel->epilogue || kernel->sum_count) && !kernel_is_convolution(kernel))
        return "only a convolution or data gradient has an epilogue or sums";
    return NULL;
}

static const char *check_counts(const struct kernel *kernel, const struct anchor_rule *rule)
{
    if (kernel->parameter_count > KERNEL_PARAMETERS)
        return "too many parameters";
    if (kernel->expression_count > KERNEL_EXPRESSIONS)
        return "too many expressions";
    if (kernel->value_count > KERNEL_VALUES)
        return "too many values";
    if (kernel->output_count == 0 || kernel->output_count > kernel->parameter_count)
        return "no outputs, or more than parameters";
    if (kernel->sum_count > KERNEL_SUMS)
        return "too many sums";
    if (rule->outputs && kernel->output_count != rule->outputs + kernel->sum_count)
        return "the number of outputs does not suit the anchor";
    if (kernel->anchor == KERNEL_SOFTMAX_LOSS &&
        (kernel->output_count < 2 || kernel->output_count > 3))
        return "a loss has two or three outputs";
    int values = rule->values ? rule->values : kernel->output_count;
    if (kernel->anchor == KERNEL_TRANSPOSE)
        values = 0;
    if (kernel->anchor == KERNEL_JOIN)
        values = kernel->value_count ? kernel->value_count : 1;
    if (kernel->anchor == KERNEL_SOFTMAX_LOSS && kernel->value_count == 2) {
        if (kernel->expressions[kernel->values[1]].op != EXPRESSION_CONSTANT)
            return "label smoothing is not a constant";
        values = 2;
    }
    if (kernel->value_count != values)
        return "the number of values does not suit the anchor";
    return NULL;
}

/* Whether out = (in + 2 padding - dilation (kernel - 1) - 1) / stride + 1 on each axis; pools of
 * another rounding may have fewer or more points, so they are only held to positive extents. */
static const char *check_window(const struct kernel *kernel)
{
    const struct window *window = &kernel->window;
    bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;
    const int32_t *large = gradient ? kernel->out_grid : kernel->in_grid;
    const int32_t *small = gradient ? kernel->in_grid : kernel->out_grid;
    bool pool = kernel->anchor >= KERNEL_MAX_POOL;
    for (int i = 0; i < GRID_RANK; i++) {
        if (window->kernel[i] < 1 || window->stride[i] < 1 || window->dilation[i] < 1 ||
            window->padding[i] < 0)
            return "the window has an extent below its least";
        if (large[i] < 1 || small[i] < 1)
            return "a grid has an empty axis";
        int32_t room =
            large[i] + 2 * window->padding[i] - window->dilation[i] * (window->kernel[i] - 1) - 1;
        if (!pool && room / window->stride[i] + 1 != small[i])
            return "the grids do not agree with the window";
    }
    return NULL;
}

static const char *check_parts(const struct kernel *kernel)
{
    int64_t channels = 0;
    for (int j = 0; j < kernel->value_count; j++) {
        const struct channel_part *part = &kernel->parts[j];
        if (part->first < 0 || part->count < 1 || part->count > part->channels - part->first)
            return "a part is not of its tensor's channels";
        channels += part->count;
    }
    return channels == kernel->out_channels ? NULL : "the parts are not the result's channels";
}

/* What is particular to anchors without a window. */
static const char *check_anchor(const struct kernel *kernel)
{
    const int64_t in = grid_points(kernel->in_grid), out = grid_points(kernel->out_grid);
    const int64_t columns = kernel->flip ? in : out, points = kernel->flip ? out : in;
    const int64_t channels = kernel->flip ? kernel->out_channels : kernel->in_channels;
    const int64_t rows = kernel->flip ? kernel->in_channels : kernel->out_channels;

    switch (kernel->anchor) {
    case KERNEL_GROUP_SUM:
        return kernel->groups > 0 && kernel->in_channels % kernel->groups == 0
                   ? NULL
                   : "the groups do not divide the channels";
    case KERNEL_JOIN:
        return check_parts(kernel);
    case KERNEL_ROWS:
        return channels % columns == 0 && channels / columns * points == rows
                   ? NULL
                   : "the rows are not the channels' elements";
    default:
        return NULL;
    }
}

static const char *check_shapes(const struct kernel *kernel, const struct anchor_rule *rule)
{
    if (kernel->in_channels < 1)
        return "no channels";
    bool chunked = kernel->anchor == KERNEL_CHANNEL_SUM || kernel->anchor == KERNEL_WEIGHT_GRADIENT;
    if (chunked && kernel->chunk_images < 1)
        return "no images a chunk";
    if (kernel->sum_count && kernel->sum_rows < 1)
        return "no rows a part";
    if (kernel->anchor != KERNEL_TRANSPOSE && grid_points(kernel->in_grid) < 1)
        return "an empty grid";
    bool grouped =
        (rule->windowed && kernel->anchor < KERNEL_MAX_POOL) || kernel->anchor == KERNEL_TRANSPOSE;
    if (grouped && (kernel->groups < 1 || kernel->out_channels < 1 ||
                    kernel->in_channels % kernel->groups || kernel->out_channels % kernel->groups))
        return "the groups do not divide the channels";
    if (rule->windowed && !grouped && kernel->out_channels != kernel->in_channels)
        return "a pool keeps the channels";
    return rule->windowed ? check_window(kernel) : check_anchor(kernel);
}

static bool is_key(const struct kernel *kernel, int parameter)
{
    for (int i = 0; i < kernel->expression_count; i++)
        if (kernel->expressions[i].op == EXPRESSION_RANDOM &&
            kernel->expressions[i].parameter == parameter)
            return true;
    return false;
}

/* Whether all that is loaded from an input are elements of an activation. */
static bool is_activation(const struct kernel *kernel, int input)
{
    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *e = &kernel->expressions[i];
        if (e->op == EXPRESSION_LOAD && e->parameter == input && e->access != ACCESS_POINT &&
            e->access != ACCESS_FIRST && e->access != ACCESS_IMAGE_CHANNEL)
            return false;
    }
    return true;
}

/* Whether an output is an activation, or may be one. */
static bool stores_activation(const struct kernel *kernel, int output)
{
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_CHANNEL_SUM:
    case KERNEL_VECTOR:
    case KERNEL_WEIGHT_GRADIENT:
    case KERNEL_TRANSPOSE:
    case KERNEL_POINT_SUM:
        return false;
    case KERNEL_SOFTMAX_LOSS:
        return output == 2;
    default:
        return output < kernel->output_count - kernel->sum_count;
    }
}

static bool storage_suits(const struct kernel *kernel, int inputs, int parameter)
{
    const int first_output = kernel_first_output(kernel);
    const bool labels = kernel->anchor == KERNEL_SOFTMAX_LOSS && parameter == inputs;
    switch ((enum kernel_storage)kernel->storage[parameter]) {
    case KERNEL_I32:
        return labels || is_key(kernel, parameter);
    case KERNEL_BF16:
        return parameter < inputs ? is_activation(kernel, parameter)
                                  : parameter >= first_output &&
                                        stores_activation(kernel, parameter - first_output);
    case KERNEL_F32:
        return !labels && !is_key(kernel, parameter);
    }
    return false;
}

static const char *check_storage(const struct kernel *kernel, int inputs)
{
    for (int i = 0; i < kernel->parameter_count; i++)
        if (!storage_suits(kernel, inputs, i))
            return "a parameter's storage does not suit its role";
    return NULL;
}

const char *kernel_check(const struct kernel *kernel, struct arena *arena)
{
    if (kernel->anchor >= KERNEL_ANCHOR_COUNT)
        return "an unknown anchor";
    const struct anchor_rule *rule = &anchor_rules[kernel->anchor];
    int inputs = kernel_first_output(kernel) - rule->weight;
    const char *wrong = check_counts(kernel, rule);
    if (!wrong && inputs < 0)
        wrong = "too few parameters";
    if (!wrong)
        wrong = check_storage(kernel, inputs);
    if (!wrong)
        wrong = check_expressions(kernel, arena, inputs);
    return wrong ? wrong : check_shapes(kernel, rule);
}
