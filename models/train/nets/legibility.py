"""Pieces of print -> is there print, and can it be read: the net, its training and export."""

import zlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..data.print_tiles import CELL, GLYPH, TILE, UNKNOWN
from .conv import Layer, chain
from .graph import Graph, value_info
from .loop import Plan
from .loop import train as run

HEIGHT, WIDTH = 64, 128  # of a piece, as the program cuts it
LAYERS = (
    Layer(5, 2, 16),
    Layer(3, 2, 24),
    Layer(3, 1, 24, residual=True),
    Layer(3, 2, 40),
    Layer(3, 1, 40, residual=True),
    Layer(3, 2, 64),
    Layer(3, 1, 64, residual=True),
)
FLOOR = 4.0  # variance in grey levels squared: an even piece is not blown up
FOLDS = 5
PASSES, BATCH = 24, 64
PLAN = Plan(rate=3e-3, decay=0.02, warm_up=0.3, clip=5.0, seed=7, bfloat16=False)
FULL = 200.0  # what `print_tiles.py` writes for a share of 1


class LegibilityNet(nn.Module):
    """[n,1,H,W] grey 0..255 -> [n,2,H/16,W/16] logits: print, readable."""

    def __init__(self):
        super().__init__()
        self.convs = chain(1, LAYERS)
        self.maps = nn.Conv2d(LAYERS[-1].outputs, 2, 1)

    def forward(self, x):
        x = x - x.mean((2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((2, 3), keepdim=True) + FLOOR)
        for conv in self.convs:
            x = conv(x)
        return self.maps(x)


def export(model, path):
    g = Graph()
    off = g.add("Sub", ["piece", g.add("ReduceMean", ["piece"], axes=[2, 3], keepdims=1)])
    power = g.add("ReduceMean", [g.add("Mul", [off, off])], axes=[2, 3], keepdims=1)
    x = g.add("Div", [off, g.add("Sqrt", [g.add("Add", [power, g.constant([FLOOR], "floor")])])])
    x = g.chain(x, model.convs)
    g.plain(x, model.maps.weight.detach().numpy(), model.maps.bias.detach().numpy(), "_maps", "maps")
    g.save(
        path,
        "legibility_net",
        [value_info("piece", ["n", 1, HEIGHT, WIDTH])],
        [value_info("maps", ["n", 2, HEIGHT // CELL, WIDTH // CELL])],
        f"Pieces of a document with glyphs about {GLYPH:.0f} px high, luma 0..255 -> logits of each cell of "
        f"{CELL} px: print, readable.",
    )


def folds_of(about):
    return np.array([zlib.crc32(a["source"].encode()) % FOLDS for a in about])


def pieces(rng, tiles, prints, readable, weight):
    """One pass: pieces cut from tiles at random cells, turned by quarters, now and then light on dark."""
    order = rng.choice(len(tiles), len(tiles), p=weight / weight.sum())
    for first in range(0, len(order), BATCH):
        chosen = order[first : first + BATCH]
        x, p, r = [], [], []
        for i in chosen:
            turn = int(rng.choice(4, p=(0.55, 0.15, 0.15, 0.15)))
            row = int(rng.integers(0, (TILE - HEIGHT) // CELL + 1))
            tile = piece_of(tiles[i], turn, row, 1).astype(np.float32)
            if rng.random() < 0.12:
                tile = 255 - tile
            if rng.random() < 0.3:
                tile = 255 * (np.clip(tile, 0, 255) / 255) ** float(np.exp(rng.uniform(-0.5, 0.5)))
            if rng.random() < 0.3:
                tile = tile + rng.normal(0, rng.uniform(0, 4), tile.shape)
            x.append(np.clip(tile, 0, 255))
            p.append(piece_of(prints[i], turn, row, CELL))
            r.append(piece_of(readable[i], turn, row, CELL))
        maps = torch.from_numpy(np.stack(p)), torch.from_numpy(np.stack(r))
        yield torch.from_numpy(np.stack(x)[:, None].astype(np.float32)), maps


def piece_of(tile, turn, row, unit):
    """Half of a tile, or of a map of `unit` pixels to a cell, from a row of cells on, turned by quarters."""
    return np.rot90(tile, turn)[row * CELL // unit : (row * CELL + HEIGHT) // unit]


def weight_of(about):
    """A source weighs the square root of its tiles, things without print a quarter of all."""
    sources = np.array([a["source"] for a in about])
    things = np.array([a["share"] < 0 for a in about])
    weight = np.zeros(len(about))
    for kind in (True, False):
        for source in set(sources[things == kind]):
            mine = (sources == source) & (things == kind)
            weight[mine] = mine.sum() ** -0.5
        mine = things == kind
        weight[mine] *= (0.25 if kind else 0.75) / max(weight[mine].sum(), 1e-9)
    return weight


def loss_of(maps, wanted):
    p, r = wanted
    known, read = p != UNKNOWN, r != UNKNOWN
    loss = F.binary_cross_entropy_with_logits(maps[:, 0][known], (p[known] == 1).float())
    if read.any():
        loss = loss + 2 * F.binary_cross_entropy_with_logits(maps[:, 1][read], r[read].float() / FULL)
    return loss, {}


def train(data, chosen, state, name, passes=PASSES):
    """Trains on the tiles of `chosen`."""
    tiles, prints, readable, about = data
    shown = tiles[chosen], prints[chosen], readable[chosen], weight_of([about[i] for i in chosen])
    steps = passes * -(-len(chosen) // BATCH)

    def batches(number):
        return pieces(np.random.default_rng((11, number)), *shown)

    return run(name, PLAN, LegibilityNet, passes, steps, batches, loss_of, state)[0]


@torch.no_grad()
def judged(model, tiles):
    """-> print and readable of each cell [N,2,8,8], as shares; a tile is judged by its halves, as pieces are."""
    out = []
    for first in range(0, len(tiles), 256):
        x = torch.from_numpy(tiles[first : first + 256, None].astype(np.float32))
        halves = [torch.sigmoid(model(x[:, :, k * HEIGHT : (k + 1) * HEIGHT])) for k in (0, 1)]
        out.append(torch.cat(halves, 2).numpy())
    return np.concatenate(out)
