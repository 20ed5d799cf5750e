"""Leave-sources-out log-odds of both networks -> the fusion model: calibrated scores as ONNX, and its figures.

    python models/train/evaluate.py --photos DIR --scores scores.csv
    bonafide screen DIR --format jsonl --output readings.jsonl
    bonafide simulate --out ladder --count 1 --faulty 320 --seed 501
    bonafide screen ladder --reveal --format jsonl --output ladder.jsonl      (and another seed for --test)
    python models/train/fuse.py --scores scores.csv --readings readings.jsonl \\
        --ladder ladder/labels.csv ladder.jsonl --test other/labels.csv other.jsonl --out models

The screen score is a logistic regression over the log-odds of both networks, fitted on log-odds that came from
networks which never saw the capture's source, and over the moiré peak; each source is weighted n^-1/2. Its own figures
are cross-fitted over the same folds. A missing reading counts as zero log-odds: it neither accuses nor acquits.

The print score is the logistic of the mean of the print log-odds: no honest figure stands behind it (see the card), and
the policy only asks for review on it.

Legibility is a logistic regression over what the legibility network says of the document's print, fitted on a ladder of
simulated faults against "the program read the whole number", and over the number whose checks hold. Where no print was
judged, or the document is of a kind that the ladder does not hold, bounded readings of sharpness, exposure and glare
take its place, set from what they mean.
"""
import argparse
import csv
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from export import write_manifest  # noqa: E402

SCREEN = ("texture_net.screen_logodds", "scene_net.screen_logodds")
PRINT = ("texture_net.print_logodds", "scene_net.print_logodds")
# A reading that helps to tell a screen beside the networks; bounded to the middle 98 % of what was seen.
PERIODIC = ("moire.peak_db",)
# Where print was judged: fitted on the ladder.
JUDGED = ("legibility.readable", "legibility.zone_readable", "legibility.covered_share", "legibility.glare_share")
# Documents whose print the ladder speaks for: of others (playing cards, things) print is no measure.
FACES = tuple(f"document_net.{face}" for face in ("portrait_side", "emblem_side", "passport_page", "licence", "page"))
# Where it was not. Reading, centre, slope per unit (negative: more is worse), bounds of the value.
UNJUDGED = (
    # An edge 4.5 px wide blurs the strokes of text 16 px high, whose strokes are about 2 px, into each other.
    ("sharpness.wider_edge_px", 4.5, -1.15, (0.0, 14.0)),
    ("glare.largest_share", 0.0, -20.0, (0.0, 0.3)),
    ("exposure.contrast_luma", 60.0, 0.05, (0.0, 60.0)),
)
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
    logodds = np.array([[float(row["texture_screen"]), float(row["scene_screen"])] for row in rows])
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
    """Simulated captures of cards with a known number, of which print was judged -> readings [N,k], number consistent
    [N], read whole [N], share of characters read [N], fault [N], first reason [N]; and how many were not judged."""
    truth = {row["path"]: row for row in csv.DictReader(open(labels)) if row["number"]}
    x, consistent, whole, share, faults, first, unjudged = [], [], [], [], [], [], 0
    for line in open(reports):
        report = json.loads(line)
        row = truth.get(report["path"].split("/")[-1])
        if row is None or "findings" not in report:
            continue
        values = {k: v for finding in report["findings"] for k, v in finding["readings"].items()}
        if JUDGED[0] not in values:
            unjudged += 1
            continue
        read = (report["number"] or {}).get("text", "")
        x.append([values.get(name, np.nan) for name in JUDGED])
        consistent.append(values.get(CONSISTENT[0], 0.0))
        whole.append(read == row["number"])
        share.append(matched(read, row["number"]))
        faults.append(row["fault"])
        first.append(report["reasons"][0]["code"] if report["reasons"] else "")
    return tuple(map(np.array, (x, consistent, whole, share, faults, first))) + (unjudged,)


def matched(read, wanted):
    """Characters of `wanted` that are in `read` in order (longest common subsequence), as a share."""
    row = [0] * (len(wanted) + 1)
    for a in read:
        last = row[:]
        for j, b in enumerate(wanted):
            row[j + 1] = last[j] + 1 if a == b else max(last[j + 1], row[j])
    return row[-1] / len(wanted)


def legibility_head(fitted_on, tested_on):
    """Terms of the legibility head and its figures on the other ladder, with and without the number itself."""
    x, _, whole, *_ = ladder(*fitted_on)
    centre = np.nanmean(x, axis=0)
    spread = np.nanstd(x, axis=0)
    model = LogisticRegression(C=1.0, max_iter=1000).fit(np.nan_to_num((x - centre) / spread), whole)
    slope, bias = model.coef_[0] / spread, model.intercept_[0]
    print("legibility:", dict(zip(JUDGED, slope.round(2))), "centres", centre.round(3), "bias", round(bias, 3))
    x, consistent, whole, share, faults, first, unjudged = ladder(*tested_on)
    print(f"other ladder: {len(x)} judged, {unjudged} not")
    without = np.nan_to_num(x - centre) @ slope + bias
    for what, score in (("without the number", without), ("with it", without + CONSISTENT[1] * consistent)):
        for name, figure in (("ROC-AUC against the number read whole", lambda i: roc_auc_score(whole[i], score[i])),
                             ("SROCC with the share of characters", lambda i: spearmanr(share[i], score[i])[0])):
            rows = np.arange(len(x))
            low, high = interval(lambda i: figure(rows[i]), rows)
            print(f"legibility {what}: {name} {figure(rows):.3f} [{low:.3f}, {high:.3f}], n {len(x)} ({whole.sum()} whole)")
    for fault in sorted(set(faults) - {""}):
        mine = faults == fault
        unread = mine & ~whole
        counts = {c: int((first[unread] == c).sum()) for c in sorted(set(first[unread]))}
        print(f"{fault}: {whole[mine].sum()} of {mine.sum()} read whole; first reason of the others {counts}")
    terms = {name: (s, c, (0.0, 1.0)) for name, s, c in zip(JUDGED, slope, centre)}
    terms[JUDGED[0]] += (bias,)
    terms |= {name: (slope, centre, bounds) for name, centre, slope, bounds in UNJUDGED}
    terms |= {name: (0.0, 0.0, (0.0, 1.0)) for name in FACES}
    return terms | {CONSISTENT[0]: (CONSISTENT[1], 0.0, (0.0, 1.0))}


def build(inputs, heads, path, about):
    """Row of values and presences -> three logistic heads; each head is (terms by reading, bias). A term is slope, centre,
    bounds and what the mere presence of the reading adds. JUDGED count as far as the document is one of FACES."""
    k = len(inputs)
    low, high = np.full(2 * k, -1e30, np.float32), np.full(2 * k, 1e30, np.float32)
    weights, bias = np.zeros((2 * k, 3), np.float32), np.zeros(3, np.float32)
    for column, (terms, constant) in enumerate(heads):
        bias[column] = constant
        for name, (slope, centre, bounds, *present) in terms.items():
            i = inputs.index(name)
            # slope * (value - centre) where it was measured, nothing where it was not
            weights[i, column], weights[k + i, column] = slope, sum(present) - slope * centre
            low[i], high[i] = bounds
    # How far the judged terms count: the share of faces whose print the ladder knows; the unjudged ones count for the rest.
    known, base, shift = np.zeros((2 * k, 1), np.float32), np.ones(2 * k, np.float32), np.zeros(2 * k, np.float32)
    known[[inputs.index(name) for name in FACES]] = 1.0
    for names, sign in ((JUDGED, 1.0), ([name for name, *_ in UNJUDGED], -1.0)):
        for i in (inputs.index(name) for name in names):
            base[[i, k + i]], shift[[i, k + i]] = (0.0 if sign > 0 else 1.0), sign
    judged = k + inputs.index(JUDGED[0])
    # A value that was not measured arrives as 0 and must stay 0 for every bound: values are bounded, then masked.
    nodes = [
        helper.make_node("Max", ["readings", "low"], ["from_below"]),
        helper.make_node("Min", ["from_below", "high"], ["bounded"]),
        helper.make_node("Slice", ["readings", "half", "end", "axis"], ["present"]),
        helper.make_node("Concat", ["present", "present"], ["mask"], axis=1),
        helper.make_node("Mul", ["bounded", "mask"], ["masked"]),
        helper.make_node("Slice", ["readings", "judged", "after", "axis"], ["was_judged"]),
        helper.make_node("MatMul", ["masked", "known"], ["of_known"]),
        helper.make_node("Mul", ["was_judged", "of_known"], ["weight_judged"]),
        helper.make_node("Mul", ["weight_judged", "shift"], ["shifted"]),
        helper.make_node("Add", ["base", "shifted"], ["open"]),
        helper.make_node("Mul", ["masked", "open"], ["passed"]),
        helper.make_node("Gemm", ["passed", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    constants = {
        "low": low, "high": high, "weights": weights, "bias": bias,
        "half": np.array([k]), "end": np.array([2 * k]), "axis": np.array([1]),
        "judged": np.array([judged]), "after": np.array([judged + 1]), "known": known, "base": base, "shift": shift,
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
    parser.add_argument("--scores", required=True, help="csv of `evaluate.py --scores`")
    parser.add_argument("--readings", required=True, help="rows of `bonafide screen DIR --format jsonl`")
    ladders = dict(nargs=2, required=True, metavar=("LABELS", "REPORTS"))
    parser.add_argument("--ladder", help="labels.csv of `bonafide simulate --faulty`, rows of `screen --reveal`", **ladders)
    parser.add_argument("--test", help="the same of another seed, for figures alone", **ladders)
    parser.add_argument("--out", default="models")
    args = parser.parse_args()
    screen = screen_head(args.scores, args.readings, (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
    prints = ({name: (0.5, 0.0, FREE) for name in PRINT}, 0.0)
    legibility = (legibility_head(args.ladder, args.test), 0.0)
    inputs = [*SCREEN, *PERIODIC, *PRINT, *JUDGED, *FACES, *(name for name, *_ in UNJUDGED), CONSISTENT[0]]
    path = os.path.join(args.out, "fusion.onnx")
    print("scores with nothing measured:", build(inputs, (screen, prints, legibility), path, "bonafide fusion"))
    write_manifest(args.out, ["fusion"], {"fusion": inputs})


if __name__ == "__main__":
    main()
