#!/usr/bin/env python3
"""Draws the output of `OUT bench --profile --json` as a roofline, in SVG, for light and dark pages.

    OUT bench --mode train --profile --json | bench/roofline.py --title TITLE > OUT.svg

Each kernel is a dot at its multiply-adds for each byte and its speed, as large as its share of the
time. Kernels that multiply nothing stand in a strip at the left, where the height against the roof
is their share of the memory's bandwidth.
"""
import argparse
import html
import json
import math
import sys

WIDTH, HEIGHT = 960, 560
LEFT, RIGHT, TOP, BOTTOM = 76, 590, 84, 480  # the plot; the key stands at its right
STRIP = 60       # width of the strip of kernels without multiply-adds
NAMED = 14       # kernels in the key
LARGEST = 26     # radius of a kernel with a quarter of the time
LEAST_SHARE = 0.001
KINDS = (("one", "1×1 convolutions"), ("window", "other convolutions"),
         ("weight", "weight gradients"), ("other", "everything else"))

STYLE = """
.page { fill: #ffffff } .ink { fill: #1b1e23 } .soft { fill: #5d6570 }
.grid { stroke: #e3e6ea } .roof { stroke: #1b1e23; fill: none; stroke-width: 2 }
.one { fill: #2a6fdb } .window { fill: #d9730d } .weight { fill: #12876f } .other { fill: #7b8794 }
.dot { fill-opacity: 0.75; stroke: #ffffff; stroke-width: 1 } .number { fill: #ffffff }
.strip { fill: #f4f5f7 }
text { font: 13px system-ui, sans-serif } .small { font-size: 11px } .title { font-size: 17px;
  font-weight: 600 } .number { font-size: 11px; font-weight: 600; text-anchor: middle }
.end { text-anchor: end } .middle { text-anchor: middle }
@media (prefers-color-scheme: dark) {
  .page { fill: #16191d } .ink { fill: #e8eaed } .soft { fill: #a2aab4 }
  .grid { stroke: #2c3239 } .roof { stroke: #e8eaed } .strip { fill: #1d2126 }
  .one { fill: #6aa3f5 } .window { fill: #f0a04b } .weight { fill: #45c2a4 }
  .other { fill: #98a2ae } .dot { stroke: #16191d } .number { fill: #101214 }
}
"""


def kind_of(name):
    if name.startswith("conv_weight"):
        return "weight"
    if name.startswith("conv_k1s1") or name.startswith("conv_data_k1"):
        return "one"
    return "window" if name.startswith("conv") else "other"


def short_name(name):
    """Without the hash at its end."""
    head, _, tail = name.rpartition("_")
    return head if len(tail) == 8 and head else name


class Plot:
    """The axes: FLOP for each byte, and GFLOP/s, both logarithmic."""

    def __init__(self, profile, kernels):
        self.peak = profile["peak_flop_per_second"] / 1e9
        self.bandwidth = profile["memory_bytes_per_second"] / 1e9
        intensities = [self.intensity(k) for k in kernels if k["multiply_adds"]]
        speeds = [k["gflop_per_second"] for k in kernels if k["multiply_adds"]]
        balance = self.peak / self.bandwidth
        low, high = min(intensities + [balance / 4]), max(intensities + [balance * 4])
        self.x_range = math.log10(low) - 0.15, math.log10(high) + 0.15
        bottom = min([s / 2 for s in speeds] + [10 ** self.x_range[0] * self.bandwidth / 8])
        self.y_range = math.log10(bottom), math.log10(1.5 * max(speeds + [self.peak]))

    @staticmethod
    def intensity(kernel):
        return 2 * kernel["multiply_adds"] / kernel["bytes"]

    def x(self, intensity):
        low, high = self.x_range
        return LEFT + STRIP + (math.log10(intensity) - low) / (high - low) * (RIGHT - LEFT - STRIP)

    def y(self, speed):
        low, high = self.y_range
        return BOTTOM - (math.log10(max(speed, 10 ** low)) - low) / (high - low) * (BOTTOM - TOP)

    def strip_y(self, of_memory):
        """In the strip: a fraction of the bandwidth, at the roof of the plot's left edge."""
        edge = min(self.peak, 10 ** self.x_range[0] * self.bandwidth)
        return self.y(edge * of_memory)


def ticks(low, high):
    """1, 2 and 5 times powers of ten within 10^low ... 10^high."""
    values = [m * 10.0 ** e for e in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    return [v for v in values if low <= math.log10(v) <= high]


def text(x, y, words, css):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}">{html.escape(words)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def draw_axes(plot):
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{STRIP}" height="{BOTTOM - TOP}" class="strip"/>']
    for value in ticks(*plot.x_range):
        x = plot.x(value)
        parts.append(line(x, TOP, x, BOTTOM, "grid"))
        parts.append(text(x, BOTTOM + 18, f"{value:g}", "soft small middle"))
    for value in ticks(*plot.y_range):
        y = plot.y(value)
        parts.append(line(LEFT + STRIP, y, RIGHT, y, "grid"))
        parts.append(text(LEFT - 8, y + 4, f"{value:g}", "soft small end"))
    parts.append(text((LEFT + STRIP + RIGHT) / 2, BOTTOM + 38, "FLOP for each byte of operands",
                      "soft middle"))
    parts.append(text(LEFT + STRIP / 2, BOTTOM + 18, "no products", "soft small middle"))
    parts.append(text(LEFT - 8, TOP - 10, "GFLOP/s", "soft end"))
    return parts


def draw_roof(plot):
    left, balance = 10 ** plot.x_range[0], plot.peak / plot.bandwidth
    points = [(LEFT, plot.strip_y(1)), (LEFT + STRIP, plot.strip_y(1)),
              (plot.x(left), plot.y(left * plot.bandwidth)), (plot.x(balance), plot.y(plot.peak)),
              (RIGHT, plot.y(plot.peak))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    slope = math.sqrt(left * balance)
    return [f'<polyline points="{path}" class="roof"/>',
            text(RIGHT, plot.y(plot.peak) - 8, f"peak {plot.peak:.0f} GFLOP/s", "ink small end"),
            text(plot.x(slope) - 10, plot.y(slope * plot.bandwidth) - 8,
                 f"memory {plot.bandwidth:.0f} GB/s", "ink small end")]


def strip_positions(kernels):
    """Kernels of the strip, side by side so that they hide each other less."""
    places = (0.5, 0.25, 0.75, 0.12, 0.88, 0.38, 0.62)
    moving = [k["name"] for k in kernels if not k["multiply_adds"]]
    return {name: LEFT + STRIP * places[i % len(places)] for i, name in enumerate(moving)}


def draw_dots(plot, kernels):
    strip, parts = strip_positions(kernels), []
    for rank, kernel in enumerate(kernels, 1):
        radius = max(2.0, LARGEST * math.sqrt(kernel["share"] / 0.25))
        if kernel["multiply_adds"]:
            x, y = plot.x(plot.intensity(kernel)), plot.y(kernel["gflop_per_second"])
        else:
            x, y = strip[kernel["name"]], plot.strip_y(kernel["of_memory"])
        y = max(y, TOP - 4)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" '
                     f'class="dot {kind_of(kernel["name"])}"><title>'
                     f'{html.escape(kernel["name"])}: {100 * kernel["share"]:.1f} %</title>'
                     "</circle>")
        if rank <= NAMED and radius > 6:
            parts.append(text(x, y + 4, str(rank), "number"))
        elif rank <= NAMED:
            parts.append(text(x + radius + 2, y + 4, str(rank), "ink small"))
    return parts


def of_limit(plot, kernel):
    """The time that the nearer limit would take, by the time taken."""
    arithmetic = 2 * kernel["multiply_adds"] / (plot.peak * 1e9)
    return max(arithmetic, kernel["bytes"] / (plot.bandwidth * 1e9)) / kernel["seconds"]


def draw_key(plot, kernels):
    x, y = RIGHT + 36, TOP
    parts = [text(x + 24, y, "kernel", "soft small"), text(x + 278, y, "time", "soft small end"),
             text(x + 330, y, "of limit", "soft small end")]
    for rank, kernel in enumerate(kernels[:NAMED], 1):
        y = TOP + 21 * rank
        parts += [f'<rect x="{x - 8}" y="{y - 13}" width="24" height="17" rx="4" '
                  f'class="{kind_of(kernel["name"])}"/>',
                  text(x + 4, y, str(rank), "number"),
                  text(x + 24, y, short_name(kernel["name"]), "ink small"),
                  text(x + 278, y, f"{100 * kernel['share']:.1f} %", "ink small end"),
                  text(x + 330, y, f"{100 * of_limit(plot, kernel):.0f} %", "ink small end")]
    y = TOP + 21 * (min(NAMED, len(kernels)) + 1) + 12
    for css, words in KINDS:
        share = sum(k["share"] for k in kernels if kind_of(k["name"]) == css)
        parts += [f'<circle cx="{x + 4}" cy="{y - 4}" r="6" class="{css}"/>',
                  text(x + 24, y, words, "ink small"),
                  text(x + 278, y, f"{100 * share:.0f} %", "ink small end")]
        y += 19
    return parts


def draw(profile, title):
    kernels = [k for k in profile["kernels"] if k["share"] >= LEAST_SHARE and k["bytes"]]
    plot = Plot(profile, kernels)
    seconds = profile["median_seconds"]
    facts = (f"{'training' if profile['mode'] == 'train' else 'inference'}, batch "
             f"{profile['batch']}, {profile['threads']} threads, {seconds * 1e3:.0f} ms a step, "
             f"{profile['gflop_per_second']:.0f} GFLOP/s; peak and bandwidth measured in the same "
             "run")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{html.escape(title)}">',
             f"<style>{STYLE}</style>", f'<rect width="{WIDTH}" height="{HEIGHT}" class="page"/>',
             text(24, 30, title, "ink title"), text(24, 50, facts, "soft small")]
    parts += draw_axes(plot) + draw_roof(plot) + draw_dots(plot, kernels)
    parts += draw_key(plot, kernels)
    return "\n".join(parts + ["</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--title", default="Kernels under the roof")
    options = parser.parse_args()
    sys.stdout.write(draw(json.load(sys.stdin), options.title))


if __name__ == "__main__":
    main()
