/* CUDA C on this processor. See host_cuda.h. */
#include "tests/kernels/host_cuda.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/cuda/lower_cuda.h"

struct host_cuda {
    void *library;
};

/* What CUDA C has and C has not, and a launch: the threads of one block after the other. */
static const char prelude[] =
    "#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <stdlib.h>\n"
    "#include <string.h>\n#include <ucontext.h>\n"
    "#define __global__\n#define __device__\n#define __shared__\n#define __launch_bounds__(n)\n"
    "typedef struct { float x, y; } float2;\n"
    "typedef struct { _Alignas(16) float x; float y, z, w; } float4;\n"
    "typedef struct { _Alignas(8) unsigned x; unsigned y; } uint2;\n"
    "typedef struct { _Alignas(16) unsigned x; unsigned y, z, w; } uint4;\n"
    "static uint2 make_uint2(unsigned x, unsigned y) { return (uint2){x, y}; }\n"
    "static uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)\n"
    "{ return (uint4){x, y, z, w}; }\n"
    "static float2 make_float2(float x, float y) { return (float2){x, y}; }\n"
    "static float4 make_float4(float x, float y, float z, float w)\n"
    "{ return (float4){x, y, z, w}; }\n"
    "static float __int_as_float(unsigned bits) { float f; memcpy(&f, &bits, 4); return f; }\n"
    "static int __float_as_int(float value) { int bits; memcpy(&bits, &value, 4); return bits; }\n"
    "static unsigned __umulhi(unsigned a, unsigned b)\n"
    "{ return (unsigned)((unsigned long long)a * b >> 32); }\n"
    "float4 shared_vectors[3072];\n"
    "static struct { int x; } threadIdx, blockIdx;\n"
    "enum { MOST = 1024, STACK = 65536 };\n"
    "static struct { ucontext_t contexts[MOST], caller; bool ended[MOST]; char *stacks;\n"
    "                void (*kernel)(void *const *, long long, long long);\n"
    "                void *const *buffers; long long images, tasks; } block;\n"
    "static void __syncthreads(void)\n"
    "{ swapcontext(&block.contexts[threadIdx.x], &block.caller); }\n"
    "static void start(void)\n"
    "{ block.kernel(block.buffers, block.images, block.tasks); block.ended[threadIdx.x] = true; }\n"
    "static void prepare(int t)\n"
    "{ block.ended[t] = false; getcontext(&block.contexts[t]);\n"
    "  block.contexts[t].uc_stack.ss_sp = block.stacks + (size_t)t * STACK;\n"
    "  block.contexts[t].uc_stack.ss_size = STACK; block.contexts[t].uc_link = &block.caller;\n"
    "  makecontext(&block.contexts[t], start, 0); }\n"
    "__attribute__((destructor)) static void release(void) { free(block.stacks); }\n"
    /* Threads take turns from barrier to barrier; in a kernel without any, one turn is all. */
    "static void run_block(int number, int threads)\n"
    "{ bool goes_on = true; blockIdx.x = number;\n"
    "  if (!block.stacks) block.stacks = malloc((size_t)MOST * STACK);\n"
    "  memset(shared_vectors, 0xff, sizeof shared_vectors);\n"
    "  for (int t = 0; t < threads; t++) prepare(t);\n"
    "  while (goes_on) { goes_on = false;\n"
    "    for (int t = 0; t < threads; t++) { if (block.ended[t]) continue;\n"
    "      threadIdx.x = t; swapcontext(&block.caller, &block.contexts[t]);\n"
    "      goes_on |= !block.ended[t]; } } }\n";

/* The text as C: the linkage is C's anyway. */
static void write_text(const struct loop_program *program, int64_t most_images, FILE *stream)
{
    static const char linkage[] = "extern \"C\" ";
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    lower_cuda(program, most_images, memory);
    fclose(memory);
    char *found = strstr(text, linkage);
    if (found)
        memset(found, ' ', sizeof linkage - 1);
    fprintf(stream, "#line 1 \"%s\"\n%s", program->name, text);
    free(text);
}

/* A cpu_function: tasks, where several are of one block, run with those beside them left out by
 * the count that the kernel is given. */
static void write_wrapper(const struct loop_program *program, FILE *stream)
{
    const int threads = cuda_block_threads(program), tasks = cuda_block_tasks(program);
    fprintf(stream, "static void call_%s(void *const *b, long long images, long long tasks)\n{ %s(",
            program->name, program->name);
    for (uint32_t p = 0; p < program->parameter_count; p++)
        fprintf(stream, "b[%u], ", p);
    fprintf(stream, "images, tasks); }\n");
    fprintf(stream,
            "void run_%s(void *const *buffers, int64_t images, int64_t first, int64_t last)\n"
            "{ block.kernel = call_%s; block.buffers = buffers; block.images = images;\n"
            "  for (int64_t task = first; task < last; task++) { block.tasks = task + 1;\n"
            "    if (%d == 1) { run_block((int)task, %d); continue; }\n"
            "    blockIdx.x = (int)(task / %d); threadIdx.x = (int)(task %% %d);\n"
            "    block.kernel(buffers, images, block.tasks); } }\n"
            "int parameters_%s = %u;\n",
            program->name, program->name, tasks, threads, tasks, tasks, program->name,
            program->parameter_count);
}

static bool write_source(const char *path, struct loop_program *const *programs, size_t count,
                         int64_t most_images)
{
    FILE *stream = fopen(path, "w");
    if (!stream)
        return false;
    fputs(prelude, stream);
    for (size_t i = 0; i < count; i++) {
        write_text(programs[i], most_images, stream);
        write_wrapper(programs[i], stream);
    }
    return fclose(stream) == 0;
}

bool host_cuda_build(struct loop_program *const *programs, size_t count, int64_t most_images,
                     const char *path)
{
    char source[4096], command[12288];
    const char *compiler = getenv("CC");
    snprintf(source, sizeof source, "%s.c", path);
    snprintf(command, sizeof command,
             "%s -std=gnu17 -w -O0 -ffp-contract=off -fno-strict-aliasing -fPIC -shared -o '%s' "
             "'%s' -lm",
             compiler && *compiler ? compiler : "cc", path, source);
    const bool built = write_source(source, programs, count, most_images) && system(command) == 0;
    if (!built)
        fprintf(stderr, "the kernels' text does not compile as C\n");
    unlink(source);
    return built;
}

static void *load(const char *folder, struct loop_program *const *programs, size_t count,
                  int64_t most_images)
{
    char object[4096];
    void *library = NULL;
    snprintf(object, sizeof object, "%s/kernels.so", folder);
    if (host_cuda_build(programs, count, most_images, object)) {
        library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
        if (!library)
            fprintf(stderr, "%s\n", dlerror());
    }
    unlink(object);
    return library;
}

static bool find_functions(void *library, struct loop_program *const *programs, size_t count,
                           cpu_function **out_functions)
{
    for (size_t i = 0; i < count; i++) {
        char name[512];
        snprintf(name, sizeof name, "run_%s", programs[i]->name);
        void *function = dlsym(library, name);
        if (!function) {
            fprintf(stderr, "%s: there is no such function\n", name);
            return false;
        }
        memcpy(&out_functions[i], &function, sizeof function);
    }
    return true;
}

struct host_cuda *host_cuda_new(struct loop_program *const *programs, size_t count,
                                int64_t most_images, cpu_function **out_functions)
{
    char folder[] = "/tmp/rnet-kernels-XXXXXX";
    if (!mkdtemp(folder))
        return NULL;
    void *library = load(folder, programs, count, most_images);
    rmdir(folder);
    if (!library || !find_functions(library, programs, count, out_functions))
        return NULL;
    struct host_cuda *host = calloc(1, sizeof *host);
    if (host)
        host->library = library;
    return host;
}

void host_cuda_free(struct host_cuda *host)
{
    if (host)
        dlclose(host->library);
    free(host);
}
