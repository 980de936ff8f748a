/* Counting predictions by class, and keeping the worst of them. See mistakes.h. */
#include "runtime/mistakes.h"

#include <math.h>
#include <string.h>

void mistakes_open(struct mistakes *mistakes, struct arena *arena,
                   const struct rnet_program *program)
{
    *mistakes = (struct mistakes){
        .classes = program->classes,
        .confusion = ARENA_ARRAY(arena, int64_t, program->classes * program->classes),
        .predicted = ARENA_ARRAY(arena, int32_t, program->batch),
        .confidence = ARENA_ARRAY(arena, float, program->batch),
    };
}

void mistakes_clear(struct mistakes *mistakes)
{
    size_t cells = (size_t)(mistakes->classes * mistakes->classes);
    memset(mistakes->confusion, 0, cells * sizeof *mistakes->confusion);
    mistakes->count = mistakes->images = 0;
}

struct status mistakes_see(struct mistakes *mistakes, struct executor *executor, int64_t images)
{
    int64_t classes = mistakes->classes, count = images * channel_stride(classes);
    const float *logits;
    RETURN_IF_ERROR(executor_read(executor, executor->program->logits, count, &logits));
    for (int64_t i = 0; i < images; i++, logits += channel_stride(classes)) {
        int64_t best = 0;
        double sum = 0;
        for (int64_t class = 1; class < classes; class ++)
            if (logits[class] > logits[best])
                best = class;
        for (int64_t class = 0; class < classes; class ++)
            sum += exp((double)(logits[class] - logits[best]));
        mistakes->predicted[i] = (int32_t)best;
        mistakes->confidence[i] = (float)(1 / sum);
    }
    return status_ok();
}

/* Puts the mistake at its place among the worst, if it is one of them. */
static void worst_insert(struct mistakes *mistakes, const struct mistake *mistake)
{
    int64_t place = mistakes->count;
    while (place > 0 && mistake->loss > mistakes->worst[place - 1].loss)
        place--;
    if (place == MISTAKES_SHOWN)
        return;
    int64_t last = mistakes->count < MISTAKES_SHOWN ? mistakes->count++ : MISTAKES_SHOWN - 1;
    memmove(mistakes->worst + place + 1, mistakes->worst + place,
            (size_t)(last - place) * sizeof *mistakes->worst);
    mistakes->worst[place] = *mistake;
}

struct status mistakes_add(struct mistakes *mistakes, const struct loader *loader, int64_t first,
                           int64_t images)
{
    struct executor *executor = loader->executor;
    const float *losses;
    RETURN_IF_ERROR(executor_read(executor, executor->program->loss, images, &losses));
    const int32_t *labels = loader->data->parts[loader->part].labels;
    for (int64_t i = 0; i < images; i++) {
        int64_t image = loader->order[first + i];
        struct mistake mistake = {image, labels[image], mistakes->predicted[i],
                                  (double)mistakes->confidence[i], (double)losses[i]};
        mistakes->confusion[mistake.label * mistakes->classes + mistake.predicted]++;
        if (mistake.label != mistake.predicted && isfinite(mistake.loss))
            worst_insert(mistakes, &mistake);
    }
    mistakes->images += images;
    return status_ok();
}
