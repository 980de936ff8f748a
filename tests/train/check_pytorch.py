#!/usr/bin/env python3
"""An ImageNet-shaped iresnet of depth 50 in PyTorch: makes its weights, and judges what an
executable computes with them. check_pytorch.sh runs it; needs torch, torchvision and safetensors.

    check_pytorch.py make DIR IMAGE...       checkpoint.pth as published ones are, input.npy
    check_pytorch.py compare DIR IMAGE...    judges logits.npy and predict.json
"""
import json
import os
import sys

import numpy
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

sys.path.insert(0, os.path.dirname(__file__))
from record import improved_stage  # noqa: E402

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLASSES, SIZE, BLOCKS = 1000, 224, [3, 4, 6, 3]
FORWARD_TOLERANCE, PREDICT_TOLERANCE = 1e-4, 2e-2  # of the range of the logits


class Network(nn.Module):
    """The paper's network for ImageNet: every stage halves the grid, the first one by its pooling
    projection."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, count in enumerate(BLOCKS):
            setattr(self, f"layer{i + 1}", improved_stage(count, inputs, 64 * 2**i, 2, False))
            inputs = 256 * 2**i
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        for i in range(len(BLOCKS)):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(x.mean((2, 3)))


def prepare(path):
    """As torchvision prepares an image for evaluation."""
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(SIZE),
                                transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    with Image.open(path) as image:
        return steps(image.convert("RGB"))


def make(directory, paths):
    """Weights with the running statistics of the images, so that signals have their usual size."""
    torch.manual_seed(1)
    network = Network().train()
    images = torch.stack([prepare(path) for path in paths])
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 4:
                nn.init.kaiming_normal_(parameter, mode="fan_out")
            elif parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.05)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        network(images)
    state = {"module." + name: value for name, value in network.state_dict().items()}
    torch.save({"epoch": 90, "arch": "iresnet50", "state_dict": state},
               os.path.join(directory, "checkpoint.pth"))
    numpy.save(os.path.join(directory, "input.npy"), torch.randn(5, 3, SIZE, SIZE).numpy())


def judge(what, ours, theirs, tolerance):
    error = numpy.abs(ours - theirs).max() / (theirs.max() - theirs.min())
    good = bool(error <= tolerance)
    print(f"{what}: off by {error:.1e} of the logits' range, allowed {tolerance:.0e}"
          + ("" if good else "  FAIL"))
    return good


def logits_of_scores(entry):
    """Logits but for a constant, which is chosen so that their mean is zero."""
    scores = numpy.zeros(CLASSES)
    for found in entry["classes"]:
        scores[found["index"]] = found["score"]
    logits = numpy.log(scores)
    return logits - logits.mean()


def compare(directory, paths):
    network = Network()
    state = torch.load(os.path.join(directory, "checkpoint.pth"), weights_only=True)["state_dict"]
    network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    network.double().eval()
    tensors = numpy.load(os.path.join(directory, "input.npy"))
    with open(os.path.join(directory, "predict.json")) as file:
        predicted = json.load(file)
    with torch.no_grad():
        theirs = network(torch.from_numpy(tensors).double()).numpy()
        good = judge("forward", numpy.load(os.path.join(directory, "logits.npy")), theirs,
                     FORWARD_TOLERANCE)
        images = network(torch.stack([prepare(path) for path in paths]).double()).numpy()
        if numpy.abs(images - images[::-1]).max() < 10 * PREDICT_TOLERANCE * numpy.ptp(images):
            sys.exit("all images have the same logits: nothing can be seen  FAIL")
        for path, entry, theirs in zip(paths, predicted, images, strict=True):
            good &= entry["image"] == path
            good &= judge("predict " + os.path.basename(path), logits_of_scores(entry),
                          theirs - theirs.mean(), PREDICT_TOLERANCE)
    return good


def main():
    command, *rest = sys.argv[1:]
    if command == "make":
        make(rest[0], rest[1:])
    elif not compare(rest[0], rest[1:]):
        sys.exit(1)


if __name__ == "__main__":
    main()
