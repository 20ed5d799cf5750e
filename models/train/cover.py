"""Photographed and drawn documents -> models/cover_net.onnx: where something lies over one, or light washes it out.

    python models/train/cover.py --photos DIR --reports FILE [--out models] [--fonts DIR] [--cache DIR]
    python models/train/cover.py --photos DIR --reports FILE --fold K
    python models/train/cover.py --photos DIR --reports FILE --check [--simulated DIR ...]

Genuine documents and cards (`genuine.py`) are cut out at the quadrilaterals that `bonafide screen --format jsonl` found
(`--reports`) or that are marked, a little beside them; others are drawn (`faces.py`). Over both `covers.py` lays things
and highlights. Views are cached, and a stopped run goes on after its last whole epoch. `--fold K` trains for figures,
without a third of the sources; `--check` measures the nets of the folds each on the third it did not learn from, and
the exported one on captures of `bonafide simulate`, which are never trained on.
"""
import argparse
import functools
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

from covers import CELL, COLUMNS, MAPS, ROWS, SHAPE, UNKNOWN, drawn_document, view  # noqa: E402
from dataset import ORIGINAL, load_photographs  # noqa: E402
from document import PORTRAITS, fed, found_quads, read, straight  # noqa: E402
from export import Graph, _value, session, write_manifest  # noqa: E402
from faces import HEIGHT, WIDTH, Stock, beside, chance, cut, pick  # noqa: E402
from genuine import FOLDS, documents, known_maps, simulated  # noqa: E402
from legibility import auc, sigmoid  # noqa: E402
from reader import Conv, share  # noqa: E402

# Stride, dilation, channels, residual; the first four make the cells, the others look around at half their scale.
FINE = ((2, 1, 12, False), (2, 1, 24, False), (2, 1, 40, False), (1, 1, 40, True))
WIDE = ((2, 1, 64, False), (1, 1, 64, True), (1, 2, 64, True))
NEAR = 32
INPUT_SCALE = 1 / 64
BATCH, RATE, RATE_AGAIN, DECAY = 64, 4e-3, 1.5e-3, 0.01
SHARES = (1.0, 0.5)  # of the maps in the loss
RARE = (3.0, 2.0)  # weight of what is there over what is not; taken out of the odds again
# Added to the log-odds: covers and highlights are rarer among captures than among the views, of which 43 and 21 % have
# one; this is for 16 and 6 %.
RARER = (-1.4, -1.4)
ODDS = np.float32(RARER) - np.log(np.float32(RARE))
PART, DRAWN, CHECKED, VIEWS, EPOCHS = 1000, 900, 1000, 12_000, 29
FIRST_SEED, DRAWN_SEED, CHECK_SEED = 30_000_000, 31_000_000, 32_000_000
BARE_SEED, BARE = 33_000_000, 4_000  # photographed documents with nothing laid over them
REAL = 0.68  # share of the views
ALMOST_SQUARE = 1.15


class CoverNet(nn.Module):
    """[n,3,120,192] RGB 0..255 -> log-odds [n,2,15,24] of covered and glare."""

    def __init__(self):
        super().__init__()
        inputs = 3

        def convs(rows):
            nonlocal inputs
            layers = nn.ModuleList()
            for stride, dilation, outputs, residual in rows:
                layers.append(Conv(inputs, (3, 3), stride, dilation, outputs, residual))
                layers[-1].conv.dilation = (dilation, dilation)
                inputs = outputs
            return layers

        self.fine, self.wide = convs(FINE), convs(WIDE)
        self.whole, self.up = nn.Conv2d(inputs, inputs, 1), nn.Conv2d(inputs, FINE[-1][2], 1)
        self.near = Conv(FINE[-1][2], (3, 3), 1, 1, NEAR, False)
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

    def conv(x, weight, bias, name, stride=1, dilation=1, output=None):
        pad = weight.shape[2] // 2 * dilation
        inputs = [x, g.constant(weight, f"w_{name}"), g.constant(bias, f"b_{name}")]
        return g.add("Conv", inputs, output, kernel_shape=list(weight.shape[2:]), strides=[stride] * 2,
                     dilations=[dilation] * 2, pads=[pad] * 4)

    def plain(x, layer, name):
        return conv(x, layer.weight.numpy(), layer.bias.numpy(), name)

    def stack(x, layers, rows, name):
        for index, (layer, (stride, dilation, _, residual)) in enumerate(zip(layers, rows)):
            weight, bias = layer.folded()
            weight = weight * np.float32(INPUT_SCALE) if x == "document" else weight
            y = g.add("Relu", [conv(x, weight, bias, f"{name}{index}", stride, dilation)])
            x = g.add("Add", [x, y]) if residual else y
        return x

    x = stack("document", model.fine, FINE, "fine")
    wide = stack(x, model.wide, WIDE, "wide")
    whole = plain(g.add("ReduceMean", [wide], axes=[2, 3], keepdims=1), model.whole, "whole")
    wide = plain(g.add("Relu", [g.add("Add", [wide, whole])]), model.up, "up")
    g.constants["size"] = np.array((1, FINE[-1][2], ROWS, COLUMNS), np.int64)
    wide = g.add("Resize", [wide, "", "", "size"], mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = g.add("Relu", [g.add("Add", [x, wide])])
    x = g.add("Relu", [conv(x, *model.near.folded(), "near")])
    conv(x, model.maps.weight.numpy(), model.maps.bias.numpy() + ODDS, "maps", output="maps")
    g.save(path, "cover_net", [_value("document", [1, 3, HEIGHT, WIDTH])],
           [_value("maps", [1, len(MAPS), ROWS, COLUMNS])],
           "The document seen straight on, its longer side across, 192 x 120, RGB 0..255 -> log-odds for each cell of "
           f"{CELL} px: {', '.join(MAPS)}.")


@torch.no_grad()
def agree(model, path, pictures, tolerance=1e-4):
    """Largest difference between PyTorch and ONNX Runtime, relative to 1 + |logit|."""
    run, worst = session(path), 0.0
    for picture in pictures:
        got = run.run(["maps"], {"document": fed(picture)})[0]
        expected = model(torch.from_numpy(fed(picture))).numpy() + ODDS[None, :, None, None]
        worst = max(worst, float((np.abs(expected - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst


# ---- Views

def photos_of(root):
    """Overviews of captures that show things; -> pixels and group."""
    found = []
    for p in load_photographs(root):
        if (p.label, p.kind, p.content) == (ORIGINAL, "captures", "photo"):
            image = read(os.path.join(root, p.overview or p.path))
            factor = min(1.0, 420 / max(image.shape[:2]))
            found.append((cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), p.group))
    return found


def stocks(root, found, fonts):
    """What is drawn with, for each fold: photographs and portraits of its own sources alone."""
    photos = photos_of(root)
    groups = sorted({group for _, group in photos})
    made = []
    for fold in range(FOLDS):
        faces = []
        for d in found:
            if d.fold == fold and d.group in PORTRAITS:
                face = cut(d.image, d.corners)
                x0, y0, x1, y1 = (round(v * s) for v, s in zip(PORTRAITS[d.group], SHAPE[::-1] * 2))
                faces.append(face[y0:y1, x0:x1])
        fold_of = {d.group: d.fold for d in found}
        own = [image for image, g in photos if fold_of.get(g, groups.index(g) % FOLDS) == fold]
        made.append(Stock(own, faces, fonts))
        made[-1].papers = [cut(d.image, d.corners) for d in found if d.fold == fold and not d.marks]
    return made


class Maker:
    """Numbers to views."""

    def __init__(self, found, stock, drawn):
        self.stock, self.drawn, self.groups = stock, drawn, [{} for _ in range(FOLDS)]
        for d in found:
            self.groups[d.fold].setdefault(d.group, []).append(d)

    def view(self, number):
        """-> picture, maps; of documents, photographs and portraits of one fold."""
        rng, fold = np.random.default_rng(number), number % FOLDS
        if number < BARE_SEED and chance(rng, 1 - REAL):
            nothing = np.zeros((len(MAPS), ROWS, COLUMNS), np.uint8)
            return view(pick(rng, self.drawn[fold]), nothing, rng, self.stock[fold])
        groups = list(self.groups[fold].values())
        weight = np.array([len(group) ** 0.5 for group in groups])
        document = pick(rng, groups[rng.choice(len(groups), p=weight / weight.sum())])
        corners = document.corners
        sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
        if sides[0] < ALMOST_SQUARE * sides[1] and chance(rng, 0.5):
            corners = np.roll(corners, 1, 0)
        corners = corners if document.whole else beside(rng, corners)
        bare = number >= BARE_SEED
        return view(cut(document.image, corners), known_maps(document, corners), rng, self.stock[fold], bare)


def drawn_documents(stock, path):
    """Drawn documents of each fold; cached."""
    if not os.path.exists(path):
        start, made = time.time(), [[] for _ in range(FOLDS)]
        for index in range(DRAWN):
            made[index % FOLDS].append(drawn_document(stock[index % FOLDS], np.random.default_rng(DRAWN_SEED + index)))
        print(f"{DRAWN} drawn documents, {time.time() - start:.0f} s", flush=True)
        with open(path + ".part", "wb") as file:
            pickle.dump(made, file)
        os.replace(path + ".part", path)
    with open(path, "rb") as file:
        return pickle.load(file)


def views(maker, first, count, path):
    """`count` views in cached parts; -> pictures [N,120,192,3], maps [N,2,15,24], folds."""
    parts = []
    for part in range(count // PART):
        name, start, numbers = f"{path}_{part:03d}.npz", time.time(), first + part * PART + np.arange(PART)
        if not os.path.exists(name):
            made = [maker().view(int(number)) for number in numbers]
            with open(name + ".part", "wb") as file:
                np.savez(file, pictures=np.stack([m[0] for m in made]), maps=np.stack([m[1] for m in made]))
            os.replace(name + ".part", name)
            print(f"views: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(name)
        parts.append((stored["pictures"], stored["maps"], numbers % FOLDS))
    return [np.concatenate(column) for column in zip(*parts)]


# ---- Training

def loss_of(said, maps):
    """Cross entropy over the cells that are known."""
    total = 0.0
    for index, (weight, rare) in enumerate(zip(SHARES, RARE)):
        known = maps[:, index] != UNKNOWN
        odds, there = said[:, index][known], maps[:, index][known].float()
        total = total + weight * F.binary_cross_entropy_with_logits(odds, there, pos_weight=torch.tensor(rare))
    return total


def varied(pictures, maps, rng):
    """Mirrored or upside down, each brighter or darker and of another colour."""
    down, across = rng.choice((-1, 1), 2)
    x = torch.from_numpy(np.ascontiguousarray(pictures[:, ::down, ::across])).permute(0, 3, 1, 2).float()
    gain = np.exp(rng.normal(0, 0.08, (len(x), 1, 1, 1)) + rng.normal(0, 0.04, (len(x), 3, 1, 1)))
    x = x.mul_(torch.from_numpy(gain.astype(np.float32))).clamp_(0, 255)
    return x, torch.from_numpy(np.ascontiguousarray(maps[:, :, ::down, ::across]))


def train(pictures, maps, epochs, path, start_from=None):
    torch.manual_seed(0)
    model = CoverNet().to(memory_format=torch.channels_last)
    if start_from:
        model.load_state_dict(torch.load(start_from, weights_only=False)["model"])
    steps, begun, rate = len(pictures) // BATCH, 0, RATE_AGAIN if start_from else RATE
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * steps, pct_start=0.15)
    parts = (("model", model), ("optimiser", optimiser), ("schedule", schedule))
    if os.path.exists(path):
        state = torch.load(path, weights_only=False)
        if (state["epochs"], state["steps"]) == (epochs, steps):
            for name, part in parts:
                part.load_state_dict(state[name])
            begun = state["done"]
    for epoch in range(begun, epochs):
        model.train()
        rng, total, start = np.random.default_rng(epoch), 0.0, time.time()
        order = rng.permutation(len(pictures))
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            x, wanted = varied(pictures[batch], maps[batch], rng)
            with torch.autocast("cpu", torch.bfloat16):
                said = model(x)
            loss = loss_of(said.float(), wanted)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {time.time() - start:.0f} s", flush=True)
        torch.save({**{name: part.state_dict() for name, part in parts}, "done": epoch + 1, "epochs": epochs,
                    "steps": steps}, path + ".part")
        os.replace(path + ".part", path)
    return model.eval()


# ---- Measuring

def said(run, picture):
    """Probabilities [2,15,24]."""
    return sigmoid(run.run(["maps"], {"document": fed(picture)})[0][0])


def rows_of_maps(title, wanted, got):
    """Prints how well the maps of views or marked documents are found."""
    for index, name in enumerate(MAPS):
        known = wanted[:, index] != UNKNOWN
        truth, odds = wanted[:, index][known] == 1, got[:, index][known]
        both, either = ((odds > 0.5) & truth).sum(), ((odds > 0.5) | truth).sum()
        there = (wanted[:, index] == 1).mean((1, 2)) > 0.01
        found = (got[:, index] > 0.5).mean((1, 2)) > 0.01
        print(f"| {title} | {name} | {there.sum()} | {auc(odds, truth):.3f} | {both / max(either, 1):.3f} | "
              f"{share(int((found & there).sum()), int(there.sum())) if there.any() else '-'} |", flush=True)


def row_of_shares(title, got):
    """Prints in how many documents more than so much of the cells is named."""
    cells_named = (np.asarray(got) > 0.5).mean((2, 3))
    shares = [share(int((cells_named[:, m] > least).sum()), len(got)) for m in (0, 1) for least in (0.005, 0.01, 0.03)]
    print(f"| {title} | {len(got)} | {' | '.join(shares)} |", flush=True)


def check(nets, found, unseen, path, folders):
    """Prints the tables of the model card."""
    pictures, maps, folds = unseen
    runs = {fold: session(net) for fold, net in nets.items() if os.path.exists(net)}
    if not runs:
        raise SystemExit("no net of a fold in the cache: run with --fold first")
    here = [k for k in range(len(pictures)) if folds[k] in runs]
    print("| | map | n with more than 1 % of cells | AUC of cells | overlap at 0.5 | of them found |\n"
          "| --- | --- | --- | --- | --- | --- |")
    rows_of_maps("views", maps[here], np.stack([said(runs[folds[k]], pictures[k]) for k in here]))
    found = [d for d in found if d.fold in runs]
    got = [said(runs[d.fold], straight(d.image, d.corners, 0)) for d in found]
    marks = [k for k, d in enumerate(found) if any(what in MAPS for what, _ in d.marks)]
    wanted = np.stack([known_maps(found[k], found[k].corners) for k in marks])
    rows_of_maps("real covers, marked", wanted, np.stack([got[k] for k in marks]))
    print("\n| | n | covered > 0.5 % | > 1 % | > 3 % | glare > 0.5 % | > 1 % | > 3 % |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |")
    clean = [k for k, d in enumerate(found) if not d.marks]
    for kind in ("card", "paper", "mock"):
        for whole in (False, True):
            chosen = [got[k] for k in clean if (found[k].kind, found[k].whole) == (kind, whole)]
            if chosen:
                row_of_shares(f"{kind}{', whole picture' if whole else ''}", chosen)
    row_of_shares("all at a border found or marked", [got[k] for k in clean if not found[k].whole])
    for folder in folders:
        run, sets = session(path), {}
        for document, row in simulated(folder):
            hand = "a hand" if float(row["hand_mm"]) > 0 else "no hand"
            name = row["fault"] or f"without a fault, {hand}"
            sets.setdefault(name, []).append(said(run, straight(document.image, document.corners, 0)))
        for name, members in sorted(sets.items()):
            row_of_shares(f"simulated, {name}", members)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder with captures.csv")
    parser.add_argument("--reports", required=True, help="rows of `bonafide screen --format jsonl` for the photographs")
    parser.add_argument("--out", default="models")
    parser.add_argument("--fonts", action="append", default=[], help="further folder with the fonts of lines.PACKAGES")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train/cover"))
    parser.add_argument("--views", type=int, default=VIEWS, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="leave this third of the sources out")
    parser.add_argument("--start-from", help="state of a training, cover_K.pt of the cache, to go on from")
    parser.add_argument("--check", action="store_true", help="measure instead of training")
    parser.add_argument("--simulated", action="append", default=[], help="folder of `bonafide simulate`, to measure on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.makedirs(options.cache, exist_ok=True)
    inside = functools.partial(os.path.join, options.cache)
    found = documents(options.photos, found_quads(options.reports), inside("documents.pkl"))
    path = os.path.join(options.out, "cover_net.onnx")

    @functools.cache
    def maker():
        stock = stocks(options.photos, found, options.fonts)
        return Maker(found, stock, drawn_documents(stock, inside("drawn.pkl")))

    unseen = views(maker, CHECK_SEED, CHECKED, inside("check"))
    if options.check:
        check({fold: inside(f"cover_{fold}.onnx") for fold in range(FOLDS)}, found, unseen, path, options.simulated)
        return
    pictures, maps, folds = (np.concatenate(pair) for pair in zip(
        views(maker, FIRST_SEED, options.views, inside("views")), views(maker, BARE_SEED, BARE, inside("bare"))))
    if options.fold is not None:
        path, kept_in = inside(f"cover_{options.fold}.onnx"), folds != options.fold
        pictures, maps = pictures[kept_in], maps[kept_in]
    model = train(pictures, maps, options.epochs, inside(f"cover_{options.fold}.pt"), options.start_from)
    export(model, path)
    worst = agree(model, path, unseen[0][:50])
    print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, {len(pictures)} views; PyTorch and ONNX Runtime differ by at "
          f"most {worst:.1e}")
    if options.fold is None:
        write_manifest(options.out, ["cover_net"])


if __name__ == "__main__":
    main()
