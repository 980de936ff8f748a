/* All there is of cuDNN. See cudnn.h.
 *
 * Descriptors of the graph API are made by a series of calls that each may fail; `struct describe`
 * goes on to the end and remembers the first failure, which mostly means that the library does not
 * support what is described. */
#include "runtime/cuda/cudnn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file[] = "libcudnn.so.9";

enum {
    RANK = RNET_GRID_RANK + 2, /* images, channels, grid */
    CONFIGS = 16,              /* the most that heuristics are asked for */
    ALIGNMENT = 16,            /* bytes; all our tensors have more */
    TIMED_RUNS = 3,
    ID_X = 'x',
    ID_W = 'w',
    ID_Y = 'y',
};
static const int64_t most_workspace = INT64_C(512) << 20;

/* ---- describing ---- */

struct describe {
    const struct cudnn *cudnn;
    struct cudnn_convolution *convolution; /* owns the descriptors */
    const struct rnet_cuda_convolution *facts;
    int spatial_rank;
    unsigned int failure; /* the first; 0: none */
};

static void note(struct describe *describe, unsigned int result)
{
    if (describe->failure == CUDNN_OK)
        describe->failure = result;
}

static void *descriptor(struct describe *describe, unsigned int type)
{
    struct cudnn_convolution *convolution = describe->convolution;
    void *made = NULL;
    if (convolution->descriptor_count == CUDNN_DESCRIPTORS) {
        note(describe, DRIVER_OUT_OF_MEMORY);
        return NULL;
    }
    unsigned int result = describe->cudnn->descriptor_create(type, &made);
    note(describe, result);
    if (result == CUDNN_OK)
        convolution->descriptors[convolution->descriptor_count++] = made;
    return made;
}

static void set(struct describe *describe, void *made, unsigned int attribute, unsigned int type,
                int64_t count, const void *values)
{
    if (describe->failure == CUDNN_OK)
        note(describe, describe->cudnn->set(made, attribute, type, count, values));
}

static void set_one(struct describe *describe, void *made, unsigned int attribute,
                    unsigned int type, int64_t value)
{
    int narrow = (int)value; /* an enumeration */
    set(describe, made, attribute, type, 1,
        type == TYPE_INT64 ? (const void *)&value : (const void *)&narrow);
}

static void set_descriptor(struct describe *describe, void *made, unsigned int attribute,
                           void *value)
{
    set(describe, made, attribute, TYPE_DESCRIPTOR, 1, &value);
}

static void finalize(struct describe *describe, void *made)
{
    if (describe->failure == CUDNN_OK)
        note(describe, describe->cudnn->finalize(made));
}

/* A tensor of dimensions [images, or outputs][channels][grid], the channels innermost in memory
 * with the distance `stride` from point to point. */
static void *tensor(struct describe *describe, int id, int data_type, int64_t outer,
                    int64_t channels, const int32_t *grid, int64_t stride)
{
    int64_t dimensions[RANK] = {outer, channels}, strides[RANK] = {0, 1};
    int rank = describe->spatial_rank + 2;
    int64_t step = stride;
    for (int axis = rank - 1; axis >= 2; axis--) {
        dimensions[axis] = grid[RNET_GRID_RANK - rank + axis];
        strides[axis] = step;
        step *= dimensions[axis];
    }
    strides[0] = step;
    void *made = descriptor(describe, DESCRIPTOR_TENSOR);
    set_one(describe, made, TENSOR_ID, TYPE_INT64, id);
    set_one(describe, made, TENSOR_DATA_TYPE, TYPE_DATA_TYPE, data_type);
    set_one(describe, made, TENSOR_ALIGNMENT, TYPE_INT64, ALIGNMENT);
    set(describe, made, TENSOR_DIMENSIONS, TYPE_INT64, rank, dimensions);
    set(describe, made, TENSOR_STRIDES, TYPE_INT64, rank, strides);
    finalize(describe, made);
    return made;
}

static void set_axes(struct describe *describe, void *made, unsigned int attribute,
                     const int32_t *axes)
{
    int64_t values[RNET_GRID_RANK];
    int rank = describe->spatial_rank;
    for (int axis = 0; axis < rank; axis++)
        values[axis] = axes[RNET_GRID_RANK - rank + axis];
    set(describe, made, attribute, TYPE_INT64, rank, values);
}

static void *window(struct describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->facts;
    void *made = descriptor(describe, DESCRIPTOR_CONVOLUTION);
    set_one(describe, made, CONVOLUTION_COMPUTE_TYPE, TYPE_DATA_TYPE, DATA_FLOAT);
    set_one(describe, made, CONVOLUTION_MODE, TYPE_CONVOLUTION_MODE, MODE_CROSS_CORRELATION);
    set_one(describe, made, CONVOLUTION_SPATIAL_RANK, TYPE_INT64, describe->spatial_rank);
    set_axes(describe, made, CONVOLUTION_DILATIONS, facts->dilation);
    set_axes(describe, made, CONVOLUTION_STRIDES, facts->stride);
    set_axes(describe, made, CONVOLUTION_PRE_PADDINGS, facts->padding);
    set_axes(describe, made, CONVOLUTION_POST_PADDINGS, facts->padding);
    finalize(describe, made);
    return made;
}

/* How a pass names what an operation has. */
struct pass_names {
    unsigned int descriptor, alpha, beta, convolution, x, w, y;
};

static const struct pass_names passes[] = {
    [RNET_CUDA_FORWARD] = {DESCRIPTOR_FORWARD, FORWARD_ALPHA, FORWARD_BETA, FORWARD_CONVOLUTION,
                           FORWARD_X, FORWARD_W, FORWARD_Y},
    [RNET_CUDA_DATA_GRADIENT] = {DESCRIPTOR_DATA_GRADIENT, DATA_GRADIENT_ALPHA, DATA_GRADIENT_BETA,
                                 DATA_GRADIENT_CONVOLUTION, DATA_GRADIENT_DX, DATA_GRADIENT_W,
                                 DATA_GRADIENT_DY},
    [RNET_CUDA_WEIGHT_GRADIENT] = {DESCRIPTOR_FILTER_GRADIENT, FILTER_GRADIENT_ALPHA,
                                   FILTER_GRADIENT_BETA, FILTER_GRADIENT_CONVOLUTION,
                                   FILTER_GRADIENT_X, FILTER_GRADIENT_DW, FILTER_GRADIENT_DY},
};

static void *operation(struct describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->facts;
    const struct pass_names *names = &passes[facts->pass];
    int type = facts->is_bfloat16 ? DATA_BFLOAT16 : DATA_FLOAT;
    int64_t images = describe->convolution->images,
            inputs = facts->x_channels / (int64_t)facts->groups;
    const float one = 1, zero = 0;
    void *x = tensor(describe, ID_X, type, images, facts->x_channels, facts->x_grid,
                     channel_stride(facts->x_channels));
    void *y = tensor(describe, ID_Y, type, images, facts->y_channels, facts->y_grid,
                     channel_stride(facts->y_channels));
    /* In bf16 a filter's gradient too: cuDNN knows no engine that leaves it in float32. */
    void *w = tensor(describe, ID_W, type, facts->y_channels, inputs, facts->window, inputs);
    void *made = window(describe), *result = descriptor(describe, names->descriptor);
    set_descriptor(describe, result, names->convolution, made);
    set_descriptor(describe, result, names->x, x);
    set_descriptor(describe, result, names->w, w);
    set_descriptor(describe, result, names->y, y);
    set(describe, result, names->alpha, TYPE_FLOAT, 1, &one);
    set(describe, result, names->beta, TYPE_FLOAT, 1, &zero);
    finalize(describe, result);
    return result;
}

/* Says on what the described is to run: with our handle, or on a GPU that is described itself. An
 * attribute 0 is one that does not exist. */
static void set_gpu(struct describe *describe, void *made, unsigned int handle, unsigned int gpu)
{
    const struct cudnn *cudnn = describe->cudnn;
    if (cudnn->described_gpu == NULL && handle != 0)
        set(describe, made, handle, TYPE_HANDLE, 1, &cudnn->handle);
    if (cudnn->described_gpu != NULL && gpu != 0)
        set_descriptor(describe, made, gpu, cudnn->described_gpu);
}

static void *graph(struct describe *describe)
{
    void *only = operation(describe), *made = descriptor(describe, DESCRIPTOR_GRAPH);
    set_gpu(describe, made, GRAPH_HANDLE, 0);
    set(describe, made, GRAPH_OPERATIONS, TYPE_DESCRIPTOR, 1, &only);
    finalize(describe, made);
    return made;
}

/* ---- choosing ---- */

/* Whether an engine with these notes computes the same every time, and as precisely as the program
 * asks for. */
static bool notes_fit(const int *notes, int64_t count, uint32_t precision)
{
    for (int64_t i = 0; i < count; i++) {
        if (notes[i] == NOTE_NONDETERMINISTIC || notes[i] == NOTE_REDUCED_PRECISION_REDUCTION)
            return false;
        if (notes[i] == NOTE_DOWN_CONVERT_INPUTS && precision != RNET_PRECISION_BF16)
            return false;
        bool rounds =
            notes[i] == NOTE_TENSOR_CORE || notes[i] == NOTE_FFT || notes[i] == NOTE_WINOGRAD;
        if (rounds && precision == RNET_PRECISION_FP32)
            return false;
    }
    return true;
}

static bool engine_fits(struct describe *describe, void *config)
{
    const struct cudnn *cudnn = describe->cudnn;
    int notes[NOTE_COUNT];
    int64_t count = 0;
    void *engine = NULL;
    if (cudnn->descriptor_create(DESCRIPTOR_ENGINE, &engine) != CUDNN_OK)
        return false;
    unsigned int result =
        cudnn->get(config, ENGINE_CONFIG_ENGINE, TYPE_DESCRIPTOR, 1, &count, &engine);
    if (result == CUDNN_OK)
        result = cudnn->get(engine, ENGINE_NUMERICAL_NOTES, TYPE_NUMERICAL_NOTE, NOTE_COUNT, &count,
                            notes);
    cudnn->descriptor_destroy(engine);
    return result == CUDNN_OK && notes_fit(notes, count, cudnn->program->cuda->precision);
}

/* Makes a plan of a configuration and keeps it if it needs no more than `most` bytes. */
static void candidate_add(struct describe *describe, void *config, int64_t most)
{
    struct cudnn_convolution *convolution = describe->convolution;
    struct describe attempt = *describe;
    int64_t bytes = 0, count;
    void *plan = descriptor(&attempt, DESCRIPTOR_PLAN);
    set_gpu(&attempt, plan, PLAN_HANDLE, PLAN_GPU);
    set_descriptor(&attempt, plan, PLAN_ENGINE_CONFIG, config);
    finalize(&attempt, plan);
    if (attempt.failure == CUDNN_OK)
        note(&attempt,
             describe->cudnn->get(plan, PLAN_WORKSPACE_SIZE, TYPE_INT64, 1, &count, &bytes));
    if (attempt.failure == CUDNN_OK && bytes <= most)
        convolution->candidates[convolution->candidate_count++] =
            (struct cudnn_candidate){plan, bytes};
}

/* Adds candidates from one mode of the heuristics, at most `wanted` in all. */
static void heuristics_ask(struct describe *describe, void *operations, int mode, int wanted,
                           int64_t most_bytes)
{
    struct cudnn_convolution *convolution = describe->convolution;
    struct describe attempt = *describe;
    void *configs[CONFIGS] = {NULL};
    int64_t count = 0;
    void *made = descriptor(&attempt, DESCRIPTOR_HEURISTICS);
    set_descriptor(&attempt, made, HEURISTICS_GRAPH, operations);
    set_one(&attempt, made, HEURISTICS_MODE, TYPE_HEURISTICS_MODE, mode);
    set_gpu(&attempt, made, 0, HEURISTICS_GPU);
    finalize(&attempt, made);
    for (int i = 0; i < CONFIGS; i++)
        configs[i] = descriptor(&attempt, DESCRIPTOR_ENGINE_CONFIG);
    if (attempt.failure == CUDNN_OK)
        note(&attempt, describe->cudnn->get(made, HEURISTICS_RESULTS, TYPE_DESCRIPTOR, CONFIGS,
                                            &count, configs));
    if (attempt.failure != CUDNN_OK)
        return;
    for (int64_t i = 0; i < count && i < CONFIGS && convolution->candidate_count < wanted; i++)
        if (engine_fits(describe, configs[i]))
            candidate_add(describe, configs[i], most_bytes);
}

/* Finds ways to compute the convolution; none is no error. */
static void candidates_find(struct cudnn *cudnn, const struct rnet_cuda_convolution *facts,
                            struct cudnn_convolution *convolution, int64_t most_bytes)
{
    bool is_flat = facts->x_grid[0] == 1 && facts->y_grid[0] == 1 && facts->window[0] == 1 &&
                   facts->padding[0] == 0;
    struct describe describe = {
        .cudnn = cudnn,
        .convolution = convolution,
        .facts = facts,
        .spatial_rank = is_flat ? 2 : RNET_GRID_RANK,
    };
    int wanted = cudnn->tunes ? CUDNN_CANDIDATES : 1;
    void *operations = graph(&describe);
    if (describe.failure != CUDNN_OK)
        return;
    heuristics_ask(&describe, operations, HEURISTICS_A, wanted, most_bytes);
    if (convolution->candidate_count == 0)
        heuristics_ask(&describe, operations, HEURISTICS_FALLBACK, wanted, most_bytes);
}

static void convolution_free(const struct cudnn *cudnn, struct cudnn_convolution *convolution)
{
    while (convolution->descriptor_count > 0)
        cudnn->descriptor_destroy(convolution->descriptors[--convolution->descriptor_count]);
    free(convolution);
}

/* The kernel over so many images, planned if it was not. NULL: no memory. */
static struct cudnn_convolution *convolution_find(struct cudnn *cudnn, uint32_t number,
                                                  int64_t images)
{
    const struct rnet_cuda_convolution *facts = cudnn->program->cuda->kernels[number].convolution;
    struct cudnn_convolution *found = cudnn->kernels[number];
    while (found != NULL && found->images != images)
        found = found->next;
    if (found != NULL)
        return found;
    found = calloc(1, sizeof *found);
    if (found == NULL)
        return NULL;
    found->images = images;
    found->next = cudnn->kernels[number];
    cudnn->kernels[number] = found;
    candidates_find(cudnn, facts, found,
                    cudnn->memory == NULL ? most_workspace
                                          : (int64_t)cudnn->scratch.workspace_bytes);
    found->chosen = found->candidate_count > 1 ? -1 : 0;
    return found;
}

/* ---- opening ---- */

static struct status symbols_find(struct cudnn *cudnn)
{
    RETURN_IF_ERROR(library_symbol(cudnn->library, file, "cudnnGetVersion", &cudnn->get_version));
#define CUDNN_FUNCTION(name, symbol, parameters)                                                   \
    RETURN_IF_ERROR(library_symbol(cudnn->library, file, #symbol, &cudnn->name));
#include "runtime/cuda/cudnn_functions.def"
#undef CUDNN_FUNCTION
    return status_ok();
}

/* Opens the library. NULL, or why that cannot be. */
static const char *library_open(struct cudnn *cudnn, struct status *found)
{
    if (getenv("RNET_NO_CUDNN") != NULL)
        return "RNET_NO_CUDNN is set";
    cudnn->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (cudnn->library == NULL)
        return dlerror();
    *found = symbols_find(cudnn);
    if (!status_is_ok(found))
        return found->message;
    return cudnn->get_version() < CUDNN_OLDEST_VERSION ? "it is older than version 9" : NULL;
}

/* Opens the library and makes its handle, or notes why there is none. */
static void handle_open(struct cudnn *cudnn)
{
    enum { MAJOR = 10000, MINOR = 100 };
    struct status found;
    const char *reason = library_open(cudnn, &found);
    if (reason == NULL && cudnn->create(&cudnn->handle) != CUDNN_OK)
        reason = "it cannot use this GPU";
    else if (reason == NULL && cudnn->set_stream(cudnn->handle, cudnn->gpu->compute) != CUDNN_OK)
        reason = "it does not take our stream";
    if (reason == NULL) {
        size_t version = cudnn->get_version();
        snprintf(cudnn->note, sizeof cudnn->note, "cuDNN %zu.%zu.%zu", version / MAJOR,
                 version % MAJOR / MINOR, version % MINOR);
        return;
    }
    if (cudnn->handle != NULL)
        cudnn->destroy(cudnn->handle);
    cudnn->handle = NULL;
    snprintf(cudnn->note, sizeof cudnn->note, "no cuDNN (%s)", reason);
}

/* Whether the kernel is nothing but the convolution, and its filter can be copied. */
static bool is_for_cudnn(const struct rnet_cuda_convolution *facts)
{
    return facts != NULL && facts->filter != NULL && facts->loads_plainly &&
           facts->stores_plainly && facts->is_only_output;
}

static uint64_t filter_bytes(const struct rnet_cuda_convolution *facts)
{
    uint64_t bytes =
        (uint64_t)facts->y_channels * (uint64_t)facts->x_channels / facts->groups * sizeof(float);
    for (int axis = 0; axis < RNET_GRID_RANK; axis++)
        bytes *= (uint64_t)facts->window[axis];
    return bytes;
}

/* Plans one kernel at the largest batch, and its share of the scratch memory. */
static struct status kernel_plan(struct cudnn *cudnn, const struct cuda_code *code, uint32_t number)
{
    const struct rnet_cuda_convolution *facts = cudnn->program->cuda->kernels[number].convolution;
    RETURN_IF_ERROR(cuda_code_find(code, facts->filter->module, facts->filter->name, 0,
                                   &cudnn->filter_copies[number]));
    const struct cudnn_convolution *planned =
        convolution_find(cudnn, number, cudnn->program->batch);
    if (planned == NULL)
        return status_error(STATUS_MEMORY, "not enough memory to plan convolutions");
    for (int i = 0; i < planned->candidate_count; i++)
        if ((uint64_t)planned->candidates[i].workspace_bytes > cudnn->scratch.workspace_bytes)
            cudnn->scratch.workspace_bytes = (uint64_t)planned->candidates[i].workspace_bytes;
    if (filter_bytes(facts) > cudnn->scratch.filter_bytes)
        cudnn->scratch.filter_bytes = filter_bytes(facts);
    return status_ok();
}

static bool has_convolutions(const struct rnet_program *program)
{
    for (uint64_t i = 0; i < program->kernel_count; i++)
        if (is_for_cudnn(program->cuda->kernels[i].convolution))
            return true;
    return false;
}

static struct status tables_allocate(struct cudnn *cudnn)
{
    uint64_t count = cudnn->program->kernel_count;
    cudnn->filter_copies = calloc(count, sizeof *cudnn->filter_copies);
    cudnn->kernels = calloc(count, sizeof *cudnn->kernels);
    if (cudnn->filter_copies == NULL || cudnn->kernels == NULL)
        return status_error(STATUS_MEMORY, "not enough memory to plan convolutions");
    return status_ok();
}

struct status cudnn_open_described(struct cudnn *cudnn, const struct rnet_program *program,
                                   const char *gpu)
{
    struct status found;
    *cudnn = (struct cudnn){.program = program};
    RETURN_IF_ERROR(tables_allocate(cudnn));
    const char *reason = library_open(cudnn, &found);
    if (reason != NULL)
        return status_error(STATUS_INVALID, "no cuDNN (%s)", reason);
    unsigned int result = cudnn->descriptor_create(DESCRIPTOR_GPU, &cudnn->described_gpu);
    if (result == CUDNN_OK)
        result = cudnn->set(cudnn->described_gpu, GPU_JSON, TYPE_CHAR, (int64_t)strlen(gpu), gpu);
    if (result == CUDNN_OK)
        result = cudnn->finalize(cudnn->described_gpu);
    if (result != CUDNN_OK)
        return status_error(STATUS_INVALID, "cuDNN %zu takes no description of a GPU: status %u",
                            cudnn->get_version(), result);
    return status_ok();
}

int cudnn_plan(struct cudnn *cudnn, uint32_t number, int64_t images, int64_t *workspace_bytes)
{
    *workspace_bytes = 0;
    if (!is_for_cudnn(cudnn->program->cuda->kernels[number].convolution))
        return 0;
    const struct cudnn_convolution *planned = convolution_find(cudnn, number, images);
    if (planned == NULL || planned->candidate_count == 0)
        return 0;
    *workspace_bytes = planned->candidates[0].workspace_bytes;
    return planned->candidate_count;
}

struct status cudnn_open(struct cudnn *cudnn, const struct cuda_code *code, bool tune)
{
    const struct rnet_program *program = code->program;
    *cudnn = (struct cudnn){.gpu = code->gpu, .code = code, .program = program, .tunes = tune};
    if (!has_convolutions(program))
        return status_ok();
    RETURN_IF_ERROR(tables_allocate(cudnn));
    handle_open(cudnn);
    if (cudnn->handle == NULL)
        return status_ok();
    RETURN_IF_ERROR(gpu_event_create(cudnn->gpu, true, &cudnn->start));
    RETURN_IF_ERROR(gpu_event_create(cudnn->gpu, true, &cudnn->end));
    for (uint32_t i = 0; i < program->kernel_count; i++)
        if (is_for_cudnn(program->cuda->kernels[i].convolution))
            RETURN_IF_ERROR(kernel_plan(cudnn, code, i));
    return status_ok();
}

void cudnn_release(struct cudnn *cudnn)
{
    for (uint64_t i = 0; cudnn->kernels != NULL && i < cudnn->program->kernel_count; i++)
        while (cudnn->kernels[i] != NULL) {
            struct cudnn_convolution *first = cudnn->kernels[i];
            cudnn->kernels[i] = first->next;
            convolution_free(cudnn, first);
        }
    free(cudnn->kernels);
    free(cudnn->filter_copies);
    gpu_event_destroy(cudnn->gpu, cudnn->start);
    gpu_event_destroy(cudnn->gpu, cudnn->end);
    if (cudnn->described_gpu != NULL)
        cudnn->descriptor_destroy(cudnn->described_gpu);
    if (cudnn->handle != NULL)
        cudnn->destroy(cudnn->handle);
    if (cudnn->library != NULL)
        dlclose(cudnn->library);
    *cudnn = (struct cudnn){0};
}

/* ---- running ---- */

/* What a convolution's tensors are at this step. */
struct tensors {
    const void *pointers[3]; /* ORDER: as `ids` */
};
static const int64_t ids[] = {ID_X, ID_W, ID_Y};

static struct tensors tensors_of(const struct rnet_cuda_convolution *facts,
                                 const device_address *arguments, device_address filter)
{
    int32_t x = facts->pass == RNET_CUDA_DATA_GRADIENT ? facts->output : facts->x;
    int32_t y = facts->pass == RNET_CUDA_FORWARD ? facts->output : facts->dy;
    return (struct tensors){{
        (const void *)(uintptr_t)arguments[x],
        (const void *)(uintptr_t)filter,
        (const void *)(uintptr_t)arguments[y],
    }};
}

static struct status execute(struct cudnn *cudnn, const struct cudnn_candidate *candidate,
                             const struct tensors *tensors, const char *name)
{
    const void *workspace = (const void *)(uintptr_t)cudnn->memory->workspace;
    void *pack = NULL;
    unsigned int result = cudnn->descriptor_create(DESCRIPTOR_VARIANT_PACK, &pack);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_IDS, TYPE_INT64, 3, ids);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_POINTERS, TYPE_POINTER, 3, tensors->pointers);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_WORKSPACE, TYPE_POINTER, 1, &workspace);
    if (result == CUDNN_OK)
        result = cudnn->finalize(pack);
    if (result == CUDNN_OK)
        result = cudnn->execute(cudnn->handle, candidate->plan, pack);
    if (pack != NULL)
        cudnn->descriptor_destroy(pack);
    if (result == CUDNN_OK)
        return status_ok();
    return status_error(STATUS_IO,
                        "cuDNN cannot compute the kernel %s: status %u; RNET_NO_CUDNN=1 "
                        "does without it",
                        name, result);
}

static struct status candidate_time(struct cudnn *cudnn, const struct cudnn_candidate *candidate,
                                    const struct tensors *tensors, const char *name, float *time)
{
    const struct driver *driver = &cudnn->gpu->driver;
    RETURN_IF_ERROR(execute(cudnn, candidate, tensors, name));
    RETURN_IF_ERROR(driver_status(driver, driver->event_record(cudnn->start, cudnn->gpu->compute),
                                  "time the kernel %s", name));
    for (int i = 0; i < TIMED_RUNS; i++)
        RETURN_IF_ERROR(execute(cudnn, candidate, tensors, name));
    RETURN_IF_ERROR(driver_status(driver, driver->event_record(cudnn->end, cudnn->gpu->compute),
                                  "time the kernel %s", name));
    RETURN_IF_ERROR(gpu_wait(cudnn->gpu));
    return driver_status(driver, driver->event_elapsed(time, cudnn->start, cudnn->end),
                         "time the kernel %s", name);
}

/* Times the candidates where that is still to be done. */
static struct status candidate_choose(struct cudnn *cudnn, struct cudnn_convolution *convolution,
                                      const struct tensors *tensors, const char *name)
{
    float least = 0, time = 0;
    if (convolution->chosen >= 0)
        return status_ok();
    for (int i = 0; i < convolution->candidate_count; i++) {
        RETURN_IF_ERROR(candidate_time(cudnn, &convolution->candidates[i], tensors, name, &time));
        if (i == 0 || time < least) {
            least = time;
            convolution->chosen = i;
        }
    }
    return status_ok();
}

/* Copies the filter from where `from` is to where `to` is. */
static struct status filter_copy(const struct cudnn *cudnn, uint32_t number, int64_t images,
                                 device_address from, device_address to)
{
    const device_address addresses[] = {from, to};
    return cuda_function_run(cudnn->code, cudnn->program->cuda->kernels[number].convolution->filter,
                             cudnn->filter_copies[number], images, addresses, 2);
}

struct status cudnn_run(struct cudnn *cudnn, uint32_t number, int64_t images,
                        const device_address *arguments, device_address filter, bool *taken)
{
    const struct rnet_cuda_convolution *facts = cudnn->program->cuda->kernels[number].convolution;
    const char *name = cudnn->program->kernels[number].name;
    *taken = false;
    if (cudnn->handle == NULL || cudnn->filter_copies[number] == NULL)
        return status_ok();
    struct cudnn_convolution *convolution = convolution_find(cudnn, number, images);
    if (convolution == NULL)
        return status_error(STATUS_MEMORY, "not enough memory to plan convolutions");
    if (convolution->candidate_count == 0)
        return status_ok();
    *taken = true;
    const bool copies = filter == 0, is_gradient = facts->pass == RNET_CUDA_WEIGHT_GRADIENT;
    if (copies)
        filter = cudnn->memory->filter;
    struct tensors tensors = tensors_of(facts, arguments, filter);
    if (copies && !is_gradient)
        RETURN_IF_ERROR(filter_copy(cudnn, number, images, arguments[facts->weight], filter));
    RETURN_IF_ERROR(candidate_choose(cudnn, convolution, &tensors, name));
    RETURN_IF_ERROR(execute(cudnn, &convolution->candidates[convolution->chosen], &tensors, name));
    if (!copies || !is_gradient)
        return status_ok();
    return filter_copy(cudnn, number, images, filter, arguments[facts->output]);
}
