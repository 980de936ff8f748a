#!/usr/bin/env python3
"""What executables of the examples compute, against the same networks in PyTorch (families.py),
with weights that PyTorch made: outputs within 1e-4 of the largest.

    check_networks.py [CASE...]     all by default; RNET names the compiler

Run by check_networks.sh. Weights are random, and running statistics those of random images, so
that signals keep their size however deep the network; the last normalization of a branch scales it
down, as after training, or single precision alone would be off by 1e-4 after 54 blocks. The truth
is computed in double precision.
"""
import os
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, os.path.dirname(__file__))
import families as f  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOLERANCE, IMAGES, BATCH = 1e-4, 3, 2


def improved_cifar(project, published, depth=164):
    return lambda: f.cifar(f.with_settings(f.improved_stage, project=project, published=published),
                           depth)


def imagenet_cases():
    """CASE: example, definitions, network, shape of an image."""
    original = {
        "resnet": lambda: f.imagenet(f.original_stage),
        "resnet_d": lambda: f.imagenet(f.with_settings(f.original_stage, project=f.avg_projection)),
        "resmax": lambda: f.imagenet(f.with_settings(f.original_stage, project=f.max_projection),
                                     first_stride=2, pool=None),
        "preact_resnet": lambda: f.imagenet(f.preactivation_stage, last_norm="norm"),
    }
    for name, settings in f.GROUPS.items():
        original[name] = lambda settings=settings: f.imagenet(f.original_stage, **settings)
    staged = {
        "iresnet": f.improved_imagenet,
        "iresgroup": lambda published: f.improved_imagenet(published, **f.GROUPS["resgroup"]),
        "iresgroupfix": lambda published: f.improved_imagenet(published, **f.GROUPS["resgroupfix"]),
        "resstage": lambda published: f.imagenet(f.with_settings(
            f.improved_stage, project=f.conv_projection, published=published)),
    }
    settings = ["depth=50", "classes=10", "size=96"]
    for name, make in original.items():
        yield f"imagenet/{name}", f"imagenet/{name}", settings, make, (3, 96, 96)
    for name, make in staged.items():
        for published in (False, True):
            yield (f"imagenet/{name}" + ("_published" if published else ""), f"imagenet/{name}",
                   settings + [f"published={str(published).lower()}"],
                   lambda make=make, published=published: make(published), (3, 96, 96))


def cifar_cases():
    cases = {
        "resnet": lambda: f.cifar(f.original_stage, 164),
        "resmax": lambda: f.cifar(f.with_settings(f.original_stage, project=f.max_projection), 164),
        "preact_resnet": lambda: f.cifar(f.preactivation_stage, 164, last_norm="norm"),
    }
    for published in (False, True):
        ending = "_published" if published else ""
        cases["iresnet" + ending] = improved_cifar(f.max_projection, published)
        cases["resstage" + ending] = improved_cifar(f.conv_projection, published)
    for name, make in cases.items():
        example, _, published = name.partition("_published")
        published = name.endswith("_published")
        settings = ["depth=164"] + (["published=true"] if published else [])
        yield f"cifar/{name}", f"cifar/{example}", settings, make, (3, 32, 32)


def other_cases():
    video = (3, 8, 64, 64)
    settings = ["classes=400", "frames=8", "size=64"]
    yield ("video/resnet3d", "video/resnet3d", settings,
           lambda: f.video(f.original_stage, [1, [1, 2, 2], 2, 2], ([1, 3, 3], [1, 2, 2])), video)
    yield ("video/iresnet3d", "video/iresnet3d", settings,
           lambda: f.video(f.improved_stage, [[1, 2, 2], [1, 2, 2], 2, 2], None), video)
    small, classes = ["size=96"], ["classes=10"]
    yield ("beyond/se_resnet", "beyond/se_resnet", small + classes,
           lambda: f.imagenet(f.with_settings(f.original_stage, gate=True)), (3, 96, 96))
    yield ("beyond/stochastic_depth", "beyond/stochastic_depth", small + classes,
           lambda: f.imagenet(f.original_stage), (3, 96, 96))
    yield ("beyond/wide_resnet", "beyond/wide_resnet", ["depth=16", "widen=4"],
           lambda: f.Wide(16, 4), (3, 32, 32))
    yield "beyond/densenet", "beyond/densenet", small + classes, f.Dense, (3, 96, 96)
    yield "beyond/convnext", "beyond/convnext", small + classes, f.ConvNext, (3, 96, 96)
    yield "beyond/unet", "beyond/unet", ["size=64"], f.UNet, (3, 64, 64)
    yield "beyond/fpn", "beyond/fpn", ["size=128"], f.FeaturePyramid, (3, 128, 128)
    yield "coco/ssd300", "coco/ssd300", ["depth=50"], lambda: f.Detector(False), (3, 300, 300)
    yield ("coco/ssd300_iresnet", "coco/ssd300", ["depth=50", "backbone=iresnet"],
           lambda: f.Detector(True), (3, 300, 300))


# These have no loss, or a recipe that needs more than a compiler.
INFERENCE = ("video/", "coco/", "beyond/unet", "beyond/fpn")


def make_network(make, images):
    network = make()
    for name, module in network.named_modules():
        if hasattr(module, "running_mean"):
            module.momentum = 1.0
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
        if name.endswith("bn3"):
            nn.init.uniform_(module.weight, 0.1, 0.5)
        if isinstance(module, f.Scale):
            nn.init.uniform_(module.weight, 0.25, 1.0)
    with torch.no_grad():
        network.train()(images)
    return network.eval()


def named_outputs(result, directory):
    """(what, expected, file)"""
    if isinstance(result, dict):
        return [(name, value, f"{directory}/y.{name}.npy") for name, value in result.items()]
    return [("output", result, f"{directory}/y.npy")]


def run(command, directory):
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(" ".join(command), done.stderr, sep="\n")
    return done.returncode == 0


def check(case, directory, rnet):
    name, example, settings, make, shape = case
    torch.manual_seed(1)
    images = torch.randn(IMAGES, *shape)
    network = make_network(make, images)
    save_file({key: value.contiguous() for key, value in f.weights_of(network).items()},
              f"{directory}/weights.safetensors")
    numpy.save(f"{directory}/x.npy", images.numpy())
    with torch.no_grad():
        expected = network.double()(images.double())
    command = [rnet, "build", f"{ROOT}/examples/{example}.rnet", "-D", f"batch={BATCH}", "-o", "m"]
    for setting in settings:
        command += ["-D", setting]
    if name.startswith(INFERENCE):
        command.append("--inference")
    if not run(command, directory) or not run(
            ["./m", "forward", "--weights", "weights.safetensors", "--input", "x.npy", "--output",
             "y.npy"], directory):
        return False
    good = True
    for what, value, path in named_outputs(expected, directory):
        ours, theirs = torch.from_numpy(numpy.load(path)).double(), value
        if ours.shape != theirs.shape:
            print(f"{name}: {what} has the shape {list(ours.shape)}, not {list(theirs.shape)}  FAIL")
            good = False
            continue
        error = float((ours - theirs).abs().max() / theirs.abs().max())
        fits = error <= TOLERANCE
        good &= fits
        print(f"{name}: {what} off by {error:.1e} of the largest{'' if fits else '  FAIL'}",
              flush=True)
    return good


def main():
    rnet = os.path.abspath(os.environ.get("RNET", "rnet"))
    cases = [*cifar_cases(), *imagenet_cases(), *other_cases()]
    wanted = sys.argv[1:] or [case[0] for case in cases]
    unknown = set(wanted) - {case[0] for case in cases}
    if unknown:
        sys.exit(f"no such case: {' '.join(sorted(unknown))}")
    failures = 0
    for case in cases:
        if case[0] in wanted:
            with tempfile.TemporaryDirectory() as directory:
                failures += not check(case, directory, rnet)
    print(f"{len(wanted)} networks, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
