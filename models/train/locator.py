"""Made-up scenes -> models/locator_net.onnx: where the document and the device around it are.

    python models/train/locator.py --photos DIR [--out models] [--cache DIR]

Five stages, each from the weights of the one before (`STAGES`): drawn scenes; others, with views of marked frames; and
thrice scenes with real documents on real surfaces, and other documents in place of the marked ones. A sixth (`MARKED`)
begins at the exported net and adds photographs whose borders were marked by eye (`marked.py`); `--only-marked` runs it
alone, and `--folds-out` also for nets that never saw a fold of the sources. Photographs without
documents (originals of `captures.csv`) are backgrounds, and so are the textures and close views of print of
`material.csv`. Marked frames of `document_corners.csv` join, as views and as rectified documents, but only those of the
document types in `SEEN_TYPES`, and none of the settings in `UNSEEN_SETTINGS`: the other types are for measuring. A
stopped run goes on after its last whole epoch; `--check` measures an exported net.
"""
import argparse
import csv
import glob
import multiprocessing
import os
import shutil
import sys
import time
import zlib
from dataclasses import dataclass

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from onnx import numpy_helper  # noqa: E402
from torch import nn  # noqa: E402

import marked  # noqa: E402
from backbone import INPUT_MEAN, INPUT_SCALE  # noqa: E402
from dataset import FOLDS, ORIGINAL, assign_folds, generator, load_photographs, read_pixels  # noqa: E402
from export import Graph, session, write_manifest, _value  # noqa: E402
from features import device  # noqa: E402
from scenes import CELLS, CHANNELS, SIZE, Material, camera, light, mixed_face, scene  # noqa: E402
from student import Conv  # noqa: E402

# Output channels of the encoder's stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input, and of the decoder.
WIDTHS = (16, 24, 48, 80, 112)
DECODER = 32
DECAY = 0.01
SEEN_TYPES = ("alb_id", "aze_passport", "est_id", "svk_id")
UNSEEN_SETTINGS = ("04", "07")  # how the clips' names begin: bars of shadow on white, coloured light and clutter
CHECK_SEED, CHECKED = 1, 1000


@dataclass(frozen=True)
class Stage:
    """`scenes` new ones from `seed` on, each `before`-th scene of earlier stages and views of the marked frames."""

    name: str
    seed: int
    scenes: int
    real: bool  # with rectified documents and real surfaces
    before: int
    views: int  # of each marked frame
    epochs: int
    rate: float
    batch: int = 32


STAGES = (
    Stage("drawn", 1_000_000, 16000, False, 0, 0, 14, 3e-3),
    Stage("frames", 3_000_000, 9000, False, 2, 12, 8, 2e-3),
    Stage("real", 5_000_000, 9000, True, 5, 36, 5, 1.5e-3),
    Stage("again", 7_000_000, 4000, True, 4, 36, 8, 1.5e-3),
    Stage("last", 9_000_000, 5000, True, 4, 36, 16, 1.5e-3),
)
MARKED = Stage("marked", 11_000_000, 3000, True, 0, 6, 10, 8e-4, 128)
# How far the kept net lies on the way from the one before that stage to the one after it: at 1 marked frames of cards,
# which that stage sees less of, are found less well; at 0.7 most of what it brings is kept (models/README.md).
WAY = 0.7


class Locator(nn.Module):
    """[n,3,192,192] RGB 0..255 -> [n,3,48,48] logits: document, device, corners."""

    def __init__(self):
        super().__init__()
        self.down, inputs = nn.ModuleList(), 3
        for index, width in enumerate(WIDTHS):
            more = [Conv(width, 3, 1, 1, width, True) for _ in range((0, 1, 1, 2, 2)[index])]
            self.down.append(nn.Sequential(Conv(inputs, 3, 2, 1, width, False), *more))
            inputs = width
        self.side = nn.ModuleList([Conv(width, 1, 1, 0, DECODER, False) for width in WIDTHS[1:]])
        self.up = nn.ModuleList([Conv(DECODER, 3, 1, 1, DECODER, True) for _ in WIDTHS[1:-1]])
        self.said = nn.Conv2d(DECODER, len(CHANNELS), 1)

    def forward(self, x):
        x, levels = (x - INPUT_MEAN) * INPUT_SCALE, []
        for stage in self.down:
            x = stage(x)
            levels.append(x)
        y = self.side[-1](levels[-1])
        for index in range(len(self.up) - 1, -1, -1):
            y = self.side[index](levels[index + 1]) + F.interpolate(y, scale_factor=2, mode="nearest")
            y = self.up[index](y)
        return self.said(y)

    def convolutions(self):
        """In the order in which `export` writes them."""
        turns = [(self.side[k], self.up[k]) for k in range(len(self.up) - 1, -1, -1)]
        return [c for stage in self.down for c in stage] + [self.side[-1]] + [c for pair in turns for c in pair]

    def load_exported(self, path):
        """Weights of an exported net; batch norm, folded there, changes nothing here and is to stay as it is."""
        constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
        names = sorted((n[1:] for n in constants if n[0] == "w" and n[1:].isdigit()), key=int)
        with torch.no_grad():
            for layer, name in zip(self.convolutions(), names, strict=True):
                layer.conv.weight.copy_(torch.from_numpy(constants[f"w{name}"].copy()))
                layer.norm.bias.copy_(torch.from_numpy(constants[f"b{name}"].copy()))
                layer.norm.running_var.fill_(1 - layer.norm.eps)
            self.said.weight.copy_(torch.from_numpy(constants["said"].copy()))
            self.said.bias.copy_(torch.from_numpy(constants["said_bias"].copy()))
        return self


def photographs(root):
    """Overviews of bona fide captures that show things, not documents."""
    wanted = [p for p in load_photographs(root) if (p.label, p.kind, p.content) == (ORIGINAL, "captures", "photo")]
    wholes = [read_pixels(p).whole for p in wanted]
    return [np.asarray(whole.resize(_fitted(whole.size))) for whole in wholes]


def _fitted(size, long=512):
    factor = min(1.0, long / max(size))
    return max(8, round(size[0] * factor)), max(8, round(size[1] * factor))


def material(root):
    """Rectified documents of the marked frames that may be trained on, surfaces beside them, textures, close print."""
    faces, grounds = [], []
    for row, image, corners in seen_rows(root):
        sides = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
        wide, high = sides[0] + sides[2], sides[1] + sides[3]
        w, h = round(448 * wide / max(wide, high)), round(448 * high / max(wide, high))
        ends = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        m = cv2.getPerspectiveTransform(corners.astype(np.float32), ends)
        faces.append(cv2.warpPerspective(image, m, (w, h), flags=cv2.INTER_AREA))
        grounds += beside(image, corners)
    renders = [_small(p) for p in sorted(glob.glob(os.path.join(root, "card_renders", "**", "*.png"), recursive=True))]
    faces += 4 * renders
    textures = [_small(p) for p in sorted(glob.glob(os.path.join(root, "textures", "*", "*.*")))]
    prints = [_small(p) for p in sorted(glob.glob(os.path.join(root, "documents", "*", "*.crop.jpg")))]
    return Material(faces, grounds + 3 * textures, prints)


def beside(image, corners, least=120):
    """What a frame shows above, below, left and right of its document."""
    h, w = image.shape[:2]
    (left, top), (right, bottom) = corners.min(0).astype(int) - 4, corners.max(0).astype(int) + 4
    parts = image[: max(top, 0)], image[bottom:], image[:, : max(left, 0)], image[:, right:]
    return [np.ascontiguousarray(p) for p in parts if min(p.shape[:2]) >= least]


def _small(path):
    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, _fitted(image.shape[1::-1], 640), interpolation=cv2.INTER_AREA)


_shown = None


def _begin(*shown):
    global _shown
    cv2.setNumThreads(1)
    _shown = shown


def _made(seed):
    photos, real = _shown
    return scene(photos, seed, real)


def cached_scenes(photos, real, first, count, path, workers):
    """-> pictures [N,192,192,3] and targets [N,3,48,48], bytes; corners [N,4,2]."""
    names = [f"{path}.{part}.npy" for part in ("pictures", "targets", "corners")]
    if not all(os.path.exists(n) for n in names):
        with multiprocessing.get_context("spawn").Pool(workers, _begin, (photos, real)) as pool:
            done = list(pool.imap(_made, range(first, first + count), chunksize=64))
        for name, part in zip(names, zip(*done)):
            np.save(name + ".part.npy", np.stack(part))
            os.replace(name + ".part.npy", name)
    return [np.load(n, mmap_mode="r") for n in names]


def loss_of(logits, target, known):
    """Cross-entropy on every map that is known [n,3], and the overlap (Dice) of the document where there is one."""
    weight = torch.tensor([1.0, 0.5, 1.0], device=logits.device) * known
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    cross = (cross.mean((2, 3)) * weight).sum(1).mean()
    inside, wanted = torch.sigmoid(logits[:, 0]), target[:, 0]
    overlap = 1 - (2 * (inside * wanted).sum((1, 2)) + 1) / ((inside**2).sum((1, 2)) + (wanted**2).sum((1, 2)) + 1)
    return cross + 0.5 * (overlap * known[:, 0]).mean()


def turned(pictures, targets, rng):
    """Mirrored and turned alike."""
    if rng.random() < 0.5:
        pictures, targets = pictures[:, :, ::-1], targets[:, :, :, ::-1]
    quarter = int(rng.integers(4))
    return np.rot90(pictures, quarter, (1, 2)), np.rot90(targets, quarter, (2, 3))


def rows_of(parts, rows):
    """Rows of arrays as if they were one behind the other."""
    ends = np.cumsum([len(p) for p in parts])
    return np.stack([parts[k][row - ends[k]] for row, k in zip(rows, np.searchsorted(ends, rows, "right"))])


def train(stage, pictures, targets, known, model, out, frozen=False):
    """Trains `model` on lists of arrays; goes on where `out` ends. `frozen`: batch norm stays as it is."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = model.to(device(), memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), stage.rate, weight_decay=DECAY)
    count = sum(len(p) for p in pictures)
    steps = count // stage.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, stage.rate, total_steps=stage.epochs * steps, pct_start=0.1)
    begun, curve = 0, []
    if os.path.exists(out):
        state = torch.load(out, map_location=device(), weights_only=False)
        for part, name in ((model, "model"), (optimiser, "optimiser"), (schedule, "schedule")):
            part.load_state_dict(state[name])
        begun, curve = state["done"], state["curve"]
    for epoch in range(begun, stage.epochs):
        model.train(not frozen)
        rng = np.random.default_rng(epoch)
        order, total, start = rng.permutation(count), 0.0, time.time()
        for step in range(steps):
            rows = np.sort(order[step * stage.batch : (step + 1) * stage.batch])
            x, y = turned(rows_of(pictures, rows), rows_of(targets, rows), rng)
            x = torch.from_numpy(np.ascontiguousarray(x)).to(device()).permute(0, 3, 1, 2).float()
            x = x.contiguous(memory_format=torch.channels_last)
            y = torch.from_numpy(np.ascontiguousarray(y)).to(device()).float() / 255
            with torch.autocast(device().type, torch.bfloat16):
                logits = model(x)
            loss = loss_of(logits.float(), y, torch.from_numpy(rows_of(known, rows)).to(device()).float())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        curve.append((epoch + 1, total / steps))
        print(f"{stage.name}: epoch {epoch + 1}/{stage.epochs}, loss {total / steps:.4f}, {time.time() - start:.0f} s",
              flush=True)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "done": epoch + 1, "curve": curve}, out + ".part")
        os.replace(out + ".part", out)
    return model.cpu().eval()


@torch.no_grad()
def export(model, path):
    """`overview` [1,3,192,192] -> `maps` [1,3,48,48] logits."""
    g = Graph()
    x = g.add("Mul", [g.add("Sub", ["overview", g.constant(INPUT_MEAN)]), g.constant(INPUT_SCALE)])

    def conv(x, layer):
        y = g.conv(x, layer.folded())
        return g.add("Add", [x, y]) if layer.residual else y

    levels = []
    for stage in model.down:
        for layer in stage:
            x = conv(x, layer)
        levels.append(x)
    y = conv(levels[-1], model.side[-1])
    scales = g.constant([1, 1, 2, 2], "scales")
    for index in range(len(model.up) - 1, -1, -1):
        wide = g.add("Resize", [y, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric",
                     nearest_mode="floor")
        y = conv(g.add("Add", [conv(levels[index + 1], model.side[index]), wide]), model.up[index])
    weight, bias = (p.detach().numpy() for p in (model.said.weight, model.said.bias))
    g.add("Conv", [y, g.constant(weight, "said"), g.constant(bias, "said_bias")], "maps", kernel_shape=[1, 1],
          strides=[1, 1], pads=[0, 0, 0, 0], group=1)
    g.save(path, "locator_net", [_value("overview", [1, 3, SIZE, SIZE])], [_value("maps", [1, 3, CELLS, CELLS])],
           "The whole capture squashed to 192 x 192, RGB 0..255 -> log-odds of document, device and corners.")


def check_engines(model, path, pictures, tolerance=1e-4):
    run, worst = session(path), 0.0
    for picture in pictures:
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            expected = model(x).numpy()
        got = run.run(None, {"overview": x.contiguous().numpy()})[0]
        worst = max(worst, float((np.abs(expected - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst


def overlaps(path, pictures, targets):
    """Intersection over union of the document's map at 0, where there is a document; and false alarms where not."""
    run, iou, alarms = session(path), [], []
    for picture, target in zip(pictures, targets):
        x = np.ascontiguousarray(np.array(picture).transpose(2, 0, 1)[None].astype(np.float32))
        found = run.run(None, {"overview": x})[0][0, 0] > 0
        wanted = target[0] > 127
        if wanted.any():
            iou.append((found & wanted).sum() / max((found | wanted).sum(), 1))
        else:
            alarms.append(found.mean() > 0.01)
    return np.array(iou), np.array(alarms)


def framed(image, corners, rng):
    """A marked frame cut out and tilted anew -> picture and target, as `scenes.scene` gives them."""
    h, w = image.shape[:2]
    low, high, tight = corners.min(0), corners.max(0), rng.uniform(0, 0.9)
    left, top = rng.uniform(0, 1, 2) * np.clip(low, 0, None) * tight
    right, bottom = np.array([w, h]) - rng.uniform(0, 1, 2) * np.clip(np.array([w, h]) - high, 0, None) * tight
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    box += rng.normal(0, 0.02, (4, 2)).astype(np.float32) * (right - left, bottom - top)
    ends = [np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) for side in (2 * SIZE, 8 * CELLS)]
    view = cv2.warpPerspective(image, cv2.getPerspectiveTransform(box, ends[0]), (2 * SIZE, 2 * SIZE),
                               borderMode=cv2.BORDER_REPLICATE)
    m = cv2.getPerspectiveTransform(box, ends[1])
    at = cv2.perspectiveTransform(corners[None].astype(np.float32), m)[0]
    mask = np.zeros((8 * CELLS, 8 * CELLS), np.uint8)
    cv2.fillConvexPoly(mask, at.round().astype(np.int32), 255)
    yy, xx = np.mgrid[:CELLS, :CELLS] + 0.5
    peaks = np.zeros((CELLS, CELLS))
    for x, y in at / 8:
        peaks = np.maximum(peaks, np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 2))
    document = cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    maps = np.stack([document, np.zeros_like(document), (255 * peaks).round().astype(np.uint8)])
    return camera(light(view.astype(np.float32), rng), rng), maps


def replaced(image, corners, photos, real, rng):
    """Another document over the marked one, as large or larger, in the light that falls there -> image and corners."""
    face, alpha = mixed_face(photos, real, rng)
    h, w = face.shape[:2]
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    ends = rng.uniform(0, 1, 4) ** 2 * rng.choice([0.05, 0.5])
    larger = unit + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.stack([ends[[0, 1, 1, 0]], ends[[2, 2, 3, 3]]], 1)
    at = cv2.perspectiveTransform(larger[None].astype(np.float32),
                                  cv2.getPerspectiveTransform(unit, corners.astype(np.float32)))[0]
    m = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), at)
    size = image.shape[1::-1]
    cover = cv2.warpPerspective(alpha, m, size).astype(np.float32)[..., None] / 255
    over = cv2.warpPerspective(face, m, size, flags=cv2.INTER_AREA).astype(np.float32)
    lit = cv2.resize(image, (size[0] // 8, size[1] // 8), interpolation=cv2.INTER_AREA)
    lit = cv2.resize(cv2.GaussianBlur(lit, (0, 0), rng.uniform(1, 4)), size).astype(np.float32)
    lit = lit / lit[cover[..., 0] > 0.5].mean(0) if (cover > 0.5).any() else np.ones_like(lit)
    over = over * np.clip(lit, 0.3, 1.7) ** rng.uniform(0, 1) * rng.uniform(0.6, 1.05)
    return np.clip(image * (1 - cover) + over * cover, 0, 255).astype(np.uint8), at


def seen_rows(root):
    """Marked frames that may be trained on: row, picture, corners."""
    for row in marked_rows(root):
        setting = os.path.basename(row["path"]).split(".")[0]
        if row["document"] in SEEN_TYPES and setting not in UNSEEN_SETTINGS:
            image = cv2.cvtColor(cv2.imread(os.path.join(root, row["path"])), cv2.COLOR_BGR2RGB)
            yield row, image, np.array([[float(row[f"x{k}"]), float(row[f"y{k}"])] for k in range(4)])


def seen_frames(root, views, photos, real=None):
    """Views of the marked frames that may be trained on; with `real`, two of three show another document there."""
    pictures, targets = [], []
    for row, image, corners in seen_rows(root):
        for view in range(views):
            rng, shown, at = generator(row["path"], view), image, corners
            if real and view % 3:
                shown, at = replaced(image, corners, photos, real, rng)
            picture, target = framed(shown, at, rng)
            pictures.append(picture), targets.append(target)
    return np.stack(pictures), np.stack(targets)


def on_the_way(before, after, path):
    """Writes the net whose weights lie `WAY` of the way between two exported ones."""
    net = onnx.load(after)
    begun = {c.name: numpy_helper.to_array(c) for c in onnx.load(before).graph.initializer}
    for constant in net.graph.initializer:
        value = numpy_helper.to_array(constant)
        if value.dtype == np.float32:
            value = ((1 - WAY) * begun[constant.name] + WAY * value).astype(np.float32)
            constant.CopyFrom(numpy_helper.from_array(value, constant.name))
    onnx.save(net, path)


def all_known(targets):
    return [np.ones((len(t), 3), bool) for t in targets]


def tuned_on_marks(options, photos, real, path, shown, stored):
    """The last stage, for the net at `path`, and where asked for nets without each fold of the sources."""
    scenes = cached_scenes(photos, real, MARKED.seed, MARKED.scenes, stored("scenes_marked"), options.workers)[:2]
    frames = seen_frames(options.photos, MARKED.views, photos, real)
    found = marked.photographs(options.photos)
    views, numbers = marked.views(found, options.workers)
    fold_of = assign_folds(load_photographs(options.photos))
    fold = np.repeat([fold_of.get(m.group, zlib.crc32(m.group.encode()) % FOLDS) for m in found], numbers)
    before = stored("locator_before_marked.onnx")
    if not os.path.exists(before):  # a stopped run has it
        shutil.copy(path, before)
    begun = Locator().load_exported(before).state_dict()
    for out in (*(range(FOLDS) if options.folds_out else ()), None):
        parts = scenes, frames, tuple(part[fold != out] for part in views[:2])
        pictures, targets = zip(*parts)
        known = [*all_known(targets[:2]), views[2][fold != out]]
        print(f"marked, without fold {out}: {' + '.join(str(len(p)) for p in pictures)} pictures", flush=True)
        model = Locator()
        model.load_state_dict(begun)
        model = train(MARKED, pictures, targets, known, model, stored(f"locator_marked_{out}.pt"), frozen=True)
        exported = path if out is None else os.path.join(options.folds_out, f"locator_net_{out}.onnx")
        export(model, exported)
        on_the_way(before, exported, exported)
        worst = check_engines(Locator().load_exported(exported).eval(), exported, shown)
        print(f"{exported}: {os.path.getsize(exported) / 1e6:.2f} MB; PyTorch and ONNX Runtime differ by at most {worst:.1e}")


def marked_rows(root):
    with open(os.path.join(root, "document_corners.csv"), newline="") as file:
        return list(csv.DictReader(file))


def marked_frames(root):
    """Frames of `document_corners.csv` as the net reads them, and the document's map."""
    rows, pictures, targets = marked_rows(root), [], []
    for row in rows:
        image = cv2.cvtColor(cv2.imread(os.path.join(root, row["path"])), cv2.COLOR_BGR2RGB)
        h, w = image.shape[:2]
        corners = np.array([[float(row[f"x{k}"]) / w, float(row[f"y{k}"]) / h] for k in range(4)])
        mask = np.zeros((CELLS * 8, CELLS * 8), np.uint8)
        cv2.fillConvexPoly(mask, (corners * CELLS * 8).round().astype(np.int32), 255)
        pictures.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
        targets.append(cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA)[None])
    return pictures, targets, [row["document"] for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder with captures.csv")
    parser.add_argument("--out", default="models")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only-marked", action="store_true", help="begin at the exported net, with the last stage")
    parser.add_argument("--folds-out", help="also nets of the last stage without each fold of the sources")
    parser.add_argument("--check", action="store_true", help="only measure the exported net")
    options = parser.parse_args()
    os.makedirs(options.cache, exist_ok=True)
    path = os.path.join(options.out, "locator_net.onnx")
    photos, real = photographs(options.photos), material(options.photos)
    stored = lambda name: os.path.join(options.cache, name)  # noqa: E731
    unseen = cached_scenes(photos, None, CHECK_SEED, CHECKED, stored("scenes_check"), options.workers)
    if not options.check:
        model, scenes = Locator(), []
        for stage in () if options.only_marked else STAGES:
            shown = real if stage.real else None
            parts = [[p[:: stage.before] for p in earlier] for earlier in scenes if stage.before]
            kept = stored(f"scenes_{stage.name}")
            scenes.append(cached_scenes(photos, shown, stage.seed, stage.scenes, kept, options.workers)[:2])
            parts.append(scenes[-1])
            if stage.views:
                parts.append(seen_frames(options.photos, stage.views, photos, shown))
            print(f"{stage.name}: {' + '.join(str(len(p[0])) for p in parts)} pictures", flush=True)
            pictures, targets = zip(*parts)
            model = train(stage, pictures, targets, all_known(targets), model, stored(f"locator_{stage.name}.pt"))
            export(model, path)
        tuned_on_marks(options, photos, real, path, unseen[0][:12], stored)
        write_manifest(options.out, ["locator_net"])
    iou, alarms = overlaps(path, unseen[0], unseen[1])
    print(f"scenes never trained on: mean overlap of maps {iou.mean():.3f}, above 0.9 {np.mean(iou > 0.9):.3f} "
          f"(n {len(iou)}); documents seen where there is none {alarms.mean():.3f} (n {len(alarms)})")
    if os.path.exists(os.path.join(options.photos, "document_corners.csv")):
        pictures, targets, kinds = marked_frames(options.photos)
        iou, _ = overlaps(path, pictures, targets)
        for kind in sorted(set(kinds)):
            mine = iou[np.array(kinds) == kind]
            print(f"{kind}: mean overlap of maps {mine.mean():.3f}, above 0.9 {np.mean(mine > 0.9):.3f} (n {len(mine)})")
        print(f"all marked frames: {iou.mean():.3f}, above 0.9 {np.mean(iou > 0.9):.3f} (n {len(iou)})")


if __name__ == "__main__":
    main()
