"""A document laid straight -> its kind and which way up it lies: the classifier, its training and export."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..draw.camera import HEIGHT, WIDTH
from ..draw.documents import UNTURNED
from ..draw.faces import KINDS
from .conv import Layer, chain
from .graph import Graph, value_info
from .loop import Plan
from .loop import train as run

# The last sees the whole map of 4 x 6 places at once.
LAYERS = (
    Layer(5, 2, 16),
    Layer(3, 2, 24),
    Layer(3, 1, 24, residual=True),
    Layer(3, 2, 40),
    Layer(3, 1, 40, residual=True),
    Layer(3, 2, 56),
    Layer(3, 1, 56, residual=True),
    Layer(3, 2, 44),
    Layer(1, 1, 16),
    Layer((4, 6), 1, 36, pad=0),
)
TURNS = 4
INPUT_SCALE = 1 / 64
BATCH = 64
PLAN = Plan(rate=4e-3, decay=0.02, warm_up=0.15, clip=2.0)
SMOOTHING, TURN_WEIGHT = 0.05, 0.7
MOVED = 4  # pixels, at most
MIRRORED = 0.25  # of the cards with a portrait: it may be on either side


class DocumentNet(nn.Module):
    """[n,3,120,192] RGB 0..255 -> logits of the kind [n,7] and of the turn [n,4]."""

    def __init__(self):
        super().__init__()
        self.convs, inputs = chain(3, LAYERS), LAYERS[-1].outputs
        self.kind, self.turn = nn.Linear(inputs, len(KINDS)), nn.Linear(inputs, TURNS)

    def forward(self, x):
        x = x * INPUT_SCALE
        for conv in self.convs:
            x = conv(x)
        x = x.mean((2, 3))
        return self.kind(x), self.turn(x)


def altered(pictures, kinds, turns, rng):
    """Half upside down, some grey, some cards with a portrait mirrored, all brighter or darker and moved a little."""
    count = len(pictures)
    mirrored = (kinds == KINDS.index("portrait_side")) & (rng.random(count) < MIRRORED)
    pictures = np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)
    turns = np.where(mirrored & (turns != UNTURNED), -turns % TURNS, turns)
    over = rng.random(count) < 0.5
    pictures = np.where(over[:, None, None, None], pictures[:, ::-1, ::-1], pictures).astype(np.float32)
    turns = np.where(over & (turns != UNTURNED), (turns + 2) % TURNS, turns)
    grey = rng.random(count) < 0.15
    pictures[grey] = pictures[grey].mean(3, keepdims=True)
    pictures *= np.exp(rng.normal(0, 0.15, (count, 1, 1, 1)) + rng.normal(0, 0.05, (count, 1, 1, 3)))
    x, y = rng.integers(0, 2 * MOVED + 1, 2)
    pictures = np.pad(pictures, ((0, 0), (MOVED, MOVED), (MOVED, MOVED), (0, 0)), "edge")
    return np.clip(pictures[:, y : y + HEIGHT, x : x + WIDTH], 0, 255).astype(np.float32), turns


def loss_of(said, wanted):
    (said_kind, said_turn), (kind, turn) = said, wanted
    loss = F.cross_entropy(said_kind.float(), kind, label_smoothing=SMOOTHING)
    loss = loss + TURN_WEIGHT * F.cross_entropy(said_turn.float(), turn, ignore_index=UNTURNED)
    return loss, {"kinds right": (said_kind.argmax(1) == kind).float().mean()}


def train(pictures, kinds, turns, epochs, out):
    steps = len(pictures) // BATCH

    def batches(epoch):
        rng = np.random.default_rng(epoch)
        order = rng.permutation(len(pictures))
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            x, turn = altered(pictures[batch], kinds[batch], turns[batch], rng)
            x = torch.from_numpy(np.ascontiguousarray(x)).permute(0, 3, 1, 2)
            yield x, (torch.from_numpy(kinds[batch]), torch.from_numpy(turn))

    make = lambda: DocumentNet().to(memory_format=torch.channels_last)
    return run("documents", PLAN, make, epochs, epochs * steps, batches, loss_of, out)[0]


@torch.no_grad()
def export(model, path):
    """`document` [1,3,120,192] -> `kind` [1,7] and `turn` [1,4], logits."""
    g = Graph()
    x = g.chain("document", model.convs, scale=INPUT_SCALE)
    x = g.add("Flatten", [g.add("GlobalAveragePool", [x])], axis=1)
    for name, layer in (("kind", model.kind), ("turn", model.turn)):
        weight, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
        g.add("Gemm", [x, g.constant(weight, f"{name}_weight"), g.constant(bias, f"{name}_bias")], name, transB=1)
    g.save(
        path,
        "document_net",
        [value_info("document", [1, 3, HEIGHT, WIDTH])],
        [value_info("kind", [1, len(KINDS)]), value_info("turn", [1, TURNS])],
        "The document seen straight on, its longer side across, 192 x 120, RGB 0..255 -> logits of its kind: "
        f"{', '.join(KINDS)}; and of the quarter turns clockwise that brought it from upright to here.",
    )
