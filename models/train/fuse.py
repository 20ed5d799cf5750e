"""Leave-sources-out log-odds of both networks -> the fusion model: calibrated scores as ONNX, and its figures.

    python models/train/evaluate.py --photos DIR --scores scores.csv
    bonafide screen DIR --format jsonl --output readings.jsonl
    python models/train/ladder.py --photos DIR --whole ladder --readable datasets/readable.csv
    bonafide screen ladder --models FOLD --format jsonl --output ladder.jsonl    (each source by the fold without it)
    python models/train/fuse.py --scores scores.csv --readings readings.jsonl \\
        --ladder ladder/labels.csv ladder.jsonl --out models

The screen score is a logistic regression over the log-odds of both networks, the overview's the mean of its
looks, fitted on log-odds that came from
networks which never saw the capture's source, and over the moiré peak; each source is weighted n^-1/2. Its own figures
are cross-fitted over the same folds. A missing reading counts as zero log-odds: it neither accuses nor acquits. Without
`--scores` the screen and print heads of the model in `--out` are kept as they are, without `--ladder` that of legibility.

The print score is the logistic of the mean of the print log-odds: no honest figure stands behind it (see the card), and
the policy only asks for review on it.

Legibility is a logistic regression over what the legibility network says of the document's print, on average and in the
worst zone. It is fitted on photographs of documents under photographic faults against "four fifths of the characters
are still read", each source weighted n^-1/2; its figures are cross-fitted over sources. A number whose checks hold was
read. Where there is no print there is no score.
"""
import argparse
import csv
import json
import os
import sys
import tomllib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from export import write_manifest  # noqa: E402

SCREEN = ("texture_net.screen_logodds", "scene_net.looks_screen_logodds")
PRINT = ("texture_net.print_logodds", "scene_net.print_logodds")
# A reading that helps to tell a screen beside the networks; bounded to the middle 98 % of what was seen.
PERIODIC = ("moire.peak_db",)
# Fitted on the ladder.
JUDGED = ("legibility.readable", "legibility.zone_readable")
# Share of characters still read from which a document counts as readable.
READ = 0.8
# Contents of single large digits and symbols: a dozen of them say little of how the rest of the print is read.
FEW_CHARACTERS = ("playing_card", "sudoku")
# A number whose checks hold was read: what it adds to the log-odds, by decree.
CONSISTENT = ("number.consistent", 4.0)
FREE = (-1e30, 1e30)


def fit(x, attack, weight):
    model = LogisticRegression(C=1.0, max_iter=1000).fit(x, attack, sample_weight=weight)
    return model.coef_[0], model.intercept_[0]


def logistic(z):
    return 1 / (1 + np.exp(-z))


def equal_error(score, attack):
    thresholds = np.unique(score)
    apcer = np.array([(score[attack] < t).mean() for t in thresholds])
    bpcer = np.array([(score[~attack] >= t).mean() for t in thresholds])
    at = np.abs(apcer - bpcer).argmin()
    return (apcer[at] + bpcer[at]) / 2


def calibration_error(score, attack, bins=10):
    """Expected calibration error over `bins` equal-width bins."""
    edges = np.minimum((score * bins).astype(int), bins - 1)
    return sum((edges == b).mean() * abs(score[edges == b].mean() - attack[edges == b].mean()) for b in np.unique(edges))


def interval(figure, groups, rounds=500):
    """95 % interval of `figure(indices)` from resampling sources."""
    rng = np.random.default_rng(0)
    names = np.unique(groups)
    where = {name: np.flatnonzero(groups == name) for name in names}
    drawn = [figure(np.concatenate([where[n] for n in rng.choice(names, len(names))])) for _ in range(rounds)]
    return np.percentile(drawn, [2.5, 97.5])


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
    column = lambda name: np.array([row[name] for row in rows])  # noqa: E731
    texture, scene, near = (np.array([float(row[f"{k}_screen"] or "nan") for row in rows]) for k in ("texture", "scene", "near"))
    logodds = np.stack([texture, np.nanmean([scene, near], 0)], 1)
    measured = periodic(readings)
    absent = [np.nan] * len(PERIODIC)
    more = np.array([measured.get(row["path"], absent) for row in rows], float)
    return np.hstack([logodds, more]), column("label"), column("kind"), column("content"), column("source"), column("fold")


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
        score[fold == out] = logistic(x[fold == out] @ coef + bias)
    main = kind == "captures"
    s, a, g = score[main], attack[main], source[main]
    low, high = interval(lambda i: roc_auc_score(a[i], s[i]), g)
    print(f"screen score, cross-fitted: AUC {roc_auc_score(a, s):.3f} [{low:.3f}, {high:.3f}]")
    low, high = interval(lambda i: equal_error(s[i], a[i]), g)
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
    """Photographs under faults -> readings [N,2], share of characters read [N], source [N], fault [N], whether they show
    running print [N]; and how many showed no print to the program."""
    truth = {row["path"]: row for row in csv.DictReader(open(labels))}
    rows, unjudged = [], []
    for line in open(reports):
        report = json.loads(line)
        row = truth.get(report["path"].split("/")[-1])
        if row is None or "findings" not in report:
            continue
        values = {k: v for finding in report["findings"] for k, v in finding["readings"].items()}
        if JUDGED[0] in values:
            rows.append(([values[name] for name in JUDGED], float(row["share"]), row["source"], row["fault"],
                         row["content"] not in FEW_CHARACTERS))
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
        score[mine] = logistic(x[mine] @ coef + bias)
    clear = (share >= 0.9) | (share <= 0.6)
    for what, chosen in (("running print", running), ("the same, shares between 0.6 and 0.9 left out", running & clear),
                         ("all", share >= 0)):
        s, r, g = score[chosen], read[chosen], source[chosen]
        low, high = interval(lambda i: roc_auc_score(r[i], s[i]), g)
        print(f"legibility, cross-fitted, {what}: ROC-AUC {roc_auc_score(r, s):.3f} [{low:.3f}, {high:.3f}], n {r.sum()} "
              f"read, {(~r).sum()} not, {len(set(g))} sources; below 0.5: of those read {(s[r] < 0.5).mean():.1%}, of the "
              f"others {(s[~r] < 0.5).mean():.1%}")
    print(f"no print seen in {len(unjudged)}, of which {sum(s >= READ for s, _ in unjudged)} could be read")
    for name in sorted(set(fault)):
        mine = running & (fault == name)
        print(f"{name}: of {(mine & read).sum()} read {(score[mine & read] >= 0.5).sum()} at 0.5 or more, of "
              f"{(mine & ~read).sum()} others {(score[mine & ~read] < 0.5).sum()} below")
    coef, bias = fit(x, read, weight)
    print("legibility:", dict(zip(JUDGED, coef.round(2))), "bias", round(bias, 2))
    terms = {name: (c, 0.0, (0.0, 1.0)) for name, c in zip(JUDGED, coef)}
    return terms | {CONSISTENT[0]: (CONSISTENT[1], 0.0, (0.0, 1.0))}, bias


def kept(path, inputs):
    """The heads of the fusion model at `path`, whose inputs are `inputs`."""
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
    k = len(inputs)
    heads = []
    for column in range(3):
        terms = {}
        for i, name in enumerate(inputs):
            slope, presence = (float(constants["weights"][j, column]) for j in (i, k + i))
            if slope == 0.0:
                continue
            terms[name] = (slope, -presence / slope, (float(constants["low"][i]), float(constants["high"][i])))
        heads.append((terms, float(constants["bias"][column])))
    return heads


def build(inputs, heads, path, about):
    """Row of values and presences -> three logistic heads; each head is (terms by reading, bias). A term is slope, centre
    and bounds of the value."""
    k = len(inputs)
    low, high = np.full(2 * k, -1e30, np.float32), np.full(2 * k, 1e30, np.float32)
    weights, bias = np.zeros((2 * k, 3), np.float32), np.zeros(3, np.float32)
    for column, (terms, constant) in enumerate(heads):
        bias[column] = constant
        for name, (slope, centre, bounds) in terms.items():
            i = inputs.index(name)
            # slope * (value - centre) where it was measured, nothing where it was not
            weights[i, column], weights[k + i, column] = slope, -slope * centre
            low[i], high[i] = bounds
    # A value that was not measured arrives as 0 and must stay 0 for every bound: values are bounded, then masked.
    nodes = [
        helper.make_node("Max", ["readings", "low"], ["from_below"]),
        helper.make_node("Min", ["from_below", "high"], ["bounded"]),
        helper.make_node("Slice", ["readings", "half", "end", "axis"], ["present"]),
        helper.make_node("Concat", ["present", "present"], ["mask"], axis=1),
        helper.make_node("Mul", ["bounded", "mask"], ["masked"]),
        helper.make_node("Gemm", ["masked", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    constants = {
        "low": low, "high": high, "weights": weights, "bias": bias,
        "half": np.array([k]), "end": np.array([2 * k]), "axis": np.array([1]),
    }
    graph = helper.make_graph(
        nodes, "fusion",
        [helper.make_tensor_value_info("readings", TensorProto.FLOAT, ["n", 2 * k])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, doc_string=about)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"readings": np.zeros((1, 2 * k), np.float32)})[0][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", help="csv of `evaluate.py --scores`; without it the heads in --out are kept")
    parser.add_argument("--readings", help="rows of `bonafide screen DIR --format jsonl`")
    parser.add_argument("--ladder", nargs=2, metavar=("LABELS", "REPORTS"),
                        help="labels.csv of `ladder.py --whole`, rows of `bonafide screen`")
    parser.add_argument("--out", default="models")
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


if __name__ == "__main__":
    main()
