"""Random generators -> colours, gradients, smooth noise, wavy lines, pieces of photographs."""

import cv2
import numpy as np


def tone(rng, low=0, high=255):
    return tuple(int(v) for v in rng.integers(low, high + 1, 3))


def gradient(shape, a, b, rng):
    """From colour `a` to colour `b` in a random direction."""
    h, w = shape
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * np.linspace(-0.5, 0.5, w)[None] + np.sin(angle) * np.linspace(-0.5, 0.5, h)[:, None]
    ramp = np.clip(ramp + 0.5, 0, 1).astype(np.float32)[..., None]
    return np.asarray(a, np.float32) * (1 - ramp) + np.asarray(b, np.float32) * ramp


def clouds(shape, rng, octaves=(4, 9, 20, 45)):
    """Smooth noise of several scales, about 0, deviation near 1."""
    total = np.zeros(shape, np.float32)
    for cells in octaves:
        small = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        total += cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC) / len(octaves) ** 0.5
    return total


def picture_patch(photos, rng, size):
    """A patch of a photograph, `size` = (width, height)."""
    photo = photos[rng.integers(len(photos))]
    h, w = photo.shape[:2]
    side = int(min(h, w) * rng.uniform(0.3, 0.9))
    x, y = rng.integers(w - side + 1), rng.integers(h - side + 1)
    return cv2.resize(photo[y : y + side, x : x + side], size, interpolation=cv2.INTER_AREA)


def waves(face, rng, count, colour, weight):
    h, w = face.shape[:2]
    layer, x = face.copy(), np.linspace(0, w, 80)
    for k in range(count):
        swing = np.sin(x / w * rng.uniform(3, 14) + k * 0.3) * h * rng.uniform(0.01, 0.06)
        points = np.stack([x, (k + 0.5) * h / count + swing], 1).astype(np.int32)
        cv2.polylines(layer, [points], False, colour, 1, cv2.LINE_AA)
    return cv2.addWeighted(layer, weight, face, 1 - weight, 0)


def smooth_noise(rng, shape, cells):
    """Smooth noise about 0 with deviation near 1."""
    small = rng.normal(0, 1, (max(2, int(cells)), max(2, int(cells * shape[1] / shape[0])))).astype(np.float32)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
