#!/usr/bin/env python3
"""Images a second of the loader beside torchvision's, on one directory of pictures.

    bench/loader.py EXECUTABLE DIR [--threads N] [--images N] [--rounds N]

EXECUTABLE is a network compiled with random_resized_crop(224), such as
`rnet build examples/imagenet/iresnet.rnet -D batch=8 -o EXECUTABLE`; DIR holds train/CLASS/*.JPEG
(or only val/, which then stands for both). torchvision decodes with Pillow in N worker processes,
rnet in N threads; both crop, resize, flip and normalize to float32. The rounds alternate, and each
side's median counts.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
from torchvision import datasets, transforms


def torchvision_rate(folder, threads, images, batch):
    transform = transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    files = datasets.ImageFolder(folder, transform)
    sampler = torch.utils.data.RandomSampler(files, replacement=True, num_samples=images + 8 * batch)
    loader = torch.utils.data.DataLoader(files, batch, sampler=sampler, num_workers=threads)
    count, start = 0, 0.0
    for step, (pixels, _) in enumerate(loader):
        if step == 8:  # the workers run by now
            start = time.perf_counter()
        count += len(pixels) if step >= 8 else 0
    return count / (time.perf_counter() - start)


def rnet_rate(executable, folder, threads, images, batch):
    steps = -(-images // batch)
    text = subprocess.run([executable, "bench", "--mode", "load", "--data", "imagenet:" + folder,
                           "--steps", str(steps), "--threads", str(threads), "--json"],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)["images_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("executable")
    parser.add_argument("dir")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--images", type=int, default=480)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    directory = os.path.abspath(options.dir)
    part = next(p for p in ("train", "val") if os.path.isdir(os.path.join(directory, p)))
    with tempfile.TemporaryDirectory() as both:
        for name in ("train", "val"):
            os.symlink(os.path.join(directory, part), os.path.join(both, name))
        arguments = (options.threads, options.images, options.batch)
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(rnet_rate(os.path.abspath(options.executable), both, *arguments))
            theirs.append(torchvision_rate(os.path.join(both, "train"), *arguments))
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    print(f"rnet {ours:.0f} images/s, torchvision {theirs:.0f} images/s, "
          f"ratio {ours / theirs:.2f}, {options.threads} threads")


if __name__ == "__main__":
    main()
