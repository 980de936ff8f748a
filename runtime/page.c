/* Style and pieces of a page. See page.h. */
#include "runtime/page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "runtime/image.h"

enum { MINUTE = 60, HOUR = 3600 };

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#667085;"
    "--edge:#e3e7ee;--train:#2f6fde;--validation:#e0703a;--steps:#a9c3f2;--rate:#2c9a72}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#12161d;--card:#1a2029;--ink:#e6eaf0;"
    "--soft:#98a2b3;--edge:#2b3340;--train:#6ea3ff;--validation:#ff9a62;--steps:#34507f;"
    "--rate:#4cc79a}}\n"
    ":root{--run0:#2f6fde;--run1:#e0703a;--run2:#2c9a72;--run3:#9a5bd0;--run4:#b8911a;"
    "--run5:#d0498c;--run6:#2f97aa;--run7:#7b8794}\n"
    "@media (prefers-color-scheme:dark){:root{--run0:#6ea3ff;--run1:#ff9a62;--run2:#4cc79a;"
    "--run3:#c08df0;--run4:#e0be55;--run5:#f07fb5;--run6:#62cbdd;--run7:#9aa7b5}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main{max-width:1180px;margin:0 auto;padding:36px 24px 56px}h1{font-size:27px;margin:0;"
    "letter-spacing:-.01em}h2{font-size:16px;margin:36px 0 12px}\n"
    ".sub{color:var(--soft);margin:2px 0 26px}.cards{display:grid;gap:14px;"
    "grid-template-columns:repeat(auto-fit,minmax(160px,1fr));margin-bottom:18px}\n"
    ".card,figure,.panel{background:var(--card);border:1px solid var(--edge);border-radius:12px}"
    ".card{padding:14px 18px}.card b{display:block;font-size:23px;font-weight:650;"
    "font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:13px}\n"
    ".charts{display:grid;gap:18px;grid-template-columns:repeat(auto-fit,minmax(440px,1fr))}"
    "figure{margin:0;padding:16px 18px 10px}figcaption{display:flex;justify-content:"
    "space-between;gap:12px;font-weight:600;margin-bottom:6px}\n"
    ".legend{font-weight:400;font-size:13px;color:var(--soft)}.key{margin-left:14px}"
    ".key::before{content:'';display:inline-block;width:14px;height:3px;border-radius:2px;"
    "margin-right:6px;vertical-align:middle;background:currentColor}\n"
    ".key.train::before{background:var(--train)}.key.validation::before{background:"
    "var(--validation)}.key.steps::before{background:var(--steps)}.key.rate::before{background:"
    "var(--rate)}\n"
    "svg{display:block;width:100%;height:auto}.grid{stroke:var(--edge)}.tick{fill:var(--soft);"
    "font-size:12px;font-variant-numeric:tabular-nums}.line{fill:none;stroke-width:2.2;"
    "stroke-linejoin:round;stroke-linecap:round}\n"
    ".line.train{stroke:var(--train)}.line.validation{stroke:var(--validation)}"
    ".line.steps{stroke:var(--steps);stroke-width:1.2}.line.rate{stroke:var(--rate)}"
    ".dot.train{fill:var(--train)}.dot.validation{fill:var(--validation)}"
    ".dot.rate{fill:var(--rate)}\n"
    ".panel{padding:6px 18px;overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}td,th{padding:7px 14px 7px 0;border-bottom:1px solid "
    "var(--edge);text-align:right;white-space:nowrap}tr:last-child td{border-bottom:0}"
    "th{color:var(--soft);font-weight:500;font-size:13px}td:first-child,th:first-child"
    "{text-align:left}.facts td{white-space:normal}.facts td:first-child{color:var(--soft);"
    "width:120px}.facts td+td{text-align:left}tr.best td{font-weight:650}\n"
    ".card b{white-space:nowrap}.track{display:inline-block;width:120px;margin-left:8px;"
    "text-align:left}.bar{display:inline-block;height:10px;border-radius:3px;"
    "background:var(--train);vertical-align:middle}.matrix td{width:30px;height:30px;padding:0;text-align:center;"
    "border:1px solid var(--page);font-size:12px}.matrix th{padding:2px 8px;text-align:right}"
    ".matrix{width:auto}.matrix tr:first-child th{writing-mode:vertical-rl;text-align:left;"
    "padding:6px 2px}\n"
    ".worst{display:grid;gap:14px;grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}"
    ".worst div{background:var(--card);border:1px solid var(--edge);border-radius:12px;"
    "padding:10px;font-size:13px}.worst img{width:100%;border-radius:6px;display:block;"
    "margin-bottom:6px;image-rendering:pixelated}.worst span{color:var(--soft)}\n"
    ".line.dashed{stroke-dasharray:7 5}.key.dashed::before{opacity:.5}.band{opacity:.16}\n"
    ".runs{margin:4px 0}.runs .key{margin-left:0}.runs .key::before{width:20px;height:4px}"
    "td.name,th.name{text-align:left}"
    ".note{color:var(--soft);font-weight:400}.panel+.charts{margin-top:18px}"
    ".several .line{transition:opacity .1s}\n"
    ".choices td:first-child{color:var(--soft)}.choices th:nth-child(2){text-align:left}"
    ".strip{width:46%;padding-left:24px}.strip div{position:relative;height:14px}"
    ".strip div::before{content:'';position:absolute;left:0;right:0;top:6px;height:2px;"
    "background:var(--edge)}.strip b{position:absolute;top:-3px;width:3px;height:20px;"
    "margin-left:-1.5px;border-radius:2px;background:var(--ink)}.strip i{position:absolute;"
    "top:1px;width:12px;height:12px;margin-left:-6px;border-radius:6px;border:2px solid "
    "var(--card)}.ends{padding-left:24px}.ends span+span{float:right}.ends span{float:left}\n"
    ".shared{display:flex;flex-wrap:wrap;gap:6px 28px;padding:12px 18px}"
    ".shared span{color:var(--soft);margin-right:4px}\n";

const char *page_escaped(struct arena *arena, const char *text)
{
    struct text_builder out = {.arena = arena};
    for (; *text != '\0'; text++) {
        if (*text == '<')
            text_add(&out, "&lt;");
        else if (*text == '&')
            text_add(&out, "&amp;");
        else if (*text == '"')
            text_add(&out, "&quot;");
        else
            text_add_bytes(&out, text, 1);
    }
    return text_result(&out);
}

const char *page_duration(struct arena *arena, double seconds)
{
    int64_t whole = (int64_t)seconds;
    if (whole >= HOUR)
        return arena_format(arena, "%" PRId64 " h %02d min", whole / HOUR,
                            (int)(whole / MINUTE % MINUTE));
    if (whole >= MINUTE)
        return arena_format(arena, "%d min %02d s", (int)(whole / MINUTE), (int)(whole % MINUTE));
    return arena_format(arena, "%.1f s", seconds);
}

/* The colours of run0 ...; pointing at a run's row dims the curves of all others. */
static void run_styles_add(struct text_builder *html)
{
    for (int i = 0; i < PAGE_RUN_COLOURS; i++) {
        text_add(html, ".key.run%d::before,.mark.run%d{background:var(--run%d)}", i, i, i);
        text_add(html, ".line.run%d{stroke:var(--run%d)}", i, i);
        text_add(html, ".dot.run%d,.band.run%d{fill:var(--run%d)}", i, i, i);
        text_add(html,
                 "main:has(tr.run%d:hover) :is(.line,.dot,.band):not(.run%d){opacity:.1}\n", i, i);
    }
}

void page_begin(struct page *page, struct arena *arena, const char *title, const char *subtitle)
{
    *page = (struct page){{.arena = arena}, arena};
    title = page_escaped(arena, title);
    text_add(&page->html,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
             "<title>%s</title>\n<style>\n%s",
             title, style);
    run_styles_add(&page->html);
    text_add(&page->html,
             "</style></head>\n<body><main>\n<h1>%s</h1>\n<p class=\"sub\">%s</p>\n", title,
             page_escaped(arena, subtitle));
}

struct status page_write(struct page *page, const char *path)
{
    text_add(&page->html, "</main></body></html>\n");
    return file_write(path, text_result(&page->html), page->html.length);
}

void page_card(struct page *page, const char *value, const char *label)
{
    text_add(&page->html, "<div class=\"card\"><b>%s</b><span>%s</span></div>\n", value, label);
}

void page_fact(struct page *page, const char *name, const char *value)
{
    text_add(&page->html, "<tr><td>%s</td><td>%s</td></tr>\n", name,
             page_escaped(page->arena, value));
}

static void base64_add(struct text_builder *html, const uint8_t *bytes, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16;
        word |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= i + 2 < size ? bytes[i + 2] : 0;
        char four[] = {digits[word >> 18], digits[word >> 12 & 63],
                       i + 1 < size ? digits[word >> 6 & 63] : '=',
                       i + 2 < size ? digits[word & 63] : '='};
        text_add_bytes(html, four, sizeof four);
    }
}

void page_image(struct page *page, const uint8_t *pixels, int64_t height, int64_t width)
{
    uint8_t *bytes;
    size_t size;
    struct status status = png_encode(pixels, height, width, &bytes, &size);
    if (!status_is_ok(&status))
        return;
    text_add(&page->html, "<img alt=\"\" src=\"data:image/png;base64,");
    base64_add(&page->html, bytes, size);
    text_add(&page->html, "\">");
    free(bytes);
}
