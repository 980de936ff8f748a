/* Plays scripts against the language server: tests/lsp/NAME.exchange, each with its own server.
 *
 *   # a remark
 *   file NAME <<            writes a file into the script's folder, whose path is $T
 *   open URI <<             sends didOpen; the text follows, up to a line with a full stop
 *   change URI VERSION <<   sends didChange
 *   ask ID METHOD URI AT    sends a request about the place of the `|` in AT, a piece of the text
 *   > MESSAGE               sends a message
 *   raw BYTES               sends bytes without a header; \r \n \0 are escapes
 *   < MESSAGE               receives messages up to the one with this id, or method and URI, and
 *                           compares (tests/lsp/client.h)
 *   exit STATUS             ends the server and compares its exit status */
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vector.h"
#include "tests/lsp/client.h"

enum { LONGEST_WAIT = 60 }; /* seconds, for one script */

struct open_text {
    const char *uri, *text;
};

struct script {
    struct arena arena;
    const char *path;
    FILE *stream;
    int line;
    char folder[64];
    VECTOR(struct open_text) texts; /* the newest last */
    struct client client;
    bool failed, ended;
};

static void fail(struct script *script, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", script->path, script->line, what);
    script->failed = true;
}

/* The next line without its end, with $T replaced; NULL at the end. */
static const char *read_line(struct script *script)
{
    struct text_builder text = {.arena = &script->arena};
    char *line = NULL;
    size_t capacity = 0;
    const ssize_t length = getline(&line, &capacity, script->stream);

    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    for (const char *at = line; length >= 0 && *at; at++) {
        if (strncmp(at, "$T", 2) == 0)
            text_add(&text, "%s", script->folder);
        else
            text_add_bytes(&text, at, 1);
        at += strncmp(at, "$T", 2) == 0;
    }
    free(line);
    script->line++;
    return length < 0 ? NULL : text_result(&text);
}

/* The lines up to one with a full stop alone. */
static const char *read_text(struct script *script)
{
    struct text_builder text = {.arena = &script->arena};
    const char *line;

    while ((line = read_line(script)) && strcmp(line, ".") != 0)
        text_add(&text, "%s\n", line);
    return text_result(&text);
}

/* Cuts the next word off a line. */
static const char *take_word(struct script *script, const char **line)
{
    const size_t length = strcspn(*line, " ");
    const char *word = arena_copy_text(&script->arena, *line, length);

    *line += length;
    *line += strspn(*line, " ");
    return word;
}

/* ---- commands ---- */

static void write_file(struct script *script, const char *line)
{
    const char *name = take_word(script, &line);
    FILE *stream = fopen(arena_format(&script->arena, "%s/%s", script->folder, name), "w");

    if (!stream) {
        fail(script, "can't write the file");
        return;
    }
    fputs(read_text(script), stream);
    fclose(stream);
}

static void send_text(struct script *script, const char *line, bool opens)
{
    const char *uri = take_word(script, &line);
    const char *version = opens ? "1" : take_word(script, &line);
    const struct open_text text = {uri, read_text(script)};
    struct text_builder out = {.arena = &script->arena};

    vector_push(&script->texts, &script->arena, text);
    text_add(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/%s\",\"params\":{"
                   "\"textDocument\":{\"uri\":\"%s\",\"version\":%s",
             opens ? "didOpen" : "didChange", uri, version);
    text_add(&out, opens ? ",\"languageId\":\"rnet\",\"text\":"
                         : "},\"contentChanges\":[{\"text\":");
    text_add_json(&out, text.text);
    text_add(&out, opens ? "}}}" : "}]}}");
    client_send(&script->client, text_result(&out));
}

static const char *find_text(const struct script *script, const char *uri)
{
    for (size_t i = script->texts.count; i > 0; i--)
        if (strcmp(script->texts.items[i - 1].uri, uri) == 0)
            return script->texts.items[i - 1].text;
    return NULL;
}

/* Lines and UTF-16 units before `at`. */
static void count_position(const char *text, const char *at, int *line, int *character)
{
    *line = *character = 0;
    for (; text < at; text++) {
        const unsigned char byte = (unsigned char)*text;

        *character += (byte & 0xc0) != 0x80 ? 1 + (byte >= 0xf0) : 0;
        if (byte == '\n') {
            ++*line;
            *character = 0;
        }
    }
}

static void ask(struct script *script, const char *line)
{
    const char *id = take_word(script, &line), *method = take_word(script, &line);
    const char *uri = take_word(script, &line), *text = find_text(script, uri);
    const char *mark = strchr(line, '|'), *at;
    int row, column;

    at = text && mark ? strstr(text, arena_format(&script->arena, "%.*s%s", (int)(mark - line),
                                                  line, mark + 1))
                      : NULL;
    if (!at) {
        fail(script, "there is no such place");
        return;
    }
    count_position(text, at + (mark - line), &row, &column);
    client_send(&script->client,
                arena_format(&script->arena,
                             "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"textDocument/%s\","
                             "\"params\":{\"textDocument\":{\"uri\":\"%s\"},"
                             "\"position\":{\"line\":%d,\"character\":%d}}}",
                             id, method, uri, row, column));
}

static void send_raw(struct script *script, const char *line)
{
    struct text_builder out = {.arena = &script->arena};

    for (; *line; line++) {
        const char *escape = *line == '\\' ? strchr("r\rn\n0\0", line[1]) : NULL;

        text_add_bytes(&out, escape ? escape + 1 : line, 1);
        line += escape != NULL;
    }
    client_send_raw(&script->client, out.data, out.length);
}

/* Whether `message` is the one that `expected` speaks of. */
static bool is_meant(struct json_object *expected, struct json_object *message)
{
    static const char *const keys[] = {"id", "method"};
    struct json_object *a, *b;

    for (size_t i = 0; i < countof(keys); i++) {
        a = b = NULL;
        if (json_object_object_get_ex(expected, keys[i], &a) &&
            (!json_object_object_get_ex(message, keys[i], &b) || !json_object_equal(a, b)))
            return false;
    }
    a = b = NULL;
    if (json_object_object_get_ex(expected, "params", &a) &&
        json_object_object_get_ex(a, "uri", &a) && json_object_object_get_ex(message, "params", &b))
        return json_object_object_get_ex(b, "uri", &b) && json_object_equal(a, b);
    return true;
}

static void expect(struct script *script, const char *line)
{
    struct json_object *expected = json_tokener_parse(line), *message = NULL;

    if (!expected) {
        fail(script, "this is not JSON");
        return;
    }
    do {
        json_object_put(message);
        message = client_receive(&script->client);
    } while (message && !is_meant(expected, message));
    if (!message)
        fail(script, "the server ended");
    else if (!client_matches(expected, message))
        fail(script, "another answer was expected");
    json_object_put(message);
    json_object_put(expected);
}

static void expect_exit(struct script *script, const char *line)
{
    const int status = client_finish(&script->client);

    script->ended = true;
    if (status != atoi(line))
        fail(script, arena_format(&script->arena, "exit status %d", status));
}

static void play_line(struct script *script, const char *line)
{
    const char *command = take_word(script, &line);

    if (strcmp(command, "file") == 0)
        write_file(script, line);
    else if (strcmp(command, "open") == 0 || strcmp(command, "change") == 0)
        send_text(script, line, *command == 'o');
    else if (strcmp(command, "ask") == 0)
        ask(script, line);
    else if (strcmp(command, ">") == 0)
        client_send(&script->client, line);
    else if (strcmp(command, "raw") == 0)
        send_raw(script, line);
    else if (strcmp(command, "<") == 0)
        expect(script, line);
    else if (strcmp(command, "exit") == 0)
        expect_exit(script, line);
    else if (*command && *command != '#')
        fail(script, "unknown command");
}

static void remove_folder(struct script *script)
{
    glob_t found = {0};

    glob(arena_format(&script->arena, "%s/*", script->folder), 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
    rmdir(script->folder);
}

static bool play(const char *path, const char *program)
{
    struct script script = {.path = path, .folder = "/tmp/rnet-lsp-XXXXXX"};
    const char *line;

    script.stream = fopen(path, "r");
    if (!script.stream || !mkdtemp(script.folder)) {
        perror(path);
        return false;
    }
    alarm(LONGEST_WAIT);
    client_start(&script.client, program);
    while (!script.failed && (line = read_line(&script)))
        play_line(&script, line);
    if (!script.ended)
        client_finish(&script.client);
    remove_folder(&script);
    fclose(script.stream);
    arena_release(&script.arena);
    return !script.failed;
}

int main(void)
{
    const char *program = getenv("RNET"), *folder = getenv("RNET_SOURCE_DIR");
    struct arena arena = {0};
    glob_t found = {0};
    size_t failures = 0;

    if (!program || !folder) {
        fputs("RNET and RNET_SOURCE_DIR are not set\n", stderr);
        return 1;
    }
    glob(arena_format(&arena, "%s/tests/lsp/*.exchange", folder), 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        failures += !play(found.gl_pathv[i], program);
    printf("%zu scripts, %zu failed\n", found.gl_pathc, failures);
    failures += found.gl_pathc == 0;
    globfree(&found);
    arena_release(&arena);
    return failures > 0;
}
