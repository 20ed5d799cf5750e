"""Documents that a person reads -> whole photographs of them under faults, and what share of their print is left."""

import csv
import multiprocessing
import os
import pickle
import zlib

import cv2
import numpy as np

from ..draw.faults import FAULTS, LAY
from .print_tiles import GLYPH_OF_BOX, LEAST_PX, SURE
from .strong_reader import begin, matched, reading, strip

WHOLE_STEPS = ("none", *FAULTS, "defocus", "motion", "low_light", "reduction", "messenger")
WHOLE_LINES = 12
LEAST_CHARACTERS = 12


def _whole(job):
    root, out, cache, row = job
    name = os.path.join(cache, row["path"].replace("/", "__") + ".pkl")
    with open(name, "rb") as file:
        found = pickle.load(file)["found"]
    tall = lambda q: min(np.linalg.norm(q[3] - q[0]), np.linalg.norm(q[1] - q[0])) * GLYPH_OF_BOX
    sure = [i for i, s in enumerate(found[2]) if s >= SURE and found[1][i].strip() and tall(found[0][i]) >= LEAST_PX]
    if sum(len(found[1][i]) for i in sure) < LEAST_CHARACTERS:
        return []
    picture = cv2.imread(os.path.join(root, row["path"]))
    rng = np.random.default_rng(zlib.crc32(("whole " + row["path"]).encode()))
    h = float(np.median([tall(found[0][i]) for i in sure]))
    chosen = rng.choice(sure, min(WHOLE_LINES, len(sure)), replace=False)
    quads = [found[0][i] for i in chosen]
    truth = [
        (k, text) for k, (text, score) in enumerate(reading().read([strip(picture, q) for q in quads])) if score >= SURE
    ]
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
        said = reading().read([strip(seen, quads[k]) for k, _ in truth])
        wanted = sum(len(text) for _, text in truth)
        right = sum(matched(text, want) * len(want) for (text, _), (_, want) in zip(said, truth))
        share = right / max(wanted, 1)
        rows.append(
            {
                "path": path,
                "label": "original",
                "source": row["source"],
                "content": row["content"],
                "readable": "yes" if share >= 0.9 else "no" if share <= 0.5 else "part",
                "fault": fault,
                "share": f"{share:.3f}",
            }
        )
    return rows


def whole(root, out, cache, readable, workers):
    os.makedirs(out, exist_ok=True)
    with open(readable, newline="") as file:
        chosen = [row for row in csv.DictReader(file) if row["whole"] == "1" and row["readable"] == "yes"]
    jobs = [(root, out, cache, row) for row in chosen]
    with (
        multiprocessing.get_context("spawn").Pool(workers, begin) as pool,
        open(os.path.join(out, "labels.csv"), "w", newline="") as file,
    ):
        writer = csv.DictWriter(file, ("path", "label", "source", "content", "readable", "fault", "share"))
        writer.writeheader()
        for done, rows in enumerate(pool.imap(_whole, jobs)):
            writer.writerows(rows)
            print(f"documents: {done + 1}/{len(jobs)}", flush=True)
