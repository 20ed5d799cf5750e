"""A folder of labelled photographs -> captures, folds by source, and the pixels both nets read.

The folder holds `captures.csv` (screen, print and original captures) and `material.csv` (of which
`documents` and `cards` are further bona fide captures). A large photograph is there as a crop at
native resolution plus a small overview of the whole; a small one is there whole.
"""
import csv
import hashlib
import io
import os
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from looks import AROUND, around

TILE = 128
OVERVIEW = 192
EVALUATION_CELLS = (1, 4, 6, 9, 11, 14)  # of a 4 x 4 grid, row by row
TRAINING_TILES = 8
FOLDS = 5

# Sources that share files or a scene stay in one fold.
COUPLED = {
    "NANDINISHARMA30/SalesCodes-ML-Assignment": "Avinash-yadav103/Salescode_ML_Assignment",
    "Aayush-Creates/Spot-the-Fake-Photo": "ShubhSharma34/spot-fake-photo",
}
# One source whose files fall apart into document types: the start of the file name.
SPLIT_BY_FILE_NAME = "hossamamrani/Project"

SCREEN, PRINT, ORIGINAL = "screen", "print", "original"


@dataclass(frozen=True)
class Picture:
    path: str  # as the csv has it, relative to root
    overview: str  # "" where the file is the whole photograph
    label: str
    content: str
    source: str
    group: str  # what a fold may not split
    kind: str  # captures, cards, documents or simulated
    width: int  # of the whole photograph
    height: int
    root: str
    crop: tuple  # x, y of the crop in the whole photograph
    found: tuple = ()  # left, top, right, bottom of the device or document that the locator sees, in shares

    @property
    def key(self):
        return f"{self.kind}/{self.path}"


def _group(source, path):
    if source == SPLIT_BY_FILE_NAME:
        return f"{source}:{os.path.basename(path).split('_')[0]}"
    return COUPLED.get(source, source)


def _size(path):
    with Image.open(path) as image:
        turned = image.getexif().get(0x0112, 1) >= 5
        return image.size[::-1] if turned else image.size


def load_photographs(root):
    """captures.csv and, where present, the cards and documents of material.csv."""
    pictures = []
    with open(os.path.join(root, "captures.csv"), newline="") as file:
        for row in csv.DictReader(file):
            pictures.append(
                Picture(
                    path=row["path"], overview=row["overview"], label=row["label"], content=row["content"],
                    source=row["source"], group=_group(row["source"], row["path"]), kind="captures",
                    width=int(row["width"]), height=int(row["height"]), root=root,
                    crop=(int(row["crop_x"] or 0), int(row["crop_y"] or 0)),  # empty where the file is the whole
                )
            )
    material = os.path.join(root, "material.csv")
    if os.path.exists(material):
        with open(material, newline="") as file:
            for row in csv.DictReader(file):
                if row["kind"] not in ("cards", "documents"):
                    continue
                notes = dict(p.strip().split("=", 1) for p in row["notes"].split(";") if "=" in p)
                overview = notes.get("overview", "").strip()
                size = row["notes"].split(";")[0].split("x")
                if len(size) == 2 and all(s.strip().isdigit() for s in size):
                    width, height = int(size[0]), int(size[1])
                else:
                    width, height = _size(os.path.join(root, row["path"]))
                inside = _size(os.path.join(root, row["path"]))
                pictures.append(
                    Picture(
                        path=row["path"], overview=overview, label=ORIGINAL, content=row["kind"],
                        source=row["source"], group=_group(row["source"], row["path"]), kind=row["kind"],
                        width=width, height=height, root=root,
                        # material.csv does not say where the crop lies: the middle.
                        crop=((width - inside[0]) // 2, (height - inside[1]) // 2),
                    )
                )
    return pictures


def load_simulated(root):
    """`labels.csv` of `bonafide simulate`: path,label,species,source,content; whole pictures."""
    pictures = []
    with open(os.path.join(root, "labels.csv"), newline="") as file:
        for row in csv.DictReader(file):
            label = row["label"]
            if label not in (SCREEN, PRINT, ORIGINAL):  # e.g. bona_fide / attack + species
                label = row.get("species") if row.get("species") in (SCREEN, PRINT) else ORIGINAL
            width, height = _size(os.path.join(root, row["path"]))
            source = "simulated:" + (row.get("source") or "")
            pictures.append(
                Picture(
                    path=row["path"], overview="", label=label, content=row.get("content") or "",
                    source=source, group=source, kind="simulated", width=width, height=height,
                    root=root, crop=(0, 0),
                )
            )
    return pictures


def assign_folds(pictures, folds=FOLDS):
    """-> group -> fold: whole groups, largest first, each into the fold with the fewest pictures so far."""
    counts = {}
    for picture in pictures:
        counts[picture.group] = counts.get(picture.group, 0) + 1
    load, fold_of = [0] * folds, {}
    for group in sorted(counts, key=lambda g: (-counts[g], g)):
        fold = load.index(min(load))
        fold_of[group] = fold
        load[fold] += counts[group]
    return fold_of


def generator(*parts):
    """A random generator that depends on nothing but its arguments."""
    digest = hashlib.sha256("|".join(str(p) for p in parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


# --- pixels ----------------------------------------------------------------------------------


@dataclass
class Pixels:
    """What is there of one photograph: the native window, and the whole in small."""

    window: Image.Image
    whole: Image.Image
    long_side: int  # of the whole photograph, in pixels of `window`
    is_whole: bool
    found: tuple = ()  # as `Picture.found`


def read_pixels(picture):
    window = ImageOps.exif_transpose(Image.open(os.path.join(picture.root, picture.path))).convert("RGB")
    if not picture.overview:
        return Pixels(window, window, max(window.size), True, picture.found)
    whole = ImageOps.exif_transpose(Image.open(os.path.join(picture.root, picture.overview))).convert("RGB")
    return Pixels(window, whole, max(picture.width, picture.height), False, picture.found)


def recompress(image, quality, subsampling=2):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(quality), subsampling=subsampling)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def scale(image, factor, resample):
    if abs(factor - 1.0) < 1e-3:
        return image
    size = (max(1, round(image.size[0] * factor)), max(1, round(image.size[1] * factor)))
    return image.resize(size, resample)


def upload(pixels, long_side, quality, min_side, resample=Image.Resampling.BOX):
    """The photograph as if re-scaled to `long_side` (never enlarged) and compressed again.

    A crop keeps at least `min_side` pixels a side: there the factor is milder. The small overview
    is far below any upload size, so only a whole file's overview sees the compression.
    """
    factor = min(1.0, long_side / pixels.long_side)
    floor = min(1.0, min_side / min(pixels.window.size))
    factor = max(factor, floor)
    window = recompress(scale(pixels.window, factor, resample), quality)
    whole = window if pixels.is_whole else pixels.whole
    return Pixels(window, whole, round(pixels.long_side * factor), pixels.is_whole, pixels.found)


def central(pixels, picture, share=0.6):
    """The central part of the photograph alone: most of a display's surround is gone."""
    margin = (1.0 - share) / 2.0
    w, h = pixels.whole.size
    whole = pixels.whole.crop((round(w * margin), round(h * margin), round(w * (1 - margin)), round(h * (1 - margin))))
    if pixels.is_whole:
        return Pixels(whole, whole, round(pixels.long_side * share), True)
    # The native window is cut to the same part of the photograph, if enough of it lies inside.
    f = pixels.long_side / max(picture.width, picture.height)
    left, top = picture.crop[0] * f, picture.crop[1] * f
    x0, y0 = max(0, picture.width * f * margin - left), max(0, picture.height * f * margin - top)
    x1 = min(pixels.window.size[0], picture.width * f * (1 - margin) - left)
    y1 = min(pixels.window.size[1], picture.height * f * (1 - margin) - top)
    window = pixels.window
    if x1 - x0 >= TILE and y1 - y0 >= TILE:
        window = window.crop((round(x0), round(y0), round(x1), round(y1)))
    return Pixels(window, whole, round(pixels.long_side * share), False)


def grey(pixels, rng=None):
    """Colour taken out; with a generator, a cast of coloured light put on the whole."""
    gain = np.ones(3) if rng is None else np.exp(rng.normal(0, 0.12, 3))

    def convert(image):
        luma = np.asarray(image.convert("L"), np.float32)[:, :, None]
        return Image.fromarray(np.clip(luma * gain, 0, 255).astype(np.uint8))

    window = convert(pixels.window)
    whole = window if pixels.is_whole else convert(pixels.whole)
    return Pixels(window, whole, pixels.long_side, pixels.is_whole, pixels.found)


def overview_pixels(image, box=None):
    """[192,192,3]: the whole picture squashed, triangle filter scaled to the reduction (anti-aliased)."""
    return np.asarray(image.resize((OVERVIEW, OVERVIEW), Image.Resampling.BILINEAR, box=box), np.uint8)


def near_pixels(pixels, rng=None):
    """[192,192,3]: the second look, squashed; with a generator, a little wider or closer, and off its place."""
    w, h = pixels.whole.size
    box = around(pixels.found, AROUND if rng is None else rng.uniform(0.25, 0.8))
    if rng is not None:
        width, height = box[2] - box[0], box[3] - box[1]
        x, y = rng.uniform(-0.08, 0.08, 2) * (width, height)
        box = max(box[0] + x, 0.0), max(box[1] + y, 0.0), min(box[2] + x, 1.0), min(box[3] + y, 1.0)
    return overview_pixels(pixels.whole, (box[0] * w, box[1] * h, box[2] * w, box[3] * h))


def _padded(window):
    array = np.asarray(window, np.uint8)
    down, right = max(0, TILE - array.shape[0]), max(0, TILE - array.shape[1])
    while down or right:
        step = (min(down, array.shape[0] - 1), min(right, array.shape[1] - 1))
        array = np.pad(array, ((0, step[0]), (0, step[1]), (0, 0)), "reflect")
        down, right = max(0, TILE - array.shape[0]), max(0, TILE - array.shape[1])
    return array


def grid_tiles(window, cells=EVALUATION_CELLS):
    """[n,128,128,3]: a tile centred in each named cell of a 4 x 4 grid, kept inside the window."""
    array = _padded(window)
    height, width = array.shape[:2]
    tiles = []
    for cell in cells:
        x = (cell % 4 + 0.5) * width / 4 - TILE / 2
        y = (cell // 4 + 0.5) * height / 4 - TILE / 2
        x = int(np.floor(min(max(x, 0), width - TILE) + 0.5))
        y = int(np.floor(min(max(y, 0), height - TILE) + 0.5))
        tiles.append(array[y : y + TILE, x : x + TILE])
    return np.stack(tiles)


def random_tiles(window, rng, count=TRAINING_TILES):
    """Tiles at jittered places of distinct cells of a 4 x 4 grid."""
    array = _padded(window)
    height, width = array.shape[:2]
    tiles = []
    for cell in rng.permutation(16)[:count]:
        x = (cell % 4 + rng.uniform(0, 1)) * width / 4 - TILE / 2
        y = (cell // 4 + rng.uniform(0, 1)) * height / 4 - TILE / 2
        x, y = int(min(max(x, 0), width - TILE)), int(min(max(y, 0), height - TILE))
        tiles.append(array[y : y + TILE, x : x + TILE])
    return np.stack(tiles)


# --- views -----------------------------------------------------------------------------------

SHRINKING = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def view(picture, pixels, name):
    """-> (tiles [n,128,128,3], overview [192,192,3], second look [192,192,3]), alike for every class.

    Evaluation: `plain` (the file as it is), `neutral` (long side 1280, quality 75), `central`
    (neutral, central 60 %), `print0` (equalised, grey), `colour0` (equalised, in colour).
    Training: `train1`, `train2`, ... ; `print1`, ... (equalised, grey under coloured light);
    `colour1`, ... (equalised, in colour).
    """
    stem, number = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    training = bool(number) and number != "0"
    rng = generator(picture.key, name)
    if name in ("neutral", "central"):
        pixels = upload(pixels, 1280, 75, TILE)
        if name == "central":
            pixels = central(pixels, picture)
    elif stem == "train":
        if rng.random() >= 0.3:
            for again in range(2 if rng.random() < 0.25 else 1):
                resample = SHRINKING[rng.integers(len(SHRINKING))]
                pixels = upload(pixels, rng.uniform(900, 2200), rng.integers(60, 96), 192, resample)
    elif stem in ("print", "colour"):
        if stem == "print":
            pixels = grey(pixels, rng if training else None)
        if training:
            pixels = upload(pixels, rng.uniform(900, 1600), rng.integers(55, 81), 160)
        else:
            pixels = upload(pixels, 1280, 70, TILE)
    elif name != "plain":
        raise ValueError(f"no such view: {name}")
    if not training:
        return grid_tiles(pixels.window), overview_pixels(pixels.whole), near_pixels(pixels)
    box = None
    if rng.random() < 0.5:  # closer or off-centre framing
        w, h = pixels.whole.size
        share = rng.uniform(0.6, 1.0)
        x, y = rng.uniform(0, w * (1 - share)), rng.uniform(0, h * (1 - share))
        box = (x, y, x + w * share, y + h * share)
    tiles, looks = random_tiles(pixels.window, rng), [overview_pixels(pixels.whole, box), near_pixels(pixels, rng)]
    if rng.random() < 0.5:
        tiles, looks = tiles[:, :, ::-1], [look[:, ::-1] for look in looks]
    turns = int(rng.integers(4)) if rng.random() < 0.3 else 0
    return tuple(np.ascontiguousarray(p) for p in (np.rot90(tiles, turns, (1, 2)), *(np.rot90(l, turns) for l in looks)))


# --- what the file gives away without a look at the picture -----------------------------------


def file_facts(picture):
    """Width, height, aspect, bytes a pixel and quantisation: the shortcut baseline."""
    path = os.path.join(picture.root, picture.path)
    with Image.open(path) as image:
        pixels = image.size[0] * image.size[1]
        tables = getattr(image, "quantization", None) or {}
        coarse = [float(np.mean(tables[k])) if k in tables else 0.0 for k in (0, 1)]
        signature = zlib.crc32(repr(sorted(tables.items())).encode()) % 97
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    return [picture.width, picture.height, long / short, long, os.path.getsize(path) / pixels,
            *coarse, signature, float(bool(picture.overview))]
