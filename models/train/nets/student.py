"""Tiles and what the pretrained network makes of them -> a small network of plain convolutions that says the same.

Depthwise convolutions are slow in small engines. The student reads a tile with strided and plain convolutions alone and
is taught two things on the tiles of the training views: the pretrained network's taps, and the log-odds that heads on
those taps give. It sees no file of a source that it is to be measured on: `even` and `odd` are trained on the folds of
the other parity, `all` on everything.
"""

import multiprocessing
import os

import numpy as np
import torch
from torch import nn

from .backbone import Backbone
from .conv import Layer, chain
from .fit import COLOUR_VIEWS, PRINT_VIEWS, SCREEN_VIEWS, TILES, Settings, fit_heads
from .graph import INPUT_MEAN, INPUT_SCALE
from .heads import log_odds
from .loop import Plan
from .loop import train as run

VIEWS = (*SCREEN_VIEWS, *(v for v in PRINT_VIEWS + COLOUR_VIEWS if not v.endswith("0")))
PARTS = ("all", "even", "odd")
# A tap follows each stage.
STAGES = (
    (Layer(8, 4, 48, pad=2), Layer(1, 1, 48)),
    (Layer(2, 2, 96, pad=0), Layer(3, 1, 96, residual=True)),
    (Layer(2, 2, 160, pad=0), Layer(3, 1, 160, residual=True)),
)
BATCH, EPOCHS = 128, 6
PLAN = Plan(rate=3e-3, decay=0.02, warm_up=0.1, clip=1.0)
# Weight of the log-odds beside the taps, both in units of their own standard deviation.
LOG_ODDS_WEIGHT = 2.0


class Student(nn.Module):
    def __init__(self, targets):
        super().__init__()
        self.stages, inputs, width = nn.ModuleList(), 3, 0
        for layers in STAGES:
            self.stages.append(nn.Sequential(*chain(inputs, layers, six=True)))
            inputs = layers[-1].outputs
            width += 2 * inputs
        self.said = nn.Linear(width, targets)

    def taps(self, x):
        x, rows = (x - INPUT_MEAN) * INPUT_SCALE, []
        for stage in self.stages:
            x = stage(x)
            y = x.float()
            mean = y.mean((2, 3), keepdim=True)
            std = torch.sqrt(((y - mean) ** 2).mean((2, 3)) + 1e-6)
            rows += [mean[:, :, 0, 0], std]
        # Means and deviations of rectified maps are never negative.
        return torch.sqrt(torch.cat(rows, 1).clamp_min(0) + 1e-6)

    def forward(self, x):
        return self.said(self.taps(x))

    def backbone(self):
        """The same network as `backbone.Backbone`, batch norm folded in: one stage a convolution."""
        convs = [conv for stage in self.stages for conv in stage]
        ends = np.cumsum([len(stage) for stage in self.stages])
        return Backbone([int(end) - 2 for end in ends], stages=[([c.folded()], c.residual) for c in convs])


def targets(table, use):
    """-> view -> [N,t,d] what the student is to say, and the weight of each column."""
    heads = fit_heads(table, use, lambda view, rows: table.tile_rows(TILES, view, rows), settings=Settings(level=0.0))
    sample = table.tile_rows(TILES, "train1", use).reshape(-1, len(heads[0][0]))
    mean, std = sample.mean(0), np.maximum(sample.std(0), 1e-3)
    odds = np.stack([log_odds(h, sample) for h in heads], -1)
    centre, spread = odds.mean(0), odds.std(0)
    said = {}
    for name in VIEWS:
        rows = table.tile_rows(TILES, name)
        odds = (np.stack([log_odds(h, rows) for h in heads], -1) - centre) / spread
        said[name] = np.clip(np.concatenate([(rows - mean) / std, odds], -1), -6, 6).astype(np.float16)
    weight = np.concatenate([np.full(len(mean), 1 / len(mean)), [LOG_ODDS_WEIGHT, LOG_ODDS_WEIGHT / 4]])
    return said, torch.tensor(weight, dtype=torch.float32)


def train(table, use, tiles, out, epochs=EPOCHS):
    """Trains on the captures of `use`."""
    said, weight = targets(table, use)
    rows = np.flatnonzero(use)
    places = [(v, row, t) for v, name in enumerate(VIEWS) for row in rows for t in range(tiles[name].shape[1])]
    index = np.array(places, np.int32)
    steps = len(index) // BATCH

    def batches(epoch):
        order = np.random.default_rng(epoch).permutation(len(index))
        for step in range(steps):
            batch = index[order[step * BATCH : (step + 1) * BATCH]]
            pixels = np.stack([tiles[VIEWS[v]][row, t] for v, row, t in batch])
            wanted = torch.from_numpy(np.stack([said[VIEWS[v]][row, t] for v, row, t in batch])).float()
            yield torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), wanted

    def loss_of(heard, wanted):
        squares = ((heard.float() - wanted) ** 2).mean(0)
        return (squares * weight).sum(), {"screen log-odds": squares[-2].detach()}

    make = lambda: Student(len(weight)).to(memory_format=torch.channels_last)
    _, curve = run(os.path.basename(out), PLAN, make, epochs, epochs * steps, batches, loss_of, out)
    draw(curve, out.removesuffix(".pt") + ".png")


def draw(curve, path):
    """Learning curves: error against the pretrained network's taps and log-odds, in their variances."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    epochs = range(1, len(curve) + 1)
    loss, odds = ([told[name] for told in curve] for name in ("loss", "screen log-odds"))
    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot(epochs, loss, marker="o", label="loss")
    axes.plot(epochs, odds, marker="o", label="squared error of the screen log-odds")
    axes.set(xlabel="epoch", ylabel="in units of the target's variance", ylim=(0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def load(path):
    """-> a trained student as `backbone.Backbone`."""
    state = torch.load(path, weights_only=False)
    model = Student(state["model"]["said.bias"].shape[0])
    model.load_state_dict(state["model"])
    return model.eval().backbone()


def _train_part(job):
    table, tiles, part, path = job
    use = np.ones(len(table.pictures), bool) if part == "all" else table.fold % 2 != PARTS.index(part) - 1
    train(table, use, {v: np.load(tiles[v], mmap_mode="r") for v in VIEWS}, path)


def named(part):
    """Name of the features that the student of `part` gives."""
    return f"student_{part}"


def trained(table, pixels, parts, cache, workers):
    """Trains those of `parts` that are not there, two at a time; -> part -> path."""
    paths = {part: os.path.join(cache, f"{named(part)}.pt") for part in parts}
    tiles = {v: pixels[v][TILES].filename for v in VIEWS}
    todo = [(table, tiles, part, path) for part, path in paths.items() if not done(path)]
    if todo:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            pool.map(_train_part, todo, chunksize=1)
    return paths


def done(path):
    if not os.path.exists(path):
        return False
    state = torch.load(path, weights_only=False)
    return state["done"] == state["rounds"] == EPOCHS
