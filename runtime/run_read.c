/* From a run's directory to its record. See run_read.h. */
#include "runtime/run_read.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/json.h"

enum { LARGEST_FILE = 1 << 20, LONGEST_LINE = 1 << 16, TAIL = 4096, LONGEST_PATH = 4096 };

static const char seed_prefix[] = "seed-";

static bool file_is_there(const char *directory, const char *name)
{
    char path[LONGEST_PATH];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    return length < (int)sizeof path && access(path, F_OK) == 0;
}

bool run_is_there(const char *directory)
{
    return file_is_there(directory, "metrics.jsonl");
}

/* ---- run.json ---- */

static const char *text_of(struct arena *arena, const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);
    return json_is(value, JSON_TEXT) ? arena_format(arena, "%s", value->text) : NULL;
}

static int64_t integer_of(const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);
    return value != NULL && value->is_integer && value->integer > 0 ? value->integer : 0;
}

static void arguments_take(struct arena *arena, const struct json *arguments,
                           struct run_record *run)
{
    for (size_t i = 0; json_is(arguments, JSON_OBJECT) && i < arguments->count; i++) {
        const struct json *value = &arguments->items[i];
        struct run_argument argument = {
            arguments->names[i],
            value->kind == JSON_TEXT ? value->text : arena_format(arena, "%.9g", value->number),
        };
        vector_push(&run->arguments, arena, argument);
    }
}

static struct status facts_read(struct arena *arena, const char *path, struct run_record *run)
{
    char *bytes;
    size_t size;
    RETURN_IF_ERROR(file_read(arena, path, LARGEST_FILE, &bytes, &size));
    const struct json *facts = json_parse(arena, bytes, size);
    if (!json_is(facts, JSON_OBJECT))
        return status_error(STATUS_INVALID, "%s is not a JSON object", path);
    const struct json *seed = json_member(facts, "seed"),
                      *finished = json_member(facts, "finished");
    run->network = text_of(arena, facts, "network");
    run->recipe = text_of(arena, facts, "recipe");
    run->data = text_of(arena, facts, "data");
    run->machine = text_of(arena, facts, "machine");
    arguments_take(arena, json_member(facts, "arguments"), run);
    run->parameters = json_number(json_member(facts, "parameters"));
    run->macs = json_number(json_member(facts, "macs"));
    run->gflops = json_number(json_member(facts, "gflops"));
    run->learning_rate = json_number(json_member(facts, "lr"));
    run->epochs = integer_of(facts, "epochs");
    run->steps_per_epoch = integer_of(facts, "steps_per_epoch");
    run->batch = integer_of(facts, "batch");
    run->seed = seed != NULL && seed->is_integer ? seed->integer : 0;
    run->seconds = json_number(json_member(facts, "seconds"));
    run->finished = json_is(finished, JSON_BOOLEAN) && finished->number == 1;
    return status_ok();
}

/* ---- metrics.jsonl ---- */

/* The file while it is read line by line. */
struct metrics_reader {
    FILE *stream;
    const char *path;
    int64_t line;
    struct run_record *run;
    struct arena scratch; /* for one line */
    /* Of the epoch under way: its rate, and its steps' speed as the mean of seconds an image. */
    double learning_rate, seconds_per_image;
    int64_t steps;
};

static struct status malformed(const struct metrics_reader *reader, const char *problem)
{
    return status_error(STATUS_INVALID, "%s, line %" PRId64 ": %s", reader->path, reader->line,
                        problem);
}

/* A number, NAN where JSON had none for it. */
static double number_of(const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);
    return json_is(value, JSON_NUMBER) ? value->number : (double)NAN;
}

static struct status step_take(struct metrics_reader *reader, const struct json *line)
{
    double loss = number_of(line, "loss"), speed = number_of(line, "images_per_second");
    if (isfinite(loss))
        history_add_step(&reader->run->history, loss);
    reader->learning_rate = number_of(line, "lr");
    if (speed > 0) {
        reader->seconds_per_image += 1 / speed;
        reader->steps++;
    }
    return status_ok();
}

static struct status epoch_take(struct metrics_reader *reader, const struct json *line)
{
    struct history *history = &reader->run->history;
    const struct json *epoch = json_member(line, "epoch");
    if (epoch == NULL || !epoch->is_integer || epoch->integer != (int64_t)history->epochs.count)
        return malformed(reader, "the epochs are not in order");
    history_add_epoch(
        history, &(struct epoch_record){
                     .epoch = epoch->integer,
                     .train_loss = number_of(line, "train_loss"),
                     .train_top1 = number_of(line, "train_top1"),
                     .validation_loss = number_of(line, "val_loss"),
                     .validation_top1 = number_of(line, "val_top1"),
                     .validation_top5 = number_of(line, "val_top5"),
                     .learning_rate = reader->learning_rate,
                     .images_per_second =
                         reader->steps > 0 ? (double)reader->steps / reader->seconds_per_image : 0,
                 });
    reader->seconds_per_image = 0;
    reader->steps = 0;
    return status_ok();
}

static struct status line_take(struct metrics_reader *reader, const char *text, size_t length)
{
    const struct json *line = json_parse(&reader->scratch, text, length);
    const struct json *event = json_member(line, "event");
    struct status status = status_ok();
    if (!json_is(line, JSON_OBJECT) || !json_is(event, JSON_TEXT))
        status = malformed(reader, "this is no event of a training");
    else if (strcmp(event->text, "step") == 0)
        status = step_take(reader, line);
    else if (strcmp(event->text, "epoch") == 0)
        status = epoch_take(reader, line);
    arena_reset(&reader->scratch);
    return status;
}

/* Reads a line into `text`; its length without the end, or 0 at the end of the whole lines. */
static struct status line_read(struct metrics_reader *reader, char *text, size_t *length)
{
    *length = 0;
    reader->line++;
    if (fgets(text, LONGEST_LINE, reader->stream) == NULL) {
        if (ferror(reader->stream))
            return status_error(STATUS_IO, "cannot read %s: %s", reader->path, strerror(errno));
        return status_ok();
    }
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        *length = size - 1;
    else if (!feof(reader->stream))
        return malformed(reader, "this is no event of a training");
    else
        return status_ok();
    return *length > 0 ? status_ok() : malformed(reader, "this is no event of a training");
}

static struct status lines_take(struct metrics_reader *reader)
{
    char *text = malloc(LONGEST_LINE);
    struct status status = status_ok();
    size_t length = 1;
    if (text == NULL)
        return status_error(STATUS_MEMORY, "not enough memory to read %s", reader->path);
    while (status_is_ok(&status) && length > 0) {
        status = line_read(reader, text, &length);
        if (status_is_ok(&status) && length > 0)
            status = line_take(reader, text, length);
    }
    free(text);
    arena_release(&reader->scratch);
    return status;
}

struct status run_read_facts(struct arena *arena, const char *directory, struct run_record *run)
{
    *run = (struct run_record){.directory = directory, .history.arena = arena};
    const char *facts = arena_format(arena, "%s/run.json", directory);
    return access(facts, F_OK) == 0 ? facts_read(arena, facts, run) : status_ok();
}

struct status run_read(struct arena *arena, const char *directory, struct run_record *run)
{
    RETURN_IF_ERROR(run_read_facts(arena, directory, run));
    struct metrics_reader reader = {.path = arena_format(arena, "%s/metrics.jsonl", directory),
                                    .run = run};
    reader.stream = fopen(reader.path, "re");
    if (reader.stream == NULL)
        return status_error(STATUS_IO, "cannot read %s: %s", reader.path, strerror(errno));
    struct status status = lines_take(&reader);
    fclose(reader.stream);
    return status;
}

/* ---- seeds ---- */

const char *run_seed_directory(struct arena *arena, const char *directory, int64_t seed)
{
    return arena_format(arena, "%s/%s%" PRId64, directory, seed_prefix, seed);
}

/* Whether the name is seed-K; K. */
static bool seed_of(const char *name, int64_t *seed)
{
    enum { MOST_DIGITS = 18 };
    size_t prefix = sizeof seed_prefix - 1;
    if (strncmp(name, seed_prefix, prefix) != 0)
        return false;
    const char *digits = name + prefix + (name[prefix] == '-');
    size_t count = strspn(digits, "0123456789");
    *seed = strtoll(name + prefix, NULL, 10);
    return count > 0 && count <= MOST_DIGITS && digits[count] == '\0';
}

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

struct status run_seeds(struct arena *arena, const char *directory, const char ***out_directories,
                        size_t *out_count)
{
    VECTOR(int64_t) seeds = {0};
    DIR *folder = opendir(directory);
    if (folder == NULL)
        return status_error(STATUS_IO, "cannot read %s: %s", directory, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int64_t seed;
        if (seed_of(entry->d_name, &seed) &&
            run_is_there(arena_format(arena, "%s/%s", directory, entry->d_name)))
            vector_push(&seeds, arena, seed);
    }
    closedir(folder);
    *out_count = seeds.count;
    *out_directories = ARENA_ARRAY(arena, const char *, seeds.count + 1);
    if (seeds.count > 0)
        qsort(seeds.items, seeds.count, sizeof *seeds.items, by_number);
    for (size_t i = 0; i < seeds.count; i++)
        (*out_directories)[i] = run_seed_directory(arena, directory, seeds.items[i]);
    return status_ok();
}

bool run_is_repeated(const char *directory)
{
    struct arena arena = {0};
    const char **directories;
    size_t count = 0;
    struct status status = run_seeds(&arena, directory, &directories, &count);
    arena_release(&arena);
    return status_is_ok(&status) && count > 0;
}

/* ---- where a run stands ---- */

static void position_take(struct run_position *position, const char *text, size_t length)
{
    struct arena arena = {0};
    const struct json *line = json_parse(&arena, text, length);
    const struct json *event = json_member(line, "event");
    if (json_is(event, JSON_TEXT) && strcmp(event->text, "step") == 0)
        *position = (struct run_position){
            .epoch = integer_of(line, "epoch"),
            .step = integer_of(line, "step"),
            .loss = number_of(line, "loss"),
            .images_per_second = number_of(line, "images_per_second"),
        };
    arena_release(&arena);
}

struct run_position run_position_read(const char *directory)
{
    char path[LONGEST_PATH], tail[TAIL];
    struct run_position position = {0};
    if (snprintf(path, sizeof path, "%s/metrics.jsonl", directory) >= (int)sizeof path)
        return position;
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return position;
    if (fseeko(stream, -(off_t)sizeof tail, SEEK_END) != 0)
        rewind(stream);
    size_t size = fread(tail, 1, sizeof tail, stream);
    fclose(stream);
    /* The first line is most likely half a line, and then no JSON. */
    for (char *line = tail, *end; (end = memchr(line, '\n', size - (size_t)(line - tail))) != NULL;
         line = end + 1)
        position_take(&position, line, (size_t)(end - line));
    return position;
}
