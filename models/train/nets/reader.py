"""Lines of print -> the characters in them: the reader, its training, export and decoding."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..draw.lines import ROWS
from ..draw.numbers import SYMBOLS
from .conv import Layer, chain
from .graph import Graph, value_info
from .loop import Plan
from .loop import train as run

# Kernel, stride and padding are (rows, columns). A frame of the output is 4 columns wide.
LAYERS = (
    Layer((5, 5), (2, 2), 16, pad=(2, 2)),
    Layer((3, 3), (2, 2), 48, pad=(1, 1)),
    Layer((3, 3), (1, 1), 48, residual=True, pad=(1, 1)),
    Layer((3, 3), (2, 1), 64, pad=(1, 1)),
    Layer((3, 3), (1, 1), 64, residual=True, pad=(1, 1)),
    Layer((3, 3), (2, 1), 96, pad=(1, 1)),
    Layer((2, 3), (1, 1), 128, pad=(0, 1)),
    Layer((1, 5), (1, 1), 128, residual=True, pad=(0, 2)),
    Layer((1, 5), (1, 1), 128, residual=True, pad=(0, 2)),
)
BLANK, CLASSES, FRAME = 0, len(SYMBOLS) + 1, 4
# Variance (grey levels squared) below which a line counts as even: keeps an empty line from being blown up.
FLOOR = 4.0
COLUMNS = 26_624  # of pixels in a batch
PLAN = Plan(rate=3e-3, decay=0.01, warm_up=0.08, clip=5.0)
KEPT_EVERY, TOLD_EVERY = 250, 10  # steps


class Reader(nn.Module):
    """[n,1,32,W] grey 0..255 -> [n,W/4,39] logits."""

    def __init__(self):
        super().__init__()
        self.convs = chain(1, LAYERS)
        self.said = nn.Conv2d(LAYERS[-1].outputs, CLASSES, 1)

    def forward(self, x):
        off = x - x.mean((1, 2, 3), keepdim=True)
        x = off / torch.sqrt((off * off).mean((1, 2, 3), keepdim=True) + FLOOR)
        for conv in self.convs:
            x = conv(x)
        return self.said(x).squeeze(2).transpose(1, 2)


def export(model, path):
    """`line` [1,1,32,W] -> `logits` [1,W/4,39]."""
    g = Graph()
    off = g.add("Sub", ["line", g.add("ReduceMean", ["line"], axes=[1, 2, 3], keepdims=1)])
    variance = g.add("ReduceMean", [g.add("Mul", [off, off])], axes=[1, 2, 3], keepdims=1)
    x = g.add("Div", [off, g.add("Sqrt", [g.add("Add", [variance, g.constant(FLOOR)])])])
    x = g.chain(x, model.convs)
    x = g.plain(x, model.said.weight.detach().numpy(), model.said.bias.detach().numpy(), "_said")
    g.constants["rows"] = np.array([2], np.int64)
    g.add("Transpose", [g.add("Squeeze", [x, "rows"])], "logits", perm=[0, 2, 1])
    g.save(
        path,
        "reader_net",
        [value_info("line", [1, 1, ROWS, "width"])],
        [value_info("logits", [1, "frames", CLASSES])],
        "A rectified text line, grey 0..255, 32 rows, the width a multiple of 8 -> CTC logits, a frame every 4 "
        f"columns: blank, then {SYMBOLS}",
    )


def decode(logits):
    """Greedy: [T,39] logits -> [(symbol, confidence, frame)].

    In each frame the class with the highest logit speaks (of equals the first). A run of frames with one class is
    one character, unless the class is blank. Its confidence is the highest softmax probability of that class in
    the run, its frame the first that has it. Frame t is centred on column 4 t of the strip.
    """
    odds = np.exp(logits - logits.max(1, keepdims=True))
    odds /= odds.sum(1, keepdims=True)
    best, read, before = logits.argmax(1), [], BLANK
    for frame, symbol in enumerate(best):
        if symbol != BLANK:
            odd = float(odds[frame, symbol])
            if symbol != before:
                read.append((SYMBOLS[symbol - 1], odd, frame))
            elif odd > read[-1][1]:
                read[-1] = (read[-1][0], odd, frame)
        before = symbol
    return read


def text_of(read):
    return "".join(symbol for symbol, _, _ in read)


def row_batches(widths, epoch):
    """Rows of one width together, about `COLUMNS` columns in a batch, in random order."""
    rng, out = np.random.default_rng(epoch), []
    for width in np.unique(widths):
        rows = rng.permutation(np.flatnonzero(widths == width))
        size = max(16, COLUMNS // int(width))
        out += [rows[i : i + size] for i in range(0, len(rows), size)]
    return [out[i] for i in rng.permutation(len(out))]


def train(parts, path, epochs):
    """Trains on the drawn lines of `parts`: pixels, widths and texts of each."""
    pixels = [part[0] for part in parts]
    widths = np.concatenate([part[1] for part in parts])
    begins = np.concatenate([np.cumsum(ROWS * part[1]) - ROWS * part[1] for part in parts])
    home = np.repeat(np.arange(len(parts)), [len(part[1]) for part in parts])
    spelt = [torch.tensor([SYMBOLS.index(c) + 1 for c in text]) for part in parts for text in part[2]]
    steps = [batch for epoch in range(epochs) for batch in row_batches(widths, epoch)]

    def batches(number):
        for step in range(number * KEPT_EVERY, min((number + 1) * KEPT_EVERY, len(steps))):
            batch = steps[step]
            width = int(widths[batch[0]])
            strips = [pixels[home[i]][begins[i] : begins[i] + ROWS * width] for i in batch]
            x = torch.from_numpy(np.stack(strips).reshape(-1, 1, ROWS, width)).float()
            yield x, ([spelt[i] for i in batch], width, step % TOLD_EVERY == 0)

    make = lambda: Reader().to(memory_format=torch.channels_last)
    rounds = -(-len(steps) // KEPT_EVERY)
    return run("lines", PLAN, make, rounds, len(steps), batches, loss_of, path)[0]


def loss_of(said, wanted):
    """CTC loss a character; and now and then how many of the first lines are read whole."""
    texts, width, told = wanted
    said = torch.log_softmax(said.float(), -1)
    lengths = torch.tensor([len(text) for text in texts])
    frames = torch.full((len(texts),), width // FRAME)
    loss = F.ctc_loss(
        said.transpose(0, 1), torch.cat(texts), frames, lengths, blank=BLANK, reduction="sum", zero_infinity=True
    )
    figures = {}
    if told:
        shown = list(zip(said.detach().numpy()[:8], texts))
        right = [text_of(decode(row)) == "".join(SYMBOLS[i - 1] for i in text) for row, text in shown]
        figures["whole lines right"] = sum(right) / len(right)
    return loss / max(int(lengths.sum()), 1), figures
