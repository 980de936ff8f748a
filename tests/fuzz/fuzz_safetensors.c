/* Any bytes give tensors that lie within the file, or a refusal. */
#include <string.h>

#include "runtime/safetensors.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 100000;

enum { LENGTH_BYTES = 8, DATA_BYTES = 16 };

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    static const char *const headers[] = {
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}  ",
        "{\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "{\"z\":{\"dtype\":\"BF16\",\"shape\":[0,3],\"data_offsets\":[16,16]},"
        "\"\\u00e9\":{\"dtype\":\"U8\",\"shape\":[4,4],\"data_offsets\":[0,16]}}",
    };
    if (number < 0 || (size_t)number >= sizeof headers / sizeof *headers)
        return 0;
    size_t length = strlen(headers[number]), size = LENGTH_BYTES + length + DATA_BYTES;
    if (size > capacity)
        return 0;
    memset(bytes, 0, size);
    bytes[0] = (char)length;
    memcpy(bytes + LENGTH_BYTES, headers[number], length);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct tensor_file file;
    struct status status = safetensors_parse(&arena, (const char *)data, size, &file);
    volatile unsigned char sum = 0;
    for (size_t i = 0; status_is_ok(&status) && i < file.tensor_count; i++)
        for (size_t j = 0; j < file.tensors[i].size; j++)
            sum ^= ((const unsigned char *)file.tensors[i].bytes)[j];
    arena_release(&arena);
    return 0;
}
