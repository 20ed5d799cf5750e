"""Hits, scores and sources -> shares, areas and their 95 % intervals."""

import numpy as np
from scipy.stats import beta


def exact_interval(hits, count):
    """Clopper and Pearson, 95 %."""
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return low, high


def share(hits, count, digits=1):
    low, high = exact_interval(hits, count)
    return f"{100 * hits / count:.{digits}f} % [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


def auc(scores, wanted):
    """Area under the ROC curve; ties count half."""
    scores, wanted = np.asarray(scores, float), np.asarray(wanted, bool)
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    hits = wanted.sum()
    return (ranks[wanted].sum() - hits * (hits + 1) / 2) / max(hits * (~wanted).sum(), 1)


def sigmoid(odds):
    return 1 / (1 + np.exp(-odds))


def resampled(figure, groups, rounds=500):
    """95 % interval of `figure(row numbers)` from resampling groups."""
    rng, names = np.random.default_rng(0), np.unique(groups)
    where = {name: np.flatnonzero(groups == name) for name in names}
    drawn = [figure(np.concatenate([where[n] for n in rng.choice(names, len(names))])) for _ in range(rounds)]
    return np.nanpercentile(drawn, (2.5, 97.5))
