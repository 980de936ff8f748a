"""The networks of examples/ in PyTorch, written by hand from their publications and independent of
the compiler: what check_networks.py compares executables with. Names of parameters are those that
rnet gives, so that a state dict is also a file of weights."""
import torch
from torch import nn
from torch.nn import functional

BLOCKS = {50: [3, 4, 6, 3]}


# ---- layers for images and videos ---------------------------------------------------------------

class Kit:
    """Layers of 2 or 3 dimensions with the padding that keeps the grid."""

    def __init__(self, rank):
        self.rank = rank
        self.conv_class = nn.Conv2d if rank == 2 else nn.Conv3d
        self.bn = nn.BatchNorm2d if rank == 2 else nn.BatchNorm3d
        self.pool_class = nn.MaxPool2d if rank == 2 else nn.MaxPool3d

    def axes(self, value):
        return tuple(value) if isinstance(value, (list, tuple)) else (value,) * self.rank

    def conv(self, kernel, inputs, outputs, stride=1, groups=1, bias=False):
        kernel = self.axes(kernel)
        return self.conv_class(inputs, outputs, kernel, self.axes(stride), groups=groups, bias=bias,
                               padding=tuple((k - 1) // 2 for k in kernel))

    def max_pool(self, kernel, stride):
        kernel = self.axes(kernel)
        return self.pool_class(kernel, self.axes(stride), padding=tuple((k - 1) // 2 for k in kernel))


def strides(kit, stride):
    return any(s != 1 for s in kit.axes(stride))


# ---- projections --------------------------------------------------------------------------------

def conv_projection(kit, inputs, outputs, stride):
    return nn.Sequential(kit.conv(1, inputs, outputs, stride), kit.bn(outputs))


def avg_projection(kit, inputs, outputs, stride):
    if not strides(kit, stride):
        return conv_projection(kit, inputs, outputs, 1)
    return nn.Sequential(nn.AvgPool2d(2, 2), kit.conv(1, inputs, outputs), kit.bn(outputs))


def max_projection(kit, inputs, outputs, stride, pool=None):
    """Where there is nothing to pool the convolution comes first. 3-D: time is pooled over only
    where it is halved. `pool` also where the stride is 1, as in networks for ImageNet."""
    if not (strides(kit, stride) if pool is None else pool):
        return conv_projection(kit, inputs, outputs, 1)
    kernel = 3 if kit.rank == 2 else [1 if kit.axes(stride)[0] == 1 else 3, 3, 3]
    layers = [kit.max_pool(kernel, stride)]
    if inputs != outputs:
        layers += [kit.conv(1, inputs, outputs), kit.bn(outputs)]
    return nn.Sequential(*layers)


def pooled_projection(kit, inputs, outputs, stride):
    return max_projection(kit, inputs, outputs, stride, pool=True)


def plain_projection(kit, inputs, outputs, stride):
    return nn.Sequential(kit.conv(1, inputs, outputs, stride))


# ---- blocks -------------------------------------------------------------------------------------

class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        weights = functional.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(weights))))


class Block(nn.Module):
    """conv1 ... conv3 of a bottleneck, with what stands around them by the kind of block."""

    def __init__(self, kit, kind, inputs, width, outputs, stride=1, groups=1, project=None,
                 gate=False, bn0=False, bn3=True):
        super().__init__()
        self.kind = kind
        if bn0:
            self.bn0 = kit.bn(inputs)
        self.conv1, self.bn1 = kit.conv(1, inputs, width), kit.bn(width)
        self.conv2, self.bn2 = kit.conv(3, width, width, stride, groups), kit.bn(width)
        self.conv3 = kit.conv(1, width, outputs)
        if bn3:
            self.bn3 = kit.bn(outputs)
        if gate:
            self.se = Gate(outputs)
        if project and (strides(kit, stride) or inputs != outputs):
            self.downsample = project(kit, inputs, outputs, stride)

    def branch(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.conv3(torch.relu(self.bn2(self.conv2(x))))

    def shortcut(self, x):
        return self.downsample(x) if hasattr(self, "downsample") else x

    def original(self, x):
        y = self.bn3(self.branch(x))
        return torch.relu((self.se(y) if hasattr(self, "se") else y) + self.shortcut(x))

    def entered(self, x):
        """The first block of a pre-activated network, whose stem has activated the signal."""
        return self.branch(x) + self.shortcut(x)

    def preactivated(self, x):
        return self.branch(torch.relu(self.bn0(x))) + self.shortcut(x)

    def start(self, x):
        return self.bn3(self.branch(x)) + self.downsample(x)

    def second(self, x):
        return self.branch(torch.relu(x)) + x

    def second_published(self, x):
        gated = torch.relu(x)
        return self.branch(gated) + gated

    def end_preactivated(self, x):
        return torch.relu(self.bn3(self.preactivated(x)))

    def end_second(self, x):
        return torch.relu(self.bn3(self.second(x)))

    def end_second_published(self, x):
        return torch.relu(self.bn3(self.second_published(x)))

    def forward(self, x):
        return getattr(self, self.kind)(x)


def original_stage(kit, count, inputs, width, outputs, stride, groups=1, project=conv_projection,
                   gate=False, first=False):
    return nn.Sequential(*(Block(kit, "original", outputs if i else inputs, width, outputs,
                                 1 if i else stride, groups, project, gate) for i in range(count)))


def preactivation_stage(kit, count, inputs, width, outputs, stride, groups=1,
                        project=conv_projection, first=False):
    blocks = [Block(kit, "entered" if first else "preactivated", inputs, width, outputs, stride,
                    groups, project, bn0=not first, bn3=False)]
    blocks += [Block(kit, "preactivated", outputs, width, outputs, 1, groups, bn0=True, bn3=False)
               for _ in range(1, count)]
    return nn.Sequential(*blocks)


def improved_stage(kit, count, inputs, width, outputs, stride, groups=1, project=max_projection,
                   published=False, first=False):
    blocks = [Block(kit, "start", inputs, width, outputs, stride, groups, project)]
    for index in range(1, count):
        kind = "preactivated" if index > 1 else "second_published" if published else "second"
        last = index == count - 1
        blocks.append(Block(kit, "end_" + kind if last else kind, outputs, width, outputs, 1, groups,
                            bn0=index > 1, bn3=last))
    return nn.Sequential(*blocks)


def with_settings(stage, **settings):
    return lambda *positions, **more: stage(*positions, **{**settings, **more})


# ---- networks -----------------------------------------------------------------------------------

class Residual(nn.Module):
    """Stem, stages, classifier. `stem` is (kernel, channels, stride), `pool` the stem's pooling."""

    def __init__(self, stage, counts, widths, outputs, all_strides, stem=(7, 64, 2), pool=None,
                 groups=(1, 1, 1, 1), classes=10, last_norm=None, rank=2, classify=True):
        super().__init__()
        kit = Kit(rank)
        kernel, channels, stride = stem
        self.conv1, self.bn1 = kit.conv(kernel, 3, channels, stride), kit.bn(channels)
        self.pool = kit.max_pool(*pool) if pool else nn.Identity()
        inputs = channels
        for i, count in enumerate(counts):
            setattr(self, f"layer{i + 1}",
                    stage(kit, count, inputs, widths[i], outputs[i], all_strides[i], groups[i],
                          first=i == 0))
            inputs = outputs[i]
        self.stage_count, self.last_norm = len(counts), last_norm
        if last_norm:
            setattr(self, last_norm, kit.bn(inputs))
        if classify:
            self.fc = nn.Linear(inputs, classes)

    def trunk(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        for i in range(self.stage_count):
            x = getattr(self, f"layer{i + 1}")(x)
        return torch.relu(getattr(self, self.last_norm)(x)) if self.last_norm else x

    def forward(self, x):
        x = self.trunk(x)
        return self.fc(x.mean(tuple(range(2, x.dim())))) if hasattr(self, "fc") else x


STEM_POOL = (3, 2)


def imagenet(stage, width=64, out=256, first_stride=1, pool=STEM_POOL, **more):
    return Residual(stage, BLOCKS[50], [width * 2**i for i in range(4)],
                    [out * 2**i for i in range(4)], [first_stride, 2, 2, 2], pool=pool, **more)


def improved_imagenet(published, **more):
    stage = with_settings(improved_stage, project=pooled_projection, published=published)
    return imagenet(stage, first_stride=2, pool=None, **more)


GROUPS = {"resnext": {"width": 128, "out": 256, "groups": [32] * 4},
          "resgroup": {"width": 256, "out": 128, "groups": [8, 16, 32, 64]},
          "resgroupfix": {"width": 256, "out": 128, "groups": [64] * 4}}


def cifar(stage, depth, **more):
    count = depth // 9
    return Residual(stage, [count] * 3, [16, 32, 64], [64, 128, 256], [1, 2, 2], stem=(3, 16, 1),
                    **more)


def video(stage, all_strides, pool):
    return Residual(stage, BLOCKS[50], [64, 128, 256, 512], [256, 512, 1024, 2048], all_strides,
                    stem=([5, 7, 7], 64, [1, 2, 2]), pool=pool, rank=3, classes=400)


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        kit = Kit(2)
        self.bn0, self.bn1 = kit.bn(inputs), kit.bn(outputs)
        self.conv1 = kit.conv(3, inputs, outputs, stride)
        self.conv2 = kit.conv(3, outputs, outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = plain_projection(kit, inputs, outputs, stride)

    def forward(self, x):
        y = self.conv1(torch.relu(self.bn0(x)))
        y = self.conv2(functional.dropout(torch.relu(self.bn1(y)), 0.3, self.training))
        return y + (self.downsample(x) if hasattr(self, "downsample") else x)


class Wide(nn.Module):
    def __init__(self, depth, widen, classes=10):
        super().__init__()
        self.conv1 = Kit(2).conv(3, 3, 16)
        inputs = 16
        for i in range(3):
            outputs, blocks = 16 * widen * 2**i, []
            for j in range((depth - 4) // 6):
                blocks.append(WideBlock(inputs, outputs, 2 if i and not j else 1))
                inputs = outputs
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.bn, self.fc = nn.BatchNorm2d(inputs), nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(torch.relu(self.bn(x)).mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(torch.relu(self.norm2(y)))], 1)


class Transition(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x):
        return functional.avg_pool2d(self.conv(torch.relu(self.norm(x))), 2)


class Dense(nn.Module):
    def __init__(self, counts=(6, 12, 24, 16), growth=32, classes=10):
        super().__init__()
        inputs, layers = 2 * growth, {}
        layers["conv0"] = nn.Conv2d(3, inputs, 7, 2, padding=3, bias=False)
        layers["norm0"] = nn.BatchNorm2d(inputs)
        layers["relu0"], layers["pool0"] = nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)
        for i, count in enumerate(counts):
            layers[f"denseblock{i + 1}"] = nn.Sequential(
                *(DenseLayer(inputs + j * growth, growth) for j in range(count)))
            inputs += count * growth
            if i < len(counts) - 1:
                layers[f"transition{i + 1}"] = Transition(inputs)
                inputs //= 2
        layers["norm5"] = nn.BatchNorm2d(inputs)
        self.features = nn.Sequential()
        for name, layer in layers.items():
            self.features.add_module(name, layer)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.classifier(torch.relu(self.features(x)).mean((2, 3)))


class ChannelNorm(nn.LayerNorm):
    """Over the channels of each pixel."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        if x.dim() == 2:
            return super().forward(x)
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Scale(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x):
        return x * self.weight[None, :, None, None]


class ConvNextBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = ChannelNorm(channels)
        self.pwconv1 = nn.Conv2d(channels, 4 * channels, 1)
        self.pwconv2 = nn.Conv2d(4 * channels, channels, 1)
        self.gamma = Scale(channels)

    def forward(self, x):
        y = functional.gelu(self.pwconv1(self.norm(self.dwconv(x))))
        return x + self.gamma(self.pwconv2(y))


class ConvNext(nn.Module):
    def __init__(self, counts=(3, 3, 9, 3), classes=10):
        super().__init__()
        widths = [96 * 2**i for i in range(len(counts))]
        downs = [nn.Sequential(nn.Conv2d(3, 96, 4, 4), ChannelNorm(96))]
        downs += [nn.Sequential(ChannelNorm(width // 2), nn.Conv2d(width // 2, width, 2, 2))
                  for width in widths[1:]]
        self.downsample_layers = nn.ModuleList(downs)
        self.stages = nn.ModuleList(nn.Sequential(*(ConvNextBlock(width) for _ in range(count)))
                                    for count, width in zip(counts, widths))
        self.norm, self.head = ChannelNorm(widths[-1]), nn.Linear(widths[-1], classes)

    def forward(self, x):
        for down, stage in zip(self.downsample_layers, self.stages):
            x = stage(down(x))
        return self.head(self.norm(x.mean((2, 3))))


def double(inputs, width):
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class Level(nn.Module):
    def __init__(self, inputs, width, deeper):
        super().__init__()
        self.down, self.up = double(inputs, width), double(2 * width, width)
        self.inner = Level(width, 2 * width, deeper - 1) if deeper else double(width, 2 * width)
        self.add_module("4", nn.Conv2d(2 * width, width, 3, padding=1, bias=False))

    def forward(self, x):
        x = self.down(x)
        y = functional.interpolate(self.inner(functional.max_pool2d(x, 2)), scale_factor=2)
        return self.up(torch.cat([x, self.get_submodule("4")(y)], 1))


class UNet(Level):
    def __init__(self, classes=21):
        super().__init__(3, 64, 3)
        self.head = nn.Conv2d(64, classes, 1)

    def forward(self, x):
        return self.head(super().forward(x))


def rows(x, length):
    """As published detectors do: [N, C, H, W] to [N, C / length H W, length]."""
    return x.reshape(x.shape[0], length, -1).transpose(1, 2)


class Detector(nn.Module):
    """SSD at 300 pixels on a trunk of three stages whose last keeps the grid."""

    def __init__(self, improved, classes=81):
        super().__init__()
        stage = (with_settings(improved_stage, project=pooled_projection) if improved else
                 original_stage)
        self.feature_extractor = Residual(
            stage, BLOCKS[50][:3], [64, 128, 256], [256, 512, 1024],
            [2 if improved else 1, 2, 1], pool=None if improved else STEM_POOL, classify=False)
        shapes = [(256, 512, 2, 1), (256, 512, 2, 1), (128, 256, 2, 1), (128, 256, 1, 0),
                  (128, 256, 1, 0)]
        inputs, blocks, grids = 1024, [], [1024]
        for width, outputs, stride, padding in shapes:
            blocks.append(nn.Sequential(
                nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, outputs, 3, stride, padding, bias=False), nn.BatchNorm2d(outputs),
                nn.ReLU()))
            inputs = outputs
            grids.append(outputs)
        self.additional_blocks = nn.ModuleList(blocks)
        boxes = [4, 6, 6, 6, 4, 4]
        self.loc = nn.ModuleList(nn.Conv2d(channels, 4 * count, 3, padding=1)
                                 for channels, count in zip(grids, boxes))
        self.conf = nn.ModuleList(nn.Conv2d(channels, classes * count, 3, padding=1)
                                  for channels, count in zip(grids, boxes))
        self.classes = classes

    def forward(self, x):
        x = self.feature_extractor(x)
        loc, conf = [], []
        for i, (box_head, class_head) in enumerate(zip(self.loc, self.conf)):
            loc.append(rows(box_head(x), 4))
            conf.append(rows(class_head(x), self.classes))
            if i < len(self.additional_blocks):
                x = self.additional_blocks[i](x)
        return {"loc": torch.cat(loc, 1), "conf": torch.cat(conf, 1)}


class Pyramid(nn.Module):
    """A level of a feature pyramid: step, what the deeper levels say, the heads."""

    def __init__(self, step, name, channels, deeper, boxes=9, classes=80):
        super().__init__()
        self.add_module(name, step)
        self.step, self.classes_count = step, classes
        self.lateral, self.deeper = nn.Conv2d(channels, 256, 1, bias=False), deeper
        self.boxes = nn.Conv2d(256, 4 * boxes, 3, padding=1)
        self.classes = nn.Conv2d(256, classes * boxes, 3, padding=1)

    def forward(self, x):
        """The level's features and the outputs so far, the deepest first."""
        x = self.step(x)
        deep, outputs = self.deeper(x) if isinstance(self.deeper, Pyramid) else (
            functional.avg_pool2d(self.deeper(x), 2), [])
        y = self.lateral(x) + functional.interpolate(deep, scale_factor=2)
        return y, outputs + [(rows(self.boxes(y), 4), rows(self.classes(y), self.classes_count))]


class FeaturePyramid(nn.Module):
    def __init__(self):
        super().__init__()
        kit = Kit(2)
        self.conv1, self.bn1 = kit.conv(7, 3, 64, 2), kit.bn(64)
        self.layer1 = original_stage(kit, 3, 64, 64, 256, 1)
        deeper = nn.Sequential(nn.Conv2d(2048, 256, 1, bias=False))
        for i in (3, 2, 1):
            outputs = 256 * 2**i
            deeper = Pyramid(original_stage(kit, BLOCKS[50][i], outputs // 2, 64 * 2**i, outputs, 2),
                             f"layer{i + 1}", outputs, deeper)
        self.top = deeper

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, padding=1)
        _, outputs = self.top(self.layer1(x))
        return {"boxes": torch.cat([boxes for boxes, _ in outputs], 1),
                "classes": torch.cat([classes for _, classes in outputs], 1)}


def weights_of(network):
    """The state dict by the names that rnet gives."""
    state = {name.removeprefix("top."): value for name, value in network.state_dict().items()}
    return {name: value for name, value in state.items() if not ("step." in name)}
