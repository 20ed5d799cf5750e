"""A seed -> a made-up scene with a document in it, and where its corners are: what the locator learns from.

Documents are drawn, backgrounds are drawn or cut from photographs without documents; with `Material` at hand most
documents are pasted from rectified photographs of documents, on real desks and print. A scene is drawn at
`CANVAS` pixels on its long side, then squashed to the size the net reads, as the program does with a capture.
"""

import cv2
import numpy as np

from .camera import camera
from .grounds import background, paste, pose, real_background
from .light import coloured_patch, light, shadow_under
from .simple import draw_document, mixed_face
from .targets import CELLS, peaks_at
from .things import device, thing, toy
from .tones import tone

CANVAS = 384
FRAMES = ((3, 4), (4, 3), (9, 16), (16, 9), (1, 1), (2, 3), (3, 2))
NONE_SHARE = 0.12
DEVICE_SHARE = 0.28


def scene(photos, seed, material=None):
    """-> picture [SIZE,SIZE,3] bytes, target [3,CELLS,CELLS] bytes, corners [4,2] in shares of the frame (NaN: none).

    With `material` most documents and backgrounds are real.
    """
    rng = np.random.default_rng(seed)
    a, b = FRAMES[rng.integers(len(FRAMES))]
    w, h = (CANVAS, CANVAS * b // a) if a >= b else (CANVAS * a // b, CANVAS)
    if material and rng.random() < 0.85:
        canvas = real_background(photos, material, rng, (h, w))
    else:
        canvas = background(photos, rng, (h, w))
    target, device_cover = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
    corners = np.full((4, 2), np.nan, np.float32)
    empty = rng.random() < NONE_SHARE
    cut = not empty and rng.random() < 0.1
    face, alpha = mixed_face(photos, material, rng) if material and rng.random() < 0.7 else draw_document(photos, rng)
    fh, fw = face.shape[:2]
    share = np.exp(rng.uniform(np.log(0.16), np.log(0.95)))
    placed = pose(rng, w, h, fw, fh, 0 if cut else rng.uniform(0.9, 0.99), share, 45)
    if rng.random() < 0.35:  # blank or faint sheets, under the document or alone
        sheet = np.full((300, 220, 3), tone(rng, 200, 255), np.uint8)
        around = pose(rng, w, h, 220, 300, 0.0, rng.uniform(0.7, 1.4), 30)
        around += (
            (placed if not empty else around).mean(0)
            - around.mean(0)
            + rng.normal(0, 0.06, 2).astype(np.float32) * (w, h)
        )
        canvas = shadow_under(canvas, around, rng)
        canvas = paste(canvas, sheet, np.full((300, 220), 255, np.uint8), around.astype(np.float32))[0]
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.4 else 0):
        canvas = thing(canvas, rng)
    if not empty:
        if rng.random() < 0.1:  # a second, clearly smaller one
            other, other_alpha = draw_document(photos, rng)
            oh, ow = other.shape[:2]
            canvas = paste(
                canvas, other, other_alpha, pose(rng, w, h, ow, oh, 0.9, share * rng.uniform(0.25, 0.55), 30)
            )[0]
        if rng.random() < DEVICE_SHARE:
            canvas, _, device_cover = device(canvas, photos, rng, placed, (fw, fh))
        elif rng.random() < 0.8:
            canvas = shadow_under(canvas, placed, rng)
        canvas, _ = paste(canvas, face, alpha, placed, 1.0 if rng.random() < 0.95 else 0.9)
        _, target = paste(np.zeros((h, w, 3), np.float32), face, np.full((fh, fw), 255, np.uint8), placed)
        if rng.random() < 0.3:
            for _ in range(int(rng.integers(1, 4))):
                canvas = thing(canvas, rng, placed)
        if material and rng.random() < 0.25:
            canvas = toy(canvas, photos, rng, placed)
        corners = placed / np.array([w, h], np.float32)
    elif rng.random() < 0.2:  # a device that shows no document
        box = pose(rng, w, h, 300, 200, 0.95, rng.uniform(0.3, 0.9), 30)
        canvas, _, device_cover = device(canvas, photos, rng, box, (300, 200))
    if material and rng.random() < 0.25:
        canvas = coloured_patch(canvas, rng)
    picture = camera(light(canvas, rng), rng)
    peaks = peaks_at(() if empty else corners * CELLS, np.float32)
    device_cover = np.maximum(device_cover, target if device_cover.any() else 0)
    maps = [cv2.resize(m, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for m in (target, device_cover)] + [peaks]
    return picture, (np.stack(maps) * 255).round().astype(np.uint8), corners
