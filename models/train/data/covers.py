"""Photographed and drawn documents -> views with things and light over them, cached."""

import os
import pickle
import time

import cv2
import numpy as np

from ..draw.cover_maps import COLUMNS, MAPS, ROWS
from ..draw.covers import covered_view, drawn_document
from ..draw.documents import beside, cut
from ..draw.stock import Stock
from ..draw.words import chance, pick
from ..storing import storing
from .captures import load_photographs
from .frames import PORTRAITS, portrait_of, read
from .genuine import THIRDS, known_maps

PART, DRAWN = 1000, 900
DRAWN_SEED = 31_000_000
BARE_SEED, BARE = 33_000_000, 4_000  # photographed documents with nothing laid over them
REAL = 0.68  # share of the views
ALMOST_SQUARE = 1.15


def photos_of(root):
    """Overviews of captures that show things; -> pixels and group."""
    found = []
    for p in load_photographs(root):
        if p.shows_things:
            image = read(os.path.join(root, p.overview or p.path))
            factor = min(1.0, 420 / max(image.shape[:2]))
            found.append((cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), p.group))
    return found


def stocks(root, found, fonts):
    """What is drawn with, for each fold: photographs and portraits of its own sources alone."""
    photos = photos_of(root)
    groups = sorted({group for _, group in photos})
    made = []
    for fold in range(THIRDS):
        faces = []
        for d in found:
            if d.fold == fold and d.group in PORTRAITS:
                faces.append(portrait_of(cut(d.image, d.corners), d.group))
        fold_of = {d.group: d.fold for d in found}
        own = [image for image, g in photos if fold_of.get(g, groups.index(g) % THIRDS) == fold]
        made.append(Stock(own, faces, fonts))
        made[-1].papers = [cut(d.image, d.corners) for d in found if d.fold == fold and not d.marks]
    return made


class Maker:
    """Numbers to views."""

    def __init__(self, found, stock, drawn):
        self.stock, self.drawn, self.groups = stock, drawn, [{} for _ in range(THIRDS)]
        for d in found:
            self.groups[d.fold].setdefault(d.group, []).append(d)

    def view(self, number):
        """-> picture, maps; of documents, photographs and portraits of one fold."""
        rng, fold = np.random.default_rng(number), number % THIRDS
        if number < BARE_SEED and chance(rng, 1 - REAL):
            nothing = np.zeros((len(MAPS), ROWS, COLUMNS), np.uint8)
            return covered_view(pick(rng, self.drawn[fold]), nothing, rng, self.stock[fold])
        groups = list(self.groups[fold].values())
        weight = np.array([len(group) ** 0.5 for group in groups])
        document = pick(rng, groups[rng.choice(len(groups), p=weight / weight.sum())])
        corners = document.corners
        sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
        if sides[0] < ALMOST_SQUARE * sides[1] and chance(rng, 0.5):
            corners = np.roll(corners, 1, 0)
        corners = corners if document.whole else beside(rng, corners)
        bare = number >= BARE_SEED
        return covered_view(cut(document.image, corners), known_maps(document, corners), rng, self.stock[fold], bare)


def drawn_documents(stock, path):
    """Drawn documents of each fold; cached."""
    if not os.path.exists(path):
        start, made = time.time(), [[] for _ in range(THIRDS)]
        for index in range(DRAWN):
            made[index % THIRDS].append(
                drawn_document(stock[index % THIRDS], np.random.default_rng(DRAWN_SEED + index))
            )
        print(f"{DRAWN} drawn documents, {time.time() - start:.0f} s", flush=True)
        with storing(path) as file:
            pickle.dump(made, file)
    with open(path, "rb") as file:
        return pickle.load(file)


def cover_views(maker, first, count, path):
    """`count` views in cached parts; -> pictures [N,120,192,3], maps [N,2,15,24], folds."""
    parts = []
    for part in range(count // PART):
        name, start, numbers = f"{path}_{part:03d}.npz", time.time(), first + part * PART + np.arange(PART)
        if not os.path.exists(name):
            made = [maker().view(int(number)) for number in numbers]
            with storing(name) as file:
                np.savez(file, pictures=np.stack([m[0] for m in made]), maps=np.stack([m[1] for m in made]))
            print(f"views: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(name)
        parts.append((stored["pictures"], stored["maps"], numbers % THIRDS))
    return [np.concatenate(column) for column in zip(*parts)]
