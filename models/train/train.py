"""Labelled photographs -> models/texture_net.onnx, models/scene_net.onnx and their lines in manifest.toml.

    python models/train/train.py --photos DIR [--simulated DIR] [--out models] [--folds-out DIR]

A stopped run goes on from its cache. The same pictures give the same nets.
"""
import argparse
import csv
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from backbone import load_folded  # noqa: E402
from dataset import FOLDS, assign_folds, grid_tiles, load_photographs, load_simulated, overview_pixels, read_pixels  # noqa: E402
from export import check, export_scene_net, export_texture_net, write_manifest  # noqa: E402
from features import as_input, extract  # noqa: E402
from fit import VIEW_SETS, Table, fit_scene, fit_texture  # noqa: E402


def arguments(parser):
    parser.add_argument("--photos", required=True, help="folder with captures.csv and material.csv")
    parser.add_argument("--simulated", help="folder with labels.csv, written by `bonafide simulate`")
    parser.add_argument("--simulated-weight", type=float, default=0.0,
                        help="weight of simulated captures against real ones in the screen heads")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train"), help="folder for features")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def load_table(options):
    """Reads the pictures and their features (from the cache as far as they are there)."""
    pictures = load_photographs(options.photos)
    fold_of = assign_folds(pictures)
    if options.simulated:
        pictures = pictures + load_simulated(options.simulated)
    features = {}
    for views in VIEW_SETS:
        features.update(extract(pictures, views, os.path.join(options.cache, "features"), options.workers))
    return Table.of(pictures, features, fold_of)


def real_inputs(table, count=12):
    """Tiles and overviews of a few real pictures, as the program would feed them."""
    inputs = []
    for picture in table.pictures[:: max(1, len(table.pictures) // count)]:
        pixels = read_pixels(picture)
        inputs.append((as_input(grid_tiles(pixels.window)).contiguous().numpy(),
                       as_input(overview_pixels(pixels.whole)[None]).contiguous().numpy()))
    return inputs


def fit_and_export(table, use, out, stages, inputs, simulated_weight):
    texture = fit_texture(table, use, simulated_weight=simulated_weight)
    scene = fit_scene(table, use, simulated_weight=simulated_weight)
    paths = [os.path.join(out, f"{name}.onnx") for name in ("texture_net", "scene_net")]
    export_texture_net(paths[0], stages, texture.taps, texture.heads, texture.tile_heads)
    export_scene_net(paths[1], stages, scene.taps, scene.heads)
    worst = check(*paths, stages, (texture.taps, texture.heads, texture.tile_heads),
                  (stages, scene.taps, scene.heads), inputs)
    sizes = ", ".join(f"{os.path.basename(p)} {os.path.getsize(p) / 1e6:.2f} MB" for p in paths)
    print(f"{out}: {sizes}; PyTorch and ONNX Runtime differ by at most {worst:.1e}", flush=True)


def main():
    parser = arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    parser.add_argument("--out", default="models")
    parser.add_argument("--folds-out", help="also one pair of nets a fold, trained without its sources, and folds.csv")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    start = time.time()
    table = load_table(options)
    print(f"{len(table.pictures)} captures with features after {time.time() - start:.0f} s", flush=True)
    stages, inputs = load_folded(), real_inputs(table)
    fit_and_export(table, np.ones(len(table.pictures), bool), options.out, stages, inputs, options.simulated_weight)
    write_manifest(options.out, ["texture_net", "scene_net"])
    if options.folds_out:
        for fold in range(FOLDS):
            fit_and_export(table, table.fold != fold, os.path.join(options.folds_out, f"fold{fold}"),
                           stages, inputs[:2], options.simulated_weight)
        with open(os.path.join(options.folds_out, "folds.csv"), "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["path", "fold"])
            writer.writerows([p.path, f] for p, f in zip(table.pictures, table.fold) if p.kind != "simulated")
    print(f"done after {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
