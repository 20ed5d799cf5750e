"""A document laid straight -> where something lies over it, or light washes it out."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..draw.camera import HEIGHT, WIDTH
from ..draw.cover_maps import CELL, COLUMNS, MAPS, ROWS, UNKNOWN
from ..figures import sigmoid
from .conv import Conv, Layer, chain
from .graph import Graph, fed, value_info
from .loop import Plan
from .loop import train as run

# The first four make the cells, the others look around at half their scale.
FINE = (Layer(3, 2, 12), Layer(3, 2, 24), Layer(3, 2, 40), Layer(3, 1, 40, residual=True))
WIDE = (Layer(3, 2, 64), Layer(3, 1, 64, residual=True), Layer(3, 1, 64, residual=True, dilation=2))
CELL_CHANNELS = FINE[-1].outputs
NEAR = 32
INPUT_SCALE = 1 / 64
BATCH = 64
PLAN = Plan(rate=4e-3, decay=0.01, warm_up=0.15, clip=2.0)
PLAN_AGAIN = replace(PLAN, rate=1.5e-3)
SHARES = (1.0, 0.5)  # of the maps in the loss
RARE = (3.0, 2.0)  # weight of what is there over what is not; taken out of the odds again
# Added to the log-odds: covers and highlights are rarer among captures than among the views, of which 43 and 21 % have
# one; this is for 16 and 6 %.
RARER = (-1.4, -1.4)
ODDS = np.float32(RARER) - np.log(np.float32(RARE))


class CoverNet(nn.Module):
    """[n,3,120,192] RGB 0..255 -> log-odds [n,2,15,24] of covered and glare."""

    def __init__(self):
        super().__init__()
        self.fine, self.wide = chain(3, FINE), chain(CELL_CHANNELS, WIDE)
        wide = WIDE[-1].outputs
        self.whole, self.up = nn.Conv2d(wide, wide, 1), nn.Conv2d(wide, CELL_CHANNELS, 1)
        self.near = Conv(CELL_CHANNELS, Layer(3, 1, NEAR))
        self.maps = nn.Conv2d(NEAR, len(MAPS), 1)

    def forward(self, x):
        x = x * INPUT_SCALE
        for conv in self.fine:
            x = conv(x)
        wide = x
        for conv in self.wide:
            wide = conv(wide)
        wide = F.relu(wide + self.whole(wide.mean((2, 3), keepdim=True)))
        x = F.relu(x + F.interpolate(self.up(wide), size=(ROWS, COLUMNS), mode="nearest"))
        return self.maps(self.near(x))


@torch.no_grad()
def export(model, path):
    """`document` [1,3,120,192] -> `maps` [1,2,15,24], log-odds."""
    g = Graph()

    def plain(x, layer, name, added=0.0, output=None):
        flat = {"strides": [1, 1], "dilations": [1, 1], "pads": [0] * 4}
        return g.plain(x, layer.weight.numpy(), layer.bias.numpy() + added, f"_{name}", output, **flat)

    x = g.chain("document", model.fine, "_fine", INPUT_SCALE, dilated=True)
    wide = g.chain(x, model.wide, "_wide", dilated=True)
    whole = plain(g.add("ReduceMean", [wide], axes=[2, 3], keepdims=1), model.whole, "whole")
    wide = plain(g.add("Relu", [g.add("Add", [wide, whole])]), model.up, "up")
    g.constants["size"] = np.array((1, CELL_CHANNELS, ROWS, COLUMNS), np.int64)
    wide = g.add(
        "Resize",
        [wide, "", "", "size"],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    x = g.add("Relu", [g.add("Add", [x, wide])])
    x = g.rectified(x, model.near, "_near", dilated=True)
    plain(x, model.maps, "maps", ODDS, "maps")
    g.save(
        path,
        "cover_net",
        [value_info("document", [1, 3, HEIGHT, WIDTH])],
        [value_info("maps", [1, len(MAPS), ROWS, COLUMNS])],
        "The document seen straight on, its longer side across, 192 x 120, RGB 0..255 -> log-odds for each cell of "
        f"{CELL} px: {', '.join(MAPS)}.",
    )


def odds(model):
    """What the exported graph says: the log-odds with what weighs them taken out."""
    return lambda x: model(x) + torch.from_numpy(ODDS)[None, :, None, None]


def loss_of(said, maps):
    """Cross entropy over the cells that are known."""
    total, said = 0.0, said.float()
    for index, (weight, rare) in enumerate(zip(SHARES, RARE)):
        known = maps[:, index] != UNKNOWN
        logits, there = said[:, index][known], maps[:, index][known].float()
        total = total + weight * F.binary_cross_entropy_with_logits(logits, there, pos_weight=torch.tensor(rare))
    return total, {}


def varied(pictures, maps, rng):
    """Mirrored or upside down, each brighter or darker and of another colour."""
    down, across = rng.choice((-1, 1), 2)
    x = torch.from_numpy(np.ascontiguousarray(pictures[:, ::down, ::across])).permute(0, 3, 1, 2).float()
    gain = np.exp(rng.normal(0, 0.08, (len(x), 1, 1, 1)) + rng.normal(0, 0.04, (len(x), 3, 1, 1)))
    x = x.mul_(torch.from_numpy(gain.astype(np.float32))).clamp_(0, 255)
    return x, torch.from_numpy(np.ascontiguousarray(maps[:, :, ::down, ::across]))


def train(pictures, maps, epochs, path, start_from=None):
    steps = len(pictures) // BATCH

    def make():
        model = CoverNet().to(memory_format=torch.channels_last)
        if start_from:
            model.load_state_dict(torch.load(start_from, weights_only=True)["model"])
        return model

    def batches(epoch):
        rng = np.random.default_rng(epoch)
        order = rng.permutation(len(pictures))
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            yield varied(pictures[batch], maps[batch], rng)

    plan = PLAN_AGAIN if start_from else PLAN
    return run("covers", plan, make, epochs, epochs * steps, batches, loss_of, path)[0]


def said(net, picture):
    """Probabilities [2,15,24]."""
    return sigmoid(net.run(["maps"], {"document": fed(picture)})[0][0])
