/* Dumps of calls and plans: one line each, no addresses, ids by position. */
#include "compiler/plan.h"

static const char *const region_names[] = {
    "weights", "statistics", "gradients", "momentum", "workspace", "input",
    "labels",  "scalars",    "keys",      "sum",      "average",   "average_statistics"};
static const char *const phase_names[] = {"train", "update", "infer", "loss"};

static void print_head(const struct calls *calls, size_t c, FILE *stream)
{
    const struct call *call = &calls->items.items[c];

    fprintf(stream, "%5zu %-6s k%-3u %-24s", c, phase_names[call->phase], call->kernel, call->path);
    if (call->images > 0)
        fprintf(stream, " images %lld", (long long)call->images);
}

/* One argument: what it holds, as far as that has a name. */
static void print_buffer(const struct calls *calls, buffer_id id, FILE *stream)
{
    const struct buffer *buffer = &calls->buffers.items[id];

    if (buffer->region == RNET_REGION_WORKSPACE)
        fprintf(stream, " b%u", id);
    else
        fprintf(stream, " %s+%llu", region_names[buffer->region],
                (unsigned long long)buffer->offset);
}

void calls_print(const struct calls *calls, FILE *stream)
{
    for (size_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];
        const int inputs = kernel_first_output(calls->kernels.items.items[call->kernel]);

        print_head(calls, c, stream);
        for (int a = 0; a < call->argument_count; a++) {
            if (a == inputs)
                fputs(" ->", stream);
            print_buffer(calls, call->arguments[a], stream);
        }
        fputc('\n', stream);
    }
}

static void print_placed(const struct calls *calls, FILE *stream)
{
    for (size_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];
        const int inputs = kernel_first_output(calls->kernels.items.items[call->kernel]);

        print_head(calls, c, stream);
        for (int a = 0; a < call->argument_count; a++) {
            const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];

            fprintf(stream, "%s %s+%llu", a == inputs ? " ->" : "", region_names[buffer->region],
                    (unsigned long long)buffer->offset);
        }
        if (call->chain)
            fprintf(stream, "  begins a chain of %u, %u operations", call->chain->length,
                    call->chain->operation_count);
        fputc('\n', stream);
    }
}

void plan_print(const struct plan *plan, FILE *stream)
{
    struct arena arena = {0};

    fprintf(stream, "batch %lld\n", (long long)plan->batch);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        fprintf(stream, "region %-10s %llu bytes\n", region_names[region],
                (unsigned long long)plan->region_bytes[region]);
    for (size_t k = 0; k < plan->kernels.items.count; k++)
        fprintf(stream, "kernel k%zu %s\n", k, kernel_name(plan->kernels.items.items[k], &arena));
    print_placed(plan->train, stream);
    print_placed(plan->infer, stream);
    arena_release(&arena);
}
