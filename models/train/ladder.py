"""Photographs of print -> tiles of it under photographic faults, and what a strong reader still reads of each cell.

    python models/train/ladder.py --photos DIR [--simulated DIR] [--cache DIR]
    python models/train/ladder.py --photos DIR --whole OUT --readable datasets/readable.csv

The strong reader is PP-OCRv6 from the package `rapidocr` (Apache-2.0), used here alone and never shipped. It finds the
lines of a photograph and reads them; what it reads surely there is the truth. The same lines are read again after a
fault was laid on the native pixels: the share of characters that is still right, in order, is how readable the print
is there. Faults are measured in heights of print, so that a card, an A4 page and a receipt get the same ones.

`--whole` writes whole photographs under faults instead, with labels for the program and the benchmark: of documents that
a person reads without effort, what share of their surely read characters is left.

A tile is the photograph reduced (never enlarged) until print is about GLYPH pixels high. Its truth is a map of cells:
print (there is a line), readable (share of its characters that is read). 255 means unknown.
"""
import argparse
import csv
import multiprocessing
import os
import pickle
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from dataset import load_photographs  # noqa: E402

TILE, CELL, GLYPH = 128, 16, 16.0
UNKNOWN = 255
SURE = 0.85  # confidence of the strong reader from which a line is truth
GLYPH_OF_BOX = 0.66  # height of a glyph over that of the reader's box: it draws boxes with a margin
WINDOWS, STEPS, LINES = 3, 6, 3  # a photograph, a window, read in a window
PHOTO_TILES = 2  # of a photograph of things: no print
LEAST_PX = 7.0  # a lower glyph is not judged even in the untouched photograph
CONTENTS = ("document", "id_card", "card")
TEXT_SCREENS = 60  # photographs of text on screens: print too, and its pixels are other ones
FAULTS = ("defocus", "motion", "low_light", "highlight", "shadow", "reduction", "jpeg", "messenger")


# ---- The strong reader

class Reader:
    def __init__(self):
        from rapidocr import RapidOCR
        from rapidocr.ch_ppocr_rec.typings import TextRecInput
        quiet = {"Global.log_level": "critical", "Global.use_cls": False, "Global.text_score": 0.0,
                 "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                 "EngineConfig.onnxruntime.inter_op_num_threads": 1}
        self.engine, self.input = RapidOCR(params=quiet), TextRecInput
        line = np.full((96, 384, 3), 255, np.uint8)
        cv2.putText(line, "READ THIS", (20, 65), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (0, 0, 0), 4)
        self.engine(line)  # it loads its networks with the first line

    def find(self, picture):
        """-> quads [N,4,2], texts, confidences."""
        said = self.engine(picture)
        if said.boxes is None:
            return np.zeros((0, 4, 2), np.float32), [], []
        return np.array(said.boxes, np.float32), list(said.txts), [float(s) for s in said.scores]

    def read(self, strips):
        if not strips:
            return []
        said = self.engine.text_rec(self.input(img=strips, return_word_box=False))
        return list(zip(said.txts, map(float, said.scores)))


def matched(read, wanted):
    """Characters of `wanted` that are in `read` in order (longest common subsequence), as a share."""
    row = [0] * (len(wanted) + 1)
    for a in read:
        last = row[:]
        for j, b in enumerate(wanted):
            row[j + 1] = last[j] + 1 if a == b else max(last[j + 1], row[j])
    return row[-1] / len(wanted)


def strip(picture, quad):
    """The line inside `quad` (from its own top left) seen straight on."""
    w = int(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]), 4))
    h = int(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]), 4))
    to = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    seen = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(quad.astype(np.float32), to), (w, h),
                               flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(seen)) if h >= 1.5 * w else seen  # as the reader itself takes upright lines


# ---- Faults, on native pixels (BGR, float32); h is the height of a glyph

def defocus(rng, p, h):
    radius = h * rng.uniform(0.04, 0.5)
    side = 2 * int(np.ceil(radius)) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    disk = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return cv2.filter2D(p, -1, disk / disk.sum(), borderType=cv2.BORDER_REFLECT)


def motion(rng, p, h):
    length, angle = h * rng.uniform(0.15, 1.2), rng.uniform(0, np.pi)
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((side, side), np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    middle = np.array([side // 2, side // 2])
    ends = [tuple(np.round(16 * (middle + k * step)).astype(int).tolist()) for k in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(p, -1, kernel / max(kernel.sum(), 1e-6), borderType=cv2.BORDER_REFLECT)


def low_light(rng, p, h):
    light = rng.uniform(0.05, 0.5)
    photons = 10 ** rng.uniform(0.7, 2.6)
    dark = p * light
    noise = rng.normal(0, 1, p.shape[:2] + (1,)) * 0.7 + rng.normal(0, 1, p.shape) * 0.4
    dark = dark + noise * np.sqrt(np.maximum(dark, 1) * 255 * light / photons + 4)
    dark = np.clip(dark, 0, 255)
    if rng.random() < 0.5:  # what phones do against noise
        dark = cv2.bilateralFilter(dark.astype(np.float32), 5, 25, 2.0)
    return dark * rng.uniform(1, min(0.9 / light, 6)) if rng.random() < 0.5 else dark


def highlight(rng, p, h):
    """A lamp in lamination: adds light with a soft border until the sensor is at its end."""
    rows, columns = p.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    cx, cy, angle = rng.uniform(0, columns), rng.uniform(0, rows), rng.uniform(0, np.pi)
    a, b = h * rng.uniform(1.5, 7), h * rng.uniform(0.8, 4)
    u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    fall = np.exp(-((u / a) ** 2 + (v / b) ** 2) ** rng.uniform(0.7, 2))
    return p + (fall * rng.uniform(80, 600))[..., None]


def shadow(rng, p, h):
    """A hard shadow; behind it light is less, not contrast."""
    rows, columns = p.shape[:2]
    mask = np.ones((rows, columns), np.float32)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3) * max(rows, columns)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    side = (x - columns / 2) * np.cos(angle) + (y - rows / 2) * np.sin(angle) > far
    mask[side] = rng.uniform(0.12, 0.6)
    return p * cv2.GaussianBlur(mask, (0, 0), h * rng.uniform(0.05, 0.6) + 0.3)[..., None]


def reduction(rng, p, h, least=4.0, most=14.0):
    factor = min(1.0, rng.uniform(least, most) / h)
    small = cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (p.shape[1], p.shape[0]), interpolation=cv2.INTER_CUBIC)


def jpeg(rng, p, h, low=4, high=45):
    return compressed(p, int(rng.integers(low, high)))


def compressed(p, quality):
    sampling = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x221111]
    return cv2.imdecode(cv2.imencode(".jpg", np.clip(p, 0, 255).astype(np.uint8), sampling)[1], 1).astype(np.float32)


def messenger(rng, p, h):
    """Reduced, compressed and brought back by the viewer: what a chat makes of a photograph."""
    factor = min(1.0, rng.uniform(5, 20) / h)
    small = cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    small = compressed(small, int(rng.integers(15, 75)))
    return cv2.resize(small, (p.shape[1], p.shape[0]), interpolation=cv2.INTER_CUBIC)


LAY = dict(zip(FAULTS, (defocus, motion, low_light, highlight, shadow, reduction, jpeg, messenger)))


def faulty(rng, p, h, step):
    """The first step is the photograph itself; of the others one in four has two faults. -> picture, names."""
    if step == 0:
        return p, ()
    names = [str(rng.choice(FAULTS))]
    if rng.random() < 0.25:
        names.append(str(rng.choice(FAULTS)))
    for name in names:
        p = np.clip(LAY[name](rng, p.astype(np.float32), h), 0, 255)
    if rng.random() < 0.7:
        p = compressed(p, int(rng.integers(60, 96)))
    return np.clip(p, 0, 255), tuple(names)


# ---- Tiles

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
    tall = lambda q: min(np.linalg.norm(q[3] - q[0]), np.linalg.norm(q[1] - q[0]))  # noqa: E731
    sure = [i for i, s in enumerate(scores) if s >= SURE and texts[i].strip() and tall(quads[i]) * GLYPH_OF_BOX >= LEAST_PX]
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
        window = picture[y0:y0 + side, x0:x0 + side]
        if min(window.shape[:2]) < 40:
            continue
        offset, size = np.array([x0, y0], np.float32), window.shape[1::-1]
        parts = [(inside(q - offset, size), s, tall(q) * GLYPH_OF_BOX) for q, s in zip(quads, scores)]
        parts = [(q, s, t) for q, s, t in parts if q is not None]
        chosen = sorted((p for p in parts if p[1] >= SURE and 0.4 * h < p[2] < 2.5 * h), key=lambda p: abs(p[2] - h))[:LINES]
        truth = reader.read([strip(window, q) for q, *_ in chosen])
        known = [(q, text) for (q, *_), (text, score) in zip(chosen, truth) if score >= SURE and text.strip()]
        if not known:
            continue
        outlines = [q for q, *_ in parts]
        for step in range(STEPS):
            seen, names = faulty(rng, window.astype(np.float32), h, step)
            seen = seen.astype(np.uint8)
            shares = [1.0] * len(known) if step == 0 else [
                matched(text, wanted) for (text, _), (_, wanted) in zip(reader.read([strip(seen, q) for q, _ in known]), known)]
            grey = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
            grey = cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            tile = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
            turned = lambda q: (np.c_[q, np.ones(4)] @ turn.T) * scale  # noqa: E731
            rows.append(placed(tile, [turned(q) for q in outlines], [(turned(q), s) for (q, _), s in zip(known, shares)],
                               {"source": source, "path": path, "faults": names, "glyph": h * scale, "native": h,
                                "share": float(np.mean(shares))}))
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
    area = lambda mask: mask.reshape(cells, CELL, cells, CELL).mean((1, 3))  # noqa: E731
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
        seen, names = faulty(rng, picture[y:y + side, x:x + side].astype(np.float32), 16.0, int(rng.integers(0, 2)))
        grey = cv2.cvtColor(seen.astype(np.uint8), cv2.COLOR_BGR2GRAY)
        tile = cv2.resize(grey, (TILE, TILE), interpolation=cv2.INTER_AREA)
        cells = TILE // CELL
        rows.append((tile, np.zeros((cells, cells), np.uint8), np.full((cells, cells), UNKNOWN, np.uint8),
                     {"source": source, "path": path, "faults": names, "glyph": 0.0, "native": 0.0, "share": -1.0}))
    return rows


# ---- Photographs

def photographs(root):
    """-> (path, source, has print) of what is learnt from."""
    found, screens = [], []
    whole = os.path.join(root, "whole.csv")
    if os.path.exists(whole):
        with open(whole, newline="") as file:
            found += [(row["path"], row["source"], True) for row in csv.DictReader(file)]
    for p in load_photographs(root):
        if p.kind in ("documents", "cards") or (p.label == "original" and p.content in CONTENTS):
            found.append((p.path, p.group, True))
        elif p.label == "original" and p.content == "photo":
            found.append((p.path, p.group, False))
        elif p.content == "screen_text":
            screens.append((p.path, p.group, True))
    screens.sort(key=lambda row: zlib.crc32(row[0].encode()))
    return found + screens[:TEXT_SCREENS]


_reader = None


def _begin():
    global _reader
    cv2.setNumThreads(1)
    _reader = Reader()


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
            found = _reader.find(picture)
            rows = tiles(_reader, rng, picture, found, source, path)
        else:
            rows = blank_tiles(rng, picture, source, path)
        with open(name + ".part", "wb") as file:
            pickle.dump({"rows": rows, "found": found}, file)
        os.replace(name + ".part", name)
    return name


def make(root, cache, simulated=None, workers=1):
    """Makes what is missing of the tiles; -> names of their files."""
    os.makedirs(cache, exist_ok=True)
    jobs = [(root, row, cache) for row in photographs(root)]
    if simulated:
        with open(os.path.join(simulated, "labels.csv"), newline="") as file:
            jobs += [(simulated, (row["path"], "simulated", True), cache) for row in csv.DictReader(file)
                     if row["label"] == "original"]
    names, start = [], time.time()
    with multiprocessing.get_context("spawn").Pool(workers, _begin) as pool:
        for done, name in enumerate(pool.imap_unordered(_made, jobs, 2)):
            names.append(name)
            if done % 25 == 0:
                print(f"photographs: {done}/{len(jobs)}, {time.time() - start:.0f} s", flush=True)
    return sorted(names)


# ---- Whole photographs under faults, for the program itself

WHOLE_STEPS = ("none", *FAULTS, "defocus", "motion", "low_light", "reduction", "messenger")
WHOLE_LINES = 12
LEAST_CHARACTERS = 12


def _whole(job):
    root, out, cache, row = job
    name = os.path.join(cache, row["path"].replace("/", "__") + ".pkl")
    with open(name, "rb") as file:
        found = pickle.load(file)["found"]
    tall = lambda q: min(np.linalg.norm(q[3] - q[0]), np.linalg.norm(q[1] - q[0])) * GLYPH_OF_BOX  # noqa: E731
    sure = [i for i, s in enumerate(found[2]) if s >= SURE and found[1][i].strip() and tall(found[0][i]) >= LEAST_PX]
    if sum(len(found[1][i]) for i in sure) < LEAST_CHARACTERS:
        return []
    picture = cv2.imread(os.path.join(root, row["path"]))
    rng = np.random.default_rng(zlib.crc32(("whole " + row["path"]).encode()))
    h = float(np.median([tall(found[0][i]) for i in sure]))
    chosen = rng.choice(sure, min(WHOLE_LINES, len(sure)), replace=False)
    quads = [found[0][i] for i in chosen]
    truth = [(k, text) for k, (text, score) in enumerate(_reader.read([strip(picture, q) for q in quads])) if score >= SURE]
    if sum(len(text) for _, text in truth) < LEAST_CHARACTERS:
        return []
    rows = []
    for step, fault in enumerate(WHOLE_STEPS):
        seen = picture.astype(np.float32)
        if fault != "none":
            seen = np.clip(LAY[fault](rng, seen, h), 0, 255)
        seen = seen.astype(np.uint8)
        path = f"{row['path'].replace('/', '__').rsplit('.', 1)[0]}_{step:02d}_{fault}.jpg"
        cv2.imwrite(os.path.join(out, path), seen, [cv2.IMWRITE_JPEG_QUALITY, 92])
        said = _reader.read([strip(seen, quads[k]) for k, _ in truth])
        wanted = sum(len(text) for _, text in truth)
        right = sum(matched(text, want) * len(want) for (text, _), (_, want) in zip(said, truth))
        share = right / max(wanted, 1)
        rows.append({"path": path, "label": "original", "source": row["source"], "content": row["content"],
                     "readable": "yes" if share >= 0.9 else "no" if share <= 0.5 else "part",
                     "fault": fault, "share": f"{share:.3f}"})
    return rows


def whole(root, out, cache, readable, workers):
    os.makedirs(out, exist_ok=True)
    with open(readable, newline="") as file:
        chosen = [row for row in csv.DictReader(file) if row["whole"] == "1" and row["readable"] == "yes"]
    jobs = [(root, out, cache, row) for row in chosen]
    with multiprocessing.get_context("spawn").Pool(workers, _begin) as pool, \
            open(os.path.join(out, "labels.csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, ("path", "label", "source", "content", "readable", "fault", "share"))
        writer.writeheader()
        for done, rows in enumerate(pool.imap(_whole, jobs)):
            writer.writerows(rows)
            print(f"documents: {done + 1}/{len(jobs)}", flush=True)


def load(names):
    """-> tiles [N,128,128], print [N,8,8], readable [N,8,8] (0 to 200), about."""
    rows = []
    for name in names:
        with open(name, "rb") as file:
            rows += pickle.load(file)["rows"]
    pictures, prints, readable, about = zip(*rows)
    return np.stack(pictures), np.stack(prints), np.stack(readable), list(about)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--simulated")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train/ladder"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--whole", help="folder for whole photographs under faults")
    parser.add_argument("--readable", default="datasets/readable.csv", help="which documents a person reads, by eye")
    args = parser.parse_args()
    if args.whole:
        whole(args.photos, args.whole, args.cache, args.readable, args.workers)
        return
    names = make(args.photos, args.cache, args.simulated, args.workers)
    pictures, prints, readable, about = load(names)
    known = readable != UNKNOWN
    print(f"{len(pictures)} tiles of {len({a['path'] for a in about})} photographs, {len({a['source'] for a in about})} "
          f"sources; {known.sum()} cells read, of which {(readable[known] >= 180).mean():.0%} nearly whole, "
          f"{(readable[known] <= 60).mean():.0%} hardly")


if __name__ == "__main__":
    main()
