/* Names and shapes of all parameters are those of the published checkpoints: each network of
 * families.txt is elaborated, and compared with a list written down here from what is known of the
 * published modules. The generator knows modules and their order, and nothing of rnet. */
#include <stdio.h>

#include "base/table.h"
#include "tests/unit/elaborate_fixture.h"

enum { STAGES = 4, LONGEST_LINE = 256, LONGEST_WORD = 32 };

struct family {
    char network[LONGEST_WORD], projection[LONGEST_WORD], kind[LONGEST_WORD];
    int depth, blocks[STAGES], width, out, groups[STAGES];
    int parameters, tensors;
};

/* ---- what is expected ---- */

struct expected {
    struct arena *arena;
    struct table shapes; /* name -> number in `texts` */
    VECTOR(const char *) texts;
};

static void expect(struct expected *expected, const char *name, const char *shape)
{
    table_set(&expected->shapes, name, strlen(name), expected->texts.count);
    vector_push(&expected->texts, expected->arena, shape);
}

static void expect_convolution(struct expected *expected, const char *path, int out, int in,
                               int side)
{
    expect(expected, arena_format(expected->arena, "%s.weight", path),
           arena_format(expected->arena, "[%d, %d, %d, %d]", out, in, side, side));
}

static void expect_norm(struct expected *expected, const char *path, int channels)
{
    static const char *const suffixes[] = {"weight", "bias", "running_mean", "running_var"};

    for (size_t i = 0; i < countof(suffixes); i++)
        expect(expected, arena_format(expected->arena, "%s.%s", path, suffixes[i]),
               arena_format(expected->arena, "[%d]", channels));
    expect(expected, arena_format(expected->arena, "%s.num_batches_tracked", path), "[]");
}

/* One block of a stage. */
struct place {
    const struct family *family;
    const char *path;
    int stage, index, in;
};

static bool is_first(const struct place *place)
{
    return place->index == 0;
}

static bool is_last(const struct place *place)
{
    return place->index == place->family->blocks[place->stage] - 1;
}

static const char *member(struct expected *expected, const struct place *place, const char *name)
{
    return arena_format(expected->arena, "%s.%s", place->path, name);
}

/* The signal changes channels, or space where no pool alone does it. */
static void expect_projection(struct expected *expected, const struct place *place, int out)
{
    const int first = strcmp(place->family->projection, "pool") == 0;

    if (!is_first(place) || place->in == out)
        return;
    expect_convolution(expected,
                       member(expected, place,
                              arena_format(expected->arena, "downsample.%d", first)),
                       out, place->in, 1);
    expect_norm(expected,
                member(expected, place, arena_format(expected->arena, "downsample.%d", first + 1)),
                out);
}

static void expect_branch(struct expected *expected, const struct place *place, int width, int out)
{
    const struct family *family = place->family;

    if (family->depth < 50) {
        expect_convolution(expected, member(expected, place, "conv1"), out, place->in, 3);
        expect_norm(expected, member(expected, place, "bn1"), out);
        expect_convolution(expected, member(expected, place, "conv2"), out, out, 3);
        return;
    }
    expect_convolution(expected, member(expected, place, "conv1"), width, place->in, 1);
    expect_norm(expected, member(expected, place, "bn1"), width);
    expect_convolution(expected, member(expected, place, "conv2"), width,
                       width / family->groups[place->stage], 3);
    expect_norm(expected, member(expected, place, "bn2"), width);
    expect_convolution(expected, member(expected, place, "conv3"), out, width, 1);
}

static void expect_block(struct expected *expected, const struct place *place)
{
    const struct family *family = place->family;
    const int out = family->out << place->stage;
    const bool staged = strcmp(family->kind, "staged") == 0;
    const char *last = family->depth < 50 ? "bn2" : "bn3";

    if (staged && place->index > 1)
        expect_norm(expected, member(expected, place, "bn0"), place->in);
    expect_branch(expected, place, family->width << place->stage, out);
    if (!staged || is_first(place) || is_last(place))
        expect_norm(expected, member(expected, place, last), out);
    expect_projection(expected, place, out);
}

static void expect_family(struct expected *expected, const struct family *family)
{
    int channels = 64;

    expect_convolution(expected, "conv1", channels, 3, 7);
    expect_norm(expected, "bn1", channels);
    for (int stage = 0; stage < STAGES; stage++) {
        for (int index = 0; index < family->blocks[stage]; index++) {
            const char *path =
                arena_format(expected->arena, "layer%d.%d", stage + 1, index);
            const struct place place = {family, path, stage, index, channels};

            expect_block(expected, &place);
            channels = family->out << stage;
        }
    }
    expect(expected, "fc.weight", arena_format(expected->arena, "[1000, %d]", channels));
    expect(expected, "fc.bias", "[1000]");
}

/* ---- the comparison ---- */

static const char *shape_text(const struct tensor *tensor, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    for (int axis = 0; axis < tensor->rank; axis++)
        text_add(&text, "%s%d", axis == 0 ? "" : ", ", tensor->shape[axis]);
    return arena_format(arena, "[%s]", text_result(&text));
}

static void compare(const struct family *family, struct fixture *fixture,
                    const struct expected *expected)
{
    const struct graph *graph = fixture->out.graph;
    size_t found = 0;

    for (size_t i = 0; i < graph->tensors.count; i++) {
        const struct tensor *tensor = &graph->tensors.items[i];
        const struct table_entry *entry;

        if (!tensor->name)
            continue;
        entry = table_find(&expected->shapes, tensor->name, strlen(tensor->name));
        ck_assert_msg(entry != NULL, "%s-%d has %s", family->network, family->depth, tensor->name);
        ck_assert_str_eq(shape_text(tensor, &fixture->arena), expected->texts.items[entry->value]);
        found++;
    }
    ck_assert_uint_eq(found, expected->shapes.count);
    ck_assert_uint_eq(found, (size_t)family->tensors);
    ck_assert_int_eq(fixture_parameter_count(fixture), family->parameters);
}

static void check_family(const struct family *family)
{
    struct fixture fixture;
    struct expected expected;

    fixture_begin(&fixture);
    expected = (struct expected){&fixture.arena, {.arena = &fixture.arena}, {0}};
    fixture_define(&fixture, "depth", arena_format(&fixture.arena, "%d", family->depth));
    ck_assert_msg(fixture_elaborate_file(
                      &fixture, arena_format(&fixture.arena, "examples/imagenet/%s.rnet",
                                             family->network)),
                  "%s: %s", family->network, fixture_codes(&fixture));
    expect_family(&expected, family);
    compare(family, &fixture, &expected);
    fixture_end(&fixture);
}

static bool read_family(const char *line, struct family *out)
{
    int *b = out->blocks, *g = out->groups;

    return line[0] != '#' &&
           sscanf(line, " %31s %d %d,%d,%d,%d %d %d %d,%d,%d,%d %31s %31s %d %d", out->network,
                  &out->depth, &b[0], &b[1], &b[2], &b[3], &out->width, &out->out, &g[0], &g[1],
                  &g[2], &g[3], out->projection, out->kind, &out->parameters,
                  &out->tensors) == 16;
}

START_TEST(names_are_those_of_published_checkpoints)
{
    enum { FAMILIES = 33 };
    const char *folder = getenv("RNET_SOURCE_DIR");
    char line[LONGEST_LINE];
    struct family family;
    int count = 0;
    FILE *file;

    snprintf(line, sizeof line, "%s/tests/paper/families.txt", folder ? folder : ".");
    file = fopen(line, "r");
    ck_assert_msg(file != NULL, "can't read %s", line);
    while (fgets(line, sizeof line, file)) {
        if (!read_family(line, &family))
            continue;
        check_family(&family);
        count++;
    }
    fclose(file);
    ck_assert_int_eq(count, FAMILIES);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {names_are_those_of_published_checkpoints};

    return run_suite("names", tests, countof(tests));
}
