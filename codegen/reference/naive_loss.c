/* The naive softmax loss: three passes over an image's logits. */
#include "codegen/nest.h"
#include "codegen/reference/naive.h"

/* What the passes share. */
struct loss {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value image, label;
    loop_value best, sum, rank; /* locals: largest logit, sum of exponentials, rank */
    loop_value total;           /* local: sum of the logits, each less the largest */
    loop_value chosen;          /* the label's logit */
    double smoothing;           /* the target's share that all classes have together */
};

static loop_value logit(const struct loss *loss, loop_value channel)
{
    struct place place =
        place_in(loss->kernel, loss->image, loop_int(loss->program, 0), channel, 1);
    return expression_value(loss->kernel, loss->program, loss->kernel->values[0], &place);
}

static loop_value open_channels(const struct loss *loss)
{
    return loop_for(loss->program, loop_int(loss->program, 0),
                    loop_int(loss->program, loss->kernel->in_channels), 1);
}

static loop_value exponential(const struct loss *loss, loop_value value)
{
    struct loop_program *program = loss->program;
    loop_value best = nest_load_one(program, loss->best, 1);
    return loop_unary(program, LOOP_EXP, loop_binary(program, LOOP_SUBTRACT, value, best));
}

static void find_best(struct loss *loss)
{
    struct loop_program *program = loss->program;
    loss->chosen = logit(loss, loss->label);
    nest_store_one(program, loss->best, loss->chosen);
    loop_value value = logit(loss, open_channels(loss));
    loop_value best = nest_load_one(program, loss->best, 1);
    nest_store_one(program, loss->best, loop_binary(program, LOOP_MAXIMUM, value, best));
    loop_end(program);
}

/* Adds up the exponentials and counts the classes that score above the label. */
static void sum_and_rank(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    nest_store_one(program, loss->sum, nest_zero(program, 1));
    nest_store_one(program, loss->rank, nest_zero(program, 1));
    nest_store_one(program, loss->total, nest_zero(program, 1));
    loop_value channel = open_channels(loss), value = logit(loss, channel);
    loop_value sum = nest_load_one(program, loss->sum, 1);
    nest_store_one(program, loss->sum,
                   loop_binary(program, LOOP_ADD, sum, exponential(loss, value)));
    loop_value distance =
        loop_binary(program, LOOP_SUBTRACT, value, nest_load_one(program, loss->best, 1));
    nest_store_one(program, loss->total,
                   loop_binary(program, LOOP_ADD, nest_load_one(program, loss->total, 1), distance));
    loop_value tie =
        loop_binary(program, LOOP_AND, loop_binary(program, LOOP_EQUAL, value, loss->chosen),
                    loop_binary(program, LOOP_LESS, channel, loss->label));
    loop_value above =
        loop_binary(program, LOOP_OR, loop_binary(program, LOOP_LESS, loss->chosen, value), tie);
    loop_value one = loop_float(program, LOOP_F32_TYPE(1), 1.0);
    loop_value step = loop_ternary(program, LOOP_SELECT, above, one, nest_zero(program, 1));
    loop_value rank = nest_load_one(program, loss->rank, 1);
    nest_store_one(program, loss->rank, loop_binary(program, LOOP_ADD, rank, step));
    loop_end(program);
}

static void store_gradient(const struct loss *loss, uint32_t parameter)
{
    struct loop_program *program = loss->program;
    const double spread = loss->smoothing / loss->kernel->in_channels;
    loop_value other = loop_float(program, LOOP_F32_TYPE(1), spread);
    loop_value own = loop_float(program, LOOP_F32_TYPE(1), 1.0 - loss->smoothing + spread);
    loop_value images = loop_convert(program, loop_images(program), LOOP_F32);
    loop_value channel = open_channels(loss);
    loop_value share = loop_binary(program, LOOP_DIVIDE, exponential(loss, logit(loss, channel)),
                                   nest_load_one(program, loss->sum, 1));
    loop_value is_label = loop_binary(program, LOOP_EQUAL, channel, loss->label);
    loop_value target = loop_ternary(program, LOOP_SELECT, is_label, own, other);
    loop_value gradient = loop_binary(program, LOOP_DIVIDE,
                                      loop_binary(program, LOOP_SUBTRACT, share, target), images);
    loop_value index = activation_index(program, loss->image, 1, loop_int(program, 0),
                                        loss->kernel->in_channels, channel);
    loop_store(program, parameter, index, gradient);
    loop_end(program);
}

/* log(sum) less the logits, each weighed by its target; all relative to the largest. */
static loop_value cross_entropy(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    const double spread = loss->smoothing / loss->kernel->in_channels;
    loop_value logarithm = loop_unary(program, LOOP_LOG, nest_load_one(program, loss->sum, 1));
    loop_value distance =
        loop_binary(program, LOOP_SUBTRACT, nest_load_one(program, loss->best, 1), loss->chosen);
    if (!(loss->smoothing > 0))
        return loop_binary(program, LOOP_ADD, logarithm, distance);
    loop_value own = loop_float(program, LOOP_F32_TYPE(1), 1.0 - loss->smoothing);
    loop_value all = loop_binary(program, LOOP_MULTIPLY,
                                 loop_float(program, LOOP_F32_TYPE(1), spread),
                                 nest_load_one(program, loss->total, 1));
    distance = loop_binary(program, LOOP_MULTIPLY, own, distance);
    return loop_binary(program, LOOP_SUBTRACT,
                       loop_binary(program, LOOP_ADD, logarithm, distance), all);
}

void naive_softmax_loss(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    struct loss loss = {.kernel = kernel, .program = program, .image = nest_task(program).first};
    uint32_t labels = (uint32_t)kernel_weight_parameter(kernel);
    loss.label = loop_load(program, labels, loss.image, 1);
    loss.best = loop_local(program, LOOP_F32, 1);
    loss.sum = loop_local(program, LOOP_F32, 1);
    loss.rank = loop_local(program, LOOP_F32, 1);
    loss.total = loop_local(program, LOOP_F32, 1);
    loss.smoothing = kernel_label_smoothing(kernel);
    find_best(&loss);
    sum_and_rank(&loss);
    loop_store(program, labels + 1, loss.image, cross_entropy(&loss));
    loop_store(program, labels + 2, loss.image, nest_load_one(program, loss.rank, 1));
    if (kernel->output_count == 3)
        store_gradient(&loss, labels + 3);
}
