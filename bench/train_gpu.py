#!/usr/bin/env python3
"""Times training steps in PyTorch on a GPU, as a peer of compiled networks: channels_last, TF32 or
bf16 by autocast, eager and compiled with CUDA graphs. Prints one JSON object a line.

    bench/train_gpu.py --network iresnet --depth 164 --batch 64 --precision tf32
    bench/train_gpu.py --network imagenet-iresnet --depth 50 --batch 256 --precision bf16
"""
import argparse
import json
import os
import statistics
import sys
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from torch_networks import IMAGENET_BLOCKS, Network  # noqa: E402  (the folder is no package)

WARMUP_STEPS = 5


def make_network(options):
    """The network, and the side of its images."""
    if options.network == "imagenet-iresnet":
        return Network("iresnet", "imagenet", options.depth), 224
    return Network(options.network, "cifar", options.depth), 32


class Step:
    """One step of SGD on random images."""

    def __init__(self, options, compiled):
        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = options.precision != "fp32"
        torch.backends.cudnn.allow_tf32 = options.precision != "fp32"
        torch.backends.cudnn.benchmark = True
        network, side = make_network(options)
        self.network = network.cuda().to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.0, 0.9, weight_decay=1e-4)
        images = torch.randn(options.batch, 3, side, side, device="cuda")
        self.images = images.to(memory_format=torch.channels_last)
        self.labels = torch.randint(network.fc.out_features, (options.batch,), device="cuda")
        self.is_bf16 = options.precision == "bf16"
        self.loss = torch.compile(self.compute, mode="reduce-overhead") if compiled else self.compute

    def compute(self, images, labels):
        with torch.autocast("cuda", torch.bfloat16, enabled=self.is_bf16):
            logits = self.network(images)
        return torch.nn.functional.cross_entropy(logits.float(), labels)

    def __call__(self):
        self.optimizer.zero_grad()
        self.loss(self.images, self.labels).backward()
        self.optimizer.step()
        torch.cuda.synchronize()


def measure(options, compiled):
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    step = Step(options, compiled)
    times = []
    for _ in range(WARMUP_STEPS + options.steps):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
        if len(times) == 1:
            first = time.perf_counter() - start
    median = statistics.median(times[WARMUP_STEPS:])
    return {"peer": "torch.compile" if compiled else "torch eager", "network": options.network,
            "depth": options.depth, "batch": options.batch, "precision": options.precision,
            "median_seconds": median, "images_per_second": options.batch / median,
            "first_step_seconds": first, "device_bytes": torch.cuda.max_memory_allocated(),
            "torch": torch.__version__, "gpu": torch.cuda.get_device_name()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="iresnet",
                        choices=["resnet", "iresnet", "imagenet-iresnet"])
    parser.add_argument("--depth", type=int, default=164)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16"], default="tf32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--eager", action="store_true", help="do not compile as well")
    options = parser.parse_args()
    if options.network == "imagenet-iresnet" and options.depth not in IMAGENET_BLOCKS:
        parser.error(f"imagenet-iresnet has --depth {', '.join(map(str, IMAGENET_BLOCKS))}")
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU")
    for compiled in [False] if options.eager else [False, True]:
        print(json.dumps(measure(options, compiled)), flush=True)


if __name__ == "__main__":
    main()
