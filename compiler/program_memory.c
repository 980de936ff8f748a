/* Adding up what a program needs. What is estimated was measured on x86-64 Linux. */
#include "compiler/program_memory.h"

#include <string.h>

#include "runtime/program.h"

enum {
    LIBRARY_BYTES = 5 << 20,   /* of libraries and of the runtime: code and data */
    KERNEL_BYTES = 12 << 10,   /* of a kernel's code */
    ARGUMENT_BYTES = 8,        /* of an argument of a step, as an address */
    THREAD_BYTES = 256 << 10,  /* of a thread's stack, with what kernels pack on it */
    THREADS = 2,               /* when nobody knows how many there will be */
    CIFAR_IMAGES = 60000,      /* for training and validation together */
    CIFAR_BYTES = 3 * 32 * 32, /* of one */
};

static uint64_t parameter_bytes(const struct plan *plan, bool training)
{
    const uint64_t *regions = plan->region_bytes;
    const uint64_t sum = regions[RNET_REGION_WEIGHTS] + regions[RNET_REGION_STATISTICS];

    if (!training)
        return sum;
    return sum + regions[RNET_REGION_GRADIENTS] + regions[RNET_REGION_MOMENTUM] +
           regions[RNET_REGION_GRADIENT_SUM] + regions[RNET_REGION_AVERAGE_WEIGHTS] +
           regions[RNET_REGION_AVERAGE_STATISTICS];
}

static uint64_t batch_bytes(const struct plan *plan, bool on_gpu)
{
    const uint64_t *regions = plan->region_bytes;
    const uint64_t images = regions[RNET_REGION_INPUT] + regions[RNET_REGION_LABELS];

    /* A GPU gets the next batch while it computes with one. */
    return (on_gpu ? 2 : 1) * images + regions[RNET_REGION_SCALARS] + regions[RNET_REGION_KEYS];
}

static uint64_t table_bytes(const struct calls *calls)
{
    uint64_t bytes = 0;

    for (size_t c = 0; c < calls->items.count; c++)
        bytes += sizeof(struct rnet_step) + calls->items.items[c].argument_count *
                                                (sizeof(struct rnet_argument) + ARGUMENT_BYTES);
    return bytes;
}

static uint64_t process_bytes(const struct plan *plan)
{
    return LIBRARY_BYTES + THREADS * THREAD_BYTES + plan->kernels.items.count * KERNEL_BYTES +
           table_bytes(plan->train) + table_bytes(plan->infer);
}

static uint64_t data_bytes(const struct recipe *recipe)
{
    const bool is_cifar = recipe->data && (strcmp(recipe->data, "cifar10") == 0 ||
                                           strcmp(recipe->data, "cifar100") == 0);

    return is_cifar ? (uint64_t)CIFAR_IMAGES * (CIFAR_BYTES + sizeof(int32_t)) : 0;
}

struct program_memory program_memory(const struct plan *plan, uint64_t workspace, bool training,
                                     bool on_gpu)
{
    return (struct program_memory){
        .parameters = parameter_bytes(plan, training),
        .batch = batch_bytes(plan, on_gpu),
        .workspace = workspace,
        .process = on_gpu ? 0 : process_bytes(plan),
        .data = on_gpu || !training ? 0 : data_bytes(plan->recipe),
    };
}

uint64_t program_memory_repeated(const struct plan *plan, bool on_gpu)
{
    return on_gpu ? 0 : table_bytes(plan->train);
}

uint64_t program_memory_sum(const struct program_memory *memory)
{
    return memory->parameters + memory->batch + memory->workspace + memory->process;
}
