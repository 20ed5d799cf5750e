"""A seed -> what lies over a document: coverage from 0 to 1, and colours."""

import cv2
import numpy as np

from .shapes import capsule, from_border
from .tones import clouds, gradient, picture_patch, smooth_noise, tone
from .words import chance, pick

# From pale to dark, sRGB.
SKIN_TONES = (
    (244, 214, 190),
    (236, 188, 160),
    (225, 172, 138),
    (205, 150, 115),
    (198, 134, 100),
    (172, 112, 80),
    (141, 92, 62),
    (110, 70, 48),
    (84, 54, 40),
    (62, 42, 34),
)


def skin_colour(rng):
    at = rng.uniform(0, len(SKIN_TONES) - 1)
    low = np.array(SKIN_TONES[int(at)], np.float32)
    high = np.array(SKIN_TONES[min(int(at) + 1, len(SKIN_TONES) - 1)], np.float32)
    return np.clip((low + (high - low) * (at % 1)) * np.exp(rng.normal(0, 0.06, 3)), 20, 255).astype(np.float32)


def _finger(shape, rng, tip, to, radius, taper, base, nail):
    over, off, along = (v.astype(np.float32) for v in capsule(shape, tip, to, radius, taper))
    across = np.clip(off, 0, 1.2)
    shade = np.sqrt(np.clip(1 - rng.uniform(0.35, 0.9) * across * across, 0.08, 1))
    side = 1 + rng.uniform(-0.3, 0.3) * lean(shape, rng)
    shade = shade * side * (1 + rng.uniform(0.01, 0.06) * smooth_noise(rng, shape, rng.integers(12, 70)))
    fold = ((along / radius) % rng.uniform(1.6, 3.2)) - 0.9
    shade = np.clip(shade * (1 - rng.uniform(0, 0.2) * np.exp(-fold * fold * 60) * (along > radius)), 0.05, 1.3)
    colours = base * shade[..., None] ** np.array((0.8, 1.05, 1.15), np.float32)
    if nail:
        ahead = (along / radius - rng.uniform(-0.1, 0.4)) / rng.uniform(0.6, 1.1)
        at = np.hypot(off * rng.uniform(1.3, 1.9), ahead)
        paint = np.array(tone(rng) if chance(rng, 0.25) else base * rng.uniform(0.95, 1.2) + (12, 4, 6), np.float32)
        inside = np.clip((1 - at) * radius * 0.5, 0, 1)[..., None] * rng.uniform(0.5, 1)
        colours = colours * (1 - inside) + paint * np.clip(shade[..., None] * 1.1, 0, 1.2) * inside
    return over, colours


def lean(shape, rng):
    return gradient(shape, (-1,), (1,), rng)[..., 0]


def fingers(shape, rng, stock):
    """One to four fingers from a border, and now and then the hand behind them."""
    h, w = shape
    base, radius = skin_colour(rng), np.exp(rng.uniform(np.log(8), np.log(52)))
    tip, out = from_border(rng, shape, rng.uniform(0.3, 1) * radius + rng.uniform(0, 0.4) ** 1.5 * w * rng.random())
    across = np.array([-out[1], out[0]])
    over, colours = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
    parts = [(tip, radius, chance(rng, 0.55))]
    for k in range(1, 1 if chance(rng, 0.55) else int(rng.integers(2, 5))):
        shift = across * k * radius * rng.uniform(1.9, 2.5) + out * rng.uniform(-1.2, 1.2) * radius
        parts.append((tip + shift, radius * rng.uniform(0.85, 1.1), chance(rng, 0.5)))
    if chance(rng, 0.25):
        palm = tip + (out * rng.uniform(2.5, 5) + across * rng.uniform(0, 3)) * radius
        parts.append((palm, radius * rng.uniform(1.8, 3.5), False))
    for at, thick, nail in parts[::-1]:
        to = at + out * 900 + across * rng.normal(0, 120)
        part, colour = _finger(shape, rng, at, to, thick, rng.uniform(0.65, 1), base, nail)
        beside_it = 1 - 0.25 * cv2.GaussianBlur(part, (0, 0), 2.5)[..., None]
        colours = colours * beside_it * (1 - part[..., None]) + colour * part[..., None]
        over = np.maximum(over, part)
    return over, colours / np.maximum(over, 1e-3)[..., None]


def rod(shape, rng, stock):
    """A pen, a ruler, a clip, a strip, a cable."""
    h, w = shape
    radius = np.exp(rng.uniform(np.log(3), np.log(18)))
    tip, out = from_border(rng, shape, rng.uniform(0.1, 0.9) * h)
    long = 900 if chance(rng, 0.6) else rng.uniform(50, 300)
    over, off, along = capsule(shape, tip, tip + out * long, radius, rng.uniform(0.2, 1))
    base = np.array(tone(rng), np.float32) if chance(rng, 0.6) else np.full(3, rng.uniform(10, 240), np.float32)
    shade = 1 - rng.uniform(0.1, 0.7) * off * off
    shine = rng.uniform(0, 190) * np.exp(-((off - rng.uniform(0, 0.6)) ** 2) * 50)
    colours = base * np.clip(shade, 0.1, 1)[..., None] + shine[..., None]
    if chance(rng, 0.5):
        part = ((along / radius) % 9 < rng.uniform(0.5, 4))[..., None]
        colours = np.where(part, np.array(tone(rng), np.float32) * np.clip(shade, 0.1, 1)[..., None], colours)
    if chance(rng, 0.3):  # a cable
        points = np.cumsum(rng.normal(0, 1, (9, 2)), 0) * 40 + rng.uniform(0, 1, 2) * (w, h)
        t = np.linspace(0, 8, 90)
        curve = np.stack([np.interp(t, np.arange(9), points[:, k]) for k in (0, 1)], 1)
        curve = cv2.GaussianBlur(curve.astype(np.float32), (1, 15), 4).round().astype(np.int32)
        mask = np.zeros(shape, np.uint8)
        cv2.polylines(mask, [curve], False, 255, max(4, int(radius)), cv2.LINE_AA)
        depth = np.clip(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / max(2, radius / 2), 0, 1)
        over, colours = mask.astype(np.float32) / 255, base * (0.45 + 0.55 * depth)[..., None]
    return over, colours


def _fill(shape, rng, stock, paper=False):
    """Colours of a thing: a part of a photograph, of another document, cloth or paper."""
    kind = rng.random()
    if not paper and kind < 0.5:
        return picture_patch(stock.photos, rng, shape[::-1]).astype(np.float32)
    if stock.papers and (paper and kind < 0.4 or not paper and kind < 0.6):
        other = pick(rng, stock.papers).astype(np.float32)[:: pick(rng, (-1, 1)), :: pick(rng, (-1, 1))]
        return np.ascontiguousarray(np.roll(other, rng.integers(0, 100, 2), (0, 1)))
    ends = tone(rng), tone(rng)
    if paper:
        pale = rng.uniform(90, 255, 3) if chance(rng, 0.4) else np.full(3, rng.uniform(170, 250))
        ends = pale, pale * 0.9
    base = gradient(shape, *ends, rng)
    base = base * (1 + rng.uniform(0, 0.12) * clouds(shape, rng))[..., None]
    if paper and chance(rng, 0.5):
        top, step = rng.integers(0, 30), rng.integers(8, 26)
        for y in range(top, shape[0], step):
            left, right = int(rng.uniform(0, 40)), int(rng.uniform(0.4, 1) * shape[1])
            cv2.line(base, (left, y), (right, y), tone(rng, 20, 120), int(rng.integers(1, 4)))
    if not paper and chance(rng, 0.6):  # a weave
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 16)
        u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        base = base * (1 + rng.uniform(0.03, 0.25) * np.sin(u * 6.28 / period) * np.sin(v * 6.28 / period))[..., None]
    return base


def sheet(shape, rng, stock):
    """A sheet, a card, a note over a border."""
    tip, out = from_border(rng, shape, rng.uniform(0.05, 0.5) * shape[0])
    across = np.array([-out[1], out[0]])
    near, far = rng.uniform(25, 330, 2)
    left, right = tip - across * near, tip + across * far
    corners = np.stack([left, right, right + out * 900, left + out * 900])
    over = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(over, corners.round().astype(np.int32), 255, cv2.LINE_AA)
    return over.astype(np.float32) / 255, _fill(shape, rng, stock, paper=chance(rng, 0.7))


def blob(shape, rng, stock):
    """A piece of something with a smooth border: cloth, a bag, a cup, a toy; from a border or inside."""
    h, w = shape
    reach = np.exp(rng.uniform(np.log(18), np.log(130)))
    at = rng.uniform(0.1, 0.9, 2) * (w, h)
    if chance(rng, 0.65):
        tip, out = from_border(rng, shape, rng.uniform(0.05, 0.35) * h)
        at = tip + out * reach * 0.8
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rough = rng.uniform(0, 0.3)
    radius = 1 + sum(rng.normal(0, rough / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5, 6))
    circle = np.stack([np.cos(angles), rng.uniform(0.5, 1) * np.sin(angles)], 1)
    outline = at + reach * np.clip(radius, 0.3, 2)[:, None] * circle
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 255, cv2.LINE_AA)
    depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / (rng.uniform(0.15, 0.9) * reach)
    shade = rng.uniform(0.4, 0.9) + 0.4 * np.sqrt(np.clip(depth, 0, 1))
    return mask.astype(np.float32) / 255, _fill(shape, rng, stock) * shade[..., None]


def coin(shape, rng, stock):
    h, w = shape
    at, radius = rng.uniform(0.05, 0.95, 2) * (w, h), np.exp(rng.uniform(np.log(9), np.log(55)))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    off = np.hypot(x - at[0], y - at[1]) / radius
    metal = np.array(pick(rng, ((196, 190, 180), (190, 150, 80), (160, 95, 60), (70, 70, 75), tone(rng))), np.float32)
    relief = 1 + 0.2 * smooth_noise(rng, shape, 70) + rng.uniform(0.1, 0.4) * lean(shape, rng)
    rim = np.where((off > 0.86) & (off < 0.95), rng.uniform(0.5, 1.4), 1)
    return np.clip((1 - off) * radius + 0.5, 0, 1), metal * (relief * rim * (1 - rng.uniform(0, 0.3) * off))[..., None]


THINGS = ((fingers, 0.5), (rod, 0.13), (sheet, 0.13), (blob, 0.18), (coin, 0.06))
