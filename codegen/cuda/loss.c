/* The softmax loss: an image a task; threads go through the classes side by side, and what they
 * found is combined in pairs. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum { LOSS_THREADS = 128 };

/* What the threads share. */
struct loss {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value image;
    uint32_t labels; /* the parameter */
    int threads;
    /* Shared, an element a thread; the first is then of all. */
    loop_value best;  /* largest logit */
    loop_value sum;   /* of the exponentials, each less the largest */
    loop_value rank;  /* classes that score above the label */
    loop_value total; /* of the logits, each less the largest */
    double smoothing; /* the target's share that all classes have together */
};

static bool loss_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_SOFTMAX_LOSS;
}

static loop_value logit(const struct loss *loss, loop_value channel)
{
    struct place place =
        place_in(loss->kernel, loss->image, loop_int(loss->program, 0), channel, 1);
    return expression_value(loss->kernel, loss->program, loss->kernel->values[0], &place);
}

static loop_value label(const struct loss *loss)
{
    return loop_load(loss->program, loss->labels, loss->image, 1);
}

/* Opens a loop over a thread's classes. */
static loop_value open_classes(const struct loss *loss, loop_value thread)
{
    loop_value classes = loop_int(loss->program, loss->kernel->in_channels);
    return loop_for(loss->program, thread, classes, loss->threads);
}

static loop_value less_best(const struct loss *loss, loop_value value)
{
    return loop_binary(loss->program, LOOP_SUBTRACT, value,
                       nest_load_one(loss->program, loss->best, 1));
}

static void combine(const struct loss *loss, enum loop_op op, loop_value shared)
{
    block_reduce(loss->program, op, shared, loss->threads, 1, 1);
}

static void find_best(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    loop_value thread = loop_threads(program);
    loop_value own = loop_local(program, LOOP_F32, 1);
    nest_store_one(program, own, logit(loss, label(loss)));
    loop_value value = logit(loss, open_classes(loss, thread));
    loop_value before = nest_load_one(program, own, 1);
    nest_store_one(program, own, loop_binary(program, LOOP_MAXIMUM, value, before));
    loop_end(program);
    loop_store_local(program, loss->best, thread, nest_load_one(program, own, 1));
    loop_end(program);
    combine(loss, LOOP_MAXIMUM, loss->best);
}

static void add_to(struct loop_program *program, loop_value local, loop_value summand)
{
    loop_value before = nest_load_one(program, local, 1);
    nest_store_one(program, local, loop_binary(program, LOOP_ADD, before, summand));
}

/* 1 where a class scores above the label, or as much with a lower number. */
static loop_value is_above(const struct loss *loss, loop_value channel, loop_value value,
                           loop_value chosen)
{
    struct loop_program *program = loss->program;
    loop_value tie = loop_binary(program, LOOP_AND, loop_binary(program, LOOP_EQUAL, value, chosen),
                                 loop_binary(program, LOOP_LESS, channel, label(loss)));
    loop_value above =
        loop_binary(program, LOOP_OR, loop_binary(program, LOOP_LESS, chosen, value), tie);
    return loop_ternary(program, LOOP_SELECT, above, loop_float(program, LOOP_F32_TYPE(1), 1.0),
                        nest_zero(program, 1));
}

static void sum_and_rank(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    const loop_value shared[] = {loss->sum, loss->rank, loss->total};
    loop_value thread = loop_threads(program), own[3];
    loop_value chosen = logit(loss, label(loss));
    for (int i = 0; i < 3; i++) {
        own[i] = loop_local(program, LOOP_F32, 1);
        nest_store_one(program, own[i], nest_zero(program, 1));
    }
    loop_value channel = open_classes(loss, thread), value = logit(loss, channel);
    loop_value distance = less_best(loss, value);
    add_to(program, own[0], loop_unary(program, LOOP_EXP, distance));
    add_to(program, own[1], is_above(loss, channel, value, chosen));
    add_to(program, own[2], distance);
    loop_end(program);
    for (int i = 0; i < 3; i++)
        loop_store_local(program, shared[i], thread, nest_load_one(program, own[i], 1));
    loop_end(program);
    for (int i = 0; i < 3; i++)
        combine(loss, LOOP_ADD, shared[i]);
}

/* log(sum) less the logits, each weighed by its target; all relative to the largest. */
static loop_value cross_entropy(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    const double spread = loss->smoothing / loss->kernel->in_channels;
    loop_value logarithm = loop_unary(program, LOOP_LOG, nest_load_one(program, loss->sum, 1));
    loop_value distance =
        loop_unary(program, LOOP_NEGATE, less_best(loss, logit(loss, label(loss))));
    if (!(loss->smoothing > 0))
        return loop_binary(program, LOOP_ADD, logarithm, distance);
    loop_value own = loop_float(program, LOOP_F32_TYPE(1), 1.0 - loss->smoothing);
    loop_value all =
        loop_binary(program, LOOP_MULTIPLY, loop_float(program, LOOP_F32_TYPE(1), spread),
                    nest_load_one(program, loss->total, 1));
    distance = loop_binary(program, LOOP_MULTIPLY, own, distance);
    return loop_binary(program, LOOP_SUBTRACT, loop_binary(program, LOOP_ADD, logarithm, distance),
                       all);
}

static void store_gradient(const struct loss *loss, loop_value thread)
{
    struct loop_program *program = loss->program;
    const double spread = loss->smoothing / loss->kernel->in_channels;
    loop_value other = loop_float(program, LOOP_F32_TYPE(1), spread);
    loop_value own = loop_float(program, LOOP_F32_TYPE(1), 1.0 - loss->smoothing + spread);
    loop_value images = loop_convert(program, loop_images(program), LOOP_F32);
    loop_value sum = nest_load_one(program, loss->sum, 1), chosen = label(loss);
    loop_value channel = open_classes(loss, thread);
    loop_value exponential = loop_unary(program, LOOP_EXP, less_best(loss, logit(loss, channel)));
    loop_value share = loop_binary(program, LOOP_DIVIDE, exponential, sum);
    loop_value is_label = loop_binary(program, LOOP_EQUAL, channel, chosen);
    loop_value target = loop_ternary(program, LOOP_SELECT, is_label, own, other);
    loop_value gradient = loop_binary(program, LOOP_DIVIDE,
                                      loop_binary(program, LOOP_SUBTRACT, share, target), images);
    loop_value index = activation_index(program, loss->image, 1, loop_int(program, 0),
                                        loss->kernel->in_channels, channel);
    loop_store(program, loss->labels + 3, index, gradient);
    loop_end(program);
}

static void store_results(const struct loss *loss)
{
    struct loop_program *program = loss->program;
    loop_value thread = loop_threads(program);
    loop_if(program, loop_binary(program, LOOP_EQUAL, thread, loop_int(program, 0)));
    loop_store(program, loss->labels + 1, loss->image, cross_entropy(loss));
    loop_store(program, loss->labels + 2, loss->image, nest_load_one(program, loss->rank, 1));
    loop_end(program);
    if (loss->kernel->output_count == 3)
        store_gradient(loss, thread);
    loop_end(program);
}

static void loss_build(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    program->threads = kernel->in_channels > LOSS_THREADS / 2 ? LOSS_THREADS : LOSS_THREADS / 4;
    struct loss loss = {.kernel = kernel, .program = program, .threads = program->threads};
    loss.labels = (uint32_t)kernel_weight_parameter(kernel);
    loss.smoothing = kernel_label_smoothing(kernel);
    loss.image = nest_task(program).first;
    loop_value *const shared[] = {&loss.best, &loss.sum, &loss.rank, &loss.total};
    for (int i = 0; i < 4; i++)
        *shared[i] = loop_shared(program, LOOP_F32, loss.threads);
    find_best(&loss);
    sum_and_rank(&loss);
    store_results(&loss);
}

const struct schedule cuda_loss_schedule = {
    .name = "cuda_loss",
    .applies = loss_applies,
    .build = loss_build,
};
