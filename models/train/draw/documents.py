"""A seed -> a drawn document as the classifier of documents sees it.

`view` lays a face on a ground, cuts it out again as the locator would, a little beside its corners, lights and
photographs it, and lays its longer side across.
"""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .camera import HEIGHT, WIDTH, shot
from .faces import KINDS, MAKERS, SHARES
from .faces.licence import licence
from .faces.no_document import no_document
from .faces.page import page
from .faces.playing_card import playing_card
from .sheet import LONG
from .tones import picture_patch, tone
from .words import chance

UNTURNED = -1  # of what has no right way up


def laid(corners, turn):
    """The corners of the upright face in the order of the picture's, when it was turned `turn` quarters clockwise."""
    return np.roll(corners, turn, 0)


def way_up(rng, width, height):
    """A turn that brings the longer side across; a nearly square face lies any way."""
    ratio = max(width, height) / min(width, height)
    if ratio < 1.12 or chance(rng, 0.02):
        return int(rng.integers(4))
    return int(2 * rng.integers(2)) + (height > width)


def beside(rng, corners):
    """The corners as the locator finds them: off by a little, now and then a whole side."""
    across = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    found = corners + rng.normal(0, 1, (4, 2)) * rng.uniform(0, 0.022) * across
    if chance(rng, 0.15):
        k = rng.integers(4)
        inward = (corners[(k + 2) % 4] + corners[(k + 3) % 4] - corners[k] - corners[(k + 1) % 4]) / 2
        step = inward * rng.uniform(-0.15, 0.15)
        found[k] += step
        found[(k + 1) % 4] += step
    return found.astype(np.float32)


def cut(image, corners):
    """The quadrilateral of `corners` at twice the size of the net's input."""
    ends = np.array([[0, 0], [2 * WIDTH, 0], [2 * WIDTH, 2 * HEIGHT], [0, 2 * HEIGHT]], np.float32)
    span = max(np.linalg.norm(corners[1] - corners[0]) / WIDTH, np.linalg.norm(corners[2] - corners[1]) / HEIGHT) / 2
    if span > 1.6:  # average first: the warp itself takes single pixels
        image = cv2.resize(image, None, fx=1 / span, fy=1 / span, interpolation=cv2.INTER_AREA)
        corners = corners / span
    m = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), ends)
    return cv2.warpPerspective(
        image, m, (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def framed(image, corners, rng, size=None):
    """A marked quadrilateral of a photograph -> input and turn; `size` is the document's, where the corners mislead."""
    across = size or (np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    turn = way_up(rng, *across)
    return shot(cut(image, laid(beside(rng, corners), turn)), rng), turn


def view(stock, seed):
    """-> picture [HEIGHT,WIDTH,3] bytes, kind, turn."""
    rng = np.random.default_rng(seed)
    kind = int(rng.choice(len(KINDS), p=SHARES))
    makers = MAKERS[KINDS[kind]]
    maker = makers[rng.choice(len(makers), p=[share for _, share in makers])][0]
    face = maker(stock, rng)
    h, w = face.shape[:2]
    margin = LONG // 6
    if maker is no_document:
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        turn = way_up(rng, w, h)
        return shot(cut(face, laid(corners, turn)), rng), kind, UNTURNED
    ground = (
        picture_patch(stock.photos, rng, (w + 2 * margin, h + 2 * margin))
        if chance(rng, 0.5)
        else np.full((h + 2 * margin, w + 2 * margin, 3), tone(rng), np.uint8)
    )
    cover = np.zeros((h, w), np.uint8)
    round_corners = 0 if maker in (page, licence) else int(LONG * rng.uniform(0.0, 0.05))
    ImageDraw.Draw(image := Image.fromarray(cover)).rounded_rectangle((0, 0, w - 1, h - 1), round_corners, 255)
    cover = np.asarray(image)[..., None].astype(np.float32) / 255
    canvas = ground.astype(np.float32)
    inside = canvas[margin : margin + h, margin : margin + w]
    canvas[margin : margin + h, margin : margin + w] = inside * (1 - cover) + face * cover
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) + margin
    picture, turn = framed(canvas.astype(np.uint8), corners, rng, (w, h))
    return picture, kind, UNTURNED if maker is playing_card else turn
