"""Made-up documents -> models/document_net.onnx: which kind of document a found quadrilateral holds, and which way up.

    python -m train document --photos DIR [--out models] [--fonts DIR] [--cache DIR] [--reports FILE]
    python -m train document --photos DIR --check [--reports FILE] [--simulated DIR]

The documents are drawn (`draw/faces`), the views of them cached, then learnt; a stopped run goes on after its last
whole epoch. Marked frames of `document_corners.csv` join as far as the locator may train on them; and of every other
source cards and papers of `material.csv`, at the quadrilaterals that `bonafide screen --format jsonl` found
(`--reports`), and screens of `captures.csv` that show things, as no document. `--check` measures an exported net on
what was left out, and on captures of `bonafide simulate` (`--simulated`), which are never trained on.
"""

import os

import numpy as np

from .. import options
from ..data.documents import (
    copied_views,
    drawn,
    found_quads,
    marked_views,
    material_views,
    photographed,
    screen_views,
    simulated_views,
)
from ..data.frames import KIND_OF_TYPE, SEEN_TYPES, in_unseen_setting, portraits
from ..data.scenes import things_photographed
from ..draw.documents import UNTURNED
from ..draw.faces import KINDS
from ..figures import share
from ..nets.document import export, train
from ..nets.engines import agree
from ..nets.graph import fed, session, write_manifest

FIRST_SEED, CHECK_SEED, CHECKED = 20_000_000, 1, 2000
SURE = 0.9


class Examiner:
    def __init__(self, path):
        self.run = session(path)
        print(
            f"| set | n | kind right | turn right | kind wrong at {SURE} or more | turn wrong at {SURE} or more |\n"
            "| --- | --- | --- | --- | --- | --- |"
        )

    def said(self, picture):
        """-> the kind and the turn that are likeliest, each with its probability."""
        for logits in self.run.run(["kind", "turn"], {"document": fed(picture)}):
            odds = np.exp(logits[0] - logits[0].max())
            yield int(odds.argmax()), float(odds.max() / odds.sum())

    def table(self, name, views):
        """Prints a row of the card's table for (picture, kind, turn); -> the confusions."""
        confused, turned, sure, sure_turned = np.zeros((len(KINDS), len(KINDS)), int), [], [], []
        for picture, kind, turn in views:
            (said, odd), (said_turn, turn_odd) = self.said(picture)
            confused[kind, said] += 1
            sure.append(said != kind and odd >= SURE)
            if turn != UNTURNED:
                turned.append(said_turn == turn)
                sure_turned.append(said_turn != turn and turn_odd >= SURE)
        columns = [
            (np.trace(confused), len(sure)),
            (sum(turned), len(turned)),
            (sum(sure), len(sure)),
            (sum(sure_turned), len(sure_turned)),
        ]
        cells = [share(int(hits), count) if count else "-" for hits, count in columns]
        print(f"| {name} | {len(sure)} | {' | '.join(cells)} |", flush=True)
        return confused


def print_confusions(name, confused):
    print(f"\n{name}: truth in rows, said in columns\n\n| | {' | '.join(KINDS)} |\n| --- |{' --- |' * len(KINDS)}")
    for kind, row in zip(KINDS, confused):
        if row.sum():
            print(f"| {kind} | {' | '.join(str(n) for n in row)} |")


def check(path, root, quads, unseen, simulated):
    """Prints the tables of the model card."""
    examiner, shown = Examiner(path), {}

    def measured(title, sets):
        shown[title] = sum(examiner.table(name, views) for name, views in sets)

    measured("drawn", [("drawn, other seeds", zip(*unseen))])
    unseen_types = sorted(set(KIND_OF_TYPE) - set(SEEN_TYPES))
    if os.path.exists(os.path.join(root, "document_corners.csv")):
        measured(
            "marked frames",
            [
                *(
                    (f"marked frames, {name}", marked_views(root, lambda row, name=name: row["document"] == name))
                    for name in unseen_types
                ),
                (
                    "marked frames of types trained on, settings not trained on",
                    marked_views(root, lambda row: row["document"] in SEEN_TYPES and in_unseen_setting(row)),
                ),
            ],
        )
    measured(
        "grey copies",
        [
            ("grey copies of types trained on", copied_views(root, quads, SEEN_TYPES)),
            ("grey copies of types not trained on", copied_views(root, quads, unseen_types)),
        ],
    )
    measured(
        "cards and papers",
        [
            (f"{name}, sources not trained on", material_views(root, quads, kind))
            for name, kind in (("cards", "card"), ("papers", "page"))
        ],
    )
    measured(
        "screens",
        [
            (f"screens with {name}, whole, sources not trained on", screen_views(root, content))
            for name, content in (("things", "photo"), ("text", "screen_text"))
        ],
    )
    if simulated:
        measured("simulated", [("`bonafide simulate`", simulated_views(simulated))])
    for title, confused in shown.items():
        print_confusions(title, confused)


def main():
    parser = options.parser(__doc__)
    options.photos(parser)
    options.out(parser)
    options.fonts(parser)
    options.cache(parser)
    parser.add_argument("--reports", help="rows of `bonafide screen --format jsonl` for the photographs")
    parser.add_argument("--simulated", help="folder of `bonafide simulate`, to measure on")
    parser.add_argument("--views", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=12)
    options.workers(parser)
    parser.add_argument("--check", action="store_true", help="only measure the exported net")
    args = parser.parse_args()
    os.makedirs(args.cache, exist_ok=True)
    path = os.path.join(args.out, "document_net.onnx")
    quads = found_quads(args.reports)
    stock = (things_photographed(args.photos), portraits(args.photos), args.fonts)
    unseen = drawn(stock, CHECK_SEED, CHECKED, os.path.join(args.cache, "documents_check"), args.workers)
    if not args.check:
        made = drawn(stock, FIRST_SEED, args.views, os.path.join(args.cache, "documents"), args.workers)
        real = photographed(args.photos, quads, os.path.join(args.cache, "documents_photographed.npz"))
        print(f"{len(made[0])} drawn views and {len(real[0])} of photographs", flush=True)
        joined = [np.concatenate(pair) for pair in zip(made, real)]
        model = train(*joined, args.epochs, os.path.join(args.cache, "document.pt"))
        export(model, path)
        worst = agree(model, path, map(fed, unseen[0][:50]))
        print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB; PyTorch and ONNX Runtime differ by at most {worst:.1e}")
        write_manifest(args.out, ["document_net"])
    check(path, args.photos, quads, unseen, args.simulated)
