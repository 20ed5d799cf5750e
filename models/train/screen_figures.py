"""Log-odds of captures -> error curves and rows of tables, intervals from resampling sources."""

import numpy as np

RESAMPLES = 1000


class Curve:
    """Error rates over all thresholds, under a weight a capture (its source's multiplicity)."""

    def __init__(self, scores, attack):
        order = np.argsort(scores, kind="stable")
        self.order, self.scores, self.attack = order, scores[order], attack[order]

    def rates(self, weight=None):
        """-> APCER and BPCER with the threshold just above the k-th smallest score, k = 0..n."""
        w = np.ones(len(self.scores)) if weight is None else weight[self.order]
        a, b = w * self.attack, w * ~self.attack
        missed = np.concatenate([[0], np.cumsum(a)]) / max(a.sum(), 1e-9)
        passed = np.concatenate([[0], np.cumsum(b)]) / max(b.sum(), 1e-9)
        return missed, 1 - passed

    def figures(self, weight=None, target=0.05):
        apcer, bpcer = self.rates(weight)
        auc = float(np.sum(np.diff(1 - bpcer) * (1 - (apcer[1:] + apcer[:-1]) / 2)))
        equal = int(np.argmin(np.abs(apcer - bpcer)))
        at = int(np.searchsorted(apcer, target + 1e-12, "right")) - 1
        return auc, float((apcer[equal] + bpcer[equal]) / 2), float(bpcer[at])

    def threshold(self, target=None):
        """Score at or above which a capture counts as an attack: APCER `target`, or the equal error rate."""
        apcer, bpcer = self.rates()
        k = (
            int(np.argmin(np.abs(apcer - bpcer)))
            if target is None
            else int(np.searchsorted(apcer, target + 1e-12, "right")) - 1
        )
        return float(self.scores[min(k, len(self.scores) - 1)])


def measured(scores, attack, groups, seed=0):
    """-> [(value, low, high)] for AUC, D-EER, BPCER at APCER 5 %."""
    curve = Curve(scores, attack)
    values = curve.figures()
    names, inverse = np.unique(groups, return_inverse=True)
    rng, draws = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        count = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        weight = count[inverse].astype(float)
        if (weight * attack).sum() and (weight * ~attack).sum():
            draws.append(curve.figures(weight))
    low, high = np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    return list(zip(values, low, high))


def percent(value):
    return f"{100 * value:.1f} %"


def figure_row(name, scores, attack, groups):
    auc, deer, bpcer = measured(scores, attack, groups)
    cells = [f"{auc[0]:.3f} [{auc[1]:.3f}, {auc[2]:.3f}]"]
    cells += [f"{percent(v)} [{100 * low:.1f}, {100 * high:.1f}]" for v, low, high in (deer, bpcer)]
    return f"| {name} | {' | '.join(cells)} | {attack.sum()} / {(~attack).sum()} |"


HEAD = "| {} | AUC | D-EER | BPCER at APCER 5 % | n attack / bona fide |\n| --- | --- | --- | --- | --- |"
