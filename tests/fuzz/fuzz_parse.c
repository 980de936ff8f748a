/* Any bytes give a tree or diagnostics that can be printed. Faster than fuzz_language, so that it
 * reaches further into the lexer, the line-end filter and the recovery from syntax errors. */
#include <string.h>

#include "lang/ast.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 5000;

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    static const char *const seeds[] = {
        "use layers\n"
        "block a(out, stride = 1) = conv1: conv(3, out, stride = stride) >> bn1: bn\n"
        "block b(n) {\n    require n > 0 and n < 9, \"n is small\"\n"
        "    (a(n) >> relu) + identity\n}\n",
        "stage s(count, body) {\n    let last = if index > 1 then body(8) else -2 ^ 3\n"
        "    start = last >> layer{index + 1}: relu\n    middle = [identity, last] * 2\n}\n",
        "network n(depth = 50) {\n    input image(3, 32, 32)\n"
        "    for i, n in {50: [3, 4], 101: [1..2]}[depth] {\n        loc.{i}: s(n, a(8))\n    }\n"
        "    output c = linear(10, input.channels / 1e3)\n}\n",
        "recipe r(size = 8) {\n    epochs = 90 // comment\n    at = [30, 60,\n        80]\n}\n"
        "train n = r(8)\ntrain n { batch = not true or 0.5 != 2 % 3 }\n",
    };
    if (number < 0 || (size_t)number >= countof(seeds) || strlen(seeds[number]) > capacity)
        return 0;
    memcpy(bytes, seeds[number], strlen(seeds[number]));
    return strlen(seeds[number]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct source_set sources;
    struct diagnostics diagnostics;
    source_set_init(&sources, &arena);
    diagnostics_init(&diagnostics, &arena, &sources);
    uint32_t source = source_add(&sources, "fuzz.rnet", (const char *)data, size);
    FILE *sink = fopen("/dev/null", "w");
    ast_print(parse(&sources, &diagnostics, source), &sources, sink);
    ast_print(parse_expression(&sources, &diagnostics, source), &sources, sink);
    diagnostics_print(&diagnostics, sink, true);
    fclose(sink);
    arena_release(&arena);
    return 0;
}
