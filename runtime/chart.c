/* Drawing a chart: ranges, ticks, grid, lines. See chart.h. */
#include "runtime/chart.h"

#include <math.h>

enum {
    WIDTH = 560,
    HEIGHT = 300,
    LEFT = 56,
    RIGHT = 14,
    TOP = 14,
    BOTTOM = 40,
    TICKS = 6, /* about so many on an axis */
    MOST_MARKS = 120,
};

/* The vertical range, in the axis' own scale (decades where it is logarithmic). */
struct frame {
    const struct chart *chart;
    double low, high;
};

static bool is_drawn(const struct chart *chart, struct chart_point point)
{
    return isfinite(point.y) && (!chart->logarithmic || point.y > 0);
}

static double scaled(const struct chart *chart, double y)
{
    return chart->logarithmic ? log10(y) : y;
}

static double place_x(const struct frame *frame, double x)
{
    double begin = frame->chart->x_begin, end = frame->chart->x_end;
    return LEFT + (WIDTH - LEFT - RIGHT) * (x - begin) / (end - begin);
}

static double place_y(const struct frame *frame, double y)
{
    double share = (scaled(frame->chart, y) - frame->low) / (frame->high - frame->low);
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them span the range. */
static double tick_step(double range)
{
    double raw = range / TICKS, power = pow(10, floor(log10(raw)));
    double mantissa = raw / power;
    return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
}

/* Widens the range by a point, and by the band about it. */
static void frame_take(struct frame *frame, const struct chart_series *series, size_t number)
{
    const struct chart *chart = frame->chart;
    struct chart_point point = series->points[number];
    if (!is_drawn(chart, point))
        return;
    frame->low = fmin(frame->low, scaled(chart, series->low ? series->low[number] : point.y));
    frame->high = fmax(frame->high, scaled(chart, series->high ? series->high[number] : point.y));
}

static struct frame frame_fit(const struct chart *chart)
{
    struct frame frame = {chart, INFINITY, -INFINITY};
    for (size_t i = 0; i < chart->count; i++)
        for (size_t j = 0; j < chart->series[i].count; j++)
            frame_take(&frame, &chart->series[i], j);
    if (!isfinite(frame.low) || !isfinite(frame.high))
        return (struct frame){chart, 0, 1};
    if (chart->logarithmic)
        return (struct frame){chart, floor(frame.low),
                              fmax(ceil(frame.high), floor(frame.low) + 1)};
    if (chart->from_zero)
        frame.low = 0;
    if (frame.high - frame.low < 1e-9)
        frame.high = frame.low + 1;
    double step = tick_step(frame.high - frame.low);
    frame.low = floor(frame.low / step) * step;
    frame.high = ceil(frame.high / step) * step;
    return frame;
}

static void horizontal_line(struct text_builder *html, const struct frame *frame, double y)
{
    double at = place_y(frame, y);
    text_add(html, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
             WIDTH - RIGHT, at, at);
    text_add(html, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
             LEFT - 8, at + 4, y);
}

static void axis_y_add(struct text_builder *html, const struct frame *frame)
{
    if (frame->chart->logarithmic) {
        for (double decade = frame->low; decade <= frame->high; decade++)
            horizontal_line(html, frame, pow(10, decade));
        return;
    }
    double step = tick_step(frame->high - frame->low);
    for (double i = 0; frame->low + i * step <= frame->high + 0.5 * step; i++)
        horizontal_line(html, frame, frame->low + i * step);
}

static void axis_x_add(struct text_builder *html, const struct frame *frame)
{
    double begin = frame->chart->x_begin, end = frame->chart->x_end, step = tick_step(end - begin);
    if (end - begin >= 1)
        step = fmax(step, 1);
    for (double i = ceil(begin / step); i * step <= end * 1.0001; i++)
        text_add(html, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>",
                 place_x(frame, i * step), HEIGHT - BOTTOM + 18, i * step);
    text_add(html,
             "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">epochs</text>\n",
             (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4);
}

/* The band about a line: along its upper edge, and back along the lower one. */
static void band_add(struct text_builder *html, const struct frame *frame,
                     const struct chart_series *series)
{
    text_add(html, "<polygon class=\"band %s\" points=\"", series->style);
    for (size_t i = 0; i < series->count; i++)
        if (is_drawn(frame->chart, series->points[i]))
            text_add(html, "%.1f,%.1f ", place_x(frame, series->points[i].x),
                     place_y(frame, series->high[i]));
    for (size_t i = series->count; i-- > 0;)
        if (is_drawn(frame->chart, series->points[i]))
            text_add(html, "%.1f,%.1f ", place_x(frame, series->points[i].x),
                     place_y(frame, series->low[i]));
    text_add(html, "\"/>\n");
}

static void series_add(struct text_builder *html, const struct frame *frame,
                       const struct chart_series *series)
{
    if (series->low != NULL && series->high != NULL)
        band_add(html, frame, series);
    text_add(html, "<polyline class=\"line %s\" points=\"", series->style);
    for (size_t i = 0; i < series->count; i++)
        if (is_drawn(frame->chart, series->points[i]))
            text_add(html, "%.1f,%.1f ", place_x(frame, series->points[i].x),
                     place_y(frame, series->points[i].y));
    text_add(html, "\"/>\n");
    for (size_t i = 0; series->marked && series->count <= MOST_MARKS && i < series->count; i++)
        if (is_drawn(frame->chart, series->points[i]))
            text_add(html,
                     "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\">"
                     "<title>%s, epoch %g: %.4g%s</title></circle>\n",
                     series->style, place_x(frame, series->points[i].x),
                     place_y(frame, series->points[i].y), series->name, series->points[i].x,
                     series->points[i].y, frame->chart->unit);
}

static void legend_add(struct text_builder *html, const struct chart *chart)
{
    text_add(html, "<figcaption>%s<span class=\"legend\">", chart->title);
    for (size_t i = 0; !chart->without_legend && i < chart->count; i++)
        text_add(html, "<span class=\"key %s\">%s</span>", chart->series[i].style,
                 chart->series[i].name);
    text_add(html, "</span></figcaption>\n");
}

void chart_add(struct text_builder *html, const struct chart *chart)
{
    struct frame frame = frame_fit(chart);
    text_add(html, "<figure>");
    legend_add(html, chart);
    text_add(html, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
             chart->title);
    axis_y_add(html, &frame);
    axis_x_add(html, &frame);
    for (size_t i = 0; i < chart->count; i++)
        series_add(html, &frame, &chart->series[i]);
    text_add(html, "</svg></figure>\n");
}
