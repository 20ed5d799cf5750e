"""Photographed and drawn documents -> models/watermark_net.onnx: where translucent text lies over one.

    python -m train watermark --photos DIR --reports FILE [--out models] [--fonts DIR] [--cache DIR]
    python -m train watermark --photos DIR --reports FILE --check

Genuine documents (`datasets/readable.csv`) are cut out at the quadrilaterals that `bonafide screen --format jsonl`
found (`--reports`); others are drawn (`draw/faces`). Over both `draw/watermarks.py` lays slanted and repeated text.
Half of the sources is learnt from; `--check` says of each half how many genuine documents are taken for marked ones
and how many with a watermark laid over them are found, by the mean log-odds of the surest cells.
"""

import functools
import os

import cv2
import numpy as np
import torch

from .. import options
from ..data.documents import found_quads
from ..data.watermarks import PART, Maker, drawn_documents, genuine, half, stock_of, watermark_views
from ..draw.documents import cut
from ..draw.watermarks import delivered, marked
from ..figures import auc, share
from ..nets.engines import agree
from ..nets.graph import fed, session, write_manifest
from ..nets.watermark import export, odds, said, train

VIEWS, EPOCHS, CHECKED = 4000, 10, 500
FIRST_SEED, CHECK_SEED, MARK_SEED = 40_000_000, 42_000_000, 43_000_000
SUREST = 0.02  # of the cells


def surest(shares):
    """Mean log-odds of the surest cells."""
    odds = np.sort(np.log(shares / (1 - shares) + 1e-12).ravel())
    return odds[-max(1, round(SUREST * len(odds))) :].mean()


def check(net, found, stock):
    print("| sources | n | AUC | limit | without one, taken for marked | marked, found |\n| --- | --- | --- | --- | --- | --- |")
    told = {}
    for part in (0, 1):
        bare, over = [], []
        for index, document in enumerate(d for d in found if half(d.source) == part):
            rng = np.random.default_rng(MARK_SEED + index)
            picture = cut(document.image, document.corners)
            bare.append(surest(said(net, picture)))
            while True:
                laid, there = marked(picture.astype(np.float32), rng, stock)
                if (there == 1).mean() > 0.02:
                    break
            over.append(surest(said(net, delivered(laid, rng))))
        told[part] = np.array(bare), np.array(over)
    for part, (bare, over) in told.items():
        area = auc(np.r_[bare, over], np.r_[np.zeros(len(bare)), np.ones(len(over))].astype(bool))
        for least in (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
            wrong, right = (share(int((v >= least).sum()), len(v)) for v in (bare, over))
            print(f"| {part} | {len(bare)} | {area:.3f} | {least} | {wrong} | {right} |", flush=True)


def main():
    parser = options.parser(__doc__)
    options.photos(parser)
    parser.add_argument("--reports", required=True, help="rows of `bonafide screen --format jsonl` for the photographs")
    options.out(parser)
    options.fonts(parser)
    options.cache(parser, "watermark")
    parser.add_argument("--views", type=int, default=VIEWS, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--start-from", help="state of a training to go on from")
    parser.add_argument("--check", action="store_true", help="measure instead of training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.makedirs(args.cache, exist_ok=True)
    inside = functools.partial(os.path.join, args.cache)
    found = genuine(args.photos, found_quads(args.reports), inside("genuine.pkl"))
    path = os.path.join(args.out, "watermark_net.onnx")
    stock = functools.cache(lambda: stock_of(args.photos, args.fonts))
    if args.check:
        check(session(path), found, stock())
        return
    maker = functools.cache(lambda: Maker(found, stock(), drawn_documents(stock(), inside("drawn.pkl"))))
    pictures, cells = watermark_views(maker, FIRST_SEED, args.views, inside("views"))
    model = train(pictures, cells, args.epochs, inside("watermark.pt"), args.start_from)
    export(model, path)
    unseen, _ = watermark_views(maker, CHECK_SEED, CHECKED, inside("check"))
    worst = agree(odds(model), path, map(fed, unseen[:50]))
    print(
        f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, {len(pictures)} views; PyTorch and ONNX Runtime differ by at "
        f"most {worst:.1e}"
    )
    write_manifest(args.out, ["watermark_net"])


