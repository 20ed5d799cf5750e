"""Random generators -> pictures of persons: a detailed one for faces of documents, a plain one for scenes,
which are seen small.
"""

import cv2
import numpy as np

from .tones import gradient, tone
from .words import chance, pick

SKINS = ((227, 184, 150), (198, 146, 114), (240, 203, 174), (142, 95, 68))


def portrait(stock, rng, width, height):
    """-> pixels and mask of a picture of a person, photographed where there is one in stock, else drawn."""
    if len(stock.portraits) and chance(rng, 0.6):
        face = pick(rng, stock.portraits)
        h, w = face.shape[:2]
        x, y, r, b = (rng.uniform(0, 0.12, 4) * (w, h, w, h)).astype(int)
        face = cv2.resize(face[y : h - b, x : w - r], (width, height), interpolation=cv2.INTER_AREA)
        if chance(rng, 0.5):
            face = np.ascontiguousarray(face[:, ::-1])
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
        low, high = np.percentile(grey, (2, 97))
        grey = np.clip((grey - low) / (high - low + 8), 0, 1) * rng.uniform(0.8, 1.0) + rng.uniform(0, 0.1)
        warm = rng.uniform(0, 0.35)  # grey, or coloured like skin
        face = 255 * np.clip(grey, 0, 1)[..., None] ** (1 - warm, 1.0, 1 + 0.8 * warm)
        return np.clip(face, 0, 255).astype(np.uint8), np.full((height, width), 255, np.uint8)
    w, h = width * 2, height * 2
    ground = tone(rng, 190, 252) if chance(rng, 0.8) else tone(rng, 70, 230)
    face = np.clip(gradient((h, w), ground, np.asarray(ground) * rng.uniform(0.8, 1.05), rng), 0, 255).astype(np.uint8)
    bare = face.copy()
    skin = np.clip(np.asarray(pick(rng, SKINS)) + rng.normal(0, 10, 3), 0, 255)
    hair = (
        np.asarray(tone(rng, 10, 70))
        if chance(rng, 0.75)
        else np.asarray((rng.integers(90, 220), rng.integers(80, 170), rng.integers(50, 130)))
    )
    coat = tone(rng, 5, 130) if chance(rng, 0.75) else tone(rng, 130, 250)
    cx, cy, size = w * rng.uniform(0.46, 0.54), h * rng.uniform(0.4, 0.48), h * rng.uniform(0.2, 0.27)
    wide = rng.uniform(0.68, 0.85)

    def oval(x, y, a, b, colour, begin=0, end=360):
        cv2.ellipse(
            face,
            (int(x), int(y)),
            (max(1, int(a)), max(1, int(b))),
            0,
            begin,
            end,
            tuple(float(c) for c in colour),
            -1,
            cv2.LINE_AA,
        )

    if chance(rng, 0.4):  # long hair
        oval(cx, cy + size * rng.uniform(0.2, 0.9), size * rng.uniform(0.95, 1.25), size * rng.uniform(1.2, 1.9), hair)
    oval(cx, cy - size * 0.22, size * (wide + rng.uniform(0.08, 0.25)), size * rng.uniform(0.95, 1.12), hair)
    oval(cx, h * 1.02, w * rng.uniform(0.42, 0.56), h * rng.uniform(0.2, 0.3), coat)
    oval(cx, cy + size * 1.05, size * 0.42, size * 0.6, skin * 0.85)
    if chance(rng, 0.4):
        points = np.array([[cx - size * 0.5, h * 0.8], [cx + size * 0.5, h * 0.8], [cx, h]], np.int32)
        cv2.fillConvexPoly(face, points, tone(rng, 190, 255), cv2.LINE_AA)
    for side in (-1, 1):
        oval(cx + side * size * wide, cy + size * 0.08, size * 0.12, size * 0.2, skin * 0.9)
    oval(cx, cy + size * 0.06, size * wide, size, skin)
    if chance(rng, 0.6):
        shade = np.zeros((h, w), np.float32)
        cv2.ellipse(
            shade,
            (int(cx + size * wide * pick(rng, (-0.7, 0.7))), int(cy)),
            (int(size * 0.5), int(size)),
            0,
            0,
            360,
            1.0,
            -1,
        )
        face = np.clip(
            face * (1 - rng.uniform(0.1, 0.35) * cv2.GaussianBlur(shade, (0, 0), size * 0.2))[..., None], 0, 255
        ).astype(np.uint8)
    oval(cx, cy - size * rng.uniform(0.5, 0.62), size * wide * 0.95, size * 0.45, hair, 180, 360)
    for side in (-1, 1):
        x, y = cx + side * size * wide * 0.42, cy - size * 0.02
        oval(x, y - size * 0.17, size * 0.2, size * 0.04, hair * 0.8)
        oval(x, y, size * 0.13, size * 0.06, (230, 225, 220))
        oval(x, y, size * 0.06, size * 0.06, (35, 25, 20))
    if chance(rng, 0.2):
        for side in (-1, 1):
            cv2.circle(
                face,
                (int(cx + side * size * wide * 0.42), int(cy)),
                int(size * 0.24),
                (30, 30, 30),
                max(1, int(size * 0.05)),
                cv2.LINE_AA,
            )
    oval(cx + size * 0.03, cy + size * 0.34, size * 0.12, size * 0.07, skin * 0.75)
    oval(cx, cy + size * 0.6, size * 0.25, size * 0.07, (150, 80, 80))
    if chance(rng, 0.15):
        oval(cx, cy + size * 0.85, size * wide * 0.7, size * 0.25, hair)
    face = cv2.GaussianBlur(face, (0, 0), size * 0.02 + 0.5)
    face = np.clip(face + rng.normal(0, rng.uniform(0, 8), face.shape), 0, 255).astype(np.uint8)
    mask = np.where(np.abs(face.astype(int) - bare).max(2) > 18, 255, 0).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    out = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    return out, cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)


def plain_portrait(rng, size):
    """A person on a document in a scene; it takes less chance and less time than `portrait`."""
    w, h = size
    face = np.full((h, w, 3), tone(rng, 150, 250), np.uint8)
    skin, hair = SKINS[rng.integers(len(SKINS))], tone(rng, 10, 90)
    cv2.ellipse(face, (w // 2, int(h * 0.42)), (int(w * 0.3), int(h * 0.3)), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(
        face, (w // 2, int(h * 1.1)), (int(w * 0.48), int(h * 0.36)), 0, 0, 360, tone(rng, 10, 120), -1, cv2.LINE_AA
    )
    cv2.ellipse(face, (w // 2, int(h * 0.48)), (int(w * 0.22), int(h * 0.26)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(face, (int(w * (0.5 + 0.09 * side)), int(h * 0.45)), max(1, w // 40), (20, 20, 20), -1, cv2.LINE_AA)
    cv2.line(
        face,
        (int(w * 0.43), int(h * 0.62)),
        (int(w * 0.57), int(h * 0.62)),
        (120, 60, 60),
        max(1, h // 60),
        cv2.LINE_AA,
    )
    return face
