"""Random generators -> outlines: rounded corners, capsules, places at a border; patches of mirrored light."""

import cv2
import numpy as np

from .tones import smooth_noise


def rounded(image, box, radius, value):
    x0, y0, x1, y1 = (int(v) for v in box)
    if radius <= 0:
        cv2.rectangle(image, (x0, y0), (x1, y1), value, -1)
        return
    cv2.rectangle(image, (x0 + radius, y0), (x1 - radius, y1), value, -1)
    cv2.rectangle(image, (x0, y0 + radius), (x1, y1 - radius), value, -1)
    for x, y in (
        (x0 + radius, y0 + radius),
        (x1 - radius, y0 + radius),
        (x0 + radius, y1 - radius),
        (x1 - radius, y1 - radius),
    ):
        cv2.circle(image, (x, y), radius, value, -1)


def capsule(shape, tip, to, radius, taper=1.0):
    """-> coverage 0..1, place off the axis (1 at the rim), place along it in px from the tip."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    d = np.subtract(to, tip)
    long = float(np.hypot(*d)) + 1e-6
    d = d / long
    t = (x - tip[0]) * d[0] + (y - tip[1]) * d[1]
    off = (x - tip[0]) * d[1] - (y - tip[1]) * d[0]
    wide = radius * (taper + (1 - taper) * np.clip(t / (3 * radius), 0, 1))
    off = np.where(t < 0, np.hypot(off, t), np.abs(off)) / wide
    over = np.clip((1 - off) * radius + 0.5, 0, 1) * (t < long)
    return over, off, t


def from_border(rng, shape, deep):
    """A place `deep` px inside a border and a direction outwards."""
    h, w = shape
    side = rng.integers(4)
    along = rng.uniform(0.05, 0.95)
    at, out = [
        ((along * w, h - deep), (0, 1)),
        ((along * w, deep), (0, -1)),
        ((deep, along * h), (-1, 0)),
        ((w - deep, along * h), (1, 0)),
    ][side]
    out = np.array(out, float) + rng.normal(0, 0.4, 2)
    return np.array(at, float), out / np.hypot(*out)


def highlight(rng, shape, strength):
    """Light mirrored by a glossy face, linear, 1 is white."""
    h, w = shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    out = np.zeros(shape, np.float32)
    power = 0.25 * (12**strength)
    for _ in range(1 if rng.random() < 0.7 else int(rng.integers(2, 4))):
        ripple = rng.uniform(0, 12)
        dx = x - rng.uniform(0.08, 0.92) * w + ripple * smooth_noise(rng, shape, rng.integers(3, 14))
        dy = y - rng.uniform(0.08, 0.92) * h + ripple * smooth_noise(rng, shape, rng.integers(3, 14))
        angle = rng.uniform(0, np.pi)
        a, b = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
        kind = rng.integers(6)
        if kind <= 1:
            # A lamp: a core and its halo.
            wide, narrow = rng.uniform(12, 70), rng.uniform(6, 40)
            q = (a / wide) ** 2 + (b / narrow) ** 2
            spot = np.exp(-q) + rng.uniform(0, 0.3) * np.exp(-q * rng.uniform(0.1, 0.3))
        elif kind == 2:
            # A window with bars.
            edge, half = rng.uniform(0.5, 8), rng.uniform(10, 60, 2)
            inside = np.minimum(half[0] - np.abs(a), half[1] - np.abs(b)) / edge
            spot = 1 / (1 + np.exp(-np.clip(inside, -20, 20)))
            if rng.random() < 0.5:
                spot = spot * (1 - 0.9 * np.exp(-((a / rng.uniform(1, 5)) ** 2)))
        elif kind == 3:
            # Tubes: stripes across.
            thick = rng.uniform(3, 18)
            spot = np.exp(-((b / thick) ** 4))
            for _ in range(int(rng.integers(0, 3))):
                spot = spot + np.exp(-(((b - rng.uniform(-70, 70)) / thick) ** 4))
            spot = np.minimum(spot, 1) * np.exp(-((a / rng.uniform(60, 300)) ** 4))
        elif kind == 4:
            # Patches with hard edges, as on a wavy film.
            wave = smooth_noise(rng, shape, rng.integers(3, 9))
            wave = wave * np.exp(-((a / rng.uniform(30, 90)) ** 2 + (b / rng.uniform(20, 70)) ** 2))
            spot = 1 / (1 + np.exp(-np.clip((wave - rng.uniform(0.2, 0.5)) * rng.uniform(5, 40), -20, 20)))
        else:
            # Light that lies over one side.
            spot = 1 / (1 + np.exp(-np.clip(b / rng.uniform(3, 35), -20, 20)))
            spot = spot if rng.random() < 0.3 else spot * np.exp(-((a / rng.uniform(30, 110)) ** 2))
        out += spot * power * rng.uniform(0.6, 1.3)
    if rng.random() < 0.4:
        out *= 1 + 0.2 * smooth_noise(rng, shape, rng.integers(20, 80))
    return np.maximum(out, 0)
