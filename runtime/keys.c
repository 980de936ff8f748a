/* Keys from the generator that everything else random comes from. See keys.h. */
#include "runtime/keys.h"

#include "runtime/random.h"

void keys_set(const struct executor *executor, uint64_t seed, int64_t step)
{
    uint32_t *keys = (uint32_t *)(void *)executor->regions[RNET_REGION_KEYS];
    uint64_t stream = random_stream(RANDOM_DROP, (uint64_t)step);
    uint64_t layers =
        executor->program->region_bytes[RNET_REGION_KEYS] / (RNET_KEY_WORDS * sizeof *keys);
    for (uint64_t layer = 0; layer < layers; layer++) {
        struct random_block block = random_block(seed, stream, layer);
        for (int word = 0; word < RNET_KEY_WORDS; word++)
            keys[layer * RNET_KEY_WORDS + (uint64_t)word] = block.words[word];
    }
}
