"""Rows of `bonafide screen` and labels by eye -> how many readable genuine documents pass at
first try, and why others do not.

    python -m train legibility --photos DIR --folds-out FOLDS             (a net that never saw each source)
    bonafide screen LIST --models FOLD --format jsonl --output rows.jsonl (each source by the fold without it)
    python -m train first_try --rows rows.jsonl

Photographs that are there twice count once. Playing and trading cards and puzzles are told apart: nobody files them.
Intervals are exact (Clopper and Pearson) over files.
"""

import collections
import csv
import json
import os

from .. import options
from ..figures import exact_interval
from ..paths import DATASETS

GAMES = ("playing_card", "trading_card", "sudoku")
DECISIONS = ("accept", "retake", "review", "reject")


def told_share(k, n):
    if not n:
        return "0 of 0"
    low, high = exact_interval(k, n)
    return f"{k} of {n}, {k / n:.1%} [{100 * low:.1f}, {100 * high:.1f}]"


def main():
    parser = options.parser(__doc__)
    parser.add_argument("--readable", default=os.path.join(DATASETS, "readable.csv"))
    parser.add_argument("--rows", nargs="+", required=True)
    args = parser.parse_args()
    with open(args.readable, newline="") as file:
        labels = {row["path"]: row for row in csv.DictReader(file) if row["whole"] == "1"}
    seen = set()
    decided, reasons = (collections.defaultdict(collections.Counter) for _ in range(2))
    for name in args.rows:
        for line in open(name):
            row = json.loads(line)
            parts = row["path"].split("/")
            label = next((labels[p] for p in ("/".join(parts[k:]) for k in range(len(parts))) if p in labels), None)
            if label is None or row.get("sha256") in seen:
                continue
            seen.add(row.get("sha256"))
            group = ("games" if label["content"] in GAMES else "documents", label["readable"])
            decided[group][row.get("decision", "not examined")] += 1
            if row.get("decision") != "accept":
                reasons[group][row["reasons"][0]["code"] if row.get("reasons") else "none"] += 1
    for group in sorted(decided):
        total = sum(decided[group].values())
        told = ", ".join(f"{decision} {decided[group][decision]}" for decision in DECISIONS)
        print(
            f"{group[0]}, readable {group[1]}: accepted {told_share(decided[group]['accept'], total)}; {told}; "
            f"first reasons of the others {dict(reasons[group])}"
        )
