/* Any bytes as a CIFAR file give whole images with labels that are classes, or a refusal. The first
 * byte chooses between the two formats; the reader wants files, so each input is written to one. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/data.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 20000;

enum { PIXELS = 3 * 32 * 32, PATH_BYTES = 256 };

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    const size_t labels = number == 0 ? 1 : 2, size = 1 + labels + PIXELS;
    if (number < 0 || number > 1 || size > capacity)
        return 0;
    memset(bytes, 7, size);
    bytes[0] = (char)number;
    return size;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* Reads every byte that the data set says it has. */
static void read_all(const struct data_set *data, int classes)
{
    const struct data_part *part = &data->parts[DATA_VALIDATION];
    volatile uint8_t sum = 0;
    for (int64_t i = 0; i < part->count * PIXELS; i++)
        sum ^= part->bytes[i];
    for (int64_t i = 0; i < part->count; i++)
        assert(part->labels[i] >= 0 && part->labels[i] < classes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char directory[] = "/tmp/fuzz_cifar.XXXXXX", path[PATH_BYTES];
    if (size == 0 || !mkdtemp(directory))
        return 0;
    const bool fine = data[0] & 1;
    struct data_set set = {.kind = fine ? "cifar100" : "cifar10"};
    snprintf(path, sizeof path, "%s/%s", directory, fine ? "test.bin" : "test_batch.bin");
    write_file(path, data + 1, size - 1);
    struct status status =
        (fine ? data_open_cifar100 : data_open_cifar10)(&set, directory, DATA_NEEDS_VALIDATION);
    if (status_is_ok(&status))
        read_all(&set, fine ? 100 : 10);
    data_set_release(&set);
    unlink(path);
    rmdir(directory);
    return 0;
}
