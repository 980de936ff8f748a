/* What a fuzz target defines. With libFuzzer (--enable-fuzzing) its own main drives the target;
 * in `make check` fuzz_main.c does, with a fixed number of seeded mutations. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* How many inputs fuzz_main.c makes of the seeds: a second or two. */
extern const int fuzz_runs;

/* Writes valid input number `number` to `bytes` and returns its size; 0 when there are no more. */
size_t fuzz_seed(int number, char *bytes, size_t capacity);

/* Runs the code under test on any bytes; what matters is that it returns. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
