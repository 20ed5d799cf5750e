"""A lit picture -> the same under lamps, shadows, coloured light."""

import cv2
import numpy as np

from .tones import gradient, tone


def shadow_under(canvas, corners, rng):
    h, w = canvas.shape[:2]
    mask = np.zeros((h, w), np.float32)
    cv2.fillConvexPoly(mask, (corners + rng.normal(0, 4, 2)).astype(np.int32), 1.0)
    return canvas * (1 - float(rng.uniform(0.1, 0.6)) * cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.5, 7))[..., None])


def coloured_patch(canvas, rng):
    """Light of a lamp or torch, of one colour, that falls on a part of the scene."""
    h, w = canvas.shape[:2]
    mask = np.zeros((h, w), np.float32)
    centre, axes = rng.uniform(0, 1, 2) * (w, h), rng.uniform(0.15, 0.8, 2) * max(w, h)
    cv2.ellipse(mask, tuple(int(v) for v in centre), tuple(int(v) for v in axes), rng.uniform(0, 180), 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2, 40))[..., None]
    return canvas * (1 + mask * (np.exp(rng.normal(0.0, 0.35, 3)) - 1).astype(np.float32))


def light(canvas, rng):
    h, w = canvas.shape[:2]
    if rng.random() < 0.6:
        canvas = canvas * (1 + float(rng.uniform(0.1, 0.6)) * (gradient((h, w), (0,), (1,), rng) - 0.5))
    if rng.random() < 0.32:  # something throws a shadow with an edge: an arm, or the bars of a window
        mask, wide = np.zeros((h, w), np.float32), int(rng.uniform(10, 120))
        a, b = rng.uniform(-0.2, 1.2, 2) * (w, h), rng.uniform(-0.2, 1.2, 2) * (w, h)
        step = np.array([a[1] - b[1], b[0] - a[0]]) / (np.linalg.norm(a - b) + 1e-6) * wide * rng.uniform(1.6, 3)
        for bar in range(-5, 6) if rng.random() < 0.4 else (0,):
            ends = [tuple(int(v) for v in (end + (end - other) * 2 + bar * step)) for end, other in ((a, b), (b, a))]
            cv2.line(mask, *ends, 1.0, wide)
        canvas = canvas * (
            1 - float(rng.uniform(0.2, 0.65)) * cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 10))[..., None]
        )
    if rng.random() < 0.25:
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        yy, xx = np.mgrid[:h, :w].astype(np.float32)
        spot = np.exp(-(((xx - x) / rng.uniform(15, 90)) ** 2 + ((yy - y) / rng.uniform(15, 90)) ** 2))
        canvas = (
            canvas + float(rng.uniform(80, 350)) * spot[..., None] * np.array(tone(rng, 180, 255), np.float32) / 255
        )
    if rng.random() < 0.35:
        canvas = canvas * np.exp(rng.normal(0, 0.18, 3)).astype(np.float32)
    return 255 * np.clip(canvas * float(rng.uniform(0.35, 1.25)) / 255, 0, 1) ** float(rng.uniform(0.75, 1.3))
