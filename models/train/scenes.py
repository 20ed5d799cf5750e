"""A seed to a made-up scene with a document in it, and where its corners are: what the locator learns from.

Documents are drawn, backgrounds are drawn or cut from photographs without documents; with `Material` at hand most
documents are pasted from rectified photographs of documents, on real desks and print. A scene is drawn at
`CANVAS` pixels on its long side, then squashed to the size the net reads, as the program does with a capture.
"""
from dataclasses import dataclass

import cv2
import numpy as np

CANVAS = 384
SIZE = 192
CELLS = 48  # of the net's output, a side
CHANNELS = ("document", "device", "corners")
FRAMES = ((3, 4), (4, 3), (9, 16), (16, 9), (1, 1), (2, 3), (3, 2))
# Long side over short side: ID-1, ID-3, A4, a letter, a receipt, nearly square.
ASPECTS = ((85.6 / 54.0, 0.45), (125 / 88, 0.2), (2**0.5, 0.2), (11 / 8.5, 0.05), (3.0, 0.04), (1.15, 0.06))
NONE_SHARE = 0.12
DEVICE_SHARE = 0.28
SKINS = ((227, 184, 150), (198, 146, 114), (240, 203, 174), (142, 95, 68))
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_PLAIN,
         cv2.FONT_HERSHEY_TRIPLEX)
LETTERS = list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789abcdefghiklmnoprstuvwxyz<. ")


@dataclass
class Material:
    """Pixels of photographs, RGB: rectified documents, surfaces without documents, and close views of print."""

    faces: list
    grounds: list
    prints: list


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


def words(rng, length):
    return "".join(rng.choice(LETTERS, length))


def write(face, text, at, height, colour, rng, font=None):
    font = FONTS[rng.integers(len(FONTS))] if font is None else font
    scale = height / 22.0 * (2.0 if font == cv2.FONT_HERSHEY_PLAIN else 1.0)
    cv2.putText(face, text, (int(at[0]), int(at[1])), font, scale, colour, max(1, round(height / 9)), cv2.LINE_AA)


def picture_patch(photos, rng, size):
    """A patch of a photograph, `size` = (width, height)."""
    photo = photos[rng.integers(len(photos))]
    h, w = photo.shape[:2]
    side = int(min(h, w) * rng.uniform(0.3, 0.9))
    x, y = rng.integers(w - side + 1), rng.integers(h - side + 1)
    return cv2.resize(photo[y : y + side, x : x + side], size, interpolation=cv2.INTER_AREA)


def portrait(rng, size):
    w, h = size
    face = np.full((h, w, 3), tone(rng, 150, 250), np.uint8)
    skin, hair = SKINS[rng.integers(len(SKINS))], tone(rng, 10, 90)
    cv2.ellipse(face, (w // 2, int(h * 0.42)), (int(w * 0.3), int(h * 0.3)), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(face, (w // 2, int(h * 1.1)), (int(w * 0.48), int(h * 0.36)), 0, 0, 360, tone(rng, 10, 120), -1, cv2.LINE_AA)
    cv2.ellipse(face, (w // 2, int(h * 0.48)), (int(w * 0.22), int(h * 0.26)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(face, (int(w * (0.5 + 0.09 * side)), int(h * 0.45)), max(1, w // 40), (20, 20, 20), -1, cv2.LINE_AA)
    cv2.line(face, (int(w * 0.43), int(h * 0.62)), (int(w * 0.57), int(h * 0.62)), (120, 60, 60), max(1, h // 60), cv2.LINE_AA)
    return face


def waves(face, rng, count, colour, weight):
    h, w = face.shape[:2]
    layer, x = face.copy(), np.linspace(0, w, 80)
    for k in range(count):
        swing = np.sin(x / w * rng.uniform(3, 14) + k * 0.3) * h * rng.uniform(0.01, 0.06)
        points = np.stack([x, (k + 0.5) * h / count + swing], 1).astype(np.int32)
        cv2.polylines(layer, [points], False, colour, 1, cv2.LINE_AA)
    return cv2.addWeighted(layer, weight, face, 1 - weight, 0)


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
        face[y : y + ph, x : x + pw] = portrait(rng, (pw, ph)) if rng.random() < 0.7 else picture_patch(photos, rng, (pw, ph))
        left, right = (x + pw, w) if x < w / 2 else (0, x)
    else:
        left, right = 0, w
    font = FONTS[rng.integers(len(FONTS))]
    size, y = h * rng.uniform(0.025, 0.05), h * rng.uniform(0.1, 0.2)
    while y < h * 0.8:
        length = int((right - left) * rng.uniform(0.2, 0.8) / (size * 0.95)) + 1
        write(face, words(rng, min(length, 40)), (left + w * 0.03, y), size, dark, rng, font)
        y += size * rng.uniform(1.6, 3.4)
    if rng.random() < 0.4:
        for k in range(int(rng.integers(1, 4))):
            write(face, words(rng, 44), (w * 0.03, h * (0.83 + 0.06 * k)), h * 0.035, dark, rng, cv2.FONT_HERSHEY_SIMPLEX)
    if rng.random() < 0.3:
        centre, radius = (int(w * rng.uniform(0.1, 0.9)), int(h * rng.uniform(0.1, 0.9))), int(h * rng.uniform(0.05, 0.15))
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
        write(face, words(rng, int(rng.integers(5, 18))), (w * rng.uniform(0.1, 0.4), y + size), size * rng.uniform(1.5, 3), dark, rng)
        y += size * 4
    stop, font = h * rng.uniform(0.5, 0.96), FONTS[rng.integers(len(FONTS))]
    while y < stop:
        length = max(2, int((w - 2 * margin) * rng.uniform(0.3, 1.0) / (size * 0.9)))
        write(face, words(rng, min(length, 90)), (margin, y), size, dark, rng, font)
        y += size * rng.uniform(1.5, 2.2) * (2.0 if rng.random() < 0.12 else 1.0)
    for _ in range(int(rng.integers(0, 3))):
        pw, ph = int(w * rng.uniform(0.15, 0.4)), int(h * rng.uniform(0.08, 0.25))
        x, y = rng.integers(w - pw), rng.integers(h - ph)
        if rng.random() < 0.4:
            cells = rng.integers(0, 2, (21, 21)).astype(np.uint8) * 255
            face[y : y + ph, x : x + ph][:, : w - x] = cv2.resize(cells, (ph, ph), interpolation=cv2.INTER_NEAREST)[:, : w - x, None]
        else:
            face[y : y + ph, x : x + pw] = picture_patch(photos, rng, (pw, ph))
    if rng.random() < 0.3:
        cv2.circle(face, (int(w * rng.uniform(0.5, 0.85)), int(h * rng.uniform(0.6, 0.9))), int(w * 0.09), (190, 40, 40), 3, cv2.LINE_AA)
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


def rounded(image, box, radius, value):
    x0, y0, x1, y1 = (int(v) for v in box)
    if radius <= 0:
        cv2.rectangle(image, (x0, y0), (x1, y1), value, -1)
        return
    cv2.rectangle(image, (x0 + radius, y0), (x1 - radius, y1), value, -1)
    cv2.rectangle(image, (x0, y0 + radius), (x1, y1 - radius), value, -1)
    for x, y in ((x0 + radius, y0 + radius), (x1 - radius, y0 + radius), (x0 + radius, y1 - radius), (x1 - radius, y1 - radius)):
        cv2.circle(image, (x, y), radius, value, -1)


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
        origin = rng.uniform(-0.3, 0.0, 2) * span if rng.random() < 0.5 else np.array([width, height]) - span * rng.uniform(0.7, 1.0, 2)
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
    base = gradient(shape, tone(rng), tone(rng), rng) if rng.random() < 0.4 else np.ones((h, w, 3), np.float32) * tone(rng)
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
    return paste(any_part(ground, rng, shape).astype(np.float32), sheet, np.full((side, side), 255, np.uint8), corners)[0]


def real_background(photos, material, rng, shape):
    kind = rng.random()
    if kind < 0.3:
        return magazine(photos, material, rng, shape)
    pictures = material.grounds if kind < 0.8 else material.prints
    picture = any_part(pictures[rng.integers(len(pictures))], rng, shape).astype(np.float32)
    if rng.random() < 0.3:
        picture = picture * np.array(tone(rng, 150, 255), np.float32) / 255
    return picture


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
    fill = any_part(photos[rng.integers(len(photos))], rng, (h, w)) if rng.random() < 0.5 else np.array(tone(rng), np.float32)
    cover = cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32)[..., None] / 255
    return canvas * (1 - cover) + fill * (0.5 + 0.5 * np.sqrt(shade))[..., None] * cover


def coloured_patch(canvas, rng):
    """Light of a lamp or torch, of one colour, that falls on a part of the scene."""
    h, w = canvas.shape[:2]
    mask = np.zeros((h, w), np.float32)
    centre, axes = rng.uniform(0, 1, 2) * (w, h), rng.uniform(0.15, 0.8, 2) * max(w, h)
    cv2.ellipse(mask, tuple(int(v) for v in centre), tuple(int(v) for v in axes), rng.uniform(0, 180), 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2, 40))[..., None]
    return canvas * (1 + mask * (np.exp(rng.normal(0.0, 0.35, 3)) - 1).astype(np.float32))


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
        cv2.ellipse(mask, tuple(int(v) for v in at), (thick * 2, int(thick * rng.uniform(1, 3))), rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    shade = np.clip(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / thick, 0, 1)[..., None]
    cover = mask.astype(np.float32)[..., None] / 255
    return canvas * (1 - cover) + colour * (0.55 + 0.45 * np.sqrt(shade)) * cover


def shadow_under(canvas, corners, rng):
    h, w = canvas.shape[:2]
    mask = np.zeros((h, w), np.float32)
    cv2.fillConvexPoly(mask, (corners + rng.normal(0, 4, 2)).astype(np.int32), 1.0)
    return canvas * (1 - float(rng.uniform(0.1, 0.6)) * cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.5, 7))[..., None])


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
        canvas = canvas * (1 - float(rng.uniform(0.2, 0.65)) * cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 10))[..., None])
    if rng.random() < 0.25:
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        yy, xx = np.mgrid[:h, :w].astype(np.float32)
        spot = np.exp(-(((xx - x) / rng.uniform(15, 90)) ** 2 + ((yy - y) / rng.uniform(15, 90)) ** 2))
        canvas = canvas + float(rng.uniform(80, 350)) * spot[..., None] * np.array(tone(rng, 180, 255), np.float32) / 255
    if rng.random() < 0.35:
        canvas = canvas * np.exp(rng.normal(0, 0.18, 3)).astype(np.float32)
    return 255 * np.clip(canvas * float(rng.uniform(0.35, 1.25)) / 255, 0, 1) ** float(rng.uniform(0.75, 1.3))


def camera(canvas, rng):
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 2.2))
    picture = cv2.resize(canvas.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    picture = picture + rng.normal(0, rng.uniform(0, 5), picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.12:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.3:
        ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


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
    for k in range(int(rng.integers(0, 4))):
        y = edge + int((dh - 2 * edge) * (rng.uniform(0, 0.1) if rng.random() < 0.5 else rng.uniform(0.88, 0.97)))
        write(body, words(rng, int(rng.integers(3, 22))), (edge + 8, y + 10), rng.uniform(6, 12), tone(rng), rng)
    alpha = np.zeros((dh, dw), np.uint8)
    rounded(alpha, (0, 0, dw, dh), int(rng.uniform(0, 0.1) * min(dw, dh)), 255)
    canvas, cover = paste(canvas * float(rng.uniform(0.25, 1.0)), body, alpha, frame)
    return canvas, frame, cover


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
        around += (placed if not empty else around).mean(0) - around.mean(0) + rng.normal(0, 0.06, 2).astype(np.float32) * (w, h)
        canvas = shadow_under(canvas, around, rng)
        canvas = paste(canvas, sheet, np.full((300, 220), 255, np.uint8), around.astype(np.float32))[0]
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.4 else 0):
        canvas = thing(canvas, rng)
    if not empty:
        if rng.random() < 0.1:  # a second, clearly smaller one
            other, other_alpha = draw_document(photos, rng)
            oh, ow = other.shape[:2]
            canvas = paste(canvas, other, other_alpha, pose(rng, w, h, ow, oh, 0.9, share * rng.uniform(0.25, 0.55), 30))[0]
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
    peaks = np.zeros((CELLS, CELLS), np.float32)
    if not empty:
        yy, xx = np.mgrid[:CELLS, :CELLS] + 0.5
        for x, y in corners * CELLS:
            peaks = np.maximum(peaks, np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 2))
    device_cover = np.maximum(device_cover, target if device_cover.any() else 0)
    maps = [cv2.resize(m, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for m in (target, device_cover)] + [peaks]
    return picture, (np.stack(maps) * 255).round().astype(np.uint8), corners
