/* Reading and writing safetensors. See safetensors.h. */
#include "runtime/safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/json.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_LIMIT = 100000000, /* as the reference implementation has it */
    HEADER_ALIGNMENT = 8,
};

static const struct {
    const char *name;
    size_t size;
} tensor_types[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2},
    {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4},     {"F32", 4},     {"U64", 8}, {"I64", 8},
    {"F64", 8},
};

/* Where the tensors' bytes lie, while the header is read. */
struct reading {
    struct arena *arena;
    const char *data;
    size_t size;
};

static size_t type_size(const char *name)
{
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++)
        if (strcmp(tensor_types[i].name, name) == 0)
            return tensor_types[i].size;
    return 0;
}

static bool natural_read(const struct json *value, int64_t *number)
{
    if (value->kind != JSON_NUMBER || !value->is_integer)
        return false;
    *number = value->integer;
    return *number >= 0;
}

/* Reads "shape" and checks that so many elements make `tensor->size` bytes. */
static bool shape_read(const struct json *shape, size_t element, struct tensor_entry *tensor)
{
    if (!json_is(shape, JSON_ARRAY) || shape->count > SAFETENSORS_RANK)
        return false;
    size_t bytes = element;
    tensor->rank = (int)shape->count;
    for (int axis = 0; axis < tensor->rank; axis++) {
        int64_t *extent = &tensor->shape[axis];
        if (!natural_read(&shape->items[axis], extent) ||
            __builtin_mul_overflow(bytes, (size_t)*extent, &bytes))
            return false;
    }
    return bytes == tensor->size;
}

static bool offsets_read(const struct json *offsets, const struct reading *reading,
                         struct tensor_entry *tensor)
{
    int64_t begin, end;
    if (!json_is(offsets, JSON_ARRAY) || offsets->count != 2 ||
        !natural_read(&offsets->items[0], &begin) || !natural_read(&offsets->items[1], &end))
        return false;
    if (begin > end || (size_t)end > reading->size)
        return false;
    tensor->bytes = reading->data + begin;
    tensor->size = (size_t)(end - begin);
    return true;
}

static struct status tensor_read(const struct reading *reading, const char *name,
                                 const struct json *value, struct tensor_entry *tensor)
{
    const struct json *type = json_member(value, "dtype");
    *tensor = (struct tensor_entry){.name = name};
    if (!json_is(type, JSON_TEXT))
        return status_error(STATUS_INVALID, "tensor %s has no dtype", name);
    tensor->type = type->text;
    size_t element = type_size(tensor->type);
    if (element == 0)
        return status_error(STATUS_INVALID, "tensor %s has the unknown dtype %s", name,
                            tensor->type);
    if (!offsets_read(json_member(value, "data_offsets"), reading, tensor))
        return status_error(STATUS_INVALID, "tensor %s has data_offsets outside of the file",
                            name);
    if (!shape_read(json_member(value, "shape"), element, tensor))
        return status_error(STATUS_INVALID, "tensor %s has a shape that does not fit its bytes",
                            name);
    return status_ok();
}

static struct status metadata_read(const struct reading *reading, const struct json *object,
                                   struct tensor_file *file)
{
    if (!json_is(object, JSON_OBJECT))
        return status_error(STATUS_INVALID, "__metadata__ is not an object");
    file->metadata = ARENA_ARRAY(reading->arena, struct metadata_entry, object->count);
    for (size_t i = 0; i < object->count; i++) {
        if (object->items[i].kind != JSON_TEXT)
            return status_error(STATUS_INVALID, "__metadata__ holds something but strings");
        file->metadata[file->metadata_count++] =
            (struct metadata_entry){object->names[i], object->items[i].text};
    }
    return status_ok();
}

static int tensor_order(const void *first, const void *second)
{
    const struct tensor_entry *a = *(const struct tensor_entry *const *)first;
    const struct tensor_entry *b = *(const struct tensor_entry *const *)second;
    uintptr_t begin_a = (uintptr_t)a->bytes, begin_b = (uintptr_t)b->bytes;
    if (begin_a != begin_b)
        return begin_a < begin_b ? -1 : 1;
    return a->size < b->size ? -1 : a->size > b->size;
}

/* The tensors, by offset, must follow each other from the first to the last byte of the data. */
static struct status coverage_check(const struct reading *reading, const struct tensor_file *file)
{
    const struct tensor_entry **sorted =
        ARENA_ARRAY(reading->arena, const struct tensor_entry *, file->tensor_count + 1);
    for (size_t i = 0; i < file->tensor_count; i++)
        sorted[i] = &file->tensors[i];
    qsort(sorted, file->tensor_count, sizeof *sorted, tensor_order);
    const char *expected = reading->data;
    for (size_t i = 0; i < file->tensor_count; i++) {
        if ((const char *)sorted[i]->bytes != expected)
            return status_error(STATUS_INVALID, "the bytes of tensor %s overlap or leave a hole",
                                sorted[i]->name);
        expected += sorted[i]->size;
    }
    if (expected != reading->data + reading->size)
        return status_error(STATUS_INVALID, "%zu bytes at the end belong to no tensor",
                            (size_t)(reading->data + reading->size - expected));
    return status_ok();
}

static struct status header_read(const struct reading *reading, const struct json *header,
                                 struct tensor_file *file)
{
    file->tensors = ARENA_ARRAY(reading->arena, struct tensor_entry, header->count + 1);
    for (size_t i = 0; i < header->count; i++) {
        const struct json *value = &header->items[i];
        const char *name = header->names[i];
        if (strcmp(name, "__metadata__") == 0) {
            RETURN_IF_ERROR(metadata_read(reading, value, file));
            continue;
        }
        if (value->kind != JSON_OBJECT)
            return status_error(STATUS_INVALID, "tensor %s is not described by an object", name);
        RETURN_IF_ERROR(
            tensor_read(reading, name, value, &file->tensors[file->tensor_count]));
        table_set(&file->names, name, strlen(name), file->tensor_count++);
    }
    return coverage_check(reading, file);
}

static size_t length_read(const char *bytes)
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    return (size_t)length;
}

struct status safetensors_parse(struct arena *arena, const char *bytes, size_t size,
                                struct tensor_file *file)
{
    *file = (struct tensor_file){.names.arena = arena};
    if (size < LENGTH_BYTES)
        return status_error(STATUS_INVALID, "too short for a safetensors file");
    size_t length = length_read(bytes);
    if (length > HEADER_LIMIT || length > size - LENGTH_BYTES)
        return status_error(STATUS_INVALID, "the header is longer than the file or %d bytes",
                            HEADER_LIMIT);
    const char *text = bytes + LENGTH_BYTES;
    struct reading reading = {arena, text + length, size - LENGTH_BYTES - length};
    const struct json *header = json_parse(arena, text, length);
    if (!json_is(header, JSON_OBJECT))
        return status_error(STATUS_INVALID,
                            "the header is not a JSON object, or it names something twice");
    return header_read(&reading, header, file);
}

struct status safetensors_read(struct arena *arena, const char *path, struct tensor_file *file)
{
    char *bytes;
    size_t size;
    RETURN_IF_ERROR(file_read(arena, path, SIZE_MAX / 2, &bytes, &size));
    struct status status = safetensors_parse(arena, bytes, size, file);
    if (!status_is_ok(&status))
        return status_error(status.code, "%s is not a sound safetensors file: %s", path,
                            status.message);
    return status;
}

const struct tensor_entry *tensor_file_find(const struct tensor_file *file, const char *name)
{
    const struct table_entry *entry = table_find(&file->names, name, strlen(name));
    return entry ? &file->tensors[entry->value] : NULL;
}

static void metadata_add(struct text_builder *text, const struct tensor_file *file)
{
    text_add(text, "\"__metadata__\":{");
    for (size_t i = 0; i < file->metadata_count; i++) {
        text_add(text, i == 0 ? "" : ",");
        text_add_json(text, file->metadata[i].key);
        text_add(text, ":");
        text_add_json(text, file->metadata[i].value);
    }
    text_add(text, "}");
}

static void tensor_add(struct text_builder *text, const struct tensor_entry *tensor, size_t begin)
{
    text_add_json(text, tensor->name);
    text_add(text, ":{\"dtype\":\"%s\",\"shape\":[", tensor->type);
    for (int axis = 0; axis < tensor->rank; axis++)
        text_add(text, "%s%lld", axis == 0 ? "" : ",", (long long)tensor->shape[axis]);
    text_add(text, "],\"data_offsets\":[%zu,%zu]}", begin, begin + tensor->size);
}

static void header_write(struct text_builder *text, const struct tensor_file *file)
{
    size_t begin = 0;
    text_add(text, "{");
    if (file->metadata_count > 0)
        metadata_add(text, file);
    for (size_t i = 0; i < file->tensor_count; i++) {
        text_add(text, i == 0 && file->metadata_count == 0 ? "" : ",");
        tensor_add(text, &file->tensors[i], begin);
        begin += file->tensors[i].size;
    }
    text_add(text, "}");
    while (text->length % HEADER_ALIGNMENT != 0)
        text_add(text, " ");
}

struct status safetensors_write(const char *path, const struct tensor_file *file)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};
    header_write(&text, file);
    unsigned char length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (unsigned char)((uint64_t)text.length >> 8 * i);
    struct file_writer writer = {0};
    struct status status = file_writer_open(&writer, path);
    if (status_is_ok(&status)) {
        fwrite(length, 1, sizeof length, writer.stream);
        fwrite(text_result(&text), 1, text.length, writer.stream);
        for (size_t i = 0; i < file->tensor_count; i++)
            fwrite(file->tensors[i].bytes, 1, file->tensors[i].size, writer.stream);
        status = file_writer_commit(&writer);
    }
    arena_release(&arena);
    return status;
}
