/* Reading and writing .npy. The header is a Python dictionary of three known keys; the little
 * scanner below accepts what NumPy writes, in any order and spacing, and nothing else. */
#include "runtime/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { MAGIC_BYTES = 6, VERSION_BYTES = 2, HEADER_ALIGNMENT = 64, HEADER_LIMIT = 512 };

static const char magic[MAGIC_BYTES] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

static const struct {
    const char *name;
    enum npy_type type;
    size_t size;
} npy_types[] = {{"<f4", NPY_FLOAT32, 4}, {"<i8", NPY_INT64, 8}, {"|u1", NPY_UINT8, 1}};

struct scanner {
    const char *at, *end;
};

static void spaces_skip(struct scanner *scanner)
{
    while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\n'))
        scanner->at++;
}

static bool character_take(struct scanner *scanner, char wanted)
{
    spaces_skip(scanner);
    if (scanner->at == scanner->end || *scanner->at != wanted)
        return false;
    scanner->at++;
    return true;
}

static bool word_take(struct scanner *scanner, const char *word)
{
    size_t length = strlen(word);
    spaces_skip(scanner);
    if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

static bool number_take(struct scanner *scanner, int64_t *number)
{
    spaces_skip(scanner);
    const char *start = scanner->at;
    *number = 0;
    for (; scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *scanner->at - '0', number))
            return false;
    return scanner->at > start;
}

static bool shape_take(struct scanner *scanner, struct npy_array *array)
{
    if (!character_take(scanner, '('))
        return false;
    while (!character_take(scanner, ')')) {
        if (array->rank == NPY_RANK || !number_take(scanner, &array->shape[array->rank]))
            return false;
        array->rank++;
        if (!character_take(scanner, ','))
            return array->rank > 1 && character_take(scanner, ')');
    }
    return true;
}

static struct status type_take(struct scanner *scanner, struct npy_array *array, size_t *element)
{
    char quote = scanner->at < scanner->end && *scanner->at == '"' ? '"' : '\'';
    if (!character_take(scanner, quote))
        return status_error(STATUS_INVALID, "its type is not a simple one");
    for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++) {
        if (!word_take(scanner, npy_types[i].name))
            continue;
        array->type = npy_types[i].type;
        *element = npy_types[i].size;
        if (character_take(scanner, quote))
            return status_ok();
    }
    return status_error(STATUS_INVALID,
                        "its type is none of float32, int64 (little-endian) and uint8");
}

/* Reads one `'key': value,`; sets the key's bit in *seen. */
static struct status member_take(struct scanner *scanner, struct npy_array *array, size_t *element,
                                 unsigned *seen)
{
    unsigned key = word_take(scanner, "'descr'")           ? 1
                   : word_take(scanner, "'fortran_order'") ? 2
                   : word_take(scanner, "'shape'")         ? 4
                                                           : 0;
    if (key == 0 || (*seen & key) || !character_take(scanner, ':'))
        return status_error(STATUS_INVALID, "its header is malformed");
    *seen |= key;
    spaces_skip(scanner);
    if (key == 1)
        RETURN_IF_ERROR(type_take(scanner, array, element));
    if (key == 2 && !word_take(scanner, "False"))
        return status_error(STATUS_INVALID, "it is in Fortran order; C order is needed");
    if (key == 4 && !shape_take(scanner, array))
        return status_error(STATUS_INVALID, "its shape is malformed or has more than %d axes",
                            NPY_RANK);
    return status_ok();
}

static struct status header_parse(struct scanner *scanner, struct npy_array *array, size_t *element)
{
    unsigned seen = 0;
    if (!character_take(scanner, '{'))
        return status_error(STATUS_INVALID, "its header is malformed");
    while (!character_take(scanner, '}')) {
        RETURN_IF_ERROR(member_take(scanner, array, element, &seen));
        if (!character_take(scanner, ',') && (scanner->at == scanner->end || *scanner->at != '}'))
            return status_error(STATUS_INVALID, "its header is malformed");
    }
    spaces_skip(scanner);
    if (scanner->at != scanner->end || seen != 7)
        return status_error(STATUS_INVALID, "its header is malformed");
    return status_ok();
}

/* Sets the number of elements, which must make up exactly `size` bytes. */
static struct status count_check(struct npy_array *array, size_t element, size_t size)
{
    size_t bytes = element;
    for (int axis = 0; axis < array->rank; axis++)
        if (__builtin_mul_overflow(bytes, (size_t)array->shape[axis], &bytes))
            return status_error(STATUS_INVALID, "its shape is too large");
    if (bytes != size)
        return status_error(STATUS_INVALID, "its shape takes %zu bytes and %zu follow the header",
                            bytes, size);
    array->count = (int64_t)(bytes / element);
    return status_ok();
}

struct status npy_parse(const char *bytes, size_t size, struct npy_array *array)
{
    *array = (struct npy_array){0};
    if (size < MAGIC_BYTES + VERSION_BYTES + 4 || memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return status_error(STATUS_INVALID, "it is not a .npy file");
    const unsigned char *fields = (const unsigned char *)bytes + MAGIC_BYTES;
    if ((fields[0] != 1 && fields[0] != 2) || fields[1] != 0)
        return status_error(STATUS_INVALID, "its format version %u.%u is not 1.0 or 2.0",
                            (unsigned)fields[0], (unsigned)fields[1]);
    size_t length = fields[2] | (size_t)fields[3] << 8;
    if (fields[0] == 2)
        length |= (size_t)fields[4] << 16 | (size_t)fields[5] << 24;
    size_t start = MAGIC_BYTES + VERSION_BYTES + (fields[0] == 1 ? 2 : 4);
    if (length > size - start)
        return status_error(STATUS_INVALID, "it ends within its header");
    size_t element = 1;
    struct scanner scanner = {bytes + start, bytes + start + length};
    RETURN_IF_ERROR(header_parse(&scanner, array, &element));
    array->values = bytes + start + length;
    return count_check(array, element, size - start - length);
}

static struct status file_map(struct npy_file *file, const char *path, int descriptor)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode))
        return status_error(STATUS_IO, "%s is not a regular file", path);
    if (about.st_size == 0)
        return status_error(STATUS_INVALID, "%s is empty", path);
    void *address = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED)
        return status_error(STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    file->address = address;
    file->size = (size_t)about.st_size;
    return status_ok();
}

struct status npy_open(struct npy_file *file, const char *path)
{
    *file = (struct npy_file){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return status_error(STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    struct status status = file_map(file, path, descriptor);
    close(descriptor);
    RETURN_IF_ERROR(status);
    status = npy_parse(file->address, file->size, &file->array);
    if (!status_is_ok(&status))
        return status_error(status.code, "cannot read %s: %s", path, status.message);
    return status;
}

void npy_release(struct npy_file *file)
{
    if (file->address != NULL)
        munmap(file->address, file->size);
    *file = (struct npy_file){0};
}

const char *npy_text(struct arena *arena, const struct npy_array *array)
{
    static const char *const types[] = {
        [NPY_FLOAT32] = "float32", [NPY_INT64] = "int64", [NPY_UINT8] = "uint8"};
    struct text_builder text = {.arena = arena};
    text_add(&text, "%s [", types[array->type]);
    for (int axis = 0; axis < array->rank; axis++)
        text_add(&text, "%s%lld", axis == 0 ? "" : ", ", (long long)array->shape[axis]);
    text_add(&text, "]");
    return text_result(&text);
}

void npy_write_header(FILE *stream, const int64_t *shape, int rank)
{
    char text[HEADER_LIMIT];
    size_t start = MAGIC_BYTES + VERSION_BYTES + 2;
    size_t length =
        (size_t)snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int axis = 0; axis < rank; axis++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%lld, ", (long long)shape[axis]);
    length += (size_t)snprintf(text + length, sizeof text - length, "), }");
    while ((start + length + 1) % HEADER_ALIGNMENT != 0)
        text[length++] = ' ';
    text[length++] = '\n';
    fwrite(magic, 1, sizeof magic, stream);
    const unsigned char fields[] = {1, 0, (unsigned char)length, (unsigned char)(length >> 8)};
    fwrite(fields, 1, sizeof fields, stream);
    fwrite(text, 1, length, stream);
}
