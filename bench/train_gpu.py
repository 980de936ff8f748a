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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../tests/train")]
sys.dont_write_bytecode = True
from record import Network as CifarNetwork, improved_stage  # noqa: E402

WARMUP_STEPS = 5
IMAGENET_BLOCKS = [3, 4, 6, 3]


class ImagenetNetwork(torch.nn.Module):
    """examples/imagenet/iresnet.rnet at depth 50."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(64)
        stages, inputs = [], 64
        for i, count in enumerate(IMAGENET_BLOCKS):
            stages.append(improved_stage(count, inputs, 64 * 2**i, 2, False))
            inputs = 256 * 2**i
        self.stages = torch.nn.Sequential(*stages)
        self.fc = torch.nn.Linear(inputs, 1000)

    def forward(self, x):
        return self.fc(self.stages(torch.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


def make_network(options):
    if options.network == "imagenet-iresnet":
        return ImagenetNetwork(), 224, 1000
    return CifarNetwork(options.network, options.depth), 32, 10


class Step:
    """One step of SGD on random images."""

    def __init__(self, options, compiled):
        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = options.precision != "fp32"
        torch.backends.cudnn.allow_tf32 = options.precision != "fp32"
        torch.backends.cudnn.benchmark = True
        network, side, classes = make_network(options)
        self.network = network.cuda().to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.0, 0.9, weight_decay=1e-4)
        images = torch.randn(options.batch, 3, side, side, device="cuda")
        self.images = images.to(memory_format=torch.channels_last)
        self.labels = torch.randint(classes, (options.batch,), device="cuda")
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
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU")
    for compiled in [False] if options.eager else [False, True]:
        print(json.dumps(measure(options, compiled)), flush=True)


if __name__ == "__main__":
    main()
