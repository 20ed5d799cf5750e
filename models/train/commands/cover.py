"""Photographed and drawn documents -> models/cover_net.onnx: where something lies over one, or light washes it out.

    python -m train cover --photos DIR --reports FILE [--out models] [--fonts DIR] [--cache DIR]
    python -m train cover --photos DIR --reports FILE --fold K
    python -m train cover --photos DIR --reports FILE --check [--simulated DIR ...]

Genuine documents and cards (`data/genuine.py`) are cut out at the quadrilaterals that `bonafide screen --format jsonl`
found (`--reports`) or that are marked, a little beside them; others are drawn (`draw/faces`). Over both
`draw/covers.py` lays things and highlights. Views are cached, and a stopped run goes on after its last whole epoch.
`--fold K` trains for figures, without a third of the sources; `--check` measures the nets of the folds each on the
third it did not learn from, and the exported one on captures of `bonafide simulate`, which are never trained on.
"""

import functools
import os

import cv2
import numpy as np
import torch

from .. import options
from ..data.covers import BARE, BARE_SEED, PART, Maker, cover_views, drawn_documents, stocks
from ..data.documents import found_quads
from ..data.frames import straight
from ..data.genuine import THIRDS, genuine_documents, known_maps, simulated
from ..draw.cover_maps import MAPS, UNKNOWN
from ..figures import auc, share
from ..nets.cover import export, odds, said, train
from ..nets.engines import agree
from ..nets.graph import fed, session, write_manifest

CHECKED, VIEWS, EPOCHS = 1000, 12_000, 29
FIRST_SEED, CHECK_SEED = 30_000_000, 32_000_000


def rows_of_maps(title, wanted, got):
    """Prints how well the maps of views or marked documents are found."""
    for index, name in enumerate(MAPS):
        known = wanted[:, index] != UNKNOWN
        truth, shares = wanted[:, index][known] == 1, got[:, index][known]
        both, either = ((shares > 0.5) & truth).sum(), ((shares > 0.5) | truth).sum()
        there = (wanted[:, index] == 1).mean((1, 2)) > 0.01
        found = (got[:, index] > 0.5).mean((1, 2)) > 0.01
        print(
            f"| {title} | {name} | {there.sum()} | {auc(shares, truth):.3f} | {both / max(either, 1):.3f} | "
            f"{share(int((found & there).sum()), int(there.sum())) if there.any() else '-'} |",
            flush=True,
        )


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
    print(
        "| | map | n with more than 1 % of cells | AUC of cells | overlap at 0.5 | of them found |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    rows_of_maps("views", maps[here], np.stack([said(runs[folds[k]], pictures[k]) for k in here]))
    found = [d for d in found if d.fold in runs]
    got = [said(runs[d.fold], straight(d.image, d.corners, 0)) for d in found]
    marks = [k for k, d in enumerate(found) if any(what in MAPS for what, _ in d.marks)]
    wanted = np.stack([known_maps(found[k], found[k].corners) for k in marks])
    rows_of_maps("real covers, marked", wanted, np.stack([got[k] for k in marks]))
    print(
        "\n| | n | covered > 0.5 % | > 1 % | > 3 % | glare > 0.5 % | > 1 % | > 3 % |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
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
    parser = options.parser(__doc__)
    options.photos(parser)
    parser.add_argument("--reports", required=True, help="rows of `bonafide screen --format jsonl` for the photographs")
    options.out(parser)
    options.fonts(parser)
    options.cache(parser, "cover")
    parser.add_argument("--views", type=int, default=VIEWS, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--fold", type=int, choices=range(THIRDS), help="leave this third of the sources out")
    parser.add_argument("--start-from", help="state of a training, cover_K.pt of the cache, to go on from")
    parser.add_argument("--check", action="store_true", help="measure instead of training")
    parser.add_argument("--simulated", action="append", default=[], help="folder of `bonafide simulate`, to measure on")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.makedirs(args.cache, exist_ok=True)
    inside = functools.partial(os.path.join, args.cache)
    found = genuine_documents(args.photos, found_quads(args.reports), inside("documents.pkl"))
    path = os.path.join(args.out, "cover_net.onnx")

    @functools.cache
    def maker():
        stock = stocks(args.photos, found, args.fonts)
        return Maker(found, stock, drawn_documents(stock, inside("drawn.pkl")))

    unseen = cover_views(maker, CHECK_SEED, CHECKED, inside("check"))
    if args.check:
        check({fold: inside(f"cover_{fold}.onnx") for fold in range(THIRDS)}, found, unseen, path, args.simulated)
        return
    pictures, maps, folds = (
        np.concatenate(pair)
        for pair in zip(
            cover_views(maker, FIRST_SEED, args.views, inside("views")),
            cover_views(maker, BARE_SEED, BARE, inside("bare")),
        )
    )
    if args.fold is not None:
        path, kept_in = inside(f"cover_{args.fold}.onnx"), folds != args.fold
        pictures, maps = pictures[kept_in], maps[kept_in]
    model = train(pictures, maps, args.epochs, inside(f"cover_{args.fold}.pt"), args.start_from)
    export(model, path)
    worst = agree(odds(model), path, map(fed, unseen[0][:50]))
    print(
        f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, {len(pictures)} views; PyTorch and ONNX Runtime differ by at "
        f"most {worst:.1e}"
    )
    if args.fold is None:
        write_manifest(args.out, ["cover_net"])
