"""Labelled photographs -> models/texture_net.onnx, models/scene_net.onnx and their lines in manifest.toml.

    python -m train train --photos DIR [--simulated DIR] [--out models] [--folds-out DIR]
    python -m train train --photos DIR --without CSV --out COPY

A stopped run goes on from its cache.
"""

import csv
import os
import time

import torch

from .. import options
from ..data.captures import FOLDS, groups_of
from ..data.features import as_input
from ..data.tiles import grid_tiles, overview_pixels, read_pixels
from ..nets.backbone import SCENE_REGIONS, SCENE_TAPS
from ..nets.fit import Without, fit_net
from ..nets.graph import write_manifest
from ..nets.readers import fold_parts, load_table, reader_names
from ..nets.screen import check, export_scene_net, export_texture_net


def real_inputs(table, count=12):
    """Tiles and overviews of a few real pictures, as the program would feed them."""
    inputs = []
    for picture in table.pictures[:: max(1, len(table.pictures) // count)]:
        pixels = read_pixels(picture)
        inputs.append(
            (
                as_input(grid_tiles(pixels.window)).contiguous().numpy(),
                as_input(overview_pixels(pixels.whole)[None]).contiguous().numpy(),
            )
        )
    return inputs


def fit_and_export(table, use, out, names, networks, inputs, simulated_weight):
    """`names` are those of the features of tiles and overview, `networks` what gives them."""
    texture = fit_net(table, use, names[0], simulated_weight, with_tiles=True)
    scene = fit_net(table, use, names[1], simulated_weight)
    reader, overview = (networks[name] for name in names)
    paths = [os.path.join(out, f"{name}.onnx") for name in ("texture_net", "scene_net")]
    export_texture_net(paths[0], reader.folded(), reader.taps, texture.heads, texture.tile_heads)
    export_scene_net(paths[1], overview.folded(), SCENE_TAPS, SCENE_REGIONS, scene.heads)
    worst = check(*paths, (reader, texture.heads, texture.tile_heads), (overview, scene.heads), inputs)
    sizes = ", ".join(f"{os.path.basename(p)} {os.path.getsize(p) / 1e6:.2f} MB" for p in paths)
    print(f"{out}: {sizes}; PyTorch and ONNX Runtime differ by at most {worst:.1e}", flush=True)


def main():
    parser = options.parser(__doc__)
    options.captures(parser)
    options.out(parser)
    options.without(parser)
    parser.add_argument("--folds-out", help="also one pair of nets a fold, trained without its sources, and folds.csv")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    start = time.time()
    part = Without(groups_of(args.without)) if args.without else "all"
    table, networks = load_table(args, (part, *(fold_parts(args.reader) if args.folds_out else ())))
    print(f"{len(table.pictures)} captures with features after {time.time() - start:.0f} s", flush=True)
    inputs = real_inputs(table)
    whole, without = reader_names(args.reader, part)
    fit_and_export(table, table.taught(part), args.out, whole, networks, inputs, args.simulated_weight)
    write_manifest(args.out, ["texture_net", "scene_net"])
    if args.folds_out:
        for fold in range(FOLDS):
            fit_and_export(
                table,
                table.taught(fold),
                os.path.join(args.folds_out, f"fold{fold}"),
                without(fold),
                networks,
                inputs[:2],
                args.simulated_weight,
            )
        with open(os.path.join(args.folds_out, "folds.csv"), "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["path", "fold"])
            writer.writerows([p.path, f] for p, f in zip(table.pictures, table.fold) if p.kind != "simulated")
    print(f"done after {time.time() - start:.0f} s")
