/* The format: what is written reads back; what is malformed is refused, with the reason. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/initialize.h"
#include "runtime/safetensors.h"
#include "runtime/weights.h"
#include "tests/unit/suite.h"

/* Parses a file made of a header and `data` zero bytes; returns the message, empty if it is sound.
 * The bytes are copied to the heap, so that a sanitizer sees what is read behind them. */
static struct status parse(const char *header, size_t data)
{
    size_t length = strlen(header), size = 8 + length + data;
    char *bytes = calloc(1, size);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> 8 * i);
    memcpy(bytes + 8, header, length);
    struct arena arena = {0};
    struct tensor_file file;
    struct status status = safetensors_parse(&arena, bytes, size, &file);
    arena_release(&arena);
    free(bytes);
    return status;
}

START_TEST(sound_headers_are_read)
{
    ck_assert_str_eq(parse("{}", 0).message, "");
    ck_assert_str_eq(
        parse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}  ", 24).message,
        "");
    ck_assert_str_eq(parse("{\"__metadata__\":{\"k:\\\"\":\"v\"},\"a\":{\"dtype\":\"I64\","
                           "\"shape\":[],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"BF16\","
                           "\"shape\":[0,5],\"data_offsets\":[8,8]}}",
                           8)
                         .message,
                     "");
}
END_TEST

static const struct {
    const char *header;
    size_t data;
    const char *reason;
} malformed[] = {
    {"", 0, "not a JSON object"},
    {"[]", 0, "not a JSON object"},
    {"{", 0, "not a JSON object"},
    {"{}x", 0, "not a JSON object"},
    {"{'a':1}", 0, "not a JSON object"},
    {"{\"a\":1}", 0, "not described by an object"},
    {"{}", 4, "belong to no tensor"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype"},
    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 4, "outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4.0]}}", 4, "outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, "outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
     "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
     "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "hole"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, "twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "twice"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "strings"},
    {"{\"__metadata__\":[]}", 0, "not an object"},
    {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{}}}}}}}}}", 0, "not a JSON object"},
};

START_TEST(malformed_headers_are_refused)
{
    struct status status = parse(malformed[_i].header, malformed[_i].data);
    ck_assert_int_eq(status.code, STATUS_INVALID);
    ck_assert_msg(strstr(status.message, malformed[_i].reason) != NULL, "%s: %s",
                  malformed[_i].header, status.message);
}
END_TEST

START_TEST(lengths_are_checked)
{
    static const char bytes[16] = {'\xff', '\xff', '\xff', '\xff', '\xff', '\xff', '\xff', '\x7f'};
    struct arena arena = {0};
    struct tensor_file file;
    for (size_t size = 0; size <= sizeof bytes; size++)
        ck_assert_int_eq(safetensors_parse(&arena, bytes, size, &file).code, STATUS_INVALID);
    arena_release(&arena);
}
END_TEST

START_TEST(weights_come_back)
{
    char path[] = "/tmp/check_safetensors.XXXXXX";
    struct executor first = {0}, second = {0};
    struct data_set data = {0};
    close(mkstemp(path));
    ck_assert(executor_open(&first, &rnet_program, 1).code == STATUS_OK);
    ck_assert(executor_open(&second, &rnet_program, 1).code == STATUS_OK);
    parameters_initialize(&first, 1);
    parameters_initialize(&second, 2);
    first.batch_counters[3] = 1234567890123;
    ck_assert_str_eq(weights_write(&first, &data, path).message, "");
    ck_assert_str_eq(weights_read(&second, path).message, "");
    for (int region = RNET_REGION_WEIGHTS; region <= RNET_REGION_STATISTICS; region++)
        ck_assert_mem_eq(first.regions[region], second.regions[region],
                         rnet_program.region_bytes[region]);
    ck_assert_int_eq(second.batch_counters[3], 1234567890123);
    executor_release(&first);
    executor_release(&second);
    unlink(path);
}
END_TEST

static void write_tensors(const char *path, const char *weight_name, int64_t outputs)
{
    static float values[30730];
    struct tensor_entry tensors[] = {
        {weight_name, "F32", {outputs, 3, 32, 32}, 4, values, (size_t)outputs * 3072 * 4},
        {"module.fc.bias", "F32", {10}, 1, values, 40},
        {"module.logits.running_mean", "F32", {10}, 1, values, 40},
    };
    struct tensor_file file = {.tensors = tensors, .tensor_count = 3};
    ck_assert_str_eq(safetensors_write(path, &file).message, "");
}

START_TEST(differences_are_found)
{
    char path[] = "/tmp/check_safetensors.XXXXXX";
    struct executor executor = {0};
    close(mkstemp(path));
    ck_assert(executor_open(&executor, &rnet_program, 1).code == STATUS_OK);
    write_tensors(path, "module.fc.weight", 10);
    ck_assert_str_eq(weights_read(&executor, path).message, "");
    write_tensors(path, "module.fc.weight", 9);
    ck_assert_ptr_nonnull(
        strstr(weights_read(&executor, path).message, "0 missing, 0 surplus, 1 of another shape"));
    write_tensors(path, "module.fd.weight", 10);
    ck_assert_ptr_nonnull(strstr(weights_read(&executor, path).message, "1 missing, 1 surplus"));
    executor_release(&executor);
    unlink(path);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("safetensors");
    tcase_add_test(tests, sound_headers_are_read);
    tcase_add_loop_test(tests, malformed_headers_are_refused, 0,
                        (int)(sizeof malformed / sizeof *malformed));
    tcase_add_test(tests, lengths_are_checked);
    tcase_add_test(tests, weights_come_back);
    tcase_add_test(tests, differences_are_found);
    return run_case("safetensors", tests);
}
