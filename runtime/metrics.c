/* Writing metrics.jsonl. See metrics.h. */
#include "runtime/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct status write_failed(const struct metrics *metrics)
{
    return status_error(STATUS_IO, "cannot write %s: %s", metrics->path, strerror(errno));
}

/* Two trainings in one directory would destroy each other's files. A file system that cannot lock
 * is no reason not to train. */
static struct status file_lock(const struct metrics *metrics, int descriptor)
{
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return status_ok();
    return status_error(STATUS_IO, "another training is writing %s", metrics->path);
}

static struct status file_open(struct metrics *metrics, int flags)
{
    int descriptor = open(metrics->path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (descriptor < 0)
        return write_failed(metrics);
    struct status status = file_lock(metrics, descriptor);
    if (status_is_ok(&status)) {
        metrics->stream = fdopen(descriptor, "w");
        if (metrics->stream != NULL)
            return status;
        status = write_failed(metrics);
    }
    close(descriptor);
    return status;
}

struct status metrics_create(struct metrics *metrics, const char *path)
{
    *metrics = (struct metrics){.path = path};
    return file_open(metrics, O_EXCL);
}

struct status metrics_reopen(struct metrics *metrics, const char *path)
{
    *metrics = (struct metrics){.path = path};
    return file_open(metrics, 0);
}

struct status metrics_cut(struct metrics *metrics, int64_t position)
{
    int descriptor = fileno(metrics->stream);
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return write_failed(metrics);
    if (about.st_size < position) {
        fprintf(stderr, "note: %s has lost lines since the checkpoint\n", metrics->path);
        position = about.st_size;
    }
    if (ftruncate(descriptor, position) != 0 || fseeko(metrics->stream, position, SEEK_SET) != 0)
        return write_failed(metrics);
    return status_ok();
}

struct status metrics_sync(struct metrics *metrics, int64_t *position)
{
    *position = ftello(metrics->stream);
    if (*position < 0 || fflush(metrics->stream) != 0 ||
        (fsync(fileno(metrics->stream)) != 0 && errno != EINVAL && errno != ENOTSUP))
        return write_failed(metrics);
    return status_ok();
}

void metrics_close(struct metrics *metrics)
{
    if (metrics->stream != NULL)
        fclose(metrics->stream);
    metrics->stream = NULL;
}

void json_number_print(FILE *stream, double value)
{
    if (isfinite(value))
        fprintf(stream, "%.9g", value);
    else
        fputs("null", stream);
}

static void member_print(FILE *stream, const char *name, double value)
{
    fprintf(stream, ",\"%s\":", name);
    json_number_print(stream, value);
}

static struct status line_end(struct metrics *metrics)
{
    fputs("}\n", metrics->stream);
    if (fflush(metrics->stream) != 0)
        return write_failed(metrics);
    return status_ok();
}

struct status metrics_step(struct metrics *metrics, const struct step_record *record)
{
    fprintf(metrics->stream, "{\"event\":\"step\",\"epoch\":%" PRId64 ",\"step\":%" PRId64,
            record->epoch, record->step);
    member_print(metrics->stream, "loss", record->loss);
    member_print(metrics->stream, "lr", record->learning_rate);
    member_print(metrics->stream, "images_per_second", record->images_per_second);
    if (record->clips)
        member_print(metrics->stream, "gradient_norm", record->gradient_norm);
    return line_end(metrics);
}

struct status metrics_epoch(struct metrics *metrics, const struct epoch_record *record)
{
    fprintf(metrics->stream, "{\"event\":\"epoch\",\"epoch\":%" PRId64, record->epoch);
    member_print(metrics->stream, "train_loss", record->train_loss);
    member_print(metrics->stream, "train_top1", record->train_top1);
    member_print(metrics->stream, "val_loss", record->validation_loss);
    member_print(metrics->stream, "val_top1", record->validation_top1);
    member_print(metrics->stream, "val_top5", record->validation_top5);
    return line_end(metrics);
}

struct status metrics_loader(struct metrics *metrics, const struct epoch_record *record)
{
    fprintf(metrics->stream, "{\"event\":\"loader\",\"epoch\":%" PRId64, record->epoch);
    member_print(metrics->stream, "waiting", record->waiting);
    member_print(metrics->stream, "images_per_second", record->images_per_second);
    return line_end(metrics);
}

struct status metrics_resume(struct metrics *metrics, int64_t step)
{
    fprintf(metrics->stream, "{\"event\":\"resume\",\"step\":%" PRId64, step);
    return line_end(metrics);
}
