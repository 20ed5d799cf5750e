"""Made-up scenes -> models/locator_net.onnx: where the document and the device around it are.

    python -m train locator --photos DIR [--out models] [--cache DIR]

Five stages, each from the weights of the one before (`STAGES`): drawn scenes; others, with views of marked frames; and
thrice scenes with real documents on real surfaces, and other documents in place of the marked ones. A sixth (`MARKED`)
begins at the exported net and adds photographs whose borders were marked by eye (`data/borders.py`); `--only-marked`
runs it alone, `--without CSV` without some sources, and `--folds-out` also for nets that never saw a fold of the
sources. Photographs without documents
(originals of `captures.csv`) are backgrounds, and so are the textures and close views of print of `material.csv`.
Marked frames of `document_corners.csv` join, as views and as rectified documents, but only those of the document types
in `SEEN_TYPES`, and none of the settings in `UNSEEN_SETTINGS`: the other types are for measuring. A stopped run goes on
after its last whole epoch; `--check` measures an exported net.
"""

import os
import shutil
import zlib

import numpy as np

from .. import options
from ..data.borders import marked_photographs, marked_views
from ..data.captures import FOLDS, assign_folds, groups_of, load_photographs
from ..data.scenes import cached_scenes, marked_frames, real_material, seen_frames, things_photographed
from ..nets.engines import agree
from ..nets.graph import fed, write_manifest
from ..nets.locator import Locator, Stage, export, on_the_way, overlaps, train

CHECK_SEED, CHECKED = 1, 1000
STAGES = (
    Stage("drawn", 1_000_000, 16000, False, 0, 0, 14, 3e-3),
    Stage("frames", 3_000_000, 9000, False, 2, 12, 8, 2e-3),
    Stage("real", 5_000_000, 9000, True, 5, 36, 5, 1.5e-3),
    Stage("again", 7_000_000, 4000, True, 4, 36, 8, 1.5e-3),
    Stage("last", 9_000_000, 5000, True, 4, 36, 16, 1.5e-3),
)
MARKED = Stage("marked", 11_000_000, 3000, True, 0, 6, 10, 8e-4, 128)


def all_known(targets):
    return [np.ones((len(t), 3), bool) for t in targets]


def tuned_on_marks(args, photos, real, path, shown, stored):
    """The last stage, for the net at `path`, and where asked for nets without each fold of the sources."""
    scenes = cached_scenes(photos, real, MARKED.seed, MARKED.scenes, stored("scenes_marked"), args.workers)[:2]
    frames = seen_frames(args.photos, MARKED.views, photos, real)
    found = marked_photographs(args.photos)
    views, numbers = marked_views(found, args.workers)
    fold_of = assign_folds(load_photographs(args.photos))
    fold = np.repeat([fold_of.get(m.group, zlib.crc32(m.group.encode()) % FOLDS) for m in found], numbers)
    left_out = groups_of(args.without) if args.without else ()
    taught = ~np.repeat([m.group in left_out for m in found], numbers)
    before = stored("locator_before_marked.onnx")
    if not os.path.exists(before):  # a stopped run has it
        shutil.copy(path, before)
    begun = Locator().load_exported(before).state_dict()
    for out in (*(range(FOLDS) if args.folds_out else ()), None):
        mine = taught & (fold != out)
        parts = scenes, frames, tuple(part[mine] for part in views[:2])
        pictures, targets = zip(*parts)
        known = [*all_known(targets[:2]), views[2][mine]]
        print(f"marked, without fold {out}: {' + '.join(str(len(p)) for p in pictures)} pictures", flush=True)
        model = Locator()
        model.load_state_dict(begun)
        model = train(MARKED, pictures, targets, known, model, stored(f"locator_marked_{out}.pt"), frozen=True)
        exported = path if out is None else os.path.join(args.folds_out, f"locator_net_{out}.onnx")
        export(model, exported)
        on_the_way(before, exported, exported)
        worst = agree(Locator().load_exported(exported).eval(), exported, map(fed, shown))
        print(
            f"{exported}: {os.path.getsize(exported) / 1e6:.2f} MB; "
            f"PyTorch and ONNX Runtime differ by at most {worst:.1e}"
        )


def main():
    parser = options.parser(__doc__)
    options.photos(parser)
    options.out(parser)
    options.cache(parser)
    options.workers(parser)
    options.without(parser)
    parser.add_argument("--only-marked", action="store_true", help="begin at the exported net, with the last stage")
    parser.add_argument("--folds-out", help="also nets of the last stage without each fold of the sources")
    parser.add_argument("--check", action="store_true", help="only measure the exported net")
    args = parser.parse_args()
    os.makedirs(args.cache, exist_ok=True)
    path = os.path.join(args.out, "locator_net.onnx")
    photos, real = things_photographed(args.photos), real_material(args.photos)
    stored = lambda name: os.path.join(args.cache, name)
    unseen = cached_scenes(photos, None, CHECK_SEED, CHECKED, stored("scenes_check"), args.workers)
    if not args.check:
        model, scenes = Locator(), []
        for stage in () if args.only_marked else STAGES:
            shown = real if stage.real else None
            parts = [[p[:: stage.before] for p in earlier] for earlier in scenes if stage.before]
            kept = stored(f"scenes_{stage.name}")
            scenes.append(cached_scenes(photos, shown, stage.seed, stage.scenes, kept, args.workers)[:2])
            parts.append(scenes[-1])
            if stage.views:
                parts.append(seen_frames(args.photos, stage.views, photos, shown))
            print(f"{stage.name}: {' + '.join(str(len(p[0])) for p in parts)} pictures", flush=True)
            pictures, targets = zip(*parts)
            model = train(stage, pictures, targets, all_known(targets), model, stored(f"locator_{stage.name}.pt"))
            export(model, path)
        tuned_on_marks(args, photos, real, path, unseen[0][:12], stored)
        write_manifest(args.out, ["locator_net"])
    iou, alarms = overlaps(path, unseen[0], unseen[1])
    print(
        f"scenes never trained on: mean overlap of maps {iou.mean():.3f}, above 0.9 {np.mean(iou > 0.9):.3f} "
        f"(n {len(iou)}); documents seen where there is none {alarms.mean():.3f} (n {len(alarms)})"
    )
    if os.path.exists(os.path.join(args.photos, "document_corners.csv")):
        pictures, targets, kinds = marked_frames(args.photos)
        iou, _ = overlaps(path, pictures, targets)
        for kind in sorted(set(kinds)):
            mine = iou[np.array(kinds) == kind]
            print(
                f"{kind}: mean overlap of maps {mine.mean():.3f}, above 0.9 {np.mean(mine > 0.9):.3f} (n {len(mine)})"
            )
        print(f"all marked frames: {iou.mean():.3f}, above 0.9 {np.mean(iou > 0.9):.3f} (n {len(iou)})")
