/* The directory of an exploration, and its explore.json. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "driver/exploration.h"
#include "runtime/json.h"
#include "runtime/run_read.h"

enum { LARGEST_LEDGER = 1 << 24, IDENTITY_DIGITS = 16 };

static const char *ledger_path(const struct exploration *exploration)
{
    return arena_format(exploration->arena, "%s/explore.json", exploration->out);
}

static const char *identity_text(const struct exploration *exploration,
                                 const struct variant *variant)
{
    return arena_format(exploration->arena, "%0*" PRIx64, IDENTITY_DIGITS, variant->identity);
}

/* ---- what is there already ---- */

/* The text of a member; "" where there is none. */
static const char *member_text(const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);

    return json_is(value, JSON_TEXT) ? value->text : "";
}

static struct status other_exploration(const struct exploration *exploration, const char *what,
                                       const char *then, const char *now)
{
    return status_error(STATUS_INVALID,
                        "%s holds an exploration with %s %s, not %s; give another --out",
                        exploration->out, what, *then ? then : "of none", *now ? now : "none");
}

static const char *epochs_text(const struct exploration *exploration, double epochs)
{
    return epochs > 0 ? arena_format(exploration->arena, "%.0f", epochs) : "as in the recipe";
}

static struct status check_budget(const struct exploration *exploration, const struct json *ledger)
{
    const struct options *options = exploration->options;
    const char *data = member_text(ledger, "data"), *extra = member_text(ledger, "train_options");
    const double epochs = json_number(json_member(ledger, "epochs"));

    if (strcmp(data, options->data) != 0)
        return other_exploration(exploration, "--data", data, options->data);
    if (epochs != (double)options->epochs)
        return other_exploration(exploration, "--epochs", epochs_text(exploration, epochs),
                                 epochs_text(exploration, (double)options->epochs));
    if (strcmp(extra, exploration->extra_text) != 0)
        return other_exploration(exploration, "options of train", extra, exploration->extra_text);
    return status_ok();
}

/* The identity that the ledger knows for a folder; "" for none. */
static const char *known_identity(const struct json *ledger, const char *folder)
{
    return member_text(json_member(ledger, "variants"), folder);
}

static bool was_begun(const struct exploration *exploration, const char *folder)
{
    return run_is_repeated(arena_format(exploration->arena, "%s/%s", exploration->out, folder));
}

/* Whether anything was trained: before, all may change. */
static bool holds_runs(const struct exploration *exploration, const struct json *ledger)
{
    const struct json *known = json_member(ledger, "variants");

    for (size_t i = 0; i < known->count; i++)
        if (was_begun(exploration, known->names[i]))
            return true;
    return false;
}

/* A variant that was trained must still be what it was; the program of one that changed before it
 * was trained is of no use. */
static struct status check_variant(const struct exploration *exploration,
                                   const struct variant *variant, const struct json *ledger)
{
    const char *known = known_identity(ledger, variant->folder);

    if (strcmp(known, identity_text(exploration, variant)) == 0)
        return status_ok();
    if (was_begun(exploration, variant->folder))
        return status_error(STATUS_INVALID,
                            "%s in %s was trained as another network, by another recipe or for "
                            "another target; give another --out, or remove %s/%s",
                            variant->name, exploration->out, exploration->out, variant->folder);
    unlink(arena_format(exploration->arena, "%s/programs/%s", exploration->out, variant->folder));
    return status_ok();
}

static struct status read_ledger(const struct exploration *exploration,
                                 const struct json **out_ledger)
{
    const char *path = ledger_path(exploration);
    char *bytes;
    size_t size;

    *out_ledger = NULL;
    if (access(path, F_OK) != 0)
        return status_ok();
    RETURN_IF_ERROR(file_read(exploration->arena, path, LARGEST_LEDGER, &bytes, &size));
    *out_ledger = json_parse(exploration->arena, bytes, size);
    if (!json_is(json_member(*out_ledger, "variants"), JSON_OBJECT))
        return status_error(STATUS_INVALID, "%s is not what an exploration leaves there", path);
    return status_ok();
}

/* ---- what is written ---- */

static void add_variant(struct text_builder *text, bool first, const char *folder,
                        const char *identity)
{
    text_add(text, "%s", first ? "" : ",");
    text_add_json(text, folder);
    text_add(text, ":");
    text_add_json(text, identity);
}

static bool is_of_now(const struct exploration *exploration, const char *folder)
{
    for (size_t i = 0; i < exploration->varied.variant_count; i++)
        if (strcmp(exploration->variants[i].folder, folder) == 0)
            return true;
    return false;
}

/* Those of now, and those that earlier commands explored. */
static struct status write_ledger(const struct exploration *exploration, const struct json *before)
{
    struct text_builder text = {.arena = exploration->arena};
    const struct json *known = json_member(before, "variants");

    text_add(&text, "{\"data\":");
    text_add_json(&text, exploration->options->data);
    text_add(&text, ",\"epochs\":%" PRId64 ",\"train_options\":", exploration->options->epochs);
    text_add_json(&text, exploration->extra_text);
    text_add(&text, ",\"variants\":{");
    for (size_t i = 0; i < exploration->varied.variant_count; i++) {
        const struct variant *variant = &exploration->variants[i];

        add_variant(&text, i == 0, variant->folder, identity_text(exploration, variant));
    }
    for (size_t i = 0; known && i < known->count; i++)
        if (!is_of_now(exploration, known->names[i]) && known->items[i].kind == JSON_TEXT)
            add_variant(&text, false, known->names[i], known->items[i].text);
    text_add(&text, "}}\n");
    return file_write(ledger_path(exploration), text_result(&text), text.length);
}

/* ---- the directory ---- */

static struct status lock_directory(struct exploration *exploration)
{
    exploration->lock = open(exploration->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (exploration->lock < 0)
        return status_error(STATUS_IO, "can't open %s: %s", exploration->out, strerror(errno));
    if (flock(exploration->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return status_error(STATUS_IO, "another exploration is at work in %s", exploration->out);
    return status_ok();
}

/* Removes what links that were killed have left among the programs. */
static void sweep_programs(const struct exploration *exploration, const char *programs)
{
    DIR *folder = opendir(programs);

    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        const size_t length = strlen(entry->d_name);

        if (length > 4 && strcmp(entry->d_name + length - 4, ".tmp") == 0)
            unlink(arena_format(exploration->arena, "%s/%s", programs, entry->d_name));
    }
    if (folder)
        closedir(folder);
}

struct status exploration_open(struct exploration *exploration)
{
    struct arena *arena = exploration->arena;
    const char *out = exploration->out;
    const char *programs = arena_format(arena, "%s/programs", out);
    const struct json *ledger;

    RETURN_IF_ERROR(file_make_directory(arena, out));
    RETURN_IF_ERROR(lock_directory(exploration));
    RETURN_IF_ERROR(read_ledger(exploration, &ledger));
    if (ledger && holds_runs(exploration, ledger))
        RETURN_IF_ERROR(check_budget(exploration, ledger));
    for (size_t i = 0; i < exploration->varied.variant_count; i++)
        RETURN_IF_ERROR(check_variant(exploration, &exploration->variants[i], ledger));
    RETURN_IF_ERROR(file_make_directory(arena, programs));
    sweep_programs(exploration, programs);
    RETURN_IF_ERROR(file_make_directory(arena, arena_format(arena, "%s/logs", out)));
    return write_ledger(exploration, ledger);
}
