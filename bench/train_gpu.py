#!/usr/bin/env python3
"""Times training steps in PyTorch on a GPU, as a peer of compiled networks: channels_last, TF32 or
bf16 by autocast; eager, its whole step captured as a CUDA graph, and compiled (with CUDA graphs).
Prints one JSON object a line.

    bench/train_gpu.py --network iresnet --depth 164 --batch 64 --precision tf32
    bench/train_gpu.py --network imagenet-iresnet --depth 50 --batch 256 --precision bf16
    bench/train_gpu.py --network iresnet --depth 1001 --peers eager,graph
"""
import argparse
import gc
import json
import os
import statistics
import sys
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from torch_networks import FAMILIES, IMAGENET_BLOCKS, Network  # noqa: E402  (no package)

WARMUP_STEPS = 5
PEERS = {"eager": "torch eager", "graph": "torch CUDA graph", "compiled": "torch.compile"}
IMAGENET = "imagenet-"


def make_network(options):
    """The network, and the side of its images."""
    if options.network.startswith(IMAGENET):
        return Network(options.network.removeprefix(IMAGENET), "imagenet", options.depth), 224
    return Network(options.network, "cifar", options.depth), 32


class Step:
    """One step of SGD on random images."""

    def __init__(self, options, peer):
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
        self.loss = self.compute
        if peer == "compiled":
            self.loss = torch.compile(self.compute, mode="reduce-overhead")
        self.graph = self.capture() if peer == "graph" else None

    def compute(self, images, labels):
        with torch.autocast("cuda", torch.bfloat16, enabled=self.is_bf16):
            logits = self.network(images)
        return torch.nn.functional.cross_entropy(logits.float(), labels)

    def launch(self):
        self.optimizer.zero_grad()
        self.loss(self.images, self.labels).backward()
        self.optimizer.step()

    def capture(self):
        """The whole step as one graph, after steps on a stream that is not the default one."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.launch()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad()
        with torch.cuda.graph(graph):
            self.launch()
        return graph

    def __call__(self):
        if self.graph is None:
            self.launch()
        else:
            self.graph.replay()
        torch.cuda.synchronize()


def measure(options, peer):
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    step = Step(options, peer)
    times = []
    for _ in range(WARMUP_STEPS + options.steps):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
        if len(times) == 1:
            first = time.perf_counter() - start
    median = statistics.median(times[WARMUP_STEPS:])
    return {"peer": PEERS[peer], "network": options.network,
            "depth": options.depth, "batch": options.batch, "precision": options.precision,
            "median_seconds": median, "images_per_second": options.batch / median,
            "first_step_seconds": first, "device_bytes": torch.cuda.max_memory_allocated(),
            "torch": torch.__version__, "gpu": torch.cuda.get_device_name()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="iresnet",
                        choices=["resnet", "iresnet"] + [IMAGENET + name for name in FAMILIES])
    parser.add_argument("--depth", type=int, default=164)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16"], default="tf32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--peers", default=",".join(PEERS), help=", ".join(PEERS))
    options = parser.parse_args()
    if options.network.startswith(IMAGENET) and options.depth not in IMAGENET_BLOCKS:
        parser.error(f"{options.network} has --depth {', '.join(map(str, IMAGENET_BLOCKS))}")
    peers = options.peers.split(",")
    if not set(peers) <= PEERS.keys():
        parser.error(f"--peers takes some of {', '.join(PEERS)}")
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU")
    for peer in peers:
        print(json.dumps(measure(options, peer)), flush=True)


if __name__ == "__main__":
    main()
