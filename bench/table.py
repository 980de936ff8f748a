#!/usr/bin/env python3
"""The table of bars: compiled networks beside PyTorch, in turns, on this machine.

    bench/table.py                           all rows of the table
    bench/table.py --rows cifar_iresnet164_train,imagenet_iresnet50_infer
    bench/table.py --list                    names of all rows, with those beyond the table
    bench/table.py --rounds 3                fewer turns each, for a glance

Needs rnet, built (build/rnet, or --rnet), and for the peer a Python with torch (--python). Where
that is missing the rows have our figures alone. bench/README.md says how it is measured.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from rows import ROWS, TABLE, Setting, run_row  # noqa: E402
from torch_peer import torch_version  # noqa: E402

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
HEADINGS = ("row", "rnet", "peer", "peer's form", "ratio", "over rounds", "bar", "stretch", "")


def processor_name():
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "an unknown processor"


def vector_extension():
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        flags = next((line.split() for line in stream if line.startswith("flags")), [])
    return next((name for name in ("avx512f", "avx2", "sse2") if name in flags), "")


def machine_limits(rnet, threads):
    """What the processor can do at most, as bench/limits measures it; None if that is not built."""
    program = os.path.join(os.path.dirname(rnet), "bench", "limits")
    try:
        text = subprocess.run([program, "--threads", str(threads), "--json"], check=True,
                              capture_output=True, text=True).stdout
        return json.loads(text)
    except (OSError, subprocess.CalledProcessError):
        return None


def heading(setting):
    version = subprocess.run([setting.rnet, "--version"], check=True, capture_output=True,
                             text=True).stdout.strip()
    peer = torch_version(setting.python)
    facts = {"processor": processor_name(), "vectors": vector_extension(),
             "threads": setting.threads, "rnet": version, "torch": peer,
             "rounds": setting.rounds, "limits": machine_limits(setting.rnet, setting.threads)}
    print(f"{facts['processor']} ({facts['vectors']}), {setting.threads} threads, fp32; "
          f"{version}; {'PyTorch ' + peer if peer else 'no PyTorch'}; {setting.rounds} rounds")
    if facts["limits"]:
        print(f"the machine, measured now: {facts['limits']['gflop_per_second']:.1f} GFLOP/s, "
              f"{facts['limits']['gbyte_per_second']:.1f} GB/s")
    return facts


def print_line(cells):
    widths = (34, 10, 10, 24, 7, 12, 7, 8, 4)
    line = "".join(f"{cell:<{width}}" if i in (0, 3, 8) else f"{cell:>{width}}  "
                   for i, (cell, width) in enumerate(zip(cells, widths)))
    print(line.rstrip(), flush=True)


def format_number(value, unit):
    if value is None:
        return ""
    if unit == "s":
        return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "B":
        return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.0f} MiB"
    return f"{100 * value:.0f} %" if unit == "%" else f"{value:.3g}"


def print_result(result):
    """One line of the table."""
    ratio, bar = result.get("ratio"), result.get("bar")
    sign = "<=" if result.get("smaller_is_better") else ">="
    met = ""
    if ratio is not None and bar is not None:
        met = "met" if (ratio <= bar if sign == "<=" else ratio >= bar) else "MISSED"
    spread = result.get("ratio_range")
    print_line((result["name"], format_number(result.get("ours"), result["unit"]),
                format_number(result.get("theirs"), result["unit"]), result.get("form", ""),
                "" if ratio is None else f"{ratio:.3g}",
                f"{spread[0]:.2f}-{spread[1]:.2f}" if spread else "",
                "" if bar is None else f"{sign} {bar:.3g}",
                "" if result.get("stretch") is None else f"{result['stretch']:.3g}", met))
    if result.get("note"):
        print(f"    {result['note']}", flush=True)


def chosen_rows(options):
    names = options.rows.split(",") if options.rows else TABLE
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.exit(f"table.py: no row {', '.join(unknown)}; --list names them")
    return names


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", help="names, separated by commas")
    parser.add_argument("--list", action="store_true", help="name all rows")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default: 7)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rnet", default=os.path.join(TREE, "build", "rnet"))
    parser.add_argument("--python", default="python3", help="a Python with torch, for the peer")
    parser.add_argument("--no-peer", action="store_true", help="our figures alone")
    parser.add_argument("--json", metavar="FILE", help="write everything measured there, too")
    return parser.parse_args()


def main():
    options = parse_options()
    if options.list:
        for name, row in ROWS.items():
            print(f"{name:36} {row.title}{'' if name in TABLE else '  (beyond the table)'}")
        return
    rows = chosen_rows(options)
    with tempfile.TemporaryDirectory() as folder:
        python = None if options.no_peer or not torch_version(options.python) else options.python
        setting = Setting(os.path.abspath(options.rnet), python, options.threads, options.rounds,
                          os.path.abspath(TREE), folder)
        document = {**heading(setting), "rows": []}
        print_line(HEADINGS)
        for name in rows:
            for result in run_row(ROWS[name], setting):
                print_result(result)
                document["rows"].append(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=1)


if __name__ == "__main__":
    main()
