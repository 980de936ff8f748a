/* Framing. Whatever bytes come in, reading goes on behind them until the input ends. */
#include "driver/lsp_transport.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LONGEST_HEADER = 256 }; /* of a line; what is beyond is dropped */

/* Makes bytes available; false at the end of the input. */
static bool fill(struct lsp_transport *transport)
{
    ssize_t count;

    if (transport->begin < transport->end)
        return true;
    do
        count = read(transport->in, transport->buffer, sizeof transport->buffer);
    while (count < 0 && errno == EINTR);
    transport->begin = 0;
    transport->end = count > 0 ? (size_t)count : 0;
    return count > 0;
}

static bool read_line(struct lsp_transport *transport, char line[LONGEST_HEADER])
{
    size_t length = 0;

    for (;;) {
        if (!fill(transport))
            return false;
        const char c = transport->buffer[transport->begin++];
        if (c == '\n')
            break;
        if (length + 1 < LONGEST_HEADER)
            line[length++] = c;
    }
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return true;
}

/* The number of a Content-Length line; false if it is another line. */
static bool read_length(const char *line, uint64_t *out)
{
    static const char name[] = "Content-Length:";

    if (strncasecmp(line, name, sizeof name - 1) != 0)
        return false;
    line += sizeof name - 1;
    line += strspn(line, " \t");
    if (*line < '0' || *line > '9')
        return false;
    for (*out = 0; *line >= '0' && *line <= '9'; line++)
        *out = *out > UINT64_MAX / 20 ? UINT64_MAX / 2 : *out * 10 + (uint64_t)(*line - '0');
    return true;
}

/* Reads lines up to the empty one behind a length. */
static bool read_header(struct lsp_transport *transport, uint64_t *out_length)
{
    char line[LONGEST_HEADER];
    bool has_length = false;

    while (read_line(transport, line)) {
        if (line[0] == '\0' && has_length)
            return true;
        has_length = read_length(line, out_length) || has_length;
    }
    return false;
}

/* Takes up to `size` bytes, to `bytes` unless it is NULL; 0 at the end of the input. */
static size_t take(struct lsp_transport *transport, char *bytes, uint64_t size)
{
    size_t count;

    if (!fill(transport))
        return 0;
    count = transport->end - transport->begin;
    if (count > size)
        count = (size_t)size;
    if (bytes)
        memcpy(bytes, transport->buffer + transport->begin, count);
    transport->begin += count;
    return count;
}

enum lsp_arrival lsp_receive(struct lsp_transport *transport, struct arena *arena,
                             const char **out_bytes, size_t *out_size)
{
    uint64_t length = 0;
    char *bytes = NULL;

    if (!read_header(transport, &length))
        return LSP_END;
    if (length <= LSP_LARGEST_MESSAGE)
        bytes = arena_alloc(arena, (size_t)length + 1);
    for (uint64_t done = 0; done < length;) {
        const size_t count = take(transport, bytes ? bytes + done : NULL, length - done);

        if (count == 0)
            return LSP_END;
        done += count;
    }
    *out_bytes = bytes;
    *out_size = (size_t)length;
    return bytes ? LSP_MESSAGE : LSP_TOO_LARGE;
}

bool lsp_is_waiting(const struct lsp_transport *transport)
{
    struct pollfd state = {.fd = transport->in, .events = POLLIN};

    return transport->begin < transport->end || poll(&state, 1, 0) > 0;
}

static void write_all(struct lsp_transport *transport, const char *bytes, size_t size)
{
    while (size > 0 && !transport->failed) {
        const ssize_t count = write(transport->out, bytes, size);

        if (count < 0 && errno == EINTR)
            continue;
        transport->failed = count <= 0;
        if (transport->failed)
            return;
        bytes += count;
        size -= (size_t)count;
    }
}

void lsp_send(struct lsp_transport *transport, const char *bytes, size_t size)
{
    char header[64];
    const int length = snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", size);

    write_all(transport, header, (size_t)length);
    write_all(transport, bytes, size);
}
