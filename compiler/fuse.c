/* Fusion over calls. A call is visited once: first the producers that were left for it are put into
 * it, then it is decided whether it is itself left for its readers. */
#include "compiler/fuse.h"

#include <string.h>

typedef uint32_t call_id;

enum { CALL_NONE = UINT32_MAX };

/* Who reads a buffer. */
struct readers {
    VECTOR(call_id) calls; /* in order of execution, each once */
    bool only_points;      /* all loads are ACCESS_POINT, by expressions of POINTWISE or
                              CHANNEL_SUM calls */
};

/* A visited call that was not emitted: its readers compute it. */
struct deferred {
    const struct call_builder *call; /* complete but for numbering; NULL: the call was emitted */
    call_id into;                    /* joined into this call alone; CALL_NONE: inlined */
};

struct fusion {
    struct calls *calls;
    struct lowering lowering; /* what call builders want */
    const struct call *before; /* the calls as they came */
    size_t count;
    struct readers *readers;   /* of each buffer */
    struct deferred *deferred; /* by each buffer that such a call would have written */
    uint8_t *load;             /* parameters promised to each call */
    uint8_t *size;             /* expressions promised to each call */
};

static const struct kernel *kernel_of(const struct fusion *fusion, const struct call *call)
{
    return fusion->calls->kernels.items.items[call->kernel];
}

/* ---- who reads what ---- */

static bool loads_points(const struct kernel *kernel, int parameter)
{
    if (kernel->anchor != KERNEL_POINTWISE && kernel->anchor != KERNEL_CHANNEL_SUM)
        return false;
    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *expression = &kernel->expressions[i];

        if (expression->op == EXPRESSION_LOAD && expression->parameter == parameter &&
            expression->access != ACCESS_POINT)
            return false;
    }
    return true;
}

static void find_readers(struct fusion *fusion)
{
    struct arena *arena = fusion->calls->arena;

    for (size_t b = 0; b < fusion->calls->buffers.count; b++)
        fusion->readers[b].only_points = true;
    for (call_id c = 0; c < fusion->count; c++) {
        const struct call *call = &fusion->before[c];
        const struct kernel *kernel = kernel_of(fusion, call);

        for (int p = 0; p < kernel_first_output(kernel); p++) {
            struct readers *readers = &fusion->readers[call->arguments[p]];

            vector_push(&readers->calls, arena, c);
            readers->only_points &= loads_points(kernel, p);
        }
    }
}

/* ---- putting a call together ---- */

static bool is_pointwise(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_POINTWISE || kernel->anchor == KERNEL_CHANNEL_SUM;
}

static int output_of(const struct call_builder *call, buffer_id buffer)
{
    int output = 0;

    while (call->outputs[output] != buffer)
        output++;
    return output;
}

static uint16_t copy_value(const struct fusion *fusion, struct call_builder *to,
                           const struct kernel *from, const buffer_id *buffers, uint16_t root);

/* A load from a deferred call's result becomes what that call computes. Deferred calls hold no such
 * loads themselves, so this goes one level deep. */
static uint16_t copy_load(const struct fusion *fusion, struct call_builder *to, buffer_id buffer,
                          const struct expression *load)
{
    const struct call_builder *source = fusion->deferred[buffer].call;

    if (source)
        return copy_value(fusion, to, &source->kernel, source->inputs,
                          source->kernel.values[output_of(source, buffer)]);
    if (load->access == ACCESS_SCALAR)
        return call_scalar(to, (enum rnet_scalar)load->index);
    return call_load(to, buffer, (enum access)load->access);
}

/* Copies the expression `root` of `from`, whose parameter p is buffers[p], into a call that is
 * being put together. */
static uint16_t copy_value(const struct fusion *fusion, struct call_builder *to,
                           const struct kernel *from, const buffer_id *buffers, uint16_t root)
{
    uint16_t copies[KERNEL_EXPRESSIONS] = {0};
    bool parts[KERNEL_EXPRESSIONS];

    kernel_needed(from, root, parts);
    for (int i = 0; i <= root; i++) {
        struct expression expression = from->expressions[i];
        const int operands = expression_operands((enum expression_op)expression.op);

        if (!parts[i])
            continue;
        if (expression.op == EXPRESSION_LOAD) {
            copies[i] = copy_load(fusion, to, buffers[expression.parameter], &expression);
            continue;
        }
        if (expression.op == EXPRESSION_RANDOM) {
            copies[i] =
                call_random(to, buffers[expression.parameter], (enum access)expression.access);
            continue;
        }
        if (operands > 0)
            expression.a = copies[expression.a];
        if (operands > 1)
            expression.b = copies[expression.b];
        copies[i] = kernel_expression(&to->kernel, expression);
    }
    return copies[root];
}

/* Adds the results of the calls that were joined into this one. */
static void store_joined(const struct fusion *fusion, struct call_builder *to, call_id reader,
                         const struct call *call)
{
    const int inputs = kernel_first_output(kernel_of(fusion, call));

    for (int p = 0; p < inputs; p++) {
        const struct deferred *deferred = &fusion->deferred[call->arguments[p]];

        if (!deferred->call || deferred->into != reader ||
            deferred->call->outputs[0] != call->arguments[p])
            continue;
        for (int output = 0; output < deferred->call->output_count; output++) {
            const buffer_id buffer = deferred->call->outputs[output];
            const struct expression load = {.op = EXPRESSION_LOAD, .access = ACCESS_POINT};

            call_store(to, copy_load(fusion, to, buffer, &load), buffer);
        }
    }
}

static struct call_builder rebuild(struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];
    const struct kernel *from = kernel_of(fusion, call);
    struct call_builder to = call_begin(&fusion->lowering, (enum kernel_anchor)from->anchor);

    memcpy(to.kernel.in_grid, from->in_grid, sizeof from->in_grid);
    to.kernel.in_channels = from->in_channels;
    to.kernel.chunk_images = from->chunk_images;
    to.images = call->images;
    for (int value = 0; value < from->value_count; value++)
        call_store(&to, copy_value(fusion, &to, from, call->arguments, from->values[value]),
                   call->arguments[kernel_first_output(from) + value]);
    store_joined(fusion, &to, id, call);
    return to;
}

/* ---- what to do with a call ---- */

static bool same_domain(const struct call_builder *a, const struct fusion *fusion, call_id b)
{
    const struct kernel *kernel = kernel_of(fusion, &fusion->before[b]);

    return memcmp(a->kernel.in_grid, kernel->in_grid, sizeof kernel->in_grid) == 0 &&
           a->kernel.in_channels == kernel->in_channels &&
           a->images == fusion->before[b].images &&
           a->lowering->phase == fusion->before[b].phase;
}

static int point_loads(const struct kernel *kernel)
{
    int count = 0;

    for (int i = 0; i < kernel->expression_count; i++)
        count += kernel->expressions[i].op == EXPRESSION_LOAD &&
                 kernel->expressions[i].access == ACCESS_POINT;
    return count;
}

/* Whether a reader can take in `call`, and `outputs` results of it, beside what it was promised. */
static bool has_room(const struct fusion *fusion, const struct call_builder *call, call_id reader,
                     int outputs)
{
    const struct kernel *kernel = kernel_of(fusion, &fusion->before[reader]);
    const int parameters = fusion->load[reader] + call->input_count + outputs;
    const int expressions = fusion->size[reader] + call->kernel.expression_count;

    return kernel->parameter_count + parameters <= KERNEL_PARAMETERS &&
           kernel->expression_count + expressions <= KERNEL_EXPRESSIONS &&
           kernel->output_count + outputs <= KERNEL_VALUES;
}

static void promise(struct fusion *fusion, const struct call_builder *call, call_id reader,
                    int outputs)
{
    fusion->load[reader] = (uint8_t)(fusion->load[reader] + call->input_count + outputs);
    fusion->size[reader] = (uint8_t)(fusion->size[reader] + call->kernel.expression_count);
}

/* Whether the kernel adds one tensor to another. */
static bool adds_tensors(const struct kernel *kernel)
{
    bool holds_tensor[KERNEL_EXPRESSIONS] = {false};

    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *expression = &kernel->expressions[i];
        const int operands = expression_operands((enum expression_op)expression->op);
        const bool a = operands > 0 && holds_tensor[expression->a];
        const bool b = operands > 1 && holds_tensor[expression->b];

        if (a && b && expression->op == EXPRESSION_ADD)
            return true;
        holds_tensor[i] = a || b ||
                          (expression->op == EXPRESSION_LOAD && expression->access == ACCESS_POINT);
    }
    return false;
}

/* A sum of tensors that several read is a step of the main path. Computed again by each, it would
 * be carried into the next sum and that into the next: kernels would differ by their place in the
 * chain, and a network's depth would show in its code. */
static bool is_inlinable(const struct fusion *fusion, const struct call_builder *call)
{
    const struct readers *readers = &fusion->readers[call->outputs[0]];
    const int loads = point_loads(&call->kernel);
    const int count = (int)readers->calls.count;

    if (call->output_count != 1 || count == 0 || !readers->only_points)
        return false;
    if (loads * count > loads + 1 + count) /* reads again, against: reads, store, loads */
        return false;
    if (count > 1 && adds_tensors(&call->kernel))
        return false;
    if (call->kernel.value_count != 1)
        return false;
    for (int i = 0; i < count; i++)
        if (!same_domain(call, fusion, readers->calls.items[i]) ||
            !has_room(fusion, call, readers->calls.items[i], 0))
            return false;
    return true;
}

/* Whether a call between `id` and `first` needs one of the results that `call` stores besides its
 * own. */
static bool is_wanted_before(const struct fusion *fusion, const struct call_builder *call,
                             call_id id, call_id first)
{
    for (int output = 1; output < call->output_count; output++) {
        const struct readers *readers = &fusion->readers[call->outputs[output]];

        for (size_t i = 0; i < readers->calls.count; i++)
            if (readers->calls.items[i] > id && readers->calls.items[i] < first)
                return true;
    }
    return false;
}

/* The first reader of the call's result, if the call may be joined into it; else CALL_NONE. */
static call_id joinable(const struct fusion *fusion, const struct call_builder *call, call_id id)
{
    const struct readers *readers = &fusion->readers[call->outputs[0]];
    const call_id first = readers->calls.count > 0 ? readers->calls.items[0] : CALL_NONE;
    const struct kernel *kernel;

    if (first == CALL_NONE)
        return CALL_NONE;
    kernel = kernel_of(fusion, &fusion->before[first]);
    if (kernel->anchor != KERNEL_POINTWISE || !same_domain(call, fusion, first) ||
        !has_room(fusion, call, first, call->output_count) ||
        is_wanted_before(fusion, call, id, first))
        return CALL_NONE;
    for (int p = 0; p < kernel_first_output(kernel); p++)
        if (fusion->before[first].arguments[p] == call->outputs[0] && !loads_points(kernel, p))
            return CALL_NONE;
    return first;
}

static void defer(struct fusion *fusion, const struct call_builder *call, call_id into)
{
    const struct call_builder *kept = arena_copy(fusion->calls->arena, call, sizeof *call);

    for (int output = 0; output < call->output_count; output++)
        fusion->deferred[call->outputs[output]] = (struct deferred){kept, into};
}

/* Leaves the call for its readers where a rule allows it. */
static bool try_defer(struct fusion *fusion, const struct call_builder *call, call_id id)
{
    const struct buffer *result = &fusion->calls->buffers.items[call->outputs[0]];
    const struct readers *readers = &fusion->readers[call->outputs[0]];
    call_id first;

    if (call->kernel.anchor != KERNEL_POINTWISE || result->is_result)
        return false;
    if (is_inlinable(fusion, call)) {
        for (size_t i = 0; i < readers->calls.count; i++)
            promise(fusion, call, readers->calls.items[i], 0);
        defer(fusion, call, CALL_NONE);
        return true;
    }
    first = joinable(fusion, call, id);
    if (first == CALL_NONE)
        return false;
    promise(fusion, call, first, call->output_count);
    defer(fusion, call, first);
    return true;
}

/* What was joined into an emitted call is in memory from here on. */
static void settle(struct fusion *fusion, const struct call_builder *call)
{
    for (int output = 1; output < call->output_count; output++)
        fusion->deferred[call->outputs[output]].call = NULL;
}

static void visit(struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];
    struct call_builder built;

    if (!is_pointwise(kernel_of(fusion, call)) || call->phase == RNET_PHASE_UPDATE) {
        vector_push(&fusion->calls->items, fusion->calls->arena, *call);
        return;
    }
    fusion->lowering.phase = (enum rnet_phase)call->phase;
    built = rebuild(fusion, id);
    if (try_defer(fusion, &built, id))
        return;
    settle(fusion, &built);
    call_end(&built, call->path);
}

void fuse_calls(struct calls *calls)
{
    struct arena *arena = calls->arena;
    struct fusion fusion = {
        .calls = calls,
        .lowering = {.arena = arena, .calls = calls},
        .before = calls->items.items,
        .count = calls->items.count,
        .readers = ARENA_ARRAY(arena, struct readers, calls->buffers.count),
        .deferred = ARENA_ARRAY(arena, struct deferred, calls->buffers.count),
        .load = ARENA_ARRAY(arena, uint8_t, calls->items.count),
        .size = ARENA_ARRAY(arena, uint8_t, calls->items.count),
    };

    find_readers(&fusion);
    memset(&calls->items, 0, sizeof calls->items);
    for (call_id id = 0; id < fusion.count; id++)
        visit(&fusion, id);
}
