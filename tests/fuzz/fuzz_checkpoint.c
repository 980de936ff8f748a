/* Any bytes give a checkpoint whose parts lie within the file, or a refusal. The checksum of the
 * input is set right before, or almost nothing would come past it. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/checkpoint.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 300000;

enum { SUM_BYTES = 4 };

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    static const unsigned char start[] = "rnetckpt\1\0\0\0\3\0\0\0"
                                         "\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
                                         "abcdefgSUM";
    if (number != 0 || capacity < sizeof start)
        return 0;
    memcpy(bytes, start, sizeof start);
    return sizeof start;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint checkpoint;
    volatile unsigned char sum = 0;
    char *bytes = malloc(size + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (size >= SUM_BYTES) {
        uint32_t right = (uint32_t)crc32_z(0, data, size - SUM_BYTES);
        memcpy(bytes + size - SUM_BYTES, &right, sizeof right);
    }
    struct status status = checkpoint_parse(bytes, size, &checkpoint);
    for (size_t i = 0; status_is_ok(&status) && i < checkpoint.count; i++)
        for (size_t j = 0; j < checkpoint.parts[i].size; j++)
            sum ^= ((const unsigned char *)checkpoint.parts[i].bytes)[j];
    free(bytes);
    return 0;
}
