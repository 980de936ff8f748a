/* Moving parameters between regions and safetensors files. See weights.h. */
#include "runtime/weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "runtime/json.h"
#include "runtime/parameters.h"
#include "runtime/safetensors.h"

enum { METADATA_ENTRIES = 5, DIFFERENCES_SHOWN = 40 };

/* How a file differs from the network. */
struct comparison {
    struct arena *arena;
    const struct rnet_program *program;
    const struct tensor_file *file;
    const char *prefix; /* of every name in the file */
    const struct weights_options *options;
    size_t used;        /* tensors of the file that the network has */
    int missing, surplus, misfit;
};

static float *parameter_memory(const struct executor *executor, uint64_t index)
{
    const struct rnet_parameter *parameter = &executor->program->parameters[index];
    return (float *)(void *)(executor->regions[parameter->region] + parameter->offset);
}

static const char *numbers_text(struct arena *arena, const float *numbers)
{
    struct text_builder text = {.arena = arena};
    text_add(&text, "[");
    for (int i = 0; i < DATA_COLOURS; i++)
        text_add(&text, "%s%.6g", i == 0 ? "" : ",", (double)numbers[i]);
    text_add(&text, "]");
    return text_result(&text);
}

static const char *names_text(struct arena *arena, const struct data_set *data)
{
    struct text_builder text = {.arena = arena};
    text_add(&text, "[");
    for (int64_t i = 0; i < data->class_count; i++) {
        text_add(&text, i == 0 ? "" : ",");
        text_add_json(&text, data->class_names[i]);
    }
    text_add(&text, "]");
    return text_result(&text);
}

static void metadata_fill(struct arena *arena, const struct rnet_program *program,
                          const struct data_set *data, struct tensor_file *file)
{
    struct metadata_entry *entries = ARENA_ARRAY(arena, struct metadata_entry, METADATA_ENTRIES);
    size_t count = 0;
    entries[count++] = (struct metadata_entry){"format", "pt"};
    entries[count++] = (struct metadata_entry){"network", program->network};
    if (data->class_names != NULL)
        entries[count++] = (struct metadata_entry){"classes", names_text(arena, data)};
    if (data->mean != NULL) {
        entries[count++] = (struct metadata_entry){"mean", numbers_text(arena, data->mean)};
        entries[count++] = (struct metadata_entry){"std", numbers_text(arena, data->deviation)};
    }
    file->metadata = entries;
    file->metadata_count = count;
}

static struct tensor_entry tensor_make(struct arena *arena, const struct executor *executor,
                                       uint64_t index)
{
    const struct rnet_parameter *parameter = &executor->program->parameters[index];
    struct tensor_entry tensor = {.name = parameter->name, .rank = (int)parameter->rank};
    memcpy(tensor.shape, parameter->shape, sizeof parameter->shape);
    if (parameter->kind == RNET_PARAMETER_BATCH_COUNTER) {
        tensor.type = "I64";
        tensor.size = sizeof(int64_t);
        tensor.bytes = &executor->batch_counters[index];
        return tensor;
    }
    int64_t elements = parameter_elements(parameter);
    float *values = ARENA_ARRAY(arena, float, elements);
    parameter_unpack(parameter, parameter_memory(executor, index), values);
    tensor.type = "F32";
    tensor.size = (size_t)elements * sizeof *values;
    tensor.bytes = values;
    return tensor;
}

static struct status parameters_fetch(const struct executor *executor)
{
    RETURN_IF_ERROR(executor_fetch(executor, RNET_REGION_WEIGHTS));
    return executor_fetch(executor, RNET_REGION_STATISTICS);
}

struct status weights_write(const struct executor *executor, const struct data_set *data,
                            const char *path)
{
    const struct rnet_program *program = executor->program;
    RETURN_IF_ERROR(parameters_fetch(executor));
    struct arena arena = {0};
    struct tensor_file file = {
        .tensors = ARENA_ARRAY(&arena, struct tensor_entry, program->parameter_count + 1),
    };
    metadata_fill(&arena, program, data, &file);
    /* The counters come first: eight bytes wide, they stay aligned there. */
    for (int counters = 1; counters >= 0; counters--)
        for (uint64_t i = 0; i < program->parameter_count; i++)
            if ((program->parameters[i].kind == RNET_PARAMETER_BATCH_COUNTER) == (counters == 1))
                file.tensors[file.tensor_count++] = tensor_make(&arena, executor, i);
    struct status status = safetensors_write(path, &file);
    arena_release(&arena);
    return status;
}

static const char *shape_text(struct arena *arena, const int64_t *shape, int rank)
{
    struct text_builder text = {.arena = arena};
    text_add(&text, "[");
    for (int axis = 0; axis < rank; axis++)
        text_add(&text, "%s%" PRId64, axis == 0 ? "" : ", ", shape[axis]);
    text_add(&text, "]");
    return text_result(&text);
}

static void difference_print(struct comparison *comparison, char sign, const char *name,
                             const char *what)
{
    int shown = comparison->missing + comparison->surplus + comparison->misfit;
    if (shown <= DIFFERENCES_SHOWN)
        fprintf(stderr, "%c %s  %s\n", sign, name, what);
    else if (shown == DIFFERENCES_SHOWN + 1)
        fprintf(stderr, "  ... and more\n");
}

static const char *prefix_of(const struct tensor_file *file)
{
    static const char prefix[] = "module.";
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strncmp(file->tensors[i].name, prefix, sizeof prefix - 1) != 0)
            return "";
    return prefix;
}

static const struct tensor_entry *tensor_of(const struct comparison *comparison,
                                            const struct rnet_parameter *parameter)
{
    const char *name =
        arena_format(comparison->arena, "%s%s", comparison->prefix, parameter->name);
    return tensor_file_find(comparison->file, name);
}

static bool tensor_fits(const struct tensor_entry *tensor, const struct rnet_parameter *parameter)
{
    bool counter = parameter->kind == RNET_PARAMETER_BATCH_COUNTER;
    return strcmp(tensor->type, counter ? "I64" : "F32") == 0 &&
           tensor->rank == (int)parameter->rank &&
           memcmp(tensor->shape, parameter->shape, parameter->rank * sizeof(int64_t)) == 0;
}

bool name_has_label(const char *name, const char *label)
{
    size_t length = strlen(label);
    return strncmp(name, label, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool is_reset(const struct comparison *comparison, const char *name)
{
    for (size_t i = 0; i < comparison->options->reset_count; i++)
        if (name_has_label(name, comparison->options->reset[i]))
            return true;
    return false;
}

static void parameter_compare(struct comparison *comparison,
                              const struct rnet_parameter *parameter)
{
    struct arena *arena = comparison->arena;
    const struct tensor_entry *tensor = tensor_of(comparison, parameter);
    bool counter = parameter->kind == RNET_PARAMETER_BATCH_COUNTER;
    const char *wanted = shape_text(arena, parameter->shape, (int)parameter->rank);
    if (tensor != NULL)
        comparison->used++;
    if (is_reset(comparison, parameter->name))
        return;
    if (tensor == NULL && !counter) {
        comparison->missing++;
        difference_print(comparison, '-', parameter->name,
                         arena_format(arena, "%s is missing in the file", wanted));
    } else if (tensor != NULL && !tensor_fits(tensor, parameter)) {
        comparison->misfit++;
        difference_print(comparison, '!', parameter->name,
                         arena_format(arena, "is %s %s in the file, %s %s in the network",
                                      tensor->type, shape_text(arena, tensor->shape, tensor->rank),
                                      counter ? "I64" : "F32", wanted));
    }
}

static void surplus_print(struct comparison *comparison)
{
    struct table known = {.arena = comparison->arena};
    for (uint64_t i = 0; i < comparison->program->parameter_count; i++) {
        const char *name = comparison->program->parameters[i].name;
        table_set(&known, name, strlen(name), 1);
    }
    for (size_t i = 0; i < comparison->file->tensor_count; i++) {
        const struct tensor_entry *tensor = &comparison->file->tensors[i];
        const char *name = tensor->name + strlen(comparison->prefix);
        if (table_find(&known, name, strlen(name)) != NULL || is_reset(comparison, name))
            continue;
        comparison->surplus++;
        difference_print(comparison, '+', name,
                         arena_format(comparison->arena, "%s is not in the network",
                                      shape_text(comparison->arena, tensor->shape,
                                                 tensor->rank)));
    }
}

static struct status file_compare(struct comparison *comparison, const char *path)
{
    const struct rnet_program *program = comparison->program;
    for (uint64_t i = 0; i < program->parameter_count; i++)
        parameter_compare(comparison, &program->parameters[i]);
    if (comparison->used < comparison->file->tensor_count)
        surplus_print(comparison);
    if (comparison->missing + comparison->surplus + comparison->misfit == 0)
        return status_ok();
    return status_error(STATUS_INVALID,
                        "%s does not fit the network %s: %d missing, %d surplus, %d of another "
                        "shape or type",
                        path, program->network, comparison->missing, comparison->surplus,
                        comparison->misfit);
}

static void parameters_take(const struct executor *executor, const struct comparison *comparison)
{
    const struct rnet_program *program = executor->program;
    for (uint64_t i = 0; i < program->parameter_count; i++) {
        const struct rnet_parameter *parameter = &program->parameters[i];
        const struct tensor_entry *tensor = tensor_of(comparison, parameter);
        if (tensor == NULL || is_reset(comparison, parameter->name))
            continue;
        if (parameter->kind == RNET_PARAMETER_BATCH_COUNTER) {
            memcpy(&executor->batch_counters[i], tensor->bytes, sizeof(int64_t));
            continue;
        }
        float *values = ARENA_ARRAY(comparison->arena, float, parameter_elements(parameter));
        memcpy(values, tensor->bytes, tensor->size);
        parameter_pack(parameter, values, parameter_memory(executor, i));
    }
    executor_changed(executor, RNET_REGION_WEIGHTS);
    executor_changed(executor, RNET_REGION_STATISTICS);
}

static struct status labels_check(const struct rnet_program *program,
                                  const struct weights_options *options)
{
    for (size_t label = 0; label < options->reset_count; label++) {
        bool known = false;
        for (uint64_t i = 0; !known && i < program->parameter_count; i++)
            known = name_has_label(program->parameters[i].name, options->reset[label]);
        if (!known)
            return status_error(STATUS_USAGE, "no parameter of %s has the label %s",
                                program->network, options->reset[label]);
    }
    return status_ok();
}

/* Takes the names from a JSON array of texts, or leaves them unknown. */
static void names_parse(struct arena *arena, const char *text, struct weights_metadata *metadata)
{
    const struct json *names = json_parse(arena, text, strlen(text));
    if (!json_is(names, JSON_ARRAY) || names->count == 0)
        return;
    const char **out = ARENA_ARRAY(arena, const char *, names->count);
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].kind != JSON_TEXT)
            return;
        out[i] = names->items[i].text;
    }
    metadata->class_names = out;
    metadata->class_count = (int64_t)names->count;
}

static bool numbers_parse(struct arena *arena, const char *text, float out[DATA_COLOURS])
{
    const struct json *numbers = json_parse(arena, text, strlen(text));
    if (!json_is(numbers, JSON_ARRAY) || numbers->count != DATA_COLOURS)
        return false;
    for (size_t i = 0; i < DATA_COLOURS; i++)
        out[i] = (float)json_number(&numbers->items[i]);
    return true;
}

static void metadata_take(struct arena *arena, const struct tensor_file *file,
                          struct weights_metadata *metadata)
{
    bool mean = false, deviation = false;
    *metadata = (struct weights_metadata){0};
    for (size_t i = 0; i < file->metadata_count; i++) {
        const struct metadata_entry *entry = &file->metadata[i];
        if (strcmp(entry->key, "classes") == 0)
            names_parse(arena, entry->value, metadata);
        else if (strcmp(entry->key, "mean") == 0)
            mean = numbers_parse(arena, entry->value, metadata->mean);
        else if (strcmp(entry->key, "std") == 0)
            deviation = numbers_parse(arena, entry->value, metadata->deviation);
    }
    metadata->normalizes = mean && deviation;
    for (int c = 0; c < DATA_COLOURS; c++)
        metadata->normalizes = metadata->normalizes && metadata->deviation[c] > 0;
}

static struct status file_take(const struct executor *executor, const struct tensor_file *file,
                               const char *path, struct comparison *comparison)
{
    const struct weights_options *options = comparison->options;
    RETURN_IF_ERROR(labels_check(executor->program, options));
    RETURN_IF_ERROR(parameters_fetch(executor));
    RETURN_IF_ERROR(file_compare(comparison, path));
    parameters_take(executor, comparison);
    if (options->metadata != NULL)
        metadata_take(options->arena, file, options->metadata);
    return status_ok();
}

struct status weights_read_with(const struct executor *executor, const char *path,
                                const struct weights_options *options)
{
    struct arena arena = {0};
    struct tensor_file file = {0};
    struct status status = safetensors_read(&arena, path, &file);
    if (status_is_ok(&status)) {
        struct comparison comparison = {
            .arena = &arena,
            .program = executor->program,
            .file = &file,
            .prefix = prefix_of(&file),
            .options = options,
        };
        status = file_take(executor, &file, path, &comparison);
    }
    arena_release(&arena);
    return status;
}

struct status weights_read(const struct executor *executor, const char *path)
{
    return weights_read_with(executor, path, &(struct weights_options){0});
}
