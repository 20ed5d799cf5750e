"""Labelled photographs -> models/texture_net.onnx, models/scene_net.onnx and their lines in manifest.toml.

    python models/train/train.py --photos DIR [--simulated DIR] [--out models] [--folds-out DIR]

A stopped run goes on from its cache.
"""
import argparse
import csv
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from dataset import FOLDS, grid_tiles, load_photographs, load_simulated, overview_pixels, read_pixels  # noqa: E402
from export import check, export_scene_net, export_texture_net, session, write_manifest  # noqa: E402
from features import SCENE_REGIONS, SCENE_TAPS, as_input, cached_features, cached_pixels, pretrained  # noqa: E402
from fit import NEAR, SCENE, TILES, VIEWS, Table, fit_net, second_look  # noqa: E402
from looks import with_boxes  # noqa: E402
import student  # noqa: E402
import tune  # noqa: E402

TUNED, PRETRAINED, STUDENT = READERS = ("tuned", "pretrained", "student")


def arguments(parser):
    parser.add_argument("--photos", required=True, help="folder with captures.csv and material.csv")
    parser.add_argument("--locator", default="models/locator_net.onnx", help="says where the second look goes")
    parser.add_argument("--simulated", help="folder with labels.csv, written by `bonafide simulate`")
    parser.add_argument("--simulated-weight", type=float, default=0.0,
                        help="weight of simulated captures against real ones in the screen heads")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train"),
                        help="folder for pixels, features and students (about 13 GB for 1,700 captures)")
    parser.add_argument("--reader", choices=READERS, default=READERS[0],
                        help="what looks: the pretrained network as tune.py has tuned it, as it is, or with the "
                             "student of student.py for tiles")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def load_table(options, parts):
    """Reads the pictures and gives every network's features; from the cache as far as they are there. -> table, and
    the networks by the name of their features. `parts` are those of the sources that networks of one's own are trained
    on, photographs alone: see `tune.trained` and `student.trained`."""
    locator, overview = session(options.locator), lambda p: overview_pixels(read_pixels(p).whole)
    photographs = with_boxes(load_photographs(options.photos), locator, overview)
    made = with_boxes(load_simulated(options.simulated), locator, overview) if options.simulated else []
    tuning = tune.VIEWS if options.reader == TUNED else ()
    sets = [(photographs, tuple(dict.fromkeys(tuning + VIEWS))), (made, VIEWS)]
    pixels = [cached_pixels(pictures, views, options.cache, options.workers) for pictures, views in sets if pictures]

    def features_of(name, network, kind, sets=pixels):
        each = [{v: views[v] for v in VIEWS} for views in sets]
        parts = [cached_features(name, network, views, kind, options.workers) for views in each]
        found = {view: np.concatenate([part[view] for part in parts]) for view in VIEWS}
        if kind == SCENE:
            parts = [cached_features(name, network, views, NEAR, options.workers) for views in each]
            found |= {second_look(view): np.concatenate([part[view] for part in parts]) for view in VIEWS}
        return found

    if options.reader == TUNED:
        tuned = tune.trained(Table.of(photographs, {}), pixels[0], parts)
        networks = {name: network for name, (network, _) in tuned.items()}
        features = {name: features_of(name, network, tune.kind_of(name)) for name, network in networks.items()}
        table = Table.of(photographs + made, features)
        table.screen_heads = {name: head for name, (_, head) in tuned.items()}
        return table, networks
    networks = {name: pretrained(name) for name in (TILES, SCENE)}
    features = {name: features_of(name, network, name) for name, network in networks.items()}
    if options.reader == STUDENT:
        taught = Table.of(photographs, {TILES: features_of(TILES, networks[TILES], TILES, pixels[:1])})
        for part, path in student.trained(taught, pixels[0], parts, options.cache, options.workers).items():
            name = student.named(part)
            networks[name] = student.load(path)
            features[name] = features_of(name, networks[name], TILES)
    return Table.of(photographs + made, features), networks


def reader_names(reader):
    """-> names of the features of tiles and overview for the shipped nets, and fold -> names of those of networks that
    saw no source of it."""
    if reader == TUNED:
        both = lambda part: (tune.named(TILES, part), tune.named(SCENE, part))  # noqa: E731
        return both("all"), both
    if reader == STUDENT:
        return (student.named("all"), SCENE), lambda fold: (student.named("even" if fold % 2 == 0 else "odd"), SCENE)
    return (TILES, SCENE), lambda fold: (TILES, SCENE)


def fold_parts(reader):
    """The parts that `load_table` needs for figures with sources left out."""
    return {TUNED: tuple(range(FOLDS)), STUDENT: ("even", "odd")}.get(reader, ())


def real_inputs(table, count=12):
    """Tiles and overviews of a few real pictures, as the program would feed them."""
    inputs = []
    for picture in table.pictures[:: max(1, len(table.pictures) // count)]:
        pixels = read_pixels(picture)
        inputs.append((as_input(grid_tiles(pixels.window)).contiguous().numpy(),
                       as_input(overview_pixels(pixels.whole)[None]).contiguous().numpy()))
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
    parser = arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    parser.add_argument("--out", default="models")
    parser.add_argument("--folds-out", help="also one pair of nets a fold, trained without its sources, and folds.csv")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    start = time.time()
    table, networks = load_table(options, ("all", *(fold_parts(options.reader) if options.folds_out else ())))
    print(f"{len(table.pictures)} captures with features after {time.time() - start:.0f} s", flush=True)
    inputs = real_inputs(table)
    every = np.ones(len(table.pictures), bool)
    whole, without = reader_names(options.reader)
    fit_and_export(table, every, options.out, whole, networks, inputs, options.simulated_weight)
    write_manifest(options.out, ["texture_net", "scene_net"])
    if options.folds_out:
        for fold in range(FOLDS):
            fit_and_export(table, table.fold != fold, os.path.join(options.folds_out, f"fold{fold}"), without(fold),
                           networks, inputs[:2], options.simulated_weight)
        with open(os.path.join(options.folds_out, "folds.csv"), "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["path", "fold"])
            writer.writerows([p.path, f] for p, f in zip(table.pictures, table.fold) if p.kind != "simulated")
    print(f"done after {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
