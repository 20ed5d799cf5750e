"""A photograph -> the same as uploaded in other ways: re-scaled, compressed, cut, in grey; alike for every class."""

import io

import numpy as np
from PIL import Image

from .captures import generator
from .tiles import TILE, Pixels, grid_tiles, near_pixels, overview_pixels, random_tiles


def recompress(image, quality, subsampling=2):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(quality), subsampling=subsampling)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def scale(image, factor, resample):
    if abs(factor - 1.0) < 1e-3:
        return image
    size = (max(1, round(image.size[0] * factor)), max(1, round(image.size[1] * factor)))
    return image.resize(size, resample)


def upload(pixels, long_side, quality, min_side, resample=Image.Resampling.BOX):
    """The photograph as if re-scaled to `long_side` (never enlarged) and compressed again.

    A crop keeps at least `min_side` pixels a side: there the factor is milder. The small overview
    is far below any upload size, so only a whole file's overview sees the compression.
    """
    factor = min(1.0, long_side / pixels.long_side)
    floor = min(1.0, min_side / min(pixels.window.size))
    factor = max(factor, floor)
    window = recompress(scale(pixels.window, factor, resample), quality)
    whole = window if pixels.is_whole else pixels.whole
    return Pixels(window, whole, round(pixels.long_side * factor), pixels.is_whole, pixels.found)


def central(pixels, picture, share=0.6):
    """The central part of the photograph alone: most of a display's surround is gone."""
    margin = (1.0 - share) / 2.0
    w, h = pixels.whole.size
    whole = pixels.whole.crop((round(w * margin), round(h * margin), round(w * (1 - margin)), round(h * (1 - margin))))
    if pixels.is_whole:
        return Pixels(whole, whole, round(pixels.long_side * share), True)
    # The native window is cut to the same part of the photograph, if enough of it lies inside.
    f = pixels.long_side / max(picture.width, picture.height)
    left, top = picture.crop[0] * f, picture.crop[1] * f
    x0, y0 = max(0, picture.width * f * margin - left), max(0, picture.height * f * margin - top)
    x1 = min(pixels.window.size[0], picture.width * f * (1 - margin) - left)
    y1 = min(pixels.window.size[1], picture.height * f * (1 - margin) - top)
    window = pixels.window
    if x1 - x0 >= TILE and y1 - y0 >= TILE:
        window = window.crop((round(x0), round(y0), round(x1), round(y1)))
    return Pixels(window, whole, round(pixels.long_side * share), False)


def grey(pixels, rng=None):
    """Colour taken out; with a generator, a cast of coloured light put on the whole."""
    gain = np.ones(3) if rng is None else np.exp(rng.normal(0, 0.12, 3))

    def convert(image):
        luma = np.asarray(image.convert("L"), np.float32)[:, :, None]
        return Image.fromarray(np.clip(luma * gain, 0, 255).astype(np.uint8))

    window = convert(pixels.window)
    whole = window if pixels.is_whole else convert(pixels.whole)
    return Pixels(window, whole, pixels.long_side, pixels.is_whole, pixels.found)


SHRINKING = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def view(picture, pixels, name):
    """-> (tiles [n,128,128,3], overview [192,192,3], second look [192,192,3]), alike for every class.

    Evaluation: `plain` (the file as it is), `neutral` (long side 1280, quality 75), `central`
    (neutral, central 60 %), `print0` (equalised, grey), `colour0` (equalised, in colour).
    Training: `train1`, `train2`, ... ; `print1`, ... (equalised, grey under coloured light);
    `colour1`, ... (equalised, in colour).
    """
    stem, number = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    training = bool(number) and number != "0"
    rng = generator(picture.key, name)
    if name in ("neutral", "central"):
        pixels = upload(pixels, 1280, 75, TILE)
        if name == "central":
            pixels = central(pixels, picture)
    elif stem == "train":
        if rng.random() >= 0.3:
            for _ in range(2 if rng.random() < 0.25 else 1):
                resample = SHRINKING[rng.integers(len(SHRINKING))]
                pixels = upload(pixels, rng.uniform(900, 2200), rng.integers(60, 96), 192, resample)
    elif stem in ("print", "colour"):
        if stem == "print":
            pixels = grey(pixels, rng if training else None)
        if training:
            pixels = upload(pixels, rng.uniform(900, 1600), rng.integers(55, 81), 160)
        else:
            pixels = upload(pixels, 1280, 70, TILE)
    elif name != "plain":
        raise ValueError(f"no such view: {name}")
    if not training:
        return grid_tiles(pixels.window), overview_pixels(pixels.whole), near_pixels(pixels)
    box = None
    if rng.random() < 0.5:  # closer or off-centre framing
        w, h = pixels.whole.size
        share = rng.uniform(0.6, 1.0)
        x, y = rng.uniform(0, w * (1 - share)), rng.uniform(0, h * (1 - share))
        box = (x, y, x + w * share, y + h * share)
    tiles, looks = random_tiles(pixels.window, rng), [overview_pixels(pixels.whole, box), near_pixels(pixels, rng)]
    if rng.random() < 0.5:
        tiles, looks = tiles[:, :, ::-1], [look[:, ::-1] for look in looks]
    turns = int(rng.integers(4)) if rng.random() < 0.3 else 0
    tiles, looks = np.rot90(tiles, turns, (1, 2)), [np.rot90(look, turns) for look in looks]
    return tuple(np.ascontiguousarray(p) for p in (tiles, *looks))
