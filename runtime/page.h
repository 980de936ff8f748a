/* Pieces of the HTML pages that trainings leave: self-contained, light and dark. */
#ifndef RUNTIME_PAGE_H
#define RUNTIME_PAGE_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

enum { PAGE_RUN_COLOURS = 8 /* classes run0 ... run7 of lines */ };

/* A page while it is built. */
struct page {
    struct text_builder html;
    struct arena *arena;
};

void page_begin(struct page *page, struct arena *arena, const char *title, const char *subtitle);

/* Ends the page and writes it, atomically. */
struct status page_write(struct page *page, const char *path);

/* A headline number. Both texts are HTML. */
void page_card(struct page *page, const char *value, const char *label);

/* A row of a table of facts. The value is plain text. */
void page_fact(struct page *page, const char *name, const char *value);

/* A picture of height x width RGB bytes, inside the page; nothing where it cannot be encoded. */
void page_image(struct page *page, const uint8_t *pixels, int64_t height, int64_t width);

/* Plain text as HTML. */
const char *page_escaped(struct arena *arena, const char *text);

const char *page_duration(struct arena *arena, double seconds);

#endif
