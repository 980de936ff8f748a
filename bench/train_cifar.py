#!/usr/bin/env python3
"""Times training steps of a compiled CIFAR network against PyTorch on the same CPU.

Needs torch and numpy. Build the executable first, then name what was built:

    rnet build examples/cifar/iresnet.rnet -D depth=164 -D batch=64 -o m
    bench/train_cifar.py ./m --network iresnet --depth 164 --batch 64

Each round times PyTorch with contiguous tensors, PyTorch in channels_last, and the executable, one
after the other, so that a slow phase of the machine meets all of them. A time is the median of a
round's steps (two before them do not count); what is printed is the median over the rounds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/train"))
sys.dont_write_bytecode = True
from record import CLASSES, Network  # noqa: E402  (the folder is not a package)

WARMUP_STEPS = 2
FORMATS = {"torch contiguous": torch.contiguous_format, "torch channels_last": torch.channels_last}


class TorchStep:
    """One step of SGD on random images."""

    def __init__(self, options, memory_format):
        torch.manual_seed(0)
        self.network = Network(options.network, options.depth).to(memory_format=memory_format)
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.0, 0.9, weight_decay=1e-4)
        images = torch.randn(options.batch, 3, 32, 32)
        self.images = images.to(memory_format=memory_format)
        self.labels = torch.randint(CLASSES, (options.batch,))

    def __call__(self):
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.network(self.images), self.labels)
        loss.backward()
        self.optimizer.step()

    def median_seconds(self, steps):
        times = []
        for _ in range(WARMUP_STEPS + steps):
            start = time.perf_counter()
            self()
            times.append(time.perf_counter() - start)
        return statistics.median(times[WARMUP_STEPS:])


def executable_seconds(options):
    command = [options.executable, "bench", "--mode", "train", "--json",
               "--steps", str(options.steps), "--batch", str(options.batch),
               "--threads", str(options.threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[
        "median_seconds"]


def measure(options):
    """Returns the times of every round, by name."""
    steps = {name: TorchStep(options, memory_format) for name, memory_format in FORMATS.items()}
    times = {name: [] for name in [*FORMATS, "rnet"]}
    for _ in range(options.rounds):
        for name, step in steps.items():
            times[name].append(step.median_seconds(options.steps))
        times["rnet"].append(executable_seconds(options))
    return times


def print_times(options, times):
    print(f"{options.network}-{options.depth}, batch {options.batch}, {options.threads} threads, "
          f"{options.rounds} rounds of {options.steps} steps, PyTorch {torch.__version__}")
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"{name:20} {medians[name] * 1e3:9.1f} ms a step "
              f"({min(values) * 1e3:.1f} to {max(values) * 1e3:.1f}), "
              f"{options.batch / medians[name]:8.1f} images/s")
    for name in FORMATS:
        ratios = [theirs / ours for theirs, ours in zip(times[name], times["rnet"])]
        print(f"rnet is {statistics.median(ratios):.2f} times as fast as {name} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("executable")
    parser.add_argument("--network", choices=["resnet", "iresnet"], default="iresnet")
    parser.add_argument("--depth", type=int, default=164)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print_times(options, measure(options))


if __name__ == "__main__":
    main()
