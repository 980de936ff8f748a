/* .npy headers, sound and malformed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/npy.h"
#include "tests/unit/suite.h"

/* Parses a file of version 1.0 made of a header and `data` zero bytes. */
static struct status parse(const char *header, size_t data, struct npy_array *array)
{
    size_t length = strlen(header), size = 10 + length + data;
    char *bytes = calloc(1, size + 4);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)length;
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + 10, header, length);
    struct status status = npy_parse(bytes, size, array);
    free(bytes);
    return status;
}

START_TEST(sound_headers_are_read)
{
    struct npy_array array;
    struct status status =
        parse("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }       \n", 24, &array);
    ck_assert_str_eq(status.message, "");
    ck_assert_int_eq(array.type, NPY_FLOAT32);
    ck_assert_int_eq(array.rank, 2);
    ck_assert_int_eq(array.shape[1], 3);
    ck_assert_int_eq(array.count, 6);
    status = parse("{'shape': (5,), 'descr': '<i8', 'fortran_order': False}", 40, &array);
    ck_assert_str_eq(status.message, "");
    ck_assert_int_eq(array.type, NPY_INT64);
    status = parse("{'shape': (), 'descr': '|u1', 'fortran_order': False}", 1, &array);
    ck_assert_str_eq(status.message, "");
    ck_assert_int_eq(array.count, 1);
}
END_TEST

static const struct {
    const char *header;
    size_t data;
    const char *reason;
} malformed[] = {
    {"", 4, "malformed"},
    {"{'descr': '<f4', 'fortran_order': False}", 4, "malformed"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}", 4, "malformed"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", 4, "malformed"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "malformed"},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4, "Fortran"},
    {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, "none of"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 8, "none of"},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "simple"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4, "shape"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "shape"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, "shape"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4, "shape"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", 0, "too large"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 4, "follow the header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 8, "follow the header"},
};

START_TEST(malformed_headers_are_refused)
{
    struct npy_array array;
    struct status status = parse(malformed[_i].header, malformed[_i].data, &array);
    ck_assert_int_eq(status.code, STATUS_INVALID);
    ck_assert_msg(strstr(status.message, malformed[_i].reason) != NULL, "%s: %s",
                  malformed[_i].header, status.message);
}
END_TEST

START_TEST(what_is_written_opens)
{
    char path[] = "/tmp/check_npy.XXXXXX";
    const int64_t shape[] = {2, 3};
    const float values[] = {1, 2, 3, 4, 5, 6};
    struct npy_file file;
    FILE *stream = fdopen(mkstemp(path), "w");
    npy_write_header(stream, shape, 2);
    ck_assert_int_eq(ftell(stream) % 64, 0);
    fwrite(values, sizeof values, 1, stream);
    fclose(stream);
    ck_assert_str_eq(npy_open(&file, path).message, "");
    ck_assert_int_eq(file.array.shape[0], 2);
    ck_assert_mem_eq(file.array.values, values, sizeof values);
    npy_release(&file);
    ck_assert_int_eq(truncate(path, 5), 0);
    ck_assert_int_eq(npy_open(&file, path).code, STATUS_INVALID);
    npy_release(&file);
    unlink(path);
    ck_assert_int_eq(npy_open(&file, path).code, STATUS_IO);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("npy");
    tcase_add_test(tests, sound_headers_are_read);
    tcase_add_loop_test(tests, malformed_headers_are_refused, 0,
                        (int)(sizeof malformed / sizeof *malformed));
    tcase_add_test(tests, what_is_written_opens);
    return run_case("npy", tests);
}
