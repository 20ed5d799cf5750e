"""A document laid straight -> over which cells of it translucent text lies."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..draw.watermarks import CELL, COLUMNS, ROWS, SHAPE, UNKNOWN
from ..figures import sigmoid
from .conv import Conv, Layer, chain
from .graph import Graph, fed, value_info
from .loop import Plan
from .loop import train as run

# The first three make the cells, the others look around at half their scale: a phrase comes again far away.
FINE = (Layer(3, 2, 10), Layer(3, 2, 16), Layer(3, 2, 24))
WIDE = (Layer(3, 2, 40), Layer(3, 1, 40, residual=True, dilation=2))
NEAR = 16
# What is looked at is the difference from the mean of so many pixels a side, over the second of these and bounded by the
# first, in levels: print and pictures end there, and what is faint is as large as they.
AROUND, MOST, LEVELS = 9, 24.0, 8.0
RARE = 3.0  # weight of what is there over what is not; taken out of the odds again
BATCH = 32
PLAN = Plan(rate=4e-3, decay=0.01, warm_up=0.15, clip=2.0, bfloat16=False)
PLAN_AGAIN = replace(PLAN, rate=1.5e-3)
ODDS = np.float32(-np.log(RARE))


class WatermarkNet(nn.Module):
    """[n,3,240,384] RGB 0..255 -> log-odds [n,1,30,48]."""

    def __init__(self):
        super().__init__()
        cells, wide = FINE[-1].outputs, WIDE[-1].outputs
        self.fine, self.wide = chain(3, FINE), chain(cells, WIDE)
        self.whole, self.up = nn.Conv2d(wide, wide, 1), nn.Conv2d(wide, cells, 1)
        self.near = Conv(cells, Layer(3, 1, NEAR))
        self.map = nn.Conv2d(NEAR, 1, 1)

    def forward(self, x):
        around = F.avg_pool2d(x, (1, AROUND), 1, (0, AROUND // 2), count_include_pad=False)
        around = F.avg_pool2d(around, (AROUND, 1), 1, (AROUND // 2, 0), count_include_pad=False)
        x = (x - around).clamp(-MOST, MOST) / LEVELS
        for conv in self.fine:
            x = conv(x)
        wide = x
        for conv in self.wide:
            wide = conv(wide)
        wide = F.relu(wide + self.whole(wide.mean((2, 3), keepdim=True)))
        x = F.relu(x + F.interpolate(self.up(wide), size=(ROWS, COLUMNS), mode="nearest"))
        return self.map(self.near(x))


@torch.no_grad()
def export(model, path):
    """`document` [1,3,240,384] -> `map` [1,1,30,48], log-odds."""
    g = Graph()

    def plain(x, layer, name, output=None, added=0.0):
        flat = {"strides": [1, 1], "dilations": [1, 1], "pads": [0] * 4}
        return g.plain(x, layer.weight.numpy(), layer.bias.numpy() + added, f"_{name}", output, **flat)

    around, half = "document", AROUND // 2
    for kernel, pads in (((1, AROUND), (0, half, 0, half)), ((AROUND, 1), (half, 0, half, 0))):
        around = g.add("AveragePool", [around], kernel_shape=kernel, strides=[1, 1], pads=pads, count_include_pad=0)
    x = g.add("Sub", ["document", around])
    x = g.add("Clip", [x, g.constant(-MOST, "least"), g.constant(MOST, "most")])
    x = g.chain(x, model.fine, "_fine", 1 / LEVELS, dilated=True)
    wide = g.chain(x, model.wide, "_wide", dilated=True)
    whole = plain(g.add("ReduceMean", [wide], axes=[2, 3], keepdims=1), model.whole, "whole")
    wide = plain(g.add("Relu", [g.add("Add", [wide, whole])]), model.up, "up")
    g.constants["size"] = np.array((1, FINE[-1].outputs, ROWS, COLUMNS), np.int64)
    wide = g.add(
        "Resize",
        [wide, "", "", "size"],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    x = g.rectified(g.add("Relu", [g.add("Add", [x, wide])]), model.near, "_near", dilated=True)
    plain(x, model.map, "map", "map", ODDS)
    g.save(
        path,
        "watermark_net",
        [value_info("document", [1, 3, *SHAPE])],
        [value_info("map", [1, 1, ROWS, COLUMNS])],
        "The document seen straight on, its longer side across, 384 x 240, RGB 0..255 -> log-odds that translucent text "
        f"lies over each cell of {CELL} px.",
    )


def odds(model):
    """What the exported graph says: the log-odds with what weighs them taken out."""
    return lambda x: model(x) + float(ODDS)


def loss_of(said, cells):
    """Cross entropy over the cells that are known."""
    known = cells != UNKNOWN
    logits, there, rare = said.float()[:, 0][known], cells[known].float(), torch.tensor(RARE)
    return F.binary_cross_entropy_with_logits(logits, there, pos_weight=rare), {}


def train(pictures, cells, epochs, path, start_from=None):
    steps = len(pictures) // BATCH

    def batches(epoch):
        rng = np.random.default_rng(epoch)
        order = rng.permutation(len(pictures))
        for step in range(steps):
            batch = np.sort(order[step * BATCH : (step + 1) * BATCH])
            down, across = rng.choice((-1, 1), 2)
            x = torch.from_numpy(np.ascontiguousarray(pictures[batch][:, ::down, ::across])).permute(0, 3, 1, 2).float()
            gain = np.exp(rng.normal(0, 0.08, (len(x), 1, 1, 1)) + rng.normal(0, 0.04, (len(x), 3, 1, 1)))
            x = x.mul_(torch.from_numpy(gain.astype(np.float32))).clamp_(0, 255)
            yield x, torch.from_numpy(np.ascontiguousarray(cells[batch][:, ::down, ::across]))

    def make():
        model = WatermarkNet().to(memory_format=torch.channels_last)
        if start_from:
            model.load_state_dict(torch.load(start_from, weights_only=True)["model"])
        return model

    plan = PLAN_AGAIN if start_from else PLAN
    return run("watermarks", plan, make, epochs, epochs * steps, batches, loss_of, path)[0]


def said(net, picture):
    """Probabilities [30,48]."""
    return sigmoid(net.run(["map"], {"document": fed(picture)})[0][0, 0])
