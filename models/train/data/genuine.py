"""A folder of photographs -> genuine documents and cards in them, folds by source, and what by eye lies over them.

`datasets/covered.csv` says of which photographs something lies over the document and where (covered, glare: polygons
in shares of the document laid with its long side across; "perhaps" where it is faint; no place: all over), and which
are left out: hands or cards all over them, or no document at all.
"""

import csv
import os
import pickle
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..draw.cover_maps import COLUMNS, ENDS, MAPS, ROWS, SHAPE, UNKNOWN, cells, of_share
from ..paths import DATASETS
from ..storing import storing
from .captures import ORIGINAL, assign_folds, load_photographs, whole_rows
from .frames import corners_of, lengthwise, marked_rows, outline, read

THIRDS = 3
MARGIN, LONGEST = 0.25, 560  # of what is kept of a photograph


@dataclass
class Document:
    """A document in what is kept of a photograph; marks are polygons in shares of it, its long side across."""

    path: str
    group: str
    kind: str
    image: np.ndarray
    corners: np.ndarray
    whole: bool = False  # the picture's own border, where no document was found
    marks: tuple = ()
    fold: int = -1


def marked():
    """Rows of covered.csv: path -> what lies over it and where."""
    found = {}
    with open(os.path.join(DATASETS, "covered.csv"), newline="") as file:
        for row in csv.DictReader(file):
            points = [[float(v) for v in pair.split()] for pair in row["outline"].split(";") if pair]
            found.setdefault(row["path"], []).append((row["what"], np.array(points, np.float32)))
    return found


def kept(path, group, kind, image, corners):
    """The document and what is around it, small."""
    whole = corners is None
    corners = outline(image) if whole else corners
    corners = np.roll(corners, lengthwise(corners)[0], 0)
    low, high = corners.min(0), corners.max(0)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    x0, y0 = np.maximum(0, low).astype(int)
    x1, y1 = np.minimum(image.shape[1::-1], high).astype(int)
    factor = min(1.0, LONGEST / max(x1 - x0, y1 - y0))
    part = cv2.resize(image[y0:y1, x0:x1], None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return Document(path, group, kind, part, ((corners - (x0, y0)) * factor).astype(np.float32), whole)


def genuine(root):
    """-> path of the whole picture, group, kind of genuine documents and cards."""
    groups = {}
    for p in load_photographs(root):
        groups[p.source] = p.group
        if p.label == ORIGINAL and (p.kind in ("cards", "documents") or p.content in ("document", "card", "id_card")):
            yield p.overview or p.path, p.group, "card" if "card" in p.content else "paper"
    for row in whole_rows(root):
        yield row["path"], groups.get(row["source"], row["source"]), "card" if "card" in row["content"] else "paper"


def genuine_documents(root, quads, path):
    """Documents of photographs, dealt to folds by source; cached."""
    if not os.path.exists(path):
        found = []
        for name, group, kind in genuine(root):
            whole = os.path.join(os.path.abspath(root), name)
            found.append(kept(name, group, kind, read(whole), quads.get("/".join(whole.split("/")[-3:]))))
        for row in marked_rows(root):
            name = row["document"]
            found.append(kept(row["path"], name, "mock", read(os.path.join(root, row["path"])), corners_of(row)))
        fold_of = assign_folds(found, THIRDS)
        found = [replace(d, fold=fold_of[d.group]) for d in found]
        with storing(path) as file:
            pickle.dump(found, file)
    with open(path, "rb") as file:
        found, marks = pickle.load(file), marked()
    found = [replace(d, marks=tuple(marks.get(d.path, ()))) for d in found]
    return [d for d in found if all(what != "left out" for what, _ in d.marks)]


def simulated(root):
    """Captures of `bonafide simulate` at their true corners; -> documents, and their rows."""
    with open(os.path.join(root, "labels.csv"), newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corner0_x"]]
    return [
        (
            kept(
                row["path"],
                "simulated",
                row["content"],
                read(os.path.join(root, row["path"])),
                corners_of(row, ("corner{k}_x", "corner{k}_y")),
            ),
            row,
        )
        for row in rows
    ]


def known_maps(document, corners):
    """What is known to lie over the document cut at `corners`: maps [2,15,24] bytes."""
    maps = np.zeros((len(MAPS), ROWS, COLUMNS), np.uint8)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    there = cv2.getPerspectiveTransform(unit, document.corners)
    back = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), ENDS)
    for what, points in document.marks:
        mask = np.full(SHAPE, 255, np.uint8)
        if len(points):
            mask[:] = 0
            at = cv2.perspectiveTransform(points[None], back @ there)[0]
            cv2.fillPoly(mask, [at.round().astype(np.int32)], 255)
        share = of_share(cells(mask / 255))
        name = what.removeprefix("perhaps ")
        value = np.where(share == 1, 1 if what == name else UNKNOWN, share)
        index = MAPS.index(name)
        maps[index] = np.where(value == 0, maps[index], value)
    return maps
