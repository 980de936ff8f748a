/* Recipes: settings, words and their arguments, and what -D changes. */
#include "compiler/compilable.h"
#include "tests/unit/elaborate_fixture.h"

static const char network[] = "network n(classes = 10) {\n input image(3, 8, 8)\n"
                              " global_avg_pool >> linear(classes)\n}\n";

static bool elaborate_recipe(struct fixture *f, const char *recipe)
{
    return fixture_elaborate(f, arena_format(&f->arena, "%s%s", network, recipe));
}

static void expect_codes(const char *setting, const char *codes)
{
    struct fixture f;

    fixture_begin(&f);
    elaborate_recipe(&f, arena_format(&f.arena,
                                      "train n {\n epochs = 1\n batch = 1\n"
                                      " optimizer = sgd(0.1)\n %s\n}\n",
                                      setting));
    ck_assert_msg(strcmp(fixture_codes(&f), codes) == 0, "%s gave %s", setting, fixture_codes(&f));
    fixture_end(&f);
}

START_TEST(the_shipped_recipe)
{
    struct fixture f;
    const struct recipe *recipe = &f.out.recipe;

    fixture_begin(&f);
    ck_assert(fixture_elaborate_file(&f, "examples/cifar/resnet.rnet"));
    ck_assert_str_eq(recipe->name, "cifar_sgd");
    ck_assert_str_eq(recipe->data, "cifar10");
    ck_assert_int_eq(recipe->epochs, 164);
    ck_assert_int_eq(recipe->batch, 64);
    ck_assert_int_eq(recipe->init, WEIGHT_INIT_HE_NORMAL_FAN_OUT);
    ck_assert_double_eq(recipe->learning_rate, 0.1);
    ck_assert_double_eq(recipe->momentum, 0.9);
    ck_assert_double_eq(recipe->weight_decay, 1e-4);
    ck_assert_uint_eq(recipe->augment.count, 3);
    ck_assert_str_eq(recipe->augment.items[0].name, "pad");
    ck_assert_double_eq(recipe->augment.items[0].arguments[0], 4);
    ck_assert_uint_eq(recipe->augment.items[2].argument_count, 0);
    ck_assert_uint_eq(recipe->schedule.count, 1);
    ck_assert_uint_eq(recipe->schedule.items[0].argument_count, 3);
    ck_assert_double_eq(recipe->schedule.items[0].arguments[0], 0.1);
    ck_assert_double_eq(recipe->schedule.items[0].arguments[1], 81);
    ck_assert_double_eq(recipe->schedule.items[0].arguments[2], 122);
    fixture_end(&f);
}
END_TEST

START_TEST(options_change_scalars)
{
    struct fixture f;

    fixture_begin(&f);
    fixture_define(&f, "classes", "100");
    fixture_define(&f, "batch", "2 ^ 5");
    fixture_define(&f, "epochs", "3");
    fixture_define(&f, "lr", "0.5 / 2");
    fixture_define(&f, "momentum", "0");
    fixture_define(&f, "weight_decay", "5e-4");
    ck_assert(fixture_elaborate_file(&f, "examples/cifar/resnet.rnet"));
    ck_assert_str_eq(f.out.recipe.data, "cifar100");
    ck_assert_int_eq(f.out.recipe.batch, 32);
    ck_assert_int_eq(f.out.recipe.epochs, 3);
    ck_assert_double_eq(f.out.recipe.learning_rate, 0.25);
    ck_assert_double_eq(f.out.recipe.momentum, 0);
    ck_assert_double_eq(f.out.recipe.weight_decay, 5e-4);
    fixture_end(&f);
}
END_TEST

/* A parameter of the recipe may be given too; one of the network comes first. */
START_TEST(recipe_parameters)
{
    static const char recipe[] = "recipe r(side, kind = cifar10) {\n data = kind\n epochs = 1\n"
                                 " batch = 8\n optimizer = sgd(0.1)\n"
                                 " evaluate = resize(side + 2) >> center_crop(side)\n"
                                 " schedule = warmup(2) >> cosine\n init = he_normal(fan_in)\n}\n"
                                 "train n = r(classes)\n";
    struct fixture f;

    fixture_begin(&f);
    fixture_define(&f, "kind", "shapes");
    ck_assert(elaborate_recipe(&f, recipe));
    ck_assert_str_eq(f.out.recipe.data, "shapes");
    ck_assert_double_eq(f.out.recipe.evaluate.items[0].arguments[0], 12);
    ck_assert_str_eq(f.out.recipe.schedule.items[1].name, "cosine");
    ck_assert_int_eq(f.out.recipe.init, WEIGHT_INIT_HE_NORMAL_FAN_IN);
    fixture_end(&f);
    fixture_begin(&f);
    fixture_define(&f, "side", "32");
    ck_assert(elaborate_recipe(&f, recipe));
    ck_assert_double_eq(f.out.recipe.evaluate.items[0].arguments[0], 34);
    fixture_end(&f);
}
END_TEST

START_TEST(a_network_without_recipe)
{
    struct fixture f;

    fixture_begin(&f);
    fixture_define(&f, "batch", "7");
    ck_assert(elaborate_recipe(&f, ""));
    ck_assert_ptr_null(f.out.recipe.name);
    ck_assert_int_eq(f.out.recipe.batch, 7);
    fixture_end(&f);
}
END_TEST

START_TEST(settings_in_place)
{
    struct fixture f;

    fixture_begin(&f);
    ck_assert(elaborate_recipe(&f, "train n {\n epochs = classes\n batch = 2\n"
                                   " optimizer = sgd(lr = 1)\n augment = identity\n}\n"));
    ck_assert_str_eq(f.out.recipe.name, "n");
    ck_assert_int_eq(f.out.recipe.epochs, 10);
    ck_assert_double_eq(f.out.recipe.momentum, 0);
    ck_assert_uint_eq(f.out.recipe.augment.count, 0);
    fixture_end(&f);
}
END_TEST

START_TEST(everything_there_is)
{
    static const char text[] =
        "network n(classes = 10) {\n input image(3, 8, 8)\n a: conv(3, 8) >> norm: bn\n"
        " b: (conv(3, 8) >> norm: bn) >> global_avg_pool >> fc: linear(classes)\n}\n"
        "train n {\n epochs = 90\n batch = 256\n accumulate = 4\n zero_init = [norm, fc]\n"
        " optimizer = sgd(0.1, 0.9, nesterov = true, weight_decay = 1e-4, decay = weights)\n"
        " label_smoothing = 0.1\n clip = 2\n ema = 0.999\n clips = 10\n"
        " evaluate = resize([8, 9]) >> three_crops(8)\n"
        " augment = random_short_side(8, 10) >> color_jitter\n}\n";
    struct fixture f;
    const struct recipe *recipe = &f.out.recipe;

    fixture_begin(&f);
    ck_assert_msg(fixture_elaborate(&f, text), "%s", fixture_codes(&f));
    ck_assert_int_eq(recipe->accumulate, 4);
    ck_assert_int_eq(recipe->clips, 10);
    ck_assert(recipe->nesterov && recipe->decays_weights_only);
    ck_assert_double_eq(recipe->weight_decay, 1e-4);
    ck_assert_double_eq(recipe->label_smoothing, 0.1);
    ck_assert_double_eq(recipe->clip, 2);
    ck_assert_double_eq(recipe->ema, 0.999);
    ck_assert_uint_eq(recipe->zero_init.count, 2);
    ck_assert_str_eq(recipe->zero_init.items[1].name, "fc");
    ck_assert_uint_eq(recipe->evaluate.items[0].argument_count, 2);
    ck_assert_double_eq(recipe->evaluate.items[0].arguments[1], 9);
    ck_assert_double_eq(recipe->augment.items[0].arguments[1], 10);
    ck_assert_uint_eq(recipe->augment.items[1].argument_count, 4);
    ck_assert_uint_ne(recipe->places[SETTING_CLIP].source, 0);
    ck_assert(!recipe_is_compilable(f.out.graph, recipe, &f.diagnostics));
    fixture_end(&f);
}
END_TEST

/* An option goes to the network's parameter, else to the recipe's, else to the setting. */
START_TEST(options_are_taken_once)
{
    static const char recipe[] =
        "recipe r(classes, batch = 4) {\n epochs = classes\n batch = batch * 2\n"
        " optimizer = sgd(0.1)\n}\ntrain n = r(classes + 1)\n";
    struct fixture f;

    fixture_begin(&f);
    fixture_define(&f, "classes", "20");
    fixture_define(&f, "batch", "8");
    fixture_define(&f, "momentum", "0.9");
    fixture_define(&f, "nesterov", "true");
    fixture_define(&f, "schedule", "cosine");
    fixture_define(&f, "label_smoothing", "0.5 / 5");
    ck_assert_msg(elaborate_recipe(&f, recipe), "%s", fixture_codes(&f));
    ck_assert_int_eq(f.out.recipe.epochs, 21);
    ck_assert_int_eq(f.out.recipe.batch, 16);
    ck_assert(f.out.recipe.nesterov);
    ck_assert_str_eq(f.out.recipe.schedule.items[0].name, "cosine");
    ck_assert_double_eq(f.out.recipe.label_smoothing, 0.1);
    fixture_end(&f);
    fixture_begin(&f);
    fixture_define(&f, "nesterov", "true");
    ck_assert(!elaborate_recipe(&f, recipe));
    ck_assert_str_eq(fixture_codes(&f), "E0031");
    fixture_end(&f);
}
END_TEST

START_TEST(a_network_without_recipe_is_not_built)
{
    struct fixture f;

    fixture_begin(&f);
    ck_assert(elaborate_recipe(&f, ""));
    ck_assert(!recipe_is_compilable(f.out.graph, &f.out.recipe, &f.diagnostics));
    ck_assert_str_eq(fixture_codes(&f), "E0032");
    fixture_end(&f);
    fixture_begin(&f);
    ck_assert(fixture_elaborate_file(&f, "examples/cifar/resnet.rnet"));
    ck_assert(recipe_is_compilable(f.out.graph, &f.out.recipe, &f.diagnostics));
    fixture_end(&f);
}
END_TEST

START_TEST(mistakes)
{
    expect_codes("data = cifar10", "");
    expect_codes("datum = cifar10", "E0031");
    expect_codes("data = 3", "E0031");
    expect_codes("data = cifar10 >> cifar100", "E0031");
    expect_codes("data = pad(4)", "E0031");
    expect_codes("data = relu", "E0031");
    expect_codes("augment = pad(4) >> 3", "E0016");
    expect_codes("augment = pad(4, 5)", "E0014");
    expect_codes("augment = pad(size = 5)", "E0013");
    expect_codes("augment = pad(-1)", "E0031");
    expect_codes("augment = random_crop(2.5)", "E0016");
    expect_codes("schedule = step([1, 2, 3, 4, 5, 6, 7], 0.1)", "");
    expect_codes("schedule = step([1, 2, 3, 4, 5, 6, 7, 8], 0.1)", "E0031");
    expect_codes("schedule = step(at = [1])", "E0015");
    expect_codes("schedule = step(at = 1, factor = 0.1)", "E0016");
    expect_codes("init = he_normal(3)", "E0016");
    expect_codes("init = xavier_uniform", "");
    expect_codes("epochs = 2", "E0011");
    expect_codes("evaluate = resize([8, 8])", "");
    expect_codes("evaluate = resize([8, 8.5])", "E0016");
    expect_codes("evaluate = resize([])", "E0031");
    expect_codes("augment = color_jitter(hue = 2)", "E0031");
    expect_codes("label_smoothing = 1.5", "E0031");
    expect_codes("label_smoothing = true", "E0031");
    expect_codes("accumulate = 0", "E0031");
    expect_codes("accumulate = 2.0", "E0031");
    expect_codes("zero_init = nowhere", "E0012");
    expect_codes("zero_init = [bn]", "E0012");
    expect_codes("zero_init = 3", "E0031");
    expect_codes("zero_init = [relu >> bn]", "E0031");
    expect_codes("loss = cross_entropy", "");
    expect_codes("loss = crossentropy", "E0012");
    expect_codes("loss = multibox(logits, nowhere)", "E0012");
    expect_codes("loss = multibox(logits)", "E0015");
    expect_codes("loss = multibox(logits, 3)", "E0016");
    expect_codes("loss = multibox(logits, logits)\n label_smoothing = 0.1", "E0031");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_shipped_recipe,
        options_change_scalars,
        recipe_parameters,
        a_network_without_recipe,
        settings_in_place,
        everything_there_is,
        options_are_taken_once,
        a_network_without_recipe_is_not_built,
        mistakes,
    };

    return run_suite("recipe", tests, countof(tests));
}
