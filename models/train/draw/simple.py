"""A seed -> a document for a scene, which is seen small: a card, a page, or parts of real ones mixed."""

from dataclasses import dataclass

import cv2
import numpy as np

from .portrait import plain_portrait
from .shapes import rounded
from .tones import gradient, picture_patch, tone, waves
from .words import letters

# Long side over short side: ID-1, ID-3, A4, a letter, a receipt, nearly square.
ASPECTS = ((85.6 / 54.0, 0.45), (125 / 88, 0.2), (2**0.5, 0.2), (11 / 8.5, 0.05), (3.0, 0.04), (1.15, 0.06))
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_TRIPLEX,
)


@dataclass
class Material:
    """Pixels of photographs, RGB: rectified documents, surfaces without documents, and close views of print."""

    faces: list
    grounds: list
    prints: list


def write(face, text, at, height, colour, rng, font=None):
    font = FONTS[rng.integers(len(FONTS))] if font is None else font
    scale = height / 22.0 * (2.0 if font == cv2.FONT_HERSHEY_PLAIN else 1.0)
    cv2.putText(face, text, (int(at[0]), int(at[1])), font, scale, colour, max(1, round(height / 9)), cv2.LINE_AA)


def draw_card(photos, rng, w, h):
    """A card, a passport page or a licence."""
    ground = tone(rng, 170, 255) if rng.random() < 0.85 else tone(rng, 20, 200)
    face = gradient((h, w), ground, np.clip(np.asarray(ground) + rng.normal(0, 25, 3), 0, 255), rng).astype(np.uint8)
    dark = tuple(int(v) for v in (rng.integers(0, 70, 3) if np.mean(ground) > 110 else rng.integers(190, 255, 3)))
    if rng.random() < 0.6:
        face = waves(face, rng, int(rng.integers(8, 40)), tone(rng, 60, 220), rng.uniform(0.2, 0.6))
    if rng.random() < 0.35:
        band = int(h * rng.uniform(0.08, 0.22))
        cv2.rectangle(face, (0, 0), (w, band), tone(rng), -1)
    if rng.random() < 0.2:
        cv2.rectangle(face, (0, int(h * rng.uniform(0.7, 0.85))), (w, h), tone(rng, 150, 255), -1)
    if rng.random() < 0.8:
        ph = int(h * rng.uniform(0.35, 0.62))
        pw = int(ph * rng.uniform(0.7, 0.85))
        x = int(w * rng.uniform(0.03, 0.1)) if rng.random() < 0.55 else w - pw - int(w * rng.uniform(0.03, 0.1))
        y = int(h * rng.uniform(0.15, 0.3))
        face[y : y + ph, x : x + pw] = (
            plain_portrait(rng, (pw, ph)) if rng.random() < 0.7 else picture_patch(photos, rng, (pw, ph))
        )
        left, right = (x + pw, w) if x < w / 2 else (0, x)
    else:
        left, right = 0, w
    font = FONTS[rng.integers(len(FONTS))]
    size, y = h * rng.uniform(0.025, 0.05), h * rng.uniform(0.1, 0.2)
    while y < h * 0.8:
        length = int((right - left) * rng.uniform(0.2, 0.8) / (size * 0.95)) + 1
        write(face, letters(rng, min(length, 40)), (left + w * 0.03, y), size, dark, rng, font)
        y += size * rng.uniform(1.6, 3.4)
    if rng.random() < 0.4:
        for k in range(int(rng.integers(1, 4))):
            write(
                face,
                letters(rng, 44),
                (w * 0.03, h * (0.83 + 0.06 * k)),
                h * 0.035,
                dark,
                rng,
                cv2.FONT_HERSHEY_SIMPLEX,
            )
    if rng.random() < 0.3:
        centre, radius = (
            (int(w * rng.uniform(0.1, 0.9)), int(h * rng.uniform(0.1, 0.9))),
            int(h * rng.uniform(0.05, 0.15)),
        )
        cv2.circle(face, centre, radius, tone(rng), int(rng.integers(-1, 4)) or 1, cv2.LINE_AA)
    return face


def draw_page(photos, rng, w, h):
    """A letter, a receipt, a certificate."""
    ground = tone(rng, 215, 255)
    face = np.full((h, w, 3), ground, np.uint8)
    dark, margin = tone(rng, 0, 80), w * rng.uniform(0.05, 0.12)
    if rng.random() < 0.25:
        for k in range(int(rng.integers(1, 4))):
            inset = int(margin * (0.3 + 0.2 * k))
            cv2.rectangle(face, (inset, inset), (w - inset, h - inset), tone(rng, 60, 200), int(rng.integers(1, 4)))
    size, y = w * rng.uniform(0.012, 0.035), h * rng.uniform(0.04, 0.12)
    if rng.random() < 0.7:
        write(
            face,
            letters(rng, int(rng.integers(5, 18))),
            (w * rng.uniform(0.1, 0.4), y + size),
            size * rng.uniform(1.5, 3),
            dark,
            rng,
        )
        y += size * 4
    stop, font = h * rng.uniform(0.5, 0.96), FONTS[rng.integers(len(FONTS))]
    while y < stop:
        length = max(2, int((w - 2 * margin) * rng.uniform(0.3, 1.0) / (size * 0.9)))
        write(face, letters(rng, min(length, 90)), (margin, y), size, dark, rng, font)
        y += size * rng.uniform(1.5, 2.2) * (2.0 if rng.random() < 0.12 else 1.0)
    for _ in range(int(rng.integers(0, 3))):
        pw, ph = int(w * rng.uniform(0.15, 0.4)), int(h * rng.uniform(0.08, 0.25))
        x, y = rng.integers(w - pw), rng.integers(h - ph)
        if rng.random() < 0.4:
            cells = rng.integers(0, 2, (21, 21)).astype(np.uint8) * 255
            face[y : y + ph, x : x + ph][:, : w - x] = cv2.resize(cells, (ph, ph), interpolation=cv2.INTER_NEAREST)[
                :, : w - x, None
            ]
        else:
            face[y : y + ph, x : x + pw] = picture_patch(photos, rng, (pw, ph))
    if rng.random() < 0.3:
        cv2.circle(
            face,
            (int(w * rng.uniform(0.5, 0.85)), int(h * rng.uniform(0.6, 0.9))),
            int(w * 0.09),
            (190, 40, 40),
            3,
            cv2.LINE_AA,
        )
    return face


def mixed_face(photos, material, rng):
    """A rectified document with parts of others over it, its colours and proportions changed."""
    source = material.faces[rng.integers(len(material.faces))]
    h, w = source.shape[:2]
    face = source.astype(np.float32)
    for _ in range(int(rng.integers(0, 5)) if rng.random() < 0.7 else 0):
        pw, ph = int(w * rng.uniform(0.1, 0.6)), int(h * rng.uniform(0.08, 0.5))
        x, y = rng.integers(w - pw), rng.integers(h - ph)
        kind = rng.random()
        if kind < 0.6:  # what another document has in that place, or elsewhere
            other = material.faces[rng.integers(len(material.faces))]
            oh, ow = other.shape[:2]
            ox, oy = (int(x * ow / w), int(y * oh / h)) if rng.random() < 0.5 else (rng.integers(ow), rng.integers(oh))
            part = other[oy : oy + ph, ox : ox + pw]
        elif kind < 0.8:
            part = picture_patch(material.prints, rng, (pw, ph))
        else:
            part = draw_card(photos, rng, w, h)[y : y + ph, x : x + pw]
        if min(part.shape[:2]) < 4:
            continue
        part = cv2.resize(part, (pw, ph)).astype(np.float32)
        blend = rng.uniform(0.6, 1.0)
        face[y : y + ph, x : x + pw] = face[y : y + ph, x : x + pw] * (1 - blend) + part * blend
    if rng.random() < 0.5:
        face = np.repeat(face.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.4:  # the colour of the stock
        face = face * np.array(tone(rng, 140, 255), np.float32) / 255
    middle = face.mean()
    face = (face - middle) * rng.uniform(0.6, 1.3) + middle + rng.uniform(-25, 40)
    if rng.random() < 0.2:
        w, h = int(w * rng.uniform(0.8, 1.0)), int(h * rng.uniform(0.8, 1.0))
        face = cv2.resize(face, (w, h), interpolation=cv2.INTER_AREA)
    alpha = np.zeros((h, w), np.uint8)
    rounded(alpha, (0, 0, w, h), int(rng.integers(0, 18)) if rng.random() < 0.5 else 0, 255)
    return np.clip(face, 0, 255).astype(np.uint8), alpha


def draw_document(photos, rng):
    """-> the face and its alpha (rounded corners)."""
    kind = rng.choice(len(ASPECTS), p=np.array([a[1] for a in ASPECTS]) / sum(a[1] for a in ASPECTS))
    aspect = ASPECTS[kind][0]
    card = kind < 2 or (kind == 2 and rng.random() < 0.3) or kind == 5
    long, short = 448, int(448 / aspect)
    w, h = (long, short) if (card and rng.random() < 0.9) or (not card and rng.random() < 0.15) else (short, long)
    face = draw_card(photos, rng, w, h) if card else draw_page(photos, rng, w, h)
    if rng.random() < 0.4:
        face = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    alpha = np.zeros((h, w), np.uint8)
    radius = int(long * 3.18 / 85.6) if kind == 0 and rng.random() < 0.8 else (int(rng.integers(0, 14)) if card else 0)
    rounded(alpha, (0, 0, w, h), radius, 255)
    return face, alpha
