"""Tiles of print under photographic faults -> models/legibility_net.onnx: is there print, and can it be read.

    python -m train legibility --photos DIR [--simulated DIR] [--out models] [--folds-out DIR]
    python -m train legibility --photos DIR --without CSV --out COPY
    python -m train legibility --photos DIR --check

The tiles come from `data/print_tiles.py`, with what a strong reader read of them; they are made first and cached. The
net is trained on every source; `--folds-out` trains one more for each fold of sources (a folder each, and `folds.csv`),
which never saw them, and prints their figures: a source is a fold, never a file. `--check` prints the figures of folds
that were trained before. A stopped run goes on after its last whole pass.
"""

import csv
import os

import numpy as np
import torch

from .. import options
from ..data.captures import groups_of
from ..data.print_tiles import CELL, TILE, UNKNOWN, load, make
from ..draw.faults import FAULTS
from ..figures import auc, resampled
from ..nets.engines import agree
from ..nets.fit import Without
from ..nets.graph import write_manifest
from ..nets.legibility import FOLDS, FULL, HEIGHT, PASSES, export, folds_of, judged, train

RIGHT = 0.8  # share of characters from which a tile counts as read, for the figures


def figures(data, maps):
    """Figures of tiles scored by nets that never saw their source."""
    _, prints, readable, about = data
    source = np.array([a["source"] for a in about])
    known = readable != UNKNOWN
    rows = np.flatnonzero(known.any((1, 2)))
    # Cells that were read, weighted by the net's own print, as the program does.
    weight = maps[rows, 0] * known[rows]
    score = (weight * maps[rows, 1]).sum((1, 2)) / np.maximum(weight.sum((1, 2)), 1e-6)
    share = np.array([readable[i][known[i]].mean() / FULL for i in rows])
    home, right = source[rows], share >= RIGHT
    fault = np.array(["+".join(sorted(set(about[i]["faults"]))) or "none" for i in rows])
    sim = home == "simulated"
    print(
        f"\n| tiles | n (read / not), sources | AUC: {RIGHT:.0%} and more of the characters read |\n| --- | --- | --- |"
    )
    for name, mine in [
        ("photographs", ~sim),
        ("photographs, 20 % between left out", ~sim & ((share >= 0.9) | (share <= 0.7))),
        ("drawn", sim),
    ] + [(f"photographs, {f}", ~sim & (fault == f)) for f in FAULTS]:
        s, w, h = score[mine], right[mine], home[mine]
        if w.any() and not w.all():
            low, high = resampled(lambda i, s=s, w=w: auc(s[i], w[i]), h)
            print(f"| {name} | {w.sum()} / {(~w).sum()}, {len(set(h))} | {auc(s, w):.3f} [{low:.3f}, {high:.3f}] |")
    untouched = (fault == "none") & ~sim
    print(
        f"\nuntouched tiles below 0.5: {(score[untouched] < 0.5).mean():.1%} (n {untouched.sum()}); of tiles of which "
        f"less than a third is read, above 0.5: {(score[~sim & (share < 1 / 3)] >= 0.5).mean():.1%} "
        f"(n {(~sim & (share < 1 / 3)).sum()})"
    )
    there = prints != UNKNOWN
    p, t = maps[:, 0][there], prints[there] == 1
    print(
        f"print, cells: AUC {auc(p, t):.3f}; on photographs of things above 0.5: "
        f"{np.mean([maps[i, 0] > 0.5 for i, a in enumerate(about) if a['share'] < 0]):.2%} of cells"
    )
    bins = np.minimum((score * 10).astype(int), 9)
    print(
        "calibration (score: share read, n): "
        + ", ".join(
            f"{score[bins == b].mean():.2f}: {share[bins == b].mean():.2f}, {(bins == b).sum()}"
            for b in np.unique(bins)
        )
    )


def main():
    parser = options.parser(__doc__)
    options.photos(parser)
    parser.add_argument("--simulated", help="folder of `bonafide simulate`: drawn originals beside the photographs")
    options.out(parser)
    parser.add_argument("--folds-out", help="train a net without each fold of sources, into this folder")
    options.without(parser)
    options.cache(parser, "ladder")
    parser.add_argument("--passes", type=int, default=PASSES)
    options.workers(parser, 1)
    parser.add_argument("--check", action="store_true", help="figures of the folds in the cache alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = load(make(args.photos, args.cache, args.simulated, args.workers))
    fold = folds_of(data[3])
    print(f"{len(fold)} tiles, {len({a['source'] for a in data[3]})} sources, folds {np.bincount(fold)}", flush=True)
    if args.folds_out or args.check:
        maps = np.zeros((len(fold), 2, TILE // CELL, TILE // CELL), np.float32)
        for k in range(FOLDS):
            model = train(
                data, np.flatnonzero(fold != k), os.path.join(args.cache, f"fold{k}.pt"), f"fold {k}", args.passes
            )
            mine = np.flatnonzero(fold == k)
            maps[mine] = judged(model, data[0][mine])
            if args.folds_out:
                os.makedirs(os.path.join(args.folds_out, f"fold{k}"), exist_ok=True)
                export(model, os.path.join(args.folds_out, f"fold{k}", "legibility_net.onnx"))
        if args.folds_out:
            with open(os.path.join(args.folds_out, "folds.csv"), "w", newline="") as file:
                csv.writer(file).writerows(
                    [("source", "fold")] + sorted({(a["source"], int(f)) for a, f in zip(data[3], fold)})
                )
        figures(data, maps)
    if not args.check:
        path = os.path.join(args.out, "legibility_net.onnx")
        left_out = Without(groups_of(args.without)) if args.without else None
        name = str(left_out or "all")
        chosen = [i for i, a in enumerate(data[3]) if not left_out or a["source"] not in left_out.groups]
        model = train(data, np.array(chosen), os.path.join(args.cache, f"{name}.pt"), name, args.passes)
        export(model, path)
        x = data[0][:64, None, :HEIGHT].astype(np.float32)
        worst = agree(model, path, [x])
        print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, PyTorch and ONNX Runtime agree to {worst:.1e}")
        write_manifest(args.out, ["legibility_net"])
