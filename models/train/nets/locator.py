"""Scenes and their maps -> where the document and the device around it are: the locator, its training and export."""

from dataclasses import dataclass

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

from ..device import device
from ..draw.camera import SIZE
from ..draw.targets import CELLS, CHANNELS
from .conv import Conv, Layer
from .graph import INPUT_MEAN, INPUT_SCALE, Graph, fed, session, value_info
from .loop import Plan
from .loop import train as run

# Output channels of the encoder's stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input, and of the decoder.
WIDTHS = (16, 24, 48, 80, 112)
MORE = (0, 1, 1, 2, 2)  # convolutions of a stage behind its first
DECODER = 32
DECAY = 0.01


@dataclass(frozen=True)
class Stage:
    """`scenes` new ones from `seed` on, each `before`-th scene of earlier stages and views of the marked frames."""

    name: str
    seed: int
    scenes: int
    real: bool  # with rectified documents and real surfaces
    before: int
    views: int  # of each marked frame
    epochs: int
    rate: float
    batch: int = 32


# How far the kept net lies on the way from the one before that stage to the one after it: at 1 marked frames of cards,
# which that stage sees less of, are found less well; at 0.7 most of what it brings is kept (NOTEBOOK.md, locator_net).
WAY = 0.7


class Locator(nn.Module):
    """[n,3,192,192] RGB 0..255 -> [n,3,48,48] logits: document, device, corners."""

    def __init__(self):
        super().__init__()
        self.down, inputs = nn.ModuleList(), 3
        for index, width in enumerate(WIDTHS):
            more = [Conv(width, Layer(3, 1, width, residual=True), six=True) for _ in range(MORE[index])]
            self.down.append(nn.Sequential(Conv(inputs, Layer(3, 2, width), six=True), *more))
            inputs = width
        self.side = nn.ModuleList([Conv(width, Layer(1, 1, DECODER), six=True) for width in WIDTHS[1:]])
        again = Layer(3, 1, DECODER, residual=True)
        self.up = nn.ModuleList([Conv(DECODER, again, six=True) for _ in WIDTHS[1:-1]])
        self.said = nn.Conv2d(DECODER, len(CHANNELS), 1)

    def forward(self, x):
        x, levels = (x - INPUT_MEAN) * INPUT_SCALE, []
        for stage in self.down:
            x = stage(x)
            levels.append(x)
        y = self.side[-1](levels[-1])
        for index in range(len(self.up) - 1, -1, -1):
            y = self.side[index](levels[index + 1]) + F.interpolate(y, scale_factor=2, mode="nearest")
            y = self.up[index](y)
        return self.said(y)

    def convolutions(self):
        """In the order in which `export` writes them."""
        turns = [(self.side[k], self.up[k]) for k in range(len(self.up) - 1, -1, -1)]
        return [c for stage in self.down for c in stage] + [self.side[-1]] + [c for pair in turns for c in pair]

    def load_exported(self, path):
        """Weights of an exported net; batch norm, folded there, changes nothing here and is to stay as it is."""
        constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
        names = sorted((n[1:] for n in constants if n[0] == "w" and n[1:].isdigit()), key=int)
        with torch.no_grad():
            for layer, name in zip(self.convolutions(), names, strict=True):
                layer.conv.weight.copy_(torch.from_numpy(constants[f"w{name}"].copy()))
                layer.norm.bias.copy_(torch.from_numpy(constants[f"b{name}"].copy()))
                layer.norm.running_var.fill_(1 - layer.norm.eps)
            self.said.weight.copy_(torch.from_numpy(constants["said"].copy()))
            self.said.bias.copy_(torch.from_numpy(constants["said_bias"].copy()))
        return self


def loss_of(logits, target, known):
    """Cross-entropy on every map that is known [n,3], and the overlap (Dice) of the document where there is one."""
    weight = torch.tensor([1.0, 0.5, 1.0], device=logits.device) * known
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    cross = (cross.mean((2, 3)) * weight).sum(1).mean()
    inside, wanted = torch.sigmoid(logits[:, 0]), target[:, 0]
    overlap = 1 - (2 * (inside * wanted).sum((1, 2)) + 1) / ((inside**2).sum((1, 2)) + (wanted**2).sum((1, 2)) + 1)
    return cross + 0.5 * (overlap * known[:, 0]).mean()


def turned(pictures, targets, rng):
    """Mirrored and turned alike."""
    if rng.random() < 0.5:
        pictures, targets = pictures[:, :, ::-1], targets[:, :, :, ::-1]
    quarter = int(rng.integers(4))
    return np.rot90(pictures, quarter, (1, 2)), np.rot90(targets, quarter, (2, 3))


def rows_of(parts, rows):
    """Rows of arrays as if they were one behind the other."""
    ends = np.cumsum([len(p) for p in parts])
    return np.stack([parts[k][row - ends[k]] for row, k in zip(rows, np.searchsorted(ends, rows, "right"))])


def train(stage, pictures, targets, known, model, out, frozen=False):
    """Trains `model` on lists of arrays. `frozen`: batch norm stays as it is."""
    count = sum(len(p) for p in pictures)
    steps = count // stage.batch

    def batches(epoch):
        rng = np.random.default_rng(epoch)
        order = rng.permutation(count)
        for step in range(steps):
            rows = np.sort(order[step * stage.batch : (step + 1) * stage.batch])
            x, y = turned(rows_of(pictures, rows), rows_of(targets, rows), rng)
            x = torch.from_numpy(np.ascontiguousarray(x)).to(device()).permute(0, 3, 1, 2).float()
            y = torch.from_numpy(np.ascontiguousarray(y)).to(device()).float() / 255
            there = torch.from_numpy(rows_of(known, rows)).to(device()).float()
            yield x.contiguous(memory_format=torch.channels_last), (y, there)

    def loss(logits, wanted):
        return loss_of(logits.float(), *wanted), {}

    plan = Plan(stage.rate, DECAY, warm_up=0.1, clip=1.0)
    make = lambda: model.to(memory_format=torch.channels_last)
    total = stage.epochs * steps
    return run(stage.name, plan, make, stage.epochs, total, batches, loss, out, device(), frozen)[0]


@torch.no_grad()
def export(model, path):
    """`overview` [1,3,192,192] -> `maps` [1,3,48,48] logits."""
    g = Graph()
    x = g.add("Mul", [g.add("Sub", ["overview", g.constant(INPUT_MEAN)]), g.constant(INPUT_SCALE)])

    def conv(x, layer):
        y = g.conv(x, layer.folded())
        return g.add("Add", [x, y]) if layer.residual else y

    levels = []
    for stage in model.down:
        for layer in stage:
            x = conv(x, layer)
        levels.append(x)
    y = conv(levels[-1], model.side[-1])
    scales = g.constant([1, 1, 2, 2], "scales")
    for index in range(len(model.up) - 1, -1, -1):
        wide = g.add(
            "Resize", [y, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )
        y = conv(g.add("Add", [conv(levels[index + 1], model.side[index]), wide]), model.up[index])
    weight, bias = (p.detach().numpy() for p in (model.said.weight, model.said.bias))
    g.add(
        "Conv",
        [y, g.constant(weight, "said"), g.constant(bias, "said_bias")],
        "maps",
        kernel_shape=[1, 1],
        strides=[1, 1],
        pads=[0, 0, 0, 0],
        group=1,
    )
    g.save(
        path,
        "locator_net",
        [value_info("overview", [1, 3, SIZE, SIZE])],
        [value_info("maps", [1, 3, CELLS, CELLS])],
        "The whole capture squashed to 192 x 192, RGB 0..255 -> log-odds of document, device and corners.",
    )


def overlaps(path, pictures, targets):
    """Intersection over union of the document's map at 0, where there is a document; and false alarms where not."""
    net, iou, alarms = session(path), [], []
    for picture, target in zip(pictures, targets):
        found = net.run(None, {"overview": fed(picture)})[0][0, 0] > 0
        wanted = target[0] > 127
        if wanted.any():
            iou.append((found & wanted).sum() / max((found | wanted).sum(), 1))
        else:
            alarms.append(found.mean() > 0.01)
    return np.array(iou), np.array(alarms)


def on_the_way(before, after, path):
    """Writes the net whose weights lie `WAY` of the way between two exported ones."""
    net = onnx.load(after)
    begun = {c.name: numpy_helper.to_array(c) for c in onnx.load(before).graph.initializer}
    for constant in net.graph.initializer:
        value = numpy_helper.to_array(constant)
        if value.dtype == np.float32:
            value = ((1 - WAY) * begun[constant.name] + WAY * value).astype(np.float32)
            constant.CopyFrom(numpy_helper.from_array(value, constant.name))
    onnx.save(net, path)
