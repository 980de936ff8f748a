/* Structures of the executable as assembly text, field by field. */
#ifndef CODEGEN_TABLE_WRITER_H
#define CODEGEN_TABLE_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/vector.h"

struct table_writer {
    FILE *stream;
    struct arena arena;
    VECTOR(const char *) strings; /* written last; string n has the label .Ltext_n */
    size_t offset;                /* within the structure being written */
};

/* Before the first field of a structure. */
void begin_struct(struct table_writer *writer);
/* Says that the next field lies `offset` bytes into its structure. */
void place(const struct table_writer *writer, size_t offset);
/* After the last field of a structure of `size` bytes. */
void end_struct(const struct table_writer *writer, size_t size);

void put_long(struct table_writer *writer, uint32_t value); /* 4 bytes */
void put_quad(struct table_writer *writer, uint64_t value); /* 8 bytes */
void put_double(struct table_writer *writer, double value);
/* The address of a symbol or label. */
void put_symbol(struct table_writer *writer, const char *symbol);
/* The address of a string that write_strings writes; it must live until then. */
void put_text(struct table_writer *writer, const char *text);

/* A label at the next multiple of 8 bytes. */
void put_label(struct table_writer *writer, const char *label);
/* Bytes without a structure. */
void put_bytes(struct table_writer *writer, const void *bytes, size_t size);

/* All strings that put_text wanted. */
void write_strings(struct table_writer *writer);

#endif
