"""Drawn and photographed documents -> views, kinds and turns for the classifier of documents, cached."""

import csv
import json
import multiprocessing
import os
import time

import cv2
import numpy as np

from ..draw.documents import UNTURNED, framed, view
from ..draw.faces import KINDS
from ..draw.stock import Stock
from ..storing import storing
from .captures import SCREEN, generator, load_photographs
from .frames import KIND_OF_TYPE, corners_of, lengthwise, marked_rows, outline, read, seen_rows, straight

KIND_OF_DESIGN = {"card": "portrait_side", "reverse": "emblem_side", "passport": "passport_page", "page": "licence"}
KIND_OF_MATERIAL = {"cards": "card", "documents": "page"}
SCREEN_CONTENTS = ("photo", "screen_text")
# Photographs of grey copies: never trained on.
COPIES = "hossamamrani__Project"
PART = 2000  # views drawn at a time
VIEWS_A_FRAME, VIEWS_A_QUAD, VIEWS_A_SCREEN = 12, 10, 4
_stock = None


def _begin(photos, faces, fonts):
    global _stock
    cv2.setNumThreads(1)
    _stock = Stock(photos, faces, fonts)


def _made(seed):
    return view(_stock, seed)


def drawn(stock_parts, first, count, path, workers):
    """`count` views from seed `first` on, in parts; -> pictures [N,120,192,3], kinds, turns."""
    parts, pool = [], None
    for part in range(count // PART):
        name = f"{path}_{part:03d}.npz"
        if not os.path.exists(name):
            pool = pool or multiprocessing.get_context("spawn").Pool(workers, _begin, stock_parts)
            start, seeds = time.time(), range(first + part * PART, first + (part + 1) * PART)
            _store(name, list(pool.imap(_made, seeds, chunksize=25)))
            print(f"views: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(name)
        parts.append((stored["pictures"], stored["kinds"], stored["turns"]))
    if pool:
        pool.close()
    return [np.concatenate(column) for column in zip(*parts)]


def _store(name, views):
    pictures, kinds, turns = zip(*views)
    with storing(name) as file:
        np.savez(file, pictures=np.stack(pictures), kinds=np.array(kinds), turns=np.array(turns))


def found_quads(path):
    """Rows of `bonafide screen` -> the end of each picture's path -> its document's corners."""
    found = {}
    for line in open(path) if path else ():
        row = json.loads(line)
        if row.get("document"):
            found["/".join(row["path"].split("/")[-3:])] = np.array(row["document"]["corners"], np.float32)
    return found


def materials(root, quads, tested):
    """Cards and papers at the quadrilaterals that were found, of every other source; -> path, corners, kind, source."""
    pictures = [p for p in load_photographs(root) if p.kind in KIND_OF_MATERIAL]
    sources = {kind: sorted({p.source for p in pictures if p.kind == kind}) for kind in KIND_OF_MATERIAL}
    for picture in pictures:
        path = picture.overview or picture.path
        if "/".join(path.split("/")[-3:]) in quads and sources[picture.kind].index(picture.source) % 2 == tested:
            quad = quads["/".join(path.split("/")[-3:])]
            yield os.path.join(root, path), quad, KIND_OF_MATERIAL[picture.kind], picture.source


def screens(root, tested):
    """Photographs of screens that show things or text, of every other source; -> path, content."""
    pictures = [p for p in load_photographs(root) if p.label == SCREEN and p.content in SCREEN_CONTENTS]
    groups = sorted({p.group for p in pictures})
    for picture in pictures:
        if groups.index(picture.group) % 2 == tested:
            yield os.path.join(root, picture.overview or picture.path), picture.content


def photographed(root, quads, path):
    """Views of marked frames, cards and papers, and of screens without documents, that may be trained on."""
    if not os.path.exists(path):
        views = []
        for row in seen_rows(root):
            corners = corners_of(row)
            image, kind = read(os.path.join(root, row["path"])), KINDS.index(KIND_OF_TYPE[row["document"]])
            for k in range(VIEWS_A_FRAME):
                picture, turn = framed(image, corners, generator(row["path"], k))
                views.append((picture, kind, turn))
        for name, corners, kind, _ in materials(root, quads, tested=0):
            image = read(name)
            for k in range(VIEWS_A_QUAD):
                views.append((framed(image, corners, generator(name, k))[0], KINDS.index(kind), UNTURNED))
        for name, content in screens(root, tested=0):
            if content != "photo":  # text on a screen, close by, looks like a page
                continue
            image = read(name)
            for k in range(VIEWS_A_SCREEN):
                rng = generator(name, k)
                low, high = rng.uniform(0, 0.35, 2), rng.uniform(0.65, 1, 2)
                corners = outline(image) * (high - low) + low * image.shape[1::-1]
                views.append((framed(image, corners.astype(np.float32), rng)[0], KINDS.index("none"), UNTURNED))
        _store(path, views)
    stored = np.load(path)
    return stored["pictures"], stored["kinds"], stored["turns"]


def marked_views(root, wanted):
    for row in marked_rows(root):
        if wanted(row):
            image, corners = read(os.path.join(root, row["path"])), corners_of(row)
            for turn in lengthwise(corners):
                yield straight(image, corners, turn), KINDS.index(KIND_OF_TYPE[row["document"]]), turn


def copied_views(root, quads, types):
    """Photographed grey copies at the quadrilaterals found; which way up is not known."""
    for picture in load_photographs(root):
        name = "/".join((picture.overview or picture.path).split("/")[-3:])
        kind = os.path.basename(picture.path).split("-")[0]
        if name.startswith(COPIES) and name in quads and kind in types:
            image, corners = read(os.path.join(root, name)), quads[name]
            yield straight(image, corners, lengthwise(corners)[0]), KINDS.index(KIND_OF_TYPE[kind]), UNTURNED


def material_views(root, quads, wanted):
    for path, corners, kind, _ in materials(root, quads, tested=1):
        if kind == wanted:
            yield straight(read(path), corners, lengthwise(corners)[0]), KINDS.index(kind), UNTURNED


def screen_views(root, content):
    for name, shown in screens(root, tested=1):
        if shown == content:
            image = read(name)
            corners = outline(image)
            yield straight(image, corners, lengthwise(corners)[0]), KINDS.index("none"), UNTURNED


def simulated_views(root):
    with open(os.path.join(root, "labels.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["content"] in KIND_OF_DESIGN and row["corner0_x"]:
            corners = corners_of(row, ("corner{k}_x", "corner{k}_y"))
            for turn in lengthwise(corners):
                picture = straight(read(os.path.join(root, row["path"])), corners, turn)
                yield picture, KINDS.index(KIND_OF_DESIGN[row["content"]]), turn
