"""Labelled captures and their features -> the linear heads of both nets."""
from dataclasses import dataclass, field

import numpy as np

from backbone import tap_columns
from dataset import ORIGINAL, PRINT, SCREEN
from features import SCENE_TAPS, TILE_TAPS, pooled
from heads import fit_head, log_odds, source_weights

# Views of `dataset.view` that the heads are trained on and measured on.
SCREEN_VIEWS = ("plain", "train1", "train2", "train3", "train4")
PRINT_VIEWS = ("print0", "print1", "print2")
COLOUR_VIEWS = ("colour0", "colour1")
EVALUATION_VIEWS = ("plain", "neutral", "central", "print0", "colour0")
VIEW_SETS = (("plain", "neutral", "central"), ("train1", "train2"), ("train3", "train4"),
             ("print0", "colour0", "print1", "print2", "colour1"))

EVALUATION_TILES = 6
# Weight of a screen capture among the bona fide rows of the print head.
SCREEN_IN_PRINT = 0.25


@dataclass(frozen=True)
class Settings:
    """How one net's heads are fitted; chosen by `evaluate.py --choose`."""

    taps: tuple
    components: int = 640
    c: float = 0.03
    print_components: int = 160
    print_c: float = 0.03


TEXTURE = Settings(taps=TILE_TAPS)
SCENE = Settings(taps=(0, 2, 4, 7, 10, 14))


@dataclass
class Heads:
    taps: tuple
    heads: list  # screen, print
    tile_heads: list = field(default_factory=list)


@dataclass
class Table:
    """Columns of the captures, and their features by view."""

    pictures: list
    features: dict
    label: np.ndarray
    kind: np.ndarray
    group: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, pictures, features, fold_of):
        return cls(
            pictures, features,
            np.array([p.label for p in pictures]), np.array([p.kind for p in pictures]),
            np.array([p.group for p in pictures]),
            np.array([fold_of.get(p.group, -1) for p in pictures]),  # -1: simulated, in every training part
        )

    def texture_rows(self, view, taps, rows=slice(None)):
        return pooled(self.features[view][0][rows][..., tap_columns(TILE_TAPS, taps)], EVALUATION_TILES)

    def tile_rows(self, view, taps, rows=slice(None)):
        return self.features[view][0][rows][..., tap_columns(TILE_TAPS, taps)].astype(np.float32)

    def scene_rows(self, view, taps, rows=slice(None)):
        return self.features[view][1][rows][:, tap_columns(SCENE_TAPS, taps)].astype(np.float32)


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
    coloured = use & positive & ((table.kind == "simulated") | np.array([p.content != "id_card" for p in table.pictures]))
    if coloured.any():
        bona_fide = use & (table.label == ORIGINAL)
        rows = np.flatnonzero(coloured | bona_fide)
        weight = source_weights(table.group[rows], positive[rows])
        weight *= 2 * coloured.sum() / len(rows) / len(COLOUR_VIEWS)
        parts += [(view, rows, positive[rows], weight) for view in COLOUR_VIEWS]
    return parts


def fit_rows(parts, rows_of, components, c):
    x = np.concatenate([rows_of(view, rows) for view, rows, _, _ in parts])
    y = np.concatenate([p for _, _, p, _ in parts])
    w = np.concatenate([w for _, _, _, w in parts])
    return fit_head(x, y, w, components, c)


def fit_texture(table, use, settings=TEXTURE, simulated_weight=0.0, with_tiles=True):
    sets = (screen_set(table, use, simulated_weight), print_set(table, use))
    sizes = ((settings.components, settings.c), (settings.print_components, settings.print_c))
    heads, tile_heads = [], []
    for parts, (components, c) in zip(sets, sizes):
        heads.append(fit_rows(parts, lambda v, r: table.texture_rows(v, settings.taps, r), components, c))
        if with_tiles:
            x, y, w = [], [], []
            for view, rows, positive, weight in parts:
                tiles = table.tile_rows(view, settings.taps, rows)
                x.append(tiles.reshape(-1, tiles.shape[-1]))
                y.append(np.repeat(positive, tiles.shape[1]))
                w.append(np.repeat(weight / tiles.shape[1], tiles.shape[1]))
            tile_heads.append(fit_head(np.concatenate(x), np.concatenate(y), np.concatenate(w), components, c))
    return Heads(settings.taps, heads, tile_heads)


def fit_scene(table, use, settings=SCENE, simulated_weight=0.0):
    sets = (screen_set(table, use, simulated_weight), print_set(table, use))
    sizes = ((settings.components, settings.c), (settings.print_components, settings.print_c))
    return Heads(settings.taps, [
        fit_rows(parts, lambda v, r: table.scene_rows(v, settings.taps, r), components, c)
        for parts, (components, c) in zip(sets, sizes)
    ])


def score(table, texture, scene, view, rows=slice(None)):
    """-> [N, net, species]: log-odds of texture_net and scene_net for screen and print."""
    t, s = table.texture_rows(view, texture.taps, rows), table.scene_rows(view, scene.taps, rows)
    return np.stack([
        np.stack([log_odds(h, t) for h in texture.heads], 1),
        np.stack([log_odds(h, s) for h in scene.heads], 1),
    ], 1)
