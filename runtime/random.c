/* Philox4x32-10 and the distributions made from it. See random.h. */
#include "runtime/random.h"

#include <math.h>

enum { PHILOX_ROUNDS = 10 };

static const uint32_t multiplier_0 = 0xD2511F53U, multiplier_1 = 0xCD9E8D57U;
static const uint32_t weyl_0 = 0x9E3779B9U, weyl_1 = 0xBB67AE85U;

struct random_block random_block(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t key_0 = (uint32_t)seed, key_1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product_0 = (uint64_t)multiplier_0 * c0;
        uint64_t product_1 = (uint64_t)multiplier_1 * c2;
        c0 = (uint32_t)(product_1 >> 32) ^ c1 ^ key_0;
        c2 = (uint32_t)(product_0 >> 32) ^ c3 ^ key_1;
        c1 = (uint32_t)product_1;
        c3 = (uint32_t)product_0;
        key_0 += weyl_0;
        key_1 += weyl_1;
    }
    return (struct random_block){{c0, c1, c2, c3}};
}

uint64_t random_stream(enum random_purpose purpose, uint64_t number)
{
    return ((uint64_t)purpose << 48) ^ number;
}

static uint64_t draw(struct random_source *source)
{
    struct random_block block = random_block(source->seed, source->stream, source->index++);
    return (uint64_t)block.words[0] << 32 | block.words[1];
}

double random_uniform(struct random_source *source)
{
    return (double)(draw(source) >> 11) * 0x1p-53;
}

double random_between(struct random_source *source, double low, double high)
{
    return low + (high - low) * random_uniform(source);
}

int64_t random_below(struct random_source *source, int64_t limit)
{
    unsigned __int128 product = (unsigned __int128)draw(source) * (uint64_t)limit;
    return (int64_t)(product >> 64);
}

/* Two normal numbers from two words; the first uniform lies in (0, 1), so its logarithm exists. */
static void box_muller(uint32_t first, uint32_t second, float out[2])
{
    double radius = sqrt(-2.0 * log(((double)first + 0.5) * 0x1p-32));
    double angle = 2.0 * M_PI * ((double)second * 0x1p-32);
    out[0] = (float)(radius * cos(angle));
    out[1] = (float)(radius * sin(angle));
}

void random_normals(uint64_t seed, uint64_t stream, uint64_t index, float normals[4])
{
    struct random_block block = random_block(seed, stream, index);
    box_muller(block.words[0], block.words[1], normals);
    box_muller(block.words[2], block.words[3], normals + 2);
}

void random_order(struct random_source *source, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = random_below(source, i + 1);
        int64_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}
