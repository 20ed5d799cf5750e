"""A seed -> what lies under a document in a scene: desks, cloth, print, magazines, photographs."""

import cv2
import numpy as np

from .simple import draw_page
from .tones import clouds, gradient, tone


def pose(rng, width, height, w, h, frame, share, steep):
    """Where the corners of a face of `w` x `h` come to lie: tilted up to `steep` degrees, turned at will."""
    tilt = np.radians(rng.uniform(-steep, steep, 2) * rng.random() ** 0.5)
    turn = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.18) if rng.random() < 0.75 else rng.uniform(0, 2 * np.pi)
    cx, sx, cy, sy = np.cos(tilt[0]), np.sin(tilt[0]), np.cos(tilt[1]), np.sin(tilt[1])
    rz = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    r = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ rz
    corners = np.array([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]], float) / 2 @ r.T
    focal = rng.uniform(0.9, 1.6) * np.hypot(width, height)
    size = share * np.sqrt(width * height / (w * h))
    corners *= size
    scale = focal / (focal + corners[:, 2])
    points = corners[:, :2] * scale[:, None]
    span = points.max(0) - points.min(0)
    limit = (np.array([width, height]) * frame) / span
    points *= min(1.0, limit.min()) if frame else 1.0
    span = points.max(0) - points.min(0)
    room = np.maximum(np.array([width, height]) - span, 0)
    at = points.min(0)
    free = rng.uniform(0, 1, 2) if rng.random() < 0.4 else np.clip(rng.normal(0.5, 0.2, 2), 0, 1)
    origin = room * free
    if not frame:  # some of it outside
        origin = (
            rng.uniform(-0.3, 0.0, 2) * span
            if rng.random() < 0.5
            else np.array([width, height]) - span * rng.uniform(0.7, 1.0, 2)
        )
    return (points - at + origin).astype(np.float32)


def paste(canvas, face, alpha, corners, opacity=1.0):
    h, w = face.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    m = cv2.getPerspectiveTransform(source, corners)
    size = canvas.shape[1::-1]
    warped = cv2.warpPerspective(face, m, size, flags=cv2.INTER_AREA if face.shape[0] > 600 else cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(alpha, m, size, flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] * (opacity / 255)
    return canvas * (1 - cover) + warped * cover, cover[..., 0]


def newsprint(photos, rng, shape):
    """Columns of print, seen at a slant: clutter that is no document."""
    sheet = draw_page(photos, rng, 620, 620)
    for column in range(int(rng.integers(2, 5))):
        part = draw_page(photos, rng, 220, 620)
        x = min(column * 200, 400)
        sheet[:, x : x + 200] = part[:, 10:210]
    h, w = shape
    corners = pose(rng, w * 1.0, h * 1.0, 620, 620, 0, rng.uniform(1.3, 2.4), 25)
    middle = corners.mean(0)
    corners += np.array([w / 2, h / 2], np.float32) - middle
    ground = gradient(shape, tone(rng), tone(rng), rng)
    return paste(ground, sheet, np.full((620, 620), 255, np.uint8), corners)[0]


def background(photos, rng, shape):
    kind = rng.random()
    h, w = shape
    if kind < 0.36:
        photo = photos[rng.integers(len(photos))]
        ph, pw = photo.shape[:2]
        cw, ch = int(pw * rng.uniform(0.4, 1.0)), int(ph * rng.uniform(0.4, 1.0))
        x, y = rng.integers(pw - cw + 1), rng.integers(ph - ch + 1)
        return cv2.resize(photo[y : y + ch, x : x + cw], (w, h), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    if kind < 0.62:
        return newsprint(photos, rng, shape)
    base = (
        gradient(shape, tone(rng), tone(rng), rng) if rng.random() < 0.4 else np.ones((h, w, 3), np.float32) * tone(rng)
    )
    if rng.random() < 0.3:
        base = np.ones((h, w, 3), np.float32) * rng.integers(180, 256)  # a white desk
    if kind < 0.85:
        stretch = (int(rng.integers(3, 40)), int(rng.integers(3, 40)))
        grain = cv2.resize(rng.normal(0, 1, stretch).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        base = base * (1 + rng.uniform(0.02, 0.2) * grain + rng.uniform(0, 0.12) * clouds(shape, rng))[..., None]
    return np.clip(base, 0, 255).astype(np.float32)


def any_part(picture, rng, shape):
    """A part of a picture at any of eight turns, filling `shape`."""
    h, w = shape
    picture = np.rot90(picture, rng.integers(4))
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    ph, pw = picture.shape[:2]
    most = min(ph / h, pw / w)
    factor = most * rng.uniform(0.45, 1.0)
    ch, cw = max(8, int(h * factor)), max(8, int(w * factor))
    x, y = rng.integers(pw - cw + 1), rng.integers(ph - ch + 1)
    return cv2.resize(np.ascontiguousarray(picture[y : y + ch, x : x + cw]), (w, h), interpolation=cv2.INTER_LINEAR)


def magazine(photos, material, rng, shape):
    """A grid of pictures, print and blocks of colour, seen at a slant: many rectangles, none of them a document."""
    side = 520
    sheet = np.full((side, side, 3), tone(rng, 120, 255), np.uint8)
    grey = rng.random() < 0.5
    columns = np.unique(np.concatenate([[0, side], rng.integers(40, side - 40, int(rng.integers(1, 4)))]))
    for left, right in zip(columns[:-1], columns[1:]):
        rows = np.unique(np.concatenate([[0, side], rng.integers(30, side - 30, int(rng.integers(1, 5)))]))
        for top, bottom in zip(rows[:-1], rows[1:]):
            gap = int(rng.integers(0, 8))
            if right - left < 2 * gap + 12 or bottom - top < 2 * gap + 12:
                continue
            size, kind = (bottom - top - 2 * gap, right - left - 2 * gap), rng.random()
            if kind < 0.3:
                part = any_part(photos[rng.integers(len(photos))], rng, size)
                part = np.repeat(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) if grey else part
            elif kind < 0.6:
                part = any_part(material.prints[rng.integers(len(material.prints))], rng, size)
            elif kind < 0.85:
                part = draw_page(photos, rng, max(60, size[1]), max(60, size[0]))[: size[0], : size[1]]
            else:
                part = np.full((*size, 3), tone(rng), np.uint8)
            sheet[top + gap : bottom - gap, left + gap : right - gap][: part.shape[0], : part.shape[1]] = part
    h, w = shape
    corners = pose(rng, w * 1.0, h * 1.0, side, side, 0, rng.uniform(1.2, 2.4), 25)
    corners += np.array([w / 2, h / 2], np.float32) * rng.uniform(0.6, 1.4, 2).astype(np.float32) - corners.mean(0)
    ground = material.grounds[rng.integers(len(material.grounds))]
    return paste(any_part(ground, rng, shape).astype(np.float32), sheet, np.full((side, side), 255, np.uint8), corners)[
        0
    ]


def real_background(photos, material, rng, shape):
    kind = rng.random()
    if kind < 0.3:
        return magazine(photos, material, rng, shape)
    pictures = material.grounds if kind < 0.8 else material.prints
    picture = any_part(pictures[rng.integers(len(pictures))], rng, shape).astype(np.float32)
    if rng.random() < 0.3:
        picture = picture * np.array(tone(rng, 150, 255), np.float32) / 255
    return picture
