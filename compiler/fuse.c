/* Fusion over calls: what is left for whom. See fuse.h for the rules. */
#include "compiler/fuse.h"

#include <string.h>

#include "compiler/fuse_internal.h"

/* ---- who reads what ---- */

/* Whether such a call may compute a pointwise value itself where it loads one: an average pool
 * only where no point is in two windows. */
static bool computes_operands(const struct fusion *fusion, const struct kernel *kernel)
{
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_POINTWISE:
    case KERNEL_CHANNEL_SUM:
        return true;
    case KERNEL_CONVOLUTION:
    case KERNEL_DATA_GRADIENT:
    case KERNEL_WEIGHT_GRADIENT:
        return !fusion->keeps_convolutions;
    case KERNEL_AVERAGE_POOL:
        return grid_points(kernel->out_grid) == 1;
    default:
        return false;
    }
}

static bool loads_points(const struct fusion *fusion, const struct kernel *kernel, int parameter)
{
    if (!computes_operands(fusion, kernel) ||
        (kernel_is_convolution(kernel) && parameter == kernel_weight_parameter(kernel)))
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
    struct arena *arena = fusion->scratch;

    for (size_t b = 0; b < fusion->calls->buffers.count; b++) {
        fusion->readers[b].only_points = true;
        fusion->producer[b] = CALL_NONE;
    }
    for (call_id c = 0; c < fusion->count; c++) {
        const struct call *call = &fusion->before[c];
        const struct kernel *kernel = fusion_kernel(fusion, c);

        for (int p = 0; p < kernel_first_output(kernel); p++) {
            struct readers *readers = &fusion->readers[call->arguments[p]];

            vector_push(&readers->calls, arena, c);
            readers->only_points &= loads_points(fusion, kernel, p);
        }
        for (int p = kernel_first_output(kernel); p < kernel->parameter_count; p++)
            if (fusion->calls->buffers.items[call->arguments[p]].region == RNET_REGION_WORKSPACE)
                fusion->producer[call->arguments[p]] = c;
    }
}

/* ---- what to do with a call ---- */

static bool loads(const struct kernel *kernel, uint16_t root, int parameter)
{
    bool parts[KERNEL_EXPRESSIONS];

    kernel_needed(kernel, root, parts);
    for (int i = 0; i <= root; i++)
        if (parts[i] && kernel->expressions[i].op == EXPRESSION_LOAD &&
            kernel->expressions[i].parameter == parameter)
            return true;
    return false;
}

/* Whether one side of a kernel has a grid and channels. */
static bool side_is(const struct kernel *kernel, bool out_side, const int32_t grid[GRID_RANK],
                    int32_t channels)
{
    const int32_t *own = out_side ? kernel->out_grid : kernel->in_grid;

    return memcmp(own, grid, GRID_RANK * sizeof *grid) == 0 &&
           channels == (out_side ? kernel->out_channels : kernel->in_channels);
}

/* Whether wherever reader `b` loads the buffer, its points are those of a grid and channels. */
static bool reads_domain(const struct fusion *fusion, call_id b, buffer_id buffer,
                         const int32_t grid[GRID_RANK], int32_t channels)
{
    const struct kernel *kernel = fusion_kernel(fusion, b);

    for (int p = 0; p < kernel_first_output(kernel); p++) {
        if (fusion->before[b].arguments[p] != buffer)
            continue;
        for (int v = 0; v < kernel->value_count; v++)
            if (loads(kernel, kernel->values[v], p) &&
                !side_is(kernel, kernel_value_is_on_out_side(kernel, v), grid, channels))
                return false;
        if (kernel->epilogue && loads(kernel, (uint16_t)(kernel->epilogue - 1), p) &&
            !side_is(kernel, true, grid, channels))
            return false;
    }
    return true;
}

static bool same_time(const struct call_builder *a, const struct fusion *fusion, call_id b)
{
    return a->images == fusion->before[b].images && a->lowering->phase == fusion->before[b].phase;
}

/* Whether b reads a's first result at a's own points. */
static bool same_domain(const struct call_builder *a, const struct fusion *fusion, call_id b)
{
    return same_time(a, fusion, b) &&
           (kernel_is_convolution(&a->kernel)
                ? reads_domain(fusion, b, a->outputs[0], a->kernel.out_grid, a->kernel.out_channels)
                : reads_domain(fusion, b, a->outputs[0], a->kernel.in_grid, a->kernel.in_channels));
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
    const struct kernel *kernel = fusion_kernel(fusion, reader);
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
        holds_tensor[i] =
            a || b || (expression->op == EXPRESSION_LOAD && expression->access == ACCESS_POINT);
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
    kernel = fusion_kernel(fusion, first);
    if (!is_pointwise(kernel) || fusion->is_taken[first] || !same_domain(call, fusion, first) ||
        !has_room(fusion, call, first, call->output_count) ||
        is_wanted_before(fusion, call, id, first))
        return CALL_NONE;
    for (int p = 0; p < kernel_first_output(kernel); p++)
        if (fusion->before[first].arguments[p] == call->outputs[0] &&
            !loads_points(fusion, kernel, p))
            return CALL_NONE;
    return first;
}

static void defer(struct fusion *fusion, const struct call_builder *call, call_id into)
{
    const struct call_builder *kept = arena_copy(fusion->scratch, call, sizeof *call);

    for (int output = 0; output < call->output_count; output++)
        fusion->deferred[call->outputs[output]] = (struct deferred){kept, into};
}

/* Inlines the call into all its readers. */
static void inline_call(struct fusion *fusion, const struct call_builder *call)
{
    const struct readers *readers = &fusion->readers[call->outputs[0]];

    for (size_t i = 0; i < readers->calls.count; i++)
        promise(fusion, call, readers->calls.items[i], 0);
    defer(fusion, call, CALL_NONE);
}

/* Leaves a pointwise call for its readers where a rule allows it. */
static bool try_defer(struct fusion *fusion, const struct call_builder *call, call_id id)
{
    call_id first;

    if (is_inlinable(fusion, call)) {
        inline_call(fusion, call);
        return true;
    }
    first = joinable(fusion, call, id);
    if (first == CALL_NONE)
        return false;
    promise(fusion, call, first, call->output_count);
    fusion->has_joined[first] = true;
    defer(fusion, call, first);
    return true;
}

/* Leaves a convolution for the pointwise call that alone reads its result. */
static bool try_epilogue(struct fusion *fusion, const struct call_builder *call)
{
    const struct readers *readers = &fusion->readers[call->outputs[0]];
    const call_id reader = readers->calls.count == 1 ? readers->calls.items[0] : CALL_NONE;

    if (reader == CALL_NONE || call->output_count != 1 || !readers->only_points ||
        !is_pointwise(fusion_kernel(fusion, reader)) || fusion->is_taken[reader] ||
        fusion->has_joined[reader] || fusion_kernel(fusion, reader)->output_count != 1 ||
        !same_domain(call, fusion, reader) || !has_room(fusion, call, reader, 1))
        return false;
    promise(fusion, call, reader, 1);
    fusion->is_taken[reader] = true;
    defer(fusion, call, reader);
    return true;
}

/* What was joined into an emitted call is in memory from here on. */
static void settle(struct fusion *fusion, const struct call_builder *call)
{
    for (int output = 1; output < call->output_count; output++)
        fusion->deferred[call->outputs[output]].call = NULL;
}

/* Emits a call that nothing is put into; sums that a convolution collects come in other chunks. */
static void emit_vector(struct fusion *fusion, call_id id)
{
    struct call call = fusion->before[id];
    struct kernel kernel = *fusion_kernel(fusion, id);

    for (int i = 0; i < kernel.expression_count; i++) {
        const struct expression *load = &kernel.expressions[i];
        const buffer_id buffer =
            load->op == EXPRESSION_LOAD ? call.arguments[load->parameter] : BUFFER_NONE;

        if (buffer != BUFFER_NONE && load->access == ACCESS_CHUNK_SUM && fusion->parts[buffer]) {
            kernel.chunk_images = 1;
            kernel.chunk_parts = fusion->parts[buffer];
        }
    }
    call.kernel = kernel_set_add(&fusion->calls->kernels, &kernel);
    vector_push(&fusion->calls->items, fusion->calls->arena, call);
}

static void visit(struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];
    const struct kernel *kernel = fusion_kernel(fusion, id);
    struct call_builder built;

    if (fusion->is_absorbed[id])
        return;
    if (!computes_operands(fusion, kernel) || call->phase == RNET_PHASE_UPDATE) {
        emit_vector(fusion, id);
        return;
    }
    fusion->lowering.phase = (enum rnet_phase)call->phase;
    built = fuse_rebuild(fusion, id);
    if (!fusion->calls->buffers.items[built.outputs[0]].is_result) {
        if (is_pointwise(&built.kernel) && try_defer(fusion, &built, id))
            return;
        if (kernel_is_convolution(&built.kernel) && try_epilogue(fusion, &built))
            return;
    }
    fuse_sums(fusion, &built, id);
    settle(fusion, &built);
    call_end(&built, call->path);
}

void fuse_calls(struct calls *calls, bool keeps_convolutions)
{
    struct arena scratch = {0}, *arena = &scratch;
    const size_t buffers = calls->buffers.count, count = calls->items.count;
    struct fusion fusion = {
        .calls = calls,
        .scratch = arena,
        .lowering = {.arena = calls->arena, .calls = calls},
        .before = calls->items.items,
        .count = count,
        .keeps_convolutions = keeps_convolutions,
        .readers = ARENA_ARRAY(arena, struct readers, buffers),
        .producer = ARENA_ARRAY(arena, call_id, buffers),
        .deferred = ARENA_ARRAY(arena, struct deferred, buffers),
        .parts = ARENA_ARRAY(arena, int32_t, buffers),
        .load = ARENA_ARRAY(arena, uint8_t, count),
        .size = ARENA_ARRAY(arena, uint8_t, count),
        .has_joined = ARENA_ARRAY(arena, bool, count),
        .is_taken = ARENA_ARRAY(arena, bool, count),
        .is_absorbed = ARENA_ARRAY(arena, bool, count),
    };

    find_readers(&fusion);
    memset(&calls->items, 0, sizeof calls->items);
    for (call_id id = 0; id < fusion.count; id++)
        visit(&fusion, id);
    arena_release(&scratch);
}
