"""Made-up documents -> models/legibility_net.onnx: where there is print, whether it can be read, and why not.

    python models/train/legibility.py [--out models] [--fonts DIR] [--cache DIR]

The documents are drawn first (`flats.py`; the reader of lines says what could be read of them), then learnt; a
stopped run goes on where it last saved. `--check` measures an exported net on documents of other seeds and prints
the tables of the model card. The fonts are those of `lines.PACKAGES`.
"""
import argparse
import multiprocessing
import os
import pickle
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

import flats as made  # noqa: E402
from export import Graph, session, write_manifest, _value  # noqa: E402
from flats import CAUSES, CELL, MAPS, RIM, UNKNOWN, WINDOW  # noqa: E402
from reader import Conv  # noqa: E402

# Kernel, stride, output channels, dilation of a residual one (0: not residual).
CONVS = ((7, 4, 16, 0), (3, 2, 48, 0), (3, 2, 64, 0), (3, 1, 64, 2))
WIDTH, NEAR = CONVS[-1][2], 32
FAR, REACH = 32, (3, 8)  # channels and dilations of the convolutions that look around: a finger is large
SCALE = 1 / 64  # of grey levels, inside the first convolution
BATCH, RATE, DECAY = 16, 3e-3, 0.01
SHARES = (1.0, 2.0, 1.5, 1.0)  # of the maps in the loss
# Weight of what is there over what is not, for each map: little is covered.
RARE = (1.0, 1.0, 4.0, 4.0)
RARE_CAUSE = 2.0
HIDDEN = 0.35  # share of the documents over which a cover or a highlight is laid

PART = 250  # documents drawn at a time
DOCUMENTS, CHECKED, EPOCHS = 5_000, 400, 16
HIDES = 120  # covers, and as many highlights, that are laid over drawn documents
FIRST_SEED, CHECK_SEED = 20_000_000, 5


class Legibility(nn.Module):
    """[n,1,H,W] grey 0..255 -> maps [n,4,H/16,W/16] and causes [n,6], logits."""

    def __init__(self):
        super().__init__()
        self.convs, inputs = nn.ModuleList(), 1
        for kernel, stride, outputs, dilation in CONVS:
            layer = Conv(inputs, (kernel, kernel), stride, kernel // 2 * max(dilation, 1), outputs, dilation > 0)
            layer.conv.dilation = (max(dilation, 1),) * 2
            self.convs.append(layer)
            inputs = outputs
        # What the whole document looks like goes to every cell.
        self.whole = nn.Conv2d(WIDTH, WIDTH, 1)
        self.narrow, self.widen = Conv(WIDTH, (1, 1), 1, 0, FAR, False), nn.Conv2d(FAR, WIDTH, 1)
        self.far = nn.ModuleList(Conv(FAR, (3, 3), 1, reach, FAR, True) for reach in REACH)
        for layer, reach in zip(self.far, REACH):
            layer.conv.dilation = (reach, reach)
        self.near = Conv(WIDTH, (3, 3), 1, 1, NEAR, False)
        self.maps = nn.Conv2d(NEAR, len(MAPS), 1)
        self.why = Conv(WIDTH, (1, 1), 1, 0, WIDTH, False)
        self.causes = nn.Conv2d(2 * WIDTH, len(CAUSES), 1)

    def forward(self, x):
        x = x * SCALE
        for conv in self.convs:
            x = conv(x)
        x = F.relu(x + self.whole(x.mean((2, 3), keepdim=True)))
        far = self.narrow(x)
        for conv in self.far:
            far = conv(far)
        x = F.relu(x + self.widen(far))
        why = self.why(x)
        pooled = torch.cat([why.mean((2, 3), keepdim=True), why.amax((2, 3), keepdim=True)], 1)
        return self.maps(self.near(x)), self.causes(pooled).flatten(1)


def export(model, path):
    """`flat` [1,1,H,W] -> `maps` [1,4,H/16,W/16] and `causes` [1,6]."""
    g = Graph()

    def conv(x, weight, bias, name, stride=1, dilation=1):
        side = weight.shape[2]
        inputs = [x, g.constant(weight, f"w_{name}"), g.constant(bias, f"b_{name}")]
        return g.add("Conv", inputs, kernel_shape=[side] * 2, strides=[stride] * 2, dilations=[dilation] * 2,
                     pads=[side // 2 * dilation] * 4)

    def plain(x, layer, name):
        return conv(x, layer.weight.detach().numpy(), layer.bias.detach().numpy(), name)

    x = "flat"
    for index, (layer, (_, stride, _, dilation)) in enumerate(zip(model.convs, CONVS)):
        weight, bias = layer.folded()
        weight = weight * SCALE if index == 0 else weight
        y = g.add("Relu", [conv(x, weight, bias, str(index), stride, max(dilation, 1))])
        x = g.add("Add", [x, y]) if dilation else y
    whole = plain(g.add("ReduceMean", [x], axes=[2, 3], keepdims=1), model.whole, "whole")
    x = g.add("Relu", [g.add("Add", [x, whole])])
    far = g.add("Relu", [conv(x, *model.narrow.folded(), "narrow")])
    for layer, reach in zip(model.far, REACH):
        far = g.add("Add", [far, g.add("Relu", [conv(far, *layer.folded(), f"far_{reach}", 1, reach)])])
    x = g.add("Relu", [g.add("Add", [x, plain(far, model.widen, "widen")])])
    near = g.add("Relu", [conv(x, *model.near.folded(), "near")])
    why = g.add("Relu", [conv(x, *model.why.folded(), "why")])
    pooled = [g.add(op, [why], axes=[2, 3], keepdims=1) for op in ("ReduceMean", "ReduceMax")]
    causes = plain(g.add("Concat", pooled, axis=1), model.causes, "causes")
    g.add("Flatten", [causes], "causes", axis=1)
    g.add("Conv", [near, g.constant(model.maps.weight.detach().numpy(), "w_maps"),
                   g.constant(model.maps.bias.detach().numpy(), "b_maps")], "maps", kernel_shape=[1, 1])
    g.save(path, "legibility_net", [_value("flat", [1, 1, "height", "width"])],
           [_value("maps", [1, len(MAPS), "rows", "columns"]), _value("causes", [1, len(CAUSES)])],
           f"A document seen straight on, luma 0..255, sides multiples of {CELL} -> logits of each cell of {CELL} px "
           f"({', '.join(MAPS)}) and of the causes ({', '.join(CAUSES)}).")


# ---- Data

def _begin(fonts, reader, seed):
    """Sets up a process that draws."""
    global STOCK, READER
    cv2.setNumThreads(1)
    STOCK, READER = made.Stock(fonts, seed), session(reader)


def _part(job):
    path, first = job
    drawn = [made.flat(first + i, STOCK, READER) for i in range(PART)]
    with open(path + ".part", "wb") as file:
        np.savez(file, pictures=np.stack([d.picture for d in drawn]), maps=np.stack([d.maps for d in drawn]),
                 causes=np.stack([d.causes for d in drawn]))
    os.replace(path + ".part", path)
    return path


def draw_flats(cache, fonts, reader, count):
    """Documents in parts of `PART`; -> pictures, maps and causes."""
    os.makedirs(cache, exist_ok=True)
    jobs = [(os.path.join(cache, f"flats_{part:03d}.npz"), FIRST_SEED + part * PART)
            for part in range(count // PART)]
    missing, start = [job for job in jobs if not os.path.exists(job[0])], time.time()
    if missing:
        with multiprocessing.Pool(2, _begin, (fonts, reader, FIRST_SEED)) as pool:
            for done, _ in enumerate(pool.imap(_part, missing), 1):
                print(f"documents: {done * PART}/{len(missing) * PART}, {time.time() - start:.0f} s", flush=True)
    parts = [np.load(path) for path, _ in jobs]
    return tuple(np.concatenate([part[name] for part in parts]) for name in ("pictures", "maps", "causes"))


# ---- Training

def loss_of(said, maps, causes):
    """Cross entropy over what is known; targets are bytes, 254 is 1."""
    total = 0.0
    for index, (share, rare) in enumerate(zip(SHARES, RARE)):
        known = maps[:, index] != UNKNOWN
        wanted = maps[:, index][known].float() / 254
        loss = F.binary_cross_entropy_with_logits(said[0][:, index][known], wanted, pos_weight=torch.tensor(rare))
        total = total + share * loss
    known = causes != UNKNOWN
    return total + F.binary_cross_entropy_with_logits(said[1][known], causes[known].float() / 254,
                                                      pos_weight=torch.tensor(RARE_CAUSE))


class Hides:
    """Covers and highlights to be laid over documents as they are learnt: few are drawn with one."""

    def __init__(self, fonts):
        stock, rng = made.Stock(fonts, FIRST_SEED), np.random.default_rng(FIRST_SEED)
        self.covers = [[self._small(part) for part in made.cover(rng, stock, rng.random())] for _ in range(HIDES)]
        self.glares = [self._small(made.glare(rng, stock, rng.uniform(0.2, 1))) for _ in range(HIDES)]

    @staticmethod
    def _small(field):
        wide = cv2.resize(field.astype(np.float32), (WINDOW[0] + 2 * RIM, WINDOW[1] + 2 * RIM),
                          interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(wide[RIM:-RIM, RIM:-RIM])

    def lay(self, picture, maps, rng):
        """One over one document; -> the same two, changed."""
        if rng.random() < 0.55:
            return self._cover(picture, maps, rng)
        return self._glare(picture, maps, rng)

    @staticmethod
    def _cells(field):
        return cv2.resize(field, (WINDOW[0] // CELL, WINDOW[1] // CELL), interpolation=cv2.INTER_AREA)

    @staticmethod
    def _turned(field, turn):
        return np.ascontiguousarray(field[:: turn[0], :: turn[1]])

    def _cover(self, picture, maps, rng):
        turn = rng.choice((-1, 1), 2)
        over, tones, beside = (self._turned(part, turn) for part in self.covers[rng.integers(HIDES)])
        light = np.float32(np.clip(np.percentile(picture[::8, ::8], 90) / 235 * rng.uniform(0.75, 1.25), 0.1, 1.15))
        grain = rng.normal(0, rng.uniform(0, 7), (WINDOW[1] // 2, WINDOW[0] // 2)).astype(np.float32)
        tones = tones * light + cv2.resize(grain, WINDOW)
        if rng.random() < 0.6:
            sigma = rng.uniform(0.4, 3)
            over, tones = cv2.GaussianBlur(over, (0, 0), sigma), cv2.GaussianBlur(tones, (0, 0), sigma)
        out = picture * np.sqrt(beside) * (1 - over) + tones * over
        share = self._cells(over)
        maps = maps.copy()
        maps[:2, share > 0.6] = 0
        maps[:2, (share > 0.15) & (share <= 0.6)] = UNKNOWN
        known = maps[2] != UNKNOWN
        before = np.where(known, maps[2], 0)
        maps[2] = np.where(known | (share > 0.5), np.maximum(before, np.rint(254 * share)), UNKNOWN)
        maps[3, share > 0.5] = 0
        return out, maps

    def _glare(self, picture, maps, rng):
        light = self._turned(self.glares[rng.integers(HIDES)], rng.choice((-1, 1), 2))
        light = light * np.float32(rng.uniform(0.4, 1.5))
        light[self._wide(maps[2]) > 127] = 0

        def seen(v):
            return 255 * np.sqrt(np.minimum(np.square(v / np.float32(255)) + light, 1))

        high, low = (np.float32(v) for v in np.percentile(picture[::8, ::8], (80, 4)))
        kept = self._cells((seen(high) - seen(low)) / max(high - low, 4))
        maps = maps.copy()
        known = maps[3] != UNKNOWN
        maps[:2, kept < 0.1] = 0
        maps[0, (kept >= 0.1) & (kept < 0.3)] = UNKNOWN
        maps[1, (kept >= 0.1) & (kept < 0.7)] = UNKNOWN
        maps[3, known & (kept < 0.4)] = 254
        maps[3, known & (kept >= 0.4) & (kept < 0.7) & (maps[3] == 0)] = UNKNOWN
        return seen(picture.astype(np.float32)), maps

    @staticmethod
    def _wide(cells):
        return cv2.resize(cells, WINDOW, interpolation=cv2.INTER_NEAREST)


def varied(pictures, maps, hides, rng):
    """Some of a batch with something before them, half of it upside down; other gains and offsets."""
    pictures, maps = list(pictures), list(maps)
    for index in np.flatnonzero(rng.random(len(pictures)) < HIDDEN):
        pictures[index], maps[index] = hides.lay(pictures[index], maps[index], rng)
    x = torch.from_numpy(np.stack(pictures).astype(np.float32))[:, None]
    maps = torch.from_numpy(np.stack(maps))
    turned = torch.from_numpy(rng.random(len(x)) < 0.5)
    x[turned] = x[turned].flip(2, 3)
    maps[turned] = maps[turned].flip(2, 3)
    gain = torch.from_numpy(rng.uniform(0.88, 1.1, len(x)).astype(np.float32))[:, None, None, None]
    offset = torch.from_numpy(rng.uniform(-6, 8, len(x)).astype(np.float32))[:, None, None, None]
    return (x * gain + offset).clamp(0, 255), maps


def train(data, hides, path, epochs):
    """Trains on the drawn documents; a stopped run goes on after its last saved step."""
    torch.manual_seed(0)
    pictures, maps, causes = data
    steps_each = len(pictures) // BATCH
    count = steps_each * epochs
    model = Legibility().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=count, pct_start=0.1)
    begun = 0
    if os.path.exists(path):
        state = torch.load(path, weights_only=False)
        if state["steps"] == count:
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            begun = state["done"]
    model.train()
    total, seen, start = 0.0, 0, time.time()
    for step in range(begun, count):
        epoch, at = divmod(step, steps_each)
        rows = np.random.default_rng(epoch).permutation(len(pictures))[at * BATCH : (at + 1) * BATCH]
        x, wanted = varied(pictures[rows], maps[rows], hides, np.random.default_rng((1, step)))
        with torch.autocast("cpu", torch.bfloat16):
            said = model(x.to(memory_format=torch.channels_last))
        loss = loss_of([part.float() for part in said], wanted, torch.from_numpy(causes[rows]))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        total, seen = total + float(loss.detach()), seen + 1
        if (step + 1) % 100 == 0 or step + 1 == count:
            print(f"step {step + 1}/{count}: loss {total / seen:.4f}, {time.time() - start:.0f} s", flush=True)
            total, seen = 0.0, 0
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(),
                        "schedule": schedule.state_dict(), "done": step + 1, "steps": count}, path + ".part")
            os.replace(path + ".part", path)
    with torch.no_grad():
        # The weights of what is rare made it look likelier than it is.
        model.maps.bias -= torch.log(torch.tensor(RARE))
        model.causes.bias -= float(np.log(RARE_CAUSE))
    return model.eval().to(memory_format=torch.contiguous_format)


@torch.no_grad()
def agree(model, path, pictures, tolerance=1e-4):
    """Largest difference between PyTorch and ONNX Runtime, relative to 1 + |logit|."""
    run, worst = session(path), 0.0
    for picture in pictures:
        x = picture[None, None].astype(np.float32)
        for expected, got in zip(model(torch.from_numpy(x)), run.run(None, {"flat": x})):
            worst = max(worst, float((np.abs(expected.numpy() - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst


# ---- Measuring

def auc(scores, wanted):
    """Area under the ROC curve; ties count half."""
    scores, wanted = np.asarray(scores, float), np.asarray(wanted, bool)
    if wanted.all() or not wanted.any():
        return float("nan")
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    hits = wanted.sum()
    return (ranks[wanted].sum() - hits * (hits + 1) / 2) / (hits * (~wanted).sum())


def interval(of, groups, rounds=300):
    """A figure of rows and its 95 % interval from resampling the documents that they belong to."""
    rng, (names, home) = np.random.default_rng(0), np.unique(groups, return_inverse=True)
    order = np.argsort(home, kind="stable")
    begins = np.searchsorted(home[order], np.arange(len(names) + 1))
    drawn = []
    for _ in range(rounds):
        picked = rng.integers(len(names), size=len(names))
        drawn.append(of(np.concatenate([order[begins[i] : begins[i + 1]] for i in picked])))
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return f"{of(np.arange(len(groups))):.3f} [{low:.3f}, {high:.3f}]"


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def line_legibility(maps, box):
    """Mean of `readable` over the cells of a line, weighted by `print`; `maps` are shares."""
    x0, y0, x1, y1 = box
    rows = slice(int(y0) // CELL, max(int(y0) // CELL + 1, -(-int(y1) // CELL)))
    columns = slice(int(x0) // CELL, max(int(x0) // CELL + 1, -(-int(x1) // CELL)))
    weight = maps[0, rows, columns]
    return float((maps[1, rows, columns] * weight).sum() / max(weight.sum(), 1e-6))


def _drawn(index):
    return made.flat((CHECK_SEED, index), STOCK, READER)


def draw_checked(cache, fonts, reader, count):
    """Documents of seeds and grounds that are not those of training."""
    path = os.path.join(cache, f"check_{count}.pkl")
    if not os.path.exists(path):
        with multiprocessing.Pool(2, _begin, (fonts, reader, CHECK_SEED)) as pool:
            drawn = list(pool.imap(_drawn, range(count), 8))
        with open(path, "wb") as file:
            pickle.dump(drawn, file)
    with open(path, "rb") as file:
        return pickle.load(file)


def check(path, drawn):
    """Prints the tables of the model card."""
    run = session(path)
    said = [run.run(None, {"flat": d.picture[None, None].astype(np.float32)}) for d in drawn]
    maps, causes = [sigmoid(s[0][0]) for s in said], np.stack([sigmoid(s[1][0]) for s in said])
    check_lines(drawn, maps)
    check_maps(drawn, maps)
    check_causes(drawn, causes)


def check_lines(drawn, maps):
    rows = [(i, line_legibility(maps[i], box), whole, share, hidden)
            for i, d in enumerate(drawn) for box, share, whole, hidden in d.lines]
    home, score, whole, share, hidden = (np.array(column) for column in zip(*rows))
    print("| lines | n (documents) | read wholly right | AUC | mean error |\n| --- | --- | --- | --- | --- |")
    for name, chosen in (("all", hidden >= 0), ("not hidden", hidden < 0.1)):
        h, s, w, off = home[chosen], score[chosen], whole[chosen], np.abs(score - share)[chosen]
        print(f"| {name} | {len(h)} ({len(set(h))}) | {100 * w.mean():.1f} % | "
              f"{interval(lambda i: auc(s[i], w[i]), h)} | {interval(lambda i: off[i].mean(), h)} |")
    print("\n| `readable` of a line at least | of lines read wholly right | of all others | below half right |\n"
          "| --- | --- | --- | --- |")
    for least in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        shares = [100 * float((score[part] >= least).mean()) for part in (whole, ~whole, share < 0.5)]
        print(f"| {least} | " + " | ".join(f"{v:.1f} %" for v in shares) + " |")


def check_maps(drawn, maps):
    print("\n| map | cells known | of them positive | AUC | overlap at 0.5 |\n| --- | --- | --- | --- | --- |")
    for index, name in enumerate(MAPS):
        wanted = np.stack([d.maps[index] for d in drawn])
        known = wanted != UNKNOWN
        odds, there = np.stack([m[index] for m in maps])[known], wanted[known] > 127
        home = np.repeat(np.arange(len(drawn)), known.reshape(len(drawn), -1).sum(1))

        def overlap(i):
            return ((odds[i] > 0.5) & there[i]).sum() / max(((odds[i] > 0.5) | there[i]).sum(), 1)

        print(f"| {name} | {len(home)} | {100 * there.mean():.1f} % | "
              f"{interval(lambda i: auc(odds[i], there[i]), home, 60)} | {interval(overlap, home, 60)} |", flush=True)
    print("\n| documents | n with / without | AUC of the share of cells | more than 1 % of cells, with / without |\n"
          "| --- | --- | --- | --- |")
    for index in (2, 3):
        share = np.array([(m[index] > 0.5).mean() for m in maps])
        there = np.array([((d.maps[index] > 127) & (d.maps[index] != UNKNOWN)).mean() for d in drawn])
        known = (there == 0) | (there > 0.01)
        s, w = share[known], there[known] > 0
        area = interval(lambda i: auc(s[i], w[i]), np.arange(len(w)))
        print(f"| {MAPS[index]} | {w.sum()} / {(~w).sum()} | {area} | "
              f"{100 * (s[w] > 0.01).mean():.1f} % / {100 * (s[~w] > 0.01).mean():.1f} % |")


def check_causes(drawn, causes):
    print("\n| cause | n present / absent | AUC | above 0.5, present / absent | threshold for 2 % false, found |\n"
          "| --- | --- | --- | --- | --- |")
    for index, name in enumerate(CAUSES):
        wanted = np.array([d.causes[index] for d in drawn])
        known = wanted != UNKNOWN
        s, w = causes[known, index], wanted[known] == 254
        bar = float(np.quantile(s[~w], 0.98))
        print(f"| {name} | {w.sum()} / {(~w).sum()} | {interval(lambda i: auc(s[i], w[i]), np.arange(len(w)))} | "
              f"{100 * (s[w] > 0.5).mean():.1f} % / {100 * (s[~w] > 0.5).mean():.1f} % | {bar:.2f}, "
              f"{100 * (s[w] > bar).mean():.1f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="models", help="folder of the net and of manifest.toml")
    parser.add_argument("--reader", default="models/reader_net.onnx", help="the reader of lines")
    parser.add_argument("--fonts", action="append", default=[], help="more folders with fonts")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train/legibility"),
                        help="drawn documents and the state of the training")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--check", action="store_true", help="measure the net in --out instead of training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    path = os.path.join(args.out, "legibility_net.onnx")
    os.makedirs(args.cache, exist_ok=True)
    if args.check:
        check(path, draw_checked(args.cache, args.fonts, args.reader, CHECKED))
        return
    data = draw_flats(args.cache, args.fonts, args.reader, args.documents)
    model = train(data, Hides(args.fonts), os.path.join(args.cache, "legibility.pt"), args.epochs)
    export(model, path)
    print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, PyTorch and ONNX Runtime agree to "
          f"{agree(model, path, data[0][:20]):.1e}")
    write_manifest(args.out, ["legibility_net"])


if __name__ == "__main__":
    main()
