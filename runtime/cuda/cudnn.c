/* Choosing and running what cuDNN computes. See cudnn.h. */
#include "runtime/cuda/cudnn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda/cudnn_describe.h"
#include "runtime/progress.h"

static const char file[] = "libcudnn.so.9";

enum {
    CONFIGS = 16, /* the most that heuristics are asked for */
    TENSORS = 3 + RNET_CUDA_CHAIN_INPUTS + RNET_CUDA_CHAIN_RESULTS,
};
static const int64_t most_workspace = INT64_C(512) << 20;
/* A chain may want so much where single convolutions want less. */
static const int64_t chain_workspace = INT64_C(32) << 20;

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

static bool engine_fits(const struct cudnn_describe *describe, void *config)
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
static void candidate_add(const struct cudnn_describe *describe, void *config, int64_t most)
{
    struct cudnn_plans *plans = describe->plans;
    struct cudnn_describe attempt = *describe;
    int64_t bytes = 0, count;
    void *plan = describe_make(&attempt, DESCRIPTOR_PLAN);
    describe_set_gpu(&attempt, plan, PLAN_HANDLE, PLAN_GPU);
    describe_set_descriptor(&attempt, plan, PLAN_ENGINE_CONFIG, config);
    describe_finalize(&attempt, plan);
    if (attempt.failure == CUDNN_OK)
        describe_note(&attempt, describe->cudnn->get(plan, PLAN_WORKSPACE_SIZE, TYPE_INT64, 1,
                                                     &count, &bytes));
    if (attempt.failure == CUDNN_OK && bytes <= most)
        plans->candidates[plans->candidate_count++] = (struct cudnn_candidate){plan, bytes};
}

/* Adds candidates from one mode of the heuristics, at most `wanted` in all. */
static void heuristics_ask(const struct cudnn_describe *describe, void *operations, int mode,
                           int wanted, int64_t most_bytes)
{
    struct cudnn_plans *plans = describe->plans;
    struct cudnn_describe attempt = *describe;
    void *configs[CONFIGS] = {NULL};
    int64_t count = 0;
    void *made = describe_make(&attempt, DESCRIPTOR_HEURISTICS);
    describe_set_descriptor(&attempt, made, HEURISTICS_GRAPH, operations);
    describe_set_one(&attempt, made, HEURISTICS_MODE, TYPE_HEURISTICS_MODE, mode);
    describe_set_gpu(&attempt, made, 0, HEURISTICS_GPU);
    describe_finalize(&attempt, made);
    for (int i = 0; i < CONFIGS; i++)
        configs[i] = describe_make(&attempt, DESCRIPTOR_ENGINE_CONFIG);
    if (attempt.failure == CUDNN_OK)
        describe_note(&attempt, describe->cudnn->get(made, HEURISTICS_RESULTS, TYPE_DESCRIPTOR,
                                                     CONFIGS, &count, configs));
    if (attempt.failure != CUDNN_OK)
        return;
    for (int64_t i = 0; i < count && i < CONFIGS && plans->candidate_count < wanted; i++)
        if (engine_fits(describe, configs[i]))
            candidate_add(describe, configs[i], most_bytes);
}

/* The most workspace that a plan may want. */
static int64_t workspace_limit(const struct cudnn_describe *describe)
{
    const int64_t planned = (int64_t)describe->cudnn->scratch.workspace_bytes;
    if (describe->cudnn->memory != NULL)
        return planned;
    if (describe->chain != NULL)
        return planned > chain_workspace ? planned : chain_workspace;
    return most_workspace;
}

/* Finds at most `wanted` ways to compute what is described; none is no error. */
static void candidates_find(struct cudnn_describe *describe, int wanted)
{
    const int64_t most_bytes = workspace_limit(describe);
    void *operations = describe_graph(describe);
    if (describe->failure != CUDNN_OK)
        return;
    heuristics_ask(describe, operations, HEURISTICS_A, wanted, most_bytes);
    if (describe->plans->candidate_count == 0)
        heuristics_ask(describe, operations, HEURISTICS_FALLBACK, wanted, most_bytes);
}

static void plans_free(const struct cudnn *cudnn, struct cudnn_plans *plans)
{
    while (plans->descriptor_count > 0)
        cudnn->descriptor_destroy(plans->descriptors[--plans->descriptor_count]);
    free(plans);
}

/* The kernel over so many images, planned if it was not. NULL: no memory. */
static struct cudnn_plans *kernel_plans(struct cudnn *cudnn, uint32_t number, int64_t images)
{
    struct cudnn_plans *found = cudnn->kernels[number];
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
    struct cudnn_describe describe = {
        .cudnn = cudnn,
        .plans = found,
        .convolution = cudnn->program->cuda->kernels[number].convolution,
    };
    candidates_find(&describe, cudnn->tunes ? CUDNN_CANDIDATES : 1);
    found->chosen = found->candidate_count > 1 ? -1 : 0;
    return found;
}

/* A chain at the largest batch, planned if it was not. NULL: no memory. */
static struct cudnn_plans *chain_plans(struct cudnn *cudnn, uint32_t number)
{
    const struct rnet_cuda_chain *chain = &cudnn->program->cuda->chains[number];
    struct cudnn_plans **plans = &cudnn->chains[number];
    if (*plans != NULL)
        return *plans;
    *plans = calloc(1, sizeof **plans);
    if (*plans == NULL)
        return NULL;
    (*plans)->images = cudnn->program->batch;
    struct cudnn_describe describe = {
        .cudnn = cudnn,
        .plans = *plans,
        .convolution = cudnn->program->cuda->kernels[chain->kernels[0]].convolution,
        .chain = chain,
    };
    candidates_find(&describe, CUDNN_CHAIN_CANDIDATES);
    return *plans;
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

static struct status no_memory(void)
{
    return status_error(STATUS_MEMORY, "not enough memory to plan convolutions");
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

/* Makes room for what plans need. */
static void workspace_raise(struct cudnn *cudnn, const struct cudnn_plans *plans)
{
    for (int i = 0; i < plans->candidate_count; i++)
        if ((uint64_t)plans->candidates[i].workspace_bytes > cudnn->scratch.workspace_bytes)
            cudnn->scratch.workspace_bytes = (uint64_t)plans->candidates[i].workspace_bytes;
}

/* Plans one kernel at the largest batch, and its share of the scratch memory. */
static struct status kernel_plan(struct cudnn *cudnn, const struct cuda_code *code, uint32_t number)
{
    const struct rnet_cuda_convolution *facts = cudnn->program->cuda->kernels[number].convolution;
    RETURN_IF_ERROR(cuda_code_find(code, facts->filter->module, facts->filter->name, 0,
                                   &cudnn->filter_copies[number]));
    const struct cudnn_plans *plans = kernel_plans(cudnn, number, cudnn->program->batch);
    if (plans == NULL)
        return no_memory();
    workspace_raise(cudnn, plans);
    if (filter_bytes(facts) > cudnn->scratch.filter_bytes)
        cudnn->scratch.filter_bytes = filter_bytes(facts);
    return status_ok();
}

/* Plans the chains whose convolution cuDNN takes. */
static struct status chains_plan(struct cudnn *cudnn)
{
    const struct rnet_cuda *cuda = cudnn->program->cuda;
    for (uint32_t i = 0; i < cuda->chain_count; i++) {
        const struct cudnn_plans *first = cudnn->kernels[cuda->chains[i].kernels[0]];
        progress_wait("asking cuDNN for chains of steps", i, (int64_t)cuda->chain_count);
        if (first == NULL || first->candidate_count == 0)
            continue;
        const struct cudnn_plans *plans = chain_plans(cudnn, i);
        if (plans == NULL)
            return no_memory();
        workspace_raise(cudnn, plans);
    }
    progress_wait("asking cuDNN for chains of steps", (int64_t)cuda->chain_count,
                  (int64_t)cuda->chain_count);
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
    cudnn->chains = calloc(cudnn->program->cuda->chain_count + 1, sizeof *cudnn->chains);
    if (cudnn->filter_copies == NULL || cudnn->kernels == NULL || cudnn->chains == NULL)
        return no_memory();
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

static int ways_of(const struct cudnn_plans *plans, int64_t *workspace_bytes)
{
    if (plans == NULL || plans->candidate_count == 0)
        return 0;
    *workspace_bytes = plans->candidates[0].workspace_bytes;
    return plans->candidate_count;
}

int cudnn_plan(struct cudnn *cudnn, uint32_t number, int64_t images, int64_t *workspace_bytes)
{
    *workspace_bytes = 0;
    if (!is_for_cudnn(cudnn->program->cuda->kernels[number].convolution))
        return 0;
    return ways_of(kernel_plans(cudnn, number, images), workspace_bytes);
}

int cudnn_plan_chain(struct cudnn *cudnn, uint32_t number, int64_t *workspace_bytes)
{
    const struct rnet_cuda_chain *chain = &cudnn->program->cuda->chains[number];
    *workspace_bytes = 0;
    if (!is_for_cudnn(cudnn->program->cuda->kernels[chain->kernels[0]].convolution))
        return 0;
    return ways_of(chain_plans(cudnn, number), workspace_bytes);
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
    for (uint32_t i = 0; i < program->kernel_count; i++)
        if (is_for_cudnn(program->cuda->kernels[i].convolution))
            RETURN_IF_ERROR(kernel_plan(cudnn, code, i));
    return tune ? chains_plan(cudnn) : status_ok();
}

/* Frees the plans of so many kernels or chains. */
static void table_free(const struct cudnn *cudnn, struct cudnn_plans **table, uint64_t count)
{
    for (uint64_t i = 0; table != NULL && i < count; i++)
        while (table[i] != NULL) {
            struct cudnn_plans *first = table[i];
            table[i] = first->next;
            plans_free(cudnn, first);
        }
    free(table);
}

void cudnn_release(struct cudnn *cudnn)
{
    if (cudnn->program != NULL) {
        table_free(cudnn, cudnn->kernels, cudnn->program->kernel_count);
        table_free(cudnn, cudnn->chains, cudnn->program->cuda->chain_count);
    }
    free(cudnn->filter_copies);
    if (cudnn->described_gpu != NULL)
        cudnn->descriptor_destroy(cudnn->described_gpu);
    if (cudnn->handle != NULL)
        cudnn->destroy(cudnn->handle);
    if (cudnn->library != NULL)
        dlclose(cudnn->library);
    *cudnn = (struct cudnn){0};
}

/* ---- running ---- */

/* The tensors of something that runs, and where they are. */
struct tensors {
    int count;
    int64_t ids[TENSORS];
    const void *pointers[TENSORS];
};

static void tensor_add(struct tensors *tensors, int64_t id, device_address address)
{
    tensors->ids[tensors->count] = id;
    tensors->pointers[tensors->count++] = (const void *)(uintptr_t)address;
}

static struct tensors tensors_of(const struct rnet_cuda_convolution *facts,
                                 const device_address *arguments, device_address filter)
{
    int32_t x = facts->pass == RNET_CUDA_DATA_GRADIENT ? facts->output : facts->x;
    int32_t y = facts->pass == RNET_CUDA_FORWARD ? facts->output : facts->dy;
    struct tensors tensors = {0};
    tensor_add(&tensors, CUDNN_ID_X, arguments[x]);
    tensor_add(&tensors, CUDNN_ID_W, filter);
    tensor_add(&tensors, CUDNN_ID_Y, arguments[y]);
    return tensors;
}

static struct tensors tensors_of_chain(const struct rnet_cuda_chain *chain,
                                       const struct rnet_cuda_convolution *facts,
                                       const struct cudnn_chain_places *places,
                                       device_address filter)
{
    const bool is_backward = facts->pass == RNET_CUDA_DATA_GRADIENT;
    struct tensors tensors = {0};
    tensor_add(&tensors, is_backward ? CUDNN_ID_Y : CUDNN_ID_X,
               places->arguments[is_backward ? facts->dy : facts->x]);
    tensor_add(&tensors, CUDNN_ID_W, filter);
    for (uint32_t i = 0; i < chain->input_count; i++)
        tensor_add(&tensors, CUDNN_ID_INPUT + (int64_t)i, places->inputs[i]);
    for (uint32_t i = 0; i < chain->result_count; i++)
        tensor_add(&tensors, CUDNN_ID_RESULT + (int64_t)i, places->results[i]);
    return tensors;
}

/* Puts it on the stream. Returns cuDNN's status. */
static unsigned int execute(const struct cudnn *cudnn, const struct cudnn_candidate *candidate,
                            const struct tensors *tensors)
{
    const void *workspace = (const void *)(uintptr_t)cudnn->memory->workspace;
    const int count = tensors->count;
    void *pack = NULL;
    unsigned int result = cudnn->descriptor_create(DESCRIPTOR_VARIANT_PACK, &pack);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_IDS, TYPE_INT64, count, tensors->ids);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_POINTERS, TYPE_POINTER, count, tensors->pointers);
    if (result == CUDNN_OK)
        result = cudnn->set(pack, VARIANT_PACK_WORKSPACE, TYPE_POINTER, 1, &workspace);
    if (result == CUDNN_OK)
        result = cudnn->finalize(pack);
    if (result == CUDNN_OK)
        result = cudnn->execute(cudnn->handle, candidate->plan, pack);
    if (pack != NULL)
        cudnn->descriptor_destroy(pack);
    return result;
}

/* A kernel in one way. */
struct kernel_way {
    const struct cudnn *cudnn;
    const struct cudnn_candidate *candidate;
    const struct tensors *tensors;
    const char *name;
};

static struct status kernel_put(void *context)
{
    const struct kernel_way *way = context;
    unsigned int result = execute(way->cudnn, way->candidate, way->tensors);
    if (result == CUDNN_OK)
        return status_ok();
    return status_error(STATUS_IO,
                        "cuDNN cannot compute the kernel %s: status %u; RNET_NO_CUDNN=1 "
                        "does without it",
                        way->name, result);
}

/* Times the candidates where that is still to be done. */
static struct status candidate_choose(const struct cudnn *cudnn, struct cudnn_plans *plans,
                                      struct kernel_way *way)
{
    float least = 0, time = 0;
    if (plans->chosen >= 0)
        return status_ok();
    for (int i = 0; i < plans->candidate_count; i++) {
        way->candidate = &plans->candidates[i];
        RETURN_IF_ERROR(kernel_put(way));
        RETURN_IF_ERROR(gpu_time(cudnn->gpu, kernel_put, way, &time));
        if (i == 0 || time < least) {
            least = time;
            plans->chosen = i;
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
    *taken = false;
    if (cudnn->handle == NULL || cudnn->filter_copies[number] == NULL)
        return status_ok();
    struct cudnn_plans *plans = kernel_plans(cudnn, number, images);
    if (plans == NULL)
        return no_memory();
    if (plans->candidate_count == 0)
        return status_ok();
    *taken = true;
    const bool copies = filter == 0, is_gradient = facts->pass == RNET_CUDA_WEIGHT_GRADIENT;
    if (copies)
        filter = cudnn->memory->filter;
    const struct tensors tensors = tensors_of(facts, arguments, filter);
    struct kernel_way way = {cudnn, NULL, &tensors, cudnn->program->kernels[number].name};
    if (copies && !is_gradient)
        RETURN_IF_ERROR(filter_copy(cudnn, number, images, arguments[facts->weight], filter));
    RETURN_IF_ERROR(candidate_choose(cudnn, plans, &way));
    way.candidate = &plans->candidates[plans->chosen];
    RETURN_IF_ERROR(kernel_put(&way));
    if (!copies || !is_gradient)
        return status_ok();
    return filter_copy(cudnn, number, images, filter, arguments[facts->output]);
}

struct status cudnn_run_chain(struct cudnn *cudnn, uint32_t number, int way,
                              const struct cudnn_chain_places *places, bool *runs)
{
    const struct rnet_cuda_chain *chain = &cudnn->program->cuda->chains[number];
    const uint32_t kernel = chain->kernels[0];
    const struct rnet_cuda_convolution *facts = cudnn->program->cuda->kernels[kernel].convolution;
    device_address filter = places->filter;
    if (filter == 0) {
        filter = cudnn->memory->filter;
        RETURN_IF_ERROR(filter_copy(cudnn, kernel, cudnn->program->batch,
                                    places->arguments[facts->weight], filter));
    }
    const struct tensors tensors = tensors_of_chain(chain, facts, places, filter);
    *runs = execute(cudnn, &cudnn->chains[number]->candidates[way], &tensors) == CUDNN_OK;
    return status_ok();
}
