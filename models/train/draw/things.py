"""A seed -> things in a scene: pens, fingers, toys, and the phone, tablet or laptop that shows a document."""

import cv2
import numpy as np

from .grounds import any_part, paste
from .portrait import SKINS
from .shapes import rounded
from .simple import write
from .tones import picture_patch, tone
from .words import letters


def toy(canvas, photos, rng, corners):
    """Something soft and patterned that lies over a corner of the document."""
    h, w = canvas.shape[:2]
    at = corners[rng.integers(4)] + rng.normal(0, 0.05, 2) * max(w, h)
    away = at - corners.mean(0)
    reach = rng.uniform(0.06, 0.25) * max(w, h)
    at = at + away / (np.linalg.norm(away) + 1e-6) * reach * rng.uniform(0.3, 1.0)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 1 + sum(rng.normal(0, 0.25 / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in (1, 2, 3, 4, 5))
    outline = at + reach * np.clip(radius, 0.2, 2)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [outline.astype(np.int32)], 255, cv2.LINE_AA)
    shade = np.clip(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / (0.5 * reach), 0, 1)
    fill = (
        any_part(photos[rng.integers(len(photos))], rng, (h, w))
        if rng.random() < 0.5
        else np.array(tone(rng), np.float32)
    )
    cover = cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32)[..., None] / 255
    return canvas * (1 - cover) + fill * (0.5 + 0.5 * np.sqrt(shade))[..., None] * cover


def thing(canvas, rng, inside=None):
    """A pen, a cup, a finger: a shaded capsule or ellipse, anywhere or across a corner of `inside`."""
    h, w = canvas.shape[:2]
    colour = np.array(SKINS[rng.integers(len(SKINS))] if rng.random() < 0.4 else tone(rng), np.float32)
    mask = np.zeros((h, w), np.uint8)
    if inside is None:
        at = rng.uniform(0, 1, 2) * (w, h)
    else:
        k = rng.integers(4)
        at = inside[k] * (1 - (t := rng.uniform(0, 0.5))) + inside[(k + 1) % 4] * t
    away = at - (np.array([w, h]) / 2 if inside is None else inside.mean(0))
    away = away / (np.linalg.norm(away) + 1e-6) + rng.normal(0, 0.4, 2)
    reach = rng.uniform(0.1, 0.7) * max(w, h)
    thick = int(rng.uniform(0.02, 0.07) * max(w, h)) + 1
    if rng.random() < 0.75:
        end = at + away * reach
        cv2.line(mask, tuple(int(v) for v in at), tuple(int(v) for v in end), 255, 2 * thick, cv2.LINE_AA)
    else:
        cv2.ellipse(
            mask,
            tuple(int(v) for v in at),
            (thick * 2, int(thick * rng.uniform(1, 3))),
            rng.uniform(0, 180),
            0,
            360,
            255,
            -1,
            cv2.LINE_AA,
        )
    shade = np.clip(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / thick, 0, 1)[..., None]
    cover = mask.astype(np.float32)[..., None] / 255
    return canvas * (1 - cover) + colour * (0.55 + 0.45 * np.sqrt(shade)) * cover


def device(canvas, photos, rng, corners, face_size):
    """A phone, tablet or laptop around where the document will be shown; -> canvas, corners of the device."""
    w, h = face_size
    margin = rng.uniform(0.03, 0.9, 4) if rng.random() < 0.5 else rng.uniform(0.0, 0.25, 4)
    bezel = rng.uniform(0.02, 0.1) * max(w, h)
    left, top, right, bottom = margin * (w, h, w, h)
    inner = np.array([[-left, -top], [w + right, -top], [w + right, h + bottom], [-left, h + bottom]], np.float32)
    outer = inner + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * bezel
    m = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), corners)
    frame = cv2.perspectiveTransform(outer[None], m)[0]
    dw, dh = (outer[2] - outer[0]).astype(int)
    scale = 420 / max(dw, dh)
    dw, dh, edge = int(dw * scale) + 1, int(dh * scale) + 1, int(bezel * scale)
    body = np.full((dh, dw, 3), tone(rng, 0, 45) if rng.random() < 0.85 else tone(rng, 120, 240), np.uint8)
    ground = (255, 255, 255) if rng.random() < 0.35 else tone(rng, 0, 60) if rng.random() < 0.5 else tone(rng)
    cv2.rectangle(body, (edge, edge), (dw - edge, dh - edge), ground, -1)
    if rng.random() < 0.3:
        body[edge : dh - edge, edge : dw - edge] = picture_patch(photos, rng, (dw - 2 * edge, dh - 2 * edge))
    for _ in range(int(rng.integers(0, 4))):
        y = edge + int((dh - 2 * edge) * (rng.uniform(0, 0.1) if rng.random() < 0.5 else rng.uniform(0.88, 0.97)))
        write(body, letters(rng, int(rng.integers(3, 22))), (edge + 8, y + 10), rng.uniform(6, 12), tone(rng), rng)
    alpha = np.zeros((dh, dw), np.uint8)
    rounded(alpha, (0, 0, dw, dh), int(rng.uniform(0, 0.1) * min(dw, dh)), 255)
    canvas, cover = paste(canvas * float(rng.uniform(0.25, 1.0)), body, alpha, frame)
    return canvas, frame, cover
