/* Records of an event file: a length and an Event message in protobuf's wire format, each with a
 * masked CRC-32C. See tensorboard.h.
 *
 *     Event    1: wall_time (double)  2: step (varint)  3: file_version (bytes)  5: Summary
 *     Summary  1: Value               Value  1: tag (bytes)  2: simple_value (float) */
#include "runtime/tensorboard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAG_LENGTH = 60, MESSAGE_BYTES = 160 };

/* ORDER WIRE: protobuf's wire types. */
enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct message {
    uint8_t bytes[MESSAGE_BYTES];
    size_t size;
};

uint32_t crc32c(const void *bytes, size_t size)
{
    const uint32_t polynomial = 0x82f63b78;
    uint32_t sum = ~0U;
    for (size_t i = 0; i < size; i++) {
        sum ^= ((const uint8_t *)bytes)[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? polynomial : 0);
    }
    return ~sum;
}

static uint32_t masked_crc(const void *bytes, size_t size)
{
    uint32_t sum = crc32c(bytes, size);
    return (sum >> 15 | sum << 17) + 0xa282ead8U;
}

static void varint_add(struct message *message, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        message->bytes[message->size++] = (uint8_t)(value | 0x80);
    message->bytes[message->size++] = (uint8_t)value;
}

static void field_add(struct message *message, int number, enum wire wire)
{
    varint_add(message, (uint64_t)number << 3 | wire);
}

static void bytes_add(struct message *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void text_field(struct message *message, int number, const void *bytes, size_t size)
{
    field_add(message, number, WIRE_BYTES);
    varint_add(message, size);
    bytes_add(message, bytes, size);
}

static void double_field(struct message *message, int number, double value)
{
    field_add(message, number, WIRE_64);
    bytes_add(message, &value, sizeof value);
}

static void float_field(struct message *message, int number, float value)
{
    field_add(message, number, WIRE_32);
    bytes_add(message, &value, sizeof value);
}

static void record_write(FILE *stream, const struct message *message)
{
    uint64_t size = message->size;
    uint32_t sums[] = {masked_crc(&size, sizeof size), masked_crc(message->bytes, message->size)};
    fwrite(&size, sizeof size, 1, stream);
    fwrite(&sums[0], sizeof *sums, 1, stream);
    fwrite(message->bytes, 1, message->size, stream);
    fwrite(&sums[1], sizeof *sums, 1, stream);
}

static double wall_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void version_write(FILE *stream)
{
    static const char version[] = "brain.Event:2";
    struct message event = {.size = 0};
    double_field(&event, 1, wall_time());
    text_field(&event, 3, version, sizeof version - 1);
    record_write(stream, &event);
}

static struct status board_failed(const struct tensorboard *board)
{
    return status_error(STATUS_IO, "cannot write %s: %s", board->path, strerror(errno));
}

struct status tensorboard_open(struct tensorboard *board, const char *path, int64_t position)
{
    *board = (struct tensorboard){.path = path};
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return board_failed(board);
    off_t size = lseek(descriptor, 0, SEEK_END);
    if (size < position)
        position = 0; /* it was lost; the curve begins where the run goes on */
    if (size >= 0 && ftruncate(descriptor, position) == 0)
        board->stream = fdopen(descriptor, "w");
    if (board->stream == NULL) {
        struct status status = board_failed(board);
        close(descriptor);
        return status;
    }
    if (fseeko(board->stream, position, SEEK_SET) != 0)
        return board_failed(board);
    if (position == 0)
        version_write(board->stream);
    return status_ok();
}

void tensorboard_close(struct tensorboard *board)
{
    if (board->stream != NULL)
        fclose(board->stream);
    board->stream = NULL;
}

void tensorboard_scalar(struct tensorboard *board, const char *tag, int64_t step, double value)
{
    struct message event = {.size = 0}, summary = {.size = 0}, entry = {.size = 0};
    size_t length = strlen(tag) < TAG_LENGTH ? strlen(tag) : TAG_LENGTH;
    if (board->stream == NULL)
        return;
    text_field(&entry, 1, tag, length);
    float_field(&entry, 2, (float)value);
    text_field(&summary, 1, entry.bytes, entry.size);
    double_field(&event, 1, wall_time());
    field_add(&event, 2, WIRE_VARINT);
    varint_add(&event, (uint64_t)step);
    text_field(&event, 5, summary.bytes, summary.size);
    record_write(board->stream, &event);
}

struct status tensorboard_sync(struct tensorboard *board, int64_t *position)
{
    *position = 0;
    if (board->stream == NULL)
        return status_ok();
    *position = ftello(board->stream);
    if (*position < 0 || fflush(board->stream) != 0 || ferror(board->stream) ||
        (fsync(fileno(board->stream)) != 0 && errno != EINVAL && errno != ENOTSUP))
        return board_failed(board);
    return status_ok();
}
