/* How cuDNN would compute the chains of a program, on a GPU that is only described: for each its
 * kernels, how many ways there are, and how long it took to plan them. Nothing is run.
 *
 *   plan_chains GPU.json      linked with an object that `rnet build --emit obj` makes */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/cuda/cudnn.h"

extern const struct rnet_program rnet_program;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Returns whether there is a way. */
static bool chain_print(struct cudnn *cudnn, uint32_t number)
{
    const struct rnet_cuda_chain *chain = &rnet_program.cuda->chains[number];
    const double begin = now();
    int64_t bytes;
    int ways = cudnn_plan_chain(cudnn, number, &bytes);
    printf("%d ways, %lld bytes, %.1f s, %u operations:", ways, (long long)bytes, now() - begin,
           chain->operation_count);
    for (uint32_t step = 0; step < chain->length; step++)
        printf(" %s", rnet_program.kernels[chain->kernels[step]].name);
    printf("\n");
    return ways > 0;
}

int main(int argc, char **argv)
{
    static char json[1 << 16];
    struct cudnn cudnn = {0};
    uint64_t taken = 0;
    FILE *stream = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (stream == NULL)
        return 2;
    const size_t length = fread(json, 1, sizeof json - 1, stream);
    json[length] = '\0';
    fclose(stream);
    struct status status = cudnn_open_described(&cudnn, &rnet_program, json);
    if (!status_is_ok(&status)) {
        printf("%s\n", status.message);
        cudnn_release(&cudnn);
        return 77;
    }
    for (uint32_t i = 0; i < rnet_program.cuda->chain_count; i++)
        taken += chain_print(&cudnn, i);
    printf("%llu of %llu chains\n", (unsigned long long)taken,
           (unsigned long long)rnet_program.cuda->chain_count);
    cudnn_release(&cudnn);
    return 0;
}
