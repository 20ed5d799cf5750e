"""Reports of the program and corners that are known -> how well the document is found.

    bonafide screen DIR --format jsonl --output reports.jsonl
    python -m train corners --reports reports.jsonl --photos DIR      (document_corners.csv)
    python -m train corners --reports reports.jsonl --simulated DIR   (labels.csv of `bonafide simulate`)

Intersection over union of the quadrilaterals inside the frame; a document that was not found counts as 0. Intervals
are 95 %, from resampling clips (document types for the photographs) and captures.
"""

import csv
import json
import os

import cv2
import numpy as np

from .. import options
from ..figures import resampled

ROUNDS = 1000  # of resampling


def truths(folder, name):
    """-> path -> (corners [4,2], group)"""
    with open(os.path.join(folder, name), newline="") as file:
        rows = list(csv.DictReader(file))
    if name == "labels.csv":
        at = lambda r: [[float(r[f"corner{k}_x"]), float(r[f"corner{k}_y"])] for k in range(4)]
        return {r["path"]: (np.array(at(r)), r["label"], r["seed"]) for r in rows}
    at = lambda r: [[float(r[f"x{k}"]), float(r[f"y{k}"])] for k in range(4)]
    return {r["path"]: (np.array(at(r)), r["document"], r["document"] + r["clip"]) for r in rows}


def overlap(a, b, width, height):
    """Intersection over union inside the frame, on a grid of eight points a pixel of a 256-pixel picture."""
    factor = 2048 / max(width, height)
    size = (int(height * factor) + 1, int(width * factor) + 1)
    masks = []
    for quad in (a, b):
        mask = np.zeros(size, np.uint8)
        cv2.fillConvexPoly(mask, (np.asarray(quad) * factor).round().astype(np.int32), 1)
        masks.append(mask > 0)
    return (masks[0] & masks[1]).sum() / max((masks[0] | masks[1]).sum(), 1)


def line(name, iou, groups):
    mean, above = iou.mean(), (iou > 0.9).mean()
    a, b = resampled(lambda rows: iou[rows].mean(), groups, ROUNDS)
    c, d = resampled(lambda rows: (iou[rows] > 0.9).mean(), groups, ROUNDS)
    return (
        f"| {name} | {len(iou)} | {mean:.3f} [{a:.3f}, {b:.3f}] | {100 * above:.1f} % [{100 * c:.1f}, {100 * d:.1f}] "
        f"| {100 * (iou == 0).mean():.1f} % |"
    )


def main():
    parser = options.parser(__doc__)
    parser.add_argument("--reports", required=True)
    parser.add_argument("--photos")
    parser.add_argument("--simulated")
    parser.add_argument("--worst", type=int, default=0, help="name so many of the worst")
    args = parser.parse_args()
    known = truths(args.photos, "document_corners.csv") if args.photos else truths(args.simulated, "labels.csv")
    iou, kinds, groups, names = [], [], [], []
    for text in open(args.reports):
        report = json.loads(text)
        path = next((p for p in known if report["path"].endswith(p)), None)
        if path is None or "error" in report:
            continue
        corners, kind, group = known[path]
        found = report["document"]
        value = overlap(found["corners"], corners, report["width"], report["height"]) if found else 0.0
        iou.append(value), kinds.append(kind), groups.append(group), names.append(path)
    iou, kinds, groups = np.array(iou), np.array(kinds), np.array(groups)
    print("| documents | n | mean overlap | above 0.9 | not found or beside it |\n| --- | --- | --- | --- | --- |")
    for kind in sorted(set(kinds)):
        print(line(kind, iou[kinds == kind], groups[kinds == kind]))
    print(line("all", iou, groups))
    for k in np.argsort(iou)[: args.worst]:
        print(f"{iou[k]:.3f} {names[k]}")
