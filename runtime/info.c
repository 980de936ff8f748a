/* The command `info`: the compiler's report of the network, and how the executable was built. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "runtime/commands.h"
#include "runtime/execute.h"
#include "runtime/options.h"

enum { JSON_STYLE = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE };

static void text_member(struct json_object *object, const char *name, const char *text)
{
    json_object_object_add(object, name, json_object_new_string(text));
}

static void integer_member(struct json_object *object, const char *name, int64_t value)
{
    json_object_object_add(object, name, json_object_new_int64(value));
}

static void real_member(struct json_object *object, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    json_object_object_add(object, name, json_object_new_double_s(value, text));
}

static struct json_object *regions_object(const struct rnet_program *program)
{
    struct json_object *regions = json_object_new_object();
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        integer_member(regions, executor_region_name((enum rnet_region)region),
                       (int64_t)program->region_bytes[region]);
    return regions;
}

/* "step(0.1, 81, 122)": a transform or schedule entry as text. */
static struct json_object *call_text(const char *name, const double *arguments, uint32_t count)
{
    enum { LONGEST = 256 };
    char text[LONGEST];
    size_t length = (size_t)snprintf(text, sizeof text, "%.64s", name);
    for (uint32_t i = 0; i < count && i < RNET_ARGUMENTS; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.6g",
                                   i == 0 ? "(" : ", ", arguments[i]);
    snprintf(text + length, sizeof text - length, "%s", count > 0 ? ")" : "");
    return json_object_new_string(text);
}

static struct json_object *transforms_array(const struct rnet_transform *transforms, uint32_t count)
{
    struct json_object *array = json_object_new_array();
    for (uint32_t i = 0; i < count; i++)
        json_object_array_add(array, call_text(transforms[i].name, transforms[i].arguments,
                                               transforms[i].argument_count));
    return array;
}

static struct json_object *recipe_object(const struct rnet_recipe *recipe)
{
    struct json_object *object = json_object_new_object();
    struct json_object *schedule = json_object_new_array();
    text_member(object, "name", recipe->name);
    text_member(object, "data", recipe->data);
    integer_member(object, "epochs", recipe->epochs);
    real_member(object, "lr", recipe->learning_rate);
    real_member(object, "momentum", recipe->momentum);
    real_member(object, "weight_decay", recipe->weight_decay);
    json_object_object_add(object, "nesterov", json_object_new_boolean(recipe->nesterov != 0));
    text_member(object, "decay", recipe->decays_weights_only ? "weights" : "all");
    real_member(object, "label_smoothing", recipe->label_smoothing);
    integer_member(object, "accumulate", recipe->accumulate);
    real_member(object, "clip", recipe->clip);
    real_member(object, "ema", recipe->ema);
    for (uint32_t i = 0; i < recipe->schedule_count; i++)
        json_object_array_add(schedule,
                              call_text(recipe->schedule[i].name, recipe->schedule[i].arguments,
                                        recipe->schedule[i].argument_count));
    json_object_object_add(object, "schedule", schedule);
    json_object_object_add(object, "augment",
                           transforms_array(recipe->augment, recipe->augment_count));
    json_object_object_add(object, "evaluate",
                           transforms_array(recipe->evaluate, recipe->evaluate_count));
    return object;
}

/* Prints an object's members a line each, nested ones behind their parent's name; leaves out the
 * long lists of layers, stages and outputs. */
static void members_print(struct json_object *object, const char *prefix)
{
    enum { LONGEST = 128, COLUMN = 28 };
    json_object_object_foreach(object, key, value)
    {
        char name[LONGEST];
        snprintf(name, sizeof name, "%.60s%.60s", prefix, key);
        if (json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0 &&
            json_object_is_type(json_object_array_get_idx(value, 0), json_type_object))
            continue;
        if (json_object_is_type(value, json_type_object)) {
            snprintf(name, sizeof name, "%.60s%.60s.", prefix, key);
            members_print(value, name);
            continue;
        }
        const char *text = json_object_is_type(value, json_type_string)
                               ? json_object_get_string(value)
                               : json_object_to_json_string_ext(value, JSON_C_TO_STRING_SPACED);
        printf("%-*s %s\n", COLUMN, name, text);
    }
}

static struct status info_print(const struct rnet_program *program, bool json)
{
    struct json_object *report = json_tokener_parse(program->report_json);
    if (!json_object_is_type(report, json_type_object)) {
        json_object_put(report);
        return status_error(STATUS_INVALID, "the network's report is not a JSON object");
    }
    text_member(report, "compiled", program->compiled);
    integer_member(report, "batch", program->batch);
    json_object_object_add(report, "regions", regions_object(program));
    json_object_object_add(report, "recipe", recipe_object(&program->recipe));
    if (json)
        printf("%s\n", json_object_to_json_string_ext(report, JSON_STYLE));
    else
        members_print(report, "");
    json_object_put(report);
    return status_ok();
}

struct status command_info(const struct rnet_program *program, int argc, char **argv)
{
    bool json = false;
    int64_t threads = 0;
    const struct option_entry entries[] = {
        {"json", OPTION_FLAG, NULL, "print one JSON object, with every layer", .target = &json},
        {"threads", OPTION_INTEGER, "N", "taken as everywhere, without effect here",
         .target = &threads, .minimum = 1},
    };
    const struct option_set set = {
        "info",  "Describes the network, its recipe, and how it was compiled.",
        entries, sizeof entries / sizeof *entries,
        NULL,    NULL};
    bool helped;
    RETURN_IF_ERROR(options_parse(&set, argc, argv, &helped));
    return helped ? status_ok() : info_print(program, json);
}
