"""A folder of labelled photographs -> captures, folds by source, and what their files give away.

The folder holds `captures.csv` (screen, print and original captures) and `material.csv` (of which `documents` and
`cards` are further bona fide captures). A large photograph is there as a crop at native resolution plus a small
overview of the whole; a small one is there whole.
"""

import csv
import hashlib
import os
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

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

    @property
    def shows_things(self):
        """A photograph of things: bona fide, and no document."""
        return (self.label, self.kind, self.content) == (ORIGINAL, "captures", "photo")


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
                    path=row["path"],
                    overview=row["overview"],
                    label=row["label"],
                    content=row["content"],
                    source=row["source"],
                    group=_group(row["source"], row["path"]),
                    kind="captures",
                    width=int(row["width"]),
                    height=int(row["height"]),
                    root=root,
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
                        path=row["path"],
                        overview=overview,
                        label=ORIGINAL,
                        content=row["kind"],
                        source=row["source"],
                        group=_group(row["source"], row["path"]),
                        kind=row["kind"],
                        width=width,
                        height=height,
                        root=root,
                        # material.csv does not say where the crop lies: the middle.
                        crop=((width - inside[0]) // 2, (height - inside[1]) // 2),
                    )
                )
    return pictures


def whole_rows(root):
    """Rows of whole.csv, photographs of documents as they came: path, source, content; none where it is absent."""
    path = os.path.join(root, "whole.csv")
    if not os.path.exists(path):
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


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
                    path=row["path"],
                    overview="",
                    label=label,
                    content=row.get("content") or "",
                    source=source,
                    group=source,
                    kind="simulated",
                    width=width,
                    height=height,
                    root=root,
                    crop=(0, 0),
                )
            )
    return pictures


def groups_of(rows):
    """A CSV file with the columns source and path -> the groups of its rows, which are to be left out together."""
    with open(rows, newline="") as file:
        return frozenset(_group(row["source"], row["path"]) for row in csv.DictReader(file))


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


def file_facts(picture):
    """Width, height, aspect, bytes a pixel and quantisation: the shortcut baseline."""
    path = os.path.join(picture.root, picture.path)
    with Image.open(path) as image:
        pixels = image.size[0] * image.size[1]
        tables = getattr(image, "quantization", None) or {}
        coarse = [float(np.mean(tables[k])) if k in tables else 0.0 for k in (0, 1)]
        signature = zlib.crc32(repr(sorted(tables.items())).encode()) % 97
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    return [
        picture.width,
        picture.height,
        long / short,
        long,
        os.path.getsize(path) / pixels,
        *coarse,
        signature,
        float(bool(picture.overview)),
    ]
