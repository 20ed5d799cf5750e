"""A seed to a made-up document seen straight on, as it was photographed, and what can be read of it where.

A card or a part of a page is drawn, lit, covered, photographed and rectified to the scale of the program's flat view.
Its twin has digits and capitals in the place of every line and meets the same light and the same camera. What the
reader of lines makes of the twin says where a character would have been read, in whatever script the original is.
"""
import math
from dataclasses import dataclass
from difflib import SequenceMatcher

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lines import HAN, LABELS, ROWS, Atlas, mrz
from reader import decode
from scenes import portrait

CARD, WINDOW, CELL = (642, 405), (656, 416), 16  # of the flat view, px
FINE = 1.5  # drawn pixels a flat pixel
RIM = 24  # of what lies around the document, flat px
CAPITALS = 20  # height in a strip for the reader, rows
MAPS = ("print", "readable", "covered", "glare")
CAUSES = ("blurred", "moved", "dark", "compressed", "shadow", "small")
FAULTS = CAUSES + ("glare", "covered")
# Without I, O and Q, which are read as digits.
TWIN_DIGITS, TWIN_MIXED = "0123456789", "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
TWIN_FACES = ("OCRB.otf",) * 6 + ("DejaVuSansMono.ttf", "LiberationMono-Bold.ttf", "LiberationSans-Regular.ttf",
                                  "DejaVuSans.ttf", "Roboto-Regular.ttf", "wqy-microhei.ttc")
HAN_FACE = "wqy-microhei.ttc"
LATIN_FACES = ("OCRB.otf", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "LiberationSans-Regular.ttf",
               "LiberationSans-Bold.ttf", "LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf",
               "Roboto-Regular.ttf", "RobotoCondensed-Regular.ttf", "Lato-Regular.ttf", "DejaVuSansMono.ttf",
               "LiberationMono-Regular.ttf", "FreeSans.ttf")
GROUNDS = 40
# Mean share of characters read below which print suffers, and from which it does not.
SUFFERS = 0.93
UNKNOWN = 255  # in the stored targets


@dataclass
class Line:
    """A line of print: left end and baseline in flat px of the document, `height` that of capitals."""

    x: float
    y: float
    height: float
    width: float
    text: str
    face: str
    twin: str
    twin_face: str
    tone: int
    light: bool = False  # lighter than what it stands on


class Fonts:
    def __init__(self, folders=()):
        self.files = Atlas(folders, faces=()).files
        self.made, self.per_height = {}, {}

    def of(self, name, height):
        """A face whose capitals are `height` drawn pixels high."""
        if name not in self.per_height:
            probe = ImageFont.truetype(self.files[name], 200, layout_engine=ImageFont.Layout.BASIC)
            self.per_height[name] = 200 / -probe.getbbox("H", anchor="ls")[1]
        size = max(4, round(height * self.per_height[name]))
        key = (name, size)
        if key not in self.made:
            self.made[key] = ImageFont.truetype(self.files[name], size, layout_engine=ImageFont.Layout.BASIC)
        return self.made[key]


def _field(rng, shape, cells):
    """Smooth noise about 0 with deviation near 1."""
    small = rng.normal(0, 1, (max(2, int(cells)), max(2, int(cells * shape[1] / shape[0])))).astype(np.float32)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


class Stock:
    """What many documents share: faces, grounds and noise."""

    def __init__(self, folders, seed):
        rng = np.random.default_rng(seed)
        self.fonts = Fonts(folders)
        self.shape = (round((WINDOW[1] + 2 * RIM) * FINE), round((WINDOW[0] + 2 * RIM) * FINE))
        self.grounds = [self._ground(rng) for _ in range(GROUNDS)]
        self.noise = rng.normal(0, 1, 1 << 21).astype(np.float32)

    def _ground(self, rng):
        """Line art, waves, clouds or grain about 0."""
        h, w = self.shape
        y, x = np.mgrid[:h, :w].astype(np.float32)
        ground = np.zeros((h, w), np.float32)
        kind = rng.integers(4)
        if kind < 3:
            for _ in range(rng.integers(1, 4)):
                angle, period = rng.uniform(0, np.pi), rng.uniform(5, 40)
                along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
                across = across + rng.uniform(2, 30) * np.sin(along / rng.uniform(12, 160) + rng.uniform(0, 7))
                wave = np.cos(across * (2 * np.pi / period))
                ground += np.maximum(wave - rng.uniform(0, 0.8), 0) if kind else wave
        if kind > 1:
            for cells in (4, 9, 30):
                ground += 0.6 * _field(rng, self.shape, cells)
        if kind == 3 or rng.random() < 0.3:
            grain = rng.normal(0, 1, self.shape).astype(np.float32)
            ground += cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.7, 3)) * rng.uniform(0.5, 2)
        ground -= ground.mean()
        return ground / max(float(np.abs(ground).max()), 1e-3)


# ---- What is drawn

def _words(rng, kind):
    """-> text, is it Chinese."""
    if kind == "han":
        n = int(rng.integers(2, 22))
        letters = [HAN[rng.integers(len(HAN))] if rng.random() < 0.4 else chr(int(rng.integers(0x4E00, 0x8FFF)))
                   for _ in range(n)]
        if rng.random() < 0.25:
            at = int(rng.integers(n))
            letters[at:at] = list(str(rng.integers(1, 9999)))
        return "".join(letters), True
    if kind == "label":
        return LABELS[rng.integers(len(LABELS))][: int(rng.integers(2, 9))], True
    if kind == "digits":
        return _pick(rng, TWIN_DIGITS if rng.random() < 0.7 else TWIN_MIXED + "-/.", rng.integers(4, 22)), False
    if kind == "mrz":
        return mrz(rng, 30 if rng.random() < 0.6 else 44), False
    out = []
    for _ in range(int(rng.integers(1, 9))):
        word = _pick(rng, "abcdefghijklmnoprstuvwyeaionrt", rng.integers(2, 10))
        out.append(word.upper() if kind == "upper" else word.capitalize() if rng.random() < 0.3 else word)
    return " ".join(out), False


def _pick(rng, letters, length):
    return "".join(letters[i] for i in rng.integers(len(letters), size=length))


def _line(rng, stock, x, y, height, most, tone, faces, kind):
    """A line with its twin, no wider than `most`; None where there is no room."""
    text, han = _words(rng, kind)
    face = HAN_FACE if han else "OCRB.otf" if kind == "mrz" else faces[0]
    font = stock.fonts.of(face, height * FINE)
    width = font.getlength(text) / FINE
    if width > most:
        text = text[: int(len(text) * most / width)]
        width = font.getlength(text) / FINE
    if len(text) < 2 or width < 1.2 * height:
        return None
    twin_font = stock.fonts.of(faces[1], height * FINE)
    letters = TWIN_DIGITS if rng.random() < 0.6 else TWIN_MIXED
    twin = _pick(rng, letters, max(1, round(width * FINE / twin_font.getlength("0"))))
    long = twin_font.getlength(twin)
    while len(twin) > 1 and long > width * FINE * 1.15:
        twin = twin[:-1]
        long = twin_font.getlength(twin)
    return Line(x, y, height, max(width, long / FINE), text, face, twin, faces[1], tone)


def _block(rng, stock, box, heights, tones, faces, kinds, lead, out):
    """Rows of lines in a box."""
    x0, y0, x1, y1 = box
    height = rng.uniform(*heights)
    y = y0 + 1.2 * height
    while y < y1 - 0.3 * height:
        x = x0 if rng.random() < 0.8 else x0 + rng.uniform(0, 0.3) * (x1 - x0)
        if rng.random() < 0.35:
            label = _line(rng, stock, x, y, height * rng.uniform(0.7, 1), (x1 - x) * 0.4, tones[1], faces,
                          "label" if rng.random() < 0.6 else "lower")
            if label:
                out.append(label)
                x += label.width + rng.uniform(0.5, 2) * height
        line = _line(rng, stock, x, y, height, x1 - x, tones[0], faces, kinds[rng.integers(len(kinds))])
        if line:
            out.append(line)
        y += height * rng.uniform(*lead)
        if rng.random() < 0.12:
            y += height * rng.uniform(1, 4)
        if rng.random() < 0.2:
            height = rng.uniform(*heights)


def _modules(rng, n, size):
    return cv2.resize(rng.integers(0, 2, (n, n)).astype(np.uint8) * 255, (size, size), interpolation=cv2.INTER_NEAREST)


def _ornaments(rng, face, paper, ink, area, page):
    """Pictures, codes, bands, frames and stamps: all of it no print, none of it a cover."""
    left, top, right, bottom = area
    w, h = right - left, bottom - top

    def place(pw, ph):
        return (int(rng.uniform(left - 0.3 * pw * page, max(left + 1, right - pw + 0.3 * pw * page))),
                int(rng.uniform(top - 0.3 * ph * page, max(top + 1, bottom - ph + 0.3 * ph * page))))

    def lay(picture, x, y):
        ph, pw = picture.shape[:2]
        a, b, c, d = max(x, left, 0), max(y, top, 0), min(x + pw, right), min(y + ph, bottom)
        if a < c and b < d:
            face[b:d, a:c] = picture[b - y : d - y, a - x : c - x]

    if rng.random() < 0.35:
        tall = int(h * rng.uniform(0.08, 0.25))
        y = top if rng.random() < 0.6 else bottom - tall
        face[y : y + tall, left:right] = int(rng.integers(10, 245))
    for _ in range(int(rng.integers(0, 3))):
        kind = rng.integers(7)
        size = int(h * rng.uniform(0.12, 0.4))
        x, y = place(size, size)
        if kind == 0:
            lay(_modules(rng, int(rng.integers(17, 40)), size), x, y)
        elif kind == 1:
            bars = np.repeat(rng.integers(0, 2, (1, int(rng.integers(30, 80)))).astype(np.uint8) * 255, 12, 0)
            lay(cv2.resize(bars, (size * 2, size // 2), interpolation=cv2.INTER_NEAREST), x, y)
        elif kind == 2:
            middle = (x + size // 2, y + size // 2)
            cv2.circle(face, middle, size // 2, ink, max(2, size // 25), cv2.LINE_AA)
            cv2.circle(face, middle, size // 5, ink, -1 if rng.random() < 0.5 else 2, cv2.LINE_AA)
        elif kind == 3:
            # A photograph: clouds with edges.
            patch = 128 + 50 * _field(rng, (size, int(size * rng.uniform(0.6, 2))), rng.integers(2, 9))
            patch += 30 * np.sign(_field(rng, patch.shape, rng.integers(2, 5)))
            lay(np.clip(patch * rng.uniform(0.5, 1.3), 0, 255).astype(np.uint8), x, y)
        elif kind == 4:
            cv2.rectangle(face, (x, y), (x + 2 * size, y + size), int(rng.integers(0, 256)), -1)
        elif kind == 5:
            points = np.cumsum(rng.normal(0, size / 6, (14, 2)), 0) + (x, y)
            cv2.polylines(face, [points.astype(np.int32)], False, ink, int(rng.integers(1, 4)), cv2.LINE_AA)
        else:
            for k in range(int(rng.integers(2, 7))):
                at = y + k * size // 3
                cv2.line(face, (left, at), (right, at), (ink + paper) // 2, 1)
                cv2.line(face, (x + k * size, top), (x + k * size, bottom), (ink + paper) // 2, 1)


def draw(rng, stock):
    """-> ground, its twin (both drawn pixels), lines, the document's box in flat px of the canvas, tones."""
    h, w = stock.shape
    page = rng.random() < 0.35
    if page:
        spill = np.where(rng.random(4) < 0.12, rng.uniform(0, 30, 4), -200)
        box = (RIM + spill[0], RIM + spill[1], RIM + WINDOW[0] - spill[2], RIM + WINDOW[1] - spill[3])
    else:
        box = (RIM, RIM, RIM + CARD[0], RIM + CARD[1])
    dark = rng.random() < (0.04 if page else 0.13)
    paper = int(rng.integers(25, 110)) if dark else int(rng.integers(205, 254) if page else rng.integers(140, 252))
    depth = rng.uniform(60, 200) if rng.random() < 0.3 else rng.uniform(130, 230)
    ink = int(min(250, paper + depth)) if dark else int(max(5, paper - depth))
    label_tone = int(ink + (paper - ink) * rng.uniform(0, 0.45))
    ground = stock.grounds[rng.integers(GROUNDS)]
    if rng.random() < 0.5:
        ground = ground[::-1]
    if rng.random() < 0.5:
        ground = ground[:, ::-1]
    art = rng.uniform(0, 0.3) * abs(paper - ink) * (rng.random() < (0.3 if page else 0.8))
    sheet = paper + ground * art + rng.normal(0, 8) * np.linspace(-1, 1, w, dtype=np.float32)[None]
    desk = rng.uniform(15, 235) * (1 + rng.uniform(0, 0.3) * stock.grounds[rng.integers(GROUNDS)])
    inside = np.zeros((h, w), np.uint8)
    corners = [round(v * FINE) for v in box]
    radius = int(24 * FINE) if not page and rng.random() < 0.8 else 0
    _rounded(inside, corners, radius)
    face = np.clip(np.where(inside > 0, sheet, desk), 0, 255).astype(np.uint8)
    area = [int(np.clip(v, 0, m)) for v, m in zip(corners, (w, h, w, h))]
    _ornaments(rng, face, paper, ink, area, page)
    lines = []
    left, top, right, bottom = (max(box[0], 0), max(box[1], 0), min(box[2], w / FINE), min(box[3], h / FINE))
    faces = (LATIN_FACES[rng.integers(len(LATIN_FACES))], TWIN_FACES[rng.integers(len(TWIN_FACES))])
    kinds = (("han",) * int(rng.integers(0, 4)) + ("digits",) * int(rng.integers(1, 3))
             + ("upper", "lower") * int(rng.integers(0, 3)))
    if page:
        small = rng.random() < 0.25
        middle = rng.uniform(6, 11) if small else rng.uniform(11, 24)
        margin = rng.uniform(0, 60)
        _block(rng, stock, (left + margin, top + rng.uniform(0, 30), right - margin * rng.random(), bottom),
               (middle * 0.95, middle * 1.05), (ink, label_tone), faces, kinds, (1.7, 3.0), lines)
    else:
        x0, x1 = left + rng.uniform(18, 60), right - rng.uniform(15, 40)
        low = bottom - 25
        if rng.random() < 0.7:
            tall = rng.uniform(0.35, 0.62) * CARD[1]
            wide = tall * rng.uniform(0.7, 0.85)
            y = top + rng.uniform(0.12, 0.3) * CARD[1]
            x = left + rng.uniform(15, 50) if rng.random() < 0.5 else right - wide - rng.uniform(15, 50)
            grey = cv2.cvtColor(portrait(rng, (int(wide * FINE), int(tall * FINE))), cv2.COLOR_RGB2GRAY)
            grey = np.clip(grey * (1 + rng.uniform(0, 0.25) * _field(rng, grey.shape, rng.integers(3, 20))), 0, 255)
            px, py = int(x * FINE), int(y * FINE)
            face[py : py + grey.shape[0], px : px + grey.shape[1]] = grey
            if x < (left + right) / 2:
                x0 = x + wide + rng.uniform(10, 35)
            else:
                x1 = x - rng.uniform(10, 35)
        if rng.random() < 0.25:
            size = rng.uniform(13, 19)
            for k in range(int(rng.integers(2, 4))):
                line = _line(rng, stock, left + 20, low - k * size * 1.9, size, CARD[0] - 40, ink, faces, "mrz")
                if line:
                    lines.append(line)
            low -= 3.2 * size * 1.9
        elif rng.random() < 0.7:
            size = rng.uniform(17, 25)
            line = _line(rng, stock, left + rng.uniform(20, 200), low, size, 400, ink, faces, "digits")
            if line:
                lines.append(line)
            low -= 2.2 * size
        start = top + rng.uniform(12, 60)
        if rng.random() < 0.5:
            line = _line(rng, stock, left + rng.uniform(20, 150), start + 22, rng.uniform(14, 26), 400, ink, faces,
                         "han" if rng.random() < 0.5 else "upper")
            if line:
                lines.append(line)
            start += 35
        heights = [(9, 14), (13, 19), (17, 26)][rng.choice(3, p=(0.3, 0.4, 0.3))]
        _block(rng, stock, (x0, start, x1, low), heights, (ink, label_tone), faces, kinds, (1.7, 3.2), lines)
    lines = [line for line in lines if _stands_out(rng, line, face, paper)]
    pictures = []
    for twin in (False, True):
        picture = Image.fromarray(face)
        pen = ImageDraw.Draw(picture)
        for line in lines:
            text, name = (line.twin, line.twin_face) if twin else (line.text, line.face)
            pen.text((line.x * FINE, line.y * FINE), text, font=stock.fonts.of(name, line.height * FINE),
                     fill=line.tone, anchor="ls")
        pictures.append(np.asarray(picture))
    return pictures[0], pictures[1], lines, box, (paper, ink)


def _stands_out(rng, line, face, paper):
    """Whether a line can be told from what it is printed on; sets its tone and its sense."""
    under = face[max(0, int((line.y - line.height) * FINE)) : max(1, int(line.y * FINE)) : 2,
                 max(0, int(line.x * FINE)) : max(1, int((line.x + line.width) * FINE)) : 4]
    if not under.size:
        return False
    middle, spread = float(under.mean()), float(under.std())
    if abs(middle - line.tone) < 45:
        line.tone = paper
    line.light = line.tone > middle
    return abs(middle - line.tone) >= 45 and (spread < 50 or rng.random() < 0.2)


def _rounded(image, box, radius):
    x0, y0, x1, y1 = box
    cv2.rectangle(image, (x0 + radius, y0), (x1 - radius, y1), 255, -1)
    cv2.rectangle(image, (x0, y0 + radius), (x1, y1 - radius), 255, -1)
    for x in (x0 + radius, x1 - radius):
        for y in (y0 + radius, y1 - radius):
            cv2.circle(image, (x, y), radius, 255, -1)


# ---- What lies between the document and the camera

def _capsule(shape, tip, to, radius, taper=1.0):
    """-> coverage 0..1, place off the axis (1 at the rim), place along it in px from the tip."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    d = np.subtract(to, tip)
    long = float(np.hypot(*d)) + 1e-6
    d = d / long
    t = (x - tip[0]) * d[0] + (y - tip[1]) * d[1]
    off = (x - tip[0]) * d[1] - (y - tip[1]) * d[0]
    wide = radius * (taper + (1 - taper) * np.clip(t / (3 * radius), 0, 1))
    off = np.where(t < 0, np.hypot(off, t), np.abs(off)) / wide
    over = np.clip((1 - off) * radius + 0.5, 0, 1) * (t < long)
    return over, off, t


def _from_border(rng, shape, deep):
    """A place `deep` px inside a border and a direction outwards."""
    h, w = shape
    side = rng.integers(4)
    along = rng.uniform(0.05, 0.95)
    at, out = [((along * w, h - deep), (0, 1)), ((along * w, deep), (0, -1)), ((deep, along * h), (-1, 0)),
               ((w - deep, along * h), (1, 0))][side]
    out = np.array(out, float) + rng.normal(0, 0.4, 2)
    return np.array(at, float), out / np.hypot(*out)


def _skin(rng, stock, over, off, t, radius, base):
    shape = over.shape
    round_ = np.sqrt(np.clip(1 - rng.uniform(0.4, 0.9) * off * off, 0.05, 1))
    grain = 1 + rng.uniform(0.01, 0.07) * _field(rng, shape, rng.integers(15, 120))
    folds = 1 - rng.uniform(0, 0.15) * np.exp(-(((t / radius) % rng.uniform(1.4, 3)) - 1) ** 2 * 60)
    side = 1 + rng.uniform(-0.25, 0.25) * np.clip(off, 0, 1) * np.sign(t)
    skin = base * round_ * grain * folds * side
    if rng.random() < 0.6:
        nail = np.hypot(off * rng.uniform(1.4, 2), (t - 0.2 * radius) / (rng.uniform(0.6, 1.1) * radius)) < 1
        skin = np.where(nail, skin * rng.uniform(1.0, 1.3) + rng.uniform(0, 15), skin)
    return skin


def cover(rng, stock, strength):
    """What lies over the document: coverage 0..1, its tones (0..255) and the shade it throws beside it."""
    shape = stock.shape
    h, w = shape
    total, tones = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def add(over, tone):
        nonlocal total, tones
        tones = tones * (1 - over) + tone * over
        total = np.maximum(total, over)

    kind = rng.random()
    rim = RIM * FINE
    if kind < 0.6:
        base = rng.uniform(60, 235)
        deep = rim + (15 + 190 * strength * rng.uniform(0.5, 1)) * FINE
        tip, out = _from_border(rng, shape, deep)
        radius = rng.uniform(40, 95) * FINE * (0.6 + 0.4 * rng.random())
        across = np.array([-out[1], out[0]])
        for k in range(1 if rng.random() < 0.6 else int(rng.integers(2, 5))):
            start = tip + across * k * radius * rng.uniform(1.9, 2.4) + out * rng.uniform(-0.5, 1) * radius * (k > 0)
            over, off, t = _capsule(shape, start, start + out * 3000 + across * rng.normal(0, 300), radius,
                                    rng.uniform(0.6, 1))
            add(over, _skin(rng, stock, over, off, t, radius, base))
        if rng.random() < 0.25:
            palm = tip + out * radius * rng.uniform(3, 5)
            over, off, t = _capsule(shape, palm, palm + out * 3000, radius * rng.uniform(1.8, 3.5))
            add(over, _skin(rng, stock, over, off, t, radius * 2, base))
    elif kind < 0.76:
        # A pen, a cable, a ruler.
        tip, out = _from_border(rng, shape, rim + rng.uniform(40, 250) * FINE)
        radius = rng.uniform(6, 28) * FINE
        long = 3000 if rng.random() < 0.6 else rng.uniform(200, 600)
        over, off, t = _capsule(shape, tip, tip + out * long, radius, rng.uniform(0.1, 1))
        tone = rng.uniform(5, 240) * (1 - rng.uniform(0, 0.6) * off * off)
        tone = tone + rng.uniform(0, 200) * np.exp(-((off - rng.uniform(0, 0.6)) ** 2) * 60)
        if rng.random() < 0.4:
            tone = np.where((t / radius) % 6 < rng.uniform(0.5, 3), rng.uniform(5, 240), tone)
        add(over, np.clip(tone, 0, 255))
    elif kind < 0.93:
        # A sheet, a note or another card over a part.
        deep = rim + (20 + 200 * strength) * FINE
        tip, out = _from_border(rng, shape, deep)
        across = np.array([-out[1], out[0]])
        near, far = rng.uniform(60, 500, 2) * FINE
        corners = np.stack([tip - across * near, tip + across * far, tip + across * far + out * 2000,
                            tip - across * near + out * 2000])
        over = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(over, corners.astype(np.int32), 255, cv2.LINE_AA)
        tone = rng.uniform(15, 250) + rng.uniform(0, 12) * _field(rng, shape, rng.integers(3, 30))
        if rng.random() < 0.4:
            tone = tone + rng.uniform(5, 50) * stock.grounds[rng.integers(GROUNDS)]
        add(over.astype(np.float32) / 255, np.clip(tone, 0, 255))
    else:
        # A coin, a cap, a drop.
        at = rng.uniform(0.15, 0.85, 2) * (w, h)
        radius = rng.uniform(25, 90) * FINE
        over, off, _ = _capsule(shape, at, at + 0.1, radius)
        over = np.clip((1 - off) * radius + 0.5, 0, 1)
        tone = rng.uniform(20, 220) * (1 - rng.uniform(0, 0.5) * off) + 25 * _field(rng, shape, 60)
        add(over, np.clip(np.where(off > 0.88, tone * rng.uniform(0.5, 1.4), tone), 0, 255))
    soft = rng.uniform(0.4, 2.5) if rng.random() < 0.8 else rng.uniform(3, 9)
    total = cv2.GaussianBlur(total, (0, 0), soft)
    lift = rng.uniform(3, 25)
    small = cv2.resize(total, (w // 4, h // 4), interpolation=cv2.INTER_AREA)
    shade = cv2.GaussianBlur(small, (0, 0), lift / 2)
    shade = cv2.warpAffine(shade, np.array([[1, 0, rng.normal(0, lift / 2)], [0, 1, rng.normal(0, lift / 2)]]),
                           (w // 4, h // 4), borderMode=cv2.BORDER_REPLICATE)
    return total, tones, 1 - rng.uniform(0, 0.7) * cv2.resize(shade, (w, h))


def _quarter(stock):
    return stock.shape[0] // 4, stock.shape[1] // 4


def glare(rng, stock, strength):
    """Light mirrored by a glossy face, linear, 1 is white; at a quarter of the drawn scale."""
    shape = h, w = _quarter(stock)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    out = np.zeros(shape, np.float32)
    power = 0.25 * (12 ** strength)
    for _ in range(1 if rng.random() < 0.7 else int(rng.integers(2, 4))):
        ripple = rng.uniform(0, 12)
        dx = x - rng.uniform(0.08, 0.92) * w + ripple * _field(rng, shape, rng.integers(3, 14))
        dy = y - rng.uniform(0.08, 0.92) * h + ripple * _field(rng, shape, rng.integers(3, 14))
        angle = rng.uniform(0, np.pi)
        a, b = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
        kind = rng.integers(6)
        if kind <= 1:
            # A lamp: a core and its halo.
            wide, narrow = rng.uniform(12, 70), rng.uniform(6, 40)
            q = (a / wide) ** 2 + (b / narrow) ** 2
            spot = np.exp(-q) + rng.uniform(0, 0.3) * np.exp(-q * rng.uniform(0.1, 0.3))
        elif kind == 2:
            # A window with bars.
            edge, half = rng.uniform(0.5, 8), rng.uniform(10, 60, 2)
            inside = np.minimum(half[0] - np.abs(a), half[1] - np.abs(b)) / edge
            spot = 1 / (1 + np.exp(-np.clip(inside, -20, 20)))
            if rng.random() < 0.5:
                spot = spot * (1 - 0.9 * np.exp(-((a / rng.uniform(1, 5)) ** 2)))
        elif kind == 3:
            # Tubes: stripes across.
            thick = rng.uniform(3, 18)
            spot = np.exp(-((b / thick) ** 4))
            for _ in range(int(rng.integers(0, 3))):
                spot = spot + np.exp(-(((b - rng.uniform(-70, 70)) / thick) ** 4))
            spot = np.minimum(spot, 1) * np.exp(-((a / rng.uniform(60, 300)) ** 4))
        elif kind == 4:
            # Patches with hard edges, as on a wavy film.
            wave = _field(rng, shape, rng.integers(3, 9))
            wave = wave * np.exp(-((a / rng.uniform(30, 90)) ** 2 + (b / rng.uniform(20, 70)) ** 2))
            spot = 1 / (1 + np.exp(-np.clip((wave - rng.uniform(0.2, 0.5)) * rng.uniform(5, 40), -20, 20)))
        else:
            # Light that lies over one side.
            spot = 1 / (1 + np.exp(-np.clip(b / rng.uniform(3, 35), -20, 20)))
            spot = spot if rng.random() < 0.3 else spot * np.exp(-((a / rng.uniform(30, 110)) ** 2))
        out += spot * power * rng.uniform(0.6, 1.3)
    if rng.random() < 0.4:
        out *= 1 + 0.2 * _field(rng, shape, rng.integers(20, 80))
    return np.maximum(out, 0)


def shadow(rng, stock, depth):
    """Share of the light that is left behind what throws a shadow with an edge; quarter scale."""
    shape = h, w = _quarter(stock)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    at = (rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h)
    a = np.cos(angle) * (x - at[0]) + np.sin(angle) * (y - at[1])
    b = np.cos(angle) * (y - at[1]) - np.sin(angle) * (x - at[0])
    soft = np.exp(rng.uniform(np.log(0.5), np.log(25)))
    kind = rng.integers(4)
    a = a + rng.uniform(0, 18) * np.sin(b / rng.uniform(15, 80) + rng.uniform(0, 7))
    if kind == 0:
        inside = a
    elif kind == 1:
        inside = rng.uniform(10, 60) - np.abs(a)
    elif kind == 2:
        # A phone.
        inside = np.minimum(rng.uniform(25, 60) - np.abs(a), rng.uniform(40, 120) - np.abs(b))
    else:
        # A hand or a head.
        tip, out = _from_border(rng, shape, rng.uniform(30, 90))
        _, off, t = _capsule(shape, tip, tip + out * 500, rng.uniform(18, 60))
        inside = (1 - off) * 30
        for _ in range(int(rng.integers(0, 4))):
            start = tip + rng.normal(0, 30, 2)
            _, off, t = _capsule(shape, start, start + out * 500, rng.uniform(8, 16))
            inside = np.maximum(inside, (1 - off) * 12)
    return 1 - depth / (1 + np.exp(-np.clip(inside / soft, -20, 20)))


# ---- The camera

def _low(rng, low, high):
    """Log-uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def conditions(rng):
    """What befalls a picture: the strengths of its faults, 0 for none."""
    faults = dict.fromkeys(FAULTS, 0.0)
    count = rng.choice(4, p=(0.2, 0.5, 0.22, 0.08))
    for name in rng.choice(FAULTS, count, replace=False):
        faults[name] = rng.uniform(0.02, 1)
    return faults


class Camera:
    """Draws once what is done to a picture, then does it to any number of them alike."""

    def __init__(self, rng, stock, faults, box, page):
        h, w = stock.shape
        self.stock, self.faults = stock, faults
        quarter = _quarter(stock)
        light = np.ones(quarter, np.float32)
        angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.55)
        light += slope * (np.cos(angle) * np.linspace(-0.7, 0.7, quarter[1], dtype=np.float32)[None]
                          + np.sin(angle) * np.linspace(-0.7, 0.7, quarter[0], dtype=np.float32)[:, None])
        # A faint shadow or a sheen is no fault.
        self.depth = 0.0
        if faults["shadow"]:
            self.depth = 0.4 + 0.58 * faults["shadow"]
        elif rng.random() < 0.15:
            self.depth = rng.uniform(0.05, 0.35)
        self.shade = shadow(rng, stock, self.depth) if self.depth else np.ones(quarter, np.float32)
        self.light = np.maximum(light, 0.15) * self.shade
        self.gloss = None
        if faults["glare"]:
            self.gloss = glare(rng, stock, faults["glare"])
        elif rng.random() < 0.15:
            self.gloss = glare(rng, stock, 0.1) * rng.uniform(0.02, 0.3)
        self.cover = cover(rng, stock, faults["covered"]) if faults["covered"] else None

        # Pixels of the capture a flat pixel, and after a messenger.
        self.scale = _low(rng, 0.85, 2.0) if rng.random() < 0.85 else _low(rng, 0.6, 0.85)
        if page:
            self.scale = max(self.scale, 1.0)
        self.sent = 1.0
        if faults["small"] and not page:
            target = 0.85 * (0.2 / 0.85) ** faults["small"]
            if rng.random() < 0.5:
                self.scale = target
            else:
                self.sent = target / self.scale
        elif rng.random() < 0.3:
            self.sent = max(rng.uniform(0.6, 1.0), 0.85 / self.scale) if self.scale > 0.85 else 1.0
        # Blur in flat px, told in px of the capture.
        self.blur = 0.9 * (7.0 / 0.9) ** faults["blurred"] if faults["blurred"] else 0.0
        self.disc = rng.random() < 0.5
        self.motion = 2.5 * (32 / 2.5) ** faults["moved"] if faults["moved"] else rng.uniform(0, 1.5)
        self.motion_angle, self.bend = rng.uniform(0, np.pi), rng.normal(0, 0.25)
        self.lens = rng.uniform(0.25, 0.6)
        self.exposure, self.gain = rng.uniform(0.55, 1.15), None
        self.full_well = _low(rng, 2500, 20_000)
        if faults["dark"]:
            f = faults["dark"]
            self.exposure = 0.6 * (0.035 / 0.6) ** (f * rng.uniform(0.3, 1.1))
            self.full_well = 4000 * (100 / 4000) ** (f * rng.uniform(0.6, 1.1))
        self.lifted = faults["dark"] and rng.random() < 0.5  # brightened by the phone
        self.smooth = rng.choice(4, p=(0.5, 0.25, 0.15, 0.1) if faults["dark"] else (0.85, 0.1, 0.05, 0))
        self.grain = rng.uniform(0.3, 0.9)
        self.sharpen = rng.uniform(0, 1.2) if rng.random() < 0.7 else 0.0
        self.qualities = [int(rng.uniform(75, 96))]
        if self.sent < 1 or rng.random() < 0.25:
            self.qualities.append(int(rng.uniform(60, 90)))
        if faults["compressed"]:
            self.qualities.append(int(round(_low(rng, 0.8, 1.2) * 55 * (3 / 55) ** faults["compressed"])))
        self.qualities = [int(np.clip(q, 2, 98)) for q in self.qualities]
        self.starts = rng.integers(0, len(stock.noise) // 8, 2)

        # Canvas (drawn px) -> picture of the capture, and capture -> flat.
        size = np.array([w, h]) * self.scale / FINE
        turn = rng.normal(0, 5) if rng.random() < 0.8 else rng.uniform(-40, 40)
        corner = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        spread = corner * (self.scale / FINE) - size / 2
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        placed = spread @ np.array([[c, s], [-s, c]]) + rng.normal(0, 0.03, (4, 2)) * size
        placed -= placed.min(0)
        self.size = tuple(int(math.ceil(v)) for v in placed.max(0))
        self.to_capture = cv2.getPerspectiveTransform(corner, placed.astype(np.float32))
        x0, y0, x1, y1 = (RIM, RIM, RIM + WINDOW[0], RIM + WINDOW[1]) if page else box
        true = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32) * FINE
        found = cv2.perspectiveTransform(true[None], self.to_capture)[0]
        slip = rng.uniform(0, 0.013) * (x1 - x0) * self.scale
        found = found + rng.normal(0, slip / 2, (4, 2)).clip(-slip, slip)
        self.wide, self.high = WINDOW if page else CARD
        flat = np.array([[0, 0], [self.wide, 0], [self.wide, self.high], [0, self.high]], np.float32)
        self.found = (found * self.sent).astype(np.float32)
        to_flat = cv2.getPerspectiveTransform(self.found, flat)
        self.to_flat = to_flat @ np.diag([self.sent, self.sent, 1.0]) @ self.to_capture

    def linear(self, picture):
        """Light that leaves the scene, linear, white paper about 1."""
        h, w = picture.shape
        table = (np.arange(256, dtype=np.float32) / 255) ** 2
        out = cv2.LUT(picture, table) * cv2.resize(self.light, (w, h), interpolation=cv2.INTER_LINEAR)
        if self.gloss is not None:
            out += cv2.resize(self.gloss, (w, h), interpolation=cv2.INTER_LINEAR)
        if self.cover is not None:
            over, tones, beside = self.cover
            lit = (tones / 255) ** 2 * cv2.resize(self.light, (w, h), interpolation=cv2.INTER_LINEAR)
            out = out * beside * (1 - over) + lit * over
        return out

    def take(self, picture):
        """The drawn document -> its flat view, [high, wide] bytes."""
        out = self.linear(picture)
        ratio = self.scale / FINE
        to_capture = self.to_capture
        if ratio < 0.8:
            shape = out.shape
            out = cv2.resize(out, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
            to_capture = to_capture @ np.diag([shape[1] / out.shape[1], shape[0] / out.shape[0], 1.0])
        out = cv2.warpPerspective(out, to_capture, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sigma = math.hypot(self.lens, self.blur * self.scale)
        if self.disc and self.blur * self.scale > 0.8:
            side = 2 * math.ceil(2 * sigma) + 1
            reach = np.hypot(*np.mgrid[-(side // 2) : side // 2 + 1, -(side // 2) : side // 2 + 1])
            disc = np.clip(2 * sigma + 0.5 - reach, 0, 1).astype(np.float32)
            out = cv2.filter2D(out, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
        else:
            out = cv2.GaussianBlur(out, (0, 0), sigma)
        long = self.motion * self.scale
        if long > 1:
            side = int(2 * math.ceil(long / 2) + 3)
            t = np.linspace(-0.5, 0.5, 24)
            angle = self.motion_angle + self.bend * t
            path = np.stack([np.cos(angle), np.sin(angle)], 1) * (t * long)[:, None] + side // 2
            kernel = np.zeros((side * 4, side * 4), np.float32)
            cv2.polylines(kernel, [np.rint(path * 4 + 1.5).astype(np.int32)], False, 1.0, 4)
            kernel = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
            out = cv2.filter2D(out, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
        if self.gain is None:
            # The first picture sets the exposure of all.
            self.gain = self.exposure * 0.72 / max(float(np.percentile(out[::9, ::9], 93)), 0.02)
        out = out * self.gain
        rows, columns = out.shape
        first, second = (self._noise(start, rows, columns) for start in self.starts)
        out = out + first * np.sqrt(np.maximum(out, 0) / self.full_well) + second * (3 / self.full_well)
        lift = min(0.5 / self.exposure, 8) if self.lifted and self.exposure < 0.5 else 1.0
        out = (255 * np.sqrt(np.clip(out * lift, 0, 1))).astype(np.uint8)
        if self.smooth == 1:
            out = cv2.GaussianBlur(out, (0, 0), 0.8)
        elif self.smooth == 2:
            out = cv2.medianBlur(out, 3)
        elif self.smooth == 3:
            out = cv2.bilateralFilter(out, 5, 30, 2)
        if self.sharpen:
            out = cv2.addWeighted(out, 1 + self.sharpen, cv2.GaussianBlur(out, (0, 0), 1.1), -self.sharpen, 0)
        out = self._packed(out, self.qualities[0])
        if self.sent < 1:
            out = cv2.resize(out, None, fx=self.sent, fy=self.sent, interpolation=cv2.INTER_AREA)
        for quality in self.qualities[1:]:
            out = self._packed(out, quality)
        found, step = self.found, math.floor(self.scale * self.sent)
        if step >= 2:
            out = cv2.resize(out, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
            found = found / step
        flat = np.array([[0, 0], [self.wide, 0], [self.wide, self.high], [0, self.high]], np.float32)
        back = cv2.getPerspectiveTransform(flat - 0.5, found - 0.5)
        return cv2.warpPerspective(out, back, (self.wide, self.high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                   borderMode=cv2.BORDER_REPLICATE)

    def _noise(self, start, rows, columns):
        step = rows * columns
        noise = np.resize(self.stock.noise[start:], step).reshape(rows, columns)
        if self.grain > 0.5:
            # A mosaic's noise is not white.
            noise = cv2.GaussianBlur(noise, (0, 0), self.grain) * 1.6
        return noise

    @staticmethod
    def _packed(picture, quality):
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)

    def kept(self, paper, ink):
        """Share of the contrast between paper and ink that the mirrored light leaves; quarter scale."""
        if self.gloss is None:
            return np.ones(_quarter(self.stock), np.float32)
        p, i = (paper / 255) ** 2 * self.light, (ink / 255) ** 2 * self.light

        def seen(v):
            return np.sqrt(np.clip(v * self.gain, 0, 1))

        with_, without = np.abs(seen(p + self.gloss) - seen(i + self.gloss)), np.abs(seen(p) - seen(i))
        return np.clip(with_ / np.maximum(without, 0.02), 0, 1)

    def on_flat(self, quarter, outside):
        """A map at quarter scale -> its mean in each cell of the flat view."""
        ratio = np.diag([4.0, 4.0, 1.0])
        to = np.diag([0.25, 0.25, 1.0]) @ self.to_flat @ ratio
        size = (WINDOW[0] // 4, WINDOW[1] // 4)
        out = cv2.warpPerspective(quarter.astype(np.float32), to, size, flags=cv2.INTER_LINEAR,
                                  borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
        return cv2.resize(out, (WINDOW[0] // CELL, WINDOW[1] // CELL), interpolation=cv2.INTER_AREA)

    def places(self, points):
        """Canvas places in flat px -> places of the flat view."""
        points = np.asarray(points, np.float32).reshape(-1, 1, 2) * FINE
        return cv2.perspectiveTransform(points, self.to_flat).reshape(-1, 2)


# ---- What can be read

def read_line(flat, quad, session, light):
    """A line of the flat view (left and right end of its baseline and of its capitals' tops) -> what is read of it."""
    low, lower, top = quad
    along, up = lower - low, top - low
    width, height = float(np.hypot(*along)), float(np.hypot(*up))
    zoom = CAPITALS / max(height, 1)
    margin = 0.7 * CAPITALS
    columns = int(min(1024, max(64, -(-(width * zoom + 2 * margin) // 8) * 8)))
    middle = low + up / 2
    ex, ey = along / width / zoom, -up / height / zoom
    origin = middle - ex * margin - ey * (ROWS / 2)
    back = np.array([[ex[0], ey[0], origin[0]], [ex[1], ey[1], origin[1]]], np.float32)
    strip = cv2.warpAffine(flat, back, (columns, ROWS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                           borderMode=cv2.BORDER_REPLICATE)
    if light:
        strip = 255 - strip
    read = decode(session.run(None, {"line": strip[None, None].astype(np.float32)})[0][0])
    return "".join(symbol for symbol, _, _ in read).upper()


def right(text, read):
    """Which characters of a text were read."""
    got = np.zeros(len(text), np.float32)
    for block in SequenceMatcher(None, text, read, autojunk=False).get_matching_blocks():
        got[block.a : block.a + block.size] = 1
    return got


@dataclass
class Flat:
    """`picture` [416,656] bytes; `maps` [4,26,41] bytes (254 is 1, `UNKNOWN` is left out); `causes` [6] alike."""

    picture: np.ndarray
    maps: np.ndarray
    causes: np.ndarray
    lines: list  # (flat px box, share of characters read, whole line right, share under cover or glare)
    faults: dict


def flat(seed, stock, session):
    """The document of a seed. `session` is the reader of lines."""
    rng = np.random.default_rng(seed)
    face, twin, lines, box, (paper, ink) = draw(rng, stock)
    page = box != (RIM, RIM, RIM + CARD[0], RIM + CARD[1])
    faults = conditions(rng)
    camera = Camera(rng, stock, faults, box, page)
    picture, other = camera.take(face), camera.take(twin)
    cells = (WINDOW[1] // CELL, WINDOW[0] // CELL)
    kept = camera.on_flat(camera.kept(paper, ink), 1.0)
    under = np.zeros(cells, np.float32)
    if camera.cover is not None:
        quarter = _quarter(stock)
        under = camera.on_flat(cv2.resize(camera.cover[0], quarter[::-1], interpolation=cv2.INTER_AREA), 0.0)
    shaded = camera.on_flat(1 - camera.shade, 0.0)

    printed, value = np.zeros(WINDOW[::-1], np.float32), np.zeros(WINDOW[::-1], np.float32)
    records, heights = [], []
    for line in lines:
        low, lower, top, upper = camera.places([(line.x, line.y), (line.x + line.width, line.y),
                                                (line.x, line.y - line.height),
                                                (line.x + line.width, line.y - line.height)])
        if min(low[0], top[1]) < -4 or lower[0] > WINDOW[0] + 4 or low[1] > WINDOW[1] + 2:
            # Cut off by the window: print, but nothing is known of its legibility.
            share = np.full(len(line.twin), np.nan)
        else:
            got = right(line.twin, read_line(other, (low, lower, top), session, line.light))
            share = np.convolve(np.pad(got, 2, mode="edge"), np.ones(5) / 5, "valid")
        up = top - low
        base, head = low - 0.22 * up, top + 0.12 * up
        ends = np.linspace(0, 1, len(line.twin) + 1)
        span = lower - low
        for k, v in enumerate(share):
            a, b = ends[k], ends[k + 1]
            cell = np.array([base + span * a, base + span * b, head + span * b, head + span * a])
            cv2.fillConvexPoly(printed, np.rint(cell).astype(np.int32), 1.0)
            cv2.fillConvexPoly(value, np.rint(cell).astype(np.int32), -9.0 if np.isnan(v) else float(v))
        if not np.isnan(share).any():
            box_ = np.array([base, base + span, head + span, head])
            (x0, y0), (x1, y1) = np.clip(box_.min(0), 0, WINDOW), np.clip(box_.max(0), 0, WINDOW)
            c = (slice(int(y0) // CELL, int(y1 - 1) // CELL + 1), slice(int(x0) // CELL, int(x1 - 1) // CELL + 1))
            hidden = float(((under[c] > 0.5) | (kept[c] < 0.3)).mean()) if under[c].size else 1.0
            records.append(((float(x0), float(y0), float(x1), float(y1)), float(got.mean()), bool(got.all()), hidden))
            heights.append(float(np.hypot(*up)))
    to_cells = (cells[1], cells[0])
    there = cv2.resize(printed, to_cells, interpolation=cv2.INTER_AREA)
    known = cv2.resize(np.where(value >= 0, printed, 0), to_cells, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(np.where(value >= 0, value, 0), to_cells, interpolation=cv2.INTER_AREA) / np.maximum(known, 1e-3)

    maps = np.full((4, *cells), UNKNOWN, np.uint8)
    gone = (under > 0.6) | (kept < 0.1)
    partly = ((under > 0.15) | (kept < 0.3)) & ~gone
    maps[0][there > 0.22] = 254
    maps[0][there < 0.02] = 0
    maps[0][gone] = 0
    maps[0][partly] = UNKNOWN
    judged = (there > 0.15) & (known > 0.8 * there)
    maps[1][judged] = np.rint(254 * np.clip(mean, 0, 1)).astype(np.uint8)[judged]
    maps[1][gone] = 0
    maps[2] = np.rint(254 * np.clip(under, 0, 1)).astype(np.uint8)
    maps[3][kept > 0.7] = 0
    maps[3][kept < 0.4] = 254
    maps[3][under > 0.5] = 0
    # Beyond the document there is a desk, of which nothing is asked; the rest of the last cells repeats the border.
    if not page:
        outside = np.ones(stock.shape, np.uint8)
        _rounded(outside, [round(v * FINE) for v in box], 0)
        away = camera.on_flat(cv2.resize((outside == 1).astype(np.float32), _quarter(stock)[::-1]), 1.0) > 0.5
        maps[:, away & (under < 0.5)] = UNKNOWN
    causes = _causes(camera, records, heights, shaded, (paper, ink))
    padded = cv2.copyMakeBorder(picture, 0, WINDOW[1] - picture.shape[0], 0, WINDOW[0] - picture.shape[1],
                                cv2.BORDER_REPLICATE)
    return Flat(padded, maps, causes, records, faults)


def _causes(camera, records, heights, shaded, tones):
    """Targets of the causes: 254 where print suffers from it, 0 where it is absent, UNKNOWN between."""
    faults, out = camera.faults, np.full(len(CAUSES), UNKNOWN, np.uint8)
    plain = [share for _, share, _, hidden in records if hidden < 0.3]
    hurt = not plain or float(np.mean(plain)) < SUFFERS
    height = float(np.median(heights)) if heights else 16.0
    capitals = height * min(1.0, camera.scale * camera.sent)
    # Noise at the paper's tone over the contrast, both as coded; without noise a picture is too dark all the same.
    bright, dark = (math.sqrt(min(1.0, (t / 255) ** 2 * camera.gain)) for t in (max(tones), min(tones)))
    bright = max(bright, 0.01)
    noise = 0.5 / math.sqrt(camera.full_well) / max(bright - dark, 0.01)
    worst = {
        "blurred": camera.blur / height, "moved": camera.motion / height, "dark": max(noise, 0.012 / bright),
        "compressed": faults["compressed"], "shadow": camera.depth * float((shaded > 0.5 * camera.depth).mean() > 0.08),
        "small": 1 / capitals,
    }
    for index, name in enumerate(CAUSES):
        mild, strong, plainly = LIMITS[name]
        if worst[name] <= mild or name != "small" and not faults[name]:
            out[index] = 0
        elif worst[name] >= plainly or worst[name] >= strong and hurt:
            out[index] = 254
    return out


# Of each cause: up to where it is absent, from where it counts if print suffers, and from where it always counts.
# Blur and movement over the height of capitals, noise over contrast, strength, depth, 1 over the capitals' px.
LIMITS = {
    "blurred": (0.04, 0.10, 0.2), "moved": (0.13, 0.3, 0.7), "dark": (0.035, 0.08, 0.2),
    "compressed": (0.0, 0.4, 0.85), "shadow": (0.38, 0.75, 0.88), "small": (1 / 10.5, 1 / 8, 1 / 6),
}
