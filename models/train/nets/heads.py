"""Frozen features -> one linear layer: standardise, principal components, logistic regression, folded."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def source_weights(groups, positive, emphasis=None):
    """Each source counts n^-1/2 a picture (its n pictures together: n^1/2); both classes count the same.

    `emphasis` multiplies single rows. The mean weight is 1, so that C keeps its meaning.
    """
    groups, positive = np.asarray(groups), np.asarray(positive, bool)
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weight = counts[inverse] ** -0.5
    if emphasis is not None:
        weight = weight * emphasis
    for side in (positive, ~positive):
        weight[side] /= weight[side].sum()
    return weight * (len(weight) / 2)


class Projection:
    """Standardise and rotate onto the leading principal components of the training rows."""

    def __init__(self, rows, components):
        rows = np.asarray(rows, np.float32)
        self.mean, self.std = rows.mean(0), rows.std(0)
        self.std[self.std < 1e-6] = np.inf  # a column that never moves says nothing
        z = (rows - self.mean) / self.std
        values, vectors = np.linalg.eigh((z.T @ z).astype(np.float64) / len(z))
        order = np.argsort(values)[::-1][: min(components, len(rows) - 1, rows.shape[1])]
        self.vectors = vectors[:, order].astype(np.float32)

    def __call__(self, rows):
        return ((np.asarray(rows, np.float32) - self.mean) / self.std) @ self.vectors


def source_levels(groups, positive, size):
    """One column a source that has both classes: in training each may have a level of its own, so that the head
    learns what tells the classes apart within a source and not what tells sources apart. Unknown sources have none.

    `size` is the column's value beside standardised components: how freely levels may differ.
    """
    groups, positive = np.asarray(groups), np.asarray(positive, bool)
    names = [n for n in np.unique(groups) if 0 < positive[groups == n].mean() < 1] if size else []
    return np.stack([np.zeros(len(groups))] + [(groups == n) * size for n in names], 1).astype(np.float32)


def fit_logistic(projection, rows, positive, weight, groups, c, level):
    """-> (weight [d], bias) on the raw features; log-odds at equal priors. `rows` are projected already."""
    model = LogisticRegression(C=c, max_iter=400, tol=1e-3)
    levels = source_levels(groups, positive, level)
    model.fit(np.concatenate([rows, levels], 1), np.asarray(positive, int), sample_weight=weight)
    slopes = model.coef_[0][: rows.shape[1]]
    direction = (projection.vectors.astype(np.float64) @ slopes) / projection.std
    return direction.astype(np.float32), np.float32(model.intercept_[0] - direction @ projection.mean)


def fit_head(rows, positive, weight, groups, components, c, level):
    projection = Projection(rows, components)
    return fit_logistic(projection, projection(rows), positive, weight, groups, c, level)


def log_odds(head, rows):
    return np.asarray(rows, np.float32) @ head[0] + head[1]


def pooled(tiles, count=None):
    """[N,t,d] tile features -> [N,3d]: mean, max, standard deviation over the tiles."""
    tiles = (tiles if count is None else tiles[:, :count]).astype(np.float32)
    return np.concatenate([tiles.mean(1), tiles.max(1), tiles.std(1)], 1)
