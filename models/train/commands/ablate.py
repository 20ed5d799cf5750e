"""Simulated captures in the screen heads, all and without one component at a time -> what each is worth.

    python -m train ablate --photos DIR --simulated DIR [--simulated-weight 0.25] [--markdown FILE]

The figures are of photographs, whose sources were left out.
"""

import csv
import os

import numpy as np

from .. import options
from ..data.captures import FOLDS, PRINT, SCREEN
from ..nets.fit import SCENE, TILES, Settings, fit_rows, screen_set
from ..nets.heads import log_odds
from ..nets.readers import load_table
from ..screen_figures import Curve, figure_row, percent

# What is left out: whether a row of labels.csv has the component.
COMPONENTS = (
    ("hands", lambda row: float(row["hand_mm"]) > 0),
    ("offset-printed originals", lambda row: bool(row["offset_lpi"])),
    ("messengers", lambda row: bool(row["delivered_quality"])),
    ("reflections", lambda row: float(row["glare"]) > 0),
    ("monitors", lambda row: row["species"] == "screen-monitor"),
    ("laptops", lambda row: row["species"] == "screen-laptop"),
    ("tablets", lambda row: row["species"] == "screen-tablet"),
    ("phones (PenTile)", lambda row: row["species"] == "screen-phone"),
    ("cards", lambda row: row["content"] == "card"),
    ("pages", lambda row: row["content"] == "page"),
)


def scores(table, allowed, weight):
    """Leave-sources-out log-odds of both nets together, heads trained on the rows of `allowed` alone."""
    s, out = Settings(), np.zeros(len(table.pictures))
    for fold in range(FOLDS):
        use, test = (table.fold != fold) & allowed, np.flatnonzero(table.fold == fold)
        for network in (TILES, SCENE):
            rows_of = lambda view, rows, network=network: table.rows(network, view, rows)
            head = fit_rows(table, screen_set(table, use, weight), rows_of, s.components, s.c, s.level)
            out[test] += log_odds(head, rows_of("plain", test)) / 2
    return out


def main():
    parser = options.parser(__doc__)
    options.captures(parser)
    parser.add_argument("--markdown", help="file for the Markdown table")
    parser.set_defaults(reader=options.PRETRAINED, simulated_weight=0.25)
    args = parser.parse_args()
    table, _ = load_table(args, ())
    with open(os.path.join(args.simulated, "labels.csv"), newline="") as file:
        labels = {row["path"]: row for row in csv.DictReader(file)}
    made = table.kind == "simulated"
    captures = (table.kind == "captures") & (table.label != PRINT)
    attack = table.label == SCREEN
    lines = [
        "| simulated captures in training | n | AUC | D-EER | BPCER at APCER 5 % | n attack / bona fide | cards "
        "flagged | documents flagged |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    cases = [("none", np.zeros(len(made), bool)), ("all", made)]
    cases += [
        (f"without {name}", np.array([m and not has(labels[p.path]) for m, p in zip(made, table.pictures)]))
        for name, has in COMPONENTS
    ]
    for name, kept in cases:
        s = scores(table, ~made | kept, args.simulated_weight)
        equal = Curve(s[captures], attack[captures]).threshold()
        flagged = [percent((s[table.kind == kind] >= equal).mean()) for kind in ("cards", "documents")]
        row = figure_row(name, s[captures], attack[captures], table.group[captures])
        used = (kept & (table.label != PRINT)).sum()
        lines.append(f"| {name} | {used} |" + row.split("|", 2)[2] + f" {flagged[0]} | {flagged[1]} |")
        print(lines[-1], flush=True)
    if args.markdown:
        with open(args.markdown, "w") as file:
            file.write("\n".join(lines) + "\n")
