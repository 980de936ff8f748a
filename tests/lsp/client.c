/* The two pipes to a server, and comparing what it says with what is expected. */
#include "tests/lsp/client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

void client_start(struct client *client, const char *program)
{
    int in[2], out[2];

    signal(SIGPIPE, SIG_IGN);
    if (pipe(in) != 0 || pipe(out) != 0)
        die("pipe");
    client->child = fork();
    if (client->child < 0)
        die("fork");
    if (client->child == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execl(program, program, "lsp", (char *)NULL);
        die(program);
    }
    close(in[0]);
    close(out[1]);
    client->to = fdopen(in[1], "w");
    client->from = fdopen(out[0], "r");
    if (!client->to || !client->from)
        die("fdopen");
}

void client_send_raw(struct client *client, const char *bytes, size_t size)
{
    fwrite(bytes, 1, size, client->to);
    fflush(client->to);
}

void client_send(struct client *client, const char *message)
{
    fprintf(client->to, "Content-Length: %zu\r\n\r\n%s", strlen(message), message);
    fflush(client->to);
}

struct json_object *client_receive(struct client *client)
{
    char line[256];
    size_t size = 0;
    struct json_object *message;
    char *bytes;

    while (fgets(line, sizeof line, client->from) && strcmp(line, "\r\n") != 0)
        if (strncmp(line, "Content-Length: ", 16) == 0)
            size = strtoul(line + 16, NULL, 10);
    if (size == 0)
        return NULL;
    bytes = calloc(size + 1, 1);
    if (!bytes || fread(bytes, 1, size, client->from) != size)
        die("the server's message");
    message = json_tokener_parse(bytes);
    if (!message)
        fprintf(stderr, "the server sent no JSON: %s\n", bytes);
    free(bytes);
    return message;
}

int client_finish(struct client *client)
{
    int state = 0;

    fclose(client->to);
    while (fgetc(client->from) != EOF)
        continue;
    fclose(client->from);
    waitpid(client->child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

/* ---- matching ---- */

static bool compare(struct json_object *expected, struct json_object *actual, bool tells);

static bool complain(bool tells, struct json_object *expected, struct json_object *actual)
{
    if (tells)
        fprintf(stderr, "expected %s\nbut got  %s\n", json_object_to_json_string(expected),
                json_object_to_json_string(actual));
    return false;
}

static bool has_match(struct json_object *element, struct json_object *array)
{
    if (!json_object_is_type(array, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(array); i++)
        if (compare(element, json_object_array_get_idx(array, i), false))
            return true;
    return false;
}

/* Each of `expected` has a match in `actual`, or, if not `wanted`, none of them has one. */
static bool compare_some(struct json_object *expected, struct json_object *actual, bool wanted,
                         bool tells)
{
    for (size_t i = 0; i < json_object_array_length(expected); i++) {
        struct json_object *element = json_object_array_get_idx(expected, i);

        if (has_match(element, actual) != wanted)
            return complain(tells, element, actual);
    }
    return true;
}

/* An object with a `$` member; false if `expected` is none. */
static bool compare_special(struct json_object *expected, struct json_object *actual, bool tells,
                            bool *out)
{
    const char *text = json_object_is_type(actual, json_type_string)
                           ? json_object_get_string(actual)
                           : NULL;
    struct json_object *wanted;

    if (json_object_object_get_ex(expected, "$some", &wanted))
        *out = compare_some(wanted, actual, true, tells);
    else if (json_object_object_get_ex(expected, "$none", &wanted))
        *out = compare_some(wanted, actual, false, tells);
    else if (json_object_object_get_ex(expected, "$has", &wanted))
        *out = (text && strstr(text, json_object_get_string(wanted))) ||
               complain(tells, expected, actual);
    else if (json_object_object_get_ex(expected, "$lacks", &wanted))
        *out = (text && !strstr(text, json_object_get_string(wanted))) ||
               complain(tells, expected, actual);
    else
        return false;
    return true;
}

static bool compare_objects(struct json_object *expected, struct json_object *actual, bool tells)
{
    bool result;

    if (compare_special(expected, actual, tells, &result))
        return result;
    if (!json_object_is_type(actual, json_type_object))
        return complain(tells, expected, actual);
    json_object_object_foreach(expected, name, value) {
        struct json_object *member = NULL;

        if (!json_object_object_get_ex(actual, name, &member))
            return complain(tells, expected, actual);
        if (!compare(value, member, tells))
            return false;
    }
    return true;
}

static bool compare(struct json_object *expected, struct json_object *actual, bool tells)
{
    if (json_object_is_type(expected, json_type_object))
        return compare_objects(expected, actual, tells);
    if (!json_object_is_type(expected, json_type_array))
        return json_object_equal(expected, actual) || complain(tells, expected, actual);
    if (!json_object_is_type(actual, json_type_array) ||
        json_object_array_length(expected) != json_object_array_length(actual))
        return complain(tells, expected, actual);
    for (size_t i = 0; i < json_object_array_length(expected); i++)
        if (!compare(json_object_array_get_idx(expected, i),
                     json_object_array_get_idx(actual, i), tells))
            return false;
    return true;
}

bool client_matches(struct json_object *expected, struct json_object *actual)
{
    return compare(expected, actual, true);
}
