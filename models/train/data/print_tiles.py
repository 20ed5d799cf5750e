"""Photographs of print -> tiles of it under photographic faults, and what a strong reader still reads of each cell.

The strong reader finds the lines of a photograph and reads them; what it reads surely there is the truth. The same
lines are read again after a fault was laid on the native pixels: the share of characters that is still right, in order,
is how readable the print is there. Faults are measured in heights of print, so that a card, an A4 page and a receipt
get the same ones.

A tile is the photograph reduced (never enlarged) until print is about GLYPH pixels high. Its truth is a map of cells:
print (there is a line), readable (share of its characters that is read). 255 means unknown.
"""

import csv
import multiprocessing
import os
import pickle
import time
import zlib

import cv2
import numpy as np

from ..draw.faults import faulty
from ..storing import storing
from .captures import load_photographs, whole_rows
from .strong_reader import begin, matched, reading, strip

TILE, CELL, GLYPH = 128, 16, 16.0
UNKNOWN = 255
SURE = 0.85  # confidence of the strong reader from which a line is truth
GLYPH_OF_BOX = 0.66  # height of a glyph over that of the reader's box: it draws boxes with a margin
WINDOWS, STEPS, LINES = 3, 6, 3  # a photograph, a window, read in a window
PHOTO_TILES = 2  # of a photograph of things: no print
LEAST_PX = 7.0  # a lower glyph is not judged even in the untouched photograph
CONTENTS = ("document", "id_card", "card")
TEXT_SCREENS = 60  # photographs of text on screens: print too, and its pixels are other ones


def inside(quad, size, steps=48):
    """The part of a line that lies in a window of `size`; `None` where little does."""
    share = np.linspace(0, 1, steps)[:, None]
    upper, lower = quad[0] + share * (quad[1] - quad[0]), quad[3] + share * (quad[2] - quad[3])
    in_window = ((np.minimum(upper, lower) >= 0) & (np.maximum(upper, lower) <= np.array(size) - 1)).all(1)
    where = np.flatnonzero(in_window)
    if len(where) < 3:
        return None
    first, last = where[0], where[-1]
    part = np.stack([upper[first], upper[last], lower[last], lower[first]]).astype(np.float32)
    tall = np.linalg.norm(part[3] - part[0])
    return part if np.linalg.norm(part[1] - part[0]) >= 0.8 * tall else None


def tiles(reader, rng, picture, found, source, path):
    """Windows about lines of `picture`, each under several faults -> rows (grey tile, print, readable, about)."""
    quads, texts, scores = found
    tall = lambda q: min(np.linalg.norm(q[3] - q[0]), np.linalg.norm(q[1] - q[0]))
    sure = [
        i for i, s in enumerate(scores) if s >= SURE and texts[i].strip() and tall(quads[i]) * GLYPH_OF_BOX >= LEAST_PX
    ]
    if not sure:
        return []
    rows = []
    for index in rng.choice(sure, min(WINDOWS, len(sure)), replace=False):
        h = tall(quads[index]) * GLYPH_OF_BOX
        scale = min(1.0, GLYPH / h * float(np.exp(rng.uniform(-0.45, 0.45))))
        side = int(TILE / scale) + 2
        middle = quads[index][0] + rng.uniform(0.1, 0.9) * (quads[index][2] - quads[index][0])
        x, y = (int(round(m - side / 2)) for m in middle)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 6)), 1.0)
        x0, y0 = np.clip(x, 0, max(picture.shape[1] - side, 0)), np.clip(y, 0, max(picture.shape[0] - side, 0))
        window = picture[y0 : y0 + side, x0 : x0 + side]
        if min(window.shape[:2]) < 40:
            continue
        offset, size = np.array([x0, y0], np.float32), window.shape[1::-1]
        parts = [(inside(q - offset, size), s, tall(q) * GLYPH_OF_BOX) for q, s in zip(quads, scores)]
        parts = [(q, s, t) for q, s, t in parts if q is not None]
        chosen = sorted((p for p in parts if p[1] >= SURE and 0.4 * h < p[2] < 2.5 * h), key=lambda p: abs(p[2] - h))[
            :LINES
        ]
        truth = reader.read([strip(window, q) for q, *_ in chosen])
        known = [(q, text) for (q, *_), (text, score) in zip(chosen, truth) if score >= SURE and text.strip()]
        if not known:
            continue
        outlines = [q for q, *_ in parts]
        for step in range(STEPS):
            seen, names = faulty(rng, window.astype(np.float32), h, step)
            seen = seen.astype(np.uint8)
            shares = (
                [1.0] * len(known)
                if step == 0
                else [
                    matched(text, wanted)
                    for (text, _), (_, wanted) in zip(reader.read([strip(seen, q) for q, _ in known]), known)
                ]
            )
            grey = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
            grey = cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            tile = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
            turned = lambda q, turn=turn, scale=scale: (np.c_[q, np.ones(4)] @ turn.T) * scale
            rows.append(
                placed(
                    tile,
                    [turned(q) for q in outlines],
                    [(turned(q), s) for (q, _), s in zip(known, shares)],
                    {
                        "source": source,
                        "path": path,
                        "faults": names,
                        "glyph": h * scale,
                        "native": h,
                        "share": float(np.mean(shares)),
                    },
                )
            )
    return rows


def placed(tile, outlines, read, about):
    """A tile of TILE a side and its maps."""
    full = np.full((TILE, TILE), UNKNOWN, np.uint8)
    rows, columns = min(TILE, tile.shape[0]), min(TILE, tile.shape[1])
    picture = cv2.copyMakeBorder(tile[:rows, :columns], 0, TILE - rows, 0, TILE - columns, cv2.BORDER_REFLECT)
    full[:rows, :columns] = 0
    for quad in outlines:
        cv2.fillPoly(full, [quad.astype(np.int32)], 1)
    cells = TILE // CELL
    area = lambda mask: mask.reshape(cells, CELL, cells, CELL).mean((1, 3))
    covered, beyond = area((full == 1).astype(np.float32)), area((full == UNKNOWN).astype(np.float32))
    print_map = np.full((cells, cells), UNKNOWN, np.uint8)
    print_map[(covered >= 0.35)] = 1
    print_map[(covered <= 0.02)] = 0
    print_map[beyond > 0.3] = UNKNOWN
    if "highlight" in about["faults"]:  # nobody sees print under it
        print_map[print_map == 1] = UNKNOWN
    weight, total = np.zeros((cells, cells)), np.zeros((cells, cells))
    for quad, share in read:
        mask = np.zeros((TILE, TILE), np.float32)
        cv2.fillPoly(mask, [quad.astype(np.int32)], 1.0)
        weight, total = weight + area(mask), total + area(mask) * share
    readable = np.full((cells, cells), UNKNOWN, np.uint8)
    there = (weight >= 0.3) & (beyond <= 0.3)
    readable[there] = np.round(200 * total[there] / weight[there]).astype(np.uint8)
    return picture, print_map, readable, about


def blank_tiles(rng, picture, source, path):
    """Things without print, at any scale and under faults of their own."""
    rows = []
    for _ in range(PHOTO_TILES):
        scale = float(rng.uniform(0.3, 1.0))
        side = min(int(TILE / scale) + 2, *picture.shape[:2])
        x, y = rng.integers(0, picture.shape[1] - side + 1), rng.integers(0, picture.shape[0] - side + 1)
        seen, names = faulty(rng, picture[y : y + side, x : x + side].astype(np.float32), 16.0, int(rng.integers(0, 2)))
        grey = cv2.cvtColor(seen.astype(np.uint8), cv2.COLOR_BGR2GRAY)
        tile = cv2.resize(grey, (TILE, TILE), interpolation=cv2.INTER_AREA)
        cells = TILE // CELL
        rows.append(
            (
                tile,
                np.zeros((cells, cells), np.uint8),
                np.full((cells, cells), UNKNOWN, np.uint8),
                {"source": source, "path": path, "faults": names, "glyph": 0.0, "native": 0.0, "share": -1.0},
            )
        )
    return rows


def photographs_of_print(root):
    """-> (path, source, has print) of what is learnt from."""
    found, screens = [(row["path"], row["source"], True) for row in whole_rows(root)], []
    for p in load_photographs(root):
        if p.kind in ("documents", "cards") or (p.label == "original" and p.content in CONTENTS):
            found.append((p.path, p.group, True))
        elif p.label == "original" and p.content == "photo":
            found.append((p.path, p.group, False))
        elif p.content == "screen_text":
            screens.append((p.path, p.group, True))
    screens.sort(key=lambda row: zlib.crc32(row[0].encode()))
    return found + screens[:TEXT_SCREENS]


def _made(job):
    root, (path, source, has_print), cache = job
    name = os.path.join(cache, path.replace("/", "__") + ".pkl")
    if not os.path.exists(name):
        picture = cv2.imread(os.path.join(root, path))
        rng = np.random.default_rng(zlib.crc32(path.encode()))
        found = None
        if picture is None or min(picture.shape[:2]) < 64:
            rows = []
        elif has_print:
            found = reading().find(picture)
            rows = tiles(reading(), rng, picture, found, source, path)
        else:
            rows = blank_tiles(rng, picture, source, path)
        with storing(name) as file:
            pickle.dump({"rows": rows, "found": found}, file)
    return name


def make(root, cache, simulated=None, workers=1):
    """Makes what is missing of the tiles; -> names of their files."""
    os.makedirs(cache, exist_ok=True)
    jobs = [(root, row, cache) for row in photographs_of_print(root)]
    if simulated:
        with open(os.path.join(simulated, "labels.csv"), newline="") as file:
            jobs += [
                (simulated, (row["path"], "simulated", True), cache)
                for row in csv.DictReader(file)
                if row["label"] == "original"
            ]
    names, start = [], time.time()
    with multiprocessing.get_context("spawn").Pool(workers, begin) as pool:
        for done, name in enumerate(pool.imap_unordered(_made, jobs, 2)):
            names.append(name)
            if done % 25 == 0:
                print(f"photographs: {done}/{len(jobs)}, {time.time() - start:.0f} s", flush=True)
    return sorted(names)


def load(names):
    """-> tiles [N,128,128], print [N,8,8], readable [N,8,8] (0 to 200), about."""
    rows = []
    for name in names:
        with open(name, "rb") as file:
            rows += pickle.load(file)["rows"]
    pictures, prints, readable, about = zip(*rows)
    return np.stack(pictures), np.stack(prints), np.stack(readable), list(about)
