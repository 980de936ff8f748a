/* A line chart as inline SVG, in colours that the page's style sets. */
#ifndef RUNTIME_CHART_H
#define RUNTIME_CHART_H

#include <stdbool.h>

#include "base/text.h"

struct chart_point {
    double x, y; /* points that are not finite, or not positive where logarithmic, are left out */
};

struct chart_series {
    const char *name;  /* in the legend */
    const char *style; /* class of the line: "train", "validation", "steps" ... */
    const struct chart_point *points;
    size_t count;
    bool marked;              /* a dot with a tooltip on each point */
    const double *low, *high; /* a band about the line, as high and low as here; NULL: none */
};

struct chart {
    const char *title;
    const char *unit;      /* behind the numbers of tooltips */
    double x_begin, x_end; /* of the horizontal axis, in epochs */
    bool logarithmic;      /* the vertical axis */
    bool from_zero;        /* the vertical axis begins at 0 */
    bool without_legend;   /* the page says elsewhere which line is which */
    const struct chart_series *series;
    size_t count;
};

void chart_add(struct text_builder *html, const struct chart *chart);

#endif
