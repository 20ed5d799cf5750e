"""A document laid straight to a photograph of it with things over it and light on it, and where both are.

Things have borders, thickness and a shade of their own: fingers and hands, pens, cables, coins, sheets, cloth, pieces
of photographs. What looks like them and belongs to the document is printed beside them: pictures, skin, bars, stamps.
Everything happens at twice the size that the net reads.
"""
import cv2
import numpy as np

from faces import HEIGHT, INK, LONG, MAKERS, WIDTH, beside, chance, cut, laid, no_document, pick, tone, way_up
from scenes import clouds, gradient, picture_patch, thing
from shapes import capsule, field as smooth_noise, from_border, highlight

SHAPE = (2 * HEIGHT, 2 * WIDTH)
CELL, UNKNOWN = 8, 255  # of the net's pixels; in the maps, which hold 0, 1 or this
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL
MAPS = ("covered", "glare")
# Share of a cell from which it is covered, and up to which it is not.
COVERED, FREE = 0.3, 0.06
# Share of the contrast of print that is left, below which a highlight washes it out, and from which it does not.
WASHED, LEFT = 0.35, 0.7
SEEN = 14  # levels by which a highlight changes a cell, at least, to be one
COVERS, HIGHLIGHTS, PRINTED, OVEREXPOSED = 0.42, 0.28, 0.45, 0.14
# From pale to dark, sRGB.
SKINS = ((244, 214, 190), (236, 188, 160), (225, 172, 138), (205, 150, 115), (198, 134, 100), (172, 112, 80),
         (141, 92, 62), (110, 70, 48), (84, 54, 40), (62, 42, 34))
HIGHLIGHT_SHAPE = (160, 256)
ENDS = np.array([[0, 0], [SHAPE[1], 0], [SHAPE[1], SHAPE[0]], [0, SHAPE[0]]], np.float32)


# ---- Documents that are drawn

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


# ---- What lies over a document: coverage 0..1 and colours

def skin_colour(rng):
    at = rng.uniform(0, len(SKINS) - 1)
    low = np.array(SKINS[int(at)], np.float32)
    high = np.array(SKINS[min(int(at) + 1, len(SKINS) - 1)], np.float32)
    return np.clip((low + (high - low) * (at % 1)) * np.exp(rng.normal(0, 0.06, 3)), 20, 255).astype(np.float32)


def _finger(shape, rng, tip, to, radius, taper, base, nail):
    over, off, along = (v.astype(np.float32) for v in capsule(shape, tip, to, radius, taper))
    across = np.clip(off, 0, 1.2)
    shade = np.sqrt(np.clip(1 - rng.uniform(0.35, 0.9) * across * across, 0.08, 1))
    side = 1 + rng.uniform(-0.3, 0.3) * _lean(shape, rng)
    shade = shade * side * (1 + rng.uniform(0.01, 0.06) * smooth_noise(rng, shape, rng.integers(12, 70)))
    fold = ((along / radius) % rng.uniform(1.6, 3.2)) - 0.9
    shade = np.clip(shade * (1 - rng.uniform(0, 0.2) * np.exp(-fold * fold * 60) * (along > radius)), 0.05, 1.3)
    colours = base * shade[..., None] ** np.array((0.8, 1.05, 1.15), np.float32)
    if nail:
        ahead = (along / radius - rng.uniform(-0.1, 0.4)) / rng.uniform(0.6, 1.1)
        at = np.hypot(off * rng.uniform(1.3, 1.9), ahead)
        paint = np.array(tone(rng) if chance(rng, 0.25) else base * rng.uniform(0.95, 1.2) + (12, 4, 6), np.float32)
        inside = np.clip((1 - at) * radius * 0.5, 0, 1)[..., None] * rng.uniform(0.5, 1)
        colours = colours * (1 - inside) + paint * np.clip(shade[..., None] * 1.1, 0, 1.2) * inside
    return over, colours


def _lean(shape, rng):
    return gradient(shape, (-1,), (1,), rng)[..., 0]


def fingers(shape, rng, stock):
    """One to four fingers from a border, and now and then the hand behind them."""
    h, w = shape
    base, radius = skin_colour(rng), np.exp(rng.uniform(np.log(8), np.log(52)))
    tip, out = from_border(rng, shape, rng.uniform(0.3, 1) * radius + rng.uniform(0, 0.4) ** 1.5 * w * rng.random())
    across = np.array([-out[1], out[0]])
    over, colours = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
    parts = [(tip, radius, chance(rng, 0.55))]
    for k in range(1, 1 if chance(rng, 0.55) else int(rng.integers(2, 5))):
        shift = across * k * radius * rng.uniform(1.9, 2.5) + out * rng.uniform(-1.2, 1.2) * radius
        parts.append((tip + shift, radius * rng.uniform(0.85, 1.1), chance(rng, 0.5)))
    if chance(rng, 0.25):
        palm = tip + (out * rng.uniform(2.5, 5) + across * rng.uniform(0, 3)) * radius
        parts.append((palm, radius * rng.uniform(1.8, 3.5), False))
    for at, thick, nail in parts[::-1]:
        to = at + out * 900 + across * rng.normal(0, 120)
        part, colour = _finger(shape, rng, at, to, thick, rng.uniform(0.65, 1), base, nail)
        beside_it = 1 - 0.25 * cv2.GaussianBlur(part, (0, 0), 2.5)[..., None]
        colours = colours * beside_it * (1 - part[..., None]) + colour * part[..., None]
        over = np.maximum(over, part)
    return over, colours / np.maximum(over, 1e-3)[..., None]


def rod(shape, rng, stock):
    """A pen, a ruler, a clip, a strip, a cable."""
    h, w = shape
    radius = np.exp(rng.uniform(np.log(3), np.log(18)))
    tip, out = from_border(rng, shape, rng.uniform(0.1, 0.9) * h)
    long = 900 if chance(rng, 0.6) else rng.uniform(50, 300)
    over, off, along = capsule(shape, tip, tip + out * long, radius, rng.uniform(0.2, 1))
    base = np.array(tone(rng), np.float32) if chance(rng, 0.6) else np.full(3, rng.uniform(10, 240), np.float32)
    shade = 1 - rng.uniform(0.1, 0.7) * off * off
    shine = rng.uniform(0, 190) * np.exp(-((off - rng.uniform(0, 0.6)) ** 2) * 50)
    colours = base * np.clip(shade, 0.1, 1)[..., None] + shine[..., None]
    if chance(rng, 0.5):
        part = ((along / radius) % 9 < rng.uniform(0.5, 4))[..., None]
        colours = np.where(part, np.array(tone(rng), np.float32) * np.clip(shade, 0.1, 1)[..., None], colours)
    if chance(rng, 0.3):  # a cable
        points = np.cumsum(rng.normal(0, 1, (9, 2)), 0) * 40 + rng.uniform(0, 1, 2) * (w, h)
        t = np.linspace(0, 8, 90)
        curve = np.stack([np.interp(t, np.arange(9), points[:, k]) for k in (0, 1)], 1)
        curve = cv2.GaussianBlur(curve.astype(np.float32), (1, 15), 4).round().astype(np.int32)
        mask = np.zeros(shape, np.uint8)
        cv2.polylines(mask, [curve], False, 255, max(4, int(radius)), cv2.LINE_AA)
        depth = np.clip(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / max(2, radius / 2), 0, 1)
        over, colours = mask.astype(np.float32) / 255, base * (0.45 + 0.55 * depth)[..., None]
    return over, colours


def _fill(shape, rng, stock, paper=False):
    """Colours of a thing: a part of a photograph, of another document, cloth or paper."""
    kind = rng.random()
    if not paper and kind < 0.5:
        return picture_patch(stock.photos, rng, shape[::-1]).astype(np.float32)
    if stock.papers and (paper and kind < 0.4 or not paper and kind < 0.6):
        other = pick(rng, stock.papers).astype(np.float32)[:: pick(rng, (-1, 1)), :: pick(rng, (-1, 1))]
        return np.ascontiguousarray(np.roll(other, rng.integers(0, 100, 2), (0, 1)))
    ends = tone(rng), tone(rng)
    if paper:
        pale = rng.uniform(90, 255, 3) if chance(rng, 0.4) else np.full(3, rng.uniform(170, 250))
        ends = pale, pale * 0.9
    base = gradient(shape, *ends, rng)
    base = base * (1 + rng.uniform(0, 0.12) * clouds(shape, rng))[..., None]
    if paper and chance(rng, 0.5):
        top, step = rng.integers(0, 30), rng.integers(8, 26)
        for y in range(top, shape[0], step):
            left, right = int(rng.uniform(0, 40)), int(rng.uniform(0.4, 1) * shape[1])
            cv2.line(base, (left, y), (right, y), tone(rng, 20, 120), int(rng.integers(1, 4)))
    if not paper and chance(rng, 0.6):  # a weave
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 16)
        u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        base = base * (1 + rng.uniform(0.03, 0.25) * np.sin(u * 6.28 / period) * np.sin(v * 6.28 / period))[..., None]
    return base


def sheet(shape, rng, stock):
    """A sheet, a card, a note over a border."""
    tip, out = from_border(rng, shape, rng.uniform(0.05, 0.5) * shape[0])
    across = np.array([-out[1], out[0]])
    near, far = rng.uniform(25, 330, 2)
    left, right = tip - across * near, tip + across * far
    corners = np.stack([left, right, right + out * 900, left + out * 900])
    over = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(over, corners.round().astype(np.int32), 255, cv2.LINE_AA)
    return over.astype(np.float32) / 255, _fill(shape, rng, stock, paper=chance(rng, 0.7))


def blob(shape, rng, stock):
    """A piece of something with a smooth border: cloth, a bag, a cup, a toy; from a border or inside."""
    h, w = shape
    reach = np.exp(rng.uniform(np.log(18), np.log(130)))
    at = rng.uniform(0.1, 0.9, 2) * (w, h)
    if chance(rng, 0.65):
        tip, out = from_border(rng, shape, rng.uniform(0.05, 0.35) * h)
        at = tip + out * reach * 0.8
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rough = rng.uniform(0, 0.3)
    radius = 1 + sum(rng.normal(0, rough / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5, 6))
    circle = np.stack([np.cos(angles), rng.uniform(0.5, 1) * np.sin(angles)], 1)
    outline = at + reach * np.clip(radius, 0.3, 2)[:, None] * circle
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 255, cv2.LINE_AA)
    depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / (rng.uniform(0.15, 0.9) * reach)
    shade = rng.uniform(0.4, 0.9) + 0.4 * np.sqrt(np.clip(depth, 0, 1))
    return mask.astype(np.float32) / 255, _fill(shape, rng, stock) * shade[..., None]


def coin(shape, rng, stock):
    h, w = shape
    at, radius = rng.uniform(0.05, 0.95, 2) * (w, h), np.exp(rng.uniform(np.log(9), np.log(55)))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    off = np.hypot(x - at[0], y - at[1]) / radius
    metal = np.array(pick(rng, ((196, 190, 180), (190, 150, 80), (160, 95, 60), (70, 70, 75), tone(rng))), np.float32)
    relief = 1 + 0.2 * smooth_noise(rng, shape, 70) + rng.uniform(0.1, 0.4) * _lean(shape, rng)
    rim = np.where((off > 0.86) & (off < 0.95), rng.uniform(0.5, 1.4), 1)
    return np.clip((1 - off) * radius + 0.5, 0, 1), metal * (relief * rim * (1 - rng.uniform(0, 0.3) * off))[..., None]


THINGS = ((fingers, 0.5), (rod, 0.13), (sheet, 0.13), (blob, 0.18), (coin, 0.06))


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


# ---- What is printed and looks like it

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


# ---- Light and camera

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


def cells(field):
    return cv2.resize(np.asarray(field, np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)


def of_share(share):
    """Shares of cells -> whether they are covered."""
    return np.where(share >= COVERED, 1, np.where(share <= FREE, 0, UNKNOWN)).astype(np.uint8)


def taken(picture, rng):
    """Lens, sensor and JPEG -> the net's input."""
    if chance(rng, 0.15):
        picture = np.repeat(picture @ np.array([[0.299], [0.587], [0.114]]), 3, 2)
    if chance(rng, 0.3):
        picture = np.clip((picture - 128) * rng.uniform(0.75, 1.2) + 128 + rng.uniform(-12, 12), 0, 255)
    wide = min(2 * WIDTH, int(np.exp(rng.uniform(np.log(110), np.log(700)))))
    small = cv2.resize(picture.astype(np.float32), (wide, wide * HEIGHT // WIDTH), interpolation=cv2.INTER_AREA)
    if chance(rng, 0.45):
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.4) * max(1.0, wide / 160))
    if chance(rng, 0.1):
        kernel, angle, reach = np.zeros((9, 9), np.float32), rng.uniform(0, np.pi), rng.uniform(1, 4)
        ends = [tuple(int(round(4 + s * reach * v)) for v in (np.cos(angle), np.sin(angle))) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1.0)
        small = cv2.filter2D(small, -1, kernel / kernel.sum())
    small = np.clip(small + rng.normal(0, rng.uniform(0, 7), small.shape), 0, 255).astype(np.uint8)
    if chance(rng, 0.6):
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))])
        small = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if wide >= WIDTH else cv2.INTER_LINEAR)


def view(picture, known, rng, stock, bare=False):
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
