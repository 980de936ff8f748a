#!/usr/bin/env python3
"""Profiles any network by kernel, and draws its roofline.

    bench/profile_network.py examples/cifar/iresnet.rnet -D depth=164 -D batch=64 --svg iresnet.svg

Builds the network with rnet, runs `OUT bench --profile`, and prints its table.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import roofline  # noqa: E402

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", metavar="FILE.rnet")
    parser.add_argument("-D", dest="definitions", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--mode", choices=["train", "infer"], default="train")
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rnet", default=os.path.join(TREE, "build", "rnet"))
    parser.add_argument("--svg", metavar="OUT.svg", help="draw the roofline there")
    parser.add_argument("--title", help="of the picture (default: the network and its settings)")
    parser.add_argument("--json", metavar="OUT.json", help="write what was measured there")
    return parser.parse_args()


def measure(options, folder):
    """What `bench --profile --json` says."""
    executable = os.path.join(folder, "network")
    build = [options.rnet, "build", options.file, "-o", executable]
    for definition in options.definitions:
        build += ["-D", definition]
    if subprocess.run(build, check=False).returncode:
        sys.exit(1)
    text = subprocess.run([executable, "bench", "--mode", options.mode, "--profile", "--json",
                           "--steps", str(options.steps), "--threads", str(options.threads)],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def print_table(profile):
    print(f"{profile['mode']}, batch {profile['batch']}, {profile['threads']} threads: "
          f"{profile['median_seconds'] * 1e3:.1f} ms a step, "
          f"{profile['gflop_per_second']:.1f} GFLOP/s")
    print(f"the machine, measured now: {profile['peak_flop_per_second'] / 1e9:.1f} GFLOP/s, "
          f"{profile['memory_bytes_per_second'] / 1e9:.1f} GB/s\n")
    print("  share        ms  calls  GFLOP/s  of peak   GB/s  of memory  kernel")
    for kernel in profile["kernels"]:
        if kernel["share"] < roofline.LEAST_SHARE:
            continue
        speed = (f"{kernel['gflop_per_second']:8.1f} {100 * kernel['of_peak']:6.1f} %"
                 if kernel["multiply_adds"] else " " * 17)
        print(f"{100 * kernel['share']:6.1f} % {kernel['seconds'] * 1e3:9.3f} "
              f"{kernel['calls']:6} {speed} {kernel['gbyte_per_second']:6.1f} "
              f"{100 * kernel['of_memory']:8.1f} %  {kernel['name']}")


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory() as folder:
        profile = measure(options, folder)
    print_table(profile)
    name = os.path.splitext(os.path.basename(options.file))[0]
    title = options.title or " ".join([name, *options.definitions])
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as stream:
            stream.write(roofline.draw(profile, title))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(profile, stream, indent=1)


if __name__ == "__main__":
    main()
