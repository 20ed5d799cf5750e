"""Rows of `bonafide screen` and labels by eye -> how many readable genuine documents pass at first try, and why others do not.

    python models/train/legibility.py --photos DIR --folds-out FOLDS     (a net that never saw each source)
    bonafide screen LIST --models FOLD --format jsonl --output rows.jsonl (each source by the fold without it)
    python models/train/first_try.py --readable datasets/readable.csv --rows rows.jsonl

Photographs that are there twice count once. Playing and trading cards and puzzles are told apart: nobody files them.
Intervals are exact (Clopper and Pearson) over files.
"""
import argparse
import collections
import csv
import json

from scipy.stats import beta

GAMES = ("playing_card", "trading_card", "sudoku")
DECISIONS = ("accept", "retake", "review", "reject")


def share(k, n):
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{k} of {n}, {k / n:.1%} [{100 * low:.1f}, {100 * high:.1f}]" if n else "0 of 0"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readable", default="datasets/readable.csv")
    parser.add_argument("--rows", nargs="+", required=True)
    args = parser.parse_args()
    with open(args.readable, newline="") as file:
        labels = {row["path"]: row for row in csv.DictReader(file) if row["whole"] == "1"}
    seen, decided, reasons = set(), collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
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
        print(f"{group[0]}, readable {group[1]}: accepted {share(decided[group]['accept'], total)}; {told}; "
              f"first reasons of the others {dict(reasons[group])}")


if __name__ == "__main__":
    main()
