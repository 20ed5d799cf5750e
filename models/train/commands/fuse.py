"""Leave-sources-out log-odds of both networks -> the fusion model: calibrated scores as ONNX, and its figures.

    python -m train evaluate --photos DIR --scores scores.csv
    bonafide screen DIR --format jsonl --output readings.jsonl
    python -m train ladder --photos DIR --whole ladder
    bonafide screen ladder --models FOLD --format jsonl --output ladder.jsonl    (each source by the fold without it)
    python -m train fuse --scores scores.csv --readings readings.jsonl --ladder ladder/labels.csv ladder.jsonl

The screen score is a logistic regression over the log-odds of both networks, the overview's the mean of its looks,
fitted on log-odds that came from networks which never saw the capture's source, and over the moiré peak; each source is
weighted n^-1/2. Its own figures are cross-fitted over the same folds. A missing reading counts as zero log-odds: it
neither accuses nor acquits. Without `--scores` the screen and print heads of the model in `--out` are kept as they are,
without `--ladder` that of legibility.

The print score is the logistic of the mean of the print log-odds: no honest figure stands behind it (see the card), and
the policy only asks for review on it.

Legibility is a logistic regression over what the legibility network says of the document's print, on average and in the
worst zone. It is fitted on photographs of documents under photographic faults against "four fifths of the characters
are still read", each source weighted n^-1/2; its figures are cross-fitted over sources. A number whose checks hold was
read. Where there is no print there is no score.
"""

import csv
import json
import os
import tomllib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from .. import options
from ..figures import resampled, sigmoid
from ..nets.fusion import CONSISTENT, FREE, JUDGED, PERIODIC, PRINT, SCREEN, build, kept
from ..nets.graph import write_manifest

# Share of characters still read from which a document counts as readable.
READ = 0.8
# Contents of single large digits and symbols: a dozen of them say little of how the rest of the print is read.
FEW_CHARACTERS = ("playing_card", "sudoku")


def fit(x, attack, weight):
    model = LogisticRegression(C=1.0, max_iter=1000).fit(x, attack, sample_weight=weight)
    return model.coef_[0], model.intercept_[0]


def equal_error(score, attack):
    thresholds = np.unique(score)
    apcer = np.array([(score[attack] < t).mean() for t in thresholds])
    bpcer = np.array([(score[~attack] >= t).mean() for t in thresholds])
    at = np.abs(apcer - bpcer).argmin()
    return (apcer[at] + bpcer[at]) / 2


def calibration_error(score, attack, bins=10):
    """Expected calibration error over `bins` equal-width bins."""
    edges = np.minimum((score * bins).astype(int), bins - 1)
    return sum(
        (edges == b).mean() * abs(score[edges == b].mean() - attack[edges == b].mean()) for b in np.unique(edges)
    )


def periodic(path):
    """Readings of PERIODIC by file, from rows of `bonafide screen --format jsonl`; paths end as in the table."""
    found = {}
    for line in open(path):
        row = json.loads(line)
        values = {k: v for finding in row.get("findings", []) for k, v in finding["readings"].items()}
        parts = row["path"].split("/")
        for first in range(len(parts)):
            found["/".join(parts[first:])] = [values.get(name, np.nan) for name in PERIODIC]
    return found


def read(path, readings):
    rows = list(csv.DictReader(open(path)))
    column = lambda name: np.array([row[name] for row in rows])
    texture, scene, near = (
        np.array([float(row[f"{k}_screen"] or "nan") for row in rows]) for k in ("texture", "scene", "near")
    )
    logodds = np.stack([texture, np.nanmean([scene, near], 0)], 1)
    measured = periodic(readings)
    absent = [np.nan] * len(PERIODIC)
    more = np.array([measured.get(row["path"], absent) for row in rows], float)
    return (
        np.hstack([logodds, more]),
        column("label"),
        column("kind"),
        column("content"),
        column("source"),
        column("fold"),
    )


def screen_head(path, readings, review):
    """Fits the screen head and prints its cross-fitted figures; gives its terms and bias."""
    x, label, kind, content, source, fold = read(path, readings)
    known = np.isin(label, ["original", "screen"])
    x, label, kind, content, source, fold = (a[known] for a in (x, label, kind, content, source, fold))
    attack = label == "screen"
    weight = np.zeros(len(x))
    for name in np.unique(source):
        mine = source == name
        weight[mine] = mine.sum() ** -0.5
    # Bounds and centres are those of all captures, labels unseen; a missing reading lies at the centre.
    k = len(SCREEN)
    floor, ceiling = np.nanpercentile(x[:, k:], [1, 99], axis=0)
    x[:, k:] = np.clip(x[:, k:], floor, ceiling)
    centre = np.nanmean(x[:, k:], axis=0)
    x[:, k:] = np.nan_to_num(x[:, k:] - centre, nan=0.0)
    score = np.zeros(len(x))
    for out in np.unique(fold):
        coef, bias = fit(x[fold != out], attack[fold != out], weight[fold != out])
        score[fold == out] = sigmoid(x[fold == out] @ coef + bias)
    main = kind == "captures"
    s, a, g = score[main], attack[main], source[main]
    low, high = resampled(lambda i: roc_auc_score(a[i], s[i]), g)
    print(f"screen score, cross-fitted: AUC {roc_auc_score(a, s):.3f} [{low:.3f}, {high:.3f}]")
    low, high = resampled(lambda i: equal_error(s[i], a[i]), g)
    print(f"D-EER {equal_error(s, a):.1%} [{low:.1%}, {high:.1%}], n {a.sum()} screens / {(~a).sum()} originals")
    print(f"ECE {calibration_error(s, a):.3f}")
    for t in review:
        rows = [f"APCER {(s[a] < t).mean():.1%}", f"BPCER {(s[~a] >= t).mean():.1%}"]
        for extra in ("cards", "documents"):
            rows.append(f"{extra} flagged {(score[kind == extra] >= t).mean():.1%} (n {(kind == extra).sum()})")
        print(f"at {t:.2f}: " + ", ".join(rows))
    coef, bias = fit(x, attack, weight)
    print("coefficients:", dict(zip(SCREEN + PERIODIC, coef.round(3))), "bias", round(bias, 3))
    terms = {name: (c, 0.0, FREE) for name, c in zip(SCREEN, coef)}
    terms |= {name: (c, m, (a, b)) for name, c, m, a, b in zip(PERIODIC, coef[k:], centre, floor, ceiling)}
    return terms, bias


def ladder(labels, reports):
    """Photographs under faults -> readings [N,2], share of characters read, source, fault, whether they show running
    print, [N] each; and how many showed no print to the program."""
    truth = {row["path"]: row for row in csv.DictReader(open(labels))}
    rows, unjudged = [], []
    for line in open(reports):
        report = json.loads(line)
        row = truth.get(report["path"].split("/")[-1])
        if row is None or "findings" not in report:
            continue
        values = {k: v for finding in report["findings"] for k, v in finding["readings"].items()}
        if JUDGED[0] in values:
            rows.append(
                (
                    [values[name] for name in JUDGED],
                    float(row["share"]),
                    row["source"],
                    row["fault"],
                    row["content"] not in FEW_CHARACTERS,
                )
            )
        else:
            unjudged.append((float(row["share"]), row["fault"]))
    return tuple(map(np.array, zip(*rows))) + (unjudged,)


def legibility_head(fitted_on):
    """Terms and bias of the legibility head, and its figures, each source scored by a head that never saw it."""
    x, share, source, fault, running, unjudged = ladder(*fitted_on)
    read = share >= READ
    weight = np.array([(source == name).sum() ** -0.5 for name in source])
    weight[~running] = 0
    weight *= np.where(read, 0.5 / weight[read].sum(), 0.5 / weight[~read].sum()) * len(x)
    score = np.zeros(len(x))
    for name in np.unique(source):
        mine = source == name
        coef, bias = fit(x[~mine], read[~mine], weight[~mine])
        score[mine] = sigmoid(x[mine] @ coef + bias)
    clear = (share >= 0.9) | (share <= 0.6)
    for what, chosen in (
        ("running print", running),
        ("the same, shares between 0.6 and 0.9 left out", running & clear),
        ("all", share >= 0),
    ):
        s, r, g = score[chosen], read[chosen], source[chosen]
        low, high = resampled(lambda i, r=r, s=s: roc_auc_score(r[i], s[i]), g)
        print(
            f"legibility, cross-fitted, {what}: ROC-AUC {roc_auc_score(r, s):.3f} [{low:.3f}, {high:.3f}], "
            f"n {r.sum()} read, {(~r).sum()} not, {len(set(g))} sources; below 0.5: of those read "
            f"{(s[r] < 0.5).mean():.1%}, of the others {(s[~r] < 0.5).mean():.1%}"
        )
    print(f"no print seen in {len(unjudged)}, of which {sum(s >= READ for s, _ in unjudged)} could be read")
    for name in sorted(set(fault)):
        mine = running & (fault == name)
        print(
            f"{name}: of {(mine & read).sum()} read {(score[mine & read] >= 0.5).sum()} at 0.5 or more, of "
            f"{(mine & ~read).sum()} others {(score[mine & ~read] < 0.5).sum()} below"
        )
    coef, bias = fit(x, read, weight)
    print("legibility:", dict(zip(JUDGED, coef.round(2))), "bias", round(bias, 2))
    terms = {name: (c, 0.0, (0.0, 1.0)) for name, c in zip(JUDGED, coef)}
    return terms | {CONSISTENT[0]: (CONSISTENT[1], 0.0, (0.0, 1.0))}, bias


def main():
    parser = options.parser(__doc__)
    parser.add_argument("--scores", help="csv of `evaluate --scores`; without it the heads in --out are kept")
    parser.add_argument("--readings", help="rows of `bonafide screen DIR --format jsonl`")
    parser.add_argument(
        "--ladder",
        nargs=2,
        metavar=("LABELS", "REPORTS"),
        help="labels.csv of `ladder --whole`, rows of `bonafide screen`",
    )
    options.out(parser)
    args = parser.parse_args()
    path = os.path.join(args.out, "fusion.onnx")
    with open(os.path.join(args.out, "manifest.toml"), "rb") as file:
        fusion = next(m for m in tomllib.load(file)["model"] if m["id"] == "fusion")
    screen, prints, legibility = kept(path, fusion["inputs"])
    if args.scores:
        screen = screen_head(args.scores, args.readings, (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
        prints = ({name: (0.5, 0.0, FREE) for name in PRINT}, 0.0)
    if args.ladder:
        legibility = legibility_head(args.ladder)
    inputs = [*SCREEN, *PERIODIC, *PRINT, *JUDGED, CONSISTENT[0]]
    print("scores with nothing measured:", build(inputs, (screen, prints, legibility), path, "bonafide fusion"))
    write_manifest(args.out, ["fusion"], {"fusion": inputs})
