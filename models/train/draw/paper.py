"""Random generators -> the grounds of documents: security paper, and the picture of a bank or trading card."""

import cv2
import numpy as np

from .tones import clouds, gradient, picture_patch, tone, waves
from .words import chance


def tinted(rng, shape, low=185, spread=22, strength=0.6):
    """Security paper: a pale gradient with line art."""
    h, w = shape
    base = rng.integers(low, 250, 3) if chance(rng, 0.75) else np.full(3, rng.integers(210, 250))
    ground = gradient(shape, base, np.clip(base + rng.normal(0, spread, 3), 0, 255), rng)
    if chance(rng, 0.3):
        ground = ground + 6 * clouds(shape, rng)[..., None] * rng.normal(0, 1, 3)
    ground = np.clip(ground, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        ground = waves(ground, rng, int(rng.integers(8, 46)), tone(rng, 60, 220), rng.uniform(0.1, strength))
    for _ in range(int(rng.integers(0, 3))):
        layer = ground.copy()
        centre, radius, lobes = rng.uniform(0.1, 0.9, 2) * (w, h), rng.uniform(0.1, 0.5) * h, rng.integers(4, 14)
        t, ink = np.linspace(0, 2 * np.pi, 160), tone(rng, 60, 220)
        for phase in np.linspace(0, 2 * np.pi, int(rng.integers(4, 12)), endpoint=False):
            r = radius * (0.7 + 0.3 * np.sin(lobes * t + phase))
            points = np.stack([centre[0] + r * np.cos(t), centre[1] + r * np.sin(t)], 1).astype(np.int32)
            cv2.polylines(layer, [points], True, ink, 1, cv2.LINE_AA)
        ground = cv2.addWeighted(layer, rng.uniform(0.2, strength), ground, 1 - rng.uniform(0.2, strength), 0)
    return ground


def vivid(rng, shape, photos):
    """The ground of a bank or trading card."""
    kind = rng.random()
    if kind < 0.3:
        return picture_patch(photos, rng, shape[::-1]).astype(np.float32) * rng.uniform(0.4, 1.0)
    ground = gradient(shape, tone(rng), tone(rng), rng)
    if kind < 0.6:
        ground = ground + 25 * clouds(shape, rng, (3, 6))[..., None] * rng.normal(0, 1, 3)
    if kind > 0.8:
        ground = waves(np.clip(ground, 0, 255).astype(np.uint8), rng, int(rng.integers(4, 20)), tone(rng), 0.5)
    return ground


def chinese_ground(stock, rng, shape):
    a = np.array([rng.integers(205, 240), rng.integers(215, 240), rng.integers(220, 245)])
    b = np.array([rng.integers(225, 250), rng.integers(210, 235), rng.integers(210, 240)])
    ground = np.clip(gradient(shape, a, b, rng), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        ground = waves(ground, rng, int(rng.integers(14, 46)), tone(rng, 110, 215), rng.uniform(0.1, 0.5))
    return ground
