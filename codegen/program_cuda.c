/* Modules, launches and convolutions as constant data. A kernel's module has the kernel's number.
 * See program_cuda.h. */
#include "codegen/program_cuda.h"

#include "codegen/cuda/convolution_facts.h"
#include "codegen/cuda/lower_cuda.h"

/* ---- code ---- */

static void write_code(struct table_writer *writer, const struct nvrtc_code *code, size_t module)
{
    put_label(writer, arena_format(&writer->arena, ".Lcubin_%zu", module));
    put_bytes(writer, code->cubin, code->cubin_bytes);
    put_label(writer, arena_format(&writer->arena, ".Lptx_%zu", module));
    put_bytes(writer, code->ptx, code->ptx_bytes);
}

static void write_module(struct table_writer *writer, const struct nvrtc_code *code, size_t module)
{
    begin_struct(writer);
    put_symbol(writer, arena_format(&writer->arena, ".Lcubin_%zu", module));
    put_symbol(writer, arena_format(&writer->arena, ".Lptx_%zu", module));
    place(writer, offsetof(struct rnet_cuda_module, cubin_bytes));
    put_quad(writer, code->cubin_bytes);
    put_quad(writer, code->ptx_bytes);
    end_struct(writer, sizeof(struct rnet_cuda_module));
}

static void write_modules(struct table_writer *writer, const struct program_cuda *cuda)
{
    fputs("\t.section .rodata\n", writer->stream);
    for (size_t k = 0; k < cuda->code_count; k++)
        write_code(writer, &cuda->code[k], k);
    fputs("\t.section .data.rel.ro,\"aw\"\n", writer->stream);
    put_label(writer, ".Lcuda_modules");
    for (size_t k = 0; k < cuda->code_count; k++)
        write_module(writer, &cuda->code[k], k);
}

/* ---- functions beside the kernels ---- */

/* The fields of a struct rnet_cuda_function; all zero where there is no program. */
static void put_function(struct table_writer *writer, const struct loop_program *program,
                         size_t module)
{
    if (!program) {
        for (size_t i = 0; i < sizeof(struct rnet_cuda_function) / sizeof(uint64_t); i++)
            put_quad(writer, 0);
        return;
    }
    put_text(writer, program->name);
    put_long(writer, (uint32_t)module);
    put_long(writer, (uint32_t)cuda_block_threads(program));
    put_long(writer, (uint32_t)cuda_block_tasks(program));
    put_long(writer, (uint32_t)loop_shared_bytes(program));
    put_quad(writer, (uint64_t)program->images_per_task);
    put_quad(writer, (uint64_t)program->tasks_per_group);
}

/* Those that there are have the modules behind the kernels'. */
static void put_functions(struct table_writer *writer, const struct program_cuda *cuda,
                          size_t kernels)
{
    size_t module = kernels;

    for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++) {
        put_function(writer, cuda->functions[f], module);
        module += cuda->functions[f] != NULL;
    }
}

/* ---- convolutions ---- */

static void put_axes(struct table_writer *writer, const int32_t axes[RNET_GRID_RANK])
{
    for (int i = 0; i < RNET_GRID_RANK; i++)
        put_long(writer, (uint32_t)axes[i]);
}

static void write_copy(struct table_writer *writer, const struct loop_program *copy, size_t kernel)
{
    put_label(writer, arena_format(&writer->arena, ".Lcuda_copy_%zu", kernel));
    begin_struct(writer);
    put_function(writer, copy, kernel);
    end_struct(writer, sizeof(struct rnet_cuda_function));
}

static void put_geometry(struct table_writer *writer, const struct rnet_cuda_convolution *facts)
{
    put_axes(writer, facts->x_grid);
    put_axes(writer, facts->y_grid);
    place(writer, offsetof(struct rnet_cuda_convolution, x_channels));
    put_long(writer, (uint32_t)facts->x_channels);
    put_long(writer, (uint32_t)facts->y_channels);
    place(writer, offsetof(struct rnet_cuda_convolution, window));
    put_axes(writer, facts->window);
    put_axes(writer, facts->stride);
    put_axes(writer, facts->padding);
    put_axes(writer, facts->dilation);
}

static void write_convolution(struct table_writer *writer,
                              const struct rnet_cuda_convolution *facts, size_t kernel,
                              bool has_copy)
{
    const uint8_t flags[] = {facts->loads_plainly, facts->stores_plainly, facts->is_only_output,
                             facts->is_bfloat16};

    put_label(writer, arena_format(&writer->arena, ".Lcuda_convolution_%zu", kernel));
    begin_struct(writer);
    put_long(writer, facts->pass);
    put_long(writer, facts->groups);
    place(writer, offsetof(struct rnet_cuda_convolution, x_grid));
    put_geometry(writer, facts);
    place(writer, offsetof(struct rnet_cuda_convolution, chunk_images));
    put_long(writer, (uint32_t)facts->chunk_images);
    put_long(writer, (uint32_t)facts->x);
    put_long(writer, (uint32_t)facts->dy);
    put_long(writer, (uint32_t)facts->weight);
    put_long(writer, (uint32_t)facts->output);
    place(writer, offsetof(struct rnet_cuda_convolution, loads_plainly));
    put_long(writer, (uint32_t)(flags[0] | flags[1] << 8 | flags[2] << 16 | flags[3] << 24));
    put_quad(writer, 0);
    place(writer, offsetof(struct rnet_cuda_convolution, filter));
    if (has_copy)
        put_symbol(writer, arena_format(&writer->arena, ".Lcuda_copy_%zu", kernel));
    else
        put_quad(writer, 0);
    end_struct(writer, sizeof(struct rnet_cuda_convolution));
}

/* Writes what describes the kernels that are convolutions. */
static void write_convolutions(struct table_writer *writer, const struct kernel_set *kernels,
                               const struct program_cuda *cuda)
{
    struct rnet_cuda_convolution facts;

    for (size_t k = 0; k < kernels->items.count; k++) {
        if (cuda->copies[k])
            write_copy(writer, cuda->copies[k], k);
        if (convolution_facts(kernels->items.items[k], &facts))
            write_convolution(writer, &facts, k, cuda->copies[k] != NULL);
    }
}

/* ---- kernels ---- */

static void write_kernel(struct table_writer *writer, const struct kernel *kernel,
                         const struct loop_program *program, size_t number)
{
    struct rnet_cuda_convolution facts;

    begin_struct(writer);
    put_long(writer, (uint32_t)number);
    put_long(writer, (uint32_t)cuda_block_threads(program));
    place(writer, offsetof(struct rnet_cuda_kernel, shared_bytes));
    put_long(writer, (uint32_t)loop_shared_bytes(program));
    put_long(writer, (uint32_t)cuda_block_tasks(program));
    put_long(writer, (uint32_t)kernel_first_output(kernel));
    put_long(writer, convolution_role(kernel));
    place(writer, offsetof(struct rnet_cuda_kernel, convolution));
    if (convolution_facts(kernel, &facts))
        put_symbol(writer, arena_format(&writer->arena, ".Lcuda_convolution_%zu", number));
    else
        put_quad(writer, 0);
    end_struct(writer, sizeof(struct rnet_cuda_kernel));
}

/* ---- chains ---- */

uint32_t program_chains_add(struct program_chains *chains, const struct calls *calls, size_t call)
{
    const struct rnet_cuda_chain *found = calls->items.items[call].chain;
    struct rnet_cuda_chain chain;

    if (!found)
        return 0;
    chain = *found;
    for (uint32_t step = 0; step < chain.length; step++)
        chain.kernels[step] = calls->items.items[call + step].kernel;
    chains->numbers.arena = chains->arena;
    const struct table_entry *entry = table_find(&chains->numbers, &chain, sizeof chain);

    if (entry)
        return (uint32_t)entry->value + 1;
    vector_push(&chains->items, chains->arena, chain);
    table_set(&chains->numbers, &chain, sizeof chain, chains->items.count - 1);
    return (uint32_t)chains->items.count;
}

/* Numbers and bytes alone, as they lie here. */
static void write_chains(struct table_writer *writer, const struct program_chains *chains)
{
    put_label(writer, ".Lcuda_chains");
    put_bytes(writer, chains->items.items, chains->items.count * sizeof *chains->items.items);
}

void program_cuda_write(struct table_writer *writer, const struct plan *plan,
                        struct loop_program *const *programs, const struct program_cuda *cuda,
                        const struct program_chains *chains)
{
    const size_t kernels = plan->kernels.items.count;

    write_modules(writer, cuda);
    write_convolutions(writer, &plan->kernels, cuda);
    put_label(writer, ".Lcuda_kernels");
    for (size_t k = 0; k < kernels; k++)
        write_kernel(writer, plan->kernels.items.items[k], programs[k], k);
    write_chains(writer, chains);
    put_label(writer, ".Lcuda");
    begin_struct(writer);
    put_symbol(writer, ".Lcuda_modules");
    put_symbol(writer, ".Lcuda_kernels");
    place(writer, offsetof(struct rnet_cuda, module_count));
    put_quad(writer, cuda->code_count);
    put_long(writer, (uint32_t)cuda->architecture);
    put_long(writer, cuda->precision);
    place(writer, offsetof(struct rnet_cuda, functions));
    put_functions(writer, cuda, kernels);
    place(writer, offsetof(struct rnet_cuda, chains));
    put_symbol(writer, ".Lcuda_chains");
    put_quad(writer, chains->items.count);
    end_struct(writer, sizeof(struct rnet_cuda));
}
