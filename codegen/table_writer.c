/* Fields as assembler directives. See table_writer.h. */
#include "codegen/table_writer.h"

#include <assert.h>
#include <string.h>

void begin_struct(struct table_writer *writer)
{
    writer->offset = 0;
}

void place(const struct table_writer *writer, size_t offset)
{
    assert(writer->offset == offset);
    (void)writer;
    (void)offset;
}

void end_struct(const struct table_writer *writer, size_t size)
{
    place(writer, size);
}

void put_long(struct table_writer *writer, uint32_t value)
{
    fprintf(writer->stream, "\t.long %u\n", value);
    writer->offset += 4;
}

void put_quad(struct table_writer *writer, uint64_t value)
{
    fprintf(writer->stream, "\t.quad %llu\n", (unsigned long long)value);
    writer->offset += 8;
}

void put_symbol(struct table_writer *writer, const char *symbol)
{
    fprintf(writer->stream, "\t.quad %s\n", symbol);
    writer->offset += 8;
}

void put_double(struct table_writer *writer, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_quad(writer, bits);
}

void put_text(struct table_writer *writer, const char *text)
{
    fprintf(writer->stream, "\t.quad .Ltext_%zu\n", writer->strings.count);
    vector_push(&writer->strings, &writer->arena, text);
    writer->offset += 8;
}

void put_label(struct table_writer *writer, const char *label)
{
    fprintf(writer->stream, "\t.balign 8\n%s:\n", label);
}

/* One line of .ascii with everything escaped that the assembler would read otherwise. */
static void write_string(FILE *stream, size_t number, const char *text)
{
    fprintf(stream, ".Ltext_%zu:\n\t.asciz \"", number);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\' || *c < ' ' || *c > '~')
            fprintf(stream, "\\%03o", *c);
        else
            fputc(*c, stream);
    }
    fputs("\"\n", stream);
}

void write_strings(struct table_writer *writer)
{
    for (size_t s = 0; s < writer->strings.count; s++)
        write_string(writer->stream, s, writer->strings.items[s]);
}

void put_bytes(struct table_writer *writer, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t word;

    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
        memcpy(&word, at, sizeof word);
        fprintf(writer->stream, "\t.quad 0x%llx\n", (unsigned long long)word);
    }
    for (; size > 0; at++, size--)
        fprintf(writer->stream, "\t.byte %u\n", *at);
}
