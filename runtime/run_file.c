/* Writing run.json. See run_file.h. */
#include "runtime/run_file.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/environment.h"
#include "runtime/json.h"

static void name_add(struct text_builder *text, const char *name)
{
    text_add(text, "%s\"%s\":", text->length == 1 ? "" : ",", name);
}

static void text_member(struct text_builder *text, const char *name, const char *value)
{
    name_add(text, name);
    if (value != NULL)
        text_add_json(text, value);
    else
        text_add(text, "null");
}

static void integer_member(struct text_builder *text, const char *name, int64_t value)
{
    name_add(text, name);
    text_add(text, "%" PRId64, value);
}

static void real_member(struct text_builder *text, const char *name, double value)
{
    name_add(text, name);
    text_add_json_number(text, value);
}

static void flag_member(struct text_builder *text, const char *name, bool value)
{
    name_add(text, name);
    text_add(text, value ? "true" : "false");
}

/* The network's parameters, as texts and numbers. */
static void arguments_member(struct text_builder *text, const struct json *arguments)
{
    name_add(text, "arguments");
    text_add(text, "{");
    for (size_t i = 0; json_is(arguments, JSON_OBJECT) && i < arguments->count; i++) {
        const struct json *value = &arguments->items[i];
        text_add(text, "%s", i == 0 ? "" : ",");
        text_add_json(text, arguments->names[i]);
        if (value->kind == JSON_TEXT) {
            text_add(text, ":");
            text_add_json(text, value->text);
        } else {
            text_add(text, ":%.15g", json_number(value));
        }
    }
    text_add(text, "}");
}

static void network_members(struct text_builder *text, const struct rnet_program *program)
{
    const struct json *report =
        json_parse(text->arena, program->report_json, strlen(program->report_json));
    text_member(text, "network", program->network);
    arguments_member(text, json_member(report, "arguments"));
    real_member(text, "parameters", json_number(json_member(report, "parameters")));
    real_member(text, "macs", json_number(json_member(report, "macs")));
    real_member(text, "gflops", json_number(json_member(report, "gflops")));
    text_member(text, "compiled", program->compiled);
    text_member(text, "recipe", program->recipe.name);
    integer_member(text, "batch", program->batch);
}

static void training_members(struct text_builder *text, const struct report_facts *facts)
{
    text_member(text, "data", facts->data);
    text_member(text, "init", facts->init);
    integer_member(text, "train_images", facts->train_images);
    integer_member(text, "validation_images", facts->validation_images);
    integer_member(text, "epochs", facts->epochs);
    integer_member(text, "steps_per_epoch", facts->steps_per_epoch);
    real_member(text, "lr", facts->learning_rate);
    integer_member(text, "seed", facts->seed);
    flag_member(text, "shuffled", facts->shuffled);
    flag_member(text, "augmented", facts->augmented);
    integer_member(text, "threads", facts->threads);
    text_member(text, "machine", environment_machine(text->arena));
}

/* Names of files may be any bytes; JSON takes characters. */
static void make_ascii(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            *text = '?';
}

struct status run_file_write(const char *path, const struct report_facts *facts, bool finished)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};
    text_add(&text, "{");
    network_members(&text, facts->program);
    training_members(&text, facts);
    flag_member(&text, "finished", finished);
    integer_member(&text, "steps", facts->steps);
    real_member(&text, "seconds", facts->seconds);
    text_add(&text, "}");
    if (json_parse(&arena, text.data, text.length) == NULL)
        make_ascii(text.data);
    text_add(&text, "\n");
    struct status status = file_write(path, text.data, text.length);
    arena_release(&arena);
    return status;
}
