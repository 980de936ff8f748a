/* A ring of batches between loader threads and the training. See prefetch.h.
 *
 * One mutex guards all numbers; making a picture takes a thousand times as long as holding it. The
 * batch that the caller has and those behind it share the ring: a place may be made once its batch
 * is less than SLOTS ahead of the caller's. */
#include "runtime/prefetch.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SLOTS = 3 };

struct slot {
    int64_t made;         /* places of its batch, whether or not they failed */
    int64_t failed_place; /* the first that failed; -1: none */
    struct status status; /* why */
    uint8_t *bytes;
};

struct prefetch {
    struct prefetch_options options;
    pthread_mutex_t mutex;
    pthread_cond_t work, made;
    pthread_t *threads;
    int64_t started;
    struct slot slots[SLOTS];
    int64_t first, count;   /* the sequence: places [first, count) */
    int64_t next;           /* the place to make */
    int64_t taken;          /* batches that the caller has taken */
    int64_t busy;           /* threads that are making something */
    bool holds;             /* the caller has the last batch that was taken */
    bool quitting;
};

static int64_t batch_of(const struct prefetch *prefetch, int64_t place)
{
    return (place - prefetch->first) / prefetch->options.batch;
}

static bool has_work(const struct prefetch *prefetch)
{
    int64_t oldest = prefetch->taken - (prefetch->holds ? 1 : 0);
    return prefetch->next < prefetch->count &&
           batch_of(prefetch, prefetch->next) < oldest + SLOTS;
}

/* Makes one place, without the mutex meanwhile. */
static void place_make(struct prefetch *prefetch, int64_t place)
{
    const struct prefetch_options *options = &prefetch->options;
    struct slot *slot = &prefetch->slots[batch_of(prefetch, place) % SLOTS];
    int64_t index = (place - prefetch->first) % options->batch;
    prefetch->busy++;
    pthread_mutex_unlock(&prefetch->mutex);
    struct status status =
        options->make(options->context, place, slot->bytes + index * options->bytes);
    pthread_mutex_lock(&prefetch->mutex);
    prefetch->busy--;
    slot->made++;
    if (!status_is_ok(&status) && (slot->failed_place < 0 || place < slot->failed_place)) {
        slot->failed_place = place;
        slot->status = status;
    }
    pthread_cond_broadcast(&prefetch->made);
}

static void *thread_main(void *argument)
{
    struct prefetch *prefetch = argument;
    pthread_mutex_lock(&prefetch->mutex);
    for (;;) {
        while (!prefetch->quitting && !has_work(prefetch))
            pthread_cond_wait(&prefetch->work, &prefetch->mutex);
        if (prefetch->quitting)
            break;
        place_make(prefetch, prefetch->next++);
    }
    pthread_mutex_unlock(&prefetch->mutex);
    return NULL;
}

static struct status threads_start(struct prefetch *prefetch)
{
    sigset_t all, before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (error == 0 && prefetch->started < prefetch->options.threads) {
        error = pthread_create(&prefetch->threads[prefetch->started], NULL, thread_main, prefetch);
        prefetch->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? status_ok() : status_error(STATUS_IO, "cannot start a loader thread");
}

struct status prefetch_start(const struct prefetch_options *options, struct prefetch **out)
{
    struct prefetch *prefetch = calloc(1, sizeof *prefetch);
    *out = NULL;
    if (prefetch == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the loader");
    prefetch->options = *options;
    pthread_mutex_init(&prefetch->mutex, NULL);
    pthread_cond_init(&prefetch->work, NULL);
    pthread_cond_init(&prefetch->made, NULL);
    prefetch->threads = calloc((size_t)options->threads, sizeof *prefetch->threads);
    bool enough = prefetch->threads != NULL;
    for (int i = 0; i < SLOTS; i++) {
        prefetch->slots[i].bytes = malloc((size_t)(options->batch * options->bytes));
        enough = enough && prefetch->slots[i].bytes != NULL;
    }
    struct status status = enough ? threads_start(prefetch)
                                  : status_error(STATUS_MEMORY, "not enough memory for batches");
    if (status_is_ok(&status))
        *out = prefetch;
    else
        prefetch_release(prefetch);
    return status;
}

static void rest(struct prefetch *prefetch)
{
    prefetch->next = prefetch->count = 0;
    while (prefetch->busy > 0)
        pthread_cond_wait(&prefetch->made, &prefetch->mutex);
    prefetch->first = prefetch->taken = 0;
    prefetch->holds = false;
}

void prefetch_rest(struct prefetch *prefetch)
{
    pthread_mutex_lock(&prefetch->mutex);
    rest(prefetch);
    pthread_mutex_unlock(&prefetch->mutex);
}

static void slot_clear(struct slot *slot)
{
    slot->made = 0;
    slot->failed_place = -1;
}

static void sequence_begin(struct prefetch *prefetch, int64_t first, int64_t count)
{
    rest(prefetch);
    for (int i = 0; i < SLOTS; i++)
        slot_clear(&prefetch->slots[i]);
    prefetch->first = prefetch->next = first;
    prefetch->count = count;
}

struct status prefetch_take(struct prefetch *prefetch, int64_t first, int64_t count,
                            const uint8_t **batch)
{
    int64_t size = prefetch->options.batch;
    int64_t left = count - first < size ? count - first : size;
    pthread_mutex_lock(&prefetch->mutex);
    if (prefetch->holds)
        slot_clear(&prefetch->slots[(prefetch->taken - 1) % SLOTS]);
    prefetch->holds = false;
    if (first != prefetch->first + prefetch->taken * size || count != prefetch->count)
        sequence_begin(prefetch, first, count);
    struct slot *slot = &prefetch->slots[prefetch->taken % SLOTS];
    pthread_cond_broadcast(&prefetch->work);
    while (slot->made < left)
        pthread_cond_wait(&prefetch->made, &prefetch->mutex);
    prefetch->taken++;
    prefetch->holds = true;
    struct status status = slot->failed_place < 0 ? status_ok() : slot->status;
    pthread_mutex_unlock(&prefetch->mutex);
    *batch = slot->bytes;
    return status;
}

void prefetch_release(struct prefetch *prefetch)
{
    if (prefetch == NULL)
        return;
    pthread_mutex_lock(&prefetch->mutex);
    prefetch->quitting = true;
    pthread_cond_broadcast(&prefetch->work);
    pthread_mutex_unlock(&prefetch->mutex);
    for (int64_t i = 0; i < prefetch->started; i++)
        pthread_join(prefetch->threads[i], NULL);
    pthread_mutex_destroy(&prefetch->mutex);
    pthread_cond_destroy(&prefetch->work);
    pthread_cond_destroy(&prefetch->made);
    for (int i = 0; i < SLOTS; i++)
        free(prefetch->slots[i].bytes);
    free(prefetch->threads);
    free(prefetch);
}
