/* An imitation of NVIDIA's driver library, to run all of runtime/cuda without a GPU.
 *
 * Device memory is the host's, a module is a table of functions (fake_code.h), and each stream is a
 * queue. Nothing runs before it must: a queue advances only when the host waits for it or another
 * stream does, so that an order which the program forgot to ask for is not kept by luck. Copies
 * from pinned memory read it when they run. With FAKE_CUDA_EAGER everything runs at once. A module
 * may also be what NVRTC has made: its kernels are found by name, and do nothing, or what the
 * library FAKE_CUDA_CODE has for them (host_kernels.c).
 *
 * The environment says what to imitate:
 *   FAKE_CUDA_DEVICES=N      GPUs (1)
 *   FAKE_CUDA_VERSION=V      of CUDA (13000)
 *   FAKE_CUDA_MEMORY=BYTES   of the GPU (1 GiB)
 *   FAKE_CUDA_BLOCK=BYTES    the most that lies together in it
 *   FAKE_CUDA_ARCHITECTURE=A compute capability (90)
 *   FAKE_CUDA_FAIL=N         the N-th call fails; FAKE_CUDA_FAIL=NAME:N the N-th call of NAME
 *   FAKE_CUDA_FAULT=KERNEL   that kernel accesses an illegal address; KERNEL:N the N-th time
 *   FAKE_CUDA_SKIP=KERNEL    that kernel does nothing
 *   FAKE_CUDA_LAUNCH_TIME=T  a launch takes as long as T other operations (1)
 *   FAKE_CUDA_REPORT=FILE    counts are written there at the end
 */
#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda/driver_api.h"
#include "tests/cuda/fake_code.h"

enum {
    MOST = 512,
    ARGUMENTS = 32,
    INJECTED = 999,
    STREAMS = 8,
    FOUND_MOST = 4096,
    NAME_BYTES = 80
};

enum operation_kind { COPY, SET, LAUNCH, CALL, RECORD, WAIT, GRAPH };

struct operation {
    enum operation_kind kind;
    char *to;
    const char *from; /* what is copied; `owned` when it was pageable and has been read */
    bool owned;
    unsigned char value;
    size_t bytes;
    const struct fake_kernel *kernel;
    void *buffers[ARGUMENTS];
    int64_t images, tasks;
    struct CUevent_st *event;
    struct CUstream_st *of; /* WAIT: the stream that must come as far as `position` */
    uint64_t position;
    const struct CUgraph_st *graph;
    fake_call *call;
    const void *context; /* of the call, in a list that lasts */
};

/* What a library has put on a stream, as that may run again and again. */
struct context {
    struct context *older;
    _Alignas(max_align_t) char bytes[FAKE_CALL_BYTES];
};

struct CUstream_st {
    struct operation *queue;
    size_t count, capacity;
    uint64_t done; /* operations that ran; queue[0] is number `done` */
    uint64_t time; /* that takes what was queued or captured */
    struct CUgraph_st *capture;
};

struct CUgraph_st {
    struct operation *operations;
    size_t count, capacity;
    int references;
};

struct CUgraphExec_st {
    struct CUgraph_st *graph;
};

struct CUevent_st {
    struct CUstream_st *stream;
    uint64_t position; /* operations of the stream that must have run; 0: never recorded */
    uint64_t time;     /* of the stream by then */
    bool ran;          /* the work before it is done */
    struct CUevent_st *older;
};

struct CUmod_st {
    const struct fake_code *code; /* NULL: what NVRTC has made */
    const char *elf;
    size_t elf_bytes;
};

/* The one kernel of a module that is just the text "fakeplus": out = in + 1. */
static void run_plus(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    (void)images;
    for (int64_t i = first; i < last; i++)
        ((float *)buffers[1])[i] = ((const float *)buffers[0])[i] + 1;
}

/* In place of what only a GPU can run. */
static void run_nothing(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    (void)buffers, (void)images, (void)first, (void)last;
}

static const struct fake_code plus = {FAKE_CODE_MAGIC, 1, {{"imitated", run_plus, 2, 0}}};

struct CUctx_st {
    int users;
};

struct block {
    char *start;
    size_t bytes;
};

/* What is alive, and what has happened. */
static struct {
    struct block device[MOST], pinned[MOST];
    size_t device_count, pinned_count, device_bytes;
    struct CUctx_st context;
    struct CUevent_st
        *all_events; /* also destroyed ones, as work that is queued may refer to them */
    struct CUstream_st *all_streams[STREAMS];
    struct context *all_contexts;
    struct fake_kernel found[FOUND_MOST]; /* in what NVRTC has made */
    size_t found_count;
    void *library; /* of FAKE_CUDA_CODE */
    bool current, failed;
    long calls, named_calls, faults;
    long streams, events, modules, graphs, graph_executables;
    long launches, calls_run, graph_launches, captures, copies, overlapped, most_bytes;
    long bytes_to, bytes_back; /* to the device, and from it */
} fake;

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 0) : otherwise;
}

/* ---- failures ---- */

static bool fails_now(const char *name)
{
    const char *text = getenv("FAKE_CUDA_FAIL");
    fake.calls++;
    if (text == NULL)
        return false;
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        return fake.calls == strtol(text, NULL, 10);
    if (strncmp(text, name, (size_t)(colon - text)) != 0 || name[colon - text] != '\0')
        return false;
    return ++fake.named_calls == strtol(colon + 1, NULL, 10);
}

#define ENTER()                                                                                    \
    do {                                                                                           \
        if (fails_now(__func__))                                                                   \
            return INJECTED;                                                                       \
        if (fake.failed)                                                                           \
            return DRIVER_ILLEGAL_ADDRESS;                                                         \
    } while (0)

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "imitated driver: %s: %s does not hold\n", __func__, #condition);      \
            return DRIVER_INVALID_VALUE;                                                           \
        }                                                                                          \
    } while (0)

unsigned int cuGetErrorName(unsigned int error, const char **text);
unsigned int cuGetErrorName(unsigned int error, const char **text)
{
    *text = error == DRIVER_ILLEGAL_ADDRESS           ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : error == DRIVER_OUT_OF_MEMORY           ? "CUDA_ERROR_OUT_OF_MEMORY"
            : error == DRIVER_INVALID_VALUE           ? "CUDA_ERROR_INVALID_VALUE"
            : error == DRIVER_NOT_FOUND               ? "CUDA_ERROR_NOT_FOUND"
            : error == DRIVER_UNSUPPORTED_PTX_VERSION ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"
                                                      : "CUDA_ERROR_UNKNOWN";
    return DRIVER_SUCCESS;
}

unsigned int cuGetErrorString(unsigned int error, const char **text);
unsigned int cuGetErrorString(unsigned int error, const char **text)
{
    *text = error == INJECTED ? "injected" : "imitated";
    return DRIVER_SUCCESS;
}

/* ---- blocks of memory ---- */

static struct block *block_of(struct block *blocks, size_t count, const void *address, size_t bytes)
{
    const char *start = address;
    for (size_t i = 0; i < count; i++)
        if (start >= blocks[i].start && start + bytes <= blocks[i].start + blocks[i].bytes)
            return &blocks[i];
    return NULL;
}

static bool on_device(const void *address, size_t bytes)
{
    return block_of(fake.device, fake.device_count, address, bytes) != NULL;
}

static bool is_pinned(const void *address, size_t bytes)
{
    return block_of(fake.pinned, fake.pinned_count, address, bytes) != NULL;
}

static void *at(device_address address)
{
    return (void *)(uintptr_t)address;
}

static bool block_add(struct block *blocks, size_t *count, size_t bytes, char **out)
{
    *out = *count < MOST ? malloc(bytes + 1) : NULL;
    if (*out == NULL)
        return false;
    memset(*out, 0xC5, bytes); /* what is not initialized is not zero */
    blocks[(*count)++] = (struct block){*out, bytes};
    return true;
}

static bool block_remove(struct block *blocks, size_t *count, const void *start)
{
    for (size_t i = 0; i < *count; i++)
        if (blocks[i].start == start) {
            free(blocks[i].start);
            blocks[i] = blocks[--*count];
            return true;
        }
    return false;
}

/* ---- queues ---- */

static void operations_run(struct operation *operations, size_t count);

/* Brings a stream as far as `position` operations in all. */
static void stream_advance(struct CUstream_st *stream, uint64_t position)
{
    while (stream->done < position && stream->count > 0) {
        struct operation first = stream->queue[0];
        memmove(stream->queue, stream->queue + 1, --stream->count * sizeof first);
        stream->done++;
        operations_run(&first, 1);
        if (first.owned)
            free((void *)(uintptr_t)first.from);
    }
}

static void launch_run(const struct operation *operation)
{
    const char *fault = getenv("FAKE_CUDA_FAULT");
    size_t length = strlen(operation->kernel->name);
    fake.launches++;
    if (fault != NULL && strncmp(fault, operation->kernel->name, length) == 0 &&
        (fault[length] == '\0' || fault[length] == ':')) {
        fake.faults++;
        if (fault[length] == '\0' || fake.faults == strtol(fault + length + 1, NULL, 10)) {
            fake.failed = true;
            return;
        }
    }
    const char *skip = getenv("FAKE_CUDA_SKIP");
    if (skip != NULL && strcmp(skip, operation->kernel->name) == 0)
        return;
    operation->kernel->run(operation->buffers, operation->images, 0, operation->tasks);
}

static void operation_run(struct operation *operation)
{
    switch (operation->kind) {
    case COPY:
        if (!on_device(operation->from, operation->bytes))
            fake.bytes_to += (long)operation->bytes;
        if (!on_device(operation->to, operation->bytes))
            fake.bytes_back += (long)operation->bytes;
        memcpy(operation->to, operation->from, operation->bytes);
        break;
    case SET:
        memset(operation->to, operation->value, operation->bytes);
        break;
    case LAUNCH:
        launch_run(operation);
        break;
    case CALL:
        fake.calls_run++;
        operation->call(operation->context);
        break;
    case WAIT:
        stream_advance(operation->of, operation->position);
        break;
    case GRAPH:
        operations_run(operation->graph->operations, operation->graph->count);
        break;
    case RECORD:
        operation->event->ran = true;
        break;
    }
}

static void operations_run(struct operation *operations, size_t count)
{
    for (size_t i = 0; i < count && !fake.failed; i++)
        operation_run(&operations[i]);
}

static unsigned int push(struct operation **queue, size_t *count, size_t *capacity,
                         struct operation operation)
{
    if (*count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 64;
        *queue = realloc(*queue, *capacity * sizeof **queue);
        if (*queue == NULL)
            abort();
    }
    (*queue)[(*count)++] = operation;
    return DRIVER_SUCCESS;
}

/* By the imitated clock. */
static uint64_t operation_time(const struct operation *operation)
{
    uint64_t time = 0;
    if (operation->kind == LAUNCH)
        return (uint64_t)setting("FAKE_CUDA_LAUNCH_TIME", 1);
    for (size_t i = 0; operation->kind == GRAPH && i < operation->graph->count; i++)
        time += operation_time(&operation->graph->operations[i]);
    return operation->kind == GRAPH ? time : 1;
}

static unsigned int enqueue(struct CUstream_st *stream, struct operation operation)
{
    stream->time += operation_time(&operation);
    if (stream->capture != NULL)
        return push(&stream->capture->operations, &stream->capture->count,
                    &stream->capture->capacity, operation);
    push(&stream->queue, &stream->count, &stream->capacity, operation);
    if (getenv("FAKE_CUDA_EAGER") != NULL)
        stream_advance(stream, stream->done + stream->count);
    return fake.failed ? (unsigned int)DRIVER_ILLEGAL_ADDRESS : (unsigned int)DRIVER_SUCCESS;
}

/* Whether a stream other than this one has work left. */
static bool others_work(const struct CUstream_st *stream)
{
    for (long i = 0; i < STREAMS; i++)
        if (fake.all_streams[i] != NULL && fake.all_streams[i] != stream &&
            fake.all_streams[i]->count > 0)
            return true;
    return false;
}

/* ---- the library, devices, contexts ---- */

unsigned int cuInit(unsigned int flags);
unsigned int cuInit(unsigned int flags)
{
    ENTER();
    REQUIRE(flags == 0);
    return setting("FAKE_CUDA_DEVICES", 1) > 0 ? DRIVER_SUCCESS : DRIVER_NO_DEVICE;
}

unsigned int cuDriverGetVersion(int *version);
unsigned int cuDriverGetVersion(int *version)
{
    ENTER();
    *version = (int)setting("FAKE_CUDA_VERSION", 13000);
    return DRIVER_SUCCESS;
}

unsigned int cuDeviceGetCount(int *count);
unsigned int cuDeviceGetCount(int *count)
{
    ENTER();
    *count = (int)setting("FAKE_CUDA_DEVICES", 1);
    return DRIVER_SUCCESS;
}

unsigned int cuDeviceGet(int *device, int ordinal);
unsigned int cuDeviceGet(int *device, int ordinal)
{
    ENTER();
    if (ordinal < 0 || ordinal >= setting("FAKE_CUDA_DEVICES", 1))
        return DRIVER_INVALID_DEVICE;
    *device = ordinal;
    return DRIVER_SUCCESS;
}

unsigned int cuDeviceGetName(char *name, int size, int device);
unsigned int cuDeviceGetName(char *name, int size, int device)
{
    ENTER();
    snprintf(name, (size_t)size, "Imitated GPU %d", device);
    return DRIVER_SUCCESS;
}

unsigned int cuDeviceGetAttribute(int *value, unsigned int attribute, int device);
unsigned int cuDeviceGetAttribute(int *value, unsigned int attribute, int device)
{
    ENTER();
    (void)device;
    long architecture = setting("FAKE_CUDA_ARCHITECTURE", 90);
    switch (attribute) {
    case DRIVER_DEVICE_MAJOR:
        *value = (int)(architecture / 10);
        return DRIVER_SUCCESS;
    case DRIVER_DEVICE_MINOR:
        *value = (int)(architecture % 10);
        return DRIVER_SUCCESS;
    case DRIVER_DEVICE_CLOCK_RATE:
        *value = 1000000;
        return DRIVER_SUCCESS;
    case DRIVER_DEVICE_MULTIPROCESSORS:
        *value = 100;
        return DRIVER_SUCCESS;
    default:
        REQUIRE(!"an attribute that is asked for");
    }
}

unsigned int cuDevicePrimaryCtxRetain(struct CUctx_st **context, int device);
unsigned int cuDevicePrimaryCtxRetain(struct CUctx_st **context, int device)
{
    ENTER();
    (void)device;
    fake.context.users++;
    *context = &fake.context;
    return DRIVER_SUCCESS;
}

unsigned int cuDevicePrimaryCtxRelease_v2(int device);
unsigned int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    fake.context.users--;
    return DRIVER_SUCCESS;
}

unsigned int cuCtxSetCurrent(struct CUctx_st *context);
unsigned int cuCtxSetCurrent(struct CUctx_st *context)
{
    ENTER();
    REQUIRE(context == &fake.context);
    fake.current = true;
    return DRIVER_SUCCESS;
}

/* ---- memory ---- */

unsigned int cuMemGetInfo_v2(size_t *free_bytes, size_t *total);
unsigned int cuMemGetInfo_v2(size_t *free_bytes, size_t *total)
{
    ENTER();
    REQUIRE(fake.current);
    *total = (size_t)setting("FAKE_CUDA_MEMORY", 1L << 30);
    *free_bytes = *total - fake.device_bytes;
    return DRIVER_SUCCESS;
}

unsigned int cuMemAlloc_v2(device_address *address, size_t bytes);
unsigned int cuMemAlloc_v2(device_address *address, size_t bytes)
{
    char *start;
    ENTER();
    REQUIRE(fake.current && bytes > 0);
    if (fake.device_bytes + bytes > (size_t)setting("FAKE_CUDA_MEMORY", 1L << 30) ||
        bytes > (size_t)setting("FAKE_CUDA_BLOCK", LONG_MAX) ||
        !block_add(fake.device, &fake.device_count, bytes, &start))
        return DRIVER_OUT_OF_MEMORY;
    fake.device_bytes += bytes;
    if ((long)fake.device_bytes > fake.most_bytes)
        fake.most_bytes = (long)fake.device_bytes;
    *address = (device_address)(uintptr_t)start;
    return DRIVER_SUCCESS;
}

/* Does all that streams still have to do. */
static void streams_finish(void)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (fake.all_streams[i] != NULL)
            stream_advance(fake.all_streams[i],
                           fake.all_streams[i]->done + fake.all_streams[i]->count);
}

unsigned int cuMemFree_v2(device_address address);
unsigned int cuMemFree_v2(device_address address)
{
    streams_finish(); /* as the real one does */
    struct block *block = block_of(fake.device, fake.device_count, at(address), 0);
    REQUIRE(block != NULL);
    fake.device_bytes -= block->bytes;
    REQUIRE(block_remove(fake.device, &fake.device_count, at(address)));
    return DRIVER_SUCCESS;
}

unsigned int cuMemHostAlloc(void **memory, size_t bytes, unsigned int flags);
unsigned int cuMemHostAlloc(void **memory, size_t bytes, unsigned int flags)
{
    char *start;
    ENTER();
    REQUIRE(flags == 0 && bytes > 0);
    if (!block_add(fake.pinned, &fake.pinned_count, bytes, &start))
        return DRIVER_OUT_OF_MEMORY;
    *memory = start;
    return DRIVER_SUCCESS;
}

unsigned int cuMemFreeHost(void *memory);
unsigned int cuMemFreeHost(void *memory)
{
    REQUIRE(block_remove(fake.pinned, &fake.pinned_count, memory));
    return DRIVER_SUCCESS;
}

unsigned int cuMemcpyHtoDAsync_v2(device_address to, const void *from, size_t bytes,
                                  struct CUstream_st *stream);
unsigned int cuMemcpyHtoDAsync_v2(device_address to, const void *from, size_t bytes,
                                  struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream != NULL && on_device(at(to), bytes));
    struct operation operation = {.kind = COPY, .to = at(to), .from = from, .bytes = bytes};
    fake.copies++;
    if (!is_pinned(from, bytes)) {
        REQUIRE(stream->capture == NULL);
        operation.owned = true;
        char *copy = malloc(bytes + 1);
        if (copy == NULL)
            abort();
        operation.from = memcpy(copy, from, bytes);
    } else if (others_work(stream)) {
        fake.overlapped++;
    }
    return enqueue(stream, operation);
}

unsigned int cuMemcpyDtoHAsync_v2(void *to, device_address from, size_t bytes,
                                  struct CUstream_st *stream);
unsigned int cuMemcpyDtoHAsync_v2(void *to, device_address from, size_t bytes,
                                  struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream != NULL && on_device(at(from), bytes));
    REQUIRE(stream->capture == NULL || is_pinned(to, bytes));
    unsigned int result = enqueue(
        stream, (struct operation){.kind = COPY, .to = to, .from = at(from), .bytes = bytes});
    if (stream->capture == NULL && !is_pinned(to, bytes))
        stream_advance(stream, stream->done + stream->count);
    return result;
}

unsigned int cuMemcpyDtoDAsync_v2(device_address to, device_address from, size_t bytes,
                                  struct CUstream_st *stream);
unsigned int cuMemcpyDtoDAsync_v2(device_address to, device_address from, size_t bytes,
                                  struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream != NULL && on_device(at(to), bytes) && on_device(at(from), bytes));
    return enqueue(
        stream, (struct operation){.kind = COPY, .to = at(to), .from = at(from), .bytes = bytes});
}

unsigned int cuMemsetD8Async(device_address to, unsigned char value, size_t bytes,
                             struct CUstream_st *stream);
unsigned int cuMemsetD8Async(device_address to, unsigned char value, size_t bytes,
                             struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream != NULL && on_device(at(to), bytes));
    return enqueue(stream,
                   (struct operation){.kind = SET, .to = at(to), .value = value, .bytes = bytes});
}

/* ---- streams and events ---- */

unsigned int cuStreamCreate(struct CUstream_st **stream, unsigned int flags);
unsigned int cuStreamCreate(struct CUstream_st **stream, unsigned int flags)
{
    ENTER();
    REQUIRE(fake.current && flags == DRIVER_STREAM_NON_BLOCKING);
    *stream = calloc(1, sizeof **stream);
    for (int i = 0; i < STREAMS; i++)
        if (fake.all_streams[i] == NULL) {
            fake.all_streams[i] = *stream;
            break;
        }
    fake.streams++;
    return DRIVER_SUCCESS;
}

unsigned int cuStreamDestroy_v2(struct CUstream_st *stream);
unsigned int cuStreamDestroy_v2(struct CUstream_st *stream)
{
    stream_advance(stream, stream->done + stream->count);
    for (int i = 0; i < STREAMS; i++)
        if (fake.all_streams[i] == stream)
            fake.all_streams[i] = NULL;
    free(stream->queue);
    free(stream);
    fake.streams--;
    return DRIVER_SUCCESS;
}

unsigned int cuStreamSynchronize(struct CUstream_st *stream);
unsigned int cuStreamSynchronize(struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream->capture == NULL);
    stream_advance(stream, stream->done + stream->count);
    return fake.failed ? (unsigned int)DRIVER_ILLEGAL_ADDRESS : (unsigned int)DRIVER_SUCCESS;
}

unsigned int cuStreamWaitEvent(struct CUstream_st *stream, struct CUevent_st *event,
                               unsigned int flags);
unsigned int cuStreamWaitEvent(struct CUstream_st *stream, struct CUevent_st *event,
                               unsigned int flags)
{
    ENTER();
    REQUIRE(stream != NULL && flags == 0);
    if (event->stream == NULL || event->stream == stream)
        return DRIVER_SUCCESS;
    return enqueue(
        stream, (struct operation){.kind = WAIT, .of = event->stream, .position = event->position});
}

unsigned int cuEventCreate(struct CUevent_st **event, unsigned int flags);
unsigned int cuEventCreate(struct CUevent_st **event, unsigned int flags)
{
    ENTER();
    REQUIRE(flags == DRIVER_EVENT_DEFAULT || flags == DRIVER_EVENT_DISABLE_TIMING);
    *event = calloc(1, sizeof **event);
    if (*event == NULL)
        return DRIVER_OUT_OF_MEMORY;
    (*event)->older = fake.all_events;
    fake.all_events = *event;
    fake.events++;
    return DRIVER_SUCCESS;
}

unsigned int cuEventDestroy_v2(struct CUevent_st *event);
unsigned int cuEventDestroy_v2(struct CUevent_st *event)
{
    (void)event;
    fake.events--;
    return DRIVER_SUCCESS;
}

__attribute__((destructor)) static void events_free(void)
{
    while (fake.all_events != NULL) {
        struct CUevent_st *event = fake.all_events;
        fake.all_events = event->older;
        free(event);
    }
}

unsigned int cuEventRecord(struct CUevent_st *event, struct CUstream_st *stream);
unsigned int cuEventRecord(struct CUevent_st *event, struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream->capture == NULL);
    event->ran = false;
    unsigned int result = enqueue(stream, (struct operation){.kind = RECORD, .event = event});
    event->stream = stream;
    event->position = stream->done + stream->count;
    event->time = stream->time;
    return result;
}

unsigned int cuEventRecordWithFlags(struct CUevent_st *event, struct CUstream_st *stream,
                                    unsigned int flags);
unsigned int cuEventRecordWithFlags(struct CUevent_st *event, struct CUstream_st *stream,
                                    unsigned int flags)
{
    ENTER();
    REQUIRE(stream->capture != NULL && flags == DRIVER_EVENT_RECORD_EXTERNAL);
    event->ran = false;
    event->stream = stream;
    event->position = stream->capture->count;
    event->time = stream->time;
    return enqueue(stream, (struct operation){.kind = RECORD, .event = event});
}

unsigned int cuEventSynchronize(struct CUevent_st *event);
unsigned int cuEventSynchronize(struct CUevent_st *event)
{
    ENTER();
    if (event->stream != NULL)
        stream_advance(event->stream, event->position);
    return fake.failed ? (unsigned int)DRIVER_ILLEGAL_ADDRESS : (unsigned int)DRIVER_SUCCESS;
}

unsigned int cuEventElapsedTime(float *milliseconds, struct CUevent_st *start,
                                struct CUevent_st *end);
unsigned int cuEventElapsedTime(float *milliseconds, struct CUevent_st *start,
                                struct CUevent_st *end)
{
    ENTER();
    REQUIRE(start->stream != NULL && end->stream != NULL && start->ran && end->ran);
    *milliseconds = (float)(end->time - start->time);
    return DRIVER_SUCCESS;
}

/* ---- code ---- */

/* The bytes of an ELF file, whose section headers are its end; 0: it is none. */
static size_t elf_size(const void *image)
{
    const Elf64_Ehdr *header = image;
    if (strncmp(image, ELFMAG, SELFMAG) != 0)
        return 0;
    return header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
}

unsigned int cuModuleLoadDataEx(struct CUmod_st **module, const void *image,
                                unsigned int option_count, unsigned int *options, void **values);
unsigned int cuModuleLoadDataEx(struct CUmod_st **module, const void *image,
                                unsigned int option_count, unsigned int *options, void **values)
{
    const struct fake_code *code = image;
    ENTER();
    REQUIRE(fake.current);
    for (unsigned int i = 0; i < option_count; i++)
        if (options[i] == DRIVER_JIT_ERROR_LOG_BUFFER)
            snprintf(values[i], 8, "%s", "");
    size_t elf_bytes = elf_size(image);
    if (elf_bytes > 0)
        code = NULL;
    else if (strncmp(code->magic, "fakeplus", sizeof code->magic) == 0)
        code = &plus;
    if (code != NULL && strncmp(code->magic, FAKE_CODE_MAGIC, sizeof code->magic) != 0)
        return strncmp(code->magic, "//", 2) == 0 ? DRIVER_UNSUPPORTED_PTX_VERSION
                                                  : DRIVER_INVALID_IMAGE;
    *module = malloc(sizeof **module);
    if (*module == NULL)
        return DRIVER_OUT_OF_MEMORY;
    **module = (struct CUmod_st){code, image, elf_bytes};
    fake.modules++;
    return DRIVER_SUCCESS;
}

unsigned int cuModuleUnload(struct CUmod_st *module);
unsigned int cuModuleUnload(struct CUmod_st *module)
{
    free(module);
    fake.modules--;
    return DRIVER_SUCCESS;
}

/* Takes the kernel from the library that the environment names. */
static bool host_find(struct fake_kernel *kernel)
{
    char symbol[512];
    if (fake.library == NULL)
        fake.library = dlopen(getenv("FAKE_CUDA_CODE"), RTLD_NOW | RTLD_LOCAL);
    if (fake.library == NULL)
        return false;
    snprintf(symbol, sizeof symbol, "run_%s", kernel->name);
    void *function = dlsym(fake.library, symbol);
    snprintf(symbol, sizeof symbol, "parameters_%s", kernel->name);
    const int *parameters = dlsym(fake.library, symbol);
    if (function == NULL || parameters == NULL)
        return false;
    memcpy(&kernel->run, &function, sizeof function);
    kernel->argument_count = (uint32_t)*parameters;
    return true;
}

unsigned int cuModuleGetFunction(struct CUfunc_st **function, struct CUmod_st *module,
                                 const char *name);
unsigned int cuModuleGetFunction(struct CUfunc_st **function, struct CUmod_st *module,
                                 const char *name)
{
    ENTER();
    if (module->code == NULL) {
        REQUIRE(fake.found_count < FOUND_MOST);
        if (memmem(module->elf, module->elf_bytes, name, strlen(name) + 1) == NULL)
            return DRIVER_NOT_FOUND;
        struct fake_kernel *found = &fake.found[fake.found_count++];
        *found = (struct fake_kernel){.name = name, .run = run_nothing};
        REQUIRE(getenv("FAKE_CUDA_CODE") == NULL || host_find(found));
        *function = (struct CUfunc_st *)(void *)found;
        return DRIVER_SUCCESS;
    }
    for (uint64_t i = 0; i < module->code->kernel_count; i++)
        if (strcmp(module->code->kernels[i].name, name) == 0) {
            *function = (struct CUfunc_st *)(uintptr_t)&module->code->kernels[i];
            return DRIVER_SUCCESS;
        }
    return DRIVER_NOT_FOUND;
}

unsigned int cuFuncSetAttribute(struct CUfunc_st *function, unsigned int attribute, int value);
unsigned int cuFuncSetAttribute(struct CUfunc_st *function, unsigned int attribute, int value)
{
    ENTER();
    REQUIRE(function != NULL && attribute == DRIVER_FUNCTION_MAX_DYNAMIC_SHARED && value > 0);
    return DRIVER_SUCCESS;
}

unsigned int cuLaunchKernel(struct CUfunc_st *function, unsigned int grid_x, unsigned int grid_y,
                            unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                            unsigned int block_z, unsigned int shared_bytes,
                            struct CUstream_st *stream, void **parameters, void **extra);
unsigned int cuLaunchKernel(struct CUfunc_st *function, unsigned int grid_x, unsigned int grid_y,
                            unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                            unsigned int block_z, unsigned int shared_bytes,
                            struct CUstream_st *stream, void **parameters, void **extra)
{
    const struct fake_kernel *kernel = (const void *)function;
    ENTER();
    REQUIRE(grid_x > 0 && grid_y == 1 && grid_z == 1 && block_y == 1 && block_z == 1);
    REQUIRE(block_x > 0 && block_x <= 1024 && shared_bytes <= (227 << 10));
    REQUIRE(stream != NULL && extra == NULL);
    struct operation operation = {.kind = LAUNCH, .kernel = kernel};
    for (uint32_t i = 0; i < kernel->argument_count; i++) {
        operation.buffers[i] = at(*(device_address *)parameters[i]);
        REQUIRE(on_device(operation.buffers[i], 1));
    }
    if (kernel->run == run_nothing)
        return enqueue(stream, operation);
    operation.images = *(int64_t *)parameters[kernel->argument_count];
    operation.tasks = *(int64_t *)parameters[kernel->argument_count + 1];
    REQUIRE(operation.tasks >= grid_x);
    return enqueue(stream, operation);
}

/* For other imitated libraries: puts a call on a stream, with a copy of its context. */
unsigned int fake_cuda_call(struct CUstream_st *stream, fake_call *call, const void *context,
                            size_t bytes);
unsigned int fake_cuda_call(struct CUstream_st *stream, fake_call *call, const void *context,
                            size_t bytes)
{
    REQUIRE(stream != NULL && bytes <= FAKE_CALL_BYTES);
    struct context *kept = calloc(1, sizeof *kept);
    memcpy(kept->bytes, context, bytes);
    kept->older = fake.all_contexts;
    fake.all_contexts = kept;
    return enqueue(stream, (struct operation){.kind = CALL, .call = call, .context = kept->bytes});
}

__attribute__((destructor)) static void contexts_free(void)
{
    while (fake.all_contexts != NULL) {
        struct context *context = fake.all_contexts;
        fake.all_contexts = context->older;
        free(context);
    }
}

/* ---- graphs ---- */

static void graph_drop(struct CUgraph_st *graph)
{
    if (--graph->references > 0)
        return;
    free(graph->operations);
    free(graph);
}

unsigned int cuStreamBeginCapture_v2(struct CUstream_st *stream, unsigned int mode);
unsigned int cuStreamBeginCapture_v2(struct CUstream_st *stream, unsigned int mode)
{
    ENTER();
    REQUIRE(stream->capture == NULL && mode <= 2);
    stream->capture = calloc(1, sizeof *stream->capture);
    stream->capture->references = 1;
    fake.graphs++;
    fake.captures++;
    return DRIVER_SUCCESS;
}

unsigned int cuStreamEndCapture(struct CUstream_st *stream, struct CUgraph_st **graph);
unsigned int cuStreamEndCapture(struct CUstream_st *stream, struct CUgraph_st **graph)
{
    bool fails = fails_now(__func__);
    REQUIRE(stream->capture != NULL);
    *graph = stream->capture;
    stream->capture = NULL;
    return fails ? (unsigned int)INJECTED : (unsigned int)DRIVER_SUCCESS;
}

unsigned int cuGraphInstantiateWithFlags(struct CUgraphExec_st **executable,
                                         struct CUgraph_st *graph, unsigned long long flags);
unsigned int cuGraphInstantiateWithFlags(struct CUgraphExec_st **executable,
                                         struct CUgraph_st *graph, unsigned long long flags)
{
    ENTER();
    REQUIRE(flags == 0 && graph->count > 0);
    *executable = malloc(sizeof **executable);
    if (*executable == NULL)
        return DRIVER_OUT_OF_MEMORY;
    (*executable)->graph = graph;
    graph->references++;
    fake.graph_executables++;
    return DRIVER_SUCCESS;
}

unsigned int cuGraphLaunch(struct CUgraphExec_st *executable, struct CUstream_st *stream);
unsigned int cuGraphLaunch(struct CUgraphExec_st *executable, struct CUstream_st *stream)
{
    ENTER();
    REQUIRE(stream != NULL && stream->capture == NULL);
    fake.graph_launches++;
    return enqueue(stream, (struct operation){.kind = GRAPH, .graph = executable->graph});
}

unsigned int cuGraphDestroy(struct CUgraph_st *graph);
unsigned int cuGraphDestroy(struct CUgraph_st *graph)
{
    fake.graphs--;
    graph_drop(graph);
    return DRIVER_SUCCESS;
}

unsigned int cuGraphExecDestroy(struct CUgraphExec_st *executable);
unsigned int cuGraphExecDestroy(struct CUgraphExec_st *executable)
{
    streams_finish(); /* the graph may be at work */
    fake.graph_executables--;
    graph_drop(executable->graph);
    free(executable);
    return DRIVER_SUCCESS;
}

/* ---- the end ---- */

__attribute__((destructor)) static void report_write(void)
{
    const char *path = getenv("FAKE_CUDA_REPORT");
    FILE *stream = path != NULL ? fopen(path, "w") : NULL;
    if (stream == NULL)
        return;
    fprintf(stream, "leaks %ld\n",
            (long)(fake.device_count + fake.pinned_count) + fake.streams + fake.events +
                fake.modules + fake.graphs + fake.graph_executables + fake.context.users);
    fprintf(
        stream,
        "calls %ld\nlaunches %ld\nlibrary_calls %ld\ncaptures %ld\ngraph_launches %ld\ncopies %ld\n"
        "overlapped %ld\nmost_bytes %ld\nbytes_to %ld\nbytes_back %ld\n",
        fake.calls, fake.launches, fake.calls_run, fake.captures, fake.graph_launches, fake.copies,
        fake.overlapped, fake.most_bytes, fake.bytes_to, fake.bytes_back);
    fclose(stream);
}
