"""A seed -> a made-up text line and what stands in it: what the reader of number lines learns from.

A line is set in a machine face from an atlas of glyphs, laid on a printed ground, photographed (small, blurred,
noisy, compressed) and cut out again as a rectified strip of `ROWS` rows, as the program cuts it from a capture.
"""

import cv2
import numpy as np

from .numbers import SYMBOLS, content, drawn_from
from .print import ABOVE, FACES, GROUND_COLUMNS, GROUND_ROWS, HAN, LEVELS

ROWS, MIN_WIDTH, MAX_WIDTH = 32, 64, 1024


def _set(glyphs, text, tracking, groups=None):
    """-> [(cell, x)] and the width, in heights of capitals; `groups` are the gaps before some characters."""
    placed, x = [], 0.0
    for index, letter in enumerate(text):
        x += (groups or {}).get(index, 0.0)
        cell, left, advance = glyphs[letter]
        placed.append((cell, x + left + tracking / 2))
        x += advance + tracking
    return placed, x


def _put(canvas, placed, level, x, baseline, tone=255):
    rows, columns = canvas.shape
    top = round(baseline - level * ABOVE)
    for cell, left in placed:
        at = round((x + left) * level)
        y0, y1, x0, x1 = max(top, 0), min(top + cell.shape[0], rows), max(at, 0), min(at + cell.shape[1], columns)
        if y0 < y1 and x0 < x1:
            part = cell[y0 - top : y1 - top, x0 - at : x1 - at]
            if tone < 255:
                part = (part * (tone / 255)).astype(np.uint8)
            np.maximum(canvas[y0:y1, x0:x1], part, out=canvas[y0:y1, x0:x1])


def _low(rng, pair):
    """From a range, leaning to its low end."""
    return rng.triangular(pair[0], pair[0], pair[1]) if pair[0] < pair[1] else pair[0]


def line(rng, atlas, grounds, style, text=None):
    """-> (uint8 [32,W], text that is to be read)."""
    if text is None:
        text, is_id, is_mrz = content(rng)
    else:
        is_id, is_mrz = len(text) == 18, len(text) in (30, 36, 44)
    names, shares = zip(*FACES[style.faces].items())
    face = names[rng.choice(len(names), p=np.array(shares) / sum(shares))]
    height = float(np.exp(rng.uniform(*np.log(style.height))))
    level = next((size for size in LEVELS if size >= 0.9 * height), LEVELS[-1])
    glyphs, labels = atlas.glyphs[face][level], atlas.labels[level]

    # The line: a label perhaps, then the text.
    tracking = rng.choice((0.0, rng.uniform(-0.04, 0.1), rng.uniform(0, 0.5)), p=(0.4, 0.4, 0.2))
    tracking = min(tracking, 0.12) if is_mrz else tracking
    groups = {}
    if is_id and rng.random() < 0.08:
        gap = rng.uniform(0.4, 1.2)
        groups = {6: gap, 14: gap}
    elif len(text) < 20 and rng.random() < 0.12:
        groups = {int(at): rng.uniform(0.4, 1.5) for at in rng.integers(1, max(len(text), 2), 2)}
    placed, long = _set(glyphs, text, tracking, groups)
    before, label_tone = [], 255
    if not is_mrz and rng.random() < 0.3 * style.clutter or not text:
        word = style.labels[rng.integers(len(style.labels))]
        if not text or rng.random() < 0.3:
            word = "".join(HAN[i] for i in rng.integers(len(HAN), size=rng.integers(1, 9)))
        before, wide = _set(labels, word, rng.uniform(0, 0.3))
        label_tone = int(rng.uniform(90, 255))
        wide += rng.uniform(0.5, 2.5)
        placed, long = [(cell, x + wide) for cell, x in placed], long + wide

    # The strip: heights, margins and width in its pixels.
    aspect = float(np.exp(rng.uniform(-0.16, 0.16) * max(style.bend, 0.3)))
    crop = rng.triangular(style.crop[0], np.clip(20, *style.crop), style.crop[1])
    margins = rng.uniform(0.25, rng.choice((1.0, 3.0)), 2) * crop
    crop *= min(1.0, (MAX_WIDTH - 8) / (long * crop * aspect + margins.sum()))
    margins = np.minimum(margins, (MAX_WIDTH - long * crop * aspect) / 2)
    width = -(-(long * crop * aspect + margins.sum()) // style.step) * style.step
    width = int(np.clip(width, MIN_WIDTH, MAX_WIDTH))
    begin = margins[0]
    pad = 2.0  # heights of the canvas before the line
    canvas = np.zeros((round(level * 3.4), round(level * (2 * pad + width / (crop * aspect)))), np.uint8)
    middle = canvas.shape[0] / 2
    baseline = middle + level / 2
    _put(canvas, before, level, pad, baseline, label_tone)
    _put(canvas, placed, level, pad, baseline)
    _clutter(rng, canvas, atlas, face, level, baseline, (pad, pad + long), style, is_mrz)

    # The capture: where each of its pixels lies on the canvas.
    scale, rim = height / crop, 3
    shape = (int(np.ceil(ROWS * scale)) + 2 * rim, int(np.ceil(width * scale)) + 2 * rim)
    x, y = (np.arange(shape[1], dtype=np.float32) - rim) / scale, (np.arange(shape[0], dtype=np.float32) - rim) / scale
    free = ((ROWS - crop) / 2 + 0.5) * style.bend
    t = x / (width / 2) - 1
    tilt = np.clip(np.tan(np.radians(rng.uniform(-3, 3))) * width / 2, -0.55 * free, 0.55 * free)
    bow = rng.uniform(-0.3, 0.3) * free if rng.random() < 0.5 else 0.0
    turns, phase = rng.uniform(0.5, 2.5), rng.uniform(0, 2 * np.pi)
    bent = tilt * t + bow * np.sin(turns * np.pi * t + phase) + rng.uniform(-0.35, 0.35) * free
    along = (x + rng.uniform(-0.03, 0.03) * style.bend * width / 2 * (t * t - 1))[None]
    down = (y - ROWS / 2)[:, None]
    shear = np.tan(np.radians(rng.normal(0, 4))) * style.bend
    to_x = ((along - shear * down - begin) / (crop * aspect) + pad) * level
    to_y = (down - bent[None]) * (1 + rng.uniform(-0.06, 0.06) * style.bend * t)[None] / crop * level + middle
    canvas = _weight(rng, canvas, level)
    ink = cv2.remap(canvas, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR)
    picture = _photograph(rng, ink.astype(np.float32) / 255, grounds, height, style)

    # The strip is cut out of the capture.
    if scale > 1.3 and rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * scale)
    method = cv2.INTER_CUBIC if rng.random() < 0.3 else cv2.INTER_LINEAR
    back = np.array([[scale, rng.uniform(-0.02, 0.02), rim], [0, scale, rim]], np.float32)
    strip = cv2.warpAffine(
        picture, back, (width, ROWS), flags=method | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return strip, text


def _clutter(rng, canvas, atlas, face, level, baseline, ends, style, is_mrz):
    """Lines above and below, rules, edges and unrelated strokes."""
    columns = canvas.shape[1]
    for side in (-1, 1):
        if rng.random() < 0.25 * style.clutter:
            if rng.random() < 0.7 or is_mrz:
                glyphs, letters = atlas.glyphs[face][level], SYMBOLS
            else:
                glyphs, letters = atlas.labels[level], HAN
            gap = rng.uniform(0.6, 1.7) if is_mrz else rng.uniform(0.2, 1.0)
            text = drawn_from(rng, letters, min(int(columns / level), rng.integers(4, 45)))
            placed, _ = _set(glyphs, text, rng.uniform(0, 0.2))
            _put(canvas, placed, level, rng.uniform(0, 4), baseline + side * (1 + gap) * level)
    if rng.random() < 0.12 * style.clutter:
        at = round(baseline + level * rng.choice((rng.uniform(0.22, 0.6), rng.uniform(-1.6, -1.25))))
        cv2.line(
            canvas,
            (0, at),
            (columns, at + int(rng.integers(-2, 3))),
            int(rng.uniform(60, 255)),
            max(1, round(level * rng.uniform(0.02, 0.12))),
        )
    for side, end in zip((-1, 1), ends):
        if rng.random() < 0.12 * style.clutter:
            # An edge, a bar or a stroke in the margin.
            at = level * (end + side * rng.uniform(0.35, 2))
            lean, tone, wide = level * rng.uniform(-0.1, 0.1), int(rng.uniform(60, 255)), rng.uniform(0.03, 0.3)
            if side in style.strokes:
                cv2.line(
                    canvas,
                    (round(at - lean), 0),
                    (round(at + lean), canvas.shape[0]),
                    tone,
                    max(1, round(level * wide)),
                )


def _weight(rng, canvas, level):
    """Thinner or bolder strokes, or broken ink."""
    if rng.random() < 0.45:
        soft = cv2.GaussianBlur(canvas, (0, 0), 0.05 * level)
        levels = (np.arange(256) - 255 * rng.uniform(0.08, 0.5)) * 2.2
        canvas = cv2.LUT(soft, np.clip(levels, 0, 255).astype(np.uint8))
    return canvas


def _photograph(rng, ink, grounds, height, style):
    """Ink 0..1 -> the capture, uint8."""
    rows, columns = ink.shape
    paper = rng.uniform(90, 250)
    contrast = min(float(np.exp(rng.uniform(*np.log(style.contrast)))), paper * 0.97)
    noise = grounds.noise
    if rng.random() < 0.3:
        # Ink that does not cover evenly.
        cells = (max(2, rows // 3), max(2, columns // 3))
        start = rng.integers(len(noise) - cells[0] * cells[1])
        patch = noise[start : start + cells[0] * cells[1]].reshape(cells)
        ink = ink * (1 - rng.uniform(0.05, 0.3) * np.abs(cv2.resize(patch, (columns, rows))))
    picture = paper - contrast * ink
    if rng.random() < 0.75 * style.clutter:
        ground = grounds.grounds[rng.integers(len(grounds.grounds))]
        zoom = rng.uniform(0.7, 1.6)
        size = (min(GROUND_ROWS, int(rows * zoom) + 1), min(GROUND_COLUMNS, int(columns * zoom) + 1))
        top, left = rng.integers(GROUND_ROWS - size[0] + 1), rng.integers(GROUND_COLUMNS - size[1] + 1)
        ground = cv2.resize(ground[top : top + size[0], left : left + size[1]].astype(np.float32), (columns, rows))
        picture += ground * (rng.uniform(0, 0.45) * contrast / 127) * (1 - 0.7 * ink)
    light = np.linspace(-1, 1, columns, dtype=np.float32)[None] * rng.uniform(-0.25, 0.25)
    light = light + np.linspace(-1, 1, rows, dtype=np.float32)[:, None] * rng.uniform(-0.1, 0.1)
    if rng.random() < 0.3:
        # A shadow's edge.
        edge = (np.arange(columns, dtype=np.float32) - rng.uniform(0, columns)) / rng.uniform(1, 3 * rows)
        light = light - rng.uniform(0.1, 0.35) / (1 + np.exp(-np.clip(edge, -20, 20)))[None]
    picture *= 1 + light
    if rng.random() < style.glare:
        at, wide = rng.uniform(0, columns), rng.uniform(0.5, 4) * rows
        down = np.exp(-(((np.arange(rows) - rng.uniform(0, rows)) / wide) ** 2)).astype(np.float32)
        along = np.exp(-(((np.arange(columns) - at) / wide) ** 2)).astype(np.float32)
        picture += (255 - picture) * (rng.uniform(0.1, 0.6) * down[:, None] * along[None])
    if style.foreign and rng.random() < 0.34:
        # A halftone.
        period, angle = rng.uniform(0.12, 0.25) * height, rng.uniform(0, np.pi / 2)
        y, x = np.mgrid[:rows, :columns].astype(np.float32) * (2 * np.pi / max(period, 2))
        dots = np.cos(x * np.cos(angle) + y * np.sin(angle)) * np.cos(y * np.cos(angle) - x * np.sin(angle))
        picture += 0.25 * contrast * dots
    sigma = float(np.hypot(_low(rng, style.blur) * height, rng.uniform(0.25, 0.6)))
    if rng.random() < 0.5 or sigma < 0.8:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    else:
        # A disc has the same deviation as a Gaussian of half its radius.
        side = 2 * int(np.ceil(2 * sigma)) + 1
        reach = np.hypot(*np.mgrid[-(side // 2) : side // 2 + 1, -(side // 2) : side // 2 + 1])
        disc = np.clip(2 * sigma + 0.5 - reach, 0, 1).astype(np.float32)
        picture = cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
    if rng.random() < style.motion:
        side = max(3, int(height * rng.uniform(0.1, 0.45)) | 1)
        kernel, angle = np.zeros((side, side), np.float32), rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * side / 2
        ends = [tuple(int(v) for v in np.rint(side / 2 - 0.5 + sign * reach)) for sign in (-1, 1)]
        cv2.line(kernel, *ends, 1.0, 1)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    start = rng.integers(len(noise) - rows * columns)
    picture += noise[start : start + rows * columns].reshape(rows, columns) * _low(rng, style.noise)
    if rng.random() < 0.35:
        picture += rng.uniform(0.3, 1.5) * (picture - cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.7, 1.6)))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    quality = int(rng.uniform(*style.quality))
    if style.foreign:
        if rng.random() < 0.5:
            picture = cv2.medianBlur(picture, 3)
        _, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    else:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
