"""Seeds -> metrics.json: small sets of scores, and what scikit-learn and SciPy say of them.

    python tests/data/make_metrics.py

Writes beside itself. Made with scikit-learn 1.9.1 and SciPy 1.17.1.
"""
import json
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, det_curve, roc_auc_score, roc_curve


def calibration_error(labels, scores, bins):
    """Mean distance between score and share of attacks, bins weighted by their rows (Guo et al. 2017, equation 3)."""
    total = 0.0
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        held = (scores > low) & (scores <= high) | ((i == 0) & (scores == 0))
        if held.any():
            total += held.sum() * abs(labels[held].mean() - scores[held].mean())
    return total / len(scores)


def curve(labels, scores):
    """Scores -> the reference figures of one set; an attack is a label of 1."""
    false_alarms, detected, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    # The same in the order of rising thresholds. The first threshold of scikit-learn is infinite.
    bpcer, thresholds = false_alarms[::-1], thresholds[::-1]
    # Whole attacks missed: 1 - 0.95 would be above 0.05.
    apcer = np.round((1 - detected[::-1]) * labels.sum()) / labels.sum()
    places = np.arange(len(bpcer))
    crossing = brentq(lambda at: np.interp(at, places, apcer - bpcer), 0, places[-1], xtol=1e-14)
    finite = np.append(thresholds[:-1], np.nextafter(thresholds[-2], 2))
    det_bpcer, det_apcer, det_thresholds = det_curve(labels, scores)
    det = [row for row in zip(det_thresholds.tolist(), det_apcer.tolist(), det_bpcer.tolist()) if np.isfinite(row[0])]
    return {
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "auc": roc_auc_score(labels, scores),
        "bpcer": bpcer.tolist(),
        "apcer": apcer.tolist(),
        "thresholds": thresholds[:-1].tolist(),
        "det": det[:12],
        "d_eer": [np.interp(crossing, places, apcer), np.interp(crossing, places, finite)],
        "bpcer_at": [[x, bpcer[apcer <= x].min()] for x in (0.0, 0.01, 0.05, 0.1, 0.5, 1.0)],
        "apcer_at": [[x, apcer[bpcer <= x].min()] for x in (0.0, 0.01, 0.05, 0.1, 0.5, 1.0)],
        "brier": brier_score_loss(labels, scores),
        "expected_calibration_error": {bins: calibration_error(labels, scores, bins) for bins in (10, 15)},
        "bins": [half.tolist() for half in calibration_curve(labels, scores, n_bins=10)],
    }


def drawn(seed, bona_fide, attacks, shapes, digits):
    """A seeded set: beta-distributed scores, rounded so that some are equal; rows in mixed order."""
    generator = np.random.default_rng(seed)
    scores = np.append(generator.beta(*shapes[0], bona_fide), generator.beta(*shapes[1], attacks))
    labels = np.append(np.zeros(bona_fide, int), np.ones(attacks, int))
    order = generator.permutation(len(labels))
    return curve(labels[order], np.round(scores[order], digits))


def exact(successes, n, level):
    """Clopper and Pearson's interval from SciPy's beta quantiles."""
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else beta.ppf(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta.ppf(1 - tail, successes + 1, n - successes)
    return {"successes": successes, "n": n, "level": level, "low": low, "high": high}


quantiles = np.round(np.random.default_rng(8).lognormal(4, 0.6, 47), 2)
shares = (0.0, 0.01, 0.07, 0.5, 0.95, 0.99, 1.0)
counts = [(0, 1), (1, 1), (0, 20), (20, 20), (1, 29), (15, 148), (81, 263), (3, 5), (999, 2000), (1, 10_000),
          (9_990, 10_000), (50_000, 100_000), (3, 1_000_000), (400_000, 1_000_000)]
held = {
    "curves": {
        "plain": drawn(1, 40, 40, ((2, 5), (5, 2)), 6),
        "ties": drawn(2, 90, 80, ((2, 4), (4, 3)), 1),
        "tiny": curve(np.array([0, 1]), np.array([0.25, 0.25])),
        "three": curve(np.array([1, 0, 1]), np.array([0.4, 0.5, 0.9])),
        "parted": drawn(3, 12, 9, ((1, 40), (40, 1)), 3),
        "reversed": drawn(4, 15, 20, ((5, 2), (2, 5)), 2),
        "skewed": drawn(5, 150, 6, ((1, 9), (3, 2)), 2),
        "mostly_attacks": drawn(6, 5, 130, ((2, 5), (6, 1.5)), 2),
        "ends": curve(np.array([0, 0, 0, 1, 1, 1, 0, 1]), np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.1, 0.7])),
    },
    "exact": [exact(k, n, level) for k, n in counts for level in (0.9, 0.95, 0.99)],
    "probits": [[p, norm.ppf(p)] for p in (1e-6, 0.001, 0.025, 0.3, 0.5, 0.9, 0.999)],
    "quantiles": {
        "values": quantiles.tolist(),
        "answers": [[s, np.quantile(quantiles, s, method="inverted_cdf")] for s in shares],
    },
}


def plain(value):
    """NumPy's numbers -> Python's."""
    return value.item()


text = json.dumps(held, default=plain, separators=(",", ":"), allow_nan=False) + "\n"
Path(__file__).with_name("metrics.json").write_text(text)
