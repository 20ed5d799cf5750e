"""A document laid straight -> a photograph of it with things over it and light on it, and where both are.

Things have borders, thickness and a shade of their own: fingers and hands, pens, cables, coins, sheets, cloth, pieces
of photographs. What looks like them and belongs to the document is printed beside them: pictures, skin, bars, stamps.
Everything happens at twice the size that the net reads.
"""

import cv2
import numpy as np

from .camera import taken
from .cover_maps import SHAPE, UNKNOWN, cells, of_share
from .documents import beside, cut, laid, way_up
from .faces import MAKERS
from .over import THINGS, fingers, rod, sheet
from .shapes import capsule, highlight
from .sheet import INK, LONG
from .things import thing
from .tones import gradient, picture_patch, tone
from .words import chance, pick

# Share of the contrast of print that is left, below which a highlight washes it out, and from which it does not.
WASHED, LEFT = 0.35, 0.7
SEEN = 14  # levels by which a highlight changes a cell, at least, to be one
COVERS, HIGHLIGHTS, PRINTED, OVEREXPOSED = 0.42, 0.28, 0.45, 0.14
HIGHLIGHT_SHAPE = (160, 256)


def drawn_document(stock, rng):
    """A drawn document, things and fingers behind it, cut out again a little beside its corners."""
    kinds = [kind for kind in MAKERS if kind != "none"]
    makers = MAKERS[pick(rng, kinds)]
    face = makers[rng.choice(len(makers), p=[share for _, share in makers])][0](stock, rng)
    h, w = face.shape[:2]
    margin, shape = LONG // 5, (h + 2 * (LONG // 5), w + 2 * (LONG // 5))
    canvas = gradient(shape, tone(rng), tone(rng), rng)
    if chance(rng, 0.6):
        canvas = picture_patch(stock.photos, rng, shape[::-1]).astype(np.float32)
    for _ in range(int(rng.integers(1, 5)) if chance(rng, 0.4) else 0):
        canvas = thing(canvas, rng, np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) + margin)
    over, radius = np.zeros(shape, np.uint8), int(LONG * rng.uniform(0, 0.05)) if chance(rng, 0.6) else 0
    cv2.rectangle(over, (margin + radius, margin + radius), (margin + w - radius, margin + h - radius), 255, -1)
    if radius:
        over = cv2.dilate(over, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2))
    over = over[..., None].astype(np.float32) / 255
    inside = np.zeros_like(canvas)
    inside[margin : margin + h, margin : margin + w] = face
    canvas = np.clip(canvas * (1 - over) + inside * over, 0, 255).astype(np.uint8)
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) + margin
    return cut(canvas, laid(beside(rng, corners), way_up(rng, w, h)))


def lay(picture, rng, stock):
    """A thing over a lit document, with its shade beside it; -> picture, coverage."""
    make = THINGS[rng.choice(len(THINGS), p=[share for _, share in THINGS])][0]
    over, colours = make(SHAPE, rng, stock)
    light = np.clip(np.percentile(picture[::8, ::8], 90) / 235 * rng.uniform(0.7, 1.25), 0.1, 1.15)
    colours, over = np.clip(colours * light, 0, 255).astype(np.float32), over.astype(np.float32)
    soft = rng.uniform(0.5, 2.0) if chance(rng, 0.8) else rng.uniform(2, 6)
    over = cv2.GaussianBlur(over, (0, 0), soft)
    if soft > 2:
        colours = cv2.GaussianBlur(colours, (0, 0), soft / 2)
    lift = np.exp(rng.uniform(np.log(1.5), np.log(14)))
    shade = cv2.GaussianBlur(over, (0, 0), max(1.0, lift * rng.uniform(0.3, 0.8)))
    aside = np.array([[1, 0, rng.normal(0, lift)], [0, 1, rng.normal(0, lift)]])
    shade = cv2.warpAffine(shade, aside, SHAPE[::-1], borderMode=cv2.BORDER_REPLICATE)
    depth = rng.uniform(0.25, 0.7) if make is sheet else rng.uniform(0, 0.6)
    return picture * (1 - depth * shade)[..., None] * (1 - over[..., None]) + colours * over[..., None], over


def printed(picture, rng, stock):
    """Pictures, skin, bars and stamps that belong to the document."""
    h, w = SHAPE
    kind = rng.random()
    size = np.exp(rng.uniform(np.log(20), np.log(150), 2)).astype(int)
    x, y = (int(rng.integers(0, max(1, s - v))) for s, v in ((w, size[0]), (h, size[1])))
    x1, y1 = min(w, x + size[0]), min(h, y + size[1])
    part = picture[y:y1, x:x1]
    if kind < 0.55:  # a picture, on some of them skin
        art = picture_patch(stock.photos, rng, (x1 - x, y1 - y)).astype(np.float32)
        if chance(rng, 0.4):
            over, colours = fingers(part.shape[:2], rng, stock) if chance(rng, 0.5) else rod(part.shape[:2], rng, stock)
            art = art * (1 - over[..., None]) + np.clip(colours, 0, 255) * over[..., None]
        art = rng.uniform(10, 50) + art * rng.uniform(0.6, 0.85)
        mask = np.ones(part.shape[:2], np.float32)
        if chance(rng, 0.3):
            mask[:] = 0
            half = (x1 - x) // 2, (y1 - y) // 2
            cv2.ellipse(mask, half, half, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        weight = (mask * rng.uniform(0.8, 1))[..., None]
        light = np.clip(cv2.GaussianBlur(part, (0, 0), 12).mean(2, keepdims=True) / 235, 0.3, 1.05)
        picture[y:y1, x:x1] = part * (1 - weight) + art * light * weight
    elif kind < 0.75:  # a bar or a bright patch, over the whole width in some
        if chance(rng, 0.5):
            x, x1 = 0, w
        level = np.array(tone(rng) if chance(rng, 0.5) else (pick(rng, (10, 30, 235, 252)),) * 3, np.float32)
        weight = rng.uniform(0.5, 1)
        picture[y:y1, x:x1] = picture[y:y1, x:x1] * (1 - weight) + level * weight
    else:  # a stamp or handwriting
        layer = np.full((h, w, 3), 255, np.uint8)
        ink = pick(rng, (INK, (40, 60, 170), (195, 35, 40), tone(rng, 0, 150)))
        centre, radius = (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.uniform(14, 55))
        if chance(rng, 0.6):
            cv2.circle(layer, centre, radius, ink, int(rng.integers(1, 6)), cv2.LINE_AA)
            cv2.circle(layer, centre, max(2, int(radius * 0.4)), ink, -1 if chance(rng, 0.4) else 2, cv2.LINE_AA)
        else:
            steps = np.cumsum(rng.normal((5, 0), (6, 9), (int(rng.integers(8, 40)), 2)), 0) + centre
            cv2.polylines(layer, [steps.astype(np.int32)], False, ink, int(rng.integers(1, 5)), cv2.LINE_AA)
        picture *= 1 - rng.uniform(0.4, 1) * (1 - layer.astype(np.float32) / 255)
    return picture


def lit(picture, rng):
    """Uneven light, shadows with and without edges, colour, exposure; some bleached evenly."""
    h, w = SHAPE
    if chance(rng, 0.6):
        picture = picture * (1 + rng.uniform(0.1, 0.7) * (gradient((h, w), (0,), (1,), rng) - 0.5))
    if chance(rng, 0.3):
        mask, wide = np.zeros((h, w), np.float32), int(rng.uniform(6, 130))
        a, b = rng.uniform(-0.2, 1.2, 2) * (w, h), rng.uniform(-0.2, 1.2, 2) * (w, h)
        step = np.array([a[1] - b[1], b[0] - a[0]]) / (np.linalg.norm(a - b) + 1e-6) * wide * rng.uniform(1.6, 3)
        for bar in range(-6, 7) if chance(rng, 0.4) else (0,):
            ends = [tuple(int(v) for v in (end + (end - other) * 2 + bar * step)) for end, other in ((a, b), (b, a))]
            cv2.line(mask, *ends, 1.0, wide)
        if chance(rng, 0.3):  # of a hand or a head
            mask = capsule(SHAPE, *(rng.uniform(0, 1, (2, 2)) * (w, h)), rng.uniform(15, 90))[0].astype(np.float32)
        shade = rng.uniform(0.2, 0.8) * cv2.GaussianBlur(mask, (0, 0), np.exp(rng.uniform(np.log(0.7), np.log(14))))
        bluish = np.array((1, rng.uniform(0.92, 1), rng.uniform(0.84, 1)), np.float32)
        picture = picture * (1 - shade[..., None] * bluish)
    if chance(rng, 0.5):
        picture = picture * np.exp(rng.normal(0, 0.14, 3)).astype(np.float32)
    if chance(rng, OVEREXPOSED):
        picture = picture * rng.uniform(1.15, 2.4)
    elif chance(rng, 0.12):
        picture = picture * rng.uniform(0.08, 0.4)
    else:
        picture = picture * rng.uniform(0.55, 1.2)
    return 255 * np.clip(picture / 255, 0, 1) ** rng.uniform(0.75, 1.3)


def shine(picture, over, rng):
    """A highlight on a lit document; -> picture, and which cells it washes out."""
    h, w = SHAPE
    field = cv2.resize(highlight(rng, HIGHLIGHT_SHAPE, rng.uniform(0.15, 1)).astype(np.float32), (w, h))
    field = field * rng.uniform(0.5, 1.4) * (over < 0.5)

    def seen(v):
        return 255 * np.sqrt(np.minimum(np.square(v / 255) + field, 1))

    high, low = (float(v) for v in np.percentile(picture[::8, ::8], (80, 4)))
    kept = cells((seen(high) - seen(low)) / max(high - low, 4))
    coloured = field[..., None] * np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
    bright = 255 * np.sqrt(np.minimum(np.square(picture / 255) + coloured, 1))
    change = cells((bright - picture).mean(2).astype(np.float32))
    wanted = np.where(kept < WASHED, 1, np.where(kept < LEFT, UNKNOWN, 0))
    wanted[(wanted == 1) & (change < SEEN)] = UNKNOWN
    return bright, wanted.astype(np.uint8)


def covered_view(picture, known, rng, stock, bare=False):
    """A document [240,384,3] and what is known to lie over it -> the net's input, maps [2,15,24] bytes."""
    picture, over = picture.astype(np.float32), np.zeros(SHAPE, np.float32)
    for _ in range(int(rng.integers(1, 4)) if chance(rng, 0 if bare else PRINTED) else 0):
        picture = printed(picture, rng, stock)
    for _ in range(int(rng.integers(1, 3)) if chance(rng, 0 if bare else COVERS) else 0):
        picture, more = lay(picture, rng, stock)
        over = np.maximum(over, more)
    maps = known.copy()
    share = of_share(cells(over))
    maps[0] = np.where((share == 1) | (maps[0] == 0), np.where(maps[0] == 1, 1, share), maps[0])
    maps[1] = np.where(share == 1, 0, maps[1])
    picture = lit(picture, rng)
    if chance(rng, 0 if bare else HIGHLIGHTS):
        picture, washed = shine(picture, over, rng)
        maps[1] = np.where(washed == 0, maps[1], np.where(maps[1] == 1, 1, washed))
    turn = rng.choice((-1, 1), 2)
    small = taken(picture, rng)[:: turn[0], :: turn[1]]
    return np.ascontiguousarray(small), np.ascontiguousarray(maps[:, :: turn[0], :: turn[1]])
