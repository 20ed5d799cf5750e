"""Labelled captures and their features -> the linear heads of both screen nets."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from ..data.captures import ORIGINAL, PRINT, SCREEN, assign_folds
from .heads import fit_head, log_odds, pooled, source_weights

# Views of `dataset.view` that the heads are trained on and measured on.
SCREEN_VIEWS = ("plain", "train1", "train2", "train3", "train4")
PRINT_VIEWS = ("print0", "print1", "print2")
COLOUR_VIEWS = ("colour0", "colour1")
EVALUATION_VIEWS = ("plain", "neutral", "central", "print0", "colour0")
VIEWS = tuple(dict.fromkeys(SCREEN_VIEWS + PRINT_VIEWS + COLOUR_VIEWS + EVALUATION_VIEWS))
EVALUATION_TILES = 6
# Weight of a screen capture among the bona fide rows of the print head.
SCREEN_IN_PRINT = 0.25
# Names of the pretrained network's features, of tiles and of the overview; the latter's network looks a second time.
TILES, SCENE, NEAR = "tiles", "scene", "near"


def second_look(view):
    """Name of a view's features where the overview's network looks at the document and what is around it."""
    return f"{view}.{NEAR}"


@dataclass(frozen=True)
class Settings:
    """How one net's heads are fitted; chosen by `evaluate.py --choose`."""

    components: int = 640
    c: float = 0.03
    print_components: int = 160
    print_c: float = 0.03
    level: float = 3.0  # see heads.source_levels; prints come from one source, where it says nothing


@dataclass(frozen=True)
class Without:
    """Every source but those of these groups."""

    groups: frozenset

    def __str__(self):
        return "without_" + hashlib.sha256("\n".join(sorted(self.groups)).encode()).hexdigest()[:12]


@dataclass
class Heads:
    heads: list  # screen, print
    tile_heads: list = field(default_factory=list)


@dataclass
class Table:
    """Columns of the captures, and their features by network and view."""

    pictures: list
    features: dict
    label: np.ndarray
    kind: np.ndarray
    group: np.ndarray
    fold: np.ndarray
    # Screen heads that a network was tuned with, by the name of its features; of others they are fitted.
    screen_heads: dict = field(default_factory=dict)

    @classmethod
    def of(cls, pictures, features):
        # Photographs and simulated captures are dealt to the folds apart, so that neither moves the other.
        fold_of = {}
        for simulated in (False, True):
            fold_of |= assign_folds([p for p in pictures if (p.kind == "simulated") == simulated])
        return cls(
            pictures,
            features,
            np.array([p.label for p in pictures]),
            np.array([p.kind for p in pictures]),
            np.array([p.group for p in pictures]),
            np.array([fold_of[p.group] for p in pictures]),
        )

    def taught(self, part):
        """Mask of the captures that a part may learn from: `all`, a fold to leave out, or `Without`."""
        if isinstance(part, Without):
            return ~np.isin(self.group, list(part.groups))
        return self.fold != part if part != "all" else np.ones(len(self.pictures), bool)

    def rows(self, network, view, rows=slice(None)):
        """One row a capture: of the tiles, pooled; of the overview, as it is."""
        features = self.features[network][view][rows]
        return features.astype(np.float32) if network.startswith(SCENE) else pooled(features, EVALUATION_TILES)

    def tile_rows(self, network, view, rows=slice(None)):
        return self.features[network][view][rows].astype(np.float32)


def screen_set(table, use, simulated_weight=0.0):
    """-> [(view, row numbers, positive, weight)] for screen against bona fide."""
    rows = np.flatnonzero(use & (table.label != PRINT) & (table.kind != "simulated"))
    positive = table.label[rows] == SCREEN
    parts = [(rows, positive, source_weights(table.group[rows], positive))]
    made = np.flatnonzero(use & (table.label != PRINT) & (table.kind == "simulated"))
    made_positive = table.label[made] == SCREEN
    if simulated_weight > 0 and made_positive.any() and not made_positive.all():
        weight = source_weights(table.group[made], made_positive)
        parts.append((made, made_positive, weight * (simulated_weight * len(rows) / len(made))))
    return [(view, r, p, w / len(SCREEN_VIEWS)) for view in SCREEN_VIEWS for r, p, w in parts]


def print_set(table, use):
    """-> the same for print against bona fide.

    The photographed prints are grey copies, so grey would mean print: both classes are taken to grey
    and to the same size and compression. Captures in colour join only as far as there are
    prints in colour, at the same total weight.
    """
    positive = table.label == PRINT
    rows = np.flatnonzero(use & (table.kind != "simulated"))
    emphasis = np.where(table.label[rows] == SCREEN, SCREEN_IN_PRINT, 1.0)
    weight = source_weights(table.group[rows], positive[rows], emphasis)
    parts = [(view, rows, positive[rows], weight / len(PRINT_VIEWS)) for view in PRINT_VIEWS]
    coloured = (
        use & positive & ((table.kind == "simulated") | np.array([p.content != "id_card" for p in table.pictures]))
    )
    if coloured.any():
        bona_fide = use & (table.label == ORIGINAL)
        rows = np.flatnonzero(coloured | bona_fide)
        weight = source_weights(table.group[rows], positive[rows])
        weight *= 2 * coloured.sum() / len(rows) / len(COLOUR_VIEWS)
        parts += [(view, rows, positive[rows], weight) for view in COLOUR_VIEWS]
    return parts


def fit_rows(table, parts, rows_of, components, c, level):
    """One head on the rows that `rows_of(view, row numbers)` gives: [n,d], or [n,t,d] with t tiles a capture."""
    x, y, w, groups = [], [], [], []
    for view, rows, positive, weight in parts:
        part = rows_of(view, rows)
        times = part.shape[1] if part.ndim == 3 else 1
        x.append(part.reshape(-1, part.shape[-1]))
        y.append(np.repeat(positive, times))
        w.append(np.repeat(weight / times, times))
        groups.append(np.repeat(table.group[rows], times))
    return fit_head(*(np.concatenate(column) for column in (x, y, w, groups)), components, c, level)


def fit_heads(table, use, rows_of, simulated_weight=0.0, settings=Settings(), screen=None):
    """-> [screen, print]; the first is `screen` where there is one already."""
    return [
        screen
        or fit_rows(
            table, screen_set(table, use, simulated_weight), rows_of, settings.components, settings.c, settings.level
        ),
        fit_rows(table, print_set(table, use), rows_of, settings.print_components, settings.print_c, 0.0),
    ]


def fit_net(table, use, network, simulated_weight=0.0, settings=Settings(), with_tiles=False):
    def of(rows_of, screen=None):
        return fit_heads(
            table, use, lambda view, rows: rows_of(network, view, rows), simulated_weight, settings, screen
        )

    return Heads(of(table.rows, table.screen_heads.get(network)), of(table.tile_rows) if with_tiles else [])


def score(table, nets, view, rows=slice(None)):
    """`nets`: [(network, Heads)] -> [N, net, species]: log-odds of each for screen and print."""
    return np.stack(
        [np.stack([log_odds(h, table.rows(network, view, rows)) for h in heads.heads], 1) for network, heads in nets], 1
    )
