"""Labelled photographs -> how well simple open methods, and this program, tell screens from originals, in one run.

    python benches/peers/baseline.py labels.csv --root DIR
    bonafide screen DIR --threads 1 --format jsonl -o rows.jsonl
    python benches/peers/baseline.py labels.csv --root DIR --bonafide rows.jsonl --models models --json figures.json
    python benches/peers/baseline.py --self-test

Needs, from PyPI:

    numpy==2.4.6
    opencv-python-headless==5.0.0.93
    scikit-learn==1.9.1
    onnxruntime==1.32.0     (only for --models)

The table has the columns `path`, `label` and `source` (others are passed over); a path is relative to `--root`. Every
method gives one number a photograph, the higher the likelier a screen, on the same files in the same order. The
direction of each was fixed before any figure was seen and is never turned: an AUC below 0.5 says that the rule points
the wrong way.

    fft_resized   Peak to mean of the log magnitude of the 2-D Fourier transform, outside a masked centre and inside
                  the largest whole ring, of the grey picture resized to 512 x 512: what is usually posted as a moire
                  detector. Peaks come from a lattice of pixels: higher is a screen.
    fft_native    The same of the middle 512 x 512 pixels at native resolution, since resizing takes fine moire away.
    blur          Variance of the Laplacian (Pech-Pacheco and others, 2000, as a measure of focus). A recapture passes
                  two lenses and a display's coarser grid: less variance is a screen.
    saturation    Mean of the saturation in HSV. Displays are taken to show colours more vivid than things in a room:
                  higher is a screen.
    handmade      Logistic regression on the readings above and three more statistics of colour (after Wen, Han and
                  Jain, 2015). The only one that is fitted on these photographs; a source is scored by a fit that has
                  not seen it. No metadata takes part.
    onnx_python   This program's texture_net and scene_net in ONNX Runtime from Python: the mean of their log-odds.
                  Tiles lie on the picture's grid; the program itself moves some onto the document it finds.
    bonafide      `scores.screen` of this program's rows.

Figures are of the order alone, so none has a threshold: AUC (ties count half), D-EER (half the sum of both error rates
where they are nearest) and the least BPCER at an APCER of at most 5 % (ISO/IEC 30107-3). Intervals are 95 %,
percentiles over resamples of whole sources; sources that share files or a scene are to be named with `--together`. The
resamples are the same for every method; `handmade` is not fitted again in them. Times are medians on one thread,
decoding apart; `elapsed_ms` of this program's rows has its decoding in it and is from another run.
"""
import argparse
import csv
import hashlib
import io
import json
import math
import os
import pathlib
import platform
import sys
import tempfile
import time
import unittest

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import cv2
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

cv2.setNumThreads(1)

# Side in pixels of what the Fourier transform is taken of.
SPECTRUM_SIDE = 512
# Masked at the centre, in cycles a pixel: 30 of 512, what is usually posted. Written content lies below.
MASK_RADIUS = 30 / 512
# The largest circle that fits the spectrum; the corners beyond hold little but noise of the demosaic.
RING_RADIUS = 0.5
# Least side of a picture whose ring holds anything.
LEAST_SIDE = 32
# HSV value from which a pixel is white if it has no colour, and the saturation below which it has none.
WHITE_VALUE, WHITE_SATURATION = 250, 16
# Cross-fitting of the fitted peer.
FOLDS = 10
RIDGE = 1.0
TARGET_APCER = 0.05
# How texture_net and scene_net are fed: see models/cards.
TILE, OVERVIEW = 128, 192
CELLS = (1, 4, 6, 9, 11, 14)


class Refusal(Exception):
    """What is wrong with the input, and in which row."""


# --- readings --------------------------------------------------------------------------------


def peak_to_mean(grey):
    """A grey picture -> greatest over mean log magnitude in the ring; 0 for a flat one."""
    spectrum = np.fft.fftshift(np.fft.fft2(grey.astype(np.float32)))
    level = np.log1p(np.abs(spectrum))
    height, width = grey.shape
    down = (np.arange(height) - height // 2)[:, None] / height
    across = (np.arange(width) - width // 2)[None, :] / width
    radius = np.hypot(down, across)
    ring = level[(radius > MASK_RADIUS) & (radius <= RING_RADIUS)]
    mean = float(ring.mean())
    # Rounding leaves a trace in the spectrum of a flat picture.
    return float(ring.max()) / mean if mean > 1e-3 else 0.0


def fft_resized(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return peak_to_mean(cv2.resize(grey, (SPECTRUM_SIDE, SPECTRUM_SIDE), interpolation=cv2.INTER_AREA))


def fft_native(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    top, left = (max(0, (side - SPECTRUM_SIDE) // 2) for side in grey.shape)
    return peak_to_mean(grey[top : top + SPECTRUM_SIDE, left : left + SPECTRUM_SIDE])


def blur(picture):
    """The natural logarithm of the variance of the Laplacian, with its sign turned; the variance is at least 1e-3."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return -math.log(max(1e-3, float(cv2.Laplacian(grey, cv2.CV_32F).var())))


def colours(picture):
    """-> mean and standard deviation of the saturation, share of white pixels, mean of the value; each 0 to 1."""
    _, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    (mean,), (spread,) = (part[0] for part in cv2.meanStdDev(saturation))
    white = np.count_nonzero((value >= WHITE_VALUE) & (saturation < WHITE_SATURATION)) / value.size
    return float(mean) / 255, float(spread) / 255, white, float(cv2.mean(value)[0]) / 255


# --- this program's networks from Python -----------------------------------------------------


def triangle(inside, outside):
    """-> [outside, inside]: weights of a triangle filter that is as wide as the reduction."""
    step = inside / outside
    reach = max(1.0, step)
    centres = (np.arange(outside) + 0.5) * step
    weights = np.maximum(0.0, 1.0 - np.abs(np.arange(inside)[None, :] + 0.5 - centres[:, None]) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def overview(rgb):
    """[H, W, 3] bytes -> [192, 192, 3] of whole levels, the picture squashed."""
    height, width = rgb.shape[:2]
    squashed = np.empty((OVERVIEW, width, 3), np.float32)
    for channel in range(3):
        squashed[:, :, channel] = triangle(height, OVERVIEW) @ rgb[:, :, channel].astype(np.float32)
    return np.rint(np.einsum("ow,hwc->hoc", triangle(width, OVERVIEW), squashed, optimize=True))


def tiles(rgb):
    """[H, W, 3] -> [6, 128, 128, 3]: tiles in the middle of six cells of a 4 x 4 grid, kept inside."""
    missing = [max(0, TILE - side) for side in rgb.shape[:2]]
    rgb = cv2.copyMakeBorder(rgb, 0, missing[0], 0, missing[1], cv2.BORDER_REFLECT_101)
    places = []
    for cell in CELLS:
        corner = []
        for index, side in zip(divmod(cell, 4), rgb.shape[:2], strict=True):
            first = (index + 0.5) * side / 4 - TILE / 2
            corner.append(math.floor(min(max(first, 0), side - TILE) + 0.5))
        places.append(rgb[corner[0] : corner[0] + TILE, corner[1] : corner[1] + TILE])
    return np.stack(places)


def networks(folder):
    """A folder of models -> picture -> mean log-odds of both networks, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    texture, scene = (
        onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        for name in ("texture_net", "scene_net")
    )

    def planes(pixels):
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)

    def score(picture):
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        by_texture = texture.run(["logits"], {"tiles": planes(tiles(rgb))})[0][0, 0]
        by_scene = scene.run(["logits"], {"overview": planes(overview(rgb)[None])})[0][0, 0]
        return float(by_texture + by_scene) / 2

    return score


# --- figures ---------------------------------------------------------------------------------


class Curve:
    """Error rates over all thresholds; equal scores are never told apart."""

    def __init__(self, scores, attack):
        self.attack = np.asarray(attack, bool)
        levels, self.rank = np.unique(np.asarray(scores, float), return_inverse=True)
        self.size = len(levels)

    def figures(self, weight=None):
        """-> AUC, D-EER, BPCER at the target; `weight`: how often each photograph counts."""
        weight = np.ones(len(self.attack)) if weight is None else weight
        screens = np.bincount(self.rank, weight * self.attack, self.size)
        originals = np.bincount(self.rank, weight * ~self.attack, self.size)
        screens, originals = screens / screens.sum(), originals / originals.sum()
        # Below the k-th level lie the screens that are missed when it is the threshold.
        apcer = np.concatenate([[0.0], np.cumsum(screens)])
        bpcer = 1.0 - np.concatenate([[0.0], np.cumsum(originals)])
        area = float(originals @ (1.0 - (apcer[:-1] + apcer[1:]) / 2))
        nearest = int(np.argmin(np.abs(apcer - bpcer)))
        allowed = np.flatnonzero(apcer <= TARGET_APCER + 1e-12)[-1]
        return area, float(apcer[nearest] + bpcer[nearest]) / 2, max(0.0, float(bpcer[allowed]))


def resamples(clusters, attack, count, seed):
    """Whole clusters drawn with replacement -> [draws, photographs] of weights; draws without a class are left out."""
    names, member = np.unique(clusters, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    weights = drawn[:, member].astype(float)
    both = (weights @ attack > 0) & (weights @ ~attack > 0)
    return weights[both]


def measured(scores, attack, draws):
    """-> name -> value and 95 % interval; the interval is null where no resample holds both classes."""
    curve = Curve(scores, attack)
    values = curve.figures()
    spread = np.array([curve.figures(weight) for weight in draws])
    figures = {}
    for column, name in enumerate(("auc", "d_eer", "bpcer_at_apcer_5")):
        interval = [float(v) for v in np.percentile(spread[:, column], [2.5, 97.5])] if len(spread) else None
        figures[name] = {"value": values[column], "interval": interval}
    return figures


def cross_fitted(readings, attack, clusters):
    """[n, readings] -> log-odds, each cluster by a fit without it; `None` where that cannot be fitted."""
    folds = min(FOLDS, len(set(clusters)))
    if folds < 2:
        return None
    scores = np.full(len(attack), np.nan)
    for rest, test in GroupKFold(folds).split(readings, attack, clusters):
        if len(set(attack[rest])) < 2:
            return None
        fit = make_pipeline(StandardScaler(), LogisticRegression(C=RIDGE, class_weight="balanced", max_iter=1000))
        scores[test] = fit.fit(readings[rest], attack[rest]).decision_function(readings[test])
    return scores


# --- input -----------------------------------------------------------------------------------


def load_labels(file, options):
    """A table -> its photographs of both classes, in order; every row is checked."""
    photographs, seen = [], {}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read: {error}") from error
    with io.StringIO(text, newline="") as stream:
        table = csv.DictReader(stream)
        columns = (options.path_column, options.label_column, options.source_column)
        for column in columns:
            if column not in (table.fieldnames or []):
                raise Refusal(f"{file} has no column {column!r}")
        try:
            for row in table:
                line = table.line_num
                path, label, source = ((row[column] or "").strip() for column in columns)
                if label not in (options.attack, options.bona_fide, *options.leave_out):
                    raise Refusal(f"row at line {line} ({path}): unknown label {label!r}")
                if label in options.leave_out:
                    continue
                if not source:
                    raise Refusal(f"row at line {line} ({path}): no source")
                full = options.root / path
                if not path or not full.is_file():
                    raise Refusal(f"row at line {line}: no file {path!r} under the root")
                if full.resolve() in seen:
                    raise Refusal(f"row at line {line}: {path} is already in the row at line {seen[full.resolve()]}")
                seen[full.resolve()] = line
                photographs.append({"path": path, "file": full, "line": line, "attack": label == options.attack,
                                    "source": source})
        except csv.Error as error:
            raise Refusal(f"{file} is no table after line {table.line_num}: {error}") from error
    for wanted, label in ((True, options.attack), (False, options.bona_fide)):
        if not any(photograph["attack"] == wanted for photograph in photographs):
            raise Refusal(f"{file} has no row with the label {label!r}")
    return photographs


def load_rows(file, root, photographs):
    """Rows of `bonafide screen` -> scores and milliseconds in the order of the photographs.

    A path that is not absolute is tried under the root, then in the current folder.
    """
    rows = {}
    try:
        lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            path = root / row["path"]
            path = (path if path.is_file() else pathlib.Path(row["path"])).resolve()
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise Refusal(f"line {number} of {file} is no row of a screening") from error
        if path in rows:
            raise Refusal(f"line {number} of {file}: {row['path']} has a row already")
        rows[path] = row
    scores, times = [], []
    for photograph in photographs:
        row = rows.get(photograph["file"].resolve())
        where = f"row at line {photograph['line']} ({photograph['path']})"
        if row is None:
            raise Refusal(f"{where}: not in {file}")
        try:
            score, elapsed = float(row["scores"]["screen"]), float(row["elapsed_ms"])
        except (TypeError, KeyError, ValueError) as error:
            raise Refusal(f"{where}: no scores.screen or no elapsed_ms in {file}") from error
        if not (math.isfinite(score) and math.isfinite(elapsed)):
            raise Refusal(f"{where}: scores.screen or elapsed_ms in {file} is no number")
        scores.append(score)
        times.append(elapsed)
    return np.array(scores), np.array(times)


def clusters_of(photographs, together):
    """What a resample may not part: the source, or all the sources that are named together with it."""
    known = {photograph["source"] for photograph in photographs}
    head = {source: source for source in known}
    for names in together:
        for name in names:
            if name not in known:
                raise Refusal(f"--together names the source {name!r}, of which there is no photograph")
        joined = {head[name] for name in names}
        head = {source: min(joined) if first in joined else first for source, first in head.items()}
    return np.array([head[photograph["source"]] for photograph in photographs])


# --- the run ---------------------------------------------------------------------------------


def timed(call, *arguments):
    start = time.perf_counter()
    result = call(*arguments)
    return result, 1000 * (time.perf_counter() - start)


def open_picture(photograph):
    picture = cv2.imread(str(photograph["file"]), cv2.IMREAD_COLOR)
    where = f"row at line {photograph['line']} ({photograph['path']})"
    if picture is None:
        raise Refusal(f"{where}: OpenCV cannot decode it")
    if min(picture.shape[:2]) < LEAST_SIDE:
        raise Refusal(f"{where}: a side is below {LEAST_SIDE} px")
    return picture


def read_all(photographs, methods):
    """-> name -> readings and milliseconds a photograph, `decode` among the times."""
    warm = open_picture(photographs[0])
    for call in methods.values():
        call(warm)
    readings, times = {name: [] for name in methods}, {name: [] for name in ("decode", *methods)}
    for number, photograph in enumerate(photographs, 1):
        picture, elapsed = timed(open_picture, photograph)
        times["decode"].append(elapsed)
        for name, call in methods.items():
            reading, elapsed = timed(call, picture)
            readings[name].append(reading)
            times[name].append(elapsed)
        if sys.stderr.isatty() and number % 50 == 0:
            print(f"\r{number} of {len(photographs)}", end="", file=sys.stderr)
    return readings, {name: np.array(value) for name, value in times.items()}


def compare(photographs, options):
    """-> everything that is reported."""
    attack = np.array([photograph["attack"] for photograph in photographs])
    clusters = clusters_of(photographs, options.together)
    # Asked for first: what is missing there should not be found out after minutes.
    rows = load_rows(options.bonafide, options.root, photographs) if options.bonafide else None
    methods = {"fft_resized": fft_resized, "fft_native": fft_native, "blur": blur, "colours": colours}
    if options.models:
        methods["onnx_python"] = networks(options.models)
    readings, times = read_all(photographs, methods)
    statistics = np.array(readings.pop("colours"))
    scores = {name: np.array(readings[name]) for name in ("fft_resized", "fft_native", "blur")}
    scores["saturation"] = statistics[:, 0]
    times["saturation"] = times.pop("colours")
    parts = ("fft_resized", "fft_native", "blur", "saturation")
    fitted = cross_fitted(np.column_stack([*(scores[name] for name in parts[:3]), statistics]), attack, clusters)
    if fitted is not None:
        scores["handmade"] = fitted
        times["handmade"] = sum(times[name] for name in parts)
    if options.models:
        scores["onnx_python"] = np.array(readings["onnx_python"])
    if rows:
        scores["bonafide"] = rows[0]
    draws = resamples(clusters, attack, options.resamples, options.seed)
    report = []
    for name, values in scores.items():
        entry = {"method": name, **measured(values, attack, draws)}
        if name == "bonafide":
            entry |= {"ms_alone": None, "ms_with_decoding": float(np.median(rows[1]))}
        else:
            entry |= {"ms_alone": float(np.median(times[name])),
                      "ms_with_decoding": float(np.median(times[name] + times["decode"]))}
        entry["fitted_here"] = name == "handmade"
        entry["seen_in_training"] = options.seen_in_training and name in ("onnx_python", "bonafide")
        report.append(entry)
    return {
        "labels": options.labels.name,
        "labels_sha256": hashlib.sha256(options.labels.read_bytes()).hexdigest(),
        "attack": {"label": options.attack, "n": int(attack.sum())},
        "bona_fide": {"label": options.bona_fide, "n": int((~attack).sum())},
        "sources": len({photograph["source"] for photograph in photographs}),
        "clusters": len(set(clusters)),
        "resamples": {"asked": options.resamples, "with_both_classes": len(draws), "seed": options.seed},
        "decode_ms": float(np.median(times["decode"])),
        "parameters": {"spectrum_side_px": SPECTRUM_SIDE, "mask_radius_cycles_per_px": MASK_RADIUS,
                       "ring_radius_cycles_per_px": RING_RADIUS, "white_value": WHITE_VALUE,
                       "white_saturation": WHITE_SATURATION, "folds": FOLDS, "c": RIDGE, "threads": 1},
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__,
                     "scikit-learn": sklearn.__version__},
        "methods": report,
    }, scores


def percent(figure):
    low_high = figure["interval"]
    shown = "-" if low_high is None else f"{100 * low_high[0]:.1f}, {100 * low_high[1]:.1f}"
    return f"{100 * figure['value']:.1f} % [{shown}]"


def markdown(report):
    n = f"{report['attack']['n']} / {report['bona_fide']['n']}"
    head = ("method", "AUC", "D-EER", "BPCER at APCER 5 %", f"n {report['attack']['label']} / bona fide",
            "ms a photograph, method alone", "ms with decoding")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for entry in report["methods"]:
        low_high = entry["auc"]["interval"]
        shown = "-" if low_high is None else f"{low_high[0]:.3f}, {low_high[1]:.3f}"
        alone = "-" if entry["ms_alone"] is None else f"{entry['ms_alone']:.1f}"
        name = entry["method"] + (" (**seen in training**)" if entry["seen_in_training"] else "")
        name += " (fitted here, sources left out)" if entry["fitted_here"] else ""
        cells = (name, f"{entry['auc']['value']:.3f} [{shown}]", percent(entry["d_eer"]),
                 percent(entry["bpcer_at_apcer_5"]), n, alone, f"{entry['ms_with_decoding']:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", (f"{report['sources']} sources in {report['clusters']} clusters; intervals are 95 %, from "
                   f"{report['resamples']['with_both_classes']} resamples of whole clusters. One thread, medians; "
                   f"OpenCV decodes in {report['decode_ms']:.1f} ms. Every direction was fixed beforehand.")]
    if not any(entry["method"] == "handmade" for entry in report["methods"]):
        lines += ["", "`handmade` is left out: with a cluster set aside, one class is missing from the others."]
    if any(entry["seen_in_training"] for entry in report["methods"]):
        lines += ["", ("**Seen in training**: the models were trained on these sources, so those figures say how well "
                       "they are remembered, not how well new sources are judged.")]
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=pathlib.Path, nargs="?", help="table of photographs")
    parser.add_argument("--root", type=pathlib.Path, help="folder that paths are relative to; left out: the table's")
    parser.add_argument("--bonafide", type=pathlib.Path, metavar="ROWS.jsonl", help="rows of `bonafide screen`")
    parser.add_argument("--models", type=pathlib.Path, metavar="DIR", help="also runs both networks from Python")
    parser.add_argument("--seen-in-training", action="store_true",
                        help="marks the figures of this program's models: they were trained on these sources")
    parser.add_argument("--attack", default="screen", help="label that counts as the attack")
    parser.add_argument("--bona-fide", default="original", help="label that counts as bona fide")
    parser.add_argument("--leave-out", nargs="*", default=["print"], help="labels that are passed over")
    parser.add_argument("--together", nargs="+", action="append", default=[], metavar="SOURCE",
                        help="sources that share files or a scene and count as one; can be given again")
    parser.add_argument("--path-column", default="path")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--source-column", default="source")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="also writes the table that is printed")
    parser.add_argument("--scores", type=pathlib.Path, metavar="FILE", help="also writes every photograph's scores")
    parser.add_argument("--self-test", action="store_true", help="checks the methods and the figures")
    return parser


def write_scores(file, photographs, scores):
    with open(file, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["path", "attack", "source", *scores])
        for row, photograph in enumerate(photographs):
            values = [f"{values[row]:.6g}" for values in scores.values()]
            table.writerow([photograph["path"], int(photograph["attack"]), photograph["source"], *values])


def main():
    parser = arguments()
    options = parser.parse_args()
    if options.self_test:
        sys.exit(not unittest.main(argv=[sys.argv[0]], exit=False).result.wasSuccessful())
    if options.labels is None:
        parser.error("a table of labels is needed")
    if options.seen_in_training and not (options.bonafide or options.models):
        parser.error("--seen-in-training marks --bonafide and --models, of which neither is given")
    if options.resamples < 1:
        parser.error("--resamples is at least 1")
    options.root = options.root or options.labels.parent
    try:
        photographs = load_labels(options.labels, options)
        report, scores = compare(photographs, options)
    except Refusal as refusal:
        parser.exit(2, f"{parser.prog}: {refusal}\n")
    text = markdown(report)
    print(text, end="")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.scores:
        write_scores(options.scores, photographs, scores)


# --- checks ----------------------------------------------------------------------------------


def noise(seed, height=600, width=700):
    """A grey picture of noise about mid grey, in three equal channels."""
    grey = np.random.default_rng(seed).normal(128, 12, (height, width, 1))
    return np.clip(grey, 0, 255).astype(np.uint8).repeat(3, axis=2)


def with_wave(picture, pitch_px, amplitude):
    """The same with a slanted sinusoid laid over it."""
    height, width = picture.shape[:2]
    along = 0.8 * np.arange(width)[None, :] + 0.6 * np.arange(height)[:, None]
    wave = amplitude * np.sin(2 * np.pi * along / pitch_px)
    return np.clip(picture + wave[:, :, None], 0, 255).astype(np.uint8)


class Methods(unittest.TestCase):
    def test_a_wave_has_a_higher_moire_score_than_noise(self):
        for method, pitch_px in ((fft_native, 3.7), (fft_resized, 7.0)):
            for seed in range(4):
                plain = noise(seed)
                self.assertGreater(method(with_wave(plain, pitch_px, 8)), method(plain) + 0.1)

    def test_a_wave_inside_the_masked_centre_has_no_higher_score(self):
        plain = noise(1)
        self.assertLess(fft_native(with_wave(plain, 60.0, 8)), fft_native(plain) + 0.1)

    def test_a_flat_picture_has_no_peak(self):
        self.assertEqual(fft_native(np.full((600, 600, 3), 77, np.uint8)), 0.0)

    def test_a_blurred_picture_has_a_higher_blur_score(self):
        plain = noise(2)
        self.assertGreater(blur(cv2.GaussianBlur(plain, (0, 0), 2)), blur(plain) + 1)

    def test_colours_of_a_half_red_half_white_picture(self):
        picture = np.full((40, 40, 3), 255, np.uint8)
        picture[:, :20, :2] = 0
        self.assertTrue(np.allclose(colours(picture), (0.5, 0.5, 0.5, 1.0)))

    def test_an_overview_keeps_levels_and_a_ramp(self):
        ramp = np.linspace(0, 255, 480).round().astype(np.uint8)
        picture = np.broadcast_to(ramp[None, :, None], (300, 480, 3))
        small = overview(picture)
        self.assertEqual(small.shape, (OVERVIEW, OVERVIEW, 3))
        wanted = (np.arange(OVERVIEW) + 0.5) * 480 / OVERVIEW - 0.5
        self.assertLess(np.abs(small[7, 4:-4, 1] - wanted[4:-4] * 255 / 479).max(), 1.0)

    def test_tiles_lie_in_the_middle_of_their_cells(self):
        rgb = np.zeros((800, 1600, 3), np.uint8)
        rgb[100, 600] = 255
        self.assertEqual(tuple(np.argwhere(tiles(rgb)[0][:, :, 0])[0]), (64, 64))
        self.assertEqual(tiles(rgb[:50, :90]).shape, (6, TILE, TILE, 3))


class Figures(unittest.TestCase):
    def test_the_area_agrees_with_scikit_learn_with_ties_and_weights(self):
        rng = np.random.default_rng(5)
        attack = rng.random(400) < 0.4
        for scores in (rng.normal(attack, 1), np.round(rng.normal(attack, 1)), np.zeros(400)):
            for weight in (None, rng.integers(0, 4, 400).astype(float)):
                wanted = roc_auc_score(attack, scores, sample_weight=weight)
                self.assertAlmostEqual(Curve(scores, attack).figures(weight)[0], wanted, places=10)

    def test_error_rates_of_a_case_worked_by_hand(self):
        scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
        attack = [False, False, True, False, False, True, True, True]
        area, equal, at_target = Curve(scores, attack).figures()
        self.assertAlmostEqual(area, 14 / 16)
        self.assertAlmostEqual(equal, 1 / 4)
        self.assertAlmostEqual(at_target, 2 / 4)

    def test_equal_scores_give_the_rates_of_a_coin(self):
        self.assertEqual(Curve([1.0] * 6, [True, False] * 3).figures(), (0.5, 0.5, 1.0))

    def test_a_resample_holds_whole_clusters(self):
        clusters = np.array(["a", "a", "b", "b", "c", "c"])
        attack = np.array([True, False] * 3)
        draws = resamples(clusters, attack, 200, 0)
        self.assertEqual(len(draws), 200)
        self.assertTrue((draws[:, ::2] == draws[:, 1::2]).all())
        self.assertTrue((draws.sum(1) == 6).all())

    def test_sources_that_differ_widen_the_interval(self):
        attack = np.array([True, False] * 40)
        right = np.where(attack, 1.0, 0.0)
        clusters = np.repeat([f"source {n}" for n in range(8)], 10)
        draws = resamples(clusters, attack, 300, 0)
        self.assertEqual(measured(right, attack, draws)["auc"]["interval"], [1.0, 1.0])
        mixed = np.where(np.isin(clusters, ["source 0", "source 1"]), 1 - right, right)
        low, high = measured(mixed, attack, draws)["auc"]["interval"]
        self.assertGreater(high - low, 0.3)

    def test_a_source_is_scored_by_a_fit_that_has_not_seen_it(self):
        attack = np.array([True, False] * 20)
        clusters = np.repeat(["a", "b"], 20)
        reading = np.where(attack, 1.0, 0.0) * np.where(clusters == "a", 1, -1)
        scores = cross_fitted(reading[:, None], attack, clusters)
        self.assertEqual(roc_auc_score(attack[clusters == "a"], scores[clusters == "a"]), 0.0)

    def test_one_source_alone_is_not_fitted(self):
        self.assertIsNone(cross_fitted(np.zeros((4, 1)), np.array([True, False] * 2), np.array(["a"] * 4)))


class Input(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("one", "two", "three", "four"):
            cv2.imwrite(str(self.root / f"{name}.png"), noise(len(name), 64, 80))

    def loaded(self, rows, *more):
        file = self.root / "labels.csv"
        file.write_text("path,label,source\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        options = arguments().parse_args([str(file), "--root", str(self.root), "--resamples", "20", *more])
        return load_labels(file, options), options

    def refused(self, *parts, rows=("one.png,screen,a", "two.png,original,a"), call=None):
        with self.assertRaises(Refusal) as caught:
            (call or self.loaded)(rows)
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_a_missing_file_is_named_with_its_row(self):
        self.refused("line 3", "gone.png", rows=("one.png,screen,a", "gone.png,original,a"))

    def test_an_unknown_label_is_named_with_its_row(self):
        self.refused("line 2", "'scren'", rows=("one.png,scren,a", "two.png,original,a"))

    def test_a_row_without_a_source_is_refused(self):
        self.refused("line 3", "no source", rows=("one.png,screen,a", "two.png,original,"))

    def test_a_photograph_that_comes_twice_is_refused(self):
        self.refused("line 3", "line 2", rows=("one.png,screen,a", "./one.png,original,a"))

    def test_a_class_without_photographs_is_refused(self):
        self.refused("'original'", rows=("one.png,screen,a", "two.png,print,a"))

    def test_a_table_without_the_column_is_refused(self):
        bare = ("one.png,screen,a", "two.png,original,a")
        self.refused("'person'", call=lambda _: self.loaded(bare, "--source-column", "person"))

    def test_a_file_that_is_no_picture_is_named_with_its_row(self):
        (self.root / "text.png").write_text("text", encoding="utf-8")
        photographs, options = self.loaded(["one.png,screen,a", "text.png,original,a"])
        self.refused("line 3", "text.png", call=lambda _: compare(photographs, options))

    def test_a_photograph_that_was_not_screened_is_named(self):
        photographs, _ = self.loaded(["one.png,screen,a", "two.png,original,a"])
        rows = self.root / "rows.jsonl"
        rows.write_text('{"path":"one.png","scores":{"screen":0.5},"elapsed_ms":3.0}\n', encoding="utf-8")
        self.refused("line 3", "two.png", call=lambda _: load_rows(rows, self.root, photographs))

    def test_a_broken_row_of_a_screening_is_named(self):
        photographs, _ = self.loaded(["one.png,screen,a", "two.png,original,a"])
        rows = self.root / "rows.jsonl"
        rows.write_text('{"path":"one.png","sco', encoding="utf-8")
        self.refused("line 1", "rows.jsonl", call=lambda _: load_rows(rows, self.root, photographs))

    def test_scores_of_a_screening_come_in_the_order_of_the_table(self):
        photographs, _ = self.loaded(["one.png,screen,a", "two.png,original,a"])
        lines = [json.dumps({"path": str(self.root / f"{name}.png"), "scores": {"screen": score}, "elapsed_ms": 2})
                 for name, score in (("three", 0.3), ("two", 0.2), ("one", 0.1))]
        rows = self.root / "rows.jsonl"
        rows.write_text("\n".join(lines), encoding="utf-8")
        self.assertEqual(load_rows(rows, self.root, photographs)[0].tolist(), [0.1, 0.2])

    def test_sources_named_together_are_one_cluster_across_mentions(self):
        photographs, _ = self.loaded(["one.png,screen,a", "two.png,original,b", "three.png,screen,c"])
        self.assertEqual(len(set(clusters_of(photographs, [["c", "b"], ["c", "a"]]))), 1)
        self.refused("'d'", call=lambda _: clusters_of(photographs, [["a", "d"]]))

    def test_a_whole_run_reports_every_method_and_marks_what_was_seen(self):
        rows = self.root / "rows.jsonl"
        names = ("one", "two", "three", "four")
        rows.write_text("".join(json.dumps({"path": f"{name}.png", "scores": {"screen": 0.1 * n}, "elapsed_ms": n})
                                + "\n" for n, name in enumerate(names)), encoding="utf-8")
        table = ["one.png,screen,a", "two.png,original,a", "three.png,screen,b", "four.png,original,b"]
        photographs, options = self.loaded(table, "--bonafide", str(rows), "--seen-in-training")
        report, scores = compare(photographs, options)
        wanted = ["fft_resized", "fft_native", "blur", "saturation", "handmade", "bonafide"]
        self.assertEqual([entry["method"] for entry in report["methods"]], wanted)
        self.assertEqual([entry["method"] for entry in report["methods"] if entry["seen_in_training"]], ["bonafide"])
        self.assertEqual(report["methods"][-1]["auc"]["value"], 0.25)
        self.assertEqual(report["methods"][-1]["ms_with_decoding"], 1.5)
        self.assertIn("bonafide (**seen in training**) | 0.250", markdown(report))
        self.assertTrue(all(len(values) == 4 for values in scores.values()))
        json.dumps(report, allow_nan=False)


if __name__ == "__main__":
    main()
