/* The program behind check_parity.sh. By itself it checks that the generator of test data computes
 * what it did when the expectations were recorded.
 *
 *   check_parity                             check the generator
 *   check_parity data CASE DIR               write data into DIR
 *   check_parity weights CASE LISTING DIR    write weights into DIR
 *   check_parity compare CASE DIR            judge what a run left in DIR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/train/hash_data.h"
#include "tests/train/parity.h"

#include "tests/train/expected.h"

const struct parity_case *parity_find(const char *name)
{
    for (size_t c = 0; c < sizeof parity_cases / sizeof *parity_cases; c++)
        if (strcmp(parity_cases[c].name, name) == 0)
            return &parity_cases[c];
    return NULL;
}

/* The whole tensor is made, since that is what the tests use. */
static float sample_value(const struct parity_sample *sample)
{
    const size_t size = strlen(sample->name);
    size_t count = 1;

    for (int axis = 0; axis < sample->rank; axis++)
        count *= (size_t)sample->shape[axis];
    float *const values = calloc(count, sizeof *values);
    if (!values)
        return 0;
    if (strcmp(sample->name + size - 2, "_x") == 0)
        hash_images(values, sample->seed, sample->name, sample->shape[0]);
    else
        hash_parameter(values, sample->seed, sample->name, sample->shape, sample->rank);
    const float value = values[sample->index];
    free(values);
    return value;
}

bool parity_check_samples(void)
{
    bool good = true;

    for (size_t s = 0; s < sizeof parity_samples / sizeof *parity_samples; s++) {
        const struct parity_sample *const sample = &parity_samples[s];
        const float value = sample_value(sample);

        if (memcmp(&value, &sample->value, sizeof value) != 0) {
            printf("%s[%lld] is %a, not %a  FAIL\n", sample->name, (long long)sample->index,
                   (double)value, (double)sample->value);
            good = false;
        }
    }
    return good;
}

static int fail(struct status status)
{
    if (!status_is_ok(&status))
        fprintf(stderr, "check_parity: %s\n", status.message);
    return status_exit_code(&status);
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return parity_check_samples() ? EXIT_SUCCESS : EXIT_FAILURE;
    const struct parity_case *const expected = argc > 2 ? parity_find(argv[2]) : NULL;
    if (!expected)
        return fail(status_error(STATUS_USAGE, "no such case"));
    if (argc == 4 && strcmp(argv[1], "data") == 0)
        return fail(data_write(expected, argv[3]));
    if (argc == 5 && strcmp(argv[1], "weights") == 0)
        return fail(weights_make(expected, argv[3], argv[4]));
    if (argc == 4 && strcmp(argv[1], "compare") == 0)
        return parity_compare(expected, argv[3]) ? EXIT_SUCCESS : EXIT_FAILURE;
    return fail(
        status_error(STATUS_USAGE, "data CASE DIR, weights CASE LISTING DIR, or compare CASE DIR"));
}
