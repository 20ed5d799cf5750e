"""A document laid straight -> the same with translucent text over it, and the cells over which it lies.

One slanted line, or a phrase repeated over everything: what programs and offices lay over a picture of a document so
that it serves one purpose. It changes paper and print alike, and is laid on after the camera.
"""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .camera import HEIGHT, WIDTH
from .covers import lay, lit, printed
from .stock import HAN_FACE, SANS, SERIF
from .words import chance, date, digits, han, pick, words

SHAPE = (2 * HEIGHT, 2 * WIDTH)
CELL, UNKNOWN = 8, 255
ROWS, COLUMNS = SHAPE[0] // CELL, SHAPE[1] // CELL
# Levels by which strokes change what lies under them, from which a person sees them, and below which hardly.
SEEN, HARDLY = 7, 3
PHRASES = ("仅供网站备案使用", "仅供备案", "仅用于ICP备案", "他用无效", "复印无效", "样本", "仅限办理业务使用", "内部资料")
MARKED = 0.6


def phrase(rng):
    """-> text, whether it has Chinese characters."""
    if chance(rng, 0.35):
        return pick(rng, PHRASES) + (digits(rng, int(rng.integers(2, 9))) if chance(rng, 0.2) else ""), True
    if chance(rng, 0.45):
        return han(rng, int(rng.integers(2, 15))), True
    text = words(rng, int(rng.integers(1, 4))) if chance(rng, 0.8) else date(rng)
    return text.upper() if chance(rng, 0.4) else text, False


def line(rng, stock, height):
    """A line of text of that height, 0 to 1, with no room around it."""
    text, chinese = phrase(rng)
    name = HAN_FACE if chinese else pick(rng, SANS if chance(rng, 0.7) else SERIF)
    font, fine = stock.font(name, 2 * height * 1.2), 2
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left + 8, bottom - top + 8))
    outlined = chance(rng, 0.1)
    ImageDraw.Draw(image).text(
        (4 - left, 4 - top),
        text,
        fill=0 if outlined else 255,
        font=font,
        stroke_width=2 if outlined else int(chance(rng, 0.25)),
        stroke_fill=255,
    )
    size = max(4, image.width // fine), max(4, image.height // fine)
    return cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def slant(rng):
    """Degrees against the document's own print; a page may lie on its side."""
    angle = pick(rng, (-1, 1)) * (rng.uniform(15, 45) if chance(rng, 0.8) else rng.uniform(8, 60))
    return angle + (90 if chance(rng, 0.35) else 0)


def laid_over(rng, stock):
    """-> strokes [h,w] 0 to 1, and the boxes of the lines."""
    h, w = SHAPE
    span = int(np.hypot(h, w)) + 40
    strokes, boxes = np.zeros((span, span), np.float32), np.zeros((span, span), np.float32)
    if chance(rng, 0.55):
        height = np.exp(rng.uniform(np.log(7), np.log(26)))
        text = line(rng, stock, height)
        across = max(20, int(text.shape[1] * rng.uniform(1.08, 2.4)))
        down = max(10, int(text.shape[0] * rng.uniform(1.6, 7)))
        shift = int(across * rng.uniform(0, 1)) if chance(rng, 0.6) else 0
        angle = 90 * int(chance(rng, 0.3)) if chance(rng, 0.12) else slant(rng)
        first = rng.integers(0, (down, across))
        places = [
            (y, x)
            for row, y in enumerate(range(-int(first[0]), span, down))
            for x in range(-int(first[1]) - row * shift % across, span, across)
        ]
    else:
        height = np.exp(rng.uniform(np.log(12), np.log(56)))
        text = line(rng, stock, height)
        most = rng.uniform(0.5, 1.15) * w
        if text.shape[1] > most:
            factor = most / text.shape[1]
            text = cv2.resize(text, None, fx=factor, fy=max(factor, 8 / text.shape[0]), interpolation=cv2.INTER_AREA)
        angle = slant(rng)
        y, x = span / 2 + rng.normal(0, 0.1, 2) * (h, w) - np.array(text.shape) / 2
        places = [(int(y), int(x))]
        if chance(rng, 0.2):
            places.append((int(y + text.shape[0] * rng.uniform(1.3, 2)), int(x)))
    for y, x in places:
        y0, x0, y1, x1 = max(0, y), max(0, x), min(span, y + text.shape[0]), min(span, x + text.shape[1])
        if y0 < y1 and x0 < x1:
            strokes[y0:y1, x0:x1] = np.maximum(strokes[y0:y1, x0:x1], text[y0 - y : y1 - y, x0 - x : x1 - x])
            boxes[y0:y1, x0:x1] = 1
    turn = cv2.getRotationMatrix2D((span / 2, span / 2), angle, 1)
    turn[:, 2] += (w / 2 - span / 2, h / 2 - span / 2)
    return tuple(cv2.warpAffine(v, turn, (w, h), flags=cv2.INTER_LINEAR) for v in (strokes, boxes))


def ink(rng):
    kind = rng.random()
    if kind < 0.5:
        return np.full(3, rng.uniform(60, 190), np.float32)
    if kind < 0.68:
        return np.full(3, rng.uniform(232, 255), np.float32)
    if kind < 0.8:
        return np.full(3, rng.uniform(0, 50), np.float32)
    if kind < 0.93:
        return np.array((rng.uniform(170, 255), rng.uniform(0, 70), rng.uniform(0, 70)), np.float32)
    return np.array((rng.uniform(0, 80), rng.uniform(40, 120), rng.uniform(150, 230)), np.float32)


def cells(field):
    return cv2.resize(np.asarray(field, np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)


def marked(picture, rng, stock):
    """-> the picture with a watermark over it, and its cells: 0, 1 or UNKNOWN."""
    strokes, boxes = laid_over(rng, stock)
    if chance(rng, 0.5):
        strokes = cv2.GaussianBlur(strokes, (0, 0), rng.uniform(0.3, 0.9))
    alpha = np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
    weight = (alpha * strokes)[..., None]
    over = picture * (1 - weight) + ink(rng) * weight
    change = np.abs((over - picture) @ np.array((0.299, 0.587, 0.114), np.float32))
    change += 0.3 * np.abs(over - picture).max(2)
    seen = cells(change) / np.maximum(cells(strokes), 0.02)
    share = cells(boxes)
    there = np.where(share >= 0.6, 1, np.where(share <= 0.05, 0, UNKNOWN))
    there = np.where((there == 1) & (seen < SEEN), UNKNOWN, there)
    # Where hardly anything is seen anywhere, nothing is said of what lies beside it either.
    if not (there == 1).any():
        there = np.where(seen.max() < HARDLY, 0, UNKNOWN) * np.ones_like(there)
    return over, there.astype(np.uint8)


def delivered(picture, rng):
    """A picture of lower resolution, noise and JPEG, at the same size."""
    h, w = SHAPE
    if chance(rng, 0.35):
        wide = int(w * rng.uniform(0.55, 1))
        picture = cv2.resize(picture, (wide, wide * h // w), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR)
    if chance(rng, 0.4):
        picture = picture + rng.normal(0, rng.uniform(0, 4), picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if chance(rng, 0.6):
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


def watermark_view(picture, rng, stock):
    """A document [240,384,3] -> the net's input, cells [30,48] bytes."""
    picture, there = picture.astype(np.float32), np.zeros((ROWS, COLUMNS), np.uint8)
    if chance(rng, 0.3):
        picture = printed(picture, rng, stock)
    if chance(rng, 0.15):
        picture, _ = lay(picture, rng, stock)
    if chance(rng, 0.5):
        picture = lit(picture, rng)
    if chance(rng, MARKED):
        picture, there = marked(picture, rng, stock)
    turn = rng.choice((-1, 1), 2)
    picture = delivered(picture, rng)[:: turn[0], :: turn[1]]
    return np.ascontiguousarray(picture), np.ascontiguousarray(there[:: turn[0], :: turn[1]])
