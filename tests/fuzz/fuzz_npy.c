/* Any bytes give an array that lies within the file, or a refusal. */
#include <string.h>

#include "runtime/npy.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 500000;

enum { START = 10, DATA_BYTES = 24 };

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }\n",
        "{'shape': (4, 3, 2, 1), 'fortran_order': False, 'descr': '|u1'}",
    };
    if (number < 0 || (size_t)number >= sizeof headers / sizeof *headers)
        return 0;
    size_t length = strlen(headers[number]), size = START + length + DATA_BYTES;
    if (size > capacity)
        return 0;
    memset(bytes, 0, size);
    memcpy(bytes, "\x93NUMPY\x01", 7);
    bytes[8] = (char)length;
    memcpy(bytes + START, headers[number], length);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t sizes[] = {[NPY_FLOAT32] = 4, [NPY_INT64] = 8, [NPY_UINT8] = 1};
    struct npy_array array;
    struct status status = npy_parse((const char *)data, size, &array);
    volatile unsigned char sum = 0;
    for (size_t i = 0; status_is_ok(&status) && i < (size_t)array.count * sizes[array.type]; i++)
        sum ^= ((const unsigned char *)array.values)[i];
    return 0;
}
