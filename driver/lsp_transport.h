/* Messages of the Language Server Protocol on file descriptors: a header that tells the length, an
 * empty line, then the bytes. */
#ifndef DRIVER_LSP_TRANSPORT_H
#define DRIVER_LSP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum {
    LSP_LARGEST_MESSAGE = 64 << 20,
    LSP_BUFFER = 1 << 16,
};

enum lsp_arrival {
    LSP_MESSAGE,
    LSP_TOO_LARGE, /* a message beyond LSP_LARGEST_MESSAGE was skipped */
    LSP_END,       /* no whole message is left */
};

struct lsp_transport {
    int in, out;
    bool failed; /* nothing can be written any more */
    size_t begin, end; /* what is read and not yet taken of `buffer` */
    char buffer[LSP_BUFFER];
};

/* Waits for the next message. Its bytes are in the arena, followed by a NUL that `*out_size` does
 * not count. Lines that are no header are skipped. */
enum lsp_arrival lsp_receive(struct lsp_transport *transport, struct arena *arena,
                             const char **out_bytes, size_t *out_size);

/* Whether something was sent that is not yet received. */
bool lsp_is_waiting(const struct lsp_transport *transport);

void lsp_send(struct lsp_transport *transport, const char *bytes, size_t size);

#endif
