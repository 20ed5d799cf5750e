"""A photograph -> tiles at native resolution, the overview, and the second look."""

import os
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from .looks import AROUND, around

TILE = 128
OVERVIEW = 192
EVALUATION_CELLS = (1, 4, 6, 9, 11, 14)  # of a 4 x 4 grid, row by row
TRAINING_TILES = 8


@dataclass
class Pixels:
    """What is there of one photograph: the native window, and the whole in small."""

    window: Image.Image
    whole: Image.Image
    long_side: int  # of the whole photograph, in pixels of `window`
    is_whole: bool
    found: tuple = ()  # as `Picture.found`


def read_pixels(picture):
    window = ImageOps.exif_transpose(Image.open(os.path.join(picture.root, picture.path))).convert("RGB")
    if not picture.overview:
        return Pixels(window, window, max(window.size), True, picture.found)
    whole = ImageOps.exif_transpose(Image.open(os.path.join(picture.root, picture.overview))).convert("RGB")
    return Pixels(window, whole, max(picture.width, picture.height), False, picture.found)


def overview_pixels(image, box=None):
    """[192,192,3]: the whole picture squashed, triangle filter scaled to the reduction (anti-aliased)."""
    return np.asarray(image.resize((OVERVIEW, OVERVIEW), Image.Resampling.BILINEAR, box=box), np.uint8)


def near_pixels(pixels, rng=None):
    """[192,192,3]: the second look, squashed; with a generator, a little wider or closer, and off its place."""
    w, h = pixels.whole.size
    box = around(pixels.found, AROUND if rng is None else rng.uniform(0.25, 0.8))
    if rng is not None:
        width, height = box[2] - box[0], box[3] - box[1]
        x, y = rng.uniform(-0.08, 0.08, 2) * (width, height)
        box = max(box[0] + x, 0.0), max(box[1] + y, 0.0), min(box[2] + x, 1.0), min(box[3] + y, 1.0)
    return overview_pixels(pixels.whole, (box[0] * w, box[1] * h, box[2] * w, box[3] * h))


def _padded(window):
    array = np.asarray(window, np.uint8)
    down, right = max(0, TILE - array.shape[0]), max(0, TILE - array.shape[1])
    while down or right:
        step = (min(down, array.shape[0] - 1), min(right, array.shape[1] - 1))
        array = np.pad(array, ((0, step[0]), (0, step[1]), (0, 0)), "reflect")
        down, right = max(0, TILE - array.shape[0]), max(0, TILE - array.shape[1])
    return array


def grid_tiles(window, cells=EVALUATION_CELLS):
    """[n,128,128,3]: a tile centred in each named cell of a 4 x 4 grid, kept inside the window."""
    array = _padded(window)
    height, width = array.shape[:2]
    tiles = []
    for cell in cells:
        x = (cell % 4 + 0.5) * width / 4 - TILE / 2
        y = (cell // 4 + 0.5) * height / 4 - TILE / 2
        x = int(np.floor(min(max(x, 0), width - TILE) + 0.5))
        y = int(np.floor(min(max(y, 0), height - TILE) + 0.5))
        tiles.append(array[y : y + TILE, x : x + TILE])
    return np.stack(tiles)


def random_tiles(window, rng, count=TRAINING_TILES):
    """Tiles at jittered places of distinct cells of a 4 x 4 grid."""
    array = _padded(window)
    height, width = array.shape[:2]
    tiles = []
    for cell in rng.permutation(16)[:count]:
        x = (cell % 4 + rng.uniform(0, 1)) * width / 4 - TILE / 2
        y = (cell // 4 + rng.uniform(0, 1)) * height / 4 - TILE / 2
        x, y = int(min(max(x, 0), width - TILE)), int(min(max(y, 0), height - TILE))
        tiles.append(array[y : y + TILE, x : x + TILE])
    return np.stack(tiles)
