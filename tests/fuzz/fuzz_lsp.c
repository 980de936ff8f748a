/* Any bytes on the language server's input: it answers what it can and ends with the input.
 *
 * A seed is a conversation without headers, one message a line; the target adds the headers, so
 * that mutations reach what is behind them. Lines that begin with `!` go out as they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "driver/lsp.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 1500;

#define PLACE(method, line, character)                                                             \
    "{\"id\":1,\"method\":\"textDocument/" method "\",\"params\":{\"textDocument\":{"              \
    "\"uri\":\"file:///a.rnet\"},\"position\":{\"line\":" #line ",\"character\":" #character "}}}\n"
#define OPEN(text)                                                                                 \
    "{\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{"                          \
    "\"uri\":\"file:///a.rnet\",\"version\":1,\"text\":\"" text "\"}}}\n"
#define CHANGE(text)                                                                               \
    "{\"method\":\"textDocument/didChange\",\"params\":{\"textDocument\":{"                        \
    "\"uri\":\"file:///a.rnet\",\"version\":2},\"contentChanges\":[{\"text\":\"" text "\"}]}}\n"
#define INITIALIZE "{\"id\":0,\"method\":\"initialize\",\"params\":{}}\n"
#define WHOLE(method)                                                                              \
    "{\"id\":2,\"method\":\"textDocument/" method "\",\"params\":{\"textDocument\":{"              \
    "\"uri\":\"file:///a.rnet\"}}}\n"

#define NETWORK                                                                                    \
    "// A block.\\nblock b(out, stride = 1) = conv1: conv(3, out, stride = stride) >> bn\\n"       \
    "network a(n = 2) {\\n    let w = 8\\n    input image(3, 8, 8)\\n"                             \
    "    for i, k in [w, 4] {\\n        layer{i}: b(k)\\n    }\\n"                                 \
    "    (b(4) >> relu) + identity\\n    b(out = 4, )\\n}\\n"

static const char *const seeds[] = {
    INITIALIZE OPEN(NETWORK) PLACE("hover", 1, 30) PLACE("hover", 6, 18) PLACE("hover", 8, 17)
        PLACE("definition", 6, 19) PLACE("completion", 9, 15) PLACE("completion", 6, 10),
    INITIALIZE OPEN("block \u00e9\U0001f600 = [\\n") CHANGE(NETWORK) WHOLE("documentSymbol")
        WHOLE("formatting") PLACE("completion", 1, 3),
    INITIALIZE OPEN("stage s(count) {\\n    let x = {50: [1, 2]}[count]\\n    start = x\\n")
        PLACE("completion", 2, 12) PLACE("hover", 2, 13) CHANGE("recipe r {\\n    data = \\n")
            PLACE("completion", 1, 11) WHOLE("formatting"),
    INITIALIZE OPEN("use a\\nlet x = y\\n") PLACE("definition", 0, 5) "{\"id\":3,\"method\":"
               "\"textDocument/didClose\"}\n{\"method\":\"textDocument/didClose\",\"params\":{"
               "\"textDocument\":{\"uri\":\"file:///a.rnet\"}}}\n{\"id\":4,\"method\":\"shutdown\"}"
               "\n{\"method\":\"exit\"}\n",
    "!Content-Length: 12\r\n\r\n{\"id\":1}    !\r\nContent-Length: 5\n\n[1,2]\n" INITIALIZE
    "[]\n{\"id\":[],\"method\":\"a\"}\n!Content-Length: 99999999999\n",
};

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    size_t size;

    if ((size_t)number >= countof(seeds))
        return 0;
    size = strlen(seeds[number]);
    if (size > capacity)
        size = capacity;
    memcpy(bytes, seeds[number], size);
    return size;
}

/* Adds headers to the lines. */
static void frame(struct text_builder *out, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        const size_t length = end ? (size_t)(end - bytes) : size;
        const bool is_raw = *bytes == '!';

        if (!is_raw)
            text_add(out, "Content-Length: %zu\r\n\r\n", length);
        text_add_bytes(out, bytes + is_raw, length - is_raw);
        if (is_raw)
            text_add(out, "\n");
        bytes += length + (end != NULL);
        size -= length + (end != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};
    struct lsp_server *server = ARENA_NEW(&arena, struct lsp_server);

    frame(&text, (const char *)data, size);
    server->transport.in = memfd_create("input", 0);
    server->transport.out = open("/dev/null", O_WRONLY);
    if (server->transport.in < 0 || server->transport.out < 0 ||
        write(server->transport.in, text.data, text.length) != (ssize_t)text.length ||
        lseek(server->transport.in, 0, SEEK_SET) != 0)
        abort();
    lsp_serve(server);
    close(server->transport.in);
    close(server->transport.out);
    arena_release(&arena);
    return 0;
}
