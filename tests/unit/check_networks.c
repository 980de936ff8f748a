/* The shipped networks: each elaborates and has the parameters that it is published with. */
#include <time.h>

#include "tests/unit/elaborate_fixture.h"
#include "tests/unit/shipped_networks.h"

/* Gives the fixture the options "NAME=VALUE NAME=VALUE". */
static void define_all(struct fixture *fixture, const char *options)
{
    char *text = arena_copy_text(&fixture->arena, options, strlen(options));

    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *equals = strchr(word, '=');

        *equals = '\0';
        fixture_define(fixture, word, equals + 1);
    }
}

static int entry_count(const struct graph *graph)
{
    int count = 0;

    for (size_t i = 0; i < graph->tensors.count; i++)
        count += graph->tensors.items[i].name != NULL;
    return count;
}

START_TEST(parameter_counts)
{
    for (size_t i = 0; i < countof(shipped_networks); i++) {
        const struct shipped_network *network = &shipped_networks[i];
        struct fixture f;

        fixture_begin(&f);
        define_all(&f, network->options);
        ck_assert_msg(
            fixture_elaborate_file(&f, arena_format(&f.arena, "examples/%s.rnet", network->file)),
            "%s %s: %s", network->file, network->options, fixture_codes(&f));
        ck_assert_ptr_null(graph_check(f.out.graph));
        ck_assert_msg(fixture_parameter_count(&f) == network->parameters,
                      "%s %s has %lld parameters", network->file, network->options,
                      (long long)fixture_parameter_count(&f));
        if (network->entries > 0)
            ck_assert_msg(entry_count(f.out.graph) == network->entries, "%s %s has %d entries",
                          network->file, network->options, entry_count(f.out.graph));
        fixture_end(&f);
    }
}
END_TEST

/* Elaborates a file and expects parameters of these names and shapes; a shape of NULL: absent. */
static void expect_parameters(const char *path, const char *const (*parameters)[2], size_t count)
{
    struct fixture f;

    fixture_begin(&f);
    ck_assert_msg(fixture_elaborate_file(&f, path), "%s: %s", path, fixture_codes(&f));
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = fixture_find(&f, parameters[i][0]);

        ck_assert_msg((tensor != NULL) == (parameters[i][1] != NULL), "%s: %s", path,
                      parameters[i][0]);
        if (tensor && tensor->kind == TENSOR_PARAMETER)
            ck_assert_str_eq(tensor_shape_text(tensor, &f.arena), parameters[i][1]);
    }
    fixture_end(&f);
}

/* The names of the published checkpoints. */
START_TEST(published_names)
{
    static const char *const cifar[][2] = {
        {"conv1.weight", "[16, 3, 3, 3]"},
        {"bn1.running_mean", "[16]"},
        {"layer1.0.conv1.weight", "[16, 16, 1, 1]"},
        {"layer1.0.downsample.0.weight", "[64, 16, 1, 1]"},
        {"layer1.0.downsample.1.weight", "[64]"},
        {"layer1.0.bn3.weight", "[64]"},
        {"layer1.2.bn0.weight", "[64]"},
        {"layer2.0.downsample.1.weight", "[128, 64, 1, 1]"},
        {"layer2.0.downsample.2.num_batches_tracked", ""},
        {"layer3.17.bn3.weight", "[256]"},
        {"fc.weight", "[10, 256]"},
        {"fc.bias", "[10]"},
        {"layer1.0.bn0.weight", NULL},
        {"layer1.1.bn0.weight", NULL},
        {"layer1.2.bn3.weight", NULL},
        {"layer2.0.downsample.0.weight", NULL},
    };
    static const char *const imagenet[][2] = {
        {"conv1.weight", "[64, 3, 7, 7]"},
        {"layer1.0.downsample.1.weight", "[256, 64, 1, 1]"},
        {"layer1.0.downsample.2.bias", "[256]"},
        {"layer1.1.conv2.weight", "[64, 64, 3, 3]"},
        {"layer4.2.bn0.weight", "[2048]"},
        {"fc.weight", "[1000, 2048]"},
        {"layer1.0.downsample.0.weight", NULL},
    };
    static const char *const preact[][2] = {
        {"layer1.0.bn0.weight", NULL},
        {"layer1.1.bn0.weight", "[256]"},
        {"layer2.0.bn0.weight", "[256]"},
        {"norm.weight", "[2048]"},
    };

    expect_parameters("examples/cifar/iresnet.rnet", cifar, countof(cifar));
    expect_parameters("examples/imagenet/iresnet.rnet", imagenet, countof(imagenet));
    expect_parameters("examples/imagenet/preact_resnet.rnet", preact, countof(preact));
}
END_TEST

START_TEST(names_of_videos_detectors_and_others)
{
    static const char *const video[][2] = {
        {"conv1.weight", "[64, 3, 5, 7, 7]"},
        {"layer1.0.conv2.weight", "[64, 64, 3, 3, 3]"},
        {"layer1.0.downsample.1.weight", "[256, 64, 1, 1, 1]"},
        {"fc.weight", "[400, 2048]"},
    };
    static const char *const ssd[][2] = {
        {"feature_extractor.conv1.weight", "[64, 3, 7, 7]"},
        {"feature_extractor.layer3.5.conv3.weight", "[1024, 256, 1, 1]"},
        {"loc.0.weight", "[16, 1024, 3, 3]"},
        {"loc.5.bias", "[16]"},
        {"conf.1.weight", "[486, 512, 3, 3]"},
        {"additional_blocks.0.0.weight", "[256, 1024, 1, 1]"},
        {"additional_blocks.0.3.weight", "[512, 256, 3, 3]"},
        {"additional_blocks.4.4.weight", "[256]"},
        {"feature_extractor.layer4.0.conv1.weight", NULL},
        {"additional_blocks.5.0.weight", NULL},
    };
    static const char *const convnext[][2] = {
        {"downsample_layers.0.0.weight", "[96, 3, 4, 4]"},
        {"downsample_layers.1.1.weight", "[192, 96, 2, 2]"},
        {"stages.2.8.dwconv.weight", "[384, 1, 7, 7]"},
        {"stages.0.0.gamma.weight", "[96]"},
        {"head.bias", "[1000]"},
    };
    static const char *const squeeze[][2] = {
        {"layer1.0.se.fc1.weight", "[16, 256, 1, 1]"},
        {"layer4.2.se.fc2.bias", "[2048]"},
    };

    expect_parameters("examples/video/iresnet3d.rnet", video, countof(video));
    expect_parameters("examples/coco/ssd300.rnet", ssd, countof(ssd));
    expect_parameters("examples/beyond/convnext.rnet", convnext, countof(convnext));
    expect_parameters("examples/beyond/se_resnet.rnet", squeeze, countof(squeeze));
}
END_TEST

START_TEST(outputs_of_the_detector)
{
    static const char *const shapes[] = {"[8732, 4]", "[8732, 81]"};
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate_file(&f, "examples/coco/ssd300.rnet"));
    ck_assert_uint_eq(f.out.graph->outputs.count, countof(shapes));
    for (size_t i = 0; i < countof(shapes); i++) {
        const struct graph_output *output = &f.out.graph->outputs.items[i];

        ck_assert_str_eq(tensor_shape_text(&f.out.graph->tensors.items[output->tensor], &f.arena),
                         shapes[i]);
        ck_assert_str_eq(output->name, f.out.recipe.loss_outputs.items[i].name);
    }
    ck_assert_int_eq(f.out.recipe.loss, LOSS_MULTIBOX);
    fixture_end(&f);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__
static const double slowest = 3;
#else
static const double slowest = 0.1;
#endif

/* Depth is free: the deepest network of all takes a fraction of a second. The best of three. */
START_TEST(depth_is_cheap)
{
    double best = 1e9;

    for (int i = 0; i < 3; i++) {
        const clock_t begin = clock();
        struct fixture f;
        double seconds;

        fixture_begin(&f);
        fixture_define(&f, "depth", "3002");
        ck_assert(fixture_elaborate_file(&f, "examples/cifar/iresnet.rnet"));
        fixture_end(&f);
        seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
        best = seconds < best ? seconds : best;
    }
    ck_assert_double_lt(best, slowest);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        parameter_counts,        published_names, names_of_videos_detectors_and_others,
        outputs_of_the_detector, depth_is_cheap,
    };

    return run_suite("networks", tests, countof(tests));
}
