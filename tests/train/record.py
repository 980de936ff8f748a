#!/usr/bin/env python3
"""Records what PyTorch computes, in double precision, for the parity test of tests/train.

Needs torch, numpy and safetensors; the test itself needs none of them.

    record.py > expected.h              what check_parity compares with
    record.py --only CASE...            these cases of it
    record.py --inputs CASE DIR         the files that check_parity writes, made here
    record.py --compare CASE DIR        after a failure: differences tensor by tensor
                                        (DIR holds logits.npy and run/last.safetensors)
    record.py --survey CASE SEED...     how sensitive the update is to rounding, for each seed

Nothing is random: weights, running statistics, images and labels are functions of a seed, a
tensor's name and an element's index, which hash_data.c computes too, bit for bit. So the test
stores results only: logits, the losses of ten steps of SGD, and of the whole update (weights,
running means and running variances, each seen as one long vector) its norm and its products with
random vectors of +1 and -1. The mean square of the products of a difference estimates its squared
norm, within 9 % (standard deviation) for 256 products.

Training is chaotic: each ReLU whose input lies within rounding of zero, and each pooling window
with a tie, may change the gradient by a thousandth. The generator therefore keeps most inputs of
ReLUs away from zero (normalization biases of four standard deviations, of either sign), makes the
images of a batch differ as wholes, and balances the gradients of the layers; the seeds are those
for which single precision and perturbations of its size move the update least.
"""
import argparse
import os
import sys

import numpy
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

# What a recipe may add; the names are those of the language.
PLAIN = {"clip": 0.0, "accumulate": 1, "ema": 0.0, "nesterov": False, "decay": "all",
         "label_smoothing": 0.0}
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pytorch"))
import families  # noqa: E402

# (network, depth or 0 for one of parity.rnet, published form, weight decay, seed, recipe)
CASES = {
    "resnet20": ("resnet", 20, False, 1e-4, 1, PLAIN),
    "resnet20_decay": ("resnet", 20, False, 0.05, 1, PLAIN),
    "iresnet20": ("iresnet", 20, False, 1e-4, 3, PLAIN),
    "iresnet20_decay": ("iresnet", 20, False, 0.05, 3, PLAIN),
    "iresnet38": ("iresnet", 38, False, 1e-4, 3, PLAIN),
    "iresnet38_published": ("iresnet", 38, True, 0.05, 3, PLAIN),
    "resnet20_clip": ("resnet", 20, False, 0.05, 1, {**PLAIN, "clip": 7.0}),
    "iresnet20_accumulate": ("iresnet", 20, False, 1e-4, 3,
                             {**PLAIN, "accumulate": 3, "clip": 1.8}),
    "iresnet20_ema": ("iresnet", 20, False, 0.05, 3,
                      {**PLAIN, "ema": 0.8, "nesterov": True, "decay": "weights",
                       "label_smoothing": 0.1}),
    "resnext": ("resnext", 0, False, 1e-4, 1, PLAIN),
    "iresgroup": ("iresgroup", 0, False, 1e-4, 1, PLAIN),
    "iresnet3d": ("iresnet3d", 0, False, 1e-4, 1, PLAIN),
}
CLASSES, STEPS, BATCH, RATE, MOMENTUM = 10, 10, 16, 0.001, 0.9
TRAIN_IMAGES = 128  # eight batches: the ninth step begins the second epoch
OTHER_IMAGES = 18   # for forward and validation: a batch and two
BATCHES_TRACKED = 7
PRODUCTS = {"weights": 256, "means": 128, "variances": 128}
# Of the noise in images, by scale: each pixel, eight neighbours, a whole plane of 32 x 32.
NOISE = {"train_x": {1: 0.03125, 8: 0.03125, 1024: 2.0}, "val_x": {1: 4.0, 8: 4.0, 1024: 4.0}}


# ---- the generator; hash_data.h describes it ----------------------------------------------------

def hash_name(seed, name):
    """FNV-1a, 64 bits, that starts from its usual basis plus the seed."""
    value = 0xCBF29CE484222325 + seed
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def hash_words(seed, name, indices):
    """Output number `index` of splitmix64 that starts from the name's hash."""
    golden = numpy.uint64(0x9E3779B97F4A7C15)
    start = numpy.uint64(hash_name(seed, name))
    z = start + (indices.astype(numpy.uint64) + numpy.uint64(1)) * golden
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def hash_uniforms(seed, name, indices):
    """Doubles in [0, 1): the upper 24 bits of each word."""
    return (hash_words(seed, name, indices) >> numpy.uint64(40)).astype(numpy.float64) / 2**24


def hash_signs(seed, name, block, count):
    """Entries of 64 random vectors, as a matrix of +1 and -1 [64, count]."""
    words = hash_words(seed, f"{name}#{block}", numpy.arange(count))
    bits = numpy.unpackbits(words.astype("<u8").view(numpy.uint8).reshape(count, 8), axis=1,
                            bitorder="little")
    return 1.0 - 2.0 * bits.T


def make_vector(seed, name, count):
    indices = numpy.arange(count)
    uniforms = hash_uniforms(seed, name, indices)
    if name.endswith("running_var"):
        return (0.0625 + 0.125 * uniforms) * (1.0 if "bn3" in name or "bn0" in name else 0.25)
    if name.endswith("weight"):
        return 0.125 + 0.09375 * uniforms
    if name.endswith("running_mean") or name.startswith("fc"):
        return 0.5 * (uniforms - 0.5)
    return numpy.where(indices % 2 == 0, 1.0, -1.0) * (0.75 + 0.25 * uniforms)


def make_parameter(seed, name, shape):
    if name.endswith("num_batches_tracked"):
        return numpy.array(BATCHES_TRACKED, dtype=numpy.int64)
    count = int(numpy.prod(shape))
    indices = numpy.arange(count)
    deviation = numpy.sqrt(6.0 / numpy.prod(shape[1:])) if shape else 1.0
    if len(shape) == 1:
        values = make_vector(seed, name, count)
    elif len(shape) == 2:  # inputs in pairs of opposite weights: their means cancel
        pairs = 2 * hash_uniforms(seed, name, indices & ~2) - 1
        values = numpy.where(indices & 2, -1.5, 1.5) * pairs * deviation
    else:
        scale = 1.0 if "conv3" in name else 0.5
        values = (2 * hash_uniforms(seed, name, indices) - 1) * (scale * deviation)
    return values.astype(numpy.float32).reshape(shape)


def image_shape(case):
    """All have as many elements."""
    return (3, 4, 16, 16) if case[0] == "iresnet3d" else (3, 32, 32)


def make_images(seed, name, count):
    indices = numpy.arange(count * 3 * 32 * 32)
    values = sum(amplitude * (2 * hash_uniforms(seed, f"{name}/{scale}", indices // scale) - 1)
                 for scale, amplitude in NOISE[name].items())
    return values.astype(numpy.float32).reshape(count, 3, 32, 32)


def make_labels(seed, name, count):
    words = hash_words(seed, name, numpy.arange(count))
    return ((words >> numpy.uint64(33)) % numpy.uint64(CLASSES)).astype(numpy.int64)


# ---- the networks -------------------------------------------------------------------------------

def conv(kernel, inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False)


def projection(inputs, outputs, stride, pool):
    if pool and stride != 1:
        return nn.Sequential(nn.MaxPool2d(3, stride, padding=1), conv(1, inputs, outputs),
                             nn.BatchNorm2d(outputs))
    return nn.Sequential(conv(1, inputs, outputs, stride), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """The branch conv1 ... conv3 of a bottleneck block, and its projection where it has one."""

    def __init__(self, inputs, width, stride=1, bn0=False, bn3=True, pool=None):
        super().__init__()
        outputs = 4 * width
        if bn0:
            self.bn0 = nn.BatchNorm2d(inputs)
        self.conv1, self.bn1 = conv(1, inputs, width), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(3, width, width, stride), nn.BatchNorm2d(width)
        self.conv3 = conv(1, width, outputs)
        if bn3:
            self.bn3 = nn.BatchNorm2d(outputs)
        if pool is not None:
            self.downsample = projection(inputs, outputs, stride, pool)

    def branch(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.conv3(x)


class Original(Block):
    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        return torch.relu(self.bn3(self.branch(x)) + shortcut)


class Start(Block):
    def forward(self, x):
        return self.bn3(self.branch(x)) + self.downsample(x)


class Second(Block):
    """Of a stage: x has just been normalized. `published`: the ReLU changes the shortcut too."""

    published = False

    def forward(self, x):
        gated = torch.relu(x)
        return self.branch(gated) + (gated if self.published else x)


class Middle(Block):
    def forward(self, x):
        return self.branch(torch.relu(self.bn0(x))) + x


def ending(block):
    """The last block of a stage: `block`, then BN and ReLU on the sum."""

    class End(block):
        def forward(self, x):
            return torch.relu(self.bn3(super().forward(x)))

    return End


def original_stage(count, inputs, width, stride):
    first = Original(inputs, width, stride, pool=False)
    return nn.Sequential(first, *(Original(4 * width, width) for _ in range(count - 1)))


def improved_stage(count, inputs, width, stride, published):
    blocks = [Start(inputs, width, stride, pool=True)]
    for index in range(1, count):
        last = index == count - 1
        kind = Second if index == 1 else Middle
        kind = ending(kind) if last else kind
        blocks.append(kind(4 * width, width, bn0=index > 1, bn3=last))
        blocks[-1].published = published
    return nn.Sequential(*blocks)


class Network(nn.Module):
    def __init__(self, kind, depth, published=False):
        super().__init__()
        assert depth == 3002 or depth % 9 == 2
        count = depth // 9
        self.conv1, self.bn1 = conv(3, 3, 16), nn.BatchNorm2d(16)
        inputs = 16
        for i, blocks in enumerate([count, count + (depth == 3002), count]):
            width, stride = 16 * 2**i, 1 if i == 0 else 2
            stage = (original_stage(blocks, inputs, width, stride) if kind == "resnet" else
                     improved_stage(blocks, inputs, width, stride, published))
            setattr(self, f"layer{i + 1}", stage)
            inputs = 4 * width
        self.fc = nn.Linear(256, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def make_small(kind):
    """The networks of parity.rnet."""
    width = {"resnext": 16, "iresgroup": 32, "iresnet3d": 8}[kind]
    outputs = 16 if kind == "iresgroup" else 32
    settings = {"counts": [1, 2, 1] if kind == "resnext" else [2, 3, 2],
                "widths": [width * 2**i for i in range(3)],
                "outputs": [outputs * 2**i for i in range(3)], "stem": (3, 16, 1)}
    if kind == "resnext":
        return families.Residual(families.original_stage, all_strides=[2] * 3, groups=[4] * 3,
                                 **settings)
    if kind == "iresgroup":
        stage = families.with_settings(families.improved_stage, project=families.pooled_projection)
        return families.Residual(stage, all_strides=[2] * 3, groups=[4, 8, 16], **settings)
    settings["stem"] = ([3, 5, 5], 16, [1, 2, 2])
    return families.Residual(families.improved_stage, all_strides=[[1, 2, 2], [1, 2, 2], 2], rank=3,
                             **settings)


def make_network(case, dtype):
    kind, depth, published, _, seed, _ = case
    network = Network(kind, depth, published) if depth else make_small(kind)
    state = {name: torch.from_numpy(make_parameter(seed, name, list(value.shape)))
             for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    return network.to(dtype)


# ---- what is recorded ---------------------------------------------------------------------------

def compute_logits(case, dtype=torch.float64):
    network = make_network(case, dtype).eval()
    images = torch.from_numpy(make_images(case[4], "val_x", OTHER_IMAGES)).to(dtype)
    images = images.reshape(-1, *image_shape(case))
    with torch.no_grad():
        return network(images).double()


def make_optimizer(network, decay, recipe):
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    groups = [{"params": weights},
              {"params": vectors, "weight_decay": decay if recipe["decay"] == "all" else 0.0}]
    return torch.optim.SGD(groups, RATE, MOMENTUM, weight_decay=decay, nesterov=recipe["nesterov"])


def step_batches(accumulate):
    """The batches of each step: an epoch is cut into groups of `accumulate`, the last of which
    takes what is left."""
    batches = list(range(TRAIN_IMAGES // BATCH))
    groups = [batches[i:i + accumulate] for i in range(0, len(batches), accumulate)]
    return [groups[step % len(groups)] for step in range(STEPS)]


def state_of(network):
    return {name: value.clone().double() for name, value in network.state_dict().items()}


def train(case, dtype=torch.float64, perturbation=0.0):
    """Ten steps; returns their losses, the norms of their gradients, and the state before and
    after. `perturbation` is the relative size of normal noise on the initial weights."""
    decay, seed, recipe = case[3:]
    network = make_network(case, dtype).train()
    before = state_of(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1 + perturbation * torch.randn_like(parameter))
    images = torch.from_numpy(make_images(seed, "train_x", TRAIN_IMAGES)).to(dtype)
    images = images.reshape(-1, *image_shape(case))
    labels = torch.from_numpy(make_labels(seed, "train_y", TRAIN_IMAGES))
    optimizer = make_optimizer(network, decay, recipe)
    average = AveragedModel(network, use_buffers=True,
                            multi_avg_fn=get_ema_multi_avg_fn(recipe["ema"]))
    losses, norms = [], []
    for group in step_batches(recipe["accumulate"]):
        optimizer.zero_grad()
        losses.append(0.0)
        for batch in group:
            rows = slice(batch * BATCH, batch * BATCH + BATCH)
            loss = nn.functional.cross_entropy(network(images[rows]), labels[rows],
                                               label_smoothing=recipe["label_smoothing"])
            (loss / len(group)).backward()
            losses[-1] += loss.item() / len(group)
        limit = recipe["clip"] if recipe["clip"] > 0 else float("inf")
        norms.append(nn.utils.clip_grad_norm_(network.parameters(), limit).item())
        optimizer.step()
        average.update_parameters(network)
    after = state_of(average.module if recipe["ema"] > 0 else network)
    counters = {name: value for name, value in state_of(network).items()
                if name.endswith("num_batches_tracked")}
    return losses, norms, before, {**after, **counters}


def group_of(name):
    groups = {"running_mean": "means", "running_var": "variances", "num_batches_tracked": None}
    return groups.get(name.rsplit(".", 1)[1], "weights")


def update_of(group, before, after):
    return {name: (after[name] - before[name]).numpy().ravel()
            for name in before if group_of(name) == group}


def products_of(seed, group, update):
    total = numpy.zeros(PRODUCTS[group])
    for name, values in update.items():
        for block in range(PRODUCTS[group] // 64):
            total[block * 64:block * 64 + 64] += hash_signs(seed, name, block, values.size) @ values
    return total


def norm_of(update):
    return numpy.sqrt(sum((values**2).sum() for values in update.values()))


def print_numbers(field, values):
    print(f"        .{field} = {{")
    for i in range(0, len(values), 5):
        print("            " + " ".join(f"{value:.10g}," for value in values[i:i + 5]))
    print("        },")


def update_noise(before, after, other):
    """How far another result is off, relative to the update: weights, means, variances."""
    norms = {group: norm_of(update_of(group, before, after)) for group in PRODUCTS}
    return [float(norm_of(update_of(group, after, other)) / norms[group]) for group in PRODUCTS]


def single_noise(case, losses, before, after):
    """How far the same computation in single precision is off: logits, losses, the update."""
    single_losses, _, _, single = train(case, torch.float32)
    loss = max(abs(a / b - 1) for a, b in zip(single_losses, losses))
    logits = compute_logits(case)
    logit = (compute_logits(case, torch.float32) - logits).abs().max() / logits.abs().max()
    return [float(logit), loss, *update_noise(before, after, single)]


def print_case(name, case):
    losses, norms, before, after = train(case)
    noise = single_noise(case, losses, before, after)
    print("    /* PyTorch in single precision differs by "
          + ", ".join(f"{value:.1e}" for value in noise)
          + "\n     * (logits, losses, weights, means, variances). */")
    print(f'    {{\n        .name = "{name}",\n        .seed = {case[4]},')
    if len(image_shape(case)) > 3:
        print("        .is_video = true,")
    print_numbers("logits", compute_logits(case).flatten().tolist())
    print_numbers("losses", losses)
    print(f"        .batches = {sum(map(len, step_batches(case[5]['accumulate'])))},")
    if case[5]["clip"] > 0:
        print_numbers("gradient_norms", norms)
    for group in PRODUCTS:
        update = update_of(group, before, after)
        print(f"        .{group}_norm = {norm_of(update):.10g},")
        print_numbers(group, products_of(case[4], group, update))
    print("    },")


def print_sample(seed, name, shape, index):
    make = make_images if name.endswith("_x") else make_parameter
    value = make(seed, name, shape[0] if name.endswith("_x") else shape).flat[index]
    sizes = ", ".join(str(size) for size in shape)
    print(f'    {{{seed}, "{name}", {{{sizes}}}, {len(shape)}, {index}, {float(value).hex()}f}},')


def print_expected():
    print("/* Recorded by tests/train/record.py (record.py > expected.h) with PyTorch "
          f"{torch.__version__.split('+')[0]}\n * and numpy {numpy.__version__}, in double "
          "precision. Not to be edited. */\n"
          "static const struct parity_sample parity_samples[] = {")
    print_sample(1, "conv1.weight", [16, 3, 3, 3], 431)
    print_sample(2, "layer1.0.conv3.weight", [64, 16, 1, 1], 1000)
    print_sample(3, "fc.weight", [10, 256], 2047)
    print_sample(4, "fc.bias", [10], 3)
    for ending in ("weight", "bias", "running_mean", "running_var"):
        print_sample(5, f"layer3.0.bn2.{ending}", [64], 33)
    print_sample(6, "bn3.running_var", [64], 63)
    print_sample(7, "train_x", [2, 3, 32, 32], 6143)
    print_sample(8, "val_x", [2, 3, 32, 32], 4000)
    print("};\n\nstatic const struct parity_case parity_cases[] = {")
    print_cases(CASES)
    print("};")


def print_cases(names):
    for name in names:
        print_case(name, CASES[name])
        print(name, file=sys.stderr)


# ---- for looking closer -------------------------------------------------------------------------

def survey(name, seeds):
    for seed in seeds:
        case = CASES[name][:4] + (int(seed), CASES[name][5])
        _, _, before, after = train(case)
        others = [train(case, torch.float32)] + [train(case, perturbation=1e-7) for _ in range(2)]
        noise = [update_noise(before, after, other)[0] for *_, other in others]
        print(seed, *(f"{value:.1e}" for value in noise), flush=True)


def write_inputs(case, directory):
    from safetensors.torch import save_file
    for part, count in (("train", TRAIN_IMAGES), ("val", OTHER_IMAGES)):
        images = make_images(case[4], f"{part}_x", count).reshape(count, *image_shape(case))
        labels = make_labels(case[4], f"{part}_y", count)
        numpy.save(os.path.join(directory, f"{part}_x.npy"), images)
        numpy.save(os.path.join(directory, f"{part}_y.npy"), labels)
    state = make_network(case, torch.float32).state_dict()
    save_file(state, os.path.join(directory, "weights.safetensors"))


def compare(case, directory):
    from safetensors.torch import load_file
    ours = {name: value.double()
            for name, value in load_file(os.path.join(directory, "run/last.safetensors")).items()}
    _, _, before, after = train(case)
    print("missing:", sorted(set(after) - set(ours)), "unknown:", sorted(set(ours) - set(after)))
    print("weights, means, variances:", *(f"{x:.1e}" for x in update_noise(before, after, ours)))
    for name in after:
        change = (after[name] - before[name]).norm()
        print(f"{(ours[name] - after[name]).norm() / (change + 1e-30):.3e} of {change:.3e}  {name}")
    logits = compute_logits(case).numpy()
    ours = numpy.load(os.path.join(directory, "logits.npy"))
    print(f"logits: {numpy.abs(ours - logits).max() / numpy.abs(logits).max():.3e}")


def main():
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", nargs=2, metavar=("CASE", "DIR"))
    parser.add_argument("--compare", nargs=2, metavar=("CASE", "DIR"))
    parser.add_argument("--survey", nargs="+", metavar="CASE SEED")
    parser.add_argument("--only", nargs="+", metavar="CASE")
    options = parser.parse_args()
    if options.inputs:
        write_inputs(CASES[options.inputs[0]], options.inputs[1])
    elif options.compare:
        compare(CASES[options.compare[0]], options.compare[1])
    elif options.survey:
        survey(options.survey[0], options.survey[1:])
    elif options.only:
        print_cases(options.only)
    else:
        print_expected()


if __name__ == "__main__":
    main()
