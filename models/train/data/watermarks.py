"""Genuine and drawn documents -> views with and without watermarks, cached."""

import csv
import os
import pickle
import time
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from ..draw.covers import drawn_document
from ..draw.documents import beside, cut
from ..draw.stock import Stock
from ..draw.watermarks import watermark_view
from ..draw.words import chance, pick
from ..paths import DATASETS
from ..storing import storing
from .captures import load_photographs
from .frames import lengthwise, outline, read

PART, DRAWN, DRAWN_SEED = 500, 240, 41_000_000
REAL = 0.6  # share of the views
LONGEST = 1024  # of the picture from which a document is cut, as the program has it


@dataclass
class Genuine:
    """A photograph of a genuine document, small, and its corners, the long side across."""

    path: str
    source: str
    image: np.ndarray
    corners: np.ndarray


def half(source):
    """0 for sources to learn from, 1 for those that figures are told of."""
    return zlib.crc32(source.encode()) % 2


def genuine(root, quads, path):
    """The photographs of `datasets/readable.csv` at the corners that were found, whole where none were; cached."""
    if not os.path.exists(path):
        found = []
        with open(os.path.join(DATASETS, "readable.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            image = read(os.path.join(root, row["path"]))
            corners = quads.get("/".join(os.path.abspath(os.path.join(root, row["path"])).split("/")[-3:]))
            corners = outline(image) if corners is None else corners
            factor = min(1.0, LONGEST / max(image.shape[:2]))
            image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            corners = np.roll(corners, lengthwise(corners)[0], 0) * factor
            found.append(Genuine(row["path"], row["source"], image, corners.astype(np.float32)))
        with storing(path) as file:
            pickle.dump(found, file)
    with open(path, "rb") as file:
        return pickle.load(file)


def stock_of(root, fonts):
    """What is drawn with: photographs of things of the sources to learn from."""
    photos = []
    for p in load_photographs(root):
        if p.shows_things and half(p.source) == 0 and p.overview:
            photos.append(read(os.path.join(root, p.overview)))
    return Stock(photos[::2], (), fonts)


def drawn_documents(stock, path):
    if not os.path.exists(path):
        start = time.time()
        made = [drawn_document(stock, np.random.default_rng(DRAWN_SEED + index)) for index in range(DRAWN)]
        print(f"{DRAWN} drawn documents, {time.time() - start:.0f} s", flush=True)
        with storing(path) as file:
            pickle.dump(made, file)
    with open(path, "rb") as file:
        return pickle.load(file)


class Maker:
    """Numbers to views of genuine documents of the sources to learn from, and of drawn ones."""

    def __init__(self, found, stock, drawn):
        self.stock, self.drawn, self.sources = stock, drawn, {}
        for document in found:
            if half(document.source) == 0:
                self.sources.setdefault(document.source, []).append(document)

    def view(self, number):
        rng = np.random.default_rng(number)
        if chance(rng, 1 - REAL):
            return watermark_view(pick(rng, self.drawn), rng, self.stock)
        groups = list(self.sources.values())
        weight = np.array([len(group) ** 0.5 for group in groups])
        document = pick(rng, groups[rng.choice(len(groups), p=weight / weight.sum())])
        corners = beside(rng, document.corners) if chance(rng, 0.6) else document.corners
        return watermark_view(cut(document.image, corners), rng, self.stock)


def watermark_views(maker, first, count, path):
    """`count` views in cached parts; -> pictures [N,240,384,3], cells [N,30,48]."""
    parts = []
    for part in range(count // PART):
        name, start = f"{path}_{part:03d}.npz", time.time()
        if not os.path.exists(name):
            made = [maker().view(first + part * PART + k) for k in range(PART)]
            with storing(name) as file:
                np.savez(file, pictures=np.stack([m[0] for m in made]), cells=np.stack([m[1] for m in made]))
            print(f"views: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(name)
        parts.append((stored["pictures"], stored["cells"]))
    return [np.concatenate(column) for column in zip(*parts)]
