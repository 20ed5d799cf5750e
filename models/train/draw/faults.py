"""A photograph of print -> the same under photographic faults, measured in heights of print."""

import cv2
import numpy as np

FAULTS = ("defocus", "motion", "low_light", "highlight", "shadow", "reduction", "jpeg", "messenger")


def defocus(rng, p, h):
    radius = h * rng.uniform(0.04, 0.5)
    side = 2 * int(np.ceil(radius)) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    disk = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return cv2.filter2D(p, -1, disk / disk.sum(), borderType=cv2.BORDER_REFLECT)


def motion(rng, p, h):
    length, angle = h * rng.uniform(0.15, 1.2), rng.uniform(0, np.pi)
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((side, side), np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    middle = np.array([side // 2, side // 2])
    ends = [tuple(np.round(16 * (middle + k * step)).astype(int).tolist()) for k in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(p, -1, kernel / max(kernel.sum(), 1e-6), borderType=cv2.BORDER_REFLECT)


def low_light(rng, p, h):
    light = rng.uniform(0.05, 0.5)
    photons = 10 ** rng.uniform(0.7, 2.6)
    dark = p * light
    noise = rng.normal(0, 1, p.shape[:2] + (1,)) * 0.7 + rng.normal(0, 1, p.shape) * 0.4
    dark = dark + noise * np.sqrt(np.maximum(dark, 1) * 255 * light / photons + 4)
    dark = np.clip(dark, 0, 255)
    if rng.random() < 0.5:  # what phones do against noise
        dark = cv2.bilateralFilter(dark.astype(np.float32), 5, 25, 2.0)
    return dark * rng.uniform(1, min(0.9 / light, 6)) if rng.random() < 0.5 else dark


def highlight(rng, p, h):
    """A lamp in lamination: adds light with a soft border until the sensor is at its end."""
    rows, columns = p.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    cx, cy, angle = rng.uniform(0, columns), rng.uniform(0, rows), rng.uniform(0, np.pi)
    a, b = h * rng.uniform(1.5, 7), h * rng.uniform(0.8, 4)
    u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    fall = np.exp(-(((u / a) ** 2 + (v / b) ** 2) ** rng.uniform(0.7, 2)))
    return p + (fall * rng.uniform(80, 600))[..., None]


def shadow(rng, p, h):
    """A hard shadow; behind it light is less, not contrast."""
    rows, columns = p.shape[:2]
    mask = np.ones((rows, columns), np.float32)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3) * max(rows, columns)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    side = (x - columns / 2) * np.cos(angle) + (y - rows / 2) * np.sin(angle) > far
    mask[side] = rng.uniform(0.12, 0.6)
    return p * cv2.GaussianBlur(mask, (0, 0), h * rng.uniform(0.05, 0.6) + 0.3)[..., None]


def reduction(rng, p, h, least=4.0, most=14.0):
    factor = min(1.0, rng.uniform(least, most) / h)
    small = cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (p.shape[1], p.shape[0]), interpolation=cv2.INTER_CUBIC)


def jpeg(rng, p, h, low=4, high=45):
    return compressed(p, int(rng.integers(low, high)))


def compressed(p, quality):
    sampling = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x221111]
    return cv2.imdecode(cv2.imencode(".jpg", np.clip(p, 0, 255).astype(np.uint8), sampling)[1], 1).astype(np.float32)


def messenger(rng, p, h):
    """Reduced, compressed and brought back by the viewer: what a chat makes of a photograph."""
    factor = min(1.0, rng.uniform(5, 20) / h)
    small = cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    small = compressed(small, int(rng.integers(15, 75)))
    return cv2.resize(small, (p.shape[1], p.shape[0]), interpolation=cv2.INTER_CUBIC)


LAY = dict(zip(FAULTS, (defocus, motion, low_light, highlight, shadow, reduction, jpeg, messenger)))


def faulty(rng, p, h, step):
    """The first step is the photograph itself; of the others one in four has two faults. -> picture, names."""
    if step == 0:
        return p, ()
    names = [str(rng.choice(FAULTS))]
    if rng.random() < 0.25:
        names.append(str(rng.choice(FAULTS)))
    for name in names:
        p = np.clip(LAY[name](rng, p.astype(np.float32), h), 0, 255)
    if rng.random() < 0.7:
        p = compressed(p, int(rng.integers(60, 96)))
    return np.clip(p, 0, 255), tuple(names)
