"""Tiles of print under photographic faults -> models/legibility_net.onnx: is there print, and can it be read.

    python models/train/legibility.py --photos DIR [--simulated DIR] [--out models] [--folds-out DIR]
    python models/train/legibility.py --photos DIR --check

The tiles come from `ladder.py`, with what a strong reader read of them; they are made first and cached. The net is
trained on every source; `--folds-out` trains one more for each fold of sources (a folder each, and `folds.csv`), which
never saw them, and prints their figures: a source is a fold, never a file. `--check` prints the figures of folds that
were trained before. A stopped run goes on after its last whole pass.
"""
import argparse
import csv
import os
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

import ladder  # noqa: E402
from export import Graph, session, write_manifest, _value  # noqa: E402
from ladder import CELL, TILE, UNKNOWN  # noqa: E402
from reader import Conv  # noqa: E402

HEIGHT, WIDTH = 64, 128  # of a piece, as the program cuts it
# Side, stride, output channels, residual.
CONVS = ((5, 2, 16, False), (3, 2, 24, False), (3, 1, 24, True), (3, 2, 40, False), (3, 1, 40, True),
         (3, 2, 64, False), (3, 1, 64, True))
FLOOR = 4.0  # variance in grey levels squared: an even piece is not blown up
FOLDS, PASSES, BATCH, RATE, DECAY = 5, 24, 64, 3e-3, 0.02
RIGHT = 0.8  # share of characters from which a tile counts as read, for the figures
WHOLE = 200.0  # what `ladder.py` writes for a share of 1


class Net(nn.Module):
    """[n,1,H,W] grey 0..255 -> [n,2,H/16,W/16] logits: print, readable."""

    def __init__(self):
        super().__init__()
        self.convs, inputs = nn.ModuleList(), 1
        for side, stride, outputs, residual in CONVS:
            self.convs.append(Conv(inputs, (side, side), (stride, stride), (side // 2, side // 2), outputs, residual))
            inputs = outputs
        self.maps = nn.Conv2d(inputs, 2, 1)

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
    for index, (layer, (side, stride, _, residual)) in enumerate(zip(model.convs, CONVS)):
        weight, bias = layer.folded()
        y = g.add("Conv", [x, g.constant(weight, f"w{index}"), g.constant(bias, f"b{index}")],
                  kernel_shape=[side] * 2, strides=[stride] * 2, pads=[side // 2] * 4)
        y = g.add("Relu", [y])
        x = g.add("Add", [x, y]) if residual else y
    g.add("Conv", [x, g.constant(model.maps.weight.detach().numpy(), "w_maps"),
                   g.constant(model.maps.bias.detach().numpy(), "b_maps")], "maps", kernel_shape=[1, 1])
    g.save(path, "legibility_net", [_value("piece", ["n", 1, HEIGHT, WIDTH])],
           [_value("maps", ["n", 2, HEIGHT // CELL, WIDTH // CELL])],
           f"Pieces of a document with glyphs about {ladder.GLYPH:.0f} px high, luma 0..255 -> logits of each cell of "
           f"{CELL} px: print, readable.")


def folds_of(about):
    return np.array([zlib.crc32(a["source"].encode()) % FOLDS for a in about])


def batches(rng, tiles, prints, readable, weight):
    """One pass: pieces cut from tiles at random cells, turned by quarters, now and then light on dark."""
    order = rng.choice(len(tiles), len(tiles), p=weight / weight.sum())
    for first in range(0, len(order), BATCH):
        chosen = order[first:first + BATCH]
        x, p, r = [], [], []
        for i in chosen:
            turn, row = int(rng.choice(4, p=(0.55, 0.15, 0.15, 0.15))), int(rng.integers(0, (TILE - HEIGHT) // CELL + 1))
            cut = lambda a, unit: np.rot90(a, turn)[row * CELL // unit:(row * CELL + HEIGHT) // unit]  # noqa: E731
            tile = cut(tiles[i], 1).astype(np.float32)
            if rng.random() < 0.12:
                tile = 255 - tile
            if rng.random() < 0.3:
                tile = 255 * (np.clip(tile, 0, 255) / 255) ** float(np.exp(rng.uniform(-0.5, 0.5)))
            if rng.random() < 0.3:
                tile = tile + rng.normal(0, rng.uniform(0, 4), tile.shape)
            x.append(np.clip(tile, 0, 255)), p.append(cut(prints[i], CELL)), r.append(cut(readable[i], CELL))
        yield (torch.from_numpy(np.stack(x)[:, None].astype(np.float32)), torch.from_numpy(np.stack(p)),
               torch.from_numpy(np.stack(r)))


def train(data, chosen, state, name, passes=PASSES):
    tiles, prints, readable, about = data
    tiles, prints, readable = tiles[chosen], prints[chosen], readable[chosen]
    about = [about[i] for i in chosen]
    # A source weighs the square root of its tiles, things without print a quarter of all.
    sources = np.array([a["source"] for a in about])
    things = np.array([a["share"] < 0 for a in about])
    weight = np.zeros(len(about))
    for kind in (True, False):
        for source in set(sources[things == kind]):
            mine = (sources == source) & (things == kind)
            weight[mine] = mine.sum() ** -0.5
        mine = things == kind
        weight[mine] *= (0.25 if kind else 0.75) / max(weight[mine].sum(), 1e-9)
    torch.manual_seed(7)
    model = Net()
    steps = passes * -(-len(tiles) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    done = 0
    if os.path.exists(state):
        saved = torch.load(state, weights_only=True)
        if saved["steps"] == steps:
            model.load_state_dict(saved["model"]), optimiser.load_state_dict(saved["optimiser"])
            schedule.load_state_dict(saved["schedule"])
            done = saved["passes"]
    model.train()
    for number in range(done, passes):
        start, total, count = time.time(), 0.0, 0
        for x, p, r in batches(np.random.default_rng((11, number)), tiles, prints, readable, weight):
            maps = model(x)
            known = p != UNKNOWN
            loss = F.binary_cross_entropy_with_logits(maps[:, 0][known], (p[known] == 1).float())
            read = r != UNKNOWN
            if read.any():
                loss = loss + 2 * F.binary_cross_entropy_with_logits(maps[:, 1][read], r[read].float() / WHOLE)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step(), schedule.step()
            total, count = total + float(loss.detach()), count + 1
        print(f"{name}, pass {number + 1}/{passes}: loss {total / count:.4f}, {time.time() - start:.0f} s", flush=True)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "passes": number + 1, "steps": steps}, state + ".part")
        os.replace(state + ".part", state)
    return model.eval()


@torch.no_grad()
def judged(model, tiles):
    """-> print and readable of each cell [N,2,8,8], as shares; a tile is judged by its halves, as pieces are."""
    out = []
    for first in range(0, len(tiles), 256):
        x = torch.from_numpy(tiles[first:first + 256, None].astype(np.float32))
        halves = [torch.sigmoid(model(x[:, :, k * HEIGHT:(k + 1) * HEIGHT])) for k in (0, 1)]
        out.append(torch.cat(halves, 2).numpy())
    return np.concatenate(out)


def auc(scores, wanted):
    scores, wanted = np.asarray(scores, float), np.asarray(wanted, bool)
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    hits = wanted.sum()
    return (ranks[wanted].sum() - hits * (hits + 1) / 2) / max(hits * (~wanted).sum(), 1)


def interval(of, groups, rounds=500):
    """A figure of rows and its 95 % interval from resampling sources."""
    rng, names = np.random.default_rng(0), np.unique(groups)
    where = {name: np.flatnonzero(groups == name) for name in names}
    drawn = [of(np.concatenate([where[n] for n in rng.choice(names, len(names))])) for _ in range(rounds)]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return f"{of(np.arange(len(groups))):.3f} [{low:.3f}, {high:.3f}]"


def figures(data, maps):
    """Figures of tiles scored by nets that never saw their source."""
    _, prints, readable, about = data
    source = np.array([a["source"] for a in about])
    known = readable != UNKNOWN
    rows = np.flatnonzero(known.any((1, 2)))
    # Cells that were read, weighted by the net's own print, as the program does.
    weight = maps[rows, 0] * known[rows]
    score = (weight * maps[rows, 1]).sum((1, 2)) / np.maximum(weight.sum((1, 2)), 1e-6)
    share = np.array([readable[i][known[i]].mean() / WHOLE for i in rows])
    home, right = source[rows], share >= RIGHT
    fault = np.array(["+".join(sorted(set(about[i]["faults"]))) or "none" for i in rows])
    sim = home == "simulated"
    print(f"\n| tiles | n (read / not), sources | AUC: {RIGHT:.0%} and more of the characters read |\n| --- | --- | --- |")
    for name, mine in [("photographs", ~sim), ("photographs, 20 % between left out", ~sim & ((share >= 0.9) | (share <= 0.7))),
                       ("drawn", sim)] + [(f"photographs, {f}", ~sim & (fault == f)) for f in ladder.FAULTS]:
        s, w, h = score[mine], right[mine], home[mine]
        if w.any() and not w.all():
            print(f"| {name} | {w.sum()} / {(~w).sum()}, {len(set(h))} | {interval(lambda i: auc(s[i], w[i]), h)} |")
    untouched = (fault == "none") & ~sim
    print(f"\nuntouched tiles below 0.5: {(score[untouched] < 0.5).mean():.1%} (n {untouched.sum()}); of tiles of which "
          f"less than a third is read, above 0.5: {(score[~sim & (share < 1 / 3)] >= 0.5).mean():.1%} "
          f"(n {(~sim & (share < 1 / 3)).sum()})")
    there = prints != UNKNOWN
    p, t = maps[:, 0][there], prints[there] == 1
    print(f"print, cells: AUC {auc(p, t):.3f}; on photographs of things above 0.5: "
          f"{np.mean([maps[i, 0] > 0.5 for i, a in enumerate(about) if a['share'] < 0]):.2%} of cells")
    bins = np.minimum((score * 10).astype(int), 9)
    print("calibration (score: share read, n): " + ", ".join(
        f"{score[bins == b].mean():.2f}: {share[bins == b].mean():.2f}, {(bins == b).sum()}" for b in np.unique(bins)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--simulated", help="folder of `bonafide simulate`: drawn originals beside the photographs")
    parser.add_argument("--out", default="models")
    parser.add_argument("--folds-out", help="train a net without each fold of sources, into this folder")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train/ladder"))
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="figures of the folds in the cache alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = ladder.load(ladder.make(args.photos, args.cache, args.simulated, args.workers))
    fold = folds_of(data[3])
    print(f"{len(fold)} tiles, {len({a['source'] for a in data[3]})} sources, folds {np.bincount(fold)}", flush=True)
    if args.folds_out or args.check:
        maps = np.zeros((len(fold), 2, TILE // CELL, TILE // CELL), np.float32)
        for k in range(FOLDS):
            model = train(data, np.flatnonzero(fold != k), os.path.join(args.cache, f"fold{k}.pt"), f"fold {k}", args.passes)
            mine = np.flatnonzero(fold == k)
            maps[mine] = judged(model, data[0][mine])
            if args.folds_out:
                os.makedirs(os.path.join(args.folds_out, f"fold{k}"), exist_ok=True)
                export(model, os.path.join(args.folds_out, f"fold{k}", "legibility_net.onnx"))
        if args.folds_out:
            with open(os.path.join(args.folds_out, "folds.csv"), "w", newline="") as file:
                csv.writer(file).writerows([("source", "fold")] + sorted({(a["source"], int(f)) for a, f in zip(data[3], fold)}))
        figures(data, maps)
    if not args.check:
        path = os.path.join(args.out, "legibility_net.onnx")
        model = train(data, np.arange(len(fold)), os.path.join(args.cache, "all.pt"), "all", args.passes)
        export(model, path)
        x = data[0][:64, None, :HEIGHT].astype(np.float32)
        got = session(path).run(None, {"piece": x})[0]
        worst = float(np.abs(got - model(torch.from_numpy(x)).detach().numpy()).max())
        print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, PyTorch and ONNX Runtime agree to {worst:.1e}")
        if not worst < 1e-3:
            raise SystemExit("ONNX Runtime says something else than PyTorch")
        write_manifest(args.out, ["legibility_net"])


if __name__ == "__main__":
    main()
