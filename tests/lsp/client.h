/* A client of the language server: starts one, sends it messages, receives its own. */
#ifndef TESTS_LSP_CLIENT_H
#define TESTS_LSP_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct client {
    pid_t child;
    FILE *to, *from;
};

/* Starts `program lsp`. Ends the process if that fails. */
void client_start(struct client *client, const char *program);

/* Sends bytes as they are. */
void client_send_raw(struct client *client, const char *bytes, size_t size);

/* Sends one message, with its header. */
void client_send(struct client *client, const char *message);

/* The next message, which the caller releases; NULL at the end. */
struct json_object *client_receive(struct client *client);

/* Closes the server's input and gives its exit status. */
int client_finish(struct client *client);

/* Whether `actual` has all that `expected` asks for; else says where not, on standard error.
 * Objects may have further members. {"$has": text}: text that holds it; {"$lacks": text};
 * {"$some": [...]}: each matches an element; {"$none": [...]}: none matches any. */
bool client_matches(struct json_object *expected, struct json_object *actual);

#endif
