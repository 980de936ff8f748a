/* Any text in memory gives a graph that the verifier accepts, or diagnostics. Unlike fuzz_language
 * it opens no file but those of the standard library, and its limits are low: more runs a second.
 * The seeds are dense in what elaboration does: stages, labels, joins, outputs, recipes. */
#include <stdlib.h>
#include <string.h>

#include "compiler/elaborate.h"
#include "tests/fuzz/fuzz.h"

enum { LAYERS = 2000 };

const int fuzz_runs = 8000;

static const char *const seeds[] = {
    "block branch(out, stride = 1) = conv1: conv(3, out, stride = stride) >> bn1: bn >> relu\n"
    "block way(out, stride) = if stride == 1 and input.channels == out then identity else\n"
    "    down: (max_pool(3, stride = stride) >> conv(1, out))\n"
    "stage s(count, out, stride, body, way = way) {\n    let last = bn{index}: bn\n"
    "    require count > 0, \"some\"\n"
    "    start = (body(out, stride) >> last) + way(out, stride)\n"
    "    middle = (body(out) + identity) >> relu\n    end = last\n}\n"
    "network n(depth = 20, classes = 10) {\n    input image(3, 32, 32)\n"
    "    let xs = {20: [2, 3], 32: [5, 5]}[depth]\n    conv1: conv(3, 4) >> relu\n"
    "    for i, n in xs {\n        layer{i + 1}: s(n, 4 * 2 ^ i, stride = i + 1, body = branch)\n"
    "    }\n    output aux = repeat(2, bn)\n"
    "    global_avg_pool >> fc: linear(classes, bias = true)\n}\n",
    "block f(g, n = 3) = g(g, n + 1) + identity\nlet k = f(f)\nlet odd = conv(kernel = 5)\n"
    "network n(flag = false) {\n    input video(3, 4, 8, 8)\n"
    "    odd(8, stride = [1, 2, 2]) >> a.{2}: (bn(epsilon = 1e-3) >> avg_pool(2))\n"
    "    if flag then k else identity\n    let t = sum([1, 2][0..2]) / len([3])\n"
    "    conv(1, input.channels * t, groups = 2, padding = 1, dilation = 2)\n}\n",
    "network n {\n    input image(1, 8, 8)\n    global_avg_pool >> linear(2)\n}\n"
    "recipe r(rate, size = 8) {\n    data = if size == 8 then shapes else cifar10\n"
    "    augment = pad(4) >> random_crop(size) >> horizontal_flip\n    epochs = 3\n    batch = 2\n"
    "    init = he_normal(fan_in)\n    optimizer = sgd(rate, momentum = 0.9)\n"
    "    schedule = warmup(1) >> step(at = [1, 2], factor = 0.1)\n}\ntrain n = r(0.1)\n",
    "block se(r = 2) = identity * (global_avg_pool >> conv(1, input.channels / r) >> relu >>\n"
    "    conv(1, input.channels) >> sigmoid)\n"
    "block dense(growth) = [identity, norm: bn >> conv: conv(3, growth)]\n"
    "block level(width, inner) = down: conv(3, width) >>\n"
    "    [identity, max_pool(2, stride = 2) >> inner: inner >> resize(2)] >>\n"
    "    up: conv(3, width)\n"
    "block head(boxes) {\n    output loc = loc: conv(3, 4 * boxes) >> rows(4)\n"
    "    output conf = conf: conv(3, 3 * boxes) >> rows(3)\n}\n"
    "network n(body = dense, k = 2) {\n    input image(4, 16, 16)\n"
    "    let parts = [se, [bn, relu * scale(0.5)]]\n    a: parts >> repeat(k, body(4)) >> se(4)\n"
    "    b: level(4, level(8, conv(1, 8))) >> fine: head(2)\n"
    "    max_pool(2) >> coarse: head(3)\n"
    "    output loc = c: conv(1, 8) >> rows(4)\n"
    "    drop_path(0.1 * k) * identity + [layer_norm]\n}\n"
    "train n {\n    data = coco\n    augment = ssd_crop(16) >> color_jitter(hue = 0.1)\n"
    "    evaluate = resize([16, 16])\n    loss = multibox(loc, conf)\n"
    "    zero_init = [norm, conv]\n"
    "    epochs = 1\n    batch = 2\n    accumulate = 2\n    clip = 1.0\n    ema = 0.99\n"
    "    optimizer = sgd(0.1, momentum = 0.9, nesterov = true, decay = weights)\n}\n",
};

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
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
    struct elaboration out;
    source_set_init(&sources, &arena);
    diagnostics_init(&diagnostics, &arena, &sources);
    uint32_t source = source_add(&sources, "fuzz.rnet", (const char *)data, size);
    if (elaborate_source(&arena, &sources, &diagnostics, source,
                         &(struct elaborate_options){.layer_limit = LAYERS}, &out) &&
        graph_check(out.graph))
        abort();
    arena_release(&arena);
    return 0;
}
