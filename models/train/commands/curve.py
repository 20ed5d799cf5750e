"""What accuracy costs and what more sources bring -> two pictures and a Markdown table.

    python -m train curve --photos DIR [--out figures] [--markdown curve.md]

Every point leaves whole sources out, as `evaluate` does, and reads captures as they are.
"""

import os
import tempfile

import numpy as np
import torch
from matplotlib import pyplot

from .. import options
from ..data.captures import FOLDS, PRINT, SCREEN
from ..nets.backbone import SCENE_REGIONS, SCENE_TAPS, TILE_TAPS, Backbone, load_folded
from ..nets.fit import SCENE, TILES, Settings, fit_rows, screen_set
from ..nets.heads import log_odds, pooled
from ..nets.readers import load_table
from ..nets.screen import export_scene_net, export_texture_net
from ..nets.timing import milliseconds, zeros
from ..paths import MODELS
from ..screen_figures import Curve, figure_row

# Tiles a capture and the last block they are read to; the last block the overview is read to. The shipped cut last.
TEXTURE_CUTS = ((1, 7), (2, 7), (4, 7), (6, 2), (6, 4), (6, 7))
SCENE_CUTS = (4, 7, 10, 14)
SOURCE_COUNTS = (2, 4, 8, 16)
DRAWS = 4


def columns(taps, regions, last, widths):
    """Which columns of the cached rows are those of a network cut after block `last`."""
    kept = np.concatenate([np.full(2 * widths[t], t <= last) for t in (*taps, *regions)])
    return np.flatnonzero(kept)


def cut_rows(table, kind, cut, widths):
    """(view, rows) -> the rows a cut network would give."""
    if kind == TILES:
        count, last = cut
        keep = columns(TILE_TAPS, (), last, widths)
        return lambda view, rows: pooled(table.features[TILES][view][rows][..., keep], count)
    keep = columns(SCENE_TAPS, SCENE_REGIONS, cut, widths)
    return lambda view, rows: table.features[SCENE][view][rows][:, keep].astype(np.float32)


def crossed(table, rows_of, keep=None):
    """Leave-sources-out screen log-odds of every capture; `keep(fold)` narrows what is trained on."""
    s, out = Settings(), np.full(len(table.pictures), np.nan)
    for fold in range(FOLDS):
        use = table.fold != fold
        if keep is not None:
            use &= keep(fold)
        head = fit_rows(table, screen_set(table, use), rows_of, s.components, s.c, s.level)
        test = np.flatnonzero(table.fold == fold)
        out[test] = log_odds(head, rows_of("plain", test))
    return out


@torch.no_grad()
def cost(kind, cut, folder):
    """Milliseconds of the cut network in ONNX Runtime on one thread."""
    path = os.path.join(folder, "cut.onnx")
    if kind == TILES:
        count, last = cut
        taps = [t for t in TILE_TAPS if t <= last]
        network = Backbone(taps)
        export_texture_net(path, network.folded(), taps, zeros(network, 128, 3), zeros(network, 128))
        return milliseconds(path, "tiles", (count, 3, 128, 128))
    taps, regions = [t for t in SCENE_TAPS if t <= cut], [t for t in SCENE_REGIONS if t <= cut]
    network = Backbone(taps, regions)
    export_scene_net(path, network.folded(), taps, regions, zeros(network, 192))
    return milliseconds(path, "overview", (1, 3, 192, 192))


def accuracy_and_cost(table, widths, use, attack, out):
    """Each cut beside the shipped cut of the other net."""
    with tempfile.TemporaryDirectory() as folder:
        tried = {
            (kind, cut): (cost(kind, cut, folder), crossed(table, cut_rows(table, kind, cut, widths)))
            for kind, cuts in ((TILES, TEXTURE_CUTS), (SCENE, SCENE_CUTS))
            for cut in cuts
        }
    shipped = {TILES: tried[TILES, TEXTURE_CUTS[-1]], SCENE: tried[SCENE, SCENE_CUTS[-1]]}
    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    lines = [
        "| networks | one thread | AUC | D-EER | BPCER at APCER 5 % | n attack / bona fide |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    points = {TILES: [], SCENE: []}
    for (kind, cut), (ms, odds) in tried.items():
        other = shipped[SCENE if kind == TILES else TILES]
        both, total = (odds + other[1]) / 2, ms + other[0]
        name = (
            f"{cut[0]} tiles to block {cut[1]}, overview as shipped"
            if kind == TILES
            else f"6 tiles, overview to block {cut}"
        )
        row = figure_row(name, both[use], attack[use], table.group[use])
        lines.append(f"| {name} | {total:.1f} ms |" + row.split("|", 2)[2])
        points[kind].append((total, 100 * Curve(both[use], attack[use]).figures()[1], cut))
    for kind, about, mark in (
        (TILES, "tiles, last block read (overview as shipped)", "o"),
        (SCENE, "last block of the overview (tiles as shipped)", "s"),
    ):
        x, y, cuts = zip(*points[kind])
        axes.scatter(x, y, marker=mark, label=about)
        for px, py, cut in points[kind]:
            name = f"{cut[0]} tiles, block {cut[1]}" if kind == TILES else f"block {cut}"
            name = "shipped" if cut in (TEXTURE_CUTS[-1], SCENE_CUTS[-1]) else name
            axes.annotate(name, (px, py), xytext=(-4, 6), textcoords="offset points", fontsize=8, ha="right")
    axes.set(
        xlabel="ms a capture, ONNX Runtime, one thread",
        ylabel="D-EER in %, sources left out",
        ylim=(0, 15),
        xlim=(0, None),
    )
    axes.legend(loc="lower left", fontsize=8)
    save(figure, out, "cost.png")
    return lines


def sources_curve(table, widths, use, attack, out):
    groups = np.unique(table.group[use])
    rows = [cut_rows(table, TILES, TEXTURE_CUTS[-1], widths), cut_rows(table, SCENE, SCENE_CUTS[-1], widths)]
    lines = ["| sources trained on | AUC, mean of draws | lowest and highest draw |", "| --- | --- | --- |"]
    counts, means, lows, highs = [], [], [], []
    for count in (*SOURCE_COUNTS, len(groups)):
        aucs = []
        for draw in range(DRAWS if count < len(groups) else 1):
            order = np.random.default_rng(draw).permutation(groups)

            def keep(fold, order=order, count=count):
                left = [g for g in order if (table.fold[table.group == g] != fold).all()]
                return np.isin(table.group, left[:count])

            both = sum(crossed(table, r, keep) for r in rows)
            aucs.append(Curve(both[use], attack[use]).figures()[0])
        counts.append(count), means.append(np.mean(aucs)), lows.append(min(aucs)), highs.append(max(aucs))
        name = count if count < len(groups) else f"all of the other folds (about {round(count * 0.9)})"
        lines.append(f"| {name} | {means[-1]:.3f} | {lows[-1]:.3f} to {highs[-1]:.3f} |")
        print(lines[-1], flush=True)
    counts[-1] = round(counts[-1] * 0.9)
    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot(counts, means, marker="o", label=f"mean of {DRAWS} draws of sources")
    axes.fill_between(counts, lows, highs, alpha=0.2, label="lowest to highest draw")
    axes.set(xscale="log", xlabel="sources trained on", ylabel="AUC on sources left out, both networks")
    axes.set_xticks(counts, [str(c) for c in counts])
    axes.minorticks_off()
    axes.legend(loc="lower right")
    save(figure, out, "sources.png")
    return lines


def save(figure, out, name):
    os.makedirs(out, exist_ok=True)
    figure.tight_layout()
    figure.savefig(os.path.join(out, name), dpi=110)
    pyplot.close(figure)


def main():
    parser = options.parser(__doc__)
    options.captures(parser)
    parser.set_defaults(reader=options.PRETRAINED)
    parser.add_argument("--out", default=os.path.join(MODELS, "figures"))
    parser.add_argument("--markdown", help="file for the Markdown tables")
    args = parser.parse_args()
    table, _ = load_table(args, ())
    widths = {index - 1: convs[-1].weight.shape[0] for index, (convs, _) in enumerate(load_folded())}
    use = (table.kind == "captures") & (table.label != PRINT)
    attack = table.label == SCREEN
    lines = accuracy_and_cost(table, widths, use, attack, args.out)
    print("\n".join(lines), flush=True)
    lines += [""] + sources_curve(table, widths, use, attack, args.out)
    if args.markdown:
        with open(args.markdown, "w") as file:
            file.write("\n".join(lines) + "\n")
