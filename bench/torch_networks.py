"""The networks of the measurements as PyTorch modules, written out from the paper's description.

A network is (family, data, depth). The block of a family is one of

    original   relu(shortcut + bn(branch(x)))
    staged     Start, First-middle, Middle and End blocks, which normalize once a stage

and its shortcut changes shape by a convolution of stride s, or by a max pool and then a convolution.
"""
from torch import nn
from torch.nn.functional import relu

# family: (staged, the shortcut has a max pool, inner channels, outer channels, groups), by stage
FAMILIES = {
    "resnet": (False, False, (64, 128, 256, 512), (256, 512, 1024, 2048), (1, 1, 1, 1)),
    "resstage": (True, False, (64, 128, 256, 512), (256, 512, 1024, 2048), (1, 1, 1, 1)),
    "iresnet": (True, True, (64, 128, 256, 512), (256, 512, 1024, 2048), (1, 1, 1, 1)),
    "resnext": (False, False, (128, 256, 512, 1024), (256, 512, 1024, 2048), (32, 32, 32, 32)),
    "resgroup": (False, False, (256, 512, 1024, 2048), (128, 256, 512, 1024), (8, 16, 32, 64)),
    "iresgroup": (True, True, (256, 512, 1024, 2048), (128, 256, 512, 1024), (8, 16, 32, 64)),
    "resgroupfix": (False, False, (256, 512, 1024, 2048), (128, 256, 512, 1024), (64,) * 4),
    "iresgroupfix": (True, True, (256, 512, 1024, 2048), (128, 256, 512, 1024), (64,) * 4),
}
CIFAR_INNER, CIFAR_OUTER = (16, 32, 64), (64, 128, 256)
IMAGENET_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def cifar_blocks(depth):
    """(depth - 2) / 3 blocks in three stages; the middle one takes what is left over."""
    blocks = (depth - 2) // 3
    return blocks // 3, blocks - 2 * (blocks // 3), blocks // 3


def projection(inputs, outputs, stride, pooled):
    """The shortcut where the shape changes."""
    layers = []
    if pooled and stride > 1:
        layers.append(nn.MaxPool2d(3, stride, 1))
        stride = 1
    layers += [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers)


class Block(nn.Module):
    """One block; `kind` is original, start, first, middle or end."""

    def __init__(self, kind, inputs, inner, outputs, stride, groups, pooled):
        super().__init__()
        self.kind = kind
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        if kind in ("middle", "end"):
            self.bn0 = nn.BatchNorm2d(inputs)
        if kind in ("original", "start", "end"):
            self.bn3 = nn.BatchNorm2d(outputs)
        changes = stride > 1 or inputs != outputs
        self.downsample = projection(inputs, outputs, stride, pooled) if changes else None

    def branch(self, x):
        x = relu(self.bn1(self.conv1(x)), inplace=True)
        x = relu(self.bn2(self.conv2(x)), inplace=True)
        return self.conv3(x)

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        if self.kind in ("original", "start"):
            x = self.bn3(self.branch(x))
            x += shortcut
            return relu(x, inplace=True) if self.kind == "original" else x
        if self.kind == "first":
            x = relu(x)  # not in place: the shortcut carries what is before it
        else:
            x = relu(self.bn0(x), inplace=True)
        x = self.branch(x)
        x += shortcut
        return relu(self.bn3(x), inplace=True) if self.kind == "end" else x


def block_kind(staged, index, count):
    if not staged:
        return "original"
    if index == 0:
        return "start"
    if index == count - 1:
        return "end"
    return "first" if index == 1 else "middle"


class Network(nn.Module):
    """Stem, stages, global average pool and classifier; `data` is cifar or imagenet."""

    def __init__(self, family, data, depth):
        super().__init__()
        staged, pooled, inner, outer, groups = FAMILIES[family]
        if data == "cifar":
            inner, outer, groups, counts = CIFAR_INNER, CIFAR_OUTER, (1, 1, 1), cifar_blocks(depth)
            stem, strides = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)], (1, 2, 2)
        else:
            counts, strides = IMAGENET_BLOCKS[depth], (2 if pooled else 1, 2, 2, 2)
            stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False)]
        channels = stem[0].out_channels
        stem += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        if data == "imagenet" and not pooled:
            stem.append(nn.MaxPool2d(3, 2, 1))
        blocks = []
        for stage, count in enumerate(counts):
            for i in range(count):
                blocks.append(Block(block_kind(staged, i, count), channels, inner[stage],
                                    outer[stage], strides[stage] if i == 0 else 1, groups[stage],
                                    pooled))
                channels = outer[stage]
        self.stem, self.blocks = nn.Sequential(*stem), nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 10 if data == "cifar" else 1000)

    def forward(self, x):
        return self.fc(self.pool(self.blocks(self.stem(x))).flatten(1))


def parameter_count(network):
    return sum(parameter.numel() for parameter in network.parameters())
