/* Outputs from activations, channels last and padded, to arrays with channels first. See
 * outputs.h. */
#include "runtime/outputs.h"

#include <string.h>

#include "runtime/npy.h"

static int64_t output_points(const struct rnet_output *output)
{
    return output->size[0] * output->size[1] * output->size[2];
}

/* "Y.npy" becomes "Y.NAME.npy", "Y" becomes "Y.NAME". */
static const char *output_path(struct arena *arena, const char *path, const char *name)
{
    static const char ending[] = ".npy";
    const size_t size = strlen(path), tail = strlen(ending);
    if (size > tail && strcmp(path + size - tail, ending) == 0)
        return arena_format(arena, "%.*s.%s%s", (int)(size - tail), path, name, ending);
    return arena_format(arena, "%s.%s", path, name);
}

/* A network's logits are a row, however its last grid of one point was made. */
static int output_rank(const struct rnet_program *program, const struct rnet_output *output)
{
    return program->classes > 0 ? 2 : 2 + (int)output->spatial_rank;
}

static struct status output_open(struct output_files *files, uint64_t number, const char *path,
                                 int64_t images)
{
    const struct rnet_program *program = files->program;
    const struct rnet_output *output = &program->outputs[number];
    struct file_writer *writer = &files->writers[number];
    int64_t shape[2 + RNET_GRID_RANK] = {images, output->channels};
    memcpy(shape + 2, output->size, sizeof output->size);
    if (program->output_count > 1)
        path = output_path(&files->arena, path, output->name);
    RETURN_IF_ERROR(file_writer_open(writer, path));
    npy_write_header(writer->stream, shape, output_rank(program, output));
    return status_ok();
}

struct status outputs_open(struct output_files *files, const struct rnet_program *program,
                           const char *path, int64_t images)
{
    int64_t largest = 0;
    files->program = program;
    files->writers = ARENA_ARRAY(&files->arena, struct file_writer, program->output_count);
    for (uint64_t i = 0; i < program->output_count; i++) {
        const int64_t elements = output_points(&program->outputs[i]) * program->outputs[i].channels;
        largest = elements > largest ? elements : largest;
    }
    files->channels_first = ARENA_ARRAY(&files->arena, float, largest);
    for (uint64_t i = 0; i < program->output_count; i++)
        RETURN_IF_ERROR(output_open(files, i, path, images));
    return status_ok();
}

/* One image: [points][stride of channels] to [channels][points]. */
static void image_write(const struct output_files *files, const struct rnet_output *output,
                        const float *image, FILE *stream)
{
    const int64_t points = output_points(output), stride = channel_stride(output->channels);
    for (int64_t point = 0; point < points; point++)
        for (int64_t channel = 0; channel < output->channels; channel++)
            files->channels_first[channel * points + point] = image[point * stride + channel];
    fwrite(files->channels_first, sizeof(float), (size_t)(points * output->channels), stream);
}

struct status outputs_write(struct output_files *files, struct executor *executor, int64_t images)
{
    for (uint64_t i = 0; i < files->program->output_count; i++) {
        const struct rnet_output *output = &files->program->outputs[i];
        const int64_t size = output_points(output) * channel_stride(output->channels);
        const float *values;
        RETURN_IF_ERROR(executor_read(executor, output->location, images * size, &values));
        for (int64_t image = 0; image < images; image++)
            image_write(files, output, values + image * size, files->writers[i].stream);
    }
    return status_ok();
}

struct status outputs_commit(struct output_files *files)
{
    for (uint64_t i = 0; i < files->program->output_count; i++)
        RETURN_IF_ERROR(file_writer_commit(&files->writers[i]));
    return status_ok();
}

void outputs_release(struct output_files *files)
{
    for (uint64_t i = 0; files->writers && i < files->program->output_count; i++)
        file_writer_discard(&files->writers[i]);
    arena_release(&files->arena);
}
