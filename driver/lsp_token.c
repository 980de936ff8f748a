/* Splitting a text into words, numbers, strings and signs. Anything is some token. */
#include <string.h>

#include "driver/lsp_outline.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint32_t word_end(const struct source *source, uint32_t at)
{
    while (at < source->size && (is_letter(source->text[at]) || is_digit(source->text[at])))
        at++;
    return at;
}

static uint32_t line_end(const struct source *source, uint32_t at)
{
    return at + (uint32_t)strcspn(source->text + at, "\n");
}

static uint32_t string_end(const struct source *source, uint32_t at)
{
    at += 1 + (uint32_t)strcspn(source->text + at + 1, "\"\n");
    return at < source->size && source->text[at] == '"' ? at + 1 : at;
}

static struct lsp_token token_at(const struct source *source, uint32_t at)
{
    const char *text = source->text + at;

    if (is_letter(*text))
        return (struct lsp_token){LSP_WORD, at, word_end(source, at)};
    if (is_digit(*text))
        return (struct lsp_token){LSP_NUMBER, at, word_end(source, at)};
    if (*text == '"')
        return (struct lsp_token){LSP_STRING, at, string_end(source, at)};
    if (strncmp(text, "//", 2) == 0)
        return (struct lsp_token){LSP_COMMENT, at, line_end(source, at)};
    return (struct lsp_token){LSP_SIGN, at, at + (strncmp(text, ">>", 2) == 0 ? 2 : 1)};
}

void lsp_scan(struct arena *arena, const struct source *source, struct lsp_outline *out,
              uint32_t offset)
{
    for (uint32_t at = 0; at < source->size;) {
        struct lsp_token token;

        if (strchr(" \t\r\n", source->text[at])) {
            at++;
            continue;
        }
        token = token_at(source, at);
        at = token.end;
        if ((token.kind == LSP_COMMENT && token.begin < offset && offset <= token.end) ||
            (token.kind == LSP_STRING && token.begin < offset && offset < token.end))
            out->is_in_comment = true;
        if (token.kind != LSP_COMMENT)
            vector_push(&out->tokens, arena, token);
    }
}
