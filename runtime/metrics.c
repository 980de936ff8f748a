/* Writing metrics.jsonl. See metrics.h. */
#include "runtime/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static struct status write_failed(const struct metrics *metrics)
{
    return status_error(STATUS_IO, "cannot write %s: %s", metrics->path, strerror(errno));
}

struct status metrics_create(struct metrics *metrics, const char *path)
{
    *metrics = (struct metrics){.stream = fopen(path, "wxe"), .path = path};
    return metrics->stream != NULL ? status_ok() : write_failed(metrics);
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
