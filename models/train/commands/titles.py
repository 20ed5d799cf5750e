"""Drawn photographs of Chinese documents, and rows of the program -> how many names it reads, and how many wrong.

    python -m train titles DIR [--count 10] [--fonts DIR]
    bonafide screen DIR --sensitivity temporary_card=normal --format jsonl --output rows.jsonl
    python -m train titles DIR --rows rows.jsonl

The first writes so many photographs of each name, and `labels.csv`; the last tells the figures, with exact 95 %
intervals. Nothing learns from these pictures.
"""

import csv
import json
import os

import numpy as np

from .. import options
from ..draw.stock import Stock
from ..draw.titled import CARDS, PAPERS, card, paper, photographed
from ..figures import share

SEED = 47_000_000


def write(folder, count, fonts):
    os.makedirs(folder, exist_ok=True)
    stock, rows = Stock([], folders=fonts), []
    for kind, names, maker in (("card", CARDS, card), ("paper", PAPERS, paper)):
        for number, (name, word) in enumerate(names.items()):
            for index in range(count):
                rng = np.random.default_rng((SEED, kind == "paper", number, index))
                path = f"{kind}_{word}_{number:02}_{index:02}.jpg"
                with open(os.path.join(folder, path), "wb") as file:
                    file.write(photographed(maker(stock, rng, name), rng))
                rows.append((path, kind, word))
    with open(os.path.join(folder, "labels.csv"), "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "kind", "title"), *rows])


def figures(folder, reports):
    with open(os.path.join(folder, "labels.csv"), newline="") as file:
        labels = {row["path"]: row for row in csv.DictReader(file)}
    seen, temporary = {"card": [], "paper": []}, []
    for line in open(reports):
        row = json.loads(line)
        label = labels.get(os.path.basename(row["path"]))
        if label is None or "document" not in row:
            continue
        title = (row["document"] or {}).get("title")
        seen[label["kind"]].append((title, label["title"]))
        told = any(reason["code"] == "temporary_card" for reason in row["reasons"])
        temporary.append((told, label["title"] == "temporary_identity_card"))
    print("| drawn | n | name read | another name read |\n| --- | --- | --- | --- |")
    for kind, rows in seen.items():
        right = sum(title == wanted for title, wanted in rows)
        wrong = sum(title is not None and title != wanted for title, wanted in rows)
        print(f"| {kind}s | {len(rows)} | {share(right, len(rows))} | {share(wrong, len(rows))} |")
    for wanted, name in ((True, "temporary cards told"), (False, "others told to be temporary")):
        mine = [told for told, is_so in temporary if is_so == wanted]
        print(f"| {name} | {len(mine)} | {share(sum(mine), len(mine))} | |")


def main():
    parser = options.parser(__doc__)
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--count", type=int, default=10, help="photographs of each name")
    parser.add_argument("--rows", help="rows of `bonafide screen` over them: tells the figures")
    options.fonts(parser)
    args = parser.parse_args()
    if args.rows:
        return figures(args.folder, args.rows)
    write(args.folder, args.count, args.fonts)
