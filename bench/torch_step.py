#!/usr/bin/env python3
"""A step of PyTorch for each line of input, its seconds on a line of output.

The peer of `OUT bench --turns`: it warms up with two steps, says on one line of JSON that it is
ready, and ends when its input does.

usage: torch_step.py WORK, which is the text
    {"family":…,"data":…,"depth":…,"size":…,"batch":…,"mode":"train"|"infer","threads":…,
     "format":"contiguous"|"channels_last","compile":false|true}
"""
import json
import os
import sys
import time

import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from torch_networks import Network, parameter_count  # noqa: E402  (the folder is no package)

WARMUP_STEPS = 2
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def training_step(network, images, labels):
    """A closure that does one step of SGD, with a rate of 0: weights stay sound."""
    optimizer = torch.optim.SGD(network.parameters(), 0.0, 0.9, weight_decay=1e-4, fused=True)

    def step():
        optimizer.zero_grad()
        cross_entropy(network(images), labels).backward()
        optimizer.step()
    return step


def inference_step(network, images):
    def step():
        with torch.inference_mode():
            network(images)
    return step


def make_step(work):
    """The step that `work` describes, and the number of the network's parameters."""
    torch.manual_seed(0)
    memory_format = FORMATS[work["format"]]
    network = Network(work["family"], work["data"], work["depth"]).to(memory_format=memory_format)
    images = torch.randn(work["batch"], 3, work["size"], work["size"])
    images = images.to(memory_format=memory_format)
    labels = torch.randint(network.fc.out_features, (work["batch"],))
    count = parameter_count(network)
    if work["mode"] == "infer":
        network.eval()
    if work["compile"]:
        network.compile()
    if work["mode"] == "train":
        return training_step(network, images, labels), count
    return inference_step(network, images), count


def timed(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main():
    work = json.loads(sys.argv[1])
    torch.set_num_threads(work["threads"])
    step, parameters = make_step(work)
    first = timed(step)
    for _ in range(1, WARMUP_STEPS):
        step()
    print(json.dumps({"version": torch.__version__, "parameters": parameters,
                      "first_step_seconds": first}), flush=True)
    for _ in sys.stdin:
        print(timed(step), flush=True)


if __name__ == "__main__":
    main()
