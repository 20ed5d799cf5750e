"""Photographs whose borders were marked by eye (`datasets/borders.csv`) -> views and targets for the locator.

A row names a photograph and a thing: `document` or `device` with four corners in shares of the photograph, clockwise,
outside 0 to 1 where they lie beside it; `fills`: a document larger than the frame; `none`: no document at all. What a
photograph has no row for is not known, and not trained on. Originals that show things stand for neither, but for those
that `datasets/cases.csv` lists with a phone, laptop or display as an object.
"""

import csv
import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from ..draw.camera import SIZE, camera
from ..draw.light import light
from ..draw.targets import CELLS, FINE, grid, target
from ..paths import DATASETS
from .captures import COUPLED, ORIGINAL, generator, load_photographs, whole_rows
from .frames import fitted, read

BORDERS = os.path.join(DATASETS, "borders.csv")
CASES = os.path.join(DATASETS, "cases.csv")
DEVICES_AS_OBJECTS = "phone, laptop or dark display as an object"
WHOLE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
# Length of the long side to which a photograph is reduced.
LONG = 640
# Views of a photograph with something marked, and of one without.
VIEWS, BARE_VIEWS = 14, 3
DOCUMENT, DEVICE, CORNERS = range(3)


class Marked:
    """One photograph: pixels, quads of documents and devices in shares, which maps are known, and its group."""

    def __init__(self, path, image, quads, known, group):
        self.path, self.image, self.quads, self.known, self.group = path, image, quads, known, group


def _read(path):
    image = read(path)
    return cv2.resize(image, fitted(image.shape[1::-1], LONG), interpolation=cv2.INTER_AREA)


def marked_photographs(root):
    """-> [Marked] of the marked photographs, and of originals that show neither documents nor devices."""
    pictures = {p.path: p for p in load_photographs(root)}
    pages = {row["path"]: row["source"] for row in whole_rows(root)}
    rows = {}
    with open(BORDERS, newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["path"], []).append(row)
    done = []
    for path, mine in rows.items():
        picture = pictures.get(path)
        if picture is None and path not in pages:
            continue
        group = picture.group if picture else COUPLED.get(pages[path], pages[path])
        quads, known = {DOCUMENT: [], DEVICE: []}, np.zeros(3, bool)
        shown = picture is None or picture.label == ORIGINAL
        for row in mine:
            if row["thing"] in ("document", "device"):
                quad = np.array([[float(row[f"x{k}"]), float(row[f"y{k}"])] for k in range(4)], np.float32)
                quads[DOCUMENT if row["thing"] == "document" else DEVICE].append(quad)
            elif row["thing"] == "fills":
                quads[DOCUMENT].append(WHOLE + np.sign(WHOLE - 0.5))
        things = {row["thing"] for row in mine}
        # Of a screen without a document's row it is not known whether its picture is one.
        known[DOCUMENT] = bool(things & {"document", "fills", "none"})
        known[CORNERS] = known[DOCUMENT] and "fills" not in things
        known[DEVICE] = "device" in things or shown
        done.append(
            Marked(path, _read(os.path.join(root, (picture and picture.overview) or path)), quads, known, group)
        )
    with open(CASES, newline="") as file:
        objects = {row["path"] for row in csv.DictReader(file) if row["case"] == DEVICES_AS_OBJECTS}
    for p in pictures.values():
        if p.shows_things and p.path not in objects and p.path not in rows:
            image = _read(os.path.join(root, p.overview or p.path))
            done.append(Marked(p.path, image, {DOCUMENT: [], DEVICE: []}, np.array([False, True, False]), p.group))
    return done


def marked_view(marked, rng):
    """A part of the photograph, tilted a little, in another light -> picture and target as
    `scenes.scene` gives them."""
    h, w = marked.image.shape[:2]
    share = rng.uniform(0.72, 1.0, 2) if rng.random() < 0.7 else np.ones(2)
    left, top = rng.uniform(0, 1, 2) * (1 - share)
    box = (np.array([left, top]) + WHOLE * share + rng.normal(0, 0.012, (4, 2))) * (w, h)
    picture = cv2.warpPerspective(
        marked.image,
        cv2.getPerspectiveTransform(box.astype(np.float32), grid(2 * SIZE)),
        (2 * SIZE, 2 * SIZE),
        borderMode=cv2.BORDER_REPLICATE,
    )
    m = cv2.getPerspectiveTransform(box.astype(np.float32), grid(FINE * CELLS))
    documents, devices = (
        [cv2.perspectiveTransform((quad * (w, h))[None].astype(np.float32), m)[0] for quad in marked.quads[channel]]
        for channel in (DOCUMENT, DEVICE)
    )
    return camera(light(picture.astype(np.float32), rng), rng), target(documents, devices)


def marked_views(marked, workers):
    """-> (pictures [N,192,192,3] and targets [N,3,48,48], bytes; known [N,3]), and how many views there are of each."""
    counts = [VIEWS if any(m.quads.values()) else BARE_VIEWS for m in marked]
    jobs = [(m, k) for m, count in zip(marked, counts) for k in range(count)]
    with ThreadPoolExecutor(workers) as pool:
        made = list(pool.map(lambda job: marked_view(job[0], generator(job[0].path, job[1])), jobs))
    pictures, targets = (np.stack(part) for part in zip(*made))
    return (pictures, targets, np.stack([m.known for m, _ in jobs])), counts
