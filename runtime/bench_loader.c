/* Times the loader alone. See bench_loader.h. */
#include "runtime/bench_loader.h"

#include "runtime/clock.h"
#include "runtime/loader.h"

enum { WARMUP_STEPS = 3 };

/* A loader that goes through epochs without end. */
struct stream {
    struct loader *loader;
    int64_t epoch, done; /* images of the epoch */
};

static struct status batch_next(struct stream *stream, int64_t *images)
{
    RETURN_IF_ERROR(loader_fill(stream->loader, stream->done, images));
    if (*images == 0) {
        stream->done = 0;
        loader_start_epoch(stream->loader, ++stream->epoch);
        RETURN_IF_ERROR(loader_fill(stream->loader, 0, images));
    }
    stream->done += *images;
    return status_ok();
}

static struct status stream_time(struct stream *stream, struct loader_timing *timing)
{
    double start = 0;
    int64_t images;
    for (int64_t step = -WARMUP_STEPS; step < timing->steps; step++) {
        if (step == 0)
            start = clock_seconds();
        RETURN_IF_ERROR(batch_next(stream, &images));
        timing->images += step >= 0 ? images : 0;
    }
    timing->seconds = clock_seconds() - start;
    return status_ok();
}

static struct status timed(const struct rnet_program *program, struct data_set *data,
                           struct executor *executor, struct loader *loader,
                           struct loader_timing *timing)
{
    struct loader_options options = {
        .part = DATA_TRAIN,
        .augmentation = {program->recipe.augment, program->recipe.augment_count},
        .shuffle = true,
    };
    struct stream stream = {loader, 0, 0};
    RETURN_IF_ERROR(loader_open(loader, &data->arena, data, executor, &options));
    timing->threads = thread_team_count(executor->team);
    return stream_time(&stream, timing);
}

struct status bench_loader(const struct rnet_program *program, const char *spec, int64_t steps,
                           const struct executor_options *computing, struct loader_timing *timing)
{
    struct data_set data = {0};
    struct executor executor = {0};
    struct loader loader = {0};
    *timing = (struct loader_timing){.steps = steps};
    struct status status = data_set_open(&data, spec, DATA_NEEDS_TRAIN, program);
    if (status_is_ok(&status))
        status = executor_open_with(&executor, program, computing);
    if (status_is_ok(&status))
        status = timed(program, &data, &executor, &loader, timing);
    loader_close(&loader);
    executor_release(&executor);
    data_set_release(&data);
    return status;
}
